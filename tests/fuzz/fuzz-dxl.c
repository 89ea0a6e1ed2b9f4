/* SPDX-License-Identifier: Apache-2.0 */
/* An envelope, read: what we write of it is read as the same, and written as
 * the same bytes. */
#include "dxl.h"
#include "fuzz.h"

static bool
list_equal(const struct dxl_list *a, const struct dxl_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!span_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

static bool
message_equal(const struct dxl_message *a, const struct dxl_message *b)
{
	return a->version == b->version && a->type == b->type &&
		span_equal(a->message_id, b->message_id) &&
		span_equal(a->source_client_id, b->source_client_id) &&
		span_equal(a->source_broker_id, b->source_broker_id) &&
		list_equal(&a->broker_ids, &b->broker_ids) &&
		list_equal(&a->client_ids, &b->client_ids) &&
		span_equal(a->payload, b->payload) &&
		span_equal(a->reply_to_topic, b->reply_to_topic) &&
		span_equal(a->request_message_id, b->request_message_id) &&
		span_equal(a->service_id, b->service_id) &&
		a->error_code == b->error_code &&
		span_equal(a->error_message, b->error_message) &&
		list_equal(&a->other_fields, &b->other_fields) &&
		span_equal(a->source_tenant_guid, b->source_tenant_guid) &&
		list_equal(&a->destination_tenant_guids,
			&b->destination_tenant_guids) &&
		span_equal(a->source_client_instance_id,
			b->source_client_instance_id);
}

static bool
is_within(struct span part, struct span whole)
{
	return part.len == 0 ||
		(part.bytes >= whole.bytes &&
			part.bytes + part.len <= whole.bytes + whole.len);
}

static void
check_again(const struct dxl_message *message)
{
	struct text bytes = { 0 }, again = { 0 };
	struct dxl_message other;
	struct fault fault = { 0 };

	dxl_format(message, &bytes);
	FUZZ_CHECK(dxl_parse(&other, (struct span){ bytes.bytes, bytes.len },
			   &fault) == 0);
	FUZZ_CHECK(message_equal(message, &other));
	dxl_format(&other, &again);
	FUZZ_CHECK(span_equal((struct span){ bytes.bytes, bytes.len },
		(struct span){ again.bytes, again.len }));
	dxl_message_free(&other);
	text_free(&again);
	text_free(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };
	struct dxl_message message;
	struct fault fault = { 0 };

	if (dxl_parse(&message, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_DATA);
		return 0;
	}
	FUZZ_CHECK(is_within(message.payload, bytes));
	FUZZ_CHECK(is_within(message.message_id, bytes));
	FUZZ_CHECK(message.other_fields.count <= DXL_LIST_MAX);
	FUZZ_CHECK(is_within(dxl_field(&message, "qchat.topic"), bytes));
	check_again(&message);
	dxl_message_free(&message);
	return 0;
}
