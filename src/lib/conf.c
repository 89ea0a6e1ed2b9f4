/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_reader.h"

#include "memory.h"
#include "text.h"
#include "translate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int take_fn(struct conf_reader *, const config_setting_t *, char **);

int
conf_complain(const struct conf_reader *reader, const config_setting_t *setting,
	const char *format, ...)
{
	char what[FAULT_TEXT_MAX / 2];

	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), gettext(format), arguments);
	va_end(arguments);
	return fault_set(reader->fault, FAULT_CONFIG, "%s:%u: %s", reader->path,
		config_setting_source_line(setting), what);
}

static int
take_text(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	const char *name = config_setting_name(setting);
	const char *text = config_setting_get_string(setting);

	if (text == NULL)
		return conf_complain(reader, setting,
			"%s is a text (put it into double quotes)", name);
	if (*text == '\0')
		return conf_complain(reader, setting,
			"%s is empty (set it, or leave it out)", name);
	struct span bytes = { text, strlen(text) };
	if (text_utf8_check(bytes) < bytes.len)
		return conf_complain(reader, setting,
			"%s is not UTF-8 (write it as it is, without \\x)",
			name);
	*into = memory_string(text);
	return 0;
}

static int
take_path(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	char *path = NULL;

	if (take_text(reader, setting, &path) < 0)
		return -1;
	assert(path != NULL);
	*into = conf_beside(reader->path, path);
	free(path);
	return 0;
}

static int
take_dxl_config(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	(void)into;
	return take_path(reader, setting, &reader->dxl_config);
}

static int
take_fabric(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	const char *kind = config_setting_get_string(setting);

	(void)into;
	if (kind != NULL && strcmp(kind, "mqtt") == 0)
		reader->conf->fabric = CONF_MQTT;
	else if (kind != NULL && strcmp(kind, "dxl") == 0)
		reader->conf->fabric = CONF_DXL;
	else
		return conf_complain(reader, setting,
			"fabric is \"mqtt\" or \"dxl\"");
	reader->fabric_set = true;
	return 0;
}

static int
take_verify_host(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	(void)into;
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return conf_complain(reader, setting,
			"verify_host is true or false (without quotes)");
	reader->conf->verify_host = config_setting_get_bool(setting);
	reader->verify_set = true;
	return 0;
}

static int
take_number(const struct conf_reader *reader, const config_setting_t *setting,
	int64_t least, int64_t most, int64_t *number)
{
	/* What conf_plain_numbers() has not seen is none. */
	if (config_setting_type(setting) != CONFIG_TYPE_INT64 ||
		config_setting_get_int64(setting) < least ||
		config_setting_get_int64(setting) > most)
		return conf_complain(reader, setting,
			"%s is a number from %lld to %lld (without quotes)",
			config_setting_name(setting), (long long)least,
			(long long)most);
	*number = config_setting_get_int64(setting);
	return 0;
}

/* Into an int64_t. */
static int
take_limit(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	return take_number(reader, setting, 1, CONF_LIMIT_MAX, (void *)into);
}

static int
complain_unknown_limit(const struct conf_reader *reader,
	const config_setting_t *setting)
{
	struct text known = { 0 };
	const struct quota_key *key;

	for (size_t i = 0; (key = quota_key(i)) != NULL; i++)
		text_appendf(&known, "%s%s", i > 0 ? ", " : "", key->name);
	int rc = conf_complain(reader, setting,
		"unknown limit %s (known are %s)", config_setting_name(setting),
		known.bytes);
	text_free(&known);
	return rc;
}

static int
take_quotas(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	(void)into;
	if (!config_setting_is_group(setting))
		return conf_complain(reader, setting,
			"limits is a group: { participants = 1000; }");
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *limit = config_setting_get_elem(setting,
			(unsigned)i);
		const struct quota_key *key = quota_find(
			config_setting_name(limit));

		if (key == NULL)
			return complain_unknown_limit(reader, limit);
		if (take_number(reader, limit, key->least, key->most,
			    quota_value(&reader->conf->quotas, key)) < 0)
			return -1;
	}
	return 0;
}

static int
take_broker(struct conf_reader *reader, const config_setting_t *broker)
{
	const char *host = NULL;
	int64_t port = CONF_PORT;

	if (!config_setting_is_group(broker))
		return conf_complain(reader, broker,
			"a broker is "
			"{ host = \"broker1.example.com\"; port = %d; }",
			CONF_PORT);
	for (int i = 0; i < config_setting_length(broker); i++) {
		const config_setting_t *member = config_setting_get_elem(broker,
			(unsigned)i);
		const char *name = config_setting_name(member);

		if (strcmp(name, "host") == 0) {
			host = config_setting_get_string(member);
			if (host == NULL)
				return conf_complain(reader, member,
					"host is a "
					"text (put it into double quotes)");
		} else if (strcmp(name, "port") == 0) {
			if (take_number(reader, member, 1, UINT16_MAX, &port) <
				0)
				return -1;
		} else {
			return conf_complain(reader, member,
				"unknown key %s "
				"(a broker has host and port)",
				name);
		}
	}
	if (host == NULL)
		return conf_complain(reader, broker, "this broker has no host");
	const char *wrong = conf_add_broker(reader->conf, host, NULL,
		(long)port);
	return wrong == NULL ? 0 : conf_complain(reader, broker, "%s", wrong);
}

static int
take_brokers(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	(void)into;
	if (!config_setting_is_list(setting))
		return conf_complain(reader, setting,
			"brokers is a list: "
			"( { host = \"broker1.example.com\"; port = %d; } )",
			CONF_PORT);
	for (int i = 0; i < config_setting_length(setting); i++)
		if (take_broker(reader,
			    config_setting_get_elem(setting, (unsigned)i)) < 0)
			return -1;
	return 0;
}

#define NOWHERE     SIZE_MAX
#define LIMIT(name) offsetof(struct conf, limits.name)

static const struct key {
	const char *name;
	take_fn *take;
	size_t offset; /* of a char *, or a limit, in struct conf; NOWHERE */
	bool in_dxl;   /* dxlclient.config says it */
} keys[] = {
	{ "brokers", take_brokers, NOWHERE, true },
	{ "ca", take_path, offsetof(struct conf, ca), true },
	{ "certificate", take_path, offsetof(struct conf, certificate), true },
	{ "ciphers", take_text, offsetof(struct conf, ciphers), false },
	{ "crl", take_path, offsetof(struct conf, crl), false },
	{ "dxl_config", take_dxl_config, NOWHERE, false },
	{ "fabric", take_fabric, NOWHERE, false },
	{ "join", conf_take_join, NOWHERE, false },
	{ "key", take_path, offsetof(struct conf, key), true },
	{ "limits", take_quotas, NOWHERE, false },
	{ "passphrase_command", take_text,
		offsetof(struct conf, passphrase_command), false },
	{ "room", take_text, offsetof(struct conf, room), false },
	{ "seal_old_hours", take_limit, LIMIT(seal_old_hours), false },
	{ "sign_ca", take_path, offsetof(struct conf, sign_ca), false },
	{ "spool_bytes", take_limit, LIMIT(spool_bytes), false },
	{ "spool_hours", take_limit, LIMIT(spool_hours), false },
	{ "spool_messages", take_limit, LIMIT(spool_messages), false },
	{ "store_bytes", take_limit, LIMIT(store_bytes), false },
	{ "store_messages", take_limit, LIMIT(store_messages), false },
	{ "user", take_text, offsetof(struct conf, user), false },
	{ "verify_host", take_verify_host, NOWHERE, false },
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static int
complain_unknown(const struct conf_reader *reader,
	const config_setting_t *setting)
{
	char known[512] = "";

	for (size_t i = 0, len = 0; i < KEY_COUNT; i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len,
			"%s%s", i > 0 ? ", " : "", keys[i].name);
	return conf_complain(reader, setting, "unknown key %s (known are %s)",
		config_setting_name(setting), known);
}

static int
take(struct conf_reader *reader, const config_setting_t *setting)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(keys[i].name, config_setting_name(setting)) != 0)
			continue;
		void *into = NULL;
		if (keys[i].offset != NOWHERE)
			into = (char *)reader->conf + keys[i].offset;
		return keys[i].take(reader, setting, into);
	}
	return complain_unknown(reader, setting);
}

static int
follow_dxl_config(struct conf_reader *reader, const config_t *config)
{
	struct conf *conf = reader->conf;
	struct stat info;
	struct conf dxl;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		const config_setting_t *clash = config_lookup(config,
			keys[i].name);
		if (keys[i].in_dxl && clash != NULL)
			return conf_complain(reader, clash,
				"%s and dxl_config "
				"exclude each other (%s comes from the latter)",
				keys[i].name, keys[i].name);
	}
	/* From a pipe it would be waited for. */
	if (stat(reader->dxl_config, &info) == 0 && !S_ISREG(info.st_mode))
		return fault_set(reader->fault, FAULT_CONFIG,
			"%s: dxl_config is %s, which is no plain file",
			conf->file, reader->dxl_config);
	if (conf_read_dxl(&dxl, reader->dxl_config, reader->fault) < 0)
		return -1;
	free(dxl.file);
	dxl.file = conf->file;
	dxl.sign_ca = conf->sign_ca;
	dxl.crl = conf->crl;
	dxl.passphrase_command = conf->passphrase_command;
	dxl.ciphers = conf->ciphers;
	dxl.room = conf->room;
	dxl.user = conf->user;
	dxl.limits = conf->limits;
	dxl.quotas = conf->quotas;
	dxl.join = conf->join;
	if (reader->fabric_set)
		dxl.fabric = conf->fabric;
	dxl.verify_host = conf->verify_host;
	*conf = dxl;
	return 0;
}

static int
finish(struct conf_reader *reader, const config_t *config)
{
	struct conf *conf = reader->conf;
	const char *missing = conf->ca == NULL ? "ca"
		: conf->certificate == NULL    ? "certificate"
		: conf->key == NULL            ? "key"
					       : NULL;

	if (reader->dxl_config != NULL) {
		if (follow_dxl_config(reader, config) < 0)
			return -1;
	} else if (conf->broker_count > 0 && missing != NULL) {
		return conf_complain(reader, config_lookup(config, "brokers"),
			"%s is missing (brokers need ca, certificate and key)",
			missing);
	}
	if (!reader->verify_set)
		conf->verify_host = conf->fabric == CONF_MQTT;
	return 0;
}

/* What @include reads would escape the checks of conf_load(), and a folder
 * there makes libconfig end the process. */
static int
refuse_include(const struct conf_reader *reader, const char *text)
{
	for (int line = 1; text != NULL; line++) {
		text += strspn(text, " \t");
		if (strncmp(text, "@include", strlen("@include")) == 0)
			return fault_set(reader->fault, FAULT_CONFIG,
				"%s:%d: @include is not supported (put all "
				"into this file)",
				reader->path, line);
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return 0;
}

/* libconfig says it in English. */
static const char *
what_is_wrong(const config_t *config)
{
	static const char *const texts[] = { N_("syntax error"),
		N_("duplicate setting name"),
		N_("mismatched element type in array") };
	const char *text = config_error_text(config);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(text, texts[i]) == 0)
			return translate(texts[i]);
	return text;
}

int
conf_read(struct conf *conf, const char *path, struct fault *fault)
{
	struct conf_reader reader = { .path = path,
		.conf = conf,
		.fault = fault };
	config_t config;
	int rc = -1;

	*conf = (struct conf){ .file = memory_string(path) };
	config_init(&config);
	char *text = conf_load(path, fault), *plain = NULL;
	if (text == NULL || refuse_include(&reader, text) < 0)
		goto out;
	plain = conf_plain_numbers(text);
	if (config_read_string(&config, plain) != CONFIG_TRUE) {
		fault_set(fault, FAULT_CONFIG,
			"%s:%d: %s here or just before "
			"(a setting is: name = \"value\";)",
			path, config_error_line(&config),
			what_is_wrong(&config));
		goto out;
	}
	const config_setting_t *root = config_root_setting(&config);
	for (int i = 0; i < config_setting_length(root); i++)
		if (take(&reader, config_setting_get_elem(root, (unsigned)i)) <
			0)
			goto out;
	rc = finish(&reader, &config);
out:
	config_destroy(&config);
	free(reader.dxl_config);
	free(plain);
	free(text);
	if (rc < 0)
		conf_free(conf);
	return rc;
}

/* The number of the line that offset is in. */
static int
line_of(const char *text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static int
check_text(const char *path, const char *text, size_t len, struct fault *fault)
{
	const char *nul = memchr(text, '\0', len);
	size_t good = text_utf8_check((struct span){ text, len });

	if (len > CONF_FILE_MAX)
		return fault_set(fault, FAULT_CONFIG,
			"%s: is larger than %d "
			"bytes: no configuration file",
			path, CONF_FILE_MAX);
	if (nul != NULL)
		return fault_set(fault, FAULT_CONFIG,
			"%s:%d: a NUL byte: no "
			"configuration file",
			path, line_of(text, (size_t)(nul - text)));
	if (good < len)
		return fault_set(fault, FAULT_CONFIG,
			"%s:%d: is not UTF-8 "
			"(iconv converts it)",
			path, line_of(text, good));
	return 0;
}

char *
conf_load(const char *path, struct fault *fault)
{
	char *text = memory_alloc(CONF_FILE_MAX + 2, 1);
	size_t len = 0;
	ssize_t got = -1;
	/* A FIFO that nobody writes to is empty, and is not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	while (fd >= 0 &&
		(got = read(fd, text + len, CONF_FILE_MAX + 1 - len)) != 0) {
		if (got > 0)
			len += (size_t)got;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1);
		else if (errno != EINTR)
			break;
	}
	if (got < 0)
		fault_set(fault, FAULT_CONFIG,
			"%s: cannot be read: %s (is that its path, and may you "
			"read it?)",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (got < 0 || check_text(path, text, len, fault) < 0) {
		free(text);
		return NULL;
	}
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memmove(text, text + 3, len - 3 + 1);
	return text;
}

char *
conf_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (*path == '/' || slash == NULL)
		return memory_string(path);
	return memory_format("%.*s/%s", (int)(slash - file), file, path);
}

/* A copy without the brackets of an IPv6 address; NULL if it is empty. */
static char *
without_brackets(const char *host)
{
	size_t len = host != NULL ? strlen(host) : 0;

	if (len > 1 && host[0] == '[' && host[len - 1] == ']')
		return len > 2 ? memory_copy(host + 1, len - 2) : NULL;
	return len > 0 ? memory_copy(host, len) : NULL;
}

static bool
is_host(const char *host)
{
	const char *colon = strchr(host, ':');

	if (text_utf8_check(span_of(host)) < strlen(host))
		return false;
	for (const char *at = host; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	/* One colon is a port's; an IPv6 address has two or more. */
	return host[strcspn(host, "/[]@")] == '\0' &&
		(colon == NULL || strchr(colon + 1, ':') != NULL);
}

const char *
conf_add_broker(struct conf *conf, const char *host, const char *address,
	long port)
{
	struct conf_broker new = {
		.host = without_brackets(host),
		.address = without_brackets(address),
		.port = (uint16_t)port,
	};
	const char *wrong = NULL;

	if (port < 1 || port > UINT16_MAX)
		wrong = _("a port is a number from 1 to 65535");
	else if (new.host == NULL)
		wrong = _("the host is empty");
	else if (!is_host(new.host) ||
		(new.address != NULL && !is_host(new.address)))
		wrong = _("a host is a name or an address alone "
			  "(no scheme, no port)");
	else if (conf->broker_count == CONF_BROKERS_MAX)
		wrong = _("too many brokers");
	if (wrong != NULL) {
		free(new.host);
		free(new.address);
		return wrong;
	}
	conf->brokers = memory_resize(conf->brokers, conf->broker_count + 1,
		sizeof(new));
	conf->brokers[conf->broker_count++] = new;
	return NULL;
}

void
conf_warn(struct conf *conf, const char *format, ...)
{
	char warning[FAULT_TEXT_MAX];

	va_list arguments;
	va_start(arguments, format);
	vsnprintf(warning, sizeof(warning), gettext(format), arguments);
	va_end(arguments);
	conf->warnings = memory_resize(conf->warnings, conf->warning_count + 1,
		sizeof(*conf->warnings));
	conf->warnings[conf->warning_count++] = memory_string(warning);
}

void
conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->broker_count; i++) {
		free(conf->brokers[i].host);
		free(conf->brokers[i].address);
	}
	for (size_t i = 0; i < conf->warning_count; i++)
		free(conf->warnings[i]);
	free(conf->brokers);
	free(conf->warnings);
	free(conf->file);
	free(conf->ca);
	free(conf->certificate);
	free(conf->key);
	free(conf->sign_ca);
	free(conf->crl);
	free(conf->passphrase_command);
	free(conf->ciphers);
	free(conf->room);
	free(conf->user);
	conf_join_free(&conf->join);
	*conf = (struct conf){ 0 };
}
