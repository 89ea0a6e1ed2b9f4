#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The rules of the house: who may include what, and what the library must not
# do.  Each rule lists its offenders; there are none.

. "$(dirname "$0")/lib.sh"

cd "$srcdir" || exit 99

# What a file includes, one a line.
includes() {
	kept included "$1"
}

# shellcheck disable=SC2317 # kept calls it
included() {
	sed -n 's/^[ 	]*#[ 	]*include[ 	]*[<"]\([^>"]*\)[>"].*/\1/p' "$1"
}

# kept CMD FILE: what the command prints of it, which is asked for often
kept() {
	kept_name=$2
	while :; do # all slashes
		case $kept_name in
		*/*) kept_name=${kept_name%%/*}_${kept_name#*/} ;;
		*) break ;;
		esac
	done
	[ -e "$T/$1.$kept_name" ] || "$1" "$2" >"$T/$1.$kept_name"
	cat "$T/$1.$kept_name"
}

# The file without its comments and the contents of its strings.
code() {
	kept stripped "$1"
}

# shellcheck disable=SC2317 # kept calls it
stripped() {
	awk '
	{
		line = $0
		out = ""
		while (line != "") {
			if (comment) {
				end = index(line, "*/")
				if (!end) { line = ""; break }
				line = substr(line, end + 2)
				comment = 0
				continue
			}
			c = substr(line, 1, 1)
			if (substr(line, 1, 2) == "/*") {
				comment = 1
				line = substr(line, 3)
			} else if (substr(line, 1, 2) == "//") {
				line = ""
			} else if (match(line, /^"([^"\\]|\\.)*"/) ||
					match(line, /^\047([^\047\\]|\\.)*\047/)) {
				out = out c c
				line = substr(line, RLENGTH + 1)
			} else {
				out = out c
				line = substr(line, 2)
			}
		}
		print out
	}' "$1"
}

# only_in ERE FILE…: the sources outside of those files that include a header
# that matches
only_in() {
	only_pattern=$1
	shift
	for only_file in src/*.[ch] src/*/*.[ch]; do
		case " $* " in *" $only_file "*) continue ;; esac
		includes "$only_file" | grep -Eq -e "^($only_pattern)\$" &&
			echo "$only_file"
	done
	return 0
}

# None but those files includes it.
library() {
	library_name=$1
	library_pattern=$2
	shift 2
	is "$(only_in "$library_pattern" "$@")" '' \
		"$library_name is included by $* alone"
}

library mosquitto 'mosquitto.*\.h' src/lib/connection.c
library msgpack 'msgpack(/.*|\.h)' src/lib/dxl.c
library jansson 'jansson.*\.h' src/lib/room.c src/lib/json_line.h \
	src/lib/registry.c src/lib/subs.c \
	src/lib/tie_answer.c src/lib/tie_state.h \
	src/lib/mar.c src/lib/mar_query_json.c \
	src/provision_answer.c
library 'jansson, for lines,' 'json_line\.h' src/lib/json_line.c \
	src/lib/record.c src/lib/mar_rows.c src/lib/tie_json.c
library libconfig 'libconfig.*\.h' src/lib/conf_reader.h
library OpenSSL 'openssl/.*' src/lib/identity.c src/lib/identity_key.h \
	src/lib/authority.c src/lib/certificate.c src/lib/certificate.h \
	src/lib/digest.c \
	src/lib/tls.c src/lib/sign.c src/lib/sign_state.h \
	src/lib/sign_bind.c src/lib/sign_chain.c src/lib/sign_verify.c \
	src/lib/seal.c src/lib/seal_state.h src/lib/seal_box.c \
	src/lib/seal_direct.c src/lib/seal_open.c \
	src/lib/secrets.c src/lib/secrets_file.c \
	src/lib/invite_state.h src/lib/invite.c src/lib/invite_open.c \
	src/lib/invite_text.c src/lib/enroll.c src/lib/enroll_make.c \
	src/lib/peer.c
library libcurl 'curl/.*' src/provision_http.c
library curses '(n?curses.*/)?(n?curses|panel|term)\.h' src/join/screen.c
library readline 'readline/.*' src/join/input.c src/join/input_complete.c \
	src/join/input_feed.c src/join/input_keys.c src/join/input_paste.c
is "$(only_in 'pthread\.h|threads\.h')" '' 'nobody includes threads'

# bad_includes ERE FILE…: which of these include one of ours that matches
bad_includes() {
	bad_pattern=$1
	shift
	for bad_file; do
		[ -e "$bad_file" ] || continue
		includes "$bad_file" | grep -Eq -e "^($bad_pattern)\.h\$" &&
			echo "$bad_file"
	done
	return 0
}

# in_lib NAME|NAME…: their files
in_lib() {
	for in_lib_file in src/lib/*.[ch]; do
		basename "$in_lib_file" | grep -Eq "^($1)\.[ch]\$" &&
			echo "$in_lib_file"
	done
	return 0
}

# Two columns that meet in the session, and what both stand on.  A module that
# is named nowhere here takes bytes and times.
world='names|rooms|secrets|secrets_file|conf|conf_dxl|conf_edit|conf_find|conf_ini|conf_join|conf_number|conf_reader|enroll|enroll_make|peer|probe|destination|identity|authority|file|spool|spool_add|spool_file|spool_list|spool_state|bus|connection|route|tls'
# Three are headers alone: identity_key is the part of `identity` that `sign` sees,
# secret is what `secrets` keeps and `seal` uses, and translate is what messages
# go through.
base='calendar|fault|quota|text|translate|memory|certificate|identity_key|secret'
bytes=$(for file in src/lib/*.h; do basename "$file" .h; done |
	grep -Evx "$world|$base|session|session_[a-z]*" | tr '\n' '|' | sed 's/|$//')
like "$bytes" '(^|\|)member(\||$)' 'the modules are found'
# shellcheck disable=SC2046 # file names without white space, here and below
is "$(bad_includes "$bytes|session|session_[a-z]*" $(in_lib "$world"))" '' \
	'what talks to the world knows nothing of rooms'
# shellcheck disable=SC2046
is "$(bad_includes "$world|session|session_[a-z]*" $(in_lib "$bytes"))" '' \
	'what takes bytes and times knows nothing of the world'
# shellcheck disable=SC2046
is "$(bad_includes "$world|$bytes|session|session_[a-z]*" $(in_lib "$base"))" '' \
	'what all stand on knows none of them'
below=$(echo "bus|connection|route|tls|$bytes" | tr '|' '\n' |
	grep -Evx 'digest|invite|mar|mar_query|mar_rows|record|room|roster|spool|subs|tie|trust' | tr '\n' '|' | sed 's/|$//')
is "$(bad_includes "$below" src/*.[ch] src/join/*.[ch])" '' \
	'the tools see sessions, and nothing below them'
is "$(bad_includes 'cli|screen|join/.*' src/lib/*.[ch])" '' \
	'the library knows no tool'
is "$(only_in 'join/.*|screen\.h' src/qchat-join.c src/join/*.[ch])" '' \
	'qchat-join alone knows the screen'

# calls NAMES FILE: where it calls one of these functions
calls() {
	found_in "$2" "($1)[[:space:]]*\("
}

# names NAMES FILE: where it names one of these
names() {
	found_in "$2" "($1)([^A-Za-z0-9_]|\$)"
}

found_in() {
	code "$1" | sed 's/format(printf,//' |
		grep -En -e "(^|[^A-Za-z0-9_.>])$2" | sed "s|^|$1:|"
}

# The body of a function that starts in the first column.
without_function() {
	code "$1" | awk -v name="$2" '
		index($0, name "(") == 1 { skip = 1 }
		!skip { print }
		/^}/ { skip = 0 }'
}

prints='v?printf|v?fprintf|v?dprintf|f?puts|f?putc|putchar|perror|v?warnx?'
prints="$prints|syslog|stdout|stderr|STDOUT_FILENO|STDERR_FILENO"
ends='exit|_exit|_Exit|quick_exit|abort|v?errx?|raise'
found=
for file in src/lib/*.c; do
	case $file in
	src/lib/memory.c) continue ;;
	src/lib/identity.c)
		without_function "$file" identity_random >"$T/identity.c"
		file=$T/identity.c
		;;
	esac
	found="$found$(names "$prints" "$file"; calls "$ends" "$file")"
done
is "$found" '' 'the library prints nothing and ends nothing'

world_calls='time|clock_gettime|gettimeofday|fopen|open|socket|read|write'
world_calls="$world_calls|rand|random|getenv"
found=
for file in $(in_lib "$bytes"); do
	found="$found$(calls "$world_calls" "$file")"
done
is "$found" '' 'what takes bytes and times has no clock, file or socket'

found=
for name in attention command complete draft hue indicator layout line \
	lull origin paste scroll width word; do
	file=src/join/$name.c
	found="$found$(calls "$world_calls" "$file"
		bad_includes 'screen|input|show|session|conf|cli' "$file"
		includes "$file" | grep -E 'curses|readline')"
done
is "$found" '' 'nor have such parts of the screen, nor a terminal'

waits='sleep|usleep|nanosleep|alarm|system|popen|mosquitto_loop_start'
waits="$waits|mosquitto_loop_forever"
found=
for file in src/*.c src/*/*.c; do
	found="$found$(calls "$waits" "$file")"
done
is "$found" '' 'no sleep, no thread of a library, no shell'

is "$(find src -name '*util*' -o -name 'common.*' -o -name 'helper*' \
	-o -name 'misc.*')" '' 'a helper goes to the module that it serves'

# Which program's sources name a file of the screen?
is "$(sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' Makefile.am |
	sed -n 's/^\(src_[a-z_]*\)_SOURCES[ 	]*+*=.*src\/join\/.*/\1/p' |
	grep -v '^src_qchat_join$')" '' 'only qchat-join links src/join'

found=
for file in src/*.[ch] src/*/*.[ch] tests/*.t tests/*/*.t tests/*.sh tests/peer/*.js \
	completions/* tests/unit/*.[ch] tests/fuzz/*.[ch] tests/fuzz/run bench/* po/extract po/update po/*.po Makefile.am configure.ac quickstart .ci/run; do
	[ -f "$file" ] || continue
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
		found="$found $file"
done
is "$found" '' 'every source says its licence'

found=
for file in src/*.h src/*/*.h; do
	guard=$(basename "$file" .h | tr 'a-z-' 'A-Z_')_H
	grep -q "^#ifndef QCHAT_\(.*_\)\{0,1\}$guard\$" "$file" ||
		found="$found $file"
done
is "$found" '' 'every header guards itself'

# The map of the house.
map=HACKING.md
found=
grep -oE '(^|[^A-Za-z0-9_./-])(src|tests|man|conf|certs|bench)/[A-Za-z0-9_./*-]*' \
	"$map" | sed 's/^[^a-z]//; s/[.]$//' | grep -v -e NAME -e TOOL >"$T/paths"
while read -r path; do
	# A file or several, a program's source, or what Makefile.am makes.
	for file in $path; do
		[ -e "$file" ] || [ -e "$file.c" ] ||
			grep -q "[ 	]$file\( \|\$\)" Makefile.am ||
			found="$found $file"
	done
done <"$T/paths"
ok "$map names files" test -s "$T/paths"
is "$found" '' "what $map names is there"
found=
for file in src/*/ tests/*/; do
	grep -Fq "\`$file\`" "$map" || found="$found $file"
done
is "$found" '' "each folder is in $map"
found=
for file in src/*.c src/*/*.c; do
	grep -qw -e "$(basename "$file" .c)" "$map" || found="$found $file"
done
is "$found" '' "each module is in $map"

done_testing
