/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include "connection.h"
#include "memory.h"
#include "route.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)ROUTES_MAX < (int)BUS_FDS_MAX,
	"all routes and a connection");

struct bus {
	const struct conf *conf;
	const struct identity *identity;
	char *client_id;
	bool durable;
	struct bus_calls calls;
	char **topics; /* to be subscribed to */
	size_t topic_count;

	struct routes *routes;
	struct connection *connection; /* or NULL: measuring, or resting */
	bool is_open;                  /* and its first flight is queued */
	char *peer;                    /* of the last one */
	bool round_begun;
	struct fault round_why; /* the most telling of this round */
	enum fault_term term;   /* of the last round; up: FAULT_PASSING */
	int64_t connected_mono; /* when the last one was begun */
	int64_t rest_until;     /* mono ms */
	bool was_up;            /* any of them */
	int64_t rest_ms;        /* after the next round that fails */
	int64_t flap_ms;        /* after the next connection that is lost */
};

struct bus *
bus_new(const struct conf *conf, const struct identity *identity,
	const char *client_id, bool durable, const struct bus_calls *calls)
{
	struct bus *bus = memory_alloc(1, sizeof(*bus));

	bus->conf = conf;
	bus->identity = identity;
	bus->client_id = memory_string(client_id);
	bus->durable = durable;
	bus->calls = *calls;
	bus->routes = routes_new(conf);
	bus->peer = memory_string("");
	bus->rest_ms = bus->flap_ms = BUS_BACKOFF_MIN_MS;
	return bus;
}

void
bus_free(struct bus *bus)
{
	if (bus == NULL)
		return;
	connection_free(bus->connection);
	routes_free(bus->routes);
	for (size_t i = 0; i < bus->topic_count; i++)
		free(bus->topics[i]);
	free(bus->topics);
	free(bus->client_id);
	free(bus->peer);
	free(bus);
}

/* Where it is among the topics, or topic_count. */
static size_t
find_topic(const struct bus *bus, const char *topic)
{
	size_t i = 0;

	while (i < bus->topic_count && strcmp(bus->topics[i], topic) != 0)
		i++;
	return i;
}

void
bus_unsubscribe(struct bus *bus, const char *topic)
{
	size_t i = find_topic(bus, topic);

	if (i == bus->topic_count)
		return;
	free(bus->topics[i]);
	bus->topics[i] = bus->topics[--bus->topic_count];
	if (bus->is_open)
		connection_unsubscribe(bus->connection, topic);
}

void
bus_subscribe(struct bus *bus, const char *topic)
{
	if (find_topic(bus, topic) < bus->topic_count)
		return;
	bus->topics = memory_resize(bus->topics, bus->topic_count + 1,
		sizeof(*bus->topics));
	bus->topics[bus->topic_count++] = memory_string(topic);
	if (bus->is_open)
		connection_subscribe(bus->connection, topic);
}

void
bus_publish(struct bus *bus, const char *topic, struct span bytes)
{
	if (bus->is_open)
		connection_publish(bus->connection, topic, bytes);
}

size_t
bus_unsent(const struct bus *bus)
{
	return bus->connection != NULL ? connection_unsent(bus->connection) : 0;
}

size_t
bus_unsent_bytes(const struct bus *bus)
{
	return bus->connection != NULL
		? connection_unsent_bytes(bus->connection)
		: 0;
}

bool
bus_is_moving(struct bus *bus, int64_t mono)
{
	return bus->connection != NULL &&
		connection_is_moving(bus->connection, mono);
}

const char *
bus_peer(const struct bus *bus)
{
	return bus->peer;
}

/* All of the first flight of a connection is queued here. */
static void
open_connection(struct bus *bus)
{
	bus->is_open = true;
	for (size_t i = 0; i < bus->topic_count; i++)
		connection_subscribe(bus->connection, bus->topics[i]);
	bus->calls.opened(bus->calls.context);
}

static void
on_accepted(void *context)
{
	struct bus *bus = context;

	if (!bus->is_open)
		open_connection(bus);
}

static void
on_up(void *context)
{
	struct bus *bus = context;

	bus->was_up = true;
	bus->term = FAULT_PASSING;
	bus->rest_ms = BUS_BACKOFF_MIN_MS;
	routes_end(bus->routes);
	bus->calls.up(bus->calls.context);
}

/* Does a round that ended so not tell enough? */
static bool
is_to_be_tried_again(enum fault_term term)
{
	return term == FAULT_HASTY || term == FAULT_DOUBTFUL;
}

static void
on_message(void *context, struct span topic, struct span bytes)
{
	struct bus *bus = context;

	bus->calls.message(bus->calls.context, topic, bytes);
}

/* Begins a connection, and sends on behind CONNECT: a round trip less.  After a
 * round that is to be tried again it waits for CONNACK. */
static void
connect_by(struct bus *bus, const struct route *route, int64_t mono)
{
	struct text topic = { 0 }, bytes = { 0 };
	struct connection_config config = {
		.conf = bus->conf,
		.identity = bus->identity,
		.client_id = bus->client_id,
		.durable = bus->durable,
		.patient = is_to_be_tried_again(bus->term),
		.route = route,
		.calls = { bus, on_accepted, on_up, on_message },
	};

	if (bus->calls.will(bus->calls.context, &topic, &bytes)) {
		config.will_topic = topic.bytes;
		config.will = (struct span){ bytes.bytes, bytes.len };
	}
	bus->connection = connection_new(&config, mono);
	bus->connected_mono = mono;
	text_free(&topic);
	text_free(&bytes);
	free(bus->peer);
	bus->peer = memory_string(connection_peer(bus->connection));
	if (!config.patient)
		open_connection(bus);
}

static void
drop_connection(struct bus *bus)
{
	connection_free(bus->connection);
	bus->connection = NULL;
	bus->is_open = false;
}

/* For *ms and a random quarter; the next one twice as long, at most max. */
static void
rest(struct bus *bus, int64_t *ms, int64_t max, int64_t mono)
{
	unsigned char spread;

	identity_random(&spread, 1);
	bus->rest_until = mono + *ms + *ms * spread / 4 / 255;
	bus->round_begun = false;
	*ms = *ms * 2 < max ? *ms * 2 : max;
}

static void
fail_round(struct bus *bus, int64_t mono)
{
	struct fault why = bus->round_why;
	enum fault_term before = bus->term;

	rest(bus, &bus->rest_ms,
		bus->was_up ? BUS_RETURN_MS : BUS_BACKOFF_MAX_MS, mono);
	bus->term = why.term;
	/* What is new is no failure yet. */
	if (is_to_be_tried_again(why.term) && why.term != before)
		return;
	if (why.term == FAULT_DOUBTFUL)
		why.term = FAULT_LASTING;
	bus->calls.failed(bus->calls.context, &why);
}

/* Without a connection and a rest: the next way, or the end of the round. */
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
		connect_by(bus, route, mono);
		break;
	case ROUTES_WAIT:
		break;
	case ROUTES_NONE:
		fail_round(bus, mono);
		break;
	}
}

/* That a broker refuses us tells more than that another is silent; what an
 * attempt more can tell is not lost to that. */
static bool
is_telling(const struct fault *why, const struct fault *before)
{
	return before->kind == FAULT_NONE ||
		(before->kind == FAULT_UNAVAILABLE &&
			(why->kind != FAULT_UNAVAILABLE ||
				!is_to_be_tried_again(before->term)));
}

/* The connection has ended: another, or a rest. */
static void
replace(struct bus *bus, int64_t mono)
{
	struct fault why = *connection_fault(bus->connection);
	bool was_up = connection_is_up(bus->connection);

	drop_connection(bus);
	if (was_up) {
		/* A broker that ends each connection right away is not to be
		 * asked four times a second for ever. */
		if (mono - bus->connected_mono >= BUS_STEADY_MS)
			bus->flap_ms = BUS_BACKOFF_MIN_MS;
		rest(bus, &bus->flap_ms, BUS_FLAPPING_MS, mono);
		/* There are others: at once. */
		if (bus->conf->broker_count > 1 &&
			mono - bus->connected_mono >= BUS_STEADY_MS)
			bus->rest_until = mono;
		bus->calls.lost(bus->calls.context, &why);
		return;
	}
	if (is_telling(&why, &bus->round_why))
		bus->round_why = why;
	choose(bus, mono);
}

void
bus_step(struct bus *bus, const struct pollfd *fds, size_t count, int64_t mono)
{
	short wanted;

	routes_step(bus->routes, fds, count, mono);
	if (bus->connection == NULL && mono >= bus->rest_until)
		choose(bus, mono);
	if (bus->connection != NULL) {
		int fd = connection_fd(bus->connection, &wanted);
		short events = 0;

		for (size_t i = 0; i < count; i++)
			if (fds[i].fd == fd)
				events = fds[i].revents;
		connection_step(bus->connection, events, mono);
	}
	/* One that fails at once leads to the next. */
	while (bus->connection != NULL &&
		connection_fault(bus->connection) != NULL)
		replace(bus, mono);
}

size_t
bus_fds(struct bus *bus, struct pollfd *fds)
{
	size_t count = routes_fds(bus->routes, fds);
	short events;
	int fd = bus->connection != NULL
		? connection_fd(bus->connection, &events)
		: -1;

	if (fd < 0)
		return count;
	fds[count] = (struct pollfd){ .fd = fd, .events = events };
	return count + 1;
}

int64_t
bus_deadline(const struct bus *bus)
{
	int64_t deadline = routes_deadline(bus->routes);
	int64_t other = bus->connection != NULL
		? connection_deadline(bus->connection)
		: bus->round_begun ? INT64_MAX
				   : bus->rest_until;

	return other < deadline ? other : deadline;
}

void
bus_leave(struct bus *bus, int64_t until)
{
	if (bus->connection != NULL)
		connection_leave(bus->connection, until);
	routes_end(bus->routes);
	bus->round_begun = false;
	bus->rest_until = INT64_MAX;
}

void
bus_close(struct bus *bus, int64_t until)
{
	if (bus->connection != NULL)
		connection_drain(bus->connection, until);
	drop_connection(bus);
}

void
bus_reconnect(struct bus *bus, int64_t mono)
{
	/* Whatever is lost with it will be said again. */
	bus_leave(bus, mono);
	drop_connection(bus);
	bus->rest_ms = BUS_BACKOFF_MIN_MS;
	bus->rest_until = mono;
}
