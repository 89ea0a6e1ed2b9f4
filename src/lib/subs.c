/* SPDX-License-Identifier: Apache-2.0 */
#include "subs.h"

#include "memory.h"
#include "translate.h"

#include <jansson.h>
#include <stdlib.h>

struct broker {
	char *id;
	size_t id_len;
	int64_t count;
};

struct subs {
	struct broker *brokers;
	size_t count;
	size_t known, mistaken;
};

struct subs *
subs_new(void)
{
	return memory_alloc(1, sizeof(struct subs));
}

void
subs_free(struct subs *subs)
{
	if (subs == NULL)
		return;
	for (size_t i = 0; i < subs->count; i++)
		free(subs->brokers[i].id);
	free(subs->brokers);
	free(subs);
}

static int
append(const char *bytes, size_t len, void *text)
{
	text_append(text, bytes, len);
	return 0;
}

void
subs_request(struct text *json, struct span topic)
{
	json_t *object = json_object();

	json_object_set_new(object, "topic",
		json_stringn(topic.bytes, topic.len));
	json_dump_callback(object, append, json, JSON_COMPACT);
	json_decref(object);
}

/* Peers are seen to end their JSON with NUL (protocol.md, 10). */
static json_t *
load(struct span payload)
{
	json_error_t error;

	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	return json_loadb(payload.bytes, payload.len, 0, &error);
}

/* -1 if it is none. */
static int64_t
read_count(struct span payload)
{
	json_t *json = load(payload);
	const json_t *count = json_object_get(json, "count");
	int64_t value = -1;

	if (json_is_integer(count) && json_integer_value(count) >= 0 &&
		json_integer_value(count) <= SUBS_COUNT_MAX)
		value = json_integer_value(count);
	json_decref(json);
	return value;
}

/* The broker of this id, as a new one if there is room; or NULL. */
static struct broker *
find(struct subs *subs, struct span id)
{
	struct broker *broker;

	for (size_t i = 0; i < subs->count; i++) {
		broker = &subs->brokers[i];
		if (span_equal(id, (struct span){ broker->id, broker->id_len }))
			return broker;
	}
	if (subs->count == SUBS_BROKERS_MAX)
		return NULL;
	subs->brokers = memory_resize(subs->brokers, subs->count + 1,
		sizeof(*subs->brokers));
	broker = &subs->brokers[subs->count++];
	*broker = (struct broker){ memory_copy(id.bytes, id.len), id.len, 0 };
	return broker;
}

static int
mistaken(struct subs *subs, struct fault *fault, const char *why)
{
	subs->mistaken++;
	return fault_set(fault, FAULT_PROTOCOL, "%s: %s", SUBS_TOPIC,
		translate(why));
}

int
subs_add(struct subs *subs, struct span client_id, struct span broker_id,
	struct span payload, struct fault *fault)
{
	int64_t count = read_count(payload);

	/* What a client says has its own id, and its broker's. */
	if (broker_id.len == 0 || broker_id.len > SUBS_ID_MAX ||
		!span_equal(client_id, broker_id))
		return mistaken(subs, fault, "an answer is not of a broker");
	if (count < 0)
		return mistaken(subs, fault,
			"a broker's count is not understood");
	struct broker *broker = find(subs, broker_id);
	if (broker == NULL)
		return mistaken(subs, fault, "too many brokers answer");
	broker->count = count;
	return 0;
}

int
subs_expect(struct subs *subs, struct span payload, struct fault *fault)
{
	json_t *json = load(payload);
	const json_t *brokers = json_object_get(json, "brokers");
	size_t known = json_object_size(brokers);
	bool is_good = json_is_object(brokers) && known > 0 &&
		known <= SUBS_BROKERS_MAX;

	json_decref(json);
	if (!is_good)
		return fault_set(fault, FAULT_PROTOCOL,
			"%s: the list of brokers is not understood",
			SUBS_BROKERS_TOPIC);
	subs->known = known;
	return 0;
}

struct subs_sum
subs_sum(const struct subs *subs)
{
	struct subs_sum sum = { .subscriptions = subs->count > 0 ? 0 : -1,
		.brokers = subs->count,
		.known = subs->known,
		.mistaken = subs->mistaken };

	for (size_t i = 0; i < subs->count; i++)
		sum.subscriptions += subs->brokers[i].count;
	return sum;
}

bool
subs_is_complete(const struct subs_sum *sum)
{
	return sum->known > 0 && sum->brokers >= sum->known;
}

static void
append_brokers(const struct subs_sum *sum, struct text *text)
{
	if (sum->brokers == 0)
		text_append_string(text,
			_("no broker has counted who listens"));
	else if (sum->known == 0)
		text_appendf(text,
			ngettext("%zu broker has counted who listens, of how "
				 "many is not known",
				"%zu brokers have counted who listens, of how "
				"many is not known",
				sum->brokers),
			sum->brokers);
	else
		text_appendf(text,
			ngettext("%zu of %zu brokers has counted who listens",
				"%zu of %zu brokers have counted who listens",
				sum->brokers),
			sum->brokers, sum->known);
}

void
subs_append_doubt(const struct subs_sum *sum, struct text *text)
{
	if (subs_is_complete(sum))
		return;
	append_brokers(sum, text);
	if (sum->mistaken > 0)
		text_appendf(text,
			ngettext(", and %zu answer is no count of a broker",
				", and %zu answers are no count of a broker",
				sum->mistaken),
			sum->mistaken);
}
