/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on an inbox where two requests wait: each of them is told once at
 * most, and of nothing but an answer to it. */
#include "dxl.h"
#include "fuzz.h"
#include "request.h"

#include <string.h>

static struct told {
	int count;
	struct request_answer last;
} told[2];

static void
on_answered(void *context, const struct request_answer *answer)
{
	struct told *one = context;

	one->count++;
	one->last = *answer;
	FUZZ_CHECK(answer->number > 0);
	FUZZ_CHECK((answer->fault.kind == FAULT_NONE) ==
		(answer->end == REQUEST_ANSWERED));
	FUZZ_CHECK(strlen(answer->fault.text) < FAULT_TEXT_MAX);
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	(void)context;
	(void)topic;
	FUZZ_CHECK(bytes.len > 0);
}

static const char *const ids[] = {
	"{00000000-0000-4000-a000-00000000001b}",
	"{00000000-0000-4000-a000-00000000001f}",
};

/* Which of them may be told of these bytes; -1. */
static int
addressee(struct span bytes)
{
	struct dxl_message message;
	struct fault fault = { 0 };
	int which = -1;

	if (dxl_parse(&message, bytes, &fault) < 0)
		return -1;
	if (message.type == DXL_RESPONSE || message.type == DXL_ERROR)
		for (int i = 0; i < 2; i++)
			if (span_equal(message.request_message_id,
				    span_of(ids[i])))
				which = i;
	dxl_message_free(&message);
	return which;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };
	const struct requests_calls calls = { NULL, on_publish, NULL };
	struct requests *requests = requests_new("/mcafee/client/x", &calls);
	struct fault fault = { 0 };

	memset(told, 0, sizeof(told));
	requests_up(requests);
	for (int i = 0; i < 2; i++) {
		const struct request request = { .topic = "/a/service",
			.service_id = i == 1 ? "{service}" : NULL,
			.timeout_ms = 1000,
			.context = &told[i],
			.answered = on_answered };

		FUZZ_CHECK(requests_add(requests, &request, ids[i], 0,
				   &fault) == i + 1);
	}
	int which = addressee(bytes);
	requests_receive(requests, bytes);
	requests_receive(requests, bytes);
	FUZZ_CHECK(told[0].count == (which == 0));
	FUZZ_CHECK(told[1].count <= (which == 1));
	requests_tick(requests, 1000);
	FUZZ_CHECK(told[0].count == 1 && told[1].count == 1);
	FUZZ_CHECK(requests_waiting(requests) == 0);
	requests_receive(requests, bytes);
	FUZZ_CHECK(told[0].count == 1 && told[1].count == 1);
	requests_free(requests);
	return 0;
}
