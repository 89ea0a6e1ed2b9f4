/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include "calendar.h"
#include "file.h"
#include "memory.h"
#include "text.h"
#include "translate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	DAY = 24 * 60 * 60,
	HEAD_START = 60 * 60, /* how long before now validity begins */
	SERIAL_BITS = 159,    /* RFC 5280 4.1.2.2: 20 octets with a sign */
};

struct pair {
	EVP_PKEY *key;
	X509 *certificate;
};

/* A certificate to be issued, and where it goes. */
struct order {
	const char *key_path, *path;
	const char *ca_copy; /* where the CA's certificate goes too, or NULL */
	const char *purpose; /* serverAuth, clientAuth; NULL: a CA */
	const char *name;    /* the common name */
	const char *const *names;
	size_t count;
	int days_left; /* with which what is there is kept */
};

struct extension {
	int nid;
	const char *value;
};

static const struct extension ca_extensions[] = {
	{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
	{ NID_key_usage, "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_undef, NULL },
};

static const struct extension leaf_extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ NID_undef, NULL },
};

static void
pair_free(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_free(pair->certificate);
	*pair = (struct pair){ 0 };
}

static int
complain(struct fault *fault, const char *subject)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return fault_set(fault, FAULT_INTERNAL, "%s: cannot be made: %s",
		subject,
		reason != NULL ? reason : _("OpenSSL gives no reason"));
}

/* Our files have no password; without the empty one here OpenSSL would ask
 * for one on the terminal. */
static char no_password[] = "";

static X509 *
read_certificate(const char *path)
{
	BIO *file = BIO_new_file(path, "re");
	X509 *certificate = NULL;

	if (file != NULL)
		certificate = PEM_read_bio_X509(file, NULL, NULL, no_password);
	BIO_free(file);
	ERR_clear_error();
	return certificate;
}

static EVP_PKEY *
read_key(const char *path)
{
	BIO *file = BIO_new_file(path, "re");
	EVP_PKEY *key = NULL;

	if (file != NULL)
		key = PEM_read_bio_PrivateKey(file, NULL, NULL, no_password);
	BIO_free(file);
	ERR_clear_error();
	return key;
}

static int64_t
expiry_of(const X509 *certificate)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return -1;
	return calendar_seconds(&end);
}

int64_t
authority_expiry(const char *path)
{
	X509 *certificate = read_certificate(path);
	int64_t expiry = certificate != NULL ? expiry_of(certificate) : -1;

	X509_free(certificate);
	return expiry;
}

/* Is it valid now and for so many days? */
static bool
is_current(const X509 *certificate, int days)
{
	return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
		expiry_of(certificate) > time(NULL) + (int64_t)days * DAY;
}

static bool
is_address(const char *name)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
	bool is = address != NULL;

	ASN1_OCTET_STRING_free(address);
	ERR_clear_error();
	return is;
}

static bool
has_name(X509 *certificate, const char *name)
{
	if (is_address(name))
		return X509_check_ip_asc(certificate, name, 0) == 1;
	return X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

/* Is what is there a leaf of this CA, whole, and valid for long enough? */
static bool
is_good(const struct order *order, const struct pair *ca)
{
	struct pair leaf = { read_key(order->key_path),
		read_certificate(order->path) };
	bool good = leaf.key != NULL && leaf.certificate != NULL &&
		X509_check_private_key(leaf.certificate, leaf.key) == 1 &&
		X509_verify(leaf.certificate, ca->key) == 1 &&
		is_current(leaf.certificate, order->days_left);

	for (size_t i = 0; good && i < order->count; i++)
		good = has_name(leaf.certificate, order->names[i]);
	ERR_clear_error();
	pair_free(&leaf);
	return good;
}

static int
set_serial(X509 *certificate)
{
	BIGNUM *serial = BN_new();
	int ok = serial != NULL &&
		BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY,
			BN_RAND_BOTTOM_ANY) == 1 &&
		BN_to_ASN1_INTEGER(serial,
			X509_get_serialNumber(certificate)) != NULL;

	BN_free(serial);
	return ok;
}

static int
set_name(X509 *certificate, const char *name)
{
	return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate),
		NID_commonName, MBSTRING_UTF8, (const unsigned char *)name, -1,
		-1, 0);
}

/* Never longer than the issuer's. */
static int
set_validity(X509 *certificate, int days, const X509 *issuer)
{
	ASN1_TIME *end = X509_getm_notAfter(certificate);

	/* Without a time_t of ours: it may not reach so far. */
	if (X509_gmtime_adj(X509_getm_notBefore(certificate), -HEAD_START) ==
			NULL ||
		X509_time_adj_ex(end, days, -HEAD_START, NULL) == NULL)
		return 0;
	return issuer == certificate ||
		expiry_of(issuer) >= expiry_of(certificate) ||
		X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) ==
		1;
}

static int
add_extension(X509 *certificate, X509V3_CTX *context, int nid,
	const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid,
		value);
	int ok = extension != NULL &&
		X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return ok;
}

static int
add_names(X509 *certificate, X509V3_CTX *context, const struct order *order)
{
	struct text list = { 0 };

	for (size_t i = 0; i < order->count; i++)
		text_appendf(&list, "%s%s:%s", i > 0 ? "," : "",
			is_address(order->names[i]) ? "IP" : "DNS",
			order->names[i]);
	int ok = add_extension(certificate, context, NID_subject_alt_name,
		list.bytes);
	text_free(&list);
	return ok;
}

static int
set_extensions(X509 *certificate, X509 *issuer, const struct order *order)
{
	const struct extension *extension = order->purpose != NULL
		? leaf_extensions
		: ca_extensions;
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	for (; extension->value != NULL; extension++)
		if (!add_extension(certificate, &context, extension->nid,
			    extension->value))
			return 0;
	if (order->purpose != NULL &&
		!add_extension(certificate, &context, NID_ext_key_usage,
			order->purpose))
		return 0;
	return order->count == 0 || add_names(certificate, &context, order);
}

/* Makes a key and its certificate; ca NULL signs it with itself. */
static int
issue(struct pair *made, const struct pair *ca, const struct order *order)
{
	made->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	made->certificate = X509_new();
	if (made->key == NULL || made->certificate == NULL)
		return 0;
	X509 *certificate = made->certificate;
	X509 *issuer = ca != NULL ? ca->certificate : certificate;
	EVP_PKEY *signer = ca != NULL ? ca->key : made->key;
	int days = ca != NULL ? AUTHORITY_LEAF_DAYS : AUTHORITY_CA_DAYS;

	return X509_set_version(certificate, X509_VERSION_3) == 1 &&
		set_serial(certificate) &&
		set_name(certificate, order->name) == 1 &&
		X509_set_issuer_name(certificate,
			X509_get_subject_name(issuer)) == 1 &&
		set_validity(certificate, days, issuer) &&
		X509_set_pubkey(certificate, made->key) == 1 &&
		set_extensions(certificate, issuer, order) &&
		X509_sign(certificate, signer, EVP_sha256()) > 0;
}

static int
write_bio(BIO *bio, const char *path, mode_t mode, struct fault *fault)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	struct span span = { bytes, (size_t)len };

	return file_replace(path, span, mode, fault);
}

static int
write_certificate(X509 *certificate, const char *path, struct fault *fault)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc;

	if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1)
		rc = complain(fault, path);
	else
		rc = write_bio(bio, path, 0644, fault);
	BIO_free(bio);
	return rc;
}

/* The key first: the next call sees that the certificate does not fit it. */
static int
write_pair(const struct pair *pair, const struct order *order,
	struct fault *fault)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int rc;

	if (bio == NULL ||
		PEM_write_bio_PrivateKey(bio, pair->key, NULL, NULL, 0, NULL,
			NULL) != 1)
		rc = complain(fault, order->key_path);
	else
		rc = write_bio(bio, order->key_path, 0600, fault);
	BIO_free(bio);
	if (rc < 0)
		return -1;
	return write_certificate(pair->certificate, order->path, fault);
}

/* Makes and writes what is ordered.  1, or -1 with a fault. */
static int
fill(const struct order *order, const struct pair *ca, struct fault *fault)
{
	struct pair made = { 0 };
	int rc = -1;

	if (issue(&made, ca, order) != 1)
		complain(fault, order->path);
	else if (write_pair(&made, order, fault) == 0)
		rc = 1;
	pair_free(&made);
	return rc;
}

static int
read_ca(struct pair *ca, const char *key_path, const char *path,
	struct fault *fault)
{
	const char *wrong = NULL;

	ca->key = read_key(key_path);
	ca->certificate = read_certificate(path);
	if (ca->certificate == NULL)
		wrong = _("is no certificate that can be read");
	else if (X509_check_ca(ca->certificate) == 0)
		wrong = _("is not the certificate of a CA");
	else if (ca->key == NULL)
		wrong = _("its key (ca.key) cannot be read");
	else if (X509_check_private_key(ca->certificate, ca->key) != 1)
		wrong = _("its key (ca.key) belongs to another certificate");
	if (wrong == NULL)
		return 0;
	ERR_clear_error();
	pair_free(ca);
	return fault_set(fault, FAULT_CONFIG,
		"%s: %s (with ca.pem and ca.key "
		"moved away a new CA is made, and all certificates anew)",
		path, wrong);
}

static bool
has_issued(const char *folder)
{
	char *path = memory_format("%s/broker.pem", folder);
	bool issued = access(path, F_OK) == 0;

	free(path);
	return issued;
}

int
authority_make(const char *folder, const char *name, struct fault *fault)
{
	char *key_path = memory_format("%s/ca.key", folder);
	char *path = memory_format("%s/ca.pem", folder);
	struct span span = { name, strnlen(name, AUTHORITY_NAME_MAX) };
	char *cut = memory_copy(name, text_utf8_check(span));
	const struct order order = { .key_path = key_path,
		.path = path,
		.name = cut };
	struct pair ca = { 0 };
	bool absent = access(path, F_OK) < 0 && errno == ENOENT;
	int rc = absent ? 0 : read_ca(&ca, key_path, path, fault);

	/* A new CA would end all that the one which is missing has issued. */
	if (absent && has_issued(folder))
		rc = fault_set(fault, FAULT_CONFIG,
			"%s: is missing, and certificates of this CA are there "
			"(put it back, or move %s away to begin anew)",
			path, folder);
	if (rc == 0 &&
		(absent || !is_current(ca.certificate, AUTHORITY_RENEW_DAYS)))
		rc = fill(&order, NULL, fault);
	pair_free(&ca);
	free(cut);
	free(path);
	free(key_path);
	return rc;
}

static int
issue_leaf(const struct order *order, const char *folder, struct fault *fault)
{
	char *key_path = memory_format("%s/ca.key", folder);
	char *path = memory_format("%s/ca.pem", folder);
	struct pair ca = { 0 };
	int rc = read_ca(&ca, key_path, path, fault);

	if (rc == 0 && order->ca_copy != NULL)
		rc = write_certificate(ca.certificate, order->ca_copy, fault);
	if (rc == 0 && !is_good(order, &ca))
		rc = fill(order, &ca, fault);
	pair_free(&ca);
	free(path);
	free(key_path);
	return rc;
}

/* Nothing that means something in OpenSSL's list of names. */
static bool
is_plain(const char *name)
{
	return *name != '\0' &&
		name[strspn(name,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz0123456789-._:")] == '\0';
}

int
authority_issue_broker(const char *folder, const char *const *names,
	size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (!is_plain(names[i]))
			return fault_set(fault, FAULT_CONFIG,
				"%s: is no name "
				"for a broker's certificate",
				names[i]);
	char *key_path = memory_format("%s/broker.key", folder);
	char *path = memory_format("%s/broker.pem", folder);
	const struct order order = { .key_path = key_path,
		.path = path,
		.purpose = "serverAuth",
		.name = names[0],
		.names = names,
		.count = count,
		.days_left = AUTHORITY_RENEW_DAYS };
	int rc = issue_leaf(&order, folder, fault);

	free(path);
	free(key_path);
	return rc;
}

int
authority_issue_client(const char *folder, const char *into, const char *name,
	int days_left, struct fault *fault)
{
	char *key_path = memory_format("%s/key.pem", into);
	char *path = memory_format("%s/certificate.pem", into);
	char *ca_copy = memory_format("%s/ca.pem", into);
	const struct order order = { .key_path = key_path,
		.path = path,
		.ca_copy = ca_copy,
		.purpose = "clientAuth",
		.name = name,
		.days_left = days_left };
	int rc = issue_leaf(&order, folder, fault);

	free(ca_copy);
	free(path);
	free(key_path);
	return rc;
}
