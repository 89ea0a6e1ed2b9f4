/* SPDX-License-Identifier: Apache-2.0 */
/* A dxlclient.config: its bounds hold, and one with the settings that were
 * read is read as the same. */
#include "conf.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

/* Between quotes; false if it has both kinds. */
static bool
append_quoted(struct text *file, const char *key, struct span value)
{
	char quote = memchr(value.bytes, '"', value.len) == NULL ? '"' : '\'';

	if (memchr(value.bytes, quote, value.len) != NULL)
		return false;
	text_appendf(file, "%s = %c%.*s%c\n", key, quote, (int)value.len,
		value.bytes, quote);
	return true;
}

static bool
append_brokers(struct text *file, const struct conf *conf)
{
	struct text value = { 0 };
	bool good = true;

	text_append_string(file, "[Brokers]\n");
	for (size_t i = 0; good && i < conf->broker_count; i++) {
		const struct conf_broker *broker = &conf->brokers[i];
		char key[32];

		text_clear(&value);
		text_appendf(&value, "b%zu;%d;%s;%s", i, broker->port,
			broker->host,
			broker->address != NULL ? broker->address : "");
		snprintf(key, sizeof(key), "b%zu", i);
		good = append_quoted(file, key,
			(struct span){ value.bytes, value.len });
	}
	text_free(&value);
	return good;
}

static bool
append_conf(struct text *file, const struct conf *conf)
{
	text_append_string(file, "[Certs]\n");
	return append_quoted(file, "BrokerCertChain", span_of(conf->ca)) &&
		append_quoted(file, "CertFile", span_of(conf->certificate)) &&
		append_quoted(file, "PrivateKey", span_of(conf->key)) &&
		append_brokers(file, conf);
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
check_same(const struct conf *a, const struct conf *b)
{
	FUZZ_CHECK(is_same(a->ca, b->ca) && is_same(a->key, b->key));
	FUZZ_CHECK(is_same(a->certificate, b->certificate));
	FUZZ_CHECK(a->broker_count == b->broker_count);
	for (size_t i = 0; i < a->broker_count; i++)
		FUZZ_CHECK(is_same(a->brokers[i].host, b->brokers[i].host) &&
			is_same(a->brokers[i].address, b->brokers[i].address) &&
			a->brokers[i].port == b->brokers[i].port);
}

/* Of a path in the current folder it is told that it is there. */
static bool
is_absolute(const struct conf *conf)
{
	return conf->ca[0] == '/' && conf->certificate[0] == '/' &&
		conf->key[0] == '/';
}

static void
check_again(const struct conf *conf)
{
	struct text file = { 0 };
	struct conf other;
	struct fault fault = { 0 };

	if (append_conf(&file, conf)) {
		const char *path = fuzz_file(
			(struct span){ file.bytes, file.len });

		FUZZ_CHECK(conf_read_dxl(&other, path, &fault) == 0);
		FUZZ_CHECK(other.warning_count == 0 || !is_absolute(conf));
		check_same(conf, &other);
		conf_free(&other);
	}
	text_free(&file);
}

static void
check_bounds(const struct conf *conf)
{
	FUZZ_CHECK(conf->file != NULL && conf->fabric == CONF_DXL);
	FUZZ_CHECK(conf->broker_count > 0);
	FUZZ_CHECK(conf->broker_count <= CONF_BROKERS_MAX);
	for (size_t i = 0; i < conf->broker_count; i++)
		FUZZ_CHECK(conf->brokers[i].port > 0 &&
			conf->brokers[i].host[0] != '\0');
	FUZZ_CHECK(conf->ca != NULL && conf->certificate != NULL &&
		conf->key != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf;
	struct fault fault = { 0 };
	const char *path = fuzz_file((struct span){ (const char *)data, size });

	if (conf_read_dxl(&conf, path, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_CONFIG);
		FUZZ_CHECK(fault.text[0] == '/');
		return 0;
	}
	check_bounds(&conf);
	check_again(&conf);
	conf_free(&conf);
	return 0;
}
