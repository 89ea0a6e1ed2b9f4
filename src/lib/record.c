/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "json_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_VERSION = 1 }; /* of the JSON line */

static const char *const type_names[] = {
	[RECORD_MESSAGE] = "message",
	[RECORD_JOIN] = "join",
	[RECORD_HERE] = "here",
	[RECORD_LEAVE] = "leave",
	[RECORD_GAP] = "gap",
	[RECORD_DIRECT] = "direct",
};

static bool
is_said(const struct record *record)
{
	return record->type == RECORD_MESSAGE || record->type == RECORD_DIRECT;
}

static void
append_mark(const struct record *record, struct text *line)
{
	text_append_char(line,
		is_said(record) ? trust_letter(record->trust.mark) : '*');
	if (record->replayed || record->late)
		text_append_char(line, '~');
	if (record->type == RECORD_DIRECT)
		text_append_char(line, '@');
}

/* What stands in the place of a text where nobody said one. */
static void
append_happening(const struct record *record, struct text *line)
{
	switch (record->type) {
	case RECORD_JOIN:
		text_append_string(line, "joined");
		break;
	case RECORD_HERE:
		text_append_string(line, "is here");
		break;
	case RECORD_LEAVE:
		text_appendf(line, "left (%s)", record->reason);
		break;
	case RECORD_GAP:
		text_appendf(line, "missing: %lld to %lld",
			(long long)record->gap_first,
			(long long)record->gap_last);
		break;
	case RECORD_MESSAGE:
	case RECORD_DIRECT:
		assert(false);
	}
}

static void
append_text(const struct record *record, struct text *line)
{
	if (!is_said(record)) {
		append_happening(record, line);
		return;
	}
	if (record->severity != ROOM_SEVERITY_NONE)
		text_appendf(line, "[%s] ",
			room_severity_name(record->severity));
	if (record->title.len > 0) {
		text_harmless(line, record->title, TEXT_LINE);
		text_append(line, ": ", 2);
	}
	text_harmless(line, record->text, TEXT_LINE);
}

void
record_plain(const struct record *record, struct text *line)
{
	text_append_time(line, record->time);
	text_append_char(line, ' ');
	text_harmless(line, record->room, TEXT_NAME);
	text_append_char(line, ' ');
	append_mark(record, line);
	text_append_char(line, ' ');
	text_harmless(line, record->user, TEXT_NAME);
	text_append_char(line, ' ');
	append_text(record, line);
	text_append_char(line, '\n');
}

static json_t *
json_span(struct span span)
{
	return json_stringn(span.bytes, span.len);
}

static json_t *
json_span_or_null(struct span span)
{
	return span.len > 0 ? json_span(span) : json_null();
}

static json_t *
json_number_or_null(int64_t number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

/* The id tells messages of one room apart: UID/number.  Legacy peers give no
 * number, so theirs have none. */
static void
append_id(const struct record *record, struct text *id)
{
	if (record->uid.len == 0 || record->seq < 0)
		return;
	text_harmless(id, record->uid, TEXT_NAME);
	/* What is said to one alone has numbers of its own. */
	text_appendf(id, "/%s%lld", record->type == RECORD_DIRECT ? "@" : "",
		(long long)record->seq);
}

static json_t *
json_id(const struct record *record)
{
	struct text id = { 0 };

	append_id(record, &id);
	json_t *json = id.len > 0 ? json_stringn(id.bytes, id.len)
				  : json_null();
	text_free(&id);
	return json;
}

static void
json_set_message(json_t *object, const struct record *record)
{
	json_object_set_new(object, "text", json_span(record->text));
	if (record->severity != ROOM_SEVERITY_NONE)
		json_object_set_new(object, "severity",
			json_string(room_severity_name(record->severity)));
	if (record->title.len > 0)
		json_object_set_new(object, "title", json_span(record->title));
	if (record->tag_count == 0)
		return;
	json_t *tags = json_array();
	for (size_t i = 0; i < record->tag_count; i++)
		json_array_append_new(tags, json_span(record->tags[i]));
	json_object_set_new(object, "tags", tags);
}

static void
json_set_arrival(json_t *object, const struct record *record)
{
	json_object_set_new(object, "app", json_span_or_null(record->app));
	json_object_set_new(object, "since",
		record->since >= 0 ? json_line_time(record->since)
				   : json_null());
}

static void
json_set_by_type(json_t *object, const struct record *record)
{
	switch (record->type) {
	case RECORD_MESSAGE:
	case RECORD_DIRECT:
		json_set_message(object, record);
		break;
	case RECORD_HERE:
		json_set_arrival(object, record);
		json_object_set_new(object, "idle",
			record->idle >= 0
				? json_real((double)record->idle / 1000)
				: json_null());
		json_object_set_new(object, "messages",
			json_number_or_null(record->said));
		break;
	case RECORD_JOIN:
		json_set_arrival(object, record);
		break;
	case RECORD_LEAVE:
		json_object_set_new(object, "reason",
			json_string(record->reason));
		break;
	case RECORD_GAP:
		json_object_set_new(object, "first",
			json_integer(record->gap_first));
		json_object_set_new(object, "last",
			json_integer(record->gap_last));
		break;
	}
}

static void
json_set_trust(json_t *object, const struct trust *trust)
{
	const char mark[] = { trust_letter(trust->mark), '\0' };
	const char *fingerprint = trust->fingerprint;

	json_object_set_new(object, "mark", json_string(mark));
	json_object_set_new(object, "fingerprint",
		json_string(*fingerprint != '\0' ? fingerprint : "-"));
	if (trust->why != NULL)
		json_object_set_new(object, "why", json_string(trust->why));
	if (*trust->pinned != '\0')
		json_object_set_new(object, "pinned",
			json_string(trust->pinned));
}

static void
append_json(const struct record *record, struct text *line)
{
	json_t *object = json_object();

	json_object_set_new(object, "v", json_integer(RECORD_VERSION));
	json_object_set_new(object, "id", json_id(record));
	json_object_set_new(object, "room", json_span(record->room));
	json_object_set_new(object, "type",
		json_string(type_names[record->type]));
	json_object_set_new(object, "time", json_line_time(record->time));
	json_object_set_new(object, "received",
		json_line_time(record->received));
	json_object_set_new(object, "user", json_span(record->user));
	json_object_set_new(object, "uid", json_span_or_null(record->uid));
	json_object_set_new(object, "seq", json_number_or_null(record->seq));
	json_set_trust(object, &record->trust);
	json_object_set_new(object, "sealed", json_boolean(record->sealed));
	if (record->replayed)
		json_object_set_new(object, "replayed", json_true());
	if (record->late)
		json_object_set_new(object, "late", json_true());
	json_set_by_type(object, record);
	json_line_append(object, line);
}

void
record_json(const struct record *record, struct text *line)
{
	append_json(record, line);
	text_append_char(line, '\n');
}

void
record_counts_json(const struct record_count *counts, size_t count,
	int64_t time, struct text *line)
{
	json_t *object = json_object(), *values = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(values, counts[i].name,
			json_integer((json_int_t)counts[i].value));
	json_object_set_new(object, "v", json_integer(RECORD_VERSION));
	json_object_set_new(object, "type", json_string("counts"));
	json_object_set_new(object, "time", json_line_time(time));
	json_object_set_new(object, "counts", values);
	json_line_append(object, line);
	text_append_char(line, '\n');
}

static json_t *
json_known(int64_t number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

void
record_room_json(const struct record_room *room, struct text *line)
{
	json_t *object = json_object();

	json_object_set_new(object, "v", json_integer(RECORD_VERSION));
	json_object_set_new(object, "room", json_span(room->room));
	json_object_set_new(object, "type", json_string("room"));
	json_object_set_new(object, "time", json_line_time(room->time));
	json_object_set_new(object, "participants",
		json_integer(room->participants));
	json_object_set_new(object, "known",
		room->known > 0 ? json_integer(room->known) : json_null());
	json_object_set_new(object, "since",
		room->since >= 0 ? json_line_time(room->since) : json_null());
	json_object_set_new(object, "messages", json_integer(room->messages));
	json_object_set_new(object, "per_hour",
		room->per_hour >= 0 ? json_real(room->per_hour) : json_null());
	json_object_set_new(object, "sealed", json_boolean(room->sealed));
	json_object_set_new(object, "listeners", json_known(room->listeners));
	json_object_set_new(object, "brokers", json_known(room->brokers));
	json_object_set_new(object, "brokers_known",
		json_known(room->brokers_known));
	json_line_append(object, line);
	text_append_char(line, '\n');
}

static json_t *
json_words(struct span words)
{
	json_t *array = json_array();

	while (words.len > 0) {
		const char *end = memchr(words.bytes, ' ', words.len);
		size_t len = end != NULL ? (size_t)(end - words.bytes)
					 : words.len;

		json_array_append_new(array, json_stringn(words.bytes, len));
		words.bytes += len + (end != NULL);
		words.len -= len + (end != NULL);
	}
	return array;
}

static void
json_set_waiting(json_t *object, const struct record_waiting *waiting)
{
	json_object_set_new(object, "time", json_line_time(waiting->time));
	json_object_set_new(object, "room", json_span(waiting->room));
	json_object_set_new(object, "user", json_span(waiting->user));
	json_object_set_new(object, "uid", json_span(waiting->uid));
	json_object_set_new(object, "first", json_integer(waiting->first));
	json_object_set_new(object, "last", json_integer(waiting->last));
	json_object_set_new(object, "bytes", json_integer(waiting->size));
	json_object_set_new(object, "sealed", json_boolean(waiting->sealed));
	json_object_set_new(object, "brokers", json_words(waiting->brokers));
	json_object_set_new(object, "authorities",
		json_words(waiting->authorities));
	json_object_set_new(object, "this_fabric",
		waiting->is_compared ? json_boolean(waiting->is_here)
				     : json_null());
	json_object_set_new(object, "this_user",
		waiting->is_user_compared ? json_boolean(waiting->is_own)
					  : json_null());
}

void
record_waiting_json(const struct record_waiting *waiting, struct text *line)
{
	json_t *object = json_object();

	json_object_set_new(object, "v", json_integer(RECORD_VERSION));
	json_object_set_new(object, "type", json_string("spooled"));
	json_object_set_new(object, "file", json_span(waiting->file));
	json_object_set_new(object, "state", json_string(waiting->state));
	if (waiting->is_known)
		json_set_waiting(object, waiting);
	json_line_append(object, line);
	text_append_char(line, '\n');
}

int
record_format_check(const char *format, struct fault *fault)
{
	for (const char *at = format; *at != '\0'; at++) {
		if (*at != '%' && *at != '\\')
			continue;
		const char *known = *at == '%' ? "trkumisfj%" : "nt0\\";
		if (at[1] == '\0' || strchr(known, at[1]) == NULL)
			return fault_set(fault, FAULT_USAGE,
				"--format: "
				"\"%.2s\" at character %zu means nothing "
				"(%%t %%r %%k %%u %%m %%i %%s %%f %%j %%%% "
				"\\n \\t \\0 \\\\ do)",
				at, (size_t)(at - format) + 1);
		at++;
	}
	return 0;
}

static void
append_field(const struct record *record, char field, struct text *line)
{
	size_t before = line->len;

	switch (field) {
	case 't':
		text_append_time(line, record->time);
		break;
	case 'r':
		text_harmless(line, record->room, TEXT_NAME);
		break;
	case 'k':
		append_mark(record, line);
		break;
	case 'u':
		text_harmless(line, record->user, TEXT_NAME);
		break;
	case 'm':
		append_text(record, line);
		return;
	case 'i':
		append_id(record, line);
		break;
	case 's':
		if (record->seq >= 0)
			text_appendf(line, "%lld", (long long)record->seq);
		break;
	case 'j':
		append_json(record, line);
		break;
	case '%':
		text_append_char(line, '%');
		break;
	default: /* f */
		text_append_string(line, record->trust.fingerprint);
		break;
	}
	if (line->len == before)
		text_append_char(line, '-');
}

void
record_format(const struct record *record, const char *format,
	struct text *line)
{
	for (const char *at = format; *at != '\0'; at++) {
		if (*at == '%') {
			append_field(record, *++at, line);
		} else if (*at == '\\') {
			at++;
			text_append_char(line,
				*at == 'n'           ? '\n'
					: *at == 't' ? '\t'
					: *at == '0' ? '\0'
						     : '\\');
		} else {
			text_append_char(line, *at);
		}
	}
}
