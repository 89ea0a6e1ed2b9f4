/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SEAL_STATE_H
#define QCHAT_SEAL_STATE_H

#include "seal.h"
#include "sign_state.h"
#include "table.h"

#include <openssl/evp.h>

/*
 * What the files of `seal` share:
 *
 *	seal.c         a room's secrets, and sealing with them
 *	seal_open.c    opening with them
 *	seal_direct.c  to and from one participant
 *	seal_box.c     keys and ciphertext
 *	seal_inner.c   what is inside
 */

enum {
	SEAL_KEY_BYTES = 32, /* AES-256 */
	SEAL_NONCE_BYTES = 12,
	SEAL_TAG_BYTES = 16,
	/* Bytes of what `sealed` holds: one block at least, and the tag. */
	SEAL_BOX_MIN = SEAL_BLOCK + SEAL_TAG_BYTES,
	SEAL_BOX_MAX = SEAL_INNER_MAX + SEAL_BLOCK + SEAL_TAG_BYTES,
};

#define SEAL_COUNTER_MAX INT64_C(4294967295)

/* A key and the public name that is derived along with it. */
struct seal_key {
	unsigned char bytes[SEAL_KEY_BYTES];
	unsigned char id[SEAL_KEY_ID_BYTES];
};

/* What a salt and one of our secrets make. */
struct known_key {
	unsigned char bytes[SEAL_KEY_BYTES];
	size_t secret; /* which one */
};

struct seal_box;

struct seal {
	char *room;
	struct secret secrets[SECRET_MAX];
	size_t count;
	struct seal_limits limits;
	unsigned char salt[SEAL_SALT_BYTES]; /* our own */
	struct seal_key key;                 /* of that and secrets[0] */
	int64_t counter;                     /* the last that was used */
	struct table *known;   /* struct known_key, by salt and key id */
	struct table *foreign; /* char, likewise: none of our secrets */
	struct budget *budget;
	struct seal_counts counts;
};

/* seal.c: goes on behind this counter under this salt, for tests. */
void seal_set(struct seal *seal,
	const unsigned char salt[static SEAL_SALT_BYTES], int64_t counter);
/* The key of a salt and one of the secrets. */
void seal_room_key(struct seal *seal, size_t secret, const unsigned char *salt,
	struct seal_key *key);
/* Context and names of a room's box; names is what these point to. */
void seal_room_box(struct seal_box *box, struct text *names,
	const unsigned char *salt, const unsigned char *id);

/* seal_direct.c: with an ephemeral key that is known, for tests. */
int seal_to_from(const unsigned char ephemeral[static SIGN_KEY_BYTES],
	const unsigned char key[static SIGN_KEY_BYTES], struct span place,
	struct span inner, struct text *out, struct fault *fault);

/* seal_box.c */

/* Derives a key by HKDF-SHA256: info is context (with its NUL), length and
 * bytes of place. */
void seal_derive(struct seal_key *key, struct span secret, struct span salt,
	const char *context, struct span place);

/* One ciphertext, and all that is authenticated along with it. */
struct seal_box {
	const unsigned char *key;
	int64_t counter;     /* the nonce */
	const char *context; /* with its NUL … */
	struct span names;   /* … behind it: what is public of the key, … */
	struct span place; /* … and the counter, and where it is published */
};

/* Appends the base64 text of the padded, encrypted bytes. */
void seal_box_close(const struct seal_box *box, struct span inner,
	struct text *out);

/* Appends what is inside.  NULL, or what is wrong. */
const char *seal_box_open(const struct seal_box *box, struct span sealed,
	struct text *inner);

/* Appends the text of some bytes. */
void seal_encode(struct text *out, const void *bytes, size_t len);

/* Reads exactly so many bytes of a text (48 at most); false if it holds
 * others. */
bool seal_decode(unsigned char *bytes, struct span text, size_t len);

/* Appends a number in network byte order. */
void seal_append_number(struct text *bytes, uint64_t number, size_t width);

#endif
