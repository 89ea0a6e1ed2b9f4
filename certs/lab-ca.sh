#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A certificate authority for a lab's fabric, as README.md beside this file
# tells step by step.  Works in the current folder and keeps what is there.
#
#	lab-ca.sh ca                      ca.pem, ca.key
#	lab-ca.sh broker HOST [ADDRESS…]  HOST.pem, HOST.key
#	lab-ca.sh user NAME               NAME.pem, NAME.key

set -eu
umask 077

usage() {
	echo 'usage: lab-ca.sh ca | broker HOST [ADDRESS…] | user NAME' >&2
	exit 64
}

# request NAME: its key, and what the CA is to sign, without any extension
request() {
	[ -n "$1" ] || usage
	case $1 in
	-* | .* | *[!A-Za-z0-9._-]*)
		echo "lab-ca.sh: $1: use letters, digits, . _ -" >&2
		exit 64
		;;
	esac
	if [ -e "$1.pem" ] || [ -e "$1.key" ]; then
		echo "lab-ca.sh: $1.pem or $1.key is there already" >&2
		exit 73
	fi
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out "$1.key"
	openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
}

# sign NAME DAYS EXTENSION…
sign() {
	name=$1
	days=$2
	shift 2
	printf '%s\n' "$@" >"$name.ext"
	openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key \
		-days "$days" -sha256 -extfile "$name.ext" -out "$name.pem"
	rm "$name.csr" "$name.ext"
}

ca() {
	if [ -e ca.pem ] || [ -e ca.key ]; then
		echo 'lab-ca.sh: ca.pem or ca.key is there already' >&2
		exit 73
	fi
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out ca.key
	openssl req -new -x509 -key ca.key -days 3652 -sha256 \
		-subj '/CN=QChat lab CA' \
		-addext basicConstraints=critical,CA:true,pathlen:0 \
		-addext keyUsage=critical,keyCertSign,cRLSign -out ca.pem
}

case ${1-} in
ca)
	ca
	;;
broker)
	[ $# -ge 2 ] || usage
	host=$2
	names=DNS:$host
	shift 2
	for address; do
		names=$names,IP:$address
	done
	request "$host"
	sign "$host" 825 basicConstraints=critical,CA:false \
		keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
		"subjectAltName=$names"
	;;
user)
	[ $# -eq 2 ] || usage
	request "$2"
	sign "$2" 825 basicConstraints=critical,CA:false \
		keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth
	;;
*)
	usage
	;;
esac
