/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE_COLUMNS = 60 }; /* of a screen that has room for a broker's name */

static void
append_room(struct text *text, const struct chat *chat, size_t i)
{
	const struct window *window = chat->windows[i];

	if (chat->count > 1)
		text_appendf(text, i == chat->current ? "[%zu:" : "%zu:",
			i + 1);
	text_harmless(text, span_of(window->room), TEXT_NAME);
	if (i == chat->current)
		text_append_string(text, chat->count > 1 ? "]" : "");
	else if (window->unread > 0)
		text_appendf(text, "(%zu%s)", window->unread,
			window->mentions > 0 ? "!" : "");
	if (chat->count > 1 && session_link(window->session) != SESSION_UP)
		text_append_string(text, " DOWN");
}

/* What is wrong stands first, so that a narrow screen has it. */
static void
append_troubles(struct text *text, const struct window *window)
{
	const struct member *member = session_member(window->session, 0);
	size_t unproved = member_unproved(member);
	size_t given_up = member_given_up(member);

	switch (session_link(window->session)) {
	case SESSION_UP:
		break;
	case SESSION_CONNECTING:
		text_append_string(text, " | CONNECTING");
		break;
	case SESSION_LOST:
		text_append_string(text, " | CONNECTION LOST, trying again");
	}
	if (given_up > 0)
		text_appendf(text, " | %zu NOT DELIVERED", given_up);
	if (unproved > 0)
		text_appendf(text, " | %zu unconfirmed", unproved);
}

void
show_status(struct text *text, const struct chat *chat, size_t columns)
{
	const struct window *window = chat->windows[chat->current];
	const struct member *member = session_member(window->session, 0);

	for (size_t i = 0; i < chat->count; i++) {
		text_append_char(text, ' ');
		append_room(text, chat, i);
	}
	append_troubles(text, window);
	if (!scroll_is_end(window->place)) {
		text_append_string(text, " | ");
		show_below(text, window);
	}
	text_appendf(text, " | %zu here | %s",
		roster_count(member_roster(member)),
		member_is_sealed(member) ? "sealed" : "clear");
	if (columns >= WIDE_COLUMNS &&
		session_link(window->session) == SESSION_UP)
		text_appendf(text, " | on %s", session_peer(window->session));
	text_append_string(text, " | UTC");
	if (chat->clock.local)
		line_append_offset(text, session_now().wall);
	if (chat->search != NULL) {
		text_append_string(text, " | n, N: ");
		text_harmless(text, span_of(chat->search), TEXT_LINE);
	}
}

void
show_below(struct text *text, const struct window *window)
{
	uint64_t end = scroll_end(window->scroll);

	text_appendf(text, "%llu newer below",
		scroll_is_end(window->place)
			? 0ULL
			: (unsigned long long)(end - 1 - window->place.line));
}

void
show_prompt(struct text *text, const struct window *window)
{
	text_harmless(text, span_of(session_user(window->session)), TEXT_NAME);
	text_append_char(text, '@');
	text_harmless(text, span_of(window->room), TEXT_NAME);
	text_append_string(text, "> ");
}

static int
compare(const void *a, const void *b)
{
	const struct screen_name *left = a, *right = b;
	size_t len = left->name.len < right->name.len ? left->name.len
						      : right->name.len;
	int rc = memcmp(left->name.bytes, right->name.bytes, len);

	return rc != 0 ? rc
		       : (left->name.len > right->name.len) -
			(left->name.len < right->name.len);
}

void
show_names_free(struct show_names *names)
{
	text_free(&names->text);
	free(names->names);
	*names = (struct show_names){ 0 };
}

void
show_names(struct show_names *names, const struct member *member)
{
	const struct roster *roster = member_roster(member);
	size_t count = roster_count(roster), i = 0, at = 0;
	size_t *ends = memory_alloc(count + 1, sizeof(*ends));

	show_names_free(names);
	names->names = memory_alloc(count + 1, sizeof(*names->names));
	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry)) {
		text_harmless(&names->text, span_of(entry->user), TEXT_NAME);
		ends[i] = names->text.len;
		names->names[i].mark = entry->trust.mark;
		snprintf(names->names[i].signer, LINE_SIGNER_MAX, "%.*s",
			LINE_SIGNER_MAX - 1, entry->trust.fingerprint);
		i++;
	}
	/* Now the buffer moves no more. */
	for (i = 0; i < count; at = ends[i++])
		names->names[i].name = (struct span){ names->text.bytes + at,
			ends[i] - at };
	names->count = count;
	qsort(names->names, count, sizeof(*names->names), compare);
	free(ends);
}
