/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"
#include "memory.h"
#include "say.h"
#include "translate.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	FLAPPING_TIMES = 4, /* of the timeout, without any proof */
	PROGRESS_FIRST_MS = 2000,
	PROGRESS_MS = 500,
};

static bool
is_done(const struct say *say)
{
	struct member *member = session_member(say->session, 0);
	bool input_left = say->input_fault.kind == FAULT_NONE &&
		!source_is_empty(&say->source);

	if (say->fault.kind != FAULT_NONE)
		return true;
	if (input_left && !say->stopped)
		return false;
	member_finish(member, session_now());
	return say->stopped || member_is_finished(member, session_now());
}

/* Connected again and again, and never for long enough: some brokers end the
 * connection of who may not write. */
static int64_t
flapping_deadline(const struct say *say)
{
	if (!say->lost || member_unproved(session_member(say->session, 0)) == 0)
		return INT64_MAX;
	return say->proved_mono + FLAPPING_TIMES * say->cli.timeout_ms;
}

static void
check_flapping(struct say *say)
{
	if (say->fault.kind != FAULT_NONE ||
		session_now().mono < flapping_deadline(say))
		return;
	fault_set(&say->fault, FAULT_UNAVAILABLE,
		"%s: each connection was lost before the proof of message "
		"%lld; the broker may not let this certificate write there "
		"(its log tells)",
		session_peer(say->session), (long long)say->proved + 1);
}

static void
check_time(struct say *say)
{
	check_flapping(say);
	if (say->fault.kind != FAULT_NONE || say->down_mono == INT64_MAX ||
		session_now().mono - say->down_mono < say->cli.timeout_ms)
		return;
	fault_set(&say->fault, FAULT_UNAVAILABLE,
		"%s: no connection within %g s (-W gives it longer)",
		session_peer(say->session), (double)say->cli.timeout_ms / 1000);
}

/* A long job on a terminal says how far it is. */
static void
show_progress(struct say *say)
{
	if (session_now().mono < say->progress_mono)
		return;
	say->progress_mono = session_now().mono + PROGRESS_MS;
	say->progress_shown = true;
	char *words = memory_format(
		_("%lld lines delivered, %lld on their way"),
		(long long)say->proved, (long long)(say->last - say->proved));
	fprintf(stderr, "\r%s: %s\033[K", say->cli.tool->name, words);
	free(words);
}

static void
end_progress(struct say *say)
{
	if (say->progress_shown)
		fputs("\r\033[K", stderr);
}

static int64_t
next_wake(const struct say *say)
{
	int64_t until = say->down_mono == INT64_MAX
		? flapping_deadline(say)
		: say->down_mono + say->cli.timeout_ms;

	return say->progress_mono < until ? say->progress_mono : until;
}

/* A signal ends it at once.  If all that could be read is proved, nothing is
 * amiss. */
static void
stop(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	if (say_wants_input(say) && poll(&input, 1, 0) > 0) {
		source_read(&say->source, &say->input_fault);
		say_post_all(say);
	}
	if (member_unproved(session_member(say->session, 0)) == 0 &&
		!source_is_left(&say->source))
		say->stopped = true;
	else
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"interrupted: what was not proved may not be "
			"delivered");
}

static void
step(struct say *say)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
	size_t count = say_wants_input(say) ? 1 : 0;

	if (session_wait(&say->session, 1, &input, count, next_wake(say),
		    &say->during, &say->fault) < 0)
		return;
	if (count > 0 && input.revents != 0)
		source_read(&say->source, &say->input_fault);
	say_post_all(say);
	check_time(say);
	say_print_output(say);
	show_progress(say);
	if (cli_ended != 0 && say->fault.kind == FAULT_NONE)
		stop(say);
}

void
say_run(struct say *say)
{
	cli_catch_signals(&say->during);
	/* Another program may have its port by now. */
	if (say->conf.stopped) {
		fault_set(&say->fault, FAULT_UNAVAILABLE, CONF_STOPPED);
		return;
	}
	say->down_mono = session_now().mono;
	if (say->source.by_lines && !say->cli.quiet && isatty(STDERR_FILENO))
		say->progress_mono = say->down_mono + PROGRESS_FIRST_MS;
	while (!is_done(say))
		step(say);
	end_progress(say);
	session_close(&say->session, 1);
	counts_trace(&say->cli, say->session);
}
