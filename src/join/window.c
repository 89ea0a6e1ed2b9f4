/* SPDX-License-Identifier: Apache-2.0 */
#include "window_state.h"

#include "memory.h"
#include "plain.h"
#include "translate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NO_LINE UINT64_MAX

static bool
is_seen(const struct window *window)
{
	const struct chat *chat = window->chat;

	return chat->windows[chat->current] == window && chat->looked_at;
}

static void
place_rule(struct window *window, int64_t time)
{
	if (window->rule != NO_LINE)
		scroll_drop(window->scroll, window->rule);
	window->rule = scroll_add(window->scroll, line_rule(LINE_UNREAD, time));
	window->rule_due = false;
}

uint64_t
window_add(struct window *window, struct line line)
{
	struct chat *chat = window->chat;
	bool said = line.kind == LINE_MESSAGE || line.kind == LINE_DIRECT;

	if (said && !line.own && !line.replayed && !is_seen(window) &&
		!chat_ignores(chat, line.user)) {
		window->unread++;
		window->mentions += line.mentions || line.kind == LINE_DIRECT;
		if (window->rule_due)
			place_rule(window, line.time);
	}
	chat->changed = true;
	if (chat->plain)
		plain_show(window, &line);
	return scroll_add(window->scroll, line);
}

void
window_notice(struct window *window, const char *text)
{
	window_add(window,
		line_notice(session_now().wall, span_of(translate(text))));
}

struct line *
window_own(const struct window *window, enum line_kind kind, int64_t seq)
{
	uint64_t first = scroll_first(window->scroll);

	for (uint64_t i = scroll_end(window->scroll); i > first; i--) {
		struct line *line = scroll_line(window->scroll, i - 1);

		if (line->own && line->kind == kind && line->seq == seq)
			return line;
	}
	return NULL;
}

size_t
window_index(const struct chat *chat, const struct window *window)
{
	size_t i = 0;

	while (i < chat->count && chat->windows[i] != window)
		i++;
	return i;
}

struct window *
window_find(const struct chat *chat, struct span room)
{
	for (size_t i = 0; i < chat->count; i++)
		if (span_equal(room, span_of(chat->windows[i]->room)))
			return chat->windows[i];
	return NULL;
}

static void
free_window(struct window *window)
{
	enquiry_free(window->enquiry);
	questions_free(window->questions);
	session_free(window->session);
	direct_free(window->direct);
	lull_free(&window->lull);
	scroll_free(window->scroll);
	input_draft_free(&window->draft);
	free(window->room);
	free(window);
}

struct window *
window_open(struct chat *chat, const char *room, struct fault *fault)
{
	if (chat->count == CHAT_ROOMS_MAX) {
		fault_set(fault, FAULT_USAGE,
			"%s: %d rooms are as many as can be (\\l leaves one)",
			room, CHAT_ROOMS_MAX);
		return NULL;
	}
	if (window_find(chat, span_of(room)) != NULL) {
		fault_set(fault, FAULT_USAGE, "%s: you are there already",
			room);
		return NULL;
	}
	struct window *window = memory_alloc(1, sizeof(*window));
	struct direct_calls calls = window_direct_calls(window);
	window->chat = chat;
	window->room = memory_string(room);
	window->scroll = scroll_new(chat->lines_max);
	window->place = SCROLL_END;
	window->rule = NO_LINE;
	window->rule_due = true; /* until it is seen */
	window->found = NO_LINE;
	window->session = window_listen(window, fault);
	if (window->session == NULL) {
		free_window(window);
		return NULL;
	}
	window->direct = direct_new(&chat->conf, &calls);
	window->enquiry = enquiry_new(window);
	window->questions = questions_new(window);
	complete_note(chat->complete, COMPLETE_ROOM, span_of(room));
	chat->windows[chat->count++] = window;
	chat->names_stale = true;
	return window;
}

void
window_close(struct window *window)
{
	struct chat *chat = window->chat;
	size_t index = window_index(chat, window);

	session_close(&window->session, 1);
	plain_catch_up(window);
	chat->count--;
	memmove(chat->windows + index, chat->windows + index + 1,
		(chat->count - index) * sizeof(*chat->windows));
	if (chat->current > index || chat->current == chat->count)
		chat->current -= chat->current > 0;
	chat->names_stale = true;
	free_window(window);
}

void
window_close_all(struct chat *chat)
{
	struct session *sessions[CHAT_ROOMS_MAX];

	for (size_t i = 0; i < chat->count; i++)
		sessions[i] = chat->windows[i]->session;
	session_close(sessions, chat->count);
}

void
window_free_all(struct chat *chat)
{
	while (chat->count > 0)
		free_window(chat->windows[--chat->count]);
}

static struct line
own_line(const struct window *window, const struct member_post *post,
	enum line_kind kind, int64_t seq)
{
	const struct record record = {
		.type = kind == LINE_DIRECT ? RECORD_DIRECT : RECORD_MESSAGE,
		.own = true,
		.time = session_now().wall,
		.user = span_of(session_user(window->session)),
		.seq = seq,
		.text = post->text,
		.severity = post->severity,
		.title = post->title,
		.tags = post->tags,
		.tag_count = post->tag_count,
	};

	return line_from_record(&record);
}

struct line
window_line(const struct window *window, const struct member_post *post)
{
	return own_line(window, post, LINE_MESSAGE, -1);
}

/* A line of our own, before anybody else has it. */
static uint64_t
add_own(struct window *window, const struct member_post *post,
	enum line_kind kind, struct span to, int64_t seq)
{
	struct line line = own_line(window, post, kind, seq);

	line.state = LINE_PENDING;
	line_set_to(&line, to);
	return window_add(window, line);
}

bool
window_lacks_secret(const struct window *window)
{
	return window->is_foreign &&
		!member_is_sealed(session_member(window->session, 0));
}

bool
window_is_exposed(const struct window *window)
{
	return window_lacks_secret(window) && !window->in_clear;
}

bool
window_post(struct window *window, const struct member_post *post)
{
	struct fault fault = { 0 };
	int64_t seq = session_say(window->session, post, &fault);

	if (seq < 0)
		window_notice(window, fault.text);
	else
		add_own(window, post, LINE_MESSAGE, span_of(""), seq);
	return seq >= 0;
}

bool
window_say(struct window *window, const struct member_post *post)
{
	struct fault fault = { 0 };

	if (!window_is_exposed(window))
		return window_post(window, post);
	if (member_check(session_member(window->session, 0), post,
		    session_now(), &fault) < 0) {
		window_notice(window, fault.text);
		return false;
	}
	return questions_keep(window->questions, post);
}

bool
window_say_to(struct window *window, struct span name, struct span text)
{
	struct fault fault = { 0 };
	const struct member_post post = { .text = text, .lines = -1 };
	char *typed = memory_copy(name.bytes, name.len);
	char user[ROOM_USER_MAX + 1];
	int64_t id = direct_say(window->direct, window->session, typed, text,
		user, &fault);

	free(typed);
	if (id < 0)
		window_notice(window, fault.text);
	else
		add_own(window, &post, LINE_DIRECT, span_of(user), id);
	return id >= 0;
}

/* To the room, whether or not their lines are still there. */
static size_t
say_kept_again(struct window *window)
{
	struct member *member = session_member(window->session, 0);
	size_t count = member_given_up(member);

	for (size_t i = 0; i < count; i++) {
		int64_t first = member_given_up_at(member, 0).first;
		struct fault fault;
		int rc = member_say_again(member, first, session_now(), &fault);

		assert(rc == 0);
		(void)rc;
		struct line *line = window_own(window, LINE_MESSAGE, first);
		if (line != NULL)
			line->state = LINE_PENDING;
	}
	return count;
}

/* What is not kept any more cannot be said. */
static bool
say_line_again(struct window *window, struct line *line)
{
	struct fault fault = { 0 };
	int rc = line->kind == LINE_DIRECT
		? direct_say_again(window->direct, window->session, line->seq,
			  &fault)
		: fault_set(&fault, FAULT_DATA,
			  "one of your messages is not kept any more: say it "
			  "anew");

	if (rc == 0)
		line->state = LINE_PENDING;
	else
		window_notice(window, fault.text);
	return rc == 0;
}

bool
window_warns_again(struct window *window)
{
	window->warned_again = !window->warned_again &&
		window_is_exposed(window) &&
		member_given_up(session_member(window->session, 0)) > 0;
	return window->warned_again;
}

size_t
window_say_again(struct window *window)
{
	uint64_t end = scroll_end(window->scroll);
	size_t count = say_kept_again(window);

	for (uint64_t i = scroll_first(window->scroll); i < end; i++) {
		struct line *line = scroll_line(window->scroll, i);

		if (line != NULL && line->own && line->state == LINE_FAILED)
			count += say_line_again(window, line);
	}
	window->chat->changed = true;
	return count;
}

static bool
is_undelivered(const struct line *line)
{
	return line->own && line->state != LINE_SAID;
}

size_t
window_undelivered(const struct window *window, struct text *text)
{
	const struct member *member = session_member(window->session, 0);
	size_t count = 0, directs = 0;

	text_append_string(text, "");
	for (uint64_t i = scroll_first(window->scroll);
		i < scroll_end(window->scroll); i++) {
		const struct line *line = scroll_line(window->scroll, i);

		if (!is_undelivered(line))
			continue;
		directs += line->kind == LINE_DIRECT;
		count++;
		line_plain(line, span_of(window->room), text);
	}
	/* Lines may have gone. */
	size_t kept = member_unproved(member) + member_given_up(member) +
		directs;
	return (kept > count ? kept : count) +
		questions_unsaid(window->questions, text);
}

void
window_look(struct window *window)
{
	window->unread = 0;
	window->mentions = 0;
	window->rule_due = false;
	window->chat->changed = true;
}

void
window_look_away(struct window *window)
{
	window->rule_due = true;
}

int64_t
window_deadline(const struct window *window)
{
	struct instant now = session_now();
	int64_t midnight = now.mono + scroll_day_left(now.wall);
	int64_t direct = direct_deadline(window->direct);
	int64_t enquiry = enquiry_deadline(window->enquiry);
	int64_t lull = lull_deadline(&window->lull);
	int64_t due = direct < enquiry ? direct : enquiry;

	if (lull < due)
		due = lull;
	if (window->check_mono > 0 && window->check_mono < due)
		due = window->check_mono;
	return due < midnight ? due : midnight;
}

/* Who may not read a room is not told so by its broker: it hears nothing, not
 * even itself. */
static void
check_heard(struct window *window, int64_t mono)
{
	if (window->check_mono == 0 || mono < window->check_mono)
		return;
	/* Without a connection: at the next one. */
	bool up = session_link(window->session) == SESSION_UP;

	window->check_mono = up ? INT64_MAX : 0;
	if (up && !member_is_heard(session_member(window->session, 0)))
		window_notice(window,
			"OUR OWN PRESENCE DID NOT COME BACK: the fabric may "
			"not let you read, or write to, this room (its "
			"operator can)");
}

void
window_tick(struct window *window)
{
	struct instant now = session_now();

	direct_tick(window->direct, now.mono);
	enquiry_tick(window->enquiry, now.mono);
	check_heard(window, now.mono);
	if (now.mono >= lull_deadline(&window->lull))
		plain_catch_up(window);
	if (!scroll_turn_day(window->scroll, now.wall))
		return;
	window->chat->changed = true;
	if (window->chat->plain)
		plain_show(window,
			scroll_line(window->scroll,
				scroll_end(window->scroll) - 1));
}
