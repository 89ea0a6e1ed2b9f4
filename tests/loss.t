#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Nothing is lost: a slow reader, a broker that dies.

. "$(dirname "$0")/lib.sh"

broker_start
deadline=$((deadline * 4))

# Five listeners, one of which stands still in the middle.
lines=${QCHAT_TEST_LINES:-200000}
seq "$lines" >"$T/numbers"
ears=
for i in 1 2 3 4 5; do
	as alice start "ear$i" qchat-listen -v -r bulk -C "$lines" -F '%m\n'
	ears="$ears $pid"
	must wait_line "$T/ear$i.err" 'in bulk'
done
ln -s numbers "$T/say.in"
as bob start say qchat-say -r bulk -l
say=$pid
must wait_line "$T/ear1.out" . $((lines / 4))
kill -STOP "${ears##* }"
wait_end "$say"
is "$status" 0 'the stream is proved'
kill -CONT "${ears##* }"
i=0
for ear in $ears; do
	i=$((i + 1))
	wait_end "$ear"
	is "$status" 0 "listener $i has all lines"
	ok '… in order, none twice' cmp "$T/ear$i.out" "$T/numbers"
done
done_testing
