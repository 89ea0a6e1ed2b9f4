#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# RabbitMQ as the broker, with the configuration of conf/.  Not one of the
# tests of `make check`: it takes a minute.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/rabbitmq.sh"

# sees WHAT ARGUMENT…: bob's qchat-who prints exactly that, sooner or later
sees() {
	sees_what=$1
	shift
	as bob run qchat-who "$@"
	[ "$(out)" = "$sees_what" ]
}

need jq
rabbit_prepare
rabbit_start one
rabbit_users one alice bob carol dave

# Who may come in.
as mallory exit_is 77 'a certificate without an account is refused' \
	qchat-say -r ops hello
like "$(err)" "^qchat-say: 127\.0\.0\.1:$broker_port: .*bad user name" \
	'which is said'

# A room.
as alice start ear qchat-listen -v -r ops --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'
as bob exit_is 0 'a post is proved' qchat-say -r ops hello
ok 'and heard' wait_line "$T/ear.out" ' ops [+] bob hello$'
as alice start deep qchat-listen -v -r ops/db/7
must wait_line "$T/deep.err" 'in ops/db/7'
as bob exit_is 0 'a post to a room with slashes' \
	qchat-say -r ops/db/7 'down there'
ok 'is heard' wait_line "$T/deep.out" ' bob down there$'
must end_process "$pid"
ok 'qchat-who sees who is there' wait_for sees alice -r ops -q
ok 'and with --all in which rooms' wait_for sees 'ops alice' --all -q

# The will: carol is killed and cannot say bye herself.
as carol start dies qchat-listen -v -r ops
must wait_line "$T/dies.err" 'in ops'
must wait_line "$T/ear.out" ' ops \* carol joined'
end_process "$pid" KILL
is "$status" 137 'a listener is killed'
ok 'the broker says bye for it' wait_line "$T/ear.out" ' ops \* carol left'
must end_process "$ear_pid"

# A stream.
seq 20000 >"$T/numbers"
as alice start stream qchat-listen -v -r ops -C 20000 --json
stream_pid=$pid
must wait_line "$T/stream.err" 'in ops'
as bob exit_is 0 'a stream is proved' sh -c \
	"qchat-say -r ops -l <'$T/numbers'"
ok 'and ends for the listener' wait_end "$stream_pid"
is "$status" 0 'with its count'
jq -r .text <"$T/stream.out" >"$T/heard"
ok 'complete and in order' cmp "$T/numbers" "$T/heard"

# A "." is a "/" there: what comes back has another topic, so nothing is
# proved.
as bob exit_is 77 'a room with a "." is no room on RabbitMQ' \
	qchat-say -r ops.db hello

# Topics that are not permitted.
must rabbit_ctl one set_topic_permissions dave amq.topic \
	'^\.mcafee\.(event\.qchat\.(ops)?$|client\.)' \
	'^\.mcafee\.(event\.qchat\.(ops)?$|client\.{client_id}$)'
as dave exit_is 0 'a post to a permitted room is proved' qchat-say -r ops hello
as dave exit_is 69 'one to another room ends with the connection' \
	qchat-say --no-spool -r other hello
as alice start seen qchat-listen -v -r ops
must wait_line "$T/seen.err" 'in ops'
dave_sees() {
	as dave run qchat-who -r ops -q
	[ "$(out)" = alice ]
}
ok 'and the answers in its inbox' wait_for dave_sees
must end_process "$pid"

# What is said while a durable listener is away waits for it in the broker.
durable_listening() {
	as alice exit_is 124 'a durable session begins' \
		qchat-listen -r ops --durable soc -W 1
	seq 500 >"$T/numbers"
	as bob exit_is 0 'said to an empty room' sh -c \
		"qchat-say -r ops -l <'$T/numbers'"
	as alice exit_is 0 'the listener comes back' \
		qchat-listen -r ops --durable soc -C 500 --json
	jq -r .text <"$T/out" >"$T/heard"
	ok 'and hears all of it in order' cmp "$T/numbers" "$T/heard"
	is "$(jq -c .replayed <"$T/out" | sort | uniq -c | tr -s ' ')" \
		' 500 true' 'as said before'
}

run qchat-listen -h
if grep -q -e --durable "$T/out" "$T/err"; then
	durable_listening
else
	diag 'this qchat-listen has no --durable'
fi

done_testing
