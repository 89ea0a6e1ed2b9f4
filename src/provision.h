/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROVISION_H
#define QCHAT_PROVISION_H

#include "cli.h"
#include "enroll.h"
#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The steps of `qchat-provision`. */

enum {
	PROVISION_TIMEOUT_MS = 30 * 1000, /* without -W */
	PROVISION_PROBE_MS = 5 * 1000,    /* of show, without -W */
};

struct provision_verb;

/* What the command line says. */
struct provision {
	struct cli cli;
	const struct provision_verb *verb;
	char **operands; /* behind the verb; end with NULL */

	/* of a key and its request */
	enum enroll_kind kind;
	struct enroll_subject subject;
	const char *names[ENROLL_NAMES_MAX]; /* its names */
	const char *prefix;
	const char *passphrase_file;
	bool asks_passphrase;
	bool is_forced;
	const char *csr; /* a file, or NULL: one is made */

	/* of a management service */
	const char *user, *password_file, *ca;
	char pin[PEER_FINGERPRINT_MAX]; /* "": none */
	uint16_t port;

	struct text out; /* what is to be printed */
	struct fault fault;
};

/* Each does what it is called.  An exit status, or -1 with p->fault. */
int provision_generate(struct provision *p);
int provision_request(struct provision *p);
int provision_update(struct provision *p);
int provision_import_ca(struct provision *p);
int provision_import_brokers(struct provision *p);
int provision_show(struct provision *p);

/* Reads a file of at most so many bytes; "-" is standard input.  0, or -1 with
 * FAULT_NOINPUT, FAULT_IO or FAULT_DATA. */
int provision_read(const char *path, size_t most, struct text *bytes,
	struct fault *fault);

/* The folder's file PREFIX and suffix; the caller frees it. */
char *provision_path(const struct provision *p, const char *suffix);

/* Secrets: each buffer has CONF_PASSPHRASE_MAX + 1 bytes, gets a NUL, and is
 * wiped by the caller. */

/* The passphrase for a new key: 1, 0 if it shall have none, or -1. */
int provision_passphrase(struct provision *p, char *passphrase);

/* User and password for the host.  0, or -1. */
int provision_credentials(struct provision *p, const char *host, char *user,
	char *password);

#endif
