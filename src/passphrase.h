/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PASSPHRASE_H
#define QCHAT_PASSPHRASE_H

#include "conf.h"

#include <stdbool.h>

/*
 * From now on the passphrase of an encrypted key comes from
 * conf->passphrase_command, if that is set, else from the terminal.  It is
 * asked for once in a process, kept in its memory, and wiped at its end.
 * What conf->passphrase_command points to has to stay.
 */
void passphrase_use(struct conf *conf);

/* The two sources, for passphrase_use().  0, or -1 with FAULT_CONFIG. */

/* The first line that the command prints; it gets no input. */
int passphrase_of_command(const char *command, char *passphrase,
	struct fault *fault);

/* A line from /dev/tty without echo.  A signal meanwhile takes effect when the
 * terminal is as it was before; behind a stop it asks again. */
int passphrase_of_terminal(const char *file, char *passphrase,
	struct fault *fault);

/*
 * The same for anything else: the answer to a question, which is seen while it
 * is typed, or not.  It is not empty and goes, with a NUL, into answer, which
 * has CONF_PASSPHRASE_MAX + 1 bytes and is wiped by the caller.
 * 0, or -1 with FAULT_NOINPUT: there is no terminal, or nothing was typed.
 */
int passphrase_question(const char *question, bool is_seen, char *answer,
	struct fault *fault);

#endif
