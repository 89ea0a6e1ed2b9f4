/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include "join/draft.h"
#include "join/layout.h"
#include "join/line.h"
#include "join/lull.h"
#include "join/scroll.h"
#include "join/width.h"

#include <locale.h>
#include <stdlib.h>
#include <time.h>

/* What qchat-join shows, without a terminal. */

#define NOON INT64_C(1795608000000) /* 2026-11-25T12:00:00Z */
#define DAY  INT64_C(86400000)

#define DAY_KANJI "\xe6\x97\xa5" /* two columns wide */
#define E_ACUTE   "e\xcc\x81"    /* two characters in one column */

static uint64_t
add(struct scroll *scroll, int64_t time, const char *text)
{
	return scroll_add(scroll, line_notice(time, span_of(text)));
}

/* The rows as text: their indent, and a bar behind each. */
static void
rows_are(const struct scroll *scroll, size_t columns,
	struct scroll_place *bottom, size_t rows_max, const char *want,
	const char *name)
{
	struct scroll_page *page = scroll_page_new();
	const struct scroll_look look = { .columns = columns };
	struct text out = { 0 };
	size_t count;
	const struct scroll_row *rows = scroll_rows(scroll, &look, bottom,
		rows_max, page, &count);

	text_append_string(&out, "");
	for (size_t i = 0; i < count; i++) {
		text_appendf(&out, "%*s", (int)rows[i].indent, "");
		for (size_t j = 0; j < rows[i].part_count; j++)
			text_append(&out, rows[i].parts[j].text.bytes,
				rows[i].parts[j].text.len);
		text_append_char(&out, '|');
	}
	is(out.bytes, want, name);
	text_free(&out);
	scroll_page_free(page);
}

static struct scroll_place
moved(const struct scroll *scroll, size_t columns, struct scroll_place from,
	long rows)
{
	struct scroll_page *page = scroll_page_new();
	const struct scroll_look look = { .columns = columns };

	from = scroll_move(scroll, &look, from, rows, page);
	scroll_page_free(page);
	return from;
}

static void
test_rows(void)
{
	struct scroll *scroll = scroll_new(4);
	struct scroll_place end = SCROLL_END;

	add(scroll, NOON, "gone");
	add(scroll, NOON, "one");
	add(scroll, NOON, "two words here");
	add(scroll, NOON, "a\nb");
	ok(scroll_first(scroll) == 1 && scroll_end(scroll) == 5,
		"the oldest line goes: it was the rule of the day");
	add(scroll, NOON, "last");
	rows_are(scroll, 80, &end, 4,
		"12:00:00 * two words here|12:00:00 * a|  b|12:00:00 * last|",
		"the newest page");
	rows_are(scroll, 19, &end, 4,
		"  words here|12:00:00 * a|  b|12:00:00 * last|",
		"words are kept");
	rows_are(scroll, 7, &end, 2, "  0 *|  last|",
		"what is too long is broken");
	ok(scroll_is_end(end), "the end stays the end");
	scroll_free(scroll);
}

static void
test_reading_back(void)
{
	struct scroll *scroll = scroll_new(4);
	struct scroll_place place;

	add(scroll, NOON, "one");
	add(scroll, NOON, "two words here");
	add(scroll, NOON, "three");
	place = moved(scroll, 80, SCROLL_END, -1);
	ok(place.line == 2 && place.row == 0, "a row up from the end");
	rows_are(scroll, 80, &place, 2,
		"12:00:00 * one|12:00:00 * two words here|", "one reads back");
	add(scroll, NOON, "four");
	rows_are(scroll, 80, &place, 2,
		"12:00:00 * one|12:00:00 * two words here|",
		"what comes does not move it");
	place = moved(scroll, 19, place, 99);
	ok(scroll_is_end(place), "far down is the end");
	place = moved(scroll, 19, SCROLL_END, -2);
	rows_are(scroll, 19, &place, 2, "12:00:00 * two|  words here|",
		"rows of a line count");
	rows_are(scroll, 80, &place, 2,
		"12:00:00 * one|12:00:00 * two words here|",
		"in another width the line stays");
	place = (struct scroll_place){ 0, 0 };
	rows_are(scroll, 80, &place, 3,
		"12:00:00 * one|12:00:00 * two words here|12:00:00 * three|",
		"above the oldest is nothing: a full page is shown");
	ok(place.line == 3, "and the place is its lowest row");
	place = moved(scroll, 80, place, -1);
	for (int i = 0; i < 9; i++)
		add(scroll, NOON, "more");
	rows_are(scroll, 80, &place, 3,
		"12:00:00 * more|12:00:00 * more|12:00:00 * more|",
		"what was read may go");
	place = moved(scroll, 80, SCROLL_END, -1);
	place = moved(scroll, 80, place, 1);
	ok(scroll_is_end(place), "down to the lowest row is the end again");
	scroll_free(scroll);
}

static void
test_rules(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_place end = SCROLL_END;

	add(scroll, NOON, "one");
	add(scroll, NOON + DAY, "two");
	add(scroll, NOON + DAY, "three");
	rows_are(scroll, 80, &end, 9,
		"-- 2026-11-25 UTC --|12:00:00 * one|-- 2026-11-26 UTC --|"
		"12:00:00 * two|12:00:00 * three|",
		"a day begins with its date");
	uint64_t rule = scroll_add(scroll, line_rule(LINE_UNREAD, NOON + DAY));
	add(scroll, NOON + DAY, "four");
	rows_are(scroll, 80, &end, 2,
		"-- unread from here on --|12:00:00 * four|", "unread ones");
	scroll_drop(scroll, rule);
	rows_are(scroll, 80, &end, 2, "12:00:00 * three|12:00:00 * four|",
		"and no more");
	scroll_free(scroll);
}

static struct line
coming_at(int64_t time, enum record_type type, const char *name)
{
	const struct record record = {
		.type = type,
		.user = span_of(name),
		.time = time,
		.reason = "bye",
	};

	return line_from_record(&record);
}

static struct line
coming(enum record_type type, const char *name)
{
	return coming_at(NOON, type, name);
}

static void
test_midnight(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_place end = SCROLL_END;

	add(scroll, NOON, "one");
	ok(!scroll_turn_day(scroll, NOON + 1), "on the same day no rule");
	ok(!scroll_turn_day(scroll, NOON + DAY / 2 - 1), "up to its last ms");
	ok(scroll_turn_day(scroll, NOON + DAY / 2), "at midnight one comes");
	ok(!scroll_turn_day(scroll, NOON + DAY / 2 + 1), "but one");
	add(scroll, NOON + DAY, "two");
	rows_are(scroll, 80, &end, 9,
		"-- 2026-11-25 UTC --|12:00:00 * one|"
		"-- 2026-11-26 UTC --|12:00:00 * two|",
		"and what is said then has none of its own");
	add(scroll, NOON + 2 * DAY, "three");
	ok(!scroll_turn_day(scroll, NOON + 2 * DAY),
		"nor has a day on which something was said");
	ok(!scroll_turn_day(scroll, NOON + DAY), "a clock that is set back");
	ok(scroll_day_left(NOON) == DAY / 2, "half a day is left at noon");
	ok(scroll_day_left(NOON + DAY / 2) == DAY, "a whole one at midnight");
	scroll_free(scroll);
}

static void
test_folding(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_place end = SCROLL_END;

	scroll_add(scroll, coming(RECORD_JOIN, "al\033ice"));
	scroll_add(scroll, coming(RECORD_LEAVE, "bob"));
	rows_are(scroll, 80, &end, 1,
		"12:00:00 * al\\x1bice joined, bob left (bye)|",
		"comings and goings are one line");
	add(scroll, NOON, "between");
	for (int i = 0; i < 21; i++)
		scroll_add(scroll, coming(RECORD_HERE, i < 20 ? "c" : "d"));
	rows_are(scroll, 200, &end, 1,
		"12:00:00 * 13 earlier comings and goings, c is here, c is "
		"here, c is here, c is here, c is here, c is here, c is here, "
		"d is here|",
		"of bounded length");
	ok(scroll_end(scroll) == 4, "what is said ends it");
	scroll_free(scroll);
}

/* A line shows one time: what is far from that has a line of its own. */
static void
test_folding_times(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_place end = SCROLL_END;

	scroll_add(scroll, coming_at(NOON, RECORD_JOIN, "a"));
	scroll_add(scroll, coming_at(NOON + 3000, RECORD_JOIN, "b"));
	scroll_add(scroll, coming_at(NOON + LINE_FOLD_MS, RECORD_JOIN, "c"));
	scroll_add(scroll,
		coming_at(NOON + LINE_FOLD_MS + 1, RECORD_JOIN, "d"));
	scroll_add(scroll, coming_at(NOON + 180 * 1000, RECORD_LEAVE, "a"));
	scroll_add(scroll, coming_at(NOON + 179 * 1000, RECORD_LEAVE, "b"));
	scroll_add(scroll, coming_at(NOON + 60 * 1000, RECORD_JOIN, "e"));
	rows_are(scroll, 80, &end, 9,
		"-- 2026-11-25 UTC --|"
		"12:00:00 * a joined, b joined, c joined|"
		"12:00:05 * d joined|"
		"12:03:00 * a left (bye), b left (bye)|"
		"12:01:00 * e joined|",
		"what is not close together is not told as if it were");
	scroll_free(scroll);
}

static void
test_crowd(void)
{
	struct scroll *scroll = scroll_new(100);

	for (int i = 0; i < 100; i++)
		scroll_add(scroll,
			coming_at(NOON + i * 20, RECORD_JOIN, "somebody"));
	ok(scroll_end(scroll) == 2, "a crowd that is back at once is a line");
	scroll_free(scroll);
}

/* Takes a coming into a lull at so many ms; true: it was told at once. */
static bool
told_at(struct lull *lull, int64_t ms, const char *name)
{
	struct line line = coming_at(NOON + ms, RECORD_JOIN, name);
	bool is_told = !lull_keep(lull, &line, ms);

	line_free(&line);
	return is_told;
}

/* What a lull gives at so many ms. */
static void
lull_gives(struct lull *lull, int64_t ms, const char *want, const char *name)
{
	struct line line = { 0 };
	struct line_part parts[LINE_PARTS_MAX];
	struct text text = { 0 };

	text_append_string(&text, "");
	if (lull_take(lull, ms, &line))
		line_format(&line, (struct line_clock){ false }, &text, parts);
	is(text.bytes, want, name);
	line_free(&line);
	text_free(&text);
}

static void
test_lull(void)
{
	struct lull lull = { 0 };

	lull_gives(&lull, 0, "", "nothing is kept at first");
	ok(told_at(&lull, 1000, "a"), "the first is told at once");
	ok(lull_deadline(&lull) == INT64_MAX, "and nothing waits");
	ok(!told_at(&lull, 2000, "b") && !told_at(&lull, 3000, "c"),
		"what follows it is kept");
	ok(lull_deadline(&lull) == 1000 + LINE_FOLD_MS,
		"for as long as it is close to the first");
	lull_gives(&lull, 6000, "12:00:02 * b joined, c joined",
		"and told as one line, with a time of its own");
	ok(lull_deadline(&lull) == INT64_MAX, "once");
	ok(!told_at(&lull, 6500, "d"), "what goes on is kept, too");
	lull_gives(&lull, 11000, "12:00:06 * d joined", "for as long");
	ok(told_at(&lull, 16000, "e"), "behind a rest one is told at once");
	ok(!told_at(&lull, 16500, "f") && told_at(&lull, 22500, "g"),
		"what does not fit a line is not kept in it");
	lull_gives(&lull, 22500, "12:00:16 * f joined",
		"and what was kept can be told before it");
	ok(!told_at(&lull, 23000, "h"), "one that is never told");
	lull_free(&lull);
}

/* A hundred within ten seconds, looked at when that is due. */
static void
test_lull_of_crowd(void)
{
	struct lull lull = { 0 };
	struct line line;
	int told = 0;
	size_t folded = 0;

	for (int64_t ms = 0; ms < 20 * 1000; ms += 100) {
		if (ms >= lull_deadline(&lull) && lull_take(&lull, ms, &line)) {
			told++;
			folded += line.folded;
			line_free(&line);
		}
		if (ms < 10 * 1000 && told_at(&lull, ms, "somebody")) {
			told++;
			folded++;
		}
	}
	ok(told == 3 && folded == 100, "a crowd is few lines, with all of it");
	lull_free(&lull);
}

static uint64_t
say(struct scroll *scroll, const char *text)
{
	const struct record record = {
		.type = RECORD_MESSAGE,
		.time = NOON,
		.user = span_of("alice"),
		.text = span_of(text),
	};

	return scroll_add(scroll, line_from_record(&record));
}

static bool
hides_messages(void *context, const struct line *line)
{
	(void)context;
	return line->kind == LINE_MESSAGE;
}

static void
test_finding(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_place place = SCROLL_END;
	struct scroll_look look = { .columns = 80 };

	uint64_t first = say(scroll, "a Needle");
	say(scroll, "hay");
	uint64_t second = say(scroll, "needles");
	say(scroll, "hay");
	ok(scroll_find(scroll, &look, span_of("needle"), place, -1, &place) &&
			place.line == second,
		"the newest is found");
	ok(scroll_find(scroll, &look, span_of("needle"), place, -1, &place) &&
			place.line == first,
		"then the one before, whatever its case");
	ok(!scroll_find(scroll, &look, span_of("needle"), place, -1, &place),
		"then none");
	ok(scroll_find(scroll, &look, span_of("needle"), place, 1, &place) &&
			place.line == second,
		"and down again");
	ok(!scroll_find(scroll, &look, span_of("needle"), place, 1, &place),
		"to the lowest");
	add(scroll, NOON, "needle: not found");
	place = SCROLL_END;
	ok(scroll_find(scroll, &look, span_of("needle"), place, -1, &place) &&
			place.line == second,
		"what we told of it ourselves is not found");
	look.hides = hides_messages;
	ok(!scroll_find(scroll, &look, span_of("needle"), SCROLL_END, -1,
		   &place),
		"nor what is hidden");
	scroll_free(scroll);
}

static bool
hides_all(void *context, const struct line *line)
{
	(void)context;
	return line->kind == LINE_NOTICE;
}

static void
test_hiding(void)
{
	struct scroll *scroll = scroll_new(100);
	struct scroll_page *page = scroll_page_new();
	const struct scroll_look look = { .columns = 80, .hides = hides_all };
	struct scroll_place end = SCROLL_END;
	size_t count;

	add(scroll, NOON, "one");
	add(scroll, NOON, "two");
	scroll_rows(scroll, &look, &end, 9, page, &count);
	ok(count == 1, "hidden lines have no rows");
	scroll_page_free(page);
	scroll_free(scroll);
}

/* A megabyte in ten lines: the oldest go. */
static void
test_bytes(void)
{
	struct scroll *scroll = scroll_new(100);
	size_t len = SCROLL_BYTES_MAX / 10;
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	for (int i = 0; i < 20; i++)
		add(scroll, NOON, text);
	ok(scroll_end(scroll) - scroll_first(scroll) <= 10,
		"bytes are bounded, too");
	free(text);
	scroll_free(scroll);
}

static struct record
message(const char *user, const char *text)
{
	struct record record = {
		.type = RECORD_MESSAGE,
		.user = span_of(user),
		.text = span_of(text),
		.time = NOON,
		.seq = 7,
	};

	record.trust.mark = TRUST_GOOD;
	return record;
}

static void
line_is(struct line line, const char *want, const char *name)
{
	struct line_part parts[LINE_PARTS_MAX];
	struct text text = { 0 };
	const struct line_clock clock = { false };
	size_t count = line_format(&line, clock, &text, parts);

	is(text.bytes, want, name);
	ok(count > 0 && parts[count - 1].end == text.len,
		"and its parts are all of it");
	text_free(&text);
	line_free(&line);
}

static void
test_lines(void)
{
	struct record record = message("alice", "hello\nyou");
	const struct span tag = span_of(LINE_ACTION_TAG);
	struct line line = line_from_record(&record);

	line_is(line, "12:00:00 + alice: hello\nyou", "a message");
	record.trust.mark = TRUST_BAD;
	record.trust.why = "forged";
	record.text = span_of("\033[2J");
	line_is(line_from_record(&record),
		"12:00:00 ! alice: [NOT BELIEVED: forged] \\x1b[2J",
		"a forged one, that would drive the terminal");
	record = message("alice", "waves");
	record.tags = &tag;
	record.tag_count = 1;
	line_is(line_from_record(&record), "12:00:00 + * alice waves",
		"an action");
	record = message("alice", "fire");
	record.severity = ROOM_SEVERITY_HIGH;
	record.title = span_of("db7");
	record.replayed = true;
	line = line_from_record(&record);
	line.mentions = true;
	line_is(line, "12:00:00>+~ alice: [high] db7: fire",
		"severity, title, an earlier one, and it is for us");
	record = message("alice", "hi");
	record.own = true;
	line = line_from_record(&record);
	ok(line.seq == 7, "our own has its number");
	line.state = LINE_PENDING;
	line_is(line, "12:00:00 . alice: hi", "no mark before its proof");
	line = line_from_record(&record);
	line.state = LINE_FAILED;
	line_is(line, "12:00:00 + alice: [NOT DELIVERED; \\r says it again] hi",
		"what was not delivered says so");
	record.type = RECORD_DIRECT;
	line = line_from_record(&record);
	line_set_to(&line, span_of("bob"));
	line_is(line, "12:00:00 +@ alice to bob: hi", "to one alone");
	record = message("", "");
	record.type = RECORD_GAP;
	record.user = span_of("bob");
	record.gap_first = 3;
	record.gap_last = 4;
	line_is(line_from_record(&record),
		"12:00:00 * bob: MISSING messages 3 to 4", "a gap");
}

/* What is too long for a screen is cut there, between characters, and is
 * written whole. */
static void
test_long_line(void)
{
	char *text = calloc(1, LINE_SHOWN_MAX + 9);
	struct text out = { 0 };
	struct line_part parts[LINE_PARTS_MAX];
	const struct line_clock clock = { false };

	memset(text, 'x', LINE_SHOWN_MAX - 1);
	memcpy(text + LINE_SHOWN_MAX - 1, DAY_KANJI "end", 6);
	struct record record = message("alice", text);
	struct line line = line_from_record(&record);
	line_format(&line, clock, &out, parts);
	ok(strstr(out.bytes, "x\n[6 bytes more: \\w FILE writes them all]") !=
			NULL,
		"what is too long is cut between characters");
	text_clear(&out);
	line_plain(&line, span_of("ops"), &out);
	ok(out.len ==
			strlen("2026-11-25T12:00:00.000Z ops + alice ") +
				strlen(text) + 1,
		"and written whole");
	text_free(&out);
	line_free(&line);
	free(text);
}

static void
test_plain(void)
{
	struct record record = message("alice", "a\nb");
	struct line line = line_from_record(&record);
	struct text got = { 0 }, want = { 0 };

	record.room = span_of("ops");
	record_plain(&record, &want);
	line_plain(&line, span_of("ops"), &got);
	is(got.bytes, want.bytes, "a message as qchat-listen prints it");
	line_free(&line);
	text_clear(&got);
	line = line_rule(LINE_DATE, NOON);
	line_plain(&line, span_of("ops"), &got);
	is(got.bytes, "", "no line for a rule");
	line_free(&line);
	line = line_notice(NOON, span_of("a\nb"));
	line_plain(&line, span_of("ops"), &got);
	is(got.bytes, "2026-11-25T12:00:00.000Z ops * a\\nb\n",
		"one for what nobody said");
	line_free(&line);
	line = coming(RECORD_JOIN, "alice");
	for (int i = 0; i < 9; i++) {
		struct line next = coming(RECORD_LEAVE, "bob");

		line_fold(&line, &next);
		line_free(&next);
	}
	text_clear(&got);
	line_plain(&line, span_of("ops"), &got);
	is(got.bytes,
		"2026-11-25T12:00:00.000Z ops * 2 earlier comings and goings, "
		"bob left (bye), bob left (bye), bob left (bye), bob left "
		"(bye), bob left (bye), bob left (bye), bob left (bye), bob "
		"left (bye)\n",
		"and for who came and went");
	line_free(&line);
	text_free(&got);
	text_free(&want);
}

/* Whoever reads a file that was written must not take for said what was not,
 * nor for the room's what was for one alone. */
static void
test_plain_own(void)
{
	static const struct {
		enum line_state state;
		const char *to, *want;
	} cases[] = {
		{ LINE_SAID, "", " ops - alice hello\n" },
		{ LINE_PENDING, "", " ops - alice [UNCONFIRMED] hello\n" },
		{ LINE_FAILED, "", " ops - alice [NOT DELIVERED] hello\n" },
		{ LINE_SAID, "b\nb", " ops - alice to b\\nb: hello\n" },
		{ LINE_FAILED, "bob",
			" ops - alice [NOT DELIVERED] to bob: hello\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct record record = message("alice", "hello");
		struct text got = { 0 };

		record.own = true;
		record.trust.mark = TRUST_NONE;
		struct line line = line_from_record(&record);
		line.state = cases[i].state;
		line_set_to(&line, span_of(cases[i].to));
		line_plain(&line, span_of("ops"), &got);
		is(strchr(got.bytes, ' '), cases[i].want,
			"what became of ours is written");
		line_free(&line);
		text_free(&got);
	}
}

static void
test_clock(void)
{
	struct text text = { 0 };
	struct line_clock clock = { true };

	setenv("TZ", "XXX-5:30", 1);
	tzset();
	line_append_time(&text, NOON, clock);
	is(text.bytes, "17:30:00+0530", "local time with its offset");
	text_clear(&text);
	setenv("TZ", "XXX3", 1);
	tzset();
	line_append_time(&text, NOON, clock);
	is(text.bytes, "09:00:00-03", "to the west");
	text_clear(&text);
	clock.local = false;
	line_append_time(&text, NOON, clock);
	is(text.bytes, "12:00:00", "or UTC");
	text_free(&text);
}

static void
test_width(void)
{
	ok(width_of(span_of(DAY_KANJI "a")) == 3,
		"a wide character takes two columns");
	ok(width_fit(span_of(DAY_KANJI "a"), 1) == 0,
		"and does not fit into one");
	ok(width_of(span_of(E_ACUTE)) == 1, "a combining one takes none");
	ok(width_fit(span_of(E_ACUTE "x"), 1) == 3, "and is not cut off");
	struct span left = span_of(DAY_KANJI);
	ok(width_row(&left, 1).len == 3 && left.len == 0,
		"a row has a character at least");
}

static void
draft_is(const char *text, size_t cursor, size_t prompt, size_t columns,
	const char *want, size_t y, size_t x)
{
	struct draft_row rows[3];
	struct draft_view view = draft_rows(span_of(text), cursor, prompt,
		columns, rows, 3);
	struct text out = { 0 };

	text_appendf(&out, "%zu+", view.first);
	for (size_t i = 0; i < view.shown; i++)
		text_appendf(&out, "%*s%.*s|", (int)rows[i].indent, "",
			(int)rows[i].text.len, rows[i].text.bytes);
	if (!is(out.bytes, want, "a draft in rows") ||
		!ok(view.y == y && view.x == x, "with its cursor"))
		printf("# of \"%s\": %zu, %zu\n", text, view.y, view.x);
	text_free(&out);
}

static void
test_draft(void)
{
	draft_is("", 0, 2, 10, "0+  |", 0, 2);
	draft_is("abc", 1, 2, 10, "0+  abc|", 0, 3);
	draft_is("abcdefgh", 8, 2, 10, "0+  abcdefgh||", 1, 0);
	draft_is("abcdefghi", 9, 2, 10, "0+  abcdefgh|i|", 1, 1);
	draft_is("a\nb\n", 4, 2, 10, "0+  a|b||", 2, 0);
	draft_is("a\nb\nc\nd", 7, 2, 10, "1+b|c|d|", 2, 1);
	draft_is("a\nb\nc\nd", 0, 2, 10, "0+  a|b|c|", 0, 2);
	draft_is("a\nb", 1, 2, 10, "0+  a|b|", 0, 3);
	draft_is("a\nb", 2, 2, 10, "0+  a|b|", 1, 0);
	draft_is(DAY_KANJI DAY_KANJI, 3, 0, 3, "0+" DAY_KANJI "|" DAY_KANJI "|",
		1, 0);
}

static void
test_layout(void)
{
	for (size_t rows = 1; rows < 70; rows++)
		for (size_t columns = 1; columns < 210; columns++) {
			const struct layout_wish wish = {
				.rows = rows,
				.columns = columns,
				.input_rows = rows % 11 + 1,
				.names = columns % 3 != 0,
				.split = columns % 2 == 0,
			};
			struct layout layout = layout_make(&wish);

			if (layout.talk_rows + layout.rule_rows +
						layout.low_rows +
						layout.status_rows +
						layout.input_rows !=
					rows ||
				layout.input_rows == 0 ||
				layout.talk_columns == 0 ||
				(layout.names_columns > 0 &&
					layout.names_x + layout.names_columns !=
						columns))
				ok(false, "a screen of %zu by %zu", columns,
					rows);
		}
	const struct layout_wish wish = { 24, 80, 1, true, true };
	struct layout layout = layout_make(&wish);
	ok(layout.talk_rows == 16 && layout.rule_y == 16 &&
			layout.low_y == 17 && layout.low_rows == 5 &&
			layout.status_y == 22 && layout.input_y == 23 &&
			layout.names_x == 60,
		"24 by 80, reading back");
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	test_rows();
	test_reading_back();
	test_rules();
	test_midnight();
	test_folding();
	test_folding_times();
	test_crowd();
	test_lull();
	test_lull_of_crowd();
	test_finding();
	test_hiding();
	test_bytes();
	test_lines();
	test_long_line();
	test_plain();
	test_plain_own();
	test_clock();
	test_width();
	test_draft();
	test_layout();
	return done();
}
