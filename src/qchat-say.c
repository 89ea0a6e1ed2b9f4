/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

/* Sends nothing: what would be sent is shown. */
static void
rehearse(struct say *say)
{
	struct member *member = session_member(say->session, 0);

	while (say->input_fault.kind == FAULT_NONE &&
		!source_is_empty(&say->source)) {
		if (source_is_open(&say->source))
			source_read(&say->source, &say->input_fault);
		say_post_all(say);
		member_show_unproved(member, session_now());
		member_drop_unproved(member);
		say_print_output(say);
	}
	member_show_unproved(member, session_now());
	say_print_output(say);
}

static void
say_all(struct say *say)
{
	if (say->queue || say->flush) {
		if (say->queue)
			say_list_queue(say);
		else
			say_flush(say);
		return;
	}
	if (say->to != NULL) {
		say_direct(say);
		return;
	}
	if (say_set_up(say) < 0)
		return;
	if (!say->source.by_lines)
		say_post_whole(say);
	if (say->source.by_lines || say->said) {
		if (say->dry_run)
			rehearse(say);
		else
			say_run(say);
	}
	if (say_is_to_be_kept(say))
		say_keep(say);
	else if (say->said && !say->dry_run && !say->no_spool &&
		!say->stopped && say->fault.kind == FAULT_NONE) {
		if (say->after_outage)
			say_end_outage(say);
		say_flush_others(say);
	}
	if (!say->said && !say->source.skip_empty && !say->stopped &&
		say->input_fault.kind == FAULT_NONE &&
		say->fault.kind == FAULT_NONE)
		fault_set(&say->fault, FAULT_NOINPUT,
			"there is nothing to "
			"say (--skip-empty makes that no error)");
}

/* With --quiet the status alone tells. */
static int
end_status(const struct say *say)
{
	const struct fault *faults[] = { &say->fault, &say->input_fault };
	int status = 0;

	for (size_t i = 0; i < 2; i++) {
		if (faults[i]->kind == FAULT_NONE)
			continue;
		if (!say->cli.quiet)
			cli_fail(&say->cli, faults[i]);
		if (status == 0)
			status = (int)faults[i]->kind;
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct say say = { .down_mono = INT64_MAX, .progress_mono = INT64_MAX };
	int status;

	cli_init(&say.cli, &say_tool);
	say.cli.source.stopped_too = true;
	status = say_parse_args(&say, argc, argv);
	if (status == 0) {
		say_all(&say);
		if ((say.json || say.queue) && say.fault.kind == FAULT_NONE)
			cli_output_close(&say.fault);
		status = end_status(&say);
	}
	session_free(say.session);
	conf_free(&say.conf);
	source_free(&say.source);
	text_free(&say.output);
	cli_free(&say.cli);
	return status;
}
