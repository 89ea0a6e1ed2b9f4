/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "counts.h"
#include "known.h"
#include "listeners.h"
#include "memory.h"
#include "names.h"
#include "pin.h"
#include "session.h"
#include "translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_JSON = 300,
	OPTION_PIN,
	OPTION_UNPIN,
	OPTION_KNOWN,

	TIMEOUT_MS = 5000, /* to connect, without -W */
	COLLECT_MS = 2000, /* without -w */
	SETTLE_MS = 250,   /* behind the question, before an early end */
};

static const struct cli_option options[] = {
	{ "all", 'a', NULL, "every room that can be found" },
	{ "details", 'd', NULL, "print what is known of the room too" },
	{ "wait", 'w', "SECONDS", "how long to collect answers (2)" },
	{ "json", OPTION_JSON, NULL, "print JSON lines" },
	{ "quiet", 'q', NULL, "print names only" },
	{ "pin", OPTION_PIN, "NAME",
		"from now on NAME is who is here under it" },
	{ "unpin", OPTION_UNPIN, "NAME", "forget the certificate of NAME" },
	{ "known", OPTION_KNOWN, "rooms|names",
		"print those that are known here; ask nobody" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-who",
	.synopsis = "[OPTION...]",
	.purpose = "List who is in a room",
	.common = CLI_FABRIC | CLI_ROOM | CLI_TIMEOUT,
	.rooms_max = 1,
	.options = options,
};

struct who {
	struct cli cli;
	bool all, details, json, names;
	bool waits; /* how long was said */
	const char *pin, *unpin;
	int (*known)(const struct conf *, struct text *, struct fault *);
	int64_t wait_ms;

	struct conf conf;
	struct session *session;
	bool up, asked;
	int64_t asked_mono;
	/* Of each member of the session, as far as the fabric was asked. */
	struct listeners **listeners;
	size_t listeners_count;
	int64_t off; /* our clock, in ms; 0: nothing speaks against it */
	struct fault fault;
};

/* A participant and the room that it is in. */
struct line {
	const struct member *member;
	const struct roster_entry *entry;
};

static int
set_known(struct who *who, const char *argument)
{
	who->known = strcmp(argument, "rooms") == 0 ? known_rooms
		: strcmp(argument, "names") == 0    ? known_names
						    : NULL;
	if (who->known != NULL)
		return 0;
	return cli_usage_fault(&who->cli,
		"--known: \"%s\" is neither rooms nor names", argument);
}

static int
count_alone(const struct who *who)
{
	return (who->pin != NULL) + (who->unpin != NULL) + (who->known != NULL);
}

static int
parse_args(struct who *who, int argc, char **argv)
{
	int letter;

	who->wait_ms = COLLECT_MS;
	while ((letter = cli_next(&who->cli, argc, argv)) != -1) {
		switch (letter) {
		case 'a':
			who->all = true;
			break;
		case 'd':
			who->details = true;
			break;
		case 'q':
			who->names = true;
			break;
		case OPTION_JSON:
			who->json = true;
			break;
		case OPTION_PIN:
			who->pin = optarg;
			break;
		case OPTION_UNPIN:
			who->unpin = optarg;
			break;
		case OPTION_KNOWN:
			if (set_known(who, optarg) != 0)
				return FAULT_USAGE;
			break;
		case 'w':
			who->waits = true;
			if (cli_seconds(optarg, &who->wait_ms) == 0 &&
				who->wait_ms > 0)
				break;
			return cli_usage_fault(&who->cli,
				"--wait: \"%s\" is no number of "
				"seconds above 0",
				optarg);
		default:
			return FAULT_USAGE;
		}
	}
	if (optind < argc)
		return cli_usage_fault(&who->cli,
			"%s: no operand is known (the room is given by -r)",
			argv[optind]);
	if (who->names && (who->details || who->json))
		return cli_usage_fault(&who->cli,
			"--quiet excludes --details and --json");
	if (who->all && who->cli.room_count > 0)
		return cli_usage_fault(&who->cli,
			"--all and --room exclude each other");
	if (count_alone(who) > 0 &&
		count_alone(who) + who->names + who->details + who->json +
				who->all >
			1)
		return cli_usage_fault(&who->cli,
			"--pin, --unpin and --known stand alone");
	if (who->known != NULL && (who->cli.room_count > 0 || who->waits))
		return cli_usage_fault(&who->cli,
			"--known asks no room and waits for nothing");
	if (who->cli.timeout_ms < 0)
		who->cli.timeout_ms = TIMEOUT_MS;
	return 0;
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct who *who = context;

	who->up = link == SESSION_UP;
	if (link != SESSION_UP && who->fault.kind == FAULT_NONE)
		who->fault = *why;
}

static void
on_ignored(void *context, const char *why)
{
	const struct who *who = context;

	cli_trace(&who->cli, "ignored %s", translate(why));
}

static void
on_clock(void *context, int64_t off)
{
	struct who *who = context;

	who->off = off;
}

static void
on_foreign(void *context, struct span room)
{
	const struct who *who = context;

	cli_warn_foreign(&who->cli, room);
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	const struct who *who = context;

	/* Who pins it knows. */
	if (who->pin == NULL)
		cli_warn_changed(&who->cli, user, seen, fingerprint);
}

static void
on_trouble(void *context, const char *what)
{
	const struct who *who = context;

	cli_warn(&who->cli, "%s", what);
}

static int
set_up(struct who *who)
{
	const struct session_calls calls = {
		.context = who,
		.link = on_link,
		.ignored = on_ignored,
		.changed = on_changed,
		.trouble = on_trouble,
		.foreign = on_foreign,
		.clock = on_clock,
	};
	struct session_config config = { .app = tool.name };

	if (cli_conf(&who->cli, &who->conf, &who->fault) < 0)
		return -1;
	if (!who->all) {
		config.room = cli_room(&who->cli, &who->conf, &who->fault);
		if (config.room == NULL)
			return -1;
	}
	who->session = session_open(&who->conf, &config, &calls, &who->fault);
	return who->session != NULL ? 0 : -1;
}

/* Every broker of a DXL fabric counts who hears a room.  Of all rooms those are
 * asked for that were found, and as many at once as requests can wait. */
static void
ask_fabric(struct who *who, int64_t until)
{
	const struct member *member;
	int64_t left = until - session_now().mono;

	if (!who->details || who->conf.fabric != CONF_DXL || left <= 0)
		return;
	while ((member = session_member(who->session, who->listeners_count)) !=
		NULL) {
		struct listeners *listeners = NULL;
		struct fault fault;

		/* What asks all rooms is in none. */
		if (*member_room(member) != '\0') {
			listeners = listeners_ask(who->session, member, left,
				&fault);
			if (listeners == NULL)
				return;
		}
		who->listeners = memory_resize(who->listeners,
			who->listeners_count + 1, sizeof(*who->listeners));
		who->listeners[who->listeners_count++] = listeners;
	}
}

/* What the fabric was asked for the i-th member; NULL: it was not. */
static const struct listeners *
listeners_of(const struct who *who, size_t i)
{
	return i < who->listeners_count ? who->listeners[i] : NULL;
}

static bool
is_counted(const struct who *who)
{
	for (size_t i = 0; i < who->listeners_count; i++)
		if (who->listeners[i] != NULL &&
			!listeners_is_done(who->listeners[i]))
			return false;
	return true;
}

/* Have all answered of whom anybody who answered knew?  In all rooms nobody
 * can tell; and who wants details for a time sees all of it. */
static bool
is_complete(const struct who *who)
{
	const struct member *member = session_member(who->session, 0);
	int64_t known = member_known(member);

	return !who->all && !(who->details && who->waits) && who->asked &&
		known > 0 && is_counted(who) &&
		(int64_t)roster_count(member_roster(member)) >= known &&
		session_now().mono >= who->asked_mono + SETTLE_MS;
}

static int64_t
next_look(const struct who *who, int64_t until)
{
	int64_t settled = who->asked_mono + SETTLE_MS;

	return who->asked && session_now().mono < settled && settled < until
		? settled
		: until;
}

static void
collect(struct who *who)
{
	int64_t until = session_now().mono + who->cli.timeout_ms;
	sigset_t during;

	cli_catch_signals(&during);
	while (who->fault.kind == FAULT_NONE && cli_ended == 0 &&
		!is_complete(who) && session_now().mono < until) {
		if (session_wait(&who->session, 1, NULL, 0,
			    next_look(who, until), &during, &who->fault) < 0)
			break;
		if (who->asked)
			ask_fabric(who, until);
		if (!who->up || who->asked)
			continue;
		who->asked = true;
		who->asked_mono = session_now().mono;
		until = who->asked_mono + who->wait_ms;
		/* The last answers have to travel too. */
		session_ask(who->session, who->wait_ms * 3 / 4);
		ask_fabric(who, until);
	}
	if (who->fault.kind != FAULT_NONE)
		return;
	if (!who->asked)
		fault_set(&who->fault, FAULT_UNAVAILABLE,
			"%s: no connection "
			"within %g s (-W gives it longer)",
			session_peer(who->session),
			(double)who->cli.timeout_ms / 1000);
	else if (!member_is_asked(session_member(who->session, 0)))
		fault_set(&who->fault, FAULT_NOPERM,
			"%s: our question did "
			"not come back within %g s: the fabric may not let "
			"this certificate write to, or read, the room",
			session_peer(who->session),
			(double)who->wait_ms / 1000);
}

/* Nobody who answered can be believed by a clock that is wrong: that is another
 * answer than that nobody is there. */
static void
tell_clock(struct who *who)
{
	const struct member *member;
	size_t count = 0;

	if (who->off == 0)
		return;
	for (size_t i = 0; (member = session_member(who->session, i)) != NULL;
		i++)
		count += roster_count(member_roster(member));
	if (count > 0)
		cli_warn_clock(&who->cli, who->off);
	else
		cli_clock_fault(who->off, &who->fault);
}

/* Thousands may answer faster than they are heard.  That is no fault: who has
 * gone without a word is known for a while, too, and anybody may claim any
 * number. */
static void
tell_missing(const struct who *who)
{
	const struct member *member;

	for (size_t i = 0; (member = session_member(who->session, i)) != NULL;
		i++) {
		size_t count = roster_count(member_roster(member));
		int64_t known = member_known(member);

		if ((int64_t)count >= known)
			continue;
		struct text room = { 0 };
		text_harmless(&room, span_of(member_room(member)), TEXT_NAME);
		cli_warn(&who->cli,
			"%s: %zu of %lld have answered "
			"(-w gives them longer)",
			room.bytes, count, (long long)known);
		text_free(&room);
	}
}

static void
tell_uncounted(const struct who *who)
{
	const struct member *member;

	for (size_t i = 0; (member = session_member(who->session, i)) != NULL;
		i++) {
		struct text room = { 0 }, doubt = { 0 };

		if (listeners_of(who, i) != NULL)
			listeners_append_doubt(listeners_of(who, i),
				_(" (-w gives them longer)"), &doubt);
		text_harmless(&room, span_of(member_room(member)), TEXT_NAME);
		if (doubt.len > 0)
			cli_warn(&who->cli, "%s: %s", room.bytes, doubt.bytes);
		text_free(&doubt);
		text_free(&room);
	}
}

static int
compare(const void *a, const void *b)
{
	const struct line *left = a, *right = b;
	int rc = strcmp(member_room(left->member), member_room(right->member));

	if (rc == 0)
		rc = strcmp(left->entry->user, right->entry->user);
	if (rc == 0)
		rc = strcmp(roster_uid(left->entry), roster_uid(right->entry));
	return rc;
}

/* All participants, sorted by room and name; the caller frees them. */
static struct line *
sorted_lines(const struct who *who, size_t *count)
{
	const struct member *member;
	struct line *lines = NULL;

	*count = 0;
	for (size_t i = 0; (member = session_member(who->session, i)) != NULL;
		i++) {
		const struct roster *roster = member_roster(member);

		lines = memory_resize(lines, *count + roster_count(roster),
			sizeof(*lines));
		for (const struct roster_entry *entry = roster_first(roster);
			entry != NULL; entry = roster_next(entry))
			lines[(*count)++] = (struct line){ member, entry };
	}
	if (*count > 0)
		qsort(lines, *count, sizeof(*lines), compare);
	return lines;
}

static int64_t
idle_of(const struct roster_entry *entry, struct instant now)
{
	return entry->spoke_mono >= 0 ? now.mono - entry->spoke_mono : -1;
}

/* Messages an hour since it came, or -1. */
static double
rate_of(const struct roster_entry *entry, struct instant now)
{
	int64_t ms = now.wall - entry->since;

	if (entry->last < 0 || entry->since < 0 || ms < 1000)
		return -1;
	return (double)entry->last * 3600000 / (double)ms;
}

static void
append_counts(struct text *out, const struct roster_entry *entry,
	struct instant now)
{
	double rate = rate_of(entry, now);

	if (entry->last >= 0)
		text_appendf(out, " %lld", (long long)entry->last);
	else
		text_append_string(out, " -");
	if (rate >= 0)
		text_appendf(out, " %.1f", rate);
	else
		text_append_string(out, " -");
}

static void
append_line(const struct who *who, struct text *out, const struct line *line,
	struct instant now)
{
	const struct roster_entry *entry = line->entry;

	if (who->all) {
		text_harmless(out, span_of(member_room(line->member)),
			TEXT_NAME);
		text_append_char(out, ' ');
	}
	text_harmless(out, span_of(entry->user), TEXT_NAME);
	if (who->names) {
		text_append_char(out, '\n');
		return;
	}
	text_append_char(out, ' ');
	text_append_char(out, trust_letter(entry->trust.mark));
	text_append_char(out, ' ');
	if (entry->since >= 0)
		text_append_time(out, entry->since);
	else
		text_append_char(out, '-');
	text_append_char(out, ' ');
	text_append_duration(out, idle_of(entry, now));
	text_append_char(out, ' ');
	if (entry->app[0] != '\0')
		text_harmless(out, span_of(entry->app), TEXT_NAME);
	else
		text_append_char(out, '-');
	text_append_char(out, ' ');
	text_append_string(out,
		entry->trust.fingerprint[0] != '\0' ? entry->trust.fingerprint
						    : "-");
	text_append_char(out, ' ');
	text_harmless(out, span_of(roster_uid(entry)), TEXT_NAME);
	if (who->details)
		append_counts(out, entry, now);
	text_append_char(out, '\n');
}

static void
append_json_line(struct text *out, const struct line *line, struct instant now)
{
	const struct roster_entry *entry = line->entry;
	const struct record record = {
		.type = RECORD_HERE,
		.time = now.wall,
		.received = now.wall,
		.room = span_of(member_room(line->member)),
		.user = span_of(entry->user),
		.uid = span_of(roster_uid(entry)),
		.seq = -1,
		.app = span_of(entry->app),
		.since = entry->since,
		.idle = idle_of(entry, now),
		.said = entry->last,
		.trust = entry->trust,
		.sealed = member_is_sealed(line->member),
	};

	record_json(&record, out);
}

/* What is known of one room. */
static struct record_room
look_at_room(const struct member *member, struct instant now)
{
	const struct roster *roster = member_roster(member);
	struct record_room room = {
		.room = span_of(member_room(member)),
		.time = now.wall,
		.participants = (int64_t)roster_count(roster),
		.known = member_known(member),
		.since = -1,
		.per_hour = -1,
		.sealed = member_is_sealed(member),
		.listeners = -1,
		.brokers = -1,
		.brokers_known = -1,
	};

	for (const struct roster_entry *entry = roster_first(roster);
		entry != NULL; entry = roster_next(entry)) {
		if (entry->since >= 0 &&
			(room.since < 0 || entry->since < room.since))
			room.since = entry->since;
		/* Anybody may claim any number. */
		if (entry->last > 0)
			room.messages += entry->last < INT64_MAX - room.messages
				? entry->last
				: INT64_MAX - room.messages;
	}
	if (room.since >= 0 && room.since < now.wall - 1000)
		room.per_hour = (double)room.messages * 3600000 /
			(double)(now.wall - room.since);
	return room;
}

/* One of the subscriptions is our own. */
static void
count_listeners(struct record_room *room, const struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	struct subs_sum sum = listeners_sum(listeners);
	if (sum.subscriptions >= 0)
		room->listeners = sum.subscriptions > 0 ? sum.subscriptions - 1
							: 0;
	room->brokers = (int64_t)sum.brokers;
	if (sum.known > 0)
		room->brokers_known = (int64_t)sum.known;
}

static void
append_known(struct text *out, const char *name, int64_t value)
{
	if (value >= 0)
		text_appendf(out, "%s %lld\n", name, (long long)value);
	else
		text_appendf(out, "%s -\n", name);
}

static void
append_listeners(struct text *out, const struct record_room *room)
{
	append_known(out, "listeners", room->listeners);
	append_known(out, "brokers", room->brokers);
	append_known(out, "brokers-known", room->brokers_known);
}

static void
append_room(struct text *out, const struct record_room *room)
{
	text_append_string(out, "room ");
	text_harmless(out, room->room, TEXT_NAME);
	text_appendf(out, "\nparticipants %lld\nknown ",
		(long long)room->participants);
	if (room->known > 0)
		text_appendf(out, "%lld", (long long)room->known);
	else
		text_append_char(out, '-');
	text_append_string(out, "\nopen-since ");
	if (room->since >= 0)
		text_append_time(out, room->since);
	else
		text_append_char(out, '-');
	text_appendf(out, "\nmessages %lld\nmessages-per-hour ",
		(long long)room->messages);
	if (room->per_hour >= 0)
		text_appendf(out, "%.1f", room->per_hour);
	else
		text_append_char(out, '-');
	text_appendf(out, "\nsealed %s\n", room->sealed ? "yes" : "no");
}

/* The rooms, and what was counted while we looked, before the participants. */
static void
append_details(const struct who *who, struct text *out, struct instant now)
{
	const struct member *member;

	for (size_t i = 0; (member = session_member(who->session, i)) != NULL;
		i++) {
		struct record_room room = look_at_room(member, now);

		if (room.room.len == 0)
			continue;
		count_listeners(&room, listeners_of(who, i));
		if (who->json) {
			record_room_json(&room, out);
			continue;
		}
		append_room(out, &room);
		if (who->conf.fabric == CONF_DXL)
			append_listeners(out, &room);
	}
	if (who->json) {
		counts_json(who->session, out);
		return;
	}
	size_t before = out->len;
	counts_append(who->session, "\n", out);
	if (out->len > before)
		text_append_char(out, '\n');
}

static int
print_all(struct who *who)
{
	struct instant now = session_now();
	struct text out = { 0 };
	size_t count;
	struct line *lines = sorted_lines(who, &count);

	if (who->details)
		append_details(who, &out, now);
	if (!who->json && !who->names)
		text_appendf(&out,
			"%sNAME MARK SINCE IDLE APP FINGERPRINT "
			"UID%s\n",
			who->all ? "ROOM " : "",
			who->details ? " MESSAGES PER-HOUR" : "");
	for (size_t i = 0; i < count; i++)
		if (who->json)
			append_json_line(&out, &lines[i], now);
		else
			append_line(who, &out, &lines[i], now);
	if (cli_output((struct span){ out.bytes, out.len }, &who->fault) == 0)
		cli_output_close(&who->fault);
	free(lines);
	text_free(&out);
	/* Nobody is there: the question's answer is no. */
	return count > 0 ? 0 : 1;
}

/* Silent, as what is asked for is done. */
static int
pin(struct who *who)
{
	struct text told = { 0 };
	int rc = pin_name(who->session, who->pin, &told, &who->fault);

	if (rc == 1)
		cli_trace(&who->cli, "%s", told.bytes);
	text_free(&told);
	return rc < 0 ? 1 : 0;
}

static int
unpin(struct who *who)
{
	if (cli_conf(&who->cli, &who->conf, &who->fault) < 0)
		return 1;
	char *path = names_path(&who->conf, &who->fault);
	int rc = path != NULL ? names_set(path, who->unpin, NULL, &who->fault)
			      : -1;
	free(path);
	if (rc == 1)
		cli_trace(&who->cli, "%s: forgotten", who->unpin);
	return rc == 1 ? 0 : 1;
}

/* Which rooms there are is known without settings, too; but what was named has
 * to be good. */
static int
print_known(struct who *who)
{
	const struct conf_source *source = &who->cli.source;
	struct text out = { 0 };

	who->cli.source.stopped_too = true;
	if (cli_conf(&who->cli, &who->conf, &who->fault) < 0) {
		if (who->known != known_rooms || source->config != NULL ||
			source->dxl_config != NULL)
			return 1;
		cli_trace(&who->cli, "%s", who->fault.text);
		who->fault = (struct fault){ 0 };
		who->conf = (struct conf){ 0 };
	}
	if (who->known(&who->conf, &out, &who->fault) == 0 &&
		cli_output((struct span){ out.bytes, out.len }, &who->fault) ==
			0)
		cli_output_close(&who->fault);
	/* There is none: the question's answer is no. */
	int status = out.len > 0 ? 0 : 1;
	text_free(&out);
	return status;
}

static int
list(struct who *who)
{
	if (set_up(who) < 0)
		return 1;
	collect(who);
	session_close(&who->session, 1);
	if (who->fault.kind == FAULT_NONE) {
		tell_missing(who);
		tell_uncounted(who);
		tell_clock(who);
	}
	counts_trace(&who->cli, who->session);
	if (who->fault.kind != FAULT_NONE)
		return 1;
	return who->pin != NULL ? pin(who) : print_all(who);
}

int
main(int argc, char **argv)
{
	struct who who = { 0 };
	int status;

	cli_init(&who.cli, &tool);
	status = parse_args(&who, argc, argv);
	if (status == 0) {
		status = who.unpin != NULL  ? unpin(&who)
			: who.known != NULL ? print_known(&who)
					    : list(&who);
		if (who.fault.kind != FAULT_NONE)
			status = cli_fail(&who.cli, &who.fault);
	}
	for (size_t i = 0; i < who.listeners_count; i++)
		listeners_free(who.listeners[i]);
	free(who.listeners);
	session_free(who.session);
	conf_free(&who.conf);
	cli_free(&who.cli);
	return status;
}
