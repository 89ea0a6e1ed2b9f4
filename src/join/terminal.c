/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* xterm's control sequences: bracketed paste (2004), focus (1004). */
static const char modes_on[] = "\033[?2004h\033[?1004h";
static const char modes_off[] = "\033[?1004l\033[?2004l";

/* What ends a process, and is no way to end it in order. */
static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS,
	SIGTRAP, SIGQUIT, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ,
	SIGUSR1, SIGUSR2 };
enum { DEADLY_COUNT = sizeof(deadly) / sizeof(*deadly) };

static struct termios modes;
static bool modes_known;
static const char *restoring; /* NULL: the terminal is not ours */
static struct sigaction before[DEADLY_COUNT];

static const int ending[] = { SIGHUP, SIGINT, SIGTERM };
enum { ENDING_COUNT = sizeof(ending) / sizeof(*ending) };

static sigset_t writing_mask; /* outside of writing */
static volatile sig_atomic_t writing;

/* Only what a signal handler may call. */
static void
discard_stuck(void)
{
	struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };

	if (poll(&out, 1, 0) != 0)
		return;
	tcflow(STDOUT_FILENO, TCOON);
	tcflush(STDOUT_FILENO, TCOFLUSH);
}

static void
on_ending(int signal)
{
	int error = errno;

	cli_ended = signal;
	if (writing)
		discard_stuck();
	errno = error;
}

static void
let_in(sigset_t *mask)
{
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < ENDING_COUNT; i++)
		sigaddset(&signals, ending[i]);
	sigprocmask(SIG_UNBLOCK, &signals, mask);
}

void
terminal_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_ending }, usual;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ENDING_COUNT; i++) {
		sigaction(ending[i], NULL, &usual);
		if (usual.sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
	}
}

void
terminal_write_begin(void)
{
	writing = 1;
	let_in(&writing_mask);
}

void
terminal_write_end(void)
{
	sigprocmask(SIG_SETMASK, &writing_mask, NULL);
	writing = 0;
}

static void
put(const char *bytes)
{
	/* If the terminal is gone, nobody needs it. */
	ssize_t n = write(STDOUT_FILENO, bytes, strlen(bytes));

	(void)n;
}

bool
terminal_is_ours(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

/* Only what a signal handler may call. */
static void
restore_all(void)
{
	if (restoring == NULL || !terminal_is_ours())
		return;
	put(modes_off);
	put(restoring);
	if (modes_known)
		tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

static void
on_deadly(int signal)
{
	restore_all();
	for (size_t i = 0; i < DEADLY_COUNT; i++)
		if (deadly[i] == signal)
			sigaction(signal, &before[i], NULL);
	raise(signal);
}

void
terminal_flush(void)
{
	if (cli_ended != 0)
		discard_stuck();
}

bool
terminal_await(void)
{
	sigset_t mask;

	let_in(&mask);
	/* In the background, this stops the process until it is not. */
	while (cli_ended == 0 && tcdrain(STDIN_FILENO) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return cli_ended == 0;
}

void
terminal_remember(void)
{
	modes_known = tcgetattr(STDIN_FILENO, &modes) == 0;
}

static void
take(const char *restore)
{
	static bool at_exit; /* as for want of memory */
	struct sigaction action = { .sa_handler = on_deadly };

	if (!at_exit)
		atexit(restore_all);
	at_exit = true;
	restoring = restore;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < DEADLY_COUNT; i++)
		sigaction(deadly[i], &action, &before[i]);
}

void
terminal_begin(const char *restore)
{
	if (restoring == NULL)
		take(restore);
	put(modes_on);
}

void
terminal_end(void)
{
	if (restoring == NULL)
		return;
	if (terminal_is_ours())
		put(modes_off);
	for (size_t i = 0; i < DEADLY_COUNT; i++)
		sigaction(deadly[i], &before[i], NULL);
	restoring = NULL;
}

void
terminal_bell(void)
{
	terminal_write_begin();
	put("\a");
	terminal_write_end();
}
