/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_WINDOW_H
#define QCHAT_JOIN_WINDOW_H

#include "chat.h"

/* A room in the conversation: what its session tells becomes lines. */

/*
 * Enters a room; it is the last of chat's windows then.  NULL with a fault of
 * session_open(), or FAULT_USAGE: one is there already, or in as many rooms as
 * can be.  What goes wrong until it is connected is set in chat->fault while
 * chat is not running, else told in the conversation.
 */
struct window *window_open(struct chat *chat, const char *room,
	struct fault *fault);

/* Leaves it with a goodbye, and frees it. */
void window_close(struct window *window);

/* Leaves all of them, and frees them: what they have is there in between. */
void window_close_all(struct chat *chat);
void window_free_all(struct chat *chat);

/* A number of chat's windows; chat->count if it is none of those. */
size_t window_index(const struct chat *chat, const struct window *window);

/* The window of a room, or NULL. */
struct window *window_find(const struct chat *chat, struct span room);

/* A line of ours. */
void window_notice(struct window *window, const char *text);

/* Do others seal with a secret that we do not have, and we say all in the
 * clear? */
bool window_lacks_secret(const struct window *window);

/* Would what is said here be in the clear where others seal, as far as we
 * know, and has nobody said that it may? */
bool window_is_exposed(const struct window *window);

/* Says a text; it is shown at once.  If it cannot be said, a line tells why,
 * and false comes back. */
bool window_post(struct window *window, const struct member_post *post);

/* The same, but where it would be exposed it is kept, and asked about. */
bool window_say(struct window *window, const struct member_post *post);

/* What the line of a post of ours would be, now. */
struct line window_line(const struct window *window,
	const struct member_post *post);

/* Says a text to one participant alone; likewise. */
bool window_say_to(struct window *window, struct span name, struct span text);

/* Would something be exposed that could not be delivered and is said again?
 * True once only: who asks again wants it. */
bool window_warns_again(struct window *window);

/* Says what could not be delivered again.  Returns how many that were. */
size_t window_say_again(struct window *window);

/* Appends what was said and is not proved, or waits for a word on whether it
 * may be said, a line each.  Returns how many messages that are, of which the
 * oldest may be on no line any more.
 */
size_t window_undelivered(const struct window *window, struct text *text);

/* Somebody looks at it, or no longer does. */
void window_look(struct window *window);
void window_look_away(struct window *window);

/* When window_tick() wants to be called (mono ms). */
int64_t window_deadline(const struct window *window);
void window_tick(struct window *window);

#endif
