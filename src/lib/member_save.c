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
 *	time MILLISECONDS
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

	if (saving->skip > 0)
		saving->skip--;
	else
		text_appendf(saving->state, "%lld %s\n", (long long)done, uid);
}

void
member_save(const struct member *member, struct instant now, struct text *state)
{
	size_t count = 0;

	sequence_list(member->sequence, count_sender, &count);
	struct saving saving = { state,
		count > SENDERS_MAX ? count - SENDERS_MAX : 0 };
	text_append_string(state, magic);
	text_appendf(state, "room %s\ntime %lld\n", member->room,
		(long long)now.wall);
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

static int
restore_senders(struct member *member, struct span left, struct fault *fault)
{
	struct span line, uid;

	while (next_line(&left, &line)) {
		if (span_equal(line, span_of("end")))
			return 0;
		int64_t done = number_before(line, &uid);
		if (done < 0 || uid.len == 0 || uid.len > ROOM_UID_MAX)
			return fault_set(fault, FAULT_DATA,
				"its line \"%.*s\" is no number and UID",
				(int)(line.len < 80 ? line.len : 80),
				line.bytes);
		sequence_restore(member->sequence, uid, done);
	}
	return fault_set(fault, FAULT_DATA, "its end is missing");
}

int
member_restore(struct member *member, struct span state, struct fault *fault)
{
	struct span left = state, room, time, rest;
	size_t len = strlen(magic);

	if (state.len < len || memcmp(state.bytes, magic, len) != 0)
		return fault_set(fault, FAULT_DATA,
			"it does not begin with \"qchat-state 1\"");
	left.bytes += len;
	left.len -= len;
	if (!take_value(&left, "room", &room) ||
		!take_value(&left, "time", &time))
		return fault_set(fault, FAULT_DATA,
			"its room or its time is missing");
	if (!span_equal(room, span_of(member->room)))
		return fault_set(fault, FAULT_DATA,
			"it is of another room, %.*s", (int)room.len,
			room.bytes);
	int64_t ms = number_before(time, &rest);
	if (ms < 0)
		return fault_set(fault, FAULT_DATA, "its time is no number");
	if (restore_senders(member, left, fault) < 0)
		return -1;
	member->restored = true;
	member->came = ms;
	member->catch_up.first = true;
	member->catch_up.records = -1;
	member->catch_up.since = ms > MARGIN_MS ? ms - MARGIN_MS : 0;
	return 0;
}
