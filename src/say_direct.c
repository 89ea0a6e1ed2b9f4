/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"
#include "memory.h"
#include "names.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

/* One person, in the room from several places perhaps, gets a message alone. */

enum {
	PLACES_MAX = 16,
	SETTLE_MS = 250, /* for answers behind the first, where nobody knows
			  * how many there are */
};

struct place {
	char inbox[ROOM_INBOX_MAX + 1];
	struct trust trust;
};

struct direct {
	struct say *say;
	struct place places[PLACES_MAX];
	size_t count;
	char *names;                      /* path of the file */
	char seen[NAMES_FINGERPRINT_MAX]; /* of the name, before; or "" */
	int64_t number;                   /* of the message */
	bool asked, arrived;
	int64_t asked_mono, until;
};

/* One with a claim takes the place of one without, when there is no other. */
static struct place *
free_place(struct direct *direct, const struct trust *trust)
{
	if (direct->count < PLACES_MAX)
		return &direct->places[direct->count++];
	for (size_t i = 0; i < PLACES_MAX && trust->is_trusted; i++)
		if (!direct->places[i].trust.is_trusted)
			return &direct->places[i];
	return NULL;
}

static void
on_deliver(void *context, const struct record *record)
{
	struct direct *direct = context;
	const struct say *say = direct->say;

	if (record->own ||
		(record->type != RECORD_HERE && record->type != RECORD_JOIN) ||
		!span_equal(record->user, span_of(say->to)))
		return;
	struct place *place = free_place(direct, &record->trust);
	if (place == NULL)
		return;
	*place = (struct place){ .trust = record->trust };
	memcpy(place->inbox, record->inbox.bytes, record->inbox.len);
}

static void
on_receipt(void *context, int64_t number, const struct trust *trust)
{
	struct direct *direct = context;

	/* Of nobody else. */
	if (number == direct->number && direct->count > 0 &&
		strcmp(trust->fingerprint,
			direct->places[0].trust.fingerprint) == 0)
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

/* The certificate that the name was seen with before, if it was. */
static int
find_seen(struct direct *direct)
{
	struct say *say = direct->say;
	int rc = -1;

	direct->names = names_path(&say->conf, &say->fault);
	if (direct->names != NULL)
		rc = names_find(direct->names, say->to, direct->seen,
			&say->fault);
	return rc < 0 ? -1 : 0;
}

/* It has proved to be there: from now on the name is its own. */
static void
remember(struct direct *direct)
{
	struct say *say = direct->say;
	struct text line = { 0 };
	struct fault fault = { 0 };

	if (direct->seen[0] != '\0')
		return;
	text_appendf(&line, "%s %s\n", direct->places[0].trust.fingerprint,
		say->to);
	if (names_merge(direct->names, (struct span){ line.bytes, line.len },
		    &fault) < 0)
		cli_trace(&say->cli, "%s", fault.text);
	text_free(&line);
}

static int
open_session(struct direct *direct)
{
	struct say *say = direct->say;
	const struct session_calls calls = {
		.context = direct,
		.deliver = on_deliver,
		.link = on_link,
		.changed = on_changed,
		.trouble = on_trouble,
		.receipt = on_receipt,
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
	if (config.room == NULL || find_seen(direct) < 0)
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

/* Is it the one whose name was known before, or, if none was, may it be? */
static bool
is_choice(const struct direct *direct, const struct trust *trust)
{
	return direct->seen[0] != '\0' ? trust->mark == TRUST_GOOD &&
			strcmp(trust->fingerprint, direct->seen) == 0
				       : trust->is_trusted;
}

/* Others under its name are not to keep one from having its messages, unless
 * they have as good a claim to it. */
static void
keep_choice(struct direct *direct)
{
	size_t kept = 0;

	for (size_t i = 0; i < direct->count; i++)
		if (is_choice(direct, &direct->places[i].trust))
			direct->places[kept++] = direct->places[i];
	if (kept > 0)
		direct->count = kept;
}

/* All have to be one person, whose name is its own. */
static int
check_places(struct direct *direct)
{
	struct say *say = direct->say;
	const struct trust *first = &direct->places[0].trust;

	if (direct->count == 0)
		return fault_set(&say->fault, FAULT_UNAVAILABLE,
			"%s is not in the room, and nothing is kept "
			"(qchat-who -r %s tells who is)",
			say->to, member_room(session_member(say->session, 0)));
	for (size_t i = 0; i < direct->count; i++) {
		const struct trust *trust = &direct->places[i].trust;

		if (trust->fingerprint[0] == '\0')
			return fault_set(&say->fault, FAULT_NOPERM,
				"%s is here without a signature, so that "
				"nothing can be sealed to it",
				say->to);
		if (strcmp(trust->fingerprint, first->fingerprint) != 0)
			return fault_set(&say->fault, FAULT_NOPERM,
				"%s is here with two certificates, %s and %s "
				"(qchat-who --pin says which one it is)",
				say->to, first->fingerprint,
				trust->fingerprint);
		if (trust->mark != TRUST_GOOD)
			return fault_set(&say->fault, FAULT_NOPERM,
				"%s has the certificate %s: %s%s%s", say->to,
				trust->fingerprint,
				trust->why != NULL ? trust->why : "not trusted",
				trust->pinned[0] != '\0' ? ", " : "",
				trust->pinned);
	}
	return 0;
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

	struct member_place places[PLACES_MAX];

	for (size_t i = 0; i < direct->count; i++)
		places[i] = (struct member_place){ direct->places[i].inbox,
			direct->places[i].trust.x25519 };
	direct->number = member_say_to(session_member(say->session, 0), &post,
		places, direct->count, session_now(), &say->input_fault);
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
	keep_choice(direct);
	if (say->fault.kind == FAULT_NONE && check_places(direct) == 0 &&
		!say->dry_run && send_all(direct, text) == 0)
		await_receipt(direct);
	if (direct->arrived)
		remember(direct);
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
	free(direct->names);
	free(direct);
}
