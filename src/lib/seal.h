/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SEAL_H
#define QCHAT_SEAL_H

#include "fault.h"
#include "secret.h"
#include "sign.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who may read it: messages of a room with a secret, and messages to one
 * participant, as type 5 (qchat-protocol(7), "Sealing").  No clock, no file:
 * now is in wall-clock milliseconds since the epoch.
 *
 * A place is the exact topic that a message is published on: the room's, or
 * an inbox.  It has at most SEAL_PLACE_MAX bytes.
 */

enum {
	SEAL_VERSION = 1,
	SEAL_INNER_MAX = 640 * 1024, /* bytes of what is sealed */
	SEAL_BLOCK = 256,            /* its length is hidden up to these */
	SEAL_PLACE_MAX = 1024,
	SEAL_SALT_BYTES = 16,
	SEAL_KEY_ID_BYTES = 16,
	SEAL_ID_MAX = 64,            /* text of seal_id(), and NUL */
	SEAL_HEADERS_MAX = 8,        /* of one inner message */
	SEAL_HEADER_KEY_MAX = 64,    /* bytes */
	SEAL_HEADER_MAX = 24 * 1024, /* bytes of its value */
	SEAL_SEALED_MAX = 874176,    /* text of `sealed`, without NUL */
};

/* What a payload of type 5 says, as it is read from its JSON.  Texts that are
 * missing are empty, numbers that are missing are -1. */
struct seal_fields {
	int64_t version;    /* `v` */
	struct span sealed; /* base64 */
	/* In a room. */
	struct span salt, key; /* base64: of the sender, and which key it is */
	int64_t counter;
	/* To one participant. */
	struct span to, ephemeral; /* base64: which key, and with which */
};

/* Is it for one participant (seal_open_to), and not for a room (seal_open)? */
bool seal_is_direct(const struct seal_fields *fields);

/*
 * The outer name of a sealed message, the same in each repetition: "salt.n",
 * or the ephemeral key.  0, or -1 if the fields do not have the right form.
 * It proves nothing: who does not know the secret can use it for other bytes.
 */
int seal_id(const struct seal_fields *fields, char id[static SEAL_ID_MAX]);

/* What is inside: a payload and the headers that belong to it. */
struct seal_header {
	struct span key, value;
};

struct seal_inner {
	struct span payload;
	struct seal_header headers[SEAL_HEADERS_MAX];
	size_t header_count;
};

/* Appends it.  0, or -1 with FAULT_DATA: more than SEAL_INNER_MAX or one of
 * the limits of headers. */
int seal_inner_format(const struct seal_inner *inner, struct text *bytes,
	struct fault *fault);

/* Spans point into bytes.  0, or -1 with FAULT_DATA. */
int seal_inner_parse(struct seal_inner *inner, struct span bytes,
	struct fault *fault);

/* The value of a header; empty if it is not there. */
struct span seal_inner_header(const struct seal_inner *inner, const char *key);

/* Seals and opens for one room. */
struct seal;

/* Bounds; 0 stands for what is said behind each. */
struct seal_limits {
	size_t keys;             /* of senders, that are remembered: 1024 */
	size_t foreign;          /* not ours, that are remembered: 1024 */
	size_t sources;          /* whose failures are counted: 1024 */
	int64_t failures;        /* keys a second that are not ours: 5000 */
	int64_t source_failures; /* of one source in ten seconds: 500 */
};

/*
 * room is the room's topic; secrets are count (1 to SECRET_MAX), the current
 * one first, in which everything is sealed.  All is copied.  Makes a random
 * salt.  limits may be NULL.
 */
struct seal *seal_new(struct span room, const struct secret *secrets,
	size_t count, const struct seal_limits *limits);

/* Wipes the secrets and keys. */
void seal_free(struct seal *seal);

/* Takes other secrets and makes a new salt, unless they are the same.  1 if
 * they are others, else 0. */
int seal_renew(struct seal *seal, const struct secret *secrets, size_t count);

/*
 * Seals inner (SEAL_INNER_MAX bytes at most) for this place and appends the
 * payload of type 5.  Each call uses up one number, which is never used again:
 * what is sent again keeps its bytes, and a will is sealed once for each
 * connection, which reserves its number.  When the numbers of a salt are used
 * up, there is a new one.
 */
void seal_seal(struct seal *seal, struct span place, struct span inner,
	struct text *out);

enum seal_state {
	SEAL_OPENED,
	SEAL_FOREIGN, /* sealed with a secret that we do not have, or no longer
		       * read: an invitation would help */
	SEAL_BAD,     /* malformed, altered, or sealed for another place */
	SEAL_BUSY,    /* not tried: too many failed lately */
};

/*
 * Opens what came at place from source (the client that it came from:
 * forgeable, only for the budget) and appends what is inside to inner.  Who
 * said it, and whether it is a repetition, is for the caller to judge.
 * Sizes are checked before anything is allocated.
 * Returns the state, with FAULT_DATA, one line of text for it, where that is
 * not SEAL_OPENED.
 */
enum seal_state seal_open(struct seal *seal, struct span source,
	struct span place, const struct seal_fields *fields, int64_t now,
	struct text *inner, struct fault *fault);

struct seal_counts {
	unsigned long sealed, opened, foreign, bad, busy;
	unsigned long derived; /* keys */
};

struct seal_counts seal_counts(const struct seal *seal);

/*
 * Seals inner for the one participant with this X25519 key (verdict.x25519),
 * for this place, its inbox, and appends the payload.  Each call makes a key
 * of its own.  0, or -1 with FAULT_DATA: that is no usable key.
 */
int seal_to(const unsigned char key[static SIGN_KEY_BYTES], struct span place,
	struct span inner, struct text *out, struct fault *fault);

/* Opens what seal_to() made for us.  SEAL_FOREIGN: it is for another key, such
 * as one of an earlier process of ours.  Else as seal_open(). */
enum seal_state seal_open_to(const struct signer *signer, struct span place,
	const struct seal_fields *fields, struct text *inner,
	struct fault *fault);

#endif
