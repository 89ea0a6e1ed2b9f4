/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "dxl.h"
#include "fuzz.h"
#include "memory.h"
#include "repair.h"
#include "sequence.h"

#include <stdlib.h>
#include <string.h>

enum {
	ENVELOPE_MAX = 1024 * 1024,
	REPAIR_LEAST = 4096, /* that each message is counted as */
	ASKS_A_SECOND = 50,
	ANSWERS_A_MINUTE = 30,
};

static void
note(struct watch *watch, const char *what, struct span bytes)
{
	uint64_t digest = watch->digest;

	for (; *what != '\0'; what++)
		digest = (digest ^ (unsigned char)*what) * 1099511628211U;
	for (size_t i = 0; i < bytes.len; i++)
		digest = (digest ^ (unsigned char)bytes.bytes[i]) *
			1099511628211U;
	watch->digest = digest;
}

static void
note_numbers(struct watch *watch, const char *what, int64_t a, int64_t b)
{
	int64_t numbers[2] = { a, b };

	note(watch, what, (struct span){ (char *)numbers, sizeof(numbers) });
}

static void
check_readable(struct span bytes)
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault = { 0 };

	FUZZ_CHECK(bytes.len <= ENVELOPE_MAX);
	FUZZ_CHECK(dxl_parse(&event, bytes, &fault) == 0);
	FUZZ_CHECK(event.type == DXL_EVENT);
	FUZZ_CHECK(room_parse(&message, event.payload, &fault) == 0);
	room_message_free(&message);
	dxl_message_free(&event);
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	struct watch *watch = context;

	FUZZ_CHECK(strcmp(topic, ROOM_TOPIC_PREFIX "ops") == 0 ||
		room_inbox_check(span_of(topic)));
	check_readable(bytes);
	watch->published++;
	note(watch, topic, bytes);
	if (watch->echo_count == WATCH_ECHOES)
		return;
	struct watch_echo *echo = &watch->echoes[watch->echo_count++];
	*echo = (struct watch_echo){ memory_string(topic),
		{ memory_copy(bytes.bytes, bytes.len), bytes.len } };
}

static struct watch_sender *
sender_of(struct watch *watch, struct span uid)
{
	for (size_t i = 0; i < watch->sender_count; i++)
		if (span_equal(span_of(watch->senders[i].uid), uid))
			return &watch->senders[i];
	if (watch->sender_count == WATCH_SENDERS)
		return NULL;
	struct watch_sender *sender = &watch->senders[watch->sender_count++];
	memcpy(sender->uid, uid.bytes, uid.len);
	return sender;
}

/* A number far ahead is shown, and believed when another goes on from it. */
static void
check_order(struct watch *watch, struct span uid, int64_t first, int64_t last)
{
	struct watch_sender *sender = sender_of(watch, uid);

	FUZZ_CHECK(first > 0 && last >= first && last <= ROOM_NUMBER_MAX);
	if (sender == NULL)
		return;
	bool goes_on = sender->far > 0 && first > sender->far &&
		first - sender->far <= SEQUENCE_JUMP_MAX;
	if (first - sender->last > SEQUENCE_JUMP_MAX && !goes_on) {
		sender->far = last;
		return;
	}
	FUZZ_CHECK(first > sender->last);
	sender->last = last;
	sender->far = 0;
}

static void
on_deliver(void *context, const struct record *record)
{
	struct watch *watch = context;
	bool numbered = watch->ordered && record->uid.len > 0 && !record->own;

	FUZZ_CHECK(span_equal(record->room, span_of("ops")));
	FUZZ_CHECK(record->user.len <= ROOM_USER_MAX);
	FUZZ_CHECK(record->uid.len <= ROOM_UID_MAX);
	FUZZ_CHECK(text_utf8_check(record->user) == record->user.len);
	FUZZ_CHECK(text_utf8_check(record->uid) == record->uid.len);
	note_numbers(watch, "record", record->type, record->seq);
	note(watch, record->replayed ? "again" : "", record->uid);
	if (record->type == RECORD_MESSAGE) {
		FUZZ_CHECK(text_utf8_check(record->text) == record->text.len);
		note(watch, "text", record->text);
		if (numbered && record->seq > 0 && !record->late)
			check_order(watch, record->uid, record->seq,
				record->seq);
	} else if (record->type == RECORD_GAP) {
		FUZZ_CHECK(numbered);
		check_order(watch, record->uid, record->gap_first,
			record->gap_last);
	}
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	FUZZ_CHECK(first > 0 && last >= first);
	note_numbers(context, "proved", first, last);
}

static void
on_retry(void *context)
{
	note(context, "retry", span_of(""));
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	FUZZ_CHECK(first > 0 && last >= first);
	note_numbers(context, "unproved", first, last);
	note(context, "", text);
}

static void
on_attend(void *context, bool room)
{
	note(context, room ? "attends" : "attends not", span_of(""));
}

static void
on_ignored(void *context, const char *why)
{
	FUZZ_CHECK(why[0] != '\0');
	note(context, why, span_of(""));
}

static void
on_resent(void *context, const char *uid, int64_t first, bool proved)
{
	note_numbers(context, uid, first, proved);
}

struct member_calls
watch_calls(struct watch *watch)
{
	return (struct member_calls){
		.context = watch,
		.publish = on_publish,
		.deliver = on_deliver,
		.proved = on_proved,
		.retry = on_retry,
		.unproved = on_unproved,
		.attend = on_attend,
		.ignored = on_ignored,
		.resent = on_resent,
	};
}

/* So many messages may be sent again, by their bytes; one request more than
 * that at most. */
static int64_t
served_most(int64_t ms)
{
	return (REPAIR_BURST + REPAIR_RATE / 1000 * ms) / REPAIR_LEAST +
		REPAIR_MESSAGES_MAX;
}

void
watch_check(const struct watch *watch, const struct member *member)
{
	const struct member_counts *counts = member_counts(member);
	int64_t seconds = watch->ms / 1000 + 2;
	int64_t served = (int64_t)counts->served,
		asked = (int64_t)counts->asked;

	FUZZ_CHECK(served <= served_most(watch->ms));
	/* What is fetched is asked for in slices, one for what came. */
	FUZZ_CHECK(asked <= ASKS_A_SECOND * seconds + 8 * watch->fed);
	/* Presence, answers, offers, and our own, again on each connection. */
	FUZZ_CHECK(watch->published - served - asked <= 2 * seconds +
			ANSWERS_A_MINUTE * (seconds / 60 + 2) + 2 * watch->fed +
			(3 * watch->posts + 4) * (watch->connects + 1));
}

void
watch_free(struct watch *watch)
{
	for (size_t i = 0; i < watch->echo_count; i++) {
		free(watch->echoes[i].topic);
		free((void *)(uintptr_t)watch->echoes[i].bytes.bytes);
	}
	watch->echo_count = 0;
}
