/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_KNOWN_H
#define QCHAT_KNOWN_H

#include "conf.h"
#include "fault.h"
#include "text.h"

#include <stddef.h>

/*
 * What this user's files know of rooms and participants, with no word to the
 * network: lines for shells to offer.  A line is a name as it has to be typed,
 * byte by byte; names with what could drive a terminal are left out.  They are
 * sorted, and each is there once.
 */

/* The room of the settings, those that this user was in, and those it has a
 * secret of.  0, or -1 with FAULT_IO. */
int known_rooms(const struct conf *conf, struct text *out, struct fault *fault);

/* Those whose certificate is known on the fabric of these settings.  0, or -1
 * with FAULT_CONFIG or FAULT_IO. */
int known_names(const struct conf *conf, struct text *out, struct fault *fault);

#endif
