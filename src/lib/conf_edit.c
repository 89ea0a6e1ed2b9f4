/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_edit.h"

#include "conf_ini.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a file looks like that nobody has changed yet (protocol.md, 9.4). */
static const char fresh[] = "[Certs]\n\n[Brokers]\n\n[BrokersWebSockets]\n\n"
			    "[General]\n#UseWebSockets = False\n";

enum line_kind {
	LINE_OTHER, /* blank, or nothing that we know */
	LINE_COMMENT,
	LINE_SECTION,
	LINE_ENTRY,
};

struct line {
	struct span bytes; /* with its end */
	enum line_kind kind;
	char *name;  /* of a section, or a key */
	char *value; /* of an entry */
	bool dropped;
	char *instead;     /* what it becomes, or NULL */
	struct text after; /* what comes behind it */
};

/* A file that is being changed. */
struct edit {
	struct line *lines;
	size_t count;
	const char *end;          /* of a line: "\n", or "\r\n" */
	struct text tail;         /* new sections … */
	const char *tail_section; /* … of which this is the last, or NULL */
};

void
conf_entries_add(struct conf_entries *entries, const char *key,
	const char *value)
{
	entries->all = memory_resize(entries->all, entries->count + 1,
		sizeof(*entries->all));
	entries->all[entries->count++] = (struct conf_entry){
		memory_string(key), memory_string(value)
	};
}

const struct conf_entry *
conf_entries_find(const struct conf_entries *entries, const char *key)
{
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->all[i].key, key) == 0)
			return &entries->all[i];
	return NULL;
}

void
conf_entries_free(struct conf_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->all[i].key);
		free(entries->all[i].value);
	}
	free(entries->all);
	*entries = (struct conf_entries){ 0 };
}

/* What conf_read_dxl() would make of it. */
static void
classify(struct line *line)
{
	char *copy = memory_copy(line->bytes.bytes, line->bytes.len);
	char *text;

	copy[strcspn(copy, "\n")] = '\0';
	text = conf_ini_trim(copy);
	if (*text == '#' || *text == ';') {
		line->kind = LINE_COMMENT;
	} else if (*text == '[') {
		conf_ini_cut_comment(text);
		text = conf_ini_trim(text);
		size_t len = strlen(text);
		if (text[len - 1] == ']') {
			text[len - 1] = '\0';
			line->kind = LINE_SECTION;
			line->name = memory_string(conf_ini_trim(text + 1));
		}
	} else {
		char *delimiter = strchr(text, '=');

		if (delimiter == NULL)
			delimiter = strchr(text, ':');
		if (delimiter != NULL && delimiter != text) {
			*delimiter = '\0';
			line->kind = LINE_ENTRY;
			line->name = memory_string(conf_ini_clean(text));
			line->value = memory_string(
				conf_ini_clean(delimiter + 1));
		}
	}
	free(copy);
}

static void
edit_open(struct edit *edit, const char *text)
{
	size_t size = 1;

	for (const char *p = text; *p != '\0'; p++)
		size += *p == '\n';
	*edit = (struct edit){ .lines = memory_alloc(size,
				       sizeof(*edit->lines)),
		.end = "\n" };
	while (*text != '\0') {
		const char *newline = strchr(text, '\n');
		size_t len = newline != NULL ? (size_t)(newline - text) + 1
					     : strlen(text);
		struct line *line = &edit->lines[edit->count++];

		line->bytes = (struct span){ text, len };
		classify(line);
		text += len;
	}
	if (edit->count > 0 && edit->lines[0].bytes.len >= 2 &&
		edit->lines[0].bytes.bytes[edit->lines[0].bytes.len - 2] ==
			'\r')
		edit->end = "\r\n";
}

static void
edit_free(struct edit *edit)
{
	text_free(&edit->tail);
	for (size_t i = 0; i < edit->count; i++) {
		free(edit->lines[i].name);
		free(edit->lines[i].value);
		free(edit->lines[i].instead);
		text_free(&edit->lines[i].after);
	}
	free(edit->lines);
}

/* The entries of a section, wherever it stands.  In the case that is asked
 * for, or, if there is none such, in any. */
struct walk {
	const struct edit *edit;
	const char *section;
	bool exact;
	bool inside;
	size_t at;
};

static bool
same(const char *a, const char *b, bool exact)
{
	return exact ? strcmp(a, b) == 0 : strcasecmp(a, b) == 0;
}

static struct walk
walk_begin(const struct edit *edit, const char *section)
{
	struct walk walk = { .edit = edit, .section = section };

	for (size_t i = 0; i < edit->count; i++)
		if (edit->lines[i].kind == LINE_SECTION &&
			strcmp(edit->lines[i].name, section) == 0)
			walk.exact = true;
	return walk;
}

/* The next line of the section, its header too; NULL behind the last. */
static struct line *
walk_next(struct walk *walk)
{
	while (walk->at < walk->edit->count) {
		struct line *line = &walk->edit->lines[walk->at++];

		if (line->kind == LINE_SECTION)
			walk->inside = same(line->name, walk->section,
				walk->exact);
		if (walk->inside)
			return line;
	}
	return NULL;
}

/* The line behind which what is new in the section goes: the last entry, else
 * the comment below the header, else that.  NULL if there is no section. */
static struct line *
find_end(const struct edit *edit, const char *section)
{
	struct walk walk = walk_begin(edit, section);
	struct line *line, *end = NULL;
	bool is_head = false;

	while ((line = walk_next(&walk)) != NULL) {
		if (line->kind == LINE_ENTRY ||
			(line->kind == LINE_SECTION && end == NULL) ||
			(line->kind == LINE_COMMENT && is_head))
			end = line;
		if (line->kind == LINE_SECTION)
			is_head = line == end;
		else if (line->kind != LINE_COMMENT)
			is_head = false;
	}
	return end;
}

/* A value that the other parsers might take apart goes between quotes. */
static void
append_entry(struct text *out, const char *key, const char *value)
{
	size_t len = strlen(value);
	const char *quote = "";

	if (strpbrk(value, "#,\"'") != NULL ||
		(len > 0 && (*value == ' ' || value[len - 1] == ' ')))
		quote = strchr(value, '"') == NULL ? "\"" : "'";
	text_appendf(out, "%s = %s%s%s", key, quote, value, quote);
}

/* What came behind the last line needs that to end. */
static struct text *
begin_after(struct edit *edit, struct line *line)
{
	const struct span bytes = line->bytes;

	if (line->instead == NULL && !line->dropped && line->after.len == 0 &&
		bytes.bytes[bytes.len - 1] != '\n')
		text_append_string(&line->after, edit->end);
	return &line->after;
}

static void
replace(struct edit *edit, struct line *line, const char *key,
	const char *value)
{
	struct text text = { 0 };

	append_entry(&text, key, value);
	text_append_string(&text, edit->end);
	line->instead = text.bytes;
}

/* Where the entries of a section go that is not there: behind all others. */
static struct text *
add_section(struct edit *edit, const char *section)
{
	if (edit->tail_section != section)
		text_appendf(&edit->tail, "%s[%s]%s", edit->end, section,
			edit->end);
	edit->tail_section = section;
	return &edit->tail;
}

static void
set_value(struct edit *edit, const char *section, const char *key,
	const char *value)
{
	struct walk walk = walk_begin(edit, section);
	struct line *line;
	bool exact = false, found = false;

	if (value == NULL)
		return;
	while ((line = walk_next(&walk)) != NULL)
		if (line->kind == LINE_ENTRY && strcmp(line->name, key) == 0)
			exact = true;
	walk = walk_begin(edit, section);
	while ((line = walk_next(&walk)) != NULL) {
		if (line->kind != LINE_ENTRY || !same(line->name, key, exact))
			continue;
		found = true;
		if (strcmp(line->value, value) != 0)
			replace(edit, line, line->name, value);
	}
	if (found)
		return;
	line = find_end(edit, section);
	struct text *after = line != NULL ? begin_after(edit, line)
					  : add_section(edit, section);
	append_entry(after, key, value);
	text_append_string(after, edit->end);
}

/* And the comments right above it. */
static void
drop(const struct edit *edit, struct line *line)
{
	line->dropped = true;
	while (line-- > edit->lines && line->kind == LINE_COMMENT &&
		line->after.len == 0)
		line->dropped = true;
}

static void
set_entries(struct edit *edit, const char *section,
	const struct conf_entries *entries)
{
	struct line *line, *end = find_end(edit, section);
	struct walk walk = walk_begin(edit, section);

	if (entries == NULL)
		return;
	bool *done = memory_alloc(entries->count, sizeof(*done));
	while ((line = walk_next(&walk)) != NULL) {
		if (line->kind != LINE_ENTRY)
			continue;
		const struct conf_entry *entry = conf_entries_find(entries,
			line->name);
		size_t i = entry != NULL ? (size_t)(entry - entries->all) : 0;

		if (entry == NULL || done[i]) {
			drop(edit, line);
			continue;
		}
		done[i] = true;
		if (strcmp(line->value, entry->value) != 0)
			replace(edit, line, entry->key, entry->value);
	}
	struct text *after = NULL;
	for (size_t i = 0; i < entries->count; i++) {
		if (done[i])
			continue;
		if (after == NULL)
			after = end != NULL ? begin_after(edit, end)
					    : add_section(edit, section);
		append_entry(after, entries->all[i].key, entries->all[i].value);
		text_append_string(after, edit->end);
	}
	free(done);
}

void
conf_edit(struct text *out, const char *text, const struct conf_change *change)
{
	struct edit edit;
	static const char certs[] = "Certs";
	size_t begin = out->len;

	edit_open(&edit, *text != '\0' ? text : fresh);
	set_value(&edit, certs, "BrokerCertChain", change->ca);
	set_value(&edit, certs, "CertFile", change->certificate);
	set_value(&edit, certs, "PrivateKey", change->key);
	set_entries(&edit, "Brokers", change->brokers);
	set_entries(&edit, "BrokersWebSockets", change->web);
	for (size_t i = 0; i < edit.count; i++) {
		const struct line *line = &edit.lines[i];

		if (line->instead != NULL)
			text_append_string(out, line->instead);
		else if (!line->dropped)
			text_append(out, line->bytes.bytes, line->bytes.len);
		text_append(out, line->after.bytes, line->after.len);
	}
	if (edit.tail.len > 0 && out->len > begin &&
		out->bytes[out->len - 1] != '\n')
		text_append_string(out, edit.end);
	text_append(out, edit.tail.bytes, edit.tail.len);
	edit_free(&edit);
}

char *
conf_edit_value(const char *text, const char *section, const char *key)
{
	struct edit edit;
	char *value = NULL;

	edit_open(&edit, text);
	for (int exact = 1; exact >= 0 && value == NULL; exact--) {
		struct walk walk = walk_begin(&edit, section);
		const struct line *line;

		while ((line = walk_next(&walk)) != NULL) {
			if (line->kind != LINE_ENTRY ||
				!same(line->name, key, exact))
				continue;
			free(value);
			value = memory_string(line->value);
		}
	}
	edit_free(&edit);
	return value;
}
