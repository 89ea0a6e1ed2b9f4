/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The value of a variable; NULL if it is unset or empty. */
static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* A base folder; the specification has relative ones ignored. */
static char *
base_dir(const char *variable, const char *below_home)
{
	const char *dir = environment(variable);
	const char *home = environment("HOME");

	if (dir != NULL && *dir == '/')
		return memory_format("%s/qchat", dir);
	if (home == NULL || *home != '/') {
		const struct passwd *user = getpwuid(getuid());

		home = user != NULL ? user->pw_dir : "/nonexistent";
	}
	return memory_format("%s/%s/qchat", home, below_home);
}

char *
conf_config_dir(void)
{
	return base_dir("XDG_CONFIG_HOME", ".config");
}

char *
conf_state_dir(void)
{
	return base_dir("XDG_STATE_HOME", ".local/state");
}

char *
conf_fabric_dir(void)
{
	char *state = conf_state_dir();
	char *dir = memory_format("%s/fabric", state);

	free(state);
	return dir;
}

/* Is the file there, and locked by another process? */
static bool
is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	/* Shared, so that two that look do not take each other for it. */
	bool held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

static long
read_pid(const char *path)
{
	char line[24] = "";
	long pid = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL) {
		size_t digits = strspn(line, "0123456789");

		if (line[digits] == '\0' || line[digits] == '\n')
			pid = strtol(line, NULL, 10);
	}
	fclose(file);
	return pid <= INT_MAX ? pid : 0;
}

long
conf_fabric_pid(const char *fabric_dir)
{
	char *lock = memory_format("%s/mosquitto.lock", fabric_dir);
	char *file = memory_format("%s/mosquitto.pid", fabric_dir);
	long pid = is_held(lock) ? read_pid(file) : 0;

	if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno != EPERM)
		pid = 0;
	free(lock);
	free(file);
	return pid;
}

/* Reads a file that the user named. */
static int
read_named(struct conf *conf, const char *path, struct fault *fault)
{
	if (conf_read(conf, path, fault) < 0)
		return -1;
	if (conf->broker_count > 0)
		return 0;
	conf_free(conf);
	return fault_set(fault, FAULT_CONFIG,
		"%s: names no broker (set "
		"brokers or dxl_config; man qchat.conf)",
		path);
}

static bool
is_absent(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static void
keep(char **found, char **newer)
{
	if (*found == NULL)
		return;
	free(*newer);
	*newer = *found;
	*found = NULL;
}

static void
keep_limit(int64_t old, int64_t *new)
{
	if (old > 0)
		*new = old;
}

static void
keep_limits(const struct conf_limits *old, struct conf_limits *new)
{
	keep_limit(old->store_bytes, &new->store_bytes);
	keep_limit(old->store_messages, &new->store_messages);
	keep_limit(old->spool_bytes, &new->spool_bytes);
	keep_limit(old->spool_messages, &new->spool_messages);
	keep_limit(old->spool_hours, &new->spool_hours);
	keep_limit(old->seal_old_hours, &new->seal_old_hours);
}

/* Puts a file in the place of conf; room, user, limits and what is for
 * qchat-join already found stay. */
static int
read_next(struct conf *conf, const char *path, struct fault *fault)
{
	struct conf next;

	if (conf_read(&next, path, fault) < 0)
		return -1;
	keep(&conf->room, &next.room);
	keep(&conf->user, &next.user);
	keep_limits(&conf->limits, &next.limits);
	conf_join_keep(&conf->join, &next.join);
	conf_free(conf);
	*conf = next;
	return 0;
}

static int
read_fabric(struct conf *conf, const char *personal, bool stopped_too,
	struct fault *fault)
{
	char *dir = conf_fabric_dir();
	char *path = memory_format("%s/qchat.conf", dir);
	bool stopped = conf_fabric_pid(dir) == 0;
	int rc = -1;

	if (is_absent(path))
		fault_set(fault, FAULT_CONFIG,
			"no fabric is configured: "
			"`qchat-fabric up` starts one on this "
			"machine, or name a broker in %s (man qchat.conf)",
			personal);
	else if (access(path, R_OK) < 0)
		fault_set(fault, FAULT_CONFIG,
			"%s: cannot be read: %s (is that its path, and may you "
			"read it?)",
			path, strerror(errno));
	else if (stopped && !stopped_too)
		fault_set(fault, FAULT_UNAVAILABLE, CONF_STOPPED);
	else
		rc = read_next(conf, path, fault);
	if (rc == 0 && conf->broker_count == 0)
		rc = fault_set(fault, FAULT_CONFIG,
			"%s: names no broker "
			"(qchat-fabric makes this file)",
			path);
	conf->private_fabric = rc == 0;
	conf->stopped = rc == 0 && stopped;
	free(path);
	free(dir);
	return rc;
}

static int
search(struct conf *conf, bool stopped_too, struct fault *fault)
{
	char *dir = conf_config_dir();
	char *personal = memory_format("%s/qchat.conf", dir);
	const char *places[] = { personal, SYSCONFDIR "/qchat/qchat.conf" };
	int rc = 0;

	*conf = (struct conf){ 0 };
	for (size_t i = 0; i < 2 && rc == 0 && conf->broker_count == 0; i++)
		if (!is_absent(places[i]))
			rc = read_next(conf, places[i], fault);
	if (rc == 0 && conf->broker_count == 0)
		rc = read_fabric(conf, personal, stopped_too, fault);
	if (rc < 0)
		conf_free(conf);
	free(personal);
	free(dir);
	return rc;
}

static void
override(char **setting, const char *variable)
{
	const char *value = environment(variable);

	if (value == NULL)
		return;
	free(*setting);
	*setting = memory_string(value);
}

int
conf_find(struct conf *conf, const struct conf_source *source,
	struct fault *fault)
{
	const char *config = source->config;
	const char *dxl_config = source->dxl_config;
	int rc;

	if (config != NULL && dxl_config != NULL)
		return fault_set(fault, FAULT_USAGE,
			"--config and --dxl-config exclude each other");
	if (config == NULL && dxl_config == NULL) {
		config = environment("QCHAT_CONFIG");
		dxl_config = environment("QCHAT_DXL_CONFIG");
	}
	if (config != NULL && dxl_config != NULL)
		return fault_set(fault, FAULT_CONFIG,
			"QCHAT_CONFIG and "
			"QCHAT_DXL_CONFIG exclude each other (unset one)");
	if (config != NULL)
		rc = read_named(conf, config, fault);
	else if (dxl_config != NULL)
		rc = conf_read_dxl(conf, dxl_config, fault);
	else
		rc = search(conf, source->stopped_too, fault);
	if (rc < 0)
		return -1;
	override(&conf->room, "QCHAT_ROOM");
	override(&conf->user, "QCHAT_USER");
	return 0;
}
