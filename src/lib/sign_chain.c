/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "certificate.h"
#include "memory.h"
#include "translate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* A chain's certificates behind the leaf, those of the CA file too. */
	DEPTH_MAX = 10,
	SECURITY_LEVEL = 1, /* 80 bits: neither SHA-1 nor RSA below 1024 */
};

struct authorities {
	X509_STORE *store;
	STACK_OF(X509_CRL) * lists;
	int security_level;
};

/* Has all of a PEM file been read?  What stands around its parts is no
 * fault. */
static bool
is_at_end(void)
{
	unsigned long error = ERR_peek_last_error();
	bool end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
		ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return end;
}

/* The number of certificates; -1 if one is damaged. */
static int
read_authorities(struct authorities *trust, BIO *pem)
{
	X509 *one;
	int count = 0;

	ERR_clear_error();
	for (; (one = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL;
		count++) {
		if (X509_STORE_add_cert(trust->store, one) != 1)
			memory_out();
		X509_free(one);
	}
	return is_at_end() ? count : -1;
}

static int
read_lists(struct authorities *trust, BIO *pem)
{
	X509_CRL *one;
	int count = 0;

	ERR_clear_error();
	for (; (one = PEM_read_bio_X509_CRL(pem, NULL, NULL, NULL)) != NULL;
		count++)
		if (X509_STORE_add_crl(trust->store, one) != 1 ||
			sk_X509_CRL_push(trust->lists, one) == 0)
			memory_out();
	return is_at_end() ? count : -1;
}

static int
read_part(struct authorities *trust,
	int (*read_all)(struct authorities *, BIO *), struct span pem,
	const char *file, const char *what, struct fault *fault)
{
	if (pem.len > INT32_MAX)
		return fault_set(fault, FAULT_CONFIG, "%s: is too large", file);

	BIO *bio = BIO_new_mem_buf(pem.len > 0 ? pem.bytes : "", (int)pem.len);
	if (bio == NULL)
		memory_out();
	int count = read_all(trust, bio);
	BIO_free(bio);
	if (count > 0)
		return 0;
	return fault_set(fault, FAULT_CONFIG,
		count < 0 ? "%s: a %s in it is damaged (get the file anew)"
			  : _("%s: holds no %s in PEM form"),
		file, what);
}

struct authorities *
authorities_new(const struct verifier_config *config, struct fault *fault)
{
	struct authorities *trust = memory_alloc(1, sizeof(*trust));

	trust->store = X509_STORE_new();
	trust->lists = sk_X509_CRL_new_null();
	trust->security_level = config->security_level < 0 ? 0
		: config->security_level == 0              ? SECURITY_LEVEL
					      : config->security_level;
	if (trust->store == NULL || trust->lists == NULL)
		memory_out();
	if (read_part(trust, read_authorities, config->ca, config->ca_file,
		    _("certificate"), fault) == 0 &&
		(config->crl_file == NULL ||
			read_part(trust, read_lists, config->crl,
				config->crl_file, _("revocation list"),
				fault) == 0))
		return trust;
	authorities_free(trust);
	return NULL;
}

void
authorities_free(struct authorities *trust)
{
	if (trust == NULL)
		return;
	sk_X509_CRL_pop_free(trust->lists, X509_CRL_free);
	X509_STORE_free(trust->store);
	free(trust);
}

/* Takes the certificates one by one. */
static const char *
parse_certificates(struct chain *chain, struct span der)
{
	const unsigned char *at = (const unsigned char *)der.bytes;
	const unsigned char *end = at + der.len;

	for (int count = 0; at < end; count++) {
		X509 *one = NULL;

		if (count < SIGN_CHAIN_MAX)
			one = d2i_X509(NULL, &at, end - at);
		if (one == NULL)
			return N_("the certificate is malformed");
		if (count == 0) {
			size_t len = (size_t)((const char *)at - der.bytes);

			chain->leaf = one;
			sign_digest((struct span){ der.bytes, len },
				chain->certificate);
		} else if (sk_X509_push(chain->others, one) == 0) {
			memory_out();
		}
		/* Before anything is computed with it. */
		if (count > 0 && !binding_key_fits(X509_get0_pubkey(one)))
			return N_(
				"a key in the certificate's chain is of a kind "
				"that is not supported");
	}
	return NULL;
}

const char *
chain_parse(struct chain *chain, struct span text)
{
	unsigned char bytes[SIGN_CERT_BYTES_MAX + 2];
	long len = sign_decode(bytes, text, SIGN_CERT_BYTES_MAX);

	*chain = (struct chain){ .others = sk_X509_new_null() };
	if (chain->others == NULL)
		memory_out();
	struct span der = { (const char *)bytes, len > 0 ? (size_t)len : 0 };
	const char *wrong = len > 0 ? parse_certificates(chain, der)
				    : N_("the certificate is malformed");
	ERR_clear_error();
	if (wrong != NULL) {
		chain_free(chain);
		return wrong;
	}
	sign_digest(der, chain->digest);
	return NULL;
}

void
chain_free(struct chain *chain)
{
	X509_free(chain->leaf);
	sk_X509_pop_free(chain->others, X509_free);
	*chain = (struct chain){ 0 };
}

/*
 * Dates are looked at with each message, for the time when that was sent; now
 * only makes the chain one of certificates that are valid, where there are
 * several.  Of the leaf's issuer there has to be a revocation list, of those
 * above it there may be.
 */
static int
on_error(int good, X509_STORE_CTX *context)
{
	switch (good ? X509_V_ERR_UNSPECIFIED
		     : X509_STORE_CTX_get_error(context)) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
		break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		if (X509_STORE_CTX_get_error_depth(context) > 0)
			break;
		return 0;
	default:
		return good;
	}
	X509_STORE_CTX_set_error(context, X509_V_OK);
	return 1;
}

/* Why it leads to no trusted authority.  A peer can spoil the chain of
 * somebody else's certificate: only what the leaf is makes it a bad one. */
static void
explain(struct chain_verdict *verdict, int error, int depth)
{
	verdict->state = SIGN_UNTRUSTED;
	switch (error) {
	case X509_V_ERR_CERT_REVOKED:
		if (depth == 0)
			verdict->state = SIGN_BAD;
		verdict->why = depth == 0 ? N_("the certificate is revoked")
					  : N_("an authority's certificate is "
					       "revoked");
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		verdict->why = N_("the certificate is self-signed");
		return;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		verdict->why = N_(
			"the certificate leads to no trusted authority");
		return;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		verdict->why = N_("there is no revocation list of the "
				  "certificate's authority");
		return;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		verdict->why = N_(
			"the certificate, or one in its chain, is too "
			"weak");
		return;
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		verdict->why = N_("the revocation list of the certificate's "
				  "authority cannot be used");
		return;
	default:
		verdict->why = N_("the certificate's chain is not valid");
	}
}

static int64_t
begin_of(const X509 *certificate)
{
	return certificate_time(X509_get0_notBefore(certificate));
}

static int64_t
end_of(const X509 *certificate)
{
	return certificate_time(X509_get0_notAfter(certificate));
}

/* Until when a list of that authority is good: the longest counts. */
static int64_t
list_end(const struct authorities *trust, const X509 *certificate)
{
	int64_t end = -1;

	for (int i = 0; i < sk_X509_CRL_num(trust->lists); i++) {
		const X509_CRL *list = sk_X509_CRL_value(trust->lists, i);
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);

		if (X509_NAME_cmp(X509_CRL_get_issuer(list),
			    X509_get_issuer_name(certificate)) != 0)
			continue;
		int64_t until = next != NULL ? certificate_time(next)
					     : INT64_MAX;
		if (until > end)
			end = until;
	}
	return end < 0 ? INT64_MAX : end;
}

/* When all of the chain, and what it was judged by, is valid. */
static void
narrow(struct chain_verdict *verdict, const STACK_OF(X509) * all,
	const struct authorities *trust)
{
	for (int i = 0; i < sk_X509_num(all); i++) {
		const X509 *one = sk_X509_value(all, i);
		int64_t lists = list_end(trust, one);

		if (begin_of(one) > verdict->chain_begin)
			verdict->chain_begin = begin_of(one);
		if (end_of(one) < verdict->chain_end)
			verdict->chain_end = end_of(one);
		if (lists < verdict->crl_end)
			verdict->crl_end = lists;
	}
}

static X509_STORE_CTX *
prepare(const struct chain *chain, const struct authorities *trust, int64_t now)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();

	if (context == NULL ||
		X509_STORE_CTX_init(context, trust->store, chain->leaf,
			chain->others) != 1 ||
		X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) !=
			1)
		memory_out();
	X509_VERIFY_PARAM *options = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_depth(options, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(options, trust->security_level);
	X509_VERIFY_PARAM_set_time(options, (time_t)(now / 1000));
	/* An authority of the file need not be a root. */
	X509_VERIFY_PARAM_set_flags(options, X509_V_FLAG_PARTIAL_CHAIN);
	if (sk_X509_CRL_num(trust->lists) > 0)
		X509_VERIFY_PARAM_set_flags(options,
			X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_CTX_set_verify_cb(context, on_error);
	return context;
}

void
chain_judge(struct chain_verdict *verdict, const struct chain *chain,
	const struct authorities *trust, int64_t now)
{
	*verdict = (struct chain_verdict){ .state = SIGN_BAD,
		.begin = begin_of(chain->leaf),
		.end = end_of(chain->leaf),
		.chain_end = INT64_MAX,
		.crl_end = INT64_MAX };
	if (!binding_key_fits(X509_get0_pubkey(chain->leaf))) {
		verdict->why = N_(
			"the certificate's key is of a kind that is not "
			"supported");
		return;
	}
	if (X509_check_purpose(chain->leaf, X509_PURPOSE_SSL_CLIENT, 0) != 1) {
		verdict->why = N_("the certificate is not one for clients");
		return;
	}
	X509_STORE_CTX *context = prepare(chain, trust, now);
	if (X509_verify_cert(context) == 1) {
		verdict->state = SIGN_GOOD;
		narrow(verdict, X509_STORE_CTX_get0_chain(context), trust);
	} else {
		explain(verdict, X509_STORE_CTX_get_error(context),
			X509_STORE_CTX_get_error_depth(context));
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
}
