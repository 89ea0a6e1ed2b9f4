/* SPDX-License-Identifier: Apache-2.0 */
#include "fabric.h"

#include "authority.h"
#include "conf.h"
#include "file.h"
#include "memory.h"
#include "text.h"
#include "translate.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* More than a start and an end may take, as there are no others. */
	TURN_MS = 40 * 1000,
	NAMES_MAX = 4 + BROKER_ADDRESSES_MAX,
};

/* This host's name, if it can stand in a certificate and in a file. */
static void
find_host(char host[static FABRIC_HOST_MAX])
{
	if (gethostname(host, FABRIC_HOST_MAX) < 0)
		*host = '\0';
	host[FABRIC_HOST_MAX - 1] = '\0';
	size_t good = strspn(host,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-._");
	if (host[good] != '\0')
		*host = '\0';
}

void
fabric_open(struct fabric *fabric)
{
	const struct passwd *user = getpwuid(geteuid());

	*fabric = (struct fabric){ .folder = conf_fabric_dir() };
	/* A container's user may have no entry there. */
	fabric->user = user != NULL
		? memory_string(user->pw_name)
		: memory_format("uid%lu", (unsigned long)geteuid());
	find_host(fabric->host);
	broker_recall(&fabric->broker, fabric->folder);
}

void
fabric_close(struct fabric *fabric)
{
	free(fabric->folder);
	free(fabric->user);
}

/* Names become a folder, a common name, and mosquitto's user name, in which
 * wildcards are refused at every message. */
int
fabric_check_name(const char *name, struct fault *fault)
{
	struct text shown = { 0 };
	struct span span = span_of(name);
	const char *wrong = NULL;

	text_harmless(&shown, span, TEXT_MESSAGE);
	if (span.len == 0)
		wrong = _("is empty");
	else if (span.len > AUTHORITY_NAME_MAX)
		wrong = _("is longer than 64 bytes");
	else if (text_utf8_check(span) < span.len)
		wrong = _("is not UTF-8");
	else if (!span_equal(span, (struct span){ shown.bytes, shown.len }))
		wrong = _("has a control character");
	else if (strpbrk(name, "/+#\"\\") != NULL)
		wrong = _("has one of / + # \" \\");
	else if (*name == '.' || *name == ' ' || name[span.len - 1] == ' ')
		wrong = _("begins with a dot or a space, or ends with a space");
	text_free(&shown);
	if (wrong == NULL)
		return 0;
	return fault_set(fault, FAULT_USAGE, "NAME: %s %s", name, wrong);
}

static char *
user_folder(const struct fabric *fabric, const char *name)
{
	return memory_format("%s/users/%s", fabric->folder, name);
}

/* Is it a user's folder?  For scandir(). */
static int
is_user(const struct dirent *entry)
{
	struct fault fault;

	return fabric_check_name(entry->d_name, &fault) == 0;
}

int
fabric_users(const struct fabric *fabric, struct dirent ***users)
{
	char *path = memory_format("%s/users", fabric->folder);
	int count = scandir(path, users, is_user, alphasort);

	free(path);
	return count > 0 ? count : 0;
}

void
fabric_users_free(struct dirent **users, int count)
{
	for (int i = 0; i < count; i++)
		free(users[i]);
	if (count > 0)
		free(users);
}

static bool
is_closed(const char *folder)
{
	char *inside = memory_format("%s/.", folder);
	struct stat status;
	bool closed = stat(inside, &status) < 0 && errno == EACCES;

	free(inside);
	return closed;
}

/* The first folder on this path that cannot be entered, cut from it; NULL if
 * there is none. */
static char *
find_closed(const char *path)
{
	for (size_t len = 0; path[len] != '\0';) {
		len += 1 + strcspn(path + len + 1, "/");
		char *folder = memory_format("%.*s", (int)len, path);

		if (is_closed(folder))
			return folder;
		free(folder);
	}
	return NULL;
}

int
fabric_check_folder(const struct fabric *fabric, struct fault *fault)
{
	char *closed = find_closed(fabric->folder);
	struct stat status;
	int rc = 0;

	if (closed != NULL && stat(closed, &status) == 0 &&
		status.st_uid != geteuid())
		rc = fault_set(fault, FAULT_NOPERM,
			"%s: cannot be entered: it belongs to another user, "
			"uid %lu (HOME or XDG_STATE_HOME says where the fabric "
			"is)",
			closed, (unsigned long)status.st_uid);
	free(closed);
	return rc;
}

int
fabric_enter(const struct fabric *fabric, struct fault *fault)
{
	char *users = memory_format("%s/users", fabric->folder);
	char *lock = memory_format("%s/fabric.lock", fabric->folder);
	int fd = -1;

	if (file_folder(fabric->folder, fault) == 0 &&
		file_folder(users, fault) == 0) {
		fd = file_lock(lock, TURN_MS, NULL, fault);
	} else {
		char *what = memory_string(fault->text);

		fault_set(fault, fault->kind,
			"%s (HOME or XDG_STATE_HOME "
			"says where it is)",
			what);
		free(what);
	}
	free(lock);
	free(users);
	return fd;
}

static void
append_broker(struct text *text, const char *host, unsigned port)
{
	text_appendf(text, ",\n\t{ host = \"%s\"; port = %u; }", host, port);
}

/* The settings of a user whose files are in this folder below the file. */
static int
write_conf(const struct fabric *fabric, const char *path, const char *below,
	struct fault *fault)
{
	const struct broker *broker = &fabric->broker;
	struct text text = { 0 };

	text_append_string(&text,
		"# Made by qchat-fabric, which writes it "
		"anew when its port changes.\nfabric = \"mqtt\";\n");
	/* An address: looking a name up may take long, and localhost has two
	 * of them to choose from. */
	text_appendf(&text,
		"brokers = (\n\t{ host = \"127.0.0.1\"; "
		"port = %u; }",
		broker->port);
	for (size_t i = 0; i < broker->count; i++) {
		const char *address = broker->addresses[i];

		if (broker_is_any(address) && *fabric->host != '\0')
			append_broker(&text, fabric->host, broker->port);
		else if (!broker_is_any(address) &&
			!broker_is_loopback(address))
			append_broker(&text, address, broker->port);
	}
	text_appendf(&text,
		"\n);\nca = \"%sca.pem\";\n"
		"certificate = \"%scertificate.pem\";\nkey = \"%skey.pem\";\n",
		below, below, below);
	int rc = file_replace(path, (struct span){ text.bytes, text.len }, 0600,
		fault);
	text_free(&text);
	return rc;
}

static int
write_user_conf(const struct fabric *fabric, const char *name,
	struct fault *fault)
{
	char *path = memory_format("%s/users/%s/qchat.conf", fabric->folder,
		name);
	int rc = write_conf(fabric, path, "", fault);

	free(path);
	return rc;
}

/* The settings of all users, as the port may be another one than before. */
static int
write_confs(const struct fabric *fabric, struct fault *fault)
{
	char *path = memory_format("%s/qchat.conf", fabric->folder);
	char *below = memory_format("users/%s/", fabric->user);
	struct dirent **users;
	int count = fabric_users(fabric, &users);
	int rc = write_conf(fabric, path, below, fault);

	for (int i = 0; i < count && rc == 0; i++)
		rc = write_user_conf(fabric, users[i]->d_name, fault);
	fabric_users_free(users, count);
	free(below);
	free(path);
	return rc;
}

static int
make_authority(const struct fabric *fabric, struct fault *fault)
{
	char *name = memory_format("QChat %s@%s", fabric->user, fabric->host);
	int rc = authority_make(fabric->folder, name, fault);

	free(name);
	return rc;
}

/* 1 if it is new, 0 if it was there, or -1. */
static int
issue_user(const struct fabric *fabric, const char *name, int days_left,
	struct fault *fault)
{
	char *into = user_folder(fabric, name);
	int rc = file_folder(into, fault);

	if (rc == 0)
		rc = authority_issue_client(fabric->folder, into, name,
			days_left, fault);
	free(into);
	return rc;
}

/* 1 if it is new, 0 if it was there, or -1. */
static int
issue_broker(const struct fabric *fabric, struct fault *fault)
{
	const struct broker *broker = &fabric->broker;
	const char *names[NAMES_MAX] = { "localhost", "127.0.0.1", "::1" };
	size_t count = 3;

	if (*fabric->host != '\0')
		names[count++] = fabric->host;
	for (size_t i = 0; i < broker->count; i++)
		if (!broker_is_any(broker->addresses[i]) &&
			!broker_is_loopback(broker->addresses[i]))
			names[count++] = broker->addresses[i];
	return authority_issue_broker(fabric->folder, names, count, fault);
}

int
fabric_prepare(const struct fabric *fabric, struct fault *fault)
{
	if (make_authority(fabric, fault) < 0)
		return -1;
	int rc = issue_broker(fabric, fault);
	if (rc < 0 ||
		issue_user(fabric, fabric->user, AUTHORITY_RENEW_DAYS, fault) <
			0)
		return -1;
	if (broker_configure(&fabric->broker, fabric->folder, fault) < 0 ||
		write_confs(fabric, fault) < 0)
		return -1;
	return rc;
}

char *
fabric_add(const struct fabric *fabric, const char *name, struct fault *fault)
{
	if (make_authority(fabric, fault) < 0 ||
		issue_user(fabric, name, 0, fault) < 0 ||
		write_user_conf(fabric, name, fault) < 0)
		return NULL;
	return memory_format("%s/users/%s/qchat.conf", fabric->folder, name);
}

int64_t
fabric_user_expiry(const struct fabric *fabric, const char *name)
{
	char *path = memory_format("%s/users/%s/certificate.pem",
		fabric->folder, name);
	int64_t expiry = authority_expiry(path);

	free(path);
	return expiry;
}
