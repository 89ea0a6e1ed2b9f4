/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include "check.h"
#include "link.h"
#include "spool.h"
#include "story.h"

#include "memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PROOF_MS = 5000,
	AGAIN_MS = 20 * 1000, /* until what was given up is said again */
};

struct node *
node_add(struct world *world, enum node_kind kind)
{
	static const char letters[] = { 'p', 's', 'o', 'f' };
	struct node *node = memory_alloc(1, sizeof(*node));

	assert(world->node_count < NODES_MAX);
	node->world = world;
	node->index = world->node_count;
	node->kind = kind;
	node->wake = INT64_MAX;
	node->attends = true;
	node->backoff = 500;
	node->ancestor = -1;
	snprintf(node->name, sizeof(node->name), "%c%d", letters[kind],
		node->index);
	snprintf(node->uid, sizeof(node->uid),
		"%016" PRIx64 "%014" PRIx64 "%02x", dice_next(&world->dice),
		dice_next(&world->dice) >> 8, (unsigned)node->index);
	snprintf(node->inbox, sizeof(node->inbox), ROOM_INBOX_PREFIX "{%s}",
		node->name);
	if (kind == NODE_PARTICIPANT)
		node->ledgers = memory_alloc(NODES_MAX, sizeof(struct ledger));
	world->nodes[world->node_count++] = node;
	return node;
}

void
node_free(struct node *node)
{
	member_free(node->member);
	for (int i = 0; i < node->waiting_count; i++)
		packet_free(node->waiting[i]);
	packet_free(node->will);
	text_free(&node->state);
	free(node->ledgers);
	free(node);
}

struct instant
node_now(const struct node *node)
{
	return (struct instant){ node->world->now.mono,
		node->world->now.wall + node->skew };
}

struct node *
node_of_uid(const struct world *world, struct span uid)
{
	unsigned index;

	if (uid.len != 32 || sscanf(uid.bytes + 30, "%2x", &index) != 1 ||
		index >= (unsigned)world->node_count)
		return NULL;
	struct node *node = world->nodes[index];
	return memcmp(node->uid, uid.bytes, 32) == 0 ? node : NULL;
}

struct post *
node_post(struct node *node, int64_t number)
{
	if (number < 1 || number > node->last)
		return NULL;
	return &node->posts[node->post_of[number]];
}

void
node_text(const struct node *node, int64_t number, bool single,
	struct text *text)
{
	static const char pad[] = "\"quoted\" \\ and \xc3\xa4\xc3\xb6 "
				  "and still more of it";
	size_t len = (size_t)(node->index * 7 + number * 11) % 20;

	text_clear(text);
	text_appendf(text, "%s number %" PRId64 " ", node->name, number);
	text_append(text, pad, len < 15 ? len : sizeof(pad) - 1);
	if (single)
		text_append_string(text, "\nand a second line");
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	link_publish(context, topic, bytes);
}

static void
on_deliver(void *context, const struct record *record)
{
	check_delivered(context, record);
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	struct node *node = context;

	world_trace(node->world, "%s  has proof of %" PRId64 "-%" PRId64,
		node->name, first, last);
	check_proved(node, first, last);
}

static void
on_retry(void *context)
{
	struct node *node = context;

	node->retry = true;
	if (node->world->calm)
		world_break(node->world, PROMISE_PROOF,
			"%s misses an echo, and there is no storm", node->name);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct node *node = context;

	world_trace(node->world, "%s  gives up %" PRId64 "-%" PRId64,
		node->name, first, last);
	world_see(node->world, SEEN_UNPROVED);
	node->failed = true;
	check_unproved(node, first, last, text);
	if (node->kind == NODE_PARTICIPANT)
		story_in(node->world,
			dice_roll(&node->world->dice, 1, AGAIN_MS), node->index,
			ACT_AGAIN, 0);
}

static void
on_attend(void *context, bool room)
{
	link_attend(context, room);
}

static void
on_ignored(void *context, const char *why)
{
	struct node *node = context;

	world_trace(node->world, "%s  ignores: %s", node->name, why);
}

static void
on_resent(void *context, const char *uid, int64_t first, bool proved)
{
	check_resent(context, uid, first, proved);
}

static struct member *
make_member(struct node *node)
{
	const struct member_config config = {
		.room = SIM_ROOM,
		.user = node->name,
		.uid = node->uid,
		.inbox = node->inbox,
		.app = "sim/1",
		.participant = node->kind == NODE_PARTICIPANT,
		.once = node->kind == NODE_POSTER,
		.stream = node->kind == NODE_STREAM || node->pace < 0,
		.show_own = node->kind == NODE_PARTICIPANT,
		.store_count = node->store_count,
		.catch_up_records = node->catch_up_records,
		.catch_up_since = node->catch_up_since,
		.proof_ms = PROOF_MS,
		.seed = dice_next(&node->world->dice),
	};
	const struct member_calls calls = {
		.context = node,
		.publish = on_publish,
		.deliver = on_deliver,
		.proved = on_proved,
		.retry = on_retry,
		.unproved = on_unproved,
		.attend = on_attend,
		.ignored = on_ignored,
		.resent = on_resent,
	};

	return member_new(&config, &calls);
}

void
node_start(struct node *node)
{
	struct world *world = node->world;
	struct fault fault;

	node->started = world->now.mono;
	node->member = make_member(node);
	world_trace(world, "%s  starts", node->name);
	if (node->ancestor >= 0 &&
		member_restore(node->member,
			(struct span){ node->state.bytes, node->state.len },
			&fault) < 0)
		world_break(world, PROMISE_SETTLED,
			"%s: its state is refused: %s", node->name, fault.text);
	if (node->kind == NODE_FLUSH) {
		spool_take(node);
		node_finish(node);
	}
	link_connect_in(node, 0);
	node_touch(node);
}

static void
gone(struct node *node)
{
	check_counts(node);
	member_free(node->member);
	node->member = NULL;
	node->wake = INT64_MAX;
	node->gone = node->world->now.mono;
	node->frozen_until = 0;
}

void
node_leave(struct node *node)
{
	struct world *world = node->world;

	if (node->member == NULL)
		return;
	world_trace(world, "%s  leaves", node->name);
	if (!node_is_well(node))
		node_disturb(node, world->now.mono);
	if (node->link == LINK_UP)
		member_leave(node->member, node_now(node));
	link_close(node, true);
	gone(node);
}

void
node_kill(struct node *node, bool spool)
{
	if (node->member == NULL)
		return;
	world_trace(node->world, "%s  ends", node->name);
	if (!node_is_well(node))
		node_disturb(node, node->world->now.mono);
	if (spool)
		spool_keep(node);
	link_close(node, false);
	gone(node);
}

/* A tool that has something to say ends when all is said, or given up. */
static void
end_if_done(struct node *node)
{
	if (node->kind == NODE_PARTICIPANT)
		return;
	if (!node->failed &&
		(!node->told ||
			!member_is_finished(node->member, node_now(node))))
		return;
	check_lingered(node);
	if (node->kind == NODE_FLUSH)
		world_see(node->world, SEEN_FLUSHED);
	if (node->kind == NODE_FLUSH || member_unproved(node->member) > 0)
		spool_keep(node);
	node_leave(node);
}

void
node_touch(struct node *node)
{
	if (node->member == NULL)
		return;
	if (node_is_frozen(node)) {
		node->wake = INT64_MAX;
		return;
	}
	if (node->retry) {
		node->retry = false;
		link_renew(node);
	}
	end_if_done(node);
	if (node->member == NULL)
		return;
	int64_t deadline = member_deadline(node->member);
	int64_t now = node->world->now.mono;
	node->wake = deadline > INT64_MAX - node->lag ? INT64_MAX
						      : deadline + node->lag;
	if (node->wake < now)
		node->wake = now;
}

void
node_tick(struct node *node)
{
	struct world *world = node->world;

	if (node->ticked != world->now.mono)
		node->ticks = 0;
	node->ticked = world->now.mono;
	if (++node->ticks > TICKS_MAX) {
		world_break(world, PROMISE_SETTLED,
			"%s wants to be woken at %.3f, again and again",
			node->name,
			(double)member_deadline(node->member) / 1000);
		return;
	}
	member_tick(node->member, node_now(node));
	node_touch(node);
}

/* Notes what is about to be said. */
static void
note_post(struct node *node, int64_t lines, bool single, size_t len)
{
	struct world *world = node->world;
	struct post *post = &node->posts[node->post_count];

	*post = (struct post){ .first = node->last + 1,
		.last = node->last + lines,
		.mono = world->now.mono,
		.ms = node_now(node).wall,
		.single = single };
	for (int64_t i = post->first; i <= post->last; i++)
		node->post_of[i] = node->post_count;
	node->post_count++;
	node->last = post->last;
	if (node->began == 0)
		node->began = world->now.mono;
	world->acted_mono = world->said_mono = world->now.mono;
	world->totals.said += (uint64_t)lines;
	world->totals.said_bytes += len;
}

void
node_say(struct node *node, int64_t lines, bool single)
{
	struct world *world = node->world;
	struct text text = { 0 }, line = { 0 };
	struct fault fault;

	if (node->member == NULL || node->last + lines > NUMBERS_MAX)
		return;
	for (int64_t i = 1; i <= lines; i++) {
		node_text(node, node->last + i, single, &line);
		if (i > 1)
			text_append_char(&text, '\n');
		text_append(&text, line.bytes, line.len);
	}
	const struct member_post post = {
		.text = { text.bytes, text.len },
		.lines = lines > 1 ? lines : -1,
	};
	note_post(node, lines, single, text.len);
	world_trace(world, "%s  says %" PRId64 "-%" PRId64, node->name,
		node->last - lines + 1, node->last);
	int64_t first = member_say(node->member, &post, node_now(node), &fault);
	if (first != node->last - lines + 1)
		world_break(world, PROMISE_ONCE,
			"%s: the number is %" PRId64 " instead of %" PRId64,
			node->name, first, node->last - lines + 1);
	text_free(&text);
	text_free(&line);
	node_touch(node);
}

void
node_say_again(struct node *node)
{
	struct fault fault;

	while (member_given_up(node->member) > 0) {
		int64_t first = member_given_up_at(node->member, 0).first;
		struct post *post = node_post(node, first);

		world_trace(node->world, "%s  says %" PRId64 " again",
			node->name, first);
		if (post == NULL ||
			member_say_again(node->member, first, node_now(node),
				&fault) < 0) {
			world_break(node->world, PROMISE_PROOF,
				"%s does not say %" PRId64 " again", node->name,
				first);
			return;
		}
		post->given_up = false;
	}
	node_touch(node);
}

void
node_finish(struct node *node)
{
	if (node->member == NULL)
		return;
	world_trace(node->world, "%s  has said all", node->name);
	node->told = true;
	member_finish(node->member, node_now(node));
	node_touch(node);
}
