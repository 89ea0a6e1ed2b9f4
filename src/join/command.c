/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "translate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The list in qchat-join(1) has the same words. */
const struct command commands[] = {
	{ "c", { COMMAND_NOTHING }, 0,
		"counts: what was said, by whom, how many hear it, and how the "
		"link is",
		COMMAND_COUNTS },
	{ "d", { COMMAND_NAME, COMMAND_TEXT }, 2,
		"direct: says it to NAME alone, sealed", COMMAND_DIRECT },
	{ "h", { COMMAND_COMMAND }, 0, "help on all commands, or on one",
		COMMAND_HELP },
	{ "ignore", { COMMAND_NAME }, 0,
		"hides what NAME says, or shows it again; lists who is hidden",
		COMMAND_IGNORE },
	{ "j", { COMMAND_ROOM }, 1, "joins a room, or goes to it",
		COMMAND_JOIN },
	{ "l", { COMMAND_ROOM }, 0, "leaves a room, or this one",
		COMMAND_LEAVE },
	{ "m", { COMMAND_QUERY, COMMAND_SHARE }, 1,
		"searches all hosts with MAR; yes: for the room, too",
		COMMAND_MAR },
	{ "me", { COMMAND_TEXT }, 1, "says what you do", COMMAND_ACT },
	{ "no", { COMMAND_NOTHING }, 0,
		"keeps from the room what was asked about", COMMAND_NO },
	{ "p", { COMMAND_NAME }, 0,
		"participants: who is here, since when, with what; or all of "
		"NAME",
		COMMAND_PEOPLE },
	{ "pin", { COMMAND_NAME }, 1,
		"pins NAME to the certificate that it has now", COMMAND_PIN },
	{ "q", { COMMAND_NOTHING }, 0, "quits, with a goodbye", COMMAND_QUIT },
	{ "r", { COMMAND_NOTHING }, 0, "sends again what was not delivered",
		COMMAND_RESEND },
	{ "s", { COMMAND_WORD }, 0,
		"searches: n and N go on; without WORD, ends that",
		COMMAND_SEARCH },
	{ "sev", { COMMAND_LEVEL, COMMAND_TEXT }, 2,
		"says it as info, low, medium, high or critical",
		COMMAND_SEVERITY },
	{ "stop", { COMMAND_NUMBER }, 0,
		"stops a search of MAR or TIE; of several, lists them by their "
		"N",
		COMMAND_STOP },
	{ "t", { COMMAND_HASH, COMMAND_SHARE }, 1,
		"asks TIE what a file is; yes: for the room, too",
		COMMAND_TIE },
	{ "time", { COMMAND_NOTHING }, 0,
		"shows times in UTC, or local ones with their offset",
		COMMAND_TIME },
	{ "w", { COMMAND_FILE }, 1, "writes the scrollback to a file",
		COMMAND_WRITE },
	{ "yes", { COMMAND_NOTHING }, 0, "shows the room what was asked about",
		COMMAND_YES },
};
const size_t command_count = sizeof(commands) / sizeof(*commands);

static const char *const argument_names[] = { "", "NAME", "ROOM", "TEXT",
	"LEVEL", "WORD", "HASH", "QUERY", "yes|no", "FILE", "N", "COMMAND" };

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_white(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static bool
is_prefix(char c)
{
	return c == '\\' || c == '/';
}

static struct span
behind(struct span span, size_t len)
{
	return (struct span){ span.bytes + len, span.len - len };
}

static struct span
without_white(struct span span)
{
	size_t at = 0;

	while (at < span.len && is_white(span.bytes[at]))
		at++;
	span = behind(span, at);
	while (span.len > 0 && is_white(span.bytes[span.len - 1]))
		span.len--;
	return span;
}

/* A text on lines of its own keeps the indentation of its first. */
static struct span
without_gap(struct span span)
{
	size_t at = 0;

	while (at < span.len && is_blank(span.bytes[at]))
		at++;
	if (at < span.len && span.bytes[at] == '\r')
		at++;
	if (at < span.len && span.bytes[at] == '\n')
		at++;
	return behind(span, at);
}

static size_t
word_length(struct span span)
{
	size_t len = 0;

	while (len < span.len && !is_white(span.bytes[len]))
		len++;
	return len;
}

struct span
command_word(struct span *rest)
{
	size_t at = 0;

	while (at < rest->len && is_white(rest->bytes[at]))
		at++;
	struct span word = behind(*rest, at);
	word.len = word_length(word);
	*rest = without_gap(behind(*rest, at + word.len));
	return word;
}

static int
compare(const void *key, const void *element)
{
	const struct span *name = key;
	const struct command *command = element;
	size_t len = strlen(command->name);
	int rc = memcmp(name->bytes, command->name,
		name->len < len ? name->len : len);

	if (rc == 0 && name->len != len)
		return name->len < len ? -1 : 1;
	return rc;
}

const struct command *
command_find(struct span name)
{
	return bsearch(&name, commands, command_count, sizeof(*commands),
		compare);
}

static bool
takes_text(const struct command *command)
{
	for (size_t i = 0; i < COMMAND_TAKES_MAX; i++)
		if (command->takes[i] == COMMAND_TEXT)
			return true;
	return false;
}

static enum command_id
judge(const struct command *command, struct span argument)
{
	if (command == NULL)
		return COMMAND_UNKNOWN;
	if (command->takes[0] == COMMAND_NOTHING && argument.len > 0)
		return COMMAND_EXCESSIVE;
	for (size_t i = 0; i < command->needs; i++)
		if (command_word(&argument).len == 0)
			return COMMAND_INCOMPLETE;
	return command->id;
}

struct command_line
command_parse(struct span line)
{
	struct command_line parsed = { COMMAND_SAY, NULL, { "", 0 }, line };

	if (line.len == 0 || !is_prefix(line.bytes[0]))
		return parsed;
	if (line.len > 1 && line.bytes[1] == line.bytes[0]) {
		parsed.argument = behind(line, 1);
		return parsed;
	}
	parsed.word = (struct span){ line.bytes, word_length(line) };
	parsed.command = command_find(behind(parsed.word, 1));
	parsed.argument = behind(line, parsed.word.len);
	parsed.argument = parsed.command != NULL && takes_text(parsed.command)
		? without_gap(parsed.argument)
		: without_white(parsed.argument);
	parsed.id = judge(parsed.command, parsed.argument);
	return parsed;
}

void
command_append_arguments(struct text *text, const struct command *command)
{
	for (size_t i = 0; i < COMMAND_TAKES_MAX; i++)
		if (command->takes[i] != COMMAND_NOTHING)
			text_appendf(text,
				i < command->needs ? "%s%s" : "%s[%s]",
				i > 0 ? " " : "",
				argument_names[command->takes[i]]);
}

static void
append_row(struct text *text, const struct command *command)
{
	text_appendf(text, "\\%s", command->name);
	if (command->takes[0] != COMMAND_NOTHING)
		text_append_char(text, ' ');
	command_append_arguments(text, command);
	text_appendf(text, "  %s", translate(command->help));
}

static void
append_unknown(struct text *text, struct span word)
{
	struct text shown = { 0 };

	text_harmless(&shown, word, TEXT_MESSAGE);
	text_appendf(text, _("no command %s (\\h lists them)"),
		shown.len > 0 ? shown.bytes : "");
	text_free(&shown);
}

void
command_help(struct text *text, struct span name)
{
	struct span bare = name;

	if (bare.len > 0 && is_prefix(bare.bytes[0]))
		bare = behind(bare, 1);
	const struct command *one = command_find(bare);
	if (one != NULL) {
		append_row(text, one);
		return;
	}
	if (name.len > 0) {
		append_unknown(text, name);
		return;
	}
	for (size_t i = 0; i < command_count; i++) {
		append_row(text, &commands[i]);
		text_append_char(text, '\n');
	}
	text_append_string(text,
		_("/ works like \\ ; a line that begins with \\\\ or // is "
		  "said from the second on"));
}

void
command_complain(struct text *text, const struct command_line *line)
{
	switch (line->id) {
	case COMMAND_INCOMPLETE:
		text_appendf(text,
			line->command->needs > 1 ? _("\\%s: needs %s and %s")
						 : _("\\%s: needs %s"),
			line->command->name,
			argument_names[line->command->takes[0]],
			argument_names[line->command->takes[1]]);
		break;
	case COMMAND_EXCESSIVE:
		text_appendf(text, _("\\%s: takes nothing behind it"),
			line->command->name);
		break;
	default:
		assert(line->id == COMMAND_UNKNOWN);
		append_unknown(text, line->word);
	}
	text_append_string(text, _("; nothing was sent"));
}
