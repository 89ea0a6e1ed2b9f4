/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_state.h"

#include "memory.h"
#include "translate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>

static const char direct_key_context[] = "qchat-seal-direct-key-v1";
static const char direct_context[] = "qchat-sealed-direct-v1";

enum { PAIR_BYTES = 2 * SIGN_KEY_BYTES };

/* The public keys of an ephemeral and a lasting key. */
struct pair {
	unsigned char bytes[PAIR_BYTES];
};

static struct span
span_of_pair(const struct pair *pair)
{
	return (struct span){ (const char *)pair->bytes, PAIR_BYTES };
}

/* What a public key is called. */
static void
key_id(const unsigned char *key, unsigned char id[static SEAL_KEY_ID_BYTES])
{
	unsigned char digest[SIGN_KEY_ID_BYTES];

	sign_digest((struct span){ (const char *)key, SIGN_KEY_BYTES }, digest);
	memcpy(id, digest, SEAL_KEY_ID_BYTES);
}

/* Both sides come to the same secret.  False if the other's key is one of the
 * few that make none. */
static bool
agree(EVP_PKEY *own, const unsigned char *other,
	unsigned char shared[static SIGN_KEY_BYTES])
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
		other, SIGN_KEY_BYTES);
	EVP_PKEY_CTX *derivation = EVP_PKEY_CTX_new(own, NULL);
	size_t len = SIGN_KEY_BYTES;

	if (peer == NULL || derivation == NULL ||
		EVP_PKEY_derive_init(derivation) != 1)
		memory_out();
	bool good = EVP_PKEY_derive_set_peer(derivation, peer) == 1 &&
		EVP_PKEY_derive(derivation, shared, &len) == 1;
	EVP_PKEY_CTX_free(derivation);
	EVP_PKEY_free(peer);
	ERR_clear_error();
	return good;
}

/* The key has one message: its counter stays 0. */
static bool
make_box(struct seal_box *box, struct seal_key *key, EVP_PKEY *own,
	const unsigned char *other, const struct pair *pair, struct span place)
{
	unsigned char shared[SIGN_KEY_BYTES];

	if (!agree(own, other, shared))
		return false;
	seal_derive(key, (struct span){ (const char *)shared, sizeof(shared) },
		span_of_pair(pair), direct_key_context, place);
	OPENSSL_cleanse(shared, sizeof(shared));
	*box = (struct seal_box){
		.key = key->bytes,
		.context = direct_context,
		.names = span_of_pair(pair),
		.place = place,
	};
	return true;
}

static EVP_PKEY *
make_ephemeral(const unsigned char *secret, struct pair *pair)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
		secret, SIGN_KEY_BYTES);
	size_t len = SIGN_KEY_BYTES;

	if (key == NULL ||
		EVP_PKEY_get_raw_public_key(key, pair->bytes, &len) != 1)
		memory_out();
	return key;
}

static void
format(const struct seal_box *box, const struct pair *pair, struct span inner,
	struct text *out)
{
	unsigned char id[SEAL_KEY_ID_BYTES];

	key_id(pair->bytes + SIGN_KEY_BYTES, id);
	text_appendf(out, "{\"type\":5,\"v\":%d,\"to\":\"", SEAL_VERSION);
	seal_encode(out, id, sizeof(id));
	text_append_string(out, "\",\"ephemeral\":\"");
	seal_encode(out, pair->bytes, SIGN_KEY_BYTES);
	text_append_string(out, "\",\"sealed\":\"");
	seal_box_close(box, inner, out);
	text_append_string(out, "\"}");
}

int
seal_to_from(const unsigned char ephemeral[static SIGN_KEY_BYTES],
	const unsigned char key[static SIGN_KEY_BYTES], struct span place,
	struct span inner, struct text *out, struct fault *fault)
{
	struct pair pair;
	struct seal_box box;
	struct seal_key derived;
	int rc = -1;

	EVP_PKEY *own = make_ephemeral(ephemeral, &pair);
	memcpy(pair.bytes + SIGN_KEY_BYTES, key, SIGN_KEY_BYTES);
	if (make_box(&box, &derived, own, key, &pair, place)) {
		format(&box, &pair, inner, out);
		rc = 0;
	} else {
		fault_set(fault, FAULT_DATA,
			"the recipient's key cannot be used");
	}
	OPENSSL_cleanse(&derived, sizeof(derived));
	EVP_PKEY_free(own);
	return rc;
}

int
seal_to(const unsigned char key[static SIGN_KEY_BYTES], struct span place,
	struct span inner, struct text *out, struct fault *fault)
{
	unsigned char ephemeral[SIGN_KEY_BYTES];

	if (RAND_priv_bytes(ephemeral, sizeof(ephemeral)) != 1)
		memory_out();
	int rc = seal_to_from(ephemeral, key, place, inner, out, fault);
	OPENSSL_cleanse(ephemeral, sizeof(ephemeral));
	return rc;
}

static const char *
open_box(const struct signer *signer, struct span place,
	const struct seal_fields *fields, const struct pair *pair,
	struct text *inner)
{
	struct seal_box box;
	struct seal_key key;
	const char *why;

	if (make_box(&box, &key, signer_x25519_key(signer), pair->bytes, pair,
		    place))
		why = seal_box_open(&box, fields->sealed, inner);
	else
		why = _("its key cannot be used");
	OPENSSL_cleanse(&key, sizeof(key));
	return why;
}

enum seal_state
seal_open_to(const struct signer *signer, struct span place,
	const struct seal_fields *fields, struct text *inner,
	struct fault *fault)
{
	unsigned char id[SEAL_KEY_ID_BYTES], own_id[SEAL_KEY_ID_BYTES];
	const char *why = _("it is malformed");
	struct pair pair;

	if (fields->version != SEAL_VERSION)
		why = _("it is of an unknown version");
	else if (seal_decode(id, fields->to, sizeof(id)) &&
		seal_decode(pair.bytes, fields->ephemeral, SIGN_KEY_BYTES) &&
		place.len <= SEAL_PLACE_MAX) {
		key_id(signer_x25519(signer), own_id);
		if (memcmp(id, own_id, sizeof(id)) != 0) {
			fault_set(fault, FAULT_DATA,
				"a direct message: it is for another key (its "
				"sender may have one of before a restart)");
			return SEAL_FOREIGN;
		}
		memcpy(pair.bytes + SIGN_KEY_BYTES, signer_x25519(signer),
			SIGN_KEY_BYTES);
		why = open_box(signer, place, fields, &pair, inner);
	}
	if (why == NULL)
		return SEAL_OPENED;
	fault_set(fault, FAULT_DATA, "a direct message: %s", why);
	return SEAL_BAD;
}
