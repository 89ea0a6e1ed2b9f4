/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SECRETS_H
#define QCHAT_SECRETS_H

#include "fault.h"
#include "secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The secrets of rooms, in $XDG_STATE_HOME/qchat/secrets (of mode 0700): one
 * file of mode 0600 for each room, under a digest of its name.  A room's name
 * is one that room_name_check() takes.  now is in wall-clock milliseconds
 * since the epoch.
 */

enum {
	SECRETS_ID_MAX = 17, /* 16 hex digits that name a secret, and NUL */
	SECRETS_FILE_MAX = 16 * 1024, /* bytes */
	SECRETS_OLD_HOURS = 24,       /* without the setting seal_old_hours */
	SECRETS_ROOMS_MAX = 65536,    /* that are listed */
};

struct room_secrets {
	/* The current one first, then, from the newest on, those that may
	 * still be read. */
	struct secret secrets[SECRET_MAX];
	size_t count;
	int64_t since; /* when the current one came to be used here, ms */
};

/*
 * Loads the secrets of a room; old ones whose time is over are left out.
 * 1, and secrets_wipe() them; 0 if there are none: the room is not sealed; or
 * -1 with FAULT_NOPERM (others can read the file), FAULT_IO, or FAULT_CONFIG
 * (the file is damaged).  With -1 nothing may be sent in the clear.
 */
int secrets_load(const char *room, int64_t now, struct room_secrets *secrets,
	struct fault *fault);

void secrets_wipe(struct room_secrets *secrets);

/* What people compare: digits that tell secrets apart and nothing of them. */
void secrets_id(const struct secret *secret, char id[static SECRETS_ID_MAX]);

/* Makes the first secret of a room.  0, or -1 as secrets_load(), with
 * FAULT_CANTCREAT if there is one already, or FAULT_TIMEOUT (another process
 * holds the file). */
int secrets_create(const char *room, int64_t now, struct fault *fault);

/* Makes a new secret; the old one can be read for so many hours.  0, or -1 as
 * above, with FAULT_NOINPUT if there is none. */
int secrets_rotate(const char *room, int64_t now, int64_t keep_hours,
	struct fault *fault);

/*
 * Takes a secret that somebody else made.  If there is another, that is refused
 * unless is_replaced; it can then be read for so many hours.  1, 0 if it was
 * the current one already, or -1 as above, with FAULT_CANTCREAT for what is
 * refused.
 */
int secrets_accept(const char *room,
	const unsigned char bytes[static SECRET_BYTES], bool is_replaced,
	int64_t now, int64_t keep_hours, struct fault *fault);

/* Calls on_room for each room with secrets, sorted by name; what cannot be
 * loaded has secrets NULL and a fault.  0, or -1 with FAULT_IO. */
typedef void secrets_fn(void *context, const char *room,
	const struct room_secrets *secrets, const struct fault *fault);
int secrets_list(int64_t now, secrets_fn *on_room, void *context,
	struct fault *fault);

#endif
