/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_REPAIR_H
#define QCHAT_REPAIR_H

#include "room.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What others have asked us to send again, and until when we wait with it:
 * others may ask for the same, and be served together, or another may answer
 * first.  What is sent is bounded by bytes a second.
 */
struct repairs;

enum {
	REPAIRS_MAX = 256,        /* that can wait */
	REPAIR_MESSAGES_MAX = 64, /* sent for one request; who got as many may
				   * ask again at once */
	REPAIR_RATE = 4 * 1024 * 1024, /* bytes a second for all … */
	REPAIR_BURST = REPAIR_RATE,    /* … and at once */
};

/* One request. */
struct repair {
	char inbox[ROOM_INBOX_MAX + 1]; /* of who asks; "": the room */
	char uid[ROOM_UID_MAX + 1];     /* whose numbers; "": a time */
	int64_t first, last;            /* numbers, both included */
	int64_t since, until;           /* a time, wall ms */
	int64_t records;                /* the newest so many; -1: all */
	int64_t skip; /* behind so many messages; -1: only says what we have */
	int64_t due;  /* mono ms */
};

/* So many can wait: 1 to REPAIRS_MAX. */
struct repairs *repairs_new(size_t waiting_max);
void repairs_free(struct repairs *repairs);

/*
 * Takes a request.  One for the same numbers for another inbox makes both one
 * for the room; the same request again changes nothing.  False if too many
 * wait.
 */
bool repairs_add(struct repairs *repairs, const struct repair *repair);

/* Somebody has sent these numbers into the room. */
void repairs_cancel(struct repairs *repairs, struct span uid, int64_t first,
	int64_t last);

/* When the next is due, INT64_MAX if none waits. */
int64_t repairs_deadline(const struct repairs *repairs);

/* Takes the next that is due at mono and may be sent within the rate; false
 * if there is none. */
bool repairs_take(struct repairs *repairs, int64_t mono, struct repair *out);

/* So many bytes were sent for one. */
void repairs_spend(struct repairs *repairs, size_t bytes);

#endif
