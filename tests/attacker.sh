# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# attacker.js as a test uses it: `peer 7 attacker attacker.js USER` starts it,
# and $T/ear.out has the JSON lines of a listener.

attacks=0

# attack JSON: the attacker does it
attack() {
	attacks=$((attacks + 1))
	printf '%s\n' "$1" >&7
	must wait_line "$T/attacker.out" '"at":"(done|error)"' "$attacks"
	attack_answer=$(grep -aE '"at":"(done|error)"' "$T/attacker.out" |
		tail -n 1)
	case $attack_answer in
	*'"at":"error"'*) not_ok "set-up: $attack_answer" true ;;
	esac
}

# marks TEXT: those with which it was shown
marks() {
	jq -r --arg text "$1" 'select(.text == $text) | .mark' <"$T/ear.out" |
		tr -d '\n'
}
