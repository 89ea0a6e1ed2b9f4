/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ROOM_H
#define QCHAT_ROOM_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is said in a room: the payload of an event, bytes to struct and back;
 * rooms and inboxes as topics (qchat-protocol(7)). */

#define ROOM_TOPIC_PREFIX "/mcafee/event/qchat/"
#define ROOM_INBOX_PREFIX "/mcafee/client/"
/* Where a question to all rooms goes: the topic of the room without a name,
 * which nobody can be in. */
#define ROOM_LOBBY_TOPIC ROOM_TOPIC_PREFIX
/* The envelope's header that tells which room's topic an inbox message is
 * about. */
#define ROOM_TOPIC_FIELD "qchat.topic"

enum {
	ROOM_NAME_MAX = 512, /* bytes of a room's name */
	/* levels of a name, between slashes; mosquitto has 200 for a topic */
	ROOM_LEVELS_MAX = 100,
	ROOM_INBOX_MAX = 256, /* bytes of an inbox's topic */
	ROOM_UID_MAX = 64,    /* bytes; ours have 32 */
	ROOM_USER_MAX = 256,
	ROOM_TITLE_MAX = 1024,
	ROOM_TAG_MAX = 256,
	ROOM_TAGS_MAX = 32,           /* tags of one message */
	ROOM_BLOCK_LINES_MAX = 256,   /* lines of one block */
	ROOM_BLOCK_BYTES_MAX = 16384, /* bytes of a block's text */
};

/* The largest number that JSON carries exactly everywhere: 2^53 - 1. */
#define ROOM_NUMBER_MAX INT64_C(9007199254740991)

enum room_type {
	ROOM_MESSAGE = 1,
	ROOM_HERE = 2,
	ROOM_WHO = 3,
	ROOM_BYE = 4,
};

enum room_severity {
	ROOM_SEVERITY_NONE,
	ROOM_SEVERITY_INFO,
	ROOM_SEVERITY_LOW,
	ROOM_SEVERITY_MEDIUM,
	ROOM_SEVERITY_HIGH,
	ROOM_SEVERITY_CRITICAL,
};

/* Numbers are -1 and spans are empty where the payload has no such key. */
struct room_message {
	int64_t type;
	struct span user;
	struct span uid;
	int64_t time; /* seconds since the epoch */
	int64_t ms;   /* milliseconds since the epoch */
	struct span text;
	int64_t seq;   /* 1 and up */
	int64_t lines; /* `n`: lines of a block; -1: one record */
	int64_t last;  /* the newest number of this UID; 0: none yet */
	bool once;     /* a lone post under a UID of its own */
	enum room_severity severity;
	struct span title;
	struct span tags[ROOM_TAGS_MAX];
	size_t tag_count;
	int64_t since;     /* here: milliseconds since the epoch */
	int64_t idle;      /* here: milliseconds since the last post */
	int64_t known;     /* here: participants that the sender knows */
	int64_t wait;      /* who: milliseconds over which to spread answers */
	struct span inbox; /* here, who: a topic, checked */
	struct span conn;  /* here, bye: which connection */
	struct span app;   /* here: program and version */
	void *json;        /* what the spans point into */
};

/* All keys missing. */
void room_message_init(struct room_message *message, enum room_type type);

/*
 * Reads a payload as peers of all ages write it: `time` as string, integer or
 * float, white space and NULs behind the object.  A type that is not known
 * gives a message with only its type.  0, and room_message_free() it; or -1
 * with FAULT_DATA and nothing to free.
 */
int room_parse(struct room_message *message, struct span payload,
	struct fault *fault);

void room_message_free(struct room_message *message);

/* Appends the payload.  All spans must be UTF-8. */
void room_format(const struct room_message *message, struct text *payload);

/* May there be a room of this name?  0, or -1 with FAULT_USAGE: empty, `+`,
 * `#`, control characters, not UTF-8, more than ROOM_NAME_MAX bytes
 * or ROOM_LEVELS_MAX levels: a broker would disconnect who uses it. */
int room_name_check(struct span name, struct fault *fault);

/* The topic of a room; the caller frees it. */
char *room_topic(const char *name);

/* The name in a topic, or an empty span if it is no room's topic. */
struct span room_of_topic(struct span topic);

/* Is it the topic of one inbox: one level behind ROOM_INBOX_PREFIX? */
bool room_inbox_check(struct span topic);

/* "info" … "critical", or NULL for none. */
const char *room_severity_name(enum room_severity severity);

/* ROOM_SEVERITY_NONE if there is no such. */
enum room_severity room_severity_of(struct span name);

#endif
