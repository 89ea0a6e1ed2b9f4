#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who is here: the question, its answers, and what qchat-who prints.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need_peer
broker_start
room=/mcafee/event/qchat/ops

# messages FILTER: what the raw peer received that passes
messages() {
	grep -a '"topic"' "$T/raw.out" | jq -c "select($1)"
}

wait_messages() {
	wait_for messages_enough "$1" "${2:-1}"
}

messages_enough() {
	[ "$(messages "$1" | wc -l)" -ge "$2" ]
}

# raw COMMAND…: the raw peer does it
raw_done=0
raw() {
	raw_done=$((raw_done + 1))
	printf '%s\n' "$*" >&7
	must wait_line "$T/raw.out" '"at":"(done|error)"' "$raw_done"
}

peer 7 raw raw.js mallory
inbox=$(grep -a '"at":"ready"' "$T/raw.out" | jq -r .inbox)
raw "sub $room"

# Entering: 2, then 3.

as alice start ear qchat-listen -v -r ops --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'
ok 'who enters says that it is here' wait_messages '.got.type == 2'
ok 'and asks who else is' wait_messages '.got.type == 3'
is "$(messages '.got.type == 2 or .got.type == 3' | jq .got.type |
	head -n 2 | tr '\n' ' ')" '2 3 ' 'in this order'
first=$(messages '.got.type == 2' | head -n 1)
uid=$(echo "$first" | jq -r .got.UID)
is "$(echo "$first" | jq -c '.got | [.user, (.time | type), (.since | type),
	(.last | type), (.inbox | startswith("/mcafee/client/{")),
	(.conn | type), (.app | startswith("qchat-listen/"))]')" \
	'["alice","string","number","number",true,"string",true]' \
	'with what the design has it say'
is "$(messages '.got.type == 3' | head -n 1 |
	jq -c '.got | [(.inbox | startswith("/mcafee/client/{")), .wait > 0]')" \
	'[true,true]' 'the question names inbox and wait'

# An answer goes to the inbox of the question, once.

echo "json $room {\"type\":3,\"inbox\":\"$inbox\",\"wait\":100}" >&7
raw_done=$((raw_done + 1))
ok 'a question that names an inbox is answered there' \
	wait_messages ".topic == \"$inbox\" and .got.type == 2"
is "$(messages ".topic == \"$inbox\"" | jq -c '.got | [.user, .UID]')" \
	"[\"alice\",\"$uid\"]" 'by us'
raw "json $room {\"type\":3,\"inbox\":\"$inbox\",\"wait\":0}"
before=$(messages ".topic == \"$room\" and .got.type == 2" | wc -l)
raw "json $room {\"type\":3}"
ok 'a question without an inbox is answered in the room' \
	wait_messages ".topic == \"$room\" and .got.type == 2" $((before + 1))
is "$(messages ".topic == \"$room\" and .got.type == 2" | wc -l)" \
	$((before + 1)) 'the others were not answered there'
is "$(messages ".topic == \"$inbox\"" | wc -l)" 1 \
	'and an inbox not again within 10 s'
for bad in /mcafee/event/qchat/ops /mcafee/client/# /mcafee/client/+ \
	/mcafee/client/ /mcafee/client /etc 'a b' "$room/x"; do
	raw "json $room {\"type\":3,\"inbox\":\"$bad\",\"wait\":0}"
done
before=$(messages '.got.type == 2' | wc -l)
raw "json $room {\"type\":3}"
ok 'the next question is answered' wait_messages '.got.type == 2' \
	$((before + 1))
is "$(messages '.got.type == 2 and .topic != "'"$room"'" and
	.topic != "'"$inbox"'"' | wc -l)" 0 'only inboxes are answered'
ok 'the listener lives' alive "$ear_pid"

# What qchat-who prints.

as carol start second qchat-listen -v -r ops
second_pid=$pid
must wait_line "$T/second.err" 'in ops'
as bob exit_is 0 'qchat-who' qchat-who -r ops
is "$(err)" '' 'says nothing besides'
like "$(head -n 1 "$T/out")" \
	'^NAME +MARK +SINCE +IDLE +APP +FINGERPRINT +UID *$' 'a header'
like "$(grep alice "$T/out")" \
	"^alice +[+] +[^ ]+ +[^ ]+ +qchat-listen/[^ ]+ +$(
		fingerprint alice) +$uid\$" \
	'a participant'
is "$(wc -l <"$T/out")" 3 'a line for each, and none for those that ask'
as bob exit_is 0 'qchat-who -q' qchat-who -r ops -q
is "$(sort "$T/out")" 'alice
carol' 'names only'
as bob exit_is 0 'qchat-who --json' qchat-who -r ops --json
is "$(jq -r .user <"$T/out" | sort | tr '\n' ' ')" 'alice carol ' \
	'JSON lines'
is "$(jq -r "select(.user == \"alice\") | .uid" <"$T/out")" "$uid" \
	'with the UID'
as bob exit_is 0 'qchat-who -d' qchat-who -r ops -d
like "$(out)" 'articipants.*2' 'tells how many participants'
# The raw peer hears the room, and is none of them.
if [ "$fabric_kind" = dxl ]; then
	is "$(grep -E '^(listeners|brokers)' "$T/out" | tr '\n' ' ')" \
		'listeners 3 brokers 1 brokers-known 1 ' \
		'and how many hear the room'
else
	is "$(grep -Ec '^(listeners|brokers)' "$T/out")" 0 \
		'and no count that the broker does not have'
fi
as bob exit_is 1 'nobody is in an empty room' qchat-who -r empty -w 0.2 -q
is "$(out)" '' 'and nothing is printed'
as dora start third qchat-listen -v -r elsewhere
must wait_line "$T/third.err" 'in elsewhere'
as bob exit_is 0 'qchat-who -a' qchat-who -a
like "$(out)" 'elsewhere.* dora |dora .*elsewhere' 'shows every room'
like "$(out)" '(^| )ops.* alice |alice .*ops' 'and who is in it'
as bob exit_is 0 'qchat-who --all --json' qchat-who --all --json
is "$(jq -r '.room + "/" + .user' <"$T/out" | sort | tr '\n' ' ')" \
	'elsewhere/dora ops/alice ops/carol ' 'each with its room'
as bob exit_is 74 'qchat-who >/dev/full ends with 74' \
	sh -c 'exec qchat-who -r ops >/dev/full'
as bob exit_is 64 'qchat-who -w never is 64' qchat-who -r ops -w never

# Coming and going, as --presence tells it.

ok 'a newcomer is told' wait_line "$T/ear.out" ' ops \* carol joined$'
kill -KILL "$second_pid"
wait_end "$second_pid"
ok 'the will of a killed one removes it' \
	wait_line "$T/ear.out" ' ops \* carol left \('
as bob exit_is 0 'qchat-who' qchat-who -r ops -q
is "$(out)" alice 'no longer shows it'
is "$(grep -c ' bob ' "$T/ear.out")" 0 'who only asks does not come and go'
as bob exit_is 0 'qchat-say' qchat-say -r ops one post
ok 'a post' wait_line "$T/ear.out" ' [+] bob one post$'
is "$(grep -c ' \* bob ' "$T/ear.out")" 0 'has no coming and going either'

# The will of a connection that was replaced removes nobody.

other=00000000000000000000000000000001
here='"time":"1500000000","user":"oscar","UID":"'$other'"'
raw "json $room {\"type\":2,$here,\"conn\":\"a1\",\"app\":\"x/1\"}"
raw "json $room {\"type\":2,$here,\"conn\":\"b2\",\"app\":\"x/1\"}"
ok 'somebody is here' wait_line "$T/ear.out" ' ops \* oscar (joined|is here)$'
raw "json $room {\"type\":4,$here,\"conn\":\"a1\"}"
raw "json $room {\"type\":1,\"message\":\"still here\",$here}"
ok 'and speaks' wait_line "$T/ear.out" ' - oscar still here$'
is "$(grep -c 'oscar left' "$T/ear.out")" 0 'a late will removes nobody'
raw "json $room {\"type\":4,$here,\"conn\":\"b2\"}"
ok 'that of the live connection does' wait_line "$T/ear.out" \
	' ops \* oscar left \(bye\)$'

# A bye in our own name is contradicted at once.

before=$(messages ".got.type == 2 and .got.UID == \"$uid\"" | wc -l)
raw "json $room {\"type\":4,\"time\":\"1500000000\",\"user\":\"alice\",\"UID\":\"$uid\"}"
ok 'who hears a bye for its own UID says that it is here' \
	wait_messages ".got.type == 2 and .got.UID == \"$uid\"" $((before + 1))

# Answers of strangers, whatever they hold.

esc='\u001b[2J\u0007\u009b'
raw "answer {\"type\":2,\"time\":\"1\",\"user\":\"ev${esc}il\",\"UID\":\"u${esc}1\",\"app\":\"a${esc}\",\"since\":1,\"idle\":9007199254740991,\"inbox\":\"/mcafee/client/${esc}\",\"conn\":\"${esc}\"}"
raw 'answer {"type":2,"time":"1","user":"","UID":"u2","app":7,"since":"x","idle":-5,"known":1e300}'
raw 'answer {"type":2,"user":"no UID"}'
raw 'answer [1,2,3]'
raw 'answer {"type":2,"UID":"u3","user":"a name with spaces","since":9007199254740991,"last":9007199254740991}'
raw 'answer [4]' # the last: that it came is told
form_count=0
for form in '-r ops' '-r ops -q' '-r ops --json' '-r ops -d' -a; do
	form_count=$((form_count + 1))
	form_name=form$form_count
	# shellcheck disable=SC2086 # words
	as bob start "$form_name" qchat-who -v -w "$deadline" $form
	# Of all rooms nobody can tell that all have answered, and with details
	# it would look for all of the time.
	case $form in *-d | -a)
		must wait_line "$T/$form_name.err" 'ignored .*JSON' 2
		end_process "$pid"
		;;
	*) wait_end "$pid" ;;
	esac
	is "$status" 0 "qchat-who $form among strangers"
	is "$(LC_ALL=C tr -d '\n -~\200-\377' <"$T/$form_name.out" | wc -c)" 0 \
		'no raw control character'
	is "$(LC_ALL=C grep -ac "$(printf '\302\233')" "$T/$form_name.out")" 0 \
		'no C1'
done
as bob exit_is 0 'a room of strangers' qchat-who -r ops -q
like "$(out)" '^alice$' 'shows ours as well'
like "$(out)" '^a_name_with_spaces$' 'one name is one word'

# A room of which only a part answers in time.

raw 'answer {"type":2,"time":"1","user":"one","UID":"u4","known":5000}'
raw 'answer [5]'
for form in --quiet '--json -d'; do
	part=$T/part${form%% *}
	# shellcheck disable=SC2086
	as bob start "part${form%% *}" qchat-who -v -r ops -w "$deadline" $form
	must wait_line "$part.err" 'ignored .*JSON' 3
	end_process "$pid"
	is "$status" 0 "qchat-who $form lists what has answered"
	like "$(cat "$part.err")" \
		'^qchat-who: ops: [0-9]+ of 5000 have answered' \
		'and tells how many that are'
done
is "$(jq 'select(.type == "room") | .known' <"$part.out")" 5000 'in JSON, too'

as bob exit_is 64 'all rooms and one room is 64' qchat-who -a -r ops
as bob exit_is 64 '-q and -d exclude each other' qchat-who -q -d -r ops

# What a flood does is counted, and held by the limits of the settings.

flooded=/mcafee/event/qchat/flooded
raw "sub $flooded"
peer 8 attacker attacker.js eve
{
	cat "$(user_conf bob)"
	echo 'limits = { bad_signatures = 5; participants = 256; };'
} >"$T/limits.conf"
attacked=0

# flood JSON: the attacker does it
flood() {
	attacked=$((attacked + 1))
	printf '%s\n' "$1" >&8
	must wait_line "$T/attacker.out" '"at":"done"' "$attacked"
}

# watch NAME OPTION…: qchat-who looks at the room, where nobody is, while it is
# flooded with 200 bad signatures and 300 participants that are none
watched=0
watch() {
	watch_name=$1
	shift
	watched=$((watched + 1))
	as bob start "$watch_name" qchat-who -v -r flooded -w "$deadline" "$@"
	must wait_messages ".topic == \"$flooded\" and .got.type == 3" \
		"$watched"
	flood "$(jq -nc --arg topic "$flooded" '{ do: "say", topic: $topic,
		flip: "sig", times: 200, key: "'"$watched"'", payload: {
		type: 1, message: "harmful", user: "eve", UID: "b%n", seq: 1 } }')"
	flood "$(jq -nc --arg topic "$flooded" '{ do: "say", topic: $topic,
		sign: false, times: 300, payload: { type: 2, user: "u%n",
		UID: "u%n", time: "1" } }')"
	flood "$(jq -nc --arg topic "$flooded" '{ do: "say", topic: $topic,
		sign: false, text: "the last" }')"
	must wait_line "$T/$watch_name.err" 'ignored .*JSON'
	end_process "$pid"
}

# counter NAME: its value in a file of lines
counter() {
	sed -n "s/^$1 //p" "$2"
}

watch usual -d
is "$(counter over_participants "$T/usual.out")" '' \
	'a limit that was not reached is not told'
ok 'failed signatures are counted' \
	test "$(counter bad_signatures "$T/usual.out")" -ge 50
# A DXL broker says where a message comes from, and what comes from where its
# key was first seen is looked at whatever failed there.
[ "$fabric_kind" = dxl ] || ok 'and those beyond the limit' \
	test "$(counter over_bad_signatures "$T/usual.out")" -ge 50
# (what is answered above is answered here, too)
ok 'and what is malformed' test "$(counter malformed "$T/usual.out")" -ge 1
like "$(tail -n 1 "$T/usual.err")" 'flooded: counted .*bad_signatures [0-9]' \
	'-v tells them too'
watch limited -d --config "$T/limits.conf"
[ "$fabric_kind" = dxl ] ||
	ok 'fewer signatures are looked at, where the settings say so' \
	test "$(counter bad_signatures "$T/limited.out")" -lt 50
is "$(counter participants "$T/limited.out")" 256 'and fewer are listed'
ok 'the others are counted' \
	test "$(counter over_participants "$T/limited.out")" -ge 44
watch json -d --json --config "$T/limits.conf"
is "$(jq -r 'select(.type == "room") | .participants' <"$T/json.out")" 256 \
	'JSON tells of the room'
is "$(jq -c 'select(.type == "counts") | .counts | keys' <"$T/json.out")" \
	"$(sed '/^over_\|^bad_\|^malf\|^forg\|^wait\|^key/!d; s/ .*//' \
		"$T/limited.out" | jq -Rsc 'split("\n")[:-1] | sort')" \
	'and has the same counters under the same names'

end_process "$ear_pid"
is "$status" 0 'SIGTERM ends a listener in order'
like "$(tail -n 1 "$T/ear.err")" 'ops: counted .*unanswered [0-9]' \
	'and with -v it tells what it has counted'

done_testing
