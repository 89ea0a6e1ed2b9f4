#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the screen of qchat-join shows, and what its keys and commands do.
# Whole screens are compared with tests/data/screen/, with times and ports
# masked; with QCHAT_TEST_SCREENS=DIR they are written there as they are.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

# To `mute` nobody may write, for a while.
topics=/mcafee/event/qchat
broker_rules="pattern readwrite $topics/deck
pattern readwrite $topics/dock
pattern readwrite $topics/ops
pattern readwrite $topics/lab
pattern read $topics/mute
pattern write /mcafee/client/+
pattern read /mcafee/client/%c"
broker_start
esc=$(printf '\033')

masked() {
	shown "$1" | sed -E \
		-e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}/HH:MM:SS/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/YYYY-MM-DD/g' \
		-e 's/127\.0\.0\.1:[0-9]{5}/127.0.0.1:PORT_/g' \
		-e 's/$/|/'
	tm display-message -p -t "$1" 'cursor #{cursor_x},#{cursor_y}'
}

# looks NAME WANT: the whole screen is as that file has it, soon
looks() {
	looks_want=$srcdir/tests/data/screen/$2
	if [ -n "${QCHAT_TEST_SCREENS:-}" ]; then
		looks_want=$QCHAT_TEST_SCREENS/$2
		write_still "$1" "$looks_want"
	fi
	wait_for looks_now "$1" "$looks_want" && return
	masked "$1" | diff -u "$looks_want" -
}

looks_now() {
	masked "$1" | cmp -s - "$2"
}

# What does not change any more; never in a test run.
write_still() {
	still_count=0
	until [ "$still_count" -eq 20 ]; do
		still_count=$((still_count + 1))
		looks_now "$1" "$2" || still_count=0
		masked "$1" >"$2"
		sleep 0.02
	done
}

# looks_at_all NAME WANT: at each size
looks_at_all() {
	for size in '80 24' '200 60' '40 10' '20 5'; do
		# shellcheck disable=SC2086 # two words
		resize "$1" $size
		ok "$2 at $size" looks "$1" \
			"$2.${size% *}x${size#* }"
	done
}

# say BY ROOM TEXT [OPTION…]
say() {
	say_by=$1
	say_room=$2
	say_text=$3
	shift 3
	as "$say_by" must qchat-say -r "$say_room" "$@" -- "$say_text"
}

# Whole screens: an incident, in one locale and room.
incident() {
	name=$1
	room=$2
	screen_size='80 24'
	screen "$name" alice -r "$room"
	must sees "$name" 'you are in the room'
	as eve start "$name.ear" qchat-listen -v -r "$room" --presence
	must sees "$name" 'eve joined'
	say bob "$room" "$(seq -f 'row %g' 60)"
	must sees "$name" 'row 60'
	say bob "$room" 'db7 is full' -s high --title Backup
	must sees "$name" '\+ bob: \[high\] Backup: db7 is full'
	say bob "$room" 'Alice, can you look at it?'
	must sees "$name" '>\+ bob: Alice'
	type "$name" 'on it'
	must sees "$name" '\+ alice: on it'
	type "$name" '\me opens a ticket'
	must sees "$name" '\+ \* alice opens a ticket'
	type "$name" '\sev low it is the log again'
	must sees "$name" '\+ alice: \[low\] it is the log'
	type "$name" '\d eve keep an image of the disk'
	must sees "$name" '\+@ alice to eve: keep'
	type "$name" '/nonsense'
	must sees "$name" '\* no command /nonsense'
	say bob "$room" "naïve 漢字, cafe$(printf '\314\201') and $(
	)what is long enough for a second row: db7.example.com:/var/log/$(
	)postgresql/postgresql-2026-11-26.log has 4711 MB"
	must sees "$name" '4711 MB'
	put "$name" "${esc}[Ow" # a key tells when it is taken
	must sees "$name" "^alice@$room> w\$"
	say bob "$room" 'nobody looks'
	must sees "$name" 'nobody looks'
	put "$name" "${esc}[Ih"
	must sees "$name" "^alice@$room> wh\$"
	say bob "$room" 'and somebody again'
	must sees "$name" 'and somebody'
	put "$name" 'at I type, 漢字'
	press "$name" M-Enter
	put "$name" 'has two lines'
	looks_at_all "$name" "$name.talk"
	press "$name" C-c
	put "$name" "${esc}[1;5H"
	say bob "$room" 'news'
	looks_at_all "$name" "$name.back"
}

# styled NAME: with its attributes
styled() { tm capture-pane -e -p -t "$1"; }
has_style() { styled "$1" | grep -Eq -e "$2"; }

# Nobody may write there; how that ends is seen below.
screen mute dan -r mute
must sees mute 'you are in the room'
type mute 'can you hear me'

incident utf8 deck
screen_env=LC_ALL=C
incident c dock

# What follows is on one screen, in a room with another screen and a listener.
cat >"$T/notify" <<'END'
#!/bin/sh
for argument; do
	printf '%s\n' "$argument"
done >>"$0.said"
! grep -q '^Ann' "$0.said" # its last time, it fails
END
chmod +x "$T/notify"
conf=$(user_conf ann)
cat >>"$conf" <<-END
join = { notify = [ "$T/notify", "a b" ]; highlight = [ "db7", "on call" ]; };
END
screen_env='TZ=XST-05:30 TERM=xterm-256color'
screen_size='100 30'
screen ann ann -r ops
must sees ann 'you are in the room'
must tm pipe-pane -t ann "cat >'$T/ann.bytes'"
as eve start ear qchat-listen -v -r ops --presence
must sees ann 'eve joined'
screen_env=
screen bob bob -r ops
must sees ann 'bob joined'

# The participants.

ok 'the participants are beside it' sees ann '│ \+ann$'
press ann M-n
ok 'M-n hides them' sees_no ann '│'
press ann F2
ok 'F2 shows them' sees ann '│ \+bob$'
resize ann 59 30
ok 'where it is narrow, they are hidden' sees_no ann '│'
resize ann 60 30
ok 'and are back' sees ann '│ \+eve$'
resize ann 100 30
ok 'the status line tells how many they are' \
	sees ann '^ ops \| 3 here \| clear \| on 127.0.0.1:[0-9]+ \| UTC$'

# The clock.

press ann M-t
ok 'M-t shows local time with its offset' \
	sees ann '^[0-9:]{8}\+0530 \* eve joined'
ok 'and the status line has it' on_screen ann ' \| UTC\+0530$'
type ann '\time'
ok '\time shows UTC' sees ann '^[0-9:]{8} \* eve joined'

# Our own line, before it is proved.

kill -s STOP "$broker_pid"
type ann 'is it proved?'
ok 'what is said is shown at once, with a dot' \
	sees ann '^[0-9:]{8} \. ann: is it proved\?'
ok 'dimmed' wait_for has_style ann "$esc\\[0;2m[^:]*: is it proved"
ok 'and is unconfirmed' sees ann ' \| 1 unconfirmed \| '
resize ann 20 5
ok 'on the smallest screen, too' sees ann '^ ops \| 1 unconfirmed$'
resize ann 100 30
kill -s CONT "$broker_pid"
ok 'then it is proved' sees ann '^[0-9:]{8} \+ ann: is it proved\?'
ok 'which nothing tells any more' sees_no ann 'unconfirmed'
ok 'others have it' wait_line "$T/ear.out" ' \+ ann is it proved\?$'

# The input.

press ann a M-Enter b M-Enter c
ok 'the input has a row for each line' \
	sees ann '^ann@ops> a$'
must sees ann '^c$'
is "$(shown ann | tail -n 3 | tr '\n' ,)" 'ann@ops> a,b,c,' 'as they are'
for n in 4 5 6 7 8 9 10; do
	press ann M-Enter "$n"
done
ok 'it grows no further than that' sees_no ann '^ann@ops'
must sees ann '^10$'
is "$(shown ann | tail -n 8 | tr '\n' ,)" 'c,4,5,6,7,8,9,10,' \
	'and shows the part with the cursor'
press ann C-c
ok 'C-c empties it' sees ann '^ann@ops>$'
put ann 'a draft that goes on for longer than the screen has columns, '
put ann 'and is neither lost nor cut when that is so'
ok 'it breaks' sees ann '^en that is so$'
for size in '20 5' '8 3' '1 1' '2 2' '200 60' '3 100' '100 30'; do
	# shellcheck disable=SC2086 # two words
	resize ann $size
done
ok 'and is there after any size' \
	sees ann '^ann@ops> a draft that goes on .* neither lost nor cut wh$'
press ann Enter
ok 'it is said as it was' wait_line "$T/ear.out" \
	' ann a draft .* has columns, and is neither lost nor cut when that is so$'
combined=$(printf 'e\314\201')
put ann "$combined 漢"
press ann Left BSpace
ok 'a cursor goes by characters' sees ann "^ann@ops> $combined漢\$"
press ann C-c

# Tab.

type bob 'look at 198.51.100.77 and at https://evil.example/x'
must sees ann 'bob: look'
put ann '\ig'
press ann Tab
ok 'Tab completes a command' sees ann '^ann@ops> \\ignore( |$)'
press ann Tab
ok 'and what it takes' sees ann '^ann@ops> \\ignore (bob|eve)'
press ann C-c
put ann 'ev'
press ann Tab
ok 'a name' sees ann '^ann@ops> eve:( |$)'
press ann C-c
put ann 'block 198'
press ann Tab
ok 'an indicator' sees ann '^ann@ops> block 198\.51\.100\.77( |$)'
press ann C-c
# What is for us.

type bob 'db7 is full'
ok 'a configured word is marked' sees ann '^[0-9:]{8}>\+ bob: db7 is full'
say carol ops 'nobody is meant' -s low
say carol ops 'everybody is meant' -s critical
ok 'what is severe is told, too' wait_line "$T/notify.said" '^everybody is meant$'
ok 'what is not is not' not grep -q 'nobody is meant' "$T/notify.said"
type bob 'db77 is not'
ok 'a part of a word is not' sees ann '^[0-9:]{8} \+ bob: db77'
type bob 'Ann: -x <b>'
ok 'our name is marked' sees ann '^[0-9:]{8}>\+ bob: Ann'
ok 'the notify command has run' wait_line "$T/notify.said" '^Ann: -x .*b>$'
is "$(head -n 3 "$T/notify.said" | tr '\n' ,)" 'a b,ops: bob,db7 is full,' \
	'with room, name and text as arguments'
ok 'one that fails is told of' sees ann 'the notify command has failed'
ok 'there was a bell' grep -q "$(printf '\a')" "$T/ann.bytes"
type bob 'who is ON CALL?'
ok 'also of two' sees ann '^[0-9:]{8}>\+ bob: who is ON CALL\?'

# Names have colours, and who wants none has none.

ok 'a name has a colour' wait_for has_style ann "$esc\\[[0-9;]*38;5;[0-9]+m[^m]*bob"
screen_env='NO_COLOR=1 TERM=xterm-256color'
screen plain bob -r ops -u bobby
must sees plain 'db77'
ok 'with NO_COLOR it has none' not has_style plain \
	"$esc\\[[0-9;]*(3[0-7]|38;|9[0-7])"
ok 'but what is bold' wait_for has_style plain "$esc\\[1mbob"
screen_env=
type plain '\q'
must sees ann 'bobby left'

# Reading back.

type bob "$(seq -s ' ' 30)"
for n in 1 2 3; do
	say carol ops "$(seq -f "block $n row %g" 25)"
	must sees ann "block $n row 25"
done
press ann PPage PPage
ok 'page up reads back, above a rule' sees ann '^── 2 newer below ──+ │$'
ok 'with the newest below' sees ann '^  block 3 row 25'
shown ann >"$T/before"
type bob 'while you read'
ok 'what comes is below' sees ann 'bob: while you read'
ok 'and counted' sees ann '^── 3 newer below ──+ │$'
ok 'in the status line, too' sees ann '^ ops \| 3 newer below \| '
sed '/──/,$d' "$T/before" >"$T/above"
is "$(shown ann | sed '/──/,$d' | diff "$T/above" -)" '' 'what is read stays'
press ann 'M->'
ok 'M-> goes to the end' sees_no ann 'newer below'
press ann 'M-<'
ok 'M-< to the start' sees ann '^-- [0-9-]+ UTC --'
press ann NPage NPage NPage NPage NPage NPage NPage NPage NPage
ok 'page down to the end again' sees_no ann 'newer below'

# Searching.

type ann '\s row 7'
ok '\s finds the newest' sees ann '^  block 3 row 7 '
ok 'and marks it' wait_for has_style ann "$esc\\[4mblock 3 row 7"
ok 'the status line has the keys' sees ann ' \| n, N: row 7$'
put ann n
ok 'n the one before' sees ann '^  block 2 row 7 '
put ann N
ok 'N the one behind' sees ann '^  block 3 row 7 '
put ann N
ok 'where there is none, it says so' sees ann '\* row 7: not found further down'
press ann Escape
ok 'Esc ends it' sees_no ann 'n, N'
put ann 'no'
ok 'then n is a letter' sees ann '^ann@ops> no$'
press ann C-c
type ann '\s row 7'
must sees ann 'n, N: row 7'
type ann 'what'
must sees ann '\+ ann: what'
type ann 'no'
ok 'so it is when something was said' sees ann '\+ ann: no '
type ann '\s'
ok 'without a word it is at the end' sees_no ann 'newer below'

# Commands.

type ann "\\w $T/written"
ok '\w writes the scrollback' sees ann "\\* $T/written: [0-9]+ lines written"
is "$(stat -c %a "$T/written")" 600 'into a file of ours alone'
ok 'all of it' grep -q ' ops + bob while you read$' "$T/written"
type ann "\\w $T/written"
ok 'and into no file that is there' sees ann 'give another name'
type ann '\c'
ok '\c counts' sees ann '^  +[0-9]+ \+ bob'
ok 'what became of it' on_screen ann '^  0 unconfirmed, 0 not delivered'
type ann '\p'
ok '\p lists who is here' \
	sees ann "^  \\+ bob, since .*Z, idle [0-9]+m?s, qchat-join/"
ok 'oneself, too' on_screen ann '^  \+ ann \(you\), since .*, idle [0-9]+m?s, '
ok 'with the certificate' \
	on_screen ann ", $(fingerprint bob | cut -c 1-16)"
type ann '\me waves'
ok '\me says what one does' sees bob '\+ \* ann waves'
type ann '\sev critical it burns'
ok '\sev how bad it is' sees bob '\+ ann: \[critical\] it burns'
type ann '\sev awful it burns'
ok 'which must be known' sees ann '\\sev: the level is info, low'
ok 'and the line is there again' sees ann '^ann@ops> \\sev awful it burns$'
press ann C-c
type ann '\d bob for you alone'
ok '\d is proved by a receipt' sees ann '\+@ ann to bob: for you alone'
ok 'and is seen by whom it is for' sees bob '\+@ ann: for you alone'
type ann '\d nobody are you there'
ok '\d to nobody is told' sees ann '\* .*nobody'
press ann C-c
type ann '\pin eve'
ok '\pin pins' sees ann '\* eve: [0-9a-f]+ '
ok 'to the certificate' on_screen ann ': (was )?pinned'
type ann '\ignore bob'
ok '\ignore hides' sees_no ann '\+ bob: '
type bob 'can you hear me?'
must wait_line "$T/ear.out" ' can you hear me\?$'
type ann '\ignore'
ok 'it lists who is hidden' sees ann '\* ignored: bob'
ok 'what came is hidden, too' not on_screen ann 'can you hear me'
type ann '\ignore bob'
ok 'and shown again' sees ann '\+ bob: can you hear me'
type ann '\h j'
ok '\h tells of a command' sees ann '\\j ROOM  joins a room'


# Several rooms.

screen cat cat -r lab
must sees cat 'you are in the room'
put ann 'of ops'
press ann C-a C-k
type ann '\j lab'
ok '\j joins a room' sees ann '^ 1:ops \[2:lab\] \| '
ok 'which has its own prompt' sees ann '^ann@lab>$'
must sees cat 'ann joined'
put ann 'for lab'
press ann M-1
ok 'M-1 goes to the first' sees ann '^ \[1:ops\] 2:lab \| '
ok 'the draft stays where it was' sees ann '^ann@ops>$'
put ann 'for ops'
press ann C-n
ok 'C-n to the next, where the draft is' sees ann '^ann@lab> for lab$'
type bob 'one'
must wait_line "$T/ear.out" ' bob one$'
ok 'what comes elsewhere is counted' sees ann '^ 1:ops\(1\) \[2:lab\] '
type bob 'ann, two'
ok 'and told if it is for us' sees ann '^ 1:ops\(2!\) \[2:lab\] '
resize ann 20 5
ok 'on the smallest screen, too' sees ann '^ \[2:lab\] \+2! \| clear$'
resize ann 100 30
press ann C-p
ok 'C-p goes to the one before' sees ann '^ \[1:ops\] 2:lab \| '
ok 'with its draft' sees ann '^ann@ops> for ops$'
ok 'where a line tells what is unread' sees ann '^-- unread from here on --'
is "$(shown ann | sed -n '/unread from/,$p' | grep -c 'bob: \(one\|ann, two\)')" \
	2 'above it'
press ann C-c
press ann M-2
must sees ann '^ann@lab> for lab$'
press ann C-c
type ann '\l'
ok '\l leaves the room' sees ann '^ ops \| '
ok 'which others see' sees cat 'ann left \(bye\)'
ok 'and says so' sees ann '\* you have left lab'
put ann '\j l'
press ann Tab
ok 'Tab knows the rooms' sees ann '^ann@ops> \\j lab( |$)'
press ann C-c
type ann '\l'
ok 'but not the last one' sees ann '\* this is the only room'

# vi's keys, by ~/.inputrc.

printf 'set editing-mode vi\n' >"$T/inputrc"
screen_env="INPUTRC=$T/inputrc"
screen vi cat -r ops -u vicky
screen_env=
must sees vi 'you are in the room'
put vi 'one two'
press vi Escape
put vi 'bcwthree'
ok "vi's keys edit the line" sees vi '^vicky@ops> one three$'
press vi Escape
put vi '0x'
ok 'in its two modes' sees vi '^vicky@ops> ne three$'
press vi Enter
ok 'and Enter says it' wait_line "$T/ear.out" ' vicky ne three$'
type vi '\q'

# What the fabric does not let through.

ok 'what does not come back is not delivered' sees mute \
	'^[0-9:]{8} . dan: \[NOT DELIVERED; \\r says it again\] can you hear me'
ok 'the status line tells it' sees mute '^ mute \| 1 NOT DELIVERED \| '
resize mute 20 5
ok 'on the smallest screen, too' sees mute '^ mute \| 1 FAILED$'
resize mute 40 10
ok 'on a small one' sees mute '^ mute \| 1 NOT DELIVERED \| '
resize mute 80 24
as eve start mute.ear qchat-listen -v -r mute
must wait_line "$T/mute.ear.err" 'in mute'
must broker_obey "$(printf '%s\n' "$broker_rules" |
	sed '/mute/s/ read / readwrite /')" sees mute 'CONNECTION LOST'
must sees_no mute 'CONNECTION LOST'
[ "$fabric_kind" != dxl ] || must wait_line "$T/mute.ear.err" 'back in mute'
( # who alone has a secret
	XDG_STATE_HOME=$T/gus
	export XDG_STATE_HOME
	as gus must qchat-invite --new -r mute
	as gus must qchat-say -r mute 'for those who have it'
)
must sees mute '^ mute .* NO SECRET'
type mute '\r'
ok '\r asks where others seal' \
	sees mute '\\r once more says it again, IN THE CLEAR'
type mute '\r'
ok '\r says it again' sees mute '\* 1 said again'
ok 'and then it is proved' sees mute '^[0-9:]{8} \+ dan: can you hear me'
ok 'nothing tells of it any more' sees_no mute 'NOT DELIVERED \|'
type mute 'the next'
must sees mute 'is "the next" to go there IN THE CLEAR'
type mute '\yes'
must wait_line "$T/mute.ear.out" ' dan the next$'
is "$(grep -c 'can you hear me' "$T/mute.ear.out")" 1 'others see it once'
type mute '\r'
ok 'then there is nothing to say again' sees mute 'nothing is undelivered'

# Without the broker the status line tells the truth.

put ann 'not yet'
broker_stop
ok 'the connection is lost' \
	sees ann '^ ops \| CONNECTION LOST, trying again \| '
resize ann 40 10
ok 'on a small screen' sees ann '^ ops \| CONNECTION LOST \| '
resize ann 20 5
ok 'on the smallest' sees ann '^ ops \| LOST'
resize ann 100 30
ok 'the draft stays' sees ann '^ann@ops> not yet$'
press ann Enter
ok 'and is not confirmed' sees ann '^ ops \| CONNECTION LOST.* 1 unconfirmed '
must broker_restart
ok 'the connection is back' sees ann '^ ops \| [0-9]+ here'
ok 'and what was said is proved' sees ann '\+ ann: not yet'

done_testing
