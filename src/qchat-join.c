/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "counts.h"
#include "identity.h"
#include "join/act.h"
#include "join/chat.h"
#include "join/input.h"
#include "join/keys.h"
#include "join/plain.h"
#include "join/recall.h"
#include "join/screen.h"
#include "join/terminal.h"
#include "join/view.h"
#include "join/window.h"
#include "memory.h"
#include "session.h"
#include "translate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_MS = 15 * 1000, /* without -W */
	LINES_LEAST = 100,
	LINES_MOST = 1000000,
	QUIET_MS = 300,      /* then no more of a paste comes */
	PASTE_MS = 2 * 1000, /* nor is it waited for */
	OPTION_PLAIN = 256,
};

static const struct cli_option options[] = {
	{ "plain", OPTION_PLAIN, NULL,
		"lines alone: for screen readers and serial lines" },
	{ "quiet", 'q', NULL, "do not show who comes and goes" },
	{ "scrollback", 'n', "N", "lines to keep of each room (10000)" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-join",
	.synopsis = "[OPTION...]",
	.purpose = "Be in rooms, on screen",
	.common = CLI_FABRIC | CLI_ROOM | CLI_USER | CLI_TIMEOUT,
	.rooms_max = CHAT_ROOMS_MAX,
	.options = options,
};

struct join {
	struct chat chat;
	bool name_asked;
	bool deaf; /* standard input has ended: it would always be ready */
	struct view *view; /* NULL in line mode */
};

static volatile sig_atomic_t resized, stopped, continued;

/* Can this terminal do no more than lines? */
static bool
is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

static int
take_option(struct chat *chat, int letter)
{
	int64_t number;

	switch (letter) {
	case OPTION_PLAIN:
		chat->plain = true;
		return 0;
	case 'q':
		chat->cli.quiet = true;
		return 0;
	case 'n':
		if (cli_number(optarg, LINES_LEAST, LINES_MOST, &number) < 0)
			return cli_usage_fault(&chat->cli,
				"-n: \"%s\" is not a number from %d to %d",
				optarg, LINES_LEAST, LINES_MOST);
		chat->lines_max = (size_t)number;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
parse_args(struct chat *chat, int argc, char **argv)
{
	int letter, status;

	chat->lines_max = SCROLL_LINES;
	chat->plain = is_dumb();
	while ((letter = cli_next(&chat->cli, argc, argv)) != -1)
		if ((status = take_option(chat, letter)) != 0)
			return status;
	if (optind < argc)
		return cli_usage_fault(&chat->cli,
			"%s: no operand is known (a room is given by -r)",
			argv[optind]);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_usage_fault(&chat->cli,
			"needs a terminal: in "
			"scripts and pipes, qchat-listen reads a room and "
			"qchat-say writes to it");
	if (chat->cli.timeout_ms == 0)
		return cli_usage_fault(&chat->cli,
			"--timeout: 0 leaves no time to connect");
	if (chat->cli.timeout_ms < 0)
		chat->cli.timeout_ms = CONNECT_MS;
	return 0;
}

/* Asks for what was not said.  The room, which the caller frees; or NULL with a
 * fault. */
static char *
ask(struct join *join)
{
	struct chat *chat = &join->chat;
	struct identity *identity = identity_open(&chat->conf, &chat->fault);
	char *(*question)(const char *, const char *) = chat->plain ? plain_ask
								    : input_ask;
	struct recall recall;

	if (identity == NULL)
		return NULL;
	recall_read(&recall);
	if (chat->conf.user == NULL) {
		char *name = recall.user != NULL
			? recall.user
			: memory_string(identity_name(identity));

		chat->conf.user = question(_("Name"), name);
		join->name_asked = true;
		if (name != recall.user)
			free(name);
	}
	char *room = chat->conf.user != NULL ? question(_("Room"), recall.room)
					     : NULL;
	recall_free(&recall);
	identity_free(identity);
	if (room == NULL)
		fault_set(&chat->fault, FAULT_NOINPUT, "no room was given");
	return room;
}

static int
open_rooms(struct join *join)
{
	struct chat *chat = &join->chat;
	struct window *window = NULL;
	char *room = NULL;

	for (size_t i = 0; i < chat->cli.room_count; i++)
		if (window_open(chat, chat->cli.rooms[i], &chat->fault) == NULL)
			return -1;
	if (chat->cli.room_count > 0)
		return 0;
	room = chat->conf.room != NULL ? memory_string(chat->conf.room)
				       : ask(join);
	if (room != NULL)
		window = window_open(chat, room, &chat->fault);
	free(room);
	return window != NULL ? 0 : -1;
}

static int
set_up(struct join *join)
{
	struct chat *chat = &join->chat;

	if (cli_conf(&chat->cli, &chat->conf, &chat->fault) < 0)
		return -1;
	chat->looked_at = true;
	chat->complete = complete_new();
	chat->alert = alert_new(&chat->conf.join, &chat->fault);
	if (chat->alert == NULL)
		return -1;
	if (open_rooms(join) < 0)
		return -1;
	alert_name(chat->alert,
		span_of(session_user(chat_window(chat)->session)));
	return 0;
}

static void
on_signal(int signal)
{
	if (signal == SIGWINCH)
		resized = 1;
	else if (signal == SIGTSTP)
		stopped = 1;
	else if (signal == SIGCONT)
		continued = 1;
}

/* From now on they are blocked but within ppoll().  What was ignored stays
 * so. */
static void
catch_signals(const int *signals, size_t count)
{
	struct sigaction action = { .sa_handler = on_signal }, before;
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < count; i++) {
		sigaction(signals[i], NULL, &before);
		if (before.sa_handler == SIG_IGN && signals[i] == SIGTSTP)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&blocked, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static size_t
sessions_of(const struct chat *chat, struct session *sessions[CHAT_ROOMS_MAX])
{
	for (size_t i = 0; i < chat->count; i++)
		sessions[i] = chat->windows[i]->session;
	return chat->count;
}

static bool
are_up(const struct chat *chat)
{
	for (size_t i = 0; i < chat->count; i++)
		if (session_link(chat->windows[i]->session) != SESSION_UP)
			return false;
	return true;
}

/* Waits for the connections before the screen is taken: what is wrong then is
 * said in plain lines. */
static int
connect_first(struct join *join, const sigset_t *during)
{
	struct chat *chat = &join->chat;
	struct session *sessions[CHAT_ROOMS_MAX];
	int64_t until = session_now().mono + chat->cli.timeout_ms;

	while (!are_up(chat)) {
		size_t count = sessions_of(chat, sessions);

		if (chat->fault.kind != FAULT_NONE || cli_ended != 0)
			return -1;
		if (session_now().mono >= until)
			return fault_set(&chat->fault, FAULT_UNAVAILABLE,
				"%s: no connection within %g s (-W gives it "
				"longer)",
				session_peer(chat_window(chat)->session),
				(double)chat->cli.timeout_ms / 1000);
		if (session_wait(sessions, count, NULL, 0, until, during,
			    &chat->fault) < 0)
			return -1;
	}
	recall_write(join->name_asked ? session_user(chat_window(chat)->session)
				      : NULL,
		chat_window(chat)->room);
	return 0;
}

/* Until when to wait, if nothing happens. */
static int64_t
deadline(const struct join *join)
{
	const struct chat *chat = &join->chat;
	int64_t until = chat->plain ? plain_deadline() : input_deadline();
	int64_t view = chat->plain ? INT64_MAX
				   : view_deadline(join->view, chat);

	if (view < until)
		until = view;
	for (size_t i = 0; i < chat->count; i++)
		if (window_deadline(chat->windows[i]) < until)
			until = window_deadline(chat->windows[i]);
	return until;
}

/* Stops by SIGTSTP; a key stops all of the job, as the terminal's driver would
 * have done. */
static void
stop(bool by_key)
{
	struct sigaction usual = { .sa_handler = SIG_DFL }, ours;
	sigset_t set, before;

	sigemptyset(&usual.sa_mask);
	sigaction(SIGTSTP, &usual, &ours);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	kill(by_key ? 0 : getpid(), SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &before); /* here it stops */
	sigprocmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGTSTP, &ours, NULL);
}

/* What is still to come of a paste would be commands to the shell. */
static void
await_paste(const struct chat *chat)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	int64_t now = session_now().mono, until = now + PASTE_MS;

	if (!terminal_is_ours())
		return;
	if (!chat->running) /* it may begin in what was not read */
		input_read(now);
	while (input_is_pasting() && now < until &&
		poll(&in, 1, QUIET_MS) > 0 && input_read(now))
		now = session_now().mono;
}

/* Is away, with the terminal as it was. */
static void
suspend(struct chat *chat)
{
	struct sigaction action;

	sigaction(SIGTSTP, NULL, &action);
	if (action.sa_handler != SIG_IGN) { /* by a shell without jobs */
		await_paste(chat);
		screen_leave(chat->screen);
		stop(chat->stops);
		if (terminal_await())
			screen_return(chat->screen);
	}
	stopped = 0;
	continued = 0;
	chat->stops = false;
	chat->changed = true;
}

static void
heed_signals(struct chat *chat)
{
	if (alert_reap(chat->alert, session_now().mono))
		window_notice(chat_window(chat),
			"the notify command has failed (join.notify in the "
			"settings; this is told once)");
	if (chat->screen == NULL)
		return;
	if (stopped || chat->stops)
		suspend(chat);
	if (continued && terminal_await())
		screen_regain(chat->screen);
	else if (continued && !terminal_is_ours())
		screen_leave(chat->screen);
	else if (resized)
		screen_resize(chat->screen);
	chat->changed |= continued || resized;
	continued = 0;
	resized = 0;
}

static void
tick(struct join *join, int64_t now)
{
	struct chat *chat = &join->chat;

	if (chat->plain) {
		plain_tick(chat);
	} else {
		/* A paste may be over. */
		chat->changed |= now >= input_deadline();
		input_tick(now);
	}
	for (size_t i = 0; i < chat->count; i++)
		window_tick(chat->windows[i]);
	heed_signals(chat);
}

static void
step(struct join *join, const sigset_t *during)
{
	struct chat *chat = &join->chat;
	struct session *sessions[CHAT_ROOMS_MAX];
	struct pollfd in = { join->deaf ? -1 : STDIN_FILENO, POLLIN, 0 };

	if (session_wait(sessions, sessions_of(chat, sessions), &in, 1,
		    deadline(join), during, &chat->fault) < 0)
		return;
	int64_t now = session_now().mono;
	if (in.revents != 0 &&
		!(chat->plain ? plain_read(chat) : input_read(now)))
		join->deaf = chat->leaving = true;
	tick(join, now);
	if (!chat->plain && cli_ended == 0)
		view_tick(join->view, chat, in.revents != 0, now);
}

/* Does something wait for its echo, or a receipt, that may still come? */
static bool
is_proving(const struct chat *chat)
{
	for (size_t i = 0; i < chat->count; i++) {
		const struct window *window = chat->windows[i];
		const struct session *session = window->session;

		if (session_link(session) == SESSION_UP &&
			(member_unproved(session_member(session, 0)) > 0 ||
				direct_deadline(window->direct) != INT64_MAX))
			return true;
	}
	return false;
}

/* What was typed and never proved is told before we go, where it stays. */
static void
tell_undelivered(struct chat *chat)
{
	struct text text = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < chat->count; i++)
		count += window_undelivered(chat->windows[i], &text);
	if (count > 0)
		fputs(text.bytes, stderr);
	if (count > 0 && chat->fault.kind == FAULT_NONE)
		fault_set(&chat->fault, FAULT_UNAVAILABLE,
			"%zu of your messages may not be delivered, as above",
			count);
	text_free(&text);
}

static void
converse(struct join *join, const sigset_t *during)
{
	struct chat *chat = &join->chat;
	int64_t until = INT64_MAX;

	chat->running = true;
	for (size_t i = 0; i < chat->count; i++)
		window_notice(chat->windows[i],
			"you are in the room; \\h lists the commands");
	act_tell_room(chat);
	while (cli_ended == 0 && chat->fault.kind == FAULT_NONE &&
		session_now().mono < until) {
		if (chat->leaving && !is_proving(chat))
			break;
		/* The last words get the time that their proof may take. */
		if (chat->leaving && until == INT64_MAX)
			until = session_now().mono + CHAT_PROOF_MS;
		step(join, during);
	}
	window_close_all(chat);
	chat->running = false;
}

static void
converse_on_screen(struct join *join, const sigset_t *during)
{
	static const int signals[] = { SIGWINCH, SIGTSTP, SIGCONT };
	struct chat *chat = &join->chat;

	catch_signals(signals, sizeof(signals) / sizeof(*signals));
	if (!terminal_await()) {
		window_close_all(chat);
		return;
	}
	chat->screen = screen_new();
	if (chat->screen == NULL) {
		fault_set(&chat->fault, FAULT_CONFIG,
			"TERM: this terminal is not known, or cannot move its "
			"cursor (--plain needs none of that)");
		window_close_all(chat);
		return;
	}
	join->view = view_new();
	keys_begin(chat);
	converse(join, during);
	await_paste(chat);
	input_end();
	screen_free(chat->screen);
	chat->screen = NULL;
}

static void
run(struct join *join)
{
	static const int signals[] = { SIGCHLD };
	struct chat *chat = &join->chat;
	sigset_t during;

	cli_catch_signals(&during);
	terminal_catch_signals();
	catch_signals(signals, sizeof(signals) / sizeof(*signals));
	if (connect_first(join, &during) < 0)
		return;
	if (chat->plain)
		converse(join, &during);
	else
		converse_on_screen(join, &during);
	for (size_t i = 0; i < chat->count; i++)
		plain_catch_up(chat->windows[i]);
	tell_undelivered(chat);
	for (size_t i = 0; i < chat->count; i++)
		counts_trace(&chat->cli, chat->windows[i]->session);
}

static void
free_join(struct join *join)
{
	struct chat *chat = &join->chat;

	window_free_all(chat);
	plain_end();
	view_free(join->view);
	complete_free(chat->complete);
	alert_free(chat->alert);
	for (size_t i = 0; i < chat->ignored_count; i++)
		free(chat->ignored[i]);
	free(chat->search);
	conf_free(&chat->conf);
	cli_free(&chat->cli);
}

int
main(int argc, char **argv)
{
	struct join join = { 0 };
	struct chat *chat = &join.chat;
	int status;

	cli_init(&chat->cli, &tool);
	status = parse_args(chat, argc, argv);
	if (status == 0) {
		if (set_up(&join) == 0)
			run(&join);
		if (chat->fault.kind != FAULT_NONE)
			status = cli_fail(&chat->cli, &chat->fault);
	}
	free_join(&join);
	return status;
}
