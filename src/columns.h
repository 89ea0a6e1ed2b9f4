/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_COLUMNS_H
#define QCHAT_COLUMNS_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Rows of cells as text: in columns that are as wide as their widest cell, for
 * people, or with a tab between two of them, for programs.  Cells may hold
 * foreign bytes: they are made harmless, and an empty one is "-".  For people
 * a cell is cut where it would be wider than below, or have more than eight
 * bytes for each column of that, and ends in an ellipsis then; for programs
 * none is.
 */
enum {
	COLUMNS_CELL_MAX = 120,  /* columns; of one that others follow */
	COLUMNS_LAST_MAX = 1000, /* of the last cell of a row */
	/* Bytes that are written at once, or a cell more. */
	COLUMNS_PIECE = 64 * 1024,
	/* Rows of so many cells or bytes are aligned with one another: what
	 * comes behind them has a width of its own. */
	COLUMNS_ALIGNED_CELLS = 512 * 1024,
	COLUMNS_ALIGNED_BYTES = 32 * 1024 * 1024,
};

struct columns {
	bool aligned;
	/* Takes lines, in pieces, as soon as they need not be kept; NULL: all
	 * are kept for columns_format(). */
	void (*write)(void *context, struct span bytes);
	void *context;
	/* private */
	struct text cells;         /* one behind the other */
	struct columns_cell *ends; /* one for each */
	size_t count, size;
};

/* Starts as { .aligned = …, .write = …, .context = … }. */
void columns_free(struct columns *columns);

/* The next cell of the row. */
void columns_add(struct columns *columns, struct span cell);
void columns_addf(struct columns *columns, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The row is complete. */
void columns_end_row(struct columns *columns);

/* Appends what was added, a line for each row, and forgets it.  The locale
 * says how wide a character is. */
void columns_format(struct columns *columns, struct text *out);

/* The same, but to `write`. */
void columns_flush(struct columns *columns);

#endif
