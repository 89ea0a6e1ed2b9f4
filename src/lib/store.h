/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_STORE_H
#define QCHAT_STORE_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages of one room that were sent or seen, as they came, for who missed
 * them.  Bounded by bytes and by count: the oldest goes.  The first
 * STORE_MEMORY_MAX bytes are in memory; when there are more, all are in an
 * unlinked temporary file.  If there can be none, the store keeps what it has
 * room for in memory.
 */
struct store;

enum {
	STORE_BYTES_MAX = 32 * 1024 * 1024,
	STORE_COUNT_MAX = 32768,
	STORE_MEMORY_MAX = 512 * 1024,
};

/* A message that is kept; the UID is borrowed until the next change. */
struct store_item {
	const char *uid;
	int64_t first; /* its numbers, both included */
	int64_t last;
	int64_t ms; /* wall: when it was said */
	size_t len; /* bytes */
};

/* Bounds, 0 for the ones above; a quarter of what a size_t holds is the most.
 */
struct store *store_new(int64_t bytes_max, int64_t count_max);
void store_free(struct store *store);

/* Keeps a message, unless one with any of its numbers is there already, or it
 * is larger than all the store may hold. */
void store_put(struct store *store, struct span uid, int64_t first,
	int64_t last, int64_t ms, struct span bytes);

/* Forgets the message with that number, if it is kept. */
void store_drop(struct store *store, struct span uid, int64_t number);

/* The kept message of this sender with the lowest number from `number` on. */
bool store_next(const struct store *store, struct span uid, int64_t number,
	struct store_item *item);

/* Puts the bytes of the message with that number in place of *bytes.  False if
 * it is not kept, or cannot be read back. */
bool store_read(const struct store *store, struct span uid, int64_t number,
	struct text *bytes);

size_t store_count(const struct store *store);

/* Messages that made room for others, or found none, by the bound. */
struct store_counts {
	uint64_t over_bytes, over_count;
};

struct store_counts store_counts(const struct store *store);

/*
 * The messages said from `since` to `until` (wall ms), in the order in which
 * a newcomer is to see them: by time, those of one sender by number.  The
 * newest that make up `records` records, or all if that is negative.  *items
 * is to be freed; returns how many.
 */
size_t store_history(const struct store *store, int64_t since, int64_t until,
	int64_t records, struct store_item **items);

#endif
