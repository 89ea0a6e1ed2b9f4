/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_COMMAND_H
#define QCHAT_JOIN_COMMAND_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* What is typed: a text to be said, or a command.  Knows no terminal. */

enum command_id {
	COMMAND_SAY,        /* no command: say it */
	COMMAND_UNKNOWN,    /* no such command; it and the next two … */
	COMMAND_INCOMPLETE, /* one without all that it needs … */
	COMMAND_EXCESSIVE,  /* one that takes nothing … are never said */
	COMMAND_ACT,
	COMMAND_COUNTS,
	COMMAND_DIRECT,
	COMMAND_HELP,
	COMMAND_IGNORE,
	COMMAND_JOIN,
	COMMAND_LEAVE,
	COMMAND_MAR,
	COMMAND_NO,
	COMMAND_PEOPLE,
	COMMAND_PIN,
	COMMAND_QUIT,
	COMMAND_RESEND,
	COMMAND_SEARCH,
	COMMAND_SEVERITY,
	COMMAND_STOP,
	COMMAND_TIME,
	COMMAND_TIE,
	COMMAND_WRITE,
	COMMAND_YES,
};

/* What stands behind a command. */
enum command_argument {
	COMMAND_NOTHING,
	COMMAND_NAME, /* of a participant, as it is shown: without blanks */
	COMMAND_ROOM, /* there may be blanks in it */
	COMMAND_TEXT, /* as it was typed, line feeds and all */
	COMMAND_LEVEL,
	COMMAND_WORD,
	COMMAND_HASH,
	COMMAND_QUERY, /* there are blanks in it */
	COMMAND_SHARE, /* yes or no: is the room to see it? */
	COMMAND_FILE,
	COMMAND_NUMBER, /* of a list */
	COMMAND_COMMAND,
};

enum { COMMAND_TAKES_MAX = 2 };

struct command {
	const char *name; /* without the backslash */
	enum command_argument takes[COMMAND_TAKES_MAX];
	size_t needs; /* so many of them, the others may be left out */
	const char *help;
	enum command_id id;
};

/* All commands, sorted by name. */
extern const struct command commands[];
extern const size_t command_count;

struct command_line {
	enum command_id id;
	const struct command *command; /* NULL: SAY and UNKNOWN */
	struct span word;     /* the command as it was typed, with its \ or / */
	struct span argument; /* or the text to be said */
};

/*
 * `\x` and `/x` are commands; `\\x` and `//x` say `\x` and `/x`.  White space
 * around the argument is not part of it, but of a TEXT only the blanks before
 * it and one line feed go.  Spans point into line.
 */
struct command_line command_parse(struct span line);

/*
 * Takes the first word off rest, which may be an argument's NAME or LEVEL, and
 * leaves there what is behind it, as command_parse() leaves a TEXT.  Empty if
 * there is none.
 */
struct span command_word(struct span *rest);

/* NULL if there is none of that name. */
const struct command *command_find(struct span name);

/* "NAME TEXT", "[ROOM]", or nothing. */
void command_append_arguments(struct text *text, const struct command *command);

/* A row for each command and one on how to say what looks like one; or a row
 * for the one with that name, with or without its \ or /.  Line feeds between
 * rows. */
void command_help(struct text *text, struct span name);

/* Why a line with UNKNOWN, INCOMPLETE or EXCESSIVE was not understood: one
 * harmless row. */
void command_complain(struct text *text, const struct command_line *line);

#endif
