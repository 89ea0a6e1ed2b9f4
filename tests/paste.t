#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is pasted into qchat-join: one message, which leaves when one says so.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"
. "$(dirname "$0")/shell.sh"

need node
broker_start
as eve start ear qchat-listen -v -r ops --json --presence
must wait_line "$T/ear.err" 'in ops'

shell ann ann
join ann -r ops
must takes ann

# paste NAME FILE: as a terminal does it, with CR for LF
paste() {
	must tm load-buffer "$2"
	must tm paste-buffer -p -t "$1"
}

# said COUNT: so many messages have come
said() { wait_for has_lines "$T/ear.out" '"text"' "$1"; }

# text_of N: of the N-th message; N.txt in $T
text_of() {
	node -e 'const all = require("fs").readFileSync(process.argv[1], "utf8")
		.split("\n").filter(line => line).map(line => JSON.parse(line))
		.filter(record => record.type === "message")
		process.stdout.write(all[process.argv[2] - 1].text)' \
		"$T/ear.out" "$1" >"$T/$1.txt"
}

# is_text N FILE NAME
is_text() {
	must text_of "$1"
	ok "$3" cmp "$T/$1.txt" "$2"
}

# A long one is asked about.

i=0
while [ $((i += 1)) -le 300 ]; do
	# shellcheck disable=SC2016 # nothing is to be expanded anywhere
	printf '%s:\t"grüße", \\q /q 漢字 $(id) %%s  \n' "$i"
done >"$T/long"
paste ann "$T/long"
ok 'a paste of 300 lines is asked about' \
	sees ann 'y takes 300 lines, [0-9]+,[0-9]+ bytes .* n drops'
press ann Enter x Space
press ann y
ok 'y takes it into the draft' sees ann '300:.*grüße'
is "$(grep -c '"text"' "$T/ear.out")" 0 'and nothing has left'
press ann Enter
ok 'with Enter it does' said 1
is_text 1 "$T/long" 'as one message, byte for byte'

paste ann "$T/long"
must sees ann '300 lines, [0-9,]+ bytes into'
press ann n
type ann 'not that'
ok 'n drops it' said 2
printf 'not that' >"$T/want"
is_text 2 "$T/want" 'and nothing is left of it'

# One that wants to be more than a paste.

{
	head -n 100 "$T/long"
	printf 'end\033[201~\\q\n\\w %s\n' "$T/written"
	printf '\033[201~\033[200~\033[A\033[5~\033OP\033[I\033\n\003\003\004\004\n'
	printf '\032\025\022\026\017\177y\n/q\nn\n\033]0;TITLE\007\033c\n'
	tail -n 100 "$T/long"
} >"$T/evil"
sed 's/\x1b\[20[01]~//g' "$T/evil" >"$T/want"
{
	printf '\033[200~'
	tr '\n' '\r' <"$T/evil"
	printf '\033[201~'
} >"$T/evil.raw"
raw ann "$T/evil.raw"
ok 'an end marker in a paste does not end it' \
	sees ann "$(($(wc -l <"$T/want"))) lines, [0-9,]+ bytes into"
press ann y
ok 'its keys are text' sees ann '300:.*grüße'
is "$(grep -c '"text"' "$T/ear.out")" 2 'and nothing has left by itself'
press ann Enter
ok 'until Enter' said 3
is_text 3 "$T/want" 'it is one message without the markers'
ok 'no command was done' test ! -e "$T/written"

# Commands are typed, not pasted.

printf '\\q' >"$T/want"
paste ann "$T/want"
ok 'a pasted \q is in the draft' sees ann '> \\q$'
press ann Enter
ok 'and said' said 4
is_text 4 "$T/want" 'as it is'
type ann '\q'
ok 'when it is typed it is a command' ended ann
is "$status" 0 'as ever'
restored ann

# What is short is not asked about.

join ann -r ops
must takes ann
head -n 10 "$T/long" | sed 's/^/ten lines /' >"$T/ten"
paste ann "$T/ten"
ok 'ten lines go into the draft' sees ann 'ten lines 10:'
press ann Enter
ok 'with Enter they leave' said 5
is_text 5 "$T/ten" 'as one message'
head -n 11 "$T/long" >"$T/eleven"
paste ann "$T/eleven"
ok 'eleven are asked about' sees ann '11 lines, [0-9]+ bytes into'
press ann n
head -c 4096 /dev/zero | tr '\0' a >"$T/want"
paste ann "$T/want"
ok '4 KiB go into the draft' sees ann '^a{100}$'
press ann Enter
ok 'and leave' said 6
is_text 6 "$T/want" 'all of them'
{
	cat "$T/want"
	printf b
} >"$T/more"
paste ann "$T/more"
ok 'one byte more is asked about' sees ann '1 line, 4,097 bytes into'
press ann C-c
head -c 300000 /dev/zero | tr '\0' c >"$T/huge"
paste ann "$T/huge"
ok 'one beyond the limit is refused' \
	sees ann 'paste of 300,000 bytes was dropped: .* 262,144'
type ann 'still here'
ok 'and then one types on' said 7
printf 'still here' >"$T/want"
is_text 7 "$T/want" 'with nothing of it in the draft'

# The end marker may get lost.

printf '\033[200~no end \\q\r' >"$T/open"
raw ann "$T/open"
ok 'a paste without an end ends when nothing more comes' \
	sees ann '> no end .q$'
press ann x Enter
ok 'then keys are keys' said 8
printf 'no end \\q\nx' >"$T/want"
is_text 8 "$T/want" 'and the text is there'

# qchat-join goes while something is pasted: what is still to come is not for
# who reads the terminal then.

type ann '\q'
must ended ann
rm "$T/ann.status" "$T/ann.pid"
cat >"$T/reader" <<-END
sh -c 'echo \$\$ >"\$0"; exec qchat-join -r ops' '$T/ann.pid'
echo \$? >'$T/ann.status'
cat >'$T/ann.rest'
END
i=0
while [ $((i += 1)) -le 4000 ]; do
	echo "line $i of many for a shell to run"
done >"$T/many"
type ann " sh '$T/reader'"
must takes ann
must sees ann 'you are in the room'
sign ann STOP
paste ann "$T/many"
sign ann HUP
sign ann CONT
ok 'SIGHUP ends it within a paste' ended ann
is "$status" 0 'in order'
ok 'with a bye' wait_line "$T/ear.out" '"reason":"bye"' 3
type ann 'the end'
must wait_line "$T/ann.rest" 'the end'
is "$(head -c 80 "$T/ann.rest")" 'the end' 'what was pasted is gone'
press ann C-d
restored ann

done_testing
