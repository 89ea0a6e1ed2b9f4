#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A stream: a hundred thousand lines, complete and in order, in blocks.

. "$(dirname "$0")/lib.sh"

need jq
broker_start
lines=${QCHAT_TEST_LINES:-100000}
deadline=$((deadline * 4))

seq "$lines" >"$T/numbers"
as alice start bulk qchat-listen -v -r bulk -C "$lines" -F '%s %m\n'
bulk_pid=$pid
must wait_line "$T/bulk.err" 'in bulk'
as alice start json qchat-listen -v -r bulk -C "$lines" --json
json_pid=$pid
must wait_line "$T/json.err" 'in bulk'

as bob exit_is 0 "seq $lines | qchat-say -l" \
	qchat-say -r bulk -l <"$T/numbers"
is "$(err)" '' 'says nothing'
wait_end "$bulk_pid"
is "$status" 0 "qchat-listen -C $lines has them all"
wait_end "$json_pid"
is "$status" 0 'as JSON too'

paste -d ' ' "$T/numbers" "$T/numbers" >"$T/want"
ok 'complete and in order, each with its number' cmp "$T/bulk.out" "$T/want"
jq -r '"\(.seq) \(.text)"' <"$T/json.out" >"$T/got"
ok 'the JSON lines too' cmp "$T/got" "$T/want"
is "$(grep -c '"type":"gap"' "$T/json.out")" 0 'no gap is told of'
is "$(jq -r .uid <"$T/json.out" | sort -u | wc -l)" 1 'from one sender'

# Lines of all lengths, also beyond what a block takes.
{
	awk 'BEGIN {
		for (i = 0; i < 400; i++) {
			line = i " "
			for (j = 0; j < i * i % 977; j++) line = line "0123456789"
			print line
		}
	}'
	head -c 100000 /dev/zero | tr '\0' 7
	printf '\n\nend\n'
} >"$T/odd"
count=$(wc -l <"$T/odd")
as alice start odd qchat-listen -v -r odd -C "$count" -F '%m\n'
odd_pid=$pid
must wait_line "$T/odd.err" 'in odd'
as bob exit_is 0 'lines of all lengths' qchat-say -r odd -l <"$T/odd"
wait_end "$odd_pid"
is "$status" 0 'arrive'
ok 'as they were' cmp "$T/odd.out" "$T/odd"

# Two streams at once stay apart.
as alice start two qchat-listen -v -r two -C 20000 -F '%u %s %m\n'
two_pid=$pid
must wait_line "$T/two.err" 'in two'
seq 10000 >"$T/half"
ln -s half "$T/left.in"
ln -s half "$T/right.in"
as bob start left qchat-say -r two -l
left_pid=$pid
as carol start right qchat-say -r two -l
right_pid=$pid
wait_end "$left_pid"
is "$status" 0 'the one stream'
wait_end "$right_pid"
is "$status" 0 'the other stream'
wait_end "$two_pid"
is "$status" 0 'both arrive'
for who in bob carol; do
	sed "s/.*/$who & &/" "$T/half" >"$T/want"
	grep "^$who " "$T/two.out" >"$T/got"
	ok "that of $who in order" cmp "$T/got" "$T/want"
done

# A signal ends a stream whose input has no end.  That is no failure if all
# that it was given is proved.
as alice start calm qchat-listen -v -r calm -F '%m\n'
must wait_line "$T/calm.err" 'in calm'
for signal in TERM HUP; do # SIGINT is ignored in the background
	mkfifo "$T/endless$signal.in"
	as bob start "endless$signal" qchat-say -v -r calm -l
	endless_pid=$pid
	exec 8>"$T/endless$signal.in"
	echo "before $signal" >&8
	must wait_line "$T/endless$signal.err" 'proved by its echo'
	end_process "$endless_pid" "$signal"
	exec 8>&-
	is "$status" 0 "SIG$signal, when all is proved, is 0"
	ok 'which came' wait_line "$T/calm.out" "^before $signal\$"
done
mkfifo "$T/half.in"
as bob start half qchat-say -v -r calm -l
half_pid=$pid
exec 8>"$T/half.in"
printf 'whole\nhalf' >&8
must wait_line "$T/half.err" 'proved by its echo'
end_process "$half_pid" TERM
exec 8>&-
is "$status" 69 'with half a line it is 69'
like "$(cat "$T/half.err")" '^qchat-say: interrupted' 'and it says so'
echo 'done' >"$T/linger.in"
as bob start linger qchat-say -v -r calm -l
linger_pid=$pid
must wait_line "$T/linger.err" 'proved by its echo'
end_process "$linger_pid" TERM
is "$status" 0 'SIGTERM while it stays for others is 0'

done_testing
