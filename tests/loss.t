#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Nothing is lost: slow readers, brokers that die, a network that fails.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need_peer
lines=${QCHAT_TEST_LINES:-20000}
deadline=$((deadline * 4))
broker_start
seq "$lines" >"$T/numbers"
seq 400 >"$T/first400"

# feed NAME: the lines, slowly enough that much happens meanwhile
feed() {
	mkfifo "$T/$1.in"
	start "$1-feed" awk -v n="$lines" -v to="$T/$1.in" \
		-v pause="sleep ${QCHAT_TEST_PAUSE:-0.1}" 'BEGIN {
		for (i = 1; i <= n; i++) {
			print i >to
			if (i % (n / 100) == 0) {
				fflush(to)
				system(pause)
			}
		}
	}'
}

# ends_well NAME SAY EAR: the stream ends well, the listener has all of it
ends_well() {
	wait_end "$2"
	is "$status" 0 "$1: the stream is proved"
	wait_end "$3"
	is "$status" 0 "$1: the listener has all lines"
	ok "$1: in order, none twice" cmp "$T/$1-ear.out" "$T/numbers"
}

# Five listeners, one of which stands still in the middle.
ears=
for i in 1 2 3 4 5; do
	as alice start "ear$i" qchat-listen -v -r bulk -C "$lines" -F '%m\n'
	ears="$ears $pid"
	must wait_line "$T/ear$i.err" 'in bulk'
done
feed stop
as bob start stop qchat-say -r bulk -l
say=$pid
must wait_line "$T/ear1.out" . $((lines / 4))
kill -STOP "${ears##* }"
must wait_line "$T/ear1.out" . $((lines / 2))
kill -CONT "${ears##* }"
wait_end "$say"
is "$status" 0 'the stream is proved'
i=0
for ear in $ears; do
	i=$((i + 1))
	wait_end "$ear"
	is "$status" 0 "listener $i has all lines"
	ok '… in order, none twice' cmp "$T/ear$i.out" "$T/numbers"
done

# dies NAME TOOL-OPTION: the broker dies again and again.  The options of the
# fabric's kind are in say_options and ear_options.
dies() {
	# shellcheck disable=SC2086 # options
	as alice start "$1-ear" qchat-listen $ear_options -v -r "$1" \
		-C "$lines" -F '%m\n'
	ear=$pid
	must wait_line "$T/$1-ear.err" "in $1"
	feed "$1"
	# shellcheck disable=SC2086
	as bob start "$1" qchat-say $say_options -r "$1" -l -W 20
	say=$pid
	for quarter in 1 2 3; do
		must wait_line "$T/$1-ear.out" . $((lines * quarter / 4))
		broker_kill
		must broker_restart
	done
	ends_well "$1" "$say" "$ear"
}
say_options=
ear_options=
dies mqtt
say_options="--dxl-config $(user_dir bob)/dxlclient.config"
ear_options="--dxl-config $(user_dir alice)/dxlclient.config"
dies dxl
say_options=
ear_options=

# network NAME: a proxy in front of the broker; its commands go to 8
network() {
	mkfifo "$T/$1-proxy.in"
	start "$1-proxy" node "$srcdir/tests/peer/proxy.js" "$broker_port"
	exec 8>"$T/$1-proxy.in"
	must wait_line "$T/$1-proxy.out" '"at": *"ready"'
	proxy_port=$(jq -r 'select(.at == "ready").port' <"$T/$1-proxy.out")
	for user in alice bob; do
		conf_for "$(user_dir $user)" "$proxy_port" >"$T/$1-$user.conf"
		dxl_conf_for "$(user_dir $user)" "$proxy_port" \
			>"$T/$1-$user.config"
	done
}
does() {
	done_before=$(count_lines "$T/$1-proxy.out" '"done"')
	echo "$2" >&8
	must wait_line "$T/$1-proxy.out" '"done"' $((done_before + 1))
}

# fails NAME CONF-OPTION CONF-SUFFIX: the network cuts, stalls, crawls
fails() {
	network "$1"
	start "$1-ear" qchat-listen "$2" "$T/$1-alice.$3" -v -r "$1" \
		-C "$lines" -F '%m\n'
	ear=$pid
	must wait_line "$T/$1-ear.err" "in $1"
	feed "$1"
	start "$1" qchat-say "$2" "$T/$1-bob.$3" -r "$1" -l -W 20
	say=$pid
	must wait_line "$T/$1-ear.out" . $((lines / 5))
	does "$1" cut
	must wait_line "$T/$1-ear.out" . $((lines * 2 / 5))
	does "$1" stall
	sleep "${QCHAT_TEST_STALL:-5}" # what is tested is that much
	does "$1" go
	must wait_line "$T/$1-ear.out" . $((lines * 3 / 5))
	does "$1" 'bytes 20000'
	does "$1" cut
	must wait_line "$T/$1-ear.out" . $((lines * 4 / 5))
	does "$1" 'bytes 0'
	does "$1" cut
	ends_well "$1" "$say" "$ear"
	exec 8>&-
}
fails wire --config conf
fails wire0 --dxl-config config

# A broker whose queues overflow at once.
broker_stop
broker_lines='max_queued_messages 100'
broker_conf
must broker_restart
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
