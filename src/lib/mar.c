/* SPDX-License-Identifier: Apache-2.0 */
#include "mar.h"

#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct mar {
	enum mar_state state;
	struct text body; /* of the query */
	char *sort;       /* "count" or "Collector|output" */
	bool descending;
	int64_t limit, page; /* rows */
	bool is_limited;     /* that limit was set */
	char id[MAR_ID_MAX + 1];
	char status[MAR_STATUS_MAX + 1];
	int64_t results, errors, hosts, asked; /* -1: not known */
	int64_t total;   /* rows that there are; -1: not known */
	int64_t offset;  /* of the next page */
	int64_t found;   /* results that the rows stand for */
	bool is_counted; /* it is rows that `total` counts, and not results */
	bool is_empty;   /* the last page was */
	int again;       /* how often one was asked for again */
	bool is_enough, has_no_room, is_short;
	struct mar_rows *rows;
};

/* What results can be sorted by. */
struct order {
	char *by;
	bool descending;
	bool is_ambiguous; /* an output of more than one collector */
};

static bool
is_same(struct span a, struct span b)
{
	return a.len == b.len &&
		(a.len == 0 || strncasecmp(a.bytes, b.bytes, a.len) == 0);
}

/* "Collector|output" or "Collector output" of this collector: its output, else
 * an empty span. */
static struct span
output_of(struct span sort, struct span collector)
{
	struct span start = { sort.bytes, collector.len };

	if (sort.len < collector.len + 2 || !is_same(start, collector) ||
		strchr("| ", sort.bytes[collector.len]) == NULL)
		return (struct span){ 0 };
	return (struct span){ sort.bytes + collector.len + 1,
		sort.len - collector.len - 1 };
}

static void
set_order(struct order *order, struct span collector, struct span output)
{
	char *by = memory_format("%.*s|%.*s", (int)collector.len,
		collector.bytes, (int)output.len, output.bytes);

	/* One may be named twice. */
	order->is_ambiguous |= order->by != NULL &&
		strcasecmp(order->by, by) != 0;
	free(order->by);
	order->by = by;
}

/* The outputs of one collector: true if one is named with its collector. */
static bool
look_at(const struct mar_projection *projection, struct span sort,
	struct order *order)
{
	struct span output = output_of(sort, projection->collector);

	for (size_t i = 0; i < projection->count; i++)
		if (is_same(output, projection->outputs[i])) {
			set_order(order, projection->collector,
				projection->outputs[i]);
			order->is_ambiguous = false;
			return true;
		} else if (is_same(sort, projection->outputs[i])) {
			set_order(order, projection->collector,
				projection->outputs[i]);
		}
	/* Which ones it has, only the service knows. */
	if (projection->count > 0 || output.len == 0)
		return false;
	set_order(order, projection->collector, output);
	order->is_ambiguous = false;
	return true;
}

/* by is NULL if it cannot be sorted so; the caller frees it. */
static struct order
order_of(const struct mar_query *query, const char *sort)
{
	struct order order = { .descending = *sort == '-' };
	struct span name = span_of(order.descending ? sort + 1 : sort);

	if (is_same(name, span_of("count"))) {
		order.by = memory_string("count");
		return order;
	}
	for (size_t i = 0; i < query->projection_count; i++)
		if (look_at(&query->projections[i], name, &order))
			break;
	return order;
}

static void
append_columns(const struct mar_query *query, struct text *text)
{
	for (size_t i = 0; i < query->projection_count; i++) {
		const struct mar_projection *at = &query->projections[i];

		for (size_t j = 0; j < at->count; j++)
			text_appendf(text, ", %.*s|%.*s",
				(int)at->collector.len, at->collector.bytes,
				(int)at->outputs[j].len, at->outputs[j].bytes);
	}
}

int
mar_sort_check(const struct mar_query *query, const char *sort,
	struct fault *fault)
{
	struct order order = order_of(query, sort);
	bool is_good = order.by != NULL && !order.is_ambiguous;
	struct text columns = { 0 };

	free(order.by);
	if (is_good)
		return 0;
	append_columns(query, &columns);
	fault_set(fault, FAULT_USAGE,
		"\"%s\" is %s what results are sorted by: count%s", sort,
		order.is_ambiguous ? _("more than one of") : _("none of"),
		columns.len > 0 ? columns.bytes : "");
	text_free(&columns);
	return -1;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct mar *
mar_new(const struct mar_config *config)
{
	struct mar *mar = memory_alloc(1, sizeof(*mar));
	struct order order = order_of(config->query,
		config->sort != NULL ? config->sort : "-count");

	assert(order.by != NULL && config->limit >= 0 && config->page >= 0 &&
		config->page <= MAR_PAGE_MAX);
	mar_query_format(config->query, &mar->body);
	mar->sort = order.by;
	mar->descending = order.descending;
	mar->limit = config->limit > 0 ? least(config->limit, MAR_ROWS_MAX)
				       : MAR_ROWS_MAX;
	mar->is_limited = config->limit > 0;
	mar->page = config->page > 0 ? config->page : MAR_PAGE;
	mar->results = mar->errors = mar->hosts = mar->asked = mar->total = -1;
	mar->rows = mar_rows_new(config->query);
	return mar;
}

void
mar_free(struct mar *mar)
{
	if (mar == NULL)
		return;
	text_free(&mar->body);
	mar_rows_free(mar->rows);
	free(mar->sort);
	free(mar);
}

/* Rows to ask for. */
static int64_t
next_page(const struct mar *mar)
{
	return least(mar->page, mar->limit - mar->offset);
}

static json_t *
page_parameters(const struct mar *mar)
{
	return json_pack("{s:I, s:I, s:s, s:s, s:s}", "$offset",
		(json_int_t)mar->offset, "$limit", (json_int_t)next_page(mar),
		"filter", "", "sortBy", mar->sort, "sortDirection",
		mar->descending ? "desc" : "asc");
}

static int
append_bytes(const char *bytes, size_t len, void *text)
{
	text_append(text, bytes, len);
	return 0;
}

/* Takes parameters and body; NULL: an empty object. */
static void
append_request(struct text *payload, const char *target, const char *method,
	json_t *parameters, json_t *body)
{
	json_t *request = json_object();

	json_object_set_new(request, "target", json_string(target));
	json_object_set_new(request, "method", json_string(method));
	json_object_set_new(request, "parameters",
		parameters != NULL ? parameters : json_object());
	json_object_set_new(request, "body",
		body != NULL ? body : json_object());
	json_dump_callback(request, append_bytes, payload, JSON_COMPACT);
	json_decref(request);
}

bool
mar_next_request(const struct mar *mar, struct text *payload)
{
	static const struct {
		const char *target, *method;
	} requests[] = {
		[MAR_CREATE] = { "simple", "POST" },
		[MAR_START] = { "start", "PUT" },
		[MAR_STATUS] = { "status", "GET" },
		[MAR_RESULTS] = { "results", "GET" },
	};

	if (mar->state >= MAR_DONE)
		return false;
	char *target = mar->state == MAR_CREATE
		? memory_string("/v1/simple")
		: memory_format("/v1/%s/%s", mar->id,
			  requests[mar->state].target);
	append_request(payload, target, requests[mar->state].method,
		mar->state == MAR_RESULTS ? page_parameters(mar) : NULL,
		mar->state == MAR_CREATE
			? json_loadb(mar->body.bytes, mar->body.len, 0, NULL)
			: NULL);
	free(target);
	return true;
}

int64_t
mar_pause(const struct mar *mar)
{
	if (mar->state == MAR_STATUS && mar->status[0] != '\0')
		return MAR_PAUSE_MS;
	return mar->state == MAR_RESULTS && mar->is_empty ? MAR_AGAIN_MS : 0;
}

/* It begins with a remark on what the service says. */
static int
refuse(struct fault *fault, const char *what)
{
	return fault_set(fault, FAULT_PROTOCOL, "MAR service: %s", what);
}

/* A number that is none is not known. */
static int64_t
number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	int64_t number = json_integer_value(value);

	return json_is_integer(value) && number >= 0 ? number : -1;
}

/* What the service says of an error (protocol.md, 7.4). */
static int
refuse_code(const json_t *answer, int64_t code, struct fault *fault)
{
	const json_t *body = json_object_get(answer, "body");
	const json_t *error = json_array_get(json_object_get(body,
						     "applicationErrorList"),
		0);
	const char *message = json_string_value(
		json_object_get(error, "message"));
	const json_t *own = json_object_get(error, "code");

	if (message != NULL && json_is_integer(own))
		code = json_integer_value(own);
	if (message == NULL)
		message = json_string_value(body);
	if (message != NULL)
		return fault_set(fault, FAULT_PROTOCOL,
			"MAR service: %.200s (code %lld)", message,
			(long long)code);
	return fault_set(fault, FAULT_PROTOCOL,
		"MAR service: code %lld, without a text", (long long)code);
}

/* The number in the \\uXXXX at the start of text, or 0. */
static unsigned long
escape_of(struct span text)
{
	char digits[5] = "";

	if (text.len < 6 || text.bytes[0] != '\\' || text.bytes[1] != 'u')
		return 0;
	memcpy(digits, text.bytes + 2, 4);
	return strtoul(digits, NULL, 16);
}

/* Half of a surrogate pair, which jansson refuses, becomes U+FFFD: Windows
 * allows it in the name of a file, and a file's name must not hide all others.
 * A backslash stands in strings alone. */
static void
mend_surrogates(struct text *json)
{
	size_t i = 0;

	while (i + 1 < json->len) {
		struct span left = { json->bytes + i, json->len - i };
		unsigned long c = escape_of(left);
		bool is_pair = c >= 0xd800 && c < 0xdc00 && left.len >= 12 &&
			(escape_of((struct span){ left.bytes + 6, 6 }) &
				0xfc00) == 0xdc00;

		if ((c & 0xf800) == 0xd800 && !is_pair)
			memcpy(json->bytes + i + 2, "FFFD", 4);
		i += is_pair ? 12 : json->bytes[i] == '\\' ? 2 : 1;
	}
}

/* As JSON, or NULL with a fault. */
static json_t *
load(struct span payload, struct fault *fault)
{
	struct text mended = { 0 };
	json_error_t error;

	text_append(&mended, payload.bytes, payload.len);
	mend_surrogates(&mended);
	json_t *answer = json_loadb(mended.bytes, mended.len, JSON_ALLOW_NUL,
		&error);
	text_free(&mended);
	if (answer == NULL)
		fault_set(fault, FAULT_PROTOCOL,
			"MAR service: an answer that is not JSON: %s",
			error.text);
	return answer;
}

/* The object with a code that is no error, or NULL with a fault. */
static json_t *
parse(struct span payload, struct fault *fault)
{
	json_t *answer;

	if (payload.len > MAR_ANSWER_MAX) {
		fault_set(fault, FAULT_PROTOCOL,
			"MAR service: an answer of %zu bytes", payload.len);
		return NULL;
	}
	while (payload.len > 0 && payload.bytes[payload.len - 1] == '\0')
		payload.len--;
	if (payload.len == 0) {
		refuse(fault, _("an empty answer"));
		return NULL;
	}
	answer = load(payload, fault);
	const json_t *code = json_object_get(answer, "code");
	if (answer == NULL)
		return NULL;
	if (!json_is_integer(code)) {
		refuse(fault, _("an answer without a code"));
	} else if (json_integer_value(code) < 200 ||
		json_integer_value(code) >= 300) {
		refuse_code(answer, json_integer_value(code), fault);
	} else {
		return answer;
	}
	json_decref(answer);
	return NULL;
}

/* It becomes a part of targets. */
static bool
is_id(struct span id)
{
	if (id.len == 0 || id.len > MAR_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.bytes[i] == '\0' ||
			strchr("0123456789abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_{}",
				id.bytes[i]) == NULL)
			return false;
	return true;
}

static int
take_id(struct mar *mar, const json_t *body, struct fault *fault)
{
	const json_t *id = json_object_get(body, "id");
	struct span span = { json_string_value(id), json_string_length(id) };

	if (!is_id(span))
		return refuse(fault, _("no id for the search, or a bad one"));
	memcpy(mar->id, span.bytes, span.len);
	mar->state = MAR_START;
	return 0;
}

static int
take_status(struct mar *mar, const json_t *body, struct fault *fault)
{
	const char *status = json_string_value(json_object_get(body, "status"));

	if (status == NULL || *status == '\0' ||
		strlen(status) > MAR_STATUS_MAX)
		return refuse(fault,
			_("no status of the search, or a bad one"));
	strcpy(mar->status, status);
	mar->results = number_of(body, "results");
	mar->errors = number_of(body, "errors");
	mar->hosts = number_of(body, "hosts");
	mar->asked = number_of(body, "subscribedHosts");
	if (strcasecmp(status, "FINISHED") != 0)
		return 0;
	mar->total = mar->results;
	mar->state = mar->total == 0 ? MAR_DONE : MAR_RESULTS;
	return 0;
}

/* Does it name more than came? */
static bool
lacks(const struct mar *mar)
{
	return (mar->is_counted && mar->offset < mar->total) ||
		mar->found < mar->results;
}

/* No more rows came.  There may be more all the same, which are not ready. */
static void
run_out(struct mar *mar)
{
	if (lacks(mar) && mar->again < MAR_AGAIN_MAX) {
		mar->again++;
		return;
	}
	if (mar->offset == 0 && mar->total < mar->results)
		mar->total = mar->results;
	mar->is_short = mar->offset == 0
		? mar->total > 0
		: mar->is_counted && mar->offset < mar->total;
	mar->state = MAR_DONE;
}

/* Are there rows behind those that were read? */
static void
look_ahead(struct mar *mar, size_t came, int64_t asked)
{
	mar->is_empty = came == 0;
	if (came == 0) {
		run_out(mar);
		return;
	}
	if (mar->total < 0 && (int64_t)came < asked)
		mar->total = mar->offset;
	if (mar->offset < mar->limit &&
		(mar->total < 0 || mar->offset < mar->total))
		return;
	bool is_cut = mar->total < 0 || mar->offset < mar->total;
	mar->is_enough = is_cut && mar->is_limited;
	mar->has_no_room = is_cut && !mar->is_limited;
	mar->state = MAR_DONE;
}

/* How many results it stands for; -1: it does not say. */
static void
count_row(struct mar *mar, int64_t times)
{
	mar->found += least(times < 0 ? 1 : times, INT64_MAX - mar->found);
	mar->offset++;
}

static int
take_rows(struct mar *mar, const json_t *body, struct fault *fault)
{
	const json_t *items = json_object_get(body, "items");
	int64_t asked = next_page(mar);
	size_t count = json_array_size(items);

	if (!json_is_array(items))
		return refuse(fault, _("results without a list of items"));
	/* What the status counts are those of all hosts; the same of two hosts
	 * is one row. */
	if (number_of(body, "totalItems") >= 0) {
		mar->total = number_of(body, "totalItems");
		mar->is_counted = true;
	}
	for (size_t i = 0; i < count && mar->offset < mar->limit; i++) {
		int rc = mar_rows_add(mar->rows, json_array_get(items, i),
			fault);

		if (rc < 0)
			return -1;
		if (rc == 0) {
			mar->has_no_room = true;
			mar->state = MAR_DONE;
			return 0;
		}
		count_row(mar, mar_rows_times(mar->rows, (size_t)mar->offset));
	}
	look_ahead(mar, count, asked);
	return 0;
}

static int
take_body(struct mar *mar, const json_t *body, struct fault *fault)
{
	switch (mar->state) {
	case MAR_CREATE:
		return take_id(mar, body, fault);
	case MAR_START:
		mar->state = MAR_STATUS;
		return 0;
	case MAR_STATUS:
		return take_status(mar, body, fault);
	default:
		return take_rows(mar, body, fault);
	}
}

int
mar_take_answer(struct mar *mar, struct span payload, struct fault *fault)
{
	assert(mar->state < MAR_DONE);

	json_t *answer = parse(payload, fault);
	int rc = answer != NULL
		? take_body(mar, json_object_get(answer, "body"), fault)
		: -1;
	json_decref(answer);
	if (rc < 0)
		mar->state = MAR_FAILED;
	return rc;
}

struct mar_progress
mar_progress(const struct mar *mar)
{
	return (struct mar_progress){
		.state = mar->state,
		.status = mar->status,
		.results = mar->results,
		.errors = mar->errors,
		.hosts = mar->hosts,
		.asked = mar->asked,
		.total = mar->total,
		.rows = mar_rows_count(mar->rows),
		.found = mar->found,
		.is_enough = mar->is_enough,
		.has_no_room = mar->has_no_room,
		.is_short = mar->is_short,
	};
}

const struct mar_rows *
mar_rows(const struct mar *mar)
{
	return mar->rows;
}
