/* SPDX-License-Identifier: Apache-2.0 */
#include "provision_answer.h"

#include "memory.h"
#include "translate.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHOWN_MAX = 200,  /* bytes of an answer in a message */
	STATUS_MAX = 100, /* bytes of "Error 1" */
	PORT_DIGITS = 5,
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789";

void
answer_brokers_free(struct answer_brokers *brokers)
{
	conf_entries_free(&brokers->plain);
	conf_entries_free(&brokers->web);
	*brokers = (struct answer_brokers){ 0 };
}

static struct span
trim(struct span text)
{
	while (text.len > 0 && strchr(" \t\r\n", *text.bytes) != NULL) {
		text.bytes++;
		text.len--;
	}
	while (text.len > 0 &&
		strchr(" \t\r\n", text.bytes[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/* Cuts off what stands before c, or all.  False if there is nothing left. */
static bool
cut(struct span *left, char c, struct span *part)
{
	if (left->bytes == NULL)
		return false;
	const char *at = left->len > 0 ? memchr(left->bytes, c, left->len)
				       : NULL;
	*part = *left;
	if (at == NULL) {
		*left = (struct span){ NULL, 0 };
	} else {
		part->len = (size_t)(at - left->bytes);
		left->bytes = at + 1;
		left->len -= part->len + 1;
	}
	return true;
}

/* For messages: the beginning of it.  The caller frees it. */
static char *
shown(struct span text)
{
	size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;

	for (size_t i = 0; i < len; i++)
		if (text.bytes[i] == '\0')
			len = i;
	char *copy = memory_copy(text.bytes, len);
	return copy;
}

/* The service's own words behind its status. */
static int
refused(struct span status, struct span rest, const char *source,
	struct fault *fault)
{
	char *what = shown(status), *why = shown(rest);

	fault_set(fault, FAULT_UNAVAILABLE, "%s: the service says %s: %s",
		source, what, why);
	free(what);
	free(why);
	return -1;
}

int
answer_open(struct text *out, struct span body, const char *source,
	struct fault *fault)
{
	struct span left = body, status = { "", 0 };
	int rc = -1;

	cut(&left, ':', &status);
	status = trim(status);
	if (left.bytes == NULL || status.len > STATUS_MAX || status.len == 0 ||
		*status.bytes == '<') {
		char *begin = shown(trim(body));

		fault_set(fault, FAULT_PROTOCOL,
			"%s: answers what no management service does, "
			"beginning with \"%s\" (is it the right host and "
			"port?)",
			source, begin);
		free(begin);
		return -1;
	}
	struct span rest = trim(left);
	if (!span_equal(status, span_of("OK")))
		return refused(status, rest, source, fault);
	json_t *json = json_loadb(rest.bytes, rest.len,
		JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (json_is_string(json)) {
		text_append(out, json_string_value(json),
			json_string_length(json));
		rc = 0;
	} else {
		fault_set(fault, FAULT_PROTOCOL,
			"%s: what follows OK: in the answer is no JSON string",
			source);
	}
	json_decref(json);
	return rc;
}

static long
port_of(struct span text)
{
	long port = 0;

	if (text.len == 0 || text.len > PORT_DIGITS)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return 0;
		port = port * 10 + (text.bytes[i] - '0');
	}
	return port <= UINT16_MAX ? port : 0;
}

/* Letters and digits, and some of others: nothing that a parser of the file
 * could take for something else. */
static bool
is_made_of(struct span text, const char *others)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.bytes[i] == '\0' ||
			(strchr(letters, text.bytes[i]) == NULL &&
				strchr(others, text.bytes[i]) == NULL))
			return false;
	return text.len > 0;
}

/* Brackets stand around all of it, or nowhere; and one colon would be that of
 * a port. */
static bool
is_host(struct span host, const char *others)
{
	size_t colons = 0;

	if (host.len >= 2 && *host.bytes == '[' &&
		host.bytes[host.len - 1] == ']') {
		host.bytes++;
		host.len -= 2;
	}
	for (size_t i = 0; i < host.len; i++)
		colons += host.bytes[i] == ':';
	return colons != 1 && is_made_of(host, others);
}

/* A broker on its way into a list. */
struct broker {
	struct span id, host, address; /* address: may be empty */
	long port;
};

/* NULL, or what is wrong with it. */
static const char *
add(struct conf_entries *entries, const struct broker *broker)
{
	if (entries->count == ANSWER_BROKERS_MAX)
		return _("there are too many brokers");
	if (broker->id.len + broker->host.len + broker->address.len >
		ANSWER_BROKER_MAX)
		return _("it is too long");
	/* A number would be taken for the port. */
	if (!is_made_of(broker->id, "{}._-@+~()/") || port_of(broker->id) > 0)
		return _("its id is none that can stand in the file");
	if (!is_host(broker->host, "._-:%"))
		return _("its host is no name or address of a host");
	if (broker->address.len > 0 && !is_host(broker->address, ".:%"))
		return _("its address is none");
	if (broker->port == 0)
		return _("its port is not from 1 to 65535");
	char *id = memory_copy(broker->id.bytes, broker->id.len);
	char *value = memory_format("%s;%ld;%.*s%s%.*s", id, broker->port,
		(int)broker->host.len, broker->host.bytes,
		broker->address.len > 0 ? ";" : "", (int)broker->address.len,
		broker->address.len > 0 ? broker->address.bytes : "");
	const struct conf_entry *old = conf_entries_find(entries, id);
	const char *wrong = NULL;

	if (old == NULL)
		conf_entries_add(entries, id, value);
	else if (strcmp(old->value, value) != 0)
		wrong = _("its id is that of another one");
	free(value);
	free(id);
	return wrong;
}

/* id=id;port;host[;address] */
static const char *
add_line(struct conf_entries *entries, struct span line)
{
	struct span key, id, port, host = { "", 0 }, address = { "", 0 };

	cut(&line, '=', &key);
	if (line.bytes == NULL)
		return _("a broker is id=id;port;host;address");
	cut(&line, ';', &id);
	if (!cut(&line, ';', &port) || !cut(&line, ';', &host))
		return _("a broker is id=id;port;host;address");
	cut(&line, ';', &address);
	if (!span_equal(trim(key), trim(id)))
		return _("the id before = is another than the one behind it");
	const struct broker broker = { trim(id), trim(host), trim(address),
		port_of(trim(port)) };
	return add(entries, &broker);
}

/* Takes Java's escapes away; what is left is shorter. */
static void
unescape(struct text *line, struct span raw)
{
	text_clear(line);
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.bytes[i] == '\\' && i + 1 < raw.len)
			i++;
		text_append_char(line, raw.bytes[i]);
	}
}

/* Lines of brokers; with `file` as a property file has them. */
static int
add_lines(struct conf_entries *entries, struct span text, bool file,
	const char *source, enum fault_kind kind, struct fault *fault)
{
	struct span left = text, line;
	struct text plain = { 0 };
	int rc = 0;

	while (rc == 0 && cut(&left, '\n', &line)) {
		const char *wrong;

		line = trim(line);
		if (line.len == 0 ||
			(file && strchr("#!", *line.bytes) != NULL))
			continue;
		if (line.len > ANSWER_BROKER_MAX) {
			wrong = _("it is too long");
		} else if (file) {
			unescape(&plain, line);
			wrong = add_line(entries,
				(struct span){ plain.bytes, plain.len });
		} else {
			wrong = add_line(entries, line);
		}
		if (wrong == NULL)
			continue;
		char *begin = shown(line);
		rc = fault_set(fault, kind, "%s: broker \"%s\": %s", source,
			begin, wrong);
		free(begin);
	}
	text_free(&plain);
	return rc;
}

static int
check_brokers(const struct answer_brokers *brokers, const char *source,
	enum fault_kind kind, struct fault *fault)
{
	if (brokers->plain.count + brokers->web.count > 0)
		return 0;
	return fault_set(fault, kind, "%s: names no broker", source);
}

int
answer_package(struct answer_package *package, struct span text,
	const char *source, struct fault *fault)
{
	struct span left = text, plain, web = { "", 0 };
	struct answer_brokers *brokers = &package->brokers;

	*package = (struct answer_package){ 0 };
	if (!cut(&left, ',', &package->authorities) ||
		!cut(&left, ',', &package->certificate) ||
		!cut(&left, ',', &plain))
		return fault_set(fault, FAULT_PROTOCOL,
			"%s: the answer is no provisioning package: it has "
			"less than three parts",
			source);
	/* What is not said is that there are none. */
	cut(&left, ',', &web);
	brokers->has_web = true;
	if (add_lines(&brokers->plain, plain, false, source, FAULT_PROTOCOL,
		    fault) == 0 &&
		add_lines(&brokers->web, web, false, source, FAULT_PROTOCOL,
			fault) == 0 &&
		check_brokers(brokers, source, FAULT_PROTOCOL, fault) == 0)
		return 0;
	answer_brokers_free(brokers);
	return -1;
}

static struct span
string_of(const json_t *json)
{
	return json_is_string(json) ? (struct span){ json_string_value(json),
		json_string_length(json) }
				    : (struct span){ "", 0 };
}

static const char *
add_object(struct conf_entries *entries, const json_t *json)
{
	const json_t *port = json_object_get(json, "port");
	struct broker broker = {
		.id = trim(string_of(json_object_get(json, "guid"))),
		.host = trim(string_of(json_object_get(json, "hostName"))),
		.address = trim(string_of(json_object_get(json, "ipAddress"))),
	};

	if (json_is_integer(port) && json_integer_value(port) > 0 &&
		json_integer_value(port) <= UINT16_MAX)
		broker.port = (long)json_integer_value(port);
	else if (json_is_string(port))
		broker.port = port_of(trim(string_of(port)));
	return add(entries, &broker);
}

static int
add_array(struct conf_entries *entries, const json_t *array, const char *source,
	struct fault *fault)
{
	if (!json_is_array(array))
		return fault_set(fault, FAULT_PROTOCOL,
			"%s: the answer is no list of brokers", source);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *wrong = add_object(entries,
			json_array_get(array, i));

		if (wrong != NULL)
			return fault_set(fault, FAULT_PROTOCOL,
				"%s: broker %zu of the list: %s", source, i + 1,
				wrong);
	}
	return 0;
}

int
answer_list(struct answer_brokers *brokers, struct span text,
	const char *source, struct fault *fault)
{
	json_t *json = json_loadb(text.bytes, text.len, 0, NULL);
	/* The console says the one, and all clients look for the other. */
	const json_t *web = json_object_get(json, "brokersWebSockets");
	int rc = -1;

	*brokers = (struct answer_brokers){ 0 };
	if (web == NULL)
		web = json_object_get(json, "webSocketBrokers");
	brokers->has_web = web != NULL;
	if (add_array(&brokers->plain, json_object_get(json, "brokers"), source,
		    fault) == 0 &&
		(web == NULL ||
			add_array(&brokers->web, web, source, fault) == 0))
		rc = check_brokers(brokers, source, FAULT_PROTOCOL, fault);
	json_decref(json);
	if (rc < 0)
		answer_brokers_free(brokers);
	return rc;
}

/* An id may begin with a brace, too, but no quote follows that. */
static bool
is_json(struct span text)
{
	text = trim(text);
	if (text.len == 0 || *text.bytes != '{')
		return false;
	text = trim((struct span){ text.bytes + 1, text.len - 1 });
	return text.len == 0 || *text.bytes == '"';
}

int
answer_file(struct answer_brokers *brokers, struct span text,
	const char *source, struct fault *fault)
{
	static const char bom[] = "\xef\xbb\xbf";

	*brokers = (struct answer_brokers){ 0 };
	if (text.len >= 3 && memcmp(text.bytes, bom, 3) == 0)
		text = (struct span){ text.bytes + 3, text.len - 3 };
	if (is_json(text)) {
		int rc = answer_list(brokers, text, source, fault);

		if (rc < 0)
			fault->kind = FAULT_DATA;
		return rc;
	}
	if (add_lines(&brokers->plain, text, true, source, FAULT_DATA, fault) ==
			0 &&
		check_brokers(brokers, source, FAULT_DATA, fault) == 0)
		return 0;
	answer_brokers_free(brokers);
	return -1;
}
