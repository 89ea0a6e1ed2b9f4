/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum {
	GAP = 2,              /* blanks between two columns */
	COLUMN_BYTES_MAX = 8, /* a character may have no width */
};

struct columns_cell {
	size_t end;   /* in the cells */
	size_t width; /* where others follow */
	bool is_last; /* of its row */
};

void
columns_free(struct columns *columns)
{
	text_free(&columns->cells);
	free(columns->ends);
	*columns = (struct columns){ .aligned = columns->aligned,
		.write = columns->write,
		.context = columns->context };
}

struct fit {
	size_t len;
	size_t width;
};

/* How much of the text fits into so many columns. */
static struct fit
fit(struct span text, size_t most)
{
	struct fit fit = { 0 };
	size_t len;
	uint32_t c;

	while ((len = text_utf8_next(text, &c)) > 0) {
		int one = wcwidth((wchar_t)c);
		size_t width = one >= 0 ? (size_t)one : 1;

		if (fit.width + width > most ||
			fit.len + len > most * COLUMN_BYTES_MAX)
			break;
		fit.width += width;
		fit.len += len;
		text.bytes += len;
		text.len -= len;
	}
	return fit;
}

/* The same, with room for an ellipsis behind what does not all fit. */
static struct fit
cut(struct span cell, size_t most)
{
	struct fit whole = fit(cell, most);

	if (whole.len == cell.len)
		return whole;
	struct fit part = fit(cell, most - 1);
	return (struct fit){ part.len, part.width + 1 };
}

/* Appends a cell of so many columns at most.  Returns its width. */
static size_t
append_cut(struct text *out, struct span cell, size_t most)
{
	struct fit part = cut(cell, most);

	text_append(out, cell.bytes, part.len);
	if (part.len < cell.len)
		text_append_string(out, "\xe2\x80\xa6");
	return part.width;
}

/* Its width does not matter where it is not aligned. */
static size_t
append_cell(const struct columns *columns, struct text *out, struct span cell,
	size_t most)
{
	if (columns->aligned)
		return append_cut(out, cell, most);
	text_append(out, cell.bytes, cell.len);
	return 0;
}

void
columns_add(struct columns *columns, struct span cell)
{
	struct text harmless = { 0 };

	/* Who reads it sees one backslash; a program can tell them apart. */
	text_harmless(&harmless, cell.len > 0 ? cell : span_of("-"),
		columns->aligned ? TEXT_MESSAGE : TEXT_LINE);
	struct span whole = { harmless.bytes, harmless.len };
	append_cell(columns, &columns->cells, whole, COLUMNS_LAST_MAX);
	size_t width = columns->aligned ? cut(whole, COLUMNS_CELL_MAX).width
					: 0;
	text_free(&harmless);
	if (columns->count == columns->size) {
		columns->size = columns->size > 0 ? 2 * columns->size : 64;
		columns->ends = memory_resize(columns->ends, columns->size,
			sizeof(*columns->ends));
	}
	columns->ends[columns->count++] = (struct columns_cell){
		.end = columns->cells.len,
		.width = width,
	};
}

void
columns_addf(struct columns *columns, const char *format, ...)
{
	char *bytes = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&bytes, format, arguments) < 0)
		memory_out();
	va_end(arguments);
	columns_add(columns, span_of(bytes));
	free(bytes);
}

/* As much as is kept at once. */
static bool
is_full(const struct columns *columns)
{
	if (!columns->aligned)
		return columns->cells.len >= COLUMNS_PIECE;
	return columns->count >= COLUMNS_ALIGNED_CELLS ||
		columns->cells.len >= COLUMNS_ALIGNED_BYTES;
}

void
columns_end_row(struct columns *columns)
{
	if (columns->count > 0)
		columns->ends[columns->count - 1].is_last = true;
	if (columns->write != NULL && is_full(columns))
		columns_flush(columns);
}

/* How wide each column is; the caller frees it. */
static size_t *
measure(const struct columns *columns)
{
	size_t *widths = memory_alloc(columns->count, sizeof(*widths));

	for (size_t i = 0, column = 0; i < columns->count; i++) {
		const struct columns_cell *cell = &columns->ends[i];

		if (cell->width > widths[column] && !cell->is_last)
			widths[column] = cell->width;
		column = cell->is_last ? 0 : column + 1;
	}
	return widths;
}

static void
hand_over(const struct columns *columns, struct text *out)
{
	if (out->len > 0)
		columns->write(columns->context,
			(struct span){ out->bytes, out->len });
	text_clear(out);
}

/* With is_written in pieces. */
static void
format(struct columns *columns, struct text *out, bool is_written)
{
	size_t *widths = measure(columns);
	size_t start = 0;

	for (size_t i = 0, column = 0; i < columns->count; i++) {
		const struct columns_cell *cell = &columns->ends[i];
		bool is_last = cell->is_last || i + 1 == columns->count;
		size_t width = append_cell(columns, out,
			(struct span){ columns->cells.bytes + start,
				cell->end - start },
			is_last ? COLUMNS_LAST_MAX : COLUMNS_CELL_MAX);
		start = cell->end;
		if (is_last)
			text_append_char(out, '\n');
		else if (columns->aligned)
			text_appendf(out, "%*s",
				(int)(widths[column] - width + GAP), "");
		else
			text_append_char(out, '\t');
		column = cell->is_last ? 0 : column + 1;
		if (is_written && out->len >= COLUMNS_PIECE)
			hand_over(columns, out);
	}
	free(widths);
	text_clear(&columns->cells);
	columns->count = 0;
}

void
columns_format(struct columns *columns, struct text *out)
{
	format(columns, out, false);
}

void
columns_flush(struct columns *columns)
{
	struct text out = { 0 };

	format(columns, &out, true);
	hand_over(columns, &out);
	text_free(&out);
}
