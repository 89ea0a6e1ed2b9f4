/* SPDX-License-Identifier: Apache-2.0 */
/* Introductions, messages that wait for a key, and names. */
#include "guard.h"
#include "authority.h"
#include "dxl.h"
#include "identity.h"
#include "memory.h"
#include "names.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define ROOM "/mcafee/event/qchat/ops"

enum {
	PAYLOAD_MAX = 256,
	WAITING_MAX = 64, /* messages for one key */
};

/* Somebody with a certificate. */
struct peer {
	char *inbox;
	struct identity *identity;
	struct signer *signer;
	struct verifier *verifier;
	struct guard *guard;
	struct text passed;    /* payloads, each with a line feed */
	struct text published; /* the newest */
	char topic[PAYLOAD_MAX];
	struct text changed;
};

static int64_t mono = 1000, wall;
static char folder[64];

static struct span
span(const struct text *text)
{
	return (struct span){ text->bytes, text->len };
}

static void
on_pass(void *context, struct span topic, struct span bytes)
{
	struct peer *peer = context;
	struct dxl_message event;
	struct fault fault;

	(void)topic;
	if (dxl_parse(&event, bytes, &fault) < 0)
		return;
	text_append(&peer->passed, event.payload.bytes, event.payload.len);
	text_append_char(&peer->passed, '\n');
	dxl_message_free(&event);
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	struct peer *peer = context;

	snprintf(peer->topic, sizeof(peer->topic), "%s", topic);
	text_clear(&peer->published);
	text_append(&peer->published, bytes.bytes, bytes.len);
}

static void
on_changed(void *context, struct span user, const char *seen,
	const char *fingerprint)
{
	struct peer *peer = context;

	text_append(&peer->changed, user.bytes, user.len);
	text_appendf(&peer->changed, " %.4s %.4s\n", seen, fingerprint);
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	struct text text = { 0 };
	int c;

	while (file != NULL && (c = getc(file)) != EOF)
		text_append_char(&text, (char)c);
	if (file != NULL)
		fclose(file);
	return text.bytes;
}

/* With a session key of its own. */
static void
begin_session(struct peer *peer, struct quotas quotas)
{
	struct fault fault = { 0 };

	peer->signer = signer_new(peer->identity, wall, &fault);
	const struct guard_config config = { .signer = peer->signer,
		.verifier = peer->verifier,
		.inbox = peer->inbox,
		.waits = true,
		.seed = 1,
		.quotas = quotas };
	const struct guard_calls calls = { peer, on_pass, on_publish,
		on_changed };
	peer->guard = guard_new(&config, &calls);
}

static void
end_session(struct peer *peer)
{
	guard_free(peer->guard);
	signer_free(peer->signer);
}

/* Somebody of this authority. */
static struct peer *
peer_of(const char *authority, const char *name, struct quotas quotas)
{
	struct peer *peer = memory_alloc(1, sizeof(*peer));
	struct fault fault = { 0 };
	char *into = memory_format("%s/%s", folder, name);

	mkdir(into, 0700);
	if (authority_issue_client(authority, into, name, 0, &fault) < 0)
		printf("# %s\n", fault.text);
	struct conf conf = { .file = folder,
		.ca = memory_format("%s/ca.pem", into),
		.certificate = memory_format("%s/certificate.pem", into),
		.key = memory_format("%s/key.pem", into) };
	peer->identity = identity_open(&conf, &fault);
	if (peer->identity == NULL)
		printf("# %s\n", fault.text);
	char *ca = read_file(conf.ca);
	const struct verifier_config verifier = { .ca = span_of(ca),
		.ca_file = "ca.pem" };
	peer->verifier = verifier_new(&verifier, &fault);
	peer->inbox = memory_format("/mcafee/client/{%s}", name);
	begin_session(peer, quotas);
	free(ca);
	free(into);
	free(conf.ca);
	free(conf.certificate);
	free(conf.key);
	return peer;
}

static struct peer *
peer_new(const char *name)
{
	return peer_of(folder, name, (struct quotas){ 0 });
}

static void
peer_free(struct peer *peer)
{
	end_session(peer);
	verifier_free(peer->verifier);
	identity_free(peer->identity);
	text_free(&peer->passed);
	text_free(&peer->published);
	text_free(&peer->changed);
	free(peer->inbox);
	free(peer);
}

/* Appends what a peer says, signed for the room. */
static void
say(struct peer *peer, const char *payload, struct text *out)
{
	struct text envelope = { 0 };
	const struct dxl_message event = { .version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = span_of("{1}"),
		.payload = span_of(payload) };

	dxl_format(&event, &envelope);
	text_clear(out);
	guard_sign(peer->guard, span_of(ROOM), span(&envelope), mono, wall,
		out);
	text_free(&envelope);
}

/* How many headers introduce a key? */
static int
introductions(const struct text *bytes)
{
	struct dxl_message event;
	struct fault fault;

	if (dxl_parse(&event, span(bytes), &fault) < 0)
		return -1;
	int count = (dxl_field(&event, SIGN_BIND_FIELD).len > 0) +
		(dxl_field(&event, SIGN_CERT_FIELD).len > 0);
	dxl_message_free(&event);
	return count;
}

static void
hear(struct peer *peer, const struct text *bytes)
{
	guard_receive(peer->guard, span_of(ROOM), span(bytes), mono, wall);
}

static void
passed_is(struct peer *peer, const char *want, const char *name)
{
	is(peer->passed.len > 0 ? peer->passed.bytes : "", want, name);
	text_clear(&peer->passed);
}

/* What the guard says of a message under this name. */
static struct trust
vouch(struct peer *peer, const struct text *bytes, const char *user)
{
	struct dxl_message event;
	struct fault fault;
	struct trust trust = { .mark = TRUST_BAD };

	if (dxl_parse(&event, span(bytes), &fault) < 0)
		return trust;
	const struct trust_claim claim = { .topic = span_of(ROOM),
		.payload = event.payload,
		.sig = dxl_field(&event, SIGN_SIG_FIELD),
		.bind = dxl_field(&event, SIGN_BIND_FIELD),
		.cert = dxl_field(&event, SIGN_CERT_FIELD),
		.user = span_of(user) };
	guard_vouch(peer->guard, &claim, wall, &trust);
	dxl_message_free(&event);
	return trust;
}

static void
test_introductions(void)
{
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct text bytes = { 0 };

	say(alice, "{\"type\":1}", &bytes);
	ok(introductions(&bytes) == 2, "the first message introduces its key");
	hear(bob, &bytes);
	passed_is(bob, "{\"type\":1}\n", "and needs not wait");
	struct trust trust = vouch(bob, &bytes, "alice");
	ok(trust.mark == TRUST_GOOD, "it is good");
	is(trust.fingerprint, identity_fingerprint(alice->identity),
		"of that certificate");
	ok(trust.sent == wall, "and of that time");
	say(alice, "{\"type\":1}", &bytes);
	ok(introductions(&bytes) == 0, "the next one does not");
	ok(vouch(bob, &bytes, "alice").mark == TRUST_GOOD, "and is good");
	mono += GUARD_INTRODUCE_MS;
	say(alice, "{\"type\":1}", &bytes);
	ok(introductions(&bytes) == 2, "after a minute it does again");
	say(alice, "{\"type\":1}", &bytes);
	guard_connected(alice->guard);
	say(alice, "{\"type\":1}", &bytes);
	ok(introductions(&bytes) == 2, "and on a new connection");

	struct text again = { 0 };
	say(alice, "{\"type\":1,\"n\":2}", &bytes);
	guard_forward(bob->guard, span_of("/mcafee/client/{x}"), span(&bytes),
		mono, &again);
	ok(introductions(&again) == 2, "who passes it on introduces the key");
	ok(vouch(bob, &again, "alice").mark == TRUST_GOOD, "it stays good");
	text_clear(&again);
	guard_forward(bob->guard, span_of("/mcafee/client/{x}"), span(&bytes),
		mono, &again);
	ok(introductions(&again) == 0, "to each inbox once");
	text_free(&again);
	text_free(&bytes);
	peer_free(alice);
	peer_free(bob);
}

static void
test_strangers(void)
{
	char *foreign = memory_format("%s/foreign", folder);
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct text said = { 0 }, bytes = { 0 };
	struct fault fault = { 0 };

	mkdir(foreign, 0700);
	if (authority_make(foreign, "foreign", &fault) < 0)
		printf("# %s\n", fault.text);
	struct peer *eve = peer_of(foreign, "eve", (struct quotas){ 0 });
	say(alice, "{\"type\":1}", &bytes);
	hear(bob, &bytes);
	say(alice, "{\"type\":1,\"n\":2}", &said);
	for (int i = 0; i < GUARD_KEYS_MAX + 1; i++) {
		say(eve, "{\"type\":1}", &bytes);
		hear(bob, &bytes);
		end_session(eve);
		begin_session(eve, (struct quotas){ 0 });
	}
	ok(vouch(bob, &bytes, "eve").mark == TRUST_DOUBTFUL,
		"a stranger with many keys");
	text_clear(&bytes);
	guard_forward(bob->guard, span_of("/mcafee/client/{x}"), span(&said),
		mono, &bytes);
	ok(introductions(&bytes) == 2, "displaces no introduction of others");
	text_free(&said);
	text_free(&bytes);
	peer_free(alice);
	peer_free(bob);
	peer_free(eve);
	free(foreign);
}

/* The authorities are taken anew: what was introduced needs not be again. */
static void
test_other_authorities(void)
{
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct text bytes = { 0 };
	struct fault fault = { 0 };
	char *path = memory_format("%s/bob/ca.pem", folder);
	char *ca = read_file(path);
	const struct verifier_config config = { .ca = span_of(ca),
		.ca_file = "ca.pem" };

	say(alice, "{\"type\":1}", &bytes);
	hear(bob, &bytes);
	text_clear(&bob->passed);
	ok(verifier_trust(bob->verifier, &config, &fault) == 0,
		"the same authority, read again");
	guard_learn_again(bob->guard, wall);
	say(alice, "{\"type\":1,\"n\":2}", &bytes);
	hear(bob, &bytes);
	passed_is(bob, "{\"type\":1,\"n\":2}\n", "nobody has to be asked");
	ok(vouch(bob, &bytes, "alice").mark == TRUST_GOOD, "and it is good");
	text_free(&bytes);
	free(ca);
	free(path);
	peer_free(alice);
	peer_free(bob);
}

/* What is published arrives in the inbox of another. */
static void
deliver_key(struct peer *from, struct peer *to)
{
	struct dxl_message event;
	struct room_message message;
	struct fault fault;

	is(from->topic, to->inbox, "it goes to the inbox");
	if (dxl_parse(&event, span(&from->published), &fault) < 0)
		return;
	struct span about = dxl_field(&event, ROOM_TOPIC_FIELD);
	ok(span_equal(about, span_of(ROOM)), "and says which room it is about");
	if (room_parse(&message, event.payload, &fault) == 0) {
		ok(message.type == ROOM_KEY, "as a type 13");
		guard_hear_key(to->guard, &message, about, mono, wall);
		room_message_free(&message);
	}
	dxl_message_free(&event);
}

#define OF_ALICE(rest)                                             \
	"{\"type\":1,\"message\":\"\",\"inbox\":\"/mcafee/client/" \
	"{alice}\"" rest "}"

static void
test_waiting(void)
{
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct text bytes = { 0 };

	say(alice, OF_ALICE(",\"seq\":1"), &bytes); /* is lost */
	say(alice, OF_ALICE(",\"seq\":2"), &bytes);
	hear(bob, &bytes);
	say(alice, OF_ALICE(",\"seq\":3"), &bytes);
	hear(bob, &bytes);
	passed_is(bob, "", "what is of an unknown key waits");
	ok(guard_deadline(bob->guard) == mono + GUARD_WAIT_MS, "so long");
	deliver_key(bob, alice);
	deliver_key(alice, bob);
	passed_is(bob, OF_ALICE(",\"seq\":2") "\n" OF_ALICE(",\"seq\":3") "\n",
		"and comes when the answer is there");
	ok(vouch(bob, &bytes, "alice").mark == TRUST_GOOD, "as good");
	ok(guard_deadline(bob->guard) == INT64_MAX, "nothing waits any more");
	ok(guard_counts(bob->guard).asked == 1, "one question");
	ok(guard_counts(alice->guard).answered == 1, "one answer");

	struct peer *carol = peer_new("carol");
	hear(carol, &bytes);
	mono += GUARD_WAIT_MS - 1;
	guard_tick(carol->guard, mono);
	passed_is(carol, "", "without an answer");
	mono += 1;
	guard_tick(carol->guard, mono);
	passed_is(carol, OF_ALICE(",\"seq\":3") "\n", "it comes after a while");
	struct trust trust = vouch(carol, &bytes, "alice");
	ok(trust.mark == TRUST_DOUBTFUL && trust.fingerprint[0] == '\0',
		"as doubtful");
	is(trust.why, "its key could not be had", "and why");
	hear(carol, &bytes);
	guard_connected(alice->guard);
	say(alice, OF_ALICE(",\"seq\":4"), &bytes);
	hear(carol, &bytes);
	passed_is(carol,
		OF_ALICE(",\"seq\":3") "\n" OF_ALICE(",\"seq\":4") "\n",
		"a message that introduces its key releases those before it");

	struct peer *dave = peer_new("dave");
	for (int i = 0; i <= WAITING_MAX; i++) {
		say(alice, OF_ALICE(""), &bytes);
		hear(dave, &bytes);
		if (i + 1 == WAITING_MAX)
			passed_is(dave, "", "as many as may wait");
	}
	ok(dave->passed.len ==
			(WAITING_MAX + 1) * (sizeof(OF_ALICE("")) - 1 + 1),
		"one more, and none does");
	say(alice, "{\"type\":1}", &bytes);
	text_clear(&dave->passed);
	hear(dave, &bytes);
	passed_is(dave, "{\"type\":1}\n", "who cannot be asked does not wait");
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
	text_free(&bytes);
}

/* With other limits than the usual ones. */
static void
test_quotas(void)
{
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct peer *carol = peer_of(folder, "carol",
		(struct quotas){ .waiting_messages = 2, .names = 1 });
	struct peer *dave = peer_of(folder, "dave",
		(struct quotas){ .waiting_bytes = 450 });
	struct text bytes = { 0 }, other = { 0 };

	say(alice, OF_ALICE(""), &bytes); /* brings its key */
	say(bob, OF_ALICE(""), &other);
	for (int i = 1; i <= 3; i++) {
		struct text more = { 0 };

		say(alice, OF_ALICE(""), &more);
		hear(carol, &more);
		hear(dave, &more);
		ok((carol->passed.len > 0) == (i == 3), "2 messages wait: %d",
			i);
		ok((dave->passed.len > 0) == (i >= 2), "450 bytes wait: %d", i);
		text_free(&more);
	}
	ok(vouch(carol, &bytes, "alice").mark == TRUST_GOOD,
		"one name is remembered");
	struct trust trust = vouch(carol, &other, "bob");
	ok(trust.mark == TRUST_DOUBTFUL, "another is doubtful");
	is(trust.why, "its name cannot be remembered", "and why");
	struct guard_counts counts = guard_counts(carol->guard);
	ok(counts.over_names == 1 && counts.over_waiting_messages == 1 &&
			counts.over_waiting_bytes == 0 &&
			guard_counts(dave->guard).over_waiting_bytes > 0,
		"that is counted");
	text_free(&bytes);
	text_free(&other);
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
}

/* A room that a question is about is that of the message. */
static void
asks_about(const char *topic, const char *header, const char *want,
	const char *name)
{
	struct peer *alice = peer_new("alice"), *bob = peer_new("bob");
	struct text bytes = { 0 }, again = { 0 };
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), span_of(header) };
	struct dxl_message event, said;
	struct fault fault;

	say(alice, OF_ALICE(""), &bytes); /* introduces the key, and is lost */
	say(alice, OF_ALICE(""), &bytes);
	if (dxl_parse(&event, span(&bytes), &fault) == 0) {
		struct span sig[4] = { span_of(SIGN_SIG_FIELD),
			dxl_field(&event, SIGN_SIG_FIELD), fields[0],
			fields[1] };

		said = event;
		said.other_fields = (struct dxl_list){ sig,
			header != NULL ? 4 : 2 };
		dxl_format(&said, &again);
		dxl_message_free(&event);
	}
	guard_receive(bob->guard, span_of(topic), span(&again), mono, wall);
	ok(guard_counts(bob->guard).asked == 1, "a question");
	if (dxl_parse(&event, span(&bob->published), &fault) == 0) {
		ok(span_equal(dxl_field(&event, ROOM_TOPIC_FIELD),
			   span_of(want)),
			"%s", name);
		dxl_message_free(&event);
	}
	text_free(&bytes);
	text_free(&again);
	peer_free(alice);
	peer_free(bob);
}

static void
test_about(void)
{
	asks_about(ROOM, NULL, ROOM, "is about the room of the message");
	asks_about(ROOM, ROOM "/other", ROOM, "whatever that says");
	asks_about("/mcafee/client/{bob}", ROOM, ROOM,
		"or the one that an inbox message names");
	asks_about("/mcafee/client/{bob}", NULL, "", "if it names one");
	asks_about(ROOM_LOBBY_TOPIC, NULL, "", "the lobby is no room");
}

/* The file of names has changed while they are here. */
static void
test_other_names(void)
{
	struct peer *alice = peer_new("alice"), *eve = peer_new("eve");
	struct peer *bob = peer_new("bob");
	struct text good = { 0 }, other = { 0 }, lines = { 0 };
	const char *of_eve = identity_fingerprint(eve->identity);

	say(alice, "{}", &good);
	say(eve, "{}", &other);
	struct trust of_first = vouch(bob, &good, "alice");
	struct trust of_later = vouch(bob, &other, "alice");
	struct trust unsigned_one;
	const struct trust_claim claim = { .topic = span_of(ROOM),
		.payload = span_of("{}"),
		.user = span_of("alice") };
	guard_vouch(bob->guard, &claim, wall, &unsigned_one);
	vouch(bob, &good, "new");
	text_appendf(&lines, "%s alice\n", of_eve);
	ok(guard_names_restore(bob->guard, span(&lines)) == 0 &&
			vouch(bob, &other, "alice").mark == TRUST_GOOD,
		"a name is another's");
	guard_judge_name(bob->guard, span_of("alice"), &of_later);
	ok(of_later.mark == TRUST_GOOD && of_later.why == NULL &&
			of_later.pinned[0] == '\0',
		"who had it in doubt has it now");
	guard_judge_name(bob->guard, span_of("alice"), &of_first);
	ok(of_first.mark == TRUST_DOUBTFUL &&
			strcmp(of_first.pinned, of_eve) == 0,
		"and who had it, has not");
	ok(vouch(bob, &other, "new").mark == TRUST_DOUBTFUL,
		"what is not written yet is kept");
	text_clear(&bob->changed);
	guard_names_restore(bob->guard, span(&lines));
	vouch(bob, &good, "alice");
	is(bob->changed.bytes, "", "what was told is not told again");

	guard_names_saved(bob->guard);
	guard_names_restore(bob->guard, span_of(""));
	guard_judge_name(bob->guard, span_of("alice"), &of_first);
	ok(of_first.mark == TRUST_GOOD && !guard_names_changed(bob->guard),
		"a name that is nobody's is not taken by that");
	guard_judge_name(bob->guard, span_of("alice"), &unsigned_one);
	ok(unsigned_one.mark == TRUST_NONE && unsigned_one.pinned[0] == '\0',
		"nor needs it a signature");
	ok(vouch(bob, &other, "alice").mark == TRUST_GOOD,
		"who is seen next has it");
	struct trust failed = { .mark = TRUST_DOUBTFUL, .why = "its key" };
	guard_judge_name(bob->guard, span_of("alice"), &failed);
	ok(failed.mark == TRUST_DOUBTFUL && failed.why != NULL,
		"what was not judged by its name is as it was");
	text_free(&good);
	text_free(&other);
	text_free(&lines);
	peer_free(alice);
	peer_free(bob);
	peer_free(eve);
}

static void
test_names(void)
{
	struct peer *alice = peer_new("alice"), *eve = peer_new("eve");
	struct peer *bob = peer_new("bob");
	struct text good = { 0 }, other = { 0 }, lines = { 0 };
	char name[PAYLOAD_MAX], *want;
	const char *of_alice = identity_fingerprint(alice->identity);
	const char *of_eve = identity_fingerprint(eve->identity);

	say(alice, "{}", &good);
	say(eve, "{}", &other);
	ok(vouch(bob, &good, "alice").mark == TRUST_GOOD, "alice is alice");
	ok(guard_names_changed(bob->guard), "which is remembered");
	struct trust trust = vouch(bob, &other, "alice");
	ok(trust.mark == TRUST_DOUBTFUL, "another certificate is doubtful");
	is(trust.pinned, of_alice, "the one before is told");
	is(trust.fingerprint, of_eve, "and this one");
	vouch(bob, &other, "alice");
	want = memory_format("alice %.4s %.4s\n", of_alice, of_eve);
	is(bob->changed.bytes, want, "once");
	free(want);
	const struct trust_claim claim = { .topic = span_of(ROOM),
		.payload = span_of("{}"),
		.user = span_of("alice") };
	guard_vouch(bob->guard, &claim, wall, &trust);
	ok(trust.mark == TRUST_DOUBTFUL, "and so is none at all");
	ok(vouch(bob, &other, "eve").mark == TRUST_GOOD, "eve is eve");
	ok(vouch(bob, &other, "a\nb").mark == TRUST_DOUBTFUL,
		"a name of two lines is not remembered");
	memset(name, 'x', 65);
	name[65] = '\0';
	ok(vouch(bob, &other, name).mark == TRUST_DOUBTFUL,
		"nor one that is long");
	guard_names_save(bob->guard, &lines);
	want = memory_format("%s alice\n%s eve\n", of_alice, of_eve);
	is(lines.bytes, want, "the names as lines");
	guard_names_saved(bob->guard);
	ok(!guard_names_changed(bob->guard), "are saved");

	struct peer *carol = peer_new("carol"), *dave = peer_new("dave");
	ok(guard_names_restore(carol->guard, span(&lines)) == 0 &&
			vouch(carol, &other, "alice").mark == TRUST_DOUBTFUL,
		"and restored");
	text_append_string(&lines, "nonsense\n\nab cd\n");
	ok(guard_names_restore(dave->guard, span(&lines)) == 2 &&
			vouch(dave, &other, "alice").mark == TRUST_DOUBTFUL,
		"whatever else is there");
	ok(vouch(dave, &other, "mallory").mark == TRUST_DOUBTFUL,
		"but then no name that is new is trusted");
	peer_free(dave);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		vouch(carol, &other, name);
	}
	text_clear(&lines);
	guard_names_save(carol->guard, &lines);
	int count = 0;
	for (size_t i = 0; i < lines.len; i++)
		count += lines.bytes[i] == '\n';
	ok(count == 31, "one certificate has so many names: %d", count);
	free(want);
	text_free(&good);
	text_free(&other);
	text_free(&lines);
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	peer_free(eve);
}

static void
test_file(void)
{
	char *path = memory_format("%s/names/list", folder);
	struct text lines = { 0 };
	struct fault fault = { 0 };

	ok(names_read(path, &lines, &fault) == 0 && lines.len == 0,
		"no file, no names");
	ok(names_merge(path, span_of("aa alice\nbb bob\n"), &fault) == 0,
		"two are written");
	ok(names_merge(path, span_of("cc alice\ndd carol\n"), &fault) == 0,
		"and more");
	names_read(path, &lines, &fault);
	is(lines.bytes, "aa alice\nbb bob\ndd carol\n", "the first one stays");
	ok(names_set(path, "alice", "cc", &fault) == 1, "it is set");
	ok(names_set(path, "alice", "cc", &fault) == 0, "once");
	ok(names_set(path, "bob", NULL, &fault) == 1, "another is forgotten");
	ok(names_set(path, "bob", NULL, &fault) == 0, "once");
	text_clear(&lines);
	names_read(path, &lines, &fault);
	is(lines.bytes, "cc alice\ndd carol\n", "that is what is left");
	text_free(&lines);
	free(path);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");
	struct fault fault = { 0 };

	snprintf(folder, sizeof(folder), "%.30s/qchat-guard-XXXXXX",
		base != NULL && strlen(base) <= 30 ? base : "/tmp");
	wall = (int64_t)time(NULL) * 1000;
	if (mkdtemp(folder) == NULL ||
		authority_make(folder, "test", &fault) < 0) {
		printf("Bail out! %s: %s\n", folder, fault.text);
		return 99;
	}
	test_introductions();
	test_strangers();
	test_other_authorities();
	test_waiting();
	test_quotas();
	test_about();
	test_names();
	test_other_names();
	test_file();
	char *remove = memory_format("rm -rf '%s'", folder);
	if (system(remove) != 0)
		printf("# %s stays\n", folder);
	free(remove);
	return done();
}
