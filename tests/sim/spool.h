/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_SPOOL_H
#define QCHAT_SIM_SPOOL_H

#include "node.h"

/* What is kept of those that ended without a link. */

/* Keeps what is not proved.  A flush puts back what is left of it. */
void spool_keep(struct node *node);

/* Hands all of it to a flush, to say it again. */
void spool_take(struct node *node);

#endif
