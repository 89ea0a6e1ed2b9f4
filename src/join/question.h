/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_QUESTION_H
#define QCHAT_JOIN_QUESTION_H

#include "session.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a room is not to see without a word on it: results of services, and what
 * would go in the clear where others seal.  One question at a time stands open,
 * until \yes or \no answers it.  Nothing waits for it: one types and reads
 * meanwhile.
 */
struct questions;
struct window;

struct questions *questions_new(struct window *window);

/* Before the window's session is freed. */
void questions_free(struct questions *questions);

/* Is the room to see this result? */
void questions_offer(struct questions *questions, const char *text);

/* Is this to be said in the clear?  It is asked before all else.  False, and a
 * line tells why, if something waits for that already: it is not kept. */
bool questions_keep(struct questions *questions,
	const struct member_post *post);

/* Answers the one that was asked last.  False if none is open. */
bool questions_answer(struct questions *questions, bool yes);

bool questions_are_open(const struct questions *questions);

/* Appends what questions_keep() has kept, as not delivered.  Returns how many
 * messages that are. */
size_t questions_unsaid(const struct questions *questions, struct text *text);

#endif
