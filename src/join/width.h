/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_WIDTH_H
#define QCHAT_JOIN_WIDTH_H

#include "text.h"

#include <stddef.h>

/* Columns of a terminal: characters may take none (combining ones), one or
 * two.  What is not UTF-8, or cannot be shown in this locale, takes one, as a
 * `?` stands in its place.  Knows no terminal. */

/* How many columns a text takes. */
size_t width_of(struct span text);

/* How many bytes from the start of text fit into that many columns, what
 * combines with the last of them included. */
size_t width_fit(struct span text, size_t columns);

/*
 * The next row of a text that is broken into rows of that many columns (one at
 * least): at a line feed, else behind the last word that fits, else inside a
 * word.  Takes it off *left, with the blank or line feed that ends it.
 */
struct span width_row(struct span *left, size_t columns);

#endif
