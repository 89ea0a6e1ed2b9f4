/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SESSION_COVER_H
#define QCHAT_SESSION_COVER_H

#include "cover.h"
#include "fault.h"
#include "member.h"

#include <stdbool.h>
#include <stdint.h>

/* The secrets of the rooms of a session, and what is done with them. */
struct session_cover;

/* With `all`, a room need not be added: when it is first heard of, its secrets
 * are looked for. */
struct session_cover *session_cover_new(const struct signer *signer, bool all);
void session_cover_free(struct session_cover *cover);

/* Loads the secrets of a room, which may be there already.  1 if it is sealed,
 * 0 if it is not, or -1 with FAULT_NOPERM, FAULT_IO or FAULT_CONFIG: nothing
 * may be said there then. */
int session_cover_add(struct session_cover *cover, const char *room,
	struct fault *fault);

/* Is the room of this topic sealed? */
bool session_cover_is_sealed(const struct session_cover *cover,
	struct span topic);

/*
 * Appends to *out what is to be published in the place of an envelope that is
 * of a room with a secret.  1; 0 if the room has none, and the envelope goes
 * as it is; or -1 with FAULT_DATA: it must not go.
 */
int session_cover_seal(struct session_cover *cover, struct span place,
	struct span envelope, struct text *out, struct fault *fault);

/* See cover_open(). */
enum cover_state session_cover_open(struct session_cover *cover,
	struct span place, struct span envelope, int64_t wall, struct text *out,
	struct fault *fault);

/* Messages that were not tried, as too many had failed. */
uint64_t session_cover_untried(const struct session_cover *cover);

/* Looks for secrets that were made, rotated or accepted meanwhile.  True if
 * there are some: what a broker holds of us, the will, is under none or
 * another. */
bool session_cover_tick(struct session_cover *cover, struct instant now);
int64_t session_cover_deadline(const struct session_cover *cover);

#endif
