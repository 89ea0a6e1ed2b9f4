/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes that are looked for in a room, several at once. */
#include "join/lookup.h"

#include "tap.h"
#include "tie.h"

#include <stdlib.h>

#define MD5 "f2c7bb8acc97f92e987a2d4087d021b1"

/* The session, and what was told. */
static struct world {
	struct request last;
	int64_t requests;
	int dropped, told;
	bool is_full;
	struct lookup_result result;
	struct text text;
	size_t running;
	struct lookups *lookups;
} world;

static int64_t
on_request(void *context, const struct request *request, struct fault *fault)
{
	(void)context;
	if (world.is_full)
		return fault_set(fault, FAULT_UNAVAILABLE, "full");
	world.last = *request;
	return ++world.requests;
}

static void
on_drop(void *context, int64_t number)
{
	(void)context;
	ok(number > 0, "a request is dropped");
	world.dropped++;
}

static void
on_found(void *context, const struct lookup_result *result)
{
	(void)context;
	world.told++;
	world.result = *result;
	text_clear(&world.text);
	text_append(&world.text, result->text.bytes, result->text.len);
	world.running = lookups_running(world.lookups);
}

static int
look(const char *hash, enum lookup_share share)
{
	struct fault fault = { 0 };
	int rc = lookups_hash(world.lookups, span_of(hash), share, &fault);

	return rc == 0 ? 0 : (int)fault.kind;
}

static void
answer(struct request_answer given)
{
	world.last.answered(world.last.context, &given);
}

static void
test_answers(void)
{
	ok(look(MD5, LOOKUP_YES) == 0 && world.requests == 1, "it is asked");
	is(world.last.topic, TIE_FILE_REPUTATION, "of TIE");
	ok(lookups_running(world.lookups) == 1, "one runs");
	answer((struct request_answer){ .end = REQUEST_ANSWERED,
		.payload = span_of("{\"reputations\":[{\"providerId\":1,"
				   "\"trustLevel\":99,\"createDate\":0},"
				   "{\"providerId\":5,\"trustLevel\":1,"
				   "\"attributes\":{\"4195730\":\"5\"}}]}") });
	ok(world.told == 1 && world.result.is_found &&
			world.result.share == LOOKUP_YES && world.running == 0,
		"it is told");
	is(world.text.bytes,
		MD5 ":\n"
		    "GTI  99  Known Trusted    1970-01-01T00:00:00.000Z  -\n"
		    "ATD  1   Known Malicious  -                         "
		    "verdict Known Malicious",
		"in lines");

	look(MD5, LOOKUP_NO);
	answer((struct request_answer){ .end = REQUEST_REFUSED,
		.message = span_of("Could not find reputation") });
	ok(world.result.is_found && world.result.share == LOOKUP_NO,
		"that there is none is a result");
	is(world.text.bytes, MD5 ": no provider knows it", "in a line");

	look(MD5, LOOKUP_ASK);
	struct request_answer failed = { .end = REQUEST_EXPIRED };
	fault_set(&failed.fault, FAULT_TIMEOUT, "no \033[2J answer\n");
	answer(failed);
	ok(!world.result.is_found && world.result.share == LOOKUP_ASK,
		"a fault is none");
	is(world.text.bytes, MD5 ": no \\x1b[2J answer\\n", "and is harmless");

	look(MD5, LOOKUP_YES);
	answer((struct request_answer){ .end = REQUEST_ANSWERED,
		.payload = span_of("{\"reputations\":7}") });
	ok(!world.result.is_found, "nor is nonsense");
	look(MD5, LOOKUP_YES);
	answer((struct request_answer){ .end = REQUEST_ANSWERED,
		.payload = span_of("{\"reputations\":[{\"providerId\":9,"
				   "\"trustLevel\":50,\"attributes\":{"
				   "\"2101652\":\"1\\u001b[2J\"}}]}") });
	is(world.text.bytes, MD5 ":\nprovider 9  50  Unknown  -  -",
		"an attribute that is none is left out");
}

static void
test_limits(void)
{
	int before = world.told;

	ok(look("", LOOKUP_NO) == FAULT_USAGE &&
			look("abc", LOOKUP_NO) == FAULT_USAGE,
		"what is no hash is refused");
	world.is_full = true;
	ok(look(MD5, LOOKUP_NO) == FAULT_UNAVAILABLE &&
			lookups_running(world.lookups) == 0,
		"and what cannot be asked");
	world.is_full = false;
	for (int i = 0; i < LOOKUPS_MAX; i++)
		look(MD5, LOOKUP_NO);
	ok(lookups_running(world.lookups) == LOOKUPS_MAX, "so many run");
	ok(look(MD5, LOOKUP_NO) == FAULT_UNAVAILABLE, "and no more");
	lookups_stop(world.lookups);
	ok(world.dropped == LOOKUPS_MAX &&
			lookups_running(world.lookups) == 0 &&
			world.told == before,
		"all are given up");
	look(MD5, LOOKUP_NO);
	lookups_free(world.lookups);
	ok(world.dropped == LOOKUPS_MAX + 1, "who leaves waits for none");
	lookups_free(NULL);
}

static void
share_is(const char *word, int want)
{
	enum lookup_share share;
	int rc = lookup_share_parse(span_of(word), &share);

	ok(want < 0 ? rc == -1 : rc == 0 && (int)share == want, "\"%s\"", word);
}

int
main(void)
{
	const struct lookup_calls calls = { NULL, on_request, on_drop,
		on_found };

	world.lookups = lookups_new(&calls);
	test_answers();
	test_limits();
	share_is("", LOOKUP_ASK);
	share_is("yes", LOOKUP_YES);
	share_is("YES", LOOKUP_YES);
	share_is("No", LOOKUP_NO);
	share_is("y", -1);
	share_is("yesno", -1);
	text_free(&world.text);
	return done();
}
