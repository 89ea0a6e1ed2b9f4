#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What was said before: from those who are still there, from the broker, and
# from where an earlier listener stopped.

. "$(dirname "$0")/lib.sh"

need jq mosquitto_sub
need_peer
deadline=$((deadline * 2))
# eve sees all that passes.
broker_rules="$broker_rules
user eve
topic read #"
broker_start

peers=20
said=1000
wanted=200
[ "$fabric_kind" = mqtt ] || peers=8 said=400 wanted=100

# A room of 20 in which 1,000 messages were said by four who have gone.  (The
# stand-in for a DXL broker has fewer of them to carry.)
for i in $(seq "$peers"); do
	as alice start "ear$i" qchat-listen -v -r busy -F '%m\n'
done
for i in $(seq "$peers"); do
	must wait_line "$T/ear$i.err" 'in busy'
done
# watch NAME: eve writes the size and the topic of what passes, line by line
watch() {
	start "$1" stdbuf -oL mosquitto_sub -h 127.0.0.1 -p "$broker_port" -t '#' \
		--cafile "$eve/ca.crt" --cert "$eve/user.crt" \
		--key "$eve/user.key" -F '%l %t' -d
	must wait_line "$T/$1.out" SUBACK
}
eve=$(user_dir eve)
watch said
eve_pid=$pid
peer 9 signer attacker.js carol # it may sign as one should
now=$(($(date +%s) - 600))
words='the disk of the database host is nearly full, who looks at it before the night'
words="$words; the replica in the other hall has the same trouble since Monday, and"
words="$words what was moved to the archive last week did not help, as the logs grow"
words="$words faster than they are compressed; whoever has the time should call the"
words="$words people who run the storage and ask for another shelf, or for a quota"
for i in $(seq "$said"); do
	who=$((i % 4))
	printf '{"do":"say","topic":"/mcafee/event/qchat/busy","key":"user%d","bind":%s,"certs":%s,"payload":{"type":1,"message":"%d %s","time":"%d","ms":%d%03d,"user":"user%d","UID":"%032d","seq":%d}}\n' \
		"$who" $((i <= 4)) $((i <= 4)) "$i" "$words" "$now" "$now" \
		$((i - 1)) "$who" "$who" $(((i + 3) / 4))
done | sed 's/"bind":0,"certs":0/"bind":false,"certs":false/; s/"bind":1,"certs":1,//' >&9
for i in $(seq "$peers"); do
	must wait_line "$T/ear$i.out" . "$said"
done
must wait_line "$T/said.out" '^[0-9]* /mcafee/event/qchat/busy$' "$said"
must end_process "$eve_pid"
exec 9>&-

# What passes from here on is for the newcomer.
watch seen
as bob exit_is 0 'a newcomer asks for the newest' \
	qchat-listen -r busy --last "$wanted" -C "$wanted" -W 30 --json
cp "$T/out" "$T/newest"
sort -n "$T/ear1.out" | tail -n "$wanted" >"$T/want"
jq -r .text <"$T/newest" | sort -n >"$T/got"
ok 'and gets exactly these, once' cmp "$T/got" "$T/want"
is "$(jq -r 'select(.replayed != true).text' <"$T/newest")" '' \
	'all marked as replayed'
for i in 0 1 2 3; do
	jq -r "select(.user == \"user$i\").seq" <"$T/newest" >"$T/numbers"
	sort -n "$T/numbers" >"$T/sorted"
	ok "in the order of user$i" cmp "$T/numbers" "$T/sorted"
done
# Behind this everything of it has passed.
as bob exit_is 0 'a last word' qchat-say -r over over
must wait_line "$T/seen.out" '/mcafee/event/qchat/over$'
must end_process "$pid"
# bytes: of the lines with a size
bytes() { awk '$1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }'; }
size=$(grep ' /mcafee/event/qchat/busy$' "$T/said.out" | grep -v '^Client' |
	tail -n "$wanted" | bytes)
extra=$(bytes <"$T/seen.out")
diag "$extra bytes pass for messages of $size bytes"
ok 'they have passed' test "$extra" -gt "$size"
ok 'and less than twice their size' test "$extra" -lt $((size * 2))

# Since a time: what was said before that is not wanted.
as bob exit_is 0 'since a time' \
	qchat-listen -r busy --since "@$now" -C "$said" -W 30 -F '%m\n'
sort -n "$T/out" >"$T/got"
sort -n "$T/ear1.out" | cmp -s - "$T/got" && same=0 || same=1
result "$same" 'has all of it'
as bob exit_is 124 'since another time' \
	qchat-listen -r busy --since "@$((now + 100))" -C 1 -W 3
is "$(out)" '' 'has none of it'

# The broker keeps what is said while a durable listener is away, with nobody
# else in the room.  (A DXL broker closes on who wants that: it is not asked.)
if [ "$fabric_kind" = mqtt ]; then
	posts=${QCHAT_TEST_POSTS:-100}
	away() {
		as alice start "$1" qchat-listen -v -r quiet --durable night --json
		must wait_line "$T/$1.err" 'in quiet'
	}
	away before
	must end_process "$pid"
	is "$status" 0 'a durable listener goes away'
	for i in $(seq "$posts"); do
		as bob run qchat-say -r quiet "post $i"
		[ "$status" = 0 ] || result 1 "post $i"
	done
	away after
	ok 'and has what was said' wait_line "$T/after.out" '"text"' "$posts"
	as bob exit_is 0 'then something new' qchat-say -r quiet new
	must wait_line "$T/after.out" '"text":"new"'
	must end_process "$pid"
	seq -f 'post %g' "$posts" >"$T/want"
	jq -r 'select(.type == "message" and .replayed).text' <"$T/after.out" >"$T/got"
	ok 'each once, in order, marked as replayed' cmp "$T/got" "$T/want"
	is "$(jq -r 'select(.type == "message" and .replayed != true).text' \
		<"$T/after.out")" new 'and what is new is not'
else
	as alice exit_is 64 'no listener is durable on a DXL fabric' \
		qchat-listen -r quiet --durable night
	like "$(err)" 'keeps nothing for who is away' 'and is told why'
fi

# With a state file a listener goes on where it stopped: others have the rest.
as carol start keeper qchat-listen -v -r goes -F '%m\n'
keeper=$pid
must wait_line "$T/keeper.err" 'in goes'
goes() {
	as alice start "$1" qchat-listen -v -r goes --state "$T/state" -F '%m\n'
	must wait_line "$T/$1.err" 'in goes'
}
say() { as bob exit_is 0 "$1 is said" qchat-say -r goes "$1"; }
goes first
say one
must wait_line "$T/first.out" one
must end_process "$pid"
say two
say three
goes second
say four
must wait_line "$T/second.out" four
must end_process "$pid"
is "$(cat "$T/first.out" "$T/second.out")" 'one
two
three
four' 'a listener with a state file misses nothing, and has nothing twice'
goes third
say five
must wait_line "$T/third.out" five
end_process "$pid" KILL
goes fourth
say six
must wait_line "$T/fourth.out" six
must end_process "$pid"
like "$(tr '\n' ' ' <"$T/fourth.out")" '^(five )?six $' \
	'one that was killed goes on at its last state'
must end_process "$keeper"
as alice exit_is 73 'a folder that is not there' \
	qchat-listen -r goes --state "$T/none/state"
like "$(err)" "^qchat-listen: $T/none/state\.lock: .* \(the folder of --state has to be there, and yours to write to\)\$" \
	'is told, and what to do'

done_testing
