/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SEQUENCE_H
#define QCHAT_SEQUENCE_H

#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What is missing and what is double: the numbers (UID, seq) that were seen
 * in one room.  A number is taken once; numbers of one sender are taken in
 * rising order.
 */
struct sequence;

/* Senders remembered; beyond that the one silent longest is forgotten. */
enum { SEQUENCE_SENDERS_MAX = 65536 };

/* A number so far ahead is shown and believed no further: it would silence
 * its sender.  Nobody signs numbers yet, so a lesser lie still costs the
 * numbers up to it. */
#define SEQUENCE_JUMP_MAX INT64_C(1000000)

/* Numbers first to last, both of them included. */
struct sequence_gap {
	int64_t first;
	int64_t last; /* 0: there is no gap */
};

struct sequence *sequence_new(size_t senders_max);
void sequence_free(struct sequence *sequence);

/*
 * A message with the numbers first to last arrives.  Returns the first of
 * them that is new, or 0 if none is.  *gap is what was skipped before them
 * and not told of before.  A sender heard for the first time has no gap:
 * what it said before we came is not missing.
 */
int64_t sequence_take(struct sequence *sequence, struct span uid, int64_t first,
	int64_t last, struct sequence_gap *gap);

/*
 * A sender says that last is its newest number.  *gap is what of it was never
 * seen and not told of before.  It does not make later arrivals old.  Nothing
 * is remembered of a sender that was not heard, nor of a claim that is more
 * than SEQUENCE_JUMP_MAX ahead.
 */
void sequence_claim(struct sequence *sequence, struct span uid, int64_t last,
	struct sequence_gap *gap);

#endif
