/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of cells, for people and for programs. */
#include "columns.h"

#include "tap.h"

#include <locale.h>

static void
fill(struct columns *columns)
{
	columns_add(columns, span_of("NAME"));
	columns_add(columns, span_of("VALUE"));
	columns_add(columns, span_of("MORE"));
	columns_end_row(columns);
	columns_add(columns, span_of("a\tb"));
	columns_addf(columns, "%d", 7);
	columns_add(columns, span_of("c:\\d\n\033[2J"));
	columns_end_row(columns);
	columns_add(columns, span_of("\xc3\xbc\xe6\xbc\xa2"));
	columns_add(columns, span_of(""));
	columns_add(columns, span_of("end"));
	columns_end_row(columns);
}

static void
add_long(struct columns *columns, const char *unit, int count)
{
	struct text cell = { 0 };

	for (int i = 0; i < count; i++)
		text_append_string(&cell, unit);
	columns_add(columns, (struct span){ cell.bytes, cell.len });
	text_free(&cell);
}

/* The line of so many units, an ellipsis if it is cut, so many blanks, and an
 * end. */
static void
line_is(struct span *lines, const char *unit, int count, const char *mark,
	int blanks, const char *end, const char *name)
{
	struct text want = { 0 };
	const char *newline = memchr(lines->bytes, '\n', lines->len);
	size_t len = newline != NULL ? (size_t)(newline - lines->bytes) : 0;

	for (int i = 0; i < count; i++)
		text_append_string(&want, unit);
	text_appendf(&want, "%s%*s%s", mark, blanks, "", end);
	ok(len == want.len && memcmp(lines->bytes, want.bytes, len) == 0,
		"%s: %zu bytes", name, len);
	if (len != want.len)
		printf("# want: %zu bytes\n", want.len);
	if (newline != NULL) {
		lines->len -= len + 1;
		lines->bytes += len + 1;
	}
	text_free(&want);
}

#define MARK "\xe2\x80\xa6"

/* What somebody far away says does not make all rows as wide. */
static void
test_bounds(bool aligned)
{
	static const struct {
		const char *unit;
		int count, left, blanks;
	} cells[] = {
		{ "x", COLUMNS_CELL_MAX, COLUMNS_CELL_MAX, 2 },
		{ "x", COLUMNS_CELL_MAX + 1, COLUMNS_CELL_MAX - 1, 2 },
		{ "x", 64 * 1024, COLUMNS_CELL_MAX - 1, 2 },
		/* Two columns each. */
		{ "\xe6\xbc\xa2", 60, 60, 2 },
		{ "\xe6\xbc\xa2", 61, 59, 3 },
		/* No columns, as a joiner has none. */
		{ "\xe2\x80\x8d", 20 * 1024, (COLUMNS_CELL_MAX - 1) * 8 / 3,
			121 },
	};
	struct columns columns = { .aligned = aligned };
	struct text out = { 0 };

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		add_long(&columns, cells[i].unit, cells[i].count);
		columns_add(&columns, span_of("end"));
		columns_end_row(&columns);
	}
	columns_add(&columns, span_of("a"));
	add_long(&columns, "y", COLUMNS_LAST_MAX);
	columns_end_row(&columns);
	columns_add(&columns, span_of("a"));
	add_long(&columns, "y", COLUMNS_LAST_MAX + 1);
	columns_end_row(&columns);
	columns_format(&columns, &out);
	struct span left = { out.bytes, out.len };
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		if (aligned)
			line_is(&left, cells[i].unit, cells[i].left,
				cells[i].left < cells[i].count ? MARK : "",
				cells[i].blanks, "end", "a bounded cell");
		else
			line_is(&left, cells[i].unit, cells[i].count, "\tend",
				0, "", "a cell that is not cut");
	left.bytes += aligned ? COLUMNS_CELL_MAX + 2 : 2;
	left.len -= aligned ? COLUMNS_CELL_MAX + 2 : 2;
	line_is(&left, "y", COLUMNS_LAST_MAX, "", 0, "", "the last cell");
	left.bytes += aligned ? COLUMNS_CELL_MAX + 2 : 2;
	left.len -= aligned ? COLUMNS_CELL_MAX + 2 : 2;
	line_is(&left, "y", COLUMNS_LAST_MAX + (aligned ? -1 : 1),
		aligned ? MARK : "", 0, "", "a longer last cell");
	columns_free(&columns);
	text_free(&out);
}

int
main(void)
{
	struct columns people = { .aligned = true };
	struct columns programs = { .aligned = false };
	struct text out = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	columns_format(&people, &out);
	ok(out.len == 0, "no rows, no text");
	fill(&people);
	columns_format(&people, &out);
	is(out.bytes,
		"NAME  VALUE  MORE\n"
		"a\\tb  7      c:\\d\\n\\x1b[2J\n"
		"\xc3\xbc\xe6\xbc\xa2   -      end\n",
		"aligned, and harmless");
	text_clear(&out);
	fill(&programs);
	columns_format(&programs, &out);
	is(out.bytes,
		"NAME\tVALUE\tMORE\n"
		"a\\tb\t7\tc:\\\\d\\n\\x1b[2J\n"
		"\xc3\xbc\xe6\xbc\xa2\t-\tend\n",
		"with tabs, and nothing is ambiguous");
	text_clear(&out);
	columns_add(&programs, span_of("again"));
	columns_format(&programs, &out);
	is(out.bytes, "again\n", "what was written is forgotten");
	test_bounds(true);
	test_bounds(false);
	columns_free(&people);
	columns_free(&programs);
	text_free(&out);
	return done();
}
