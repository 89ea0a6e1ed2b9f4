/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_ATTENTION_H
#define QCHAT_JOIN_ATTENTION_H

#include "room.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this message for me, and may that be told aloud?  Times come from
 * outside. */

/* Does the text have one of these words, between boundaries (word.h)?  The
 * case of ASCII letters does not matter; an empty word is in no text. */
bool attention_mentions(struct span text, const struct span *words,
	size_t count);

/* From the least to the most. */
enum attention {
	ATTENTION_NONE,   /* our own, or of the time before */
	ATTENTION_UNREAD, /* something was said */
	ATTENTION_SEVERE, /* it is told aloud: bell and notify command */
	ATTENTION_MINE,   /* likewise; and it is for us */
};

struct attention_message {
	bool own;
	bool replayed;
	bool forged; /* its mark is `!`: it is told of, but not aloud */
	bool direct;
	bool mentions;
	enum room_severity severity;
};

/* from: the least severity that is told aloud; ROOM_SEVERITY_NONE: none. */
enum attention attention_level(const struct attention_message *message,
	enum room_severity from);

/*
 * How often: one every so many milliseconds, and after a calm so many at once,
 * 1 and up.  Starts with these two set and the rest 0.
 */
struct attention_rate {
	int64_t every_ms;
	int64_t burst;
	int64_t busy_until;
	uint64_t withheld;
};

enum {
	ATTENTION_BELL_MS = 1000, /* with a burst of 1 */
	ATTENTION_NOTIFY_MS = 5000,
	ATTENTION_NOTIFY_BURST = 3,
};

/* May it be told now (monotonic ms)?  If not, it is counted as withheld. */
bool attention_allow(struct attention_rate *rate, int64_t mono);

/* How many were withheld since this was asked last. */
uint64_t attention_withheld(struct attention_rate *rate);

enum {
	ATTENTION_NAME_MAX = 64,  /* bytes, of the room's and of the name */
	ATTENTION_TEXT_MAX = 512, /* bytes of the text */
};

/*
 * The notify command, which ends with NULL, with two arguments more:
 * "ROOM: NAME", with "(and N more)" if some were withheld, and the text.
 * Both are harmless and cut between characters, to ATTENTION_NAME_MAX and
 * ATTENTION_TEXT_MAX.  As what is said comes from strangers:
 * - They begin with a letter, a digit, what is not ASCII, or a blank, so that
 *   no program takes them for an option (`-`) or a file to read (`@`).
 * - `<` and `&` are replaced by what looks like them, as desktops take a text
 *   for markup.
 * The caller frees the array; the command's own arguments are borrowed.
 */
char **attention_argv(char *const *command, struct span room, struct span user,
	struct span text, uint64_t withheld);

#endif
