# SPDX-License-Identifier: Apache-2.0
#
# Completion of the tools of QChat for fish.  It is installed once, with a link
# to it under the name of each tool.
#
# Which options there are, and which of them take what, is what --help says.
# Rooms and names come from `qchat-who --known`, which asks no network.  Names
# are others' words: fish quotes them, but for a ~ that they begin with, so these
# are left out.

function __qchat_known
    set -l settings
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case --config --dxl-config
                set -q words[(math $i + 1)]
                and set -a settings $words[$i] $words[(math $i + 1)]
            case '--config=*' '--dxl-config=*'
                set -a settings (string split -m 1 = -- $words[$i])
        end
    end
    set settings (string replace -r '^~/' $HOME/ -- $settings)
    qchat-who $settings --known $argv[1] 2>/dev/null | string match -v '~*'
end

# The command of --exec, and what it takes.
function __qchat_command
    set -l words (commandline -opc)
    set -l at (contains -i -- --exec $words)
    or return
    set words $words[(math $at + 1)..-1]
    test "$words[1]" != --
    or set -e words[1]
    set -a words (commandline -ct)
    complete --do-complete=(string join ' ' -- (string escape -- $words[1..-2]) $words[-1])
end

function __qchat_option -a tool letter name argument help
    set -l option -c $tool -l $name -d $help
    test -z "$letter"
    or set -a option -s $letter
    switch "$name $argument"
        case '* '
            complete $option
        case '* ROOM'
            complete $option -x -a '(__qchat_known rooms)'
        case 'to NAME' 'from NAME' 'pin NAME' 'unpin NAME'
            complete $option -x -a '(__qchat_known names)'
        case '* FILE' '* PATH'
            complete $option -r -F
        case 'severity *'
            complete $option -x -a 'info low medium high critical'
        case 'set *'
            complete $option -x -a 'known-trusted-installer known-trusted
                most-likely-trusted might-be-trusted unknown
                might-be-malicious most-likely-malicious
                known-malicious not-set'
        case 'sort *'
            complete $option -x -a 'count -count'
        case '*|*'
            complete $option -x -a (string replace -a '|' ' ' -- $argument)
        case '*'
            complete $option -x
    end
end

function __qchat_tool -a tool
    command -q $tool
    or return
    set -l option '^ +(?:-(.), )?--([a-z-]+)(?: ([^ ]+))? +(.*)$'
    set -l help (command $tool --help 2>/dev/null)
    for line in $help
        set -l found (string replace -r -f -- $option '$1\t$2\t$3\t$4' $line |
            string split \t)
        and __qchat_option $tool $found
    end
    complete -c $tool -f
    set -l verbs (string match -r -- '[a-z-]+(?:\|[a-z-]+)+' "$help[1]")
    and set verbs (string replace -a '|' ' ' -- $verbs)
    and complete -c $tool -n "not __fish_seen_subcommand_from $verbs" -a $verbs
    switch $tool
        case qchat-invite
            complete -c $tool -F
        case qchat-provision
            complete -c $tool -n "__fish_seen_subcommand_from $verbs" -F
        case qchat-listen
            complete -c $tool -n '__fish_seen_argument -l exec' \
                -a '(__qchat_command)'
    end
end

__qchat_tool (string replace -r '.*/(.*)\.fish$' '$1' -- (status filename))
