/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include <assert.h>
#include <string.h>

/* So many bytes at this place became others. */
struct change {
	size_t at, gone, came;
};

static struct span
span_in(struct span bytes, size_t at, size_t len)
{
	assert(at <= bytes.len && len <= bytes.len - at);
	return (struct span){ len > 0 ? bytes.bytes + at : "", len };
}

static struct span
span_of_text(const struct text *text)
{
	return (struct span){ text->len > 0 ? text->bytes : "", text->len };
}

static void
free_text(struct origin_text *text)
{
	text_free(&text->bytes);
	text_free(&text->marks);
}

void
origin_free(struct origin *origin)
{
	free_text(&origin->line);
	free_text(&origin->removed);
}

void
origin_clear(struct origin *origin)
{
	free_text(&origin->line);
}

static bool
has_pasted(struct span marks)
{
	return marks.len > 0 && memchr(marks.bytes, 1, marks.len) != NULL;
}

/* Is it the change that took the one to the other? */
static bool
explains(struct change change, struct span old, struct span new)
{
	size_t rest = change.at + change.gone;

	return rest <= old.len &&
		change.at + change.came <=
		new.len &&span_equal(span_in(old, 0, change.at),
			span_in(new, 0, change.at)) &&
		span_equal(span_in(old, rest, old.len - rest),
			span_in(new, change.at + change.came,
				new.len - change.at - change.came));
}

static struct change
least_change(struct span old, struct span new)
{
	size_t shorter = old.len < new.len ? old.len : new.len;
	size_t head = 0, tail = 0;

	while (head < shorter && old.bytes[head] == new.bytes[head])
		head++;
	while (tail < shorter - head &&
		old.bytes[old.len - tail - 1] == new.bytes[new.len - tail - 1])
		tail++;
	return (struct change){ head, old.len - head - tail,
		new.len - head - tail };
}

/* Where a byte was typed next to others like it, only the cursor tells. */
static struct change
find_change(struct span old, struct span new, size_t cursor)
{
	struct change change = { cursor, 0, 0 };

	if (new.len < old.len)
		change.gone = old.len - new.len;
	else
		change.came = new.len - old.len;
	if (cursor >= change.came) {
		change.at = cursor - change.came;
		if (explains(change, old, new))
			return change;
	}
	return least_change(old, new);
}

static void
set_text(struct text *text, struct span bytes)
{
	text_clear(text);
	text_append(text, bytes.bytes, bytes.len);
}

/* Keeps what goes, if a part of it was pasted: it may come back. */
static void
keep_removed(struct origin *origin, struct change change)
{
	struct span marks = span_in(span_of_text(&origin->line.marks),
		change.at, change.gone);

	if (!has_pasted(marks))
		return;
	set_text(&origin->removed.marks, marks);
	set_text(&origin->removed.bytes,
		span_in(span_of_text(&origin->line.bytes), change.at,
			change.gone));
}

/* Who brings these bytes; one byte may as well be typed again. */
static void
append_marks(const struct origin *origin, struct text *marks, struct span came,
	char mark, bool may_return)
{
	struct span removed = span_of_text(&origin->removed.bytes);

	if (may_return && came.len > 1 && span_equal(came, removed))
		text_append(marks, origin->removed.marks.bytes, came.len);
	else if (came.len > 0)
		memset(text_extend(marks, came.len), mark, came.len);
}

static void
apply(struct origin *origin, struct change change, struct span line, char mark,
	bool may_return)
{
	struct span old = span_of_text(&origin->line.marks);
	struct span came = span_in(line, change.at, change.came);
	size_t rest = change.at + change.gone;
	struct text marks = { 0 };

	text_append(&marks, old.bytes, change.at);
	append_marks(origin, &marks, came, mark, may_return);
	text_append(&marks, old.bytes + rest, old.len - rest);
	keep_removed(origin, change);
	text_free(&origin->line.marks);
	origin->line.marks = marks;
	set_text(&origin->line.bytes, line);
}

/* Nothing was pasted in what there is. */
static void
set_typed(struct origin *origin, struct span line)
{
	set_text(&origin->line.bytes, line);
	text_clear(&origin->line.marks);
	if (line.len > 0)
		memset(text_extend(&origin->line.marks, line.len), 0, line.len);
}

void
origin_follow(struct origin *origin, struct span line, size_t cursor,
	enum origin_step step)
{
	struct span old = span_of_text(&origin->line.bytes);
	struct change change = { 0, old.len, line.len };

	if (origin->removed.bytes.len == 0 &&
		!has_pasted(span_of_text(&origin->line.marks))) {
		free_text(&origin->line);
		return;
	}
	if (step == ORIGIN_EDIT)
		change = find_change(old, line, cursor);
	apply(origin, change, line, 0, step != ORIGIN_HISTORY);
}

void
origin_paste(struct origin *origin, struct span line, size_t cursor, size_t len)
{
	struct change change = { cursor - len, 0, len };
	struct text before = { 0 };

	assert(cursor >= len && cursor <= line.len);
	if (!explains(change, span_of_text(&origin->line.bytes), line)) {
		text_append(&before, line.bytes, change.at);
		text_append(&before, line.bytes + cursor, line.len - cursor);
		set_typed(origin, span_of_text(&before));
		text_free(&before);
	}
	apply(origin, change, line, 1, false);
}

void
origin_set(struct origin *origin, struct span line, struct span marks)
{
	assert(marks.len == 0 || marks.len == line.len);
	set_typed(origin, line);
	if (marks.len > 0)
		set_text(&origin->line.marks, marks);
}

struct span
origin_marks(const struct origin *origin)
{
	struct span marks = span_of_text(&origin->line.marks);

	return has_pasted(marks) ? marks : (struct span){ "", 0 };
}

bool
origin_is_pasted(const struct origin *origin)
{
	return origin->line.marks.len > 0 && origin->line.marks.bytes[0] == 1;
}
