/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include "input.h"
#include "memory.h"
#include "screen.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAME_MS = 16,  /* between two drawings, but for a key's */
	LOOK_MS = 1000, /* between looks at what changes by itself */
};

struct view {
	struct show_names names;
	int64_t drawn;      /* mono ms of the last drawing */
	int64_t names_made; /* likewise */
};

struct view *
view_new(void)
{
	return memory_alloc(1, sizeof(struct view));
}

void
view_free(struct view *view)
{
	if (view == NULL)
		return;
	show_names_free(&view->names);
	free(view);
}

void
view_draw(struct view *view, struct chat *chat, int64_t now)
{
	struct window *window = chat_window(chat);
	struct text status = { 0 }, prompt = { 0 }, below = { 0 };
	const char *question = input_question();

	if (chat->names_stale || now >= view->names_made + LOOK_MS) {
		show_names(&view->names, session_member(window->session, 0));
		view->names_made = now;
		chat->names_stale = false;
	}
	if (input_prompt() != NULL)
		text_append_string(&prompt, input_prompt());
	else if (question == NULL)
		show_prompt(&prompt, window);
	struct screen_view seen = {
		.scroll = window->scroll,
		.look = { .clock = chat->clock,
			.hides = chat_hides,
			.context = chat },
		.place = &window->place,
		.found = window->found,
		.names_wanted = !chat->names_hidden,
		.names = view->names.names,
		.name_count = view->names.count,
		.prompt = { prompt.bytes, prompt.len },
		.input = question != NULL ? span_of(question) : input_line(),
		/* Of a question its start is seen, where there is no more room.
		 */
		.cursor = question != NULL ? 0 : input_cursor(),
	};
	screen_settle(chat->screen, &seen);
	show_below(&below, window);
	seen.below = (struct span){ below.bytes, below.len };
	show_status(&status, chat, screen_columns(chat->screen));
	seen.status = (struct span){ status.bytes, status.len };
	screen_draw(chat->screen, &seen);
	view->drawn = now;
	chat->changed = false;
	text_free(&status);
	text_free(&prompt);
	text_free(&below);
}

int64_t
view_deadline(const struct view *view, const struct chat *chat)
{
	return view->drawn + (chat->changed ? FRAME_MS : LOOK_MS);
}

void
view_tick(struct view *view, struct chat *chat, bool key, int64_t now)
{
	if (key || now >= view_deadline(view, chat))
		view_draw(view, chat, now);
}
