/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_DESTINATION_H
#define QCHAT_DESTINATION_H

#include "conf.h"
#include "fault.h"
#include "text.h"

/*
 * The fabric that settings lead to, in a form that can be kept beside a
 * message, so that other settings do not send it somewhere else later.
 *
 * It is two lists of words.  Brokers: HOST:PORT of each, in lower case, an
 * IPv6 address in brackets, and for the private fabric of this user the word
 * qchat-fabric, as its port may change.  Authorities: the SHA-256 of the
 * public key of each certificate in the CA file, in lower-case hex.
 *
 * Two are the same fabric if they have a broker and an authority in common.
 * One alone does not do: an authority may be that of many fabrics, and an
 * address that of another network's broker.  All of both would be too much:
 * brokers come and go, and while an authority is replaced, the old and the new
 * stand in one file.  Keys and not certificates, as an authority's is renewed;
 * and nothing of one's own certificate, which is renewed more often.  The kind
 * (mqtt or dxl) says how to talk to a broker, not which one it is.
 */
struct destination;

/* Bytes of each list as it is kept; what is beyond them is left out, from the
 * end on.  All of the settings' own are compared with. */
enum { DESTINATION_WORDS_MAX = 1024 };

/* Reads conf->ca.  NULL with FAULT_CONFIG. */
struct destination *destination_open(const struct conf *conf,
	struct fault *fault);

void destination_free(struct destination *destination);

/* To be kept: 1 to DESTINATION_WORDS_MAX bytes of printable UTF-8 without a
 * backslash, words separated by one space; borrowed from it. */
struct span destination_brokers(const struct destination *destination);
struct span destination_authorities(const struct destination *destination);

enum destination_fit {
	DESTINATION_SAME,
	DESTINATION_OTHER_BROKERS,     /* none in common */
	DESTINATION_OTHER_AUTHORITIES, /* a broker is, and no authority */
};

/* Compares with what was kept. */
enum destination_fit destination_compare(const struct destination *destination,
	struct span brokers, struct span authorities);

#endif
