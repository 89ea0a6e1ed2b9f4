/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SCROLL_H
#define QCHAT_JOIN_SCROLL_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* The conversation as entries, and as rows of a width.  Knows no terminal. */
struct scroll;

enum {
	SCROLL_ENTRIES_MAX = 10000,          /* then the oldest goes … */
	SCROLL_BYTES_MAX = 16 * 1024 * 1024, /* … as beyond these */
	SCROLL_INDENT = 2, /* of the rows behind an entry's first */
};

enum scroll_style {
	SCROLL_MESSAGE,
	SCROLL_OWN,    /* a message of our own */
	SCROLL_NOTICE, /* not said by anybody: ours */
};

struct scroll *scroll_new(size_t entries_max);
void scroll_free(struct scroll *scroll);

/* Adds an entry.  text is what is shown: harmless, but for line feeds, which
 * begin a row. */
void scroll_add(struct scroll *scroll, enum scroll_style style,
	struct span text);

size_t scroll_count(const struct scroll *scroll);

/* A row: a part of an entry's text, borrowed until the next scroll_add(). */
struct scroll_row {
	struct span text;
	size_t indent; /* columns before it */
	enum scroll_style style;
};

/*
 * The rows of the entries, the newest last, for a window of that many columns
 * (at least SCROLL_INDENT + 2) and up to rows_max rows, after the newest
 * `back` rows are left out.  Returns how many rows were filled in, from
 * rows[0] on.  *back is lowered to what there is.
 */
size_t scroll_rows(const struct scroll *scroll, size_t columns, size_t *back,
	struct scroll_row *rows, size_t rows_max);

/* How many columns a text takes, and how many bytes of it fit into columns.
 * What is not UTF-8 or cannot be shown takes one. */
size_t scroll_width(struct span text);
size_t scroll_fit(struct span text, size_t columns);

#endif
