/* SPDX-License-Identifier: Apache-2.0 */
#include "provision_owner.h"

#include "memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The real user stays who he is whatever owner_become() does. */
bool
owner_is_other(uid_t uid)
{
	return uid != getuid() && uid != 0;
}

/* What is changed here alone, the effective user, lets us come back, and
 * others not send us signals. */
static int
change(struct owner *owner, uid_t uid, gid_t gid)
{
	owner->group = getegid();
	owner->count = getgroups(0, NULL);
	if (owner->count < 0)
		return -1;
	owner->groups = memory_alloc((size_t)owner->count + 1,
		sizeof(*owner->groups));
	owner->count = getgroups(owner->count, owner->groups);
	if (owner->count < 0 || setgroups(0, NULL) < 0)
		return -1;
	owner->is_changed = true;
	return setegid(gid) < 0 || seteuid(uid) < 0 ? -1 : 0;
}

int
owner_become(struct owner *owner, const char *folder, struct fault *fault)
{
	struct stat info;

	*owner = (struct owner){ .is_changed = false };
	if (stat(folder, &info) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", folder,
			strerror(errno));
	if (geteuid() != 0 || !owner_is_other(info.st_uid))
		return 0;
	const struct passwd *user = getpwuid(info.st_uid);
	if (change(owner, info.st_uid,
		    user != NULL ? user->pw_gid : info.st_gid) == 0)
		return 0;
	int error = errno;
	owner_back(owner);
	return fault_set(fault, FAULT_NOPERM,
		"%s: belongs to another user (uid %lu), as whom root cannot "
		"work here: %s (run qchat-provision as that user)",
		folder, (unsigned long)info.st_uid, strerror(error));
}

void
owner_back(struct owner *owner)
{
	/* As somebody else nothing may go on. */
	if (owner->is_changed &&
		(seteuid(0) < 0 || setegid(owner->group) < 0 ||
			setgroups((size_t)owner->count, owner->groups) < 0))
		abort();
	free(owner->groups);
	*owner = (struct owner){ .is_changed = false };
}
