/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SOURCE_H
#define QCHAT_SOURCE_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What there is to say: the arguments, or standard input, cut into posts. */
struct source {
	bool by_lines;   /* each line is a message; else all is one */
	bool skip_empty; /* lines without anything are none */
	int64_t line;    /* out: number of the last line that was taken */

	/* private */
	struct text bytes; /* read */
	size_t at;         /* taken of them */
	bool ended;        /* nothing more can be read */
	bool taken;        /* the one message */
};

void source_free(struct source *source);

/* Takes an argument instead of standard input; several are joined by spaces. */
void source_add(struct source *source, const char *argument);

/* Reads standard input once; waits for it.  0, or -1 with FAULT_IO. */
int source_read(struct source *source, struct fault *fault);

/* Can more be read? */
bool source_is_open(const struct source *source);

/* Was something read that is not taken yet? */
bool source_is_left(const struct source *source);

/* Is there nothing more to be read or taken? */
bool source_is_empty(const struct source *source);

/*
 * The next post: by lines, as many whole lines as were read and fit into one
 * block (*lines of them); else, once standard input has ended, all of it
 * without its last line feed.  1; 0 if there is none now; or -1 with
 * FAULT_DATA that names the line: not UTF-8, a NUL, or too long.
 * Borrowed until the next source_read().
 */
int source_take(struct source *source, struct span *text, int64_t *lines,
	struct fault *fault);

#endif
