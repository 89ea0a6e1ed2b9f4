/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * pace NAME LINES TIMES SECONDS: writes so many numbered lines at once, so many
 * times a second, for so long.  What a reader takes with one read is one block
 * to qchat-say -l.
 */

enum { LINES_MAX = 1000, LINE_BYTES = 64 };

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
wait_until(int64_t ns)
{
	const struct timespec until = { ns / 1000000000, ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
		EINTR)
		;
}

int
main(int argc, char **argv)
{
	static char bytes[LINES_MAX * LINE_BYTES];
	int64_t number = 0;

	if (argc != 5) {
		fprintf(stderr, "usage: pace NAME LINES TIMES SECONDS\n");
		return 64;
	}
	int64_t lines = atoll(argv[2]), times = atoll(argv[3]);
	int64_t count = times * atoll(argv[4]);
	if (lines < 1 || lines > LINES_MAX || times < 1)
		return 64;
	int64_t start = now_ns();
	for (int64_t i = 0; i < count; i++) {
		size_t len = 0;

		for (int64_t j = 0; j < lines; j++)
			len += (size_t)snprintf(bytes + len, LINE_BYTES,
				"%.20s %lld of what is said at a great pace\n",
				argv[1], (long long)++number);
		wait_until(start + i * 1000000000 / times);
		if (write(STDOUT_FILENO, bytes, len) != (ssize_t)len)
			return 1;
	}
	return 0;
}
