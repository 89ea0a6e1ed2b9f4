/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include "file.h"
#include "memory.h"
#include "spool_state.h"
#include "translate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names that are held while a folder is read. */
enum { NAMES_MIN = 64, NAMES_MAX = 2 * SPOOL_LIST_MAX };

static int
damaged(const struct spool *spool, const char *name, const char *wrong,
	struct fault *fault)
{
	return fault_set(fault, FAULT_DATA, "%s/%s: is damaged: %s",
		spool->path, name, translate(wrong));
}

static int
missing(const struct spool *spool, const char *name, struct fault *fault)
{
	return fault_set(fault, FAULT_NOINPUT, "%s: holds no message %s",
		spool->path, name);
}

static int
open_file(const struct spool *spool, DIR *folder, const char *name,
	int64_t *size, struct fault *fault)
{
	int fd = openat(dirfd(folder), name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return missing(spool, name, fault);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return damaged(spool, name, "it is no plain file", fault);
	if (fd < 0 || fstat(fd, &status) < 0)
		spool_failed(spool, name, FAULT_IO, fault);
	else if (!S_ISREG(status.st_mode))
		damaged(spool, name, "it is no plain file", fault);
	else if (status.st_size > SPOOL_FILE_MAX)
		damaged(spool, name, "it is too large", fault);
	else {
		*size = status.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Reads the bytes of a file of that size, or of its head. */
static const char *
parse(struct spool_entry *entry, bool whole, size_t len, int64_t size)
{
	size_t head = spool_file_head((struct span){ entry->bytes, len });

	if (!whole && head > 0) {
		/* The rest would be memory that a long list has no use for. */
		len = head;
		entry->bytes = memory_resize(entry->bytes, len, 1);
	}
	return spool_file_parse(entry, len, size);
}

static int
load(const struct spool *spool, DIR *folder, bool whole,
	struct spool_entry *entry, struct fault *fault)
{
	const char *name = entry->message.name;
	const char *wrong;
	int64_t size = 0;
	int fd = open_file(spool, folder, name, &size, fault);

	if (fd < 0)
		return -1;
	size_t want = whole || size < SPOOL_HEAD_MAX ? (size_t)size
						     : SPOOL_HEAD_MAX;
	entry->bytes = memory_alloc(want, 1);
	ssize_t len = file_read(fd, entry->bytes, want);
	if (len < 0)
		spool_failed(spool, name, FAULT_IO, fault);
	close(fd);
	if (len < 0)
		return -1;
	wrong = (size_t)len < want ? _("it shrinks")
				   : parse(entry, whole, want, size);
	return wrong == NULL ? 0 : damaged(spool, name, wrong, fault);
}

/* Fills an entry; what fails leaves one that has its name only. */
static int
read_entry(const struct spool *spool, DIR *folder, const char *name, bool whole,
	int64_t now_ms, struct spool_entry *entry, struct fault *fault)
{
	char own[SPOOL_NAME_MAX] = ""; /* name may be the entry's */
	bool deferred = spool_file_kind(name) == SPOOL_KIND_DEFERRED;

	snprintf(own, sizeof(own), "%s", name);
	*entry = (struct spool_entry){ .deferred = deferred };
	memcpy(entry->message.name, own, sizeof(own));
	if (load(spool, folder, whole, entry, fault) == 0) {
		if (now_ms - entry->message.time_ms > spool->limits.age_ms)
			entry->state = SPOOL_EXPIRED;
		return 0;
	}
	free(entry->bytes);
	*entry = (struct spool_entry){ .state = SPOOL_DAMAGED,
		.deferred = deferred };
	memcpy(entry->message.name, own, sizeof(own));
	return -1;
}

int
spool_read(const struct spool *spool, const char *name, int64_t now_ms,
	struct spool_entry *entry, struct fault *fault)
{
	enum spool_kind kind = spool_file_kind(name);
	DIR *folder;
	int rc;

	if (spool_look(spool, &folder, fault) < 0)
		return -1;
	if (folder == NULL || kind == SPOOL_KIND_OTHER ||
		kind == SPOOL_KIND_TMP)
		rc = missing(spool, name, fault);
	else
		rc = read_entry(spool, folder, name, true, now_ms, entry,
			fault);
	if (folder != NULL)
		closedir(folder);
	return rc;
}

void
spool_entry_free(struct spool_entry *entry)
{
	free(entry->bytes);
	*entry = (struct spool_entry){ 0 };
}

struct names {
	char (*at)[SPOOL_NAME_MAX];
	size_t count;
	size_t size;
	bool more; /* were forgotten */
};

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorts them, and forgets the newest for which there is no place. */
static void
sort_names(struct names *names)
{
	if (names->count > 0)
		qsort(names->at, names->count, SPOOL_NAME_MAX, compare);
	if (names->count > SPOOL_LIST_MAX) {
		names->count = SPOOL_LIST_MAX;
		names->more = true;
	}
}

static void
add_name(struct names *names, const char *name)
{
	if (names->count == NAMES_MAX)
		sort_names(names);
	if (names->count == names->size) {
		names->size = names->size > 0 ? 2 * names->size : NAMES_MIN;
		names->at = memory_resize(names->at, names->size,
			SPOOL_NAME_MAX);
	}
	snprintf(names->at[names->count++], SPOOL_NAME_MAX, "%s", name);
}

static int
read_names(const struct spool *spool, DIR *folder, struct names *names,
	struct fault *fault)
{
	enum spool_kind kind;
	const char *name;

	while ((name = spool_next(folder, &kind)) != NULL)
		if (spool_waits(kind))
			add_name(names, name);
	if (errno != 0)
		return spool_failed(spool, NULL, FAULT_IO, fault);
	sort_names(names);
	return 0;
}

static void
read_entries(const struct spool *spool, DIR *folder, const struct names *names,
	int64_t now_ms, struct spool_list *list)
{
	list->more = names->more;
	list->entries = memory_alloc(names->count, sizeof(*list->entries));
	for (size_t i = 0; i < names->count; i++) {
		struct fault fault = { 0 };

		if (read_entry(spool, folder, names->at[i], false, now_ms,
			    &list->entries[list->count], &fault) == 0 ||
			fault.kind != FAULT_NOINPUT)
			list->count++;
	}
}

int
spool_list(const struct spool *spool, int64_t now_ms, struct spool_list *list,
	struct fault *fault)
{
	struct names names = { 0 };
	DIR *folder;
	int rc;

	*list = (struct spool_list){ 0 };
	if (spool_look(spool, &folder, fault) < 0)
		return -1;
	if (folder == NULL)
		return 0;
	rc = read_names(spool, folder, &names, fault);
	if (rc == 0)
		read_entries(spool, folder, &names, now_ms, list);
	free(names.at);
	closedir(folder);
	return rc;
}

void
spool_list_free(struct spool_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		spool_entry_free(&list->entries[i]);
	free(list->entries);
	*list = (struct spool_list){ 0 };
}

/* Deletes it, or gives its id that ending, to be durable or not. */
static int
dispose(const struct spool *spool, const char *name, const char *ending,
	bool durable, struct fault *fault)
{
	char other[2 * SPOOL_NAME_MAX];
	DIR *folder;
	int rc;

	if (spool_look(spool, &folder, fault) < 0)
		return -1;
	if (folder == NULL)
		return ending == NULL ? 0 : missing(spool, name, fault);
	snprintf(other, sizeof(other), "%.*s%s", (int)spool_file_id(name), name,
		ending != NULL ? ending : "");
	rc = ending == NULL
		? unlinkat(dirfd(folder), name, 0)
		: renameat(dirfd(folder), name, dirfd(folder), other);
	if (rc == 0)
		rc = durable ? spool_sync(spool, folder, fault) : 0;
	else if (errno == ENOENT)
		rc = ending == NULL ? 0 : missing(spool, name, fault);
	else
		rc = spool_failed(spool, name, FAULT_IO, fault);
	closedir(folder);
	return rc;
}

int
spool_remove(const struct spool *spool, const char *name, struct fault *fault)
{
	enum spool_kind kind = spool_file_kind(name);

	if (kind == SPOOL_KIND_OTHER || kind == SPOOL_KIND_TMP)
		return missing(spool, name, fault);
	return dispose(spool, name, NULL, true, fault);
}

int
spool_defer(const struct spool *spool, const char *name, struct fault *fault)
{
	if (!spool_waits(spool_file_kind(name)))
		return missing(spool, name, fault);
	/* A crash that undoes it costs one more attempt. */
	return dispose(spool, name, SPOOL_DEFERRED_SUFFIX, false, fault);
}

int
spool_set_aside(const struct spool *spool, const char *name,
	enum spool_state why, struct fault *fault)
{
	assert(why == SPOOL_EXPIRED || why == SPOOL_DAMAGED);
	if (!spool_waits(spool_file_kind(name)))
		return missing(spool, name, fault);
	return dispose(spool, name,
		why == SPOOL_EXPIRED ? SPOOL_EXPIRED_SUFFIX : SPOOL_BAD_SUFFIX,
		true, fault);
}
