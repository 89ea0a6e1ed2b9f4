/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include "conf.h"
#include "file.h"
#include "memory.h"
#include "text.h"
#include "translate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 5,
	CONNECT_MS = 20,
	START_MS = 10 * 1000,
	/* If it has not said by then that it runs, a version of it may be
	 * silent: then a connection alone has to do. */
	SILENT_MS = 1000,
	END_MS = 10 * 1000,
	KILL_MS = 5 * 1000,
	LOCK_MS = 2 * 1000, /* who looks whether it runs holds it briefly */
	LOCK_FD = 3,        /* in mosquitto; nobody there knows of it */
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The program in this colon-separated list of folders, or NULL. */
static char *
find_in(const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		char *path = memory_format("%.*s/mosquitto", (int)len, list);
		struct stat status;

		/* It will run in another folder than ours. */
		if (*path == '/' && access(path, X_OK) == 0 &&
			stat(path, &status) == 0 && S_ISREG(status.st_mode))
			return path;
		free(path);
		list += len;
		list += *list == ':';
	}
	return NULL;
}

char *
broker_find_program(struct fault *fault)
{
	const char *path = getenv("PATH");
	char *program = path != NULL ? find_in(path) : NULL;

	/* Debian has it where only root's PATH leads. */
	if (program == NULL)
		program = find_in("/usr/sbin:/usr/local/sbin:/usr/bin:"
				  "/usr/local/bin");
	if (program == NULL)
		fault_set(fault, FAULT_UNAVAILABLE,
			"mosquitto is not "
			"installed (as root: apt install mosquitto)");
	return program;
}

/* The first line of the log with this word, from the word on; else, if
 * or_last, its last line.  The caller frees it; may be NULL. */
static char *
find_line(const char *log, const char *word, bool or_last)
{
	FILE *file = fopen(log, "re");
	char *line = NULL;
	char *found = NULL;
	size_t size = 0;

	if (file == NULL)
		return NULL;
	while (getline(&line, &size, file) > 0) {
		const char *at = strstr(line, word);

		line[strcspn(line, "\n")] = '\0';
		if (at == NULL && (!or_last || *line == '\0'))
			continue;
		free(found);
		found = memory_string(at != NULL ? at : line);
		if (at != NULL)
			break;
	}
	free(line);
	fclose(file);
	return found;
}

static bool
says_it_runs(const char *log)
{
	char *line = find_line(log, " running", false);

	free(line);
	return line != NULL;
}

static bool
accepts(const char *address, uint16_t port)
{
	bool six = strchr(address, ':') != NULL;
	struct sockaddr_storage to;
	int why = 0;
	socklen_t why_len = sizeof(why);

	if (broker_is_any(address))
		address = six ? "::1" : "127.0.0.1";
	socklen_t len = broker_sockaddr(&to, address, port);
	int fd = socket(to.ss_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		why = errno;
	if (why == EINPROGRESS) {
		struct pollfd wait = { .fd = fd, .events = POLLOUT };

		if (poll(&wait, 1, CONNECT_MS) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &why_len);
	}
	close(fd);
	return why == 0;
}

static bool
accepts_all(const struct broker *broker)
{
	for (size_t i = 0; i < broker->count; i++)
		if (!accepts(broker->addresses[i], broker->port))
			return false;
	return true;
}

static int
explain_end(const char *log, struct fault *fault)
{
	static const char mark[] = "Error: ";
	char *line = find_line(log, mark, true);
	const char *reason = line != NULL ? line : _("it said nothing");

	if (strncmp(reason, mark, strlen(mark)) == 0)
		reason += strlen(mark);
	fault_set(fault, FAULT_UNAVAILABLE,
		"mosquitto ended at its start: %s "
		"(%s has the rest)",
		reason, log);
	free(line);
	return -1;
}

/* Waits until it accepts connections, or has ended. */
static int
wait_ready(const struct broker *broker, pid_t pid, const char *log,
	struct fault *fault)
{
	int64_t start = now_ms();

	for (;;) {
		int64_t passed = now_ms() - start;

		/* -1: nobody keeps its status, where SIGCHLD is ignored. */
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return explain_end(log, fault);
		/* A connection alone could be to another process, which took
		 * the port a moment before. */
		if ((passed >= SILENT_MS || says_it_runs(log)) &&
			accepts_all(broker))
			return 0;
		if (passed >= START_MS)
			break;
		poll(NULL, 0, TICK_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fault_set(fault, FAULT_TIMEOUT,
		"mosquitto accepts no "
		"connection on port %u after %d s (%s tells more)",
		broker->port, START_MS / 1000, log);
}

static int
write_pid(const char *path, struct fault *fault)
{
	char line[24];

	snprintf(line, sizeof(line), "%ld\n", (long)getpid());
	return file_replace(path, span_of(line), 0600, fault);
}

/* closefrom(), which not every libc has. */
static void
close_from(int first)
{
	DIR *folder = opendir("/dev/fd");
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd >= first && fd != dirfd(folder))
			close(fd);
	}
	if (folder != NULL)
		closedir(folder);
}

/* In the child: turns into mosquitto.  Standard error is the log already, so
 * that what fails here is found there. */
_Noreturn static void
become(const char *folder, const char *program, int lock)
{
	char *conf = memory_format("%s/mosquitto.conf", folder);
	char *pid_file = memory_format("%s/mosquitto.pid", folder);
	char *name = memory_string("mosquitto");
	char *option = memory_string("-c");
	char *const argv[] = { name, option, conf, NULL };
	struct fault fault = { 0 };
	sigset_t none;

	setsid();
	umask(077);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* Written here, so that it is there however the parent ends. */
	if (chdir("/") < 0 || write_pid(pid_file, &fault) < 0) {
		dprintf(STDERR_FILENO, "Error: %s\n",
			fault.kind != FAULT_NONE ? fault.text
						 : strerror(errno));
		_exit(FAULT_CANTCREAT);
	}
	if (lock == LOCK_FD)
		fcntl(lock, F_SETFD, 0);
	else
		dup2(lock, LOCK_FD);
	close_from(LOCK_FD + 1);
	execv(program, argv);
	dprintf(STDERR_FILENO, "Error: %s: %s\n", program, strerror(errno));
	_exit(FAULT_UNAVAILABLE);
}

/* The log anew; the one before is kept under another name. */
static int
open_log(const char *path, struct fault *fault)
{
	char *old = memory_format("%s.old", path);

	rename(path, old);
	free(old);
	int fd = open(path,
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		fault_set(fault, FAULT_CANTCREAT, "%s: %s", path,
			strerror(errno));
	return fd;
}

/* Forks; in the child 0, 1 and 2 are /dev/null and the log. */
static pid_t
fork_quietly(int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null < 0 ? -1 : fork();

	if (pid == 0) {
		dup2(null, STDIN_FILENO);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	} else if (null >= 0) {
		close(null);
	}
	return pid;
}

/* So that what is opened from here on is not taken for standard input, output
 * or error, where the caller closed those. */
static void
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

long
broker_start(const struct broker *broker, const char *folder,
	const char *program, struct fault *fault)
{
	char *log_path = memory_format("%s/mosquitto.log", folder);
	char *lock_path = memory_format("%s/mosquitto.lock", folder);
	char *pid_path = memory_format("%s/mosquitto.pid", folder);
	int log = -1;
	long rc = -1;

	fill_standard();
	/* One left over must not count together with our lock. */
	unlink(pid_path);
	int lock = file_lock(lock_path, LOCK_MS, NULL, fault);
	if (lock < 0)
		goto out;
	log = open_log(log_path, fault);
	if (log < 0)
		goto out;
	pid_t pid = fork_quietly(log);
	if (pid == 0)
		become(folder, program, lock);
	close(lock);
	lock = -1;
	if (pid < 0)
		fault_set(fault, FAULT_UNAVAILABLE,
			"mosquitto cannot be started: %s", strerror(errno));
	else if (wait_ready(broker, pid, log_path, fault) < 0)
		unlink(pid_path);
	else
		rc = pid;
out:
	if (log >= 0)
		close(log);
	if (lock >= 0)
		close(lock);
	free(pid_path);
	free(lock_path);
	free(log_path);
	return rc;
}

void
broker_reload(const char *folder)
{
	long pid = conf_fabric_pid(folder);

	if (pid > 0)
		kill((pid_t)pid, SIGHUP);
}

/* Has it ended within this time? */
static bool
wait_end(const char *folder, int wait_ms)
{
	int64_t start = now_ms();

	while (conf_fabric_pid(folder) != 0) {
		if (now_ms() - start >= wait_ms)
			return false;
		poll(NULL, 0, TICK_MS);
	}
	return true;
}

long
broker_stop(const char *folder, struct fault *fault)
{
	char *pid_path = memory_format("%s/mosquitto.pid", folder);
	long pid = conf_fabric_pid(folder);
	long rc = pid;

	if (pid > 0 && kill((pid_t)pid, SIGTERM) < 0 && errno == EPERM) {
		rc = fault_set(fault, FAULT_NOPERM,
			"mosquitto (process %ld) "
			"belongs to another user",
			pid);
	} else if (pid > 0 && !wait_end(folder, END_MS)) {
		kill((pid_t)pid, SIGKILL);
		if (!wait_end(folder, KILL_MS))
			rc = fault_set(fault, FAULT_TIMEOUT,
				"mosquitto "
				"(process %ld) does not end",
				pid);
	}
	if (rc >= 0)
		unlink(pid_path);
	free(pid_path);
	return rc;
}
