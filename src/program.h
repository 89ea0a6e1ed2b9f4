/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROGRAM_H
#define QCHAT_PROGRAM_H

#include <stdbool.h>

/* Is there a program of this name that may be run, where posix_spawnp() will
 * look for it? */
bool program_is_found(const char *name);

#endif
