#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is wrong with certificates, names, keys and servers: one plain sentence
# with the remedy, its status, and nothing in the spool.

. "$(dirname "$0")/lib.sh"

need qchat-say openssl
need_peer
broker_start

# A server that is none of ours, at $port.  server NAME ARG…: of openssl
server() {
	server_name=$1
	shift
	port=$(free_port)
	start "$server_name" openssl s_server -accept "127.0.0.1:$port" \
		-CAfile "$T/broker/ca.crt" -Verify 1 -quiet "$@"
	must wait_for reachable
}

# shellcheck disable=SC2317 # called by name
reachable() {
	node -e 'const s = require("net").connect(+process.argv[1],
		"127.0.0.1", () => process.exit(0))
		s.on("error", () => process.exit(1))' "$port"
}

# says STATUS NAME ERE ARG…: qchat-say ends so, with one line like that, and
# keeps nothing
says() {
	says_status=$1
	says_name=$2
	says_like=$3
	shift 3
	exit_is "$says_status" "$says_name" qchat-say -r ops "$@" hello
	is "$(grep -c . "$T/err")" 1 'in one line'
	like "$(err)" "$says_like" 'with what to do'
	is "$(find "$T" -path '*/qchat/spool/0*' | wc -l)" 0 'and keeps nothing'
}

# with KEY VALUE: the settings of bob with another value
with() {
	sed "s|^$1 = .*|$1 = \"$2\";|" "$(user_conf bob)" >"$T/with.conf"
	printf '%s\n' "$T/with.conf"
}

at() {
	sed "s|port = [0-9]*|port = $1|" "$(user_conf bob)" >"$T/at.conf"
	printf '%s\n' "$T/at.conf"
}

as bob exit_is 0 'as it should be' qchat-say -r ops hello
bob=$(user_dir bob)

must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj '/CN=another CA' -keyout "$T/other.key" -out "$T/other.crt"
says 78 'a wrong CA' 'authorit|issuer|CA' --config "$(with ca "$T/other.crt")"

must certificate_of "$T/elsewhere" elsewhere basicConstraints=CA:false \
	extendedKeyUsage=serverAuth subjectAltName=DNS:elsewhere.example
server elsewhere -cert "$T/elsewhere.crt" -key "$T/elsewhere.key"
says 78 'a server with another name' 'elsewhere.example|name' \
	--config "$(at "$port")"

# Its dates, in a CA's own way.
mkdir "$T/old"
printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\nserial=%s/serial
new_certs_dir=%s\npolicy=p\n[p]\ncommonName=supplied\n[e]
basicConstraints=CA:false\nextendedKeyUsage=serverAuth,clientAuth
subjectAltName=IP:127.0.0.1\n' "$T/old" "$T/old" "$T/old" >"$T/old/cnf"
: >"$T/old/index"
echo 01 >"$T/old/serial"
must openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=bob -keyout "$T/old/key" -out "$T/old/csr"
must openssl ca -batch -config "$T/old/cnf" -md sha256 -extensions e -notext \
	-cert "$T/broker/ca.crt" -keyfile "$T/broker/ca.key" \
	-startdate 20200101000000Z -enddate 20200201000000Z \
	-in "$T/old/csr" -out "$T/old/crt"
sed "s|$bob/user|$T/old/|; s|old/\.|old/|" "$(user_conf bob)" >"$T/old.conf"
says 78 'an expired certificate' 'expired.*2020-02-01' --config "$T/old.conf"
server expired -cert "$T/old/crt" -key "$T/old/key"
says 78 'a server whose certificate has expired' 'expired' \
	--config "$(at "$port")"

port=$(free_port)
start plain mosquitto -p "$port"
must wait_for reachable
says 69 'a server that speaks plain text' 'TLS' --config "$(at "$port")"

server tls11 -cert "$T/broker/server.crt" -key "$T/broker/server.key" -tls1_1 \
	-cipher 'ALL:@SECLEVEL=0'
says 69 'a server that speaks TLS 1.1' 'TLS 1\.[12]' --config "$(at "$port")"

says 78 'the key of another certificate' 'key' \
	--config "$(with key "$(user_dir carol)/user.key")"

cp "$bob/user.key" "$T/open.key"
chmod 644 "$T/open.key"
says 77 'a key that the world can read' 'chmod' \
	--config "$(with key "$T/open.key")"
done_testing
