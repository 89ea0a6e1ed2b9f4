/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SECRETS_FILE_H
#define QCHAT_SECRETS_FILE_H

#include "secrets.h"
#include "text.h"

/* One file of `secrets`: lines of words, the room's name up to the line's
 * end.
 *
 *	qchat-secrets 1
 *	room NAME
 *	secret ID BASE64 SINCE
 *	old ID BASE64 UNTIL
 */

/*
 * Reads it; *room is freed by the caller.  1; 0 if it is not there; or -1 with
 * FAULT_NOPERM (others can read it), FAULT_IO, or FAULT_CONFIG (damaged).
 */
int secrets_file_read(const char *path, struct room_secrets *secrets,
	char **room, struct fault *fault);

/* Writes it, of mode 0600.  0, or -1 as file_replace(). */
int secrets_file_write(const char *path, const char *room,
	const struct room_secrets *secrets, struct fault *fault);

/* Reads what is in it.  *room points into bytes.  False if it is damaged. */
bool secrets_file_parse(struct room_secrets *secrets, struct span *room,
	struct span bytes);

/* Appends what is in it, without leaving copies of secrets elsewhere. */
void secrets_file_format(const struct room_secrets *secrets, const char *room,
	struct text *bytes);

#endif
