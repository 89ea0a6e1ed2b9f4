/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_BUS_H
#define QCHAT_BUS_H

#include "conf.h"
#include "fault.h"
#include "identity.h"
#include "text.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * MQTT 3.1.1 over TLS: one connection to whichever broker of the settings
 * answers first, kept up.  Drives libmosquitto without threads and without
 * waiting: the caller polls the descriptors and calls bus_step().
 *
 * All is published and subscribed to at QoS 1 on `mqtt`, and at QoS 0 on
 * `dxl`, where QoS 1 is swallowed (protocol.md, 2.2).  One QoS for all, as
 * mosquitto lets a message of QoS 0 overtake those of QoS 1 that wait: a bye
 * would come before the last words.
 */
struct bus;

enum {
	BUS_KEEPALIVE_S = 30,
	BUS_ATTEMPT_MS = 10 * 1000, /* from TCP to the last SUBACK */
	BUS_PROBE_MS = 1000,        /* to measure brokers (protocol.md, 3.5) */
	BUS_BACKOFF_MIN_MS = 250,   /* doubled after each round … */
	BUS_BACKOFF_MAX_MS = 30 * 1000, /* … up to this, and a random quarter,
					 * … */
	/* … or this for who was connected once: who says something after an
	 * outage waits for those who lost the broker with it, and has to know
	 * for how long. */
	BUS_RETURN_MS = 1000,
	/* After a connection that was up the rests are counted for
	 * themselves: doubled up to this, … */
	BUS_FLAPPING_MS = 1000,
	BUS_STEADY_MS = 3000, /* … anew after one that lasted so long */
	BUS_CLOSE_MS = 1000,  /* to send what is queued, at the end */
	BUS_FDS_MAX = 36,
};

/* What a bus does.  Nothing may close or free the bus from these. */
struct bus_calls {
	void *context;
	/* A connection is about to be made: fill in topic and bytes of its
	 * will, or return false. */
	bool (*will)(void *context, struct text *topic, struct text *bytes);
	/* It is being made: what is published now is its first flight. */
	void (*opened)(void *context);
	/* The broker has accepted it and acknowledged all subscriptions. */
	void (*up)(void *context);
	/* A connection that was up is lost; another is on its way. */
	void (*lost)(void *context, const struct fault *why);
	/* No broker could be connected to in a whole round; the next round
	 * begins by itself, after a rest. */
	void (*failed)(void *context, const struct fault *why);
	void (*message)(void *context, struct span topic, struct span bytes);
};

/* conf and identity are borrowed until bus_free().  client_id is the MQTT
 * client id.  With durable the broker keeps subscriptions, and what comes for
 * them, while nobody is connected under that id.  Connects at the first
 * bus_step(). */
struct bus *bus_new(const struct conf *conf, const struct identity *identity,
	const char *client_id, bool durable, const struct bus_calls *calls);

/* Drops the connection as it is; the broker publishes the will. */
void bus_free(struct bus *bus);

/* Subscribes, now if there is a connection and again with each new one; once,
 * however often it is asked to. */
void bus_subscribe(struct bus *bus, const char *topic);
void bus_unsubscribe(struct bus *bus, const char *topic);

/* Publishes on the connection that there is, or is being made.  Without one
 * the message is dropped: the caller says it again when `opened` is called. */
void bus_publish(struct bus *bus, const char *topic, struct span bytes);

/* Of what was published on this connection: how many are not yet written
 * (QoS 0) or acknowledged (QoS 1). */
size_t bus_unsent(const struct bus *bus);

size_t bus_unsent_bytes(const struct bus *bus);

/* Is it still on its way, as far as can be told: more of it has left since the
 * last call, or what is not acknowledged (QoS 1) is so much that a slow network
 * needs that time? */
bool bus_is_moving(struct bus *bus, int64_t mono);

/* Leaves this connection, and makes another at once. */
void bus_reconnect(struct bus *bus, int64_t mono);

/* Sends what is queued and DISCONNECT, waiting until mono ms at most.  Then
 * only bus_close(). */
void bus_leave(struct bus *bus, int64_t until);

/* Waits until the broker has seen the end of it, until mono ms at most. */
void bus_close(struct bus *bus, int64_t until);

/* "host:port" of the connection that there is or is being made, or "". */
const char *bus_peer(const struct bus *bus);

/* Fills in what to poll for; returns how many (up to BUS_FDS_MAX).  To be
 * called right before each poll. */
size_t bus_fds(struct bus *bus, struct pollfd *fds);

/* When bus_step() wants to be called at the latest (mono ms). */
int64_t bus_deadline(const struct bus *bus);

/* Does what can be done without waiting.  fds is what bus_fds() gave. */
void bus_step(struct bus *bus, const struct pollfd *fds, size_t count,
	int64_t mono);

#endif
