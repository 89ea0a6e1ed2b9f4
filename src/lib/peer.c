/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include "certificate.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
on_certificate(X509_STORE_CTX *store, void *context)
{
	struct peer *peer = context;
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];

	certificate_digest(leaf, digest);
	certificate_hex(peer->fingerprint, digest, sizeof(digest));
	char *name = certificate_name(leaf);
	snprintf(peer->name, sizeof(peer->name), "%s",
		name != NULL ? name : "");
	free(name);
	peer->is_seen = true;
	if (peer->pin == NULL) {
		int rc = X509_verify_cert(store);

		peer->error = X509_STORE_CTX_get_error(store);
		return rc;
	}
	peer->is_refused = strcmp(peer->fingerprint, peer->pin) != 0;
	X509_STORE_CTX_set_error(store,
		peer->is_refused ? X509_V_ERR_APPLICATION_VERIFICATION
				 : X509_V_OK);
	return !peer->is_refused;
}

void
peer_watch(struct peer *peer, SSL_CTX *context)
{
	SSL_CTX_set_cert_verify_callback(context, on_certificate, peer);
}

const char *
peer_error(const struct peer *peer)
{
	return peer->error == X509_V_OK
		? NULL
		: X509_verify_cert_error_string(peer->error);
}

int
peer_parse_pin(char pin[PEER_FINGERPRINT_MAX], const char *text)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == ':' && len % 2 == 0 && len > 0)
			continue;
		if (len == PEER_FINGERPRINT_MAX - 1 ||
			OPENSSL_hexchar2int((unsigned char)*text) < 0)
			return -1;
		pin[len++] = (char)(*text >= 'A' && *text <= 'F'
				? *text - 'A' + 'a'
				: *text);
	}
	pin[len] = '\0';
	return len == PEER_FINGERPRINT_MAX - 1 ? 0 : -1;
}
