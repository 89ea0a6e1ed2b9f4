/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

/* They end with their NUL.  What TLS has a client's key sign begins with a
 * space (1.3) or 0x01 (1.2), so that neither can be taken for the other. */
static const char binding_context[] = "qchat-binding-v1";
static const char message_context[] = "qchat-message-v1";

enum {
	ENCODE_PART = 3, /* bytes that make four characters */
	DIGEST_NAME_MAX = 64,
	SIGNATURE_MAX = 1024, /* bytes: RSA with SIGN_RSA_BITS_MAX */
};

#define TIME_MAX UINT64_C(9007199254740991)

void
sign_encode(char *text, struct span bytes)
{
	EVP_EncodeBlock((unsigned char *)text,
		(const unsigned char *)bytes.bytes, (int)bytes.len);
}

static size_t
padding(struct span text)
{
	size_t pad = 0;

	while (pad < 2 && text.bytes[text.len - 1 - pad] == '=')
		pad++;
	return pad;
}

/* Bits behind the last byte are zero. */
static bool
is_canonical(struct span text, const unsigned char *bytes, size_t len)
{
	unsigned char last[ENCODE_PART + 2];
	size_t rest = len % ENCODE_PART;

	if (rest == 0)
		return true;
	EVP_EncodeBlock(last, bytes + len - rest, (int)rest);
	return memcmp(last, text.bytes + text.len - 4, 4) == 0;
}

long
sign_decode(unsigned char *bytes, struct span text, size_t max)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	bool is_known[UCHAR_MAX + 1] = { false };

	if (text.len == 0 || text.len % 4 != 0 ||
		text.len > (max + 2) / ENCODE_PART * 4)
		return -1;
	size_t pad = padding(text);
	size_t len = text.len / 4 * ENCODE_PART - pad;
	/* EVP_DecodeBlock() would overlook white space. */
	for (size_t i = 0; i < sizeof(alphabet) - 1; i++)
		is_known[(unsigned char)alphabet[i]] = true;
	for (size_t i = 0; i < text.len - pad; i++)
		if (!is_known[(unsigned char)text.bytes[i]])
			return -1;
	if (len > max ||
		EVP_DecodeBlock(bytes, (const unsigned char *)text.bytes,
			(int)text.len) < 0 ||
		!is_canonical(text, bytes, len))
		return -1;
	return (long)len;
}

void
sign_digest(struct span bytes, unsigned char digest[static SIGN_DIGEST_BYTES])
{
	if (EVP_Digest(bytes.bytes, bytes.len, digest, NULL, EVP_sha256(),
		    NULL) != 1)
		memory_out();
}

static void
append_number(struct text *bytes, uint64_t number, size_t width)
{
	while (width-- > 0)
		text_append_char(bytes, (char)(number >> 8 * width));
}

/* Takes fields off the front of bytes. */
struct cursor {
	struct span left;
	bool failed;
};

static const unsigned char *
take(struct cursor *cursor, size_t len)
{
	const char *at = cursor->left.bytes;

	if (len > cursor->left.len) {
		cursor->failed = true;
		return NULL;
	}
	cursor->left.bytes += len;
	cursor->left.len -= len;
	return (const unsigned char *)at;
}

static void
take_bytes(struct cursor *cursor, unsigned char *into, size_t len)
{
	const unsigned char *at = take(cursor, len);

	if (at != NULL)
		memcpy(into, at, len);
}

static uint64_t
take_number(struct cursor *cursor, size_t width)
{
	const unsigned char *at = take(cursor, width);
	uint64_t number = 0;

	for (size_t i = 0; at != NULL && i < width; i++)
		number = number << 8 | at[i];
	return number;
}

void
binding_format(const struct binding *binding, struct text *bytes)
{
	assert(binding->scope.len <= SIGN_SCOPE_MAX);
	text_append_char(bytes, SIGN_VERSION);
	text_append(bytes, binding->key, sizeof(binding->key));
	text_append(bytes, binding->x25519, sizeof(binding->x25519));
	append_number(bytes, (uint64_t)binding->begin, 8);
	append_number(bytes, (uint64_t)binding->end, 8);
	text_append(bytes, binding->certificate, sizeof(binding->certificate));
	append_number(bytes, binding->scope.len, 2);
	text_append(bytes, binding->scope.bytes, binding->scope.len);
}

/* A time of the wire; -1 if it is beyond 2^53 - 1, as in the payload. */
static int64_t
take_time(struct cursor *cursor)
{
	uint64_t ms = take_number(cursor, 8);

	return ms <= TIME_MAX ? (int64_t)ms : -1;
}

const char *
binding_parse(struct binding *binding, struct span bytes)
{
	struct cursor cursor = { .left = bytes };

	if (bytes.len > SIGN_BIND_BYTES_MAX)
		return N_("the binding is malformed");
	if (take_number(&cursor, 1) != SIGN_VERSION)
		return N_("the binding is of an unknown version");
	take_bytes(&cursor, binding->key, sizeof(binding->key));
	take_bytes(&cursor, binding->x25519, sizeof(binding->x25519));
	binding->begin = take_time(&cursor);
	binding->end = take_time(&cursor);
	take_bytes(&cursor, binding->certificate, sizeof(binding->certificate));
	size_t len = (size_t)take_number(&cursor, 2);
	binding->scope = (struct span){ cursor.left.bytes, len };
	take(&cursor, len);
	binding->body = (struct span){ bytes.bytes,
		bytes.len - cursor.left.len };
	binding->signature = cursor.left;
	if (cursor.failed || len > SIGN_SCOPE_MAX || cursor.left.len == 0 ||
		cursor.left.len > SIGNATURE_MAX)
		return N_("the binding is malformed");
	if (binding->begin < 0 || binding->end < binding->begin)
		return N_("the binding's dates are impossible");
	if (binding->end - binding->begin > SIGN_LIFE_MAX)
		return N_("the binding is valid for too long");
	return NULL;
}

bool
binding_key_fits(const EVP_PKEY *key)
{
	int is_explicit = 0;

	if (key == NULL)
		return false;
	int bits = EVP_PKEY_get_bits(key);
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return bits <= SIGN_RSA_BITS_MAX;
	case EVP_PKEY_EC:
		EVP_PKEY_get_int_param(key,
			OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
			&is_explicit);
		return bits <= SIGN_EC_BITS_MAX && !is_explicit;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return true;
	default:
		return false;
	}
}

/* SHA-256, none where the algorithm has its own, or, of an RSA-PSS key that
 * allows one alone, that. */
static const char *
digest_name(EVP_PKEY *key, char name[static DIGEST_NAME_MAX])
{
	int base = EVP_PKEY_get_base_id(key);

	if (base == EVP_PKEY_ED25519 || base == EVP_PKEY_ED448)
		return NULL;
	if (base == EVP_PKEY_RSA_PSS &&
		EVP_PKEY_get_default_digest_name(key, name, DIGEST_NAME_MAX) ==
			2)
		return name;
	return "SHA256";
}

/* With a salt as long as the digest: the one length that every RSA-PSS key can
 * both make and check.  1 if there is nothing against it. */
static int
set_salt(const EVP_PKEY *key, EVP_PKEY_CTX *options)
{
	return EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA_PSS ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options,
			RSA_PSS_SALTLEN_DIGEST) == 1;
}

static void
build(struct text *bytes, struct span body)
{
	text_append(bytes, binding_context, sizeof(binding_context));
	text_append(bytes, body.bytes, body.len);
}

/* Appends what fits; 1 if it did. */
static int
append_signature(struct text *bytes, EVP_MD_CTX *context,
	const struct text *signed_bytes)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);

	if (EVP_DigestSign(context, signature, &len,
		    (const unsigned char *)signed_bytes->bytes,
		    signed_bytes->len) != 1)
		return 0;
	text_append(bytes, signature, len);
	return 1;
}

int
binding_sign(struct text *bytes, EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	struct text signed_bytes = { 0 };
	char name[DIGEST_NAME_MAX];
	int rc = -1;

	build(&signed_bytes, (struct span){ bytes->bytes, bytes->len });
	if (context == NULL)
		memory_out();
	if (binding_key_fits(key) &&
		EVP_DigestSignInit_ex(context, &options, digest_name(key, name),
			NULL, NULL, key, NULL) == 1 &&
		set_salt(key, options) &&
		append_signature(bytes, context, &signed_bytes) == 1)
		rc = 0;
	text_free(&signed_bytes);
	EVP_MD_CTX_free(context);
	return rc;
}

bool
binding_verify(const struct binding *binding, EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	struct text signed_bytes = { 0 };
	char name[DIGEST_NAME_MAX];

	build(&signed_bytes, binding->body);
	if (context == NULL)
		memory_out();
	bool good = binding_key_fits(key) &&
		EVP_DigestVerifyInit_ex(context, &options,
			digest_name(key, name), NULL, NULL, key, NULL) == 1 &&
		set_salt(key, options) &&
		EVP_DigestVerify(context,
			(const unsigned char *)binding->signature.bytes,
			binding->signature.len,
			(const unsigned char *)signed_bytes.bytes,
			signed_bytes.len) == 1;
	ERR_clear_error();
	text_free(&signed_bytes);
	EVP_MD_CTX_free(context);
	return good;
}

void
sign_sig_format(const struct sign_sig *sig, char text[static SIGN_SIG_MAX])
{
	struct text bytes = { 0 };

	text_append_char(&bytes, SIGN_VERSION);
	text_append(&bytes, sig->key_id, sizeof(sig->key_id));
	append_number(&bytes, (uint64_t)sig->sent, 8);
	text_append(&bytes, sig->signature, sizeof(sig->signature));
	sign_encode(text, (struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
}

int
sign_sig_parse(struct sign_sig *sig, struct span text)
{
	unsigned char bytes[SIGN_SIG_BYTES + 2];
	long len = sign_decode(bytes, text, SIGN_SIG_BYTES);
	struct cursor cursor = { .left = { (const char *)bytes, (size_t)len } };

	if (len != SIGN_SIG_BYTES || take_number(&cursor, 1) != SIGN_VERSION)
		return -1;
	take_bytes(&cursor, sig->key_id, sizeof(sig->key_id));
	sig->sent = take_time(&cursor);
	take_bytes(&cursor, sig->signature, sizeof(sig->signature));
	return sig->sent < 0 ? -1 : 0;
}

bool
sign_key_of_sig(struct span text,
	unsigned char key_id[static SIGN_KEY_ID_BYTES])
{
	struct sign_sig sig;

	if (sign_sig_parse(&sig, text) < 0)
		return false;
	memcpy(key_id, sig.key_id, sizeof(sig.key_id));
	return true;
}

void
sign_message(struct text *bytes, struct span topic, struct span payload,
	const struct sign_sig *sig)
{
	unsigned char digest[SIGN_DIGEST_BYTES];

	assert(topic.len <= UINT32_MAX);
	sign_digest(payload, digest);
	text_clear(bytes);
	text_append(bytes, message_context, sizeof(message_context));
	append_number(bytes, topic.len, 4);
	text_append(bytes, topic.bytes, topic.len);
	text_append(bytes, sig->key_id, sizeof(sig->key_id));
	append_number(bytes, (uint64_t)sig->sent, 8);
	text_append(bytes, digest, sizeof(digest));
}
