/* SPDX-License-Identifier: Apache-2.0 */
#include "join/direct.h"

#include "memory.h"
#include "places.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>

static const struct places_help help = {
	.who = N_("\\p tells who is"),
	.pin = "\\pin",
};

/* Who got a message, and what it was, if it has failed. */
struct message {
	int64_t id; /* 0: none is here */
	char user[ROOM_USER_MAX + 1];
	char fingerprint[TRUST_FINGERPRINT_MAX];
	struct text text;
	int64_t until; /* mono: for the receipt; INT64_MAX: it has failed */
};

struct direct {
	const struct conf *conf;
	struct direct_calls calls;
	struct message messages[DIRECT_WAITING_MAX];
};

struct direct *
direct_new(const struct conf *conf, const struct direct_calls *calls)
{
	struct direct *direct = memory_alloc(1, sizeof(*direct));

	direct->conf = conf;
	direct->calls = *calls;
	return direct;
}

static void
forget(struct message *message)
{
	text_free(&message->text);
	*message = (struct message){ 0 };
}

void
direct_free(struct direct *direct)
{
	if (direct == NULL)
		return;
	for (size_t i = 0; i < DIRECT_WAITING_MAX; i++)
		forget(&direct->messages[i]);
	free(direct);
}

static struct message *
find(struct direct *direct, int64_t id)
{
	for (size_t i = 0; i < DIRECT_WAITING_MAX; i++)
		if (direct->messages[i].id == id)
			return &direct->messages[i];
	return NULL;
}

/* A free one, or else the oldest that has failed. */
static struct message *
find_room(struct direct *direct)
{
	struct message *oldest = NULL;

	for (size_t i = 0; i < DIRECT_WAITING_MAX; i++) {
		struct message *message = &direct->messages[i];

		if ((message->id == 0 || message->until == INT64_MAX) &&
			(oldest == NULL || message->id < oldest->id))
			oldest = message;
	}
	return oldest;
}

static int
find_places(const struct direct *direct, const struct session *session,
	const char *name, struct places *places, struct fault *fault)
{
	places->count = 0;
	if (session_link(session) != SESSION_UP)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"the connection is lost, and nothing is kept");
	return places_find(places, session_member(session, 0), name,
		direct->conf, &help, fault);
}

static int64_t
say(struct session *session, const struct places *places, struct span text,
	int64_t number, struct fault *fault)
{
	const struct member_post post = { .text = text, .lines = -1 };

	return member_say_to(session_member(session, 0), &post, number,
		places->at, places->count, session_now(), fault);
}

int64_t
direct_say(struct direct *direct, struct session *session, const char *name,
	struct span text, char user[static ROOM_USER_MAX + 1],
	struct fault *fault)
{
	struct places places;

	if (find_places(direct, session, name, &places, fault) < 0)
		return -1;
	struct message *message = find_room(direct);
	if (message == NULL)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%d direct messages wait for a receipt (wait a moment)",
			DIRECT_WAITING_MAX);
	int64_t id = say(session, &places, text, 0, fault);
	if (id < 0)
		return -1;
	forget(message);
	message->id = id;
	strcpy(message->user, places.user);
	strcpy(message->fingerprint, places.fingerprint);
	text_append(&message->text, text.bytes, text.len);
	message->until = session_now().mono + DIRECT_WAIT_MS;
	strcpy(user, places.user);
	return id;
}

int
direct_say_again(struct direct *direct, struct session *session, int64_t id,
	struct fault *fault)
{
	struct message *message = find(direct, id);
	struct places places;

	if (message == NULL || id < 1 || message->until != INT64_MAX)
		return fault_set(fault, FAULT_DATA,
			"that direct message has not failed, or is not kept "
			"any more");
	if (find_places(direct, session, message->user, &places, fault) < 0)
		return -1;
	if (strcmp(places.fingerprint, message->fingerprint) != 0)
		return fault_set(fault, FAULT_NOPERM,
			"%s has another certificate than when it was said",
			message->user);
	if (say(session, &places,
		    (struct span){ message->text.bytes, message->text.len }, id,
		    fault) < 0)
		return -1;
	message->until = session_now().mono + DIRECT_WAIT_MS;
	return 0;
}

void
direct_receipt(struct direct *direct, int64_t number, const struct trust *trust)
{
	struct message *message = number > 0 ? find(direct, number) : NULL;

	/* Of nobody else. */
	if (message == NULL ||
		strcmp(trust->fingerprint, message->fingerprint) != 0)
		return;
	forget(message);
	direct->calls.arrived(direct->calls.context, number);
}

int64_t
direct_deadline(const struct direct *direct)
{
	int64_t deadline = INT64_MAX;

	for (size_t i = 0; i < DIRECT_WAITING_MAX; i++)
		if (direct->messages[i].id != 0 &&
			direct->messages[i].until < deadline)
			deadline = direct->messages[i].until;
	return deadline;
}

void
direct_tick(struct direct *direct, int64_t mono)
{
	for (size_t i = 0; i < DIRECT_WAITING_MAX; i++) {
		struct message *message = &direct->messages[i];

		if (message->id == 0 || message->until > mono)
			continue;
		message->until = INT64_MAX;
		direct->calls.failed(direct->calls.context, message->id,
			message->user);
	}
}
