/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "act.h"
#include "input.h"
#include "screen.h"
#include "window.h"

#include <stdlib.h>

/* The draft goes with its room. */
static void
see(struct chat *chat, size_t index)
{
	if (index >= chat->count || index == chat->current)
		return;
	input_take(&chat_window(chat)->draft);
	act_see(chat, index);
	input_put(&chat_window(chat)->draft);
}

/* What could not be said is to be edited, and what was pasted stays so. */
static void
put_back(struct span line, bool literal)
{
	struct input_draft draft = { .cursor = line.len };

	text_append(&draft.text, line.bytes, line.len);
	for (size_t i = 0; literal && i < line.len; i++)
		text_append_char(&draft.marks, 1);
	input_put(&draft);
	input_draft_free(&draft);
}

static void
on_line(void *context, struct span line, bool literal)
{
	struct chat *chat = context;

	if (!chat->running)
		return;
	if (!act_line(chat, line, literal))
		put_back(line, literal);
	/* In another room now, perhaps. */
	if (chat_window(chat)->draft.text.len > 0)
		input_put(&chat_window(chat)->draft);
	input_search(chat->search != NULL);
	chat->changed = true;
}

static void
scroll_by(struct chat *chat, long rows)
{
	struct window *window = chat_window(chat);
	struct scroll_look look = screen_look(chat->screen);

	if (look.columns >= SCROLL_COLUMNS_MIN)
		window->place = scroll_move(window->scroll, &look,
			window->place, rows, screen_rows(chat->screen));
}

static void
scroll_pages(struct chat *chat, long pages)
{
	long rows = (long)screen_page(chat->screen);

	scroll_by(chat, pages * (rows > 2 ? rows - 1 : 1));
}

static void
focus(struct chat *chat, bool looked_at)
{
	chat->looked_at = looked_at;
	if (looked_at)
		window_look(chat_window(chat));
	else
		window_look_away(chat_window(chat));
}

static void
turn(struct chat *chat, size_t by)
{
	see(chat, (chat->current + by) % chat->count);
}

static void
on_key(void *context, enum input_key key)
{
	struct chat *chat = context;

	if (!chat->running)
		return;
	chat->changed = true;
	switch (key) {
	case INPUT_END:
		chat->leaving = true;
		break;
	case INPUT_PAGE_UP:
		scroll_pages(chat, -1);
		break;
	case INPUT_PAGE_DOWN:
		scroll_pages(chat, 1);
		break;
	case INPUT_LINE_UP:
		scroll_by(chat, -1);
		break;
	case INPUT_LINE_DOWN:
		scroll_by(chat, 1);
		break;
	case INPUT_TOP:
		chat_window(chat)->place = (struct scroll_place){ 0, 0 };
		break;
	case INPUT_BOTTOM:
		chat_window(chat)->place = SCROLL_END;
		break;
	case INPUT_NAMES:
		chat->names_hidden = !chat->names_hidden;
		break;
	case INPUT_CLOCK:
		act_turn_clock(chat);
		break;
	case INPUT_NEXT_ROOM:
		turn(chat, 1);
		break;
	case INPUT_PREVIOUS_ROOM:
		turn(chat, chat->count - 1);
		break;
	case INPUT_FOCUS_IN:
		focus(chat, true);
		break;
	case INPUT_FOCUS_OUT:
		focus(chat, false);
		break;
	case INPUT_REDRAW:
		screen_resize(chat->screen);
		break;
	case INPUT_SUSPEND:
		chat->stops = true;
		break;
	case INPUT_SEARCH_NEXT:
		act_search(chat, -1);
		break;
	case INPUT_SEARCH_PREVIOUS:
		act_search(chat, 1);
		break;
	case INPUT_SEARCH_END:
		act_end_search(chat);
		break;
	default:
		see(chat, (size_t)(key - INPUT_ROOM_1));
	}
}

static bool
on_complete(void *context, struct span line, size_t cursor, size_t n,
	size_t *from, struct text *candidate)
{
	const struct chat *chat = context;

	return complete_at(chat->complete, line, cursor, n, from, candidate);
}

static void
on_notice(void *context, const char *text)
{
	window_notice(chat_window(context), text);
}

void
keys_begin(struct chat *chat)
{
	const struct input_calls calls = {
		.context = chat,
		.line = on_line,
		.key = on_key,
		.notice = on_notice,
		.complete = on_complete,
	};

	input_begin(&calls);
}
