#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who may read a sealed room: its secret, invitations to it over real
# certificates, and what is refused.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need openssl

# No broker is needed; only its authority is.
# shellcheck disable=SC2034 # lib.sh uses it
broker_port=8883
must certificate_of "$T/broker/ca" 'QChat test CA' \
	basicConstraints=critical,CA:true keyUsage=keyCertSign,cRLSign \
	subjectKeyIdentifier=hash

state_of() {
	printf '%s\n' "$T/home/state-$1"
}

# at USER CMD…: as that user, on a machine of her own
at() {
	XDG_STATE_HOME=$(state_of "$1")
	mkdir -p "$XDG_STATE_HOME"
	as "$@" && at_status=0 || at_status=$?
	XDG_STATE_HOME=$HOME/state
	return "$at_status"
}

certificate() {
	printf '%s/user.crt\n' "$(user_dir "$1")"
}

# reissue USER CA REQ_OPTION…: with another key, or by another authority
reissue() {
	reissue_dir=$(user_dir "$1")
	reissue_ca=$2
	shift 2
	(umask 077 && openssl req -x509 -sha256 -nodes -days 30 "$@" \
		-config "$reissue_dir/user.cnf" -CA "$reissue_ca.crt" \
		-CAkey "$reissue_ca.key" -keyout "$reissue_dir/user.key" \
		-out "$reissue_dir/user.crt")
}

# The one file of secrets that a user has.
secret_file() {
	find "$(state_of "$1")/qchat/secrets" -type f ! -name lock
}

# The current secret, and the lines of old ones.
secret_of() { sed -n 's/^secret [0-9a-f]* \([^ ]*\) .*/\1/p' "$(secret_file "$1")"; }
old_of() { sed -n 's/^old [0-9a-f]* \([^ ]*\) .*/\1/p' "$(secret_file "$1")"; }

for user in alice bob carol dave eve; do
	must user_dir "$user"
done
must reissue carol "$T/broker/ca" -newkey rsa:2048

# A secret.

exit_is 64 'nothing to do is refused' qchat-invite
like "$(err)" '--new, --accept, --rotate or --list' 'with what there is'
at alice exit_is 1 'no room is listed' qchat-invite --list
is "$(out)" 'ROOM SECRET SINCE OLD' 'but the header'
at alice exit_is 66 'nobody is invited without a secret' \
	qchat-invite -r ops "$(certificate bob)"
like "$(err)" 'ops: has no secret \(--new' 'and told'
at alice exit_is 66 'nor is a secret rotated' qchat-invite --rotate -r ops
at alice exit_is 0 'a secret is made' qchat-invite --new -r ops
is "$(out)" '' 'nothing goes to standard output'
like "$(err)" 'ops: is sealed with the secret [0-9a-f]{16} ' 'its id is told'
not_secret=$(secret_of alice)
is "$(printf %s "$not_secret" | openssl base64 -d -A | wc -c)" 32 \
	'it has 32 bytes'
is "$(grep -c -F "$not_secret" "$T/err")" 0 'and is not told'
is "$(stat -c '%a %a' "$(secret_file alice)")" '600 600' 'the file is closed'
is "$(stat -c %a "$(state_of alice)/qchat/secrets")" 700 'and the folder'
at alice exit_is 73 'a second is not made' qchat-invite --new -r ops
is "$(secret_of alice)" "$not_secret" 'the first stays'
at alice exit_is 0 'it is listed' qchat-invite --list
like "$(out)" '^ops [0-9a-f]{16} 20[0-9-]*T[0-9:.]*Z 0$' 'with id, time, old ones'
at alice exit_is 64 'a room that cannot be is refused' qchat-invite --new -r 'a#b'
at alice exit_is 64 'and none' qchat-invite --new

# An invitation.

at alice exit_is 0 'an invitation' \
	qchat-invite -r ops "$(certificate bob)" "$(certificate carol)"
cp "$T/out" "$T/ops.invite"
like "$(head -n 1 "$T/ops.invite")" '^-----BEGIN CMS-----$' 'is PEM'
like "$(err)" "for bob, certificate $(fingerprint bob)" 'for whom it is is told'
like "$(err)" "for carol, certificate $(fingerprint carol)" 'of all'
must openssl cms -cmsout -print -inform PEM -in "$T/ops.invite"
like "$(cat "$T/must.out")" 'pkcs7-envelopedData' 'it is encrypted'
like "$(cat "$T/must.out")" 'aes-256-cbc' 'with AES-256'
like "$(cat "$T/must.out")" 'rsaesOaep' 'by RSA with OAEP'
like "$(grep -A 6 rsaesOaep "$T/must.out")" 'sha256' 'and SHA-256'
like "$(cat "$T/must.out")" 'dhSinglePass-stdDH-sha256kdf-scheme' \
	'and by EC with SHA-256'
openssl cms -cmsout -inform PEM -in "$T/ops.invite" -outform DER \
	-out "$T/ops.der"
is "$(grep -a -c -e ops -e alice "$T/ops.der")" 0 \
	'neither room nor sender can be read'

# What there is inside, by openssl.
for reader in bob carol; do
	must openssl cms -decrypt -inform PEM -in "$T/ops.invite" \
		-recip "$(certificate "$reader")" \
		-inkey "$(user_dir "$reader")/user.key" -out "$T/inside.der"
	must openssl cms -verify -inform DER -in "$T/inside.der" -purpose any \
		-CAfile "$T/broker/ca.crt" -out "$T/inside.txt"
	is "$(sed -n 's/^secret //p' "$T/inside.txt")" "$not_secret" \
		"openssl finds the secret as $reader"
done
is "$(sed 's/^made [0-9]*$/made/' "$T/inside.txt")" "qchat-invitation 1
room ops
secret $not_secret
made
for $(fingerprint bob)
for $(fingerprint carol)" 'and what the manual says'

# Taken.

for reader in bob carol; do
	at "$reader" exit_is 0 "$reader accepts it" \
		qchat-invite --accept "$T/ops.invite"
	is "$(out)" '' 'nothing goes to standard output'
	like "$(err)" "ops: invited by alice, certificate $(fingerprint alice)" \
		'who invited is told'
	is "$(secret_of "$reader")" "$not_secret" 'the secret is the same'
	is "$(stat -c %a "$(secret_file "$reader")")" 600 'and closed'
done
at bob exit_is 0 'again' qchat-invite --accept - <"$T/ops.invite"
like "$(err)" 'accepted before' 'is no harm, from standard input too'
at bob exit_is 0 'quietly' qchat-invite -q --accept "$T/ops.invite"
is "$(err)" '' 'it says nothing'
at bob exit_is 66 'a file that is not there' qchat-invite --accept "$T/none"

# Refused.

at dave exit_is 77 'one for others is refused' \
	qchat-invite --accept "$T/ops.invite"
like "$(err)" 'for other certificates' 'and told'
ok 'nothing is kept' test ! -e "$(state_of dave)/qchat/secrets"
echo hello >"$T/garbage"
at bob exit_is 65 'garbage is refused' qchat-invite --accept "$T/garbage"
head -n 9 "$T/ops.invite" >"$T/cut"
at dave exit_is 65 'a part of one' qchat-invite --accept "$T/cut"
head -c 2000000 /dev/zero >"$T/large"
at dave exit_is 65 'what is too large' qchat-invite --accept "$T/large"

# forge USER CA TEXT: an invitation for dave, signed by that user
forge() {
	openssl cms -sign -nodetach -binary -in "$2" -outform DER \
		-signer "$(certificate "$1")" \
		-inkey "$(user_dir "$1")/user.key" \
		-out "$T/forged.der" &&
		openssl cms -encrypt -binary -aes-256-cbc -in "$T/forged.der" \
			-outform PEM -out "$T/forged.invite" \
			"$(certificate dave)"
}

cp "$T/inside.txt" "$T/passed.txt"
must forge bob "$T/passed.txt"
at dave exit_is 65 'one that is not made for oneself is refused' \
	qchat-invite --accept "$T/forged.invite"
like "$(err)" 'bob made it for somebody else' 'and told'
openssl cms -encrypt -binary -aes-256-cbc -in "$T/inside.der" -outform PEM \
	-out "$T/passed.invite" "$(certificate dave)"
at dave exit_is 65 'nor is one passed on in the name of who made it' \
	qchat-invite --accept "$T/passed.invite"
like "$(err)" 'alice made it for somebody else' 'and told'
openssl cms -encrypt -binary -aes-256-cbc -in "$T/inside.txt" -outform PEM \
	-out "$T/unsigned.invite" "$(certificate dave)"
at dave exit_is 65 'one that nobody signed is refused' \
	qchat-invite --accept "$T/unsigned.invite"

sed 's/room ops/room opz/' "$T/inside.der" >"$T/altered.der"
openssl cms -encrypt -binary -aes-256-cbc -in "$T/altered.der" -outform PEM \
	-out "$T/altered.invite" "$(certificate bob)"
at bob exit_is 65 'one that was altered is refused' \
	qchat-invite --accept "$T/altered.invite"
like "$(err)" 'signature does not fit' 'and told'

for name in '../x#' '' "$(printf 'a\033[2J')"; do
	printf 'qchat-invitation 1\nroom %s\nsecret %s\nmade 1\nfor %s\n' \
		"$name" "$not_secret" "$(fingerprint dave)" >"$T/text"
	must forge bob "$T/text"
	at dave exit_is 65 "so is one for a room that cannot be" \
		qchat-invite --accept "$T/forged.invite"
	is "$(grep -c "$(printf '\033')" "$T/err")" 0 'its name does no harm'
done
printf 'qchat-invitation 1\nroom ../../dave\nsecret %s\nmade 1\nfor %s\n' \
	"$not_secret" "$(fingerprint dave)" >"$T/text"
must forge bob "$T/text"
at dave exit_is 0 'a name that looks like a path' \
	qchat-invite --accept "$T/forged.invite"
like "$(secret_file dave)" '/qchat/secrets/[0-9a-f]{64}$' 'is none'

# Who is trusted.

must certificate_of "$T/broker/other" 'Another CA' \
	basicConstraints=critical,CA:true keyUsage=keyCertSign,cRLSign
# It signs itself: certificate_of did that for the first one alone.
must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-config "$T/broker/other.cnf" -keyout "$T/broker/other.key" \
	-out "$T/broker/other.crt" -days 30
cp "$(user_dir eve)/qchat.conf" "$T/eve.conf"
must reissue eve "$T/broker/other" -newkey ec -pkeyopt ec_paramgen_curve:P-256
at eve exit_is 0 'a stranger makes a secret' qchat-invite --new -r traps
at eve exit_is 0 'and invites' qchat-invite -r traps "$(certificate bob)"
cp "$T/out" "$T/traps.invite"
at bob exit_is 78 'who is not trusted is refused' \
	qchat-invite --accept "$T/traps.invite"
like "$(err)" "from eve, certificate $(fingerprint eve), who is not trusted" \
	'with the name and the fingerprint'
cat "$(user_conf bob)" - >"$T/both.conf" <<-END
	sign_ca = "$T/both.pem";
END
cat "$T/broker/ca.crt" "$T/broker/other.crt" >"$T/both.pem"
XDG_STATE_HOME=$(state_of bob)
exit_is 0 'sign_ca can say that she is' \
	qchat-invite --config "$T/both.conf" --accept "$T/traps.invite"
exit_is 0 'two rooms' qchat-invite --list
is "$(sed -n '2,$s/ .*//p' "$T/out" | tr '\n' ' ')" 'ops traps ' 'are listed'
XDG_STATE_HOME=$HOME/state

at alice exit_is 0 'who is not trusted can be invited' \
	qchat-invite -r ops "$(certificate eve)"
like "$(err)" 'is not trusted: the certificate leads to no' 'which is told'
# With dates, which `openssl req` does not take.
: >"$T/index"
cat >"$T/ca.conf" <<-END
	[ca]
	default_ca = us
	[us]
	database = $T/index
	serial = $T/serial
	new_certs_dir = $T
	default_md = sha256
	policy = any
	x509_extensions = client
	[any]
	commonName = supplied
	[client]
	basicConstraints = CA:false
	extendedKeyUsage = clientAuth
END
must openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-config "$(user_dir bob)/user.cnf" -keyout "$T/users/expired.key" \
	-out "$T/users/expired.csr"
must openssl ca -batch -rand_serial -config "$T/ca.conf" \
	-cert "$T/broker/ca.crt" -keyfile "$T/broker/ca.key" -notext \
	-startdate 20200101000000Z -enddate 20200201000000Z \
	-in "$T/users/expired.csr" -out "$T/users/expired.crt"
at alice exit_is 65 'who is out of date is not' \
	qchat-invite -r ops "$T/users/expired.crt"
like "$(err)" 'has expired' 'and told'
must certificate_of "$T/users/server" host basicConstraints=CA:false \
	extendedKeyUsage=serverAuth
at alice exit_is 65 'nor is one for servers' \
	qchat-invite -r ops "$T/users/server.crt"
like "$(err)" 'not one for clients' 'and told'
at alice exit_is 65 'nor what is none' qchat-invite -r ops "$T/garbage"
is "$(out)" '' 'and nothing is printed'
at alice exit_is 66 'nor what is not there' qchat-invite -r ops "$T/none"
must openssl req -x509 -newkey ed25519 -nodes -days 30 \
	-config "$(user_dir bob)/user.cnf" -CA "$T/broker/ca.crt" \
	-CAkey "$T/broker/ca.key" -keyout "$T/users/ed.key" \
	-out "$T/users/ed.crt"
at alice exit_is 65 'nor one that nothing can be sealed to' \
	qchat-invite -r ops "$T/users/ed.crt"
like "$(err)" 'RSA or EC' 'with what can'

# A name that is known under another certificate.

at alice exit_is 0 'an invitation for dave' \
	qchat-invite -r ops "$(certificate dave)"
cp "$T/out" "$T/dave.invite"
digest=$(openssl x509 -in "$T/broker/ca.crt" -noout -pubkey |
	openssl ec -pubin -outform DER 2>"$T/ec.err" | tail -c 65 |
	sha256sum | cut -c 1-32)
names=$(state_of dave)/qchat/names/$digest
mkdir -p "${names%/*}"
echo "$(fingerprint bob) alice" >"$names"
at dave exit_is 77 'a name that is known under another certificate' \
	qchat-invite --accept "$T/dave.invite"
like "$(err)" "under the certificate $(fingerprint alice), who was known under $(fingerprint bob)" \
	'invites nobody, and both are told'
is "$(cat "$(state_of dave)"/qchat/secrets/[0-9a-f]* | grep -c '^room ops$')" \
	0 'and nothing is kept'
echo "$(fingerprint alice) alice" >"$names"
at dave exit_is 0 'under its own it does' \
	qchat-invite --accept "$T/dave.invite"

# Rotation.

at alice exit_is 0 'a new secret' qchat-invite --rotate -r ops
ok 'is another' test "$(secret_of alice)" != "$not_secret"
is "$(old_of alice)" "$not_secret" 'the old one is kept'
until=$(sed -n 's/^old .* //p' "$(secret_file alice)")
since=$(sed -n 's/^secret .* //p' "$(secret_file alice)")
is $(((until - since) / 3600000)) 24 'for a day'
at alice exit_is 0 'listed' qchat-invite --list
like "$(out)" '^ops [0-9a-f]{16} [^ ]* 1$' 'as one old'
at alice exit_is 0 'an invitation to it' \
	qchat-invite -r ops "$(certificate bob)"
cp "$T/out" "$T/new.invite"
at bob exit_is 73 'another secret is refused' \
	qchat-invite --accept "$T/new.invite"
like "$(err)" '--replace' 'with the way to take it'
exit_is 64 '--replace alone is refused' qchat-invite --replace --list
at bob exit_is 0 'by --replace' \
	qchat-invite --accept "$T/new.invite" --replace
for file in $(secret_file bob); do
	grep -q '^room ops$' "$file" && cp "$file" "$T/bob.secrets"
done
is "$(sed -n 's/^secret [^ ]* \([^ ]*\) .*/\1/p' "$T/bob.secrets")" \
	"$(secret_of alice)" 'it is taken'
is "$(sed -n 's/^old [^ ]* \([^ ]*\) .*/\1/p' "$T/bob.secrets")" \
	"$not_secret" 'and the old one kept'
cat "$(user_conf alice)" - >"$T/short.conf" <<-END
	seal_old_hours = 2;
END
XDG_STATE_HOME=$(state_of alice)
exit_is 0 'once more' qchat-invite --config "$T/short.conf" --rotate -r ops
XDG_STATE_HOME=$HOME/state
until=$(sed -n 's/^old .* //p' "$(secret_file alice)" | head -n 1)
since=$(sed -n 's/^secret .* //p' "$(secret_file alice)")
is $(((until - since) / 3600000)) 2 'seal_old_hours says for how long'

# The files.

file=$(secret_file alice)
chmod 640 "$file"
at alice exit_is 77 'a file that others can read is refused' \
	qchat-invite -r ops "$(certificate bob)"
like "$(err)" 'chmod 600' 'with the remedy'
is "$(out)" '' 'and nothing is printed'
at alice exit_is 77 'the list says it too' qchat-invite --list
chmod 600 "$file"
printf 'qchat-secrets 1\nroom ops\n' >"$file"
at alice exit_is 78 'a damaged file is told' qchat-invite --rotate -r ops
is "$(cat "$file")" "qchat-secrets 1
room ops" 'and left alone'
rm "$file"
at alice exit_is 0 'a secret again' qchat-invite --new -r ops
if [ -e /dev/full ]; then
	# shellcheck disable=SC2016 # the inner shell's
	at alice exit_is 74 'a full disk behind standard output' sh -c \
		'qchat-invite -r ops "$1" >/dev/full' sh "$(certificate bob)"
fi
exit_is 78 'without settings' qchat-invite --new -r ops

done_testing
