/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SPOOL_FILE_H
#define QCHAT_SPOOL_FILE_H

#include "spool.h"

#include <stdbool.h>

/*
 * The files of a spool, names and bytes:
 *
 *	qchat-spool 2
 *	time: 1795408513935
 *	room: incident 42
 *	user: alice
 *	brokers: broker1.example.com:8883 broker2.example.com:8883
 *	authorities: 65bf3acc5a2f9e0c…
 *	uid: 0123456789abcdef0123456789abcdef
 *	confirm: echo
 *	sealed: yes
 *	first: 7
 *	last: 9
 *	length: 1234
 *	checksum: 0123456789abcdef
 *
 * and behind an empty line `length` bytes of envelope.  Each of the authorities
 * has 64 hex digits; `confirm` may be none, too; the line of `sealed` is there
 * only if the room was sealed when the message was said.  In room and user,
 * control characters and the backslash are \xNN.  The checksum is FNV-1a, 64
 * bits, of all bytes but those of its own line and of the empty one.
 */
enum {
	SPOOL_HEAD_MAX = 6144, /* bytes up to the envelope */
	SPOOL_FILE_MAX = SPOOL_HEAD_MAX + SPOOL_ENVELOPE_MAX,
};

#define SPOOL_TMP_PREFIX      ".tmp-"
#define SPOOL_DEFERRED_SUFFIX ".deferred"
#define SPOOL_EXPIRED_SUFFIX  ".expired"
#define SPOOL_BAD_SUFFIX      ".bad"

enum spool_kind {
	SPOOL_KIND_OTHER, /* none of ours */
	SPOOL_KIND_WAITING,
	SPOOL_KIND_DEFERRED, /* waits too */
	SPOOL_KIND_EXPIRED,
	SPOOL_KIND_BAD,
	SPOOL_KIND_TMP,
};

enum spool_kind spool_file_kind(const char *name);

/* The length of a name of ours without its ending; 0 if it is none. */
size_t spool_file_id(const char *name);

/* What keeps it from being a message, or NULL. */
const char *spool_file_check(const struct spool_message *message);

/* Sets message->name: that time, 15 digits; first, 16 digits; uid. */
void spool_file_name(struct spool_message *message, int64_t time_ms);

void spool_file_format(const struct spool_message *message, struct text *file);

/*
 * Reads entry->bytes, which is a file of that size, or no more of it than its
 * head: then the envelope is empty and the checksum is not checked.  Sets
 * entry->size and the message, which points into the bytes; they are changed.
 * message.name is set already, and what is read has to fit it.
 * Returns what is wrong, or NULL.
 */
const char *spool_file_parse(struct spool_entry *entry, size_t len,
	int64_t file_size);

/* The length of the head, with its empty line, or 0 if it has no end. */
size_t spool_file_head(struct span bytes);

#endif
