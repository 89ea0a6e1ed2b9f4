/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "queue.h"
#include "session.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_TITLE = 300,
	OPTION_TAG,
	OPTION_CONFIRM,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_SKIP_EMPTY,
	OPTION_SPOOL,
	OPTION_NO_SPOOL,
	OPTION_FLUSH,
	OPTION_QUEUE,

	TIMEOUT_MS = 5000,  /* without -W */
	FLAPPING_TIMES = 4, /* of the timeout, without any proof */
	PROGRESS_FIRST_MS = 2000,
	PROGRESS_MS = 500,
	WINDOW = 256, /* posts of a stream that wait for their proof, … */
	WINDOW_BYTES = 4 * 1024 * 1024, /* … and what they may hold */
};

static const struct cli_option options[] = {
	{ "lines", 'l', NULL, "each line of standard input is a message" },
	{ "severity", 's', "LEVEL", "info, low, medium, high or critical" },
	{ "title", OPTION_TITLE, "TEXT", "a title before the text" },
	{ "tag", OPTION_TAG, "WORD", "a tag; may be repeated" },
	{ "skip-empty", OPTION_SKIP_EMPTY, NULL, "nothing to say is no error" },
	{ "confirm", OPTION_CONFIRM, "echo|none",
		"await our own echo (default), or not" },
	{ "spool", OPTION_SPOOL, NULL,
		"keep what cannot be delivered now (default)" },
	{ "no-spool", OPTION_NO_SPOOL, NULL, "give it up" },
	{ "flush", OPTION_FLUSH, NULL, "send what was kept, and end" },
	{ "queue", OPTION_QUEUE, NULL, "list what was kept, and end" },
	{ "dry-run", OPTION_DRY_RUN, NULL, "check everything, send nothing" },
	{ "json", OPTION_JSON, NULL, "print what was sent as JSON lines" },
	{ "quiet", 'q', NULL, "no word on what went wrong, only the status" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-say",
	.synopsis = "[OPTION...] [TEXT...]",
	.purpose = "Post a message, from the arguments or standard input, "
		   "into a room",
	.common = CLI_FABRIC | CLI_ROOM | CLI_USER | CLI_TIMEOUT,
	.rooms_max = 1,
	.options = options,
};

struct say {
	struct cli cli;
	bool unconfirmed, dry_run, json;
	bool no_spool, flush, queue;
	enum room_severity severity;
	struct span title;
	struct span tags[ROOM_TAGS_MAX];
	size_t tag_count;

	struct conf conf;
	struct session *session;
	struct source source;
	bool said;             /* something */
	bool stopped;          /* by a signal, with nothing left to be said */
	int64_t proved;        /* numbers */
	int64_t proved_mono;   /* when the last was, or the first said */
	int64_t last;          /* the newest number */
	int64_t progress_mono; /* when to show how far it is; or never */
	bool progress_shown;
	sigset_t during;          /* for ppoll() */
	int64_t down_mono;        /* since when there is no connection */
	struct text output;       /* JSON lines to print */
	struct fault input_fault; /* ends the input, not what was said */
	struct fault fault;       /* ends all */
};

static int
set_severity(struct say *say, const char *argument)
{
	say->severity = room_severity_of(span_of(argument));
	if (say->severity != ROOM_SEVERITY_NONE)
		return 0;
	return cli_usage_fault(&say->cli,
		"--severity: \"%s\" is none of info, "
		"low, medium, high, critical",
		argument);
}

static int
add_tag(struct say *say, const char *argument)
{
	if (say->tag_count == ROOM_TAGS_MAX)
		return cli_usage_fault(&say->cli, "--tag: more than %d",
			ROOM_TAGS_MAX);
	say->tags[say->tag_count++] = span_of(argument);
	return 0;
}

static int
set_confirm(struct say *say, const char *argument)
{
	say->unconfirmed = strcmp(argument, "none") == 0;
	if (say->unconfirmed || strcmp(argument, "echo") == 0)
		return 0;
	return cli_usage_fault(&say->cli,
		"--confirm: \"%s\" is neither echo nor none", argument);
}

static int
take_option(struct say *say, int letter)
{
	switch (letter) {
	case 'l':
		say->source.by_lines = true;
		return 0;
	case 's':
		return set_severity(say, optarg);
	case OPTION_TITLE:
		say->title = span_of(optarg);
		return 0;
	case OPTION_TAG:
		return add_tag(say, optarg);
	case OPTION_SKIP_EMPTY:
		say->source.skip_empty = true;
		return 0;
	case OPTION_CONFIRM:
		return set_confirm(say, optarg);
	case OPTION_DRY_RUN:
		say->dry_run = true;
		return 0;
	case OPTION_SPOOL:
		say->no_spool = false;
		return 0;
	case OPTION_NO_SPOOL:
		say->no_spool = true;
		return 0;
	case OPTION_FLUSH:
		say->flush = true;
		return 0;
	case OPTION_QUEUE:
		say->queue = true;
		return 0;
	case OPTION_JSON:
		say->json = true;
		return 0;
	case 'q':
		say->cli.quiet = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
parse_args(struct say *say, int argc, char **argv)
{
	int letter;

	while ((letter = cli_next(&say->cli, argc, argv)) != -1) {
		int rc = take_option(say, letter);
		if (rc != 0)
			return rc;
	}
	if (say->cli.timeout_ms == 0)
		return cli_usage_fault(&say->cli,
			"--timeout: 0 leaves no time for a proof");
	if (say->cli.timeout_ms < 0)
		say->cli.timeout_ms = TIMEOUT_MS;
	if (say->flush || say->queue) {
		if (optind < argc || say->source.by_lines)
			return cli_usage_fault(&say->cli,
				"--flush and --queue say nothing of their own "
				"(no TEXT, no --lines)");
		return 0;
	}
	if (say->source.by_lines && optind < argc)
		return cli_usage_fault(&say->cli,
			"--lines reads standard "
			"input; there may be no TEXT");
	if (optind == argc && !say->source.by_lines && isatty(STDIN_FILENO))
		return cli_usage_fault(&say->cli,
			"nothing to say: give TEXT, "
			"or pipe it in");
	for (int i = optind; i < argc; i++)
		source_add(&say->source, argv[i]);
	return 0;
}

/* Says one post.  0, or -1 with the input's fault. */
static int
post(struct say *say, struct span text, int64_t lines)
{
	const struct member_post post = {
		.text = text,
		.lines = lines > 1 ? lines : -1,
		.severity = say->severity,
		.title = say->title,
		.tags = say->tags,
		.tag_count = say->tag_count,
	};

	struct fault fault = { 0 };

	int64_t number = session_say(say->session, &post, &fault);
	if (number >= 0) {
		if (say->last == say->proved)
			say->proved_mono = session_now().mono;
		say->said = true;
		say->last = number + lines - 1;
		return 0;
	}
	if (!say->source.by_lines) {
		say->input_fault = fault;
		return -1;
	}
	return fault_set(&say->input_fault, fault.kind, "line %lld: %s",
		(long long)say->source.line, fault.text);
}

static bool
has_room(const struct say *say)
{
	const struct member *member = session_member(say->session, 0);

	return member_unproved(member) < WINDOW &&
		member_unproved_bytes(member) < WINDOW_BYTES;
}

/* Says what was read, while the window has room. */
static void
post_all(struct say *say)
{
	struct span text;
	int64_t lines;

	while (say->input_fault.kind == FAULT_NONE && has_room(say)) {
		/* A fault with a post is about what stands behind it. */
		if (source_take(&say->source, &text, &lines,
			    &say->input_fault) <= 0 ||
			post(say, text, lines) < 0)
			return;
	}
}

/* Takes all that makes one message, before anything connects. */
static void
post_whole(struct say *say)
{
	while (say->input_fault.kind == FAULT_NONE &&
		source_is_open(&say->source)) {
		source_read(&say->source, &say->input_fault);
		post_all(say);
	}
	post_all(say);
}

static bool
wants_input(const struct say *say)
{
	return source_is_open(&say->source) &&
		say->input_fault.kind == FAULT_NONE && has_room(say);
}

static void
on_deliver(void *context, const struct record *record)
{
	struct say *say = context;

	if (record->own && say->json)
		record_json(record, &say->output);
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	struct say *say = context;

	say->proved += last - first + 1;
	say->proved_mono = session_now().mono;
	if (say->unconfirmed)
		return;
	if (first == last)
		cli_trace(&say->cli, "%lld: proved by its echo",
			(long long)first);
	else
		cli_trace(&say->cli, "%lld to %lld: proved by their echo",
			(long long)first, (long long)last);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct say *say = context;

	(void)last;
	(void)text;
	if (say->fault.kind != FAULT_NONE)
		return;
	if (say->unconfirmed) {
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s: message %lld is not acknowledged within %g s",
			session_peer(say->session), (long long)first,
			(double)say->cli.timeout_ms / 1000);
		return;
	}
	/* It was permitted a while ago: the fabric is what fails. */
	if (say->source.by_lines && say->proved > 0) {
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s: no proof of message %lld and what follows within "
			"%g s",
			session_peer(say->session), (long long)first,
			(double)say->cli.timeout_ms / 1000);
		return;
	}
	fault_set(&say->fault, FAULT_NOPERM,
		"%s: no echo of message %lld "
		"within %g s: the fabric may not let this certificate write "
		"to, or read, \"%s\"",
		session_peer(say->session), (long long)first,
		(double)say->cli.timeout_ms / 1000,
		member_room(session_member(say->session, 0)));
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct say *say = context;

	if (link == SESSION_UP) {
		say->down_mono = INT64_MAX;
		cli_trace(&say->cli, "connected to %s",
			session_peer(say->session));
		return;
	}
	if (say->down_mono == INT64_MAX)
		say->down_mono = session_now().mono;
	if (link != SESSION_CONNECTING)
		cli_trace(&say->cli, "%s", why->text);
	else if (say->fault.kind == FAULT_NONE)
		say->fault = *why;
}

static void
on_ignored(void *context, const char *why)
{
	struct say *say = context;

	cli_trace(&say->cli, "ignored %s", why);
}

static int
set_up(struct say *say)
{
	const struct session_calls calls = {
		.context = say,
		.deliver = on_deliver,
		.proved = on_proved,
		.unproved = on_unproved,
		.link = on_link,
		.ignored = on_ignored,
	};
	struct session_config config = {
		.app = tool.name,
		.once = !say->source.by_lines,
		.stream = say->source.by_lines,
		.show_own = say->json,
		.unconfirmed = say->unconfirmed,
		.proof_ms = say->cli.timeout_ms,
	};

	if (cli_conf(&say->cli, &say->conf, &say->fault) < 0)
		return -1;
	config.room = cli_room(&say->cli, &say->conf, &say->fault);
	if (config.room == NULL)
		return -1;
	say->session = session_open(&say->conf, &config, &calls, &say->fault);
	return say->session != NULL ? 0 : -1;
}

static bool
is_done(const struct say *say)
{
	struct member *member = session_member(say->session, 0);
	bool input_left = say->input_fault.kind == FAULT_NONE &&
		!source_is_empty(&say->source);

	if (say->fault.kind != FAULT_NONE)
		return true;
	if (input_left && !say->stopped)
		return false;
	member_finish(member, session_now());
	return say->stopped || member_is_finished(member, session_now());
}

/* Connected again and again, and never for long enough: some brokers end the
 * connection of who may not write. */
static int64_t
flapping_deadline(const struct say *say)
{
	if (member_unproved(session_member(say->session, 0)) == 0)
		return INT64_MAX;
	return say->proved_mono + FLAPPING_TIMES * say->cli.timeout_ms;
}

static void
check_flapping(struct say *say)
{
	if (say->fault.kind != FAULT_NONE ||
		session_now().mono < flapping_deadline(say))
		return;
	fault_set(&say->fault, FAULT_UNAVAILABLE,
		"%s: each connection was lost before the proof of message "
		"%lld; the broker may not let this certificate write there "
		"(its log tells)",
		session_peer(say->session), (long long)say->proved + 1);
}

static void
check_time(struct say *say)
{
	check_flapping(say);
	if (say->fault.kind != FAULT_NONE || say->down_mono == INT64_MAX ||
		session_now().mono - say->down_mono < say->cli.timeout_ms)
		return;
	fault_set(&say->fault, FAULT_UNAVAILABLE,
		"%s: no connection within %g s (-W gives it longer)",
		session_peer(say->session), (double)say->cli.timeout_ms / 1000);
}

static void
print_output(struct say *say)
{
	struct fault fault = { 0 };

	if (cli_output((struct span){ say->output.bytes, say->output.len },
		    &fault) < 0 &&
		say->fault.kind == FAULT_NONE)
		say->fault = fault;
	text_clear(&say->output);
}

/* A long job on a terminal says how far it is. */
static void
show_progress(struct say *say)
{
	if (session_now().mono < say->progress_mono)
		return;
	say->progress_mono = session_now().mono + PROGRESS_MS;
	say->progress_shown = true;
	fprintf(stderr, "\r%s: %lld lines delivered, %lld on their way\033[K",
		say->cli.tool->name, (long long)say->proved,
		(long long)(say->last - say->proved));
}

static void
end_progress(struct say *say)
{
	if (say->progress_shown)
		fputs("\r\033[K", stderr);
}

static int64_t
next_wake(const struct say *say)
{
	int64_t until = say->down_mono == INT64_MAX
		? flapping_deadline(say)
		: say->down_mono + say->cli.timeout_ms;

	return say->progress_mono < until ? say->progress_mono : until;
}

/* A signal ends it at once.  If all that could be read is proved, nothing is
 * amiss. */
static void
stop(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	if (wants_input(say) && poll(&input, 1, 0) > 0) {
		source_read(&say->source, &say->input_fault);
		post_all(say);
	}
	if (member_unproved(session_member(say->session, 0)) == 0 &&
		!source_is_left(&say->source))
		say->stopped = true;
	else
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"interrupted: what was not proved may not be "
			"delivered");
}

static void
step(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
	size_t count = wants_input(say) ? 1 : 0;

	if (session_wait(&say->session, 1, &input, count, next_wake(say),
		    &say->during, &say->fault) < 0)
		return;
	if (count > 0 && input.revents != 0)
		source_read(&say->source, &say->input_fault);
	post_all(say);
	check_time(say);
	print_output(say);
	show_progress(say);
	if (cli_ended != 0 && say->fault.kind == FAULT_NONE)
		stop(say);
}

/* Until all that there is to say is proved. */
static void
run(struct say *say)
{
	cli_catch_signals(&say->during);
	/* Another program may have its port by now. */
	if (say->conf.stopped) {
		fault_set(&say->fault, FAULT_UNAVAILABLE, CONF_STOPPED);
		return;
	}
	say->down_mono = session_now().mono;
	if (say->source.by_lines && !say->cli.quiet && isatty(STDERR_FILENO))
		say->progress_mono = say->down_mono + PROGRESS_FIRST_MS;
	while (!is_done(say))
		step(say);
	end_progress(say);
	session_close(&say->session, 1);
}

static void
wait_for_input(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	if (ppoll(&input, 1, NULL, &say->during) > 0)
		source_read(&say->source, &say->input_fault);
}

/* Keeps what waits, and what is still to be read. */
static int
keep_all(struct say *say, struct queue *queue, size_t *kept,
	struct fault *fault)
{
	struct member *member = session_member(say->session, 0);

	for (;;) {
		if (queue_keep(queue, member, session_user(say->session), kept,
			    fault) < 0)
			return -1;
		/* What was read already, even if a signal ends the reading. */
		post_all(say);
		if (member_unproved(member) > 0)
			continue;
		if (source_is_empty(&say->source) ||
			say->input_fault.kind != FAULT_NONE || cli_ended != 0)
			return 0;
		if (source_is_open(&say->source))
			wait_for_input(say);
	}
}

/* The fabric cannot be reached: for another time. */
static void
keep(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);
	struct fault why = say->fault, fault = { 0 };
	size_t kept = 0;

	if (keep_all(say, queue, &kept, &fault) < 0)
		fault_set(&say->fault, fault.kind,
			"%s; %zu message%s kept in the spool, the others "
			"are lost: %s",
			why.text, kept, kept == 1 ? " is" : "s are",
			fault.text);
	else if (kept > 0)
		fault_set(&say->fault, FAULT_TEMPFAIL,
			"%s; %zu message%s kept in the spool (qchat-say "
			"--flush sends what waits)",
			why.text, kept, kept == 1 ? " is" : "s are");
	queue_free(queue);
}

static bool
is_to_be_kept(const struct say *say)
{
	return say->fault.kind == FAULT_UNAVAILABLE && !say->no_spool &&
		cli_ended != SIGINT;
}

/* The fabric can be reached: what waits from another time goes too.  That is
 * not what was asked for, so it costs a warning at most. */
static void
flush_others(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);
	struct fault fault = { 0 };

	switch (queue_flush(queue, &say->cli, &say->during, &fault)) {
	case QUEUE_FLUSH_FAILED:
		cli_say(&say->cli, "%s", fault.text);
		break;
	case QUEUE_FLUSH_BUSY:
	case QUEUE_FLUSH_ELSEWHERE:
		cli_trace(&say->cli, "%s", fault.text);
		break;
	case QUEUE_FLUSH_DONE:
		break;
	}
	queue_free(queue);
}

/* Sends nothing: what would be sent is shown. */
static void
rehearse(struct say *say)
{
	struct member *member = session_member(say->session, 0);

	while (say->input_fault.kind == FAULT_NONE &&
		!source_is_empty(&say->source)) {
		if (source_is_open(&say->source))
			source_read(&say->source, &say->input_fault);
		post_all(say);
		member_show_unproved(member, session_now());
		member_drop_unproved(member);
		print_output(say);
	}
	member_show_unproved(member, session_now());
	print_output(say);
}

static void
flush(struct say *say)
{
	struct queue *queue;

	if (cli_conf(&say->cli, &say->conf, &say->fault) < 0)
		return;
	cli_catch_signals(&say->during);
	queue = queue_open(&say->conf);
	queue_flush(queue, &say->cli, &say->during, &say->fault);
	queue_free(queue);
}

static void
list_queue(struct say *say)
{
	struct fault fault = { 0 };
	bool is_known = cli_conf(&say->cli, &say->conf, &fault) == 0;
	struct queue *queue = queue_open(is_known ? &say->conf : NULL);

	if (!is_known)
		cli_trace(&say->cli, "%s", fault.text);
	queue_list(queue, &say->cli, say->json, &say->fault);
	queue_free(queue);
}

static void
say_all(struct say *say)
{
	if (say->queue || say->flush) {
		if (say->queue)
			list_queue(say);
		else
			flush(say);
		return;
	}
	if (set_up(say) < 0)
		return;
	if (!say->source.by_lines)
		post_whole(say);
	if (say->source.by_lines || say->said) {
		if (say->dry_run)
			rehearse(say);
		else
			run(say);
	}
	if (is_to_be_kept(say))
		keep(say);
	else if (say->said && !say->dry_run && !say->no_spool &&
		!say->stopped && say->fault.kind == FAULT_NONE)
		flush_others(say);
	if (!say->said && !say->source.skip_empty && !say->stopped &&
		say->input_fault.kind == FAULT_NONE &&
		say->fault.kind == FAULT_NONE)
		fault_set(&say->fault, FAULT_NOINPUT,
			"there is nothing to "
			"say (--skip-empty makes that no error)");
}

/* With --quiet the status alone tells. */
static int
end_status(const struct say *say)
{
	const struct fault *faults[] = { &say->fault, &say->input_fault };
	int status = 0;

	for (size_t i = 0; i < 2; i++) {
		if (faults[i]->kind == FAULT_NONE)
			continue;
		if (!say->cli.quiet)
			cli_fail(&say->cli, faults[i]);
		if (status == 0)
			status = (int)faults[i]->kind;
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct say say = { .down_mono = INT64_MAX, .progress_mono = INT64_MAX };
	int status;

	cli_init(&say.cli, &tool);
	say.cli.source.stopped_too = true;
	status = parse_args(&say, argc, argv);
	if (status == 0) {
		say_all(&say);
		if ((say.json || say.queue) && say.fault.kind == FAULT_NONE)
			cli_output_close(&say.fault);
		status = end_status(&say);
	}
	session_free(say.session);
	conf_free(&say.conf);
	source_free(&say.source);
	text_free(&say.output);
	cli_free(&say.cli);
	return status;
}
