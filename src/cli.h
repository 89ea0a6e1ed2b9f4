/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CLI_H
#define QCHAT_CLI_H

#include "conf.h"
#include "fault.h"
#include "text.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the mains share: options, messages, signals, standard output. */

/* An option of a tool.  A table of these ends with name NULL.  The usage text
 * and what getopt_long() needs are made from it, and completion in shells reads
 * the usage text: an argument FILE, PATH or ROOM, or words with | between them,
 * is completed. */
struct cli_option {
	const char *name;     /* long name, without dashes */
	int letter;           /* what cli_next() returns; a letter, or 256… */
	const char *argument; /* its name in the usage text, or NULL: none */
	const char *help;     /* one line */
};

/* Which of the common options a tool takes: these always --help, --version,
 * --quiet, --verbose. */
enum cli_common {
	CLI_FABRIC = 1,  /* --config, --dxl-config */
	CLI_ROOM = 2,    /* -r, may be repeated where the tool allows it */
	CLI_USER = 4,    /* -u */
	CLI_TIMEOUT = 8, /* -W */
};

/* What a tool is; static in its main. */
struct cli_tool {
	const char *name;     /* "qchat-say" */
	const char *synopsis; /* "[OPTION…] [TEXT…]" */
	const char *purpose;  /* one line */
	unsigned common;      /* enum cli_common */
	size_t rooms_max;     /* how often -r may be given */
	bool operands_last;   /* the first operand ends the options */
	const struct cli_option *options;
};

/* What the common options said. */
struct cli {
	const struct cli_tool *tool;
	struct conf_source source;
	const char **rooms; /* from argv; freed by cli_free() */
	size_t room_count;
	const char *user;
	int64_t timeout_ms; /* -1: not given */
	bool quiet;
	int verbose;
	/* private */
	struct option *long_options;
	char *letters;
};

/* Starts: locale, SIGPIPE ignored. */
void cli_init(struct cli *cli, const struct cli_tool *tool);
void cli_free(struct cli *cli);

/*
 * Takes the next option.  Common ones it handles itself (--help and --version
 * print to standard output and end the process with 0).  Returns the tool's
 * own letter (its argument is in optarg), -1 at the end (optind as getopt
 * leaves it), or '?' after a usage fault: the tool then returns FAULT_USAGE.
 */
int cli_next(struct cli *cli, int argc, char **argv);

/* Says what is wrong with the command line and where help is.
 * Returns FAULT_USAGE. */
int cli_usage_fault(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "name: text" to standard error, the text made harmless.
 * Returns the exit status of the fault. */
int cli_fail(const struct cli *cli, const struct fault *fault);

/* The same for what goes wrong and does not end the tool. */
void cli_warn(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* This machine's clock seems to be wrong, by so many ms.  Sets FAULT_CONFIG and
 * returns -1. */
int cli_clock_fault(int64_t off, struct fault *fault);

/* Warns that it does. */
void cli_warn_clock(const struct cli *cli, int64_t off);

/* Warns that what is said in a room is sealed, and cannot be read. */
void cli_warn_foreign(const struct cli *cli, struct span room);

/* Warns that a name is signed with another certificate than the one it was
 * first seen with. */
void cli_warn_changed(const struct cli *cli, struct span user, const char *seen,
	const char *fingerprint);

/* The same for what is worth knowing and no fault: not with --quiet. */
void cli_say(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with --verbose only. */
void cli_trace(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads "5", "0.5" as milliseconds (at most a year).  0, or -1. */
int cli_seconds(const char *argument, int64_t *ms);

/* Reads a whole decimal number between least and most.  0, or -1. */
int cli_number(const char *argument, int64_t least, int64_t most,
	int64_t *number);

/*
 * Finds the settings and lays the command line over them: the rooms of -r,
 * else conf->room; the user of -u.  Prints warnings with --verbose.  An
 * encrypted key's passphrase is then asked for as passphrase_use() says.
 * 0, or -1 with a fault.
 */
int cli_conf(struct cli *cli, struct conf *conf, struct fault *fault);

/* The same for who asks a service ("the TIE server") that only DXL fabrics
 * have: with the settings of another, FAULT_CONFIG. */
int cli_conf_dxl(struct cli *cli, struct conf *conf, const char *service,
	struct fault *fault);

/* The room to use where one is needed: -r, else conf's.  NULL with
 * FAULT_USAGE if there is none. */
const char *cli_room(const struct cli *cli, const struct conf *conf,
	struct fault *fault);

/*
 * Writes all to standard output.  0; 1 if its reader has gone (no fault); or
 * -1 with FAULT_IO.
 */
int cli_output(struct span bytes, struct fault *fault);

/* Can standard output be written at all?  0, or -1 with FAULT_IO: for who may
 * wait long before there is something to write. */
int cli_output_check(struct fault *fault);

/* Closes standard output and says whether all of it could be written: 0, or
 * -1 with FAULT_IO. */
int cli_output_close(struct fault *fault);

/* From now on SIGINT, SIGTERM and SIGHUP only set cli_ended and are blocked
 * outside of *during, the mask for ppoll(). */
void cli_catch_signals(sigset_t *during);
extern volatile sig_atomic_t cli_ended; /* the signal's number, or 0 */

#endif
