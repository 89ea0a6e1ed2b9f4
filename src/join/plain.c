/* SPDX-License-Identifier: Apache-2.0 */
#include "plain.h"

#include "act.h"
#include "memory.h"
#include "terminal.h"
#include "translate.h"
#include "window.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	TOGETHER_MS = 150, /* nobody types the next line so soon; a line of
			      9600 baud has 80 characters in 84 ms */
	ASKED_MAX = 1024,  /* bytes of an answer to plain_ask() */
	READ_MAX = 4096, /* of a line; Linux's terminals drop what is beyond */
	INDENT = 2,      /* of what is no line of its own */
	DAY_MS = 24 * 60 * 60 * 1000,
};

/* What was entered and not told yet: whole lines, but for the last perhaps. */
static struct text entered;
static size_t dropped;          /* bytes of it beyond INPUT_LINE_MAX */
static bool cut;                /* it is not all that was entered */
static int64_t due = INT64_MAX; /* no more of it is awaited then */
static struct text waiting;     /* a paste that is asked about */
static int64_t day = -1;        /* of the last line that was shown */

/* A terminal that knows no UTF-8 may take the bytes of it for control
 * characters of eight bits. */
static void
keep_ascii(struct text *text)
{
	size_t len = text->len;

	text->len = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text->bytes[i];

		if (byte < 0x80)
			text->bytes[text->len++] = text->bytes[i];
		else if (byte >= 0xc0) /* a character begins */
			text->bytes[text->len++] = '?';
	}
}

/* If the terminal has gone, its input tells. */
static void
print(struct text *text)
{
	struct fault fault;

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		keep_ascii(text);
	terminal_write_begin();
	cli_output((struct span){ text->bytes, text->len }, &fault);
	terminal_write_end();
	text_free(text);
}

static void
say(const char *words)
{
	struct text text = { 0 };

	text_appendf(&text, "%s\n", translate(words));
	print(&text);
}

/* Nobody's text begins a line: it could be taken for somebody else's. */
static void
append_indented(struct text *text, struct span lines)
{
	for (size_t i = 0; i < lines.len; i++) {
		text_append_char(text, lines.bytes[i]);
		if (lines.bytes[i] == '\n')
			text_appendf(text, "%*s", INDENT, "");
	}
	text_append_char(text, '\n');
}

static void
append_line(struct text *text, const struct line *line, struct line_clock clock)
{
	struct line_part parts[LINE_PARTS_MAX];
	struct text shown = { 0 };

	line_format(line, clock, &shown, parts);
	append_indented(text, (struct span){ shown.bytes, shown.len });
	text_free(&shown);
}

static void
append_date(struct text *text, int64_t time)
{
	struct line rule = line_rule(LINE_DATE, time);

	if (time / DAY_MS != day)
		append_line(text, &rule, (struct line_clock){ 0 });
	day = time / DAY_MS;
	line_free(&rule);
}

static void
print_line(const struct window *window, const struct line *line)
{
	struct text text = { 0 };

	append_date(&text, line->time);
	if (window->chat->count > 1) {
		text_harmless(&text, span_of(window->room), TEXT_NAME);
		text_append_char(&text, ' ');
	}
	append_line(&text, line, window->chat->clock);
	print(&text);
}

void
plain_catch_up(struct window *window)
{
	struct line line;

	if (!lull_take(&window->lull, session_now().mono, &line))
		return;
	print_line(window, &line);
	line_free(&line);
}

void
plain_show(struct window *window, const struct line *line)
{
	/* What was typed stands there already. */
	if (line->kind == LINE_GONE || line->kind == LINE_UNREAD ||
		line->state == LINE_PENDING ||
		chat_ignores(window->chat, line->user))
		return;
	if (line->kind == LINE_COMING &&
		lull_keep(&window->lull, line, session_now().mono))
		return;
	plain_catch_up(window);
	print_line(window, line);
}

static void
tell(struct chat *chat, struct span text, bool literal)
{
	if (!act_line(chat, text, literal))
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

static void
ask(void)
{
	struct text question = { 0 };
	struct span lines = { waiting.bytes, waiting.len };

	text_appendf(&question,
		_("%zu lines, %zu bytes came at once: y says them as one "
		  "message, n drops them\n"),
		count_lines(lines), lines.len);
	print(&question);
}

static bool
is_word(struct span line, const char *letter, const char *word)
{
	return (line.len == 1 && strncasecmp(line.bytes, letter, 1) == 0) ||
		(line.len == strlen(word) &&
			strncasecmp(line.bytes, word, line.len) == 0);
}

/* Anything else may be meant otherwise, or belong to the paste. */
static void
take_answer(struct chat *chat, struct span line)
{
	if (is_word(line, "y", "yes")) {
		tell(chat, (struct span){ waiting.bytes, waiting.len }, true);
		text_clear(&waiting);
	} else if (is_word(line, "n", "no")) {
		say("dropped");
		text_clear(&waiting);
	} else {
		if (line.len > 0)
			say("neither y nor n: this line was not sent");
		ask();
	}
}

static void
refuse_long(void)
{
	struct text text = { 0 };

	text_appendf(&text,
		_("%zu bytes came at once, and none was sent: a message has %d "
		  "at most\n"),
		waiting.len + entered.len + dropped, INPUT_LINE_MAX);
	print(&text);
	text_clear(&waiting);
}

static void
refuse_cut(void)
{
	struct text text = { 0 };

	text_appendf(&text,
		_("the terminal takes no more than %d bytes of a line, and one "
		  "had as many or more: nothing was sent\n"),
		READ_MAX - 1);
	print(&text);
	text_clear(&waiting);
}

/* Several lines: a paste, or more of it. */
static void
take_paste(struct span lines)
{
	if (waiting.len > 0)
		text_append_char(&waiting, '\n');
	text_append(&waiting, lines.bytes, lines.len);
	ask();
}

/* What came together. */
static void
take(struct chat *chat)
{
	struct span lines = { entered.bytes, entered.len - 1 };
	struct span first = lines;

	/* Who holds Enter down pastes nothing. */
	while (first.len > 0 && first.bytes[first.len - 1] == '\n')
		first.len--;
	while (first.len > 0 && first.bytes[0] == '\n') {
		first.bytes++;
		first.len--;
	}
	due = INT64_MAX;
	if (waiting.len + entered.len + dropped > INPUT_LINE_MAX + 1)
		refuse_long();
	else if (cut)
		refuse_cut();
	else if (count_lines(first) > 1)
		take_paste(lines);
	else if (waiting.len > 0)
		take_answer(chat, first);
	else
		tell(chat, first, false);
	text_clear(&entered);
	dropped = 0;
	cut = false;
}

/* No answer can come. */
static void
take_end(struct chat *chat)
{
	struct span lines = { entered.bytes, entered.len };

	if (waiting.len > 0 || count_lines(lines) > 2)
		say("what came at once was not sent");
	else if (due != INT64_MAX)
		take(chat);
}

static void
append(struct span bytes)
{
	size_t room = INPUT_LINE_MAX + 1 - entered.len;
	bool ends = bytes.bytes[bytes.len - 1] == '\n';

	if (bytes.len > room) {
		dropped += bytes.len - room;
		bytes.len = room;
	}
	text_append(&entered, bytes.bytes, bytes.len);
	due = ends ? session_now().mono + TOGETHER_MS : INT64_MAX;
}

bool
plain_read(struct chat *chat)
{
	char bytes[READ_MAX];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		take_end(chat);
		return false;
	}
	cut = cut || n == READ_MAX;
	append((struct span){ bytes, (size_t)n });
	return true;
}

int64_t
plain_deadline(void)
{
	return due;
}

void
plain_tick(struct chat *chat)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };

	/* What is there may be as old as the last line. */
	if (session_now().mono >= due && poll(&in, 1, 0) == 0)
		take(chat);
}

char *
plain_ask(const char *question, const char *default_answer)
{
	struct text prompt = { 0 };
	char line[ASKED_MAX];
	ssize_t n;

	text_append_string(&prompt, question);
	if (default_answer != NULL)
		text_appendf(&prompt, " [%s]", default_answer);
	text_append_string(&prompt, "? ");
	print(&prompt);
	do
		n = read(STDIN_FILENO, line, sizeof(line));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return NULL;
	n -= line[n - 1] == '\n';
	return n == 0 && default_answer != NULL ? memory_string(default_answer)
						: memory_copy(line, (size_t)n);
}

void
plain_end(void)
{
	text_free(&entered);
	text_free(&waiting);
}
