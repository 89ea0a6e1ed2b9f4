/* SPDX-License-Identifier: Apache-2.0 */
/* Who is registered to answer, as a broker tells it. */
#include "registry.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <stdlib.h>

#define SERVICE "{5e000000-0000-4000-8000-000000000001}"
#define CLIENT  "838bb7087f276432a5651ddb38f9e6eec3376313"
#define TOPIC   "/testservice/testrequesttopic"

static enum registry_verdict
judge(const struct registry *registry, const char *topic, const char *service,
	const char *client)
{
	return registry_judge(registry, span_of(topic), span_of(service),
		span_of(client));
}

/* What a broker sent. */
static void
test_real(void)
{
	static char bytes[8192];
	const char *srcdir = getenv("srcdir");
	char *path = memory_format("%s/tests/data/dxl/broker/"
				   "registry-service-query-response.bin",
		srcdir != NULL ? srcdir : ".");
	FILE *file = fopen(path, "rb");
	struct dxl_message message;
	struct fault fault = { 0 };
	size_t len = 0;

	if (file != NULL) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	free(path);
	if (!ok(dxl_parse(&message, (struct span){ bytes, len }, &fault) == 0,
		    "a broker's answer is there"))
		return;
	struct registry *registry = registry_parse(message.payload, &fault);
	ok(registry != NULL, "it is understood");
	ok(judge(registry, TOPIC, SERVICE, CLIENT) == REGISTRY_YES &&
			judge(registry, TOPIC, "", CLIENT) == REGISTRY_YES,
		"who is registered");
	ok(judge(registry, TOPIC, SERVICE,
		   CLIENT
		   ":8faf90da-0587-4dbf-b731-15f0c79b403e") == REGISTRY_YES,
		"by its connection, too");
	ok(judge(registry, TOPIC, SERVICE, "another") == REGISTRY_NO &&
			judge(registry, TOPIC, "{another}", CLIENT) ==
				REGISTRY_NO &&
			judge(registry, TOPIC, "", "") == REGISTRY_NO,
		"and who is not");
	ok(judge(registry, "/wild/svc/a/b", "", CLIENT) == REGISTRY_YES &&
			judge(registry, "/wild/svc/", "", "x") == REGISTRY_NO,
		"below a channel");
	ok(judge(registry, "/wild/svc", "", "x") == REGISTRY_NONE &&
			judge(registry, "/wild/svcs", "", "x") ==
				REGISTRY_NONE &&
			judge(registry, "", "", "x") == REGISTRY_NONE &&
			judge(registry, "/wild/svc/#", "", "x") == REGISTRY_NO,
		"but not beside it");
	registry_free(registry);
	dxl_message_free(&message);
}

static void
refused(const char *payload)
{
	struct fault fault = { 0 };
	struct registry *registry = registry_parse(span_of(payload), &fault);

	ok(registry == NULL && fault.kind == FAULT_PROTOCOL, "%s is refused",
		payload);
	registry_free(registry);
}

static void
test_hostile(void)
{
	static const char odd[] =
		"{\"services\":{\"a\":7,\"b\":{},\"c\":{\"requestChannels\":7},"
		"\"d\":{\"requestChannels\":[7,null,\"#\",\"\",\"/#\"]}}}\n";
	struct fault fault = { 0 };

	refused("");
	refused("{}");
	refused("[]");
	refused("{\"services\":[]}");
	refused("{\"services\":null}");
	struct registry *registry = registry_parse((struct span){ odd,
							   sizeof(odd) },
		&fault);
	ok(registry != NULL, "odd services, and a NUL at the end, are taken");
	ok(judge(registry, "x", "", "") == REGISTRY_NONE, "and are none");
	ok(judge(registry, "/x", "", "x") == REGISTRY_NO,
		"but one for all there is");
	registry_free(registry);
	registry_free(NULL);

	struct text many = { 0 };
	text_append_string(&many, "{\"services\":{");
	for (int i = 0; i <= REGISTRY_SERVICES_MAX; i++)
		text_appendf(&many, "%s\"%d\":{}", i > 0 ? "," : "", i);
	text_append_string(&many, "}}");
	registry = registry_parse((struct span){ many.bytes, many.len },
		&fault);
	ok(registry == NULL, "so many are refused");
	registry_free(registry);
	text_free(&many);
}

int
main(void)
{
	test_real();
	test_hostile();
	return done();
}
