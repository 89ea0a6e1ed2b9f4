/* SPDX-License-Identifier: Apache-2.0 */
#include "indicator.h"

#include "word.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	ADDRESS_MAX = 80, /* bytes of an IPv6 address, defanged … */
	COLONS_MAX = 8,   /* … with one of a sentence */
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
	SCHEME_MAX = 16,
};

/* An indicator that may be: as it stands, and with its fangs. */
struct atom {
	struct span span;
	char plain[INDICATOR_MAX + 1];
	size_t len;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return word_lower(c) >= 'a' && word_lower(c) <= 'z';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (word_lower(c) >= 'a' && word_lower(c) <= 'f');
}

static struct span
behind(struct span span, size_t len)
{
	return (struct span){ span.bytes + len, span.len - len };
}

/* What stands for one character in brackets: its length, or 0. */
static size_t
defanged(struct span text, char *c)
{
	static const struct {
		const char *inside;
		char c;
	} words[] = { { ".", '.' }, { "dot", '.' }, { "@", '@' }, { "at", '@' },
		{ ":", ':' } };

	const char *open = text.len > 2 ? strchr("[({", text.bytes[0]) : NULL;
	if (open == NULL || *open == '\0')
		return 0;
	char close = "])}"[*open == '[' ? 0 : *open == '(' ? 1 : 2];
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].inside);

		if (text.len < len + 2 || text.bytes[len + 1] != close ||
			!word_begins(behind(text, 1), span_of(words[i].inside)))
			continue;
		*c = words[i].c;
		return len + 2;
	}
	return 0;
}

/* The character at the start, without brackets.  Returns how many bytes stand
 * for it; 0 where what may be an indicator ends. */
static size_t
next_char(struct span text, char *c)
{
	uint32_t wide;

	if (text.len == 0)
		return 0;
	*c = text.bytes[0];
	if ((unsigned char)*c >= 0x80) {
		size_t len = text_utf8_next(text, &wide);

		return len > 0 && word_joins(wide) ? len : 0;
	}
	if (is_letter(*c) || is_digit(*c) || strchr("._-@%+:", *c) != NULL)
		return *c != '\0';
	return defanged(text, c);
}

/* How many bytes from here are none of an indicator. */
static size_t
gap(struct span text)
{
	size_t at = 0;
	char c;

	while (at < text.len &&
		(next_char(behind(text, at), &c) == 0 || strchr(".-%+@", c)))
		at++;
	return at;
}

/* Takes an atom up to a colon or its end.  Returns its length in the text;
 * one that is too long, or is not ASCII, has an empty span. */
static size_t
take_atom(struct span text, struct atom *atom)
{
	size_t at = 0, bytes;
	bool good = true;
	char c;

	atom->len = 0;
	while ((bytes = next_char(behind(text, at), &c)) > 0 && c != ':') {
		good = good && (unsigned char)c < 0x80 &&
			at + bytes <= INDICATOR_MAX;
		if (good)
			atom->plain[atom->len++] = c;
		at += bytes;
	}
	atom->span = (struct span){ text.bytes, good ? at : 0 };
	/* A sentence ends with a stop, and a dash or a sign may follow. */
	while (atom->span.len > 0 &&
		strchr(".-%+@", text.bytes[atom->span.len - 1]) != NULL) {
		atom->span.len--;
		atom->len--;
	}
	atom->plain[atom->len] = '\0';
	return at;
}

static bool
is_hash(const struct atom *atom)
{
	for (size_t i = 0; i < atom->len; i++)
		if (!is_hex(atom->plain[i]))
			return false;
	return atom->len == 32 || atom->len == 40 || atom->len == 64;
}

static bool
is_ipv4(const struct atom *atom)
{
	struct in_addr address;

	return inet_pton(AF_INET, atom->plain, &address) == 1;
}

static bool
is_cve(const struct atom *atom)
{
	static const char form[] = "cve-dddd-dddd";
	const size_t least = sizeof(form) - 1;

	if (atom->len < least || atom->len > least + 3)
		return false;
	for (size_t i = 0; i < atom->len; i++) {
		char want = i < least ? form[i] : 'd', c = atom->plain[i];

		if (want == 'd' ? !is_digit(c) : word_lower(c) != want)
			return false;
	}
	return true;
}

/* The last label of a name is letters, or Punycode. */
static bool
is_top(const char *label, size_t len)
{
	bool coded = word_begins((struct span){ label, len }, span_of("xn--"));

	for (size_t i = 0; i < len; i++)
		if (!is_letter(label[i]) &&
			!(coded && (is_digit(label[i]) || label[i] == '-')))
			return false;
	return len >= 2;
}

static bool
is_label(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_letter(label[i]) && !is_digit(label[i]) &&
			label[i] != '-' && label[i] != '_')
			return false;
	return len > 0 && len <= LABEL_MAX && label[0] != '-' &&
		label[len - 1] != '-';
}

static bool
is_domain(const char *name, size_t len)
{
	size_t labels = 0;

	if (len > DOMAIN_MAX)
		return false;
	for (;; labels++) {
		size_t label = strcspn(name, ".");

		if (!is_label(name, label))
			return false;
		if (name[label] == '\0')
			return labels > 0 && is_top(name, label);
		name += label + 1;
	}
}

static bool
is_mail(const struct atom *atom)
{
	const char *at = strchr(atom->plain, '@');

	return at != NULL && at > atom->plain &&
		is_domain(at + 1, atom->len - (size_t)(at + 1 - atom->plain));
}

static bool
is_indicator(const struct atom *atom)
{
	return atom->span.len > 0 &&
		(is_hash(atom) || is_ipv4(atom) || is_cve(atom) ||
			is_domain(atom->plain, atom->len) || is_mail(atom));
}

/* An IPv6 address at the start: its length in the text, or 0. */
static size_t
ipv6_length(struct span text)
{
	char plain[ADDRESS_MAX + 1], c;
	size_t len = 0, digits = 0, colons = 0, at = 0, bytes;
	struct in6_addr address;

	while ((bytes = next_char(behind(text, at), &c)) > 0 &&
		(is_hex(c) || c == ':' || c == '.')) {
		digits += is_hex(c);
		colons += c == ':';
		if (at + bytes > ADDRESS_MAX || colons > COLONS_MAX)
			return 0;
		plain[len++] = c;
		at += bytes;
	}
	/* A zone may follow. */
	if (colons < 2 || digits == 0 || (bytes > 0 && c != '%'))
		return 0;
	/* A sentence may go on with a stop or a colon. */
	while (len > 2 && (plain[len - 1] == '.' || plain[len - 1] == ':') &&
		plain[len - 2] != ':' && text.bytes[at - 1] == plain[len - 1]) {
		len--;
		at--;
	}
	plain[len] = '\0';
	return inet_pton(AF_INET6, plain, &address) == 1 ? at : 0;
}

/* The end of a link in Markdown, too; and what is no letter of any script. */
static bool
ends_url(struct span text)
{
	unsigned char c = (unsigned char)text.bytes[0];
	uint32_t wide;

	if (c >= 0xc0)
		return text_utf8_next(text, &wide) == 0 || !word_joins(wide);
	return c <= ' ' || c == 0x7f || strchr("<>\"'`", c) != NULL ||
		word_begins(text, span_of("]("));
}

static size_t
count(struct span text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.bytes[i] == c;
	return n;
}

/* A URL without what follows it in a sentence: stops, and brackets that were
 * opened before it. */
static struct span
without_end(struct span url)
{
	size_t round = count(url, ')') - count(url, '(');
	size_t square = count(url, ']') - count(url, '[');

	for (; url.len > 0; url.len--) {
		char last = url.bytes[url.len - 1];

		if (last == ')' && (ptrdiff_t)round > 0)
			round--;
		else if (last == ']' && (ptrdiff_t)square > 0)
			square--;
		else if (strchr(".,;:!?*|}", last) == NULL)
			break;
	}
	return url;
}

/* Is it the "http" of a URL?  Returns the length of what leads to the host:
 * `http://`, `hxxp[:]//`; 0 if it is not. */
static size_t
lead_length(struct span text, size_t scheme)
{
	size_t at = scheme, colon;
	char c;

	if (scheme < 2 || scheme > SCHEME_MAX || !is_letter(text.bytes[0]))
		return 0;
	colon = next_char(behind(text, at), &c);
	if (colon == 0 || c != ':')
		return 0;
	at += colon;
	if (!word_begins(behind(text, at), span_of("//")) ||
		next_char(behind(text, at + 2), &c) == 0)
		return 0;
	return at + 2;
}

/* The URL from the start, which has a lead that long; empty if it is too
 * long.  Returns how far it goes, or was looked at. */
static size_t
take_url(struct span text, size_t lead, struct span *url)
{
	size_t len = lead;

	while (len < text.len && len <= INDICATOR_MAX &&
		!ends_url(behind(text, len)))
		len++;
	*url = without_end((struct span){ text.bytes, len });
	if (len > INDICATOR_MAX || url->len <= lead)
		url->len = 0;
	return len;
}

static struct span
behind_colons(struct span text)
{
	size_t bytes;
	char c;

	while ((bytes = next_char(text, &c)) > 0 && c == ':')
		text = behind(text, bytes);
	return text;
}

static bool
is_group(const struct atom *atom)
{
	return strspn(atom->plain, "0123456789abcdefABCDEF") == atom->len &&
		atom->len > 0 && atom->len <= 4;
}

/* Behind an atom.  Of a row of groups between colons that is no address, as a
 * fingerprint, no part is one either. */
static struct span
behind_row(struct span text, const struct atom *first)
{
	struct span next = behind_colons(text);
	struct atom atom = *first;

	while (is_group(&atom) && next.bytes > text.bytes) {
		size_t len = take_atom(next, &atom);

		if (!is_group(&atom))
			break;
		text = behind(next, len);
		next = behind_colons(text);
	}
	return next;
}

/* What is at the start, which is none of a gap: an indicator, or an empty
 * span.  Takes it off rest. */
static struct span
take(struct span *rest)
{
	const struct span none = { rest->bytes, 0 };
	struct span text = *rest, url;
	struct atom atom;

	size_t address = ipv6_length(text);
	if (address > 0) {
		*rest = behind(text, address);
		return (struct span){ text.bytes, address };
	}
	size_t len = take_atom(text, &atom);
	size_t lead = lead_length(text, len);
	if (lead == 0) {
		*rest = behind_row(behind(text, len), &atom);
		return is_indicator(&atom) ? atom.span : none;
	}
	/* One that is too long would be gone through again from each place in
	 * it that looks like a URL's start. */
	len = take_url(text, lead, &url);
	*rest = behind(text, url.len > 0 ? lead : len);
	return url;
}

bool
indicator_next(struct span *rest, struct span *found)
{
	do {
		*rest = behind(*rest, gap(*rest));
		*found = rest->len > 0 ? take(rest) : *rest;
	} while (found->len == 0 && rest->len > 0);
	return found->len > 0;
}
