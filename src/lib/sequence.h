/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SEQUENCE_H
#define QCHAT_SEQUENCE_H

#include "room.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What was delivered, what is held back and what is missing: the numbers
 * (UID, seq) of one room.  Each is delivered once, those of one sender in
 * rising order; what came too early is held until what is missing before it
 * is there, or is given up.
 */
struct sequence;

enum {
	SEQUENCE_RANGES_MAX = 128,  /* held of one sender, holes between them */
	SEQUENCE_RANGES_ALL = 8192, /* held of all of them */
	SEQUENCE_LOST_MAX = 32,     /* given up of one sender: may come late */
	SEQUENCE_LOST_ALL = 16384,  /* … and of all of them */
	SEQUENCE_EARLY_MAX = 32,    /* ranges said again of one sender, … */
	SEQUENCE_EARLY_ALL = 4096,  /* … and of all of them */
};

/* A number so far ahead is shown and believed no further until another one
 * goes on from it: it would silence its sender.  What is not signed can be
 * forged, so a lesser lie still costs the numbers up to it. */
#define SEQUENCE_JUMP_MAX INT64_C(1000000)

/* A sender of which something is missing.  UID, user and inbox are borrowed;
 * the rest belongs to who asks for what is missing, and starts as zero bytes
 * when the first number is missed. */
struct sequence_hole {
	const char *uid;
	const char *user;   /* the sender, as it said; NULL */
	const char *inbox;  /* likewise */
	int64_t ask_mono;   /* when to ask next */
	int stage;          /* how often was asked in vain */
	int renewed;        /* how often that began anew: the sender spoke */
	int64_t asked_last; /* the highest number asked for */
	int64_t got;        /* messages since the question */
	uint64_t teller;    /* who alone says so, of a sender that does not; or
			     * 0 */
	bool stranger;      /* likewise, and nothing else was known of it */
	bool spread;        /* … to the room has waited for those of others */
	bool echoed;        /* a question to the room came back */
	int64_t asked_mono; /* when the last one was asked */
};

enum sequence_verdict {
	SEQUENCE_OLD,  /* all of it was delivered, given up, or is held: see
			* sequence_find_lost() */
	SEQUENCE_NEXT, /* to be delivered, from *from on */
	SEQUENCE_HELD, /* too early: keep it */
	SEQUENCE_LOST, /* too early, and too much is held: as if it had not
			* come */
};

/* Of more than senders_max, one is forgotten that was silent for long. */
struct sequence *sequence_new(size_t senders_max);
void sequence_free(struct sequence *sequence);

/*
 * A message with the numbers first to last arrives.  all tells whether this
 * sender began after we came, so that its numbers before the first that we
 * hear are missing too.
 */
enum sequence_verdict sequence_take(struct sequence *sequence, struct span uid,
	int64_t first, int64_t last, bool all, int64_t *from);

/*
 * Does this number go on from a message that was far ahead, and was shown? Then
 * what is before that is missing; *shown are its numbers, for
 * sequence_restore() once that is told.  To be asked before sequence_take().
 */
bool sequence_jump(struct sequence *sequence, struct span uid, int64_t first,
	struct room_range *shown);

/* The next number of this sender that was held and can be delivered now, or 0.
 * To be asked for after each SEQUENCE_NEXT and sequence_skip(). */
int64_t sequence_ready(const struct sequence *sequence, struct span uid);

/* The held message with the next number was delivered up to last, … */
void sequence_deliver(struct sequence *sequence, struct span uid, int64_t last);

/* … or is not kept any more, nor what is held from it on and below until: they
 * are missing again. */
void sequence_drop(struct sequence *sequence, struct span uid, int64_t number,
	int64_t until);

/*
 * A sender says, or others say of it, that last is its newest number.  all as
 * above.  Of a sender that was not heard, and was here before us, it is
 * remembered what was the newest then.  Nothing is believed of a claim that
 * is more than SEQUENCE_JUMP_MAX ahead.
 */
void sequence_claim(struct sequence *sequence, struct span uid, int64_t last,
	bool all);

/* This sender was who it says: it is not forgotten for one that was never. */
void sequence_prove(struct sequence *sequence, struct span uid);

/* Was any number of this sender delivered or claimed? */
bool sequence_knows(const struct sequence *sequence, struct span uid);

/* What this sender is called, and where to ask it if numbers are missing; what
 * is empty is left as it was. */
void sequence_set_sender(struct sequence *sequence, struct span uid,
	struct span user, struct span inbox);

/* The missing numbers of this sender, lowest first; returns how many ranges,
 * at most max. */
size_t sequence_missing(const struct sequence *sequence, struct span uid,
	struct room_range *ranges, size_t max);

/* Gives up the missing numbers before the first that is held (or all, if none
 * is), as far as until.  Returns false if nothing is missing. */
bool sequence_skip(struct sequence *sequence, struct span uid, int64_t until,
	struct room_range *given_up);

/* Nothing behind what was delivered or is held is missing: that was only said.
 * A stranger is forgotten. */
void sequence_disclaim(struct sequence *sequence, struct span uid,
	bool stranger);

/* Is any of the numbers first to last given up, and remembered as such?  The
 * newest are: SEQUENCE_LOST_MAX ranges.  *lost are the first that are. */
bool sequence_find_lost(const struct sequence *sequence, struct span uid,
	int64_t first, int64_t last, struct room_range *lost);

/* They are here after all. */
void sequence_remove_lost(struct sequence *sequence, struct span uid,
	struct room_range lost);

/*
 * Are these numbers, or the start of them, from before the first that we had of
 * this sender, and come for the first time?  Then they count as taken, and
 * *early is cut to them.  At most SEQUENCE_EARLY_MAX ranges are.
 */
bool sequence_take_early(struct sequence *sequence, struct span uid,
	struct room_range *early);

/* The senders of which something is missing, one after the other; NULL. */
struct sequence_hole *sequence_first_hole(const struct sequence *sequence);
struct sequence_hole *sequence_next_hole(const struct sequence_hole *hole);
struct sequence_hole *sequence_hole(const struct sequence *sequence,
	struct span uid);

/* What was delivered of a sender, for who saves it. */
struct sequence_past {
	struct span uid;
	int64_t done;  /* all up to it, from … */
	int64_t begun; /* … the first that was for us; 0: not known */
	const struct room_range *early; /* and these before it, said again */
	size_t early_count;
};

/* All senders, the one heard of longest ago first. */
typedef void sequence_each(void *context, const struct sequence_past *past);
void sequence_list(const struct sequence *sequence, sequence_each *each,
	void *context);

/* Where this sender begins for us is only a guess: a lower number is no old
 * one, as long as nothing was delivered. */
void sequence_guess(struct sequence *sequence, struct span uid);

/* The lowest number of this sender that is here is first: if nothing tells that
 * it begins before, it begins there for us, whatever is taken first. */
void sequence_begin(struct sequence *sequence, struct span uid, int64_t first);

/* What is before this number of this sender is not wanted. */
void sequence_skip_to(struct sequence *sequence, struct span uid, int64_t next);

/* Senders that were forgotten to make room for others, and messages too many to
 * be held. */
uint64_t sequence_displaced(const struct sequence *sequence);
uint64_t sequence_unheld(const struct sequence *sequence);

/* Of this sender all up to done was delivered. */
void sequence_restore(struct sequence *sequence, struct span uid, int64_t done);

/* All this was, by an earlier process.  What the ranges have too much, or
 * twice, is left out; where the sender began is taken from the first that
 * tells. */
void sequence_restore_past(struct sequence *sequence,
	const struct sequence_past *past);

#endif
