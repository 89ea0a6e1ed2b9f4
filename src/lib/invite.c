/* SPDX-License-Identifier: Apache-2.0 */
#include "invite_state.h"

#include "identity_key.h"
#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

struct invite {
	struct authorities *trust;
	STACK_OF(X509) * guests;
	struct text lines; /* of these */
};

struct invite *
invite_new(const struct verifier_config *trust, struct fault *fault)
{
	struct authorities *authorities = authorities_new(trust, fault);

	if (authorities == NULL)
		return NULL;
	struct invite *invite = memory_alloc(1, sizeof(*invite));
	invite->trust = authorities;
	invite->guests = sk_X509_new_null();
	if (invite->guests == NULL)
		memory_out();
	return invite;
}

void
invite_free(struct invite *invite)
{
	if (invite == NULL)
		return;
	authorities_free(invite->trust);
	sk_X509_pop_free(invite->guests, X509_free);
	text_free(&invite->lines);
	free(invite);
}

/* Takes all certificates of a PEM text.  NULL, or what is wrong. */
static const char *
read_chain(struct chain *chain, struct span pem)
{
	X509 *one;

	*chain = (struct chain){ .others = sk_X509_new_null() };
	BIO *bio = BIO_new_mem_buf(pem.len > 0 ? pem.bytes : "", (int)pem.len);
	if (chain->others == NULL || bio == NULL)
		memory_out();
	ERR_clear_error();
	chain->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned long error = ERR_peek_last_error();
	while (chain->leaf != NULL &&
		sk_X509_num(chain->others) < SIGN_CHAIN_MAX &&
		(one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (!binding_key_fits(X509_get0_pubkey(one)))
			X509_free(one);
		else if (sk_X509_push(chain->others, one) == 0)
			memory_out();
	ERR_clear_error();
	BIO_free(bio);
	if (chain->leaf != NULL)
		return NULL;
	if (ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
		return _(
			"holds no certificate in PEM form (it would begin with "
			"-----BEGIN CERTIFICATE-----)");
	return _("its certificate is damaged (get the file anew)");
}

/* Those that CMS can seal to in OpenSSL. */
static bool
can_receive(const X509 *certificate)
{
	int base = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));

	return base == EVP_PKEY_RSA || base == EVP_PKEY_EC;
}

static const char *
check_guest(struct invite *invite, const struct chain *chain, int64_t now,
	struct guest *guest)
{
	if (!invite_judge(guest, chain, invite->trust, now))
		return _(guest->why);
	if (!can_receive(chain->leaf))
		return _("nothing can be sealed to the certificate's key (it "
			 "has "
			 "to be RSA or EC)");
	if (sk_X509_num(invite->guests) >= INVITE_GUESTS_MAX)
		return _("one more than an invitation can be for (make "
			 "several)");
	return NULL;
}

int
invite_add(struct invite *invite, struct span pem, const char *file,
	int64_t now, struct guest *guest, struct fault *fault)
{
	struct chain chain;
	const char *wrong;
	int rc = -1;

	if (pem.len > INVITE_CERT_MAX)
		return fault_set(fault, FAULT_DATA, "%s: is too large", file);
	wrong = read_chain(&chain, pem);
	if (wrong == NULL)
		wrong = check_guest(invite, &chain, now, guest);
	if (wrong != NULL) {
		fault_set(fault, FAULT_DATA, "%s: %s", file, wrong);
	} else {
		if (sk_X509_push(invite->guests, chain.leaf) == 0)
			memory_out();
		chain.leaf = NULL;
		invite_text_add(&invite->lines, guest->fingerprint);
		rc = 0;
	}
	chain_free(&chain);
	return rc;
}

static BIO *
bio_of(struct span bytes)
{
	BIO *bio = BIO_new_mem_buf(bytes.bytes, (int)bytes.len);

	if (bio == NULL)
		memory_out();
	return bio;
}

/* Without roots: who trusts them has them. */
static STACK_OF(X509) * chain_of(const struct identity *identity)
{
	STACK_OF(X509) *all = identity_chain(identity);
	STACK_OF(X509) *chain = sk_X509_new_null();

	if (chain == NULL)
		memory_out();
	for (int i = 0; i < sk_X509_num(all); i++)
		if (X509_self_signed(sk_X509_value(all, i), 0) != 1 &&
			sk_X509_num(chain) < SIGN_CHAIN_MAX - 1 &&
			sk_X509_push(chain, sk_X509_value(all, i)) == 0)
			memory_out();
	return chain;
}

/* Appends the DER of it, signed.  0, or -1. */
static int
sign(const struct identity *identity, struct span inside, struct text *der)
{
	EVP_PKEY *key = identity_key(identity);
	STACK_OF(X509) *chain = chain_of(identity);
	BIO *bio = bio_of(inside);
	int rc = -1;

	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, chain, bio,
		CMS_BINARY | CMS_PARTIAL);
	if (cms != NULL &&
		CMS_add1_signer(cms, identity_leaf(identity), key, EVP_sha256(),
			CMS_NOSMIMECAP) != NULL &&
		CMS_final(cms, bio, NULL, CMS_BINARY) == 1) {
		int len = i2d_CMS_ContentInfo(cms, NULL);

		if (len <= 0)
			memory_out();
		unsigned char *at = (unsigned char *)text_extend(der,
			(size_t)len);
		i2d_CMS_ContentInfo(cms, &at);
		rc = 0;
	}
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	sk_X509_free(chain);
	return rc;
}

/* Not what CMS takes by itself, which is of its first days: PKCS #1 v1.5 and
 * SHA-1. */
static int
add_guest(CMS_ContentInfo *cms, X509 *certificate)
{
	CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, certificate,
		CMS_KEY_PARAM);

	if (recipient == NULL)
		return -1;
	EVP_PKEY_CTX *options = CMS_RecipientInfo_get0_pkey_ctx(recipient);
	if (EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_EC)
		return EVP_PKEY_CTX_set_ecdh_kdf_md(options, EVP_sha256()) == 1
			? 0
			: -1;
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_OAEP_PADDING) ==
				1 &&
			EVP_PKEY_CTX_set_rsa_oaep_md(options, EVP_sha256()) == 1
		? 0
		: -1;
}

/* Appends the PEM of it, sealed.  0, or -1. */
static int
seal(const struct invite *invite, struct span der, struct text *pem)
{
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(),
		CMS_BINARY | CMS_PARTIAL);
	BIO *in = bio_of(der), *out = BIO_new(BIO_s_mem());
	char *bytes;
	int rc = -1;

	if (cms == NULL || out == NULL)
		memory_out();
	for (int i = 0; i < sk_X509_num(invite->guests); i++)
		if (add_guest(cms, sk_X509_value(invite->guests, i)) < 0)
			goto out;
	if (CMS_final(cms, in, NULL, CMS_BINARY) != 1 ||
		PEM_write_bio_CMS(out, cms) != 1)
		goto out;
	long len = BIO_get_mem_data(out, &bytes);
	text_append(pem, bytes, (size_t)len);
	rc = 0;
out:
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	return rc;
}

static int
fail(const char *what, struct fault *fault)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	fault_set(fault, FAULT_CONFIG, "%s: %s", what,
		reason != NULL ? reason : _("OpenSSL does not say why"));
	ERR_clear_error();
	return -1;
}

int
invite_format(const struct invite *invite, const struct identity *identity,
	const char *room, const unsigned char secret[static SECRET_BYTES],
	int64_t now, struct text *pem, struct fault *fault)
{
	struct invite_text inside = {
		.room = span_of(room),
		.made = now,
		.guests = { invite->lines.bytes, invite->lines.len },
	};
	struct text text = { 0 }, der = { 0 };
	int rc = -1;

	assert(sk_X509_num(invite->guests) > 0);
	memcpy(inside.secret, secret, SECRET_BYTES);
	invite_text_format(&inside, &text);
	OPENSSL_cleanse(&inside, sizeof(inside));
	ERR_clear_error();
	if (sign(identity, (struct span){ text.bytes, text.len }, &der) < 0)
		fail(_("the certificate's key cannot sign an invitation (it "
		       "has "
		       "to be RSA or EC)"),
			fault);
	else if (seal(invite, (struct span){ der.bytes, der.len }, pem) < 0)
		fail(_("the invitation cannot be sealed"), fault);
	else
		rc = 0;
	OPENSSL_cleanse(text.bytes, text.len);
	if (der.len > 0)
		OPENSSL_cleanse(der.bytes, der.len);
	text_free(&text);
	text_free(&der);
	return rc;
}
