#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2317 # $offset of JSON; functions for wait_for
#
# qchat-mar asks the MAR service of a fabric, on foreign code at both ends.

. "$(dirname "$0")/lib.sh"

need jq tmux
fabric_start
services_start

tab=$(printf '\t')
dropper=daac6ba6967893ddea06ed132b781529

# mar ARG…: of alice
mar() {
	as alice run qchat-mar "$@"
}

# asked: what the service was asked
asked() {
	jq -c 'select(.asked == "mar")' "$T/services.out"
}

# Rows, for programs and for people.
mar HostInfo hostname, ip_address
is "$status" 0 'a search is done'
is "$(out)" "HostInfo|hostname${tab}HostInfo|ip_address${tab}count
pc1${tab}192.168.130.152${tab}1
pc2${tab}192.168.130.133${tab}1
db7${tab}2001:db8::7${tab}1" 'rows with tabs under a line of names'
is "$(err)" '' 'and silence'
is "$(asked | jq -r .step | tr '\n' ' ')" 'create start status results ' \
	'it asks what it has to'
is "$(asked | jq -c .routed | sort -u)" true 'as the fabric routes it'
mar -q HostInfo hostname
is "$(out)" "pc1${tab}1
pc2${tab}1
db7${tab}1" '-q: without the line of names'
mar -q HostInfo hostname, ip_address, hostname and HostInfo hostname
is "$(head -n 1 "$T/out")" "pc1${tab}192.168.130.152${tab}pc1${tab}pc1${tab}1" \
	'what is named again is in each of those columns'
mar --table 'HostInfo hostname, ip_address'
is "$(out)" 'HostInfo|hostname  HostInfo|ip_address  count
pc1                192.168.130.152      1
pc2                192.168.130.133      1
db7                2001:db8::7          1' '--table: in columns'
mar --json 'HostInfo hostname where HostInfo hostname starts with "pc"'
is "$(jq -r '[.v, .type, .count, .output."HostInfo|hostname"] | @csv' "$T/out")" \
	'1,"mar",1,"pc1"
1,"mar",1,"pc2"' '--json: a line for each'
mar --hash "$dropper"
is "$(sed 1d "$T/out" | cut -f 1,2)" "pc1${tab}192.168.130.152
db7${tab}2001:db8::7" '--hash: which hosts have it'
like "$(out)" "${tab}C:.*\\\\invoice.exe${tab}1\$" 'and where'
mar --hash 3395856ce81f2b7382dee72602f798b642f14140
is "$(sed 1d "$T/out" | cut -f 1 | tr '\n' ' ')" 'pc1 db7 ' 'by SHA-1, too'
mar HostInfo hostname where Processes size greater equal than 300000
is "$(sed 1d "$T/out")" "pc1${tab}1" 'a condition on another collector'
mar 'HostInfo hostname where HostInfo hostname equals "pc9"'
is "$status" 1 'nothing is found: the answer is no'
is "$(out)" '' 'no row, no names'
is "$(err)" 'qchat-mar: no results: FINISHED, 3 of 3 hosts have answered, 0 results' \
	'it says who was asked'
mar -q 'HostInfo hostname where HostInfo hostname equals "pc9"'
is "$status: $(err)" '1: ' '-q: the status says it'

# In order.
mar -q -s ip_address HostInfo hostname, ip_address
is "$(cut -f 1 "$T/out" | tr '\n' ' ')" 'pc2 pc1 db7 ' '--sort'
mar -q --sort '-HostInfo hostname' HostInfo hostname, ip_address
is "$(cut -f 1 "$T/out" | tr '\n' ' ')" 'pc2 pc1 db7 ' '--sort, downwards'
mar -q -n 2 --sort 'HostInfo|hostname' HostInfo hostname, ip_address
is "$(cut -f 1 "$T/out" | tr '\n' ' ')" 'db7 pc1 ' '--limit'
mar -q --sort -count Files sha1
is "$(cut -f 2 "$T/out" | tr '\n' ' ')" '2 2 ' 'the same of two hosts is a row'
services_do mar rows 230
mar -q --sort hostname HostInfo hostname
is "$(cut -f 1 "$T/out" | sed -n '1p;50p;51p;$p' | tr '\n' ' ')" \
	'pc000001 pc000050 pc000051 pc000230 ' 'page by page'
is "$(wc -l <"$T/out")" 230 'all of them'
mar -q -n 120 --sort hostname HostInfo hostname
is "$(cut -f 1 "$T/out" | sed -n '$=;$p' | tr '\n' ' ')" '120 pc000120 ' \
	'pages up to a limit'
is "$(asked | tail -n 1 | jq -c .request.parameters)" \
	'{"$offset":100,"$limit":20,"filter":"","sortBy":"HostInfo|hostname","sortDirection":"asc"}' \
	'and not a row more is asked for'
services_do mar rows

# The same that the public client gets.
# same NAME SORT DIRECTION QUERY: the same rows, asked for in the same words
same() {
	same_name=$1
	same_by=$2
	same_direction=$3
	mar --json --sort "$([ "$3" = asc ] || echo -)$2" "$4"
	jq -Sc '{count, output}' "$T/out" >"$T/ours"
	same_body=$(asked | jq -c 'select(.step == "create").request.body' |
		tail -n 1)
	asked | tail -n 4 | jq -Sc '.request | .target |= sub("/[0-9a-f]{24}/"; "/")
		| .parameters' >"$T/ours.asked"
	run node "$srcdir/tests/peer/mar.js" "$(user_dir bob)" "$same_body" \
		"$same_by" "$same_direction"
	jq -Sc '{count, output}' "$T/out" >"$T/theirs"
	asked | tail -n 4 | jq -Sc '.request | .target |= sub("/[0-9a-f]{24}/"; "/")
		| .parameters' >"$T/theirs.asked"
	ok "$same_name: the public client gets the same" \
		cmp "$T/ours" "$T/theirs"
	ok "$same_name: and asks the same" cmp "$T/ours.asked" "$T/theirs.asked"
	ok "$same_name: which is something" test -s "$T/theirs"
}
same hosts count desc 'HostInfo hostname, ip_address'
same 'two collectors' 'HostInfo|hostname' desc \
	'HostInfo hostname and Files name, sha1, size where Files size less than 1000'
same 'a negation' 'Processes|name' asc \
	'Processes name where Processes name not contains "exe" and Processes user equals "alice" or Processes id greater equal than 148'
services_do mar fake
same 'the public fake' 'Processes|name' asc \
	'Processes name where HostInfo ip_address equals "192.168.1.1"'
services_do mar real

# What is wrong is told before anybody is asked.
asked_before=$(asked | wc -l)
# wrong WORDS QUERY…
wrong() {
	wrong_words=$1
	shift
	mar "$@"
	is "$status" 64 "refused: $*"
	like "$(err)" "$wrong_words" 'and it says why'
}
wrong '^qchat-mar: column 31: an operator \(equals, .*not "eqals" *$' \
	'HostInfo os where HostInfo os eqals "x"'
wrong '^qchat-mar: column 1: a collector is due here, not the end' ''
wrong "'single quotes'\$" HostInfo os where HostInfo os equals "Windows"
wrong 'a query is needed'
wrong 'a query of its own' --hash "$dropper" HostInfo os
wrong 'neither an MD5 .32 hex digits. nor a SHA-1' --hash 12
wrong 'sorted by: count, HostInfo\|os$' --sort name HostInfo os
wrong '"0" is no number from 1 to' -n 0 HostInfo os
wrong 'exclude each other' --json --table HostInfo os
is "$(asked | wc -l)" "$asked_before" 'of all these the service hears nothing'

sed 's/"dxl"/"mqtt"/' "$(user_conf alice)" >"$(user_dir alice)/mqtt.conf"
mar --config "$(user_dir alice)/mqtt.conf" HostInfo os
is "$status" 78 'a plain MQTT broker: 78'
is "$(err)" "qchat-mar: $(user_dir alice)/mqtt.conf: this is a plain MQTT fabric, and the MAR service is a service of DXL fabrics (the setting \`fabric\`, or --dxl-config)" \
	'and it says why'
is "$(asked | wc -l)" "$asked_before" 'nor of that'

# What services say instead.
patience=${QCHAT_TEST_PROOF:-2} # seconds, for what never comes
# answers STATUS WORDS MOOD
answers() {
	services_do mar "$3"
	mar -W "$([ "$1" = 124 ] && echo "$patience" || echo 600)" \
		HostInfo hostname
	is "$status" "$1" "$3: status $1"
	like "$(err)" "^qchat-mar: $2" "$3: in words"
	is "$(out)" '' "$3: nothing on standard output"
	is "$(err | wc -l)" 1 "$3: on one line"
}
topic=/mcafee/mar/service/api/search
for step in create start status results; do
	answers 76 'MAR service: an answer that is not JSON' "at $step garbage"
	answers 76 'MAR service: no \(code 418\)$' "at $step code 418 no"
done
answers 76 'MAR service: an answer that is not JSON' bytes
answers 76 'MAR service: an answer without a code$' array
answers 76 'MAR service: an empty answer$' empty
answers 76 'MAR service: gone \(code 404\)$' 'plaincode 404 gone'
answers 76 'MAR service: no status of the search' \
	'at status json {"code":200,"body":{"status":7}}'
answers 76 "$topic: the service answers with error 5: no way" 'error 5 no way'
answers 69 "$topic: the service is overloaded" overloaded
answers 124 "$topic: no answer within [0-9.]+ s" silent
answers 124 "$topic: no answer within [0-9.]+ s" 'at results silent'
answers 124 "$topic: no answer within [0-9.]+ s" mistaken
services_do mar well
services_do mar gone
mar HostInfo hostname
is "$status" 69 'no service: 69'
like "$(err)" "^qchat-mar: $topic: no service on this fabric" 'in words'
services_do mar back

# And what does no harm.
for mood in twice ended 'late 300' broadcast; do
	services_do mar "$mood"
	mar -q HostInfo hostname
	is "$status $(cut -f 1 "$T/out" | tr '\n' ' ')" '0 pc1 pc2 db7 ' \
		"answers that come $mood"
done
services_do mar well
services_do mar rows hostile
mar -q HostInfo hostname
is "$status $(wc -l <"$T/out")" '0 7' 'hostile rows are a line each'
not_ok 'and drive no terminal' grep -aq "$(printf '[\001-\010\013-\037\177]')" \
	"$T/out"
mar --json HostInfo hostname
is "$(jq -r '.output | keys | length' "$T/out" | tr -d '\n')" 1011011 \
	'in JSON what is not there is not there'
services_do mar rows long
mar -q HostInfo hostname
is "$status $(head -n 1 "$T/out" | wc -c)" "0 $((60000 + 3))" \
	'a long value is not cut between tabs'
like "$(tail -n 1 "$T/out")" 'z….1$' 'and a longer one is'
like "$(err)" '1 of the rows have a value of more than 65536 bytes, which is cut$' \
	'which is said'
mar --json HostInfo hostname
is "$(jq -c '[(.output[] | length), .cut]' "$T/out" | tr -d '\n')" \
	'[60000,null][65534,true]' 'also as JSON'
mar --table HostInfo hostname
is "$(sed 's/…/./' "$T/out" | awk '{ print length($1), $2 }' | sort -u |
	tr '\n' /)" \
	'120 1/17 count/' 'and a table is as wide as people can read'

# More than there is room for, in few bytes, as it is shown.
services_do mar rows wide
for limit in '' '-n 7900'; do
	# shellcheck disable=SC2086 # words
	mar -q $limit HostInfo hostname
	is "$status $(wc -l <"$T/out")" '0 7812' "as many as are kept${limit:+, $limit}"
	is "$(err)" 'qchat-mar: there are more rows than these 7812' \
		'and that there are more is told'
done
is "$(awk -F "$tab" '{ print NF }' "$T/out" | sort -u)" 257 \
	'each is whole, whatever piece it was in'
mar --json HostInfo hostname
is "$status $(jq -c '.output | length' "$T/out" | sort | uniq -c |
	awk '{ print $1, $2 }' | tr '\n' ' ')" '0 7811 0 1 255 ' 'also as JSON'
services_do mar rows long
services_do mar gives 1
mar -q --sort -hostname HostInfo hostname
is "$status $(wc -l <"$T/out")" '76 1' 'a long value, and less than it names'
like "$(err)" ' 1 of the rows have a value of more than 65536 bytes, which is cut$' \
	'that it is cut is said'
like "$(err)" 'only 1 of 2 rows came' 'and the other, too'
services_do mar gives
services_do mar rows

# What it names and does not give.
services_do mar rows 120
services_do mar lags 1
mar -q HostInfo hostname
is "$status $(wc -l <"$T/out")" '0 120' 'a page that comes late comes'
is "$(err)" '' 'without a word'
services_do mar lags 0
services_do mar gives 0
mar HostInfo hostname
is "$status" 76 'no row of those that it names: 76'
is "$(err)" 'qchat-mar: MAR service: only 0 of 120 rows came: FINISHED, 3 of 3 hosts have answered, 120 results' \
	'in words'
is "$(out)" '' 'and no table'
is "$(asked | tail -n 4 | jq -r .step | tr '\n' ' ')" \
	'status results results results ' 'after three attempts'
services_do mar gives 70
mar -q HostInfo hostname
is "$status $(wc -l <"$T/out")" '76 70' 'some of them: 76, and they are printed'
is "$(err)" 'qchat-mar: MAR service: only 70 of 120 rows came: FINISHED, 3 of 3 hosts have answered, 120 results, 70 read' \
	'in words'
mar -q -n 60 HostInfo hostname
is "$status $(wc -l <"$T/out")$(err)" '0 60' 'as many as were wanted are enough'
services_do mar counts-not
mar -q HostInfo hostname
is "$status $(wc -l <"$T/out")" '0 70' 'fewer than the status names'
is "$(err)" 'qchat-mar: not all results are in these rows: FINISHED, 3 of 3 hosts have answered, 120 results, 70 read' \
	'are told'
services_do mar gives 0
mar HostInfo hostname
is "$status $(err)" '76 qchat-mar: MAR service: only 0 of 120 rows came: FINISHED, 3 of 3 hosts have answered, 120 results' \
	'none of them is no answer'
services_do mar gives
mar -q HostInfo hostname
is "$status $(wc -l <"$T/out")$(err)" '0 120' 'all of them'
services_do mar counts
services_do mar rows

# A search that takes its time.
services_do mar running 100
mar -W "$patience" HostInfo hostname
is "$status" 124 'not finished in time: 124'
is "$(err)" "qchat-mar: the search is not finished after $patience s: IN_PROGRESS, 3 of 3 hosts have answered, 0 results" \
	'with what is known'
before=$(asked | wc -l)
as alice start runs qchat-mar HostInfo hostname
is_asked() {
	[ "$(asked | wc -l)" -ge "$((before + 3))" ]
}
must wait_for is_asked
end_process "$pid" TERM
is "$status" 69 'interrupted: 69'
like "$(cat "$T/runs.err")" '^qchat-mar: interrupted: (IN_PROGRESS|not yet)' \
	'and says so'

# On a terminal.
printf 'set -g remain-on-exit on\nset -g status off\n' >"$T/tmux.conf"
tm() {
	tmux -u -f "$T/tmux.conf" -S "$T/tmux" "$@"
}
at_end='tm kill-server 2>/dev/null'
SHELL=/bin/sh
TERM=xterm-256color
export SHELL TERM
# screen NAME CMD: of alice, in sh
screen() {
	as alice must tm new-session -d -s "$1" -x 100 -y 24 \
		"trap : INT; $2; echo status \$?; sleep 999"
}
shown() { tm capture-pane -p -t "$1"; }
shows() { shown "$1" | grep -Eq -e "$2"; }
screen far 'qchat-mar HostInfo hostname'
ok 'how far it is stands on the terminal' wait_for shows far \
	'^qchat-mar: IN_PROGRESS, 3 of 3 hosts have answered'
must tm send-keys -t far C-c
ok 'control-C ends it' wait_for shows far '^status 69$'
like "$(shown far)" '^qchat-mar: interrupted: IN_PROGRESS, 3 of 3 hosts' \
	'the line has made room for what became of it'
services_do mar running 0
screen table 'qchat-mar HostInfo hostname, os'
ok 'it is done' wait_for shows table '^status 0$'
is "$(shown table | sed -n '1,2p')" 'HostInfo|hostname  HostInfo|os  count
pc1                Windows 10   1' 'in columns, and the line has gone'

# A connection that goes meanwhile.
services_do mar running 1
before=$(asked | wc -l)
as alice start cut qchat-mar -q HostInfo hostname
must wait_for is_asked
fabric_do kick "$(thumbprint alice)"
ok 'the connection goes, and it goes on' wait_end "$pid"
is "$status $(cut -f 1 "$T/cut.out" | tr '\n' ' ')" '0 pc1 pc2 db7 ' \
	'to its end'

# A service that is another meanwhile.
before=$(asked | wc -l)
as alice start anew qchat-mar -q -W 20 HostInfo hostname
must wait_for is_asked
services_do mar gone
services_do mar back
ok 'the service registers again, and it goes on' wait_end "$pid"
is "$status $(cut -f 1 "$T/anew.out" | tr '\n' ' ')" '0 pc1 pc2 db7 ' \
	'to its end, too'
services_do mar running 0

# Where it comes from, and where it goes to.
as alice exit_is 74 'a full disk: 74' sh -c \
	'qchat-mar HostInfo hostname >/dev/full'
as alice exit_is 0 'a reader that goes' sh -c \
	'qchat-mar Processes name | head -n 1'
as alice exit_is 0 'dxlclient.config' env -u QCHAT_CONFIG qchat-mar \
	--dxl-config "$(user_dir alice)/dxlclient.config" HostInfo hostname
as bob start ear qchat-listen -v -r ops
ear=$pid
must wait_line "$T/ear.err" 'in ops'
as alice must sh -c "qchat-mar --table --hash $dropper | qchat-say -r ops"
ok 'the table goes to a room' wait_line "$T/ear.out" \
	' alice HostInfo\|hostname .*\\ndb7 .*\\n?$|\\ndb7  .* 1$'
end_process "$ear"
broker_stop
mar HostInfo hostname
is "$status" 69 'no fabric: 69'
like "$(err)" '^qchat-mar: .*refused' 'in words'

done_testing
