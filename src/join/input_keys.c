/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

/* A function of readline for a key that it knows nothing of. */
#define PRESSES(function, key)                   \
	static int function(int count, int byte) \
	{                                        \
		(void)count;                     \
		(void)byte;                      \
		input_press(key);                \
		return 0;                        \
	}

PRESSES(page_up, INPUT_PAGE_UP)
PRESSES(page_down, INPUT_PAGE_DOWN)
PRESSES(line_up, INPUT_LINE_UP)
PRESSES(line_down, INPUT_LINE_DOWN)
PRESSES(top, INPUT_TOP)
PRESSES(bottom, INPUT_BOTTOM)
PRESSES(names, INPUT_NAMES)
PRESSES(time_shown, INPUT_CLOCK)
PRESSES(next_room, INPUT_NEXT_ROOM)
PRESSES(previous_room, INPUT_PREVIOUS_ROOM)
PRESSES(redraw, INPUT_REDRAW)
PRESSES(suspend, INPUT_SUSPEND)

static int
room(int count, int byte)
{
	(void)count;
	if (byte >= '1' && byte <= '9')
		input_press((enum input_key)(INPUT_ROOM_1 + byte - '1'));
	return 0;
}

static int
interrupt(int count, int byte)
{
	(void)count;
	(void)byte;
	if (rl_end == 0)
		input_press(INPUT_END);
	input_clear();
	if (rl_editing_mode == 0)
		rl_vi_insertion_mode(1, 0);
	return 0;
}

static int
insert_newline(int count, int byte)
{
	(void)count;
	(void)byte;
	if (rl_end < INPUT_LINE_MAX)
		rl_insert_text("\n");
	else
		rl_ding();
	return 0;
}

static int
complete_next(int count, int byte)
{
	(void)count;
	(void)byte;
	input_complete(1);
	return 0;
}

static int
complete_previous(int count, int byte)
{
	(void)count;
	(void)byte;
	input_complete(-1);
	return 0;
}

static int
line_start(int at)
{
	while (at > 0 && rl_line_buffer[at - 1] != '\n')
		at--;
	return at;
}

static int
line_end(int at)
{
	while (at < rl_end && rl_line_buffer[at] != '\n')
		at++;
	return at;
}

static int
character_len(int at)
{
	uint32_t c;
	struct span rest = { rl_line_buffer + at, (size_t)(rl_end - at) };
	size_t len = text_utf8_next(rest, &c);

	return len > 0 ? (int)len : 1;
}

/* Moves the cursor to the line that starts there, so many characters in. */
static void
move_to(int start, int column)
{
	int end = line_end(start);

	for (rl_point = start; column > 0 && rl_point < end; column--)
		rl_point += character_len(rl_point);
}

static int
column_of(int start)
{
	int column = 0;

	for (; start < rl_point; column++)
		start += character_len(start);
	return column;
}

/* Within a draft of several lines, and beyond it in the history. */
static int
up(int count, int byte)
{
	int start = line_start(rl_point);

	if (start == 0)
		return rl_get_previous_history(count, byte);
	move_to(line_start(start - 1), column_of(start));
	return 0;
}

static int
down(int count, int byte)
{
	int end = line_end(rl_point);

	if (end == rl_end)
		return rl_get_next_history(count, byte);
	move_to(end + 1, column_of(line_start(rl_point)));
	return 0;
}

static const struct {
	const char *name;
	rl_command_func_t *function;
} functions[] = {
	{ "qchat-bottom", bottom },
	{ "qchat-clock", time_shown },
	{ "qchat-complete", complete_next },
	{ "qchat-complete-back", complete_previous },
	{ "qchat-down", down },
	{ "qchat-interrupt", interrupt },
	{ "qchat-line-down", line_down },
	{ "qchat-line-up", line_up },
	{ "qchat-names", names },
	{ "qchat-newline", insert_newline },
	{ "qchat-next-room", next_room },
	{ "qchat-page-down", page_down },
	{ "qchat-page-up", page_up },
	{ "qchat-previous-room", previous_room },
	{ "qchat-redraw", redraw },
	{ "qchat-room", room }, /* of the digit that ends the key */
	{ "qchat-suspend", suspend },
	{ "qchat-top", top },
	{ "qchat-up", up },
};

struct binding {
	const char *keys;
	rl_command_func_t *function;
};

/* What xterm and its like, rxvt, and the console of Linux send. */
static const struct binding bindings[] = {
	{ "\\C-c", interrupt },
	{ "\\C-l", redraw },
	{ "\\C-n", next_room },
	{ "\\C-p", previous_room },
	{ "\\C-z", suspend },
	{ "\\C-i", complete_next },
	{ "\\e[Z", complete_previous },
	{ "\\e\\C-i", complete_previous },
	{ "\\e\\C-j", insert_newline },
	{ "\\e\\C-m", insert_newline },
	{ "\\e[13;2u", insert_newline },
	{ "\\e[13;3u", insert_newline },
	{ "\\e[27;2;13~", insert_newline },
	{ "\\e[27;3;13~", insert_newline },
	{ "\\e[A", up },
	{ "\\eOA", up },
	{ "\\e[B", down },
	{ "\\eOB", down },
	{ "\\e[5~", page_up },
	{ "\\e[5;2~", page_up },
	{ "\\e[6~", page_down },
	{ "\\e[6;2~", page_down },
	{ "\\e[1;2A", line_up },
	{ "\\e[1;3A", line_up },
	{ "\\e[1;5A", line_up },
	{ "\\e[a", line_up },
	{ "\\eOa", line_up },
	{ "\\e[1;2B", line_down },
	{ "\\e[1;3B", line_down },
	{ "\\e[1;5B", line_down },
	{ "\\e[b", line_down },
	{ "\\eOb", line_down },
	{ "\\e[1;5H", top },
	{ "\\e[7^", top },
	{ "\\e[1;5F", bottom },
	{ "\\e[8^", bottom },
	{ "\\eOQ", names },
	{ "\\e[12~", names },
	{ "\\e[[B", names },
	{ "\\eOR", time_shown },
	{ "\\e[13~", time_shown },
	{ "\\e[[C", time_shown },
};

/* Esc and a letter are two keys of vi. */
static const struct binding emacs_bindings[] = {
	{ "\\e<", top },
	{ "\\e>", bottom },
	{ "\\en", names },
	{ "\\ep", rl_reverse_search_history },
	{ "\\et", time_shown },
};

/* Here, and at M-p, readline has a search that is not incremental, in which 8.2
 * can free an undo list twice. */
static const struct binding vi_bindings[] = {
	{ "/", rl_reverse_search_history },
	{ "?", rl_forward_search_history },
};

/* What readline itself may not know. */
static const struct binding missing[] = {
	{ "\\e[H", rl_beg_of_line },
	{ "\\eOH", rl_beg_of_line },
	{ "\\e[1~", rl_beg_of_line },
	{ "\\e[7~", rl_beg_of_line },
	{ "\\e[F", rl_end_of_line },
	{ "\\eOF", rl_end_of_line },
	{ "\\e[4~", rl_end_of_line },
	{ "\\e[8~", rl_end_of_line },
	{ "\\e[3~", rl_delete },
	{ "\\e[1;3C", rl_forward_word },
	{ "\\e[1;5C", rl_forward_word },
	{ "\\eOc", rl_forward_word },
	{ "\\e[1;3D", rl_backward_word },
	{ "\\e[1;5D", rl_backward_word },
	{ "\\eOd", rl_backward_word },
};

enum { MAPS = 3 };

static Keymap
map_of(size_t i)
{
	const Keymap maps[MAPS] = { emacs_standard_keymap, vi_insertion_keymap,
		vi_movement_keymap };

	return maps[i];
}

static void
bind_in(Keymap map, const struct binding *binding, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rl_bind_keyseq_in_map(binding[i].keys, binding[i].function,
			map);
}

/* readline takes M-1 to M-9 for a numeric argument. */
static void
bind_rooms(Keymap map)
{
	char keys[] = "\\e1";

	for (; keys[2] <= '9'; keys[2]++)
		rl_bind_keyseq_in_map(keys, room, map);
}

void
input_bind(void)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		rl_add_defun(functions[i].name, functions[i].function, -1);
	for (size_t i = 0; i < MAPS; i++) {
		bind_in(map_of(i), bindings,
			sizeof(bindings) / sizeof(*bindings));
		bind_rooms(map_of(i));
	}
	bind_in(emacs_standard_keymap, emacs_bindings,
		sizeof(emacs_bindings) / sizeof(*emacs_bindings));
	bind_in(vi_movement_keymap, vi_bindings,
		sizeof(vi_bindings) / sizeof(*vi_bindings));
}

void
input_bind_missing(void)
{
	for (size_t map = 0; map < MAPS; map++)
		for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
			rl_bind_keyseq_if_unbound_in_map(missing[i].keys,
				missing[i].function, map_of(map));
}
