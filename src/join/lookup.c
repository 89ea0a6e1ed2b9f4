/* SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include "mar_search.h"
#include "mar_show.h"
#include "memory.h"
#include "tie.h"
#include "tie_show.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { QUERY_SHOWN_MAX = 500 }; /* bytes */

struct lookup {
	struct lookups *lookups;
	bool is_running;
	size_t number; /* no other one's, before or after */
	enum lookup_share share;
	/* Of TIE. */
	int64_t request; /* its number */
	struct tie_subject subject;
	/* Of MAR, else NULL. */
	struct mar_search *search;
	char *query;
};

struct lookups {
	struct lookup_calls calls;
	struct lookup all[LOOKUPS_MAX];
	size_t last; /* number */
};

struct lookups *
lookups_new(const struct lookup_calls *calls)
{
	struct lookups *lookups = memory_alloc(1, sizeof(*lookups));

	lookups->calls = *calls;
	return lookups;
}

static void
stop(struct lookup *lookup)
{
	if (lookup->search == NULL && lookup->is_running)
		lookup->lookups->calls.drop(lookup->lookups->calls.context,
			lookup->request);
	mar_search_free(lookup->search);
	free(lookup->query);
	*lookup = (struct lookup){ 0 };
}

void
lookups_stop(struct lookups *lookups)
{
	for (size_t i = 0; i < LOOKUPS_MAX; i++)
		stop(&lookups->all[i]);
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
	const struct request_answer *answer, enum audience audience,
	struct text *text)
{
	struct tie_reputations reputations = { 0 };
	struct fault fault = answer->fault;

	if (answer->end == REQUEST_ANSWERED &&
		tie_parse_reputations(&reputations, answer->payload, &fault) ==
			0) {
		tie_show_summary(subject, &reputations, audience, text);
		tie_reputations_free(&reputations);
		return true;
	}
	if (answer->end == REQUEST_REFUSED &&
		tie_is_none(answer->code, answer->message)) {
		tie_show_summary(subject, &reputations, audience, text);
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
	struct text text = { 0 }, shared = { 0 };
	struct lookup_result result = { .share = lookup->share };

	/* Who is told sees that it has ended. */
	lookup->is_running = false;
	result.is_found = append_answer(&lookup->subject, answer, AUDIENCE_USER,
		&text);
	if (result.is_found)
		append_answer(&lookup->subject, answer, AUDIENCE_OTHERS,
			&shared);
	result.text = (struct span){ text.bytes, text.len };
	result.shared = (struct span){ shared.bytes, shared.len };
	calls->found(calls->context, &result);
	text_free(&text);
	text_free(&shared);
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
	lookup->request = calls->request(calls->context, &request, fault);
	lookup->is_running = lookup->request >= 0;
	if (lookup->is_running)
		lookup->number = ++lookup->lookups->last;
	text_free(&payload);
	return lookup->is_running ? 0 : -1;
}

static int
refuse(struct fault *fault)
{
	return fault_set(fault, FAULT_UNAVAILABLE, "%d are looked for already",
		LOOKUPS_MAX);
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
		return refuse(fault);
	*lookup = (struct lookup){ .lookups = lookups,
		.share = share,
		.subject = subject };
	return ask(lookup, fault);
}

/* Text from its start, cut where a character ends. */
static void
append_query(const char *query, struct text *text)
{
	size_t len = strlen(query);
	bool is_long = len > QUERY_SHOWN_MAX;

	if (is_long)
		len = QUERY_SHOWN_MAX;
	while (is_long && ((unsigned char)query[len] & 0xc0) == 0x80)
		len--;
	text_harmless(text, (struct span){ query, len }, TEXT_MESSAGE);
	if (is_long)
		text_append_string(text, "...");
}

/* So many lines of it as fit, line feeds before them; returns how many. */
static size_t
append_lines(struct span lines, struct text *text)
{
	size_t count = 0;
	const char *end;

	while ((end = memchr(lines.bytes, '\n', lines.len)) != NULL) {
		size_t len = (size_t)(end - lines.bytes);

		if (text->len + len + 1 > LOOKUP_TEXT_MAX)
			break;
		text_append_char(text, '\n');
		text_append(text, lines.bytes, len);
		lines.bytes += len + 1;
		lines.len -= len + 1;
		count++;
	}
	return count;
}

static void
append_rows(const struct mar *mar, enum audience audience, struct text *text)
{
	const struct mar_rows *rows = mar_rows(mar);
	struct columns columns = { .aligned = true };
	struct text lines = { 0 };

	mar_show_rows(rows,
		&(struct mar_show){ .rows_max = LOOKUP_ROWS_MAX,
			.header = true },
		&columns);
	columns_format(&columns, &lines);
	columns_free(&columns);
	size_t shown = append_lines((struct span){ lines.bytes, lines.len },
		text);
	text_free(&lines);
	/* The first one has the names. */
	shown -= shown > 0;
	if (shown < mar_rows_count(rows))
		text_appendf(text,
			translate_for(audience,
				"\nand %zu more rows (qchat-mar shows them)"),
			mar_rows_count(rows) - shown);
}

/* Why there are not all rows.  A fault is in the language of the user; that it
 * comes with rows has one reason alone. */
static void
append_shortage(const struct mar_progress *progress, const struct fault *fault,
	enum audience audience, struct text *text)
{
	if (audience == AUDIENCE_USER) {
		text_harmless(text, span_of(fault->text), TEXT_MESSAGE);
		return;
	}
	text_appendf(text,
		"MAR service: only %zu of %lld rows came: ", progress->rows,
		(long long)progress->total);
	mar_show_progress(progress, audience, text);
}

/* What there is, and how the search has ended.  Rows are something to see, even
 * if there should be more of them. */
static bool
append_found(const struct lookup *lookup, const struct fault *fault,
	enum audience audience, struct text *text)
{
	const struct mar *mar = mar_search_mar(lookup->search);
	struct mar_progress progress = mar_progress(mar);
	bool is_good = fault->kind == FAULT_NONE;
	bool has_rows = progress.state == MAR_DONE && progress.rows > 0;

	append_query(lookup->query, text);
	text_append_char(text, ':');
	if (has_rows)
		append_rows(mar, audience, text);
	text_append_char(text, has_rows ? '\n' : ' ');
	if (is_good && !has_rows)
		text_append_string(text,
			translate_for(audience, "no results: "));
	if (is_good && !mar_show_is_full(&progress))
		text_append_string(text,
			translate_for(audience,
				"not all results are in these rows: "));
	if (is_good)
		mar_show_progress(&progress, audience, text);
	else
		append_shortage(&progress, fault, audience, text);
	return is_good || has_rows;
}

static int64_t
on_request(void *context, const struct request *request, struct fault *fault)
{
	const struct lookup *lookup = context;
	const struct lookup_calls *calls = &lookup->lookups->calls;

	return calls->request(calls->context, request, fault);
}

static void
on_drop(void *context, int64_t number)
{
	const struct lookup *lookup = context;

	lookup->lookups->calls.drop(lookup->lookups->calls.context, number);
}

static void
on_progress(void *context, const struct mar_progress *progress)
{
	(void)context;
	(void)progress;
}

static void
on_ended(void *context, const struct fault *fault)
{
	struct lookup *lookup = context;
	const struct lookup_calls *calls = &lookup->lookups->calls;
	struct text text = { 0 }, shared = { 0 };
	struct lookup_result result = { .share = lookup->share };

	result.is_found = append_found(lookup, fault, AUDIENCE_USER, &text);
	if (result.is_found)
		append_found(lookup, fault, AUDIENCE_OTHERS, &shared);
	result.text = (struct span){ text.bytes, text.len };
	result.shared = (struct span){ shared.bytes, shared.len };
	/* Who is told sees that it has ended, and may begin another. */
	struct lookup ended = *lookup;
	*lookup = (struct lookup){ 0 };
	calls->found(calls->context, &result);
	text_free(&text);
	text_free(&shared);
	mar_search_free(ended.search);
	free(ended.query);
}

static void
start(struct lookup *lookup, const struct mar_query *query, int64_t mono)
{
	lookup->search = mar_search_start(
		&(struct mar_config){ .query = query }, MAR_SEARCH_MS, mono,
		&(struct mar_search_calls){
			.context = lookup,
			.request = on_request,
			.drop = on_drop,
			.progress = on_progress,
			.ended = on_ended,
		});
	lookup->is_running = true;
	lookup->number = ++lookup->lookups->last;
}

int
lookups_search(struct lookups *lookups, struct span query,
	enum lookup_share share, int64_t mono, struct fault *fault)
{
	struct lookup *lookup = find_free(lookups);
	struct mar_query parsed;

	if (mar_query_parse(&parsed, query, NULL, fault) < 0)
		return -1;
	if (lookup == NULL) {
		mar_query_free(&parsed);
		return refuse(fault);
	}
	*lookup = (struct lookup){ .lookups = lookups,
		.share = share,
		.query = memory_copy(query.bytes, query.len) };
	start(lookup, &parsed, mono);
	mar_query_free(&parsed);
	return 0;
}

int64_t
lookups_deadline(const struct lookups *lookups)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < LOOKUPS_MAX; i++) {
		const struct mar_search *search = lookups->all[i].search;

		if (search != NULL && mar_search_deadline(search) < first)
			first = mar_search_deadline(search);
	}
	return first;
}

void
lookups_tick(struct lookups *lookups, int64_t mono)
{
	for (size_t i = 0; i < LOOKUPS_MAX; i++)
		if (lookups->all[i].search != NULL)
			mar_search_tick(lookups->all[i].search, mono);
}

void
lookups_progress(const struct lookups *lookups, bool brief, struct text *text)
{
	const char *between = "";

	for (size_t i = 0; i < LOOKUPS_MAX; i++) {
		const struct lookup *lookup = &lookups->all[i];

		if (!lookup->is_running)
			continue;
		text_append_string(text, between);
		between = "; ";
		if (lookup->search == NULL) {
			text_append_string(text, "TIE");
			continue;
		}
		text_append_string(text, "MAR");
		if (brief)
			continue;
		struct mar_progress progress = mar_progress(
			mar_search_mar(lookup->search));
		text_append_char(text, ' ');
		mar_show_progress(&progress, AUDIENCE_USER, text);
	}
}

/* What was typed, without its command. */
static void
append_asked(const struct lookup *lookup, struct text *text)
{
	if (lookup->search != NULL)
		append_query(lookup->query, text);
	else
		digest_append_hex(tie_subject_digest(&lookup->subject), text);
}

static void
append_search(const struct lookup *lookup, struct text *text)
{
	if (lookup->search == NULL)
		return;
	struct mar_progress progress = mar_progress(
		mar_search_mar(lookup->search));

	text_append_string(text, ": ");
	mar_show_progress(&progress, AUDIENCE_USER, text);
}

/* The running one of the least number above that; NULL. */
static const struct lookup *
next_running(const struct lookups *lookups, size_t number)
{
	const struct lookup *next = NULL;

	for (size_t i = 0; i < LOOKUPS_MAX; i++) {
		const struct lookup *lookup = &lookups->all[i];

		if (lookup->is_running && lookup->number > number &&
			(next == NULL || lookup->number < next->number))
			next = lookup;
	}
	return next;
}

void
lookups_list(const struct lookups *lookups, struct text *text)
{
	const struct lookup *lookup = next_running(lookups, 0);
	const char *between = "";

	for (; lookup != NULL; lookup = next_running(lookups, lookup->number)) {
		text_appendf(text, "%s%zu: \\%c ", between, lookup->number,
			lookup->search != NULL ? 'm' : 't');
		append_asked(lookup, text);
		append_search(lookup, text);
		between = "\n";
	}
}

/* The one of that number, or NULL with a fault. */
static struct lookup *
find_running(struct lookups *lookups, size_t number, struct fault *fault)
{
	size_t count = lookups_running(lookups);

	for (size_t i = 0; i < LOOKUPS_MAX; i++) {
		struct lookup *lookup = &lookups->all[i];

		if (lookup->is_running &&
			(lookup->number == number ||
				(number == 0 && count == 1)))
			return lookup;
	}
	if (count == 0)
		fault_set(fault, FAULT_USAGE, "nothing is looked for");
	else if (number == 0)
		fault_set(fault, FAULT_USAGE, "more than one is looked for");
	else
		fault_set(fault, FAULT_USAGE, "%zu is none of those that run",
			number);
	return NULL;
}

int
lookups_stop_one(struct lookups *lookups, size_t number, struct text *text,
	struct fault *fault)
{
	struct lookup *lookup = find_running(lookups, number, fault);

	if (lookup == NULL)
		return -1;
	append_asked(lookup, text);
	text_append_string(text, _(": stopped"));
	append_search(lookup, text);
	stop(lookup);
	return 0;
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

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span
trimmed(struct span text)
{
	while (text.len > 0 && is_blank(text.bytes[text.len - 1]))
		text.len--;
	return text;
}

struct span
lookup_query(struct span argument, enum lookup_share *share)
{
	struct span query = trimmed(argument);
	size_t len = query.len;

	while (len > 0 && !is_blank(query.bytes[len - 1]))
		len--;
	struct span word = { query.bytes + len, query.len - len };
	if (lookup_share_parse(word, share) < 0)
		return query;
	return trimmed((struct span){ query.bytes, len });
}
