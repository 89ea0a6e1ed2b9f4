#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A tool sends on behind CONNECT.  A broker that refuses it may reset the
# connection while that comes, and its answer is lost.  So the tool tries once
# more, and waits for the answer before it sends on.

. "$(dirname "$0")/lib.sh"

need_peer
broker_certificates

# curt MODE: a broker that does not take what is sent on, and bob's settings
curt() {
	start "$1" node "$srcdir/tests/peer/curt.js" "$T/broker" "$1"
	must wait_line "$T/$1.out" '"at": *"ready"'
	curt_port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$T/$1.out")
	conf_for "$(user_dir bob)" "$curt_port" >"$T/$1.conf"
}

# counted MODE: how many connections were hasty, and how many patient
counted() {
	printf '%s hasty, %s patient\n' "$(count_lines "$T/$1.out" hasty)" \
		"$(count_lines "$T/$1.out" patient)"
}

curt refuse
exit_is 77 'who is refused is told so' \
	qchat-listen --config "$T/refuse.conf" -r ops -W "$deadline"
like "$(cat "$T/err")" 'the broker does not let .*user\.crt in' \
	'though the first answer was lost'
is "$(counted refuse)" '1 hasty, 1 patient' 'it asked twice'

curt accept
start ear qchat-listen --config "$T/accept.conf" -v -r ops -C 1 -F '%m\n'
ear=$pid
ok 'who was not refused goes on' wait_line "$T/ear.err" 'in ops'
is "$(counted accept)" '1 hasty, 1 patient' 'on the second connection'
exit_is 0 'so does who says something' \
	qchat-say --config "$T/accept.conf" -r ops 'does it arrive?'
wait_end "$ear"
is "$(cat "$T/ear.out")" 'does it arrive?' 'and it arrives'
is "$(counted accept)" '2 hasty, 2 patient' 'in the same way'

# That it goes away meanwhile does not make it one that knows no TLS.
curt leave
exit_is 75 'who is cut off by one that goes away keeps what he said' \
	qchat-say --config "$T/leave.conf" -r ops 'later'
is "$(counted leave), $(count_lines "$T/leave.out" left) left" \
	'1 hasty, 0 patient, 1 left' 'which was gone when it was asked again'
done_testing
