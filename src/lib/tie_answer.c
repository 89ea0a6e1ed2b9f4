/* SPDX-License-Identifier: Apache-2.0 */
#include "tie.h"

#include "memory.h"
#include "translate.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_MAX = 200 }; /* bytes of what is not understood, to be told */

static int
bad(struct fault *fault, const char *what)
{
	return fault_set(fault, FAULT_PROTOCOL,
		"the TIE server's message is not understood: %s",
		translate(what));
}

/* Peers are seen to end their JSON with NUL (protocol.md, 10). */
static struct span
without_end(struct span payload)
{
	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	return payload;
}

/* The object that a payload is, or NULL with a fault. */
static json_t *
load(struct span payload, struct fault *fault)
{
	json_error_t error;

	payload = without_end(payload);
	json_t *json = json_loadb(payload.bytes, payload.len, 0, &error);
	if (json == NULL) {
		bad(fault, error.text);
	} else if (!json_is_object(json)) {
		bad(fault, "it is no JSON object");
		json_decref(json);
		json = NULL;
	}
	return json;
}

static bool
read_number(const json_t *object, const char *key, int64_t most,
	int64_t *number)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > most)
		return false;
	*number = json_integer_value(value);
	return true;
}

/* Seconds; -1 if it is missing, or beyond the year 9999. */
static int64_t
read_time(const json_t *object, const char *key)
{
	int64_t time;

	return read_number(object, key, INT64_C(253402300799), &time) ? time
								      : -1;
}

/* Nothing but white space. */
static bool
is_blank(struct span text)
{
	while (text.len > 0 &&
		(*text.bytes == ' ' || *text.bytes == '\t' ||
			*text.bytes == '\r' || *text.bytes == '\n')) {
		text.bytes++;
		text.len--;
	}
	return text.len == 0;
}

int
tie_parse_set(struct span payload, struct fault *fault)
{
	struct span said = without_end(payload);

	if (is_blank(said))
		return 0;
	json_t *json = json_loadb(said.bytes, said.len, 0, NULL);
	bool is_nothing = json_is_object(json) && json_object_size(json) == 0;
	json_decref(json);
	if (is_nothing)
		return 0;
	if (said.len > SAID_MAX)
		said.len = SAID_MAX;
	return fault_set(fault, FAULT_PROTOCOL,
		"the TIE server does not confirm it, but says: %.*s",
		(int)said.len, said.bytes);
}

/* A decimal number without signs, blanks, or zeros in front; -1. */
static int64_t
attribute_id(const char *key)
{
	size_t digits = strspn(key, "0123456789");

	if (digits == 0 || digits > 18 || key[digits] != '\0' || key[0] == '0')
		return -1;
	return strtoll(key, NULL, 10);
}

static int
compare_attributes(const void *a, const void *b)
{
	const struct tie_attribute *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

/* Values are strings by the book; a number is taken for one. */
static int
read_attributes(struct tie_reputation *reputation, json_t *attributes,
	struct fault *fault)
{
	size_t size = json_object_size(attributes);

	if (size > TIE_ATTRIBUTES_MAX)
		return bad(fault, "a reputation with too many attributes");
	reputation->attributes = memory_alloc(size,
		sizeof(*reputation->attributes));
	for (void *at = json_object_iter(attributes); at != NULL;
		at = json_object_iter_next(attributes, at)) {
		int64_t id = attribute_id(json_object_iter_key(at));

		if (json_is_integer(json_object_iter_value(at))) {
			char *text = memory_format("%" JSON_INTEGER_FORMAT,
				json_integer_value(json_object_iter_value(at)));

			json_object_iter_set_new(attributes, at,
				json_string(text));
			free(text);
		}
		const char *value = json_string_value(
			json_object_iter_value(at));
		if (id >= 0 && value != NULL)
			reputation->attributes[reputation->count++] =
				(struct tie_attribute){ id, value };
	}
	if (reputation->count > 0)
		qsort(reputation->attributes, reputation->count,
			sizeof(*reputation->attributes), compare_attributes);
	return 0;
}

static int
read_reputation(struct tie_reputation *reputation, json_t *object,
	struct fault *fault)
{
	if (!read_number(object, "providerId", INT32_MAX,
		    &reputation->provider))
		return bad(fault, "a reputation without provider");
	if (!read_number(object, "trustLevel", TIE_TRUST_MAX,
		    &reputation->trust))
		return bad(fault, "a reputation without trust level");
	reputation->created = read_time(object, "createDate");
	return read_attributes(reputation,
		json_object_get(object, "attributes"), fault);
}

/* Sorted by provider.  A server is seen to give one twice: the later counts. */
static void
insert(struct tie_reputations *reputations,
	const struct tie_reputation *reputation)
{
	size_t at = 0;

	while (at < reputations->count &&
		reputations->items[at].provider < reputation->provider)
		at++;
	if (at < reputations->count &&
		reputations->items[at].provider == reputation->provider) {
		free(reputations->items[at].attributes);
	} else {
		memmove(&reputations->items[at + 1], &reputations->items[at],
			(reputations->count - at) *
				sizeof(*reputations->items));
		reputations->count++;
	}
	reputations->items[at] = *reputation;
}

/* From the object that has them; they may be missing. */
static int
read_reputations(struct tie_reputations *reputations, const json_t *object,
	struct fault *fault)
{
	const json_t *list = json_object_get(object, "reputations");

	if (json_array_size(list) > TIE_REPUTATIONS_MAX)
		return bad(fault, "too many reputations");
	if (list != NULL && !json_is_array(list) && !json_is_null(list))
		return bad(fault, "the reputations are no list");
	reputations->items = memory_alloc(json_array_size(list),
		sizeof(*reputations->items));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct tie_reputation reputation = { 0 };

		if (read_reputation(&reputation, json_array_get(list, i),
			    fault) < 0) {
			free(reputation.attributes);
			return -1;
		}
		insert(reputations, &reputation);
	}
	return 0;
}

static bool
has(const json_t *object, const char *key, struct fault *fault)
{
	if (json_object_get(object, key) != NULL)
		return true;
	bad(fault, "there is no list in it");
	return false;
}

int
tie_parse_reputations(struct tie_reputations *reputations, struct span payload,
	struct fault *fault)
{
	*reputations = (struct tie_reputations){ .json = load(payload, fault) };
	/* Without a list nothing is said of the file. */
	if (reputations->json != NULL &&
		has(reputations->json, "reputations", fault) &&
		read_reputations(reputations, reputations->json, fault) == 0)
		return 0;
	tie_reputations_free(reputations);
	return -1;
}

void
tie_reputations_free(struct tie_reputations *reputations)
{
	for (size_t i = 0; i < reputations->count; i++)
		free(reputations->items[i].attributes);
	free(reputations->items);
	json_decref(reputations->json);
	*reputations = (struct tie_reputations){ 0 };
}

const struct tie_reputation *
tie_reputation_of(const struct tie_reputations *reputations, int64_t provider)
{
	for (size_t i = 0; i < reputations->count; i++)
		if (reputations->items[i].provider == provider)
			return &reputations->items[i];
	return NULL;
}

bool
tie_is_none(uint32_t code, struct span message)
{
	/* As the public stand-in for a server has it. */
	return code == 0 &&
		span_equal(message, span_of("Could not find reputation"));
}

static int
read_agent(struct tie_agent *agent, const json_t *object, struct fault *fault)
{
	agent->guid = json_string_value(json_object_get(object, "agentGuid"));
	if (agent->guid == NULL)
		return bad(fault, "a system without agentGuid");
	agent->date = read_time(object, "date");
	return 0;
}

static int
read_agents(struct tie_agents *agents, struct fault *fault)
{
	const json_t *list = json_object_get(agents->json, "agents");
	size_t size = json_array_size(list);

	if (size > TIE_AGENTS_MAX)
		return bad(fault, "too many systems");
	if (list != NULL && !json_is_array(list) && !json_is_null(list))
		return bad(fault, "the systems are no list");
	agents->items = memory_alloc(size, sizeof(*agents->items));
	for (; agents->count < size; agents->count++)
		if (read_agent(&agents->items[agents->count],
			    json_array_get(list, agents->count), fault) < 0)
			return -1;
	if (!read_number(agents->json, "totalCount", INT64_MAX,
		    &agents->total) ||
		agents->total < (int64_t)agents->count)
		agents->total = (int64_t)agents->count;
	return 0;
}

int
tie_parse_agents(struct tie_agents *agents, struct span payload,
	struct fault *fault)
{
	*agents = (struct tie_agents){ .json = load(payload, fault) };
	if (agents->json != NULL && has(agents->json, "agents", fault) &&
		read_agents(agents, fault) == 0)
		return 0;
	tie_agents_free(agents);
	return -1;
}

void
tie_agents_free(struct tie_agents *agents)
{
	free(agents->items);
	json_decref(agents->json);
	*agents = (struct tie_agents){ 0 };
}

static struct span
string_span(const json_t *string)
{
	return (struct span){ json_string_value(string),
		json_string_length(string) };
}

/* Digests of a kind that we do not know are left out. */
static int
read_digests(struct tie_subject *subject, const json_t *list,
	struct fault *fault)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *hash = json_array_get(list, i);
		struct span type = string_span(json_object_get(hash, "type"));
		size_t kind = 0;

		while (kind < DIGEST_KINDS &&
			!span_equal(type,
				span_of(digest_name((enum digest_kind)kind))))
			kind++;
		if (kind == DIGEST_KINDS)
			continue;
		if (subject->count == TIE_DIGESTS_MAX)
			return bad(fault, "too many hashes");
		if (digest_from_base64(&subject->digests[subject->count],
			    (enum digest_kind)kind,
			    string_span(json_object_get(hash, "value"))) < 0)
			return bad(fault, "a hash that is none");
		subject->count++;
	}
	return subject->count > 0 ? 0 : bad(fault, "there is no hash");
}

static int
read_subject(struct tie_subject *subject, const json_t *object,
	struct fault *fault)
{
	subject->has_public_key = digest_from_base64(&subject->public_key,
					  DIGEST_SHA1,
					  string_span(json_object_get(object,
						  "publicKeySha1"))) == 0;
	return read_digests(subject, json_object_get(object, "hashes"), fault);
}

int
tie_parse_change(struct tie_change *change, bool is_certificate,
	struct span payload, struct fault *fault)
{
	json_t *json = load(payload, fault);

	*change = (struct tie_change){ .json = json };
	change->subject.is_certificate = is_certificate;
	if (json != NULL && read_subject(&change->subject, json, fault) == 0 &&
		read_reputations(&change->before,
			json_object_get(json, "oldReputations"), fault) == 0 &&
		read_reputations(&change->after,
			json_object_get(json, "newReputations"), fault) == 0) {
		change->time = read_time(json, "updateTime");
		return 0;
	}
	tie_change_free(change);
	return -1;
}

void
tie_change_free(struct tie_change *change)
{
	tie_reputations_free(&change->before);
	tie_reputations_free(&change->after);
	json_decref(change->json);
	*change = (struct tie_change){ 0 };
}
