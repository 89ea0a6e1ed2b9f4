/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TABLE_H
#define QCHAT_TABLE_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded map from short keys to entries of one size, in the order of last
 * use.  Strangers choose the keys, so nothing in it depends on their hash: it
 * is a balanced tree (tsearch(3)) with a list through it.  Entries can be
 * favoured: they make room only when there are no others.
 */
struct table;

enum { TABLE_KEY_MAX = 64 }; /* bytes of a key */

/* entry_size bytes each; at most entries_max (1 and up). */
struct table *table_new(size_t entry_size, size_t entries_max);
void table_free(struct table *table);

/* The entry of a key, or NULL.  Valid until it is removed. */
void *table_find(const struct table *table, struct span key);

/*
 * The entry of a key, made of zero bytes if there was none (*made), and now
 * the one used last.  When the table is full, its table_oldest() makes room.
 * The key must not be longer than TABLE_KEY_MAX.
 */
void *table_touch(struct table *table, struct span key, bool *made);

/* From now on it is favoured; the one used last of these. */
void table_favour(struct table *table, void *entry);

void table_remove(struct table *table, void *entry);

size_t table_count(const struct table *table);

/* How many entries have made room for others. */
uint64_t table_displaced(const struct table *table);

/* All entries: the one used longest ago, and the one used next after another,
 * those that are not favoured first; NULL where there is none.  A key is a
 * string if none with NULs was put in. */
void *table_oldest(const struct table *table);
void *table_oldest_favoured(const struct table *table);
void *table_newer(const void *entry);
const char *table_key(const void *entry);

#endif
