/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SPOOL_STATE_H
#define QCHAT_SPOOL_STATE_H

#include "spool.h"
#include "spool_file.h"

#include <dirent.h>
#include <stdbool.h>

/* What the files of the spool share: the folder. */

#define SPOOL_ADD_LOCK   "add.lock"
#define SPOOL_FLUSH_LOCK "flush.lock"

struct spool {
	char *path;
	struct spool_limits limits;
	int64_t latest;             /* the time in the last name */
	const sigset_t *during;     /* to wait with; or NULL */
	int flush_lock;             /* -1: no flush */
	struct spool_counts counts; /* at the end of our last turn to add */
	uint64_t turns;
	bool counted; /* counts are right, for all that we did */
};

/* Tells what errno says about a file of the folder; NULL: the folder.
 * Returns -1. */
int spool_failed(const struct spool *spool, const char *name,
	enum fault_kind kind, struct fault *fault);

/* 0, or -1 with FAULT_CANTCREAT or FAULT_NOPERM. */
int spool_make(const struct spool *spool, struct fault *fault);

/* 0, or -1 with FAULT_IO.  A folder that is missing is NULL, and no fault. */
int spool_look(const struct spool *spool, DIR **folder, struct fault *fault);

/* As file_lock(). */
int spool_lock(const struct spool *spool, const char *name, int wait_ms,
	struct fault *fault);

/* The next file that is ours, or NULL, with errno 0 at the end.  Others are
 * passed over. */
const char *spool_next(DIR *folder, enum spool_kind *kind);

/* 0, or -1 with FAULT_IO. */
int spool_sync(const struct spool *spool, DIR *folder, struct fault *fault);

/* 0, or -1 with FAULT_IO. */
int spool_tally(const struct spool *spool, DIR *folder,
	struct spool_counts *counts, struct fault *fault);

/* Is it a message that waits? */
bool spool_waits(enum spool_kind kind);

void spool_tally_add(struct spool_counts *counts, enum spool_kind kind,
	int64_t size);

/* Removes what is half-written.  Who writes holds add.lock, and so does the
 * caller: nobody works on what it finds. */
void spool_sweep(DIR *folder);

#endif
