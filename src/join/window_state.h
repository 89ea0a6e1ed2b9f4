/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_WINDOW_STATE_H
#define QCHAT_JOIN_WINDOW_STATE_H

#include "window.h"

/* What window.c and window_hear.c share. */

/* Adds a line, which is the scroll's then; returns its number. */
uint64_t window_add(struct window *window, struct line line);

/* The line of our own message with this number, or NULL. */
struct line *window_own(const struct window *window, enum line_kind kind,
	int64_t seq);

/* Opens its session, whose calls become lines.  NULL with a fault. */
struct session *window_listen(struct window *window, struct fault *fault);

struct direct_calls window_direct_calls(struct window *window);

#endif
