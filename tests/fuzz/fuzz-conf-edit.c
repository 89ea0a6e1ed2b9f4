/* SPDX-License-Identifier: Apache-2.0 */
/* A dxlclient.config that is changed: it has what was put into it, can be read
 * if it could be before, and the same change changes nothing more. */
#include "conf.h"
#include "conf_edit.h"
#include "fuzz.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static char *
load(struct span bytes)
{
	struct fault fault = { 0 };

	return conf_load(fuzz_file(bytes), &fault);
}

/* The keys that are looked for may differ in case and number: what counts is
 * what a reader of the whole takes. */
static void
check_read(const char *text, const struct conf_entries *brokers)
{
	struct conf conf;
	struct fault fault = { 0 };
	const char *path = fuzz_file(span_of(text));

	FUZZ_CHECK(conf_read_dxl(&conf, path, &fault) == 0);
	FUZZ_CHECK(strcmp(conf.ca, "/a #b") == 0);
	FUZZ_CHECK(strcmp(conf.certificate, "/c") == 0);
	FUZZ_CHECK(conf.broker_count == brokers->count);
	for (size_t i = 0; i < conf.broker_count; i++)
		FUZZ_CHECK(conf.brokers[i].host[0] == 'h');
	conf_free(&conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_entries brokers = { 0 };
	struct text once = { 0 }, again = { 0 };
	struct conf conf;
	struct fault fault = { 0 };
	const struct span bytes = { (const char *)data, size };
	char *old = load(bytes);

	if (old == NULL)
		return 0;
	bool was_good = conf_read_dxl(&conf, fuzz_file(bytes), &fault) == 0;
	if (was_good)
		conf_free(&conf);
	conf_entries_add(&brokers, "a", "a;1;h1");
	conf_entries_add(&brokers, "{b}", "{b};2;h2;10.0.0.1");
	const struct conf_change change = { .ca = "/a #b",
		.certificate = "/c",
		.brokers = &brokers };
	conf_edit(&once, old, &change);
	conf_edit(&again, once.bytes, &change);
	FUZZ_CHECK(strcmp(once.bytes, again.bytes) == 0);
	if (was_good)
		check_read(once.bytes, &brokers);
	text_free(&again);
	text_free(&once);
	conf_entries_free(&brokers);
	free(old);
	return 0;
}
