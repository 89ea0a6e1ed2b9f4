#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Beside the original QChat: a peer on the public JavaScript DXL client that
# does what the original does, and that stumbles over what it stumbled over.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need_peer
broker_start
time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z'

# got FILTER: what the original received, as jq -c sees it, line by line
got() {
	grep -a '"got"' "$T/jesse.out" | jq -c ".got | $1"
}

# wait_got FILTER [COUNT]: until so many of them pass it
wait_got() {
	wait_for got_enough "$1" "${2:-1}"
}

got_enough() {
	[ "$(got "select($1)" | wc -l)" -ge "$2" ]
}

as alice start ear qchat-listen -v -r ops --presence
must wait_line "$T/ear.err" 'in ops'
as alice start json qchat-listen -v -r ops --json
must wait_line "$T/json.err" 'in ops'
peer 7 jesse original.js jesse ops jesse
jesse_pid=$pid

# The original says, we hear.

echo 'say hello from the window' >&7
ok 'a message of the original is shown' wait_line "$T/ear.out" \
	"^$time ops - jesse hello from the window\$"
echo 'buffer as a buffer' >&7
ok 'one whose payload is bin too' wait_line "$T/ear.out" \
	"^$time ops - jesse as a buffer\$"
must wait_line "$T/json.out" 'as a buffer'
is "$(grep 'from the window' "$T/json.out" | jq -c \
	'[.type, .user, .seq, .id, .mark, .text]')" \
	'["message","jesse",null,null,"-","hello from the window"]' \
	'as JSON it has neither number nor id'
like "$(grep 'from the window' "$T/json.out" | jq -r .uid)" \
	'^[0-9a-f]{32}$' 'but its UID'
like "$(grep 'from the window' "$T/json.out" | jq -r .time)" \
	'\.000Z$' 'its time is a whole second'
echo 'say naïve 漢字 😀' >&7
ok 'UTF-8 of JavaScript' wait_line "$T/ear.out" 'jesse naïve 漢字 😀$'

# The same text again under the same id is another message.
echo 'raw {"type": 1, "message": "again", "time": 1492703939.123456, "user": "curses"}' >&7
ok "a message of the first version: float, no UID" wait_line "$T/ear.out" \
	"^2017-04-20T15:58:59\\.[0-9]{3}Z ops - curses again\$"
echo 'raw {"type": 1, "message": "again", "time": 1492703939.123456, "user": "curses"}' >&7
ok 'the same once more is shown once more' wait_line "$T/ear.out" \
	'curses again$' 2

# We say, the original hears.

as bob exit_is 0 'qchat-say' qchat-say -r ops -s high --title t plain text
ok 'the original gets it' wait_got '.message == "plain text"'
is "$(got 'select(.message == "plain text") |
	[(.type == 1), (.time | type), (.user | type), (.UID | type)]')" \
	'[true,"string","string","string"]' 'all keys, in their types'
like "$(got 'select(.message == "plain text") | .time' | tr -d '"')" \
	'^[0-9]+$' 'time is whole seconds'
like "$(got 'select(.message == "plain text") | .UID' | tr -d '"')" \
	'^[0-9a-f]{32}$' 'UID is 32 digits'
is "$(got 'select(.message == "plain text") | .user')" '"bob"' 'user'
as bob exit_is 0 'qchat-say -l' sh -c 'seq 3 | qchat-say -r ops -l'
ok 'a stream reaches the original' wait_got '.type == 1 and
	(.message | endswith("3"))'
is "$(got 'select(.type == 1 and .user == "bob" and
	.message != "plain text") | .message' | jq -r .)" '1
2
3' 'all of its lines'

# Presence.

ok 'our listeners say that they are here' wait_got \
	'.type == 2 and .user == "alice"' 2
echo 'raw {"type": 3}' >&7
ok 'and answer a question that names no inbox' wait_got \
	'.type == 2 and .user == "alice"' 4
as bob exit_is 0 'qchat-who' qchat-who -r ops -q -w "$deadline"
is "$(sort "$T/out")" 'alice
alice
jesse' 'shows the original among ours'
as bob exit_is 0 'qchat-who --json' qchat-who -r ops --json
is "$(jq -c 'select(.user == "jesse") | [.user, .mark, .fingerprint, .app]' \
	<"$T/out")" '["jesse","-","-",null]' 'as one without a program'
echo users >&7
ok 'the original lists us' wait_line "$T/jesse.out" \
	'"users":\["alice","alice".*"jesse"'

is "$(grep -a '"got"' "$T/jesse.out" |
	jq -c 'select(.raises != null and .got.user != "curses") | .raises' |
	sort -u)" '"UnicodeEncodeError"' \
	'it stumbled over nothing but its own UTF-8'

# Leaving.

echo bye >&7
wait_end "$jesse_pid"
is "$status" 0 'the original has left'
ok 'which is told' wait_line "$T/ear.out" " ops \\* jesse left \\(bye\\)\$"
as bob exit_is 0 'qchat-who' qchat-who -r ops -q
is "$(sort "$T/out")" 'alice
alice' 'no longer shows it'

# One that leaves without a word is asked for in vain.
exec 7>&-
rm "$T/jesse.in"
peer 7 gone original.js jesse ops gone
gone_pid=$pid
as bob exit_is 0 'qchat-who' qchat-who -r ops -q -w "$deadline"
like "$(out)" '^gone$' 'shows the next one'
echo vanish >&7
wait_end "$gone_pid"
exec 7>&-
as bob exit_is 0 'qchat-who' qchat-who -r ops -q
is "$(sort "$T/out")" 'alice
alice' 'does not show one that does not answer'

# Our bye is understood there.
peer 8 rest original.js jesse ops rest
as carol start short qchat-listen -v -r ops
must wait_line "$T/short.err" 'in ops'
must wait_line "$T/rest.out" '"user":"carol"'
end_process "$pid"
ok 'qchat-listen says bye' wait_line "$T/rest.out" \
	'"type":4.*"user":"carol"|"user":"carol".*"type":4'
echo users >&8
must wait_line "$T/rest.out" '"users":'
is "$(grep -a '"users":' "$T/rest.out" | grep -c carol)" 0 \
	'and is gone from the list'
is "$(grep -a '"raises"' "$T/rest.out" | jq -c 'select(.raises != null)')" '' \
	'nothing of it was a stumbling block'

done_testing
