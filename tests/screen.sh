# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# qchat-join on screens, for the tests in sh: tmux, with a server of its own.
# Read behind lib.sh.
#
#	. "$(dirname "$0")/lib.sh"
#	. "$(dirname "$0")/screen.sh"
#	broker_start
#	screen alice alice -r ops
#	type alice 'hello'
#	ok 'it is shown' sees alice 'alice: hello$'
#
# screen_env: variables of the next screen, as 'LC_ALL=C'; screen_size: its
# columns and rows.

# shellcheck disable=SC2034 # at_end and status are for who reads this

need tmux qchat-join

# The screens' sizes and names are ours, whatever the caller's tmux is like.
printf 'set -g remain-on-exit on\nset -g status off\n' >"$T/tmux.conf"
tm() {
	tmux -u -f "$T/tmux.conf" -S "$T/tmux" "$@"
}
at_end=end_screens

# With its terminal gone, qchat-join ends.  The signal of that may hit
# LeakSanitizer at its end, which then turns in a circle for ever.
end_screens() {
	tm kill-server 2>/dev/null
	for end_file in "$T"/*.pid; do
		[ -e "$end_file" ] || continue
		read -r end_pid <"$end_file"
		poll 250 not on_our_screen "$end_pid" ||
			kill -s KILL "$end_pid" 2>/dev/null
	done
}

on_our_screen() {
	grep -qsF "QCHAT_CONFIG=$T" "/proc/$1/environ"
}

SHELL=/bin/sh
TERM=xterm-256color
export SHELL TERM

# screen NAME USER ARG…: a qchat-join of USER on a screen
screen_env=
screen_size='100 30'
screen() {
	screen_name=$1
	screen_conf=$(user_conf "$2") || exit 1
	screen_state=$T/users/$2/state
	shift 2
	screen_args=
	for screen_arg; do
		screen_args="$screen_args '$screen_arg'"
	done
	# tmux 3.3 may never tell the status of a pane: a shell notes it.
	must tm new-session -d -s "$screen_name" -x "${screen_size% *}" \
		-y "${screen_size#* }" \
		"QCHAT_CONFIG='$screen_conf' XDG_STATE_HOME='$screen_state' \
		XDG_CONFIG_HOME='$screen_state' $screen_env sh -c 'echo \$\$ >\"\$0.pid\"
		exec \"\$@\"' '$T/$screen_name' qchat-join $screen_args \
		2>'$T/$screen_name.err'; echo \$? >'$T/$screen_name.status'"
	must wait_for test -s "$T/$screen_name.pid"
}

shown() { tm capture-pane -p -t "$1"; }
pane() { tm display-message -p -t "$1" "#{$2}"; }

# sees NAME ERE: a line of the screen matches, soon
sees() {
	wait_for on_screen "$1" "$2" && return
	shown "$1"
	cat "$T/$1.err"
	return 1
}

on_screen() {
	shown "$1" | grep -Eq -e "$2"
}

# sees_no NAME ERE: no line of the screen matches, soon
sees_no() {
	wait_for not on_screen "$1" "$2" && return
	shown "$1"
	return 1
}

# type NAME TEXT: and Enter
type() {
	must tm send-keys -t "$1" -l "$2"
	must tm send-keys -t "$1" Enter
}

# put NAME TEXT: without Enter
put() { must tm send-keys -t "$1" -l "$2"; }

# press NAME KEY…: as tmux calls them
press() {
	press_name=$1
	shift
	must tm send-keys -t "$press_name" "$@"
}

# resize NAME COLUMNS ROWS
resize() { must tm resize-window -t "$1" -x "$2" -y "$3"; }

# ended NAME: qchat-join has ended; sets status
ended() {
	wait_for test -s "$T/$1.status" || return
	status=$(cat "$T/$1.status")
}
