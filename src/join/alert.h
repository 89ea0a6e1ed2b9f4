/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_ALERT_H
#define QCHAT_JOIN_ALERT_H

#include "conf.h"
#include "fault.h"
#include "line.h"

#include <stdbool.h>

/* What the settings say of messages that are for us: a bell, and the notify
 * command. */
struct alert;

/* conf is borrowed.  NULL with FAULT_CONFIG if there is no such command. */
struct alert *alert_new(const struct conf_join *conf, struct fault *fault);
void alert_free(struct alert *alert);

/* Our own name is one of the words that are for us. */
void alert_name(struct alert *alert, struct span name);

/* Is one of the words in it? */
bool alert_mentions(const struct alert *alert, struct span text);

/* Somebody said this line in a room, at mono ms. */
void alert_tell(struct alert *alert, struct span room, const struct line *line,
	int64_t mono);

/* To be called now and then.  True if a notify command has failed, for the
 * first time. */
bool alert_reap(struct alert *alert, int64_t mono);

#endif
