/* SPDX-License-Identifier: Apache-2.0 */
#include "passphrase.h"

#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 65536 }; /* bytes that are read of a command */

extern char **environ;

/* Starts it with its output going into the pipe.  0, or an error number. */
static int
start(const char *command, const int *pipe_ends, pid_t *pid)
{
	char shell[] = "sh", option[] = "-c";
	char *argv[] = { shell, option, (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
		O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int rc = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv,
		environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* The first line of what comes, to its end.  NULL, or what is wrong. */
static const char *
read_line(int fd, char *passphrase)
{
	const char *wrong = NULL;
	size_t len = 0, all = 0;
	bool is_first = true;
	char part[256];

	for (;;) {
		ssize_t got = read(fd, part, sizeof(part));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		all += (size_t)got;
		for (ssize_t i = 0; i < got && is_first; i++) {
			is_first = part[i] != '\n';
			if (is_first && part[i] == '\0')
				wrong = _("prints a NUL");
			else if (is_first && len == CONF_PASSPHRASE_MAX)
				wrong = _("prints more than a passphrase may "
					  "have");
			else if (is_first)
				passphrase[len++] = part[i];
		}
		/* It would go on for ever. */
		if (all > OUTPUT_MAX)
			wrong = _("does not stop printing");
		if (wrong != NULL)
			break;
	}
	passphrase[len] = '\0';
	explicit_bzero(part, sizeof(part));
	return wrong;
}

int
passphrase_of_command(const char *command, char *passphrase,
	struct fault *fault)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_set(fault, FAULT_CONFIG,
			"passphrase_command: cannot be run: %s",
			strerror(errno));
	int rc = start(command, ends, &pid);
	close(ends[1]);
	if (rc != 0) {
		close(ends[0]);
		return fault_set(fault, FAULT_CONFIG,
			"passphrase_command: cannot be run: %s", strerror(rc));
	}
	const char *wrong = read_line(ends[0], passphrase);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (wrong != NULL)
		rc = fault_set(fault, FAULT_CONFIG, "passphrase_command: %s",
			wrong);
	else if (WIFSIGNALED(status))
		rc = fault_set(fault, FAULT_CONFIG,
			"passphrase_command: ended by signal %d",
			WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		rc = fault_set(fault, FAULT_CONFIG,
			"passphrase_command: ended with status %d",
			WEXITSTATUS(status));
	else if (passphrase[0] == '\0')
		rc = fault_set(fault, FAULT_CONFIG,
			"passphrase_command: prints no passphrase");
	return rc;
}
