/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"
#include "cli.h"
#include "dxl.h"
#include "guard.h"
#include "identity.h"
#include "member_state.h"
#include "memory.h"
#include "session.h"
#include "sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A crowd: many participants of one room in one process, for bench/who.
 *
 * Each is a `struct member` of its own, with its own UID, name, inbox, timers
 * and limits, and its own session key; it says, signs and introduces what the
 * tools would.  Where it differs from as many processes:
 *
 *  - They share connections, -c on each.  So the broker hands a room's message
 *    out once a connection, and not once a participant; there are no wills.
 *    `received` counts the former, `given` what all participants would get.
 *  - They share one certificate, and believe what they hear: to check each
 *    message 5,000 times over is work for 5,000 processes.
 *  - They share one roster, since all of them see the same room: it would need
 *    memory by the square of their number.
 *  - While they come in, each hears of the room its own messages only (and one
 *    of them all, for the roster): their questions are not answered, which
 *    would be messages by the square too.  From `ready` on each hears all.
 *  - They remember the numbers of few senders.
 *  - Their next pings are spread when all are in, as in a room that has been as
 *    large for long: in a room that has just filled up, those who found it
 *    small ping after a minute.
 */

enum {
	PARTICIPANTS_MAX = 100000,
	LINKS_MAX = 200,    /* connections */
	EACH_DEFAULT = 250, /* participants of one */
	JOIN_WINDOW = 64,   /* that some connection has not heard of yet */
	STALLED_MS = 60000, /* nobody comes in any more */
	SENDERS_MAX = 64,   /* of which one remembers the numbers */
	INDEX_DIGITS = 12,  /* of UID and inbox: whose it is */
	CONN_BYTES = 8,     /* of a connection's name */
};

enum kind {
	KIND_PRESENCE, /* type 2 into the room: who comes, pings */
	KIND_ANSWER,   /* type 2 to an inbox */
	KIND_QUESTION,
	KIND_BYE,
	KIND_OTHER,
	KIND_RECEIVED, /* from the broker */
	KIND_GIVEN,    /* to the participants */
	KINDS,
};

static const char *const kind_names[] = { "presence", "answers", "questions",
	"byes", "other", "received", "given" };

struct tally {
	uint64_t messages, bytes; /* of the topic and what is in it */
};

struct crowd;

/* A connection, of the participants first to first + count - 1. */
struct link {
	struct crowd *crowd;
	struct bus *bus;
	size_t first, count;
	bool up;
	size_t heard; /* in the room, before all were in */
	char conn[2 * CONN_BYTES + 1];
};

struct participant {
	struct link *link;
	struct member *member;
	struct signer *signer;
	struct guard *guard;
	bool joined;
	bool present; /* its own presence has come back */
	int64_t due;  /* mono ms: when it wants to be woken */
};

struct crowd {
	struct cli cli;
	int64_t size, each;
	struct conf conf;
	struct identity *identity;
	const char *room;
	char *topic;
	char *prefix; /* of all inboxes */
	char *uid_prefix;
	struct link *links;
	size_t link_count;
	struct participant *participants;
	struct roster *roster; /* shared; the first one's */
	size_t joined, present;
	int64_t heard_mono; /* when something came from the broker */
	bool ready, leaving;
	struct tally tallies[KINDS];
	struct fault fault;
};

static const struct cli_option options[] = {
	{ "number", 'n', "N", "how many participants (100)" },
	{ "each", 'c', "N", "how many of them share a connection (250)" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "crowd",
	.synopsis = "[OPTION...]",
	.purpose = "Be many participants of a room.  Prints \"ready N\" when "
		   "all are in, and\ntotals at SIGHUP and at the end",
	.common = CLI_FABRIC | CLI_ROOM,
	.rooms_max = 1,
	.options = options,
};

static int
parse_args(struct crowd *crowd, int argc, char **argv)
{
	int letter;

	crowd->size = 100;
	crowd->each = EACH_DEFAULT;
	while ((letter = cli_next(&crowd->cli, argc, argv)) != -1) {
		int64_t *number = letter == 'n' ? &crowd->size : &crowd->each;

		if (letter != 'n' && letter != 'c')
			return FAULT_USAGE;
		if (cli_number(optarg, 1, PARTICIPANTS_MAX, number) < 0)
			return cli_usage_fault(&crowd->cli,
				"-%c: \"%s\" is not a number from 1 to %d",
				letter, optarg, PARTICIPANTS_MAX);
	}
	if (optind < argc)
		return cli_usage_fault(&crowd->cli, "%s: no operand is known",
			argv[optind]);
	if ((crowd->size + crowd->each - 1) / crowd->each > LINKS_MAX)
		return cli_usage_fault(&crowd->cli,
			"more than %d connections (-c)", LINKS_MAX);
	return 0;
}

static void
count(struct crowd *crowd, enum kind kind, struct span topic, struct span bytes)
{
	crowd->tallies[kind].messages++;
	crowd->tallies[kind].bytes += topic.len + bytes.len;
}

static void
print_totals(const struct crowd *crowd)
{
	printf("totals");
	for (size_t i = 0; i < KINDS; i++)
		printf(" %s %" PRIu64 " %" PRIu64, kind_names[i],
			crowd->tallies[i].messages, crowd->tallies[i].bytes);
	printf("\n");
	fflush(stdout);
}

/* Reads type and UID of an event; false if it is none. */
static bool
read_event(struct span bytes, int64_t *type, char uid[ROOM_UID_MAX + 1])
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault;
	bool good = false;

	if (dxl_parse(&event, bytes, &fault) < 0)
		return false;
	if (room_parse(&message, event.payload, &fault) == 0) {
		*type = message.type;
		snprintf(uid, ROOM_UID_MAX + 1, "%.*s", (int)message.uid.len,
			message.uid.bytes);
		room_message_free(&message);
		good = true;
	}
	dxl_message_free(&event);
	return good;
}

/* Whose UID or inbox is it?  NULL if it is a stranger's. */
static struct participant *
find(const struct crowd *crowd, struct span id, const char *prefix)
{
	size_t len = strlen(prefix);
	uint64_t index = 0;

	if (id.len < len + INDEX_DIGITS || memcmp(id.bytes, prefix, len) != 0)
		return NULL;
	for (size_t i = len; i < len + INDEX_DIGITS; i++) {
		if (id.bytes[i] < '0' || id.bytes[i] > '9')
			return NULL;
		index = index * 10 + (uint64_t)(id.bytes[i] - '0');
	}
	return index < (uint64_t)crowd->size ? &crowd->participants[index]
					     : NULL;
}

static enum kind
kind_of(const struct crowd *crowd, struct span topic, struct span bytes)
{
	char uid[ROOM_UID_MAX + 1];
	int64_t type;

	if (!read_event(bytes, &type, uid))
		return KIND_OTHER;
	switch (type) {
	case ROOM_HERE:
		return span_equal(topic, span_of(crowd->topic)) ? KIND_PRESENCE
								: KIND_ANSWER;
	case ROOM_WHO:
		return KIND_QUESTION;
	case ROOM_BYE:
		return KIND_BYE;
	default:
		return KIND_OTHER;
	}
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	struct participant *one = context;
	struct crowd *crowd = one->link->crowd;

	count(crowd, kind_of(crowd, span_of(topic), bytes), span_of(topic),
		bytes);
	bus_publish(one->link->bus, topic, bytes);
}

static void
on_sign(void *context, struct span topic, struct span envelope,
	struct text *out)
{
	struct participant *one = context;
	struct instant now = session_now();

	guard_sign(one->guard, topic, envelope, now.mono, now.wall, out);
}

/* Somebody missed an introduction. */
static void
on_key(void *context, const struct room_message *message, struct span about)
{
	struct participant *one = context;
	struct instant now = session_now();

	guard_hear_key(one->guard, message, about, now.mono, now.wall);
}

/* Nothing is given to a guard to be passed on. */
static void
on_pass(void *context, struct span topic, struct span bytes)
{
	(void)context;
	(void)topic;
	(void)bytes;
}

static void
on_deliver(void *context, const struct record *record)
{
	(void)context;
	(void)record;
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	(void)context;
	(void)first;
	(void)last;
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	(void)text;
	on_proved(context, first, last);
}

static void
on_retry(void *context)
{
	(void)context;
}

static void
on_attend(void *context, bool room)
{
	(void)context;
	(void)room;
}

static void
on_ignored(void *context, const char *why)
{
	const struct participant *one = context;

	cli_trace(&one->link->crowd->cli, "ignored %s", why);
}

static void
wake(struct participant *one)
{
	one->due = member_deadline(one->member);
}

static void
give(struct participant *one, struct span topic, struct span bytes)
{
	struct crowd *crowd = one->link->crowd;

	if (!one->joined)
		return;
	count(crowd, KIND_GIVEN, topic, bytes);
	member_receive(one->member, topic, bytes, session_now());
	wake(one);
	if (one->present || !one->member->present)
		return;
	one->present = true;
	crowd->present++;
}

/* Before all are in: to who said it, and to the one that keeps the roster. */
static void
give_newcomer(struct link *link, struct span topic, struct span bytes)
{
	struct crowd *crowd = link->crowd;
	struct participant *first = crowd->participants;
	char uid[ROOM_UID_MAX + 1];
	int64_t type;

	link->heard++;
	if (!read_event(bytes, &type, uid))
		return;
	struct participant *own = find(crowd, span_of(uid), crowd->uid_prefix);
	if (own != NULL && own->link == link)
		give(own, topic, bytes);
	if (own != first && first->link == link && type != ROOM_WHO)
		give(first, topic, bytes);
}

static void
on_message(void *context, struct span topic, struct span bytes)
{
	struct link *link = context;
	struct crowd *crowd = link->crowd;
	struct participant *one = find(crowd, topic, crowd->prefix);

	count(crowd, KIND_RECEIVED, topic, bytes);
	crowd->heard_mono = session_now().mono;
	if (crowd->leaving)
		return;
	if (one != NULL)
		give(one, topic, bytes);
	else if (!crowd->ready)
		give_newcomer(link, topic, bytes);
	else
		for (size_t i = 0; i < link->count; i++)
			give(&crowd->participants[link->first + i], topic,
				bytes);
}

static bool
on_will(void *context, struct text *topic, struct text *bytes)
{
	struct link *link = context;
	unsigned char random[CONN_BYTES];

	(void)topic;
	(void)bytes;
	identity_random(random, sizeof(random));
	for (size_t i = 0; i < CONN_BYTES; i++)
		snprintf(link->conn + 2 * i, 3, "%02x", random[i]);
	return false;
}

static void
on_opened(void *context)
{
	(void)context;
}

static void
on_up(void *context)
{
	struct link *link = context;

	link->up = true;
	link->crowd->heard_mono = session_now().mono;
}

/* A crowd that lost somebody is no measure of anything. */
static void
on_failed(void *context, const struct fault *why)
{
	struct link *link = context;

	if (link->crowd->fault.kind == FAULT_NONE)
		link->crowd->fault = *why;
}

static int
make_signer(struct participant *one, const char *inbox, struct fault *fault)
{
	struct crowd *crowd = one->link->crowd;
	struct guard_config config = { .inbox = inbox };
	const struct guard_calls calls = {
		.context = one,
		.pass = on_pass,
		.publish = on_publish,
	};

	one->signer = signer_new(crowd->identity, session_now().wall, fault);
	if (one->signer == NULL)
		return -1;
	config.signer = one->signer;
	identity_random(&config.seed, sizeof(config.seed));
	one->guard = guard_new(&config, &calls);
	return 0;
}

static int
make_participant(struct crowd *crowd, size_t i)
{
	struct participant *one = &crowd->participants[i];
	char *user = memory_format("user%05zu", i);
	char *uid = memory_format("%s%0*zu", crowd->uid_prefix, INDEX_DIGITS,
		i);
	char *inbox = memory_format("%s%0*zu}", crowd->prefix, INDEX_DIGITS, i);
	char *app = memory_format("crowd/%s", PACKAGE_VERSION);
	struct member_config config = {
		.room = crowd->room,
		.user = user,
		.uid = uid,
		.inbox = inbox,
		.app = app,
		.participant = true,
	};
	const struct member_calls calls = {
		.context = one,
		.publish = on_publish,
		.deliver = on_deliver,
		.proved = on_proved,
		.unproved = on_unproved,
		.retry = on_retry,
		.attend = on_attend,
		.ignored = on_ignored,
		.sign = on_sign,
		.key = on_key,
	};
	int rc = make_signer(one, inbox, &crowd->fault);

	identity_random(&config.seed, sizeof(config.seed));
	one->member = member_new(&config, &calls);
	one->due = INT64_MAX;
	sequence_free(one->member->sequence);
	one->member->sequence = sequence_new(SENDERS_MAX);
	if (i == 0) {
		crowd->roster = one->member->roster;
	} else {
		roster_free(one->member->roster);
		one->member->roster = crowd->roster;
	}
	bus_subscribe(one->link->bus, inbox);
	free(user);
	free(uid);
	free(inbox);
	free(app);
	return rc;
}

static int
make_link(struct crowd *crowd, size_t i)
{
	struct link *link = &crowd->links[i];
	char client_id[IDENTITY_ID_MAX];
	const struct bus_calls calls = {
		.context = link,
		.will = on_will,
		.opened = on_opened,
		.up = on_up,
		.lost = on_failed,
		.failed = on_failed,
		.message = on_message,
	};

	link->crowd = crowd;
	link->first = i * (size_t)crowd->each;
	link->count = (size_t)crowd->size - link->first;
	if (link->count > (size_t)crowd->each)
		link->count = (size_t)crowd->each;
	identity_id(client_id);
	link->bus = bus_new(&crowd->conf, crowd->identity, client_id, false,
		&calls);
	bus_subscribe(link->bus, crowd->topic);
	for (size_t j = link->first; j < link->first + link->count; j++) {
		crowd->participants[j].link = link;
		if (make_participant(crowd, j) < 0)
			return -1;
	}
	return 0;
}

static int
set_up(struct crowd *crowd)
{
	char id[IDENTITY_ID_MAX], uid[IDENTITY_UID_MAX];

	if (cli_conf(&crowd->cli, &crowd->conf, &crowd->fault) < 0)
		return -1;
	crowd->room = cli_room(&crowd->cli, &crowd->conf, &crowd->fault);
	if (crowd->room == NULL ||
		room_name_check(span_of(crowd->room), &crowd->fault) < 0)
		return -1;
	crowd->identity = identity_open(&crowd->conf, &crowd->fault);
	if (crowd->identity == NULL)
		return -1;
	/* As long as those of the tools. */
	identity_id(id);
	identity_uid(uid);
	crowd->topic = room_topic(crowd->room);
	crowd->prefix = memory_format("%s%.*s", ROOM_INBOX_PREFIX,
		(int)strlen(id) - 1 - INDEX_DIGITS, id);
	crowd->uid_prefix = memory_format("%.*s",
		(int)strlen(uid) - INDEX_DIGITS, uid);
	crowd->link_count = (size_t)((crowd->size + crowd->each - 1) /
		crowd->each);
	crowd->participants = memory_alloc((size_t)crowd->size,
		sizeof(*crowd->participants));
	crowd->links = memory_alloc(crowd->link_count, sizeof(*crowd->links));
	for (size_t i = 0; i < crowd->link_count; i++)
		if (make_link(crowd, i) < 0)
			return -1;
	return 0;
}

static void
join_one(struct participant *one)
{
	struct instant now = session_now();

	one->joined = true;
	member_connected(one->member, one->link->conn, now);
	member_up(one->member, now);
	wake(one);
}

static bool
is_up(const struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->link_count; i++)
		if (!crowd->links[i].up)
			return false;
	return true;
}

/* Of how many has every connection heard, presence and question? */
static size_t
count_heard(const struct crowd *crowd)
{
	size_t least = crowd->links[0].heard;

	for (size_t i = 1; i < crowd->link_count; i++)
		if (crowd->links[i].heard < least)
			least = crowd->links[i].heard;
	return least / 2;
}

static void
spread_pings(struct crowd *crowd)
{
	int64_t now = session_now().mono;
	int64_t most = MEMBER_PING_MS;

	if (crowd->size > MEMBER_PINGS_MAX)
		most = most * crowd->size / MEMBER_PINGS_MAX;
	for (int64_t i = 0; i < crowd->size; i++) {
		struct participant *one = &crowd->participants[i];

		one->member->ping_mono = now + member_random(one->member, most);
		wake(one);
	}
}

/* What a broker has dropped is waited for in vain. */
static void
check_stalled(struct crowd *crowd, size_t heard)
{
	if (!is_up(crowd) ||
		session_now().mono - crowd->heard_mono < STALLED_MS)
		return;
	fault_set(&crowd->fault, FAULT_TIMEOUT,
		"%zu of %zu were heard everywhere, and nothing more for %d s "
		"(the broker's log may say what it dropped)",
		heard, (size_t)crowd->size, STALLED_MS / 1000);
}

/* No faster than the slowest connection hears of it: the one whose participants
 * come in is read faster than the others, for which a broker keeps so many
 * messages (mosquitto: 1,000) and drops the rest.  It is over when what comes
 * from now on is said to a complete room. */
static void
join(struct crowd *crowd)
{
	size_t size = (size_t)crowd->size, heard = count_heard(crowd);

	if (crowd->ready)
		return;
	while (crowd->joined < size && crowd->joined < heard + JOIN_WINDOW &&
		is_up(crowd))
		join_one(&crowd->participants[crowd->joined++]);
	if (crowd->present < size || heard < size) {
		check_stalled(crowd, heard);
		return;
	}
	crowd->ready = true;
	spread_pings(crowd);
	printf("ready %zu\n", crowd->present);
	fflush(stdout);
}

static void
tick(struct crowd *crowd)
{
	struct instant now = session_now();

	for (size_t i = 0; i < crowd->joined; i++) {
		struct participant *one = &crowd->participants[i];

		if (one->due > now.mono)
			continue;
		member_tick(one->member, now);
		wake(one);
	}
}

static int
wait_ms(const struct crowd *crowd)
{
	int64_t due = INT64_MAX, now = session_now().mono;

	for (size_t i = 0; i < crowd->joined; i++)
		if (crowd->participants[i].due < due)
			due = crowd->participants[i].due;
	for (size_t i = 0; i < crowd->link_count; i++)
		if (bus_deadline(crowd->links[i].bus) < due)
			due = bus_deadline(crowd->links[i].bus);
	return due <= now ? 0 : due - now < 1000 ? (int)(due - now) : 1000;
}

static void
step(struct crowd *crowd, struct pollfd *fds, const sigset_t *during)
{
	size_t at[LINKS_MAX + 1] = { 0 };

	for (size_t i = 0; i < crowd->link_count; i++)
		at[i + 1] = at[i] + bus_fds(crowd->links[i].bus, fds + at[i]);
	int ms = wait_ms(crowd);
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
	if (ppoll(fds, at[crowd->link_count], &wait, during) < 0)
		for (size_t i = 0; i < at[crowd->link_count]; i++)
			fds[i].revents = 0;
	for (size_t i = 0; i < crowd->link_count; i++)
		bus_step(crowd->links[i].bus, fds + at[i], at[i + 1] - at[i],
			session_now().mono);
	tick(crowd);
	join(crowd);
}

/* Nobody reads on, so the broker drops many of the byes (and says so in its
 * log), of which nothing is counted. */
static void
leave(struct crowd *crowd)
{
	int64_t until = session_now().mono + BUS_CLOSE_MS;

	crowd->leaving = true;
	for (size_t i = 0; i < crowd->joined; i++)
		member_leave(crowd->participants[i].member, session_now());
	for (size_t i = 0; i < crowd->link_count; i++)
		bus_leave(crowd->links[i].bus, until);
	for (size_t i = 0; i < crowd->link_count; i++)
		bus_close(crowd->links[i].bus, until);
}

static void
run(struct crowd *crowd)
{
	struct pollfd *fds = memory_alloc(crowd->link_count * BUS_FDS_MAX,
		sizeof(*fds));
	sigset_t during;

	cli_catch_signals(&during);
	while (crowd->fault.kind == FAULT_NONE) {
		step(crowd, fds, &during);
		if (cli_ended == SIGHUP)
			print_totals(crowd);
		else if (cli_ended != 0)
			break;
		cli_ended = 0;
	}
	leave(crowd);
	print_totals(crowd);
	free(fds);
}

static void
free_crowd(struct crowd *crowd)
{
	for (int64_t i = 0; crowd->participants != NULL && i < crowd->size;
		i++) {
		struct participant *one = &crowd->participants[i];

		if (i > 0 && one->member != NULL)
			one->member->roster = NULL;
		member_free(one->member);
		guard_free(one->guard);
		signer_free(one->signer);
	}
	for (size_t i = 0; i < crowd->link_count; i++)
		bus_free(crowd->links[i].bus);
	free(crowd->links);
	free(crowd->participants);
	identity_free(crowd->identity);
	free(crowd->topic);
	free(crowd->prefix);
	free(crowd->uid_prefix);
	conf_free(&crowd->conf);
	cli_free(&crowd->cli);
}

int
main(int argc, char **argv)
{
	struct crowd crowd = { 0 };
	int status;

	cli_init(&crowd.cli, &tool);
	status = parse_args(&crowd, argc, argv);
	if (status == 0) {
		if (set_up(&crowd) == 0)
			run(&crowd);
		if (crowd.fault.kind != FAULT_NONE)
			status = cli_fail(&crowd.cli, &crowd.fault);
	}
	free_crowd(&crowd);
	return status;
}
