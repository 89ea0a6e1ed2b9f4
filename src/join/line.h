/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_LINE_H
#define QCHAT_JOIN_LINE_H

#include "record.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thing that the conversation shows: what it is, and how it is written.
 * Knows no terminal. */

enum line_kind {
	LINE_MESSAGE,
	LINE_DIRECT, /* to us alone, or from us to somebody */
	LINE_COMING, /* who comes, is here, and goes */
	LINE_GAP,
	LINE_NOTICE, /* ours: said by nobody */
	LINE_DATE,   /* what follows is of this day */
	LINE_UNREAD, /* what follows came while nobody looked */
	LINE_GONE,   /* shown no more */
};

enum line_state {
	LINE_SAID,
	LINE_PENDING, /* ours; its proof is not here yet */
	LINE_FAILED,  /* ours; it did not come back */
};

enum {
	LINE_SHOWN_MAX = 16 * 1024, /* bytes of a text on the screen */
	LINE_FOLD_MAX = 8,          /* comings and goings that are named */
	/* They share the time of the first of them: what is no further from it
	 * is the same moment to who reads it.  A crowd whose broker was
	 * restarted is back within about that (BUS_RETURN_MS). */
	LINE_FOLD_MS = 5000,
	LINE_SIGNER_MAX = 17, /* a fingerprint's start, and NUL */
};

/* Texts are as they came: foreign, and not harmless yet. */
struct line {
	enum line_kind kind;
	enum line_state state;
	enum trust_mark mark;
	enum room_severity severity;
	bool own;
	bool replayed;                /* said before we came, or late */
	bool action;                  /* "* alice waves" */
	bool mentions;                /* us, or a word that we wait for */
	int64_t time;                 /* wall ms */
	int64_t seq;                  /* of ours; -1: none */
	size_t folded;                /* comings and goings in one line */
	char signer[LINE_SIGNER_MAX]; /* of whose name the hue is */
	const char *why;   /* static: why it is not believed; or NULL */
	struct span user;  /* empty where nobody said it */
	struct span to;    /* a direct message of ours */
	struct span title; /* or empty */
	struct span text;
	struct span plain; /* the text in English, if it is another one */
	char *bytes;       /* of the five spans; owned */
};

/* The tag of a message that says what somebody does. */
#define LINE_ACTION_TAG "me"

/* A copy of what a record tells; free it with line_free(). */
struct line line_from_record(const struct record *record);

/* Something of ours. */
struct line line_notice(int64_t time, struct span text);

/* A rule: LINE_DATE or LINE_UNREAD. */
struct line line_rule(enum line_kind kind, int64_t time);

void line_free(struct line *line);

/* Notes whose certificate signed it; "" for nobody's. */
void line_set_signer(struct line *line, const char *fingerprint);

/* Says to whom a direct message of ours went. */
void line_set_to(struct line *line, struct span to);

/* Another one like it. */
struct line line_copy(const struct line *line);

/* Can a line be told in the one before it?  That is so for comings and goings
 * within LINE_FOLD_MS of the time that it shows, before or behind: clocks of
 * others differ. */
bool line_takes(const struct line *line, const struct line *next);

/* Appends a coming or going to another one: they become one line, of which the
 * newest are named. */
void line_fold(struct line *line, const struct line *next);

/* Which clock times are shown by: UTC, or local time with its offset. */
struct line_clock {
	bool local;
};

/* Appends "05:04:52", or "06:04:52+01". */
void line_append_time(struct text *text, int64_t wall, struct line_clock clock);

/* Appends the offset of local time from UTC at that time: "+01", "-0330". */
void line_append_offset(struct text *text, int64_t wall);

enum line_style {
	LINE_STYLE_TEXT,
	LINE_STYLE_TIME,
	LINE_STYLE_MARK,     /* a good one, or none */
	LINE_STYLE_DOUBTFUL, /* the mark of what is not, or not quite, believed
			      */
	LINE_STYLE_NAME,     /* in its signer's hue */
	LINE_STYLE_SEVERITY,
	LINE_STYLE_QUIET,
	LINE_STYLE_WARNING,
	LINE_STYLE_RULE,
};

/* A part of a formatted line, from the end of the one before up to `end`. */
struct line_part {
	size_t end;
	enum line_style style;
};

enum { LINE_PARTS_MAX = 12 };

/*
 * Appends the line as it is shown: harmless, with line feeds between the lines
 * of its text, at most LINE_SHOWN_MAX bytes of that and a word on what is left
 * out.  Ends of parts count from the start of what is appended.  Returns how
 * many parts there are.
 */
size_t line_format(const struct line *line, struct line_clock clock,
	struct text *text, struct line_part parts[static LINE_PARTS_MAX]);

/* Appends the line as qchat-listen would print it, with a line feed: its whole
 * text.  Of a message of ours it says so if it is not proved, and to whom alone
 * it went.  Nothing for rules. */
void line_plain(const struct line *line, struct span room, struct text *text);

/* Appends the first line of what was said, or so many bytes of it, in quotes:
 * enough to know it by. */
void line_append_start(struct text *text, struct span said, size_t max);

#endif
