/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_WORD_H
#define QCHAT_JOIN_WORD_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where words begin and end, in any language and whatever the locale. */

/*
 * Does it make one word with a letter beside it?  Letters, digits, marks and
 * `_` do.  What is written without blanks between words (Han, kana, Hangul
 * with its endings, Thai) does not: there every place is a boundary.
 */
bool word_joins(uint32_t c);

/* Is there a boundary in front of this byte of the text?  at may be text.len.
 * What is not UTF-8 joins nothing. */
bool word_boundary(struct span text, size_t at);

/* The letter's small form, for ASCII. */
char word_lower(char c);

/* Are they the same, but for the case of ASCII letters? */
bool word_same(struct span a, struct span b);

/* Does text begin so, likewise? */
bool word_begins(struct span text, struct span prefix);

#endif
