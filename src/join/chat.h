/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_CHAT_H
#define QCHAT_JOIN_CHAT_H

#include "alert.h"
#include "cli.h"
#include "complete.h"
#include "conf.h"
#include "direct.h"
#include "enquiry.h"
#include "input.h"
#include "lull.h"
#include "question.h"
#include "scroll.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the parts of qchat-join share: the rooms that one is in, and the one
 * that is seen. */

enum {
	CHAT_ROOMS_MAX = 9, /* M-1 to M-9 */
	CHAT_IGNORED_MAX = 64,
	CHAT_CATCH_UP = 500, /* records that were said before */
	CHAT_PROOF_MS = 5000,
};

struct chat;
struct screen;

/* A room that one is in. */
struct window {
	struct chat *chat;
	char *room;
	struct session *session;
	struct direct *direct;
	struct enquiry *enquiry;
	struct questions *questions;
	struct scroll *scroll;
	struct lull lull; /* in line mode */
	struct scroll_place place;
	struct input_draft draft; /* while another room is seen */
	size_t unread;            /* messages that came while nobody looked */
	size_t mentions;          /* of those */
	bool rule_due;            /* before the next message */
	uint64_t rule;            /* the number of that one; UINT64_MAX: none */
	uint64_t found;     /* the line that was searched; UINT64_MAX: none */
	bool told_lost;     /* of the connection */
	bool is_foreign;    /* others seal with a secret that is not ours */
	bool in_clear;      /* that is known, and to be said all the same */
	bool warned_again;  /* of what \r would say there */
	int64_t check_mono; /* when to see whether it hears itself; 0: not up */
};

struct chat {
	struct cli cli;
	struct conf conf;
	struct window *windows[CHAT_ROOMS_MAX];
	size_t count, current;
	size_t lines_max; /* of each scrollback */
	struct screen *screen;
	bool plain;   /* no screen: lines alone */
	bool running; /* faults and news are told in the conversation */
	bool leaving;
	bool stops;     /* control-Z */
	bool looked_at; /* the terminal has the focus, as far as is known */
	bool changed;   /* there is something to draw */
	bool names_hidden;
	bool names_stale;
	struct line_clock clock;
	char *search; /* what \s looks for, or NULL */
	char *ignored[CHAT_IGNORED_MAX];
	size_t ignored_count;
	struct complete *complete;
	struct alert *alert;
	struct fault fault; /* that ends it */
};

/* The room that is seen. */
static inline struct window *
chat_window(struct chat *chat)
{
	return chat->windows[chat->current];
}

/* Is what this line's name says hidden? */
bool chat_ignores(const struct chat *chat, struct span user);

/* Likewise, for a scroll_look, whose context is the chat. */
bool chat_hides(void *context, const struct line *line);

#endif
