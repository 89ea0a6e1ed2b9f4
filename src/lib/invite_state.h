/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_INVITE_STATE_H
#define QCHAT_INVITE_STATE_H

#include "invite.h"
#include "sign_state.h"

#include <openssl/pem.h> /* before cms.h, which declares more behind it */

/*
 * What the files of `invite` share:
 *
 *	invite.c       making
 *	invite_open.c  opening
 *	invite_text.c  what is inside, and whose a certificate is
 */

/* Spans point into the text. */
struct invite_text {
	struct span room;
	unsigned char secret[SECRET_BYTES];
	int64_t made;
	struct span guests; /* their lines */
};

/* Appends it. */
void invite_text_format(const struct invite_text *inside, struct text *text);
/* False if it is malformed. */
bool invite_text_parse(struct invite_text *inside, struct span text);

/* Appends the line of a guest. */
void invite_text_add(struct text *guests, const char *fingerprint);
/* Is it for the owner of this certificate? */
bool invite_text_is_for(const struct invite_text *inside,
	const char *fingerprint);

/* Fills in whose a certificate is, and whether it is trusted.  False if it is
 * none of a client, or of a key that cannot be used: why says it. */
bool invite_judge(struct guest *guest, const struct chain *chain,
	const struct authorities *trust, int64_t now);

#endif
