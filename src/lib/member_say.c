/* SPDX-License-Identifier: Apache-2.0 */
#include "member_state.h"

#include "dxl.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

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

/* Appends the event that carries a message. */
static void
append_event(struct member *member, const struct room_message *message,
	const char *about, struct text *bytes)
{
	struct text payload = { 0 };
	struct text id = { 0 };
	struct span fields[2] = { span_of(ROOM_TOPIC_FIELD), span_of(about) };

	room_format(message, &payload);
	append_id(member, &id);
	struct dxl_message event = {
		.version = DXL_VERSION,
		.type = DXL_EVENT,
		.message_id = { id.bytes, id.len },
		.payload = { payload.bytes, payload.len },
		.other_fields = { fields, about != NULL ? 2 : 0 },
	};
	dxl_format(&event, bytes);
	text_free(&payload);
	text_free(&id);
}

/* Sends what need not be proved. */
static void
send(struct member *member, const char *topic,
	const struct room_message *message, const char *about)
{
	struct text bytes = { 0 };

	append_event(member, message, about, &bytes);
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
	send(member, topic, &here, about);
}

void
member_send_here_to_room(struct member *member, struct instant now)
{
	member_send_here(member, member->topic, NULL, now);
	member->here_mono = INT64_MAX;
	member->here_sent = now.mono;
	member->ping_mono = now.mono + MEMBER_PING_MS;
}

static void
fill_bye(const struct member *member, const char *conn,
	struct room_message *bye, struct instant now)
{
	room_message_init(bye, ROOM_BYE);
	fill_sender(member, bye, now);
	bye->last = member->last;
	bye->conn = span_of(conn);
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
	return true;
}

void
member_send_bye(struct member *member, struct instant now)
{
	struct room_message bye;

	fill_bye(member, member->conn, &bye, now);
	send(member, member->topic, &bye, NULL);
}

void
member_ask(struct member *member, int64_t wait_ms, struct instant now)
{
	struct room_message who;

	room_message_init(&who, ROOM_WHO);
	who.inbox = span_of(member->inbox);
	who.wait = wait_ms;
	send(member, member->topic, &who, NULL);
	member->asked = false;
	member->asked_until = now.mono + wait_ms + 1000;
}

static void
publish_post(struct member *member, size_t i)
{
	struct outbox_post post = outbox_at(member->outbox, i);

	member->calls.publish(member->calls.context, member->topic,
		post.envelope);
}

void
member_send_unproved(struct member *member)
{
	for (size_t i = 0; i < outbox_count(member->outbox); i++)
		publish_post(member, i);
}

void
member_sent(struct member *member, struct instant now)
{
	while (member->unconfirmed && outbox_count(member->outbox) > 0) {
		struct outbox_post post = outbox_at(member->outbox, 0);
		int64_t first = post.first, last = post.last;

		member_deliver_own(member, post.payload, now);
		outbox_drop(member->outbox);
		member->progress_mono = now.mono;
		member->calls.proved(member->calls.context, first, last);
	}
}

static int
check_text(struct span text, const char *what, size_t most, struct fault *fault)
{
	if (text.len > most)
		return fault_set(fault, FAULT_DATA,
			"%s has %zu bytes (at most %zu)", what, text.len, most);
	size_t good = text_utf8_check(text);
	if (good < text.len)
		return fault_set(fault, FAULT_DATA,
			"%s is not UTF-8 at byte "
			"%zu (iconv -t UTF-8 converts)",
			what, good + 1);
	if (text.len > 0 && memchr(text.bytes, '\0', text.len) != NULL)
		return fault_set(fault, FAULT_DATA, "%s holds a NUL", what);
	return 0;
}

static int
fill_post(struct member *member, const struct member_post *post,
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
	if (post->lines > 0)
		message->last = member->last + post->lines;
	return 0;
}

/* Keeps the envelope of a post until it is proved. */
static void
keep_post(struct member *member, const struct room_message *message,
	int64_t last, struct text *bytes)
{
	struct dxl_message own;
	struct fault fault;

	/* Where the payload lies in what was just made. */
	int rc = dxl_parse(&own, (struct span){ bytes->bytes, bytes->len },
		&fault);
	assert(rc == 0);
	(void)rc;
	outbox_add(member->outbox, message->seq, last, bytes, own.payload);
	dxl_message_free(&own);
}

int64_t
member_say(struct member *member, const struct member_post *post,
	struct instant now, struct fault *fault)
{
	struct room_message message;
	struct text bytes = { 0 };

	if (fill_post(member, post, &message, now, fault) < 0)
		return -1;
	append_event(member, &message, NULL, &bytes);
	if (bytes.len > MEMBER_POST_MAX) {
		fault_set(fault, FAULT_DATA,
			"the message has %zu bytes when "
			"encoded (at most %d)",
			bytes.len, MEMBER_POST_MAX);
		text_free(&bytes);
		return -1;
	}
	if (outbox_count(member->outbox) == 0) {
		member->progress_mono = now.mono;
		member->retried = false;
	}
	member->last += post->lines > 0 ? post->lines : 1;
	member->spoke_mono = now.mono;
	keep_post(member, &message, member->last, &bytes);
	if (member->connected)
		publish_post(member, outbox_count(member->outbox) - 1);
	return message.seq;
}
