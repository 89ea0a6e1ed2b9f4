/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_AUTHORITY_H
#define QCHAT_AUTHORITY_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A small certificate authority (RFC 5280): a folder with ca.pem and ca.key.
 * All keys are EC P-256 and of mode 0600 from their first byte on, serial
 * numbers are random, and certificates begin an hour before now, for peers
 * whose clock is behind.  What is there and good is kept, so that each of
 * these functions may be called again at any time; callers that run at the
 * same time hold a lock of their own.
 */

enum {
	/* Ten years: the CA is replaced by none but who made it, and a new one
	 * makes every copy of the old ca.pem worthless. */
	AUTHORITY_CA_DAYS = 3652,
	/* The longest that strict TLS libraries take from a private CA: a copy
	 * in a cron job should not lapse every other month. */
	AUTHORITY_LEAF_DAYS = 825,
	/* What has less than this left is near its end. */
	AUTHORITY_RENEW_DAYS = 30,
	AUTHORITY_NAME_MAX = 64, /* bytes of a common name (RFC 5280: ub) */
};

/*
 * Makes the CA in the folder, if there is none or it is near its end; its
 * common name is name, of which AUTHORITY_NAME_MAX bytes are taken.
 * 1 if it was made, 0 if it was there, or -1 with FAULT_CONFIG (what is there
 * is no CA, or its key does not belong to it), FAULT_CANTCREAT or FAULT_IO.
 */
int authority_make(const char *folder, const char *name, struct fault *fault);

/*
 * Makes broker.pem and broker.key in the CA's folder: serverAuth, for all of
 * these names (one or more; host names of letters, digits and `-._`, and IPv4
 * or IPv6 addresses; the first is the common name too).  What is there is kept
 * if this CA issued it, the key belongs to it, it has all the names, and it
 * has AUTHORITY_RENEW_DAYS left.
 * 1 if it was made, 0 if kept, or -1 as authority_make().
 */
int authority_issue_broker(const char *folder, const char *const *names,
	size_t count, struct fault *fault);

/*
 * Makes key.pem, certificate.pem and a copy of ca.pem in the folder `into`:
 * clientAuth, common name `name` (UTF-8, at most AUTHORITY_NAME_MAX bytes,
 * checked by the caller).  What is there is kept if it fits, as above, and
 * has so many days left; 0 renews only what has expired.
 * 1 if it was made, 0 if kept, or -1 as authority_make().
 */
int authority_issue_client(const char *folder, const char *into,
	const char *name, int days_left, struct fault *fault);

/* Until when a certificate file is valid, in seconds since the epoch; -1 if
 * it cannot be read. */
int64_t authority_expiry(const char *path);

#endif
