/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include "conf_ini.h"
#include "memory.h"
#include "text.h"
#include "translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Each entry is compared with all before it. */
enum { ENTRIES_MAX = 4096 };

struct entry {
	const char *section;
	const char *key;
	char *value;
	int line;
};

/* One dxlclient.config; the entries point into its text. */
struct ini {
	const char *path;
	struct conf *conf;
	struct fault *fault;
	const char *section;
	struct entry *entries;
	size_t count;
};

static const char blanks[] = " \t\r\v\f";

char *
conf_ini_trim(char *text)
{
	text += strspn(text, blanks);
	size_t len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

void
conf_ini_cut_comment(char *text)
{
	for (char *p = strchr(text, '#'); p != NULL; p = strchr(p + 1, '#')) {
		if (p == text || strchr(blanks, p[-1]) != NULL) {
			*p = '\0';
			return;
		}
	}
}

char *
conf_ini_clean(char *text)
{
	char *start = text + strspn(text, blanks);

	if (*start == '"' || *start == '\'') {
		char *end = strchr(start + 1, *start);
		const char *rest = end == NULL
			? NULL
			: end + 1 + strspn(end + 1, blanks);

		if (rest != NULL && (*rest == '\0' || *rest == '#')) {
			*end = '\0';
			return start + 1;
		}
	}
	conf_ini_cut_comment(text);
	return conf_ini_trim(start);
}

static int
add_entry(struct ini *ini, const char *key, char *value, int line)
{
	for (size_t i = 0; i < ini->count; i++) {
		struct entry *old = &ini->entries[i];

		if (strcmp(old->section, ini->section) != 0 ||
			strcmp(old->key, key) != 0)
			continue;
		conf_warn(ini->conf,
			"%s:%d: %s was set in line %d already "
			"(this one counts)",
			ini->path, line, key, old->line);
		old->value = value;
		old->line = line;
		return 0;
	}
	if (ini->count == ENTRIES_MAX)
		return fault_set(ini->fault, FAULT_CONFIG,
			"%s:%d: more than %d settings", ini->path, line,
			ENTRIES_MAX);
	ini->entries[ini->count++] = (struct entry){ ini->section, key, value,
		line };
	return 0;
}

static int
begin_section(struct ini *ini, char *text, int line)
{
	conf_ini_cut_comment(text);
	text = conf_ini_trim(text);
	size_t len = strlen(text);
	if (text[len - 1] != ']')
		return fault_set(ini->fault, FAULT_CONFIG,
			"%s:%d: a section is [Name]", ini->path, line);
	text[len - 1] = '\0';
	ini->section = conf_ini_trim(text + 1);
	for (size_t i = 0; i < ini->count; i++) {
		if (strcmp(ini->entries[i].section, ini->section) != 0)
			continue;
		conf_warn(ini->conf, "%s:%d: [%s] begins again", ini->path,
			line, ini->section);
		break;
	}
	return 0;
}

static int
parse_line(struct ini *ini, char *text, int line)
{
	text = conf_ini_trim(text);
	if (*text == '\0' || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		return begin_section(ini, text, line);
	char *delimiter = strchr(text, '=');
	if (delimiter == NULL)
		delimiter = strchr(text, ':');
	if (delimiter == NULL || delimiter == text)
		return fault_set(ini->fault, FAULT_CONFIG,
			"%s:%d: neither [section] nor name = value", ini->path,
			line);
	*delimiter = '\0';
	return add_entry(ini, conf_ini_clean(text),
		conf_ini_clean(delimiter + 1), line);
}

static bool
same(const char *a, const char *b, bool exact)
{
	return exact ? strcmp(a, b) == 0 : strcasecmp(a, b) == 0;
}

/* The last one wins; one in the right case before any other.  The value, or
 * NULL if there is none. */
static char *
get(const struct ini *ini, const char *section, const char *key)
{
	for (int exact = 1; exact >= 0; exact--) {
		for (size_t i = ini->count; i > 0; i--) {
			const struct entry *entry = &ini->entries[i - 1];

			if (same(entry->section, section, exact) &&
				same(entry->key, key, exact))
				return entry->value;
		}
	}
	return NULL;
}

/* The section's entries come one after the other; *at starts as 0. */
static struct entry *
next_in(const struct ini *ini, const char *section, size_t *at)
{
	bool exact = false;

	for (size_t i = 0; i < ini->count && !exact; i++)
		exact = strcmp(ini->entries[i].section, section) == 0;
	while (*at < ini->count) {
		struct entry *entry = &ini->entries[(*at)++];

		if (same(entry->section, section, exact))
			return entry;
	}
	return NULL;
}

static long
port_of(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return 0;
	long port = strtol(text, NULL, 10);
	return port <= UINT16_MAX ? port : 0;
}

/* [id;]port;host[;address] */
static int
add_broker(struct ini *ini, const struct entry *entry)
{
	char *fields[5];
	char *rest = entry->value;
	size_t count = 0;

	do
		fields[count++] = conf_ini_trim(strsep(&rest, ";"));
	while (rest != NULL && count < 5);
	/* An id may look like a number, but hardly like a port's. */
	size_t at = port_of(fields[0]) > 0 ? 0 : 1;
	const char *wrong = _("a broker is id;port;host;address");
	if (count >= at + 2)
		wrong = conf_add_broker(ini->conf, fields[at + 1],
			count > at + 2 ? fields[at + 2] : NULL,
			port_of(fields[at]));
	if (wrong != NULL)
		return fault_set(ini->fault, FAULT_CONFIG, "%s:%d: %s",
			ini->path, entry->line, wrong);
	if (count > at + 3 && *fields[at + 3] != '\0')
		conf_warn(ini->conf,
			"%s:%d: what follows the address is "
			"ignored",
			ini->path, entry->line);
	return 0;
}

static bool
is_one_of(const char *word, const char *const words[4])
{
	for (size_t i = 0; word != NULL && i < 4; i++)
		if (strcasecmp(word, words[i]) == 0)
			return true;
	return false;
}

static int
take_brokers(struct ini *ini)
{
	static const char *const yes[4] = { "true", "yes", "on", "1" };
	static const char *const no[4] = { "false", "no", "off", "0" };
	struct entry *entry;
	size_t at = 0, web = 0;
	struct conf *conf = ini->conf;

	while ((entry = next_in(ini, "Brokers", &at)) != NULL) {
		if (conf->broker_count == CONF_BROKERS_MAX) {
			conf_warn(conf,
				"%s:%d: only the first %d brokers are "
				"used",
				ini->path, entry->line, CONF_BROKERS_MAX);
			break;
		}
		if (add_broker(ini, entry) < 0)
			return -1;
	}
	const char *use = get(ini, "General", "UseWebSockets");
	if (conf->broker_count == 0)
		return fault_set(ini->fault, FAULT_CONFIG,
			next_in(ini, "BrokersWebSockets", &web) != NULL
				? "%s: names WebSocket brokers only, and "
				  "WebSockets are "
				  "not supported (add plain ones to [Brokers])"
				: _("%s: names no broker (add one to "
				    "[Brokers])"),
			ini->path);
	if (is_one_of(use, yes))
		conf_warn(conf,
			"%s: UseWebSockets is ignored (WebSockets are "
			"not supported; [Brokers] are used)",
			ini->path);
	else if (use != NULL && !is_one_of(use, no))
		conf_warn(conf, "%s: UseWebSockets is neither true nor false",
			ini->path);
	if (get(ini, "Proxy", "Address") != NULL)
		conf_warn(conf,
			"%s: [Proxy] is ignored (it is for WebSockets, "
			"which are not supported)",
			ini->path);
	return 0;
}

/* The current folder comes first, as with the other DXL clients. */
static int
take_path(struct ini *ini, const char *key, char **into)
{
	const char *path = get(ini, "Certs", key);
	struct stat here, beside;

	if (path == NULL || *path == '\0')
		return fault_set(ini->fault, FAULT_CONFIG,
			"%s: %s is missing in [Certs]", ini->path, key);
	*into = conf_beside(ini->path, path);
	if (*path == '/' || stat(path, &here) < 0)
		return 0;
	if (stat(*into, &beside) == 0 &&
		(here.st_dev != beside.st_dev || here.st_ino != beside.st_ino))
		conf_warn(ini->conf,
			"%s: %s is %s of the current folder, not "
			"%s",
			ini->path, key, path, *into);
	free(*into);
	*into = memory_string(path);
	return 0;
}

static int
parse(struct ini *ini, char *text)
{
	for (int line = 1; text != NULL; line++)
		if (parse_line(ini, strsep(&text, "\n"), line) < 0)
			return -1;
	return 0;
}

int
conf_read_dxl(struct conf *conf, const char *path, struct fault *fault)
{
	struct ini ini = { .path = path,
		.conf = conf,
		.fault = fault,
		.section = "" };
	int rc = -1;

	*conf = (struct conf){ .fabric = CONF_DXL,
		.dxl_keys = true,
		.file = memory_string(path) };
	char *text = conf_load(path, fault);
	if (text == NULL)
		goto out;
	ini.entries = memory_alloc(ENTRIES_MAX, sizeof(*ini.entries));
	if (parse(&ini, text) < 0 || take_brokers(&ini) < 0 ||
		take_path(&ini, "BrokerCertChain", &conf->ca) < 0 ||
		take_path(&ini, "CertFile", &conf->certificate) < 0 ||
		take_path(&ini, "PrivateKey", &conf->key) < 0)
		goto out;
	rc = 0;
out:
	free(ini.entries);
	free(text);
	if (rc < 0)
		conf_free(conf);
	return rc;
}
