/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { GAP = 2 }; /* blanks between two columns */

struct columns_cell {
	size_t end; /* in the cells */
	size_t width;
	bool is_last; /* of its row */
};

void
columns_free(struct columns *columns)
{
	text_free(&columns->cells);
	free(columns->ends);
	*columns = (struct columns){ .aligned = columns->aligned };
}

static size_t
width_of(struct span text)
{
	size_t width = 0, len;
	uint32_t c;

	for (; (len = text_utf8_next(text, &c)) > 0; text.len -= len) {
		int one = wcwidth((wchar_t)c);

		width += one >= 0 ? (size_t)one : 1;
		text.bytes += len;
	}
	return width;
}

void
columns_add(struct columns *columns, struct span cell)
{
	size_t start = columns->cells.len;

	/* Who reads it sees one backslash; a program can tell them apart. */
	text_harmless(&columns->cells, cell.len > 0 ? cell : span_of("-"),
		columns->aligned ? TEXT_MESSAGE : TEXT_LINE);
	columns->ends = memory_resize(columns->ends, columns->count + 1,
		sizeof(*columns->ends));
	columns->ends[columns->count++] = (struct columns_cell){
		.end = columns->cells.len,
		.width = width_of((struct span){ columns->cells.bytes + start,
			columns->cells.len - start }),
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

void
columns_end_row(struct columns *columns)
{
	if (columns->count > 0)
		columns->ends[columns->count - 1].is_last = true;
}

/* How wide each column is; the caller frees it. */
static size_t *
measure(const struct columns *columns)
{
	size_t *widths = memory_alloc(columns->count, sizeof(*widths));

	for (size_t i = 0, column = 0; i < columns->count; i++) {
		const struct columns_cell *cell = &columns->ends[i];

		if (cell->width > widths[column])
			widths[column] = cell->width;
		column = cell->is_last ? 0 : column + 1;
	}
	return widths;
}

void
columns_format(struct columns *columns, struct text *out)
{
	size_t *widths = measure(columns);
	size_t start = 0;

	for (size_t i = 0, column = 0; i < columns->count; i++) {
		const struct columns_cell *cell = &columns->ends[i];

		text_append(out, columns->cells.bytes + start,
			cell->end - start);
		start = cell->end;
		if (cell->is_last || i + 1 == columns->count)
			text_append_char(out, '\n');
		else if (columns->aligned)
			text_appendf(out, "%*s",
				(int)(widths[column] - cell->width + GAP), "");
		else
			text_append_char(out, '\t');
		column = cell->is_last ? 0 : column + 1;
	}
	free(widths);
	text_clear(&columns->cells);
	columns->count = 0;
}
