/* SPDX-License-Identifier: Apache-2.0 */
#include "sequence.h"

#include "memory.h"
#include "table.h"

#include <assert.h>
#include <stdlib.h>

struct sequence {
	struct table *senders; /* of struct sender, by UID */
};

struct sender {
	int64_t taken; /* the highest number that arrived */
	int64_t told;  /* the highest that was said to be missing */
};

struct sequence *
sequence_new(size_t senders_max)
{
	struct sequence *sequence = memory_alloc(1, sizeof(*sequence));

	sequence->senders = table_new(sizeof(struct sender), senders_max);
	return sequence;
}

void
sequence_free(struct sequence *sequence)
{
	if (sequence == NULL)
		return;
	table_free(sequence->senders);
	free(sequence);
}

/* What lies behind all that was taken or told of, up to last. */
static struct sequence_gap
gap_up_to(struct sender *sender, int64_t last)
{
	int64_t known = sender->taken > sender->told ? sender->taken
						     : sender->told;

	if (last <= known)
		return (struct sequence_gap){ 0, 0 };
	sender->told = last;
	return (struct sequence_gap){ known + 1, last };
}

int64_t
sequence_take(struct sequence *sequence, struct span uid, int64_t first,
	int64_t last, struct sequence_gap *gap)
{
	bool made;

	assert(first > 0 && last >= first);
	struct sender *sender = table_touch(sequence->senders, uid, &made);
	*gap = (struct sequence_gap){ 0, 0 };
	if (last <= sender->taken)
		return 0;
	if (!made && first - sender->taken > SEQUENCE_JUMP_MAX)
		return first;
	if (!made)
		*gap = gap_up_to(sender, first - 1);
	if (first <= sender->taken)
		first = sender->taken + 1;
	sender->taken = last;
	return first;
}

void
sequence_claim(struct sequence *sequence, struct span uid, int64_t last,
	struct sequence_gap *gap)
{
	struct sender *sender = table_find(sequence->senders, uid);

	*gap = (struct sequence_gap){ 0, 0 };
	if (sender != NULL && last - sender->taken <= SEQUENCE_JUMP_MAX)
		*gap = gap_up_to(sender, last);
}
