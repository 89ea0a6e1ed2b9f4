/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include "memory.h"

#include <stdlib.h>

struct listeners {
	struct session *session;
	struct subs *subs;
	int64_t subs_number, brokers_number; /* of requests; 0: none waits */
	struct fault fault;                  /* the fabric's, if it refuses */
};

/* All brokers have counted: nobody else is waited for. */
static void
settle(struct listeners *listeners)
{
	struct subs_sum sum = subs_sum(listeners->subs);

	if (listeners->subs_number == 0 || !subs_is_complete(&sum))
		return;
	session_drop(listeners->session, listeners->subs_number);
	listeners->subs_number = 0;
}

static void
on_count(void *context, const struct request_answer *answer)
{
	struct listeners *listeners = context;
	struct fault fault;

	if (answer->end != REQUEST_ANSWERED) {
		listeners->subs_number = 0;
		listeners->fault = answer->fault;
		return;
	}
	subs_add(listeners->subs, answer->source_client_id,
		answer->source_broker_id, answer->payload, &fault);
	settle(listeners);
}

static void
on_brokers(void *context, const struct request_answer *answer)
{
	struct listeners *listeners = context;
	struct fault fault;

	listeners->brokers_number = 0;
	if (answer->end == REQUEST_ANSWERED)
		subs_expect(listeners->subs, answer->payload, &fault);
	settle(listeners);
}

static int64_t
ask_for_count(struct listeners *listeners, const char *topic,
	int64_t timeout_ms, struct fault *fault)
{
	struct text json = { 0 };

	subs_request(&json, span_of(topic));
	const struct request request = {
		.topic = SUBS_TOPIC,
		.payload = { json.bytes, json.len },
		.timeout_ms = timeout_ms,
		.many = true,
		.context = listeners,
		.answered = on_count,
	};
	int64_t number = session_request(listeners->session, &request, fault);
	text_free(&json);
	return number;
}

static int64_t
ask_for_brokers(struct listeners *listeners, int64_t timeout_ms,
	struct fault *fault)
{
	const struct request request = {
		.topic = SUBS_BROKERS_TOPIC,
		.payload = span_of(SUBS_BROKERS_PAYLOAD),
		.timeout_ms = timeout_ms,
		.context = listeners,
		.answered = on_brokers,
	};

	return session_request(listeners->session, &request, fault);
}

struct listeners *
listeners_ask(struct session *session, const struct member *member,
	int64_t timeout_ms, struct fault *fault)
{
	struct listeners *listeners = memory_alloc(1, sizeof(*listeners));

	if (timeout_ms > REQUEST_TIMEOUT_MAX_MS)
		timeout_ms = REQUEST_TIMEOUT_MAX_MS;
	listeners->session = session;
	listeners->subs = subs_new();
	listeners->subs_number = ask_for_count(listeners, member_topic(member),
		timeout_ms, fault);
	listeners->brokers_number = listeners->subs_number > 0
		? ask_for_brokers(listeners, timeout_ms, fault)
		: -1;
	if (listeners->brokers_number > 0)
		return listeners;
	listeners_free(listeners);
	return NULL;
}

void
listeners_free(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	session_drop(listeners->session, listeners->subs_number);
	session_drop(listeners->session, listeners->brokers_number);
	subs_free(listeners->subs);
	free(listeners);
}

bool
listeners_is_done(const struct listeners *listeners)
{
	return listeners->subs_number == 0;
}

struct subs_sum
listeners_sum(const struct listeners *listeners)
{
	return subs_sum(listeners->subs);
}

void
listeners_append_doubt(const struct listeners *listeners, const char *remedy,
	struct text *text)
{
	struct subs_sum sum = subs_sum(listeners->subs);

	if (listeners->fault.kind != FAULT_NONE) {
		text_harmless(text, span_of(listeners->fault.text),
			TEXT_MESSAGE);
		return;
	}
	subs_append_doubt(&sum, text);
	if (!subs_is_complete(&sum) && sum.mistaken == 0)
		text_append_string(text, remedy);
}
