/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a direct message goes to, and what becomes of it.  The room, the link,
 * the clock and the file of names are this test's.
 */
#include "join/direct.h"

#include "dxl.h"
#include "memory.h"
#include "names.h"
#include "places.h"
#include "tap.h"

#include <stdlib.h>

static struct member *member;
static enum session_link connection = SESSION_UP;
static struct instant now = { 1000000, INT64_C(1795408513935) };
static struct text names;    /* lines of the file */
static struct trust vouched; /* for what comes next */
static struct text told;     /* what was published to one, and told */

struct session {
	int unused;
};

enum session_link
session_link(const struct session *session)
{
	(void)session;
	return connection;
}

struct member *
session_member(const struct session *session, size_t i)
{
	(void)session;
	return i == 0 ? member : NULL;
}

struct instant
session_now(void)
{
	return now;
}

char *
names_path(const struct conf *conf, struct fault *fault)
{
	(void)conf;
	(void)fault;
	return memory_string("names");
}

int
names_find(const char *path, const char *name, char *fingerprint,
	struct fault *fault)
{
	(void)path;
	(void)fault;
	char *line = memory_format("%s\n", name);
	const char *found = names.len > 0 ? strstr(names.bytes, line) : NULL;

	free(line);
	if (found == NULL)
		return 0;
	snprintf(fingerprint, NAMES_FINGERPRINT_MAX, "%.1s", found - 2);
	return 1;
}

int
names_merge(const char *path, struct span lines, struct fault *fault)
{
	(void)path;
	(void)fault;
	text_append(&names, lines.bytes, lines.len);
	return 0;
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	(void)context;
	(void)topic;
	(void)bytes;
}

static void
on_publish_to(void *context, const char *topic, const unsigned char *key,
	struct span bytes)
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault;

	(void)context;
	if (dxl_parse(&event, bytes, &fault) < 0)
		return;
	if (room_parse(&message, event.payload, &fault) == 0) {
		text_appendf(&told, "%s %d: %lld %.*s\n",
			topic + strlen(ROOM_INBOX_PREFIX), key[0],
			(long long)message.seq, (int)message.text.len,
			message.text.bytes);
		room_message_free(&message);
	}
	dxl_message_free(&event);
}

static void
on_deliver(void *context, const struct record *record)
{
	(void)context;
	(void)record;
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
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = {
		.publish = on_publish,
		.publish_to = on_publish_to,
		.deliver = on_deliver,
		.ignored = on_ignored,
		.vouch = on_vouch,
	};

	member = member_new(&config, &calls);
	member_connected(member, "c1", now);
	member_up(member, now);
}

static void
leave(void)
{
	member_free(member);
	text_free(&names);
	text_free(&told);
}

/* Somebody is here under a name, with the certificate of that letter, 0 for
 * none, and the key of that number. */
static void
hear(const char *uid, const char *user, char certificate, int key,
	enum trust_mark mark)
{
	struct text payload = { 0 }, bytes = { 0 };
	struct room_message here;

	vouched = (struct trust){ .mark = mark, .is_trusted = certificate > 0 };
	vouched.fingerprint[0] = certificate;
	vouched.x25519[0] = (unsigned char)key;
	char *inbox = memory_format(ROOM_INBOX_PREFIX "%s", uid);
	room_message_init(&here, ROOM_HERE);
	here.uid = span_of(uid);
	here.user = span_of(user);
	here.inbox = span_of(inbox);
	here.app = span_of("test/1");
	room_format(&here, &payload);
	const struct dxl_message event = { .version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = span_of("{x}"),
		.payload = { payload.bytes, payload.len } };
	dxl_format(&event, &bytes);
	member_receive(member, span_of(member_topic(member)),
		(struct span){ bytes.bytes, bytes.len }, now);
	text_free(&payload);
	text_free(&bytes);
	free(inbox);
}

/* The places of a name, or the fault. */
static const char *
find(const char *name)
{
	static const struct places_help help = { "ask", "pin it" };
	static struct text text;
	struct places places;
	struct fault fault;

	text_clear(&text);
	if (places_find(&places, member, name, NULL, &help, &fault) < 0) {
		text_appendf(&text, "%d %s", (int)fault.kind, fault.text);
		return text.bytes;
	}
	text_append_string(&text, places.user);
	for (size_t i = 0; i < places.count; i++)
		text_appendf(&text, " %s",
			places.at[i].inbox + strlen(ROOM_INBOX_PREFIX));
	return text.bytes;
}

static void
test_places(void)
{
	enter();
	hear("own", "alice", 'a', 1, TRUST_GOOD);
	is(find("bob"),
		"69 \"bob\" is not in the room, and nothing is kept (ask)",
		"nobody");
	is(find("alice"), "69 \"alice\" is you, and nobody else (ask)",
		"oneself");
	hear("a2", "alice", 'a', 1, TRUST_GOOD);
	is(find("alice"), "alice a2", "oneself elsewhere");
	hear("b1", "bob", 0, 0, TRUST_NONE);
	is(find("bob"),
		"77 bob is here without a signature, so that nothing can be "
		"sealed to it",
		"without a signature");
	hear("b2", "bob", 'b', 2, TRUST_GOOD);
	hear("b3", "bob", 'b', 3, TRUST_GOOD);
	is(find("bob"), "bob b2 b3", "who is trusted, in both places");
	hear("m1", "bob", 'm', 4, TRUST_DOUBTFUL);
	is(find("bob"),
		"77 bob is here with two certificates, m and b (when one of "
		"them has gone, pin it says that it is the other)",
		"two who are");
	text_append_string(&names, "b bob\n");
	is(find("bob"), "bob b2 b3", "who is known has the name");
	text_clear(&names);
	text_append_string(&names, "x bob\n");
	is(find("bob"),
		"77 bob is here without a signature, so that nothing can be "
		"sealed to it",
		"nobody else has it");
	leave();
}

static void
test_known(void)
{
	struct text want = { 0 };

	enter();
	text_append_string(&names, "x bob\n");
	hear("b1", "bob", 'b', 1, TRUST_GOOD);
	is(find("bob"),
		"77 bob has the certificate b: its name was seen with another "
		"certificate, x (if that is right: pin it)",
		"with another certificate than in the file");
	hear("e1", "eve", 'e', 1, TRUST_DOUBTFUL);
	is(find("eve"), "77 eve has the certificate e: not trusted",
		"with a certificate that is not");
	hear("d1", "Dora Day", 'd', 1, TRUST_GOOD);
	is(find("Dora_Day"), "Dora Day d1", "a name as it is shown");
	hear("d2", "Dora_Day", 0, 1, TRUST_NONE);
	is(find("Dora_Day"), "Dora Day d1",
		"which strangers who look like it do not take");
	hear("d3", "Dora_Day", 'm', 1, TRUST_GOOD);
	is(find("Dora_Day"),
		"77 two names that look like Dora_Day are here (ask who is "
		"who, and have one take another name)",
		"but it may be that of two");
	is(find("Dora Day"), "Dora Day d1", "as it is it is not");
	text_append_string(&want, "carol");
	for (int i = 0; i < PLACES_MAX + 2; i++) {
		char uid[16];

		snprintf(uid, sizeof(uid), "c%d", i);
		hear(uid, "carol", 'c', i, TRUST_GOOD);
		if (i >= 2 && i < PLACES_MAX)
			text_appendf(&want, " %s", uid);
	}
	const char *found = find("carol");
	ok(strstr(found, " c0 ") == NULL && strstr(found, " c1 ") == NULL &&
			strstr(found, " c2 ") != NULL &&
			strstr(found, " c17") != NULL,
		"of many places those heard last");
	text_free(&want);
	leave();
}

static void
on_arrived(void *context, int64_t id)
{
	(void)context;
	text_appendf(&told, "arrived %lld\n", (long long)id);
}

static void
on_failed(void *context, int64_t id, const char *user)
{
	(void)context;
	text_appendf(&told, "failed %lld %s\n", (long long)id, user);
}

static void
log_is(const char *want, const char *name)
{
	is(told.bytes != NULL ? told.bytes : "", want, name);
	text_clear(&told);
}

static void
receipt(struct direct *direct, int64_t number, const char *fingerprint)
{
	struct trust trust = { .mark = TRUST_GOOD };

	strcpy(trust.fingerprint, fingerprint);
	direct_receipt(direct, number, &trust);
}

static struct session session;
static struct fault fault;

static int64_t
say(struct direct *direct, const char *name, const char *text)
{
	char user[ROOM_USER_MAX + 1];

	return direct_say(direct, &session, name, span_of(text), user, &fault);
}

static void
test_direct(void)
{
	const struct direct_calls calls = { NULL, on_arrived, on_failed };
	struct direct *direct = direct_new(NULL, &calls);
	char user[ROOM_USER_MAX + 1];

	enter();
	hear("b1", "bob b", 'b', 1, TRUST_GOOD);
	hear("b2", "bob b", 'b', 2, TRUST_GOOD);
	ok(direct_deadline(direct) == INT64_MAX, "nothing is due");
	ok(direct_say(direct, &session, "bob_b", span_of("one"), user,
		   &fault) == 1,
		"it is said");
	is(user, "bob b", "to who it is for");
	ok(say(direct, "bob b", "two") == 2, "and something else");
	log_is("b1 1: 1 one\nb2 2: 1 one\nb1 1: 2 two\nb2 2: 2 two\n",
		"wherever that is");
	receipt(direct, 2, "m");
	receipt(direct, 3, "b");
	receipt(direct, 0, "");
	log_is("", "of others nobody wants a receipt");
	receipt(direct, 2, "b");
	receipt(direct, 2, "b");
	log_is("arrived 2\n", "of who has it one is enough");
	ok(direct_deadline(direct) == now.mono + DIRECT_WAIT_MS,
		"it is waited for");
	ok(direct_say_again(direct, &session, 1, &fault) < 0,
		"it is not said again meanwhile");
	now.mono += DIRECT_WAIT_MS - 1;
	direct_tick(direct, now.mono);
	log_is("", "for a while");
	now.mono++;
	direct_tick(direct, now.mono);
	direct_tick(direct, now.mono);
	log_is("failed 1 bob b\n", "and no longer");
	ok(direct_deadline(direct) == INT64_MAX, "then nothing is due");
	connection = SESSION_LOST;
	ok(direct_say_again(direct, &session, 1, &fault) < 0 &&
			fault.kind == FAULT_UNAVAILABLE &&
			say(direct, "bob b", "three") < 0,
		"without a connection nothing is said");
	connection = SESSION_UP;
	ok(direct_say_again(direct, &session, 2, &fault) < 0,
		"nor again what has arrived");
	log_is("", "so nothing was");
	ok(direct_say_again(direct, &session, 1, &fault) == 0, "it is again");
	log_is("b1 1: 1 one\nb2 2: 1 one\n", "under its number");
	now.mono += DIRECT_WAIT_MS;
	direct_tick(direct, now.mono);
	receipt(direct, 1, "b");
	log_is("failed 1 bob b\narrived 1\n", "a late receipt is one");
	direct_free(direct);
	leave();
}

static void
test_many(void)
{
	const struct direct_calls calls = { NULL, on_arrived, on_failed };
	struct direct *direct = direct_new(NULL, &calls);

	enter();
	hear("b1", "bob", 'b', 1, TRUST_GOOD);
	for (int i = 0; i < DIRECT_WAITING_MAX; i++)
		say(direct, "bob", "x");
	text_clear(&told);
	ok(say(direct, "bob", "x") < 0 && fault.kind == FAULT_UNAVAILABLE,
		"so many may wait");
	log_is("", "and no more are said");
	now.mono += DIRECT_WAIT_MS;
	direct_tick(direct, now.mono);
	text_clear(&told);
	ok(say(direct, "bob", "x") == DIRECT_WAITING_MAX + 1,
		"those that failed make room");
	ok(direct_say_again(direct, &session, 1, &fault) < 0 &&
			direct_say_again(direct, &session, 2, &fault) == 0,
		"the oldest first");
	member_free(member);
	enter();
	hear("m1", "bob", 'm', 1, TRUST_GOOD);
	ok(direct_say_again(direct, &session, 3, &fault) < 0 &&
			fault.kind == FAULT_NOPERM,
		"nothing goes to somebody else");
	direct_free(direct);
	leave();
}

int
main(void)
{
	test_places();
	test_known();
	test_direct();
	test_many();
	return done();
}
