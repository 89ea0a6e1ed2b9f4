/* SPDX-License-Identifier: Apache-2.0 */
#include "repair.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct repairs {
	struct repair waiting[REPAIRS_MAX];
	size_t count, count_max;
	int64_t budget; /* bytes that may be sent now; below 0: too many were */
	int64_t mono;   /* when that was so */
	int64_t ready;  /* mono: when it will be above 0 */
};

struct repairs *
repairs_new(size_t waiting_max)
{
	struct repairs *repairs = memory_alloc(1, sizeof(*repairs));

	assert(waiting_max >= 1 && waiting_max <= REPAIRS_MAX);
	repairs->count_max = waiting_max;
	repairs->budget = REPAIR_BURST;
	return repairs;
}

void
repairs_free(struct repairs *repairs)
{
	free(repairs);
}

static bool
is_same(const struct repair *a, const struct repair *b)
{
	return strcmp(a->uid, b->uid) == 0 && a->first == b->first &&
		a->last == b->last && a->since == b->since &&
		a->until == b->until && a->skip == b->skip;
}

/* Whom both can be served by: several inboxes, by the room. */
static void
join(struct repair *there, const struct repair *more)
{
	if (strcmp(there->inbox, more->inbox) == 0)
		return;
	there->inbox[0] = '\0';
	if (more->first < there->first)
		there->first = more->first;
	if (more->last > there->last)
		there->last = more->last;
	if (more->due < there->due)
		there->due = more->due;
}

bool
repairs_add(struct repairs *repairs, const struct repair *repair)
{
	for (size_t i = 0; i < repairs->count; i++) {
		struct repair *there = &repairs->waiting[i];
		bool overlap = repair->uid[0] != '\0' &&
			strcmp(there->uid, repair->uid) == 0 &&
			there->first <= repair->last &&
			repair->first <= there->last;

		if (is_same(there, repair) &&
			strcmp(there->inbox, repair->inbox) == 0)
			return true;
		if (overlap && strcmp(there->inbox, repair->inbox) != 0) {
			join(there, repair);
			return true;
		}
	}
	if (repairs->count == repairs->count_max)
		return false;
	repairs->waiting[repairs->count++] = *repair;
	return true;
}

static void
remove_at(struct repairs *repairs, size_t i)
{
	memmove(&repairs->waiting[i], &repairs->waiting[i + 1],
		(repairs->count - i - 1) * sizeof(*repairs->waiting));
	repairs->count--;
}

void
repairs_cancel(struct repairs *repairs, struct span uid, int64_t first,
	int64_t last)
{
	for (size_t i = repairs->count; i-- > 0;) {
		struct repair *there = &repairs->waiting[i];

		if (there->uid[0] == '\0' || there->inbox[0] != '\0' ||
			!span_equal(span_of(there->uid), uid))
			continue;
		if (first <= there->first && last >= there->first)
			there->first = last + 1;
		if (last >= there->last && first <= there->last)
			there->last = first - 1;
		if (there->first > there->last)
			remove_at(repairs, i);
	}
}

static const struct repair *
first_due(const struct repairs *repairs)
{
	const struct repair *first = NULL;

	for (size_t i = 0; i < repairs->count; i++)
		if (first == NULL || repairs->waiting[i].due < first->due)
			first = &repairs->waiting[i];
	return first;
}

int64_t
repairs_deadline(const struct repairs *repairs)
{
	const struct repair *first = first_due(repairs);

	if (first == NULL)
		return INT64_MAX;
	return repairs->budget > 0 || first->due > repairs->ready
		? first->due
		: repairs->ready;
}

static void
refill(struct repairs *repairs, int64_t mono)
{
	int64_t more = (mono - repairs->mono) * REPAIR_RATE / 1000;

	if (mono - repairs->mono > 1000 ||
		repairs->budget + more > REPAIR_BURST)
		repairs->budget = REPAIR_BURST;
	else
		repairs->budget += more;
	repairs->mono = mono;
}

bool
repairs_take(struct repairs *repairs, int64_t mono, struct repair *out)
{
	const struct repair *first = first_due(repairs);

	if (first == NULL || first->due > mono)
		return false;
	refill(repairs, mono);
	if (repairs->budget <= 0) {
		repairs->ready = mono + 1 -
			repairs->budget * 1000 / REPAIR_RATE;
		return false;
	}
	*out = *first;
	remove_at(repairs, (size_t)(first - repairs->waiting));
	return true;
}

void
repairs_spend(struct repairs *repairs, size_t bytes)
{
	repairs->budget -= (int64_t)bytes;
}
