#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An encrypted key: its passphrase comes from a command or the terminal, once.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need tmux setsid
broker_start

# encrypt USER: its key, under "correct horse"
encrypt() {
	encrypt_dir=$(user_dir "$1") || return 1
	openssl pkey -in "$encrypt_dir/user.key" -aes256 \
		-passout 'pass:correct horse' -out "$encrypt_dir/new.key" &&
		chmod 600 "$encrypt_dir/new.key" &&
		mv "$encrypt_dir/new.key" "$encrypt_dir/user.key"
}

# asks USER COMMAND: its passphrase_command
asks() {
	asks_conf=$(user_conf "$1") || return 1
	sed -i '/^passphrase_command/d' "$asks_conf"
	[ -z "$2" ] ||
		printf 'passphrase_command = "%s";\n' "$2" >>"$asks_conf"
}

must encrypt alice
as carol start ear qchat-listen -v -r ops -F '%u %m\n'
must wait_line "$T/ear.err" 'in ops'

# Without a terminal.

as alice exit_is 78 'without terminal and command it is refused' \
	setsid -w qchat-say -r ops one
like "$(err)" 'user\.key: is encrypted, and there is no terminal .*passphrase_command' \
	'and it says what to set'
as alice exit_is 0 'nothing of it is kept' qchat-say --queue
is "$(out)" '' 'in the spool'

printf 'correct horse\nand another line\n' >"$T/secret"
must asks alice "echo >>$T/asked; cat $T/secret"
as alice exit_is 0 'a command has the passphrase' \
	setsid -w qchat-say -r ops two
ok 'with which the post is sent' wait_line "$T/ear.out" '^alice two$'
is "$(count_lines "$T/asked" '')" 1 'it runs once'
: >"$T/asked"
as alice start both setsid -w qchat-listen -v -r ops -r other
must wait_line "$T/both.err" 'in ops'
must wait_line "$T/both.err" 'in other'
is "$(count_lines "$T/asked" '')" 1 'for two rooms too'
end_process "$pid"
printf 'three\n' >"$T/input"
must asks alice "cat $T/secret -"
as alice exit_is 0 'it gets no input' \
	setsid -w qchat-say -r ops <"$T/input"
ok 'which is what is said' wait_line "$T/ear.out" '^alice three$'

# refused COMMAND ERE NAME
refused() {
	must asks alice "$1"
	as alice exit_is 78 "$3" setsid -w qchat-say -r ops never
	like "$(err)" "$2" 'as is said'
}

refused "cat $T/secret; exit 3" 'passphrase_command: ended with status 3' \
	'a command that fails'
refused 'echo wrong' 'user\.key: the passphrase does not open' \
	'another passphrase'
refused 'true' 'passphrase_command: prints no passphrase' 'no passphrase'
refused 'kill -9 $$' 'passphrase_command: ended by signal 9' \
	'a command that is killed'
head -c 1025 /dev/zero | tr '\0' x >"$T/long"
refused "cat $T/long" 'passphrase_command: prints more than' \
	'too long a passphrase'
refused 'head -c 9 /dev/zero' 'passphrase_command: prints a NUL' 'a NUL'
refused "echo correct horse; yes" 'passphrase_command: does not stop' \
	'a command that does not stop'

# On a terminal.

must asks alice ''
printf 'set -g remain-on-exit on\nset -g status off\n' >"$T/tmux.conf"
tm() {
	tmux -u -f "$T/tmux.conf" -S "$T/tmux" "$@"
}
at_end='tm kill-server 2>/dev/null'
SHELL=/bin/sh
TERM=xterm-256color
export SHELL TERM

# screen NAME CMD: of alice, in sh
screen() {
	must tm new-session -d -s "$1" -x 100 -y 30 \
		"QCHAT_CONFIG='$(user_conf alice)'; export QCHAT_CONFIG
		$2"
}
shown() { tm capture-pane -p -t "$1"; }
on_screen() { shown "$1" | grep -Eq -e "$2"; }
sees() {
	wait_for on_screen "$1" "$2" && return
	shown "$1"
	return 1
}
type() {
	must tm send-keys -t "$1" -l "$2"
	must tm send-keys -t "$1" Enter
}

screen say "echo four | qchat-say -r ops; echo status \$?; stty -a; sleep 999"
ok 'the terminal is asked' sees say '^Passphrase of .*user\.key: *$'
type say 'correct horse'
ok 'while the post comes from standard input' sees say '^status 0'
ok 'and is sent' wait_line "$T/ear.out" '^alice four$'
not_ok 'what was typed is not seen' on_screen say horse
ok 'the terminal echoes again' sees say '[^-]echo( |;|$)'

screen wrong "qchat-say -r ops five; echo status \$?; sleep 999"
ok 'asked' sees wrong '^Passphrase of'
type wrong 'wrong'
ok 'the wrong one is 78' sees wrong '^status 78'
is "$(shown wrong | grep -c '^Passphrase')" 1 'and asked for once'

screen stop "trap : INT; qchat-say -r ops six; echo status \$?; stty -a; sleep 999"
ok 'asked' sees stop '^Passphrase of'
must tm send-keys -t stop C-c
ok 'an interrupt ends it' sees stop '^status 130'
ok 'and the terminal echoes again' sees stop '[^-]echo( |;|$)'

screen none "qchat-say -r ops seven; echo status \$?; sleep 999"
ok 'asked' sees none '^Passphrase of'
must tm send-keys -t none C-d
ok 'the end of input is 78' sees none '^status 78'

screen join "qchat-join"
ok 'qchat-join asks' sees join '^Passphrase of'
type join 'correct horse'
ok 'before its other questions' sees join '^Name'
type join ''
ok 'of which there are two' sees join '^Room'
type join ops
ok 'and then is in the room' wait_line "$T/ear.err" 'in ops'
ok 'on its screen' sees join 'ops'
type join 'eight'
ok 'having asked once' wait_line "$T/ear.out" '^alice eight$'

done_testing
