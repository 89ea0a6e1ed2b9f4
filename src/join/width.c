/* SPDX-License-Identifier: Apache-2.0 */
#include "width.h"

#include <assert.h>
#include <string.h>
#include <wchar.h>

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
width_fit(struct span text, size_t columns)
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
width_of(struct span text)
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
	size_t fits = width_fit(line, columns);
	size_t width;

	if (fits == line.len)
		return fits;
	for (size_t at = fits; at > fits / 2; at--)
		if (line.bytes[at] == ' ')
			return at;
	/* One character may be wider than the row. */
	return fits > 0 ? fits : character(line, &width);
}

struct span
width_row(struct span *left, size_t columns)
{
	/* No row has more bytes than this, unless most of them have no width.
	 */
	size_t most = columns * 8 + 64 < left->len ? columns * 8 + 64
						   : left->len;
	const char *end = memchr(left->bytes, '\n', most);
	struct span line = { left->bytes,
		end != NULL ? (size_t)(end - left->bytes) : most };

	assert(columns > 0);
	size_t len = row_end(line, columns);
	size_t taken = len;
	if (len < line.len ? line.bytes[len] == ' ' : end != NULL)
		taken++;
	left->bytes += taken;
	left->len -= taken;
	return (struct span){ line.bytes, len };
}
