/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes that are looked for in a room, several at once. */
#include "join/lookup.h"

#include "mar_search.h"
#include "memory.h"
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
	int64_t now;
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
	ok(result->is_found ? span_equal(result->shared, result->text)
			    : result->shared.len == 0,
		"the room has the same, in English");
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
		    "GTI  99  Known Trusted    1970-01-01T00:00:00.000Z\n"
		    "ATD  1   Known Malicious  -",
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
	is(world.text.bytes, MD5 ":\nprovider 9  50  Unknown  -",
		"an attribute that is none is left out");
}

static int
search(const char *query, enum lookup_share share)
{
	struct fault fault = { 0 };
	int rc = lookups_search(world.lookups, span_of(query), share, world.now,
		&fault);

	text_clear(&world.text);
	text_append_string(&world.text, fault.text);
	return rc == 0 ? 0 : (int)fault.kind;
}

/* The next request is due, and is answered. */
static void
step(const char *payload)
{
	int64_t before = world.requests;

	while (world.requests == before &&
		lookups_deadline(world.lookups) < INT64_MAX) {
		if (lookups_deadline(world.lookups) > world.now)
			world.now = lookups_deadline(world.lookups);
		lookups_tick(world.lookups, world.now);
	}
	if (world.requests > before)
		answer((struct request_answer){ .end = REQUEST_ANSWERED,
			.payload = span_of(payload) });
}

#define CREATED "{\"code\":200,\"body\":{\"id\":\"5a7b\"}}"
#define STARTED "{\"code\":200}"
#define STATUS(status, results)                                                \
	"{\"code\":200,\"body\":{\"results\":" results                         \
	",\"errors\":0,\"hosts\":1,\"subscribedHosts\":2,\"status\":\"" status \
	"\"}}"

static void
progress_is(const char *want)
{
	struct text text = { 0 };

	lookups_progress(world.lookups, false, &text);
	is(text.bytes != NULL ? text.bytes : "", want, "how far they are");
	text_clear(&text);
	lookups_progress(world.lookups, true, &text);
	is(text.bytes != NULL ? text.bytes : "",
		strstr(want, "TIE") != NULL ? "MAR; TIE"
			: *want != '\0'     ? "MAR"
					    : "",
		"and in few words");
	text_free(&text);
}

/* Up to its results. */
static void
finish(const char *query, const char *results)
{
	search(query, LOOKUP_YES);
	step(CREATED);
	step(STARTED);
	step(results);
}

static void
test_search(void)
{
	int64_t began = world.now;
	int told = world.told;

	ok(search("HostInfo hostname, os", LOOKUP_YES) == 0, "a search");
	progress_is("MAR not yet started");
	step(CREATED);
	is(world.last.topic, MAR_TOPIC, "of MAR");
	step(STARTED);
	look(MD5, LOOKUP_NO);
	progress_is("MAR not yet started; TIE");
	answer((struct request_answer){ .end = REQUEST_REFUSED,
		.message = span_of("Could not find reputation") });
	ok(world.told == told + 1 && lookups_running(world.lookups) == 1,
		"a hash is found meanwhile");
	step(STATUS("IN\\u001b[2J", "0"));
	progress_is("MAR IN\\x1b[2J, 1 of 2 hosts have answered, 0 results");
	step(STATUS("FINISHED", "2"));
	ok(world.now == began + MAR_PAUSE_MS, "it has paused");
	step("{\"code\":200,\"body\":{\"items\":["
	     "{\"count\":1,\"output\":{\"HostInfo|hostname\":\"pc1\","
	     "\"HostInfo|os\":\"a\\u001b\\nb\"}},"
	     "{\"count\":2,\"output\":{\"HostInfo|hostname\":\"\"}}]}}");
	ok(world.told == told + 2 && world.result.is_found &&
			world.result.share == LOOKUP_YES && world.running == 0,
		"it is told");
	is(world.text.bytes,
		"HostInfo hostname, os:\n"
		"HostInfo|hostname  HostInfo|os  count\n"
		"pc1                a\\x1b\\nb     1\n"
		"-                  -            2\n"
		"FINISHED, 1 of 2 hosts have answered, 2 results, 2 read",
		"in lines");
	progress_is("");
	finish("HostInfo os", STATUS("FINISHED", "0"));
	ok(world.result.is_found, "that nobody has it is a result");
	is(world.text.bytes,
		"HostInfo os: no results: FINISHED, 1 of 2 hosts have "
		"answered, 0 results",
		"in a line");
	ok(search("HostInfo os where", LOOKUP_NO) == FAULT_USAGE,
		"a query that is wrong");
	is(world.text.bytes,
		"column 18: a collector is due here, not the end (a comparison "
		"is: Collector output operator value)",
		"is told at once");
	search("HostInfo os", LOOKUP_ASK);
	step("{\"code\":501,\"body\":\"no\\u0007\"}");
	ok(!world.result.is_found && world.result.share == LOOKUP_ASK,
		"a fault is no result");
	is(world.text.bytes, "HostInfo os: MAR service: no\\x07 (code 501)",
		"and is harmless");
}

#define PAGE(items) \
	"{\"code\":200,\"body\":{\"totalItems\":250,\"items\":[" items "]}}"
#define ROW "{\"count\":1,\"output\":{\"HostInfo|os\":\"x\"}}"

/* The service names more rows than it gives. */
static void
test_search_short(void)
{
	int told = world.told;

	finish("HostInfo os", STATUS("FINISHED", "250"));
	for (int i = 0; i < 9 && world.told == told; i++)
		step(PAGE(""));
	ok(world.told == told + 1 && !world.result.is_found,
		"no row of 250 is no result");
	is(world.text.bytes,
		"HostInfo os: MAR service: only 0 of 250 rows came: FINISHED, "
		"1 of 2 hosts have answered, 250 results",
		"and is told");
	finish("HostInfo os", STATUS("FINISHED", "250"));
	step(PAGE(ROW));
	for (int i = 0; i < 9 && world.told == told + 1; i++)
		step(PAGE(""));
	ok(world.told == told + 2 && world.result.is_found,
		"one of 250 is something to see");
	is(world.text.bytes,
		"HostInfo os:\n"
		"HostInfo|os  count\n"
		"x            1\n"
		"MAR service: only 1 of 250 rows came: FINISHED, 1 of 2 hosts "
		"have answered, 250 results, 1 read",
		"with that");
	finish("HostInfo os", STATUS("FINISHED", "2"));
	step("{\"code\":200,\"body\":{\"totalItems\":1,\"items\":[" ROW "]}}");
	is(world.text.bytes,
		"HostInfo os:\n"
		"HostInfo|os  count\n"
		"x            1\n"
		"not all results are in these rows: FINISHED, 1 of 2 hosts "
		"have answered, 2 results, 1 read",
		"fewer than the status names");
}

/* Never finished; its time is over. */
static void
test_search_time(void)
{
	int64_t began = world.now;
	int told = world.told;

	search("HostInfo os", LOOKUP_NO);
	step(CREATED);
	step(STARTED);
	while (world.told == told)
		step(STATUS("RUNNING", "7"));
	ok(world.now == began + MAR_SEARCH_MS, "after its time");
	is(world.text.bytes,
		"HostInfo os: the search is not finished after 600 s: RUNNING, "
		"1 of 2 hosts have answered, 7 results",
		"it ends");
}

/* What is said when one is stopped, and what else it comes to. */
static int
stop_one(size_t number)
{
	struct fault fault = { 0 };

	text_clear(&world.text);
	if (lookups_stop_one(world.lookups, number, &world.text, &fault) == 0)
		return 0;
	text_append_string(&world.text, fault.text);
	return (int)fault.kind;
}

static void
list_is(const char *want)
{
	struct text text = { 0 };

	lookups_list(world.lookups, &text);
	is(text.bytes != NULL ? text.bytes : "", want, "which they are");
	text_free(&text);
}

/* Of the first one that runs. */
static size_t
first_number(void)
{
	struct text text = { 0 };

	lookups_list(world.lookups, &text);
	size_t number = strtoul(text.bytes, NULL, 10);
	text_free(&text);
	return number;
}

static void
test_stop(void)
{
	int told = world.told;
	char want[256];

	ok(stop_one(0) == FAULT_USAGE, "nothing runs");
	is(world.text.bytes, "nothing is looked for", "which is told");
	search("HostInfo os", LOOKUP_YES);
	step(CREATED);
	step(STARTED);
	step(STATUS("RUN\\u0007", "7"));
	ok(stop_one(0) == 0, "the only one is stopped");
	is(world.text.bytes,
		"HostInfo os: stopped: RUN\\x07, 1 of 2 hosts have answered, 7 "
		"results",
		"which is told, with how far it was");
	ok(lookups_running(world.lookups) == 0 &&
			lookups_deadline(world.lookups) == INT64_MAX,
		"it asks no more");
	list_is("");

	int dropped = world.dropped;
	search("HostInfo os", LOOKUP_YES);
	lookups_tick(world.lookups, world.now);
	look(MD5, LOOKUP_ASK);
	look(MD5, LOOKUP_ASK);
	size_t first = first_number();
	ok(first > LOOKUPS_MAX, "numbers of those before are not used again");
	snprintf(want, sizeof(want),
		"%zu: \\m HostInfo os: not yet started\n%zu: \\t " MD5
		"\n%zu: \\t " MD5,
		first, first + 1, first + 2);
	list_is(want);
	ok(stop_one(0) == FAULT_USAGE && lookups_running(world.lookups) == 3,
		"of several it has to be said which");
	is(world.text.bytes, "more than one is looked for", "which is told");
	ok(stop_one(first + 3) == FAULT_USAGE && stop_one(1) == FAULT_USAGE,
		"and which there is");
	is(world.text.bytes, "1 is none of those that run", "which is told");
	ok(stop_one(first + 1) == 0 && world.dropped == dropped + 1,
		"one of them");
	is(world.text.bytes, MD5 ": stopped", "is stopped");
	look(MD5, LOOKUP_ASK);
	snprintf(want, sizeof(want),
		"%zu: \\m HostInfo os: not yet started\n%zu: \\t " MD5
		"\n%zu: \\t " MD5,
		first, first + 2, first + 3);
	list_is(want);
	ok(stop_one(first + 1) == FAULT_USAGE,
		"what comes in its place is another");
	ok(stop_one(first + 3) == 0 && world.dropped == dropped + 2,
		"with a number of its own");
	ok(stop_one(first) == 0 && world.dropped == dropped + 3,
		"what waits for an answer waits no more");
	ok(stop_one(0) == 0 && lookups_running(world.lookups) == 0,
		"and the last one needs no number");
	ok(world.told == told, "nobody is told of a result");
}

/* A page of rows with three values that are so long. */
static void
answer_rows(size_t rows, size_t len)
{
	struct text page = { 0 };

	text_append_string(&page, "{\"code\":200,\"body\":{\"items\":[");
	for (size_t i = 0; i < rows * 3; i++) {
		text_appendf(&page, "%s\"a|%zu\":\"",
			i % 3 > 0       ? ","
				: i > 0 ? "}},{\"output\":{"
					: "{\"output\":{",
			i % 3);
		for (size_t j = 0; j < len; j++)
			text_append_string(&page, "\xc3\xa4");
		text_append_char(&page, '"');
	}
	text_append_string(&page, "}}]}}");
	step(page.bytes);
	text_free(&page);
}

/* A search that ends because there is no room for more rows. */
static void
test_search_room(void)
{
	int told = world.told;

	finish("a", STATUS("FINISHED", "100000"));
	for (int i = 0; i < 100 && world.told == told; i++)
		answer_rows(16, 30000);
	ok(world.told == told + 1 && world.result.is_found,
		"as many rows as there is room for");
	ok(strstr(world.text.bytes,
		   "not all results are in these rows: FINISHED, 1 of 2 hosts "
		   "have answered, 100000 results, ") != NULL,
		"and that there are more is told");
}

/* What becomes a message is bounded. */
static void
test_search_size(void)
{
	struct text query = { 0 };

	finish("a b", STATUS("FINISHED", "70"));
	answer_rows(50, 1);
	answer_rows(20, 1);
	ok(strstr(world.text.bytes,
		   "\nand 20 more rows (qchat-mar shows them)\nFINISHED") !=
			NULL,
		"so many rows");
	finish("a", STATUS("FINISHED", "1"));
	answer_rows(1, 3000);
	ok(world.text.len < 1200 &&
			strstr(world.text.bytes, "\xc3\xa4\xe2\x80\xa6 ") &&
			text_utf8_check((struct span){ world.text.bytes,
				world.text.len }) == world.text.len,
		"values are cut where a character ends");
	text_append_string(&query, "c where ");
	while (query.len < 4000)
		text_append_string(&query, "a b equals \"\xc3\xa4\" or ");
	text_append_string(&query, "a b equals 1");
	finish(query.bytes, STATUS("FINISHED", "50"));
	ok(world.text.len < 700, "and so is the query");
	answer_rows(50, 1000);
	ok(world.text.len < LOOKUP_TEXT_MAX + 200 &&
			world.text.len > LOOKUP_TEXT_MAX - 1000,
		"of wide rows as many as fit: %zu bytes", world.text.len);
	ok(strstr(world.text.bytes, " more rows (qchat-mar") != NULL,
		"and that is told");
	text_free(&query);
}

static void
test_limits(void)
{
	int before = world.told, dropped = world.dropped;

	ok(look("", LOOKUP_NO) == FAULT_USAGE &&
			look("abc", LOOKUP_NO) == FAULT_USAGE,
		"what is no hash is refused");
	world.is_full = true;
	ok(look(MD5, LOOKUP_NO) == FAULT_UNAVAILABLE &&
			lookups_running(world.lookups) == 0,
		"and what cannot be asked");
	world.is_full = false;
	for (int i = 0; i < LOOKUPS_MAX - 1; i++)
		look(MD5, LOOKUP_NO);
	search("HostInfo os", LOOKUP_NO);
	lookups_tick(world.lookups, world.now);
	ok(lookups_running(world.lookups) == LOOKUPS_MAX, "so many run");
	ok(look(MD5, LOOKUP_NO) == FAULT_UNAVAILABLE &&
			search("HostInfo os", LOOKUP_NO) == FAULT_UNAVAILABLE,
		"and no more");
	lookups_stop(world.lookups);
	ok(world.dropped == dropped + LOOKUPS_MAX &&
			lookups_running(world.lookups) == 0 &&
			world.told == before,
		"all are given up");
	look(MD5, LOOKUP_NO);
	lookups_free(world.lookups);
	ok(world.dropped == dropped + LOOKUPS_MAX + 1,
		"who leaves waits for none");
	lookups_free(NULL);
}

static void
query_is(const char *argument, const char *want, enum lookup_share want_share)
{
	enum lookup_share share;
	struct span query = lookup_query(span_of(argument), &share);

	ok(span_equal(query, span_of(want)) && share == want_share, "\"%s\"",
		argument);
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
	test_search();
	test_search_short();
	test_search_time();
	test_stop();
	test_search_room();
	test_search_size();
	test_limits();
	query_is("Files md5 yes", "Files md5", LOOKUP_YES);
	query_is(" Files  md5\tNO \n", " Files  md5", LOOKUP_NO);
	query_is("Files md5", "Files md5", LOOKUP_ASK);
	query_is("Files where Files name equals \"yes\"",
		"Files where Files name equals \"yes\"", LOOKUP_ASK);
	query_is("yes", "", LOOKUP_YES);
	query_is("", "", LOOKUP_ASK);
	share_is("", LOOKUP_ASK);
	share_is("yes", LOOKUP_YES);
	share_is("YES", LOOKUP_YES);
	share_is("No", LOOKUP_NO);
	share_is("y", -1);
	share_is("yesno", -1);
	text_free(&world.text);
	return done();
}
