#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A room for some only, as certs/README.md tells: with the authority of
# lab-ca.sh, on a mosquitto and on a DXL fabric, with the examples of conf/.

# shellcheck disable=SC2034,SC2154,SC2317 # what lib.sh reads and sets, who calls by name

. "$(dirname "$0")/lib.sh"

need jq mosquitto openssl
need_peer
conf=$srcdir/conf
room=/mcafee/event/qchat/ops

# The authority, the broker, and three who have certificates.

lab=$T/lab
mkdir -m 700 "$lab"
# lab ARG…: lab-ca.sh in its folder
lab() {
	(cd "$lab" && sh "$srcdir/certs/lab-ca.sh" "$@") >"$T/lab.out" 2>&1
}
ok 'an authority' lab ca
ok 'a broker' lab broker localhost 127.0.0.1
for user in alice bob eve; do
	ok "a certificate for $user" lab user "$user"
	mkdir -p "$T/users/$user"
	cp "$lab/$user.pem" "$T/users/$user/user.crt"
	cp "$lab/$user.key" "$T/users/$user/user.key"
done
ok 'a name once only' not lab user alice
ok 'they fit' openssl verify -CAfile "$lab/ca.pem" -purpose sslclient \
	"$lab/alice.pem" "$lab/eve.pem"
cp "$lab/ca.pem" "$T/broker/ca.crt"
cp "$lab/ca.key" "$T/broker/ca.key"
cp "$lab/localhost.pem" "$T/broker/server.crt"
cp "$lab/localhost.key" "$T/broker/server.key"

# is_closed FABRIC: alice and bob may, eve may not
is_closed() {
	peer 7 "raw-$1" raw.js eve
	printf 'sub #\n' >&7 # mosquitto and DXL: what may be received
	must wait_line "$T/raw-$1.out" '"at":"done"'
	as bob start "ear-$1" qchat-listen -v -r ops
	ear_pid=$pid
	must wait_line "$T/ear-$1.err" 'in ops'
	as alice exit_is 0 "$1: who may enter says something" \
		qchat-say -r ops for us
	ok 'and is heard' wait_line "$T/ear-$1.out" ' [+] alice for us$'
	as eve exit_is 77 'who may not is told so' \
		qchat-say -r ops -W 1 --spool let me in
	like "$(err)" 'no echo .* within 1 s: the fabric may not let .*ops' \
		'in words'
	is "$(find "$T" -path '*/qchat/spool/0*' | wc -l)" 0 \
		'and nothing is in the spool'
	as eve exit_is 77 'nor is told who is there' qchat-who -r ops -w 1
	as alice exit_is 0 'those inside go on' qchat-say -r ops the end
	ok 'and hear each other' wait_line "$T/ear-$1.out" 'alice the end$'
	is "$(grep -c 'let me in' "$T/ear-$1.out")" 0 'and nobody else'
	printf 'sub /x\n' >&7 # what was sent before has come
	must wait_line "$T/raw-$1.out" '"at":"done"' 2
	is "$(jq -c "select(.topic == \"$room\")" <"$T/raw-$1.out")" '' \
		'and eve has heard nothing'
	end_process "$ear_pid"
	exec 7>&-
}

# mosquitto, with the examples as they are shipped, but for paths and the port.

broker_conf() {
	sed "s|/etc/mosquitto/ca_certificates/qchat-ca.pem|$T/broker/ca.crt|
		s|/etc/mosquitto/certs/qchat-broker.pem|$T/broker/server.crt|
		s|/etc/mosquitto/certs/qchat-broker.key|$T/broker/server.key|
		s|/etc/mosquitto/qchat.acl|$broker_acl|
		s|^listener 8883|listener $broker_port 127.0.0.1|" \
		"$conf/mosquitto-qchat.conf.example" >"$T/broker/mosquitto.conf"
	printf 'user %s\nlog_dest stderr\n' "$(id -un)" \
		>>"$T/broker/mosquitto.conf"
}
# The first step, and the second: the steps' own lines.
broker_rules=$(grep -v '^pattern readwrite /mcafee/event/qchat/#' \
	"$conf/mosquitto-qchat.acl.example"
	sed -n '/^### mosquitto/,/^### A DXL/s/^       \(pattern\|user\|topic\)/\1/p' \
		"$srcdir/certs/README.md")
like "$broker_rules" '^user bob$' 'the lines of the README are found'
broker_start
is_closed mosquitto
as eve exit_is 0 'a room that is for everyone is open' qchat-say -r hall hello
broker_stop

# A DXL fabric, with the example and the thumbprints put in.

fabric_kind=dxl
rm "$T"/users/*/qchat.conf
example=$(cat "$conf/topicauth.policy.example")
fabric_policy=$(printf '%s\n' "$example" |
	sed "s/0\\{39\\}1/$(thumbprint alice)/; s/0\\{39\\}2/$(thumbprint bob)/")
is "$(printf '%s\n' "$fabric_policy" | grep -c '"0000')" 0 \
	'the example names no others'
fabric_start 2
is_closed dxl
as eve exit_is 0 'a room that is not named is open' qchat-say -r hall hello
peer 8 rogue raw.js eve
printf 'body %s %s\n' /mcafee/event/dxl/revocation/list \
	"$(thumbprint alice | od -An -tx1 | tr -d ' \n')" >&8
ok 'nobody may revoke a certificate' \
	wait_line "$T/fabric.out" '"denied":"/mcafee/event/dxl/revocation/list"'
as alice exit_is 0 'so that alice is still there' qchat-say -r ops hello
broker_stop

# As it is shipped, it is nobody's.

fabric_policy=$example
must fabric_restart
as alice exit_is 77 'the example as it stands shuts the room' \
	qchat-say -r ops -W 1 hello

done_testing
