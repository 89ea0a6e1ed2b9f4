#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the README tells a newcomer to type does what it says there.  Each of
# its blocks has a name behind its language, and a function of that name here,
# which tries it in a home and on a fabric of its own.

# shellcheck disable=SC2016,SC2034,SC2317 # text, what is read elsewhere, who calls by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need jq mosquitto mosquitto_pub openssl
need_peer
readme=$srcdir/README.md
tools=$(dirname "$(command -v qchat-say)")
mkdir "$T/bin" "$T/blocks" "$T/stub"
PATH=$T/bin:$PATH

# The blocks, each into a file of its name.
awk -v folder="$T/blocks/" '
	/^```/ && file == "" {
		file = folder ($2 == "" ? "nameless-" NR : $2)
		printf "" >file
		names[++count] = file
		next
	}
	/^```/ { close(file); file = ""; next }
	file != "" { print >file }
	' "$readme"

# home NAME: a new one, $home, with a fabric of its own that runs.  From now on
# `at_home CMD` is with the settings there, and none of this test's.
home() {
	home=$T/h-$1
	mkdir -m 700 "$home"
	cat >"$T/bin/at_home" <<-END
	#!/bin/sh
	exec env -u QCHAT_CONFIG -u XDG_CONFIG_HOME -u XDG_STATE_HOME \\
		-u XDG_DATA_HOME -u XDG_CACHE_HOME -u XDG_RUNTIME_DIR \\
		HOME='$home' "\$@"
	END
	chmod +x "$T/bin/at_home"
	must at_home qchat-fabric up
}

# end_homes: ends what still runs with such a home, and with no other
end_homes() {
	homes=
	for end_environment in /proc/[0-9]*/environ; do
		tr '\0' '\n' 2>/dev/null <"$end_environment" |
			grep -Fq "HOME=$T/h-" || continue
		end_pid=${end_environment#/proc/}
		homes="$homes ${end_pid%%/*}"
	done
	for end_pid in $homes; do
		kill "$end_pid" 2>/dev/null
	done
	for end_pid in $homes; do
		wait_for not runs "$end_pid"
	done
}
at_end='end_screens; end_homes'

# hears NAME ARG…: a listener in ops, at home
hears() {
	hears_name=$1
	shift
	start "$hears_name" at_home qchat-listen -v -r ops "$@"
	must wait_line "$T/$hears_name.err" 'in ops'
}

# joins NAME: that block runs, and is heard to join ops
joins() {
	hears "$1.ear" --presence
	start "$1" at_home sh "$T/blocks/$1"
	must wait_line "$T/$1.ear.out" ' joined$'
}

# masked FILE: what differs from one run to the next, as the README has it
masked() {
	sed -E -e 's/[0-9]{4}-[0-9-]{5}T[0-9:]{8}\.[0-9]{3}Z/TIME/g' \
		-e 's/localhost:[0-9]+/localhost:PORT/g' \
		-e "s/(^|[ (])$(id -un)([ )]|\$)/\\1alice\\2/g" "$1" | sort
}

# session NAME: what stands behind "$ " is typed, and the rest is what comes, in
# any order; what runs in the background is in the room before the next
session() {
	awk 'sub(/^[$] /, "") { print }
		/&$/ { print "until qchat-who -q -r ops | grep -q .; do sleep 0.02; done" }
		' "$T/blocks/$1" >"$T/$1.sh"
	grep -v '^[$] ' "$T/blocks/$1" >"$T/$1.text"
	masked "$T/$1.text" >"$T/$1.want"
	start "$1" at_home sh "$T/$1.sh"
	ok 'what it prints is what stands there' wait_for prints "$1" ||
		diff "$T/$1.want" "$T/$1.got" | diag
}

prints() {
	cat "$T/$1.out" "$T/$1.err" >"$T/$1.all"
	masked "$T/$1.all" >"$T/$1.got"
	cmp -s "$T/$1.want" "$T/$1.got"
}

block_start() {
	# The tree as the build leaves it; what is installed is all there.
	tree=$T/tree
	mkdir -p "$tree/build"
	cp "$srcdir/quickstart" "$tree"
	ln -s "$tools" "$tree/build/src"
	for stub in apt-get dpkg-query autoreconf make; do
		printf '#!/bin/sh\necho "ii, a long story"\n' >"$T/stub/$stub"
		chmod +x "$T/stub/$stub"
	done
	touch "$tree/configure.ac" "$tree/VERSION" "$tree/Makefile.am" \
		"$tree/configure" "$tree/Makefile.in" "$tree/build/Makefile"
	home=$T/h-start
	mkdir -m 700 "$home"
	touch "$T/start.err" "$T/dxl.err" # for sees
	must tm new-session -d -s start -x 100 -y 50 \
		"cd '$tree' && env -i HOME='$home' TERM=$TERM LC_ALL=C.UTF-8 \
		PATH='$T/stub:$PATH' sh '$T/blocks/start'
		echo \$? >'$T/start.status'"
	ok 'quickstart, and then one is in the room' \
		sees start 'you are in the room'
	type start '\h'
	ok '\h lists the commands' sees start '\\p'
	type start '\q'
	ok '\q leaves it' ended start
	is "$status" 0 'and that was all'
	ok 'quickstart has shown what one process hears of another' sees \
		start '^....-..-..T.* ops [+] .* ERROR disk full on db7'
	mkdir -p "$home/.config/qchat"
	echo 'dxl_config = "/nonexistent";' >"$home/.config/qchat/qchat.conf"
	exit_is 0 'it does so, too, where there are other settings' \
		env -i HOME="$home" LC_ALL=C.UTF-8 PATH="$T/stub:$PATH" \
		sh "$tree/quickstart"
	like "$(out)" ' ops [+] .* ERROR disk full on db7$' 'and not by them'
	rm "$home/.config/qchat/qchat.conf"
	quickly="env -i HOME=$home PATH=$T/stub:$PATH sh $tree/quickstart"
	# shellcheck disable=SC2086 # a list of words
	exit_is 0 'it can be run again' $quickly
	is "$(sed '/^$/,$d' "$T/out"; grep -c story "$T/out")" '== make ... done
0' 'each step of a build is a line'
	printf '#!/bin/sh\necho a long story\nexit 2\n' >"$T/stub/make"
	# shellcheck disable=SC2086
	exit_is 2 'one that fails' $quickly
	is "$(out; err)" '== make ... failed
a long story' 'says all that there is to say'
}

block_tour() {
	home tour
	session tour
}

block_kept() {
	home kept
	hears kept.ear
	session kept
	ok 'and then it is heard' \
		wait_line "$T/kept.ear.out" ' backup of db7 failed$'
}

block_cron() {
	home cron
	hears cron.ear
	cron_path=$(sed -n 's/^PATH=//p' "$T/blocks/cron")
	like "$cron_path" '(^|:)/usr/local/bin(:|$)' \
		'cron finds what make install installs'
	grep -v '^PATH=' "$T/blocks/cron" >"$T/cron.line"
	is "$(grep -c '' "$T/cron.line")" 1 'it is one line'
	is "$(grep -c '%' "$T/cron.line")" 0 'without what cron takes for a line feed'
	cron_command=$(sed -nE 's/^([0-9*,/-]+ +){5}//p' "$T/cron.line")
	printf '#!/bin/sh\n' >"$home/backup"
	chmod +x "$home/backup"
	as_cron="env -i HOME=$home LOGNAME=alice SHELL=/bin/sh PATH=$tools:$cron_path"
	# shellcheck disable=SC2086 # a list of words
	exit_is 0 'a job that prints nothing' $as_cron sh -c "cd; $cron_command"
	is "$(cat "$T/out" "$T/err")" '' 'gets no mail from cron'
	printf '#!/bin/sh\necho no space left >&2\n' >"$home/backup"
	# shellcheck disable=SC2086
	exit_is 0 'a job that prints something' $as_cron \
		sh -c "cd; $cron_command"
	is "$(cat "$T/out" "$T/err")" '' 'neither'
	ok 'posts it' wait_line "$T/cron.ear.out" \
		' [+] .* \[high\] backup on db7: no space left$'
	is "$(grep -c '' "$T/cron.ear.out")" 1 'and the other posted nothing'
}

block_jq() {
	home jq
	joins jq
	exit_is 0 'something of no weight' at_home qchat-say -r ops nothing
	exit_is 0 'and of weight' at_home qchat-say -r ops -s high 'db7 is "back"'
	ok 'which is picked' wait_line "$T/jq.out" \
		"^\\[\"[0-9-]{10}T[0-9:.]{12}Z\",\"$(id -un)\",\"db7 is ..back..\"\\]\$"
	exit_is 0 'or more' at_home qchat-say -r ops -s critical 'db7 is gone'
	ok 'is picked, too' wait_line "$T/jq.out" '"db7 is gone"'
	is "$(grep -c '' "$T/jq.out")" 2 'and nothing else'
}

# unit KEY NAME: its value in a unit of that block
unit() { sed -n "s/^$1=//p" "$T/blocks/$2"; }

block_failed() {
	home failed
	hears failed.ear
	is "$(sed -n '1s/^# .*[/]//p' "$T/blocks/failed")" 'qchat-failed@.service' \
		'it is a template'
	failed_conf=$(at_home qchat-fabric add db7)
	mkdir "$T/journal"
	printf '#!/bin/sh\necho "$*" >"%s"\necho no space left\n' \
		"$T/journal/arguments" >"$T/journal/journalctl"
	chmod +x "$T/journal/journalctl"
	is "$(unit User failed) $(unit Environment failed)" '_qchat ' \
		'it runs as the account, with the settings of the machine'
	like "$(unit SupplementaryGroups failed)" '^systemd-journal$' \
		'which may read the journal'
	exit_is 0 'its command' env -i "PATH=$T/journal:$tools:/usr/bin:/bin" \
		"QCHAT_CONFIG=$failed_conf" sh -c "$(unit ExecStart failed |
			sed 's/%i/backup.service/g; s/%H/db7.example/g')"
	is "$(cat "$T/out" "$T/err")" '' 'has nothing to say'
	ok 'and posts what the journal has' wait_line "$T/failed.ear.out" \
		' [+] db7 \[high\] backup\.service failed on db7\.example: see its journal:.nno space left$'
	like "$(cat "$T/journal/arguments")" '^-u backup\.service ' \
		'of that unit'
}

block_onfailure() {
	onfailure=$(unit OnFailure onfailure)
	is "$onfailure" 'qchat-failed@%n.service' 'it starts the template'
	command -v systemd-analyze >"$T/need.out" || return
	# Only root can make it.
	[ -d /run/systemd ] || [ "$(id -u)" -eq 0 ] || return
	mkdir "$T/units"
	cp "$T/blocks/failed" "$T/units/qchat-failed@.service"
	{
		cat "$T/blocks/onfailure"
		printf '[Service]\nExecStart=/bin/true\n'
	} >"$T/units/backup.service"
	exit_is 0 'systemd takes both' env "SYSTEMD_UNIT_PATH=$T/units:" \
		systemd-analyze verify --man=no "$T/units/backup.service" \
		"$T/units/qchat-failed@backup.service.service"
	is "$(grep -F "$T/units" "$T/err")" '' 'and has nothing against them'
}

block_bot() {
	home bot
	is "$(grep -c '' "$T/blocks/bot")" 6 'it has six lines'
	joins bot
	exit_is 0 'one asks' at_home qchat-say -r ops '!df'
	ok 'the bot answers' wait_line "$T/bot.ear.out" ' Filesystem .*%'
	exit_is 0 'one asks for more' at_home qchat-say -r ops '!load'
	ok 'the bot answers that as well' \
		wait_line "$T/bot.ear.out" ' load average: '
}

block_dxl() {
	home=$T/h-dxl
	mkdir -p "$home/dxl"
	fabric_start
	cp "$(user_dir alice)/dxlclient.config" "$home/dxl"
	as bob start dxl.ear qchat-listen -v -r ops
	must wait_line "$T/dxl.ear.err" 'in ops'
	must tm new-session -d -s dxl -x 100 -y 30 \
		"env -i HOME='$home' TERM=$TERM LC_ALL=C.UTF-8 PATH='$PATH' \
		sh '$T/blocks/dxl'"
	ok 'what it says is heard' \
		wait_line "$T/dxl.ear.out" ' [+] alice is anybody here\?$'
	ok 'and then one is in the room' sees dxl 'you are in the room'
	as bob exit_is 0 'where another one' qchat-say -r ops 'yes, I am'
	ok 'is seen' sees dxl 'bob: yes, I am'
}

# It is what quickstart and tests/all do.
block_build() {
	ok 'it is a script' sh -n "$T/blocks/build"
	build=$(tr '&\n' ';;' <"$T/blocks/build" | sed 's/;;*/;/g; s/ *; */;/g')
	is "$build" 'autoreconf -fi;./configure --sysconfdir=/etc;make;make check;make install;' \
		'these are its steps'
	for step in 'autoreconf -fi' '/configure"' 'make -s'; do
		ok "quickstart has $step" grep -Fq "$step" "$srcdir/quickstart"
	done
}

# Does each block have its function, and each function its block?
find "$T/blocks" -type f -exec basename {} \; | sort >"$T/names"
sed -n 's/^block_\([a-z]*\)() {$/\1/p' "$0" | sort >"$T/functions"
is "$(comm -23 "$T/names" "$T/functions" | tr '\n' ' ')" '' \
	'each block of the README is tried'
is "$(comm -13 "$T/names" "$T/functions" | tr '\n' ' ')" '' \
	'and each that is tried stands there'
is "$(grep -c '^```[a-z]' "$readme")" "$(grep -c '' "$T/names")" \
	'no two have the same name'
is "$(awk '/^```/ { inside = !inside }
	!inside && blank && /^(    |\t)[^ ]/ { print NR }
	{ blank = $0 == "" }' "$readme")" '' 'none is without a fence'

while read -r name; do
	case $name in
	dxl) ;; # below: a broker of its own
	*) "block_$name" ;;
	esac
done <"$T/functions"

# What it says of mosquitto's clients.
broker_rules='pattern read /mcafee/client/%c'
broker_start
mosquitto=$(user_dir carol)
theirs() {
	run mosquitto_pub -h 127.0.0.1 -p "$broker_port" --cafile "$mosquitto/ca.crt" \
		--cert "$mosquitto/user.crt" --key "$mosquitto/user.key" \
		-q 1 -t /mcafee/event/qchat/ops -m hello
}
theirs
is "$status" 0 'mosquitto_pub, where nobody may write'
as carol exit_is 77 'qchat-say there' qchat-say -r ops -W 1 hello
broker_stop
theirs
is "$((status > 0))" 1 'mosquitto_pub without a broker'
as carol exit_is 75 'qchat-say then' qchat-say -r ops hello

block_dxl
done_testing
