/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_INVITE_LIST_H
#define QCHAT_INVITE_LIST_H

#include "cli.h"

/* The list of `qchat-invite --list`. */

/* Prints the rooms with a secret.  0, 1 if there are none; what is wrong with
 * one of them, or with standard output, is then in *fault. */
int invite_list(const struct cli *cli, int64_t now, struct fault *fault);

#endif
