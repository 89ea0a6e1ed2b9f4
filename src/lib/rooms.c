/* SPDX-License-Identifier: Apache-2.0 */
#include "rooms.h"

#include "conf.h"
#include "file.h"
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LOCK_WAIT_MS = 200, /* who is busy forgets a room rather than waits */
};

static size_t
line_length(struct span lines)
{
	const char *end = lines.bytes != NULL
		? memchr(lines.bytes, '\n', lines.len)
		: NULL;

	return end != NULL ? (size_t)(end - lines.bytes) : lines.len;
}

static struct span
behind_line(struct span lines)
{
	size_t len = line_length(lines);

	len += len < lines.len;
	return (struct span){ lines.bytes + len, lines.len - len };
}

static size_t
count_lines(struct span lines)
{
	size_t count = 0;

	for (; lines.len > 0; lines = behind_line(lines))
		count++;
	return count;
}

/* The last ones, so many at most. */
static struct span
last_lines(struct span lines, size_t max)
{
	for (size_t count = count_lines(lines); count > max; count--)
		lines = behind_line(lines);
	return lines;
}

static bool
has_room(struct span lines, const char *room)
{
	for (; lines.len > 0; lines = behind_line(lines)) {
		struct span line = { lines.bytes, line_length(lines) };

		if (span_equal(line, span_of(room)))
			return true;
	}
	return false;
}

/* Most are, and then nothing is locked or written. */
static bool
is_among_newest(const struct text *lines, const char *room)
{
	return has_room(last_lines((struct span){ lines->bytes, lines->len },
				ROOMS_NEWEST),
		room);
}

static int
read_lines(const char *path, struct text *lines, struct fault *fault)
{
	struct text end = { 0 };
	int rc = file_append_end(path, ROOMS_FILE_MAX, &end, fault);
	struct span left = { end.bytes, end.len };

	/* What is cut off is no room's name. */
	if (left.len == ROOMS_FILE_MAX)
		left = behind_line(left);
	text_append(lines, left.bytes, left.len);
	text_free(&end);
	return rc;
}

/* Without this room, wherever it stands. */
static void
append_others(struct text *lines, struct span old, const char *room)
{
	for (; old.len > 0; old = behind_line(old)) {
		struct span line = { old.bytes, line_length(old) };

		if (span_equal(line, span_of(room)))
			continue;
		text_append(lines, line.bytes, line.len);
		text_append_char(lines, '\n');
	}
}

/* Those that are left when one more is to have a place. */
static struct span
newest(struct span lines, size_t len)
{
	lines = last_lines(lines, ROOMS_REMEMBERED_MAX - 1);
	while (lines.len > 0 && lines.len + len + 1 > ROOMS_FILE_MAX)
		lines = behind_line(lines);
	return lines;
}

static int
add(const char *path, const char *room, struct fault *fault)
{
	struct text old = { 0 }, others = { 0 }, new = { 0 };
	int rc = read_lines(path, &old, fault);

	if (rc == 0 && !is_among_newest(&old, room)) {
		append_others(&others, (struct span){ old.bytes, old.len },
			room);
		struct span kept = newest((struct span){ others.bytes,
						  others.len },
			strlen(room));
		text_append(&new, kept.bytes, kept.len);
		text_appendf(&new, "%s\n", room);
		rc = file_replace(path, (struct span){ new.bytes, new.len },
			0600, fault);
	}
	text_free(&old);
	text_free(&others);
	text_free(&new);
	return rc;
}

static char *
path_in(const char *folder)
{
	return memory_format("%s/rooms", folder);
}

void
rooms_remember(const char *room)
{
	struct text lines = { 0 };
	struct fault fault;
	char *folder = conf_state_dir();
	char *path = path_in(folder);

	bool is_there = read_lines(path, &lines, &fault) == 0 &&
		is_among_newest(&lines, room);
	if (!is_there && file_folder(folder, &fault) == 0) {
		int lock = file_lock_folder(folder, LOCK_WAIT_MS, &fault);

		if (lock >= 0) {
			add(path, room, &fault);
			close(lock);
		}
	}
	text_free(&lines);
	free(path);
	free(folder);
}

int
rooms_read(struct text *lines, struct fault *fault)
{
	char *folder = conf_state_dir();
	char *path = path_in(folder);
	int rc = read_lines(path, lines, fault);

	free(path);
	free(folder);
	return rc;
}
