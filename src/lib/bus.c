/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include "memory.h"
#include "route.h"
#include "tls.h"

#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READS_MAX = 64, /* reads of libmosquitto in one step */
	MISC_MS = 1000, /* between looks at the keepalive */
	SUBACK_REFUSED = 0x80,
	DRAIN_MS = 500, /* for the broker to close its side, at the end */
};

enum state {
	STATE_CHOOSING,   /* asks routes for the next way */
	STATE_TCP,        /* waits for TCP */
	STATE_CONNECTING, /* TLS, CONNACK, SUBACKs */
	STATE_UP,
	STATE_RESTING, /* until the next round */
};

struct subscription {
	char *topic;
	int mid;   /* of the SUBSCRIBE on this connection */
	bool seen; /* its SUBACK */
};

struct bus {
	const struct conf *conf;
	const struct identity *identity;
	char *client_id;
	struct bus_calls calls;
	struct subscription *subscriptions;
	size_t subscription_count;

	enum state state;
	struct routes *routes;
	bool round_begun;
	int64_t rest_ms;  /* after the next round that fails */
	int64_t deadline; /* of the attempt, or the end of a rest */
	int64_t misc_mono;

	char *peer; /* "host:port" */
	struct tls *tls;
	struct mosquitto *mosquitto;
	bool accepted; /* CONNACK 0 */
	bool more;     /* libmosquitto has more to read, without poll */
	size_t unsent;
	struct fault why;       /* kind NONE, or why the connection ends */
	struct fault round_why; /* the most telling of this round */
};

static bool library_begun;

static void
begin_library(void)
{
	if (library_begun)
		return;
	mosquitto_lib_init();
	library_begun = true;
}

struct bus *
bus_new(const struct conf *conf, const struct identity *identity,
	const char *client_id, const struct bus_calls *calls)
{
	struct bus *bus = memory_alloc(1, sizeof(*bus));

	begin_library();
	bus->conf = conf;
	bus->identity = identity;
	bus->client_id = memory_string(client_id);
	bus->calls = *calls;
	bus->routes = routes_new(conf);
	bus->rest_ms = BUS_BACKOFF_MIN_MS;
	bus->peer = memory_string("");
	return bus;
}

static void
drop_connection(struct bus *bus)
{
	if (bus->mosquitto != NULL)
		mosquitto_destroy(bus->mosquitto);
	bus->mosquitto = NULL;
	tls_free(bus->tls);
	bus->tls = NULL;
	bus->accepted = bus->more = false;
	bus->unsent = 0;
	bus->why.kind = FAULT_NONE;
}

void
bus_free(struct bus *bus)
{
	if (bus == NULL)
		return;
	drop_connection(bus);
	routes_free(bus->routes);
	for (size_t i = 0; i < bus->subscription_count; i++)
		free(bus->subscriptions[i].topic);
	free(bus->subscriptions);
	free(bus->client_id);
	free(bus->peer);
	free(bus);
}

static int
qos(const struct bus *bus)
{
	return bus->conf->fabric == CONF_MQTT ? 1 : 0;
}

static void
give_up(struct bus *bus, const struct fault *why)
{
	if (bus->why.kind == FAULT_NONE)
		bus->why = *why;
}

static void
give_up_library(struct bus *bus, int rc)
{
	struct fault why = { 0 };

	if (tls_explain(bus->tls, bus->peer, &why) == 0) {
		give_up(bus, &why);
		return;
	}
	if (rc == MOSQ_ERR_CONN_LOST)
		fault_set(&why, FAULT_UNAVAILABLE,
			bus->accepted ? "%s: the broker closed the connection"
				      : "%s: the broker closed the connection "
					"before it "
					"accepted it (its log may say why)",
			bus->peer);
	else if (rc == MOSQ_ERR_KEEPALIVE)
		fault_set(&why, FAULT_UNAVAILABLE,
			"%s: the broker has not "
			"answered for %d s",
			bus->peer, BUS_KEEPALIVE_S);
	else
		fault_set(&why, FAULT_UNAVAILABLE, "%s: %s", bus->peer,
			rc == MOSQ_ERR_ERRNO ? strerror(errno)
					     : mosquitto_strerror(rc));
	give_up(bus, &why);
}

static void
subscribe(struct bus *bus, struct subscription *subscription)
{
	int rc = mosquitto_subscribe(bus->mosquitto, &subscription->mid,
		subscription->topic, qos(bus));

	subscription->seen = false;
	if (rc != MOSQ_ERR_SUCCESS)
		give_up_library(bus, rc);
}

void
bus_subscribe(struct bus *bus, const char *topic)
{
	bus->subscriptions = memory_resize(bus->subscriptions,
		bus->subscription_count + 1, sizeof(*bus->subscriptions));
	struct subscription
		*subscription = &bus->subscriptions[bus->subscription_count++];
	*subscription = (struct subscription){ .topic = memory_string(topic) };
	if (bus->mosquitto != NULL)
		subscribe(bus, subscription);
}

void
bus_publish(struct bus *bus, const char *topic, struct span bytes)
{
	if (bus->mosquitto == NULL || bus->why.kind != FAULT_NONE)
		return;
	assert(bytes.len <= INT32_MAX);
	/* Counted before: QoS 0 may be written within the call. */
	bus->unsent++;
	int rc = mosquitto_publish(bus->mosquitto, NULL, topic, (int)bytes.len,
		bytes.bytes, qos(bus), false);
	if (rc != MOSQ_ERR_SUCCESS)
		give_up_library(bus, rc);
}

size_t
bus_unsent(const struct bus *bus)
{
	return bus->unsent;
}

bool
bus_is_up(const struct bus *bus)
{
	return bus->state == STATE_UP;
}

const char *
bus_peer(const struct bus *bus)
{
	return bus->peer;
}

static void
check_up(struct bus *bus)
{
	if (bus->state != STATE_CONNECTING || !bus->accepted)
		return;
	for (size_t i = 0; i < bus->subscription_count; i++)
		if (!bus->subscriptions[i].seen)
			return;
	bus->state = STATE_UP;
	bus->rest_ms = BUS_BACKOFF_MIN_MS;
	routes_end(bus->routes);
	bus->calls.up(bus->calls.context);
}

static void
on_connect(struct mosquitto *mosquitto, void *context, int rc)
{
	struct bus *bus = context;
	struct fault why = { 0 };

	(void)mosquitto;
	if (rc == 0) {
		bus->accepted = true;
		check_up(bus);
		return;
	}
	/* MQTT 3.1.1, table 3.1: 4 and 5 are about who we are */
	fault_set(&why, rc == 4 || rc == 5 ? FAULT_NOPERM : FAULT_UNAVAILABLE,
		"%s: the broker does not accept the connection: %s", bus->peer,
		mosquitto_connack_string(rc));
	give_up(bus, &why);
}

static void
on_subscribe(struct mosquitto *mosquitto, void *context, int mid, int count,
	const int *granted)
{
	struct bus *bus = context;
	struct fault why = { 0 };

	(void)mosquitto;
	for (size_t i = 0; i < bus->subscription_count; i++) {
		struct subscription *subscription = &bus->subscriptions[i];

		if (subscription->mid != mid || subscription->seen)
			continue;
		subscription->seen = true;
		if (count < 1 || granted[0] < SUBACK_REFUSED)
			continue;
		fault_set(&why, FAULT_NOPERM,
			"%s: the broker does not let "
			"%s read %s (its operator can)",
			bus->peer, bus->conf->certificate, subscription->topic);
		give_up(bus, &why);
	}
	check_up(bus);
}

static void
on_publish(struct mosquitto *mosquitto, void *context, int mid)
{
	struct bus *bus = context;

	(void)mosquitto;
	(void)mid;
	if (bus->unsent > 0)
		bus->unsent--;
}

static void
on_message(struct mosquitto *mosquitto, void *context,
	const struct mosquitto_message *message)
{
	struct bus *bus = context;

	(void)mosquitto;
	bus->calls.message(bus->calls.context, span_of(message->topic),
		(struct span){ message->payloadlen > 0 ? message->payload : "",
			(size_t)message->payloadlen });
}

static int
set_will(struct bus *bus)
{
	struct text topic = { 0 }, bytes = { 0 };
	int rc = MOSQ_ERR_SUCCESS;

	if (bus->calls.will(bus->calls.context, &topic, &bytes))
		rc = mosquitto_will_set(bus->mosquitto, topic.bytes,
			(int)bytes.len, bytes.bytes, qos(bus), false);
	text_free(&topic);
	text_free(&bytes);
	return rc;
}

static int
set_up(struct bus *bus)
{
	struct mosquitto *mosquitto = mosquitto_new(bus->client_id, true, bus);

	if (mosquitto == NULL)
		return MOSQ_ERR_NOMEM;
	bus->mosquitto = mosquitto;
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
		tls_context(bus->tls));
	mosquitto_int_option(mosquitto, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	return set_will(bus);
}

/* Begins a connection: all of its first flight is queued here. */
static void
begin_attempt(struct bus *bus, const struct route *route, int64_t mono)
{
	struct fault why = { 0 };

	drop_connection(bus);
	free(bus->peer);
	bus->peer = memory_format(strchr(route->host, ':') != NULL ? "[%s]:%u"
								   : "%s:%u",
		route->host, (unsigned)route->port);
	bus->state = STATE_TCP;
	bus->deadline = mono + BUS_ATTEMPT_MS;
	bus->misc_mono = mono + MISC_MS;
	bus->tls = tls_new(bus->conf, bus->identity, route->host, &why);
	if (bus->tls == NULL) {
		give_up(bus, &why);
		return;
	}
	int rc = set_up(bus);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_connect_async(bus->mosquitto, route->address,
			route->port, BUS_KEEPALIVE_S);
	if (rc != MOSQ_ERR_SUCCESS) {
		give_up_library(bus, rc);
		return;
	}
	tls_gather(mosquitto_ssl_get(bus->mosquitto));
	for (size_t i = 0; i < bus->subscription_count; i++)
		subscribe(bus, &bus->subscriptions[i]);
	bus->calls.opened(bus->calls.context);
}

/* A round has found no way, or a connection that was up is lost. */
static void
rest(struct bus *bus, int64_t mono)
{
	unsigned char spread;

	identity_random(&spread, 1);
	int64_t wait = bus->rest_ms + bus->rest_ms * spread / 4 / 255;
	bus->state = STATE_RESTING;
	bus->deadline = mono + wait;
	bus->round_begun = false;
	bus->rest_ms = bus->rest_ms * 2 < BUS_BACKOFF_MAX_MS
		? bus->rest_ms * 2
		: BUS_BACKOFF_MAX_MS;
}

static void
fail_round(struct bus *bus, int64_t mono)
{
	struct fault why = bus->round_why;

	rest(bus, mono);
	bus->calls.failed(bus->calls.context, &why, bus->deadline - mono);
}

static void
choose(struct bus *bus, int64_t mono)
{
	const struct route *route;

	if (!bus->round_begun) {
		bus->round_begun = true;
		bus->round_why.kind = FAULT_NONE;
		if (routes_begin(bus->routes, mono, &bus->round_why) < 0) {
			fail_round(bus, mono);
			return;
		}
	}
	switch (routes_next(bus->routes, mono, &route)) {
	case ROUTES_READY:
		begin_attempt(bus, route, mono);
		break;
	case ROUTES_WAIT:
		bus->state = STATE_CHOOSING;
		break;
	case ROUTES_NONE:
		fail_round(bus, mono);
		break;
	}
}

/* What ended the connection was noted on the way; now it is safe to act. */
static void
end_connection(struct bus *bus, int64_t mono)
{
	struct fault why = bus->why;
	bool was_up = bus->state == STATE_UP;

	drop_connection(bus);
	if (was_up) {
		rest(bus, mono);
		bus->calls.lost(bus->calls.context, &why);
		return;
	}
	/* That a broker refuses us tells more than that another is silent. */
	if (bus->round_why.kind == FAULT_NONE ||
		bus->round_why.kind == FAULT_UNAVAILABLE)
		bus->round_why = why;
	choose(bus, mono);
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

/* What became of a TCP connection: 0 if it stands, else an errno.  The first
 * step of the handshake, too early, may have taken the error away. */
static int
tcp_error(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int error = socket_error(fd);

	if (error == 0 && getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
		return errno == ENOTCONN ? ECONNREFUSED : errno;
	return error;
}

static void
step_tcp(struct bus *bus, short events)
{
	struct fault why = { 0 };

	if ((events & (POLLOUT | POLLERR | POLLHUP)) == 0)
		return;
	int error = tcp_error(mosquitto_socket(bus->mosquitto));
	if (error == 0) {
		bus->state = STATE_CONNECTING;
		return;
	}
	fault_set(&why, FAULT_UNAVAILABLE,
		error == ECONNREFUSED ? "%s: %s (does the broker run there?)"
				      : "%s: %s",
		bus->peer, strerror(error));
	give_up(bus, &why);
}

/* libmosquitto tries the handshake for ever when the other side has closed
 * the connection within it. */
static void
check_closed(struct bus *bus, int fd)
{
	char byte;

	if (!bus->accepted && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		give_up_library(bus, MOSQ_ERR_CONN_LOST);
	int error = socket_error(fd);
	if (error != 0) {
		errno = error;
		give_up_library(bus, MOSQ_ERR_ERRNO);
	}
}

static void
step_read(struct bus *bus)
{
	SSL *ssl = mosquitto_ssl_get(bus->mosquitto);

	bus->more = false;
	for (int i = 0; i < READS_MAX; i++) {
		errno = 0;
		int rc = mosquitto_loop_read(bus->mosquitto, 1);
		if (rc != MOSQ_ERR_SUCCESS)
			give_up_library(bus, rc);
		if (bus->why.kind != FAULT_NONE || errno == EAGAIN ||
			!tls_pending(ssl))
			return;
	}
	bus->more = true;
}

static void
step_write(struct bus *bus)
{
	if (bus->why.kind != FAULT_NONE)
		return;
	if (mosquitto_want_write(bus->mosquitto)) {
		int rc = mosquitto_loop_write(bus->mosquitto, 1);

		if (rc != MOSQ_ERR_SUCCESS) {
			give_up_library(bus, rc);
			return;
		}
	}
	if (tls_flush(mosquitto_ssl_get(bus->mosquitto)) < 0)
		give_up_library(bus, MOSQ_ERR_CONN_LOST);
}

/* Is there anything that the socket has not taken? */
static bool
is_writing(const struct bus *bus)
{
	return mosquitto_want_write(bus->mosquitto) ||
		tls_flush(mosquitto_ssl_get(bus->mosquitto)) == 0;
}

static void
step_connection(struct bus *bus, short events, int64_t mono)
{
	struct fault why = { 0 };

	if (bus->state == STATE_TCP)
		step_tcp(bus, events);
	if (bus->state == STATE_TCP || bus->why.kind != FAULT_NONE)
		return;
	if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
		check_closed(bus, mosquitto_socket(bus->mosquitto));
	if (bus->why.kind == FAULT_NONE)
		step_read(bus);
	step_write(bus);
	if (bus->why.kind == FAULT_NONE && mono >= bus->misc_mono) {
		int rc = mosquitto_loop_misc(bus->mosquitto);

		bus->misc_mono = mono + MISC_MS;
		if (rc != MOSQ_ERR_SUCCESS)
			give_up_library(bus, rc);
	}
	if (bus->state != STATE_UP && mono >= bus->deadline) {
		fault_set(&why, FAULT_UNAVAILABLE, "%s: no answer within %d s",
			bus->peer, BUS_ATTEMPT_MS / 1000);
		give_up(bus, &why);
	}
}

void
bus_step(struct bus *bus, const struct pollfd *fds, size_t count, int64_t mono)
{
	short events = 0;

	routes_step(bus->routes, fds, count, mono);
	if (bus->state == STATE_RESTING && mono >= bus->deadline)
		bus->state = STATE_CHOOSING;
	if (bus->state == STATE_CHOOSING)
		choose(bus, mono);
	if (bus->mosquitto != NULL) {
		int fd = mosquitto_socket(bus->mosquitto);

		for (size_t i = 0; i < count; i++)
			if (fds[i].fd == fd)
				events = fds[i].revents;
		if (bus->why.kind == FAULT_NONE)
			step_connection(bus, events, mono);
	}
	/* An attempt that fails at once leads to the next. */
	while (bus->why.kind != FAULT_NONE)
		end_connection(bus, mono);
}

size_t
bus_fds(struct bus *bus, struct pollfd *fds)
{
	size_t count = routes_fds(bus->routes, fds);
	int fd = bus->mosquitto != NULL ? mosquitto_socket(bus->mosquitto) : -1;

	if (fd < 0)
		return count;
	fds[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (bus->state == STATE_TCP) {
		fds[count].events = POLLOUT;
	} else {
		/* What was published since the last step goes out now. */
		step_write(bus);
		if (bus->why.kind == FAULT_NONE && is_writing(bus))
			fds[count].events |= POLLOUT;
	}
#ifdef TCP_QUICKACK
	/* A broker with Nagle's algorithm waits for our acknowledgement before
	 * it sends on; the kernel forgets this wish (protocol.md, 14). */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
#endif
	return count + 1;
}

int64_t
bus_deadline(const struct bus *bus)
{
	int64_t deadline = routes_deadline(bus->routes);

	if (bus->more || bus->why.kind != FAULT_NONE)
		return 0;
	if (bus->state == STATE_CHOOSING)
		return bus->round_begun ? deadline : 0;
	if (bus->state != STATE_UP && bus->deadline < deadline)
		deadline = bus->deadline;
	if (bus->mosquitto != NULL && bus->state != STATE_TCP &&
		bus->misc_mono < deadline)
		deadline = bus->misc_mono;
	return deadline;
}

/* Waits until all that is queued is written.  This is the end of a
 * connection; nothing else is waited for within. */
static void
write_all(struct bus *bus)
{
	int left = BUS_CLOSE_MS;

	while (bus->why.kind == FAULT_NONE && left > 0) {
		struct pollfd fd = { mosquitto_socket(bus->mosquitto), POLLOUT,
			0 };

		step_write(bus);
		if (bus->why.kind != FAULT_NONE || !is_writing(bus))
			return;
		poll(&fd, 1, 20);
		left -= 20;
	}
}

/* Reads until the broker closes: closing first, with bytes unread, would
 * reset the connection and might take our last words with it. */
static void
drain(int fd)
{
	char bytes[4096];
	int left = DRAIN_MS;

	if (fd < 0)
		return;
	shutdown(fd, SHUT_WR);
	while (left > 0) {
		struct pollfd poll_fd = { fd, POLLIN, 0 };

		if (poll(&poll_fd, 1, 20) <= 0)
			left -= 20;
		else if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
			break;
	}
	close(fd);
}

void
bus_close(struct bus *bus)
{
	if (bus->state == STATE_UP) {
		write_all(bus);
		int fd = dup(mosquitto_socket(bus->mosquitto));
		/* libmosquitto closes right behind its DISCONNECT. */
		tls_ungather(mosquitto_ssl_get(bus->mosquitto));
		mosquitto_disconnect(bus->mosquitto);
		drain(fd);
	}
	drop_connection(bus);
	routes_end(bus->routes);
	bus->state = STATE_RESTING;
	bus->deadline = INT64_MAX;
}

void
bus_reconnect(struct bus *bus, int64_t mono)
{
	bus_close(bus);
	bus->round_begun = false;
	bus->rest_ms = BUS_BACKOFF_MIN_MS;
	bus->deadline = mono;
}
