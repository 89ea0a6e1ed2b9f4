/* SPDX-License-Identifier: Apache-2.0 */
#include "quota.h"

#include <string.h>

#define KIB         INT64_C(1024)
#define MIB         (1024 * KIB)
#define LIMIT(name) #name, offsetof(struct quotas, name)

/* Where the least is 16, we ourselves are one of them.  A room with fewer
 * participants than 256 is no crowd (MEMBER_PINGS_MAX), and must not be taken
 * for none.  Of requests there is room for 256 (REPAIRS_MAX).  What waits has
 * to hold more than one block.  Keys are gone through for each new one.  The
 * file of names is read up to 2 MiB; a line of it has 322 bytes at most. */
static const struct quota_key keys[] = {
	{ LIMIT(bad_signatures), 50, 1, 100000 },
	{ LIMIT(bad_signatures_all), 2000, 1, 1000000 },
	{ LIMIT(catch_up_bytes), 4 * MIB, MIB, 1024 * MIB },
	{ LIMIT(keys_strangers), 1024, 16, 16384 },
	{ LIMIT(keys_trusted), 4096, 16, 16384 },
	{ LIMIT(names), 4096, 1, 4096 },
	{ LIMIT(participants), 16384, 256, 1000000 },
	{ LIMIT(repair_bytes), MIB, 4 * KIB, 64 * MIB },
	{ LIMIT(repairs_waiting), 256, 1, 256 },
	{ LIMIT(senders), 65536, 16, 1000000 },
	{ LIMIT(waiting_bytes), 4 * MIB, MIB, 1024 * MIB },
	{ LIMIT(waiting_messages), 64, 1, 100000 },
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

const struct quota_key *
quota_key(size_t i)
{
	return i < KEY_COUNT ? &keys[i] : NULL;
}

const struct quota_key *
quota_find(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

int64_t *
quota_value(struct quotas *limits, const struct quota_key *key)
{
	return (int64_t *)(void *)((char *)limits + key->offset);
}

struct quotas
quota_complete(const struct quotas *limits)
{
	struct quotas complete = *limits;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		int64_t *value = quota_value(&complete, &keys[i]);

		if (*value == 0)
			*value = keys[i].usual;
	}
	return complete;
}
