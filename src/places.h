/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PLACES_H
#define QCHAT_PLACES_H

#include "conf.h"
#include "fault.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>

/* Who a direct message goes to: one person, in the room from several places
 * perhaps. */

enum { PLACES_MAX = 16 }; /* those that were heard last */

struct places {
	char user[ROOM_USER_MAX + 1];
	char fingerprint[TRUST_FINGERPRINT_MAX];
	bool is_known; /* the name was seen with that certificate before */
	size_t count;
	/* What these point to is the roster's. */
	struct member_place at[PLACES_MAX];
};

/* What a user of the tool can do, for messages. */
struct places_help {
	const char *who; /* "qchat-who tells who is" */
	const char *pin; /* "qchat-who --pin" */
};

/*
 * Which participant's name is meant by what was typed: that name itself, or as
 * text_harmless() shows it?  1 and *user, borrowed from the roster; 0 if nobody
 * has such a name; or -1 with FAULT_NOPERM if two names look like that, both of
 * somebody whose certificate is trusted.
 */
int places_user(const struct member *member, const char *name,
	const char **user, struct fault *fault);

/*
 * Finds all places of who is meant by what was typed, but for our own.  A name
 * that is in the file of names goes to who has the certificate there, whoever
 * else is here under it; another one to who is alone with it.  The places are
 * borrowed until the next call on the member.  0, or -1: FAULT_UNAVAILABLE if
 * nobody is there, FAULT_NOPERM if it is not known who that is, or FAULT_CONFIG
 * or FAULT_IO for the file of names.
 */
int places_find(struct places *places, const struct member *member,
	const char *name, const struct conf *conf,
	const struct places_help *help, struct fault *fault);

/* It has proved to be there: from now on the name is its own, if it was
 * nobody's.  0, or -1 with a fault as names_merge() has it. */
int places_remember(const struct places *places, const struct conf *conf,
	struct fault *fault);

#endif
