/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
is_ping(const struct packet *packet)
{
	return packet->type == ROOM_HERE && packet->room;
}

void
check_routed(struct world *world, const struct packet *packet)
{
	if (!packet->room || packet->type != ROOM_MESSAGE || packet->uid < 0)
		return;
	struct post *post = node_post(world->nodes[packet->uid], packet->first);

	if (post != NULL && post->first == packet->first)
		post->routed++;
}

static void
note_noise(struct node *node, const struct packet *packet)
{
	struct world *world = node->world;

	world->noise_mono = world->now.mono;
	snprintf(world->noise, sizeof(world->noise),
		"%s published type %" PRId64 " %s%s%s", node->name,
		packet->type, packet->room ? "into the room" : "to an inbox",
		packet->uid >= 0 ? ", of " : "",
		packet->uid >= 0 ? world->nodes[packet->uid]->name : "");
}

static void
see_repairs(struct world *world, const struct packet *packet)
{
	if (packet->type == ROOM_WANT)
		world_see(world,
			!packet->ranged        ? SEEN_ASKED_TIME
				: packet->room ? SEEN_ASKED_ROOM
					       : SEEN_ASKED_INBOX);
	else if (packet->type == ROOM_REPAIR && packet->room)
		world_see(world, SEEN_SERVED_ROOM);
	else if (packet->type == ROOM_MESSAGE && !packet->room)
		world_see(world, SEEN_SERVED_INBOX);
}

void
check_published(struct node *node, const struct packet *packet)
{
	struct world *world = node->world;

	world->totals.published++;
	world->totals.bytes += packet->bytes.len;
	see_repairs(world, packet);
	if (packet->type < 0)
		world_break(world, PROMISE_TRAFFIC,
			"%s publishes what is no message", node->name);
	if (is_ping(packet))
		node->pings_minute[node->pings++ % 3] = world->now.mono;
	else
		note_noise(node, packet);
}

/* Did something come back that proves what was said? */
static void
note_echo(struct node *node, const struct packet *packet)
{
	struct node *sender = node->world->nodes[packet->uid];
	struct post *post = node_post(sender, packet->first);

	if (post == NULL || !packet->room)
		return;
	if (sender == node)
		post->echoed = true;
}

/* What is heard as it is said, and nothing newer before, must be delivered; so
 * must what is said again, and is before the first that was there. */
static void
note_arrival(struct ledger *ledger, const struct packet *packet)
{
	if (!packet->room || packet->type != ROOM_MESSAGE ||
		packet->last > NUMBERS_MAX)
		return;
	for (int64_t i = packet->first; i <= packet->last; i++)
		if (ledger->state[i] == LEDGER_GAP)
			ledger->came_late[i] = true;
		else if ((packet->again && i < ledger->first) ||
			(i > ledger->high && i > ledger->arrived_top))
			ledger->arrived[i] = true;
	if (ledger->arrived_top < packet->last)
		ledger->arrived_top = packet->last;
}

static void
note_known(struct ledger *ledger, int64_t top, int64_t now)
{
	while (ledger->known_top < top && ledger->known_top < NUMBERS_MAX)
		ledger->known[++ledger->known_top] = now;
}

void
check_heard(struct node *node, const struct packet *packet)
{
	int64_t now = node->world->now.mono;

	if (packet->uid < 0)
		return;
	if (packet->type == ROOM_WANT && packet->to == node->index)
		node->wanted = now;
	if (packet->type == ROOM_MESSAGE)
		note_echo(node, packet);
	if (node->ledgers == NULL || packet->uid == node->index ||
		(packet->type != ROOM_MESSAGE && packet->type != ROOM_HERE &&
			packet->type != ROOM_BYE))
		return;
	struct ledger *ledger = &node->ledgers[packet->uid];
	if (node->first_up > 0)
		note_arrival(ledger, packet);
	if (ledger->heard == 0 && packet->top >= 0)
		ledger->heard = now;
	note_known(ledger, packet->top, now);
	for (int i = 0; i < packet->head_count; i++)
		note_known(&node->ledgers[packet->heads[i].uid],
			packet->heads[i].top, now);
}

static bool
is_text(struct node *sender, const struct post *post,
	const struct record *record)
{
	struct text text = { 0 };

	node_text(sender, record->seq, post->single, &text);
	bool same = span_equal((struct span){ text.bytes, text.len },
		record->text);
	text_free(&text);
	return same;
}

/* The node's own record. */
static void
check_own(struct node *node, const struct record *record)
{
	bool *shown = &node->own_shown[record->seq];

	if (*shown)
		world_break(node->world, PROMISE_ONCE,
			"%s shows its own number %" PRId64 " twice", node->name,
			record->seq);
	*shown = true;
}

static void
check_replayed(struct node *node, struct ledger *ledger,
	const struct record *record)
{
	ledger->state[record->seq] = record->replayed ? LEDGER_REPLAYED
						      : LEDGER_DELIVERED;
	if (!record->replayed) {
		node->live = true;
		return;
	}
	node->world->totals.replayed++;
	world_see(node->world, SEEN_REPLAYED);
	if (node->catch_up_records == 0 && node->catch_up_since == 0)
		world_break(node->world, PROMISE_CATCH_UP,
			"%s did not ask for what is replayed", node->name);
	/* In a storm it may have been held behind a gap. */
	if (node->live && node->world->calm)
		world_break(node->world, PROMISE_CATCH_UP,
			"%s gets replayed after what is new", node->name);
}

/* Does it join on to what was there before? */
static bool
check_order(struct node *node, struct node *sender, int64_t first,
	const char *what)
{
	struct ledger *ledger = &node->ledgers[sender->index];

	if (ledger->high > 0 && first <= ledger->high)
		world_break(node->world, PROMISE_ONCE,
			"%s gets %s of %s:%" PRId64 " after %" PRId64,
			node->name, what, sender->name, first, ledger->high);
	else if (ledger->high > 0 && first > ledger->high + 1)
		world_break(node->world, PROMISE_DELIVERED,
			"%s gets %s of %s:%" PRId64 ", and nothing since "
			"%" PRId64,
			node->name, what, sender->name, first, ledger->high);
	if (ledger->first == 0)
		ledger->first = first;
	return !node->world->broken;
}

/* What is late was told to be missing, or is from before the first that was
 * there of its sender; it comes out of order. */
static bool
check_late(struct node *node, struct node *sender, int64_t number)
{
	const struct ledger *ledger = &node->ledgers[sender->index];

	if (ledger->state[number] != LEDGER_GAP &&
		(ledger->state[number] != LEDGER_NOTHING ||
			number >= ledger->first))
		world_break(node->world, PROMISE_ONCE,
			"%s gets %s:%" PRId64
			" late, and was not told that it is missing",
			node->name, sender->name, number);
	world_see(node->world, SEEN_LATE);
	return !node->world->broken;
}

static void
check_message(struct node *node, struct node *sender,
	const struct record *record)
{
	struct world *world = node->world;
	struct ledger *ledger = &node->ledgers[sender->index];

	world_trace(world, "%s  <-- %s:%" PRId64 "%s%s", node->name,
		sender->name, record->seq,
		record->replayed ? " (replayed)" : "",
		record->late ? " (late)" : "");
	if (record->late ? !check_late(node, sender, record->seq)
			 : !check_order(node, sender, record->seq,
				   "the message"))
		return;
	check_replayed(node, ledger, record);
	if (!record->late)
		ledger->high = record->seq;
	ledger->has[record->seq] = world->now.mono;
	world->totals.delivered++;
}

static void
take_message(struct node *node, const struct record *record)
{
	struct world *world = node->world;
	struct node *sender = node_of_uid(world, record->uid);
	const struct post *post = sender != NULL
		? node_post(sender, record->seq)
		: NULL;

	if (post == NULL)
		world_break(world, PROMISE_ONCE,
			"%s gets %s:%" PRId64 ", which was not said",
			node->name, sender != NULL ? sender->name : "nobody",
			record->seq);
	else if (!is_text(sender, post, record))
		world_break(world, PROMISE_ONCE,
			"%s gets another text of %s:%" PRId64 ": %.*s",
			node->name, sender->name, record->seq,
			(int)record->text.len, record->text.bytes);
	else if (record->time != post->ms)
		world_break(world, PROMISE_ONCE,
			"%s gets another time of %s:%" PRId64, node->name,
			sender->name, record->seq);
	else if (node->ledgers != NULL && sender == node)
		check_own(node, record);
	else if (node->ledgers != NULL)
		check_message(node, sender, record);
}

static void
take_gap(struct node *node, const struct record *record)
{
	struct world *world = node->world;
	struct node *sender = node_of_uid(world, record->uid);
	int64_t first = record->gap_first, last = record->gap_last;

	if (node->ledgers == NULL)
		return;
	if (sender == NULL || first < 1 || last < first ||
		last > sender->last) {
		world_break(world, PROMISE_ONCE,
			"%s misses %" PRId64 "-%" PRId64 ", which was not said",
			node->name, first, last);
		return;
	}
	world_trace(world, "%s  <-- %s:%" PRId64 "-%" PRId64 " MISSING",
		node->name, sender->name, first, last);
	if (!check_order(node, sender, first, "the gap"))
		return;
	check_gap(node, sender, first, last);
	for (int64_t i = first; i <= last; i++)
		node->ledgers[sender->index].state[i] = LEDGER_GAP;
	node->ledgers[sender->index].high = last;
	world_see(world, SEEN_GAP);
	world->totals.gaps += (uint64_t)(last - first) + 1;
}

void
check_delivered(struct node *node, const struct record *record)
{
	if (record->type == RECORD_MESSAGE)
		take_message(node, record);
	else if (record->type == RECORD_GAP)
		take_gap(node, record);
}

void
check_proved(struct node *node, int64_t first, int64_t last)
{
	struct post *post = node_post(node, first);
	const char *wrong = NULL;

	if (node->kind == NODE_FLUSH)
		return;
	if (post == NULL || post->first != first || post->last != last)
		wrong = "was not said";
	else if (post->routed == 0)
		wrong = "was not routed";
	else if (post->proved > 0)
		wrong = "was proved before";
	else if (post->given_up && node->kind != NODE_PARTICIPANT)
		wrong = "was given up before";
	else
		post->proved = node->proved = node->world->now.mono;
	if (wrong != NULL)
		world_break(node->world, PROMISE_PROOF,
			"%s has proof of %" PRId64 "-%" PRId64 ", which %s",
			node->name, first, last, wrong);
}

void
check_resent(struct node *node, const char *uid, int64_t first, bool proved)
{
	struct world *world = node->world;

	world_trace(world, "%s  %s %s:%" PRId64, node->name,
		proved ? "has proof of" : "gives up",
		node_of_uid(world, span_of(uid))->name, first);
	for (int i = 0; i < node->resent_count; i++) {
		struct resent *resent = &node->resent[i];
		struct node *sender = world->nodes[resent->sender];
		struct post *post = &sender->posts[resent->post];

		if (resent->proved || strcmp(sender->uid, uid) != 0 ||
			post->first != first)
			continue;
		resent->proved = true;
		if (proved && post->proved == 0)
			post->proved = world->now.mono;
		if (proved && post->routed == 0)
			world_break(world, PROMISE_PROOF,
				"%s has proof of %s:%" PRId64
				", which was not routed",
				node->name, sender->name, first);
		return;
	}
	world_break(world, PROMISE_PROOF,
		"%s proves or gives up what it does not say again", node->name);
}

/* Something of this sender has been proved. */
static bool
is_routed(const struct node *node)
{
	for (int i = 0; i < node->post_count; i++)
		if (node->posts[i].proved > 0)
			return true;
	return false;
}

void
check_unproved(struct node *node, int64_t first, int64_t last, struct span text)
{
	struct post *post = node_post(node, first);
	const char *wrong = NULL;

	if (node->kind == NODE_FLUSH)
		return;
	if (post == NULL || post->first != first || post->last != last)
		wrong = "was not said";
	else if (post->proved > 0 || post->given_up)
		wrong = "does not wait";
	else if (post->echoed)
		wrong = "has come back";
	else if (text.len > 0)
		post->given_up = true;
	else if (node->kind != NODE_STREAM || !is_routed(node))
		wrong = "has lost its text";
	if (wrong != NULL)
		world_break(node->world, PROMISE_PROOF,
			"%s gives up %" PRId64 "-%" PRId64 ", which %s",
			node->name, first, last, wrong);
}

void
check_lingered(struct node *node)
{
	struct world *world = node->world;
	int64_t last = node->wanted > node->proved ? node->wanted
						   : node->proved;

	if (node->kind != NODE_STREAM || node->failed)
		return;
	if (world->now.mono - last < MEMBER_LINGER_MS &&
		world->now.mono - node->proved < MEMBER_LINGER_MAX_MS)
		world_break(world, PROMISE_SETTLED,
			"%s is gone %" PRId64 " ms after it was needed",
			node->name, world->now.mono - last);
}

void
check_counts(struct node *node)
{
	const struct member_counts *counts = member_counts(node->member);
	struct world *world = node->world;

	world->totals.repaired += counts->repaired;
	if (counts->repaired > 0)
		world_see(world, SEEN_REPAIRED);
	world->minutes += (world->now.mono - node->started) / 60000 + 1;
	if (counts->malformed > 0)
		world_break(world, PROMISE_ONCE,
			"%s calls %" PRIu64 " messages malformed", node->name,
			counts->malformed);
}
