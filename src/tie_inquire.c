/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_tool.h"

#include "memory.h"
#include "tie_show.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 16 }; /* requests */

/* One of the list. */
struct inquiry {
	struct tie *tie;
	const struct tie_subject *subject;
	int64_t number; /* of the request */
	bool is_answered;
	struct tie_reputations reputations;
	struct tie_agents agents;
	bool is_none;    /* it has no reputation */
	bool is_unsent;  /* the server was never asked … */
	bool is_refused; /* … or has not done it, for certain */
	struct fault fault;
};

static const char *
topic_of(const struct tie *tie)
{
	if (tie->sets)
		return tie->certificates ? TIE_CERT_SET : TIE_FILE_SET;
	if (tie->agents)
		return tie->certificates ? TIE_CERT_AGENTS : TIE_FILE_AGENTS;
	return tie->certificates ? TIE_CERT_REPUTATION : TIE_FILE_REPUTATION;
}

static void
understand(struct inquiry *inquiry, struct span payload)
{
	if (inquiry->tie->sets)
		tie_parse_set(payload, &inquiry->fault);
	else if (inquiry->tie->agents)
		tie_parse_agents(&inquiry->agents, payload, &inquiry->fault);
	else
		tie_parse_reputations(&inquiry->reputations, payload,
			&inquiry->fault);
}

static void
on_answered(void *context, const struct request_answer *answer)
{
	struct inquiry *inquiry = context;

	inquiry->is_answered = true;
	if (answer->end == REQUEST_ANSWERED)
		understand(inquiry, answer->payload);
	else if (answer->end == REQUEST_REFUSED &&
		tie_is_none(answer->code, answer->message))
		inquiry->is_none = true;
	else
		inquiry->fault = answer->fault;
	/* What was sent does not wait for a connection. */
	inquiry->is_unsent = answer->end == REQUEST_EXPIRED &&
		answer->fault.kind == FAULT_UNAVAILABLE;
	inquiry->is_refused = answer->end == REQUEST_REFUSED &&
		answer->code != REQUEST_NO_RESPONSE;
	if (inquiry->is_unsent)
		fault_set(&inquiry->fault, FAULT_UNAVAILABLE,
			"%.900s (-W gives it longer)", answer->fault.text);
}

static void
ask(struct inquiry *inquiry)
{
	struct tie *tie = inquiry->tie;
	struct text payload = { 0 };
	struct tie_subject subject = *inquiry->subject;

	if (tie->sets) {
		subject.name = tie_base_name(subject.name);
		tie_ask_set(&subject, tie->trust, tie->comment, &payload);
	} else if (tie->agents) {
		tie_ask_agents(&subject, tie->limit, &payload);
	} else {
		tie_ask_reputation(&subject, &payload);
	}
	const struct request request = {
		.topic = topic_of(tie),
		.payload = { payload.bytes, payload.len },
		.timeout_ms = tie->cli.timeout_ms,
		.acts = tie->sets,
		.context = inquiry,
		.answered = on_answered,
	};
	inquiry->number = session_request(tie->session, &request,
		&inquiry->fault);
	if (inquiry->number < 0)
		inquiry->is_answered = inquiry->is_unsent = true;
	text_free(&payload);
}

static void
print_json(struct tie *tie, const struct inquiry *inquiry)
{
	int64_t wall = session_now().wall;
	struct text line = { 0 };

	if (tie->sets)
		tie_json_set(inquiry->subject, tie->trust, wall, &line);
	else if (tie->agents)
		tie_json_agents(inquiry->subject, &inquiry->agents, wall,
			&line);
	else
		tie_json_reputations(inquiry->subject, &inquiry->reputations,
			wall, &line);
	tie_print(tie, &line);
	text_free(&line);
}

static void
add_header(struct tie *tie)
{
	if (tie->is_headed || tie->cli.quiet || tie->sets)
		return;
	tie->is_headed = true;
	if (tie->agents)
		tie_show_agents_header(&tie->columns);
	else
		tie_show_reputation_header(&tie->columns);
}

static void
print_rows(struct tie *tie, const struct inquiry *inquiry)
{
	add_header(tie);
	if (tie->agents)
		tie_show_agents(inquiry->subject, &inquiry->agents,
			&tie->columns);
	else if (!tie->sets)
		tie_show_reputations(inquiry->subject, &inquiry->reputations,
			&tie->columns);
	/* People get all of it in columns of one width. */
	if (!tie->is_terminal)
		tie_print_rows(tie);
}

/* Is the answer no? */
static bool
is_missing(const struct tie *tie, const struct inquiry *inquiry)
{
	if (tie->sets)
		return false;
	return tie->agents ? inquiry->agents.count == 0
			   : !tie_is_known(&inquiry->reputations);
}

static void
tell_rest(const struct tie *tie, const struct inquiry *inquiry)
{
	const struct tie_agents *agents = &inquiry->agents;

	if (agents->total > (int64_t)agents->count)
		cli_say(&tie->cli, "%zu of %lld systems are listed (--limit)",
			agents->count, (long long)agents->total);
}

static void
fail(struct tie *tie, const struct inquiry *inquiry)
{
	/* None would have an answer then. */
	if (inquiry->fault.kind == FAULT_UNAVAILABLE ||
		inquiry->fault.kind == FAULT_TIMEOUT) {
		if (tie->fault.kind == FAULT_NONE)
			tie->fault = inquiry->fault;
		return;
	}
	tie_tell(tie, inquiry->subject, inquiry->fault.text);
}

/* All that is known of one. */
static void
conclude(struct tie *tie, struct inquiry *inquiry)
{
	/* Who could not be set is no unknown file. */
	if (inquiry->is_none && (tie->sets || tie->agents))
		fault_set(&inquiry->fault, FAULT_PROTOCOL,
			"the TIE server does not know it");
	if (inquiry->fault.kind != FAULT_NONE) {
		fail(tie, inquiry);
		if (tie->status == 0)
			tie->status = inquiry->fault.kind;
		return;
	}
	tie->is_missing = tie->is_missing || is_missing(tie, inquiry);
	if (tie->json)
		print_json(tie, inquiry);
	else
		print_rows(tie, inquiry);
	tell_rest(tie, inquiry);
}

static void
inquiry_free(struct inquiry *inquiry)
{
	tie_reputations_free(&inquiry->reputations);
	tie_agents_free(&inquiry->agents);
}

/* Those of which all is known, in their order. */
static size_t
conclude_all(struct tie *tie, struct inquiry *inquiries, size_t done,
	size_t asked)
{
	while (done < asked && inquiries[done].is_answered &&
		(tie->fault.kind == FAULT_NONE || tie->sets)) {
		conclude(tie, &inquiries[done]);
		inquiry_free(&inquiries[done++]);
	}
	return done;
}

/* What was asked to be set may be set, and is to be known of, whatever becomes
 * of the others, and whoever reads that. */
static bool
goes_on(const struct tie *tie, size_t done, size_t asked)
{
	if (done == tie->list.count || cli_ended != 0)
		return false;
	if (tie->fault.kind == FAULT_NONE)
		return tie->sets || !tie->reader_gone;
	return tie->sets && tie->was_up && done < asked;
}

static const char *
outcome_of(const struct inquiry *inquiry)
{
	if (inquiry->tie == NULL || inquiry->is_unsent || !inquiry->tie->was_up)
		return N_("not tried");
	if (inquiry->is_refused)
		return N_("not set");
	if (inquiry->is_answered && inquiry->fault.kind == FAULT_NONE)
		return N_("set");
	return N_("not known whether it is set");
}

/* Of several it is told which ones were set, if it were not all. */
static void
tell_outcomes(const struct tie *tie, const struct inquiry *inquiries)
{
	size_t count = tie->list.count, set = 0;

	while (set < count && strcmp(outcome_of(&inquiries[set]), "set") == 0)
		set++;
	for (size_t i = 0; count > 1 && set < count && i < count; i++)
		tie_tell(tie, &tie->list.items[i],
			_(outcome_of(&inquiries[i])));
}

void
tie_inquire(struct tie *tie, const sigset_t *during)
{
	size_t count = tie->list.count, asked = 0, done = 0;
	struct inquiry *inquiries = memory_alloc(count, sizeof(*inquiries));

	while (goes_on(tie, done, asked)) {
		while (asked < count && tie->fault.kind == FAULT_NONE &&
			session_requests(tie->session) < AT_ONCE) {
			inquiries[asked].tie = tie;
			inquiries[asked].subject = &tie->list.items[asked];
			ask(&inquiries[asked++]);
		}
		if (!inquiries[done].is_answered &&
			session_wait(&tie->session, 1, NULL, 0, INT64_MAX,
				during, &tie->fault) < 0)
			break;
		done = conclude_all(tie, inquiries, done, asked);
	}
	tie_print_rows(tie);
	if (tie->fault.kind == FAULT_NONE && cli_ended != 0 && done < count)
		fault_set(&tie->fault, FAULT_UNAVAILABLE,
			"ended by a signal: %zu of %zu are answered", done,
			count);
	for (size_t i = done; i < asked; i++) {
		session_drop(tie->session, inquiries[i].number);
		inquiry_free(&inquiries[i]);
	}
	if (tie->sets)
		tell_outcomes(tie, inquiries);
	free(inquiries);
}
