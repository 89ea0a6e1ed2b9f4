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

# The long options that a page lists: items that begin with a flag.
page_options() {
	sed -n '/^\.It.*Fl /p' "$1" |
		grep -oE ' -[a-z][a-z-]+' | sed 's/^ -//' | sort -u
}

help_options() {
	sed -n 's/^ .*--\([a-z][a-z-]*\).*/\1/p' "$T/out" | sort -u
}

tools=0
for page in "$srcdir"/man/qchat-*.1; do
	tool=${page##*/}
	tool=${tool%.1}
	tools=$((tools + 1))
	exit_is 0 "$tool --help" "$tool" --help
	is "$(page_options "$page")" "$(help_options)" \
		"$tool(1) has the long options of $tool, and no others"
	is "$(err)" '' "$tool --help says nothing else"
	exit_is 0 "$tool --version" "$tool" --version
	is "$(out)" "$tool $(cat "$srcdir/VERSION")" "$tool has its version"
	# Each status of the design that a tool can end with is in the page.
	for section in NAME SYNOPSIS DESCRIPTION EXAMPLES 'EXIT STATUS'; do
		ok "$tool(1) has $section" grep -q "^\.Sh $section\$" "$page"
	done
done
ok 'there are pages' test "$tools" -ge 5

for tool in qchat-say qchat-listen qchat-who qchat-join qchat-fabric \
	qchat-invite qchat-mar qchat-provision qchat-tie; do
	ok "$tool has a page" test -e "$srcdir/man/$tool.1"
	exit_is 64 "$tool refuses an unknown option" \
		"$tool" --no-such-option </dev/null
	like "$(err)" "^$tool: .*no-such-option" "$tool names it"
done

done_testing
