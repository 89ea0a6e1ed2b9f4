/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_GUARD_STATE_H
#define QCHAT_GUARD_STATE_H

#include "answers.h"
#include "dxl.h"
#include "guard.h"
#include "table.h"

/*
 * What the files of `guard` share:
 *
 *	guard.c        signing and judging
 *	guard_keys.c   introductions: of our key, and of others'
 *	guard_wait.c   messages that wait for a key
 *	guard_names.c  names and their certificates
 */

enum { GUARD_KEY_TEXT = 2 * SIGN_KEY_ID_BYTES + 1 }; /* in hex, and NUL */

/* A key that was introduced to us. */
struct guard_key {
	char *bind, *cert;
};

/* Messages that wait for a key, in their order. */
struct guard_waiting {
	struct guard_message *first, **end;
	size_t count;
	int64_t until; /* mono */
};

/* A name and its certificate. */
struct guard_name {
	char fingerprint[TRUST_FINGERPRINT_MAX];
	char told[TRUST_FINGERPRINT_MAX]; /* the other one that was told of */
	bool is_new;                      /* not in the file yet */
};

struct guard_introduced {
	uint64_t what; /* a digest of topic and key; 0: none */
	int64_t mono;
};

struct guard {
	struct guard_calls calls;
	struct signer *signer;
	struct verifier *verifier;
	char *inbox;
	bool waits;
	struct quotas quotas; /* all are set */
	uint64_t random;
	struct table *keys;    /* of struct guard_key by id in hex */
	struct table *waiting; /* of struct guard_waiting likewise */
	size_t waiting_bytes;
	struct table *names; /* of struct guard_name */
	bool names_changed;
	bool names_lost; /* there were more than could be read */
	struct answers *answers;
	struct answers *asks; /* whom we asked for keys, likewise bounded */
	struct guard_introduced introduced[GUARD_TOPICS_MAX];
	struct guard_counts counts;
};

/* guard.c */

/* Learns the key that an event brings along; is it known now? */
bool guard_learn_event(struct guard *guard, const struct dxl_message *event,
	int64_t wall);

/* guard_keys.c */

/* The id of the key of a qchat.sig in hex; false if that is malformed. */
bool guard_key_of(struct span sig, char key[static GUARD_KEY_TEXT]);

/* A key was learnt from these headers. */
void guard_note_key(struct guard *guard, const struct trust_claim *claim);

/* The headers that introduce a key; false if they are not known. */
bool guard_find_key(struct guard *guard, const char *key, struct span *bind,
	struct span *cert);

/* Is it time to introduce this key on this topic?  If so, it counts as done. */
bool guard_must_introduce(struct guard *guard, struct span topic,
	const char *key, int64_t mono);

/* Appends the event with these headers in the place of those it has; what is
 * empty is left out. */
void guard_rewrite(const struct dxl_message *event, struct span sig,
	struct span bind, struct span cert, struct text *out);

/* Asks an inbox for a key; about is the topic of the room that it was heard
 * of in, or empty. */
void guard_ask_key(struct guard *guard, struct span inbox, struct span about,
	const char *key, int64_t mono, int64_t wall);

void guard_free_keys(struct guard *guard);

/* guard_wait.c */

/* A key is known now: passes on what waits for it. */
void guard_release(struct guard *guard, const char *key);
void guard_free_waiting(struct guard *guard);

/* guard_names.c */

struct table *guard_names_table(const struct quotas *quotas);

/* Compares with what is known of the name; a name that is new is remembered
 * if the mark is good. */
void guard_check_name(struct guard *guard, struct span user,
	struct trust *trust);

#endif
