/* SPDX-License-Identifier: Apache-2.0 */
#include "provision.h"

#include "file.h"
#include "memory.h"
#include "passphrase.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that others can read is no secret. */
static int
check_mode(const char *path, int fd, struct fault *fault)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return fault_set(fault, FAULT_IO, "%s: %s", path,
			strerror(errno));
	if (!S_ISREG(info.st_mode) ||
		((info.st_mode & S_IROTH) == 0 &&
			((info.st_mode & S_IRGRP) == 0 || info.st_uid == 0)))
		return 0;
	return fault_set(fault, FAULT_NOPERM,
		"%s: others can read this secret (chmod 600 %s)", path, path);
}

/* The first line.  NULL, or what is wrong with it. */
static const char *
take_line(const char *bytes, size_t len, char *secret)
{
	const char *newline = len > 0 ? memchr(bytes, '\n', len) : NULL;

	if (newline != NULL)
		len = (size_t)(newline - bytes);
	/* As other systems end a line. */
	if (newline != NULL && len > 0 && bytes[len - 1] == '\r')
		len--;
	if (len == 0)
		return _("its first line is empty");
	if (len > CONF_PASSPHRASE_MAX)
		return _("its first line is too long");
	if (memchr(bytes, '\0', len) != NULL)
		return _("it has a NUL");
	memcpy(secret, bytes, len);
	secret[len] = '\0';
	return NULL;
}

static int
read_secret(const char *path, char *secret, struct fault *fault)
{
	bool is_standard = strcmp(path, "-") == 0;
	int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char bytes[CONF_PASSPHRASE_MAX + 2];
	int rc = -1;

	if (fd < 0)
		return fault_set(fault, FAULT_NOINPUT, "%s: %s", path,
			strerror(errno));
	if (is_standard || check_mode(path, fd, fault) == 0) {
		ssize_t len = file_read(fd, bytes, sizeof(bytes));
		const char *wrong = len < 0
			? strerror(errno)
			: take_line(bytes, (size_t)len, secret);

		rc = wrong == NULL
			? 0
			: fault_set(fault, FAULT_DATA, "%s: %s", path, wrong);
	}
	explicit_bzero(bytes, sizeof(bytes));
	if (!is_standard)
		close(fd);
	return rc;
}

static int
ask_twice(char *passphrase, struct fault *fault)
{
	char again[CONF_PASSPHRASE_MAX + 1];
	int rc = -1;

	if (passphrase_question(_("Passphrase for the new key: "), false,
		    passphrase, fault) == 0 &&
		passphrase_question(_("The same again: "), false, again,
			fault) == 0)
		rc = strcmp(passphrase, again) == 0
			? 1
			: fault_set(fault, FAULT_DATA,
				  "the two passphrases differ");
	explicit_bzero(again, sizeof(again));
	return rc;
}

int
provision_passphrase(struct provision *p, char *passphrase)
{
	if (p->passphrase_file != NULL)
		return read_secret(p->passphrase_file, passphrase, &p->fault) ==
				0
			? 1
			: -1;
	return p->asks_passphrase ? ask_twice(passphrase, &p->fault) : 0;
}

int
provision_credentials(struct provision *p, const char *host, char *user,
	char *password)
{
	struct text question = { 0 };
	int rc = 0;

	if (p->user != NULL && strlen(p->user) <= CONF_PASSPHRASE_MAX) {
		strcpy(user, p->user);
	} else {
		text_appendf(&question, _("User at %s: "), host);
		rc = passphrase_question(question.bytes, true, user, &p->fault);
	}
	/* What follows would be the password. */
	if (rc == 0 && (*user == '\0' || strchr(user, ':') != NULL))
		rc = fault_set(&p->fault, FAULT_USAGE,
			"%s: is no user: it is empty, or has a colon", user);
	if (rc == 0 && p->password_file != NULL) {
		rc = read_secret(p->password_file, password, &p->fault);
	} else if (rc == 0) {
		text_clear(&question);
		text_appendf(&question, _("Password of %s at %s: "), user,
			host);
		rc = passphrase_question(question.bytes, false, password,
			&p->fault);
	}
	text_free(&question);
	return rc;
}
