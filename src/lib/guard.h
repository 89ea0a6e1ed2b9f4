/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_GUARD_H
#define QCHAT_GUARD_H

#include "quota.h"
#include "room.h"
#include "sign.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What stands between the members of a process and their connection: signs
 * what goes out, introduces our key to others, lets what comes wait for a key
 * that is not known yet, and answers who asks for one (qchat-protocol(7),
 * "Introductions").  No socket, no clock, no file.  now is in milliseconds: of
 * a clock that never jumps (mono) or since the epoch (wall).
 */
struct guard;

enum {
	GUARD_WAIT_MS = 2000,           /* for a key, at most */
	GUARD_WAITING_KEYS_MAX = 64,    /* keys that something waits for */
	GUARD_INTRODUCE_MS = 60 * 1000, /* once so often into one topic */
	GUARD_KEYS_MAX = 512,    /* whose introductions are kept for others */
	GUARD_TOPICS_MAX = 1024, /* where keys were introduced lately */
	GUARD_ANSWER_REST_MS = 1000, /* between two answers to one inbox */
};

struct guard_calls {
	void *context;
	/* A message is ready to be taken in. */
	void (*pass)(void *context, struct span topic, struct span bytes);
	void (*publish)(void *context, const char *topic, struct span bytes);
	/* A name has another certificate than the one that was seen first;
	 * once for each. */
	void (*changed)(void *context, struct span user, const char *seen,
		const char *fingerprint);
};

struct guard_config {
	struct signer *signer; /* borrowed */
	struct verifier
		*verifier;    /* borrowed; NULL: what comes is not judged */
	const char *inbox;    /* topic */
	bool waits;           /* what comes waits for its key */
	uint64_t seed;        /* of message ids */
	struct quotas quotas; /* against floods; 0: the usual ones */
};

struct guard *guard_new(const struct guard_config *config,
	const struct guard_calls *calls);
void guard_free(struct guard *guard);

/* A connection is being made: all keys will be introduced anew. */
void guard_connected(struct guard *guard);

/* The verifier has other authorities: what was introduced lately is judged by
 * these, so that nobody has to be asked. */
void guard_learn_again(struct guard *guard, int64_t wall);

/* See struct member_calls. */
void guard_sign(struct guard *guard, struct span topic, struct span envelope,
	int64_t mono, int64_t wall, struct text *out);
void guard_vouch(struct guard *guard, const struct trust_claim *claim,
	int64_t wall, struct trust *trust);
void guard_forward(struct guard *guard, struct span inbox, struct span envelope,
	int64_t mono, struct text *out);
void guard_introduction(struct guard *guard, struct span sig, struct span *bind,
	struct span *cert);

/* A type 13 came to our inbox: a question for a key, or the answer to one.
 * about is its qchat.topic, and that of our answer; empty if it has none. */
void guard_hear_key(struct guard *guard, const struct room_message *message,
	struct span about, int64_t mono, int64_t wall);

/*
 * A message came: it is passed on at once, or when its key is known, or when
 * that did not come in time.
 */
void guard_receive(struct guard *guard, struct span topic, struct span bytes,
	int64_t mono, int64_t wall);

/* When guard_tick() is due (mono ms), INT64_MAX if never. */
int64_t guard_deadline(const struct guard *guard);
void guard_tick(struct guard *guard, int64_t mono);

/*
 * Names and the certificates that they were first seen with, a line each:
 * fingerprint, blank, name.  guard_names_restore() takes what it can read in
 * the place of what it had, but for what guard_names_save() still has to give,
 * and returns how many lines are none; with guard_names_lose() it is known that
 * there were some which cannot be read: then no name that is new is trusted.
 * guard_names_save() appends those that are new since guard_names_saved().
 */
size_t guard_names_restore(struct guard *guard, struct span lines);
void guard_names_lose(struct guard *guard);
bool guard_names_changed(const struct guard *guard);
void guard_names_save(const struct guard *guard, struct text *lines);
void guard_names_saved(struct guard *guard);

/* The names were restored anew: makes of *trust, which guard_vouch() filled
 * before, what it would be now. */
void guard_judge_name(struct guard *guard, struct span user,
	struct trust *trust);

struct guard_counts {
	uint64_t waited;   /* messages that waited for a key */
	uint64_t keyless;  /* … that did not come */
	uint64_t asked;    /* for keys */
	uint64_t answered; /* who asked for one */
	/* What limits have refused or forgotten; those of struct quotas by its
	 * names. */
	uint64_t over_waiting_bytes, over_waiting_messages, over_names;
	uint64_t over_waiting_keys; /* keys that others made room for */
	uint64_t over_keys_kept;    /* introductions likewise */
	uint64_t over_names_each;   /* names of one certificate */
	uint64_t unasked;           /* keys that we may not ask for now */
	uint64_t unanswered;        /* questions for keys */
};

struct guard_counts guard_counts(const struct guard *guard);

#endif
