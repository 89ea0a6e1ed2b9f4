#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The units: systemd finds nothing in them, they are hardened, and those that
# end for good do not start again.

# shellcheck disable=SC2317 # functions that other functions call by name

. "$(dirname "$0")/lib.sh"

need systemd-analyze
[ -d /run/systemd ] || [ "$(id -u)" -eq 0 ] ||
	skip_all 'only root can make /run/systemd, which systemd-analyze needs'

# As installed beside the tools that are tried here.
units() {
	mkdir -p "$T/$1"
	tools=$(command -v qchat-say)
	for unit in "$srcdir/conf/$1"/*; do
		name=${unit##*/}
		sed "s,@bindir@,${tools%/*},; s,@sysconfdir@,/etc," "$unit" \
			>"$T/$1/${name%.in}"
	done
}

# exposure UNIT: by systemd's measure, times ten
exposure() {
	systemd-analyze security --offline=yes "$1" |
		sed -n 's/^.* exposure level for .*: \([0-9]*\)[.]\([0-9]\) .*/\1\2/p'
}

# What the measure is depends on the version of systemd: a unit that has nothing
# is beside it.
printf '[Service]\nExecStart=/bin/true\n' >"$T/plain.service"
plain=$(exposure "$T/plain.service")
like "$plain" '^[0-9]+$' 'systemd measures a unit'

# How much of that is left: an account of its own can be kept from nearly all,
# and a user's manager can mount nothing.
for of in system:15 user:67; do
	kind=${of%:*}
	units "$kind"
	# Without the units of this machine, in which there may be anything.
	SYSTEMD_UNIT_PATH=$T/$kind run systemd-analyze "--$kind" --man=no \
		--recursive-errors=no verify "$T/$kind"/*
	is "$status:$(out)$(err)" 0: "systemd finds nothing in units of the $kind"
	for unit in "$T/$kind"/*.service; do
		name="${unit##*/} of the $kind"
		own=$(exposure "$unit")
		ok "$name is hardened" test \
			"$((${own:-1000} * 100))" -le "$((plain * ${of#*:}))"
		ok "$name is not started again in vain" \
			grep -qx 'RestartPreventExitStatus=64 77 78' "$unit"
		ok "$name runs our tool" grep -q "^ExecStart=${tools%/*}/qchat-" \
			"$unit"
	done
	for page in $(cat "$T/$kind"/* | sed -n 's/^Documentation=//p' | tr ' ' '\n' |
		sort -u | sed 's/^man:\(.*\)(\(.\))$/\1.\2/'); do
		ok "units of the $kind name $page, which is there" \
			test -e "$srcdir/man/$page"
	done
done

is "$(grep -h '@[a-z]*dir@' "$T"/system/* "$T"/user/*)" '' \
	'no other folder stands for one'
is "$(sed -n 's/^User=//p' "$T"/system/*.service | sort -u)" \
	"$(sed -n 's/^u \([a-z_]*\) .*/\1/p' "$srcdir/conf/sysusers.d/qchat.conf")" \
	"the system's services run as the account that is made for them"

done_testing
