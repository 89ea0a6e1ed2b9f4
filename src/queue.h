/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_QUEUE_H
#define QCHAT_QUEUE_H

#include "cli.h"
#include "conf.h"
#include "fault.h"
#include "session.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What qchat-say could not deliver: kept in the spool of this user,
 * $XDG_STATE_HOME/qchat/spool, and sent later.  What is kept has its UID, its
 * number and its time already, so that it cannot be delivered twice.
 */
struct queue;

/* Never NULL; touches nothing yet.  conf tells its limits and the fabric, and
 * is borrowed until queue_free().  It may be NULL, for queue_list() alone: then
 * the limits are the common ones. */
struct queue *queue_open(const struct conf *conf);
void queue_free(struct queue *queue);

/*
 * Keeps all that waits for its proof in a member, which it is taken from.
 * *kept is increased by how many messages.  It is for the fabric of conf, and
 * is sent to no other (see destination.h).  A signal that `during` lets through
 * ends the waiting for another process that keeps something: FAULT_UNAVAILABLE.
 * 0, or -1 with FAULT_CANTCREAT,
 * FAULT_IO, FAULT_NOPERM, or FAULT_CONFIG (the CA file cannot be read any
 * more); the member has then what could not be kept.
 */
int queue_keep(struct queue *queue, struct member *member, const char *user,
	const sigset_t *during, size_t *kept, struct fault *fault);

/*
 * Those who listen lost the broker when we could not reach it, and may be back
 * a moment later than it is: what is said meanwhile is proved, and nobody has
 * it.  So an outage is remembered in the spool's folder until something was
 * said that waited for them.  Of several fabrics the last one is.  That this
 * cannot be written is no fault.
 */
void queue_note_outage(struct queue *queue);

/* Is one remembered, so that others may not be back yet? */
bool queue_had_outage(struct queue *queue);

void queue_end_outage(struct queue *queue);

/* What a flush is about. */
enum queue_extent {
	QUEUE_FRESH, /* what was not sent in vain before, in a bounded time */
	QUEUE_ALL,
};

/* Does any such thing wait? */
bool queue_waits(const struct queue *queue, enum queue_extent extent);

enum queue_flushed {
	QUEUE_FLUSH_FAILED = -1,
	QUEUE_FLUSH_DONE,      /* nothing of that extent waits any more */
	QUEUE_FLUSH_BUSY,      /* another process is at it */
	QUEUE_FLUSH_ELSEWHERE, /* all that waits is for other settings */
};

/*
 * Sends what waits for the fabric of conf over one connection, oldest first and
 * behind that what was sent in vain before, and removes what was proved.  Warns
 * of each message that stays, and of what is too old or damaged, and sets that
 * aside.  What has no echo, what has cost two connections, and what was said in
 * a sealed room whose secret is gone, is left to flushes of QUEUE_ALL from then
 * on; what else there is goes on.  What is for another fabric, or was said
 * under another name than that of conf, is left as it is, however old.
 *
 * Gives up without a connection for cli->timeout_ms, which with QUEUE_FRESH is
 * 5 s at most; four times that after a connection was lost, if nothing was
 * proved since; with QUEUE_FRESH, at twice that; and at a signal.
 *
 * All but QUEUE_FLUSH_DONE set a fault, the first of these: FAULT_IO if
 * something was set aside, or cannot be read, sent or removed; FAULT_TEMPFAIL
 * if it gave up; what session_open() says; FAULT_NOPERM if something had no
 * echo; FAULT_TEMPFAIL if something else stays.
 */
enum queue_flushed queue_flush(struct queue *queue, const struct cli *cli,
	enum queue_extent extent, const sigset_t *during, struct fault *fault);

/* Prints what waits, oldest first, a line each.  0, or -1 with FAULT_IO. */
int queue_list(struct queue *queue, const struct cli *cli, bool json,
	struct fault *fault);

#endif
