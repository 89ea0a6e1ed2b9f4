/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_PLAIN_H
#define QCHAT_JOIN_PLAIN_H

#include "chat.h"

/* The line mode, for screen readers, serial lines and terminals that cannot
 * move their cursor: the terminal's own line editing, and a line for each thing
 * that happens. */

/* Prints a line of a room. */
void plain_show(const struct window *window, const struct line *line);

/*
 * Takes what standard input has, and tells the lines that were entered.  Lines
 * that come together are a paste: it asks before it is said.  False at the end
 * of input.
 */
bool plain_read(struct chat *chat);

/* When plain_tick() wants to be called (mono ms), INT64_MAX if never. */
int64_t plain_deadline(void);
void plain_tick(struct chat *chat);

/* Ends it. */
void plain_end(void);

#endif
