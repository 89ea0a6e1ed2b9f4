/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"
#include "say.h"
#include "translate.h"

#include <poll.h>
#include <unistd.h>

static void
wait_for_input(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	if (ppoll(&input, 1, NULL, &say->during) > 0)
		source_read(&say->source, &say->input_fault);
}

/* Keeps what waits, and what is still to be read. */
static int
keep_all(struct say *say, struct queue *queue, size_t *kept,
	struct fault *fault)
{
	struct member *member = session_member(say->session, 0);

	for (;;) {
		if (queue_keep(queue, member, session_user(say->session),
			    &say->during, kept, fault) < 0)
			return -1;
		/* What was read already, even if a signal ends the reading. */
		say_post_all(say);
		if (member_unproved(member) > 0)
			continue;
		if (source_is_empty(&say->source) ||
			say->input_fault.kind != FAULT_NONE || cli_ended != 0)
			return 0;
		if (source_is_open(&say->source))
			wait_for_input(say);
	}
}

bool
say_is_after_outage(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);

	say->after_outage = !say->no_spool && !say->unconfirmed &&
		queue_had_outage(queue);
	queue_free(queue);
	if (say->after_outage)
		cli_trace(&say->cli,
			"the fabric was out of reach: waiting for others "
			"who may not be back yet");
	return say->after_outage;
}

void
say_end_outage(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);

	queue_end_outage(queue);
	queue_free(queue);
}

void
say_keep(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);
	struct fault why = say->fault, fault = { 0 };
	size_t kept = 0;

	queue_note_outage(queue);
	int rc = keep_all(say, queue, &kept, &fault);
	if (rc < 0 && kept == 0)
		fault_set(&say->fault, fault.kind,
			"%s; it is lost, as the spool cannot keep it: %s",
			why.text, fault.text);
	else if (rc < 0)
		fault_set(&say->fault, fault.kind,
			ngettext("%s; %zu message is kept in the spool, the "
				 "others are lost: %s",
				"%s; %zu messages are kept in the spool, the "
				"others are lost: %s",
				kept),
			why.text, kept, fault.text);
	else if (kept > 0)
		fault_set(&say->fault, FAULT_TEMPFAIL,
			ngettext("%s; %zu message is kept in the spool "
				 "(qchat-say --flush sends what waits)",
				"%s; %zu messages are kept in the spool "
				"(qchat-say --flush sends what waits)",
				kept),
			why.text, kept);
	else if (say->proved > 0 && say->proved == say->last &&
		source_is_empty(&say->source))
		/* All was proved before the connection was lost. */
		say->fault.kind = FAULT_NONE;
	queue_free(queue);
}

bool
say_is_to_be_kept(const struct say *say)
{
	return say->fault.kind == FAULT_UNAVAILABLE &&
		say->fault.term != FAULT_LASTING && !say->no_spool &&
		cli_ended != SIGINT;
}

void
say_flush_others(struct say *say)
{
	struct queue *queue = queue_open(&say->conf);
	struct fault fault = { 0 };

	switch (queue_flush(queue, &say->cli, QUEUE_FRESH, &say->during,
		&fault)) {
	case QUEUE_FLUSH_FAILED:
		cli_say(&say->cli, "%s", fault.text);
		break;
	case QUEUE_FLUSH_BUSY:
	case QUEUE_FLUSH_ELSEWHERE:
		cli_trace(&say->cli, "%s", fault.text);
		break;
	case QUEUE_FLUSH_DONE:
		break;
	}
	queue_free(queue);
}

void
say_flush(struct say *say)
{
	struct queue *queue;

	if (cli_conf(&say->cli, &say->conf, &say->fault) < 0)
		return;
	cli_catch_signals(&say->during);
	queue = queue_open(&say->conf);
	queue_flush(queue, &say->cli, QUEUE_ALL, &say->during, &say->fault);
	queue_free(queue);
}

void
say_list_queue(struct say *say)
{
	struct fault fault = { 0 };
	bool is_known = cli_conf(&say->cli, &say->conf, &fault) == 0;
	struct queue *queue = queue_open(is_known ? &say->conf : NULL);

	if (!is_known)
		cli_trace(&say->cli, "%s", fault.text);
	queue_list(queue, &say->cli, say->json, &say->fault);
	queue_free(queue);
}
