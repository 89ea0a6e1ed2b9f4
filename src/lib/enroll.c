/* SPDX-License-Identifier: Apache-2.0 */
#include "enroll.h"

#include "certificate.h"
#include "memory.h"
#include "translate.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* Without it OpenSSL would ask on the terminal for the password of what it
 * takes for encrypted. */
static char no_password[] = "";

static BIO *
open_span(struct span bytes)
{
	BIO *bio = bytes.len <= INT_MAX
		? BIO_new_mem_buf(bytes.bytes, (int)bytes.len)
		: NULL;

	ERR_clear_error();
	return bio != NULL ? bio : BIO_new(BIO_s_mem());
}

static void
append_bio(struct text *out, BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);

	text_append(out, bytes, (size_t)len);
}

static int
complain(const struct enroll_source *source, struct fault *fault,
	const char *what)
{
	ERR_clear_error();
	return fault_set(fault, source->kind, "%s: %s", source->name,
		translate(what));
}

static X509_REQ *
read_csr(struct span pem)
{
	BIO *bio = open_span(pem);
	X509_REQ *csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, no_password);

	BIO_free(bio);
	ERR_clear_error();
	return csr;
}

int
enroll_take_csr(struct text *out, struct span pem,
	const struct enroll_source *source, struct fault *fault)
{
	X509_REQ *csr = read_csr(pem);
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -1;

	if (csr == NULL) {
		complain(source, fault,
			"holds no certificate request in PEM form (it would "
			"begin with -----BEGIN CERTIFICATE REQUEST-----)");
	} else if (X509_REQ_verify(csr, X509_REQ_get0_pubkey(csr)) != 1) {
		complain(source, fault,
			"the certificate request is damaged (make it anew: "
			"qchat-provision generate)");
	} else if (PEM_write_bio_X509_REQ(bio, csr) == 1) {
		append_bio(out, bio);
		rc = 0;
	} else {
		complain(source, fault, "cannot be written anew");
	}
	BIO_free(bio);
	X509_REQ_free(csr);
	ERR_clear_error();
	return rc;
}

/* All certificates of a text, one at least; NULL with a fault. */
static STACK_OF(X509) *
	read_certificates(struct span pem, const struct enroll_source *source,
		struct fault *fault)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	BIO *bio = open_span(pem);
	X509 *one;
	int count = 0;

	while (count <= ENROLL_CERTIFICATES_MAX &&
		(one = PEM_read_bio_X509(bio, NULL, NULL, no_password)) != NULL)
		count = sk_X509_push(all, one);
	unsigned long error = ERR_peek_last_error();
	BIO_free(bio);
	ERR_clear_error();
	if (count > ENROLL_CERTIFICATES_MAX)
		fault_set(fault, source->kind,
			"%s: holds more than %d certificates", source->name,
			ENROLL_CERTIFICATES_MAX);
	else if (ERR_GET_LIB(error) != ERR_LIB_PEM ||
		ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		fault_set(fault, source->kind,
			"%s: certificate %d in it is damaged", source->name,
			count + 1);
	else if (count == 0)
		fault_set(fault, source->kind,
			"%s: holds no certificate in PEM form (it would begin "
			"with -----BEGIN CERTIFICATE-----)",
			source->name);
	else
		return all;
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

static int
append_certificates(struct text *out, const STACK_OF(X509) * all,
	const struct enroll_source *source, struct fault *fault)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int count = sk_X509_num(all);

	for (int i = 0; i < sk_X509_num(all) && count >= 0; i++)
		if (PEM_write_bio_X509(bio, sk_X509_value(all, i)) != 1)
			count = complain(source, fault,
				"cannot be written anew");
	if (count >= 0)
		append_bio(out, bio);
	BIO_free(bio);
	return count;
}

int
enroll_take_authorities(struct text *out, struct span pem,
	const struct enroll_source *source, struct fault *fault)
{
	STACK_OF(X509) *all = read_certificates(pem, source, fault);
	bool found = false;
	int count = -1;

	if (all == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(all); i++)
		if (X509_check_ca(sk_X509_value(all, i)) != 0)
			found = true;
	if (!found)
		complain(source, fault,
			"none of its certificates is that of an authority");
	else
		count = append_certificates(out, all, source, fault);
	sk_X509_pop_free(all, X509_free);
	return count;
}

/* X509_V_OK, or why none of the authorities has issued it. */
static int
verify(X509 *leaf, STACK_OF(X509) * chain, STACK_OF(X509) * authorities)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int error = X509_V_ERR_UNSPECIFIED;

	/* Else one that stands among them would have issued itself. */
	for (int i = 0; i < sk_X509_num(authorities); i++)
		if (X509_check_ca(sk_X509_value(authorities, i)) != 0)
			X509_STORE_add_cert(store,
				sk_X509_value(authorities, i));
	if (X509_STORE_CTX_init(context, store, leaf, chain) == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

		/* An authority may be no root.  How strong it is the broker
		 * judges, and the dates are looked at apart. */
		X509_VERIFY_PARAM_set_flags(param,
			X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
		X509_VERIFY_PARAM_set_auth_level(param, 0);
		error = X509_verify_cert(context) == 1
			? X509_V_OK
			: X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	ERR_clear_error();
	return error;
}

static int
judge(STACK_OF(X509) * all, X509_REQ *csr, STACK_OF(X509) * authorities,
	const struct enroll_source *source, struct fault *fault)
{
	X509 *leaf = sk_X509_value(all, 0);
	const EVP_PKEY *key = X509_get0_pubkey(leaf);

	if (key == NULL || EVP_PKEY_eq(key, X509_REQ_get0_pubkey(csr)) != 1)
		return complain(source, fault,
			"the certificate is for another key than the one that "
			"it was asked for");
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
		return complain(source, fault,
			"the certificate has expired already (is the clock of "
			"this machine right?)");
	if (X509_check_purpose(leaf, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		return complain(source, fault,
			"the certificate is not one for TLS clients");
	int error = verify(leaf, all, authorities);
	if (error == X509_V_OK)
		return 0;
	return fault_set(fault, source->kind,
		"%s: none of the authorities that came with the certificate "
		"has issued it: %s",
		source->name, X509_verify_cert_error_string(error));
}

int
enroll_take_certificate(struct text *out, struct span pem, struct span csr_pem,
	struct span authorities_pem, const struct enroll_source *source,
	struct fault *fault)
{
	STACK_OF(X509) *all = read_certificates(pem, source, fault);
	STACK_OF(X509) *authorities = NULL;
	X509_REQ *csr = read_csr(csr_pem);
	int count = -1;

	if (all == NULL)
		goto out;
	authorities = read_certificates(authorities_pem, source, fault);
	if (authorities == NULL)
		goto out;
	if (csr == NULL)
		complain(source, fault, "there is no request for it");
	else if (judge(all, csr, authorities, source, fault) == 0)
		count = append_certificates(out, all, source, fault);
out:
	X509_REQ_free(csr);
	sk_X509_pop_free(authorities, X509_free);
	sk_X509_pop_free(all, X509_free);
	ERR_clear_error();
	return count;
}

bool
enroll_is_issued(struct span certificate, struct span authorities_pem)
{
	static const struct enroll_source nobody = { "", FAULT_DATA };
	struct fault fault = { 0 };
	STACK_OF(X509) *all = read_certificates(certificate, &nobody, &fault);
	STACK_OF(X509) *authorities = read_certificates(authorities_pem,
		&nobody, &fault);
	bool issued = all != NULL && authorities != NULL &&
		verify(sk_X509_value(all, 0), all, authorities) == X509_V_OK;

	sk_X509_pop_free(authorities, X509_free);
	sk_X509_pop_free(all, X509_free);
	return issued;
}

static void
copy_name(char name[static ENROLL_NAME_MAX], const X509_NAME *from)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;

	X509_NAME_print_ex(bio, from, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	size_t len = (size_t)BIO_get_mem_data(bio, &bytes);
	if (len >= ENROLL_NAME_MAX)
		len = ENROLL_NAME_MAX - 1;
	len = text_utf8_check((struct span){ bytes, len });
	if (len > 0)
		memcpy(name, bytes, len);
	name[len] = '\0';
	BIO_free(bio);
}

static void
name_key(char name[static 32], const EVP_PKEY *key)
{
	char group[16] = "";

	if (key == NULL) {
		strcpy(name, "unknown");
		return;
	}
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
			group, sizeof(group), NULL);
		snprintf(name, 32, "EC %s",
			strcmp(group, "prime256v1") == 0 ? "P-256" : group);
	} else {
		const char *type = EVP_PKEY_get0_type_name(key);

		snprintf(name, 32, "%.16s %d", type != NULL ? type : "unknown",
			EVP_PKEY_get_bits(key));
	}
}

bool
enroll_look(struct enroll_facts *facts, struct span pem, size_t i)
{
	BIO *bio = open_span(pem);
	X509 *one = NULL;
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];

	for (size_t at = 0; at <= i; at++) {
		X509_free(one);
		one = PEM_read_bio_X509(bio, NULL, NULL, no_password);
		if (one == NULL)
			break;
	}
	BIO_free(bio);
	if (one != NULL) {
		*facts = (struct enroll_facts){
			.from = certificate_time(X509_get0_notBefore(one)),
			.until = certificate_time(X509_get0_notAfter(one)),
			.is_authority = X509_check_ca(one) != 0,
		};
		copy_name(facts->subject, X509_get_subject_name(one));
		copy_name(facts->issuer, X509_get_issuer_name(one));
		certificate_digest(one, digest);
		certificate_hex(facts->fingerprint, digest, sizeof(digest));
		name_key(facts->key, X509_get0_pubkey(one));
	}
	ERR_clear_error();
	bool found = one != NULL;
	X509_free(one);
	return found;
}
