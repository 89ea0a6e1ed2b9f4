/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "memory.h"
#include "table.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct item {
	struct sender *sender;
	int64_t first, last, ms;
	size_t at, len; /* its bytes in the ring */
};

/* Who said kept messages: their places among all that ever came, by number. */
struct sender {
	uint64_t *places; /* from start on */
	size_t start, count, size;
};

struct store {
	size_t capacity; /* of the ring of bytes */
	size_t head;     /* where the next message goes in it */
	char *memory;    /* the ring, … */
	size_t memory_size;
	FILE *spill; /* … or the unlinked file that it is in, … */
	int file;    /* … and its descriptor; -1 */

	struct item *items; /* a ring: place i is at i modulo items_size */
	size_t items_size, count, count_max;
	uint64_t oldest; /* place of the oldest item */
	struct table *senders;
	struct store_counts counts;
};

/* Of 32 bits a size_t would hold what is left over of a large bound. */
static size_t
bound(int64_t given, size_t usual)
{
	if (given <= 0)
		return usual;
	return (uint64_t)given < SIZE_MAX / 4 ? (size_t)given : SIZE_MAX / 4;
}

struct store *
store_new(int64_t bytes_max, int64_t count_max)
{
	struct store *store = memory_alloc(1, sizeof(*store));

	store->capacity = bound(bytes_max, STORE_BYTES_MAX);
	store->count_max = bound(count_max, STORE_COUNT_MAX);
	store->file = -1;
	store->senders = table_new(sizeof(struct sender), store->count_max);
	return store;
}

static struct item *
item_at(const struct store *store, uint64_t place)
{
	return &store->items[place % store->items_size];
}

static uint64_t *
place_at(const struct sender *sender, size_t i)
{
	return &sender->places[sender->start + i];
}

/* Its i-th message is no longer found. */
static void
forget(struct store *store, struct sender *sender, size_t i)
{
	item_at(store, *place_at(sender, i))->sender = NULL;
	memmove(place_at(sender, 1), place_at(sender, 0),
		i * sizeof(*sender->places));
	sender->start++;
	sender->count--;
	if (sender->count == 0) {
		free(sender->places);
		table_remove(store->senders, sender);
	}
}

/* False if it was forgotten before. */
static bool
drop_oldest(struct store *store)
{
	struct sender *sender = item_at(store, store->oldest)->sender;
	size_t i = 0;

	if (sender != NULL) {
		while (*place_at(sender, i) != store->oldest)
			i++;
		forget(store, sender, i);
	}
	store->oldest++;
	store->count--;
	return sender != NULL;
}

void
store_free(struct store *store)
{
	if (store == NULL)
		return;
	while (store->count > 0)
		drop_oldest(store);
	table_free(store->senders);
	if (store->spill != NULL)
		fclose(store->spill);
	free(store->memory);
	free(store->items);
	free(store);
}

static bool
write_file(int file, const char *bytes, size_t len, size_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(file, bytes, len, (off_t)at);

		if (n <= 0)
			return false;
		bytes += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

/* The ring outgrows memory: to a file with it, or it grows no more. */
static void
spill(struct store *store)
{
	FILE *stream = tmpfile();
	int file = stream != NULL ? fileno(stream) : -1;

	if (file < 0 || fcntl(file, F_SETFD, FD_CLOEXEC) < 0 ||
		!write_file(file, store->memory, store->memory_size, 0)) {
		store->capacity = STORE_MEMORY_MAX;
		if (stream != NULL)
			fclose(stream);
		return;
	}
	store->spill = stream;
	store->file = file;
	free(store->memory);
	store->memory = NULL;
}

/* The oldest make room for len bytes in a row; returns where. */
static size_t
make_room(struct store *store, size_t len)
{
	for (;;) {
		if (store->count == 0)
			return 0;
		size_t tail = item_at(store, store->oldest)->at;
		size_t head = store->head;

		if (head > tail && store->capacity - head >= len)
			return head;
		if (head > tail && tail >= len)
			return 0;
		if (head <= tail && tail - head >= len)
			return head;
		store->counts.over_bytes += drop_oldest(store);
	}
}

static bool
write_ring(struct store *store, struct span bytes, size_t at)
{
	if (store->file >= 0)
		return write_file(store->file, bytes.bytes, bytes.len, at);
	if (at + bytes.len > store->memory_size) {
		store->memory_size = at + bytes.len;
		store->memory = memory_resize(store->memory, store->memory_size,
			1);
	}
	memcpy(store->memory + at, bytes.bytes, bytes.len);
	return true;
}

static void
grow_items(struct store *store)
{
	size_t size = store->items_size > 0 ? store->items_size * 2 : 64;
	struct item *items = memory_alloc(size, sizeof(*items));

	for (uint64_t place = store->oldest;
		place < store->oldest + store->count; place++)
		items[place % size] = *item_at(store, place);
	free(store->items);
	store->items = items;
	store->items_size = size;
}

/* The first of a sender's messages that does not end before a number. */
static size_t
search(const struct store *store, const struct sender *sender, int64_t number)
{
	size_t low = 0, high = sender->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (item_at(store, *place_at(sender, middle))->last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct item *
find(const struct store *store, struct span uid, int64_t number)
{
	const struct sender *sender = table_find(store->senders, uid);
	size_t i = sender != NULL ? search(store, sender, number) : 0;

	if (sender == NULL || i == sender->count)
		return NULL;
	return item_at(store, *place_at(sender, i));
}

/* Room behind the last place: seldom enough to be cheap. */
static void
grow_places(struct sender *sender)
{
	if (sender->start + sender->count < sender->size)
		return;
	if (sender->start > sender->size / 2) {
		memmove(sender->places, place_at(sender, 0),
			sender->count * sizeof(*sender->places));
		sender->start = 0;
		return;
	}
	sender->size = sender->size > 0 ? sender->size * 2 : 1;
	sender->places = memory_resize(sender->places, sender->size,
		sizeof(*sender->places));
}

static void
index_item(struct store *store, struct span uid, const struct item *item)
{
	bool made;
	struct sender *sender = table_touch(store->senders, uid, &made);
	size_t i = search(store, sender, item->first);

	grow_places(sender);
	memmove(place_at(sender, i + 1), place_at(sender, i),
		(sender->count - i) * sizeof(*sender->places));
	uint64_t place = store->oldest + store->count++;
	*place_at(sender, i) = place;
	sender->count++;
	*item_at(store, place) = *item;
	item_at(store, place)->sender = sender;
}

void
store_put(struct store *store, struct span uid, int64_t first, int64_t last,
	int64_t ms, struct span bytes)
{
	const struct item *there = find(store, uid, first);
	struct item item = { .first = first,
		.last = last,
		.ms = ms,
		.len = bytes.len };

	if (there != NULL && there->first <= last)
		return;
	if (bytes.len > store->capacity) {
		store->counts.over_bytes++;
		return;
	}
	if (store->count == store->count_max)
		store->counts.over_count += drop_oldest(store);
	if (store->file < 0 && store->capacity > STORE_MEMORY_MAX &&
		store->head + bytes.len > STORE_MEMORY_MAX)
		spill(store);
	if (bytes.len > store->capacity) {
		store->counts.over_bytes++;
		return;
	}
	item.at = make_room(store, bytes.len);
	if (!write_ring(store, bytes, item.at))
		return;
	store->head = item.at + bytes.len;
	if (store->count == store->items_size)
		grow_items(store);
	index_item(store, uid, &item);
}

void
store_drop(struct store *store, struct span uid, int64_t number)
{
	struct sender *sender = table_find(store->senders, uid);
	size_t i = sender != NULL ? search(store, sender, number) : 0;

	if (sender != NULL && i < sender->count &&
		item_at(store, *place_at(sender, i))->first <= number)
		forget(store, sender, i);
}

static void
fill(const struct item *item, struct store_item *out)
{
	*out = (struct store_item){
		.uid = table_key(item->sender),
		.first = item->first,
		.last = item->last,
		.ms = item->ms,
		.len = item->len,
	};
}

bool
store_next(const struct store *store, struct span uid, int64_t number,
	struct store_item *out)
{
	const struct item *item = find(store, uid, number);

	if (item == NULL)
		return false;
	fill(item, out);
	return true;
}

static bool
read_ring(const struct store *store, char *bytes, size_t len, size_t at)
{
	if (store->file < 0) {
		memcpy(bytes, store->memory + at, len);
		return true;
	}
	while (len > 0) {
		ssize_t n = pread(store->file, bytes, len, (off_t)at);

		if (n <= 0)
			return false;
		bytes += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

bool
store_read(const struct store *store, struct span uid, int64_t number,
	struct text *bytes)
{
	const struct item *item = find(store, uid, number);

	if (item == NULL || item->first > number)
		return false;
	text_clear(bytes);
	return read_ring(store, text_extend(bytes, item->len), item->len,
		item->at);
}

size_t
store_count(const struct store *store)
{
	return store->count;
}

struct store_counts
store_counts(const struct store *store)
{
	return store->counts;
}

static int
by_sender(const void *a, const void *b)
{
	const struct store_item *left = a, *right = b;
	int order = strcmp(left->uid, right->uid);

	if (order != 0)
		return order;
	return left->first < right->first ? -1 : left->first > right->first;
}

static int
by_time(const void *a, const void *b)
{
	const struct store_item *left = a, *right = b;

	if (left->ms != right->ms)
		return left->ms < right->ms ? -1 : 1;
	return by_sender(a, b);
}

/* A sender's clock that was set back does not change its order. */
static void
make_rising(struct store_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (items[i].uid == items[i - 1].uid &&
			items[i].ms < items[i - 1].ms)
			items[i].ms = items[i - 1].ms;
}

/* How many from the end make up so many records. */
static size_t
count_newest(const struct store_item *items, size_t count, int64_t records)
{
	size_t newest = 0;

	while (newest < count && records > 0) {
		newest++;
		records -= items[count - newest].last -
			items[count - newest].first + 1;
	}
	return newest;
}

size_t
store_history(const struct store *store, int64_t since, int64_t until,
	int64_t records, struct store_item **out)
{
	struct store_item *items = memory_alloc(store->count + 1,
		sizeof(*items));
	size_t count = 0;

	for (uint64_t place = store->oldest;
		place < store->oldest + store->count; place++) {
		const struct item *item = item_at(store, place);

		if (item->sender != NULL && item->ms >= since &&
			item->ms <= until)
			fill(item, &items[count++]);
	}
	qsort(items, count, sizeof(*items), by_sender);
	make_rising(items, count);
	qsort(items, count, sizeof(*items), by_time);
	size_t newest = records < 0 ? count
				    : count_newest(items, count, records);
	memmove(items, items + (count - newest), newest * sizeof(*items));
	*out = items;
	return newest;
}
