/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include "bus.h"
#include "memory.h"
#include "tls.h"
#include "translate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
	READS_MAX = 64, /* reads of libmosquitto in one step */
	MISC_MS = 1000, /* between looks at the keepalive */
	SUBACK_REFUSED = 0x80,
	BACKLOG_LEAST = 4096,     /* bytes: more than acknowledgements make */
	SLOWEST_RATE = 32 * 1024, /* bytes a second, where what left this
				   * machine waits in another */
};

struct subscription {
	char *topic;
	int mid;   /* of its SUBSCRIBE */
	bool seen; /* its SUBACK */
};

struct connection {
	const struct conf *conf;
	struct connection_calls calls;
	char *peer;
	struct tls *tls;
	struct mosquitto *mosquitto;
	struct subscription *subscriptions;
	size_t subscription_count;
	int64_t deadline;  /* until it has to be up */
	int64_t misc_mono; /* the next look at the keepalive */
	bool patient;
	bool tcp;      /* stands */
	bool accepted; /* CONNACK 0 */
	bool up;
	bool left;           /* in order */
	bool more;           /* to read, without poll */
	size_t *sizes;       /* of what is unsent, a ring … */
	size_t sizes_size;   /* … of so many: that of the i-th message is at i
			      * modulo this */
	uint64_t published;  /* messages, … */
	uint64_t sent;       /* … of them, the first ones */
	size_t unsent_bytes; /* of the others */
	uint64_t taken;      /* bytes that the other end had, … */
	uint64_t seen_sent;  /* … and sent, when that was looked at last */
	int64_t front_mono;  /* since when the first one is unsent */
	struct fault fault;  /* kind NONE while it lives */
};

static void
end(struct connection *connection, const struct fault *fault)
{
	if (connection->fault.kind == FAULT_NONE)
		connection->fault = *fault;
}

static void
set_doubtful(struct fault *fault, const char *peer)
{
	fault_set(fault, FAULT_UNAVAILABLE,
		"%s: what answers there ends the connection when TLS begins "
		"(is it the port for TLS?)",
		peer);
	fault->term = FAULT_DOUBTFUL;
}

/* Its answer may have come, and been lost with what we sent on. */
static void
set_cut(const struct connection *connection, struct fault *fault)
{
	fault_set(fault, FAULT_UNAVAILABLE,
		"%s: the broker closed the connection before it accepted it "
		"(its log may say why)",
		connection->peer);
	if (!connection->patient)
		fault->term = FAULT_HASTY;
}

static int
socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* Has it stood, and is over?  Who has answered has a round-trip time. */
static bool
has_stood(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
		info.tcpi_rtt > 0;
}

/* What became of TCP: 0 if it stands, else an errno.  The first step of the
 * handshake, too early, may have taken the error away. */
static int
tcp_error(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int error = socket_error(fd);

	if (error == 0 &&
		getpeername(fd, (struct sockaddr *)&peer, &len) != 0) {
		error = errno;
		/* A write has had the error already. */
		if (error == ENOTCONN)
			error = has_stood(fd) ? ECONNRESET : ECONNREFUSED;
	}
	return error;
}

static void
set_no_tcp(struct fault *fault, const char *peer, int error)
{
	fault_set(fault, FAULT_UNAVAILABLE,
		error == ECONNREFUSED ? "%s: %s (does the broker run there?)"
				      : _("%s: %s (is the network there?)"),
		peer, strerror(error));
}

/* libmosquitto, or a call below it, has failed. */
static void
end_by_library(struct connection *connection, int rc)
{
	int error = errno;
	const char *peer = connection->peer;
	struct fault fault = { 0 };

	if (tls_explain(connection->tls, peer, &fault) == 0) {
		end(connection, &fault);
		return;
	}
	/* Newer ones begin with TLS at once, whatever has become of TCP. */
	bool early = rc == MOSQ_ERR_TLS && !connection->tcp &&
		tls_socket(connection->tls) >= 0;
	if (early) {
		error = tcp_error(tls_socket(connection->tls));
		connection->tcp = error == 0 ||
			has_stood(tls_socket(connection->tls));
	}
	if (rc == MOSQ_ERR_KEEPALIVE)
		fault_set(&fault, FAULT_UNAVAILABLE,
			"%s: the broker has not answered for %d s", peer,
			BUS_KEEPALIVE_S);
	else if (rc != MOSQ_ERR_CONN_LOST && rc != MOSQ_ERR_ERRNO &&
		rc != MOSQ_ERR_TLS)
		fault_set(&fault, FAULT_UNAVAILABLE, "%s: %s", peer,
			mosquitto_strerror(rc));
	else if (connection->accepted)
		fault_set(&fault, FAULT_UNAVAILABLE,
			"%s: the broker closed the connection", peer);
	else if (connection->tcp && tls_is_unanswered(connection->tls))
		/* A server that does not know TLS may end the connection
		 * without a word; so does one that dies just then. */
		set_doubtful(&fault, peer);
	else if (connection->tcp)
		set_cut(connection, &fault);
	else if (early)
		set_no_tcp(&fault, peer, error);
	else
		fault_set(&fault, FAULT_UNAVAILABLE, "%s: %s", peer,
			strerror(error));
	end(connection, &fault);
}

static int
qos(const struct connection *connection)
{
	return connection->conf->fabric == CONF_MQTT ? 1 : 0;
}

static void
check_up(struct connection *connection)
{
	if (connection->up || !connection->accepted ||
		connection->fault.kind != FAULT_NONE)
		return;
	for (size_t i = 0; i < connection->subscription_count; i++)
		if (!connection->subscriptions[i].seen)
			return;
	connection->up = true;
	connection->calls.up(connection->calls.context);
}

void
connection_subscribe(struct connection *connection, const char *topic)
{
	if (connection->fault.kind != FAULT_NONE)
		return;
	connection->subscriptions = memory_resize(connection->subscriptions,
		connection->subscription_count + 1,
		sizeof(*connection->subscriptions));
	struct subscription *subscription =
		&connection->subscriptions[connection->subscription_count++];
	*subscription = (struct subscription){ memory_string(topic), 0, false };
	int rc = mosquitto_subscribe(connection->mosquitto, &subscription->mid,
		topic, qos(connection));
	if (rc != MOSQ_ERR_SUCCESS)
		end_by_library(connection, rc);
}

void
connection_unsubscribe(struct connection *connection, const char *topic)
{
	if (connection->fault.kind != FAULT_NONE)
		return;
	for (size_t i = 0; i < connection->subscription_count; i++) {
		struct subscription *subscriptions = connection->subscriptions;

		if (strcmp(subscriptions[i].topic, topic) != 0)
			continue;
		free(subscriptions[i].topic);
		subscriptions[i] = subscriptions
			[--connection->subscription_count];
		break;
	}
	int rc = mosquitto_unsubscribe(connection->mosquitto, NULL, topic);
	if (rc != MOSQ_ERR_SUCCESS)
		end_by_library(connection, rc);
	check_up(connection);
}

static void
grow_sizes(struct connection *connection)
{
	size_t size = connection->sizes_size > 0 ? connection->sizes_size * 2
						 : 64;
	size_t *sizes = memory_alloc(size, sizeof(*sizes));

	for (uint64_t i = connection->sent, old = connection->sizes_size;
		old > 0 && i < connection->published; i++)
		sizes[i % size] = connection->sizes[i % old];
	free(connection->sizes);
	connection->sizes = sizes;
	connection->sizes_size = size;
}

static void
push_size(struct connection *connection, size_t bytes)
{
	if (connection_unsent(connection) == connection->sizes_size)
		grow_sizes(connection);
	connection->sizes[connection->published++ %
		connection->sizes_size] = bytes;
	connection->unsent_bytes += bytes;
}

/* Brokers acknowledge in the order in which they get it. */
static void
pop_size(struct connection *connection)
{
	if (connection_unsent(connection) == 0)
		return;
	connection->unsent_bytes -= connection->sizes[connection->sent++ %
		connection->sizes_size];
}

void
connection_publish(struct connection *connection, const char *topic,
	struct span bytes)
{
	if (connection->fault.kind != FAULT_NONE)
		return;
	assert(bytes.len <= INT32_MAX);
	/* Counted before: QoS 0 may be written within the call. */
	push_size(connection, bytes.len);
	int rc = mosquitto_publish(connection->mosquitto, NULL, topic,
		(int)bytes.len, bytes.bytes, qos(connection), false);
	if (rc == MOSQ_ERR_INVAL || rc == MOSQ_ERR_MALFORMED_UTF8 ||
		rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_OVERSIZE_PACKET)
		pop_size(connection); /* costs that message only */
	else if (rc != MOSQ_ERR_SUCCESS)
		end_by_library(connection, rc);
}

size_t
connection_unsent(const struct connection *connection)
{
	return (size_t)(connection->published - connection->sent);
}

size_t
connection_unsent_bytes(const struct connection *connection)
{
	return connection->unsent_bytes;
}

/* Bytes that the kernel has, and the other end does not. */
static uint64_t
backlog(const struct connection *connection)
{
	int bytes = 0;

#ifdef SIOCOUTQ
	if (ioctl(mosquitto_socket(connection->mosquitto), SIOCOUTQ, &bytes) !=
		0)
		return 0;
#endif
	return (uint64_t)bytes;
}

/* Has the kernel given some of it to the other end? */
static bool
is_taken(struct connection *connection)
{
	uint64_t left = backlog(connection);
	uint64_t taken = tls_written(connection->tls) - left;
	bool more = left >= BACKLOG_LEAST && taken > connection->taken;

	connection->taken = taken;
	return more;
}

/* Was some of it acknowledged, or is the first that is not so large that it
 * need not be yet? */
static bool
is_acknowledged(struct connection *connection, int64_t mono)
{
	bool more = connection->sent > connection->seen_sent;

	if (more || connection->unsent_bytes == 0 || !connection->up)
		connection->front_mono = mono;
	connection->seen_sent = connection->sent;
	if (connection->unsent_bytes < BACKLOG_LEAST)
		return false;
	size_t front = connection->sizes[connection->sent %
		connection->sizes_size];
	return more ||
		mono - connection->front_mono <
		(int64_t)(front * 1000 / SLOWEST_RATE);
}

bool
connection_is_moving(struct connection *connection, int64_t mono)
{
	if (connection->fault.kind != FAULT_NONE || !connection->tcp)
		return false;
	bool taken = is_taken(connection);
	return is_acknowledged(connection, mono) || taken;
}

bool
connection_is_up(const struct connection *connection)
{
	return connection->up;
}

const char *
connection_peer(const struct connection *connection)
{
	return connection->peer;
}

const struct fault *
connection_fault(const struct connection *connection)
{
	return connection->fault.kind != FAULT_NONE ? &connection->fault : NULL;
}

/* What MQTT 3.1.1, table 3.1, has for a return code. */
static const char *
connack_reason(int rc)
{
	switch (rc) {
	case 1:
		return _("it does not speak MQTT 3.1.1 (it has to be updated)");
	case 2:
		return _(
			"it does not take our client id (its log may say why)");
	case 3:
		return _("it serves nobody now (it may have too many clients)");
	default:
		return _("it does not say why (its log may)");
	}
}

static void
on_connect(struct mosquitto *mosquitto, void *context, int rc)
{
	struct connection *connection = context;
	struct fault fault = { 0 };

	(void)mosquitto;
	if (rc == 0) {
		connection->accepted = true;
		connection->calls.accepted(connection->calls.context);
		check_up(connection);
		return;
	}
	if (rc == 4 || rc == 5) /* about who we are */
		fault_set(&fault, FAULT_NOPERM,
			"%s: the broker does not let %s in (its operator can)",
			connection->peer, connection->conf->certificate);
	else
		fault_set(&fault, FAULT_UNAVAILABLE,
			"%s: the broker does not accept the connection: %s",
			connection->peer, connack_reason(rc));
	end(connection, &fault);
}

static void
on_subscribe(struct mosquitto *mosquitto, void *context, int mid, int count,
	const int *granted)
{
	struct connection *connection = context;
	struct fault fault = { 0 };

	(void)mosquitto;
	for (size_t i = 0; i < connection->subscription_count; i++) {
		struct subscription *subscription = &connection
							     ->subscriptions[i];

		if (subscription->mid != mid || subscription->seen)
			continue;
		subscription->seen = true;
		if (count > 0 && granted[0] < SUBACK_REFUSED)
			continue;
		fault_set(&fault, FAULT_NOPERM,
			"%s: the broker does not let %s read %s (its operator "
			"can)",
			connection->peer, connection->conf->certificate,
			subscription->topic);
		end(connection, &fault);
	}
	check_up(connection);
}

static void
on_publish(struct mosquitto *mosquitto, void *context, int mid)
{
	struct connection *connection = context;

	(void)mosquitto;
	(void)mid;
	pop_size(connection);
}

static void
on_message(struct mosquitto *mosquitto, void *context,
	const struct mosquitto_message *message)
{
	struct connection *connection = context;

	(void)mosquitto;
	connection->calls.message(connection->calls.context,
		span_of(message->topic),
		(struct span){ message->payloadlen > 0 ? message->payload : "",
			(size_t)message->payloadlen });
}

static void
begin_library(void)
{
	static bool begun;

	if (!begun)
		mosquitto_lib_init();
	begun = true;
}

static int
set_up(struct connection *connection, const struct connection_config *config)
{
	begin_library();
	struct mosquitto *mosquitto = mosquitto_new(config->client_id,
		!config->durable, connection);

	if (mosquitto == NULL)
		return MOSQ_ERR_NOMEM;
	connection->mosquitto = mosquitto;
	mosquitto_connect_callback_set(mosquitto, on_connect);
	mosquitto_subscribe_callback_set(mosquitto, on_subscribe);
	mosquitto_publish_callback_set(mosquitto, on_publish);
	mosquitto_message_callback_set(mosquitto, on_message);
	mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
		MQTT_PROTOCOL_V311);
	mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
	/* How much is in flight is bounded by who publishes. */
	mosquitto_max_inflight_messages_set(mosquitto, 0);
	mosquitto_void_option(mosquitto, MOSQ_OPT_SSL_CTX,
		tls_context(connection->tls));
	mosquitto_int_option(mosquitto, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	if (config->will_topic == NULL)
		return MOSQ_ERR_SUCCESS;
	return mosquitto_will_set(mosquitto, config->will_topic,
		(int)config->will.len, config->will.bytes, qos(connection),
		false);
}

struct connection *
connection_new(const struct connection_config *config, int64_t mono)
{
	struct connection *connection = memory_alloc(1, sizeof(*connection));
	const struct route *route = config->route;
	struct fault fault = { 0 };

	connection->conf = config->conf;
	connection->calls = config->calls;
	connection->patient = config->patient;
	connection->peer = memory_format(strchr(route->host, ':') != NULL
			? "[%s]:%u"
			: "%s:%u",
		route->host, (unsigned)route->port);
	connection->deadline = mono + BUS_ATTEMPT_MS;
	connection->misc_mono = mono + MISC_MS;
	connection->tls = tls_new(config->conf, config->identity, route->host,
		&fault);
	if (connection->tls == NULL) {
		end(connection, &fault);
		return connection;
	}
	int rc = set_up(connection, config);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_connect_async(connection->mosquitto,
			route->address, route->port, BUS_KEEPALIVE_S);
	if (rc != MOSQ_ERR_SUCCESS)
		end_by_library(connection, rc);
	else
		fcntl(mosquitto_socket(connection->mosquitto), F_SETFD,
			FD_CLOEXEC);
	return connection;
}

void
connection_free(struct connection *connection)
{
	if (connection == NULL)
		return;
	if (connection->mosquitto != NULL)
		mosquitto_destroy(connection->mosquitto);
	tls_free(connection->tls);
	for (size_t i = 0; i < connection->subscription_count; i++)
		free(connection->subscriptions[i].topic);
	free(connection->subscriptions);
	free(connection->sizes);
	free(connection->peer);
	free(connection);
}

static void
step_tcp(struct connection *connection, short events)
{
	struct fault fault = { 0 };

	if ((events & (POLLOUT | POLLERR | POLLHUP)) == 0)
		return;
	int error = tcp_error(mosquitto_socket(connection->mosquitto));
	if (error == 0) {
		connection->tcp = true;
		return;
	}
	/* It may have stood, and been reset within the handshake. */
	bool silent = error == ECONNRESET && tls_is_unanswered(connection->tls);
	if (tls_explain(connection->tls, connection->peer, &fault) == 0)
		;
	else if (silent)
		set_doubtful(&fault, connection->peer);
	else
		set_no_tcp(&fault, connection->peer, error);
	end(connection, &fault);
}

static void
step_read(struct connection *connection)
{
	connection->more = false;
	for (int i = 0; i < READS_MAX; i++) {
		tls_forget_errors();
		int rc = mosquitto_loop_read(connection->mosquitto, 1);
		if (rc != MOSQ_ERR_SUCCESS)
			end_by_library(connection, rc);
		if (connection->fault.kind != FAULT_NONE ||
			!tls_pending(connection->tls))
			return;
	}
	connection->more = true;
}

/* libmosquitto tries the handshake for ever when the other side has closed
 * the connection within it. */
static void
check_closed(struct connection *connection)
{
	int fd = mosquitto_socket(connection->mosquitto);
	char byte;

	if (connection->fault.kind != FAULT_NONE)
		return;
	if (socket_error(fd) == 0 &&
		(connection->accepted ||
			recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0))
		return;
	/* It may have said why since we read: what came stays readable. */
	step_read(connection);
	if (connection->fault.kind == FAULT_NONE)
		end_by_library(connection, MOSQ_ERR_CONN_LOST);
}

static void
step_write(struct connection *connection)
{
	if (connection->fault.kind != FAULT_NONE)
		return;
	if (mosquitto_want_write(connection->mosquitto)) {
		tls_forget_errors();
		int rc = mosquitto_loop_write(connection->mosquitto, 1);

		if (rc != MOSQ_ERR_SUCCESS) {
			end_by_library(connection, rc);
			return;
		}
	}
	if (tls_flush(connection->tls) < 0)
		end_by_library(connection, MOSQ_ERR_CONN_LOST);
}

/* Is there anything that the socket has not taken? */
static bool
is_writing(const struct connection *connection)
{
	return mosquitto_want_write(connection->mosquitto) ||
		tls_flush(connection->tls) == 0;
}

static void
step_time(struct connection *connection, int64_t mono)
{
	struct fault fault = { 0 };

	if (!connection->up && mono >= connection->deadline) {
		fault_set(&fault, FAULT_UNAVAILABLE,
			"%s: no answer within %g s (is it the right port, and "
			"no firewall between?)",
			connection->peer, (double)BUS_ATTEMPT_MS / 1000);
		end(connection, &fault);
	}
	if (connection->fault.kind != FAULT_NONE || !connection->tcp ||
		mono < connection->misc_mono)
		return;
	int rc = mosquitto_loop_misc(connection->mosquitto);
	connection->misc_mono = mono + MISC_MS;
	if (rc != MOSQ_ERR_SUCCESS)
		end_by_library(connection, rc);
}

void
connection_step(struct connection *connection, short events, int64_t mono)
{
	if (connection->fault.kind != FAULT_NONE)
		return;
	if (!connection->tcp)
		step_tcp(connection, events);
	if (connection->tcp) {
		step_read(connection);
		if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
			check_closed(connection);
		step_write(connection);
	}
	step_time(connection, mono);
}

int
connection_fd(struct connection *connection, short *events)
{
	if (connection->fault.kind != FAULT_NONE)
		return -1;
	int fd = mosquitto_socket(connection->mosquitto);
	*events = connection->tcp ? POLLIN : POLLOUT;
	if (connection->tcp) {
		/* What was published since the last step goes out now. */
		step_write(connection);
		if (connection->fault.kind != FAULT_NONE)
			return -1;
		if (is_writing(connection))
			*events |= POLLOUT;
	}
#ifdef TCP_QUICKACK
	/* A broker with Nagle's algorithm waits for our acknowledgement before
	 * it sends on; the kernel forgets this wish (protocol.md, 14). */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
#endif
	return fd;
}

int64_t
connection_deadline(const struct connection *connection)
{
	if (connection->more || connection->fault.kind != FAULT_NONE)
		return 0;
	if (connection->up)
		return connection->misc_mono;
	if (!connection->tcp || connection->deadline < connection->misc_mono)
		return connection->deadline;
	return connection->misc_mono;
}

static int64_t
left_ms(int64_t until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t left = until - (int64_t)now.tv_sec * 1000 -
		now.tv_nsec / 1000000;
	return left > 0 ? left : 0;
}

/* Until all that is queued is written.  This is the end of a connection;
 * nothing else is waited for within. */
static void
write_all(struct connection *connection, int64_t until)
{
	for (;;) {
		step_write(connection);
		if (connection->fault.kind != FAULT_NONE ||
			!is_writing(connection) || left_ms(until) == 0)
			return;
		struct pollfd fd = { mosquitto_socket(connection->mosquitto),
			POLLOUT, 0 };
		poll(&fd, 1, (int)left_ms(until));
	}
}

void
connection_leave(struct connection *connection, int64_t until)
{
	const struct fault left = { FAULT_UNAVAILABLE, FAULT_PASSING, "left" };

	if (connection->up && connection->fault.kind == FAULT_NONE)
		write_all(connection, until);
	if (connection->up && connection->fault.kind == FAULT_NONE) {
		/* libmosquitto closes right behind its DISCONNECT. */
		tls_ungather(connection->tls);
		mosquitto_disconnect(connection->mosquitto);
		shutdown(tls_socket(connection->tls), SHUT_WR);
		connection->left = true;
	}
	end(connection, &left);
}

/* Reads until the broker closes: closing first, with bytes unread, would
 * reset the connection and might take our last words with it. */
void
connection_drain(struct connection *connection, int64_t until)
{
	struct pollfd fd = { -1, POLLIN, 0 };
	char bytes[4096];

	if (!connection->left)
		return;
	fd.fd = tls_socket(connection->tls);
	while (poll(&fd, 1, (int)left_ms(until)) > 0 &&
		recv(fd.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
}
