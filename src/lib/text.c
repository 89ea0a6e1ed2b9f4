/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "calendar.h"
#include "memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span
span_of(const char *string)
{
	if (string == NULL)
		return (struct span){ "", 0 };
	return (struct span){ string, strlen(string) };
}

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
		(a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

void
text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}

void
text_clear(struct text *text)
{
	text->len = 0;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

static void
reserve(struct text *text, size_t more)
{
	assert(more < SIZE_MAX / 4 - text->len);
	if (text->len + more < text->size)
		return;

	size_t size = text->size > 0 ? text->size : 128;
	while (size <= text->len + more)
		size *= 2;
	text->bytes = memory_resize(text->bytes, size, 1);
	text->size = size;
}

void
text_append(struct text *text, const void *bytes, size_t len)
{
	reserve(text, len);
	if (len > 0)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

char *
text_extend(struct text *text, size_t len)
{
	reserve(text, len);
	text->len += len;
	text->bytes[text->len] = '\0';
	return text->bytes + text->len - len;
}

void
text_append_string(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void
text_append_char(struct text *text, char c)
{
	text_append(text, &c, 1);
}

void
text_appendf(struct text *text, const char *format, ...)
{
	va_list arguments, again;

	va_start(arguments, format);
	va_copy(again, arguments);
	int len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(len >= 0);
	reserve(text, (size_t)len);
	vsnprintf(text->bytes + text->len, (size_t)len + 1, format, again);
	va_end(again);
	text->len += (size_t)len;
}

/* What the first byte of a character says: its length, the bits of the
 * character in it, and the least character that needs this length. */
static size_t
utf8_lead(unsigned char byte, uint32_t *c, uint32_t *least)
{
	if (byte < 0x80) {
		*c = byte;
		*least = 0;
		return 1;
	}
	if (byte >= 0xc2 && byte < 0xe0) {
		*c = byte & 0x1fU;
		*least = 0x80;
		return 2;
	}
	if (byte >= 0xe0 && byte < 0xf0) {
		*c = byte & 0x0fU;
		*least = 0x800;
		return 3;
	}
	if (byte >= 0xf0 && byte < 0xf5) {
		*c = byte & 0x07U;
		*least = 0x10000;
		return 4;
	}
	return 0;
}

size_t
text_utf8_next(struct span bytes, uint32_t *c)
{
	uint32_t least;

	if (bytes.len == 0)
		return 0;
	size_t len = utf8_lead((unsigned char)bytes.bytes[0], c, &least);
	if (len == 0 || len > bytes.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		unsigned char byte = (unsigned char)bytes.bytes[i];
		if ((byte & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (byte & 0x3fU);
	}
	if (*c < least || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return len;
}

size_t
text_utf8_check(struct span bytes)
{
	size_t good = 0;

	while (good < bytes.len) {
		uint32_t c;
		size_t len = text_utf8_next((struct span){ bytes.bytes + good,
						    bytes.len - good },
			&c);
		if (len == 0)
			break;
		good += len;
	}
	return good;
}

struct range {
	uint32_t first, last;
};

static bool
in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count && c >= ranges[i].first; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

/* Characters that drive a terminal, break a line, reorder what stands beside
 * them, or hide: Unicode's Cc, Bidi_Control, Zl, Zp, deprecated format
 * characters, interlinear annotation, tags, private control planes. */
static bool
is_dangerous(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x0000, 0x001f },
		{ 0x007f, 0x009f },
		{ 0x061c, 0x061c },
		{ 0x200e, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0xfdd0, 0xfdef },
		{ 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f },
	};

	if ((c & 0xfffe) == 0xfffe) /* noncharacters end each plane */
		return true;
	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

/* What has no width, or looks like nothing: it hides.  Unicode's
 * Default_Ignorable_Code_Point, but for what is above, and what joins; and some
 * that show nothing by themselves. */
static bool
is_invisible(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x00ad, 0x00ad },
		{ 0x034f, 0x034f },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200b },
		{ 0x3164, 0x3164 },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfff8 },
		{ 0x13430, 0x1343f }, /* hieroglyphs' format controls */
		{ 0x16fe4, 0x16fe4 }, /* a filler */
		{ 0x1bca0, 0x1bca3 },
		{ 0x1d159, 0x1d159 }, /* a null notehead */
		{ 0x1d173, 0x1d17a },
		{ 0xe0080, 0xe00ff },
		{ 0xe01f0, 0xe0fff },
	};

	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

/* The same, but what makes emoji, Persian words and variants of Han
 * characters: harmless in a text, a disguise in a name. */
static bool
is_joining(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x200c, 0x200d },
		{ 0xfe00, 0xfe0f },
		{ 0xe0100, 0xe01ef },
	};

	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

static bool
is_space(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x0009, 0x000d },
		{ 0x0020, 0x0020 },
		{ 0x0085, 0x0085 },
		{ 0x00a0, 0x00a0 },
		{ 0x1680, 0x1680 },
		{ 0x2000, 0x200a },
		{ 0x2028, 0x2029 },
		{ 0x202f, 0x202f },
		{ 0x205f, 0x205f },
		{ 0x2800, 0x2800 },
		{ 0x3000, 0x3000 },
	};

	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

static void
append_visible(struct text *text, uint32_t c)
{
	switch (c) {
	case '\n':
		text_append(text, "\\n", 2);
		break;
	case '\t':
		text_append(text, "\\t", 2);
		break;
	case '\r':
		text_append(text, "\\r", 2);
		break;
	default:
		if (c < 0x80)
			text_appendf(text, "\\x%02x", (unsigned)c);
		else
			text_appendf(text, "\\u{%04x}", (unsigned)c);
	}
}

/* The length of the run from the start that needs no care: printable ASCII
 * but backslash, and but space in names. */
static size_t
plain_run(struct span bytes, enum text_style style)
{
	char least = style == TEXT_NAME ? '!' : ' ';
	size_t len = 0;

	while (len < bytes.len && bytes.bytes[len] >= least &&
		bytes.bytes[len] < 0x7f && bytes.bytes[len] != '\\')
		len++;
	return len;
}

static size_t
append_one(struct text *text, struct span bytes, enum text_style style)
{
	uint32_t c;
	size_t len = text_utf8_next(bytes, &c);

	if (len == 0) {
		text_appendf(text, "\\x%02x", (unsigned char)bytes.bytes[0]);
		return 1;
	}
	if (c == '\\' && style != TEXT_MESSAGE)
		text_append(text, "\\\\", 2);
	else if (style == TEXT_NAME && is_space(c))
		text_append_char(text, '_');
	else if (is_dangerous(c) || is_invisible(c) ||
		(style == TEXT_NAME && is_joining(c)))
		append_visible(text, c);
	else
		text_append(text, bytes.bytes, len);
	return len;
}

void
text_harmless(struct text *text, struct span bytes, enum text_style style)
{
	if (bytes.len == 0 && style == TEXT_NAME)
		text_append_char(text, '_');
	reserve(text, bytes.len);
	while (bytes.len > 0) {
		size_t len = plain_run(bytes, style);

		if (len > 0)
			text_append(text, bytes.bytes, len);
		else
			len = append_one(text, bytes, style);
		bytes.bytes += len;
		bytes.len -= len;
	}
	text_append(text, "", 0);
}

void
text_append_time(struct text *text, int64_t ms)
{
	const int64_t least = INT64_C(-62167219200000); /* year 0 */
	const int64_t most = INT64_C(253402300799999);  /* end of year 9999 */

	ms = ms < least ? least : ms > most ? most : ms;
	int64_t part = (ms % 1000 + 1000) % 1000;
	struct tm tm = calendar_utc((ms - part) / 1000);
	text_appendf(text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec, (int)part);
}

void
text_append_duration(struct text *text, int64_t ms)
{
	if (ms < 0)
		text_append_char(text, '-');
	else if (ms < INT64_C(120) * 1000)
		text_appendf(text, "%llds", (long long)ms / 1000);
	else if (ms < INT64_C(120) * 60 * 1000)
		text_appendf(text, "%lldm", (long long)ms / 60000);
	else
		text_appendf(text, "%lldh", (long long)ms / 3600000);
}
