/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "check.h"
#include "fabric.h"

#include <stdio.h>
#include <string.h>

enum {
	BACKOFF_MS = 500,
	BACKOFF_MAX_MS = 8000,
	DETECT_MAX_MS = 45 * 1000, /* 1.5 times the keepalive */
};

static void
send_up(struct node *node, enum event_kind kind, struct packet *packet,
	int64_t value)
{
	struct world *world = node->world;
	int64_t mono = world->now.mono + fabric_latency(world);

	if (mono < node->up_last)
		mono = node->up_last;
	node->up_last = mono;
	queue_push(&world->queue,
		(struct event){ .mono = mono,
			.kind = kind,
			.node = node->index,
			.epoch = node->epoch,
			.value = value,
			.packet = packet });
}

bool
link_arrives(const struct node *node, const struct event *event)
{
	if (event->epoch == node->epoch && node->link != LINK_NONE &&
		!node->dead)
		return true;
	return event->epoch == node->cut_epoch && event->mono <= node->cut;
}

/* Of what is on its way, a part still reaches the broker. */
static void
cut(struct node *node)
{
	if (node->cut_epoch == node->epoch)
		return;
	node->cut_epoch = node->epoch;
	node->cut = node->world->now.mono +
		dice_roll(&node->world->dice, 0,
			node->world->faults.latency +
				node->world->faults.jitter);
}

static void
trace_packet(struct node *node, const char *verb, const struct packet *packet)
{
	struct text text = { 0 };

	if (!node->world->trace)
		return;
	packet_describe(node->world, packet, &text);
	world_print(node->world, "%s  %s %s", node->name, verb, text.bytes);
	text_free(&text);
}

void
link_publish(struct node *node, const char *topic, struct span bytes)
{
	struct world *world = node->world;
	struct packet *packet = packet_new(world, node->index, topic, bytes);

	trace_packet(node, "publishes", packet);
	check_published(node, packet);
	if (node->link == LINK_NONE) {
		world_break(world, PROMISE_TRAFFIC,
			"%s publishes without a connection", node->name);
		packet_free(packet);
		return;
	}
	send_up(node, EVENT_UP_PUBLISH, packet, 0);
}

void
link_attend(struct node *node, bool room)
{
	world_trace(node->world, "%s  %s", node->name,
		room ? "attends" : "attends no longer");
	node->attends = room;
	if (node->link != LINK_NONE)
		send_up(node, EVENT_UP_ATTEND, NULL, room);
}

void
link_connect_in(struct node *node, int64_t ms)
{
	node->connect_at = node->world->now.mono + ms;
	queue_push(&node->world->queue,
		(struct event){ .mono = node->connect_at,
			.kind = EVENT_CONNECT,
			.node = node->index });
}

/* The attempt has failed. */
static void
back_off(struct node *node)
{
	struct world *world = node->world;
	int64_t ms = world->storm ? node->backoff : BACKOFF_MS;

	node->backoff = node->backoff * 2 < BACKOFF_MAX_MS ? node->backoff * 2
							   : BACKOFF_MAX_MS;
	link_connect_in(node, dice_roll(&world->dice, ms / 2, ms));
}

static void
lose_soon(struct node *node, int64_t ms)
{
	queue_push(&node->world->queue,
		(struct event){ .mono = node->world->now.mono + ms,
			.kind = EVENT_LOSE,
			.node = node->index,
			.epoch = node->epoch });
}

static struct packet *
make_will(struct node *node, const char *conn)
{
	struct text bytes = { 0 };
	struct packet *will = NULL;

	if (member_will(node->member, conn, node_now(node), &bytes))
		will = packet_new(node->world, node->index,
			member_topic(node->member),
			(struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
	return will;
}

static void
open_link(struct node *node)
{
	struct world *world = node->world;
	char conn[20];

	node->epoch++;
	node->link = LINK_OPEN;
	node->dead = false;
	snprintf(conn, sizeof(conn), "%08x%08x", (unsigned)node->index,
		(unsigned)node->epoch);
	world_trace(world, "%s  connects", node->name);
	send_up(node, EVENT_UP_CONNECT, make_will(node, conn), node->attends);
	if (node->began == 0)
		node->began = world->now.mono;
	if (node->epoch > 1 && node->kind == NODE_STREAM)
		world_see(world, SEEN_STREAM_RECONNECT);
	member_connected(node->member, conn, node_now(node));
	node_touch(node);
	if (world->storm && dice_chance(&world->dice, world->faults.flaky))
		lose_soon(node,
			dice_roll(&world->dice, 0,
				4 * (world->faults.latency + 10)));
}

static void
try(struct node *node)
{
	struct world *world = node->world;

	if (node->member == NULL || node->link != LINK_NONE ||
		world->now.mono < node->connect_at)
		return;
	if (node_is_frozen(node)) {
		link_connect_in(node, node->frozen_until + 1 - world->now.mono);
		return;
	}
	if (world->now.mono < node->away_until ||
		world->now.mono < world->down_until[node->side]) {
		back_off(node);
		return;
	}
	open_link(node);
}

static void
broker_misses(struct node *node)
{
	struct world *world = node->world;
	int64_t ms = dice_chance(&world->dice, 700)
		? dice_roll(&world->dice, 1, 200)
		: dice_roll(&world->dice, 1000, DETECT_MAX_MS);

	queue_push(&world->queue,
		(struct event){ .mono = world->now.mono + ms,
			.kind = EVENT_LINK_MISSED,
			.node = node->index,
			.epoch = node->epoch });
}

void
link_die(struct node *node)
{
	struct world *world = node->world;

	if (node->link == LINK_NONE || node->dead)
		return;
	world_trace(world, "%s  its link is dead, unseen", node->name);
	world_see(world, SEEN_HALF_OPEN);
	cut(node);
	node->dead = true;
	node_disturb(node, world->now.mono);
	broker_misses(node);
	lose_soon(node, dice_roll(&world->dice, 1000, DETECT_MAX_MS));
}

void
link_lose(struct node *node, bool silent)
{
	struct world *world = node->world;

	if (node->link == LINK_NONE || node->member == NULL)
		return;
	cut(node);
	if (silent)
		node->cut = 0;
	node_disturb(node, world->now.mono);
	if (node_is_frozen(node)) {
		node->dead = node->lost = true;
		return;
	}
	world_trace(world, "%s  loses its link", node->name);
	world_see(world, SEEN_LINK_LOST);
	if (!silent && !node->dead)
		broker_misses(node);
	node->link = LINK_NONE;
	node->dead = false;
	member_disconnected(node->member, node_now(node));
	back_off(node);
	node_touch(node);
}

void
link_renew(struct node *node)
{
	if (node->link == LINK_NONE)
		return;
	world_trace(node->world, "%s  wants a fresh connection", node->name);
	world_see(node->world, SEEN_RETRY);
	cut(node);
	if (!node->dead)
		broker_misses(node);
	node->link = LINK_NONE;
	node->dead = false;
	member_disconnected(node->member, node_now(node));
	link_connect_in(node, 0);
}

void
link_close(struct node *node, bool graceful)
{
	if (node->link == LINK_NONE)
		return;
	if (graceful && !node->dead) {
		send_up(node, EVENT_UP_DISCONNECT, NULL, 0);
		node->cut_epoch = node->epoch;
		node->cut = INT64_MAX;
	} else {
		cut(node);
		broker_misses(node);
	}
	node->link = LINK_NONE;
}

void
link_freeze(struct node *node, int64_t ms)
{
	struct world *world = node->world;

	if (node_is_frozen(node) || node->member == NULL)
		return;
	world_trace(world, "%s  is frozen, for %lld ms", node->name,
		(long long)ms);
	world_see(world, SEEN_FREEZE);
	node->frozen_until = world->now.mono + ms;
	node_disturb(node, node->frozen_until);
	queue_push(&world->queue,
		(struct event){ .mono = node->frozen_until,
			.kind = EVENT_THAW,
			.node = node->index });
	node_touch(node);
}

static void
receive(struct node *node, const struct packet *packet)
{
	trace_packet(node, "hears", packet);
	check_heard(node, packet);
	member_receive(node->member, span_of(packet->topic),
		(struct span){ packet->bytes.bytes, packet->bytes.len },
		node_now(node));
}

void
link_thaw(struct node *node)
{
	if (!node_is_frozen(node))
		return;
	world_trace(node->world, "%s  goes on", node->name);
	node->frozen_until = 0;
	for (int i = 0; i < node->waiting_count; i++) {
		if (node->member != NULL)
			receive(node, node->waiting[i]);
		packet_free(node->waiting[i]);
	}
	node->waiting_count = 0;
	if (node->member == NULL)
		return;
	if (node->lost) {
		node->lost = false;
		link_lose(node, false);
	}
	node_touch(node);
}

/* A frozen process reads nothing; what does not fit is dropped. */
static void
keep_waiting(struct node *node, struct event *event)
{
	if (node->waiting_count == FROZEN_MAX) {
		world_see(node->world, SEEN_OVERFLOW);
		trace_packet(node, "LOST (queue)", event->packet);
		return;
	}
	node->waiting[node->waiting_count++] = event->packet;
	event->packet = NULL;
}

static void
connected(struct node *node)
{
	struct world *world = node->world;

	if (node->link != LINK_OPEN)
		return;
	world_trace(world, "%s  is connected", node->name);
	node->link = LINK_UP;
	node->backoff = BACKOFF_MS;
	node_disturb(node, world->now.mono);
	if (node->first_up == 0)
		node->first_up = world->now.mono;
	member_up(node->member, node_now(node));
	node_touch(node);
}

static void
handle_down(struct node *node, struct event *event)
{
	if (node->member == NULL || node->link == LINK_NONE ||
		event->epoch != node->epoch || node->dead)
		return;
	if (event->kind == EVENT_LOSE || event->kind == EVENT_DOWN_REFUSED) {
		link_lose(node, event->kind == EVENT_DOWN_REFUSED);
	} else if (node_is_frozen(node)) {
		/* What is no message is seen late, too. */
		if (event->kind == EVENT_DOWN_PUBLISH)
			keep_waiting(node, event);
		else
			node->lost = node->dead = true;
	} else if (event->kind == EVENT_DOWN_CONNECTED) {
		connected(node);
	} else {
		receive(node, event->packet);
		node_touch(node);
	}
}

void
link_handle(struct node *node, struct event *event)
{
	if (event->kind == EVENT_CONNECT) {
		try(node);
	} else if (event->kind == EVENT_THAW) {
		if (node->world->now.mono >= node->frozen_until)
			link_thaw(node);
	} else if (event->kind == EVENT_LOSE && node->dead &&
		event->epoch == node->epoch) {
		link_lose(node, false);
	} else {
		handle_down(node, event);
	}
}
