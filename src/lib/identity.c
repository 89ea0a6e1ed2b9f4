/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include "certificate.h"
#include "identity_key.h"
#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_MAX = 4 * 1024 * 1024, /* bytes; a system's CA bundle fits */
	UUID_BYTES = 16,
};

struct identity {
	char *file; /* the certificate's, for messages */
	EVP_PKEY *key;
	X509 *leaf;
	STACK_OF(X509) * chain; /* what follows the leaf */
	STACK_OF(X509) * trusted;
	char *name;
	char fingerprint[IDENTITY_FINGERPRINT_MAX];
};

/* The name that a setting has in a dxlclient.config. */
static const char *
dxl_key(const char *setting)
{
	static const char *const keys[][2] = {
		{ "ca", "BrokerCertChain" },
		{ "certificate", "CertFile" },
		{ "key", "PrivateKey" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(setting, keys[i][0]) == 0)
			return keys[i][1];
	return setting;
}

/* Opens a PEM file; setting is its name in the configuration. */
static BIO *
open_file(const char *path, const char *setting, const struct conf *conf,
	struct stat *info, struct fault *fault)
{
	const char *wrong = NULL;
	FILE *stream = NULL;

	if (path == NULL) {
		fault_set(fault, FAULT_CONFIG,
			"%s: %s is missing (man qchat.conf)", conf->file,
			setting);
		return NULL;
	}
	/* So that a FIFO does not block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, info) < 0)
		wrong = strerror(errno);
	else if (S_ISDIR(info->st_mode))
		wrong = _("is a folder");
	else if (!S_ISREG(info->st_mode))
		wrong = _("is no plain file");
	else if (info->st_size > FILE_MAX)
		wrong = _("is too large");
	else if ((stream = fdopen(fd, "r")) == NULL)
		wrong = strerror(errno);
	if (wrong == NULL)
		return BIO_new_fp(stream, BIO_CLOSE);
	if (conf->file != NULL)
		fault_set(fault, FAULT_CONFIG,
			"%s: %s (%s names it as %s: correct that, or the "
			"file)",
			path, wrong, conf->file,
			conf->dxl_keys ? dxl_key(setting) : setting);
	else
		fault_set(fault, FAULT_CONFIG, "%s: %s", path, wrong);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* A key's passphrase on its way to OpenSSL. */
struct question {
	const struct conf *conf;
	struct fault *fault;
	bool asked;
	bool answered;
};

static int
on_passphrase(char *buffer, int size, int writing, void *context)
{
	struct question *question = context;
	const struct conf *conf = question->conf;
	char passphrase[CONF_PASSPHRASE_MAX + 1];
	int len = -1;

	(void)writing;
	/* OpenSSL tries another way to read the file. */
	if (question->asked && !question->answered)
		return -1;
	question->asked = true;
	if (conf->ask_passphrase == NULL) {
		fault_set(question->fault, FAULT_CONFIG,
			"%s: is encrypted, and there is nobody to ask for the "
			"passphrase",
			conf->key);
		return -1;
	}
	if (conf->ask_passphrase(conf->ask_context, conf->key, passphrase,
		    question->fault) == 0) {
		question->answered = true;
		len = (int)strnlen(passphrase, sizeof(passphrase));
		if (len <= size)
			memcpy(buffer, passphrase, (size_t)len);
		else
			len = -1;
	}
	OPENSSL_cleanse(passphrase, sizeof(passphrase));
	return len;
}

static int
check_mode(const char *path, const struct stat *info, struct fault *fault)
{
	const char *who = NULL;

	if (info->st_mode & S_IROTH)
		who = _("everybody");
	else if ((info->st_mode & S_IRGRP) && info->st_uid != 0)
		who = _("its group");
	if (who == NULL)
		return 0;
	return fault_set(fault, FAULT_NOPERM,
		"%s: %s can read this private key (chmod 600 %s)", path, who,
		path);
}

static int
read_key(struct identity *identity, const struct conf *conf,
	struct fault *fault)
{
	const char *path = conf->key;
	struct question question = { .conf = conf, .fault = fault };
	struct stat info = { 0 };
	int rc = -1;

	BIO *file = open_file(path, "key", conf, &info, fault);
	if (file == NULL || check_mode(path, &info, fault) < 0)
		goto out;
	identity->key = PEM_read_bio_PrivateKey(file, NULL, on_passphrase,
		&question);
	if (identity->key != NULL)
		rc = 0;
	else if (question.answered)
		fault_set(fault, FAULT_CONFIG,
			"%s: the passphrase does not open this private key "
			"(type it again, or correct passphrase_command)",
			path);
	else if (question.asked)
		/* The fault says it. */
		rc = -1;
	else
		fault_set(fault, FAULT_CONFIG,
			"%s: holds no usable private "
			"key in PEM form (it would begin with -----BEGIN "
			"PRIVATE KEY-----)",
			path);
out:
	ERR_clear_error();
	BIO_free(file);
	return rc;
}

/* Reads all certificates of a file, one at least. */
static STACK_OF(X509) *
	read_certificates(const char *path, const char *setting,
		const struct conf *conf, struct fault *fault)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	struct stat info;
	X509 *one;
	int rc = -1;

	ERR_clear_error();
	BIO *file = open_file(path, setting, conf, &info, fault);
	if (file == NULL)
		goto out;
	while ((one = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
		sk_X509_push(all, one);
	unsigned long error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) != ERR_LIB_PEM ||
		ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		fault_set(fault, FAULT_CONFIG,
			"%s: certificate %d in it is "
			"damaged (get the file anew)",
			path, sk_X509_num(all) + 1);
	else if (sk_X509_num(all) == 0)
		fault_set(fault, FAULT_CONFIG,
			"%s: holds no certificate in "
			"PEM form (it would begin with -----BEGIN "
			"CERTIFICATE-----)",
			path);
	else
		rc = 0;
out:
	ERR_clear_error();
	BIO_free(file);
	if (rc < 0) {
		sk_X509_pop_free(all, X509_free);
		return NULL;
	}
	return all;
}

/* Appends a file. */
static int
read_text(const char *path, const char *setting, const struct conf *conf,
	struct text *text, struct fault *fault)
{
	struct stat info;
	char part[4096];
	int len;
	BIO *file = open_file(path, setting, conf, &info, fault);

	if (file == NULL)
		return -1;
	while ((len = BIO_read(file, part, sizeof(part))) > 0)
		text_append(text, part, (size_t)len);
	BIO_free(file);
	if (len == 0)
		return 0;
	return fault_set(fault, FAULT_CONFIG, "%s: cannot be read", path);
}

int
identity_trust(const struct conf *conf, struct text *ca, struct text *crl,
	struct fault *fault)
{
	const char *path = conf->sign_ca != NULL ? conf->sign_ca : conf->ca;
	const char *setting = conf->sign_ca != NULL ? "sign_ca" : "ca";

	if (read_text(path, setting, conf, ca, fault) < 0)
		return -1;
	if (conf->crl == NULL)
		return 0;
	return read_text(conf->crl, "crl", conf, crl, fault);
}

/* A translation may be longer than the buffer is. */
static const char *
format_date(char date[static 32], const ASN1_TIME *time)
{
	struct tm parts;

	if (ASN1_TIME_to_tm(time, &parts) != 1 ||
		strftime(date, 32, "%Y-%m-%d", &parts) == 0)
		return _("at an unknown date");
	return date;
}

static int
check_dates(const struct identity *identity, struct fault *fault)
{
	const ASN1_TIME *begin = X509_get0_notBefore(identity->leaf);
	const ASN1_TIME *end = X509_get0_notAfter(identity->leaf);
	char date[32];

	/* 0 is a time that cannot be read */
	if (X509_cmp_current_time(end) <= 0)
		return fault_set(fault, FAULT_CONFIG,
			"%s: the certificate "
			"expired %s (get a new one from who runs the fabric)",
			identity->file, format_date(date, end));
	if (X509_cmp_current_time(begin) >= 0)
		return fault_set(fault, FAULT_CONFIG,
			"%s: the certificate is "
			"not valid before %s (is this machine's clock right?)",
			identity->file, format_date(date, begin));
	return 0;
}

/* Does the key belong to the leaf? */
static int
check_fit(const struct identity *identity, const struct conf *conf,
	struct fault *fault)
{
	if (X509_check_private_key(identity->leaf, identity->key) == 1)
		return 0;
	for (int i = 0; i < sk_X509_num(identity->chain); i++)
		if (X509_check_private_key(sk_X509_value(identity->chain, i),
			    identity->key) == 1)
			return fault_set(fault, FAULT_CONFIG,
				"%s: the key's certificate is number "
				"%d in it (put it first)",
				identity->file, i + 2);
	return fault_set(fault, FAULT_CONFIG,
		"%s: belongs to another "
		"certificate than that in %s (are both of the same "
		"request?)",
		conf->key, identity->file);
}

static int
check_leaf(const struct identity *identity, const struct conf *conf,
	struct fault *fault)
{
	if (check_fit(identity, conf, fault) < 0 ||
		check_dates(identity, fault) < 0)
		return -1;
	if (X509_check_purpose(identity->leaf, X509_PURPOSE_SSL_CLIENT, 0) != 1)
		return fault_set(fault, FAULT_CONFIG,
			"%s: the certificate is "
			"not one for TLS clients (get one with the extended "
			"key usage clientAuth)",
			identity->file);
	return 0;
}

/* Leaf and chain. */
static int
read_chain(struct identity *identity, const struct conf *conf,
	struct fault *fault)
{
	identity->file = memory_string(conf->certificate);
	identity->chain = read_certificates(conf->certificate, "certificate",
		conf, fault);
	if (identity->chain == NULL)
		return -1;
	identity->leaf = sk_X509_shift(identity->chain);
	return 0;
}

int
identity_find_name(const struct conf *conf, char **name, struct fault *fault)
{
	struct identity *identity = memory_alloc(1, sizeof(*identity));
	int rc = read_chain(identity, conf, fault);

	if (rc == 0)
		*name = certificate_name(identity->leaf);
	ERR_clear_error();
	identity_free(identity);
	return rc;
}

int
identity_check_key(const struct conf *conf, struct fault *fault)
{
	struct identity *identity = memory_alloc(1, sizeof(*identity));
	int rc = -1;

	if (read_chain(identity, conf, fault) == 0 &&
		read_key(identity, conf, fault) == 0)
		rc = check_fit(identity, conf, fault) < 0;
	ERR_clear_error();
	identity_free(identity);
	return rc;
}

int
identity_check_csr(const struct conf *conf, struct span csr_pem,
	const char *name, struct fault *fault)
{
	struct identity *identity = memory_alloc(1, sizeof(*identity));
	BIO *bio = BIO_new_mem_buf(csr_pem.bytes, (int)csr_pem.len);
	X509_REQ *csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	int rc = read_key(identity, conf, fault);

	if (rc == 0 && X509_REQ_check_private_key(csr, identity->key) != 1)
		rc = fault_set(fault, FAULT_CONFIG,
			"%s: is not the key of the request %s "
			"(--file-prefix names another key of the folder)",
			conf->key, name);
	ERR_clear_error();
	X509_REQ_free(csr);
	BIO_free(bio);
	identity_free(identity);
	return rc;
}

int
identity_authorities(const struct conf *conf, struct text *digests,
	struct fault *fault)
{
	STACK_OF(X509) *all = read_certificates(conf->ca, "ca", conf, fault);
	char hex[IDENTITY_FINGERPRINT_MAX];
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (all == NULL)
		return -1;
	for (int i = 0; i < sk_X509_num(all); i++) {
		unsigned len = 0;

		if (X509_pubkey_digest(sk_X509_value(all, i), EVP_sha256(),
			    digest, &len) != 1)
			memory_out();
		certificate_hex(hex, digest, len);
		text_appendf(digests, "%s%s", i > 0 ? " " : "", hex);
	}
	sk_X509_pop_free(all, X509_free);
	return 0;
}

struct identity *
identity_open(const struct conf *conf, struct fault *fault)
{
	struct identity *identity = memory_alloc(1, sizeof(*identity));
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];

	identity->trusted = read_certificates(conf->ca, "ca", conf, fault);
	if (identity->trusted == NULL || read_chain(identity, conf, fault) < 0)
		goto fail;
	if (read_key(identity, conf, fault) < 0 ||
		check_leaf(identity, conf, fault) < 0)
		goto fail;
	identity->name = certificate_name(identity->leaf);
	certificate_digest(identity->leaf, digest);
	certificate_hex(identity->fingerprint, digest, sizeof(digest));
	ERR_clear_error();
	return identity;
fail:
	ERR_clear_error();
	identity_free(identity);
	return NULL;
}

void
identity_free(struct identity *identity)
{
	if (identity == NULL)
		return;
	EVP_PKEY_free(identity->key);
	X509_free(identity->leaf);
	sk_X509_pop_free(identity->chain, X509_free);
	sk_X509_pop_free(identity->trusted, X509_free);
	free(identity->name);
	free(identity->file);
	free(identity);
}

const char *
identity_name(const struct identity *identity)
{
	return identity->name;
}

const char *
identity_fingerprint(const struct identity *identity)
{
	return identity->fingerprint;
}

EVP_PKEY *
identity_key(const struct identity *identity)
{
	return identity->key;
}

X509 *
identity_leaf(const struct identity *identity)
{
	return identity->leaf;
}

STACK_OF(X509) * identity_chain(const struct identity *identity)
{
	return identity->chain;
}

static int
complain_weak(const struct identity *identity, const char *weak,
	struct fault *fault)
{
	return fault_set(fault, FAULT_CONFIG,
		"%s: the certificate's "
		"%s for this machine's OpenSSL (get a new one, or "
		"set ciphers = \"DEFAULT@SECLEVEL=0\" in qchat.conf)",
		identity->file, weak);
}

/* OpenSSL refuses old certificates by its security level. */
static int
refused(const struct identity *identity, struct fault *fault)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);
	const char *weak = NULL;

	switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
	case SSL_R_EE_KEY_TOO_SMALL:
		weak = _("key is too short");
		break;
	case SSL_R_CA_KEY_TOO_SMALL:
		weak = _("issuer's key is too short");
		break;
	case SSL_R_CA_MD_TOO_WEAK:
		weak = _("signature is too weak");
		break;
	}
	ERR_clear_error();
	if (weak != NULL)
		return complain_weak(identity, weak, fault);
	return fault_set(fault, FAULT_CONFIG,
		"%s: OpenSSL does not take the certificate: %s", identity->file,
		reason != NULL ? reason : _("unknown reason"));
}

/* Is it signed by another, with less than the security level asks for?  An
 * algorithm that is not known here is the broker's to judge. */
static bool
is_signed_weakly(X509 *certificate, int level)
{
	static const int wanted[] = { 0, 80, 112, 128, 192, 256 };
	const int most = sizeof(wanted) / sizeof(*wanted) - 1;
	int bits;

	return (X509_get_extension_flags(certificate) & EXFLAG_SS) == 0 &&
		X509_get_signature_info(certificate, NULL, NULL, &bits, NULL) ==
		1 &&
		bits < wanted[level < most ? level : most];
}

/* Newer OpenSSLs leave the signatures under one's own certificate to the other
 * side.  There the broker is not alone: all who verify what we say would not
 * trust it. */
static int
check_signatures(const struct identity *identity, int level,
	struct fault *fault)
{
	bool weak = is_signed_weakly(identity->leaf, level);

	for (int i = 0; i < sk_X509_num(identity->chain); i++)
		weak = weak ||
			is_signed_weakly(sk_X509_value(identity->chain, i),
				level);
	return weak ? complain_weak(identity, _("signature is too weak"), fault)
		    : 0;
}

int
identity_apply(const struct identity *identity, struct ssl_ctx_st *context,
	struct fault *fault)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);

	ERR_clear_error();
	if (SSL_CTX_use_certificate(context, identity->leaf) != 1 ||
		SSL_CTX_use_PrivateKey(context, identity->key) != 1)
		return refused(identity, fault);
	for (int i = 0; i < sk_X509_num(identity->chain); i++)
		if (SSL_CTX_add1_chain_cert(context,
			    sk_X509_value(identity->chain, i)) != 1)
			return refused(identity, fault);
	for (int i = 0; i < sk_X509_num(identity->trusted); i++)
		if (X509_STORE_add_cert(store,
			    sk_X509_value(identity->trusted, i)) != 1)
			return refused(identity, fault);
	return check_signatures(identity, SSL_CTX_get_security_level(context),
		fault);
}

void
identity_random(void *bytes, size_t len)
{
	assert(len <= INT_MAX);
	if (RAND_bytes(bytes, (int)len) != 1) {
		fputs("qchat: no random numbers from OpenSSL\n", stderr);
		exit(FAULT_INTERNAL);
	}
}

void
identity_uid(char uid[static IDENTITY_UID_MAX])
{
	unsigned char bytes[UUID_BYTES];

	identity_random(bytes, sizeof(bytes));
	certificate_hex(uid, bytes, sizeof(bytes));
}

static void
format_id(char *id, unsigned char *bytes, unsigned version)
{
	char hex[IDENTITY_UID_MAX];

	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
	bytes[8] = (bytes[8] & 0x3f) | 0x80; /* variant of RFC 9562 */
	certificate_hex(hex, bytes, UUID_BYTES);
	snprintf(id, IDENTITY_ID_MAX, "{%.8s-%.4s-%.4s-%.4s-%.12s}", hex,
		hex + 8, hex + 12, hex + 16, hex + 20);
}

void
identity_id(char id[static IDENTITY_ID_MAX])
{
	unsigned char bytes[UUID_BYTES];

	identity_random(bytes, sizeof(bytes));
	format_id(id, bytes, 4);
}

void
identity_lasting_id(const struct identity *identity, const char *name,
	char id[static IDENTITY_ID_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *text = memory_format("qchat %s %s", identity->fingerprint, name);

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) !=
		1)
		memory_out();
	free(text);
	format_id(id, digest, 8);
}
