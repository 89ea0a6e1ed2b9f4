/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_HUE_H
#define QCHAT_JOIN_HUE_H

#include "text.h"

/* The colour of a name: the same wherever its certificate is.  It helps the
 * eye and proves nothing. */

enum { HUE_NONE = -1 };

/*
 * The colour of a fingerprint (trust.h), as the number that a terminal with so
 * many colours has for it: of xterm's for 256, which can be read on black and
 * on white, or of the first eight for 8 and more.  HUE_NONE for fewer, or
 * without a fingerprint.  Red is left to what is wrong.
 */
int hue_of(struct span fingerprint, int colours);

/* The i-th of the palette for so many colours; HUE_NONE behind the last. */
int hue_palette(int colours, size_t i);

#endif
