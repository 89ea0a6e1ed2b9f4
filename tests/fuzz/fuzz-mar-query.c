/* SPDX-License-Identifier: Apache-2.0 */
/* A search as people type it: its bounds hold, what we write of it is read as
 * the same, and where it is wrong the column is one of it. */
#include "fuzz.h"
#include "mar_query.h"

#include <string.h>

static void
check_name(struct span name)
{
	FUZZ_CHECK(name.len > 0 && name.len <= MAR_NAME_MAX);
	fuzz_check_ascii(name);
}

/* As a query again, in one way to write it. */
static void
append_projections(const struct mar_query *query, struct text *text)
{
	for (size_t i = 0; i < query->projection_count; i++) {
		const struct mar_projection *at = &query->projections[i];

		if (i > 0)
			text_append_string(text, "\nAND ");
		check_name(at->collector);
		text_append(text, at->collector.bytes, at->collector.len);
		FUZZ_CHECK(at->count <= MAR_OUTPUTS_MAX);
		for (size_t j = 0; j < at->count; j++) {
			check_name(at->outputs[j]);
			text_append_char(text, j > 0 ? ',' : ' ');
			text_append(text, at->outputs[j].bytes,
				at->outputs[j].len);
		}
	}
}

static void
append_operator(const char *op, struct text *text)
{
	for (; *op != '\0'; op++)
		text_append_char(text, *op == '_' ? ' ' : *op);
}

static void
append_comparisons(const struct mar_query *query, struct text *text)
{
	for (size_t i = 0; i < query->comparison_count; i++) {
		const struct mar_comparison *at = &query->comparisons[i];

		FUZZ_CHECK(i > 0 || at->alternative);
		text_append_string(text,
			i == 0                    ? " where "
				: at->alternative ? " or "
						  : " and ");
		check_name(at->collector);
		check_name(at->output);
		text_appendf(text, "%.*s %.*s ", (int)at->collector.len,
			at->collector.bytes, (int)at->output.len,
			at->output.bytes);
		if (at->negated)
			text_append_string(text, "not ");
		append_operator(at->op, text);
		FUZZ_CHECK(memchr(at->value.bytes, '"', at->value.len) == NULL);
		text_append_string(text, " \"");
		text_append(text, at->value.bytes, at->value.len);
		text_append_char(text, '"');
	}
}

static void
check_again(const struct mar_query *query)
{
	struct text written = { 0 }, json = { 0 }, again = { 0 };
	struct mar_query other;
	struct fault fault = { 0 };

	FUZZ_CHECK(query->projection_count > 0 &&
		query->projection_count <= MAR_PROJECTIONS_MAX &&
		query->comparison_count <= MAR_COMPARISONS_MAX);
	append_projections(query, &written);
	append_comparisons(query, &written);
	mar_query_format(query, &json);
	/* What is written may be longer than what was read. */
	if (written.len <= MAR_QUERY_MAX) {
		FUZZ_CHECK(mar_query_parse(&other,
				   (struct span){ written.bytes, written.len },
				   NULL, &fault) == 0);
		mar_query_format(&other, &again);
		FUZZ_CHECK(span_equal((struct span){ json.bytes, json.len },
			(struct span){ again.bytes, again.len }));
		mar_query_free(&other);
	}
	text_free(&written);
	text_free(&json);
	text_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct mar_query query;
	struct fault fault = { 0 };
	struct mar_query_slip slip;

	if (mar_query_parse(&query, text, &slip, &fault) == 0) {
		FUZZ_CHECK(slip.column == 0 && !slip.unquoted &&
			text_utf8_check(text) == size);
		check_again(&query);
		mar_query_free(&query);
		return 0;
	}
	FUZZ_CHECK(fault.kind == FAULT_USAGE && slip.column <= size + 1);
	FUZZ_CHECK(slip.column > 0 || size > MAR_QUERY_MAX);
	if (mar_query_of_hash(&query, text, &fault) == 0)
		mar_query_free(&query);
	return 0;
}
