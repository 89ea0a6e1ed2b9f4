#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The stand-in for a DXL fabric is one: public clients and services on it see
# what they saw on real brokers.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/client.sh"

need jq mosquitto_pub mosquitto_sub
need_peer

is "$(node "$srcdir/tests/fabric/vectors.js" "$srcdir/tests/data/dxl")" \
	'{"broker":66,"js":11,"python":1,"python/services":22}' \
	'messages and services are as the recorded ones'

alice=$(thumbprint alice)
bob=$(thumbprint bob)
carol=$(thumbprint carol)
ca=$(openssl x509 -noout -fingerprint -sha1 -in "$T/broker/ca.crt" |
	sed 's/.*=//; s/://g' | tr A-F a-f)
fabric_policy='// who may
{ "send": [
	{ "topic": "/test/bobs", "clients": ["'$bob'"] }, // bob alone
	{ "topic": "/test/below/#", "clients": ["'$bob'"] },
	{ "topic": "/test/both", "clients": ["'$bob'"] },
	{ "topic": "/test/#", "clients": ["'$ca'"] },
	{ "topic": "/test/nobodys/#", "clients": [] },
	{ "topic": "/mcafee/event/qchat/shut", "clients": [] },
	{ "topic": "/closed/#", "clients": ["'$bob'"] } ],
  "receive": [
	{ "topic": "/deaf/#", "clients": ["'$alice'"] } ] }'
fabric_options='--minute 1500'
fabric_start 2
first=${fabric_guids% *}
dxl=/mcafee/service/dxl
three_clients

# Events, from one broker to another.

tell bob sub /x/events/#
tell carol sub /x/events/one
tell alice event /x/events/one hello
ok 'an event gets to another broker' seen bob '.event.text == "hello"'
is "$(last bob event '[.version, .source, .broker]')" \
	"[3,\"$alice\",\"$first\"]" 'in version 3, with its source'
is "$(last bob event .fields)" \
	"{\"dxl.certs\":\"$ca;$alice\",\"first\":\"1\",\"second\":\"2\"}" \
	'and the certificates among the fields'
tell alice claim forged /x/events/one claimed
ok 'what a sender says of its certificates' seen bob '.event.text == "claimed"'
is "$(last bob event '[.fields, .source]')" \
	"[{\"dxl.certs\":\"forged\"},\"$alice\"]" 'stays, and names nobody'
tell alice buffer /x/events/one bytes
ok 'a payload in bin passes' seen bob '.event.text == "bytes"'
is "$(last bob event '[.version, .source, .broker, .fields]')" \
	'[2,"","",{}]' 'as it is'
tell alice to "$carol" /x/events/one for-carol
ok 'an event for one client gets there' seen carol '.event.text == "for-carol"'
is "$(last carol event .clientIds)" '[]' 'where it is for all'
tell alice to nobody /x/events/one for-nobody
tell alice event /x/events/one after
ok 'the next one comes' seen bob '.event.text == "after"'
unseen bob '.event.text == "for-carol"' 'and to nobody else'
unseen bob '.event.text == "for-nobody"' 'nor what is for nobody'
fabric_do part
tell alice event /x/events/one 'while parted'
fabric_do link
tell alice event /x/events/one 'linked again'
ok 'brokers that are linked again' seen bob '.event.text == "linked again"'
unseen bob '.event.text == "while parted"' 'have not what was said meanwhile'

# Who may.

tell bob sub /test/#
tell bob sub /deaf/#
for topic in bobs below/x both nobodys/x nobodys below other; do
	tell alice event "/test/$topic" "$topic"
	tell bob event "/test/$topic" "bobs-$topic"
done
ok 'bob may say' seen bob '.event.text == "bobs-other"'
is "$(jq -r 'select(.event.topic | startswith("/test/")?) | .event.text' \
	<"$T/bob.out" | sort | tr '\n' ' ')" \
	'below below/x bobs bobs-below bobs-below/x bobs-bobs bobs-both bobs-nobodys bobs-nobodys/x bobs-other both nobodys nobodys/x other ' \
	'any entry that allows it is enough, the CA for all'
is "$(grep -c '"denied"' "$T/fabric.out")" 0 'nothing was denied'
tell bob sub /closed/#
tell bob sub /closed
tell alice event /closed/room closed
tell alice event /closed open
ok 'what is above a wildcard' seen bob '.event.text == "open"'
unseen bob '.event.text == "closed"' 'is not below it'
like "$(grep '"denied"' "$T/fabric.out")" "\"/closed/room\".*\"$alice\"" \
	'where alice is denied'
tell alice unanswered 300 /closed/service are-you-there
ok 'a request that is denied has no answer' \
	seen alice '.unanswered == "/closed/service"'
tell alice event /deaf/heard psst
tell alice event /x/events/one behind
ok 'a topic that one may not receive' seen bob '.event.text == "behind"'
unseen bob '.event.text == "psst"' 'is not delivered'
tell bob serve /deaf/service deaf
tell carol request /deaf/service x
is "$(last carol failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' \
	'nor is its service ever chosen'
tell carol request /mcafee/service/dxl/svcregistry/query \
	'{"serviceType":"/test/deaf"}'
is "$(last carol response '.text | fromjson.services[] |
	[.unauthorizedChannels, .requestChannels]')" \
	'[["/deaf/service"],["/deaf/service"]]' 'which the registry says'

as alice exit_is 77 'a room that nobody may write to is 77' \
	qchat-say -r shut -W 1 hello
like "$(err)" 'no echo .* within 1 s: the fabric may not let .*shut' 'with its sentence'
is "$(find "$T" -path '*/qchat/spool/0*' | wc -l)" 0 'and nothing in the spool'
printf 'one\ntwo\n' >"$T/lines"
as alice exit_is 77 'nor lines' qchat-say -r shut -W 1 -l <"$T/lines"
is "$(find "$T" -path '*/qchat/spool/0*' | wc -l)" 0 'in the spool'
as alice exit_is 77 'nor what is to be spooled' \
	qchat-say -r shut -W 1 --spool hello
is "$(find "$T" -path '*/qchat/spool/0*' | wc -l)" 0 'in the spool'

# MQTT, as mosquitto's clients speak it.

# mosquitto NAME pub|sub ARG…: as that user, at the second broker
cat >"$T/mosquitto" <<END
#!/bin/sh
user=$T/users/\$1
tool=\$2
shift 2
exec "mosquitto_\$tool" -h 127.0.0.1 -p ${broker_ports#* } --insecure \\
	--cafile "$T/broker/ca.crt" --cert "\$user/user.crt" \\
	--key "\$user/user.key" "\$@"
END
chmod +x "$T/mosquitto"
mq=$T/mosquitto
user_dir dora >"$T/dir"
start spy "$mq" dora sub -q 1 -F '%t %q %r %p' -t '/y/#' -t /y/twice -t /ready
spy=$pid

# heard_by TOPIC NAME…: they hear what is said there
heard_by() {
	must wait_for say_until "$@"
}

# shellcheck disable=SC2317 # called by name, as the next one
say_until() {
	said_topic=$1
	shift
	must "$mq" bob pub -t "$said_topic" -m x
	for said_to; do
		[ -s "$T/$said_to.out" ] || return 1
	done
}

# ready: the spy hears, and has heard what was said before
readies=0
ready() {
	readies=$((readies + 1))
	must wait_for say_ready
}

# shellcheck disable=SC2317
say_ready() {
	must "$mq" bob pub -t /ready -m "$readies"
	has_lines "$T/spy.out" "^/ready 0 0 $readies\$" 1
}

ready
exit_is 0 'QoS 0' "$mq" bob pub -t /y/zero -m 0
exit_is 124 'QoS 1 is never acknowledged' \
	timeout 1 "$mq" bob pub -q 1 -t /y/one -m 1
exit_is 124 'nor QoS 2' timeout 1 "$mq" bob pub -q 2 -t /y/two -m 2
exit_is 0 'retained' "$mq" bob pub -r -t /y/kept -m 3
exit_is 0 'two subscriptions that match' "$mq" bob pub -t /y/twice -m 4
exit_is 0 'MQTT 3.1' "$mq" bob pub -V mqttv31 -i a23456789012345678901234 \
	-t /y/old -m 5
ready
is "$(grep '^/y/' "$T/spy.out" | tr '\n' ';')" \
	'/y/zero 0 0 0;/y/kept 0 0 3;/y/twice 0 0 4;/y/twice 0 0 4;/y/old 0 0 5;' \
	'what they get'
start late "$mq" dora sub -F '%t' -t '/y/kept' -t /late
heard_by /late late
is "$(sort -u "$T/late.out")" /late 'nothing is retained'

not_ok 'MQTT 5' "$mq" bob pub -V mqttv5 -t /y/five -m 6
not_ok 'a session that is to stay is closed' "$mq" bob sub -c -i stays -t /y/c
is "$(grep -c CONNACK "$T/ok.out")" 0 'without a CONNACK'
start twin1 "$mq" bob sub -i twin -t /twin
start twin2 "$mq" bob sub -i twin -t /twin
heard_by /twin twin1 twin2
must "$mq" bob pub -t /twin -m 'to both'
ok 'one client id twice is two clients' wait_line "$T/twin1.out" 'to both'
ok 'both of which hear' wait_line "$T/twin2.out" 'to both'

start willing "$mq" carol sub -t /y/never --will-topic /y/will \
	--will-payload testament --will-qos 1 --will-retain
heard_by /y/never willing
end_process "$pid" KILL
ok 'a will' wait_line "$T/spy.out" '^/y/will 0 0 testament$'
start sober "$mq" carol sub -t /y/sober --will-topic /y/will2 \
	--will-payload never
heard_by /y/sober sober
end_process "$pid" TERM
ready
is "$(grep -c '^/y/will2' "$T/spy.out")" 0 'not after a DISCONNECT'

head -c 1048560 /dev/zero | tr '\0' x >"$T/large"
ok 'almost 1 MiB' "$mq" bob pub -t /y/large -f "$T/large"
ok 'gets through' wait_line "$T/spy.out" '^/y/large 0 0 xxx'
closed=$(grep -c '"closed"' "$T/bob.out")
tell bob big 1048600 /y/larger
ok 'who sends more is cut off' \
	wait_line "$T/bob.out" '"closed"' $((closed + 1))
ready
is "$(grep -c '^/y/larger' "$T/spy.out")" 0 'and it is not delivered'
tell alice event '/y/#' x
ok 'as is who sends to a wildcard' wait_line "$T/alice.out" '"closed"'

# The broker's own events.

tell alice sub '/mcafee/event/dxl/#'
must wait_for is_subscribed '/mcafee/event/dxl/#'
tell bob sub /y/opened
ok 'a topic that is new is told' seen alice \
	'.event.topic == "/mcafee/event/dxl/brokerregistry/topicadded" and
		(.event.text | contains("/y/opened"))'
for topic in svcregistry/register brokerregistry/topicadded fabricchange; do
	tell bob event "/mcafee/event/dxl/$topic" forged
done
tell bob event /mcafee/event/dxl/other 'not forged'
ok 'other events pass' seen alice '.event.text == "not forged"'
unseen alice '.event.text == "forged"' 'those that are the brokers'"'"' do not'

# TLS.

# alert ARG…: what s_client, with these, is told
alert() {
	openssl s_client -connect "127.0.0.1:${broker_ports#* }" \
		-CAfile "$T/broker/ca.crt" "$@" </dev/null >"$T/s_client" 2>&1
	sed -n 's/.*SSL alert number //p' "$T/s_client" | head -n 1
}

is "$(alert -tls1_2)" 40 'no certificate: alert 40'
is "$(alert -tls1_2 -cert "$T/users/dora/user.crt" \
	-key "$T/users/dora/user.key")" '' 'one of the CA: none'
must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=dora -keyout "$T/other.key" -out "$T/other.crt"
is "$(alert -tls1_2 -cert "$T/other.crt" -key "$T/other.key")" 48 \
	'of another CA: alert 48'
must openssl req -new -key "$T/other.key" -subj /CN=old -out "$T/old.csr"
must openssl x509 -req -in "$T/old.csr" -CA "$T/broker/ca.crt" \
	-CAkey "$T/broker/ca.key" -CAcreateserial -days -1 -out "$T/old.crt"
is "$(alert -tls1_2 -cert "$T/old.crt" -key "$T/other.key")" 45 \
	'expired: alert 45'
like "$(alert -tls1_3)" '^(40|70)$' 'TLS 1.3: alert'
like "$(alert -tls1_1 -cipher DEFAULT@SECLEVEL=0)" '^70$' 'TLS 1.1: alert 70'

cat >"$T/resume.js" <<'END'
const [folder, port] = process.argv.slice(2)
const fs = require('fs'), tls = require('tls'), mqtt = require('mqtt-packet')
const options = { port, host: '127.0.0.1', checkServerIdentity: () => {},
	ca: fs.readFileSync(folder + '/ca.crt'),
	cert: fs.readFileSync(folder + '/user.crt'),
	key: fs.readFileSync(folder + '/user.key') }
const first = tls.connect(options, () => {
	const session = first.getSession()
	first.destroy()
	const second = tls.connect({ ...options, session }, () => {
		console.log('resumed: ' + second.isSessionReused())
		second.write(mqtt.generate({ cmd: 'connect', clean: true, clientId: 'x',
			protocolId: 'MQTT', protocolVersion: 4, keepalive: 0 }))
		second.write(mqtt.generate({ cmd: 'subscribe', messageId: 1,
			subscriptions: [{ topic: '/resumed', qos: 0 }] }))
	})
})
END
start resumed node "$T/resume.js" "$T/users/dora" "${broker_ports#* }"
must wait_line "$T/resumed.out" 'resumed: true'
must wait_line "$T/alice.out" '/resumed'
fabric_do clients
dora=$(thumbprint dora)
is "$(grep '^{"clients"' "$T/fabric.out" | tail -n 1 | jq -c '[.clients[] |
	select(.subscriptions == ["/resumed"]) | .instance[:40] == "'"$dora"'"]')" \
	'[false]' 'who resumes a session has no certificate there'

tell bob event /mcafee/event/dxl/revocation/list "$dora"
wait_end "$spy"
ok 'who is revoked is cut off' test "$status" != running
is "$(alert -tls1_2 -cert "$T/users/dora/user.crt" \
	-key "$T/users/dora/user.key")" 80 'and refused: alert 80'

# A broker that is away.

fabric_do down 1
must wait_line "$T/bob.out" '"closed"' 2
tell alice request $dxl/brokerregistry/query '{}'
is "$(last alice response '.text | fromjson.brokers | length')" 1 \
	'a broker that is down is not known'
fabric_do up 1
tell alice request $dxl/brokerregistry/query '{}'
is "$(last alice response '.text | fromjson.brokers | length')" 2 \
	'until it is up'

broker_stop
fabric_options='--connections 1'
must broker_restart
start only "$mq" bob sub -t /only
must wait_for is_subscribed /only
not_ok 'a broker that is full' "$mq" carol pub -t /only -m x
like "$(cat "$T/ok.out")" 'Refused: broker unavailable' 'says so by CONNACK 3'

done_testing
