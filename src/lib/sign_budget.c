/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "memory.h"
#include "table.h"

#include <stdlib.h>

enum {
	SOURCES = 1024,
	FAILURES = 2000, /* in a second */
	SOURCE_FAILURES = 50,
	SECOND = 1000,           /* ms */
	SOURCE_MS = 10 * SECOND, /* in which there may be as many */
};

/* Tokens that grow back with time, counted in token milliseconds. */
struct bucket {
	int64_t spent;
	int64_t at; /* when that was so, in ms */
};

struct budget {
	struct bucket total;
	struct table *sources; /* struct bucket */
	int64_t failures, source_failures;
	unsigned long source_refused, refused;
};

struct budget *
budget_new(const struct verifier_limits *limits)
{
	struct budget *budget = memory_alloc(1, sizeof(*budget));

	budget->sources = table_new(sizeof(struct bucket),
		limits->sources > 0 ? limits->sources : SOURCES);
	budget->failures = limits->failures > 0 ? limits->failures : FAILURES;
	budget->source_failures = limits->source_failures > 0
		? limits->source_failures
		: SOURCE_FAILURES;
	return budget;
}

void
budget_free(struct budget *budget)
{
	if (budget == NULL)
		return;
	table_free(budget->sources);
	free(budget);
}

/* Time gives back `most` tokens in `period`. */
static void
refill(struct bucket *bucket, int64_t most, int64_t period, int64_t now)
{
	int64_t passed = now - bucket->at;

	bucket->at = now;
	/* A clock that is put back gives nothing. */
	if (passed <= 0)
		return;
	if (passed >= period)
		bucket->spent = 0;
	else
		bucket->spent -= passed * most;
	if (bucket->spent < 0)
		bucket->spent = 0;
}

static bool
has_token(struct bucket *bucket, int64_t most, int64_t period, int64_t now)
{
	refill(bucket, most, period, now);
	return bucket->spent + period <= most * period;
}

static struct span
key_of(struct span source)
{
	if (source.len > TABLE_KEY_MAX)
		source.len = TABLE_KEY_MAX;
	return source;
}

/* Where a broker does not say who it is, the one without a name is everybody,
 * and must not be kept from speaking by one of them. */
static bool
is_named(struct span source)
{
	return source.len > 0;
}

bool
budget_allows(struct budget *budget, struct span source, int64_t now)
{
	struct bucket *own = is_named(source)
		? table_find(budget->sources, key_of(source))
		: NULL;

	if (own != NULL &&
		!has_token(own, budget->source_failures, SOURCE_MS, now)) {
		budget->source_refused++;
		return false;
	}
	if (has_token(&budget->total, budget->failures, SECOND, now))
		return true;
	budget->refused++;
	return false;
}

struct budget_counts
budget_counts(const struct budget *budget)
{
	return (struct budget_counts){
		.source_refused = budget->source_refused,
		.refused = budget->refused,
		.sources = (unsigned long)table_displaced(budget->sources),
	};
}

/* There are no debts: who had failures without being asked has tokens again as
 * soon as anybody else. */
static void
spend(struct bucket *bucket, int64_t most, int64_t period, int64_t now)
{
	refill(bucket, most, period, now);
	bucket->spent += period;
	if (bucket->spent > most * period)
		bucket->spent = most * period;
}

void
budget_charge(struct budget *budget, enum budget_payer payer,
	struct span source, int64_t now)
{
	bool made;

	if (payer == BUDGET_ALL)
		spend(&budget->total, budget->failures, SECOND, now);
	if (!is_named(source))
		return;
	struct bucket *own = table_touch(budget->sources, key_of(source),
		&made);
	spend(own, budget->source_failures, SOURCE_MS, now);
}
