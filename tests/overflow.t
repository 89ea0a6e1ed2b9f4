#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Nothing is lost where the broker drops: from the sender, from other listeners,
# or it is told.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need_peer
deadline=$((deadline * 4))

# A broker whose queues overflow at once.
broker_lines='max_queued_messages 100'
broker_start
seq 400 >"$T/first400"
# is_posted STATUS
is_posted() { [ "$1" = 0 ] || result 1 "set-up: a post ended with $1"; }
post() { as bob run qchat-say -r "$1" "$2" </dev/null; }

as alice start slow qchat-listen -v -r over -F '%m\n' -C 400
slow=$pid
must wait_line "$T/slow.err" 'in over'
as alice start quick qchat-listen -v -r over -F '%m\n' -C 400
quick=$pid
must wait_line "$T/quick.err" 'in over'
mkfifo "$T/over.in"
as bob start over qchat-say -r over -l
say=$pid
exec 7>"$T/over.in"
echo 1 >&7
must wait_line "$T/slow.out" '^1$'
kill -STOP "$slow"
# One message each, and large: the sockets' buffers are full soon.
big=$(head -c 60000 /dev/zero | tr '\0' x)
for i in $(seq 2 400); do
	echo "$i $big" >&7
done
must wait_line "$T/quick.out" . 400
kill -CONT "$slow"
wait_end "$slow"
is "$status" 0 'what the broker dropped comes from the sender'
cut -d ' ' -f 1 "$T/slow.out" >"$T/slow.first"
ok 'in order, once' cmp "$T/slow.first" "$T/first400"
wait_end "$quick"
is "$status" 0 'for the other one too'
exec 7>&-
wait_end "$say"

# same_lines FILE FILE: in any order
same_lines() {
	sort "$1" >"$T/sorted"
	sort "$2" | cmp - "$T/sorted"
}

# The sender is gone: another listener has it.  A lone post, and the end of a
# stream, have no successor that shows that they are missing.
as alice start slow2 qchat-listen -v -r gone -F '%m\n'
slow=$pid
must wait_line "$T/slow2.err" 'in gone'
as alice start quick2 qchat-listen -v -r gone -F '%m\n'
must wait_line "$T/quick2.err" 'in gone'
must post gone first
must wait_line "$T/slow2.out" '^first$'
kill -STOP "$slow"
printf '%s' "$big" >"$T/big"
for i in $(seq 150); do
	as bob run qchat-say -r gone <"$T/big"
	is_posted "$status"
done
must post gone lone
seq 90 >"$T/ninety"
as bob exit_is 0 'a stream' qchat-say -r gone -l <"$T/ninety"
must wait_line "$T/quick2.out" '^90$'
must post gone last
must wait_line "$T/quick2.out" '^last$'
must wait_line "$T/quick2.out" . 243
kill -CONT "$slow"
must wait_line "$T/slow2.out" . 243
ok 'what the broker dropped comes from another listener' \
	same_lines "$T/slow2.out" "$T/quick2.out"
ok 'a lone post' grep -q '^lone$' "$T/slow2.out"
ok 'the end of a stream' grep -q '^90$' "$T/slow2.out"
ok 'the last post' grep -q '^last$' "$T/slow2.out"
end_process "$slow"

# Nobody has it: it is told which numbers are missing.
as alice start ear qchat-listen -v -r hole --json
must wait_line "$T/ear.err" 'in hole'
uid=0123456789abcdef0123456789abcdef
peer 9 raw raw.js carol
raw() { echo "$1" >&9; }
for seq in 1 2 3 7 8; do
	raw "json /mcafee/event/qchat/hole {\"type\":1,\"message\":\"m$seq\",\"time\":\"1\",\"user\":\"mallory\",\"UID\":\"$uid\",\"seq\":$seq}"
done
ok 'a gap that nobody can fill is told' wait_line "$T/ear.out" '"type":"gap"'
ok 'and then what is behind it' wait_line "$T/ear.out" '"text":"m8"'
is "$(jq -rc 'select(.type == "gap") | [.uid, .first, .last]' <"$T/ear.out")" \
	"[\"$uid\",4,6]" 'with its exact numbers'
is "$(jq -r 'select(.type != "gap").seq' <"$T/ear.out" | tr '\n' ' ')" \
	'1 2 3 7 8 ' 'in order'

done_testing
