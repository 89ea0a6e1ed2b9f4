/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_PLAIN_H
#define QCHAT_JOIN_PLAIN_H

#include "chat.h"

/* The line mode, for screen readers, serial lines and terminals that cannot
 * move their cursor: the terminal's own line editing, and a line for each thing
 * that happens. */

/* Prints a line of a room, or keeps it for plain_catch_up(): who comes and goes
 * is not told one by one. */
void plain_show(struct window *window, const struct line *line);

/* Prints what was kept; due at lull_deadline(), and before the window goes. */
void plain_catch_up(struct window *window);

/*
 * Takes what standard input has.  A line is told when none follows it at once:
 * lines that come together are a paste, about which it asks.  False at the end
 * of input.
 */
bool plain_read(struct chat *chat);

/* When plain_tick() wants to be called (mono ms), INT64_MAX if never. */
int64_t plain_deadline(void);
void plain_tick(struct chat *chat);

/* Asks a question.  Returns the answer, or the default for an empty one; NULL
 * at the end of input.  The caller frees it. */
char *plain_ask(const char *question, const char *default_answer);

/* Ends it. */
void plain_end(void);

#endif
