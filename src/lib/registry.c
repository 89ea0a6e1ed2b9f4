/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include "memory.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct registry {
	json_t *json;
	json_t *services; /* of it */
};

struct registry *
registry_parse(struct span payload, struct fault *fault)
{
	json_error_t error;

	/* Peers are seen to end their JSON with NUL (protocol.md, 10). */
	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	json_t *json = json_loadb(payload.bytes, payload.len, 0, &error);
	json_t *services = json_object_get(json, "services");
	if (!json_is_object(services) ||
		json_object_size(services) > REGISTRY_SERVICES_MAX) {
		json_decref(json);
		fault_set(fault, FAULT_PROTOCOL,
			"the broker's list of services is not understood");
		return NULL;
	}
	struct registry *registry = memory_alloc(1, sizeof(*registry));
	*registry = (struct registry){ json, services };
	return registry;
}

void
registry_free(struct registry *registry)
{
	if (registry == NULL)
		return;
	json_decref(registry->json);
	free(registry);
}

static bool
is_text(const json_t *string, struct span text)
{
	return json_is_string(string) &&
		span_equal(text,
			(struct span){ json_string_value(string),
				json_string_length(string) });
}

/* A channel is a topic, or ends in `/#` and is all below. */
static bool
is_channel_of(const json_t *channel, struct span topic)
{
	size_t len = json_string_length(channel);
	const char *name = json_string_value(channel);

	if (is_text(channel, topic))
		return true;
	return len >= 2 && memcmp(name + len - 2, "/#", 2) == 0 &&
		topic.len >= len - 1 && memcmp(topic.bytes, name, len - 1) == 0;
}

static bool
serves(const json_t *service, struct span topic)
{
	const json_t *channels = json_object_get(service, "requestChannels");

	for (size_t i = 0; i < json_array_size(channels); i++)
		if (is_channel_of(json_array_get(channels, i), topic))
			return true;
	return false;
}

static bool
is_of(const json_t *service, struct span service_id, struct span client_id)
{
	if (service_id.len > 0 &&
		!is_text(json_object_get(service, "serviceGuid"), service_id))
		return false;
	return is_text(json_object_get(service, "clientGuid"), client_id) ||
		is_text(json_object_get(service, "clientInstanceGuid"),
			client_id);
}

enum registry_verdict
registry_judge(const struct registry *registry, struct span topic,
	struct span service_id, struct span client_id)
{
	enum registry_verdict verdict = REGISTRY_NONE;
	json_t *services = registry->services;

	for (void *at = json_object_iter(services); at != NULL;
		at = json_object_iter_next(services, at)) {
		const json_t *service = json_object_iter_value(at);

		if (!serves(service, topic))
			continue;
		if (is_of(service, service_id, client_id))
			return REGISTRY_YES;
		verdict = REGISTRY_NO;
	}
	return verdict;
}
