/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include "dxl.h"
#include "memory.h"

#include <stdlib.h>

enum { ROOMS_MAX = 256 }; /* that a session on all rooms tells apart */

struct member *
session_find_member(const struct session *session, struct span topic)
{
	for (size_t i = 0; i < session->member_count; i++)
		if (span_equal(topic,
			    span_of(member_topic(session->members[i]))))
			return session->members[i];
	return NULL;
}

/* Whose message it is, when one session looks at all rooms. */
static struct member *
member_for(struct session *session, struct span topic)
{
	struct fault fault;

	if (span_equal(topic, span_of(ROOM_LOBBY_TOPIC)))
		return session->members[0];
	struct member *member = session_find_member(session, topic);
	struct span name = room_of_topic(topic);
	if (member != NULL || room_name_check(name, &fault) < 0)
		return member;
	if (session->member_count > ROOMS_MAX) {
		session->over_rooms++;
		return NULL;
	}

	char *room = memory_copy(name.bytes, name.len);
	member = session_add_member(session, room, &fault);
	if (member == NULL) {
		free(room);
		return NULL;
	}
	member_connected(member, session->conn, session_now());
	member_up(member, session_now());
	/* Legacy peers and others that do not hear the lobby. */
	member_ask(member, MEMBER_WAIT_MS, session_now());
	free(room);
	return member;
}

static void
receive_for_all(struct session *session, struct span topic, struct span bytes)
{
	struct dxl_message event;
	struct fault fault;
	struct member *member;

	if (!span_equal(topic, span_of(session->inbox))) {
		member = member_for(session, topic);
	} else if (dxl_parse(&event, bytes, &fault) == 0) {
		struct span about = dxl_field(&event, ROOM_TOPIC_FIELD);

		member = about.len > 0 ? member_for(session, about)
				       : session->members[0];
		dxl_message_free(&event);
	} else {
		member = session->members[0];
	}
	if (member != NULL)
		member_receive(member, topic, bytes, session_now());
}

void
session_pass(void *context, struct span topic, struct span bytes)
{
	struct session *session = context;
	struct member *member;

	if (session->config.room == NULL) {
		receive_for_all(session, topic, bytes);
		return;
	}
	/* The inbox is of all rooms; only the first one's member has a use for
	 * it. */
	member = session_find_member(session, topic);
	member_receive(member != NULL ? member : session->members[0], topic,
		bytes, session_now());
}

static void
tell_foreign(struct session *session, struct span topic)
{
	struct span room = room_of_topic(topic);

	if (session->is_foreign_told || session->calls.foreign == NULL ||
		room.len == 0)
		return;
	session->is_foreign_told = true;
	session->calls.foreign(session->calls.context, room);
}

void
session_hear(void *context, struct span topic, struct span bytes)
{
	struct session *session = context;
	struct instant now = session_now();
	struct text opened = { 0 };
	struct fault fault;

	if (session_ask_hear(session, topic, bytes) || session->config.no_room)
		return;
	switch (session_cover_open(session->cover, topic, bytes, now.wall,
		&opened, &fault)) {
	case COVER_CLEAR:
		guard_receive(session->guard, topic, bytes, now.mono, now.wall);
		break;
	case COVER_OPENED:
		guard_receive(session->guard, topic,
			(struct span){ opened.bytes, opened.len }, now.mono,
			now.wall);
		break;
	case COVER_FOREIGN:
		session->sealed_foreign++;
		tell_foreign(session, topic);
		session_ignore(session, fault.text);
		break;
	case COVER_BAD:
		session->sealed_bad++;
		session_ignore(session, fault.text);
		break;
	}
	text_free(&opened);
}
