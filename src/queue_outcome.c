/* SPDX-License-Identifier: Apache-2.0 */
#include "queue_flush.h"

#include "translate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What becomes of each message of a flush, and of all. */

static const char stays[] = N_(
	"it stays in the spool, and only qchat-say --flush "
	"tries it again (delete the file to give it up)");

static const char *
name_of(const struct flush_item *item)
{
	return item->entry->message.name;
}

void
flush_proved(struct flush *flush, struct flush_item *item)
{
	struct fault fault = { 0 };

	item->state = FLUSH_PROVED;
	flush->sent++;
	flush->unsteady_mono = INT64_MAX;
	if (spool_remove(flush->queue->spool, name_of(item), &fault) < 0) {
		/* It would be sent again, and dropped as a double. */
		cli_warn(flush->cli, "%s", fault.text);
		flush->stuck = true;
	}
}

/* A later post is not to wait for it again. */
static void
leave(struct flush *flush, struct flush_item *item)
{
	struct fault fault = { 0 };

	item->state = FLUSH_LEFT;
	if (spool_defer(flush->queue->spool, name_of(item), &fault) < 0 &&
		fault.kind != FAULT_NOINPUT)
		cli_warn(flush->cli, "%s", fault.text);
}

/* If nothing of a room was proved, what waits for it would only take the same
 * time for the same answer. */
static void
leave_room(struct flush *flush, struct span room)
{
	size_t count = 0;

	for (size_t i = 0; i < flush->item_count; i++)
		if (flush->items[i].state == FLUSH_PROVED &&
			span_equal(flush->items[i].entry->message.room, room))
			return;
	for (size_t i = 0; i < flush->item_count; i++) {
		struct flush_item *item = &flush->items[i];

		if (item->state != FLUSH_WAITS ||
			!span_equal(item->entry->message.room, room))
			continue;
		leave(flush, item);
		count++;
	}
	flush->refused += count;
	if (count > 0)
		cli_warn(flush->cli,
			ngettext("%.*s: nothing came back, so %zu more message "
				 "for this room is not tried",
				"%.*s: nothing came back, so %zu more messages "
				"for this room are not tried",
				count),
			(int)room.len, room.bytes, count);
}

void
flush_refused(struct flush *flush, struct flush_item *item, const char *why)
{
	cli_warn(flush->cli, "%s/%s: %s; %s", flush->queue->path, name_of(item),
		why, _(stays));
	flush->refused++;
	leave(flush, item);
	leave_room(flush, item->entry->message.room);
}

void
flush_costly(struct flush *flush, struct flush_item *item)
{
	cli_warn(flush->cli,
		"%s/%s: the connection was lost each time this was sent: the "
		"broker may not take its %" PRId64 " bytes (its log tells); %s",
		flush->queue->path, name_of(item), item->entry->size, _(stays));
	flush->costly++;
	leave(flush, item);
}

void
flush_withheld(struct flush *flush, struct flush_item *item)
{
	struct span room = item->entry->message.room;

	cli_warn(flush->cli,
		"%s/%s: was said in the sealed room %.*s, and there is no "
		"secret of that room here now; it stays in the spool (accept "
		"an invitation to the room, then qchat-say --flush sends it; "
		"or delete the file to give it up)",
		flush->queue->path, name_of(item), (int)room.len, room.bytes);
	flush->withheld++;
	leave(flush, item);
}

void
flush_set_aside(struct flush *flush, const char *name, enum spool_state why,
	const char *reason)
{
	struct fault fault = { 0 };
	const char *ending = why == SPOOL_EXPIRED ? "expired" : "bad";

	flush->aside++;
	if (spool_set_aside(flush->queue->spool, name, why, &fault) < 0)
		cli_warn(flush->cli, "%s", fault.text);
	else
		cli_warn(flush->cli,
			"%s/%s: is not sent: %s; it is kept there with the "
			"ending .%s (delete it if it is of no use)",
			flush->queue->path, name, reason, ending);
}

void
flush_unsendable(struct flush *flush, const char *name, const struct fault *why)
{
	if (why->kind == FAULT_DATA || why->kind == FAULT_USAGE) {
		flush_set_aside(flush, name, SPOOL_DAMAGED, why->text);
	} else if (why->kind != FAULT_NOINPUT) {
		flush->unsendable++;
		cli_warn(flush->cli, "%s/%s: is not sent now: %s",
			flush->queue->path, name, why->text);
	}
}

/* The worst is the status and the last line; the others are said before. */
static void add_fault(struct flush *flush, enum fault_kind kind,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
add_fault(struct flush *flush, enum fault_kind kind, const char *format, ...)
{
	char text[FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), gettext(format), args);
	va_end(args);
	if (flush->fault->kind == FAULT_NONE)
		fault_set(flush->fault, kind, "%s", text);
	else
		cli_say(flush->cli, "%s", text);
}

/* What is not in the spool as it was promised. */
static void
judge_broken(struct flush *flush)
{
	if (flush->stuck)
		add_fault(flush, FAULT_IO,
			"%s: what was sent cannot be removed there, and would "
			"be sent again (the folder has to be this user's, and "
			"writable)",
			flush->queue->path);
	if (flush->aside > 0)
		add_fault(flush, FAULT_IO,
			ngettext("%s: %zu message was set aside there and "
				 "will not be sent",
				"%s: %zu messages were set aside there and "
				"will not be sent",
				flush->aside),
			flush->queue->path, flush->aside);
	if (flush->unsendable > 0)
		add_fault(flush, FAULT_IO,
			ngettext("%s: %zu message cannot be read or sent now "
				 "and stays there",
				"%s: %zu messages cannot be read or sent now "
				"and stay there",
				flush->unsendable),
			flush->queue->path, flush->unsendable);
}

/* What ended it before all was tried. */
static void
judge_end(struct flush *flush, const struct fault *why)
{
	struct spool_counts counts = { 0 };
	struct fault fault;

	if (why->kind == FAULT_NONE)
		return;
	if (why->kind != FAULT_UNAVAILABLE) {
		add_fault(flush, why->kind, "%s", why->text);
		return;
	}
	spool_count(flush->queue->spool, &counts, &fault);
	add_fault(flush, FAULT_TEMPFAIL,
		ngettext("%s; %" PRId64 " message waits in the spool",
			"%s; %" PRId64 " messages wait in the spool",
			(unsigned long)counts.waiting),
		why->text, counts.waiting);
}

static void
judge_rest(struct flush *flush)
{
	if (flush->refused > 0)
		add_fault(flush, FAULT_NOPERM,
			ngettext("%zu message had no echo and stays in the "
				 "spool: the fabric may not let this "
				 "certificate write to the room, or read it "
				 "(qchat-say --queue lists what waits)",
				"%zu messages had no echo and stay in the "
				"spool: the fabric may not let this "
				"certificate write to the room, or read it "
				"(qchat-say --queue lists what waits)",
				flush->refused),
			flush->refused);
	if (flush->costly > 0)
		add_fault(flush, FAULT_TEMPFAIL,
			ngettext("%zu message could not be sent and stays in "
				 "the spool: the broker ends the connection "
				 "(qchat-say --queue lists what waits)",
				"%zu messages could not be sent and stay in "
				"the spool: the broker ends the connection "
				"(qchat-say --queue lists what waits)",
				flush->costly),
			flush->costly);
	if (flush->withheld > 0)
		add_fault(flush, FAULT_TEMPFAIL,
			ngettext("%zu message was said in a sealed room and "
				 "stays in the spool: its secret is not here "
				 "any more (qchat-say --queue lists what "
				 "waits)",
				"%zu messages were said in a sealed room and "
				"stay in the spool: its secret is not here "
				"any more (qchat-say --queue lists what "
				"waits)",
				flush->withheld),
			flush->withheld);
}

static void
judge_elsewhere(struct flush *flush)
{
	add_fault(flush, FAULT_TEMPFAIL,
		ngettext("%zu message in the spool is for another fabric than "
			 "that of %s (qchat-say --queue lists it; --flush with "
			 "the settings of that fabric sends it; if it will not "
			 "come back, delete %s/%s)",
			"%zu messages in the spool are for another fabric than "
			"that of %s (qchat-say --queue lists them; --flush "
			"with the settings of that fabric sends them; if it "
			"will not come back, delete the files, the oldest is "
			"%s/%s)",
			flush->elsewhere),
		flush->elsewhere, flush->queue->conf->file, flush->queue->path,
		flush->first_elsewhere->message.name);
}

static void
judge_others(struct flush *flush)
{
	add_fault(flush, FAULT_TEMPFAIL,
		ngettext("%zu message in the spool was said under another name "
			 "than %s (qchat-say --queue lists it; --flush with "
			 "the settings of its name sends it; to give it up, "
			 "delete %s/%s)",
			"%zu messages in the spool were said under other names "
			"than %s (qchat-say --queue lists them; --flush with "
			"the settings of their names sends them; to give them "
			"up, delete the files, the oldest is %s/%s)",
			flush->others),
		flush->others, flush->queue->user, flush->queue->path,
		flush->first_other->message.name);
}

/* What other settings are for.  Beside a post one of both is traced. */
static void
judge_left_alone(struct flush *flush)
{
	if (flush->elsewhere > 0)
		judge_elsewhere(flush);
	if (flush->others > 0 &&
		(flush->elsewhere == 0 || flush->extent == QUEUE_ALL))
		judge_others(flush);
}

enum queue_flushed
flush_judge(struct flush *flush)
{
	struct fault why = *flush->fault;

	flush->fault->kind = FAULT_NONE;
	judge_broken(flush);
	judge_end(flush, &why);
	judge_rest(flush);
	cli_trace(flush->cli,
		ngettext("%zu message of the spool is sent",
			"%zu messages of the spool are sent", flush->sent),
		flush->sent);
	if (flush->fault->kind != FAULT_NONE) {
		if (flush->extent == QUEUE_ALL)
			judge_left_alone(flush);
		return QUEUE_FLUSH_FAILED;
	}
	if (flush->elsewhere == 0 && flush->others == 0)
		return QUEUE_FLUSH_DONE;
	judge_left_alone(flush);
	return QUEUE_FLUSH_ELSEWHERE;
}
