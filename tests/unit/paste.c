/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and pastes, as a terminal sends them. */
#include "join/paste.h"
#include "tap.h"

#include <stdlib.h>

#define BEGIN "\33[200~"
#define END   "\33[201~"

/* What came out: keys in <>, pastes in {}. */
static struct text out;
static size_t last_good, last_dropped;

static void
on_key(void *context, struct span key)
{
	(void)context;
	text_append_char(&out, '<');
	text_append(&out, key.bytes, key.len);
	text_append_char(&out, '>');
}

static void
on_pasted(void *context, const struct pasted *pasted)
{
	(void)context;
	text_append_char(&out, '{');
	text_append(&out, pasted->text.bytes, pasted->text.len);
	text_append_char(&out, '}');
	last_good = pasted->good;
	last_dropped = pasted->dropped;
}

static struct paste *
begin(void)
{
	const struct paste_calls calls = { NULL, on_key, on_pasted };

	text_clear(&out);
	text_append_string(&out, "");
	return paste_new(&calls);
}

static void
feed(struct paste *paste, const char *bytes, int64_t now)
{
	paste_feed(paste, span_of(bytes), now);
}

static void
finish(struct paste *paste, const char *want, const char *name)
{
	is(out.bytes, want, name);
	paste_free(paste);
}

/* All at once, and a byte at a time: it is the same. */
static void
gives(const char *bytes, const char *want, const char *name)
{
	struct paste *paste = begin();

	feed(paste, bytes, 0);
	paste_tick(paste, 10000);
	finish(paste, want, name);
	paste = begin();
	for (size_t i = 0; bytes[i] != '\0'; i++)
		paste_feed(paste, (struct span){ bytes + i, 1 }, 10 * (int)i);
	paste_tick(paste, 100000);
	finish(paste, want, "and so it is in small pieces");
}

static void
test_keys(void)
{
	gives("a\r\x03", "<a><\r><\x03>", "characters are keys");
	gives("\xc3\xbc\xe6\xbc\xa2", "<\xc3\xbc><\xe6\xbc\xa2>",
		"one of UTF-8 is one key");
	gives("\33[A\33OQ\33b\33[1;5C", "<\33[A><\33OQ><\33b><\33[1;5C>",
		"so is an escape sequence");
	gives("\33[[Ax", "<\33[[A><x>", "and one of the console");
	gives("\33\xc3\xbc", "<\33\xc3\xbc>", "and Meta with any character");
	gives("\33\33[A", "<\33><\33[A>", "ESC before another is a key");
	gives("\33[1\3x", "<\33[1><\3><x>", "a control character cuts it");
	gives("\xff\xc3x\xe2\x82y\xed\xa0\x80",
		"<\xef\xbf\xbd><\xef\xbf\xbd><x><\xef\xbf\xbd><y><"
		"\xef\xbf\xbd>",
		"what is no UTF-8 is U+FFFD");
	gives("\33[12345678901234567890123456789012345m",
		"<\33[123456789012345678901234567890><1><2><3><4><5><m>",
		"no key is endless");
}

static void
test_key_times(void)
{
	struct paste *paste = begin();

	feed(paste, "\33", 1000);
	ok(paste_deadline(paste) == 1000 + PASTE_KEY_MS, "ESC waits");
	paste_tick(paste, 1000 + PASTE_KEY_MS - 1);
	is(out.bytes, "", "until then");
	paste_tick(paste, 1000 + PASTE_KEY_MS);
	is(out.bytes, "<\33>", "and is a key");
	ok(paste_deadline(paste) == INT64_MAX, "then nothing waits");
	feed(paste, "b", 5000);
	finish(paste, "<\33><b>", "what comes later is the next");

	paste = begin();
	feed(paste, "\33", 0);
	paste_tick(paste, PASTE_KEY_MS);
	feed(paste, "[20", 500);
	paste_tick(paste, 500 + PASTE_PART_MS);
	feed(paste, "0~\\q\r" END, 3000);
	paste_tick(paste, 4000);
	finish(paste, "<\33><[20>{\\q\n}",
		"a start marker is one, however slow it comes");

	paste = begin();
	feed(paste, "\xe2\x82", 0);
	paste_tick(paste, PASTE_PART_MS);
	feed(paste, "x", PASTE_PART_MS);
	finish(paste, "<\xef\xbf\xbd><x>", "half a character is given up");
}

static void
test_pastes(void)
{
	gives("a" BEGIN "b c" END, "<a>{b c}", "a paste is no key");
	gives(BEGIN END, "{}", "it may be empty");
	gives(BEGIN "a\rb\r\nc\nd\n\r" END, "{a\nb\nc\nd\n\n}",
		"line ends become LF");
	gives(BEGIN "\33[A\3\t" END, "{\33[A\3\t}", "control characters stay");
	gives(BEGIN "a" BEGIN "b" END, "{ab}", "a start marker goes");
	gives(BEGIN "a\33[20" BEGIN "0~b" END, "{ab}",
		"also one that appears by that");
	gives(END "x", "<x>", "an end marker alone is nothing");
}

static void
test_tail(void)
{
	struct paste *paste;

	gives(BEGIN "a" END "\\q\r" END, "{a\\q\n}",
		"an end marker in the text does not end it");
	gives(BEGIN "a" END BEGIN "b" END, "{ab}", "the next joins it");

	paste = begin();
	feed(paste, BEGIN "a" END, 1000);
	ok(paste_deadline(paste) == 1000 + PASTE_TAIL_MS, "the end waits");
	feed(paste, "\r", 1000 + PASTE_TAIL_MS - 1);
	is(out.bytes, "", "what comes meanwhile belongs to it");
	ok(paste_is_open(paste), "more may come");
	paste_tick(paste, paste_deadline(paste));
	ok(!paste_is_open(paste), "until then");
	finish(paste, "{a\n}", "and a quiet ends it");

	paste = begin();
	feed(paste, BEGIN "a" END, 1000);
	paste_tick(paste, 1000 + PASTE_TAIL_MS);
	feed(paste, "\r", 1060);
	finish(paste, "{a}<\r>", "what comes later is a key");

	paste = begin();
	feed(paste, BEGIN "a" END, 1000);
	feed(paste, "\\q\r", 5000);
	ok(paste_deadline(paste) == 5000 + PASTE_AGAIN_MS,
		"what followed may go on");
	paste_tick(paste, 5000 + PASTE_AGAIN_MS);
	finish(paste, "{a\\q\n}", "it is late only when a tick has seen that");
}

static void
test_lost(void)
{
	struct paste *paste = begin();

	feed(paste, BEGIN "abc", 0);
	feed(paste, "def\33[20", 2000);
	paste_tick(paste, 2000 + PASTE_LOST_MS - 1);
	is(out.bytes, "", "a paste waits for its end");
	paste_tick(paste, 2000 + PASTE_LOST_MS);
	is(out.bytes, "{abcdef\33[20}", "but not for ever");
	feed(paste, "k", 9000);
	finish(paste, "{abcdef\33[20}<k>", "then there are keys again");
}

static void
test_refused(void)
{
	struct paste *paste = begin();

	paste_feed(paste, (struct span){ BEGIN "a\0b\xff" END, 16 }, 0);
	paste_tick(paste, 100);
	ok(last_good == 1 && last_dropped == 0, "a NUL is found");
	feed(paste, BEGIN "abc\xff" END, 200);
	paste_tick(paste, 300);
	ok(last_good == 3, "and what is no UTF-8");
	feed(paste, BEGIN "abc" END, 400);
	paste_tick(paste, 500);
	ok(last_good == 3, "else all is good");
	paste_free(paste);
}

static void
paste_of(struct paste *paste, size_t len)
{
	struct text text = { 0 };

	text_append_string(&text, BEGIN);
	memset(text_extend(&text, len), 'x', len);
	text_append_string(&text, END);
	paste_feed(paste, (struct span){ text.bytes, text.len }, 0);
	text_free(&text);
	text_clear(&out);
	paste_tick(paste, PASTE_TAIL_MS);
}

static void
test_long(void)
{
	struct paste *paste = begin();
	bool found = true;

	paste_of(paste, 2000000);
	ok(out.len == PASTE_MAX + 2, "a text is cut at %d bytes", PASTE_MAX);
	ok(last_dropped == 2000000 - PASTE_MAX, "and the rest is counted");
	for (size_t more = 4000; more < 4200; more++) {
		paste_of(paste, PASTE_MAX + more);
		found = found && out.len == PASTE_MAX + 2;
	}
	ok(found, "its end is found wherever it is");
	text_clear(&out);
	feed(paste, BEGIN "a" END, 1000);
	paste_tick(paste, 2000);
	ok(last_dropped == 0, "the next is its own");
	finish(paste, "{a}", "and whole");
}

int
main(void)
{
	test_keys();
	test_key_times();
	test_pastes();
	test_tail();
	test_lost();
	test_refused();
	test_long();
	paste_free(NULL);
	text_free(&out);
	return done();
}
