/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_state.h"

#include <string.h>

enum { LENGTH_BYTES = 4 };

static bool
header_fits(const struct seal_header *header)
{
	return header->key.len > 0 && header->key.len <= SEAL_HEADER_KEY_MAX &&
		header->value.len <= SEAL_HEADER_MAX;
}

static size_t
length_of(const struct seal_inner *inner)
{
	size_t len = LENGTH_BYTES + inner->payload.len + 1;

	for (size_t i = 0; i < inner->header_count; i++)
		len += 1 + inner->headers[i].key.len + LENGTH_BYTES +
			inner->headers[i].value.len;
	return len;
}

int
seal_inner_format(const struct seal_inner *inner, struct text *bytes,
	struct fault *fault)
{
	bool fits = inner->header_count <= SEAL_HEADERS_MAX &&
		inner->payload.len <= SEAL_INNER_MAX;

	for (size_t i = 0; fits && i < inner->header_count; i++)
		fits = header_fits(&inner->headers[i]);
	if (!fits || length_of(inner) > SEAL_INNER_MAX)
		return fault_set(fault, FAULT_DATA,
			"is too long to be sealed (%d bytes with signature and "
			"certificate are the most)",
			SEAL_INNER_MAX);
	seal_append_number(bytes, inner->payload.len, LENGTH_BYTES);
	text_append(bytes, inner->payload.bytes, inner->payload.len);
	seal_append_number(bytes, inner->header_count, 1);
	for (size_t i = 0; i < inner->header_count; i++) {
		const struct seal_header *header = &inner->headers[i];

		seal_append_number(bytes, header->key.len, 1);
		text_append(bytes, header->key.bytes, header->key.len);
		seal_append_number(bytes, header->value.len, LENGTH_BYTES);
		text_append(bytes, header->value.bytes, header->value.len);
	}
	return 0;
}

/* Takes a number off the front.  False if there are not so many bytes. */
static bool
take_number(struct span *left, size_t width, size_t *number)
{
	if (left->len < width)
		return false;
	*number = 0;
	for (size_t i = 0; i < width; i++)
		*number = *number << 8 | (unsigned char)left->bytes[i];
	left->bytes += width;
	left->len -= width;
	return true;
}

/* Takes a length and as many bytes. */
static bool
take_bytes(struct span *left, size_t width, struct span *bytes)
{
	size_t len;

	if (!take_number(left, width, &len) || len > left->len)
		return false;
	*bytes = (struct span){ left->bytes, len };
	left->bytes += len;
	left->len -= len;
	return true;
}

static bool
parse(struct seal_inner *inner, struct span left)
{
	if (left.len > SEAL_INNER_MAX ||
		!take_bytes(&left, LENGTH_BYTES, &inner->payload) ||
		!take_number(&left, 1, &inner->header_count) ||
		inner->header_count > SEAL_HEADERS_MAX)
		return false;
	for (size_t i = 0; i < inner->header_count; i++) {
		struct seal_header *header = &inner->headers[i];

		if (!take_bytes(&left, 1, &header->key) ||
			!take_bytes(&left, LENGTH_BYTES, &header->value) ||
			!header_fits(header))
			return false;
	}
	return left.len == 0;
}

int
seal_inner_parse(struct seal_inner *inner, struct span bytes,
	struct fault *fault)
{
	*inner = (struct seal_inner){ .payload = { "", 0 } };
	if (parse(inner, bytes))
		return 0;
	*inner = (struct seal_inner){ .payload = { "", 0 } };
	return fault_set(fault, FAULT_DATA,
		"a sealed message: it is malformed inside");
}

struct span
seal_inner_header(const struct seal_inner *inner, const char *key)
{
	for (size_t i = 0; i < inner->header_count; i++)
		if (span_equal(inner->headers[i].key, span_of(key)))
			return inner->headers[i].value;
	return (struct span){ "", 0 };
}
