/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what brokers say of who listens, two ids before them: sums stay
 * within their bounds. */
#include "fuzz.h"
#include "subs.h"

static void
check_sum(const struct subs *subs, size_t answers)
{
	struct subs_sum sum = subs_sum(subs);
	struct text doubt = { 0 };

	FUZZ_CHECK(sum.brokers + sum.mistaken <= answers);
	FUZZ_CHECK(sum.brokers <= SUBS_BROKERS_MAX &&
		sum.known <= SUBS_BROKERS_MAX);
	FUZZ_CHECK((sum.subscriptions < 0) == (sum.brokers == 0));
	FUZZ_CHECK(sum.subscriptions <= (int64_t)sum.brokers * SUBS_COUNT_MAX);
	subs_append_doubt(&sum, &doubt);
	FUZZ_CHECK((doubt.len == 0) == subs_is_complete(&sum));
	text_free(&doubt);
}

/* What is asked is one line of JSON, whatever the topic. */
static void
check_request(struct span topic)
{
	struct text json = { 0 };

	subs_request(&json, topic);
	FUZZ_CHECK(json.len >= 2 && json.bytes[0] == '{' &&
		json.bytes[json.len - 1] == '}');
	text_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span left = { (const char *)data, size };
	struct subs *subs = subs_new();
	size_t answers = 0;
	struct span line;

	check_request(left);
	while (fuzz_line(&left, &line)) {
		struct span client = fuzz_field(&line);
		struct span broker = fuzz_field(&line);
		struct fault fault = { 0 };

		if (subs_add(subs, client, broker, line, &fault) < 0)
			FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
		answers++;
		fault = (struct fault){ 0 };
		if (subs_expect(subs, line, &fault) < 0)
			FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
		check_sum(subs, answers);
	}
	subs_free(subs);
	return 0;
}
