/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_DXL_H
#define QCHAT_DXL_H

#include "fault.h"
#include "text.h"

#include <stddef.h>
#include <stdint.h>

/* The DXL message envelope (protocol.md, section 1): bytes to struct and
 * back.  The destination topic is not in it. */

enum dxl_type {
	DXL_REQUEST = 0,
	DXL_RESPONSE = 1,
	DXL_EVENT = 2,
	DXL_ERROR = 3,
};

enum {
	DXL_VERSION = 2,                 /* what we emit */
	DXL_PARSE_MAX = 2 * 1024 * 1024, /* bytes that we look at */
	DXL_LIST_MAX = 16384,            /* elements of one array */
};

struct dxl_list {
	struct span *items;
	size_t count;
};

/* Fields in wire order; those that version or type do not have are empty. */
struct dxl_message {
	int64_t version;
	int64_t type; /* enum dxl_type */
	struct span message_id;
	struct span source_client_id;
	struct span source_broker_id;
	struct dxl_list broker_ids;
	struct dxl_list client_ids;
	struct span payload;
	struct span reply_to_topic;     /* request */
	struct span request_message_id; /* response, error */
	struct span service_id;         /* request, response, error */
	int64_t error_code;             /* error: as the integer reads */
	struct span error_message;      /* error */
	struct dxl_list other_fields;   /* version 1: key, value, key, value */
	struct span source_tenant_guid; /* version 2 */
	struct dxl_list destination_tenant_guids; /* version 2 */
	struct span source_client_instance_id;    /* version 3 */
};

/*
 * Takes whatever section 1.4 allows: any string family, bin, nil as empty,
 * any integer width, missing fields of a later version, unknown objects
 * behind the last.  Sizes are checked before anything is allocated.
 * Spans point into bytes.  0, and dxl_message_free() it; or -1 with
 * FAULT_DATA and nothing to free.
 */
int dxl_parse(struct dxl_message *message, struct span bytes,
	struct fault *fault);

/* Frees the lists, not what they point to. */
void dxl_message_free(struct dxl_message *message);

/* The value of a key in the other fields; empty if it is not there. */
struct span dxl_field(const struct dxl_message *message, const char *key);

/*
 * Appends the bytes, by the rule of section 1.4: old raw family only, minimal
 * integers, the fields of the message's version and type.
 */
void dxl_format(const struct dxl_message *message, struct text *bytes);

#endif
