#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the tools end with, and say then, when something is wrong.

. "$(dirname "$0")/lib.sh"

broker_rules='pattern readwrite /mcafee/event/qchat/ops
pattern readwrite /mcafee/event/qchat/a/b
pattern read /mcafee/event/qchat/readonly
pattern write /mcafee/event/qchat/writeonly
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
broker_start

as alice start ear qchat-listen -v -r ops
ear_pid=$pid
must wait_line "$T/ear.err" '^qchat-listen: in '

for tool in qchat-say qchat-listen qchat-who; do
	as bob exit_is 64 "$tool --nonsense is 64" "$tool" --nonsense </dev/null
	like "$(err)" "^$tool: " 'and it says who says so'
	as bob exit_is 64 "$tool without a room is 64" "$tool" </dev/null
	as bob exit_is 64 "$tool -W later is 64" "$tool" -r ops -W later \
		</dev/null
done
as bob exit_is 64 'qchat-say in two rooms is 64' qchat-say -r ops -r a/b x
as alice exit_is 64 'qchat-listen -C none is 64' qchat-listen -r ops -C none
as alice exit_is 64 'qchat-listen with an argument is 64' \
	qchat-listen -r ops what
as alice exit_is 124 'qchat-listen -W: 124' qchat-listen -r ops -W 2
as bob exit_is 0 'one is said' qchat-say -r ops counted </dev/null
as alice exit_is 124 'qchat-listen -C 5 -W: 124' \
	qchat-listen -r ops -C 5 -W 2

# Nobody listens there: found out before anything else could be.
dead_port=$(free_port)
conf_for "$(user_dir bob)" "$dead_port" >"$T/dead.conf"
exit_is 69 'no broker: qchat-say is 69' \
	qchat-say --no-spool --config "$T/dead.conf" -r ops x
like "$(err)" "127\\.0\\.0\\.1:$dead_port: .*refused" 'it names the broker'
exit_is 69 'qchat-listen is 69' qchat-listen --config "$T/dead.conf" -r ops
exit_is 69 'qchat-who is 69' qchat-who --config "$T/dead.conf" -r ops
exit_is 0 '--dry-run needs no broker' \
	qchat-say --config "$T/dead.conf" -r ops --dry-run x

long=$(printf '%0513d' 0)
for room in '' 'a+b' 'a/#' "$(printf 'a\001b')" "$(printf 'a\302\205b')" \
	"$(printf 'a\377b')" "$long"; do
	shown=$(printf %.20s "$room" | cat -v)
	exit_is 64 "the room \"$shown\" is refused before connecting (say)" \
		qchat-say --config "$T/dead.conf" -r "$room" x
	exit_is 64 "the room \"$shown\" is refused before connecting (listen)" \
		qchat-listen --config "$T/dead.conf" -r "$room"
	exit_is 64 "the room \"$shown\" is refused before connecting (who)" \
		qchat-who --config "$T/dead.conf" -r "$room"
	is "$(LC_ALL=C tr -d '\n\t -~\200-\377' <"$T/err" | wc -c)" 0 \
		'and is harmless in the message'
done

# A connection and an echo have to fit into it, under valgrind too.
proof=${QCHAT_TEST_PROOF:-1}
as bob exit_is 77 'a room that one may not write to is 77' \
	qchat-say -r readonly -W "$proof" x
like "$(err)" 'no echo .*readonly' 'and it says so'
as bob exit_is 77 'a room that one may not read is 77' \
	qchat-say -r writeonly -W "$proof" x
as bob exit_is 0 '--confirm none' qchat-say -r writeonly --confirm none x
as bob exit_is 64 '--confirm what is 64' qchat-say -r ops --confirm what x
seq 3 >"$T/three"
as bob exit_is 77 'lines that do not come back are 77' \
	qchat-say -r readonly -l -W "$proof" <"$T/three"

# Much of it, too: what is large may take its time, but not for ever.
head -c 600000 /dev/zero | tr '\0' x >"$T/large"
as bob exit_is 77 'a large text that does not come back is 77' \
	qchat-say -r readonly -W "$proof" <"$T/large"
is "$(find "$XDG_STATE_HOME" -path '*/spool/0*' | wc -l)" 0 \
	'and nothing of all that is in the spool'

# The time is that of -W: half of it, a fresh connection, the other half.
as bob exit_is 77 'a second try, and no third' \
	qchat-say -v -r readonly -W "$proof" x
is "$(grep -c 'connected to' "$T/err")" 2 'over two connections'

# Descriptors that are closed.
as bob exit_is 74 'no standard input is 74' sh -c 'qchat-say -r ops -l <&-'
as bob exit_is 74 'no standard output is 74' \
	sh -c 'qchat-say -r ops --dry-run --json x >&-'
as bob exit_is 74 'for a listener as well' sh -c 'qchat-listen -r ops >&-'

# edited NAME SED: a copy of bob's configuration with a change
edited() {
	sed -e "$2" "$(user_conf bob)" >"$T/$1.conf"
	echo "$T/$1.conf"
}

user_conf bob >"$T/bob"
exit_is 78 'no certificate: 78' qchat-say \
	--config "$(edited gone 's|user\.crt|gone.crt|')" -r ops x
like "$(err)" 'gone\.crt' 'the file is named'
echo nonsense >"$T/users/bob/nonsense.crt"
exit_is 78 'a certificate that is none: 78' qchat-say \
	--config "$(edited nonsense 's|user\.crt|nonsense.crt|')" -r ops x
like "$(err)" 'nonsense\.crt' 'the file is named'
user_dir carol >"$T/dir"
exit_is 78 'the key of another: 78' qchat-say --config \
	"$(edited other "s|bob/user.key|carol/user.key|")" -r ops x
exit_is 78 'no CA: 78' qchat-listen --config \
	"$(edited noca 's|ca\.crt|none.crt|')" -r ops
cp "$T/users/bob/user.key" "$T/users/bob/open.key"
chmod 644 "$T/users/bob/open.key"
exit_is 77 'a key that the world can read: 77' qchat-say \
	--config "$(edited open 's|user\.key|open.key|')" -r ops x
like "$(err)" 'open\.key' 'the file is named'
exit_is 78 'an unknown setting: 78' qchat-say --config \
	"$(edited unknown '5s/$/ colour = "red";/')" -r ops x
like "$(err)" 'unknown\.conf:5: .*colour' 'its file and line are named'
exit_is 78 'a syntax error: 78' qchat-say --config \
	"$(edited syntax '3s/=/!/')" -r ops x
like "$(err)" 'syntax\.conf:3: ' 'its file and line are named'
exit_is 78 'no such configuration: 78' qchat-say --config "$T/none" -r ops x
exit_is 78 'none at all: 78' qchat-say -r ops x
like "$(err)" 'qchat-fabric up' 'it says what to type'

# A certificate that is not in date, and one of a stranger's CA.
user_dir old >"$T/dir"
(
	cd "$T/users/old" || exit 1
	openssl req -new -key user.key -subj /CN=old -out old.csr 2>/dev/null
	# Newer ones take no days of the past, older ones no dates.
	issue() {
		openssl x509 -req -in old.csr -CA "$T/broker/ca.crt" \
			-CAkey "$T/broker/ca.key" -CAcreateserial \
			-out user.crt "$@" 2>/dev/null
	}
	issue -days -1 || issue -not_before 20200101000000Z \
		-not_after 20200201000000Z
)
as old exit_is 78 'a certificate that has expired: 78' qchat-say -r ops x
like "$(err)" 'expired' 'it says so'
user_dir stranger >"$T/dir"
openssl req -x509 -new -key "$T/users/stranger/user.key" -days 2 \
	-subj /CN=stranger -out "$T/users/stranger/user.crt" 2>/dev/null
as stranger exit_is 78 "a certificate that the broker does not take: 78" \
	qchat-say -r ops x
user_dir distrustful >"$T/dir"
openssl req -x509 -new -key "$T/users/stranger/user.key" -days 2 \
	-subj /CN=other -out "$T/users/distrustful/ca.crt" 2>/dev/null
as distrustful exit_is 78 'a broker of a foreign CA: 78' qchat-say -r ops x
as distrustful exit_is 78 'for qchat-listen as well' qchat-listen -r ops

as bob exit_is 0 'the last one' qchat-say -r ops end </dev/null
must wait_line "$T/ear.out" ' end$'
is "$(count_lines "$T/ear.out" ' x$')" 0 \
	'nothing of all these came into the room'
ok 'the listener still listens' alive "$ear_pid"

done_testing
