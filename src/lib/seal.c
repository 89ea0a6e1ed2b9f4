/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_state.h"

#include "memory.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const char room_key_context[] = "qchat-seal-key-v1";
static const char room_context[] = "qchat-sealed-v1";

static const struct seal_limits usual = {
	.keys = 1024,
	.foreign = 1024,
	.sources = 1024,
	.failures = 5000,
	.source_failures = 500,
};

static size_t
or_usual(size_t given, size_t without)
{
	return given > 0 ? given : without;
}

static struct seal_limits
complete(const struct seal_limits *given)
{
	struct seal_limits limits = usual;

	if (given == NULL)
		return limits;
	limits.keys = or_usual(given->keys, usual.keys);
	limits.foreign = or_usual(given->foreign, usual.foreign);
	limits.sources = or_usual(given->sources, usual.sources);
	if (given->failures > 0)
		limits.failures = given->failures;
	if (given->source_failures > 0)
		limits.source_failures = given->source_failures;
	return limits;
}

void
seal_set(struct seal *seal, const unsigned char salt[static SEAL_SALT_BYTES],
	int64_t counter)
{
	if (salt != seal->salt)
		memcpy(seal->salt, salt, sizeof(seal->salt));
	seal->counter = counter;
	seal_room_key(seal, 0, salt, &seal->key);
}

/* A salt that nobody has used: the counter can begin again. */
static void
make_salt(struct seal *seal)
{
	if (RAND_bytes(seal->salt, sizeof(seal->salt)) != 1)
		memory_out();
	seal_set(seal, seal->salt, 0);
}

void
seal_room_key(struct seal *seal, size_t secret, const unsigned char *salt,
	struct seal_key *key)
{
	seal->counts.derived++;
	seal_derive(key,
		(struct span){ (const char *)seal->secrets[secret].bytes,
			SECRET_BYTES },
		(struct span){ (const char *)salt, SEAL_SALT_BYTES },
		room_key_context, span_of(seal->room));
}

/* Takes secrets, where there are none. */
static void
take(struct seal *seal, const struct secret *secrets, size_t count)
{
	assert(count > 0 && count <= SECRET_MAX);
	memcpy(seal->secrets, secrets, count * sizeof(*secrets));
	seal->count = count;
	seal->known = table_new(sizeof(struct known_key), seal->limits.keys);
	seal->foreign = table_new(sizeof(char), seal->limits.foreign);
	make_salt(seal);
}

static void
forget(struct seal *seal)
{
	for (struct known_key *key = table_oldest(seal->known); key != NULL;
		key = table_newer(key))
		OPENSSL_cleanse(key, sizeof(*key));
	table_free(seal->known);
	table_free(seal->foreign);
	OPENSSL_cleanse(seal->secrets, sizeof(seal->secrets));
	OPENSSL_cleanse(&seal->key, sizeof(seal->key));
}

struct seal *
seal_new(struct span room, const struct secret *secrets, size_t count,
	const struct seal_limits *limits)
{
	struct seal *seal = memory_alloc(1, sizeof(*seal));

	assert(room.len <= SEAL_PLACE_MAX);
	seal->room = memory_copy(room.bytes, room.len);
	seal->limits = complete(limits);
	const struct verifier_limits failures = {
		.sources = seal->limits.sources,
		.failures = seal->limits.failures,
		.source_failures = seal->limits.source_failures,
	};
	seal->budget = budget_new(&failures);
	take(seal, secrets, count);
	return seal;
}

void
seal_free(struct seal *seal)
{
	if (seal == NULL)
		return;
	forget(seal);
	budget_free(seal->budget);
	free(seal->room);
	free(seal);
}

static bool
has_secrets(const struct seal *seal, const struct secret *secrets, size_t count)
{
	if (seal->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (seal->secrets[i].until != secrets[i].until ||
			CRYPTO_memcmp(seal->secrets[i].bytes, secrets[i].bytes,
				SECRET_BYTES) != 0)
			return false;
	return true;
}

int
seal_renew(struct seal *seal, const struct secret *secrets, size_t count)
{
	if (has_secrets(seal, secrets, count))
		return 0;
	forget(seal);
	take(seal, secrets, count);
	return 1;
}

void
seal_room_box(struct seal_box *box, struct text *names,
	const unsigned char *salt, const unsigned char *id)
{
	text_append(names, salt, SEAL_SALT_BYTES);
	text_append(names, id, SEAL_KEY_ID_BYTES);
	box->context = room_context;
	box->names = (struct span){ names->bytes, names->len };
}

void
seal_seal(struct seal *seal, struct span place, struct span inner,
	struct text *out)
{
	struct text names = { 0 };

	if (seal->counter >= SEAL_COUNTER_MAX)
		make_salt(seal);
	/* Used up whatever happens. */
	struct seal_box box = {
		.key = seal->key.bytes,
		.counter = ++seal->counter,
		.place = place,
	};
	seal_room_box(&box, &names, seal->salt, seal->key.id);
	/* Numbers and base64 alone: nothing that JSON would escape. */
	text_appendf(out, "{\"type\":5,\"v\":%d,\"salt\":\"", SEAL_VERSION);
	seal_encode(out, seal->salt, sizeof(seal->salt));
	text_append_string(out, "\",\"key\":\"");
	seal_encode(out, seal->key.id, sizeof(seal->key.id));
	text_appendf(out, "\",\"counter\":%lld,\"sealed\":\"",
		(long long)box.counter);
	seal_box_close(&box, inner, out);
	text_append_string(out, "\"}");
	text_free(&names);
	seal->counts.sealed++;
}

struct seal_counts
seal_counts(const struct seal *seal)
{
	return seal->counts;
}
