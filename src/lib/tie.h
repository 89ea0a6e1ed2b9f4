/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TIE_H
#define QCHAT_TIE_H

#include "digest.h"
#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Threat Intelligence Exchange (protocol.md, section 8): what a TIE server is
 * asked, what it answers, and what it tells of its own accord, as bytes; and
 * all of that for people and for programs.
 */

#define TIE_FILE_REPUTATION "/mcafee/service/tie/file/reputation"
#define TIE_FILE_SET        "/mcafee/service/tie/file/reputation/set"
#define TIE_FILE_AGENTS     "/mcafee/service/tie/file/agents"
#define TIE_FILE_CHANGE     "/mcafee/event/tie/file/repchange/broadcast"
#define TIE_FILE_REPORT     "/mcafee/event/external/file/report"
#define TIE_CERT_REPUTATION "/mcafee/service/tie/cert/reputation"
#define TIE_CERT_SET        "/mcafee/service/tie/cert/reputation/set"
#define TIE_CERT_AGENTS     "/mcafee/service/tie/cert/agents"
#define TIE_CERT_CHANGE     "/mcafee/event/tie/cert/repchange/broadcast"

enum {
	TIE_DIGESTS_MAX = 8,      /* of one file */
	TIE_REPUTATIONS_MAX = 64, /* of one file */
	TIE_ATTRIBUTES_MAX = 256, /* of one reputation */
	TIE_AGENTS_MAX = 5000,    /* of one answer; what a server gives */
	TIE_AGENTS_USUAL = 500,   /* what the original client asks for */
	TIE_TRUST_MAX = 100,
};

/* A file, or a certificate, by the digests that are known of it. */
struct tie_subject {
	bool is_certificate;
	struct digest digests[TIE_DIGESTS_MAX];
	size_t count;
	/* Of a certificate, if it is known: SHA-1 of its public key. */
	bool has_public_key;
	struct digest public_key;
	/* A name for it that we were given, or NULL. */
	const char *name;
};

/* The digest to show: the longest of them. */
const struct digest *tie_subject_digest(const struct tie_subject *subject);

/* Have they a digest in common? */
bool tie_subject_is(const struct tie_subject *subject,
	const struct tie_subject *other);

/* Append the payloads of requests, 8.3, 8.7 and 8.4.  Bytes of a name or
 * comment that are no UTF-8 become \xNN. */
void tie_ask_reputation(const struct tie_subject *subject,
	struct text *payload);
void tie_ask_agents(const struct tie_subject *subject, int64_t limit,
	struct text *payload);
void tie_ask_set(const struct tie_subject *subject, int64_t trust,
	const char *comment, struct text *payload);

/* The same for the event on TIE_FILE_REPORT, 8.5: what another product has
 * found of a file, whose type is one of the numbers of 8.8; trust is above 0.
 */
void tie_report(const struct tie_subject *subject, int64_t trust,
	int64_t file_type, const char *comment, struct text *payload);

/* See tie_meaning(). */
struct tie_attribute {
	int64_t id;
	const char *value;
};

/* What one provider thinks. */
struct tie_reputation {
	int64_t provider, trust;
	int64_t created; /* seconds since the epoch; -1: not said */
	struct tie_attribute *attributes; /* sorted by their number */
	size_t count;
};

/* Strings are borrowed from `json`. */
struct tie_reputations {
	struct tie_reputation *items; /* sorted by provider; one of each */
	size_t count;
	void *json;
};

/*
 * Reads the answer to a question for the reputation.  0, and
 * tie_reputations_free() it; or -1 with FAULT_PROTOCOL and nothing to free.
 */
int tie_parse_reputations(struct tie_reputations *reputations,
	struct span payload, struct fault *fault);
void tie_reputations_free(struct tie_reputations *reputations);

/* Does any provider know it: is its level neither "not set" nor "unknown"? */
bool tie_is_known(const struct tie_reputations *reputations);

/* That of a provider, or NULL. */
const struct tie_reputation *
tie_reputation_of(const struct tie_reputations *reputations, int64_t provider);

/* Is an error response (its code and text) the answer that there is no
 * reputation? */
bool tie_is_none(uint32_t code, struct span message);

struct tie_agent {
	const char *guid;
	int64_t date; /* of its first reference; -1: not said */
};

struct tie_agents {
	struct tie_agent *items;
	size_t count;
	int64_t total; /* the server may know more than it names */
	void *json;
};

/* The same for the systems that have referred to it. */
int tie_parse_agents(struct tie_agents *agents, struct span payload,
	struct fault *fault);
void tie_agents_free(struct tie_agents *agents);

/* Does an answer confirm that a reputation is set: does it say nothing (8.4)?
 * 0, or -1 with FAULT_PROTOCOL, and what it says. */
int tie_parse_set(struct span payload, struct fault *fault);

/* A reputation has changed (8.6). */
struct tie_change {
	struct tie_subject subject;
	struct tie_reputations before, after;
	int64_t time; /* seconds since the epoch; -1: not said */
	void *json;
};

/* Of the event on TIE_FILE_CHANGE or TIE_CERT_CHANGE. */
int tie_parse_change(struct tie_change *change, bool is_certificate,
	struct span payload, struct fault *fault);
void tie_change_free(struct tie_change *change);

/* tie_words.c: in words (6.5, 8.8). */

/* As the original has it: "Known Trusted", …, "Not Set". */
const char *tie_trust_word(int64_t trust);

/* One of the nine levels, as its number or its words, in any case, with a
 * blank, `-` or `_` between them.  0, or -1. */
int tie_trust_parse(const char *word, int64_t *trust);

/* A provider's name in JSON, "gti"; NULL if it has none. */
const char *tie_provider_key(int64_t provider);

/* Appends "GTI", "Enterprise", "ATD", "MWG", "External"; "provider 9" for
 * others. */
void tie_append_provider(int64_t provider, struct text *text);

enum tie_form {
	TIE_TEXT, /* as it came */
	TIE_NUMBER,
	TIE_TIME,  /* seconds since the epoch */
	TIE_FLAG,  /* 0 or 1 */
	TIE_TRUST, /* a trust level */
	TIE_SCORE, /* of ATD */
	TIE_VERSION,
	TIE_FAMILY, /* of its parents or children */
};

/* What an attribute is. */
struct tie_meaning {
	int64_t id;
	enum tie_form form;
	const char *key;   /* in JSON */
	const char *words; /* for people; NULL: not for them */
};

/* NULL if nobody knows. */
const struct tie_meaning *tie_meaning(int64_t id);

/* What is known of its parents or children. */
struct tie_family {
	unsigned count, max, min, last; /* how many, and their trust levels */
	double average;
};

/* A value, read by its form. */
struct tie_value {
	int64_t number; /* of all but the next two, and text */
	unsigned major, minor, patch;
	unsigned long build; /* of TIE_VERSION */
	struct tie_family family;
};

/* 0, or -1 if its form does not allow it. */
int tie_value_parse(enum tie_form form, const char *text,
	struct tie_value *value);

/* Appends the version of a TIE server. */
void tie_append_version(const struct tie_value *value, struct text *text);

/* In the words of the levels; NULL if it is none. */
const char *tie_score_word(int64_t score);

/* Appends what its attributes say for people, "prevalence 17, …": nothing if
 * there is nothing. */
void tie_append_details(const struct tie_reputation *reputation,
	struct text *text);

/* tie_json.c: JSON lines (qchat-tie(1)), of what was found at wall ms. */

/* reputations may be NULL: there are none. */
void tie_json_reputations(const struct tie_subject *subject,
	const struct tie_reputations *reputations, int64_t wall,
	struct text *line);
void tie_json_agents(const struct tie_subject *subject,
	const struct tie_agents *agents, int64_t wall, struct text *line);
void tie_json_change(const struct tie_change *change, int64_t wall,
	struct text *line);
void tie_json_set(const struct tie_subject *subject, int64_t trust,
	int64_t wall, struct text *line);

#endif
