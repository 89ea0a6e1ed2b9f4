/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PASSPHRASE_H
#define QCHAT_PASSPHRASE_H

#include "conf.h"

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

#endif
