#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is said on a screen and not delivered is not lost without a word.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

broker_rules='pattern readwrite /mcafee/event/qchat/ops
pattern read /mcafee/event/qchat/mute
pattern readwrite /mcafee/client/#'
broker_start

as eve start ear qchat-listen -v -r ops --presence
must wait_line "$T/ear.err" 'in ops'

# A line that has left the scrollback.
screen alice alice -r mute -n 100
must sees alice 'you are in the room'
type alice 'denied'
ok 'what the broker does not take is not delivered' \
	sees alice 'NOT DELIVERED, as it did not'
i=0
while [ "$i" -lt 105 ]; do
	type alice '\h q'
	i=$((i + 1))
done
ok 'its line goes' sees_no alice 'denied'
type alice '\s denied'
ok 'for good' sees alice 'denied: not found'
must broker_obey 'pattern readwrite /mcafee/event/qchat/#
pattern readwrite /mcafee/client/#' sees alice 'CONNECTION LOST'
must sees_no alice 'CONNECTION LOST'
as eve start mute qchat-listen -v -r mute
must wait_line "$T/mute.err" 'in mute'
type alice '\r'
ok 'it is said again all the same' sees alice '1 said again'
ok 'and heard' wait_line "$T/mute.out" ' alice denied$'
ok 'with its own line' sees alice 'alice: denied'
must sees_no alice 'UNDELIVERED|NOT DELIVERED'
type alice '\r'
ok 'once' sees alice 'nothing is undelivered here'
type alice '\q'
ok 'and then it ends' ended alice
is "$status" 0 'with 0'

# The last word is to one alone.
screen bob bob -r ops
must wait_line "$T/ear.out" ' \* bob joined$'
screen carol carol -r ops
must wait_line "$T/ear.out" ' \* carol joined$'
must sees carol '\+bob'
must tm send-keys -t carol -l '\d bob good night'
must tm send-keys -t carol Enter \\ q Enter
ok 'who quits at once' ended carol
is "$status" 0 'waits for the receipt' || diag <"$T/carol.err"
ok 'which it has' sees bob 'carol: good night'

# A room is left.
type bob '\j other'
must sees bob '\[2:other\].* on 127'
broker_kill
must sees bob 'CONNECTION LOST'
type bob 'to be lost'
must sees bob 'to be lost'
type bob '\l'
ok 'a room is left' sees bob 'you have left other'
ok 'and what is lost by that is told' sees bob \
	'1 may not be delivered'
ok 'word by word' sees bob '\[UNCONFIRMED\] to be lost'

done_testing
