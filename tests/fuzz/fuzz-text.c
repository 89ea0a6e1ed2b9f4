/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes made harmless: what comes out, and that TEXT_LINE tells all
 * that went in. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static int
digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	FUZZ_CHECK(at != NULL);
	return (int)(at - digits);
}

static void
append_character(struct text *text, uint32_t c)
{
	unsigned char bytes[4];
	int len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (int i = len - 1; i > 0; i--, c >>= 6)
		bytes[i] = (unsigned char)(0x80 | (c & 0x3f));
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	bytes[0] = (unsigned char)(leads[len] | c);
	text_append(text, bytes, (size_t)len);
}

/* What "\u{" begins; returns what stands behind its "}". */
static const char *
read_number(const char *at, uint32_t *c)
{
	for (*c = 0; *at != '}'; at++)
		*c = *c * 16 + (uint32_t)digit(*at);
	return at + 1;
}

/* Takes one escape behind its backslash. */
static const char *
read_escape(const char *at, struct text *text)
{
	const char *letters = "\\\\n\nt\tr\r";
	uint32_t c;

	if (at[0] == 'x') {
		text_append_char(text,
			(char)(digit(at[1]) * 16 + digit(at[2])));
		return at + 3;
	}
	if (at[0] == 'u' && at[1] == '{') {
		at = read_number(at + 2, &c);
		append_character(text, c);
		return at;
	}
	for (; *letters != '\0'; letters += 2)
		if (letters[0] == *at) {
			text_append_char(text, letters[1]);
			return at + 1;
		}
	FUZZ_CHECK(false);
}

static void
check_reversible(const struct text *shown, struct span original)
{
	struct text again = { 0 };
	const char *at = shown->bytes;

	while (at < shown->bytes + shown->len)
		if (*at == '\\')
			at = read_escape(at + 1, &again);
		else
			text_append_char(&again, *at++);
	FUZZ_CHECK(
		span_equal((struct span){ again.bytes, again.len }, original));
	text_free(&again);
}

/* The most that one byte becomes is \u{e0001} for four, \x1b for one. */
static void
check_style(struct span bytes, enum text_style style)
{
	struct text shown = { 0 };

	text_append_string(&shown, "before");
	text_harmless(&shown, bytes, style);
	FUZZ_CHECK(strncmp(shown.bytes, "before", 6) == 0);
	FUZZ_CHECK(shown.bytes[shown.len] == '\0');
	FUZZ_CHECK(shown.len <= 6 + 4 * bytes.len + (bytes.len == 0));
	fuzz_check_harmless((struct span){ shown.bytes, shown.len },
		style == TEXT_NAME ? FUZZ_NAME : FUZZ_TEXT);
	text_free(&shown);

	text_harmless(&shown, bytes, style);
	if (style == TEXT_NAME)
		FUZZ_CHECK(shown.len > 0);
	if (style == TEXT_LINE)
		check_reversible(&shown, bytes);
	text_free(&shown);
}

/* Where UTF-8 ends it ends for good, and what is good stays so. */
static void
check_utf8(struct span bytes)
{
	size_t good = text_utf8_check(bytes);
	uint32_t c;

	FUZZ_CHECK(good <= bytes.len);
	FUZZ_CHECK(text_utf8_check((struct span){ bytes.bytes, good }) == good);
	if (good < bytes.len)
		FUZZ_CHECK(text_utf8_next((struct span){ bytes.bytes + good,
						  bytes.len - good },
				   &c) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };

	check_utf8(bytes);
	check_style(bytes, TEXT_LINE);
	check_style(bytes, TEXT_NAME);
	check_style(bytes, TEXT_MESSAGE);
	return 0;
}
