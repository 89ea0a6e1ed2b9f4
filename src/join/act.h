/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_ACT_H
#define QCHAT_JOIN_ACT_H

#include "chat.h"

/* What is done when a line was entered, or a key pressed. */

/*
 * A command, or a text to be said; a literal one is always a text.  False if
 * it could not be said: it is to be edited, and not lost.
 */
bool act_line(struct chat *chat, struct span line, bool literal);

/* Sees another room; nothing if there is none of that number. */
void act_see(struct chat *chat, size_t index);

/* In line mode, where nothing else shows it: which of the rooms is seen. */
void act_tell_room(struct chat *chat);

/* Goes on searching, up (-1) or down (1). */
void act_search(struct chat *chat, int direction);

/* Searches no more; what is read stays. */
void act_end_search(struct chat *chat);

/* UTC, or local time. */
void act_turn_clock(struct chat *chat);

#endif
