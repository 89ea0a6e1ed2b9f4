/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CERTIFICATE_H
#define QCHAT_CERTIFICATE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/* What is read out of one X.509 certificate. */

enum { CERTIFICATE_DIGEST_BYTES = 32 };

/* The last common name, in UTF-8; the caller frees it.  NULL if there is none,
 * or a NUL inside. */
char *certificate_name(const X509 *certificate);

/* SHA-256 of the DER. */
void certificate_digest(const X509 *certificate,
	unsigned char digest[static CERTIFICATE_DIGEST_BYTES]);

/* Writes 2 * len lower-case digits and a NUL at hex. */
void certificate_hex(char *hex, const unsigned char *bytes, size_t len);

/* Milliseconds since the epoch; -1 if it cannot be read. */
int64_t certificate_time(const ASN1_TIME *time);

#endif
