/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include "dxl.h"
#include "memory.h"

#include <stdlib.h>

/* Services know nothing of rooms: what they are asked is neither signed nor
 * sealed. */
static void
publish(void *context, const char *topic, struct span bytes)
{
	struct session *session = context;

	bus_publish(session->bus, topic, bytes);
}

void
session_ask_open(struct session *session)
{
	const struct requests_calls calls = { session, publish };

	session->requests = requests_new(session->inbox, &calls);
}

void
session_ask_free(struct session *session)
{
	requests_free(session->requests);
	for (size_t i = 0; i < session->event_count; i++)
		free(session->events[i]);
	free(session->events);
}

int64_t
session_request(struct session *session, const struct request *request,
	struct fault *fault)
{
	char id[IDENTITY_ID_MAX];

	identity_id(id);
	return requests_add(session->requests, request, id, session_now().mono,
		fault);
}

void
session_drop(struct session *session, int64_t number)
{
	requests_drop(session->requests, number);
}

size_t
session_requests(const struct session *session)
{
	return requests_waiting(session->requests);
}

void
session_subscribe(struct session *session, const char *topic)
{
	session->events = memory_resize(session->events,
		session->event_count + 1, sizeof(*session->events));
	session->events[session->event_count++] = memory_string(topic);
	bus_subscribe(session->bus, topic);
}

static bool
is_subscribed(const struct session *session, struct span topic)
{
	for (size_t i = 0; i < session->event_count; i++)
		if (span_equal(span_of(session->events[i]), topic))
			return true;
	return false;
}

static void
tell_event(struct session *session, struct span topic, struct span bytes)
{
	struct dxl_message message;
	struct fault fault;

	if (session->calls.event == NULL)
		return;
	if (dxl_parse(&message, bytes, &fault) < 0) {
		session_ignore(session, fault.text);
		return;
	}
	if (message.type == DXL_EVENT)
		session->calls.event(session->calls.context, topic,
			message.payload, message.source_client_id);
	dxl_message_free(&message);
}

bool
session_ask_hear(struct session *session, struct span topic, struct span bytes)
{
	if (span_equal(topic, span_of(session->inbox)))
		return requests_receive(session->requests, bytes);
	if (!is_subscribed(session, topic))
		return false;
	tell_event(session, topic, bytes);
	return true;
}
