/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_RESUME_H
#define QCHAT_RESUME_H

#include "fault.h"
#include "record.h"
#include "session.h"

#include <stddef.h>

/*
 * The file that lets a restarted listener go on where it stopped: what each of
 * its rooms has delivered.  It is replaced as a whole, a second after it got
 * old at the earliest, so that a killed listener repeats a second at most.
 */
struct resume;

/* Reads the file, if it is there, and locks it against a second listener.
 * NULL with FAULT_DATA, FAULT_IO, or FAULT_CANTCREAT (it is in use). */
struct resume *resume_open(const char *path, struct fault *fault);
void resume_free(struct resume *resume);

/* To be called for each session before it connects.  -1 with FAULT_DATA that
 * names the file. */
int resume_restore(const struct resume *resume, struct session *session,
	struct fault *fault);

/* This record was handed out and not used: it is to come again, a gap as
 * well. */
void resume_rewind(struct resume *resume, const struct record *record);

/* When the file is to be written next, if anything was delivered since; mono
 * ms. */
int64_t resume_deadline(const struct resume *resume);

/* All that was delivered has been put out: writes it down, if it is time or
 * always. 0, or -1 with FAULT_CANTCREAT or FAULT_IO. */
int resume_save(struct resume *resume, struct session *const *sessions,
	size_t count, bool always, struct fault *fault);

/* Something was delivered. */
void resume_touch(struct resume *resume);

#endif
