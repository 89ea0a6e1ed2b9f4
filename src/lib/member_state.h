/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MEMBER_STATE_H
#define QCHAT_MEMBER_STATE_H

#include "answers.h"
#include "member.h"
#include "outbox.h"
#include "sequence.h"

/* What the three files of `member` share: member.c has its life, member_say.c
 * what it says, member_hear.c what it hears. */

struct member {
	char *room, *topic, *user, *uid, *inbox, *app;
	bool participant, once, unconfirmed;
	int64_t proof_ms;
	uint64_t random;
	struct member_calls calls;

	bool connected, up, leaving;
	char conn[ROOM_UID_MAX + 1];
	int64_t since;         /* wall ms; 0 before the first connection */
	int64_t last;          /* our newest number */
	int64_t spoke_mono;    /* of our last post, or -1 */
	int64_t ping_mono;     /* when the next ping is due */
	int64_t here_mono;     /* when a "here" into the room is due */
	int64_t here_sent;     /* when the last one was sent */
	bool asked;            /* our question has come back */
	int64_t asked_until;   /* answers to our question come until then */
	int64_t progress_mono; /* since when an echo is awaited */
	bool retried;          /* since then */
	int64_t known;

	struct answers *answers;
	struct outbox *outbox;
	struct roster *roster;
	struct sequence *sequence;
	struct member_counts counts;
};

/* From 0 to most, both included. */
int64_t member_random(struct member *member, int64_t most);

/* Publishes "here I am" on a topic; about is the room's topic where the topic
 * itself does not tell it. */
void member_send_here(struct member *member, const char *topic,
	const char *about, struct instant now);

/* The same into the room, now. */
void member_send_here_to_room(struct member *member, struct instant now);

void member_send_bye(struct member *member, struct instant now);

/* Publishes what waits for its proof, once more. */
void member_send_unproved(struct member *member);

/* Hands out the records of a payload of our own. */
void member_deliver_own(struct member *member, struct span payload,
	struct instant now);

#endif
