/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_CHECK_H
#define QCHAT_SIM_CHECK_H

#include "node.h"

/* The promises. */

/* A broker routes a message into the room. */
void check_routed(struct world *world, const struct packet *packet);

/* A node publishes. */
void check_published(struct node *node, const struct packet *packet);

/* Something arrives at a node. */
void check_heard(struct node *node, const struct packet *packet);

/* A member calls. */
void check_delivered(struct node *node, const struct record *record);
void check_proved(struct node *node, int64_t first, int64_t last);
void check_resent(struct node *node, const char *uid, int64_t first,
	bool proved);
void check_unproved(struct node *node, int64_t first, int64_t last,
	struct span text);

/* A participant was told that these numbers of a sender are missing. */
void check_gap(struct node *node, struct node *sender, int64_t first,
	int64_t last);

/* A stream ends: did it stay for repairs? */
void check_lingered(struct node *node);

/* A member has gone: what it counted. */
void check_counts(struct node *node);

/* All is over. */
void check_settled(struct world *world);

#endif
