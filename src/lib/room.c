/* SPDX-License-Identifier: Apache-2.0 */
#include "room.h"

#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const severities[] = {
	[ROOM_SEVERITY_INFO] = "info",
	[ROOM_SEVERITY_LOW] = "low",
	[ROOM_SEVERITY_MEDIUM] = "medium",
	[ROOM_SEVERITY_HIGH] = "high",
	[ROOM_SEVERITY_CRITICAL] = "critical",
};
static const size_t severity_count = sizeof(severities) / sizeof(*severities);

const char *
room_severity_name(enum room_severity severity)
{
	return severities[severity];
}

enum room_severity
room_severity_of(struct span name)
{
	for (size_t i = 1; i < severity_count; i++)
		if (span_equal(name, span_of(severities[i])))
			return (enum room_severity)i;
	return ROOM_SEVERITY_NONE;
}

void
room_message_init(struct room_message *message, enum room_type type)
{
	*message = (struct room_message){
		.type = type,
		.time = -1,
		.ms = -1,
		.seq = -1,
		.lines = -1,
		.last = -1,
		.since = -1,
		.idle = -1,
		.known = -1,
		.wait = -1,
		.until = -1,
		.count = -1,
		.skip = -1,
		.have = -1,
		.records = -1,
		.oldest = -1,
		.version = -1,
		.counter = -1,
		.sent = -1,
	};
}

/* 0 where the key is missing or its string is longer than most. */
static struct span
get_span(const json_t *object, const char *key, size_t most)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value) || json_string_length(value) > most)
		return (struct span){ "", 0 };
	return (struct span){ json_string_value(value),
		json_string_length(value) };
}

static int64_t
get_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return -1;
	json_int_t number = json_integer_value(value);
	return number >= 0 && number <= ROOM_NUMBER_MAX ? number : -1;
}

/* A string of digits with white space and a sign, as Python's int() takes it,
 * and as some peers write it a fraction behind it.  -1 if it is none. */
static int64_t
number_of_string(const char *string)
{
	char *end;

	double number = strtod(string, &end);
	while (isspace((unsigned char)*end))
		end++;
	if (end == string || *end != '\0' || !isfinite(number) || number < 0 ||
		number > (double)ROOM_NUMBER_MAX)
		return -1;
	return (int64_t)number;
}

/* protocol.md, section 6.4: string, integer, float, or missing */
static int64_t
get_time(const json_t *object)
{
	const json_t *value = json_object_get(object, "time");

	if (json_is_string(value))
		return number_of_string(json_string_value(value));
	if (!json_is_real(value))
		return get_number(object, "time");
	double number = json_real_value(value);
	return number >= 0 && number <= (double)ROOM_NUMBER_MAX
		? (int64_t)number
		: -1;
}

static void
get_tags(const json_t *object, struct room_message *message)
{
	const json_t *tags = json_object_get(object, "tags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);

		if (!json_is_string(tag) ||
			json_string_length(tag) > ROOM_TAG_MAX ||
			message->tag_count == ROOM_TAGS_MAX)
			continue;
		message->tags[message->tag_count++] = (struct span){
			json_string_value(tag), json_string_length(tag)
		};
	}
}

static size_t
count_of(struct span text, char c)
{
	const char *end = text.bytes + text.len;
	size_t count = 0;

	for (const char *at = text.bytes;
		(at = memchr(at, c, (size_t)(end - at))) != NULL; at++)
		count++;
	return count;
}

/* Empty where it is missing, or no inbox's topic. */
static struct span
get_inbox(const json_t *object)
{
	struct span inbox = get_span(object, "inbox", ROOM_INBOX_MAX);

	return room_inbox_check(inbox) ? inbox : (struct span){ "", 0 };
}

/* ROOM_DIGEST_BYTES hex digits; 0 if it is anything else. */
static uint64_t
digest_of(const json_t *value)
{
	const char *string = json_string_value(value);

	if (string == NULL || json_string_length(value) != ROOM_DIGEST_BYTES ||
		strspn(string, "0123456789abcdef") != ROOM_DIGEST_BYTES)
		return 0;
	return strtoull(string, NULL, 16);
}

static int64_t
number_at(const json_t *array, size_t i)
{
	const json_t *value = json_array_get(array, i);

	if (!json_is_integer(value))
		return -1;
	json_int_t number = json_integer_value(value);
	return number >= 0 && number <= ROOM_NUMBER_MAX ? number : -1;
}

/* Numbers begin with 1; 0 counts as none. */
static int64_t
get_seq(const json_t *object)
{
	int64_t seq = get_number(object, "seq");

	return seq != 0 ? seq : -1;
}

static int
read_message(struct room_message *message, const json_t *object,
	struct fault *fault)
{
	if (!json_is_string(json_object_get(object, "message")))
		return fault_set(fault, FAULT_DATA, "a message without text");
	message->text = get_span(object, "message", SIZE_MAX);
	message->ms = get_number(object, "ms");
	message->seq = get_seq(object);
	message->once = json_is_true(json_object_get(object, "once"));
	message->severity = room_severity_of(get_span(object, "sev", 16));
	message->title = get_span(object, "title", ROOM_TITLE_MAX);
	get_tags(object, message);
	message->since = get_number(object, "since");
	message->inbox = get_inbox(object);

	if (json_object_get(object, "n") == NULL)
		return 0;
	message->lines = get_number(object, "n");
	if (message->lines < 2 || message->lines > ROOM_BLOCK_LINES_MAX ||
		message->seq < 0 ||
		message->seq > ROOM_NUMBER_MAX - message->lines ||
		count_of(message->text, '\n') + 1 != (size_t)message->lines)
		return fault_set(fault, FAULT_DATA,
			"a block whose `n` does not fit its lines");
	return 0;
}

bool
room_uid_check(struct span uid)
{
	for (size_t i = 0; i < uid.len; i++)
		if ((unsigned char)uid.bytes[i] < 0x20)
			return false;
	return uid.len > 0 && uid.len <= ROOM_UID_MAX;
}

static void
get_heads(const json_t *object, struct room_message *message)
{
	const json_t *heads = json_object_get(object, "heads");

	for (size_t i = 0; i < json_array_size(heads) &&
		message->head_count < ROOM_HEADS_MAX;
		i++) {
		const json_t *item = json_array_get(heads, i);
		const json_t *uid = json_array_get(item, 0);
		struct room_head head = { { json_string_value(uid),
						  json_string_length(uid) },
			number_at(item, 1), number_at(item, 2),
			number_at(item, 3) };

		if (room_uid_check(head.uid) && head.last > 0)
			message->heads[message->head_count++] = head;
	}
}

static void
get_minutes(const json_t *object, struct room_message *message)
{
	const json_t *minutes = json_object_get(object, "minutes");

	for (size_t i = 0; i < json_array_size(minutes) &&
		message->minute_count < ROOM_MINUTES_MAX;
		i++) {
		const json_t *item = json_array_get(minutes, i);
		struct room_minute minute = { number_at(item, 0),
			digest_of(json_array_get(item, 1)) };

		if (minute.minute >= 0 &&
			minute.minute < ROOM_NUMBER_MAX / 60000)
			message->minutes[message->minute_count++] = minute;
	}
}

static void
read_presence(struct room_message *message, const json_t *object)
{
	message->since = get_number(object, "since");
	message->idle = get_number(object, "idle");
	message->known = get_number(object, "known");
	message->wait = get_number(object, "wait");
	message->conn = get_span(object, "conn", ROOM_UID_MAX);
	message->app = get_span(object, "app", ROOM_USER_MAX);
	message->inbox = get_inbox(object);
	get_heads(object, message);
	get_minutes(object, message);
}

/* Where a list has more than we take, or what makes no sense, the rest of it
 * is asked for again, or not missed. */
static void
get_wants(const json_t *object, struct room_message *message)
{
	const json_t *wants = json_object_get(object, "want");

	for (size_t i = 0; i < json_array_size(wants) &&
		message->want_count < ROOM_WANTS_MAX;
		i++) {
		const json_t *want = json_array_get(wants, i);
		struct room_range range = { number_at(want, 0),
			number_at(want, 1) };

		if (range.first > 0 && range.last >= range.first)
			message->wants[message->want_count++] = range;
	}
}

static int
read_repair(struct room_message *message, const json_t *object,
	struct fault *fault)
{
	message->inbox = get_inbox(object);
	message->conn = get_span(object, "conn", ROOM_UID_MAX);
	message->seq = get_seq(object);
	message->since = get_number(object, "since");
	message->until = get_number(object, "until");
	message->count = get_number(object, "count");
	message->skip = get_number(object, "skip");
	message->have = get_number(object, "have");
	message->records = get_number(object, "records");
	message->oldest = get_number(object, "oldest");
	message->sent = get_number(object, "sent");
	message->digest = digest_of(json_object_get(object, "digest"));
	message->payload = get_span(object, "payload", SIZE_MAX);
	message->sig = get_span(object, "sig", ROOM_HEADER_MAX);
	message->bind = get_span(object, "bind", ROOM_HEADER_MAX);
	message->cert = get_span(object, "cert", ROOM_HEADER_MAX);
	message->key = get_span(object, "key", ROOM_KEY_MAX);
	get_wants(object, message);
	if (message->type == ROOM_WANT && message->inbox.len == 0)
		return fault_set(fault, FAULT_DATA, "a type 6 without inbox");
	return 0;
}

/* Their sizes are for seal_open() to check. */
static int
read_sealed(struct room_message *message, const json_t *object)
{
	message->version = get_number(object, "v");
	message->counter = get_number(object, "counter");
	message->sealed = get_span(object, "sealed", SIZE_MAX);
	message->salt = get_span(object, "salt", ROOM_KEY_MAX);
	message->key = get_span(object, "key", ROOM_KEY_MAX);
	message->to = get_span(object, "to", ROOM_KEY_MAX);
	message->ephemeral = get_span(object, "ephemeral", ROOM_KEY_MAX);
	return 0;
}

static int64_t
get_type(const json_t *object)
{
	const json_t *type = json_object_get(object, "type");

	if (json_is_string(type))
		return number_of_string(json_string_value(type));
	return get_number(object, "type");
}

static bool
is_known(int64_t type)
{
	return (type >= ROOM_MESSAGE && type <= ROOM_BYE) ||
		type == ROOM_SEALED || type == ROOM_WANT ||
		type == ROOM_REPAIR || type == ROOM_PROOF ||
		type == ROOM_RECEIPT || type == ROOM_KEY;
}

static int
read_object(struct room_message *message, const json_t *object,
	struct fault *fault)
{
	message->type = get_type(object);
	if (message->type < 0)
		return fault_set(fault, FAULT_DATA, "a payload without type");
	if (!is_known(message->type))
		return 0;

	message->user = get_span(object, "user", ROOM_USER_MAX);
	message->uid = get_span(object, "UID", ROOM_UID_MAX);
	if (message->uid.len > 0 && !room_uid_check(message->uid))
		return fault_set(fault, FAULT_DATA,
			"a UID with control characters");
	message->time = get_time(object);
	message->last = get_number(object, "last");
	if (message->type == ROOM_MESSAGE)
		return read_message(message, object, fault);
	if (message->type == ROOM_SEALED)
		return read_sealed(message, object);
	if (message->type > ROOM_BYE)
		return read_repair(message, object, fault);
	read_presence(message, object);
	if (message->type != ROOM_WHO && message->uid.len == 0)
		return fault_set(fault, FAULT_DATA, "a type %d without UID",
			(int)message->type);
	return 0;
}

int
room_parse(struct room_message *message, struct span payload,
	struct fault *fault)
{
	json_error_t error;

	room_message_init(message, 0);
	/* Peers are seen to end their JSON with NUL (protocol.md, 10). */
	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	json_t *json = json_loadb(payload.bytes, payload.len, JSON_ALLOW_NUL,
		&error);
	if (json == NULL)
		return fault_set(fault, FAULT_DATA,
			"a payload that is not JSON: %s", error.text);
	if (!json_is_object(json)) {
		json_decref(json);
		return fault_set(fault, FAULT_DATA,
			"a payload that is no JSON object");
	}
	message->json = json;
	if (read_object(message, json, fault) < 0) {
		room_message_free(message);
		return -1;
	}
	return 0;
}

void
room_message_free(struct room_message *message)
{
	json_decref(message->json);
	message->json = NULL;
}

static void
set(json_t *object, const char *key, json_t *value)
{
	/* Fails for want of memory only: the text was checked on its way in. */
	int rc = json_object_set_new(object, key, value);
	assert(rc == 0);
	(void)rc;
}

static void
set_span(json_t *object, const char *key, struct span span)
{
	if (span.len > 0)
		set(object, key, json_stringn(span.bytes, span.len));
}

static void
set_number(json_t *object, const char *key, int64_t number)
{
	if (number >= 0)
		set(object, key, json_integer(number));
}

/* The keys that the original expects, in its types (protocol.md, 6.2). */
static void
set_original(json_t *object, const struct room_message *message)
{
	char seconds[32];

	set(object, "type", json_integer(message->type));
	if (message->type == ROOM_WHO || message->type > ROOM_BYE) {
		set_span(object, "UID", message->uid);
		return;
	}
	if (message->type == ROOM_MESSAGE)
		set(object, "message",
			json_stringn(message->text.bytes, message->text.len));
	snprintf(seconds, sizeof(seconds), "%lld", (long long)message->time);
	set(object, "time", json_string(seconds));
	set(object, "user",
		json_stringn(message->user.bytes, message->user.len));
	set(object, "UID", json_stringn(message->uid.bytes, message->uid.len));
}

static json_t *
digest_json(uint64_t digest)
{
	char hex[ROOM_DIGEST_BYTES + 1];

	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)digest);
	return json_string(hex);
}

static void
set_array(json_t *object, const char *key, json_t *array)
{
	if (json_array_size(array) > 0)
		set(object, key, array);
	else
		json_decref(array);
}

static void
set_lists(json_t *object, const struct room_message *message)
{
	json_t *wants = json_array(), *heads = json_array(),
	       *minutes = json_array();

	for (size_t i = 0; i < message->want_count; i++)
		json_array_append_new(wants,
			json_pack("[II]", (json_int_t)message->wants[i].first,
				(json_int_t)message->wants[i].last));
	for (size_t i = 0; i < message->head_count; i++) {
		const struct room_head *head = &message->heads[i];

		json_array_append_new(heads,
			json_pack("[s%III]", head->uid.bytes, head->uid.len,
				(json_int_t)head->last, (json_int_t)head->ms,
				(json_int_t)head->since));
	}
	for (size_t i = 0; i < message->minute_count; i++)
		json_array_append_new(minutes,
			json_pack("[Io]",
				(json_int_t)message->minutes[i].minute,
				digest_json(message->minutes[i].digest)));
	set_array(object, "want", wants);
	set_array(object, "heads", heads);
	set_array(object, "minutes", minutes);
}

static void
set_repair(json_t *object, const struct room_message *message)
{
	set_number(object, "until", message->until);
	set_number(object, "count", message->count);
	set_number(object, "skip", message->skip);
	set_number(object, "have", message->have);
	set_number(object, "records", message->records);
	set_number(object, "oldest", message->oldest);
	set_number(object, "sent", message->sent);
	set_span(object, "payload", message->payload);
	set_span(object, "sig", message->sig);
	set_span(object, "bind", message->bind);
	set_span(object, "cert", message->cert);
	set_span(object, "key", message->key);
	if (message->digest != 0)
		set(object, "digest", digest_json(message->digest));
}

static void
set_additions(json_t *object, const struct room_message *message)
{
	set_number(object, "seq", message->seq);
	set_number(object, "ms", message->ms);
	set_number(object, "n", message->lines);
	set_number(object, "last", message->last);
	set_number(object, "since", message->since);
	set_number(object, "idle", message->idle);
	set_number(object, "known", message->known);
	set_number(object, "wait", message->wait);
	if (message->once)
		set(object, "once", json_true());
	set_span(object, "inbox", message->inbox);
	set_span(object, "conn", message->conn);
	set_span(object, "app", message->app);
	set_span(object, "title", message->title);
	if (message->severity != ROOM_SEVERITY_NONE)
		set(object, "sev", json_string(severities[message->severity]));
	if (message->tag_count == 0)
		return;
	json_t *tags = json_array();
	for (size_t i = 0; i < message->tag_count; i++)
		json_array_append_new(tags,
			json_stringn(message->tags[i].bytes,
				message->tags[i].len));
	set(object, "tags", tags);
}

static int
append_bytes(const char *bytes, size_t len, void *text)
{
	text_append(text, bytes, len);
	return 0;
}

void
room_format(const struct room_message *message, struct text *payload)
{
	json_t *object = json_object();

	set_original(object, message);
	set_additions(object, message);
	if (message->type > ROOM_BYE)
		set_repair(object, message);
	if (message->type > ROOM_MESSAGE)
		set_lists(object, message);
	int rc = json_dump_callback(object, append_bytes, payload,
		JSON_COMPACT);
	assert(rc == 0);
	(void)rc;
	json_decref(object);
}

/* A character that MQTT or a DXL broker takes amiss in a topic that one
 * publishes to (protocol.md, 2.2; MQTT 3.1.1, 1.5.3). */
static bool
is_bad_in_topic(uint32_t c)
{
	return c == '+' || c == '#' || c < 0x20 || (c >= 0x7f && c < 0xa0) ||
		(c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* Returns NULL, or what is wrong with it as a part of a topic. */
static const char *
topic_fault(struct span part)
{
	while (part.len > 0) {
		uint32_t c;
		size_t len = text_utf8_next(part, &c);

		if (len == 0)
			return _("is not UTF-8");
		if (is_bad_in_topic(c))
			return c == '+' || c == '#'
				? _("holds + or #, which MQTT keeps for itself")
				: _("holds a control or noncharacter");
		part.bytes += len;
		part.len -= len;
	}
	return NULL;
}

int
room_name_check(struct span name, struct fault *fault)
{
	if (name.len == 0)
		return fault_set(fault, FAULT_USAGE,
			"the room's name is empty");
	if (name.len > ROOM_NAME_MAX)
		return fault_set(fault, FAULT_USAGE,
			"the room's name has %zu bytes (at most %d)", name.len,
			ROOM_NAME_MAX);
	if (count_of(name, '/') >= ROOM_LEVELS_MAX)
		return fault_set(fault, FAULT_USAGE,
			"the room's name has %zu levels (at most %d; slashes "
			"make them)",
			count_of(name, '/') + 1, ROOM_LEVELS_MAX);
	const char *reason = topic_fault(name);
	if (reason != NULL)
		return fault_set(fault, FAULT_USAGE,
			"the room's name \"%.*s\" %s (choose another)",
			(int)name.len, name.bytes, reason);
	return 0;
}

char *
room_topic(const char *name)
{
	return memory_format("%s%s", ROOM_TOPIC_PREFIX, name);
}

static bool
has_prefix(struct span topic, const char *prefix)
{
	size_t len = strlen(prefix);

	return topic.len > len && memcmp(topic.bytes, prefix, len) == 0;
}

struct span
room_of_topic(struct span topic)
{
	size_t len = strlen(ROOM_TOPIC_PREFIX);

	if (!has_prefix(topic, ROOM_TOPIC_PREFIX))
		return (struct span){ "", 0 };
	return (struct span){ topic.bytes + len, topic.len - len };
}

bool
room_inbox_check(struct span topic)
{
	if (topic.len > ROOM_INBOX_MAX || !has_prefix(topic, ROOM_INBOX_PREFIX))
		return false;
	size_t prefix = strlen(ROOM_INBOX_PREFIX);
	struct span name = { topic.bytes + prefix, topic.len - prefix };
	return count_of(name, '/') == 0 && topic_fault(name) == NULL;
}
