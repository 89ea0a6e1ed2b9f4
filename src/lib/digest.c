/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include "memory.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
	const char *name; /* OpenSSL knows it under this too */
	size_t size;
} kinds[DIGEST_KINDS] = {
	[DIGEST_MD5] = { "md5", 16 },
	[DIGEST_SHA1] = { "sha1", 20 },
	[DIGEST_SHA256] = { "sha256", 32 },
};

const char *
digest_name(enum digest_kind kind)
{
	return kinds[kind].name;
}

size_t
digest_size(enum digest_kind kind)
{
	return kinds[kind].size;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0'
		? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c)
		: NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

int
digest_from_hex(struct digest *digest, struct span hex)
{
	size_t kind = 0;

	while (kind < DIGEST_KINDS && kinds[kind].size * 2 != hex.len)
		kind++;
	if (kind == DIGEST_KINDS)
		return -1;
	*digest = (struct digest){ .kind = (enum digest_kind)kind };
	for (size_t i = 0; i < hex.len; i++) {
		int value = hex_value(hex.bytes[i]);

		if (value < 0)
			return -1;
		digest->bytes[i / 2] = (unsigned char)(digest->bytes[i / 2]
				<< 4 |
			value);
	}
	return 0;
}

int
digest_decode(unsigned char *bytes, size_t size, struct span base64)
{
	unsigned char decoded[DIGEST_BYTES_MAX + 3];
	char again[DIGEST_BASE64_MAX];

	assert(size <= DIGEST_BYTES_MAX);
	if (base64.len != (size + 2) / 3 * 4 ||
		EVP_DecodeBlock(decoded, (const unsigned char *)base64.bytes,
			(int)base64.len) < (int)size)
		return -1;
	/* OpenSSL takes blanks, and bits that nobody would write. */
	EVP_EncodeBlock((unsigned char *)again, decoded, (int)size);
	if (memcmp(again, base64.bytes, base64.len) != 0)
		return -1;
	memcpy(bytes, decoded, size);
	return 0;
}

int
digest_from_base64(struct digest *digest, enum digest_kind kind,
	struct span base64)
{
	*digest = (struct digest){ .kind = kind };
	return digest_decode(digest->bytes, kinds[kind].size, base64);
}

void
digest_append_hex(const struct digest *digest, struct text *text)
{
	for (size_t i = 0; i < kinds[digest->kind].size; i++)
		text_appendf(text, "%02x", digest->bytes[i]);
}

void
digest_to_base64(const struct digest *digest,
	char base64[static DIGEST_BASE64_MAX])
{
	EVP_EncodeBlock((unsigned char *)base64, digest->bytes,
		(int)kinds[digest->kind].size);
}

struct digester {
	EVP_MD_CTX *contexts[DIGEST_KINDS]; /* NULL: it cannot be made here */
};

struct digester *
digester_new(void)
{
	struct digester *digester = memory_alloc(1, sizeof(*digester));

	for (size_t i = 0; i < DIGEST_KINDS; i++) {
		const EVP_MD *kind = EVP_get_digestbyname(kinds[i].name);

		digester->contexts[i] = EVP_MD_CTX_new();
		if (digester->contexts[i] == NULL)
			memory_out();
		if (kind != NULL &&
			EVP_DigestInit_ex(digester->contexts[i], kind, NULL) ==
				1)
			continue;
		EVP_MD_CTX_free(digester->contexts[i]);
		digester->contexts[i] = NULL;
	}
	return digester;
}

void
digester_free(struct digester *digester)
{
	if (digester == NULL)
		return;
	for (size_t i = 0; i < DIGEST_KINDS; i++)
		EVP_MD_CTX_free(digester->contexts[i]);
	free(digester);
}

void
digester_add(struct digester *digester, struct span bytes)
{
	for (size_t i = 0; i < DIGEST_KINDS; i++)
		if (digester->contexts[i] != NULL)
			EVP_DigestUpdate(digester->contexts[i], bytes.bytes,
				bytes.len);
}

size_t
digester_end(struct digester *digester,
	struct digest digests[static DIGEST_KINDS])
{
	size_t count = 0;

	for (size_t i = 0; i < DIGEST_KINDS; i++) {
		unsigned char made[EVP_MAX_MD_SIZE];

		if (digester->contexts[i] == NULL ||
			EVP_DigestFinal_ex(digester->contexts[i], made, NULL) !=
				1)
			continue;
		digests[count] = (struct digest){ .kind = (enum digest_kind)i };
		memcpy(digests[count++].bytes, made, kinds[i].size);
	}
	return count;
}
