#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An hour of a room in two minutes, on a screen in valgrind: 3,600 messages,
# comings and goings, lines that are typed, rooms, sizes, a broker that is lost.
# What valgrind finds, leaks included, makes the status 99.
#
#	make bench/pace && PATH=$PWD/src:$PWD/bench:$PATH tests/extra/hour.t

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/../lib.sh"

need tmux valgrind pace qchat-join qchat-say qchat-listen qchat-who
broker_start
printf 'set -g remain-on-exit on\nset -g status off\n' >"$T/tmux.conf"
tm() {
	tmux -u -f "$T/tmux.conf" -S "$T/tmux" "$@"
}
at_end='tm kill-server 2>/dev/null'
SHELL=/bin/sh
TERM=xterm-256color
export SHELL TERM
deadline=$((deadline * 4)) # valgrind is slow

on_screen() { tm capture-pane -p -t screen | grep -Eq -e "$1"; }
type() {
	must tm send-keys -t screen -l "$1"
	must tm send-keys -t screen Enter
}

tools=$(dirname "$(command -v qchat-join)")
must "$srcdir/tests/valgrind-tools" "$tools" "$T/valgrind"
conf=$(user_conf alice)
must tm new-session -d -s screen -x 100 -y 30 "QCHAT_CONFIG='$conf' \
	XDG_STATE_HOME='$T/state' '$T/valgrind/qchat-join' -r ops -r web \
	2>'$T/screen.err'; echo \$? >'$T/screen.status'"
ok 'the screen is there' wait_for on_screen '1:ops'

as eve start ear qchat-listen -v -r ops
must wait_line "$T/ear.err" 'in ops'
: >"$T/hour"
pace bob 1 40 90 >>"$T/hour" &
pacer=$!
(
	trap - EXIT HUP INT TERM
	tail -n +1 -f --pid "$pacer" "$T/hour" | as bob qchat-say -r ops -l
	echo $? >"$T/hour.status"
) &

i=0
while alive "$pacer"; do
	i=$((i + 1))
	as carol qchat-listen -r ops -C 1 >"$T/carol.out"
	type "line $i, as alice says it"
	case $((i % 9)) in
	1) tm send-keys -t screen PPage PPage NPage ;;
	2) tm resize-window -t screen -x $((20 + i * 7 % 100)) -y $((5 + i % 30)) ;;
	3) type '\p' ;;
	4) type '\c' ;;
	5) tm send-keys -t screen C-n ;;
	6) type '\s hour' && tm send-keys -t screen n n N ;;
	7) tm send-keys -t screen -l 'ca' && tm send-keys -t screen Tab Tab C-u ;;
	8) tm send-keys -t screen C-p && type '\time' ;;
	0) type '\d eve for you alone' ;;
	esac
done
must tm resize-window -t screen -x 100 -y 30
must tm send-keys -t screen M-1
ok 'the hour was said' wait_for test -s "$T/hour.status"
is "$(cat "$T/hour.status")" 0 'all of it'
broker_kill
ok 'the link is lost' wait_for on_screen 'CONNECTION LOST'
ok 'the broker comes back' broker_restart
ok 'and the link' wait_for not on_screen 'CONNECTION LOST'
type 'the last words'
ok 'they arrive' wait_line "$T/ear.out" ' alice the last words$'
ok 'an hour has passed' test "$(grep -c ' bob ' "$T/ear.out")" -eq 3600
type '\q'
ok 'it ends' wait_for test -s "$T/screen.status"
is "$(cat "$T/screen.status")" 0 'without an error or a leak'
is "$(grep '^==' "$T/screen.err")" '' 'and valgrind has nothing to say'

done_testing
