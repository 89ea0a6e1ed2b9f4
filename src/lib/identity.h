/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_IDENTITY_H
#define QCHAT_IDENTITY_H

#include "conf.h"
#include "fault.h"
#include "text.h"

#include <stddef.h>
#include <stdint.h>

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* Who this tool is on the fabric: a key, its certificate chain, the CA. */
struct identity;

enum {
	IDENTITY_FINGERPRINT_MAX = 65, /* SHA-256 in lower-case hex, and NUL */
	IDENTITY_UID_MAX = 33,         /* 32 lower-case hex digits, and NUL */
	IDENTITY_ID_MAX = 39,          /* {random UUID}, and NUL */
};

/*
 * Reads conf->key, conf->certificate (leaf first, then its chain) and conf->ca
 * and checks that the key belongs to the leaf, that the leaf is in date, that
 * the CA file holds certificates, that there is a way to make the leaf's chain
 * a client's (a foreign CA is not a fault: the broker judges that), and that
 * others cannot read the key: world-readable is refused, and group-readable
 * unless root owns the file.  For an encrypted key conf->ask_passphrase is
 * called once.  conf is borrowed for the call only.
 * Returns NULL with FAULT_CONFIG, FAULT_NOPERM for the key file's mode, or what
 * conf->ask_passphrase says.
 */
struct identity *identity_open(const struct conf *conf, struct fault *fault);

void identity_free(struct identity *identity);

/* Does the key belong to the certificate, as identity_open() reads both? Dates,
 * purpose and CA are not looked at.  0; 1 with FAULT_CONFIG if it does not; -1
 * as with identity_open() if one of them could not be read. */
int identity_check_key(const struct conf *conf, struct fault *fault);

/*
 * Does conf->key, read as identity_open() does it, belong to this certificate
 * request?  csr is PEM text of one, and name whose it is, for messages.  Of
 * conf nothing else is needed.  0, or -1 as with identity_open().
 */
int identity_check_csr(const struct conf *conf, struct span csr,
	const char *name, struct fault *fault);

/* The leaf's common name (the last, UTF-8), or NULL if it has none. */
const char *identity_name(const struct identity *identity);

/* The same of the leaf in conf->certificate, as identity_name() will be; the
 * caller frees it.  The key is not read.  0, or -1 with FAULT_CONFIG. */
int identity_find_name(const struct conf *conf, char **name,
	struct fault *fault);

/* SHA-256 of the leaf's DER, lower-case hex. */
const char *identity_fingerprint(const struct identity *identity);

/*
 * Appends the SHA-256 of the public key of each certificate in conf->ca, in
 * lower-case hex, separated by spaces.  0, or -1 with FAULT_CONFIG.
 */
int identity_authorities(const struct conf *conf, struct text *digests,
	struct fault *fault);

/*
 * Appends the PEM files that participants' certificates are verified with
 * (struct verifier_config): those of conf->sign_ca, or, without it, conf->ca,
 * and of conf->crl, if it is set.  Only that they can be read is checked.
 * 0, or -1 with FAULT_CONFIG.
 */
int identity_trust(const struct conf *conf, struct text *ca, struct text *crl,
	struct fault *fault);

/*
 * Puts key, chain and trusted CAs into a TLS context that the caller made, if
 * the keys and signatures of the chain are as strong as its security level
 * asks. Returns 0, or -1 with FAULT_CONFIG.
 */
int identity_apply(const struct identity *identity, struct ssl_ctx_st *context,
	struct fault *fault);

/* Unguessable bytes from OpenSSL's generator; ends the process if that fails,
 * as nothing may go on without them. */
void identity_random(void *bytes, size_t len);

/* A new participant's id: 32 lower-case hex digits. */
void identity_uid(char uid[static IDENTITY_UID_MAX]);

/* A new message or client id: {random UUID version 4}, 38 characters. */
void identity_id(char id[static IDENTITY_ID_MAX]);

/* The same for ever for this certificate and this name: {UUID version 8},
 * which others cannot tell from a random one. */
void identity_lasting_id(const struct identity *identity, const char *name,
	char id[static IDENTITY_ID_MAX]);

#endif
