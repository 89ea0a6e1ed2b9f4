/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_COUNTS_H
#define QCHAT_COUNTS_H

#include "cli.h"
#include "session.h"
#include "text.h"

/* What a session has counted, as the tools tell it: qchat(7), COUNTERS.  What
 * is 0 is left out. */

/* Appends "NAME VALUE" for each, with a text between two of them. */
void counts_append(const struct session *session, const char *between,
	struct text *text);

/* Appends them as one JSON line. */
void counts_json(const struct session *session, struct text *text);

/* Says them in one line, with --verbose; nothing if there are none, or the
 * session is NULL. */
void counts_trace(const struct cli *cli, const struct session *session);

#endif
