/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_H
#define QCHAT_MAR_H

#include "fault.h"
#include "mar_query.h"
#include "mar_rows.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One search in McAfee Active Response (protocol.md, 7.1 to 7.4): create,
 * start, ask for its status until it is finished, and read the results page by
 * page.  Gives the payloads of requests and takes those of their answers; knows
 * no connection and no clock.
 *
 *	while (mar_next_request(mar, &payload)) {
 *		… after mar_pause() ms: ask, and wait for the answer …
 *		if (mar_take_answer(mar, answer, &fault) < 0)
 *			break;
 *	}
 */
struct mar;

#define MAR_TOPIC "/mcafee/mar/service/api/search"

enum {
	MAR_PAUSE_MS = 5000, /* between two questions for the status (7.2) */
	MAR_AGAIN_MS = 1000, /* before a page that was empty is asked for again
				… */
	MAR_AGAIN_MAX = 2,   /* … and how often that is, in a search */
	MAR_PAGE = 50,       /* rows of one answer */
	MAR_PAGE_MAX = 1000,
	MAR_ID_MAX = 128, /* bytes; of a search */
	MAR_STATUS_MAX = 64,
	MAR_ANSWER_MAX = 4 * 1024 * 1024, /* bytes */
};

enum mar_state {
	MAR_CREATE,
	MAR_START,
	MAR_STATUS,
	MAR_RESULTS,
	MAR_DONE,
	MAR_FAILED, /* an answer was none, or was a no */
};

struct mar_config {
	const struct mar_query *query; /* for the call only */
	const char *sort; /* as mar_sort_check() has it; NULL: "-count" */
	int64_t limit;    /* rows; 0: MAR_ROWS_MAX */
	int64_t page;     /* rows of one answer; 0: MAR_PAGE */
};

/*
 * May the results of the query be sorted by this: "count", or an output of it
 * as "Collector|output", "Collector output", or "output" where it is the only
 * one of that name; "-" before it turns it round?  0, or -1 with FAULT_USAGE.
 */
int mar_sort_check(const struct mar_query *query, const char *sort,
	struct fault *fault);

/* sort is one that is good. */
struct mar *mar_new(const struct mar_config *config);
void mar_free(struct mar *mar);

/* Appends the payload of the request that is due, for MAR_TOPIC.  False if
 * there is none any more. */
bool mar_next_request(const struct mar *mar, struct text *payload);

/* How long to wait before that request, ms. */
int64_t mar_pause(const struct mar *mar);

/*
 * Takes the answer to it.  0; or -1, and it has failed, with FAULT_PROTOCOL:
 * the service says no (in its words), or what it says is no answer.
 */
int mar_take_answer(struct mar *mar, struct span payload, struct fault *fault);

struct mar_progress {
	enum mar_state state;
	const char *status; /* of the service, foreign UTF-8: "RUNNING" … */
	int64_t results, errors; /* -1: not known */
	int64_t hosts;           /* that have answered; -1: not known */
	int64_t asked;           /* hosts that were; -1: not known */
	int64_t total;           /* rows that there are; -1: not known */
	int64_t found;           /* results that the rows stand for */
	size_t rows;             /* read so far */
	/* There are more rows: */
	bool is_enough;   /* … than the limit that was set */
	bool has_no_room; /* … than may be kept */
	/* Rows came to their end before `total`, or there are none of several
	 * results: what the service says is not so. */
	bool is_short;
};

/* Borrowed until the next answer. */
struct mar_progress mar_progress(const struct mar *mar);

/* What was read; borrowed until mar_free(). */
const struct mar_rows *mar_rows(const struct mar *mar);

#endif
