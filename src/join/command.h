/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_COMMAND_H
#define QCHAT_JOIN_COMMAND_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* What is typed: a text to be said, or a command.  Knows no terminal. */

enum command_id {
	COMMAND_SAY,     /* no command: say it */
	COMMAND_UNKNOWN, /* never said */
	COMMAND_COUNTS,
	COMMAND_HELP,
	COMMAND_PEOPLE,
	COMMAND_QUIT,
};

struct command {
	const char *name;     /* without the backslash */
	const char *argument; /* in the help; "" for none */
	const char *help;
	enum command_id id;
};

/* All commands, sorted by name. */
extern const struct command commands[];
extern const size_t command_count;

struct command_line {
	enum command_id id;
	struct span word;     /* the command's name as it was typed */
	struct span argument; /* or the text to be said */
};

/* `\x` and `/x` are commands; `\\x` and `//x` say `\x` and `/x`.  Spans point
 * into line. */
struct command_line command_parse(const char *line);

/* NULL if there is none of that name. */
const struct command *command_find(struct span name);

#endif
