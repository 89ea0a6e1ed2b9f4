#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The private fabric: what up, down, status and add make, start and end.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need mosquitto mosquitto_pub mosquitto_sub openssl
# shellcheck disable=SC2034 # lib.sh does it
at_end='qchat-fabric -q down'
F=$XDG_STATE_HOME/qchat/fabric
me=$(id -un)

# value WORD: what status says of it
value() {
	qchat-fabric status | sed -n "s/^$1 //p"
}

# runs PID: it does, and does not only wait for init to take note of its end
runs() {
	sed 's/.*) //' "/proc/$1/stat" | grep -qv '^Z'
}

mode() { stat -c %a "$1"; }
serial() { openssl x509 -noout -serial -in "$1"; }

# $T/client CMD NAME [ARG…]: mosquitto_pub or _sub as that user of the fabric
cat >"$T/client" <<-'END'
	#!/bin/sh
	command=$1
	dir=$XDG_STATE_HOME/qchat/fabric/users/$2
	shift 2
	exec stdbuf -oL "$command" -h localhost \
		-p "$(qchat-fabric status | sed -n 's/^port //p')" \
		--cafile "$dir/ca.pem" --key "$dir/key.pem" \
		--cert "$dir/certificate.pem" "$@"
END
chmod +x "$T/client"

# Nothing is there yet.
exit_is 1 'status: nothing runs' qchat-fabric status
like "$(out)" '^running no$' 'and says so'
exit_is 0 'down with nothing to end' qchat-fabric down
like "$(err)" 'does not run' 'and says so'
not_ok 'neither makes a folder' test -e "$XDG_STATE_HOME/qchat"

for wrong in '' 'down up' 'sideways' 'add' 'add a b' 'up --port 0' \
	'up --port 65536' 'up --listen nowhere' 'down --port 8883' \
	'add a/b' 'add a+b' 'add a#b' 'add ..' 'add .hidden'; do
	# shellcheck disable=SC2086 # words
	exit_is 64 "usage: qchat-fabric $wrong" qchat-fabric $wrong
done
exit_is 64 'a control character in a name' qchat-fabric add "$(printf 'a\033b')"
not_ok 'it does not reach the terminal' grep -q "$(printf '\033')" "$T/err"
exit_is 64 'a name that is not UTF-8' qchat-fabric add "$(printf 'a\377')"
exit_is 64 'a name of 65 bytes' qchat-fabric add \
	aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
exit_is 64 'an empty name' qchat-fabric add ''

: >"$T/file"
exit_is 73 'no folder can be made there' \
	env XDG_STATE_HOME="$T/file" qchat-fabric up
like "$(err)" 'XDG_STATE_HOME' 'it says what to change'

# Two at once, in a folder of which we see what is left in it.
mkdir "$T/empty"
cd "$T/empty" || exit 99
umask 0
start first qchat-fabric up
first=$pid
start second qchat-fabric up
second=$pid
must wait_end "$first"
is "$status" 0 'up'
must wait_end "$second"
is "$status" 0 'up at the same time'
umask 022
port=$(value port)
pid=$(value process)
like "$(cat "$T/first.out")" "^fabric on localhost:$port \(user $me\)\$" \
	'it says where and who'
is "$(cat "$T/first.out")" "$(cat "$T/second.out")" 'both say the same'
is "$(cat "$T/first.err" "$T/second.err" | grep -c 'runs already')" 1 \
	'one of them has started it'
is "$(ls -A)" '' 'nothing is left in the working folder'
exit_is 0 'status: it runs' qchat-fabric status
exit_is 0 'status -q' qchat-fabric -q status
is "$(out)" '' 'prints nothing'
is "$(value address | head -n 1)" 127.0.0.1 'it listens on the loopback'
is "$(readlink "/proc/$pid/cwd")" / 'its working folder is the root'
is "$(cat "$F/mosquitto.pid")" "$pid" 'its process is in the file'
is "$(mode "$F")" 700 'the folder is closed to others'
for key in "$F/ca.key" "$F/broker.key" "$F/users/$me/key.pem"; do
	is "$(mode "$key")" 600 "${key#"$F/"} is closed to others"
done
ok 'no file is left half written' test -z \
	"$(find "$F" -name '*.??????')"

exit_is 0 'up again' qchat-fabric up
like "$(err)" "runs already .*$pid" 'is harmless'
is "$(value process)" "$pid" 'the same process'
exit_is 69 'up on another port' qchat-fabric up --port $((port + 1))
like "$(err)" 'qchat-fabric down' 'it says what to do'
exit_is 74 'a full disk as standard output' \
	sh -c 'exec qchat-fabric status >/dev/full'

# Certificates.
ok 'the broker is a server of the CA, by any of its names' \
	openssl verify -x509_strict -purpose sslserver -CAfile "$F/ca.pem" \
	-verify_hostname localhost "$F/broker.pem"
ok 'by its address' openssl verify -CAfile "$F/ca.pem" -verify_ip 127.0.0.1 \
	"$F/broker.pem"
ok 'by its other address' openssl verify -CAfile "$F/ca.pem" -verify_ip ::1 \
	"$F/broker.pem"
ok 'the user is a client of the CA' openssl verify -x509_strict \
	-purpose sslclient -CAfile "$F/ca.pem" "$F/users/$me/certificate.pem"
not_ok 'the broker is no client' openssl verify -purpose sslclient \
	-CAfile "$F/ca.pem" "$F/broker.pem"

# add
exit_is 0 'add' qchat-fabric add alice
is "$(out)" "$F/users/alice/qchat.conf" 'prints the path of the settings'
is "$(openssl x509 -noout -subject -nameopt utf8,sep_comma_plus \
	-in "$F/users/alice/certificate.pem")" 'subject=CN=alice' \
	'the name is in the certificate'
before=$(cat "$F"/users/alice/* | openssl sha256)
exit_is 0 'add again' qchat-fabric add alice
is "$(out)" "$F/users/alice/qchat.conf" 'prints the path again'
is "$(cat "$F"/users/alice/* | openssl sha256)" "$before" 'and changes nothing'
exit_is 0 'a name beyond ASCII, with a space' qchat-fabric add 'Zoë B'
like "$(qchat-fabric status)" '^user until [0-9-]+ Zoë B$' 'status lists it'
rm "$F/users/alice/certificate.pem"
exit_is 0 'add makes good what is missing' qchat-fabric add alice
ok 'with a key that fits' openssl verify -CAfile "$F/ca.pem" \
	"$F/users/alice/certificate.pem"

# The broker with real clients, which know nothing of us.
inbox='/mcafee/client/{alice}'
start spy "$T/client" mosquitto_sub "$me" -i '{spy}' -t '#' -C 2 -v -d
start ear "$T/client" mosquitto_sub alice -i '{alice}' -t "$inbox" \
	-t /mcafee/event/qchat/ops -C 2 -v -d
must wait_line "$T/ear.out" 'received SUBACK'
must wait_line "$T/spy.out" 'received SUBACK'
for topic in "$inbox" /elsewhere /mcafee/event/other \
	/mcafee/event/qchat/ops '/mcafee/client/{spy}'; do
	must "$T/client" mosquitto_pub 'Zoë B' -q 1 -t "$topic" -m "to $topic"
done
must wait_end "$pid"
is "$(grep -a '^/' "$T/ear.out")" "$inbox to $inbox
/mcafee/event/qchat/ops to /mcafee/event/qchat/ops" \
	'a client reads rooms and its inbox'
must wait_line "$T/spy.out" '^/mcafee/client/{spy}'
is "$(grep -a '^/' "$T/spy.out")" \
	'/mcafee/event/qchat/ops to /mcafee/event/qchat/ops
/mcafee/client/{spy} to /mcafee/client/{spy}' 'and nothing else'
not_ok 'no certificate, no connection' mosquitto_pub -h localhost -p "$port" \
	--cafile "$F/ca.pem" -t /mcafee/event/qchat/ops -m x

# down
: >"$T/empty.conf"
start other mosquitto -c "$T/empty.conf" -p "$(free_port)"
other=$pid
pid=$(value process)
exit_is 0 'down' qchat-fabric down
not_ok 'it has ended' runs "$pid"
ok 'another mosquitto has not' runs "$other"
not_ok 'its process id is gone' test -e "$F/mosquitto.pid"
exit_is 1 'status: it does not run' qchat-fabric status
echo "$other" >"$F/mosquitto.pid"
exit_is 0 'a stale process id' qchat-fabric down
ok 'ends nobody' runs "$other"

# What is remembered, and what wears out.
echo "$other" >"$F/mosquitto.pid"
exit_is 0 'up once more, with a stale process id' qchat-fabric up
ok 'its own is there now' test "$(value process)" != "$other"
is "$(value port)" "$port" 'on the same port'
kill -KILL "$(value process)"
wait_for not qchat-fabric -q status
exit_is 0 'up after it was killed' qchat-fabric up
renew() { # a certificate of that key with so few days left
	openssl req -new -key "$1" -subj "/CN=$me" |
		openssl x509 -req -CA "$F/ca.pem" -CAkey "$F/ca.key" \
			-days "$3" -out "$2"
}
must renew "$F/users/$me/key.pem" "$F/users/$me/certificate.pem" 20
must renew "$F/users/Zoë B/key.pem" "$F/users/Zoë B/certificate.pem" 20
must renew "$F/broker.key" "$F/broker.pem" 20
mine=$(serial "$F/users/$me/certificate.pem")
others=$(serial "$F/users/Zoë B/certificate.pem")
brokers=$(serial "$F/broker.pem")
exit_is 0 'up with certificates near their end' qchat-fabric up
not_ok "this user's is renewed" test "$(serial \
	"$F/users/$me/certificate.pem")" = "$mine"
not_ok "the broker's is renewed" test "$(serial "$F/broker.pem")" = "$brokers"
exit_is 0 'add, with 20 days left' qchat-fabric add 'Zoë B'
is "$(serial "$F/users/Zoë B/certificate.pem")" "$others" 'keeps it'
served_is_new() {
	[ "$(openssl s_client -connect "localhost:$port" </dev/null \
		2>/dev/null | openssl x509 -noout -serial)" = \
		"$(serial "$F/broker.pem")" ]
}
ok 'the running broker has the new one' wait_for served_is_new

# The port is somebody else's: all settings follow.
must qchat-fabric down
other_port=$(free_port)
kill "$other"
must wait_end "$other"
start other mosquitto -c "$T/empty.conf" -p "$other_port"
other=$pid
must wait_line "$T/other.err" ' running$'
exit_is 69 'up on a port that is taken' qchat-fabric up --port "$other_port"
like "$(err)" "$other_port: Address already in use" 'it says so'
sed "s/^listener [0-9]*/listener $other_port/" "$F/mosquitto.conf" \
	>"$T/conf" && cp "$T/conf" "$F/mosquitto.conf"
exit_is 0 'up, with the remembered port taken' qchat-fabric up
like "$(err)" "$other_port is taken" 'it says so'
port=$(value port)
is "$(grep -L "port = $port;" "$F/qchat.conf" "$F"/users/*/qchat.conf)" '' \
	'it is in the settings of all'
must qchat-fabric down

exit_is 0 'up on all addresses' qchat-fabric up --listen 0.0.0.0
like "$(value address)" '^0\.0\.0\.0$' 'is told'
must qchat-fabric down

# A mosquitto that does not start.
mkdir "$T/bin"
printf '#!/bin/sh\necho "Error: out of luck"\nexit 3\n' >"$T/bin/mosquitto"
chmod +x "$T/bin/mosquitto"
exit_is 69 'mosquitto ends at once' env PATH="$T/bin:$PATH" qchat-fabric up
like "$(err)" 'out of luck' 'its reason is told'
exit_is 1 'and nothing runs' qchat-fabric -q status
mv "$F/ca.key" "$T/ca.key"
exit_is 78 'the key of the CA is lost' qchat-fabric up
like "$(err)" 'ca\.key' 'it says so'
exit_is 78 'add neither' qchat-fabric add bob
mv "$T/ca.key" "$F/ca.key"

# From cron: nothing but HOME.
exit_is 0 'up with HOME alone' env -i HOME="$T/home" PATH=/usr/bin:/bin \
	"$(command -v qchat-fabric)" up
ok 'the state is under HOME' \
	test -s "$T/home/.local/state/qchat/fabric/mosquitto.pid"
exit_is 0 'and down' env -i HOME="$T/home" "$(command -v qchat-fabric)" down

# Another user's, which cannot be entered.  Root has to give up its rights for
# that.
theirs=/root
unprivileged=
if [ "$(id -u)" = 0 ]; then
	theirs=$T/theirs
	mkdir -m 700 "$theirs"
	chown nobody "$theirs"
	unprivileged='setpriv --bounding-set=-dac_override,-dac_read_search'
fi
if ! $unprivileged test -x "$theirs"; then
	for words in status '-q status' up down 'add carol'; do
		# shellcheck disable=SC2086 # words
		exit_is 77 "another user's: $words" env -u XDG_STATE_HOME \
			HOME="$theirs" $unprivileged qchat-fabric $words
		like "$(err)" "^qchat-fabric: $theirs: cannot be entered: it belongs to another user, uid [0-9]+ \\(HOME or XDG_STATE_HOME says where the fabric is\\)\$" \
			'says so'
		is "$(out)" '' 'and nothing else'
	done
fi

# What is said while it is down.
exit_is 0 'down' qchat-fabric -q down
exit_is 75 'a post while it is down is kept' qchat-say -r ops later
like "$(err)" 'does not run .*1 message is kept in the spool' 'and it says so'
printf 'one\ntwo\n' >"$T/lines"
exit_is 75 'so are lines' qchat-say -r ops -l <"$T/lines"
exit_is 69 'not with --no-spool' qchat-say -r ops --no-spool never
exit_is 64 'nor without a room' qchat-say never
exit_is 75 '--flush' qchat-say --flush
like "$(err)" 'does not run .*; 2 messages wait in the spool' 'says what waits'
exit_is 0 '--queue' qchat-say --queue
is "$(grep -c 'other-' "$T/out")" 0 'knows that they are for it'
exit_is 0 'up, on another port' qchat-fabric -q up --port "$(free_port)"
start ear qchat-listen -v -r ops -C 3 -F '%m\n'
ear_pid=$pid
must wait_line "$T/ear.err" 'in ops'
exit_is 0 '--flush sends what was said' qchat-say --flush
wait_end "$ear_pid"
is "$(tr '\n' ' ' <"$T/ear.out")" 'later one two ' 'in order'

done_testing
