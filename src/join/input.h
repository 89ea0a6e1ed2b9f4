/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_INPUT_H
#define QCHAT_JOIN_INPUT_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The keyboard: readline edits a draft, which may have several lines, and the
 * drawing shows it.  There is one input in a process, as there is one
 * readline.  Who draws sets the terminal's modes: no echo, no line mode, no
 * signals, bracketed paste (ESC[?2004h) and focus events (ESC[?1004h).
 *
 * In ~/.inputrc the keys have names, as qchat-page-up (input_keys.c lists
 * them), and other keys may be bound to them.
 */

enum {
	INPUT_LINE_MAX = 256 * 1024,   /* bytes of a draft */
	INPUT_HISTORY_MAX = 1000,      /* lines */
	INPUT_HISTORY_BYTES = 1 << 20, /* of all of them */
	INPUT_ASK_LINES = 10,          /* a paste of more is asked about */
	INPUT_ASK_BYTES = 4 * 1024,
};

enum input_key {
	INPUT_END, /* C-d or C-c on an empty draft */
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_LINE_UP,
	INPUT_LINE_DOWN,
	INPUT_TOP,
	INPUT_BOTTOM,
	INPUT_NAMES, /* show the participants, or not */
	INPUT_CLOCK, /* local time, or UTC */
	INPUT_NEXT_ROOM,
	INPUT_PREVIOUS_ROOM,
	INPUT_FOCUS_IN,
	INPUT_FOCUS_OUT,
	INPUT_REDRAW,
	INPUT_SUSPEND,
	/* While input_search() is on, and the draft is empty. */
	INPUT_SEARCH_NEXT,
	INPUT_SEARCH_PREVIOUS,
	/* Esc, C-c or Enter, or something came into the draft: it is off. */
	INPUT_SEARCH_END,
	INPUT_ROOM_1, /* to INPUT_ROOM_1 + 8 */
};

/*
 * What comes of the keys.  Texts are valid during the call only.  All but
 * complete() may call what is below, but for input_read(), input_tick() and
 * input_end().
 */
struct input_calls {
	void *context;
	/*
	 * Enter: this line is to be said or done; it may be empty, and may
	 * have line feeds.  literal: its first byte was pasted, so it is no
	 * command, whatever it looks like.  (A typed command may have a pasted
	 * argument of several lines.)  It is UTF-8 without NUL, unless a
	 * macro in ~/.inputrc says otherwise.
	 */
	void (*line)(void *context, struct span line, bool literal);
	void (*key)(void *context, enum input_key key);
	/* Something to tell, as a paste that was refused: plain text. */
	void (*notice)(void *context, const char *text);
	/*
	 * Tab: what else may stand there?  Appends the n-th candidate, from 0,
	 * for the bytes from *from to the cursor; false: there is none.  The
	 * line is the one that was there before the first candidate.  May be
	 * NULL.
	 */
	bool (*complete)(void *context, struct span line, size_t cursor,
		size_t n, size_t *from, struct text *candidate);
};

void input_begin(const struct input_calls *calls);
void input_end(void);

/*
 * Takes what standard input has, up to a bound, and never waits.  now: of a
 * monotonic clock, in ms.  False when standard input has ended or its terminal
 * is gone.
 */
bool input_read(int64_t now);

/* When to call input_tick() at the latest: an ESC may be a key, a paste may be
 * over.  INT64_MAX: not at all. */
int64_t input_deadline(void);
void input_tick(int64_t now);

/* Is something being pasted, of which more may come? */
bool input_is_pasting(void);

/* The draft as it is; valid until the next call of a function of these. */
struct span input_line(void);

/* Where the cursor is, in bytes of it. */
size_t input_cursor(void);

/* What readline shows in the place of a prompt now, as
 * "(reverse-i-search)`ab': " or "(arg: 4) "; NULL: nothing. */
const char *input_prompt(void);

/* A question to show in the place of the draft, until y or n (Esc, C-c)
 * answers it: whether a large paste is to go into the draft.  Else NULL. */
const char *input_question(void);

/* n and N are keys of a search, while the draft is empty. */
void input_search(bool on);

/* A draft that is put aside, as that of another room.  Starts as { 0 }. */
struct input_draft {
	struct text text;
	struct text marks; /* what of it was pasted */
	size_t cursor;
};

void input_draft_free(struct input_draft *draft);

/* Takes the draft, and leaves an empty one.  Its undo list is dropped; a
 * search in the history ends, and a line of the history counts as draft. */
void input_take(struct input_draft *draft);

/* Puts it in the place of what is there.  The caller's is empty then. */
void input_put(struct input_draft *draft);

/* Asks a question on the plain terminal, before there is a screen.  Returns
 * the answer, or the default for an empty one; NULL at the end of input.
 * The caller frees it. */
char *input_ask(const char *question, const char *default_answer);

#endif
