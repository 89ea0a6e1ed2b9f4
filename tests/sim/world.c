/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "fabric.h"
#include "link.h"
#include "story.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *
world_promise_name(enum promise promise)
{
	static const char *const names[PROMISES] = {
		[PROMISE_DELIVERED] =
			"all is delivered in order, or told to be missing",
		[PROMISE_ONCE] = "nothing twice, and nothing that was not said",
		[PROMISE_CATCH_UP] =
			"a newcomer gets first what it asked for, and no more",
		[PROMISE_PROOF] = "what is called proved was routed",
		[PROMISE_TRAFFIC] = "traffic is bounded, and ceases",
		[PROMISE_SETTLED] = "nobody spins, waits or lingers for ever",
	};

	return names[promise];
}

const char *
world_seen_name(enum seen what)
{
	static const char *const names[SEEN_KINDS] = {
		[SEEN_CALM] = "no storm at all",
		[SEEN_LOSS] = "a delivery lost",
		[SEEN_BURST] = "a burst of them lost",
		[SEEN_DOUBLE] = "a message doubled",
		[SEEN_STALL] = "a subscriber stalled",
		[SEEN_REORDER] = "a message overtaken",
		[SEEN_LINK_LOST] = "a link lost",
		[SEEN_HALF_OPEN] = "a link half open",
		[SEEN_CRASH] = "a broker crashed",
		[SEEN_PARTITION] = "brokers parted",
		[SEEN_FREEZE] = "a process frozen",
		[SEEN_OVERFLOW] = "its queue overflowed",
		[SEEN_SKEW] = "clocks differ",
		[SEEN_FORGETFUL] = "a restart that forgot all",
		[SEEN_RESTORED] = "a restart with its state",
		[SEEN_RESTORED_STALE] = "a restart with an old state",
		[SEEN_SMALL_STORE] = "a small store",
		[SEEN_STREAM] = "a stream",
		[SEEN_STREAM_RECONNECT] = "a stream that reconnected",
		[SEEN_LONE_POST] = "a lone post",
		[SEEN_SPOOLED] = "something spooled",
		[SEEN_FLUSHED] = "a spool flushed",
		[SEEN_FLUSH_BROKEN] = "a flush broken off",
		[SEEN_NEWCOMER] = "a newcomer that catches up",
		[SEEN_REPLAYED] = "something replayed",
		[SEEN_EXACT] = "a catch-up compared exactly",
		[SEEN_ASKED_INBOX] = "numbers asked of their sender",
		[SEEN_ASKED_ROOM] = "numbers asked of the room",
		[SEEN_ASKED_TIME] = "a time asked for",
		[SEEN_SERVED_INBOX] = "a repair to an inbox",
		[SEEN_SERVED_ROOM] = "a repair in the room",
		[SEEN_REPAIRED] = "a message repaired",
		[SEEN_GAP] = "a gap told",
		[SEEN_LATE] = "what was told as a gap, come late",
		[SEEN_RETRY] = "no echo, and a fresh connection",
		[SEEN_UNPROVED] = "a post given up",
		[SEEN_AGAIN] = "one that was, said again",
	};

	return names[what];
}

void
world_print(const struct world *world, const char *format, ...)
{
	va_list arguments;

	printf("%9.3f  ", (double)world->now.mono / 1000);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

void
world_break(struct world *world, enum promise promise, const char *format, ...)
{
	va_list arguments;

	if (world->broken)
		return;
	world->broken = true;
	world->promise = promise;
	va_start(arguments, format);
	vsnprintf(world->failure, sizeof(world->failure), format, arguments);
	va_end(arguments);
	world_trace(world, "BROKEN: %s", world->failure);
}

static void
handle(struct world *world, struct event *event)
{
	switch (event->kind) {
	case EVENT_UP_CONNECT:
	case EVENT_UP_ATTEND:
	case EVENT_UP_PUBLISH:
	case EVENT_UP_DISCONNECT:
	case EVENT_LINK_MISSED:
	case EVENT_BRIDGE:
		fabric_handle(world, event);
		break;
	case EVENT_DOWN_CONNECTED:
	case EVENT_DOWN_REFUSED:
	case EVENT_DOWN_PUBLISH:
	case EVENT_CONNECT:
	case EVENT_LOSE:
	case EVENT_THAW:
		link_handle(world->nodes[event->node], event);
		break;
	case EVENT_ACT:
		story_act(world, event);
		break;
	}
	packet_free(event->packet);
}

static struct node *
next_to_wake(const struct world *world)
{
	struct node *first = NULL;

	for (int i = 0; i < world->node_count; i++) {
		struct node *node = world->nodes[i];

		if (node->wake < (first != NULL ? first->wake : INT64_MAX))
			first = node;
	}
	return first;
}

/* True if something is still to happen before the end. */
static bool
step(struct world *world)
{
	struct node *node = next_to_wake(world);
	int64_t next = queue_next(&world->queue);
	bool tick = node != NULL && node->wake <= next;
	int64_t mono = tick ? node->wake : next;

	if (mono > world->acted_mono + SETTLE_MS)
		return false;
	if (mono > world->now.mono) {
		world->now.wall += mono - world->now.mono;
		world->now.mono = mono;
	}
	if (tick) {
		node_tick(node);
	} else {
		struct event event = queue_pop(&world->queue);

		handle(world, &event);
	}
	if (++world->totals.events > EVENTS_MAX)
		world_break(world, PROMISE_SETTLED,
			"after %d events it is still not over", EVENTS_MAX);
	return !world->broken;
}

void
world_run(struct world *world, uint64_t seed, bool trace)
{
	*world = (struct world){
		.seed = seed,
		.trace = trace,
		.dice = { seed * UINT64_C(0x2545f4914f6cdd1d) },
		.now = { 1000 * 1000, INT64_C(1795408513935) },
		.acted_mono = 1000 * 1000,
	};
	world->now.wall += dice_roll(&world->dice, 0, 60 * 1000);
	story_plan(world);
	while (step(world))
		;
	if (!world->broken)
		check_settled(world);
}

void
world_free(struct world *world)
{
	for (int i = 0; i < world->node_count; i++)
		node_free(world->nodes[i]);
	while (world->queue.count > 0)
		packet_free(queue_pop(&world->queue).packet);
	free(world->queue.events);
	for (int i = 0; i < world->spool_count; i++)
		text_free(&world->spool[i].envelope);
}
