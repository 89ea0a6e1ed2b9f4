/* SPDX-License-Identifier: Apache-2.0 */
#include "dxl.h"

#include "memory.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

/*
 * msgpack-c allocates what an array or map declares before it sees the
 * elements, so each object is measured first: declared sizes against the
 * bytes that are left, and one level of nesting, which is all that DXL has.
 */
enum shape { SHAPE_NONE, SHAPE_FIXED, SHAPE_SIZED, SHAPE_ARRAY };

struct header {
	enum shape shape;
	size_t len;   /* of the header and of what is fixed behind it */
	size_t count; /* bytes (sized) or elements (array) behind it */
};

static size_t
big_endian(const unsigned char *bytes, size_t width)
{
	size_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The first byte of a msgpack object, except those with a length in bytes of
 * their own.  Maps and extension types have no place in DXL: SHAPE_NONE. */
static struct header
header_simple(unsigned char byte)
{
	if (byte < 0x80 || byte >= 0xe0 || byte == 0xc0 || byte == 0xc2 ||
		byte == 0xc3)
		return (struct header){ SHAPE_FIXED, 1, 0 };
	if (byte >= 0x90 && byte < 0xa0)
		return (struct header){ SHAPE_ARRAY, 1, byte & 0x0fU };
	if (byte >= 0xa0 && byte < 0xc0)
		return (struct header){ SHAPE_SIZED, 1, byte & 0x1fU };
	if (byte >= 0xcc && byte < 0xd4) /* integers of 1, 2, 4, 8 bytes */
		return (struct header){ SHAPE_FIXED,
			1 + ((size_t)1 << (byte & 3)), 0 };
	if (byte == 0xca || byte == 0xcb) /* floats of 4 and 8 bytes */
		return (struct header){ SHAPE_FIXED, byte == 0xca ? 5 : 9, 0 };
	return (struct header){ SHAPE_NONE, 0, 0 };
}

static struct header
header_at(struct span bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.bytes;
	enum shape shape = SHAPE_SIZED;
	size_t width;

	switch (at[0]) {
	case 0xc4: /* bin 8 */
	case 0xd9: /* str 8 */
		width = 1;
		break;
	case 0xc5:
	case 0xda:
		width = 2;
		break;
	case 0xc6:
	case 0xdb:
		width = 4;
		break;
	case 0xdc:
	case 0xdd:
		shape = SHAPE_ARRAY;
		width = at[0] == 0xdc ? 2 : 4;
		break;
	default:
		return header_simple(at[0]);
	}
	if (bytes.len < 1 + width)
		return (struct header){ SHAPE_NONE, 0, 0 };
	return (struct header){ shape, 1 + width, big_endian(at + 1, width) };
}

/* The length of the scalar at the start of bytes, 0 if it is none that may
 * be handed to msgpack-c. */
static size_t
measure_scalar(struct span bytes)
{
	if (bytes.len == 0)
		return 0;
	struct header header = header_at(bytes);
	if (header.shape != SHAPE_FIXED && header.shape != SHAPE_SIZED)
		return 0;
	if (header.len > bytes.len || header.count > bytes.len - header.len)
		return 0;
	return header.len + header.count;
}

static size_t
measure(struct span bytes)
{
	if (bytes.len == 0)
		return 0;
	struct header header = header_at(bytes);
	if (header.shape != SHAPE_ARRAY)
		return measure_scalar(bytes);
	if (header.count > DXL_LIST_MAX ||
		header.count > bytes.len - header.len)
		return 0;

	size_t len = header.len;
	for (size_t i = 0; i < header.count; i++) {
		size_t item = measure_scalar(
			(struct span){ bytes.bytes + len, bytes.len - len });
		if (item == 0)
			return 0;
		len += item;
	}
	return len;
}

/* A walk over the bytes: the first fault ends it, all later reads fail. */
struct reader {
	struct span bytes;
	size_t offset;
	const char *field; /* what could not be read */
	bool failed;
	msgpack_unpacked unpacked;
};

static bool
at_end(const struct reader *reader)
{
	return reader->failed || reader->offset == reader->bytes.len;
}

static const msgpack_object *
next(struct reader *reader, const char *field)
{
	if (reader->failed)
		return NULL;

	struct span left = { reader->bytes.bytes + reader->offset,
		reader->bytes.len - reader->offset };
	size_t offset = 0;
	size_t len = measure(left);
	if (len == 0 ||
		msgpack_unpack_next(&reader->unpacked, left.bytes, len,
			&offset) != MSGPACK_UNPACK_SUCCESS) {
		reader->failed = true;
		reader->field = field;
		return NULL;
	}
	reader->offset += len;
	return &reader->unpacked.data;
}

static void
refuse(struct reader *reader, const char *field)
{
	reader->failed = true;
	reader->field = field;
}

static bool
to_span(const msgpack_object *object, struct span *span)
{
	switch (object->type) {
	case MSGPACK_OBJECT_STR:
		*span = (struct span){ object->via.str.ptr,
			object->via.str.size };
		break;
	case MSGPACK_OBJECT_BIN:
		*span = (struct span){ object->via.bin.ptr,
			object->via.bin.size };
		break;
	case MSGPACK_OBJECT_NIL:
		*span = (struct span){ "", 0 };
		break;
	default:
		return false;
	}
	return true;
}

static int64_t
read_int(struct reader *reader, const char *field)
{
	const msgpack_object *object = next(reader, field);

	if (object == NULL)
		return 0;
	if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return object->via.i64;
	if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
		object->via.u64 <= INT64_MAX)
		return (int64_t)object->via.u64;
	refuse(reader, field);
	return 0;
}

static struct span
read_span(struct reader *reader, const char *field)
{
	const msgpack_object *object = next(reader, field);
	struct span span = { "", 0 };

	if (object != NULL && !to_span(object, &span))
		refuse(reader, field);
	return span;
}

static struct dxl_list
read_list(struct reader *reader, const char *field)
{
	const msgpack_object *object = next(reader, field);
	struct dxl_list list = { NULL, 0 };

	if (object == NULL || object->type == MSGPACK_OBJECT_NIL)
		return list;
	if (object->type != MSGPACK_OBJECT_ARRAY) {
		refuse(reader, field);
		return list;
	}
	size_t count = object->via.array.size;
	if (count == 0)
		return list;
	list.items = memory_alloc(count, sizeof(*list.items));
	for (; list.count < count; list.count++)
		if (!to_span(&object->via.array.ptr[list.count],
			    &list.items[list.count])) {
			refuse(reader, field);
			break;
		}
	return list;
}

static void
read_head(struct reader *reader, struct dxl_message *message)
{
	message->version = read_int(reader, "version");
	if (message->version < 0)
		refuse(reader, "version");
	message->type = read_int(reader, "message type");
	if (message->type < DXL_REQUEST || message->type > DXL_ERROR)
		refuse(reader, "message type");
	message->message_id = read_span(reader, "message id");
	message->source_client_id = read_span(reader, "source client id");
	message->source_broker_id = read_span(reader, "source broker id");
	message->broker_ids = read_list(reader, "broker ids");
	message->client_ids = read_list(reader, "client ids");
	message->payload = read_span(reader, "payload");
}

static void
read_by_type(struct reader *reader, struct dxl_message *message)
{
	if (reader->failed || message->type == DXL_EVENT)
		return;
	if (message->type == DXL_REQUEST)
		message->reply_to_topic = read_span(reader, "reply topic");
	else
		message->request_message_id = read_span(reader,
			"request message id");
	message->service_id = read_span(reader, "service id");
	if (message->type != DXL_ERROR)
		return;
	message->error_code = read_int(reader, "error code");
	message->error_message = read_span(reader, "error message");
}

/* Fields of later versions may be missing altogether, but not be cut. */
static void
read_by_version(struct reader *reader, struct dxl_message *message)
{
	if (message->version < 1 || at_end(reader))
		return;
	message->other_fields = read_list(reader, "other fields");
	if (message->version < 2 || at_end(reader))
		return;
	message->source_tenant_guid = read_span(reader, "source tenant");
	if (at_end(reader))
		return;
	message->destination_tenant_guids = read_list(reader,
		"destination tenants");
	if (message->version < 3 || at_end(reader))
		return;
	message->source_client_instance_id = read_span(reader,
		"source client instance id");
}

int
dxl_parse(struct dxl_message *message, struct span bytes, struct fault *fault)
{
	struct reader reader = { .bytes = bytes };

	*message = (struct dxl_message){ 0 };
	if (bytes.len > DXL_PARSE_MAX)
		return fault_set(fault, FAULT_DATA,
			"%zu bytes are more than a DXL message may have",
			bytes.len);
	msgpack_unpacked_init(&reader.unpacked);
	read_head(&reader, message);
	read_by_type(&reader, message);
	read_by_version(&reader, message);
	msgpack_unpacked_destroy(&reader.unpacked);
	if (!reader.failed)
		return 0;

	dxl_message_free(message);
	return fault_set(fault, FAULT_DATA,
		"not a DXL message: no %s at byte %zu of %zu", reader.field,
		reader.offset, bytes.len);
}

void
dxl_message_free(struct dxl_message *message)
{
	free(message->broker_ids.items);
	free(message->client_ids.items);
	free(message->other_fields.items);
	free(message->destination_tenant_guids.items);
	*message = (struct dxl_message){ 0 };
}

struct span
dxl_field(const struct dxl_message *message, const char *key)
{
	const struct dxl_list *fields = &message->other_fields;

	for (size_t i = 0; i + 1 < fields->count; i += 2)
		if (span_equal(fields->items[i], span_of(key)))
			return fields->items[i + 1];
	return (struct span){ "", 0 };
}

static int
write_bytes(void *data, const char *bytes, size_t len)
{
	text_append(data, bytes, len);
	return 0;
}

static void
pack_span(msgpack_packer *packer, struct span span)
{
	msgpack_pack_v4raw(packer, span.len);
	if (span.len > 0)
		msgpack_pack_v4raw_body(packer, span.bytes, span.len);
}

static void
pack_list(msgpack_packer *packer, const struct dxl_list *list)
{
	msgpack_pack_array(packer, list->count);
	for (size_t i = 0; i < list->count; i++)
		pack_span(packer, list->items[i]);
}

static void
pack_by_type(msgpack_packer *packer, const struct dxl_message *message)
{
	if (message->type == DXL_EVENT)
		return;
	if (message->type == DXL_REQUEST)
		pack_span(packer, message->reply_to_topic);
	else
		pack_span(packer, message->request_message_id);
	pack_span(packer, message->service_id);
	if (message->type != DXL_ERROR)
		return;
	msgpack_pack_int64(packer, message->error_code);
	pack_span(packer, message->error_message);
}

void
dxl_format(const struct dxl_message *message, struct text *bytes)
{
	msgpack_packer packer;

	assert(message->type >= DXL_REQUEST && message->type <= DXL_ERROR);
	msgpack_packer_init(&packer, bytes, write_bytes);
	msgpack_pack_int64(&packer, message->version);
	msgpack_pack_int64(&packer, message->type);
	pack_span(&packer, message->message_id);
	pack_span(&packer, message->source_client_id);
	pack_span(&packer, message->source_broker_id);
	pack_list(&packer, &message->broker_ids);
	pack_list(&packer, &message->client_ids);
	pack_span(&packer, message->payload);
	pack_by_type(&packer, message);
	if (message->version >= 1)
		pack_list(&packer, &message->other_fields);
	if (message->version >= 2) {
		pack_span(&packer, message->source_tenant_guid);
		pack_list(&packer, &message->destination_tenant_guids);
	}
	if (message->version >= 3)
		pack_span(&packer, message->source_client_instance_id);
}
