/* SPDX-License-Identifier: Apache-2.0 */
#include "fabric.h"
#include "link.h"
#include "story.h"

#include <string.h>

/* What happens, when it does. */

void
story_in(struct world *world, int64_t ms, int node, enum act act,
	int64_t argument)
{
	queue_push(&world->queue,
		(struct event){ .mono = world->now.mono + ms,
			.kind = EVENT_ACT,
			.node = node,
			.epoch = (uint32_t)argument,
			.value = act });
}

static bool
is_in_spool(const struct world *world)
{
	return world->spool_count > 0;
}

/* A flush is made when the spool is to be flushed, by one at a time. */
static void
act_flush(struct world *world)
{
	for (int i = 0; i < world->node_count; i++)
		if (world->nodes[i]->kind == NODE_FLUSH &&
			world->nodes[i]->member != NULL)
			return;
	if (!is_in_spool(world) || world->node_count == NODES_MAX)
		return;
	struct node *node = node_add(world, NODE_FLUSH);
	node->side = world->two ? (int)dice_roll(&world->dice, 0, 1) : 0;
	/* As a stream, or as one who says single posts. */
	node->pace = dice_chance(&world->dice, 500) ? -1 : 0;
	node_start(node);
	world->acted_mono = world->now.mono;
	story_in(world, dice_roll(&world->dice, 4000, 15000), node->index,
		ACT_PATIENCE, 0);
	if (world->storm && dice_chance(&world->dice, 400))
		story_in(world, dice_roll(&world->dice, 1, 300), node->index,
			ACT_KILL, dice_roll(&world->dice, 0, 1));
}

static void
act_kill(struct node *node, bool hard)
{
	if (node->member == NULL)
		return;
	if (node->kind == NODE_FLUSH)
		world_see(node->world, SEEN_FLUSH_BROKEN);
	node_kill(node, node->kind == NODE_FLUSH && !hard);
}

/* The next lines of a stream, some as a block, some alone. */
static void
act_stream(struct node *node)
{
	struct world *world = node->world;
	int64_t lines = dice_roll(&world->dice, 1,
		node->to_say < 8 ? node->to_say : 8);

	if (dice_chance(&world->dice, 500)) {
		node_say(node, lines, false);
	} else {
		for (int64_t i = 0; i < lines && node->member != NULL; i++)
			node_say(node, 1, false);
	}
	node->to_say -= lines;
	if (node->member == NULL)
		return;
	if (node->to_say > 0)
		story_in(world, dice_roll(&world->dice, 0, node->pace),
			node->index, ACT_STREAM, 0);
	else
		node_finish(node);
}

/* Who has something to say does not wait for ever for a link. */
static void
act_patience(struct node *node)
{
	if (node->member == NULL)
		return;
	if (node->link != LINK_UP && node->to_say == 0)
		node_kill(node, true);
	else
		story_in(node->world, 2000, node->index, ACT_PATIENCE, 0);
}

static struct node *
make_successor(struct node *node)
{
	struct world *world = node->world;
	struct node *next = node_add(world, NODE_PARTICIPANT);

	next->side = node->side;
	next->skew = node->skew;
	next->lag = node->lag;
	next->store_count = node->store_count;
	return next;
}

/* What the state says that was delivered, the next process will not get
 * again; but it does not have the bytes. */
static void
hand_on_state(struct node *node, struct node *next)
{
	next->ancestor = node->index;
	member_save(node->member, node_now(node), NULL, 0, &next->state);
	memcpy(next->ledgers, node->ledgers,
		NODES_MAX * sizeof(*next->ledgers));
	for (int i = 0; i < NODES_MAX; i++) {
		struct ledger *ledger = &next->ledgers[i];

		memset(ledger->has, 0, sizeof(ledger->has));
		memset(ledger->known, 0, sizeof(ledger->known));
		memset(ledger->arrived, 0, sizeof(ledger->arrived));
		ledger->known_top = ledger->arrived_top = 0;
		ledger->heard = 0;
	}
	world_trace(node->world, "%s  saves its state for %s", node->name,
		next->name);
}

static void
act_restart(struct node *node, enum restart how)
{
	struct world *world = node->world;
	int64_t away = dice_roll(&world->dice, 10, 15000);

	if (node->member == NULL || world->node_count == NODES_MAX)
		return;
	struct node *next = make_successor(node);
	if (how != RESTART_FORGETFUL)
		hand_on_state(node, next);
	world_see(world,
		how == RESTART_FORGETFUL          ? SEEN_FORGETFUL
			: how == RESTART_RESTORED ? SEEN_RESTORED
						  : SEEN_RESTORED_STALE);
	if (how == RESTART_STALE) {
		int64_t later = dice_roll(&world->dice, 10, 10000);

		story_in(world, later, node->index, ACT_KILL, 1);
		away += later;
	} else if (dice_chance(&world->dice, 500)) {
		node_leave(node);
	} else {
		node_kill(node, false);
	}
	story_in(world, away, next->index, ACT_START, 0);
}

static void
act_start(struct node *node)
{
	struct world *world = node->world;

	world->acted_mono = world->now.mono;
	if (world->now.mono - world->said_mono < 3000)
		node->exact = false;
	node_start(node);
	if (node->catch_up_records > 0 || node->catch_up_since > 0)
		world_see(world, SEEN_NEWCOMER);
	if (node->kind == NODE_POSTER) {
		world_see(world, SEEN_LONE_POST);
		node_say(node, 1, dice_chance(&world->dice, 200));
		node_finish(node);
	} else if (node->kind == NODE_STREAM) {
		world_see(world, SEEN_STREAM);
		act_stream(node);
	}
}

static void
act_cut(struct node *node, int64_t ms)
{
	if (!node->world->storm)
		return;
	node->away_until = node->world->now.mono + ms;
	link_lose(node, false);
}

/* What is said while one catches up is not known to be replayed. */
static void
unsettle_newcomers(struct world *world)
{
	for (int i = 0; i < world->node_count; i++)
		if (world->nodes[i]->member != NULL &&
			!member_is_caught_up(world->nodes[i]->member))
			world->nodes[i]->exact = false;
}

static void
act_say(struct node *node, int64_t lines)
{
	if (node->first_up > 0)
		node_say(node, lines > 0 ? lines : 1, lines == 0);
	unsettle_newcomers(node->world);
}

static void
act_again(struct node *node)
{
	if (node->member == NULL || member_given_up(node->member) == 0)
		return;
	world_see(node->world, SEEN_AGAIN);
	node_say_again(node);
	unsettle_newcomers(node->world);
}

static void
act_calm(struct world *world)
{
	world_trace(world, "the storm is over");
	world->storm = false;
	world->acted_mono = world->now.mono;
	fabric_heal(world);
	world->down_until[0] = world->down_until[1] = world->now.mono;
	for (int i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		node->away_until = world->now.mono;
		node->burst = 0;
		link_thaw(node);
		if (node->dead)
			link_lose(node, false);
	}
}

static void
act_on_node(struct node *node, enum act act, int64_t argument)
{
	switch (act) {
	case ACT_START:
		act_start(node);
		break;
	case ACT_SAY:
		act_say(node, argument);
		break;
	case ACT_STREAM:
		act_stream(node);
		break;
	case ACT_AGAIN:
		act_again(node);
		break;
	case ACT_PATIENCE:
		act_patience(node);
		break;
	case ACT_LEAVE:
		node_leave(node);
		break;
	case ACT_RESTART:
		act_restart(node, (enum restart)argument);
		break;
	case ACT_CUT:
		act_cut(node, argument);
		break;
	case ACT_LOSE:
		link_lose(node, false);
		break;
	case ACT_DIE:
		link_die(node);
		break;
	case ACT_FREEZE:
		link_freeze(node, argument);
		break;
	case ACT_KILL:
		act_kill(node, argument != 0);
		break;
	default:
		break;
	}
}

void
story_act(struct world *world, const struct event *event)
{
	struct node *node = event->node >= 0 ? world->nodes[event->node] : NULL;
	enum act act = (enum act)event->value;
	int64_t argument = event->epoch;

	if (act == ACT_CRASH) {
		fabric_crash(world, event->node, argument);
	} else if (act == ACT_PART) {
		fabric_part(world, argument);
		story_in(world, argument, -1, ACT_HEAL, 0);
	} else if (act == ACT_HEAL) {
		if (world->now.mono >= world->parted_until)
			fabric_heal(world);
	} else if (act == ACT_FLUSH) {
		act_flush(world);
	} else if (act == ACT_CALM) {
		act_calm(world);
	} else if (node_is_frozen(node)) {
		story_in(world, node->frozen_until + 1 - world->now.mono,
			node->index, act, argument);
	} else {
		act_on_node(node, act, argument);
	}
}
