/* SPDX-License-Identifier: Apache-2.0 */
#include "tie.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The original's words; the first that fits (protocol.md, 6.5). */
static const struct level {
	int64_t least;
	const char *word;
} levels[] = {
	{ 100, "Known Trusted Installer" },
	{ 99, "Known Trusted" },
	{ 85, "Most Likely Trusted" },
	{ 70, "Might Be Trusted" },
	{ 50, "Unknown" },
	{ 30, "Might Be Malicious" },
	{ 15, "Most Likely Malicious" },
	{ 1, "Known Malicious" },
	{ 0, "Not Set" },
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct level *
level_of(int64_t trust)
{
	const struct level *level = levels;

	while (level->least > trust && level->least > 0)
		level++;
	return level;
}

const char *
tie_trust_word(int64_t trust)
{
	return level_of(trust)->word;
}

bool
tie_is_known(const struct tie_reputations *reputations)
{
	for (size_t i = 0; i < reputations->count; i++) {
		int64_t least = level_of(reputations->items[i].trust)->least;

		if (least != 0 && least != 50)
			return true;
	}
	return false;
}

static bool
is_word(const char *given, const char *word)
{
	for (; *word != '\0'; word++, given++) {
		char c = *given == '-' || *given == '_' ? ' ' : *given;

		if (tolower((unsigned char)c) != tolower((unsigned char)*word))
			return false;
	}
	return *given == '\0';
}

int
tie_trust_parse(const char *word, int64_t *trust)
{
	for (size_t i = 0; i < LENGTH(levels); i++) {
		char number[8];

		snprintf(number, sizeof(number), "%d", (int)levels[i].least);
		if (strcmp(word, number) == 0 ||
			is_word(word, levels[i].word)) {
			*trust = levels[i].least;
			return 0;
		}
	}
	return -1;
}

static const struct provider {
	int64_t id;
	const char *key, *word;
} providers[] = {
	{ 1, "gti", "GTI" },
	{ 2, "gti", "GTI" }, /* of certificates */
	{ 3, "enterprise", "Enterprise" },
	{ 4, "enterprise", "Enterprise" },
	{ 5, "atd", "ATD" },
	{ 7, "mwg", "MWG" },
	{ 15, "external", "External" },
};

const char *
tie_provider_key(int64_t provider)
{
	for (size_t i = 0; i < LENGTH(providers); i++)
		if (providers[i].id == provider)
			return providers[i].key;
	return NULL;
}

void
tie_append_provider(int64_t provider, struct text *text)
{
	for (size_t i = 0; i < LENGTH(providers); i++)
		if (providers[i].id == provider) {
			text_append_string(text, providers[i].word);
			return;
		}
	text_appendf(text, "provider %lld", (long long)provider);
}

/* In the order in which people are told. */
static const struct tie_meaning meanings[] = {
	{ 2101908, TIE_TIME, "first_contact", "first contact" },
	{ 2102165, TIE_TIME, "first_contact", "first contact" },
	{ 2109077, TIE_TIME, "first_contact", "first contact" },
	{ 2109589, TIE_TIME, "first_contact", "first contact" },
	{ 2101652, TIE_NUMBER, "prevalence", "prevalence" },
	{ 2102421, TIE_NUMBER, "prevalence", "prevalence" },
	{ 2108821, TIE_NUMBER, "prevalence", "prevalence" },
	{ 2109333, TIE_NUMBER, "prevalence", "prevalence" },
	{ 2111893, TIE_NUMBER, "enterprise_size", "enterprise size" },
	{ 2123156, TIE_FLAG, "is_prevalent", "prevalent" },
	{ 2125972, TIE_FLAG, "is_prevalent", "prevalent" },
	{ 2117524, TIE_FLAG, "is_revoked", "revoked" },
	{ 2122901, TIE_FLAG, "has_file_overrides", "file overrides" },
	{ 2112148, TIE_TRUST, "min_local_reputation", "lowest local" },
	{ 2112404, TIE_TRUST, "max_local_reputation", "highest local" },
	{ 2112660, TIE_TRUST, "average_local_reputation", "average local" },
	{ 2112916, TIE_TRUST, "parent_min_local_reputation",
		"parent's lowest local" },
	{ 2113172, TIE_TRUST, "parent_max_local_reputation",
		"parent's highest local" },
	{ 2113428, TIE_TRUST, "parent_average_local_reputation",
		"parent's average local" },
	{ 2113685, TIE_NUMBER, "detection_count", "detections" },
	{ 2113942, TIE_TIME, "last_detection", "last detection" },
	{ 2114965, TIE_NUMBER, "file_name_count", "file names" },
	{ 2138264, TIE_FAMILY, "parent_files", "parents" },
	{ 2138520, TIE_FAMILY, "child_files", "children" },
	{ 4195730, TIE_SCORE, "verdict", "verdict" },
	{ 4194962, TIE_SCORE, "gateway_anti_malware", "gateway anti-malware" },
	{ 4195218, TIE_SCORE, "av_engine", "AV engine" },
	{ 4195474, TIE_SCORE, "sandbox", "sandbox" },
	{ 4197784, TIE_TEXT, "behaviours", NULL },
	{ 2120340, TIE_TEXT, "original_response", NULL },
	{ 2139285, TIE_VERSION, "server_version", "server" },
};

const struct tie_meaning *
tie_meaning(int64_t id)
{
	for (size_t i = 0; i < LENGTH(meanings); i++)
		if (meanings[i].id == id)
			return &meanings[i];
	return NULL;
}

const char *
tie_score_word(int64_t score)
{
	static const char *const words[] = { "Not Set", "Known Trusted",
		"Most Likely Trusted", "Might Be Trusted", "Unknown",
		"Might Be Malicious", "Most Likely Malicious",
		"Known Malicious" };

	return score >= -2 && score <= 5 ? words[score + 2] : NULL;
}

/* Decimal, without what strtoll() would skip. */
static int
read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	size_t sign = text[0] == '-';
	size_t digits = strspn(text + sign, "0123456789");

	errno = 0;
	*number = strtoll(text, NULL, 10);
	return digits > 0 && text[sign + digits] == '\0' && errno == 0 &&
			*number >= least && *number <= most
		? 0
		: -1;
}

static int
read_version(const char *text, struct tie_value *value)
{
	size_t digits = strspn(text, "0123456789");

	errno = 0;
	uint64_t number = strtoull(text, NULL, 10);
	if (digits == 0 || text[digits] != '\0' || errno != 0)
		return -1;
	value->major = (unsigned)(number >> 56);
	value->minor = (unsigned)(number >> 48 & 0xff);
	value->patch = (unsigned)(number >> 32 & 0xffff);
	value->build = (unsigned long)(number & 0xffffffff);
	return 0;
}

/* Five little-endian numbers of two bytes. */
static int
read_family(const char *text, struct tie_family *family)
{
	unsigned char bytes[10];
	unsigned numbers[5];

	if (digest_decode(bytes, sizeof(bytes), span_of(text)) < 0)
		return -1;
	for (size_t i = 0; i < 5; i++)
		numbers[i] = bytes[2 * i] | (unsigned)bytes[2 * i + 1] << 8;
	*family = (struct tie_family){ numbers[0], numbers[1], numbers[2],
		numbers[3], numbers[4] / 100.0 };
	return 0;
}

int
tie_value_parse(enum tie_form form, const char *text, struct tie_value *value)
{
	*value = (struct tie_value){ 0 };
	switch (form) {
	case TIE_TEXT:
		return 0;
	case TIE_NUMBER:
		return read_number(text, 0, INT64_C(9007199254740991),
			&value->number);
	case TIE_TIME: /* to the year 9999 */
		return read_number(text, 0, INT64_C(253402300799),
			&value->number);
	case TIE_FLAG:
		return read_number(text, 0, 1, &value->number);
	case TIE_TRUST:
		return read_number(text, 0, TIE_TRUST_MAX, &value->number);
	case TIE_SCORE:
		return read_number(text, -2, 5, &value->number);
	case TIE_VERSION:
		return read_version(text, value);
	case TIE_FAMILY:
		return read_family(text, &value->family);
	}
	return -1;
}

void
tie_append_version(const struct tie_value *value, struct text *text)
{
	text_appendf(text, "%u.%u.%u.%lu", value->major, value->minor,
		value->patch, value->build);
}

/* Nothing that is worth a word: a time or level that is not set. */
static bool
is_silent(enum tie_form form, const struct tie_value *value)
{
	switch (form) {
	case TIE_TIME:
	case TIE_TRUST:
		return value->number == 0;
	case TIE_SCORE:
		return value->number == -2;
	case TIE_FAMILY:
		return value->family.count == 0;
	default:
		return false;
	}
}

static void
append_family(const struct tie_family *family, struct text *text)
{
	text_appendf(text, "%u (%s to %s)", family->count,
		tie_trust_word(family->min), tie_trust_word(family->max));
}

static void
append_value(enum tie_form form, const char *raw, const struct tie_value *value,
	struct text *text)
{
	switch (form) {
	case TIE_TEXT:
		text_append_string(text, raw);
		break;
	case TIE_NUMBER:
		text_appendf(text, "%lld", (long long)value->number);
		break;
	case TIE_TIME:
		text_append_time(text, value->number * 1000);
		break;
	case TIE_FLAG:
		text_append_string(text, value->number ? "yes" : "no");
		break;
	case TIE_TRUST:
		text_append_string(text, tie_trust_word(value->number));
		break;
	case TIE_SCORE:
		text_append_string(text, tie_score_word(value->number));
		break;
	case TIE_VERSION:
		tie_append_version(value, text);
		break;
	case TIE_FAMILY:
		append_family(&value->family, text);
		break;
	}
}

static const char *
value_of(const struct tie_reputation *reputation, int64_t id)
{
	for (size_t i = 0; i < reputation->count; i++)
		if (reputation->attributes[i].id == id)
			return reputation->attributes[i].value;
	return NULL;
}

void
tie_append_details(const struct tie_reputation *reputation, struct text *text)
{
	size_t before = text->len;

	for (size_t i = 0; i < LENGTH(meanings); i++) {
		const struct tie_meaning *meaning = &meanings[i];
		const char *raw = value_of(reputation, meaning->id);
		struct tie_value value;

		if (raw == NULL || meaning->words == NULL ||
			tie_value_parse(meaning->form, raw, &value) < 0 ||
			is_silent(meaning->form, &value))
			continue;
		if (text->len > before)
			text_append_string(text, ", ");
		text_append_string(text, meaning->words);
		text_append_char(text, ' ');
		append_value(meaning->form, raw, &value, text);
	}
}
