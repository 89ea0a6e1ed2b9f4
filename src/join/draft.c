/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"

#include "width.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Cuts the next row off *left.  *more: another one follows, even if nothing is
 * left: behind a line feed, and behind a row that is full, where the cursor
 * has to stand somewhere. */
static struct span
next_row(struct span *left, size_t columns, bool *more)
{
	/* No row has more bytes than this, unless most have no width. */
	size_t most = columns * 8 + 64 < left->len ? columns * 8 + 64
						   : left->len;
	const char *feed = memchr(left->bytes, '\n', most);
	struct span row = { left->bytes,
		feed != NULL ? (size_t)(feed - left->bytes) : most };
	size_t fits = width_fit(row, columns);

	if (fits == 0 && row.len > 0) /* wider than a row */
		fits = 1;
	bool ends = feed != NULL && fits == row.len;
	row.len = fits;
	left->bytes += fits + ends;
	left->len -= fits + ends;
	*more = ends || left->len > 0 || width_of(row) >= columns;
	return row;
}

/* How many rows there are, and where the cursor is. */
static void
count_rows(struct span text, size_t cursor, size_t prompt, size_t columns,
	struct draft_view *view)
{
	struct span left = text;

	for (bool more = true; more; view->count++) {
		size_t indent = view->count == 0 ? prompt : 0;
		size_t start = (size_t)(left.bytes - text.bytes);
		struct span row = next_row(&left, columns - indent, &more);

		if (start > cursor)
			continue;
		if (cursor - start < row.len)
			row.len = cursor - start;
		view->y = view->count;
		view->x = indent + width_of(row);
	}
}

struct draft_view
draft_rows(struct span text, size_t cursor, size_t prompt, size_t columns,
	struct draft_row *rows, size_t rows_max)
{
	struct draft_view view = { 0 };
	struct span left = text;
	bool more;

	assert(columns >= 2 && prompt < columns && rows_max > 0);
	count_rows(text, cursor, prompt, columns, &view);
	view.shown = view.count < rows_max ? view.count : rows_max;
	view.first = view.y < view.shown ? 0 : view.y - view.shown + 1;
	for (size_t i = 0; i < view.first + view.shown; i++) {
		size_t indent = i == 0 ? prompt : 0;
		struct span row = next_row(&left, columns - indent, &more);

		if (i >= view.first)
			rows[i - view.first] = (struct draft_row){ row,
				indent };
	}
	view.y -= view.first;
	return view;
}
