/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SESSION_STATE_H
#define QCHAT_SESSION_STATE_H

#include "bus.h"
#include "identity.h"
#include "registry.h"
#include "request.h"
#include "session.h"
#include "session_cover.h"
#include "session_trust.h"

/*
 * What the files of `session` share:
 *
 *	session.c         its life
 *	session_member.c  members, and what they call for
 *	session_hear.c    whose message it is that comes
 *	session_wait.c    the clocks, and waiting for several
 *	session_trust.c   who it is to others, and others to it
 *	session_cover.c   the secrets of its rooms
 *	session_counts.c  what it has counted
 *	session_ask.c     what it asks services, and the events that it hears
 */

enum {
	SESSION_CONN_BYTES = 8, /* of a connection's name */
};

struct session {
	struct session_config config;
	struct session_calls calls;
	struct identity *identity;
	struct bus *bus;
	struct session_trust *trust;
	struct guard *guard; /* a part of it */
	struct session_cover *cover;
	struct requests *requests;
	bool is_unacknowledged; /* the fabric acknowledges nothing */
	bool has_registry;      /* fabrics of this kind have … */
	bool is_registered;     /* … a list of services, and this one, too */
	struct registry *registry; /* which this is; NULL: not known */
	bool is_fresh; /* it came behind the answers that are judged by it */
	int64_t registry_number; /* of the request for it; 0: none waits */
	int64_t registry_mono;   /* when that was asked */
	char **events;           /* topics of session_subscribe() */
	size_t event_count;
	bool is_foreign_told; /* that something is sealed for others */
	bool is_remembered;   /* that the room is one of this user's */
	enum session_link link;
	char *user, *app, *inbox;
	char uid[IDENTITY_UID_MAX];
	char conn[2 * SESSION_CONN_BYTES +
		1];              /* of the connection being made */
	struct member **members; /* one, or the lobby's and those found */
	size_t member_count;
	int64_t store_bytes, store_count;
	struct quotas quotas;
	/* Messages that could not be opened, and of rooms beyond ROOMS_MAX. */
	uint64_t sealed_foreign, sealed_bad, over_rooms;
	bool reconnect; /* a member wants a fresh connection */
};

/* session_member.c */

/* NULL with a fault if the room has secrets that cannot be read: nothing may
 * be said there in the clear. */
struct member *session_add_member(struct session *session, const char *room,
	struct fault *fault);
void session_publish(void *session, const char *topic, struct span bytes);
void session_ignore(void *session, const char *why);

/* session_hear.c */

/* The member of a room's topic; NULL. */
struct member *session_find_member(const struct session *session,
	struct span topic);

/* A message comes from the broker. */
void session_hear(void *session, struct span topic, struct span bytes);

/* It is out of the guard's hands. */
void session_pass(void *session, struct span topic, struct span bytes);

/* session_ask.c */

/* has_registry: is there a list of services? */
void session_ask_open(struct session *session, bool has_registry);
void session_ask_free(struct session *session);
void session_ask_up(struct session *session);

/* Takes an answer that came to the inbox, or an event that was subscribed to.
 * False if it is neither. */
bool session_ask_hear(struct session *session, struct span topic,
	struct span bytes);

#endif
