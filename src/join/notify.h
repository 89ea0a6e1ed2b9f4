/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_NOTIFY_H
#define QCHAT_JOIN_NOTIFY_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Runs the notify command: without a shell, away from the terminal (a session
 * of its own, /dev/null for standard input, output and error, no other
 * descriptors), with the usual signals, and without waiting for it.
 */
struct notify;

enum {
	NOTIFY_RUNNING_MAX = 4, /* at a time */
	NOTIFY_MS = 60 * 1000,  /* what runs longer is killed */
};

/* NULL with FAULT_CONFIG if there is no such program that may be run. */
struct notify *notify_new(const char *program, struct fault *fault);

/* What runs goes on. */
void notify_free(struct notify *notify);

/* Starts argv, which ends with NULL.  1; 0 if as many run already; or -1 with
 * FAULT_NOINPUT. */
int notify_run(struct notify *notify, char *const *argv, int64_t mono,
	struct fault *fault);

/* To be called now and then, best after each SIGCHLD.  Returns how many ended
 * with a status that is not 0, or were killed. */
size_t notify_reap(struct notify *notify, int64_t mono);

#endif
