/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for \yes or \no: a window that notes what is said and told. */
#include "join/question.h"

#include "join/window.h"
#include "tap.h"

#include <stdlib.h>

static char room[] = "ops";
static struct window window = { .room = room };
static bool sealed_by_others;
static struct text said; /* the texts, a bar behind each */
static struct text told; /* the last notice */
static struct questions *questions;

bool
window_is_exposed(const struct window *of)
{
	return sealed_by_others && !of->in_clear;
}

struct line
window_line(const struct window *of, const struct member_post *post)
{
	const struct record record = {
		.type = RECORD_MESSAGE,
		.own = true,
		.time = INT64_C(1795608000000),
		.user = span_of("alice"),
		.seq = -1,
		.text = post->text,
		.severity = post->severity,
		.tags = post->tags,
		.tag_count = post->tag_count,
	};

	(void)of;
	return line_from_record(&record);
}

bool
window_post(struct window *to, const struct member_post *post)
{
	(void)to;
	text_append(&said, post->text.bytes, post->text.len);
	if (post->severity != ROOM_SEVERITY_NONE)
		text_appendf(&said, " (%s)",
			room_severity_name(post->severity));
	if (post->tag_count > 0)
		text_append_string(&said, " (does)");
	text_append_char(&said, '|');
	return true;
}

void
window_notice(struct window *in, const char *text)
{
	(void)in;
	text_clear(&told);
	text_append_string(&told, text);
}

static void
begin(void)
{
	sealed_by_others = false;
	window.in_clear = false;
	text_clear(&said);
	text_append_string(&said, "");
	text_clear(&told);
	text_append_string(&told, "");
	questions = questions_new(&window);
}

static bool
type(const char *text)
{
	const struct member_post post = { .text = span_of(text), .lines = -1 };

	return questions_keep(questions, &post);
}

static bool
told_has(const char *part)
{
	return strstr(told.bytes, part) != NULL;
}

static void
test_results(void)
{
	begin();
	ok(!questions_are_open(questions) && !questions_answer(questions, true),
		"there is no question at first");
	questions_offer(questions, "a result\nof two lines");
	is(told.bytes,
		"is the room to see \"a result...\"? \\yes posts it, \\no does "
		"not",
		"a result is asked about by its first line");
	questions_offer(questions, "another");
	ok(told_has("a result"), "one at a time");
	ok(questions_are_open(questions) && questions_answer(questions, true),
		"yes");
	is(said.bytes, "a result\nof two lines|", "says all of it");
	ok(told_has("\"another\"?"), "then the next one is asked about");
	questions_answer(questions, false);
	is(said.bytes, "a result\nof two lines|", "no does not");
	ok(!questions_are_open(questions), "and that was all");
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r%d", i);
		questions_offer(questions, name);
	}
	text_clear(&said);
	while (questions_answer(questions, true))
		;
	is(said.bytes,
		"r0|r25|r26|r27|r28|r29|r30|r31|r32|r33|r34|r35|r36|r37|r38|"
		"r39|",
		"of many the asked one and the newest stay");
	questions_free(questions);
}

static void
test_in_the_clear(void)
{
	struct text unsaid = { 0 };

	begin();
	sealed_by_others = true;
	ok(type("a secret"), "what is typed is kept");
	is(told.bytes,
		"the room is sealed with a secret that you do not have: is \"a "
		"secret\" to go there IN THE CLEAR? \\yes says it, and from "
		"then on what you say without a question, \\no does not",
		"and asked about");
	is(said.bytes, "", "before it is said");
	ok(!type("more") && told_has("nothing was sent"),
		"no more is kept, which is told");
	ok(questions_unsaid(questions, &unsaid) == 1 &&
			strstr(unsaid.bytes,
				"ops - alice [NOT DELIVERED] a secret\n") !=
				NULL,
		"what is kept is not delivered");
	questions_answer(questions, false);
	ok(strcmp(said.bytes, "") == 0 && told_has("it was not said"),
		"no: it is not said");
	ok(questions_unsaid(questions, &unsaid) == 0, "nor kept");
	const struct span tag = span_of(LINE_ACTION_TAG);
	const struct member_post post = { .text = span_of("waves"),
		.lines = -1,
		.severity = ROOM_SEVERITY_HIGH,
		.tags = &tag,
		.tag_count = 1 };
	questions_keep(questions, &post);
	questions_answer(questions, true);
	is(said.bytes, "waves (high) (does)|", "yes: it is said as it was");
	ok(window.in_clear, "and so is what comes behind it");
	questions_free(questions);
	text_free(&unsaid);
}

/* An answer is to what was asked. */
static void
test_sealed_meanwhile(void)
{
	begin();
	questions_offer(questions, "a result");
	sealed_by_others = true;
	questions_answer(questions, true);
	is(said.bytes, "", "yes was not to this");
	ok(told_has("is \"a result\" to go there IN THE CLEAR"),
		"so it is asked anew");
	type("typed");
	ok(told_has("is \"typed\" to go there IN THE CLEAR"),
		"what is typed is asked about at once");
	questions_answer(questions, true);
	is(said.bytes, "typed|", "and answered first");
	ok(told_has("is the room to see \"a result\"?"),
		"then the other one, as any");
	questions_answer(questions, true);
	is(said.bytes, "typed|a result|", "which is said as well");
	window.in_clear = false;
	type("last words");
	sealed_by_others = false;
	questions_answer(questions, true);
	is(said.bytes, "typed|a result|last words|", "with a secret, too");
	ok(!window.in_clear, "which says nothing of the clear");
	type("never said");
	questions_free(questions);
}

int
main(void)
{
	test_results();
	test_in_the_clear();
	test_sealed_meanwhile();
	text_free(&said);
	text_free(&told);
	return done();
}
