/* SPDX-License-Identifier: Apache-2.0 */
#include "join/report.h"

#include "memory.h"
#include "translate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_DIGITS = 16 }; /* of a fingerprint, in a row */

/* Some of the roster's entries, in an order. */
struct list {
	const struct roster_entry **entries;
	size_t count;
};

typedef bool wanted_fn(const struct roster_entry *entry, const char *name);
typedef int compare_fn(const void *a, const void *b);

/* The caller frees the entries. */
static struct list
list_of(const struct member *member, wanted_fn *is_wanted, const char *name,
	compare_fn *compare)
{
	const struct roster *roster = member_roster(member);
	struct list list = { 0 };

	list.entries = memory_alloc(roster_count(roster) + 1,
		sizeof(struct roster_entry *));
	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry))
		if (is_wanted(entry, name))
			list.entries[list.count++] = entry;
	qsort(list.entries, list.count, sizeof(struct roster_entry *), compare);
	return list;
}

static int
by_name(const void *a, const void *b)
{
	const struct roster_entry *left = *(struct roster_entry *const *)a;
	const struct roster_entry *right = *(struct roster_entry *const *)b;
	int rc = strcmp(left->user, right->user);

	return rc != 0 ? rc : strcmp(roster_uid(left), roster_uid(right));
}

/* Who said most is the first. */
static int
by_messages(const void *a, const void *b)
{
	const struct roster_entry *left = *(struct roster_entry *const *)a;
	const struct roster_entry *right = *(struct roster_entry *const *)b;

	if (left->messages != right->messages)
		return left->messages > right->messages ? -1 : 1;
	return by_name(a, b);
}

static bool
has_name(const struct roster_entry *entry, const char *name)
{
	return *name == '\0' || roster_is_called(entry, name);
}

static bool
has_spoken(const struct roster_entry *entry, const char *name)
{
	(void)name;
	return entry->messages > 0;
}

/* To the minute. */
static void
append_minute(struct text *text, int64_t wall)
{
	struct text time = { 0 };

	text_append_time(&time, wall);
	text_append(text, time.bytes, sizeof("2026-11-23T04:25") - 1);
	text_append_char(text, 'Z');
	text_free(&time);
}

static void
append_name(struct text *text, const struct member *member,
	const struct roster_entry *entry)
{
	text_harmless(text, span_of(entry->user), TEXT_NAME);
	if (strcmp(roster_uid(entry), member_uid(member)) == 0)
		text_append_string(text, _(" (you)"));
}

static void
append_person(struct text *text, const struct member *member,
	const struct roster_entry *entry, struct instant now)
{
	text_append_char(text, trust_letter(entry->trust.mark));
	text_append_char(text, ' ');
	append_name(text, member, entry);
	text_append_string(text, _(", since "));
	if (entry->since >= 0)
		append_minute(text, entry->since);
	else
		text_append_char(text, '-');
	text_append_string(text, _(", idle "));
	text_append_duration(text,
		entry->spoke_mono >= 0 ? now.mono - entry->spoke_mono : -1);
	text_append_string(text, ", ");
	if (entry->app[0] != '\0')
		text_harmless(text, span_of(entry->app), TEXT_NAME);
	else
		text_append_string(text, _("legacy peer"));
}

/* What does not fit into a row. */
static void
append_identity(struct text *text, const struct roster_entry *entry)
{
	const struct trust *trust = &entry->trust;

	text_append_string(text, "\n  UID ");
	text_harmless(text, span_of(roster_uid(entry)), TEXT_NAME);
	if (trust->fingerprint[0] != '\0')
		text_appendf(text, _("\n  certificate %s"), trust->fingerprint);
	else
		text_append_string(text, _("\n  no certificate"));
	if (trust->pinned[0] != '\0')
		text_appendf(text, _("\n  its name was seen with %s"),
			trust->pinned);
	if (trust->why != NULL)
		text_appendf(text, "\n  %s", _(trust->why));
}

void
report_people(struct text *text, const struct member *member, const char *name,
	struct instant now)
{
	struct list list = list_of(member, has_name, name, by_name);
	size_t shown = list.count < REPORT_PEOPLE_MAX ? list.count
						      : REPORT_PEOPLE_MAX;

	text_appendf(text, _("%zu here"), list.count);
	if (*name != '\0') {
		text_append_string(text, _(" under the name "));
		text_harmless(text, span_of(name), TEXT_MESSAGE);
	}
	for (size_t i = 0; i < shown; i++) {
		const struct roster_entry *entry = list.entries[i];

		text_append_char(text, '\n');
		append_person(text, member, entry, now);
		if (*name != '\0')
			append_identity(text, entry);
		else if (entry->trust.fingerprint[0] != '\0')
			text_appendf(text, ", %.*s", SHORT_DIGITS,
				entry->trust.fingerprint);
	}
	if (shown < list.count)
		text_appendf(text,
			_("\nand %zu more (qchat-who lists all of them)"),
			list.count - shown);
	free(list.entries);
}

static void
append_said(struct text *text, const struct member_counts *counts,
	struct instant now)
{
	int64_t span = now.wall - counts->first_time;

	text_appendf(text,
		ngettext("%llu message", "%llu messages",
			(unsigned long)counts->messages),
		(unsigned long long)counts->messages);
	if (counts->first_time == 0)
		return;
	if (counts->messages > 1 && span >= 1000)
		text_appendf(text, _(", %.1f an hour"),
			(double)counts->messages * 3600000 / (double)span);
	text_append_string(text, _("\nfirst "));
	text_append_time(text, counts->first_time);
	text_append_string(text, _(", last "));
	text_append_time(text, counts->last_time);
}

/* By whom: a row each, and those who have gone in one. */
static void
append_senders(struct text *text, const struct member *member)
{
	struct list list = list_of(member, has_spoken, "", by_messages);
	uint64_t left = member_counts(member)->messages;

	for (size_t i = 0; i < list.count; i++) {
		const struct roster_entry *entry = list.entries[i];
		uint64_t messages = (uint64_t)entry->messages;

		if (i == REPORT_SENDERS_MAX)
			break;
		left -= messages < left ? messages : left;
		text_appendf(text, "\n%8llu %c ", (unsigned long long)messages,
			trust_letter(entry->trust.mark));
		append_name(text, member, entry);
	}
	if (left > 0 && list.count > 0)
		text_appendf(text, _("\n%8llu   of all others"),
			(unsigned long long)left);
	free(list.entries);
}

/* Since when the longest of them is here; -1 if none of them says so. */
static int64_t
open_since(const struct roster *roster)
{
	int64_t since = -1;

	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry))
		if (entry->since >= 0 && (since < 0 || entry->since < since))
			since = entry->since;
	return since;
}

static void
append_room(struct text *text, const struct report_room *room)
{
	const struct member *member = room->member;
	const struct roster *roster = member_roster(member);
	int64_t since = open_since(roster);

	text_appendf(text, _("\n%zu here answer; %s\n"), roster_count(roster),
		room->asks
			? _("the fabric is asked how many hear the room")
			: _("how many hear the room the fabric does not tell"));
	if (since >= 0) {
		text_append_string(text, _("open since "));
		text_append_time(text, since);
		text_append_string(text, ", ");
	}
	text_append_string(text,
		member_is_sealed(member) ? _("sealed")
			: room->is_foreign
			? _("sealed by others, NO SECRET of it here")
			: _("not sealed"));
}

/* What became of it. */
static void
append_fate(struct text *text, const struct member *member)
{
	const struct member_counts *counts = member_counts(member);

	text_appendf(text,
		_("\n%zu unconfirmed, %zu not delivered\n"
		  "%llu missing, %llu asked for, %llu repaired, %llu doubles "
		  "dropped"),
		member_unproved(member), member_given_up(member),
		(unsigned long long)counts->missing,
		(unsigned long long)counts->asked,
		(unsigned long long)counts->repaired,
		(unsigned long long)counts->doubles);
}

static void
append_link(struct text *text, const struct report_room *room)
{
	text_appendf(text, _("\n%s, broker %s"),
		room->fabric == CONF_DXL ? "dxl" : "mqtt", room->broker);
	if (room->link != SESSION_UP)
		text_append_string(text, _(", CONNECTION LOST"));
}

static void
append_counters(struct text *text, const struct report_room *room)
{
	for (size_t i = 0; i < room->count; i++)
		text_appendf(text, "%s%s %llu", i > 0 ? ", " : _("\ncounted "),
			room->counts[i].name,
			(unsigned long long)room->counts[i].value);
}

void
report_counts(struct text *text, const struct report_room *room,
	struct instant now)
{
	append_said(text, member_counts(room->member), now);
	append_senders(text, room->member);
	append_room(text, room);
	append_fate(text, room->member);
	append_link(text, room);
	append_counters(text, room);
}

/* Who has gone without a word is known for a while, so that more may answer
 * than hear. */
void
report_listeners(struct text *text, const struct member *member,
	const struct subs_sum *sum, const char *doubt)
{
	size_t here = roster_count(member_roster(member));
	int64_t heard = sum->subscriptions;

	if (heard < 0) {
		text_appendf(text,
			_("%zu here answer; how many hear the room is "
			  "not known: %s"),
			here, doubt);
		return;
	}
	text_appendf(text,
		ngettext("%lld hears the room by the fabric's count, ",
			"%lld hear the room by the fabric's count, ",
			(unsigned long)heard),
		(long long)heard);
	text_appendf(text,
		(int64_t)here <= heard
			? ngettext("%zu of them answers", "%zu of them answer",
				  here)
			: ngettext("%zu answers", "%zu answer", here),
		here);
	if (*doubt != '\0')
		text_appendf(text, _(" (%s: there may be more)"), doubt);
}
