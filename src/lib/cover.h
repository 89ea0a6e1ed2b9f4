/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_COVER_H
#define QCHAT_COVER_H

#include "fault.h"
#include "seal.h"
#include "text.h"

#include <stdint.h>

/*
 * Envelopes under the seal of a room or of one recipient, and out of it
 * (qchat-protocol(7), "Sealing").  A place is the topic that an envelope is
 * published on.
 */

/* A header that no message may come with: it is added to what was opened. */
#define COVER_FIELD  "qchat.sealed"
#define COVER_ROOM   "room"
#define COVER_DIRECT "direct"

enum cover_state {
	COVER_CLEAR,   /* was never sealed */
	COVER_OPENED,  /* *out has what was inside */
	COVER_FOREIGN, /* there is no secret of ours for it */
	COVER_BAD,     /* malformed, altered, or moved */
};

/*
 * Appends the envelope, sealed: its payload and headers are inside, but for
 * qchat.topic.  0, or -1 with FAULT_DATA: it is too large.
 */
int cover_seal(struct seal *seal, struct span place, struct span envelope,
	struct text *out, struct fault *fault);

/* The same for the one participant with this X25519 key. */
int cover_seal_to(const unsigned char key[static SIGN_KEY_BYTES],
	struct span place, struct span envelope, struct text *out,
	struct fault *fault);

/*
 * Opens an envelope that came at place; seal is that of its room, NULL if we
 * have no secret.  What is no envelope is clear, for others to refuse.
 * COVER_FOREIGN and COVER_BAD come with FAULT_DATA.
 */
enum cover_state cover_open(struct seal *seal, const struct signer *signer,
	struct span place, struct span envelope, int64_t wall, struct text *out,
	struct fault *fault);

#endif
