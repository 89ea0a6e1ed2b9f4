/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JSON_LINE_H
#define QCHAT_JSON_LINE_H

#include "text.h"

#include <jansson.h>
#include <stdint.h>

/* What all JSON lines of the tools are made by. */

/* A time in RFC 3339, of wall ms. */
json_t *json_line_time(int64_t ms);

/* Appends the object, in printable ASCII alone, and frees it.  No line feed. */
void json_line_append(json_t *object, struct text *line);

#endif
