/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_RECORD_H
#define QCHAT_RECORD_H

#include "fault.h"
#include "room.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stdint.h>

/* What a member hands out, and its three forms: the plain line, a format, and
 * the JSON line.  One record, one line. */

enum record_type {
	RECORD_MESSAGE, /* somebody said something */
	RECORD_JOIN,    /* somebody came */
	RECORD_HERE,    /* somebody was here before us */
	RECORD_LEAVE,   /* somebody went */
	RECORD_GAP,     /* messages are missing */
	RECORD_DIRECT,  /* somebody said something to us alone */
};

struct record {
	enum record_type type;
	bool own;           /* from this process itself */
	bool replayed;      /* said before we came */
	bool sealed;        /* was encrypted for the room or for us */
	bool late;          /* was told to be missing, and is here after all */
	struct trust trust; /* but for a gap, which nobody signs */
	int64_t time;       /* wall ms: when it was said */
	int64_t received;   /* wall ms: when it came here */
	struct span room;   /* name */
	struct span user;
	struct span uid;             /* empty: a legacy peer without one */
	int64_t seq;                 /* -1: none */
	struct span text;            /* message */
	enum room_severity severity; /* message */
	struct span title;           /* message */
	const struct span *tags;     /* message */
	size_t tag_count;
	struct span app;    /* join, here; empty: a legacy peer */
	struct span inbox;  /* join, here: topic, may be empty */
	int64_t since;      /* join, here: wall ms, -1: not known */
	int64_t idle;       /* here: ms since its last post, -1: not known */
	int64_t said;       /* here: messages that it has sent, -1: not known */
	const char *reason; /* leave: "bye" or "silence" */
	int64_t gap_first;  /* gap: these numbers, both included */
	int64_t gap_last;
};

/*
 * Appends "TIME ROOM MARK NAME TEXT" and a line feed.  The mark of a message
 * is that of trust.h; what is no message has the mark "*", which no message
 * has, and a text of ours.  Behind the mark "~": replayed, or late; "@": to us
 * alone.
 */
void record_plain(const struct record *record, struct text *line);

/* Appends one JSON object and a line feed; printable ASCII only.  In it the
 * mark is always that of trust. */
void record_json(const struct record *record, struct text *line);

/* A counter. */
struct record_count {
	const char *name;
	uint64_t value;
};

/* Appends one JSON object, whose `counts` is one of these, and a line feed. */
void record_counts_json(const struct record_count *counts, size_t count,
	int64_t time, struct text *line);

/* What is known of a room. */
struct record_room {
	struct span room; /* name */
	int64_t time;     /* wall ms: when it was looked at */
	int64_t participants;
	int64_t known;    /* the most that one of them knows of; 0: not known */
	int64_t since;    /* wall ms: of the longest of them; -1: not known */
	int64_t messages; /* that they have sent */
	double per_hour;  /* the same by time; -1: not known */
	bool sealed;
	/* By the fabric's count, and of how many of its brokers that is; -1:
	 * not known. */
	int64_t listeners, brokers, brokers_known;
};

/* Appends one JSON object and a line feed, as record_json(). */
void record_room_json(const struct record_room *room, struct text *line);

/* A message of the spool. */
struct record_waiting {
	struct span file;  /* name */
	const char *state; /* "waiting", "deferred", "expired", "damaged" */
	bool is_known;     /* what follows is; else only file and state */
	int64_t time;      /* wall ms: when it was said */
	struct span room;  /* name */
	struct span user;
	struct span uid;
	int64_t first, last; /* numbers */
	int64_t size;        /* bytes */
	bool sealed;         /* its room was, when it was said */
	struct span brokers; /* words, separated by one space */
	struct span authorities;
	bool is_compared;      /* with the fabric of the settings */
	bool is_here;          /* it is for that one */
	bool is_user_compared; /* with the name of the settings */
	bool is_own;           /* it was said under that one */
};

/* Appends one JSON object and a line feed, as record_json(). */
void record_waiting_json(const struct record_waiting *waiting,
	struct text *line);

/*
 * Is it a format that record_format() takes: %t time, %r room, %k mark,
 * %u name, %m text, %i id, %s number, %f fingerprint, %j JSON line, %%, and
 * \n \t \0 \\?  0, or -1 with FAULT_USAGE that names the place.
 */
int record_format_check(const char *format, struct fault *fault);

/* Appends what a checked format asks for; no line feed of its own. */
void record_format(const struct record *record, const char *format,
	struct text *line);

#endif
