/* SPDX-License-Identifier: Apache-2.0 */
#include "fabric.h"

#include "check.h"
#include "link.h"

enum { HELD_MAX = 40 }; /* before a parted bridge */

int64_t
fabric_latency(struct world *world)
{
	return world->faults.latency +
		dice_roll(&world->dice, 0, world->faults.jitter);
}

static bool
is_lost(struct node *node)
{
	struct world *world = node->world;

	if (node->burst == 0 &&
		dice_chance(&world->dice, world->faults.burst)) {
		node->burst = (int)dice_roll(&world->dice, 2, 20);
		world_see(world, SEEN_BURST);
	}
	if (node->burst > 0) {
		node->burst--;
		return true;
	}
	return dice_chance(&world->dice, world->faults.loss);
}

static void
push_down(struct node *node, enum event_kind kind, struct packet *packet,
	int64_t mono)
{
	queue_push(&node->world->queue,
		(struct event){ .mono = mono,
			.kind = kind,
			.node = node->index,
			.epoch = node->session_epoch,
			.packet = packet });
}

void
fabric_send_down(struct node *node, enum event_kind kind)
{
	int64_t mono = node->world->now.mono + fabric_latency(node->world);

	if (mono < node->down_last)
		mono = node->down_last;
	node->down_last = mono;
	push_down(node, kind, NULL, mono);
}

/* When a message arrives, in a storm. */
static int64_t
storm_arrival(struct node *node, int64_t mono)
{
	struct world *world = node->world;

	if (dice_chance(&world->dice, world->faults.reorder)) {
		world_see(world, SEEN_REORDER);
		mono += dice_roll(&world->dice, 0, 2000);
		node_disturb(node, mono);
		return mono;
	}
	if (dice_chance(&world->dice, world->faults.stall)) {
		world_see(world, SEEN_STALL);
		mono += dice_roll(&world->dice, 100, 5000);
		node_disturb(node, mono);
	}
	if (mono < node->down_last)
		mono = node->down_last;
	node->down_last = mono;
	return mono;
}

static void
trace_lost(struct node *node, const struct packet *packet)
{
	struct text text = { 0 };

	if (!node->world->trace)
		return;
	packet_describe(node->world, packet, &text);
	world_print(node->world, "%s  LOST %s", node->name, text.bytes);
	text_free(&text);
}

static void
send_packet_down(struct node *node, struct packet *packet)
{
	struct world *world = node->world;
	int64_t mono = world->now.mono + fabric_latency(world);

	if (world->storm && is_lost(node)) {
		world_see(world, SEEN_LOSS);
		trace_lost(node, packet);
		node_disturb(node, world->now.mono);
		return;
	}
	if (world->storm)
		mono = storm_arrival(node, mono);
	else if (mono < node->down_last)
		mono = node->down_last;
	if (!world->storm)
		node->down_last = mono;
	push_down(node, EVENT_DOWN_PUBLISH, packet_share(packet), mono);
	if (world->storm && dice_chance(&world->dice, world->faults.twice)) {
		world_see(world, SEEN_DOUBLE);
		push_down(node, EVENT_DOWN_PUBLISH, packet_share(packet),
			mono + dice_roll(&world->dice, 0, 3000));
	}
}

static void
deliver_side(struct world *world, struct packet *packet, int side)
{
	for (int i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->session && node->side == side &&
			(packet->room ? node->subscribed : packet->to == i))
			send_packet_down(node, packet);
	}
}

static void
push_bridge(struct world *world, struct packet *packet, int side, int64_t mono)
{
	if (mono < world->bridge_last[side])
		mono = world->bridge_last[side];
	world->bridge_last[side] = mono;
	queue_push(&world->queue,
		(struct event){ .mono = mono,
			.kind = EVENT_BRIDGE,
			.node = -1,
			.value = side,
			.packet = packet_share(packet) });
}

/* Accepts a message. */
static void
route(struct world *world, struct packet *packet, int side)
{
	check_routed(world, packet);
	deliver_side(world, packet, side);
	if (world->two)
		push_bridge(world, packet, 1 - side,
			world->now.mono + fabric_latency(world));
}

static void
cross_bridge(struct world *world, struct event *event)
{
	int side = (int)event->value;

	if (world->now.mono < world->down_until[side])
		return;
	if (!world->parted) {
		world->held = 0;
		deliver_side(world, event->packet, side);
	} else if (world->faults.holds && world->held < HELD_MAX) {
		world->held++;
		push_bridge(world, event->packet, side, world->parted_until);
	}
}

static void
end_session(struct node *node)
{
	node->session = node->subscribed = false;
	packet_free(node->will);
	node->will = NULL;
}

/* A link has ended that the node did not end. */
static void
publish_will(struct node *node)
{
	struct packet *will = node->will;

	node->will = NULL;
	end_session(node);
	if (will == NULL)
		return;
	world_trace(node->world, "%s  its will is published", node->name);
	route(node->world, will, node->side);
	packet_free(will);
}

static void
accept_node(struct node *node, struct event *event)
{
	if (node->session)
		publish_will(node);
	node->session_epoch = event->epoch;
	if (node->world->now.mono < node->world->down_until[node->side]) {
		fabric_send_down(node, EVENT_DOWN_REFUSED);
		return;
	}
	node->session = true;
	node->subscribed = event->value != 0;
	node->will = event->packet;
	event->packet = NULL;
	fabric_send_down(node, EVENT_DOWN_CONNECTED);
}

static void
accept_packet(struct node *node, struct packet *packet)
{
	struct world *world = node->world;

	route(world, packet, node->side);
	if (world->storm && dice_chance(&world->dice, world->faults.up_twice))
		route(world, packet, node->side);
}

void
fabric_handle(struct world *world, struct event *event)
{
	struct node *node = event->node >= 0 ? world->nodes[event->node] : NULL;

	if (event->kind == EVENT_BRIDGE) {
		cross_bridge(world, event);
		return;
	}
	if (event->kind == EVENT_LINK_MISSED) {
		if (node->session && node->session_epoch == event->epoch)
			publish_will(node);
		return;
	}
	if (!link_arrives(node, event))
		return;
	if (event->kind == EVENT_UP_CONNECT) {
		accept_node(node, event);
		return;
	}
	if (!node->session || node->session_epoch != event->epoch)
		return;
	if (event->kind == EVENT_UP_PUBLISH)
		accept_packet(node, event->packet);
	else if (event->kind == EVENT_UP_ATTEND)
		node->subscribed = event->value != 0;
	else
		end_session(node);
}

void
fabric_crash(struct world *world, int side, int64_t ms)
{
	world_trace(world, "broker %d crashes, for %lld ms", side,
		(long long)ms);
	world_see(world, SEEN_CRASH);
	world->down_until[side] = world->now.mono + ms;
	for (int i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->side != side)
			continue;
		end_session(node);
		link_lose(node, true);
	}
}

static void
disturb_all(struct world *world)
{
	for (int i = 0; i < world->node_count; i++)
		node_disturb(world->nodes[i], world->now.mono);
}

void
fabric_part(struct world *world, int64_t ms)
{
	world_trace(world, "the brokers are parted, for %lld ms",
		(long long)ms);
	world_see(world, SEEN_PARTITION);
	world->parted = true;
	if (world->parted_until < world->now.mono + ms)
		world->parted_until = world->now.mono + ms;
	disturb_all(world);
}

void
fabric_heal(struct world *world)
{
	if (!world->parted)
		return;
	world_trace(world, "the brokers are together again");
	world->parted = false;
	disturb_all(world);
}
