/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_rows.h"

#include "json_line.h"
#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { JSON_VERSION = 1 }; /* of a row as JSON */

struct row {
	int64_t times;
	char *created;       /* as the service says it, or NULL */
	struct span *values; /* bytes are NULL where there is none */
	size_t count;
	bool is_cut; /* one of the values is */
};

struct mar_rows {
	char **columns;
	size_t *sources; /* of each: the first column of its name */
	size_t column_count;
	struct row *rows;
	size_t count, size;
	size_t bytes; /* of all rows */
	size_t cut_count;
};

static void
add_column(struct mar_rows *rows, char *name)
{
	size_t source = 0;

	while (source < rows->column_count &&
		strcasecmp(rows->columns[source], name) != 0)
		source++;
	rows->columns = memory_resize(rows->columns, rows->column_count + 1,
		sizeof(*rows->columns));
	rows->sources = memory_resize(rows->sources, rows->column_count + 1,
		sizeof(*rows->sources));
	rows->sources[rows->column_count] = source;
	rows->columns[rows->column_count++] = name;
}

struct mar_rows *
mar_rows_new(const struct mar_query *query)
{
	struct mar_rows *rows = memory_alloc(1, sizeof(*rows));

	for (size_t i = 0; i < query->projection_count; i++) {
		const struct mar_projection *at = &query->projections[i];

		for (size_t j = 0; j < at->count; j++)
			add_column(rows,
				memory_format("%.*s|%.*s",
					(int)at->collector.len,
					at->collector.bytes,
					(int)at->outputs[j].len,
					at->outputs[j].bytes));
	}
	return rows;
}

static void
free_row(struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		free((char *)(uintptr_t)row->values[i].bytes);
	free(row->values);
	free(row->created);
}

void
mar_rows_free(struct mar_rows *rows)
{
	if (rows == NULL)
		return;
	for (size_t i = 0; i < rows->count; i++)
		free_row(&rows->rows[i]);
	for (size_t i = 0; i < rows->column_count; i++)
		free(rows->columns[i]);
	free(rows->rows);
	free(rows->sources);
	free(rows->columns);
	free(rows);
}

/* The one of this name, in capitals or not, found or made; -1 with a fault. */
static int
column_of(struct mar_rows *rows, const char *name, struct fault *fault)
{
	for (size_t i = 0; i < rows->column_count; i++)
		if (strcasecmp(rows->columns[i], name) == 0)
			return (int)i;
	if (rows->column_count >= MAR_COLUMNS_MAX)
		return fault_set(fault, FAULT_PROTOCOL,
			"MAR service: a result of more than %d columns",
			MAR_COLUMNS_MAX);
	if (strlen(name) > MAR_COLUMN_MAX)
		return fault_set(fault, FAULT_PROTOCOL,
			"MAR service: a column with a name of %zu bytes",
			strlen(name));
	add_column(rows, memory_string(name));
	return (int)rows->column_count - 1;
}

/* All that is no string as people would write it (protocol.md, 7.2). */
static struct span
span_of_value(const json_t *value)
{
	char *text;

	if (json_is_string(value))
		return (struct span){ memory_copy(json_string_value(value),
					      json_string_length(value)),
			json_string_length(value) };
	if (value == NULL || json_is_null(value))
		return (struct span){ 0 };
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return span_of(text);
}

/* Where a character ends. */
static struct span
cut_value(struct span value)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	size_t len = MAR_VALUE_MAX - (sizeof(ellipsis) - 1);
	char *bytes = (char *)(uintptr_t)value.bytes;

	while (len > 0 && ((unsigned char)bytes[len] & 0xc0) == 0x80)
		len--;
	memcpy(bytes + len, ellipsis, sizeof(ellipsis));
	len += sizeof(ellipsis) - 1;
	return (struct span){ memory_resize(bytes, len + 1, 1), len };
}

static void
put_value(struct row *row, size_t column, struct span value)
{
	if (value.len > MAR_VALUE_MAX) {
		value = cut_value(value);
		row->is_cut = true;
	}
	if (column >= row->count) {
		row->values = memory_resize(row->values, column + 1,
			sizeof(*row->values));
		while (row->count <= column)
			row->values[row->count++] = (struct span){ 0 };
	}
	/* Two names that differ in capitals alone: the last one stays. */
	free((char *)(uintptr_t)row->values[column].bytes);
	row->values[column] = value;
}

static int
read_row(struct mar_rows *rows, const json_t *item, struct row *row,
	struct fault *fault)
{
	json_t *output = json_object_get(item, "output");
	const json_t *count = json_object_get(item, "count");
	const char *key;
	json_t *value;

	if (!json_is_object(output))
		return fault_set(fault, FAULT_PROTOCOL,
			"MAR service: a result without output");
	row->times = json_is_integer(count) && json_integer_value(count) >= 0
		? json_integer_value(count)
		: -1;
	row->created = memory_string(
		json_string_value(json_object_get(item, "created_at")));
	json_object_foreach(output, key, value)
	{
		int column = column_of(rows, key, fault);

		if (column < 0)
			return -1;
		put_value(row, (size_t)column, span_of_value(value));
	}
	return 0;
}

static size_t
size_of(const struct row *row)
{
	size_t size = sizeof(*row) + row->count * sizeof(*row->values);

	if (row->created != NULL)
		size += strlen(row->created);
	for (size_t i = 0; i < row->count; i++)
		size += row->values[i].len;
	return size;
}

/* A row of few bytes has a cell in each column all the same. */
static bool
has_room(const struct mar_rows *rows, const struct row *row)
{
	return rows->count < MAR_ROWS_MAX &&
		size_of(row) <= MAR_ROWS_BYTES_MAX - rows->bytes &&
		(rows->count + 1) * rows->column_count <= MAR_CELLS_MAX;
}

static void
drop_columns(struct mar_rows *rows, size_t count)
{
	while (rows->column_count > count)
		free(rows->columns[--rows->column_count]);
}

int
mar_rows_add(struct mar_rows *rows, const void *item, struct fault *fault)
{
	size_t columns = rows->column_count;
	struct row row = { 0 };

	if (read_row(rows, item, &row, fault) < 0) {
		free_row(&row);
		return -1;
	}
	if (!has_room(rows, &row)) {
		free_row(&row);
		drop_columns(rows, columns);
		return 0;
	}
	rows->bytes += size_of(&row);
	rows->cut_count += row.is_cut;
	if (rows->count == rows->size) {
		rows->size = rows->size > 0 ? 2 * rows->size : 16;
		rows->rows = memory_resize(rows->rows, rows->size,
			sizeof(*rows->rows));
	}
	rows->rows[rows->count++] = row;
	return 1;
}

size_t
mar_rows_columns(const struct mar_rows *rows)
{
	return rows->column_count;
}

struct span
mar_rows_column(const struct mar_rows *rows, size_t column)
{
	assert(column < rows->column_count);
	return span_of(rows->columns[column]);
}

size_t
mar_rows_count(const struct mar_rows *rows)
{
	return rows->count;
}

struct span
mar_rows_value(const struct mar_rows *rows, size_t row, size_t column)
{
	assert(row < rows->count && column < rows->column_count);

	/* A row has it once, however often the query names it. */
	size_t source = rows->sources[column];
	return source < rows->rows[row].count ? rows->rows[row].values[source]
					      : (struct span){ 0 };
}

size_t
mar_rows_cut(const struct mar_rows *rows)
{
	return rows->cut_count;
}

int64_t
mar_rows_times(const struct mar_rows *rows, size_t row)
{
	assert(row < rows->count);
	return rows->rows[row].times;
}

void
mar_rows_json(const struct mar_rows *rows, size_t row, struct text *line)
{
	assert(row < rows->count);

	const struct row *at = &rows->rows[row];
	json_t *object = json_object();
	json_t *output = json_object();

	json_object_set_new(object, "v", json_integer(JSON_VERSION));
	json_object_set_new(object, "type", json_string("mar"));
	if (at->times >= 0)
		json_object_set_new(object, "count", json_integer(at->times));
	if (at->created != NULL)
		json_object_set_new(object, "created_at",
			json_string(at->created));
	json_object_set_new(object, "output", output);
	for (size_t i = 0; i < at->count; i++)
		if (at->values[i].bytes != NULL)
			json_object_set_new(output, rows->columns[i],
				json_stringn(at->values[i].bytes,
					at->values[i].len));
	if (at->is_cut)
		json_object_set_new(object, "cut", json_true());
	json_line_append(object, line);
	text_append_char(line, '\n');
}
