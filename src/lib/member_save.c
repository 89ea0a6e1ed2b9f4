/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * What was delivered, for a later process.  One line each:
 *
 *	qchat-state 1
 *	room NAME
 *	since MILLISECONDS   when all this began
 *	time MILLISECONDS    when it was written
 *	NUMBER[:FIRST[:FROM-TO]…] UID
 *	                     from FIRST on all up to NUMBER was delivered, and
 *	                     of what is before it, what was said again
 *	end
 */

static const char magic[] = "qchat-state 1\n";

enum {
	SENDERS_MAX = 8192, /* the ones heard last */
	MARGIN_MS = 10 * 60 *
		1000, /* asked for before the state was saved:
		       * clocks differ, and what we have is known */
};

struct saving {
	struct text *state;
	size_t skip; /* senders heard longest ago */
	const struct member_rewind *rewind;
	size_t rewind_count;
};

static void
count_sender(void *context, const struct sequence_past *past)
{
	size_t *count = context;

	(void)past;
	++*count;
}

/* All that was said again of this range, up to what is to come again. */
static void
save_early(const struct saving *saving, const struct sequence_past *past,
	struct room_range early)
{
	for (size_t i = 0; i < saving->rewind_count; i++) {
		const struct member_rewind *rewind = &saving->rewind[i];

		if (rewind->is_late && rewind->seq >= early.first &&
			rewind->seq <= early.last &&
			span_equal(span_of(rewind->uid), past->uid))
			early.last = rewind->seq - 1;
	}
	if (early.last >= early.first)
		text_appendf(saving->state, ":%lld-%lld",
			(long long)early.first, (long long)early.last);
}

static void
save_sender(void *context, const struct sequence_past *past)
{
	struct saving *saving = context;
	int64_t done = past->done;

	if (saving->skip > 0) {
		saving->skip--;
		return;
	}
	for (size_t i = 0; i < saving->rewind_count; i++)
		if (span_equal(span_of(saving->rewind[i].uid), past->uid) &&
			!saving->rewind[i].is_late &&
			saving->rewind[i].seq <= done)
			done = saving->rewind[i].seq - 1;
	text_appendf(saving->state, "%lld", (long long)done);
	if (past->begun > 0)
		text_appendf(saving->state, ":%lld", (long long)past->begun);
	for (size_t i = 0; i < past->early_count && past->begun > 0; i++)
		save_early(saving, past, past->early[i]);
	text_appendf(saving->state, " %.*s\n", (int)past->uid.len,
		past->uid.bytes);
}

void
member_save(const struct member *member, struct instant now,
	const struct member_rewind *rewind, size_t rewind_count,
	struct text *state)
{
	size_t count = 0;

	sequence_list(member->sequence, count_sender, &count);
	struct saving saving = { state,
		count > SENDERS_MAX ? count - SENDERS_MAX : 0, rewind,
		rewind_count };
	text_append_string(state, magic);
	text_appendf(state, "room %s\nsince %lld\ntime %lld\n", member->room,
		(long long)member->came, (long long)now.wall);
	sequence_list(member->sequence, save_sender, &saving);
	text_append_string(state, "end\n");
}

/* The line at the start of *left, without its end; false if there is none. */
static bool
next_line(struct span *left, struct span *line)
{
	const char *end = left->len > 0 ? memchr(left->bytes, '\n', left->len)
					: NULL;

	if (end == NULL)
		return false;
	*line = (struct span){ left->bytes, (size_t)(end - left->bytes) };
	left->bytes += line->len + 1;
	left->len -= line->len + 1;
	return true;
}

/* Takes the number at the start of *left; -1 if there is none. */
static int64_t
take_number(struct span *left)
{
	char *end;

	if (left->len == 0 || left->bytes[0] < '0' || left->bytes[0] > '9')
		return -1;
	errno = 0;
	/* Digits end with the line at the latest. */
	long long number = strtoll(left->bytes, &end, 10);
	if (errno != 0 || number > ROOM_NUMBER_MAX)
		return -1;
	left->len -= (size_t)(end - left->bytes);
	left->bytes = end;
	return number;
}

static bool
take_byte(struct span *left, char byte)
{
	if (left->len == 0 || left->bytes[0] != byte)
		return false;
	left->bytes++;
	left->len--;
	return true;
}

/* The value of "KEY VALUE"; false if the line has another key. */
static bool
take_value(struct span *left, const char *key, struct span *value)
{
	struct span line;
	size_t len = strlen(key);

	if (!next_line(left, &line) || line.len <= len ||
		memcmp(line.bytes, key, len) != 0 || line.bytes[len] != ' ')
		return false;
	*value = (struct span){ line.bytes + len + 1, line.len - len - 1 };
	return true;
}

/* Reads the line of a sender, with its ranges into early; false if it is
 * none. */
static bool
read_sender(struct span line, struct room_range early[SEQUENCE_EARLY_MAX],
	struct sequence_past *past)
{
	*past = (struct sequence_past){ .early = early };
	past->done = take_number(&line);
	if (past->done >= 0 && take_byte(&line, ':')) {
		past->begun = take_number(&line);
		if (past->begun < 1)
			return false;
	}
	while (past->begun > 0 && take_byte(&line, ':')) {
		struct room_range range = { .first = take_number(&line) };

		if (range.first < 1 || !take_byte(&line, '-') ||
			past->early_count == SEQUENCE_EARLY_MAX)
			return false;
		range.last = take_number(&line);
		if (range.last < range.first)
			return false;
		early[past->early_count++] = range;
	}
	if (past->done < 0 || !take_byte(&line, ' '))
		return false;
	past->uid = line;
	return room_uid_check(line);
}

/* Reads the lines of the senders up to the end, for the member or, if that is
 * NULL, only past them. */
static int
restore_senders(struct member *member, struct span *left, struct fault *fault)
{
	struct room_range early[SEQUENCE_EARLY_MAX];
	struct sequence_past past;
	struct span line;

	while (next_line(left, &line)) {
		if (span_equal(line, span_of("end")))
			return 0;
		if (!read_sender(line, early, &past))
			return fault_set(fault, FAULT_DATA,
				"its line \"%.*s\" has no numbers and UID",
				(int)(line.len < 80 ? line.len : 80),
				line.bytes);
		if (member != NULL)
			sequence_restore_past(member->sequence, &past);
	}
	return fault_set(fault, FAULT_DATA, "its end is missing");
}

static void
go_on_from(struct member *member, int64_t since, int64_t time)
{
	/* Written before there was a connection: nothing to go on from. */
	if (since == 0)
		return;
	member->restored = true;
	member->came = since;
	member->catch_up.first = true;
	member->catch_up.records = -1;
	member->catch_up.since = time - since > MARGIN_MS ? time - MARGIN_MS
							  : since;
}

int
member_restore(struct member *member, struct span state, struct fault *fault)
{
	struct span left = state, room, since, time;
	size_t len = strlen(magic);

	while (left.len > 0) {
		if (left.len < len || memcmp(left.bytes, magic, len) != 0)
			return fault_set(fault, FAULT_DATA,
				"it does not begin with \"qchat-state 1\"");
		left.bytes += len;
		left.len -= len;
		if (!take_value(&left, "room", &room) ||
			!take_value(&left, "since", &since) ||
			!take_value(&left, "time", &time))
			return fault_set(fault, FAULT_DATA,
				"its room or a time is missing");
		bool own = span_equal(room, span_of(member->room));
		int64_t began = take_number(&since);
		int64_t ms = take_number(&time);
		if (began < 0 || ms < 0)
			return fault_set(fault, FAULT_DATA,
				"a time is no number");
		if (restore_senders(own ? member : NULL, &left, fault) < 0)
			return -1;
		if (own)
			go_on_from(member, began, ms);
	}
	return 0;
}
