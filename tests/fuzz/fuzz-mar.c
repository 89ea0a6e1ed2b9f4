/* SPDX-License-Identifier: Apache-2.0 */
/* What a service answers to a search, one answer after the other, with "|~|"
 * between two: what is asked goes nowhere else, and what is read is bounded
 * text. */
#include "fuzz.h"
#include "mar.h"

#include <string.h>

static struct mar *
new_search(void)
{
	struct mar_query query;
	struct fault fault = { 0 };

	FUZZ_CHECK(
		mar_query_parse(&query, span_of("HostInfo hostname and Files"),
			NULL, &fault) == 0);
	struct mar *mar = mar_new(&(
		struct mar_config){ .query = &query, .limit = 20, .page = 4 });
	mar_query_free(&query);
	return mar;
}

/* A target is made of one of the service's own words and of what it calls the
 * search. */
static void
check_request(struct span request)
{
	static const char start[] = "{\"target\":\"/v1/";
	size_t slashes = 0;

	FUZZ_CHECK(request.len > sizeof(start) &&
		memcmp(request.bytes, start, sizeof(start) - 1) == 0);
	FUZZ_CHECK(text_utf8_check(request) == request.len);
	const char *end = memchr(request.bytes + sizeof(start) - 1, '"',
		request.len - sizeof(start) + 1);
	FUZZ_CHECK(end != NULL);
	for (const char *at = request.bytes + sizeof(start) - 1; at < end; at++)
		slashes += *at == '/';
	FUZZ_CHECK(slashes <= 1);
	FUZZ_CHECK(memchr(request.bytes, '\n', request.len) == NULL);
}

static void
check_rows(const struct mar_rows *rows)
{
	struct text json = { 0 };
	size_t columns = mar_rows_columns(rows);

	FUZZ_CHECK(columns >= 1 && columns <= MAR_COLUMNS_MAX);
	for (size_t i = 0; i < columns; i++)
		FUZZ_CHECK(mar_rows_column(rows, i).len <= MAR_COLUMN_MAX);
	FUZZ_CHECK(mar_rows_count(rows) <= 20);
	for (size_t i = 0; i < mar_rows_count(rows); i++) {
		FUZZ_CHECK(mar_rows_times(rows, i) >= -1);
		for (size_t j = 0; j < columns; j++) {
			struct span value = mar_rows_value(rows, i, j);

			FUZZ_CHECK(value.bytes == NULL ||
				text_utf8_check(value) == value.len);
		}
		text_clear(&json);
		mar_rows_json(rows, i, &json);
		FUZZ_CHECK(json.bytes[json.len - 1] == '\n');
		fuzz_check_ascii((struct span){ json.bytes, json.len - 1 });
	}
	text_free(&json);
}

/* What falls short has ended, and lacks something. */
static void
check_progress(struct mar_progress progress)
{
	FUZZ_CHECK(progress.found >= 0);
	if (progress.is_short)
		FUZZ_CHECK(progress.state == MAR_DONE && !progress.is_enough &&
			!progress.has_no_room &&
			(int64_t)progress.rows < progress.total);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span left = { (const char *)data, size };
	struct text request = { 0 };
	struct mar *mar = new_search();
	struct fault fault = { 0 };

	while (mar_next_request(mar, &request)) {
		check_request((struct span){ request.bytes, request.len });
		text_clear(&request);
		FUZZ_CHECK(mar_pause(mar) == 0 ||
			mar_progress(mar).state == MAR_STATUS ||
			(mar_progress(mar).state == MAR_RESULTS &&
				mar_pause(mar) == MAR_AGAIN_MS));
		if (left.len == 0)
			break;
		if (mar_take_answer(mar, fuzz_field(&left), &fault) < 0)
			FUZZ_CHECK(fault.kind == FAULT_PROTOCOL &&
				mar_progress(mar).state == MAR_FAILED);
	}
	check_rows(mar_rows(mar));
	check_progress(mar_progress(mar));
	text_free(&request);
	mar_free(mar);
	return 0;
}
