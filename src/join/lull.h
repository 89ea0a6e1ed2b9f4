/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_LULL_H
#define QCHAT_JOIN_LULL_H

#include "line.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Who comes and goes, where a line cannot be added to when it has been told:
 * the first is told at once, and what follows it within LINE_FOLD_MS is kept,
 * to be told as one line.  So a crowd takes a line each LINE_FOLD_MS.  Times
 * are of a monotonic clock, in ms.  Knows no terminal.
 */
struct lull {
	struct line line; /* what is kept; bytes are NULL: nothing */
	int64_t until;    /* what comes before is kept */
};

/* Starts as { 0 }. */
void lull_free(struct lull *lull);

/* Keeps a copy of a coming or going.  False if the line is to be told now, and
 * before it what lull_take() gives. */
bool lull_keep(struct lull *lull, const struct line *line, int64_t now);

/* When lull_take() is due; INT64_MAX: nothing is kept. */
int64_t lull_deadline(const struct lull *lull);

/* Hands over what is kept, to be told now and freed with line_free().  False if
 * that is nothing. */
bool lull_take(struct lull *lull, int64_t now, struct line *line);

#endif
