#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Services on the stand-in for a DXL fabric: registered and asked by public
# clients, those of MAR and TIE among them.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/client.sh"

need jq
alice=$(thumbprint alice)
bob=$(thumbprint bob)
carol=$(thumbprint carol)
fabric_options='--minute 1500'
fabric_start 2
first=${fabric_guids% *}
second=${fabric_guids#* }
three_clients

# Services.

tell alice request /x/service hello
is "$(last alice failure)" \
	'{"code":-2147483647,"name":"ERR_DXL_SERVICE_UNAVAILABLE","service":"","text":"unable to locate service for request"}' \
	'a request that nobody serves'
tell bob serve /x/service one
one=$(last bob registered | tr -d '"')
tell alice request /x/service hello
is "$(last alice response '[.text, .service, .source, .broker, .clientIds]')" \
	"[\"one hello\",\"$one\",\"$bob\",\"$second\",[\"$alice\"]]" \
	'a service of the other broker answers'
is "$(last bob asked '[.source, .broker, .service, .brokerIds]')" \
	"[\"$alice\",\"$first\",\"$one\",[\"$second\"]]" \
	'to a request that was routed to it'
like "$(last bob asked '.clientIds[0]')" "^\"$bob:[0-9a-f-]{36}\"\$" \
	'and to its connection'
tell alice request /x/service fail 42 'no luck today'
is "$(last alice failure)" \
	"{\"code\":42,\"name\":\"\",\"service\":\"$one\",\"text\":\"no luck today\"}" \
	'or with an error of its own'
tell carol serve /x/service two
for i in 1 2 3 4; do
	tell alice request /x/service "turn$i"
done
is "$(answers alice turn)" 'one turn1 two turn2 one turn3 two turn4 ' \
	'two take turns'
for i in 1 2; do
	tell alice at "$one" /x/service "named$i"
done
is "$(answers alice named)" 'one named1 one named2 ' \
	'but for one that is named'
tell alice at '{none}' /x/service x
is "$(last alice failure '[.name, .service]')" \
	'["ERR_DXL_SERVICE_UNAVAILABLE","{none}"]' 'which has to be there'
fabric_do overload /x/service
tell alice request /x/service much
is "$(last alice failure '[.name, .text, .code]')" \
	'["ERR_DXL_SERVICE_OVERLOADED","service is overloaded",-2147483646]' \
	'one that is overloaded'
fabric_do relieve /x/service
tell carol serve '/x/wild/#' wild
tell alice request /x/wild/and/free call
is "$(last alice response .text)" '"wild call"' 'a channel with a wildcard'
tell bob serve /x/wild/exact exact
tell alice request /x/wild/exact call
is "$(last alice response .text)" '"exact call"' 'an exact one before it'
tell bob leave exact
tell alice request /x/wild/exact call
is "$(last alice response .text)" '"wild call"' 'until it leaves'
tell carol serve /x/request/x/mapped mapped 60 \
	'{"eventToRequestPrefix":"/x/request","eventToRequestTopic1":"/x/mapped"}'
tell alice event /x/mapped 'an event'
ok 'an event becomes a request' \
	seen carol '.asked.topic == "/x/request/x/mapped" and
		.asked.text == "an event" and .asked.source == "'"$alice"'"'

# One with a short life, by a client that does not say so again in time.
tell bob serve /x/short short 1
tell alice request /x/short quick
is "$(last alice response .text)" '"short quick"' 'a service lives'
must wait_for is_unregistered /x/short
tell alice request /x/short late
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' \
	'no longer than it said'

# The code by which a broker says so unregisters the service.
tell alice at "$one" /x/service fail 0x80000001 gone
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' \
	'a service that says that it is not there'
for i in 1 2; do
	tell alice request /x/service "left$i"
done
is "$(answers alice left)" 'two left1 two left2 ' 'is not'

# What the brokers know.

dxl=/mcafee/service/dxl
tell alice request $dxl/svcregistry/query '{"serviceType":"/test/two"}'
is "$(last alice response '.text | fromjson.services[] |
	[.brokerGuid, .clientGuid, .local, .requestChannels, .ttlMins]')" \
	"[\"$second\",\"$carol\",false,[\"/x/service\"],60]" 'svcregistry/query'
tell alice request $dxl/brokerregistry/query '{}'
is "$(last alice response '.text | fromjson.brokers | keys | sort')" \
	"$(printf '["%s","%s"]' "$first" "$second" | jq -c sort)" \
	'brokerregistry/query'
tell alice request $dxl/brokerregistry/query "{\"brokerGuid\":\"$second\"}"
is "$(last alice response '.text | fromjson.brokers[] | [.guid, .port]')" "[\"$second\",${broker_ports#* }]" 'of one of them'
tell alice request $dxl/brokerregistry/query '{"brokerGuid":"none"}'
is "$(last alice response .text)" '"{\"brokers\":{}}\n"' 'of none'
tell alice sub /x/events/one
tell bob sub '/x/events/#'
tell carol sub /x/events/one
must wait_for is_subscribed '/x/events/#'
tell alice collect 300 $dxl/broker/subs '{"topic":"/x/events/one"}'
is "$(jq -sc '[.[] | .response | select(. != null) | select(.text | test("count"))
	| [.broker, (.text | fromjson.count)]] | sort_by(.[1])' <"$T/alice.out")" \
	"[[\"$first\",1],[\"$second\",2]]" 'broker/subs, from each its own'
tell alice broker "$second" $dxl/broker/subs '{"topic":"/x/events/two"}'
is "$(last alice response '.text | fromjson.count')" 1 \
	'or from one that is named'
tell alice request $dxl/broker/health ''
is "$(last alice response '.text | fromjson | keys')" \
	'["connectedClients","incomingMessages","localServiceCounter","outgoingMessages","startTime"]' \
	'broker/health'
tell alice request $dxl/brokerregistry/topicquery \
	"{\"brokerGuid\":\"$second\",\"topics\":[\"/x/events/#\"]}"
is "$(last alice response '.text | fromjson.exists')" true \
	'brokerregistry/topicquery'
tell alice request $dxl/brokerregistry/topicquery \
	"{\"brokerGuid\":\"$second\",\"topics\":[\"/x/events/two\"]}"
is "$(last alice response '.text | fromjson.exists')" false \
	'takes topics literally'
tell alice request $dxl/clientregistry/query "{\"clientGuid\":\"$bob\"}"
is "$(last alice response .text)" '"{}\n"' 'clientregistry/query'
tell alice unanswered 300 $dxl/clientregistry/query '{"clientGuid":"nobody"}'
ok 'is not answered by anybody for nobody' \
	seen alice '.unanswered | endswith("clientregistry/query")?'
tell alice unanswered 300 $dxl/broker/subs ''
ok 'nor is a question without its JSON' \
	seen alice '.unanswered | endswith("broker/subs")?'
tell alice request $dxl/no/such '{}'
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' \
	'nor what there is not'

# A service whose client is gone.

end_process "$pid" KILL
tell alice request /x/wild/gone x
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' \
	'a service whose client is gone'
ok 'is unregistered by that' is_unregistered '/x/wild/#'

# MAR and TIE, asked by their public clients.

broker_port=${broker_ports% *}
services_start
tell alice mar '{"projections":[{"name":"HostInfo","outputs":["hostname","ip_address"]},{"name":"Files","outputs":["full_name"]}],"conditions":{"or":[{"and":[{"name":"Files","output":"md5","op":"EQUALS","value":"daac6ba6967893ddea06ed132b781529"}]},{"and":[{"name":"Files","output":"sha1","op":"EQUALS","value":"daac6ba6967893ddea06ed132b781529"}]}]},"options":{"sortBy":"HostInfo|hostname","sortDirection":"asc"}}'
is "$(last alice mar '[.totalItems, (.items[].output | [.["HostInfo|hostname"],
	.["HostInfo|ip_address"], .["Files|full_name"]])]')" \
	'[2,["db7","2001:db8::7","/tmp/naïve 漢字"],["pc1","192.168.130.152","C:\\Users\\alice\\Downloads\\invoice.exe"]]' \
	'a search: which hosts have the file'
tell alice mar '{"projections":[{"name":"Processes","outputs":["name"]}],"conditions":{"or":[{"and":[{"name":"HostInfo","output":"hostname","op":"EQUALS","value":"pc1"},{"name":"Processes","output":"name","op":"ENDS_WITH","value":".EXE"},{"name":"Processes","output":"size","op":"GREATER_THAN","value":"200000","negated":"true"}]},{"and":[{"name":"Processes","output":"name","op":"EQUALS","value":"csrss.exe"}]}]},"options":{"offset":4,"limit":3,"sortBy":"Processes|name","sortDirection":"desc"}}'
is "$(last alice mar '[.startIndex, .itemsPerPage, .currentItemCount,
	.totalItems, (.items[].output["Processes|name"])]')" \
	'[4,3,3,10,"ShellExperienceHost.exe","SearchUI.exe","SearchIndexer.exe"]' \
	'conditions, order and pages'
services_do mar at results code 404 Id not found
tell alice mar '{"projections":[{"name":"HostInfo"}]}'
is "$(last alice refused)" '"Id not found: 404"' 'an error of the service'
services_do mar well
tell bob watch
tell alice tie '{"method":"getFileReputation","arguments":[{"md5":"daac6ba6967893ddea06ed132b781529"}]}'
is "$(last alice tie '[keys, .["5"].trustLevel, .["5"].attributes["4194962"]]')" \
	'[["1","15","3","5","7"],1,"5"]' 'a reputation, of all providers'
tell alice tie '{"method":"setFileReputation","arguments":[99,{"sha1":"7eb0139d2175739b3ccb0d1110067820be6abd29"},"notepad.exe","trusted"]}'
ok 'one that is set is broadcast' seen bob '.change'
is "$(last bob change '[.hashes.md5, .oldReputations["3"].trustLevel,
	.newReputations["3"].trustLevel, .relationships.certificate.publicKeySha1]')" \
	'["f2c7bb8acc97f92e987a2d4087d021b1",0,99,"435dfd470f727437c7cb4f07cba1f9a1f4272656"]' \
	'what it was and is'
tell alice tie '{"method":"getFileFirstReferences","arguments":[{"md5":"f2c7bb8acc97f92e987a2d4087d021b1"},2]}'
is "$(last alice tie '[.[].date]')" '[1475873692,1476316674]' \
	'who had the file first'
tell alice tie '{"method":"getCertificateReputation","arguments":["6eae26db8c13182a7947982991b4321732cc3de2"]}'
is "$(last alice tie '[.[].trustLevel]')" '[99,0]' 'a certificate'
services_do tie emit detection
ok 'a detection' seen bob '.detection.name == "X.EXE"'

# The moods of a service, asked so that the request is routed.
tie=/mcafee/service/tie/file/reputation
asked='{"hashes":[{"type":"md5","value":"8se7isyX+S6Yei1Ah9AhsQ=="}]}'
services_do tie silent
tell alice unanswered 300 $tie "$asked"
ok 'silent' seen alice '.unanswered == "'$tie'"'
services_do tie late 100
tell alice request $tie "$asked"
is "$(last alice response '.text | fromjson.reputations | length')" 2 'late'
services_do tie twice
tell alice collect 300 $tie "$asked"
is "$(tail -n 3 "$T/alice.out" | grep -c '^{"response"')" 2 'twice'
services_do tie garbage
tell alice request $tie "$asked"
is "$(last alice response .text)" '"{\"code\": 200, \"bo"' 'garbage'
services_do tie overloaded
tell alice request $tie "$asked"
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_OVERLOADED"' 'overloaded'
services_do tie error 7 out of order
tell alice request $tie "$asked"
is "$(last alice failure '[.code, .text]')" '[7,"out of order"]' 'an error'
services_do tie stranger
tell alice collect 500 $tie "$asked"
is "$(tail -n 3 "$T/alice.out" | jq -c 'select(.response) | .response |
	[.source == "'"$(thumbprint stranger)"'", (.text | test("99.*77"))]' |
	sort -u | wc -l)" 2 'a stranger before the service'
services_do tie stranger alone
tell alice request $tie "$asked"
is "$(last alice response .source)" "\"$(thumbprint stranger)\"" \
	'or in its place'
services_do tie mistaken
tell alice unanswered 300 $tie "$asked"
services_do tie well
services_do tie gone
tell alice request $tie "$asked"
is "$(last alice failure .name)" '"ERR_DXL_SERVICE_UNAVAILABLE"' 'gone'
services_do tie back
tell alice request $tie "$asked"
is "$(last alice response '.text | fromjson.reputations | length')" 2 'back'
is "$(jq -c 'select(.asked) | .routed' <"$T/services.out" | sort | uniq -c |
	awk '{ print $2 }' | tr '\n' ' ')" 'false true ' \
	'what a public TIE or MAR client asks is not routed, other requests are'

# What is no command, or no number, is told.
for command in nonsense 'mar nonsense' 'mar rows nonsense' 'mar rows 1x' \
	'mar gives x' 'mar lags x' 'mar lags' 'mar running x'; do
	printf '%s\n' "$command" >&5
	services_done=$((services_done + 1))
	not_ok "no command: $command" is_obeyed "$T/services.out" "$services_done"
done
exit_is 1 'no size' node "$srcdir/tests/fabric/fabric.js" --size x "$T/broker"
like "$(err)" 'Error: "x" is no number' 'is told, too'

done_testing
