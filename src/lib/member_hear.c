/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "dxl.h"

#include <assert.h>
#include <string.h>

enum {
	ROOM_ANSWER_REST_MS = 1000,   /* between two "here" into the room */
	ROOM_ANSWER_SPREAD_MS = 1000, /* at most, for a legacy question */
};

/* Where a message came in. */
enum place { PLACE_ROOM, PLACE_INBOX, PLACE_LOBBY, PLACE_ELSEWHERE };

static bool
is_own(const struct member *member, const struct room_message *message)
{
	return span_equal(message->uid, span_of(member->uid));
}

static int64_t
time_of(const struct room_message *message, struct instant now)
{
	if (message->ms >= 0)
		return message->ms;
	if (message->time >= 0 && message->time <= ROOM_NUMBER_MAX / 1000)
		return message->time * 1000;
	return now.wall;
}

static struct record
record_of(const struct member *member, const struct room_message *message,
	enum record_type type, struct instant now)
{
	return (struct record){
		.type = type,
		.own = is_own(member, message),
		.time = time_of(message, now),
		.received = now.wall,
		.room = span_of(member->room),
		.user = message->user,
		.uid = message->uid,
		.seq = -1,
		.since = -1,
		.idle = -1,
		.said = -1,
	};
}

static void
deliver(struct member *member, const struct record *record)
{
	member->calls.deliver(member->calls.context, record);
}

/* Hands out the records of a message whose number is from or higher: one, or
 * one for each line of a block. */
static void
deliver_message(struct member *member, const struct room_message *message,
	int64_t from, struct instant now)
{
	struct record record = record_of(member, message, RECORD_MESSAGE, now);
	struct span left = message->text;
	int64_t lines = message->lines > 0 ? message->lines : 1;

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
		if (message->seq < 0 || record.seq >= from) {
			member->counts.messages++;
			deliver(member, &record);
		}
		if (message->seq >= 0)
			record.seq++;
		if (end == NULL)
			break;
		left.bytes += len + 1;
		left.len -= len + 1;
	}
	if (member->counts.first_time == 0)
		member->counts.first_time = record.time;
	member->counts.last_time = record.time;
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
	deliver_message(member, &message, 0, now);
	room_message_free(&message);
}

static void
deliver_gap(struct member *member, const struct room_message *message,
	const struct sequence_gap *gap, struct instant now)
{
	struct record record = record_of(member, message, RECORD_GAP, now);

	if (gap->last == 0)
		return;
	record.time = now.wall;
	record.gap_first = gap->first;
	record.gap_last = gap->last;
	member->counts.missing += (uint64_t)(gap->last - gap->first) + 1;
	deliver(member, &record);
}

/* Presence of somebody whom the roster did not have is an entry; before our
 * question has been answered by all, it is one who was here already. */
static void
deliver_arrival(struct member *member, const struct room_message *message,
	bool answer, struct instant now)
{
	bool older = message->since >= 0 && message->since < member->since;
	bool here = answer || older ||
		(message->app.len == 0 && now.mono <= member->asked_until);
	struct record record = record_of(member, message,
		here ? RECORD_HERE : RECORD_JOIN, now);

	record.app = message->app;
	record.since = message->since;
	record.idle = message->idle;
	record.said = message->last;
	deliver(member, &record);
}

static void
hear_own_message(struct member *member, const struct room_message *message,
	struct span payload, struct instant now)
{
	int64_t last = outbox_prove(member->outbox, message->seq, payload);
	bool made;

	if (last == 0) {
		member->counts.doubles++;
		return;
	}
	member->progress_mono = now.mono;
	member->retried = false;
	if (roster_find(member->roster, message->uid) != NULL)
		roster_hear(member->roster, message, now.mono, &made);
	deliver_message(member, message, 0, now);
	member->calls.proved(member->calls.context, message->seq, last);
}

static void
hear_message(struct member *member, const struct room_message *message,
	struct span payload, struct instant now)
{
	struct sequence_gap gap = { 0, 0 };
	int64_t from = 0;
	bool made = false;

	if (is_own(member, message)) {
		hear_own_message(member, message, payload, now);
		return;
	}
	if (message->uid.len > 0 && message->seq > 0) {
		int64_t lines = message->lines > 0 ? message->lines : 1;

		from = sequence_take(member->sequence, message->uid,
			message->seq, message->seq + lines - 1, &gap);
		if (from == 0) {
			member->counts.doubles++;
			return;
		}
	}
	/* A legacy peer is here when it talks; who numbers what it says tells
	 * by type 2 whether it is. */
	if (message->uid.len > 0 &&
		(message->seq < 0 ||
			roster_find(member->roster, message->uid) != NULL))
		roster_hear(member->roster, message, now.mono, &made);
	if (made)
		deliver_arrival(member, message, false, now);
	deliver_gap(member, message, &gap, now);
	deliver_message(member, message, from, now);
}

static void
hear_here(struct member *member, const struct room_message *message,
	enum place place, struct instant now)
{
	struct sequence_gap gap;
	bool made;

	if (message->known > member->known)
		member->known = message->known;
	roster_hear(member->roster, message, now.mono, &made);
	if (is_own(member, message))
		return;
	if (made)
		deliver_arrival(member, message, place == PLACE_INBOX, now);
	if (message->last > 0) {
		sequence_claim(member->sequence, message->uid, message->last,
			&gap);
		deliver_gap(member, message, &gap, now);
	}
}

/* The bigger the room, the more time its answers take. */
static int64_t
spread(struct member *member, int64_t most)
{
	int64_t wanted = (int64_t)roster_count(member->roster) *
		MEMBER_SPREAD_MS;

	return member_random(member, wanted < most ? wanted : most);
}

static void
hear_who(struct member *member, const struct room_message *message,
	enum place place, struct instant now)
{
	if (span_equal(message->inbox, span_of(member->inbox))) {
		member->asked = true;
		return;
	}
	if (!member->participant || member->leaving)
		return;
	if (message->inbox.len > 0) {
		int64_t wait = message->wait < 0 ? MEMBER_WAIT_MS
			: message->wait < MEMBER_WAIT_MAX_MS
			? message->wait
			: MEMBER_WAIT_MAX_MS;

		if (!answers_add(member->answers, message->inbox, now.mono,
			    now.mono + spread(member, wait)))
			member->counts.unanswered++;
		return;
	}
	/* A legacy peer asks: the answer goes into the room. */
	if (place != PLACE_ROOM || member->here_mono != INT64_MAX)
		return;
	int64_t due = now.mono + spread(member, ROOM_ANSWER_SPREAD_MS);
	int64_t rest = member->here_sent + ROOM_ANSWER_REST_MS;
	member->here_mono = due > rest ? due : rest;
}

static void
hear_own_bye(struct member *member, struct instant now)
{
	int64_t rest = member->here_sent + ROOM_ANSWER_REST_MS;

	/* Somebody, or the will of a connection that we left, says that we
	 * are gone. */
	if (!member->participant || member->leaving)
		return;
	member->here_mono = now.mono > rest ? now.mono : rest;
}

static void
hear_bye(struct member *member, const struct room_message *message,
	struct instant now)
{
	struct sequence_gap gap;
	struct roster_entry *entry;

	if (is_own(member, message)) {
		hear_own_bye(member, now);
		return;
	}
	if (message->last > 0) {
		sequence_claim(member->sequence, message->uid, message->last,
			&gap);
		deliver_gap(member, message, &gap, now);
	}
	entry = roster_find(member->roster, message->uid);
	if (entry == NULL || !roster_bye_fits(entry, message->conn))
		return;
	struct record record = record_of(member, message, RECORD_LEAVE, now);
	record.user = span_of(entry->user);
	record.time = now.wall;
	record.reason = "bye";
	deliver(member, &record);
	roster_remove(member->roster, entry);
}

static void
hear(struct member *member, const struct room_message *message,
	struct span payload, enum place place, struct instant now)
{
	if (message->type == ROOM_WHO) {
		hear_who(member, message, place, now);
	} else if (message->type == ROOM_HERE && place != PLACE_LOBBY) {
		hear_here(member, message, place, now);
	} else if (message->type == ROOM_MESSAGE && place == PLACE_ROOM) {
		hear_message(member, message, payload, now);
	} else if (message->type == ROOM_BYE && place == PLACE_ROOM) {
		hear_bye(member, message, now);
	} else {
		member->counts.unknown++;
		member->calls.ignored(member->calls.context,
			"a message of a type that is not known here");
	}
}

static enum place
place_of(const struct member *member, struct span topic)
{
	if (span_equal(topic, span_of(member->topic)))
		return PLACE_ROOM;
	if (span_equal(topic, span_of(member->inbox)))
		return PLACE_INBOX;
	if (span_equal(topic, span_of(ROOM_LOBBY_TOPIC)))
		return PLACE_LOBBY;
	return PLACE_ELSEWHERE;
}

static int
read_event(struct member *member, const struct dxl_message *event,
	enum place place, struct instant now, struct fault *fault)
{
	struct room_message message;
	struct span about = dxl_field(event, ROOM_TOPIC_FIELD);

	if (event->type != DXL_EVENT)
		return fault_set(fault, FAULT_DATA,
			"a DXL message that is no "
			"event");
	if (place == PLACE_INBOX && about.len > 0 &&
		!span_equal(about, span_of(member->topic)))
		return fault_set(fault, FAULT_DATA,
			"an inbox message about another room");
	if (room_parse(&message, event->payload, fault) < 0)
		return -1;
	hear(member, &message, event->payload, place, now);
	room_message_free(&message);
	return 0;
}

void
member_receive(struct member *member, struct span topic, struct span bytes,
	struct instant now)
{
	struct dxl_message event;
	struct fault fault = { 0 };
	enum place place = place_of(member, topic);

	if (place == PLACE_ELSEWHERE) {
		fault_set(&fault, FAULT_DATA, "a message of another topic");
	} else if (dxl_parse(&event, bytes, &fault) == 0) {
		if (read_event(member, &event, place, now, &fault) == 0)
			fault.kind = FAULT_NONE;
		dxl_message_free(&event);
	}
	if (fault.kind == FAULT_NONE)
		return;
	member->counts.malformed++;
	member->calls.ignored(member->calls.context, fault.text);
}
