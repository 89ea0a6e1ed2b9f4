/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum {
	OFFER_WAIT_MS = 1000,     /* for the first offer, … */
	OFFERS_WAIT_MS = 200,     /* … and for others after it */
	SLICE_WAIT_MS = 1500,     /* without any message */
	SLICE_MAX_MS = 30 * 1000, /* with any: others may send them, too */
	TRIES_MAX = 3,
	FIRST_MAX_MS = 30 * 1000, /* that what is live waits, whoever answers */
	AWAY_MARGIN_MS = 10 * 1000, /* asked for before what we missed */
	AGAIN_SPREAD_MS = 2000,     /* at most, when all come back at once */
};

static void
plan(struct member *member, int64_t since, int64_t mono)
{
	struct member_catch_up *catch_up = &member->catch_up;

	catch_up->phase = CATCH_UP_PLANNED;
	catch_up->directed = false;
	catch_up->since = since;
	catch_up->offer_count = 0;
	catch_up->mono = mono;
}

/* What was said since the connection was lost. */
static void
plan_away(struct member *member, int64_t lost_wall, struct instant now)
{
	member->catch_up.records = -1;
	member->catch_up.tries = 0;
	plan(member, lost_wall - AWAY_MARGIN_MS,
		now.mono + member_spread(member, AGAIN_SPREAD_MS));
}

void
member_plan_catch_up(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;
	bool first = !member->was_up;

	if (!member->participant)
		return;
	member->was_up = true;
	memset(catch_up->failed, 0, sizeof(catch_up->failed));
	if (catch_up->first) {
		/* At our start, or once more if that was cut short; then what
		 * was said meanwhile is asked for behind it. */
		if (!first && catch_up->cut_wall == 0)
			catch_up->cut_wall = member->lost_wall;
		plan(member, catch_up->since, now.mono);
		catch_up->begun = now.mono;
	} else if (!first) {
		plan_away(member, member->lost_wall, now);
	}
}

bool
member_is_collecting(const struct member *member)
{
	return member->catch_up.first;
}

bool
member_is_caught_up(const struct member *member)
{
	return !member->catch_up.first;
}

static void
send_want(struct member *member, const char *topic, int64_t skip)
{
	const struct member_catch_up *catch_up = &member->catch_up;
	struct room_message want;

	room_message_init(&want, ROOM_WANT);
	want.inbox = span_of(member->inbox);
	want.since = catch_up->since;
	want.until = catch_up->until;
	want.count = catch_up->records;
	want.skip = skip;
	member->counts.asked++;
	member_send(member, topic, &want,
		topic == member->topic ? NULL : member->topic);
}

/* The next messages, from who has nothing else to send. */
static void
ask_slices(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	for (size_t i = 0; i < catch_up->offer_count; i++) {
		struct member_offer *offer = &catch_up->offers[i];

		if (offer->slice >= 0 || offer->have < 0 ||
			offer->digest != catch_up->digest ||
			catch_up->next >= catch_up->total)
			continue;
		offer->slice = catch_up->next;
		offer->asked = true;
		catch_up->next += SLICE_MESSAGES;
		send_want(member, offer->inbox, offer->slice);
	}
	catch_up->slice_mono = now.mono;
	catch_up->mono = now.mono + SLICE_WAIT_MS;
}

static uint64_t
own_digest(const struct member *member, size_t *count)
{
	struct store_item *items;
	uint64_t digest = 0;

	*count = store_history(member->store, member->catch_up.since,
		member->catch_up.until, member->catch_up.records, &items);
	for (size_t i = 0; i < *count; i++)
		digest += heads_message_digest(span_of(items[i].uid),
			items[i].first, items[i].last);
	free(items);
	return digest;
}

/* Delivers a message that was collected, from number `from` on. */
static void
deliver_collected(struct member *member, const struct store_item *item,
	int64_t from, struct instant now)
{
	struct text envelope = { 0 };
	struct dxl_message event;
	struct room_message message;
	struct trust trust;
	struct fault fault;

	if (store_read(member->store, span_of(item->uid), item->first,
		    &envelope) &&
		dxl_parse(&event, (struct span){ envelope.bytes, envelope.len },
			&fault) == 0) {
		if (room_parse(&message, event.payload, &fault) == 0) {
			member_judge(member, &message, &event, PLACE_ROOM,
				MEMBER_KEPT, now, &trust);
			/* Its sender was not known yet when it came. */
			if (trust.mark == TRUST_BAD)
				member_hear_forged(member, &message, &trust,
					PLACE_INBOX, now);
			else
				member_accept(member, &message, &trust,
					(struct span){ envelope.bytes,
						envelope.len },
					from, !member->restored, MEMBER_KEPT,
					now);
			room_message_free(&message);
		}
		dxl_message_free(&event);
	}
	text_free(&envelope);
}

/* Has what is live begun for this sender where that message is? */
static bool
is_live(const struct member *member, const struct store_item *item)
{
	const int64_t *first = member->pending_firsts != NULL
		? table_find(member->pending_firsts, span_of(item->uid))
		: NULL;

	return first != NULL && *first <= item->last;
}

/* All that was collected, but no more records than were asked for. */
static void
deliver_all_collected(struct member *member, struct instant now)
{
	struct store_item *items;
	int64_t excess = 0, wanted = member->catch_up.records;
	size_t count = store_history(member->store, member->catch_up.since,
		member->catch_up.until, wanted, &items);

	if (wanted > 0) {
		excess = -wanted;
		for (size_t i = 0; i < count; i++)
			excess += items[i].last - items[i].first + 1;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t records = items[i].last - items[i].first + 1;
		int64_t skip = excess <= 0 ? 0
			: excess < records ? excess
					   : records;

		excess -= skip;
		if (skip < records && strcmp(items[i].uid, member->uid) != 0 &&
			!is_live(member, &items[i]))
			deliver_collected(member, &items[i],
				items[i].first + skip, now);
	}
	free(items);
}

void
member_free_pending(struct member *member)
{
	for (size_t i = 0; i < member->pending_count; i++)
		free(member->pending[i].bytes);
	free(member->pending);
	member->pending = NULL;
	table_free(member->pending_firsts);
	member->pending_firsts = NULL;
	member->pending_count = member->pending_bytes = 0;
}

/* A message that came early may stand before one with a lower number. */
static void
begin_pending(struct member *member)
{
	const int64_t *first = member->pending_firsts != NULL
		? table_oldest(member->pending_firsts)
		: NULL;

	for (; first != NULL; first = table_newer(first))
		sequence_begin(member->sequence, span_of(table_key(first)),
			*first);
}

static void
end(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;
	bool first = catch_up->first;

	catch_up->phase = CATCH_UP_NONE;
	catch_up->mono = INT64_MAX;
	if (!first)
		return;
	deliver_all_collected(member, now);
	catch_up->first = false;
	member->is_reading_kept = true;
	begin_pending(member);
	for (size_t i = 0; i < member->pending_count; i++)
		member_hear_envelope(member,
			(struct span){ member->pending[i].bytes,
				member->pending[i].len },
			now);
	member->is_reading_kept = false;
	member_free_pending(member);
	if (catch_up->cut_wall > 0)
		plan_away(member, catch_up->cut_wall, now);
}

/* Once more, or it has to do. */
static void
retry(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	/* Who offers does so no sooner again. */
	if (++catch_up->tries < TRIES_MAX)
		plan(member, catch_up->since, now.mono + OFFER_REST_MS);
	else
		end(member, now);
}

static uint64_t
hash_inbox(struct span inbox)
{
	return heads_message_digest(inbox, 0, 0);
}

/* In the next try, others go before it. */
static void
note_failed(struct member_catch_up *catch_up, const struct member_offer *offer)
{
	catch_up->failed[catch_up->failed_next++ % OFFERS_MAX] = hash_inbox(
		span_of(offer->inbox));
}

static bool
has_failed(const struct member_catch_up *catch_up, struct span inbox)
{
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (catch_up->failed[i] == hash_inbox(inbox))
			return true;
	return false;
}

/* What the chosen ones offered did not come. */
static void
fail(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	for (size_t i = 0; i < catch_up->offer_count; i++)
		if (catch_up->offers[i].asked)
			note_failed(catch_up, &catch_up->offers[i]);
	member->calls.ignored(member->calls.context,
		"an offer of what was said before: not all of it came");
	retry(member, now);
}

static void
check_complete(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;
	size_t count;

	for (size_t i = 0; i < catch_up->offer_count; i++)
		if (catch_up->offers[i].slice >= 0)
			return;
	if (catch_up->next < catch_up->total)
		return;
	/* Later, what of it did not come shows in the minutes; all of it again
	 * would cost more than that. */
	if (!catch_up->first ||
		own_digest(member, &count) == catch_up->digest ||
		(int64_t)count >= catch_up->total)
		end(member, now);
	else
		fail(member, now);
}

/* Who has not failed; who has more of what was asked for; where that is the
 * newest so many and both have enough, whose set begins later: the other one
 * has holes in it. */
static bool
is_better(const struct member *member, const struct member_offer *offer,
	const struct member_offer *best)
{
	int64_t wanted = member->catch_up.records > 0 ? member->catch_up.records
						      : INT64_MAX;
	int64_t records = member_earlier(offer->records, wanted);
	int64_t best_records = member_earlier(best->records, wanted);

	if (offer->failed != best->failed)
		return best->failed;
	if (records != best_records)
		return records > best_records;
	return wanted < INT64_MAX && offer->oldest > best->oldest;
}

/* What is asked of all is due: the best of the offers, and who has the same,
 * are asked for it. */
static void
choose(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;
	const struct member_offer *best = NULL;
	size_t count;

	for (size_t i = 0; i < catch_up->offer_count; i++) {
		const struct member_offer *offer = &catch_up->offers[i];

		if (best == NULL || is_better(member, offer, best))
			best = offer;
	}
	if (best == NULL || best->digest == own_digest(member, &count)) {
		end(member, now);
		return;
	}
	catch_up->phase = CATCH_UP_FETCHING;
	catch_up->total = best->have;
	catch_up->digest = best->digest;
	catch_up->next = 0;
	ask_slices(member, now);
}

/* The question is due, to the room or to the one who can answer it. */
static void
ask(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	if (catch_up->offer_count > 0) {
		catch_up->phase = CATCH_UP_FETCHING;
		catch_up->total = 1;
		catch_up->next = 0;
		ask_slices(member, now);
		return;
	}
	catch_up->phase = CATCH_UP_OFFERED;
	/* Once more is for the same: what came since then came by itself. */
	if (!catch_up->first || catch_up->until == 0)
		catch_up->until = now.wall;
	catch_up->mono = now.mono + OFFER_WAIT_MS;
	send_want(member, member->topic, -1);
}

/* Who was asked is silent: others do the rest. */
static void
give_up_silent(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	for (size_t i = 0; i < catch_up->offer_count; i++) {
		struct member_offer *offer = &catch_up->offers[i];

		if (offer->slice < 0)
			continue;
		catch_up->next = member_earlier(catch_up->next, offer->slice);
		offer->slice = -1;
		offer->have = -1;
	}
	/* Who has told of it, and nobody else, is asked for it. */
	if (catch_up->directed && ++catch_up->tries < TRIES_MAX) {
		catch_up->offers[0].have = 0;
		ask(member, now);
		return;
	}
	ask_slices(member, now);
	for (size_t i = 0; i < catch_up->offer_count; i++)
		if (catch_up->offers[i].slice >= 0)
			return;
	if (catch_up->directed)
		end(member, now);
	else
		fail(member, now);
}

int64_t
member_catch_up_deadline(const struct member *member)
{
	return member->up && member->catch_up.phase != CATCH_UP_NONE
		? member->catch_up.mono
		: INT64_MAX;
}

void
member_tick_catch_up(struct member *member, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	if (catch_up->first && catch_up->phase != CATCH_UP_NONE &&
		now.mono - catch_up->begun >= FIRST_MAX_MS)
		end(member, now);
	if (now.mono < member_catch_up_deadline(member))
		return;
	switch (member->catch_up.phase) {
	case CATCH_UP_PLANNED:
		ask(member, now);
		break;
	case CATCH_UP_OFFERED:
		choose(member, now);
		break;
	case CATCH_UP_FETCHING:
		give_up_silent(member, now);
		break;
	case CATCH_UP_NONE:
		break;
	}
}

void
member_note_collected(struct member *member, struct instant now)
{
	if (member->catch_up.phase == CATCH_UP_FETCHING)
		member->catch_up.mono = member_earlier(now.mono + SLICE_WAIT_MS,
			member->catch_up.slice_mono + SLICE_MAX_MS);
}

/* What cannot be is no offer. */
static bool
is_possible(const struct room_message *offer)
{
	return offer->digest != 0 && offer->have > 0 &&
		offer->have <= OFFER_HAVE_MAX &&
		offer->records >= offer->have &&
		offer->records <= offer->have * ROOM_BLOCK_LINES_MAX;
}

static void
add_offer(struct member *member, struct span inbox,
	const struct room_message *offer)
{
	struct member_catch_up *catch_up = &member->catch_up;

	if (catch_up->offer_count == OFFERS_MAX || inbox.len == 0)
		return;
	struct member_offer *new = &catch_up->offers[catch_up->offer_count++];
	*new = (struct member_offer){ .have = offer->have,
		.records = offer->records,
		.oldest = offer->oldest,
		.digest = offer->digest,
		.slice = -1,
		.failed = has_failed(catch_up, inbox) };
	memcpy(new->inbox, inbox.bytes, inbox.len);
}

/* A slice that ended early, as its messages are large, goes on. */
static void
go_on(struct member *member, struct member_offer *from,
	const struct room_message *end)
{
	struct member_catch_up *catch_up = &member->catch_up;
	int64_t next = end->skip + end->sent;
	int64_t others = (end->skip / SLICE_MESSAGES + 1) * SLICE_MESSAGES;

	if (end->sent <= 0 || end->sent >= SLICE_MESSAGES || next >= others ||
		next >= catch_up->total)
		return;
	from->slice = next;
	send_want(member, from->inbox, next);
}

static void
end_slice(struct member *member, const struct room_message *offer,
	struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	for (size_t i = 0; i < catch_up->offer_count; i++) {
		struct member_offer *from = &catch_up->offers[i];

		if (from->slice < 0 || from->slice != offer->skip ||
			!span_equal(span_of(from->inbox), offer->inbox))
			continue;
		from->slice = -1;
		/* One who was asked without an offer says it now. */
		if (offer->have > catch_up->total) {
			catch_up->total = offer->have;
			catch_up->digest = from->digest = offer->digest;
		}
		go_on(member, from, offer);
	}
	ask_slices(member, now);
	check_complete(member, now);
}

void
member_hear_offer(struct member *member, const struct room_message *offer,
	struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	if (offer->since != catch_up->since ||
		offer->until != catch_up->until || offer->have < 0)
		return;
	if (catch_up->phase == CATCH_UP_FETCHING && offer->sent >= 0) {
		end_slice(member, offer, now);
	} else if (catch_up->phase == CATCH_UP_OFFERED && offer->sent < 0 &&
		is_possible(offer)) {
		add_offer(member, offer->inbox, offer);
		catch_up->mono = member_earlier(catch_up->mono,
			now.mono + OFFERS_WAIT_MS);
	}
}

/* One who has more than we is asked for it, without a question to all. */
static void
plan_from(struct member *member, struct span inbox, int64_t since,
	int64_t until, struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	catch_up->records = -1;
	catch_up->tries = 0;
	catch_up->digest = 0;
	plan(member, since, now.mono + member_spread(member, AGAIN_SPREAD_MS));
	catch_up->until = until;
	catch_up->directed = true;
	add_offer(member, inbox, &(struct room_message){ .digest = 0 });
}

/* Were these minutes asked for already? */
static bool
was_compared(struct member *member, const struct room_minute *minute)
{
	uint64_t mark = minute->digest + (uint64_t)minute->minute;
	size_t size = sizeof(member->compared) / sizeof(*member->compared);

	for (size_t i = 0; i < size; i++)
		if (member->compared[i] == mark)
			return true;
	member->compared[member->compared_next++ % size] = mark;
	return false;
}

void
member_compare_minutes(struct member *member, const struct room_message *here,
	struct instant now)
{
	struct member_catch_up *catch_up = &member->catch_up;

	if (!member->up || catch_up->phase != CATCH_UP_NONE ||
		here->inbox.len == 0)
		return;
	for (size_t i = 0; i < here->minute_count; i++) {
		const struct room_minute *minute = &here->minutes[i];
		int64_t since = minute->minute * HEADS_MINUTE_MS;

		if (minute->digest == 0 || since < member->came ||
			minute->minute > heads_closed_minute(now.wall) ||
			minute->digest ==
				heads_minute(member->heads, minute->minute) ||
			was_compared(member, minute))
			continue;
		plan_from(member, here->inbox, since,
			since + HEADS_MINUTE_MS - 1, now);
		return;
	}
}

void
member_fetch_news(struct member *member, struct span inbox, int64_t oldest,
	struct instant now)
{
	int64_t since = member_earlier(member->agreed_wall, oldest) -
		AWAY_MARGIN_MS;

	if (!member->up || member->catch_up.phase != CATCH_UP_NONE ||
		inbox.len == 0)
		return;
	if (since < member->came)
		since = member->came;
	plan_from(member, inbox, since, now.wall, now);
}

/* Which number of a sender was the lowest that came while we collected. */
static void
note_pending(struct member *member, const struct room_message *message)
{
	bool made;

	if (message->uid.len == 0 || message->seq <= 0)
		return;
	if (member->pending_firsts == NULL)
		member->pending_firsts = table_new(sizeof(int64_t),
			(size_t)member->quotas.senders);
	int64_t *first = table_touch(member->pending_firsts, message->uid,
		&made);
	if (made || message->seq < *first)
		*first = message->seq;
}

bool
member_keep_pending(struct member *member, const struct room_message *message,
	struct span envelope, struct instant now)
{
	if (!member->participant || !member->catch_up.first)
		return false;
	if (member->pending_bytes + envelope.len >
		(size_t)member->quotas.catch_up_bytes) {
		member->over.catch_up_bytes++;
		end(member, now);
		return false;
	}
	note_pending(member, message);
	member->pending = memory_resize(member->pending,
		member->pending_count + 1, sizeof(*member->pending));
	member->pending[member->pending_count++] = (struct member_pending){
		memory_copy(envelope.bytes, envelope.len), envelope.len
	};
	member->pending_bytes += envelope.len;
	return true;
}
