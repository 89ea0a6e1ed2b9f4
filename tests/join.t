#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# qchat-join on a screen: tmux, with a server of its own.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

broker_start

as eve start ear qchat-listen -v -r ops --presence
must wait_line "$T/ear.err" 'in ops'

# Without a terminal.

as alice exit_is 64 'without a terminal it is 64' qchat-join -r ops </dev/null
like "$(err)" 'qchat-(listen|say)' 'and it says which tool to use'

# Two of them.

screen alice alice -r ops
ok 'the first is in the room' wait_line "$T/ear.out" ' \* alice joined$'
screen bob bob -r ops
ok 'the second too' wait_line "$T/ear.out" ' \* bob joined$'
ok 'its screen shows the room' sees bob 'ops'
type alice 'hello bob, this is alice'
ok 'one sees what the other says' sees bob 'alice.* hello bob, this is alice'
ok 'and its own line' sees alice 'alice.* hello bob, this is alice'
type bob 'good to see you'
ok 'the other way round' sees alice 'bob.* good to see you'
ok 'a listener has it as well' \
	wait_line "$T/ear.out" ' ops [+] bob good to see you$'
as carol exit_is 0 'qchat-say' qchat-say -r ops -s high 'a script reports'
ok 'a post is shown' sees alice 'carol.*\[high\] a script reports'

type alice '\p'
ok '\p lists the participants: oneself' sees alice '(^|[^a-z])alice([^a-z].*)?$'
ok 'the other' sees alice '(^|[ │|])bob( |$)'
ok 'and the listener' sees alice '(^|[ │|])eve( |$)'
type alice '\p bob'
ok '\p NAME tells with which certificate' sees alice \
	'certificate [0-9a-f]{60}'

type alice '\h'
for command in q p c h; do
	ok "\\h tells of \\$command" sees alice "\\\\$command"
done

type alice '\nonsense to all'
ok 'an unknown command is an error' sees alice 'no command .nonsense'
type alice '/gibberish again'
ok 'with a slash too' sees alice 'no command .gibberish'
type alice 'a line after it'
ok 'the next line is sent' wait_line "$T/ear.out" ' alice a line after it$'
is "$(grep -c 'nonsense\|gibberish' "$T/ear.out")" 0 \
	'a command never is'

type alice '\c'
ok '\c tells what was said' sees alice '[0-9]+ messages?'
type bob 'after the counts'
ok 'the conversation goes on' sees alice 'bob.* after the counts'

type bob 'naïve 漢字 😀'
ok 'what is not ASCII is typed and shown' sees alice 'naïve 漢字'
ok 'and sent as it is' wait_line "$T/ear.out" ' bob naïve 漢字 😀$'

# Text that would drive the terminal.
as carol exit_is 0 'an escape sequence' qchat-say -r ops \
	"$(printf 'evil \033]0;PWNED\007\033[2J\033[31m end')"
ok 'is shown as text' sees alice 'evil .*x1b.*end'
is "$(pane alice pane_title | grep -c PWNED)" 0 'and drives nothing'
ok 'the conversation is still there' on_screen alice 'after the counts'
ok 'a smaller window' tm resize-window -t alice -x 40 -y 10
ok 'is drawn anew' sees alice '^ ops \| .* clear'
type alice 'from a small window'
ok 'works' wait_line "$T/ear.out" ' alice from a small window$'
ok 'a tiny one' tm resize-window -t alice -x 8 -y 3
type alice 'tiny'
ok 'too' wait_line "$T/ear.out" ' alice tiny$'
ok 'a large one' tm resize-window -t alice -x 100 -y 30
type bob 'large again'
ok 'shows all again' sees alice 'bob.* large again'

# What is typed is UTF-8, whatever the locale can show.
screen_env='LC_ALL=C'
screen ascii dora -r ops
ok 'one in the C locale' wait_line "$T/ear.out" ' \* dora joined$'
type ascii 'grüße 漢'
ok 'sends what was typed' wait_line "$T/ear.out" ' dora grüße 漢$'
type ascii '\q'
ok 'and goes' ended ascii
# ncurses forgets what it has allocated for such a terminal.
screen_env='TERM=nosuch ASAN_OPTIONS=detect_leaks=0'
screen dumb dora -r ops
ok 'a terminal that is not known is refused' ended dumb
is "$status" 78 'as a matter of configuration'

screen_env=

# The ways out.

screen quit dora -r ops
ok 'one more' wait_line "$T/ear.out" ' \* dora joined$'
type quit '\q'
ok '\q ends it' ended quit
is "$status" 0 'with 0'
ok 'and says bye' wait_line "$T/ear.out" ' \* dora left \(bye\)$'

n=0
for signal in TERM HUP; do
	n=$((n + 1))
	screen "by$signal" "frank$n" -r ops
	ok "one to end by SIG$signal" \
		wait_line "$T/ear.out" " \\* frank$n joined\$"
	kill -s "$signal" "$(cat "$T/by$signal.pid")"
	ok "SIG$signal ends it" ended "by$signal"
	is "$status" 0 'in order'
	ok 'it says bye' wait_line "$T/ear.out" " \\* frank$n left \\(bye\\)\$"
done

screen killed grace -r ops
ok 'one to be killed' wait_line "$T/ear.out" ' \* grace joined$'
ok 'the others see it come' sees alice 'grace'
kill -KILL "$(cat "$T/killed.pid")"
ok 'SIGKILL ends it' ended killed
is "$status" 137 'at once'
ok 'its will removes it' wait_line "$T/ear.out" ' \* grace left \('
ok 'and that is shown' sees alice 'grace left'

# Name and room are asked for, and remembered.

screen asks heidi
ok 'without a room it asks for the name, and offers one' \
	sees asks '^Name.*heidi'
type asks 'Heidi H'
ok 'and for the room' sees asks '^Room'
type asks ops
ok 'it is there' wait_line "$T/ear.out" ' ops \* Heidi_H joined$'
type asks '\q'
ok 'it ends' ended asks
is "$status" 0 'with 0'
screen again heidi
ok 'the next time it offers the same name' sees again '^Name.*Heidi H'
must tm send-keys -t again Enter
ok 'and the same room' sees again '^Room.*ops'
must tm send-keys -t again Enter
ok 'Enter takes them' wait_line "$T/ear.out" ' ops \* Heidi_H joined$' 2
type again '\q'
ok 'it ends' ended again
screen wrong heidi
must sees wrong '^Name'
must tm send-keys -t wrong Enter
must sees wrong '^Room'
type wrong 'a+b'
ok 'a room that cannot be ends it' ended wrong
is "$status" 64 'with 64'
like "$(cat "$T/wrong.err")" 'a\+b' 'and is named'

# The broker goes and comes back.

broker_kill
ok 'the status line tells that the link is lost' sees alice 'LOST'
must broker_restart
ok 'and that it is back' sees alice 'back in the room'
must wait_line "$T/ear.err" 'back in ops'
type bob 'we are back'
ok 'a line arrives' sees alice 'bob.* we are back'
type alice 'so we are'
ok 'one goes out' wait_line "$T/ear.out" ' alice so we are$'

screen nobroker alice -r ops -u late
ok 'another one' wait_line "$T/ear.out" ' \* late joined$'
type nobroker '\q'
ok 'ends' ended nobroker

for name in alice bob; do
	type "$name" '\q'
	ok "$name ends" ended "$name"
	is "$status" 0 'with 0'
done

broker_stop
screen dead alice -r ops
ok 'without a broker it ends' ended dead
is "$status" 69 'with 69' || shown dead | diag

done_testing
