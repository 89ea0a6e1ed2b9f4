/* SPDX-License-Identifier: Apache-2.0 */
/* What the screen tells of a room, as text. */
#include "join/report.h"

#include "dxl.h"
#include "tap.h"

static struct member *member;
static struct instant now = { 1000000, INT64_C(1795408513935) };
static struct trust vouched; /* for what comes next */
static struct text bytes;    /* last published */

static void
on_publish(void *context, const char *topic, struct span envelope)
{
	(void)context;
	(void)topic;
	text_clear(&bytes);
	text_append(&bytes, envelope.bytes, envelope.len);
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
on_ignored(void *context, const char *why)
{
	(void)context;
	printf("# %s\n", why);
}

static void
on_vouch(void *context, const struct trust_claim *claim, struct trust *trust)
{
	(void)context;
	(void)claim;
	*trust = vouched;
	trust->sent = now.wall;
}

static void
enter(void)
{
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "own",
		.inbox = "/mcafee/client/own",
		.app = "test/1",
		.participant = true,
		.show_own = true,
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = { .publish = on_publish,
		.deliver = on_deliver,
		.proved = on_proved,
		.ignored = on_ignored,
		.vouch = on_vouch };

	member = member_new(&config, &calls);
	member_connected(member, "c1", now);
	member_up(member, now);
}

static void
leave(void)
{
	member_free(member);
	text_free(&bytes);
}

static void
hear(const struct room_message *message)
{
	struct text payload = { 0 }, envelope = { 0 };

	room_format(message, &payload);
	const struct dxl_message event = { .version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = span_of("{x}"),
		.payload = { payload.bytes, payload.len } };
	dxl_format(&event, &envelope);
	member_receive(member, span_of(member_topic(member)),
		(struct span){ envelope.bytes, envelope.len }, now);
	text_free(&payload);
	text_free(&envelope);
}

static void
hear_here(const char *uid, const char *user, const char *app)
{
	struct room_message here;

	room_message_init(&here, ROOM_HERE);
	here.uid = span_of(uid);
	here.user = span_of(user);
	here.app = span_of(app);
	if (*app != '\0')
		here.since = now.wall - 3600 * 1000;
	hear(&here);
}

static void
hear_message(const char *uid, const char *user, int64_t seq)
{
	struct room_message message;

	room_message_init(&message, ROOM_MESSAGE);
	message.uid = span_of(uid);
	message.user = span_of(user);
	message.seq = seq;
	message.ms = now.wall;
	message.text = span_of("x");
	hear(&message);
}

static void
people_are(const char *name, const char *want, const char *what)
{
	struct text text = { 0 };

	report_people(&text, member, name, now);
	is(text.bytes, want, what);
	text_free(&text);
}

static void
test_people(void)
{
	enter();
	people_are("", "0 here", "nobody");
	vouched = (struct trust){ .mark = TRUST_GOOD,
		.is_trusted = true,
		.fingerprint = "0123456789abcdef0123" };
	hear_here("own", "alice", "test/1");
	vouched = (struct trust){ .mark = TRUST_DOUBTFUL,
		.why = "its name was seen with another certificate",
		.fingerprint = "fedcba9876543210ffff",
		.pinned = "0000" };
	hear_here("m", "bob\x1b[2J", "evil app\n");
	vouched = (struct trust){ .mark = TRUST_NONE };
	hear_here("l", "adam b", "");
	now.mono += 130 * 1000;
	hear_message("l", "adam b", -1);
	now.mono += 5000;
	people_are("",
		"3 here\n"
		"- adam_b, since -, idle 5s, legacy peer\n"
		"+ alice (you), since 2026-11-23T03:35Z, idle -, test/1, "
		"0123456789abcdef\n"
		"? bob\\x1b[2J, since 2026-11-23T03:35Z, idle -, evil_app_, "
		"fedcba9876543210",
		"a row each, by name, harmless");
	people_are("adam_b",
		"1 here under the name adam_b\n"
		"- adam_b, since -, idle 5s, legacy peer\n"
		"  UID l\n  no certificate",
		"one");
	people_are("bob\\x1b[2J",
		"1 here under the name bob\\x1b[2J\n"
		"? bob\\x1b[2J, since 2026-11-23T03:35Z, idle -, evil_app_\n"
		"  UID m\n  certificate fedcba9876543210ffff\n"
		"  its name was seen with 0000\n"
		"  its name was seen with another certificate",
		"all that is known of one");
	people_are("carol", "0 here under the name carol", "none");
	for (int i = 0; i < REPORT_PEOPLE_MAX; i++) {
		char uid[16];

		snprintf(uid, sizeof(uid), "u%d", i);
		hear_here(uid, uid, "test/1");
	}
	struct text text = { 0 };
	int rows = 0;
	report_people(&text, member, "", now);
	for (size_t i = 0; i < text.len; i++)
		rows += text.bytes[i] == '\n';
	ok(rows == REPORT_PEOPLE_MAX + 1 &&
			strstr(text.bytes,
				"\nand 3 more (qchat-who lists all of "
				"them)") != NULL,
		"not all of a crowd");
	text_free(&text);
	leave();
}

static void
counts_are(const struct report_room *room, const char *want, const char *what)
{
	struct text text = { 0 };

	report_counts(&text, room, now);
	is(text.bytes, want, what);
	text_free(&text);
}

static void
counts_have(const struct report_room *room, const char *want, const char *what)
{
	struct text text = { 0 };

	report_counts(&text, room, now);
	ok(strstr(text.bytes, want) != NULL, "%s", what);
	text_free(&text);
}

static void
listeners_are(const struct subs_sum *sum, const char *doubt, const char *want,
	const char *what)
{
	struct text text = { 0 };

	report_listeners(&text, member, sum, doubt);
	is(text.bytes, want, what);
	text_free(&text);
}

static void
test_counts(void)
{
	const struct record_count counts[] = { { "doubles", 1 },
		{ "forged", 2 } };
	const struct member_post post = { .text = span_of("mine"),
		.lines = -1 };
	struct fault fault;

	vouched = (struct trust){ .mark = TRUST_GOOD,
		.is_trusted = true,
		.fingerprint = "f" };
	now.mono = 1000000;
	enter();
	struct report_room room = { .member = member,
		.link = SESSION_LOST,
		.fabric = CONF_DXL,
		.broker = "b:8883" };
	counts_are(&room,
		"0 messages\n"
		"0 here answer; how many hear the room the fabric does not "
		"tell\n"
		"not sealed\n"
		"0 unconfirmed, 0 not delivered\n"
		"0 missing, 0 asked for, 0 repaired, 0 doubles dropped\n"
		"dxl, broker b:8883, CONNECTION LOST",
		"nothing was said");
	room.is_foreign = true;
	counts_have(&room, "\nsealed by others, NO SECRET of it here\n",
		"others seal");
	room.is_foreign = false;
	room.asks = true;
	counts_have(&room,
		"\n0 here answer; the fabric is asked how many hear the room\n",
		"what is not known yet");
	room.asks = false;
	hear_here("own", "alice", "test/1");
	hear_here("b", "bob", "test/1");
	hear_here("c", "carol c", "test/1");
	listeners_are(&(const struct subs_sum){ 5, 2, 2, 0 }, "",
		"5 hear the room by the fabric's count, 3 of them answer",
		"who hears and does not answer is seen");
	listeners_are(&(const struct subs_sum){ 1, 1, 2, 0 }, "one is away",
		"1 hears the room by the fabric's count, 3 answer (one is "
		"away: there may be more)",
		"a count that is not complete");
	listeners_are(&(const struct subs_sum){ -1, 0, 0, 0 }, "why",
		"3 here answer; how many hear the room is not known: why",
		"no count");
	hear_message("b", "bob", 1);
	hear_message("c", "carol c", 1);
	hear_message("c", "carol c", 2);
	hear_message("c", "carol c", 2);
	hear_message("g", "gone", 1);
	member_say(member, &post, now, &fault);
	member_receive(member, span_of(member_topic(member)),
		(struct span){ bytes.bytes, bytes.len }, now);
	member_say(member, &post, now, &fault);
	now.wall += 30 * 60 * 1000;
	room.link = SESSION_UP;
	room.fabric = CONF_MQTT;
	room.counts = counts;
	room.count = 2;
	member_seal(member);
	counts_are(&room,
		"5 messages, 10.0 an hour\n"
		"first 2026-11-23T04:35:13.935Z, last "
		"2026-11-23T04:35:13.935Z\n"
		"       2 + carol_c\n"
		"       1 + alice (you)\n"
		"       1 + bob\n"
		"       1   of all others\n"
		"3 here answer; how many hear the room the fabric does not "
		"tell\n"
		"open since 2026-11-23T03:35:13.935Z, sealed\n"
		"1 unconfirmed, 0 not delivered\n"
		"0 missing, 0 asked for, 0 repaired, 1 doubles dropped\n"
		"mqtt, broker b:8883\n"
		"counted doubles 1, forged 2",
		"who said how much, and the link");
	leave();
}

int
main(void)
{
	test_people();
	test_counts();
	return done();
}
