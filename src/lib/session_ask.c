/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include "dxl.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define OF_BROKER "/mcafee/service/dxl/" /* what it answers itself */

enum {
	REGISTRY_MS = 2000,          /* for the list of services to come */
	REGISTRY_AGE_MS = 10 * 1000, /* after which it is asked for again */
};

/* Services know nothing of rooms: what they are asked is neither signed nor
 * sealed. */
static void
publish(void *context, const char *topic, struct span bytes)
{
	struct session *session = context;

	bus_publish(session->bus, topic, bytes);
}

static void
on_registry(void *context, const struct request_answer *answer)
{
	struct session *session = context;
	struct fault fault = answer->fault;
	struct registry *registry = answer->end == REQUEST_ANSWERED
		? registry_parse(answer->payload, &fault)
		: NULL;

	session->registry_number = 0;
	/* A broker that has none need not be waited for again. */
	if (answer->end == REQUEST_EXPIRED && session->link == SESSION_UP &&
		session->registry == NULL)
		session->is_registered = false;
	if (registry == NULL) {
		session_ignore(session, fault.text);
	} else {
		registry_free(session->registry);
		session->registry = registry;
	}
	session->is_fresh = true;
	requests_judge(session->requests);
	session->is_fresh = false;
}

static int64_t
add_request(struct session *session, const struct request *request,
	struct fault *fault)
{
	char id[IDENTITY_ID_MAX];

	identity_id(id);
	return requests_add(session->requests, request, id, session_now().mono,
		fault);
}

/* Along with what is asked: the answer to that need not wait for it long. */
static void
ask_registry(struct session *session)
{
	const struct request request = {
		.topic = REGISTRY_TOPIC,
		.payload = span_of(REGISTRY_PAYLOAD),
		.timeout_ms = REGISTRY_MS,
		.context = session,
		.answered = on_registry,
	};
	int64_t mono = session_now().mono;
	struct fault fault;

	if (!session->is_registered || session->link != SESSION_UP ||
		session->registry_number != 0 ||
		(session->registry_mono != 0 &&
			mono - session->registry_mono < REGISTRY_AGE_MS))
		return;
	int64_t number = add_request(session, &request, &fault);
	session->registry_number = number > 0 ? number : 0;
	session->registry_mono = mono;
}

/* A service may be new in the list: who is not in it is looked for once more.
 */
static enum request_origin
doubt(struct session *session)
{
	if (session->is_fresh)
		return REQUEST_OF_STRANGER;
	session->registry_mono = 0;
	ask_registry(session);
	return session->registry_number != 0 ? REQUEST_DOUBTED
					     : REQUEST_OF_STRANGER;
}

/* The broker of a DXL fabric knows who is registered to answer on a topic, and
 * tells whose an answer is (protocol.md, 1.6).  What it does not know, it
 * cannot be asked to judge: then the request's id is the proof alone. */
static enum request_origin
judge(void *context, const char *topic, struct span service_id,
	struct span client_id)
{
	struct session *session = context;

	if (!session->is_registered ||
		strncmp(topic, OF_BROKER, strlen(OF_BROKER)) == 0)
		return REQUEST_OF_SERVICE;
	if (session->registry != NULL &&
		registry_judge(session->registry, span_of(topic), service_id,
			client_id) == REGISTRY_NO)
		return doubt(session);
	return session->registry_number != 0 ? REQUEST_UNDECIDED
					     : REQUEST_OF_SERVICE;
}

void
session_ask_open(struct session *session, bool has_registry)
{
	const struct requests_calls calls = { session, publish, judge };

	session->requests = requests_new(session->inbox, &calls);
	session->has_registry = session->is_registered = has_registry;
}

void
session_ask_free(struct session *session)
{
	requests_free(session->requests);
	registry_free(session->registry);
	for (size_t i = 0; i < session->event_count; i++)
		free(session->events[i]);
	free(session->events);
}

int64_t
session_request(struct session *session, const struct request *request,
	struct fault *fault)
{
	ask_registry(session);
	return add_request(session, request, fault);
}

void
session_ask_up(struct session *session)
{
	/* Meanwhile services may have come and gone. */
	registry_free(session->registry);
	session->registry = NULL;
	session->registry_mono = 0;
	/* What was asked of another connection has little time left. */
	requests_drop(session->requests, session->registry_number);
	session->registry_number = 0;
	session->is_registered = session->has_registry;
	requests_up(session->requests);
	if (session_requests(session) > 0)
		ask_registry(session);
}

void
session_drop(struct session *session, int64_t number)
{
	requests_drop(session->requests, number);
}

size_t
session_requests(const struct session *session)
{
	return requests_waiting(session->requests) -
		(session->registry_number != 0);
}

int
session_announce(struct session *session, const char *topic,
	struct span payload, struct fault *fault)
{
	char id[IDENTITY_ID_MAX];
	struct text bytes = { 0 };

	if (payload.len > REQUEST_PAYLOAD_MAX)
		return fault_set(fault, FAULT_DATA,
			"%s: the event has %zu bytes (%d at most)", topic,
			payload.len, REQUEST_PAYLOAD_MAX);
	if (session->link != SESSION_UP)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: there is no connection", topic);
	identity_id(id);
	const struct dxl_message event = {
		.version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = span_of(id),
		.payload = payload,
	};
	dxl_format(&event, &bytes);
	bus_publish(session->bus, topic,
		(struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
	return 0;
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
