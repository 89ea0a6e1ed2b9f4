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
/* The header of what its sender had given up: who came meanwhile wants it, even
 * if a higher number came first. */
#define ROOM_AGAIN_FIELD "qchat.again"

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
	ROOM_BLOCK_LINES_MAX = 16384, /* lines of one block */
	ROOM_BLOCK_BYTES_MAX = 65536, /* bytes of a block's text */
	ROOM_WANTS_MAX = 32,          /* ranges of one repair request */
	ROOM_HEADS_MAX = 32,          /* senders of one ping's `heads` */
	ROOM_MINUTES_MAX = 3,         /* of one ping's `minutes` */
	ROOM_DIGEST_BYTES = 16,       /* hex digits of a digest */
	ROOM_KEY_MAX = 64,            /* hex digits of a key id */
	ROOM_HEADER_MAX = 24 * 1024,  /* bytes of a header that is passed on */
};

/* The largest number that JSON carries exactly everywhere: 2^53 - 1. */
#define ROOM_NUMBER_MAX INT64_C(9007199254740991)

enum room_type {
	ROOM_MESSAGE = 1,
	ROOM_HERE = 2,
	ROOM_WHO = 3,
	ROOM_BYE = 4,
	ROOM_SEALED = 5,   /* another message, encrypted */
	ROOM_WANT = 6,     /* repair wanted: numbers, or a time */
	ROOM_REPAIR = 7,   /* a message again; or what one has of a time */
	ROOM_PROOF = 11,   /* a stream's marker to its own inbox */
	ROOM_RECEIPT = 12, /* a direct message has arrived */
	ROOM_KEY = 13, /* asks an inbox for the binding of a key; its answer */
};

enum room_severity {
	ROOM_SEVERITY_NONE,
	ROOM_SEVERITY_INFO,
	ROOM_SEVERITY_LOW,
	ROOM_SEVERITY_MEDIUM,
	ROOM_SEVERITY_HIGH,
	ROOM_SEVERITY_CRITICAL,
};

/* Numbers first to last of one sender, both included. */
struct room_range {
	int64_t first;
	int64_t last;
};

/* The newest number that was seen of a sender. */
struct room_head {
	struct span uid;
	int64_t last;
	int64_t ms;    /* of that message */
	int64_t since; /* when that sender began, ms; -1: not known */
};

/* What was seen of the messages whose `ms` lies in one minute. */
struct room_minute {
	int64_t minute; /* since the epoch */
	uint64_t digest;
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
	int64_t since;     /* here, message: when the sender began; want: from
			    * when on; ms since the epoch */
	int64_t idle;      /* here: milliseconds since the last post */
	int64_t known;     /* here: participants that the sender knows */
	int64_t wait;      /* who: milliseconds over which to spread answers */
	struct span inbox; /* a topic, checked: where answers go */
	struct span conn;  /* here, bye, proof: which connection */
	struct span app;   /* here: program and version */
	int64_t until;     /* want: up to when, ms since the epoch */
	int64_t count;     /* want: so many newest records, or messages */
	int64_t skip;      /* want, repair: behind so many messages */
	int64_t have;      /* repair: messages of what was asked for */
	int64_t records;   /* repair: records in them */
	int64_t oldest;    /* repair: when the first of them was said, ms */
	int64_t sent;      /* repair: so many were sent before this */
	uint64_t digest;   /* repair: of all that one has of it; 0: none */
	struct span payload; /* repair: of a message, to the byte, … */
	struct span sig, bind, cert; /* … and its headers; key: the last two */
	struct span key; /* key: its id in hex; sealed: as seal.h has it, … */
	int64_t version, counter;                /* … and so with these */
	struct span sealed, salt, to, ephemeral; /* likewise */
	struct room_range wants[ROOM_WANTS_MAX];
	size_t want_count;
	struct room_head heads[ROOM_HEADS_MAX];
	size_t head_count;
	struct room_minute minutes[ROOM_MINUTES_MAX];
	size_t minute_count;
	void *json; /* what the spans point into */
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

/* Has it 1 to ROOM_UID_MAX bytes, and no control character? */
bool room_uid_check(struct span uid);

/* Is it the topic of one inbox: one level behind ROOM_INBOX_PREFIX? */
bool room_inbox_check(struct span topic);

/* "info" … "critical", or NULL for none. */
const char *room_severity_name(enum room_severity severity);

/* ROOM_SEVERITY_NONE if there is no such. */
enum room_severity room_severity_of(struct span name);

#endif
