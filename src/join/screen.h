/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SCREEN_H
#define QCHAT_JOIN_SCREEN_H

#include "scroll.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stddef.h>

/* The drawing: conversation, participants, status line and input. */
struct screen;

/* A participant; the name is harmless. */
struct screen_name {
	struct span name;
	enum trust_mark mark;
	char signer[LINE_SIGNER_MAX]; /* of whose name the hue is */
};

/* What is to be seen.  Texts are harmless, but for the input. */
struct screen_view {
	const struct scroll *scroll;
	struct scroll_look look;    /* the columns are the screen's */
	struct scroll_place *place; /* moved to what there is */
	uint64_t found;             /* a line to be seen among others */
	struct span below;          /* the rule's words, when one reads back */
	bool names_wanted;
	const struct screen_name *names;
	size_t name_count;
	struct span status;
	struct span prompt;
	struct span input;
	size_t cursor; /* in bytes of input */
};

/* Takes the terminal over, which has to be ours (terminal_await()).  NULL if
 * curses does not know it, or it cannot move its cursor. */
struct screen *screen_new(void);

/* Gives the terminal back. */
void screen_free(struct screen *screen);

/* Gives the terminal back for a while, and draws no more; and takes it again,
 * when it is ours again. */
void screen_leave(struct screen *screen);
void screen_return(struct screen *screen);

/* Takes the terminal again that was not given back, as after SIGSTOP, whatever
 * has happened to it. */
void screen_regain(struct screen *screen);

/* The terminal has another size, perhaps, or has to be drawn anew. */
void screen_resize(struct screen *screen);

/* Moves the place to what there is: to the end, if all fits on the screen.  To
 * be called before the words are made that tell of it. */
void screen_settle(struct screen *screen, const struct screen_view *view);

/* Draws what differs. */
void screen_draw(struct screen *screen, const struct screen_view *view);

/* Columns of the screen; rows of the last drawn conversation, or of the part
 * that reads back, and how it was made: for who moves in it. */
size_t screen_columns(const struct screen *screen);
size_t screen_page(const struct screen *screen);
struct scroll_look screen_look(const struct screen *screen);
struct scroll_page *screen_rows(struct screen *screen);

#endif
