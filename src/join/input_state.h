/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_INPUT_STATE_H
#define QCHAT_JOIN_INPUT_STATE_H

#include "input.h"
#include "origin.h"
#include "paste.h"

/*
 * What the files of `input` share:
 *
 *	input.c           reading, the draft, and what is told of it
 *	input_keys.c      what readline's keys are bound to
 *	input_feed.c      each key's way to readline, or past it
 *	input_paste.c     pastes, and the question about large ones
 *	input_complete.c  Tab
 */

/* A line or a key, which is told when readline is out of the way. */
struct input_event {
	char *line; /* NULL: a key */
	size_t len;
	bool literal;
	enum input_key key;
};

struct input {
	struct input_calls calls;
	bool begun;
	struct paste *paste;
	struct origin origin; /* of readline's line */
	int history_at;       /* where in the history the line came from */
	struct span fed;      /* what readline has not read yet */
	bool quoting;         /* the next key is taken as it is */
	bool escaped;         /* the last one was ESC alone */
	bool full_told;       /* that nothing more fits */
	bool search;          /* of input_search() */
	struct text waiting;  /* a paste that is asked about */
	struct text question;
	struct input_event *events;
	size_t event_count;
	/* Tab: the line before it, what replaces a part of it now, and which
	 * of the candidates that is. */
	struct text completed;
	size_t completed_cursor, completed_from, completed_len, completed_n;
	bool completing, completed_now;
};

extern struct input input;

/* input.c */
void input_press(enum input_key key); /* told later */
void input_tell_now(void);
void input_notice(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* readline's characters are those of UTF-8 between these. */
void input_enter(void);
void input_leave(void);
/* Follows what became of the line. */
void input_note(void);
/* Empties it, wherever in the history it came from. */
void input_clear(void);
/* Ends a search in the history. */
void input_settle(void);

/* input_keys.c: before and after readline has read ~/.inputrc */
void input_bind(void);
void input_bind_missing(void);

/* input_feed.c */
void input_feed(struct span key);
/* Gives these bytes to readline, whatever they mean. */
void input_feed_raw(struct span bytes);

/* input_paste.c */
void input_pasted(const struct pasted *pasted);
void input_answer(struct span key);

/* input_complete.c: 1 for the next candidate, -1 for the one before */
void input_complete(int step);

#endif
