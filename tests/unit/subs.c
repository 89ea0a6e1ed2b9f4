/* SPDX-License-Identifier: Apache-2.0 */
/* How many listen, as the brokers of a fabric count. */
#include "subs.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static int
add(struct subs *subs, const char *client, const char *broker,
	const char *payload)
{
	struct fault fault;

	return subs_add(subs, span_of(client), span_of(broker),
		span_of(payload), &fault);
}

static int
expect(struct subs *subs, const char *payload)
{
	struct fault fault = { 0 };
	int rc = subs_expect(subs, span_of(payload), &fault);

	return rc == 0 || fault.kind == FAULT_PROTOCOL ? rc : -2;
}

/* What a broker sent. */
static void
test_real(void)
{
	static char bytes[1024];
	const char *srcdir = getenv("srcdir");
	char *path = memory_format("%s/tests/data/dxl/broker/"
				   "broker-subs-response.bin",
		srcdir != NULL ? srcdir : ".");
	FILE *file = fopen(path, "rb");
	struct subs *subs = subs_new();
	struct dxl_message message;
	struct fault fault = { 0 };
	size_t len = 0;

	if (file != NULL) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	free(path);
	if (ok(dxl_parse(&message, (struct span){ bytes, len }, &fault) == 0,
		    "a broker's answer is there")) {
		ok(subs_add(subs, message.source_client_id,
			   message.source_broker_id, message.payload,
			   &fault) == 0,
			"it is understood");
		dxl_message_free(&message);
	}
	ok(subs_sum(subs).subscriptions == 4, "it has counted four");
	subs_free(subs);
}

static void
doubt_is(const struct subs *subs, const char *want, const char *what)
{
	struct subs_sum sum = subs_sum(subs);
	struct text text = { 0 };

	text_append_string(&text, "");
	subs_append_doubt(&sum, &text);
	is(text.bytes, want, what);
	ok(subs_is_complete(&sum) == (*want == '\0'), "which fits");
	text_free(&text);
}

static void
test_sum(void)
{
	struct subs *subs = subs_new();

	ok(subs_sum(subs).subscriptions == -1 && subs_sum(subs).known == 0,
		"nothing is known");
	doubt_is(subs, "no broker has counted who listens", "and that is said");
	ok(add(subs, "a", "a", "{\"count\":3}\n") == 0, "a broker counts");
	doubt_is(subs,
		"1 broker has counted who listens, of how many is not known",
		"it may be all there are");
	ok(expect(subs, "{\"brokers\":{\"a\":{},\"b\":1}}\n") == 0,
		"there are two");
	doubt_is(subs, "1 of 2 brokers has counted who listens", "one of two");
	ok(add(subs, "b", "b", "{\"count\":\"7\"}") < 0 &&
			add(subs, "thumbprint", "b", "{\"count\":7}") < 0,
		"what is no number, and what a client says, is not taken");
	doubt_is(subs,
		"1 of 2 brokers has counted who listens, and 2 answers are no "
		"count of a broker",
		"and that is said, too");
	ok(add(subs, "a", "a", "{\"count\":5}") == 0 &&
			subs_sum(subs).subscriptions == 5 &&
			subs_sum(subs).brokers == 1,
		"a broker's new count is in the place of its old one");
	ok(add(subs, "b", "b", "{\"count\":0,\"more\":[]}") == 0,
		"the other one");
	doubt_is(subs, "", "all have counted");
	ok(subs_sum(subs).subscriptions == 5, "which is the sum");
	subs_free(subs);
	subs_free(NULL);
}

static void
test_hostile_counts(void)
{
	static const char *const counts[] = { "", "{", "[]", "null", "4",
		"\"4\"", "{}", "{\"count\":null}", "{\"count\":-1}",
		"{\"count\":4.0}", "{\"count\":1e3}", "{\"count\":true}",
		"{\"count\":[4]}", "{\"count\":100000001}",
		"{\"count\":9223372036854775807}",
		"{\"count\":92233720368547758080}", "{\"COUNT\":4}",
		"{\"count\":4}{\"count\":5}", "{\"count\":4",
		"{\"count\":\"\x1b[2J\"}", "\xff\xfe", "{\"count\":4}x" };
	struct subs *subs = subs_new();
	size_t wrong = sizeof(counts) / sizeof(*counts);
	struct fault fault = { 0 };
	static char deep[20000];

	for (size_t i = 0; i < wrong; i++)
		ok(add(subs, "a", "a", counts[i]) < 0, "no count: %zu", i);
	memset(deep, '[', sizeof(deep) - 1);
	ok(add(subs, "a", "a", deep) < 0, "nor is what is deep");
	ok(add(subs, "", "", "{\"count\":1}") < 0 &&
			add(subs, "a", "", "{\"count\":1}") < 0 &&
			add(subs, "", "a", "{\"count\":1}") < 0,
		"nor one without a source");
	char long_id[SUBS_ID_MAX + 2];
	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	ok(add(subs, long_id, long_id, "{\"count\":1}") < 0,
		"nor one whose id is too long");
	ok(subs_sum(subs).mistaken == wrong + 5 &&
			subs_sum(subs).subscriptions == -1,
		"they are counted, and count nothing");
	const struct span id = { "a\0b", 3 },
			  nul = { "{\"count\":2}\n\0\0", 13 };
	ok(subs_add(subs, id, id, nul, &fault) == 0 &&
			add(subs, "a", "a", "{\"count\":1}") == 0 &&
			subs_sum(subs).brokers == 2,
		"ids are bytes, and NULs may stand at the end");
	subs_free(subs);
}

static void
test_hostile_lists(void)
{
	static const char *const lists[] = { "", "[]", "{}", "{\"brokers\":{}}",
		"{\"brokers\":[1,2]}", "{\"brokers\":2}",
		"{\"brokers\":{\"a\":1}", "null" };
	struct subs *subs = subs_new();
	struct text many = { 0 };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		ok(expect(subs, lists[i]) == -1, "no list of brokers: %zu", i);
	text_append_string(&many, "{\"brokers\":{\"x\":0");
	for (int i = 0; i < SUBS_BROKERS_MAX; i++)
		text_appendf(&many, ",\"%d\":0", i);
	text_append_string(&many, "}}");
	ok(expect(subs, many.bytes) == -1 && subs_sum(subs).known == 0,
		"nor is one of so many");
	text_free(&many);
	for (int i = 0; i < SUBS_BROKERS_MAX; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		add(subs, id, id, "{\"count\":100000000}");
	}
	ok(add(subs, "one more", "one more", "{\"count\":1}") < 0 &&
			add(subs, "0", "0", "{\"count\":0}") == 0 &&
			subs_sum(subs).subscriptions ==
				(int64_t)SUBS_COUNT_MAX *
					(SUBS_BROKERS_MAX - 1),
		"so many brokers can answer, and their sum has room");
	subs_free(subs);
}

static void
test_request(void)
{
	struct text json = { 0 };

	subs_request(&json, span_of("/mcafee/event/qchat/a\"\\\n\xc3\xa4"));
	is(json.bytes,
		"{\"topic\":\"/mcafee/event/qchat/a\\\"\\\\\\n\xc3\xa4\"}",
		"a topic is asked for as JSON");
	text_free(&json);
}

int
main(void)
{
	test_real();
	test_sum();
	test_hostile_counts();
	test_hostile_lists();
	test_request();
	return done();
}
