/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_PASTE_H
#define QCHAT_JOIN_PASTE_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Tells the keys from the pastes in what a terminal sends when bracketed
 * paste is on (ESC[?2004h): a paste comes between ESC[200~ and ESC[201~.
 * Knows no terminal and no clock.
 */
struct paste;

enum {
	PASTE_MAX = 256 * 1024, /* bytes of a text; what is beyond is dropped */
	PASTE_KEY_MS = 100,     /* ESC alone is a key after that long */
	PASTE_PART_MS = 1000,   /* so is the rest of what nobody types */
	PASTE_TAIL_MS = 50,     /* what follows an end so soon is no key */
	PASTE_AGAIN_MS = 500,   /* a quiet that ends what followed */
	PASTE_LOST_MS = 3000,   /* a quiet in which the end was lost */
};

/* One paste.  The text has LF for CR and CRLF, and no start and end markers;
 * all else is as it came. */
struct pasted {
	struct span text;
	size_t dropped; /* bytes beyond PASTE_MAX */
	size_t good; /* so many bytes are UTF-8 without NUL: text.len if all */
};

/* Nothing may call back into the paste from these; what they get is valid
 * during the call only. */
struct paste_calls {
	void *context;
	/*
	 * One whole key: a control character, a character in UTF-8, ESC, or
	 * an escape sequence (ESC and a character; CSI; SS3), however many
	 * reads it came in.  Bytes that are no UTF-8 give U+FFFD.  A sequence
	 * of which no more comes gives what there is of it.
	 */
	void (*key)(void *context, struct span key);
	void (*pasted)(void *context, const struct pasted *pasted);
};

struct paste *paste_new(const struct paste_calls *calls);
void paste_free(struct paste *paste);

/*
 * Takes what was read, at any time of a clock in ms.
 *
 * A terminal may pass on an end marker that is part of the text, so an end
 * marker ends the paste only when paste_tick() finds that nothing came for
 * PASTE_TAIL_MS.  All that is fed before belongs to the paste, and then
 * PASTE_AGAIN_MS without a byte end it, or the next end marker.  A start
 * marker in it is removed: the two pastes are one, as both go where the
 * cursor is.
 */
void paste_feed(struct paste *paste, struct span bytes, int64_t now);

/* When to call paste_tick(); INT64_MAX: not before there are more bytes. */
int64_t paste_deadline(const struct paste *paste);

/* Has a paste begun, and is not known to be over? */
bool paste_is_open(const struct paste *paste);

/* Ends what waited until now.  Only to be called when nothing is there to be
 * read: what waits in the terminal may be as old as the end marker. */
void paste_tick(struct paste *paste, int64_t now);

#endif
