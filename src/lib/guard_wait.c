/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_state.h"

#include "memory.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

/* A message that waits. */
struct guard_message {
	struct guard_message *next;
	char *topic, *bytes;
	size_t topic_len, len;
};

static void
free_message(struct guard_message *message)
{
	free(message->topic);
	free(message->bytes);
	free(message);
}

static size_t
size_of(const struct guard_message *message)
{
	return sizeof(*message) + message->topic_len + message->len;
}

/* Takes all messages out, so that passing one on may make others wait. */
static struct guard_message *
take_all(struct guard *guard, struct guard_waiting *waiting)
{
	struct guard_message *first = waiting->first;

	for (const struct guard_message *message = first; message != NULL;
		message = message->next)
		guard->waiting_bytes -= size_of(message);
	table_remove(guard->waiting, waiting);
	return first;
}

static void
pass_all(struct guard *guard, struct guard_waiting *waiting)
{
	struct guard_message *message = take_all(guard, waiting), *next;

	for (; message != NULL; message = next) {
		next = message->next;
		guard->calls.pass(guard->calls.context,
			(struct span){ message->topic, message->topic_len },
			(struct span){ message->bytes, message->len });
		free_message(message);
	}
}

void
guard_free_waiting(struct guard *guard)
{
	struct guard_waiting *waiting;
	struct guard_message *message, *next;

	while ((waiting = table_oldest(guard->waiting)) != NULL)
		for (message = take_all(guard, waiting); message != NULL;
			message = next) {
			next = message->next;
			free_message(message);
		}
	table_free(guard->waiting);
}

void
guard_release(struct guard *guard, const char *key)
{
	struct guard_waiting *waiting = table_find(guard->waiting,
		span_of(key));

	if (waiting != NULL)
		pass_all(guard, waiting);
}

/* Its key could not be had. */
static void
give_up(struct guard *guard, struct guard_waiting *waiting)
{
	guard->counts.keyless += waiting->count;
	pass_all(guard, waiting);
}

/* Who said it, or who sent it again, is asked for the key, if it tells its
 * inbox.  Else nobody is there who could answer. */
static bool
ask(struct guard *guard, const struct dxl_message *event, struct span topic,
	const char *key, int64_t mono, int64_t wall)
{
	bool in_room = room_of_topic(topic).len > 0;
	struct span about = in_room ? topic
				    : dxl_field(event, ROOM_TOPIC_FIELD);
	struct room_message message;
	struct fault fault;

	if (room_parse(&message, event->payload, &fault) < 0)
		return false;
	/* Anybody can name an inbox that is not his. */
	bool is_known = message.inbox.len > 0 &&
		!span_equal(message.inbox, span_of(guard->inbox));
	bool may_ask = is_known &&
		answers_add(guard->asks, message.inbox, mono, mono);
	guard->counts.unasked += is_known && !may_ask;
	if (may_ask) {
		answers_take(guard->asks, mono);
		guard_ask_key(guard, message.inbox, about, key, mono, wall);
	}
	room_message_free(&message);
	return may_ask;
}

static void
keep(struct guard *guard, struct guard_waiting *waiting, struct span topic,
	struct span bytes)
{
	struct guard_message *message = memory_alloc(1, sizeof(*message));

	message->topic = memory_copy(topic.bytes, topic.len);
	message->topic_len = topic.len;
	message->bytes = memory_copy(bytes.bytes, bytes.len);
	message->len = bytes.len;
	*waiting->end = message;
	waiting->end = &message->next;
	waiting->count++;
	guard->waiting_bytes += size_of(message);
	guard->counts.waited++;
}

static bool
has_room(struct guard *guard, struct span bytes)
{
	if (guard->waiting_bytes + bytes.len <=
		(size_t)guard->quotas.waiting_bytes)
		return true;
	guard->counts.over_waiting_bytes++;
	return false;
}

/* … and one more for this key? */
static bool
has_place(struct guard *guard, const struct guard_waiting *waiting)
{
	if (waiting->count < (size_t)guard->quotas.waiting_messages)
		return true;
	guard->counts.over_waiting_messages++;
	return false;
}

/* The message waits for its key; false if it does not. */
static bool
hold(struct guard *guard, const struct dxl_message *event, const char *key,
	struct span topic, struct span bytes, int64_t mono, int64_t wall)
{
	struct guard_waiting *waiting = table_find(guard->waiting,
		span_of(key));
	bool made;

	if (waiting == NULL) {
		if (!has_room(guard, bytes) ||
			!ask(guard, event, topic, key, mono, wall))
			return false;
		if (table_count(guard->waiting) == GUARD_WAITING_KEYS_MAX) {
			guard->counts.over_waiting_keys++;
			give_up(guard, table_oldest(guard->waiting));
		}
		waiting = table_touch(guard->waiting, span_of(key), &made);
		waiting->end = &waiting->first;
		waiting->until = mono + GUARD_WAIT_MS;
	} else if (!has_place(guard, waiting) || !has_room(guard, bytes)) {
		give_up(guard, waiting);
		return false;
	}
	keep(guard, waiting, topic, bytes);
	return true;
}

void
guard_receive(struct guard *guard, struct span topic, struct span bytes,
	int64_t mono, int64_t wall)
{
	struct dxl_message event;
	struct fault fault;
	unsigned char id[SIGN_KEY_ID_BYTES];
	char key[GUARD_KEY_TEXT];
	bool waits = false;

	/* What is malformed is the member's to count. */
	if (guard->waits && dxl_parse(&event, bytes, &fault) == 0) {
		struct span sig = dxl_field(&event, SIGN_SIG_FIELD);
		struct span bind = dxl_field(&event, SIGN_BIND_FIELD);

		if (sign_key_of_sig(sig, id) &&
			!verifier_knows(guard->verifier, id) &&
			guard_key_of(sig, key)) {
			/* A message that brings its key is what those before
			 * it wait for. */
			if (bind.len == 0)
				waits = hold(guard, &event, key, topic, bytes,
					mono, wall);
			else if (guard_learn_event(guard, &event, wall))
				guard_release(guard, key);
		}
		dxl_message_free(&event);
	}
	if (!waits)
		guard->calls.pass(guard->calls.context, topic, bytes);
}

int64_t
guard_deadline(const struct guard *guard)
{
	const struct guard_waiting *oldest = table_oldest(guard->waiting);

	return oldest != NULL ? oldest->until : INT64_MAX;
}

void
guard_tick(struct guard *guard, int64_t mono)
{
	struct guard_waiting *oldest;

	while ((oldest = table_oldest(guard->waiting)) != NULL &&
		oldest->until <= mono)
		give_up(guard, oldest);
}
