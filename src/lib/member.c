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
	member->sealed = config->sealed;
	member->participant = config->participant;
	member->once = config->once;
	member->stream = config->stream;
	member->after_outage = config->after_outage;
	member->unconfirmed = config->unconfirmed;
	member->unacknowledged = config->unacknowledged;
	member->show_own = config->show_own;
	member->durable = config->durable;
	member->replays = config->durable || config->catch_up_records > 0 ||
		config->catch_up_since > 0;
	member->proof_ms = config->proof_ms;
	member->quotas = quota_complete(&config->quotas);
	member->random = config->seed;
	member->calls = *calls;
	if (config->x25519 != NULL)
		memcpy(member->x25519, config->x25519, sizeof(member->x25519));
	member->own.sent = -1;
	if (config->fingerprint != NULL) {
		member->own.mark = TRUST_GOOD;
		strcpy(member->own.fingerprint, config->fingerprint);
	}
	/* Who only says something looks at nobody. */
	if (calls->vouch != NULL && !config->once && !config->stream)
		member->owners = table_new(sizeof(struct member_owner),
			(size_t)member->quotas.senders);
	member->spoke_mono = -1;
	member->lost_mono = -1;
	member->ping_mono = member->here_mono = INT64_MAX;
	member->heads_mono = member->ask_mono = INT64_MAX;
	member->here_sent = member->legacy_mono = INT64_MIN / 2;
	member->catch_up.records = config->catch_up_records > 0
		? config->catch_up_records
		: -1;
	member->catch_up.since = config->catch_up_since;
	member->catch_up.first = config->catch_up_records > 0 ||
		config->catch_up_since > 0;
	member->answers = answers_new(ANSWERS_REST_MS);
	member->offered = answers_new(OFFER_REST_MS);
	member->repairs = repairs_new((size_t)member->quotas.repairs_waiting);
	member->store = store_new(config->store_bytes, config->store_count);
	member->heads = heads_new();
	member->outbox = outbox_new();
	member->given_up = outbox_new();
	member->directs = table_new(sizeof(struct member_direct), DIRECTS_MAX);
	member->roster = roster_new((size_t)member->quotas.participants);
	member->sequence = sequence_new((size_t)member->quotas.senders);
	return member;
}

void
member_free(struct member *member)
{
	if (member == NULL)
		return;
	answers_free(member->answers);
	answers_free(member->offered);
	repairs_free(member->repairs);
	store_free(member->store);
	heads_free(member->heads);
	member_free_pending(member);
	outbox_free(member->outbox);
	outbox_free(member->given_up);
	roster_free(member->roster);
	table_free(member->owners);
	table_free(member->directs);
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
	if (member->came == 0)
		member->came = now.wall;
	/* First the posts: our presence says which number is the newest. */
	member_publish_unproved(member);
	if (member->finished && member->stream)
		member_send_bye(member, now);
	if (member->participant) {
		member_send_here_to_room(member, now);
		member_ask(member, MEMBER_ENTER_WAIT_MS, now);
	}
}

void
member_up(struct member *member, struct instant now)
{
	member->up = true;
	member_await_others(member, now);
	member->up_mono = now.mono;
	member_begin_proof(member, now);
	member_plan_catch_up(member, now);
	if (member->stream && member->last > 0 && !member->finishing)
		member_plan_heads(member, now);
}

void
member_seal(struct member *member)
{
	member->sealed = true;
}

void
member_disconnected(struct member *member, struct instant now)
{
	member_lose_others(member, now);
	if (member->up)
		member->lost_wall = now.wall;
	member->connected = member->up = false;
	member->ping_mono = member->here_mono = member->heads_mono = INT64_MAX;
}

void
member_leave(struct member *member, struct instant now)
{
	if (!member->connected || member->leaving)
		return;
	member->leaving = true;
	if (member->participant || (member->last > 0 && !member->finished) ||
		(member->once && member->last > 0))
		member_send_bye(member, now);
}

static void
forget_silent(struct member *member, struct instant now)
{
	struct roster_entry *entry;

	if (member_is_crowd(member, now))
		return;
	while ((entry = roster_expired(member->roster, now.mono)) != NULL) {
		/* We are here, even if the fabric keeps us from hearing it. */
		if (strcmp(roster_uid(entry), member->uid) == 0) {
			roster_keep(member->roster, entry, now.mono);
			continue;
		}
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

static int64_t
forget_deadline(const struct member *member)
{
	/* In a crowd that is looked at with each tick. */
	return roster_count(member->roster) > MEMBER_PINGS_MAX
		? INT64_MAX
		: roster_deadline(member->roster);
}

int64_t
member_deadline(const struct member *member)
{
	int64_t deadline = forget_deadline(member);

	if (member->finishing && !member->finished &&
		outbox_count(member->outbox) == 0)
		return 0;
	if (member->finished && !member->leaving)
		deadline = member_earlier(deadline, member->linger_until);
	if (!member->connected || member->leaving)
		return deadline;
	deadline = member_earlier(deadline, member_proof_deadline(member));
	deadline = member_earlier(deadline, answers_deadline(member->answers));
	deadline = member_earlier(deadline, member->here_mono);
	deadline = member_earlier(deadline, member_repair_deadline(member));
	deadline = member_earlier(deadline, member->heads_mono);
	if (!member->participant)
		return deadline;
	deadline = member_earlier(deadline, member_catch_up_deadline(member));
	return member_earlier(deadline, member->ping_mono);
}

static void
tick_presence(struct member *member, struct instant now)
{
	const char *inbox;

	while ((inbox = answers_take(member->answers, now.mono)) != NULL)
		member_send_here(member, inbox, member->topic, now);
	if (!member->participant) {
		if (now.mono >= member->heads_mono)
			member_tell_last(member, now);
		return;
	}
	if (now.mono >= member->here_mono || now.mono >= member->ping_mono ||
		now.mono >= member->heads_mono)
		member_send_here_to_room(member, now);
}

void
member_tick(struct member *member, struct instant now)
{
	forget_silent(member, now);
	member_tick_finish(member, now);
	if (!member->connected || member->leaving)
		return;
	tick_presence(member, now);
	member_tick_repair(member, now);
	if (member->participant)
		member_tick_catch_up(member, now);
	member_await_proof(member, now);
}

size_t
member_unproved(const struct member *member)
{
	return outbox_count(member->outbox);
}

size_t
member_unproved_bytes(const struct member *member)
{
	return outbox_bytes(member->outbox);
}

static struct member_kept
kept_at(const struct outbox *outbox, size_t i)
{
	struct outbox_post post = outbox_at(outbox, i);

	return (struct member_kept){ post.uid, post.first, post.last, post.ms,
		post.unconfirmed, post.envelope };
}

struct member_kept
member_unproved_at(const struct member *member, size_t i)
{
	return kept_at(member->outbox, i);
}

size_t
member_given_up(const struct member *member)
{
	return outbox_count(member->given_up);
}

struct member_kept
member_given_up_at(const struct member *member, size_t i)
{
	return kept_at(member->given_up, i);
}

void
member_show_unproved(struct member *member, struct instant now)
{
	for (size_t i = 0; i < outbox_count(member->outbox); i++)
		member_deliver_own(member, outbox_at(member->outbox, i).payload,
			now);
}

void
member_drop_first(struct member *member)
{
	outbox_drop(member->outbox);
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

bool
member_is_sealed(const struct member *member)
{
	return member->sealed;
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

struct member_over
member_over(const struct member *member)
{
	struct member_over over = member->over;
	struct store_counts store = store_counts(member->store);

	over.participants = roster_displaced(member->roster);
	over.senders = sequence_displaced(member->sequence);
	if (member->owners != NULL)
		over.senders += table_displaced(member->owners);
	over.directs = table_displaced(member->directs);
	over.held = sequence_unheld(member->sequence);
	over.store_bytes = store.over_bytes;
	over.store_messages = store.over_count;
	return over;
}

int64_t
member_known(const struct member *member)
{
	return member->known;
}
