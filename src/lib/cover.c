/* SPDX-License-Identifier: Apache-2.0 */
#include "cover.h"

#include "dxl.h"
#include "room.h"

#include <string.h>

/* What goes under the seal. */
static int
append_inner(const struct dxl_message *event, struct text *inner,
	struct fault *fault)
{
	struct seal_inner parts = { .payload = event->payload };
	const struct dxl_list *fields = &event->other_fields;

	for (size_t i = 0; i + 1 < fields->count; i += 2) {
		struct span key = fields->items[i];

		if (span_equal(key, span_of(COVER_FIELD)) ||
			span_equal(key, span_of(ROOM_TOPIC_FIELD)) ||
			parts.header_count == SEAL_HEADERS_MAX)
			continue;
		parts.headers[parts.header_count++] = (struct seal_header){ key,
			fields->items[i + 1] };
	}
	return seal_inner_format(&parts, inner, fault);
}

/* The envelope again, with another payload and no header but one. */
static void
append_outer(const struct dxl_message *event, struct span payload,
	struct text *out)
{
	struct dxl_message outer = *event;
	struct span about = dxl_field(event, ROOM_TOPIC_FIELD);
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), about };

	outer.payload = payload;
	outer.other_fields = (struct dxl_list){ fields, about.len > 0 ? 2 : 0 };
	dxl_format(&outer, out);
}

static int
cover(struct seal *seal, const unsigned char *key, struct span place,
	struct span envelope, struct text *out, struct fault *fault)
{
	struct text inner = { 0 }, payload = { 0 };
	struct dxl_message event;
	int rc = -1;

	if (dxl_parse(&event, envelope, fault) < 0)
		return -1;
	if (append_inner(&event, &inner, fault) < 0)
		goto out;
	struct span bytes = { inner.bytes, inner.len };
	if (seal != NULL)
		seal_seal(seal, place, bytes, &payload);
	else if (seal_to(key, place, bytes, &payload, fault) < 0)
		goto out;
	append_outer(&event, (struct span){ payload.bytes, payload.len }, out);
	rc = 0;
out:
	dxl_message_free(&event);
	text_free(&inner);
	text_free(&payload);
	return rc;
}

int
cover_seal(struct seal *seal, struct span place, struct span envelope,
	struct text *out, struct fault *fault)
{
	return cover(seal, NULL, place, envelope, out, fault);
}

int
cover_seal_to(const unsigned char key[static SIGN_KEY_BYTES], struct span place,
	struct span envelope, struct text *out, struct fault *fault)
{
	return cover(NULL, key, place, envelope, out, fault);
}

/* Is it worth a look?  JSON is parsed once more for what is. */
static bool
may_be_sealed(struct span payload)
{
	static const char word[] = "\"sealed\"";

	return payload.len > 0 &&
		memmem(payload.bytes, payload.len, word, sizeof(word) - 1) !=
		NULL;
}

/* The envelope of what was inside. */
static int
append_opened(const struct dxl_message *event, struct span bytes,
	const char *how, struct text *out, struct fault *fault)
{
	struct span fields[2 * (SEAL_HEADERS_MAX + 2)];
	struct span about = dxl_field(event, ROOM_TOPIC_FIELD);
	struct dxl_message opened = *event;
	struct seal_inner inner;
	size_t count = 0;

	if (seal_inner_parse(&inner, bytes, fault) < 0)
		return -1;
	fields[count++] = span_of(COVER_FIELD);
	fields[count++] = span_of(how);
	if (about.len > 0) {
		fields[count++] = span_of(ROOM_TOPIC_FIELD);
		fields[count++] = about;
	}
	for (size_t i = 0; i < inner.header_count; i++) {
		if (span_equal(inner.headers[i].key, span_of(COVER_FIELD)) ||
			span_equal(inner.headers[i].key,
				span_of(ROOM_TOPIC_FIELD)))
			continue;
		fields[count++] = inner.headers[i].key;
		fields[count++] = inner.headers[i].value;
	}
	opened.payload = inner.payload;
	opened.other_fields = (struct dxl_list){ fields, count };
	dxl_format(&opened, out);
	return 0;
}

static enum cover_state
state_of(enum seal_state state)
{
	return state == SEAL_OPENED                           ? COVER_OPENED
		: state == SEAL_FOREIGN || state == SEAL_BUSY ? COVER_FOREIGN
							      : COVER_BAD;
}

static enum cover_state
open_event(struct seal *seal, const struct signer *signer, struct span place,
	const struct dxl_message *event, const struct seal_fields *fields,
	int64_t wall, struct text *out, struct fault *fault)
{
	struct text inner = { 0 };
	bool direct = seal_is_direct(fields);
	enum cover_state state = COVER_FOREIGN;

	if (direct)
		state = state_of(
			seal_open_to(signer, place, fields, &inner, fault));
	else if (seal != NULL)
		state = state_of(seal_open(seal, event->source_client_id, place,
			fields, wall, &inner, fault));
	else
		fault_set(fault, FAULT_DATA,
			"a sealed message: we have no secret of this room");
	if (state == COVER_OPENED &&
		append_opened(event, (struct span){ inner.bytes, inner.len },
			direct ? COVER_DIRECT : COVER_ROOM, out, fault) < 0)
		state = COVER_BAD;
	text_free(&inner);
	return state;
}

static enum cover_state
open_parsed(struct seal *seal, const struct signer *signer, struct span place,
	const struct dxl_message *event, int64_t wall, struct text *out,
	struct fault *fault)
{
	enum cover_state state = COVER_CLEAR;
	struct room_message message;
	struct fault ignored;

	if (dxl_field(event, COVER_FIELD).len > 0) {
		fault_set(fault, FAULT_DATA,
			"a message that says of itself that it was sealed");
		return COVER_BAD;
	}
	if (!may_be_sealed(event->payload) ||
		room_parse(&message, event->payload, &ignored) < 0)
		return COVER_CLEAR;
	if (message.type == ROOM_SEALED) {
		const struct seal_fields fields = {
			.version = message.version,
			.sealed = message.sealed,
			.salt = message.salt,
			.key = message.key,
			.counter = message.counter,
			.to = message.to,
			.ephemeral = message.ephemeral,
		};

		state = open_event(seal, signer, place, event, &fields, wall,
			out, fault);
	}
	room_message_free(&message);
	return state;
}

enum cover_state
cover_open(struct seal *seal, const struct signer *signer, struct span place,
	struct span envelope, int64_t wall, struct text *out,
	struct fault *fault)
{
	struct dxl_message event;
	struct fault ignored;

	if (dxl_parse(&event, envelope, &ignored) < 0)
		return COVER_CLEAR;
	enum cover_state state = open_parsed(seal, signer, place, &event, wall,
		out, fault);
	dxl_message_free(&event);
	return state;
}
