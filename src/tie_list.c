/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_list.h"

#include "memory.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
			return fault_set(fault, FAULT_IO, "%s: %s", path,
				strerror(errno));
	}
	return 0;
}

static const char *
kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return _("a folder");
	if (S_ISFIFO(mode))
		return _("a FIFO");
	if (S_ISSOCK(mode))
		return _("a socket");
	return _("a device");
}

static int
check_kind(const struct stat *status, const char *path, struct fault *fault)
{
	if (S_ISREG(status->st_mode))
		return 0;
	return fault_set(fault, FAULT_NOINPUT, "%s: it is %s, and no file",
		path, kind_of(status->st_mode));
}

/* A FIFO waits for a writer, and a device may never end: what is no file is
 * not even opened, and not read if it has become one in between. */
static int
open_file(const char *path, struct fault *fault)
{
	struct stat status;
	int fd = -1;

	if (stat(path, &status) == 0) {
		if (check_kind(&status, path, fault) < 0)
			return -1;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	if (fd < 0 || fstat(fd, &status) < 0) {
		fault_set(fault, FAULT_NOINPUT, "%s: %s", path,
			strerror(errno));
	} else if (check_kind(&status, path, fault) == 0) {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int
tie_list_add_file(struct tie_list *list, const char *path, struct fault *fault)
{
	int fd = open_file(path, fault);

	if (fd < 0)
		return -1;
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

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trimmed(struct span line)
{
	while (line.len > 0 && strchr("\r\n", line.bytes[line.len - 1]) != NULL)
		line.len--;
	while (line.len > 0 && is_blank(*line.bytes)) {
		line.bytes++;
		line.len--;
	}
	return line;
}

/* What sha256sum(1) writes of a name where the line begins with a backslash. */
static void
unescape(char *name)
{
	char *to = name;

	for (const char *from = name; *from != '\0'; from++) {
		bool is_escape = *from == '\\' &&
			(from[1] == '\\' || from[1] == 'n' || from[1] == 'r');

		if (is_escape)
			from++;
		*to++ = !is_escape     ? *from
			: *from == 'n' ? '\n'
			: *from == 'r' ? '\r'
				       : '\\';
	}
	*to = '\0';
}

/* What stands behind the hash of a line; sha256sum puts a `*` before a binary
 * file's name. */
static char *
name_behind(struct span rest)
{
	size_t blanks = 0;

	while (blanks < rest.len && is_blank(rest.bytes[blanks]))
		blanks++;
	if (blanks < rest.len && rest.bytes[blanks] == '*')
		blanks++;
	return blanks < rest.len
		? memory_copy(rest.bytes + blanks, rest.len - blanks)
		: NULL;
}

/* The first column of CSV may stand in quotes. */
static struct span
without_quotes(struct span word)
{
	if (word.len < 2 || word.bytes[0] != '"' ||
		word.bytes[word.len - 1] != '"')
		return word;
	return (struct span){ word.bytes + 1, word.len - 2 };
}

static int
add_line(struct tie_list *list, struct span line)
{
	struct span rest = trimmed(line);
	bool is_escaped = rest.len > 0 && *rest.bytes == '\\';
	size_t len = is_escaped;

	if (rest.len == 0 || *rest.bytes == '#')
		return 0;
	while (len < rest.len && !is_blank(rest.bytes[len]) &&
		rest.bytes[len] != ',')
		len++;
	if (add_hash(list,
		    without_quotes((struct span){ rest.bytes + is_escaped,
			    len - is_escaped })) < 0)
		return -1;
	/* What other columns are, nobody knows. */
	if (len == rest.len || rest.bytes[len] == ',')
		return 0;
	char *name = name_behind(
		(struct span){ rest.bytes + len, rest.len - len });
	if (name != NULL && is_escaped)
		unescape(name);
	name_last(list, name);
	return 0;
}

static void
complain(const struct tie_list_calls *calls, long long number)
{
	char *sentence = memory_format(
		_("standard input, line %lld: no hash at its start (32, 40 or "
		  "64 hex digits)"),
		number);

	calls->wrong(calls->context, sentence);
	free(sentence);
}

static void
count_rest(const struct tie_list_calls *calls, long long more)
{
	if (more <= 0)
		return;
	char *sentence = memory_format(
		ngettext("standard input: %lld more line has no hash",
			"standard input: %lld more lines have no hash",
			(unsigned long)more),
		more);
	calls->wrong(calls->context, sentence);
	free(sentence);
}

/* Windows puts it before UTF-8. */
static struct span
without_mark(struct span line)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t len = sizeof(mark) - 1;

	if (line.len < len || memcmp(line.bytes, mark, len) != 0)
		return line;
	return (struct span){ line.bytes + len, line.len - len };
}

static void
complain_of_length(const struct tie_list_calls *calls, long long number)
{
	char sentence[128];

	snprintf(sentence, sizeof(sentence),
		_("standard input, line %lld: more than %d bytes"), number,
		TIE_LINE_MAX);
	calls->wrong(calls->context, sentence);
}

struct line {
	char bytes[TIE_LINE_MAX];
	size_t len;
	bool is_long; /* its end is not in them */
};

/* False at the end. */
static bool
read_line(struct line *line)
{
	int c = getc(stdin);

	line->len = 0;
	line->is_long = false;
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc(stdin))
		if (line->len < sizeof(line->bytes))
			line->bytes[line->len++] = (char)c;
		else
			line->is_long = true;
	return true;
}

int
tie_list_read(struct tie_list *list, const struct tie_list_calls *calls,
	struct fault *fault)
{
	struct line *line = memory_alloc(1, sizeof(*line));
	long long number = 0, wrong = 0;
	int rc = 0;

	errno = 0;
	while (rc == 0 && read_line(line)) {
		struct span bytes = { line->bytes, line->len };

		if (++number == 1)
			bytes = without_mark(bytes);
		bool is_wrong = line->is_long || add_line(list, bytes) < 0;
		if (is_wrong && ++wrong <= TIE_LIST_TOLD_MAX)
			(line->is_long ? complain_of_length : complain)(calls,
				number);
		if (list->count > TIE_LIST_MAX)
			rc = fault_set(fault, FAULT_DATA,
				"standard input, line %lld: more than %d "
				"hashes",
				number, TIE_LIST_MAX);
	}
	if (rc == 0 && ferror(stdin))
		rc = fault_set(fault, FAULT_IO, "standard input: %s",
			strerror(errno));
	count_rest(calls, wrong - TIE_LIST_TOLD_MAX);
	free(line);
	return rc;
}
