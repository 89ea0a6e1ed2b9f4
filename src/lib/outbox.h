/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_OUTBOX_H
#define QCHAT_OUTBOX_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Posts of one member that wait for their echo, oldest first. */
struct outbox;

/* A post: its numbers, and its bytes as they are published each time. */
struct outbox_post {
	int64_t first;
	int64_t last;
	struct span envelope;
	struct span payload; /* a part of envelope */
};

struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);

/* Takes over *envelope (which is empty afterwards).  payload is a part of it.
 * Numbers must rise. */
void outbox_add(struct outbox *outbox, int64_t first, int64_t last,
	struct text *envelope, struct span payload);

/*
 * An echo under our name with the number first: is it the one of a post that
 * waits, to the byte?  Then the post is done with.  Returns its last number,
 * or 0: nobody else's bytes prove ours.
 */
int64_t outbox_prove(struct outbox *outbox, int64_t first, struct span payload);

/* Drops the oldest post. */
void outbox_drop(struct outbox *outbox);

size_t outbox_count(const struct outbox *outbox);

/* The i-th post from the oldest; borrowed until the next change. */
struct outbox_post outbox_at(const struct outbox *outbox, size_t i);

#endif
