/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_DRAFT_H
#define QCHAT_JOIN_DRAFT_H

#include "text.h"

#include <stddef.h>

/* What is being typed, as rows.  Knows no terminal. */

struct draft_row {
	struct span text;
	size_t indent; /* columns before it */
};

/* A part of the rows, around the cursor. */
struct draft_view {
	size_t count; /* rows that there are in all */
	size_t first; /* of those, the highest that is in `rows` */
	size_t shown; /* how many are in `rows` */
	size_t y, x;  /* of the cursor; y counts from `first` */
};

/*
 * Breaks text into rows of that many columns (2 and more), the first behind
 * `prompt` columns (fewer than all), and at line feeds, which are not part of
 * a row.  cursor is in bytes of text.  Fills in up to rows_max (one at least),
 * so that the cursor is among them.
 */
struct draft_view draft_rows(struct span text, size_t cursor, size_t prompt,
	size_t columns, struct draft_row *rows, size_t rows_max);

#endif
