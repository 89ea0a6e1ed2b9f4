/* SPDX-License-Identifier: Apache-2.0 */
#include "word.h"

struct range {
	uint32_t first, last;
};

/* Beyond ASCII.  Blocks of Unicode that have no letters, or nearly none, and
 * scripts that put no blanks between words. */
static const struct range apart[] = {
	{ 0x0080, 0x00a9 },
	{ 0x00ab, 0x00b4 },
	{ 0x00b6, 0x00b9 },
	{ 0x00bb, 0x00bf },
	{ 0x00d7, 0x00d7 },
	{ 0x00f7, 0x00f7 },
	{ 0x037e, 0x037e }, /* Greek, Armenian, Hebrew, Arabic, Indic marks */
	{ 0x0387, 0x0387 },
	{ 0x055a, 0x055f },
	{ 0x0589, 0x058a },
	{ 0x05be, 0x05be },
	{ 0x05c0, 0x05c0 },
	{ 0x05c3, 0x05c3 },
	{ 0x05f3, 0x05f4 },
	{ 0x060c, 0x060d },
	{ 0x061b, 0x061f },
	{ 0x066a, 0x066d },
	{ 0x06d4, 0x06d4 },
	{ 0x0964, 0x0965 },
	{ 0x0e00, 0x0eff }, /* Thai, Lao */
	{ 0x1000, 0x109f }, /* Myanmar */
	{ 0x1100, 0x11ff }, /* Hangul Jamo */
	{ 0x1680, 0x1680 },
	{ 0x1780, 0x17ff }, /* Khmer */
	{ 0x2000, 0x200b },
	{ 0x200e, 0x206f }, /* the joiners before it are within words */
	{ 0x20a0, 0x20cf }, /* currencies */
	{ 0x2190, 0x2bff }, /* arrows, mathematics, boxes, symbols */
	{ 0x2e00, 0xa4cf }, /* punctuation, radicals, kana, Han, Yi */
	{ 0xa960, 0xa97f }, /* Hangul */
	{ 0xac00, 0xd7ff },
	{ 0xe000, 0xfaff }, /* private use, Han */
	{ 0xfe10, 0xfe1f },
	{ 0xfe30, 0xfe6f },
	{ 0xfeff, 0xff0f },
	{ 0xff1a, 0xff20 },
	{ 0xff3b, 0xff40 },
	{ 0xff5b, 0xfffd },
	{ 0x1b000, 0x1b16f }, /* kana */
	{ 0x1f000, 0x1faff }, /* emoji, and what is like them */
	{ 0x20000, 0x10ffff },
};

bool
word_joins(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || c == '_';
	for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++)
		if (c <= apart[i].last)
			return c < apart[i].first;
	return false;
}

static bool
joins_behind(struct span text, size_t at)
{
	uint32_t c;

	text.bytes += at;
	text.len -= at;
	return text_utf8_next(text, &c) > 0 && word_joins(c);
}

static bool
joins_before(struct span text, size_t at)
{
	size_t start = at - 1;
	uint32_t c;

	while (start > 0 && at - start < 4 &&
		((unsigned char)text.bytes[start] & 0xc0) == 0x80)
		start--;
	struct span last = { text.bytes + start, at - start };
	return text_utf8_next(last, &c) == last.len && word_joins(c);
}

bool
word_boundary(struct span text, size_t at)
{
	return at == 0 || at >= text.len || !joins_before(text, at) ||
		!joins_behind(text, at);
}

char
word_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
word_begins(struct span text, struct span prefix)
{
	if (text.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (word_lower(text.bytes[i]) != word_lower(prefix.bytes[i]))
			return false;
	return true;
}

bool
word_same(struct span a, struct span b)
{
	return a.len == b.len && word_begins(a, b);
}
