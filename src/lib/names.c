/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "file.h"
#include "identity.h"
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	AUTHORITY_DIGITS = 32, /* of an authority's digest, in the file's name
				*/
	LOCK_WAIT_MS = 2000,
};

char *
names_path(const struct conf *conf, struct fault *fault)
{
	struct text digests = { 0 };
	char *path = NULL;

	if (identity_authorities(conf, &digests, fault) == 0) {
		char *state = conf_state_dir();

		path = memory_format("%s/names/%.*s", state, AUTHORITY_DIGITS,
			digests.bytes);
		free(state);
	}
	text_free(&digests);
	return path;
}

int
names_read(const char *path, struct text *lines, struct fault *fault)
{
	return file_append(path, NAMES_FILE_MAX, lines, fault);
}

static struct span
next_line(struct span *left)
{
	const char *end = memchr(left->bytes, '\n', left->len);
	size_t len = end != NULL ? (size_t)(end - left->bytes) : left->len;
	struct span line = { left->bytes, len };

	left->bytes += len + (end != NULL);
	left->len -= len + (end != NULL);
	return line;
}

static struct span
name_of(struct span line)
{
	const char *blank = line.len > 0 ? memchr(line.bytes, ' ', line.len)
					 : NULL;

	if (blank == NULL)
		return (struct span){ "", 0 };
	return (struct span){ blank + 1,
		line.len - (size_t)(blank + 1 - line.bytes) };
}

static bool
has_name(struct span lines, struct span name)
{
	while (lines.len > 0)
		if (span_equal(name_of(next_line(&lines)), name))
			return true;
	return false;
}

int
names_find(const char *path, const char *name, char *fingerprint,
	struct fault *fault)
{
	struct text lines = { 0 };
	int rc = names_read(path, &lines, fault);
	struct span left = { lines.bytes, lines.len };

	while (rc == 0 && left.len > 0) {
		struct span line = next_line(&left);
		size_t digits = NAMES_FINGERPRINT_MAX - 1;

		if (line.len <= digits || line.bytes[digits] != ' ' ||
			!span_equal(name_of(line), span_of(name)))
			continue;
		memcpy(fingerprint, line.bytes, digits);
		fingerprint[digits] = '\0';
		rc = 1;
	}
	text_free(&lines);
	return rc;
}

static void
append_line(struct text *lines, struct span line)
{
	text_append(lines, line.bytes, line.len);
	text_append_char(lines, '\n');
}

/* Opens the lock beside the file, and makes their folder.  -1 with a fault. */
static int
lock(const char *path, struct fault *fault)
{
	char *folder = memory_copy(path, (size_t)(strrchr(path, '/') - path));
	char *beside = memory_format("%s.lock", path);
	int fd = -1;

	if (file_folder(folder, fault) == 0)
		fd = file_lock(beside, LOCK_WAIT_MS, NULL, fault);
	free(folder);
	free(beside);
	return fd;
}

int
names_merge(const char *path, struct span lines, struct fault *fault)
{
	struct text all = { 0 };
	int fd = lock(path, fault), rc = -1;

	if (fd < 0)
		return -1;
	if (names_read(path, &all, fault) < 0)
		goto out;
	size_t there = all.len;
	while (lines.len > 0) {
		struct span line = next_line(&lines);

		if (!has_name((struct span){ all.bytes, there }, name_of(line)))
			append_line(&all, line);
	}
	rc = file_replace(path, (struct span){ all.bytes, all.len }, 0600,
		fault);
out:
	close(fd);
	text_free(&all);
	return rc;
}

int
names_set(const char *path, const char *name, const char *fingerprint,
	struct fault *fault)
{
	struct text old = { 0 }, new = { 0 };
	int fd = lock(path, fault), rc = -1;

	if (fd < 0)
		return -1;
	if (names_read(path, &old, fault) < 0)
		goto out;
	if (fingerprint != NULL)
		text_appendf(&new, "%s %s\n", fingerprint, name);
	for (struct span left = { old.bytes, old.len }; left.len > 0;) {
		struct span line = next_line(&left);

		if (!span_equal(name_of(line), span_of(name)))
			append_line(&new, line);
	}
	bool same = new.len == old.len &&
		(new.len == 0 || memcmp(new.bytes, old.bytes, new.len) == 0);
	if (same)
		rc = 0;
	else if (file_replace(path, (struct span){ new.bytes, new.len }, 0600,
			 fault) == 0)
		rc = 1;
out:
	close(fd);
	text_free(&old);
	text_free(&new);
	return rc;
}
