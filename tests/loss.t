#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Nothing is lost: slow readers, brokers that die, a network that fails; see
# overflow.t.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need node
lines=${QCHAT_TEST_LINES:-20000}
deadline=$((deadline * 4))
broker_start
seq "$lines" >"$T/numbers"

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

done_testing
