/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SESSION_TRUST_H
#define QCHAT_SESSION_TRUST_H

#include "conf.h"
#include "fault.h"
#include "guard.h"
#include "identity.h"
#include "member.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Who a session is to others, and others to it: our session key, the
 * authorities of participants, and the names in this user's state folder.
 * Who stays for long takes the files of authorities, revocation lists and names
 * anew when they change.
 */
struct session_trust;

enum session_sight {
	SESSION_BLIND, /* looks at nothing that others say */
	SESSION_OWN,   /* knows itself again */
	SESSION_ALL,   /* judges who said what */
};

/*
 * Makes the session key, which takes one operation of the certificate's.
 * conf is borrowed for the call, identity until session_trust_free().
 * NULL with FAULT_CONFIG.
 */
struct session_trust *session_trust_new(const struct conf *conf,
	const struct identity *identity, const char *inbox,
	enum session_sight sight, const struct guard_calls *calls,
	struct fault *fault);

/* Writes what there is of new names, and frees it. */
void session_trust_free(struct session_trust *trust);

/* The names that are new are not written. */
void session_trust_forget(struct session_trust *trust);

struct signer *session_trust_signer(const struct session_trust *trust);
/* Zeros if it looks at nothing. */
struct verifier_counts session_trust_counts(const struct session_trust *trust);
struct guard *session_trust_guard(const struct session_trust *trust);

/* Puts a name into the file of names as this certificate's, or takes it out:
 * NULL; and goes by it.  As names_set(). */
int session_trust_pin(struct session_trust *trust, const char *name,
	const char *fingerprint, struct fault *fault);

/* Was the file of names read since the last time this was asked? */
bool session_trust_renamed(struct session_trust *trust);

/* When session_trust_tick() is due (mono ms), INT64_MAX if never. */
int64_t session_trust_deadline(const struct session_trust *trust);
void session_trust_tick(struct session_trust *trust, struct instant now);

/*
 * Could the names not be read or written (told once), or the authorities and
 * revocation lists, which changed, not be taken?  *fault says why.
 */
bool session_trust_fault(struct session_trust *trust, struct fault *fault);

#endif
