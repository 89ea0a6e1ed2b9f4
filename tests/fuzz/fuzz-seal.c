/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed messages as a stranger writes them, and what one with the secret may
 * put inside: nothing is opened but what was sealed, what is inside is read as
 * it was written, and base64 has one text.  The input is fields between "|~|":
 * version, salt, key, counter, to, ephemeral, sealed, place, and bytes that
 * are sealed.
 */
#include "fuzz.h"
#include "seal_state.h"

#include <stdlib.h>
#include <string.h>

/* The secret and the first message of tests/data/seal. */
static const char own_room[] = "/mcafee/event/qchat/incident-42";
static const char own_salt[] = "oKGio6SlpqeoqaqrrK2urw==";
static const char own_key[] = "ZG+2JTh6e74+mpaBlwxq3w==";

#define NOW INT64_C(1795408513935)

static struct seal *seal;

static void
prepare(void)
{
	struct secret secret = { .until = INT64_MAX };

	for (size_t i = 0; i < SECRET_BYTES; i++)
		secret.bytes[i] = (unsigned char)(0x21 + i);
	seal = seal_new(span_of(own_room), &secret, 1, NULL);
}

static int64_t
number(struct span digits)
{
	char text[32];
	size_t len = digits.len < sizeof(text) ? digits.len : sizeof(text) - 1;

	memcpy(text, digits.bytes, len);
	text[len] = '\0';
	return strtoll(text, NULL, 10);
}

/* Reads it, and what is read is written to the same bytes. */
static void
check_inner(struct span bytes)
{
	struct seal_inner inner;
	struct text again = { 0 };
	struct fault fault = { 0 };

	if (seal_inner_parse(&inner, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_DATA);
		return;
	}
	FUZZ_CHECK(inner.header_count <= SEAL_HEADERS_MAX);
	FUZZ_CHECK(seal_inner_format(&inner, &again, &fault) == 0);
	FUZZ_CHECK(span_equal(bytes, (struct span){ again.bytes, again.len }));
	text_free(&again);
}

/* There is no message of this key but that of the vector, which has a
 * signature in it. */
static void
check_open(const struct seal_fields *fields, struct span place)
{
	struct text inner = { 0 };
	struct fault fault = { 0 };
	struct seal_inner inside;
	char id[SEAL_ID_MAX];

	enum seal_state state = seal_open(seal, span_of("peer"), place, fields,
		NOW, &inner, &fault);
	FUZZ_CHECK((state == SEAL_OPENED) == (fault.kind == FAULT_NONE));
	if (state != SEAL_OPENED) {
		FUZZ_CHECK(inner.len == 0);
		return;
	}
	FUZZ_CHECK(span_equal(place, span_of(own_room)) &&
		span_equal(fields->salt, span_of(own_salt)) &&
		span_equal(fields->key, span_of(own_key)) &&
		fields->version == 1 && fields->counter == 7);
	FUZZ_CHECK(
		seal_inner_parse(&inside,
			(struct span){ inner.bytes, inner.len }, &fault) == 0 &&
		seal_inner_header(&inside, "qchat.sig").len == 140);
	FUZZ_CHECK(seal_id(fields, id) == 0);
	text_free(&inner);
}

static void
check_id(const struct seal_fields *fields)
{
	char id[SEAL_ID_MAX];

	if (seal_id(fields, id) == 0)
		fuzz_check_ascii(span_of(id));
}

/* What is sealed with it is opened; the fields are cut out of the payload. */
static void
check_again(struct span bytes)
{
	struct text payload = { 0 }, inner = { 0 };
	struct fault fault = { 0 };
	static const char *const names[] = { "\"salt\":\"", "\"key\":\"",
		"\"sealed\":\"" };
	struct span texts[3];

	seal_seal(seal, span_of(own_room), bytes, &payload);
	for (size_t i = 0; i < 3; i++) {
		char *at = strstr(payload.bytes, names[i]) + strlen(names[i]);

		texts[i] = (struct span){ at, strcspn(at, "\"") };
	}
	const struct seal_fields fields = { .version = 1,
		.salt = texts[0],
		.key = texts[1],
		.sealed = texts[2],
		.counter = seal->counter };
	FUZZ_CHECK(seal_open(seal, span_of("peer"), span_of(own_room), &fields,
			   NOW, &inner, &fault) == SEAL_OPENED);
	FUZZ_CHECK(span_equal(bytes, (struct span){ inner.bytes, inner.len }));
	text_free(&payload);
	text_free(&inner);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span left = { (const char *)data, size };
	struct seal_fields fields;

	/* One for each input, so that each is tried in the same state. */
	prepare();
	fields.version = number(fuzz_field(&left));
	fields.salt = fuzz_field(&left);
	fields.key = fuzz_field(&left);
	fields.counter = number(fuzz_field(&left));
	fields.to = fuzz_field(&left);
	fields.ephemeral = fuzz_field(&left);
	fields.sealed = fuzz_field(&left);
	struct span place = fuzz_field(&left);
	check_id(&fields);
	check_open(&fields, place);
	check_open(&fields, place);
	check_inner(left);
	if (left.len <= SEAL_INNER_MAX)
		check_again(left);
	seal_free(seal);
	return 0;
}
