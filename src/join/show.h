/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SHOW_H
#define QCHAT_JOIN_SHOW_H

#include "chat.h"
#include "screen.h"

/* What stands beside and below the conversation.  Knows no terminal. */

/*
 * Appends the status line for a screen of that many columns: the rooms; the
 * link, if it is down; that the room's secret is missing; what is not
 * delivered, or not confirmed; how much came below; how many are here; sealed
 * or clear; the broker; the clock.  What does not fit is said in fewer words or
 * left out, and what is wrong last of all.
 */
void show_status(struct text *text, const struct chat *chat, size_t columns);

/* Appends the words of the rule above the newest lines. */
void show_below(struct text *text, const struct window *window);

/* Appends "NAME@ROOM> ". */
void show_prompt(struct text *text, const struct window *window);

/* The participants, as the screen has them. */
struct show_names {
	struct text text;
	struct screen_name *names; /* by name */
	size_t count;
};

/* Makes them anew from a room; show_names_free() in the end. */
void show_names(struct show_names *names, const struct member *member);
void show_names_free(struct show_names *names);

#endif
