/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_ROWS_H
#define QCHAT_MAR_ROWS_H

#include "fault.h"
#include "mar_query.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a search has found: rows of values, under the names of columns. */
struct mar_rows;

enum {
	MAR_ROWS_MAX = 100 * 1000,
	MAR_ROWS_BYTES_MAX = 64 * 1024 * 1024, /* of all of them */
	MAR_VALUE_MAX = 64 * 1024,             /* bytes of one */
	MAR_COLUMNS_MAX = 256,
	MAR_CELLS_MAX = 2 * 1000 * 1000,       /* rows times columns */
	MAR_COLUMN_MAX = 2 * MAR_NAME_MAX + 1, /* bytes of a column's name */
};

/* The first columns are the outputs that the query names. */
struct mar_rows *mar_rows_new(const struct mar_query *query);
void mar_rows_free(struct mar_rows *rows);

/*
 * Adds one item of the service's answer, a json_t object of jansson.  1; 0 if
 * it does not fit any more, also for the columns that it would bring; or -1
 * with FAULT_PROTOCOL if it is no row.
 */
int mar_rows_add(struct mar_rows *rows, const void *item, struct fault *fault);

/* The outputs of the query as "Collector|output", then what else came. */
size_t mar_rows_columns(const struct mar_rows *rows);
struct span mar_rows_column(const struct mar_rows *rows, size_t column);

size_t mar_rows_count(const struct mar_rows *rows);

/* Foreign UTF-8; bytes are NULL if the row has none for this column.  One of
 * more than MAR_VALUE_MAX bytes is cut, and ends in an ellipsis. */
struct span mar_rows_value(const struct mar_rows *rows, size_t row,
	size_t column);

/* How many rows have a value that is cut. */
size_t mar_rows_cut(const struct mar_rows *rows);

/* How often it was found; -1: not known. */
int64_t mar_rows_times(const struct mar_rows *rows, size_t row);

/* Appends the row as one JSON object and a line feed; printable ASCII only.  It
 * says so if one of the values is cut. */
void mar_rows_json(const struct mar_rows *rows, size_t row, struct text *line);

#endif
