#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# qchat-join in line mode, as for a screen reader.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
. "$(dirname "$0")/shell.sh"

broker_rules='pattern readwrite /mcafee/event/qchat/ops
pattern readwrite /mcafee/event/qchat/two
pattern read /mcafee/event/qchat/mute
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
broker_start
as eve start ear qchat-listen -v -r ops --presence
must wait_line "$T/ear.err" 'in ops'
as eve start two qchat-listen -v -r two --presence
must wait_line "$T/two.err" 'in two'

for user in ann bob; do
	shell "$user" "$user"
done

# reads NAME ERE: so it was told a line, soon
reads() { wait_for has_lines "$T/$1.raw" "$2" 1; }

# how_often NAME ERE: how often it was
how_often() { count_lines "$T/$1.raw" "$2"; }

# is_text NAME: since it began, its terminal got text, and CR LF
is_text() {
	awk '/\.run.;/ { text = ""; next } { text = text $0 "\n" }
		END { printf "%s", text }' "$T/$1.raw" >"$T/$1.text"
	ok 'all of it was seen' grep -q 'you are in the room' "$T/$1.text"
	is "$(LC_ALL=C tr -d '\r\n -~\200-\377' <"$T/$1.text" | od -An -c |
		head -n 3)" '' 'and nothing but text'
}

# A terminal that cannot do more.

enter ann 'TERM=dumb; export TERM'
join ann -r ops
ok 'on a dumb terminal there is the line mode' \
	reads ann ' \* you are in the room; .h lists the commands.?$'
ok 'with the date first' reads ann '^-- 2[0-9-]{9} UTC --.?$'
ok 'it is in the room' wait_line "$T/ear.out" ' \* ann joined$'
type ann 'hello from a line'
ok 'a line is said' wait_line "$T/ear.out" ' ann hello from a line$'
as carol exit_is 0 'somebody else says something' qchat-say -r ops 'good morning'
ok 'it is told' reads ann '^..:..:.. [+] carol: good morning.?$'
is "$(how_often ann 'hello from a line')" 1 'the own line stands there once'
as carol exit_is 0 'lines that would be somebody else'\''s' qchat-say -r ops \
	"$(printf 'one\n12:00:00  + bob: two\033[31m')"
ok 'are indented' reads ann '^  12:00:00  [+] bob: two.x1b\[31m.?$'

# More than the terminal takes of a line.

awk 'BEGIN { for (i = 0; i < 600; i++) printf "ten bytes," ; printf "end" }' \
	>"$T/long"
must tm load-buffer "$T/long"
must tm paste-buffer -t ann
must tm send-keys -t ann Enter
ok 'a line that the terminal cuts is refused' reads ann 'nothing was sent'
type ann 'behind the long line'
ok 'the next one is said' wait_line "$T/ear.out" ' ann behind the long line$'
is "$(grep -c 'ten bytes' "$T/ear.out")" 0 'and nothing of the other one'

# A terminal without UTF-8, to which the second byte of a letter is CSI.

shell dan dan
enter dan 'LC_ALL=C; export LC_ALL'
join dan --plain -r ops
must reads dan 'you are in the room'
as carol exit_is 0 'a letter that has C1 in it' qchat-say -r ops \
	"$(printf 'x\303\23331mred')"
ok 'is shown as ? where the locale has none' \
	reads dan ' carol: x[?]31mred.?$'
type dan '\q'
ok 'it ends' ended dan

# What comes and goes is told once: by itself, or with what was close to it.

join bob --plain -r ops
must reads bob 'you are in the room'
ok 'who comes is told' reads ann '^..:..:.. \* (.*, )?bob joined.?$'
type bob '\q'
ok '\q ends it' ended bob
ok 'who goes too' reads ann '^..:..:.. \* (.*, )?bob left'
is "$(how_often ann 'bob joined')" 1 'and nothing twice'
crowd=
for user in frank grace heidi; do
	as "$user" start "$user" qchat-listen -v -r ops
	crowd="$crowd $pid"
	must wait_line "$T/ear.out" " \\* $user joined\$"
done
as carol exit_is 0 'several come, and one says something' \
	qchat-say -r ops 'who is new?'
must reads ann '[+] carol: who is new[?]'
is "$(sed '/carol: who is new/,$d' "$T/ann.raw" |
	grep -aoE '(frank|grace|heidi) joined' | tr '\n' ,)" \
	'frank joined,grace joined,heidi joined,' 'all of them are told before'
for pid in $crowd; do
	end_process "$pid"
done
ok 'nothing need be said for that' reads ann ' heidi left'

# Commands.

type ann '\p'
ok '\p lists who is here' reads ann '^..:..:.. \* 2 here'
type ann '/time'
ok 'a slash does, too' reads ann ' \* local time.?$'
type ann '\time'
must reads ann ' \* UTC.?$'
type ann '\nonsense'
ok 'what is none is told' reads ann 'no command .nonsense'
type ann '\h'
ok '\h lists them' reads ann '^ .*\\sev LEVEL'

# Several lines at once.

# lines NAME FILE: they come at once
lines() {
	must tm load-buffer "$2"
	must tm paste-buffer -t "$1"
}

printf 'y\n\\q\nlast of three\n' >"$T/three"
lines ann "$T/three"
ok 'several lines are asked about' reads ann '^3 lines, 18 bytes came at once'
type ann 'what?'
ok 'what is no answer is none' reads ann '^neither y nor n'
type ann 'n'
ok 'n drops them' reads ann '^dropped'
lines ann "$T/three"
must wait_for has_lines "$T/ann.raw" '^3 lines, 18 bytes came at once' 3
lines ann "$T/three"
ok 'more of them are no answer' reads ann '^6 lines, 37 bytes came at once'
type ann 'y'
ok 'y says them as one message' wait_line "$T/ear.out" \
	' ann y.n..q.nlast of three.ny.n..q.nlast of three$'
is "$(grep -c 'what?' "$T/ear.out")" 0 'and nothing else was said'
type ann ''
press ann Enter Enter
type ann 'after empty lines'
ok 'empty lines are nothing' wait_line "$T/ear.out" ' after empty lines$'

# The link.

broker_kill
ok 'a lost connection is told' reads ann '^..:..:.. \* .*(lost|closed|reset|connection)'
type ann 'said into the dark'
must broker_restart
ok 'and that it is back' reads ann '^..:..:.. \* back in the room'
ok 'what was said is said once' wait_line "$T/ear.out" ' ann said into the dark$'
as bob exit_is 0 'it goes on' qchat-say -r ops 'here we are'
must wait_line "$T/ear.out" ' here we are$'
is "$(grep -c 'into the dark' "$T/ear.out")" 1 'and once it is'
is_text ann

# Ways out.

type ann 'last words'
press ann C-d
ok 'control-D ends it' ended ann
is "$status" 0 'in order'
ok 'the last line was said' wait_line "$T/ear.out" ' ann last words$'
ok 'and a bye' wait_line "$T/ear.out" ' \* ann left \(bye\)$'
enter ann "stty -g >'$T/ann.after'"
is "$(cat "$T/ann.after")" "$(cat "$T/ann.before")" 'the terminal is as it was'

join bob --plain -r ops
must wait_line "$T/ear.out" ' \* bob joined$' 2
lines bob "$T/three"
must reads bob '^3 lines, 18 bytes came at once'
press bob C-d
ok 'control-D at a question ends it' ended bob
ok 'and says so' reads bob '^what came at once was not sent'
join bob --plain -r ops
must wait_line "$T/ear.out" ' \* bob joined$' 3
press bob C-z
ok 'control-Z stops it' ended bob
is "$status" "$((128 + 20))" 'as any job'
rm "$T/bob.status"
type bob " fg; echo \$? >'$T/bob.status'"
type bob 'in front again'
ok 'fg brings it back' wait_line "$T/ear.out" ' bob in front again$'
press bob C-c
ok 'control-C ends it' ended bob
is "$status" 0 'in order'
ok 'with a bye' wait_line "$T/ear.out" ' \* bob left \(bye\)$' 3

# What is not delivered.

join bob --plain -r mute
must wait_for has_lines "$T/bob.raw" 'you are in the room' 4
type bob 'who hears me'
ok 'what did not come back is told' reads bob '^..:..:.. \* NOT DELIVERED, '
ok 'and which one it is' reads bob 'bob: \[NOT DELIVERED; .r says it again\] who hears me'
type bob '\q'
must ended bob
is "$status" 69 'at the end it is told again'

# Several rooms.

join bob --plain -r ops -r two
ok 'with several rooms each line says where' \
	reads bob '^two ..:..:.. \* you are in the room'
ok 'and which one is typed to' reads bob '^ops ..:..:.. \* what you type goes here'
type bob 'to the first'
ok 'it is' wait_line "$T/ear.out" ' bob to the first$'
type bob '\j two'
ok '\j goes to another' reads bob '^two ..:..:.. \* what you type goes here'
type bob 'to the second'
ok 'so it does' wait_line "$T/two.out" ' bob to the second$'
as carol exit_is 0 'in the other' qchat-say -r ops 'over here'
ok 'one still hears what is said' reads bob '^ops ..:..:.. [+] carol: over here'
type bob '\l'
ok '\l leaves it' reads bob '\* you have left two'
type bob 'and back'
ok 'for the other' wait_line "$T/ear.out" ' bob and back$'
type bob '\q'
must ended bob

# What was kept of who comes and goes is told at the end.

before=$(how_often bob ' bob: to the second')
join bob --plain -r two
must wait_for has_lines "$T/bob.raw" ' bob: to the second' "$((before + 1))"
for user in ivan judy; do
	as "$user" start "$user" qchat-listen -v -r two
	must wait_line "$T/two.out" " \\* $user joined\$"
done
type bob 'what is behind them'
must wait_line "$T/two.out" ' bob what is behind them$'
type bob '\q'
must ended bob
ok 'the last ones, too' reads bob ' \* (.*, )?judy joined'

# Questions.

join bob --plain
ok 'the questions are plain, too' reads bob '^Name \[bob\]\? '
press bob Enter
ok 'one by one' reads bob '^Room.*\? '
type bob ops
must wait_line "$T/ear.out" ' \* bob joined$' 5
type bob '\q'
must ended bob
is_text bob

as ann exit_is 64 'without a terminal there is none' \
	qchat-join --plain -r ops </dev/null
like "$(err)" 'qchat-(listen|say)' 'but other tools, it says'

done_testing
