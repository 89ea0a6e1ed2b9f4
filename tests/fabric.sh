# shellcheck shell=sh disable=SC2034,SC2154 # what lib.sh sets and reads
# SPDX-License-Identifier: Apache-2.0
#
# The stand-in for a DXL fabric, for tests; lib.sh reads this.  What it does
# stands in tests/fabric/README.md.
#
#	fabric_start		one broker, or fabric_start 2: two that are linked
#	services_start		with them a MAR and a TIE service
#	as alice exit_is 0 'asks' qchat-mar HostInfo hostname
#
# Its inputs are the descriptors 6 and 5; the peers' are 7, 8 and 9.

# More of fabric.js's options, and the lines of a topicauth.policy.
fabric_options=
fabric_policy=

# policy_of RULES: what those rules of mosquitto's are in a topicauth.policy.
# There everything is open that is not named, so that only what may be read and
# not written, or the other way round, makes an entry: nobody.
policy_of() {
	printf '%s\n' "$1" | awk '
		function entries(list, topic, text) {
			for (topic in list)
				text = text (text ? "," : "") \
					"{\"topic\":\"" topic "\",\"clients\":[]}"
			return "[" text "]"
		}
		/[+#%]/ { next }
		match($0, /(read|write) /) && $1 ~ /^(pattern|topic)$/ {
			topic = substr($0, RSTART + RLENGTH)
			if ($2 == "read") send[topic]
			if ($2 == "write") receive[topic]
		}
		END {
			print "{\"send\":" entries(send) ",\"receive\":" \
				entries(receive) "}"
		}'
}

# fabric_start [BROKERS]: on the ports $broker_ports of 127.0.0.1, the first of
# them $broker_port, with mutual TLS; $fabric_guids are the brokers' ids
fabric_start() {
	need openssl
	need_peer
	fabric_kind=dxl
	QCHAT_TEST_FABRIC=dxl # for raw.js and attacker.js
	export QCHAT_TEST_FABRIC
	fabric_count=${1:-1}
	broker_ports=
	broker_certificates
	mkfifo "$T/fabric.in"
	fabric_restart || {
		result 1 'set-up: the fabric starts'
		diag <"$T/fabric.err"
		exit 1
	}
}

# fabric_restart: as it was, on the same ports, after broker_stop or broker_kill
fabric_restart() {
	printf '%s\n' "${fabric_policy:-{\}}" >"$T/broker/topicauth.policy"
	exec 6<>"$T/fabric.in" # for reading, too: it never blocks
	: >"$T/fabric.out"     # what the last one said is not said by this one
	# shellcheck disable=SC2086 # lists of words
	start fabric node "$srcdir/tests/fabric/fabric.js" \
		--brokers "$fabric_count" --policy "$T/broker/topicauth.policy" \
		--ports "$(echo $broker_ports | tr ' ' ,)" $fabric_options \
		"$T/broker"
	broker_pid=$pid
	fabric_done=0
	wait_for fabric_is_up && alive "$broker_pid" || return
	broker_ports=$(fabric_each port)
	broker_port=${broker_ports%% *}
	fabric_guids=$(fabric_each guid)
}

fabric_is_up() {
	has_lines "$T/fabric.out" '"at":"ready"' 1 || not alive "$broker_pid"
}

fabric_each() {
	head -n 1 "$T/fabric.out" | sed 's/[,{}]/\
/g' |
		sed -n "s/^\"$1\":\"*\\([^\"]*\\)\"*\$/\\1/p" | tr '\n' ' ' |
		sed 's/ $//'
}

# fabric_do COMMAND…: and it is done
fabric_do() {
	printf '%s\n' "$*" >&6
	fabric_done=$((fabric_done + 1))
	must is_obeyed "$T/fabric.out" "$fabric_done"
}

# is_obeyed FILE N: so many commands have come to their end, the last one well
is_obeyed() {
	wait_line "$1" '"at":"(done|error)"' "$2" || return
	obeyed=$(grep -aE '"at":"(done|error)"' "$1" | sed -n "$2p")
	echo "$obeyed"
	case $obeyed in *'"at":"error"'*) return 1 ;; esac
}

# is_subscribed FILTER: somebody is
is_subscribed() {
	fabric_do clients
	grep -a '^{"clients":' "$T/fabric.out" | tail -n 1 | grep -Fq "\"$1\""
}

# services_start: a MAR and a TIE service in it, of the user "services", with
# "stranger" at hand; what they were asked is in $T/services.out
services_start() {
	services_dir=$(user_dir services) || exit 1
	services_stranger=$(user_dir stranger) || exit 1
	mkfifo "$T/services.in"
	exec 5<>"$T/services.in"
	start services node "$srcdir/tests/fabric/services.js" \
		"$services_dir" "$services_stranger"
	services_done=0
	must wait_line "$T/services.out" '"at":"ready"'
}

# services_do COMMAND…: they have it
services_do() {
	printf '%s\n' "$*" >&5
	services_done=$((services_done + 1))
	must is_obeyed "$T/services.out" "$services_done"
}
