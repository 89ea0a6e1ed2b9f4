/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "bus.h"
#include "dxl.h"
#include "identity.h"
#include "memory.h"
#include "room.h"
#include "session_cover.h"
#include "session_trust.h"

#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* bench/run compares with tools that do not sign. */
#ifndef QCHAT_SIGNS
#define QCHAT_SIGNS 1
#endif

_Static_assert((int)SESSION_FDS_MAX == (int)BUS_FDS_MAX, "one bus each");

enum {
	ROOMS_MAX = 256, /* that a session on all rooms tells apart, … */
	PARTICIPANTS_MAX = 1024,      /* … with so many in each */
	CONN_BYTES = 8,               /* of a connection's name */
	SERVE_BYTES_MAX = 256 * 1024, /* unsent, for which repairs wait */
};

struct session {
	struct session_config config;
	struct session_calls calls;
	struct identity *identity;
	struct bus *bus;
	struct session_trust *trust;
	struct guard *guard; /* a part of it */
	struct session_cover *cover;
	bool is_foreign_told; /* that something is sealed for others */
	enum session_link link;
	char *user, *app, *inbox;
	char uid[IDENTITY_UID_MAX];
	char conn[2 * CONN_BYTES + 1]; /* of the connection being made */
	struct member **members;       /* one, or the lobby's and those found */
	size_t member_count;
	size_t store_bytes, store_count;
	bool reconnect; /* a member wants a fresh connection */
};

static void
member_publish(void *context, const char *topic, struct span bytes)
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
	default: /* too large: it waits for its proof in vain */
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

static void
member_receipt(void *context, const struct trust *trust)
{
	struct session *session = context;

	if (session->calls.receipt != NULL)
		session->calls.receipt(session->calls.context, trust);
}

/* Repairs must not pile up before a slow network, nor delay what is said. */
static bool
member_can_serve(void *context)
{
	struct session *session = context;

	return bus_unsent_bytes(session->bus) < SERVE_BYTES_MAX;
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
member_key(void *context, const struct room_message *message)
{
	struct session *session = context;
	struct instant now = session_now();

	guard_hear_key(session->guard, message, now.mono, now.wall);
}

static void
guard_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct session *session = context;

	if (session->calls.changed != NULL)
		session->calls.changed(session->calls.context, user, seen,
			fingerprint);
}

static void
member_deliver(void *context, const struct record *record)
{
	struct session *session = context;

	if (session->calls.deliver != NULL)
		session->calls.deliver(session->calls.context, record);
}

static void
member_proved(void *context, int64_t first, int64_t last)
{
	struct session *session = context;

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

static void
member_ignored(void *context, const char *why)
{
	struct session *session = context;

	if (session->calls.ignored != NULL)
		session->calls.ignored(session->calls.context, why);
}

/* NULL with a fault if the room has secrets that cannot be read: nothing may
 * be said there in the clear. */
static struct member *
add_member(struct session *session, const char *room, struct fault *fault)
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
		.participants_max = session->config.room == NULL
			? PARTICIPANTS_MAX
			: 0,
		.participant = session->config.participant,
		.once = session->config.once,
		.stream = session->config.stream,
		.unconfirmed = session->config.unconfirmed,
		.show_own = session->config.show_own,
		.proof_ms = session->config.proof_ms,
		.store_bytes = session->store_bytes,
		.store_count = session->store_count,
		.catch_up_records = session->config.catch_up_records,
		.catch_up_since = session->config.catch_up_since,
		.durable = session->config.durable != NULL,
		.fingerprint = identity_fingerprint(session->identity),
		.sealed = is_sealed,
	};
	const struct member_calls calls = {
		.context = session,
		.publish = member_publish,
		.deliver = member_deliver,
		.proved = member_proved,
		.retry = member_retry,
		.unproved = member_unproved_for_good,
		.attend = member_attend,
		.resent = member_resent,
		.ignored = member_ignored,
		.can_serve = member_can_serve,
		.sign = QCHAT_SIGNS ? member_sign : NULL,
		.vouch = QCHAT_SIGNS ? member_vouch : NULL,
		.forward = member_forward,
		.introduction = member_introduction,
		.publish_to = member_publish_to,
		.receipt = member_receipt,
		.key = member_key,
	};

	identity_random(&config.seed, sizeof(config.seed));
	session->members = memory_resize(session->members,
		session->member_count + 1, sizeof(struct member *));
	session->members[session->member_count] = member_new(&config, &calls);
	return session->members[session->member_count++];
}

static bool
seal_will(struct session *session, struct text *bytes)
{
	struct member *member = session->members[0];
	struct text will = { 0 };
	struct fault fault;
	bool wanted = member_will(member, session->conn, session_now(), &will);
	int rc = wanted
		? session_cover_seal(session->cover,
			  span_of(member_topic(member)),
			  (struct span){ will.bytes, will.len }, bytes, &fault)
		: -1;

	if (rc == 0)
		text_append(bytes, will.bytes, will.len);
	text_free(&will);
	return rc >= 0;
}

static bool
on_will(void *context, struct text *topic, struct text *bytes)
{
	struct session *session = context;
	unsigned char random[CONN_BYTES];

	identity_random(random, sizeof(random));
	for (size_t i = 0; i < CONN_BYTES; i++)
		snprintf(session->conn + 2 * i, 3, "%02x", random[i]);
	text_append_string(topic, member_topic(session->members[0]));
	return seal_will(session, bytes);
}

static void
on_opened(void *context)
{
	struct session *session = context;

	guard_connected(session->guard);
	for (size_t i = 0; i < session->member_count; i++) {
		/* The attempt before this one may not have got far. */
		member_disconnected(session->members[i], session_now());
		member_connected(session->members[i], session->conn,
			session_now());
	}
}

static void
on_up(void *context)
{
	struct session *session = context;

	session->link = SESSION_UP;
	for (size_t i = 0; i < session->member_count; i++)
		member_up(session->members[i], session_now());
	session->calls.link(session->calls.context, SESSION_UP, NULL);
}

static void
disconnect_members(struct session *session)
{
	for (size_t i = 0; i < session->member_count; i++)
		member_disconnected(session->members[i], session_now());
}

static void
on_lost(void *context, const struct fault *why)
{
	struct session *session = context;

	disconnect_members(session);
	session->link = SESSION_LOST;
	session->calls.link(session->calls.context, SESSION_LOST, why);
}

static void
on_failed(void *context, const struct fault *why)
{
	struct session *session = context;

	disconnect_members(session);
	session->calls.link(session->calls.context, session->link, why);
}

static struct member *
find_member(const struct session *session, struct span topic)
{
	for (size_t i = 0; i < session->member_count; i++)
		if (span_equal(topic,
			    span_of(member_topic(session->members[i]))))
			return session->members[i];
	return NULL;
}

/* Whose message it is, when one session looks at all rooms. */
static struct member *
member_for(struct session *session, struct span topic)
{
	struct fault fault;

	if (span_equal(topic, span_of(ROOM_LOBBY_TOPIC)))
		return session->members[0];
	struct member *member = find_member(session, topic);
	struct span name = room_of_topic(topic);
	if (member != NULL || session->member_count > ROOMS_MAX ||
		room_name_check(name, &fault) < 0)
		return member;

	char *room = memory_copy(name.bytes, name.len);
	member = add_member(session, room, &fault);
	if (member == NULL) {
		free(room);
		return NULL;
	}
	member_connected(member, session->conn, session_now());
	member_up(member, session_now());
	/* Legacy peers and others that do not hear the lobby. */
	member_ask(member, MEMBER_WAIT_MS, session_now());
	free(room);
	return member;
}

static void
receive_for_all(struct session *session, struct span topic, struct span bytes)
{
	struct dxl_message event;
	struct fault fault;
	struct member *member;

	if (!span_equal(topic, span_of(session->inbox))) {
		member = member_for(session, topic);
	} else if (dxl_parse(&event, bytes, &fault) == 0) {
		struct span about = dxl_field(&event, ROOM_TOPIC_FIELD);

		member = about.len > 0 ? member_for(session, about)
				       : session->members[0];
		dxl_message_free(&event);
	} else {
		member = session->members[0];
	}
	if (member != NULL)
		member_receive(member, topic, bytes, session_now());
}

static void
guard_pass(void *context, struct span topic, struct span bytes)
{
	struct session *session = context;
	struct member *member;

	if (session->config.room == NULL) {
		receive_for_all(session, topic, bytes);
		return;
	}
	/* The inbox is of all rooms; only the first one's member has a use for
	 * it. */
	member = find_member(session, topic);
	member_receive(member != NULL ? member : session->members[0], topic,
		bytes, session_now());
}

static void
tell_foreign(struct session *session, struct span topic)
{
	struct span room = room_of_topic(topic);

	if (session->is_foreign_told || session->calls.foreign == NULL ||
		room.len == 0)
		return;
	session->is_foreign_told = true;
	session->calls.foreign(session->calls.context, room);
}

static void
on_message(void *context, struct span topic, struct span bytes)
{
	struct session *session = context;
	struct instant now = session_now();
	struct text opened = { 0 };
	struct fault fault;

	switch (session_cover_open(session->cover, topic, bytes, now.wall,
		&opened, &fault)) {
	case COVER_CLEAR:
		guard_receive(session->guard, topic, bytes, now.mono, now.wall);
		break;
	case COVER_OPENED:
		guard_receive(session->guard, topic,
			(struct span){ opened.bytes, opened.len }, now.mono,
			now.wall);
		break;
	case COVER_FOREIGN:
		tell_foreign(session, topic);
		member_ignored(session, fault.text);
		break;
	case COVER_BAD:
		member_ignored(session, fault.text);
		break;
	}
	text_free(&opened);
}

struct member *
session_room(struct session *session, const char *room, bool heard,
	struct fault *fault)
{
	assert(!session->config.participant && session->config.room != NULL);
	if (room_name_check(span_of(room), fault) < 0)
		return NULL;
	char *topic = room_topic(room);
	struct member *member = find_member(session, span_of(topic));
	/* Before what is said there, so that the echo is not missed. */
	if (heard)
		bus_subscribe(session->bus, topic);
	if (member == NULL) {
		member = add_member(session, room, fault);
		if (member == NULL) {
			free(topic);
			return NULL;
		}
		if (*session->conn != '\0')
			member_connected(member, session->conn, session_now());
		if (session->link == SESSION_UP)
			member_up(member, session_now());
	}
	free(topic);
	return member;
}

static char *
choose_user(const struct conf *conf, const struct identity *identity)
{
	const struct passwd *passwd;

	if (conf->user != NULL)
		return memory_string(conf->user);
	if (identity_name(identity) != NULL)
		return memory_string(identity_name(identity));
	passwd = getpwuid(getuid());
	return memory_string(passwd != NULL ? passwd->pw_name : "nobody");
}

static int
check_user(const char *user, struct fault *fault)
{
	struct span span = span_of(user);

	if (span.len == 0 || span.len > ROOM_USER_MAX)
		return fault_set(fault, FAULT_USAGE,
			"the user name has %zu "
			"bytes (1 to %d do)",
			span.len, ROOM_USER_MAX);
	if (text_utf8_check(span) < span.len)
		return fault_set(fault, FAULT_USAGE,
			"the user name \"%s\" is not UTF-8", user);
	return 0;
}

static int
choose_client_id(const struct session *session, const struct conf *conf,
	char *client_id, struct fault *fault)
{
	if (session->config.durable == NULL) {
		identity_id(client_id);
		return 0;
	}
	if (conf->fabric != CONF_MQTT)
		return fault_set(fault, FAULT_USAGE,
			"a DXL fabric keeps nothing for who is away "
			"(--durable is for mqtt)");
	/* One room has one connection, and so one session at the broker. */
	char *name = memory_format("%s %s", session->config.durable,
		session->config.room);
	identity_lasting_id(session->identity, name, client_id);
	free(name);
	return 0;
}

static int
open_trust(struct session *session, const struct conf *conf,
	struct fault *fault)
{
	const struct session_config *config = &session->config;
	const struct guard_calls calls = {
		.context = session,
		.pass = guard_pass,
		.publish = member_publish,
		.changed = guard_changed,
	};
	enum session_sight sight = config->once ? SESSION_BLIND
		: config->stream                ? SESSION_OWN
						: SESSION_ALL;

	session->trust = session_trust_new(conf, session->identity,
		session->inbox, sight, &calls, fault);
	if (session->trust == NULL)
		return -1;
	session->guard = session_trust_guard(session->trust);
	session->cover = session_cover_new(
		session_trust_signer(session->trust));
	return 0;
}

static void
subscribe(struct session *session)
{
	const struct session_config *config = &session->config;

	bus_subscribe(session->bus, session->inbox);
	if (config->room == NULL) {
		bus_subscribe(session->bus, ROOM_TOPIC_PREFIX "#");
		return;
	}
	if (!config->unconfirmed && !config->unheard)
		bus_subscribe(session->bus, member_topic(session->members[0]));
	if (config->participant)
		bus_subscribe(session->bus, ROOM_LOBBY_TOPIC);
}

struct session *
session_open(const struct conf *conf, const struct session_config *config,
	const struct session_calls *calls, struct fault *fault)
{
	struct session *session = memory_alloc(1, sizeof(*session));
	char client_id[IDENTITY_ID_MAX];
	const struct bus_calls bus_calls = {
		.context = session,
		.will = on_will,
		.opened = on_opened,
		.up = on_up,
		.lost = on_lost,
		.failed = on_failed,
		.message = on_message,
	};

	session->config = *config;
	session->store_bytes = (size_t)conf->limits.store_bytes;
	session->store_count = (size_t)conf->limits.store_messages;
	session->calls = *calls;
	session->link = SESSION_CONNECTING;
	if (config->room != NULL &&
		room_name_check(span_of(config->room), fault) < 0)
		goto out;
	session->identity = identity_open(conf, fault);
	if (session->identity == NULL)
		goto out;
	session->user = choose_user(conf, session->identity);
	if (check_user(session->user, fault) < 0)
		goto out;
	session->app = memory_format("%s/%s", config->app, PACKAGE_VERSION);
	identity_uid(session->uid);
	if (choose_client_id(session, conf, client_id, fault) < 0)
		goto out;
	session->inbox = memory_format("%s%s", ROOM_INBOX_PREFIX, client_id);
	if (open_trust(session, conf, fault) < 0)
		goto out;
	session->bus = bus_new(conf, session->identity, client_id,
		config->durable != NULL, &bus_calls);
	/* The room without a name is the lobby. */
	if (add_member(session, config->room != NULL ? config->room : "",
		    fault) == NULL)
		goto out;
	subscribe(session);
	return session;
out:
	session_free(session);
	return NULL;
}

static void
leave(struct session *session)
{
	for (size_t i = 0; i < session->member_count; i++)
		member_leave(session->members[i], session_now());
}

void
session_close(struct session *const *sessions, size_t count)
{
	int64_t until = session_now().mono + BUS_CLOSE_MS;

	for (size_t i = 0; i < count; i++) {
		if (sessions[i]->link == SESSION_UP)
			leave(sessions[i]);
		bus_leave(sessions[i]->bus, until);
	}
	for (size_t i = 0; i < count; i++)
		bus_close(sessions[i]->bus, until);
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	for (size_t i = 0; i < session->member_count; i++)
		member_free(session->members[i]);
	free(session->members);
	bus_free(session->bus);
	session_cover_free(session->cover);
	session_trust_free(session->trust);
	identity_free(session->identity);
	free(session->user);
	free(session->app);
	free(session->inbox);
	free(session);
}

int64_t
session_say(struct session *session, const struct member_post *post,
	struct fault *fault)
{
	return member_say(session->members[0], post, session_now(), fault);
}

void
session_ask(struct session *session, int64_t wait_ms)
{
	member_ask(session->members[0], wait_ms, session_now());
}

bool
session_is_sent(const struct session *session)
{
	return session->link == SESSION_UP && bus_unsent(session->bus) == 0;
}

enum session_link
session_link(const struct session *session)
{
	return session->link;
}

const char *
session_peer(const struct session *session)
{
	return bus_peer(session->bus);
}

struct member *
session_member(const struct session *session, size_t i)
{
	return i < session->member_count ? session->members[i] : NULL;
}

const char *
session_user(const struct session *session)
{
	return session->user;
}

size_t
session_fds(struct session *session, struct pollfd *fds)
{
	return bus_fds(session->bus, fds);
}

int64_t
session_deadline(const struct session *session)
{
	int64_t deadline = session->reconnect ? 0 : bus_deadline(session->bus);

	for (size_t i = 0; i < session->member_count; i++) {
		int64_t next = member_deadline(session->members[i]);

		if (next < deadline)
			deadline = next;
	}
	int64_t next = session_trust_deadline(session->trust);
	int64_t look = session_cover_deadline(session->cover);
	if (look < next)
		next = look;
	return next < deadline ? next : deadline;
}

static void
reconnect(struct session *session, struct instant now)
{
	struct fault why = { 0 };

	session->reconnect = false;
	fault_set(&why, FAULT_TIMEOUT,
		"%s: no echo, so once more over a fresh connection",
		bus_peer(session->bus));
	bus_reconnect(session->bus, now.mono);
	on_lost(session, &why);
}

/* A secret may be made while we are here. */
static void
look_for_secrets(struct session *session, struct instant now)
{
	session_cover_tick(session->cover, now);
	for (size_t i = 0; i < session->member_count; i++)
		if (session_cover_is_sealed(session->cover,
			    span_of(member_topic(session->members[i]))))
			member_seal(session->members[i]);
}

void
session_step(struct session *session, const struct pollfd *fds, size_t count)
{
	struct instant now = session_now();

	bus_step(session->bus, fds, count, now.mono);
	session_trust_tick(session->trust, now);
	look_for_secrets(session, now);
	bool moving = bus_is_moving(session->bus, now.mono);
	for (size_t i = 0; i < session->member_count && moving; i++)
		member_sending(session->members[i], now);
	for (size_t i = 0; i < session->member_count; i++)
		member_tick(session->members[i], now);
	for (size_t i = 0;
		i < session->member_count && session_is_sent(session); i++)
		member_sent(session->members[i], now);
	if (session->reconnect)
		reconnect(session, now);
}
