#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What qchat-join asks the services of a fabric for: \m and \t, on a screen.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need tmux jq qchat-invite
fabric_start
services_start
dropper=daac6ba6967893ddea06ed132b781529
query="HostInfo hostname, ip_address and Files full_name where Files md5 equals \"$dropper\""

as eve start ear qchat-listen -v -r ops --json
must wait_line "$T/ear.err" 'in ops'
screen alice alice -r ops
must sees alice 'you are in the room'

# texts: of what alice has said
texts() {
	jq -r 'select(.type == "message" and .user == "alice") | .text' \
		"$T/ear.out"
}
heard() { texts | grep -q -e "$1"; }

# posts N: so many of the room's messages have what was searched
posts() {
	[ "$(jq -c 'select(.type == "message" and
		(.text | contains("invoice.exe"))) | .seq' "$T/ear.out" |
		wc -l)" = "$1" ]
}

# A search.
type alice "\\m $query no"
ok '\m shows what it finds' sees alice 'invoice\.exe'
type alice "\\m $query yes"
ok 'yes: the room has it, too' wait_for heard 'invoice\.exe'
is "$(jq -c 'select(.type == "message") | .user' "$T/ear.out" | wc -l)" 1 \
	'as one message, and nothing after no'
like "$(texts)" '^Host.*' 'with its columns'
type alice "\\m $query"
ok 'without a word it asks' sees alice 'is the room to see "Host'
ok 'and the status line, too' sees alice '\\yes or \\no\?'
type alice 'a word in between'
ok 'one may say something else meanwhile' wait_for heard 'a word in between'
type alice '\yes'
ok '\yes posts it' wait_for posts 2
ok 'and then there is no question' sees_no alice '\\yes or \\no\?'
type alice "\\m $query"
must sees alice '\\yes or \\no\?'
type alice '\no'
ok '\no answers it' sees_no alice '\\yes or \\no\?'
type alice '\yes'
ok 'once' sees alice 'there is no question to answer'
ok 'and posts nothing' posts 2
type alice '\m HostInfo nonsense where'
ok 'a wrong query is told, with its column' sees alice 'column [0-9]+'

# Hashes.
type alice "\\t $dropper yes"
ok '\t asks what a file is' wait_for heard "$dropper"
type alice '\t nonsense'
ok 'what is none is told' sees alice 'nonsense.*(hash|hex)'

# A search that takes long is stopped, alone and among others.
type alice '\stop'
ok '\stop: nothing runs' sees alice 'nothing is looked for'
services_do mar running 1000
type alice '\m Processes name yes'
must sees alice 'MAR IN_PROGRESS, 3 of 3 hosts have answered'
type alice '\stop'
ok '\stop ends it' sees alice \
	'\* Processes name: stopped: IN_PROGRESS, 3 of 3 hosts'
ok 'and it is gone from the status line' sees_no alice '\| MAR'
services_do tie silent
type alice "\\t $dropper yes"
must sees alice '\| TIE'
type alice '\m Processes id no'
must sees alice 'TIE; MAR IN_PROGRESS'
type alice '\stop'
ok 'of several it lists which they are' sees alice "7: .t $dropper "
ok 'by their numbers' sees alice '8: .m Processes id: IN_PROGRESS, '
ok 'and asks for one' sees alice '\\stop N stops one of them'
resize alice 60 24
ok 'on a narrow screen they are told in few words' sees alice '\| TIE; MAR \|'
resize alice 120 40
type alice '\j other'
must sees alice '\[2:other\]'
type alice '\l ops'
ok 'a room is not left with them' sees alice '\* a search runs there'
type alice '\j ops'
must sees alice 'TIE; MAR IN_PROGRESS'
type alice '\stop 1'
ok 'one that was before is none' sees alice '1 is none of those that run'
type alice '\stop 7'
ok 'one of them ends' sees alice "\* $dropper: stopped "
ok 'and no other' sees alice '\| MAR IN_PROGRESS'
type alice '\stop 8'
ok 'then that' sees alice '\* Processes id: stopped: IN_PROGRESS'
ok 'and none is left' sees_no alice '\| MAR'
services_do tie well
services_do mar running 0
type alice '\t f2c7bb8acc97f92e987a2d4087d021b1 no'
ok 'another one is found then' sees alice 'Known Trusted'
type alice 'all of them ended'
must wait_for heard 'all of them ended'
not_ok 'and the room has heard of none' heard Processes

# A service that takes long, and one that does not answer.
services_do mar silent
type alice "\\m $query no"
ok 'the status line has how far it is' sees alice 'MAR'
type alice 'one types and reads'
ok 'meanwhile' wait_for heard 'one types and reads'
type alice '\q'
ok 'it ends, whatever runs' ended alice
is "$status" 0 'in order'

# Where others seal, and the secret is not here, yes does not say that what is
# found may go out in the clear.
services_do tie well
bobs=$XDG_STATE_HOME
XDG_STATE_HOME=$T/eves
as eve must qchat-invite --new -r vault
as eve start vault qchat-listen -v -r vault --json
must wait_line "$T/vault.err" 'in vault'
screen bob bob -r vault
must sees bob 'you are in the room'
as eve must qchat-say -r vault hello
must sees bob '\| NO SECRET'
type bob "\\t $dropper yes"
ok 'a result is asked about all the same, where others seal' \
	sees bob 'IN THE CLEAR'
ok 'and shown' on_screen bob 'Known Malicious'
type bob '\no'
must sees_no bob '\| .yes or .no'
as eve must qchat-say -r vault fence
must wait_line "$T/vault.out" fence
XDG_STATE_HOME=$bobs
is "$(grep -c 'Known Malicious' "$T/vault.out")" 0 'but not said'

done_testing
