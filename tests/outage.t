#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The broker dies while one types in qchat-join.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
. "$(dirname "$0")/shell.sh"

broker_start
as eve start ear qchat-listen -v -r ops
must wait_line "$T/ear.err" 'in ops'
shell ann ann
join ann -r ops
must takes ann
must sees ann 'you are in the room'

# What the status line says: "lost", "unconfirmed", "failed", or "fine".
state() {
	shown ann | grep '^ ops' | sed -n '
		s/.*CONNECTION LOST.* 1 unconfirmed.*/lost unconfirmed/p; t
		s/.*CONNECTION LOST.*/lost/p; t
		s/.* 1 unconfirmed.*/unconfirmed/p; t
		s/.*NOT DELIVERED.*/failed/p; t
		s/.* here | clear | on .*/fine/p'
}

# is_state STATE: now; each change is noted
is_state() {
	state_now=$(state)
	[ "$state_now" = "$(tail -n 1 "$T/states")" ] ||
		printf '%s\n' "$state_now" >>"$T/states"
	[ "$state_now" = "$1" ]
}

# told ERE NAME: these states, in this order
told() {
	like "$(tr '\n' ',' <"$T/states")" "^$1,\$" "$2"
}

echo fine >"$T/states"
must is_state fine

# While the broker hangs it is not known to be gone.

kill -s STOP "$broker_pid"
type ann 'on its way'
ok 'what has no proof is unconfirmed' wait_for is_state unconfirmed
put ann 'half a '
broker_kill
ok 'the link is lost' wait_for is_state 'lost unconfirmed'
put ann 'draft'
ok 'one types on' sees ann '> half a draft$'
is "$(count_lines "$T/ear.out" 'on its way')" 0 'nobody has it'
must is_state 'lost unconfirmed'
must broker_restart
ok 'it comes back, and the proof' wait_for is_state fine
told 'fine,unconfirmed,lost unconfirmed(,unconfirmed)?,fine' \
	'what the status line told was true'
ok 'a listener has it' wait_line "$T/ear.out" ' ann on its way$'
ok 'the draft is there' sees ann '> half a draft$'
press ann Enter
ok 'and is said' wait_line "$T/ear.out" ' ann half a draft$'
is "$(count_lines "$T/ear.out" ' on its way$')" 1 'the other was said once'

# What is said while nothing goes waits.

must wait_for is_state fine
echo fine >"$T/states"
broker_kill
ok 'it is lost again' wait_for is_state lost
type ann 'said into the dark'
ok 'what is said then is unconfirmed' wait_for is_state 'lost unconfirmed'
must broker_restart
ok 'until it is proved' wait_for is_state fine
told 'fine,lost,lost unconfirmed(,unconfirmed)?,fine' 'which was true, too'
ok 'a listener has it' wait_line "$T/ear.out" ' ann said into the dark$'
type ann 'after all'
must wait_line "$T/ear.out" ' ann after all$'
is "$(count_lines "$T/ear.out" 'into the dark')" 1 'once'
is "$(shown ann | grep -c ': said into the dark ')" 1 'and it is shown once'

# Who does not wait is told what is lost.

broker_kill
must wait_for is_state lost
type ann 'never heard'
must wait_for is_state 'lost unconfirmed'
type ann '\q'
ok 'one can quit meanwhile' ended ann
is "$status" 69 'with 69'
ok 'what was not delivered is told' sees ann ' never heard$'
ok 'as what it is' sees ann '^qchat-join: 1 of your messages may not be delivered'
restored ann

done_testing
