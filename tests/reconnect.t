#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The broker goes and comes back: so do we, and we say so.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

broker_start

# posted TEXT: qchat-say gets it into the room
posted() {
	as bob run qchat-say -r ops "$1" </dev/null
	[ "$status" = 0 ]
}

as alice start ear qchat-listen -r ops -r other
ear_pid=$pid
as alice start loud qchat-listen -v -r ops
loud_pid=$pid
must wait_line "$T/loud.err" 'in ops'
as alice start quiet qchat-listen -q -r ops
quiet_pid=$pid
must wait_for posted probe
# Without -v nothing tells when they are in: the first line that all have.
everywhere() {
	posted "$1" && has_lines "$T/ear.out" "$1\$" 1 &&
		has_lines "$T/quiet.out" "$1\$" 1
}
must wait_for everywhere start

broker_kill
is "$status" 137 'the broker was killed'
ok 'qchat-listen says that the connection is lost' \
	wait_line "$T/ear.err" '^qchat-listen: ops: connection lost'
ok 'with -v too' wait_line "$T/loud.err" '^qchat-listen: ops: connection lost'
as bob exit_is 69 'qchat-say says that there is no broker' \
	qchat-say --no-spool -r ops into the void
ok 'the listener lives' alive "$ear_pid"

must broker_restart
ok 'qchat-listen says that it is back' \
	wait_line "$T/ear.err" '^qchat-listen: back in ops'
ok 'in its other room' wait_line "$T/ear.err" '^qchat-listen: back in .*other'
ok 'with -v too' wait_line "$T/loud.err" '^qchat-listen: back in ops'
ok 'a post' posted 'after the fall'
ok 'arrives' wait_line "$T/ear.out" ' ops [+] bob after the fall$'
as bob exit_is 0 'a post in the other room' qchat-say -r other over there
ok 'arrives as well' wait_line "$T/ear.out" ' other [+] bob over there$'
is "$(grep -c 'after the fall' "$T/ear.out")" 1 'once'
ok 'with -q it is back too' wait_for everywhere again
is "$(cat "$T/quiet.err")" '' 'without a word'

# A second time, and an orderly end of the broker.
broker_stop
ok 'lost again' wait_line "$T/ear.err" '^qchat-listen: ops: connection lost' 2
must broker_restart
ok 'back again' wait_line "$T/ear.err" '^qchat-listen: back in ops' 2
ok 'a post' posted 'the second time'
ok 'arrives' wait_line "$T/ear.out" ' bob the second time$'

# The first connection has to work: else nobody would notice a typing error.
broker_stop
as alice exit_is 69 'no broker at the start is 69' qchat-listen -r ops

# A stream that loses the broker does not claim success.
must broker_restart
mkfifo "$T/stream.in"
as bob start stream qchat-say -r ops -l
stream_pid=$pid
exec 7>"$T/stream.in"
must wait_line "$T/ear.err" '^qchat-listen: back in ops' 3
echo 'the first line' >&7
ok 'a stream is under way' wait_line "$T/ear.out" ' bob the first line$'
broker_kill
must wait_line "$T/ear.err" '^qchat-listen: ops: connection lost' 3
must broker_restart
must wait_line "$T/ear.err" '^qchat-listen: back in ops' 4
echo 'after it' >&7
exec 7>&-
wait_end "$stream_pid"
is "$status" 0 'the stream outlives it'
ok 'and all of it arrives' wait_line "$T/ear.out" ' bob after it$'

for one in "$ear_pid" "$loud_pid" "$quiet_pid"; do
	ok 'the listener lives' alive "$one"
done

done_testing
