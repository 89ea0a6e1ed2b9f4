/* SPDX-License-Identifier: Apache-2.0 */
/* The notify command: how it runs. */
#include "join/notify.h"
#include "tap.h"

#include "memory.h"
#include "text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT(text) ((char[]){ text })

static char folder[256];

/* Waits until count commands have ended, and leaves them to be reaped. */
static void
wait_ended(struct notify *notify, size_t count, size_t want)
{
	size_t failed = 0;
	siginfo_t info;

	for (size_t i = 0; i < count; i++) {
		waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
		failed += notify_reap(notify, 0);
	}
	ok(failed == want, "%zu failed", failed);
}

static void
read_file(const char *name, struct text *text)
{
	char *path = memory_format("%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	int c;

	text_clear(text);
	text_append_string(text, "");
	while (file != NULL && (c = getc(file)) != EOF)
		text_append_char(text, (char)c);
	if (file != NULL)
		fclose(file);
	unlink(path);
	free(path);
}

/* Runs a script, whose arguments are two texts, in the folder. */
static int
run(struct notify *notify, const char *script, int64_t mono)
{
	struct fault fault = { 0 };
	char *code = memory_format("cd '%s' && { %s; }", folder, script);
	char *argv[] = { ARGUMENT("sh"), ARGUMENT("-c"), code, ARGUMENT("sh"),
		ARGUMENT("the title"), ARGUMENT("$(text)"), NULL };
	int rc = notify_run(notify, argv, mono, &fault);

	if (rc < 0)
		printf("# %s\n", fault.text);
	free(code);
	return rc;
}

static void
test_found(void)
{
	struct fault fault = { 0 };
	char *argv[] = { ARGUMENT("no-such-program"), NULL };

	ok(notify_new("no-such-program", &fault) == NULL &&
			fault.kind == FAULT_CONFIG &&
			strstr(fault.text, "no-such-program") != NULL,
		"a program has to be there");
	struct notify *notify = notify_new("sh", &fault);
	ok(notify != NULL, "sh is");
	ok(notify_run(notify, argv, 0, &fault) == -1 &&
			fault.kind == FAULT_NOINPUT,
		"if it is gone later, that is told");
	notify_free(notify);
	notify_free(NULL);
}

/* Those of a line of /proc/PID/status, but the two that glibc has for itself.
 */
static uint64_t
signals_of(const char *status, const char *line)
{
	const char *at = strstr(status, line);

	if (at == NULL)
		return UINT64_MAX;
	return strtoull(at + strlen(line), NULL, 16) & ~UINT64_C(0x180000000);
}

/* The world that a command sees is not ours. */
static void
test_world(struct notify *notify)
{
	struct text got = { 0 };
	char *session = memory_format("%ld\n", (long)getsid(0));
	sigset_t blocked, before;
	int files[2], kept = open("/dev/null", O_RDONLY);

	if (pipe(files) < 0)
		printf("Bail out! pipe\n");
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGPIPE, SIG_IGN);
	ok(run(notify,
		   "printf '%s|' \"$@\" >argv; cat >input; "
		   "ls /proc/self/fd >fds; out=$(readlink /proc/$$/fd/1); "
		   "echo \"$out\" >out; "
		   "cut -d ' ' -f 6 /proc/$$/stat >session; "
		   "grep -E 'Sig(Blk|Ign)' /proc/self/status >signals; "
		   "echo noise; echo noise >&2",
		   0) == 1,
		"it runs");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	wait_ended(notify, 1, 0);
	read_file("argv", &got);
	is(got.bytes, "the title|$(text)|", "without a shell between");
	read_file("input", &got);
	is(got.bytes, "", "with nothing to read");
	read_file("fds", &got);
	is(got.bytes, "0\n1\n2\n3\n", "no descriptors but those of ls");
	read_file("session", &got);
	ok(strcmp(got.bytes, session) != 0, "in a session of its own");
	read_file("signals", &got);
	ok(signals_of(got.bytes, "SigBlk:") == 0, "no signal is blocked");
	ok(signals_of(got.bytes, "SigIgn:") == 0, "none is ignored");
	read_file("out", &got);
	is(got.bytes, "/dev/null\n", "and what it prints goes nowhere");
	close(files[0]);
	close(files[1]);
	close(kept);
	free(session);
	text_free(&got);
}

static void
test_many(struct notify *notify)
{
	int started = 0;

	for (int i = 0; i < 2 * NOTIFY_RUNNING_MAX; i++)
		started += run(notify, "exit 3", 0);
	ok(started == NOTIFY_RUNNING_MAX, "so many at a time");
	wait_ended(notify, NOTIFY_RUNNING_MAX, NOTIFY_RUNNING_MAX);
	ok(run(notify, "true", 0) == 1, "then there is room again");
	wait_ended(notify, 1, 0);
}

static void
test_long(struct notify *notify)
{
	ok(run(notify, "sleep 1000", 5) == 1, "one that goes on");
	ok(notify_reap(notify, 5 + NOTIFY_MS - 1) == 0, "is not waited for");
	ok(notify_reap(notify, 5 + NOTIFY_MS) == 0, "but is ended after all");
	wait_ended(notify, 1, 1);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");
	struct fault fault;

	snprintf(folder, sizeof(folder), "%s/qchat-notify.XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL) {
		printf("Bail out! %s\n", folder);
		return 99;
	}
	test_found();
	struct notify *notify = notify_new("sh", &fault);
	test_world(notify);
	test_many(notify);
	test_long(notify);
	notify_free(notify);
	rmdir(folder);
	return done();
}
