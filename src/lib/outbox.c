/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct item {
	char *uid;
	int64_t first, last, ms, serial;
	bool unconfirmed;
	struct text envelope;
	size_t payload_at, payload_len;
};

/* A ring: item i is at (start + i) modulo size. */
struct outbox {
	struct item *items;
	size_t start, count, size;
	size_t bytes;
	int64_t serial; /* of the last one */
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
outbox_add(struct outbox *outbox, const struct outbox_post *post,
	struct text *envelope, struct span payload)
{
	if (outbox->count == outbox->size)
		grow(outbox);
	outbox->count++;
	outbox->bytes += envelope->len;
	*item_at(outbox, outbox->count - 1) = (struct item){
		.uid = memory_string(post->uid),
		.first = post->first,
		.last = post->last,
		.ms = post->ms,
		.serial = ++outbox->serial,
		.unconfirmed = post->unconfirmed,
		.envelope = *envelope,
		.payload_at = (size_t)(payload.bytes - envelope->bytes),
		.payload_len = payload.len,
	};
	*envelope = (struct text){ 0 };
}

struct outbox_post
outbox_at(const struct outbox *outbox, size_t i)
{
	const struct item *item = item_at(outbox, i);

	return (struct outbox_post){
		.uid = item->uid,
		.first = item->first,
		.last = item->last,
		.ms = item->ms,
		.serial = item->serial,
		.unconfirmed = item->unconfirmed,
		.envelope = { item->envelope.bytes, item->envelope.len },
		.payload = { item->envelope.bytes + item->payload_at,
			item->payload_len },
	};
}

void
outbox_replace(struct outbox *outbox, size_t i, struct text *envelope,
	struct span payload)
{
	struct item *item = item_at(outbox, i);

	assert(payload.len == item->payload_len);
	outbox->bytes += envelope->len;
	outbox->bytes -= item->envelope.len;
	item->payload_at = (size_t)(payload.bytes - envelope->bytes);
	text_free(&item->envelope);
	item->envelope = *envelope;
	*envelope = (struct text){ 0 };
}

void
outbox_move(struct outbox *from, size_t i, struct outbox *to)
{
	struct outbox_post post = outbox_at(from, i);
	struct item *item = item_at(from, i);
	struct text envelope = item->envelope;

	outbox_add(to, &post, &envelope, post.payload);
	from->bytes -= item->envelope.len;
	item->envelope = (struct text){ 0 };
	outbox_remove(from, i);
}

void
outbox_remove(struct outbox *outbox, size_t i)
{
	struct item *item = item_at(outbox, i);

	outbox->bytes -= item->envelope.len;
	text_free(&item->envelope);
	free(item->uid);
	for (; i > 0; i--)
		*item_at(outbox, i) = *item_at(outbox, i - 1);
	outbox->start = (outbox->start + 1) % outbox->size;
	outbox->count--;
}

bool
outbox_find(const struct outbox *outbox, struct span uid, int64_t first,
	struct span payload, size_t *i)
{
	for (*i = 0; *i < outbox->count; ++*i) {
		const struct item *item = item_at(outbox, *i);
		struct span own = { item->envelope.bytes + item->payload_at,
			item->payload_len };

		if (item->first == first && span_equal(own, payload) &&
			span_equal(span_of(item->uid), uid))
			return true;
	}
	return false;
}

bool
outbox_has(const struct outbox *outbox, struct span uid)
{
	for (size_t i = 0; i < outbox->count; i++)
		if (span_equal(span_of(item_at(outbox, i)->uid), uid))
			return true;
	return false;
}

void
outbox_drop(struct outbox *outbox)
{
	assert(outbox->count > 0);
	outbox_remove(outbox, 0);
}

size_t
outbox_count(const struct outbox *outbox)
{
	return outbox->count;
}

size_t
outbox_bytes(const struct outbox *outbox)
{
	return outbox->bytes;
}
