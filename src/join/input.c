/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include "memory.h"
#include "translate.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

enum { READ_MAX = 64 * 1024 };

struct input input;
static FILE *nowhere;
static locale_t utf8, outer;
static unsigned entered;

/* readline takes its bytes from what it is fed. */
static int
next_byte(FILE *stream)
{
	(void)stream;
	if (input.fed.len == 0)
		return EOF;
	input.fed.len--;
	return (unsigned char)*input.fed.bytes++;
}

static int
has_byte(void)
{
	return input.fed.len > 0;
}

static void
redisplay(void)
{
	/* The screen is drawn once in each turn, whatever has changed. */
}

/* What is typed is UTF-8, whatever the locale can show. */
void
input_enter(void)
{
	if (entered++ == 0 && utf8 != (locale_t)0)
		outer = uselocale(utf8);
}

void
input_leave(void)
{
	if (--entered == 0 && utf8 != (locale_t)0)
		uselocale(outer);
}

static struct input_event *
add_event(void)
{
	input.events = memory_resize(input.events, input.event_count + 1,
		sizeof(*input.events));
	input.events[input.event_count] = (struct input_event){ 0 };
	return &input.events[input.event_count++];
}

void
input_press(enum input_key key)
{
	if (input.begun)
		add_event()->key = key;
}

/* The calls may change the draft, and so readline's line; but they cause no
 * events. */
void
input_tell_now(void)
{
	struct input_event *events = input.events;
	size_t count = input.event_count;

	input.events = NULL;
	input.event_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (events[i].line == NULL)
			input.calls.key(input.calls.context, events[i].key);
		else
			input.calls.line(input.calls.context,
				(struct span){ events[i].line, events[i].len },
				events[i].literal);
		free(events[i].line);
	}
	free(events);
}

void
input_notice(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), gettext(format), arguments);
	va_end(arguments);
	input.calls.notice(input.calls.context, text);
}

static void
forget_oldest(void)
{
	HIST_ENTRY *entry = remove_history(0);

	if (entry != NULL)
		free(free_history_entry(entry));
}

/* What is recalled counts as typed: so a pasted line is kept as one would
 * type it. */
static void
remember(const char *line, bool literal)
{
	const HIST_ENTRY *last = history_get(history_base + history_length - 1);
	bool escaped = literal && (line[0] == '\\' || line[0] == '/');
	char *kept = escaped ? memory_format("%c%s", line[0], line)
			     : memory_string(line);

	if (kept[0] != '\0' && (last == NULL || strcmp(last->line, kept) != 0))
		add_history(kept);
	while (history_total_bytes() > INPUT_HISTORY_BYTES)
		forget_oldest();
	free(kept);
}

static void
note(struct span line, size_t cursor)
{
	enum origin_step step = ORIGIN_EDIT;

	if (where_history() != input.history_at)
		step = where_history() < history_length ? ORIGIN_HISTORY
							: ORIGIN_BACK;
	origin_follow(&input.origin, line, cursor, step);
	input.history_at = where_history();
}

void
input_note(void)
{
	/* What a search shows is not the line yet. */
	if (!RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH))
		note(input_line(), input_cursor());
}

static void
on_line(char *line)
{
	if (line == NULL) {
		input_press(INPUT_END);
		return;
	}
	note(span_of(line), strlen(line));
	struct input_event *event = add_event();
	event->line = line;
	event->len = strlen(line);
	event->literal = origin_is_pasted(&input.origin);
	remember(line, event->literal);
	origin_clear(&input.origin);
}

static void
on_key(void *context, struct span key)
{
	(void)context;
	input_feed(key);
}

static void
on_pasted(void *context, const struct pasted *pasted)
{
	(void)context;
	input_pasted(pasted);
}

/* Reads ~/.inputrc, which may say otherwise than input_bind(). */
static void
set_up(void)
{
	static bool is_set_up;

	if (is_set_up)
		return;
	is_set_up = true;
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	rl_readline_name = "qchat-join";
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	input_bind();
	input_enter();
	rl_initialize();
	input_leave();
	input_bind_missing();
	rl_variable_bind("input-meta", "on");
	rl_variable_bind("output-meta", "on");
	rl_variable_bind("convert-meta", "off");
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_variable_bind("isearch-terminators", "\33\n");
	rl_variable_bind("blink-matching-paren", "off"); /* it waits */
}

static char *
no_files(const char *text, int state)
{
	(void)text;
	(void)state;
	return NULL;
}

void
input_begin(const struct input_calls *calls)
{
	const struct paste_calls paste_calls = { NULL, on_key, on_pasted };

	set_up();
	input = (struct input){ .calls = *calls, .begun = true };
	input.paste = paste_new(&paste_calls);
	/* Some of readline's functions write to the terminal by themselves. */
	nowhere = fopen("/dev/null", "w");
	rl_outstream = nowhere;
	rl_catch_signals = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_getc_function = next_byte;
	rl_input_available_hook = has_byte;
	rl_redisplay_function = redisplay;
	rl_completion_entry_function = no_files;
	if (!history_is_stifled() || history_max_entries > INPUT_HISTORY_MAX)
		stifle_history(INPUT_HISTORY_MAX);
	input_enter();
	rl_callback_handler_install("", on_line);
	input_leave();
	input.history_at = where_history();
}

void
input_end(void)
{
	if (!input.begun)
		return;
	rl_callback_handler_remove();
	rl_clear_history();
	rl_outstream = stdout;
	if (nowhere != NULL)
		fclose(nowhere);
	nowhere = NULL;
	paste_free(input.paste);
	origin_free(&input.origin);
	text_free(&input.waiting);
	text_free(&input.question);
	text_free(&input.completed);
	input = (struct input){ 0 };
}

static bool
is_waiting(void)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };

	return poll(&in, 1, 0) > 0;
}

bool
input_read(int64_t now)
{
	char bytes[4096];

	for (size_t total = 0; total < READ_MAX && is_waiting();) {
		ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));

		if (len < 0 && (errno == EINTR || errno == EAGAIN))
			return true;
		if (len <= 0)
			return false;
		paste_feed(input.paste, (struct span){ bytes, (size_t)len },
			now);
		total += (size_t)len;
	}
	return true;
}

int64_t
input_deadline(void)
{
	return paste_deadline(input.paste);
}

void
input_tick(int64_t now)
{
	if (now >= input_deadline() && !is_waiting())
		paste_tick(input.paste, now);
}

bool
input_is_pasting(void)
{
	return paste_is_open(input.paste);
}

struct span
input_line(void)
{
	if (rl_line_buffer == NULL || rl_end <= 0)
		return (struct span){ "", 0 };
	return (struct span){ rl_line_buffer, (size_t)rl_end };
}

size_t
input_cursor(void)
{
	size_t cursor = rl_point > 0 ? (size_t)rl_point : 0;
	size_t len = input_line().len;

	return cursor < len ? cursor : len;
}

const char *
input_prompt(void)
{
	if (rl_display_prompt == NULL || rl_display_prompt[0] == '\0')
		return NULL;
	return rl_display_prompt;
}

const char *
input_question(void)
{
	return input.question.len > 0 ? input.question.bytes : NULL;
}

void
input_search(bool on)
{
	input.search = on;
}

/* Also from a line of the history, which then is as it was; and readline must
 * not keep the draft that it had there before: it would come back elsewhere. */
void
input_clear(void)
{
	if (where_history() < history_length) {
		if (rl_undo_list != NULL)
			rl_revert_line(1, 0);
		rl_end_of_history(1, 0);
	}
	rl_replace_line("", 1);
	rl_point = 0;
	rl_mark = 0;
}

void
input_settle(void)
{
	if (RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH))
		input_feed_raw(span_of("\a"));
}

void
input_draft_free(struct input_draft *draft)
{
	text_free(&draft->text);
	text_free(&draft->marks);
	draft->cursor = 0;
}

void
input_take(struct input_draft *draft)
{
	struct span marks;

	input_enter();
	input_settle();
	input_draft_free(draft);
	text_append(&draft->text, input_line().bytes, input_line().len);
	draft->cursor = input_cursor();
	input_note();
	marks = origin_marks(&input.origin);
	text_append(&draft->marks, marks.bytes, marks.len);
	input_clear();
	input_note();
	input_leave();
	input.completing = false;
}

void
input_put(struct input_draft *draft)
{
	struct span marks = { draft->marks.bytes, draft->marks.len };

	input_enter();
	input_settle();
	input_clear();
	rl_insert_text(draft->text.bytes != NULL ? draft->text.bytes : "");
	rl_free_undo_list();
	rl_point = draft->cursor < (size_t)rl_end ? (int)draft->cursor : rl_end;
	origin_set(&input.origin, input_line(), marks);
	input.history_at = where_history();
	input_leave();
	input.completing = false;
	input_draft_free(draft);
}

char *
input_ask(const char *question, const char *default_answer)
{
	set_up();
	char *prompt = default_answer != NULL
		? memory_format("%s [%s]? ", question, default_answer)
		: memory_format("%s? ", question);
	input_enter();
	char *answer = readline(prompt);
	input_leave();

	free(prompt);
	if (answer != NULL && answer[0] == '\0' && default_answer != NULL) {
		free(answer);
		answer = memory_string(default_answer);
	}
	return answer;
}
