/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"
#include "queue_state.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WINDOW = 64 }; /* messages on their way */

/* A flush. */
struct flush {
	const struct queue *queue;
	const struct cli *cli;
	struct session *session;
	struct spool_list list;
	size_t next;       /* the first that was not looked at */
	size_t on_way;     /* said and not proved */
	size_t sent;       /* and proved */
	size_t refused;    /* no echo: they stay */
	size_t elsewhere;  /* for other fabrics: left alone */
	bool stuck;        /* a message could not be removed */
	int64_t down_mono; /* since when there is no connection */
	struct fault *fault;
};

static const struct spool_message *
find_on_way(const struct flush *flush, const char *uid, int64_t first)
{
	for (size_t i = 0; i < flush->next; i++) {
		const struct spool_message *message = &flush->list.entries[i]
							       .message;

		if (message->first == first &&
			span_equal(message->uid, span_of(uid)))
			return message;
	}
	return NULL;
}

static void
on_resent(void *context, const char *uid, int64_t first, bool proved)
{
	struct flush *flush = context;
	const struct spool_message *message = find_on_way(flush, uid, first);
	struct fault fault = { 0 };

	if (message == NULL)
		return;
	flush->on_way--;
	if (!proved) {
		flush->refused++;
		cli_warn(flush->cli, "%s: %s; it stays in the spool",
			message->name,
			message->unconfirmed ? "not acknowledged" : "no echo");
		return;
	}
	flush->sent++;
	if (spool_remove(flush->queue->spool, message->name, &fault) < 0) {
		/* It would be sent again, and dropped as a double. */
		cli_warn(flush->cli, "%s", fault.text);
		flush->stuck = true;
	}
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct flush *flush = context;

	if (link == SESSION_UP) {
		flush->down_mono = INT64_MAX;
		return;
	}
	if (flush->down_mono == INT64_MAX)
		flush->down_mono = session_now().mono;
	if (link == SESSION_CONNECTING && flush->fault->kind == FAULT_NONE)
		*flush->fault = *why;
	else if (link != SESSION_CONNECTING)
		cli_trace(flush->cli, "%s", why->text);
}

static void
set_aside(struct flush *flush, const char *name, enum spool_state why,
	const char *reason)
{
	struct fault fault = { 0 };
	const char *ending = why == SPOOL_EXPIRED ? "expired" : "bad";

	if (spool_set_aside(flush->queue->spool, name, why, &fault) < 0)
		cli_warn(flush->cli, "%s", fault.text);
	else
		cli_warn(flush->cli,
			"%s/%s: is not sent: %s; it is kept there as %s.%s",
			flush->queue->path, name, reason, name, ending);
}

/* Says a message of the spool again. */
static void
send_entry(struct flush *flush, const struct spool_entry *listed)
{
	struct spool_entry entry;
	struct fault fault = { 0 };
	const char *name = listed->message.name;

	if (listed->state == SPOOL_EXPIRED) {
		set_aside(flush, name, SPOOL_EXPIRED,
			"it is too old (spool_hours)");
		return;
	}
	if (spool_read(flush->queue->spool, name, session_now().wall, &entry,
		    &fault) < 0) {
		if (fault.kind == FAULT_DATA)
			set_aside(flush, name, SPOOL_DAMAGED, fault.text);
		else if (fault.kind != FAULT_NOINPUT)
			cli_warn(flush->cli, "%s", fault.text);
		return;
	}
	char *room = memory_copy(entry.message.room.bytes,
		entry.message.room.len);
	struct member *member = session_room(flush->session, room,
		!entry.message.unconfirmed, &fault);
	if (member != NULL &&
		member_resend(member, entry.message.envelope,
			entry.message.unconfirmed, session_now(), &fault) == 0)
		flush->on_way++;
	else
		set_aside(flush, name, SPOOL_DAMAGED, fault.text);
	free(room);
	spool_entry_free(&entry);
}

/* Takes what is for other fabrics out of the list.  Whether that is too old is
 * for their settings to say. */
static void
leave_elsewhere(struct flush *flush)
{
	struct spool_list *list = &flush->list;
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->entries[i].state != SPOOL_DAMAGED &&
			queue_fit_of(flush->queue, &list->entries[i]) !=
				DESTINATION_SAME) {
			spool_entry_free(&list->entries[i]);
			flush->elsewhere++;
		} else {
			list->entries[count++] = list->entries[i];
		}
	}
	list->count = count;
}

static int
connect(struct flush *flush, const struct conf *conf)
{
	const struct session_calls calls = {
		.context = flush,
		.resent = on_resent,
		.link = on_link,
	};
	char *room = NULL;

	for (size_t i = 0; i < flush->list.count && room == NULL; i++) {
		const struct spool_entry *entry = &flush->list.entries[i];

		if (entry->state == SPOOL_WAITING)
			room = memory_copy(entry->message.room.bytes,
				entry->message.room.len);
	}
	const struct session_config config = {
		/* With nothing but what is set aside, any room does. */
		.room = room != NULL ? room : "spool",
		.app = flush->cli->tool->name,
		.unheard = true,
		.proof_ms = flush->cli->timeout_ms,
	};
	flush->session = session_open(conf, &config, &calls, flush->fault);
	free(room);
	return flush->session != NULL ? 0 : -1;
}

static bool
is_over(struct flush *flush)
{
	if (flush->fault->kind != FAULT_NONE || flush->stuck)
		return true;
	if (cli_ended != 0)
		fault_set(flush->fault, FAULT_UNAVAILABLE, "interrupted");
	else if (flush->down_mono != INT64_MAX &&
		session_now().mono - flush->down_mono >= flush->cli->timeout_ms)
		fault_set(flush->fault, FAULT_UNAVAILABLE,
			"%s: no connection within %g s",
			session_peer(flush->session),
			(double)flush->cli->timeout_ms / 1000);
	return flush->fault->kind != FAULT_NONE ||
		(flush->next == flush->list.count && flush->on_way == 0);
}

static void
send_all(struct flush *flush, const sigset_t *during)
{
	flush->down_mono = session_now().mono;
	while (!is_over(flush)) {
		while (flush->next < flush->list.count &&
			flush->on_way < WINDOW)
			send_entry(flush, &flush->list.entries[flush->next++]);
		if (flush->next == flush->list.count && flush->on_way == 0)
			break;
		int64_t until = flush->down_mono == INT64_MAX
			? INT64_MAX
			: flush->down_mono + flush->cli->timeout_ms;
		if (session_wait(&flush->session, 1, NULL, 0, until, during,
			    flush->fault) < 0)
			break;
	}
	session_close(&flush->session, 1);
}

/* What the end of a flush means for who asked for it. */
static enum queue_flushed
judge(struct flush *flush)
{
	struct fault why = *flush->fault;
	struct spool_counts counts = { 0 };

	spool_count(flush->queue->spool, &counts, flush->fault);
	*flush->fault = why;
	if (why.kind == FAULT_UNAVAILABLE)
		fault_set(flush->fault, FAULT_TEMPFAIL,
			"%s; %" PRId64 " message%s in the spool", why.text,
			counts.waiting,
			counts.waiting == 1 ? " waits" : "s wait");
	else if (why.kind == FAULT_NONE && flush->refused > 0)
		fault_set(flush->fault, FAULT_NOPERM,
			"%zu message%s had no echo within %g s and %s in the "
			"spool: the fabric may not let this certificate write "
			"to the room, or read it (qchat-say --queue lists "
			"what waits)",
			flush->refused, flush->refused == 1 ? "" : "s",
			(double)flush->cli->timeout_ms / 1000,
			flush->refused == 1 ? "stays" : "stay");
	else if (why.kind == FAULT_NONE && flush->stuck)
		fault_set(flush->fault, FAULT_IO,
			"%s: what was sent cannot be removed",
			flush->queue->path);
	cli_trace(flush->cli, "%zu message%s of the spool %s sent", flush->sent,
		flush->sent == 1 ? "" : "s", flush->sent == 1 ? "is" : "are");
	if (flush->fault->kind != FAULT_NONE)
		return QUEUE_FLUSH_FAILED;
	if (flush->elsewhere == 0)
		return QUEUE_FLUSH_DONE;
	fault_set(flush->fault, FAULT_TEMPFAIL,
		"%zu message%s in the spool %s for another fabric than that of "
		"%s (qchat-say --queue tells which; --flush with its settings "
		"sends what is for it)",
		flush->elsewhere, flush->elsewhere == 1 ? "" : "s",
		flush->elsewhere == 1 ? "is" : "are", flush->queue->conf->file);
	return QUEUE_FLUSH_ELSEWHERE;
}

static enum queue_flushed
flush_list(struct flush *flush, const sigset_t *during)
{
	enum queue_flushed rc = QUEUE_FLUSH_FAILED;

	leave_elsewhere(flush);
	if (flush->list.count == 0)
		return judge(flush);
	if (flush->queue->conf->stopped) {
		fault_set(flush->fault, FAULT_UNAVAILABLE, CONF_STOPPED);
		return judge(flush);
	}
	if (connect(flush, flush->queue->conf) == 0) {
		send_all(flush, during);
		rc = judge(flush);
	}
	session_free(flush->session);
	return rc;
}

enum queue_flushed
queue_flush(struct queue *queue, const struct cli *cli, const sigset_t *during,
	struct fault *fault)
{
	struct flush flush = { .queue = queue, .cli = cli, .fault = fault };
	enum queue_flushed rc = QUEUE_FLUSH_FAILED;

	if (!queue_waits(queue))
		return QUEUE_FLUSH_DONE;
	if (queue_find_destination(queue, fault) < 0)
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
	if (spool_list(queue->spool, session_now().wall, &flush.list, fault) ==
		0) {
		rc = flush_list(&flush, during);
		spool_list_free(&flush.list);
	}
	spool_flush_end(queue->spool);
	return rc;
}
