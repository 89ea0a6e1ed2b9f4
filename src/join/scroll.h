/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_SCROLL_H
#define QCHAT_JOIN_SCROLL_H

#include "line.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The conversation: its lines, and a page of them as rows.  Knows no
 * terminal. */
struct scroll;

enum {
	SCROLL_LINES = 10000,                /* kept, if nothing else is said */
	SCROLL_BYTES_MAX = 16 * 1024 * 1024, /* of their texts, in any case */
	SCROLL_INDENT = 2, /* of the rows behind a line's first */
	SCROLL_COLUMNS_MIN = SCROLL_INDENT + 2,
};

/* Where one reads: the lowest row that is seen.  Lines have numbers, which
 * stay when older ones go. */
struct scroll_place {
	uint64_t line;
	size_t row; /* of the line's; its last, if it has fewer */
};

/* The end, whatever comes. */
#define SCROLL_END ((struct scroll_place){ UINT64_MAX, 0 })

static inline bool
scroll_is_end(struct scroll_place place)
{
	return place.line == UINT64_MAX;
}

struct scroll *scroll_new(size_t lines_max);
void scroll_free(struct scroll *scroll);

/*
 * Adds a line, which the scroll owns from now on; the oldest ones go as the
 * limits ask.  A coming or going right behind another one is folded into it, if
 * line_takes() says so.  A line of another day than the one before has a rule
 * before it.  Returns its number.
 */
uint64_t scroll_add(struct scroll *scroll, struct line line);

/*
 * To be called now and then, with the time (wall ms): adds the rule of a day
 * that has begun since the last call, though nobody says anything.  True if it
 * did.
 */
bool scroll_turn_day(struct scroll *scroll, int64_t now);

/* So many ms after that time another day begins. */
int64_t scroll_day_left(int64_t now);

/* The line of that number, NULL if it has gone; valid until the next
 * scroll_add(). */
struct line *scroll_line(const struct scroll *scroll, uint64_t number);

/* Takes it off the screen; its number stays. */
void scroll_drop(struct scroll *scroll, uint64_t number);

/* The numbers that there are: first to end - 1. */
uint64_t scroll_first(const struct scroll *scroll);
uint64_t scroll_end(const struct scroll *scroll);

/* How rows are made. */
struct scroll_look {
	size_t columns; /* SCROLL_COLUMNS_MIN and more */
	struct line_clock clock;
	/* Is a line hidden?  NULL: none is. */
	bool (*hides)(void *context, const struct line *line);
	void *context;
};

/* The next line up (-1) or down (1) from a place whose text or name has this
 * in it, ASCII letters alike; false if there is none.  What is hidden is not
 * found, and no notice: what was not found once is in one. */
bool scroll_find(const struct scroll *scroll, const struct scroll_look *look,
	struct span word, struct scroll_place from, int direction,
	struct scroll_place *found);

/* A part of a row: of one style. */
struct scroll_part {
	struct span text;
	enum line_style style;
};

/* A row of a line.  Its parts are borrowed until the page's next use. */
struct scroll_row {
	const struct line *line;
	uint64_t number; /* of the line */
	size_t row;      /* of the line's rows, from 0 */
	size_t indent;   /* columns before it */
	const struct scroll_part *parts;
	size_t part_count;
};

/* Rows that are to be seen together; made once, used for each drawing. */
struct scroll_page;
struct scroll_page *scroll_page_new(void);
void scroll_page_free(struct scroll_page *page);

/*
 * Fills the page with up to rows_max rows of which the lowest is at `bottom`
 * (moved to what there is, and if there is less above it than fills the page,
 * then to what does).  Returns the rows, from the top, and how many they are.
 */
const struct scroll_row *scroll_rows(const struct scroll *scroll,
	const struct scroll_look *look, struct scroll_place *bottom,
	size_t rows_max, struct scroll_page *page, size_t *count);

/* The place so many rows up (negative) or down from one; the end, if that is
 * below all. */
struct scroll_place scroll_move(const struct scroll *scroll,
	const struct scroll_look *look, struct scroll_place from, long rows,
	struct scroll_page *page);

#endif
