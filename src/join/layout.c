/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <assert.h>

enum {
	SPLIT_ROWS = 8, /* a conversation that can be split has these */
	LOW_ROWS_MAX = 6,
	INPUT_ROWS_MAX = 8,
};

static size_t
input_rows(const struct layout_wish *wish)
{
	size_t most = wish->rows / 3 > 1 ? wish->rows / 3 : 1;

	if (most > INPUT_ROWS_MAX)
		most = INPUT_ROWS_MAX;
	return wish->input_rows < most ? wish->input_rows : most;
}

static void
split(struct layout *layout)
{
	size_t rows = layout->talk_rows;

	layout->low_rows = rows / 4 < LOW_ROWS_MAX ? rows / 4 : LOW_ROWS_MAX;
	layout->low_y = rows - layout->low_rows;
	layout->rule_rows = 1;
	layout->rule_y = layout->low_y - 1;
	layout->talk_rows = layout->rule_y;
}

struct layout
layout_make(const struct layout_wish *wish)
{
	struct layout layout = { .talk_columns = wish->columns };

	assert(wish->rows > 0 && wish->columns > 0 && wish->input_rows > 0);
	layout.input_rows = input_rows(wish);
	layout.input_y = wish->rows - layout.input_rows;
	layout.status_rows = layout.input_y > 0;
	layout.status_y = layout.input_y - layout.status_rows;
	layout.talk_rows = layout.status_y;
	if (wish->names && wish->columns >= LAYOUT_NAMES_COLUMNS &&
		layout.talk_rows > 0) {
		layout.names_columns = LAYOUT_NAMES_WIDTH;
		layout.names_x = wish->columns - LAYOUT_NAMES_WIDTH;
		layout.talk_columns = layout.names_x - 1;
	}
	if (wish->split && layout.talk_rows >= SPLIT_ROWS)
		split(&layout);
	return layout;
}
