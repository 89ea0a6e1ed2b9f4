/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "translate.h"

#include <string.h>

/* 0, or -1 if it is too large. */
static int
say_there(struct member *member, const struct room_message *message,
	const struct member_place *place, struct fault *fault)
{
	struct text bytes = { 0 };

	member_direct_event(member, place->inbox, place->x25519, message,
		&bytes);
	int rc = bytes.len <= MEMBER_SEALED_MAX ? 0 : -1;
	if (rc < 0)
		fault_set(fault, FAULT_DATA,
			"the message has %zu bytes when encoded (at most %d "
			"to one alone)",
			bytes.len, MEMBER_SEALED_MAX);
	else
		member->calls.publish_to(member->calls.context, place->inbox,
			place->x25519, (struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
	return rc;
}

int64_t
member_say_to(struct member *member, const struct member_post *post,
	int64_t number, const struct member_place *places, size_t count,
	struct instant now, struct fault *fault)
{
	struct room_message message;

	if (member->since == 0)
		member->since = now.wall;
	if (member_fill_post(member, post, &message, now, fault) < 0)
		return -1;
	/* Others in the room must not miss it. */
	message.seq = number > 0 ? number : ++member->last_direct;
	message.inbox = span_of(member->inbox);
	for (size_t i = 0; i < count; i++)
		if (say_there(member, &message, &places[i], fault) < 0)
			return -1;
	return message.seq;
}

static void
send_receipt(struct member *member, const struct room_message *message,
	const struct trust *trust)
{
	char inbox[ROOM_INBOX_MAX + 1];
	struct room_message receipt;
	struct text bytes = { 0 };

	if (message->inbox.len == 0 || member->calls.publish_to == NULL)
		return;
	memcpy(inbox, message->inbox.bytes, message->inbox.len);
	inbox[message->inbox.len] = '\0';
	room_message_init(&receipt, ROOM_RECEIPT);
	receipt.uid = message->uid;
	receipt.seq = message->seq;
	member_direct_event(member, inbox, trust->x25519, &receipt, &bytes);
	member->calls.publish_to(member->calls.context, inbox, trust->x25519,
		(struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
}

enum novelty {
	IS_NEW,
	IS_DOUBLE, /* it comes again when its receipt was lost */
	IS_OLD,    /* whether it came is not known any more */
};

static enum novelty
take_number(struct member *member, const struct room_message *message)
{
	bool made;
	struct member_direct *direct = table_touch(member->directs,
		message->uid, &made);
	int64_t ahead = message->seq - direct->newest;

	if (ahead > 0) {
		direct->seen = ahead < DIRECTS_BEHIND ? direct->seen << ahead
						      : 0;
		direct->newest = message->seq;
		ahead = 0;
	}
	if (-ahead >= DIRECTS_BEHIND)
		return IS_OLD;
	uint64_t bit = UINT64_C(1) << -ahead;
	if ((direct->seen & bit) != 0)
		return IS_DOUBLE;
	direct->seen |= bit;
	return IS_NEW;
}

static void
deliver_direct(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	struct record record = member_record(member, message, RECORD_DIRECT,
		now);

	record.sealed = true;
	record.seq = message->seq;
	record.text = message->text;
	record.title = message->title;
	record.severity = message->severity;
	record.tags = message->tags;
	record.tag_count = message->tag_count;
	record.trust = *trust;
	member->counts.messages++;
	roster_count_messages(member->roster, message->uid, 1);
	member_deliver(member, &record);
}

static const char *
why_refused(const struct member *member, const struct room_message *message,
	const struct trust *trust)
{
	/* Without a signature nobody says it. */
	if (trust->fingerprint[0] == '\0')
		return N_("a direct message that nobody has signed");
	/* It would pass for one that we have said to somebody. */
	if (member_is_own(member, message))
		return N_("a direct message under our own UID");
	return NULL;
}

void
member_hear_direct(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now)
{
	if (!member->participant || message->uid.len == 0 || message->seq < 1)
		return;
	const char *wrong = why_refused(member, message, trust);
	if (wrong != NULL) {
		member->counts.forged++;
		member->calls.ignored(member->calls.context, wrong);
		return;
	}
	enum novelty novelty = take_number(member, message);
	if (novelty == IS_NEW)
		deliver_direct(member, message, trust, now);
	else
		member->counts.doubles++;
	if (novelty != IS_OLD)
		send_receipt(member, message, trust);
}

void
member_hear_receipt(struct member *member, const struct room_message *receipt,
	const struct trust *trust)
{
	if (trust->fingerprint[0] != '\0' && member->calls.receipt != NULL &&
		span_equal(receipt->uid, span_of(member->uid)))
		member->calls.receipt(member->calls.context, receipt->seq,
			trust);
}
