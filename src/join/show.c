/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "memory.h"
#include "translate.h"
#include "width.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a narrow screen goes without: with each step, what the ones before it
 * spare, too.  What is wrong is never spared.
 */
enum spared {
	SPARED_NOTHING,
	SPARED_BROKER,
	SPARED_WORDS, /* shorter ones say it */
	SPARED_CLOCK,
	SPARED_PEOPLE,
	SPARED_ROOMS, /* that are not seen: what came in them is counted */
	SPARED_SEARCH,
	SPARED_SEAL,
	SPARED_BELOW,
	SPARED_UNPROVED,
	SPARED_MOST,
};

enum {
	ROOM_SHARE = 2,   /* its name has this part of a narrow screen, … */
	ROOM_COLUMNS = 4, /* or less, but this in any case */
};

static const char cut[] = "..";

struct status {
	struct text *text;
	const struct chat *chat;
	const struct window *window;
	const struct member *member;
	enum spared spared;
	size_t room_columns; /* for the room's name */
};

/* Appends a room's name, cut to so many columns. */
static void
append_room_name(struct text *text, const struct window *window, size_t columns)
{
	struct text shown = { 0 };

	text_harmless(&shown, span_of(window->room), TEXT_NAME);
	struct span name = { shown.bytes, shown.len };
	bool fits = width_of(name) <= columns;
	if (!fits)
		name.len = width_fit(name, columns - strlen(cut));
	text_append(text, name.bytes, name.len);
	if (!fits)
		text_append_string(text, cut);
	text_free(&shown);
}

static void
append_seen_room(const struct status *status)
{
	const struct chat *chat = status->chat;

	text_append_char(status->text, ' ');
	if (chat->count > 1)
		text_appendf(status->text, "[%zu:", chat->current + 1);
	append_room_name(status->text, status->window, status->room_columns);
	if (chat->count > 1)
		text_append_char(status->text, ']');
}

static void
append_other_room(const struct status *status, size_t i)
{
	const struct window *window = status->chat->windows[i];
	struct text *text = status->text;

	text_appendf(text, " %zu:", i + 1);
	append_room_name(text, window, SIZE_MAX);
	if (window->unread > 0)
		text_appendf(text, "(%zu%s)", window->unread,
			window->mentions > 0 ? "!" : "");
	if (session_link(window->session) != SESSION_UP)
		text_append_string(text, _(" DOWN"));
}

static void
append_rooms(const struct status *status)
{
	const struct chat *chat = status->chat;
	size_t unread = 0, mentions = 0;

	for (size_t i = 0; i < chat->count; i++) {
		if (i == chat->current) {
			append_seen_room(status);
			continue;
		}
		unread += chat->windows[i]->unread;
		mentions += chat->windows[i]->mentions;
		if (status->spared < SPARED_ROOMS)
			append_other_room(status, i);
	}
	if (status->spared >= SPARED_ROOMS && unread > 0)
		text_appendf(status->text, " +%zu%s", unread,
			mentions > 0 ? "!" : "");
}

static const char *
link_words(const struct status *status)
{
	switch (session_link(status->window->session)) {
	case SESSION_CONNECTING:
		return _(" | CONNECTING");
	case SESSION_LOST:
		return status->spared < SPARED_WORDS
			? _(" | CONNECTION LOST, trying again")
			: status->spared < SPARED_ROOMS
			? _(" | CONNECTION LOST")
			: _(" | LOST");
	default:
		return "";
	}
}

/* What is wrong stands first. */
static void
append_troubles(const struct status *status)
{
	size_t unproved = member_unproved(status->member);
	size_t given_up = member_given_up(status->member);

	text_append_string(status->text, link_words(status));
	if (window_lacks_secret(status->window))
		text_append_string(status->text, _(" | NO SECRET"));
	if (given_up > 0)
		text_appendf(status->text,
			status->spared < SPARED_ROOMS
				? _(" | %zu NOT DELIVERED")
				: _(" | %zu FAILED"),
			given_up);
	if (unproved > 0 && status->spared < SPARED_UNPROVED)
		text_appendf(status->text, _(" | %zu unconfirmed"), unproved);
}

static unsigned long long
count_below(const struct window *window)
{
	return scroll_is_end(window->place)
		? 0
		: scroll_end(window->scroll) - 1 - window->place.line;
}

static void
append_people(const struct status *status)
{
	if (status->spared < SPARED_PEOPLE)
		text_appendf(status->text, _(" | %zu here"),
			roster_count(member_roster(status->member)));
	if (status->spared < SPARED_SEAL &&
		!window_lacks_secret(status->window))
		text_append_string(status->text,
			member_is_sealed(status->member) ? _(" | sealed")
							 : _(" | clear"));
}

static void
append_rest(const struct status *status)
{
	const struct session *session = status->window->session;
	const char *word = status->chat->search;
	struct text *text = status->text;

	if (status->spared < SPARED_BROKER &&
		session_link(session) == SESSION_UP)
		text_appendf(text, _(" | on %s"), session_peer(session));
	if (status->spared < SPARED_CLOCK) {
		text_append_string(text, " | UTC");
		if (status->chat->clock.local)
			line_append_offset(text, session_now().wall);
	}
	if (status->spared < SPARED_SEARCH && word != NULL) {
		text_append_string(text, " | n, N");
		if (status->spared < SPARED_WORDS) {
			text_append_string(text, ": ");
			text_harmless(text, span_of(word), TEXT_LINE);
		}
	}
}

/* What is asked of services, and of us. */
static void
append_enquiry(const struct status *status)
{
	struct text asked = { 0 };

	enquiry_progress(status->window->enquiry,
		status->spared >= SPARED_WORDS, &asked);
	if (questions_are_open(status->window->questions)) {
		if (asked.len > 0)
			text_append_string(&asked, "; ");
		text_append_string(&asked, _("\\yes or \\no?"));
	}
	if (asked.len > 0 && status->spared < SPARED_SEARCH)
		text_appendf(status->text, " | %s", asked.bytes);
	text_free(&asked);
}

static void
append_status(const struct status *status)
{
	append_rooms(status);
	append_troubles(status);
	append_enquiry(status);
	if (!scroll_is_end(status->window->place) &&
		status->spared < SPARED_BELOW)
		text_appendf(status->text,
			status->spared < SPARED_WORDS ? _(" | %llu newer below")
						      : _(" | %llu below"),
			count_below(status->window));
	append_people(status);
	append_rest(status);
}

void
show_status(struct text *text, const struct chat *chat, size_t columns)
{
	const struct window *window = chat->windows[chat->current];
	struct status status = { .text = text, .chat = chat, .window = window };
	size_t start = text->len, share = columns / ROOM_SHARE;

	status.member = session_member(window->session, 0);
	status.room_columns = SIZE_MAX;
	append_status(&status);
	while (width_of((struct span){ text->bytes + start,
		       text->len - start }) > columns) {
		if (status.spared < SPARED_MOST)
			status.spared++;
		else if (status.room_columns > ROOM_COLUMNS)
			status.room_columns--;
		else
			break;
		if (status.spared == SPARED_ROOMS)
			status.room_columns = share > ROOM_COLUMNS
				? share
				: ROOM_COLUMNS;
		text->len = start;
		append_status(&status);
	}
}

void
show_below(struct text *text, const struct window *window)
{
	text_appendf(text, _(" %llu newer below "), count_below(window));
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
