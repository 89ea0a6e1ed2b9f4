/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SESSION_H
#define QCHAT_SESSION_H

#include "conf.h"
#include "fault.h"
#include "member.h"
#include "request.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A member on a connection of its own: the one API that the tools see.  One
 * connection carries one will, so each room has its own.  The exception is a
 * session on all rooms, which only looks, and one of no room, which only asks
 * the fabric's services.
 */
struct session;

enum session_link {
	SESSION_CONNECTING, /* never up so far */
	SESSION_UP,
	SESSION_LOST, /* was up; being made again */
};

/* What a session tells; NULL for what a tool does not care for, but for link.
 * Pointers are valid during the call only.  Nothing
 * may call back into the session from these, but for the readers below and
 * session_request(). */
struct session_calls {
	void *context;
	void (*deliver)(void *context, const struct record *record);
	void (*proved)(void *context, int64_t first, int64_t last);
	void (*unproved)(void *context, int64_t first, int64_t last,
		struct span text);
	void (*resent)(void *context, const char *uid, int64_t first,
		bool proved);
	/* Up, lost (why; FAULT_TIMEOUT: left, as there was no echo), or a
	 * round of attempts has failed (why). */
	void (*link)(void *context, enum session_link link,
		const struct fault *why);
	/* A message from the network was dropped. */
	void (*ignored)(void *context, const char *why);
	/* A name has another certificate than the one first seen; once for
	 * each. */
	void (*changed)(void *context, struct span user, const char *seen,
		const char *fingerprint);
	/* What member_say_to() said under this number has arrived. */
	void (*receipt)(void *context, int64_t number,
		const struct trust *trust);
	/* A file that this session goes by cannot be read, or written. */
	void (*trouble)(void *context, const char *what);
	/* Our clock seems to be wrong, by so many ms. */
	void (*clock)(void *context, int64_t off);
	/* Something in this room is sealed with a secret that we do not have;
	 * once. */
	void (*foreign)(void *context, struct span room);
	/* An event on a topic of session_subscribe(): what it carries, and whom
	 * the broker says it is from ("": it does not). */
	void (*event)(void *context, struct span topic, struct span payload,
		struct span source);
};

struct session_config {
	const char *room; /* NULL: all rooms, only looking */
	bool no_room;     /* none of them, if room is NULL */
	const char *app;  /* "qchat-join" */
	/* As in struct member_config. */
	bool participant, once, stream, after_outage, unconfirmed, show_own;
	bool forgets_names; /* does not write down whose they were first */
	bool unheard; /* does not subscribe to the room: session_room() may */
	int64_t proof_ms;
	int64_t catch_up_records, catch_up_since;
	/* The broker keeps what is said while nobody is here under this name;
	 * NULL: it does not.  On `mqtt` only: else FAULT_USAGE. */
	const char *durable;
};

/*
 * Checks room and user name, and loads the identity, from conf: borrowed
 * until session_free().  NULL with FAULT_USAGE, FAULT_CONFIG or FAULT_NOPERM.
 */
struct session *session_open(const struct conf *conf,
	const struct session_config *config, const struct session_calls *calls,
	struct fault *fault);

/* A bye where one is due, and an orderly end of all connections: a second at
 * most, however many there are. */
void session_close(struct session *const *sessions, size_t count);

/* Frees it; without session_close() before, the will is published. */
void session_free(struct session *session);

/* The member of another room on the same connection, or of the first, found or
 * made: for who is no participant, and has no will.  With `heard` it hears that
 * room from now on, as an echo calls for.  NULL with FAULT_USAGE if there can
 * be no such room. */
struct member *session_room(struct session *session, const char *room,
	bool heard, struct fault *fault);

/* See member_say(). */
int64_t session_say(struct session *session, const struct member_post *post,
	struct fault *fault);

/*
 * Whose a name is from now on, here and in the file of names: this
 * certificate's, or that of who is seen next: NULL.  For who judges what others
 * say.  1, 0 if it was so, or -1 with FAULT_CANTCREAT, FAULT_IO, FAULT_TIMEOUT
 * (another process holds the file) or FAULT_CONFIG.
 */
int session_pin(struct session *session, const char *name,
	const char *fingerprint, struct fault *fault);

/* Asks who is here, in the room or in all rooms. */
void session_ask(struct session *session, int64_t wait_ms);

/*
 * Asks a service of the fabric: what becomes of it, request->answered is told,
 * which may call this and session_drop().  Returns the number of the request,
 * or -1, as requests_add().
 */
int64_t session_request(struct session *session, const struct request *request,
	struct fault *fault);

/* The answer to a request is no longer wanted. */
void session_drop(struct session *session, int64_t number);

/* How many requests wait for their answers. */
size_t session_requests(const struct session *session);

/* Says something to the fabric, and to no room: an event.  Nobody confirms it.
 * 0, or -1 with FAULT_UNAVAILABLE: there is no connection, or FAULT_DATA: it is
 * too large. */
int session_announce(struct session *session, const char *topic,
	struct span payload, struct fault *fault);

/* From now on session_calls.event() tells what comes on this topic, which is
 * no room's and no inbox, and has no wildcard. */
void session_subscribe(struct session *session, const char *topic);

/* Has what was published left this process for good: written (QoS 0) or
 * acknowledged by the broker (QoS 1)? */
bool session_is_sent(const struct session *session);

enum session_link session_link(const struct session *session);
const char *session_peer(const struct session *session);

/* The member of the room, or the i-th of the rooms that were found so far;
 * NULL behind the last. */
struct member *session_member(const struct session *session, size_t i);

/* How often the private key of the certificate has signed anything but for a
 * TLS handshake: once for all that is said in a week. */
unsigned long session_key_operations(const struct session *session);

/*
 * What it has counted so far, in all its rooms: what is not 0, under the names
 * of qchat(7), COUNTERS, which are static.  Returns how many.
 */
enum { SESSION_COUNTS_MAX = 64 };
size_t session_counts(const struct session *session,
	struct record_count counts[static SESSION_COUNTS_MAX]);

/* The name under which it appears. */
const char *session_user(const struct session *session);

/* The name under which a session of these settings appears; the caller frees
 * it.  NULL with FAULT_CONFIG. */
char *session_find_user(const struct conf *conf, struct fault *fault);

/* Now, on both clocks. */
struct instant session_now(void);

/* The descriptors to poll for (SESSION_FDS_MAX at most), and until when. */
enum { SESSION_FDS_MAX = 36 };
size_t session_fds(struct session *session, struct pollfd *fds);
int64_t session_deadline(const struct session *session);
void session_step(struct session *session, const struct pollfd *fds,
	size_t count);

/*
 * Waits for the sessions, for own descriptors (`revents` filled in), for a
 * signal that `during` lets through, or until mono ms; then does what can be
 * done for the sessions.  0, or -1 with FAULT_INTERNAL.
 */
int session_wait(struct session *const *sessions, size_t count,
	struct pollfd *own, size_t own_count, int64_t until,
	const sigset_t *during, struct fault *fault);

#endif
