/* SPDX-License-Identifier: Apache-2.0 */
#include "queue_state.h"

#include "memory.h"
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 256, /* messages that are written down at once */
	HOUR_MS = 60 * 60 * 1000,
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
	free(queue->user);
	free(queue->path);
	free(queue);
}

int
queue_find_destination(struct queue *queue, struct fault *fault)
{
	if (queue->destination == NULL)
		queue->destination = destination_open(queue->conf, fault);
	return queue->destination != NULL ? 0 : -1;
}

int
queue_find_user(struct queue *queue, struct fault *fault)
{
	if (queue->user == NULL)
		queue->user = session_find_user(queue->conf, fault);
	return queue->user != NULL ? 0 : -1;
}

int
queue_keep(struct queue *queue, struct member *member, const char *user,
	const sigset_t *during, size_t *kept, struct fault *fault)
{
	struct spool_message messages[BATCH];
	int rc = queue_find_destination(queue, fault);

	spool_let_through(queue->spool, during);

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
				.sealed = member_is_sealed(member),
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
queue_waits(const struct queue *queue, enum queue_extent extent)
{
	struct spool_counts counts;
	struct fault fault;

	return spool_count(queue->spool, &counts, &fault) == 0 &&
		counts.waiting > (extent == QUEUE_ALL ? 0 : counts.deferred);
}

enum destination_fit
queue_fit_of(const struct queue *queue, const struct spool_entry *entry)
{
	return destination_compare(queue->destination, entry->message.brokers,
		entry->message.authorities);
}

/* By the name alone: a certificate is renewed, and what waits is still theirs
 * who said it. */
bool
queue_is_own(const struct queue *queue, const struct spool_entry *entry)
{
	return span_equal(entry->message.user, span_of(queue->user));
}

/* " other-fabric BROKER" if it is not for that of the settings; " other-ca
 * BROKER" if the broker is the same. */
static void
append_elsewhere(struct text *out, const struct queue *queue,
	const struct spool_entry *entry)
{
	struct span brokers = entry->message.brokers;
	enum destination_fit fit = queue_fit_of(queue, entry);
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

static const char *
state_of(const struct spool_entry *entry)
{
	switch (entry->state) {
	case SPOOL_DAMAGED:
		return "damaged";
	case SPOOL_EXPIRED:
		return "expired";
	default:
		return entry->deferred ? "deferred" : "waiting";
	}
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
	text_appendf(out, " %" PRId64 " %s", entry->size, message->name);
	if (entry->state == SPOOL_EXPIRED || entry->deferred)
		text_appendf(out, " %s", state_of(entry));
	if (message->sealed)
		text_append_string(out, " sealed");
	if (queue->destination != NULL)
		append_elsewhere(out, queue, entry);
	if (queue->user != NULL && !queue_is_own(queue, entry))
		text_append_string(out, " other-user");
	text_append_char(out, '\n');
}

static void
append_json(struct text *out, const struct queue *queue,
	const struct spool_entry *entry)
{
	const struct spool_message *message = &entry->message;
	const struct record_waiting waiting = {
		.file = span_of(message->name),
		.state = state_of(entry),
		.is_known = entry->state != SPOOL_DAMAGED,
		.time = message->time_ms,
		.room = message->room,
		.user = message->user,
		.uid = message->uid,
		.first = message->first,
		.last = message->last,
		.size = entry->size,
		.sealed = message->sealed,
		.brokers = message->brokers,
		.authorities = message->authorities,
		.is_compared = queue->destination != NULL,
		.is_here = queue->destination != NULL &&
			entry->state != SPOOL_DAMAGED &&
			queue_fit_of(queue, entry) == DESTINATION_SAME,
		.is_user_compared = queue->user != NULL,
		.is_own = queue->user != NULL && queue_is_own(queue, entry),
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

	if (queue->conf != NULL && queue_find_destination(queue, &own) < 0)
		cli_say(cli, "%s", own.text);
	if (queue->conf != NULL && queue_find_user(queue, &own) < 0)
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
