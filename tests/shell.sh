# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# An interactive shell in a terminal of tmux, for what the terminal is like
# before and after qchat-join.  Read behind screen.sh, of which it uses what
# takes a NAME.
#
#	shell alice alice
#	join alice -r ops
#	ok 'it is there' sees alice 'you are in the room'
#	type alice '\q'
#	ok 'it ends' ended alice
#	restored alice

# A shell that edits no lines leaves the terminal as it gets it.
SHELL=$(command -v dash || command -v sh)
export SHELL

# shell NAME USER: what it prints is in NAME.raw
shell_count=0
shell() {
	shell_conf=$(user_conf "$2") || exit 1
	shell_state=$T/users/$2/state
	must tm new-session -d -s "$1" -x 100 -y 30 "PS1='ready:' \
		QCHAT_CONFIG='$shell_conf' XDG_STATE_HOME='$shell_state' \
		XDG_CONFIG_HOME='$shell_state' exec '$SHELL' -i"
	must tm pipe-pane -O -t "$1" "cat >'$T/$1.raw'"
	must sees "$1" '^ready:$'
	# No shell's default: what is given back is what was there.
	enter "$1" 'stty erase ^H susp ^Z -ixon'
}

# raw NAME FILE: its bytes come from the terminal, as they are
raw() {
	raw_left=$(od -An -v -tx1 "$2" | tr -s ' \n' ' ')
	# shellcheck disable=SC2086 # a word each byte
	set -- "$1" $raw_left
	raw_name=$1
	shift
	while [ $# -gt 0 ]; do
		raw_bytes=
		while [ $# -gt 0 ] && [ "${#raw_bytes}" -lt 6000 ]; do
			raw_bytes="$raw_bytes $1"
			shift
		done
		# shellcheck disable=SC2086
		must tm send-keys -t "$raw_name" -H $raw_bytes
	done
}

# enter NAME COMMAND: the shell has done it
enter() {
	shell_count=$((shell_count + 1))
	type "$1" " $2; : >'$T/done.$shell_count'"
	must wait_for test -e "$T/done.$shell_count"
}

# join NAME ARG…: qchat-join in that shell; its process is in NAME.pid
join() {
	join_name=$1
	shift
	rm -f "$T/$join_name.status" "$T/$join_name.pid"
	enter "$join_name" "clear; stty -g >'$T/$join_name.before'"
	cat >"$T/$join_name.run" <<-END
	echo \$\$ >'$T/$join_name.pid'
	exec qchat-join $*
	END
	type "$join_name" " sh '$T/$join_name.run'; \
		echo \$? >'$T/$join_name.status'"
	must wait_for test -s "$T/$join_name.pid"
}

# sign NAME SIGNAL: to its qchat-join
sign() { kill -s "$2" "$(cat "$T/$1.pid")"; }

# takes NAME: qchat-join has the terminal
takes() { wait_for is_taken "$1"; }
is_taken() {
	[ "$(pane "$1" alternate_on)" = 1 ] && mode_is "$1" 2004 h
}

# mode_is NAME NUMBER h|l: that is what the terminal was told last
mode_is() {
	[ "$(grep -ao "\\[?$2[hl]" "$T/$1.raw" | tail -n 1)" = "[?$2$3" ]
}

is_given_back() {
	[ "$(pane "$1" alternate_on)" = 0 ] &&
		[ "$(pane "$1" cursor_flag)" = 1 ] &&
		mode_is "$1" 2004 l && mode_is "$1" 1004 l
}

# restored NAME: two results
restored() {
	enter "$1" "stty -g >'$T/$1.after'"
	is "$(cat "$T/$1.after")" "$(cat "$T/$1.before")" \
		"the terminal's modes are what they were"
	ok 'and so is its screen' wait_for is_given_back "$1"
}
