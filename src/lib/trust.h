/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TRUST_H
#define QCHAT_TRUST_H

#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of who said something. */

enum trust_mark {
	TRUST_NONE,     /* `-`: not signed */
	TRUST_GOOD,     /* `+`: signed, and nothing speaks against the name */
	TRUST_DOUBTFUL, /* `?`: its authority is not trusted, its name had
			 * another certificate, or its key could not be had */
	TRUST_BAD,      /* `!`: forged, altered or stale */
};

enum { TRUST_KEY_BYTES = 32 };
enum { TRUST_FINGERPRINT_MAX = 65 }; /* SHA-256 in lower-case hex, and NUL */

/* How far the time of signing may be from ours. */
#define TRUST_FRESH_MS INT64_C(600000)

struct trust {
	enum trust_mark mark;
	bool is_trusted; /* its certificate's authority is, whatever the name */
	bool is_unchecked; /* for want of time */
	bool is_clear;     /* not sealed, in a room that is */
	bool is_stale;     /* good, but for the time of signing */
	const char *why;   /* static; NULL where there is nothing to say */
	/* Of the certificate that signed it; "" if that is not proven. */
	char fingerprint[TRUST_FINGERPRINT_MAX];
	/* The one that its name had before; "" if that is the same. */
	char pinned[TRUST_FINGERPRINT_MAX];
	unsigned char x25519[TRUST_KEY_BYTES]; /* to seal to it, likewise */
	int64_t sent; /* wall ms: when it was signed; -1 if not proven */
};

/* What is to be judged.  Headers that are not there are empty. */
struct trust_claim {
	struct span topic; /* that it was signed for */
	struct span payload;
	struct span sig, bind, cert; /* headers */
	struct span source; /* the client that it came from: forgeable */
	struct span user;   /* the name in the payload */
};

static inline char
trust_letter(enum trust_mark mark)
{
	return "-+?!"[mark];
}

#endif
