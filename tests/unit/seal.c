/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include "identity.h"
#include "memory.h"
#include "seal_state.h"
#include "tap.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW INT64_C(1795408513935)

static const char room_text[] = "/mcafee/event/qchat/ops";
static const char inbox_text[] = "/mcafee/client/{0}";
static struct span room, inbox, peer;

static struct span
all_of(const struct text *text)
{
	return (struct span){ text->bytes != NULL ? text->bytes : "",
		text->len };
}

/* A secret of one byte again and again. */
static struct secret
secret_of(unsigned char byte, int64_t until)
{
	struct secret secret = { .until = until };

	memset(secret.bytes, byte, sizeof(secret.bytes));
	return secret;
}

static struct seal *
seal_with(unsigned char byte)
{
	struct secret secret = secret_of(byte, INT64_MAX);

	return seal_new(room, &secret, 1, NULL);
}

/* A payload as others read it. */
struct message {
	struct text text;
	json_t *json;
	struct seal_fields fields;
};

static struct span
string(const json_t *object, const char *key)
{
	return span_of(json_string_value(json_object_get(object, key)));
}

static void
read_fields(struct message *message)
{
	json_t *json = json_loadb(message->text.bytes, message->text.len, 0,
		NULL);
	const json_t *counter = json_object_get(json, "counter");

	json_decref(message->json);
	message->json = json;
	message->fields = (struct seal_fields){
		.version = json_integer_value(json_object_get(json, "v")),
		.sealed = string(json, "sealed"),
		.salt = string(json, "salt"),
		.key = string(json, "key"),
		.counter = counter != NULL ? json_integer_value(counter) : -1,
		.to = string(json, "to"),
		.ephemeral = string(json, "ephemeral"),
	};
}

static struct message
sealed_at(struct seal *seal, struct span place, struct span inner)
{
	struct message message = { 0 };

	seal_seal(seal, place, inner, &message.text);
	read_fields(&message);
	return message;
}

static struct message
sealed(struct seal *seal, const char *inner)
{
	return sealed_at(seal, room, span_of(inner));
}

static void
message_free(struct message *message)
{
	text_free(&message->text);
	json_decref(message->json);
	*message = (struct message){ 0 };
}

static bool
opens_as(struct seal *seal, const struct message *message, struct span place,
	struct span want)
{
	struct text inner = { 0 };
	struct fault fault = { 0 };
	enum seal_state state = seal_open(seal, peer, place, &message->fields,
		NOW, &inner, &fault);
	bool good = state == SEAL_OPENED && span_equal(all_of(&inner), want);

	if (state != SEAL_OPENED)
		printf("# %s\n", fault.text);
	text_free(&inner);
	return good;
}

/* How it ends, with the fault that has this in it; nothing may come out where
 * it is not opened. */
static bool
ends(struct seal *seal, const struct message *message, struct span place,
	int64_t now, enum seal_state want, const char *text)
{
	struct text inner = { 0 };
	struct fault fault = { 0 };
	enum seal_state state = seal_open(seal, peer, place, &message->fields,
		now, &inner, &fault);
	bool good = state == want;

	if (want != SEAL_OPENED)
		good = good && inner.len == 0 && fault.kind == FAULT_DATA &&
			strstr(fault.text, text) != NULL;
	if (!good)
		printf("# state %d: %s\n", state, fault.text);
	text_free(&inner);
	return good;
}

static bool
is_bad(struct seal *seal, const struct message *message, const char *text)
{
	return ends(seal, message, room, NOW, SEAL_BAD, text);
}

static void
test_round_trip(void)
{
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct message message = sealed(alice, "hello");

	ok(opens_as(bob, &message, room, span_of("hello")), "it is opened");
	ok(opens_as(alice, &message, room, span_of("hello")),
		"by who sealed it too");
	ok(opens_as(bob, &message, room, span_of("hello")),
		"and again: repetitions are for others to judge");
	ok(json_integer_value(json_object_get(message.json, "type")) == 5,
		"it is of type 5");
	ok(memmem(message.text.bytes, message.text.len, "hello", 5) == NULL,
		"nothing of it can be read");
	message_free(&message);
	message = sealed_at(alice, inbox, span_of("psst"));
	ok(opens_as(bob, &message, inbox, span_of("psst")), "in an inbox");
	message_free(&message);
	message = sealed(alice, "");
	ok(opens_as(bob, &message, room, span_of("")), "nothing at all");
	message_free(&message);
	message = sealed_at(alice, room, (struct span){ "a\200\0\0", 4 });
	ok(opens_as(bob, &message, room, (struct span){ "a\200\0\0", 4 }),
		"what looks like its padding");
	message_free(&message);
	seal_free(alice);
	seal_free(bob);
}

static size_t
sealed_length(struct seal *seal, size_t len)
{
	char *bytes = memory_alloc(len, 1);
	struct message message = sealed_at(seal, room,
		(struct span){ bytes, len });
	size_t length = message.fields.sealed.len;

	message_free(&message);
	free(bytes);
	return length;
}

static void
test_lengths(void)
{
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct message message;

	ok(sealed_length(alice, 0) == sealed_length(alice, 255),
		"0 and 255 bytes look alike");
	ok(sealed_length(alice, 255) < sealed_length(alice, 256) &&
			sealed_length(alice, 256) == sealed_length(alice, 511),
		"and so do 256 and 511");
	char *bytes = memory_alloc(SEAL_INNER_MAX, 1);
	struct span largest = { bytes, SEAL_INNER_MAX };
	memset(bytes, 'x', SEAL_INNER_MAX);
	message = sealed_at(alice, room, largest);
	ok(message.fields.sealed.len == SEAL_SEALED_MAX,
		"the largest has the length that is said");
	ok(message.text.len < 900 * 1024, "and fits into an envelope");
	ok(opens_as(bob, &message, room, largest), "and is opened");
	message_free(&message);
	free(bytes);
	struct text longer = { 0 };
	memset(text_extend(&longer, SEAL_SEALED_MAX + 4), 'A',
		SEAL_SEALED_MAX + 4);
	message = sealed(alice, "x");
	message.fields.sealed = all_of(&longer);
	ok(is_bad(bob, &message, "too long"), "a longer one is not looked at");
	message_free(&message);
	text_free(&longer);
	seal_free(alice);
	seal_free(bob);
}

/* Each character of each text changed in turn. */
static void
test_altered(void)
{
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct message message = sealed(alice, "hello");
	struct text copy = { 0 };
	int bad = 0, foreign = 0, opened = 0;

	struct span *const texts[] = { &message.fields.sealed,
		&message.fields.salt, &message.fields.key };
	for (size_t t = 0; t < 3; t++) {
		struct span before = *texts[t];

		for (size_t i = 0; i < before.len; i++) {
			struct text inner = { 0 };
			struct fault fault = { 0 };

			text_clear(&copy);
			text_append(&copy, before.bytes, before.len);
			copy.bytes[i] = copy.bytes[i] == 'A' ? 'B' : 'A';
			*texts[t] = all_of(&copy);
			switch (seal_open(bob, peer, room, &message.fields, NOW,
				&inner, &fault)) {
			case SEAL_OPENED:
				opened++;
				break;
			case SEAL_FOREIGN:
				foreign++;
				break;
			default:
				bad++;
			}
			text_free(&inner);
		}
		*texts[t] = before;
	}
	ok(opened == 0 && bad > 300 && foreign > 30,
		"no altered text is opened (%d bad, %d foreign)", bad, foreign);
	message.fields.counter++;
	ok(is_bad(bob, &message, "altered"), "nor another counter");
	message.fields.counter = 0;
	ok(is_bad(bob, &message, "malformed"), "nor the counter 0");
	message.fields.counter = INT64_C(1) << 32;
	ok(is_bad(bob, &message, "malformed"), "nor 2^32");
	message.fields.counter = 1;
	message.fields.version = 2;
	ok(is_bad(bob, &message, "unknown version"), "nor another version");
	message.fields.version = 1;
	ok(opens_as(bob, &message, room, span_of("hello")),
		"and the original is, after all that");
	text_free(&copy);
	message_free(&message);
	seal_free(alice);
	seal_free(bob);
}

static void
test_truncated(void)
{
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct text inner = { 0 };
	struct fault fault = { 0 };
	char bytes[600];
	int opened = 0;

	memset(bytes, 'x', sizeof(bytes));
	struct message message = sealed_at(alice, room,
		(struct span){ bytes, sizeof(bytes) });
	for (size_t len = message.fields.sealed.len; len-- > 0;) {
		message.fields.sealed.len = len;
		opened += seal_open(bob, peer, room, &message.fields, NOW,
				  &inner, &fault) == SEAL_OPENED;
	}
	ok(opened == 0 && inner.len == 0, "nothing that is cut is opened");
	message.fields.salt.len = 0;
	ok(is_bad(bob, &message, "malformed"), "nor what has no salt");
	message_free(&message);
	seal_free(alice);
	seal_free(bob);
}

static void
test_moved(void)
{
	struct secret secret = secret_of(1, INT64_MAX);
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct seal *other = seal_new(span_of("/mcafee/event/qchat/other"),
		&secret, 1, NULL);
	struct message message = sealed(alice, "hello");

	ok(ends(bob, &message, inbox, NOW, SEAL_BAD, "of another place"),
		"what is for the room is not opened in an inbox");
	ok(ends(other, &message, room, NOW, SEAL_FOREIGN, "another secret"),
		"nor in another room of the same secret");
	message_free(&message);
	message = sealed_at(alice, inbox, span_of("psst"));
	ok(is_bad(bob, &message, "of another place"),
		"what is for an inbox is not opened in the room");
	ok(ends(bob, &message, span_of("/mcafee/client/{00"), NOW, SEAL_BAD,
		   "of another place"),
		"nor in another inbox");
	message_free(&message);
	seal_free(alice);
	seal_free(bob);
	seal_free(other);
}

static void
test_secrets(void)
{
	struct seal *alice = seal_with(1), *bob = seal_with(2);
	struct message old = sealed(alice, "old"), new;
	const struct secret secrets[] = { secret_of(2, INT64_MAX),
		secret_of(1, NOW), secret_of(3, NOW) };

	ok(ends(bob, &old, room, NOW, SEAL_FOREIGN, "qchat-invite"),
		"another secret opens nothing, and that is told");
	ok(seal_renew(bob, secrets, 3) == 1, "a rotated secret is taken");
	ok(seal_renew(bob, secrets, 3) == 0, "once");
	ok(opens_as(bob, &old, room, span_of("old")),
		"an old secret opens until its time");
	ok(ends(bob, &old, room, NOW + 1, SEAL_FOREIGN, "another secret"),
		"and not after it, although its key is known");
	new = sealed(bob, "new");
	ok(ends(alice, &new, room, NOW, SEAL_FOREIGN, "another secret"),
		"what is sent is sealed with the new one");
	message_free(&new);
	message_free(&old);
	seal_free(bob);
	bob = seal_new(room, secrets, 3, NULL);
	old = sealed(alice, "old");
	ok(ends(bob, &old, room, NOW + 1, SEAL_FOREIGN, "another secret"),
		"nor if it was never tried before");
	message_free(&old);
	seal_free(alice);
	seal_free(bob);
}

static void
test_counter(void)
{
	static const unsigned char salt[SEAL_SALT_BYTES] = { 1 };
	struct seal *alice = seal_with(1), *bob = seal_with(1);
	struct message first = sealed(alice, "x"), second = sealed(alice, "x");
	char id[3][SEAL_ID_MAX];

	ok(first.fields.counter == 1 && second.fields.counter == 2 &&
			span_equal(first.fields.salt, second.fields.salt),
		"the counter goes up under one salt");
	ok(!span_equal(first.fields.sealed, second.fields.sealed),
		"the same text does not look the same");
	ok(seal_id(&first.fields, id[0]) == 0 &&
			seal_id(&second.fields, id[1]) == 0 &&
			strcmp(id[0], id[1]) != 0,
		"each has an id of its own");
	message_free(&second);
	seal_set(alice, salt, SEAL_COUNTER_MAX - 1);
	second = sealed(alice, "last");
	struct message third = sealed(alice, "next");
	ok(second.fields.counter == SEAL_COUNTER_MAX &&
			third.fields.counter == 1 &&
			!span_equal(second.fields.salt, third.fields.salt),
		"when the numbers are used up, there is a new salt");
	ok(opens_as(bob, &second, room, span_of("last")) &&
			opens_as(bob, &third, room, span_of("next")),
		"and both are opened");
	seal_id(&second.fields, id[1]);
	is(id[1], "AQAAAAAAAAAAAAAAAAAAAA==.4294967295",
		"an id is salt and counter");
	struct message again = { 0 };
	text_append(&again.text, first.text.bytes, first.text.len);
	read_fields(&again);
	ok(seal_id(&again.fields, id[2]) == 0 && strcmp(id[0], id[2]) == 0,
		"a repetition has the same id");
	again.fields.salt = span_of("AQAAAAAAAAAAAAAAAAAAAB==");
	ok(seal_id(&again.fields, id[2]) < 0,
		"a salt has one text alone, and so an id has");
	again.fields.salt = span_of("");
	ok(seal_id(&again.fields, id[2]) < 0, "what is malformed has none");
	message_free(&again);
	message_free(&first);
	message_free(&second);
	message_free(&third);
	seal_free(alice);
	seal_free(bob);
}

/* A message of a stranger, with names that nobody had before. */
static enum seal_state
stranger(struct seal *seal, struct span source, unsigned n, int64_t now)
{
	unsigned char names[2 * SEAL_SALT_BYTES] = { (unsigned char)n,
		(unsigned char)(n >> 8), (unsigned char)(n >> 16) };
	struct text salt = { 0 }, inner = { 0 };
	struct fault fault = { 0 };

	seal_encode(&salt, names, SEAL_SALT_BYTES);
	struct seal_fields fields = {
		.version = 1,
		.salt = all_of(&salt),
		.key = span_of("AAAAAAAAAAAAAAAAAAAAAA=="),
		.counter = 1,
		.sealed = span_of("AAAA"),
	};
	enum seal_state state = seal_open(seal, source, room, &fields, now,
		&inner, &fault);
	text_free(&salt);
	text_free(&inner);
	return state;
}

static void
test_flood(void)
{
	static const struct seal_limits limits = {
		.keys = 8,
		.foreign = 16,
		.failures = 1000,
		.source_failures = 100,
	};
	struct secret secret = secret_of(1, INT64_MAX);
	struct seal *bob = seal_new(room, &secret, 1, &limits);
	struct seal *alice = seal_with(1);
	struct message message = sealed(alice, "hello");
	struct span flooder = span_of("flooder");
	unsigned busy = 0, n = 0;

	opens_as(bob, &message, room, span_of("hello"));
	for (; n < 1000; n++)
		busy += stranger(bob, flooder, n, NOW) == SEAL_BUSY;
	ok(busy == 900, "one source is heard a hundred times (%u)",
		1000 - busy);
	unsigned long derived = seal_counts(bob).derived;
	for (unsigned i = 0; i < 50; i++)
		stranger(bob, flooder, 99, NOW + 10000);
	ok(seal_counts(bob).derived == derived,
		"what is known to be foreign costs no derivation");
	ok(stranger(bob, peer, n++, NOW) == SEAL_FOREIGN,
		"another source is heard");
	ok(opens_as(bob, &message, room, span_of("hello")) &&
			seal_counts(bob).derived == derived + 1,
		"a flood pushes no good key out");
	ok(stranger(bob, flooder, n++, NOW + 20000) == SEAL_FOREIGN,
		"time makes good");
	message_free(&message);
	/* More senders than keys are remembered. */
	int opened = 0;
	for (int i = 0; i < 20; i++) {
		struct seal *other = seal_with(1);

		message = sealed(other, "hello");
		opened += opens_as(bob, &message, room, span_of("hello"));
		message_free(&message);
		seal_free(other);
	}
	ok(opened == 20, "more senders than remembered keys");
	seal_free(alice);
	seal_free(bob);
}

static void
test_inner(void)
{
	struct seal_inner inner = { .payload = span_of("{\"type\": 1}"),
		.headers = { { span_of("qchat.sig"), span_of("abc") },
			{ span_of("qchat.cert"), span_of("") } },
		.header_count = 2 };
	struct seal_inner read;
	struct text bytes = { 0 };
	struct fault fault = { 0 };

	ok(seal_inner_format(&inner, &bytes, &fault) == 0, "the inside");
	ok(seal_inner_parse(&read, all_of(&bytes), &fault) == 0 &&
			span_equal(read.payload, inner.payload) &&
			read.header_count == 2,
		"is read again");
	ok(span_equal(seal_inner_header(&read, "qchat.sig"), span_of("abc")),
		"with its headers");
	ok(seal_inner_header(&read, "qchat.bind").len == 0, "and no others");
	int good = 0;
	for (size_t len = 0; len < bytes.len; len++)
		good += seal_inner_parse(&read,
				(struct span){ bytes.bytes, len }, &fault) == 0;
	ok(good == 0 && read.payload.len == 0 && fault.kind == FAULT_DATA,
		"nothing that is cut is read");
	text_append_char(&bytes, '\0');
	ok(seal_inner_parse(&read, all_of(&bytes), &fault) < 0,
		"nor with something behind it");
	for (size_t i = 0; i < SEAL_HEADERS_MAX; i++)
		inner.headers[i] = inner.headers[0];
	inner.header_count = SEAL_HEADERS_MAX + 1;
	ok(seal_inner_format(&inner, &bytes, &fault) < 0,
		"too many headers are refused");
	inner.header_count = 0;
	inner.payload.len = SEAL_INNER_MAX - 4;
	fault = (struct fault){ 0 };
	ok(seal_inner_format(&inner, &bytes, &fault) < 0 &&
			fault.kind == FAULT_DATA,
		"and a payload that is too long");
	text_free(&bytes);
}

static void
unhex(struct text *bytes, const json_t *vector, const char *key)
{
	struct span hex = string(vector, key);
	unsigned char byte;

	text_clear(bytes);
	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		sscanf(hex.bytes + i, "%2hhx", &byte);
		text_append_char(bytes, (char)byte);
	}
}

/* The private key of a test vector, under any certificate. */
struct voice {
	struct identity *identity;
	struct signer *signer;
};

static struct voice
voice_of(const char *sources, const unsigned char *x25519)
{
	char *ca = memory_format("%s/tests/data/sign/ca.pem", sources);
	char *certificate = memory_format("%s/tests/data/sign/p256.pem",
		sources);
	char *from = memory_format("%s/tests/data/sign/p256.key", sources);
	static char key[] = "p256.key", file[] = "q.conf";
	struct conf conf = { .file = file,
		.ca = ca,
		.certificate = certificate,
		.key = key };
	unsigned char ed25519[SIGN_KEY_BYTES] = { 1 };
	struct fault fault = { 0 };
	struct voice voice;
	int c;

	/* That of the sources may be readable to all. */
	FILE *in = fopen(from, "r"), *out = fopen(key, "w");
	while ((c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
	fclose(out);
	chmod(key, 0600);
	voice.identity = identity_open(&conf, &fault);
	if (voice.identity == NULL)
		printf("# %s\n", fault.text);
	voice.signer = signer_new_from(voice.identity, NOW, ed25519, x25519,
		&fault);
	unlink(key);
	free(ca);
	free(certificate);
	free(from);
	return voice;
}

static void
voice_free(struct voice *voice)
{
	signer_free(voice->signer);
	identity_free(voice->identity);
}

static enum seal_state
open_direct(const struct voice *voice, const struct message *message,
	struct span place, const char *want, struct fault *fault)
{
	struct text inner = { 0 };
	enum seal_state state = seal_open_to(voice->signer, place,
		&message->fields, &inner, fault);

	if (state == SEAL_OPENED && !span_equal(all_of(&inner), span_of(want)))
		state = SEAL_BUSY;
	if (state != SEAL_OPENED && inner.len > 0)
		state = SEAL_OPENED;
	text_free(&inner);
	return state;
}

static void
test_direct(const char *sources)
{
	static const unsigned char private[2][SIGN_KEY_BYTES] = { { 8 },
		{ 16 } };
	static const unsigned char low[SIGN_KEY_BYTES] = { 0 };
	struct voice bob = voice_of(sources, private[0]);
	struct voice carol = voice_of(sources, private[1]);
	struct message message = { 0 }, other = { 0 };
	struct fault fault = { 0 };
	char id[2][SEAL_ID_MAX];

	ok(seal_to(signer_x25519(bob.signer), inbox, span_of("psst"),
		   &message.text, &fault) == 0,
		"a direct message");
	seal_to(signer_x25519(bob.signer), inbox, span_of("psst"), &other.text,
		&fault);
	read_fields(&message);
	read_fields(&other);
	ok(seal_is_direct(&message.fields), "is known as one");
	ok(open_direct(&bob, &message, inbox, "psst", &fault) == SEAL_OPENED,
		"is opened by its recipient");
	ok(open_direct(&carol, &message, inbox, "", &fault) == SEAL_FOREIGN &&
			strstr(fault.text, "another key") != NULL,
		"and by nobody else, who is told why");
	ok(open_direct(&bob, &message, room, "", &fault) == SEAL_BAD,
		"not at another place");
	ok(seal_id(&message.fields, id[0]) == 0 &&
			seal_id(&other.fields, id[1]) == 0 &&
			strcmp(id[0], id[1]) != 0,
		"each has a key of its own");
	struct span mine = message.fields.sealed;
	message.fields.sealed = other.fields.sealed;
	ok(open_direct(&bob, &message, inbox, "", &fault) == SEAL_BAD,
		"which opens no other");
	message.fields.sealed = (struct span){ mine.bytes, mine.len - 4 };
	ok(open_direct(&bob, &message, inbox, "", &fault) == SEAL_BAD,
		"nor one that is cut");
	message.fields.sealed = mine;
	message.fields.ephemeral = span_of(
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	ok(open_direct(&bob, &message, inbox, "", &fault) == SEAL_BAD &&
			strstr(fault.text, "cannot be used") != NULL,
		"a key that makes no secret is refused");
	ok(seal_to(low, inbox, span_of("x"), &other.text, &fault) < 0,
		"and nothing is sealed to one");
	message.fields.ephemeral = other.fields.ephemeral;
	message.fields.version = 0;
	ok(open_direct(&bob, &message, inbox, "", &fault) == SEAL_BAD,
		"nor is another version");
	struct seal *seal = seal_with(1);
	ok(is_bad(seal, &message, "version"), "a room does not open it");
	message.fields.version = 1;
	ok(is_bad(seal, &message, "malformed"), "whatever its version");
	seal_free(seal);
	message_free(&message);
	message_free(&other);
	voice_free(&bob);
	voice_free(&carol);
}

static void
test_vector_inner(const json_t *vector, struct text *inner)
{
	struct seal_inner inside = { .payload = string(vector, "payload") };
	const json_t *header;
	struct text again = { 0 };
	struct fault fault = { 0 };
	size_t i;

	json_array_foreach(json_object_get(vector, "headers"), i, header)
	{
		inside.headers[i].key = span_of(
			json_string_value(json_array_get(header, 0)));
		inside.headers[i].value = span_of(
			json_string_value(json_array_get(header, 1)));
		inside.header_count = i + 1;
	}
	seal_inner_format(&inside, &again, &fault);
	unhex(inner, vector, "inner");
	ok(span_equal(all_of(&again), all_of(inner)), "its inside");
	text_free(&again);
}

static void
test_room_vector(const json_t *vector, struct span inner)
{
	struct text bytes = { 0 };
	struct secret secret = { .until = INT64_MAX };
	struct message message = { 0 };
	struct span place = string(vector, "place");

	unhex(&bytes, vector, "secret");
	memcpy(secret.bytes, bytes.bytes, sizeof(secret.bytes));
	unhex(&bytes, vector, "salt");
	struct seal *seal = seal_new(string(vector, "room"), &secret, 1, NULL);
	seal_set(seal, (const unsigned char *)bytes.bytes,
		json_integer_value(json_object_get(vector, "counter")) - 1);
	seal_seal(seal, place, inner, &message.text);
	is(message.text.bytes, string(vector, "message").bytes,
		"it is sealed to the byte");
	text_clear(&message.text);
	text_append_string(&message.text, string(vector, "message").bytes);
	read_fields(&message);
	seal_free(seal);
	seal = seal_new(string(vector, "room"), &secret, 1, NULL);
	ok(opens_as(seal, &message, place, inner), "and opened");
	message_free(&message);
	text_free(&bytes);
	seal_free(seal);
}

static void
test_direct_vector(const char *sources, const json_t *vector, struct span inner)
{
	struct text bytes = { 0 };
	struct message message = { 0 };
	struct fault fault = { 0 };
	struct span place = string(vector, "place");

	unhex(&bytes, vector, "x25519_private");
	struct voice voice = voice_of(sources,
		(const unsigned char *)bytes.bytes);
	unhex(&bytes, vector, "ephemeral_private");
	seal_to_from((const unsigned char *)bytes.bytes,
		signer_x25519(voice.signer), place, inner, &message.text,
		&fault);
	is(message.text.bytes, string(vector, "message").bytes,
		"it is sealed to the byte");
	read_fields(&message);
	text_clear(&bytes);
	ok(seal_open_to(voice.signer, place, &message.fields, &bytes, &fault) ==
				SEAL_OPENED &&
			span_equal(all_of(&bytes), inner),
		"and opened");
	message_free(&message);
	text_free(&bytes);
	voice_free(&voice);
}

static void
test_vectors(const char *sources)
{
	char *path = memory_format("%s/tests/data/seal/vectors.json", sources);
	json_t *vectors = json_load_file(path, 0, NULL), *vector;
	struct text inner = { 0 };
	size_t i;

	ok(json_array_size(vectors) == 3, "the vectors");
	json_array_foreach(vectors, i, vector)
	{
		const char *kind = string(vector, "kind").bytes;

		ok(kind != NULL, "a vector of kind %s", kind);
		test_vector_inner(vector, &inner);
		if (strcmp(kind, "room") == 0)
			test_room_vector(vector, all_of(&inner));
		else
			test_direct_vector(sources, vector, all_of(&inner));
	}
	text_free(&inner);
	json_decref(vectors);
	free(path);
}

int
main(void)
{
	const char *base = getenv("TMPDIR"), *srcdir = getenv("srcdir");
	char *sources = realpath(srcdir != NULL ? srcdir : ".", NULL);
	char folder[256];

	room = span_of(room_text);
	inbox = span_of(inbox_text);
	peer = span_of("{peer}");
	snprintf(folder, sizeof(folder), "%s/qchat-seal.XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		puts("Bail out! no folder");
		return 99;
	}
	test_round_trip();
	test_lengths();
	test_altered();
	test_truncated();
	test_moved();
	test_secrets();
	test_counter();
	test_flood();
	test_inner();
	test_direct(sources);
	test_vectors(sources);
	if (chdir("/") != 0 || rmdir(folder) != 0)
		printf("# %s stays\n", folder);
	free(sources);
	return done();
}
