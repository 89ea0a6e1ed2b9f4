/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct member *
member_new(const struct member_config *config, const struct member_calls *calls)
{
	struct member *member = memory_alloc(1, sizeof(*member));

	member->room = memory_string(config->room);
	member->topic = room_topic(config->room);
	member->user = memory_string(config->user);
	member->uid = memory_string(config->uid);
	member->inbox = memory_string(config->inbox);
	member->app = memory_string(config->app);
	member->participant = config->participant;
	member->once = config->once;
	member->unconfirmed = config->unconfirmed;
	member->proof_ms = config->proof_ms;
	member->random = config->seed;
	member->calls = *calls;
	member->spoke_mono = -1;
	member->ping_mono = member->here_mono = INT64_MAX;
	member->here_sent = INT64_MIN / 2;
	member->answers = answers_new();
	member->outbox = outbox_new();
	member->roster = roster_new(config->participants_max > 0
			? config->participants_max
			: ROSTER_MAX);
	member->sequence = sequence_new(SEQUENCE_SENDERS_MAX);
	return member;
}

void
member_free(struct member *member)
{
	if (member == NULL)
		return;
	answers_free(member->answers);
	outbox_free(member->outbox);
	roster_free(member->roster);
	sequence_free(member->sequence);
	free(member->room);
	free(member->topic);
	free(member->user);
	free(member->uid);
	free(member->inbox);
	free(member->app);
	free(member);
}

void
member_connected(struct member *member, const char *conn, struct instant now)
{
	assert(strlen(conn) <= ROOM_UID_MAX);
	strcpy(member->conn, conn);
	member->connected = true;
	if (member->since == 0)
		member->since = now.wall;
	/* First the posts: our presence says which number is the newest. */
	member_send_unproved(member);
	if (member->participant) {
		member_send_here_to_room(member, now);
		member_ask(member, MEMBER_WAIT_MS, now);
	}
}

void
member_up(struct member *member, struct instant now)
{
	member->up = true;
	member->progress_mono = now.mono;
}

void
member_disconnected(struct member *member)
{
	member->connected = member->up = false;
	member->ping_mono = member->here_mono = INT64_MAX;
}

void
member_leave(struct member *member, struct instant now)
{
	if (!member->connected || member->leaving)
		return;
	member->leaving = true;
	if (member->participant || member->last > 0)
		member_send_bye(member, now);
}

static void
forget_silent(struct member *member, struct instant now)
{
	struct roster_entry *entry;

	while ((entry = roster_expired(member->roster, now.mono)) != NULL) {
		struct record record = {
			.type = RECORD_LEAVE,
			.time = now.wall,
			.received = now.wall,
			.room = span_of(member->room),
			.user = span_of(entry->user),
			.uid = span_of(roster_uid(entry)),
			.seq = -1,
			.reason = "silence",
		};

		member->calls.deliver(member->calls.context, &record);
		roster_remove(member->roster, entry);
	}
}

/* When posts without an echo call for something (mono ms). */
static int64_t
proof_deadline(const struct member *member)
{
	if (!member->up || outbox_count(member->outbox) == 0)
		return INT64_MAX;
	return member->progress_mono + member->proof_ms / 2;
}

static void
give_up_first(struct member *member)
{
	struct outbox_post post = outbox_at(member->outbox, 0);
	struct room_message message;
	struct fault fault;

	int rc = room_parse(&message, post.payload, &fault);
	assert(rc == 0);
	(void)rc;
	member->calls.unproved(member->calls.context, post.first, post.last,
		message.text);
	room_message_free(&message);
	outbox_drop(member->outbox);
}

static void
await_proof(struct member *member, struct instant now)
{
	if (now.mono < proof_deadline(member))
		return;
	if (!member->retried) {
		member->retried = true;
		member->progress_mono = now.mono;
		member->calls.retry(member->calls.context);
		return;
	}
	while (outbox_count(member->outbox) > 0)
		give_up_first(member);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
member_deadline(const struct member *member)
{
	int64_t deadline = earlier(roster_deadline(member->roster),
		proof_deadline(member));

	if (!member->connected)
		return deadline;
	deadline = earlier(deadline, answers_deadline(member->answers));
	deadline = earlier(deadline, member->here_mono);
	if (member->participant)
		deadline = earlier(deadline, member->ping_mono);
	return deadline;
}

void
member_tick(struct member *member, struct instant now)
{
	const char *inbox;

	forget_silent(member, now);
	if (!member->connected || member->leaving)
		return;
	while ((inbox = answers_take(member->answers, now.mono)) != NULL)
		member_send_here(member, inbox, member->topic, now);
	if (now.mono >= member->here_mono ||
		(member->participant && now.mono >= member->ping_mono))
		member_send_here_to_room(member, now);
	await_proof(member, now);
}

size_t
member_unproved(const struct member *member)
{
	return outbox_count(member->outbox);
}

void
member_show_unproved(struct member *member, struct instant now)
{
	for (size_t i = 0; i < outbox_count(member->outbox); i++)
		member_deliver_own(member, outbox_at(member->outbox, i).payload,
			now);
}

void
member_drop_unproved(struct member *member)
{
	while (outbox_count(member->outbox) > 0)
		outbox_drop(member->outbox);
}

const char *
member_room(const struct member *member)
{
	return member->room;
}

const char *
member_topic(const struct member *member)
{
	return member->topic;
}

const char *
member_uid(const struct member *member)
{
	return member->uid;
}

bool
member_is_asked(const struct member *member)
{
	return member->asked;
}

bool
member_is_heard(const struct member *member)
{
	return roster_find(member->roster, span_of(member->uid)) != NULL;
}

const struct roster *
member_roster(const struct member *member)
{
	return member->roster;
}

const struct member_counts *
member_counts(const struct member *member)
{
	return &member->counts;
}

int64_t
member_known(const struct member *member)
{
	return member->known;
}
