/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include <stdio.h>

#include <readline/readline.h>

enum { CANDIDATES_MAX = 10000 };

static const size_t as_typed = SIZE_MAX;

static bool
candidate(size_t n, size_t *from, struct text *text)
{
	struct span line = { input.completed.bytes, input.completed.len };

	text_clear(text);
	text_append_string(text, "");
	if (input.calls.complete == NULL || n >= CANDIDATES_MAX)
		return false;
	return input.calls.complete(input.calls.context, line,
		       input.completed_cursor, n, from, text) &&
		*from <= input.completed_cursor;
}

/* The number of the one to show, whose text that is. */
static size_t
choose(int step, size_t *from, struct text *text)
{
	size_t n = input.completed_n;

	if (step > 0) {
		n = n == as_typed ? 0 : n + 1;
		return candidate(n, from, text) ? n : as_typed;
	}
	if (n == 0)
		return as_typed;
	if (n == as_typed) {
		n = 0;
		while (candidate(n, from, text))
			n++;
	}
	return n > 0 && candidate(n - 1, from, text) ? n - 1 : as_typed;
}

static void
replace(size_t from, size_t len, const char *text)
{
	rl_delete_text((int)from, (int)(from + len));
	rl_point = (int)from;
	rl_insert_text(text);
}

static void
begin(void)
{
	if (input.completing)
		return;
	text_clear(&input.completed);
	text_append(&input.completed, rl_line_buffer, (size_t)rl_end);
	input.completed_cursor = (size_t)rl_point;
	input.completed_from = input.completed_cursor;
	input.completed_len = 0;
	input.completed_n = as_typed;
}

/* Puts back what was typed, then what replaces it. */
static void
show(size_t n, size_t from, const char *text)
{
	struct text typed = { 0 };

	text_append(&typed, input.completed.bytes + input.completed_from,
		input.completed_cursor - input.completed_from);
	rl_begin_undo_group();
	replace(input.completed_from, input.completed_len, typed.bytes);
	if (n == as_typed)
		from = input.completed_cursor;
	else
		replace(from, input.completed_cursor - from, text);
	rl_end_undo_group();
	text_free(&typed);
	input.completed_n = n;
	input.completed_from = from;
	input.completed_len = (size_t)rl_point - from;
}

/* Then what stands there now can be completed: behind a command, its
 * argument. */
static bool
is_only(size_t n)
{
	struct text text = { 0 };
	size_t from = 0;
	bool other = n != 0 || candidate(1, &from, &text);

	text_free(&text);
	return !other;
}

void
input_complete(int step)
{
	struct text text = { 0 };
	size_t from = 0;

	begin();
	size_t n = choose(step, &from, &text);
	if (n == as_typed && input.completed_n == as_typed) {
		rl_ding();
	} else {
		show(n, from, text.bytes);
		input.completing = !is_only(n);
		input.completed_now = true;
	}
	text_free(&text);
}
