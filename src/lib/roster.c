/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include "memory.h"
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PROVEN, OTHERS, KINDS };

struct roster {
	struct table *entries[KINDS]; /* of struct roster_entry, by UID */
	size_t max;
	uint64_t displaced;
};

struct roster *
roster_new(size_t participants_max)
{
	struct roster *roster = memory_alloc(1, sizeof(*roster));

	roster->max = participants_max;
	for (size_t i = 0; i < KINDS; i++)
		roster->entries[i] = table_new(sizeof(struct roster_entry),
			participants_max);
	return roster;
}

void
roster_free(struct roster *roster)
{
	if (roster == NULL)
		return;
	for (size_t i = 0; i < KINDS; i++)
		table_free(roster->entries[i]);
	free(roster);
}

static struct table *
table_of(const struct roster *roster, const struct roster_entry *entry)
{
	return roster->entries[entry->proven ? PROVEN : OTHERS];
}

/* Keeps a foreign string without its NULs, cut between two characters. */
static void
keep(char *field, size_t size, struct span value)
{
	size_t len = value.len < size ? value.len : size - 1;

	len = text_utf8_check((struct span){ value.bytes, len });
	if (len > 0)
		memcpy(field, value.bytes, len);
	field[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (field[i] == '\0')
			field[i] = ' ';
}

static void
make_room(struct roster *roster)
{
	struct roster_entry *oldest = table_oldest(roster->entries[OTHERS]);

	if (roster_count(roster) < roster->max)
		return;
	if (oldest == NULL)
		oldest = table_oldest(roster->entries[PROVEN]);
	roster_remove(roster, oldest);
	roster->displaced++;
}

/* The entry of a UID, as the one that was heard last. */
static struct roster_entry *
touch(struct roster *roster, struct span uid, bool proven, bool *made)
{
	struct roster_entry *old = roster_find(roster, uid);
	struct roster_entry before = { .since = -1,
		.spoke_mono = -1,
		.last = -1,
		.proven = proven };
	bool moved;

	*made = old == NULL;
	if (old != NULL && (old->proven || !proven))
		return table_touch(table_of(roster, old), uid, &moved);
	if (old != NULL) {
		before = *old;
		before.proven = true;
		roster_remove(roster, old);
	}
	make_room(roster);
	struct roster_entry *entry = table_touch(table_of(roster, &before), uid,
		&moved);
	*entry = before;
	return entry;
}

struct roster_entry *
roster_hear(struct roster *roster, const struct room_message *message,
	const struct trust *trust, int64_t mono, bool *made)
{
	struct roster_entry *entry = touch(roster, message->uid,
		trust->mark == TRUST_GOOD, made);

	entry->trust = *trust;
	keep(entry->user, sizeof(entry->user), message->user);
	entry->heard_mono = mono;
	if (message->type == ROOM_MESSAGE) {
		entry->spoke_mono = mono;
		entry->messages += message->lines > 0 ? message->lines : 1;
		return entry;
	}
	keep(entry->app, sizeof(entry->app), message->app);
	keep(entry->conn, sizeof(entry->conn), message->conn);
	entry->since = message->since;
	entry->last = message->last;
	if (message->idle >= 0)
		entry->spoke_mono = mono - message->idle;
	return entry;
}

struct roster_entry *
roster_find(const struct roster *roster, struct span uid)
{
	struct roster_entry *entry = table_find(roster->entries[PROVEN], uid);

	return entry != NULL ? entry : table_find(roster->entries[OTHERS], uid);
}

bool
roster_bye_fits(const struct roster_entry *entry, struct span conn)
{
	return conn.len == 0 || span_equal(conn, span_of(entry->conn));
}

void
roster_keep(struct roster *roster, struct roster_entry *entry, int64_t mono)
{
	bool made;

	table_touch(table_of(roster, entry), span_of(table_key(entry)), &made);
	entry->heard_mono = mono;
}

void
roster_remove(struct roster *roster, struct roster_entry *entry)
{
	table_remove(table_of(roster, entry), entry);
}

/* The one that was silent longest. */
static struct roster_entry *
most_silent(const struct roster *roster)
{
	struct roster_entry *proven = table_oldest(roster->entries[PROVEN]);
	struct roster_entry *other = table_oldest(roster->entries[OTHERS]);

	if (proven == NULL ||
		(other != NULL && other->heard_mono < proven->heard_mono))
		return other;
	return proven;
}

struct roster_entry *
roster_expired(const struct roster *roster, int64_t mono)
{
	struct roster_entry *entry = most_silent(roster);

	if (entry == NULL || mono - entry->heard_mono < ROSTER_FORGET_MS)
		return NULL;
	return entry;
}

int64_t
roster_deadline(const struct roster *roster)
{
	const struct roster_entry *entry = most_silent(roster);

	return entry != NULL ? entry->heard_mono + ROSTER_FORGET_MS : INT64_MAX;
}

size_t
roster_count(const struct roster *roster)
{
	return table_count(roster->entries[PROVEN]) +
		table_count(roster->entries[OTHERS]);
}

uint64_t
roster_displaced(const struct roster *roster)
{
	return roster->displaced;
}

struct roster_entry *
roster_first(const struct roster *roster)
{
	struct roster_entry *entry = table_oldest(roster->entries[PROVEN]);

	return entry != NULL ? entry : table_oldest(roster->entries[OTHERS]);
}

struct roster_entry *
roster_next(const struct roster *roster, const struct roster_entry *entry)
{
	struct roster_entry *next = table_newer(entry);

	return next != NULL || !entry->proven
		? next
		: table_oldest(roster->entries[OTHERS]);
}

const char *
roster_uid(const struct roster_entry *entry)
{
	return table_key(entry);
}
