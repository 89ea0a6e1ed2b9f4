/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIGN_H
#define QCHAT_SIGN_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who said it: signatures of messages (qchat-protocol(7), "Signature").  A
 * process signs with an Ed25519 key of its own; a binding, signed once by the
 * key of its TLS client certificate, says whose it is.  No clock: now is in
 * wall-clock milliseconds since the epoch throughout.
 */

struct identity;

/* The headers of the envelope. */
#define SIGN_SIG_FIELD  "qchat.sig"
#define SIGN_BIND_FIELD "qchat.bind"
#define SIGN_CERT_FIELD "qchat.cert"

enum {
	SIGN_KEY_ID_BYTES = 32, /* SHA-256 of the binding */
	SIGN_KEY_BYTES = 32,    /* an Ed25519 or X25519 public key */
	SIGN_SIG_MAX = 141,     /* text of qchat.sig, and NUL */
	SIGN_BIND_BYTES_MAX = 2048,
	SIGN_BIND_MAX = 2733, /* text of qchat.bind, and NUL */
	SIGN_CERT_BYTES_MAX = 16384,
	SIGN_CERT_MAX = 21849,     /* text of qchat.cert, and NUL */
	SIGN_CHAIN_MAX = 8,        /* certificates in qchat.cert */
	SIGN_FINGERPRINT_MAX = 65, /* SHA-256 in lower-case hex, and NUL */
	SIGN_NAME_MAX = 257,       /* a common name, and NUL */
};

#define SIGN_MINUTE   INT64_C(60000)          /* ms */
#define SIGN_DAY      (SIGN_MINUTE * 60 * 24) /* ms */
#define SIGN_LIFE     (SIGN_DAY * 7)          /* of a binding of ours */
#define SIGN_EARLY    (SIGN_MINUTE * 10)      /* begins so long before */
#define SIGN_RENEW    SIGN_DAY                /* is due so long before */
#define SIGN_LIFE_MAX (SIGN_DAY * 8)          /* of a binding of others */

/* Our own side: the session keys and their binding. */
struct signer;

/*
 * Makes the session keys and a binding: one operation of the private key of
 * identity, which is borrowed until signer_free().  The binding is valid from
 * SIGN_EARLY before now for SIGN_LIFE, and no longer than the certificate.
 * NULL with FAULT_CONFIG if that key cannot sign, or the certificate does not
 * fit into the header.
 */
struct signer *signer_new(const struct identity *identity, int64_t now,
	struct fault *fault);

/* Wipes the private keys. */
void signer_free(struct signer *signer);

/* Is less than SIGN_RENEW left of the binding, and would a new one be valid
 * for longer?  Or does it begin after now, as the clock was put back? */
bool signer_renew_due(const struct signer *signer, int64_t now);

/*
 * Makes a new binding of the same session keys, if it is due: the key id
 * changes, and whoever verifies needs the new qchat.bind.
 * 1 if it did, 0 if it was not due, or -1 with FAULT_CONFIG: the old one stays.
 */
int signer_renew(struct signer *signer, int64_t now, struct fault *fault);

/* Until when the binding is valid, in ms since the epoch. */
int64_t signer_not_after(const struct signer *signer);

/* How many operations of the certificate's private key there were. */
unsigned long signer_key_operations(const struct signer *signer);

/* SIGN_KEY_ID_BYTES bytes; valid until the binding is renewed. */
const unsigned char *signer_key_id(const struct signer *signer);

/* The X25519 public key, SIGN_KEY_BYTES bytes.  (sign_state.h has the private
 * one, for what opens messages to it.) */
const unsigned char *signer_x25519(const struct signer *signer);

/* SHA-256 of the certificate's DER in lower-case hex. */
const char *signer_fingerprint(const struct signer *signer);

/*
 * Signs the exact payload for the exact topic; sent is the time of sending in
 * ms since the epoch.  sig becomes the text of the header qchat.sig.
 */
void signer_sign(struct signer *signer, struct span topic, struct span payload,
	int64_t sent, char sig[static SIGN_SIG_MAX]);

/* The texts of the headers qchat.bind and qchat.cert.  The first changes when
 * the binding is renewed; both are valid until then. */
const char *signer_bind(const struct signer *signer);
const char *signer_cert(const struct signer *signer);

/* The text of qchat.bind of this key id, if it is the current binding or the
 * one before it; else NULL. */
const char *signer_bind_of(const struct signer *signer,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES]);

/* The id of the key that made a qchat.sig, or that a qchat.bind is of, from
 * its text alone.  False if that is malformed. */
bool sign_key_of_sig(struct span sig,
	unsigned char key_id[static SIGN_KEY_ID_BYTES]);
bool sign_key_of_bind(struct span bind,
	unsigned char key_id[static SIGN_KEY_ID_BYTES]);

/* The other side: whose key it is, and is the signature good? */
struct verifier;

/* Bounds; 0 stands for what is said behind each. */
struct verifier_limits {
	size_t trusted;          /* keys that are remembered, and verdicts on
				  * certificates, of trusted authorities: 4096 */
	size_t foreign;          /* likewise of others: 1024 */
	size_t bad;              /* bad keys that are remembered: 4096 */
	size_t sources;          /* whose failures are counted: 1024 */
	int64_t failures;        /* failed operations a second in total: 2000 */
	int64_t source_failures; /* of one source that has a name, in ten
				  * seconds: 50 */
};

struct verifier_config {
	struct span ca;       /* PEM: who issues certificates to participants */
	const char *ca_file;  /* its name for messages */
	struct span crl;      /* PEM: revocation lists */
	const char *crl_file; /* its name for messages; NULL: none is wanted */
	/* Of OpenSSL, for keys and signatures of the chain; 0: 1, -1: any. */
	int security_level;
	struct verifier_limits limits;
};

/*
 * All is copied.  NULL with FAULT_CONFIG: ca or crl holds something damaged,
 * or nothing.  identity_trust() reads the files.
 */
struct verifier *verifier_new(const struct verifier_config *config,
	struct fault *fault);
void verifier_free(struct verifier *verifier);

/*
 * Takes authorities and revocation lists anew and forgets all verdicts, but
 * not the failures.  Keys have to be learnt again.
 * 0, or -1 with FAULT_CONFIG: all stays as it was.
 */
int verifier_trust(struct verifier *verifier,
	const struct verifier_config *config, struct fault *fault);

enum verifier_learned {
	VERIFIER_KNOWN, /* was known */
	VERIFIER_NEW,   /* is known now: what waited for it can be checked */
	VERIFIER_BAD,   /* is not taken; *why says why */
	VERIFIER_BUSY,  /* too many failed lately: ask again */
};

/*
 * Takes the headers qchat.bind and qchat.cert of a message from source (the
 * client or connection that it came from: forgeable, only for the budget).
 * That the binding is good makes the key known; whether it is trusted is told
 * with each message.  A known key costs no public-key operation, and a bad
 * one no second; if the first chain did not lead to a trusted authority,
 * another is tried.  cert may be empty if the key is known.
 * *why becomes a static string, or NULL; why may be NULL.
 */
enum verifier_learned verifier_learn(struct verifier *verifier,
	struct span source, struct span bind, struct span cert, int64_t now,
	const char **why);

/* Is the key known, be it as a bad one, so that waiting for it is needless? */
bool verifier_knows(const struct verifier *verifier,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES]);

/* Is this a key that is known, of a certificate that is trusted? */
bool verifier_trusts(const struct verifier *verifier,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES]);

enum sign_state {
	SIGN_NONE,      /* for callers: there is no signature */
	SIGN_GOOD,      /* good, from a certificate of a trusted authority */
	SIGN_UNTRUSTED, /* good, but the authority is not trusted, the chain to
			 * it is incomplete, or its CRL is missing or old */
	SIGN_UNKNOWN,   /* the key is not known: learn it and check again */
	SIGN_BAD,       /* malformed, does not fit, or key or certificate was
			 * not valid when it was sent, is revoked, or not for
			 * clients */
	SIGN_BUSY,      /* not checked: too many failed lately */
};

struct verdict {
	enum sign_state state;
	const char *why; /* static string; NULL where it is good */
	/* From the header; zero if that is malformed. */
	unsigned char key_id[SIGN_KEY_ID_BYTES];
	int64_t sent;
	/* Of the key; empty if it is not known.  Proven only where state is
	 * good or untrusted: else it is what the message claims. */
	char fingerprint[SIGN_FINGERPRINT_MAX]; /* of the certificate */
	char name[SIGN_NAME_MAX]; /* the last common name; foreign UTF-8, "" if
				   * there is none */
	unsigned char x25519[SIGN_KEY_BYTES];
	int64_t not_after; /* of the binding, ms since the epoch */
};

/*
 * Checks the header qchat.sig (sig) of a message from source.  Whether it is
 * fresh, a repetition, or under a name that is pinned to another certificate
 * is for the caller to judge.  Cheap checks come first; failures count
 * against source and in total, and above the limits the state is SIGN_BUSY.
 *
 * Never for a known key from the source of its last good signatures, its home:
 * else who forges the one or the other would keep it from being believed.  So
 * a flood of bad ones from there, as from a client of a DXL fabric under its
 * own key, is looked at to its end.  What it costs is bounded by what comes:
 * one operation a message, as for the good ones that the same client might
 * send, of which there is no limit either.  They count against the source
 * alone, so that nobody else is SIGN_BUSY for them.
 *
 * Fills *verdict and returns its state.
 */
enum sign_state verifier_check(struct verifier *verifier, struct span source,
	struct span topic, struct span payload, struct span sig, int64_t now,
	struct verdict *verdict);

/* Since verifier_new(). */
struct verifier_counts {
	unsigned long operations; /* public-key operations */
	unsigned long failures;   /* of these: that failed */
	unsigned long good, untrusted, unknown, bad, busy; /* checks */
	/* What limits have forgotten: keys and certificates, … */
	unsigned long over_trusted, over_foreign;
	unsigned long over_bad;     /* … keys that are bad, … */
	unsigned long over_sources; /* … and whose failures are counted */
	/* Not tried, as of one source, or in total, too many failed. */
	unsigned long over_source_failures, over_failures;
};

struct verifier_counts verifier_counts(const struct verifier *verifier);

#endif
