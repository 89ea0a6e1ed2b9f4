/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TIE_SHOW_H
#define QCHAT_TIE_SHOW_H

#include "columns.h"
#include "tie.h"
#include "translate.h"

/* What a TIE server says, as rows of a table (qchat-tie(1)). */

void tie_show_reputation_header(struct columns *columns);
/* A row for each provider; NULL or none: one that says so. */
void tie_show_reputations(const struct tie_subject *subject,
	const struct tie_reputations *reputations, struct columns *columns);

/* The same as a text of several lines, for a room: the hash, and below it what
 * each provider thinks, and since when; the rest is qchat-tie's to tell.  No
 * line feed at the end. */
void tie_show_summary(const struct tie_subject *subject,
	const struct tie_reputations *reputations, enum audience audience,
	struct text *text);

void tie_show_agents_header(struct columns *columns);
void tie_show_agents(const struct tie_subject *subject,
	const struct tie_agents *agents, struct columns *columns);

void tie_show_change_header(struct columns *columns);
/* A row for each provider whose level is another now. */
void tie_show_change(const struct tie_change *change, struct columns *columns);

#endif
