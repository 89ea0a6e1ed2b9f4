#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Completion in bash, zsh and fish: what they offer is what the tools have, and
# names that others chose are words, whatever is in them.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/screen.sh"

need bash zsh fish
bash_completion=/usr/share/bash-completion/bash_completion
[ -e "$bash_completion" ] || skip_all 'no bash-completion here'
tools='fabric invite join listen mar provision say tie who'
completions=$srcdir/completions

# A room and a name from the network.
broker_start
as alice start ear qchat-listen -v -C 1 -r 'ops room'
must wait_line "$T/ear.err" 'in ops room'
# shellcheck disable=SC2016 # a name
as bob must qchat-say -u 'eve $(touch pwned)' -r 'ops room' hello
must wait_end "$pid"
end_process "$broker_pid"

# known rooms|names LINE…: nothing else is known any more
names_file=$(find "$XDG_STATE_HOME/qchat/names" -name '*[0-9a-f]')
known() {
	known_what=$1
	shift
	: >"$XDG_STATE_HOME/qchat/rooms"
	: >"$names_file"
	for known_line; do
		if [ "$known_what" = rooms ]; then
			printf '%s\n' "$known_line" \
				>>"$XDG_STATE_HOME/qchat/rooms"
		else
			printf '%064d %s\n' 7 "$known_line" >>"$names_file"
		fi
	done
}

# As they are installed: under the names of the tools.
mkdir -p "$T/bash/completions" "$T/fish" "$T/zsh" "$T/bin" "$T/work"
for tool in $tools; do
	ln -s "$completions/qchat.bash" "$T/bash/completions/qchat-$tool"
	ln -s "$completions/qchat.fish" "$T/fish/qchat-$tool.fish"
	# A tool that only notes what it is given, but for what completion asks.
	real=$(command -v "qchat-$tool")
	cat >"$T/bin/qchat-$tool" <<-END
	#!/bin/sh
	case \$*:$tool in
	--help:* | *--known*:who) exec '$real' "\$@" ;;
	esac
	for word; do printf '<%s>' "\$word"; done >'$T/given.new'
	mv '$T/given.new' '$T/given'
	END
	chmod +x "$T/bin/qchat-$tool"
done

# Shells that read no settings of who runs this.
cat >"$T/bashrc" <<END
PS1='ready:'
. $bash_completion
bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
END
cat >"$T/zsh/.zshrc" <<END
PS1='ready:'
fpath=($completions \$fpath)
autoload -U compinit
compinit -u -D
LISTMAX=1000
unsetopt beep
END
cat >"$T/config.fish" <<END
set fish_greeting
set fish_complete_path $T/fish \$fish_complete_path
function fish_prompt; echo -n ready:; end
END

# terminal SHELL: on a screen of that name
terminal() {
	case $1 in
	bash) set -- bash "bash --noprofile --rcfile '$T/bashrc' -i" ;;
	zsh) set -- zsh "ZDOTDIR='$T/zsh' zsh -i" ;;
	fish) set -- fish "fish --no-config -i -C 'source $T/config.fish'" ;;
	esac
	must tm new-session -d -s "$1" -x 150 -y 70 -c "$T/work" \
		"PATH='$T/bin:$PATH' BASH_COMPLETION_USER_DIR='$T/bash' \
		QCHAT_CONFIG='$(user_conf alice)' $2"
	: >"$T/$1.err"
	must sees "$1" '^ready:'
}

# empty SHELL [COMMAND]: its screen and its line are, and it has run that.  What
# is typed while C-c ends something can be lost.
empty() {
	empty_try=0
	until
		press "$1" C-c
		type "$1" " ${2:-:}; clear; : >cleared"
		poll $((deadline * 10)) test -e "$T/work/cleared"
	do
		empty_try=$((empty_try + 1))
		[ "$empty_try" -lt 5 ] ||
			must wait_for test -e "$T/work/cleared"
	done
	rm -f "$T/work/cleared" "$T/given"
	must sees "$1" '^ready:'
}

# gives SHELL LINE WORDS NAME: what the tool is given when Tab is pressed behind
# the line, and Enter
gives() {
	empty "$1"
	put "$1" " $2"
	press "$1" Tab
	press "$1" Enter
	wait_for test -e "$T/given" || :
	is "$(cat "$T/given")" "$3" "$1: $4" || shown "$1" | diag
}

# offers SHELL LINE WORDS NAME: what there is to choose from behind the line, one
# a line, sorted
offers() {
	case $1 in
	bash) bash_list "$2" ;;
	fish) fish_list "$2" ;;
	zsh) zsh_list "$2" "$(printf '%s\n' "$3" | sed '/^-[^-]/d' |
		tail -n 1)" ;;
	esac >"$T/listed"
	is "$(sed '/^$/d' "$T/listed" | LC_ALL=C sort -u)" "$3" "$1: $4"
}

bash_list() {
	# shellcheck disable=SC2016 # for bash
	PATH=$T/bin:$PATH bash -c '. "$0"
		COMP_LINE=$1 COMP_POINT=${#1} _qchat "${1%% *}"
		printf "%s\n" "${COMPREPLY[@]}"' "$completions/qchat.bash" "$1"
}

# Behind one dash it offers the short options, and the long ones behind two.
fish_list() {
	fish_complete "$1"
	case $1 in *' -') fish_complete "$1-" ;; esac
}

fish_complete() {
	PATH=$T/bin:$PATH fish --no-config -c \
		"source $T/config.fish; complete -C '$1'" | cut -f 1
}

# From the screen, when it has the last one.
zsh_list() {
	empty zsh
	put zsh "$1"
	press zsh Tab
	sees zsh "^([^ ].* )?$2( .*)?\$" >"$T/sees.out" || cat "$T/sees.out"
	shown zsh | sed -e '/^ready:/d' -e 's/ -- .*//' | tr -s ' ' '\n'
}

for shell in bash zsh fish; do
	terminal $shell
done

# What was heard before the broker went.
for shell in bash zsh fish; do
	gives $shell 'qchat-say -r ' '<-r><ops room>' 'a room that one was in'
	# shellcheck disable=SC2016
	gives $shell 'qchat-say -t e' '<-t><eve $(touch pwned)>' \
		'who was heard there'
done
ok 'and that is a word' test ! -e "$T/work/pwned"

# Options.
help_options() {
	"qchat-$1" --help | sed -n -e 's/^  \(-.\), \(--[a-z-]*\) .*/\1 \2/p' \
		-e 's/^      \(--[a-z-]*\) .*/\1/p' | tr ' ' '\n' | LC_ALL=C sort
}

for tool in $tools; do
	wanted=$(help_options "$tool")
	like "$wanted" '^--version$' "qchat-$tool --help has options"
	for shell in bash zsh fish; do
		offers $shell "qchat-$tool -" "$wanted" \
			"the options of qchat-$tool"
	done
done

for tool in fabric provision; do
	wanted=$("qchat-$tool" --help | sed -n '1s/.* \([^ ]*|[^ ]*\).*/\1/p' |
		tr '|' '\n' | LC_ALL=C sort)
	for shell in bash zsh fish; do
		offers $shell "qchat-$tool " "$wanted" \
			"what qchat-$tool can do"
		offers $shell "qchat-$tool -v --port 1 " "$wanted" \
			'behind options, too'
	done
done

# words TOOL LINE WORD…: these words are offered, and the tool takes them.
words() {
	words_line=$1
	shift
	wanted=$(printf '%s\n' "$@" | LC_ALL=C sort)
	for shell in bash zsh fish; do
		offers $shell "$words_line " "$wanted" "the words of $words_line"
	done
	for word; do
		# shellcheck disable=SC2086 # words
		run $words_line "$word" --no-such-option
		not_ok "and $word is one" grep -q -e "\"$word\" is" "$T/err"
	done
}

words 'qchat-say -s' info low medium high critical
words 'qchat-say -l --severity' info low medium high critical
words 'qchat-say --confirm' echo none
words 'qchat-who --known' rooms names
words 'qchat-provision --key-type' rsa ec
words 'qchat-mar --sort' count -count
words 'qchat-tie --set' known-trusted-installer known-trusted \
	most-likely-trusted might-be-trusted unknown might-be-malicious \
	most-likely-malicious known-malicious not-set

# What is offered says what it is.
empty zsh
put zsh 'qchat-listen --ver'
press zsh Tab
ok 'zsh: with a description' sees zsh \
	'^--verified +-- only what has the mark \+: signed, and nothing'
is "$(PATH=$T/bin:$PATH fish --no-config -c \
	"source $T/config.fish; complete -C 'qchat-listen --verif'")" \
	"$(printf '%s\t%s' --verified "$(qchat-listen --help |
		sed -n 's/.*--verified  *//p')")" 'fish: with a description'

# Files where files are read, and nowhere else.
: >"$T/work/set up.conf"
mkdir "$T/work/old set"
known rooms
for shell in bash zsh fish; do
	gives $shell 'qchat-say --config set' '<--config><set up.conf>' \
		'a file'
	gives $shell 'qchat-say --config=set' '<--config=set up.conf>' \
		'a file behind an equals sign'
	gives $shell 'qchat-tie --file set' '<--file><set up.conf>' 'a path'
	gives $shell 'qchat-invite -r ops set' '<-r><ops><set up.conf>' \
		'a certificate'
	# Its slash goes when a line of zsh is done.
	slash=/
	[ $shell != zsh ] || slash=
	gives $shell 'qchat-provision generate old' \
		"<generate><old set$slash>" 'a folder'
	gives $shell 'qchat-provision import-ca x set' \
		'<import-ca><x><set up.conf>' 'a file to import'
	gives $shell 'qchat-say -r set' '<-r><set>' 'none is a room'
	gives $shell 'qchat-say set' '<set>' 'none is a text'
	gives $shell 'qchat-listen --exec cat set' '<--exec><cat><set up.conf>' \
		'those of the command of --exec'
	gives $shell 'qchat-listen -r ops --exec -- cat set' \
		'<-r><ops><--exec><--><cat><set up.conf>' \
		'and behind two dashes'
done

# Rooms and names, in all the places that they can stand in.
for shell in bash zsh fish; do
	known rooms 'ops room'
	gives $shell 'qchat-say -r ' '<-r><ops room>' 'a room'
	gives $shell 'qchat-say --room o' '<--room><ops room>' 'its beginning'
	gives $shell 'qchat-say --room=o' '<--room=ops room>' \
		'behind an equals sign'
	gives $shell 'qchat-say -ro' '<-rops room>' 'behind its letter'
	gives $shell 'qchat-say -vqr o' '<-vqr><ops room>' 'behind more letters'
	gives $shell 'qchat-say -r ops\ r' '<-r><ops room>' 'behind a backslash'
	gives $shell 'qchat-say -r "ops r' '<-r><ops room>' 'in quotes'
	gives $shell "qchat-say -r 'ops r" '<-r><ops room>' 'in others'
	gives $shell 'qchat-say a text -r ' '<a><text><-r><ops room>' \
		'behind a text'
	gives $shell 'qchat-fabric add x ' '<add><x>' 'none is an operand'
	gives $shell 'qchat-join -r ' '<-r><ops room>' 'of qchat-join'
	gives $shell 'qchat-listen -r x -r ' '<-r><x><-r><ops room>' 'a second'
	known names 'Zoë at:home@desk'
	gives $shell 'qchat-say -t Z' '<-t><Zoë at:home@desk>' 'a name'
	gives $shell 'qchat-say -t Zoë\ at:ho' '<-t><Zoë at:home@desk>' \
		'within its words'
	gives $shell 'qchat-say --to=' '<--to=Zoë at:home@desk>' \
		'a name behind an equals sign'
	gives $shell 'qchat-listen --from ' '<--from><Zoë at:home@desk>' \
		'a name to listen to'
	gives $shell 'qchat-who --pin ' '<--pin><Zoë at:home@desk>' 'to pin'
	gives $shell 'qchat-who --unpin ' '<--unpin><Zoë at:home@desk>' \
		'to unpin'
	gives $shell 'qchat-provision --pin ' '<--pin>' \
		'none is a fingerprint'
	gives $shell 'qchat-say -u ' '<-u>' 'none is our own'
done

# Names from the network are words, whatever is in them.
cat >"$T/names" <<'END'
it's
say "hi"
$(touch pwned)
`touch pwned`
a;touch pwned;
a|touch pwned
a&touch pwned&
a>pwned
<(touch pwned)
$HOME
${HOME}
-rf
--json
~root
!!
a!b
*
?
[a-z]
{a,b}
back\slash
\
#x
=ls
^a^b
%1
'$(touch pwned)'
"$(touch pwned)"
'; touch pwned; '
"; touch pwned; "
\$(touch pwned)
(touch pwned)
 leading
trailing 
a  b
'
"
END

# quoted SHELL QUOTE NAME: the same behind an open quote.  In bash what could end
# it is not offered, so that it is closed here.
quoted() {
	case $1:$3 in
	bash:*[\'\"\\\$\`!]*)
		empty bash
		put bash " qchat-say -t $2"
		press bash Tab
		put bash "x$2"
		press bash Enter
		wait_for test -e "$T/given" || :
		is "$(cat "$T/given")" '<-t><x>' "bash: not $3 behind $2"
		;;
	fish:~*) ;;
	*) gives "$1" "qchat-say -t $2" "<-t><$3>" "$3 behind $2" ;;
	esac
}

while IFS= read -r name; do
	known names "$name"
	for shell in bash zsh fish; do
		case $shell:$name in
		fish:~*) gives fish 'qchat-say -t ' '<-t>' "not $name" ;;
		*) gives $shell 'qchat-say -t ' "<-t><$name>" "$name" ;;
		esac
		quoted $shell \' "$name"
		quoted $shell \" "$name"
	done
	ok "nothing was run for $name" test ! -e "$T/work/pwned"
done <"$T/names"

# shellcheck disable=SC2016 # names
known names 'a$(touch pwned)b' 'a$(touch pwned)c'
for shell in bash zsh fish; do
	# shellcheck disable=SC2016
	gives $shell 'qchat-say -t ' '<-t><a$(touch pwned)>' \
		'what names have in common'
done
known rooms ops
for shell in bash zsh fish; do
	# shellcheck disable=SC2016
	gives $shell "qchat-say 'a\$(touch pwned)]=[' -r " \
		'<a$(touch pwned)]=[><-r><ops>' 'behind a word of our own'
	# shellcheck disable=SC2016
	gives $shell "qchat-say '--x[\$(touch pwned)]' -r o" \
		'<--x[$(touch pwned)]><-r><ops>' \
		'and an option that is none'
done
ok 'nothing was run for that' test ! -e "$T/work/pwned"

# Settings that the line names.
conf=$(user_conf alice)
mkdir "$HOME/a dir"
cp "$conf" "$HOME/a dir/qchat.conf"
cp "$conf" "$HOME/a dir/it's.conf"
cp "$conf" "$HOME/a dir/a:b.conf"
dxl_conf_for "${conf%/*}" 1 >"$HOME/a dir/dxlclient.config"
known names dora
for shell in bash zsh fish; do
	case $shell in
	fish) empty fish 'set -e QCHAT_CONFIG' ;;
	*) empty $shell 'unset QCHAT_CONFIG' ;;
	esac
	gives $shell 'qchat-say -t ' '<-t>' 'no settings, no name'
	for option in '--config ~/a\ dir/qchat.conf' \
		"--config \"$HOME/a dir/it's.conf\"" \
		"--config='$HOME/a dir/qchat.conf'" \
		'--config ~/a\ dir/a:b.conf' \
		"--dxl-config '$HOME/a dir/dxlclient.config'"; do
		gives $shell "qchat-say -qt x $option -r ops -t " \
			"$(eval "printf '<%s>' -qt x $option -r ops -t dora")" \
			"the names by $option"
	done
done

done_testing
