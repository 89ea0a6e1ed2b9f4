/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to services, and what may come for an answer. */
#include "request.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <stdlib.h>

#define INBOX "/mcafee/client/{aaaaaaaa-0000-4000-8000-000000000001}"
#define TOPIC "/mcafee/service/tie/file/reputation"
#define ID    "{00000000-0000-4000-a000-00000000001b}"

/* What was published last, and what was told last. */
static struct world {
	struct requests *requests;
	int published;
	char topic[256];
	struct text bytes;
	int told;
	enum request_end end;
	int64_t number;
	struct text payload, message, service;
	uint32_t code;
	struct fault fault;
	bool asks_more;
	enum request_origin origin; /* of all that come from elsewhere */
} world;

static void
set(struct text *text, struct span span)
{
	text_clear(text);
	text_append(text, span.bytes, span.len);
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	(void)context;
	world.published++;
	snprintf(world.topic, sizeof(world.topic), "%s", topic);
	set(&world.bytes, bytes);
}

static void
on_answered(void *context, const struct request_answer *answer)
{
	ok(context == &world, "it is told with its context");
	world.told++;
	world.end = answer->end;
	world.number = answer->number;
	set(&world.payload, answer->payload);
	set(&world.message, answer->message);
	set(&world.service, answer->service_id);
	world.code = answer->code;
	world.fault = answer->fault;
	if (world.asks_more) {
		const struct request more = { .topic = "/more",
			.context = &world,
			.answered = on_answered };

		world.asks_more = false;
		requests_add(world.requests, &more, "{more}", 0, &world.fault);
	}
}

static enum request_origin
on_judge(void *context, const char *topic, struct span service_id,
	struct span source_client_id)
{
	(void)context;
	is(topic, TOPIC, "it is judged by its topic");
	ok(service_id.len > 0, "and its service");
	return span_equal(source_client_id, span_of("client"))
		? REQUEST_OF_SERVICE
		: world.origin;
}

static void
begin_calls(const struct requests_calls *calls, bool up)
{

	requests_free(world.requests);
	text_free(&world.bytes);
	text_free(&world.payload);
	text_free(&world.message);
	text_free(&world.service);
	world = (struct world){ .requests = requests_new(INBOX, calls) };
	if (up)
		requests_up(world.requests);
}

static void
begin(bool up)
{
	const struct requests_calls calls = { NULL, on_publish, NULL };

	begin_calls(&calls, up);
}

static void
begin_judged(enum request_origin origin)
{
	const struct requests_calls calls = { NULL, on_publish, on_judge };

	begin_calls(&calls, true);
	world.origin = origin;
}

static struct request
request(void)
{
	return (struct request){ .topic = TOPIC,
		.payload = span_of("{}"),
		.timeout_ms = 1000,
		.context = &world,
		.answered = on_answered };
}

static int64_t
add(struct request asked, const char *id)
{
	struct fault fault = { 0 };

	return requests_add(world.requests, &asked, id, 0, &fault);
}

static bool
receive(struct dxl_message message)
{
	struct text bytes = { 0 };

	message.version = DXL_VERSION;
	message.message_id = span_of("{whatever}");
	dxl_format(&message, &bytes);
	/* A copy of its own, so that a read beyond it is seen. */
	char *copy = memory_copy(bytes.bytes, bytes.len);
	bool rc = requests_receive(world.requests,
		(struct span){ copy, bytes.len });
	free(copy);
	text_free(&bytes);
	return rc;
}

static struct dxl_message
response(const char *id, const char *payload)
{
	return (struct dxl_message){ .type = DXL_RESPONSE,
		.request_message_id = span_of(id),
		.service_id = span_of("{service}"),
		.source_client_id = span_of("client"),
		.payload = span_of(payload) };
}

static struct dxl_message
error(const char *id, int64_t code, const char *message)
{
	return (struct dxl_message){ .type = DXL_ERROR,
		.request_message_id = span_of(id),
		.error_code = code,
		.error_message = span_of(message) };
}

static void
test_envelope(void)
{
	struct request asked = request();
	struct dxl_message message;
	struct fault fault = { 0 };

	begin(true);
	asked.service_id = "{service}";
	int64_t number = add(asked, ID);
	ok(number > 0 && world.published == 1, "a request is published");
	is(world.topic, TOPIC, "on its topic");
	if (ok(dxl_parse(&message,
		       (struct span){ world.bytes.bytes, world.bytes.len },
		       &fault) == 0,
		    "as an envelope")) {
		ok(message.type == DXL_REQUEST, "of a request");
		ok(span_equal(message.message_id, span_of(ID)), "with its id");
		ok(span_equal(message.reply_to_topic, span_of(INBOX)),
			"and where the answer is to go");
		ok(span_equal(message.service_id, span_of("{service}")),
			"and the service");
		ok(span_equal(message.payload, span_of("{}")),
			"and the payload");
		ok(message.source_client_id.len == 0 &&
				message.source_broker_id.len == 0 &&
				message.broker_ids.count == 0 &&
				message.client_ids.count == 0,
			"what the broker fills in is empty");
		dxl_message_free(&message);
	}
}

static void
test_answer(void)
{
	begin(true);
	int64_t number = add(request(), ID);
	ok(receive(response(ID, "{\"a\":1}")), "a response is taken");
	ok(world.told == 1 && world.end == REQUEST_ANSWERED &&
			world.number == number,
		"and told once");
	is(world.payload.bytes, "{\"a\":1}", "with its payload");
	is(world.service.bytes, "{service}", "and the service");
	ok(world.fault.kind == FAULT_NONE, "without a fault");
	ok(requests_waiting(world.requests) == 0 &&
			requests_deadline(world.requests) == INT64_MAX,
		"nothing waits then");

	ok(receive(response(ID, "{}")), "the same again is taken too");
	ok(receive(error(ID, 0, "")), "and an error");
	ok(world.told == 1, "and nobody is told");
	ok(requests_counts(world.requests).doubles == 2, "but it is counted");

	begin(true);
	add(request(), "a");
	add(request(), "b");
	receive(response("b", "of b"));
	is(world.payload.bytes, "of b", "the second is answered first");
	receive(response("a", "of a"));
	is(world.payload.bytes, "of a", "then the first");
	ok(world.told == 2, "both are told");
}

static void
test_foreign(void)
{
	struct request asked = request();

	begin(true);
	ok(!receive(response(ID, "")), "who asked nothing takes no answer");
	ok(requests_counts(world.requests).foreign == 0, "nor counts it");
	add(asked, ID);
	ok(!receive((struct dxl_message){ .type = DXL_EVENT,
		   .payload = span_of("{}") }),
		"an event is not for us");
	ok(!receive((struct dxl_message){ .type = DXL_REQUEST,
		   .message_id = span_of(ID) }),
		"nor a request");
	ok(!requests_receive(world.requests, span_of("garbage")),
		"nor garbage");
	ok(!requests_receive(world.requests, span_of("")), "nor nothing");
	ok(receive(response("{other}", "forged")) && world.told == 0,
		"an answer to something else is not told");
	ok(receive(response("", "forged")) && world.told == 0,
		"nor one to nothing");
	ok(requests_counts(world.requests).foreign == 2, "both are counted");

	begin(true);
	asked.service_id = "{service}";
	add(asked, ID);
	struct dxl_message other = response(ID, "forged");
	other.service_id = span_of("{another}");
	receive(other);
	other.service_id = span_of("");
	receive(other);
	receive(error(ID, 5, "forged"));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 3,
		"who was not asked is not heard");
	receive(response(ID, "good"));
	is(world.payload.bytes, "good", "but who was");

	begin(true);
	add(asked, ID);
	receive(error(ID, -2147483647, ""));
	ok(world.end == REQUEST_REFUSED && world.code == REQUEST_NO_SERVICE,
		"an error of the fabric needs no service");

	begin(false);
	add(request(), ID);
	receive(response(ID, "forged"));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 1,
		"what was not sent has no answer");
}

static void
error_is(int64_t code, const char *message, uint32_t want, enum fault_kind kind,
	const char *text)
{
	begin(true);
	add(request(), ID);
	receive(error(ID, code, message));
	ok(world.end == REQUEST_REFUSED && world.code == want &&
			world.fault.kind == kind,
		"error %lld is 0x%lx", (long long)code, (unsigned long)want);
	is(world.fault.text, text, "in words");
	is(world.message.bytes, message, "and in its own");
}

static void
test_errors(void)
{
	static const char none[] = TOPIC
		": no service on this fabric answers that";

	error_is(-2147483647, "unable to locate service for request",
		REQUEST_NO_SERVICE, FAULT_UNAVAILABLE, none);
	error_is(0x80000001, "", REQUEST_NO_SERVICE, FAULT_UNAVAILABLE, none);
	error_is(INT64_C(-0x7fffffff), "", REQUEST_NO_SERVICE,
		FAULT_UNAVAILABLE, none);
	error_is(-2147483646, "overloaded", REQUEST_OVERLOADED,
		FAULT_UNAVAILABLE,
		TOPIC ": the service is overloaded (try again later)");
	error_is(-2147483645, "", REQUEST_NO_RESPONSE, FAULT_TIMEOUT,
		TOPIC ": the service did not respond to the fabric in time");
	error_is(-2147483631, "", 0x80000011, FAULT_UNAVAILABLE,
		TOPIC ": the fabric lets this tenant ask no more services");
	error_is(-2147483391, "new", 0x80000101, FAULT_UNAVAILABLE,
		TOPIC ": the fabric answers with error 0x80000101: new");
	error_is(0, "Could not find reputation", 0, FAULT_PROTOCOL,
		TOPIC ": the service answers with error 0: "
		      "Could not find reputation");
	error_is(501, "", 501, FAULT_PROTOCOL,
		TOPIC ": the service answers with error 501: no text");
	error_is(INT64_MIN, "", 0, FAULT_PROTOCOL,
		TOPIC ": the service answers with error 0: no text");

	char *longest = memory_alloc(100001, 1);
	memset(longest, 'x', 100000);
	begin(true);
	add(request(), ID);
	receive(error(ID, 1, longest));
	ok(strlen(world.fault.text) == FAULT_TEXT_MAX - 1,
		"a long text is cut");
	free(longest);
}

/* What is left of a time is told in a round number. */
static void
within_is(int64_t ms, const char *want)
{
	struct request asked = request();

	begin(true);
	asked.timeout_ms = ms;
	add(asked, ID);
	requests_tick(world.requests, ms);
	ok(strstr(world.fault.text, want) != NULL, "%lld ms are%s: %s",
		(long long)ms, want, world.fault.text);
}

static void
test_time(void)
{
	begin(true);
	add(request(), ID);
	ok(requests_deadline(world.requests) == 1000, "its time ends");
	requests_tick(world.requests, 999);
	ok(world.told == 0, "not before");
	requests_tick(world.requests, 1000);
	ok(world.told == 1 && world.end == REQUEST_EXPIRED &&
			world.fault.kind == FAULT_TIMEOUT,
		"and that is told");
	is(world.fault.text,
		TOPIC ": no answer within 1 s (a fabric does not tell a "
		      "certificate that it may not ask this)",
		"in words");
	receive(response(ID, "late"));
	ok(world.told == 1 && requests_counts(world.requests).late == 1,
		"an answer is late then");

	within_is(1999, " 2 s ");
	within_is(1901, " 2 s ");
	within_is(1900, " 1.9 s ");
	within_is(299, " 0.3 s ");
	within_is(250, " 0.25 s ");
	within_is(1, " 0.01 s ");
	within_is(30000, " 30 s ");
	within_is(REQUEST_TIMEOUT_MAX_MS, " 3600 s ");

	begin(true);
	int64_t number = add(request(), ID);
	requests_drop(world.requests, number);
	requests_drop(world.requests, number);
	requests_drop(world.requests, 0);
	receive(response(ID, "late"));
	requests_tick(world.requests, 5000);
	ok(world.told == 0 && requests_counts(world.requests).late == 1,
		"what was dropped is told no more");

	begin(false);
	add(request(), ID);
	requests_tick(world.requests, 1000);
	ok(world.end == REQUEST_EXPIRED &&
			world.fault.kind == FAULT_UNAVAILABLE,
		"what could not be sent is no time-out of a service");
	is(world.fault.text, "no connection within 1 s",
		"and names no option, which who asks may not have");

	struct request usual = request();
	begin(true);
	usual.timeout_ms = 0;
	add(usual, ID);
	ok(requests_deadline(world.requests) == REQUEST_TIMEOUT_MS,
		"without a time it is the usual one");
}

static void
test_many(void)
{
	struct request asked = request();

	begin(true);
	asked.many = true;
	add(asked, ID);
	receive(response(ID, "one"));
	receive(response(ID, "two"));
	ok(world.told == 2 && requests_waiting(world.requests) == 1,
		"several may answer");
	requests_tick(world.requests, 1000);
	ok(world.told == 3 && world.end == REQUEST_EXPIRED &&
			world.fault.kind == FAULT_NONE,
		"until its time ends, which is no fault");

	begin(true);
	add(asked, ID);
	receive(error(ID, -2147483647, ""));
	ok(world.told == 1 && requests_waiting(world.requests) == 0,
		"an error ends it");
}

static void
test_connection(void)
{
	struct request acts = request();

	begin(false);
	add(request(), ID);
	ok(world.published == 0, "without a connection it waits");
	requests_up(world.requests);
	ok(world.published == 1, "then it is published");
	requests_down(world.requests);
	ok(world.told == 0, "a lost connection is not its end");
	requests_up(world.requests);
	ok(world.published == 2, "as it is published again");
	receive(response(ID, ""));
	ok(world.told == 1, "and answered");

	begin(false);
	acts.acts = true;
	add(acts, ID);
	requests_down(world.requests);
	ok(world.told == 0, "what was not sent is not lost");
	requests_up(world.requests);
	add(request(), "other");
	requests_down(world.requests);
	ok(world.told == 1 && world.end == REQUEST_LOST &&
			world.fault.kind == FAULT_UNAVAILABLE,
		"what acts and was sent is");
	int before = world.published;
	requests_up(world.requests);
	ok(world.published == before + 1, "it is not published again");
	receive(response(ID, ""));
	ok(requests_counts(world.requests).late == 1, "its answer is late");
}

static void
test_limits(void)
{
	struct request asked = request();
	struct fault fault = { 0 };
	char id[32];

	begin(true);
	for (int i = 0; i < REQUEST_WAITING_MAX; i++) {
		snprintf(id, sizeof(id), "id %d", i);
		add(asked, id);
	}
	ok(requests_waiting(world.requests) == REQUEST_WAITING_MAX,
		"so many wait at once");
	ok(requests_add(world.requests, &asked, ID, 0, &fault) == -1 &&
			fault.kind == FAULT_UNAVAILABLE,
		"one more is refused");
	world.asks_more = true;
	receive(response("id 7", ""));
	ok(requests_waiting(world.requests) == REQUEST_WAITING_MAX &&
			world.fault.kind == FAULT_NONE,
		"who is told may ask at once");
	world.asks_more = true;
	requests_tick(world.requests, 1000);
	ok(requests_waiting(world.requests) == 2 &&
			world.told == REQUEST_WAITING_MAX,
		"even when the time of all of them ends");

	begin(true);
	char *much = memory_alloc(REQUEST_PAYLOAD_MAX + 1, 1);
	asked.payload = (struct span){ much, REQUEST_PAYLOAD_MAX };
	ok(add(asked, ID) > 0, "a large request goes");
	asked.payload.len++;
	ok(requests_add(world.requests, &asked, ID, 0, &fault) == -1 &&
			fault.kind == FAULT_DATA,
		"a larger one does not");
	free(much);
}

static struct dxl_message
elsewhere(const char *payload)
{
	struct dxl_message message = response(ID, payload);

	message.source_client_id = span_of("another");
	return message;
}

static void
test_strangers(void)
{
	begin_judged(REQUEST_OF_STRANGER);
	add(request(), ID);
	receive(elsewhere("forged"));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 1,
		"a stranger is not heard");
	receive(response(ID, "good"));
	is(world.payload.bytes, "good", "but the service behind it");

	begin_judged(REQUEST_OF_STRANGER);
	add(request(), ID);
	receive(elsewhere("forged"));
	requests_tick(world.requests, 1000);
	ok(world.end == REQUEST_EXPIRED && world.fault.kind == FAULT_TIMEOUT,
		"a stranger alone is no answer");
	is(world.fault.text,
		TOPIC ": no answer within 1 s, but of somebody who is not "
		      "the service, which is not believed",
		"which is told");

	begin_judged(REQUEST_OF_STRANGER);
	add(request(), ID);
	struct dxl_message broker = error(ID, -2147483647, "");
	broker.source_client_id = broker.source_broker_id = span_of("broker");
	receive(broker);
	ok(world.end == REQUEST_REFUSED, "a broker is no stranger");

	begin_judged(REQUEST_UNDECIDED);
	add(request(), ID);
	receive(elsewhere("early"));
	ok(world.told == 0, "what is undecided is kept");
	requests_judge(world.requests);
	ok(world.told == 0, "as long as it is");
	receive(elsewhere("later"));
	world.origin = REQUEST_OF_SERVICE;
	requests_judge(world.requests);
	ok(world.told == 1, "and told once");
	is(world.payload.bytes, "early", "as it came first");
	ok(requests_counts(world.requests).doubles == 1,
		"the other is a double");

	begin_judged(REQUEST_UNDECIDED);
	add(request(), ID);
	receive(elsewhere("forged"));
	receive(response(ID, "good"));
	is(world.payload.bytes, "good", "what is decided need not wait");
	ok(requests_waiting(world.requests) == 0, "nothing is kept then");

	begin_judged(REQUEST_UNDECIDED);
	add(request(), ID);
	for (int i = 0; i < 10; i++)
		receive(elsewhere("one of many"));
	ok(requests_counts(world.requests).foreign == 6, "not all are kept");
	requests_tick(world.requests, 1000);
	ok(world.told == 1 && world.end == REQUEST_ANSWERED,
		"what stays undecided is taken at the end");
	ok(requests_counts(world.requests).doubles == 3, "once");
}

/* As what a broker did not understand comes: without a source. */
static struct dxl_message
nowhere(const char *id, const char *service_id)
{
	struct dxl_message message = response(id, "bytes");

	message.source_client_id = (struct span){ "", 0 };
	message.service_id = span_of(service_id);
	return message;
}

static void
test_nameless(void)
{
	const struct requests_calls calls = { NULL, on_publish, on_judge };
	struct request asked = request();

	begin_judged(REQUEST_OF_STRANGER);
	add(request(), ID);
	receive(nowhere(ID, ""));
	is(world.payload.bytes, "bytes",
		"without a source the request's id is proof");

	begin_judged(REQUEST_UNDECIDED);
	add(request(), ID);
	receive(nowhere(ID, "{service}"));
	ok(world.told == 1, "at once, as nothing could decide it later");
	receive(nowhere(ID, "{service}"));
	ok(world.told == 1 && requests_counts(world.requests).doubles == 1,
		"and once");

	begin_judged(REQUEST_OF_SERVICE);
	add(request(), ID);
	receive(nowhere("", ""));
	receive(nowhere("{00000000-0000-4000-a000-00000000001c}", ""));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 2,
		"without the id it is nobody's");

	begin_judged(REQUEST_OF_SERVICE);
	asked.service_id = "{service}";
	add(asked, ID);
	receive(nowhere(ID, ""));
	receive(nowhere(ID, "{other}"));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 2,
		"nor is it, if it is not of the service that was asked");

	begin_calls(&calls, false);
	add(request(), ID);
	receive(nowhere(ID, ""));
	ok(world.told == 0 && requests_counts(world.requests).foreign == 1,
		"nor before anybody can know the id");
	requests_up(world.requests);
	receive(nowhere(ID, ""));
	ok(world.told == 1, "but then");
}

/* What a broker sent, and what the JavaScript client makes. */
static void
real_is(const char *data, const char *name, const char *id, const char *text)
{
	static char bytes[4096];
	char *path = memory_format("%s/dxl/%s.bin", data, name);
	FILE *file = fopen(path, "rb");
	size_t len = 0;

	if (file != NULL) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	begin(true);
	add(request(), id);
	ok(requests_receive(world.requests, (struct span){ bytes, len }) &&
			world.told == 1,
		"%s is taken", name);
	is(world.fault.text, text, "and put into words");
	free(path);
}

static void
test_real(void)
{
	const char *srcdir = getenv("srcdir");
	char *data = memory_format("%s/tests/data",
		srcdir != NULL ? srcdir : ".");

	real_is(data, "broker/error-service-not-found",
		"{f26706e6-302b-4293-a976-e7e8b98b1af6}",
		TOPIC ": no service on this fabric answers that");
	real_is(data, "broker/error-uint32-code-rewritten",
		"{20f293be-fa2e-4fcc-bae4-8d726dc70eb6}",
		TOPIC ": the service is overloaded (try again later)");
	real_is(data, "python/services/tie-file-reputation-03-response",
		"{00000000-0000-4000-a000-00000000001f}",
		TOPIC ": the service answers with error 0: "
		      "Could not find reputation");
	real_is(data, "python/services/tie-file-reputation-02-response",
		"{00000000-0000-4000-a000-00000000001d}", "");
	free(data);
}

int
main(void)
{
	test_envelope();
	test_answer();
	test_foreign();
	test_errors();
	test_time();
	test_many();
	test_connection();
	test_limits();
	test_strangers();
	test_nameless();
	test_real();
	begin(false);
	requests_free(world.requests);
	return done();
}
