/* SPDX-License-Identifier: Apache-2.0 */
/* A payload, read: its bounds hold, and what we write of it is read as the
 * same.  The same bytes as a room's name and as a topic. */
#include "fuzz.h"
#include "room.h"

#include <stdlib.h>
#include <string.h>

static bool
is_number(int64_t number)
{
	return number >= -1 && number <= ROOM_NUMBER_MAX;
}

static bool
is_text(struct span text, size_t most)
{
	return text.bytes != NULL && text.len <= most &&
		text_utf8_check(text) == text.len;
}

static void
check_numbers(const struct room_message *message)
{
	const int64_t numbers[] = { message->time, message->ms, message->seq,
		message->last, message->since, message->idle, message->known,
		message->wait, message->until, message->count, message->skip,
		message->have, message->records, message->sent };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		FUZZ_CHECK(is_number(numbers[i]));
	FUZZ_CHECK(message->type >= 0 && message->type <= ROOM_NUMBER_MAX);
	FUZZ_CHECK(message->seq != 0);
}

static void
check_lists(const struct room_message *message)
{
	FUZZ_CHECK(message->tag_count <= ROOM_TAGS_MAX);
	for (size_t i = 0; i < message->tag_count; i++)
		FUZZ_CHECK(is_text(message->tags[i], ROOM_TAG_MAX));
	FUZZ_CHECK(message->want_count <= ROOM_WANTS_MAX);
	for (size_t i = 0; i < message->want_count; i++)
		FUZZ_CHECK(message->wants[i].first > 0 &&
			message->wants[i].last >= message->wants[i].first &&
			message->wants[i].last <= ROOM_NUMBER_MAX);
	FUZZ_CHECK(message->head_count <= ROOM_HEADS_MAX);
	for (size_t i = 0; i < message->head_count; i++) {
		const struct room_head *head = &message->heads[i];

		FUZZ_CHECK(head->uid.len > 0);
		FUZZ_CHECK(is_text(head->uid, ROOM_UID_MAX));
		FUZZ_CHECK(head->last > 0 && is_number(head->last));
		FUZZ_CHECK(is_number(head->ms) && is_number(head->since));
	}
	FUZZ_CHECK(message->minute_count <= ROOM_MINUTES_MAX);
}

static void
check_block(const struct room_message *message)
{
	int64_t lines = 1;

	if (message->lines == -1)
		return;
	FUZZ_CHECK(message->lines >= 2);
	FUZZ_CHECK(message->lines <= ROOM_BLOCK_LINES_MAX);
	for (size_t i = 0; i < message->text.len; i++)
		lines += message->text.bytes[i] == '\n';
	FUZZ_CHECK(lines == message->lines);
	FUZZ_CHECK(message->seq > 0 &&
		message->seq + lines - 1 <= ROOM_NUMBER_MAX);
}

static void
check_bounds(const struct room_message *message)
{
	check_numbers(message);
	check_lists(message);
	check_block(message);
	/* `n` may hold anything where there is no message. */
	if (message->text.bytes != NULL)
		FUZZ_CHECK(is_text(message->text, SIZE_MAX));
	if (message->uid.bytes != NULL)
		FUZZ_CHECK(is_text(message->uid, ROOM_UID_MAX));
	if (message->user.bytes != NULL)
		FUZZ_CHECK(is_text(message->user, ROOM_USER_MAX));
	for (size_t i = 0; i < message->uid.len; i++)
		FUZZ_CHECK((unsigned char)message->uid.bytes[i] >= ' ');
	FUZZ_CHECK(message->inbox.len == 0 || room_inbox_check(message->inbox));
}

/* What room_format() writes for each type. */
static bool
is_said(int64_t type)
{
	return type == ROOM_MESSAGE || type == ROOM_HERE || type == ROOM_BYE;
}

static void
check_same_lists(const struct room_message *a, const struct room_message *b)
{
	FUZZ_CHECK(a->tag_count == b->tag_count);
	for (size_t i = 0; i < a->tag_count; i++)
		FUZZ_CHECK(span_equal(a->tags[i], b->tags[i]));
	FUZZ_CHECK(a->want_count == b->want_count);
	for (size_t i = 0; i < a->want_count; i++)
		FUZZ_CHECK(a->wants[i].first == b->wants[i].first &&
			a->wants[i].last == b->wants[i].last);
	FUZZ_CHECK(a->head_count == b->head_count);
	for (size_t i = 0; i < a->head_count; i++)
		FUZZ_CHECK(span_equal(a->heads[i].uid, b->heads[i].uid) &&
			a->heads[i].last == b->heads[i].last &&
			a->heads[i].ms == b->heads[i].ms &&
			a->heads[i].since == b->heads[i].since);
	FUZZ_CHECK(a->minute_count == b->minute_count);
	for (size_t i = 0; i < a->minute_count; i++)
		FUZZ_CHECK(a->minutes[i].minute == b->minutes[i].minute &&
			a->minutes[i].digest == b->minutes[i].digest);
}

static void
check_same(const struct room_message *a, const struct room_message *b)
{
	FUZZ_CHECK(a->type == b->type && span_equal(a->uid, b->uid));
	if (is_said(a->type))
		FUZZ_CHECK(span_equal(a->user, b->user) && a->time == b->time);
	FUZZ_CHECK(span_equal(a->text, b->text) && a->lines == b->lines);
	FUZZ_CHECK(a->ms == b->ms && a->seq == b->seq && a->last == b->last);
	FUZZ_CHECK(a->once == b->once && a->severity == b->severity);
	FUZZ_CHECK(span_equal(a->title, b->title) && a->since == b->since);
	FUZZ_CHECK(a->idle == b->idle && a->known == b->known);
	FUZZ_CHECK(a->wait == b->wait && span_equal(a->inbox, b->inbox));
	FUZZ_CHECK(span_equal(a->conn, b->conn) && span_equal(a->app, b->app));
	FUZZ_CHECK(a->until == b->until && a->count == b->count);
	FUZZ_CHECK(a->skip == b->skip && a->have == b->have);
	FUZZ_CHECK(a->records == b->records && a->sent == b->sent);
	FUZZ_CHECK(a->digest == b->digest);
	FUZZ_CHECK(span_equal(a->payload, b->payload));
	check_same_lists(a, b);
}

static bool
is_formatted(int64_t type)
{
	return is_said(type) || type == ROOM_WHO || type == ROOM_WANT ||
		type == ROOM_REPAIR || type == ROOM_PROOF;
}

static void
check_again(const struct room_message *message)
{
	struct text bytes = { 0 };
	struct room_message other;
	struct fault fault = { 0 };

	room_format(message, &bytes);
	FUZZ_CHECK(room_parse(&other, (struct span){ bytes.bytes, bytes.len },
			   &fault) == 0);
	check_same(message, &other);
	room_message_free(&other);
	text_free(&bytes);
}

static void
check_payload(struct span bytes)
{
	struct room_message message;
	struct fault fault = { 0 };

	if (room_parse(&message, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_DATA);
		return;
	}
	check_bounds(&message);
	if (is_formatted(message.type))
		check_again(&message);
	room_message_free(&message);
}

/* A good name is a topic's, and the name in that topic is itself. */
static void
check_name(struct span bytes)
{
	struct fault fault = { 0 };

	room_inbox_check(bytes);
	room_of_topic(bytes);
	if (room_name_check(bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_USAGE);
		return;
	}
	FUZZ_CHECK(is_text(bytes, ROOM_NAME_MAX) && bytes.len > 0);
	FUZZ_CHECK(memchr(bytes.bytes, '+', bytes.len) == NULL &&
		memchr(bytes.bytes, '#', bytes.len) == NULL &&
		memchr(bytes.bytes, '\0', bytes.len) == NULL);
	char *name = strndup(bytes.bytes, bytes.len);
	char *topic = room_topic(name);
	FUZZ_CHECK(span_equal(room_of_topic(span_of(topic)), bytes));
	free(topic);
	free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };

	check_payload(bytes);
	check_name(bytes);
	return 0;
}
