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

/* A cell that is cut for its bytes is as wide as it is measured. */
static void
test_cut_by_bytes(void)
{
	struct columns columns = { .aligned = true };
	struct text cell = { 0 }, out = { 0 };

	for (int i = 0; i < 60; i++)
		text_append_char(&cell, 'x');
	for (int i = 0; i < 400; i++)
		text_append_string(&cell, "\xe2\x80\x8d");
	columns_add(&columns, (struct span){ cell.bytes, cell.len });
	columns_add(&columns, span_of("end"));
	columns_end_row(&columns);
	columns_add(&columns, span_of("a"));
	columns_add(&columns, span_of("end"));
	columns_end_row(&columns);
	columns_format(&columns, &out);
	const char *second = strchr(out.bytes, '\n') + 1;
	ok(strstr(out.bytes, MARK "  end\n") != NULL, "a cell that is cut");
	ok(strspn(second + 1, " ") == 60 + 2, "and one below it: %zu blanks",
		strspn(second + 1, " "));
	columns_free(&columns);
	text_free(&cell);
	text_free(&out);
}

static struct text written;
static size_t largest;

static void
on_write(void *context, struct span bytes)
{
	(void)context;
	text_append(&written, bytes.bytes, bytes.len);
	if (bytes.len > largest)
		largest = bytes.len;
}

/* Rows of the width that they have; returns how many bytes were kept of them
 * at most. */
static size_t
add_rows(struct columns *columns, int count, int width)
{
	size_t kept = 0;

	for (int i = 0; i < count; i++) {
		columns_addf(columns, "%d", i % 10);
		add_long(columns, "y", width);
		columns_end_row(columns);
		if (columns->cells.len > kept)
			kept = columns->cells.len;
	}
	return kept;
}

/* However many rows there are, few are kept. */
static void
test_pieces(bool aligned, int count, int width, size_t most)
{
	struct columns all = { .aligned = aligned };
	struct columns pieces = { .aligned = aligned, .write = on_write };
	struct text out = { 0 };

	text_clear(&written);
	largest = 0;
	add_rows(&all, count, width);
	columns_format(&all, &out);
	size_t kept = add_rows(&pieces, count, width);
	columns_flush(&pieces);
	ok(out.len == written.len &&
			memcmp(out.bytes, written.bytes, out.len) == 0,
		"in pieces it is the same: %zu bytes", written.len);
	ok(largest < COLUMNS_PIECE + 2000, "of %zu bytes at most", largest);
	ok(kept < most && (kept < out.len / 3 || aligned),
		"and %zu bytes are kept", kept);
	columns_flush(&pieces);
	ok(out.len == written.len, "once");
	columns_free(&all);
	columns_free(&pieces);
	text_free(&out);
	text_free(&written);
}

/* Nor of those that are aligned. */
static void
test_pieces_aligned(void)
{
	struct columns columns = { .aligned = true, .write = on_write };
	size_t count = COLUMNS_ALIGNED_CELLS / 2;

	add_rows(&columns, (int)count - 1, 1);
	ok(written.len == 0, "rows that are aligned with one another");
	add_rows(&columns, 1, 1);
	ok(written.len == count * strlen("0  y\n"), "until there are so many");
	text_clear(&written);
	count = add_rows(&columns, 40 * 1000, 1000);
	ok(written.len > COLUMNS_ALIGNED_BYTES, "or so large ones");
	ok(count < COLUMNS_ALIGNED_BYTES + 2000, "of %zu bytes", count);
	columns_free(&columns);
	text_free(&written);
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
	test_cut_by_bytes();
	test_pieces(false, 2000, 500, COLUMNS_PIECE + 2000);
	test_pieces(true, 2000, 500, COLUMNS_ALIGNED_BYTES);
	test_pieces_aligned();
	columns_free(&people);
	columns_free(&programs);
	text_free(&out);
	return done();
}
