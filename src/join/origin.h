/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_ORIGIN_H
#define QCHAT_JOIN_ORIGIN_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Which bytes of a line were pasted, while somebody else edits it: a paste
 * never executes a command.  What was pasted stays so when it is killed and
 * yanked, or undone, or comes back from the history as the last that went.
 * Costs nothing before the first paste.  Starts as { 0 }.
 */
struct origin_text {
	struct text bytes;
	struct text marks; /* one for each byte: 1 if it was pasted, or 0 */
};

struct origin {
	struct origin_text line, removed;
};

void origin_free(struct origin *origin);

/* Another line begins, empty. */
void origin_clear(struct origin *origin);

enum origin_step {
	ORIGIN_EDIT,    /* it is the line of before, edited */
	ORIGIN_HISTORY, /* it is one of the history, which counts as typed */
	ORIGIN_BACK,    /* back from there to the draft */
};

/* The line is this now, after one step that left the cursor there. */
void origin_follow(struct origin *origin, struct span line, size_t cursor,
	enum origin_step step);

/* The line is this now: the len bytes before the cursor were pasted. */
void origin_paste(struct origin *origin, struct span line, size_t cursor,
	size_t len);

/* Another line, with the marks that origin_marks() gave. */
void origin_set(struct origin *origin, struct span line, struct span marks);

/* The marks of the line, borrowed; empty if nothing of it was pasted. */
struct span origin_marks(const struct origin *origin);

/* Was its first byte pasted? */
bool origin_is_pasted(const struct origin *origin);

#endif
