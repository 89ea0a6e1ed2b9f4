# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# A private fabric, and settings of the machine, or of another user, for it.

# settings NAME FOLDER OWNER GROUP MODE: the settings, certificate and key of
# that user of the fabric, so that owner and group can read them
settings() {
	settings_from=$(qchat-fabric add "$1") || return 1
	mkdir -p "$2" || return 1
	install -o "$3" -g "$4" -m "$5" "${settings_from%/*}"/* "$2"
}

# machine_settings: those of the machine, until the test ends
# shellcheck disable=SC2154 # T is of lib.sh
machine_settings() {
	cp -p /etc/qchat/qchat.conf "$T/qchat.conf"
	at_end='machine_end'
	must settings machine /etc/qchat root _qchat 640
}

machine_end() {
	qchat-fabric -q down
	cp -p "$T/qchat.conf" /etc/qchat/qchat.conf
	rm -f /etc/qchat/ca.pem /etc/qchat/certificate.pem /etc/qchat/key.pem
}

# In front of a command: as a cron job of the account _qchat runs.
# shellcheck disable=SC2034 # for who reads this file
account='setpriv --reuid=_qchat --regid=_qchat --init-groups --reset-env'
