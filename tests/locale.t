#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Messages are translated, all of them into German; what programs read is the
# same in every locale.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need jq localedef msgcmp msgfmt msgmerge xgettext
need_peer
[ "${QCHAT_TEST_NLS:-yes}" = yes ] || skip_all 'built without translations'
po=$srcdir/po

# What is in the sources, and what is translated.

languages=$(cat "$po/LINGUAS")
like "$languages" '^de$' 'German is one of the languages'
is "$(cd "$po" && for file in *.po; do echo "${file%.po}"; done)" "$languages" \
	'each translation is in LINGUAS'
exit_is 0 'messages are found' "$po/extract"
is "$(err)" '' 'and nothing is wrong with them'
mv "$T/out" "$T/qchat.pot"
ok 'there are some' has_lines "$T/qchat.pot" '^msgid' 500
for language in $languages; do
	file=$po/$language.po
	ok "$language: no message lacks a translation" \
		msgcmp "$file" "$T/qchat.pot"
	ok "$language: none that is not said any more" \
		msgcmp --use-untranslated "$T/qchat.pot" "$file"
	is "$(LC_ALL=C msgfmt --statistics -o /dev/null "$file" 2>&1 |
		sed 's/[0-9]*//')" ' translated messages.' \
		"$language: nothing is guessed, or left empty"
	ok "$language: its formats fit" msgfmt -c -o /dev/null "$file"
	is "$(grep -c '^#~' "$file")" 0 "$language: nothing is left over"
done

# literals FOLDER: the texts of one line and three words or more in its sources
# that are not translated
literals() {
	(cd "$1" && find src -name '*.[ch]' | xgettext --extract-all \
		--exclude-file="$T/qchat.pot" --files-from=- --no-location \
		--from-code=UTF-8 --no-wrap --output="$T/all.pot") 2>"$T/err"
	for pot in qchat all; do
		awk '!/^"/ && kind != "" { print kind, text; kind = "" }
			/^msgid/ { kind = $1; sub(/^[^ ]* /, ""); text = "" }
			/^"/ { text = text substr($0, 2, length($0) - 2) }' \
			"$T/$pot.pot" >"$T/$pot.texts"
	done
	sed -n 's/^msgid_plural //p' "$T/qchat.texts" | sort -u >"$T/plurals"
	sed -n 's/^msgid //p' "$T/all.texts" | sort -u |
		comm -23 - "$T/plurals" | awk '{
			line = $0
			gsub(/%[-+.*0-9]*(<[^>]*>|[hjlz])*[a-z]/, "%")
			words = gsub(/(^| )[[:alpha:]][-[:lower:]\047]+/, "")
			if (words > 2 && line !~ /\\n./)
				print line
		}' | sed 's/ *$//'
}

# What programs read or take, what goes into a room, what a compiler tells, and
# what is said where nothing works any more.
literals "$srcdir" >"$T/literals"
cat >"$T/known" <<'END'
 not valid yet
Could not find reputation
HostInfo hostname, ip_address and Files full_name where Files md5 equals \"
Known Trusted Installer
MAR service: only %zu of %lld rows came:
Might Be Malicious
Might Be Trusted
Most Likely Malicious
Most Likely Trusted
\" or Files sha1 equals \"
all routes and a connection
fabric on localhost:%u (user %s)\n
greater equal than
less equal than
one bus each
parent's average local
parent's highest local
parent's lowest local
qchat: no random numbers from OpenSSL\n
qchat: out of memory\n
request message id
source broker id
source client id
source client instance id
wrong version number
END
is "$(cat "$T/literals")" "$(cat "$T/known")" \
	'no other sentence is without a translation'

# A message that is new is found, and shown to who translates.
mkdir "$T/new"
(cd "$srcdir" && find src -name '*.[ch]' && echo po/LINGUAS &&
	find po -name '*.po' && echo po/extract && echo po/update) >"$T/files"
must tar -C "$srcdir" -cf "$T/new.tar" -T "$T/files"
must tar -C "$T/new" -xf "$T/new.tar"
must chmod -R u+w "$T/new"
exit_is 0 'nothing is new' "$T/new/po/update"
is "$(out)" '' 'and nothing told'
cat >"$T/new/src/new.c" <<'END'
static const struct cli_option options[] = {
	{ "word", 'w', "WORD",
		"an option "
		"of two lines" },
};
int f(void) { return fault_set(fault, FAULT_USAGE, "quite new: %s", what); }
int g(void) { return puts("nobody has " "translated this"); }
END
literals "$T/new" | comm -13 "$T/literals" - >"$T/more"
like "$(cat "$T/more")" '^nobody has translated this$' 'what is not marked is seen'
exit_is 1 'what is new' "$T/new/po/update"
like "$(out)" '^msgid "quite new: %s"$' 'is told'
like "$(out)" '^msgid "an option of two lines"$' 'also from a table'
ok 'and has its place' grep -q '^msgid "quite new: %s"$' "$T/new/po/de.po"
rm "$T/new/src/new.c"
exit_is 0 'what is gone' "$T/new/po/update"
not_ok 'has none' grep -q 'quite new' "$T/new/po/de.po"

# The tools speak German.

# libc forgets what it has allocated for LOCPATH.
echo 'leak:argz_add_sep' >"$T/leaks"
LSAN_OPTIONS=suppressions=$T/leaks:print_suppressions=0
export LSAN_OPTIONS
must localedef -i de_DE -f UTF-8 "$T/de_DE.UTF-8"
must localedef -i de_DE -f ISO-8859-1 "$T/de_DE.ISO-8859-1"
mkdir -p "$T/po/de/LC_MESSAGES"
must msgfmt -o "$T/po/de/LC_MESSAGES/qchat.mo" "$po/de.po"
german_env="LOCPATH=$T TEXTDOMAINDIR=$T/po LC_ALL=de_DE.UTF-8"
cat >"$T/german" <<END
#!/bin/sh
exec env $german_env "\$@"
END
chmod 755 "$T/german"
ok 'the locale has a decimal comma' \
	sh -c "LOCPATH=$T LC_ALL=de_DE.UTF-8 locale decimal_point | grep -q ,"

exit_is 64 'a bad option' "$T/german" qchat-say --nonsense
is "$(err)" "qchat-say: unbekannte, mehrdeutige oder falsch benutzte Option $(
	)--nonsense (qchat-say --help zeigt, was es gibt)" 'is told in German'
printf 'user = ;\n' >"$T/syntax.conf"
exit_is 78 'a syntax error' "$T/german" qchat-who --config "$T/syntax.conf"
like "$(err)" 'syntax\.conf:1: Syntaxfehler, hier oder kurz davor ' \
	'is German throughout'
exit_is 78 'no configuration' "$T/german" qchat-who -r ops
like "$(err)" '^qchat-who: keine Fabric ist eingerichtet: .qchat-fabric up.' \
	'is told in German'
exit_is 64 'a bad query' "$T/german" \
	qchat-mar HostInfo hostname where HostInfo hostname equals db7
like "$(err)" '^qchat-mar: Spalte 50: .*; die Shell nimmt Anführungszeichen weg' \
	'is told in German, with what the shell did to it'
for tool in fabric invite join listen mar provision say tie who; do
	exit_is 0 "qchat-$tool --help" "$T/german" "qchat-$tool" --help
	mv "$T/out" "$T/help"
	like "$(head -n 1 "$T/help")" "^Aufruf: qchat-$tool " 'is in German'
	run "qchat-$tool" --help
	is "$(grep -v '^$' "$T/out" | grep -Fx -f - "$T/help")" '' \
		'each line of it'
	is "$(sed -n 's/^ .*\(--[a-z-]*\).*/\1/p' "$T/help")" \
		"$(sed -n 's/^ .*\(--[a-z-]*\).*/\1/p' "$T/out")" \
		'but not the options'
done

# Where it is not asked for, or cannot be shown.
english='^qchat-say: unknown, unclear, or wrongly used option'
run env TEXTDOMAINDIR="$T/po" LANGUAGE=de LC_ALL=C qchat-say --nonsense
like "$(err)" "$english" 'the C locale is English'
run env LOCPATH="$T" TEXTDOMAINDIR="$T/po" LC_ALL=de_DE.ISO-8859-1 \
	qchat-say --nonsense
like "$(err)" "$english" 'so is one whose characters are not UTF-8'
run env LOCPATH="$T" LC_ALL=de_DE.UTF-8 TEXTDOMAINDIR="$T/none" \
	qchat-say --nonsense
like "$(err)" "$english" 'and one without a translation'
run "$T/german" env LANGUAGE=nowhere:../../etc qchat-say --nonsense
is "$status" 64 'a language that is none does no harm'
mkdir -p "$T/damaged/de/LC_MESSAGES"
echo 'no catalog' >"$T/damaged/de/LC_MESSAGES/qchat.mo"
run "$T/german" env TEXTDOMAINDIR="$T/damaged" NLSPATH="$T/damaged/%L/%N" \
	qchat-say --nonsense
like "$(err)" "$english" 'nor does a damaged catalog'

# What programs read.

fabric_start
services_start
notepad=f2c7bb8acc97f92e987a2d4087d021b1

# same NAME CMD…: with the same status and output in both, but for its time
same() {
	same_name=$1
	shift
	run "$@"
	same_status=$status
	sed -E "$same_but" "$T/out" >"$T/english"
	run "$T/german" "$@"
	sed -E "$same_but" "$T/out" >"$T/other"
	ok "$same_name" cmp "$T/english" "$T/other"
	is "$status" "$same_status" 'with the same status'
	ok 'and there is some' test -s "$T/english"
}

same_but=
same 'a fabric that does not run' qchat-fabric status
same 'a version' qchat-say --version
mkdir "$T/folder"
must qchat-provision generate "$T/folder" alice
same 'what there is of certificates' qchat-provision show "$T/folder"
as alice must qchat-invite --new -r sealed
as alice same 'secrets' qchat-invite --list
as alice same 'reputations' qchat-tie "$notepad"
as alice same 'a search' qchat-mar HostInfo hostname, ip_address

# Who uses another's name is not believed, and why is in JSON.
as bob must qchat-say -r ops -u alice 'the first with this name'
as alice start plain qchat-listen -v -r ops
must wait_line "$T/plain.err" 'in ops'
as alice start plain-de "$T/german" qchat-listen -v -r ops
must wait_line "$T/plain-de.err" 'qchat-listen: in ops, an '
as alice start json qchat-listen -v -r ops --json
must wait_line "$T/json.err" 'in ops'
as alice start json-de "$T/german" qchat-listen -v -r ops --json
must wait_line "$T/json-de.err" 'qchat-listen: in ops, an '
as alice must "$T/german" qchat-say -r ops -s high --title Über 'grüße, 3.5'
as bob must qchat-say -r ops -u carol 'one of two'
as alice must qchat-say -r ops -u carol 'another of two'
for name in plain plain-de json json-de; do
	must wait_line "$T/$name.out" 'another of two'
done
ok 'lines are the same' cmp "$T/plain.out" "$T/plain-de.out"
like "$(cat "$T/plain-de.out")" \
	'^[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z ops . alice \[high\] Über: grüße, 3\.5$' \
	'with times in UTC, and a point in them'
for name in json json-de; do
	jq -c 'del(.received)' "$T/$name.out" >"$T/$name.lines"
done
ok 'JSON is the same' cmp "$T/json.lines" "$T/json-de.lines"
like "$(cat "$T/json-de.lines")" \
	'"why":"its name was seen with another certificate"' 'with its reasons'

# What counts goes on to do so.
same_but='s/ [0-9]+[smh] / IDLE /g; s/ [0-9]+[.][0-9]( |$)/ N.N\1/g
	/^[a-z_]+ [0-9]+$/d'
# A rate is told of a room that is a second old.
# shellcheck disable=SC2317 # wait_for calls it
rated() {
	as dave run qchat-who -r ops -d &&
		grep -q '^messages-per-hour [0-9]' "$T/out"
}
must wait_for rated
as dave same 'who is there' qchat-who -r ops
as dave same 'and what is known of the room' qchat-who -r ops -d
like "$(cat "$T/other")" 'N\.N' 'with a point in its numbers'

# Numbers are read as ever.
as dave exit_is 0 'half a second' "$T/german" qchat-who -r ops -w 0.5
as dave exit_is 64 'has no comma' "$T/german" qchat-who -r ops -w 0,5
like "$(err)" '^qchat-who: --wait: "0,5" ist keine Zahl von Sekunden' \
	'in German neither'

# What waits.
closed=$(free_port)
folder=$(user_dir erin)
conf_for "$folder" "$closed" >"$folder/closed.conf"
exit_is 75 'a post while nobody takes it' \
	"$T/german" qchat-say -r ops --config "$folder/closed.conf" later
like "$(err)" '; 1 Nachricht ist im Spool aufbewahrt \(qchat-say --flush' \
	'is kept, as German says it of one'
exit_is 75 'another' \
	"$T/german" qchat-say -r ops --config "$folder/closed.conf" later
exit_is 75 'all that waits' \
	"$T/german" qchat-say --flush --config "$folder/closed.conf"
like "$(err)" '; 2 Nachrichten warten im Spool$' 'is told of as of several'
run qchat-say --flush --config "$folder/closed.conf"
like "$(err)" '; 2 messages wait in the spool$' 'in English, too'
same_but=
same 'the queue' qchat-say --queue --config "$folder/closed.conf"
same 'the queue in JSON' qchat-say --queue --json --config "$folder/closed.conf"

# What is put together of parts.
seq 102 >"$T/numbers"
# shellcheck disable=SC2016 # for sh
as alice run sh -c '"$0" qchat-tie - <"$1"' "$T/german" "$T/numbers"
like "$(err)" 'Standardeingabe, Zeile 1: kein Hash am Anfang' 'each line'
like "$(err)" 'Standardeingabe: 2 weitere Zeilen haben keinen Hash' \
	'and how many more'
as alice run "$T/german" qchat-tie --file "$T"
like "$(err)" ': ist ein Ordner und keine Datei' 'no kind of file is English'

# A language of many words, and of other ones.
mkdir -p "$T/wordy/de/LC_MESSAGES" "$T/undated"
awk '/^msgstr/ && last == "msgid \"at an unknown date\"" {
		words = sprintf("%400s", "")
		gsub(/ /, "Tag", words)
		$0 = "msgstr \"" words "\""
	}
	/^msgstr/ && last ~ /^msgid "a value that is no number stands in / {
		$0 = "msgstr \"Wert in Gänsefüßchen\""
	}
	{ last = $0; print }' "$po/de.po" >"$T/wordy.po"
must msgfmt -o "$T/wordy/de/LC_MESSAGES/qchat.mo" "$T/wordy.po"
folder=$(user_dir zoe)
must cp "$folder/ca.crt" "$folder/user.key" "$T/undated"
conf_for "$T/undated" 1 >"$T/undated/qchat.conf"
openssl x509 -in "$folder/user.crt" -outform DER |
	LC_ALL=C sed 's/[0-9]\{12\}Z/noneofthemisZ/g' |
	openssl x509 -inform DER -out "$T/undated/user.crt"
exit_is 78 'a certificate without a date' "$T/german" TEXTDOMAINDIR="$T/wordy" \
	qchat-who -r ops --config "$T/undated/qchat.conf"
like "$(err)" 'ist abgelaufen: (Tag){200}' 'is told in all words that fit'
exit_is 64 'a query without its quotes' "$T/german" TEXTDOMAINDIR="$T/wordy" \
	qchat-mar HostInfo hostname where HostInfo hostname equals db7
like "$(err)" 'Wert in Gänsefüßchen.*; die Shell nimmt Anführungszeichen weg' \
	'is known for one, whatever it is called'

# The screen.

screen_env=$german_env
screen_size='80 20'
screen alice alice -r ops
ok 'a screen says so in German' sees alice 'du bist im Raum; \\h listet die Befehle'
ok 'its status line' sees alice '^ ops \| [0-9] hier \| Klartext \| an '
type alice '\p'
ok 'who is here' sees alice 'alice \(du\), seit 20[0-9-]{8}T[0-9:]{5}Z, still seit '
type alice '\h'
ok 'help' sees alice '\\w FILE  schreibt den Verlauf in eine Datei '
type alice 'grüße'
ok 'a line is sent' wait_line "$T/plain.out" ' alice grüße$'
# What goes to others is English, whatever the screen shows.
unknown=00000000000000000000000000000007
type alice "\\t $unknown yes"
ok 'a hash is told to the room in English' \
	wait_line "$T/plain.out" " alice $unknown: no provider knows it\$"
type alice "\\t $unknown"
ok 'to its user in German' sees alice "\* $unknown: kein "
type alice '\yes'
ok 'also if it is asked for' \
	wait_line "$T/plain.out" " alice $unknown: no provider knows it\$" 2
type alice '\m Processes name where Processes name equals "nobody" yes'
ok 'a search that finds nothing' \
	wait_line "$T/plain.out" ': no results: FINISHED, 3 of 3 hosts have answered'
services_do mar gives 1
type alice '\m HostInfo hostname yes'
ok 'and one with fewer rows than it names' \
	wait_line "$T/plain.out" 'MAR service: only 1 of 3 rows came: FINISHED, 3 of'
services_do mar gives
type alice "\\w $T/written"
ok 'is written' wait_for test -s "$T/written"
like "$(cat "$T/written")" '^20[0-9-]{8}T[0-9:.]{12}Z ops \* .* is here' \
	'in English'
type alice '\nonsense'
ok 'an error' sees alice 'kein Befehl \\nonsense \(\\h listet sie\); nichts '
type alice 'äöü'
must sees alice '[+] alice: äöü'
# Each row has its line between text and names in the same column.
columns_of() {
	shown alice | grep '│' | sed 's/│.*//' | while IFS= read -r left; do
		printf %s "$left" | wc -m
	done | sort -u
}
is "$(shown alice | grep -c '│')" 18 'names stand beside all rows'
is "$(columns_of | wc -l)" 1 'in one column'
ok 'also beside an umlaut' on_screen alice '[äöü].*│'
resize alice 30 10
ok 'a narrow one has what fits' sees alice '^ ops \| [0-9] hier \| Klartext'
type alice '\q'
ok 'it ends' ended alice
is "$status" 0 'with 0'

done_testing
