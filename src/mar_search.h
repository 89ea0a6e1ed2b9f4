/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_SEARCH_H
#define QCHAT_MAR_SEARCH_H

#include "fault.h"
#include "mar.h"
#include "session.h"

#include <stdint.h>

/* A search in MAR from its first request to its end.  Knows no terminal, no
 * connection and no clock. */
struct mar_search;

enum { MAR_SEARCH_MS = 600 * 1000 }; /* for all of it, usually */

struct mar_search_calls {
	void *context;
	/* As session_request() and session_drop(). */
	int64_t (*request)(void *context, const struct request *request,
		struct fault *fault);
	void (*drop)(void *context, int64_t number);
	/* The service has answered, and it goes on. */
	void (*progress)(void *context, const struct mar_progress *progress);
	/*
	 * All rows are there, if the kind is FAULT_NONE.  Else
	 * FAULT_UNAVAILABLE: no connection, no such service, or it is
	 * overloaded; FAULT_TIMEOUT: no answer, or not finished in time;
	 * FAULT_PROTOCOL: it said no, or no sense, or gave fewer rows than it
	 * names: then its state is MAR_DONE, and they are there.  Called once,
	 * within a step of the session or mar_search_tick(), and may free the
	 * search.
	 */
	void (*ended)(void *context, const struct fault *fault);
};

/* timeout_ms is for all of it, from mono on. */
struct mar_search *mar_search_start(const struct mar_config *config,
	int64_t timeout_ms, int64_t mono, const struct mar_search_calls *calls);

/* If it has not ended, nobody is told. */
void mar_search_free(struct mar_search *search);

/* What it knows, and has read. */
const struct mar *mar_search_mar(const struct mar_search *search);

/* When mar_search_tick() is due (mono ms), INT64_MAX if never. */
int64_t mar_search_deadline(const struct mar_search *search);
void mar_search_tick(struct mar_search *search, int64_t mono);

#endif
