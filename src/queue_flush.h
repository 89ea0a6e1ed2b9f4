/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_QUEUE_FLUSH_H
#define QCHAT_QUEUE_FLUSH_H

#include "queue_state.h"

/* What the files of a flush share. */

enum flush_state {
	FLUSH_WAITS,
	FLUSH_ON_WAY, /* said and not proved */
	FLUSH_PROVED,
	FLUSH_LEFT, /* in the spool, or set aside */
};

struct flush_item {
	const struct spool_entry *entry;
	enum flush_state state;
	int losses; /* connections that were lost with it on its way */
};

struct flush {
	struct queue *queue;
	const struct cli *cli;
	enum queue_extent extent;
	int64_t timeout_ms;
	struct session *session;
	struct spool_list list;
	struct flush_item *items; /* what there is to send, in that order */
	size_t item_count;
	size_t next;   /* none before it waits */
	size_t on_way; /* so many are */
	bool alone;    /* nothing may join what is on its way */

	bool lost; /* a connection, and that is to be seen to */
	struct fault lost_why;
	bool after_outage;     /* others may have lost the broker, too */
	int64_t hold_mono;     /* so nothing is sent before this */
	int64_t down_mono;     /* since when there is no connection */
	int64_t unsteady_mono; /* when one was lost first, with no proof since
				*/
	int64_t end_mono;      /* when to leave the rest */

	size_t sent;
	size_t refused;    /* no echo: they stay */
	size_t costly;     /* they cost one connection after the other */
	size_t withheld;   /* said under a secret that is gone: they stay */
	size_t aside;      /* not to be sent any more */
	size_t unsendable; /* now */
	size_t elsewhere;  /* for other fabrics: left alone */
	const struct spool_entry *first_elsewhere;
	size_t others; /* said under other names: left alone, too */
	const struct spool_entry *first_other;
	bool stuck; /* a message could not be removed */
	struct fault *fault;
};

/* It is sent: away with it. */
void flush_proved(struct flush *flush, struct flush_item *item);

/* It has no echo, or its room may not be read: it stays. */
void flush_refused(struct flush *flush, struct flush_item *item,
	const char *why);

/* It cost one connection after the other: it stays. */
void flush_costly(struct flush *flush, struct flush_item *item);

/* It was said in a sealed room, and we have no secret of that: it stays. */
void flush_withheld(struct flush *flush, struct flush_item *item);

/* It is never sent. */
void flush_set_aside(struct flush *flush, const char *name,
	enum spool_state why, const char *reason);

/* It could not be read, or said.  What is damaged, or is for a room that cannot
 * be, is set aside; what has gone is no matter; all else is for another time.
 */
void flush_unsendable(struct flush *flush, const char *name,
	const struct fault *why);

/* What the end of it means for who asked for it. */
enum queue_flushed flush_judge(struct flush *flush);

#endif
