/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"
#include "memory.h"
#include "places.h"
#include "say.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>

/* One person, in the room from several places perhaps, gets a message alone. */

enum {
	SETTLE_MS = 250, /* for answers behind the first, where nobody knows
			  * how many there are */
};

struct direct {
	struct say *say;
	struct places places;
	int64_t number; /* of the message */
	bool asked, arrived;
	int64_t asked_mono, until;
	int64_t off; /* our clock, in ms; 0: nothing speaks against it */
};

static void
on_receipt(void *context, int64_t number, const struct trust *trust)
{
	struct direct *direct = context;

	/* Of nobody else. */
	if (number == direct->number &&
		strcmp(trust->fingerprint, direct->places.fingerprint) == 0)
		direct->arrived = true;
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct direct *direct = context;

	if (link != SESSION_UP && direct->say->fault.kind == FAULT_NONE)
		direct->say->fault = *why;
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct direct *direct = context;

	cli_warn_changed(&direct->say->cli, user, seen, fingerprint);
}

static void
on_trouble(void *context, const char *what)
{
	struct direct *direct = context;

	cli_warn(&direct->say->cli, "%s", what);
}

static void
on_clock(void *context, int64_t off)
{
	struct direct *direct = context;

	direct->off = off;
}

static int
open_session(struct direct *direct)
{
	struct say *say = direct->say;
	const struct session_calls calls = {
		.context = direct,
		.link = on_link,
		.changed = on_changed,
		.trouble = on_trouble,
		.receipt = on_receipt,
		.clock = on_clock,
	};
	struct session_config config = {
		.app = say->cli.tool->name,
		.proof_ms = say->cli.timeout_ms,
		/* Who answers first is not to have the name by that. */
		.forgets_names = true,
	};

	if (cli_conf(&say->cli, &say->conf, &say->fault) < 0)
		return -1;
	config.room = cli_room(&say->cli, &say->conf, &say->fault);
	if (config.room == NULL)
		return -1;
	say->session = session_open(&say->conf, &config, &calls, &say->fault);
	return say->session != NULL ? 0 : -1;
}

/* Have all answered of whom anybody knew? */
static bool
is_complete(const struct direct *direct)
{
	const struct member *member = session_member(direct->say->session, 0);
	int64_t known = member_known(member);

	return direct->asked && known > 0 &&
		(int64_t)roster_count(member_roster(member)) >= known &&
		session_now().mono >= direct->asked_mono + SETTLE_MS;
}

static bool
is_over(const struct direct *direct)
{
	return direct->say->fault.kind != FAULT_NONE || cli_ended != 0 ||
		session_now().mono >= direct->until;
}

static void
wait_some(struct direct *direct, int64_t until)
{
	struct say *say = direct->say;

	session_wait(&say->session, 1, NULL, 0,
		until < direct->until ? until : direct->until, &say->during,
		&say->fault);
}

static void
find_all(struct direct *direct)
{
	struct say *say = direct->say;

	while (!is_over(direct) && !is_complete(direct)) {
		int64_t settled = direct->asked_mono + SETTLE_MS;

		wait_some(direct,
			direct->asked && session_now().mono < settled
				? settled
				: direct->until);
		if (session_link(say->session) != SESSION_UP || direct->asked)
			continue;
		direct->asked = true;
		direct->asked_mono = session_now().mono;
		session_ask(say->session, say->cli.timeout_ms / 4);
		direct->until = direct->asked_mono + say->cli.timeout_ms / 2;
	}
}

/* By a clock that is wrong nobody is found whose clock is right. */
static void
tell_clock(struct direct *direct)
{
	struct say *say = direct->say;

	if (direct->off == 0)
		return;
	if (say->fault.kind == FAULT_UNAVAILABLE)
		cli_clock_fault(direct->off, &say->fault);
	else
		cli_warn_clock(&say->cli, direct->off);
}

/* All places of one person, whose name is its own. */
static int
find_places(struct direct *direct)
{
	struct say *say = direct->say;
	const struct member *member = session_member(say->session, 0);
	struct text who = { 0 };

	text_appendf(&who, _("qchat-who -r %s tells who is"),
		member_room(member));
	const struct places_help help = { .who = who.bytes,
		.pin = "qchat-who --pin" };
	int rc = places_find(&direct->places, member, say->to, &say->conf,
		&help, &say->fault);
	text_free(&who);
	tell_clock(direct);
	return rc;
}

/* The one message, from the arguments or standard input. */
static int
take_text(struct say *say, struct span *text)
{
	int64_t lines;

	while (source_is_open(&say->source))
		if (source_read(&say->source, &say->input_fault) < 0)
			return -1;
	int rc = source_take(&say->source, text, &lines, &say->input_fault);
	if (rc != 0)
		return rc;
	if (say->source.skip_empty)
		return 0;
	fault_set(&say->input_fault, FAULT_NOINPUT,
		"there is nothing to say (--skip-empty makes that no error)");
	return -1;
}

static int
send_all(struct direct *direct, struct span text)
{
	struct say *say = direct->say;
	const struct member_post post = {
		.text = text,
		.lines = -1,
		.severity = say->severity,
		.title = say->title,
		.tags = say->tags,
		.tag_count = say->tag_count,
	};

	direct->number = member_say_to(session_member(say->session, 0), &post,
		0, direct->places.at, direct->places.count, session_now(),
		&say->input_fault);
	return direct->number < 0 ? -1 : 0;
}

static void
await_receipt(struct direct *direct)
{
	struct say *say = direct->say;

	direct->until = session_now().mono + say->cli.timeout_ms;
	while (!is_over(direct) && !direct->arrived)
		wait_some(direct, INT64_MAX);
	if (say->fault.kind == FAULT_NONE && !direct->arrived)
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"no receipt from %s within %g s: it may not have "
			"arrived, and nothing is kept",
			say->to, (double)say->cli.timeout_ms / 1000);
}

static void
send_and_wait(struct direct *direct, struct span text)
{
	struct say *say = direct->say;
	struct fault fault = { 0 };

	cli_catch_signals(&say->during);
	direct->until = session_now().mono + say->cli.timeout_ms;
	find_all(direct);
	if (say->fault.kind != FAULT_NONE)
		return;
	if (!direct->asked)
		fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s: no connection within %g s (-W gives it longer)",
			session_peer(say->session),
			(double)say->cli.timeout_ms / 1000);
	if (say->fault.kind == FAULT_NONE && find_places(direct) == 0 &&
		!say->dry_run && send_all(direct, text) == 0)
		await_receipt(direct);
	if (direct->arrived &&
		places_remember(&direct->places, &say->conf, &fault) < 0)
		cli_trace(&say->cli, "%s", fault.text);
}

void
say_direct(struct say *say)
{
	struct direct *direct = memory_alloc(1, sizeof(*direct));
	struct span text;

	direct->say = say;
	if (take_text(say, &text) == 1 && open_session(direct) == 0) {
		say->said = true;
		send_and_wait(direct, text);
		session_close(&say->session, 1);
		counts_trace(&say->cli, say->session);
	}
	/* The session calls back with it. */
	session_free(say->session);
	say->session = NULL;
	free(direct);
}
