/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include "translate.h"

enum {
	WINDOW = 256, /* posts of a stream that wait for their proof, … */
	WINDOW_BYTES = 4 * 1024 * 1024, /* … and what they may hold */
};

/* Says one post.  0, or -1 with the input's fault. */
static int
post(struct say *say, struct span text, int64_t lines)
{
	const struct member_post post = {
		.text = text,
		.lines = lines > 1 ? lines : -1,
		.severity = say->severity,
		.title = say->title,
		.tags = say->tags,
		.tag_count = say->tag_count,
	};

	struct fault fault = { 0 };

	int64_t number = session_say(say->session, &post, &fault);
	if (number >= 0) {
		if (say->last == say->proved)
			say->proved_mono = session_now().mono;
		say->said = true;
		say->last = number + lines - 1;
		return 0;
	}
	if (!say->source.by_lines) {
		say->input_fault = fault;
		return -1;
	}
	return fault_set(&say->input_fault, fault.kind, "line %lld: %s",
		(long long)say->source.line, fault.text);
}

static bool
has_room(const struct say *say)
{
	const struct member *member = session_member(say->session, 0);

	return member_unproved(member) < WINDOW &&
		member_unproved_bytes(member) < WINDOW_BYTES;
}

void
say_post_all(struct say *say)
{
	struct span text;
	int64_t lines;

	while (say->input_fault.kind == FAULT_NONE && has_room(say)) {
		/* A fault with a post is about what stands behind it. */
		if (source_take(&say->source, &text, &lines,
			    &say->input_fault) <= 0 ||
			post(say, text, lines) < 0)
			return;
	}
}

void
say_post_whole(struct say *say)
{
	while (say->input_fault.kind == FAULT_NONE &&
		source_is_open(&say->source)) {
		source_read(&say->source, &say->input_fault);
		say_post_all(say);
	}
	say_post_all(say);
}

bool
say_wants_input(const struct say *say)
{
	return source_is_open(&say->source) &&
		say->input_fault.kind == FAULT_NONE && has_room(say);
}

void
say_print_output(struct say *say)
{
	struct fault fault = { 0 };

	if (cli_output((struct span){ say->output.bytes, say->output.len },
		    &fault) < 0 &&
		say->fault.kind == FAULT_NONE)
		say->fault = fault;
	text_clear(&say->output);
}

static void
on_deliver(void *context, const struct record *record)
{
	struct say *say = context;

	if (record->own && say->json)
		record_json(record, &say->output);
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	struct say *say = context;

	say->proved += last - first + 1;
	say->proved_mono = session_now().mono;
	say->lost = false;
	if (say->unconfirmed)
		return;
	if (first == last)
		cli_trace(&say->cli, "%lld: proved by its echo",
			(long long)first);
	else
		cli_trace(&say->cli, "%lld to %lld: proved by their echo",
			(long long)first, (long long)last);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct say *say = context;

	(void)last;
	(void)text;
	if (say->fault.kind != FAULT_NONE)
		return;
	if (say->unconfirmed) {
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s: message %lld is not acknowledged within %g s",
			session_peer(say->session), (long long)first,
			(double)say->cli.timeout_ms / 1000);
		return;
	}
	/* It was permitted a while ago: the fabric is what fails. */
	if (say->source.by_lines && say->proved > 0) {
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s: no proof of message %lld and what follows within "
			"%g s",
			session_peer(say->session), (long long)first,
			(double)say->cli.timeout_ms / 1000);
		return;
	}
	fault_set(&say->fault, FAULT_NOPERM,
		"%s: no echo of message %lld "
		"within %g s: the fabric may not let this certificate write "
		"to, or read, \"%s\" (its operator can)",
		session_peer(say->session), (long long)first,
		(double)say->cli.timeout_ms / 1000,
		member_room(session_member(say->session, 0)));
}

/* The only broker is lost, before the proof.  Who listens has lost it, too, and
 * would not hear what is said as soon as it is back.  (What a broker forbids,
 * or a connection that we end for want of an echo, is another matter.) */
static bool
is_to_be_spooled(const struct say *say, const struct fault *why)
{
	return !say->source.by_lines && !say->no_spool &&
		say->conf.broker_count == 1 && why->kind == FAULT_UNAVAILABLE &&
		member_unproved(session_member(say->session, 0)) > 0;
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct say *say = context;

	if (link == SESSION_UP) {
		say->down_mono = INT64_MAX;
		cli_trace(&say->cli, "connected to %s",
			session_peer(say->session));
		return;
	}
	if (say->down_mono == INT64_MAX)
		say->down_mono = session_now().mono;
	/* One that we end for want of an echo is not. */
	if (why->kind == FAULT_UNAVAILABLE)
		say->lost = true;
	if (link != SESSION_CONNECTING)
		cli_trace(&say->cli, "%s", why->text);
	if (say->fault.kind == FAULT_NONE &&
		(link == SESSION_CONNECTING || is_to_be_spooled(say, why)))
		say->fault = *why;
}

static void
on_ignored(void *context, const char *why)
{
	struct say *say = context;

	cli_trace(&say->cli, "ignored %s", translate(why));
}

int
say_set_up(struct say *say)
{
	const struct session_calls calls = {
		.context = say,
		.deliver = on_deliver,
		.proved = on_proved,
		.unproved = on_unproved,
		.link = on_link,
		.ignored = on_ignored,
	};
	struct session_config config = {
		.app = say->cli.tool->name,
		.once = !say->source.by_lines,
		.stream = say->source.by_lines,
		.show_own = say->json,
		.unconfirmed = say->unconfirmed,
		.proof_ms = say->cli.timeout_ms,
	};

	if (cli_conf(&say->cli, &say->conf, &say->fault) < 0)
		return -1;
	config.room = cli_room(&say->cli, &say->conf, &say->fault);
	if (config.room == NULL)
		return -1;
	/* Who stays until others are back is a stream. */
	if (say_is_after_outage(say)) {
		config.after_outage = config.stream = true;
		config.once = false;
	}
	say->session = session_open(&say->conf, &config, &calls, &say->fault);
	return say->session != NULL ? 0 : -1;
}
