/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of qchat-join: what is typed, \h, and the manual page's list. */
#include "join/command.h"
#include "tap.h"

#include "memory.h"

#include <stdlib.h>

static void
is_line(const char *line, enum command_id id, const char *argument)
{
	struct command_line parsed = command_parse(span_of(line));

	ok(parsed.id == id && span_equal(parsed.argument, span_of(argument)),
		"the line \"%s\"", line);
}

static void
test_parse(void)
{
	is_line("hello", COMMAND_SAY, "hello");
	is_line("", COMMAND_SAY, "");
	is_line(" \\q", COMMAND_SAY, " \\q");
	is_line("\\q", COMMAND_QUIT, "");
	is_line("/q", COMMAND_QUIT, "");
	is_line("\\q \t\n", COMMAND_QUIT, "");
	is_line("\\h  p ", COMMAND_HELP, "p");
	is_line("\\\\q", COMMAND_SAY, "\\q");
	is_line("//etc", COMMAND_SAY, "/etc");
	is_line("\\/q", COMMAND_UNKNOWN, "");
	is_line("\\quit", COMMAND_UNKNOWN, "");
	is_line("\\Q", COMMAND_UNKNOWN, "");
	is_line("\\", COMMAND_UNKNOWN, "");
	is_line("/", COMMAND_UNKNOWN, "");
	is_line("\\zz top", COMMAND_UNKNOWN, "top");
	is_line("/s", COMMAND_SEARCH, "");
	is_line("\\j the room ", COMMAND_JOIN, "the room");
	is_line("\\c now", COMMAND_EXCESSIVE, "now");
	is_line("\\stop", COMMAND_STOP, "");
	is_line("\\stop 2 ", COMMAND_STOP, "2");
	is_line("\\p bob", COMMAND_PEOPLE, "bob");
	struct span nul = { "\\q\0", 3 };
	ok(command_parse(nul).id == COMMAND_UNKNOWN, "a NUL is no end");
}

static void
test_needs(void)
{
	is_line("\\j", COMMAND_INCOMPLETE, "");
	is_line("\\j \n ", COMMAND_INCOMPLETE, "");
	is_line("\\d", COMMAND_INCOMPLETE, "");
	is_line("\\d bob", COMMAND_INCOMPLETE, "bob");
	is_line("\\d bob \n\t", COMMAND_INCOMPLETE, "bob \n\t");
	is_line("\\d bob hi", COMMAND_DIRECT, "bob hi");
	is_line("\\me", COMMAND_INCOMPLETE, "");
	is_line("\\sev high", COMMAND_INCOMPLETE, "high");
	is_line("\\sev high db7", COMMAND_SEVERITY, "high db7");
	is_line("\\ignore", COMMAND_IGNORE, "");
}

static void
test_text(void)
{
	is_line("\\me  waves ", COMMAND_ACT, "waves ");
	is_line("\\me a\n  b\n", COMMAND_ACT, "a\n  b\n");
	is_line("\\me\n  b", COMMAND_ACT, "  b");
	is_line("\\me \r\n\nb", COMMAND_ACT, "\nb");
	is_line("a\n\\q", COMMAND_SAY, "a\n\\q");
}

static void
word_is(const char *text, const char *word, const char *rest)
{
	struct span left = span_of(text);
	struct span got = command_word(&left);

	ok(span_equal(got, span_of(word)) && span_equal(left, span_of(rest)),
		"the first word of \"%s\"", text);
}

static void
test_word(void)
{
	word_is("bob  hi there ", "bob", "hi there ");
	word_is(" \n bob\n\n  hi", "bob", "\n  hi");
	word_is("bob", "bob", "");
	word_is("bob ", "bob", "");
	word_is("", "", "");
	word_is(" \n ", "", "");
}

static void
complaint_is(const char *line, const char *want)
{
	struct text text = { 0 };
	struct command_line parsed = command_parse(span_of(line));

	command_complain(&text, &parsed);
	is(text.bytes, want, want);
	text_free(&text);
}

static void
help_is(const char *name, const char *want)
{
	struct text text = { 0 };

	command_help(&text, span_of(name));
	is(text.bytes, want, want);
	text_free(&text);
}

static void
test_help(void)
{
	struct text all = { 0 };

	help_is("d", "\\d NAME TEXT  direct: says it to NAME alone, sealed");
	help_is("\\q", "\\q  quits, with a goodbye");
	help_is("stop",
		"\\stop [N]  stops a search of MAR or TIE; of several, lists "
		"them by their N");
	help_is("/l", "\\l [ROOM]  leaves a room, or this one");
	help_is("/\033", "no command /\\x1b (\\h lists them)");
	command_help(&all, span_of(""));
	size_t rows = 0, widest = 0;
	for (const char *row = all.bytes; row != NULL; rows++) {
		size_t len = strcspn(row, "\n");

		widest = len > widest ? len : widest;
		row = row[len] == '\n' ? row + len + 1 : NULL;
	}
	ok(rows == command_count + 1, "\\h has a row for each and a hint");
	ok(widest < 80, "which are no wider than a screen (%zu)", widest);
	text_free(&all);
	complaint_is("\\x\033 a",
		"no command \\x\\x1b (\\h lists them); nothing was sent");
	complaint_is("/sev low",
		"\\sev: needs LEVEL and TEXT; nothing was sent");
	complaint_is("\\w", "\\w: needs FILE; nothing was sent");
	complaint_is("\\c all",
		"\\c: takes nothing behind it; nothing was sent");
}

static void
test_order(void)
{
	for (size_t i = 1; i < command_count; i++)
		ok(strcmp(commands[i - 1].name, commands[i].name) < 0,
			"\\%s stands in its place", commands[i].name);
	for (size_t i = 0; i < command_count; i++)
		ok(command_find(span_of(commands[i].name)) == &commands[i],
			"\\%s is found", commands[i].name);
}

/* "NAME [ROOM]" as a manual page writes it. */
static void
append_macros(struct text *list, const struct text *arguments)
{
	const char *open = memchr(arguments->bytes, '[', arguments->len);
	size_t before = open != NULL ? (size_t)(open - arguments->bytes)
				     : arguments->len;

	while (before > 0 && arguments->bytes[before - 1] == ' ')
		before--;
	if (before > 0)
		text_appendf(list, " Ar %.*s", (int)before, arguments->bytes);
	if (open != NULL)
		text_appendf(list, " Op Ar %.*s", (int)strlen(open) - 2,
			open + 1);
}

/* The list as the manual page has it, a row an item. */
static void
format_list(struct text *list)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		struct text arguments = { 0 };

		command_append_arguments(&arguments, command);
		text_appendf(list, ".It Ic \\e%s", command->name);
		if (arguments.len > 0)
			append_macros(list, &arguments);
		text_appendf(list, ": %s\n", command->help);
		text_free(&arguments);
	}
}

/* Reads the same from the page. */
static void
read_list(FILE *page, struct text *list)
{
	char line[256];
	bool within = false, item = false;

	while (fgets(line, sizeof(line), page) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Ss ", 4) == 0)
			within = strcmp(line, ".Ss Commands") == 0;
		if (!within)
			continue;
		bool first = strncmp(line, ".It ", 4) == 0;
		if (list->len > 0 && (first || strcmp(line, ".El") == 0))
			text_append_char(list, '\n');
		if (strcmp(line, ".El") == 0)
			return;
		if (first || list->len > 0)
			text_appendf(list, "%s%s",
				first          ? ""
					: item ? ": "
					       : " ",
				line);
		item = first;
	}
}

static void
test_manual(void)
{
	const char *srcdir = getenv("srcdir");
	char *path = memory_format("%s/man/qchat-join.1",
		srcdir != NULL ? srcdir : ".");
	FILE *page = fopen(path, "r");
	struct text want = { 0 }, got = { 0 };

	if (ok(page != NULL, "qchat-join(1) is there: %s", path)) {
		read_list(page, &got);
		fclose(page);
	}
	format_list(&want);
	is(got.bytes, want.bytes, "its list is that of \\h");
	text_free(&want);
	text_free(&got);
	free(path);
}

int
main(void)
{
	test_parse();
	test_needs();
	test_text();
	test_word();
	test_help();
	test_order();
	test_manual();
	return done();
}
