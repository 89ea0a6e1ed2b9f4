/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members on a fabric that is a queue in this process: what one publishes
 * comes to all, in order, at a time that the test decides.
 */
#include "member.h"

#include "dxl.h"
#include "memory.h"
#include "tap.h"

#include <stdlib.h>

enum { PEERS_MAX = 8, QUEUE_MAX = 4096 };

struct peer {
	struct member *member;
	char inbox[64];
	bool online;
	bool in_room;
	struct text log; /* a line for each thing that it was told */
	int64_t time;    /* of the newest record */
};

static struct peer peers[PEERS_MAX];
static size_t peer_count;
static struct {
	char *topic;
	char *bytes;
	size_t len;
} queue[QUEUE_MAX];
static size_t queue_len, published;
static struct text last_here, last_slice; /* that were published */
static size_t to_good; /* published to the inbox of who has it */
static bool is_full;   /* what was published fills the way out */
static bool swallow;   /* the fabric drops what is published */
static bool is_denied; /* … in the room */
static bool is_unacknowledged;
static bool is_stream; /* who is added now, and is no participant */
static struct instant now = { 1000000, INT64_C(1795408513935) };

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	struct text *last = memmem(bytes.bytes, bytes.len, "minutes", 7) != NULL
		? &last_here
		: &last_slice;

	(void)context;
	published++;
	if (strcmp(topic, "/mcafee/client/good") == 0)
		to_good++;
	text_clear(last);
	text_append(last, bytes.bytes, bytes.len);
	if (swallow || queue_len == QUEUE_MAX ||
		(is_denied && strcmp(topic, "/mcafee/event/qchat/ops") == 0))
		return;
	queue[queue_len].topic = memory_string(topic);
	queue[queue_len].bytes = memory_copy(bytes.bytes, bytes.len);
	queue[queue_len++].len = bytes.len;
}

static void
on_deliver(void *context, const struct record *record)
{
	static const char *const names[] = { "message", "join", "here", "leave",
		"gap", "direct" };
	struct peer *peer = context;

	peer->time = record->time;
	text_appendf(&peer->log, "%s %.*s", names[record->type],
		(int)record->user.len, record->user.bytes);
	if (record->type == RECORD_MESSAGE || record->type == RECORD_DIRECT)
		text_appendf(&peer->log, " %lld %.*s%s", (long long)record->seq,
			(int)record->text.len, record->text.bytes,
			record->late ? " late" : "");
	if (record->type == RECORD_GAP)
		text_appendf(&peer->log, " %lld-%lld",
			(long long)record->gap_first,
			(long long)record->gap_last);
	text_append_char(&peer->log, '\n');
}

static void
on_proved(void *context, int64_t first, int64_t last)
{
	struct peer *peer = context;

	text_appendf(&peer->log, "proved %lld-%lld\n", (long long)first,
		(long long)last);
}

static void
on_unproved(void *context, int64_t first, int64_t last, struct span text)
{
	struct peer *peer = context;

	text_appendf(&peer->log, "unproved %lld-%lld %.*s\n", (long long)first,
		(long long)last, (int)text.len, text.bytes);
}

static void
on_retry(void *context)
{
	struct peer *peer = context;

	text_append_string(&peer->log, "retry\n");
}

static void
on_attend(void *context, bool room)
{
	struct peer *peer = context;

	peer->in_room = room;
}

static void
on_ignored(void *context, const char *why)
{
	struct peer *peer = context;

	(void)why;
	text_append_string(&peer->log, "ignored\n");
}

static bool
on_can_serve(void *context)
{
	(void)context;
	return !is_full;
}

static struct member_calls
member_calls_of(struct peer *peer)
{
	return (struct member_calls){
		.context = peer,
		.publish = on_publish,
		.deliver = on_deliver,
		.proved = on_proved,
		.retry = on_retry,
		.unproved = on_unproved,
		.attend = on_attend,
		.ignored = on_ignored,
		.can_serve = on_can_serve,
	};
}

static struct peer *
add_with(const char *user, bool participant, struct quotas quotas)
{
	struct peer *peer = &peers[peer_count];
	char uid[33];

	snprintf(uid, sizeof(uid), "%032zx", peer_count + 1);
	snprintf(peer->inbox, sizeof(peer->inbox), "/mcafee/client/{%zu}",
		peer_count);
	const struct member_config config = { .room = "ops",
		.user = user,
		.uid = uid,
		.inbox = peer->inbox,
		.app = "test/1",
		.participant = participant,
		.once = !participant && !is_stream,
		.stream = !participant && is_stream,
		.unacknowledged = is_unacknowledged,
		.show_own = true,
		.proof_ms = 5000,
		.seed = peer_count + 1,
		.quotas = quotas };
	const struct member_calls calls = member_calls_of(peer);
	peer->in_room = true;
	peer->member = member_new(&config, &calls);
	peer_count++;
	return peer;
}

static struct peer *
add(const char *user, bool participant)
{
	return add_with(user, participant, (struct quotas){ 0 });
}

static void
connect_peer(struct peer *peer, const char *conn)
{
	peer->online = true;
	member_connected(peer->member, conn, now);
	member_up(peer->member, now);
}

static void
hand_out(const char *topic, struct span bytes)
{
	for (size_t i = 0; i < peer_count; i++) {
		bool inbox = strcmp(topic, peers[i].inbox) == 0;

		if (peers[i].online &&
			(inbox ||
				(peers[i].in_room &&
					strcmp(topic,
						"/mcafee/event/qchat/ops") ==
						0)))
			member_receive(peers[i].member, span_of(topic), bytes,
				now);
	}
}

/* Lets all that was published arrive, and what is said in answer too. */
static void
settle(void)
{
	for (size_t i = 0; i < queue_len; i++) {
		hand_out(queue[i].topic,
			(struct span){ queue[i].bytes, queue[i].len });
		free(queue[i].topic);
		free(queue[i].bytes);
	}
	queue_len = 0;
}

/* Lets time pass in small steps. */
static void
pass(int64_t ms)
{
	for (int64_t end = now.mono + ms; now.mono < end;) {
		int64_t step = end - now.mono < 50 ? end - now.mono : 50;

		now.mono += step;
		now.wall += step;
		for (size_t i = 0; i < peer_count; i++)
			member_tick(peers[i].member, now);
		settle();
	}
}

static void
forget_all(void)
{
	settle();
	for (size_t i = 0; i < peer_count; i++) {
		member_free(peers[i].member);
		text_free(&peers[i].log);
		peers[i] = (struct peer){ 0 };
	}
	peer_count = 0;
	swallow = is_denied = is_unacknowledged = is_stream = false;
}

static void
log_is(struct peer *peer, const char *want, const char *name)
{
	is(peer->log.bytes != NULL ? peer->log.bytes : "", want, name);
	text_clear(&peer->log);
}

static void
say(struct peer *peer, const char *text, int64_t lines)
{
	const struct member_post post = { .text = span_of(text),
		.lines = lines };
	struct fault fault;

	if (member_say(peer->member, &post, now, &fault) < 0)
		printf("# %s\n", fault.text);
}

/* Publishes a payload as any stranger may. */
static void
forge(const char *topic, const char *payload)
{
	const struct dxl_message event = { .version = 2,
		.type = DXL_EVENT,
		.message_id = span_of("{x}"),
		.payload = span_of(payload) };
	struct text bytes = { 0 };

	dxl_format(&event, &bytes);
	hand_out(topic, (struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
}

#define ROOM     "/mcafee/event/qchat/ops"
#define UID_OF_2 "00000000000000000000000000000002"

static void
test_presence(void)
{
	struct peer *a = add("alice", true), *b;
	int64_t came;

	connect_peer(a, "a1");
	pass(3000);
	log_is(a, "", "alone");
	ok(roster_count(member_roster(a->member)) == 1, "alice sees herself");
	b = add("bob", true);
	came = now.wall;
	connect_peer(b, "b1");
	pass(3000);
	log_is(a, "join bob\n", "alice sees bob come");
	ok(a->time == came, "and when, to the millisecond");
	log_is(b, "here alice\n", "bob sees that alice is here");
	ok(b->time > came - 1000 && b->time % 1000 == 0,
		"and when that was said, to the second");
	ok(member_known(b->member) == 2, "bob was told of two");
	member_leave(b->member, now);
	b->online = false;
	pass(100);
	log_is(a, "leave bob\n", "alice sees bob go");
	forget_all();
}

static void
test_question(void)
{
	struct peer *a = add("alice", true), *w = add("who", false);

	connect_peer(a, "a1");
	connect_peer(w, "w1");
	pass(2000);
	published = 0;
	member_ask(w->member, 1000, now);
	pass(2000);
	ok(published == 2, "a question with an inbox costs one answer");
	ok(roster_count(member_roster(w->member)) == 1, "which arrives");
	ok(member_is_asked(w->member), "the question was seen to be routed");
	published = 0;
	member_ask(w->member, 1000, now);
	pass(2000);
	ok(published == 1, "the same inbox again gets no answer so soon");
	published = 0;
	forge(ROOM, "{\"type\":3}");
	pass(2000);
	ok(published == 1, "a legacy question is answered into the room");
	published = 0;
	for (int i = 0; i < 200; i++) {
		char question[100];

		snprintf(question, sizeof(question),
			"{\"type\":3,\"inbox\":"
			"\"/mcafee/client/%d\"}",
			i);
		forge(ROOM, question);
	}
	pass(5000);
	ok(published == 29, "forged questions get 30 answers a minute");
	published = 0;
	forge(ROOM, "{\"type\":3,\"inbox\":\"" ROOM "\"}");
	forge(ROOM, "{\"type\":3,\"inbox\":\"/mcafee/client///\"}");
	pass(2000);
	ok(published == 1, "what is no inbox gets the room's answer");
	forget_all();
}

static void
test_clear_question(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	member_seal(a->member);
	pass(2000);
	published = 0;
	forge(ROOM, "{\"type\":3,\"inbox\":\"/mcafee/client/new\"}");
	pass(2000);
	ok(published == 1,
		"in a sealed room who asks in the clear is shown that");
	published = 0;
	for (int i = 0; i < 200; i++)
		forge(ROOM, "{\"type\":3,\"inbox\":\"/mcafee/client/new\"}");
	pass(5000);
	ok(published == 1, "and who asks often, once");
	forget_all();
}

static void
test_ping(void)
{
	struct peer *a = add("alice", true), *b = add("bob", true);

	connect_peer(a, "a1");
	connect_peer(b, "b1");
	pass(2000);
	published = 0;
	pass(10 * 60 * 1000);
	ok(published == 20, "each says every minute that it is here");
	ok(roster_count(member_roster(a->member)) == 2, "and is kept");
	connect_peer(b, "b2");
	settle();
	text_clear(&a->log);
	b->online = false;
	member_disconnected(b->member, now);
	pass(299 * 1000);
	log_is(a, "", "silence is borne");
	pass(1000);
	log_is(a, "leave bob\n", "for 300 seconds");
	text_clear(&a->log);
	a->online = false;
	member_disconnected(a->member, now);
	pass(400 * 1000);
	log_is(a, "", "who hears nothing of itself has not left");
	forget_all();
}

static void
test_will(void)
{
	struct peer *a = add("alice", true), *b = add("bob", true);
	struct text will = { 0 };

	connect_peer(a, "a1");
	connect_peer(b, "b1");
	member_will(b->member, "b1", now, &will);
	pass(2000);
	text_clear(&a->log);
	member_disconnected(b->member, now);
	connect_peer(b, "b2");
	pass(100);
	hand_out(ROOM, (struct span){ will.bytes, will.len });
	pass(100);
	log_is(a, "", "the late will of a replaced connection ends nothing");
	text_clear(&will);
	member_will(b->member, "b2", now, &will);
	b->online = false;
	hand_out(ROOM, (struct span){ will.bytes, will.len });
	log_is(a, "leave bob\n", "that of the live one does");
	b->online = true;
	hand_out(ROOM, (struct span){ will.bytes, will.len });
	pass(1100);
	log_is(a, "join bob\n", "who hears its own bye says that it is here");
	text_free(&will);
	forget_all();
}

static void
test_posts(void)
{
	struct peer *a = add("alice", true), *b = add("bob", true);

	connect_peer(a, "a1");
	connect_peer(b, "b1");
	pass(2000);
	text_clear(&a->log);
	text_clear(&b->log);
	say(a, "one", -1);
	say(a, "two\nthree\nfour", 3);
	say(a, "five\nsix", -1);
	ok(member_unproved(a->member) == 3, "three posts wait for their echo");
	pass(100);
	log_is(a,
		"message alice 1 one\nproved 1-1\nmessage alice 2 two\n"
		"message alice 3 three\nmessage alice 4 four\nproved 2-4\n"
		"message alice 5 five\nsix\nproved 5-5\n",
		"and get it");
	log_is(b,
		"message alice 1 one\nmessage alice 2 two\n"
		"message alice 3 three\nmessage alice 4 four\n"
		"message alice 5 five\nsix\n",
		"bob has a record a line");
	forget_all();
}

static void
test_order(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(2000);
#define SAYS(n, rest)                                              \
	forge(ROOM,                                                \
		"{\"type\":1,\"user\":\"bob\",\"UID\":\"" UID_OF_2 \
		"\",\"seq\":" n ",\"message\":\"" rest "}")
	SAYS("7", "seven\"");
	log_is(a, "message bob 7 seven\n", "what was before is not missing");
	SAYS("8", "eight\"");
	SAYS("8", "eight\"");
	SAYS("7", "other\"");
	log_is(a, "message bob 8 eight\n", "each number once");
	SAYS("12", "twelve\"");
	pass(1000);
	log_is(a, "", "what is behind a gap is held");
	pass(20000);
	log_is(a, "gap bob 9-11\nmessage bob 12 twelve\n",
		"until the gap is given up, and told");
	SAYS("11", "x\\ny\\nz\",\"n\":3");
	log_is(a, "message bob 13 z\n", "of a block that overlaps, the rest");
	SAYS("10", "x\\ny\\nz\",\"n\":3");
	SAYS("10", "x\\ny\\nz\",\"n\":3");
	log_is(a, "message bob 10 x late\nmessage bob 11 y late\n",
		"what was told to be missing may come late, once");
	SAYS("9", "nine\"");
	SAYS("9", "nine\"");
	log_is(a, "message bob 9 nine late\n", "and each of it");
	forge(ROOM,
		"{\"type\":2,\"user\":\"bob\",\"UID\":\"" UID_OF_2
		"\",\"last\":15}");
	SAYS("15", "fifteen\"");
	log_is(a, "join bob\n", "a gap at the end may still be filled");
	SAYS("14", "fourteen\"");
	log_is(a, "message bob 14 fourteen\nmessage bob 15 fifteen\n",
		"and is, in order");
	SAYS("16", "next\"");
	log_is(a, "message bob 16 next\n", "and is not told");
	SAYS("17", "x\\ny\",\"n\":3");
	log_is(a, "ignored\n", "a forged n costs that message");
	SAYS("9007199254740991", "the last\"");
	log_is(a, "message bob 9007199254740991 the last\n",
		"a number far ahead is shown");
	SAYS("17", "seventeen\"");
	log_is(a, "message bob 17 seventeen\n", "and silences nobody");
	forge(ROOM,
		"{\"type\":2,\"user\":\"bob\",\"UID\":\"" UID_OF_2
		"\",\"last\":9007199254740991}");
	SAYS("20", "twenty\"");
	pass(20000);
	log_is(a, "gap bob 18-19\nmessage bob 20 twenty\n",
		"a claim far ahead hides no gap");
	SAYS("22", "held\"");
	SAYS("5000001", "far\"");
	SAYS("5000001", "far\"");
	log_is(a, "message bob 5000001 far\n", "what is far ahead comes once");
	SAYS("5000003", "on\"");
	log_is(a, "gap bob 21-21\nmessage bob 22 held\ngap bob 23-5000000\n",
		"another one behind it is believed, and tells of a gap");
	SAYS("5000002", "two\"");
	SAYS("5000001", "far\"");
	SAYS("24", "old\"");
	log_is(a,
		"message bob 5000002 two\nmessage bob 5000003 on\n"
		"message bob 24 old late\n",
		"it goes on from there, in order and once");
	forget_all();
}

/* Who may read a room and not write there never hears its own questions. */
static void
test_read_only(void)
{
	struct peer *a = add("alice", true);

	swallow = true;
	connect_peer(a, "a1");
	pass(2000);
	SAYS("1", "one\"");
	SAYS("3", "three\"");
	for (int i = 0; i < 20; i++) {
		pass(1000);
		forge(ROOM, "{\"type\":3}");
	}
	log_is(a, "message bob 1 one\ngap bob 2-2\nmessage bob 3 three\n",
		"who hears others, and not its question, gives up");
	SAYS("5", "five\"");
	pass(30 * 1000);
	log_is(a, "", "who hears nothing at all waits");
	pass(60 * 1000);
	log_is(a, "gap bob 4-4\nmessage bob 5 five\n", "but not for ever");
	forget_all();
}

/* Asks for all that was said, for an inbox of that number. */
static void
ask_for_all(int inbox)
{
	char question[160];

	snprintf(question, sizeof(question),
		"{\"type\":6,\"inbox\":\"/mcafee/client/x%d\","
		"\"since\":0,\"until\":9000000000000}",
		inbox);
	forge(ROOM, question);
}

static void
test_offers(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(2000);
	for (int i = 0; i < 40; i++)
		ask_for_all(i);
	pass(70 * 1000);
	SAYS("1", "one\"");
	published = 0;
	ask_for_all(99);
	pass(600);
	ok(published == 1,
		"who had nothing to offer offers what came afterwards");
	is_full = true;
	forge(a->inbox,
		"{\"type\":6,\"UID\":\"" UID_OF_2 "\",\"want\":[[1,1]],"
		"\"inbox\":\"/mcafee/client/slow\"}");
	pass(5000);
	const struct member_counts *counts = member_counts(a->member);
	ok(counts->served == 0, "a repair waits for what is on its way");
	ok(member_deadline(a->member) >= now.mono, "at rest");
	is_full = false;
	pass(100);
	ok(counts->served == 1, "and is sent then");
	forget_all();
}

/* A ping of a peer that claims to have seen the first posts of strangers, and
 * names an inbox that is not its own. */
static void
forge_heads(const char *uid, int count, int64_t ms)
{
	struct text ping = { 0 };

	text_appendf(&ping,
		"{\"type\":2,\"user\":\"eve\",\"UID\":\"%s\",\"last\":0,"
		"\"since\":1,\"app\":\"x\","
		"\"inbox\":\"/mcafee/client/victim\",\"heads\":[",
		uid);
	for (int i = 0; i < count; i++)
		text_appendf(&ping, "%s[\"f%d\",1,%lld,-1]", i > 0 ? "," : "",
			i, (long long)ms);
	text_append_string(&ping, "]}");
	forge(ROOM, ping.bytes);
	text_free(&ping);
}

static void
test_forged_heads(void)
{
	struct peer *a = add("alice", true);
	const struct member_counts *counts;

	connect_peer(a, "a1");
	pass(3000);
	counts = member_counts(a->member);
	forge_heads("e1", 32, now.wall);
	pass(30 * 1000);
	log_is(a, "here eve\n", "many strangers are no gaps");
	ok(counts->asked <= 3, "and few questions");
	forge_heads("e1", 7, now.wall);
	pass(30 * 1000);
	log_is(a, "", "nor are few of which one alone tells");
	ok(counts->asked <= 3 + 2 * 7, "and that are two questions each");
	forge_heads("e1", 1, now.wall);
	forge_heads("e2", 1, now.wall);
	pass(30 * 1000);
	log_is(a, "here eve\ngap  1-1\n", "of what two tell it is said");
	forget_all();
}

/* The number behind a key of what was published, or -1. */
static int64_t
number_of(const struct text *published_bytes, const char *key)
{
	const char *at = memmem(published_bytes->bytes, published_bytes->len,
		key, strlen(key));

	return at != NULL ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* What was said long ago, while a bridge was down. */
static void
test_long_partition(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(20 * 60 * 1000);
	int64_t ms = now.wall - 15 * 60 * 1000;
	forge_heads("e1", 10, ms);
	pass(50);
	int64_t since = number_of(&last_slice, "\"since\":");
	ok(since > 0 && since <= ms, "it is asked for, however long ago");
	forget_all();
}

/* Posts of a host whose clock is wrong. */
static void
test_wrong_clock(void)
{
	struct peer *a = add("alice", true);
	char text[200], minute[40];

	connect_peer(a, "a1");
	pass(2 * 60 * 1000);
	for (int i = 1; i <= 9; i++) {
		snprintf(text, sizeof(text),
			"{\"type\":1,\"user\":\"x\",\"UID\":\"w%d\",\"seq\":1,"
			"\"once\":true,\"ms\":%lld,\"message\":\"m\"}",
			i,
			(long long)now.wall +
				(i < 9 ? 86400000 + i * INT64_C(60000) : 0));
		forge(ROOM, text);
	}
	snprintf(minute, sizeof(minute), "[%lld,\"",
		(long long)now.wall / 60000);
	pass(3 * 60 * 1000);
	const char *at = memmem(last_here.bytes, last_here.len, minute,
		strlen(minute));
	ok(at != NULL && strncmp(at + strlen(minute), "0000000000000000", 16),
		"those far ahead do not displace the minutes that are told");
	forget_all();
}

static int64_t behind_ms; /* the clock of who signs */
static const char *signer = "f";
static int clocks_told;

static void
on_vouch(void *context, const struct trust_claim *claim, struct trust *trust)
{
	(void)context;
	(void)claim;
	*trust = (struct trust){ .mark = TRUST_GOOD,
		.sent = now.wall - behind_ms };
	strcpy(trust->fingerprint, signer);
}

static void
on_clock(void *context, int64_t off)
{
	(void)context;
	clocks_told++;
	ok(off == -behind_ms, "our clock is told by how much it is wrong");
}

/* In the place of a member that cannot judge. */
static void
judge_as(struct peer *peer, const char *fingerprint)
{
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "1",
		.inbox = peer->inbox,
		.app = "test/1",
		.fingerprint = fingerprint,
		.participant = true,
		.proof_ms = 5000,
		.seed = 1 };
	struct member_calls calls = member_calls_of(peer);

	member_free(peer->member);
	calls.vouch = on_vouch;
	calls.clock = on_clock;
	peer->member = member_new(&config, &calls);
	connect_peer(peer, "a1");
	pass(60 * 1000);
	text_clear(&peer->log);
}

/* A sender whose clock is behind by more than it and we are here. */
static void
test_slow_clock(void)
{
	struct peer *a = add("alice", true);
	char text[200];

	judge_as(a, NULL);
	behind_ms = 300 * 1000;
	snprintf(text, sizeof(text),
		"{\"type\":1,\"user\":\"bob\",\"UID\":\"" UID_OF_2
		"\",\"seq\":3,\"ms\":%lld,\"since\":%lld,"
		"\"message\":\"three\"}",
		(long long)(now.wall - behind_ms),
		(long long)(now.wall - behind_ms) - 10 * 1000);
	forge(ROOM, text);
	behind_ms = 0;
	log_is(a, "", "what began after we came is missed from its start");
	pass(20 * 1000);
	log_is(a, "gap bob 1-2\nmessage bob 3 three\n", "and told");
	forget_all();
}

/* What one with this certificate says, a day ago by our clock or now. */
static void
forge_signed(const char *fingerprint, bool is_stale, const char *text)
{
	signer = fingerprint;
	behind_ms = is_stale ? 86400000 : 0;
	forge(ROOM, text);
	signer = "f";
}

/* Who asks with a clock that is wrong has answers, by which it sees that. */
static void
test_stale_question(void)
{
	struct peer *a = add("alice", true);

	judge_as(a, "own");
	published = 0;
	forge_signed("f", true,
		"{\"type\":3,\"inbox\":\"/mcafee/client/late\",\"wait\":100}");
	behind_ms = 0;
	pass(1000);
	ok(published == 1, "a question that is stale has an answer");
	published = 0;
	forge_signed("f", true, "{\"type\":3}");
	behind_ms = 0;
	pass(2000);
	ok(published == 0, "but for one into the room");
	forget_all();
}

/* Two others whom our clock speaks against, whatever we say ourselves. */
static void
test_own_clock(void)
{
	static const char here[] = "{\"type\":2,\"user\":\"x\",\"UID\":\"u\"}";
	struct peer *a = add("alice", true);

	judge_as(a, "own");
	clocks_told = 0;
	forge_signed("f", true, here);
	forge_signed("f", true, here);
	ok(clocks_told == 0, "one alone says nothing of our clock");
	forge_signed("g", false, here);
	forge_signed("h", true, here);
	ok(clocks_told == 0, "nor do two, and one whose clock is ours");
	forge_signed("own", false, here);
	forge_signed("f", true, here);
	ok(clocks_told == 1, "but two do, whatever is ours");
	behind_ms = 0;
	forget_all();
}

/* As it looks when it was sealed and opened again. */
static void
on_publish_to(void *context, const char *topic, const unsigned char *key,
	struct span bytes)
{
	struct span fields[4];
	struct dxl_message event;
	struct text out = { 0 };
	struct fault fault;

	(void)key;
	if (dxl_parse(&event, bytes, &fault) < 0)
		return;
	struct dxl_message opened = event;
	fields[0] = span_of("qchat.sealed");
	fields[1] = span_of("direct");
	fields[2] = span_of("qchat.topic");
	fields[3] = span_of(ROOM);
	opened.other_fields.items = fields;
	opened.other_fields.count = 4;
	dxl_format(&opened, &out);
	on_publish(context, topic, (struct span){ out.bytes, out.len });
	text_free(&out);
	dxl_message_free(&event);
}

static void
on_receipt(void *context, int64_t number, const struct trust *trust)
{
	struct peer *peer = context;

	text_appendf(&peer->log, "receipt %lld %s\n", (long long)number,
		trust->fingerprint);
}

/* A peer that says it is the n-th, from 1. */
static struct peer *
add_signing_as(const char *user, size_t n)
{
	struct peer *peer = add(user, true);
	struct member_calls calls = member_calls_of(peer);
	char uid[33];

	calls.vouch = on_vouch;
	calls.publish_to = on_publish_to;
	calls.receipt = on_receipt;
	member_free(peer->member);
	snprintf(uid, sizeof(uid), "%032zx", n);
	const struct member_config config = { .room = "ops",
		.user = user,
		.uid = uid,
		.inbox = peer->inbox,
		.app = "test/1",
		.participant = true,
		.fingerprint = "f",
		.proof_ms = 5000,
		.seed = peer_count };
	peer->member = member_new(&config, &calls);
	return peer;
}

static struct peer *
add_signing(const char *user)
{
	return add_signing_as(user, peer_count + 1);
}

static int64_t
say_to(struct peer *peer, struct peer *to, int64_t number, const char *text)
{
	static const unsigned char key[TRUST_KEY_BYTES];
	const struct member_post post = { .text = span_of(text), .lines = -1 };
	/* The same one, twice: the second is a double. */
	const struct member_place places[] = { { to->inbox, key },
		{ to->inbox, key } };
	struct fault fault;

	return member_say_to(peer->member, &post, number, places, 2, now,
		&fault);
}

static void
test_directs(void)
{
	struct peer *a = add_signing("alice"), *b = add_signing("bob"),
		    *c = add_signing("carol");

	connect_peer(a, "a1");
	connect_peer(b, "b1");
	connect_peer(c, "c1");
	pass(3000);
	for (size_t i = 0; i < peer_count; i++)
		text_clear(&peers[i].log);
	say(a, "to all", -1);
	ok(say_to(a, b, 0, "one") == 1 && say_to(a, c, 0, "two") == 2 &&
			say_to(a, b, 0, "three") == 3,
		"to one alone is counted apart");
	pass(100);
	log_is(b,
		"message alice 1 to all\ndirect alice 1 one\n"
		"direct alice 3 three\n",
		"each is there, once");
	log_is(c, "message alice 1 to all\ndirect alice 2 two\n",
		"and who is alone hears nothing else");
	log_is(a,
		"proved 1-1\nreceipt 1 f\nreceipt 1 f\nreceipt 2 f\n"
		"receipt 2 f\nreceipt 3 f\nreceipt 3 f\n",
		"receipts say of which message they are");
	say(a, "behind", -1);
	pass(60 * 1000);
	log_is(b, "message alice 2 behind\n", "in the room nothing is missed");

	text_clear(&a->log);
	say_to(a, b, 3, "three");
	say_to(a, b, 2, "once more");
	pass(100);
	log_is(b, "direct alice 2 once more\n",
		"what is said again is there once, behind others too");
	log_is(a, "receipt 3 f\nreceipt 3 f\nreceipt 2 f\nreceipt 2 f\n",
		"and has a receipt each time");
	say_to(a, b, 100, "far on");
	say_to(a, b, 37, "near");
	say_to(a, b, 36, "old");
	pass(100);
	log_is(b, "direct alice 100 far on\ndirect alice 37 near\n",
		"what may have been there is not shown");
	log_is(a, "receipt 100 f\nreceipt 100 f\nreceipt 37 f\nreceipt 37 f\n",
		"and has none");
	forget_all();
}

/* Nobody says to us alone what would pass for our own. */
static void
test_direct_as_us(void)
{
	struct peer *b = add_signing("bob"), *m = add_signing_as("mallory", 1);

	connect_peer(b, "b1");
	pass(3000);
	m->online = true;
	text_clear(&b->log);
	say_to(m, b, 7, "trust me");
	pass(100);
	log_is(b, "ignored\nignored\n",
		"a direct message under our own UID is not shown");
	log_is(m, "", "and has no receipt");
	ok(member_counts(b->member)->forged == 2, "it is counted as forged");
	forget_all();
}

/* In a large room a question to all is answered by a share of it. */
static void
test_crowd(void)
{
	struct peer *a = add("alice", true);
	char here[100];

	connect_peer(a, "a1");
	pass(2000);
	for (int i = 0; i < 800; i++) {
		snprintf(here, sizeof(here),
			"{\"type\":2,\"user\":\"x\",\"UID\":\"c%d\","
			"\"app\":\"x\"}",
			i);
		forge(ROOM, here);
	}
	pass(10000);
	published = 0;
	for (int i = 0; i < 40; i++) {
		forge(ROOM, "{\"type\":3}");
		pass(1100);
	}
	ok(published >= 4 && published <= 16,
		"one of four answers a question without an inbox");
	text_clear(&a->log);
	SAYS("1", "one\"");
	SAYS("3", "three\"");
	pass(150);
	forge(ROOM,
		"{\"type\":6,\"UID\":\"" UID_OF_2 "\",\"want\":[[2,2]],"
		"\"inbox\":\"/mcafee/client/other\"}");
	pass(1000);
	ok(member_counts(a->member)->asked == 0,
		"who misses what others miss lets one of them ask");
	pass(20000);
	log_is(a, "message bob 1 one\ngap bob 2-2\nmessage bob 3 three\n",
		"and gives up all the same");
	forget_all();
}

static void
test_proof(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(2000);
	text_clear(&a->log);
	swallow = true;
	say(a, "lost", -1);
	pass(2400);
	log_is(a, "", "an echo may take its time");
	pass(200);
	log_is(a, "retry\n", "half of it, then a fresh connection");
	member_disconnected(a->member, now);
	pass(60 * 1000);
	log_is(a, "", "which may take its time too");
	connect_peer(a, "a2");
	pass(2400);
	log_is(a, "", "and is given the other half");
	pass(200);
	log_is(a, "unproved 1-1 lost\n", "then it is given up");

	say(a, "again", -1);
	forge(ROOM,
		"{\"type\":1,\"user\":\"alice\",\"UID\":"
		"\"00000000000000000000000000000001\",\"seq\":2,"
		"\"message\":\"again\"}");
	log_is(a, "", "other bytes under our number prove nothing");
	swallow = false;
	published = 0;
	member_disconnected(a->member, now);
	connect_peer(a, "a3");
	ok(published == 3, "the next connection carries it again");
	settle();
	log_is(a, "message alice 2 again\nproved 2-2\n", "and proves it");

	swallow = true;
	say(a, "large", -1);
	for (int i = 0; i < 6; i++) {
		pass(1000);
		member_sending(a->member, now);
	}
	pass(8400);
	log_is(a, "", "on its way it is not late, nor as long on its way back");
	pass(200);
	log_is(a, "retry\n", "then it is");
	forget_all();
}

/* Who alone missed the end of a stream, and that it was told, hears it again.
 */
static void
test_end_of_stream(void)
{
	struct peer *a = add("alice", true);

	is_stream = true;
	struct peer *b = add("bob", false);
	connect_peer(a, "a1");
	connect_peer(b, "b1");
	settle();
	say(b, "one", -1);
	settle();
	a->online = false;
	say(b, "two", -1);
	pass(10 * 1000);
	a->online = true;
	text_clear(&a->log);
	pass(10 * 1000);
	log_is(a, "message bob 2 two\n", "the end of a stream is told again");
	published = 0;
	pass(3600 * 1000);
	ok(published < 100, "more and more seldom: %zu in an hour, with pings",
		published);
	say(b, "three", -1);
	settle();
	member_finish(b->member, now);
	settle();
	pass(MEMBER_PING_MS);
	published = 0;
	pass(MEMBER_PING_MS);
	ok(published <= 1, "and not when it is over");
	forget_all();
}

/* What is large may be late where nothing but a marker behind it tells that it
 * has come to the broker. */
static void
test_large(void)
{
	enum { SECONDS = 10, RATE = 32 * 1024 };
	char *large = memory_alloc(SECONDS * RATE, 1);

	memset(large, 'x', SECONDS * RATE - 1);
	struct peer *a = add("alice", true);
	connect_peer(a, "a1");
	pass(3000);
	published = 0;
	say(a, large, -1);
	ok(published == 1, "what is acknowledged has no marker behind it");
	forget_all();

	is_unacknowledged = true;
	a = add("alice", true);
	connect_peer(a, "a1");
	pass(3000);
	text_clear(&a->log);
	published = 0;
	say(a, "small", -1);
	ok(published == 1, "nor has what is small");
	say(a, large, -1);
	ok(published == 3, "what is large has one where nothing is");
	settle();
	ok(strstr(a->log.bytes, "\nproved 2-2\n") != NULL,
		"its echo comes before that");
	text_clear(&a->log);
	pass(5000);
	log_is(a, "", "and that is all");

	swallow = true;
	say(a, large, -1);
	pass(SECONDS * 1000 + 2400);
	log_is(a, "", "without a marker it has the time of a slow network");
	pass(200);
	log_is(a, "retry\n", "and no more");
	forget_all();

	is_unacknowledged = is_denied = true;
	a = add("alice", true);
	connect_peer(a, "a1");
	pass(3000);
	text_clear(&a->log);
	say(a, large, -1);
	pass(2400);
	log_is(a, "", "an echo may take its time");
	published = 0;
	pass(200);
	log_is(a, "retry\n", "but with the marker there is none to come");
	ok(published == 0, "and no other is asked for");
	forget_all();
	free(large);
}

/* Lets the time for a proof go by, on one connection and the next. */
static void
pass_in_vain(struct peer *peer, const char *conn)
{
	pass(2600);
	member_disconnected(peer->member, now);
	connect_peer(peer, conn);
	pass(2600);
}

static bool
say_again(struct peer *peer, int64_t first)
{
	struct fault fault;

	return member_say_again(peer->member, first, now, &fault) == 0;
}

/* What was given up is said again: nobody sees it twice. */
static void
test_again(void)
{
	struct peer *a = add("alice", true), *b = add("bob", true);

	connect_peer(a, "a1");
	connect_peer(b, "b1");
	pass(3000);
	text_clear(&a->log);
	text_clear(&b->log);
	swallow = true;
	say(a, "denied", -1);
	pass_in_vain(a, "a2");
	log_is(a, "retry\nunproved 1-1 denied\n", "what is denied is given up");
	ok(member_unproved(a->member) == 0 && member_given_up(a->member) == 1 &&
			member_given_up_at(a->member, 0).first == 1,
		"and kept");
	swallow = false;
	member_disconnected(a->member, now);
	connect_peer(a, "a3");
	pass(3000);
	log_is(a, "", "it is not said again by itself");
	ok(!say_again(a, 2), "nor is what was never said");
	ok(say_again(a, 1), "but when that is wanted");
	ok(member_unproved(a->member) == 1 && member_given_up(a->member) == 0,
		"it waits for its proof, as before");
	ok(!say_again(a, 1), "once is enough");
	settle();
	log_is(a, "message alice 1 denied\nproved 1-1\n", "which it has now");
	pass(60 * 1000);
	ok(memmem(b->log.bytes, b->log.len, "message alice 1 denied", 22) !=
			NULL,
		"others hear it");
	text_clear(&b->log);

	a->in_room = false;
	say(a, "heard", -1);
	pass_in_vain(a, "a4");
	log_is(a, "retry\nunproved 2-2 heard\n", "one has no echo");
	log_is(b, "message alice 2 heard\n", "and was heard");
	a->in_room = true;
	ok(say_again(a, 2), "it is said again");
	settle();
	log_is(a, "message alice 2 heard\nproved 2-2\n", "with an echo");
	log_is(b, "", "who has it hears nothing new");
	forget_all();
}

/* Who came after it was given up, and has heard more since, has it too: but
 * only what is said again, and once. */
static void
test_again_for_newcomer(void)
{
	struct peer *a = add("alice", true), *b;

	connect_peer(a, "a1");
	pass(3000);
	say(a, "one", -1);
	pass(100);
	swallow = true;
	say(a, "two\nlines", 2);
	pass_in_vain(a, "a2");
	swallow = false;
	say(a, "four", -1);
	pass(5000);
	b = add("bob", true);
	connect_peer(b, "b1");
	pass(3000);
	say(a, "five", -1);
	pass(100);
	text_clear(&b->log);
	ok(say_again(a, 2), "two lines are said again");
	char *bytes = memory_copy(queue[0].bytes, queue[0].len);
	struct span twice = { bytes, queue[0].len };
	pass(100);
	log_is(b, "message alice 2 two late\nmessage alice 3 lines late\n",
		"who came meanwhile has them");
	hand_out(ROOM, twice);
	forge(ROOM,
		"{\"type\":1,\"user\":\"alice\",\"UID\":"
		"\"00000000000000000000000000000001\",\"seq\":1,"
		"\"message\":\"one\"}");
	log_is(b, "", "once, and nothing else from before");
	pass(60 * 1000);
	log_is(b, "", "and misses nothing");
	free(bytes);
	forget_all();
}

/* Another process goes on from what the last one of this peer saved. */
static void
replace_process(struct peer *peer, const char *conn)
{
	struct text state = { 0 };
	struct fault fault;

	member_save(peer->member, now, NULL, 0, &state);
	peer->online = false;
	struct peer *next = add("bob", true);
	ok(member_restore(next->member, (struct span){ state.bytes, state.len },
		   &fault) == 0,
		"what was saved is read");
	text_free(&state);
	connect_peer(next, conn);
	pass(3000);
	text_clear(&next->log);
}

/* Where others began for us, and what of before was said again since, is
 * known after a restart, too. */
static void
test_again_for_restarted(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(3000);
	swallow = true;
	say(a, "one", -1);
	say(a, "two", -1);
	pass_in_vain(a, "a2");
	swallow = false;
	say(a, "three", -1);
	pass(5000);
	connect_peer(add("bob", true), "b1");
	pass(3000);
	say(a, "four", -1);
	pass(3000);
	replace_process(&peers[1], "b2");
	ok(say_again(a, 1), "one is said again");
	char *bytes = memory_copy(queue[0].bytes, queue[0].len);
	struct span twice = { bytes, queue[0].len };
	pass(100);
	log_is(&peers[2], "message alice 1 one late\n",
		"who came meanwhile, and began anew, has it");
	replace_process(&peers[2], "b3");
	hand_out(ROOM, twice);
	log_is(&peers[3], "", "once");
	ok(say_again(a, 2), "two is said again");
	pass(100);
	log_is(&peers[3], "message alice 2 two late\n", "and is there, too");
	free(bytes);
	forget_all();
}

/* What was said again, came, and was not used, is the same as if it had not:
 * nothing else comes twice. */
static void
test_again_not_used(void)
{
	struct peer *a = add("alice", true), *b;
	struct text state = { 0 };
	struct member_rewind rewind = { .seq = 2, .is_late = true };

	connect_peer(a, "a1");
	pass(3000);
	swallow = true;
	say(a, "one\ntwo\nthree", 3);
	pass_in_vain(a, "a2");
	swallow = false;
	say(a, "four", -1);
	pass(5000);
	b = add("bob", true);
	connect_peer(b, "b1");
	pass(3000);
	say(a, "five", -1);
	pass(3000);
	ok(say_again(a, 1), "three lines are said again");
	pass(3000);
	snprintf(rewind.uid, sizeof(rewind.uid), "%032d", 1);
	member_save(b->member, now, &rewind, 1, &state);
	ok(strstr(state.bytes,
		   "\n5:5:1-1 00000000000000000000000000000001\n") != NULL,
		"of which two were not used");
	text_free(&state);
	forget_all();
}

/* The echo of what was given up comes after all; and what is kept is
 * bounded. */
static void
test_late_echo(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(3000);
	a->in_room = false;
	say(a, "slow", -1);
	char *bytes = memory_copy(queue[0].bytes, queue[0].len);
	struct span echo = { bytes, queue[0].len };
	pass_in_vain(a, "a2");
	text_clear(&a->log);
	a->in_room = true;
	hand_out(ROOM, echo);
	log_is(a, "message alice 1 slow\nproved 1-1\n",
		"an echo proves what was given up");
	ok(member_given_up(a->member) == 0 && !say_again(a, 1),
		"so that it is not said again");
	free(bytes);

	swallow = true;
	for (int i = 0; i < MEMBER_GIVEN_UP_MAX + 1; i++)
		say(a, "denied", -1);
	pass_in_vain(a, "a3");
	ok(member_given_up(a->member) == MEMBER_GIVEN_UP_MAX &&
			member_given_up_at(a->member, 0).first == 3 &&
			member_over(a->member).given_up == 1,
		"of too many the oldest goes, and is counted");
	forget_all();
}

static void
test_unconfirmed(void)
{
	struct peer *a = add("alice", false);

	a->online = false; /* it does not read the room */
	member_free(a->member);
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "1",
		.inbox = a->inbox,
		.app = "test/1",
		.unconfirmed = true,
		.show_own = true,
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = member_calls_of(a);
	a->member = member_new(&config, &calls);
	say(a, "one", -1);
	member_connected(a->member, "a1", now);
	log_is(a, "", "what is on its way is not yet there");
	member_disconnected(a->member, now);
	published = 0;
	member_connected(a->member, "a2", now);
	member_up(a->member, now);
	ok(published == 1, "a connection that did not stand lost nothing");
	member_sent(a->member, now);
	log_is(a, "message alice 1 one\nproved 1-1\n", "then it is sent");
	forget_all();
}

/* Two posts of earlier processes, of which one awaits no echo. */
static void
test_resent_unconfirmed(void)
{
	struct peer *a = add("alice", false);
	struct peer *b = add("bob", false);
	struct fault fault = { 0 };

	say(a, "one", -1);
	say(b, "two", -1);
	struct member_kept one = member_unproved_at(a->member, 0);
	struct member_kept two = member_unproved_at(b->member, 0);
	struct peer *c = add("carol", false);
	ok(!one.unconfirmed, "an echo is awaited");
	c->online = false; /* nothing comes back */
	ok(member_resend(c->member, one.envelope, false, now, &fault) == 0 &&
			member_resend(c->member, two.envelope, true, now,
				&fault) == 0 &&
			member_unproved_at(c->member, 1).unconfirmed,
		"two are said again, one without an echo");
	member_connected(c->member, "c1", now);
	member_up(c->member, now);
	published = 0;
	member_sent(c->member, now);
	ok(member_unproved(c->member) == 1 &&
			strcmp(member_unproved_at(c->member, 0).uid, one.uid) ==
				0,
		"what is sent proves the one, not the other");
	ok(published == 1, "who said it says goodbye");
	forget_all();
}

static void
test_legacy(void)
{
	struct peer *a = add("alice", true);

	connect_peer(a, "a1");
	pass(4000);
	forge(ROOM,
		"{\"type\": 1, \"message\": \"hello\", \"time\": "
		"1492703939.123456, \"user\": \"jesse\"}");
	forge(ROOM,
		"{\"type\": 1, \"message\": \"hello\", \"time\": "
		"1492703939.123456, \"user\": \"jesse\"}");
	log_is(a, "message jesse -1 hello\nmessage jesse -1 hello\n",
		"without UID and number each message counts");
	forge(ROOM,
		"{\"type\": 2, \"time\": \"1506625783\", \"user\": \"j\", "
		"\"UID\": \"any unique string\"}");
	forge(ROOM,
		"{\"type\": 4, \"time\": \"1506625783\", \"user\": \"j\", "
		"\"UID\": \"any unique string\"}");
	log_is(a, "join j\nleave j\n", "comes and goes");
	forge(ROOM, "{\"type\": 9}");
	forge("/mcafee/event/qchat/ops", "junk");
	log_is(a, "ignored\nignored\n", "what is not understood is ignored");
	forge(ROOM,
		"{\"type\": 2, \"user\": \"x\", \"UID\": "
		"\"ab\\u0000cd\"}");
	log_is(a, "ignored\n", "a UID with a NUL is none");
	pass(301 * 1000);
	log_is(a, "", "and nobody's to forget");
	forget_all();
}

/* A member that wants the newest ten messages; connected. */
static struct peer *
add_newcomer(void)
{
	struct peer *a = add("alice", true);

	member_free(a->member);
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "1",
		.inbox = a->inbox,
		.app = "test/1",
		.participant = true,
		.catch_up_records = 10,
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = member_calls_of(a);
	a->member = member_new(&config, &calls);
	connect_peer(a, "a1");
	pass(50);
	return a;
}

static void
offer(struct peer *to, const char *inbox, int have, const char *rest)
{
	struct text payload = { 0 };

	text_appendf(&payload,
		"{\"type\":7,\"since\":0,\"until\":%lld,\"have\":%d,"
		"\"inbox\":\"/mcafee/client/%s\",%s}",
		(long long)number_of(&last_slice, "\"until\":"), have, inbox,
		rest);
	forge(to->inbox, payload.bytes);
	text_free(&payload);
}

static void
test_false_offers(void)
{
	struct peer *a = add_newcomer();

	to_good = 0;
	offer(a, "evil", 1, "\"records\":1000000");
	offer(a, "good", 1, "\"records\":1,\"digest\":\"00000000000000bb\"");
	pass(300);
	ok(to_good == 1 && !member_is_caught_up(a->member),
		"an offer without a digest, or of too much, is none");
	forget_all();

	a = add_newcomer();
	to_good = 0;
	for (int i = 0; i < 2; i++) {
		offer(a, "evil", 9,
			"\"records\":9,\"digest\":\"00000000000000aa\"");
		offer(a, "good", 1,
			"\"records\":1,\"digest\":\"00000000000000bb\"");
		pass(300);
		ok(to_good == (size_t)i,
			i == 0 ? "who offers most is asked"
			       : "who did not send it is not asked again");
		pass(2700);
	}
	log_is(a, "ignored\nignored\n", "and that is told each time");
	forget_all();

	a = add_newcomer();
	int64_t until = number_of(&last_slice, "\"until\":");
	member_disconnected(a->member, now);
	pass(60 * 1000);
	connect_peer(a, "a2");
	pass(50);
	ok(number_of(&last_slice, "\"until\":") == until,
		"after a lost link the same is asked for");
	pass(5500);
	ok(number_of(&last_slice, "\"until\":") >= until + 60 * 1000,
		"and then what was said meanwhile");
	forget_all();
}

/* What would be too large for a broker when it is sent again in the room. */
static void
test_large_repair(void)
{
	struct peer *a = add("alice", true);
	struct text payload = { 0 };
	const struct member_counts *counts;

	connect_peer(a, "a1");
	pass(2000);
	counts = member_counts(a->member);
	text_append_string(&payload,
		"{\"type\":1,\"user\":\"bob\",\"UID\":\"" UID_OF_2
		"\",\"seq\":1,\"message\":\"");
	for (int i = 0; i < 300000; i++)
		text_append_string(&payload, "\\\"");
	text_append_string(&payload, "\"}");
	forge(ROOM, payload.bytes);
	forge(ROOM,
		"{\"type\":6,\"UID\":\"" UID_OF_2 "\",\"want\":[[1,1]],"
		"\"inbox\":\"/mcafee/client/x\"}");
	pass(1000);
	ok(counts->served == 0, "is not");
	forge(a->inbox,
		"{\"type\":6,\"UID\":\"" UID_OF_2 "\",\"want\":[[1,1]],"
		"\"inbox\":\"/mcafee/client/x\"}");
	pass(1000);
	ok(counts->served == 1, "but to an inbox it goes as it was");
	text_free(&payload);
	forget_all();
}

static void
test_times(void)
{
	struct peer *a = add("alice", true);
	char question[160];

	connect_peer(a, "a1");
	pass(2000);
	SAYS("1", "one\"");
	for (int i = 0; i < 20; i++) {
		snprintf(question, sizeof(question),
			"{\"type\":6,\"inbox\":\"/mcafee/client/t%d\","
			"\"since\":0,\"until\":9000000000000,\"skip\":1}",
			i);
		forge(a->inbox, question);
	}
	published = 0;
	member_tick(a->member, now);
	ok(published == 1, "of many questions for a time one is looked up");
	ok(member_deadline(a->member) <= now.mono, "and then the next");
	forget_all();
}

/* So many are heard that the oldest has to be forgotten. */
static void
test_many_senders(void)
{
	struct peer *a = add("alice", true);
	char here[100];

	connect_peer(a, "a1");
	pass(2000);
	SAYS("1", "one\"");
	SAYS("3", "three\"");
	for (int i = 0; i < 66000; i++) {
		snprintf(here, sizeof(here),
			"{\"type\":2,\"user\":\"x\",\"UID\":\"s%d\","
			"\"app\":\"x\",\"last\":0,\"since\":1}",
			i);
		forge(ROOM, here);
	}
	text_clear(&a->log);
	pass(20 * 1000);
	log_is(a, "gap bob 2-2\nmessage bob 3 three\n",
		"not one of which a message is held");
	forget_all();
}

/* What is live waits for what was before, but not for ever: whoever says that
 * there is always more must not hold it back. */
static void
test_endless_catch_up(void)
{
	struct peer *a = add("alice", true);
	struct text payload = { 0 };

	member_free(a->member);
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "1",
		.inbox = a->inbox,
		.app = "test/1",
		.participant = true,
		.catch_up_records = 10,
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = member_calls_of(a);
	a->member = member_new(&config, &calls);
	connect_peer(a, "a1");
	pass(50);
	int64_t until = now.wall; /* it has asked in this tick */
	forge(ROOM,
		"{\"type\":1,\"user\":\"bob\",\"UID\":\"" UID_OF_2
		"\",\"seq\":1,\"message\":\"live\"}");
	for (int i = -1; i < 60; i++) {
		text_clear(&payload);
		text_appendf(&payload,
			"{\"type\":7,\"have\":1000000,\"records\":1000000,"
			"\"digest\":\"00000000000000aa\",\"since\":0,"
			"\"until\":%lld,\"inbox\":\"/mcafee/client/{evil}\"",
			(long long)until);
		if (i >= 0)
			text_appendf(&payload, ",\"skip\":%d,\"sent\":64",
				i * 64);
		text_append_char(&payload, '}');
		forge(a->inbox, payload.bytes);
		if (i == 10)
			log_is(a, "", "what is live waits");
		pass(1000);
	}
	log_is(a, "message bob 1 live\n", "but not for ever");
	text_free(&payload);
	forget_all();
}

/* Somebody asks alice for her messages first to last. */
static void
ask_for(int first, int last)
{
	char question[256];

	snprintf(question, sizeof(question),
		"{\"type\":6,\"UID\":\"00000000000000000000000000000001\","
		"\"want\":[[%d,%d]],\"inbox\":\"/mcafee/client/x%d\"}",
		first, last, first);
	forge(ROOM, question);
}

/* With other limits than the usual ones. */
static void
test_quotas(void)
{
	struct peer *a = add_with("alice", true,
		(struct quotas){ .participants = 3,
			.repairs_waiting = 2,
			.repair_bytes = 1 });
	const struct member_counts *counts = member_counts(a->member);

	connect_peer(a, "a1");
	pass(100);
	for (int i = 0; i < 5; i++) {
		char here[100];

		snprintf(here, sizeof(here),
			"{\"type\":2,\"user\":\"u\",\"UID\":\"u%d\"}", i);
		forge(ROOM, here);
	}
	ok(roster_count(member_roster(a->member)) == 3,
		"three participants are remembered");
	ok(member_over(a->member).participants == 3, "and three forgotten");
	for (int i = 0; i < 5; i++)
		say(a, "text", -1);
	pass(1000);
	for (int i = 1; i <= 5; i++)
		ask_for(i, i);
	pass(1000);
	ok(counts->served == 2, "two requests wait");
	ok(member_over(a->member).repairs_waiting == 3, "three do not");
	ask_for(1, 5);
	pass(1000);
	ok(counts->served == 3, "of what is more than may be sent, the first");
	ok(member_over(a->member).repair_bytes == 1, "once");
	forget_all();
}

int
main(void)
{
	test_presence();
	test_question();
	test_clear_question();
	test_ping();
	test_will();
	test_posts();
	test_order();
	test_read_only();
	test_offers();
	test_forged_heads();
	test_crowd();
	test_long_partition();
	test_wrong_clock();
	test_slow_clock();
	test_stale_question();
	test_own_clock();
	test_directs();
	test_direct_as_us();
	test_proof();
	test_end_of_stream();
	test_large();
	test_again();
	test_again_for_newcomer();
	test_again_for_restarted();
	test_again_not_used();
	test_late_echo();
	test_unconfirmed();
	test_resent_unconfirmed();
	test_endless_catch_up();
	test_false_offers();
	test_large_repair();
	test_times();
	test_many_senders();
	test_legacy();
	test_quotas();
	return done();
}
