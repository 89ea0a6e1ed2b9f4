/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_INVITE_H
#define QCHAT_INVITE_H

#include "fault.h"
#include "secret.h"
#include "sign.h"
#include "text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Invitations: a room's secret for the owners of certificates, signed by the
 * one who invites (qchat-protocol(7), "Invitations").  Bytes in, bytes out; no
 * clock: now is in wall-clock milliseconds since the epoch.
 */

struct identity;

enum {
	INVITE_FILE_MAX = 1024 * 1024, /* bytes of an invitation */
	INVITE_GUESTS_MAX = 256,       /* that one is for */
	INVITE_CERT_MAX = 256 * 1024,  /* bytes of a certificate's file */
};

/* One whom it is for. */
struct guest {
	char name[SIGN_NAME_MAX]; /* foreign UTF-8, "" if there is none */
	char fingerprint[SIGN_FINGERPRINT_MAX];
	const char *why; /* static: why it is not trusted; NULL if it is */
};

/* An invitation that is being made. */
struct invite;

/* trust says whose certificates are trusted.  NULL with FAULT_CONFIG as
 * verifier_new(). */
struct invite *invite_new(const struct verifier_config *trust,
	struct fault *fault);
void invite_free(struct invite *invite);

/*
 * Adds the owner of the first certificate of a PEM text, for which its others
 * may be the way to an authority; file is its name for messages.  *guest says
 * who that is.  0, or -1 with FAULT_DATA: there is none, it is damaged, not
 * for TLS clients, out of date, of a kind of key that nothing can be sealed
 * to, or one too many.
 */
int invite_add(struct invite *invite, struct span pem, const char *file,
	int64_t now, struct guest *guest, struct fault *fault);

/*
 * Appends the invitation in PEM form, signed by identity.  There has to be one
 * guest at least.  room is one that room_name_check() takes.
 * 0, or -1 with FAULT_CONFIG: our certificate's key cannot sign it.
 */
int invite_format(const struct invite *invite, const struct identity *identity,
	const char *room, const unsigned char secret[static SECRET_BYTES],
	int64_t now, struct text *pem, struct fault *fault);

/* An invitation that came. */
struct invitation {
	char *room;
	unsigned char secret[SECRET_BYTES];
	int64_t made;      /* when, as it says, ms since the epoch */
	struct guest from; /* who signed it: trusted */
};

/*
 * Opens one that is for identity and signed by the owner of a certificate that
 * is trusted; file is its name for messages.  0, and invitation_free() it; or
 * -1 with nothing to free and FAULT_DATA (damaged, altered, or passed on by
 * somebody to whom it was made), FAULT_NOPERM (for other certificates), or
 * FAULT_CONFIG (trust is unusable, or who signed it is not trusted).
 */
int invite_open(const struct identity *identity,
	const struct verifier_config *trust, struct span pem, const char *file,
	int64_t now, struct invitation *invitation, struct fault *fault);

/* Wipes the secret. */
void invitation_free(struct invitation *invitation);

#endif
