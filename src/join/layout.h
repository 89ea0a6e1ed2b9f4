/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_LAYOUT_H
#define QCHAT_JOIN_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/* Where things stand on a screen of some size.  Knows no terminal. */

enum {
	LAYOUT_NAMES_COLUMNS = 60, /* narrower ones show no participants */
	LAYOUT_NAMES_WIDTH = 20,   /* of their column, its border included */
};

/* What is to be shown. */
struct layout_wish {
	size_t rows, columns; /* of the terminal; one at least */
	size_t input_rows;    /* that the draft would fill */
	bool names;
	bool split; /* one reads back */
};

/*
 * From the top: the conversation; when one reads back and there is room, a
 * rule and the newest rows; the status line; the input.  Each part is as high
 * as its _rows, from its _y on; 0: it is not there.
 */
struct layout {
	size_t talk_rows;
	size_t rule_y, rule_rows;
	size_t low_y, low_rows;
	size_t status_y, status_rows;
	size_t input_y, input_rows;
	size_t talk_columns;
	size_t names_x, names_columns; /* the border is at names_x */
};

struct layout layout_make(const struct layout_wish *wish);

#endif
