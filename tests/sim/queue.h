/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_QUEUE_H
#define QCHAT_SIM_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* What is going to happen, soonest first; of the same time, what was put in
 * first. */

struct packet;

enum event_kind {
	/* At a broker, from a node: */
	EVENT_UP_CONNECT,    /* packet: its will; value: subscribes the room */
	EVENT_UP_ATTEND,     /* value: the room or not */
	EVENT_UP_PUBLISH,    /* packet */
	EVENT_UP_DISCONNECT, /* it left */
	EVENT_LINK_MISSED,   /* the broker sees that a link is gone */
	EVENT_BRIDGE, /* packet, from the other broker; value: to which */
	/* At a node: */
	EVENT_DOWN_CONNECTED,
	EVENT_DOWN_REFUSED,
	EVENT_DOWN_PUBLISH, /* packet */
	EVENT_CONNECT,      /* tries to connect */
	EVENT_LOSE,         /* sees that its link is gone */
	EVENT_THAW,
	/* Of the story: */
	EVENT_ACT, /* value: enum act */
};

struct event {
	int64_t mono;
	uint64_t serial; /* set by queue_push() */
	enum event_kind kind;
	int node;       /* index; -1: none */
	uint32_t epoch; /* of the node's link */
	int64_t value;
	struct packet *packet; /* owned */
};

struct queue {
	struct event *events; /* a binary heap */
	size_t count, size;
	uint64_t serial;
};

void queue_push(struct queue *queue, struct event event);

/* When the first is due, INT64_MAX if there is none. */
int64_t queue_next(const struct queue *queue);

/* Takes the first out; there must be one. */
struct event queue_pop(struct queue *queue);

#endif
