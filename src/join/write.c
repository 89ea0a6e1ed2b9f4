/* SPDX-License-Identifier: Apache-2.0 */
#include "write.h"

#include "memory.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 }; /* that are written at a time */

static char *
expand(const char *path)
{
	const char *home = getenv("HOME");

	if (strncmp(path, "~/", 2) == 0 && home != NULL && home[0] != '\0')
		return memory_format("%s/%s", home, path + 2);
	return memory_string(path);
}

static int
put(FILE *file, struct text *text)
{
	bool good = fwrite(text->bytes, 1, text->len, file) == text->len;

	text_clear(text);
	return good ? 0 : -1;
}

static int
put_lines(FILE *file, const struct scroll *scroll, const char *room,
	size_t *count)
{
	struct text text = { 0 };
	int rc = 0;

	text_append_string(&text, "");
	*count = 0;
	for (uint64_t i = scroll_first(scroll);
		i < scroll_end(scroll) && rc == 0; i++) {
		size_t before = text.len;

		line_plain(scroll_line(scroll, i), span_of(room), &text);
		*count += text.len > before;
		if (text.len >= BUFFER_BYTES)
			rc = put(file, &text);
	}
	if (rc == 0)
		rc = put(file, &text);
	text_free(&text);
	return rc;
}

int
write_scroll(const struct scroll *scroll, const char *room, const char *path,
	size_t *count, struct fault *fault)
{
	char *full = expand(path);
	int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	int rc = -1;

	if (file == NULL) {
		fault_set(fault, FAULT_CANTCREAT, "%s: %s%s", path,
			strerror(errno),
			errno == EEXIST ? _(" (nothing was written; give "
					    "another name)")
					: "");
		if (fd >= 0)
			close(fd);
		goto out;
	}
	rc = put_lines(file, scroll, room, count);
	if (fflush(file) != 0 || fsync(fd) != 0)
		rc = -1;
	if (rc < 0)
		fault_set(fault, FAULT_IO, "%s: %s (nothing was kept)", path,
			strerror(errno));
	fclose(file);
	if (rc < 0)
		unlink(full);
out:
	free(full);
	return rc;
}
