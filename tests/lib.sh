# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# For the tests in sh: TAP, processes, waiting, and a broker of one's own.
#
#	. "$(dirname "$0")/lib.sh"
#	broker_start
#	as alice start ear qchat-listen -v -r ops
#	must wait_line "$T/ear.err" 'in ops'
#	as bob exit_is 0 'a post is proved' qchat-say -r ops hello
#	ok 'and heard' wait_line "$T/ear.out" ' bob - hello$'
#	done_testing
#
# The tools are found by PATH.  Nothing here passes or fails by the clock:
# QCHAT_TEST_DEADLINE (seconds) only ends what hangs.  None of these functions
# works in a subshell or a pipeline: give input by <file.

srcdir=$(cd "$(dirname "$0")/.." && pwd) # the top of the source tree
[ -e "$srcdir/configure.ac" ] || srcdir=${srcdir%/*}
deadline=${QCHAT_TEST_DEADLINE:-30}
node_modules=${QCHAT_PEER_DIR:-${NODE_PATH:-$srcdir/tests/peer/node_modules}}
T=$(mktemp -d "${TMPDIR:-/tmp}/qchat-test.XXXXXX") || exit 99
tap_count=0
tap_failed=0
tap_planned=
pids=
at_end=
status=

# A home of our own, and nothing of the caller's settings.
unset QCHAT_CONFIG QCHAT_DXL_CONFIG QCHAT_ROOM QCHAT_USER TMUX TMUX_TMPDIR
unset LANGUAGE TEXTDOMAINDIR
mkdir -m 700 "$T/home" "$T/home/config" "$T/home/state" "$T/home/data" \
	"$T/home/cache" "$T/home/runtime" "$T/users" "$T/broker"
HOME=$T/home
XDG_CONFIG_HOME=$HOME/config
XDG_STATE_HOME=$HOME/state
XDG_DATA_HOME=$HOME/data
XDG_CACHE_HOME=$HOME/cache
XDG_RUNTIME_DIR=$HOME/runtime
NODE_PATH=$node_modules
LC_ALL=C.UTF-8
TZ=UTC
export HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME \
	XDG_RUNTIME_DIR NODE_PATH LC_ALL TZ
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps mosquitto
export PATH

# diag TEXT…, or what comes on standard input
diag() {
	if [ $# -gt 0 ]; then
		printf '%s\n' "$*"
	else
		grep -v '^ *$' | tail -n 20
	fi | cat -v | sed 's/^/#   /'
}

# result STATUS NAME: the one place that counts
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tap_count" "$2"
	else
		printf 'not ok %d - %s\n' "$tap_count" "$2"
		tap_failed=$((tap_failed + 1))
	fi
	return "$1"
}

# ok NAME CMD…: the command succeeds
ok() {
	ok_name=$1
	shift
	"$@" >"$T/ok.out" 2>&1 && ok_status=0 || ok_status=$?
	[ "$ok_status" -eq 0 ] && ok_bad=0 || ok_bad=1
	result "$ok_bad" "$ok_name" && return
	diag "status $ok_status of: $*"
	diag <"$T/ok.out"
	return 1
}

# not_ok NAME CMD…: the command fails
not_ok() {
	not_name=$1
	shift
	ok "$not_name" not "$@"
}

not() {
	if "$@"; then return 1; else return 0; fi
}

# is GOT WANT NAME
is() {
	[ "$1" = "$2" ] && is_bad=0 || is_bad=1
	result "$is_bad" "$3" && return
	diag "  got: $1"
	diag " want: $2"
	return 1
}

# like GOT ERE NAME: a line of GOT matches
like() {
	printf '%s\n' "$1" | grep -Eq -e "$2" && like_bad=0 || like_bad=1
	result "$like_bad" "$3" && return
	diag "  got: $1"
	diag "match: $2"
	return 1
}

# exit_is STATUS NAME CMD…: as run, and it ends with that status
exit_is() {
	exit_want=$1
	exit_name=$2
	shift 2
	run "$@"
	[ "$status" = "$exit_want" ] && exit_bad=0 || exit_bad=1
	result "$exit_bad" "$exit_name" && return
	diag "status $status, not $exit_want, of: $*"
	diag <"$T/out"
	diag <"$T/err"
	return 1
}

# must CMD…: what the rest of the test stands on
must() {
	"$@" >"$T/must.out" 2>&1 && return
	result 1 "set-up: $*"
	diag <"$T/must.out"
	exit 1
}

# skip_all REASON: nothing of this file can be tried here.  With
# QCHAT_TEST_REQUIRE (as in CI) that is a failure.
skip_all() {
	tap_planned=yes
	if [ -n "${QCHAT_TEST_REQUIRE:-}" ]; then
		printf 'not ok 1 - needed: %s\n1..1\n' "$1"
		exit 1
	fi
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# need CMD…: programs
need() {
	for need_program; do
		command -v "$need_program" >"$T/need.out" ||
			skip_all "no $need_program here"
	done
}

# need_peer: node and the packages of tests/peer
need_peer() {
	need node
	[ -z "${QCHAT_TEST_REQUIRE:-}" ] || return 0 # it fails without them
	node -e 'require("@opendxl/dxl-client"), require("mqtt"),
		require("aedes")' \
		>"$T/need.out" 2>&1 ||
		skip_all 'no npm packages here (npm ci in tests/peer)'
}

done_testing() {
	tap_planned=yes
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}

# as USER CMD…: with the settings of that user of the broker
as() {
	QCHAT_CONFIG=$(user_conf "$1") || exit 1
	export QCHAT_CONFIG
	shift
	"$@" && as_status=0 || as_status=$?
	unset QCHAT_CONFIG
	return "$as_status"
}

# run CMD…: in the foreground; sets status, leaves $T/out and $T/err
run() {
	timeout --foreground -s KILL "$((deadline * 2))" "$@" \
		>"$T/out" 2>"$T/err" && status=0 || status=$?
	return 0
}

out() { cat "$T/out"; }
err() { cat "$T/err"; }

# start NAME CMD…: in the background; sets pid, and writes NAME.out and
# NAME.err in $T.  Reads NAME.in if that is there.
start() {
	start_name=$1
	shift
	command -v "$1" >"$T/need.out" || must false "$1 is not on PATH"
	start_in=/dev/null
	[ -e "$T/$start_name.in" ] && start_in=$T/$start_name.in
	: >>"$T/$start_name.err"
	[ -e "$T/$start_name.out" ] || : >"$T/$start_name.out"
	(
		trap - EXIT HUP INT TERM
		exec 5>&- 6>&- 7>&- 8>&- 9>&- # inputs of others end with us
		exec "$@" <"$start_in" >"$T/$start_name.out" \
			2>"$T/$start_name.err"
	) &
	pid=$!
	pids="$pids $pid"
}

# alive PID: does this child of ours run?
alive() {
	read -r alive_stat 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # the fields behind the name
	set -- ${alive_stat##*) }
	[ "$1" != Z ] && [ "$2" = "$$" ]
}

# runs PID: does this process, whose child it may be?
runs() {
	read -r runs_stat 2>/dev/null <"/proc/$1/stat" || return 1
	case ${runs_stat##*) } in
	Z*) return 1 ;;
	esac
}

# forget PID: it has been waited for
forget() {
	forget_left=
	for forget_pid in $pids; do
		[ "$forget_pid" = "$1" ] || forget_left="$forget_left $forget_pid"
	done
	pids=$forget_left
}

# end_process PID [SIGNAL]: ends it; sets status
end_process() {
	alive "$1" && kill -s "${2:-TERM}" "$1" 2>/dev/null
	wait_end "$1"
}

cleanup() {
	cleanup_status=$?
	trap - EXIT HUP INT TERM
	if [ -z "$tap_planned" ]; then
		result 1 'the test came to its end'
		printf '1..%d\n' "$tap_count"
		cleanup_status=1
	fi
	[ -z "$at_end" ] || eval "$at_end"
	for cleanup_pid in $pids; do
		alive "$cleanup_pid" && kill "$cleanup_pid" 2>/dev/null
	done
	for cleanup_pid in $pids; do
		poll 250 not alive "$cleanup_pid" ||
			kill -KILL "$cleanup_pid" 2>/dev/null
	done
	if [ -n "${QCHAT_TEST_KEEP:-}" ]; then
		diag "kept: $T"
	else
		if [ "$cleanup_status" -eq 0 ]; then
			rm -rf "$T"
		else
			diag "left: $T"
		fi
	fi
	exit "$cleanup_status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Waiting is for what happens, never for time to pass.
#
# poll TIMES CMD…: asks every 20 ms until it succeeds
poll() {
	poll_left=$1
	shift
	until "$@"; do
		poll_left=$((poll_left - 1))
		[ "$poll_left" -gt 0 ] || return 1
		sleep 0.02
	done
}

# wait_for CMD…
wait_for() {
	poll "$((deadline * 50))" "$@" && return
	printf 'in vain: %s\n' "$*"
	return 1
}

# wait_line FILE ERE [COUNT]: so many lines of it match (one)
wait_line() {
	poll "$((deadline * 50))" has_lines "$1" "$2" "${3:-1}" && return
	printf 'in vain: %s of %s in %s, which has:\n' "${3:-1}" "$2" "$1"
	tail -n 15 "$1"
	return 1
}

has_lines() {
	[ "$(count_lines "$1" "$2")" -ge "$3" ]
}

# count_lines FILE ERE
count_lines() {
	grep -aEc -e "$2" "$1" 2>/dev/null || :
}

# wait_end PID: a process of start; sets status
wait_end() {
	poll "$((deadline * 50))" not alive "$1" || {
		status=running
		printf 'in vain: the end of process %s\n' "$1"
		return 1
	}
	wait "$1" && status=0 || status=$?
	forget "$1"
}

# free_port: prints one below those that systems give to who asks for any, so
# that it is free again when a broker comes back, whatever else runs here; none
# twice
free_port() {
	until
		free_port=$(any_port)
		! grep -qx "$free_port" "$T/ports" 2>/dev/null
	do
		:
	done
	echo "$free_port" | tee -a "$T/ports"
}

any_port() {
	node -e 'const s = require("net").createServer()
		const any = () => s.listen(
			10000 + Math.floor(Math.random() * 22000), "127.0.0.1")
		s.on("error", any)
		s.on("listening", () => {
			console.log(s.address().port); s.close() })
		any()'
}

# certificate_of FILE CN EXTENSION…: FILE.key and FILE.crt, P-256, by our CA
# (or by itself, if that is what FILE is); as X509_DAYS and X509_ARGS say.
certificate_of() {
	cert_file=$1
	cert_name=$2
	shift 2
	{
		printf '[req]\ndistinguished_name=dn\nprompt=no\nutf8=yes\n'
		printf 'string_mask=utf8only\n'
		printf 'x509_extensions=ext\n[dn]\nCN=%s\n[ext]\n' "$cert_name"
		printf '%s\n' "$@"
	} >"$cert_file.cnf"
	cert_ca=$T/broker/ca
	if [ "$cert_file" = "$cert_ca" ]; then
		set --
	else
		set -- -CA "$cert_ca.crt" -CAkey "$cert_ca.key"
	fi
	(umask 077 && openssl req -x509 -newkey ec -sha256 -nodes \
		-pkeyopt ec_paramgen_curve:P-256 -config "$cert_file.cnf" \
		-days "${X509_DAYS:-30}" "$@" -keyout "$cert_file.key" \
		-out "$cert_file.crt") >"$cert_file.log" 2>&1 || {
		diag <"$cert_file.log"
		return 1
	}
}

# broker_start: mosquitto on $broker_port of 127.0.0.1, with mutual TLS.
# Before it, broker_rules may be set to the lines of an ACL file, and
# broker_lines to more of mosquitto.conf.  With QCHAT_TEST_FABRIC=dxl it is
# the stand-in for a DXL broker, with what those rules are there.
fabric_kind=${QCHAT_TEST_FABRIC:-mqtt}
broker_lines=
broker_rules='pattern readwrite /mcafee/event/qchat/#
pattern write /mcafee/client/+
pattern read /mcafee/client/%c'
broker_start() {
	if [ "$fabric_kind" = dxl ]; then
		fabric_policy=${fabric_policy:-$(policy_of "$broker_rules")}
		fabric_start 1
		return
	fi
	need mosquitto openssl node
	broker_acl=$T/broker/acl
	printf '%s\n' "$broker_rules" >"$broker_acl"
	chmod 600 "$broker_acl"
	broker_certificates
	broker_try=0
	until
		broker_port=$(free_port)
		broker_ports=$broker_port
		broker_conf
		broker_restart
	do
		broker_try=$((broker_try + 1))
		[ "$broker_try" -lt 5 ] || {
			result 1 'set-up: the broker starts'
			diag <"$T/broker.err"
			exit 1
		}
	done
}

# broker_certificates: the CA, and what it gave to the broker
broker_certificates() {
	[ ! -e "$T/broker/server.crt" ] || return 0
	must certificate_of "$T/broker/ca" 'QChat test CA' \
		basicConstraints=critical,CA:true keyUsage=keyCertSign,cRLSign \
		subjectKeyIdentifier=hash
	must certificate_of "$T/broker/server" 'QChat test broker' \
		basicConstraints=CA:false extendedKeyUsage=serverAuth \
		"subjectAltName=DNS:localhost,IP:127.0.0.1"
}

broker_conf() {
	cat >"$T/broker/mosquitto.conf" <<-END
	user $(id -un)
	persistence false
	log_dest stderr
	listener $broker_port 127.0.0.1
	cafile $T/broker/ca.crt
	certfile $T/broker/server.crt
	keyfile $T/broker/server.key
	require_certificate true
	use_identity_as_username true
	acl_file $broker_acl
	$broker_lines
	END
}

# broker_restart: as it was, on the same port, after broker_stop or broker_kill
broker_restart() {
	if [ "$fabric_kind" = dxl ]; then
		fabric_restart
		return
	fi
	: >"$T/broker.err"
	start broker mosquitto -c "$T/broker/mosquitto.conf"
	broker_pid=$pid
	wait_for broker_is_up && alive "$broker_pid"
}

broker_is_up() {
	grep -q 'version [0-9.]* running' "$T/broker.err" ||
		not alive "$broker_pid"
}

# broker_obey RULES LOST…: it has these rules from now on.  A DXL broker reads
# them when it starts: it is away until the command LOST comes true.
broker_obey() {
	broker_rules=$1
	shift
	if [ "$fabric_kind" = dxl ]; then
		broker_stop
		fabric_policy=$(policy_of "$broker_rules")
		"$@" && broker_restart
		return
	fi
	printf '%s\n' "$broker_rules" >"$broker_acl"
	kill -s HUP "$broker_pid"
	wait_line "$T/broker.err" 'Reloading config'
}

broker_stop() { end_process "$broker_pid" TERM; }
broker_kill() { end_process "$broker_pid" KILL; }

# fingerprint NAME: of the certificate of a user
fingerprint() {
	openssl x509 -in "$(user_dir "$1")/user.crt" -outform DER |
		sha256sum | cut -d ' ' -f 1
}

# thumbprint NAME: by which a DXL fabric knows a user; before it starts, too
thumbprint() {
	broker_certificates
	user_certificate "$1" && openssl x509 -noout -fingerprint -sha1 \
		-in "$T/users/$1/user.crt" | sed 's/.*=//; s/://g' | tr A-F a-f
}

user_certificate() {
	[ ! -e "$T/users/$1/user.crt" ] || return 0
	mkdir -p "$T/users/$1"
	certificate_of "$T/users/$1/user" "$1" basicConstraints=CA:false \
		extendedKeyUsage=clientAuth >&2
}

# user_dir NAME: a folder with ca.crt, user.crt (CN=NAME), user.key,
# qchat.conf and dxlclient.config; prints its path
user_dir() {
	user_path=$T/users/$1
	if [ ! -e "$user_path/qchat.conf" ]; then
		user_certificate "$1" || return 1
		cp "$T/broker/ca.crt" "$user_path"
		conf_for "$user_path" "$broker_port" >"$user_path/qchat.conf"
		# shellcheck disable=SC2086 # a list of ports
		dxl_conf_for "$user_path" $broker_ports \
			>"$user_path/dxlclient.config"
	fi
	printf '%s\n' "$user_path"
}

# user_conf NAME: prints the path of the qchat.conf that makes a tool NAME
user_conf() {
	user_conf_dir=$(user_dir "$1") && printf '%s\n' "$user_conf_dir/qchat.conf"
}

# conf_for FOLDER PORT: prints a qchat.conf
conf_for() {
	cat <<-END
	fabric = "$fabric_kind";
	brokers = ( { host = "127.0.0.1"; port = $2; } );
	ca = "$1/ca.crt";
	certificate = "$1/user.crt";
	key = "$1/user.key";
	END
}

# dxl_conf_for FOLDER PORT…: prints a dxlclient.config
dxl_conf_for() {
	cat <<-END
	[Certs]
	BrokerCertChain = $1/ca.crt
	CertFile = $1/user.crt
	PrivateKey = $1/user.key

	[Brokers]
	END
	shift
	for dxl_conf_port; do
		dxl_conf_id=local$([ "$dxl_conf_port" = "$1" ] || echo "$dxl_conf_port")
		echo "$dxl_conf_id = $dxl_conf_id;$dxl_conf_port;localhost;127.0.0.1"
	done
}

# peer FD NAME SCRIPT USER [ARG…]: starts it, its input at FD (7, 8 or 9)
peer() {
	peer_fd=$1
	peer_name=$2
	peer_script=$srcdir/tests/peer/$3
	peer_dir=$(user_dir "$4") || exit 1
	shift 4
	mkfifo "$T/$peer_name.in"
	start "$peer_name" node "$peer_script" "$peer_dir" "$broker_port" "$@"
	eval "exec $peer_fd>\"\$T/\$peer_name.in\""
	must wait_line "$T/$peer_name.out" '"at":"ready"'
}

# shellcheck source=fabric.sh
. "$srcdir/tests/fabric.sh"
