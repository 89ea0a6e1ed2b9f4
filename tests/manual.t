#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The manual pages: mandoc finds nothing, and they have the options that the
# tools have.

. "$(dirname "$0")/lib.sh"

need mandoc

for page in "$srcdir"/man/*.[1-9]; do
	run mandoc -Tlint -Wall "$page"
	# mandoc tells where it finds the date or system odd at level "style"
	is "$(grep -v 'referenced manual not found' "$T/out" || :)" '' \
		"mandoc finds nothing in ${page##*/}"
done

# shown PAGE SECTION: as readers see it, each item on a line
shown() {
	mandoc -Tascii -Owidth=999 "$1" | sed 's/.'"$backspace"'//g' |
		sed -n "/^$2\$/,/^[A-Z]/{ s/  *\$//; /^ /p; }"
}
backspace=$(printf '\b')

# The options of --help: "-t, --to NAME" or "--title TEXT".
help_options() {
	sed -nE 's/^ +((-., )?--[a-z-]+( [^ ]+)?).*/\1/p' "$T/out" | sort
}

# items FROM TO: the same of a part of a page that comes in.  The command of
# --exec is no argument of it, but what follows the options.
items() {
	sed -nE "/$1/,/$2/s/^\\.It Fl /Fl /p" |
		sed -E 's/Oo - Oc Ns //; s/Fl -/--/g; s/Fl ([A-Za-z])/-\1/g
			s/ (Ar|Cm) / /g; s/ , /, /; s/ \| /|/g
			s/^--exec .*/--exec/' | sort
}

# The shortest form of each, as a SYNOPSIS has it: "-t NAME", "--title TEXT".
short_forms() {
	sed -E 's/^(-.), --[a-z-]+/\1/' | sort -u
}

# Those of SYNOPSIS.  A KEY-OPTION, or the like, stands for those that
# DESCRIPTION lists behind this word.
synopsis_options() {
	shown "$1" SYNOPSIS | sed 's/ | \([a-z]\)/|\1/g; s/\[-\]//g; s/--exec .*/--exec]/' |
		awk '
		function add(flag, argument) {
			print flag (argument ~ /^[A-Z]|^[a-z]+\|/ ? " " argument : "")
		}
		{
			for (i = 1; i <= NF; i++) {
				closed = $i ~ /\]/
				argument = closed ? "" : $(i + 1)
				gsub(/[][]/, "", $i)
				sub(/\]+$/, "", argument)
				if ($i ~ /^-[^-]?$|^--/ && $i != "-")
					add($i, argument)
				else if ($i ~ /^-./)
					for (k = 2; k <= length($i); k++)
						add("-" substr($i, k, 1), "")
			}
		}'
	for group in $(shown "$1" SYNOPSIS | grep -oE '[A-Z]+-OPTION' | sort -u); do
		items "^\\.Ar $group\$" '^\.El' <"$1" | short_forms
	done
}

# The numbers of EXIT STATUS: 0* where a tool can end with it.
statuses() {
	shown "$1" 'EXIT STATUS' | sed -nE 's/^ {5}([0-9]+\*?) .*/\1/p' |
		tr '\n' ' '
}
design='0 1 64 65 66 69 70 73 74 75 76 77 78 124 '
is "0 1 $(sed -nE 's/^\tFAULT_[A-Z]+ = ([1-9][0-9]*),.*/\1/p' \
	"$srcdir/src/lib/fault.h" | tr '\n' ' ')" "$design" \
	'the statuses of the library are those of the design'

sections='.Sh NAME
.Sh SYNOPSIS
.Sh DESCRIPTION
.Sh ENVIRONMENT
.Sh FILES
.Sh EXIT STATUS
.Sh EXAMPLES
.Sh SEE ALSO'
tools=0
for page in "$srcdir"/man/qchat-*.1; do
	tool=${page##*/}
	tool=${tool%.1}
	tools=$((tools + 1))
	exit_is 0 "$tool --help" "$tool" --help
	like "$(head -n 1 "$T/out")" "^usage: $tool \\[OPTION\\.\\.\\.\\]" \
		'says how it is called'
	is "$(items '^\.Sh DESCRIPTION' '^\.Sh [^D]' <"$page")" "$(help_options)" \
		"$tool(1) lists the options of $tool, and no others"
	is "$(synopsis_options "$page" | sort -u)" \
		"$(help_options | short_forms)" 'and so does its SYNOPSIS'
	is "$(err)" '' "$tool --help says nothing else"
	exit_is 0 "$tool --version" "$tool" --version
	is "$(out)" "$tool $(cat "$srcdir/VERSION")" "$tool has its version"
	is "$(statuses "$page" | tr -d '*')" "$design" \
		"$tool(1) has the statuses of the design"
	like "$(statuses "$page")" '^0\* .*64\* .*70\* .*74\* ' \
		'and says which are its own'
	is "$(grep -E '^\.Sh (NAME|SYN|DESC|ENV|FILES|EXIT|EXAM|SEE)' "$page")" \
		"$sections" "$tool(1) has all sections"
done
ok 'there are pages' test "$tools" -ge 5
is "$(statuses "$srcdir/man/qchat.7")" "$design" 'qchat(7) has the statuses'

for tool in qchat-say qchat-listen qchat-who qchat-join qchat-fabric \
	qchat-invite qchat-mar qchat-provision qchat-tie; do
	ok "$tool has a page" test -e "$srcdir/man/$tool.1"
	exit_is 64 "$tool refuses an unknown option" \
		"$tool" --no-such-option </dev/null
	like "$(err)" "^$tool: .*no-such-option" "$tool names it"
done

# most TOOL: how often -r may be given, as --help has it
most() {
	"$1" --help | sed -nE 's/^ +-r, .* up to ([0-9]+) times$/\1/p'
}

# refuses TOOL MOST: one room more than that is too much
refuses() {
	tool=$1 most=$2
	set --
	while [ "$#" -le "$((2 * most))" ]; do
		set -- "$@" -r "room$#"
	done
	exit_is 64 "$tool refuses more rooms than --help has" "$tool" "$@"
	like "$(err)" "^$tool: --room .*\\(at most $most\\)" 'and says how many'
}
for tool in qchat-join qchat-listen; do
	ok "$tool --help has how often -r may be given" \
		test "$(most "$tool")" -gt 1
	refuses "$tool" "$(most "$tool")"
done
refuses qchat-who 1

done_testing
