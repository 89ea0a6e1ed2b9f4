/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CONNECTION_H
#define QCHAT_CONNECTION_H

#include "conf.h"
#include "fault.h"
#include "identity.h"
#include "route.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of `bus`: one connection to one broker, from TCP to its end.  It is
 * never made again: what goes wrong is its fault and its end. */
struct connection;

struct connection_calls {
	void *context;
	/* CONNACK is there. */
	void (*accepted)(void *context);
	/* So are all SUBACKs. */
	void (*up)(void *context);
	void (*message)(void *context, struct span topic, struct span bytes);
};

struct connection_config {
	const struct conf *conf;         /* borrowed until connection_free() */
	const struct identity *identity; /* for the call */
	const char *client_id;           /* for the call */
	bool durable;                    /* the broker keeps the session */
	bool patient; /* nothing will be sent before it has accepted us */
	const struct route *route; /* for the call */
	const char *will_topic;    /* NULL: no will */
	struct span will;
	struct connection_calls calls;
};

/* Begins the connection; does not wait.  Never NULL: what failed at once is
 * its fault. */
struct connection *connection_new(const struct connection_config *config,
	int64_t mono);

/* Without connection_leave() before, the broker publishes the will. */
void connection_free(struct connection *connection);

/* NULL while it lives. */
const struct fault *connection_fault(const struct connection *connection);

/* These go out in the order of the calls, right behind CONNECT.  A broker that
 * refuses us while they come may reset the connection, and its answer may be
 * lost with that: the fault is FAULT_HASTY then, and a patient connection can
 * tell more. */
void connection_subscribe(struct connection *connection, const char *topic);
void connection_unsubscribe(struct connection *connection, const char *topic);
void connection_publish(struct connection *connection, const char *topic,
	struct span bytes);

/* Published, and not yet written (QoS 0) or acknowledged (QoS 1). */
size_t connection_unsent(const struct connection *connection);
size_t connection_unsent_bytes(const struct connection *connection);

/* Is what was published still on its way, as far as can be told: more of it has
 * left since the last call, or what is not acknowledged (QoS 1) is so much that
 * a slow network needs that time? */
bool connection_is_moving(struct connection *connection, int64_t mono);

bool connection_is_up(const struct connection *connection);

/* "host:port" */
const char *connection_peer(const struct connection *connection);

/* Writes what it can; returns the descriptor to poll, and for which events. */
int connection_fd(struct connection *connection, short *events);
int64_t connection_deadline(const struct connection *connection);
void connection_step(struct connection *connection, short events, int64_t mono);

/* Sends what is queued and DISCONNECT, waiting until mono ms at most.  Then
 * only connection_drain() and connection_free(). */
void connection_leave(struct connection *connection, int64_t until);

/* Waits until the broker has closed its side, until mono ms at most. */
void connection_drain(struct connection *connection, int64_t until);

#endif
