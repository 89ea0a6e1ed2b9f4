/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SECRET_H
#define QCHAT_SECRET_H

#include <stdint.h>

/* The secret of a room, as `secrets` keeps it and `seal` uses it. */

enum {
	SECRET_BYTES = 32,
	SECRET_OLD_MAX = 4, /* older ones of a room that can still be read */
	SECRET_MAX = 1 + SECRET_OLD_MAX,
};

struct secret {
	unsigned char bytes[SECRET_BYTES];
	/* What is sealed with it is opened up to then (wall ms since the
	 * epoch); INT64_MAX: for ever, as with the current one. */
	int64_t until;
};

#endif
