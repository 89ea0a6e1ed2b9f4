/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROVISION_FILES_H
#define QCHAT_PROVISION_FILES_H

#include "conf.h"
#include "conf_edit.h"
#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <sys/types.h>

/* The files of a fabric in a folder: dxlclient.config, and what it names. */

enum {
	PROVISION_FILES_MAX = 4,
	PROVISION_WAIT_MS = 5000, /* for who works in the same folder */
};

#define PROVISION_CONFIG "dxlclient.config"
/* Where nothing else is said. */
#define PROVISION_CA     "ca-bundle.crt"
#define PROVISION_PREFIX "client"

/* A file on its way there. */
struct provision_file {
	const char *key;   /* its name in [Certs], or NULL */
	const char *value; /* its path, as the configuration says or shall say
			    * it; NULL: as it says now, else PROVISION_CA */
	struct span bytes;
	mode_t mode;  /* of a new one; of an old one, if that is closed */
	bool changed; /* set by provision_commit() */
};

struct provision_set {
	const char *folder;
	struct provision_file files[PROVISION_FILES_MAX];
	size_t count;
	const char *key; /* the value of PrivateKey, if that is none of the
			  * files; NULL: as it is */
	const struct conf_entries *brokers; /* NULL: as they are, … */
	const struct conf_entries *web;     /* … likewise */
	bool only_old; /* does not make a configuration if there is none, … */
	bool no_config; /* … nor changes it if there is one */
	bool check_key; /* the key has to fit the certificate */
	conf_passphrase_fn *ask_passphrase; /* for that; may be NULL */
	void *ask_context;
	bool config_changed; /* set by provision_commit() */
};

/*
 * Can keys be kept in this folder, or can it be made?  0, or -1 with
 * FAULT_NOPERM (everybody can write into it, whether its mode is sticky or not:
 * then others may have put something there first), or FAULT_CANTCREAT.
 */
int provision_check_folder(const char *folder, struct fault *fault);

/*
 * Puts all of them into the folder, or none: whatever ends this, at any moment,
 * the configuration names files that belong together, the old ones or the new
 * ones.  To that end it names the new ones for a moment under names of their
 * own, NAME.qchat-new-XXXXXX; what else ends so in the folder goes.  What was
 * ended in such a moment the next call brings to its end first.  What is there
 * already as it should be is left alone.  A configuration keeps what
 * conf_edit() keeps.  What is a symbolic link stays one, and what it leads to
 * changes, also in another file system; beside that, too, NAME.qchat-new-XXXXXX
 * goes.  In another user's folder root works as that user, and nothing changes
 * but files in it.
 *
 * 0; or -1 with FAULT_CONFIG (the old configuration cannot be read, or what
 * would be there does not fit), FAULT_NOPERM (what others may have put there,
 * or could), FAULT_CANTCREAT (also where
 * something is that is no plain file, or a link to nothing), FAULT_IO, or
 * FAULT_TIMEOUT (another process works there).
 */
int provision_commit(struct provision_set *set, struct fault *fault);

/* Could provision_commit() write all of them, as far as can be known before
 * there is anything to write?  0, or -1 as it. */
int provision_check(struct provision_set *set, struct fault *fault);

/* The text of the folder's configuration; "" if there is none.  The caller
 * frees it; NULL with FAULT_CONFIG. */
char *provision_config(const char *folder, struct fault *fault);

#endif
