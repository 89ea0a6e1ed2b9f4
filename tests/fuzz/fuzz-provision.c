/* SPDX-License-Identifier: Apache-2.0 */
/* What a management service answers, and what it exports: whatever is taken
 * from it can be written into a dxlclient.config and is read there as the
 * same. */
#include "conf.h"
#include "enroll.h"
#include "fuzz.h"
#include "memory.h"
#include "provision_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
check_fault(int rc, const struct fault *fault)
{
	FUZZ_CHECK(rc >= 0 ||
		((fault->kind == FAULT_PROTOCOL || fault->kind == FAULT_DATA ||
			 fault->kind == FAULT_UNAVAILABLE) &&
			strncmp(fault->text, "s:", 2) == 0));
}

/* Is it what stands behind [id;]port; in the value? */
static bool
is_host(const char *host, const char *value)
{
	const char *at = strchr(value, ';') + 1;

	at = strchr(at, ';') + 1;
	if (*at == '[')
		at++;
	return strncmp(host, at, strlen(host)) == 0;
}

static void
check_brokers(const struct answer_brokers *brokers)
{
	const struct conf_change change = { "/ca", "/certificate", "/key",
		&brokers->plain, &brokers->web };
	size_t count = brokers->plain.count;
	struct text file = { 0 };
	struct fault fault = { 0 };
	struct conf conf;

	FUZZ_CHECK(count <= ANSWER_BROKERS_MAX);
	FUZZ_CHECK(brokers->web.count <= ANSWER_BROKERS_MAX);
	FUZZ_CHECK(count + brokers->web.count > 0);
	conf_edit(&file, "", &change);
	fuzz_check_ascii(
		(struct span){ file.bytes, strcspn(file.bytes, "\n") });
	const char *path = fuzz_file((struct span){ file.bytes, file.len });
	int rc = conf_read_dxl(&conf, path, &fault);
	FUZZ_CHECK((rc == 0) == (count > 0));
	text_free(&file);
	if (rc < 0)
		return;
	FUZZ_CHECK(strcmp(conf.key, "/key") == 0);
	FUZZ_CHECK(conf.broker_count ==
		(count < CONF_BROKERS_MAX ? count : CONF_BROKERS_MAX));
	for (size_t i = 0; i < conf.broker_count; i++)
		FUZZ_CHECK(is_host(conf.brokers[i].host,
			brokers->plain.all[i].value));
	conf_free(&conf);
}

static void
try_text(struct span text)
{
	struct answer_package package;
	struct answer_brokers brokers;
	struct fault fault = { 0 };
	int rc = answer_package(&package, text, "s", &fault);

	check_fault(rc, &fault);
	if (rc == 0) {
		check_brokers(&package.brokers);
		answer_brokers_free(&package.brokers);
	}
	rc = answer_list(&brokers, text, "s", &fault);
	check_fault(rc, &fault);
	if (rc == 0) {
		check_brokers(&brokers);
		answer_brokers_free(&brokers);
	}
	rc = answer_file(&brokers, text, "s", &fault);
	check_fault(rc, &fault);
	if (rc == 0) {
		check_brokers(&brokers);
		answer_brokers_free(&brokers);
	}
}

/* What was taken is taken again as it is. */
static void
try_pem(struct span text)
{
	static const struct enroll_source source = { "s", FAULT_DATA };
	struct text once = { 0 }, again = { 0 };
	struct enroll_facts facts;
	struct fault fault = { 0 };
	int count = enroll_take_authorities(&once, text, &source, &fault);

	check_fault(count, &fault);
	if (count > 0) {
		const struct span span = { once.bytes, once.len };

		FUZZ_CHECK(enroll_take_authorities(&again, span, &source,
				   &fault) == count);
		FUZZ_CHECK(span_equal(span,
			(struct span){ again.bytes, again.len }));
		for (int i = 0; i < count; i++)
			FUZZ_CHECK(enroll_look(&facts, span, (size_t)i));
		FUZZ_CHECK(!enroll_look(&facts, span, (size_t)count));
		enroll_is_issued(span, span);
	}
	text_free(&once);
	text_clear(&again);
	check_fault(enroll_take_csr(&again, text, &source, &fault), &fault);
	text_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span bytes = { (const char *)data, size };
	struct text result = { 0 };
	struct fault fault = { 0 };
	int rc = answer_open(&result, bytes, "s", &fault);

	check_fault(rc, &fault);
	try_text(bytes);
	try_pem(bytes);
	if (rc == 0 && result.len > 0)
		try_text((struct span){ result.bytes, result.len });
	text_free(&result);
	return 0;
}
