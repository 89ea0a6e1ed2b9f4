/* SPDX-License-Identifier: Apache-2.0 */
#include "scroll.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct entry {
	char *text;
	size_t len;
	enum scroll_style style;
};

/* A ring: entry i from the oldest is at (start + i) modulo size. */
struct scroll {
	struct entry *entries;
	size_t start, count, size, entries_max;
	size_t bytes; /* of all entries */
};

struct scroll *
scroll_new(size_t entries_max)
{
	struct scroll *scroll = memory_alloc(1, sizeof(*scroll));

	assert(entries_max > 0);
	scroll->entries_max = entries_max;
	scroll->entries = memory_alloc(entries_max, sizeof(*scroll->entries));
	scroll->size = entries_max;
	return scroll;
}

static struct entry *
entry_at(const struct scroll *scroll, size_t i)
{
	return &scroll->entries[(scroll->start + i) % scroll->size];
}

void
scroll_free(struct scroll *scroll)
{
	if (scroll == NULL)
		return;
	for (size_t i = 0; i < scroll->count; i++)
		free(entry_at(scroll, i)->text);
	free(scroll->entries);
	free(scroll);
}

static void
drop_oldest(struct scroll *scroll)
{
	scroll->bytes -= entry_at(scroll, 0)->len;
	free(entry_at(scroll, 0)->text);
	scroll->start = (scroll->start + 1) % scroll->size;
	scroll->count--;
}

void
scroll_add(struct scroll *scroll, enum scroll_style style, struct span text)
{
	while (scroll->count == scroll->entries_max ||
		(scroll->count > 0 &&
			scroll->bytes + text.len > SCROLL_BYTES_MAX))
		drop_oldest(scroll);
	*entry_at(scroll, scroll->count) = (struct entry){
		memory_copy(text.bytes, text.len), text.len, style
	};
	scroll->count++;
	scroll->bytes += text.len;
}

size_t
scroll_count(const struct scroll *scroll)
{
	return scroll->count;
}

/* The character at the start: its bytes (1 and up) and its columns. */
static size_t
character(struct span text, size_t *columns)
{
	uint32_t c;
	size_t len = text_utf8_next(text, &c);
	int width = len > 0 ? wcwidth((wchar_t)c) : -1;

	*columns = width >= 0 ? (size_t)width : 1;
	return len > 0 ? len : 1;
}

size_t
scroll_fit(struct span text, size_t columns)
{
	size_t at = 0, used = 0;

	while (at < text.len) {
		size_t width;
		size_t len = character((struct span){ text.bytes + at,
					       text.len - at },
			&width);

		if (used + width > columns)
			break;
		used += width;
		at += len;
	}
	return at;
}

size_t
scroll_width(struct span text)
{
	size_t at = 0, used = 0;

	while (at < text.len) {
		size_t width;

		at += character((struct span){ text.bytes + at, text.len - at },
			&width);
		used += width;
	}
	return used;
}

/* Where a row of this width ends: behind the last word that fits, or in a
 * word that is too long for any row. */
static size_t
row_end(struct span line, size_t columns)
{
	size_t fits = scroll_fit(line, columns);

	if (fits == line.len)
		return fits;
	for (size_t at = fits; at > fits / 2; at--)
		if (line.bytes[at] == ' ')
			return at;
	return fits > 0 ? fits : 1;
}

/* Cuts the next row off *left, the rest of an entry's text. */
static struct span
next_row(struct span *left, size_t columns)
{
	/* No row has more bytes than this, unless most of them have no width.
	 */
	size_t most = columns * 8 + 64 < left->len ? columns * 8 + 64
						   : left->len;
	const char *end = memchr(left->bytes, '\n', most);
	struct span line = { left->bytes,
		end != NULL ? (size_t)(end - left->bytes) : most };
	size_t len = row_end(line, columns);
	size_t taken = len;

	if (len < line.len && line.bytes[len] == ' ')
		taken++;
	else if (len == line.len && end != NULL)
		taken++;
	left->bytes += taken;
	left->len -= taken;
	return (struct span){ line.bytes, len };
}

/* All rows of one entry, or their number where rows is NULL. */
static size_t
entry_rows(const struct entry *entry, size_t columns, struct scroll_row *rows)
{
	struct span left = { entry->text, entry->len };
	size_t count = 0;

	do {
		size_t indent = count > 0 ? SCROLL_INDENT : 0;
		struct span text = next_row(&left, columns - indent);

		if (rows != NULL)
			rows[count] = (struct scroll_row){ text, indent,
				entry->style };
		count++;
	} while (left.len > 0);
	return count;
}

/* Puts the wanted ones of an entry's rows before those that are there. */
static size_t
take_rows(const struct entry *entry, size_t columns, size_t skip,
	struct scroll_row *rows, size_t free_rows)
{
	size_t count = entry_rows(entry, columns, NULL);
	struct scroll_row *all = memory_alloc(count, sizeof(*all));
	size_t wanted = count - skip < free_rows ? count - skip : free_rows;

	entry_rows(entry, columns, all);
	memcpy(rows + free_rows - wanted, all + count - skip - wanted,
		wanted * sizeof(*rows));
	free(all);
	return wanted;
}

size_t
scroll_rows(const struct scroll *scroll, size_t columns, size_t *back,
	struct scroll_row *rows, size_t rows_max)
{
	size_t skip = *back, filled = 0;

	assert(columns >= SCROLL_INDENT + 2);
	for (size_t i = scroll->count; i > 0 && filled < rows_max; i--) {
		const struct entry *entry = entry_at(scroll, i - 1);
		size_t count = skip > 0 ? entry_rows(entry, columns, NULL) : 0;

		if (skip > 0 && skip >= count) {
			skip -= count;
			continue;
		}
		filled += take_rows(entry, columns, skip, rows,
			rows_max - filled);
		skip = 0;
	}
	/* Above the oldest there is nothing: show the oldest page. */
	if (filled<rows_max && * back> 0) {
		size_t excess = rows_max - filled + skip;

		*back = *back > excess ? *back - excess : 0;
		return scroll_rows(scroll, columns, back, rows, rows_max);
	}
	memmove(rows, rows + rows_max - filled, filled * sizeof(*rows));
	return filled;
}
