/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stdbool.h>
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

static void
put(const char *bytes)
{
	/* If the terminal is gone, nobody needs it. */
	ssize_t n = write(STDOUT_FILENO, bytes, strlen(bytes));

	(void)n;
}

/* In the background it is somebody else's. */
static bool
is_ours(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return restoring != NULL && (group < 0 || group == getpgrp());
}

/* Only what a signal handler may call. */
static void
restore_all(void)
{
	if (!is_ours())
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
terminal_await(void)
{
	/* In the background, this stops the process until it is not. */
	tcdrain(STDIN_FILENO);
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
	put(modes_off);
	for (size_t i = 0; i < DEADLY_COUNT; i++)
		sigaction(deadly[i], &before[i], NULL);
	restoring = NULL;
}

void
terminal_bell(void)
{
	put("\a");
}
