/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "cover.h"
#include "sign.h"
#include "translate.h"

#include <string.h>

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
		member_deliver_arrival(member, message, trust, false, now);
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
		member_deliver_message(member, message, trust, 0, replayed,
			now);
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
		member_last_number(message), member_time_of(message, now),
		envelope);
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
			member_last_number(message), &lost);
}

void
member_hear_repaired(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, struct instant now)
{
	if (!member->participant || message->uid.len == 0 || message->seq < 0 ||
		member_is_own(member, message))
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

/* Who asks with a clock that is wrong sees by the answers that it is.  Anybody
 * may ask, without a signature, too. */
static bool
is_late_question(const struct room_message *message, const struct trust *trust)
{
	return message->type == ROOM_WHO && message->inbox.len > 0 &&
		trust->is_stale;
}

static void
hear_judged(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, enum place place,
	struct instant now)
{
	bool in_room = place == PLACE_ROOM;

	/* What was not checked is shown and proves nothing: its sender has it,
	 * and is asked when there is time. */
	if (is_late_question(message, trust))
		member_hear_presence(member, message, trust, place, now);
	else if (trust->mark == TRUST_BAD || trust->is_unchecked)
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
		member_hear_last(member, message, trust, now);
	else
		member_hear_presence(member, message, trust, place, now);
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
			.why = N_("not sealed, in a room that is"),
			.sent = -1 };
		member_hear_forged(member, message, &trust, place, now);
		/* Who enters without the secret may not know of it: an answer
		 * that cannot be opened shows that there is one. */
		if (message->type == ROOM_WHO && place == PLACE_ROOM)
			member_answer_room(member, now);
		return;
	}
	/* What is ours is known by its bytes. */
	if (message->type == ROOM_MESSAGE && place == PLACE_ROOM &&
		message->uid.len > 0 && message->seq > 0 &&
		member_take_echo(member, message, event->payload, now))
		return;
	if (message->type == ROOM_PROOF && place == PLACE_INBOX) {
		/* Who forges one that proves nothing has us wait less. */
		if (!member_is_proved_by_markers(member) ||
			member_is_own_claim(member, event))
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
