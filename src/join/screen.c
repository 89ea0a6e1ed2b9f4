/* SPDX-License-Identifier: Apache-2.0 */
#define NCURSES_WIDECHAR 1

#include "screen.h"

#include "memory.h"

#include <curses.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NAMES_WIDTH = 20 };

struct screen {
	SCREEN *terminal;
	bool utf8; /* the locale shows it */
};

struct screen *
screen_new(void)
{
	SCREEN *terminal = newterm(NULL, stdout, stdin);

	if (terminal == NULL)
		return NULL;
	if (tigetstr("cup") == NULL) { /* it cannot move its cursor */
		endwin();
		delscreen(terminal);
		return NULL;
	}
	struct screen *screen = memory_alloc(1, sizeof(*screen));
	screen->terminal = terminal;
	screen->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	raw();
	noecho();
	nonl();
	return screen;
}

void
screen_free(struct screen *screen)
{
	if (screen == NULL)
		return;
	endwin();
	delscreen(screen->terminal);
	free(screen);
}

void
screen_resize(struct screen *screen)
{
	struct winsize size;

	(void)screen;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
		size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

/* Draws a text at the cursor, at most so many columns of it.  Where the
 * locale has no UTF-8, what is not ASCII is shown as ?. */
static void
draw_text(const struct screen *screen, struct span text, size_t columns)
{
	size_t len = scroll_fit(text, columns);

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t bytes = text_utf8_next((struct span){ text.bytes + at,
						      len - at },
			&c);
		wchar_t wide = (wchar_t)c;

		if (bytes == 0 ||
			(c >= 0x80 && (!screen->utf8 || wcwidth(wide) < 0)))
			wide = L'?';
		addnwstr(&wide, 1);
		at += bytes > 0 ? bytes : 1;
	}
}

static int
attributes(enum scroll_style style)
{
	switch (style) {
	case SCROLL_OWN:
		return A_BOLD;
	case SCROLL_NOTICE:
		return A_DIM;
	default:
		return A_NORMAL;
	}
}

size_t
screen_page(const struct screen *screen)
{
	(void)screen;
	return LINES > 2 ? (size_t)LINES - 2 : 0;
}

static void
draw_conversation(const struct screen *screen, struct screen_view *view,
	size_t columns)
{
	size_t page = screen_page(screen);

	if (page == 0 || columns < SCROLL_INDENT + 2)
		return;
	struct scroll_row *rows = memory_alloc(page, sizeof(*rows));
	size_t count = scroll_rows(view->scroll, columns, &view->back, rows,
		page);
	for (size_t i = 0; i < count; i++) {
		int y = (int)(page - count + i);

		move(y, (int)rows[i].indent);
		attrset(attributes(rows[i].style));
		draw_text(screen, rows[i].text, columns - rows[i].indent);
	}
	attrset(A_NORMAL);
	free(rows);
}

static void
draw_names(const struct screen *screen, const struct screen_view *view)
{
	size_t page = screen_page(screen);
	int x = COLS - NAMES_WIDTH;

	mvvline(0, x, ACS_VLINE, (int)page);
	for (size_t i = 0; i < view->name_count && i < page; i++) {
		char more[32];
		struct span name = view->names[i];

		if (i + 1 == page && view->name_count > page) {
			snprintf(more, sizeof(more), "and %zu more",
				view->name_count - i);
			name = span_of(more);
		}
		move((int)i, x + 2);
		draw_text(screen, name, NAMES_WIDTH - 2);
	}
}

static void
draw_status(const struct screen *screen, const struct screen_view *view)
{
	if (LINES < 2)
		return;
	attrset(A_REVERSE);
	mvhline(LINES - 2, 0, ' ', COLS);
	move(LINES - 2, 0);
	draw_text(screen, span_of(view->status), (size_t)COLS);
	attrset(A_NORMAL);
}

/* The part of the input around the cursor that fits behind the prompt. */
static void
draw_input(const struct screen *screen, const struct screen_view *view)
{
	size_t columns = (size_t)COLS;
	size_t prompt = scroll_width(span_of(view->prompt));
	struct span before = { view->input, view->cursor };

	move(LINES - 1, 0);
	if (prompt + 8 > columns)
		prompt = 0;
	else
		draw_text(screen, span_of(view->prompt), prompt);
	while (scroll_width(before) + prompt + 1 > columns) {
		size_t first = scroll_fit(before, 1);

		/* A character may be wider than one column. */
		first = first > 0 ? first : scroll_fit(before, 2);
		before.bytes += first > 0 ? first : 1;
		before.len -= first > 0 ? first : 1;
	}
	draw_text(screen, span_of(before.bytes), columns - prompt);
	move(LINES - 1, (int)(prompt + scroll_width(before)));
}

void
screen_draw(struct screen *screen, struct screen_view *view)
{
	bool names = COLS >= SCREEN_NAMES_COLUMNS && screen_page(screen) > 0;

	erase();
	draw_conversation(screen, view,
		(size_t)(names ? COLS - NAMES_WIDTH - 1 : COLS));
	if (names)
		draw_names(screen, view);
	draw_status(screen, view);
	draw_input(screen, view);
	refresh();
}
