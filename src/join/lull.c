/* SPDX-License-Identifier: Apache-2.0 */
#include "lull.h"

static bool
is_empty(const struct lull *lull)
{
	return lull->line.bytes == NULL;
}

void
lull_free(struct lull *lull)
{
	line_free(&lull->line);
	*lull = (struct lull){ 0 };
}

bool
lull_keep(struct lull *lull, const struct line *line, int64_t now)
{
	if (now >= lull->until && is_empty(lull)) {
		lull->until = now + LINE_FOLD_MS;
		return false;
	}
	if (is_empty(lull))
		lull->line = line_copy(line);
	else if (line_takes(&lull->line, line))
		line_fold(&lull->line, line);
	else
		return false;
	return true;
}

int64_t
lull_deadline(const struct lull *lull)
{
	return is_empty(lull) ? INT64_MAX : lull->until;
}

bool
lull_take(struct lull *lull, int64_t now, struct line *line)
{
	if (is_empty(lull))
		return false;
	*line = lull->line;
	lull->line = (struct line){ 0 };
	lull->until = now + LINE_FOLD_MS;
	return true;
}
