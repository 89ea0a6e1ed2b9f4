/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_SHOW_H
#define QCHAT_MAR_SHOW_H

#include "columns.h"
#include "mar.h"
#include "text.h"
#include "translate.h"

#include <stdbool.h>
#include <stddef.h>

/* A search in MAR as text, which is harmless. */

struct mar_show {
	size_t rows_max; /* so many rows, 0: all */
	bool header;     /* a line of the columns' names first */
};

/* Adds the rows: a value of each column, and how often it was found. */
void mar_show_rows(const struct mar_rows *rows, const struct mar_show *show,
	struct columns *columns);

/* Appends how far it is, on one line: "RUNNING, 1 of 3 hosts have answered,
 * 7 results". */
void mar_show_progress(const struct mar_progress *progress,
	enum audience audience, struct text *out);

/* Do the rows stand for all results that the service names, or for as many as
 * were wanted? */
bool mar_show_is_full(const struct mar_progress *progress);

/* Have all hosts answered, and without errors? */
bool mar_show_is_whole(const struct mar_progress *progress);

#endif
