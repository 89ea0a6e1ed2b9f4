/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <inttypes.h>

/*
 * A gap may be told when nobody has the message any more.  It was told too
 * early if somebody had it, and it and the one who missed it were well and
 * could hear each other, for so long that it should have come.
 */

enum {
	/* With who is still there, if something hindered them before. */
	WINDOW_MS = 6 * 1000,
	/* With the sender, who is gone by now. */
	SENDER_WINDOW_MS = 2500,
};

/* Since when a node can send this number again; 0: it cannot. */
static int64_t
has_since(struct node *node, struct node *sender, int64_t number)
{
	if (node == sender)
		return node->kind == NODE_PARTICIPANT ||
				node->kind == NODE_STREAM
			? node_post(node, number)->proved
			: 0;
	return node->ledgers != NULL ? node->ledgers[sender->index].has[number]
				     : 0;
}

/*
 * Since when nothing hindered both: 0 if something does.  *whole tells whether
 * that is so since it was known to be missing.
 */
static int64_t
unhindered_since(struct node *node, struct node *holder, struct node *sender,
	int64_t number, bool *whole)
{
	int64_t since = has_since(holder, sender, number);
	int64_t known = node->ledgers[sender->index].known[number];

	if (since == 0 || known == 0 || holder->store_count > 0 ||
		(node->world->parted && holder->side != node->side) ||
		(holder->member != NULL && !node_is_well(holder)))
		return 0;
	if (node->disturbed > since)
		since = node->disturbed;
	if (holder->disturbed > since)
		since = holder->disturbed;
	*whole = since <= known;
	return *whole ? known : since;
}

/* Could this one have sent it in time? */
static bool
could_send(struct node *node, struct node *holder, struct node *sender,
	int64_t number, int64_t *ms)
{
	bool gone = holder->member == NULL, whole;
	int64_t since = unhindered_since(node, holder, sender, number, &whole);

	*ms = (gone ? holder->gone : node->world->now.mono) - since;
	if (since == 0)
		return false;
	if (gone)
		return *ms >= (holder == sender ? SENDER_WINDOW_MS : WINDOW_MS);
	return whole || *ms >= WINDOW_MS;
}

static void
check_number(struct node *node, struct node *sender, int64_t number)
{
	struct world *world = node->world;
	int64_t ms;

	for (int i = 0; i < world->node_count; i++) {
		struct node *holder = world->nodes[i];

		if (holder != node &&
			could_send(node, holder, sender, number, &ms))
			world_break(world, PROMISE_DELIVERED,
				"%s gives up %s:%" PRId64
				", though %s could have sent it for %" PRId64
				" ms",
				node->name, sender->name, number, holder->name,
				ms);
	}
}

/* Somebody without a link has asked nobody lately. */
static void
check_offline(struct node *node, struct node *sender, int64_t number)
{
	struct world *world = node->world;

	for (int i = 0; i < world->node_count; i++) {
		struct node *holder = world->nodes[i];

		if (holder != node && holder->member != NULL &&
			holder->store_count == 0 &&
			has_since(holder, sender, number) > 0)
			world_break(world, PROMISE_DELIVERED,
				"%s, without a link, gives up %s:%" PRId64
				", which %s has",
				node->name, sender->name, number, holder->name);
	}
}

void
check_gap(struct node *node, struct node *sender, int64_t first, int64_t last)
{
	if (node->world->calm)
		world_break(node->world, PROMISE_DELIVERED,
			"%s gives up %s:%" PRId64 ", and there is no storm",
			node->name, sender->name, first);
	for (int64_t i = first; i <= last; i++) {
		if (node->link == LINK_UP)
			check_number(node, sender, i);
		else
			check_offline(node, sender, i);
	}
}
