/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <inttypes.h>

enum {
	/* Bytes and messages published, at most: a fixed sum, … */
	BYTES_EACH = 8000,        /* for each member, */
	BYTES_EACH_MINUTE = 6000, /* for each of its minutes, */
	BYTES_EACH_RECORD = 6000, /* and for each record that was said */
	MESSAGES_EACH = 40,
	MESSAGES_EACH_MINUTE = 12,
	MESSAGES_EACH_RECORD = 12,
};

/* From when on a participant is to have what a sender says: from its own
 * coming, or where the sender was there before, from when it heard of it. */
static int64_t
required_since(const struct node *node, const struct node *sender)
{
	const struct ledger *ledger = &node->ledgers[sender->index];
	int64_t margin = node->world->totals.seen >> SEEN_SKEW & 1
		? 2 * SKEW_MAX_MS
		: 0;

	if (node->first_up == 0)
		return INT64_MAX;
	if (sender->kind == NODE_POSTER ||
		sender->began > node->first_up + margin)
		return node->first_up + margin;
	if (ledger->heard == 0)
		return INT64_MAX;
	return (ledger->heard > node->first_up ? ledger->heard
					       : node->first_up) +
		margin;
}

/* Has somebody this number who is still there? */
static struct node *
find_holder(struct node *node, struct node *sender, int64_t number)
{
	struct world *world = node->world;

	for (int i = 0; i < world->node_count; i++) {
		struct node *holder = world->nodes[i];

		if (holder == node || holder->member == NULL ||
			holder->ledgers == NULL || holder->store_count > 0)
			continue;
		if (holder == sender
				? node_post(holder, number)->proved > 0
				: holder->ledgers[sender->index].has[number] >
					0)
			return holder;
	}
	return NULL;
}

static void
check_complete_of(struct node *node, struct node *sender)
{
	struct ledger *ledger = &node->ledgers[sender->index];
	int64_t since = required_since(node, sender);

	for (int64_t i = 1; i <= sender->last; i++) {
		const struct post *post = node_post(sender, i);

		bool gap = ledger->state[i] == LEDGER_GAP;

		if (ledger->state[i] != LEDGER_NOTHING && !gap)
			continue;
		if (gap ? ledger->came_late[i] : ledger->arrived[i])
			world_break(node->world, PROMISE_DELIVERED,
				"%s has heard %s:%" PRId64
				", and did not deliver it",
				node->name, sender->name, i);
		if (post->proved == 0 || post->mono <= since || gap)
			continue;
		struct node *holder = find_holder(node, sender, i);
		if (holder != NULL || i < ledger->high)
			world_break(node->world, PROMISE_DELIVERED,
				"%s was not told of %s:%" PRId64
				", which %s has",
				node->name, sender->name, i,
				holder != NULL ? holder->name : "nobody");
	}
}

static void
check_complete(struct node *node)
{
	struct world *world = node->world;

	for (int i = 0; i < world->node_count; i++)
		if (world->nodes[i] != node)
			check_complete_of(node, world->nodes[i]);
	if (!member_is_caught_up(node->member))
		world_break(world, PROMISE_CATCH_UP,
			"%s is still not caught up", node->name);
}

static struct node *
find_veteran(const struct world *world)
{
	for (int i = 0; i < world->node_count; i++)
		if (world->nodes[i]->veteran && world->nodes[i]->member != NULL)
			return world->nodes[i];
	return NULL;
}

struct exact {
	int64_t available, wanted, got;
	int64_t oldest_got, newest_left; /* ms */
};

/* One number that was there when the newcomer came. */
static void
count_exact(struct node *node, const struct node *sender, int64_t number,
	const struct post *post, struct exact *exact)
{
	bool got = node->ledgers[sender->index].state[number] ==
		LEDGER_REPLAYED;

	exact->available++;
	if (node->catch_up_since > 0 && post->ms >= node->catch_up_since)
		exact->wanted++;
	if (got) {
		exact->got++;
		if (post->ms < exact->oldest_got)
			exact->oldest_got = post->ms;
	} else if (post->ms > exact->newest_left) {
		exact->newest_left = post->ms;
	}
}

static void
collect_exact(struct node *node, struct node *veteran, struct exact *exact)
{
	struct world *world = node->world;

	for (int i = 0; i < world->node_count; i++) {
		struct node *sender = world->nodes[i];

		for (int64_t n = 1; n <= sender->last && sender != node; n++) {
			const struct post *post = node_post(sender, n);
			enum ledger_state state = veteran->ledgers[i].state[n];

			if (post->mono < node->started &&
				(sender == veteran ? post->proved > 0
						   : state == LEDGER_DELIVERED))
				count_exact(node, sender, n, post, exact);
		}
	}
}

static void
check_exact(struct node *node)
{
	struct world *world = node->world;
	struct node *veteran = find_veteran(world);
	struct exact exact = { .oldest_got = INT64_MAX, .newest_left = -1 };

	if (!node->exact || veteran == NULL)
		return;
	world_see(world, SEEN_EXACT);
	collect_exact(node, veteran, &exact);
	if (node->catch_up_records > 0)
		exact.wanted = node->catch_up_records < exact.available
			? node->catch_up_records
			: exact.available;
	if (exact.got != exact.wanted)
		world_break(world, PROMISE_CATCH_UP,
			"%s got %" PRId64 " records of %" PRId64
			" that it wanted, of %" PRId64,
			node->name, exact.got, exact.wanted, exact.available);
	else if (exact.got > 0 && exact.newest_left > exact.oldest_got)
		world_break(world, PROMISE_CATCH_UP,
			"%s got what is older than what it did not get",
			node->name);
}

/* In calm, what was said long before a newcomer came and was to be had by
 * everybody is replayed, even if others talk meanwhile. */
static void
check_replayed(struct node *node)
{
	struct world *world = node->world;
	const struct node *veteran = find_veteran(world);
	bool all = node->catch_up_records >= (int64_t)world->totals.said;

	if (!world->calm || veteran == NULL || veteran == node ||
		(node->catch_up_since == 0 && !all))
		return;
	for (int i = 0; i < world->node_count; i++) {
		struct node *sender = world->nodes[i];

		for (int64_t n = 1; n <= sender->last && sender != node; n++) {
			const struct post *post = node_post(sender, n);

			if (post->proved == 0 ||
				post->proved > node->started - 3000 ||
				(!all && post->ms < node->catch_up_since) ||
				node->ledgers[i].state[n] == LEDGER_REPLAYED)
				continue;
			world_break(world, PROMISE_CATCH_UP,
				"%s was not given %s:%" PRId64, node->name,
				sender->name, n);
		}
	}
}

/* A listener with its state, in calm: it missed nothing while it was away. */
static void
check_restored(struct node *node)
{
	struct world *world = node->world;

	if (node->ancestor < 0 || !world->calm || find_veteran(world) == NULL)
		return;
	const struct node *ancestor = world->nodes[node->ancestor];
	for (int i = 0; i < world->node_count; i++) {
		struct node *sender = world->nodes[i];

		for (int64_t n = 1; n <= sender->last; n++) {
			const struct post *post = node_post(sender, n);

			if (sender == node || sender == ancestor ||
				post->proved == 0 || ancestor->first_up == 0 ||
				post->mono <= ancestor->first_up + 5000 ||
				node->ledgers[i].state[n] != LEDGER_NOTHING)
				continue;
			world_break(world, PROMISE_DELIVERED,
				"%s missed %s:%" PRId64 " while it was away",
				node->name, sender->name, n);
		}
	}
}

static void
check_node(struct node *node)
{
	struct world *world = node->world;

	if (node->kind != NODE_PARTICIPANT) {
		world_break(world, PROMISE_SETTLED, "%s does not end",
			node->name);
		return;
	}
	if (node->link != LINK_UP)
		world_break(world, PROMISE_SETTLED, "%s is not connected",
			node->name);
	if (member_unproved(node->member) > 0)
		world_break(world, PROMISE_SETTLED, "%s still awaits a proof",
			node->name);
	if (node->pings >= 3) {
		int64_t third = node->pings_minute[node->pings % 3];

		if (world->now.mono - third < QUIET_MS / 2)
			world_break(world, PROMISE_TRAFFIC,
				"%s says too often that it is here",
				node->name);
	}
	check_complete(node);
	check_exact(node);
	check_replayed(node);
	check_restored(node);
}

static void
check_traffic(struct world *world)
{
	struct totals *totals = &world->totals;
	uint64_t minutes = (uint64_t)world->minutes;
	uint64_t nodes = (uint64_t)world->node_count;
	uint64_t bytes = BYTES_EACH * nodes + BYTES_EACH_MINUTE * minutes +
		BYTES_EACH_RECORD * totals->said;
	uint64_t messages = MESSAGES_EACH * nodes +
		MESSAGES_EACH_MINUTE * minutes +
		MESSAGES_EACH_RECORD * totals->said;

	totals->bytes_share = totals->bytes * 100 / bytes;
	totals->published_share = totals->published * 100 / messages;
	if (world->now.mono - world->noise_mono < QUIET_MS - 2000)
		world_break(world, PROMISE_TRAFFIC,
			"there is no quiet: %.3f s before the end %s",
			(double)(world->now.mono - world->noise_mono) / 1000,
			world->noise);
	if (totals->bytes_share > 100)
		world_break(world, PROMISE_TRAFFIC,
			"%" PRIu64 " bytes were published, for %" PRIu64
			" records of %" PRIu64 " bytes",
			totals->bytes, totals->said, totals->said_bytes);
	if (totals->published_share > 100)
		world_break(world, PROMISE_TRAFFIC,
			"%" PRIu64 " messages were published, for %" PRIu64
			" records",
			totals->published, totals->said);
}

void
check_settled(struct world *world)
{
	world_trace(world, "the end");
	for (int i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->member == NULL)
			continue;
		check_node(node);
		check_counts(node);
	}
	if (world->spool_count > 0)
		world_break(world, PROMISE_SETTLED,
			"%d messages stay in the spool", world->spool_count);
	check_traffic(world);
}
