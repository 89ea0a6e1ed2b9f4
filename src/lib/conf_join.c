/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_reader.h"

#include "memory.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* A list of texts, and what is too much. */
struct texts {
	const char *example;
	int count_max, bytes_max;
	bool may_be_empty; /* those behind the first */
};

static void
free_texts(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

static int
take_element(struct conf_reader *reader, const config_setting_t *list, int i,
	const struct texts *kind, char **into)
{
	const config_setting_t *element = config_setting_get_elem(list,
		(unsigned)i);
	const char *text = config_setting_get_string(element);
	const char *name = config_setting_name(list);
	struct span bytes = span_of(text);

	if (text == NULL)
		return conf_complain(reader, element,
			"%s is a list of texts: %s", name, kind->example);
	if (bytes.len == 0 && (i == 0 || !kind->may_be_empty))
		return conf_complain(reader, element,
			"an empty text in %s (leave it out)", name);
	if (text_utf8_check(bytes) < bytes.len)
		return conf_complain(reader, element,
			"a text in %s is not UTF-8 "
			"(write it as it is, without \\x)",
			name);
	if (bytes.len > (size_t)kind->bytes_max)
		return conf_complain(reader, element,
			"a text in %s has more than %d bytes (shorten it)",
			name, kind->bytes_max);
	*into = memory_string(text);
	return 0;
}

/* Into an array that ends with NULL. */
static int
take_texts(struct conf_reader *reader, const config_setting_t *list,
	const struct texts *kind, char ***into)
{
	const char *name = config_setting_name(list);
	int count = config_setting_length(list);

	if (!config_setting_is_array(list) && !config_setting_is_list(list))
		return conf_complain(reader, list, "%s is a list of texts: %s",
			name, kind->example);
	if (count > kind->count_max)
		return conf_complain(reader, list,
			"%s has more than %d texts (leave some out)", name,
			kind->count_max);
	*into = memory_alloc((size_t)count + 1, sizeof(**into));
	for (int i = 0; i < count; i++)
		if (take_element(reader, list, i, kind, &(*into)[i]) < 0)
			return -1;
	return 0;
}

static int
take_highlight(struct conf_reader *reader, const config_setting_t *setting)
{
	static const struct texts kind = { "[ \"db7\", \"on call\" ]",
		CONF_WORDS_MAX, CONF_WORD_MAX, false };

	return take_texts(reader, setting, &kind,
		&reader->conf->join.highlight);
}

static int
take_notify(struct conf_reader *reader, const config_setting_t *setting)
{
	static const struct texts kind = { "[ \"notify-send\", \"--\" ]",
		CONF_ARGUMENTS_MAX, CONF_ARGUMENT_MAX, true };
	char ***notify = &reader->conf->join.notify;

	if (take_texts(reader, setting, &kind, notify) < 0)
		return -1;
	if ((*notify)[0] == NULL)
		return conf_complain(reader, setting,
			"notify names no program (leave it out for none)");
	return 0;
}

static int
take_severity(struct conf_reader *reader, const config_setting_t *setting)
{
	static const char *const names[] = { "none", "info", "low", "medium",
		"high", "critical" };
	const char *text = config_setting_get_string(setting);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text != NULL && strcmp(text, names[i]) == 0) {
			reader->conf->join.notify_severity = memory_string(
				text);
			return 0;
		}
	return conf_complain(reader, setting,
		"notify_severity is \"none\", \"info\", \"low\", \"medium\", "
		"\"high\" or \"critical\"");
}

static int
take_bell(struct conf_reader *reader, const config_setting_t *setting)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return conf_complain(reader, setting,
			"bell is true or false (without quotes)");
	reader->conf->join.bell = config_setting_get_bool(setting)
		? CONF_BELL_ON
		: CONF_BELL_OFF;
	return 0;
}

static const struct key {
	const char *name;
	int (*take)(struct conf_reader *, const config_setting_t *);
} keys[] = {
	{ "bell", take_bell },
	{ "highlight", take_highlight },
	{ "notify", take_notify },
	{ "notify_severity", take_severity },
};

static int
take(struct conf_reader *reader, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].take(reader, setting);
	return conf_complain(reader, setting,
		"unknown key %s in join (known are bell, highlight, notify, "
		"notify_severity)",
		name);
}

int
conf_take_join(struct conf_reader *reader, const config_setting_t *setting,
	char **into)
{
	(void)into;
	if (!config_setting_is_group(setting))
		return conf_complain(reader, setting,
			"join is a group: { bell = false; }");
	for (int i = 0; i < config_setting_length(setting); i++)
		if (take(reader,
			    config_setting_get_elem(setting, (unsigned)i)) < 0)
			return -1;
	return 0;
}

static void
keep_texts(char ***old, char ***new)
{
	if (*old == NULL)
		return;
	free_texts(*new);
	*new = *old;
	*old = NULL;
}

void
conf_join_keep(struct conf_join *old, struct conf_join *new)
{
	keep_texts(&old->highlight, &new->highlight);
	keep_texts(&old->notify, &new->notify);
	if (old->notify_severity != NULL) {
		free(new->notify_severity);
		new->notify_severity = old->notify_severity;
		old->notify_severity = NULL;
	}
	if (old->bell != CONF_BELL_USUAL)
		new->bell = old->bell;
}

void
conf_join_free(struct conf_join *join)
{
	free_texts(join->highlight);
	free_texts(join->notify);
	free(join->notify_severity);
	*join = (struct conf_join){ 0 };
}
