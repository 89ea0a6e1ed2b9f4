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
 * What somebody asks the fabric's services for in a room: what a TIE server
 * knows of a hash, or what a search in MAR finds.  Several at once, over the
 * room's session, while one goes on reading and typing.  Knows no screen, and
 * says nothing in the room itself.
 */
struct lookups;

enum {
	LOOKUPS_MAX = 8, /* at once */
	/* Of what a search finds, which may become one message. */
	LOOKUP_ROWS_MAX = 50,
	LOOKUP_TEXT_MAX = 12 * 1024,
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
	struct span shared; /* the same for the room, in English; if found */
};

struct lookup_calls {
	void *context;
	/* As session_request() and session_drop(), for its session. */
	int64_t (*request)(void *context, const struct request *request,
		struct fault *fault);
	void (*drop)(void *context, int64_t number);
	/* Within a step of the session, which may only be read then, or within
	 * lookups_tick(). */
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

/*
 * Begins a search, as qchat-mar(1) takes it.  Its lines are the query, the
 * rows in columns, cut as columns.h and the limits above have it, and who has
 * answered.  0, or -1 as above; FAULT_USAGE tells the column of the query.
 */
int lookups_search(struct lookups *lookups, struct span query,
	enum lookup_share share, int64_t mono, struct fault *fault);

/* When lookups_tick() is due (mono ms), INT64_MAX if never. */
int64_t lookups_deadline(const struct lookups *lookups);
void lookups_tick(struct lookups *lookups, int64_t mono);

/* How many run. */
size_t lookups_running(const struct lookups *lookups);

/* Appends how far they are, for the status line: one harmless line, such as
 * "MAR RUNNING, 1 of 3 hosts have answered; TIE", or brief "MAR; TIE".  Nothing
 * if none runs. */
void lookups_progress(const struct lookups *lookups, bool brief,
	struct text *text);

/* Appends a harmless row for each that runs, under its number, "2: \t HASH" or
 * "1: \m QUERY: RUNNING, 1 of 3 hosts have answered", with line feeds between
 * them. */
void lookups_list(const struct lookups *lookups, struct text *text);

/*
 * Gives up the one of that number, which no other one ever has, or, for 0, the
 * only one that runs.  It ends without a result.  Appends one harmless line on
 * it, and how far it was. 0, or -1 with FAULT_USAGE: none of that number runs,
 * or none at all, or several do.
 */
int lookups_stop_one(struct lookups *lookups, size_t number, struct text *text,
	struct fault *fault);

/* Gives up all that run, without a word. */
void lookups_stop(struct lookups *lookups);

/* The word behind a command: "yes", "no", in any case, or nothing.  0, or -1
 * if it is another. */
int lookup_share_parse(struct span word, enum lookup_share *share);

/* The query before that word, which is the last one of the argument, or
 * missing. */
struct span lookup_query(struct span argument, enum lookup_share *share);

#endif
