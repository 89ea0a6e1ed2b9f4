#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Whose a name is: the first certificate that is seen with it, or what
# qchat-who --pin says, also to the tools that run already.

# What others call by name:
# shellcheck disable=SC2317

. "$(dirname "$0")/lib.sh"

need qchat-say qchat-listen qchat-who
need jq
broker_start

# Each has a state folder of its own.
own() {
	own_name=$1
	shift
	XDG_STATE_HOME=$T/state-$own_name
	export XDG_STATE_HOME
	as "$own_name" "$@"
}

# here FILE USER NAME: a listener of USER's in the room, under NAME
here() {
	own "$2" start "$1" qchat-listen -v -r ops -u "$3" --json
	must wait_line "$T/$1.err" 'in ops'
}

# mark TEXT: the last one of it
mark() {
	jq -r --arg text "$1" 'select(.text == $text) | .mark' <"$T/ear.out" |
		tail -n 1
}

# said_as USER NAME TEXT: says it, and prints its mark
said_as() {
	said_before=$(grep -cF "\"text\":\"$3\"" "$T/ear.out")
	own "$1" must qchat-say -r ops -u "$2" "$3"
	must wait_line "$T/ear.out" "\"text\":\"$3\"" $((said_before + 1))
	mark "$3"
}

# gets MARK USER NAME TEXT: said so, it has that mark
gets() {
	[ "$(said_as "$2" "$3" "$4")" = "$1" ]
}

here ear alice alice
ear_pid=$pid
is "$(said_as bob bob one)" + 'who comes first has the name'
here mallory mallory bob
mallory_pid=$pid
is "$(said_as mallory bob two)" '?' 'who comes later has not'
ok 'which is told' wait_line "$T/ear.err" 'bob: signed with certificate'
own alice exit_is 77 'nor what is for it alone' qchat-say -r ops -t bob hello
like "$(err)" "$(fingerprint bob) \\(if that is right: qchat-who --pin\\)" \
	'and what to do if it should'

own alice exit_is 0 'the name is given to it' qchat-who -v -r ops --pin bob
like "$(err)" "bob: $(fingerprint mallory)" 'with -v it is told'
ok 'a tool that runs goes by it' wait_for gets + mallory bob three
is "$(said_as bob bob four)" '?' 'and not by what was before'
own alice exit_is 0 'it gets what is for it alone' \
	qchat-say -r ops -t bob 'for you'
ok 'which is there' wait_line "$T/mallory.out" 'for you'
own alice exit_is 0 'once more' qchat-who -v -r ops --pin bob
is "$(err | grep -c "bob: ")" 0 'changes nothing'

here bob bob bob
bob_pid=$pid
own alice exit_is 65 'two under one name' qchat-who -r ops --pin bob
like "$(err)" 'bob is here with two certificates' 'are not chosen from'
end_process "$mallory_pid"
end_process "$bob_pid"
own alice exit_is 66 'nobody' qchat-who -r ops --pin bob
like "$(err)" 'nobody is here under the name bob' 'has no certificate'

own alice exit_is 0 'a name is forgotten' qchat-who --unpin bob
own alice exit_is 1 'once' qchat-who --unpin bob
ok 'a tool that runs forgets it, too' wait_for gets + bob bob five

here day dora 'Dora Day'
day_pid=$pid
own alice exit_is 0 'a name as it is shown' qchat-who -v -r ops --pin Dora_Day
own alice exit_is 0 'is that name' qchat-who --unpin 'Dora Day'
here like mallory Dora_Day
own alice exit_is 77 'it may be that of two' qchat-who -r ops --pin Dora_Day
end_process "$day_pid"
end_process "$ear_pid"
done_testing
