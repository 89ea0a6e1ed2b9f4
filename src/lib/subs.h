/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SUBS_H
#define QCHAT_SUBS_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many subscriptions of a topic a DXL fabric has.  Each of its brokers
 * counts those of its own clients that match, and answers for itself; how many
 * brokers there are, the one that is asked knows (protocol.md, 10).  It is the
 * subscriptions that are counted, and not who may receive there (5).
 */
struct subs;

/* Where a count is asked for, with what subs_request() makes. */
#define SUBS_TOPIC "/mcafee/service/dxl/broker/subs"

/* Where the list of brokers is, with this payload. */
#define SUBS_BROKERS_TOPIC   "/mcafee/service/dxl/brokerregistry/query"
#define SUBS_BROKERS_PAYLOAD "{}"

enum {
	SUBS_BROKERS_MAX = 1024,
	SUBS_ID_MAX = 128,          /* bytes of a broker's id */
	SUBS_COUNT_MAX = 100000000, /* of one broker */
};

struct subs *subs_new(void);
void subs_free(struct subs *subs);

/* Appends what asks for the count of a topic, in UTF-8. */
void subs_request(struct text *json, struct span topic);

/*
 * Takes the answer of a broker, with the ids of its source: one that has
 * answered before has a new count.  0, or -1 with FAULT_PROTOCOL: it is no
 * count, or not a broker's, whose two ids are the same; that is counted.
 */
int subs_add(struct subs *subs, struct span client_id, struct span broker_id,
	struct span payload, struct fault *fault);

/* Takes the list of brokers.  0, or -1 with FAULT_PROTOCOL. */
int subs_expect(struct subs *subs, struct span payload, struct fault *fault);

struct subs_sum {
	int64_t subscriptions; /* of all that have counted; -1: none has */
	size_t brokers;        /* that have counted */
	size_t known;          /* brokers that there are; 0: not known */
	size_t mistaken;       /* answers that were not taken */
};
struct subs_sum subs_sum(const struct subs *subs);

/* All have counted that there are. */
bool subs_is_complete(const struct subs_sum *sum);

/* Appends what keeps a sum from being all of it, in words that are harmless;
 * nothing if nothing does. */
void subs_append_doubt(const struct subs_sum *sum, struct text *text);

#endif
