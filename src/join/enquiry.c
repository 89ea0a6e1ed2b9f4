/* SPDX-License-Identifier: Apache-2.0 */
#include "enquiry.h"

#include "command.h"
#include "listeners.h"
#include "lookup.h"
#include "memory.h"
#include "report.h"
#include "translate.h"
#include "window.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	COUNT_MS = 2000, /* for all brokers to count who hears the room */
};

struct result {
	enum lookup_share share;
	char *text;
	char *shared; /* for the room */
};

struct enquiry {
	struct window *window;
	struct lookups *lookups;
	/* What a step of the session found, until the next tick. */
	struct result found[LOOKUPS_MAX];
	size_t found_count;
	struct listeners *listeners; /* while they are counted */
};

static int64_t
on_request(void *context, const struct request *request, struct fault *fault)
{
	struct enquiry *enquiry = context;

	return session_request(enquiry->window->session, request, fault);
}

static void
on_drop(void *context, int64_t number)
{
	struct enquiry *enquiry = context;

	session_drop(enquiry->window->session, number);
}

/* Nothing may be said from here. */
static void
on_found(void *context, const struct lookup_result *result)
{
	struct enquiry *enquiry = context;
	struct result *found = &enquiry->found[enquiry->found_count++];

	found->share = result->is_found ? result->share : LOOKUP_NO;
	found->text = memory_copy(result->text.bytes, result->text.len);
	found->shared = memory_copy(result->shared.bytes, result->shared.len);
}

struct enquiry *
enquiry_new(struct window *window)
{
	struct enquiry *enquiry = memory_alloc(1, sizeof(*enquiry));
	const struct lookup_calls calls = { enquiry, on_request, on_drop,
		on_found };

	enquiry->window = window;
	enquiry->lookups = lookups_new(&calls);
	return enquiry;
}

void
enquiry_free(struct enquiry *enquiry)
{
	if (enquiry == NULL)
		return;
	lookups_free(enquiry->lookups);
	listeners_free(enquiry->listeners);
	for (size_t i = 0; i < enquiry->found_count; i++) {
		free(enquiry->found[i].text);
		free(enquiry->found[i].shared);
	}
	free(enquiry);
}

/* What has ended has its place among the found ones until the next tick. */
static int
check_room(const struct enquiry *enquiry, struct fault *fault)
{
	if (enquiry->found_count + lookups_running(enquiry->lookups) <
		LOOKUPS_MAX)
		return 0;
	return fault_set(fault, FAULT_UNAVAILABLE,
		"%d look-ups run, and no more can (wait for one, or \\stop it)",
		LOOKUPS_MAX);
}

int
enquiry_hash(struct enquiry *enquiry, struct span argument, struct fault *fault)
{
	struct span rest = argument;
	struct span hash = command_word(&rest);
	enum lookup_share share;

	if (lookup_share_parse(rest, &share) < 0)
		return fault_set(fault, FAULT_USAGE,
			"\\t: behind the hash there is yes, no, or nothing");
	if (check_room(enquiry, fault) < 0)
		return -1;
	return lookups_hash(enquiry->lookups, hash, share, fault);
}

int
enquiry_search(struct enquiry *enquiry, struct span argument,
	struct fault *fault)
{
	enum lookup_share share;
	struct span query = lookup_query(argument, &share);

	if (check_room(enquiry, fault) < 0)
		return -1;
	return lookups_search(enquiry->lookups, query, share,
		session_now().mono, fault);
}

/* 0: there is none; -1: it is no number. */
static int
number_of(struct span argument)
{
	int number = 0;

	if (argument.len > 0 && *argument.bytes == '0')
		return -1;
	for (size_t i = 0; i < argument.len; i++) {
		char c = argument.bytes[i];

		if (c < '0' || c > '9' || number >= INT_MAX / 10)
			return -1;
		number = 10 * number + c - '0';
	}
	return number;
}

int
enquiry_stop(struct enquiry *enquiry, struct span argument, struct text *text,
	struct fault *fault)
{
	int number = number_of(argument);

	if (number < 0)
		return fault_set(fault, FAULT_USAGE,
			"\\stop: behind it there is a number of its list, or "
			"nothing");
	if (number > 0 || lookups_running(enquiry->lookups) < 2)
		return lookups_stop_one(enquiry->lookups, (size_t)number, text,
			fault);
	lookups_list(enquiry->lookups, text);
	text_append_string(text, _("\n\\stop N stops one of them"));
	return 0;
}

bool
enquiry_can_count(const struct enquiry *enquiry)
{
	const struct window *window = enquiry->window;

	return window->chat->conf.fabric == CONF_DXL &&
		session_link(window->session) == SESSION_UP;
}

/* What is being counted is for who asks in between, too. */
int
enquiry_count(struct enquiry *enquiry, struct fault *fault)
{
	struct session *session = enquiry->window->session;

	if (enquiry->listeners == NULL)
		enquiry->listeners = listeners_ask(session,
			session_member(session, 0), COUNT_MS, fault);
	return enquiry->listeners != NULL ? 0 : -1;
}

static void
tell_listeners(struct enquiry *enquiry)
{
	const struct member *member = session_member(enquiry->window->session,
		0);
	struct subs_sum sum = listeners_sum(enquiry->listeners);
	struct text text = { 0 }, doubt = { 0 };

	text_append_string(&doubt, "");
	listeners_append_doubt(enquiry->listeners, "", &doubt);
	report_listeners(&text, member, &sum, doubt.bytes);
	listeners_free(enquiry->listeners);
	enquiry->listeners = NULL;
	window_notice(enquiry->window, text.bytes);
	text_free(&doubt);
	text_free(&text);
}

static bool
has_counted(const struct enquiry *enquiry)
{
	return enquiry->listeners != NULL &&
		listeners_is_done(enquiry->listeners);
}

static void
post(struct enquiry *enquiry, const char *text)
{
	const struct member_post said = { .text = span_of(text), .lines = -1 };

	window_post(enquiry->window, &said);
}

/* What goes to the room stands there, and needs no line of ours. */
static void
settle(struct enquiry *enquiry, struct result *result)
{
	struct window *window = enquiry->window;

	if (result->share == LOOKUP_YES && !window_is_exposed(window)) {
		post(enquiry, result->shared);
	} else {
		window_notice(window, result->text);
		if (result->share != LOOKUP_NO)
			questions_offer(window->questions, result->shared);
	}
	free(result->text);
	free(result->shared);
}

void
enquiry_progress(const struct enquiry *enquiry, bool brief, struct text *text)
{
	lookups_progress(enquiry->lookups, brief, text);
}

size_t
enquiry_running(const struct enquiry *enquiry)
{
	return lookups_running(enquiry->lookups);
}

int64_t
enquiry_deadline(const struct enquiry *enquiry)
{
	return enquiry->found_count > 0 || has_counted(enquiry)
		? 0
		: lookups_deadline(enquiry->lookups);
}

void
enquiry_tick(struct enquiry *enquiry, int64_t mono)
{
	lookups_tick(enquiry->lookups, mono);
	for (size_t i = 0; i < enquiry->found_count; i++)
		settle(enquiry, &enquiry->found[i]);
	enquiry->found_count = 0;
	if (has_counted(enquiry))
		tell_listeners(enquiry);
}
