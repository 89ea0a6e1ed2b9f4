#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Three RabbitMQ nodes as one broker, with the configuration of conf/, of which
# one is killed.  Not one of the tests of `make check`: it takes minutes.

# shellcheck disable=SC2317 # functions that other functions call by name
# shellcheck disable=SC2154 # pid, which start sets

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/rabbitmq.sh"

# port_of NODE
port_of() {
	cat "$T/broker/$1/port"
}

# brokers_of USER NODE…: these are the brokers in the settings of USER
brokers_of() {
	of_dir=$(user_dir "$1") || exit 1
	shift
	of_list=
	for of_node; do
		of_list="$of_list${of_list:+, }{ host = \"127.0.0.1\"; \
port = $(port_of "$of_node"); }"
	done
	conf_for "$of_dir" 0 |
		sed "s/^brokers = .*/brokers = ( $of_list );/" \
			>"$of_dir/qchat.conf"
}

# node_of FILE: the node that qchat-listen -v was last on
node_of() {
	of_port=$(sed -n 's/.* in ops, on 127\.0\.0\.1://p' "$1" | tail -n 1)
	for of_node in $rabbit_cluster; do
		[ "$of_port" = "$(port_of "$of_node")" ] || continue
		echo "$of_node"
		return
	done
	false
}

# other_than NODE
other_than() {
	for than_node in $rabbit_cluster; do
		[ "$than_node" = "$1" ] || break
	done
	echo "$than_node"
}

# node_start NODE, node_kill NODE, node_restart NODE
node_start() {
	rabbit_start "$1"
	echo "$pid" >"$T/broker/$1/pid"
}

node_kill() {
	end_process "$(cat "$T/broker/$1/pid")" KILL
}

node_restart() {
	must rabbit_restart "$1"
	echo "$pid" >"$T/broker/$1/pid"
}

# are_running COUNT
are_running() {
	rabbit_ctl "$(other_than "$killed")" cluster_status --formatter json \
		>"$T/status" 2>&1 &&
		[ "$(jq '.running_nodes | length' <"$T/status")" = "$1" ]
}

need jq
killed=
rabbit_cluster='one two three'
rabbit_prepare
for node in $rabbit_cluster; do
	node_start "$node"
done
ok 'three nodes are a cluster' wait_for are_running 3
rabbit_policy one
rabbit_users one alice bob carol
brokers_of alice one two three
brokers_of bob three
brokers_of carol one

# A room is on all nodes.
as alice start ear qchat-listen -v -r ops --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'
as carol start first qchat-listen -v -r ops
must wait_line "$T/first.err" 'in ops'
as bob exit_is 0 'a post on the third node is proved' qchat-say -r ops hello
ok 'and heard on the first' wait_line "$T/first.out" ' bob hello$'
must wait_line "$T/ear.out" ' bob hello$'
must end_process "$pid"
as carol exit_is 0 'a post on the first is proved' qchat-say -r ops back
must wait_line "$T/ear.out" ' carol back$'
sees_alice() {
	as bob run qchat-who -r ops -q
	[ "$(out)" = alice ]
}
ok 'qchat-who sees across nodes' wait_for sees_alice

# The node of the listener is killed.
killed=$(node_of "$T/ear.err") || must false 'the node of the listener'
brokers_of bob "$(other_than "$killed")"
node_kill "$killed"
is "$status" 137 'the node of the listener is killed'
ok 'which the listener says' wait_line "$T/ear.err" 'ops: connection lost'
ok 'it is back by another node' wait_line "$T/ear.err" 'back in ops'
isnt_killed() { [ "$(node_of "$T/ear.err")" != "$killed" ]; }
ok 'one that lives' isnt_killed
as bob exit_is 0 'a post is proved' qchat-say -r ops 'after the fall'
ok 'and heard' wait_line "$T/ear.out" ' bob after the fall$'
ok 'the listener lives' alive "$ear_pid"

# It comes back.
node_restart "$killed"
ok 'the node is in the cluster again' wait_for are_running 3
brokers_of carol "$killed"
said() {
	as carol run qchat-say -r ops 'from the fallen'
	[ "$status" = 0 ]
}
ok 'and carries posts' wait_for said
ok 'that are heard' wait_line "$T/ear.out" ' carol from the fallen$'
must end_process "$ear_pid"

# A stream, and the node of its listener is killed in the middle.
seq 20000 >"$T/numbers"
as alice start whole qchat-listen -v -r ops -C 20000 --json
whole_pid=$pid
must wait_line "$T/whole.err" 'in ops'
killed=$(node_of "$T/whole.err") || must false 'the node of the listener'
brokers_of bob "$(other_than "$killed")"
mkfifo "$T/stream.in"
as bob start stream qchat-say -r ops -l
stream_pid=$pid
exec 7>"$T/stream.in"
seq 10000 >&7
must wait_line "$T/whole.out" '"message"' 5000
node_kill "$killed"
seq 10001 19000 >&7
must wait_line "$T/whole.err" 'back in ops'
# The sender is still there when its listener learns by these what is missing.
seq 19001 20000 >&7
ok 'the listener has all lines' wait_end "$whole_pid"
is "$status" 0 'and ends'
exec 7>&-
ok 'the stream ends, too' wait_end "$stream_pid"
is "$status" 0 'and is proved'
jq -r 'select(.type == "message") | .text' <"$T/whole.out" >"$T/heard"
ok 'each once and in order' cmp "$T/numbers" "$T/heard"

done_testing
