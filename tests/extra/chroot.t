#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The Debian package on a Debian of its own, from apt-get install to purge:
#
#	tests/extra/chroot.t [PACKAGE [OLDER-PACKAGE]]
#
# Without a PACKAGE, HEAD is built; without an older one, that is the same with
# a lower version and other settings.  For root, with mmdebstrap and
# systemd-nspawn; Debian comes from where this machine has it.  Takes four
# minutes and 2 GB in TMPDIR.  Not one of the tests of `make check`.

# shellcheck disable=SC2016,SC2034,SC2317 # for others, shared, called by name

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

release=bookworm
deadline=${QCHAT_TEST_DEADLINE:-600}
root=$T/root

[ "$(id -u)" -eq 0 ] || skip_all 'only for root'
need apt-get dpkg-buildpackage git mmdebstrap systemd-nspawn

# Debian as apt has it here, and what it takes to get there.
sources() {
	apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
		--format '$(CODENAME) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' |
		sed -n "s/^${release}[^ ]* //p" | sort -u
}

settings() {
	apt-config dump --format '%f "%v";%n' Acquire | grep -E 'Proxy|::Check-'
	echo 'APT::Get::Assume-Yes "true";'
}

build() {
	mkdir "$T/build" "$T/build/qchat"
	git -C "$srcdir" archive HEAD | tar -x -C "$T/build/qchat"
	(cd "$T/build/qchat" &&
		DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
			dpkg-buildpackage -us -uc -b)
}

# older PACKAGE: prints the path of one like it with a lower version
older() {
	dpkg-deb -R "$1" "$T/older" &&
		sed -i 's/^Version: .*/Version: 0~older/' "$T/older/DEBIAN/control" &&
		echo '# An older line.' >>"$T/older/etc/qchat/qchat.conf" &&
		dpkg-deb --root-owner-group -b "$T/older" "$T/older.deb" >&2 &&
		echo "$T/older.deb"
}

# nspawn ARGUMENT...: which leaves nothing in this machine's /run
nspawn() {
	unshare --mount sh -c 'mount -t tmpfs none /run &&
		exec systemd-nspawn -q --register=no --keep-unit \
		--resolv-conf=off --timezone=off --link-journal=no \
		-D "$@"' sh "$root" "$@" </dev/null
}

# inside COMMAND...: in the Debian, all of whose processes end with that
inside() {
	nspawn --pipe --setenv=DEBIAN_FRONTEND=noninteractive \
		--setenv=LC_ALL=C.UTF-8 --setenv=QCHAT_TEST_REQUIRE=yes "$@"
}

# alone COMMAND...: the same, with a loopback of its own and no other network
alone() {
	inside --private-network "$@"
}

# test_inside NAME COMMAND...: a test of debian/tests
test_inside() {
	test_name=$1
	shift
	ok "$test_name" "$@"
	sed 's/^/# /' "$T/ok.out"
}

# The tests come along; what the package brings does not come from them.
tests_to() {
	mkdir -p "$1/src" && git -C "$srcdir" archive HEAD debian/tests tests/lib.sh \
		tests/fabric.sh configure.ac | tar -x -C "$1/src"
}

# Boots it, for the test of the units, which is its first and last job.
boot() {
	cat >"$root/etc/systemd/system/qchat-test.service" <<-'END'
	[Unit]
	After=multi-user.target
	[Service]
	Type=oneshot
	Environment=QCHAT_TEST_REQUIRE=yes
	ExecStart=/src/debian/tests/units
	ExecStopPost=/bin/sh -c 'echo "$EXIT_STATUS" >/src/status; systemctl poweroff'
	StandardOutput=file:/src/units
	[Install]
	WantedBy=multi-user.target
	END
	inside systemctl enable qchat-test
	rm "$root/usr/sbin/policy-rc.d" # what an upgrade starts, starts
	nspawn --private-network -b >"$T/console" 2>&1
	cat "$root/src/units"
	[ "$(cat "$root/src/status")" = 0 ]
}

# files: all but what dpkg and apt keep for themselves
files() {
	(cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt \
		-o -path ./var/cache -o -path './var/log/*' -o -path './run/*' \
		-o -path './tmp/*' -o -path './src' \) -prune -o \
		-printf '%p %y %m %U %G %l ' \
		\( -type f -exec sha256sum -b {} \; -o -printf '\n' \)) |
		sed 's/ \*.*//' | sort
}

must mmdebstrap --version
if [ $# -gt 0 ]; then
	new=$1
else
	must build
	new=$(ls "$T"/build/qchat_*.deb)
fi
old=${2:-$(older "$new")}
version=$(dpkg-deb -f "$new" Version)

sources >"$T/sources"
settings >"$T/settings"
must test -s "$T/sources"
must mmdebstrap --variant=minbase --aptopt="$T/settings" \
	--include=dbus-user-session,jq,libpam-systemd,mandoc,systemd-sysv \
	--skip=cleanup/apt/lists "$release" "$root" "$T/sources"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir "$root/src"
cp "$new" "$root/src/new.deb"
cp "$old" "$root/src/old.deb"
tests_to "$root"
cp -a "$root" "$T/pure"

# A room, from nothing.
ok 'it installs, with what it needs' \
	inside apt-get install /src/new.deb
ok 'a broker with it' inside dpkg -s mosquitto
must inside useradd -m alice
test_inside 'what the manual page shows works for a user' \
	alone --user=alice /src/debian/tests/room
test_inside 'the settings of the machine are read' alone /src/debian/tests/account
test_inside 'the units do what they are for' boot
rm -rf "$root"

# Older, newer, gone.
root=$T/pure
inside apt-get -s install /src/new.deb >"$T/simulated"
# shellcheck disable=SC2046 # a list of words
must inside apt-get install $(sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$T/simulated" |
	grep -vx qchat)
files >"$T/before"
ok 'an older version installs' inside apt-get install /src/old.deb
is "$(inside dpkg-query -W -f '${Version}' qchat)" \
	"$(dpkg-deb -f "$old" Version)" 'it is that'
ok 'and is upgraded' inside apt-get install /src/new.deb
is "$(inside dpkg-query -W -f '${Version}' qchat)" "$version" 'to the new one'
is "$(inside dpkg --verify qchat)" '' 'all files are as packed'
must sh -c "echo '# mine' >>'$root/etc/qchat/qchat.conf'"
must inside dpkg -i --force-confold /src/old.deb
must inside dpkg -i --force-confold /src/new.deb
ok 'settings that were changed stay' grep -qx '# mine' \
	"$root/etc/qchat/qchat.conf"
ok 'a tool runs' inside qchat-say --version
must inside setpriv --reuid=_qchat --regid=_qchat --init-groups --reset-env \
	mkdir -p /var/lib/qchat/.local/state/qchat/spool
must inside systemctl enable qchat-listen@ops qchat-flush.timer
must inside systemctl --global enable qchat-listen@ops qchat-flush.path
ok 'it is removed' inside apt-get remove qchat
ok 'but for the settings' test -e "$root/etc/qchat/qchat.conf"
ok 'and purged' inside apt-get purge qchat
files >"$T/after"
# The account stays, as accounts do: its number is not given to others.
for file in passwd group shadow gshadow; do
	is "$(diff "$T/pure/etc/$file-" "$T/pure/etc/$file" | grep -v '^[0-9]')" \
		"$(grep '^_qchat:' "$T/pure/etc/$file" | sed 's/^/> /')" \
		"of /etc/$file, the account's line alone is new"
done
is "$(diff "$T/before" "$T/after" | grep '^[<>]' |
	grep -vE '^. \./etc/(passwd|group|shadow|gshadow)-? ')" '' \
	'of all other files, none is left or changed'

done_testing
