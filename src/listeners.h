/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_LISTENERS_H
#define QCHAT_LISTENERS_H

#include "session.h"
#include "subs.h"
#include "text.h"

/* One question to a DXL fabric: how many subscriptions a room has, at each of
 * the brokers.  Whoever asks has one of them if it hears the room. */
struct listeners;

/* Asks for the room of this member; it is over after so many ms.  NULL with a
 * fault of session_request(). */
struct listeners *listeners_ask(struct session *session,
	const struct member *member, int64_t timeout_ms, struct fault *fault);

/* Before its session is freed; NULL allowed. */
void listeners_free(struct listeners *listeners);

/* All that can be known is, or the time is over. */
bool listeners_is_done(const struct listeners *listeners);

/* What is known so far. */
struct subs_sum listeners_sum(const struct listeners *listeners);

/* Appends why that is not all, with the remedy ("": none) where time may be
 * one; nothing if it is all. */
void listeners_append_doubt(const struct listeners *listeners,
	const char *remedy, struct text *text);

#endif
