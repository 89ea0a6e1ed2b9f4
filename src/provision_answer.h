/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROVISION_ANSWER_H
#define QCHAT_PROVISION_ANSWER_H

#include "conf_edit.h"
#include "fault.h"
#include "text.h"

/*
 * What a management service answers, and what it exports as files: bytes in,
 * checked text out (protocol.md, 9.3 to 9.5).  Nothing here is trusted.  In
 * each, source is whose bytes these are, for messages.
 */

enum {
	ANSWER_MAX = 4 * 1024 * 1024, /* bytes of one */
	ANSWER_BROKERS_MAX = 1024,    /* in a list */
	ANSWER_BROKER_MAX = 512,      /* bytes of one of them */
};

/* The brokers of a fabric; web is those for WebSockets. */
struct answer_brokers {
	struct conf_entries plain;
	struct conf_entries web;
	bool has_web; /* something was said of them */
};

void answer_brokers_free(struct answer_brokers *brokers);

/*
 * Takes the body of an answer apart: "OK:" and a JSON string, which is
 * appended.  0, or -1 with FAULT_UNAVAILABLE (the service says what went
 * wrong) or FAULT_PROTOCOL.
 */
int answer_open(struct text *out, struct span body, const char *source,
	struct fault *fault);

/* The parts of a provisioning package; the PEM texts are borrowed from it and
 * not looked at. */
struct answer_package {
	struct span authorities;
	struct span certificate;
	struct answer_brokers brokers;
};

/* 0, or -1 with FAULT_PROTOCOL.  answer_brokers_free() its brokers. */
int answer_package(struct answer_package *package, struct span text,
	const char *source, struct fault *fault);

/* A list of brokers in JSON.  0, or -1 with FAULT_PROTOCOL. */
int answer_list(struct answer_brokers *brokers, struct span json,
	const char *source, struct fault *fault);

/*
 * A list of brokers that was exported as a file: lines of id=id;port;host or
 * id=id;port;host;address, with the comments and escapes of Java's property
 * files, or JSON as above.  0, or -1 with FAULT_DATA.
 */
int answer_file(struct answer_brokers *brokers, struct span text,
	const char *source, struct fault *fault);

#endif
