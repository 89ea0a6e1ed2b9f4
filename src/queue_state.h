/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_QUEUE_STATE_H
#define QCHAT_QUEUE_STATE_H

#include "destination.h"
#include "queue.h"
#include "spool.h"

/* What the files of the queue share. */

struct queue {
	struct spool *spool;
	char *path;
	const struct conf *conf;
	struct destination *destination; /* that of conf, once it is needed */
	char *user;                      /* the name of conf, the same */
};

/* Sets queue->destination.  0, or -1 with FAULT_CONFIG. */
int queue_find_destination(struct queue *queue, struct fault *fault);

/* Is it for the fabric of queue->destination? */
enum destination_fit queue_fit_of(const struct queue *queue,
	const struct spool_entry *entry);

/* Sets queue->user.  0, or -1 with FAULT_CONFIG. */
int queue_find_user(struct queue *queue, struct fault *fault);

/* Was it said under the name queue->user? */
bool queue_is_own(const struct queue *queue, const struct spool_entry *entry);

#endif
