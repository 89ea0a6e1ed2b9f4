/* SPDX-License-Identifier: Apache-2.0 */
#include "window_state.h"

#include "plain.h"
#include "translate.h"

#include <string.h>

enum { START_MAX = 40 }; /* bytes of a text that is named */

/* What Tab offers from now on. */
static void
note_words(struct chat *chat, const struct record *record)
{
	if (record->own)
		return;
	if (record->type == RECORD_LEAVE)
		complete_forget(chat->complete, COMPLETE_NAME, record->user);
	else if (record->type != RECORD_GAP && record->trust.mark != TRUST_BAD)
		complete_note(chat->complete, COMPLETE_NAME, record->user);
	if (record->type == RECORD_MESSAGE || record->type == RECORD_DIRECT)
		complete_read(chat->complete, record->text);
}

/* Our own has come back: what is shown is proved. */
static bool
prove_line(struct window *window, const struct record *record)
{
	struct line *line = window_own(window, LINE_MESSAGE, record->seq);

	if (line == NULL || line->state == LINE_SAID)
		return line != NULL;
	line->state = LINE_SAID;
	line->mark = record->trust.mark;
	line_set_signer(line, record->trust.fingerprint);
	window->chat->changed = true;
	return true;
}

static void
on_deliver(void *context, const struct record *record)
{
	struct window *window = context;
	struct chat *chat = window->chat;
	bool said = record->type == RECORD_MESSAGE ||
		record->type == RECORD_DIRECT;

	chat->names_stale |= !said;
	note_words(chat, record);
	if (record->own && record->type == RECORD_MESSAGE &&
		prove_line(window, record))
		return;
	if (chat->cli.quiet && !said && record->type != RECORD_GAP)
		return;
	struct line line = line_from_record(record);
	line.mentions = said && !record->own &&
		alert_mentions(chat->alert, record->text);
	if (said && !chat_ignores(chat, record->user))
		alert_tell(chat->alert, span_of(window->room), &line,
			session_now().mono);
	window_add(window, line);
}

static void
fail_line(struct window *window, struct line *line)
{
	if (line == NULL)
		return;
	line->state = LINE_FAILED;
	if (window->chat->plain) /* which one is seen nowhere else */
		plain_show(window, line);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct window *window = context;
	struct line *line = window_own(window, LINE_MESSAGE, first);

	struct text notice = { 0 };

	(void)last;
	fail_line(window, line);
	text_append_string(&notice,
		_("NOT DELIVERED, as it did not come back: "));
	line_append_start(&notice, text, START_MAX);
	text_append_string(&notice,
		_(" (the fabric may not let you write to, or read, this room; "
		  "\\r says it again)"));
	window_notice(window, notice.bytes);
	text_free(&notice);
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct window *window = context;
	struct chat *chat = window->chat;

	chat->changed = true;
	if (link != SESSION_UP && window->check_mono != INT64_MAX)
		window->check_mono = 0;
	else if (link == SESSION_UP && window->check_mono == 0)
		window->check_mono = session_now().mono + CHAT_PROOF_MS;
	if (!chat->running) {
		if (link != SESSION_UP && chat->fault.kind == FAULT_NONE)
			chat->fault = *why;
		return;
	}
	if (link == SESSION_UP)
		window_notice(window,
			window->told_lost ? _("back in the room")
					  : _("you are in the room"));
	else if (!window->told_lost)
		window_notice(window, why->text);
	window->told_lost = link != SESSION_UP;
}

static void
on_ignored(void *context, const char *why)
{
	struct window *window = context;

	if (window->chat->cli.verbose > 0 && window->chat->running)
		window_notice(window, why);
}

static void
on_clock(void *context, int64_t off)
{
	struct window *window = context;

	if (window->chat->running)
		window_notice(window,
			"THE CLOCK OF THIS MACHINE SEEMS WRONG: what others "
			"say looks stale (set it, best by NTP)");
	else
		cli_warn_clock(&window->chat->cli, off);
}

/* Whoever may write here can say what looks like that: so it is told once, and
 * keeps nobody from saying something. */
static void
on_foreign(void *context, struct span room)
{
	struct window *window = context;
	struct text name = { 0 }, text = { 0 };

	window->is_foreign = true;
	if (member_is_sealed(session_member(window->session, 0))) {
		window_notice(window,
			"what is said here is sealed with a secret that you "
			"do not have: qchat-invite(1)");
		return;
	}
	text_harmless(&name, room, TEXT_NAME);
	text_appendf(&text,
		_("NO SECRET: what others say here is sealed with a secret "
		  "that you do not have, and what you say would go in the "
		  "clear (somebody who has it invites with qchat-invite -r %s "
		  "YOUR-CERTIFICATE, and you accept it with qchat-invite "
		  "--accept FILE)"),
		name.bytes);
	window_notice(window, text.bytes);
	text_free(&name);
	text_free(&text);
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct window *window = context;
	struct text line = { 0 };

	if (!window->chat->running) {
		cli_warn_changed(&window->chat->cli, user, seen, fingerprint);
		return;
	}
	text_harmless(&line, user, TEXT_NAME);
	text_appendf(&line,
		_(": SIGNED WITH ANOTHER CERTIFICATE, %s; this name was first "
		  "seen with %s (if that is right: \\pin, while it is in the "
		  "room)"),
		fingerprint, seen);
	window_notice(window, line.bytes);
	text_free(&line);
}

static void
on_trouble(void *context, const char *what)
{
	struct window *window = context;

	if (window->chat->running)
		window_notice(window, what);
	else
		cli_warn(&window->chat->cli, "%s", what);
}

static void
on_receipt(void *context, int64_t number, const struct trust *trust)
{
	struct window *window = context;

	direct_receipt(window->direct, number, trust);
}

/* Of a direct message. */
static void
on_arrived(void *context, int64_t id)
{
	struct window *window = context;
	struct line *line = window_own(window, LINE_DIRECT, id);

	if (line != NULL) {
		line->state = LINE_SAID;
		line->mark = TRUST_GOOD;
	}
	window->chat->changed = true;
}

static void
on_failed(void *context, int64_t id, const char *user)
{
	struct window *window = context;
	struct line *line = window_own(window, LINE_DIRECT, id);
	struct text text = { 0 };

	fail_line(window, line);
	text_append_string(&text, _("NOT DELIVERED: no receipt came from "));
	text_harmless(&text, span_of(user), TEXT_NAME);
	text_append_string(&text, _("; \\r says it again"));
	window_notice(window, text.bytes);
	text_free(&text);
}

struct session *
window_listen(struct window *window, struct fault *fault)
{
	const struct session_calls calls = {
		.context = window,
		.deliver = on_deliver,
		.unproved = on_unproved,
		.link = on_link,
		.ignored = on_ignored,
		.changed = on_changed,
		.trouble = on_trouble,
		.foreign = on_foreign,
		.clock = on_clock,
		.receipt = on_receipt,
	};
	const struct session_config config = {
		.room = window->room,
		.app = window->chat->cli.tool->name,
		.participant = true,
		.show_own = true,
		.catch_up_records = CHAT_CATCH_UP,
		.proof_ms = CHAT_PROOF_MS,
	};

	return session_open(&window->chat->conf, &config, &calls, fault);
}

struct direct_calls
window_direct_calls(struct window *window)
{
	return (struct direct_calls){ window, on_arrived, on_failed };
}
