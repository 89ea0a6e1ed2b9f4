#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Attacks, each against the running tools over a real broker.  Alice listens;
# Bob is who he says he is; Mallory has a certificate of the same authority, and
# can do what attacker.js can: sign as one should not, hear all that is said,
# say it again, altered or somewhere else.

# What jq reads, and what others call by name:
# shellcheck disable=SC2016,SC2317

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../attacker.sh"

need qchat-say qchat-listen qchat-who
need jq
need_peer
broker_rules='topic readwrite #
user alice
pattern readwrite #'
broker_start
room=/mcafee/event/qchat/ops
other=/mcafee/event/qchat/other
bob=$(user_dir bob)
mallory=$(user_dir mallory)

peer 7 attacker attacker.js mallory

# with FILTER [JSON]: the command as jq changes it
with() {
	jq -nc --arg room "$room" --arg other "$other" --arg bob "$bob" \
		--arg mallory "$mallory" --arg dir "$T/users" \
		--arg uid "$(printf '%032x' "$attacks")" \
		--arg text "${text-}" --arg here "${here-}" \
		--arg own "${own-}" "$1"
}

# post TEXT FILTER: a message, as jq changes it
post() {
	text=$1
	attack "$(with '{ do: "say", topic: $room, payload: { type: 1,
		message: $text, user: "mallory", UID: $uid, seq: 1, once: true,
		time: (now | floor | tostring), ms: (now * 1000 | floor) } } |
		'"$2")"
}

# fence: what was said before it has come
fences=0
fence() {
	fences=$((fences + 1))
	as bob must qchat-say -r ops "fence $fences"
	must wait_line "$T/ear.out" "\"text\":\"fence $fences\""
}

# why TEXT
why() {
	jq -r --arg text "$1" 'select(.text == $text) | .why' <"$T/ear.out" |
		tail -n 1
}

# shows MARK NAME TEXT FILTER: a post that is shown so
shows() {
	post "$3" "$4"
	fence
	is "$(marks "$3")" "$1" "$2"
}

attack "$(with '{ do: "sub", topic: $room }')"
attack "$(with '{ do: "sub", topic: $other }')"
as alice start ear qchat-listen -v -r ops --json --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'

# What is good is shown as such: else nothing below says anything.
shows + 'what Mallory says as Mallory' 'harmless 0' .
like "$(tail -n 1 "$T/ear.out" | jq -r '.mark, .fingerprint' | tr '\n' ' ')" \
	"^[+] $(fingerprint bob) \$" 'and Bob as Bob'

# Signatures.
shows '!' 'an altered payload' 'harmful! 1' \
	'.payload.message = "harmless 1" | .flip = "text"'
shows '!' 'an altered signature' 'altered signature' '.flip = "sig"'
shows '!' 'the signature of another message' 'another message' \
	'.signText = "{}"'
shows '!' 'a signature for another topic' 'another topic' \
	'.signTopic = $other'
shows '!' 'no signature, but the header' 'no base64' '.sigOf = "AAAA"'
shows '!' 'a header of a later version' 'version 9' \
	'.sigOf = ("CQ" + "A" * 138)'
shows '!' 'a header that is long' 'a long header' '.sigOf = ("A" * 100000)'
shows '?' 'a key that nobody has' 'no key' \
	'.key = "unheard of" | .bind = false | .certs = false'
is "$(why 'no key')" 'its key could not be had' 'and why'

as bob must qchat-say -r other 'said elsewhere'
ok 'the attacker hears it' wait_line "$T/attacker.out" 'said elsewhere'
attack "$(with '{ do: "again", topic: $room, match: "said elsewhere" }')"
fence
is "$(marks 'said elsewhere')" '!' 'a message of another room'

# Replays.
as bob must qchat-say -r ops 'say it once'
ok 'the attacker hears that' wait_line "$T/attacker.out" 'say it once'
attack "$(with '{ do: "again", topic: $room, match: "say it once" }')"
attack "$(with '{ do: "again", topic: $room, match: "say it once",
	headers: { "qchat.sig": "AAAA" } }')"
fence
is "$(marks 'say it once')" '+!' 'a replay, and one with a bad signature'
shows '!' 'one that is eleven minutes old' 'an old message' \
	'.sent = -660000 | .key = "old" | .begin = -86400000'
shows '!' 'one from in eleven minutes' 'a message to be' '.sent = 660000'
like "$(why 'a message to be')" '^stale' 'and why'
attack "$(with '{ do: "again", topic: $room, match: "say it once",
	headers: { } } | .text = "{\"type\":1,\"message\":\"altered it\",
	\"user\":\"bob\",\"UID\":\"\($uid)\",\"seq\":1,\"time\":\"1\"}"')"
fence
is "$(marks 'altered it')" '!' "Bob's signature under other words"

# dated NAME FROM TO: the same certificate with other dates
dated() {
	dated_dir=$T/users/$1
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\nserial=%s/serial
new_certs_dir=%s\npolicy=p\n[p]\ncommonName=supplied\n[e]
basicConstraints=CA:false\nextendedKeyUsage=clientAuth\n' \
		"$dated_dir" "$dated_dir" "$dated_dir" >"$dated_dir/ca.cnf"
	: >"$dated_dir/index"
	echo 01 >"$dated_dir/serial"
	openssl req -new -key "$dated_dir/user.key" -subj /CN=mallory \
		-out "$dated_dir/user.csr" &&
		openssl ca -batch -config "$dated_dir/ca.cnf" -md sha256 \
			-extensions e -cert "$T/broker/ca.crt" -notext \
			-keyfile "$T/broker/ca.key" -startdate "$2" \
			-enddate "$3" -in "$dated_dir/user.csr" \
			-out "$dated_dir/user.crt"
}

# Certificates.  foreign NAME CN DAYS EXTENSION…: of Mallory's making
foreign() {
	foreign_dir=$T/users/$1
	mkdir -p "$foreign_dir"
	must certificate_of "$foreign_dir/user" "$2" "$3" "$4"
}

foreign aged3 mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated aged3 20200101000000Z 20900101000000Z
# One that was recorded before she came.
# (The authority is younger than that, so it is doubtful, too.)
shows '?' 'one that was signed five minutes ago' 'recorded' \
	'.sent = -300000 | .key = "aged" | .as = "\($dir)/aged3" |
	.payload.user = "amy" | .begin = -86400000'
is "$(jq -r 'select(.text == "recorded") | .replayed' <"$T/ear.out")" true \
	'is taken for replayed'

# Numbers.
post 'the first' '.payload.UID = "n" | .payload.seq = 7'
post 'the second' '.payload.UID = "n" | .payload.seq = 7'
fence
is "$(marks 'the first')$(marks 'the second')" '+!' \
	'other words under a known number'
before=$(grep -c . "$T/ear.out")
post "one$(printf '\\n')two" '.payload.n = 3'
fence
is "$(grep -c . "$T/ear.out")" $((before + 1)) \
	'lines that are not as many as they should be'

# Bindings.
shows '!' 'a stolen binding' 'stolen binding' \
	'.as = $bob | .key = "stolen" | .binder = $mallory'
shows '!' 'the binding of another key' 'other binding' \
	'.key = "third" | .bindOf = "main"'
shows '!' "Bob's certificate with Mallory's binding" 'other certificate' \
	'.key = "fourth" | .cert = "\($bob)/user.crt" | .binder = $mallory'
shows '!' 'an altered binding' 'altered binding' '.key = "fifth" | .flip = "bind"'
shows '!' 'an expired binding' 'expired binding' \
	'.key = "sixth" | .begin = -86400000 | .end = -1000'
shows '!' 'one that is not valid yet' 'early binding' \
	'.key = "seventh" | .begin = 3600000'
shows '!' 'one that is valid too long' 'long binding' \
	'.key = "eighth" | .end = 3000000000'

foreign expired mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated expired 20200101000000Z 20200102000000Z
foreign early mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated early 20900101000000Z 20910101000000Z
shows '!' 'one that is not valid yet' 'early certificate' \
	'.key = "early" | .as = "\($dir)/early"'
shows '!' 'an expired certificate' 'expired certificate' \
	'.key = "ninth" | .as = "\($dir)/expired"'
foreign usage mallory basicConstraints=CA:false extendedKeyUsage=serverAuth
shows '!' "a server's certificate" 'wrong usage' \
	'.key = "tenth" | .as = "\($dir)/usage"'
foreign self bob basicConstraints=CA:false extendedKeyUsage=clientAuth
must openssl req -x509 -key "$T/users/self/user.key" -subj /CN=bob \
	-addext basicConstraints=critical,CA:false \
	-addext extendedKeyUsage=clientAuth -out "$T/users/self/user.crt"
shows '?' 'a self-signed certificate' 'self-signed' \
	'.key = "eleventh" | .as = "\($dir)/self" | .payload.user = "eve"'
mkdir "$T/users/foreign"
must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=CA -keyout "$T/users/foreign/ca.key" \
	-out "$T/users/foreign/ca.crt"
must openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=bob -keyout "$T/users/foreign/user.key" \
	-out "$T/users/foreign/user.csr"
printf 'basicConstraints=CA:false\nextendedKeyUsage=clientAuth\n' \
	>"$T/users/foreign/ext"
must openssl x509 -req -in "$T/users/foreign/user.csr" \
	-CA "$T/users/foreign/ca.crt" -CAkey "$T/users/foreign/ca.key" \
	-extfile "$T/users/foreign/ext" -out "$T/users/foreign/user.crt"
shows '?' 'a foreign authority' 'foreign' \
	'.key = "twelfth" | .as = "\($dir)/foreign" | .payload.user = "eve"'
cat "$T/users/foreign/user.crt" "$T/broker/ca.crt" >"$T/users/foreign/both.crt"
shows '?' 'a chain that does not fit together' 'missing link' \
	'.key = "thirteenth" | .as = "\($dir)/foreign" | .payload.user = "eve" |
	.cert = "\($dir)/foreign/both.crt"'

# A revoked one, to Carol, who has a list of these.
foreign revoked mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated revoked "$(date -u +%Y%m%d%H%M%SZ)" 20900101000000Z
ca() {
	echo 01 >"$dated_dir/serial"
	openssl ca -config "$dated_dir/ca.cnf" -md sha256 \
		-cert "$T/broker/ca.crt" -keyfile "$T/broker/ca.key" "$@"
}
list_revoked() {
	ca -gencrl -crldays 30 -out "$dated_dir/new.pem" &&
		mv "$dated_dir/new.pem" "$dated_dir/crl.pem"
}
must list_revoked
{ cat "$(user_conf carol)" && echo "crl = \"$dated_dir/crl.pem\";"; } \
	>"$T/crl.conf"
as carol start crl qchat-listen -v -r ops --json --config "$T/crl.conf"
crl_pid=$pid
must wait_line "$T/crl.err" 'in ops'
revoked_message='.key = "revoked" | .as = "\($dir)/revoked" | .payload.user = "rita"'
shows + 'a certificate before it is revoked' 'not yet revoked' \
	"$revoked_message"
ok 'also to who has a list' wait_line "$T/crl.out" \
	'"mark":"[+]".*"text":"not yet revoked"'
echo damaged >"$dated_dir/crl.pem"
ok 'a list that is damaged meanwhile is told' wait_line "$T/crl.err" \
	"$dated_dir/crl.pem: "
: >"$dated_dir/crl.pem"
ok 'and so is one that is empty' wait_line "$T/crl.err" \
	"$dated_dir/crl.pem: " 2
must ca -revoke "$dated_dir/user.crt"
must list_revoked
shows + 'a certificate that is revoked, where nobody knows it' 'revoked' \
	"$revoked_message"
# The listener looks every few seconds, and nothing tells that it has.
is_refused() {
	for refused_try in $(seq 300); do
		post "revoked meanwhile $refused_try" "$revoked_message"
		! grep -q '"mark":"!".*"text":"revoked meanwhile' "$T/crl.out" ||
			return 0
	done
	return 1
}
ok 'and where one comes to know it' is_refused
like "$(grep '"text":"revoked meanwhile' "$T/crl.out" | tail -n 1)" \
	'"mark":"!".*is revoked' 'and why'
ok 'others are as good as before' wait_line "$T/crl.out" \
	"\"mark\":\"[+]\".*\"text\":\"fence $fences\""
end_process "$crl_pid" TERM

# A clock that is wrong: that of everybody else is not.  Bob says something
# fresh with each fence, so here are two who do not, in another room.
# (two certificates that are older than this test)
foreign aged mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated aged 20200101000000Z 20900101000000Z
foreign aged2 mallory basicConstraints=CA:false extendedKeyUsage=clientAuth
must dated aged2 20200101000000Z 20900101000000Z
as carol start clock qchat-listen -v -r other
clock_pid=$pid
must wait_line "$T/clock.err" 'in other'
post 'old 1' '.topic = $other | .sent = -1200000 | .key = "late" |
	.begin = -86400000 | .as = "\($dir)/aged2"'
post 'old 2' '.topic = $other | .sent = -1200000 | .key = "later" |
	.begin = -86400000 | .as = "\($dir)/aged"'
ok 'a listener notes that its own clock is wrong' wait_line "$T/clock.err" \
	'clock of this machine seems to be (19|20) minutes fast'
end_process "$clock_pid" TERM

# Names.
shows '?' "Bob's name under Mallory's certificate" 'I am Bob' \
	'.payload.user = "bob"'
is "$(jq -r 'select(.text == "I am Bob") | .pinned' <"$T/ear.out")" \
	"$(fingerprint bob)" 'with the certificate that it had before'
ok 'and a warning' wait_line "$T/ear.err" \
	"bob: signed with certificate $(fingerprint mallory), but this name was"
shows '?' "Bob's name without a signature" 'Bob, unsigned' \
	'.payload.user = "bob" | .sign = false'
shows - 'another name without one' 'nobody' \
	'.payload.user = "nobody" | .sign = false'
shows '?' 'from a client that it is not, as bytes' 'as bytes' \
	'.payload.user = "bob" | .sign = false | .bin = true |
	.source = "{bob}"'

# Presence.  Bob listens, too.
as bob start bob qchat-listen -v -r ops
bob_pid=$pid
must wait_line "$T/bob.err" 'in ops'
ok 'Bob comes' wait_line "$T/ear.out" '"type":"join".*"user":"bob"'
here=$(jq -r 'select(.type == "join" and .user == "bob") | .uid' \
	<"$T/ear.out" | tail -n 1)
left() {
	jq -c --arg uid "$here" 'select(.type == "leave" and .uid == $uid)' \
		<"$T/ear.out" | wc -l
}
attack "$(with '{ do: "say", topic: $room, sign: false,
	payload: { type: 4, user: "bob", UID: $here, time: "1" } }')"
fence
is "$(left)" 0 'a goodbye for Bob without a signature'
attack "$(with '{ do: "say", topic: $room,
	payload: { type: 4, user: "bob", UID: $here, time: "1" } }')"
fence
is "$(left)" 0 "one under Mallory's"
attack "$(with '{ do: "will", topic: $room, key: "willed",
	payload: { type: 4, user: "bob", UID: $here, time: "1" } }')"
fence
is "$(left)" 0 'one as a will'
shows '!' "a message under Bob's UID" 'as Bob' '.payload.UID = "'"$here"'"'
shows '!' 'one without a signature' 'as Bob, unsigned' \
	'.payload.UID = "'"$here"'" | .sign = false'
as carol exit_is 0 'Bob is still listed' qchat-who -r ops -q
like "$(cat "$T/out")" '^bob$' 'by qchat-who'

# count_asked: sets asked, how many repairs were asked for
count_asked() {
	attack "$(with '{ do: "count", match: "\"want\":" }')"
	asked=$(printf '%s\n' "$attack_answer" | jq .count)
}
count_asked
before=$asked
attack "$(with '{ do: "say", topic: $room, sign: false,
	payload: { type: 2, user: "bob", UID: $here, time: "1", last: 100000,
	since: 1, inbox: "/mcafee/client/{victim}" } }')"
attack "$(with '{ do: "say", topic: $room,
	payload: { type: 2, user: "bob", UID: $here, time: "1", last: 100000,
	since: 1, inbox: "/mcafee/client/{victim}" } }')"
fence
count_asked
is "$asked" "$before" "a number that is not Bob's makes nobody ask"
attack "$(with '{ do: "say", topic: $room, sign: false,
	payload: { type: 2, user: "x", UID: "x", time: "1", inbox: "/mcafee/client/{victim}",
	heads: [range(30) | [ "s\(.)", 5, (now * 1000 | floor) + 1,
		(now * 1000 | floor) + 1 ]] } }')"
fence
count_asked
is "$asked" "$before" 'nor do numbers of strangers that nobody signed'

# Who asks for somebody's messages does not own them.
shows - 'an unsigned sender' 'plain 1' \
	'.payload.UID = "plain" | .payload.user = "plain" | .sign = false'
attack "$(with '{ do: "say", topic: $room, payload: { type: 6, UID: "plain",
	want: [[1, 1]], inbox: "/mcafee/client/{victim}" } }')"
post 'plain 2' '.payload.UID = "plain" | .payload.user = "plain" |
	.sign = false | .payload.seq = 2'
ok 'and again, when somebody has asked for what it said' \
	wait_line "$T/ear.out" '"mark":"-".*"text":"plain 2"'

# Who has made his authority himself takes no UID from anybody.
attack "$(with '{ do: "say", topic: $room, as: "\($dir)/self", key: "squat",
	payload: { type: 2, user: "eve", UID: "squatted", time: "1", since: 1 } }')"
shows + 'a UID that a stranger has used before' 'my own' \
	'.payload.UID = "squatted" | .payload.user = "mallory"'

# Repairs that nobody asked for.
inbox=$(jq -r 'select(.topic != null) | .text | fromjson? |
	select(.type == 2 and .user == "alice") | .inbox' <"$T/attacker.out" |
	tail -n 1)
like "$inbox" '^/mcafee/client/\{' 'the attacker knows where to'
post 'a repair' '.topic = "'"$inbox"'" | .signTopic = $room |
	.headers = { "qchat.topic": $room }'
post 'a repair of old' '.topic = "'"$inbox"'" | .signTopic = $room |
	.sent = -8000000 | .headers = { "qchat.topic": $room }'
post 'an unsigned repair' '.topic = "'"$inbox"'" | .sign = false |
	.headers = { "qchat.topic": $room }'
attack "$(with '{ do: "say", topic: $room, payload: { type: 7,
	payload: "{\"type\":1,\"message\":\"in the room\",\"user\":\"bob\",\"UID\":\"\($uid)\",\"seq\":1,\"time\":\"1\"}" } }')"
attack "$(with '{ do: "again", topic: "'"$inbox"'", match: "said elsewhere",
	headers: { "qchat.topic": $room } }')"
fence
is "$(marks 'a repair')$(marks 'a repair of old')$(marks 'an unsigned repair')$(
	marks 'in the room')" '' 'repairs that nobody asked for'
is "$(marks 'said elsewhere')" '!' 'and of another room: no more is shown'

# The stand-in for a DXL broker has fewer of them to carry.
wants=2000 bads=3000
[ "$fabric_kind" = mqtt ] || wants=600 bads=1000

# Storms.  The victim is an inbox that the attacker hears.
own=$(grep -a '"at":"ready"' "$T/attacker.out" | jq -r .inbox)
as bob must qchat-say -r ops 'wanted by many'
ok 'Alice has it' wait_line "$T/ear.out" 'wanted by many'
got() {
	grep -a '"topic":"/mcafee/client/' "$T/attacker.out" | grep -c "$1"
}
attack "$(with '{ do: "say", times: 300, topic: $room,
	payload: { type: 3, inbox: $own, wait: 0 } }')"
fence
ok 'a question is answered' wait_line "$T/attacker.out" \
	'"topic":"/mcafee/client/.*type..:2,'
is $(($(got 'type..:2,') <= 4)) 1 '300 of them are not answered 300 times'
wanted=$(jq -r 'select(.text == "wanted by many") | .uid' <"$T/ear.out")
attack "$(with '{ do: "say", times: '"$wants"', topic: "'"$inbox"'",
	headers: { "qchat.topic": $room },
	signTopic: ("'"$inbox"'" + "\n" + $room),
	payload: { type: 6, UID: "'"$wanted"'", want: [[1, 1]], inbox: $own } }')"
fence
ok 'a request for a repair is answered' wait_line "$T/attacker.out" \
	'"topic":"/mcafee/client/.*wanted by many'
is $(($(got 'wanted by many') < 200)) 1 \
	"$wants requests for a repair do not make $wants"
attack "$(with '{ do: "say", times: 300, topic: "'"$inbox"'",
	payload: { type: 13, inbox: $own, key: ("0" * 64) } }')"
fence
is "$(got 'type..:13,.*bind')" 0 'a key that is not known is not told'

# Floods.  good_fence: what Bob says is shown, and as his
good_fence() {
	fence
	[ "$(marks "fence $fences")" = + ]
}
attack "$(with '{ do: "say", times: '"$bads"', topic: $room, flip: "sig",
	payload: { type: 1, message: "bad %n", user: "bob", UID: "bad%n", seq: 1,
	once: true, time: "1" } }')"
fence
ok "behind $bads bad signatures a good one is good" wait_for good_fence
is $(($(grep -c '"text":"bad' "$T/ear.out") < bads / 2)) 1 \
	'and few of the bad ones are shown'
attack "$(with '{ do: "say", times: 500, topic: $room, bind: false,
	certs: false, key: "unheard of", payload: { type: 1,
	message: "keyless %n", user: "bob", UID: "keyless%n", seq: 1,
	inbox: "/mcafee/client/{nobody}", time: "1" } }')"
fence
ok 'behind 500 that wait for a key as well' wait_for good_fence

# From where a key belongs its signatures are looked at, however many are bad.
# That shuts out nobody else, even where few may be bad of all together.
home=/mcafee/event/qchat/home
{
	user_conf carol | xargs cat
	echo 'limits = { bad_signatures = 10; bad_signatures_all = 20; };'
} >"$T/limits.conf"
as carol start home qchat-listen -v -v -r home --json --config "$T/limits.conf"
home_pid=$pid
must wait_line "$T/home.err" 'in home'
at_home='.topic = "'"$home"'" | .source = "mallory" | .payload.UID = "home%n"'
post 'at home' "$at_home"
ok 'a key is at home' wait_line "$T/home.out" '"mark":"[+]".*"text":"at home"'
post 'bad at home' "$at_home"' | .times = 500 | .flip = "sig"'
as bob must qchat-say -r home 'behind it'
ok 'behind 500 bad signatures from there a new key is good' \
	wait_line "$T/home.out" '"mark":"[+]".*"text":"behind it"'
is "$(grep -c 'ignored the signature does not fit' "$T/home.err")" 500 \
	'where all of them were looked at'
end_process "$home_pid" TERM

# Replays to one who was not there for a while, but knows what it has seen.
end_process "$bob_pid" TERM
as carol start state qchat-listen -v -r ops --json --verified \
	--state "$T/state" -C 1
state_pid=$pid
must wait_line "$T/state.err" 'in ops'
as bob must qchat-say -r ops 'seen before'
ok 'Carol sees it' wait_end "$state_pid"
as carol start again qchat-listen -v -r ops --json --state "$T/state"
state_pid=$pid
must wait_line "$T/again.err" 'in ops'
attack "$(with '{ do: "again", topic: $room, match: "seen before" }')"
fence
ok 'what came behind it is there' wait_line "$T/again.out" "fence $fences"
is "$(grep -c 'seen before' "$T/again.out")" 0 \
	'a replay after a restart with --state'

ok 'all of that has ended no listener' alive "$ear_pid"
done_testing
