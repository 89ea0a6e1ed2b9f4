/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "certificate.h"
#include "identity_key.h"
#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* A binding of ours, ready to be sent. */
struct own_binding {
	unsigned char key_id[SIGN_KEY_ID_BYTES];
	int64_t begin, end;
	char text[SIGN_BIND_MAX]; /* "" if there is none */
};

struct signer {
	const struct identity *identity;
	EVP_PKEY *ed25519, *x25519;
	unsigned char ed25519_public[SIGN_KEY_BYTES];
	unsigned char x25519_public[SIGN_KEY_BYTES];
	unsigned char certificate[SIGN_KEY_ID_BYTES];
	char fingerprint[SIGN_FINGERPRINT_MAX];
	int64_t certificate_end;
	struct own_binding now, before;
	char *cert; /* text of qchat.cert */
	unsigned long operations;
	struct text bytes; /* what is signed; kept for its memory */
};

static EVP_PKEY *
make_key(int type, const unsigned char *secret, unsigned char *public)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, secret,
		SIGN_KEY_BYTES);
	size_t len = SIGN_KEY_BYTES;

	if (key == NULL || EVP_PKEY_get_raw_public_key(key, public, &len) != 1)
		memory_out();
	return key;
}

/* 1 if it was appended. */
static int
append_certificate(struct text *der, X509 *certificate)
{
	int len = i2d_X509(certificate, NULL);

	if (len <= 0 || (size_t)len > SIGN_CERT_BYTES_MAX - der->len)
		return 0;
	unsigned char *at = (unsigned char *)text_extend(der, (size_t)len);
	i2d_X509(certificate, &at);
	return 1;
}

/* The chain as far as it fits.  A root adds nothing: who trusts it has it. */
static int
build_cert(struct signer *signer, struct fault *fault)
{
	STACK_OF(X509) *chain = identity_chain(signer->identity);
	struct text der = { 0 };
	int count = 1;

	if (!append_certificate(&der, identity_leaf(signer->identity))) {
		text_free(&der);
		return fault_set(fault, FAULT_CONFIG,
			"the certificate is larger than %d bytes, which is too "
			"much to send it along with messages",
			SIGN_CERT_BYTES_MAX);
	}
	for (int i = 0; i < sk_X509_num(chain) && count < SIGN_CHAIN_MAX; i++) {
		X509 *next = sk_X509_value(chain, i);

		if (X509_self_signed(next, 0) == 1)
			continue;
		if (!append_certificate(&der, next))
			break;
		count++;
	}
	signer->cert = memory_alloc(SIGN_CERT_MAX, 1);
	sign_encode(signer->cert, (struct span){ der.bytes, der.len });
	text_free(&der);
	return 0;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Makes a binding of now in the place of the one there is. */
static int
bind(struct signer *signer, int64_t now, struct fault *fault)
{
	struct binding binding = {
		.begin = now > SIGN_EARLY ? now - SIGN_EARLY : 0,
		.end = earlier(now + SIGN_LIFE, signer->certificate_end),
	};
	struct own_binding made;
	struct text bytes = { 0 };

	/* Of a certificate that has expired nothing better can be said. */
	if (binding.end < binding.begin)
		binding.end = binding.begin;
	memcpy(binding.key, signer->ed25519_public, SIGN_KEY_BYTES);
	memcpy(binding.x25519, signer->x25519_public, SIGN_KEY_BYTES);
	memcpy(binding.certificate, signer->certificate,
		sizeof(signer->certificate));
	binding_format(&binding, &bytes);
	signer->operations++;
	if (binding_sign(&bytes, identity_key(signer->identity)) < 0) {
		unsigned long error = ERR_peek_last_error();
		const char *reason = ERR_reason_error_string(error);

		fault_set(fault, FAULT_CONFIG,
			"the certificate's key cannot sign: %s (it has to be "
			"RSA of at most %d bits, EC, Ed25519 or Ed448)",
			reason != NULL ? reason : _("it is of another kind"),
			SIGN_RSA_BITS_MAX);
		ERR_clear_error();
		text_free(&bytes);
		return -1;
	}
	struct span all = { bytes.bytes, bytes.len };
	made.begin = binding.begin;
	made.end = binding.end;
	sign_digest(all, made.key_id);
	sign_encode(made.text, all);
	text_free(&bytes);
	signer->before = signer->now;
	signer->now = made;
	return 0;
}

struct signer *
signer_new_from(const struct identity *identity, int64_t now,
	const unsigned char ed25519[static SIGN_KEY_BYTES],
	const unsigned char x25519[static SIGN_KEY_BYTES], struct fault *fault)
{
	struct signer *signer = memory_alloc(1, sizeof(*signer));
	X509 *leaf = identity_leaf(identity);

	signer->identity = identity;
	signer->ed25519 = make_key(EVP_PKEY_ED25519, ed25519,
		signer->ed25519_public);
	signer->x25519 = make_key(EVP_PKEY_X25519, x25519,
		signer->x25519_public);
	certificate_digest(leaf, signer->certificate);
	certificate_hex(signer->fingerprint, signer->certificate,
		sizeof(signer->certificate));
	signer->certificate_end = certificate_time(X509_get0_notAfter(leaf));
	if (build_cert(signer, fault) < 0 || bind(signer, now, fault) < 0) {
		signer_free(signer);
		return NULL;
	}
	return signer;
}

struct signer *
signer_new(const struct identity *identity, int64_t now, struct fault *fault)
{
	unsigned char secrets[2][SIGN_KEY_BYTES];

	if (RAND_priv_bytes(secrets[0], sizeof(secrets)) != 1) {
		fault_set(fault, FAULT_INTERNAL,
			"no random numbers from OpenSSL");
		return NULL;
	}
	struct signer *signer = signer_new_from(identity, now, secrets[0],
		secrets[1], fault);
	OPENSSL_cleanse(secrets, sizeof(secrets));
	return signer;
}

void
signer_free(struct signer *signer)
{
	if (signer == NULL)
		return;
	/* OpenSSL wipes what it frees of a key. */
	EVP_PKEY_free(signer->ed25519);
	EVP_PKEY_free(signer->x25519);
	free(signer->cert);
	text_free(&signer->bytes);
	free(signer);
}

bool
signer_renew_due(const struct signer *signer, int64_t now)
{
	if (now < signer->now.begin)
		return true;
	return now > signer->now.end - SIGN_RENEW &&
		signer->now.end < signer->certificate_end;
}

int
signer_renew(struct signer *signer, int64_t now, struct fault *fault)
{
	if (!signer_renew_due(signer, now))
		return 0;
	return bind(signer, now, fault) < 0 ? -1 : 1;
}

int64_t
signer_not_after(const struct signer *signer)
{
	return signer->now.end;
}

unsigned long
signer_key_operations(const struct signer *signer)
{
	return signer->operations;
}

const unsigned char *
signer_key_id(const struct signer *signer)
{
	return signer->now.key_id;
}

const unsigned char *
signer_x25519(const struct signer *signer)
{
	return signer->x25519_public;
}

EVP_PKEY *
signer_x25519_key(const struct signer *signer)
{
	return signer->x25519;
}

const char *
signer_fingerprint(const struct signer *signer)
{
	return signer->fingerprint;
}

void
signer_sign(struct signer *signer, struct span topic, struct span payload,
	int64_t sent, char text[static SIGN_SIG_MAX])
{
	struct sign_sig sig = { .sent = sent };
	size_t len = sizeof(sig.signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert(sent >= 0);
	memcpy(sig.key_id, signer->now.key_id, sizeof(sig.key_id));
	sign_message(&signer->bytes, topic, payload, &sig);
	if (context == NULL ||
		EVP_DigestSignInit(context, NULL, NULL, NULL,
			signer->ed25519) != 1 ||
		EVP_DigestSign(context, sig.signature, &len,
			(const unsigned char *)signer->bytes.bytes,
			signer->bytes.len) != 1)
		memory_out();
	EVP_MD_CTX_free(context);
	sign_sig_format(&sig, text);
}

const char *
signer_bind(const struct signer *signer)
{
	return signer->now.text;
}

const char *
signer_cert(const struct signer *signer)
{
	return signer->cert;
}

const char *
signer_bind_of(const struct signer *signer,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES])
{
	const struct own_binding *own[] = { &signer->now, &signer->before };

	for (size_t i = 0; i < 2; i++)
		if (own[i]->text[0] != '\0' &&
			memcmp(own[i]->key_id, key_id, SIGN_KEY_ID_BYTES) == 0)
			return own[i]->text;
	return NULL;
}
