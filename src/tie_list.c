/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_list.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
tie_list_free(struct tie_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	free(list->items);
	*list = (struct tie_list){ 0 };
}

/* A new one at the end, which is not counted yet. */
static struct tie_subject *
extend(struct tie_list *list)
{
	list->items = memory_resize(list->items, list->count + 1,
		sizeof(*list->items));
	list->names = memory_resize(list->names, list->count + 1,
		sizeof(*list->names));
	list->names[list->count] = NULL;
	list->items[list->count] = (struct tie_subject){
		.is_certificate = list->certificates,
	};
	return &list->items[list->count];
}

/* Gives a name to the last one, which takes it over. */
static void
name_last(struct tie_list *list, char *name)
{
	list->names[list->count - 1] = name;
	list->items[list->count - 1].name = name;
}

static int
add_hash(struct tie_list *list, struct span hash)
{
	struct tie_subject *subject = extend(list);

	if (digest_from_hex(&subject->digests[0], hash) < 0)
		return -1;
	subject->count = 1;
	list->count++;
	return 0;
}

int
tie_list_add(struct tie_list *list, const char *hash, struct fault *fault)
{
	if (add_hash(list, span_of(hash)) == 0)
		return 0;
	return fault_set(fault, FAULT_USAGE,
		"\"%s\" is no hash (32, 40 or 64 hex digits: MD5, SHA-1 or "
		"SHA-256)",
		hash);
}

static int
digest_file(struct digester *digester, int fd, const char *path,
	struct fault *fault)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n > 0)
			digester_add(digester,
				(struct span){ bytes, (size_t)n });
		else if (errno != EINTR)
			return fault_set(fault,
				errno == EISDIR ? FAULT_NOINPUT : FAULT_IO,
				"%s: %s", path, strerror(errno));
	}
	return 0;
}

int
tie_list_add_file(struct tie_list *list, const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fault_set(fault, FAULT_NOINPUT, "%s: %s", path,
			strerror(errno));
	struct digester *digester = digester_new();
	int rc = digest_file(digester, fd, path, fault);
	if (rc == 0) {
		struct tie_subject *subject = extend(list);

		subject->count = digester_end(digester, subject->digests);
		list->count++;
		name_last(list, memory_string(path));
	}
	digester_free(digester);
	close(fd);
	return rc;
}

/* What stands behind the hash of a line; sha256sum puts a `*` before a binary
 * file's name. */
static char *
name_behind(struct span rest)
{
	size_t blanks = 0;

	while (blanks < rest.len &&
		(rest.bytes[blanks] == ' ' || rest.bytes[blanks] == '\t'))
		blanks++;
	if (blanks < rest.len && rest.bytes[blanks] == '*')
		blanks++;
	return blanks < rest.len
		? memory_copy(rest.bytes + blanks, rest.len - blanks)
		: NULL;
}

static int
add_line(struct tie_list *list, struct span line)
{
	struct span word = line;

	while (line.len > 0 && strchr("\r\n", line.bytes[line.len - 1]) != NULL)
		line.len--;
	while (line.len > 0 && (*line.bytes == ' ' || *line.bytes == '\t')) {
		line.bytes++;
		line.len--;
	}
	if (line.len == 0)
		return 0;
	word = line;
	for (word.len = 0; word.len < line.len; word.len++)
		if (line.bytes[word.len] == ' ' || line.bytes[word.len] == '\t')
			break;
	if (add_hash(list, word) < 0)
		return -1;
	name_last(list,
		name_behind((struct span){ line.bytes + word.len,
			line.len - word.len }));
	return 0;
}

int
tie_list_read(struct tie_list *list, struct fault *fault)
{
	char *line = NULL;
	size_t size = 0;
	long long number = 0;
	ssize_t len;
	int rc = 0;

	errno = 0;
	while (rc == 0 && (len = getline(&line, &size, stdin)) >= 0) {
		number++;
		if (add_line(list, (struct span){ line, (size_t)len }) < 0)
			rc = fault_set(fault, FAULT_DATA,
				"standard input, line %lld: no hash at its "
				"start (32, 40 or 64 hex digits)",
				number);
		else if (list->count > TIE_LIST_MAX)
			rc = fault_set(fault, FAULT_DATA,
				"standard input, line %lld: more than %d "
				"hashes",
				number, TIE_LIST_MAX);
	}
	if (rc == 0 && ferror(stdin))
		rc = fault_set(fault, FAULT_IO, "standard input: %s",
			strerror(errno));
	free(line);
	return rc;
}
