/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MEMBER_STATE_H
#define QCHAT_MEMBER_STATE_H

#include "answers.h"
#include "dxl.h"
#include "heads.h"
#include "member.h"
#include "outbox.h"
#include "repair.h"
#include "sequence.h"
#include "store.h"
#include "table.h"

/*
 * What the files of `member` share:
 *
 *	member.c           its life
 *	member_say.c       what it says
 *	member_prove.c     that what it said was routed
 *	member_hear.c      what it hears
 *	member_present.c   who is here, and what these say of each other
 *	member_deliver.c   what it hands out, in order
 *	member_trust.c     who said it
 *	member_direct.c    what is said to one alone
 *	member_repair.c    what it missed, and what others did
 *	member_catch_up.c  what was said before it came, or while it was away
 *	member_save.c      what was delivered, for a later process
 */

enum member_catch_up_phase {
	CATCH_UP_NONE,
	CATCH_UP_PLANNED,  /* the question is due at catch_up.mono */
	CATCH_UP_OFFERED,  /* offers are collected until then */
	CATCH_UP_FETCHING, /* slices are awaited until then */
};

enum {
	OFFERS_MAX = 8,
	SLICE_MESSAGES = REPAIR_MESSAGES_MAX, /* of a time, at once */
	OFFER_HAVE_MAX = 1024 * 1024, /* messages that one may say it has */
	OFFER_REST_MS = 1000, /* between two to one inbox: it may ask again */
};

struct member_offer {
	char inbox[ROOM_INBOX_MAX + 1];
	int64_t have, records;
	int64_t oldest; /* wall ms of the first of them; -1: not said */
	uint64_t digest;
	int64_t slice; /* the one that it was asked for; -1: none */
	bool asked;    /* for any slice */
	bool failed;   /* it did not send what it offered, the last time */
};

/* A message that came while what is older is still awaited. */
struct member_pending {
	char *bytes; /* its envelope */
	size_t len;
};

/* The question for what was said in a time, and its answers. */
struct member_catch_up {
	enum member_catch_up_phase phase;
	bool first; /* the one at our start: its messages are replayed, and
		     * go before all that is new */
	int64_t slice_mono; /* when slices were asked for */
	int64_t cut_wall;   /* when a connection was lost in the first one; 0 */
	bool directed;      /* of one who has told of it, not of all */
	int64_t mono;       /* see phase */
	int64_t begun;      /* mono ms: of the first one, on this connection */
	int64_t since, until; /* wall ms */
	int64_t records;      /* -1: all */
	int64_t tries;
	struct member_offer offers[OFFERS_MAX];
	size_t offer_count;
	int64_t total;   /* messages of the chosen offer */
	uint64_t digest; /* that the chosen offers share */
	int64_t next;    /* the first message that nobody was asked for */
	uint64_t failed[OFFERS_MAX]; /* hashes of inboxes: what they offered
				      * did not come */
	size_t failed_next;
};

/* How many questions an inbox got since a moment. */
struct member_asked {
	uint64_t inbox; /* its hash */
	int64_t mono;
	int count;
};

/* A head that was asked for in vain, as one alone has told of it. */
struct member_rumour {
	uint64_t head;   /* its digest */
	uint64_t teller; /* as in sequence_hole */
	int64_t first_mono, last_mono;
};

enum { ASKED_INBOXES_MAX = 64, RUMOURS_MAX = 64 };

enum {
	DIRECTS_MAX = 1024, /* senders of direct messages that are remembered */
	DIRECTS_BEHIND = 64, /* their numbers, behind the newest */
};

/* What came of a sender's direct messages. */
struct member_direct {
	int64_t newest;
	uint64_t seen; /* bit i: newest - i */
};

/* Whose UID it is. */
struct member_owner {
	char fingerprint[TRUST_FINGERPRINT_MAX]; /* of the certificate */
	int64_t present; /* wall ms: when its last presence was signed */
};

struct member {
	char *room, *topic, *user, *uid, *inbox, *app;
	bool sealed;
	bool participant, once, stream, unconfirmed, show_own, durable;
	bool unacknowledged;
	bool replays; /* what was said before we came is wanted */
	int64_t proof_ms;
	struct quotas quotas; /* all are set */
	uint64_t random;
	struct member_calls calls;
	unsigned char x25519[TRUST_KEY_BYTES];
	struct trust own; /* of what we say ourselves */

	bool connected, up, leaving, was_up;
	char conn[ROOM_UID_MAX + 1];
	int64_t since; /* wall ms: of our first connection or post; 0 */
	int64_t came;  /* wall ms: what is said since must not be missed */
	int64_t last;  /* our newest number */
	int64_t last_direct; /* likewise, of what was said to one alone */
	int64_t spoke_mono;  /* of our last post, or -1 */
	int64_t ping_mono;   /* when the next ping is due */
	int64_t here_mono;   /* when a "here" into the room is due */
	int64_t told;        /* our newest number when the end was told */
	int64_t heads_mono;  /* when our heads are to be told */
	int64_t tell_ms;     /* and after that, for who is no participant */
	int64_t chosen_mono; /* when another such question is looked at */
	int64_t here_sent;   /* when the last one was sent */
	int64_t legacy_mono; /* when a legacy peer was heard last */
	bool asked;          /* our question has come back */
	int64_t asked_until; /* legacy peers answer until then */
	int64_t known;

	/* proof */
	bool attending;           /* the room is subscribed to */
	int64_t progress_mono;    /* since when a proof is awaited */
	int64_t sending_ms;       /* how long the way out took before that */
	bool retried;             /* since then */
	bool remarked;            /* since then, by one more marker */
	bool routed;              /* something was proved */
	int64_t published;        /* serial of the newest on this connection */
	int64_t marked;           /* … that a marker asks for; 0: none does */
	size_t marked_bytes;      /* that were unproved before that marker */
	bool finishing, finished; /* said so */
	int64_t linger_until, linger_max; /* mono ms */
	int64_t finished_mono;
	int64_t lost_mono;   /* when the last connection was lost; -1 */
	bool after_outage;   /* others lost theirs, if not we */
	int64_t return_mono; /* when who lost it with us should be back */

	/* repair */
	int64_t up_mono;   /* when the connection stood */
	int64_t room_mono; /* when anything was heard in the room */
	int64_t ask_mono;  /* when something missing is to be asked for */
	struct member_asked asked_inboxes[ASKED_INBOXES_MAX];
	struct member_rumour rumours[RUMOURS_MAX];
	size_t rumours_next;
	int64_t asks_mono, asks; /* since when so many were */
	struct repairs *repairs; /* that others asked for */
	int64_t serve_mono;      /* when they are looked at again */
	struct answers *offered; /* who was told what we have */
	int64_t agreed_wall;     /* when others had seen what we had */
	int64_t lost_wall;       /* when the last connection was lost; 0 */
	bool restored;           /* by member_restore() */
	bool present;            /* our own presence has come back */
	struct member_catch_up catch_up;
	struct member_pending *pending;
	struct table *pending_firsts; /* of int64_t by UID: the lowest number */
	size_t pending_count, pending_bytes;
	bool is_reading_kept;  /* pending messages are taken in */
	uint64_t compared[16]; /* digests of others' minutes, asked for */
	size_t compared_next;

	/* Who was the first to look stale since anything was fresh; "". */
	char stale[TRUST_FINGERPRINT_MAX];
	bool clock_told;
	bool has_trusted;      /* somebody with a trusted certificate is here */
	struct table *directs; /* of struct member_direct by UID */
	struct table *owners;  /* by UID; NULL: all is believed */
	int64_t bad_mono, bads; /* since when so many were shown */

	struct answers *answers;
	struct outbox *outbox;
	struct outbox *given_up; /* own posts, while they may be said again */
	struct roster *roster;
	struct sequence *sequence;
	struct store *store;
	struct heads *heads;
	struct member_counts counts;
	struct member_over over; /* of what its parts do not count */
};

/* Where a message came in. */
enum place { PLACE_ROOM, PLACE_INBOX, PLACE_LOBBY, PLACE_ELSEWHERE };

/* Bytes of a message, as it is quoted in a repair. */
static inline size_t
member_most(const struct member *member)
{
	return member->sealed ? MEMBER_SEALED_MAX : MEMBER_POST_MAX;
}

/* From 0 to most, both included. */
int64_t member_random(struct member *member, int64_t most);

/* A wait over which to spread what many may do: 0 to most, and less in small
 * rooms. */
int64_t member_spread(struct member *member, int64_t most);

static inline int64_t
member_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Is the room so large that only a share of it pings, and that nobody is
 * forgotten by time alone? */
bool member_is_crowd(const struct member *member, struct instant now);

/* member_say.c */

/* Appends the event of a message that came as a repair in the room. */
void member_rewrap(struct member *member, const struct room_message *again,
	struct text *bytes);

/* Appends an event for an inbox: as it was, and which room it is about. */
void member_address(const struct member *member,
	const struct dxl_message *event, struct text *bytes);

/* Signs the i-th post that waits for its proof, anew. */
void member_sign_post(struct member *member, size_t i);

/* How long this becomes as a JSON string within JSON, as in a repair in the
 * room. */
size_t member_quoted_len(struct span bytes);

/* Publishes what need not be proved.  about is the room's topic where the
 * topic itself does not tell it, or NULL. */
void member_send(struct member *member, const char *topic,
	const struct room_message *message, const char *about);

/* Publishes "here I am" on a topic. */
void member_send_here(struct member *member, const char *topic,
	const char *about, struct instant now);

/* The same into the room, now. */
void member_send_here_to_room(struct member *member, struct instant now);

void member_send_bye(struct member *member, struct instant now);

/* The bye of somebody whose posts were sent again. */
void member_send_bye_of(struct member *member, struct span uid,
	struct span user, int64_t last, struct instant now);

/* member_prove.c */

void member_publish_post(struct member *member, size_t i);

/* On a fresh connection: publishes what waits for its proof, once more. */
void member_publish_unproved(struct member *member);

/* Something came back under our name: is it the proof of a post? */
bool member_take_echo(struct member *member, const struct room_message *message,
	struct span payload, struct instant now);
/* Does a marker that comes back prove what was said before it?  Else it tells
 * that this has come to the broker. */
bool member_is_proved_by_markers(const struct member *member);
void member_take_marker(struct member *member,
	const struct room_message *message, struct instant now);

/* From now on a proof is awaited, or the next one. */
void member_begin_proof(struct member *member, struct instant now);
int64_t member_proof_deadline(const struct member *member);
void member_await_proof(struct member *member, struct instant now);

/* What was said is told of again, after a while, for who missed the end. */
void member_plan_heads(struct member *member, struct instant now);

/* Tells the room which number is the newest, and again more and more seldom;
 * at the end once. */
void member_tell_last(struct member *member, struct instant now);

/* Says so when all is done. */
void member_tick_finish(struct member *member, struct instant now);

/* Somebody wants something again. */
void member_linger(struct member *member, struct instant now);

/* The connection is lost, and with it that of others; or is there again. */
void member_lose_others(struct member *member, struct instant now);
void member_await_others(struct member *member, struct instant now);

/* member_trust.c */

/* Is a message as it comes, or from what was kept or asked for, which is as
 * old as it is? */
enum member_age { MEMBER_LIVE, MEMBER_KEPT };

/* Does it care who said what?  If not, all is believed. */
bool member_judges(const struct member *member);

/* Whose is this message, that came as this event in this place?  One whose
 * mark is TRUST_BAD is for member_hear_forged() alone. */
void member_judge(struct member *member, const struct room_message *message,
	const struct dxl_message *event, enum place place, enum member_age age,
	struct instant now, struct trust *trust);
void member_judge_claim(struct member *member,
	const struct room_message *message, const struct trust_claim *claim,
	enum member_age age, struct instant now, struct trust *trust);

/* May what it says of others be believed, and what it asks for be done? */
bool member_is_believed(const struct member *member, const struct trust *trust);

/* Is this message to our inbox signed under our certificate? */
bool member_is_own_claim(struct member *member,
	const struct dxl_message *event);

/* Shows a forged message of the room, up to a limit; counts all. */
void member_hear_forged(struct member *member,
	const struct room_message *message, const struct trust *trust,
	enum place place, struct instant now);

/* member_direct.c */

void member_hear_direct(struct member *member,
	const struct room_message *message, const struct trust *trust,
	struct instant now);
void member_hear_receipt(struct member *member,
	const struct room_message *receipt, const struct trust *trust);

/* member_say.c, for member_direct.c */

/* Appends the event of a message that is said to an inbox, signed for that and
 * the key that it will be sealed to: who opens it cannot hand it on as if it
 * were for another. */
void member_direct_event(struct member *member, const char *inbox,
	const unsigned char *key, const struct room_message *message,
	struct text *bytes);

/* Appends what an event is signed for: its topic, the room that an inbox
 * message is about, and the key that it is sealed to.  The last two may be
 * NULL. */
void member_append_place(const char *topic, const char *about,
	const unsigned char *key, struct text *name);

/* Fills in a post under the next number.  -1 with FAULT_DATA. */
int member_fill_post(struct member *member, const struct member_post *post,
	struct room_message *message, struct instant now, struct fault *fault);

/* member_deliver.c */

bool member_is_own(const struct member *member,
	const struct room_message *message);

/* Wall ms: when it was said, or else came. */
int64_t member_time_of(const struct room_message *message, struct instant now);

/* Of a block, that of its last line. */
int64_t member_last_number(const struct room_message *message);

/* Did a sender that began then (wall ms; -1: not said) begin after we came? */
bool member_is_younger(const struct member *member, int64_t since);

/* The same for one that speaks now, whose clock may be wrong. */
bool member_is_younger_now(const struct member *member,
	const struct room_message *message, const struct trust *trust,
	struct instant now);

struct record member_record(const struct member *member,
	const struct room_message *message, enum record_type type,
	struct instant now);
void member_deliver(struct member *member, const struct record *record);

/* Its records from number `from` on. */
void member_deliver_message(struct member *member,
	const struct room_message *message, const struct trust *trust,
	int64_t from, bool replayed, struct instant now);

/* Somebody is here. */
void member_deliver_arrival(struct member *member,
	const struct room_message *message, const struct trust *trust,
	bool answer, struct instant now);

/* Hands out the records of a payload of our own. */
void member_deliver_own(struct member *member, struct span payload,
	struct instant now);

/* Do we keep something else under the number of this message? */
bool member_is_other(struct member *member, const struct room_message *message,
	struct span payload);

/* Takes a numbered message in, wherever it came from; its records from number
 * `from` on are wanted. */
void member_accept(struct member *member, const struct room_message *message,
	const struct trust *trust, struct span envelope, int64_t from,
	bool replayed, enum member_age age, struct instant now);

/* Hands out what was held behind what is delivered or given up by now.  Returns
 * the first number that was held and is not kept any more, or 0. */
int64_t member_deliver_held(struct member *member, struct span uid,
	struct instant now);

/* member_present.c */

/* A sender says which number is its newest. */
void member_hear_last(struct member *member, const struct room_message *message,
	const struct trust *trust, struct instant now);

/* Somebody is to hear in the room that we are here: soon, and once for all who
 * ask meanwhile. */
void member_answer_room(struct member *member, struct instant now);

/* Types 2, 3 and 4. */
void member_hear_presence(struct member *member,
	const struct room_message *message, const struct trust *trust,
	enum place place, struct instant now);

/* member_hear.c */

/* Takes in what was asked for and came. */
void member_hear_repaired(struct member *member,
	const struct room_message *message, const struct trust *trust,
	struct span envelope, struct instant now);

/* The same as for an envelope that arrives on the room's topic. */
void member_hear_envelope(struct member *member, struct span envelope,
	struct instant now);

/* member_repair.c */

/* Something is missing of this sender: it will be asked for. */
void member_plan_repair(struct member *member, struct span uid,
	struct instant now);

/* A sender speaks, or tells its newest number: if it was asked in vain it may
 * hear us now. */
void member_note_sender(struct member *member, struct span uid, bool told,
	struct instant now);

/* The head of which one alone has told in vain, or NULL. */
struct member_rumour *member_find_rumour(struct member *member, struct span uid,
	int64_t last);

/* What is missing of this sender as far as `until` is told of, and what was
 * held behind it is delivered.  Not what was held, and was not kept. */
void member_give_up(struct member *member, struct span uid, int64_t until,
	struct instant now);

/* Something that was asked for came. */
void member_note_progress(struct member *member, struct span uid,
	struct instant now);

void member_hear_want(struct member *member, const struct room_message *want,
	const struct trust *trust, bool in_room, struct instant now);
void member_hear_repair(struct member *member,
	const struct room_message *repair, const struct trust *trust,
	bool in_room, struct instant now);
int64_t member_repair_deadline(const struct member *member);
void member_tick_repair(struct member *member, struct instant now);

/* member_catch_up.c */

/* A connection stands. */
void member_plan_catch_up(struct member *member, struct instant now);

/* Others say which minutes they saw. */
void member_compare_minutes(struct member *member,
	const struct room_message *here, struct instant now);

/* Somebody has seen much that we have not, since we last agreed with anybody,
 * or since the oldest of it (wall ms). */
void member_fetch_news(struct member *member, struct span inbox, int64_t oldest,
	struct instant now);

/* Does what is new have to wait?  Then keeps it. */
bool member_keep_pending(struct member *member,
	const struct room_message *message, struct span envelope,
	struct instant now);

/* Is the catch-up of our start under way, so that what comes to our inbox is
 * only kept? */
bool member_is_collecting(const struct member *member);

/* A message that was asked for came. */
void member_note_collected(struct member *member, struct instant now);

void member_hear_offer(struct member *member, const struct room_message *offer,
	struct instant now);
int64_t member_catch_up_deadline(const struct member *member);
void member_tick_catch_up(struct member *member, struct instant now);
void member_free_pending(struct member *member);

#endif
