# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # what lib.sh reads, who calls by name
#
# client.js as a test uses it, on a fabric of two brokers: alice is at the first
# one, bob and carol are at the second.

# client FD NAME PORT: the public client of that user at that broker
client() {
	broker_port=$3
	peer "$1" "$2" client.js "$2"
}

# tell NAME COMMAND…: it does that
tell() {
	tell_name=$1
	shift
	case $tell_name in
	alice) printf '%s\n' "$*" >&7 ;;
	bob) printf '%s\n' "$*" >&8 ;;
	carol) printf '%s\n' "$*" >&9 ;;
	esac
	told=$(($(cat "$T/$tell_name.told" 2>/dev/null || echo 0) + 1))
	echo "$told" >"$T/$tell_name.told"
	must wait_line "$T/$tell_name.out" '"at":"(done|error)"' "$told"
	must not grep '"at":"error"' "$T/$tell_name.out"
}

# last NAME KEY [FILTER]: of the last line of NAME that has this key
last() {
	grep -a "^{\"$2\":" "$T/$1.out" | tail -n 1 |
		jq -Sc ".$2 | ${3:-.}" 2>&1
}

# answers NAME TEXT: what begins with TEXT or has it in it, of its responses
answers() {
	grep -a '^{"response":' "$T/$1.out" | jq -r .response.text |
		grep -a -e "$2" | tr '\n' ' '
}

# seen NAME CONDITION: comes
seen() {
	wait_for is_seen "$1" "$2"
}

is_seen() {
	[ -n "$(jq -c "select($2)" <"$T/$1.out" 2>/dev/null)" ]
}

# is_unregistered CHANNEL: no service has it
is_unregistered() {
	fabric_do services
	! grep -a '^{"services":' "$T/fabric.out" | tail -n 1 | grep -q "\"$1\""
}

# three_clients: those, on the descriptors 7, 8 and 9
three_clients() {
	client 7 alice "${broker_ports% *}"
	client 8 bob "${broker_ports#* }"
	client 9 carol "${broker_ports#* }"
}

# unseen NAME CONDITION TEST-NAME: has not come
unseen() {
	is_seen "$1" "$2" && unseen_bad=1 || unseen_bad=0
	result "$unseen_bad" "$3"
}
