/* SPDX-License-Identifier: Apache-2.0 */
#include "provision_files.h"

#include "file.h"
#include "identity.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".qchat-new-" /* and six letters or digits */

enum { RANDOM_LEN = 6, SUFFIX_LEN = sizeof(SUFFIX) - 1 + RANDOM_LEN };

/* One file that is to change. */
struct work {
	struct provision_file *file; /* NULL: the configuration */
	char *value;                 /* its path in the configuration */
	char *path;                  /* as seen from here, … */
	char *target;                /* … behind symbolic links */
	mode_t mode;
	char *interim; /* the new one, under a name of its own; or NULL */
	char *final;   /* the new one, on its way to target; or NULL */
};

struct commit {
	struct provision_set *set;
	struct fault *fault;
	struct work works[PROVISION_FILES_MAX];
	size_t count;
	struct work config;
	char *trial;     /* as the interim one, beside what it names; or NULL */
	bool has_config; /* there is one, or will be */
	char *old;       /* its text, "" if there is none */
	struct text final;
	bool is_switched; /* the configuration names what is new */
};

/* Does it end as what file_fresh() has made? */
static bool
is_fresh(const char *name)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(name);

	if (len <= SUFFIX_LEN)
		return false;
	name += len - SUFFIX_LEN;
	return strncmp(name, SUFFIX, sizeof(SUFFIX) - 1) == 0 &&
		strspn(name + sizeof(SUFFIX) - 1, all) == RANDOM_LEN;
}

static char *
config_path(const char *folder)
{
	return memory_format("%s/" PROVISION_CONFIG, folder);
}

int
provision_check_folder(const char *folder, struct fault *fault)
{
	struct stat info;

	if (stat(folder, &info) < 0)
		return errno == ENOENT
			? 0
			: fault_set(fault, FAULT_CANTCREAT, "%s: %s", folder,
				  strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return fault_set(fault, FAULT_CANTCREAT, "%s: is not a folder",
			folder);
	if ((info.st_mode & S_IWOTH) != 0)
		return fault_set(fault, FAULT_NOPERM,
			"%s: everybody can write into this folder, and so give "
			"you files of their own (chmod o-w %s)",
			folder, folder);
	if (access(folder, W_OK | X_OK) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", folder,
			strerror(errno));
	return 0;
}

char *
provision_config(const char *folder, struct fault *fault)
{
	char *path = config_path(folder);
	char *text = access(path, F_OK) < 0 && errno == ENOENT
		? memory_string("")
		: conf_load(path, fault);

	free(path);
	return text;
}

/* Where it is, and what is there now: an owner to keep, and a mode, unless it
 * is to be closed. */
static void
find_target(struct work *work, mode_t mode)
{
	struct stat info;
	bool closed = (mode & 077) == 0;

	char *real = realpath(work->path, NULL);
	work->target = memory_string(real != NULL ? real : work->path);
	free(real);
	work->mode = mode;
	if (!closed && stat(work->target, &info) == 0)
		work->mode = info.st_mode & 0777;
}

static void
open_works(struct commit *commit)
{
	struct provision_set *set = commit->set;

	commit->config.path = config_path(set->folder);
	find_target(&commit->config, 0644);
	commit->has_config = *commit->old != '\0' || !set->only_old;
	for (size_t i = 0; i < set->count; i++) {
		struct provision_file *file = &set->files[i];
		struct work *work = &commit->works[commit->count++];

		work->file = file;
		if (file->value != NULL)
			work->value = memory_string(file->value);
		else
			work->value = conf_edit_value(commit->old, "Certs",
				file->key);
		if (work->value == NULL || *work->value == '\0') {
			free(work->value);
			work->value = memory_string(PROVISION_CA);
		}
		work->path = conf_beside(commit->config.path, work->value);
		find_target(work, file->mode);
		file->changed = !file_has(work->target, file->bytes,
			work->mode);
	}
}

static void
work_free(struct work *work)
{
	free(work->value);
	free(work->path);
	free(work->target);
	free(work->interim);
	free(work->final);
}

/* Whose the old one is, his is the new one; only root can see to that. */
static void
keep_owner(const char *path, const char *target)
{
	struct stat info;

	if (geteuid() == 0 && stat(target, &info) == 0 && info.st_uid != 0 &&
		lchown(path, info.st_uid, info.st_gid) < 0) {
		/* Then it is root's, and can be read by who could before if
		 * it is no key. */
	}
}

static char *
make(const struct work *work, const char *beside, struct span bytes,
	struct fault *fault)
{
	char *path = file_fresh(beside, SUFFIX, bytes, work->mode, fault);

	if (path != NULL)
		keep_owner(path, work->target);
	return path;
}

/* The configuration with all paths as they shall be; or, interim, with those
 * of the new files under their own names. */
static void
format_config(struct commit *commit, bool interim, struct text *out)
{
	struct provision_set *set = commit->set;
	struct conf_change change = { .key = set->key,
		.brokers = set->brokers,
		.web = set->web };
	char *values[PROVISION_FILES_MAX] = { NULL };

	if (*commit->old == '\0') {
		change.ca = PROVISION_CA;
		change.certificate = PROVISION_PREFIX ".crt";
		if (change.key == NULL)
			change.key = PROVISION_PREFIX ".key";
	}
	for (size_t i = 0; i < commit->count; i++) {
		const struct work *work = &commit->works[i];
		const char *key = work->file->key;

		if (key == NULL)
			continue;
		if (interim && work->interim != NULL)
			values[i] = memory_format("%s%s", work->value,
				work->interim + strlen(work->path));
		else
			values[i] = memory_string(work->value);
		if (strcmp(key, "BrokerCertChain") == 0)
			change.ca = values[i];
		else if (strcmp(key, "CertFile") == 0)
			change.certificate = values[i];
		else
			change.key = values[i];
	}
	conf_edit(out, commit->old, &change);
	for (size_t i = 0; i < commit->count; i++)
		free(values[i]);
}

/* Writes all that is new, and nothing in the place of what is old. */
static int
write_all(struct commit *commit)
{
	struct provision_set *set = commit->set;
	struct text interim = { 0 };
	int rc = 0;

	for (size_t i = 0; i < commit->count && rc == 0; i++) {
		struct work *work = &commit->works[i];

		if (!work->file->changed)
			continue;
		work->interim = make(work, work->path, work->file->bytes,
			commit->fault);
		if (work->interim != NULL)
			work->final = make(work, work->target,
				work->file->bytes, commit->fault);
		rc = work->final != NULL ? 0 : -1;
	}
	if (rc < 0 || !commit->has_config)
		return rc;
	struct work *config = &commit->config;
	format_config(commit, true, &interim);
	format_config(commit, false, &commit->final);
	set->config_changed = strcmp(commit->old, commit->final.bytes) != 0;
	const struct span span = { interim.bytes, interim.len };
	/* What it names is beside the link, if it is one, and it itself has to
	 * be where it leads to, which may be another file system. */
	commit->trial = make(config, config->path, span, commit->fault);
	if (commit->trial != NULL)
		config->interim = make(config, config->target, span,
			commit->fault);
	if (config->interim != NULL)
		config->final = make(config, config->target,
			(struct span){ commit->final.bytes, commit->final.len },
			commit->fault);
	text_free(&interim);
	return config->final != NULL ? 0 : -1;
}

/* Where a file is that [Certs] of the interim configuration names. */
static char *
interim_path(const struct commit *commit, const char *text, const char *key)
{
	char *value = conf_edit_value(text, "Certs", key);
	char *path = value != NULL ? conf_beside(commit->config.path, value)
				   : NULL;

	free(value);
	return path;
}

/* Takes the suffix of one of our files from its name, wherever that stands. */
static void
hide_one(const char *fresh, char *text)
{
	char *at;

	while (fresh != NULL && (at = strstr(text, fresh)) != NULL) {
		char *end = at + strlen(fresh);

		memmove(end - SUFFIX_LEN, end, strlen(end) + 1);
	}
}

/* A name that is gone in a moment is of no use to anybody. */
static int
hide_fresh(const struct commit *commit, struct fault *fault)
{
	for (size_t i = 0; i < commit->count; i++)
		hide_one(commit->works[i].interim, fault->text);
	hide_one(commit->trial, fault->text);
	return -1;
}

static int
check_key(struct commit *commit)
{
	struct provision_set *set = commit->set;
	struct fault *fault = commit->fault;
	char *text = conf_load(commit->trial, fault);

	if (text == NULL)
		return -1;
	struct conf conf = { .file = commit->config.path,
		.certificate = interim_path(commit, text, "CertFile"),
		.key = interim_path(commit, text, "PrivateKey"),
		.ask_passphrase = set->ask_passphrase,
		.ask_context = set->ask_context };
	int rc = identity_check_key(&conf, fault) == 0 ? 0 : -1;
	free(conf.certificate);
	free(conf.key);
	free(text);
	return rc;
}

/* Can it be read as it would be? */
static int
check_all(struct commit *commit)
{
	const struct provision_set *set = commit->set;
	struct fault why = { 0 };
	struct conf conf;

	if (!commit->has_config)
		return 0;
	if (set->check_key && check_key(commit) < 0)
		return hide_fresh(commit, commit->fault);
	/* Without a broker we cannot use it, but others can. */
	if (set->brokers == NULL || set->brokers->count == 0)
		return 0;
	if (conf_read_dxl(&conf, commit->trial, &why) == 0) {
		conf_free(&conf);
		return 0;
	}
	hide_fresh(commit, &why);
	return fault_set(commit->fault, why.kind,
		"%s: could not be read with what is new in it: %s (mend it, "
		"or move it away)",
		commit->config.path, why.text);
}

static int
sync_name(const struct commit *commit, const char *path)
{
	if (file_sync_name(path) == 0)
		return 0;
	return fault_set(commit->fault, FAULT_IO, "%s: %s", path,
		strerror(errno));
}

/* Puts it into its place; then *fresh is NULL.  A disk may fail after that. */
static int
put(const struct commit *commit, char **fresh, const char *target)
{
	if (rename(*fresh, target) < 0)
		return fault_set(commit->fault, FAULT_IO, "%s: %s", target,
			strerror(errno));
	free(*fresh);
	*fresh = NULL;
	return sync_name(commit, target);
}

/* From now on the configuration names the new files as they are called now,
 * which has to be on the disk first. */
static int
switch_config(struct commit *commit)
{
	struct work *config = &commit->config;

	for (size_t i = 0; i < commit->count; i++) {
		const struct work *work = &commit->works[i];

		if (work->interim != NULL &&
			sync_name(commit, work->interim) < 0)
			return -1;
	}
	int rc = put(commit, &config->interim, config->target);
	commit->is_switched = config->interim == NULL;
	return rc;
}

static int
put_files(struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		struct work *work = &commit->works[i];

		if (work->final != NULL &&
			put(commit, &work->final, work->target) < 0)
			return -1;
	}
	return 0;
}

/*
 * If more than one thing changes, the configuration is the switch: one
 * rename() lets it name the new files under names of their own, which are all
 * there.  Then the usual names become theirs, which nobody looks at meanwhile,
 * and at last the configuration names those again.
 */
static int
put_all(struct commit *commit)
{
	const struct provision_set *set = commit->set;
	struct work *config = &commit->config;
	size_t changes = commit->has_config && set->config_changed;

	for (size_t i = 0; i < commit->count; i++)
		changes += commit->works[i].file->changed;
	if (changes > 1 && commit->has_config && switch_config(commit) < 0)
		return -1;
	if (put_files(commit) < 0)
		return -1;
	if ((commit->is_switched || set->config_changed) &&
		commit->has_config &&
		put(commit, &config->final, config->target) < 0)
		return -1;
	commit->is_switched = false;
	return 0;
}

static void
drop(char *path)
{
	if (path != NULL)
		unlink(path);
}

/* Takes away what is not in use. */
static void
clean_up(struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		drop(commit->works[i].final);
		if (!commit->is_switched)
			drop(commit->works[i].interim);
	}
	drop(commit->trial);
	drop(commit->config.interim);
	drop(commit->config.final);
}

/* And what another left that was ended, unless the configuration has it. */
static void
sweep(const struct commit *commit)
{
	DIR *folder = opendir(commit->set->folder);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		const char *name = entry->d_name;

		if (is_fresh(name) &&
			(commit->final.bytes == NULL ||
				strstr(commit->final.bytes, name) == NULL))
			unlinkat(dirfd(folder), name, 0);
	}
	if (folder != NULL)
		closedir(folder);
}

/* Does a setting that is not for this work name its file, too? */
static int
check_named(const struct commit *commit, const struct work *work,
	const char *key)
{
	char *value, *path = NULL, *real = NULL;
	int rc = 0;

	if (work->file->key != NULL && strcmp(work->file->key, key) == 0)
		return 0;
	value = conf_edit_value(commit->old, "Certs", key);
	if (value != NULL)
		path = conf_beside(commit->config.path, value);
	if (path != NULL)
		real = realpath(path, NULL);
	if (real != NULL && strcmp(real, work->target) == 0)
		rc = fault_set(commit->fault, FAULT_CONFIG,
			"%s: %s names it, too, and it would be overwritten "
			"(give each a file of its own)",
			work->target, key);
	free(real);
	free(path);
	free(value);
	return rc;
}

/* What is renamed takes the place of anything, also of a device. */
static int
check_plain(const struct commit *commit, const struct work *work)
{
	struct stat info;

	if (lstat(work->path, &info) < 0)
		return 0;
	if (stat(work->path, &info) < 0 && errno != ENOENT)
		return fault_set(commit->fault, FAULT_CANTCREAT, "%s: %s",
			work->path, strerror(errno));
	if (stat(work->path, &info) < 0)
		return fault_set(commit->fault, FAULT_CANTCREAT,
			"%s: is a link to what is not there (make that, or "
			"remove the link)",
			work->path);
	if (!S_ISREG(info.st_mode))
		return fault_set(commit->fault, FAULT_CANTCREAT,
			"%s: is no plain file", work->path);
	return 0;
}

/* Of two things in one file the second would destroy the first. */
static int
check_apart(const struct commit *commit, size_t i)
{
	const char *target = commit->works[i].target;
	bool is_double = strcmp(target, commit->config.target) == 0;

	for (size_t j = 0; j < i; j++)
		if (strcmp(target, commit->works[j].target) == 0)
			is_double = true;
	if (!is_double)
		return 0;
	return fault_set(commit->fault, FAULT_CONFIG,
		"%s: would hold two things (give each a file of its own; "
		"--file-prefix may help)",
		target);
}

static int
check_targets(const struct commit *commit)
{
	static const char *const keys[] = { "BrokerCertChain", "CertFile",
		"PrivateKey" };

	for (size_t i = 0; i < commit->count; i++) {
		const struct work *work = &commit->works[i];

		if (check_plain(commit, work) < 0 || check_apart(commit, i) < 0)
			return -1;
		for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++)
			if (check_named(commit, work, keys[j]) < 0)
				return -1;
	}
	return commit->has_config ? check_plain(commit, &commit->config) : 0;
}

static int
run(struct commit *commit)
{
	commit->old = provision_config(commit->set->folder, commit->fault);
	if (commit->old == NULL)
		return -1;
	open_works(commit);
	int rc = check_targets(commit) < 0 || write_all(commit) < 0 ||
			check_all(commit) < 0 || put_all(commit) < 0
		? -1
		: 0;
	clean_up(commit);
	if (rc == 0)
		sweep(commit);
	for (size_t i = 0; i < commit->count; i++)
		work_free(&commit->works[i]);
	work_free(&commit->config);
	text_free(&commit->final);
	free(commit->trial);
	free(commit->old);
	return rc;
}

/* Who was here before was ended between the first and the last rename(): what
 * he wanted is done first. */
static int
finish_former(const char *folder, struct fault *fault)
{
	static const char *const keys[] = { "BrokerCertChain", "CertFile",
		"PrivateKey" };
	struct provision_set set = { .folder = folder };
	struct commit commit = { .set = &set, .fault = fault };
	char *texts[3] = { NULL }, *values[3] = { NULL };
	char *config = config_path(folder);
	char *old = provision_config(folder, fault);
	int rc = old != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		values[i] = conf_edit_value(old, "Certs", keys[i]);
		if (values[i] == NULL || !is_fresh(values[i]))
			continue;
		char *path = conf_beside(config, values[i]);
		texts[i] = conf_load(path, fault);
		free(path);
		if (texts[i] == NULL)
			rc = -1;
		values[i][strlen(values[i]) - SUFFIX_LEN] = '\0';
		set.files[set.count++] = (struct provision_file){
			.key = keys[i],
			.value = values[i],
			.bytes = span_of(texts[i]),
			.mode = i == 2 ? 0600 : 0644
		};
	}
	if (rc == 0 && set.count > 0)
		rc = run(&commit);
	for (size_t i = 0; i < 3; i++) {
		free(values[i]);
		/* One may be a key. */
		if (texts[i] != NULL)
			explicit_bzero(texts[i], strlen(texts[i]));
		free(texts[i]);
	}
	free(old);
	free(config);
	return rc;
}

int
provision_commit(struct provision_set *set, struct fault *fault)
{
	struct commit commit = { .set = set, .fault = fault };
	struct stat info;
	sigset_t all, before;

	/* One that is there may be others' business, too. */
	if (stat(set->folder, &info) < 0 && file_folder(set->folder, fault) < 0)
		return -1;
	int lock = file_lock_folder(set->folder, PROVISION_WAIT_MS, fault);
	if (lock < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	int rc = finish_former(set->folder, fault);
	if (rc == 0)
		rc = run(&commit);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(lock);
	return rc;
}
