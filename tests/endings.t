#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# How qchat-join ends and is stopped: the terminal is given back as it was, and
# the others are told.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
. "$(dirname "$0")/shell.sh"

# A SIGSEGV is what we send, and no find of the sanitizers.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0
export ASAN_OPTIONS

broker_start
as eve start ear qchat-listen -v -r ops --presence
must wait_line "$T/ear.err" 'in ops'

shell tty ann
enter tty 'ulimit -c 0'

# by NAME ARG…: one that has the terminal and is in the room
by() {
	by_name=$1
	shift
	join tty -r ops -u "$by_name" "$@"
	must takes tty
	must sees tty 'you are in the room'
}

# ends HOW STATUS: so it did
ends() {
	ok "$1 ends it" ended tty
	is "$status" "$2" "with $2"
	ok 'the others are told' \
		wait_line "$T/ear.out" " \\* $by_name left \\("
	restored tty
}

for signal in TERM HUP INT; do
	by "by-$signal"
	sign tty "$signal"
	ends "SIG$signal" 0
done
for signal in ABRT=134 SEGV=139 QUIT=131 USR1=138; do
	by "by-${signal%=*}"
	sign tty "${signal%=*}"
	ends "SIG${signal%=*}" "${signal#*=}"
done
by typed
type tty '\q'
ends '\q' 0
by pressed
press tty C-d
ends 'control-D' 0
by interrupted
press tty x C-c C-c
ends 'control-C' 0

# Stopped and continued.

# stopped HOW: the shell is there again
stopped() {
	ok "$1 stops it" ended tty
	is "$status" "$((128 + 20))" 'as a job of the shell'
	restored tty
}

# continue_in COMMAND: with it
continue_in() {
	rm -f "$T/tty.status"
	type tty " $1; echo \$? >'$T/tty.status'"
}

by stopped
put tty 'unfinished draft'
must sees tty '> unfinished draft$'
press tty C-z
stopped 'control-Z'
continue_in fg
ok 'fg brings it back' takes tty
ok 'with its draft' sees tty '> unfinished draft$'
sign tty TSTP
stopped 'SIGTSTP'
resize tty 70 20
enter tty 'stty erase ^X'
continue_in fg
must takes tty
ok 'in a window of another size it is drawn anew' sees tty '^ ops .* clear'
is "$(shown tty | sed -n '20p')" 'stopped@ops> unfinished draft' \
	'down to its last row'
resize tty 100 30
ok 'a resize leaves the draft' sees tty '> unfinished draft$'
press tty Enter
ok 'which is said' wait_line "$T/ear.out" ' stopped unfinished draft$'
sign tty SEGV
ok 'a crash after that ends it, too' ended tty
is "$status" 139 'with 139'
enter tty "stty -a >'$T/tty.all'"
like "$(cat "$T/tty.all")" 'erase = \^X' \
	'what was set while it was stopped stays'
enter tty 'stty erase ^H'
restored tty

# A script that runs it is stopped with it.

enter tty "stty -g >'$T/tty.before'"
cat >"$T/tty.run" <<-END
trap '' INT
sh -c 'echo \$\$ >"\$0"; exec qchat-join -r ops -u scripted' '$T/tty.pid'
echo status \$? >'$T/script'
END
continue_in "sh '$T/tty.run'"
must takes tty
press tty C-z
stopped 'control-Z in a script'
enter tty "stty erase ^X; stty -g >'$T/tty.before'"
continue_in fg
must takes tty
type tty '\q'
ok 'the script goes on' wait_line "$T/script" '^status 0$'
restored tty
enter tty 'stty erase ^H'

# Stopped without being asked.

# halt: so; somebody else had the terminal since
halt() {
	sign tty STOP
	ok 'SIGSTOP stops it' ended tty
	rm -f "$T/sane"
	press tty C-j
	put tty " stty sane erase ^H susp ^Z -ixon; \
printf '\033[?1049l\033[?2004l\033[?1004l'; : >'$T/sane'"
	press tty C-j
	must wait_for test -e "$T/sane"
	must wait_for is_given_back tty
}

is_stopped() { grep -q '^State:.T' "/proc/$(cat "$T/tty.pid")/status"; }

by halted
put tty 'half a draft'
must sees tty '> half a draft$'
halt
continue_in fg
ok 'SIGCONT brings it back' takes tty
ok 'and draws all of it' sees tty '> half a draft$'
press tty C-u
type tty 'said at once'
ok 'keys are keys' wait_line "$T/ear.out" ' halted said at once$'
halt
sign tty CONT
ok 'in the background it waits' wait_for is_stopped
ok 'and leaves the terminal alone' is_given_back tty
continue_in fg
ok 'until it is in front' takes tty
type tty '\q'
must ended tty
restored tty

# What is stopped can be ended.

by killed
press tty C-z
must ended tty
enter tty "kill %1; kill -s CONT %1; stty -g >'$T/tty.after'"
ok 'a stopped one is ended by kill' \
	wait_line "$T/ear.out" ' \* killed left \(bye\)$'
restored tty
by halted
halt
enter tty 'kill %1; kill -s CONT %1'
ok 'also after SIGSTOP' wait_line "$T/ear.out" ' \* halted left \(bye\)$' 2
ok 'which leaves the terminal alone' is_given_back tty

# Started in the background.

enter tty "stty -g >'$T/tty.before'"
type tty " qchat-join -r ops -u behind & echo \$! >'$T/tty.pid'"
ok 'in the background it comes into the room' \
	wait_line "$T/ear.out" ' \* behind joined$'
enter tty "stty -g >'$T/tty.now'"
is "$(cat "$T/tty.now")" "$(cat "$T/tty.before")" \
	'and leaves the terminal to the shell'
type tty ' qchat-join -r ops -u ended &'
must wait_line "$T/ear.out" ' \* ended joined$'
enter tty 'kill %2; kill -s CONT %2'
ok 'where it can be ended' wait_line "$T/ear.out" ' \* ended left \(bye\)$'
continue_in 'fg %1'
ok 'until it is in front' takes tty
sign tty ABRT
must ended tty
restored tty

# The terminal takes nothing more.

waits_in() { cat "/proc/$(cat "$T/tty.pid")/wchan"; }

waits_for_keys() {
	case $(waits_in) in *poll*) ;; *) return 1 ;; esac
}

# waits_to_write: each signal makes it draw anew
waits_to_write() {
	sign tty WINCH
	case $(waits_in) in 0 | *poll*) return 1 ;; esac
}

by stuck
if poll 100 waits_for_keys; then # not all systems tell
	tmux_pid=$(pane tty pid)
	at_end="kill -s CONT $tmux_pid; $at_end"
	kill -s STOP "$tmux_pid"
	ok 'on a terminal that takes nothing more it waits' \
		wait_for waits_to_write
fi
sign tty TERM
ok 'and yet SIGTERM ends it' ended tty
[ -z "${tmux_pid:-}" ] || kill -s CONT "$tmux_pid"
is "$status" 0 'in order'
ok 'the others are told' wait_line "$T/ear.out" ' \* stuck left \(bye\)$'
restored tty

# What cannot begin.

mkdir -p "$T/other"
must openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256 \
	-nodes -days 1 -subj /CN=mallory -keyout "$T/other/user.key" \
	-out "$T/other/user.crt"
chmod 600 "$T/other/user.key"
cp "$T/broker/ca.crt" "$T/other"
conf_for "$T/other" "$broker_port" >"$T/other/qchat.conf"
join tty -r ops --config "$T/other/qchat.conf"
ok 'one whom the broker refuses ends' ended tty
is "$status" 78 'with 78'
ok 'says why' sees tty '^qchat-join: '
restored tty

# The terminal goes.

by unseen
printf '\033[200~a paste without an end' >"$T/open"
raw tty "$T/open"
must tm kill-pane -t tty
ok 'the end of the terminal within a paste ends it' \
	wait_line "$T/ear.out" ' \* unseen left \(bye\)$'

done_testing
