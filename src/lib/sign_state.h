/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIGN_STATE_H
#define QCHAT_SIGN_STATE_H

#include "sign.h"
#include "table.h"

#include <openssl/x509.h>

/*
 * What the files of `sign` share:
 *
 *	sign.c         our own keys, and signing with them
 *	sign_bind.c    bindings and qchat.sig: bytes, and their signatures
 *	sign_chain.c   certificates: chains, authorities, revocation
 *	sign_learn.c   keys of others: whose they are
 *	sign_verify.c  checking with them
 *	sign_budget.c  how many failures there may be
 */

enum {
	SIGN_VERSION = 1,
	SIGN_SIGNATURE_BYTES = 64, /* Ed25519 */
	SIGN_SIG_BYTES = 105,      /* of qchat.sig */
	SIGN_SCOPE_MAX = 532,      /* bytes of the longest room's topic */
	SIGN_RSA_BITS_MAX = 8192,
	SIGN_EC_BITS_MAX = 571,
};

/* sign.c: with session keys that are known, for tests. */
struct signer *signer_new_from(const struct identity *identity, int64_t now,
	const unsigned char ed25519[static SIGN_KEY_BYTES],
	const unsigned char x25519[static SIGN_KEY_BYTES], struct fault *fault);

/* The private X25519 key; borrowed. */
EVP_PKEY *signer_x25519_key(const struct signer *signer);

/* sign_bind.c */

/* Base64 (RFC 4648, section 4, with padding).  text has room for it. */
void sign_encode(char *text, struct span bytes);
/* Only the one text that sign_encode() makes of some bytes, and at most max.
 * bytes has room for max + 2.  The number of bytes, or -1. */
long sign_decode(unsigned char *bytes, struct span text, size_t max);

enum { SIGN_DIGEST_BYTES = 32 }; /* SHA-256 */

void sign_digest(struct span bytes,
	unsigned char digest[static SIGN_DIGEST_BYTES]);

/* Spans point into the bytes. */
struct binding {
	unsigned char key[SIGN_KEY_BYTES]; /* Ed25519 */
	unsigned char x25519[SIGN_KEY_BYTES];
	int64_t begin, end; /* ms since the epoch, both included */
	unsigned char certificate[SIGN_KEY_ID_BYTES]; /* SHA-256 of the DER */
	struct span scope;                            /* a topic; empty: any */
	struct span body;                             /* all of the above */
	struct span signature;
};

/* Appends the body. */
void binding_format(const struct binding *binding, struct text *bytes);

/* NULL, or what is wrong: form and dates alone. */
const char *binding_parse(struct binding *binding, struct span bytes);

/* Can keys of this kind sign bindings, and is it of a size that one can afford
 * to check?  Not NULL, a key that OpenSSL does not know. */
bool binding_key_fits(const EVP_PKEY *key);

/* Appends the signature of the body that is in bytes.  0, or -1. */
int binding_sign(struct text *bytes, EVP_PKEY *key);

bool binding_verify(const struct binding *binding, EVP_PKEY *key);

/* What qchat.sig holds. */
struct sign_sig {
	unsigned char key_id[SIGN_KEY_ID_BYTES];
	int64_t sent;
	unsigned char signature[SIGN_SIGNATURE_BYTES];
};

void sign_sig_format(const struct sign_sig *sig,
	char text[static SIGN_SIG_MAX]);
/* 0, or -1. */
int sign_sig_parse(struct sign_sig *sig, struct span text);

/* What is signed, in the place of what bytes held: of the payload its SHA-256,
 * which is read once, where Ed25519 reads what it signs twice. */
void sign_message(struct text *bytes, struct span topic, struct span payload,
	const struct sign_sig *sig);

/* sign_chain.c */

struct authorities; /* authorities and revocation lists */

struct authorities *authorities_new(const struct verifier_config *config,
	struct fault *fault);
void authorities_free(struct authorities *trust);

struct chain {
	X509 *leaf;
	STACK_OF(X509) * others;
	unsigned char digest[SIGN_KEY_ID_BYTES];      /* of all of it */
	unsigned char certificate[SIGN_KEY_ID_BYTES]; /* of the leaf */
};

/* Takes the text of qchat.cert.  NULL, and chain_free() it; or what is
 * wrong. */
const char *chain_parse(struct chain *chain, struct span text);
void chain_free(struct chain *chain);

/* What is found out of a chain once, so that a look at times is enough. */
struct chain_verdict {
	enum sign_state state; /* good, untrusted, bad */
	const char *why;
	int64_t begin, end;             /* of the leaf, ms since the epoch */
	int64_t chain_begin, chain_end; /* of all, where it is good */
	int64_t crl_end;                /* of the revocation lists */
};

void chain_judge(struct chain_verdict *verdict, const struct chain *chain,
	const struct authorities *trust, int64_t now);

/* sign_budget.c */

struct budget;

struct budget *budget_new(const struct verifier_limits *limits);
void budget_free(struct budget *budget);

struct budget_counts {
	unsigned long source_refused, refused; /* for one source, in total */
	unsigned long sources;                 /* that made room for others */
};

struct budget_counts budget_counts(const struct budget *budget);

/* May an operation be tried that can fail? */
bool budget_allows(struct budget *budget, struct span source, int64_t now);

/* Who pays for one that has failed. */
enum budget_payer {
	BUDGET_ALL,    /* its source, and what all have together */
	BUDGET_SOURCE, /* it alone: it was tried whatever the budget says */
};

/* One has failed. */
void budget_charge(struct budget *budget, enum budget_payer payer,
	struct span source, int64_t now);

/* sign_verify.c, for sign_learn.c */

enum {
	SIGN_TRIED_MAX = 4,
	SIGN_HOMES_MAX = 2,
};

/* What strangers can make as much of as they like has tables of its own. */
enum { FOREIGN, TRUSTED, KINDS };

struct home {
	size_t len; /* 0: none; one without a name is never at home */
	char bytes[TABLE_KEY_MAX];
};

/* A key whose binding is good. */
struct key {
	unsigned char key[SIGN_KEY_BYTES];
	unsigned char x25519[SIGN_KEY_BYTES];
	unsigned char certificate[SIGN_KEY_ID_BYTES];
	int64_t begin, end;
	bool is_scoped;
	unsigned char scope[SIGN_KEY_ID_BYTES]; /* digest of the topic */
	struct home
		homes[SIGN_HOMES_MAX]; /* sources of good ones, newest first */
};

struct bad_key {
	const char *why;
	bool has_certificate;
	unsigned char certificate[SIGN_KEY_ID_BYTES];
};

struct known_certificate {
	struct chain_verdict verdict;
	char name[SIGN_NAME_MAX];
	/* Chains that did not lead to a trusted authority. */
	unsigned char tried[SIGN_TRIED_MAX][SIGN_KEY_ID_BYTES];
	size_t tried_count;
	int64_t judged; /* when, in ms */
};

struct verifier {
	struct authorities *trust;
	struct budget *budget;
	struct verifier_limits limits;
	struct table *keys[KINDS];         /* struct key, by key id */
	struct table *certificates[KINDS]; /* by SHA-256 of the DER */
	struct table *bad;                 /* struct bad_key, by key id */
	struct verifier_counts counts;
	struct text bytes; /* what was signed; kept for its memory */
};

struct span sign_id(const unsigned char *id);

/* Is a time that is given in seconds over?  It may be INT64_MAX. */
bool sign_is_over(int64_t end, int64_t at);

/* In one of two tables; it is then the one used last.  NULL if in none. */
void *verifier_find(struct table *const tables[static KINDS],
	const unsigned char *id);

/* An operation failed. */
void verifier_charge(struct verifier *verifier, enum budget_payer payer,
	struct span source, int64_t now);

/* Something good came from there. */
void verifier_note_home(struct key *key, struct span source);

#endif
