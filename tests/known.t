#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What qchat-who --known tells of rooms and names, and how it gets to know them.

. "$(dirname "$0")/lib.sh"

state=$XDG_STATE_HOME/qchat

# told rooms|names: as alice; what it prints is one line, a semicolon for each
# line feed
told() {
	as alice exit_is 0 "there are $1" qchat-who --known "$1"
	told_lines=$(tr '\n' ';' <"$T/out")
}

broker_start
exit_is 1 'no room is known yet' qchat-who --known rooms
is "$(out; err)" '' 'and no settings are needed for that'
exit_is 78 'for names they are' qchat-who --known names
exit_is 78 'settings that are named have to be there' \
	qchat-who --config "$T/none" --known rooms
as alice exit_is 1 'no name is known yet' qchat-who --known names

as alice exit_is 0 'somebody says something' qchat-say -r 'b room' hello
as alice start ear qchat-listen -v -r ops
must wait_line "$T/ear.err" 'in ops'
# shellcheck disable=SC2016 # a name
as bob exit_is 0 'and another' qchat-say -u '$(id) E' -r ops hello
must wait_line "$T/ear.out" hello
as bob exit_is 0 'one with a line feed in its name' \
	qchat-say -u 'two
lines' -r ops again
must wait_line "$T/ear.out" again
end_process "$pid"
as alice must qchat-invite --new -r 'a secret'
told rooms
is "$told_lines" 'a secret;b room;ops;' \
	'those that one was in, and those one has a secret of'
told names
# shellcheck disable=SC2016
is "$told_lines" '$(id) E;alice;' 'those who were seen, as they are, but for what is no line'
is "$(stat -c %a "$state/rooms")" 600 'that is for nobody else'

# What is mistyped is no room.
as alice exit_is 1 'nobody is somewhere' qchat-who -w 0.2 -r nobody
as alice start lone qchat-listen -v -r 'not a word'
must wait_line "$T/lone.err" 'in not a word'
as alice exit_is 0 'it is rehearsed' qchat-say --dry-run -r rehearsed hello
told rooms
is "$told_lines" 'a secret;b room;ops;' 'a room with nothing in it is none'
as alice exit_is 0 'somebody is found there' qchat-who -q -r 'not a word'
end_process "$pid"
told rooms
is "$told_lines" 'a secret;b room;not a word;ops;' 'and then it is one'

before=$(ls -i "$state/rooms")
as alice exit_is 0 'it is said again' qchat-say -r ops hello
as alice run qchat-who -w 0.2 -a
is "$(ls -i "$state/rooms")" "$before" \
	'a room that is known is not written again'

# As many as fit.
seq -f 'room %g' 256 >"$state/rooms"
as alice exit_is 0 'one more' qchat-say -r new hello
is "$(head -n 1 "$state/rooms")" 'room 2' 'the oldest goes for it'
is "$(tail -n 1 "$state/rooms"; wc -l <"$state/rooms")" "new
256" 'and it is the last'
before=$(ls -i "$state/rooms")
as alice exit_is 0 'in a newer one of them' qchat-say -r 'room 130' hello
is "$(ls -i "$state/rooms")" "$before" 'nothing is written again'
as alice exit_is 0 'in an older one' qchat-say -r 'room 2' hello
is "$(head -n 1 "$state/rooms"; tail -n 1 "$state/rooms"
	wc -l <"$state/rooms")" "room 3
room 2
256" 'it is the last again'
as alice exit_is 0 'while another tool writes them' flock "$state" \
	qchat-say -r busy hello
is "$(tail -n 1 "$state/rooms"; err)" 'room 2' 'this one is left out, silently'
printf 'half' >"$state/rooms"
as alice exit_is 0 'behind half a line' qchat-say -r new hello
is "$(cat "$state/rooms")" 'half
new' 'it stands on its own'
awk 'BEGIN { for (i = 0; i < 150; i++) printf "%02000d\n", i }' \
	>"$state/rooms"
as alice exit_is 0 'behind too much' qchat-say -r new hello
ok 'that is cut down' test "$(wc -c <"$state/rooms")" -le 262144
is "$(tail -n 1 "$state/rooms")" new 'and it is there'
is "$(tail -n 2 "$state/rooms" | head -n 1)" "$(printf %02000d 149)" \
	'behind what was the last'
is "$(head -n 1 "$state/rooms" | wc -c)" 2001 'and not behind half a name'

# Nobody's messages depend on it.
for bad in link folder; do
	rm -rf "$state/rooms"
	case $bad in
	link) echo other >"$T/elsewhere" && ln -s "$T/elsewhere" "$state/rooms" ;;
	folder) mkdir "$state/rooms" ;;
	esac
	as alice exit_is 0 "a $bad is no such file" qchat-say -r new hello
	is "$(out; err)" '' 'which nothing is said of'
	as alice exit_is 74 'but if it is asked for' qchat-who --known rooms
done
is "$(cat "$T/elsewhere")" other 'and what is elsewhere stays'
rmdir "$state/rooms"

# What is not shown as it is.
escape=$(printf 'a\033[2Jb')
tabs=$(printf 'a\tb')
reversed=$(printf 'a\342\200\256b')
printf '%s\n' good "$escape" "$tabs" "$reversed" "it's \\" good \
	>"$state/rooms"
rm -r "$state/secrets"
told rooms
is "$told_lines" "good;it's \\;" \
	'rooms that could drive a terminal are left out'
names=$(find "$state/names" -name '*[0-9a-f]')
sed 's/^/0000000000000000000000000000000000000000000000000000000000000007 /' \
	"$state/rooms" >"$names"
told names
is "$told_lines" "good;it's \\;" 'and such names'

# No network, and no word to anybody.
end_process "$broker_pid"
told rooms
told names
QCHAT_ROOM='a room' told rooms
is "$told_lines" "a room;good;it's \\;" 'the room of the settings is one'

# Those of a private fabric, while it does not run.
must qchat-fabric up
start ear qchat-listen -v -C 1 -r private
must wait_line "$T/ear.err" 'in private'
must qchat-say -r private hello
must wait_end "$pid"
must qchat-fabric down
exit_is 0 'a private fabric need not run' qchat-who --known names
is "$(out)" "$(id -un)" 'for its names to be known'

# It stands alone.
as alice exit_is 64 'no room goes with it' qchat-who --known rooms -r ops
as alice exit_is 64 'nor a time' qchat-who --known rooms -w 1
for option in -a -d -q --json; do
	as alice exit_is 64 "nor $option" qchat-who --known rooms $option
done
as alice exit_is 64 'nor a pin' qchat-who --known names --pin alice
as alice exit_is 64 'there are rooms and names' qchat-who --known room
as alice exit_is 74 'a full disk is told' \
	sh -c 'qchat-who --known rooms >/dev/full'

done_testing
