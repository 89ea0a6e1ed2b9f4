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

struct spool *
spool_open(const char *path, struct spool_limits limits)
{
	struct spool *spool = memory_alloc(1, sizeof(*spool));

	assert(limits.bytes >= 0 && limits.count >= 0 && limits.age_ms >= 0);
	spool->path = memory_string(path);
	spool->limits.bytes = limits.bytes > 0 ? limits.bytes : SPOOL_BYTES_MAX;
	spool->limits.count = limits.count > 0 ? limits.count : SPOOL_COUNT_MAX;
	spool->limits.age_ms = limits.age_ms > 0 ? limits.age_ms
						 : SPOOL_AGE_MAX_MS;
	spool->flush_lock = -1;
	return spool;
}

void
spool_let_through(struct spool *spool, const sigset_t *during)
{
	spool->during = during;
}

void
spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_flush_end(spool);
	free(spool->path);
	free(spool);
}

static const char *
remedy(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return _(" (make room on that file system)");
	case EFBIG:
		return _(" (raise the limit of file sizes: ulimit -f)");
	case EROFS:
		return _(" (the file system is mounted read-only)");
	case EACCES:
	case EPERM:
		return _(" (the folder has to be this user's, and writable)");
	case EIO:
		return _(" (the disk fails: see the system's log)");
	case EMFILE:
	case ENFILE:
		return _(" (too many files are open: ulimit -n)");
	default:
		return "";
	}
}

int
spool_failed(const struct spool *spool, const char *name, enum fault_kind kind,
	struct fault *fault)
{
	int error = errno;

	return fault_set(fault, kind, "%s%s%s: %s%s", spool->path,
		name != NULL ? "/" : "", name != NULL ? name : "",
		strerror(error), remedy(error));
}

const char *
spool_next(DIR *folder, enum spool_kind *kind)
{
	struct dirent *item;

	while ((errno = 0, item = readdir(folder)) != NULL) {
		*kind = spool_file_kind(item->d_name);
		if (*kind != SPOOL_KIND_OTHER)
			return item->d_name;
	}
	return NULL;
}

int
spool_look(const struct spool *spool, DIR **folder, struct fault *fault)
{
	*folder = opendir(spool->path);
	if (*folder == NULL && errno != ENOENT)
		return spool_failed(spool, NULL, FAULT_IO, fault);
	return 0;
}

int
spool_sync(const struct spool *spool, DIR *folder, struct fault *fault)
{
	/* EINVAL: a file system that cannot do it. */
	if (fsync(dirfd(folder)) < 0 && errno != EINVAL)
		return spool_failed(spool, NULL, FAULT_IO, fault);
	return 0;
}

int
spool_make(const struct spool *spool, struct fault *fault)
{
	char text[FAULT_TEXT_MAX];

	if (file_folder(spool->path, fault) == 0)
		return 0;
	snprintf(text, sizeof(text), "%s", fault->text);
	return fault_set(fault, fault->kind,
		"%s (undelivered messages are kept there: it has to be a "
		"folder of this user that can be written)",
		text);
}

bool
spool_waits(enum spool_kind kind)
{
	return kind == SPOOL_KIND_WAITING || kind == SPOOL_KIND_DEFERRED;
}

void
spool_tally_add(struct spool_counts *counts, enum spool_kind kind, int64_t size)
{
	counts->waiting += spool_waits(kind);
	counts->deferred += kind == SPOOL_KIND_DEFERRED;
	counts->expired += kind == SPOOL_KIND_EXPIRED;
	counts->bad += kind == SPOOL_KIND_BAD;
	counts->bytes += size < INT64_MAX - counts->bytes
		? size
		: INT64_MAX - counts->bytes;
}

int
spool_tally(const struct spool *spool, DIR *folder, struct spool_counts *counts,
	struct fault *fault)
{
	enum spool_kind kind;
	struct stat status;
	const char *name;

	*counts = (struct spool_counts){ 0 };
	rewinddir(folder);
	while ((name = spool_next(folder, &kind)) != NULL) {
		if (kind == SPOOL_KIND_TMP)
			continue;
		if (fstatat(dirfd(folder), name, &status,
			    AT_SYMLINK_NOFOLLOW) == 0)
			spool_tally_add(counts, kind, status.st_size);
		else if (errno != ENOENT)
			return spool_failed(spool, name, FAULT_IO, fault);
	}
	return errno == 0 ? 0 : spool_failed(spool, NULL, FAULT_IO, fault);
}

int
spool_count(const struct spool *spool, struct spool_counts *counts,
	struct fault *fault)
{
	DIR *folder;
	int rc;

	*counts = (struct spool_counts){ 0 };
	if (spool_look(spool, &folder, fault) < 0)
		return -1;
	if (folder == NULL)
		return 0;
	rc = spool_tally(spool, folder, counts, fault);
	closedir(folder);
	return rc;
}

void
spool_sweep(DIR *folder)
{
	enum spool_kind kind;
	const char *name;

	rewinddir(folder);
	while ((name = spool_next(folder, &kind)) != NULL)
		if (kind == SPOOL_KIND_TMP)
			unlinkat(dirfd(folder), name, 0);
}

int
spool_lock(const struct spool *spool, const char *name, int wait_ms,
	struct fault *fault)
{
	char *path = memory_format("%s/%s", spool->path, name);
	int fd = file_lock(path, wait_ms, spool->during, fault);

	free(path);
	return fd;
}

/* Without waiting: if somebody adds, the next one sweeps. */
static void
sweep_if_quiet(const struct spool *spool)
{
	struct fault fault = { 0 };
	int add_lock = spool_lock(spool, SPOOL_ADD_LOCK, 0, &fault);
	DIR *folder;

	if (add_lock < 0)
		return;
	if (spool_look(spool, &folder, &fault) == 0 && folder != NULL) {
		spool_sweep(folder);
		closedir(folder);
	}
	close(add_lock);
}

enum spool_flush
spool_flush_begin(struct spool *spool, struct fault *fault)
{
	struct fault own = { 0 };

	assert(spool->flush_lock < 0);
	if (spool_make(spool, fault) < 0)
		return SPOOL_FLUSH_FAILED;
	spool->flush_lock = spool_lock(spool, SPOOL_FLUSH_LOCK, 0, &own);
	if (spool->flush_lock >= 0) {
		sweep_if_quiet(spool);
		return SPOOL_FLUSH_BEGUN;
	}
	if (own.kind == FAULT_TIMEOUT)
		return SPOOL_FLUSH_BUSY;
	*fault = own;
	return SPOOL_FLUSH_FAILED;
}

void
spool_flush_end(struct spool *spool)
{
	if (spool->flush_lock >= 0)
		close(spool->flush_lock);
	spool->flush_lock = -1;
}
