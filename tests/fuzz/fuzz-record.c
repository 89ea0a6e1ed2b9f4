/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of hostile strings in its three forms: harmless, one line, with the
 * columns where they belong; and JSON that is ASCII and tells all that went
 * in.  The input is fields between "|~|": numbers, room, user, UID, text,
 * title, app, a format, tags.
 */
#include "fuzz.h"
#include "record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS_MAX = 4, TIME_LENGTH = 24 };

struct input {
	struct record record;
	struct span tags[TAGS_MAX];
	struct span format;
};

/* Decimal digits that one byte each chooses. */
static unsigned
choice(struct span numbers, size_t i, unsigned count)
{
	return i < numbers.len ? (unsigned char)numbers.bytes[i] % count : 0;
}

static int64_t
moment(struct span numbers, size_t i)
{
	static const int64_t moments[] = { -1, 0, 1, INT64_MIN, INT64_MAX,
		INT64_C(1795408513935), INT64_C(253402300799999), 999 };

	return moments[choice(numbers, i, 8)];
}

static void
read_input(struct span left, struct input *input)
{
	struct span numbers = fuzz_field(&left);
	struct record *record = &input->record;

	*record = (struct record){
		.type = (enum record_type)choice(numbers, 0, 5),
		.severity = (enum room_severity)choice(numbers, 1, 6),
		.replayed = choice(numbers, 2, 2) == 1,
		.own = choice(numbers, 2, 4) > 1,
		.time = moment(numbers, 3),
		.received = moment(numbers, 4),
		.seq = choice(numbers, 5, 3) - (int64_t)1,
		.since = moment(numbers, 6),
		.idle = moment(numbers, 7),
		.said = moment(numbers, 8),
		.gap_first = moment(numbers, 9),
		.gap_last = moment(numbers, 10),
		.reason = choice(numbers, 11, 2) == 1 ? "bye" : "silence",
	};
	record->room = fuzz_field(&left);
	record->user = fuzz_field(&left);
	record->uid = fuzz_field(&left);
	record->text = fuzz_field(&left);
	record->title = fuzz_field(&left);
	record->app = fuzz_field(&left);
	input->format = fuzz_field(&left);
	for (; left.len > 0 && record->tag_count < TAGS_MAX;
		record->tag_count++)
		input->tags[record->tag_count] = fuzz_field(&left);
	record->tags = input->tags;
}

static struct span
span_of_text(const struct text *text)
{
	return (struct span){ text->bytes, text->len };
}

/* Takes a column and the space behind it. */
static struct span
column(struct span *left)
{
	const char *end = memchr(left->bytes, ' ', left->len);

	FUZZ_CHECK(end != NULL);
	struct span taken = { left->bytes, (size_t)(end - left->bytes) };
	left->bytes += taken.len + 1;
	left->len -= taken.len + 1;
	return taken;
}

static void
check_name(struct span shown, struct span name)
{
	struct text want = { 0 };

	fuzz_check_harmless(shown, FUZZ_NAME);
	text_harmless(&want, name, TEXT_NAME);
	FUZZ_CHECK(span_equal(shown, span_of_text(&want)));
	text_free(&want);
}

/* No name adds a column, and no text a line. */
static void
check_plain(const struct record *record)
{
	struct text line = { 0 };

	record_plain(record, &line);
	FUZZ_CHECK(line.len > 0 && line.bytes[line.len - 1] == '\n');
	struct span left = { line.bytes, line.len - 1 };
	fuzz_check_harmless(left, FUZZ_TEXT);
	FUZZ_CHECK(column(&left).len == TIME_LENGTH);
	check_name(column(&left), record->room);
	struct span mark = column(&left);
	FUZZ_CHECK(mark.len == (record->replayed ? 2 : 1));
	FUZZ_CHECK(
		mark.bytes[0] == (record->type == RECORD_MESSAGE ? '-' : '*'));
	check_name(column(&left), record->user);
	text_free(&line);
}

/* A string that is UTF-8 comes out as it went in.  One that is none cannot be
 * told in JSON; no peer's is. */
static void
check_string(const json_t *object, const char *key, struct span want)
{
	const json_t *got = json_object_get(object, key);

	if (text_utf8_check(want) < want.len)
		FUZZ_CHECK(got == NULL || json_is_null(got));
	else if (want.len == 0)
		FUZZ_CHECK(got == NULL || json_is_null(got) ||
			json_string_length(got) == 0);
	else
		FUZZ_CHECK(span_equal((struct span){ json_string_value(got),
					      json_string_length(got) },
			want));
}

static void
check_tags(const json_t *object, const struct record *record)
{
	const json_t *tags = json_object_get(object, "tags");
	size_t at = 0;

	for (size_t i = 0; i < record->tag_count; i++) {
		struct span want = record->tags[i];
		const json_t *got;

		if (text_utf8_check(want) < want.len)
			continue;
		got = json_array_get(tags, at++);
		FUZZ_CHECK(json_is_string(got));
		FUZZ_CHECK(span_equal((struct span){ json_string_value(got),
					      json_string_length(got) },
			want));
	}
	FUZZ_CHECK(json_array_size(tags) == at);
}

static void
check_json(const struct record *record)
{
	struct text line = { 0 };
	json_error_t error;

	record_json(record, &line);
	FUZZ_CHECK(line.len > 0 && line.bytes[line.len - 1] == '\n');
	fuzz_check_ascii((struct span){ line.bytes, line.len - 1 });
	json_t *object = json_loadb(line.bytes, line.len,
		JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	FUZZ_CHECK(json_is_object(object));
	check_string(object, "room", record->room);
	check_string(object, "user", record->user);
	check_string(object, "uid", record->uid);
	if (record->type == RECORD_MESSAGE) {
		check_string(object, "text", record->text);
		check_string(object, "title", record->title);
		check_tags(object, record);
	}
	if (record->type == RECORD_JOIN || record->type == RECORD_HERE)
		check_string(object, "app", record->app);
	json_decref(object);
	text_free(&line);
}

static void
check_field(const struct record *record, const char *format)
{
	struct text shown = { 0 };
	struct fault fault = { 0 };

	FUZZ_CHECK(record_format_check(format, &fault) == 0);
	record_format(record, format, &shown);
	/* %m is the one field that may be empty. */
	FUZZ_CHECK(shown.len > 0 || strcmp(format, "%m") == 0);
	fuzz_check_harmless(span_of_text(&shown),
		strcmp(format, "%m") == 0 ? FUZZ_TEXT : FUZZ_NAME);
	text_free(&shown);
}

static void
check_formats(const struct input *input)
{
	static const char *const fields[] = { "%t", "%r", "%k", "%u", "%m",
		"%i", "%s", "%f", "%%" };
	char *format = strndup(input->format.bytes, input->format.len);
	struct text shown = { 0 };
	struct fault fault = { 0 };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		check_field(&input->record, fields[i]);
	if (record_format_check(format, &fault) == 0)
		record_format(&input->record, format, &shown);
	else
		FUZZ_CHECK(fault.kind == FAULT_USAGE);
	record_format(&input->record, "%j", &shown);
	text_free(&shown);
	free(format);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input;

	read_input((struct span){ (const char *)data, size }, &input);
	check_plain(&input.record);
	check_json(&input.record);
	check_formats(&input);
	return 0;
}
