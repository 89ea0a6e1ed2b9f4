/* SPDX-License-Identifier: Apache-2.0 */
#define NCURSES_WIDECHAR 1

#include "screen.h"

#include "draft.h"
#include "hue.h"
#include "layout.h"
#include "memory.h"
#include "terminal.h"
#include "translate.h"
#include "width.h"

#include <curses.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	INPUT_ROWS = 8,   /* as many as layout.c gives */
	PROMPT_SHARE = 2, /* a prompt of more of the width is left out */
	PAIR_HUES = 1,    /* pairs from here on are hues */
};

struct screen {
	SCREEN *terminal;
	char *restore; /* what ends curses' modes, if we crash */
	bool away;     /* the terminal is somebody else's */
	bool utf8;     /* the locale shows it */
	bool colors;
	struct scroll_page *page; /* of what one reads */
	struct scroll_page *low;  /* of the newest, while one reads back */
	size_t page_rows;
	struct scroll_look look;
};

/* Without its delays, which only tputs() knows. */
static void
append_sequence(struct text *text, const char *sequence)
{
	const char *delay;

	while ((delay = strstr(sequence, "$<")) != NULL) {
		text_append(text, sequence, (size_t)(delay - sequence));
		sequence = delay + strcspn(delay, ">");
		sequence += *sequence != '\0';
	}
	text_append_string(text, sequence);
}

/* What the terminal has to be told, should we end without a word. */
static char *
restoring(void)
{
	static const char *const names[] = { "sgr0", "rmcup", "cnorm" };
	struct text text = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *sequence = tigetstr(names[i]);

		if (sequence != NULL && sequence != (char *)-1)
			append_sequence(&text, sequence);
	}
	text_append_string(&text, "\r\n");
	return text.bytes;
}

static bool
start_colors(void)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */

	if ((no_color != NULL && no_color[0] != '\0') || !has_colors() ||
		start_color() == ERR || use_default_colors() == ERR)
		return false;
	for (short i = 0; hue_palette(COLORS, (size_t)i) != HUE_NONE; i++)
		init_pair((short)(PAIR_HUES + i),
			(short)hue_palette(COLORS, (size_t)i), -1);
	return true;
}

struct screen *
screen_new(void)
{
	terminal_remember();
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
	screen->colors = start_colors();
	screen->page = scroll_page_new();
	screen->low = scroll_page_new();
	screen->restore = restoring();
	raw();
	noecho();
	nonl();
	refresh();
	terminal_begin(screen->restore);
	return screen;
}

void
screen_free(struct screen *screen)
{
	if (screen == NULL)
		return;
	screen_leave(screen);
	delscreen(screen->terminal);
	scroll_page_free(screen->page);
	scroll_page_free(screen->low);
	free(screen->restore);
	free(screen);
}

void
screen_leave(struct screen *screen)
{
	if (screen->away)
		return;
	screen->away = true;
	if (terminal_is_ours()) {
		terminal_flush();
		endwin();
	}
	terminal_end();
}

static void
take_again(struct screen *screen)
{
	screen->away = false;
	reset_prog_mode();
	terminal_begin(screen->restore);
	screen_resize(screen);
}

void
screen_return(struct screen *screen)
{
	/* What was set meanwhile is to stay. */
	terminal_remember();
	def_shell_mode();
	take_again(screen);
}

void
screen_regain(struct screen *screen)
{
	endwin(); /* for curses to know that it has to begin anew */
	take_again(screen);
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
	size_t len = width_fit(text, columns);

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t bytes = text_utf8_next((struct span){ text.bytes + at,
						      len - at },
			&c);
		wchar_t wide = (wchar_t)c;

		if (bytes == 0 || c < 0x20 || c == 0x7f ||
			(c >= 0x80 && (!screen->utf8 || wcwidth(wide) < 0)))
			wide = L'?';
		addnwstr(&wide, 1);
		at += bytes > 0 ? bytes : 1;
	}
}

static attr_t
hue_attributes(const struct screen *screen, const char *signer)
{
	int hue = hue_of(span_of(signer), COLORS);
	int i = 0;

	if (!screen->colors || hue == HUE_NONE)
		return A_NORMAL;
	while (hue_palette(COLORS, (size_t)i) != hue)
		i++;
	return (attr_t)COLOR_PAIR(PAIR_HUES + i);
}

/* How a part of a line looks.  What it says stands in its text, too: nothing
 * is told by looks alone. */
static attr_t
attributes(const struct screen *screen, const struct line *line,
	enum line_style style)
{
	attr_t base = line->state == LINE_PENDING ? A_DIM
		: line->mentions                  ? A_BOLD
						  : A_NORMAL;

	switch (style) {
	case LINE_STYLE_TIME:
	case LINE_STYLE_QUIET:
	case LINE_STYLE_RULE:
		return A_DIM;
	case LINE_STYLE_NAME:
		return base | A_BOLD | hue_attributes(screen, line->signer);
	case LINE_STYLE_DOUBTFUL:
	case LINE_STYLE_WARNING:
		return A_BOLD | A_REVERSE;
	case LINE_STYLE_SEVERITY:
		return base | A_BOLD;
	default:
		return base;
	}
}

static void
draw_row(const struct screen *screen, const struct scroll_row *row, size_t y,
	bool found)
{
	size_t columns = screen->look.columns;
	size_t left = columns - row->indent;

	move((int)y, (int)row->indent);
	for (size_t i = 0; i < row->part_count && left > 0; i++) {
		struct span text = row->parts[i].text;
		size_t width = width_of(text);

		attrset((int)(attributes(screen, row->line,
				      row->parts[i].style) |
			(found ? A_UNDERLINE : 0)));
		draw_text(screen, text, left);
		left -= width < left ? width : left;
	}
	attrset(A_NORMAL);
}

/* The rows of a part of the screen, at its lower end. */
static void
draw_rows(struct screen *screen, const struct screen_view *view,
	struct scroll_place *place, size_t y, size_t rows,
	struct scroll_page *page)
{
	size_t count;

	if (rows == 0 || screen->look.columns < SCROLL_COLUMNS_MIN)
		return;
	const struct scroll_row *first = scroll_rows(view->scroll,
		&screen->look, place, rows, page, &count);
	for (size_t i = 0; i < count; i++)
		draw_row(screen, &first[i], y + rows - count + i,
			first[i].number == view->found);
}

static void
draw_rule(const struct screen *screen, struct span words, size_t y,
	size_t columns)
{
	attrset(A_DIM);
	for (size_t x = 0; x < columns; x++)
		mvaddnwstr((int)y, (int)x, screen->utf8 ? L"\u2500" : L"-", 1);
	if (columns > 4) {
		move((int)y, 2);
		draw_text(screen, words, columns - 2);
	}
	attrset(A_NORMAL);
}

static void
draw_talk(struct screen *screen, const struct screen_view *view,
	const struct layout *layout)
{
	struct scroll_place end = SCROLL_END;

	screen->look = view->look;
	screen->look.columns = layout->talk_columns;
	screen->page_rows = layout->talk_rows;
	draw_rows(screen, view, view->place, 0, layout->talk_rows,
		screen->page);
	if (layout->rule_rows == 0)
		return;
	draw_rule(screen, view->below, layout->rule_y, layout->talk_columns);
	draw_rows(screen, view, &end, layout->low_y, layout->low_rows,
		screen->low);
}

static void
draw_name(const struct screen *screen, const struct screen_name *name,
	size_t columns)
{
	char mark[] = { trust_letter(name->mark), '\0' };

	draw_text(screen, span_of(mark), 1);
	attrset((int)hue_attributes(screen, name->signer));
	draw_text(screen, name->name, columns - 1);
	attrset(A_NORMAL);
}

static void
draw_names(const struct screen *screen, const struct screen_view *view,
	const struct layout *layout)
{
	size_t rows = layout->status_y;
	size_t columns = layout->names_columns - 2;
	char more[32];

	if (layout->names_columns == 0)
		return;
	for (size_t y = 0; y < rows; y++)
		mvaddnwstr((int)y, (int)layout->names_x,
			screen->utf8 ? L"\u2502" : L"|", 1);
	for (size_t i = 0; i < view->name_count && i < rows; i++) {
		move((int)i, (int)layout->names_x + 2);
		if (i + 1 < rows || view->name_count == rows) {
			draw_name(screen, &view->names[i], columns);
			continue;
		}
		snprintf(more, sizeof(more), _("and %zu more"),
			view->name_count - i);
		draw_text(screen, span_of(more), columns);
	}
}

static void
draw_status(const struct screen *screen, const struct screen_view *view,
	const struct layout *layout)
{
	if (layout->status_rows == 0)
		return;
	attrset(A_REVERSE);
	mvhline((int)layout->status_y, 0, ' ', COLS);
	move((int)layout->status_y, 0);
	draw_text(screen, view->status, (size_t)COLS);
	attrset(A_NORMAL);
}

/* The prompt, if it leaves enough of the row. */
static size_t
prompt_width(const struct screen_view *view, size_t columns)
{
	size_t width = width_of(view->prompt);

	return width * PROMPT_SHARE <= columns ? width : 0;
}

static void
draw_input(const struct screen *screen, const struct screen_view *view,
	const struct layout *layout)
{
	struct draft_row rows[INPUT_ROWS];
	size_t columns = (size_t)COLS > 2 ? (size_t)COLS : 2;
	size_t prompt = prompt_width(view, columns);
	struct draft_view draft = draft_rows(view->input, view->cursor, prompt,
		columns, rows, layout->input_rows);

	for (size_t i = 0; i < draft.shown; i++) {
		move((int)(layout->input_y + i), 0);
		if (draft.first + i == 0 && prompt > 0)
			draw_text(screen, view->prompt, prompt);
		draw_text(screen, rows[i].text, columns - rows[i].indent);
	}
	move((int)(layout->input_y + draft.y), (int)draft.x);
}

static struct layout
layout_of(const struct screen_view *view, bool split)
{
	struct draft_row rows[INPUT_ROWS];
	size_t columns = COLS > 2 ? (size_t)COLS : 2;
	struct draft_view draft = draft_rows(view->input, view->cursor,
		prompt_width(view, columns), columns, rows, INPUT_ROWS);
	const struct layout_wish wish = {
		.rows = (size_t)LINES,
		.columns = (size_t)COLS,
		.input_rows = draft.count,
		.names = view->names_wanted,
		.split = split,
	};

	return layout_make(&wish);
}

void
screen_settle(struct screen *screen, const struct screen_view *view)
{
	struct layout layout = layout_of(view, false);
	struct scroll_place end = SCROLL_END;
	struct scroll_look look = view->look;
	size_t count;

	look.columns = layout.talk_columns;
	if (scroll_is_end(*view->place) || layout.talk_rows == 0 ||
		look.columns < SCROLL_COLUMNS_MIN)
		return;
	scroll_rows(view->scroll, &look, &end, layout.talk_rows + 1,
		screen->page, &count);
	if (count <= layout.talk_rows) {
		*view->place = end;
		return;
	}
	layout = layout_of(view, true);
	scroll_rows(view->scroll, &look, view->place, layout.talk_rows,
		screen->page, &count);
}

void
screen_draw(struct screen *screen, const struct screen_view *view)
{
	struct layout layout = layout_of(view, !scroll_is_end(*view->place));

	if (screen->away)
		return;
	erase();
	draw_talk(screen, view, &layout);
	draw_names(screen, view, &layout);
	draw_status(screen, view, &layout);
	draw_input(screen, view, &layout);
	terminal_write_begin();
	refresh();
	terminal_write_end();
}

size_t
screen_columns(const struct screen *screen)
{
	(void)screen;
	return (size_t)COLS;
}

size_t
screen_page(const struct screen *screen)
{
	return screen->page_rows;
}

struct scroll_look
screen_look(const struct screen *screen)
{
	return screen->look;
}

struct scroll_page *
screen_rows(struct screen *screen)
{
	return screen->page;
}
