#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Whatever comes from the network: no tool ends by it, nothing of it drives a
# terminal, and the next good message is shown.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
need_peer
# All of it has to arrive, however much.
broker_lines='max_queued_messages 0'
broker_start
room=/mcafee/event/qchat/ops
data=$srcdir/tests/data/dxl

# raw COMMAND…: the raw peer does it, in its time
raw_done=0
raw() {
	raw_done=$((raw_done + 1))
	printf '%s\n' "$*" >&7
}

# settled: the broker has all of it
settled() {
	must wait_line "$T/raw.out" '"at":"(done|error)"' "$raw_done"
	is "$(grep -ac '"at":"error"' "$T/raw.out")" 0 'all of it was sent'
}

# A line of C1 in UTF-8, or of C0 other than the line feed.
raw_controls() {
	LC_ALL=C tr -d '\n -~\200-\377' <"$1" | wc -c
	LC_ALL=C grep -aoE "$(printf '\302[\200-\237]')" "$1" | wc -l
}

# survived CLASS: both listeners show the next good message, and are harmless
good=0
survived() {
	settled
	good=$((good + 1))
	as bob exit_is 0 "a post after $1" qchat-say -r ops "good $good"
	ok "is shown after $1" wait_line "$T/plain.out" " [+] bob good $good\$"
	ok "is JSON after $1" wait_line "$T/json.out" "\"text\":\"good $good\""
	ok 'both listeners live' both_alive
	for survived_file in plain.out plain.err json.out json.err; do
		is "$(raw_controls "$T/$survived_file" | tr '\n' ' ')" '0 0 ' \
			"no raw control character in $survived_file"
	done
}

both_alive() {
	alive "$plain_pid" && alive "$json_pid"
}

as alice start plain qchat-listen -v -r ops --presence
plain_pid=$pid
must wait_line "$T/plain.err" 'in ops'
as alice start json qchat-listen -v -r ops --presence --json
json_pid=$pid
must wait_line "$T/json.err" 'in ops'
peer 7 raw raw.js mallory
survived nothing

# What is no envelope.

before=$(wc -l <"$T/plain.err")
for hex in 00 ff c0 c1 02 0202 ffffffff 7b7d 0202c0 93020203 \
	02ddffffffff 0202dbffffffff 0202da0026 0202a0a0a0ddffffffff \
	0202a0a0a09090dbffffffff 0202a0a0a0df7fffffff 0202a0a0a0909081a0a0 \
	cfffffffffffffffff02 d3800000000000000002 cb3ff000000000000002 \
	0209 02ff 02a0 c402 c7ff00; do
	raw "hex $room $hex"
done
raw "hex $room " # nothing at all
# arrays in arrays, deeper than any stack
head -c 300000 /dev/zero | tr '\0' '\221' >"$T/nested"
raw "file $room $T/nested"
head -c 300000 /dev/urandom >"$T/random"
raw "file $room $T/random"
printf 'plain text, no envelope' >"$T/text"
raw "file $room $T/text"
printf '{"type": 1, "message": "bare JSON", "UID": "u"}' >"$T/bare"
raw "file $room $T/bare"
survived 'what is no envelope'
ok '-v says what was ignored' has_lines "$T/plain.err" \
	'^qchat-listen: .*(ignored|dropped)' "$((before + 1))"
is "$(grep -ac 'bare JSON' "$T/plain.out")" 0 'bare JSON is no message'

# Each real message cut off, or with a byte changed.

for folder in python js broker; do
	for file in "$data/$folder"/*event*.bin; do
		[ "$(wc -c <"$file")" -lt 2000 ] || continue
		raw "file $room $file"
		raw "cuts $room $file"
	done
	survived "cut messages of $folder"
done
for file in "$data"/python/event-v2-qchat-type*.bin \
	"$data"/python/event-v2-all-fields.bin "$data"/js/*qchat-type1.bin; do
	raw "flips $room $file"
done
survived 'messages with changed bytes'
for file in "$data"/python/*.bin "$data"/python/services/*.bin \
	"$data"/js/*.bin "$data"/broker/*.bin; do
	raw "file $room $file"
done
survived 'messages of all other kinds'

# Payloads that are no JSON, or of the wrong shape.

while read -r json; do
	raw "json $room $json"
done <<'END'

{
}
nonsense
[]
[[]]
1
-1.5e300
"text"
null
true
{}
{"type":null}
{"type":"x"}
{"type":[1]}
{"type":{"type":1}}
{"type":-1}
{"type":0}
{"type":1.5}
{"type":1e400}
{"type":99999999999999999999999999}
{"type":5}
{"type":7,"message":"a"}
{"type":1}
{"type":1,"message":null}
{"type":1,"message":1}
{"type":1,"message":["a"]}
{"type":1,"message":{"a":"b"}}
{"type":1,"message":"shape","user":7,"UID":[],"time":{}}
{"type":1,"message":"shape","user":null,"UID":null,"time":null}
{"type":1,"message":"shape","type":2}
{"type":2}
{"type":2,"UID":7,"user":"x"}
{"type":2,"UID":""}
{"type":4}
{"type":4,"UID":{}}
{"type":3,"inbox":7,"wait":"x"}
{"type":3,"inbox":"","wait":-1}
{"type":3,"inbox":"/mcafee/client/a\u0000b","wait":0}
{"type":3,"inbox":"/mcafee/client/a\ud83d","wait":0}
{"type":3,"inbox":"/mcafee/client/#","wait":0}
{"type":3,"inbox":"/mcafee/event/qchat/ops","wait":0}
{"type":3,"inbox":"/mcafee/client/x","wait":9007199254740993}
{"type":1,"message":"\ud800","user":"half"}
{"type":1,"message":"\udc00\ud800","user":"half"}
{"type":1,"message":"shape","sev":"awful","title":7,"tags":"x"}
{"type":1,"message":"shape","sev":[],"title":{},"tags":[1,null,{},["x"]]}
{"type":1,"message":"a\nb","n":1,"seq":1,"UID":"n1"}
{"type":1,"message":"a\nb","n":3,"seq":1,"UID":"n1"}
{"type":1,"message":"a\nb","n":-2,"seq":1,"UID":"n1"}
{"type":1,"message":"a\nb","n":2147483648,"seq":1,"UID":"n1"}
{"type":1,"message":"a\nb","n":"2","seq":1,"UID":"n1"}
{"type":1,"message":"a\nb","n":2,"UID":"n1"}
{"type":1,"message":"a\nb","n":2,"seq":-1,"UID":"n1"}
{"type":1,"message":"a\nb","n":2,"seq":9007199254740991,"UID":"n1"}
{"type":1,"message":"shape","seq":9223372036854775807,"UID":"n2","user":"n"}
{"type":1,"message":"shape","seq":1.5,"UID":"n2","user":"n"}
{"type":1,"message":"shape","seq":"1","UID":"n2","user":"n"}
{"type":2,"UID":"n2","user":"n","last":9007199254740991,"since":-1,"idle":1e9}
{"type":4,"UID":"n2","user":"n","last":9007199254740991}
END
survived 'payloads of the wrong shape'
is "$(grep -ac ' [ab]$' "$T/plain.out")" 0 \
	'a block whose number does not fit is no message'

# Time in all forms, and none.
for at in '"1500000000"' 1500000000 1500000000.5 '"1500000000.5"' '""' \
	'"soon"' -1 1e300 '"99999999999999999999999"' null '[]' true; do
	raw "json $room {\"type\":1,\"message\":\"a time\",\"user\":\"tim\",\"time\":$at}"
done
raw "json $room {\"type\":1,\"message\":\"a time\",\"user\":\"tim\",\"UID\":\"t\"}"
survived 'times in all forms'
is "$(grep -ac ' - tim a time$' "$T/plain.out")" 13 \
	'all of them are shown, also those without UID or time'
is "$(grep -ac '^2017-07-14T02:40:00\.[05]00Z ops - tim' "$T/plain.out")" 4 \
	'with their time where there is one'

# Text that would drive something.

c0='\u0000\u0001\u0007\u0008\t\n\u000b\u000c\r\u001b[2J\u001b]0;title\u0007'
evil="$c0"'\u007f\u0080\u0085\u009b31m\u200e\u202e\u2028\u2066\ufeff\ue000'
raw "json $room {\"type\":1,\"message\":\"evil $evil\",\"user\":\"e $evil\",\"UID\":\"$evil\",\"time\":\"1\",\"seq\":1,\"title\":\"$evil\",\"sev\":\"high\",\"tags\":[\"$evil\"]}"
raw "json $room {\"type\":2,\"user\":\"e $evil\",\"UID\":\"$evil\",\"time\":\"$evil\",\"app\":\"$evil\",\"conn\":\"$evil\",\"inbox\":\"/mcafee/client/$evil\"}"
raw "json $room {\"type\":4,\"user\":\"e $evil\",\"UID\":\"$evil\",\"time\":\"1\"}"
raw "json $room {\"type\":1,\"message\":\"one line only\",\"user\":\"a\\nb + bob forged\",\"UID\":\"f\"}"
survived 'text that would drive a terminal'
is "$(grep -ac '^b [+] bob forged' "$T/plain.out")" 0 'a name is no line'
is "$(grep -ac ' [+] bob forged' "$T/plain.out")" 0 'nor two words'
# the same in bytes: raw control characters and what is not UTF-8
for body in \
	7b2274797065223a312c226d657373616765223a22ff227d \
	7b2274797065223a312c226d657373616765223a22c080227d \
	7b2274797065223a312c226d657373616765223a22eda080227d \
	7b2274797065223a312c226d657373616765223a221b5b326a227d \
	7b2274797065223a312c226d657373616765223a2200227d \
	7b2274797065223a312c226d657373616765223a22c29b227d \
	fffe7b007d00 efbbbf7b7d 00 0000000000; do
	raw "body $room $body"
done
survived 'payloads that are not UTF-8'

# Much of it: as much as the broker lets pass.  (A DXL broker cuts off who sends
# more than 1 MiB.)

large=1048576 larger=16777216
[ "$fabric_kind" = mqtt ] || large=1000000 larger=1048000
raw "big $room {\"type\":1,\"message\":\"big X\",\"user\":\"big\",\"UID\":\"b\"} $large"
raw "big $room {\"type\":1,\"message\":\"big\",\"user\":\"X\",\"UID\":\"X\"} $large"
raw "big $room {\"type\":2,\"user\":\"X\",\"UID\":\"X\",\"app\":\"X\"} 300000"
raw "big $room {\"type\":1,\"message\":\"X\",\"user\":\"big\",\"UID\":\"b\"} $larger"
raw "big $room X $large"
head -c 200000 /dev/zero | tr '\0' '[' | od -An -v -tx1 | tr -d ' \n' \
	>"$T/deep"
raw "body $room $(cat "$T/deep")"
survived 'large messages'

# Equal message ids are two messages: nothing is told apart by them.
before=$(grep -ac 'hello, world' "$T/plain.out")
raw "file $room $data/python/event-v2-qchat-type1.bin"
raw "file $room $data/python/event-v2-qchat-type1.bin"
survived 'equal message ids'
is "$(grep -ac 'hello, world' "$T/plain.out")" $((before + 2)) \
	'both are shown'

# The listeners' own inboxes get everything as well.

raw 'sub /mcafee/event/qchat/ops'
raw "json $room {\"type\":3}"
settled
must wait_line "$T/raw.out" '"type":2.*/mcafee/client/' 2
grep -a '"topic"' "$T/raw.out" |
	jq -r 'select(.got.type == 2 and .got.user == "alice") | .got.inbox' |
	sort -u >"$T/inboxes"
is "$(wc -l <"$T/inboxes")" 2 'the listeners name their inboxes'
while read -r inbox; do
	raw "hex $inbox ff"
	raw "hex $inbox "
	raw "file $inbox $T/nested"
	raw "cuts $inbox $data/python/event-v2-qchat-type1.bin"
	raw "flips $inbox $data/python/event-v2-qchat-type2.bin"
	raw "json $inbox {\"type\":1,\"message\":\"whispered\",\"user\":\"x\",\"UID\":\"x\"}"
	raw "json $inbox {\"type\":3,\"inbox\":\"$inbox\",\"wait\":0}"
	raw "json $inbox {\"type\":4,\"user\":\"x\",\"UID\":\"x\"}"
done <"$T/inboxes"
survived 'an inbox full of it'
is "$(grep -ac whispered "$T/plain.out")" 0 \
	'what comes into an inbox is not in the room'

# qchat-say awaits its echo in the middle of it.

mkfifo "$T/more.in"
as bob start more qchat-say -v -r ops -l -W 30
more_pid=$pid
exec 8>"$T/more.in"
echo 'before it' >&8
ok 'qchat-say is in the room' wait_line "$T/plain.out" ' [+] bob before it$'
raw "cuts $room $data/python/event-v2-all-fields.bin"
raw "file $room $T/random"
raw "json $room {\"type\":1,\"message\":\"forged\",\"seq\":1,\"UID\":\"x\"}"
settled
echo 'after it' >&8
exec 8>&-
wait_end "$more_pid"
is "$status" 0 'and comes through it'
survived 'a stream beside it'

done_testing
