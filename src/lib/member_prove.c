/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include <assert.h>
#include <string.h>

/*
 * That a post was routed is proved by its coming back: in the room, or for
 * what a stream says after its first echo, by a marker to its own inbox that
 * was published behind it.  Brokers keep the order of one connection.
 *
 * Where the fabric acknowledges nothing, a marker behind what is large tells
 * when that has come to the broker, and then its echo is not only late.
 */

enum {
	/* After the last message, and at most as much again, until it is told
	 * which was the last. */
	HEADS_QUIET_MS = 3000,
	/* A stream tells it again, each time after twice as long, at most … */
	TELL_MAX_MS = 10 * 60 * 1000,
	LARGE_BYTES = 32 * 1024,  /* unproved, and wants a marker … */
	SLOWEST_RATE = 32 * 1024, /* … that comes with so many in a second */
};

bool
member_is_proved_by_markers(const struct member *member)
{
	return member->stream && !member->attending;
}

static bool
wants_marker(const struct member *member)
{
	return member_is_proved_by_markers(member) ||
		(member->unacknowledged &&
			outbox_bytes(member->outbox) >= LARGE_BYTES);
}

/* Asks for the proof of all that was published so far, one at a time. */
static void
send_marker(struct member *member)
{
	struct room_message marker;

	if (!wants_marker(member) || member->unconfirmed ||
		!member->connected || member->marked != 0 ||
		outbox_count(member->outbox) == 0)
		return;
	member->marked_bytes = outbox_bytes(member->outbox);
	room_message_init(&marker, ROOM_PROOF);
	marker.last = member->marked = member->published;
	marker.conn = span_of(member->conn);
	member_send(member, member->inbox, &marker, member->topic);
}

void
member_publish_post(struct member *member, size_t i)
{
	member_sign_post(member, i);
	struct outbox_post post = outbox_at(member->outbox, i);

	member->calls.publish(member->calls.context, member->topic,
		post.envelope);
	member->published = post.serial;
	send_marker(member);
}

void
member_publish_unproved(struct member *member)
{
	member->marked = 0;
	member->remarked = false;
	if (member->stream && !member->unconfirmed) {
		member->attending = true;
		member->calls.attend(member->calls.context, true);
	}
	for (size_t i = 0; i < outbox_count(member->outbox); i++)
		member_publish_post(member, i);
}

/* Tells of a post that was said by an earlier process. */
static void
tell_resent(struct member *member, const char *uid, int64_t first, bool proved)
{
	if (member->calls.resent != NULL && strcmp(uid, member->uid) != 0)
		member->calls.resent(member->calls.context, uid, first, proved);
}

void
member_begin_proof(struct member *member, struct instant now)
{
	member->progress_mono = now.mono;
	member->sending_ms = 0;
}

/* The i-th post has been routed. */
static void
prove(struct member *member, size_t i, struct instant now)
{
	struct outbox_post post = outbox_at(member->outbox, i);
	struct span uid = span_of(post.uid);
	int64_t first = post.first, last = post.last;

	if (member->show_own)
		member_deliver_own(member, post.payload, now);
	if (member->participant || member->stream)
		store_put(member->store, uid, first, last, post.ms,
			post.envelope);
	if (member->participant)
		heads_note(member->heads, uid, first, last, post.ms,
			member->since, now.wall);
	member_plan_heads(member, now);
	tell_resent(member, post.uid, first, true);
	outbox_remove(member->outbox, i);
	member_begin_proof(member, now);
	member->retried = member->remarked = false;
	member->routed = true;
	member->calls.proved(member->calls.context, first, last);
}

/* Also one that was given up may come back. */
static bool
find_post(struct member *member, const struct room_message *message,
	struct span payload, size_t *i)
{
	if (outbox_find(member->outbox, message->uid, message->seq, payload, i))
		return true;
	if (!outbox_find(member->given_up, message->uid, message->seq, payload,
		    i))
		return false;
	outbox_move(member->given_up, *i, member->outbox);
	*i = outbox_count(member->outbox) - 1;
	return true;
}

bool
member_take_echo(struct member *member, const struct room_message *message,
	struct span payload, struct instant now)
{
	bool own = span_equal(message->uid, span_of(member->uid));
	size_t i;

	if (!find_post(member, message, payload, &i)) {
		if (own)
			member->counts.doubles++;
		return own;
	}
	int64_t last = outbox_at(member->outbox, i).last;
	prove(member, i, now);
	/* Who said it first is not here to say that it has gone. */
	if (!own && !outbox_has(member->outbox, message->uid))
		member_send_bye_of(member, message->uid, message->user, last,
			now);
	if (member->stream && member->attending) {
		member->attending = false;
		member->calls.attend(member->calls.context, false);
		send_marker(member);
	}
	return true;
}

void
member_take_marker(struct member *member, const struct room_message *message,
	struct instant now)
{
	if (!span_equal(message->conn, span_of(member->conn)) ||
		member->marked == 0 || message->last != member->marked)
		return;
	if (!member_is_proved_by_markers(member)) {
		member->marked = 0;
		/* A stream waits for the echo of its first post alone. */
		if (!member->stream && member->published > message->last)
			send_marker(member);
		return;
	}
	while (outbox_count(member->outbox) > 0 &&
		outbox_at(member->outbox, 0).serial <= message->last)
		prove(member, 0, now);
	member->marked = 0;
	send_marker(member);
}

void
member_plan_heads(struct member *member, struct instant now)
{
	if (!member->participant && !member->stream)
		return;
	member->heads_mono = now.mono + HEADS_QUIET_MS +
		member_random(member, HEADS_QUIET_MS) +
		member_spread(member, MEMBER_PING_MS / 2);
	member->tell_ms = INT64_C(2) * HEADS_QUIET_MS;
}

/* Who missed the last of it may have missed this, too, and there may be nobody
 * else to tell of it. */
static void
plan_again(struct member *member, struct instant now)
{
	member->heads_mono = now.mono + member->tell_ms;
	member->tell_ms = member_earlier(2 * member->tell_ms, TELL_MAX_MS);
}

void
member_tell_last(struct member *member, struct instant now)
{
	struct room_message told;

	member->heads_mono = INT64_MAX;
	if (!member->connected || member->told == member->last)
		return;
	if (member->finishing)
		member->told = member->last;
	else
		plan_again(member, now);
	room_message_init(&told, ROOM_PROOF);
	told.uid = span_of(member->uid);
	told.last = member->last;
	told.since = member->since;
	told.inbox = span_of(member->inbox);
	member_send(member, member->topic, &told, NULL);
}

/* Who said the i-th post first is not here to say that it has gone. */
static void
prove_resent(struct member *member, size_t i, struct instant now)
{
	struct outbox_post post = outbox_at(member->outbox, i);
	struct text envelope = { 0 };
	struct dxl_message event;
	struct room_message message;
	struct fault fault;

	text_append(&envelope, post.envelope.bytes, post.envelope.len);
	int64_t last = post.last;
	prove(member, i, now);
	if (dxl_parse(&event, (struct span){ envelope.bytes, envelope.len },
		    &fault) == 0) {
		if (room_parse(&message, event.payload, &fault) == 0) {
			if (!outbox_has(member->outbox, message.uid))
				member_send_bye_of(member, message.uid,
					message.user, last, now);
			room_message_free(&message);
		}
		dxl_message_free(&event);
	}
	text_free(&envelope);
}

void
member_sent(struct member *member, struct instant now)
{
	size_t i = 0;

	while (i < outbox_count(member->outbox)) {
		struct outbox_post post = outbox_at(member->outbox, i);

		if (!post.unconfirmed)
			i++;
		else if (strcmp(post.uid, member->uid) == 0)
			prove(member, i, now);
		else
			prove_resent(member, i, now);
	}
}

void
member_sending(struct member *member, struct instant now)
{
	if (!member->up || outbox_count(member->outbox) == 0 ||
		now.mono <= member->progress_mono)
		return;
	member->sending_ms += now.mono - member->progress_mono;
	member->progress_mono = now.mono;
}

/* How long what is large may be on its way where nothing tells (ms). */
static int64_t
patience(const struct member *member)
{
	if (member->marked == 0 || member_is_proved_by_markers(member))
		return 0;
	return (int64_t)member->marked_bytes * 1000 / SLOWEST_RATE;
}

/* When posts without a proof call for something (mono ms).  The way back may
 * take as long as the way out. */
int64_t
member_proof_deadline(const struct member *member)
{
	if (!member->up || outbox_count(member->outbox) == 0)
		return INT64_MAX;
	int64_t since = member->progress_mono + member->sending_ms +
		patience(member);
	if (member->marked != 0 && !member->remarked)
		return since + member->proof_ms / 4;
	return since + member->proof_ms / 2;
}

/* A marker may be lost where a message must not be, as it has no number. */
static void
mark_again(struct member *member)
{
	member->remarked = true;
	member->marked = 0;
	send_marker(member);
}

/* What a person has said is kept until it is said again. */
static void
set_aside_first(struct member *member)
{
	outbox_move(member->outbox, 0, member->given_up);
	while (outbox_count(member->given_up) > MEMBER_GIVEN_UP_MAX ||
		outbox_bytes(member->given_up) > MEMBER_GIVEN_UP_BYTES_MAX) {
		outbox_drop(member->given_up);
		member->over.given_up++;
	}
}

static void
give_up_first(struct member *member)
{
	struct outbox_post post = outbox_at(member->outbox, 0);
	struct room_message message;
	struct fault fault;

	int rc = room_parse(&message, post.payload, &fault);
	assert(rc == 0);
	(void)rc;
	member->calls.unproved(member->calls.context, post.first, post.last,
		message.text);
	room_message_free(&message);
	tell_resent(member, post.uid, post.first, false);
	if (member->participant && strcmp(post.uid, member->uid) == 0)
		set_aside_first(member);
	else
		outbox_drop(member->outbox);
}

void
member_await_proof(struct member *member, struct instant now)
{
	if (now.mono < member_proof_deadline(member))
		return;
	if (member->marked != 0 && !member->remarked) {
		mark_again(member);
		return;
	}
	if (!member->retried) {
		member->retried = true;
		member_begin_proof(member, now);
		member->calls.retry(member->calls.context);
		return;
	}
	if (member->unconfirmed || (member->stream && member->routed)) {
		struct outbox_post post = outbox_at(member->outbox, 0);

		member->progress_mono = INT64_MAX / 2;
		member->sending_ms = 0;
		member->calls.unproved(member->calls.context, post.first,
			post.last, span_of(""));
		return;
	}
	while (outbox_count(member->outbox) > 0)
		give_up_first(member);
}

void
member_finish(struct member *member, struct instant now)
{
	member->finishing = true;
	member_tick_finish(member, now);
}

/* Who comes back by return_mono has missed our bye, and is told then what
 * there is to ask for. */
static void
linger(struct member *member, struct instant now)
{
	int64_t mono = member_earlier(member->return_mono,
		member->finished_mono + MEMBER_RETURN_MAX_MS);

	if (mono > now.mono) {
		member->told = 0;
		member->heads_mono = mono;
	} else {
		mono = now.mono;
	}
	member->linger_until = mono + MEMBER_LINGER_MS;
	member->linger_max = mono + MEMBER_LINGER_MAX_MS;
}

void
member_tick_finish(struct member *member, struct instant now)
{
	if (!member->finishing || member->finished ||
		outbox_count(member->outbox) > 0)
		return;
	member->finished = true;
	member->finished_mono = now.mono;
	member->linger_until = member->linger_max = now.mono;
	if (!member->stream)
		return;
	if (member->connected)
		member_send_bye(member, now);
	linger(member, now);
	if (member->lost_mono >= 0)
		member->linger_until = member->linger_max;
}

void
member_linger(struct member *member, struct instant now)
{
	int64_t until = member_earlier(member->linger_max,
		now.mono + MEMBER_LINGER_MS);

	if (member->finished && until > member->linger_until)
		member->linger_until = until;
}

void
member_lose_others(struct member *member, struct instant now)
{
	if (member->up)
		member->lost_mono = now.mono;
	if (member->finished && member->stream)
		member->linger_until = member->linger_max;
}

/* Others rest between their attempts as we do, so that the last rest of most
 * is no longer than the outage was. */
void
member_await_others(struct member *member, struct instant now)
{
	if (member->lost_mono < 0 && !member->after_outage)
		return;
	member->return_mono = now.mono + MEMBER_RETURN_MS;
	if (member->lost_mono >= 0)
		member->return_mono += (now.mono - member->lost_mono) * 5 / 4;
	member->lost_mono = -1;
	member->after_outage = false;
	if (member->finished && member->stream)
		linger(member, now);
}

bool
member_is_finished(const struct member *member, struct instant now)
{
	return member->finished && now.mono >= member->linger_until;
}
