/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_QUERY_H
#define QCHAT_MAR_QUERY_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A search of McAfee Active Response as people write it, text to struct, and
 * from there to the JSON that the service takes (protocol.md, 7.3 and 7.5):
 *
 *   HostInfo hostname, ip_address and Files full_name
 *       where Files md5 equals "…" or Files name starts with "C:\"
 */

enum {
	MAR_QUERY_MAX = 16 * 1024, /* bytes of a query */
	MAR_NAME_MAX = 128,        /* of a collector or an output */
	MAR_PROJECTIONS_MAX = 32,
	MAR_OUTPUTS_MAX = 64, /* of one projection */
	MAR_COMPARISONS_MAX = 256,
};

/* What is to be told. */
struct mar_projection {
	struct span collector;
	struct span outputs[MAR_OUTPUTS_MAX];
	size_t count; /* 0: what the collector tells by itself */
};

/* Of what it is to be told. */
struct mar_comparison {
	bool alternative; /* behind "or", and the first: a new list of "and" */
	struct span collector, output;
	const char *op; /* "EQUALS" … */
	bool negated;
	struct span value;
};

struct mar_query {
	struct mar_projection *projections;
	size_t projection_count;
	struct mar_comparison *comparisons;
	size_t comparison_count; /* 0: of all hosts */
	char *text;              /* what the spans point into */
};

/* What is wrong with one. */
struct mar_query_slip {
	size_t column; /* from 1, in characters; 0: no place is wrong */
	bool unquoted; /* a value is due there that is in double quotes */
};

/*
 * Reads it.  0, and mar_query_free() it; or -1 with FAULT_USAGE that tells the
 * column, what is due there, and what stands there; then there is nothing to
 * free.  *slip, if it is not NULL, is what is wrong, and else nothing.
 */
int mar_query_parse(struct mar_query *query, struct span text,
	struct mar_query_slip *slip, struct fault *fault);

/*
 * The query for the hosts that have a file with this MD5 or SHA-1: name and
 * address of the host, and path.  0, or -1 with FAULT_USAGE if it is neither.
 */
int mar_query_of_hash(struct mar_query *query, struct span hash,
	struct fault *fault);

void mar_query_free(struct mar_query *query);

/* Appends its JSON. */
void mar_query_format(const struct mar_query *query, struct text *json);

#endif
