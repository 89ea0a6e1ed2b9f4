/* SPDX-License-Identifier: Apache-2.0 */
#include "session_cover.h"

#include "dxl.h"
#include "memory.h"
#include "secrets.h"
#include "session.h"
#include "translate.h"

#include <stdlib.h>

enum {
	ROOMS_MAX = 256, /* that are met in a session on all rooms */
	LOOK_MS = 1000,  /* between two looks at the files, … */
	GLANCE_MS = 50,  /* … and when something cannot be opened */
};

struct room {
	char *name, *topic;
	struct seal *seal; /* NULL: not sealed */
	bool is_mute;      /* its secrets cannot be read */
	bool is_changed;   /* since session_cover_tick() told it */
};

struct session_cover {
	const struct signer *signer;
	bool all;
	struct room *rooms;
	size_t count;
	struct room beyond; /* stands for rooms beyond ROOMS_MAX: mute */
	int64_t look_mono, glance_mono;
};

struct session_cover *
session_cover_new(const struct signer *signer, bool all)
{
	struct session_cover *cover = memory_alloc(1, sizeof(*cover));

	cover->signer = signer;
	cover->all = all;
	cover->beyond = (struct room){ .name = memory_string(
					       _("one more room")),
		.topic = memory_string(""),
		.is_mute = true };
	return cover;
}

static void
room_free(struct room *room)
{
	seal_free(room->seal);
	free(room->name);
	free(room->topic);
}

void
session_cover_free(struct session_cover *cover)
{
	if (cover == NULL)
		return;
	for (size_t i = 0; i < cover->count; i++)
		room_free(&cover->rooms[i]);
	room_free(&cover->beyond);
	free(cover->rooms);
	free(cover);
}

/* Once it is sealed, a room stays so, whatever becomes of its file. */
static int
load(struct room *room, struct fault *fault)
{
	struct room_secrets secrets;
	int rc = secrets_load(room->name, session_now().wall, &secrets, fault);

	/* There is a secret, and who knows which: nothing may be said. */
	room->is_mute = rc < 0;
	if (rc < 1)
		return rc;
	if (room->seal == NULL) {
		room->seal = seal_new(span_of(room->topic), secrets.secrets,
			secrets.count, NULL);
		room->is_changed = true;
	} else if (seal_renew(room->seal, secrets.secrets, secrets.count) > 0) {
		room->is_changed = true;
	}
	secrets_wipe(&secrets);
	return 1;
}

static struct room *
find(const struct session_cover *cover, struct span topic)
{
	for (size_t i = 0; i < cover->count; i++)
		if (span_equal(span_of(cover->rooms[i].topic), topic))
			return &cover->rooms[i];
	return NULL;
}

static struct room *
keep(struct session_cover *cover, struct room *room)
{
	cover->rooms = memory_resize(cover->rooms, cover->count + 1,
		sizeof(*cover->rooms));
	room->is_changed = false;
	cover->rooms[cover->count] = *room;
	return &cover->rooms[cover->count++];
}

int
session_cover_add(struct session_cover *cover, const char *name,
	struct fault *fault)
{
	struct room room = { .name = memory_string(name),
		.topic = room_topic(name) };
	struct room *known = find(cover, span_of(room.topic));
	int rc = load(known != NULL ? known : &room, fault);

	if (known == NULL && rc >= 0) {
		keep(cover, &room);
		return rc;
	}
	room_free(&room);
	return rc < 0 ? -1 : known->seal != NULL;
}

/* Nothing is kept of a room that has no secret: anybody can name any. */
static struct room *
meet(struct session_cover *cover, struct span topic)
{
	struct span name = room_of_topic(topic);
	struct fault ignored;

	if (!cover->all || room_name_check(name, &ignored) < 0)
		return NULL;
	if (cover->count >= ROOMS_MAX)
		return &cover->beyond;
	struct room room = { .name = memory_copy(name.bytes, name.len) };
	room.topic = room_topic(room.name);
	if (load(&room, &ignored) != 0)
		return keep(cover, &room);
	room_free(&room);
	return NULL;
}

static struct room *
find_or_meet(struct session_cover *cover, struct span topic)
{
	struct room *room = find(cover, topic);

	return room != NULL ? room : meet(cover, topic);
}

bool
session_cover_is_sealed(const struct session_cover *cover, struct span topic)
{
	const struct room *room = find(cover, topic);

	return room != NULL && room->seal != NULL;
}

/* Which room is it about?  An inbox message says so, or it is the first. */
static struct room *
room_of(struct session_cover *cover, struct span place, struct span envelope)
{
	struct room *room = find_or_meet(cover, place);
	struct dxl_message event;
	struct fault fault;

	if (room != NULL || room_of_topic(place).len > 0 ||
		dxl_parse(&event, envelope, &fault) < 0)
		return room;
	struct span about = dxl_field(&event, ROOM_TOPIC_FIELD);
	if (about.len > 0)
		room = find_or_meet(cover, about);
	if (room == NULL && !cover->all && cover->count > 0 &&
		!span_equal(place, span_of(ROOM_LOBBY_TOPIC)))
		room = &cover->rooms[0];
	dxl_message_free(&event);
	return room;
}

/* Looks at the file, not too often.  Is there a secret? */
static bool
look(struct session_cover *cover, struct room *room)
{
	struct fault ignored;
	int64_t mono = session_now().mono;

	if (room == &cover->beyond || mono - cover->glance_mono < GLANCE_MS)
		return false;
	cover->glance_mono = mono;
	return load(room, &ignored) == 1;
}

int
session_cover_seal(struct session_cover *cover, struct span place,
	struct span envelope, struct text *out, struct fault *fault)
{
	struct room *room = room_of(cover, place, envelope);

	if (room == NULL)
		return 0;
	/* Nothing is said in the clear where there has been a secret for a
	 * moment. */
	if (room->seal == NULL)
		look(cover, room);
	if (room->is_mute)
		return fault_set(fault, FAULT_CONFIG,
			"%s: its secret cannot be read, so nothing is said "
			"there (qchat-invite --list tells why)",
			room->name);
	if (room->seal == NULL)
		return 0;
	return cover_seal(room->seal, place, envelope, out, fault) < 0 ? -1 : 1;
}

enum cover_state
session_cover_open(struct session_cover *cover, struct span place,
	struct span envelope, int64_t wall, struct text *out,
	struct fault *fault)
{
	struct room *room = room_of(cover, place, envelope);
	enum cover_state state = cover_open(room != NULL ? room->seal : NULL,
		cover->signer, place, envelope, wall, out, fault);

	/* It may be a secret that was taken a moment ago. */
	if (state != COVER_FOREIGN || room == NULL || !look(cover, room))
		return state;
	return cover_open(room->seal, cover->signer, place, envelope, wall, out,
		fault);
}

uint64_t
session_cover_untried(const struct session_cover *cover)
{
	uint64_t count = 0;

	for (size_t i = 0; i < cover->count; i++)
		if (cover->rooms[i].seal != NULL)
			count += seal_counts(cover->rooms[i].seal).busy;
	return count;
}

bool
session_cover_tick(struct session_cover *cover, struct instant now)
{
	struct fault ignored;
	bool is_changed = false;

	if (now.mono < cover->look_mono)
		return false;
	cover->look_mono = now.mono + LOOK_MS;
	for (size_t i = 0; i < cover->count; i++) {
		load(&cover->rooms[i], &ignored);
		is_changed |= cover->rooms[i].is_changed;
		cover->rooms[i].is_changed = false;
	}
	return is_changed;
}

int64_t
session_cover_deadline(const struct session_cover *cover)
{
	return cover->look_mono;
}
