/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_IDENTITY_KEY_H
#define QCHAT_IDENTITY_KEY_H

#include <openssl/x509.h>

/* What is inside an identity, for `sign`, which asks for nothing else of it.
 * All is borrowed. */

struct identity;

/* The private key, the certificate, and what follows that in its file. */
EVP_PKEY *identity_key(const struct identity *identity);
X509 *identity_leaf(const struct identity *identity);
STACK_OF(X509) * identity_chain(const struct identity *identity);

#endif
