/* SPDX-License-Identifier: Apache-2.0 */
#include "act.h"

#include "command.h"
#include "memory.h"
#include "pin.h"
#include "report.h"
#include "translate.h"
#include "window.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

/* What a name looks like on the screen, as which it is typed. */
static struct text
shown_name(struct span name)
{
	struct text shown = { 0 };

	text_harmless(&shown, name, TEXT_NAME);
	return shown;
}

bool
chat_ignores(const struct chat *chat, struct span user)
{
	bool found = false;

	if (chat->ignored_count == 0 || user.len == 0)
		return false;
	struct text name = shown_name(user);
	for (size_t i = 0; i < chat->ignored_count && !found; i++)
		found = strcmp(chat->ignored[i], name.bytes) == 0;
	text_free(&name);
	return found;
}

bool
chat_hides(void *context, const struct line *line)
{
	return chat_ignores(context, line->user);
}

/* A line of ours, made of several parts. */
static void
notice(struct chat *chat, struct text *text)
{
	text_append_string(text, "");
	window_notice(chat_window(chat), text->bytes);
	text_free(text);
}

static void
list_ignored(struct chat *chat)
{
	struct text text = { 0 };

	text_append_string(&text,
		chat->ignored_count == 0 ? _("no name is ignored")
					 : _("ignored:"));
	for (size_t i = 0; i < chat->ignored_count; i++)
		text_appendf(&text, " %s", chat->ignored[i]);
	notice(chat, &text);
}

static bool
is_own_name(struct chat *chat, const char *name)
{
	struct text own = shown_name(
		span_of(session_user(chat_window(chat)->session)));
	bool same = strcmp(own.bytes, name) == 0;

	text_free(&own);
	return same;
}

static void
ignore(struct chat *chat, struct span name)
{
	struct text shown = shown_name(name), text = { 0 };
	size_t i = 0;

	while (i < chat->ignored_count &&
		strcmp(chat->ignored[i], shown.bytes) != 0)
		i++;
	if (is_own_name(chat, shown.bytes)) {
		text_appendf(&text, _("%s is you"), shown.bytes);
	} else if (i < chat->ignored_count) {
		free(chat->ignored[i]);
		chat->ignored[i] = chat->ignored[--chat->ignored_count];
		text_appendf(&text, _("%s is shown again"), shown.bytes);
	} else if (chat->ignored_count == CHAT_IGNORED_MAX) {
		text_appendf(&text,
			_("%s is not ignored: %d names are as many as can be"),
			shown.bytes, CHAT_IGNORED_MAX);
	} else {
		chat->ignored[chat->ignored_count++] = memory_string(
			shown.bytes);
		text_appendf(&text,
			_("%s is ignored: what that name says is hidden "
			  "(\\ignore %s shows it again)"),
			shown.bytes, shown.bytes);
	}
	text_free(&shown);
	notice(chat, &text);
}

void
act_tell_room(struct chat *chat)
{
	if (chat->plain && chat->count > 1)
		window_notice(chat_window(chat), "what you type goes here");
}

void
act_see(struct chat *chat, size_t index)
{
	if (index >= chat->count || index == chat->current)
		return;
	window_look_away(chat_window(chat));
	chat->current = index;
	chat->names_stale = true;
	window_look(chat_window(chat));
	act_tell_room(chat);
}

static void
join_room(struct chat *chat, struct span name)
{
	char *room = memory_copy(name.bytes, name.len);
	struct window *window = window_find(chat, name);
	struct fault fault = { 0 };

	if (window == NULL)
		window = window_open(chat, room, &fault);
	if (window != NULL)
		act_see(chat, window_index(chat, window));
	else
		window_notice(chat_window(chat), fault.text);
	free(room);
}

/* What goes with the room is not lost without a word. */
static void
append_left(const struct window *window, struct text *text)
{
	struct text lost = { 0 };
	size_t count = window_undelivered(window, &lost);

	text_appendf(text, _("you have left %s"), window->room);
	if (count > 0)
		text_appendf(text,
			_("; of your messages there, %zu may not be "
			  "delivered:\n"
			  "%s"),
			count, lost.bytes);
	text_free(&lost);
}

static void
leave_room(struct chat *chat, struct span name)
{
	struct window *window = name.len > 0 ? window_find(chat, name)
					     : chat_window(chat);
	struct text text = { 0 };

	if (window == NULL) {
		text_append(&text, name.bytes, name.len);
		text_append_string(&text, _(": you are not in that room"));
		notice(chat, &text);
	} else if (chat->count == 1) {
		window_notice(window, "this is the only room (\\q quits)");
	} else if (window->draft.text.len > 0) {
		text_append_string(&text,
			_("a draft is waiting there, and would be lost: go "
			  "there "
			  "and say or empty it first"));
		notice(chat, &text);
	} else if (enquiry_running(window->enquiry) > 0) {
		text_append_string(&text,
			_("a search runs there, and would end with it (\\stop "
			  "ends it)"));
		notice(chat, &text);
	} else {
		append_left(window, &text);
		window_close(window);
		window_look(chat_window(chat));
		notice(chat, &text);
		act_tell_room(chat);
	}
}

void
act_search(struct chat *chat, int direction)
{
	struct window *window = chat_window(chat);
	const struct scroll_look look = { .hides = chat_hides,
		.context = chat };
	struct scroll_place from = { window->found, 0 };
	struct scroll_place found;
	struct text text = { 0 };

	if (chat->search == NULL)
		return;
	if (scroll_find(window->scroll, &look, span_of(chat->search), from,
		    direction, &found)) {
		window->place = found;
		window->found = found.line;
		chat->changed = true;
		return;
	}
	text_appendf(&text,
		window->found == UINT64_MAX ? _("%s: not found")
			: direction < 0     ? _("%s: not found further up")
					    : _("%s: not found further down"),
		chat->search);
	notice(chat, &text);
}

void
act_end_search(struct chat *chat)
{
	for (size_t i = 0; i < chat->count; i++)
		chat->windows[i]->found = UINT64_MAX;
	free(chat->search);
	chat->search = NULL;
	chat->changed = true;
}

static void
search(struct chat *chat, struct span word)
{
	act_end_search(chat);
	if (word.len == 0) {
		chat_window(chat)->place = SCROLL_END;
		return;
	}
	chat->search = memory_copy(word.bytes, word.len);
	act_search(chat, -1);
}

static void
write_file(struct chat *chat, struct span name)
{
	struct window *window = chat_window(chat);
	struct fault fault = { 0 };
	struct text text = { 0 };
	char *path = memory_copy(name.bytes, name.len);
	size_t count;

	if (write_scroll(window->scroll, window->room, path, &count, &fault) <
		0)
		text_append_string(&text, fault.text);
	else
		text_appendf(&text, _("%s: %zu lines written"), path, count);
	free(path);
	notice(chat, &text);
}

static bool
say(struct chat *chat, struct span text)
{
	const struct member_post post = { .text = text, .lines = -1 };

	return text.len == 0 || window_say(chat_window(chat), &post);
}

static bool
act_out(struct chat *chat, struct span text)
{
	const struct span tag = span_of(LINE_ACTION_TAG);
	const struct member_post post = {
		.text = text,
		.lines = -1,
		.tags = &tag,
		.tag_count = 1,
	};

	return window_say(chat_window(chat), &post);
}

static bool
say_severe(struct chat *chat, struct span rest)
{
	struct span level = command_word(&rest);
	struct member_post post = {
		.text = rest,
		.lines = -1,
		.severity = room_severity_of(level),
	};

	if (post.severity != ROOM_SEVERITY_NONE)
		return window_say(chat_window(chat), &post);
	window_notice(chat_window(chat),
		"\\sev: the level is info, low, medium, high or critical; "
		"nothing was sent");
	return false;
}

static void
pin(struct chat *chat, struct span name)
{
	char *typed = memory_copy(name.bytes, name.len);
	struct fault fault = { 0 };
	struct text told = { 0 }, text = { 0 };
	int rc = pin_name(chat_window(chat)->session, typed, &told, &fault);

	if (rc < 0)
		text_append_string(&text, fault.text);
	else
		text_appendf(&text,
			rc > 0 ? _("%s: pinned") : _("%s: was pinned already"),
			told.bytes);
	text_free(&told);
	free(typed);
	chat->names_stale = true;
	notice(chat, &text);
}

static void
show_counts(struct chat *chat)
{
	struct window *window = chat_window(chat);
	struct session *session = window->session;
	struct record_count counts[SESSION_COUNTS_MAX];
	struct report_room room = {
		.member = session_member(session, 0),
		.link = session_link(session),
		.fabric = chat->conf.fabric,
		.asks = enquiry_can_count(window->enquiry),
		.is_foreign = window->is_foreign,
		.broker = session_peer(session),
		.counts = counts,
		.count = session_counts(session, counts),
	};
	struct text text = { 0 };
	struct fault fault = { 0 };

	report_counts(&text, &room, session_now());
	notice(chat, &text);
	if (room.asks && enquiry_count(window->enquiry, &fault) < 0)
		window_notice(window, fault.text);
}

static void
show_people(struct chat *chat, struct span name)
{
	char *typed = memory_copy(name.bytes, name.len);
	struct text text = { 0 };

	report_people(&text, session_member(chat_window(chat)->session, 0),
		typed, session_now());
	free(typed);
	notice(chat, &text);
}

static void
enquire(struct chat *chat, const struct command_line *parsed)
{
	struct window *window = chat_window(chat);
	struct fault fault = { 0 };

	if (chat->conf.fabric != CONF_DXL) {
		window_notice(window,
			"\\m and \\t ask services of a DXL fabric, and this is "
			"a plain MQTT one (the setting `fabric`)");
		return;
	}
	int rc = parsed->id == COMMAND_TIE
		? enquiry_hash(window->enquiry, parsed->argument, &fault)
		: enquiry_search(window->enquiry, parsed->argument, &fault);

	if (rc < 0)
		window_notice(window, fault.text);
}

static void
stop_lookup(struct chat *chat, struct span argument)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	if (enquiry_stop(chat_window(chat)->enquiry, argument, &text, &fault) <
		0)
		text_append_string(&text, fault.text);
	notice(chat, &text);
}

static void
show_help(struct chat *chat, struct span name)
{
	struct text text = { 0 };

	if (name.len == 0)
		text_append_string(&text, _("commands:\n"));
	command_help(&text, name);
	notice(chat, &text);
}

static void
say_again(struct chat *chat)
{
	struct window *window = chat_window(chat);
	struct text text = { 0 };
	size_t count;

	if (window_warns_again(window)) {
		text_append_string(&text,
			_("the room is sealed with a secret that you do not "
			  "have: \\r once more says it again, IN THE CLEAR"));
		notice(chat, &text);
		return;
	}
	count = window_say_again(window);
	if (count == 0)
		text_append_string(&text, _("nothing is undelivered here"));
	else
		text_appendf(&text, _("%zu said again"), count);
	notice(chat, &text);
}

void
act_turn_clock(struct chat *chat)
{
	struct text text = { 0 };

	chat->clock.local = !chat->clock.local;
	chat->changed = true;
	if (!chat->plain)
		return; /* the times themselves show it */
	text_append_string(&text, chat->clock.local ? _("local time") : "UTC");
	notice(chat, &text);
}

static void
complain(struct chat *chat, const struct command_line *parsed)
{
	struct text text = { 0 };

	command_complain(&text, parsed);
	notice(chat, &text);
}

/* A command that sends something: false if it could not. */
static bool
run_sending(struct chat *chat, const struct command_line *parsed)
{
	struct span rest = parsed->argument;

	switch (parsed->id) {
	case COMMAND_SAY:
		return say(chat, rest);
	case COMMAND_ACT:
		return act_out(chat, rest);
	case COMMAND_SEVERITY:
		return say_severe(chat, rest);
	default: {
		struct span name = command_word(&rest);

		return window_say_to(chat_window(chat), name, rest);
	}
	}
}

static void
run(struct chat *chat, const struct command_line *parsed)
{
	switch (parsed->id) {
	case COMMAND_QUIT:
		chat->leaving = true;
		break;
	case COMMAND_HELP:
		show_help(chat, parsed->argument);
		break;
	case COMMAND_PEOPLE:
		show_people(chat, parsed->argument);
		break;
	case COMMAND_COUNTS:
		show_counts(chat);
		break;
	case COMMAND_MAR:
	case COMMAND_TIE:
		enquire(chat, parsed);
		break;
	case COMMAND_YES:
	case COMMAND_NO:
		if (!questions_answer(chat_window(chat)->questions,
			    parsed->id == COMMAND_YES))
			window_notice(chat_window(chat),
				"there is no question to answer");
		break;
	case COMMAND_IGNORE:
		if (parsed->argument.len > 0)
			ignore(chat, parsed->argument);
		else
			list_ignored(chat);
		break;
	case COMMAND_JOIN:
		join_room(chat, parsed->argument);
		break;
	case COMMAND_LEAVE:
		leave_room(chat, parsed->argument);
		break;
	case COMMAND_PIN:
		pin(chat, parsed->argument);
		break;
	case COMMAND_RESEND:
		say_again(chat);
		break;
	case COMMAND_SEARCH:
		search(chat, parsed->argument);
		break;
	case COMMAND_STOP:
		stop_lookup(chat, parsed->argument);
		break;
	case COMMAND_TIME:
		act_turn_clock(chat);
		break;
	case COMMAND_WRITE:
		write_file(chat, parsed->argument);
		break;
	default:
		complain(chat, parsed);
	}
}

bool
act_line(struct chat *chat, struct span line, bool literal)
{
	struct command_line parsed = { .id = COMMAND_SAY, .argument = line };

	if (!literal)
		parsed = command_parse(line);
	switch (parsed.id) {
	case COMMAND_SAY:
	case COMMAND_ACT:
	case COMMAND_SEVERITY:
	case COMMAND_DIRECT:
		chat_window(chat)->place = SCROLL_END;
		return run_sending(chat, &parsed);
	default:
		if (parsed.id != COMMAND_SEARCH)
			chat_window(chat)->place = SCROLL_END;
		run(chat, &parsed);
		return true;
	}
}
