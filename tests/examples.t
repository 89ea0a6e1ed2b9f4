#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# All examples of the manual pages: each is run as it stands there, but for
# paths, hosts and ports that are others here, and has an expectation.  On the
# private fabric, and, where a DXL fabric or a management service is needed, on
# those that stand in for them.

# shellcheck disable=SC2016,SC2317 # patterns with $; functions called by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
. "$(dirname "$0")/attacker.sh"
. "$(dirname "$0")/examples.sh"

need jq column mosquitto mosquitto_sub openssl setsid
need_peer
at_end='end_screens; end_groups; qchat-fabric -q down'

# Where everybody has it who sets nothing else.
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME
F=$HOME/.local/state/qchat/fabric
me=$(id -un)
QCHAT_USER=alice
PATH=$T/bin:$PATH
export QCHAT_USER PATH
cd "$T/work" || exit 99

for stub in mail logger notify-send loginctl restart-db7; do
	stub "$stub"
done
cat >"$T/bin/backup" <<-'END'
	#!/bin/sh
	echo backup of db7 failed
END
cat >"$T/bin/crontab" <<-END
	#!/bin/sh
	cat "$T/shown.2"
END
cat >"$T/bin/systemd-creds" <<-'END'
	#!/bin/sh
	[ "$*" = 'decrypt /etc/qchat/pass -' ] && echo a passphrase
END
# What is enabled is there, and its service is run once.
cat >"$T/bin/systemctl" <<-END
	#!/bin/sh
	folder=system
	[ "\$1" != --user ] || { folder=user; shift; }
	[ "\$1 \$2" = 'enable --now' ] || exit 1
	shift 2
	for unit; do
		unit=$srcdir/conf/\$folder/\$(echo "\$unit" | sed 's/@.*/@.service/')
		[ -e "\$unit" ] || [ -e "\$unit.in" ] || exit 1
	done
	case \$unit in
	*listen@*) exit 0 ;;
	esac
	exec \$(sed -n 's,^ExecStart=@bindir@/,,p' \
		"$srcdir/conf/\$folder/qchat-flush.service.in")
END
chmod +x "$T/bin"/*
: >"$T/calls"

# present ROOM COUNT: so many are in it
present() {
	[ "$(qchat-who -q -r "$1" -w 0.5 2>/dev/null | wc -l)" -ge "$2" ]
}
here() { must poll "$((deadline * 2))" present "$@"; } # half a second each
say() { must qchat-say "$@"; }
heard() { ok "$example_name: $1 is heard" wait_line "$T/ear.out" "$1"; }
bob() { QCHAT_USER=bob QCHAT_CONFIG=$bob "$@"; }
# pane NAME [STEP [SIZE]]: a step on a terminal
pane() {
	{
		[ -z "${QCHAT_CONFIG:-}" ] ||
			echo "export QCHAT_CONFIG='$QCHAT_CONFIG'"
		cat "$T/step.${2:-1}"
	} >"$T/pane.$1"
	pane_size=${3:-160 40}
	must tm new-session -d -s "$1" -x "${pane_size% *}" -y "${pane_size#* }" \
		"sh '$T/pane.$1'; echo status \$?; sleep 999"
}
fabric_down() { must qchat-fabric -q down; }
fabric_up() { must qchat-fabric -q up; }

# qchat-fabric(1)

example qchat-fabric.1 'qchat-fabric up .*listen .* df -h'
does 0 1
shows "$T/out"
begins first 2
first=$pid
here ops 1
does 0 3
ok 'the listener prints it' wait_line "$T/first.out" ' [+] alice Filesystem'
ends "$first"
bob=$(qchat-fabric add bob)
carol=$(qchat-fabric add carol)
cp "${bob%/*}/certificate.pem" bob.pem
cp "${carol%/*}/certificate.pem" carol.pem
start ear qchat-listen -v -u ear -r ops -r incident-42 -r oncall -r syslog
ear=$pid
must wait_line "$T/ear.err" 'in syslog'
must wait_line "$T/ear.err" 'in ops'

example qchat-fabric.1 'qchat-fabric add backup .*crontab -l'
does 0 1
shows "$T/out"
does 0 2
grep -Ev '^/' "$T/out" >"$T/step.3"
change "s,/home/alice,$HOME,; s/ qchat-say/ qchat-say -u backup/" 3
ok 'cron runs each line of it' cron 3
heard 'backup backup of db7 failed'

example qchat-fabric.1 'status \|\| qchat-fabric up'
does 0
is "$(out)" '' 'it runs already'
must end_process "$ear"
fabric_down
does 0
like "$(out)" '^fabric on localhost' 'it starts'

example qchat-fabric.1 'down; qchat-fabric --listen'
change s/192.0.2.7/127.0.0.2/
does 0
like "$(qchat-fabric status)" '^address 127.0.0.2$' 'it listens there, too'
fabric_down
fabric_up

# qchat-say(1)

start ear qchat-listen -v -u ear -r ops -r incident-42 -r oncall -r syslog
ear=$pid
must wait_line "$T/ear.err" 'in syslog'
must wait_line "$T/ear.err" 'in ops'

example qchat-say.1 'qchat-say -r ops taking db7'
does 0
heard 'alice taking db7 out of the pool'

example qchat-say.1 "df -h / .*--title"
does 0
heard 'alice df on db7: Filesystem'

example qchat-say.1 '\$\? -eq 75 .*logger'
does 0
heard 'alice \[high\] backup of db7 failed'
is "$(cat "$T/calls")" '' 'no other way is used'
fabric_down
does 0
is "$(cat "$T/calls")" '' 'nor if it is kept'
QCHAT_CONFIG=/nowhere does 0
like "$(cat "$T/calls")" '^logger -t backup backup of db7 failed' \
	'but if it is not'

example qchat-say.1 '\*/5 .*qchat-say -q --flush'
is "$(qchat-say --queue | wc -l)" 1 'something waits'
fabric_up
ok 'cron runs it' cron
is "$(qchat-say --queue | wc -l)" 0 'and nothing waits any more'

example qchat-say.1 '\*/5 .*--config .*--flush'
change "s,~/nightly/qchat.conf,$bob,; s/ -q/ -u bob&/"
fabric_down
bob exit_is 75 'one of another name' qchat-say -r ops of the night
fabric_up
exit_is 75 'this user does not send it' qchat-say --flush
ok 'cron does' cron
heard 'bob of the night'
is "$(qchat-say --queue | wc -l)" 0 'and nothing waits then'

example qchat-say.1 'backup of db7 failed .* --queue'
must bob qchat-say -r ops backup of db7 was begun
fabric_down
bob does 75 1
is "$(normal <"$T/err")" "$(tr '\n' ' ' <"$T/shown.1" | normal)" 'it says so'
bob does 0 2
is "$(normal <"$T/out" | sed 's/ [0-9]* FILE/ SIZE FILE/')" \
	"$(tr '\n' ' ' <"$T/shown.2" | normal | sed 's/ [0-9]* FILE/ SIZE FILE/')" \
	'and it is listed'

example qchat-say.1 'systemctl --user .* loginctl'
fabric_up
bob does 0 1
is "$(qchat-say --queue | wc -l)" 0 'the service sends what waits'
does 0 2

example qchat-say.1 'sudo systemctl .* --skip-empty'
change 's/^sudo //'
does 0 1
sed 's/ _qchat  / /; s/ backup / echo backup of the machine /' \
	"$T/shown.2" >"$T/step.3"
ok 'cron runs it' cron 3
heard 'alice backup of the machine'

example qchat-say.1 'tail -F .* -W 600'
change "s,/var/log,$T/work,"
echo 'a line before' >syslog
begins tail
tail=$pid
heard 'alice a line before'
echo 'a line more' >>syslog
heard 'alice a line more'
ends "$tail"

example qchat-say.1 'grep -h ERROR'
: >quiet.log
does 0
echo 'ERROR disk full' >loud.log
does 0
heard 'alice ERROR disk full'

example qchat-say.1 '--json noted'
does 0
shows "$T/out"

# qchat-listen(1)

example qchat-listen.1 'grep --line-buffered ERROR'
begins errors
errors=$pid
here ops 2
say -r ops nothing of that kind
say -r ops ERROR disk full on db7
ok 'the one line is printed' wait_line "$T/errors.out" ERROR
shows "$T/errors.out"
ends "$errors"

example qchat-listen.1 '-C 1 -W 60'
begins next
next=$pid
here ops 2
say -r ops 'a "text"	as it was'
must wait_end "$next"
is "$status $(cat "$T/next.out")" '0 a "text"	as it was' 'it ends with it'

example qchat-listen.1 'since 1h'
bob must qchat-say -r ops I am on it
begins hour
hour=$pid
must wait_line "$T/hour.out" 'I am on it'
say -r ops how does it look?
must wait_line "$T/hour.out" 'how does it look'
normal <"$T/hour.out" >"$T/hour"
normal <"$T/shown.1" >"$T/lines"
while read -r line; do
	ok "as it is shown: $line" grep -qxF -e "$line" "$T/hour"
done <"$T/lines"
ends "$hour"

example qchat-listen.1 'state ops.state --durable archive'
begins archive
archive=$pid
here ops 2
say -r ops while it runs
must wait_line ops.jsonl '"while it runs"'
ends "$archive"
say -r ops while it is away
begins archive
archive=$pid
ok 'it has what was said meanwhile' wait_line ops.jsonl '"while it is away"'
is "$(grep -c '"while it runs"' ops.jsonl)" 1 'and nothing twice'
ends "$archive"

example qchat-listen.1 'presence >>rooms.log'
begins rooms
rooms=$pid
must wait_line rooms.log ' ops \* ear is here'
must wait_line rooms.log ' incident-42 \* ear is here'
say -r incident-42 hello
ok 'both rooms are in it' wait_line rooms.log ' incident-42 [+] alice hello$'
ends "$rooms"

example qchat-listen.1 'systemctl --user enable --now qchat-listen@ops'
does 0 1
change 's/^journalctl .*-u qchat-listen@ops$/:/' 2
does 0 2

example qchat-listen.1 "-F '%u: %m"
begins format
format=$pid
here ops 2
say -r ops hello
ok 'name and text' wait_line "$T/format.out" '^alice: hello$'
ends "$format"

example qchat-listen.1 'bin/sh notify-send'
cp "$T/step.1" tell
chmod +x tell
example qchat-listen.1 'exec ./tell'
begins tell
tell=$pid
here ops 2
say -r ops look here
ok 'it appears' wait_line "$T/calls" '^notify-send ops alice: look here$'
ends "$tell"

# qchat-who(1)

bob start bob qchat-listen -v -r ops
bob_pid=$pid
must wait_line "$T/bob.err" 'in ops'
example qchat-who.1 'NAME MARK SINCE'
does_at_last 0 '^bob '
is "$(head -n 1 "$T/out")" "$(head -n 1 "$T/shown.1")" 'the header'
row='^bob [+] [^ ]+Z (-|[0-9]+s) qchat-[a-z]+/[0-9.]+ [0-9a-f]{64} [0-9a-f]{32}$'
like "$(out)" "$row" 'who is there'
like "$(cat "$T/shown.1")" "$row" 'as it is shown'
example qchat-who.1 'column -t'
does 0
like "$(out)" '^NAME  MARK  SINCE   ' 'in columns'
must end_process "$bob_pid"

example qchat-who.1 'if qchat-who -q -r oncall'
does 0
heard ' oncall [+] alice \[high\] db7 does not answer'
change s/oncall/nobody/g
does 0
like "$(cat "$T/calls")" '^mail -s db7 does not answer nobody@example.com$' \
	'who is not there is called'

example qchat-who.1 'uniq -c'
for each in incident-42 oncall ops syslog; do
	does_at_last 0 "^ *1 $each\$"
done

# A peer that says what stands in the page, and what is wrong.
mkdir "$T/raw"
cp "$F/users/$me/ca.pem" "$T/raw/ca.crt"
cp "$F/users/$me/certificate.pem" "$T/raw/user.crt"
cp "$F/users/$me/key.pem" "$T/raw/user.key"
mkfifo "$T/raw.in"
start raw node "$srcdir/tests/peer/raw.js" "$T/raw" \
	"$(qchat-fabric status | sed -n 's/^port //p')"
exec 9>"$T/raw.in"
must wait_line "$T/raw.out" '"at":"ready"'
room=/mcafee/event/qchat/ops
# raw COMMAND…: it does it
raw_done=0
raw() {
	printf '%s\n' "$*" >&9
	raw_done=$((raw_done + 1))
	must wait_line "$T/raw.out" '"at":"(done|error)"' "$raw_done"
}

example qchat-json.5 'type == "gap"'
change 's/jq -c/jq --unbuffered -c/'
begins gap
gap=$pid
here ops 2
for seq in 1 5; do
	raw "json $room {\"type\":1,\"message\":\"b$seq\",\"time\":\"1\",\"user\":\"eve\",\"UID\":\"00000000000000000000000000000002\",\"seq\":$seq}"
done

example qchat-who.1 'forged'
mkfifo "$T/attacker.in"
start attacker node "$srcdir/tests/peer/attacker.js" "$T/raw" \
	"$(qchat-fabric status | sed -n 's/^port //p')"
exec 7>"$T/attacker.in"
must wait_line "$T/attacker.out" '"at":"ready"'
begins flood
flood=$pid
flooded() {
	attack "{\"do\":\"say\",\"times\":300,\"topic\":\"$room\",\"flip\":\"sig\",\"payload\":{\"type\":1,\"message\":\"x\",\"time\":\"1\",\"user\":\"eve\",\"UID\":\"forged\"}}"
	not alive "$flood"
}
must wait_for flooded
must wait_end "$flood"
is "$(sed 's/[0-9]*$//' "$T/flood.out")" "$(sed 's/[0-9]*$//' "$T/shown.1")" \
	'what is forged is counted'
exec 7>&-

example qchat-json.5 'type == "gap"'
ok 'what is lost is told' wait_line "$T/gap.out" \
	'^{"user":"eve","first":2,"last":4}$'
ends "$gap"

# qchat-json(5)

example qchat-json.5 'select.*sort \| uniq -c'
does_at_last 0 '^ *[0-9]+ alice$'
say -r ops -s critical db7 is down
example qchat-json.5 '@csv'
does_at_last 0 '^"2[^"]*Z","alice","db7 is down"$'

# qchat-invite(1): bob has a home of his own

must end_process "$ear"
mkdir "$T/bob"
bob_at_home() { HOME=$T/bob QCHAT_USER=bob QCHAT_CONFIG=$bob "$@"; }
example qchat-invite.1 'qchat-invite --new .*carol.pem'
# invited: the same words, whatever the digits are
invited() {
	normal | sed -E 's/secret [0-9a-f]{16} .*/secret HEX/
		s/certificate [0-9a-fSHA]+(\.\.\.|256).*/certificate HEX/'
}
does 0 1
is "$(invited <"$T/err")" "$(invited <"$T/shown.1")" 'as it is shown'
does 0 2
is "$(invited <"$T/err")" "$(invited <"$T/shown.2")" 'as it is shown'

example qchat-invite.1 'qchat-invite --accept .* qchat-listen'
bob_at_home does 0 1
is "$(invited <"$T/err" | sed 's/secret .*/secret HEX/')" \
	"$(sed 's/secret .*/secret HEX/' "$T/shown.1" | invited |
		sed "s/by alice/by $me/")" 'as it is shown'
bob_at_home begins sealed 2
sealed=$pid
here incident-42 1
say -r incident-42 for those who may read it
ok 'bob reads it' wait_line "$T/sealed.out" ' alice for those who may'
ends "$sealed"

example qchat-invite.1 'qchat-invite --rotate .*mail'
: >"$T/calls"
does 0 1
does 0 2
like "$(cat "$T/calls")" '^mail -s invitation bob@example.com$' 'it is mailed'
sed 1d "$T/calls" >letter

example qchat-invite.1 '--replace --accept -'
change 's/$/ <letter/'
bob_at_home does 0
bob_at_home begins sealed
sealed=$pid
ends "$sealed"
is "$(HOME=$T/bob qchat-invite --list | cut -d ' ' -f 2)" \
	"$(qchat-invite --list | cut -d ' ' -f 2)" 'bob has the new secret'

example qchat-invite.1 'qchat-invite --list'
does 0
like "$(out)" '^incident-42 ' 'the room is listed'
must rm -r "$HOME/.local/state/qchat/secrets"

# qchat-join(1)

example qchat-join.1 'join -r incident-42 $'
pane alice 1 '79 7'
must sees alice 'alice@incident-42>'
example qchat-join.1 'qchat-fabric add bob'
change 's/^/QCHAT_USER=bob /'
pane bob 1 '79 7'
must sees alice 'bob joined'
type alice 'db7 is full'
must sees bob 'alice: db7 is full'
type bob 'alice: I am on it'
must sees alice 'bob: alice: I am on it'
example qchat-join.1 'you are in the room.*alice@incident-42>'
squeezed() { normal | tr -s ' ' | sed 's/ *$//'; }
shown alice | squeezed >"$T/screen"
squeezed <"$T/step.1" | while read -r line; do
	grep -qF -e "$line" "$T/screen" || echo "$line"
done >"$T/missing"
is "$(cat "$T/missing")" '' 'the screen is as it is shown'
[ ! -s "$T/missing" ] || diag <"$T/screen"
type bob '\q'
ok 'bob ends' sees bob 'status 0'
type alice '\q'
ok 'alice ends' sees alice 'status 0'

example qchat-join.1 '--plain -r ops -r incident-42'
pane plain
ok 'lines that begin with their room' sees plain '^ops .*you are in the room'
type plain 'from a line'
exit_is 0 'one is said' \
	qchat-listen -r ops -n 1 -C 1 -W "$deadline" --from alice
like "$(out)" ' alice from a line$' 'from a line'
type plain '\q'
ok 'it ends' sees plain 'status 0'

# qchat(7)

example qchat.7 'qchat-join -r incident-42'
pane again
ok 'one takes part' sees again 'alice@incident-42>'
example qchat.7 'df on \$\(hostname\)'
does 0
ok 'it is on the screen' sees again "alice: df on $(hostname): Filesystem"
example qchat.7 'since 2h'
begins hours
hours=$pid
ok 'what was said before' wait_line "$T/hours.out" \
	"~ alice df on $(hostname): Filesystem"
ends "$hours"
type again '\q'

start ear qchat-listen -v -u ear -r ops
ear=$pid
must wait_line "$T/ear.err" 'in ops'
example qchat.7 'backup 2>&1 .*--skip-empty'
ok 'cron runs it' cron
heard 'alice backup of db7 failed'
example qchat.7 "grep -m 1 'go ahead'"
change "s,\./,$T/bin/,"
begins ahead
ahead=$pid
here ops 2
say -r ops not yet
say -r ops go ahead
must wait_end "$ahead"
like "$(cat "$T/ahead.out")" ' alice go ahead$' 'the word is heard'
like "$(cat "$T/calls")" '^restart-db7 $' 'and the command run'

# qchat.conf(5)

dir=$(dirname "$bob")
mkdir "$T/conf"
cp "$dir/ca.pem" "$T/conf"
cp "$dir/certificate.pem" "$T/conf/alice.pem"
cp "$dir/key.pem" "$T/conf/alice.key"
with_conf() { exit_is 0 "$example_name: these settings are good" qchat-say \
	--config "$T/conf/qchat.conf" --dry-run "$@"; }
example qchat.conf.5 'broker1.example.com'
cp "$T/step.1" "$T/conf/qchat.conf"
with_conf --json hello
is "$(jq -r .room "$T/out")" ops 'the room is known'
example qchat.conf.5 'spool_hours'
cat "$T/step.1" "$T/conf/qchat.conf" >"$T/conf/small.conf"
mv "$T/conf/small.conf" "$T/conf/qchat.conf"
with_conf hello
example qchat.conf.5 'notify-send'
cat "$T/step.1" "$bob" >"$T/work/join.conf"
sed -i "s,\"\(ca\|key\|certificate\)\.pem\",\"$dir/\1.pem\",g" join.conf
must tm new-session -d -s alert -x 80 -y 10 \
	"qchat-join --config '$T/work/join.conf' -u carol -r ops"
must sees alert 'carol@ops>'
say -r ops -s critical the house is on fire
ok 'what is critical pops up' wait_line "$T/calls" \
	'^notify-send -- ops: alice the house is on fire$'
type alert '\q'
example qchat.conf.5 '^room = "ops"'
mkdir -p "$HOME/.config/qchat"
cp "$T/step.1" "$HOME/.config/qchat/qchat.conf"
exit_is 0 'the room need not be said' qchat-say into that room
heard 'alice into that room'
must rm -r "$HOME/.config/qchat"
example qchat.conf.5 'systemd-creds'
must openssl pkey -in "$dir/key.pem" -aes256 -passout 'pass:a passphrase' \
	-out "$T/conf/encrypted.key"
chmod 600 "$T/conf/encrypted.key"
sed 's/alice\.key/encrypted.key/' "$T/conf/qchat.conf" >"$T/conf/other.conf"
cat "$T/conf/other.conf" "$T/step.1" >"$T/conf/qchat.conf"
with_conf hello
sed -i s/decrypt/encrypt/ "$T/conf/qchat.conf"
exit_is 78 'and needs that passphrase' qchat-say \
	--config "$T/conf/qchat.conf" --dry-run hello
example qchat.conf.5 '-v --dry-run'
does 0
like "$(err)" "settings .*$F/qchat.conf" 'it says where they are from'

# qchat-protocol(7), the part on the private fabric

example qchat-protocol.7 'mosquitto_sub'
echo cd "$F/users/$me" | cat - "$T/step.2" >"$T/step.3"
is "$(sed 's,~,'"$HOME"',; s,/alice,/'"$me"',' "$T/step.1")" \
	"$(head -n 1 "$T/step.3")" 'the folder'
change "s/8883/$(qchat-fabric status | sed -n 's/^port //p')/
	s/mosquitto_sub/stdbuf -oL mosquitto_sub -d/" 3
begins wire 3
wire=$pid
must wait_line "$T/wire.out" 'received SUBACK'
say -r ops over the wire
hex=$(printf 'over the wire' | od -An -tx1 | tr -d ' \n')
ok 'what goes over it' wait_line "$T/wire.out" "^$room [0-9a-f]*$hex"
ends "$wire"
must end_process "$ear"
exec 9>&-

# What needs a DXL fabric.

fabric_start
services_start
peer 8 wire raw.js mallory
raw() {
	printf '%s\n' "$*" >&8
	wire_done=$((${wire_done:-0} + 1))
	must wait_line "$T/wire.out" '"at":"(done|error)"' "$wire_done"
}
QCHAT_CONFIG=$(user_conf ann)
export QCHAT_CONFIG
start ear qchat-listen -v -u ear -r ops -r incident-42 --presence
ear=$pid
must wait_line "$T/ear.err" 'in ops'
must wait_line "$T/ear.err" 'in incident-42'

example qchat.conf.5 'dxl_config'
cp "$T/step.1" "$T/conf/dxl.conf"
sed -i "s,/etc/dxl,$T/users/ann,; s/alice/dora/" "$T/conf/dxl.conf"
exit_is 0 'and these' env -u QCHAT_USER -u QCHAT_CONFIG qchat-say \
	--config "$T/conf/dxl.conf" -r ops by those settings
heard 'dora by those settings'

# qchat-who(1)

raw "sub $room"
example qchat-who.1 'participants.listeners'
does_at_last 0 '^participants 1$'
does_at_last 0 '^listeners [0-9]'
is "$(out)" 'participants 1
listeners 2' 'one listens and does not show'
is "$(sed 's/[0-9]*$//' "$T/shown.1")" "$(sed 's/[0-9]*$//' "$T/out")" \
	'as it is shown'

# qchat-mar(1)

example qchat-mar.1 'hostname, ip_address, os'
pane hosts
ok 'it ends' sees hosts 'status 0'
is "$(shown hosts | sed -n '/^HostInfo/,/^status/{/^status/!p;}' | normal)" \
	"$(normal <"$T/shown.1")" 'as it is shown'
example qchat-mar.1 '--table --hash .*qchat-say'
does 0
heard 'incident-42 [+] alice HostInfo.hostname .*pc1 '
example qchat-mar.1 'CurrentFlow'
pane flow
# The service here has other collectors: it gets the query, and refuses it.
ok 'the service is asked' wait_line "$T/services.out" \
	'"CurrentFlow".*"192.0.2.7"'
ok 'for what it has not' sees flow 'status 76'
example qchat-mar.1 '-n 10 Processes name'
does 0
is "$(wc -l <"$T/out")" 11 'ten, and the header'
example qchat-mar.1 'Processes user equals'
does 0
like "$(out)" '^System$|^MARService.exe$' 'names'
not_ok 'and nothing else' grep -q '["{|]' "$T/out"
example qchat-mar.1 'size > 200'
does 64
shows "$T/err"

# qchat-tie(1)

example qchat-tie.1 'cut -f 2-5'
does 0
is "$(out)" "$(cat "$T/shown.1")" 'as it is shown'
example qchat-tie.1 'file setup.exe'
: >setup.exe
does 0
heard 'incident-42 [+] alice HASH.*e3b0c442'
example qchat-tie.1 'sha256sum'
echo nobody knows this >a-program
change "s,/usr/local/bin,$T/work,"
does 0
like "$(out)" "^$T/work/a-program\$" 'what nobody knows'
example qchat-tie.1 'qchat-tie --agents'
does 0
like "$(out)" '[{]3a6f574a-3e6f-436d-acd4-bcde336b054d[}].*2016-10' 'the systems'
example qchat-tie.1 'Malicious'
begins follow
follow=$pid
level=known-malicious
told() {
	[ "$level" = known-malicious ] && level=most-likely-malicious ||
		level=known-malicious
	qchat-tie --set "$level" --yes f2c7bb8acc97f92e987a2d4087d021b1 &&
		has_lines "$T/ear.out" 'alice .*(Known|Likely) Malicious$' 1
}
ok 'the room is told' wait_for told
ends "$follow"
example qchat-tie.1 'incident 42'
pane set
must sees set 'y'
type set y
ok 'it is set' sees set 'status 0'
ok 'with its comment' wait_line "$T/services.out" '"comment":"incident 42"'

# qchat-protocol(7)

# messages: what the block has, a line each
messages() {
	awk 'NF { line = line $0; next } { print line; line = "" }
		END { print line }' "$T/step.1"
}
example qchat-protocol.7 '02 02 da'
raw "hex $room $(cut -c 1-48 "$T/step.1" | tr -d ' \n')"
heard ' ops [-?]~? alice hi$'
is "$(cut -c 50- "$T/step.1" | tr -d '\n')" "$(cut -c 1-48 "$T/step.1" |
	node -e '
	const hex = require("fs").readFileSync(0, "utf8").replace(/\s/g, "")
	console.log(Buffer.from(hex, "hex").toString("latin1")
		.replace(/[^ -~]/g, "."))')" 'its letters are those of its bytes'
example qchat-protocol.7 '"heads"'
raw "json $room $(messages)"
heard 'bob (is here|joined)$'
minute=$(messages | jq -r '.minutes[0][1]')
ok 'and as it was heard' wait_line "$T/wire.out" \
	"\"got\":$(messages | sed 's/[][{}]/\\&/g')"
example qchat-protocol.7 'dd5c6097538e72f1'
is "$(node -e '
	const mask = (1n << 64n) - 1n
	const mix = z => {
		z = (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n & mask
		z = (z ^ (z >> 27n)) * 0x94d049bb133111ebn & mask
		return z ^ (z >> 31n)
	}
	const fnv = s => Array.from(s).reduce((h, c) => (h ^
		BigInt(c.charCodeAt(0))) * 0x100000001b3n & mask, 0xcbf29ce484222325n)
	const hex = n => n.toString(16).padStart(16, "0")
	let sum = 0n
	const rows = require("fs").readFileSync(process.argv[1], "utf8")
	for (const row of rows.split("\n")) {
		const [uid, first, last, digest] = row.split(/ +/)
		if (!/^[0-9a-f]{32}$/.test(uid)) continue
		const own = mix(mix((fnv(uid) + BigInt(first)) & mask) +
			BigInt(last) & mask)
		if (hex(own) !== digest) console.log(uid, hex(own))
		sum += own
	}
	console.log(hex(sum & mask))' "$T/step.1")" "$minute" \
	'the digests, and their sum'
is "$(tail -n 1 "$T/step.1" | tr -d ' ')" "$minute" 'which is in the message'
example qchat-protocol.7 '^[{]"type":4'
raw "json $room {\"type\":2,$(messages | sed 's/^{"type":4,//; s/,"last".*/}/')"
heard 'alice (joined|is here)'
raw "json $room $(messages | jq -c 'del(.conn)')"
heard 'alice left .bye.'
messages | jq -c .conn >"$T/conn"
like "$(cat "$T/conn")" '^"[0-9a-f]{16}"$' 'of one connection'
example qchat-protocol.7 '"type":3'
raw "sub $(messages | jq -r .inbox)"
raw "json $room $(messages)"
ok 'it is answered' wait_line "$T/wire.out" \
	'"topic":"/mcafee/client/[^}]*aa08872f.*"type":2'
example qchat-protocol.7 '"n":2'
messages >"$T/messages"
raw "json $room $(sed -n 1p "$T/messages")"
heard 'bob one$'
heard 'bob two$'
raw "json $room $(sed -n 2p "$T/messages")"
example qchat-protocol.7 '"type":11'
messages >"$T/messages"
raw "sub $(sed -n 2p "$T/messages" | jq -r .inbox)"
raw "json $room $(sed -n 2p "$T/messages" |
	jq -c --arg now "$(date +%s%3N)" '.since = ($now | tonumber)')"
ok 'what it tells of is asked for' wait_line "$T/wire.out" \
	'"topic":"/mcafee/client/[^}]*525a3330.*"type":6'
example qchat-protocol.7 '"want"'
messages >"$T/messages"
is "$(sed -n 2p "$T/messages" | jq -c '.payload | fromjson |
	[.UID, .seq] == ["5b0c5cf3a9f2b0d4c8e1771f20a9e6d3", 1]')" true \
	'the answer has what was asked for'
raw "json $room $(sed -n 2p "$T/messages" |
	jq -r --arg now "$(date +%s%3N)" '.payload | fromjson | .seq = 2 |
		.message = "second" | .since = ($now | tonumber) | tojson')"
must wait_line "$T/wire.out" \
	"\"type\":6,\"UID\":\"$(sed -n 1p "$T/messages" | jq -r .UID)"
raw "json $room $(sed -n 2p "$T/messages")"
heard 'eve first$'
heard 'eve second$'
raw "sub $(sed -n 1p "$T/messages" | jq -r .inbox)"
raw "json $room $(sed -n 1p "$T/messages")"
ok 'who has it answers' wait_line "$T/wire.out" \
	'"topic":"(/mcafee/client/[^}]*ea5bb8be|[^"]*ops)[^"]*".*first'
example qchat-protocol.7 '"count":3'
messages >"$T/messages"
raw "sub $(sed -n 1p "$T/messages" | jq -r .inbox)"
raw "json $room $(sed -n 1p "$T/messages" | jq -c '.until = 1999999999999')"
offer='"topic":"/mcafee/client/[^}]*43ee4e76.*"type":7.*"have"'
ok 'it is offered' wait_line "$T/wire.out" "$offer"
is "$(grep -aE "$offer" "$T/wire.out" | head -n 1 | jq -c '.got | keys')" \
	"$(sed -n 2p "$T/messages" | jq -c keys)" 'with the keys that are shown'
is "$(sed -n 3p "$T/messages" | jq -c 'del(.skip)')" \
	"$(sed -n 1p "$T/messages" | jq -c .)" 'it is asked for in the same words'
is "$(sed -n 4p "$T/messages" | jq -c 'del(.skip, .sent)')" \
	"$(sed -n 2p "$T/messages" | jq -c .)" 'and what is sent is told'

# qchat-provision(1)

S=$T/service
mkdir "$S"
cp "$T/broker/ca.crt" "$T/broker/ca.key" "$S"
must certificate_of "$S/server" 'QChat test console' basicConstraints=CA:false \
	extendedKeyUsage=serverAuth subjectAltName=DNS:localhost,IP:127.0.0.1
mkfifo "$T/console.in"
start console node "$srcdir/tests/peer/console.js" "$S" "$broker_port"
exec 7>"$T/console.in"
must wait_line "$T/console.out" '"at":"ready"'
port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$T/console.out")
pin=$(openssl x509 -noout -fingerprint -sha256 -in "$S/server.crt" |
	sed 's/.*=//; s/://g' | tr A-F a-f)
at_service="s/console\.example\.com/localhost/
	s/epo\.example\.com/localhost/
	s/qchat-provision/qchat-provision --port $port/"

example qchat-provision.1 'request ~/dxl .*--pin'
change "$at_service" 1
pane ask
must sees ask 'Password of admin at localhost:'
type ask password
ok 'it is not trusted' sees ask 'status [1-9]'
pinned=$(shown ask | tr -d '\n' | sed -E 's/.*--pin ([0-9a-f]{64}).*/\1/')
is "$pinned" "$pin" 'and its fingerprint told'
change "$at_service
	s/--pin [^ ]*/--pin $pin/" 2
pane pinned 2
must sees pinned 'Password of admin at localhost:'
type pinned password
ok 'it is trusted' sees pinned 'status 0'
ok 'the file is there' sees pinned "^$HOME/dxl/dxlclient.config\$"
is "$(sed -n 2p "$T/shown.2")" /home/alice/dxl/dxlclient.config 'as it is shown'
start hark qchat-listen -v -u hark -r ops
must wait_line "$T/hark.err" 'in ops'
unset QCHAT_CONFIG
does 0 3
ok 'and makes one a member' wait_line "$T/hark.out" 'alice hello$'

example qchat-provision.1 '@weekly'
(umask 077 && echo password >"$HOME/.epo")
cp "$S/ca.crt" "$HOME/epo.pem"
change "$at_service
	s/reader/admin/"
must rm "$HOME/dxl/ca-bundle.crt"
ok 'cron runs it' cron
ok 'what was lost is there again' test -s "$HOME/dxl/ca-bundle.crt"

example qchat-provision.1 'generate ~/dxl .*import-ca.*show'
must rm -r "$HOME/dxl"
does 0 1
shows "$T/out" 1
does 0 2
must openssl x509 -req -days 30 -CA "$S/ca.crt" -CAkey "$S/ca.key" \
	-in "$HOME/dxl/client.csr" -out client.crt -copy_extensions copyall
cp "$S/ca.crt" brokercerts.crt
echo "local=local;$broker_port;localhost;127.0.0.1" >brokerlist.properties
for step in 3 4 5 6; do
	does 0 "$step"
done
like "$(out)" '^broker localhost:[0-9]* yes$' 'the broker takes it'

example qchat-provision.1 '\^until'
does 0
like "$(out)" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$' 'the day'

examples_done
done_testing
