/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_NAMES_H
#define QCHAT_NAMES_H

#include "conf.h"
#include "fault.h"
#include "text.h"

/*
 * The file of names and the certificates that they were first seen with, as
 * ssh has its known_hosts: one line each, fingerprint, blank, name; of mode
 * 0600 in this user's state folder, one file for each fabric's authority.
 */

enum {
	NAMES_FILE_MAX = 2 * 1024 * 1024, /* bytes */
	NAMES_FINGERPRINT_MAX = 65,       /* SHA-256 in hex, and NUL */
};

/* Where it is for this fabric; the caller frees it.  NULL with FAULT_CONFIG. */
char *names_path(const struct conf *conf, struct fault *fault);

/* Appends its lines; none if there is no file.  0, or -1 with FAULT_IO. */
int names_read(const char *path, struct text *lines, struct fault *fault);

/* Adds the lines whose names are not in the file yet.  0, or -1 with
 * FAULT_CANTCREAT, FAULT_IO or FAULT_TIMEOUT (another process holds it). */
int names_merge(const char *path, struct span lines, struct fault *fault);

/* Looks up a name's certificate; fingerprint has NAMES_FINGERPRINT_MAX bytes.
 * 1, 0 if the name is not there, or -1 with FAULT_IO. */
int names_find(const char *path, const char *name, char *fingerprint,
	struct fault *fault);

/* Puts the certificate of a name into the file, or takes it out: NULL.  1, 0
 * if it was so, or -1 as names_merge(). */
int names_set(const char *path, const char *name, const char *fingerprint,
	struct fault *fault);

#endif
