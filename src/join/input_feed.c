/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

enum {
	VI = 0, /* of rl_editing_mode */
	SEARCHING = RL_STATE_ISEARCH | RL_STATE_NSEARCH,
	/* More keys belong to what was begun. */
	BUSY = SEARCHING | RL_STATE_NUMERICARG | RL_STATE_MULTIKEY |
		RL_STATE_VIMOTION | RL_STATE_CHARSEARCH,
};

static bool
is_busy(void)
{
	return input.quoting || RL_ISSTATE(BUSY);
}

static bool
is_key(struct span key, const char *bytes)
{
	return span_equal(key, span_of(bytes));
}

static bool
is_one_of(struct span key, const char *bytes)
{
	return key.len == 1 && key.bytes[0] != '\0' &&
		strchr(bytes, key.bytes[0]) != NULL;
}

static bool
is_bound(struct span keys)
{
	int type;

	return rl_function_of_keyseq_len(keys.bytes, keys.len, rl_get_keymap(),
		       &type) != NULL;
}

/* Do more keys have to follow? */
static bool
is_prefix(struct span keys)
{
	int type;

	return rl_function_of_keyseq_len(keys.bytes, keys.len, rl_get_keymap(),
		       &type) != NULL &&
		type == ISKMAP;
}

static bool
is_sequence(struct span key)
{
	return key.len > 2 && key.bytes[0] == '\33' &&
		(key.bytes[1] == '[' || key.bytes[1] == 'O');
}

/* Focus events come at any time, and belong to no key. */
static bool
focus(struct span key)
{
	if (is_key(key, "\33[I"))
		input_press(INPUT_FOCUS_IN);
	else if (is_key(key, "\33[O"))
		input_press(INPUT_FOCUS_OUT);
	else
		return false;
	return true;
}

static bool
search(struct span key)
{
	if (!input.search || rl_end > 0 || is_busy())
		return false;
	if (is_key(key, "n")) {
		input_press(INPUT_SEARCH_NEXT);
	} else if (is_key(key, "N")) {
		input_press(INPUT_SEARCH_PREVIOUS);
	} else if (is_one_of(key, "\33\r\n\3\a")) {
		input.search = false;
		input_press(INPUT_SEARCH_END);
	} else {
		return false;
	}
	return true;
}

/* What would make the draft too long is not typed. */
static bool
is_full(struct span key)
{
	unsigned char first = (unsigned char)key.bytes[0];

	if (rl_end + (int)key.len <= INPUT_LINE_MAX || first < ' ' ||
		first == 0x7f || rl_get_keymap() == vi_movement_keymap)
		return false;
	rl_ding();
	return true;
}

/* A yank or a macro may bring more than a key. */
static void
cut_overlong(void)
{
	if (rl_end <= INPUT_LINE_MAX)
		return;
	while (rl_end > INPUT_LINE_MAX && rl_undo_list != NULL)
		rl_do_undo();
	if (rl_end > INPUT_LINE_MAX)
		input_clear();
	input_notice("a message has %d bytes at most: what came was dropped",
		INPUT_LINE_MAX);
}

/* In vi's mode readline 8.2 can put a NUL into its line, cut a character, or
 * leave the cursor within one, and then loop for ever. */
static void
mend_line(void)
{
	size_t len = rl_end > 0 ? (size_t)rl_end : 0;

	for (size_t good = 0; good < len;) {
		struct span rest = { rl_line_buffer + good, len - good };
		const char *nul = memchr(rest.bytes, '\0', rest.len);

		rest.len = nul != NULL ? (size_t)(nul - rest.bytes) : rest.len;
		good += text_utf8_check(rest);
		if (good < len)
			rl_line_buffer[good] = '?';
	}
	rl_point = rl_point > rl_end ? rl_end : rl_point;
	while (rl_point > 0 && rl_point < rl_end &&
		(rl_line_buffer[rl_point] & 0xc0) == 0x80)
		rl_point--;
}

void
input_feed_raw(struct span bytes)
{
	bool quoted = input.quoting;

	input.completed_now = false;
	input.fed = bytes;
	input_enter();
	while (input.fed.len > 0) {
		rl_callback_read_char();
		mend_line();
	}
	cut_overlong();
	input_note();
	input_leave();
	input.quoting = !quoted && rl_last_func == rl_quoted_insert;
	input.completing = input.completing && input.completed_now;
	if (input.search && rl_end > 0) {
		input.search = false;
		input_press(INPUT_SEARCH_END);
	}
}

/* In vi's command mode Esc does nothing but end what was begun; readline
 * would wait for a sequence. */
static void
feed_escape(void)
{
	if (rl_editing_mode != VI || rl_get_keymap() != vi_movement_keymap)
		input_feed_raw(span_of("\33"));
	else if (RL_ISSTATE(RL_STATE_NUMERICARG | RL_STATE_MULTIKEY))
		input_feed_raw(span_of("\a"));
	else if (is_busy())
		input_feed_raw(span_of("\33"));
}

/* Esc alone is a prefix to readline: not of a key that is a sequence itself,
 * if the two mean nothing. */
static void
drop_prefix(struct span key)
{
	struct text both = { 0 };

	if (!input.escaped || key.bytes[0] != '\33' ||
		!RL_ISSTATE(RL_STATE_MULTIKEY))
		return;
	text_append_char(&both, '\33');
	text_append(&both, key.bytes, key.len);
	if (!is_bound((struct span){ both.bytes, both.len }))
		input_feed_raw(span_of("\a"));
	text_free(&both);
}

/* In a search of the history readline takes keys apart that are more than one
 * byte, or begin a sequence; 8.2 can crash by that.  Esc ends the search, and
 * what was found is the line.  So does Enter in vi's mode, where it would send
 * the line unseen: did the key do no more than that? */
static bool
end_search(struct span key)
{
	bool enter = rl_editing_mode == VI && is_one_of(key, "\r\n");

	if (!RL_ISSTATE(RL_STATE_ISEARCH))
		return false;
	if (enter || (key.bytes[0] == '\33' ? key.len > 1 : is_prefix(key)))
		input_feed_raw(span_of("\33"));
	return enter;
}

/* readline would take the end of a sequence that it does not know as text. */
static void
feed_key(struct span key)
{
	bool escape = is_key(key, "\33");

	if (input.quoting) {
		input_feed_raw(key);
		return;
	}
	drop_prefix(key);
	input.escaped = escape;
	if (end_search(key))
		return;
	if (escape)
		feed_escape();
	else if (is_sequence(key) && !RL_ISSTATE(RL_STATE_MULTIKEY) &&
		!is_bound(key))
		rl_ding();
	else if (!is_full(key))
		input_feed_raw(key);
}

void
input_feed(struct span key)
{
	if (focus(key))
		;
	else if (input.question.len > 0)
		input_answer(key);
	else if (!search(key))
		feed_key(key);
	input_tell_now();
}
