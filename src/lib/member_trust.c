/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "cover.h"
#include "sign.h"
#include "translate.h"

#include <string.h>

/*
 * Who said it (qchat-protocol(7), "Who is believed").  What the verifier says
 * of a signature is one half; the other is what has to do with a room: is it
 * fresh, and whose is the UID?
 */

enum { BADS_A_SECOND = 50 }; /* forged messages that are shown */

static bool
is_proven(const struct trust *trust)
{
	return trust->fingerprint[0] != '\0';
}

static void
condemn(struct trust *trust, const char *why)
{
	trust->mark = TRUST_BAD;
	trust->why = why;
}

/* A will was signed when its connection began, and is fresh as long as that is
 * the live one. */
static bool
is_will(const struct member *member, const struct room_message *message)
{
	const struct roster_entry *entry = roster_find(member->roster,
		message->uid);

	return message->type == ROOM_BYE && message->conn.len > 0 &&
		entry != NULL && roster_bye_fits(entry, message->conn);
}

static bool
is_fresh(const struct trust *trust, struct instant now)
{
	return trust->sent >= now.wall - TRUST_FRESH_MS &&
		trust->sent <= now.wall + TRUST_FRESH_MS;
}

/* Presence that is older than what was heard last would put a participant back
 * to where it was. */
static bool
is_old_presence(struct member_owner *owner, const struct room_message *message,
	const struct trust *trust)
{
	if (message->type != ROOM_HERE && message->type != ROOM_BYE)
		return false;
	if (trust->sent < owner->present)
		return true;
	owner->present = trust->sent;
	return false;
}

/* A UID belongs to the certificate that first used it. */
static struct member_owner *
owner_of(struct member *member, struct span uid, const struct trust *trust)
{
	bool made;

	/* Whoever makes his own authority could take any. */
	if (!trust->is_trusted)
		return table_find(member->owners, uid);
	struct member_owner *owner = table_touch(member->owners, uid, &made);
	if (made)
		strcpy(owner->fingerprint, trust->fingerprint);
	return owner;
}

/* Is its UID that of who says it?  Requests and receipts name another's. */
static bool
is_of_its_sender(const struct room_message *message)
{
	return message->type == ROOM_MESSAGE || message->type == ROOM_HERE ||
		message->type == ROOM_BYE || message->type == ROOM_PROOF;
}

static void
judge_owner(struct member *member, const struct room_message *message,
	bool is_signed, bool is_live, struct trust *trust)
{
	if (message->uid.len == 0 || !is_of_its_sender(message))
		return;
	struct member_owner *owner = owner_of(member, message->uid, trust);
	if (owner == NULL || trust->is_unchecked)
		return;
	if (!is_proven(trust))
		condemn(trust,
			is_signed ? "its key could not be had, and its UID "
				    "belongs to a certificate"
				  : N_("not signed, and its UID belongs to a "
				       "certificate"));
	else if (strcmp(owner->fingerprint, trust->fingerprint) != 0)
		condemn(trust, "its UID belongs to another certificate");
	else if (is_live && !is_will(member, message) &&
		is_old_presence(owner, message, trust))
		condemn(trust, "replayed: newer presence was heard");
}

/* Where one looks stale its clock may be wrong, where all do, ours. */
static void
note_stale(struct member *member, const struct trust *trust, struct instant now)
{
	if (member->stale[0] == '\0') {
		strcpy(member->stale, trust->fingerprint);
	} else if (strcmp(member->stale, trust->fingerprint) != 0 &&
		!member->clock_told && member->calls.clock != NULL) {
		member->clock_told = true;
		member->calls.clock(member->calls.context,
			trust->sent - now.wall);
	}
}

bool
member_judges(const struct member *member)
{
	return member->owners != NULL;
}

void
member_judge_claim(struct member *member, const struct room_message *message,
	const struct trust_claim *claim, enum member_age age,
	struct instant now, struct trust *trust)
{
	*trust = (struct trust){ .sent = -1 };
	if (!member_judges(member))
		return;
	member->calls.vouch(member->calls.context, claim, trust);
	if (trust->mark == TRUST_BAD)
		return;
	bool is_live = age == MEMBER_LIVE;
	if (is_live && is_proven(trust) && !is_fresh(trust, now) &&
		!is_will(member, message)) {
		note_stale(member, trust, now);
		trust->is_stale = true;
		condemn(trust, "stale: signed more than ten minutes from now");
		return;
	}
	/* What is ours has our clock. */
	if (is_live && is_proven(trust) &&
		strcmp(trust->fingerprint, member->own.fingerprint) != 0)
		member->stale[0] = '\0';
	if (trust->is_trusted)
		member->has_trusted = true;
	judge_owner(member, message, claim->sig.len > 0, is_live, trust);
}

/* What an event says of who signed it for that topic. */
static struct trust_claim
claim_of(const struct dxl_message *event, const struct text *topic,
	struct span user)
{
	return (struct trust_claim){
		.topic = { topic->bytes, topic->len },
		.payload = event->payload,
		.sig = dxl_field(event, SIGN_SIG_FIELD),
		.bind = dxl_field(event, SIGN_BIND_FIELD),
		.cert = dxl_field(event, SIGN_CERT_FIELD),
		.source = event->source_client_id,
		.user = user,
	};
}

/* Appends what an event in this place was to be signed for.  A repair keeps
 * the signature that it had in the room. */
static void
append_signed_place(const struct member *member,
	const struct dxl_message *event, enum place place, bool is_repair,
	struct text *topic)
{
	bool is_direct = span_equal(dxl_field(event, COVER_FIELD),
		span_of(COVER_DIRECT));
	bool has_about = dxl_field(event, ROOM_TOPIC_FIELD).len > 0;

	if (is_direct)
		member_append_place(member->inbox, member->topic,
			member->x25519, topic);
	else if (place == PLACE_LOBBY)
		text_append_string(topic, ROOM_LOBBY_TOPIC);
	else if (place == PLACE_INBOX && !is_repair)
		/* One about another room does not come here. */
		member_append_place(member->inbox,
			has_about ? member->topic : NULL, NULL, topic);
	else
		text_append_string(topic, member->topic);
}

void
member_judge(struct member *member, const struct room_message *message,
	const struct dxl_message *event, enum place place, enum member_age age,
	struct instant now, struct trust *trust)
{
	struct text topic = { 0 };
	bool is_direct = span_equal(dxl_field(event, COVER_FIELD),
		span_of(COVER_DIRECT));
	bool is_repair = place == PLACE_INBOX &&
		message->type == ROOM_MESSAGE && !is_direct;

	append_signed_place(member, event, place, is_repair, &topic);
	const struct trust_claim claim = claim_of(event, &topic, message->user);
	member_judge_claim(member, message, &claim,
		is_repair ? MEMBER_KEPT : age, now, trust);
	text_free(&topic);
}

void
member_judge_names(struct member *member)
{
	struct roster_entry *entry = roster_first(member->roster);

	for (; entry != NULL && member_judges(member);
		entry = roster_next(entry))
		member->calls.judge_name(member->calls.context,
			span_of(entry->user), &entry->trust);
}

/* Our own key signed it, as far as we look. */
bool
member_is_own_claim(struct member *member, const struct dxl_message *event)
{
	struct trust trust = { .sent = -1 };
	struct text topic = { 0 };

	if (member->calls.vouch == NULL || !is_proven(&member->own))
		return true;
	member_append_place(member->inbox, member->topic, NULL, &topic);
	const struct trust_claim claim = claim_of(event, &topic,
		span_of(member->user));
	member->calls.vouch(member->calls.context, &claim, &trust);
	text_free(&topic);
	return strcmp(trust.fingerprint, member->own.fingerprint) == 0;
}

bool
member_is_believed(const struct member *member, const struct trust *trust)
{
	return !member_judges(member) || trust->is_trusted ||
		(is_proven(trust) && !member->has_trusted);
}

void
member_hear_forged(struct member *member, const struct room_message *message,
	const struct trust *trust, enum place place, struct instant now)
{
	member->counts.forged++;
	member->calls.ignored(member->calls.context, trust->why);
	if (message->type != ROOM_MESSAGE || place != PLACE_ROOM ||
		!member->participant)
		return;
	if (now.mono - member->bad_mono >= 1000) {
		member->bad_mono = now.mono;
		member->bads = 0;
	}
	if (member->bads++ >= BADS_A_SECOND) {
		member->over.shown++;
		return;
	}
	struct record record = member_record(member, message, RECORD_MESSAGE,
		now);

	/* What it says of itself beyond its text is not believed either. */
	record.own = false;
	record.sealed = member->sealed && !trust->is_clear;
	record.time = now.wall;
	record.text = message->text;
	record.title = message->title;
	record.severity = message->severity;
	record.trust = *trust;
	member_deliver(member, &record);
}
