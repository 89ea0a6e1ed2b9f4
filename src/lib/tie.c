/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_state.h"

#include <assert.h>
#include <string.h>

enum {
	SCAN_ON_DEMAND = 3, /* it is no endpoint that asks */
	ENTERPRISE_FILE = 3,
	ENTERPRISE_CERTIFICATE = 4,
	EXTERNAL = 15,
};

const struct digest *
tie_subject_digest(const struct tie_subject *subject)
{
	const struct digest *longest = &subject->digests[0];

	assert(subject->count > 0);
	for (size_t i = 1; i < subject->count; i++)
		if (subject->digests[i].kind > longest->kind)
			longest = &subject->digests[i];
	return longest;
}

static bool
is_equal(const struct digest *a, const struct digest *b)
{
	return a->kind == b->kind &&
		memcmp(a->bytes, b->bytes, digest_size(a->kind)) == 0;
}

bool
tie_subject_is(const struct tie_subject *subject,
	const struct tie_subject *other)
{
	for (size_t i = 0; i < subject->count; i++)
		for (size_t j = 0; j < other->count; j++)
			if (is_equal(&subject->digests[i], &other->digests[j]))
				return true;
	return false;
}

static json_t *
json_digest(const struct digest *digest)
{
	char base64[DIGEST_BASE64_MAX];

	digest_to_base64(digest, base64);
	return json_string(base64);
}

static void
add_subject(json_t *object, const struct tie_subject *subject)
{
	json_t *hashes = json_array();

	for (size_t i = 0; i < subject->count; i++) {
		json_t *hash = json_object();

		json_object_set_new(hash, "type",
			json_string(digest_name(subject->digests[i].kind)));
		json_object_set_new(hash, "value",
			json_digest(&subject->digests[i]));
		json_array_append_new(hashes, hash);
	}
	json_object_set_new(object, "hashes", hashes);
	if (subject->has_public_key)
		json_object_set_new(object, "publicKeySha1",
			json_digest(&subject->public_key));
}

static int
append(const char *bytes, size_t len, void *text)
{
	text_append(text, bytes, len);
	return 0;
}

static void
write_payload(json_t *object, struct text *payload)
{
	json_dump_callback(object, append, payload, JSON_COMPACT);
	json_decref(object);
}

void
tie_ask_reputation(const struct tie_subject *subject, struct text *payload)
{
	json_t *object = json_object();

	add_subject(object, subject);
	if (!subject->is_certificate)
		json_object_set_new(object, "scanType",
			json_integer(SCAN_ON_DEMAND));
	write_payload(object, payload);
}

void
tie_ask_agents(const struct tie_subject *subject, int64_t limit,
	struct text *payload)
{
	json_t *object = json_object();

	assert(limit > 0 && limit <= TIE_AGENTS_MAX);
	json_object_set_new(object, "queryLimit", json_integer(limit));
	add_subject(object, subject);
	write_payload(object, payload);
}

json_t *
tie_string(const char *string)
{
	struct span left = span_of(string);
	struct text text = { 0 };

	while (left.len > 0) {
		size_t good = text_utf8_check(left);

		text_append(&text, left.bytes, good);
		left.bytes += good;
		left.len -= good;
		if (left.len == 0)
			break;
		text_appendf(&text, "\\x%02x", (unsigned char)*left.bytes++);
		left.len--;
	}
	json_t *json = json_stringn(text.len > 0 ? text.bytes : "", text.len);
	text_free(&text);
	return json;
}

void
tie_ask_set(const struct tie_subject *subject, int64_t trust,
	const char *comment, struct text *payload)
{
	json_t *object = json_object();

	json_object_set_new(object, "trustLevel", json_integer(trust));
	json_object_set_new(object, "providerId",
		json_integer(subject->is_certificate ? ENTERPRISE_CERTIFICATE
						     : ENTERPRISE_FILE));
	if (!subject->is_certificate)
		json_object_set_new(object, "filename",
			tie_string(subject->name));
	json_object_set_new(object, "comment", tie_string(comment));
	add_subject(object, subject);
	write_payload(object, payload);
}

json_t *
tie_hex(const struct digest *digest)
{
	struct text hex = { 0 };

	digest_append_hex(digest, &hex);
	json_t *json = json_stringn(hex.bytes, hex.len);
	text_free(&hex);
	return json;
}

/* Reports have digests as people write them. */
static json_t *
json_reported(const struct tie_subject *subject, int64_t trust,
	int64_t file_type)
{
	json_t *file = json_object(), *hashes = json_object();
	json_t *attributes = json_object(), *reputation = json_object();

	for (size_t i = 0; i < subject->count; i++)
		json_object_set_new(hashes,
			digest_name(subject->digests[i].kind),
			tie_hex(&subject->digests[i]));
	json_object_set_new(attributes, "filename", tie_string(subject->name));
	json_object_set_new(reputation, "score", json_integer(trust));
	json_object_set_new(file, "type", json_integer(file_type));
	json_object_set_new(file, "hashes", hashes);
	json_object_set_new(file, "attributes", attributes);
	json_object_set_new(file, "reputation", reputation);
	return file;
}

void
tie_report(const struct tie_subject *subject, int64_t trust, int64_t file_type,
	const char *comment, struct text *payload)
{
	json_t *object = json_object(), *provider = json_object();

	assert(trust > 0 && !subject->is_certificate);
	json_object_set_new(provider, "id", json_integer(EXTERNAL));
	json_object_set_new(object, "file",
		json_reported(subject, trust, file_type));
	json_object_set_new(object, "provider", provider);
	json_object_set_new(object, "comment", tie_string(comment));
	write_payload(object, payload);
}
