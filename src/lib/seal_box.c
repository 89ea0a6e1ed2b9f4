/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_state.h"

#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

enum {
	END_OF_INNER = 0x80, /* zeros follow it up to the end of a block */
	SHORT_MAX = 48,
};

/* Where nothing but a lack of memory can go wrong. */
static void
need(int rc)
{
	if (rc != 1)
		memory_out();
}

void
seal_append_number(struct text *bytes, uint64_t number, size_t width)
{
	while (width-- > 0)
		text_append_char(bytes, (char)(number >> 8 * width));
}

static void
append_place(struct text *bytes, struct span place)
{
	assert(place.len <= SEAL_PLACE_MAX);
	seal_append_number(bytes, place.len, 2);
	text_append(bytes, place.bytes, place.len);
}

/* It is only read, although its type does not say so. */
static OSSL_PARAM
octets(const char *name, const void *bytes, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes,
		len);
}

void
seal_derive(struct seal_key *key, struct span secret, struct span salt,
	const char *context, struct span place)
{
	unsigned char made[SEAL_KEY_BYTES + SEAL_KEY_ID_BYTES];
	char digest[] = "SHA256";
	struct text info = { 0 };

	text_append(&info, context, strlen(context) + 1);
	append_place(&info, place);
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest,
			0),
		octets(OSSL_KDF_PARAM_KEY, secret.bytes, secret.len),
		octets(OSSL_KDF_PARAM_SALT, salt.bytes, salt.len),
		octets(OSSL_KDF_PARAM_INFO, info.bytes, info.len),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *derivation = EVP_KDF_CTX_new(hkdf);
	if (derivation == NULL)
		memory_out();
	need(EVP_KDF_derive(derivation, made, sizeof(made), parameters));
	EVP_KDF_CTX_free(derivation);
	EVP_KDF_free(hkdf);
	text_free(&info);
	memcpy(key->bytes, made, sizeof(key->bytes));
	memcpy(key->id, made + SEAL_KEY_BYTES, sizeof(key->id));
	OPENSSL_cleanse(made, sizeof(made));
}

void
seal_encode(struct text *out, const void *bytes, size_t len)
{
	char *text = text_extend(out, (len + 2) / 3 * 4);

	sign_encode(text, (struct span){ bytes, len });
}

bool
seal_decode(unsigned char *bytes, struct span text, size_t len)
{
	unsigned char decoded[SHORT_MAX + 2];

	assert(len <= SHORT_MAX);
	if (sign_decode(decoded, text, len) != (long)len)
		return false;
	memcpy(bytes, decoded, len);
	return true;
}

/* Starts a cipher: key, nonce, and what is authenticated along with it. */
static EVP_CIPHER_CTX *
start(const struct seal_box *box, int is_closing)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	struct text nonce = { 0 }, along = { 0 };
	int len;

	seal_append_number(&nonce, 0, SEAL_NONCE_BYTES - 8);
	seal_append_number(&nonce, (uint64_t)box->counter, 8);
	text_append(&along, box->context, strlen(box->context) + 1);
	text_append_char(&along, SEAL_VERSION);
	text_append(&along, box->names.bytes, box->names.len);
	seal_append_number(&along, (uint64_t)box->counter, 8);
	append_place(&along, box->place);
	if (cipher == NULL)
		memory_out();
	need(EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, box->key,
		(const unsigned char *)nonce.bytes, is_closing));
	need(EVP_CipherUpdate(cipher, NULL, &len,
		(const unsigned char *)along.bytes, (int)along.len));
	text_free(&nonce);
	text_free(&along);
	return cipher;
}

void
seal_box_close(const struct seal_box *box, struct span inner, struct text *out)
{
	EVP_CIPHER_CTX *cipher = start(box, 1);
	size_t padding = SEAL_BLOCK - inner.len % SEAL_BLOCK, end = inner.len;
	unsigned char pad[SEAL_BLOCK] = { END_OF_INNER };
	int len;

	assert(inner.len <= SEAL_INNER_MAX);
	unsigned char *bytes = memory_alloc(inner.len + padding +
			SEAL_TAG_BYTES,
		1);
	if (inner.len > 0)
		need(EVP_EncryptUpdate(cipher, bytes, &len,
			(const unsigned char *)inner.bytes, (int)inner.len));
	need(EVP_EncryptUpdate(cipher, bytes + end, &len, pad, (int)padding));
	end += padding;
	need(EVP_EncryptFinal_ex(cipher, bytes + end, &len));
	need(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES,
		bytes + end));
	EVP_CIPHER_CTX_free(cipher);
	seal_encode(out, bytes, end + SEAL_TAG_BYTES);
	free(bytes);
}

/* In place.  False if it, or what goes along with it, was altered. */
static bool
decrypt(const struct seal_box *box, unsigned char *bytes, size_t len)
{
	EVP_CIPHER_CTX *cipher = start(box, 0);
	int done;

	need(EVP_DecryptUpdate(cipher, bytes, &done, bytes, (int)len));
	need(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES,
		bytes + len));
	bool good = EVP_DecryptFinal_ex(cipher, bytes + len, &done) == 1;
	EVP_CIPHER_CTX_free(cipher);
	ERR_clear_error();
	return good;
}

/* The length without padding, or -1. */
static long
unpadded(const unsigned char *bytes, size_t len)
{
	for (size_t i = len; i > 0 && len - i < SEAL_BLOCK; i--)
		if (bytes[i - 1] != 0)
			return bytes[i - 1] == END_OF_INNER ? (long)i - 1 : -1;
	return -1;
}

const char *
seal_box_open(const struct seal_box *box, struct span sealed,
	struct text *inner)
{
	const char *wrong = NULL;

	if (sealed.len > SEAL_SEALED_MAX)
		return _("it is too long");
	unsigned char *bytes = memory_alloc(sealed.len / 4 * 3 + 2, 1);
	long len = sign_decode(bytes, sealed, SEAL_BOX_MAX);
	if (len < SEAL_BOX_MIN || (len - SEAL_TAG_BYTES) % SEAL_BLOCK != 0) {
		wrong = _("it is malformed");
		goto out;
	}
	len -= SEAL_TAG_BYTES;
	if (!decrypt(box, bytes, (size_t)len)) {
		wrong = _("it was altered, or is of another place");
		goto out;
	}
	len = unpadded(bytes, (size_t)len);
	if (len < 0)
		wrong = _("it is malformed inside");
	else
		text_append(inner, bytes, (size_t)len);
out:
	free(bytes);
	return wrong;
}
