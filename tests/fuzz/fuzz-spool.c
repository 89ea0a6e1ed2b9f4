/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the spool, as it is and with the right checksum in it: what is
 * read is within its bounds, is written and read as the same, and the list
 * says the same of it. */
#include "fuzz.h"
#include "memory.h"
#include "spool_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "001795408513935-0000000000000007-"
			   "0123456789abcdef0123456789abcdef";
static const int64_t now = INT64_C(1795408513935);

static uint64_t
sum_of(uint64_t sum, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		sum ^= (unsigned char)bytes.bytes[i];
		sum *= UINT64_C(1099511628211);
	}
	return sum;
}

/* The line of the checksum, with its end, and what stands before and behind
 * it. */
static bool
find_sum(struct span file, struct span *head, struct span *line,
	struct span *rest)
{
	const char *end = memmem(file.bytes, file.len, "\n\n", 2);
	const char *at = memmem(file.bytes, file.len, "\nchecksum: ", 11);

	if (end == NULL || at == NULL || at > end)
		return false;
	at++;
	*head = (struct span){ file.bytes, (size_t)(at - file.bytes) };
	*line = (struct span){ at, (size_t)(end - at) + 1 };
	*rest = (struct span){ end + 2,
		(size_t)(file.bytes + file.len - end) - 2 };
	return true;
}

static void
right_line(struct span head, struct span rest, char line[64])
{
	uint64_t sum = sum_of(sum_of(UINT64_C(14695981039346656037), head),
		rest);

	snprintf(line, 64, "checksum: %016" PRIx64 "\n", sum);
}

static void
check_message(const struct spool_message *message)
{
	FUZZ_CHECK(spool_file_check(message) == NULL);
	FUZZ_CHECK(message->envelope.len >= 1);
	FUZZ_CHECK(message->envelope.len <= SPOOL_ENVELOPE_MAX);
	FUZZ_CHECK(
		message->room.len >= 1 && message->room.len <= SPOOL_ROOM_MAX);
	FUZZ_CHECK(message->user.len <= SPOOL_USER_MAX);
	FUZZ_CHECK(text_utf8_check(message->room) == message->room.len);
	FUZZ_CHECK(text_utf8_check(message->user) == message->user.len);
}

static void
check_same(const struct spool_message *a, const struct spool_message *b)
{
	FUZZ_CHECK(strcmp(a->name, b->name) == 0);
	FUZZ_CHECK(a->time_ms == b->time_ms);
	FUZZ_CHECK(span_equal(a->room, b->room) &&
		span_equal(a->user, b->user) && span_equal(a->uid, b->uid));
	FUZZ_CHECK(a->first == b->first && a->last == b->last);
	FUZZ_CHECK(a->unconfirmed == b->unconfirmed && a->sealed == b->sealed);
}

/* Reads it in place; frees with spool_entry_free(). */
static const char *
parse(struct span file, struct spool_entry *entry)
{
	*entry = (struct spool_entry){ 0 };
	strcpy(entry->message.name, name);
	entry->bytes = (char *)(uintptr_t)fuzz_copy(file.bytes, file.len).bytes;
	return spool_file_parse(entry, file.len, (int64_t)file.len);
}

static void
check_again(const struct spool_message *message)
{
	struct text bytes = { 0 };
	struct spool_entry other;

	spool_file_format(message, &bytes);
	FUZZ_CHECK(bytes.len - message->envelope.len <= SPOOL_HEAD_MAX);
	FUZZ_CHECK(
		parse((struct span){ bytes.bytes, bytes.len }, &other) == NULL);
	check_same(message, &other.message);
	FUZZ_CHECK(span_equal(message->envelope, other.message.envelope));
	spool_entry_free(&other);
	text_free(&bytes);
}

/* Is it what the folder has, too, read whole or listed? */
static void
check_folder(struct span file, const struct spool_message *message)
{
	char *path = memory_format("%s/%s", fuzz_folder(), name);
	struct spool *spool = spool_open(fuzz_folder(),
		(struct spool_limits){ 0 });
	struct spool_list list;
	struct spool_entry entry;
	struct fault fault = { 0 };

	fuzz_write(path, file);
	int rc = spool_read(spool, name, now, &entry, &fault);
	FUZZ_CHECK((rc == 0) == (message != NULL));
	if (rc == 0) {
		check_same(message, &entry.message);
		spool_entry_free(&entry);
	} else {
		FUZZ_CHECK(fault.kind == FAULT_DATA);
	}
	FUZZ_CHECK(spool_list(spool, now, &list, &fault) == 0);
	FUZZ_CHECK(list.count == 1);
	if (rc == 0) {
		FUZZ_CHECK(list.entries[0].state != SPOOL_DAMAGED);
		check_same(message, &list.entries[0].message);
		FUZZ_CHECK(
			list.entries[0].size == (int64_t)message->envelope.len);
	}
	spool_list_free(&list);
	spool_free(spool);
	unlink(path);
	free(path);
}

static void
check_file(struct span file)
{
	struct spool_entry entry;
	struct span head, line, rest;
	char right[64];
	const char *wrong = parse(file, &entry);

	if (wrong == NULL) {
		FUZZ_CHECK(find_sum(file, &head, &line, &rest));
		right_line(head, rest, right);
		FUZZ_CHECK(span_equal(line, span_of(right)));
		check_message(&entry.message);
		check_again(&entry.message);
	}
	check_folder(file, wrong == NULL ? &entry.message : NULL);
	spool_entry_free(&entry);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span file = { (const char *)data, size }, head, line, rest;
	struct text summed = { 0 };
	char right[64];

	check_file(file);
	if (!find_sum(file, &head, &line, &rest))
		return 0;
	right_line(head, rest, right);
	text_append(&summed, head.bytes, head.len);
	text_append_string(&summed, right);
	text_append_char(&summed, '\n');
	text_append(&summed, rest.bytes, rest.len);
	check_file((struct span){ summed.bytes, summed.len });
	text_free(&summed);
	return 0;
}
