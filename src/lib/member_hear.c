/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "cover.h"
#include "sign.h"

#include <assert.h>
#include <string.h>

enum {
	CLOCKS_MS = 10 * 1000,      /* that those of two machines may differ */
	ROOM_ANSWER_REST_MS = 1000, /* between two "here" into the room */
	RUMOUR_REST_MS = 10 * 1000, /* when one alone tells of it again, … */
	RUMOUR_MS = 150 * 1000,     /* … and how long that is looked at */
	TOLD_MAX = 8,   /* senders of which one alone says that they miss, at
			 * once */
	NEWS_LEAST = 8, /* unknown senders: not asked for one by one */
	ROOM_ANSWER_SPREAD_MS = 1000, /* at most, for a legacy question */
};

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

struct record
member_record(const struct member *member, const struct room_message *message,
	enum record_type type, struct instant now)
{
	return (struct record){
		.type = type,
		.own = is_own(member, message),
		.time = time_of(message, now),
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
	record.own = trust == &member->own || is_own(member, message);
	record.replayed = wanted.replayed ||
		(!member->restored && is_older(member, trust));
	record.late = wanted.late;
	record.trust = *trust;
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
	if (member->counts.first_time == 0)
		member->counts.first_time = record.time;
	member->counts.last_time = record.time;
}

/* The same for all from a number on. */
static void
deliver_message(struct member *member, const struct room_message *message,
	const struct trust *trust, int64_t from, bool replayed,
	struct instant now)
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
	deliver_message(member, &message, &member->own, 0, false, now);
	room_message_free(&message);
}

/* Presence of somebody whom the roster did not have is an entry; before our
 * question has been answered by all, it is one who was here already. */
static void
deliver_arrival(struct member *member, const struct room_message *message,
	const struct trust *trust, bool answer, struct instant now)
{
	bool older = message->since >= 0 && message->since < member->since;
	bool here = answer || older ||
		(message->app.len == 0 && now.mono <= member->asked_until);
	struct record record = member_record(member, message,
		here ? RECORD_HERE : RECORD_JOIN, now);

	record.trust = *trust;
	record.app = message->app;
	record.inbox = message->inbox;
	record.since = message->since;
	record.idle = message->idle;
	record.said = message->last;
	member_deliver(member, &record);
}

static int64_t
last_number(const struct room_message *message)
{
	return message->seq + (message->lines > 0 ? message->lines - 1 : 0);
}

/* Did this sender begin when we were here already, so that we miss whatever
 * we have not heard of it? */
static bool
is_younger(const struct member *member, int64_t since)
{
	return since > member->came;
}

/* The same for what is as fresh as its signature: how long the sender was there
 * then, and we now, are told by one clock each. */
static bool
is_younger_now(const struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	if (message->since < 0 || trust->sent < 0 || member->is_reading_kept ||
		(member->durable && !member->present))
		return is_younger(member, message->since);
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
		deliver_message(member, &message, &trust, number,
			member->replays && !member->restored &&
				time_of(&message, now) < member->came,
			now);
		sequence_deliver(member->sequence, uid, last_number(&message));
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
	int64_t last = last_number(message), ms = time_of(message, now);

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
		bad.why = "another message had its number";
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
		last_number(message), &lost)) {
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

void
member_accept(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, int64_t from,
	bool replayed, enum member_age age, struct instant now)
{
	bool younger = age == MEMBER_LIVE
		? is_younger_now(member, message, trust, now)
		: is_younger(member, message->since);
	struct room_range shown;
	int64_t first;

	if (from > message->seq)
		sequence_restore(member->sequence, message->uid, from - 1);
	if (sequence_jump(member->sequence, message->uid, message->seq,
		    &shown)) {
		member_give_up(member, message->uid, shown.first - 1, now);
		sequence_restore(member->sequence, message->uid, shown.last);
	}
	switch (sequence_take(member->sequence, message->uid, message->seq,
		last_number(message), !replayed && younger, &first)) {
	case SEQUENCE_OLD:
		if (take_late(member, message, trust, envelope, replayed, now))
			return;
		hear_double(member, message, trust, envelope, now);
		return;
	case SEQUENCE_NEXT:
		keep(member, message, envelope, now);
		deliver_message(member, message, trust, first, replayed, now);
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

/* Somebody talks: is it anybody new? */
static void
hear_talker(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	bool made = false;

	/* A legacy peer is here when it talks; who numbers what it says tells
	 * by type 2 whether it is. */
	if (message->uid.len > 0 &&
		(message->seq < 0 ||
			roster_find(member->roster, message->uid) != NULL))
		roster_hear(member->roster, message, trust, now.mono, &made);
	if (made)
		deliver_arrival(member, message, trust, false, now);
	if (message->seq < 0)
		member->legacy_mono = now.mono;
}

static void
hear_message(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	bool numbered = message->uid.len > 0 && message->seq > 0;
	bool replayed = member->durable && !member->present &&
		!member->restored;

	if (member_keep_pending(member, message, envelope, now))
		return;
	hear_talker(member, message, trust, now);
	if (numbered && member->participant) {
		member_accept(member, message, trust, envelope, message->seq,
			replayed, MEMBER_LIVE, now);
		member_note_sender(member, message->uid, false, now);
	} else
		deliver_message(member, message, trust, 0, replayed, now);
}

/* A message whose signature was checked is not displaced by one without. */
static void
collect(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	struct text kept = { 0 };
	struct dxl_message event;
	struct fault fault;
	bool is_signed = true;

	if (trust->fingerprint[0] != '\0' &&
		store_read(member->store, message->uid, message->seq, &kept) &&
		dxl_parse(&event, (struct span){ kept.bytes, kept.len },
			&fault) == 0) {
		is_signed = dxl_field(&event, SIGN_SIG_FIELD).len > 0;
		dxl_message_free(&event);
	}
	text_free(&kept);
	if (!is_signed)
		store_drop(member->store, message->uid, message->seq);
	store_put(member->store, message->uid, message->seq,
		last_number(message), time_of(message, now), envelope);
}

/* Anybody can send old messages to an inbox: those of which nothing was asked
 * for would be heard as new. */
static bool
is_asked_for(const struct member *member, const struct room_message *message)
{
	struct room_range lost;

	return !member_judges(member) || member_is_collecting(member) ||
		member->catch_up.phase == CATCH_UP_FETCHING ||
		sequence_hole(member->sequence, message->uid) != NULL ||
		sequence_find_lost(member->sequence, message->uid, message->seq,
			last_number(message), &lost);
}

void
member_hear_repaired(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	if (!member->participant || message->uid.len == 0 || message->seq < 0 ||
		is_own(member, message))
		return;
	if (!is_asked_for(member, message)) {
		member->counts.doubles++;
		return;
	}
	member_note_collected(member, now);
	if (member_is_collecting(member)) {
		collect(member, message, trust, envelope, now);
		return;
	}
	member_accept(member, message, trust, envelope, message->seq, false,
		MEMBER_KEPT, now);
	member_note_progress(member, message->uid, now);
}

/* A sender's newest number, as it says. */
static void
hear_last(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	if (!member->participant || message->last < 0 ||
		message->uid.len == 0 || is_own(member, message))
		return;
	bool known = sequence_knows(member->sequence, message->uid);
	/* Of a stranger that does not say since when nothing follows; and what
	 * is being collected would be old by it. */
	if ((!known && message->since < 0) ||
		(known && member_is_collecting(member)))
		return;
	if (message->last == 0)
		sequence_restore(member->sequence, message->uid, 0);
	else
		sequence_claim(member->sequence, message->uid, message->last,
			is_younger_now(member, message, trust, now));
	sequence_set_sender(member->sequence, message->uid, message->user,
		message->inbox);
	member_plan_repair(member, message->uid, now);
	member_note_sender(member, message->uid, true, now);
}

/* One alone tells of it again, and it did not come the last time: it is asked
 * for after a while, and some time later no more. */
static bool
is_worn_out(const struct member_rumour *rumour, uint64_t teller,
	struct instant now)
{
	return rumour != NULL && rumour->teller == teller &&
		(now.mono - rumour->first_mono >= RUMOUR_MS ||
			now.mono - rumour->last_mono < RUMOUR_REST_MS);
}

/* Somebody else's newest number, as others have seen it.  What only one of them
 * says is not told to be missing. */
static void
hear_head(struct member *member, const struct room_head *head,
	struct span inbox, uint64_t teller, struct instant now)
{
	bool all = is_younger(member, head->since);
	bool known = sequence_knows(member->sequence, head->uid);
	bool holed = sequence_hole(member->sequence, head->uid) != NULL;

	const struct member_rumour *rumour = member_find_rumour(member,
		head->uid, head->last);

	if (span_equal(head->uid, span_of(member->uid)) ||
		is_worn_out(rumour, teller, now))
		return;
	/* Said since we are here: then that one at least is missing. */
	if (!all && !known) {
		if (head->ms <= member->came)
			return;
		sequence_restore(member->sequence, head->uid, head->last - 1);
		sequence_guess(member->sequence, head->uid);
	}
	sequence_claim(member->sequence, head->uid, head->last, all);
	struct sequence_hole *hole = sequence_hole(member->sequence, head->uid);
	if (hole != NULL && !holed) {
		hole->teller = rumour == NULL || rumour->teller == teller
			? teller
			: 0;
		hole->stranger = !known;
	} else if (hole != NULL && hole->teller != teller) {
		hole->teller = 0;
	}
	if (hole != NULL && hole->inbox == NULL)
		sequence_set_sender(member->sequence, head->uid, span_of(""),
			inbox);
	member_plan_repair(member, head->uid, now);
}

/* Of how many senders that were heard since we are here do we know nothing, and
 * when did they speak first?  If there may be others, that is not known. */
static size_t
count_unknown(const struct member *member, const struct room_message *here,
	int64_t *oldest)
{
	size_t count = 0;

	*oldest = INT64_MAX;

	for (size_t i = 0; i < here->head_count; i++) {
		const struct room_head *head = &here->heads[i];

		if (head->ms > member->came &&
			!span_equal(head->uid, span_of(member->uid)) &&
			!sequence_knows(member->sequence, head->uid)) {
			count++;
			*oldest = member_earlier(*oldest, head->ms);
		}
	}
	if (count == ROOM_HEADS_MAX)
		*oldest = 0;
	return count;
}

/* Who says something of others: two under one certificate are one. */
static uint64_t
teller_of(const struct room_message *here, const struct trust *trust)
{
	return heads_message_digest(trust->fingerprint[0] != '\0'
			? span_of(trust->fingerprint)
			: here->uid,
		0, 0);
}

static size_t
count_told(const struct member *member)
{
	const struct sequence_hole *hole = sequence_first_hole(
		member->sequence);
	size_t count = 0;

	for (; hole != NULL; hole = sequence_next_hole(hole))
		if (hole->teller != 0)
			count++;
	return count;
}

static void
hear_heads(struct member *member, const struct room_message *here,
	const struct trust *trust, struct instant now)
{
	struct room_head own[ROOM_HEADS_MAX];
	size_t count = heads_list(member->heads, own);
	uint64_t teller = teller_of(here, trust);
	bool is_news = false;
	int64_t oldest;

	if (!member->participant || member_is_collecting(member))
		return;
	if (heads_digest(own, count) ==
		heads_digest(here->heads, here->head_count)) {
		member->heads_mono = INT64_MAX;
		member->agreed_wall = now.wall;
	} else if (count_unknown(member, here, &oldest) >= NEWS_LEAST) {
		is_news = true;
		member_fetch_news(member, here->inbox, oldest, now);
	}
	for (size_t i = 0; i < here->head_count; i++) {
		const struct room_head *head = &here->heads[i];

		if ((is_news && !sequence_knows(member->sequence, head->uid)) ||
			(count_told(member) >= TOLD_MAX &&
				sequence_hole(member->sequence, head->uid) ==
					NULL))
			continue;
		hear_head(member, head, here->inbox, teller, now);
	}
	member_compare_minutes(member, here, now);
}

static void
hear_here(struct member *member, const struct room_message *message,
	const struct trust *trust, enum place place, struct instant now)
{
	bool made;

	if (message->known > member->known)
		member->known = message->known;
	roster_hear(member->roster, message, trust, now.mono, &made);
	if (is_own(member, message)) {
		member->present = true;
		return;
	}
	if (message->app.len == 0)
		member->legacy_mono = now.mono;
	if (made)
		deliver_arrival(member, message, trust, place == PLACE_INBOX,
			now);
	hear_last(member, message, trust, now);
	if (place == PLACE_ROOM && member_is_believed(member, trust))
		hear_heads(member, message, trust, now);
}

/* A question for answers into the room gets about MEMBER_PINGS_MAX of them. */
static bool
is_chosen(struct member *member)
{
	int64_t count = (int64_t)roster_count(member->roster);

	return count <= MEMBER_PINGS_MAX ||
		member_random(member, count - 1) < MEMBER_PINGS_MAX;
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
			    now.mono + member_spread(member, wait)))
			member->counts.unanswered++;
		return;
	}
	/* A legacy peer asks: the answer goes into the room. */
	if (place != PLACE_ROOM || member->here_mono != INT64_MAX ||
		now.mono < member->chosen_mono)
		return;
	if (!is_chosen(member)) {
		member->chosen_mono = now.mono + ROOM_ANSWER_REST_MS;
		return;
	}
	int64_t due = now.mono + member_spread(member, ROOM_ANSWER_SPREAD_MS);
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
	const struct trust *trust, struct instant now)
{
	struct roster_entry *entry;

	if (is_own(member, message)) {
		hear_own_bye(member, now);
		return;
	}
	hear_last(member, message, trust, now);
	entry = roster_find(member->roster, message->uid);
	if (entry == NULL || !roster_bye_fits(entry, message->conn))
		return;
	struct record record = member_record(member, message, RECORD_LEAVE,
		now);
	record.user = span_of(entry->user);
	record.time = now.wall;
	record.reason = "bye";
	record.trust = *trust;
	member_deliver(member, &record);
	roster_remove(member->roster, entry);
}

static void
hear_presence(struct member *member, const struct room_message *message,
	const struct trust *trust, enum place place, struct instant now)
{
	if (message->type == ROOM_WHO)
		hear_who(member, message, place, now);
	else if (message->type == ROOM_HERE)
		hear_here(member, message, trust, place, now);
	else
		hear_bye(member, message, trust, now);
}

/* Which types have a meaning where. */
static bool
fits(int64_t type, enum place place)
{
	switch (type) {
	case ROOM_WHO:
		return true;
	case ROOM_MESSAGE:
	case ROOM_HERE:
	case ROOM_WANT:
	case ROOM_REPAIR:
		return place != PLACE_LOBBY;
	case ROOM_BYE:
		return place == PLACE_ROOM;
	case ROOM_PROOF:
		return place != PLACE_LOBBY;
	case ROOM_RECEIPT:
	case ROOM_KEY:
		return place == PLACE_INBOX;
	default:
		return false;
	}
}

static void
hear_judged(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, enum place place,
	struct instant now)
{
	bool in_room = place == PLACE_ROOM;

	/* What was not checked is shown and proves nothing: its sender has it,
	 * and is asked when there is time. */
	if (trust->mark == TRUST_BAD || trust->is_unchecked)
		member_hear_forged(member, message, trust, place, now);
	else if (message->type == ROOM_MESSAGE && in_room)
		hear_message(member, message, trust, envelope, now);
	else if (message->type == ROOM_MESSAGE)
		member_hear_repaired(member, message, trust, envelope, now);
	else if (message->type == ROOM_WANT)
		member_hear_want(member, message, trust, in_room, now);
	else if (message->type == ROOM_REPAIR)
		member_hear_repair(member, message, trust, in_room, now);
	else if (message->type == ROOM_PROOF)
		hear_last(member, message, trust, now);
	else
		hear_presence(member, message, trust, place, now);
	if (trust->mark == TRUST_GOOD)
		sequence_prove(member->sequence, message->uid);
}

/* What was sealed to us alone can be nothing else, and those are not taken from
 * anywhere else. */
static void
hear_sealed_to_us(struct member *member, const struct room_message *message,
	const struct trust *trust, bool direct, enum place place,
	struct instant now)
{
	if (trust->mark == TRUST_BAD)
		member_hear_forged(member, message, trust, place, now);
	else if (!direct || place != PLACE_INBOX)
		member->counts.unknown++;
	else if (message->type == ROOM_MESSAGE)
		member_hear_direct(member, message, trust, now);
	else if (message->type == ROOM_RECEIPT)
		member_hear_receipt(member, message, trust);
	else
		member->counts.unknown++;
}

static void
hear(struct member *member, const struct room_message *message,
	const struct dxl_message *event, struct span envelope, enum place place,
	struct instant now)
{
	struct trust trust;

	if (!fits(message->type, place)) {
		member->counts.unknown++;
		member->calls.ignored(member->calls.context,
			"a message of a type that is not known here");
		return;
	}
	if (member->sealed && place != PLACE_LOBBY &&
		dxl_field(event, COVER_FIELD).len == 0) {
		trust = (struct trust){ .mark = TRUST_BAD,
			.is_clear = true,
			.why = "not sealed, in a room that is",
			.sent = -1 };
		member_hear_forged(member, message, &trust, place, now);
		return;
	}
	/* What is ours is known by its bytes. */
	if (message->type == ROOM_MESSAGE && place == PLACE_ROOM &&
		message->uid.len > 0 && message->seq > 0 &&
		member_take_echo(member, message, event->payload, now))
		return;
	if (message->type == ROOM_PROOF && place == PLACE_INBOX) {
		if (member_is_own_claim(member, event))
			member_take_marker(member, message, now);
		return;
	}
	if (message->type == ROOM_KEY) {
		if (member->calls.key != NULL)
			member->calls.key(member->calls.context, message,
				dxl_field(event, ROOM_TOPIC_FIELD));
		return;
	}
	bool direct = span_equal(dxl_field(event, COVER_FIELD),
		span_of(COVER_DIRECT));
	/* What a broker kept is as old as it is. */
	bool kept = member->durable && !member->present;
	member_judge(member, message, event, place,
		kept ? MEMBER_KEPT : MEMBER_LIVE, now, &trust);
	if (direct || message->type == ROOM_RECEIPT)
		hear_sealed_to_us(member, message, &trust, direct, place, now);
	else
		hear_judged(member, message, &trust, envelope, place, now);
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
	struct span envelope, enum place place, struct instant now,
	struct fault *fault)
{
	struct room_message message;
	struct span about = dxl_field(event, ROOM_TOPIC_FIELD);

	if (event->type != DXL_EVENT)
		return fault_set(fault, FAULT_DATA,
			"a DXL message that is no "
			"event");
	if (room_parse(&message, event->payload, fault) < 0)
		return -1;
	/* Keys are those of all rooms. */
	if (place == PLACE_INBOX && about.len > 0 && message.type != ROOM_KEY &&
		!span_equal(about, span_of(member->topic))) {
		room_message_free(&message);
		return fault_set(fault, FAULT_DATA,
			"an inbox message about another room");
	}
	hear(member, &message, event, envelope, place, now);
	room_message_free(&message);
	return 0;
}

void
member_hear_envelope(struct member *member, struct span envelope,
	struct instant now)
{
	member_receive(member, span_of(member->topic), envelope, now);
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
		if (place == PLACE_ROOM)
			member->room_mono = now.mono;
		if (read_event(member, &event, bytes, place, now, &fault) == 0)
			fault.kind = FAULT_NONE;
		dxl_message_free(&event);
	}
	if (fault.kind == FAULT_NONE)
		return;
	member->counts.malformed++;
	member->calls.ignored(member->calls.context, fault.text);
}
