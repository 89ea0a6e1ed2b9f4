/* SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include "memory.h"
#include "tie.h"
#include "tie_show.h"

#include <stdlib.h>
#include <strings.h>

struct lookup {
	struct lookups *lookups;
	bool is_running;
	int64_t number; /* of the request */
	enum lookup_share share;
	struct tie_subject subject;
};

struct lookups {
	struct lookup_calls calls;
	struct lookup all[LOOKUPS_MAX];
};

struct lookups *
lookups_new(const struct lookup_calls *calls)
{
	struct lookups *lookups = memory_alloc(1, sizeof(*lookups));

	lookups->calls = *calls;
	return lookups;
}

void
lookups_stop(struct lookups *lookups)
{
	for (size_t i = 0; i < LOOKUPS_MAX; i++) {
		if (lookups->all[i].is_running)
			lookups->calls.drop(lookups->calls.context,
				lookups->all[i].number);
		lookups->all[i].is_running = false;
	}
}

void
lookups_free(struct lookups *lookups)
{
	if (lookups == NULL)
		return;
	lookups_stop(lookups);
	free(lookups);
}

size_t
lookups_running(const struct lookups *lookups)
{
	size_t count = 0;

	for (size_t i = 0; i < LOOKUPS_MAX; i++)
		count += lookups->all[i].is_running;
	return count;
}

/* In one harmless line. */
static void
append_fault(const struct tie_subject *subject, const char *what,
	struct text *text)
{
	digest_append_hex(tie_subject_digest(subject), text);
	text_append_string(text, ": ");
	text_harmless(text, span_of(what), TEXT_MESSAGE);
}

/* True if there is something to see. */
static bool
append_answer(const struct tie_subject *subject,
	const struct request_answer *answer, struct text *text)
{
	struct tie_reputations reputations = { 0 };
	struct fault fault = answer->fault;

	if (answer->end == REQUEST_ANSWERED &&
		tie_parse_reputations(&reputations, answer->payload, &fault) ==
			0) {
		tie_show_summary(subject, &reputations, text);
		tie_reputations_free(&reputations);
		return true;
	}
	if (answer->end == REQUEST_REFUSED &&
		tie_is_none(answer->code, answer->message)) {
		tie_show_summary(subject, &reputations, text);
		return true;
	}
	append_fault(subject, fault.text, text);
	return false;
}

static void
on_answered(void *context, const struct request_answer *answer)
{
	struct lookup *lookup = context;
	const struct lookup_calls *calls = &lookup->lookups->calls;
	struct text text = { 0 };
	struct lookup_result result = { .share = lookup->share };

	/* Who is told sees that it has ended. */
	lookup->is_running = false;
	result.is_found = append_answer(&lookup->subject, answer, &text);
	result.text = (struct span){ text.bytes, text.len };
	calls->found(calls->context, &result);
	text_free(&text);
}

static struct lookup *
find_free(struct lookups *lookups)
{
	for (size_t i = 0; i < LOOKUPS_MAX; i++)
		if (!lookups->all[i].is_running)
			return &lookups->all[i];
	return NULL;
}

static int
ask(struct lookup *lookup, struct fault *fault)
{
	const struct lookup_calls *calls = &lookup->lookups->calls;
	struct text payload = { 0 };

	tie_ask_reputation(&lookup->subject, &payload);
	const struct request request = {
		.topic = TIE_FILE_REPUTATION,
		.payload = { payload.bytes, payload.len },
		.context = lookup,
		.answered = on_answered,
	};
	lookup->number = calls->request(calls->context, &request, fault);
	lookup->is_running = lookup->number >= 0;
	text_free(&payload);
	return lookup->is_running ? 0 : -1;
}

int
lookups_hash(struct lookups *lookups, struct span hash, enum lookup_share share,
	struct fault *fault)
{
	struct lookup *lookup = find_free(lookups);
	struct tie_subject subject = { .count = 1 };

	if (digest_from_hex(&subject.digests[0], hash) < 0)
		return fault_set(fault, FAULT_USAGE,
			"%.*s is no hash (32, 40 or 64 hex digits)",
			hash.len < 100 ? (int)hash.len : 100, hash.bytes);
	if (lookup == NULL)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%d are looked for already", LOOKUPS_MAX);
	*lookup = (struct lookup){ .lookups = lookups,
		.share = share,
		.subject = subject };
	return ask(lookup, fault);
}

int
lookup_share_parse(struct span word, enum lookup_share *share)
{
	*share = LOOKUP_ASK;
	if (word.len == 0)
		return 0;
	if (word.len == 3 && strncasecmp(word.bytes, "yes", 3) == 0)
		*share = LOOKUP_YES;
	else if (word.len == 2 && strncasecmp(word.bytes, "no", 2) == 0)
		*share = LOOKUP_NO;
	else
		return -1;
	return 0;
}
