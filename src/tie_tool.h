/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TIE_TOOL_H
#define QCHAT_TIE_TOOL_H

#include "cli.h"
#include "columns.h"
#include "session.h"
#include "tie_list.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What the files of qchat-tie share:
 *
 *	qchat-tie.c   its options, and the steps
 *	tie_inquire.c asks for each hash, and prints what comes
 *	tie_report.c  tells what another product has found
 *	tie_follow.c  prints changes as they are broadcast
 *	tie_list.c    the hashes
 *	tie_show.c    what comes as a table
 */
struct tie {
	struct cli cli;
	bool agents, follow, sets, external, json, yes, certificates;
	int64_t trust; /* to set */
	const char *comment;
	const char *public_key;
	int64_t limit;      /* of systems */
	int64_t most;       /* of changes; 0: no end */
	const char **files; /* of the command line */
	size_t file_count;
	struct tie_list list;

	struct conf conf;
	struct session *session;
	bool is_terminal; /* standard output */
	bool is_headed;   /* the header is written */
	bool reader_gone;
	bool is_up, was_up; /* there is a connection, and there ever was one */
	bool is_missing;    /* something is not known: the answer is no */
	int status;         /* of what was told already, or 0 */
	struct columns columns;
	int64_t printed; /* changes */
	struct fault fault;
};

/* Says something of one on standard error. */
void tie_tell(const struct tie *tie, const struct tie_subject *subject,
	const char *what);

/* Writes to standard output. */
void tie_print(struct tie *tie, struct text *text);

/* Writes the rows that there are. */
void tie_print_rows(struct tie *tie);

/* A file's name without its folder: where it lies is nobody else's business.
 * NULL for NULL. */
const char *tie_base_name(const char *path);

/* tie_inquire.c: for each of the list what was asked for. */
void tie_inquire(struct tie *tie, const sigset_t *during);

/* tie_report.c: tells what another product has found of each of the list. */
void tie_report_all(struct tie *tie, const sigset_t *during);

/* tie_follow.c: what is broadcast, until it is ended. */
void tie_hear(struct tie *tie, struct span topic, struct span payload);
void tie_follow(struct tie *tie, const sigset_t *during);

#endif
