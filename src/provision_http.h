/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROVISION_HTTP_H
#define QCHAT_PROVISION_HTTP_H

#include "fault.h"
#include "text.h"

#include <stdint.h>

/* The HTTP interface of a management service (protocol.md, 9.3). */
struct http;

enum {
	HTTP_PORT = 8443,
	HTTP_REDIRECTS_MAX = 5,
	HTTP_HEADERS_MAX = 64 * 1024, /* bytes of all headers of a request */
};

/* All strings are borrowed until http_close(). */
struct http_server {
	const char *host; /* name or address, without brackets */
	uint16_t port;
	const char *user;
	const char *password;
	const char *ca;  /* a file of the authorities that are trusted alone;
			  * NULL: those of the system */
	const char *pin; /* see struct peer, and no authority is needed; NULL:
			  * the certificate's chain and name are verified */
	int64_t until;   /* all has to be done (mono ms) */
	/* Is told what is done; may be NULL. */
	void (*trace)(void *context, const char *what);
	void *context;
};

/* Is it the name or address of a host alone, without a port?  0, or -1 with
 * FAULT_USAGE, which shows what to write, and no password. */
int http_check_host(const char *operand, struct fault *fault);

/* Does not connect yet.  NULL with FAULT_USAGE (no such host can be),
 * FAULT_CONFIG or FAULT_INTERNAL. */
struct http *http_open(const struct http_server *server, struct fault *fault);
void http_close(struct http *http);

/* "host:port", for messages. */
const char *http_name(const struct http *http);

/*
 * Runs a command of the service and appends the body of its answer, at most
 * so many bytes.  parameter and value may be NULL.  Redirections are followed
 * where they lead to the same host and port, and nowhere else; cookies are
 * kept until http_close().  No proxy is used, whatever the environment says.
 * 0, or -1 with FAULT_UNAVAILABLE, FAULT_TIMEOUT, FAULT_CONFIG (the server's
 * certificate), FAULT_NOPERM (user or password) or FAULT_PROTOCOL.
 */
int http_get(struct http *http, const char *command, const char *parameter,
	struct span value, size_t most, struct text *body, struct fault *fault);

#endif
