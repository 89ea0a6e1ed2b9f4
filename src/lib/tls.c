/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include "memory.h"
#include "translate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GATHER_BYTES = 64 * 1024,
	NAME_MAX_BYTES = 256, /* of a name in a message */
};

struct tls {
	SSL_CTX *context;
	SSL *ssl;   /* the connection, or NULL before its handshake */
	int socket; /* a second descriptor of its socket, or -1 */
	const struct conf *conf;
	char *host;                       /* as configured */
	bool answered;                    /* a ServerHello came */
	int alert;                        /* that the broker sent, or -1 */
	int verify_error;                 /* X509_V_… */
	bool of_ca;                       /* not the broker's own */
	char verify_date[32];             /* notAfter or notBefore */
	char verify_name[NAME_MAX_BYTES]; /* subject's or issuer's name */
	unsigned long handshake_error;    /* of OpenSSL, or 0 */
};

static struct tls *
tls_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static void
keep_date(char *date, size_t size, const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(date, size, "%Y-%m-%d", &tm);
}

/* Keeps what is wrong; the decision is OpenSSL's. */
static int
on_verify(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store,
		SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = tls_of(ssl);
	const X509 *certificate = X509_STORE_CTX_get_current_cert(store);

	if (good || tls->verify_error != X509_V_OK || certificate == NULL)
		return good;
	tls->verify_error = X509_STORE_CTX_get_error(store);
	tls->of_ca = X509_STORE_CTX_get_error_depth(store) > 0;
	if (tls->verify_error == X509_V_ERR_CERT_NOT_YET_VALID)
		keep_date(tls->verify_date, sizeof(tls->verify_date),
			X509_get0_notBefore(certificate));
	else
		keep_date(tls->verify_date, sizeof(tls->verify_date),
			X509_get0_notAfter(certificate));
	bool mismatch = tls->verify_error == X509_V_ERR_HOSTNAME_MISMATCH ||
		tls->verify_error == X509_V_ERR_IP_ADDRESS_MISMATCH;
	X509_NAME_get_text_by_NID(mismatch ? X509_get_subject_name(certificate)
					   : X509_get_issuer_name(certificate),
		NID_commonName, tls->verify_name, sizeof(tls->verify_name));
	return good;
}

static bool
is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 ||
		inet_pton(AF_INET6, host, address) == 1;
}

static void
gather(SSL *ssl)
{
	BIO *socket = SSL_get_rbio(ssl);
	BIO *buffer = BIO_new(BIO_f_buffer());

	if (buffer == NULL)
		return; /* slower, that is all */
	BIO_set_write_buffer_size(buffer, GATHER_BYTES);
	BIO_up_ref(socket);
	SSL_set0_wbio(ssl, BIO_push(buffer, socket));
}

/*
 * The start of the handshake is the one moment between libmosquitto's choices
 * and the first byte.  It is given an address and sends that as the server's
 * name (SNI), but only a host name may stand there (RFC 6066, section 3).
 * And it forgets the connection when a write fails, where we still want to
 * read why.
 */
static void
attach(struct tls *tls, SSL *ssl)
{
	SSL_up_ref(ssl);
	tls->ssl = ssl;
	tls->socket = fcntl(SSL_get_fd(ssl), F_DUPFD_CLOEXEC, 0);
	SSL_set_tlsext_host_name(ssl, is_address(tls->host) ? NULL : tls->host);
	gather(ssl);
}

static void
on_info(const SSL *ssl, int where, int value)
{
	struct tls *tls = tls_of(ssl);
	SSL *connection;

	if (where == SSL_CB_HANDSHAKE_START && tls->ssl == NULL) {
		memcpy(&connection, &ssl, sizeof(ssl)); /* less its const */
		attach(tls, connection);
	} else if (where == SSL_CB_CONNECT_LOOP &&
		SSL_get_state(ssl) == TLS_ST_CR_SRVR_HELLO) {
		tls->answered = true;
	} else if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL) {
		tls->alert = value & 0xff;
	} else if (where == SSL_CB_CONNECT_EXIT && value <= 0 &&
		ERR_peek_last_error() != 0) {
		tls->handshake_error = ERR_peek_last_error();
	}
}

static int
set_host(const struct tls *tls, struct fault *fault)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);
	int rc = is_address(tls->host)
		? X509_VERIFY_PARAM_set1_ip_asc(param, tls->host)
		: X509_VERIFY_PARAM_set1_host(param, tls->host, 0);

	X509_VERIFY_PARAM_set_hostflags(param,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (rc == 1)
		return 0;
	return fault_set(fault, FAULT_CONFIG,
		"%s: no host name that can be checked", tls->host);
}

static int
set_up(struct tls *tls, const struct identity *identity, struct fault *fault)
{
	SSL_CTX *context = tls->context;
	const struct conf *conf = tls->conf;

	SSL_CTX_set_app_data(context, tls);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* A DXL broker that resumes a session forgets the certificate
	 * (protocol.md, 13). */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_info_callback(context, on_info);
	if (conf->ciphers != NULL &&
		SSL_CTX_set_cipher_list(context, conf->ciphers) != 1)
		return fault_set(fault, FAULT_CONFIG,
			"%s: ciphers: \"%s\" is no OpenSSL cipher string "
			"(man openssl-ciphers)",
			conf->file, conf->ciphers);
	if (identity_apply(identity, context, fault) < 0)
		return -1;
	return conf->verify_host ? set_host(tls, fault) : 0;
}

struct tls *
tls_new(const struct conf *conf, const struct identity *identity,
	const char *host, struct fault *fault)
{
	struct tls *tls = memory_alloc(1, sizeof(*tls));

	*tls = (struct tls){ .context = SSL_CTX_new(TLS_client_method()),
		.conf = conf,
		.host = memory_string(host),
		.socket = -1,
		.alert = -1,
		.verify_error = X509_V_OK };
	if (tls->context == NULL) {
		fault_set(fault, FAULT_INTERNAL, "OpenSSL gives no context");
	} else if (set_up(tls, identity, fault) == 0) {
		return tls;
	}
	tls_free(tls);
	return NULL;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	if (tls->socket >= 0)
		close(tls->socket);
	SSL_CTX_free(tls->context);
	free(tls->host);
	free(tls);
}

SSL_CTX *
tls_context(const struct tls *tls)
{
	return tls->context;
}

static int
explain_verify(const struct tls *tls, const char *peer, struct fault *fault)
{
	const char *whose = tls->of_ca ? _("the CA of the broker's certificate")
				       : _("the broker's certificate");

	switch (tls->verify_error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return fault_set(fault, FAULT_CONFIG,
			"%s: %s expired %s (its operator has to renew it; "
			"is the clock of this machine right?)",
			peer, whose, tls->verify_date);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return fault_set(fault, FAULT_CONFIG,
			"%s: %s is not valid before %s (is the clock of "
			"this machine right?)",
			peer, whose, tls->verify_date);
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker's "
			"certificate, of \"%s\", is not for %s (name the "
			"broker as its certificate does)",
			peer, tls->verify_name, tls->host);
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker's "
			"certificate comes from \"%s\", which is not among the "
			"CAs of %s (ca must name the fabric's CA)",
			peer, tls->verify_name, tls->conf->ca);
	default:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker's certificate is not good: %s (it "
			"needs another one)",
			peer, X509_verify_cert_error_string(tls->verify_error));
	}
}

static int
explain_alert(const struct tls *tls, const char *peer, struct fault *fault)
{
	const char *certificate = tls->conf->certificate;

	switch (tls->alert) {
	case SSL3_AD_CERTIFICATE_EXPIRED:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker says "
			"that %s has expired (get a new one, or is a clock "
			"wrong?)",
			peer, certificate);
	case SSL3_AD_CERTIFICATE_REVOKED:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker says "
			"that %s is revoked (ask for a new one)",
			peer, certificate);
	case TLS1_AD_UNKNOWN_CA:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker does "
			"not know the CA that issued %s (the setting "
			"certificate must name one of this fabric)",
			peer, certificate);
	case TLS1_AD_PROTOCOL_VERSION:
		fault_set(fault, FAULT_UNAVAILABLE,
			"%s: the broker does not speak TLS 1.2 or newer "
			"(it has to be updated, or its settings allow that)",
			peer);
		fault->term = FAULT_LASTING;
		return -1;
	case TLS1_AD_INTERNAL_ERROR:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker refuses "
			"%s without a reason (a DXL broker does so when it is "
			"revoked)",
			peer, certificate);
	default:
		return fault_set(fault, FAULT_CONFIG,
			"%s: the broker refuses "
			"%s: %s (its log may say why; is a clock wrong?)",
			peer, certificate,
			SSL_alert_desc_string_long(tls->alert));
	}
}

/* The handshake of TLS 1.3 is over for us before the broker has looked at our
 * certificate: its alert may lie unread behind a write that failed. */
static void
hear_alert(struct tls *tls)
{
	char byte;

	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, tls->socket) != 1)
		return;
	SSL_peek(tls->ssl, &byte, 1);
	ERR_clear_error();
}

static int
explain_handshake(const struct tls *tls, const char *peer, struct fault *fault)
{
	if (tls->handshake_error == 0)
		return -1;
	switch (ERR_GET_REASON(tls->handshake_error)) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return -1;
	case SSL_R_UNSUPPORTED_PROTOCOL:
		fault_set(fault, FAULT_UNAVAILABLE,
			"%s: the broker does not speak TLS 1.2 or newer "
			"(it has to be updated, or its settings allow that)",
			peer);
		fault->term = FAULT_LASTING;
		break;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		fault_set(fault, FAULT_UNAVAILABLE,
			"%s: what answers there does not speak TLS (is it the "
			"port for TLS?)",
			peer);
		fault->term = FAULT_LASTING;
		break;
	default:
		fault_set(fault, FAULT_UNAVAILABLE,
			"%s: the TLS handshake failed: %s (the broker's log "
			"may say why)",
			peer, ERR_reason_error_string(tls->handshake_error));
	}
	return 0;
}

bool
tls_is_unanswered(const struct tls *tls)
{
	return tls != NULL && !tls->answered;
}

int
tls_explain(struct tls *tls, const char *peer, struct fault *fault)
{
	if (tls == NULL)
		return -1;
	if (tls->verify_error == X509_V_OK && tls->alert < 0 &&
		tls->handshake_error == 0)
		hear_alert(tls);
	if (tls->verify_error != X509_V_OK) {
		explain_verify(tls, peer, fault);
		return 0;
	}
	if (tls->alert >= 0) {
		explain_alert(tls, peer, fault);
		return 0;
	}
	return explain_handshake(tls, peer, fault);
}

int
tls_socket(const struct tls *tls)
{
	return tls->socket;
}

void
tls_ungather(struct tls *tls)
{
	BIO *socket = SSL_get_rbio(tls->ssl);

	BIO_up_ref(socket);
	SSL_set0_wbio(tls->ssl, socket);
}

int
tls_flush(struct tls *tls)
{
	BIO *out = SSL_get_wbio(tls->ssl);

	if (BIO_wpending(out) == 0)
		return 1;
	if (BIO_flush(out) > 0)
		return 1;
	return BIO_should_retry(out) ? 0 : -1;
}

uint64_t
tls_written(const struct tls *tls)
{
	return tls->ssl != NULL ? BIO_number_written(SSL_get_rbio(tls->ssl))
				: 0;
}

bool
tls_pending(const struct tls *tls)
{
	/* Bytes of half a record do not help. */
	return SSL_has_pending(tls->ssl) == 1 && !SSL_want_read(tls->ssl);
}

void
tls_forget_errors(void)
{
	ERR_clear_error();
}
