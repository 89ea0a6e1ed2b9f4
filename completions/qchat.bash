# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Completion of all tools of QChat for bash 4 and later.  It is installed once,
# with a link to it under the name of each tool.
#
# Which options there are, and which of them take what, is what --help says.
# Rooms and names come from `qchat-who --known`, which asks no network.  Names
# are others' words: they are put on the line quoted, or not at all.

# Takes the command line apart, up to the cursor.  Sets words, those before the
# cursor's without their quotes, and of that one:
#	raw    what stands there
#	value  the same without quotes
#	quote  the one that is open, or nothing
#	begin  where readline takes its word to begin: what it replaces
#	mixed  if it has quotes that are closed again
_qchat_split() {
	local line=$1 c i
	words=() raw='' value='' quote='' begin=0 mixed=''
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		if [[ -z $quote && $c == [$' \t\n'] ]]; then
			[[ -z $raw ]] || words+=("$value")
			raw='' value='' begin=0 mixed=''
			continue
		fi
		raw+=$c
		if [[ $quote == \' && $c != \' ]]; then
			value+=$c
		elif [[ $c == \\ && $((i + 1)) -lt ${#line} ]]; then
			i=$((i + 1))
			raw+=${line:i:1}
			value+=${line:i:1}
		elif [[ -n $quote && $c == "$quote" ]]; then
			quote='' mixed=yes
		elif [[ -z $quote && $c == [\'\"] ]]; then
			quote=$c begin=${#raw}
		else
			value+=$c
			[[ -n $quote || $COMP_WORDBREAKS != *"$c"* ]] ||
				begin=${#raw}
		fi
	done
}

# Sets what a tool has: options, what each of them takes, long (the name of each
# letter), and verbs.
_qchat_learn() {
	local line option='^ +(-(.), )?--([a-z-]+)( ([^ ]+))? +'
	options=() verbs=()
	while IFS= read -r line; do
		if [[ $line =~ $option ]]; then
			options+=("--${BASH_REMATCH[3]}")
			takes[--${BASH_REMATCH[3]}]=${BASH_REMATCH[5]}
			[[ -n ${BASH_REMATCH[2]} ]] || continue
			options+=("-${BASH_REMATCH[2]}")
			takes[-${BASH_REMATCH[2]}]=${BASH_REMATCH[5]}
			long[-${BASH_REMATCH[2]}]=--${BASH_REMATCH[3]}
		elif [[ ${#verbs[@]} -eq 0 &&
			$line =~ [a-z-]+(\|[a-z-]+)+ ]]; then
			IFS='|' read -r -a verbs <<<"${BASH_REMATCH[0]}"
		fi
	done < <("$1" --help 2>/dev/null)
}

# Goes through the words before the cursor's.  Sets expect, the option whose
# argument comes next, operands, settings, ended (there are no more options),
# and command (where that of --exec begins).
_qchat_follow() {
	local i word
	for ((i = 1; i < ${#words[@]}; i++)); do
		word=${words[i]}
		if [[ -n $expect ]]; then
			_qchat_setting "$expect" "$word"
			expect=''
		elif [[ -n $ended || $word != -?* ]]; then
			operands+=("$word")
		elif [[ $word == -- ]]; then
			ended=yes
		elif [[ $word == --exec ]]; then
			command=$((i + 1))
			[[ ${words[command]-} != -- ]] || command=$((i + 2))
			return
		elif [[ $word == --*=* ]]; then
			_qchat_setting "${word%%=*}" "${word#*=}"
		elif [[ $word == --* ]]; then
			[[ -z ${takes[$word]-} ]] || expect=$word
		else
			_qchat_letters "${word#-}"
		fi
	done
}

# Several in a word: the first that takes an argument has the rest of it.
_qchat_letters() {
	local letters=$1
	while [[ -n $letters ]]; do
		if [[ -n ${takes[-${letters:0:1}]-} ]]; then
			[[ -n ${letters:1} ]] || expect=-${letters:0:1}
			return
		fi
		letters=${letters:1}
	done
}

_qchat_setting() {
	[[ $1 != --config && $1 != --dxl-config ]] ||
		settings+=("$1" "${2/#~\//"$HOME"/}")
}

# Offers what begins with what is typed behind a prefix, such as --room= .
_qchat_offer() {
	local prefix=$1 candidate new
	shift
	[[ -z $mixed ]] || return
	for candidate; do
		[[ $prefix$candidate == "$value"* ]] || continue
		if [[ -n $quote ]]; then
			# Nothing that ends a quote, or means something in it.
			[[ $candidate != *[\'\"\\\$\`!]* ]] || continue
			new=$prefix$quote$candidate
		else
			printf -v new '%s%q' "$prefix" "$candidate"
		fi
		[[ $new != "${raw:0:begin}"* ]] ||
			COMPREPLY+=("${new:begin}")
	done
}

_qchat_offer_known() {
	local -a known
	mapfile -t known < <(qchat-who "${settings[@]}" --known "$2" \
		2>/dev/null)
	_qchat_offer "$1" "${known[@]}"
}

# The argument of an option, behind a prefix.
_qchat_argument() {
	local option=$1 prefix=$2
	local argument=${takes[$option]} name=${long[$option]-$option}
	case $name\ $argument in
	*' ROOM') _qchat_offer_known "$prefix" rooms ;;
	--to' NAME' | --from' NAME' | --pin' NAME' | --unpin' NAME')
		_qchat_offer_known "$prefix" names
		;;
	*' FILE' | *' PATH') compopt -o default ;;
	--severity*) _qchat_offer "$prefix" info low medium high critical ;;
	--set*)
		_qchat_offer "$prefix" known-trusted-installer known-trusted \
			most-likely-trusted might-be-trusted unknown \
			might-be-malicious most-likely-malicious \
			known-malicious not-set
		;;
	--sort*) _qchat_offer "$prefix" count -count ;;
	*'|'*)
		local -a choices
		IFS='|' read -r -a choices <<<"$argument"
		_qchat_offer "$prefix" "${choices[@]}"
		;;
	esac
}

_qchat_operand() {
	local count=${#operands[@]}
	if [[ ${#verbs[@]} -gt 0 && $count -eq 0 ]]; then
		_qchat_offer '' "${verbs[@]}"
	elif [[ $1 == qchat-provision && $count -eq 1 ]]; then
		compopt -o dirnames
	elif [[ $1 == qchat-invite || ${operands[0]-} == import-* ]]; then
		compopt -o default
	fi
}

_qchat() {
	local raw value quote begin mixed expect='' ended='' command=''
	local -a words options verbs operands=() settings=()
	local -A takes=() long=()
	COMPREPLY=()
	_qchat_split "${COMP_LINE:0:COMP_POINT}"
	[[ ${#words[@]} -gt 0 ]] || return
	_qchat_learn "${1##*/}"
	_qchat_follow
	if [[ -n $command ]]; then
		_qchat_command "$command"
	elif [[ ${words[${#words[@]} - 1]} == *[\<\>] ]]; then
		compopt -o default
	elif [[ -n $expect ]]; then
		_qchat_argument "$expect" ''
	elif [[ -n $ended || $value != -* ]]; then
		_qchat_operand "${1##*/}"
	elif [[ $value == --*=* && -n ${takes[${value%%=*}]-} ]]; then
		_qchat_argument "${value%%=*}" "${value%%=*}="
	elif [[ $value == -[!-]?* && -n ${takes[${value:0:2}]-} ]]; then
		_qchat_argument "${value:0:2}" "${value:0:2}"
	else
		_qchat_offer '' "${options[@]}"
	fi
}

# The command of --exec, and what it takes.
_qchat_command() {
	if [[ ${#words[@]} -eq $1 ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$value")
	elif declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$1"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	else
		compopt -o default
	fi
}

complete -F _qchat qchat-fabric qchat-invite qchat-join qchat-listen \
	qchat-mar qchat-provision qchat-say qchat-tie qchat-who
