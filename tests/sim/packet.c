/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include "dxl.h"
#include "memory.h"
#include "node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int
inbox_owner(const struct world *world, const char *topic)
{
	for (int i = 0; i < world->node_count; i++)
		if (strcmp(world->nodes[i]->inbox, topic) == 0)
			return i;
	return -1;
}

static void
look_at_heads(const struct world *world, struct packet *packet,
	const struct room_message *message)
{
	for (size_t i = 0; i < message->head_count; i++) {
		const struct room_head *head = &message->heads[i];
		const struct node *node = node_of_uid(world, head->uid);

		if (node != NULL)
			packet->heads[packet->head_count++] = (struct told){
				node->index, head->last
			};
	}
}

static void
look_at_message(const struct world *world, struct packet *packet,
	const struct room_message *message)
{
	const struct node *node = node_of_uid(world, message->uid);

	packet->type = message->type;
	packet->uid = node != NULL ? node->index : -1;
	packet->ranged = message->want_count > 0;
	packet->first = message->seq;
	packet->last = message->seq +
		(message->lines > 0 ? message->lines : 1) - 1;
	packet->top = -1;
	if (message->type == ROOM_MESSAGE)
		packet->top = packet->last;
	else if (message->type == ROOM_HERE || message->type == ROOM_BYE)
		packet->top = message->last;
	look_at_heads(world, packet, message);
}

static void
look_into(const struct world *world, struct packet *packet)
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault;

	packet->type = packet->uid = -1;
	if (dxl_parse(&event,
		    (struct span){ packet->bytes.bytes, packet->bytes.len },
		    &fault) < 0)
		return;
	if (room_parse(&message, event.payload, &fault) == 0) {
		look_at_message(world, packet, &message);
		packet->again = dxl_field(&event, ROOM_AGAIN_FIELD).len > 0;
		room_message_free(&message);
	}
	dxl_message_free(&event);
}

struct packet *
packet_new(struct world *world, int from, const char *topic, struct span bytes)
{
	struct packet *packet = memory_alloc(1, sizeof(*packet));

	packet->references = 1;
	packet->from = from;
	packet->topic = memory_string(topic);
	packet->room = strcmp(topic, ROOM_TOPIC_PREFIX SIM_ROOM) == 0;
	packet->to = packet->room ? -1 : inbox_owner(world, topic);
	text_append(&packet->bytes, bytes.bytes, bytes.len);
	look_into(world, packet);
	return packet;
}

struct packet *
packet_share(struct packet *packet)
{
	packet->references++;
	return packet;
}

void
packet_free(struct packet *packet)
{
	if (packet == NULL || --packet->references > 0)
		return;
	text_free(&packet->bytes);
	free(packet->topic);
	free(packet);
}

static const char *
name_of(const struct world *world, struct span uid)
{
	const struct node *node = node_of_uid(world, uid);

	return node != NULL ? node->name : uid.len > 0 ? "?" : "";
}

static void
describe_number(struct text *text, const char *key, int64_t number)
{
	if (number >= 0)
		text_appendf(text, " %s=%" PRId64, key, number);
}

static void
describe_lists(const struct world *world, const struct room_message *message,
	struct text *text)
{
	for (size_t i = 0; i < message->want_count; i++)
		text_appendf(text, " %" PRId64 "-%" PRId64,
			message->wants[i].first, message->wants[i].last);
	for (size_t i = 0; i < message->head_count; i++)
		text_appendf(text, " %s:%" PRId64,
			name_of(world, message->heads[i].uid),
			message->heads[i].last);
	for (size_t i = 0; i < message->minute_count; i++)
		text_appendf(text, " m%" PRId64 ":%04x",
			message->minutes[i].minute % 1000,
			(unsigned)(message->minutes[i].digest & 0xffff));
}

static void
describe_repair(const struct world *world, struct span payload,
	struct text *text)
{
	struct room_message message;
	struct fault fault;

	if (payload.len == 0 || room_parse(&message, payload, &fault) < 0)
		return;
	text_appendf(text, " of %s:%" PRId64 " n=%" PRId64,
		name_of(world, message.uid), message.seq, message.lines);
	room_message_free(&message);
}

static void
describe_message(const struct world *world, const struct room_message *message,
	struct text *text)
{
	static const char *const names[] = { "0", "MESSAGE", "HERE", "WHO",
		"BYE", "5", "WANT", "REPAIR" };

	if (message->type >= 0 && message->type < 8)
		text_append_string(text, names[message->type]);
	else if (message->type == ROOM_PROOF)
		text_append_string(text, "PROOF");
	else
		text_appendf(text, "type %" PRId64, message->type);
	text_appendf(text, " %s", name_of(world, message->uid));
	describe_number(text, "seq", message->seq);
	describe_number(text, "n", message->lines);
	describe_number(text, "last", message->last);
	describe_number(text, "count", message->count);
	describe_number(text, "skip", message->skip);
	describe_number(text, "have", message->have);
	describe_number(text, "records", message->records);
	describe_number(text, "sent", message->sent);
	if (message->type == ROOM_WANT) {
		describe_number(text, "since", message->since);
		describe_number(text, "until", message->until);
	}
	describe_lists(world, message, text);
	describe_repair(world, message->payload, text);
}

void
packet_describe(const struct world *world, const struct packet *packet,
	struct text *text)
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault;

	text_clear(text);
	text_append_string(text, "");
	if (dxl_parse(&event,
		    (struct span){ packet->bytes.bytes, packet->bytes.len },
		    &fault) < 0) {
		text_append_string(text, "no envelope");
		return;
	}
	if (room_parse(&message, event.payload, &fault) == 0) {
		describe_message(world, &message, text);
		room_message_free(&message);
	} else {
		text_append_string(text, "no message");
	}
	if (!packet->room)
		text_appendf(text, " to the inbox of %s",
			packet->to >= 0 ? world->nodes[packet->to]->name
					: "nobody");
	dxl_message_free(&event);
}
