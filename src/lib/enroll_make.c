/* SPDX-License-Identifier: Apache-2.0 */
#include "enroll.h"

#include "memory.h"
#include "translate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* A field of the subject, under what users call it. */
struct field {
	int nid;
	const char *name;
	const char *value;
};

static int
complain(struct fault *fault)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return fault_set(fault, FAULT_INTERNAL,
		"the certificate request cannot be made: %s",
		reason != NULL ? reason : _("OpenSSL gives no reason"));
}

static bool
is_clean(const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return *value != '\0' &&
		text_utf8_check(span_of(value)) == strlen(value);
}

/* In this order (protocol.md, 9.2). */
static int
set_subject(X509_REQ *csr, const struct enroll_subject *subject,
	struct fault *fault)
{
	const struct field fields[] = {
		{ NID_commonName, _("the common name"), subject->common_name },
		{ NID_countryName, "--country", subject->country },
		{ NID_stateOrProvinceName, "--state-or-province",
			subject->state },
		{ NID_localityName, "--locality", subject->locality },
		{ NID_organizationName, "--organization",
			subject->organization },
		{ NID_organizationalUnitName, "--organizational-unit",
			subject->unit },
		{ NID_pkcs9_emailAddress, "--email-address", subject->email },
	};
	X509_NAME *name = X509_REQ_get_subject_name(csr);

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *value = fields[i].value;

		if (value == NULL)
			continue;
		if (is_clean(value) &&
			X509_NAME_add_entry_by_NID(name, fields[i].nid,
				MBSTRING_UTF8, (const unsigned char *)value, -1,
				-1, 0) == 1)
			continue;
		const char *why = ERR_reason_error_string(
			ERR_peek_last_error());
		fault_set(fault, FAULT_USAGE, "%s: %s cannot be used: %s",
			fields[i].name, *value != '\0' ? value : "\"\"",
			is_clean(value) && why != NULL
				? why
				: _("it is no clean text"));
		ERR_clear_error();
		return -1;
	}
	return 0;
}

static int
push_extension(STACK_OF(X509_EXTENSION) * all, int nid, const char *value)
{
	X509_EXTENSION *one = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (one == NULL)
		return 0;
	if (sk_X509_EXTENSION_push(all, one) > 0)
		return 1;
	X509_EXTENSION_free(one);
	return 0;
}

/* A name of a host, or its address; NULL if it can be neither. */
static GENERAL_NAME *
general_name(const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);

	ERR_clear_error();
	if (address != NULL) {
		GENERAL_NAME_set0_value(name, GEN_IPADD, address);
		return name;
	}
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
	bool plain = *text != '\0' &&
		text[strspn(text,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789-._*")] == '\0';
	if (plain && ASN1_STRING_set(dns, text, -1) == 1) {
		GENERAL_NAME_set0_value(name, GEN_DNS, dns);
		return name;
	}
	ASN1_IA5STRING_free(dns);
	GENERAL_NAME_free(name);
	return NULL;
}

static int
push_names(STACK_OF(X509_EXTENSION) * *all,
	const struct enroll_subject *subject, struct fault *fault)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	int rc = 0;

	for (size_t i = 0; i < subject->name_count && rc == 0; i++) {
		GENERAL_NAME *name = general_name(subject->names[i]);

		if (name != NULL)
			sk_GENERAL_NAME_push(names, name);
		else
			rc = fault_set(fault, FAULT_USAGE,
				"--san: %s is neither the name of a host nor "
				"an address",
				subject->names[i]);
	}
	if (rc == 0 &&
		X509V3_add1_i2d(all, NID_subject_alt_name, names, 0,
			X509V3_ADD_DEFAULT) != 1)
		rc = complain(fault);
	GENERAL_NAMES_free(names);
	return rc;
}

static int
set_extensions(X509_REQ *csr, enum enroll_kind kind,
	const struct enroll_subject *subject, struct fault *fault)
{
	STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
	const char *usage = kind == ENROLL_RSA
		? "critical,digitalSignature,keyEncipherment"
		: "critical,digitalSignature";
	int rc = 0;

	if (!push_extension(all, NID_basic_constraints, "CA:FALSE") ||
		!push_extension(all, NID_key_usage, usage) ||
		!push_extension(all, NID_ext_key_usage, "clientAuth"))
		rc = complain(fault);
	if (rc == 0 && subject->name_count > 0)
		rc = push_names(&all, subject, fault);
	if (rc == 0 && X509_REQ_add_extensions(csr, all) != 1)
		rc = complain(fault);
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
	return rc;
}

static void
append_bio(struct text *out, BIO *bio)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);

	text_append(out, bytes, (size_t)len);
}

static int
write_key(struct text *out, const EVP_PKEY *key, const char *passphrase,
	struct fault *fault)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int rc = 0;

	if (bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, key,
			passphrase != NULL ? EVP_aes_256_cbc() : NULL,
			passphrase,
			passphrase != NULL ? (int)strlen(passphrase) : 0, NULL,
			NULL) != 1)
		rc = complain(fault);
	else
		append_bio(out, bio);
	BIO_free(bio);
	return rc;
}

static int
write_csr(struct text *out, const X509_REQ *csr, struct fault *fault)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = 0;

	if (bio == NULL || PEM_write_bio_X509_REQ(bio, csr) != 1)
		rc = complain(fault);
	else
		append_bio(out, bio);
	BIO_free(bio);
	return rc;
}

int
enroll_check_subject(const struct enroll_subject *subject, struct fault *fault)
{
	X509_REQ *csr = X509_REQ_new();
	int rc = 0;

	ERR_clear_error();
	if (set_subject(csr, subject, fault) < 0 ||
		set_extensions(csr, ENROLL_RSA, subject, fault) < 0)
		rc = -1;
	X509_REQ_free(csr);
	ERR_clear_error();
	return rc;
}

int
enroll_make(enum enroll_kind kind, const struct enroll_subject *subject,
	const char *passphrase, struct text *key_out, struct text *csr_out,
	struct fault *fault)
{
	X509_REQ *csr = X509_REQ_new();
	EVP_PKEY *key = NULL;
	int rc = -1;

	ERR_clear_error();
	/* What may be refused comes before what takes its time. */
	if (set_subject(csr, subject, fault) < 0 ||
		set_extensions(csr, kind, subject, fault) < 0)
		goto out;
	key = kind == ENROLL_RSA ? EVP_RSA_gen(2048)
				 : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (key == NULL || X509_REQ_set_version(csr, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(csr, key) != 1 ||
		X509_REQ_sign(csr, key, EVP_sha256()) == 0)
		complain(fault);
	else if (write_csr(csr_out, csr, fault) == 0)
		rc = write_key(key_out, key, passphrase, fault);
out:
	EVP_PKEY_free(key);
	X509_REQ_free(csr);
	ERR_clear_error();
	return rc;
}
