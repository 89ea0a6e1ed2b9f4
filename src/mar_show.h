/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_SHOW_H
#define QCHAT_MAR_SHOW_H

#include "mar.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* A search in MAR as text, which is harmless. */

/*
 * Appends the rows, most of them at most, under a line of the columns' names if
 * there is to be one: a value of each column and how often the row was found;
 * aligned, or with tabs.
 */
void mar_show_rows(const struct mar_rows *rows, size_t most, bool aligned,
	bool header, struct text *out);

/* Appends how far it is, on one line: "RUNNING, 1 of 3 hosts have answered,
 * 7 results". */
void mar_show_progress(const struct mar_progress *progress, struct text *out);

/* Have all hosts answered, and without errors? */
bool mar_show_is_whole(const struct mar_progress *progress);

#endif
