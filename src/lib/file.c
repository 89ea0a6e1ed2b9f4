/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TICK_MS = 10 };

ssize_t
file_read(int fd, char *bytes, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, bytes + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* What is longer is read from where so much of it is left. */
static void
skip_to_end(int fd, size_t max)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_size > (off_t)max)
		lseek(fd, status.st_size - (off_t)max, SEEK_SET);
}

static int
append_part(const char *path, size_t max, bool end, struct text *text,
	struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return fault_set(fault, FAULT_IO, "%s: %s", path,
			strerror(errno));
	if (end)
		skip_to_end(fd, max);
	char *bytes = memory_alloc(max, 1);
	ssize_t len = file_read(fd, bytes, max);
	int error = errno;
	if (len > 0)
		text_append(text, bytes, (size_t)len);
	free(bytes);
	close(fd);
	if (len >= 0)
		return 0;
	return fault_set(fault, FAULT_IO, "%s: %s", path, strerror(error));
}

int
file_append(const char *path, size_t max, struct text *text,
	struct fault *fault)
{
	return append_part(path, max, false, text, fault);
}

int
file_append_end(const char *path, size_t max, struct text *text,
	struct fault *fault)
{
	return append_part(path, max, true, text, fault);
}

bool
file_has(const char *path, struct span bytes, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	bool same = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & 07777) == mode &&
		status.st_size == (off_t)bytes.len) {
		char *old = memory_alloc(bytes.len, 1);

		same = file_read(fd, old, bytes.len) == (ssize_t)bytes.len &&
			memcmp(old, bytes.bytes, bytes.len) == 0;
		/* It may be a key. */
		explicit_bzero(old, bytes.len);
		free(old);
	}
	close(fd);
	return same;
}

int
file_write(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.bytes, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes.bytes += n;
		bytes.len -= (size_t)n;
	}
	return 0;
}

char *
file_fresh(const char *path, const char *suffix, struct span bytes, mode_t mode,
	struct fault *fault)
{
	char *fresh = memory_format("%s%sXXXXXX", path, suffix);
	int fd = mkostemp(fresh, O_CLOEXEC);

	if (fd < 0) {
		fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
		free(fresh);
		return NULL;
	}
	if (file_write(fd, bytes) < 0 || fchmod(fd, mode) < 0 ||
		fsync(fd) < 0) {
		fault_set(fault, FAULT_IO, "%s: %s", path, strerror(errno));
		unlink(fresh);
		free(fresh);
		fresh = NULL;
	}
	close(fd);
	return fresh;
}

int
file_replace(const char *path, struct span bytes, mode_t mode,
	struct fault *fault)
{
	if (file_has(path, bytes, mode))
		return 0;
	char *fresh = file_fresh(path, ".", bytes, mode, fault);
	if (fresh == NULL)
		return -1;
	int rc = rename(fresh, path);
	if (rc < 0) {
		fault_set(fault, FAULT_IO, "%s: %s", path, strerror(errno));
		unlink(fresh);
	}
	free(fresh);
	return rc;
}

int
file_sync_name(const char *path)
{
	char *folder = memory_format("./%s", path);
	char *slash = strrchr(folder, '/');
	/* "./name" is in ".", "/name" in "/". */
	const char *parent = *path == '/' ? folder + 2 : folder;

	if (slash == parent)
		slash++;
	*slash = '\0';
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EACCES: it may be written and not read, so there is no way to;
	 * EINVAL: a file system that cannot do it. */
	int rc = fd < 0                            ? (errno == EACCES ? 0 : -1)
		: fsync(fd) < 0 && errno != EINVAL ? -1
						   : 0;
	int error = errno;
	if (fd >= 0)
		close(fd);
	free(folder);
	errno = error;
	return rc;
}

/* 0 if it is there, or -1 with errno. */
static int
make_folder(const char *path)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -1;
	return file_sync_name(path);
}

/* Makes what is missing of the folders above path.  0, or -1 with errno. */
static int
make_parents(const char *path)
{
	char *parent = memory_string(path);
	int rc = 0;

	for (char *slash = parent + 1;
		rc == 0 && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		rc = make_folder(parent);
		*slash = '/';
	}
	free(parent);
	return rc;
}

int
file_folder(const char *path, struct fault *fault)
{
	struct stat status;

	if (make_parents(path) < 0 || make_folder(path) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
	if (stat(path, &status) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return fault_set(fault, FAULT_CANTCREAT, "%s: is not a folder",
			path);
	if (status.st_uid != geteuid())
		return fault_set(fault, FAULT_NOPERM,
			"%s: belongs to another "
			"user (uid %lu)",
			path, (unsigned long)status.st_uid);
	if ((status.st_mode & 07777) != 0700 && chmod(path, 0700) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
	return 0;
}

/* Waits for the lock of an open file.  Returns it; closes it with a fault. */
static int
take_lock(int fd, const char *path, int wait_ms, const sigset_t *during,
	struct fault *fault)
{
	if (fd < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
	const struct timespec tick = { 0, LOCK_TICK_MS * 1000000L };
	/* flock() itself cannot be told how long to wait. */
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;
		waited += LOCK_TICK_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			fault_set(fault, FAULT_IO, "%s: %s", path,
				strerror(errno));
		else if (waited >= wait_ms)
			fault_set(fault, FAULT_TIMEOUT,
				"%s: another process holds it", path);
		else if (ppoll(NULL, 0, &tick, during) < 0 && during != NULL)
			fault_set(fault, FAULT_UNAVAILABLE,
				"%s: another process holds it, and a signal "
				"ended the waiting",
				path);
		else
			continue;
		close(fd);
		return -1;
	}
	return fd;
}

int
file_lock(const char *path, int wait_ms, const sigset_t *during,
	struct fault *fault)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return take_lock(fd, path, wait_ms, during, fault);
}

int
file_lock_folder(const char *path, int wait_ms, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return take_lock(fd, path, wait_ms, NULL, fault);
}
