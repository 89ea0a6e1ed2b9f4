/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include "memory.h"
#include "room.h"

#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)SESSION_FDS_MAX == (int)BUS_FDS_MAX, "one bus each");

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
	unsigned char random[SESSION_CONN_BYTES];

	identity_random(random, sizeof(random));
	for (size_t i = 0; i < SESSION_CONN_BYTES; i++)
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
	session_ask_up(session);
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
	requests_down(session->requests);
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

struct member *
session_room(struct session *session, const char *room, bool heard,
	struct fault *fault)
{
	assert(!session->config.participant && session->config.room != NULL);
	if (room_name_check(span_of(room), fault) < 0)
		return NULL;
	char *topic = room_topic(room);
	struct member *member = session_find_member(session, span_of(topic));
	/* Before what is said there, so that the echo is not missed. */
	if (heard)
		bus_subscribe(session->bus, topic);
	if (member == NULL) {
		member = session_add_member(session, room, fault);
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
choose_user(const struct conf *conf, const char *certified)
{
	const struct passwd *passwd;

	if (conf->user != NULL)
		return memory_string(conf->user);
	if (certified != NULL)
		return memory_string(certified);
	passwd = getpwuid(getuid());
	return memory_string(passwd != NULL ? passwd->pw_name : "nobody");
}

char *
session_find_user(const struct conf *conf, struct fault *fault)
{
	char *certified = NULL, *user;

	if (conf->user == NULL &&
		identity_find_name(conf, &certified, fault) < 0)
		return NULL;
	user = choose_user(conf, certified);
	free(certified);
	return user;
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

static void
guard_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct session *session = context;

	if (session->calls.changed != NULL)
		session->calls.changed(session->calls.context, user, seen,
			fingerprint);
}

static int
open_trust(struct session *session, const struct conf *conf,
	struct fault *fault)
{
	const struct session_config *config = &session->config;
	const struct guard_calls calls = {
		.context = session,
		.pass = session_pass,
		.publish = session_publish,
		.changed = guard_changed,
	};
	enum session_sight sight = config->once || config->no_room
		? SESSION_BLIND
		: config->stream ? SESSION_OWN
				 : SESSION_ALL;

	session->trust = session_trust_new(conf, session->identity,
		session->inbox, sight, &calls, fault);
	if (session->trust == NULL)
		return -1;
	session->guard = session_trust_guard(session->trust);
	if (config->forgets_names)
		session_trust_forget(session->trust);
	session->cover = session_cover_new(session_trust_signer(session->trust),
		config->room == NULL);
	return 0;
}

static void
subscribe(struct session *session)
{
	const struct session_config *config = &session->config;

	bus_subscribe(session->bus, session->inbox);
	if (config->no_room)
		return;
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
		.message = session_hear,
	};

	assert(config->room == NULL || !config->no_room);
	session->config = *config;
	session->store_bytes = conf->limits.store_bytes;
	session->store_count = conf->limits.store_messages;
	session->quotas = quota_complete(&conf->quotas);
	session->calls = *calls;
	session->link = SESSION_CONNECTING;
	if (config->room != NULL &&
		room_name_check(span_of(config->room), fault) < 0)
		goto out;
	session->identity = identity_open(conf, fault);
	if (session->identity == NULL)
		goto out;
	session->user = choose_user(conf, identity_name(session->identity));
	if (check_user(session->user, fault) < 0)
		goto out;
	session->app = memory_format("%s/%s", config->app, PACKAGE_VERSION);
	identity_uid(session->uid);
	if (choose_client_id(session, conf, client_id, fault) < 0)
		goto out;
	session->inbox = memory_format("%s%s", ROOM_INBOX_PREFIX, client_id);
	session->is_unacknowledged = conf->fabric == CONF_DXL;
	session_ask_open(session, conf->fabric == CONF_DXL);
	if (open_trust(session, conf, fault) < 0)
		goto out;
	session->bus = bus_new(conf, session->identity, client_id,
		config->durable != NULL, &bus_calls);
	/* The room without a name is the lobby. */
	if (session_add_member(session,
		    config->room != NULL ? config->room : "", fault) == NULL)
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
	session_ask_free(session);
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

unsigned long
session_key_operations(const struct session *session)
{
	return signer_key_operations(session_trust_signer(session->trust));
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
	int64_t asked = requests_deadline(session->requests);
	if (asked < deadline)
		deadline = asked;
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
	bool is_changed = session_cover_tick(session->cover, now);

	for (size_t i = 0; i < session->member_count; i++)
		if (session_cover_is_sealed(session->cover,
			    span_of(member_topic(session->members[i]))))
			member_seal(session->members[i]);
	/* The will that the broker has is in the clear, or under an old
	 * secret. */
	if (is_changed && session->config.participant &&
		session->link == SESSION_UP) {
		struct fault why = { 0 };

		fault_set(&why, FAULT_UNAVAILABLE,
			"%s: once more, as the room has a new secret",
			bus_peer(session->bus));
		bus_reconnect(session->bus, now.mono);
		on_lost(session, &why);
	}
}

/* What is known of who is here is judged by the names that there are now. */
static void
judge_names(struct session *session)
{
	if (!session_trust_renamed(session->trust))
		return;
	for (size_t i = 0; i < session->member_count; i++)
		member_judge_names(session->members[i]);
}

int
session_pin(struct session *session, const char *name, const char *fingerprint,
	struct fault *fault)
{
	int rc = session_trust_pin(session->trust, name, fingerprint, fault);

	judge_names(session);
	return rc;
}

void
session_step(struct session *session, const struct pollfd *fds, size_t count)
{
	struct fault fault;
	struct instant now = session_now();

	bus_step(session->bus, fds, count, now.mono);
	requests_tick(session->requests, now.mono);
	session_trust_tick(session->trust, now);
	judge_names(session);
	if (session_trust_fault(session->trust, &fault) &&
		session->calls.trouble != NULL)
		session->calls.trouble(session->calls.context, fault.text);
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
