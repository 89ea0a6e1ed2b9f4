/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_FABRIC_H
#define QCHAT_SIM_FABRIC_H

#include "node.h"

/*
 * One broker, or two with a bridge.  From one publisher to one subscriber the
 * order is kept, unless a storm says otherwise.
 */

/* How long something takes. */
int64_t fabric_latency(struct world *world);

/* An event at a broker. */
void fabric_handle(struct world *world, struct event *event);

/* Sends something to a node, in order. */
void fabric_send_down(struct node *node, enum event_kind kind);

void fabric_crash(struct world *world, int side, int64_t ms);
void fabric_part(struct world *world, int64_t ms);
void fabric_heal(struct world *world);

#endif
