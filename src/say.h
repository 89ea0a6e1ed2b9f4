/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SAY_H
#define QCHAT_SAY_H

#include "cli.h"
#include "session.h"
#include "source.h"

/* What the files of qchat-say share. */

extern const struct cli_tool say_tool;

struct say {
	struct cli cli;
	const char *to; /* one participant, or NULL */
	bool unconfirmed, dry_run, json;
	bool no_spool, flush, queue;
	enum room_severity severity;
	struct span title;
	struct span tags[ROOM_TAGS_MAX];
	size_t tag_count;

	struct conf conf;
	struct session *session;
	struct source source;
	bool after_outage;     /* others may not be back yet */
	bool said;             /* something */
	bool stopped;          /* by a signal, with nothing left to be said */
	int64_t proved;        /* numbers */
	int64_t proved_mono;   /* when the last was, or the first said */
	bool lost;             /* a connection, since then */
	int64_t last;          /* the newest number */
	int64_t progress_mono; /* when to show how far it is; or never */
	bool progress_shown;
	sigset_t during;          /* for ppoll() */
	int64_t down_mono;        /* since when there is no connection */
	struct text output;       /* JSON lines to print */
	struct fault input_fault; /* ends the input, not what was said */
	struct fault fault;       /* ends all */
};

/* Reads the command line.  0, or FAULT_USAGE, which was said. */
int say_parse_args(struct say *say, int argc, char **argv);

/* Settings and session.  0, or -1 with say->fault. */
int say_set_up(struct say *say);

/* Is there more to be read, and room for it? */
bool say_wants_input(const struct say *say);

/* Says what was read, while there is room for what has no proof.  What is
 * wrong with it is say->input_fault. */
void say_post_all(struct say *say);

/* Takes all that makes one message, before anything connects. */
void say_post_whole(struct say *say);

/* Prints the JSON lines of what was proved. */
void say_print_output(struct say *say);

/* Until all that there is to say is proved, or say->fault tells why not. */
void say_run(struct say *say);

/* Is what has no proof for another time, and not lost or forbidden? */
bool say_is_to_be_kept(const struct say *say);

/* Was the fabric out of reach the last time?  Keeps the answer. */
bool say_is_after_outage(struct say *say);

/* What was said has waited for those who lost the broker. */
void say_end_outage(struct say *say);

/* Puts what has no proof, and what is still to be read, into the spool. */
void say_keep(struct say *say);

/* The fabric can be reached: what waits from another time goes too.  That is
 * not what was asked for, so it costs a warning at most. */
void say_flush_others(struct say *say);

/* --to: says it to one participant, sealed, until that has it. */
void say_direct(struct say *say);

/* --flush and --queue. */
void say_flush(struct say *say);
void say_list_queue(struct say *say);

#endif
