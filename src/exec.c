/* SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include "memory.h"
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct job {
	struct job *next;
	char *room; /* "QCHAT_ROOM=…" */
	char *line;
	size_t line_len;
};

struct exec {
	char *const *argv;
	struct job *first, *last;
	size_t waiting, bytes;
	pid_t pid; /* of the command that runs, or 0 */
};

struct exec *
exec_new(char *const *argv, struct fault *fault)
{
	if (!program_is_found(argv[0])) {
		fault_set(fault, FAULT_NOINPUT,
			"--exec: %s: no such program in PATH that may be run",
			argv[0]);
		return NULL;
	}
	struct exec *exec = memory_alloc(1, sizeof(*exec));
	exec->argv = argv;
	return exec;
}

static void
drop_first(struct exec *exec)
{
	struct job *job = exec->first;

	exec->first = job->next;
	if (exec->first == NULL)
		exec->last = NULL;
	exec->waiting--;
	exec->bytes -= job->line_len;
	free(job->room);
	free(job->line);
	free(job);
}

void
exec_free(struct exec *exec)
{
	if (exec == NULL)
		return;
	while (exec->first != NULL)
		drop_first(exec);
	free(exec);
}

bool
exec_add(struct exec *exec, struct span room, struct span line)
{
	if (exec->waiting == EXEC_WAITING_MAX ||
		exec->bytes + line.len > EXEC_BYTES_MAX)
		return false;

	struct job *job = memory_alloc(1, sizeof(*job));
	job->room = memory_format("QCHAT_ROOM=%.*s", (int)room.len, room.bytes);
	job->line = memory_copy(line.bytes, line.len);
	job->line_len = line.len;
	if (exec->last != NULL)
		exec->last->next = job;
	else
		exec->first = job;
	exec->last = job;
	exec->waiting++;
	exec->bytes += line.len;
	return true;
}

/* The environment with the room in it; free() the array only. */
static char **
environment(const struct job *job)
{
	size_t count = 0, kept = 0;

	while (environ[count] != NULL)
		count++;
	char **copy = memory_alloc(count + 2, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "QCHAT_ROOM=", 11) != 0)
			copy[kept++] = environ[i];
	copy[kept] = job->room;
	return copy;
}

/* A file without a name: a line may be longer than a pipe holds. */
static FILE *
input_of(const struct job *job)
{
	FILE *file = tmpfile();

	if (file == NULL)
		return NULL;
	if (fwrite(job->line, 1, job->line_len, file) == job->line_len &&
		fflush(file) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0)
		return file;
	fclose(file);
	return NULL;
}

static int
start(struct exec *exec, const struct job *job, struct fault *fault)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	FILE *input = input_of(job);

	if (input == NULL)
		return fault_set(fault, FAULT_CANTCREAT,
			"a temporary file for %s: %s", exec->argv[0],
			strerror(errno));
	char **environ_of_job = environment(job);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(input), STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, fileno(input));
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int rc = posix_spawnp(&exec->pid, exec->argv[0], &actions, &attributes,
		exec->argv, environ_of_job);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environ_of_job);
	fclose(input);
	if (rc == 0)
		return 0;
	exec->pid = 0;
	return fault_set(fault, FAULT_NOINPUT, "--exec: %s: %s", exec->argv[0],
		strerror(rc));
}

int
exec_step(struct exec *exec, int *status, struct fault *fault)
{
	int wait_status;

	*status = -1;
	pid_t ended = exec->pid > 0 ? waitpid(exec->pid, &wait_status, WNOHANG)
				    : 0;
	if (ended != 0)
		exec->pid = 0;
	if (ended > 0)
		*status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						 : 128 + WTERMSIG(wait_status);
	if (exec->pid > 0 || exec->first == NULL)
		return 0;
	int rc = start(exec, exec->first, fault);
	drop_first(exec);
	return rc;
}

size_t
exec_waiting(const struct exec *exec)
{
	return exec->waiting;
}

bool
exec_is_busy(const struct exec *exec)
{
	return exec->pid > 0 || exec->first != NULL;
}
