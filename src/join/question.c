/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

#include "memory.h"
#include "translate.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUESTIONS_MAX = 16, /* the oldest result but the asked one goes */
	NAMED_MAX = 60,     /* bytes of a text that is asked about */
};

struct question {
	struct line line; /* as it would be ours */
	bool is_typed;    /* no result: only the first one can be */
};

struct questions {
	struct window *window;
	struct question list[QUESTIONS_MAX];
	size_t count;
	bool warns; /* the first was asked about as what goes in the clear */
};

struct questions *
questions_new(struct window *window)
{
	struct questions *questions = memory_alloc(1, sizeof(*questions));

	questions->window = window;
	return questions;
}

static void
drop(struct questions *questions, size_t i)
{
	line_free(&questions->list[i].line);
	questions->count--;
	memmove(questions->list + i, questions->list + i + 1,
		(questions->count - i) * sizeof(*questions->list));
}

void
questions_free(struct questions *questions)
{
	if (questions == NULL)
		return;
	while (questions->count > 0)
		drop(questions, questions->count - 1);
	free(questions);
}

/* About the first. */
static void
ask(struct questions *questions)
{
	struct text named = { 0 }, text = { 0 };

	line_append_start(&named, questions->list[0].line.text, NAMED_MAX);
	questions->warns = window_is_exposed(questions->window);
	text_appendf(&text,
		questions->warns
			? _("the room is sealed with a secret that you do not "
			    "have: is %s to go there IN THE CLEAR? \\yes says "
			    "it, and from then on what you say without a "
			    "question, \\no does not")
			: _("is the room to see %s? \\yes posts it, \\no does "
			    "not"),
		named.bytes);
	window_notice(questions->window, text.bytes);
	text_free(&named);
	text_free(&text);
}

/* Behind the others, or before them. */
static void
add(struct questions *questions, const struct member_post *post, bool is_typed)
{
	size_t at = is_typed ? 0 : questions->count;

	/* What the question on the screen is about has to stay. */
	if (questions->count == QUESTIONS_MAX) {
		drop(questions, 1);
		at -= at > 0;
	}
	memmove(questions->list + at + 1, questions->list + at,
		(questions->count - at) * sizeof(*questions->list));
	questions->list[at] = (struct question){
		window_line(questions->window, post), is_typed
	};
	questions->count++;
	if (at == 0)
		ask(questions);
}

void
questions_offer(struct questions *questions, const char *text)
{
	const struct member_post post = { .text = span_of(text), .lines = -1 };

	add(questions, &post, false);
}

static bool
has_typed(const struct questions *questions)
{
	return questions->count > 0 && questions->list[0].is_typed;
}

bool
questions_keep(struct questions *questions, const struct member_post *post)
{
	if (has_typed(questions)) {
		window_notice(questions->window,
			"nothing was sent: what you typed before waits for "
			"\\yes or \\no");
		return false;
	}
	add(questions, post, true);
	return true;
}

static bool
say(struct window *window, const struct line *line)
{
	const struct span tag = span_of(LINE_ACTION_TAG);
	const struct member_post post = {
		.text = line->text,
		.lines = -1,
		.severity = line->severity,
		.title = line->title,
		.tags = &tag,
		.tag_count = line->action,
	};

	return window_post(window, &post);
}

bool
questions_answer(struct questions *questions, bool yes)
{
	struct window *window = questions->window;
	bool is_exposed = window_is_exposed(window);

	if (questions->count == 0)
		return false;
	/* That is not what was asked. */
	if (yes && is_exposed && !questions->warns) {
		ask(questions);
		return true;
	}
	struct question first = questions->list[0];
	questions->list[0].line = (struct line){ 0 };
	drop(questions, 0);
	if (yes && say(window, &first.line))
		window->in_clear |= is_exposed;
	else if (first.is_typed)
		window_notice(window, "it was not said");
	line_free(&first.line);
	if (questions->count > 0)
		ask(questions);
	return true;
}

bool
questions_are_open(const struct questions *questions)
{
	return questions->count > 0;
}

size_t
questions_unsaid(const struct questions *questions, struct text *text)
{
	if (!has_typed(questions))
		return 0;
	struct line line = questions->list[0].line;
	line.state = LINE_FAILED;
	line_plain(&line, span_of(questions->window->room), text);
	return 1;
}
