/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "dxl.h"
#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	ID_MAX = 64,
	FABRIC_BIT = 31, /* of a code: raised by the fabric itself */
	KEPT_MAX = 4,    /* answers to one request that are undecided */
};

struct waiting {
	int64_t number; /* 0: free */
	char id[ID_MAX];
	char *topic, *service_id;
	struct text envelope;
	int64_t timeout_ms, until;
	bool acts, many, is_sent;
	bool has_stranger; /* one has answered */
	struct text kept[KEPT_MAX];
	size_t kept_count;
	void *context;
	void (*answered)(void *context, const struct request_answer *answer);
};

struct done {
	char id[ID_MAX];
	bool is_answered;
};

struct requests {
	char *inbox;
	struct requests_calls calls;
	struct waiting waiting[REQUEST_WAITING_MAX];
	struct done done[REQUEST_DONE_MAX]; /* a ring */
	size_t done_next;
	int64_t last; /* number */
	bool is_up;
	struct requests_counts counts;
};

struct requests *
requests_new(const char *inbox, const struct requests_calls *calls)
{
	struct requests *requests = memory_alloc(1, sizeof(*requests));

	requests->inbox = memory_string(inbox);
	requests->calls = *calls;
	return requests;
}

static void
clear(struct waiting *waiting)
{
	free(waiting->topic);
	free(waiting->service_id);
	text_free(&waiting->envelope);
	for (size_t i = 0; i < waiting->kept_count; i++)
		text_free(&waiting->kept[i]);
	*waiting = (struct waiting){ 0 };
}

void
requests_free(struct requests *requests)
{
	if (requests == NULL)
		return;
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		clear(&requests->waiting[i]);
	free(requests->inbox);
	free(requests);
}

static struct waiting *
find(struct requests *requests, int64_t number)
{
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		if (requests->waiting[i].number == number)
			return &requests->waiting[i];
	return NULL;
}

static void
format(const struct requests *requests, const struct request *request,
	const char *id, struct text *bytes)
{
	const struct dxl_message message = {
		.version = DXL_VERSION,
		.type = DXL_REQUEST,
		.message_id = span_of(id),
		.payload = request->payload,
		.reply_to_topic = span_of(requests->inbox),
		.service_id = span_of(request->service_id),
	};

	dxl_format(&message, bytes);
}

static void
send_out(struct requests *requests, struct waiting *waiting)
{
	waiting->is_sent = true;
	requests->calls.publish(requests->calls.context, waiting->topic,
		(struct span){ waiting->envelope.bytes,
			waiting->envelope.len });
}

int64_t
requests_add(struct requests *requests, const struct request *request,
	const char *id, int64_t mono, struct fault *fault)
{
	struct waiting *waiting = find(requests, 0);

	assert(strlen(id) < ID_MAX && request->answered != NULL);
	assert(request->timeout_ms >= 0 &&
		request->timeout_ms <= REQUEST_TIMEOUT_MAX_MS);
	if (request->payload.len > REQUEST_PAYLOAD_MAX)
		return fault_set(fault, FAULT_DATA,
			"%s: the request has %zu bytes (%d at most)",
			request->topic, request->payload.len,
			REQUEST_PAYLOAD_MAX);
	if (waiting == NULL)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: %d requests wait for their answers already",
			request->topic, REQUEST_WAITING_MAX);
	waiting->number = ++requests->last;
	strcpy(waiting->id, id);
	waiting->topic = memory_string(request->topic);
	waiting->service_id = memory_string(request->service_id);
	waiting->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms
						      : REQUEST_TIMEOUT_MS;
	waiting->until = mono + waiting->timeout_ms;
	waiting->acts = request->acts;
	waiting->many = request->many;
	waiting->context = request->context;
	waiting->answered = request->answered;
	format(requests, request, id, &waiting->envelope);
	if (requests->is_up)
		send_out(requests, waiting);
	return waiting->number;
}

static void
remember(struct requests *requests, const struct waiting *waiting,
	bool is_answered)
{
	struct done *done = &requests->done[requests->done_next];

	requests->done_next = (requests->done_next + 1) % REQUEST_DONE_MAX;
	memcpy(done->id, waiting->id, sizeof(done->id));
	done->is_answered = is_answered;
}

void
requests_drop(struct requests *requests, int64_t number)
{
	struct waiting *waiting = number > 0 ? find(requests, number) : NULL;

	if (waiting == NULL)
		return;
	remember(requests, waiting, false);
	clear(waiting);
}

/* It waits no more.  Its place is free before anybody is told, who may want to
 * ask for more. */
static void
finish(struct requests *requests, struct waiting *waiting,
	struct request_answer *answer)
{
	struct waiting was = *waiting;

	remember(requests, waiting,
		answer->end == REQUEST_ANSWERED ||
			answer->end == REQUEST_REFUSED);
	*waiting = (struct waiting){ 0 };
	answer->number = was.number;
	was.answered(was.context, answer);
	clear(&was);
}

size_t
requests_waiting(const struct requests *requests)
{
	size_t count = 0;

	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		count += requests->waiting[i].number != 0;
	return count;
}

void
requests_up(struct requests *requests)
{
	requests->is_up = true;
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		if (requests->waiting[i].number != 0)
			send_out(requests, &requests->waiting[i]);
}

/* One that acts and was sent; NULL. */
static struct waiting *
find_lost(struct requests *requests)
{
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++) {
		struct waiting *waiting = &requests->waiting[i];

		if (waiting->number != 0 && waiting->acts && waiting->is_sent)
			return waiting;
	}
	return NULL;
}

void
requests_down(struct requests *requests)
{
	struct waiting *waiting;

	requests->is_up = false;
	while ((waiting = find_lost(requests)) != NULL) {
		struct request_answer answer = { .end = REQUEST_LOST };

		fault_set(&answer.fault, FAULT_UNAVAILABLE,
			"%s: the connection was lost before the answer, so "
			"that it is not known whether it was done",
			waiting->topic);
		finish(requests, waiting, &answer);
	}
}

/* What the fabric's codes say (protocol.md, 4.2). */
static const struct code {
	uint32_t code;
	enum fault_kind kind;
	const char *words;
} codes[] = {
	{ REQUEST_NO_SERVICE, FAULT_UNAVAILABLE,
		N_("no service on this fabric answers that") },
	{ REQUEST_OVERLOADED, FAULT_UNAVAILABLE,
		N_("the service is overloaded (try again later)") },
	{ REQUEST_NO_RESPONSE, FAULT_TIMEOUT,
		N_("the service did not respond to the fabric in time") },
	{ 0x80000011, FAULT_UNAVAILABLE,
		N_("the fabric lets this tenant ask no more services") },
	{ 0x80000012, FAULT_UNAVAILABLE,
		N_("the fabric lets this tenant subscribe to no more") },
};

static void
put_into_words(const char *topic, struct request_answer *answer)
{
	struct span text = answer->message;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == answer->code) {
			fault_set(&answer->fault, codes[i].kind, "%s: %s",
				topic, _(codes[i].words));
			return;
		}
	if (text.len == 0)
		text = span_of(_("no text"));
	if (text.len > FAULT_TEXT_MAX)
		text.len = FAULT_TEXT_MAX;
	if (answer->code >> FABRIC_BIT != 0)
		fault_set(&answer->fault, FAULT_UNAVAILABLE,
			"%s: the fabric answers with error 0x%08lx: %.*s",
			topic, (unsigned long)answer->code, (int)text.len,
			text.bytes);
	else
		fault_set(&answer->fault, FAULT_PROTOCOL,
			"%s: the service answers with error %lu: %.*s", topic,
			(unsigned long)answer->code, (int)text.len, text.bytes);
}

/* Which request is that an answer to?  NULL: none, and it is counted. */
static struct waiting *
match(struct requests *requests, struct span id)
{
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		if (requests->waiting[i].number != 0 &&
			span_equal(span_of(requests->waiting[i].id), id))
			return &requests->waiting[i];
	for (size_t i = 0; i < REQUEST_DONE_MAX; i++) {
		const struct done *done = &requests->done[i];

		if (done->id[0] == '\0' || !span_equal(span_of(done->id), id))
			continue;
		if (done->is_answered)
			requests->counts.doubles++;
		else
			requests->counts.late++;
		return NULL;
	}
	requests->counts.foreign++;
	return NULL;
}

/* Is it of the service that was asked?  An error of the fabric's names none,
 * or that one. */
static bool
is_of_service(const struct waiting *waiting, const struct dxl_message *message,
	uint32_t code)
{
	if (waiting->service_id == NULL ||
		span_equal(span_of(waiting->service_id), message->service_id))
		return true;
	return message->type == DXL_ERROR && code >> FABRIC_BIT != 0 &&
		message->service_id.len == 0;
}

/* What a broker says itself, it has written into both of its ids. */
static bool
is_of_broker(const struct dxl_message *message, uint32_t code)
{
	return message->type == DXL_ERROR && code >> FABRIC_BIT != 0 &&
		span_equal(message->source_client_id,
			message->source_broker_id);
}

static enum request_origin
judge(const struct requests *requests, const struct waiting *waiting,
	const struct dxl_message *message, uint32_t code)
{
	/* Nobody can answer what was not yet sent. */
	if (!waiting->is_sent || !is_of_service(waiting, message, code))
		return REQUEST_OF_STRANGER;
	/* What the broker did not understand passes without a source, or with
	 * any (1.7), as the bytes that JavaScript's services make: not to take
	 * it would silence these, and nobody who knows the id. */
	if (requests->calls.judge == NULL ||
		message->source_client_id.len == 0 ||
		is_of_broker(message, code))
		return REQUEST_OF_SERVICE;
	return requests->calls.judge(requests->calls.context, waiting->topic,
		message->service_id, message->source_client_id);
}

static void
keep(struct requests *requests, struct waiting *waiting, struct span bytes)
{
	if (waiting->kept_count == KEPT_MAX) {
		requests->counts.foreign++;
		return;
	}
	text_append(&waiting->kept[waiting->kept_count++], bytes.bytes,
		bytes.len);
}

static void
tell(struct requests *requests, struct waiting *waiting,
	const struct dxl_message *message, uint32_t code)
{
	struct request_answer answer = {
		.number = waiting->number,
		.payload = message->payload,
		.service_id = message->service_id,
		.source_client_id = message->source_client_id,
		.source_broker_id = message->source_broker_id,
	};
	if (message->type == DXL_ERROR) {
		answer.end = REQUEST_REFUSED;
		answer.code = code;
		answer.message = message->error_message;
		put_into_words(waiting->topic, &answer);
		finish(requests, waiting, &answer);
	} else if (waiting->many) {
		waiting->answered(waiting->context, &answer);
	} else {
		finish(requests, waiting, &answer);
	}
}

/* With `decided`, what cannot be judged is taken. */
static void
take(struct requests *requests, const struct dxl_message *message,
	struct span bytes, bool decided)
{
	struct waiting *waiting = match(requests, message->request_message_id);
	/* Some write it signed, some unsigned, and at any width. */
	uint32_t code = (uint32_t)message->error_code;
	enum request_origin origin;

	if (waiting == NULL)
		return;
	origin = judge(requests, waiting, message, code);
	if (!decided &&
		(origin == REQUEST_UNDECIDED || origin == REQUEST_DOUBTED)) {
		keep(requests, waiting, bytes);
	} else if (origin == REQUEST_DOUBTED || origin == REQUEST_OF_STRANGER) {
		waiting->has_stranger = true;
		requests->counts.foreign++;
	} else {
		tell(requests, waiting, message, code);
	}
}

static bool
receive(struct requests *requests, struct span bytes, bool decided)
{
	struct dxl_message message;
	struct fault fault;
	bool is_ours;

	if (requests->last == 0 || dxl_parse(&message, bytes, &fault) < 0)
		return false;
	is_ours = message.type == DXL_RESPONSE || message.type == DXL_ERROR;
	if (is_ours)
		take(requests, &message, bytes, decided);
	dxl_message_free(&message);
	return is_ours;
}

bool
requests_receive(struct requests *requests, struct span bytes)
{
	return receive(requests, bytes, false);
}

/* What is kept comes once more; those behind the first that is taken are
 * doubles then. */
static void
receive_kept(struct requests *requests, struct waiting *waiting, bool decided)
{
	struct text kept[KEPT_MAX];
	size_t count = waiting->kept_count;

	memcpy(kept, waiting->kept, sizeof(kept));
	memset(waiting->kept, 0, sizeof(waiting->kept));
	waiting->kept_count = 0;
	for (size_t i = 0; i < count; i++) {
		receive(requests, (struct span){ kept[i].bytes, kept[i].len },
			decided);
		text_free(&kept[i]);
	}
}

void
requests_judge(struct requests *requests)
{
	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		if (requests->waiting[i].kept_count > 0)
			receive_kept(requests, &requests->waiting[i], false);
}

/* Where the one is whose time ends first; REQUEST_WAITING_MAX: none waits. */
static size_t
first_due(const struct requests *requests)
{
	size_t first = REQUEST_WAITING_MAX;

	for (size_t i = 0; i < REQUEST_WAITING_MAX; i++)
		if (requests->waiting[i].number != 0 &&
			(first == REQUEST_WAITING_MAX ||
				requests->waiting[i].until <
					requests->waiting[first].until))
			first = i;
	return first;
}

int64_t
requests_deadline(const struct requests *requests)
{
	size_t first = first_due(requests);

	return first < REQUEST_WAITING_MAX ? requests->waiting[first].until
					   : INT64_MAX;
}

/* In seconds, rounded up: it may be what was left of somebody's 2 s. */
static double
seconds(int64_t ms)
{
	int64_t step = ms < 1000 ? 10 : 100;
	int64_t rounded = (ms + step - 1) / step * step;

	return (double)rounded / 1000;
}

static void
expire(struct requests *requests, struct waiting *waiting)
{
	struct request_answer answer = { .end = REQUEST_EXPIRED };

	if (!waiting->is_sent)
		fault_set(&answer.fault, FAULT_UNAVAILABLE,
			"no connection within %g s",
			seconds(waiting->timeout_ms));
	else if (waiting->has_stranger && !waiting->many)
		fault_set(&answer.fault, FAULT_TIMEOUT,
			"%s: no answer within %g s, but of somebody who is "
			"not the service, which is not believed",
			waiting->topic, seconds(waiting->timeout_ms));
	else if (!waiting->many)
		fault_set(&answer.fault, FAULT_TIMEOUT,
			"%s: no answer within %g s (a fabric does not tell a "
			"certificate that it may not ask this)",
			waiting->topic, seconds(waiting->timeout_ms));
	finish(requests, waiting, &answer);
}

void
requests_tick(struct requests *requests, int64_t mono)
{
	while (requests_deadline(requests) <= mono) {
		struct waiting
			*waiting = &requests->waiting[first_due(requests)];

		if (waiting->kept_count > 0) {
			/* That may be its answer, and its end. */
			receive_kept(requests, waiting, true);
			continue;
		}
		expire(requests, waiting);
	}
}

struct requests_counts
requests_counts(const struct requests *requests)
{
	return requests->counts;
}
