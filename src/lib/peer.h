/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PEER_H
#define QCHAT_PEER_H

#include <stdbool.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

enum {
	PEER_FINGERPRINT_MAX = 65, /* SHA-256 in lower-case hex, and NUL */
	PEER_NAME_MAX = 256,
};

/* Which certificate the server at the other end of a TLS connection shows.
 * Starts as { 0 }, or with a pin. */
struct peer {
	/* The SHA-256 of the one certificate that is taken, in lower-case hex;
	 * or NULL: it is verified as the context says. */
	const char *pin;
	bool is_seen;
	bool is_refused; /* another than the pinned one */
	char fingerprint[PEER_FINGERPRINT_MAX];
	char name[PEER_NAME_MAX]; /* its common name, foreign, or "" */
	int error;                /* X509_V_… */
};

/* Has the connections of this context fill in *peer, which has to stay as
 * long as the context does, and judge by the pin. */
void peer_watch(struct peer *peer, struct ssl_ctx_st *context);

/* What is wrong with it, in OpenSSL's words, or NULL. */
const char *peer_error(const struct peer *peer);

/* Makes a pin out of hex digits of either case, with or without colons.
 * 0, or -1. */
int peer_parse_pin(char pin[PEER_FINGERPRINT_MAX], const char *text);

#endif
