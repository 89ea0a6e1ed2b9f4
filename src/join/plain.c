/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

#include "act.h"
#include "window.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	TOGETHER_MS = 50,      /* nobody types the next line so soon */
	LINES_MAX = 256 * 1024, /* bytes of a paste */
};

/* What came and was not told yet. */
static struct text entered;
static int64_t entered_due = INT64_MAX; /* nothing more is awaited then */
static bool asked;                      /* entered is a paste; y or n comes */
static struct text answer;
static bool is_long; /* what was beyond LINES_MAX is gone */

static void
print(struct text *text)
{
	size_t at = 0;

	text_append_char(text, '\n');
	while (at < text->len) {
		ssize_t n = write(STDOUT_FILENO, text->bytes + at,
			text->len - at);

		if (n < 0 && errno != EINTR)
			break; /* the terminal's end shows on its input */
		at += n > 0 ? (size_t)n : 0;
	}
	text_free(text);
}

static void
say(const char *words)
{
	struct text text = { 0 };

	text_append_string(&text, words);
	print(&text);
}

void
plain_show(const struct window *window, const struct line *line)
{
	struct line_part parts[LINE_PARTS_MAX];
	struct text text = { 0 };

	/* What was typed stands there already. */
	if (line->kind == LINE_GONE || line->state == LINE_PENDING ||
		chat_ignores(window->chat, line->user))
		return;
	if (window->chat->count > 1) {
		text_harmless(&text, span_of(window->room), TEXT_NAME);
		text_append_char(&text, ' ');
	}
	line_format(line, window->chat->clock, &text, parts);
	print(&text);
}

static void
tell(struct chat *chat, struct span line, bool literal)
{
	if (!act_line(chat, line, literal))
		say("it was not sent");
}

static size_t
count_lines(struct span text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.len; i++)
		count += text.bytes[i] == '\n';
	return count;
}

/* What came together: a line, or a paste that is asked about. */
static void
take(struct chat *chat)
{
	struct text question = { 0 };

	entered_due = INT64_MAX;
	if (is_long) {
		say("what came is too long, and was not sent");
		text_clear(&entered);
		is_long = false;
		return;
	}
	struct span lines = { entered.bytes, entered.len - 1 };
	size_t count = count_lines(lines);
	if (count == 1) {
		tell(chat, lines, false);
		text_clear(&entered);
		return;
	}
	asked = true;
	text_appendf(&question,
		"%zu lines, %zu bytes came at once: y says them as one "
		"message, n drops them",
		count, lines.len);
	print(&question);
}

static void
take_answer(struct chat *chat)
{
	bool yes = answer.len >= 1 &&
		(answer.bytes[0] == 'y' || answer.bytes[0] == 'Y');

	if (yes)
		tell(chat, (struct span){ entered.bytes, entered.len - 1 },
			true);
	else
		say("dropped");
	asked = false;
	text_clear(&answer);
	text_clear(&entered);
}

static void
append(struct chat *chat, const char *bytes, size_t len)
{
	struct text *to = asked ? &answer : &entered;

	if (to->len + len > LINES_MAX)
		is_long = true;
	else
		text_append(to, bytes, len);
	if (bytes[len - 1] != '\n')
		return;
	if (asked)
		take_answer(chat);
	else
		entered_due = session_now().mono + TOGETHER_MS;
}

bool
plain_read(struct chat *chat)
{
	char bytes[4096];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	append(chat, bytes, (size_t)n);
	return true;
}

int64_t
plain_deadline(void)
{
	return entered_due;
}

void
plain_tick(struct chat *chat)
{
	if (session_now().mono >= entered_due)
		take(chat);
}

void
plain_end(void)
{
	text_free(&entered);
	text_free(&answer);
}
