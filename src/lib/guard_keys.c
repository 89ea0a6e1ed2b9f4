/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_state.h"

#include "memory.h"
#include "room.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
key_text(const unsigned char id[SIGN_KEY_ID_BYTES], char *key)
{
	for (size_t i = 0; i < SIGN_KEY_ID_BYTES; i++) {
		key[2 * i] = "0123456789abcdef"[id[i] >> 4];
		key[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
	}
	key[GUARD_KEY_TEXT - 1] = '\0';
}

static int
digit_of(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
				       : -1;
}

/* Reads it back; false if it is no such text. */
static bool
key_of_text(struct span text, unsigned char id[SIGN_KEY_ID_BYTES])
{
	if (text.len != GUARD_KEY_TEXT - 1)
		return false;
	for (size_t i = 0; i < SIGN_KEY_ID_BYTES; i++) {
		int high = digit_of(text.bytes[2 * i]);
		int low = digit_of(text.bytes[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		id[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

bool
guard_key_of(struct span sig, char key[static GUARD_KEY_TEXT])
{
	unsigned char id[SIGN_KEY_ID_BYTES];

	if (!sign_key_of_sig(sig, id))
		return false;
	key_text(id, key);
	return true;
}

static void
free_key(struct guard_key *key)
{
	free(key->bind);
	free(key->cert);
}

void
guard_free_keys(struct guard *guard)
{
	for (struct guard_key *key = table_oldest(guard->keys); key != NULL;
		key = table_newer(key))
		free_key(key);
	table_free(guard->keys);
}

static char *
string_of(struct span span)
{
	return memory_copy(span.bytes, span.len);
}

void
guard_note_key(struct guard *guard, const struct trust_claim *claim)
{
	unsigned char id[SIGN_KEY_ID_BYTES];
	char name[GUARD_KEY_TEXT];
	bool made;

	if (!sign_key_of_bind(claim->bind, id))
		return;
	key_text(id, name);
	struct guard_key *key = table_find(guard->keys, span_of(name));
	if (key == NULL && table_count(guard->keys) == GUARD_KEYS_MAX) {
		guard->counts.over_keys_kept++;
		free_key(table_oldest(guard->keys));
		table_remove(guard->keys, table_oldest(guard->keys));
	}
	key = table_touch(guard->keys, span_of(name), &made);
	if (made) {
		key->bind = string_of(claim->bind);
		key->cert = string_of(claim->cert);
	}
	/* Strangers displace strangers. */
	if (guard->verifier != NULL && verifier_trusts(guard->verifier, id))
		table_favour(guard->keys, key);
}

void
guard_learn_again(struct guard *guard, int64_t wall)
{
	for (const struct guard_key *key = table_oldest(guard->keys);
		key != NULL; key = table_newer(key))
		verifier_learn(guard->verifier, span_of(""), span_of(key->bind),
			span_of(key->cert), wall, NULL);
}

bool
guard_find_key(struct guard *guard, const char *name, struct span *bind,
	struct span *cert)
{
	unsigned char id[SIGN_KEY_ID_BYTES];
	const struct guard_key *key = table_find(guard->keys, span_of(name));

	if (key != NULL) {
		*bind = span_of(key->bind);
		*cert = span_of(key->cert);
		return true;
	}
	const char *own = guard->signer != NULL &&
			key_of_text(span_of(name), id)
		? signer_bind_of(guard->signer, id)
		: NULL;
	*bind = span_of(own);
	*cert = span_of(own != NULL ? signer_cert(guard->signer) : NULL);
	return own != NULL;
}

/* FNV-1a: who makes two topics meet in it is introduced to once less. */
static uint64_t
digest(uint64_t hash, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		hash ^= (unsigned char)bytes.bytes[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

bool
guard_must_introduce(struct guard *guard, struct span topic, const char *key,
	int64_t mono)
{
	uint64_t what = digest(digest(UINT64_C(0xcbf29ce484222325), topic),
		span_of(key));
	struct guard_introduced
		*slot = &guard->introduced[what % GUARD_TOPICS_MAX];

	if (slot->what == what && mono - slot->mono < GUARD_INTRODUCE_MS)
		return false;
	*slot = (struct guard_introduced){ what, mono };
	return true;
}

static void
add_field(struct dxl_list *fields, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	fields->items[fields->count++] = span_of(name);
	fields->items[fields->count++] = value;
}

static bool
is_ours(struct span name)
{
	return span_equal(name, span_of(SIGN_SIG_FIELD)) ||
		span_equal(name, span_of(SIGN_BIND_FIELD)) ||
		span_equal(name, span_of(SIGN_CERT_FIELD));
}

void
guard_rewrite(const struct dxl_message *event, struct span sig,
	struct span bind, struct span cert, struct text *out)
{
	struct dxl_message signed_event = *event;
	const struct dxl_list *old = &event->other_fields;
	struct dxl_list new = {
		memory_alloc(old->count + 6, sizeof(struct span)), 0
	};

	for (size_t i = 0; i + 1 < old->count; i += 2) {
		if (is_ours(old->items[i]))
			continue;
		new.items[new.count++] = old->items[i];
		new.items[new.count++] = old->items[i + 1];
	}
	add_field(&new, SIGN_SIG_FIELD, sig);
	add_field(&new, SIGN_BIND_FIELD, bind);
	add_field(&new, SIGN_CERT_FIELD, cert);
	signed_event.other_fields = new;
	dxl_format(&signed_event, out);
	free(new.items);
}

/* splitmix64, as in member_say.c: only message ids rest on it. */
static uint64_t
next_random(struct guard *guard)
{
	uint64_t z = guard->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* What a message is signed for. */
static void
append_place(struct text *place, const char *topic, struct span about)
{
	text_append_string(place, topic);
	if (about.len == 0)
		return;
	text_append_char(place, '\n');
	text_append(place, about.bytes, about.len);
}

/* What goes to an inbox says which room it is about, so that it is sealed as
 * that is. */
static void
publish(struct guard *guard, const char *topic, struct span about,
	const struct room_message *message, int64_t mono, int64_t wall)
{
	struct text payload = { 0 }, id = { 0 }, envelope = { 0 }, out = { 0 };
	struct text place = { 0 };
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), about };
	uint64_t a = next_random(guard), b = next_random(guard);

	room_format(message, &payload);
	text_appendf(&id,
		"{%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64
		"-%012" PRIx64 "}",
		a >> 32, (a >> 16) & 0xffff, a & 0xfff,
		0x8000 | ((b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
	const struct dxl_message event = {
		.version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = { id.bytes, id.len },
		.payload = { payload.bytes, payload.len },
		.other_fields = { fields, about.len > 0 ? 2 : 0 },
	};
	dxl_format(&event, &envelope);
	append_place(&place, topic, about);
	guard_sign(guard, (struct span){ place.bytes, place.len },
		(struct span){ envelope.bytes, envelope.len }, mono, wall,
		&out);
	guard->calls.publish(guard->calls.context, topic,
		(struct span){ out.bytes, out.len });
	text_free(&payload);
	text_free(&id);
	text_free(&envelope);
	text_free(&place);
	text_free(&out);
}

void
guard_ask_key(struct guard *guard, struct span inbox, struct span about,
	const char *key, int64_t mono, int64_t wall)
{
	struct room_message question;
	char *topic = string_of(inbox);

	room_message_init(&question, ROOM_KEY);
	question.inbox = span_of(guard->inbox);
	question.key = span_of(key);
	guard->counts.asked++;
	publish(guard, topic, about, &question, mono, wall);
	free(topic);
}

static void
answer(struct guard *guard, const struct room_message *question,
	struct span about, int64_t mono, int64_t wall)
{
	struct room_message reply;
	unsigned char id[SIGN_KEY_ID_BYTES];
	char name[GUARD_KEY_TEXT];
	const char *inbox;

	room_message_init(&reply, ROOM_KEY);
	if (!key_of_text(question->key, id))
		return;
	key_text(id, name);
	if (!guard_find_key(guard, name, &reply.bind, &reply.cert))
		return;
	if (!answers_add(guard->answers, question->inbox, mono, mono)) {
		guard->counts.unanswered++;
		return;
	}
	reply.key = span_of(name);
	while ((inbox = answers_take(guard->answers, mono)) != NULL) {
		guard->counts.answered++;
		publish(guard, inbox, about, &reply, mono, wall);
	}
}

void
guard_hear_key(struct guard *guard, const struct room_message *message,
	struct span about, int64_t mono, int64_t wall)
{
	const struct trust_claim claim = {
		.bind = message->bind,
		.cert = message->cert,
	};
	unsigned char id[SIGN_KEY_ID_BYTES];
	char name[GUARD_KEY_TEXT];

	if (message->inbox.len > 0) {
		struct fault ignored;
		struct span room = room_of_topic(about);

		if (about.len == 0 || room_name_check(room, &ignored) == 0)
			answer(guard, message, about, mono, wall);
		return;
	}
	/* Nothing is learnt that nobody waits for. */
	if (guard->verifier == NULL || message->bind.len == 0 ||
		!sign_key_of_bind(message->bind, id))
		return;
	key_text(id, name);
	if (table_find(guard->waiting, span_of(name)) == NULL)
		return;
	switch (verifier_learn(guard->verifier, span_of(""), message->bind,
		message->cert, wall, NULL)) {
	case VERIFIER_NEW:
	case VERIFIER_KNOWN:
		guard_note_key(guard, &claim);
		guard_release(guard, name);
		break;
	case VERIFIER_BAD:
	case VERIFIER_BUSY:
		break;
	}
}
