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

/* Those that are left when one more is to have a place. */
static struct span
newest(struct span lines, size_t len)
{
	size_t count = 0;

	for (struct span left = lines; left.len > 0; left = behind_line(left))
		count++;
	while (count >= ROOMS_REMEMBERED_MAX ||
		(lines.len > 0 && lines.len + len + 2 > ROOMS_FILE_MAX)) {
		lines = behind_line(lines);
		count--;
	}
	return lines;
}

static int
add(const char *path, const char *room, struct fault *fault)
{
	struct text old = { 0 }, new = { 0 };
	int rc = file_append(path, ROOMS_FILE_MAX, &old, fault);
	struct span lines = { old.bytes, old.len };

	if (rc == 0 && !has_room(lines, room)) {
		lines = newest(lines, strlen(room));
		text_append(&new, lines.bytes, lines.len);
		if (new.len > 0 && new.bytes[new.len - 1] != '\n')
			text_append_char(&new, '\n');
		text_appendf(&new, "%s\n", room);
		rc = file_replace(path, (struct span){ new.bytes, new.len },
			0600, fault);
	}
	text_free(&old);
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

	/* Mostly it is there, and then nothing is locked or written. */
	bool is_there = file_append(path, ROOMS_FILE_MAX, &lines, &fault) ==
			0 &&
		has_room((struct span){ lines.bytes, lines.len }, room);
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
	int rc = file_append(path, ROOMS_FILE_MAX, lines, fault);

	free(path);
	free(folder);
	return rc;
}
