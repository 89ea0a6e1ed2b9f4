/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* xterm's control sequences: bracketed paste (2004), focus (1004). */
static const char modes_on[] = "\033[?2004h\033[?1004h";
static const char modes_off[] = "\033[?1004l\033[?2004l";

static const int crashes[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL,
	SIGSYS, SIGTRAP, SIGQUIT };
enum { CRASH_COUNT = sizeof(crashes) / sizeof(*crashes) };

static struct termios modes;
static bool modes_known;
static const char *restoring;
static struct sigaction before[CRASH_COUNT];

static void
put(const char *bytes)
{
	/* If the terminal is gone, nobody needs it. */
	ssize_t n = write(STDOUT_FILENO, bytes, strlen(bytes));

	(void)n;
}

/* Only what a signal handler may call. */
static void
on_crash(int signal)
{
	put(modes_off);
	if (restoring != NULL)
		put(restoring);
	if (modes_known)
		tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	for (size_t i = 0; i < CRASH_COUNT; i++)
		if (crashes[i] == signal)
			sigaction(signal, &before[i], NULL);
	raise(signal);
}

void
terminal_remember(void)
{
	modes_known = tcgetattr(STDIN_FILENO, &modes) == 0;
}

void
terminal_begin(const char *restore)
{
	struct sigaction action = { .sa_handler = on_crash };

	restoring = restore;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CRASH_COUNT; i++)
		sigaction(crashes[i], &action, &before[i]);
	put(modes_on);
}

void
terminal_end(void)
{
	put(modes_off);
	for (size_t i = 0; i < CRASH_COUNT; i++)
		sigaction(crashes[i], &before[i], NULL);
	restoring = NULL;
}

void
terminal_bell(void)
{
	put("\a");
}
