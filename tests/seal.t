#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Sealed rooms, and messages to one alone: what they show to whom, and what
# those make of it who would like to read or forge them.  Mallory hears all that
# the broker carries, and can say it again.

# What jq reads, and what others call by name:
# shellcheck disable=SC2016,SC2317

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/attacker.sh"
. "$(dirname "$0")/screen.sh"

need qchat-say qchat-listen qchat-who qchat-invite
need jq
need_peer
broker_rules='user alice
pattern readwrite #'
broker_start
room=/mcafee/event/qchat/ops
mallory=$(user_dir mallory)

# Alice and Bob have the secret: each has a state folder of its own.
own() {
	own_name=$1
	shift
	XDG_STATE_HOME=$T/state-$own_name
	export XDG_STATE_HOME
	as "$own_name" "$@"
}

own alice exit_is 0 'a secret is made' qchat-invite --new -r ops
bob=$(user_dir bob)
own alice must qchat-invite -r ops "$bob/user.crt"
cp "$T/must.out" "$T/invitation"
sed -n '/BEGIN/,/END/p' "$T/invitation" >"$T/invitation.pem"
own bob exit_is 0 'and accepted' qchat-invite --accept "$T/invitation.pem"

peer 7 attacker attacker.js mallory
with() {
	jq -nc --arg room "$room" --arg mallory "$mallory" \
		--arg text "${text-}" --arg uid "${uid-}" "$1"
}

fences=0
fence() {
	fences=$((fences + 1))
	own bob must qchat-say -r ops "fence $fences"
	must wait_line "$T/ear.out" "\"text\":\"fence $fences\""
}

attack "$(with '{ do: "sub", topic: "#" }')"
own alice start ear qchat-listen -v -r ops --json --presence
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'

# A conversation: presence, question, message, block, repair, and a will.
own bob start bob qchat-listen -v -r ops
bob_pid=$pid
must wait_line "$T/bob.err" 'in ops'
own bob exit_is 0 'a post' qchat-say -r ops 'the quick brown fox'
ok 'is read' wait_line "$T/ear.out" '"sealed":true.*the quick brown fox'
is "$(marks 'the quick brown fox')" + 'and is good'
printf 'jumps over\nthe lazy dog\n' >"$T/lines"
own bob exit_is 0 'a stream' qchat-say -r ops -l <"$T/lines"
ok 'as well' wait_line "$T/ear.out" 'the lazy dog'
own bob exit_is 0 'who is there' qchat-who -r ops -q
like "$(cat "$T/out")" '^alice$' 'is told'
own bob exit_is 0 'and the room' qchat-who -r ops -d
like "$(cat "$T/out")" '^sealed yes$' 'as sealed'
own alice exit_is 0 'a newcomer' qchat-listen -r ops -n 3 -C 3 -W 20 --json
like "$(cat "$T/out")" 'the quick brown fox' 'has what was said before'
end_process "$bob_pid" KILL
ok 'a will' wait_line "$T/ear.out" '"type":"leave".*"user":"bob"'
own bob exit_is 0 'to one alone' qchat-say -r ops -t alice 'for your eyes'
ok 'it arrives' wait_line "$T/ear.out" '"type":"direct".*for your eyes'
fence
ok 'the attacker heard it all' wait_line "$T/attacker.out" '"type.":5' 8

# What he saw: topics, headers and payloads as they are, and what is behind the
# base64 of them.  (What a DXL broker tells of itself is none of us.)
seen=$T/attacker.out
grep -v -e '"at":' -e '"topic":"/mcafee/event/dxl/' "$seen" >"$T/seen"
jq -c '.text |= (fromjson | del(.sealed, .salt, .key, .to, .ephemeral))' \
	<"$T/seen" >"$T/clear"
jq -r '.text | fromjson | .sealed' <"$T/seen" | while read -r sealed; do
	printf '%s' "$sealed" | base64 -d
done >"$T/decoded"
for word in alice quick brown lazy eyes fence qchat-listen qchat.sig \
	qchat.bind qchat.cert "$(date +%s | cut -c 1-7)"; do
	is "$(cat "$T/clear" "$T/decoded" | grep -ac -e "$word")" 0 \
		"nothing has \"$word\""
done
is "$(grep -c bob "$T/clear")" 0 'nothing has "bob"'
is "$(jq -r 'select(.text != null) | .text | fromjson | .type' <"$T/seen" |
	sort | uniq -c | awk '{ print $2 }' | grep -vx -e 5 |
	tr '\n' ' ')" '' 'all that is said is type 5'

# Who has no secret is told how to get one.
own carol start carol qchat-listen -v -r ops --json
carol_pid=$pid
must wait_line "$T/carol.err" 'in ops'
fence
ok 'who has no secret is told' wait_line "$T/carol.err" \
	'ops: what is said here is sealed with a secret that this user does not'
is "$(grep -c fence "$T/carol.out")" 0 'and reads nothing'
end_process "$carol_pid" TERM

# On a screen it is seen all the time, and asked about before something is said
# in the clear.
screen_size='160 40'
olga=$(user_dir olga)
ln -s "$olga/state" "$T/state-olga"
screen olga olga -r ops
must sees olga 'you are in the room'
fence
ok 'the status line has it' sees olga '^ ops \| NO SECRET \| [0-9]+ here \| on '
ok 'a line says what to do' sees olga 'NO SECRET: what others say here is sealed'
resize olga 20 5
ok 'on the smallest screen, too' sees olga '^ ops \| NO SECRET$'
resize olga 160 40
type olga 'the launch code'
ok 'what would go out in the clear is asked about' \
	sees olga 'is "the launch code" to go there IN THE CLEAR\?'
ok 'in the status line, too' sees olga '^ ops \| NO SECRET \| .yes or .no\? \| '
type olga 'and the door'
ok 'nothing else goes out before the answer' \
	sees olga 'nothing was sent: what you typed before waits'
ok 'and is there to be edited' sees olga '^olga@ops> and the door$'
press olga C-c
type olga '\no'
ok '\no keeps it' sees olga 'it was not said'
type olga '\yes'
ok 'and that was the question' sees olga 'there is no question to answer'
type olga '\me opens the door'
must sees olga 'is "opens the door" to go there IN THE CLEAR'
type olga '\yes'
ok '\yes says it' wait_line "$T/ear.out" '"text":"opens the door"'
is "$(marks 'opens the door')" '!' 'in the clear'
type olga 'and shuts it'
ok 'from then on nothing is asked' wait_line "$T/ear.out" 'and shuts it'
must wait_line "$seen" 'and shuts it'
is "$(grep -c 'launch code\|and the door' "$seen")" 0 \
	'what had no yes nobody has heard'
is "$(shown olga | grep -c 'NO SECRET: ')" 1 'what to do is told once'
type olga '\c'
ok '\c has it, too' sees olga 'sealed by others, NO SECRET of it here'
own alice must qchat-invite -r ops "$olga/user.crt"
sed -n '/BEGIN/,/END/p' "$T/must.out" >"$T/olga.pem"
own olga must qchat-invite --accept "$T/olga.pem"
ok 'with the secret the room is sealed' \
	sees olga '^ ops \| [0-9]+ here \| sealed \| on '
type olga 'for us alone'
ok 'and what is said' wait_line "$T/ear.out" '"sealed":true.*for us alone'
is "$(grep -c 'for us alone' "$seen")" 0 'so that nobody else reads it'
type olga '\q'
must ended olga
screen pia pia -r ops
must sees pia 'you are in the room'
fence
must sees pia 'NO SECRET'
type pia 'without an answer'
must sees pia 'is "without an answer" to go there'
type pia '\q'
must ended pia
is "$status" 69 'who leaves without an answer'
like "$(cat "$T/pia.err")" ' ops - pia \[NOT DELIVERED\] without an answer$' \
	'is told that it was not said'

# Who comes in when nothing is said is shown it, too, and before the next ping.

own alice must qchat-invite --new -r hush
own alice start hush qchat-listen -v -r hush
hush_pid=$pid
must wait_line "$T/hush.err" 'in hush'
screen nora nora -r hush
ok 'where all are silent it is seen at once' sees nora '^ hush \| NO SECRET '
type nora '\q'
must ended nora
end_process "$hush_pid" TERM

# Anybody can say what looks sealed: that keeps nobody from anything.

garbage() {
	text='{"type":5,"v":1,"sealed":"AAAA"}'
	attack "$(with '{ do: "say", topic: "/mcafee/event/qchat/plaza",
		sign: false, text: $text, times: 9 }')"
}

own dora start plaza qchat-listen -v -r plaza
plaza_pid=$pid
must wait_line "$T/plaza.err" 'in plaza'
screen quinn quinn -r plaza
must sees quinn 'you are in the room'
garbage
ok 'garbage that looks sealed is told' sees quinn '^ plaza \| NO SECRET '
type quinn 'still here'
must sees quinn 'is "still here" to go there IN THE CLEAR'
type quinn '\yes'
ok 'a room in the clear can be used' wait_line "$T/plaza.out" 'still here'
garbage
type quinn 'and here'
ok 'as before' wait_line "$T/plaza.out" 'and here'
is "$(shown quinn | grep -c 'NO SECRET: ')" 1 'and nothing is told again'
type quinn '\q'
must ended quinn
end_process "$plaza_pid" TERM
fence

# Attacks.
text='in the clear'
attack "$(with '{ do: "say", topic: $room, payload: { type: 1, message: $text,
	user: "mallory", UID: "m1", seq: 1, once: true, time: "1" } }')"
fence
is "$(marks 'in the clear')" '!' 'a clear message in a sealed room'
is "$(jq -r 'select(.text == "in the clear") | .sealed' <"$T/ear.out")" false \
	'which is not sealed'
attack "$(with '{ do: "say", topic: $room, headers: { "qchat.sealed": "room" },
	payload: { type: 1, message: "pretended", user: "mallory", UID: "m2",
	seq: 1, once: true, time: "1" } }')"
fence
is "$(marks pretended)" '' 'one that says that it was sealed'
last=$(grep -a '"topic":"'"$room"'".*type..:5,' "$seen" | tail -n 1 |
	jq -r .text)
text=$(echo "$last" | jq -r .salt)
before=$(grep -c . "$T/ear.out")
attack "$(with '{ do: "again", topic: $room, match: $text }')"
attack "$(with '{ do: "again", topic: $room, match: $text, times: 5 }')"
fence
is "$(grep -c . "$T/ear.out")" $((before + 1)) 'sealed messages, replayed'
text=$(echo "$last" | jq -c '.sealed |= (.[0:20] +
	(if .[20:21] == "A" then "B" else "A" end) + .[21:])')
attack "$(with '{ do: "say", topic: $room, sign: false, text: $text }')"
text=$(echo "$last" | jq -c '.sealed |= .[0:40]')
attack "$(with '{ do: "say", topic: $room, sign: false, text: $text }')"
text=$(echo "$last" | jq -c '.counter += 1')
attack "$(with '{ do: "say", topic: $room, sign: false, text: $text }')"
text=$(echo "$last" | jq -c '.salt = "AAAAAAAAAAAAAAAAAAAAAA=="')
attack "$(with '{ do: "say", topic: $room, sign: false, text: $text }')"
text=$(echo "$last" | jq -c '.to = .salt')
attack "$(with '{ do: "say", topic: $room, sign: false, text: $text }')"
before=$(grep -c . "$T/ear.out")
fence
is "$(grep -c . "$T/ear.out")" $((before + 1)) \
	'altered, cut off, under another number, salt, and recipient'

# In another room of the same secret-holders.
own alice must qchat-invite --new -r other
own alice start other qchat-listen -v -r other --json
other_pid=$pid
must wait_line "$T/other.err" 'in other'
text=$(echo "$last" | jq -r .salt)
attack "$(with '{ do: "again", topic: "/mcafee/event/qchat/other",
	match: $text }')"
own alice exit_is 0 'a message of the other room' qchat-say -r other 'over here'
ok 'is there' wait_line "$T/other.out" 'over here'
is "$(grep -c . "$T/other.out")" 1 'and none that was moved'
end_process "$other_pid" TERM

# To one alone: moved to another, and to a key that is none of his.
own bob start bob qchat-listen -v -r ops --json
bob_pid=$pid
must wait_line "$T/bob.err" 'in ops'
own alice exit_is 0 'to Bob' qchat-say -r ops -t bob 'only you'
ok 'he has it' wait_line "$T/bob.out" '"type":"direct".*only you'
direct=$(grep -a '"topic":"/mcafee/client/' "$seen" | grep -a 'ephemeral' |
	tail -n 2 | head -n 1)
text=$(echo "$direct" | jq -r .text)
own_inbox=$(echo "$direct" | jq -r .topic)
attack "$(with '{ do: "say", topic: "'"$own_inbox"'", sign: false, text: $text }')"
own bob must qchat-say -r ops 'behind it'
ok 'what came behind it' wait_line "$T/bob.out" 'behind it'
is "$(grep -c 'only you' "$T/bob.out")" 1 'a replay is not shown again'
is "$(grep -c 'only you' "$T/ear.out")" 0 'nobody else has it'
own alice exit_is 69 'to who is not there' qchat-say -r ops -t nobody hello
like "$(err)" '"nobody" is not in the room, ' 'and says so'
own alice exit_is 64 'with --lines' qchat-say -r ops -t bob -l
own alice exit_is 64 'to two' qchat-say -r ops -t bob -t carol x
like "$(err)" '"bob" and "carol" are two' 'and why'
own alice exit_is 64 'to nobody' qchat-say -r ops -t '' x
own alice exit_is 64 'to what is no UTF-8' qchat-say -r ops -t "$(printf '\377')" x
own mallory start liar qchat-listen -v -r ops -u bob
liar_pid=$pid
own alice exit_is 0 'somebody without the secret has no name' \
	qchat-say -r ops -t bob 'still you'
ok 'and Bob has it' wait_line "$T/bob.out" 'still you'

# Two who have the name, under certificates of the same authority.
own bob start right qchat-listen -v -r twins --json
right_pid=$pid
must wait_line "$T/right.err" 'in twins'
own mallory start wrong qchat-listen -v -r twins -u bob --json
wrong_pid=$pid
must wait_line "$T/wrong.err" 'in twins'
for i in 1 2; do
	own dave exit_is 77 "who is not known is none of two: $i" \
		qchat-say -r twins -t bob 'for whom'
	like "$(err)" 'bob is here with two certificates' 'and says so'
done
end_process "$wrong_pid" TERM
own dave exit_is 0 'one alone is it' qchat-say -r twins -t bob 'for bob'
own mallory start wrong qchat-listen -v -r twins -u bob --json
wrong_pid=$pid
must wait_line "$T/wrong.err" 'in twins'
own dave exit_is 0 'and is known from then on' qchat-say -r twins -t bob 'once more'
ok 'it has both' wait_line "$T/right.out" 'once more'
end_process "$right_pid" TERM
own dave exit_is 77 'another is not, when it is away' \
	qchat-say -r twins -t bob 'for whom'
end_process "$wrong_pid" TERM
is "$(grep -c '"type":"direct"' "$T/wrong.out")" 0 'and has got nothing'
is "$(grep -c '"type":"direct"' "$T/right.out")" 2 'where the right one got two'

# A name as it is shown, which may be that of two.
own dora start day qchat-listen -v -r twins -u 'Dora Day' --json
day_pid=$pid
must wait_line "$T/day.err" 'in twins'
own dave exit_is 0 'a name with a blank' qchat-say -r twins -t 'Dora Day' hello
own dave exit_is 0 'and as it is shown' qchat-say -r twins -t Dora_Day 'once more'
ok 'is the same one' wait_line "$T/day.out" '"type":"direct".*once more'
own mallory start wrong qchat-listen -v -r twins -u Dora_Day --json
wrong_pid=$pid
must wait_line "$T/wrong.err" 'in twins'
own dave exit_is 77 'who looks like another' qchat-say -r twins -t Dora_Day hello
like "$(err)" 'two names that look like Dora_Day' 'is told'
own dave exit_is 0 'and is none' qchat-say -r twins -t 'Dora Day' 'for you'
ok 'she has it' wait_line "$T/day.out" '"type":"direct".*for you'
end_process "$wrong_pid" TERM
end_process "$day_pid" TERM
is "$(grep -c '"type":"direct"' "$T/wrong.out")" 0 'alone'

# Rotation: what runs takes the new secret, and reads the old one.
own alice exit_is 0 'a new secret' qchat-invite --rotate -r ops
own alice must qchat-invite -r ops "$bob/user.crt"
sed -n '/BEGIN/,/END/p' "$T/must.out" >"$T/again.pem"
must wait_line "$T/ear.err" 'back in ops' # its will is under the new one
own bob exit_is 0 'before Bob has it' qchat-say -r ops 'under the old one'
ok 'Alice reads the old one' wait_line "$T/ear.out" 'under the old one'
own bob exit_is 0 'Bob takes it' qchat-invite --accept "$T/again.pem" \
	--replace
own alice exit_is 0 'Alice says something' qchat-say -r ops 'under the new one'
ok 'Bob reads it' wait_line "$T/bob.out" 'under the new one'
ok 'Alice does, too' wait_line "$T/ear.out" 'under the new one'

# All rooms at once.  What is said in a sealed one is read, and answered and
# asked under its seal, for keys as well.

# keyless ROOM INBOX: somebody says something whose key nobody has
keyless() {
	keyless_topic=/mcafee/event/qchat/$1
	attack "$(jq -nc --arg topic "$keyless_topic" --arg inbox "$2" '{
		do: "say", topic: $topic, key: $inbox, bind: false, certs: false,
		payload: { type: 2, user: "mallory", UID: $inbox[-32:], time: "1",
		inbox: $inbox } }')"
}

# asked INBOX TYPE COUNT: so many messages of a type came to it
asked() {
	[ "$(types_at "$1" | grep -cx "$2")" -ge "$3" ]
}

types_at() {
	grep -aF "\"topic\":\"$1\"" "$seen" | jq -r '.text | fromjson | .type'
}

# asks_all USER: starts a qchat-who for all rooms that does not end by itself
asks_all() {
	lobby=/mcafee/event/qchat/
	before=$(types_at "$lobby" | wc -l)
	own "$1" start all qchat-who -a -d -w 600
	all_pid=$pid
	must wait_for asked "$lobby" 3 $((before + 1))
}

end_process "$liar_pid" TERM
own dora start open qchat-listen -v -r open
must wait_line "$T/open.err" 'in open'
asks_all bob
keyless ops /mcafee/client/key-of-ops
keyless open /mcafee/client/key-of-open
ok 'a key is asked for in a clear room, by who is there and who asks all' \
	wait_for asked /mcafee/client/key-of-open 13 2
ok 'in a sealed one' wait_for asked /mcafee/client/key-of-ops 5 3
is "$(types_at /mcafee/client/key-of-ops | sort | uniq -c | xargs)" '3 5' \
	'under its seal alone'
end_process "$all_pid" TERM
is "$status" 0 'all rooms'
like "$(cat "$T/all.out")" '^ops alice [+] ' 'have those of a sealed one'
like "$(cat "$T/all.out")" '^open dora [+] ' 'and of a clear one'
is "$(grep -E '^(room|sealed) ' "$T/all.out" | sort | xargs)" \
	'room open room ops sealed no sealed yes' 'and tell which is which'
before=$(types_at "$room" | grep -cx 3)
own carol exit_is 0 'all rooms, without a secret' qchat-who -a -q -w 2
is "$(grep -v ' mallory$' "$T/out" | sort)" 'open dora' 'have the clear one'
is "$(grep -c '^ops' "$T/out")" 0 'alone'
is "$(types_at "$room" | grep -cx 3)" "$before" \
	'and nothing is asked in the sealed one'

# Secrets that others can read are not used, and nothing is said in the clear.
chmod 644 "$T"/state-alice/qchat/secrets/*
own alice exit_is 77 'a secret that others can read' qchat-say -r ops hello
like "$(err)" 'chmod' 'what to do about it'
asks_all alice
keyless ops /mcafee/client/key-of-ops-again
keyless open /mcafee/client/key-of-open-again
must wait_for asked /mcafee/client/key-of-open-again 13 2
must wait_for asked /mcafee/client/key-of-ops-again 5 1
is "$(types_at /mcafee/client/key-of-ops-again | grep -cvx 5)" 0 \
	'nor is a key asked for in the clear'
end_process "$all_pid" TERM
ok 'all of that has ended no listener' alive "$ear_pid"
end_process "$bob_pid" TERM
done_testing
