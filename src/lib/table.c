/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "memory.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What stands before each entry. */
struct node {
	struct node *older, *newer;
	bool is_favoured;
	size_t key_len;
	char key[TABLE_KEY_MAX + 1];
	_Alignas(max_align_t) unsigned char entry[];
};

struct table {
	void *tree;
	/* One list: the others, and behind them those that are favoured. */
	struct node *oldest, *newest;
	struct node *favoured; /* the oldest of these, or NULL */
	size_t count;
	size_t entry_size, entries_max;
	uint64_t displaced;
};

static int
compare(const void *a, const void *b)
{
	const struct node *left = a, *right = b;

	if (left->key_len != right->key_len)
		return left->key_len < right->key_len ? -1 : 1;
	return memcmp(left->key, right->key, left->key_len);
}

static const struct node *
node_of(const void *entry)
{
	const unsigned char *bytes = entry;

	return (const struct node *)(const void *)(bytes -
		offsetof(struct node, entry));
}

static struct node *
own_node(void *entry)
{
	unsigned char *bytes = entry;

	return (struct node *)(void *)(bytes - offsetof(struct node, entry));
}

struct table *
table_new(size_t entry_size, size_t entries_max)
{
	struct table *table = memory_alloc(1, sizeof(*table));

	assert(entries_max > 0);
	table->entry_size = entry_size;
	table->entries_max = entries_max;
	return table;
}

static void
unlink_node(struct table *table, struct node *node)
{
	if (table->favoured == node)
		table->favoured = node->newer;
	if (node->older != NULL)
		node->older->newer = node->newer;
	else
		table->oldest = node->newer;
	if (node->newer != NULL)
		node->newer->older = node->older;
	else
		table->newest = node->older;
}

/* As the newest of its kind. */
static void
link_newest(struct table *table, struct node *node)
{
	node->newer = node->is_favoured ? NULL : table->favoured;
	node->older = node->newer != NULL ? node->newer->older : table->newest;
	if (node->older != NULL)
		node->older->newer = node;
	else
		table->oldest = node;
	if (node->newer != NULL)
		node->newer->older = node;
	else
		table->newest = node;
	if (node->is_favoured && table->favoured == NULL)
		table->favoured = node;
}

static void
drop(struct table *table, struct node *node)
{
	tdelete(node, &table->tree, compare);
	unlink_node(table, node);
	table->count--;
	free(node);
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	while (table->oldest != NULL)
		drop(table, table->oldest);
	free(table);
}

static struct node *
find(const struct table *table, struct span key)
{
	struct node wanted = { .key_len = key.len };

	if (key.len > TABLE_KEY_MAX)
		return NULL;
	if (key.len > 0)
		memcpy(wanted.key, key.bytes, key.len);
	void *const *found = tfind(&wanted, &table->tree, compare);
	return found != NULL ? *found : NULL;
}

void *
table_find(const struct table *table, struct span key)
{
	struct node *node = find(table, key);

	return node != NULL ? node->entry : NULL;
}

static struct node *
add(struct table *table, struct span key)
{
	if (table->count == table->entries_max) {
		drop(table, table->oldest);
		table->displaced++;
	}

	struct node *node = memory_alloc(1, sizeof(*node) + table->entry_size);
	node->key_len = key.len;
	if (key.len > 0)
		memcpy(node->key, key.bytes, key.len);
	if (tsearch(node, &table->tree, compare) == NULL)
		memory_out();
	table->count++;
	return node;
}

void *
table_touch(struct table *table, struct span key, bool *made)
{
	struct node *node = find(table, key);

	assert(key.len <= TABLE_KEY_MAX);
	*made = node == NULL;
	if (node == NULL)
		node = add(table, key);
	else
		unlink_node(table, node);
	link_newest(table, node);
	return node->entry;
}

void
table_favour(struct table *table, void *entry)
{
	struct node *node = own_node(entry);

	unlink_node(table, node);
	node->is_favoured = true;
	link_newest(table, node);
}

void
table_remove(struct table *table, void *entry)
{
	drop(table, own_node(entry));
}

size_t
table_count(const struct table *table)
{
	return table->count;
}

uint64_t
table_displaced(const struct table *table)
{
	return table->displaced;
}

void *
table_oldest(const struct table *table)
{
	return table->oldest != NULL ? table->oldest->entry : NULL;
}

void *
table_oldest_favoured(const struct table *table)
{
	return table->favoured != NULL ? table->favoured->entry : NULL;
}

void *
table_newer(const void *entry)
{
	struct node *newer = node_of(entry)->newer;

	return newer != NULL ? newer->entry : NULL;
}

const char *
table_key(const void *entry)
{
	return node_of(entry)->key;
}
