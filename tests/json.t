#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The JSON lines that the tools print, held against qchat-json(5): nothing that
# is not in the page, all that has to be there, and of all types that the page
# names each one at least once.

. "$(dirname "$0")/lib.sh"

need jq
need_peer
page=$srcdir/man/qchat-json.5
mkdir "$T/lines"
room=/mcafee/event/qchat/ops
uid=0123456789abcdef0123456789abcdef

# keep NAME: what the last command printed is a part of what is judged
keep() {
	ok "there are lines: $1" test -s "$T/out"
	cp "$T/out" "$T/lines/$1"
}

# raw COMMAND…: the raw peer does it
raw_done=0
raw() {
	printf '%s\n' "$*" >&9
	raw_done=$((raw_done + 1))
	must wait_line "$T/raw.out" '"at":"(done|error)"' "$raw_done"
}

# A room on mosquitto, in which a number is missing, and comes at last.
broker_start
peer 9 raw raw.js mallory
as carol start ear qchat-listen -v -r ops --json --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'
raw "json $room {\"type\":1,\"message\":\"first\",\"time\":\"1\",\"user\":\"mallory\",\"UID\":\"$uid\",\"seq\":1}"
raw "json $room {\"type\":1,\"message\":\"third\",\"time\":\"1\",\"user\":\"mallory\",\"UID\":\"$uid\",\"seq\":3}"
raw "json $room {\"type\":1,\"message\":\"nobody\",\"time\":\"1\",\"user\":\"mallory\"}"
as alice exit_is 0 'what is said' qchat-say -r ops --json plain
keep said
as bob exit_is 0 'under the name of another' qchat-say -r ops -u alice mine
for severity in info low medium high critical; do
	as bob exit_is 0 "what is $severity" qchat-say -r ops --json \
		-s "$severity" --title title --tag one --tag two text
	keep "$severity"
done
as bob exit_is 0 'what would be said' qchat-say -r ops --json --dry-run text
keep would
as bob exit_is 0 'to one alone' qchat-say -r ops -t carol 'call me'
must wait_line "$T/ear.out" '"type":"direct"'

# Who comes, is there, and goes: ours, and one that says nothing of itself.
as dave start late qchat-listen -v -r ops --json --presence
late_pid=$pid
must wait_line "$T/late.out" '"type":"here"'
must wait_line "$T/ear.out" '"type":"join".*"user":"dave"'
is "$(jq 'select(.type == "join" and .user == "dave") | .time == .since' \
	<"$T/ear.out")" true 'who comes has the time at which it came'
must end_process "$late_pid"
must wait_line "$T/ear.out" '"type":"leave".*"user":"dave"'
cp "$T/late.out" "$T/lines/late"
here='"time":"1","user":"old","UID":"00000000000000000000000000000001"'
raw "sub $room"
raw "answer {\"type\":2,$here}"
raw 'answer {"type":2,"user":"idle","UID":"00000000000000000000000000000003","time":"1","idle":1500}'
raw 'answer {"type":"none of ours"}'
as alice start pair qchat-listen -v -r ops --json --presence
pair_pid=$pid
must wait_line "$T/pair.out" '"type":"here".*"user":"old"'
raw "json $room {\"type\":1,\"message\":\"still here\",$here}"
must wait_line "$T/pair.out" 'still here'
must end_process "$pair_pid"
cp "$T/pair.out" "$T/lines/pair"
# A rate is told of a room that is a second old.
# shellcheck disable=SC2317 # wait_for calls it
rated() {
	as bob run qchat-who -r ops -d --json &&
		jq -es 'any(.[]; .per_hour != null)' <"$T/out" >"$T/rated"
}
must wait_for rated
as bob exit_is 0 'who is there' qchat-who -r ops -d --json
keep who
ok 'malformed answers are counted' grep -q '"counts":{.*"malformed":' "$T/out"
as bob exit_is 1 'a room with nobody in it' qchat-who -r empty -d -w 0.3 --json
keep nobody

# What is replayed, by a format, and to a command.
as bob exit_is 0 'what was said before' \
	qchat-listen -r ops -n 2 -C 2 -W "$deadline" --json
keep before
as bob exit_is 0 'by a format' \
	qchat-listen -r ops -n 2 -C 2 -W "$deadline" -F '%j\n'
keep format
# shellcheck disable=SC2016 # for that shell
as dave start command qchat-listen -v -r ops -C 1 --exec \
	sh -c 'cat >>"$1"' sh "$T/lines/command"
command_pid=$pid
must wait_line "$T/command.err" 'in ops'
as bob exit_is 0 'to a command' qchat-say -r ops for the command
must wait_end "$command_pid"
ok 'which has it' test -s "$T/lines/command"

# A sealed room.
as alice exit_is 0 'a room is sealed' qchat-invite --new -r closed
as alice start sealed qchat-listen -v -r closed --json
sealed_pid=$pid
must wait_line "$T/sealed.err" 'in closed'
as alice exit_is 0 'what is said in it' qchat-say -r closed --json secretly
keep secretly
as alice exit_is 0 'who is in it' qchat-who -r closed -d --json
keep closed
is "$(jq -c .sealed "$T/lines/secretly" "$T/lines/closed" | sort -u)" 'null
true' 'all of that is sealed, but for what was counted'
must end_process "$sealed_pid"

# What nobody had comes after all; and who comes so late was not there before.
must wait_line "$T/ear.out" '"type":"gap"'
raw "json $room {\"type\":2,\"user\":\"late\",\"UID\":\"00000000000000000000000000000002\",\"time\":\"1\"}"
must wait_line "$T/ear.out" '"type":"join".*"user":"late"'
raw "json $room {\"type\":1,\"message\":\"second\",\"time\":\"1\",\"user\":\"mallory\",\"UID\":\"$uid\",\"seq\":2}"
must wait_line "$T/ear.out" '"late":true'
must end_process "$ear_pid"
cp "$T/ear.out" "$T/lines/ear"

# The spool.
must broker_stop
as bob exit_is 75 'what cannot be sent' qchat-say -r ops kept
echo damaged >"$XDG_STATE_HOME/qchat/spool/009999999999999-0000000000000001-$uid"
as bob exit_is 0 'what waits' qchat-say --queue --json
keep queue
exit_is 0 'without settings' qchat-say --queue --json
keep unsettled

# The services of a DXL fabric.
fabric_start
services_start
notepad=f2c7bb8acc97f92e987a2d4087d021b1
dropper=daac6ba6967893ddea06ed132b781529
certificate=6eae26db8c13182a7947982991b4321732cc3de2
broadcast=/mcafee/event/tie/file/repchange/broadcast
as ann start host qchat-listen -v -r ops
must wait_line "$T/host.err" 'in ops'
as ann exit_is 0 'by whom a room is heard' qchat-who -r ops -d --json
keep heard
as ann exit_is 0 'a search' qchat-mar --json HostInfo hostname, os
keep search
services_do mar rows long
as ann exit_is 0 'a long value' qchat-mar -q --json HostInfo hostname
keep long
services_do mar rows
services_do mar at results json \
	'{"code":200,"body":{"totalItems":1,"items":[{"id":"0","output":{"HostInfo|os":"x"}}]}}'
as ann exit_is 0 'of a service that says less' qchat-mar --json HostInfo os
keep less
services_do mar well
as ann exit_is 0 'reputations' qchat-tie --json "$notepad" "$dropper"
keep reputations
ok 'a fraction is as short as it can be' grep -q '"average":76[.]2}' "$T/out"
printf '' >"$T/empty"
as ann exit_is 1 'of a file that is here' qchat-tie --json --file "$T/empty"
keep file
as ann exit_is 0 'of a certificate' qchat-tie --json --certificate \
	--public-key 3b87a2d6f39770160364b79a152fcc73bae27adf "$certificate"
keep certificate
as ann exit_is 0 'systems' qchat-tie --json --agents "$notepad"
keep systems
services_do tie at agents json '{"agents":[{"agentGuid":"{a}"}]}'
as ann exit_is 0 'a system that came at no time' \
	qchat-tie --json --agents "$notepad"
keep timeless
services_do tie well
as ann start follow qchat-tie -v --json --follow -C 2
follow_pid=$pid
must wait_line "$T/follow.err" 'connected to'
as ann exit_is 0 'what is set' \
	qchat-tie --json --set known-trusted --yes "$notepad"
keep set
services_do tie publish "$broadcast" '{"hashes":[{"type":"md5","value":"8se7isyX+S6YeiRAh9Ahsg=="}],"oldReputations":{"reputations":[]},"newReputations":{"reputations":[{"providerId":99,"trustLevel":1,"attributes":{"2122901":"1","1":"x"}}]}}'
must wait_end "$follow_pid"
cp "$T/follow.out" "$T/out"
keep follow

must node "$srcdir/tests/json.js" "$page" "$T"/lines/*
cp "$T/must.out" "$T/judged"
like "$(tail -n 1 "$T/judged")" '^lines [1-9][0-9]+$' 'there is what to judge'
is "$(grep '^page' "$T/judged")" '' 'the page says what it has to'
is "$(grep '^wrong' "$T/judged")" '' 'no line is other than the page says'
is "$(grep '^unseen' "$T/judged")" '' 'all that the page has was seen'

done_testing
