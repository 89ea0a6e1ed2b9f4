/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_WRITE_H
#define QCHAT_JOIN_WRITE_H

#include "fault.h"
#include "scroll.h"

/*
 * Writes the scrollback into a new file of mode 0600, a line each as
 * qchat-listen prints it, its whole text.  `~/` at the start of path is the
 * home.  *count is how many lines that were.  0, or -1 with FAULT_CANTCREAT
 * (it is there already, or cannot be made) or FAULT_IO; then nothing is left.
 */
int write_scroll(const struct scroll *scroll, const char *room,
	const char *path, size_t *count, struct fault *fault);

#endif
