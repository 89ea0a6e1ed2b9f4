/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_VIEW_H
#define QCHAT_JOIN_VIEW_H

#include "chat.h"

/* When the screen is drawn, and what is on it then: a key is seen at once, what
 * else happens once a frame. */
struct view;

struct view *view_new(void);
void view_free(struct view *view);

/* When view_tick() is due (mono ms). */
int64_t view_deadline(const struct view *view, const struct chat *chat);
void view_tick(struct view *view, struct chat *chat, bool key, int64_t now);

/* Draws now. */
void view_draw(struct view *view, struct chat *chat, int64_t now);

#endif
