/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real DXL messages (tests/data/dxl): each decodes to its JSON, and those that
 * were made by the encoding rule are made again to the byte.
 */
#include "dxl.h"

#include "memory.h"
#include "tap.h"

#include <dirent.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

static struct span
read_file(const char *path)
{
	static char bytes[512 * 1024];
	FILE *file = fopen(path, "rb");
	size_t len = 0;

	if (file != NULL) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	return (struct span){ bytes, len };
}

/* A missing field and null are both empty. */
static struct span
string_of(const json_t *value)
{
	return (struct span){ json_is_string(value) ? json_string_value(value)
						    : "",
		json_string_length(value) };
}

static bool
span_is(const json_t *json, const char *key, struct span got)
{
	bool same = span_equal(string_of(json_object_get(json, key)), got);

	if (!same)
		printf("# %s differs\n", key);
	return same;
}

static bool
list_is(const json_t *json, const char *key, struct dxl_list got)
{
	const json_t *list = json_object_get(json, key);
	bool same = json_array_size(list) == got.count;

	for (size_t i = 0; same && i < got.count; i++)
		same = span_equal(string_of(json_array_get(list, i)),
			got.items[i]);
	if (!same)
		printf("# %s differs\n", key);
	return same;
}

static bool
int_is(const json_t *json, const char *key, int64_t got)
{
	bool same = json_integer_value(json_object_get(json, key)) == got;

	if (!same)
		printf("# %s differs\n", key);
	return same;
}

static bool
payload_is(const json_t *json, struct span got)
{
	struct span base64 = string_of(json_object_get(json, "payloadBase64"));
	unsigned char *bytes = memory_alloc(base64.len + 4, 1);
	int len = EVP_DecodeBlock(bytes, (const unsigned char *)base64.bytes,
		(int)base64.len);

	for (size_t i = base64.len; i > 0 && base64.bytes[i - 1] == '='; i--)
		len--;
	bool same = len >= 0 &&
		span_equal(got,
			(struct span){ (const char *)bytes, (size_t)len });
	if (!same)
		printf("# the payload differs\n");
	free(bytes);
	return same;
}

/*
 * The JavaScript client was asked to write -2147483647 and wrote
 * d3 00 00 00 00 7f ff ff ff, which is 2147483647: msgpack5 3.6.1 leaves the
 * sign out of a 64-bit integer's upper half.  The JSON has the wish.
 */
static bool
error_code_is(const json_t *json, const char *folder, int64_t got)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	size_t len = strlen(folder);

	if (len >= 2 && strcmp(folder + len - 2, "js") == 0 &&
		strcmp(name, "error-v2-code-neg2147483647") == 0)
		return got == 2147483647;
	return int_is(json, "errorCode", got);
}

static bool
matches(const json_t *json, const char *folder, const struct dxl_message *m)
{
	/* Each tells what differs. */
	const bool same[] = { int_is(json, "version", m->version),
		int_is(json, "messageType", m->type),
		span_is(json, "messageId", m->message_id),
		span_is(json, "sourceClientId", m->source_client_id),
		span_is(json, "sourceBrokerId", m->source_broker_id),
		list_is(json, "brokerIds", m->broker_ids),
		list_is(json, "clientIds", m->client_ids),
		payload_is(json, m->payload),
		span_is(json, "replyToTopic", m->reply_to_topic),
		span_is(json, "requestMessageId", m->request_message_id),
		span_is(json, "serviceId", m->service_id),
		error_code_is(json, folder, m->error_code),
		span_is(json, "errorMessage", m->error_message),
		list_is(json, "otherFields", m->other_fields),
		span_is(json, "sourceTenantGuid", m->source_tenant_guid),
		list_is(json, "destinationTenantGuids",
			m->destination_tenant_guids),
		span_is(json, "sourceClientInstanceId",
			m->source_client_instance_id) };

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (!same[i])
			return false;
	return true;
}

/* Two files hold nil, which we read and never write. */
static bool
holds_nil(const char *name)
{
	return strcmp(name, "request-v2-reply-nil") == 0 ||
		strcmp(name, "error-v2-no-request") == 0;
}

static void
test_cuts(struct span bytes, const char *name)
{
	struct dxl_message message;
	struct fault fault;
	size_t step = bytes.len > 2000 ? bytes.len / 500 : 1;

	for (size_t len = 0; len < bytes.len; len += step) {
		/* A copy of its own, so that a read beyond it is seen. */
		char *copy = memory_copy(bytes.bytes, len);
		if (dxl_parse(&message, (struct span){ copy, len }, &fault) ==
			0)
			dxl_message_free(&message);
		free(copy);
	}
	ok(true, "%s: survives each cut", name);
}

static void
test_file(const char *folder, const char *name, bool exact)
{
	char *bin = memory_format("%s/%s.bin", folder, name);
	char *description = memory_format("%s/%s.json", folder, name);
	json_t *json = json_load_file(description, 0, NULL);
	struct span bytes = read_file(bin);
	struct text again = { 0 };
	struct dxl_message message;
	struct fault fault = { 0 };

	int rc = dxl_parse(&message, bytes, &fault);
	if (ok(rc == 0, "%s is read", name)) {
		ok(matches(json, folder, &message), "%s is as its JSON says",
			name);
		dxl_format(&message, &again);
		if (exact && !holds_nil(name))
			ok(span_equal(bytes,
				   (struct span){ again.bytes, again.len }),
				"%s is made again", name);
		dxl_message_free(&message);
		test_cuts(bytes, name);
	} else {
		printf("# %s\n", fault.text);
	}
	text_free(&again);
	json_decref(json);
	free(description);
	free(bin);
}

static int
test_folder(const char *data, const char *name, bool exact)
{
	char *folder = memory_format("%s/dxl/%s", data, name);
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 4, ".bin") != 0)
			continue;
		char *base = memory_copy(entry->d_name, len - 4);
		test_file(folder, base, exact);
		free(base);
		count++;
	}
	if (dir != NULL)
		closedir(dir);
	free(folder);
	return count;
}

static void
refused(const char *bytes, size_t len, const char *name)
{
	struct dxl_message message;
	struct fault fault = { 0 };
	int rc = dxl_parse(&message, (struct span){ bytes, len }, &fault);

	ok(rc < 0 && fault.kind == FAULT_DATA, "%s is refused", name);
	if (rc == 0)
		dxl_message_free(&message);
}

static void
test_hostile(void)
{
	struct dxl_message message;
	struct fault fault;

	refused("", 0, "nothing");
	refused("\xdd\xff\xff\xff\xff", 5, "an array of 2^32 - 1");
	refused("\x02\x02\xdb\xff\xff\xff\xff", 7, "a string of 2^32 - 1");
	refused("\x02\x02\xa0\xa0\xa0\xdd\x00\xff\xff\xff\xa0", 11,
		"a list longer than the bytes");
	refused("\x02\x02\xa0\xa0\xa0\x91\x91\xa0\x90\xa0", 10,
		"a list in a list");
	refused("\xff\x02\xa0\xa0\xa0\x90\x90\xa0", 8, "a negative version");
	refused("\x00\x04\xa0\xa0\xa0\x90\x90\xa0", 8, "message type 4");
	refused("\xc1", 1, "the byte that msgpack never uses");
	refused("\x02\x02\x81\xa0\xa0\xa0\x90\x90\xa0", 9, "a map");
	/* version 9 with an object behind all that is known */
	static const char later[] = "\x09\x02\xa1x\xa0\xa0\x90\x90\xa1y\x90\xa0"
				    "\x90\xa0\x81\xa1k\xa1v";
	int rc = dxl_parse(&message, (struct span){ later, sizeof(later) - 1 },
		&fault);
	ok(rc == 0 && message.version == 9, "a later version is read");
	if (rc == 0)
		dxl_message_free(&message);
}

int
main(void)
{
	const char *srcdir = getenv("srcdir");
	char *data = memory_format("%s/tests/data",
		srcdir != NULL ? srcdir : ".");

	ok(test_folder(data, "python", true) == 72, "72 files in python");
	ok(test_folder(data, "python/services", true) == 45,
		"45 files in python/services");
	ok(test_folder(data, "broker", true) == 66, "66 files in broker");
	ok(test_folder(data, "js", false) == 64, "64 files in js");
	test_hostile();
	free(data);
	return done();
}
