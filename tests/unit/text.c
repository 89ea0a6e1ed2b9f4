/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "tap.h"

static void
harmless(struct span in, enum text_style style, const char *want)
{
	struct text out = { 0 };

	text_harmless(&out, in, style);
	is(out.bytes, want, want);
	text_free(&out);
}

static void
test_harmless(void)
{
	harmless(span_of("plain text"), TEXT_LINE, "plain text");
	harmless(span_of("two\nlines\ttab\\"), TEXT_LINE,
		"two\\nlines\\ttab\\\\");
	harmless(span_of("\x1b[31mred\x07\x7f\r"), TEXT_LINE,
		"\\x1b[31mred\\x07\\x7f\\r");
	harmless((struct span){ "a\0b", 3 }, TEXT_LINE, "a\\x00b");
	harmless(span_of("\xc2\x9b"
			 "31m"),
		TEXT_LINE, "\\u{009b}31m");
	harmless(span_of("\x9b"
			 "31m"),
		TEXT_LINE, "\\x9b31m");
	harmless(span_of("\xe2\x80\xae"
			 "evil"),
		TEXT_LINE, "\\u{202e}evil");
	harmless(span_of("\xe2\x80\xa8"), TEXT_LINE, "\\u{2028}");
	harmless(span_of("\xc0\xaf"), TEXT_LINE, "\\xc0\\xaf");
	harmless(span_of("\xed\xa0\x80"), TEXT_LINE, "\\xed\\xa0\\x80");
	harmless(span_of("\xf4\x90\x80\x80"), TEXT_LINE,
		"\\xf4\\x90\\x80\\x80");
	harmless(span_of("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80"),
		TEXT_LINE, "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80");
	harmless(span_of("cut \xe6\x97"), TEXT_LINE, "cut \\xe6\\x97");
	harmless(span_of("Mary Ann\n"), TEXT_NAME, "Mary_Ann_");
	harmless(span_of("al\xe2\x80\x8bice"), TEXT_NAME, "al\\u{200b}ice");
	harmless(span_of("\xef\xbf\xb0\xf0\x9b\xb2\xa0\xf0\x9d\x85\xb3"
			 "\xf3\xa0\xbf\xbf"),
		TEXT_LINE, "\\u{fff0}\\u{1bca0}\\u{1d173}\\u{e0fff}");
	harmless(span_of("al\xe2\x80\x8bice"), TEXT_LINE, "al\\u{200b}ice");
	harmless(span_of("a\xe2\x80\x8d"
			 "b"),
		TEXT_LINE,
		"a\xe2\x80\x8d"
		"b");
	harmless(span_of("a\xe2\x80\x8d"
			 "b"),
		TEXT_NAME, "a\\u{200d}b");
	harmless(span_of("al\xe2\xa0\x80ice"), TEXT_NAME, "al_ice");
	harmless(span_of("al\xc2\xa0ice"), TEXT_NAME, "al_ice");
	harmless(span_of(""), TEXT_NAME, "_");
	harmless(span_of(""), TEXT_LINE, "");
	harmless(span_of("C:\\x\x1b"), TEXT_MESSAGE, "C:\\x\\x1b");
}

/* No byte that could drive a terminal comes out, whatever goes in. */
static void
test_all_bytes(void)
{
	bool clean = true;

	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char in[2] = { (char)a, (char)b };
			struct text out = { 0 };

			text_harmless(&out, (struct span){ in, 2 }, TEXT_LINE);
			for (size_t i = 0; i < out.len; i++) {
				unsigned char c = (unsigned char)out.bytes[i];
				if (c < 0x20 || c == 0x7f)
					clean = false;
			}
			if (text_utf8_check((struct span){ out.bytes,
				    out.len }) != out.len)
				clean = false;
			text_free(&out);
		}
	}
	ok(clean, "all pairs of bytes come out as harmless UTF-8");
}

static void
time_is(int64_t ms, const char *want)
{
	struct text out = { 0 };

	text_append_time(&out, ms);
	is(out.bytes, want, want);
	text_free(&out);
}

static void
test_time(void)
{
	time_is(INT64_C(1795408513935), "2026-11-23T04:35:13.935Z");
	time_is(0, "1970-01-01T00:00:00.000Z");
	time_is(-1, "1969-12-31T23:59:59.999Z");
	time_is(INT64_MAX, "9999-12-31T23:59:59.999Z");
	time_is(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static void
duration_is(int64_t ms, const char *want)
{
	struct text out = { 0 };

	text_append_duration(&out, ms);
	is(out.bytes, want, want);
	text_free(&out);
}

static void
test_duration(void)
{
	duration_is(-1, "-");
	duration_is(119999, "119s");
	duration_is(120000, "2m");
	duration_is(120 * 60000 - 1, "119m");
	duration_is(120 * 60000, "2h");
}

int
main(void)
{
	test_harmless();
	test_all_bytes();
	test_time();
	test_duration();
	return done();
}
