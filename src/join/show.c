/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "counts.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* HH:MM:SS of a time in UTC. */
static void
append_clock(struct text *text, int64_t wall)
{
	struct text time = { 0 };

	text_append_time(&time, wall);
	text_append(text, time.bytes + sizeof("2026-11-23T") - 1,
		sizeof("04:25:13") - 1);
	text_free(&time);
}

/* A text of several lines keeps them. */
static void
append_lines(struct text *text, struct span from)
{
	const char *end;

	while ((end = memchr(from.bytes, '\n', from.len)) != NULL) {
		struct span line = { from.bytes, (size_t)(end - from.bytes) };

		text_harmless(text, line, TEXT_MESSAGE);
		text_append_char(text, '\n');
		from.bytes = end + 1;
		from.len -= line.len + 1;
	}
	text_harmless(text, from, TEXT_MESSAGE);
}

static void
append_message(struct text *line, const struct record *record)
{
	text_append_char(line, ' ');
	text_append_char(line, trust_letter(record->trust.mark));
	text_append_string(line,
		record->type == RECORD_DIRECT              ? "@ "
			: record->replayed || record->late ? "~ "
							   : " ");
	text_harmless(line, record->user, TEXT_NAME);
	text_append_string(line, ": ");
	if (record->trust.mark == TRUST_BAD && record->trust.why != NULL)
		text_appendf(line, "[NOT BELIEVED: %s] ", record->trust.why);
	if (record->severity != ROOM_SEVERITY_NONE)
		text_appendf(line, "[%s] ",
			room_severity_name(record->severity));
	if (record->title.len > 0) {
		text_harmless(line, record->title, TEXT_LINE);
		text_append_string(line, ": ");
	}
	append_lines(line, record->text);
}

static void
append_happening(struct text *line, const struct record *record)
{
	text_append_string(line, " * ");
	text_harmless(line, record->user, TEXT_NAME);
	switch (record->type) {
	case RECORD_JOIN:
		text_append_string(line, " joined");
		break;
	case RECORD_HERE:
		text_append_string(line, " is here");
		break;
	case RECORD_LEAVE:
		text_appendf(line, " left (%s)", record->reason);
		break;
	default:
		text_appendf(line, ": MISSING messages %lld to %lld",
			(long long)record->gap_first,
			(long long)record->gap_last);
	}
}

void
show_record(struct text *line, const struct record *record)
{
	append_clock(line, record->time);
	if (record->type == RECORD_MESSAGE || record->type == RECORD_DIRECT)
		append_message(line, record);
	else
		append_happening(line, record);
}

void
show_notice(struct text *line, int64_t wall, const char *text)
{
	append_clock(line, wall);
	text_append_string(line, " * ");
	append_lines(line, span_of(text));
}

static void
append_idle(struct text *text, const struct roster_entry *entry,
	struct instant now)
{
	if (entry->spoke_mono >= 0)
		text_appendf(text, ", idle %lld s",
			(long long)(now.mono - entry->spoke_mono) / 1000);
}

void
show_people(struct text *text, const struct member *member, struct instant now)
{
	const struct roster *roster = member_roster(member);

	text_appendf(text, "%zu here", roster_count(roster));
	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry)) {
		text_appendf(text, "\n%c ", trust_letter(entry->trust.mark));
		text_harmless(text, span_of(entry->user), TEXT_NAME);
		if (entry->since >= 0) {
			text_append_string(text, ", since ");
			text_append_time(text, entry->since);
		}
		append_idle(text, entry, now);
		text_append_string(text, ", ");
		if (entry->app[0] != '\0')
			text_harmless(text, span_of(entry->app), TEXT_NAME);
		else
			text_append_string(text, "legacy peer");
	}
}

void
show_counts(struct text *text, const struct session *session,
	struct instant now)
{
	const struct member *member = session_member(session, 0);
	const struct member_counts *counts = member_counts(member);
	const struct roster *roster = member_roster(member);
	int64_t span = now.wall - counts->first_time;

	text_appendf(text, "%llu messages seen",
		(unsigned long long)counts->messages);
	if (counts->messages > 1 && span >= 1000)
		text_appendf(text, ", %.1f an hour",
			(double)counts->messages * 3600000 / (double)span);
	if (counts->messages > 0) {
		text_append_string(text, "\nfirst ");
		text_append_time(text, counts->first_time);
		text_append_string(text, ", last ");
		text_append_time(text, counts->last_time);
	}
	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry)) {
		if (entry->messages == 0)
			continue;
		text_append_string(text, "\n");
		text_harmless(text, span_of(entry->user), TEXT_NAME);
		text_appendf(text, " %lld", (long long)entry->messages);
	}
	text_appendf(text,
		"\n%zu unconfirmed, %llu missing, %llu doubles "
		"dropped, %llu not understood\n",
		member_unproved(member), (unsigned long long)counts->missing,
		(unsigned long long)counts->doubles,
		(unsigned long long)(counts->malformed + counts->unknown));
	size_t before = text->len;
	counts_append(session, ", ", text);
	if (text->len > before)
		text_append_char(text, '\n');
	text_appendf(text, "broker %s, %s", session_peer(session),
		member_is_sealed(member) ? "sealed" : "not sealed");
}

void
show_status(struct text *text, const struct session *session, size_t back)
{
	const struct member *member = session_member(session, 0);
	size_t unproved = member_unproved(member);

	text_append_char(text, ' ');
	text_harmless(text, span_of(member_room(member)), TEXT_NAME);
	text_appendf(text, " | %zu here | %s | ",
		roster_count(member_roster(member)),
		member_is_sealed(member) ? "sealed" : "clear");
	if (session_link(session) == SESSION_UP)
		text_appendf(text, "on %s", session_peer(session));
	else
		text_append_string(text, "CONNECTION LOST, trying again");
	text_append_string(text, " | UTC");
	if (unproved > 0)
		text_appendf(text, " | %zu unconfirmed", unproved);
	if (back > 0)
		text_append_string(text, " | scrolled back (PgDn)");
}

static int
compare(const void *a, const void *b)
{
	const struct span *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int rc = memcmp(left->bytes, right->bytes, len);

	return rc != 0 ? rc
		       : (left->len > right->len) - (left->len < right->len);
}

size_t
show_names(struct text *names, struct span **spans, const struct member *member)
{
	const struct roster *roster = member_roster(member);
	size_t count = roster_count(roster), i = 0, at = 0;
	size_t *ends = memory_alloc(count, sizeof(*ends));

	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry)) {
		text_harmless(names, span_of(entry->user), TEXT_NAME);
		ends[i++] = names->len;
	}
	/* Now the buffer moves no more. */
	*spans = memory_alloc(count, sizeof(**spans));
	for (i = 0; i < count; at = ends[i++])
		(*spans)[i] = (struct span){ names->bytes + at, ends[i] - at };
	qsort(*spans, count, sizeof(**spans), compare);
	free(ends);
	return count;
}
