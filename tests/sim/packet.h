/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_PACKET_H
#define QCHAT_SIM_PACKET_H

#include "text.h"
#include "world.h"

/* What was published; shared by all to whom it goes. */
struct packet {
	int references;
	int from;  /* node */
	bool room; /* to the room, or else to an inbox */
	int to;    /* the node whose inbox it is; -1: nobody's */
	char *topic;
	struct text bytes;
	/* what it is, for the bookkeeping */
	int64_t type;  /* -1: no message */
	int uid;       /* node; -1: none that we know */
	int64_t first; /* type 1: numbers */
	int64_t last;
	int64_t top; /* the newest number that it tells of; -1: of none */
	bool ranged; /* type 6: numbers, and not a time */
	bool again;  /* type 1: its sender had given it up */
	struct told {
		int uid;
		int64_t top;
	} heads[ROOM_HEADS_MAX]; /* type 2: what it tells of others */
	int head_count;
};

struct packet *packet_new(struct world *world, int from, const char *topic,
	struct span bytes);
struct packet *packet_share(struct packet *packet);
void packet_free(struct packet *packet); /* once by each; NULL is allowed */

/* Puts what it is in place of *text, for the trace. */
void packet_describe(const struct world *world, const struct packet *packet,
	struct text *text);

#endif
