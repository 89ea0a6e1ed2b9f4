/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_EXEC_H
#define QCHAT_EXEC_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Runs a command for each message: argv without a shell, the JSON line on its
 * standard input, QCHAT_ROOM set to the room.  One after the other, so that
 * they keep their order.
 */
struct exec;

/* What waits for its turn; more is refused. */
enum {
	EXEC_WAITING_MAX = 10000,
	EXEC_BYTES_MAX = 64 * 1024 * 1024,
};

/* argv ends with NULL and is borrowed.  NULL with FAULT_NOINPUT if there is
 * no such program that may be run. */
struct exec *exec_new(char *const *argv, struct fault *fault);

/* Does not end a command that runs. */
void exec_free(struct exec *exec);

/* Queues a run.  False if as many, or so many bytes, wait already. */
bool exec_add(struct exec *exec, struct span room, struct span line);

/*
 * Starts the next if none runs.  To be called after each exec_add() and each
 * SIGCHLD.  *status is the exit status of a command that ended, else -1.
 * 0, or -1 with FAULT_NOINPUT: the command cannot be started, FAULT_CANTCREAT:
 * no room for its input.
 */
int exec_step(struct exec *exec, int *status, struct fault *fault);

/* How many wait for their turn. */
size_t exec_waiting(const struct exec *exec);

/* Runs one, or does one wait? */
bool exec_is_busy(const struct exec *exec);

#endif
