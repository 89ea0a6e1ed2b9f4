/* SPDX-License-Identifier: Apache-2.0 */
#include "invite_state.h"

#include "certificate.h"
#include "translate.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum {
	BASE64_MAX = (SECRET_BYTES + 2) / 3 * 4 + 1,
	NUMBER_DIGITS = 16, /* of 2^53 - 1 */
};

#define TIME_MAX INT64_C(9007199254740991)

static const char first_line[] = "qchat-invitation 1";
static const char guest_word[] = "for ";

void
invite_text_format(const struct invite_text *inside, struct text *text)
{
	char secret[BASE64_MAX];

	sign_encode(secret,
		(struct span){ (const char *)inside->secret, SECRET_BYTES });
	text_appendf(text, "%s\nroom %.*s\nsecret %s\nmade %lld\n", first_line,
		(int)inside->room.len, inside->room.bytes, secret,
		(long long)inside->made);
	text_append(text, inside->guests.bytes, inside->guests.len);
	OPENSSL_cleanse(secret, sizeof(secret));
}

/* Takes the rest of a line that begins with word. */
static bool
take_line(struct span *left, const char *word, struct span *rest)
{
	size_t len = strlen(word);
	const char *end = left->len > 0 ? memchr(left->bytes, '\n', left->len)
					: NULL;

	if (end == NULL || (size_t)(end - left->bytes) < len ||
		memcmp(left->bytes, word, len) != 0)
		return false;
	*rest = (struct span){ left->bytes + len,
		(size_t)(end - left->bytes) - len };
	left->len -= (size_t)(end + 1 - left->bytes);
	left->bytes = end + 1;
	return true;
}

/* -1 if it is no time. */
static int64_t
time_of(struct span digits)
{
	int64_t number = 0;

	if (digits.len == 0 || digits.len > NUMBER_DIGITS)
		return -1;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
			return -1;
		number = number * 10 + (digits.bytes[i] - '0');
	}
	return number <= TIME_MAX ? number : -1;
}

static bool
decode(unsigned char *bytes, struct span base64)
{
	unsigned char decoded[SECRET_BYTES + 2];
	bool good = sign_decode(decoded, base64, SECRET_BYTES) == SECRET_BYTES;

	if (good)
		memcpy(bytes, decoded, SECRET_BYTES);
	OPENSSL_cleanse(decoded, sizeof(decoded));
	return good;
}

bool
invite_text_parse(struct invite_text *inside, struct span text)
{
	struct span rest;

	if (!take_line(&text, first_line, &rest) || rest.len > 0 ||
		!take_line(&text, "room ", &inside->room) ||
		!take_line(&text, "secret ", &rest) ||
		!decode(inside->secret, rest) ||
		!take_line(&text, "made ", &rest))
		return false;
	inside->made = time_of(rest);
	inside->guests = text;
	while (text.len > 0)
		if (!take_line(&text, guest_word, &rest))
			return false;
	return inside->made >= 0;
}

void
invite_text_add(struct text *guests, const char *fingerprint)
{
	text_appendf(guests, "%s%s\n", guest_word, fingerprint);
}

bool
invite_text_is_for(const struct invite_text *inside, const char *fingerprint)
{
	struct span left = inside->guests, rest;

	while (take_line(&left, guest_word, &rest))
		if (span_equal(rest, span_of(fingerprint)))
			return true;
	return false;
}

static const char *
doubt(const struct chain_verdict *verdict, int64_t now)
{
	if (verdict->state != SIGN_GOOD)
		return verdict->why;
	if (now < verdict->begin)
		return N_("the certificate is not valid yet");
	if (sign_is_over(verdict->end, now))
		return N_("the certificate has expired");
	if (now < verdict->chain_begin || sign_is_over(verdict->chain_end, now))
		return N_("an authority's certificate is not valid");
	if (sign_is_over(verdict->crl_end, now))
		return N_(
			"the revocation list of the certificate's authority is "
			"out of date");
	return NULL;
}

bool
invite_judge(struct guest *guest, const struct chain *chain,
	const struct authorities *trust, int64_t now)
{
	unsigned char digest[CERTIFICATE_DIGEST_BYTES];
	struct chain_verdict verdict;
	char *name = certificate_name(chain->leaf);

	*guest = (struct guest){ .why = NULL };
	/* One that is cut would be another's. */
	if (name != NULL && strlen(name) < sizeof(guest->name))
		strcpy(guest->name, name);
	free(name);
	certificate_digest(chain->leaf, digest);
	certificate_hex(guest->fingerprint, digest, sizeof(digest));
	chain_judge(&verdict, chain, trust, now);
	guest->why = doubt(&verdict, now);
	return verdict.state != SIGN_BAD && now >= verdict.begin &&
		!sign_is_over(verdict.end, now);
}
