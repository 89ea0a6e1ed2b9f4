/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include "destination.h"
#include "memory.h"
#include "record.h"
#include "spool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 64, /* messages on their way */
	BATCH = 256, /* messages that are written down at once */
	HOUR_MS = 60 * 60 * 1000,
};

struct queue {
	struct spool *spool;
	char *path;
	const struct conf *conf;
	struct destination *destination; /* that of conf, once it is needed */
};

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

struct queue *
queue_open(const struct conf *conf)
{
	struct queue *queue = memory_alloc(1, sizeof(*queue));
	struct spool_limits limits = { 0 };
	char *state = conf_state_dir();

	queue->conf = conf;
	if (conf != NULL) {
		limits.bytes = conf->limits.spool_bytes;
		limits.count = conf->limits.spool_messages;
		limits.age_ms = conf->limits.spool_hours * HOUR_MS;
	}
	queue->path = memory_format("%s/spool", state);
	queue->spool = spool_open(queue->path, limits);
	free(state);
	return queue;
}

void
queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	spool_free(queue->spool);
	destination_free(queue->destination);
	free(queue->path);
	free(queue);
}

static int
find_destination(struct queue *queue, struct fault *fault)
{
	if (queue->destination == NULL)
		queue->destination = destination_open(queue->conf, fault);
	return queue->destination != NULL ? 0 : -1;
}

int
queue_keep(struct queue *queue, struct member *member, const char *user,
	size_t *kept, struct fault *fault)
{
	struct spool_message messages[BATCH];
	int rc = find_destination(queue, fault);

	while (rc == 0 && member_unproved(member) > 0) {
		size_t count = 0, added;

		for (; count < BATCH && count < member_unproved(member);
			count++) {
			struct member_kept post = member_unproved_at(member,
				count);

			messages[count] = (struct spool_message){
				.time_ms = post.ms,
				.room = span_of(member_room(member)),
				.user = span_of(user),
				.brokers = destination_brokers(
					queue->destination),
				.authorities = destination_authorities(
					queue->destination),
				.uid = span_of(post.uid),
				.unconfirmed = post.unconfirmed,
				.first = post.first,
				.last = post.last,
				.envelope = post.envelope,
			};
		}
		rc = spool_add(queue->spool, messages, count, &added, fault);
		for (size_t i = 0; i < added; i++) {
			*kept += (size_t)(messages[i].last - messages[i].first +
				1);
			member_drop_first(member);
		}
	}
	return rc;
}

bool
queue_waits(const struct queue *queue)
{
	struct spool_counts counts;
	struct fault fault;

	return spool_count(queue->spool, &counts, &fault) == 0 &&
		counts.waiting > 0;
}

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

static enum destination_fit
fit_of(const struct queue *queue, const struct spool_entry *entry)
{
	return destination_compare(queue->destination, entry->message.brokers,
		entry->message.authorities);
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
			fit_of(flush->queue, &list->entries[i]) !=
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
	if (find_destination(queue, fault) < 0)
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

/* " other-fabric BROKER" if it is not for that of the settings; " other-ca
 * BROKER" if the broker is the same. */
static void
append_elsewhere(struct text *out, const struct queue *queue,
	const struct spool_entry *entry)
{
	struct span brokers = entry->message.brokers;
	enum destination_fit fit = fit_of(queue, entry);
	const char *end = memchr(brokers.bytes, ' ', brokers.len);

	if (fit == DESTINATION_SAME)
		return;
	if (end != NULL)
		brokers.len = (size_t)(end - brokers.bytes);
	text_append_string(out,
		fit == DESTINATION_OTHER_BROKERS ? " other-fabric "
						 : " other-ca ");
	text_harmless(out, brokers, TEXT_NAME);
}

static void
append_entry(struct text *out, const struct queue *queue,
	const struct spool_entry *entry)
{
	const struct spool_message *message = &entry->message;

	if (entry->state == SPOOL_DAMAGED) {
		text_append_string(out, "- - - - ");
		text_append_string(out, message->name);
		text_append_string(out, " damaged\n");
		return;
	}
	text_append_time(out, message->time_ms);
	text_append_char(out, ' ');
	text_harmless(out, message->room, TEXT_NAME);
	text_append_char(out, ' ');
	text_harmless(out, message->user, TEXT_NAME);
	text_appendf(out, " %" PRId64 " %s%s", entry->size, message->name,
		entry->state == SPOOL_EXPIRED ? " expired" : "");
	if (queue->destination != NULL)
		append_elsewhere(out, queue, entry);
	text_append_char(out, '\n');
}

static void
append_json(struct text *out, const struct queue *queue,
	const struct spool_entry *entry)
{
	const struct spool_message *message = &entry->message;
	const struct record_waiting waiting = {
		.file = span_of(message->name),
		.state = entry->state == SPOOL_DAMAGED  ? "damaged"
			: entry->state == SPOOL_EXPIRED ? "expired"
							: "waiting",
		.is_known = entry->state != SPOOL_DAMAGED,
		.time = message->time_ms,
		.room = message->room,
		.user = message->user,
		.uid = message->uid,
		.first = message->first,
		.last = message->last,
		.size = entry->size,
		.brokers = message->brokers,
		.authorities = message->authorities,
		.is_compared = queue->destination != NULL,
		.is_here = queue->destination != NULL &&
			entry->state != SPOOL_DAMAGED &&
			fit_of(queue, entry) == DESTINATION_SAME,
	};

	record_waiting_json(&waiting, out);
}

int
queue_list(struct queue *queue, const struct cli *cli, bool json,
	struct fault *fault)
{
	struct spool_list list;
	struct spool_counts counts;
	struct fault own = { 0 };
	struct text out = { 0 };

	if (queue->conf != NULL && find_destination(queue, &own) < 0)
		cli_say(cli, "%s", own.text);
	if (spool_count(queue->spool, &counts, fault) < 0 ||
		spool_list(queue->spool, session_now().wall, &list, fault) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++)
		(json ? append_json : append_entry)(&out, queue,
			&list.entries[i]);
	int rc = cli_output((struct span){ out.bytes, out.len }, fault);
	if (counts.expired + counts.bad > 0)
		cli_say(cli,
			"%s: set aside there: %" PRId64 " expired, %" PRId64
			" damaged (delete what is of no use)",
			queue->path, counts.expired, counts.bad);
	text_free(&out);
	spool_list_free(&list);
	return rc < 0 ? -1 : 0;
}
