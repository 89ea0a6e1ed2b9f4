/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "counts.h"
#include "exec.h"
#include "memory.h"
#include "moment.h"
#include "resume.h"
#include "session.h"
#include "translate.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_JSON = 300,
	OPTION_FROM,
	OPTION_PRESENCE,
	OPTION_VERIFIED,
	OPTION_EXEC,
	OPTION_SINCE,
	OPTION_STATE,
	OPTION_DURABLE,

	ROOMS_MAX = 64,
	LAST_MAX = 100000,
	PROOF_MS = 5000, /* of a member that never says anything */
	/* What a slow reader may leave with us before we stop listening. */
	OUTPUT_MAX = 64 * 1024 * 1024,
};

static const struct cli_option options[] = {
	{ "count", 'C', "N", "end after N messages" },
	{ "last", 'n', "N", "first the newest N messages that others have" },
	{ "since", OPTION_SINCE, "TIME",
		"first what was said since: 10m, 04:25, RFC 3339, ..." },
	{ "state", OPTION_STATE, "FILE",
		"go on where the last run with FILE stopped" },
	{ "durable", OPTION_DURABLE, "NAME",
		"have the broker keep what is said while away" },
	{ "format", 'F', "FORMAT", "print by %t %r %k %u %m %i %s %f %j" },
	{ "json", OPTION_JSON, NULL, "print JSON lines" },
	{ "from", OPTION_FROM, "NAME", "only what NAME says" },
	{ "verified", OPTION_VERIFIED, NULL,
		"only what has the mark +: signed, and nothing against it" },
	{ "presence", OPTION_PRESENCE, NULL, "print who comes and goes too" },
	{ "exec", OPTION_EXEC, NULL,
		"run COMMAND for each message, its JSON on standard input" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-listen",
	.synopsis = "[OPTION...] [--exec COMMAND [ARGUMENT...]]",
	.purpose = "Print what is said in rooms as lines on standard output",
	.common = CLI_FABRIC | CLI_ROOM | CLI_USER | CLI_TIMEOUT,
	.rooms_max = ROOMS_MAX,
	.options = options,
	.operands_last = true,
};

struct listen;

/* A room on a connection of its own. */
struct channel {
	struct listen *listen;
	struct session *session;
	const char *room;
	bool was_up, told_lost;
	bool is_checked;    /* whether it hears itself */
	int64_t check_mono; /* when to see that, on this connection */
};

struct listen {
	struct cli cli;
	int64_t count;       /* messages to print; -1: no end */
	int64_t last, since; /* 0: not asked for */
	const char *format, *from, *state, *durable;
	bool json, presence, verified;
	char *const *command;

	struct conf conf;
	struct channel channels[ROOMS_MAX];
	struct session *sessions[ROOMS_MAX];
	size_t channel_count;
	struct exec *exec;
	struct resume *resume; /* or NULL */
	int64_t printed;
	struct text output;
	size_t printed_bytes; /* of output */
	bool reader_gone;
	struct fault fault;
};

static int
set_since(struct listen *listen, const char *argument)
{
	if (moment_parse(argument, session_now().wall, &listen->since) == 0) {
		/* 0 is for none. */
		if (listen->since == 0)
			listen->since = 1;
		return 0;
	}
	return cli_usage_fault(&listen->cli,
		"--since: \"%s\" is no time of the past (10m, 2h, 04:25, "
		"2026-11-23T04:25:13Z)",
		argument);
}

static int
set_durable(struct listen *listen, const char *argument)
{
	listen->durable = argument;
	if (*argument != '\0')
		return 0;
	return cli_usage_fault(&listen->cli, "--durable: the name is empty");
}

static int
take_option(struct listen *listen, int letter)
{
	struct fault fault;

	switch (letter) {
	case 'C':
		if (cli_number(optarg, 1, INT64_MAX, &listen->count) == 0)
			return 0;
		return cli_usage_fault(&listen->cli,
			"--count: \"%s\" is not a number from 1 up", optarg);
	case 'F':
		listen->format = optarg;
		if (record_format_check(optarg, &fault) == 0)
			return 0;
		return cli_usage_fault(&listen->cli, "%s", fault.text);
	case 'n':
		if (cli_number(optarg, 1, LAST_MAX, &listen->last) == 0)
			return 0;
		return cli_usage_fault(&listen->cli,
			"--last: \"%s\" is not a number from 1 to %d", optarg,
			LAST_MAX);
	case OPTION_SINCE:
		return set_since(listen, optarg);
	case OPTION_STATE:
		listen->state = optarg;
		return 0;
	case OPTION_DURABLE:
		return set_durable(listen, optarg);
	case OPTION_JSON:
		listen->json = true;
		return 0;
	case OPTION_FROM:
		listen->from = optarg;
		return 0;
	case OPTION_VERIFIED:
		listen->verified = true;
		return 0;
	case OPTION_PRESENCE:
		listen->presence = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
parse_args(struct listen *listen, int argc, char **argv)
{
	bool exec = false;
	int letter;

	listen->count = -1;
	while (!exec && (letter = cli_next(&listen->cli, argc, argv)) != -1) {
		/* What follows --exec is the command, its options included. */
		exec = letter == OPTION_EXEC;
		int rc = exec ? 0 : take_option(listen, letter);
		if (rc != 0)
			return rc;
	}
	if (exec && optind < argc && strcmp(argv[optind], "--") == 0)
		optind++;
	if (exec && optind == argc)
		return cli_usage_fault(&listen->cli, "--exec needs a command");
	if (!exec && optind < argc)
		return cli_usage_fault(&listen->cli,
			"%s: no operand is known (rooms are given by -r)",
			argv[optind]);
	if (exec)
		listen->command = argv + optind;
	if (exec && (listen->json || listen->format != NULL))
		return cli_usage_fault(&listen->cli,
			"--exec prints nothing: --json and --format have no "
			"place beside it");
	if (listen->json && listen->format != NULL)
		return cli_usage_fault(&listen->cli,
			"--json and --format exclude each other");
	if (listen->state != NULL && (listen->last > 0 || listen->since > 0))
		return cli_usage_fault(&listen->cli,
			"--state knows where to go on: --last and --since have "
			"no place beside it");
	return 0;
}

static void
print_record(struct listen *listen, const struct record *record)
{
	if (listen->json)
		record_json(record, &listen->output);
	else if (listen->format != NULL)
		record_format(record, listen->format, &listen->output);
	else
		record_plain(record, &listen->output);
}

static void
run_command(struct listen *listen, const struct record *record)
{
	struct text line = { 0 };

	record_json(record, &line);
	if (!exec_add(listen->exec, record->room,
		    (struct span){ line.bytes, line.len }))
		cli_warn(&listen->cli,
			"--exec: too much waits for %s; this "
			"is not given to it: %s",
			listen->command[0], line.bytes);
	text_free(&line);
}

/* With a command, standard output is the command's. */
static void
tell_gap(struct listen *listen, const struct record *record)
{
	struct text line = { 0 };

	if (listen->exec == NULL) {
		print_record(listen, record);
		return;
	}
	record_plain(record, &line);
	cli_warn(&listen->cli,
		"--exec: %s was not run for what nobody has any more: %.*s",
		listen->command[0], (int)line.len - 1, line.bytes);
	text_free(&line);
}

static bool
is_complete(const struct listen *listen)
{
	return listen->count >= 0 && listen->printed >= listen->count;
}

static void
on_deliver(void *context, const struct record *record)
{
	const struct channel *channel = context;
	struct listen *listen = channel->listen;
	bool message = record->type == RECORD_MESSAGE ||
		record->type == RECORD_DIRECT;

	if (is_complete(listen)) {
		if (listen->resume != NULL)
			resume_rewind(listen->resume, record);
		return;
	}
	if (listen->resume != NULL)
		resume_touch(listen->resume);
	/* A gap is never hidden: it is what was said and did not come. */
	if (record->type == RECORD_GAP) {
		tell_gap(listen, record);
		return;
	}
	if (listen->from != NULL &&
		!span_equal(record->user, span_of(listen->from)))
		return;
	if (!message && !listen->presence)
		return;
	if (listen->verified && record->trust.mark != TRUST_GOOD) {
		cli_trace(&listen->cli, "%s: left out, as its mark is %c",
			channel->room, trust_letter(record->trust.mark));
		return;
	}
	/* What is over, or forged, must not set anything off. */
	if (listen->exec != NULL &&
		(record->replayed || record->trust.mark == TRUST_BAD))
		return;
	if (message)
		listen->printed++;
	if (listen->exec != NULL && message)
		run_command(listen, record);
	else if (listen->exec == NULL)
		print_record(listen, record);
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct channel *channel = context;
	struct listen *listen = channel->listen;

	if (link == SESSION_UP) {
		if (channel->was_up)
			cli_say(&listen->cli, "back in %s, on %s",
				channel->room, session_peer(channel->session));
		else
			cli_trace(&listen->cli, "in %s, on %s", channel->room,
				session_peer(channel->session));
		if (!channel->is_checked)
			channel->check_mono = session_now().mono + PROOF_MS;
		channel->was_up = true;
		channel->told_lost = false;
		return;
	}
	channel->check_mono = INT64_MAX;
	if (!channel->was_up) {
		if (listen->fault.kind == FAULT_NONE)
			listen->fault = *why;
	} else if (!channel->told_lost) {
		channel->told_lost = true;
		cli_say(&listen->cli, "%s: connection lost, trying again: %s",
			channel->room, why->text);
	} else {
		cli_trace(&listen->cli, "%s: %s", channel->room, why->text);
	}
}

static void
on_ignored(void *context, const char *why)
{
	const struct channel *channel = context;

	cli_trace(&channel->listen->cli, "%s: ignored %s", channel->room,
		translate(why));
}

static void
on_clock(void *context, int64_t off)
{
	const struct channel *channel = context;

	cli_warn_clock(&channel->listen->cli, off);
}

static void
on_foreign(void *context, struct span room)
{
	const struct channel *channel = context;

	cli_warn_foreign(&channel->listen->cli, room);
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	const struct channel *channel = context;

	cli_warn_changed(&channel->listen->cli, user, seen, fingerprint);
}

static void
on_trouble(void *context, const char *what)
{
	const struct channel *channel = context;

	cli_warn(&channel->listen->cli, "%s", what);
}

static int
open_channel(struct listen *listen, const char *room)
{
	struct channel *channel = &listen->channels[listen->channel_count];
	const struct session_calls calls = {
		.context = channel,
		.deliver = on_deliver,
		.link = on_link,
		.ignored = on_ignored,
		.changed = on_changed,
		.trouble = on_trouble,
		.foreign = on_foreign,
		.clock = on_clock,
	};
	const struct session_config config = {
		.room = room,
		.app = tool.name,
		.participant = true,
		.proof_ms = PROOF_MS,
		.catch_up_records = listen->last,
		.catch_up_since = listen->since,
		.durable = listen->durable,
	};

	*channel = (struct channel){ .listen = listen,
		.room = room,
		.check_mono = INT64_MAX };
	channel->session = session_open(&listen->conf, &config, &calls,
		&listen->fault);
	if (channel->session == NULL)
		return -1;
	listen->sessions[listen->channel_count++] = channel->session;
	if (listen->resume == NULL)
		return 0;
	return resume_restore(listen->resume, channel->session, &listen->fault);
}

/* Twice the same room would be each message twice. */
static bool
is_open(const struct listen *listen, const char *room)
{
	for (size_t i = 0; i < listen->channel_count; i++)
		if (strcmp(listen->channels[i].room, room) == 0)
			return true;
	return false;
}

static int
set_up(struct listen *listen)
{
	if (cli_output_check(&listen->fault) < 0 ||
		cli_conf(&listen->cli, &listen->conf, &listen->fault) < 0)
		return -1;
	if (listen->command != NULL) {
		listen->exec = exec_new(listen->command, &listen->fault);
		if (listen->exec == NULL)
			return -1;
	}
	if (listen->state != NULL) {
		listen->resume = resume_open(listen->state, &listen->fault);
		if (listen->resume == NULL)
			return -1;
	}
	const char *room = cli_room(&listen->cli, &listen->conf,
		&listen->fault);
	if (room == NULL || open_channel(listen, room) < 0)
		return -1;
	for (size_t i = 1; i < listen->cli.room_count; i++)
		if (!is_open(listen, listen->cli.rooms[i]) &&
			open_channel(listen, listen->cli.rooms[i]) < 0)
			return -1;
	return 0;
}

static bool
takes_output(void)
{
	struct pollfd fd = { STDOUT_FILENO, POLLOUT, 0 };

	return poll(&fd, 1, 0) > 0;
}

/*
 * Prints what standard output takes without waiting: PIPE_BUF bytes fit when
 * poll() says so.  A reader that pauses must not stop our presence.
 */
static void
print_output(struct listen *listen)
{
	struct text *output = &listen->output;

	while (listen->printed_bytes < output->len && !listen->reader_gone &&
		takes_output()) {
		size_t len = output->len - listen->printed_bytes;

		if (len > PIPE_BUF)
			len = PIPE_BUF;
		if (cli_output((struct span){ output->bytes +
					       listen->printed_bytes,
				       len },
			    &listen->fault) != 0)
			listen->reader_gone = true;
		listen->printed_bytes += len;
	}
	if (listen->printed_bytes == 0 ||
		listen->printed_bytes < output->len / 2)
		return;
	/* What is printed makes room, seldom enough to be cheap. */
	memmove(output->bytes, output->bytes + listen->printed_bytes,
		output->len - listen->printed_bytes);
	output->len -= listen->printed_bytes;
	listen->printed_bytes = 0;
}

/* At the end: waits for the reader, but not against a signal. */
static void
print_rest(struct listen *listen, const sigset_t *during)
{
	struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };

	print_output(listen);
	while (listen->output.len > 0 && !listen->reader_gone &&
		cli_ended == 0) {
		ppoll(&out, 1, NULL, during);
		print_output(listen);
	}
	if (listen->output.len > 0 && !listen->reader_gone)
		cli_warn(&listen->cli,
			"standard output: its reader has not taken the last "
			"%zu bytes",
			listen->output.len - listen->printed_bytes);
}

static void
step_command(struct listen *listen)
{
	int status;

	if (listen->exec == NULL || listen->fault.kind != FAULT_NONE)
		return;
	if (exec_step(listen->exec, &status, &listen->fault) == 0 && status > 0)
		cli_warn(&listen->cli, "--exec: %s ended with status %d",
			listen->command[0], status);
}

/* Who may not read a room is not told so by its broker: it hears nothing, not
 * even itself. */
static void
check_heard(struct listen *listen, int64_t mono)
{
	for (size_t i = 0; i < listen->channel_count; i++) {
		struct channel *channel = &listen->channels[i];

		if (mono < channel->check_mono)
			continue;
		channel->check_mono = INT64_MAX;
		channel->is_checked = true;
		if (!member_is_heard(session_member(channel->session, 0)))
			cli_say(&listen->cli,
				"%s: our own presence did not come back: the "
				"fabric may not let this certificate read, or "
				"write to, this room (its operator can)",
				channel->room);
	}
}

static int64_t
next_check(const struct listen *listen, int64_t until)
{
	for (size_t i = 0; i < listen->channel_count; i++)
		if (listen->channels[i].check_mono < until)
			until = listen->channels[i].check_mono;
	return until;
}

/* What is printed is done with; what is not yet, is not. */
static void
save_state(struct listen *listen, bool always)
{
	bool printed = listen->output.len == 0 &&
		(listen->exec == NULL || !exec_is_busy(listen->exec));

	if (listen->resume == NULL || !printed)
		return;
	resume_save(listen->resume, listen->sessions, listen->channel_count,
		always, &listen->fault);
}

static int64_t
next_save(const struct listen *listen, int64_t until)
{
	if (listen->resume == NULL)
		return until;
	int64_t save = resume_deadline(listen->resume);
	return save < until ? save : until;
}

static void
step(struct listen *listen, int64_t until, const sigset_t *during)
{
	/* No events: POLLERR tells that the reader of a pipe has gone. */
	struct pollfd out = { STDOUT_FILENO,
		listen->output.len > 0 ? POLLOUT : 0, 0 };
	bool full = listen->output.len > OUTPUT_MAX;

	if (session_wait(listen->sessions, full ? 0 : listen->channel_count,
		    &out, 1, next_check(listen, next_save(listen, until)),
		    during, &listen->fault) < 0)
		return;
	if ((out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		listen->reader_gone = true;
	print_output(listen);
	check_heard(listen, session_now().mono);
	step_command(listen);
	save_state(listen, false);
}

static bool
is_done(const struct listen *listen)
{
	if (listen->fault.kind != FAULT_NONE || listen->reader_gone ||
		cli_ended != 0)
		return true;
	return is_complete(listen) &&
		(listen->exec == NULL || !exec_is_busy(listen->exec));
}

/* SIGCHLD has only to end the waiting. */
static void
on_child(int signal)
{
	(void)signal;
}

static void
catch_children(void)
{
	struct sigaction action = { .sa_handler = on_child };
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static bool
was_up(const struct listen *listen)
{
	for (size_t i = 0; i < listen->channel_count; i++)
		if (listen->channels[i].was_up)
			return true;
	return false;
}

/* Who never was there has not waited for messages. */
static void
end_by_time(struct listen *listen)
{
	double seconds = (double)listen->cli.timeout_ms / 1000;
	const char *peer = session_peer(listen->sessions[0]);

	if (!was_up(listen)) {
		/* Which of several is the nearest may not be known yet. */
		fault_set(&listen->fault, FAULT_UNAVAILABLE,
			"%s: no answer within %g s (is it the right port, and "
			"no firewall between?)",
			*peer != '\0' ? peer : listen->conf.brokers[0].host,
			seconds);
		return;
	}
	/* Also of what was not up for so long. */
	check_heard(listen, INT64_MAX - 1);
	fault_set(&listen->fault, FAULT_TIMEOUT,
		"%g s are over, %lld messages came (-W)", seconds,
		(long long)listen->printed);
}

static void
run(struct listen *listen)
{
	sigset_t during;
	int64_t until = INT64_MAX;

	cli_catch_signals(&during);
	if (listen->exec != NULL)
		catch_children();
	if (listen->cli.timeout_ms >= 0)
		until = session_now().mono + listen->cli.timeout_ms;
	while (!is_done(listen)) {
		if (session_now().mono >= until) {
			end_by_time(listen);
			break;
		}
		step(listen, until, &during);
	}
	session_close(listen->sessions, listen->channel_count);
	print_rest(listen, &during);
	save_state(listen, true);
	for (size_t i = 0; i < listen->channel_count; i++)
		counts_trace(&listen->cli, listen->sessions[i]);
	if (listen->exec != NULL && exec_waiting(listen->exec) > 0)
		cli_warn(&listen->cli,
			"--exec: %zu messages were not given to %s",
			exec_waiting(listen->exec), listen->command[0]);
}

int
main(int argc, char **argv)
{
	struct listen listen = { 0 };
	int status;

	cli_init(&listen.cli, &tool);
	status = parse_args(&listen, argc, argv);
	if (status == 0) {
		if (set_up(&listen) == 0)
			run(&listen);
		if (listen.fault.kind == FAULT_NONE)
			cli_output_close(&listen.fault);
		if (listen.fault.kind != FAULT_NONE)
			status = cli_fail(&listen.cli, &listen.fault);
	}
	for (size_t i = 0; i < listen.channel_count; i++)
		session_free(listen.sessions[i]);
	exec_free(listen.exec);
	resume_free(listen.resume);
	conf_free(&listen.conf);
	text_free(&listen.output);
	cli_free(&listen.cli);
	return status;
}
