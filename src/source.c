/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "room.h"
#include "session.h"
#include "translate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

void
source_free(struct source *source)
{
	text_free(&source->bytes);
}

void
source_add(struct source *source, const char *argument)
{
	if (source->ended)
		text_append_char(&source->bytes, ' ');
	text_append_string(&source->bytes, argument);
	source->ended = true;
}

/* What was taken makes room. */
static void
compact(struct source *source)
{
	if (source->at == 0)
		return;
	source->bytes.len -= source->at;
	memmove(source->bytes.bytes, source->bytes.bytes + source->at,
		source->bytes.len);
	source->at = 0;
}

int
source_read(struct source *source, struct fault *fault)
{
	char bytes[READ_BYTES];

	compact(source);
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return fault_set(fault, FAULT_IO, "standard input: %s",
			strerror(errno));
	if (n == 0)
		source->ended = true;
	else
		text_append(&source->bytes, bytes, (size_t)n);
	return 0;
}

bool
source_is_open(const struct source *source)
{
	return !source->ended;
}

bool
source_is_left(const struct source *source)
{
	return !source->taken && source->at < source->bytes.len;
}

bool
source_is_empty(const struct source *source)
{
	return source->ended &&
		(source->taken || source->at == source->bytes.len);
}

/* Is this line fit to be said? */
static int
check_line(const struct source *source, struct span line, struct fault *fault)
{
	const char *what = NULL;

	if (text_utf8_check(line) < line.len)
		what = _("is not UTF-8 (iconv -t UTF-8 converts)");
	else if (line.len > 0 && memchr(line.bytes, '\0', line.len) != NULL)
		what = _("holds a NUL");
	else if (line.len > MEMBER_POST_MAX)
		what = _("has more than 900 KiB");
	if (what == NULL)
		return 0;
	return fault_set(fault, FAULT_DATA, "line %lld %s%s",
		(long long)source->line + 1, what,
		source->by_lines ? _("; those before it are sent")
				 : _("; nothing is sent"));
}

/* The line that begins at `at`, without its line feed, and how many bytes it
 * takes; false if there is no whole one yet. */
static bool
next_line(const struct source *source, size_t at, struct span *line,
	size_t *taken)
{
	const char *start = source->bytes.bytes + at;
	size_t left = source->bytes.len - at;

	if (left == 0)
		return false;
	const char *end = memchr(start, '\n', left);
	/* One that is too long is known to be so before it ends. */
	if (end == NULL && !source->ended && left <= MEMBER_POST_MAX)
		return false;
	*line = (struct span){ start,
		end != NULL ? (size_t)(end - start) : left };
	*taken = line->len + (end != NULL ? 1 : 0);
	return true;
}

static int
take_block(struct source *source, struct span *text, int64_t *lines,
	struct fault *fault)
{
	size_t taken;
	struct span line;

	*lines = 0;
	if (source->bytes.len == 0)
		return 0;
	*text = (struct span){ source->bytes.bytes + source->at, 0 };
	while (*lines < ROOM_BLOCK_LINES_MAX &&
		next_line(source, source->at, &line, &taken)) {
		size_t len = (size_t)(line.bytes + line.len - text->bytes);
		bool empty = line.len == 0 && source->skip_empty;

		if (*lines > 0 && (empty || len > ROOM_BLOCK_BYTES_MAX))
			break;
		if (check_line(source, line, fault) < 0)
			return *lines > 0 ? 1 : -1;
		source->line++;
		source->at += taken;
		if (empty) {
			text->bytes += taken;
			continue;
		}
		text->len = len;
		++*lines;
	}
	return *lines > 0;
}

static int
take_all(struct source *source, struct span *text, int64_t *lines,
	struct fault *fault)
{
	struct span line;
	size_t taken;

	if (source->bytes.len > MEMBER_POST_MAX)
		return fault_set(fault, FAULT_DATA,
			"the text has more than %d bytes, too much for one "
			"message (--lines makes each line one)",
			MEMBER_POST_MAX);
	if (!source->ended || source->taken)
		return 0;
	for (size_t at = 0; next_line(source, at, &line, &taken); at += taken) {
		if (check_line(source, line, fault) < 0)
			return -1;
		source->line++;
	}
	source->taken = true;
	*lines = 1;
	*text = (struct span){ source->bytes.bytes, source->bytes.len };
	if (text->len > 0 && text->bytes[text->len - 1] == '\n')
		text->len--;
	return text->len > 0;
}

int
source_take(struct source *source, struct span *text, int64_t *lines,
	struct fault *fault)
{
	return source->by_lines ? take_block(source, text, lines, fault)
				: take_all(source, text, lines, fault);
}
