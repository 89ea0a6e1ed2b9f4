/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

enum { STORM_LEAST_MS = 15 * 1000, STORM_MOST_MS = 100 * 1000 };

static int64_t
roll(struct world *world, int64_t least, int64_t most)
{
	return dice_roll(&world->dice, least, most);
}

static bool
chance(struct world *world, int permille)
{
	return dice_chance(&world->dice, permille);
}

static struct node *
add(struct world *world, enum node_kind kind, int64_t start)
{
	struct node *node = node_add(world, kind);

	if (world->two)
		node->side = (int)roll(world, 0, 1);
	if (world->totals.seen >> SEEN_SKEW & 1)
		node->skew = roll(world, -SKEW_MAX_MS, SKEW_MAX_MS);
	if (chance(world, 200))
		node->lag = roll(world, 1, 20);
	story_in(world, start, node->index, ACT_START, 0);
	return node;
}

/* Often several at once, as people talk. */
static void
plan_talk(struct world *world, const struct node *node, int64_t from,
	int64_t until, int64_t count)
{
	int64_t at = roll(world, from, until);

	for (int64_t i = 0; i < count; i++) {
		int64_t lines = chance(world, 150) ? 0
			: chance(world, 150)       ? roll(world, 2, 6)
						   : 1;

		story_in(world, at, node->index, ACT_SAY, lines);
		at = chance(world, 400) ? at + roll(world, 0, 300)
					: roll(world, from, until);
	}
}

static void
plan_participants(struct world *world, int64_t storm)
{
	int64_t count = roll(world, 2, 4);

	for (int64_t i = 0; i < count; i++) {
		int64_t start = i == 0       ? 0
			: chance(world, 150) ? roll(world, 0, storm)
					     : roll(world, 0, 3000);
		struct node *node = add(world, NODE_PARTICIPANT, start);

		node->veteran = i == 0;
		if (i > 0 && chance(world, 60)) {
			node->store_count = (size_t)roll(world, 1, 8);
			world_see(world, SEEN_SMALL_STORE);
		}
		if (chance(world, 600))
			plan_talk(world, node, start + 3000,
				storm > start + 6000 ? storm : start + 6000,
				roll(world, 1, 12));
		if (chance(world, 500))
			plan_talk(world, node, storm + 4000, storm + 9000,
				roll(world, 1, 3));
		if (i == 0)
			continue;
		if (chance(world, 150))
			story_in(world, roll(world, 5000, storm + 10000),
				node->index, ACT_RESTART, roll(world, 0, 2));
		else if (chance(world, 60))
			story_in(world, roll(world, 5000, storm + 10000),
				node->index, ACT_LEAVE, 0);
	}
}

/* Who says something and goes. */
static void
plan_sayers(struct world *world, int64_t storm)
{
	for (int64_t i = chance(world, 600) ? roll(world, 1, 2) : 0; i > 0;
		i--) {
		int64_t start = roll(world, 3000, storm);
		struct node *node = add(world, NODE_STREAM, start);

		node->to_say = roll(world, 5, 60);
		node->pace = chance(world, 500) ? roll(world, 0, 50)
						: roll(world, 50, 1500);
		story_in(world, start + roll(world, 4000, 15000), node->index,
			ACT_PATIENCE, 0);
		if (chance(world, 200))
			story_in(world, start + roll(world, 0, 3000),
				node->index, ACT_CUT, roll(world, 1, 60000));
	}
	for (int64_t i = chance(world, 700) ? roll(world, 1, 3) : 0; i > 0;
		i--) {
		int64_t start = roll(world, 3000, storm);
		struct node *node = add(world, NODE_POSTER, start);

		story_in(world, start + roll(world, 3000, 10000), node->index,
			ACT_PATIENCE, 0);
		if (chance(world, 200))
			story_in(world, start + roll(world, 0, 100),
				node->index, ACT_CUT, roll(world, 1, 60000));
	}
}

static struct node *
plan_newcomer(struct world *world, int64_t start)
{
	struct node *node = add(world, NODE_PARTICIPANT, start);

	if (chance(world, 600))
		node->catch_up_records = chance(world, 500)
			? roll(world, 1, 10)
			: roll(world, 1, 200);
	else
		node->catch_up_since = world->now.wall + node->skew +
			roll(world, 0, start);
	return node;
}

static void
plan_newcomers(struct world *world, int64_t storm)
{
	if (chance(world, 300))
		plan_newcomer(world, roll(world, 5000, storm + 10000));
	if (!world->calm || !chance(world, 700))
		return;
	/* Nobody says anything when it comes. */
	struct node *node = plan_newcomer(world, storm + 45000);
	node->exact = !(world->totals.seen >> SEEN_SKEW & 1);
	if (chance(world, 300))
		plan_talk(world, world->nodes[0], storm + 44900, storm + 46000,
			3);
	plan_talk(world, world->nodes[0], storm + 60000, storm + 62000, 2);
}

/* Some kinds of faults, now rare, now frequent. */
static int
draw_rate(struct world *world, int64_t most)
{
	if (!chance(world, 400))
		return 0;
	return (int)roll(world, 1, chance(world, 500) ? most : most / 8 + 1);
}

static void
draw_rates(struct world *world)
{
	world->faults.loss = draw_rate(world, 250);
	world->faults.burst = draw_rate(world, 30);
	world->faults.twice = draw_rate(world, 150);
	world->faults.stall = draw_rate(world, 60);
	world->faults.reorder = draw_rate(world, 150);
	world->faults.up_twice = draw_rate(world, 80);
	world->faults.flaky = draw_rate(world, 500);
	world->faults.holds = chance(world, 500);
}

static int
some_node(struct world *world)
{
	return (int)roll(world, 0, world->node_count - 1);
}

static void
plan_links(struct world *world, int64_t storm)
{
	if (chance(world, 500))
		for (int64_t i = roll(world, 1, 6); i > 0; i--)
			story_in(world, roll(world, 0, storm), some_node(world),
				ACT_LOSE, 0);
	if (chance(world, 300))
		for (int64_t i = roll(world, 1, 3); i > 0; i--)
			story_in(world, roll(world, 0, storm), some_node(world),
				ACT_CUT, roll(world, 1, 60000));
	if (chance(world, 250))
		for (int64_t i = roll(world, 1, 3); i > 0; i--)
			story_in(world, roll(world, 0, storm), some_node(world),
				ACT_DIE, 0);
	if (chance(world, 250))
		for (int64_t i = roll(world, 1, 3); i > 0; i--)
			story_in(world, roll(world, 0, storm), some_node(world),
				ACT_FREEZE, roll(world, 100, 20000));
}

static void
plan_brokers(struct world *world, int64_t storm)
{
	if (chance(world, 200))
		for (int64_t i = roll(world, 1, 2); i > 0; i--)
			story_in(world, roll(world, 0, storm),
				world->two ? (int)roll(world, 0, 1) : 0,
				ACT_CRASH, roll(world, 10, 20000));
	if (!world->two || !chance(world, 600))
		return;
	for (int64_t i = roll(world, 1, 2); i > 0; i--) {
		int64_t at = roll(world, 0, storm - 1000);

		story_in(world, at, -1, ACT_PART,
			roll(world, 100, storm - at - 100));
	}
}

static void
plan_storm(struct world *world, int64_t storm)
{
	world->storm = true;
	draw_rates(world);
	plan_links(world, storm);
	plan_brokers(world, storm);
	for (int64_t i = roll(world, 0, 2); i > 0; i--)
		story_in(world, roll(world, 0, storm), -1, ACT_FLUSH, 0);
}

void
story_plan(struct world *world)
{
	int64_t storm = roll(world, STORM_LEAST_MS, STORM_MOST_MS);

	world->calm = chance(world, 250);
	world->two = chance(world, 400);
	world->faults.latency = roll(world, 1, 40);
	world->faults.jitter = roll(world, 0, 40);
	if (chance(world, 120))
		world_see(world, SEEN_SKEW);
	if (world->calm)
		world_see(world, SEEN_CALM);
	plan_participants(world, storm);
	plan_sayers(world, storm);
	plan_newcomers(world, storm);
	if (!world->calm)
		plan_storm(world, storm);
	story_in(world, storm, -1, ACT_CALM, 0);
	for (int64_t i = 0; i < 4; i++)
		story_in(world, storm + 4000 + i * 10000, -1, ACT_FLUSH, 0);
}
