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
 *	NUMBER UID           all up to NUMBER was delivered
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
count_sender(void *context, const char *uid, int64_t done)
{
	size_t *count = context;

	(void)uid;
	(void)done;
	++*count;
}

static void
save_sender(void *context, const char *uid, int64_t done)
{
	struct saving *saving = context;

	if (saving->skip > 0) {
		saving->skip--;
		return;
	}
	for (size_t i = 0; i < saving->rewind_count; i++)
		if (strcmp(saving->rewind[i].uid, uid) == 0 &&
			saving->rewind[i].seq <= done)
			done = saving->rewind[i].seq - 1;
	text_appendf(saving->state, "%lld %s\n", (long long)done, uid);
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

/* A number and what stands behind its space; -1 if it is none. */
static int64_t
number_before(struct span line, struct span *rest)
{
	char *end;

	if (line.len == 0 || line.bytes[0] < '0' || line.bytes[0] > '9')
		return -1;
	errno = 0;
	long long number = strtoll(line.bytes, &end, 10);
	if (errno != 0 || number > ROOM_NUMBER_MAX)
		return -1;
	size_t len = (size_t)(end - line.bytes);
	if (len < line.len && *end == ' ')
		len++;
	*rest = (struct span){ line.bytes + len, line.len - len };
	return number;
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

/* Reads the lines of the senders up to the end, for the member or, if that is
 * NULL, only past them. */
static int
restore_senders(struct member *member, struct span *left, struct fault *fault)
{
	struct span line, uid;

	while (next_line(left, &line)) {
		if (span_equal(line, span_of("end")))
			return 0;
		int64_t done = number_before(line, &uid);
		if (done < 0 || !room_uid_check(uid))
			return fault_set(fault, FAULT_DATA,
				"its line \"%.*s\" is no number and UID",
				(int)(line.len < 80 ? line.len : 80),
				line.bytes);
		if (member != NULL)
			sequence_restore(member->sequence, uid, done);
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
	struct span left = state, room, since, time, rest;
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
		int64_t began = number_before(since, &rest);
		int64_t ms = number_before(time, &rest);
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
