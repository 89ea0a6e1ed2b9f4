/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_tool.h"

#include "tie_show.h"

#include <poll.h>
#include <unistd.h>

static const char *
topic_of(const struct tie *tie)
{
	return tie->certificates ? TIE_CERT_CHANGE : TIE_FILE_CHANGE;
}

/* Without a list, all of them. */
static bool
is_wanted(const struct tie *tie, const struct tie_subject *subject)
{
	for (size_t i = 0; i < tie->list.count; i++)
		if (tie_subject_is(&tie->list.items[i], subject))
			return true;
	return tie->list.count == 0;
}

static void
print_change(struct tie *tie, const struct tie_change *change)
{
	struct text line = { 0 };

	if (tie->json) {
		tie_json_change(change, session_now().wall, &line);
		tie_print(tie, &line);
		text_free(&line);
		return;
	}
	/* Nobody waits for a widest row that may never come. */
	if (!tie->is_headed && !tie->cli.quiet)
		tie_show_change_header(&tie->columns);
	tie->is_headed = true;
	tie_show_change(change, &tie->columns);
	tie_print_rows(tie);
}

void
tie_hear(struct tie *tie, struct span topic, struct span payload)
{
	struct tie_change change;
	struct fault fault = { 0 };

	if (!span_equal(topic, span_of(topic_of(tie))))
		return;
	if (tie_parse_change(&change, tie->certificates, payload, &fault) < 0) {
		cli_trace(&tie->cli, "ignored: %s", fault.text);
		return;
	}
	if (is_wanted(tie, &change.subject) &&
		(tie->most == 0 || tie->printed < tie->most)) {
		print_change(tie, &change);
		tie->printed++;
	}
	tie_change_free(&change);
}

void
tie_follow(struct tie *tie, const sigset_t *during)
{
	int64_t until = tie->cli.timeout_ms > 0
		? session_now().mono + tie->cli.timeout_ms
		: INT64_MAX;

	session_subscribe(tie->session, topic_of(tie));
	while (tie->fault.kind == FAULT_NONE && cli_ended == 0 &&
		!tie->reader_gone &&
		(tie->most == 0 || tie->printed < tie->most)) {
		/* No events: POLLERR tells that a pipe's reader has gone. */
		struct pollfd out = { STDOUT_FILENO, 0, 0 };

		if (session_wait(&tie->session, 1, &out, 1, until, during,
			    &tie->fault) < 0)
			break;
		if ((out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
			tie->reader_gone = true;
		if (session_now().mono >= until &&
			tie->fault.kind == FAULT_NONE)
			fault_set(&tie->fault, FAULT_TIMEOUT,
				"%g s are over, %lld changes came (-W)",
				(double)tie->cli.timeout_ms / 1000,
				(long long)tie->printed);
	}
}
