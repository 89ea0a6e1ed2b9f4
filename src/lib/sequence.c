/* SPDX-License-Identifier: Apache-2.0 */
#include "sequence.h"

#include "memory.h"
#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SPARED_MAX = 64 }; /* in a row, when one has to be forgotten */

struct sender {
	struct sequence_hole hole;     /* first: it is handed out */
	struct sender *before, *after; /* among those with holes */
	bool holed;
	bool is_proven;
	bool guessed;  /* next is where we think that it begins for us */
	int64_t next;  /* to be delivered; 0: nothing was yet */
	int64_t floor; /* the newest when we came, where next is 0 */
	int64_t begun; /* the first that was for us; 0: not known */
	int64_t top;   /* the newest that is known of */
	struct room_range far; /* shown, too far ahead to be believed; or 0 */
	char *user, *inbox;
	struct room_range *held; /* above next, rising, with holes between */
	size_t held_count;
	struct room_range *lost; /* given up, rising, the newest of them */
	size_t lost_count;
	struct room_range *early; /* taken, below begun */
	size_t early_count;
};

struct sequence {
	struct table *senders; /* of struct sender, by UID */
	size_t senders_max;
	size_t held_count; /* of all senders */
	size_t lost_count; /* likewise */
	size_t early_count;
	uint64_t displaced, unheld;
	struct sender *first_hole, *last_hole;
};

struct sequence *
sequence_new(size_t senders_max)
{
	struct sequence *sequence = memory_alloc(1, sizeof(*sequence));

	sequence->senders = table_new(sizeof(struct sender), senders_max);
	sequence->senders_max = senders_max;
	return sequence;
}

static void
unlink_hole(struct sequence *sequence, struct sender *sender)
{
	if (!sender->holed)
		return;
	sender->holed = false;
	if (sender->before != NULL)
		sender->before->after = sender->after;
	else
		sequence->first_hole = sender->after;
	if (sender->after != NULL)
		sender->after->before = sender->before;
	else
		sequence->last_hole = sender->before;
}

static void
link_hole(struct sequence *sequence, struct sender *sender)
{
	if (sender->holed)
		return;
	sender->holed = true;
	sender->hole = (struct sequence_hole){ .uid = table_key(sender),
		.user = sender->user,
		.inbox = sender->inbox };
	sender->before = sequence->last_hole;
	sender->after = NULL;
	if (sequence->last_hole != NULL)
		sequence->last_hole->after = sender;
	else
		sequence->first_hole = sender;
	sequence->last_hole = sender;
}

static bool
has_hole(const struct sender *sender)
{
	if (sender->next == 0)
		return false;
	if (sender->held_count == 0)
		return sender->top >= sender->next;
	return sender->held[0].first > sender->next || sender->held_count > 1 ||
		sender->held[0].last < sender->top;
}

static void
update_hole(struct sequence *sequence, struct sender *sender)
{
	if (has_hole(sender))
		link_hole(sequence, sender);
	else
		unlink_hole(sequence, sender);
}

static void
set_held_count(struct sequence *sequence, struct sender *sender, size_t count)
{
	sequence->held_count += count;
	sequence->held_count -= sender->held_count;
	sender->held_count = count;
	if (count == 0) {
		free(sender->held);
		sender->held = NULL;
	}
}

static void
set_lost_count(struct sequence *sequence, struct sender *sender, size_t count)
{
	sequence->lost_count += count;
	sequence->lost_count -= sender->lost_count;
	sender->lost_count = count;
	if (count == 0) {
		free(sender->lost);
		sender->lost = NULL;
	}
}

static void
forget(struct sequence *sequence, struct sender *sender)
{
	unlink_hole(sequence, sender);
	set_held_count(sequence, sender, 0);
	set_lost_count(sequence, sender, 0);
	sequence->early_count -= sender->early_count;
	free(sender->early);
	free(sender->user);
	free(sender->inbox);
	table_remove(sequence->senders, sender);
}

void
sequence_free(struct sequence *sequence)
{
	struct sender *sender;

	if (sequence == NULL)
		return;
	while ((sender = table_oldest(sequence->senders)) != NULL)
		forget(sequence, sender);
	table_free(sequence->senders);
	free(sequence);
}

static struct sender *
find(const struct sequence *sequence, struct span uid)
{
	return table_find(sequence->senders, uid);
}

/* The one silent longest, but not one of which something is missing, or held,
 * if one of the next few will do. */
static void
forget_oldest(struct sequence *sequence)
{
	for (int i = 0; i < SPARED_MAX; i++) {
		struct sender *oldest = table_oldest(sequence->senders);
		bool made;

		if (!oldest->holed)
			break;
		table_touch(sequence->senders, span_of(table_key(oldest)),
			&made);
	}
	forget(sequence, table_oldest(sequence->senders));
	sequence->displaced++;
}

void
sequence_prove(struct sequence *sequence, struct span uid)
{
	struct sender *sender = find(sequence, uid);

	if (sender == NULL || sender->is_proven)
		return;
	sender->is_proven = true;
	table_favour(sequence->senders, sender);
}

static struct sender *
touch(struct sequence *sequence, struct span uid, bool *made)
{
	if (table_count(sequence->senders) == sequence->senders_max &&
		find(sequence, uid) == NULL)
		forget_oldest(sequence);
	return table_touch(sequence->senders, uid, made);
}

/* Takes held range i out. */
static void
remove_held(struct sequence *sequence, struct sender *sender, size_t i)
{
	memmove(sender->held + i, sender->held + i + 1,
		(sender->held_count - i - 1) * sizeof(*sender->held));
	set_held_count(sequence, sender, sender->held_count - 1);
}

/* All below next is done with. */
static void
set_next(struct sequence *sequence, struct sender *sender, int64_t next)
{
	sender->next = next;
	sender->guessed = false;
	if (sender->top < next - 1)
		sender->top = next - 1;
	while (sender->held_count > 0 && sender->held[0].last < next)
		remove_held(sequence, sender, 0);
	if (sender->held_count > 0 && sender->held[0].first < next)
		sender->held[0].first = next;
	update_hole(sequence, sender);
}

/* Makes room for one more range before range i. */
static void
insert_held(struct sequence *sequence, struct sender *sender, size_t i,
	struct room_range range)
{
	sender->held = memory_resize(sender->held, sender->held_count + 1,
		sizeof(*sender->held));
	memmove(sender->held + i + 1, sender->held + i,
		(sender->held_count - i) * sizeof(*sender->held));
	sender->held[i] = range;
	set_held_count(sequence, sender, sender->held_count + 1);
}

/* Joins range i and what follows, as far as they touch. */
static void
join_held(struct sequence *sequence, struct sender *sender, size_t i)
{
	struct room_range *range = &sender->held[i];

	while (i + 1 < sender->held_count &&
		range[1].first <= range->last + 1) {
		if (range[1].last > range->last)
			range->last = range[1].last;
		remove_held(sequence, sender, i + 1);
	}
}

static enum sequence_verdict
hold(struct sequence *sequence, struct sender *sender, struct room_range range)
{
	size_t i = 0;

	if (range.last > sender->top)
		sender->top = range.last;
	/* The first that does not end before this range begins. */
	while (i < sender->held_count && sender->held[i].last + 1 < range.first)
		i++;
	struct room_range *there = i < sender->held_count ? &sender->held[i]
							  : NULL;
	if (there != NULL && there->first <= range.first &&
		range.last <= there->last)
		return SEQUENCE_OLD;
	if (there == NULL || range.last + 1 < there->first) {
		if (sender->held_count == SEQUENCE_RANGES_MAX ||
			sequence->held_count == SEQUENCE_RANGES_ALL) {
			update_hole(sequence, sender);
			sequence->unheld++;
			return SEQUENCE_LOST;
		}
		insert_held(sequence, sender, i, range);
	} else {
		if (range.first < there->first)
			there->first = range.first;
		if (range.last > there->last)
			there->last = range.last;
		join_held(sequence, sender, i);
	}
	update_hole(sequence, sender);
	return SEQUENCE_HELD;
}

/* Where a sender begins for us, when its first message is here. */
static int64_t
first_number(const struct sender *sender, int64_t first, bool all)
{
	if (all)
		return 1;
	if (sender->floor > 0 && first > sender->floor)
		return sender->floor + 1;
	return first;
}

/* It is shown once. */
static enum sequence_verdict
take_far(struct sender *sender, struct room_range range)
{
	if (sender->far.first <= range.first && range.last <= sender->far.last)
		return SEQUENCE_OLD;
	sender->far = range;
	return SEQUENCE_NEXT;
}

bool
sequence_jump(struct sequence *sequence, struct span uid, int64_t first,
	struct room_range *shown)
{
	struct sender *sender = find(sequence, uid);

	if (sender == NULL || sender->far.first == 0 ||
		first <= sender->far.last ||
		first - sender->far.last > SEQUENCE_JUMP_MAX)
		return false;
	*shown = sender->far;
	sender->far = (struct room_range){ 0 };
	if (sender->next == 0)
		sender->next = sender->begun = sender->floor + 1;
	if (sender->top < shown->first - 1)
		sender->top = shown->first - 1;
	update_hole(sequence, sender);
	return true;
}

enum sequence_verdict
sequence_take(struct sequence *sequence, struct span uid, int64_t first,
	int64_t last, bool all, int64_t *from)
{
	bool made;

	assert(first > 0 && last >= first);
	struct sender *sender = touch(sequence, uid, &made);
	*from = first;
	int64_t known = sender->floor > sender->top ? sender->floor
						    : sender->top;
	if ((!made || all) && first - known > SEQUENCE_JUMP_MAX)
		return take_far(sender, (struct room_range){ first, last });
	if (sender->next == 0 || (sender->guessed && all)) {
		set_next(sequence, sender, first_number(sender, first, all));
		sender->begun = sender->next;
	}
	if (sender->guessed && first < sender->next)
		sender->next = sender->begun = first;
	if (last < sender->next)
		return SEQUENCE_OLD;
	if (first > sender->next)
		return hold(sequence, sender,
			(struct room_range){ first, last });
	*from = sender->next;
	set_next(sequence, sender, last + 1);
	return SEQUENCE_NEXT;
}

int64_t
sequence_ready(const struct sequence *sequence, struct span uid)
{
	const struct sender *sender = find(sequence, uid);

	if (sender == NULL || sender->held_count == 0 ||
		sender->held[0].first > sender->next)
		return 0;
	return sender->next;
}

void
sequence_deliver(struct sequence *sequence, struct span uid, int64_t last)
{
	struct sender *sender = find(sequence, uid);

	assert(sender != NULL && last >= sender->next);
	set_next(sequence, sender, last + 1);
}

void
sequence_drop(struct sequence *sequence, struct span uid, int64_t number,
	int64_t until)
{
	struct sender *sender = find(sequence, uid);

	assert(sender != NULL && sender->held_count > 0 &&
		sender->held[0].first == number);
	if (sender->held[0].last < until)
		remove_held(sequence, sender, 0);
	else
		sender->held[0].first = until;
	update_hole(sequence, sender);
}

void
sequence_claim(struct sequence *sequence, struct span uid, int64_t last,
	bool all)
{
	bool made;

	if (last <= 0)
		return;
	struct sender *sender = touch(sequence, uid, &made);
	if (made && !all) {
		sender->floor = last;
		return;
	}
	if (last - (sender->next == 0 ? sender->floor : sender->top) >
		SEQUENCE_JUMP_MAX) {
		if (made)
			forget(sequence, sender);
		return;
	}
	if (sender->next == 0 && !all && last <= sender->floor)
		return;
	if (sender->next == 0)
		sender->next = sender->begun = all ? 1 : sender->floor + 1;
	if (last > sender->top)
		sender->top = last;
	update_hole(sequence, sender);
}

void
sequence_disclaim(struct sequence *sequence, struct span uid, bool stranger)
{
	struct sender *sender = find(sequence, uid);

	if (sender == NULL || sender->next == 0)
		return;
	if (sender->held_count == 0 && stranger) {
		forget(sequence, sender);
		return;
	}
	sender->top = sender->held_count > 0
		? sender->held[sender->held_count - 1].last
		: sender->next - 1;
	update_hole(sequence, sender);
}

bool
sequence_knows(const struct sequence *sequence, struct span uid)
{
	return find(sequence, uid) != NULL;
}

static const char *
replace(char **old, struct span value)
{
	if (value.len > 0 && !span_equal(span_of(*old), value)) {
		free(*old);
		*old = memory_copy(value.bytes, value.len);
	}
	return *old;
}

void
sequence_set_sender(struct sequence *sequence, struct span uid,
	struct span user, struct span inbox)
{
	struct sender *sender = find(sequence, uid);

	if (sender == NULL)
		return;
	sender->hole.user = replace(&sender->user, user);
	sender->hole.inbox = replace(&sender->inbox, inbox);
}

static void
add_missing(struct room_range *ranges, size_t *count, size_t max, int64_t first,
	int64_t last)
{
	if (first <= last && *count < max)
		ranges[(*count)++] = (struct room_range){ first, last };
}

size_t
sequence_missing(const struct sequence *sequence, struct span uid,
	struct room_range *ranges, size_t max)
{
	const struct sender *sender = find(sequence, uid);
	size_t count = 0;

	if (sender == NULL || sender->next == 0)
		return 0;
	int64_t next = sender->next;
	for (size_t i = 0; i < sender->held_count; i++) {
		add_missing(ranges, &count, max, next,
			sender->held[i].first - 1);
		next = sender->held[i].last + 1;
	}
	add_missing(ranges, &count, max, next, sender->top);
	return count;
}

/* Takes lost range i out, and puts up to two others there. */
static void
replace_lost(struct sequence *sequence, struct sender *sender, size_t i,
	const struct room_range *ranges, size_t count)
{
	size_t behind = sender->lost_count - i - 1;

	sender->lost = memory_resize(sender->lost, sender->lost_count + 1,
		sizeof(*sender->lost));
	memmove(sender->lost + i + count, sender->lost + i + 1,
		behind * sizeof(*sender->lost));
	if (ranges != NULL)
		memcpy(sender->lost + i, ranges, count * sizeof(*ranges));
	set_lost_count(sequence, sender, i + count + behind);
}

/* Remembers what was given up; it is above all that was before. */
static void
add_lost(struct sequence *sequence, struct sender *sender,
	struct room_range range)
{
	if (sender->lost_count > 0 &&
		sender->lost[sender->lost_count - 1].last + 1 == range.first) {
		sender->lost[sender->lost_count - 1].last = range.last;
		return;
	}
	if (sender->lost_count > 0 &&
		(sender->lost_count >= SEQUENCE_LOST_MAX ||
			sequence->lost_count >= SEQUENCE_LOST_ALL))
		replace_lost(sequence, sender, 0, NULL, 0);
	if (sequence->lost_count >= SEQUENCE_LOST_ALL)
		return;
	sender->lost = memory_resize(sender->lost, sender->lost_count + 1,
		sizeof(*sender->lost));
	sender->lost[sender->lost_count] = range;
	set_lost_count(sequence, sender, sender->lost_count + 1);
}

bool
sequence_find_lost(const struct sequence *sequence, struct span uid,
	int64_t first, int64_t last, struct room_range *lost)
{
	const struct sender *sender = find(sequence, uid);

	for (size_t i = 0; sender != NULL && i < sender->lost_count; i++) {
		*lost = sender->lost[i];
		if (lost->first > last || lost->last < first)
			continue;
		if (lost->first < first)
			lost->first = first;
		if (lost->last > last)
			lost->last = last;
		return true;
	}
	return false;
}

void
sequence_remove_lost(struct sequence *sequence, struct span uid,
	struct room_range lost)
{
	struct sender *sender = find(sequence, uid);
	struct room_range left[2];
	size_t count = 0, i = 0;

	while (sender->lost[i].last < lost.first)
		i++;
	struct room_range there = sender->lost[i];
	if (there.first < lost.first)
		left[count++] = (struct room_range){ there.first,
			lost.first - 1 };
	if (there.last > lost.last)
		left[count++] = (struct room_range){ lost.last + 1,
			there.last };
	replace_lost(sequence, sender, i, left, count);
}

/* Joins a range to one that it touches; false if there is none. */
static bool
join_early(struct sender *sender, struct room_range range)
{
	for (size_t i = 0; i < sender->early_count; i++) {
		struct room_range *early = &sender->early[i];

		if (early->last + 1 == range.first)
			early->last = range.last;
		else if (range.last + 1 == early->first)
			early->first = range.first;
		else
			continue;
		return true;
	}
	return false;
}

bool
sequence_take_early(struct sequence *sequence, struct span uid,
	struct room_range *early)
{
	struct sender *sender = find(sequence, uid);

	if (sender == NULL || early->first >= sender->begun)
		return false;
	if (early->last >= sender->begun)
		early->last = sender->begun - 1;
	const struct room_range range = *early;
	for (size_t i = 0; i < sender->early_count; i++)
		if (range.first <= sender->early[i].last &&
			range.last >= sender->early[i].first)
			return false;
	if (join_early(sender, range))
		return true;
	if (sender->early_count == SEQUENCE_EARLY_MAX ||
		sequence->early_count == SEQUENCE_EARLY_ALL)
		return false;
	sender->early = memory_resize(sender->early, sender->early_count + 1,
		sizeof(*sender->early));
	sender->early[sender->early_count++] = range;
	sequence->early_count++;
	return true;
}

bool
sequence_skip(struct sequence *sequence, struct span uid, int64_t until,
	struct room_range *given_up)
{
	struct sender *sender = find(sequence, uid);

	if (sequence_missing(sequence, uid, given_up, 1) == 0)
		return false;
	if (given_up->last > until)
		given_up->last = until;
	add_lost(sequence, sender, *given_up);
	set_next(sequence, sender, given_up->last + 1);
	return true;
}

static struct sequence_hole *
hole_of(struct sender *sender)
{
	return sender != NULL ? &sender->hole : NULL;
}

struct sequence_hole *
sequence_first_hole(const struct sequence *sequence)
{
	return hole_of(sequence->first_hole);
}

struct sequence_hole *
sequence_next_hole(const struct sequence_hole *hole)
{
	const void *sender = hole;

	return hole_of(((const struct sender *)sender)->after);
}

struct sequence_hole *
sequence_hole(const struct sequence *sequence, struct span uid)
{
	struct sender *sender = find(sequence, uid);

	return sender != NULL && sender->holed ? &sender->hole : NULL;
}

void
sequence_list(const struct sequence *sequence, sequence_each *each,
	void *context)
{
	for (const struct sender *sender = table_oldest(sequence->senders);
		sender != NULL; sender = table_newer(sender))
		if (sender->next > 0)
			each(context,
				&(struct sequence_past){
					.uid = span_of(table_key(sender)),
					.done = sender->next - 1,
					.begun = sender->begun,
					.early = sender->early,
					.early_count = sender->early_count,
				});
}

void
sequence_guess(struct sequence *sequence, struct span uid)
{
	struct sender *sender = find(sequence, uid);

	if (sender != NULL) {
		sender->guessed = true;
		sender->begun = sender->next;
	}
}

void
sequence_begin(struct sequence *sequence, struct span uid, int64_t first)
{
	bool made;
	struct sender *sender = touch(sequence, uid, &made);

	if (sender->next != 0 || (sender->floor > 0 && first > sender->floor))
		return;
	set_next(sequence, sender, first);
	sender->begun = first;
	sender->guessed = true;
}

void
sequence_restore(struct sequence *sequence, struct span uid, int64_t done)
{
	bool made;
	struct sender *sender = touch(sequence, uid, &made);

	if (done >= sender->next)
		set_next(sequence, sender, done + 1);
}

void
sequence_restore_past(struct sequence *sequence,
	const struct sequence_past *past)
{
	sequence_restore(sequence, past->uid, past->done);
	struct sender *sender = find(sequence, past->uid);
	if (sender->begun != 0)
		return;
	sender->begun = past->begun < sender->next ? past->begun : sender->next;
	for (size_t i = 0; i < past->early_count; i++) {
		struct room_range range = past->early[i];

		sequence_take_early(sequence, past->uid, &range);
	}
}

void
sequence_skip_to(struct sequence *sequence, struct span uid, int64_t next)
{
	bool made;
	struct sender *sender = touch(sequence, uid, &made);

	if (sender->next == 0)
		sender->begun = next;
	if (next > sender->next)
		set_next(sequence, sender, next);
}

uint64_t
sequence_displaced(const struct sequence *sequence)
{
	return sequence->displaced;
}

uint64_t
sequence_unheld(const struct sequence *sequence)
{
	return sequence->unheld;
}
