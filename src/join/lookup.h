/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_LOOKUP_H
#define QCHAT_JOIN_LOOKUP_H

#include "fault.h"
#include "session.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a TIE server knows of a hash that somebody asks for in a room: several
 * at once, over the room's session, while one goes on reading and typing.
 * Knows no screen, and says nothing in the room itself.
 */
struct lookups;

enum {
	LOOKUPS_MAX = 8, /* at once */
};

/* What is to become of a result. */
enum lookup_share {
	LOOKUP_ASK, /* it is asked whether the room is to see it */
	LOOKUP_NO,  /* it is for nobody else */
	LOOKUP_YES, /* the room is to see it */
};

/* One that has ended; valid during the call only. */
struct lookup_result {
	enum lookup_share share;
	bool is_found; /* something came: else there is nothing to share */
	/* Harmless; with line feeds between lines, and none at the end. */
	struct span text;
};

struct lookup_calls {
	void *context;
	/* As session_request() and session_drop(), for its session. */
	int64_t (*request)(void *context, const struct request *request,
		struct fault *fault);
	void (*drop)(void *context, int64_t number);
	/* Within a step of the session: it may only be read then. */
	void (*found)(void *context, const struct lookup_result *result);
};

struct lookups *lookups_new(const struct lookup_calls *calls);

/* Before its session is freed.  Nobody is told of what still runs. */
void lookups_free(struct lookups *lookups);

/*
 * Begins to look for a hash, in hex, as qchat-tie(1) takes it.  0, or -1 with
 * FAULT_USAGE: it is none, or FAULT_UNAVAILABLE: so many run already.
 */
int lookups_hash(struct lookups *lookups, struct span hash,
	enum lookup_share share, struct fault *fault);

/* How many run, for the status line. */
size_t lookups_running(const struct lookups *lookups);

/* Gives up all that run, without a word. */
void lookups_stop(struct lookups *lookups);

/* The word behind a command: "yes", "no", in any case, or nothing.  0, or -1
 * if it is another. */
int lookup_share_parse(struct span word, enum lookup_share *share);

#endif
