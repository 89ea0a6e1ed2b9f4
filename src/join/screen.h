/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SCREEN_H
#define QCHAT_JOIN_SCREEN_H

#include "scroll.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* The drawing: conversation, participants, status line and input line. */
struct screen;

enum {
	SCREEN_NAMES_COLUMNS = 60, /* narrower ones show no participants */
};

/* What is to be seen.  All texts are harmless already. */
struct screen_view {
	const struct scroll *scroll;
	size_t back;              /* rows that were scrolled back */
	const struct span *names; /* participants */
	size_t name_count;
	const char *status;
	const char *prompt;
	const char *input;
	size_t cursor; /* in bytes of input */
};

/* Takes the terminal over.  NULL if curses does not know it. */
struct screen *screen_new(void);

/* Gives the terminal back. */
void screen_free(struct screen *screen);

/* The terminal has another size. */
void screen_resize(struct screen *screen);

/* Draws what differs.  Lowers view->back to what there is. */
void screen_draw(struct screen *screen, struct screen_view *view);

/* Rows of the conversation's window. */
size_t screen_page(const struct screen *screen);

#endif
