/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "memory.h"
#include "sign.h"
#include "translate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTROL_EXTRA = 5, /* a control character becomes \u0000 */
	/* Legacy peers answer at once, whatever wait says. */
	LEGACY_ANSWERS_MS = MEMBER_WAIT_MS + 1000,
};

/* splitmix64 (Steele, Lea, Flood 2014): the randomness here only spreads
 * things in time and makes message ids; nothing secret rests on it. */
static uint64_t
next_random(struct member *member)
{
	uint64_t z = member->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t
member_random(struct member *member, int64_t most)
{
	return most > 0 ? (int64_t)(next_random(member) % ((uint64_t)most + 1))
			: 0;
}

int64_t
member_spread(struct member *member, int64_t most)
{
	int64_t wanted = (int64_t)roster_count(member->roster) *
		MEMBER_SPREAD_MS;

	return member_random(member, wanted < most ? wanted : most);
}

static void
append_id(struct member *member, struct text *id)
{
	uint64_t a = next_random(member), b = next_random(member);

	text_appendf(id,
		"{%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64
		"-%012" PRIx64 "}",
		a >> 32, (a >> 16) & 0xffff, a & 0xfff,
		0x8000 | ((b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
}

/* Appends an event with this payload and these keys and values. */
static void
wrap(struct member *member, struct span payload, struct span *fields,
	size_t count, struct text *bytes)
{
	struct text id = { 0 };

	append_id(member, &id);
	struct dxl_message event = {
		.version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = { id.bytes, id.len },
		.payload = payload,
		.other_fields = { fields, count },
	};
	dxl_format(&event, bytes);
	text_free(&id);
}

void
member_rewrap(struct member *member, const struct room_message *again,
	struct text *bytes)
{
	struct span fields[2] = { span_of(SIGN_SIG_FIELD), again->sig };

	wrap(member, again->payload, fields, again->sig.len > 0 ? 2 : 0, bytes);
}

/* Appends an event with one more header. */
static void
add_header(const struct dxl_message *event, const char *key, struct span value,
	struct text *bytes)
{
	struct dxl_message longer = *event;
	size_t count = event->other_fields.count;

	longer.other_fields.items = memory_alloc(count + 2,
		sizeof(struct span));
	if (count > 0)
		memcpy(longer.other_fields.items, event->other_fields.items,
			count * sizeof(struct span));
	longer.other_fields.items[count] = span_of(key);
	longer.other_fields.items[count + 1] = value;
	longer.other_fields.count = count + 2;
	dxl_format(&longer, bytes);
	free(longer.other_fields.items);
}

void
member_address(const struct member *member, const struct dxl_message *event,
	struct text *bytes)
{
	if (dxl_field(event, ROOM_TOPIC_FIELD).len > 0)
		dxl_format(event, bytes);
	else
		add_header(event, ROOM_TOPIC_FIELD, span_of(member->topic),
			bytes);
}

void
member_append_place(const char *topic, const char *about,
	const unsigned char *key, struct text *name)
{
	text_append_string(name, topic);
	if (about == NULL)
		return;
	text_append_char(name, '\n');
	text_append_string(name, about);
	if (key == NULL)
		return;
	text_append_char(name, '\n');
	for (size_t i = 0; i < TRUST_KEY_BYTES; i++)
		text_appendf(name, "%02x", key[i]);
}

/* Puts the signed event in place of *bytes. */
static void
sign(struct member *member, const char *topic, const char *about,
	const unsigned char *key, struct text *bytes)
{
	struct text name = { 0 }, done = { 0 };

	if (member->calls.sign == NULL)
		return;
	member_append_place(topic, about, key, &name);
	member->calls.sign(member->calls.context,
		(struct span){ name.bytes, name.len },
		(struct span){ bytes->bytes, bytes->len }, &done);
	text_free(&name);
	text_free(bytes);
	*bytes = done;
}

void
member_sign_post(struct member *member, size_t i)
{
	struct outbox_post post = outbox_at(member->outbox, i);
	struct text bytes = { 0 };
	struct dxl_message event;
	struct fault fault;

	if (member->calls.sign == NULL)
		return;
	text_append(&bytes, post.envelope.bytes, post.envelope.len);
	sign(member, member->topic, NULL, NULL, &bytes);
	int rc = dxl_parse(&event, (struct span){ bytes.bytes, bytes.len },
		&fault);
	assert(rc == 0);
	(void)rc;
	outbox_replace(member->outbox, i, &bytes, event.payload);
	dxl_message_free(&event);
}

/* Appends the event that carries a message. */
static void
append_event(struct member *member, const struct room_message *message,
	const char *about, struct text *bytes)
{
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), span_of(about) };
	struct text payload = { 0 };

	room_format(message, &payload);
	wrap(member, (struct span){ payload.bytes, payload.len }, fields,
		about != NULL ? 2 : 0, bytes);
	text_free(&payload);
}

void
member_direct_event(struct member *member, const char *inbox,
	const unsigned char *key, const struct room_message *message,
	struct text *bytes)
{
	append_event(member, message, member->topic, bytes);
	sign(member, inbox, member->topic, key, bytes);
}

void
member_send(struct member *member, const char *topic,
	const struct room_message *message, const char *about)
{
	struct text bytes = { 0 };

	append_event(member, message, about, &bytes);
	sign(member, topic, about, NULL, &bytes);
	member->calls.publish(member->calls.context, topic,
		(struct span){ bytes.bytes, bytes.len });
	text_free(&bytes);
}

static void
fill_sender(const struct member *member, struct room_message *message,
	struct instant now)
{
	message->user = span_of(member->user);
	message->uid = span_of(member->uid);
	message->time = now.wall / 1000;
}

bool
member_is_crowd(const struct member *member, struct instant now)
{
	return roster_count(member->roster) > MEMBER_PINGS_MAX &&
		now.mono - member->legacy_mono > ROSTER_FORGET_MS;
}

/* What we have seen, for others to compare with. */
static void
fill_heads(const struct member *member, struct room_message *here,
	struct instant now)
{
	int64_t closed = heads_closed_minute(now.wall);

	here->head_count = heads_list(member->heads, here->heads);
	for (int64_t i = 0; i < ROOM_MINUTES_MAX; i++) {
		int64_t minute = closed - i;

		if (minute * HEADS_MINUTE_MS >= member->came)
			here->minutes[here->minute_count++] =
				(struct room_minute){ minute,
					heads_minute(member->heads, minute) };
	}
}

void
member_send_here(struct member *member, const char *topic, const char *about,
	struct instant now)
{
	struct room_message here;
	int64_t known = (int64_t)roster_count(member->roster);

	room_message_init(&here, ROOM_HERE);
	fill_sender(member, &here, now);
	here.since = member->since;
	here.last = member->last;
	here.known = known > 0 ? known : 1;
	here.inbox = span_of(member->inbox);
	here.conn = span_of(member->conn);
	here.app = span_of(member->app);
	if (member->spoke_mono >= 0)
		here.idle = now.mono - member->spoke_mono;
	if (about == NULL)
		fill_heads(member, &here, now);
	member_send(member, topic, &here, about);
}

/* When the next ping is due: each minute, in a large room by chance. */
static int64_t
ping_wait(struct member *member, struct instant now)
{
	int64_t count = (int64_t)roster_count(member->roster);

	if (!member_is_crowd(member, now))
		return MEMBER_PING_MS;
	int64_t wait = MEMBER_PING_MS / MEMBER_PINGS_MAX * count;
	return wait / 2 + member_random(member, wait);
}

void
member_send_here_to_room(struct member *member, struct instant now)
{
	member_send_here(member, member->topic, NULL, now);
	member->here_mono = member->heads_mono = INT64_MAX;
	member->here_sent = now.mono;
	member->ping_mono = now.mono + ping_wait(member, now);
}

static void
fill_bye(const struct member *member, const char *conn,
	struct room_message *bye, struct instant now)
{
	room_message_init(bye, ROOM_BYE);
	fill_sender(member, bye, now);
	bye->last = member->last;
	bye->conn = span_of(conn);
	if (member->once)
		return;
	/* For who missed the last of it, or all. */
	bye->since = member->since;
	bye->inbox = span_of(member->inbox);
}

bool
member_will(struct member *member, const char *conn, struct instant now,
	struct text *bytes)
{
	struct room_message bye;

	if (!member->participant)
		return false;
	fill_bye(member, conn, &bye, now);
	/* Which number is the newest when the will is read is not known. */
	bye.last = -1;
	append_event(member, &bye, NULL, bytes);
	sign(member, member->topic, NULL, NULL, bytes);
	return true;
}

void
member_send_bye(struct member *member, struct instant now)
{
	struct room_message bye;

	fill_bye(member, member->conn, &bye, now);
	member->told = member->last;
	member_send(member, member->topic, &bye, NULL);
}

void
member_send_bye_of(struct member *member, struct span uid, struct span user,
	int64_t last, struct instant now)
{
	struct room_message bye;

	room_message_init(&bye, ROOM_BYE);
	bye.uid = uid;
	bye.user = user;
	bye.time = now.wall / 1000;
	bye.last = last;
	member_send(member, member->topic, &bye, NULL);
}

void
member_ask(struct member *member, int64_t wait_ms, struct instant now)
{
	struct room_message who;

	room_message_init(&who, ROOM_WHO);
	who.inbox = span_of(member->inbox);
	who.wait = wait_ms;
	member_send(member, member->topic, &who, NULL);
	member->asked = false;
	member->asked_until = now.mono + LEGACY_ANSWERS_MS;
}

static int
check_text(struct span text, const char *what, size_t most, struct fault *fault)
{
	if (text.len > most)
		return fault_set(fault, FAULT_DATA,
			"%s has %zu bytes (at most %zu)", translate(what),
			text.len, most);
	size_t good = text_utf8_check(text);
	if (good < text.len)
		return fault_set(fault, FAULT_DATA,
			"%s is not UTF-8 at byte "
			"%zu (iconv -t UTF-8 converts)",
			translate(what), good + 1);
	if (text.len > 0 && memchr(text.bytes, '\0', text.len) != NULL)
		return fault_set(fault, FAULT_DATA, "%s holds a NUL",
			translate(what));
	return 0;
}

int
member_fill_post(struct member *member, const struct member_post *post,
	struct room_message *message, struct instant now, struct fault *fault)
{
	room_message_init(message, ROOM_MESSAGE);
	if (check_text(post->text, "the text", MEMBER_POST_MAX, fault) < 0 ||
		check_text(post->title, "the title", ROOM_TITLE_MAX, fault) < 0)
		return -1;
	if (post->tag_count > ROOM_TAGS_MAX)
		return fault_set(fault, FAULT_DATA,
			"%zu tags are too many (at most %d)", post->tag_count,
			ROOM_TAGS_MAX);
	for (size_t i = 0; i < post->tag_count; i++) {
		if (check_text(post->tags[i], "a tag", ROOM_TAG_MAX, fault) < 0)
			return -1;
		message->tags[message->tag_count++] = post->tags[i];
	}
	fill_sender(member, message, now);
	message->ms = now.wall;
	message->text = post->text;
	message->title = post->title;
	message->severity = post->severity;
	message->lines = post->lines;
	message->once = member->once;
	message->seq = member->last + 1;
	if (!member->once) {
		message->since = member->since;
		message->inbox = span_of(member->inbox);
	}
	if (post->lines > 0)
		message->last = member->last + post->lines;
	return 0;
}

/* Keeps the envelope of a post until it is proved. */
static void
keep_post(struct member *member, const struct outbox_post *post,
	struct text *bytes)
{
	struct dxl_message own;
	struct fault fault;

	/* Where the payload lies in what was just made. */
	int rc = dxl_parse(&own, (struct span){ bytes->bytes, bytes->len },
		&fault);
	assert(rc == 0);
	(void)rc;
	outbox_add(member->outbox, post, bytes, own.payload);
	dxl_message_free(&own);
}

/* The newest post was put into the outbox: says it if there is a
 * connection. */
static void
say_newest(struct member *member, struct instant now)
{
	size_t i = outbox_count(member->outbox) - 1;

	if (i == 0) {
		member_begin_proof(member, now);
		member->retried = member->remarked = false;
	}
	if (member->connected)
		member_publish_post(member, i);
}

static void
say(struct member *member, const struct outbox_post *post, struct text *bytes,
	struct instant now)
{
	keep_post(member, post, bytes);
	say_newest(member, now);
}

size_t
member_quoted_len(struct span bytes)
{
	size_t len = bytes.len;

	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.bytes[i] == '"' || bytes.bytes[i] == '\\')
			len++;
		else if ((unsigned char)bytes.bytes[i] < ' ')
			len += CONTROL_EXTRA;
	return len;
}

/* The event of a post, and what is in it. */
static int
encode_post(struct member *member, const struct member_post *post,
	struct room_message *message, struct text *bytes, struct instant now,
	struct fault *fault)
{
	if (member_fill_post(member, post, message, now, fault) < 0)
		return -1;
	append_event(member, message, NULL, bytes);
	size_t len = member_quoted_len(
		(struct span){ bytes->bytes, bytes->len });
	size_t most = member_most(member);
	if (len <= most)
		return 0;
	return fault_set(fault, FAULT_DATA,
		"the message has %zu bytes when encoded (at most %zu)", len,
		most);
}

int
member_check(struct member *member, const struct member_post *post,
	struct instant now, struct fault *fault)
{
	struct room_message message;
	struct text bytes = { 0 };
	int rc = encode_post(member, post, &message, &bytes, now, fault);

	text_free(&bytes);
	return rc;
}

int64_t
member_say(struct member *member, const struct member_post *post,
	struct instant now, struct fault *fault)
{
	struct roster_entry *own = roster_find(member->roster,
		span_of(member->uid));
	struct room_message message;
	struct text bytes = { 0 };

	if (member->since == 0)
		member->since = now.wall;
	if (encode_post(member, post, &message, &bytes, now, fault) < 0) {
		text_free(&bytes);
		return -1;
	}
	member->last += post->lines > 0 ? post->lines : 1;
	member->spoke_mono = now.mono;
	if (own != NULL)
		own->spoke_mono = now.mono;
	say(member,
		&(struct outbox_post){ .uid = member->uid,
			.first = message.seq,
			.last = member->last,
			.ms = now.wall,
			.unconfirmed = member->unconfirmed },
		&bytes, now);
	return message.seq;
}

int
member_resend(struct member *member, struct span envelope, bool unconfirmed,
	struct instant now, struct fault *fault)
{
	struct dxl_message event;
	struct room_message message;
	struct text bytes = { 0 };
	int rc = -1;

	if (dxl_parse(&event, envelope, fault) < 0)
		return -1;
	if (room_parse(&message, event.payload, fault) < 0)
		goto out;
	if (message.type == ROOM_MESSAGE && message.uid.len > 0 &&
		message.seq > 0) {
		const struct outbox_post post = {
			.uid = message.uid.bytes,
			.first = message.seq,
			.last = message.seq +
				(message.lines > 0 ? message.lines - 1 : 0),
			.ms = message.ms,
			.unconfirmed = unconfirmed,
		};

		text_append(&bytes, envelope.bytes, envelope.len);
		say(member, &post, &bytes, now);
		rc = 0;
	} else {
		fault_set(fault, FAULT_DATA, "it is no numbered message");
	}
	room_message_free(&message);
out:
	dxl_message_free(&event);
	return rc;
}

/* Tells that the newest post is said again. */
static void
mark_again(struct member *member)
{
	size_t i = outbox_count(member->outbox) - 1;
	struct text bytes = { 0 };
	struct dxl_message event;
	struct fault fault;

	int rc = dxl_parse(&event, outbox_at(member->outbox, i).envelope,
		&fault);
	assert(rc == 0);
	if (dxl_field(&event, ROOM_AGAIN_FIELD).len == 0)
		add_header(&event, ROOM_AGAIN_FIELD, span_of("1"), &bytes);
	dxl_message_free(&event);
	if (bytes.len == 0)
		return;
	rc = dxl_parse(&event, (struct span){ bytes.bytes, bytes.len }, &fault);
	assert(rc == 0);
	(void)rc;
	outbox_replace(member->outbox, i, &bytes, event.payload);
	dxl_message_free(&event);
}

int
member_say_again(struct member *member, int64_t first, struct instant now,
	struct fault *fault)
{
	size_t count = outbox_count(member->given_up), i = 0;

	while (i < count && outbox_at(member->given_up, i).first != first)
		i++;
	if (i == count)
		return fault_set(fault, FAULT_DATA,
			"message %" PRId64
			" was not given up, or is not kept any more",
			first);
	outbox_move(member->given_up, i, member->outbox);
	mark_again(member);
	say_newest(member, now);
	return 0;
}

int
member_check_post(struct span envelope, struct span uid, int64_t first,
	int64_t last, struct fault *fault)
{
	struct dxl_message event;
	struct room_message message;

	if (dxl_parse(&event, envelope, fault) < 0)
		return -1;
	int rc = room_parse(&message, event.payload, fault);
	if (rc == 0) {
		int64_t lines = message.lines > 0 ? message.lines : 1;

		if (!span_equal(message.uid, uid) || message.seq != first ||
			last - first != lines - 1)
			rc = fault_set(fault, FAULT_DATA,
				"it holds another message than it says");
		room_message_free(&message);
	}
	dxl_message_free(&event);
	return rc;
}
