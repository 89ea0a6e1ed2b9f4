/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <stdlib.h>
#include <string.h>

const struct command commands[] = {
	{ "c", "", "counts: what was said, by whom, and how the link is",
		COMMAND_COUNTS },
	{ "h", "[COMMAND]", "help on all commands, or on one", COMMAND_HELP },
	{ "p", "", "participants: who is here, since when, with what",
		COMMAND_PEOPLE },
	{ "q", "", "quit, with a goodbye", COMMAND_QUIT },
};
const size_t command_count = sizeof(commands) / sizeof(*commands);

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

struct command_line
command_parse(const char *line)
{
	struct command_line parsed = { COMMAND_SAY, { "", 0 }, span_of(line) };

	if (line[0] != '\\' && line[0] != '/')
		return parsed;
	if (line[1] == line[0]) {
		parsed.argument = span_of(line + 1);
		return parsed;
	}
	parsed.word = (struct span){ line + 1, strcspn(line + 1, " \t") };
	const char *argument = parsed.word.bytes + parsed.word.len;
	parsed.argument = span_of(argument + strspn(argument, " \t"));
	const struct command *command = command_find(parsed.word);
	parsed.id = command != NULL ? command->id : COMMAND_UNKNOWN;
	return parsed;
}
