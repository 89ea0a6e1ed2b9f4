/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include "memory.h"
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Descriptors are given out from the least on, and we have few. */
enum { DESCRIPTORS_MAX = 1024 };

struct notify {
	struct {
		pid_t pid; /* 0: none */
		int64_t since;
	} running[NOTIFY_RUNNING_MAX];
};

struct notify *
notify_new(const char *program, struct fault *fault)
{
	if (!program_is_found(program)) {
		fault_set(fault, FAULT_CONFIG,
			"notify: %s: no such program in PATH that may be run "
			"(qchat.conf(5): join)",
			program);
		return NULL;
	}
	return memory_alloc(1, sizeof(struct notify));
}

void
notify_free(struct notify *notify)
{
	free(notify);
}

static void
set_files(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
		O_RDONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null",
		O_WRONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null",
		O_WRONLY, 0);
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
			posix_spawn_file_actions_addclose(actions, fd);
	}
}

static void
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	/* Some systems refuse to set what cannot be changed. */
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			POSIX_SPAWN_SETSID);
}

static int
start(pid_t *pid, char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_files(&actions);
	set_attributes(&attributes);
	int rc = posix_spawnp(pid, argv[0], &actions, &attributes, argv,
		environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

int
notify_run(struct notify *notify, char *const *argv, int64_t mono,
	struct fault *fault)
{
	for (size_t i = 0; i < NOTIFY_RUNNING_MAX; i++) {
		pid_t pid;

		if (notify->running[i].pid != 0)
			continue;
		int rc = start(&pid, argv);
		if (rc != 0)
			return fault_set(fault, FAULT_NOINPUT, "notify: %s: %s",
				argv[0], strerror(rc));
		notify->running[i].pid = pid;
		notify->running[i].since = mono;
		return 1;
	}
	return 0;
}

size_t
notify_reap(struct notify *notify, int64_t mono)
{
	size_t failed = 0;

	for (size_t i = 0; i < NOTIFY_RUNNING_MAX; i++) {
		pid_t pid = notify->running[i].pid;
		int status = 0;

		if (pid == 0)
			continue;
		pid_t ended = waitpid(pid, &status, WNOHANG);
		if (ended == 0) {
			/* It leads its session, and so its group. */
			if (mono - notify->running[i].since >= NOTIFY_MS)
				kill(-pid, SIGKILL);
			continue;
		}
		notify->running[i].pid = 0;
		failed += ended > 0 && status != 0;
	}
	return failed;
}
