/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include <string.h>

enum {
	ROOM_ANSWER_REST_MS = 1000, /* between two "here" into the room */
	RUMOUR_REST_MS = 10 * 1000, /* when one alone tells of it again, … */
	RUMOUR_MS = 150 * 1000,     /* … and how long that is looked at */
	TOLD_MAX = 8,   /* senders of which one alone says that they miss, at
			 * once */
	NEWS_LEAST = 8, /* unknown senders: not asked for one by one */
	ROOM_ANSWER_SPREAD_MS = 1000, /* at most, for a legacy question */
};

/* A sender's newest number, as it says. */
void
member_hear_last(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	if (!member->participant || message->last < 0 ||
		message->uid.len == 0 || member_is_own(member, message))
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
			member_is_younger_now(member, message, trust, now));
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
	bool all = member_is_younger(member, head->since);
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
	if (member_is_own(member, message)) {
		member->present = true;
		return;
	}
	if (message->app.len == 0)
		member->legacy_mono = now.mono;
	if (made)
		member_deliver_arrival(member, message, trust,
			place == PLACE_INBOX, now);
	member_hear_last(member, message, trust, now);
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

void
member_answer_room(struct member *member, struct instant now)
{
	if (!member->participant || member->leaving ||
		member->here_mono != INT64_MAX ||
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
	if (place == PLACE_ROOM)
		member_answer_room(member, now);
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

	if (member_is_own(member, message)) {
		hear_own_bye(member, now);
		return;
	}
	member_hear_last(member, message, trust, now);
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

void
member_hear_presence(struct member *member, const struct room_message *message,
	const struct trust *trust, enum place place, struct instant now)
{
	if (message->type == ROOM_WHO)
		hear_who(member, message, place, now);
	else if (message->type == ROOM_HERE)
		hear_here(member, message, trust, place, now);
	else
		hear_bye(member, message, trust, now);
}
