/* SPDX-License-Identifier: Apache-2.0 */
#include "heads.h"

#include "memory.h"
#include "table.h"

#include <stdlib.h>

struct head {
	int64_t last, ms, since;
};

struct heads {
	struct table *senders; /* of struct head, by UID */
	struct room_minute minutes[HEADS_MINUTES_MAX];
};

struct heads *
heads_new(void)
{
	struct heads *heads = memory_alloc(1, sizeof(*heads));

	heads->senders = table_new(sizeof(struct head), ROOM_HEADS_MAX);
	return heads;
}

void
heads_free(struct heads *heads)
{
	if (heads == NULL)
		return;
	table_free(heads->senders);
	free(heads);
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* FNV-1a, 64 bits. */
static uint64_t
hash(struct span bytes)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.len; i++)
		sum = (sum ^ (unsigned char)bytes.bytes[i]) *
			UINT64_C(0x100000001b3);
	return sum;
}

uint64_t
heads_message_digest(struct span uid, int64_t first, int64_t last)
{
	return mix(mix(hash(uid) + (uint64_t)first) + (uint64_t)last);
}

uint64_t
heads_digest(const struct room_head *list, size_t count)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < count; i++)
		digest += heads_message_digest(list[i].uid, 0, list[i].last);
	return digest;
}

/* The minute's slot; one that is not remembered takes the place of the oldest,
 * unless it is older still. */
static struct room_minute *
minute_slot(struct heads *heads, int64_t minute)
{
	struct room_minute *oldest = &heads->minutes[0];

	for (size_t i = 0; i < HEADS_MINUTES_MAX; i++) {
		struct room_minute *slot = &heads->minutes[i];

		if (slot->minute == minute)
			return slot;
		if (slot->minute < oldest->minute)
			oldest = slot;
	}
	if (minute < oldest->minute)
		return NULL;
	*oldest = (struct room_minute){ minute, 0 };
	return oldest;
}

void
heads_note(struct heads *heads, struct span uid, int64_t first, int64_t last,
	int64_t ms, int64_t since, int64_t wall)
{
	bool made;
	struct head *head = table_touch(heads->senders, uid, &made);
	struct room_minute *minute = ms / HEADS_MINUTE_MS <=
			wall / HEADS_MINUTE_MS + 1
		? minute_slot(heads, ms / HEADS_MINUTE_MS)
		: NULL;

	if (last > head->last)
		*head = (struct head){ last, ms, since };
	if (minute != NULL)
		minute->digest += heads_message_digest(uid, first, last);
}

size_t
heads_list(const struct heads *heads, struct room_head *list)
{
	size_t count = table_count(heads->senders), i = count;

	for (const struct head *head = table_oldest(heads->senders);
		head != NULL; head = table_newer(head))
		list[--i] = (struct room_head){ span_of(table_key(head)),
			head->last, head->ms, head->since };
	return count;
}

uint64_t
heads_minute(const struct heads *heads, int64_t minute)
{
	for (size_t i = 0; i < HEADS_MINUTES_MAX; i++)
		if (heads->minutes[i].minute == minute)
			return heads->minutes[i].digest;
	return 0;
}

int64_t
heads_closed_minute(int64_t wall)
{
	return (wall - HEADS_CLOSED_MS) / HEADS_MINUTE_MS - 1;
}
