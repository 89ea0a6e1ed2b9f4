/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_HEADS_H
#define QCHAT_HEADS_H

#include "room.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What one has seen, in short, for others to compare with: the newest numbers
 * of recent senders, and a digest of each recent minute.  Both tell of what
 * has no successor that would show its loss: lone posts, and the end of a
 * stream.
 */
struct heads;

enum {
	HEADS_MINUTES_MAX = 8, /* that are remembered */
	HEADS_MINUTE_MS = 60 * 1000,
	/* After its end, until late messages of it will have come. */
	HEADS_CLOSED_MS = 30 * 1000,
};

struct heads *heads_new(void);
void heads_free(struct heads *heads);

/* A message with these numbers was seen, for the first time, at wall ms.  What
 * says that it is of a minute that has not begun is in none: clocks that are
 * wrong must not displace what is compared. */
void heads_note(struct heads *heads, struct span uid, int64_t first,
	int64_t last, int64_t ms, int64_t since, int64_t wall);

/* The senders heard last, newest first; ROOM_HEADS_MAX at most.  Borrowed. */
size_t heads_list(const struct heads *heads, struct room_head *list);

/* The same for two lists with the same senders and numbers, in any order. */
uint64_t heads_digest(const struct room_head *list, size_t count);

/* The digest of the messages with these numbers; to be added up. */
uint64_t heads_message_digest(struct span uid, int64_t first, int64_t last);

/* Of the messages whose ms lies in this minute since the epoch; 0: none. */
uint64_t heads_minute(const struct heads *heads, int64_t minute);

/* The newest minute that is closed at wall ms. */
int64_t heads_closed_minute(int64_t wall);

#endif
