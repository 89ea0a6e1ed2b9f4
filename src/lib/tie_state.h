/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TIE_STATE_H
#define QCHAT_TIE_STATE_H

#include "tie.h"

#include <jansson.h>

/* What the files of `tie` that write JSON share; tie.c has it. */

/* A digest in hex. */
json_t *tie_hex(const struct digest *digest);

/* A string that may be no UTF-8, as a file's name is: such bytes become \xNN.
 */
json_t *tie_string(const char *string);

#endif
