/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include "file.h"
#include "spool_state.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ADD_WAIT_MS = 30000 };

/* The folder, made if it is missing, with nobody else adding to it. */
static DIR *
enter(const struct spool *spool, int *add_lock, struct fault *fault)
{
	DIR *folder;

	if (spool_make(spool, fault) < 0)
		return NULL;
	*add_lock = spool_lock(spool, SPOOL_ADD_LOCK, ADD_WAIT_MS, fault);
	if (*add_lock < 0) {
		if (fault->kind == FAULT_TIMEOUT)
			fault->kind = FAULT_CANTCREAT;
		return NULL;
	}
	folder = opendir(spool->path);
	if (folder == NULL)
		spool_failed(spool, NULL, FAULT_CANTCREAT, fault);
	return folder;
}

/*
 * A stream need not count the folder for each message: who adds leaves its
 * stamp in the lock file.  If ours is still there, nobody else has added, and
 * there is no more than we know of.
 */
static int
take_turn(struct spool *spool, int add_lock, bool *ours, struct fault *fault)
{
	uint64_t stamp[3] = { (uint64_t)getpid(), (uintptr_t)spool,
		spool->turns };
	uint64_t found[3];

	*ours = pread(add_lock, found, sizeof(found), 0) == sizeof(found) &&
		memcmp(found, stamp, sizeof(found)) == 0;
	stamp[2] = ++spool->turns;
	errno = ENOSPC; /* a short write sets none */
	if (pwrite(add_lock, stamp, sizeof(stamp), 0) != sizeof(stamp))
		return spool_failed(spool, SPOOL_ADD_LOCK, FAULT_IO, fault);
	return 0;
}

/* Do they fit even if nothing was removed since we counted? */
static bool
surely_fit(const struct spool *spool, const struct spool_message *messages,
	size_t count)
{
	const struct spool_counts *counts = &spool->counts;
	int64_t bytes = counts->bytes;

	if ((int64_t)count > spool->limits.count - counts->waiting -
			counts->expired - counts->bad)
		return false;
	for (size_t i = 0; i < count && bytes <= spool->limits.bytes; i++)
		bytes += SPOOL_HEAD_MAX + (int64_t)messages[i].envelope.len;
	return bytes <= spool->limits.bytes;
}

static int
check_limits(const struct spool *spool, size_t size, struct fault *fault)
{
	const struct spool_counts *counts = &spool->counts;
	const struct spool_limits *limits = &spool->limits;
	int64_t aside = counts->expired + counts->bad;
	char rest[160] = "";

	if (aside > 0)
		snprintf(rest, sizeof(rest),
			ngettext("; %" PRId64 " is set aside as *%s or *%s "
				 "until you remove it",
				"; %" PRId64 " are set aside as *%s or *%s "
				"until you remove them",
				(unsigned long)aside),
			aside, SPOOL_EXPIRED_SUFFIX, SPOOL_BAD_SUFFIX);
	if (counts->waiting + aside >= limits->count)
		return fault_set(fault, FAULT_CANTCREAT,
			ngettext("%s: is full: %" PRId64 " message, its limit "
				 "(qchat-say --flush sends what waits%s)",
				"%s: is full: %" PRId64 " messages, its limit "
				"(qchat-say --flush sends what waits%s)",
				(unsigned long)limits->count),
			spool->path, limits->count, rest);
	if (counts->bytes > limits->bytes ||
		(int64_t)size > limits->bytes - counts->bytes)
		return fault_set(fault, FAULT_CANTCREAT,
			"%s: is full: %" PRId64 " of %" PRId64 " bytes are "
			"taken, and this message has %zu "
			"(qchat-say --flush sends what waits%s)",
			spool->path, counts->bytes, limits->bytes, size, rest);
	return 0;
}

/* Writes it under a name that no reader looks at, and then gives it its own. */
static int
put_file(const struct spool *spool, DIR *folder, const char *name,
	struct span bytes, struct fault *fault)
{
	char fresh[sizeof(SPOOL_TMP_PREFIX) + SPOOL_NAME_MAX];
	struct stat status;
	int at = dirfd(folder);
	int fd, rc;

	snprintf(fresh, sizeof(fresh), SPOOL_TMP_PREFIX "%s", name);
	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s/%s: is there",
			spool->path, name);
	fd = openat(at, fresh,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return spool_failed(spool, name, FAULT_CANTCREAT, fault);
	rc = file_write(fd, bytes) < 0 || fsync(fd) < 0 ||
			renameat(at, fresh, at, name) < 0
		? spool_failed(spool, name, FAULT_IO, fault)
		: 0;
	close(fd);
	if (rc < 0)
		unlinkat(at, fresh, 0);
	return rc;
}

static int
add_one(struct spool *spool, DIR *folder, struct spool_message *message,
	struct fault *fault)
{
	struct text file = { 0 };
	const char *wrong = spool_file_check(message);
	int rc = -1;

	if (wrong == NULL &&
		(message->envelope.len < 1 ||
			message->envelope.len > SPOOL_ENVELOPE_MAX))
		wrong = _("it is empty or too large");
	if (wrong != NULL)
		return fault_set(fault, FAULT_DATA,
			"%s: cannot keep a message: %s", spool->path, wrong);
	if (message->time_ms > spool->latest)
		spool->latest = message->time_ms;
	spool_file_name(message, spool->latest);
	spool_file_format(message, &file);
	if (check_limits(spool, file.len, fault) == 0 &&
		put_file(spool, folder, message->name,
			(struct span){ file.bytes, file.len }, fault) == 0) {
		spool_tally_add(&spool->counts, SPOOL_KIND_WAITING,
			(int64_t)file.len);
		rc = 0;
	}
	text_free(&file);
	return rc;
}

/* Sets spool->counts, to what is there or to more. */
static int
count_folder(struct spool *spool, DIR *folder, int add_lock,
	const struct spool_message *messages, size_t count, struct fault *fault)
{
	bool ours;

	if (take_turn(spool, add_lock, &ours, fault) < 0)
		return -1;
	if (ours && spool->counted && surely_fit(spool, messages, count))
		return 0;
	spool_sweep(folder);
	return spool_tally(spool, folder, &spool->counts, fault);
}

int
spool_add(struct spool *spool, struct spool_message *messages, size_t count,
	size_t *added, struct fault *fault)
{
	int add_lock = -1;
	int rc = -1;
	DIR *folder = enter(spool, &add_lock, fault);

	*added = 0;
	if (folder == NULL ||
		count_folder(spool, folder, add_lock, messages, count, fault) <
			0)
		goto out;
	while (*added < count &&
		add_one(spool, folder, &messages[*added], fault) == 0)
		++*added;
	rc = *added == count ? 0 : -1;
	if (*added > 0 && spool_sync(spool, folder, fault) < 0) {
		/* Whether they outlive a crash is open: none was kept. */
		for (; *added > 0; --*added)
			unlinkat(dirfd(folder), messages[*added - 1].name, 0);
		rc = -1;
	}
out:
	spool->counted = rc == 0;
	if (folder != NULL)
		closedir(folder);
	if (add_lock >= 0)
		close(add_lock);
	return rc;
}
