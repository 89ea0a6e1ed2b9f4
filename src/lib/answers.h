/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ANSWERS_H
#define QCHAT_ANSWERS_H

#include "room.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which inboxes wait for an answer from us, and until when.  Questions can be
 * forged, so that a room can be turned against a victim: one inbox is
 * answered at most once in a while (presence: ANSWERS_REST_MS), and all of them
 * together at most ANSWERS_MAX times in ANSWERS_PERIOD_MS.
 */
struct answers;

enum {
	ANSWERS_MAX = 30,
	ANSWERS_PERIOD_MS = 60 * 1000,
	ANSWERS_REST_MS = 10 * 1000,
};

/* rest_ms: between two answers to one inbox. */
struct answers *answers_new(int64_t rest_ms);
void answers_free(struct answers *answers);

/* A question came at mono ms; the answer is due at due.  False if it is over
 * the limits and will get none. */
bool answers_add(struct answers *answers, struct span inbox, int64_t mono,
	int64_t due);

/* When the next answer is due, INT64_MAX if none waits. */
int64_t answers_deadline(const struct answers *answers);

/* The inbox of an answer that is due at mono, and it is done with; NULL if
 * there is none.  Borrowed until the next call. */
const char *answers_take(struct answers *answers, int64_t mono);

#endif
