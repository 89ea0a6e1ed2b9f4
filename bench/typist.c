/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/*
 * typist SECONDS COMMAND [ARGUMENT...]: how long does a key take to the screen?
 *
 * Runs the command on a pseudo-terminal of 24 by 80 and reads what it writes
 * there as fast as it comes.  Ten times a second it types one of some rare
 * characters, and waits until the terminal was sent it.  After each round of
 * them control-U empties the line.  A line `begin` on standard input begins the
 * measurement, one of anything else is typed, and the end of input ends it.
 * Prints
 *
 *	KEYS MEDIAN P95 MAX
 *
 * in microseconds, and types \q at the end.  A key that was not seen for two
 * seconds counts as these, and is told on standard error.
 */

enum {
	KEY_EVERY_MS = 100,
	LOST_US = 2 * 1000 * 1000,
	KEYS_MAX = 100000,
	ROUND = 5, /* keys; one fewer than there are */
	LINE_MAX_BYTES = 4096,
};

/* No flood and no part of the screen has these. */
static const char keys[] = "%^&=~#";

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "typist: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Starts the command on a terminal of its own; returns our end of it. */
static int
start(char **argv, pid_t *pid)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int ours = posix_openpt(O_RDWR | O_NOCTTY);

	if (ours < 0 || grantpt(ours) < 0 || unlockpt(ours) < 0)
		fail("a terminal");
	*pid = fork();
	if (*pid < 0)
		fail("fork");
	if (*pid > 0)
		return ours;
	setsid();
	int theirs = open(ptsname(ours), O_RDWR);
	if (theirs < 0 || ioctl(theirs, TIOCSWINSZ, &size) < 0)
		fail("a terminal");
	dup2(theirs, STDIN_FILENO);
	dup2(theirs, STDOUT_FILENO);
	close(ours);
	if (theirs > STDERR_FILENO)
		close(theirs);
	execvp(argv[0], argv);
	fail(argv[0]);
}

static void
type(int terminal, const char *bytes, size_t len)
{
	if (write(terminal, bytes, len) != (ssize_t)len)
		fail("typing");
}

/* Reads what the terminal was sent until it has the key, or until a moment;
 * also ends when standard input has something, if asked.  True if the key was
 * there. */
static bool
watch(int terminal, char key, int64_t until, bool heed_input)
{
	char bytes[65536];
	int64_t now;

	while ((now = now_us()) < until) {
		struct pollfd fds[] = { { terminal, POLLIN, 0 },
			{ heed_input ? STDIN_FILENO : -1, POLLIN, 0 } };

		if (poll(fds, 2, (int)((until - now + 999) / 1000)) < 0)
			fail("poll");
		if (fds[1].revents != 0)
			return false;
		if (fds[0].revents == 0)
			continue;
		ssize_t n = read(terminal, bytes, sizeof(bytes));
		if (n <= 0)
			fail("the terminal");
		if (key != '\0' && memchr(bytes, key, (size_t)n) != NULL)
			return true;
	}
	return false;
}

/* Takes lines from standard input until `begin`; types the others. */
static void
await_begin(int terminal)
{
	char line[LINE_MAX_BYTES];

	for (;;) {
		watch(terminal, '\0', INT64_MAX, true);
		if (fgets(line, sizeof(line), stdin) == NULL)
			exit(1);
		if (strcmp(line, "begin\n") == 0)
			return;
		line[strcspn(line, "\n")] = '\r';
		type(terminal, line, strlen(line));
	}
}

static int
compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static size_t
measure(int terminal, int64_t seconds, int64_t *times)
{
	int64_t end = now_us() + seconds * 1000000;
	size_t count = 0;

	while (now_us() < end && count < KEYS_MAX) {
		size_t i = count % (sizeof(keys) - 1);
		int64_t typed;

		/* In each place of the line comes another key than before:
		 * the same one would not be drawn again. */
		if (count % ROUND == 0)
			type(terminal, "\025", 1);
		watch(terminal, '\0', now_us() + KEY_EVERY_MS * 1000, false);
		typed = now_us();
		type(terminal, &keys[i], 1);
		if (!watch(terminal, keys[i], typed + LOST_US, false))
			fprintf(stderr, "typist: a key was not seen\n");
		times[count++] = now_us() - typed;
	}
	return count;
}

/* Takes what is written until it ends. */
static void
drain(int terminal)
{
	char bytes[65536];

	while (read(terminal, bytes, sizeof(bytes)) > 0)
		;
}

int
main(int argc, char **argv)
{
	static int64_t times[KEYS_MAX];
	char line[LINE_MAX_BYTES];
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr,
			"usage: typist SECONDS COMMAND [ARGUMENT...]\n");
		return 64;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	int terminal = start(argv + 2, &pid);
	await_begin(terminal);
	size_t count = measure(terminal, atoll(argv[1]), times);
	qsort(times, count, sizeof(*times), compare);
	printf("%zu %lld %lld %lld\n", count, (long long)times[count / 2],
		(long long)times[count * 95 / 100],
		(long long)times[count - 1]);
	fflush(stdout);
	type(terminal, "\025", 1);
	for (;;) {
		watch(terminal, '\0', INT64_MAX, true);
		if (fgets(line, sizeof(line), stdin) == NULL)
			break;
		line[strcspn(line, "\n")] = '\r';
		type(terminal, line, strlen(line));
	}
	type(terminal, "\\q\r", 3);
	drain(terminal);
	waitpid(pid, NULL, 0);
	return 0;
}
