/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_KEYS_H
#define QCHAT_JOIN_KEYS_H

#include "chat.h"

/* What keys do: from now on, until input_end(). */
void keys_begin(struct chat *chat);

#endif
