/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_OUTBOX_H
#define QCHAT_OUTBOX_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Posts that wait for their proof, oldest first. */
struct outbox;

/* A post: whose, its numbers, and its bytes as they are published each
 * time. */
struct outbox_post {
	const char *uid;
	int64_t first;
	int64_t last;
	int64_t ms;       /* wall: when it was said */
	int64_t serial;   /* from 1 up, in the order of outbox_add() */
	bool unconfirmed; /* awaits no echo: sent is proof enough */
	struct span envelope;
	struct span payload; /* a part of envelope */
};

struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);

/* Copies the post but for its envelope, which it takes over (*envelope is
 * empty afterwards); payload is a part of it. */
void outbox_add(struct outbox *outbox, const struct outbox_post *post,
	struct text *envelope, struct span payload);

/*
 * A message came back: is it a post that waits, to the byte?  Returns its
 * place in *i.  Nobody else's bytes prove ours.
 */
bool outbox_find(const struct outbox *outbox, struct span uid, int64_t first,
	struct span payload, size_t *i);

/* Does any post of this sender wait? */
bool outbox_has(const struct outbox *outbox, struct span uid);

/* Takes over other bytes for the i-th post, with the same payload in them. */
void outbox_replace(struct outbox *outbox, size_t i, struct text *envelope,
	struct span payload);

/* Moves the i-th post to another outbox, where it is the newest. */
void outbox_move(struct outbox *from, size_t i, struct outbox *to);

/* Drops the i-th post. */
void outbox_remove(struct outbox *outbox, size_t i);

/* Drops the oldest post. */
void outbox_drop(struct outbox *outbox);

/* Bytes of all envelopes. */
size_t outbox_bytes(const struct outbox *outbox);

size_t outbox_count(const struct outbox *outbox);

/* The i-th post from the oldest; borrowed until the next change. */
struct outbox_post outbox_at(const struct outbox *outbox, size_t i);

#endif
