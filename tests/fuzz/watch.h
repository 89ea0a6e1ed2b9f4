/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TESTS_WATCH_H
#define QCHAT_TESTS_WATCH_H

#include "member.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What a member of fuzz-member does, checked while it does it: what it
 * publishes can be read, goes to the room or to an inbox, and is bounded by
 * what it was given; what it hands out is in order, each number once.
 */
enum { WATCH_SENDERS = 64, WATCH_ECHOES = 64 };

struct watch_sender {
	char uid[ROOM_UID_MAX + 1];
	int64_t last; /* delivered, or told to be missing */
	int64_t far;  /* shown, and not believed */
};

struct watch_echo {
	char *topic;
	struct span bytes;
};

struct watch {
	bool ordered; /* the member repairs: it delivers in order */
	struct watch_sender senders[WATCH_SENDERS];
	size_t sender_count;
	/* What was published, for who wants it to come back. */
	struct watch_echo echoes[WATCH_ECHOES];
	size_t echo_count;
	uint64_t digest;                  /* of all that came out */
	int64_t published;                /* messages */
	int64_t fed, posts, connects, ms; /* what went in, and how long */
};

/* The calls of a member whose watch this is. */
struct member_calls watch_calls(struct watch *watch);

/* After each step: is all within its limits? */
void watch_check(const struct watch *watch, const struct member *member);

void watch_free(struct watch *watch);

#endif
