/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_QUOTA_H
#define QCHAT_QUOTA_H

#include <stddef.h>
#include <stdint.h>

/*
 * How much of what others send may be kept or done, so that a flood hurts only
 * itself: the group `limits` of qchat.conf(5).  A struct of zero bytes stands
 * for the usual limits; what is 0 in it was not set.
 */
struct quotas {
	/* In each room. */
	int64_t participants;    /* that are remembered */
	int64_t senders;         /* whose numbers, and owner, are remembered */
	int64_t repairs_waiting; /* requests that wait for an answer of ours */
	int64_t repair_bytes;    /* sent for one request, and one message */
	int64_t catch_up_bytes;  /* new, held until what is older has come */
	/* In each connection. */
	int64_t waiting_bytes;    /* that wait for a key, for all keys */
	int64_t waiting_messages; /* likewise, for one key */
	int64_t keys_trusted;     /* remembered, of authorities we trust; … */
	int64_t keys_strangers;   /* … of others; each with its certificate */
	int64_t bad_signatures; /* looked at in ten seconds, of one source; … */
	int64_t bad_signatures_all; /* … in a second, of all of them */
	int64_t names;              /* whose certificate is remembered */
};

/* One of them; the bounds are included. */
struct quota_key {
	const char *name; /* in qchat.conf */
	size_t offset;    /* of its int64_t in struct quotas */
	int64_t usual, least, most;
};

/* The i-th, in the order of their names; NULL behind the last. */
const struct quota_key *quota_key(size_t i);

/* The one with this name; NULL if there is none. */
const struct quota_key *quota_find(const char *name);

/* Where its value is. */
int64_t *quota_value(struct quotas *limits, const struct quota_key *key);

/* The same with the usual ones where there is 0. */
struct quotas quota_complete(const struct quotas *limits);

#endif
