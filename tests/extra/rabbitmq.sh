# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# RabbitMQ nodes of one's own, with the configuration that is shipped.
#
#	. "$(dirname "$0")/../lib.sh"
#	. "$(dirname "$0")/rabbitmq.sh"
#	rabbit_prepare
#	rabbit_start one
#	rabbit_users one alice bob
#
# After that `as alice …` is on the node that was started last.  All of it
# listens on free ports of 127.0.0.1, an epmd too, and ends with the test; what
# the host has of RabbitMQ itself is not touched.  A node takes 10 s or more, so
# the time that lib.sh gives to anything that may hang is longer here.

# shellcheck disable=SC2034,SC2154 # lib.sh reads some and sets others
srcdir=$(cd "$(dirname "$0")/../.." && pwd)
deadline=${QCHAT_TEST_DEADLINE:-300}

# Past Debian's wrappers, which change the user and forget the environment.
PATH=$PATH:/usr/lib/rabbitmq/bin

rabbit_cluster= # the nodes that are to be a cluster, three of them

rabbit_prepare() {
	need epmd erl openssl node
	command -v /usr/lib/rabbitmq/bin/rabbitmq-server >"$T/need.out" ||
		skip_all 'no rabbitmq-server here'
	must certificate_of "$T/broker/ca" 'QChat test CA' \
		basicConstraints=critical,CA:true keyUsage=keyCertSign,cRLSign \
		subjectKeyIdentifier=hash
	must certificate_of "$T/broker/server" 'QChat test broker' \
		basicConstraints=CA:false extendedKeyUsage=serverAuth \
		"subjectAltName=DNS:localhost,IP:127.0.0.1"
	: >"$T/broker/rabbitmq-env.conf"
	echo '[rabbitmq_mqtt].' >"$T/broker/enabled_plugins"

	ERL_EPMD_ADDRESS=127.0.0.1
	ERL_EPMD_PORT=$(free_port)
	RABBITMQ_CONF_ENV_FILE=$T/broker/rabbitmq-env.conf
	RABBITMQ_ENABLED_PLUGINS_FILE=$T/broker/enabled_plugins
	RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
	RABBITMQ_CTL_ERL_ARGS=$RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS
	RABBITMQ_LOGS=-
	# The script then becomes the node, and does not wait for it.
	RUNNING_UNDER_SYSTEMD=true
	export ERL_EPMD_ADDRESS ERL_EPMD_PORT RABBITMQ_CONF_ENV_FILE \
		RABBITMQ_ENABLED_PLUGINS_FILE RABBITMQ_CTL_ERL_ARGS \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS RABBITMQ_LOGS \
		RUNNING_UNDER_SYSTEMD
	start epmd epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT"
	must wait_for epmd -port "$ERL_EPMD_PORT" -names
}

# rabbit_start NAME: that node; sets pid and broker_port
rabbit_start() {
	rabbit_try=0
	until
		rabbit_conf "$1"
		rabbit_restart "$1"
	do
		rabbit_try=$((rabbit_try + 1))
		[ "$rabbit_try" -lt 3 ] || {
			result 1 "set-up: the node $1 starts"
			diag <"$T/$1.out"
			diag <"$T/$1.err"
			exit 1
		}
	done
}

# rabbit_conf NAME: the example, with our paths and free ports
rabbit_conf() {
	broker_port=$(free_port)
	mkdir -p "$T/broker/$1"
	echo "$broker_port" >"$T/broker/$1/port"
	free_port >"$T/broker/$1/dist_port"
	sed -e "s|^\(mqtt.listeners.ssl.default\) = 8883\$|\1 = 127.0.0.1:$broker_port|" \
		-e "s|/etc/rabbitmq/qchat/ca.pem|$T/broker/ca.crt|" \
		-e "s|/etc/rabbitmq/qchat/broker.pem|$T/broker/server.crt|" \
		-e "s|/etc/rabbitmq/qchat/broker.key|$T/broker/server.key|" \
		"$srcdir/conf/rabbitmq-qchat.conf.example" |
		rabbit_conf_cluster >"$T/broker/$1/rabbitmq.conf"
}

# What is a comment in the example as long as there is one node only
rabbit_conf_cluster() {
	# shellcheck disable=SC2086 # a list of words
	set -- $rabbit_cluster
	[ $# -gt 0 ] || {
		cat
		return
	}
	sed -e 's/^#\(cluster_\|mqtt\.\)/\1/' \
		-e "s/rabbit@broker1/$1@localhost/" \
		-e "s/rabbit@broker2/$2@localhost/" \
		-e "s/rabbit@broker3/$3@localhost/"
}

# rabbit_restart NAME: as it was, on the same port; sets pid
rabbit_restart() {
	start "$1" env RABBITMQ_NODENAME="$1@localhost" \
		RABBITMQ_MNESIA_BASE="$T/broker/$1/mnesia" \
		RABBITMQ_LOG_BASE="$T/broker/$1" \
		RABBITMQ_CONFIG_FILE="$T/broker/$1/rabbitmq.conf" \
		RABBITMQ_DIST_PORT="$(cat "$T/broker/$1/dist_port")" \
		/usr/lib/rabbitmq/bin/rabbitmq-server
	wait_for rabbit_is_up "$1" "$pid" && alive "$pid"
}

rabbit_is_up() {
	grep -q 'Server startup complete' "$T/$1.out" || not alive "$2"
}

# rabbit_ctl NAME COMMAND…: rabbitmqctl
rabbit_ctl() {
	rabbit_node=$1@localhost
	shift
	timeout --foreground -s KILL "$deadline" \
		/usr/lib/rabbitmq/bin/rabbitmqctl -q -n "$rabbit_node" "$@"
}

# rabbit_users NAME USER…: makes them, as the example says
rabbit_users() {
	rabbit_users_node=$1
	shift
	for rabbit_user; do
		must rabbit_ctl "$rabbit_users_node" add_user "$rabbit_user" \
			"$(openssl rand -hex 32)"
		must rabbit_ctl "$rabbit_users_node" set_permissions \
			"$rabbit_user" '^mqtt-subscription-' \
			'^(mqtt-subscription-|amq\.topic$)' \
			'^(mqtt-subscription-|amq\.topic$)'
	done
}

# rabbit_policy NAME: the one of the example for a cluster
rabbit_policy() {
	must rabbit_ctl "$1" set_policy --apply-to queues qchat \
		'^mqtt-subscription-' \
		'{"max-length-bytes": 268435456, "expires": 604800000,
		"ha-mode": "exactly", "ha-params": 2}'
}
