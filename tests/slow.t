#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A slow network: what takes longer to send than its proof may take is not
# called lost, and is not sent again and again.

. "$(dirname "$0")/lib.sh"

need jq
need node
broker_start
deadline=$((deadline * 2))

mkfifo "$T/proxy.in"
start proxy node "$srcdir/tests/peer/proxy.js" "$broker_port"
exec 8>"$T/proxy.in"
must wait_line "$T/proxy.out" '"at": *"ready"'
proxy_port=$(jq -r 'select(.at == "ready").port' <"$T/proxy.out")
conf_for "$(user_dir bob)" "$proxy_port" >"$T/slow.conf"
echo 'rate 100000' >&8
must wait_line "$T/proxy.out" '"rate 100000"'

# connections: how many the proxy has seen
connections() {
	stats_before=$(count_lines "$T/proxy.out" '"stats"')
	echo stats >&8
	must wait_line "$T/proxy.out" '"stats"' $((stats_before + 1))
	jq -r 'select(.command == "stats").connections' <"$T/proxy.out" |
		tail -n 1
}

head -c 600000 /dev/zero | tr '\0' x >"$T/big"
exit_is 0 'a post that needs six seconds on its way' \
	qchat-say --config "$T/slow.conf" -r slow -W 4 <"$T/big"
is "$(connections)" 1 'goes over one connection'

seq 100000 199999 | head -n 80000 >"$T/numbers"
as alice start ear qchat-listen -v -r slow -C 80000 -F '%m\n'
ear=$pid
must wait_line "$T/ear.err" 'in slow'
exit_is 0 'a stream that needs six seconds' \
	qchat-say --config "$T/slow.conf" -r slow -l -W 4 <"$T/numbers"
# (A marker at QoS 0 is not waited for as long as what is acknowledged.)
[ "$fabric_kind" = dxl ] ||
	is "$(connections)" 2 'goes over one connection, too'
wait_end "$ear"
ok 'and arrives' cmp "$T/ear.out" "$T/numbers"
done_testing
