/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_NODE_H
#define QCHAT_SIM_NODE_H

#include "packet.h"
#include "world.h"

/* A process with one member in it.  It stays in the world's list when it has
 * gone. */

enum node_kind {
	NODE_PARTICIPANT,
	NODE_STREAM,
	NODE_POSTER, /* one post, then it goes */
	NODE_FLUSH,  /* says what is in the spool */
};

enum node_link {
	LINK_NONE,
	LINK_OPEN, /* CONNECT is on its way */
	LINK_UP,
};

/* What was said at once. */
struct post {
	int64_t first, last;
	int64_t mono; /* when */
	int64_t ms;   /* the same, by the sender's wall clock */
	bool single;  /* one record, of two lines */
	int routed;   /* so often by a broker */
	bool echoed;  /* came back to who waited for it */
	bool given_up;
	int64_t proved; /* mono; 0: not */
};

/* What a participant has of one sender.  Times are mono, 0 for never. */
struct ledger {
	int64_t first, high; /* delivered, or told to be missing; 0: nothing */
	int64_t heard;       /* when it first knew of this sender */
	enum ledger_state {
		LEDGER_NOTHING,
		LEDGER_DELIVERED,
		LEDGER_REPLAYED,
		LEDGER_GAP,
	} state[NUMBERS_MAX + 1];
	int64_t has[NUMBERS_MAX + 1];   /* since when this process has it */
	int64_t known[NUMBERS_MAX + 1]; /* … knows that it must be there */
	int64_t known_top;
	bool arrived[NUMBERS_MAX + 1]; /* was heard in the room, in order */
	int64_t arrived_top;
	bool came_late[NUMBERS_MAX + 1]; /* … after it was told to be missing */
};

/* Of a flush: a post that it says again. */
struct resent {
	int sender, post;
	bool proved;
};

struct node {
	struct world *world;
	int index;
	enum node_kind kind;
	char name[16]; /* in the trace, and as user */
	char uid[33], inbox[48];
	struct member *member; /* NULL: not yet, or no longer there */
	int64_t skew, lag;     /* of its clock, of its ticks */
	int64_t catch_up_records, catch_up_since;
	size_t store_count;
	struct text state; /* to restore */

	/* times, mono; 0: never */
	int64_t started, began, first_up, gone;
	int64_t disturbed; /* when a fault touched it last */
	int64_t wake;      /* INT64_MAX: not */
	int64_t ticked;    /* when it had its last tick, … */
	int ticks;         /* … and how many then */

	/* link */
	enum node_link link;
	uint32_t epoch;     /* of the link */
	bool dead;          /* nothing passes, but it does not know yet */
	bool attends;       /* the room, as it wishes */
	uint32_t cut_epoch; /* of this link … */
	int64_t cut;        /* … arrives what would until then */
	int64_t up_last, down_last; /* arrival of the newest */
	int64_t away_until;         /* there is no network */
	int64_t backoff, connect_at;
	int burst; /* so many of the next are lost */

	/* what the broker knows of it */
	int side;
	bool session, subscribed;
	uint32_t session_epoch;
	struct packet *will;

	/* frozen */
	int64_t frozen_until;
	struct packet *waiting[FROZEN_MAX];
	int waiting_count;
	bool lost; /* its link, meanwhile */

	/* what it says */
	struct post posts[NUMBERS_MAX + 1];
	int post_count;
	int post_of[NUMBERS_MAX + 1];
	int64_t last;
	int64_t to_say; /* lines that a stream still has */
	int64_t pace;   /* ms between its chunks */
	bool told;      /* … and to finish: all was said */
	bool retry;     /* wants a fresh connection */
	bool failed;    /* a post was given up */
	int64_t proved; /* mono: something was, */
	int64_t wanted; /* … was asked for */
	struct resent resent[SPOOL_MAX];
	int resent_count;

	/* what it is told */
	struct ledger *ledgers; /* of NODES_MAX; participants only */
	bool own_shown[NUMBERS_MAX + 1];
	bool veteran; /* there before anything was said, till the end */
	bool live;    /* something not replayed was delivered */
	bool exact;   /* it is known what it has to catch up with */
	int ancestor; /* whose state it restored; -1 */
	int64_t pings;
	int64_t pings_minute[3]; /* when the last ones were */
};

/* Makes a process that is yet to be started. */
struct node *node_add(struct world *world, enum node_kind kind);
void node_start(struct node *node);
void node_free(struct node *node);

struct instant node_now(const struct node *node);

/* The member was called: looks at what it wants. */
void node_touch(struct node *node);
void node_tick(struct node *node);

/* Says lines, or a single post of two. */
void node_say(struct node *node, int64_t lines, bool single);

/* Says again all that was given up. */
void node_say_again(struct node *node);

/* Nothing more will be said. */
void node_finish(struct node *node);

/* Says goodbye and is gone. */
void node_leave(struct node *node);

/* Is gone without a word; what is not proved goes to the spool if that is
 * wanted. */
void node_kill(struct node *node, bool spool);

/* The node with this UID, or NULL. */
struct node *node_of_uid(const struct world *world, struct span uid);

/* What it said under this number, or NULL. */
struct post *node_post(struct node *node, int64_t number);

/* Puts the text of a number in place of *text. */
void node_text(const struct node *node, int64_t number, bool single,
	struct text *text);

static inline bool
node_is_frozen(const struct node *node)
{
	return node->frozen_until > 0;
}

/* Hears and is heard. */
static inline bool
node_is_well(const struct node *node)
{
	return node->member != NULL && node->link == LINK_UP && !node->dead &&
		!node_is_frozen(node);
}

/* A fault touches it until then. */
static inline void
node_disturb(struct node *node, int64_t mono)
{
	if (node->disturbed < mono)
		node->disturbed = mono;
}

#endif
