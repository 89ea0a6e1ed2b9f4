/* SPDX-License-Identifier: Apache-2.0 */
#include "scroll.h"

#include "memory.h"
#include "width.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAY_MS = 24 * 3600 * 1000 };

/* A ring: the line with number n is at n modulo size. */
struct scroll {
	struct line *lines;
	size_t size;
	uint64_t first, end;
	size_t bytes;  /* of the texts of all */
	int64_t day;   /* of the newest line, since the epoch */
	int64_t today; /* of the last scroll_turn_day(); INT64_MAX: none yet */
};

struct scroll *
scroll_new(size_t lines_max)
{
	struct scroll *scroll = memory_alloc(1, sizeof(*scroll));

	assert(lines_max > 0);
	scroll->size = lines_max;
	scroll->lines = memory_alloc(lines_max, sizeof(*scroll->lines));
	scroll->day = INT64_MIN;
	scroll->today = INT64_MAX;
	return scroll;
}

static struct line *
line_at(const struct scroll *scroll, uint64_t number)
{
	return &scroll->lines[number % scroll->size];
}

/* What its texts take. */
static size_t
line_bytes(const struct line *line)
{
	return line->user.len + line->to.len + line->title.len +
		line->text.len + line->plain.len;
}

void
scroll_free(struct scroll *scroll)
{
	if (scroll == NULL)
		return;
	for (uint64_t i = scroll->first; i < scroll->end; i++)
		line_free(line_at(scroll, i));
	free(scroll->lines);
	free(scroll);
}

static void
drop_oldest(struct scroll *scroll)
{
	scroll->bytes -= line_bytes(line_at(scroll, scroll->first));
	line_free(line_at(scroll, scroll->first));
	scroll->first++;
}

static uint64_t
append(struct scroll *scroll, struct line line)
{
	while (scroll->end - scroll->first == scroll->size ||
		(scroll->end > scroll->first &&
			scroll->bytes + line_bytes(&line) > SCROLL_BYTES_MAX))
		drop_oldest(scroll);
	*line_at(scroll, scroll->end) = line;
	scroll->bytes += line_bytes(&line);
	return scroll->end++;
}

/* The line that a coming or going can be told in, or NULL. */
static struct line *
folds_into(const struct scroll *scroll, const struct line *line)
{
	if (scroll->end == scroll->first)
		return NULL;
	struct line *last = line_at(scroll, scroll->end - 1);
	return line_takes(last, line) ? last : NULL;
}

uint64_t
scroll_add(struct scroll *scroll, struct line line)
{
	int64_t day = line.time / DAY_MS;
	struct line *last;

	if (day != scroll->day && line.kind != LINE_DATE) {
		scroll->day = day;
		append(scroll, line_rule(LINE_DATE, line.time));
	}
	scroll->day = day;
	last = folds_into(scroll, &line);
	if (last == NULL)
		return append(scroll, line);
	scroll->bytes -= line_bytes(last);
	line_fold(last, &line);
	scroll->bytes += line_bytes(last);
	line_free(&line);
	return scroll->end - 1;
}

bool
scroll_turn_day(struct scroll *scroll, int64_t now)
{
	int64_t before = scroll->today;

	scroll->today = now / DAY_MS;
	if (scroll->today <= before || scroll->today == scroll->day)
		return false;
	scroll_add(scroll, line_rule(LINE_DATE, now));
	return true;
}

int64_t
scroll_day_left(int64_t now)
{
	return DAY_MS - now % DAY_MS;
}

struct line *
scroll_line(const struct scroll *scroll, uint64_t number)
{
	return number >= scroll->first && number < scroll->end
		? line_at(scroll, number)
		: NULL;
}

void
scroll_drop(struct scroll *scroll, uint64_t number)
{
	struct line *line = scroll_line(scroll, number);

	if (line == NULL)
		return;
	scroll->bytes -= line_bytes(line);
	line_free(line);
	*line = line_rule(LINE_GONE, line->time);
}

uint64_t
scroll_first(const struct scroll *scroll)
{
	return scroll->first;
}

uint64_t
scroll_end(const struct scroll *scroll)
{
	return scroll->end;
}

static bool
has(struct span text, struct span word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (strncasecmp(text.bytes + i, word.bytes, word.len) == 0)
			return true;
	return false;
}

static bool
is_hidden(const struct scroll_look *look, const struct line *line)
{
	return line->kind == LINE_GONE ||
		(look->hides != NULL && look->hides(look->context, line));
}

bool
scroll_find(const struct scroll *scroll, const struct scroll_look *look,
	struct span word, struct scroll_place from, int direction,
	struct scroll_place *found)
{
	uint64_t number = from.line < scroll->end ? from.line : scroll->end;

	if (number < scroll->first)
		number = scroll->first;
	while (direction < 0 ? number > scroll->first
			     : number + 1 < scroll->end) {
		number = direction < 0 ? number - 1 : number + 1;
		const struct line *line = line_at(scroll, number);
		if (line->kind != LINE_NOTICE &&
			(has(line->text, word) || has(line->title, word) ||
				has(line->user, word)) &&
			!is_hidden(look, line)) {
			*found = (struct scroll_place){ number, SIZE_MAX };
			return true;
		}
	}
	return false;
}

/* Rows are made from the lowest up, and point into the text of their line. */
struct scroll_page {
	struct text *texts; /* one a line */
	size_t text_count, text_size;
	struct scroll_part *parts;
	size_t part_count, part_size;
	struct scroll_row *rows;
	size_t *row_parts; /* where a row's parts begin */
	size_t row_count, row_size;
};

struct scroll_page *
scroll_page_new(void)
{
	return memory_alloc(1, sizeof(struct scroll_page));
}

void
scroll_page_free(struct scroll_page *page)
{
	if (page == NULL)
		return;
	for (size_t i = 0; i < page->text_size; i++)
		text_free(&page->texts[i]);
	free(page->texts);
	free(page->parts);
	free(page->rows);
	free(page->row_parts);
	free(page);
}

static struct text *
new_text(struct scroll_page *page)
{
	if (page->text_count == page->text_size) {
		size_t size = page->text_size * 2 + 16;

		page->texts = memory_resize(page->texts, size,
			sizeof(*page->texts));
		memset(page->texts + page->text_size, 0,
			(size - page->text_size) * sizeof(*page->texts));
		page->text_size = size;
	}
	text_clear(&page->texts[page->text_count]);
	return &page->texts[page->text_count++];
}

static struct scroll_row *
new_row(struct scroll_page *page)
{
	if (page->row_count == page->row_size) {
		page->row_size = page->row_size * 2 + 64;
		page->rows = memory_resize(page->rows, page->row_size,
			sizeof(*page->rows));
		page->row_parts = memory_resize(page->row_parts, page->row_size,
			sizeof(*page->row_parts));
	}
	page->row_parts[page->row_count] = page->part_count;
	return &page->rows[page->row_count++];
}

static void
new_part(struct scroll_page *page, struct scroll_part part)
{
	if (page->part_count == page->part_size) {
		page->part_size = page->part_size * 2 + 128;
		page->parts = memory_resize(page->parts, page->part_size,
			sizeof(*page->parts));
	}
	page->parts[page->part_count++] = part;
}

/* Cuts what is from start to end of a line's text by style. */
static size_t
add_parts(struct scroll_page *page, const char *text, size_t start, size_t end,
	const struct line_part *parts, size_t count)
{
	size_t made = 0, begin = 0;

	for (size_t i = 0; i < count; begin = parts[i++].end) {
		size_t from = begin > start ? begin : start;
		size_t to = parts[i].end < end ? parts[i].end : end;

		if (from >= to)
			continue;
		new_part(page,
			(struct scroll_part){ { text + from, to - from },
				parts[i].style });
		made++;
	}
	return made;
}

/* Appends all rows of a line, from its first. */
static size_t
add_line(struct scroll_page *page, const struct scroll_look *look,
	const struct line *line, uint64_t number)
{
	struct line_part parts[LINE_PARTS_MAX];
	struct text *text;
	size_t rows = 0;

	if (is_hidden(look, line))
		return 0;
	text = new_text(page);
	size_t count = line_format(line, look->clock, text, parts);
	struct span left = { text->bytes, text->len };
	do {
		size_t indent = rows > 0 ? SCROLL_INDENT : 0;
		struct span part = width_row(&left, look->columns - indent);
		size_t start = (size_t)(part.bytes - text->bytes);
		struct scroll_row *row = new_row(page);

		*row = (struct scroll_row){ line, number, rows, indent, NULL,
			0 };
		row->part_count = add_parts(page, text->bytes, start,
			start + part.len, parts, count);
		rows++;
	} while (left.len > 0);
	return rows;
}

/* Takes what was appended behind `from` away, but for the first `keep`. */
static void
keep_rows(struct scroll_page *page, size_t from, size_t keep)
{
	if (from + keep >= page->row_count)
		return;
	page->part_count = page->row_parts[from + keep];
	page->row_count = from + keep;
}

static void
empty(struct scroll_page *page)
{
	page->text_count = 0;
	page->part_count = 0;
	page->row_count = 0;
}

/* Turns rows [from, to) around. */
static void
reverse(struct scroll_page *page, size_t from, size_t to)
{
	while (from + 1 < to) {
		struct scroll_row row = page->rows[from];
		size_t parts = page->row_parts[from];

		to--;
		page->rows[from] = page->rows[to];
		page->row_parts[from] = page->row_parts[to];
		page->rows[to] = row;
		page->row_parts[to] = parts;
		from++;
	}
}

/* Fills the page from `bottom` up, the lowest row first, until it has that
 * many rows and more. */
static void
fill_up(const struct scroll *scroll, const struct scroll_look *look,
	struct scroll_place bottom, size_t rows_max, struct scroll_page *page)
{
	uint64_t number = bottom.line < scroll->end ? bottom.line + 1
						    : scroll->end;

	while (number > scroll->first && page->row_count < rows_max) {
		size_t from = page->row_count;

		number--;
		add_line(page, look, line_at(scroll, number), number);
		if (number == bottom.line && bottom.row < SIZE_MAX)
			keep_rows(page, from, bottom.row + 1);
		reverse(page, from, page->row_count);
	}
}

/* The place of the n-th row down from the oldest, from 1. */
static struct scroll_place
from_top(const struct scroll *scroll, const struct scroll_look *look, size_t n,
	struct scroll_page *page)
{
	empty(page);
	for (uint64_t i = scroll->first; i < scroll->end; i++) {
		add_line(page, look, line_at(scroll, i), i);
		if (page->row_count < n)
			continue;
		if (page->row_count == n && i + 1 == scroll->end)
			break;
		return (struct scroll_place){ i, page->rows[n - 1].row };
	}
	return SCROLL_END;
}

const struct scroll_row *
scroll_rows(const struct scroll *scroll, const struct scroll_look *look,
	struct scroll_place *bottom, size_t rows_max, struct scroll_page *page,
	size_t *count)
{
	assert(look->columns >= SCROLL_COLUMNS_MIN && rows_max > 0);
	empty(page);
	fill_up(scroll, look, *bottom, rows_max, page);
	if (page->row_count < rows_max && !scroll_is_end(*bottom)) {
		*bottom = from_top(scroll, look, rows_max, page);
		empty(page);
		fill_up(scroll, look, *bottom, rows_max, page);
	}
	if (!scroll_is_end(*bottom) && page->row_count > 0)
		*bottom = (struct scroll_place){ page->rows[0].number,
			page->rows[0].row };
	*count = page->row_count < rows_max ? page->row_count : rows_max;
	for (size_t i = 0; i < *count; i++)
		page->rows[i].parts = page->parts + page->row_parts[i];
	reverse(page, 0, *count);
	return page->rows;
}

static struct scroll_place
move_up(const struct scroll *scroll, const struct scroll_look *look,
	struct scroll_place from, size_t rows, struct scroll_page *page)
{
	empty(page);
	fill_up(scroll, look, from, rows + 1, page);
	if (page->row_count == 0)
		return SCROLL_END;
	size_t at = rows < page->row_count ? rows : page->row_count - 1;
	return (struct scroll_place){ page->rows[at].number,
		page->rows[at].row };
}

static struct scroll_place
move_down(const struct scroll *scroll, const struct scroll_look *look,
	struct scroll_place from, size_t rows, struct scroll_page *page)
{
	uint64_t number = from.line > scroll->first ? from.line : scroll->first;
	size_t wanted = from.row + rows; /* counted from that line's first */

	for (; number < scroll->end; number++) {
		empty(page);
		size_t count = add_line(page, look, line_at(scroll, number),
			number);
		bool last = number + 1 == scroll->end;

		if (wanted < count && !(last && wanted + 1 == count))
			return (struct scroll_place){ number, wanted };
		wanted -= wanted < count ? wanted : count;
	}
	return SCROLL_END;
}

struct scroll_place
scroll_move(const struct scroll *scroll, const struct scroll_look *look,
	struct scroll_place from, long rows, struct scroll_page *page)
{
	if (rows < 0)
		return move_up(scroll, look, from, (size_t)-rows, page);
	if (rows == 0 || scroll_is_end(from))
		return from;
	return move_down(scroll, look, from, (size_t)rows, page);
}
