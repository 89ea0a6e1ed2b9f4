/* SPDX-License-Identifier: Apache-2.0 */
#include "recall.h"

#include "conf.h"
#include "file.h"
#include "memory.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
path_of_recall(void)
{
	char *dir = conf_state_dir();
	char *path = memory_format("%s/join", dir);

	free(dir);
	return path;
}

/* A line of the file, or NULL if it is no good. */
static char *
read_line(FILE *file)
{
	char line[ROOM_NAME_MAX + 2];

	if (fgets(line, sizeof(line), file) == NULL)
		return NULL;
	size_t len = strcspn(line, "\n");
	struct span text = { line, len };
	if (len == 0 || line[len] != '\n' || text_utf8_check(text) < len)
		return NULL;
	return memory_copy(line, len);
}

void
recall_read(struct recall *recall)
{
	char *path = path_of_recall();
	FILE *file = fopen(path, "r");

	*recall = (struct recall){ NULL, NULL };
	if (file != NULL) {
		recall->user = read_line(file);
		recall->room = read_line(file);
		fclose(file);
	}
	free(path);
}

void
recall_write(const char *user, const char *room)
{
	struct fault fault;
	char *dir = conf_state_dir();
	char *path = path_of_recall();
	struct recall before;

	recall_read(&before);
	if (user == NULL)
		user = before.user != NULL ? before.user : "";
	char *lines = memory_format("%s\n%s\n", user, room);

	if (file_folder(dir, &fault) == 0)
		file_replace(path, span_of(lines), 0600, &fault);
	recall_free(&before);
	free(lines);
	free(path);
	free(dir);
}

void
recall_free(struct recall *recall)
{
	free(recall->user);
	free(recall->room);
}
