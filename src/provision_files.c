/* SPDX-License-Identifier: Apache-2.0 */
#include "provision_files.h"

#include "file.h"
#include "identity.h"
#include "memory.h"
#include "provision_owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
	char *real;       /* the folder, behind symbolic links */
	bool is_others;   /* it is another user's, … */
	bool is_led;      /* … or he says where files are */
};

static const char *const keys[] = { "BrokerCertChain", "CertFile",
	"PrivateKey" };

enum { KEY_COUNT = sizeof(keys) / sizeof(*keys) };

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

/* The caller frees it. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return memory_string(".");
	return slash == path ? memory_string("/")
			     : memory_copy(path, (size_t)(slash - path));
}

/* The path behind symbolic links, of what may not be there itself.  The caller
 * frees it. */
static char *
resolve(const char *path)
{
	char *real = realpath(path, NULL), *parent, *found;

	if (real != NULL) {
		found = memory_string(real);
	} else {
		const char *slash = strrchr(path, '/');

		parent = folder_of(path);
		real = realpath(parent, NULL);
		free(parent);
		found = real != NULL
			? memory_format("%s/%s",
				  strcmp(real, "/") == 0 ? "" : real,
				  slash != NULL ? slash + 1 : path)
			: memory_string(path);
	}
	free(real);
	return found;
}

static bool
is_inside(const char *path, const char *folder)
{
	size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

	return strncmp(path, folder, len) == 0 &&
		(path[len] == '/' || path[len] == '\0');
}

/* Can a missing folder be made there? */
static int
check_missing(const char *folder, struct fault *fault)
{
	struct stat info;
	int rc = 0;

	if (lstat(folder, &info) == 0)
		return fault_set(fault, FAULT_CANTCREAT,
			"%s: is a link to what is not there (make that, or "
			"remove the link)",
			folder);
	char *at = memory_string(folder);
	while (stat(at, &info) < 0 && errno == ENOENT && strcmp(at, ".") != 0) {
		char *parent = folder_of(at);

		free(at);
		at = parent;
	}
	if (faccessat(AT_FDCWD, at, W_OK | X_OK, AT_EACCESS) < 0)
		rc = fault_set(fault, FAULT_CANTCREAT, "%s: %s", at,
			strerror(errno));
	free(at);
	return rc;
}

static int
check_folder(const char *folder, struct fault *fault)
{
	struct stat info;

	if (stat(folder, &info) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", folder,
			strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return fault_set(fault, FAULT_CANTCREAT, "%s: is not a folder",
			folder);
	if ((info.st_mode & S_IWOTH) != 0)
		return fault_set(fault, FAULT_NOPERM,
			"%s: everybody can write into this folder, and so give "
			"you files of their own (chmod o-w %s)",
			folder, folder);
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
		return fault_set(fault, FAULT_CANTCREAT, "%s: %s", folder,
			strerror(errno));
	return 0;
}

int
provision_check_folder(const char *folder, struct fault *fault)
{
	struct stat info;

	if (stat(folder, &info) < 0 && errno == ENOENT)
		return check_missing(folder, fault);
	return check_folder(folder, fault);
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

	work->target = resolve(work->path);
	work->mode = mode;
	if (!closed && stat(work->target, &info) == 0)
		work->mode = info.st_mode & 0777;
}

/* Who else could lead us to files that are not his? */
static void
find_others(struct commit *commit)
{
	struct stat info;

	commit->real = resolve(commit->set->folder);
	commit->is_others = stat(commit->real, &info) == 0 &&
		owner_is_other(info.st_uid);
	commit->is_led = stat(commit->config.target, &info) == 0 &&
		(owner_is_other(info.st_uid) || (info.st_mode & S_IWOTH) != 0);
}

/* A name of a moment stands for the usual one. */
static void
cut_fresh(char *value)
{
	if (value != NULL && is_fresh(value))
		value[strlen(value) - SUFFIX_LEN] = '\0';
}

static void
open_works(struct commit *commit)
{
	struct provision_set *set = commit->set;

	commit->config.path = config_path(set->folder);
	find_target(&commit->config, 0644);
	find_others(commit);
	commit->has_config = !set->no_config &&
		(*commit->old != '\0' || !set->only_old);
	for (size_t i = 0; i < set->count; i++) {
		struct provision_file *file = &set->files[i];
		struct work *work = &commit->works[commit->count++];

		work->file = file;
		if (file->value != NULL)
			work->value = memory_string(file->value);
		else
			work->value = conf_edit_value(commit->old, "Certs",
				file->key);
		cut_fresh(work->value);
		if (work->value == NULL || *work->value == '\0') {
			free(work->value);
			work->value = memory_string(PROVISION_CA);
		}
		work->path = conf_beside(commit->config.path, work->value);
		find_target(work, file->mode);
		file->changed = file->bytes.bytes == NULL ||
			!file_has(work->target, file->bytes, work->mode);
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

/* Whose the old one is, his is the new one; only root can see to that.  What
 * has a second name may have been put there for root to give away. */
static void
keep_owner(const char *path, const char *target)
{
	struct stat info, fresh;

	if (geteuid() != 0 || stat(target, &info) < 0 || info.st_uid == 0)
		return;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &fresh) == 0 && S_ISREG(fresh.st_mode) &&
		fresh.st_nlink == 1 &&
		fchown(fd, info.st_uid, info.st_gid) < 0) {
		/* Then it is root's, and can be read by who could before if
		 * it is no key. */
	}
	if (fd >= 0)
		close(fd);
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

/* Of a folder what ends so; or, with a name, what that is followed by it. */
static void
sweep_folder(const struct commit *commit, const char *path, const char *name)
{
	const char *used = commit->final.bytes != NULL ? commit->final.bytes
						       : commit->old;
	size_t len = name != NULL ? strlen(name) : 0;
	DIR *folder = opendir(path);
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		const char *found = entry->d_name;
		bool is_its = name == NULL ||
			(strncmp(found, name, len) == 0 &&
				strlen(found) == len + SUFFIX_LEN);

		if (is_its && is_fresh(found) && strstr(used, found) == NULL)
			unlinkat(dirfd(folder), found, 0);
	}
	if (folder != NULL)
		closedir(folder);
}

static void
sweep_beside(const struct commit *commit, const char *path)
{
	char *folder = folder_of(path);
	const char *slash = strrchr(path, '/');

	sweep_folder(commit, folder, slash != NULL ? slash + 1 : path);
	free(folder);
}

static void
sweep_work(const struct commit *commit, const struct work *work)
{
	sweep_beside(commit, work->path);
	sweep_beside(commit, work->target);
}

/* And what another left that was ended, unless the configuration has it. */
static void
sweep(const struct commit *commit)
{
	sweep_folder(commit, commit->set->folder, NULL);
	for (size_t i = 0; i < commit->count; i++)
		sweep_work(commit, &commit->works[i]);
	sweep_work(commit, &commit->config);
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

/* In a folder of theirs others can lead us to any file by a link, or by a path
 * in the configuration. */
static int
check_others(const struct commit *commit, const struct work *work)
{
	struct stat info;
	char *parent = folder_of(work->path);
	char *real = resolve(parent);
	bool is_outside = (commit->is_others &&
				  !is_inside(work->target, commit->real)) ||
		(commit->is_led && work->file != NULL &&
			!is_inside(real, commit->real));

	free(real);
	free(parent);
	if (is_outside)
		return fault_set(commit->fault, FAULT_NOPERM,
			"%s: is outside of %s, where another user says which "
			"files change (run qchat-provision as that user)",
			work->target, commit->set->folder);
	if (!commit->is_others || stat(work->target, &info) < 0)
		return 0;
	struct stat folder;
	if (stat(commit->real, &folder) < 0 || info.st_uid == folder.st_uid ||
		(getuid() != 0 && info.st_uid == getuid()))
		return 0;
	return fault_set(commit->fault, FAULT_NOPERM,
		"%s: belongs to another user (uid %lu) than its folder (give "
		"it to that one's, or move it away)",
		work->target, (unsigned long)info.st_uid);
}

/* Both where it is called so and where it is. */
static int
check_writable(const struct commit *commit, const struct work *work)
{
	char *beside = folder_of(work->path), *behind = folder_of(work->target);
	int rc = check_folder(beside, commit->fault) < 0 ||
			check_folder(behind, commit->fault) < 0
		? -1
		: 0;

	free(beside);
	free(behind);
	return rc;
}

static int
check_work(const struct commit *commit, const struct work *work)
{
	if (check_plain(commit, work) < 0 || check_others(commit, work) < 0)
		return -1;
	if (work->file != NULL && !work->file->changed)
		return 0;
	return check_writable(commit, work);
}

static int
check_targets(const struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++) {
		const struct work *work = &commit->works[i];

		if (check_work(commit, work) < 0 || check_apart(commit, i) < 0)
			return -1;
		for (size_t j = 0; j < KEY_COUNT; j++)
			if (check_named(commit, work, keys[j]) < 0)
				return -1;
	}
	return commit->has_config ? check_work(commit, &commit->config) : 0;
}

static int
commit_open(struct commit *commit)
{
	commit->old = provision_config(commit->set->folder, commit->fault);
	if (commit->old == NULL)
		return -1;
	open_works(commit);
	return 0;
}

static void
commit_close(struct commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		work_free(&commit->works[i]);
	work_free(&commit->config);
	text_free(&commit->final);
	free(commit->real);
	free(commit->trial);
	free(commit->old);
}

static int
run(struct commit *commit)
{
	if (commit_open(commit) < 0)
		return -1;
	int rc = check_targets(commit) < 0 || write_all(commit) < 0 ||
			check_all(commit) < 0 || put_all(commit) < 0
		? -1
		: 0;
	clean_up(commit);
	if (rc == 0)
		sweep(commit);
	commit_close(commit);
	return rc;
}

/* One that we have left is no link to what is to be told to others. */
static char *
load_fresh(const char *path, struct fault *fault)
{
	struct stat info;

	if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		fault_set(fault, FAULT_CONFIG, "%s: is no plain file", path);
		return NULL;
	}
	return conf_load(path, fault);
}

/* Who was here before was ended between the first and the last rename(): what
 * he wanted is done first. */
static int
finish_former(const char *folder, struct fault *fault)
{
	struct provision_set set = { .folder = folder };
	struct commit commit = { .set = &set, .fault = fault };
	char *texts[KEY_COUNT] = { NULL }, *values[KEY_COUNT] = { NULL };
	char *config = config_path(folder);
	char *old = provision_config(folder, fault);
	int rc = old != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < KEY_COUNT; i++) {
		values[i] = conf_edit_value(old, "Certs", keys[i]);
		if (values[i] == NULL || !is_fresh(values[i]))
			continue;
		char *path = conf_beside(config, values[i]);
		texts[i] = load_fresh(path, fault);
		free(path);
		if (texts[i] == NULL)
			rc = -1;
		cut_fresh(values[i]);
		set.files[set.count++] = (struct provision_file){
			.key = keys[i],
			.value = values[i],
			.bytes = span_of(texts[i]),
			.mode = i == 2 ? 0600 : 0644
		};
	}
	if (rc == 0 && set.count > 0)
		rc = run(&commit);
	for (size_t i = 0; i < KEY_COUNT; i++) {
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

static int
commit_set(struct provision_set *set, struct fault *fault)
{
	struct commit commit = { .set = set, .fault = fault };
	sigset_t all, before;

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

int
provision_commit(struct provision_set *set, struct fault *fault)
{
	struct owner owner;
	struct stat info;

	/* One that is there may be others' business, too. */
	if (stat(set->folder, &info) < 0 && file_folder(set->folder, fault) < 0)
		return -1;
	if (owner_become(&owner, set->folder, fault) < 0)
		return -1;
	int rc = commit_set(set, fault);
	owner_back(&owner);
	return rc;
}

int
provision_check(struct provision_set *set, struct fault *fault)
{
	struct commit commit = { .set = set, .fault = fault };
	struct owner owner;
	struct stat info;
	int rc = -1;

	if (stat(set->folder, &info) < 0)
		return provision_check_folder(set->folder, fault);
	if (owner_become(&owner, set->folder, fault) < 0)
		return -1;
	if (commit_open(&commit) == 0)
		rc = check_targets(&commit);
	commit_close(&commit);
	owner_back(&owner);
	return rc;
}
