/* SPDX-License-Identifier: Apache-2.0 */
/* Who is meant, how loud that is told, and how often. */
#include "join/attention.h"
#include "tap.h"

#include <stdlib.h>

#define ARGUMENT(text) ((char[]){ text })

static const struct span words[] = { { "al", 2 }, { "", 0 },
	{ "J\xc3\xb6rg", 5 }, { "db-7", 4 }, { "C++", 3 },
	{ "\xe7\x88\xb1\xe4\xb8\xbd", 6 } };

static void
mentions(const char *text, bool want)
{
	ok(attention_mentions(span_of(text), words, 6) == want, "%s in \"%s\"",
		want ? "a word is" : "no word is", text);
}

static void
test_mentions(void)
{
	mentions("al", true);
	mentions("hey AL, look", true);
	mentions("(@al)", true);
	mentions("al: hi", true);
	mentions("also a balance of _al or al1", false);
	mentions("alal al", true);
	mentions("al\xc3\xa9 \xc3\xa9"
		 "al",
		false);
	mentions("\xe2\x80\x94"
		 "al\xe2\x80\x94",
		true);
	mentions("\xff"
		 "al\xff",
		true);
	mentions("j\xc3\xb6rg?", true);
	mentions("J\xc3\x96RG", false);
	mentions("db-7 is full", true);
	mentions("db-70 is full", false);
	mentions("C++17 or c++", true);
	mentions("\xe8\xaf\xb7\xe7\x88\xb1\xe4\xb8\xbd\xe7\x9c\x8b", true);
	mentions("", false);
	ok(!attention_mentions(span_of("al"), words, 0), "no words");
}

static void
test_level(void)
{
	const enum room_severity high = ROOM_SEVERITY_HIGH;
	struct attention_message said = { .severity = ROOM_SEVERITY_MEDIUM };

	ok(attention_level(&said, high) == ATTENTION_UNREAD, "not so severe");
	said.severity = ROOM_SEVERITY_HIGH;
	ok(attention_level(&said, high) == ATTENTION_SEVERE, "severe");
	ok(attention_level(&said, ROOM_SEVERITY_NONE) == ATTENTION_UNREAD,
		"unless no severity is");
	said.mentions = true;
	ok(attention_level(&said, high) == ATTENTION_MINE, "a mention");
	said.forged = true;
	ok(attention_level(&said, high) == ATTENTION_UNREAD,
		"what is forged is not told aloud");
	said.forged = said.mentions = false;
	said.direct = true;
	ok(attention_level(&said, ROOM_SEVERITY_NONE) == ATTENTION_MINE,
		"a direct message");
	said.replayed = true;
	ok(attention_level(&said, high) == ATTENTION_NONE,
		"what was said before is not");
	said.replayed = false;
	said.own = true;
	ok(attention_level(&said, high) == ATTENTION_NONE, "nor is our own");
}

/* How many of so many at one time are let through. */
static int
burst(struct attention_rate *rate, int64_t mono, int count)
{
	int allowed = 0;

	for (int i = 0; i < count; i++)
		allowed += attention_allow(rate, mono);
	return allowed;
}

static void
test_rate(void)
{
	struct attention_rate bell = { .every_ms = 1000, .burst = 1 };
	struct attention_rate notify = { .every_ms = 5000, .burst = 3 };

	ok(burst(&bell, 7, 5) == 1, "one bell");
	ok(burst(&bell, 1006, 5) == 0, "and none within a second");
	ok(burst(&bell, 1007, 5) == 1, "but then");
	ok(attention_withheld(&bell) == 13, "what was withheld is counted");
	ok(attention_withheld(&bell) == 0, "and told once");
	ok(burst(&notify, 100000, 9) == 3, "three at once");
	ok(burst(&notify, 104999, 9) == 0, "then none");
	ok(burst(&notify, 105000, 9) == 1, "for five seconds");
	ok(burst(&notify, 115000, 9) == 2, "and two after ten");
	ok(burst(&notify, 999000, 9) == 3, "never more at once");
}

static void
argv_is(const char *room, const char *user, const char *text, uint64_t more,
	const char *title, const char *body)
{
	char *command[] = { ARGUMENT("notify-send"), ARGUMENT("--"), NULL };
	char **argv = attention_argv(command, span_of(room), span_of(user),
		span_of(text), more);

	ok(argv[0] == command[0] && argv[1] == command[1] && argv[4] == NULL,
		"the command stands before");
	is(argv[2], title, title);
	is(argv[3], body, body);
	free(argv);
}

static void
test_argv(void)
{
	argv_is("ops", "bob", "db7 is\nfull \\o/", 0, "ops: bob",
		"db7 is\\nfull \\o/");
	argv_is("the room", "al ice\x1b", "\xc3\xa9t\xc3\xa9", 12,
		"the_room: al_ice\\x1b (and 12 more)", "\xc3\xa9t\xc3\xa9");
	argv_is("-x", "-y", "--help", 0, " -x: -y", " --help");
	argv_is("@x", "", "@/etc/passwd", 0, " @x: _", " @/etc/passwd");
	argv_is("\xd7\xa9", "a", "\xd7\xa9", 0, "\xd7\xa9: a", "\xd7\xa9");
	argv_is("_", "a", "", 0, " _: a", " ");
	argv_is("r", "<b>", "a && <i>b</i>", 0,
		"r: \xe2\x80\xb9"
		"b>",
		"a \xef\xbc\x86\xef\xbc\x86 \xe2\x80\xb9i>b\xe2\x80\xb9/i>");
	argv_is("r", "\xe2\x80\xae", "\xff\x07", 0, "r: \\u{202e}",
		" \\xff\\x07");
}

static void
test_cut(void)
{
	char *command[] = { ARGUMENT("true"), NULL };
	struct text text = { 0 }, wide = { 0 };

	for (size_t i = 0; i < ATTENTION_TEXT_MAX; i++) {
		text_append_char(&text, 'a');
		text_append_string(&wide, "\xe6\x97\xa5");
	}
	struct span longest = { text.bytes, text.len };
	struct span far = { wide.bytes, wide.len };
	char **argv = attention_argv(command, far, longest, longest, 0);
	ok(strlen(argv[2]) == text.len && strcmp(argv[2], text.bytes) == 0,
		"the longest text is whole");
	ok(strlen(argv[1]) == 2 * ATTENTION_NAME_MAX + 1 &&
			strncmp(argv[1], wide.bytes, 60) == 0 &&
			strncmp(argv[1] + 60, "\xe2\x80\xa6: a", 6) == 0,
		"a name is cut between characters: %s", argv[1]);
	free(argv);
	text_append_char(&text, 'b');
	argv = attention_argv(command, far, far,
		(struct span){ text.bytes, text.len }, 0);
	ok(strlen(argv[2]) == ATTENTION_TEXT_MAX &&
			strcmp(argv[2] + ATTENTION_TEXT_MAX - 4,
				"a\xe2\x80\xa6") == 0,
		"a longer one is cut");
	free(argv);
	memset(text.bytes, '\x1b', text.len);
	argv = attention_argv(command, far, far,
		(struct span){ text.bytes, text.len }, 0);
	ok(strlen(argv[2]) <= ATTENTION_TEXT_MAX + 1 &&
			strlen(argv[2]) > ATTENTION_TEXT_MAX - 8,
		"so is one that grows (%zu)", strlen(argv[2]));
	free(argv);
	text_free(&text);
	text_free(&wide);
}

int
main(void)
{
	test_mentions();
	test_level();
	test_rate();
	test_argv();
	test_cut();
	return done();
}
