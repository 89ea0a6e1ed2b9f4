/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_WORLD_H
#define QCHAT_SIM_WORLD_H

#include "dice.h"
#include "member.h"
#include "queue.h"

/*
 * A small world in virtual time, made of a seed: members, the fabric between
 * them, what they do and what befalls them.
 *
 *	world.c   time, and what all share
 *	story.c   who is there and what happens, drawn from the seed
 *	act.c     what happens, when it does
 *	node.c    a process with one member
 *	spool.c   what such processes leave unsaid
 *	link.c    its connection
 *	fabric.c  the brokers, and what they lose
 *	packet.c  what is published
 *	check.c   the promises that are checked at each step
 *	gap.c     whether a gap was told too early
 *	settle.c  those that are checked at the end
 */

#define SIM_ROOM "sim"

enum {
	NODES_MAX = 40,
	NUMBERS_MAX = 120, /* that one says */
	FROZEN_MAX = 20,   /* packets that wait for a frozen process */
	SPOOL_MAX = 256,
	SETTLE_MS = 330 * 1000, /* a minute, until its digest is told, and
				 * until all that is missing has come; then: */
	QUIET_MS = 120 * 1000,  /* nothing but pings */
	TICKS_MAX = 10000,      /* at the same virtual millisecond */
	EVENTS_MAX = 1000 * 1000,
	SKEW_MAX_MS = 1500,
};

enum promise {
	PROMISE_DELIVERED, /* all, in order, or told to be missing */
	PROMISE_ONCE,      /* nothing twice, nothing that was not said */
	PROMISE_CATCH_UP,  /* a newcomer gets what it asked for, first */
	PROMISE_PROOF,     /* what is called proved was routed */
	PROMISE_TRAFFIC,   /* is bounded, and ceases */
	PROMISE_SETTLED,   /* nobody spins, waits or lingers for ever */
	PROMISES,
};

/* What a run has exercised. */
enum seen {
	SEEN_CALM,
	SEEN_LOSS,
	SEEN_BURST,
	SEEN_DOUBLE,
	SEEN_STALL,
	SEEN_REORDER,
	SEEN_LINK_LOST,
	SEEN_HALF_OPEN,
	SEEN_CRASH,
	SEEN_PARTITION,
	SEEN_FREEZE,
	SEEN_OVERFLOW,
	SEEN_SKEW,
	SEEN_FORGETFUL,
	SEEN_RESTORED,
	SEEN_RESTORED_STALE,
	SEEN_SMALL_STORE,
	SEEN_STREAM,
	SEEN_STREAM_RECONNECT,
	SEEN_LONE_POST,
	SEEN_SPOOLED,
	SEEN_FLUSHED,
	SEEN_FLUSH_BROKEN,
	SEEN_NEWCOMER,
	SEEN_REPLAYED,
	SEEN_EXACT,
	SEEN_ASKED_INBOX,
	SEEN_ASKED_ROOM,
	SEEN_ASKED_TIME,
	SEEN_SERVED_INBOX,
	SEEN_SERVED_ROOM,
	SEEN_REPAIRED,
	SEEN_GAP,
	SEEN_LATE,
	SEEN_RETRY,
	SEEN_UNPROVED,
	SEEN_AGAIN,
	SEEN_KINDS,
};

struct totals {
	uint64_t said; /* records */
	uint64_t said_bytes;
	uint64_t delivered; /* records, to participants */
	uint64_t replayed;  /* of them */
	uint64_t repaired;  /* messages */
	uint64_t gaps;      /* numbers */
	uint64_t events;
	uint64_t published; /* messages */
	uint64_t bytes;
	uint64_t bytes_share, published_share; /* % of what is allowed */
	uint64_t seen;                         /* a bit for each enum seen */
};

/* How often a broker does wrong in a storm, of 1000 deliveries. */
struct faults {
	int loss, burst, twice, stall, reorder;
	int up_twice; /* of 1000 publications */
	int flaky;    /* of 1000 connections: lost soon */
	bool holds;   /* a parted bridge keeps what it has */
	int64_t latency, jitter;
};

struct node;

/* An envelope that waits in the spool. */
struct spooled {
	int sender, post;
	struct text envelope;
};

struct world {
	uint64_t seed;
	bool trace;
	struct dice dice;
	struct instant now;
	struct queue queue;
	struct node *nodes[NODES_MAX];
	int node_count;

	struct faults faults;
	bool calm;   /* there is no storm at all */
	bool storm;  /* faults happen now */
	bool two;    /* brokers */
	bool parted; /* the bridge between them is cut */
	int64_t parted_until;
	int held;               /* packets before the bridge */
	int64_t down_until[2];  /* of a broker */
	int64_t bridge_last[2]; /* arrival of the newest */

	struct spooled spool[SPOOL_MAX];
	int spool_count;
	int64_t said_mono;  /* when something was last said */
	int64_t acted_mono; /* when something was last done */
	int64_t noise_mono; /* when anything but a ping was last said */
	char noise[200];
	int64_t minutes; /* of members */

	bool broken;
	enum promise promise;
	char failure[600];
	struct totals totals;
};

/* Runs the world of this seed to its end, or until a promise is broken. */
void world_run(struct world *world, uint64_t seed, bool trace);
void world_free(struct world *world);

/* A promise is broken: the first is kept, and ends the run. */
void world_break(struct world *world, enum promise promise, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static inline void
world_see(struct world *world, enum seen what)
{
	world->totals.seen |= UINT64_C(1) << what;
}

/* A line of the trace, if there is one. */
#define world_trace(world, ...)                            \
	do {                                               \
		if ((world)->trace)                        \
			world_print((world), __VA_ARGS__); \
	} while (0)
void world_print(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

const char *world_promise_name(enum promise promise);
const char *world_seen_name(enum seen what);

#endif
