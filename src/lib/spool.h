/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SPOOL_H
#define QCHAT_SPOOL_H

#include "fault.h"
#include "text.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages that could not be delivered, kept in a folder until they are: one
 * file each.  Several processes may use one folder at the same time.
 *
 *	NAME            waits to be sent; names sort in order of acceptance
 *	NAME.deferred   the same, and was sent in vain once
 *	NAME.expired    was too old to be sent: set aside, never deleted here
 *	NAME.bad        was damaged: set aside, never deleted here
 *	.tmp-NAME       is being written, or is left of a process that died
 *	add.lock        held by who adds, for as long as that takes
 *	flush.lock      held by who sends what waits
 *
 * All other files in the folder are left alone.  Symbolic links in it are
 * never followed.
 */
struct spool;

enum {
	SPOOL_NAME_MAX = 80,                    /* a file's name and its NUL */
	SPOOL_UID_LENGTH = 32,                  /* lower-case hex digits */
	SPOOL_ROOM_MAX = 512,                   /* bytes */
	SPOOL_USER_MAX = 256,                   /* bytes */
	SPOOL_WORDS_MAX = 1024,                 /* bytes */
	SPOOL_ENVELOPE_MAX = 1024 * 1024,       /* bytes */
	SPOOL_LIST_MAX = 20000,                 /* entries of one list */
	SPOOL_BYTES_MAX = 64 * 1024 * 1024,     /* if no other limit is given */
	SPOOL_COUNT_MAX = 10000,                /* the same */
	SPOOL_AGE_MAX_MS = 24 * 60 * 60 * 1000, /* the same */
};

/* 2^53 - 1, the largest sequence number. */
#define SPOOL_NUMBER_MAX INT64_C(9007199254740991)

/* 0 is the default.  Bytes and count are those of all files, of those that are
 * set aside too: the folder never grows beyond them. */
struct spool_limits {
	int64_t bytes;
	int64_t count;
	int64_t age_ms; /* older messages are expired */
};

struct spool_message {
	char name[SPOOL_NAME_MAX]; /* set here: its id, and its file's name */
	int64_t time_ms;           /* wall clock when it was accepted */
	struct span room;          /* 1 to SPOOL_ROOM_MAX bytes, UTF-8 */
	struct span user;          /* 0 to SPOOL_USER_MAX bytes, UTF-8 */
	/* The fabric that it is for, as destination.h has it: 1 to
	 * SPOOL_WORDS_MAX bytes of printable UTF-8 without a backslash. */
	struct span brokers;
	struct span authorities;
	struct span uid;  /* SPOOL_UID_LENGTH lower-case hex digits */
	bool unconfirmed; /* awaits no echo when it is sent */
	bool sealed;      /* its room was, when it was said */
	int64_t first;    /* sequence numbers, 1 and up */
	int64_t last;
	struct span envelope; /* 1 to SPOOL_ENVELOPE_MAX bytes of any kind */
};

enum spool_state {
	SPOOL_WAITING,
	SPOOL_EXPIRED, /* older than the limit: not to be sent */
	SPOOL_DAMAGED, /* only its name is known; spool_read() tells why */
};

struct spool_entry {
	enum spool_state state;
	bool deferred; /* see spool_defer() */
	struct spool_message message;
	int64_t size; /* bytes of the envelope */
	char *bytes;  /* what the spans point into */
};

struct spool_list {
	struct spool_entry *entries;
	size_t count;
	bool more; /* wait than SPOOL_LIST_MAX */
};

struct spool_counts {
	int64_t waiting;  /* expired ones too, until they are set aside */
	int64_t deferred; /* of those that wait */
	int64_t expired;  /* set aside as NAME.expired */
	int64_t bad;      /* set aside as NAME.bad */
	int64_t bytes;    /* of all these files */
};

enum spool_flush {
	SPOOL_FLUSH_FAILED = -1,
	SPOOL_FLUSH_BUSY,
	SPOOL_FLUSH_BEGUN,
};

/* Looks at nothing and makes nothing yet.  Never NULL. */
struct spool *spool_open(const char *path, struct spool_limits limits);

/* From now on a signal that the mask lets through, which is borrowed, ends the
 * waiting of spool_add(). */
void spool_let_through(struct spool *spool, const sigset_t *during);

/* Ends a flush, too.  NULL is allowed. */
void spool_free(struct spool *spool);

/*
 * Keeps messages, made durable together; makes the folder if it is missing.
 * Each is there whole or not at all, whatever fails and whoever is killed.
 * *added of them, from the first on, are kept, and have their name set; that
 * is count if 0 comes back.  Names follow the order of calls on one spool even
 * if the clock steps back; of one millisecond, that of `first`.
 * -1 with FAULT_CANTCREAT: folder or file cannot be made, a limit is reached,
 * or another process adds for longer than 30 seconds; FAULT_IO: a write failed
 * (a full disk); FAULT_NOPERM: the folder is another user's; FAULT_DATA: the
 * message is none (see struct spool_message); FAULT_UNAVAILABLE: a signal ended
 * the waiting for another process.
 */
int spool_add(struct spool *spool, struct spool_message *messages, size_t count,
	size_t *added, struct fault *fault);

/*
 * What waits, oldest first, without the envelopes: at most SPOOL_LIST_MAX, the
 * oldest ones.  A file that cannot be read is in it as SPOOL_DAMAGED.  The
 * headers are good in form, but only spool_read() checks the checksum.  A
 * folder that is missing holds nothing.
 * 0, and spool_list_free(); -1 with FAULT_IO and nothing to free.
 */
int spool_list(const struct spool *spool, int64_t now_ms,
	struct spool_list *list, struct fault *fault);

void spool_list_free(struct spool_list *list);

/*
 * Reads one message, waiting or set aside, with its envelope.
 * 0, and spool_entry_free(); -1 and nothing to free, with FAULT_NOINPUT: there
 * is none of that name (any more); FAULT_DATA: its file is damaged or none of
 * ours, fit for spool_set_aside(); FAULT_IO: it cannot be read now.
 */
int spool_read(const struct spool *spool, const char *name, int64_t now_ms,
	struct spool_entry *entry, struct fault *fault);

void spool_entry_free(struct spool_entry *entry);

/*
 * Deletes a message, waiting or set aside, for good; one that is gone already
 * is no fault.  0, or -1 with FAULT_NOINPUT (no such name can be) or FAULT_IO.
 */
int spool_remove(const struct spool *spool, const char *name,
	struct fault *fault);

/*
 * Renames what waits to NAME.deferred: it waits on, and whoever sends what
 * waits knows that this was tried in vain.  One that is so already is no fault.
 * 0, or -1 with FAULT_NOINPUT (no such one waits) or FAULT_IO.
 */
int spool_defer(const struct spool *spool, const char *name,
	struct fault *fault);

/*
 * Renames what waits, deferred or not, to NAME.expired or NAME.bad, for
 * SPOOL_EXPIRED or SPOOL_DAMAGED: it is kept for the user, and no longer waits.
 * 0, or -1 with FAULT_NOINPUT (no such one waits) or FAULT_IO.
 */
int spool_set_aside(const struct spool *spool, const char *name,
	enum spool_state why, struct fault *fault);

/* 0, or -1 with FAULT_IO.  A folder that is missing holds nothing. */
int spool_count(const struct spool *spool, struct spool_counts *counts,
	struct fault *fault);

/*
 * Before anything is sent, so that no other process sends it, too.  Makes the
 * folder if it is missing, and removes what dead processes left half-written.
 * It lasts until spool_flush_end(), or the end of the process and of children
 * that it forked meanwhile and that have not called exec.
 * SPOOL_FLUSH_BUSY if another process is at it, which is no fault;
 * SPOOL_FLUSH_FAILED with FAULT_CANTCREAT, FAULT_IO or FAULT_NOPERM.
 */
enum spool_flush spool_flush_begin(struct spool *spool, struct fault *fault);

/* Allowed if none was begun. */
void spool_flush_end(struct spool *spool);

#endif
