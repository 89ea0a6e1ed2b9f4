/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include "memory.h"
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct roster {
	/* Of struct roster_entry, by UID; who was proven is favoured. */
	struct table *entries;
};

struct roster *
roster_new(size_t participants_max)
{
	struct roster *roster = memory_alloc(1, sizeof(*roster));

	roster->entries = table_new(sizeof(struct roster_entry),
		participants_max);
	return roster;
}

void
roster_free(struct roster *roster)
{
	if (roster == NULL)
		return;
	table_free(roster->entries);
	free(roster);
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

struct roster_entry *
roster_hear(struct roster *roster, const struct room_message *message,
	const struct trust *trust, int64_t mono, bool *made)
{
	struct roster_entry *entry = table_touch(roster->entries, message->uid,
		made);

	if (*made)
		entry->since = entry->spoke_mono = entry->last = -1;
	if (trust->mark == TRUST_GOOD && !entry->proven) {
		entry->proven = true;
		table_favour(roster->entries, entry);
	}
	entry->trust = *trust;
	keep(entry->user, sizeof(entry->user), message->user);
	entry->heard_mono = mono;
	if (message->type == ROOM_MESSAGE) {
		entry->spoke_mono = mono;
		return entry;
	}
	keep(entry->app, sizeof(entry->app), message->app);
	keep(entry->conn, sizeof(entry->conn), message->conn);
	keep(entry->inbox, sizeof(entry->inbox), message->inbox);
	entry->since = message->since;
	entry->last = message->last;
	if (message->idle >= 0)
		entry->spoke_mono = mono - message->idle;
	return entry;
}

struct roster_entry *
roster_find(const struct roster *roster, struct span uid)
{
	return table_find(roster->entries, uid);
}

void
roster_count_messages(struct roster *roster, struct span uid, uint64_t count)
{
	struct roster_entry *entry = uid.len > 0 ? roster_find(roster, uid)
						 : NULL;

	if (entry != NULL)
		entry->messages += (int64_t)count;
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

	table_touch(roster->entries, span_of(table_key(entry)), &made);
	entry->heard_mono = mono;
}

void
roster_remove(struct roster *roster, struct roster_entry *entry)
{
	table_remove(roster->entries, entry);
}

/* The one that was silent longest. */
static struct roster_entry *
most_silent(const struct roster *roster)
{
	struct roster_entry *any = table_oldest(roster->entries);
	struct roster_entry *proven = table_oldest_favoured(roster->entries);

	return proven != NULL && proven->heard_mono < any->heard_mono ? proven
								      : any;
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
	return table_count(roster->entries);
}

uint64_t
roster_displaced(const struct roster *roster)
{
	return table_displaced(roster->entries);
}

struct roster_entry *
roster_first(const struct roster *roster)
{
	return table_oldest(roster->entries);
}

struct roster_entry *
roster_next(const struct roster_entry *entry)
{
	return table_newer(entry);
}

const char *
roster_uid(const struct roster_entry *entry)
{
	return table_key(entry);
}

bool
roster_is_called(const struct roster_entry *entry, const char *name)
{
	struct text shown = { 0 };

	if (strcmp(entry->user, name) == 0)
		return true;
	text_harmless(&shown, span_of(entry->user), TEXT_NAME);
	bool is_same = strcmp(shown.bytes, name) == 0;
	text_free(&shown);
	return is_same;
}
