/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_FILE_H
#define QCHAT_FILE_H

#include "fault.h"
#include "text.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Files and folders of this user that others must not disturb or read. */

/* Reads until the buffer is full or the file ends.  Returns the number of
 * bytes, or -1 with errno. */
ssize_t file_read(int fd, char *bytes, size_t size);

/* Appends the first max bytes of a file, which need not be there.  -1 with
 * FAULT_IO. */
int file_append(const char *path, size_t max, struct text *text,
	struct fault *fault);

/* The same with the last max bytes. */
int file_append_end(const char *path, size_t max, struct text *text,
	struct fault *fault);

/* Writes all of it.  0, or -1 with errno when a part may be written. */
int file_write(int fd, struct span bytes);

/*
 * Makes the file hold these bytes, all or nothing: they go to a new file of
 * mode 0600 beside it, to the disk, and take the old one's place in one step.
 * mode is the final one whatever the umask.  A file that has these bytes
 * already is left alone.
 * 0, or -1 with FAULT_CANTCREAT, or FAULT_IO (a full disk).
 */
int file_replace(const char *path, struct span bytes, mode_t mode,
	struct fault *fault);

/*
 * Makes a new file beside path, of a name that begins with path and suffix,
 * with these bytes and this mode whatever the umask, and sees them to the
 * disk.  Returns its path, which the caller frees; NULL with FAULT_CANTCREAT,
 * or FAULT_IO (a full disk), and then there is none.
 */
char *file_fresh(const char *path, const char *suffix, struct span bytes,
	mode_t mode, struct fault *fault);

/* Is it a plain file of this mode with these bytes? */
bool file_has(const char *path, struct span bytes, mode_t mode);

/* Makes the name of what is at path durable.  0, or -1 with errno. */
int file_sync_name(const char *path);

/*
 * Makes a folder of mode 0700, and the folders above it that are missing, all
 * of them durably.
 * One that is there has to belong to this user and is closed to others.
 * 0, or -1 with FAULT_CANTCREAT (a disk that fails, too), or FAULT_NOPERM
 * (another user's).
 */
int file_folder(const char *path, struct fault *fault);

/*
 * Opens a lock file, made if missing and never removed (a removed one could
 * be locked twice), and takes its exclusive lock, for which it waits at most
 * so many milliseconds; a signal that `during` lets through ends that, if it is
 * not NULL.  Returns a descriptor with FD_CLOEXEC, closed by the
 * caller; -1 with FAULT_CANTCREAT, FAULT_IO, FAULT_TIMEOUT or, at a
 * signal, FAULT_UNAVAILABLE.
 */
int file_lock(const char *path, int wait_ms, const sigset_t *during,
	struct fault *fault);

/* The same with a folder that is there, and no file of its own. */
int file_lock_folder(const char *path, int wait_ms, struct fault *fault);

#endif
