/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ENROLL_H
#define QCHAT_ENROLL_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How one comes by a certificate: a key, the request for its certificate
 * (PKCS #10, RFC 2986), and a look at what comes back.  PEM text in, PEM text
 * out. */

enum enroll_kind {
	ENROLL_RSA, /* 2048 bits */
	ENROLL_EC,  /* P-256 */
};

enum {
	ENROLL_NAMES_MAX = 64,         /* of a request's subjectAltName */
	ENROLL_CERTIFICATES_MAX = 256, /* of one text */
	ENROLL_NAME_MAX = 256, /* bytes of a name in enroll_facts, and NUL */
};

/* Who asks; NULL where nothing is said.  UTF-8. */
struct enroll_subject {
	const char *common_name; /* never NULL */
	const char *country;     /* two letters */
	const char *state;
	const char *locality;
	const char *organization;
	const char *unit;
	const char *email;
	const char *const *names; /* of hosts, or addresses */
	size_t name_count;
};

/* Can a request for this subject be made?  0, or -1 with FAULT_USAGE. */
int enroll_check_subject(const struct enroll_subject *subject,
	struct fault *fault);

/*
 * Makes a key (PKCS #8, with a passphrase if that is not NULL) and a request
 * for it as protocol.md 9.2 has it; an EC key's has no keyEncipherment, which
 * it could not do.  Both are appended; who called wipes the key.
 * 0, or -1 with FAULT_USAGE (something of the subject cannot be) or
 * FAULT_INTERNAL.
 */
int enroll_make(enum enroll_kind kind, const struct enroll_subject *subject,
	const char *passphrase, struct text *key, struct text *csr,
	struct fault *fault);

/* In the functions below, source is whose text it is, for messages, and a text
 * that is wrong is of this kind: FAULT_DATA, FAULT_PROTOCOL … */
struct enroll_source {
	const char *name;
	enum fault_kind kind;
};

/* Appends the request alone, without what else is in the text.  0, or -1 if
 * there is none, or its signature is not good. */
int enroll_take_csr(struct text *out, struct span pem,
	const struct enroll_source *source, struct fault *fault);

/*
 * Appends the certificates alone.  Returns how many; -1 if there is none that
 * is an authority's, one is damaged, or there are more than
 * ENROLL_CERTIFICATES_MAX.
 */
int enroll_take_authorities(struct text *out, struct span pem,
	const struct enroll_source *source, struct fault *fault);

/*
 * Appends a certificate for that request, and what of its chain follows.  It
 * has to have the request's key, be one for TLS clients, not have expired, and
 * be issued by one of the authorities; what is no CA's among them counts for
 * nothing.  One that will be valid is taken.
 * Returns how many; or -1.
 */
int enroll_take_certificate(struct text *out, struct span pem, struct span csr,
	struct span authorities, const struct enroll_source *source,
	struct fault *fault);

/* Did one of the authorities issue the first certificate?  Time and purpose do
 * not matter.  false too if something cannot be read. */
bool enroll_is_issued(struct span certificate, struct span authorities);

/* What a certificate says. */
struct enroll_facts {
	char subject[ENROLL_NAME_MAX]; /* RFC 4514, cut if need be; foreign */
	char issuer[ENROLL_NAME_MAX];
	char fingerprint[65]; /* SHA-256 in lower-case hex */
	char key[32];         /* "RSA 2048", "EC P-256" */
	int64_t from, until;  /* ms since the epoch, -1: unknown */
	bool is_authority;
};

/* Reads the i-th of the text.  False if there is none. */
bool enroll_look(struct enroll_facts *facts, struct span pem, size_t i);

#endif
