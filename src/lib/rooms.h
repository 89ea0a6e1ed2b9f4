/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ROOMS_H
#define QCHAT_ROOMS_H

#include "fault.h"
#include "text.h"

/*
 * The file of the rooms in which this user found or said something, for shells
 * to offer them again:
 * a name in each line, the oldest first, of mode 0600 in the state folder.  A
 * room's name is one that room_name_check() takes.
 */

enum {
	ROOMS_REMEMBERED_MAX = 256,  /* the oldest make room for new ones */
	ROOMS_NEWEST = 128,          /* whose order among each other is any */
	ROOMS_FILE_MAX = 256 * 1024, /* bytes; of more these at the end */
};

/* Puts the room behind all others, if it is not one of the newest.  Silent if
 * that cannot be written: it is a convenience. */
void rooms_remember(const char *room);

/* Reads the file's lines into an empty text; none if there is no file.  0, or
 * -1 with FAULT_IO. */
int rooms_read(struct text *lines, struct fault *fault);

#endif
