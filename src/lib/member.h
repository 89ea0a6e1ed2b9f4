/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MEMBER_H
#define QCHAT_MEMBER_H

#include "fault.h"
#include "quota.h"
#include "record.h"
#include "room.h"
#include "roster.h"
#include "text.h"
#include "trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One member's life in one room, as a state machine: it takes (topic, bytes,
 * now) and gives records to show, (topic, bytes) to publish, and the next
 * moment at which it wants to be woken.  No socket, no clock, no file: the
 * same seed and the same inputs give the same outputs.
 */
struct member;

enum {
	MEMBER_POST_MAX = 900 * 1024, /* bytes of a post when it is encoded */
	/* The same in a sealed room, where it goes into another message. */
	MEMBER_SEALED_MAX = 560 * 1024,
	MEMBER_PING_MS = 60 * 1000, /* protocol.md, 6.3 */
	MEMBER_WAIT_MS = 1500,      /* over which to spread answers */
	/* The same for who comes in: 5,000 answers in less would come faster
	 * than one process verifies them, and brokers drop the rest. */
	MEMBER_ENTER_WAIT_MS = 10 * 1000,
	MEMBER_WAIT_MAX_MS = 60 * 1000, /* that we let others ask for */
	MEMBER_SPREAD_MS = 5,           /* of it, for each participant known */
	/* A stream that is done answers repair requests until none came for
	 * so long, … */
	MEMBER_LINGER_MS = 1000,
	MEMBER_LINGER_MAX_MS = 10 * 1000, /* … and at most so long; */
	/* after an outage of theirs, as well, from when the others are back:
	 * at most so much more. */
	MEMBER_RETURN_MAX_MS = 40 * 1000,
	/* How long others rest at most, when the broker is there again, and
	 * until they are connected (bus.h). */
	MEMBER_RETURN_MS = 1600,
	/* In rooms beyond this only a random share pings, so many a minute. */
	MEMBER_PINGS_MAX = 200,
};

struct instant {
	int64_t mono; /* ms of a clock that never jumps */
	int64_t wall; /* ms since the epoch */
};

struct member_config {
	const char *room;            /* name, checked */
	const char *user;            /* UTF-8, at most ROOM_USER_MAX bytes */
	const char *uid;             /* 32 lower-case hex digits */
	const char *inbox;           /* the topic of our inbox */
	const char *app;             /* "qchat-join/0.1.0" */
	bool sealed;                 /* what is not sealed is not believed */
	const unsigned char *x25519; /* that others seal to for us; NULL */
	const char
		*fingerprint; /* of our certificate; NULL: nothing is signed */
	struct quotas quotas; /* against floods; 0: the usual ones */
	bool participant;     /* says that it is here, and answers */
	bool once;            /* says one thing only, under a UID of its own */
	bool stream; /* says much: leaves the room after its first echo,
		      * and proves the rest by markers to its inbox */
	/* As if this stream had lost the broker a moment ago: at its end it
	 * waits for those who did. */
	bool after_outage;
	bool unconfirmed; /* does not await its own echo: member_sent() */
	/* The fabric acknowledges nothing: what is large is followed by a
	 * marker, and its echo may be as late as on a slow network until that
	 * has come back. */
	bool unacknowledged;
	bool show_own; /* wants records of what it said, when it is proved */
	int64_t store_bytes; /* of what was sent and seen, for repairs; */
	int64_t store_count; /* 0: STORE_BYTES_MAX, STORE_COUNT_MAX */
	/* What others still have is delivered before what is new: so many of
	 * the newest records, or all since a time (wall ms); 0: none. */
	int64_t catch_up_records;
	int64_t catch_up_since;
	/* The broker kept what was said while nobody was here: it comes before
	 * our own presence comes back, and is marked as replayed. */
	bool durable;
	int64_t proof_ms; /* for the echo, half of it on a second connection */
	uint64_t seed;    /* of all that is random here */
};

struct member_counts {
	uint64_t messages;   /* records of messages handed out */
	uint64_t malformed;  /* dropped: not an envelope, not JSON, … */
	uint64_t doubles;    /* dropped: a number that was there before */
	uint64_t missing;    /* numbers in gaps */
	uint64_t unknown;    /* types that are not known here */
	uint64_t unanswered; /* questions over the limits */
	uint64_t repaired;   /* messages that came when asked for */
	uint64_t asked;      /* requests for them */
	uint64_t served;     /* messages sent again for others */
	uint64_t forged;     /* not believed: forged, altered, stale */
	int64_t first_time;  /* wall ms of the first message; 0: none yet */
	int64_t last_time;
};

/* What limits have dropped, refused or forgotten; those of struct quotas by its
 * names. */
struct member_over {
	uint64_t participants, senders, repairs_waiting, repair_bytes,
		catch_up_bytes;
	uint64_t store_bytes, store_messages;
	uint64_t directs; /* senders of direct messages */
	uint64_t given_up;
	uint64_t held;  /* messages that came too early */
	uint64_t shown; /* forged ones that are not shown */
};

/* What a member does.  Nothing may call back into the member from these. */
struct member_calls {
	void *context;
	void (*publish)(void *context, const char *topic, struct span bytes);
	/* A record, our own ones when they are proved; it and its spans are
	 * valid during the call only. */
	void (*deliver)(void *context, const struct record *record);
	/* The fabric has routed our numbers first to last. */
	void (*proved)(void *context, int64_t first, int64_t last);
	/* No echo for half of proof_ms: wants a fresh connection. */
	void (*retry)(void *context);
	/* No echo for proof_ms: the member gives up these numbers, with this
	 * text.  A stream of which something was proved, or who does not await
	 * an echo, keeps them: they may be sent some other time.  A participant
	 * keeps them for member_say_again(), and if the echo comes after all
	 * they are proved. */
	void (*unproved)(void *context, int64_t first, int64_t last,
		struct span text);
	/* Wants to hear the room, or no longer; its inbox it always hears. */
	void (*attend)(void *context, bool room);
	/* A message was dropped, and why. */
	void (*ignored)(void *context, const char *why);
	/* A post of member_resend() was proved, or given up; may be NULL. */
	void (*resent)(void *context, const char *uid, int64_t first,
		bool proved);

	/* May more be sent for others, or does what was published fill the way
	 * out?  May be NULL: it may. */
	bool (*can_serve)(void *context);

	/* The rest may be NULL: then nothing is signed, and all believed. */

	/* Appends an envelope of ours to out, signed for that topic; a
	 * signature that it has is replaced. */
	void (*sign)(void *context, struct span topic, struct span envelope,
		struct text *out);
	/* Whose is it?  Fills *trust.  Whether it is fresh, and who owns its
	 * UID, is judged by the member. */
	void (*vouch)(void *context, const struct trust_claim *claim,
		struct trust *trust);
	/* Judges this name again, whose *trust is that of vouch() or of this:
	 * for member_judge_names(). */
	void (*judge_name)(void *context, struct span user,
		struct trust *trust);
	/* Appends somebody's envelope to out as it goes to an inbox, where its
	 * key may have to be introduced. */
	void (*forward)(void *context, struct span inbox, struct span envelope,
		struct text *out);
	/* The headers qchat.bind and qchat.cert that go with a header
	 * qchat.sig; empty if they are not known.  Borrowed until the next
	 * call. */
	void (*introduction)(void *context, struct span sig, struct span *bind,
		struct span *cert);
	/* Publishes an envelope, sealed for who has this X25519 key. */
	void (*publish_to)(void *context, const char *topic,
		const unsigned char *key, struct span bytes);
	/* What member_say_to() said under this number has arrived at this
	 * participant. */
	void (*receipt)(void *context, int64_t number,
		const struct trust *trust);
	/* All that others sign, two of them at least, is so much from our
	 * clock (ms, of the last one): it is ours that is wrong. */
	void (*clock)(void *context, int64_t off);
	/* A question for a key, or an answer to one, came to our inbox; about
	 * is its qchat.topic, or empty. */
	void (*key)(void *context, const struct room_message *message,
		struct span about);
};

struct member *member_new(const struct member_config *config,
	const struct member_calls *calls);
void member_free(struct member *member);

/*
 * A connection is being made, under the name conn (hex digits, new each
 * time).  What is published from now on is the first that it carries: our
 * presence, and what waits for its proof.
 */
void member_connected(struct member *member, const char *conn,
	struct instant now);

/* That connection stands: from now on an echo is awaited. */
void member_up(struct member *member, struct instant now);

/* All that was published on this connection has left it: written, or where
 * the fabric acknowledges, acknowledged.  To who does not await an echo that
 * is the proof. */
void member_sent(struct member *member, struct instant now);

/* The room has a secret from now on; or has it one? */
void member_seal(struct member *member);
bool member_is_sealed(const struct member *member);

/* Whose which name is has changed: judges who is here anew. */
void member_judge_names(struct member *member);

/* What was published is on its way out, and more of it waits: its proof cannot
 * be here yet. */
void member_sending(struct member *member, struct instant now);

/* The connection is gone. */
void member_disconnected(struct member *member, struct instant now);

/* Appends the bye that the broker is to publish on the room's topic if the
 * connection conn breaks.  False if this member wants none. */
bool member_will(struct member *member, const char *conn, struct instant now,
	struct text *bytes);

/* Something arrived on the room's topic, on our inbox, or on the lobby. */
void member_receive(struct member *member, struct span topic, struct span bytes,
	struct instant now);

/* What to say.  Spans are borrowed for the call. */
struct member_post {
	struct span text;
	int64_t lines; /* as room_message.lines: -1, or 2 and more */
	enum room_severity severity;
	struct span title;
	const struct span *tags;
	size_t tag_count;
};

/*
 * Says it, now or when there is a connection.  The post is kept until it is
 * proved.  Returns its (first) number, or -1 with FAULT_DATA: not UTF-8, a
 * NUL, or more than MEMBER_POST_MAX.
 */
int64_t member_say(struct member *member, const struct member_post *post,
	struct instant now, struct fault *fault);

/* Could it be said?  0, or -1 with the fault of member_say(). */
int member_check(struct member *member, const struct member_post *post,
	struct instant now, struct fault *fault);

/* Where a participant is: an inbox, and the key to seal to. */
struct member_place {
	const char *inbox;
	const unsigned char *x25519; /* TRUST_KEY_BYTES */
};

/*
 * Says it to one participant alone, wherever that is: to each of these inboxes,
 * sealed to its key.  Nothing is kept: member_calls.receipt() tells that it
 * arrived.  Returns its number, which has nothing to do with those of the
 * room, or -1 with FAULT_DATA, as member_say().  With a number above 0 it is
 * what was said under that before, and dropped by who has it; it may be
 * 63 behind the newest.
 */
int64_t member_say_to(struct member *member, const struct member_post *post,
	int64_t number, const struct member_place *places, size_t count,
	struct instant now, struct fault *fault);

/*
 * Says a message again that an earlier process could not: the bytes of its
 * envelope, as member_unproved_at() gave them.  If unconfirmed, it awaits no
 * echo, as in struct member_config.  -1 with FAULT_DATA if it is no numbered
 * message.
 */
int member_resend(struct member *member, struct span envelope, bool unconfirmed,
	struct instant now, struct fault *fault);

/* Is that the envelope of the message with this UID and these numbers?  0, or
 * -1 with FAULT_DATA. */
int member_check_post(struct span envelope, struct span uid, int64_t first,
	int64_t last, struct fault *fault);

/* Nothing more will be said.  A stream tells the room which number was its
 * last, and stays for repairs. */
void member_finish(struct member *member, struct instant now);

/* After member_finish(): is all proved, and nothing asked for any more? */
bool member_is_finished(const struct member *member, struct instant now);

/* A post that waits for its proof, from the oldest; borrowed. */
struct member_kept {
	const char *uid;
	int64_t first, last;
	int64_t ms;
	bool unconfirmed;
	struct span envelope;
};
struct member_kept member_unproved_at(const struct member *member, size_t i);

/* Bytes of all of them. */
size_t member_unproved_bytes(const struct member *member);

/*
 * What a participant has given up and still keeps, from the oldest; borrowed.
 * So many and so many bytes are kept; then the oldest go, and member_over
 * counts them.
 */
enum {
	MEMBER_GIVEN_UP_MAX = 100,
	MEMBER_GIVEN_UP_BYTES_MAX = 4 * 1024 * 1024,
};
size_t member_given_up(const struct member *member);
struct member_kept member_given_up_at(const struct member *member, size_t i);

/*
 * Says what was given up once more, under its old number and newly signed: who
 * has it already drops it.  It waits for its proof again, as after
 * member_say().  -1 with FAULT_DATA if no such number is kept.
 */
int member_say_again(struct member *member, int64_t first, struct instant now,
	struct fault *fault);

/* Hands out what waits for its proof as records of our own. */
void member_show_unproved(struct member *member, struct instant now);

/* Gives up what waits for its proof, or the oldest of it, without a word. */
void member_drop_unproved(struct member *member);
void member_drop_first(struct member *member);

/* Asks who is here; the answers fill the roster. */
void member_ask(struct member *member, int64_t wait_ms, struct instant now);

/* Has the last question come back to us, so that the fabric routed it? */
bool member_is_asked(const struct member *member);

/* Has our own presence come back to us?  If not, the fabric may not let us
 * write to this room, or read it. */
bool member_is_heard(const struct member *member);

/* Says goodbye. */
void member_leave(struct member *member, struct instant now);

/* How many posts wait for their proof. */
size_t member_unproved(const struct member *member);

/* Is nothing that others have still to be delivered before what is new? */
bool member_is_caught_up(const struct member *member);

/* A number that was delivered, and yet is to be delivered again.  One that was
 * late was told to be missing, or was before our first: it comes again if it is
 * said again, and nothing behind it does. */
struct member_rewind {
	char uid[ROOM_UID_MAX + 1];
	int64_t seq;
	bool is_late;
};

/*
 * Appends what was delivered so far, but for what is to come again, for
 * member_restore() of a later process, which goes on from there: what was said
 * since then is asked for, and is not marked as replayed.  Restore before the
 * first connection; a state may be several, of which one is of our room.  -1
 * with FAULT_DATA.
 */
void member_save(const struct member *member, struct instant now,
	const struct member_rewind *rewind, size_t rewind_count,
	struct text *state);
int member_restore(struct member *member, struct span state,
	struct fault *fault);

/* The next moment for member_tick() (mono ms), INT64_MAX if none. */
int64_t member_deadline(const struct member *member);
void member_tick(struct member *member, struct instant now);

/* Borrowed; valid until the next call on the member. */
const char *member_room(const struct member *member);
const char *member_topic(const struct member *member);
const char *member_uid(const struct member *member);
const struct roster *member_roster(const struct member *member);
const struct member_counts *member_counts(const struct member *member);
struct member_over member_over(const struct member *member);

/* The most participants that an answer to us knew of, itself included; 0 if
 * nobody has answered yet. */
int64_t member_known(const struct member *member);

#endif
