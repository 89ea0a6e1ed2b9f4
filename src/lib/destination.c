/* SPDX-License-Identifier: Apache-2.0 */
#include "destination.h"

#include "identity.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define PRIVATE_FABRIC "qchat-fabric"

struct destination {
	struct text brokers;
	struct text authorities;
};

/* Host names are compared without regard to case.  A host with what cannot
 * stand in a line is none that could be reached. */
static void
append_broker(struct text *words, const char *host, unsigned port)
{
	bool is_ipv6 = strchr(host, ':') != NULL;

	if (words->len > 0)
		text_append_char(words, ' ');
	if (is_ipv6)
		text_append_char(words, '[');
	for (; *host != '\0'; host++) {
		unsigned char c = (unsigned char)*host;

		if (c >= 'A' && c <= 'Z')
			text_append_char(words, (char)(c - 'A' + 'a'));
		else if (c <= ' ' || c == 0x7f || c == '\\')
			text_append_char(words, '_');
		else
			text_append_char(words, (char)c);
	}
	text_appendf(words, "%s:%u", is_ipv6 ? "]" : "", port);
}

struct destination *
destination_open(const struct conf *conf, struct fault *fault)
{
	struct destination *destination = memory_alloc(1, sizeof(*destination));

	if (identity_authorities(conf, &destination->authorities, fault) < 0) {
		destination_free(destination);
		return NULL;
	}
	if (conf->private_fabric)
		text_append_string(&destination->brokers, PRIVATE_FABRIC);
	for (size_t i = 0; i < conf->broker_count; i++) {
		const struct conf_broker *broker = &conf->brokers[i];

		append_broker(&destination->brokers, broker->host,
			broker->port);
		if (broker->address != NULL)
			append_broker(&destination->brokers, broker->address,
				broker->port);
	}
	return destination;
}

void
destination_free(struct destination *destination)
{
	if (destination == NULL)
		return;
	text_free(&destination->brokers);
	text_free(&destination->authorities);
	free(destination);
}

/* The whole words at its start that fit. */
static struct span
that_fit(const struct text *words)
{
	struct span fit = { words->bytes, words->len };

	if (fit.len <= DESTINATION_WORDS_MAX)
		return fit;
	fit.len = DESTINATION_WORDS_MAX;
	while (fit.len > 0 && fit.bytes[fit.len] != ' ')
		fit.len--;
	return fit;
}

struct span
destination_brokers(const struct destination *destination)
{
	return that_fit(&destination->brokers);
}

struct span
destination_authorities(const struct destination *destination)
{
	return that_fit(&destination->authorities);
}

/* Takes the first word; false if there is none. */
static bool
take_word(struct span *words, struct span *word)
{
	const char *end;

	if (words->len == 0)
		return false;
	end = memchr(words->bytes, ' ', words->len);
	*word = (struct span){ words->bytes,
		end != NULL ? (size_t)(end - words->bytes) : words->len };
	size_t taken = word->len + (end != NULL ? 1 : 0);
	words->bytes += taken;
	words->len -= taken;
	return true;
}

static bool
has_word(struct span words, struct span wanted)
{
	struct span word;

	while (take_word(&words, &word))
		if (word.len > 0 && span_equal(word, wanted))
			return true;
	return false;
}

static bool
have_common(const struct text *own, struct span others)
{
	struct span word;

	while (take_word(&others, &word))
		if (has_word((struct span){ own->bytes, own->len }, word))
			return true;
	return false;
}

enum destination_fit
destination_compare(const struct destination *destination, struct span brokers,
	struct span authorities)
{
	if (!have_common(&destination->brokers, brokers))
		return DESTINATION_OTHER_BROKERS;
	if (!have_common(&destination->authorities, authorities))
		return DESTINATION_OTHER_AUTHORITIES;
	return DESTINATION_SAME;
}
