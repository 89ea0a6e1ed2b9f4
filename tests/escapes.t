#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Text from others is text: 300 strings that would drive a terminal, break a
# line, hide or reorder it, as name, text, title, tag, program, id and room,
# in every way out.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need qchat-say qchat-listen qchat-who qchat-join
need jq
need_peer
broker_start
room=/mcafee/event/qchat/ops
escapes=$srcdir/tests/peer/escapes.js

# clean NAME FILE…: nothing is in them that must not be; at least something is
clean() {
	clean_name=$1
	shift
	for clean_file; do
		ok "$clean_name has something" test -s "$clean_file"
	done
	is "$(node "$escapes" check "$@" | head -n 10)" '' "$clean_name"
}

count=$(node "$escapes" count)
ok "there are $count strings" test "$count" -ge 200

# Every form of a listener, and a screen.
form='%t %r %k %u %m %i %s %f\n'
as alice start plain qchat-listen -v -r ops --presence
must wait_line "$T/plain.err" 'in ops'
as alice start json qchat-listen -v -v -r ops --presence --json
must wait_line "$T/json.err" 'in ops'
as alice start format qchat-listen -v -r ops --presence -F "$form"
must wait_line "$T/format.err" 'in ops'
mkdir "$T/ran"
cat >"$T/run" <<'END'
#!/bin/sh
cat >>"$1/stdin"
printf '%s\n' "$QCHAT_ROOM" >>"$1/room"
END
chmod +x "$T/run"
as alice start exec qchat-listen -v -r ops --exec "$T/run" "$T/ran"
must wait_line "$T/exec.err" 'in ops'
conf=$(user_conf alice)
must tm new-session -d -s screen -x 100 -y 30 \
	"stty -echo; read go; QCHAT_CONFIG='$conf' XDG_STATE_HOME='$T/screen' \
	exec qchat-join -r ops"
must tm pipe-pane -t screen "cat >'$T/screen.bytes'"
must tm send-keys -t screen go Enter
ok 'the screen is in the room' wait_line "$T/plain.out" 'alice joined'

# All of them.
peer 7 raw raw.js mallory
node "$escapes" commands "$room" >"$T/commands"
sent=$(wc -l <"$T/commands")
cat "$T/commands" >&7
ok "$sent messages are said" wait_line "$T/raw.out" '"at":"done"' "$sent"
must wait_line "$T/raw.out" '"at":"done"' "$sent"
as bob must qchat-say -r ops 'the end of it'
for name in plain json format; do
	ok "$name has come to the end" wait_line "$T/$name.out" 'the end of it'
done
ok 'so has the command' wait_line "$T/ran/stdin" 'the end of it'
the_end() { tm capture-pane -p -t screen | grep -q 'the end of it'; }
ok 'and the screen' wait_for the_end
# Only now: while they read all that, they may be late with their answers.
for form in '-r ops' '-r ops --json' '-r ops -d' '-r ops -q'; do
	# shellcheck disable=SC2086 # a list of words
	as bob exit_is 0 "qchat-who $form" qchat-who -w 3 $form
	cat "$T/out" "$T/err" >"$T/who$(printf '%s' "$form" | tr -c '[:lower:]' _)"
done

clean 'plain lines' "$T/plain.out"
clean 'what is said of them' "$T/plain.err" "$T/json.err" "$T/format.err"
clean 'JSON lines' "$T/json.out"
is "$(LC_ALL=C tr -d '\n -~' <"$T/json.out" | wc -c)" 0 \
	'are printable ASCII alone'
clean 'formats' "$T/format.out"
clean 'what a command gets' "$T/ran/stdin" "$T/ran/room"
clean 'who is there' "$T"/who*

# JSON keeps the original: each that was UTF-8 is there as it was.
grep '^json' "$T/commands" | cut -d ' ' -f 3- |
	jq -r 'select(.type == 1) | .message | @base64' | sort -u >"$T/want"
jq -r 'select(.type == "message" and .user != "bob") | .text | @base64' \
	<"$T/json.out" | sort -u >"$T/got"
is "$(comm -23 "$T/want" "$T/got" | wc -l)" 0 'JSON has each text as it was'

# The screen: what went to the terminal, and what it shows.
for command in p c 'm a'; do
	must tm send-keys -t screen -l "\\$command"
	must tm send-keys -t screen Enter
done
must tm send-keys -t screen PPage PPage PPage
must tm send-keys -t screen -l 'still here'
must tm send-keys -t screen Enter
ok 'it is alive' wait_line "$T/plain.out" 'still here'
tm capture-pane -p -t screen -S - >"$T/shown"
clean 'what the screen shows' "$T/shown"
ok 'the bytes of the terminal are there' test -s "$T/screen.bytes"
is "$(node "$escapes" screen "$T/screen.bytes" | head -n 10)" '' \
	'no title, no clipboard, no bell, no order'
is "$(tm display-message -p -t screen '#{pane_title}' | grep -c owned)" 0 \
	'the title is as it was'

# Rooms that are called so.

# hears_all: somebody hears all rooms, as far as the broker tells
hears_all() {
	if [ "$fabric_kind" = dxl ]; then
		is_subscribed '/mcafee/event/qchat/#'
	else
		has_lines "$T/broker.err" "u'carol'" 1
	fi
}

node "$escapes" rooms /mcafee/event/qchat/ >"$T/rooms"
as carol start rooms qchat-who -a -w 4 -d
must wait_for hears_all
cat "$T/rooms" >&7
wait_end "$pid"
clean 'names of rooms' "$T/rooms.out"
ok 'of which there are some' test "$(grep -c '^room r' "$T/rooms.out")" -gt 20
# What a tool says of its own arguments.
esc=$(printf '\033]0;owned\007')
as bob exit_is 64 'a room that cannot be' qchat-say -r "$esc" hello
clean 'is told' "$T/err"
as bob exit_is 78 'a file that is not there' qchat-say --config "/$esc" -r a b
clean 'is told as well' "$T/err"
done_testing
