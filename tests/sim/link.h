/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_LINK_H
#define QCHAT_SIM_LINK_H

#include "node.h"

/* A node's connection to its broker. */

/* Connects in so many ms. */
void link_connect_in(struct node *node, int64_t ms);

/* What a member publishes, and whether it wants to hear the room. */
void link_publish(struct node *node, const char *topic, struct span bytes);
void link_attend(struct node *node, bool room);

/* Nothing passes any more, and the node is yet to see it. */
void link_die(struct node *node);

/* The node sees that it is gone, and connects again.  silent: the broker is to
 * blame, and publishes no will. */
void link_lose(struct node *node, bool silent);

/* The node wants another. */
void link_renew(struct node *node);

/* The node has gone, with or without a word. */
void link_close(struct node *node, bool graceful);

void link_freeze(struct node *node, int64_t ms);
void link_thaw(struct node *node);

/* An event at the node's end. */
void link_handle(struct node *node, struct event *event);

/* Does what was sent on this link reach the broker? */
bool link_arrives(const struct node *node, const struct event *event);

#endif
