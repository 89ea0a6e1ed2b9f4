/* SPDX-License-Identifier: Apache-2.0 */
/* A qchat.conf: its bounds hold, and one with the settings that were read is
 * read as the same. */
#include "conf.h"
#include "fuzz.h"

#include <ctype.h>
#include <string.h>

/* libconfig 1.5 loses a string at which, or behind which, it finds a fault. The
 * sanitizer, which may be a library, has to find this. */
const char *__lsan_default_suppressions(void)
	__attribute__((visibility("default")));

const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
append_value(struct text *file, const char *value)
{
	text_append_char(file, '"');
	for (; *value != '\0'; value++)
		if (isalnum((unsigned char)*value))
			text_append_char(file, *value);
		else
			text_appendf(file, "\\x%02x", (unsigned char)*value);
	text_append_char(file, '"');
}

static void
append_text(struct text *file, const char *key, const char *value)
{
	if (value == NULL)
		return;
	text_appendf(file, "%s = ", key);
	append_value(file, value);
	text_append_string(file, ";\n");
}

static void
append_limit(struct text *file, const char *key, int64_t limit)
{
	if (limit > 0)
		text_appendf(file, "%s = %lldL;\n", key, (long long)limit);
}

static void
append_quotas(struct text *file, struct quotas quotas)
{
	const struct quota_key *key;

	text_append_string(file, "limits = {\n");
	for (size_t i = 0; (key = quota_key(i)) != NULL; i++)
		append_limit(file, key->name, *quota_value(&quotas, key));
	text_append_string(file, "};\n");
}

static void
append_texts(struct text *file, const char *key, char *const *texts)
{
	if (texts == NULL)
		return;
	text_appendf(file, "%s = [", key);
	for (size_t i = 0; texts[i] != NULL; i++) {
		text_append_string(file, i > 0 ? ", " : "");
		append_value(file, texts[i]);
	}
	text_append_string(file, "];\n");
}

static void
append_join(struct text *file, const struct conf_join *join)
{
	text_append_string(file, "join = {\n");
	append_texts(file, "highlight", join->highlight);
	append_texts(file, "notify", join->notify);
	append_text(file, "notify_severity", join->notify_severity);
	if (join->bell != CONF_BELL_USUAL)
		text_appendf(file, "bell = %s;\n",
			join->bell == CONF_BELL_ON ? "true" : "false");
	text_append_string(file, "};\n");
}

static void
append_brokers(struct text *file, const struct conf *conf)
{
	text_append_string(file, "brokers = (");
	for (size_t i = 0; i < conf->broker_count; i++) {
		text_append_string(file, i > 0 ? ", { host = " : "{ host = ");
		append_value(file, conf->brokers[i].host);
		text_appendf(file, "; port = %d; }", conf->brokers[i].port);
	}
	text_append_string(file, ");\n");
}

static void
append_conf(struct text *file, const struct conf *conf)
{
	text_appendf(file, "fabric = \"%s\";\nverify_host = %s;\n",
		conf->fabric == CONF_DXL ? "dxl" : "mqtt",
		conf->verify_host ? "true" : "false");
	append_text(file, "ca", conf->ca);
	append_text(file, "certificate", conf->certificate);
	append_text(file, "key", conf->key);
	append_text(file, "ciphers", conf->ciphers);
	append_text(file, "room", conf->room);
	append_text(file, "user", conf->user);
	append_limit(file, "spool_bytes", conf->limits.spool_bytes);
	append_limit(file, "spool_hours", conf->limits.spool_hours);
	append_limit(file, "seal_old_hours", conf->limits.seal_old_hours);
	append_limit(file, "spool_messages", conf->limits.spool_messages);
	append_limit(file, "store_bytes", conf->limits.store_bytes);
	append_limit(file, "store_messages", conf->limits.store_messages);
	append_quotas(file, conf->quotas);
	append_join(file, &conf->join);
	append_brokers(file, conf);
}

static void
check_same_texts(char *const *a, char *const *b)
{
	FUZZ_CHECK((a == NULL) == (b == NULL));
	for (size_t i = 0; a != NULL && (i == 0 || a[i - 1] != NULL); i++)
		FUZZ_CHECK(is_same(a[i], b[i]));
}

static void
check_same_join(const struct conf_join *a, const struct conf_join *b)
{
	check_same_texts(a->highlight, b->highlight);
	check_same_texts(a->notify, b->notify);
	FUZZ_CHECK(is_same(a->notify_severity, b->notify_severity));
	FUZZ_CHECK(a->bell == b->bell);
}

static void
check_same(const struct conf *a, const struct conf *b)
{
	FUZZ_CHECK(a->fabric == b->fabric && a->verify_host == b->verify_host);
	FUZZ_CHECK(is_same(a->ca, b->ca) && is_same(a->key, b->key));
	FUZZ_CHECK(is_same(a->certificate, b->certificate));
	FUZZ_CHECK(is_same(a->ciphers, b->ciphers));
	FUZZ_CHECK(is_same(a->room, b->room) && is_same(a->user, b->user));
	FUZZ_CHECK(memcmp(&a->limits, &b->limits, sizeof(a->limits)) == 0);
	FUZZ_CHECK(memcmp(&a->quotas, &b->quotas, sizeof(a->quotas)) == 0);
	check_same_join(&a->join, &b->join);
	FUZZ_CHECK(a->broker_count == b->broker_count);
	for (size_t i = 0; i < a->broker_count; i++)
		FUZZ_CHECK(is_same(a->brokers[i].host, b->brokers[i].host) &&
			a->brokers[i].port == b->brokers[i].port);
}

static void
check_again(const struct conf *conf)
{
	struct text file = { 0 };
	struct conf other;
	struct fault fault = { 0 };

	append_conf(&file, conf);
	FUZZ_CHECK(conf_read(&other,
			   fuzz_file((struct span){ file.bytes, file.len }),
			   &fault) == 0);
	check_same(conf, &other);
	conf_free(&other);
	text_free(&file);
}

static void
check_limit(int64_t limit)
{
	FUZZ_CHECK(limit >= 0 && limit <= CONF_LIMIT_MAX);
}

static void
check_quotas(struct quotas quotas)
{
	const struct quota_key *key;

	for (size_t i = 0; (key = quota_key(i)) != NULL; i++) {
		int64_t value = *quota_value(&quotas, key);

		FUZZ_CHECK(value == 0 ||
			(value >= key->least && value <= key->most));
	}
}

static void
check_texts(char *const *texts, size_t count, size_t bytes)
{
	size_t i = 0;

	for (; texts != NULL && texts[i] != NULL; i++)
		FUZZ_CHECK(strlen(texts[i]) <= bytes);
	FUZZ_CHECK(i <= count);
}

static void
check_bounds(const struct conf *conf)
{
	FUZZ_CHECK(conf->file != NULL);
	FUZZ_CHECK(conf->broker_count <= CONF_BROKERS_MAX);
	for (size_t i = 0; i < conf->broker_count; i++)
		FUZZ_CHECK(conf->brokers[i].port > 0 &&
			conf->brokers[i].host[0] != '\0');
	if (conf->broker_count > 0)
		FUZZ_CHECK(conf->ca != NULL && conf->certificate != NULL &&
			conf->key != NULL);
	check_limit(conf->limits.spool_bytes);
	check_limit(conf->limits.spool_hours);
	check_limit(conf->limits.seal_old_hours);
	check_limit(conf->limits.spool_messages);
	check_limit(conf->limits.store_bytes);
	check_limit(conf->limits.store_messages);
	check_quotas(conf->quotas);
	check_texts(conf->join.highlight, CONF_WORDS_MAX, CONF_WORD_MAX);
	check_texts(conf->join.notify, CONF_ARGUMENTS_MAX, CONF_ARGUMENT_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf conf;
	struct fault fault = { 0 };
	const char *path = fuzz_file((struct span){ (const char *)data, size });

	/* It names another file, which we have no business with. */
	if (memmem(data, size, "dxl_config", 10) != NULL &&
		memmem(data, size, "/dev/", 5) != NULL)
		return 0;
	if (conf_read(&conf, path, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_CONFIG);
		FUZZ_CHECK(fault.text[0] == '/');
		return 0;
	}
	check_bounds(&conf);
	check_again(&conf);
	conf_free(&conf);
	return 0;
}
