/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_COMPLETE_H
#define QCHAT_JOIN_COMPLETE_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* What Tab offers: commands, and the names, rooms and indicators that were
 * seen.  Knows no terminal. */
struct complete;

enum complete_kind {
	COMPLETE_NAME,
	COMPLETE_ROOM,
	COMPLETE_INDICATOR,
};

enum {
	COMPLETE_WORDS_MAX = 500, /* of each kind; the oldest goes */
	COMPLETE_WORD_MAX = 512,  /* bytes; what is longer is not offered */
	COMPLETE_READ_MAX = 4096, /* bytes of a text, … */
	COMPLETE_READ_WORDS = 32, /* … and indicators of it, that are read */
};

struct complete *complete_new(void);
void complete_free(struct complete *complete);

/* It was seen: it is the most recent now.  A name is kept as it is shown
 * (TEXT_NAME); others, if they would be shown otherwise than they are, are
 * not kept. */
void complete_note(struct complete *complete, enum complete_kind kind,
	struct span word);

/* It is offered no more. */
void complete_forget(struct complete *complete, enum complete_kind kind,
	struct span word);

/* Notes the indicators in a message's text (indicator.h).  Cheap: a flood goes
 * through it. */
void complete_read(struct complete *complete, struct span text);

/*
 * The n-th candidate, from 0, for what stands before the cursor (in bytes):
 * sets *candidate, which goes into the place of line from *from to the cursor.
 * The case of ASCII letters does not matter; the most recent ones come first.
 *
 * Behind a first \ or / commands, and behind a command what it takes; in a
 * text names, at the start of the line with a colon, and then indicators.
 * Where no word is begun, only names at the start of the line, and a command's
 * first argument.
 * False if there is no n-th.
 */
bool complete_at(const struct complete *complete, struct span line,
	size_t cursor, size_t n, size_t *from, struct text *candidate);

#endif
