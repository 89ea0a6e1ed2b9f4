#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Numbers that nobody has are told, whatever qchat-listen is asked for.

. "$(dirname "$0")/lib.sh"

need_peer
broker_start

# listen NAME ARG…: alice's qchat-listen in a room
listen() {
	listen_name=$1
	shift
	as alice start "$listen_name" qchat-listen -v "$@"
	must wait_line "$T/$listen_name.err" '^qchat-listen: in '
}

listen holes -r ops --json
holes_pid=$pid
listen holes_from -r ops --from nobody
from_pid=$pid
listen holes_exec -r ops --exec true
exec_pid=$pid
# Alone, so that it gives up both gaps at the same time.
listen holes_state -r a/b --state "$T/holes" -C 2
state_pid=$pid
uid=0123456789abcdef0123456789abcdef
peer 9 raw raw.js carol
for seq in 1 3 5; do
	for room in ops a/b; do
		echo "json /mcafee/event/qchat/$room {\"type\":1,\"message\":\"m$seq\",\"time\":\"1\",\"user\":\"mallory\",\"UID\":\"$uid\",\"seq\":$seq}" >&9
	done
done
must wait_line "$T/holes.out" '"text":"m5"'
ok '--from tells of a gap of others' \
	wait_line "$T/holes_from.out" ' ops [*] mallory missing: 2 to 2$'
ok '--exec tells of it on standard error' wait_line "$T/holes_exec.err" \
	'^qchat-listen: --exec: .* ops [*] mallory missing: 4 to 4$'
wait_end "$state_pid"
is "$status" 0 '--state -C 2 ends between two gaps'
like "$(cat "$T/holes")" "^3(:[0-9]+)? $uid\$" 'and goes on before the second'
for pid in "$holes_pid" "$from_pid" "$exec_pid"; do
	ok 'the others listen on' alive "$pid"
done

done_testing
