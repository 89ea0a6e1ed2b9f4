/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_tool.h"

#include "memory.h"
#include "translate.h"

/* What is nothing in particular (protocol.md, 8.8). */
enum { NO_FILE_TYPE = 0 };

static int
report(struct tie *tie, const struct tie_subject *subject)
{
	struct tie_subject named = *subject;
	struct text payload = { 0 }, line = { 0 };
	int rc;

	named.name = tie_base_name(subject->name);
	tie_report(&named, tie->trust, NO_FILE_TYPE, tie->comment, &payload);
	rc = session_announce(tie->session, TIE_FILE_REPORT,
		(struct span){ payload.bytes, payload.len }, &tie->fault);
	if (rc == 0 && tie->json) {
		tie_json_set(subject, tie->trust, session_now().wall, &line);
		tie_print(tie, &line);
	}
	text_free(&payload);
	text_free(&line);
	return rc;
}

static bool
is_over(struct tie *tie, int64_t until)
{
	if (tie->fault.kind != FAULT_NONE)
		return true;
	if (cli_ended != 0)
		fault_set(&tie->fault, FAULT_UNAVAILABLE, "ended by a signal");
	else if (session_now().mono >= until)
		fault_set(&tie->fault,
			tie->is_up ? FAULT_TIMEOUT : FAULT_UNAVAILABLE,
			"%s: %s within %g s (-W gives it longer)",
			session_peer(tie->session),
			tie->is_up ? _("not all was sent") : _("no connection"),
			(double)tie->cli.timeout_ms / 1000);
	return tie->fault.kind != FAULT_NONE;
}

/* Of several it is told which ones were sent, if it were not all. */
static void
tell_outcomes(const struct tie *tie, size_t next)
{
	size_t sent = next > 0 && !session_is_sent(tie->session) ? next - 1
								 : next;

	for (size_t i = 0; tie->list.count > 1 && i < tie->list.count; i++)
		tie_tell(tie, &tie->list.items[i],
			i < sent           ? _("sent")
				: i < next ? _("not known whether it was sent")
					   : _("not sent"));
}

void
tie_report_all(struct tie *tie, const sigset_t *during)
{
	int64_t until = session_now().mono + tie->cli.timeout_ms;
	size_t next = 0;

	/* Each is written before the next. */
	while (!is_over(tie, until)) {
		if (!session_is_sent(tie->session)) {
			session_wait(&tie->session, 1, NULL, 0, until, during,
				&tie->fault);
			continue;
		}
		if (next == tie->list.count)
			return;
		next += report(tie, &tie->list.items[next]) == 0;
	}
	tell_outcomes(tie, next);
}
