/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_DIGEST_H
#define QCHAT_DIGEST_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* Digests by which files are known elsewhere, and how they are written. */

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };

enum {
	DIGEST_BYTES_MAX = 32,
	DIGEST_BASE64_MAX = 45, /* with NUL */
};

struct digest {
	enum digest_kind kind;
	unsigned char bytes[DIGEST_BYTES_MAX];
};

/* "md5", "sha1", "sha256". */
const char *digest_name(enum digest_kind kind);

/* How many bytes one has. */
size_t digest_size(enum digest_kind kind);

/* Reads hex digits in any case; their number tells the kind.  0, or -1. */
int digest_from_hex(struct digest *digest, struct span hex);

/* Reads base64 as digest_to_base64() writes it, and nothing else, of a digest
 * of this kind.  0, or -1. */
int digest_from_base64(struct digest *digest, enum digest_kind kind,
	struct span base64);

/* Appends lower-case hex digits. */
void digest_append_hex(const struct digest *digest, struct text *text);

/* Reads the base64 of exactly so many bytes (DIGEST_BYTES_MAX at most).
 * 0, or -1. */
int digest_decode(unsigned char *bytes, size_t size, struct span base64);

/* With the standard alphabet and padding. */
void digest_to_base64(const struct digest *digest,
	char base64[static DIGEST_BASE64_MAX]);

/* Makes digests of all kinds of bytes that come piece by piece. */
struct digester;

struct digester *digester_new(void);
void digester_free(struct digester *digester);
void digester_add(struct digester *digester, struct span bytes);

/* All of them, of what came so far, once; returns how many there are: this
 * machine's policy may forbid MD5. */
size_t digester_end(struct digester *digester,
	struct digest digests[static DIGEST_KINDS]);

#endif
