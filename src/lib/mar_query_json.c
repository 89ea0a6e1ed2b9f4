/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_query.h"

#include <assert.h>
#include <jansson.h>

static json_t *
json_span(struct span span)
{
	json_t *string = json_stringn(span.bytes, span.len);

	assert(string != NULL); /* it was UTF-8 on its way in */
	return string;
}

static json_t *
json_projection(const struct mar_projection *projection)
{
	json_t *object = json_object();
	json_t *outputs = json_array();

	json_object_set_new(object, "name", json_span(projection->collector));
	for (size_t i = 0; i < projection->count; i++)
		json_array_append_new(outputs,
			json_span(projection->outputs[i]));
	if (projection->count > 0)
		json_object_set(object, "outputs", outputs);
	json_decref(outputs);
	return object;
}

static json_t *
json_comparison(const struct mar_comparison *comparison)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", json_span(comparison->collector));
	json_object_set_new(object, "output", json_span(comparison->output));
	json_object_set_new(object, "op", json_string(comparison->op));
	json_object_set_new(object, "value", json_span(comparison->value));
	if (comparison->negated)
		json_object_set_new(object, "negated", json_string("true"));
	return object;
}

/* An "or" of "and"s, always these two levels. */
static json_t *
json_condition(const struct mar_query *query)
{
	json_t *condition = json_object();
	json_t *either = json_array();
	json_t *all = NULL;

	json_object_set_new(condition, "or", either);
	for (size_t i = 0; i < query->comparison_count; i++) {
		if (query->comparisons[i].alternative) {
			json_t *object = json_object();

			all = json_array();
			json_object_set_new(object, "and", all);
			json_array_append_new(either, object);
		}
		json_array_append_new(all,
			json_comparison(&query->comparisons[i]));
	}
	return condition;
}

static int
append_bytes(const char *bytes, size_t len, void *text)
{
	text_append(text, bytes, len);
	return 0;
}

void
mar_query_format(const struct mar_query *query, struct text *json)
{
	json_t *object = json_object();
	json_t *projections = json_array();

	for (size_t i = 0; i < query->projection_count; i++)
		json_array_append_new(projections,
			json_projection(&query->projections[i]));
	json_object_set_new(object, "projections", projections);
	if (query->comparison_count > 0)
		json_object_set_new(object, "condition", json_condition(query));
	json_dump_callback(object, append_bytes, json, JSON_COMPACT);
	json_decref(object);
}
