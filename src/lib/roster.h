/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ROSTER_H
#define QCHAT_ROSTER_H

#include "room.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who is in one room, as far as was heard. */
struct roster;

enum {
	ROSTER_FORGET_MS = 300 * 1000, /* silence after which one is forgotten
					* (protocol.md, 6.3) */
};

/* A participant.  Strings are cut at their field's size, never in the middle
 * of a character, and are foreign text. */
struct roster_entry {
	char user[ROOM_USER_MAX + 1];
	char app[ROOM_TITLE_MAX / 8 + 1]; /* "" for a legacy peer */
	char conn[ROOM_UID_MAX + 1];
	char inbox[ROOM_INBOX_MAX + 1]; /* a topic; "" for a legacy peer */
	int64_t since;                  /* wall ms that it said, or -1 */
	int64_t heard_mono;             /* ms, our own clock */
	int64_t spoke_mono; /* ms of its last post, or -1: not known */
	int64_t last;       /* its newest number that it said, or -1 */
	int64_t messages;   /* that were handed out since it is here */
	struct trust trust; /* of what was heard last */
	bool proven;        /* it was signed and trusted once */
};

/*
 * Of more than participants_max, the one goes that was silent longest among
 * those who were never proven; of those who were, one goes only when there are
 * no others.  So who invents participants displaces what it invented.
 */
struct roster *roster_new(size_t participants_max);
void roster_free(struct roster *roster);

/*
 * A type 1 or 2 was heard: makes or refreshes the entry of message's UID (not
 * empty).  *made tells which.  Borrowed.
 */
struct roster_entry *roster_hear(struct roster *roster,
	const struct room_message *message, const struct trust *trust,
	int64_t mono, bool *made);

struct roster_entry *roster_find(const struct roster *roster, struct span uid);

/* So many messages of this UID were handed out; it may not be here. */
void roster_count_messages(struct roster *roster, struct span uid,
	uint64_t count);

/*
 * May a bye with this conn end that entry?  A bye without conn (legacy) may;
 * one of another connection than the live one is late and may not.
 */
bool roster_bye_fits(const struct roster_entry *entry, struct span conn);

/* It counts as heard now, whatever it says. */
void roster_keep(struct roster *roster, struct roster_entry *entry,
	int64_t mono);

void roster_remove(struct roster *roster, struct roster_entry *entry);

/* The entry that was silent longest, if it is to be forgotten at mono; NULL
 * if none is. */
struct roster_entry *roster_expired(const struct roster *roster, int64_t mono);

/* When that happens next (mono ms), INT64_MAX if never. */
int64_t roster_deadline(const struct roster *roster);

size_t roster_count(const struct roster *roster);

/* Participants that went for want of room. */
uint64_t roster_displaced(const struct roster *roster);

/* All entries, those that were never proven first; NULL behind the last. */
struct roster_entry *roster_first(const struct roster *roster);
struct roster_entry *roster_next(const struct roster_entry *entry);
const char *roster_uid(const struct roster_entry *entry);

/* Is that its name, or how text_harmless() shows it as one? */
bool roster_is_called(const struct roster_entry *entry, const char *name);

#endif
