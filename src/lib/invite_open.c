/* SPDX-License-Identifier: Apache-2.0 */
#include "invite_state.h"

#include "certificate.h"
#include "identity_key.h"
#include "memory.h"
#include "room.h"
#include "translate.h"

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

/* An invitation on its way out of its layers. */
struct opening {
	const struct identity *identity;
	const struct authorities *trust;
	const char *file;
	int64_t now;
	struct fault *fault;
};

static int
damaged(const struct opening *opening, const char *what)
{
	return fault_set(opening->fault, FAULT_DATA,
		"%s: %s (have it sent again)", opening->file, translate(what));
}

static BIO *
new_bio(void)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL)
		memory_out();
	return bio;
}

static bool
is_for_one(CMS_RecipientInfo *recipient, X509 *certificate)
{
	switch (CMS_RecipientInfo_type(recipient)) {
	case CMS_RECIPINFO_TRANS:
		return CMS_RecipientInfo_ktri_cert_cmp(recipient,
			       certificate) == 0;
	case CMS_RECIPINFO_AGREE:
		break;
	default:
		return false;
	}
	STACK_OF(CMS_RecipientEncryptedKey)
	*keys = CMS_RecipientInfo_kari_get0_reks(recipient);
	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(
			    sk_CMS_RecipientEncryptedKey_value(keys, i),
			    certificate) == 0)
			return true;
	return false;
}

/* CMS_decrypt() does not tell this from damage. */
static bool
is_for(CMS_ContentInfo *cms, X509 *certificate)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);

	for (int i = 0; i < sk_CMS_RecipientInfo_num(all); i++)
		if (is_for_one(sk_CMS_RecipientInfo_value(all, i), certificate))
			return true;
	return false;
}

/* The outer layer: encrypted.  NULL with a fault. */
static BIO *
decrypt(const struct opening *opening, struct span pem)
{
	BIO *in = BIO_new_mem_buf(pem.len > 0 ? pem.bytes : "", (int)pem.len);
	BIO *out = new_bio();
	CMS_ContentInfo *cms = NULL;
	bool good = false;

	if (in == NULL)
		memory_out();
	ERR_clear_error();
	cms = PEM_read_bio_CMS(in, NULL, NULL, NULL);
	if (cms == NULL ||
		OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped) {
		damaged(opening,
			"is no invitation (it would begin with -----BEGIN "
			"CMS-----)");
		goto out;
	}
	if (!is_for(cms, identity_leaf(opening->identity))) {
		fault_set(opening->fault, FAULT_NOPERM,
			"%s: is for other certificates than yours (have one "
			"made for the certificate that you use now)",
			opening->file);
		goto out;
	}
	good = CMS_decrypt(cms, identity_key(opening->identity),
		       identity_leaf(opening->identity), NULL, out,
		       CMS_BINARY) == 1;
	if (!good)
		damaged(opening, "is damaged");
out:
	ERR_clear_error();
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (good)
		return out;
	BIO_free(out);
	return NULL;
}

/* Its one signer, with a digest of today. */
static CMS_SignerInfo *
signer_of(CMS_ContentInfo *cms)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	X509_ALGOR *digest = NULL;

	if (sk_CMS_SignerInfo_num(signers) != 1)
		return NULL;
	CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
	switch (OBJ_obj2nid(digest->algorithm)) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return signer;
	default:
		return NULL;
	}
}

/* Takes the certificates out of it.  False if there is none of its signer, or
 * keys that one cannot afford to check. */
static bool
find_chain(CMS_ContentInfo *cms, CMS_SignerInfo *signer, struct chain *chain)
{
	STACK_OF(X509) *all = CMS_get1_certs(cms);
	bool good = sk_X509_num(all) <= SIGN_CHAIN_MAX;

	*chain = (struct chain){ .others = all };
	for (int i = 0; good && i < sk_X509_num(all); i++) {
		X509 *one = sk_X509_value(all, i);

		good = binding_key_fits(X509_get0_pubkey(one));
		if (chain->leaf == NULL &&
			CMS_SignerInfo_cert_cmp(signer, one) == 0 &&
			X509_up_ref(one) == 1)
			chain->leaf = one;
	}
	return good && chain->leaf != NULL;
}

static int
check_from(const struct opening *opening, const struct chain *chain,
	struct guest *from)
{
	invite_judge(from, chain, opening->trust, opening->now);
	if (from->why == NULL)
		return 0;
	return fault_set(opening->fault, FAULT_CONFIG,
		"%s: is from %s, certificate %s, who is not trusted: %s "
		"(sign_ca in qchat.conf says who is)",
		opening->file,
		from->name[0] != '\0' ? from->name : _("somebody"),
		from->fingerprint, _(from->why));
}

/* The inner layer: signed.  NULL with a fault. */
static BIO *
verify(const struct opening *opening, BIO *der, struct guest *from)
{
	CMS_ContentInfo *cms = d2i_CMS_bio(der, NULL);
	CMS_SignerInfo *signer = NULL;
	struct chain chain = { 0 };
	BIO *out = NULL;

	if (cms != NULL && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed)
		signer = signer_of(cms);
	if (signer == NULL || !find_chain(cms, signer, &chain)) {
		damaged(opening, "is damaged inside");
		goto out;
	}
	if (check_from(opening, &chain, from) < 0)
		goto out;
	out = new_bio();
	/* The chain was looked at, for what a client's has to be. */
	if (CMS_verify(cms, NULL, NULL, NULL, out,
		    CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		damaged(opening, "was altered: the signature does not fit");
		BIO_free(out);
		out = NULL;
	}
out:
	ERR_clear_error();
	chain_free(&chain);
	CMS_ContentInfo_free(cms);
	return out;
}

static int
take(const struct opening *opening, BIO *bio, struct invitation *invitation)
{
	struct invite_text inside = { 0 };
	struct fault why = { 0 };
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];
	char own[SIGN_FINGERPRINT_MAX];
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	int rc = -1;

	certificate_digest(identity_leaf(opening->identity), digest);
	certificate_hex(own, digest, sizeof(digest));
	if (bytes == NULL || len <= 0 ||
		!invite_text_parse(&inside,
			(struct span){ bytes, (size_t)len }))
		damaged(opening, "is malformed inside");
	else if (room_name_check(inside.room, &why) < 0)
		fault_set(opening->fault, FAULT_DATA,
			"%s: is for a room of a name that is not possible: %s",
			opening->file, why.text);
	else if (!invite_text_is_for(&inside, own))
		fault_set(opening->fault, FAULT_DATA,
			"%s: %s made it for somebody else, who passed it on "
			"(ask %s for one)",
			opening->file, invitation->from.name,
			invitation->from.name);
	else
		rc = 0;
	if (rc == 0) {
		invitation->room = memory_copy(inside.room.bytes,
			inside.room.len);
		invitation->made = inside.made;
		memcpy(invitation->secret, inside.secret, SECRET_BYTES);
	}
	OPENSSL_cleanse(&inside, sizeof(inside));
	return rc;
}

int
invite_open(const struct identity *identity,
	const struct verifier_config *trust, struct span pem, const char *file,
	int64_t now, struct invitation *invitation, struct fault *fault)
{
	struct opening opening = { identity, NULL, file, now, fault };
	struct authorities *authorities = authorities_new(trust, fault);
	BIO *der = NULL, *text = NULL;
	int rc = -1;

	*invitation = (struct invitation){ 0 };
	if (authorities == NULL)
		return -1;
	opening.trust = authorities;
	if (pem.len > INVITE_FILE_MAX)
		damaged(&opening, "is too large");
	else if ((der = decrypt(&opening, pem)) != NULL &&
		(text = verify(&opening, der, &invitation->from)) != NULL)
		rc = take(&opening, text, invitation);
	BIO_free(der);
	BIO_free(text);
	authorities_free(authorities);
	return rc;
}

void
invitation_free(struct invitation *invitation)
{
	free(invitation->room);
	OPENSSL_cleanse(invitation, sizeof(*invitation));
}
