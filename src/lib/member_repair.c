/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "sign.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* What was missed may be on its way, or asked for by others. */
	FIRST_ASK_MS = 50, /* and at most twice that at random */
	AGAIN_MS = 100,    /* after something came */
	SENDER_ASKS = 3,   /* of the sender, before the room */
	ASKS_MAX = 6,
	/* How often a sender that was asked in vain, and speaks, is asked anew;
	 * one that tells its newest number does little else. */
	RENEWALS_MAX = 2,
	RENEWALS_TOLD_MAX = 8,
	/* Who hears something in the room so long after its own question, and
	 * not that, may not write there. */
	DEAF_MS = 1000,
	DEAF_ASKS_MAX = 20, /* where nobody says anything */
	ASKS_A_SECOND = 50,
	INBOX_ASKS_MAX = 16, /* of one inbox, unless something comes, … */
	INBOX_REST_MS = 10 * 1000, /* … in this time */
	SENDER_DUE_MS = 20,        /* before the sender answers, … */
	SERVE_REST_MS = 50,        /* when what was sent fills the way out */
	ASK_SPREAD_MS = 2000,      /* before the first question to the room */
	PEERS_SPREAD_MS = 500, /* … and any peer: this at most, and the same */
	SLICE_TIMES = 2,       /* as many bytes of a time as of numbers */
	/* What looking a time up costs for each message kept, in bytes that
	 * could be sent instead. */
	HISTORY_COST = 8,
	/* Room for what an envelope and its repair add to a payload. */
	REPAIR_ROOM = 4096,
};

/* Until the next question, after each of them.  A stream stays for a second
 * when it is done: the sender is asked twice while it does. */
static const int64_t waits_ms[ASKS_MAX] = { 400, 800, 1500, 2000, 3000, 3000 };

static void
set_ask(struct member *member, struct sequence_hole *hole, int64_t mono)
{
	hole->ask_mono = mono;
	member->ask_mono = member_earlier(member->ask_mono, mono);
}

static int64_t
wait_ms(const struct sequence_hole *hole)
{
	return waits_ms[hole->stage < ASKS_MAX ? hole->stage : ASKS_MAX - 1];
}

static struct member_asked *
asked_of(struct member *member, const char *inbox)
{
	uint64_t hash = heads_message_digest(span_of(inbox), 0, 0);
	struct member_asked *oldest = &member->asked_inboxes[0];

	for (size_t i = 0; i < ASKED_INBOXES_MAX; i++) {
		struct member_asked *asked = &member->asked_inboxes[i];

		if (asked->inbox == hash)
			return asked;
		if (asked->mono < oldest->mono)
			oldest = asked;
	}
	*oldest = (struct member_asked){ hash, INT64_MIN / 2, 0 };
	return oldest;
}

/* An inbox is the word of who names it, and may be a victim's: it gets few
 * questions as long as nothing comes of them. */
static bool
may_ask_inbox(struct member *member, const char *inbox, struct instant now)
{
	struct member_asked *asked = asked_of(member, inbox);

	if (now.mono - asked->mono >= INBOX_REST_MS)
		*asked = (struct member_asked){ asked->inbox, now.mono, 0 };
	return asked->count++ < INBOX_ASKS_MAX;
}

static void
forgive_inbox(struct member *member, const char *inbox)
{
	asked_of(member, inbox)->count = 0;
}

void
member_plan_repair(struct member *member, struct span uid, struct instant now)
{
	struct sequence_hole *hole = sequence_hole(member->sequence, uid);

	if (hole != NULL && hole->ask_mono == 0)
		set_ask(member, hole,
			now.mono + FIRST_ASK_MS +
				member_random(member, FIRST_ASK_MS));
}

void
member_note_progress(struct member *member, struct span uid, struct instant now)
{
	struct sequence_hole *hole = sequence_hole(member->sequence, uid);

	member->counts.repaired++;
	if (hole == NULL)
		return;
	hole->teller = 0;
	if (hole->inbox != NULL)
		forgive_inbox(member, hole->inbox);
	/* Whoever answered is asked for the rest. */
	if (hole->stage > 0)
		hole->stage = hole->stage <= SENDER_ASKS ? 0 : SENDER_ASKS;
	hole->spread = false;
	hole->got++;
	set_ask(member, hole,
		hole->got % REPAIR_MESSAGES_MAX == 0 ? now.mono
						     : now.mono + AGAIN_MS);
}

void
member_note_sender(struct member *member, struct span uid, bool told,
	struct instant now)
{
	struct sequence_hole *hole = sequence_hole(member->sequence, uid);
	int most = told ? RENEWALS_TOLD_MAX : RENEWALS_MAX;

	if (hole != NULL)
		hole->teller = 0;
	if (hole == NULL || hole->stage < 2 || hole->renewed >= most)
		return;
	hole->renewed++;
	hole->stage = 0;
	set_ask(member, hole, now.mono + FIRST_ASK_MS);
}

/* Not more questions a second than others can bear. */
static bool
may_ask(struct member *member, struct instant now)
{
	if (now.mono - member->asks_mono >= 1000) {
		member->asks_mono = now.mono;
		member->asks = 0;
	}
	return member->asks++ < ASKS_A_SECOND;
}

static void
ask(struct member *member, struct sequence_hole *hole, const char *topic,
	struct instant now)
{
	struct room_message want;
	bool in_room = topic == member->topic;

	room_message_init(&want, ROOM_WANT);
	want.uid = span_of(hole->uid);
	want.inbox = span_of(member->inbox);
	want.want_count = sequence_missing(member->sequence, want.uid,
		want.wants, ROOM_WANTS_MAX);
	hole->asked_last = want.wants[want.want_count - 1].last;
	hole->got = 0;
	if (in_room)
		hole->echoed = false;
	hole->asked_mono = now.mono;
	set_ask(member, hole, now.mono + wait_ms(hole));
	hole->stage++;
	member->counts.asked++;
	member_send(member, topic, &want, in_room ? NULL : member->topic);
}

static void
tell_gap(struct member *member, const struct sequence_hole *hole,
	struct room_range gap, struct instant now)
{
	struct room_message lost;

	room_message_init(&lost, ROOM_MESSAGE);
	lost.uid = span_of(hole->uid);
	lost.user = span_of(hole->user);
	struct record record = member_record(member, &lost, RECORD_GAP, now);
	record.gap_first = gap.first;
	record.gap_last = gap.last;
	member->counts.missing += (uint64_t)(gap.last - gap.first) + 1;
	member_deliver(member, &record);
}

void
member_give_up(struct member *member, struct span uid, int64_t until,
	struct instant now)
{
	struct sequence_hole *hole;
	struct room_range gap;

	while ((hole = sequence_hole(member->sequence, uid)) != NULL &&
		sequence_missing(member->sequence, uid, &gap, 1) > 0 &&
		gap.first <= until) {
		if (gap.last > until)
			gap.last = until;
		hole->ask_mono = 0;
		hole->stage = hole->renewed = 0;
		tell_gap(member, hole, gap, now);
		sequence_skip(member->sequence, uid, until, &gap);
		int64_t dropped = member_deliver_held(member, uid, now);
		if (dropped > 0)
			until = dropped - 1;
	}
}

/* Asked for in vain; what was found missing since then was not asked for. */
static void
give_up(struct member *member, struct sequence_hole *hole, struct instant now)
{
	char bytes[ROOM_UID_MAX + 1];

	strcpy(bytes, hole->uid);
	member_give_up(member, span_of(bytes), hole->asked_last, now);
	member_plan_repair(member, span_of(bytes), now);
}

/* As long as our own question does not come back, and nothing else, nothing is
 * known. */
static bool
is_deaf(const struct member *member, const struct sequence_hole *hole)
{
	return !hole->echoed && hole->stage < ASKS_MAX + DEAF_ASKS_MAX &&
		(hole->asked_mono < member->up_mono ||
			member->room_mono < hole->asked_mono + DEAF_MS);
}

struct member_rumour *
member_find_rumour(struct member *member, struct span uid, int64_t last)
{
	uint64_t head = heads_message_digest(uid, 0, last);

	for (size_t i = 0; i < RUMOURS_MAX; i++)
		if (member->rumours[i].head == head)
			return &member->rumours[i];
	return NULL;
}

static void
note_rumour(struct member *member, const struct sequence_hole *hole,
	struct instant now)
{
	struct span uid = span_of(hole->uid);
	struct member_rumour *there = member_find_rumour(member, uid,
		hole->asked_last);

	if (there == NULL) {
		there = &member->rumours[member->rumours_next++ % RUMOURS_MAX];
		*there = (struct member_rumour){
			.head = heads_message_digest(uid, 0, hole->asked_last),
			.teller = hole->teller,
			.first_mono = now.mono,
		};
	}
	there->last_mono = now.mono;
}

/* One alone has told of it, and nobody has it: it may be a lie.  If it is not,
 * it is told of again. */
static void
drop_told(struct member *member, struct sequence_hole *hole, struct instant now)
{
	char bytes[ROOM_UID_MAX + 1];

	strcpy(bytes, hole->uid);
	note_rumour(member, hole, now);
	hole->ask_mono = 0;
	hole->stage = 0;
	hole->teller = 0;
	sequence_disclaim(member->sequence, span_of(bytes), hole->stranger);
	member_plan_repair(member, span_of(bytes), now);
}

/* All who miss the same come to ask the room for it at once: one question does
 * for all, if the others wait for it. */
static bool
waits_for_others(struct member *member, struct sequence_hole *hole,
	struct instant now)
{
	if (hole->stage != SENDER_ASKS || hole->spread)
		return false;
	hole->spread = true;
	set_ask(member, hole, now.mono + member_spread(member, ASK_SPREAD_MS));
	return hole->ask_mono > now.mono;
}

static void
step_hole(struct member *member, struct sequence_hole *hole, struct instant now)
{
	if (hole->stage == 0 && hole->inbox == NULL)
		hole->stage = SENDER_ASKS;
	if (hole->teller != 0 && hole->stage > 0 && hole->stage < SENDER_ASKS)
		hole->stage = SENDER_ASKS;
	if (hole->teller != 0 && hole->stage > SENDER_ASKS) {
		drop_told(member, hole, now);
		return;
	}
	if (waits_for_others(member, hole, now))
		return;
	bool in_room = hole->stage >= SENDER_ASKS;
	if (hole->stage >= ASKS_MAX && !is_deaf(member, hole))
		give_up(member, hole, now);
	else if (!may_ask(member, now) ||
		(!in_room && !may_ask_inbox(member, hole->inbox, now)))
		set_ask(member, hole, now.mono + 1000);
	else
		ask(member, hole, in_room ? member->topic : hole->inbox, now);
}

static void
ask_for_missing(struct member *member, struct instant now)
{
	struct sequence_hole *hole, *next;

	if (!member->up || now.mono < member->ask_mono)
		return;
	/* What comes now is put by, and fills holes only at its end. */
	if (member_is_collecting(member)) {
		member->ask_mono = now.mono + AGAIN_MS;
		return;
	}
	member->ask_mono = INT64_MAX;
	for (hole = sequence_first_hole(member->sequence); hole != NULL;
		hole = next) {
		next = sequence_next_hole(hole);
		if (hole->ask_mono > now.mono)
			set_ask(member, hole, hole->ask_mono);
		else
			step_hole(member, hole, now);
	}
}

static void
forward(struct member *member, const char *inbox, struct text *bytes)
{
	struct span envelope = { bytes->bytes, bytes->len };
	struct text done = { 0 };

	if (member->calls.forward != NULL) {
		member->calls.forward(member->calls.context, span_of(inbox),
			envelope, &done);
		envelope = (struct span){ done.bytes, done.len };
	}
	member->calls.publish(member->calls.context, inbox, envelope);
	text_free(&done);
}

/* The headers by which a message can be checked. */
static void
fill_headers(struct member *member, const struct dxl_message *event,
	struct room_message *again)
{
	again->sig = dxl_field(event, SIGN_SIG_FIELD);
	if (again->sig.len > 0 && member->calls.introduction != NULL)
		member->calls.introduction(member->calls.context, again->sig,
			&again->bind, &again->cert);
}

/* A JSON string has no NUL, which may stand behind a payload. */
static struct span
without_end(struct span payload)
{
	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	return payload;
}

/* Publishes a kept message to an inbox, as it was, or into the room. */
static void
send_again(struct member *member, const char *inbox, struct span envelope)
{
	struct dxl_message event;
	struct fault fault;
	struct text bytes = { 0 };
	struct room_message again;

	if (dxl_parse(&event, envelope, &fault) < 0)
		return;
	if (inbox[0] != '\0') {
		member_address(member, &event, &bytes);
		forward(member, inbox, &bytes);
	} else {
		room_message_init(&again, ROOM_REPAIR);
		fill_headers(member, &event, &again);
		again.payload = again.sig.len > 0 ? event.payload
						  : without_end(event.payload);
		/* What is too large for a broker would cost the connection. */
		if (member_quoted_len(again.payload) > member_most(member))
			goto out;
		member_send(member, member->topic, &again, NULL);
	}
	member->counts.served++;
	repairs_spend(member->repairs, envelope.len + REPAIR_ROOM);
out:
	text_free(&bytes);
	dxl_message_free(&event);
}

static void
serve_numbers(struct member *member, const struct repair *repair)
{
	struct span uid = span_of(repair->uid);
	struct store_item item;
	struct text envelope = { 0 };
	size_t bytes = 0;
	int64_t at = repair->first;

	for (int sent = 0; sent < REPAIR_MESSAGES_MAX && at <= repair->last &&
		store_next(member->store, uid, at, &item) &&
		item.first <= repair->last;
		sent++) {
		if (bytes >= (size_t)member->quotas.repair_bytes) {
			member->over.repair_bytes++;
			break;
		}
		if (store_read(member->store, uid, item.first, &envelope))
			send_again(member, repair->inbox,
				(struct span){ envelope.bytes, envelope.len });
		bytes += item.len;
		at = item.last + 1;
	}
	text_free(&envelope);
}

/* What there is of a time: how much, or a slice of it. */
static void
serve_time(struct member *member, const struct repair *repair)
{
	struct store_item *items;
	struct text envelope = { 0 };
	struct room_message answer;
	size_t bytes = 0;
	size_t most = SLICE_TIMES * (size_t)member->quotas.repair_bytes;
	int64_t count = (int64_t)store_history(member->store, repair->since,
		repair->until, repair->records, &items);

	repairs_spend(member->repairs,
		REPAIR_ROOM + store_count(member->store) * HISTORY_COST);
	room_message_init(&answer, ROOM_REPAIR);
	answer.since = repair->since;
	answer.until = repair->until;
	answer.inbox = span_of(member->inbox);
	answer.have = count;
	answer.records = 0;
	answer.oldest = count > 0 ? items[0].ms : -1;
	for (int64_t i = 0; i < count; i++) {
		answer.records += items[i].last - items[i].first + 1;
		answer.digest += heads_message_digest(span_of(items[i].uid),
			items[i].first, items[i].last);
	}
	if (repair->skip >= 0) {
		answer.skip = repair->skip;
		answer.sent = 0;
		for (int64_t i = repair->skip; i < count &&
			answer.sent < SLICE_MESSAGES && bytes < most;
			i++) {
			if (store_read(member->store, span_of(items[i].uid),
				    items[i].first, &envelope))
				send_again(member, repair->inbox,
					(struct span){ envelope.bytes,
						envelope.len });
			bytes += items[i].len;
			answer.sent++;
		}
		member->over.repair_bytes += bytes >= most &&
			repair->skip + answer.sent < count;
	}
	if (repair->skip >= 0 || count > 0)
		member_send(member, repair->inbox, &answer, member->topic);
	text_free(&envelope);
	free(items);
}

/* Does the way out take more?  If not, looks again in a while. */
static bool
may_serve(struct member *member, struct instant now)
{
	if (repairs_deadline(member->repairs) > now.mono ||
		member->calls.can_serve == NULL ||
		member->calls.can_serve(member->calls.context))
		return true;
	member->serve_mono = now.mono + SERVE_REST_MS;
	return false;
}

void
member_tick_repair(struct member *member, struct instant now)
{
	struct repair repair;

	ask_for_missing(member, now);
	if (now.mono < member->serve_mono)
		return;
	while (may_serve(member, now) &&
		repairs_take(member->repairs, now.mono, &repair)) {
		if (repair.uid[0] != '\0') {
			serve_numbers(member, &repair);
			continue;
		}
		serve_time(member, &repair);
		break; /* it takes a while: one at a time */
	}
}

int64_t
member_repair_deadline(const struct member *member)
{
	int64_t serve = repairs_deadline(member->repairs);

	if (serve < member->serve_mono)
		serve = member->serve_mono;
	return member_earlier(member->up ? member->ask_mono : INT64_MAX, serve);
}

static void
copy(char *to, struct span from)
{
	memcpy(to, from.bytes, from.len);
	to[from.len] = '\0';
}

/* Somebody else misses the same: one question does for all. */
static void
spare_question(struct member *member, const struct room_message *want,
	struct instant now)
{
	struct sequence_hole *hole = sequence_hole(member->sequence, want->uid);
	struct room_range missing;

	if (hole == NULL ||
		(hole->inbox != NULL && hole->stage < SENDER_ASKS) ||
		hole->stage >= ASKS_MAX ||
		sequence_missing(member->sequence, want->uid, &missing, 1) == 0)
		return;
	if (hole->stage < SENDER_ASKS)
		hole->stage = SENDER_ASKS;
	for (size_t i = 0; i < want->want_count; i++)
		if (want->wants[i].first <= missing.first &&
			want->wants[i].last >= missing.last) {
			hole->echoed = true;
			hole->asked_last = missing.last;
			set_ask(member, hole,
				now.mono + waits_ms[hole->stage] +
					member_spread(member, 1000));
			hole->stage++;
			return;
		}
}

static void
add_repair(struct member *member, const struct repair *repair)
{
	if (!repairs_add(member->repairs, repair))
		member->over.repairs_waiting++;
}

static void
want_numbers(struct member *member, const struct room_message *want,
	const struct trust *trust, bool in_room, struct instant now)
{
	bool own = span_equal(want->uid, span_of(member->uid));
	struct repair repair = { .records = -1 };
	struct store_item item;

	/* A stranger's would keep all others from asking. */
	if (in_room && member_is_believed(member, trust))
		spare_question(member, want, now);
	copy(repair.uid, want->uid);
	if (!in_room)
		copy(repair.inbox, want->inbox);
	repair.due = now.mono + SENDER_DUE_MS;
	if (in_room && !own)
		repair.due += member_spread(member, PEERS_SPREAD_MS) +
			member_random(member, SENDER_DUE_MS);
	for (size_t i = 0; i < want->want_count; i++) {
		repair.first = want->wants[i].first;
		repair.last = want->wants[i].last;
		if (store_next(member->store, want->uid, repair.first, &item) &&
			item.first <= repair.last)
			add_repair(member, &repair);
	}
}

static void
want_time(struct member *member, const struct room_message *want, bool in_room,
	struct instant now)
{
	struct repair repair = {
		.since = want->since,
		.until = want->until,
		.records = want->count,
		.skip = in_room ? -1 : want->skip,
		.due = now.mono,
	};

	if (!member->participant || want->until < want->since ||
		(!in_room && want->skip < 0))
		return;
	copy(repair.inbox, want->inbox);
	if (in_room) {
		if (store_count(member->store) == 0)
			return;
		if (!answers_add(member->offered, want->inbox, now.mono,
			    now.mono)) {
			member->counts.unanswered++;
			return;
		}
		answers_take(member->offered, now.mono);
		repair.due += member_spread(member, PEERS_SPREAD_MS);
	}
	add_repair(member, &repair);
}

static void
hear_own_want(struct member *member, const struct room_message *want)
{
	struct sequence_hole *hole = sequence_hole(member->sequence, want->uid);

	if (hole != NULL)
		hole->echoed = true;
}

void
member_hear_want(struct member *member, const struct room_message *want,
	const struct trust *trust, bool in_room, struct instant now)
{
	if (span_equal(want->inbox, span_of(member->inbox))) {
		hear_own_want(member, want);
		return;
	}
	if ((!member->participant && !member->stream) || member->leaving)
		return;
	member_linger(member, now);
	if (want->uid.len > 0)
		want_numbers(member, want, trust, in_room, now);
	else if (want->since >= 0)
		want_time(member, want, in_room, now);
}

/* A message that was sent again into the room, as JSON within JSON. */
static void
hear_again(struct member *member, const struct room_message *again,
	struct instant now)
{
	struct span payload = again->payload;
	struct room_message message;
	struct fault fault;
	struct text envelope = { 0 };
	struct trust trust;

	if (room_parse(&message, payload, &fault) < 0) {
		member->counts.malformed++;
		member->calls.ignored(member->calls.context, fault.text);
		return;
	}
	if (message.type == ROOM_MESSAGE && message.uid.len > 0 &&
		message.seq > 0 &&
		!span_equal(message.uid, span_of(member->uid))) {
		/* What anybody else says is no answer to the question. */
		if (!member_judges(member) ||
			!member_is_other(member, &message, payload))
			repairs_cancel(member->repairs, message.uid,
				message.seq,
				message.seq +
					(message.lines > 0 ? message.lines - 1
							   : 0));
		const struct trust_claim claim = {
			.topic = span_of(member->topic),
			.payload = payload,
			.sig = again->sig,
			.bind = again->bind,
			.cert = again->cert,
			.user = message.user,
		};

		member_judge_claim(member, &message, &claim, MEMBER_KEPT, now,
			&trust);
		if (trust.mark == TRUST_BAD) {
			member_hear_forged(member, &message, &trust,
				PLACE_INBOX, now);
		} else {
			member_rewrap(member, again, &envelope);
			member_hear_repaired(member, &message, &trust,
				(struct span){ envelope.bytes, envelope.len },
				now);
			text_free(&envelope);
		}
	}
	room_message_free(&message);
}

void
member_hear_repair(struct member *member, const struct room_message *repair,
	const struct trust *trust, bool in_room, struct instant now)
{
	if (!member->participant)
		return;
	if (repair->payload.len > 0)
		hear_again(member, repair, now);
	else if (!in_room && member_is_believed(member, trust))
		member_hear_offer(member, repair, now);
}
