#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# qchat-tie: reputations, systems, what is set and what changes, of a TIE
# service on a stand-in for a DXL fabric, both of them foreign code.

# shellcheck disable=SC2016,SC2317 # a script for sh; functions for others

. "$(dirname "$0")/lib.sh"

need jq tmux
# One topic is for alice alone.
certificate_set=/mcafee/service/tie/cert/reputation/set
fabric_policy="{\"send\":[{\"topic\":\"$certificate_set\",\"clients\":[\"$(thumbprint alice)\"]}]}"
fabric_start
services_start

notepad=f2c7bb8acc97f92e987a2d4087d021b1
notepad_sha1=7eb0139d2175739b3ccb0d1110067820be6abd29
notepad_sha256=142e1d688ef0568370c37187fd9f2351d7ddeda574f8bfa9b0fa4ef42db85aa2
dropper=daac6ba6967893ddea06ed132b781529
certificate=6eae26db8c13182a7947982991b4321732cc3de2
nobodys=00000000000000000000000000000000
tab=$(printf '\t')

tie() { as alice run qchat-tie "$@"; }
tie_is() {
	tie_want=$1
	tie_name=$2
	shift 2
	as alice exit_is "$tie_want" "$tie_name" qchat-tie "$@"
}
asked() { # the last request that the service got
	grep '"asked":"tie"' "$T/services.out" | tail -n 1 | jq -c "$1"
}

# The table.
tie_is 0 'a file that is known' "$notepad"
is "$(head -n 1 "$T/out")" \
	"HASH${tab}PROVIDER${tab}TRUST${tab}REPUTATION${tab}SINCE${tab}DETAILS" \
	'a header'
like "$(out)" \
	"^$notepad${tab}GTI${tab}99${tab}Known Trusted${tab}2015-12-30T19:14:35.000Z${tab}-\$" \
	'a provider, in the words of the original'
like "$(out)" \
	"^$notepad${tab}Enterprise${tab}0${tab}Not Set${tab}.*${tab}first contact 2015-12-30T19:14:35.000Z, prevalence 17, enterprise size 21, file names 0, server 1.1.0.265\$" \
	'and another, with what it knows'
is "$(err)" '' 'without a word more'
is "$(asked '.request|keys')" '["hashes","scanType"]' 'asked as the original asks'
tie_is 0 'without the header' -q "$notepad"
is "$(wc -l <"$T/out")" 2 'two providers are two lines'

tie_is 0 'a file of which much is known' -q "$dropper"
is "$(cut -f 2-4 "$T/out" | tr "$tab" /)" 'GTI/1/Known Malicious
Enterprise/15/Most Likely Malicious
ATD/1/Known Malicious
MWG/30/Might Be Malicious
External/15/Most Likely Malicious' 'by all providers'
like "$(out)" 'verdict Known Malicious, gateway anti-malware Known Malicious, AV engine Most Likely Malicious, sandbox Known Trusted$' \
	'the scores of ATD in words'
like "$(out)" 'prevalent no, lowest local Known Malicious, highest local Might Be Trusted' \
	'local reputations'
like "$(out)" 'detections 4, last detection 2016-12-08T17:51:40.000Z, file names 2, parents 1 \(Known Trusted to Known Trusted\), children 2 \(Unknown to Known Trusted\)' \
	'its family'

# Hashes of all kinds, and where they come from.
tie_is 0 'hashes of all kinds, in any case' -q \
	"$(echo "$notepad" | tr a-f A-F)" "$notepad_sha1" "$notepad_sha256"
is "$(cut -f 1 "$T/out" | uniq)" "$notepad
$notepad_sha1
$notepad_sha256" 'in their order'
printf '%s  notepad.exe\n\n%s *a b.exe\r\n' "$notepad" "$dropper" >"$T/list"
tie --json <"$T/list"
is "$(jq -r '.hash + " " + .name' "$T/out")" "$notepad notepad.exe
$dropper a b.exe" 'from standard input, as sha256sum writes them'
tie -q - "$notepad_sha1" <"$T/list"
is "$(cut -f 1 "$T/out" | uniq | tr '\n' ' ')" "$notepad_sha1 $notepad $dropper " \
	'from both'
as alice exit_is 66 'no hash at all' qchat-tie </dev/null
{
	printf '%s ' "$dropper"
	head -c 65536 /dev/zero | tr '\0' x
	printf '\n%s\n' "$notepad"
} >"$T/long"
tie -q <"$T/long"
is "$status $(cut -f 1 "$T/out" | uniq)" "65 $notepad" \
	'of a line that is too long nothing is taken, and the next one is'
is "$(err)" 'qchat-tie: standard input, line 1: more than 65536 bytes' \
	'which is told'
awk -v hash="$notepad" 'BEGIN { for (i = 0; i < 300; i++) print hash }' >"$T/many"
tie -q <"$T/many"
is "$status $(wc -l <"$T/out")" '0 600' 'three hundred at once'

: >"$T/empty"
tie_is 1 'a file that nobody has judged' --json --file "$T/empty"
is "$(jq -r '.hashes.md5, .hashes.sha1, .hash, .known' "$T/out")" \
	"d41d8cd98f00b204e9800998ecf8427e
da39a3ee5e6b4b0d3255bfef95601890afd80709
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
false" 'by all of its hashes'
tie_is 66 'a file that is not there' --file "$T/nowhere"
like "$(err)" 'nowhere: No such file' 'it is named'

# What is unknown.
tie_is 1 'a file that is not known' "$nobodys"
like "$(out)" "^$nobodys${tab}-${tab}-${tab}-${tab}-${tab}-\$" 'is a line too'
services_do tie real
tie_is 1 'as real servers say it' "$nobodys"
like "$(out)" "${tab}Unknown${tab}" 'is unknown'
services_do tie fake
tie_is 1 'one of two that is not known' "$notepad" "$nobodys"

# Certificates.
tie_is 0 'a certificate' -q --certificate "$certificate"
like "$(out)" "^$certificate${tab}GTI${tab}99${tab}Known Trusted${tab}.*prevalence 94, revoked no\$" \
	'by its providers'
tie_is 0 'with its public key' --json --certificate "$certificate" \
	--public-key 3b87a2d6f39770160364b79a152fcc73bae27adf
is "$(asked .request.publicKeySha1)" '"O4ei1vOXcBYDZLeaFS/Mc7riet8="' \
	'which is asked for'
is "$(jq -r '.subject, .public_key' "$T/out")" 'certificate
3b87a2d6f39770160364b79a152fcc73bae27adf' 'and told'

# JSON.
tie --json "$dropper"
is "$(jq -c 'keys' "$T/out")" \
	'["hash","hashes","known","name","public_key","reputations","subject","time","type","v"]' \
	'the keys of a line'
is "$(jq -c '[.v, .type, .subject, .known, (.reputations | length)]' "$T/out")" \
	'[1,"reputation","file",true,5]' 'their values'
is "$(jq -c '.reputations[2]' "$T/out")" \
	'{"provider":"atd","provider_id":5,"trust":1,"level":"Known Malicious","created":"2016-12-08T17:46:40.000Z","attributes":{"gateway_anti_malware":5,"av_engine":4,"sandbox":-1,"verdict":5,"behaviours":"AAEC"}}' \
	'a provider'
is "$(jq -c '.reputations[1].attributes | .first_contact, .prevalence, .is_prevalent, .average_local_reputation, .child_files, .server_version' "$T/out")" \
	'"2016-12-08T17:45:00.000Z"
2
false
30
{"count":2,"min":50,"max":99,"last":50,"average":76.2}
"1.1.0.265"' 'its attributes'

# Systems.
tie_is 0 'which systems have it' --agents "$notepad"
is "$(tail -n +2 "$T/out")" \
	"$notepad${tab}{3a6f574a-3e6f-436d-acd4-bcde336b054d}${tab}2016-10-07T20:54:52.000Z
$notepad${tab}{d48d3d1a-915e-11e6-323a-000c2992f5d9}${tab}2016-10-12T23:57:54.000Z
$notepad${tab}{68125cd6-a5d8-11e6-348e-000c29663178}${tab}2016-11-08T17:29:32.000Z" \
	'and since when'
is "$(asked .request.queryLimit)" 500 'as many as the original asks for'
tie_is 0 'not all of them' --agents --limit 2 --json "$notepad"
is "$(jq -c '[.type, (.agents | length), .total, .agents[0].guid, .agents[0].first]' "$T/out")" \
	'["agents",2,3,"{3a6f574a-3e6f-436d-acd4-bcde336b054d}","2016-10-07T20:54:52.000Z"]' \
	'as JSON'
like "$(err)" '2 of 3 systems are listed' 'that there are more is said'
tie_is 1 'nobody has it' --agents "$nobodys"

# The public client gets the same.
public() {
	node "$srcdir/tests/peer/tie.js" "$(user_dir carol)" "$@" 2>"$T/public.err" |
		jq -cS .
}
ours() { # FILTER ARG…
	ours_filter=$1
	shift
	tie --json "$@"
	jq -cS "$ours_filter" "$T/out"
}
seconds='def seconds: sub("\\.000Z$"; "Z") | fromdate;'
providers="$seconds [.reputations[] | {(.provider_id | tostring): [.trust, (.created | seconds)]}] | add"
systems="$seconds [.agents[] | [.guid, (.first | seconds)]]"
is "$(ours "$providers" "$notepad")" "$(public file "$notepad")" \
	'the public client gets the same reputations'
is "$(ours "$providers" "$dropper")" "$(public file "$dropper")" \
	'of all providers'
is "$(ours "$providers" --certificate "$certificate")" \
	"$(public cert "$certificate")" 'and of a certificate'
is "$(ours "$systems" --agents "$notepad")" "$(public agents "$notepad")" \
	'and the same systems'
is "$(ours "$systems" --agents --certificate "$certificate")" \
	"$(public certagents "$certificate")" 'and those of a certificate'
like "$(public file "$nobodys")" 'Could not find reputation' \
	'and none of what is not known'

# What only looks like a list of hashes, and what is one.
list_is() { # NAME WANT: hashes and names of $T/list
	tie --json <"$T/list"
	is "$status $(jq -r '.hash + "=" + (.name // "")' "$T/out" | tr '\n' '|')" \
		"0 $2" "$1"
	is "$(err)" '' "$1: without a word"
}
printf '\357\273\277%s\n' "$notepad" >"$T/list"
list_is 'a byte order mark' "$notepad=|"
printf '# from the console\n\n%s\n  # %s\n' "$notepad" "$dropper" >"$T/list"
list_is 'comments' "$notepad=|"
printf '%s,setup.exe,2\n"%s","x"\n%s,\n' "$notepad" "$dropper" \
	"$notepad_sha1" >"$T/list"
list_is 'the first column of CSV' "$notepad=|$dropper=|$notepad_sha1=|"
printf '\\%s  a\\nb\\\\c\n%s  a\\nb\n' "$notepad" "$dropper" >"$T/list"
tie --json <"$T/list"
is "$(jq -c .name "$T/out")" '"a\nb\\c"
"a\\nb"' 'a name that sha256sum has escaped, and one that it has not'
mkdir "$T/odd"
: >"$T/odd/$(printf 'x\ny\377')"
sha256sum "$T/odd/"* >"$T/list"
tie --json <"$T/list"
is "$status $(jq -r .name "$T/out")" "1 $T/odd/x
y\\xff" 'bytes that are no UTF-8 are made visible'
tie --json --file "$T/odd/$(printf 'x\ny\377')"
is "$(jq -r .name "$T/out")" "$T/odd/x
y\\xff" 'those of a path, too'
printf '%s\nnot a hash\n%s\nSHA1,file\n' "$notepad" "$dropper" >"$T/bad"
as alice exit_is 65 'lines that are no hash' qchat-tie -q <"$T/bad"
is "$(cut -f 1 "$T/out" | uniq | tr '\n' ' ')" "$notepad $dropper " \
	'the others are asked for'
is "$(err)" 'qchat-tie: standard input, line 2: no hash at its start (32, 40 or 64 hex digits)
qchat-tie: standard input, line 4: no hash at its start (32, 40 or 64 hex digits)' \
	'and each is named'
awk 'BEGIN { for (i = 0; i < 300; i++) print "x" i }' >"$T/bad"
as alice exit_is 65 'no line of many is one' qchat-tie <"$T/bad"
is "$(wc -l <"$T/err")" 102 'a hundred are named'
is "$(tail -n 2 "$T/err")" 'qchat-tie: standard input: 200 more lines have no hash
qchat-tie: standard input has no hash' 'and the others counted'

# Files that are none: nobody waits for them.
tie_is 66 'a folder' --file "$T"
is "$(err)" "qchat-tie: $T: it is a folder, and no file" 'says so'
mkfifo "$T/pipe"
tie_is 66 'a FIFO' --file "$T/pipe"
is "$(err)" "qchat-tie: $T/pipe: it is a FIFO, and no file" 'says so'
tie_is 66 'a device' --file /dev/zero
is "$(err)" 'qchat-tie: /dev/zero: it is a device, and no file' 'says so'

# On a plain MQTT broker there is no TIE server, nor on what is only called so.
sed 's/"dxl"/"mqtt"/' "$(user_conf alice)" >"$(user_dir alice)/mqtt.conf"
for more in '' '--follow' '--set 1 --external --yes'; do
	# shellcheck disable=SC2086 # a list of words
	exit_is 78 "a plain MQTT broker, $more" qchat-tie $more \
		--config "$(user_dir alice)/mqtt.conf" "$notepad"
	is "$(err)" "qchat-tie: $(user_dir alice)/mqtt.conf: this is a plain MQTT fabric, and the TIE server is a service of DXL fabrics (the setting \`fabric\`, or --dxl-config)" \
		'is told at once'
done

# What is set, and who hears of it.
as bob start follow qchat-tie -v --follow -C 2
must wait_line "$T/follow.err" 'connected to'
as carol start json qchat-tie -v --follow --json -C 1 "$notepad_sha256"
must wait_line "$T/json.err" 'connected to'
tie_is 64 'nothing is set without a question' --set 1 "$notepad"
like "$(err)" 'asks before it acts.*--yes' 'which needs a terminal'
tie_is 0 'it is set' --set known-malicious --yes --comment 'seen in "IR-42"' \
	--file "$T/empty"
is "$(out)$(err)" '' 'in silence'
is "$(asked '[.step, .request.trustLevel, .request.providerId, .request.filename, .request.comment, (.request.hashes | length)]')" \
	'["set",1,3,"empty","seen in \"IR-42\"",3]' 'as it was said'
tie_is 0 'and another' --json --set 85 --yes "$notepad"
is "$(jq -c '[.type, .hash, .trust, .level]' "$T/out")" \
	"[\"set\",\"$notepad\",85,\"Most Likely Trusted\"]" 'as JSON'
ok 'who follows ends after two' wait_end "$(echo "$pids" | awk '{ print $(NF - 1) }')"
is "$status" 0 'with 0'
is "$(cut -f 2- "$T/follow.out")" \
	"HASH${tab}PROVIDER${tab}BEFORE${tab}AFTER${tab}REPUTATION
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855${tab}Enterprise${tab}0${tab}1${tab}Known Malicious
$notepad_sha256${tab}Enterprise${tab}0${tab}85${tab}Most Likely Trusted" \
	'and has heard of both'
ok 'who follows one hash hears of that' wait_line "$T/json.out" '"type":"change"'
is "$(jq -c '[.type, .hashes.md5, (.before[] | select(.provider == "enterprise") | .trust), (.after[] | select(.provider == "enterprise") | .trust)]' "$T/json.out")" \
	"[\"change\",\"$notepad\",0,85]" 'before and after'
as dave start others qchat-tie -vq --follow -C 1
must wait_line "$T/others.err" 'connected to'
is "$(public set 30 "$dropper")" '"set"' 'what the public client sets'
ok 'is heard of' wait_line "$T/others.out" \
	"${tab}Enterprise${tab}15${tab}30${tab}Might Be Malicious\$"
tie_is 0 'a certificate is set' --certificate --set 'Known Trusted' --yes \
	"$certificate"
is "$(asked '[.topic, .request.providerId]')" \
	'["/mcafee/service/tie/cert/reputation/set",4]' 'as one'
as bob exit_is 124 'who may not set it hears nothing' qchat-tie -W 1 --certificate \
	--set 1 --yes "$certificate"
like "$(err)" "$certificate_set: no answer within 1 s \\(a fabric does not tell" \
	'and is told what that may mean'
as dave start outside qchat-tie -vq --follow -C 1
must wait_line "$T/outside.err" 'connected to'
tie_is 0 'what another product has found' --set 70 --external --yes "$dropper"
is "$(out)$(err)" '' 'is told in silence'
ok 'and taken over' wait_line "$T/outside.out" \
	"^[^${tab}]*${tab}[0-9a-f]*${tab}External${tab}15${tab}70${tab}Might Be Trusted\$"
tie_is 64 'a certificate is not reported' --set 70 --external --certificate \
	--yes "$certificate"
tie_is 64 'nor is what is not set' --set 0 --external --yes "$dropper"
as bob exit_is 124 'nothing changes' qchat-tie --follow -W 0.3
like "$(err)" '0.3 s are over, 0 changes came' 'which is said'

as bob start foreign qchat-tie -vq --follow -C 1
must wait_line "$T/foreign.err" 'connected to'
services_do tie publish /mcafee/event/tie/file/repchange/broadcast '{"hashes":'
services_do tie publish /mcafee/event/tie/file/repchange/broadcast \
	'{"hashes":[{"type":"md5","value":"8se7isyX+S6Yei1Ah9AhsQ=="}],"newReputations":{"reputations":[{"providerId":3,"trustLevel":30}]}}'
ok 'half a change is passed over' \
	wait_line "$T/foreign.out" "^-${tab}$notepad${tab}Enterprise${tab}0${tab}30${tab}Might Be Malicious"
like "$(cat "$T/foreign.err")" 'ignored: the TIE server.* not understood' 'and told with -v'

# Set is what the server says is set.
first=0000000000000000000000000000000a
second=0000000000000000000000000000000b
third=0000000000000000000000000000000c
of_second=$(printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\013' | base64)
for mood in 'json {"error":"no"}' garbage bytes array; do
	services_do tie "at set $mood"
	tie_is 76 "what is set is answered with $mood" --json --set 1 --yes "$first"
	like "$(err)" "^qchat-tie: $first: the TIE server does not confirm it, but says: " \
		'which is told'
	is "$(out)" '' 'and is not set'
done
services_do tie 'at set json {}'
tie_is 0 'an object of nothing says no more than nothing' --set 1 --yes "$first"
services_do tie 'at set ended'
tie_is 0 'nor do a line feed and a NUL' --set 1 --yes "$first"
services_do tie "at set of $of_second error 5 no"
tie_is 76 'one of three is refused' --set 1 --yes "$first" "$second" "$third"
is "$(tail -n 3 "$T/err")" "qchat-tie: $first: set
qchat-tie: $second: not set
qchat-tie: $third: set" 'which is told of each'
like "$(err)" "^qchat-tie: $second: .*error 5: no\$" 'and why'
services_do tie "at set of $of_second silent"
tie_is 124 'one of three has no answer' -W 1 --json --set 1 --yes "$first" \
	"$second" "$third"
is "$(head -n 3 "$T/err")" "qchat-tie: $first: set
qchat-tie: $second: not known whether it is set
qchat-tie: $third: set" 'which is told of each'
is "$(jq -r .hash "$T/out" | tr '\n' ' ')" "$first $third " 'what is set is printed'
services_do tie 'at set silent'
awk 'BEGIN { for (i = 0; i < 20; i++) printf "%032d\n", i }' >"$T/twenty"
as alice exit_is 124 'nobody answers' qchat-tie -W 1 --set 1 --yes <"$T/twenty"
is "$(cut -d : -f 3 "$T/err" | sort | uniq -c | sed 's/^ *//')" \
	'1  no answer within 1 s (a fabric does not tell a certificate that it may not ask this)
16  not known whether it is set
4  not tried' 'those that were not asked are told, too'
like "$(sed -n 17p "$T/err")" '^qchat-tie: 0*16: not tried$' 'in their order'
like "$(sed -n 16p "$T/err")" '^qchat-tie: 0*15: not known' 'and no other'
# set_twenty NAME: asks for sixteen of them, in the background
set_twenty() {
	cp "$T/twenty" "$T/$1.in"
	set_before=$(count_lines "$T/services.out" '"step":"set"')
	as alice start "$1" qchat-tie --set 1 --yes
	must wait_line "$T/services.out" '"step":"set"' "$((set_before + 16))"
}
outcomes() { # FILE
	grep -Eo '[0-9a-f]{32}: (set|not set|not tried|not known whether it is set)$' \
		"$1" | cut -d ' ' -f 2- | sort | uniq -c | sed 's/^ *//'
}
set_twenty ended
end_process "$pid"
is "$status" 69 'a signal ends it'
is "$(outcomes "$T/ended.err")" '16 not known whether it is set
4 not tried' 'and what may be set is told'
set_twenty lost
fabric_do kick "$(thumbprint alice)"
ok 'so does a connection that is lost' wait_end "$pid"
is "$status" 69 'with that status'
is "$(outcomes "$T/lost.err")" '16 not known whether it is set
4 not tried' 'and that is told'
services_do tie well
as alice exit_is 0 'all of them are set' sh -c \
	'qchat-tie --json --set 1 --yes <"$1" | head -n 1' sh "$T/twenty"
is "$(asked '[.request.trustLevel, .request.hashes[0].value]')" \
	'[1,"AAAAAAAAAAAAAAAAAAAAGQ=="]' 'even if who reads that goes'
is "$(err)" '' 'and nothing is told'

# On a terminal: columns, and a question.
conf=$(user_conf alice)
tm() { tmux -u -f /dev/null -S "$T/tmux" "$@"; }
at_end='tm kill-server 2>/dev/null'
SHELL=/bin/sh TERM=xterm-256color
export SHELL TERM
on_screen() { tm capture-pane -p -t tie | grep -Eq -e "$1"; }
sees() {
	wait_for on_screen "$1" && return
	tm capture-pane -p -t tie
	return 1
}
must tm new-session -d -s tie -x 200 -y 40 "exec env QCHAT_CONFIG='$conf' \
	PATH='$PATH' HOME='$HOME' PS1='READY ' sh"
typed() {
	must tm send-keys -t tie -l "$1"
	must tm send-keys -t tie Enter
}
must sees READY
typed "qchat-tie $dropper"
ok 'columns' sees "^$dropper  ATD +1 +Known Malicious +2016-12-08T17:46:40.000Z  verdict"
ok 'all of one width' sees "^$dropper  MWG +30 +Might Be Malicious +2016-12-08T17:48:20.000Z  -"
typed "clear; qchat-tie --set 15 $nobodys; echo \"= \$?\""
ok 'a question' sees '^Set the enterprise.s reputation of this file to Most Likely Malicious \(15\)\? \[y/N\]$'
ok 'that shows what it is about' sees "^qchat-tie: $nobodys"
typed n
ok 'no' sees '^qchat-tie: nothing was set'
ok 'is 1' sees '^= 1'
is "$(asked .step)" '"reputation"' 'nothing is asked then'
typed "clear; qchat-tie --set 15 $nobodys; echo \"= \$?\""
must sees '\[y/N\]$'
typed y
ok 'yes is 0' sees '^= 0'
is "$(asked .request.trustLevel)" 15 'and it is set'
tie_is 0 'so that it is known now' "$nobodys"
typed 'clear; qchat-tie; echo "= $?"'
ok 'without a hash the terminal is read' \
	sees '^qchat-tie: hashes are read from the terminal, .* until control-D'
typed "$notepad  notepad.exe"
typed "$dropper"
must tm send-keys -t tie C-d
ok 'up to its end' sees "^$notepad  GTI +99 +Known Trusted"
ok 'all of it' sees "^$dropper  ATD +1 +Known Malicious"
ok 'which is 0' sees '^= 0'
typed 'clear; qchat-tie -q --set 70; echo "= $?"'
typed "$nobodys"
must tm send-keys -t tie C-d
ok 'behind it a question can be asked' sees '\[y/N\]$'
ok 'without a word on what is read' not on_screen 'from the terminal'
typed y
ok 'and answered' sees '^= 0'
is "$(asked .request.trustLevel)" 70 'with yes'

# Options.
tie_is 64 'a word that is no hash' "$notepad"0
like "$(err)" 'is no hash' 'it is said'
tie_is 64 'no such level' --set 98 "$notepad"
tie_is 64 'two things at once' --set 99 --agents "$notepad"
tie_is 64 'a count of nothing' --count 3 "$notepad"
tie_is 64 'a comment on nothing' --comment x "$notepad"
tie_is 64 'a time of nothing' -W 0 "$notepad"

# What may go wrong.
wrong() { # STATUS ERE NAME MOOD…
	wrong_status=$1
	wrong_line=$2
	wrong_name=$3
	shift 3
	services_do tie "$@"
	tie_is "$wrong_status" "$wrong_name" -W 1 "$notepad"
	like "$(err)" "$wrong_line" "$wrong_name: the sentence"
	is "$(grep -v ^HASH "$T/out")" '' "$wrong_name: nothing is printed"
	services_do tie well
}
wrong 124 'no answer within 1 s' 'no answer' silent
wrong 76 'not understood' 'garbage' garbage
wrong 76 'not understood' 'bytes' bytes
wrong 76 'it is no JSON object' 'a list' array
wrong 76 'not understood' 'nothing' empty
wrong 76 'without trust level' 'half an answer' json '{"reputations":[{"providerId":3}]}'
wrong 69 'the service is overloaded' 'overloaded' overloaded
wrong 76 "$notepad: .*the service answers with error 5: no \\\\x1b\[2J way" \
	'an error of its own' error 5 "no $(printf '\033')[2J way"
wrong 124 'no answer within 1 s' 'an answer to another' mistaken
for mood in twice ended broadcast 'late 300'; do
	services_do tie "$mood"
	tie_is 0 "$mood" -v -q "$notepad"
	is "$(wc -l <"$T/out")" 2 "$mood: one answer"
done
services_do tie stranger
tie_is 0 'somebody else is quicker' -v -q "$notepad"
is "$(wc -l <"$T/out")" 2 'and is not heard'
like "$(err)" 'answers_foreign 1' 'but counted'
wrong 124 'of somebody who is not the service' 'somebody else alone' stranger alone
wrong 124 'of somebody who is not the service' 'as another service' stranger alone own
services_do tie late 700
tie_is 124 'too late' -W 0.3 "$notepad"
services_do tie well
services_do tie unavailable
tie_is 69 'no service' "$notepad"
like "$(err)" 'no service on this fabric answers that' 'the sentence'
tie_is 69 'as it is gone' "$notepad" "$dropper"
is "$(wc -l <"$T/err")" 1 'which is said once'
services_do tie well
services_do tie back
tie_is 0 'it is back' "$notepad"

services_do tie silent
as alice start anew qchat-tie -q "$notepad"
must wait_line "$T/services.out" '"asked":"tie"' \
	"$(($(count_lines "$T/services.out" '"asked":"tie"') + 1))"
services_do tie well
services_do tie gone
services_do tie back
fabric_do kick "$(thumbprint alice)"
ok 'a service that is new behind a lost connection answers' wait_end "$pid"
is "$status $(wc -l <"$T/anew.out")" '0 2' 'and is believed'

# A broker that did not tell who is registered is asked again, of another
# connection, and then somebody else is not believed.
fabric_do says 0 svcregistry/query
services_do tie silent
as alice start mute qchat-tie -v -q "$notepad"
must wait_line "$T/mute.err" 'ignored .*svcregistry/query: no answer within'
fabric_do says 0
services_do tie stranger
fabric_do kick "$(thumbprint alice)"
ok 'a broker that was silent tells who is registered' wait_end "$pid"
is "$status $(wc -l <"$T/mute.out")" '0 2' 'the answer comes'
like "$(cat "$T/mute.err")" 'answers_foreign 1' \
	'and is not that of somebody else'

services_do tie silent
as alice start asker qchat-tie -v "$notepad"
must wait_line "$T/services.out" '"asked":"tie"' \
	"$(($(count_lines "$T/services.out" '"asked":"tie"') + 1))"
asker=$pid
services_do tie well
broker_stop
must fabric_restart
exec 5>&-
rm -f "$T/services.in"
services_start
ok 'what was asked before the fabric went is answered after it' wait_end "$asker"
like "$status$(cat "$T/asker.out")" '^(0|69)' 'or there is no service yet'

broker_stop
tie_is 69 'no fabric' -W 2 "$notepad"
tie_is 69 'to set anything' -W 2 --set 1 --yes "$first" "$second"
is "$(head -n 2 "$T/err")" "qchat-tie: $first: not tried
qchat-tie: $second: not tried" 'is told of each'
tie_is 69 'or to report it' -W 2 --set 1 --external --yes "$first" "$second"
is "$(head -n 2 "$T/err")" "qchat-tie: $first: not sent
qchat-tie: $second: not sent" 'is told of each'
mkfifo "$T/proxy.in"
start proxy node "$srcdir/tests/peer/proxy.js" "$broker_port"
exec 8>"$T/proxy.in"
must wait_line "$T/proxy.out" '"at": *"ready"'
conf_for "$(user_dir alice)" "$(jq -r 'select(.at == "ready").port' \
	<"$T/proxy.out")" >"$T/silent.conf"
echo stall >&8
must wait_line "$T/proxy.out" '"done"'
exit_is 69 'a fabric that says nothing' qchat-tie --config "$T/silent.conf" \
	-W 0.3 "$notepad"
is "$(err)" 'qchat-tie: no connection within 0.3 s (-W gives it longer)' \
	'is told, and what helps'

done_testing
