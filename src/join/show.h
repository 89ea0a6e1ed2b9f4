/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SHOW_H
#define QCHAT_JOIN_SHOW_H

#include "record.h"
#include "session.h"
#include "text.h"

/* What stands on the screen, as text: harmless, with line feeds between
 * rows.  Knows no terminal. */

/* "HH:MM:SS - name: text", or "HH:MM:SS * name …" for what nobody said. */
void show_record(struct text *line, const struct record *record);

/* "HH:MM:SS * text" */
void show_notice(struct text *line, int64_t wall, const char *text);

/* A participant a row. */
void show_people(struct text *text, const struct member *member,
	struct instant now);

/* What was said, by whom, and how the link is. */
void show_counts(struct text *text, const struct session *session,
	struct instant now);

/* One row: room, participants, link, what waits for its proof. */
void show_status(struct text *text, const struct session *session, size_t back);

/* The participants' names, sorted: spans into names.  The caller frees the
 * array.  Returns how many. */
size_t show_names(struct text *names, struct span **spans,
	const struct member *member);

#endif
