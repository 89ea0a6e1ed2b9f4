/* SPDX-License-Identifier: Apache-2.0 */
/* A search: the exchanges of the Python client with its service
 * (tests/data/dxl/python/services) as ours, and services that are not good. */
#include "mar.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <jansson.h>
#include <stdlib.h>

static struct fault fault;
static struct mar *mar;
static struct text request;

static void
start(const char *text, const char *sort, int64_t limit, int64_t page)
{
	struct mar_query query;

	fault = (struct fault){ 0 };
	mar_free(mar);
	if (mar_query_parse(&query, span_of(text), NULL, &fault) < 0)
		printf("Bail out! %s\n", fault.text);
	ok(sort == NULL || mar_sort_check(&query, sort, &fault) == 0,
		"%s: sorted by %s", text, sort != NULL ? sort : "nothing");
	mar = mar_new(&(struct mar_config){ .query = &query,
		.sort = sort,
		.limit = limit,
		.page = page });
	mar_query_free(&query);
}

static bool
ask(void)
{
	text_clear(&request);
	return mar_next_request(mar, &request);
}

static int
answer(const char *payload)
{
	return mar_take_answer(mar, span_of(payload), &fault);
}

/* The request is in content that JSON. */
static void
asks(const char *want, const char *name)
{
	bool due = ask();
	json_t *a = json_loadb(request.bytes, due ? request.len : 0, 0, NULL);
	json_t *b = json_loads(want, 0, NULL);
	bool same = a != NULL && json_equal(a, b);

	ok(same, "%s", name);
	if (!same)
		printf("#   got: %s\n#  want: %s\n", due ? request.bytes : "",
			want);
	json_decref(a);
	json_decref(b);
}

/* The payload of a recorded message; its topic has to be ours. */
static char *
recorded(const char *name, int number, const char *which)
{
	const char *srcdir = getenv("srcdir");
	char *path = memory_format("%s/tests/data/dxl/python/services/"
				   "%s-%02d-%s.bin",
		srcdir != NULL ? srcdir : ".", name, number, which);
	static char bytes[64 * 1024];
	FILE *file = fopen(path, "rb");
	struct dxl_message message;
	char *payload = NULL;

	free(path);
	if (file == NULL)
		return NULL;
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (dxl_parse(&message, (struct span){ bytes, len }, &fault) < 0)
		return NULL;
	payload = memory_copy(message.payload.bytes, message.payload.len);
	dxl_message_free(&message);
	return payload;
}

/* All exchanges of this name; returns how many there are. */
static int
replay(const char *name)
{
	int number = 0;
	char *theirs, *reply;

	while ((theirs = recorded(name, number + 1, "request")) != NULL) {
		char *shown = memory_format("%s: request %d", name, ++number);

		asks(theirs, shown);
		free(theirs);
		free(shown);
		reply = recorded(name, number, "response");
		int rc = answer(reply);
		free(reply);
		if (rc < 0)
			return number;
		ok(true, "%s: answer %d", name, number);
	}
	ok(!ask(), "%s: and no more", name);
	return number;
}

static void
value_is(size_t row, size_t column, const char *want)
{
	struct span got = mar_rows_value(mar_rows(mar), row, column);

	ok(want == NULL ? got.bytes == NULL : span_equal(got, span_of(want)),
		"row %zu, column %zu: %s", row, column,
		want != NULL ? want : "nothing");
}

static void
column_is(size_t column, const char *want)
{
	struct span got = mar_rows_columns(mar_rows(mar)) > column
		? mar_rows_column(mar_rows(mar), column)
		: span_of("(none)");

	ok(span_equal(got, span_of(want)), "column %zu is %s", column, want);
}

static void
test_recorded(void)
{
	struct mar_progress progress;

	start("HostInfo ip_address", NULL, 0, 10);
	ok(replay("mar-hostinfo") == 5, "five exchanges");
	progress = mar_progress(mar);
	ok(progress.state == MAR_DONE && progress.rows == 2 &&
			!progress.is_enough,
		"two rows");
	ok(progress.hosts == 1 && progress.asked == 1 && progress.errors == 0,
		"of one host");
	column_is(0, "HostInfo|ip_address");
	value_is(0, 0, "192.168.130.152");
	value_is(1, 0, "192.168.130.133");
	ok(mar_rows_times(mar_rows(mar), 1) == 1, "once");
	/* Its columns come with its rows. */
	start("Processes where HostInfo ip_address equals \"192.168.1.1\"",
		"Processes|name", 0, 5);
	ok(replay("mar-paging") == 7, "seven exchanges");
	ok(mar_progress(mar).rows == 15, "15 rows");
	column_is(0, "Processes|name");
	value_is(14, 0, "[System Process]");
	start("HostInfo hostname, ip_address and Files full_name where Files "
	      "md5 equals \"daac6ba6967893ddea06ed132b781529\" or Files sha1 "
	      "equals \"daac6ba6967893ddea06ed132b781529\"",
		NULL, 0, 0);
	ok(replay("mar-error") == 1, "one exchange");
	is(fault.text, "MAR service: Unsupported projection (code 501)",
		"the error in its words");
	ok(fault.kind == FAULT_PROTOCOL && !ask() &&
			mar_progress(mar).state == MAR_FAILED,
		"ends the search");
}

#define CREATED "{\"code\":200,\"body\":{\"id\":\"5a7b\"}}"
#define DONE(results)                                      \
	"{\"code\":200,\"body\":{\"results\":" results     \
	",\"errors\":0,\"hosts\":1,\"subscribedHosts\":2," \
	"\"status\":\"FINISHED\"}}"
#define ROWS(items) "{\"code\":200,\"body\":{\"items\":[" items "]}}"
#define ROW(value) \
	"{\"count\":3,\"created_at\":\"2016\",\"output\":{\"a|b\":" value "}}"

/* Up to its results. */
static void
finish(const char *query, const char *sort, int64_t limit, int64_t page,
	const char *finished)
{
	start(query, sort, limit, page);
	ok(ask() && answer(CREATED) == 0 && ask() &&
			answer("{\"code\":200}") == 0 && ask() &&
			mar_pause(mar) == 0 && answer(finished) == 0,
		"it is finished at once");
}

static void
test_pauses(void)
{
	start("a b", NULL, 0, 0);
	ok(mar_pause(mar) == 0 && ask() && answer(CREATED) == 0, "created");
	ok(mar_pause(mar) == 0 && ask(), "started at once");
	static const char padded[] = "{\"code\":204,\"body\":\"\"}\n\0";
	ok(mar_take_answer(mar, (struct span){ padded, sizeof(padded) },
		   &fault) == 0,
		"with any body, and NULs behind it");
	ok(mar_pause(mar) == 0 && ask(), "asked at once");
	ok(answer("{\"code\":200,\"body\":{\"status\":\"RUNNING\"}}") == 0 &&
			mar_progress(mar).hosts == -1,
		"it runs");
	is(mar_progress(mar).status, "RUNNING", "and is said to");
	ok(mar_pause(mar) == MAR_PAUSE_MS && ask(), "then after a pause");
	ok(answer("{\"code\":200,\"body\":{\"status\":\"SAVED\",\"results\":7,"
		  "\"hosts\":-1,\"errors\":1.5,\"subscribedHosts\":4}}") == 0,
		"a status that is not known");
	ok(mar_progress(mar).results == 7 && mar_progress(mar).hosts == -1 &&
			mar_progress(mar).errors == -1 &&
			mar_progress(mar).asked == 4,
		"numbers that are none are not known");
	ok(mar_pause(mar) == MAR_PAUSE_MS && ask() && answer(DONE("0")) == 0,
		"finished");
	ok(!ask() && mar_progress(mar).state == MAR_DONE,
		"without results there is nothing to read");
}

static void
test_sort(void)
{
	finish("HostInfo hostname and Files name", "-Files Name", 3, 2,
		DONE("9"));
	asks("{\"target\":\"/v1/5a7b/results\",\"method\":\"GET\",\"parameters"
	     "\":{\"$offset\":0,\"$limit\":2,\"filter\":\"\",\"sortBy\":"
	     "\"Files|name\",\"sortDirection\":\"desc\"},\"body\":{}}",
		"a page as it is wanted");
	ok(answer(ROWS(ROW("1") "," ROW("2"))) == 0, "it comes");
	asks("{\"target\":\"/v1/5a7b/results\",\"method\":\"GET\",\"parameters"
	     "\":{\"$offset\":2,\"$limit\":1,\"filter\":\"\",\"sortBy\":"
	     "\"Files|name\",\"sortDirection\":\"desc\"},\"body\":{}}",
		"and what is left up to the limit");
	ok(answer(ROWS(ROW("3") "," ROW("4"))) == 0 && !ask(),
		"more than was asked for");
	ok(mar_progress(mar).rows == 3 && mar_progress(mar).is_enough &&
			!mar_progress(mar).has_no_room,
		"is not taken, and is told");
	finish("a b", "count", 0, 0, DONE("1"));
	ok(ask() && strstr(request.bytes, "\"sortBy\":\"count\",") != NULL &&
			strstr(request.bytes, "\"asc\"") != NULL,
		"by count, the rarest first");
	finish("a", "a|x", 0, 0, DONE("1"));
	ok(ask() && strstr(request.bytes, "\"a|x\"") != NULL,
		"an output of a collector that says none");
	finish("a b", "B", 0, 0, DONE("1"));
	ok(ask() && strstr(request.bytes, "\"a|b\"") != NULL,
		"an output alone");
}

static void
sort_is_refused(const char *text, const char *sort, const char *want)
{
	struct mar_query query;

	mar_query_parse(&query, span_of(text), NULL, &fault);
	fault = (struct fault){ 0 };
	ok(mar_sort_check(&query, sort, &fault) < 0 &&
			fault.kind == FAULT_USAGE,
		"%s: not by %s", text, sort);
	is(fault.text, want, "which says what there is");
	mar_query_free(&query);
}

static void
test_wrong_sort(void)
{
	sort_is_refused("a b and c d", "x",
		"\"x\" is none of what results are sorted by: count, a|b, c|d");
	sort_is_refused("a b and c b", "-b",
		"\"-b\" is more than one of what results are sorted by: count, "
		"a|b, c|b");
	sort_is_refused("a b", "",
		"\"\" is none of what results are sorted by: count, a|b");
	sort_is_refused("a", "x|y",
		"\"x|y\" is none of what results are sorted by: count");
}

/* The rows end where the service says, or where there is none any more. */
static void
test_ends(void)
{
	finish("a b", NULL, 0, 2, DONE("105"));
	ok(ask() &&
			answer("{\"code\":200,\"body\":{\"totalItems\":3,"
			       "\"items\":[" ROW("1") "," ROW("2") "]}}") == 0,
		"rows are fewer than results");
	ok(ask() && answer(ROWS(ROW("3"))) == 0 && !ask() &&
			!mar_progress(mar).is_enough,
		"and end");
	finish("a b", NULL, 0, 2, DONE("105"));
	ok(ask() && answer(ROWS(ROW("1"))) == 0 && ask(),
		"the service may give less than was asked for");
	ok(strstr(request.bytes, "\"$offset\":1,") != NULL,
		"the next page begins behind it");
	ok(answer(ROWS("")) == 0 && mar_pause(mar) == MAR_AGAIN_MS && ask(),
		"a page without rows is asked for again, after a pause");
	ok(strstr(request.bytes, "\"$offset\":1,") != NULL, "the same");
	ok(answer(ROWS(ROW("2"))) == 0 && mar_pause(mar) == 0 && ask(),
		"it may come");
	ok(answer(ROWS("")) == 0 && ask() && answer(ROWS("")) == 0 && !ask() &&
			mar_progress(mar).rows == 2,
		"if not, it is the end");
	finish("a b", NULL, 0, 2,
		"{\"code\":200,\"body\":{\"status\":\"finished\"}}");
	ok(ask() && answer(ROWS(ROW("1") "," ROW("2"))) == 0 && ask() &&
			answer(ROWS(ROW("3"))) == 0 && !ask() &&
			mar_progress(mar).rows == 3,
		"how many there are is not known");
}

#define COUNTED(total, items)                                                \
	"{\"code\":200,\"body\":{\"totalItems\":" total ",\"items\":[" items \
	"]}}"

/* The pages end; ones without rows come until it asks no more. */
static void
run_out(const char *empty)
{
	int pages = 0;

	while (ask() && pages++ < 10)
		answer(empty);
	ok(pages > 0 && pages <= 1 + MAR_AGAIN_MAX &&
			mar_progress(mar).state == MAR_DONE,
		"after %d pages of nothing it ends", pages);
}

/* The service names more than it gives. */
static void
test_short(void)
{
	finish("a b", NULL, 0, 2, DONE("250"));
	run_out(COUNTED("250", ""));
	ok(mar_progress(mar).is_short && mar_progress(mar).total == 250,
		"no row of 250");
	finish("a b", NULL, 0, 2, DONE("250"));
	run_out(ROWS(""));
	ok(mar_progress(mar).is_short && mar_progress(mar).total == 250,
		"nor of those that only the status names");
	finish("a b", NULL, 0, 2, DONE("250"));
	run_out(COUNTED("0", ""));
	ok(mar_progress(mar).is_short && mar_progress(mar).total == 250,
		"the status is believed if it names more");
	finish("a b", NULL, 0, 2, DONE("9"));
	ok(ask() && answer(COUNTED("5", ROW("1") "," ROW("2"))) == 0 &&
			!mar_progress(mar).is_short,
		"two of five");
	run_out(COUNTED("5", ""));
	ok(mar_progress(mar).is_short && mar_progress(mar).total == 5,
		"are too few, whatever they stand for");
	finish("a b", NULL, 2, 2, DONE("9"));
	ok(ask() && answer(COUNTED("5", ROW("1") "," ROW("2"))) == 0 &&
			!ask() && !mar_progress(mar).is_short,
		"but not if no more were wanted");
	finish("a b", NULL, 0, 2, DONE("6"));
	ok(ask() && answer(ROWS(ROW("1") "," ROW("2"))) == 0, "two rows");
	ok(ask() && answer(ROWS("")) == 0 && !ask() &&
			!mar_progress(mar).is_short &&
			mar_progress(mar).found == 6,
		"that stand for all results are all");
	finish("a b", NULL, 0, 2, DONE("7"));
	ok(ask() && answer(ROWS(ROW("1") "," ROW("2"))) == 0, "two rows");
	run_out(ROWS(""));
	ok(!mar_progress(mar).is_short && mar_progress(mar).found == 6,
		"that do not are fewer than the status names");
	finish("a b", NULL, 0, 2, DONE("2"));
	ok(ask() && answer(COUNTED("1", "{\"output\":{\"a|b\":1}}")) == 0 &&
			mar_progress(mar).found == 1,
		"a row without a count stands for one");
	finish("a b", NULL, 0, 2, DONE("9"));
	ok(ask() &&
			answer(COUNTED("3",
				"{\"count\":9223372036854775807,\"output\":{}},"
				"{\"count\":9223372036854775807,\"output\":{}},"
				"{\"output\":{}}")) == 0 &&
			mar_progress(mar).found == INT64_MAX,
		"more than can be counted is counted as that");
}

static void
test_values(void)
{
	struct text json = { 0 };

	finish("A b, c", NULL, 0, 0, DONE("4"));
	ok(ask() &&
			answer(ROWS(
				"{\"output\":{\"a|B\":\"x\",\"d|e\":7}},"
				"{\"count\":-1,\"output\":{\"A|c\":null,"
				"\"d|e\":1.5}},"
				"{\"count\":2,\"output\":{\"A|b\":true,"
				"\"A|c\":[\"x\",{\"y\":1}]}},"
				"{\"output\":{\"A|b\":\"\","
				"\"A|c\":\"a\\u0000\\u001b\x7f\xc3\xa4\"}}")) ==
				0,
		"values of all kinds");
	ok(mar_rows_columns(mar_rows(mar)) == 3, "three columns");
	column_is(0, "A|b");
	column_is(1, "A|c");
	column_is(2, "d|e");
	value_is(0, 0, "x");
	value_is(0, 1, NULL);
	value_is(0, 2, "7");
	value_is(1, 0, NULL);
	value_is(1, 1, NULL);
	value_is(1, 2, "1.5");
	value_is(2, 0, "true");
	value_is(2, 1, "[\"x\",{\"y\":1}]");
	value_is(2, 2, NULL);
	value_is(3, 0, "");
	ok(mar_rows_value(mar_rows(mar), 3, 1).len == 6, "with a NUL inside");
	ok(mar_rows_times(mar_rows(mar), 0) == -1 &&
			mar_rows_times(mar_rows(mar), 1) == -1 &&
			mar_rows_times(mar_rows(mar), 2) == 2,
		"how often");
	mar_rows_json(mar_rows(mar), 2, &json);
	is(json.bytes,
		"{\"v\":1,\"type\":\"mar\",\"count\":2,\"output\":{\"A|b\":"
		"\"true\",\"A|c\":\"[\\\"x\\\",{\\\"y\\\":1}]\"}}\n",
		"as JSON");
	text_clear(&json);
	mar_rows_json(mar_rows(mar), 3, &json);
	is(json.bytes,
		"{\"v\":1,\"type\":\"mar\",\"output\":{\"A|b\":\"\",\"A|c\":"
		"\"a\\u0000\\u001B\\u007f\\u00E4\"}}\n",
		"as JSON in ASCII");
	text_free(&json);
}

/* An output that the query names more than once is in each of those columns,
 * and in JSON once. */
static void
test_named_again(void)
{
	struct text json = { 0 };

	finish("A b, c, B and a b", "b", 0, 0, DONE("1"));
	ok(ask() &&
			answer(ROWS("{\"output\":{\"a|b\":\"x\",\"A|c\":7,"
				    "\"d|e\":8}}")) == 0,
		"an output three times");
	ok(mar_rows_columns(mar_rows(mar)) == 5, "five columns");
	column_is(2, "A|B");
	column_is(3, "a|b");
	column_is(4, "d|e");
	value_is(0, 0, "x");
	value_is(0, 1, "7");
	value_is(0, 2, "x");
	value_is(0, 3, "x");
	value_is(0, 4, "8");
	mar_rows_json(mar_rows(mar), 0, &json);
	is(json.bytes,
		"{\"v\":1,\"type\":\"mar\",\"output\":{\"A|b\":\"x\",\"A|c\":"
		"\"7\",\"d|e\":\"8\"}}\n",
		"one value as JSON");
	text_free(&json);
}

/* Names of files on Windows may have half of a surrogate pair. */
static void
test_surrogates(void)
{
	finish("a b", NULL, 0, 0, DONE("9"));
	ok(ask() &&
			answer(ROWS(ROW("\"\\ud83d\\ude00\"") "," ROW(
				"\"x\\uD83Dy"
				"\"") "," ROW("\"\\uDE00\"") "," ROW("\"\\\\ud8"
								     "3d\"") "," ROW("\"\\ud83d\\ud"
										     "83d\"") "," ROW("\"\\ud83d\\n\""))) ==
				0,
		"halves of surrogate pairs");
	value_is(0, 0, "\xf0\x9f\x98\x80");
	value_is(1, 0, "x\xef\xbf\xbdy");
	value_is(2, 0, "\xef\xbf\xbd");
	value_is(3, 0, "\\ud83d");
	value_is(4, 0, "\xef\xbf\xbd\xef\xbf\xbd");
	value_is(5, 0, "\xef\xbf\xbd\n");
}

/* A service that says this instead of its results. */
static void
results_are_refused(const char *reply, const char *want)
{
	finish("a b", NULL, 0, 0, DONE("9"));
	ok(ask() && answer(reply) < 0 && fault.kind == FAULT_PROTOCOL && !ask(),
		"%.100s: refused", reply);
	is(fault.text, want, "in words");
}

/* The same at once. */
static void
is_refused(const char *reply, const char *want)
{
	start("a b", NULL, 0, 0);
	ok(ask() && answer(reply) < 0 && fault.kind == FAULT_PROTOCOL && !ask(),
		"%.100s: refused", reply);
	is(fault.text, want, "in words");
}

static void
test_errors(void)
{
	is_refused("{\"code\":404,\"body\":\"Id not found\"}",
		"MAR service: Id not found (code 404)");
	is_refused("{\"code\":500,\"body\":{}}",
		"MAR service: code 500, without a text");
	is_refused("{\"code\":500,\"body\":{\"applicationErrorList\":[{"
		   "\"message\":\"no\",\"code\":7}]}}",
		"MAR service: no (code 7)");
	is_refused("{\"code\":302,\"body\":{\"applicationErrorList\":{}}}",
		"MAR service: code 302, without a text");
	is_refused("{\"code\":199,\"body\":{\"id\":\"5a7b\"}}",
		"MAR service: code 199, without a text");
	is_refused("{\"body\":{\"id\":\"5a7b\"}}",
		"MAR service: an answer without a code");
	is_refused("{\"code\":\"200\",\"body\":{\"id\":\"5a7b\"}}",
		"MAR service: an answer without a code");
}

static void
test_garbage(void)
{
	is_refused("", "MAR service: an empty answer");
	is_refused("{",
		"MAR service: an answer that is not JSON: string or '}' "
		"expected near end of file");
	is_refused("[200]", "MAR service: an answer without a code");
	is_refused("{\"code\":200}",
		"MAR service: no id for the search, or a bad one");
	is_refused("{\"code\":200,\"body\":{\"id\":7}}",
		"MAR service: no id for the search, or a bad one");
	is_refused("{\"code\":200,\"body\":{\"id\":\"\"}}",
		"MAR service: no id for the search, or a bad one");
	is_refused("{\"code\":200,\"body\":{\"id\":\"../x\"}}",
		"MAR service: no id for the search, or a bad one");
	results_are_refused("{\"code\":200,\"body\":{}}",
		"MAR service: results without a list of items");
	results_are_refused(ROWS("7"), "MAR service: a result without output");
	results_are_refused(ROWS("{\"output\":[]}"),
		"MAR service: a result without output");
	start("a b", NULL, 0, 0);
	ok(ask() && answer(CREATED) == 0 && ask() && answer(CREATED) == 0 &&
			ask() && answer("{\"code\":200,\"body\":[]}") < 0,
		"no status");
	is(fault.text, "MAR service: no status of the search, or a bad one",
		"is told");
}

static void
test_sizes(void)
{
	struct text big = { 0 };

	for (int i = 0; i <= MAR_ANSWER_MAX; i++)
		text_append_char(&big, ' ');
	is_refused(big.bytes, "MAR service: an answer of 4194305 bytes");
	text_clear(&big);
	text_append_string(&big, "{\"code\":200,\"body\":{\"id\":\"");
	for (int i = 0; i <= MAR_ID_MAX; i++)
		text_append_char(&big, 'a');
	text_append_string(&big, "\"}}");
	is_refused(big.bytes,
		"MAR service: no id for the search, or a bad one");
	text_clear(&big);
	text_append_string(&big,
		"{\"code\":200,\"body\":{\"items\":[{\"output\":{\"");
	for (int i = 0; i <= MAR_COLUMN_MAX; i++)
		text_append_char(&big, 'a');
	text_append_string(&big, "\":1}}]}}");
	results_are_refused(big.bytes,
		"MAR service: a column with a name of 258 bytes");
	text_clear(&big);
	text_append_string(&big,
		"{\"code\":200,\"body\":{\"items\":[{\"output\":{");
	for (int i = 0; i <= MAR_COLUMNS_MAX; i++)
		text_appendf(&big, "%s\"%d\":1", i > 0 ? "," : "", i);
	text_append_string(&big, "}}]}}");
	results_are_refused(big.bytes,
		"MAR service: a result of more than 256 columns");
	text_clear(&big);
	/* As deep as jansson lets it. */
	for (int i = 0; i < 100000; i++)
		text_append_char(&big, '[');
	is_refused(big.bytes,
		"MAR service: an answer that is not JSON: maximum parsing "
		"depth reached near '['");
	text_free(&big);
}

/* A host that says very much does not take what the others say. */
static void
test_long_values(void)
{
	struct text page = { 0 }, value = { 0 }, json = { 0 };

	/* The last character would go over the end. */
	for (int i = 0; i < MAR_VALUE_MAX - 4; i++)
		text_append_char(&value, 'x');
	text_append_string(&value, "\xc3\xa4");
	text_appendf(&page,
		ROWS(ROW("\"%s\"") "," ROW("\"%sxx\"") "," ROW(
			"\"%sxxx\"") "," ROW("[\"%s\"]") "," ROW("\"y\"")),
		value.bytes, value.bytes, value.bytes, value.bytes);
	finish("a b", NULL, 0, 0, DONE("5"));
	ok(ask() && answer(page.bytes) == 0 && mar_progress(mar).rows == 5,
		"long values");
	ok(mar_rows_value(mar_rows(mar), 0, 0).len == MAR_VALUE_MAX - 2 &&
			mar_rows_value(mar_rows(mar), 1, 0).len ==
				MAR_VALUE_MAX,
		"are kept as they are");
	struct span cut = mar_rows_value(mar_rows(mar), 2, 0);
	ok(cut.len == MAR_VALUE_MAX - 1 &&
			memcmp(cut.bytes + cut.len - 4, "x\xe2\x80\xa6", 4) ==
				0,
		"but for those that are longer, which are cut: %zu", cut.len);
	cut = mar_rows_value(mar_rows(mar), 3, 0);
	ok(cut.len <= MAR_VALUE_MAX && *cut.bytes == '[' &&
			memcmp(cut.bytes + cut.len - 4, "x\xe2\x80\xa6", 4) ==
				0,
		"whatever they are");
	ok(mar_rows_cut(mar_rows(mar)) == 2, "and told of");
	mar_rows_json(mar_rows(mar), 2, &json);
	ok(strstr(json.bytes, "x\\u2026\"},\"cut\":true}\n") != NULL,
		"also as JSON");
	text_clear(&json);
	mar_rows_json(mar_rows(mar), 1, &json);
	ok(strstr(json.bytes, "cut") == NULL, "where one is");
	text_free(&page);
	text_free(&value);
	text_free(&json);
}

/* Pages of that until it ends. */
static void
flood(int64_t limit, const char *page)
{
	finish("a b", NULL, limit, 2, DONE("100000000"));
	while (ask())
		if (answer(page) < 0)
			break;
	ok(mar_progress(mar).state == MAR_DONE &&
			mar_progress(mar).has_no_room &&
			!mar_progress(mar).is_enough,
		"it ends, for want of room");
}

/* What is kept is bounded, whatever the service gives. */
static void
test_flood(void)
{
	struct text page = { 0 };
	struct text value = { 0 };

	for (int i = 0; i < MAR_VALUE_MAX; i++)
		text_append_char(&value, 'x');
	text_appendf(&page, ROWS(ROW("\"%s\"") "," ROW("\"%s\"")), value.bytes,
		value.bytes);
	flood(0, page.bytes);
	ok(mar_progress(mar).rows == 1023, "at 64 MiB: %zu",
		mar_progress(mar).rows);
	flood(5000, page.bytes);
	ok(mar_progress(mar).rows == 1023, "whatever limit was set");
	text_free(&page);
	text_free(&value);
}

/* One row that has so many columns. */
static void
append_wide(struct text *page, int columns)
{
	text_append_string(page,
		"{\"code\":200,\"body\":{\"items\":[{\"output\":{");
	for (int i = 0; i < columns; i++)
		text_appendf(page, "%s\"%d\":1", i > 0 ? "," : "", i);
	text_append_string(page, "}}]}}");
}

/* And what is made of it: rows of few bytes, in many columns. */
static void
test_wide(void)
{
	static const char narrow[] = "{\"code\":200,\"body\":{\"items\":["
				     "{\"output\":{}},{\"output\":{}}]}}";
	struct text wide = { 0 };

	append_wide(&wide, MAR_COLUMNS_MAX - 1);
	finish("a b", NULL, 0, 2, DONE("100000000"));
	ok(ask() && answer(wide.bytes) == 0, "a wide row");
	while (ask())
		if (answer(narrow) < 0)
			break;
	ok(mar_progress(mar).has_no_room &&
			mar_progress(mar).rows ==
				MAR_CELLS_MAX / MAR_COLUMNS_MAX,
		"as many narrow ones as there are cells: %zu",
		mar_progress(mar).rows);

	finish("a b", NULL, 0, 2, DONE("100000000"));
	for (int i = 0; i < 5000; i++)
		if (!ask() || answer(narrow) < 0)
			break;
	ok(mar_progress(mar).rows == 10000 && ask() &&
			answer(wide.bytes) == 0 &&
			mar_progress(mar).has_no_room,
		"a wide row behind them");
	ok(mar_progress(mar).rows == 10000 &&
			mar_rows_columns(mar_rows(mar)) == 1,
		"and its columns have no room, either");
	text_free(&wide);
}

int
main(void)
{
	test_recorded();
	test_pauses();
	test_sort();
	test_wrong_sort();
	test_ends();
	test_short();
	test_values();
	test_named_again();
	test_surrogates();
	test_errors();
	test_garbage();
	test_sizes();
	test_long_values();
	test_flood();
	test_wide();
	mar_free(mar);
	text_free(&request);
	return done();
}
