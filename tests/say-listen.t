#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The main job: what qchat-say posts, qchat-listen prints.

. "$(dirname "$0")/lib.sh"

need jq
broker_rules='pattern readwrite /mcafee/event/qchat/ops
pattern readwrite /mcafee/event/qchat/two words
pattern readwrite /mcafee/event/qchat/a/b
pattern read /mcafee/event/qchat/readonly
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
broker_start

time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z'

# listen NAME USER ARG…: a qchat-listen in its rooms
listen() {
	listen_name=$1
	listen_user=$2
	shift 2
	as "$listen_user" start "$listen_name" qchat-listen -v "$@"
	must wait_line "$T/$listen_name.err" '^qchat-listen: in '
}

# say USER ARG…: a post that has to work
say() {
	say_user=$1
	shift
	as "$say_user" run qchat-say -r ops "$@" </dev/null
	[ "$status" = 0 ] || {
		result 1 "qchat-say $*: status $status"
		diag <"$T/err"
	}
}

# heard TEXT-ERE NAME: the ears have that line, from bob
heard() {
	ok "$2" wait_line "$T/ear.out" "^$time ops [+] bob $1\$"
	ok "$2 (JSON)" wait_line "$T/json.out" '"user":"bob"' \
		"$(count_lines "$T/ear.out" ' [+] bob ')"
}

# last_json FILTER: of the last JSON line
last_json() {
	tail -n 1 "$T/json.out" | jq -r "$1"
}

listen ear alice -r ops
ear_pid=$pid
listen json alice -r ops --json

# grep

mkfifo "$T/piped.out"
ln -s piped.out "$T/grep.in"
start grep grep --line-buffered ERROR
listen piped alice -r ops
say bob INFO all is well
as bob exit_is 0 'echo … | qchat-say' \
	sh -c 'echo ERROR disk full on db7 | qchat-say -r ops'
is "$(out)$(err)" '' 'qchat-say is silent when it worked'
ok 'qchat-listen | grep prints it at once' wait_line "$T/grep.out" ERROR
like "$(cat "$T/grep.out")" "^$time ops [+] bob ERROR disk full on db7\$" \
	'the plain line has its form'
is "$(wc -l <"$T/grep.out")" 1 'and it alone passed'

mkfifo "$T/once.out"
ln -s once.out "$T/jq.in"
start jq jq -e .text
jq_pid=$pid
listen once alice -r ops -C 1 -W "$deadline" --json
say bob one for jq
wait_end "$jq_pid"
is "$status" 0 'qchat-listen -C 1 -W … --json | jq -e .text'
is "$(cat "$T/jq.out")" '"one for jq"' 'jq has the text'
wait_end "$pid"
is "$status" 0 'qchat-listen -C 1 ends with 0'

# a closed reader

mkfifo "$T/headed.out"
ln -s headed.out "$T/head.in"
start head head -n 1
head_pid=$pid
listen headed alice -r ops
headed_pid=$pid
say bob the only line
wait_end "$head_pid"
like "$(cat "$T/head.out")" ' [+] bob the only line$' 'head has its line'
wait_end "$headed_pid"
is "$status" 0 'qchat-listen | head -1 ends when head does'

as alice start full sh -c 'exec qchat-listen -v -r ops >/dev/full'
full_pid=$pid
must wait_line "$T/full.err" '^qchat-listen: in '
say bob into the full disk
wait_end "$full_pid"
is "$status" 74 'qchat-listen >/dev/full ends with 74'
like "$(cat "$T/full.err")" 'No space left' 'and says why'
as bob exit_is 74 'qchat-say --json >/dev/full ends with 74' \
	sh -c 'exec qchat-say -r ops --json to the full disk >/dev/full'
exit_is 74 'qchat-say --help >/dev/full ends with 74' \
	sh -c 'exec qchat-say --help >/dev/full'

# the forms of the input

say bob several 'words  with' spaces
heard 'several words  with spaces' 'arguments are joined by spaces'

printf 'first\nsecond\n' >"$T/in"
as bob exit_is 0 'standard input is one message' qchat-say -r ops <"$T/in"
heard 'first\\nsecond' 'of two lines, its last line feed gone'
is "$(last_json .text)" 'first
second' 'JSON has the line feed'
printf 'tail\n\n' >"$T/in"
as bob exit_is 0 'an empty line at the end' qchat-say -r ops <"$T/in"
heard 'tail\\n' 'only the last line feed goes'
printf 'no line feed' >"$T/in"
as bob exit_is 0 'no line feed at the end' qchat-say -r ops <"$T/in"
heard 'no line feed' 'all of it is there'

printf 'l1\n\nl3\nl4' >"$T/in"
before=$(count_lines "$T/ear.out" ' [+] bob ')
as bob exit_is 0 'qchat-say -l' qchat-say -r ops -l <"$T/in"
heard 'l4' 'the last line of -l needs no line feed'
is "$(tail -n +$((before + 1)) "$T/ear.out" | cut -d ' ' -f 5-)" 'l1

l3
l4' 'a message per line, in order, an empty line too'
is "$(tail -n 4 "$T/json.out" | jq -r .seq | tr '\n' ' ')" '1 2 3 4 ' \
	'numbered from 1'
is "$(tail -n 4 "$T/json.out" | jq -r .uid | sort -u | wc -l)" 1 \
	'under one UID'
is "$(tail -n 4 "$T/json.out" | jq -r .id | sort -u | wc -l)" 4 \
	'with an id each'

# A line goes at once, without an end of the input.
mkfifo "$T/slow.in"
as bob start slow qchat-say -r ops -l
slow_pid=$pid
exec 7>"$T/slow.in"
echo 'while it is open' >&7
heard 'while it is open' 'a line of -l goes at once'
ok 'and -l goes on' alive "$slow_pid"
echo 'a second' >&7
heard 'a second' 'the next one too'
exec 7>&-
wait_end "$slow_pid"
is "$status" 0 'the end of the input ends it'

: >"$T/in"
as bob exit_is 66 'empty input is 66' qchat-say -r ops <"$T/in"
like "$(err)" '^qchat-say: ' 'and says so'
as bob exit_is 0 '--skip-empty: 0' qchat-say -r ops --skip-empty <"$T/in"
is "$(out)$(err)" '' 'without a word'
echo >"$T/in"
as bob exit_is 66 'a line feed alone is 66' qchat-say -r ops <"$T/in"

printf 'good\nb\000d\n' >"$T/in"
as bob exit_is 65 'NUL is 65' qchat-say -r ops <"$T/in"
like "$(err)" 'line 2' 'the line is named'
printf 'good\ngood\nb\377d\n' >"$T/in"
as bob exit_is 65 'not UTF-8 is 65' qchat-say -r ops <"$T/in"
like "$(err)" 'line 3' 'the line is named'
printf 'kept\nsurrogate \355\240\200\n' >"$T/in"
as bob exit_is 65 '-l: not UTF-8 is 65' qchat-say -r ops -l <"$T/in"
like "$(err)" 'line 2' 'the line is named'
as bob exit_is 65 'an argument that is not UTF-8 is 65' \
	qchat-say -r ops "$(printf 'bad \300\200')"
say bob after the bad ones
heard 'after the bad ones' 'what was bad was not sent'
is "$(grep -aEc ' [+] bob (good|b.d|bad|surrogate)' "$T/ear.out")" 0 \
	'nothing of it'

# what a message may carry

say bob -s high 'disk full'
heard '\[high\] disk full' 'a severity'
is "$(last_json .severity)" high 'JSON has the severity'
say bob --title 'nightly job' 'it failed'
heard 'nightly job: it failed' 'a title'
is "$(last_json .title)" 'nightly job' 'JSON has the title'
say bob --severity critical --title T --tag db --tag eu-1 'all of it'
heard '\[critical\] T: all of it' 'severity and title'
is "$(last_json '.tags | join("|")')" 'db|eu-1' 'JSON has the tags'
is "$(last_json .text)" 'all of it' 'the text is the text alone'
as bob exit_is 64 'an unknown severity is 64' qchat-say -r ops -s awful x

say bob 'back\slash and a	tab'
heard 'back\\\\slash and a\\ttab' 'a backslash is doubled'
say bob "$(printf 'red \033[31m bell \007 c1 \302\233 bidi \342\200\256 end')"
ok 'what drives a terminal' wait_line "$T/ear.out" ' [+] bob red .* end$'
is "$(tail -n 1 "$T/ear.out" | cut -d ' ' -f 5-)" \
	'red \x1b[31m bell \x07 c1 \u{009b} bidi \u{202e} end' \
	'is made visible'
say bob 'naïve 漢字 😀'
heard 'naïve 漢字 😀' 'what is not ASCII is printed'
is "$(last_json .text)" 'naïve 漢字 😀' 'and is in the JSON'
is "$(LC_ALL=C tr -d '\n -~' <"$T/json.out" | wc -c)" 0 \
	'which is ASCII itself'

# The keys of the JSON line.
say bob keys
heard keys 'one more'
for key in v id room type time received user uid seq mark fingerprint sealed \
	text; do
	ok "JSON has $key" jq -e "has(\"$key\")" <<-END
	$(tail -n 1 "$T/json.out")
	END
done
is "$(last_json '[.v, .room, .type, .user, .seq, .mark, .fingerprint, .sealed]
	| @csv')" "1,\"ops\",\"message\",\"bob\",1,\"+\",\"$(fingerprint bob)\",false" \
	'with their values'
like "$(last_json .time)" "^$time\$" 'time'
like "$(last_json .uid)" '^[0-9a-f]{32}$' 'uid'

# who says it, where

say carol hello
ok 'the name is that of the certificate' \
	wait_line "$T/ear.out" ' ops [+] carol hello$'
say bob -u 'Big Bob' hello
ok '-u says another; white space is _' \
	wait_line "$T/ear.out" ' ops [+] Big_Bob hello$'
must wait_line "$T/json.out" '"text":"hello"' 2
is "$(last_json .user)" 'Big Bob' 'JSON has the name as it is'
as bob exit_is 0 'QCHAT_USER' env QCHAT_USER=envy qchat-say -r ops hello
ok 'is a name' wait_line "$T/ear.out" ' ops [+] envy hello$'
as bob exit_is 0 '-u before QCHAT_USER' \
	env QCHAT_USER=envy qchat-say -r ops -u flag hello
ok 'is the name' wait_line "$T/ear.out" ' ops [+] flag hello$'
as bob exit_is 0 'QCHAT_ROOM' env QCHAT_ROOM=ops qchat-say from the environment
heard 'from the environment' 'is a room'
as bob exit_is 0 '-r before QCHAT_ROOM' \
	env QCHAT_ROOM=readonly qchat-say -r ops from the flag
heard 'from the flag' 'is the room'
as bob exit_is 0 '--config before QCHAT_CONFIG' \
	qchat-say --config "$(user_conf dave)" -r ops hello
ok 'is the configuration' wait_line "$T/ear.out" ' ops [+] dave hello$'
mkdir "$XDG_CONFIG_HOME/qchat"
{
	cat "$(user_conf erin)"
	echo 'room = "ops";'
	echo 'user = "Erin";'
} >"$XDG_CONFIG_HOME/qchat/qchat.conf"
exit_is 0 'the configuration in XDG_CONFIG_HOME' qchat-say hello
ok 'gives room and user' wait_line "$T/ear.out" ' ops [+] Erin hello$'
rm "$XDG_CONFIG_HOME/qchat/qchat.conf"
exit_is 0 '--dxl-config' qchat-say \
	--dxl-config "$(user_dir frank)/dxlclient.config" -r ops hello
ok 'is a fabric too' wait_line "$T/ear.out" ' ops [+] frank hello$'

listen both alice -r ops -r 'two words' -r a/b
must wait_line "$T/both.err" 'in two' # one notice a room, or one for all
must wait_line "$T/both.err" 'in a/b'
as bob exit_is 0 'a room with a space' qchat-say -r 'two words' in two
as bob exit_is 0 'a room with a slash' qchat-say -r a/b in three
say bob in one
ok '-r is repeated: the first' wait_line "$T/both.out" ' ops [+] bob in one$'
ok 'the second' wait_line "$T/both.out" ' two_words [+] bob in two$'
ok 'the third' wait_line "$T/both.out" ' a/b [+] bob in three$'
is "$(grep -c 'in t' "$T/ear.out")" 0 'who is in one room hears that one'

listen from alice -r ops --from carol -C 2
from_pid=$pid
say carol first
say bob not for you
say carol second
wait_end "$from_pid"
is "$status" 0 '--from -C 2 ends'
is "$(cut -d ' ' -f 4- "$T/from.out")" 'carol first
carol second' 'with what carol said'

listen format alice -r ops -C 1 -F '%r|%k|%u|%m|%s|%f|%%|\t|\\|%t|%i\n'
format_pid=$pid
say bob -s low -u 'B B' 'a
b'
wait_end "$format_pid"
is "$(cut -d '|' -f -9 "$T/format.out")" \
	'ops|+|B_B|[low] a\nb|1|'"$(fingerprint bob)"'|%|	|'"\\" '-F'
like "$(cut -d '|' -f 10- "$T/format.out")" \
	"^$time\\|[0-9a-f]{32}/1\$" '-F with time and id'
listen format0 alice -r ops -C 2 -F '%m\0'
format_pid=$pid
say bob x
say bob y
wait_end "$format_pid"
is "$(tr '\0' '@' <"$T/format0.out")" 'x@y@' '-F with NULs, and no more'
listen formatj alice -r ops -C 1 -F '%j\n'
format_pid=$pid
say bob z
wait_end "$format_pid"
is "$(jq -r .text <"$T/formatj.out")" z '-F %j'
as alice exit_is 64 'an unknown field is 64' qchat-listen -r ops -F '%q'

# what qchat-say tells

as bob exit_is 0 'qchat-say --json' qchat-say -r ops --json -s info told
is "$(jq -r '[.v, .room, .type, .user, .text, .severity, .seq] | @csv' \
	<"$T/out")" '1,"ops","message","bob","told","info",1' 'is what was sent'
heard '\[info\] told' 'and it was'
is "$(last_json .id)" "$(jq -r .id <"$T/out")" 'under that id'
as bob exit_is 0 'qchat-say -v' qchat-say -r ops -v proved
like "$(err)" '^qchat-say: .*proved' 'tells of the proof'
heard proved 'and it was heard'

as bob exit_is 0 '--dry-run' qchat-say -r ops --dry-run 'never said'
printf 'b\377d' >"$T/in"
as bob exit_is 65 '--dry-run finds what is bad' qchat-say -r ops --dry-run \
	<"$T/in"
say bob after the dry run
heard 'after the dry run' 'and says nothing'
is "$(grep -c 'never said' "$T/ear.out")" 0 'into the room'

ok 'the first listener still listens' alive "$ear_pid"
done_testing
