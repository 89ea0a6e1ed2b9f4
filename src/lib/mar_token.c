/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_token.h"

#include "mar_query.h"

#include <string.h>
#include <strings.h>

bool
mar_token_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the quote at the start that is not the straight double one, or 0. */
static size_t
odd_quote(struct span text)
{
	static const uint32_t quotes[] = { '\'', '`', 0xb4, 0xab, 0xbb, 0x2018,
		0x2019, 0x201a, 0x201c, 0x201d, 0x201e, 0x2033 };
	uint32_t c;
	size_t len = text_utf8_next(text, &c);

	for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++)
		if (len > 0 && quotes[i] == c)
			return len;
	return 0;
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static const char symbols[] = "=<>!~|&;";

static size_t
word_length(struct span text)
{
	size_t len = 0;

	while (len < text.len && !mar_token_is_blank(text.bytes[len]) &&
		!is_one_of(text.bytes[len], "\",()[]{}") &&
		!is_one_of(text.bytes[len], symbols) &&
		odd_quote((struct span){ text.bytes + len, text.len - len }) ==
			0)
		len++;
	return len;
}

static size_t
symbol_length(struct span text)
{
	size_t len = 0;

	while (len < text.len && is_one_of(text.bytes[len], symbols))
		len++;
	return len;
}

/* What begins with a quote: without its quotes, if there are two. */
static struct mar_token
value_of(struct span text)
{
	const char *end = memchr(text.bytes + 1, '"', text.len - 1);

	if (end == NULL)
		return (struct mar_token){ .kind = MAR_TOKEN_OPEN,
			.text = { text.bytes, 1 },
			.end = 1 };
	size_t len = (size_t)(end - text.bytes) + 1;
	return (struct mar_token){ .kind = MAR_TOKEN_VALUE,
		.text = { text.bytes + 1, len - 2 },
		.end = len };
}

/* What the text begins with. */
static struct mar_token
token_of(struct span text)
{
	struct mar_token token = { .kind = MAR_TOKEN_END,
		.text = { text.bytes, 0 } };

	if (text.len == 0)
		return token;
	if (text.bytes[0] == '"')
		return value_of(text);
	token.text.len = 1;
	if (text.bytes[0] == ',') {
		token.kind = MAR_TOKEN_COMMA;
	} else if (is_one_of(text.bytes[0], "()[]{}")) {
		token.kind = MAR_TOKEN_PARENTHESIS;
	} else if (odd_quote(text) > 0) {
		token.kind = MAR_TOKEN_QUOTE;
		token.text.len = odd_quote(text);
	} else if (symbol_length(text) > 0) {
		token.kind = MAR_TOKEN_SYMBOL;
		token.text.len = symbol_length(text);
	} else {
		token.kind = MAR_TOKEN_WORD;
		token.text.len = word_length(text);
	}
	token.end = token.text.len;
	return token;
}

struct mar_token
mar_token_next(struct span query, size_t at)
{
	while (at < query.len && mar_token_is_blank(query.bytes[at]))
		at++;
	struct mar_token token = token_of(
		(struct span){ query.bytes + at, query.len - at });
	token.at = at;
	token.end += at;
	return token;
}

bool
mar_token_is_word(const struct mar_token *token, const char *word)
{
	return token->kind == MAR_TOKEN_WORD &&
		token->text.len == strlen(word) &&
		strncasecmp(token->text.bytes, word, token->text.len) == 0;
}

bool
mar_token_is_keyword(const struct mar_token *token)
{
	return mar_token_is_word(token, "and") ||
		mar_token_is_word(token, "or") ||
		mar_token_is_word(token, "where") ||
		mar_token_is_word(token, "not");
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
mar_token_is_name(const struct mar_token *token)
{
	if (token->kind != MAR_TOKEN_WORD || mar_token_is_keyword(token) ||
		token->text.len > MAR_NAME_MAX ||
		!is_letter(token->text.bytes[0]))
		return false;
	for (size_t i = 1; i < token->text.len; i++)
		if (!is_letter(token->text.bytes[i]) &&
			!is_digit(token->text.bytes[i]) &&
			!is_one_of(token->text.bytes[i], "-."))
			return false;
	return true;
}

static size_t
digits(struct span text)
{
	size_t len = 0;

	while (len < text.len && is_digit(text.bytes[len]))
		len++;
	return len;
}

bool
mar_token_is_number(const struct mar_token *token)
{
	struct span left = token->text;
	size_t len;

	if (token->kind != MAR_TOKEN_WORD)
		return false;
	if (left.bytes[0] == '-') {
		left.bytes++;
		left.len--;
	}
	len = digits(left);
	if (len == 0 || len == left.len)
		return len > 0;
	left.bytes += len + 1;
	left.len -= len + 1;
	return left.bytes[-1] == '.' && left.len > 0 &&
		digits(left) == left.len;
}
