/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROVISION_OWNER_H
#define QCHAT_PROVISION_OWNER_H

#include "fault.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whose a folder is, and root who works in that of somebody else. */

struct owner {
	bool is_changed;
	gid_t group; /* what is changed, to go back */
	gid_t *groups;
	int count;
};

/* Is it somebody whom who runs this need not trust: neither he nor root? */
bool owner_is_other(uid_t uid);

/*
 * If root runs this and the folder is another user's, that user does from now
 * on whatever is done to files, with the rights of his own group alone: then
 * no link of his leads to what he could not change himself, whenever he makes
 * it.  0; or -1 with FAULT_CANTCREAT (no such folder), or FAULT_NOPERM, and
 * then nothing has changed.
 */
int owner_become(struct owner *owner, const char *folder, struct fault *fault);

/* The end of that. */
void owner_back(struct owner *owner);

#endif
