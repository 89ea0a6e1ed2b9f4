/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_REGISTRY_H
#define QCHAT_REGISTRY_H

#include "fault.h"
#include "text.h"

/* Which services a DXL fabric has, as its broker tells (protocol.md, 10). */
struct registry;

/* Where that is asked, with this payload. */
#define REGISTRY_TOPIC   "/mcafee/service/dxl/svcregistry/query"
#define REGISTRY_PAYLOAD "{}"

enum { REGISTRY_SERVICES_MAX = 4096 };

/* Reads the answer; NULL with FAULT_PROTOCOL.  What is no service there is left
 * out. */
struct registry *registry_parse(struct span payload, struct fault *fault);
void registry_free(struct registry *registry);

enum registry_verdict {
	REGISTRY_NONE, /* no service is registered for this topic */
	REGISTRY_YES,  /* the client has one of them; under this id, if it is
			* not empty */
	REGISTRY_NO,
};
enum registry_verdict registry_judge(const struct registry *registry,
	struct span topic, struct span service_id, struct span client_id);

#endif
