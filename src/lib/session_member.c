/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include "memory.h"
#include "rooms.h"

/* bench/run compares with tools that do not sign. */
#ifndef QCHAT_SIGNS
#define QCHAT_SIGNS 1
#endif

enum {
	PARTICIPANTS_MAX = 1024,      /* in each of all rooms */
	SERVE_BYTES_MAX = 256 * 1024, /* unsent, for which repairs wait */
};

void
session_publish(void *context, const char *topic, struct span bytes)
{
	struct session *session = context;
	struct text sealed = { 0 };
	struct fault fault;

	switch (session_cover_seal(session->cover, span_of(topic), bytes,
		&sealed, &fault)) {
	case 0:
		bus_publish(session->bus, topic, bytes);
		break;
	case 1:
		bus_publish(session->bus, topic,
			(struct span){ sealed.bytes, sealed.len });
		break;
	default: /* too large, or mute: it waits for its proof in vain */
		session_ignore(session, fault.text);
		break;
	}
	text_free(&sealed);
}

static void
member_publish_to(void *context, const char *topic, const unsigned char *key,
	struct span bytes)
{
	struct session *session = context;
	struct text sealed = { 0 };
	struct fault fault;

	/* A key that is none comes from who gets nothing then. */
	if (cover_seal_to(key, span_of(topic), bytes, &sealed, &fault) == 0)
		bus_publish(session->bus, topic,
			(struct span){ sealed.bytes, sealed.len });
	text_free(&sealed);
}

/* Something is in the room, so that its name is not mistyped; but what is only
 * rehearsed is not. */
static void
remember_room(struct session *session)
{
	const struct session_config *config = &session->config;

	if (session->is_remembered || config->room == NULL || config->unheard ||
		*session->conn == '\0')
		return;
	session->is_remembered = true;
	rooms_remember(member_room(session->members[0]));
}

static void
member_receipt(void *context, int64_t number, const struct trust *trust)
{
	struct session *session = context;

	remember_room(session);
	if (session->calls.receipt != NULL)
		session->calls.receipt(session->calls.context, number, trust);
}

/* Repairs must not pile up before a slow network, nor delay what is said. */
static bool
member_can_serve(void *context)
{
	struct session *session = context;

	return bus_unsent_bytes(session->bus) < SERVE_BYTES_MAX;
}

static void
member_clock(void *context, int64_t off)
{
	struct session *session = context;

	if (session->calls.clock != NULL)
		session->calls.clock(session->calls.context, off);
}

static void
member_sign(void *context, struct span topic, struct span envelope,
	struct text *out)
{
	struct session *session = context;
	struct instant now = session_now();

	guard_sign(session->guard, topic, envelope, now.mono, now.wall, out);
}

static void
member_vouch(void *context, const struct trust_claim *claim,
	struct trust *trust)
{
	struct session *session = context;

	guard_vouch(session->guard, claim, session_now().wall, trust);
}

static void
member_judge_name(void *context, struct span user, struct trust *trust)
{
	struct session *session = context;

	guard_judge_name(session->guard, user, trust);
}

static void
member_forward(void *context, struct span inbox, struct span envelope,
	struct text *out)
{
	struct session *session = context;

	guard_forward(session->guard, inbox, envelope, session_now().mono, out);
}

static void
member_introduction(void *context, struct span sig, struct span *bind,
	struct span *cert)
{
	struct session *session = context;

	guard_introduction(session->guard, sig, bind, cert);
}

static void
member_key(void *context, const struct room_message *message, struct span about)
{
	struct session *session = context;
	struct instant now = session_now();

	guard_hear_key(session->guard, message, about, now.mono, now.wall);
}

static void
member_deliver(void *context, const struct record *record)
{
	struct session *session = context;

	remember_room(session);
	if (session->calls.deliver != NULL)
		session->calls.deliver(session->calls.context, record);
}

static void
member_proved(void *context, int64_t first, int64_t last)
{
	struct session *session = context;

	remember_room(session);
	if (session->calls.proved != NULL)
		session->calls.proved(session->calls.context, first, last);
}

static void
member_unproved_for_good(void *context, int64_t first, int64_t last,
	struct span text)
{
	struct session *session = context;

	if (session->calls.unproved != NULL)
		session->calls.unproved(session->calls.context, first, last,
			text);
}

static void
member_retry(void *context)
{
	struct session *session = context;

	session->reconnect = true;
}

static void
member_resent(void *context, const char *uid, int64_t first, bool proved)
{
	struct session *session = context;

	if (session->calls.resent != NULL)
		session->calls.resent(session->calls.context, uid, first,
			proved);
}

static void
member_attend(void *context, bool room)
{
	struct session *session = context;
	const char *topic = member_topic(session->members[0]);

	if (room)
		bus_subscribe(session->bus, topic);
	else
		bus_unsubscribe(session->bus, topic);
}

void
session_ignore(void *context, const char *why)
{
	struct session *session = context;

	if (session->calls.ignored != NULL)
		session->calls.ignored(session->calls.context, why);
}

struct member *
session_add_member(struct session *session, const char *room,
	struct fault *fault)
{
	int is_sealed = *room != '\0'
		? session_cover_add(session->cover, room, fault)
		: 0;

	if (is_sealed < 0)
		return NULL;
	struct member_config config = {
		.room = room,
		.user = session->user,
		.uid = session->uid,
		.inbox = session->inbox,
		.app = session->app,
		.quotas = session->quotas,
		.participant = session->config.participant,
		.once = session->config.once,
		.stream = session->config.stream,
		.after_outage = session->config.after_outage,
		.unconfirmed = session->config.unconfirmed,
		.unacknowledged = session->is_unacknowledged,
		.show_own = session->config.show_own,
		.proof_ms = session->config.proof_ms,
		.store_bytes = session->store_bytes,
		.store_count = session->store_count,
		.catch_up_records = session->config.catch_up_records,
		.catch_up_since = session->config.catch_up_since,
		.durable = session->config.durable != NULL,
		.fingerprint = identity_fingerprint(session->identity),
		.sealed = is_sealed,
		.x25519 = signer_x25519(session_trust_signer(session->trust)),
	};
	const struct member_calls calls = {
		.context = session,
		.publish = session_publish,
		.deliver = member_deliver,
		.proved = member_proved,
		.retry = member_retry,
		.unproved = member_unproved_for_good,
		.attend = member_attend,
		.resent = member_resent,
		.ignored = session_ignore,
		.can_serve = member_can_serve,
		.sign = QCHAT_SIGNS ? member_sign : NULL,
		.vouch = QCHAT_SIGNS ? member_vouch : NULL,
		.judge_name = member_judge_name,
		.forward = member_forward,
		.introduction = member_introduction,
		.publish_to = member_publish_to,
		.receipt = member_receipt,
		.clock = member_clock,
		.key = member_key,
	};

	if (session->config.room == NULL &&
		config.quotas.participants > PARTICIPANTS_MAX)
		config.quotas.participants = PARTICIPANTS_MAX;
	identity_random(&config.seed, sizeof(config.seed));
	session->members = memory_resize(session->members,
		session->member_count + 1, sizeof(struct member *));
	session->members[session->member_count] = member_new(&config, &calls);
	return session->members[session->member_count++];
}
