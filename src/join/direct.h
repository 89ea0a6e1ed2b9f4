/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_DIRECT_H
#define QCHAT_JOIN_DIRECT_H

#include "conf.h"
#include "fault.h"
#include "session.h"
#include "text.h"

#include <stdint.h>

/* What is said to one person of a room alone, and what became of it: one for
 * each session.  Knows no terminal. */
struct direct;

enum {
	DIRECT_WAITING_MAX = 16,    /* for a receipt, at once */
	DIRECT_WAIT_MS = 10 * 1000, /* for it */
};

struct direct_calls {
	void *context;
	/* It has arrived; also some time after it has failed. */
	void (*arrived)(void *context, int64_t id);
	/* It may not have; user is who it was for. */
	void (*failed)(void *context, int64_t id, const char *user);
};

/* conf is borrowed until direct_free(). */
struct direct *direct_new(const struct conf *conf,
	const struct direct_calls *calls);
void direct_free(struct direct *direct);

/*
 * Says it to who has this name, or one that is shown like it, as places_find()
 * chooses, and puts the name as it is into user.  Returns its id, 1 and up in
 * this session: one of the two calls will be made.  -1, and nothing is said:
 * as places_find() and member_say_to(), or FAULT_UNAVAILABLE without a
 * connection or with too many that wait.
 */
int64_t direct_say(struct direct *direct, struct session *session,
	const char *name, struct span text, char user[static ROOM_USER_MAX + 1],
	struct fault *fault);

/*
 * Says what has failed again, to the same person, who sees it once.  0, or -1
 * as direct_say(), or with FAULT_DATA if it has not failed or is not kept any
 * more: the newest DIRECT_WAITING_MAX are.
 */
int direct_say_again(struct direct *direct, struct session *session, int64_t id,
	struct fault *fault);

/* For session_calls.receipt(). */
void direct_receipt(struct direct *direct, int64_t number,
	const struct trust *trust);

/* When direct_tick() is due (mono ms), INT64_MAX if never. */
int64_t direct_deadline(const struct direct *direct);
void direct_tick(struct direct *direct, int64_t mono);

#endif
