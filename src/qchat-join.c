/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "counts.h"
#include "identity.h"
#include "join/command.h"
#include "join/input.h"
#include "join/recall.h"
#include "join/screen.h"
#include "join/scroll.h"
#include "join/show.h"
#include "memory.h"
#include "session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PROOF_MS = 5000,
	CATCH_UP = 500,         /* records that were said before */
	CONNECT_MS = 15 * 1000, /* without -W */
	STATUS_MS = 1000,       /* between looks at what changes by itself */
};

static const struct cli_option options[] = {
	{ "quiet", 'q', NULL, "do not show who comes and goes" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-join",
	.synopsis = "[OPTION...]",
	.purpose = "Be in a room, on screen",
	.common = CLI_FABRIC | CLI_ROOM | CLI_USER | CLI_TIMEOUT,
	.rooms_max = 1,
	.options = options,
};

struct join {
	struct cli cli;
	struct conf conf;
	char *room;
	struct session *session;
	struct screen *screen;
	struct scroll *scroll;
	size_t back; /* rows scrolled back */
	bool named;  /* the name was asked for */
	bool leaving;
	bool told_lost;
	struct text undelivered; /* at the end; begun only then */
	struct fault fault;
};

static volatile sig_atomic_t resized;

static int
parse_args(struct join *join, int argc, char **argv)
{
	int letter;

	while ((letter = cli_next(&join->cli, argc, argv)) != -1) {
		if (letter != 'q')
			return FAULT_USAGE;
		join->cli.quiet = true;
	}
	if (optind < argc)
		return cli_usage_fault(&join->cli,
			"%s: no operand is known (the room is given by -r)",
			argv[optind]);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_usage_fault(&join->cli,
			"needs a terminal: in "
			"scripts and pipes, qchat-listen reads a room and "
			"qchat-say writes to it");
	if (join->cli.timeout_ms == 0)
		return cli_usage_fault(&join->cli,
			"--timeout: 0 leaves no time to connect");
	if (join->cli.timeout_ms < 0)
		join->cli.timeout_ms = CONNECT_MS;
	return 0;
}

static void
notice(struct join *join, const char *text)
{
	struct text line = { 0 };

	show_notice(&line, session_now().wall, text);
	scroll_add(join->scroll, SCROLL_NOTICE,
		(struct span){ line.bytes, line.len });
	text_free(&line);
}

static void
on_deliver(void *context, const struct record *record)
{
	struct join *join = context;
	bool message = record->type == RECORD_MESSAGE ||
		record->type == RECORD_DIRECT;
	struct text line = { 0 };

	if (join->undelivered.bytes != NULL) {
		record_plain(record, &join->undelivered);
		return;
	}
	if (join->cli.quiet && !message && record->type != RECORD_GAP)
		return;
	show_record(&line, record);
	scroll_add(join->scroll,
		!message              ? SCROLL_NOTICE
			: record->own ? SCROLL_OWN
				      : SCROLL_MESSAGE,
		(struct span){ line.bytes, line.len });
	text_free(&line);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct join *join = context;
	struct text line = { 0 };

	(void)first;
	(void)last;
	text_append_string(&line,
		"NOT DELIVERED, as it did not come back (the fabric may not "
		"let you write to, or read, this room): ");
	text_append(&line, text.bytes, text.len);
	notice(join, line.bytes);
	text_free(&line);
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct join *join = context;

	if (join->screen == NULL) {
		if (link != SESSION_UP && join->fault.kind == FAULT_NONE)
			join->fault = *why;
		return;
	}
	if (link == SESSION_UP)
		notice(join, "back in the room");
	else if (!join->told_lost)
		notice(join, why->text);
	join->told_lost = link != SESSION_UP;
}

static void
on_ignored(void *context, const char *why)
{
	struct join *join = context;

	if (join->cli.verbose > 0 && join->screen != NULL)
		notice(join, why);
}

static void
on_clock(void *context, int64_t off)
{
	struct join *join = context;

	(void)off;
	if (join->screen != NULL)
		notice(join,
			"THE CLOCK OF THIS MACHINE SEEMS WRONG: what others "
			"say "
			"looks stale (set it, best by NTP)");
}

static void
on_foreign(void *context, struct span room)
{
	struct join *join = context;

	if (join->screen == NULL)
		cli_warn_foreign(&join->cli, room);
	else
		notice(join,
			"what is said here is sealed with a secret that you "
			"do not have: qchat-invite(1)");
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct join *join = context;
	struct text line = { 0 };

	if (join->screen == NULL) {
		cli_warn_changed(&join->cli, user, seen, fingerprint);
		return;
	}
	text_append(&line, user.bytes, user.len);
	text_appendf(&line,
		": SIGNED WITH ANOTHER CERTIFICATE, %s; this name was first "
		"seen with %s (if that is right: qchat-who --pin, while it is "
		"in the room)",
		fingerprint, seen);
	notice(join, line.bytes);
	text_free(&line);
}

static void
on_trouble(void *context, const char *what)
{
	struct join *join = context;

	if (join->screen == NULL)
		cli_warn(&join->cli, "%s", what);
	else
		notice(join, what);
}

/* Asks for what was not said.  0, or -1 with a fault. */
static int
ask(struct join *join)
{
	struct recall recall;
	char *name;

	if (join->cli.room_count > 0 || join->conf.room != NULL) {
		join->room = memory_string(join->cli.room_count > 0
				? join->cli.rooms[0]
				: join->conf.room);
		return 0;
	}
	struct identity *identity = identity_open(&join->conf, &join->fault);
	if (identity == NULL)
		return -1;
	recall_read(&recall);
	if (join->conf.user == NULL) {
		name = recall.user != NULL
			? recall.user
			: memory_string(identity_name(identity));
		join->conf.user = input_ask("Name", name);
		join->named = true;
		if (name != recall.user)
			free(name);
	}
	join->room = input_ask("Room", recall.room);
	recall_free(&recall);
	identity_free(identity);
	if (join->room != NULL && join->conf.user != NULL)
		return 0;
	return fault_set(&join->fault, FAULT_NOINPUT, "no room was given");
}

static int
set_up(struct join *join)
{
	const struct session_calls calls = {
		.context = join,
		.deliver = on_deliver,
		.unproved = on_unproved,
		.link = on_link,
		.ignored = on_ignored,
		.changed = on_changed,
		.trouble = on_trouble,
		.foreign = on_foreign,
		.clock = on_clock,
	};
	struct session_config config = {
		.app = tool.name,
		.participant = true,
		.show_own = true,
		.catch_up_records = CATCH_UP,
		.proof_ms = PROOF_MS,
	};

	if (cli_conf(&join->cli, &join->conf, &join->fault) < 0 ||
		ask(join) < 0)
		return -1;
	config.room = join->room;
	join->scroll = scroll_new(SCROLL_ENTRIES_MAX);
	join->session = session_open(&join->conf, &config, &calls,
		&join->fault);
	return join->session != NULL ? 0 : -1;
}

static void
on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

/* What a terminal may send at any moment is blocked but within ppoll(). */
static void
catch_signals(sigset_t *during)
{
	struct sigaction action = { .sa_handler = on_resize };
	sigset_t blocked;

	cli_catch_signals(during);
	sigemptyset(&action.sa_mask);
	sigaction(SIGWINCH, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

/* Waits for the connection before the screen is taken: what is wrong then is
 * said in plain lines. */
static int
connect_first(struct join *join, const sigset_t *during)
{
	int64_t until = session_now().mono + join->cli.timeout_ms;

	while (session_link(join->session) != SESSION_UP) {
		if (join->fault.kind != FAULT_NONE)
			return -1;
		if (cli_ended != 0)
			return -1;
		if (session_now().mono >= until)
			return fault_set(&join->fault, FAULT_UNAVAILABLE,
				"%s: no connection within %g s (-W gives it "
				"longer)",
				session_peer(join->session),
				(double)join->cli.timeout_ms / 1000);
		if (session_wait(&join->session, 1, NULL, 0, until, during,
			    &join->fault) < 0)
			return -1;
	}
	recall_write(join->named ? session_user(join->session) : NULL,
		join->room);
	return 0;
}

static void
show_help(struct join *join, struct span name)
{
	struct text text = { 0 };
	const struct command *one = name.len > 0 ? command_find(name) : NULL;

	for (size_t i = 0; i < command_count; i++)
		if (one == NULL || one == &commands[i])
			text_appendf(&text, "%s\\%s %s%s%s",
				text.len > 0 ? "\n" : "", commands[i].name,
				commands[i].argument,
				commands[i].argument[0] != '\0' ? "  " : " ",
				commands[i].help);
	text_append_string(&text,
		"\n/ works like \\ ; a line that begins "
		"with \\\\ or // is said from the second on");
	notice(join, text.bytes);
	text_free(&text);
}

static void
say(struct join *join, struct span text)
{
	const struct member_post post = { .text = text, .lines = -1 };
	struct fault fault;

	if (text.len > 0 && session_say(join->session, &post, &fault) < 0)
		notice(join, fault.text);
}

static void
on_line(void *context, struct span line, bool literal)
{
	struct join *join = context;
	struct text text = { 0 };

	join->back = 0;
	if (literal) {
		say(join, line);
		return;
	}
	struct command_line parsed = command_parse(line.bytes);
	switch (parsed.id) {
	case COMMAND_SAY:
		say(join, parsed.argument);
		break;
	case COMMAND_QUIT:
		join->leaving = true;
		break;
	case COMMAND_HELP:
		show_help(join, parsed.argument);
		break;
	case COMMAND_PEOPLE:
		show_people(&text, session_member(join->session, 0),
			session_now());
		break;
	case COMMAND_COUNTS:
		show_counts(&text, join->session, session_now());
		break;
	case COMMAND_UNKNOWN:
		text_append_string(&text, "no command \\");
		text_append(&text, parsed.word.bytes, parsed.word.len);
		text_append_string(&text,
			" (\\h lists them; nothing was "
			"sent)");
		break;
	}
	if (text.len > 0)
		notice(join, text.bytes);
	text_free(&text);
}

static void
on_key(void *context, enum input_key key)
{
	struct join *join = context;
	size_t page = screen_page(join->screen);
	size_t rows = page > 2 ? page - 2 : 1;

	switch (key) {
	case INPUT_END:
		join->leaving = true;
		break;
	case INPUT_PAGE_UP:
		join->back += rows;
		break;
	case INPUT_PAGE_DOWN:
		join->back = join->back > rows ? join->back - rows : 0;
		break;
	case INPUT_SUSPEND:
		raise(SIGTSTP);
		break;
	default:
		break;
	}
}

static void
on_input_notice(void *context, const char *text)
{
	notice(context, text);
}

static void
draw(struct join *join)
{
	struct text status = { 0 }, prompt = { 0 }, names = { 0 };
	const struct member *member = session_member(join->session, 0);
	struct span *spans;
	struct screen_view view = {
		.scroll = join->scroll,
		.back = join->back,
		.input = input_question() != NULL ? input_question()
						  : input_line().bytes,
		.cursor = input_question() != NULL ? 0 : input_cursor(),
	};

	show_status(&status, join->session, join->back);
	text_harmless(&prompt, span_of(session_user(join->session)), TEXT_NAME);
	text_append_char(&prompt, '@');
	text_harmless(&prompt, span_of(join->room), TEXT_NAME);
	text_append_string(&prompt, "> ");
	view.name_count = show_names(&names, &spans, member);
	view.names = spans;
	view.status = status.bytes;
	view.prompt = prompt.bytes;
	screen_draw(join->screen, &view);
	join->back = view.back;
	free(spans);
	text_free(&names);
	text_free(&prompt);
	text_free(&status);
}

static void
step(struct join *join, const sigset_t *during)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };

	int64_t until = session_now().mono + STATUS_MS;

	draw(join);
	until = until < input_deadline() ? until : input_deadline();
	if (session_wait(&join->session, 1, &in, 1, until, during,
		    &join->fault) < 0)
		return;
	if (in.revents != 0 && !input_read(session_now().mono))
		join->leaving = true;
	input_tick(session_now().mono);
	if (resized) {
		resized = 0;
		screen_resize(join->screen);
	}
}

/* Does something wait for its echo that may still come? */
static bool
is_proving(const struct join *join)
{
	return session_link(join->session) == SESSION_UP &&
		member_unproved(session_member(join->session, 0)) > 0;
}

/* What was typed and never proved is told before we go, where it stays. */
static void
tell_undelivered(struct join *join)
{
	struct member *member = session_member(join->session, 0);
	size_t count = member_unproved(member);

	if (count == 0 || join->fault.kind != FAULT_NONE)
		return;
	text_append_string(&join->undelivered, "");
	member_show_unproved(member, session_now());
	fault_set(&join->fault, FAULT_UNAVAILABLE,
		"%zu of your messages may not be delivered, as above", count);
	fputs(join->undelivered.bytes, stderr);
}

static void
converse(struct join *join, const sigset_t *during)
{
	const struct input_calls calls = { join, on_line, on_key,
		on_input_notice, NULL };
	int64_t until = INT64_MAX;

	input_begin(&calls);
	notice(join, "you are in the room; \\h lists the commands");
	while (cli_ended == 0 && join->fault.kind == FAULT_NONE &&
		session_now().mono < until) {
		if (join->leaving && !is_proving(join))
			break;
		/* The last words get the time that their proof may take. */
		if (join->leaving && until == INT64_MAX)
			until = session_now().mono + PROOF_MS;
		step(join, during);
	}
	session_close(&join->session, 1);
	input_end();
}

static void
run(struct join *join)
{
	sigset_t during;

	catch_signals(&during);
	if (connect_first(join, &during) < 0)
		return;
	join->screen = screen_new();
	if (join->screen == NULL) {
		fault_set(&join->fault, FAULT_CONFIG,
			"TERM: this terminal is not known, or cannot move its "
			"cursor (qchat-listen and qchat-say need none)");
		session_close(&join->session, 1);
		return;
	}
	converse(join, &during);
	screen_free(join->screen);
	join->screen = NULL;
	tell_undelivered(join);
	counts_trace(&join->cli, join->session);
}

int
main(int argc, char **argv)
{
	struct join join = { 0 };
	int status;

	cli_init(&join.cli, &tool);
	status = parse_args(&join, argc, argv);
	if (status == 0) {
		if (set_up(&join) == 0)
			run(&join);
		if (join.fault.kind != FAULT_NONE)
			status = cli_fail(&join.cli, &join.fault);
	}
	session_free(join.session);
	scroll_free(join.scroll);
	conf_free(&join.conf);
	text_free(&join.undelivered);
	free(join.room);
	cli_free(&join.cli);
	return status;
}
