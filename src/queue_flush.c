/* SPDX-License-Identifier: Apache-2.0 */
#include "queue_flush.h"

#include "counts.h"
#include "memory.h"
#include "translate.h"

#include <stdlib.h>

enum {
	WINDOW = 64,        /* messages on their way */
	LOSSES_MAX = 2,     /* connections that a message may cost */
	UNSTEADY_TIMES = 4, /* of the timeout, without any proof */
	FRESH_TIMES = 2,    /* of the timeout, for a flush beside a post, … */
	FRESH_MAX_MS = 5000, /* … which is this at most */
};

static struct flush_item *
find_on_way(const struct flush *flush, const char *uid, int64_t first)
{
	for (size_t i = 0; i < flush->item_count; i++) {
		struct flush_item *item = &flush->items[i];

		if (item->state == FLUSH_ON_WAY &&
			item->entry->message.first == first &&
			span_equal(item->entry->message.uid, span_of(uid)))
			return item;
	}
	return NULL;
}

static void
on_resent(void *context, const char *uid, int64_t first, bool proved)
{
	struct flush *flush = context;
	struct flush_item *item = find_on_way(flush, uid, first);

	if (item == NULL)
		return;
	flush->on_way--;
	if (proved)
		flush_proved(flush, item);
	else
		flush_refused(flush, item,
			item->entry->message.unconfirmed ? _("not acknowledged")
							 : _("no echo"));
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct flush *flush = context;

	if (link == SESSION_UP) {
		flush->down_mono = INT64_MAX;
		flush->hold_mono = flush->after_outage
			? session_now().mono + MEMBER_RETURN_MS
			: 0;
		return;
	}
	if (flush->down_mono == INT64_MAX)
		flush->down_mono = session_now().mono;
	if (link == SESSION_CONNECTING) {
		queue_note_outage(flush->queue);
		if (flush->fault->kind == FAULT_NONE)
			*flush->fault = *why;
		return;
	}
	cli_trace(flush->cli, "%s", why->text);
	/* For want of an echo it was given up by ourselves. */
	if (why->kind == FAULT_TIMEOUT)
		return;
	flush->lost = flush->after_outage = true;
	flush->lost_why = *why;
	queue_note_outage(flush->queue);
}

/* Any room does: it is not heard, and nothing is said there. */
static int
connect(struct flush *flush)
{
	const struct session_calls calls = {
		.context = flush,
		.resent = on_resent,
		.link = on_link,
	};
	const struct session_config config = {
		.room = "spool",
		.app = flush->cli->tool->name,
		.unheard = true,
		.proof_ms = flush->timeout_ms,
	};

	flush->down_mono = session_now().mono;
	flush->session = session_open(flush->queue->conf, &config, &calls,
		flush->fault);
	return flush->session != NULL ? 0 : -1;
}

/* The member that says it again, or NULL with why there is none;
 * FAULT_TEMPFAIL: it was said under a secret that is gone, and is not for all
 * to read. */
static struct member *
member_of(struct flush *flush, const struct spool_message *message,
	struct fault *why)
{
	char *room = memory_copy(message->room.bytes, message->room.len);
	struct member *member = session_room(flush->session, room, false, why);

	if (member != NULL && message->sealed && !member_is_sealed(member)) {
		fault_set(why, FAULT_TEMPFAIL, "its room has no secret");
		member = NULL;
	} else if (member != NULL && !message->unconfirmed) {
		member = session_room(flush->session, room, true, why);
	}
	free(room);
	return member;
}

/* 0 if it is on its way; -1 with why it cannot be, as member_of(). */
static int
resend(struct flush *flush, const struct spool_message *message,
	struct fault *why)
{
	if (member_check_post(message->envelope, message->uid, message->first,
		    message->last, why) < 0)
		return -1;
	struct member *member = member_of(flush, message, why);
	return member != NULL
		? member_resend(member, message->envelope, message->unconfirmed,
			  session_now(), why)
		: -1;
}

static void
send_item(struct flush *flush, struct flush_item *item)
{
	const char *name = item->entry->message.name;
	struct spool_entry entry;
	struct fault fault = { 0 };

	item->state = FLUSH_LEFT;
	if (spool_read(flush->queue->spool, name, session_now().wall, &entry,
		    &fault) < 0) {
		flush_unsendable(flush, name, &fault);
		return;
	}
	if (resend(flush, &entry.message, &fault) == 0) {
		item->state = FLUSH_ON_WAY;
		flush->on_way++;
		flush->alone = item->losses > 0;
	} else if (fault.kind == FAULT_TEMPFAIL) {
		flush_withheld(flush, item);
	} else {
		flush_unsendable(flush, name, &fault);
	}
	spool_entry_free(&entry);
}

static struct flush_item *
next_waiting(struct flush *flush)
{
	while (flush->next < flush->item_count) {
		struct flush_item *item = &flush->items[flush->next];

		if (item->state == FLUSH_WAITS)
			return item;
		flush->next++;
	}
	return NULL;
}

/* Nothing is sent before the connection stands, and who lost theirs is back, so
 * that what it costs then is the fault of what is on its way.  What has cost
 * one goes alone, so that it is known which it was. */
static void
send_what_may(struct flush *flush)
{
	struct flush_item *item;

	while (session_link(flush->session) == SESSION_UP &&
		session_now().mono >= flush->hold_mono &&
		flush->on_way < WINDOW &&
		(item = next_waiting(flush)) != NULL) {
		if (flush->on_way > 0 && (flush->alone || item->losses > 0))
			return;
		send_item(flush, item);
	}
}

/* A connection was lost: takes back what was on its way, to be sent again. */
static int
recall(struct flush *flush)
{
	struct flush_item *costly = NULL;
	struct member *member;

	for (size_t i = 0; (member = session_member(flush->session, i)) != NULL;
		i++)
		member_drop_unproved(member);
	for (size_t i = 0; i < flush->item_count; i++) {
		struct flush_item *item = &flush->items[i];

		if (item->state != FLUSH_ON_WAY)
			continue;
		item->state = FLUSH_WAITS;
		if (++item->losses == LOSSES_MAX)
			costly = item;
	}
	flush->on_way = flush->next = 0;
	flush->alone = flush->lost = false;
	if (flush->unsteady_mono == INT64_MAX)
		flush->unsteady_mono = session_now().mono;
	bool refused = flush->lost_why.kind == FAULT_NOPERM;
	if (costly != NULL && refused)
		flush_refused(flush, costly, flush->lost_why.text);
	else if (costly != NULL)
		flush_costly(flush, costly);
	if (!refused)
		return 0;
	/* A session would ask for the same room again. */
	session_free(flush->session);
	return connect(flush);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
after(int64_t mono, int64_t ms)
{
	return mono == INT64_MAX ? INT64_MAX : mono + ms;
}

static void
check_time(struct flush *flush)
{
	int64_t timeout = flush->timeout_ms;
	int64_t now = session_now().mono;

	if (cli_ended != 0)
		fault_set(flush->fault, FAULT_UNAVAILABLE, "interrupted");
	else if (now >= after(flush->down_mono, timeout))
		fault_set(flush->fault, FAULT_UNAVAILABLE,
			"%s: no connection within %g s (-W gives it longer)",
			session_peer(flush->session), (double)timeout / 1000);
	else if (now >= after(flush->unsteady_mono, UNSTEADY_TIMES * timeout))
		fault_set(flush->fault, FAULT_UNAVAILABLE,
			"%s: one connection after the other was lost, and "
			"nothing was proved (the broker's log may tell why)",
			session_peer(flush->session));
	else if (now >= flush->end_mono)
		fault_set(flush->fault, FAULT_UNAVAILABLE,
			"what waits could not all be sent along within %g s "
			"(qchat-say --flush takes its time)",
			(double)(FRESH_TIMES * timeout) / 1000);
}

static bool
is_over(struct flush *flush)
{
	if (flush->fault->kind != FAULT_NONE || flush->stuck ||
		(flush->on_way == 0 && next_waiting(flush) == NULL))
		return true;
	check_time(flush);
	return flush->fault->kind != FAULT_NONE;
}

static int64_t
next_wake(const struct flush *flush)
{
	int64_t timeout = flush->timeout_ms;

	if (session_link(flush->session) == SESSION_UP &&
		session_now().mono < flush->hold_mono)
		return earlier(flush->hold_mono, flush->end_mono);
	return earlier(earlier(after(flush->down_mono, timeout),
			       after(flush->unsteady_mono,
				       UNSTEADY_TIMES * timeout)),
		flush->end_mono);
}

static void
send_all(struct flush *flush, const sigset_t *during)
{
	if (connect(flush) < 0)
		return;
	while (!is_over(flush)) {
		if (session_wait(&flush->session, 1, NULL, 0, next_wake(flush),
			    during, flush->fault) < 0)
			break;
		if (flush->lost && recall(flush) < 0)
			return;
		send_what_may(flush);
	}
	session_close(&flush->session, 1);
	cli_trace(flush->cli,
		ngettext("the certificate's key was used %lu time to sign",
			"the certificate's key was used %lu times to sign",
			session_key_operations(flush->session)),
		session_key_operations(flush->session));
	counts_trace(flush->cli, flush->session);
	session_free(flush->session);
}

/* Whether what is for another fabric is too old is for its settings to say. */
static bool
is_elsewhere(struct flush *flush, const struct spool_entry *entry)
{
	if (entry->state == SPOOL_DAMAGED ||
		queue_fit_of(flush->queue, entry) == DESTINATION_SAME)
		return false;
	if (flush->elsewhere++ == 0)
		flush->first_elsewhere = entry;
	return true;
}

/* Under our certificate it would take the name from who said it. */
static bool
is_of_another(struct flush *flush, const struct spool_entry *entry)
{
	if (entry->state == SPOOL_DAMAGED || queue_is_own(flush->queue, entry))
		return false;
	if (flush->others++ == 0)
		flush->first_other = entry;
	return true;
}

/* Is it to be sent?  What never can be is set aside. */
static bool
is_to_be_sent(struct flush *flush, const struct spool_entry *entry)
{
	const char *name = entry->message.name;
	struct spool_entry again;
	struct fault fault = { 0 };

	if (entry->state == SPOOL_WAITING)
		return true;
	if (entry->state == SPOOL_EXPIRED)
		flush_set_aside(flush, name, SPOOL_EXPIRED,
			_("it is too old (spool_hours)"));
	else if (spool_read(flush->queue->spool, name, session_now().wall,
			 &again, &fault) < 0)
		flush_unsendable(flush, name, &fault);
	else
		spool_entry_free(&again); /* the next flush sees it */
	return false;
}

/* Oldest first, and behind all others what was sent in vain. */
static void
choose_items(struct flush *flush)
{
	const struct spool_list *list = &flush->list;
	size_t count = 0;
	bool *is_chosen = memory_alloc(list->count, sizeof(*is_chosen));

	flush->items = memory_alloc(list->count, sizeof(*flush->items));
	for (size_t i = 0; i < list->count; i++)
		is_chosen[i] = !is_elsewhere(flush, &list->entries[i]) &&
			!is_of_another(flush, &list->entries[i]) &&
			(!list->entries[i].deferred ||
				flush->extent == QUEUE_ALL) &&
			is_to_be_sent(flush, &list->entries[i]);
	for (int deferred = 0; deferred < 2; deferred++)
		for (size_t i = 0; i < list->count; i++)
			if (is_chosen[i] &&
				list->entries[i].deferred == (deferred == 1))
				flush->items[count++].entry = &list->entries[i];
	flush->item_count = count;
	free(is_chosen);
}

static enum queue_flushed
flush_list(struct flush *flush, const sigset_t *during)
{
	choose_items(flush);
	if (flush->item_count > 0) {
		if (flush->queue->conf->stopped)
			fault_set(flush->fault, FAULT_UNAVAILABLE,
				CONF_STOPPED);
		else
			send_all(flush, during);
	}
	if (flush->after_outage && flush->sent > 0 &&
		flush->fault->kind == FAULT_NONE)
		queue_end_outage(flush->queue);
	enum queue_flushed rc = flush_judge(flush);
	free(flush->items);
	return rc;
}

/* A list may not hold all that waits. */
static enum queue_flushed
flush_lists(struct queue *queue, const struct cli *cli,
	enum queue_extent extent, const sigset_t *during, struct fault *fault)
{
	const bool fresh = extent == QUEUE_FRESH;
	const int64_t timeout_ms = fresh
		? earlier(cli->timeout_ms, FRESH_MAX_MS)
		: cli->timeout_ms;
	const int64_t end_mono = fresh
		? session_now().mono + FRESH_TIMES * timeout_ms
		: INT64_MAX;
	enum queue_flushed rc;
	bool again;

	do {
		struct flush flush = {
			.queue = queue,
			.cli = cli,
			.extent = extent,
			.timeout_ms = timeout_ms,
			.end_mono = end_mono,
			.down_mono = INT64_MAX,
			.unsteady_mono = INT64_MAX,
			.after_outage = queue_had_outage(queue),
			.fault = fault,
		};

		if (spool_list(queue->spool, session_now().wall, &flush.list,
			    fault) < 0)
			return QUEUE_FLUSH_FAILED;
		rc = flush_list(&flush, during);
		again = rc == QUEUE_FLUSH_DONE && flush.list.more &&
			flush.sent > 0;
		spool_list_free(&flush.list);
	} while (again);
	return rc;
}

enum queue_flushed
queue_flush(struct queue *queue, const struct cli *cli,
	enum queue_extent extent, const sigset_t *during, struct fault *fault)
{
	enum queue_flushed rc;

	if (!queue_waits(queue, extent))
		return QUEUE_FLUSH_DONE;
	if (queue_find_destination(queue, fault) < 0 ||
		queue_find_user(queue, fault) < 0)
		return QUEUE_FLUSH_FAILED;
	switch (spool_flush_begin(queue->spool, fault)) {
	case SPOOL_FLUSH_BUSY:
		fault_set(fault, FAULT_TEMPFAIL,
			"another qchat-say is sending what waits");
		return QUEUE_FLUSH_BUSY;
	case SPOOL_FLUSH_FAILED:
		return QUEUE_FLUSH_FAILED;
	case SPOOL_FLUSH_BEGUN:
		break;
	}
	rc = flush_lists(queue, cli, extent, during, fault);
	spool_flush_end(queue->spool);
	return rc;
}
