/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct item {
	int64_t first, last;
	struct text envelope;
	size_t payload_at, payload_len;
};

/* A ring: item i is at (start + i) modulo size. */
struct outbox {
	struct item *items;
	size_t start, count, size;
};

struct outbox *
outbox_new(void)
{
	return memory_alloc(1, sizeof(struct outbox));
}

void
outbox_free(struct outbox *outbox)
{
	if (outbox == NULL)
		return;
	while (outbox->count > 0)
		outbox_drop(outbox);
	free(outbox->items);
	free(outbox);
}

static struct item *
item_at(const struct outbox *outbox, size_t i)
{
	assert(i < outbox->count);
	return &outbox->items[(outbox->start + i) % outbox->size];
}

static void
grow(struct outbox *outbox)
{
	size_t size = outbox->size > 0 ? outbox->size * 2 : 8;
	struct item *items = memory_alloc(size, sizeof(*items));

	for (size_t i = 0; i < outbox->count; i++)
		items[i] = *item_at(outbox, i);
	free(outbox->items);
	outbox->items = items;
	outbox->size = size;
	outbox->start = 0;
}

void
outbox_add(struct outbox *outbox, int64_t first, int64_t last,
	struct text *envelope, struct span payload)
{
	assert(outbox->count == 0 ||
		item_at(outbox, outbox->count - 1)->last < first);
	if (outbox->count == outbox->size)
		grow(outbox);
	outbox->count++;
	*item_at(outbox, outbox->count - 1) = (struct item){ first, last,
		*envelope, (size_t)(payload.bytes - envelope->bytes),
		payload.len };
	*envelope = (struct text){ 0 };
}

struct outbox_post
outbox_at(const struct outbox *outbox, size_t i)
{
	const struct item *item = item_at(outbox, i);

	return (struct outbox_post){ item->first, item->last,
		{ item->envelope.bytes, item->envelope.len },
		{ item->envelope.bytes + item->payload_at,
			item->payload_len } };
}

static void
remove_at(struct outbox *outbox, size_t i)
{
	text_free(&item_at(outbox, i)->envelope);
	for (; i > 0; i--)
		*item_at(outbox, i) = *item_at(outbox, i - 1);
	outbox->start = (outbox->start + 1) % outbox->size;
	outbox->count--;
}

int64_t
outbox_prove(struct outbox *outbox, int64_t first, struct span payload)
{
	for (size_t i = 0; i < outbox->count; i++) {
		struct outbox_post post = outbox_at(outbox, i);

		if (post.first > first)
			break;
		if (post.first != first)
			continue;
		if (!span_equal(post.payload, payload))
			return 0;
		remove_at(outbox, i);
		return post.last;
	}
	return 0;
}

void
outbox_drop(struct outbox *outbox)
{
	assert(outbox->count > 0);
	remove_at(outbox, 0);
}

size_t
outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}
