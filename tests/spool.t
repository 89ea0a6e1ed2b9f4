#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What cannot be delivered is kept, and delivered once.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need jq
runs=${QCHAT_TEST_KILLS:-60}
spool=$XDG_STATE_HOME/qchat/spool
deadline=$((deadline * 2))

waiting() { find "$spool" -name '[0-9]*-*' ! -name '*.bad' ! -name '*.expired' |
	wc -l; }

broker_rules='pattern readwrite /mcafee/event/qchat/ops
pattern readwrite /mcafee/event/qchat/other
pattern readwrite /mcafee/event/qchat/closed
pattern write /mcafee/event/qchat/writeonly
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
broker_start

# The broker is back, and the listener.
broker_back() {
	back=$(($(count_lines "$T/ear.err" 'back in ops') + 1))
	broker_restart && wait_line "$T/ear.err" 'back in ops' "$back"
}

as alice start ear qchat-listen -v -r ops -F '%u %m\n'
must wait_line "$T/ear.err" 'in ops'

broker_kill
as bob exit_is 75 'without a broker a post is kept' qchat-say -r ops one
like "$(err)" '^qchat-say: .*refused.*1 message is kept in the spool' \
	'and it says so'
as bob exit_is 75 'with --quiet too' qchat-say -q -r other two
is "$(err)" '' 'without a word'
seq 600 >"$T/numbers"
seq 3 >"$T/three"
as bob exit_is 75 'the lines of a stream' qchat-say -r ops -l <"$T/numbers"
like "$(err)" '600 messages are kept' 'are counted'
as bob exit_is 69 'with --no-spool it is given up' \
	qchat-say -r ops --no-spool three
is "$(stat -c %a "$spool")" 700 'the spool is private'
as bob exit_is 0 '--queue lists' qchat-say --queue
is "$(out | wc -l)" "$(waiting)" 'what waits'
like "$(out | head -n 1)" \
	"^....-..-..T..:..:..\\....Z ops bob [0-9]+ [0-9]+-[0-9]+-[0-9a-f]{32}\$" \
	'a line each'
as bob exit_is 75 '--flush without a broker' qchat-say --flush
like "$(err)" "; $(waiting) messages wait in the spool\$" 'says what waits'
as bob exit_is 64 '--flush with a text' qchat-say --flush text

must broker_back
as carol start other qchat-listen -v -r other -F '%m\n'
must wait_line "$T/other.err" 'in other'
as bob exit_is 0 '--flush sends it' qchat-say --flush
must wait_line "$T/ear.out" 'bob 600$'
is "$(waiting)" 0 'nothing waits any more'
{
	echo 'bob one'
	sed 's/^/bob /' "$T/numbers"
} >"$T/want"
ok 'all of it has come, in order, once' cmp "$T/ear.out" "$T/want"
ok 'in the other room too' wait_line "$T/other.out" '^two$'
as bob exit_is 0 '--flush with nothing to do' qchat-say --flush

broker_kill
as bob exit_is 75 'again without a broker' qchat-say -r ops late
as bob exit_is 75 'and --flush' qchat-say --flush
like "$(err)" '; 1 message waits in the spool$' 'says that one waits'
must broker_back
as bob exit_is 0 'any later post' qchat-say -r ops later
ok 'takes it along' wait_line "$T/ear.out" 'bob late$'
is "$(waiting)" 0 'and nothing waits'

# What must not be kept: it would not get better.
cat >"$T/wrong.conf" <<END
fabric = "$fabric_kind";
brokers = ( { host = "127.0.0.1"; port = $broker_port; } );
ca = "$T/users/bob/user.crt";
certificate = "$T/users/bob/user.crt";
key = "$T/users/bob/user.key";
END
exit_is 78 'a wrong CA' qchat-say --config "$T/wrong.conf" -r ops secret
is "$(waiting)" 0 'is no reason to keep anything'

# What is for one fabric is not sent to another.
must certificate_of "$T/broker/second" 'QChat second CA' \
	basicConstraints=critical,CA:true keyUsage=keyCertSign,cRLSign
{
	user_conf bob | xargs sed "s|^brokers.*|brokers = ( { \
		host = \"127.0.0.1\"; port = $(free_port); } );|"
} >"$T/otherbroker.conf"
{
	user_conf bob | xargs sed "s|^ca = .*|ca = \"$T/broker/second.crt\";|"
} >"$T/otherca.conf"
{
	user_conf bob | xargs sed "s|^brokers.*|brokers = ( { \
		host = \"localhost\"; port = $(free_port); }, { \
		host = \"127.0.0.1\"; port = $broker_port; } );|"
} >"$T/more.conf"
exit_is 75 'kept for another broker' \
	qchat-say --config "$T/otherbroker.conf" -r ops secret1
broker_kill
exit_is 75 'kept for another authority' \
	qchat-say --config "$T/otherca.conf" -r ops secret2
must broker_back
as bob exit_is 75 '--flush on this fabric' qchat-say --flush
like "$(err)" '^qchat-say: 2 messages in the spool are for another fabric' \
	'says that they are for another'
as bob exit_is 0 'a post on this fabric' qchat-say -r ops in between
is "$(err)" '' 'has no word on them'
is "$(waiting)" 2 'and does not take them along'
as bob exit_is 0 '--queue' qchat-say --queue
like "$(out)" '^[^ ]* ops bob [0-9]* [^ ]* other-fabric 127\.0\.0\.1:[0-9]+$' \
	'marks what is for another broker'
like "$(out)" "^[^ ]* ops bob [0-9]* [^ ]* other-ca 127\\.0\\.0\\.1:$broker_port\$" \
	'and for another authority'
as bob exit_is 0 '--queue --json' qchat-say --queue --json
ok 'says it in JSON' jq -es 'length == 2 and all(.type == "spooled" and
	.state == "waiting" and .this_fabric == false and .room == "ops" and
	.user == "bob" and .first == 1 and (.brokers | length) == 1 and
	(.authorities[0] | length) == 64)' "$T/out"
exit_is 0 '--queue with no settings' qchat-say --queue --json
ok 'knows of no fabric and no user' jq -es 'length == 2 and
	all(has("this_user") and .this_fabric == null and .this_user == null)' \
	"$T/out"
broker_kill
as bob exit_is 75 'one for this fabric' qchat-say -r ops mine
must broker_back
exit_is 75 '--flush with one broker more' \
	qchat-say --config "$T/more.conf" --flush
ok 'sends what is for it' wait_line "$T/ear.out" 'bob mine$'
is "$(waiting)" 2 'and nothing else'
exit_is 75 'the other settings' qchat-say --config "$T/otherbroker.conf" --flush
like "$(err)" 'refused' 'try the other fabric'
is "$(grep -c secret "$T/ear.out")" 0 'nothing came here'
rm "$spool"/0*

# What was said under one name is not sent under another, nor with the
# certificate of another.
must certificate_of "$T/renewed" bob basicConstraints=CA:false \
	extendedKeyUsage=clientAuth
{
	user_conf bob | xargs sed "s|^certificate = .*|certificate = \
		\"$T/renewed.crt\";|; s|^key = .*|key = \"$T/renewed.key\";|"
} >"$T/renewed.conf"
{
	user_conf bob | xargs sed \
		"s|^certificate = .*|certificate = \"$T/missing.crt\";|"
} >"$T/missing.conf"
broker_kill
as bob exit_is 75 'kept under a name' qchat-say -r ops of bob
as bob exit_is 75 'and under that of -u' qchat-say -u robert -r ops of robert
must broker_back
as carol exit_is 0 'a post under another name' qchat-say -r ops of carol
is "$(err)" '' 'has no word on them'
is "$(waiting)" 2 'and does not take them along'
as carol exit_is 75 '--flush under another name' qchat-say --flush
like "$(err)" '^qchat-say: 2 messages in the spool .* other names than carol ' \
	'says that they are under others'
is "$(waiting)" 2 'and leaves them alone'
as bob exit_is 0 '--queue' qchat-say --queue
is "$(grep -c 'other-' "$T/out")" 1 'marks nothing of its own name'
like "$(out)" '^[^ ]* ops robert [0-9]* [^ ]* other-user$' 'and what is not'
as bob exit_is 0 '--queue --json' qchat-say --queue --json
ok 'says it in JSON' jq -es 'all(.this_fabric) and
	(map({user, this_user}) == [{user: "bob", this_user: true},
	{user: "robert", this_user: false}])' "$T/out"
exit_is 0 '--queue on another fabric under another name' \
	qchat-say --config "$T/otherbroker.conf" -u robert --queue
like "$(out)" \
	'^[^ ]* ops bob [0-9]* [^ ]* other-fabric [^ ]*:[0-9]* other-user$' \
	'has both marks'
exit_is 75 '--flush there' \
	qchat-say --config "$T/otherbroker.conf" -u robert --flush
like "$(err)" '^qchat-say: 2 messages in the spool are for another fabric' \
	'tells of the fabric'
is "$(grep -c 'other name' "$T/err")" 0 'alone'
exit_is 0 '--queue without the certificate' \
	qchat-say --config "$T/missing.conf" --queue
like "$(err)" "^qchat-say: $T/missing.crt: No such file" 'says why'
is "$(grep -c 'other-' "$T/out")" 0 'it compares with no name'
exit_is 78 '--flush without it' qchat-say --config "$T/missing.conf" --flush
is "$(waiting)" 2 'sends nothing'
broker_kill
exit_is 75 'one for another fabric' \
	qchat-say --config "$T/otherbroker.conf" -r ops elsewhere
must broker_back
as carol exit_is 75 '--flush when one is for another fabric' qchat-say --flush
like "$(err)" '^qchat-say: 1 message in the spool is for another fabric' \
	'tells of that'
like "$(err)" '^qchat-say: 2 messages in the spool .* other names than carol ' \
	'and of the names'
as carol exit_is 0 'a post then' qchat-say -r ops of carol again
is "$(err)" '' 'of neither'
grep -L "^brokers: 127.0.0.1:$broker_port\$" "$spool"/0* | xargs rm
is "$(waiting)" 2 'two are left'
exit_is 75 '--flush with a renewed certificate' \
	qchat-say --config "$T/renewed.conf" --flush
ok 'sends what is of its name' wait_line "$T/ear.out" 'bob of bob$'
like "$(err)" \
	'^qchat-say: 1 message in the spool .* another name than bob ' \
	'and names the other'
is "$(waiting)" 1 'which it leaves alone'
as bob exit_is 0 'a post under that name' qchat-say -u robert -r ops there
ok 'sends it' wait_line "$T/ear.out" 'robert of robert$'
is "$(waiting)" 0 'and nothing waits'

# What awaits no echo does not await one later either.
broker_kill
as bob exit_is 75 'kept, with --confirm none' \
	qchat-say -r writeonly --confirm none fire
as bob exit_is 75 'and as lines' \
	qchat-say -r writeonly --confirm none -l <"$T/three"
must broker_back
as bob exit_is 0 '--flush awaits no echo of it' qchat-say --flush
is "$(waiting)" 0 'it is sent'
broker_kill
as bob exit_is 75 'kept, and to be confirmed' qchat-say -r writeonly fire
as bob exit_is 75 'beside one that is not' \
	qchat-say -r writeonly --confirm none forget
must broker_back
as bob exit_is 77 '--flush awaits the echo' \
	qchat-say -W "${QCHAT_TEST_PROOF:-1}" --flush
like "$(err)" '^qchat-say: 1 message had no echo and stays in the spool' \
	'of one message'
like "$(err)" "^qchat-say: $spool/0.*: no echo; it stays in the spool" \
	'which it names'
is "$(waiting)" 1 'which stays'
as bob exit_is 0 '--queue' qchat-say --queue
like "$(out)" '^[^ ]* writeonly bob [0-9]* [^ ]*\.deferred deferred$' 'marks it'
as bob exit_is 0 '--queue --json' qchat-say --queue --json
ok 'too' jq -e '.state == "deferred" and .room == "writeonly"' "$T/out"
as bob exit_is 77 '--flush tries it again' \
	qchat-say -W "${QCHAT_TEST_PROOF:-1}" --flush
is "$(waiting)" 1 'and keeps it'
rm "$spool"/0*

# A later post tries it once, and then no more.
broker_kill
for i in 1 2; do
	as bob exit_is 75 "kept: $i of 2" qchat-say -r writeonly "fire $i"
done
must broker_back
as bob exit_is 0 'the post that tries it does not take its time' \
	qchat-say -W 3600 -r ops burning
is "$(count_lines "$T/err" 'no echo; it stays in the spool')" 2 \
	'tells of each that had no echo'
as bob exit_is 0 'the next post' qchat-say -v -r ops burning still
is "$(grep -cE 'echo;|of the spool|wait|stay' "$T/err")" 0 'does not try it'
as bob exit_is 0 'nor has the one after' qchat-say -r ops and still
is "$(err)" '' 'a word on it'
is "$(waiting)" 2 'they stay'
rm "$spool"/0*

# A message that makes the broker end the connection.

# broker_takes [BYTES]: packets of so many at most, from its next start on
broker_takes() {
	fabric_options=${1:+--size $1}
	broker_lines=${1:+max_packet_size $1}
	broker_conf
}

big() {
	awk 'BEGIN { for (i = 0; i < 10000; i++) printf "0123456789" }' >"$T/big"
	# shellcheck disable=SC2016 # for the inner shell
	as bob exit_is 75 "$1" sh -c 'qchat-say -r ops <"$1"' sh "$T/big"
}
broker_kill
big 'one that is too large for the broker to come'
as bob exit_is 75 'a small one behind it' qchat-say -r ops small
broker_takes 50000
must broker_back
as bob exit_is 0 'the post that tries the large one ends' qchat-say -r ops hi
ok 'the small one comes' wait_line "$T/ear.out" 'bob small$'
is "$(waiting)" 1 'the large one stays'
like "$(err)" "^qchat-say: $spool/0.*: the connection was lost each time" \
	'and is named'
as bob exit_is 0 'the next post' qchat-say -r ops hi again
is "$(err)" '' 'does not try it'
as bob exit_is 75 '--flush does, and ends' qchat-say --flush
like "$(err)" '^qchat-say: 1 message could not be sent and stays' 'with a word'
broker_kill
broker_takes
must broker_back
as bob exit_is 0 '--flush when the broker takes it' qchat-say --flush
is "$(waiting)" 0 'sends it'

# A room that may not be read does not hold up the others.  (A DXL broker tells
# nobody what he may not read: there it is as with the echo above.)
plugin=$(find /usr/lib* -name mosquitto_dynamic_security.so 2>"$T/null" |
	head -n 1)
if [ "$fabric_kind" = mqtt ] && [ -n "$plugin" ]; then
	broker_kill
	as bob exit_is 75 'one for a room that is shut' qchat-say -r shut first
	as bob exit_is 75 'one for another' qchat-say -r ops second
	cat >"$T/broker/rules.json" <<-END
	{"defaultACLAccess": {"publishClientSend": true,
	"publishClientReceive": true, "subscribe": true, "unsubscribe": true},
	"clients": [{"username": "bob", "roles": [{"rolename": "shut"}]},
	{"username": "alice"}, {"username": "carol"}],
	"roles": [{"rolename": "shut", "acls": [{"acltype": "subscribeLiteral",
	"topic": "/mcafee/event/qchat/shut", "allow": false}]}]}
	END
	broker_lines="plugin $plugin
plugin_opt_config_file $T/broker/rules.json"
	broker_conf
	sed -i '/^acl_file/d' "$T/broker/mosquitto.conf"
	must broker_back
	as bob exit_is 77 '--flush with a room that is shut' qchat-say --flush
	like "$(err)" "^qchat-say: $spool/0.*does not let .* read .*/shut" \
		'names what stays'
	ok 'and sends the other' wait_line "$T/ear.out" 'bob second$'
	is "$(waiting)" 1 'one stays'
	broker_kill
	broker_lines=
	broker_conf
	must broker_back
	rm "$spool"/0*
fi

# A file that holds another message than its headers say, though all of it is
# as it was written.
broker_kill
as bob exit_is 75 'a message' qchat-say -r ops other
must broker_back
file=$(find "$spool" -name '0*')
# shellcheck disable=SC2016 # JavaScript
must node -e '
	const fs = require("fs"), path = process.argv[1];
	const text = fs.readFileSync(path).toString("latin1")
		.replace(/^uid: ./m, (uid) => uid === "uid: 0" ? "uid: 1" : "uid: 0");
	const at = text.indexOf("checksum: "), body = text.indexOf("\n\n") + 2;
	let sum = 0xcbf29ce484222325n;
	for (const c of text.slice(0, at) + text.slice(body))
		sum = BigInt.asUintN(64, (sum ^ BigInt(c.charCodeAt(0))) *
			0x100000001b3n);
	const name = path.replace(/-.([0-9a-f]{31})$/,
		"-" + /^uid: (.)/m.exec(text)[1] + "$1");
	fs.unlinkSync(path);
	fs.writeFileSync(name, text.slice(0, at) + "checksum: " +
		sum.toString(16).padStart(16, "0") + "\n\n" +
		text.slice(body), "latin1");' "$file"
as bob exit_is 74 '--flush' qchat-say --flush
like "$(err)" 'it holds another message than it says; it is kept' \
	'sets what is not what it says aside'
is "$(waiting)" 0 'nothing waits'
rm "$spool"/*.bad

# A file that cannot be read now.  Root has to give up its rights for that.
broker_kill
as bob exit_is 75 'a message that cannot be read' qchat-say -r ops unreadable
must broker_back
chmod 000 "$spool"/0*
unprivileged=
for file in "$spool"/0*; do
	[ ! -r "$file" ] || unprivileged='setpriv
		--bounding-set=-dac_override,-dac_read_search'
done
# shellcheck disable=SC2086 # words
as bob exit_is 74 '--flush of it' $unprivileged qchat-say --flush
like "$(err)" '^qchat-say: .*: 1 message cannot be read or sent now and stays there' \
	'says that it stays'
is "$(waiting)" 1 'which is so'
rm -f "$spool"/0*

# Nor can this be sent as long as others may read the secret of its room.
broker_kill
as bob exit_is 75 'a message for a room' qchat-say -r other under seal
as bob exit_is 0 'that gets a secret' qchat-invite --new -r other
must broker_back
chmod 644 "$XDG_STATE_HOME"/qchat/secrets/*
as bob exit_is 74 '--flush when it is no secret' qchat-say --flush
like "$(err)" "^qchat-say: $spool/0.*: is not sent now: " 'tells why not'
is "$(waiting)" 1 'and leaves it'
chmod 600 "$XDG_STATE_HOME"/qchat/secrets/*
as bob exit_is 0 '--flush when it is one' qchat-say --flush
is "$(waiting)" 0 'sends it'
rm -r "$XDG_STATE_HOME"/qchat/secrets

# What was said in a sealed room is not sent in the clear when its secret is
# gone.  Dora hears all of that room, and has no secret.
mkdir "$T/dora"
XDG_STATE_HOME=$T/dora
as dora start closed qchat-listen -v -r closed
XDG_STATE_HOME=$T/home/state
must wait_line "$T/closed.err" 'in closed'
dora_back() {
	dora=$(($(count_lines "$T/closed.err" 'back in closed') + 1))
	broker_back && wait_line "$T/closed.err" 'back in closed' "$dora"
}
broker_kill
as bob exit_is 75 'a message for a room without a secret' \
	qchat-say -r closed early
as bob exit_is 0 'that gets one' qchat-invite --new -r closed
as bob exit_is 75 'one for the sealed room' qchat-say -r closed secret4
as bob exit_is 75 'lines for it' \
	qchat-say -r closed --confirm none -l <"$T/three"
as bob exit_is 75 'one for another room' qchat-say -r ops open
must mv "$XDG_STATE_HOME/qchat/secrets" "$T/secrets"
as bob exit_is 0 '--queue' qchat-say --queue
is "$(grep -cE '^[^ ]* closed bob [0-9]* [^ ]* sealed$' "$T/out")" 2 \
	'marks what was said in a sealed room'
is "$(grep -c sealed "$T/out")" 2 'and nothing else'
as bob exit_is 0 '--queue --json' qchat-say --queue --json
is "$(jq -r '.room + " " + (.sealed | tostring)' <"$T/out" | tr '\n' ' ')" \
	'closed false closed true closed true ops false ' 'says it, too'
must dora_back
as bob exit_is 75 '--flush without the secret' qchat-say --flush
is "$(grep -cE "^qchat-say: $spool/0[^ ]*: was said in the sealed room closed,\
 .* no secret .* stays .*invitation.*delete the file" "$T/err")" 2 \
	'names what it does not send, and why'
like "$(err)" '^qchat-say: 2 messages were said in a sealed room and stay' \
	'and says how many'
ok 'the other room has its message' wait_line "$T/ear.out" 'bob open$'
ok 'and so has this one what was said before' wait_line "$T/closed.out" early
is "$(waiting)" 2 'the two are there'
as bob exit_is 0 'a later post' qchat-say -r ops after that
is "$(err)" '' 'has no word on them'
as bob exit_is 0 '--queue' qchat-say --queue
is "$(grep -c ' deferred sealed$' "$T/out")" 2 'which lists them'
as bob exit_is 75 '--flush again' qchat-say --flush
is "$(waiting)" 2 'and they are there'
as bob exit_is 0 'one in the clear' qchat-say -r closed fence
must wait_line "$T/closed.out" 'bob fence$'
is "$(wc -l <"$T/closed.out")" 2 'nobody has read them'
broker_kill
as bob exit_is 75 'one more in the clear' qchat-say -r closed secret5
must mv "$T/secrets" "$XDG_STATE_HOME/qchat/secrets"
must dora_back
as bob exit_is 0 '--flush with the secret' qchat-say --flush
is "$(waiting)" 0 'sends them'
ok 'under its seal' wait_line "$T/closed.err" \
	'closed: what is said here is sealed'
must rm -r "$XDG_STATE_HOME/qchat/secrets"
as bob exit_is 0 'one more in the clear' qchat-say -r closed end
must wait_line "$T/closed.out" 'bob end$'
is "$(wc -l <"$T/closed.out")" 3 'what was said before the secret, too'

# A file of another version.
broker_kill
as bob exit_is 75 'a message' qchat-say -r ops strange
file=$(find "$spool" -name '[0-9]*')
sed 's/^qchat-spool .*/qchat-spool 1/' "$file" >"$T/strange"
must cp "$T/strange" "$file"
must broker_back
as bob exit_is 74 '--flush' qchat-say --flush
like "$(err)" 'another version of QChat has written it; it is kept' \
	'sets a file of another version aside'
rm "$spool"/*.bad

# Damage, age, and files of others.
broker_kill
as bob exit_is 75 'one to be damaged' qchat-say -r ops damaged
file=$(find "$spool" -name '[0-9]*')
# Another byte than is there, which may be any.
damage=x
[ "$(tail -c 9 "$file" | head -c 1 | od -An -tx1 | tr -d ' ')" != 78 ] || damage=y
printf '%s' "$damage" | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 9)) \
	conv=notrunc 2>"$T/null"
as bob exit_is 75 'one to get old' qchat-say -r ops old
sed 's/^time: .*/time: 1000000000000/' "$(find "$spool" -name '[0-9]*' |
	sort | tail -n 1)" >"$T/old"
must cp "$T/old" "$(find "$spool" -name '[0-9]*' | sort | tail -n 1)"
as bob exit_is 75 'a good one' qchat-say -r ops good
: >"$spool/README"
must broker_back
as bob exit_is 74 '--flush' qchat-say --flush
like "$(err)" 'is not sent: .*kept there with the ending \.bad' \
	'tells of the damaged one'
like "$(err)" ': 2 messages were set aside there and will not be sent$' \
	'of both'
like "$(err)" 'is not sent: it is too old' 'and of the old one'
ok 'the good one comes' wait_line "$T/ear.out" 'bob good$'
is "$(waiting)" 0 'nothing waits'
is "$(grep -cE 'damaged|old' "$T/ear.out")" 0 'neither of the others came'
is "$(find "$spool" -name '*.bad' -o -name '*.expired' | wc -l)" 2 'both are there'
ok 'what is not ours too' test -e "$spool/README"
rm "$spool"/*.bad "$spool"/*.expired

# How old it may get is what the settings say.
broker_kill
as bob exit_is 75 'one of two hours ago' qchat-say -r ops aged
file=$(find "$spool" -name '[0-9]*')
sed "s/^time: .*/time: $((($(date +%s) - 7200) * 1000))/" "$file" >"$T/aged"
must cp "$T/aged" "$file"
{
	user_conf bob | xargs cat
	echo 'spool_hours = 1;'
} >"$T/hour.conf"
exit_is 0 '--queue with spool_hours = 1' qchat-say --config "$T/hour.conf" --queue
like "$(out)" ' expired$' 'marks it as too old'
exit_is 0 'in JSON' qchat-say --config "$T/hour.conf" --queue --json
ok 'too' jq -e '.state == "expired" and .this_fabric' "$T/out"
as bob exit_is 0 '--queue with the common 24' qchat-say --queue
is "$(grep -c ' expired' "$T/out")" 0 'does not'
rm "$spool"/0*

# Limits, a full disk, a folder that cannot be.
{
	user_conf bob | xargs cat
	echo 'spool_messages = 2;'
} >"$T/limit.conf"
for i in 1 2; do
	exit_is 75 "kept: $i of 2" qchat-say --config "$T/limit.conf" -r ops "l$i"
done
exit_is 73 'one more than the limit' \
	qchat-say --config "$T/limit.conf" -r ops l3
like "$(err)" 'it is lost, .*qchat-say --flush' 'says what to do'
is "$(waiting)" 2 'two wait'
as bob exit_is 74 'a disk without room' sh -c 'trap "" XFSZ; ulimit -f 0
	exec qchat-say -r ops full'
is "$(waiting)" 2 'leaves nothing'
is "$(find "$spool" -name '.tmp*' | wc -l)" 0 'not even a part'
: >"$T/home/file"
# Another process keeps something for ever: a signal ends the waiting for it.
mkfifo "$T/holder.in"
start holder flock "$spool/add.lock" cat
holder=$pid
exec 9>"$T/holder.in"
lock_is_held() { not flock -n "$spool/add.lock" true; }
must wait_for lock_is_held
as bob start waits qchat-say -r ops waits
waits=$pid
at_lock() { find "/proc/$waits/fd" -lname '*/add.lock' | grep -q .; }
must wait_for at_lock
kill -TERM "$waits"
wait_end "$waits"
is "$status" 69 'a signal ends the waiting for another process'
like "$(cat "$T/waits.err")" 'lost, .*add\.lock: another process holds it' \
	'and it says what was lost'
exec 9>&-
wait_end "$holder"

XDG_STATE_HOME=$T/home/file
as bob exit_is 74 'a spool that cannot be made' qchat-say -r ops nowhere
XDG_STATE_HOME=$T/home/state
must broker_back
as bob exit_is 0 'the two are sent' qchat-say -v --flush
like "$(err)" 'key was used 1 time to sign' 'with one signature of the key'
must wait_line "$T/ear.out" 'bob l2$'
is "$(grep -cE 'bob (full|nowhere|l3)$' "$T/ear.out")" 0 'nothing else came'

# Killed at any moment, with the broker up and down in turn, and a listener that
# comes back when it does: what was accepted comes once.
# How long one takes here, so that about half of those that are killed have
# ended.
begun=$(date +%s%N)
as bob exit_is 0 'one that is left alone' qchat-say -r ops alone
took=$(($(date +%s%N) - begun))
: >"$T/accepted"
up=yes
i=0
while [ "$i" -lt "$runs" ]; do
	i=$((i + 1))
	if [ $((i % 15)) -eq 0 ]; then
		if [ "$up" = yes ]; then
			broker_kill
			up=
		else
			must broker_back
			up=yes
		fi
	fi
	as bob start "kill$i" qchat-say -r ops "run $i"
	# Whether it is left alone, and how long it lives, is chance.
	chance=$(od -An -N2 -tu2 /dev/urandom)
	if [ $((chance % 2)) -eq 0 ]; then
		wait_end "$pid"
	else
		sleep "$(awk -v r="$chance" -v ns="$took" \
			'BEGIN { print r / 65536 * 1.6 * ns / 1e9 }')"
		end_process "$pid" KILL
	fi
	case $status in
	0 | 75) echo "bob run $i" >>"$T/accepted" ;;
	137) ;;
	*) result 1 "run $i ended with $status" ;;
	esac
done
[ "$up" = yes ] || must broker_back
as bob exit_is 0 'one flush for all' qchat-say --flush
is "$(waiting)" 0 'nothing waits'
as bob exit_is 0 'the last one' qchat-say -r ops end of all
must wait_line "$T/ear.out" 'end of all$'
sort "$T/accepted" >"$T/want"
grep 'bob run' "$T/ear.out" | sort >"$T/came"
is "$(uniq -d "$T/came")" '' 'nothing came twice'
is "$(comm -23 "$T/want" "$T/came")" '' \
	"all $(wc -l <"$T/want") that were accepted, of $runs, came"
diag "$(wc -l <"$T/accepted") of $runs were accepted"
is "$(grep -c '"gap"\|missing' "$T/ear.out")" 0 'no gap is told of'

done_testing
