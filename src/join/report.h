/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_REPORT_H
#define QCHAT_JOIN_REPORT_H

#include "conf.h"
#include "record.h"
#include "session.h"
#include "subs.h"
#include "text.h"

#include <stddef.h>

/* What is known of a room, as text: harmless, with line feeds between rows.
 * Knows no terminal. */

enum {
	REPORT_PEOPLE_MAX = 200, /* participants, a row each */
	REPORT_SENDERS_MAX = 20,
};

/* Participants, sorted by name: mark, name, since, idle, app, fingerprint.  Of
 * a name, or what is shown like it, all that is known; "" for all. */
void report_people(struct text *text, const struct member *member,
	const char *name, struct instant now);

struct report_room {
	const struct member *member;
	enum session_link link;
	enum conf_fabric fabric;
	bool asks;          /* the fabric, how many hear the room */
	bool is_foreign;    /* others seal with a secret that is not ours */
	const char *broker; /* session_peer() */
	const struct record_count *counts; /* session_counts() */
	size_t count;
};

/* What was said and by whom, what became of it, and how the link is. */
void report_counts(struct text *text, const struct report_room *room,
	struct instant now);

/* How many hear the room by the fabric's count, and how many answer; doubt: why
 * that count is not complete, "" if it is. */
void report_listeners(struct text *text, const struct member *member,
	const struct subs_sum *sum, const char *doubt);

#endif
