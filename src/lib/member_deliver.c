/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "translate.h"

#include <assert.h>
#include <string.h>

enum {
	CLOCKS_MS = 10 * 1000, /* that those of two machines may differ */
};

bool
member_is_own(const struct member *member, const struct room_message *message)
{
	return span_equal(message->uid, span_of(member->uid));
}

int64_t
member_time_of(const struct room_message *message, struct instant now)
{
	if (message->ms >= 0)
		return message->ms;
	if (message->time >= 0 && message->time <= ROOM_NUMBER_MAX / 1000)
		return message->time * 1000;
	return now.wall;
}

struct record
member_record(const struct member *member, const struct room_message *message,
	enum record_type type, struct instant now)
{
	return (struct record){
		.type = type,
		.own = member_is_own(member, message),
		.time = member_time_of(message, now),
		.received = now.wall,
		.room = span_of(member->room),
		.sealed = member->sealed,
		.user = message->user,
		.uid = message->uid,
		.seq = -1,
		.since = -1,
		.idle = -1,
		.said = -1,
	};
}

void
member_deliver(struct member *member, const struct record *record)
{
	member->calls.deliver(member->calls.context, record);
}

/* Which of a message's records are handed out, and as what. */
struct wanted {
	int64_t from, last;
	bool replayed, late;
};

/* Signed before we came, as far as clocks agree: somebody may say again what he
 * has recorded. */
static bool
is_older(const struct member *member, const struct trust *trust)
{
	return trust->sent >= 0 && trust->sent < member->came - CLOCKS_MS;
}

/* Hands out the wanted records of a message: one, or one for each line of a
 * block. */
static void
deliver_wanted(struct member *member, const struct room_message *message,
	const struct trust *trust, struct wanted wanted, struct instant now)
{
	struct record record = member_record(member, message, RECORD_MESSAGE,
		now);
	record.own = trust == &member->own || member_is_own(member, message);
	record.replayed = wanted.replayed ||
		(!member->restored && is_older(member, trust));
	record.late = wanted.late;
	record.trust = *trust;
	struct span left = message->text;
	int64_t lines = message->lines > 0 ? message->lines : 1;
	uint64_t before = member->counts.messages;

	record.severity = message->severity;
	record.title = message->title;
	record.tags = message->tags;
	record.tag_count = message->tag_count;
	record.seq = message->seq;
	for (int64_t i = 0; i < lines; i++) {
		const char *end = i + 1 < lines
			? memchr(left.bytes, '\n', left.len)
			: NULL;
		size_t len = end != NULL ? (size_t)(end - left.bytes)
					 : left.len;

		record.text = (struct span){ left.bytes, len };
		if (message->seq < 0 ||
			(record.seq >= wanted.from &&
				record.seq <= wanted.last)) {
			member->counts.messages++;
			member_deliver(member, &record);
		}
		if (message->seq >= 0)
			record.seq++;
		if (end == NULL)
			break;
		left.bytes += len + 1;
		left.len -= len + 1;
	}
	roster_count_messages(member->roster, message->uid,
		member->counts.messages - before);
	if (member->counts.first_time == 0)
		member->counts.first_time = record.time;
	member->counts.last_time = record.time;
}

/* The same for all from a number on. */
void
member_deliver_message(struct member *member,
	const struct room_message *message, const struct trust *trust,
	int64_t from, bool replayed, struct instant now)
{
	deliver_wanted(member, message, trust,
		(struct wanted){ from, INT64_MAX, replayed, false }, now);
}

void
member_deliver_own(struct member *member, struct span payload,
	struct instant now)
{
	struct room_message message;
	struct fault fault;

	int rc = room_parse(&message, payload, &fault);
	assert(rc == 0);
	(void)rc;
	member_deliver_message(member, &message, &member->own, 0, false, now);
	room_message_free(&message);
}

/* Presence is told in whole seconds; who has just come says since when, too. */
static int64_t
arrival_time(const struct room_message *message, struct instant now)
{
	int64_t time = member_time_of(message, now);

	return message->since >= 0 && message->since / 1000 == time / 1000
		? message->since
		: time;
}

/* Presence of somebody whom the roster did not have is an entry; before our
 * question has been answered by all, it is one who was here already. */
void
member_deliver_arrival(struct member *member,
	const struct room_message *message, const struct trust *trust,
	bool answer, struct instant now)
{
	bool older = message->since >= 0 && message->since < member->since;
	bool here = answer || older ||
		(message->app.len == 0 && now.mono <= member->asked_until);
	struct record record = member_record(member, message,
		here ? RECORD_HERE : RECORD_JOIN, now);

	record.time = arrival_time(message, now);
	record.trust = *trust;
	record.app = message->app;
	record.inbox = message->inbox;
	record.since = message->since;
	record.idle = message->idle;
	record.said = message->last;
	member_deliver(member, &record);
}

int64_t
member_last_number(const struct room_message *message)
{
	return message->seq + (message->lines > 0 ? message->lines - 1 : 0);
}

/* Did this sender begin when we were here already, so that we miss whatever
 * we have not heard of it? */
bool
member_is_younger(const struct member *member, int64_t since)
{
	return since > member->came;
}

/* The same for what is as fresh as its signature: how long the sender was there
 * then, and we now, are told by one clock each. */
bool
member_is_younger_now(const struct member *member,
	const struct room_message *message, const struct trust *trust,
	struct instant now)
{
	if (message->since < 0 || trust->sent < 0 || member->is_reading_kept ||
		(member->durable && !member->present))
		return member_is_younger(member, message->since);
	return trust->sent - message->since < now.wall - member->came;
}

/* Reads a kept message; false if there is none with that number any more. */
static bool
read_kept(struct member *member, struct span uid, int64_t number,
	struct text *envelope, struct dxl_message *event,
	struct room_message *message)
{
	struct fault fault;

	if (!store_read(member->store, uid, number, envelope) ||
		dxl_parse(event,
			(struct span){ envelope->bytes, envelope->len },
			&fault) < 0)
		return false;
	if (room_parse(message, event->payload, &fault) == 0)
		return true;
	dxl_message_free(event);
	return false;
}

/* What was held and fell out of the store is missing again, up to the next
 * that is there. */
static void
drop_held(struct member *member, struct span uid, int64_t number)
{
	struct store_item item;
	int64_t until = INT64_MAX;

	if (store_next(member->store, uid, number + 1, &item))
		until = item.first > number ? item.first : number + 1;
	sequence_drop(member->sequence, uid, number, until);
}

int64_t
member_deliver_held(struct member *member, struct span uid, struct instant now)
{
	struct text envelope = { 0 };
	struct dxl_message event;
	struct room_message message;
	struct trust trust;
	int64_t number, dropped = 0;

	while ((number = sequence_ready(member->sequence, uid)) > 0) {
		if (!read_kept(member, uid, number, &envelope, &event,
			    &message)) {
			drop_held(member, uid, number);
			if (dropped == 0)
				dropped = number;
			continue;
		}
		member_judge(member, &message, &event, PLACE_ROOM, MEMBER_KEPT,
			now, &trust);
		member_deliver_message(member, &message, &trust, number,
			member->replays && !member->restored &&
				member_time_of(&message, now) < member->came,
			now);
		sequence_deliver(member->sequence, uid,
			member_last_number(&message));
		room_message_free(&message);
		dxl_message_free(&event);
	}
	text_free(&envelope);
	return dropped;
}

/* It is the first time that this message is here. */
static void
keep(struct member *member, const struct room_message *message,
	struct span envelope, struct instant now)
{
	int64_t last = member_last_number(message),
		ms = member_time_of(message, now);

	store_put(member->store, message->uid, message->seq, last, ms,
		envelope);
	heads_note(member->heads, message->uid, message->seq, last, ms,
		message->since, now.wall);
	sequence_set_sender(member->sequence, message->uid,
		message->once ? span_of("") : message->user, message->inbox);
	member_plan_heads(member, now);
}

bool
member_is_other(struct member *member, const struct room_message *message,
	struct span payload)
{
	struct text kept = { 0 };
	struct dxl_message old;
	struct fault fault;
	bool other = false;

	if (store_read(member->store, message->uid, message->seq, &kept) &&
		dxl_parse(&old, (struct span){ kept.bytes, kept.len },
			&fault) == 0) {
		other = !span_equal(old.payload, payload);
		dxl_message_free(&old);
	}
	text_free(&kept);
	return other;
}

static void
hear_double(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	struct trust bad = *trust;
	struct dxl_message event;
	struct fault fault;

	member->counts.doubles++;
	if (!member_judges(member) || dxl_parse(&event, envelope, &fault) < 0)
		return;
	if (member_is_other(member, message, event.payload)) {
		bad.mark = TRUST_BAD;
		bad.why = N_("another message had its number");
		member_hear_forged(member, message, &bad, PLACE_ROOM, now);
	}
	dxl_message_free(&event);
}

/* What was told to be missing is here after all.  False if it was not. */
static bool
take_late(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, bool replayed,
	struct instant now)
{
	struct room_range lost;
	bool found = false;

	while (sequence_find_lost(member->sequence, message->uid, message->seq,
		member_last_number(message), &lost)) {
		sequence_remove_lost(member->sequence, message->uid, lost);
		if (!found)
			keep(member, message, envelope, now);
		found = true;
		deliver_wanted(member, message, trust,
			(struct wanted){ lost.first, lost.last, replayed,
				true },
			now);
	}
	return found;
}

/* Does its sender say that it had given this up? */
static bool
is_said_again(struct span envelope)
{
	struct dxl_message event;
	struct fault fault;

	if (dxl_parse(&event, envelope, &fault) < 0)
		return false;
	bool is_again = dxl_field(&event, ROOM_AGAIN_FIELD).len > 0;
	dxl_message_free(&event);
	return is_again;
}

/* It has said more meanwhile, which was the first of it for who came then. */
static bool
take_early(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	struct room_range early = { message->seq, member_last_number(message) };

	/* What was signed before we came is somebody else's repetition. */
	if ((trust->sent >= 0 && trust->sent < member->came) ||
		!is_said_again(envelope) ||
		!sequence_take_early(member->sequence, message->uid, &early))
		return false;
	keep(member, message, envelope, now);
	deliver_wanted(member, message, trust,
		(struct wanted){ early.first, early.last, false, true }, now);
	return true;
}

void
member_accept(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, int64_t from,
	bool replayed, enum member_age age, struct instant now)
{
	bool younger = age == MEMBER_LIVE
		? member_is_younger_now(member, message, trust, now)
		: member_is_younger(member, message->since);
	struct room_range shown;
	int64_t first;

	if (from > message->seq)
		sequence_skip_to(member->sequence, message->uid, from);
	if (sequence_jump(member->sequence, message->uid, message->seq,
		    &shown)) {
		member_give_up(member, message->uid, shown.first - 1, now);
		sequence_restore(member->sequence, message->uid, shown.last);
	}
	switch (sequence_take(member->sequence, message->uid, message->seq,
		member_last_number(message), !replayed && younger, &first)) {
	case SEQUENCE_OLD:
		if (take_late(member, message, trust, envelope, replayed, now))
			return;
		if (age == MEMBER_LIVE && !replayed &&
			take_early(member, message, trust, envelope, now))
			return;
		hear_double(member, message, trust, envelope, now);
		return;
	case SEQUENCE_NEXT:
		keep(member, message, envelope, now);
		member_deliver_message(member, message, trust, first, replayed,
			now);
		member_deliver_held(member, message->uid, now);
		break;
	case SEQUENCE_HELD:
		keep(member, message, envelope, now);
		break;
	case SEQUENCE_LOST:
		break;
	}
	member_plan_repair(member, message->uid, now);
}
