/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CONF_EDIT_H
#define QCHAT_CONF_EDIT_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* A dxlclient.config with other brokers or certificates: bytes in, bytes out
 * (protocol.md, 3.7). */

/* A line of [Brokers]: its key, and [id;]port;host[;address]. */
struct conf_entry {
	char *key;
	char *value;
};

/* Starts as { 0 }. */
struct conf_entries {
	struct conf_entry *all;
	size_t count;
};

/* Appends copies. */
void conf_entries_add(struct conf_entries *entries, const char *key,
	const char *value);
/* That of this key, or NULL. */
const struct conf_entry *conf_entries_find(const struct conf_entries *entries,
	const char *key);
void conf_entries_free(struct conf_entries *entries);

/* What is to be in it; NULL is as it was. */
struct conf_change {
	const char *ca; /* paths, as they shall stand in [Certs] */
	const char *certificate;
	const char *key;
	const struct conf_entries *brokers; /* all of [Brokers] */
	const struct conf_entries *web;     /* all of [BrokersWebSockets] */
};

/*
 * Appends the text of a configuration, UTF-8 without NUL and byte order mark,
 * with the change made to it.  Order, comments, and what the change does not
 * name stay, byte for byte; an empty text gives what a fresh file looks like
 * (protocol.md, 9.4).  A broker that is gone takes the comment lines right
 * above it along; one that has come stands behind the last.
 * Section and key are compared as conf_read_dxl() does.
 */
void conf_edit(struct text *out, const char *text,
	const struct conf_change *change);

/* The value of a key as conf_read_dxl() takes it, or NULL if it is not there;
 * the caller frees it. */
char *conf_edit_value(const char *text, const char *section, const char *key);

#endif
