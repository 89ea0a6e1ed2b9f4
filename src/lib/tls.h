/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TLS_H
#define QCHAT_TLS_H

#include "conf.h"
#include "fault.h"
#include "identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of `bus`: TLS as libmosquitto is to use it, and what went wrong with
 * it in plain words. */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct tls;

/*
 * A context for one connection: TLS 1.2 or newer, the chain always verified
 * against conf->ca, the host's name or address if conf->verify_host.
 * conf is borrowed until tls_free().
 * NULL with FAULT_CONFIG.
 */
struct tls *tls_new(const struct conf *conf, const struct identity *identity,
	const char *host, struct fault *fault);
void tls_free(struct tls *tls);

struct ssl_ctx_st *tls_context(const struct tls *tls);

/* The socket of the connection in this context, open until tls_free() even
 * when libmosquitto has closed it; -1 before its handshake begins. */
int tls_socket(const struct tls *tls);

/* Sets a fault that says why TLS failed, if it was TLS that did: 0 then, and
 * -1 if nothing is known.  tls may be NULL. */
int tls_explain(struct tls *tls, const char *peer, struct fault *fault);

/* Has the server not said a word of TLS so far?  False if tls is NULL. */
bool tls_is_unanswered(const struct tls *tls);

/* What is written to the connection is gathered, so that a flight of messages
 * is few system calls, until this.  1 if all is out, 0 if the socket is full,
 * -1 if it is broken. */
int tls_flush(struct tls *tls);

/* How many bytes the socket has taken. */
uint64_t tls_written(const struct tls *tls);

/* Back to writing at once.  Only when all is flushed. */
void tls_ungather(struct tls *tls);

/* OpenSSL's errors so far are not those of what is done next. */
void tls_forget_errors(void);

/* Has TLS bytes that poll() does not see, enough to go on? */
bool tls_pending(const struct tls *tls);

#endif
