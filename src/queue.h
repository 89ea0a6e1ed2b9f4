/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_QUEUE_H
#define QCHAT_QUEUE_H

#include "cli.h"
#include "conf.h"
#include "fault.h"
#include "session.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What qchat-say could not deliver: kept in the spool of this user,
 * $XDG_STATE_HOME/qchat/spool, and sent later.  What is kept has its UID, its
 * number and its time already, so that it cannot be delivered twice.
 */
struct queue;

/* Never NULL; touches nothing yet.  conf tells its limits, and may be NULL for
 * the common ones. */
struct queue *queue_open(const struct conf *conf);
void queue_free(struct queue *queue);

/*
 * Keeps all that waits for its proof in a member, which it is taken from.
 * *kept is increased by how many messages.  0, or -1 with FAULT_CANTCREAT,
 * FAULT_IO or FAULT_NOPERM; the member has then what could not be kept.
 */
int queue_keep(struct queue *queue, struct member *member, const char *user,
	size_t *kept, struct fault *fault);

/* Does anything wait? */
bool queue_waits(const struct queue *queue);

/*
 * Sends what waits, oldest first, over one connection, and removes what was
 * proved; warns of what is too old or damaged, and sets that aside.  Gives up
 * when there was no connection for cli->timeout_ms.
 * 0: nothing waits any more; 1: another process is at it; -1 with a fault:
 * FAULT_TEMPFAIL if the rest stays in the spool as the fabric cannot be
 * reached, FAULT_NOPERM if some had no echo.
 */
int queue_flush(struct queue *queue, const struct cli *cli,
	const struct conf *conf, const sigset_t *during, struct fault *fault);

/* Prints what waits, oldest first, a line each.  0, or -1 with FAULT_IO. */
int queue_list(const struct queue *queue, const struct cli *cli,
	struct fault *fault);

#endif
