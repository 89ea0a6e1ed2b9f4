#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a newcomer meets: whatever is wrong, qchat-say, qchat-listen and
# qchat-join say it in one line of two rows at most: what it is about, what is
# wrong with it, and what to do.

# shellcheck disable=SC2016,SC2154,SC2317 # text, eval, and who calls by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need faketime jq mosquitto openssl node
ROWS=160 # characters
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
export ASAN_OPTIONS # which faketime's library comes before

# openssl ARG…: at another time, if $at is set
at=
openssl() {
	if [ -n "$at" ]; then
		faketime -f "$at" openssl "$@"
	else
		command openssl "$@"
	fi
}

# server NAME SUBJECT-ALT-NAME: a certificate for a broker
server() {
	must certificate_of "$T/broker/$1" "$1" basicConstraints=CA:false \
		extendedKeyUsage=serverAuth "subjectAltName=$2"
}

# listener NAME PORT: of the broker, with that certificate
listener() {
	cat <<-END
	listener $2 127.0.0.1
	cafile $T/broker/ca.crt
	certfile $T/broker/$1.crt
	keyfile $T/broker/$1.key
	require_certificate true
	use_identity_as_username true
	END
}

broker_certificates
at=-90d
server expired IP:127.0.0.1
must user_certificate bygone
must openssl req -x509 -key "$T/broker/ca.key" -subj '/CN=QChat test CA' \
	-out "$T/old.crt"
at=+2d
server early IP:127.0.0.1
must user_certificate early
at=
server elsewhere DNS:elsewhere.example
must openssl req -x509 -new -key "$T/broker/elsewhere.key" \
	-subj '/CN=another CA' -out "$T/other.crt"

broker_rules='pattern readwrite /mcafee/event/qchat/
pattern readwrite /mcafee/event/qchat/ops
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
for name in expired early elsewhere nameless plain; do
	eval "${name}_port=$(free_port)"
done
broker_lines="$(listener expired "$expired_port")
$(listener early "$early_port")
$(listener elsewhere "$elsewhere_port")
$(listener server "$nameless_port" | grep -v use_identity)
listener $plain_port 127.0.0.1"
broker_start

# set NAME KEY VALUE: another user's setting, as it stands in the file
set_to() {
	set_conf=$(user_conf "$1") || exit 1
	must sed -i "s|^$2 = .*|$2 = $3;|" "$set_conf"
}

# at_port NAME PORT, at_host NAME HOST
at_port() { set_to "$1" brokers "( { host = \"127.0.0.1\"; port = $2; } )"; }
at_host() { set_to "$1" brokers "( { host = \"$2\"; port = $broker_port; } )"; }

# told TOOL FILE ERE: that line, and nothing else; what is kept is told behind
# it
told() {
	like "$(cat "$2")" "^$1: $3" 'says subject, fault and remedy'
	is "$(grep -c '' "$2")" 1 'in one line'
	told_length=$(sed "s|$T/|~/|g; s/; 1 message is kept.*//" "$2" | wc -c)
	is "$((told_length - 1 > ROWS ? told_length - 1 : 0))" 0 \
		'of two rows at most'
}

joined() {
	rm -f "$T/$1.status"
	screen "$1" "$1" -r ops
	ended "$1"
}

# each USER SAY-STATUS STATUS ERE WHAT: so say the three tools
each() {
	as "$1" run qchat-say -r ops hello
	is "$status" "$2" "$5: qchat-say"
	told qchat-say "$T/err" "$4"
	as "$1" run qchat-listen -r ops -W "$deadline"
	is "$status" "$3" "$5: qchat-listen"
	told qchat-listen "$T/err" "$4"
	joined "$1"
	is "$status" "$3" "$5: qchat-join ends with the same status"
	told qchat-join "$T/$1.err" "$4"
}

at_it='127\.0\.0\.1:[0-9]+: '
broker="${at_it}the broker's certificate"

as bob exit_is 0 'as it should be' qchat-say -r ops hello

# None at all: no QCHAT_CONFIG, and the home is new.
user_conf() {
	case $1 in
	none) ;;
	mislaid) echo "$T/mislaid.conf" ;;
	*) printf '%s/qchat.conf\n' "$(user_dir "$1")" ;;
	esac
}
each none 78 78 'no fabric is configured: `qchat-fabric up` starts .*/qchat\.conf \(man qchat\.conf\)$' \
	'no configuration'
each mislaid 78 78 '.*mislaid\.conf: cannot be read: No such file or directory \(is that its path, and may you read it\?\)$' \
	'a configuration that is not there'

at_port down "$(free_port)"
each down 75 69 "${at_it}Connection refused \(does the broker run there\?\)" \
	'the broker is down'

set_to veteran ca "\"$T/old.crt\""
each veteran 78 78 "${at_it}the CA of the broker's certificate expired 2[0-9-]{9} \(its operator has to renew it; is the clock of this machine right\?\)$" \
	'a CA that has expired'
set_to stranger ca "\"$T/other.crt\""
each stranger 78 78 "$broker comes from \"QChat test CA\", which is not among .*other\.crt \(ca must name the fabric's CA\)$" \
	'another CA'

at_port lost "$elsewhere_port"
each lost 78 78 "$broker, of \"elsewhere\", is not for 127\.0\.0\.1 \(name the broker as its certificate does\)$" \
	'another host name'

each bygone 78 78 '.*user\.crt: the certificate expired 2[0-9-]{9} \(get a new one from who runs the fabric\)$' \
	'a certificate that has expired'
at_port late "$expired_port"
each late 78 78 "$broker expired 2[0-9-]{9} \(its operator has to renew it; is the clock of this machine right\?\)$" \
	"a broker's that has expired"

each early 78 78 ".*user\.crt: the certificate is not valid before 2[0-9-]{9} \(is this machine's clock right\?\)$" \
	'a certificate of tomorrow'
at_port hasty "$early_port"
each hasty 78 78 "$broker is not valid before 2[0-9-]{9} \(is the clock of this machine right\?\)$" \
	"a broker's of tomorrow"

set_to keyless key "\"$T/none.key\""
each keyless 78 78 '.*none\.key: No such file or directory \(.*qchat\.conf names it as key: correct that, or the file\)$' \
	'a key that is not there'
must chmod 644 "$(user_dir careless)/user.key"
each careless 77 77 '.*user\.key: everybody can read this private key \(chmod 600 .*user\.key\)$' \
	'a key that others can read'
set_to mixed key "\"$(user_dir bob)/user.key\""
each mixed 78 78 '.*user\.key: belongs to another certificate than that in .*user\.crt \(are both of the same request\?\)$' \
	'a key that does not fit'

encrypted=$(user_dir encrypted)
must openssl pkey -in "$encrypted/user.key" -aes256 -passout pass:right \
	-out "$encrypted/new.key"
must chmod 600 "$encrypted/new.key"
set_to encrypted key "\"$encrypted/new.key\"; passphrase_command = \"echo wrong\""
each encrypted 78 78 '.*new\.key: the passphrase does not open this private key \(type it again, or correct passphrase_command\)$' \
	'another passphrase'

at_port plain "$plain_port"
each plain 69 69 "${at_it}what answers there .* \(is it the port for TLS\?\)$" \
	'the port that is not for TLS'

# One that accepts, and says nothing.
mkfifo "$T/mute.in"
start mute node "$srcdir/tests/peer/proxy.js" "$broker_port"
exec 8>"$T/mute.in"
must wait_line "$T/mute.out" '"at": *"ready"'
at_port mute "$(jq -r 'select(.at == "ready").port' <"$T/mute.out")"
echo stall >&8
must wait_line "$T/mute.out" '"done"'
as mute exit_is 69 'a broker that is silent: qchat-listen -W' \
	qchat-listen -r ops -C 1 -W 1
told qchat-listen "$T/err" "${at_it}no answer within 1 s \\(is it the right port, and no firewall between\\?\\)\$"
exec 8>&-
must wait_end "$pid"

at_host unknown broker..invalid
each unknown 75 69 "broker\.\.invalid: .* \(is its name right, and the network up\?\)" \
	'a name that nobody knows'

must openssl req -x509 -new -key "$(user_dir foreign)/user.key" \
	-subj /CN=foreign -out "$(user_dir foreign)/user.crt"
each foreign 78 78 "${at_it}the broker does not know the CA that issued .*user\.crt \(the setting certificate must name one of this fabric\)$" \
	'a certificate of another CA'

at_port unwanted "$nameless_port"
each unwanted 77 77 "${at_it}the broker does not let .*user\.crt in \(its operator can\)$" \
	'a broker that lets nobody in'

# A room that is closed: brokers say nothing of it.
as bob exit_is 77 'a closed room: qchat-say' qchat-say -r closed -W 1 hello
told qchat-say "$T/err" "${at_it}no echo .* \"closed\" \(its operator can\)$"
as bob start closed qchat-listen -r closed
ok 'a closed room: qchat-listen' wait_line "$T/closed.err" .
told qchat-listen "$T/closed.err" 'closed: our own presence did not come back: .* \(its operator can\)$'
end_process "$pid"
as bob exit_is 124 'before it is told' qchat-listen -r closed -W 3
sed -n 1p "$T/err" >"$T/closed.err"
told qchat-listen "$T/closed.err" 'closed: our own presence did not come back: .* \(its operator can\)$'
is "$(sed 1d "$T/err")" 'qchat-listen: 3 s are over, 0 messages came (-W)' \
	'and then what it waited for'
screen_size='160 30'
screen closed carol -r closed
ok 'a closed room: qchat-join' sees closed \
	'OUR OWN PRESENCE DID NOT COME BACK: .* \(its operator can\)'

# A clock that is wrong by a day: too slow for a certificate of today, and too
# fast for what two others say.
too_early=".*user\\.crt: the certificate is not valid before 2[0-9-]{9} \\(is this machine's clock right\\?\\)\$"
as slow exit_is 78 'a slow clock: qchat-say' \
	faketime -f -1d qchat-say -r ops hello
told qchat-say "$T/err" "$too_early"
as slow exit_is 78 'a slow clock: qchat-listen' \
	faketime -f -1d qchat-listen -r ops
told qchat-listen "$T/err" "$too_early"
screen_env='faketime -f -1d'
screen slow slow -r ops
ok 'a slow clock: qchat-join' ended slow
told qchat-join "$T/slow.err" "$too_early"

too_late() { # MINUTES, of which one or two may have passed
	printf 'the clock of this machine seems to be (%s) minutes fast, %s' \
		"$1" 'so that what others say looks old and has the mark ! \(set it, best by NTP\)$'
}
as eve start ear qchat-listen -v -r ops
must wait_line "$T/ear.err" 'in ops'
as fast exit_is 1 'what one alone signs: qchat-who' \
	faketime -f +1d qchat-who -q -r ops -w 4
is "$(err)" '' 'is not told'
as grace start other qchat-listen -v -r ops
must wait_line "$T/other.err" 'in ops'
day='14(39|4[0-9])'
as fast exit_is 78 'a fast clock: qchat-who' \
	faketime -f +1d qchat-who -r ops -w 4
told qchat-who "$T/err" "$(too_late "$day")"
is "$(out)" '' 'it prints no list, as if nobody were there'
as fast exit_is 78 'a fast clock: qchat-who --all' \
	faketime -f +1d qchat-who --json -a -w 4
told qchat-who "$T/err" "$(too_late "$day")"
as fast exit_is 78 'by an hour: qchat-who --pin' \
	faketime -f +1h qchat-who --pin eve -r ops -w 4
told qchat-who "$T/err" "$(too_late '59|6[0-9]')"
as fast exit_is 78 'a fast clock: qchat-say -t' \
	faketime -f +1d qchat-say -t eve -r ops hello
told qchat-say "$T/err" "$(too_late "$day")"
as fast exit_is 0 'a fast clock: qchat-say' \
	faketime -f +1d qchat-say -r ops 'what day is it'
ok 'is what others see' wait_line "$T/ear.out" ' ops ! fast what day is it$'
# Not by faketime itself, which would be ended and leave the listener behind.
fake=$(faketime -f +1d printenv LD_PRELOAD)
as fast start fast env LD_PRELOAD="$fake" FAKETIME=+1d qchat-listen -v -r ops
must wait_line "$T/fast.err" 'in ops'
as fast exit_is 0 'whose clock is as wrong is listed' \
	faketime -f +1d qchat-who -d -r ops -w 4
like "$(out)" '^fast \+ ' 'as usual'
told qchat-who "$T/err" "$(too_late "$day")"
screen_env='faketime -f +1d'
screen hurry dan -r ops
must sees hurry 'you are in the room'
as bob exit_is 0 'one says something' qchat-say -r ops hello
as carol exit_is 0 'and another one' qchat-say -r ops hello
ok 'a fast clock: qchat-listen' wait_line "$T/fast.err" clock
grep clock "$T/fast.err" >"$T/fast.clock"
told qchat-listen "$T/fast.clock" "$(too_late "$day")"
ok 'a fast clock: qchat-join' sees hurry \
	'THE CLOCK OF THIS MACHINE SEEMS WRONG: .* \(set it, best by NTP\)'

done_testing
