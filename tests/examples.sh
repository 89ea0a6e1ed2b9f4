# shellcheck shell=sh disable=SC2034,SC2154 # what lib.sh sets and reads
# SPDX-License-Identifier: Apache-2.0
#
# The examples of the manual pages, for tests/examples.t.  Read behind lib.sh.
#
#	example qchat-say.1 'qchat-say -r ops taking'
#	does 0
#	ok 'it is heard' wait_line "$T/ear.out" 'taking db7 out'
#	examples_done
#
# An example is a .Dl, or a .Bd -literal, of the section EXAMPLES.  Where it has
# lines that begin with "$ ", each of those is a step, and what follows is what
# the page shows of it; else all of it is one step.

mkdir "$T/examples" "$T/work" "$T/bin"
: >"$T/tried"

for examples_page in "$srcdir"/man/*.[1-9]; do
	examples_dir=$T/examples/${examples_page##*/}
	mkdir "$examples_dir"
	awk -v dir="$examples_dir" '
		function text(line) {
			gsub(/\\\(dq/, "\"", line)
			gsub(/\\-/, "-", line)
			gsub(/\\&/, "", line)
			gsub(/\\e/, "\\", line)
			return line
		}
		/^\.Sh / { inside = $0 == ".Sh EXAMPLES" }
		!inside { next }
		/^\.Dl / { print text(substr($0, 5)) >(dir "/" ++count) }
		/^\.Ed/ { block = 0 }
		block { print text($0) >(dir "/" count) }
		/^\.Bd / { block = 1; count++ }' "$examples_page"
done

# matching PAGE ERE: the files of those that match, all of it as one line
matching() {
	for matching_file in "$T/examples/$1"/*; do
		tr '\n' ' ' <"$matching_file" | grep -Eq -e "$2" &&
			echo "$1/${matching_file##*/}"
	done
}

# example PAGE ERE: takes up the one that matches.  If that is not one, nothing
# is run.
example() {
	example_name="$1, $2"
	example_found=$(matching "$1" "$2")
	is "$(echo "$example_found" | grep -c .)" 1 "$example_name" || exit 1
	example_file=$T/examples/$example_found
	echo "$example_found" >>"$T/tried"
	rm -f "$T"/step.* "$T"/shown.*
	awk -v step="$T/step." -v shown="$T/shown." '
		NR == 1 { stepwise = /^\$ /; count = !stepwise }
		/^\$ / { count++; more = 1 }
		!stepwise || more {
			sub(/^\$ /, "")
			print >(step count)
			more = /(\\|[|]|&&)$/
			next
		}
		{ print >(shown count) }' "$example_file"
}

# change SED [STEP]: what has to be another one here, as a path or a host
change() {
	sed -E -i "$1" "$T/step.${2:-1}"
}

# does STATUS [STEP]: runs it, and that is its status
does() {
	exit_is "$1" "$example_name, step ${2:-1}" sh "$T/step.${2:-1}"
}

# does_at_last STATUS ERE [STEP]: the same, until a line of its output matches:
# where others have a time to answer in
does_at_last() {
	does_status=$1
	does_ere=$2
	# It takes its time itself.
	ok "$example_name: $2" poll "$deadline" has_said "$T/step.${3:-1}"
}

has_said() {
	run sh "$1"
	[ "$status" = "$does_status" ] && has_lines "$T/out" "$does_ere" 1
}

# begins NAME [STEP]: in the background, with a group of processes of its own
groups=
begins() {
	sed -i 's/ &$//' "$T/step.${2:-1}"
	start "$1" setsid sh "$T/step.${2:-1}"
	groups="$groups $pid"
}

# group_runs PID: does a process of the group that it leads?
group_runs() {
	cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' | awk -v group="$1" '
		$1 != "Z" && $3 == group { found = 1 }
		END { exit !found }'
}

# ends PID: it, with all its processes
ends() {
	kill -s TERM -- "-$1" 2>/dev/null || :
	must wait_end "$1"
	must wait_for not group_runs "$1"
}

end_groups() {
	for end_groups_pid in $groups; do
		kill -s TERM -- "-$end_groups_pid" 2>/dev/null || :
	done
	for end_groups_pid in $groups; do
		wait_for not group_runs "$end_groups_pid"
	done
}

# normal: what is another one each time, by a word for it
normal() {
	sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g
		s/[0-9]{4}-[0-9]{2}-[0-9]{2}/DAY/g
		s/(^|[^0-9])[0-9]{2}:[0-9]{2}:[0-9]{2}/\1CLOCK/g
		s/(localhost|127\.0\.0\.1):[0-9]+/\1:PORT/g
		s/[0-9]{15}-[0-9]{16}-[0-9a-f]{32}/FILE/g
		s/[0-9a-f]{64}/SHA256/g; s/[0-9a-f]{32}/UID/g
		s/\(user [^)]*\)/(user NAME)/; s,'"$HOME"',/home/alice,g
		s/ (-|[0-9]+s) / IDLE /g; s/[[:space:]]+$//'
}

# shows FILE [STEP]: it is what the page shows of that step
shows() {
	must test -s "$T/shown.${2:-1}"
	is "$(normal <"$1")" "$(normal <"$T/shown.${2:-1}")" \
		"$example_name: as it is shown, step ${2:-1}"
}

# cron [STEP]: runs the command of each line of a crontab, as cron does: by
# sh, at home, with the variables above it
cron() {
	grep -Ev '^[A-Z_]+=' "$T/step.${1:-1}" | while read -r cron_line; do
		printf '%s\n' "$cron_line" |
			grep -Eq '^(@[a-z]+|([0-9*/,-]+ +){5}) *[a-z]' || {
			echo "no line of a crontab: $cron_line"
			exit 1
		}
		(
			cd "$HOME" || exit 1
			# shellcheck disable=SC2046 # words
			exec env $(grep -E '^[A-Z_]+=' "$T/step.${1:-1}") sh -c \
				"$(printf '%s\n' "$cron_line" | sed -E \
				's/^(@[a-z]+|([0-9*/,-]+ +){5}) *//')"
		) || exit
	done
}

# stub NAME: a command that only notes how it was called, and what it was given
stub() {
	cat >"$T/bin/$1" <<-END
	#!/bin/sh
	echo "$1 \$*" >>"$T/calls"
	[ -t 0 ] || cat >>"$T/calls"
	END
	chmod +x "$T/bin/$1"
}

# examples_done: has each example been tried?
examples_done() {
	(cd "$T/examples" && find . -type f | sed 's,^\./,,' | sort) >"$T/all"
	is "$(sort -u "$T/tried" | comm -13 - "$T/all")" '' \
		'no example is without an expectation'
	is "$(cd "$T/examples" && find . -type d -empty)" '' \
		'each page has examples'
}
