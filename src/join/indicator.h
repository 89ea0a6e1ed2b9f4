/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_INDICATOR_H
#define QCHAT_JOIN_INDICATOR_H

#include "text.h"

#include <stdbool.h>

/*
 * Indicators in a text: what an analyst copies from one place to another.
 * MD5, SHA-1 and SHA-256 in hex, IPv4 and IPv6 addresses, domain names, URLs,
 * mail addresses, and CVE ids.  They may be defanged: hxxp and the like, and
 * `.`, `@` or `:` in brackets, or as `[dot]` or `[at]`.
 */

enum { INDICATOR_MAX = 512 }; /* bytes; what is longer is none */

/*
 * The next one in rest, which begins between words: sets *found, as it stands
 * there, and takes what is behind it into rest.  False if there is none.
 * What is in a URL is found behind it once more: its host, a hash.
 * The time it takes grows with the text's length and no faster.
 */
bool indicator_next(struct span *rest, struct span *found);

#endif
