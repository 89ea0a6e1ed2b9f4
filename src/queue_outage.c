/* SPDX-License-Identifier: Apache-2.0 */
#include "queue_state.h"

#include "file.h"
#include "memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file has two lines: the brokers, and the authorities, as destination.h
 * keeps them. */
enum { LINES_MAX = 2 * (DESTINATION_WORDS_MAX + 1) };

static char *
path_of(const struct queue *queue)
{
	return memory_format("%s/outage", queue->path);
}

void
queue_note_outage(struct queue *queue)
{
	struct text lines = { 0 };
	struct fault ignored;

	if (queue_find_destination(queue, &ignored) < 0)
		return;
	struct span brokers = destination_brokers(queue->destination);
	struct span authorities = destination_authorities(queue->destination);
	char *path = path_of(queue);
	text_appendf(&lines, "%.*s\n%.*s\n", (int)brokers.len, brokers.bytes,
		(int)authorities.len, authorities.bytes);
	if (file_folder(queue->path, &ignored) == 0)
		file_replace(path, (struct span){ lines.bytes, lines.len },
			0600, &ignored);
	text_free(&lines);
	free(path);
}

/* The line, without its line feed, is taken off the text. */
static struct span
take_line(struct span *text)
{
	const char *end = text->len > 0 ? memchr(text->bytes, '\n', text->len)
					: NULL;
	struct span line = { text->bytes,
		end != NULL ? (size_t)(end - text->bytes) : text->len };
	size_t taken = line.len + (end != NULL ? 1 : 0);

	text->bytes += taken;
	text->len -= taken;
	return line;
}

bool
queue_had_outage(struct queue *queue)
{
	char bytes[LINES_MAX], *path = path_of(queue);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct fault ignored;

	free(path);
	if (fd < 0)
		return false;
	ssize_t len = file_read(fd, bytes, sizeof(bytes));
	close(fd);
	if (len <= 0 || queue_find_destination(queue, &ignored) < 0)
		return false;
	struct span text = { bytes, (size_t)len };
	struct span brokers = take_line(&text);
	return destination_compare(queue->destination, brokers,
		       take_line(&text)) == DESTINATION_SAME;
}

void
queue_end_outage(struct queue *queue)
{
	char *path = path_of(queue);

	unlink(path);
	free(path);
}
