#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# How many hear a room, by the count of a DXL fabric, and how many answer there.

# shellcheck disable=SC2034,SC2154,SC2317 # what lib.sh reads and sets, who calls by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need jq tmux
room=/mcafee/event/qchat/ops

# said WORD: its value in what was printed
said() {
	sed -n "s/^$1 //p" "$T/out"
}

# counts [ROOM]: those of the room in JSON lines
counts() {
	jq -c 'select(.type == "room" and .room == "'"${1:-ops}"'") |
		[.participants, .listeners, .brokers, .brokers_known]' <"$T/out"
}

# raw COMMAND…: the raw peer does it
raw_done=0
raw() {
	raw_done=$((raw_done + 1))
	printf '%s\n' "$*" >&7
	must wait_line "$T/raw.out" '"at":"(done|error)"' "$raw_done"
}

# Two brokers; alice, bob and dora are at the first, carol and mallory at the
# second.

fabric_start 2
for user in alice bob dora; do
	must user_dir "$user"
done
broker_port=${broker_ports#* }
must user_dir carol
peer 7 raw raw.js mallory
as alice start ear qchat-listen -v -r ops
must wait_line "$T/ear.err" 'in ops'

fabric_do down 1
must wait_line "$T/raw.out" '"at":"closed"'
as bob exit_is 0 'one broker' qchat-who -r ops -d --json
is "$(err)" '' 'has nothing to complain of'
is "$(counts)" '[1,1,1,1]' 'who answers is who hears'
fabric_do up 1
exec 7>&-
rm "$T/raw.in"
peer 7 raw raw.js mallory
as carol start far qchat-listen -v -r ops
must wait_line "$T/far.err" 'in ops'
as bob exit_is 0 'two brokers' qchat-who -r ops -d --json
is "$(counts)" '[2,2,2,2]' 'count together'
raw "sub $room"
as bob exit_is 0 'and one more who is silent' qchat-who -r ops -d
is "$(said participants)/$(said listeners)" 2/3 'is seen'
is "$(said brokers)/$(said brokers-known)" 2/2 'by both brokers'
as carol exit_is 0 'from the other broker' qchat-who -r ops -d --json
is "$(counts)" '[2,3,2,2]' 'it is the same'
as dora start elsewhere qchat-listen -v -r elsewhere
must wait_line "$T/elsewhere.err" 'in elsewhere'
as bob exit_is 0 'all rooms' qchat-who -a -d --json
is "$(counts)$(counts elsewhere)" '[2,3,2,2][1,1,2,2]' 'are counted, each'
as bob exit_is 1 'a room of nobody' qchat-who -r empty -d -w 0.5
is "$(said listeners)" 0 'is heard by nobody else'
as bob exit_is 0 'without details' qchat-who -r ops --json
is "$(jq -r 'select(has("listeners"))' <"$T/out")" '' 'nobody is counted'

# On the screen.

screen alice dora -r ops
must sees alice ' 3 here '
type alice '\c'
ok '\c asks the fabric' sees alice 'the fabric is asked how many hear the room'
ok 'and tells its count' \
	sees alice "4 hear the room by the fabric's count, 3 of them answer"

# What brokers say, or do not say.

for text in '{"count":"many"}' '{"count":-5}' '[]' nonsense; do
	fabric_do says 1 broker/subs "$text"
	as bob exit_is 0 "a broker that says $text" \
		qchat-who -r ops -d -w 1 --json
	is "$(counts)" '[3,2,1,2]' 'is not counted'
	is "$(err)" 'qchat-who: ops: 1 of 2 brokers has counted who listens, and 1 answer is no count of a broker' \
		'which is told'
done
fabric_do says 1 broker/subs
as bob exit_is 0 'a broker that says nothing' qchat-who -r ops -d -w 1
is "$(said listeners)-$(said brokers)/$(said brokers-known)" '2-1/2' \
	'is not counted'
is "$(err)" 'qchat-who: ops: 1 of 2 brokers has counted who listens (-w gives them longer)' \
	'which is told, too'
type alice '\c'
ok '\c says so' sees alice \
	"2 hear the room by the fabric's count, 3 answer \(1 of 2 brokers"
fabric_do says 0 broker/subs
as bob exit_is 0 'a fabric that does not count' \
	qchat-who -r ops -d -w 1 --json
is "$(counts)" '[3,null,0,2]' 'is no fault'
is "$(err)" 'qchat-who: ops: no broker has counted who listens (-w gives them longer)' \
	'and told'
type alice '\c'
type alice 'one goes on'
ok 'meanwhile one talks' wait_line "$T/ear.out" 'one goes on'
ok 'and \c tells, after a while' sees alice \
	'3 here answer; how many hear the room is not known: no broker has'
fabric_do says 0
fabric_do says 0 brokerregistry/query '{"brokers":[]}'
fabric_do says 1
as bob exit_is 0 'a fabric that does not know its brokers' \
	qchat-who -r ops -d -w 1
is "$(said listeners)-$(said brokers)/$(said brokers-known)" '4-2/-' \
	'counts nevertheless'
like "$(err)" 'ops: 2 brokers have counted who listens, of how many is not' \
	'and it is told that there may be more'
type alice '\q'
ok 'the screen ends' ended alice

done_testing
