/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_search.h"

#include "mar_show.h"
#include "memory.h"

#include <stdlib.h>

struct mar_search {
	struct mar *mar;
	struct mar_search_calls calls;
	int64_t request;   /* that waits; 0: none does */
	bool is_answered;  /* it has come since the last tick */
	int64_t next_mono; /* when the next one is due, if none waits */
	int64_t until_mono;
	int64_t timeout_ms;
	bool has_ended;
};

struct mar_search *
mar_search_start(const struct mar_config *config, int64_t timeout_ms,
	int64_t mono, const struct mar_search_calls *calls)
{
	struct mar_search *search = memory_alloc(1, sizeof(*search));

	search->mar = mar_new(config);
	search->calls = *calls;
	search->timeout_ms = timeout_ms;
	search->next_mono = mono;
	search->until_mono = mono + timeout_ms;
	return search;
}

void
mar_search_free(struct mar_search *search)
{
	if (search == NULL)
		return;
	if (search->request != 0)
		search->calls.drop(search->calls.context, search->request);
	mar_free(search->mar);
	free(search);
}

const struct mar *
mar_search_mar(const struct mar_search *search)
{
	return search->mar;
}

int64_t
mar_search_deadline(const struct mar_search *search)
{
	if (search->has_ended || search->request != 0)
		return INT64_MAX;
	if (search->is_answered)
		return 0;
	return search->next_mono < search->until_mono ? search->next_mono
						      : search->until_mono;
}

/* The search may be gone behind this. */
static void
end(struct mar_search *search, const struct fault *fault)
{
	search->has_ended = true;
	search->calls.ended(search->calls.context, fault);
}

/* Fewer rows came than the service names. */
static void
fall_short(struct mar_search *search, const struct mar_progress *progress)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	mar_show_progress(progress, AUDIENCE_USER, &text);
	fault_set(&fault, FAULT_PROTOCOL,
		"MAR service: only %zu of %lld rows came: %s", progress->rows,
		(long long)progress->total, text.bytes);
	text_free(&text);
	end(search, &fault);
}

static void
on_answered(void *context, const struct request_answer *answer)
{
	struct mar_search *search = context;
	struct fault fault = answer->fault;

	search->request = 0;
	if (answer->end != REQUEST_ANSWERED ||
		mar_take_answer(search->mar, answer->payload, &fault) < 0) {
		end(search, &fault);
		return;
	}
	search->is_answered = true;
	struct mar_progress progress = mar_progress(search->mar);
	if (progress.is_short)
		fall_short(search, &progress);
	else if (progress.state == MAR_DONE)
		end(search, &(struct fault){ 0 });
	else
		search->calls.progress(search->calls.context, &progress);
}

/* It runs, and its time is over. */
static void
expire(struct mar_search *search)
{
	struct mar_progress progress = mar_progress(search->mar);
	struct text text = { 0 };
	struct fault fault = { 0 };

	mar_show_progress(&progress, AUDIENCE_USER, &text);
	fault_set(&fault, FAULT_TIMEOUT,
		"the search is not finished after %g s: %s",
		(double)search->timeout_ms / 1000, text.bytes);
	text_free(&text);
	end(search, &fault);
}

static void
ask(struct mar_search *search, int64_t mono)
{
	struct text payload = { 0 };
	struct fault fault = { 0 };
	int64_t left = search->until_mono - mono;

	mar_next_request(search->mar, &payload);
	search->request = search->calls.request(search->calls.context,
		&(struct request){
			.topic = MAR_TOPIC,
			.payload = { payload.bytes, payload.len },
			.timeout_ms = left < REQUEST_TIMEOUT_MS
				? left
				: REQUEST_TIMEOUT_MS,
			.context = search,
			.answered = on_answered,
		},
		&fault);
	text_free(&payload);
	if (search->request < 0) {
		search->request = 0;
		end(search, &fault);
	}
}

void
mar_search_tick(struct mar_search *search, int64_t mono)
{
	/* What waits has its own time. */
	if (mono < mar_search_deadline(search))
		return;
	if (search->is_answered)
		search->next_mono = mono + mar_pause(search->mar);
	search->is_answered = false;
	if (mono >= search->until_mono)
		expire(search);
	else if (mono >= search->next_mono)
		ask(search, mono);
}
