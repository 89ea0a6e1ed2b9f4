/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A flood: numbers, each a message of its own, for bench/run.  qchat-say -l
 * would put as many lines into one message as it has at a time; here it is as
 * if they came one by one.  All else is what qchat-say -l does.
 *
 * A broker keeps so many messages for a reader that is slower than what is
 * said (max_queued_messages, 1,000 of mosquitto), and drops the others.  So
 * the flood looks at what its reader has printed, and is not farther ahead.
 */

enum {
	NUMBER_MAX = 1000000000,
	NUMBER_BYTES = 24,
	TIMEOUT_MS = 30000,
	WINDOW = 256, /* messages that wait for their proof */
	AHEAD = 500,  /* of what the reader has printed */
	LOOK_MS = 1,  /* between looks at it */
	READ_BYTES = 65536,
};

static const struct cli_option options[] = {
	{ "printed", 'p', "FILE", "what the reader prints, a line a message" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "flood",
	.synopsis = "[OPTION...] FIRST LAST",
	.purpose = "Say the numbers from FIRST to LAST in a room, each in a "
		   "message of its own.\nEnds when all are proved",
	.common = CLI_FABRIC | CLI_ROOM,
	.rooms_max = 1,
	.options = options,
};

struct flood {
	struct cli cli;
	int64_t next, last;
	int file;        /* what the reader prints; -1: not looked at */
	int64_t printed; /* the newest number that it may have printed */
	struct conf conf;
	struct session *session;
	struct fault fault;
};

static int
parse_args(struct flood *flood, int argc, char **argv)
{
	int letter;

	while ((letter = cli_next(&flood->cli, argc, argv)) != -1) {
		if (letter != 'p')
			return FAULT_USAGE;
		flood->file = open(optarg, O_RDONLY | O_CLOEXEC);
		if (flood->file < 0)
			return cli_usage_fault(&flood->cli, "%s: %s", optarg,
				strerror(errno));
		/* What is there was said by another. */
		lseek(flood->file, 0, SEEK_END);
	}
	if (argc - optind != 2 ||
		cli_number(argv[optind], 1, NUMBER_MAX, &flood->next) < 0 ||
		cli_number(argv[optind + 1], flood->next, NUMBER_MAX,
			&flood->last) < 0)
		return cli_usage_fault(&flood->cli,
			"two rising numbers from 1 to %d are needed",
			NUMBER_MAX);
	flood->printed = flood->next - 1;
	return 0;
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct flood *flood = context;

	if (link != SESSION_UP && flood->fault.kind == FAULT_NONE)
		flood->fault = *why;
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct flood *flood = context;

	(void)last;
	(void)text;
	fault_set(&flood->fault, FAULT_UNAVAILABLE,
		"no proof of message %" PRId64, first);
}

static int
set_up(struct flood *flood)
{
	const struct session_calls calls = {
		.context = flood,
		.link = on_link,
		.unproved = on_unproved,
	};
	struct session_config config = {
		.app = tool.name,
		.stream = true,
		.proof_ms = TIMEOUT_MS,
	};

	if (cli_conf(&flood->cli, &flood->conf, &flood->fault) < 0)
		return -1;
	config.room = cli_room(&flood->cli, &flood->conf, &flood->fault);
	if (config.room == NULL)
		return -1;
	flood->session = session_open(&flood->conf, &config, &calls,
		&flood->fault);
	return flood->session != NULL ? 0 : -1;
}

static void
look(struct flood *flood)
{
	static char bytes[READ_BYTES];
	ssize_t len;

	while ((len = read(flood->file, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < len; i++)
			if (bytes[i] == '\n')
				flood->printed++;
}

/* Is the reader too far behind?  Nothing wakes us when it prints. */
static bool
is_ahead(const struct flood *flood)
{
	return flood->file >= 0 && flood->next <= flood->last &&
		flood->next > flood->printed + AHEAD;
}

static void
say_some(struct flood *flood)
{
	const struct member *member = session_member(flood->session, 0);
	char number[NUMBER_BYTES];

	if (flood->file >= 0)
		look(flood);
	while (flood->next <= flood->last && !is_ahead(flood) &&
		member_unproved(member) < WINDOW) {
		snprintf(number, sizeof(number), "%" PRId64, flood->next++);
		const struct member_post post = {
			.text = span_of(number),
			.lines = -1,
		};
		session_say(flood->session, &post, &flood->fault);
	}
}

static bool
is_done(const struct flood *flood)
{
	struct member *member = session_member(flood->session, 0);

	if (flood->fault.kind != FAULT_NONE || cli_ended != 0)
		return true;
	if (flood->next <= flood->last)
		return false;
	member_finish(member, session_now());
	return member_is_finished(member, session_now());
}

static void
run(struct flood *flood)
{
	sigset_t during;

	cli_catch_signals(&during);
	while (!is_done(flood)) {
		say_some(flood);
		int64_t until = is_ahead(flood) ? session_now().mono + LOOK_MS
						: INT64_MAX;
		if (session_wait(&flood->session, 1, NULL, 0, until, &during,
			    &flood->fault) < 0)
			break;
	}
	session_close(&flood->session, 1);
}

int
main(int argc, char **argv)
{
	struct flood flood = { .file = -1 };
	int status;

	cli_init(&flood.cli, &tool);
	status = parse_args(&flood, argc, argv);
	if (status == 0) {
		if (set_up(&flood) == 0)
			run(&flood);
		if (flood.fault.kind != FAULT_NONE)
			status = cli_fail(&flood.cli, &flood.fault);
	}
	if (flood.file >= 0)
		close(flood.file);
	session_free(flood.session);
	conf_free(&flood.conf);
	cli_free(&flood.cli);
	return status;
}
