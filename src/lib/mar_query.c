/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_query.h"

#include "mar_token.h"
#include "memory.h"
#include "translate.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct span query;
	struct mar_token token; /* the one to look at */
	struct mar_token last;  /* the one before it */
	struct mar_query_slip slip;
	struct fault *fault;
};

static const struct comparator {
	const char *op;
	const char *words[3];
} comparators[] = {
	{ "EQUALS", { "equals" } },
	{ "CONTAINS", { "contains" } },
	{ "STARTS_WITH", { "starts", "with" } },
	{ "ENDS_WITH", { "ends", "with" } },
	{ "GREATER_THAN", { "greater", "than" } },
	{ "GREATER_EQUAL_THAN", { "greater", "equal", "than" } },
	{ "LESS_THAN", { "less", "than" } },
	{ "LESS_EQUAL_THAN", { "less", "equal", "than" } },
	{ "BEFORE", { "before" } },
	{ "AFTER", { "after" } },
};
static const size_t comparator_count = sizeof(comparators) /
	sizeof(*comparators);
#define OPERATORS                                                           \
	N_("an operator (equals, contains, starts with, ends with, "        \
	   "greater than, greater equal than, less than, less equal than, " \
	   "before, after)")

/* What people write for an operator, and what it is here. */
static const struct {
	const char *word, *meant;
} slips[] = {
	{ "=", "equals" },
	{ "==", "equals" },
	{ "!=", "not equals" },
	{ "<>", "not equals" },
	{ "<", "less than" },
	{ "<=", "less equal than" },
	{ "=<", "less equal than" },
	{ ">", "greater than" },
	{ ">=", "greater equal than" },
	{ "=>", "greater equal than" },
	{ "~", "contains" },
	{ "=~", "contains" },
	{ "is", "equals" },
	{ "equal", "equals" },
	{ "eq", "equals" },
	{ "like", "contains" },
	{ "contain", "contains" },
	{ "in", "equals ... or ..." },
	{ "start", "starts with" },
	{ "begins", "starts with" },
	{ "startswith", "starts with" },
	{ "end", "ends with" },
	{ "endswith", "ends with" },
	{ "between", "after ... and ..." },
	{ "&&", "and" },
	{ "&", "and" },
	{ "||", "or" },
};

static void
next(struct parser *parser)
{
	parser->last = parser->token;
	parser->token = mar_token_next(parser->query, parser->token.end);
}

static size_t
column_of(const struct parser *parser, size_t at)
{
	size_t column = 1;

	/* All but what continues a character. */
	for (size_t i = 0; i < at; i++)
		column += ((unsigned char)parser->query.bytes[i] & 0xc0) !=
			0x80;
	return column;
}

static int fail_at(struct parser *parser, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first fault is the one that is told. */
static int
fail_at(struct parser *parser, size_t at, const char *format, ...)
{
	char text[FAULT_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), gettext(format), arguments);
	va_end(arguments);
	parser->slip.column = column_of(parser, at);
	return fault_set(parser->fault, FAULT_USAGE, "column %zu: %s",
		parser->slip.column, text);
}

/* "the text", cut to what a message can bear. */
static char *
quoted(struct span text)
{
	enum { SHOWN_MAX = 60 };
	size_t len = text.len;

	if (len <= SHOWN_MAX)
		return memory_format("\"%.*s\"", (int)len, text.bytes);
	for (len = SHOWN_MAX;
		len > 0 && ((unsigned char)text.bytes[len] & 0xc0) == 0x80;)
		len--;
	return memory_format("\"%.*s...\"", (int)len, text.bytes);
}

/* What stands there; the caller frees it. */
static char *
describe(const struct mar_token *token)
{
	char *text, *shown;

	if (token->kind == MAR_TOKEN_END)
		return memory_string(_("the end"));
	shown = quoted(token->text);
	if (token->kind != MAR_TOKEN_VALUE)
		return shown;
	text = memory_format(_("the value %s"), shown);
	free(shown);
	return text;
}

static const char *
slip_of(const struct mar_token *token)
{
	for (size_t i = 0; i < sizeof(slips) / sizeof(*slips); i++)
		if ((token->kind == MAR_TOKEN_WORD &&
			    mar_token_is_word(token, slips[i].word)) ||
			(token->kind == MAR_TOKEN_SYMBOL &&
				span_equal(token->text,
					span_of(slips[i].word))))
			return slips[i].meant;
	return NULL;
}

/* Is what stands there wrong wherever it stands? */
static int
fail_anywhere(struct parser *parser)
{
	const struct mar_token *token = &parser->token;

	switch (token->kind) {
	case MAR_TOKEN_OPEN:
		return fail_at(parser, token->at,
			"this quote is not closed by another one");
	case MAR_TOKEN_QUOTE:
		parser->slip.unquoted = true;
		return fail_at(parser, token->at,
			"a value stands in straight double quotes "
			"(\"value\"), not in %.*s",
			(int)token->text.len, token->text.bytes);
	case MAR_TOKEN_PARENTHESIS:
		return fail_at(parser, token->at,
			"there are no parentheses in a query: \"and\" binds "
			"more closely than \"or\"");
	default:
		return 0;
	}
}

/* wanted is due where something else stands; hint may be NULL. */
static int
fail(struct parser *parser, const char *wanted, const char *hint)
{
	const struct mar_token *token = &parser->token;
	char *found;
	int rc;

	if (fail_anywhere(parser) < 0)
		return -1;
	found = describe(token);
	rc = fail_at(parser, token->at, "%s is due here, not %s%s%s%s",
		translate(wanted), found, hint != NULL ? " (" : "",
		hint != NULL ? translate(hint) : "", hint != NULL ? ")" : "");
	free(found);
	return rc;
}

/* The same where a word is meant that has another name here. */
static int
fail_slip(struct parser *parser, const char *wanted)
{
	const char *meant = slip_of(&parser->token);
	char *hint = meant != NULL
		? memory_format(_("in a query that is \"%s\""), meant)
		: NULL;
	int rc = fail(parser, wanted, hint);

	free(hint);
	return rc;
}

static int
take_name(struct parser *parser, struct span *name, const char *wanted,
	const char *hint)
{
	const struct mar_token *token = &parser->token;

	if (mar_token_is_name(token)) {
		*name = token->text;
		next(parser);
		return 0;
	}
	if (token->kind == MAR_TOKEN_WORD && token->text.len > MAR_NAME_MAX)
		hint = _("a name has 128 characters at most");
	else if (token->kind == MAR_TOKEN_WORD && !mar_token_is_keyword(token))
		hint = _(
			"a name begins with a letter, and has letters, digits, "
			"_, - and .");
	return fail(parser, wanted, hint);
}

static int
take_outputs(struct parser *parser, struct mar_projection *projection)
{
	if (parser->token.kind != MAR_TOKEN_WORD ||
		mar_token_is_keyword(&parser->token))
		return 0;
	for (;;) {
		if (projection->count == MAR_OUTPUTS_MAX)
			return fail_at(parser, parser->token.at,
				"more than %d outputs of one collector",
				MAR_OUTPUTS_MAX);
		if (take_name(parser, &projection->outputs[projection->count],
			    _("an output"),
			    mar_token_is_keyword(&parser->token)
				    ? _("a comma stands between two outputs")
				    : NULL) < 0)
			return -1;
		projection->count++;
		if (parser->token.kind != MAR_TOKEN_COMMA)
			return 0;
		next(parser);
	}
}

/* What may stand behind a projection, does not: why? */
static int
fail_behind_projection(struct parser *parser,
	const struct mar_projection *projection)
{
	const struct mar_token *token = &parser->token;
	const char *hint = NULL;

	if (token->kind == MAR_TOKEN_SYMBOL) {
		if (span_equal(token->text, span_of("|")))
			hint = _("a blank stands between a collector and its "
				 "output");
		else
			return fail_slip(parser,
				_("\"and\", \"where\" or the "
				  "end"));
	} else if (mar_token_is_name(token) &&
		parser->last.kind == MAR_TOKEN_WORD && projection->count > 1) {
		hint = _("outputs of another collector stand behind \"and\"");
	} else if (mar_token_is_word(token, "or")) {
		hint = _("what is to be shown is joined by \"and\"");
	} else if (token->kind == MAR_TOKEN_COMMA) {
		return fail(parser,
			_("an output, \"and\", \"where\" or the end"),
			_("a comma stands between two outputs"));
	} else if (mar_token_is_word(token, "not") ||
		token->kind == MAR_TOKEN_VALUE) {
		hint = _("comparisons stand behind \"where\"");
	}
	return fail(parser,
		projection->count == 0
			? _("an output, \"and\", \"where\" or the end")
			: _("a comma, \"and\", \"where\" or the end"),
		hint);
}

static int
take_projections(struct parser *parser, struct mar_query *query)
{
	static const char hint[] = N_(
		"such as HostInfo; its outputs stand behind it");

	for (;;) {
		size_t count = query->projection_count;

		if (count == MAR_PROJECTIONS_MAX)
			return fail_at(parser, parser->token.at,
				"more than %d collectors", MAR_PROJECTIONS_MAX);
		query->projections = memory_resize(query->projections,
			count + 1, sizeof(*query->projections));
		struct mar_projection *projection = &query->projections[count];
		*projection = (struct mar_projection){ 0 };
		query->projection_count++;
		if (take_name(parser, &projection->collector, _("a collector"),
			    hint) < 0 ||
			take_outputs(parser, projection) < 0)
			return -1;
		if (parser->token.kind == MAR_TOKEN_END ||
			mar_token_is_word(&parser->token, "where"))
			return 0;
		if (!mar_token_is_word(&parser->token, "and"))
			return fail_behind_projection(parser, projection);
		next(parser);
	}
}

/* Are its first count words those of like? */
static bool
begins(const struct comparator *comparator, const struct comparator *like,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (comparator->words[i] == NULL ||
			strcmp(comparator->words[i], like->words[i]) != 0)
			return false;
	return true;
}

/* The operator whose words are the first count of like and then the token, or
 * NULL. */
static const struct comparator *
find_operator(const struct comparator *like, size_t count,
	const struct mar_token *token)
{
	for (size_t i = 0; i < comparator_count; i++)
		if (begins(&comparators[i], like, count) &&
			comparators[i].words[count] != NULL &&
			mar_token_is_word(token, comparators[i].words[count]))
			return &comparators[i];
	return NULL;
}

/* Is there none that goes on behind the first count words of it? */
static bool
is_whole(const struct comparator *like, size_t count)
{
	return count == 3 || like->words[count] == NULL;
}

/* What is due behind the first count words of it. */
static const char *
next_words(const struct comparator *like, size_t count)
{
	if (count == 2)
		return "\"than\"";
	return strcmp(like->words[0], "greater") == 0 ||
			strcmp(like->words[0], "less") == 0
		? _("\"than\" or \"equal than\"")
		: "\"with\"";
}

static int
take_operator(struct parser *parser, const char **op)
{
	const struct comparator *found = &comparators[0];
	size_t count = 0;

	do {
		const struct comparator *longer = find_operator(found, count,
			&parser->token);

		if (longer == NULL)
			return count > 0
				? fail(parser, next_words(found, count), NULL)
				: fail_slip(parser, OPERATORS);
		found = longer;
		count++;
		next(parser);
	} while (!is_whole(found, count));
	*op = found->op;
	return 0;
}

static int
take_value(struct parser *parser, struct span *value)
{
	const struct mar_token *token = &parser->token;

	if (token->kind != MAR_TOKEN_VALUE && !mar_token_is_number(token)) {
		parser->slip.unquoted = true;
		return fail(parser, _("a value"),
			token->kind == MAR_TOKEN_WORD &&
					!mar_token_is_keyword(token)
				? _("a value that is no number stands in "
				    "double quotes")
				: _("a number, or anything in double quotes"));
	}
	*value = token->text;
	next(parser);
	return 0;
}

static bool
is_operator_word(const struct mar_token *token)
{
	return find_operator(&comparators[0], 0, token) != NULL;
}

/* created_at after "2020-01-01": whose? */
static int
check_collector(struct parser *parser, const struct mar_token *collector,
	const struct mar_token *output)
{
	const struct mar_token *token = &parser->token;

	if (is_operator_word(token) || mar_token_is_word(token, "not") ||
		!is_operator_word(output))
		return 0;
	return fail_at(parser, collector->at,
		"a collector is due before the output %.*s, as in Files %.*s",
		(int)collector->text.len, collector->text.bytes,
		(int)collector->text.len, collector->text.bytes);
}

static int
take_comparison(struct parser *parser, struct mar_comparison *comparison)
{
	const struct mar_token collector = parser->token;

	if (take_name(parser, &comparison->collector, _("a collector"),
		    _("a comparison is: Collector output operator value")) < 0)
		return -1;
	const struct mar_token output = parser->token;
	if (take_name(parser, &comparison->output, _("an output"),
		    _("a comparison is: Collector output operator value")) <
			0 ||
		check_collector(parser, &collector, &output) < 0)
		return -1;
	comparison->negated = mar_token_is_word(&parser->token, "not");
	if (comparison->negated)
		next(parser);
	if (take_operator(parser, &comparison->op) < 0)
		return -1;
	return take_value(parser, &comparison->value);
}

/* Neither "and" nor "or" nor the end: why? */
static int
fail_behind_comparison(struct parser *parser)
{
	const struct mar_token *token = &parser->token;
	struct span value = parser->last.text;
	const char *hint = NULL;

	if (slip_of(token) != NULL)
		return fail_slip(parser, _("\"and\", \"or\" or the end"));
	if (parser->last.kind == MAR_TOKEN_VALUE && value.len > 0 &&
		value.bytes[value.len - 1] == '\\')
		hint = _("a backslash is a backslash, also before a quote");
	else if (token->kind == MAR_TOKEN_COMMA)
		hint = _("comparisons are joined by \"and\" and \"or\"");
	else if (mar_token_is_word(token, "where"))
		hint = _("\"where\" stands once, before the first comparison");
	return fail(parser, _("\"and\", \"or\" or the end"), hint);
}

static int
take_comparisons(struct parser *parser, struct mar_query *query)
{
	bool alternative = true;

	while (parser->token.kind != MAR_TOKEN_END) {
		size_t count = query->comparison_count;

		next(parser); /* "where", "and", "or" */
		if (count == MAR_COMPARISONS_MAX)
			return fail_at(parser, parser->token.at,
				"more than %d comparisons",
				MAR_COMPARISONS_MAX);
		query->comparisons = memory_resize(query->comparisons,
			count + 1, sizeof(*query->comparisons));
		struct mar_comparison *comparison = &query->comparisons[count];
		*comparison = (struct mar_comparison){
			.alternative = alternative
		};
		query->comparison_count++;
		if (take_comparison(parser, comparison) < 0)
			return -1;
		if (parser->token.kind != MAR_TOKEN_END &&
			!mar_token_is_word(&parser->token, "and") &&
			!mar_token_is_word(&parser->token, "or"))
			return fail_behind_comparison(parser);
		alternative = mar_token_is_word(&parser->token, "or");
	}
	return 0;
}

/* Are these characters that a query can have at all? */
static int
check_characters(struct parser *parser)
{
	struct span query = parser->query;
	size_t good = text_utf8_check(query);

	for (size_t i = 0; i < good; i++) {
		unsigned char c = (unsigned char)query.bytes[i];

		if ((c < ' ' && !mar_token_is_blank((char)c)) || c == 0x7f)
			return fail_at(parser, i,
				"a control character (0x%02x)", c);
	}
	if (good < query.len)
		return fail_at(parser, good, "this is not UTF-8");
	return 0;
}

static int
parse(struct parser *parser, struct mar_query *query)
{
	if (parser->query.len > MAR_QUERY_MAX)
		return fault_set(parser->fault, FAULT_USAGE,
			"a query has %d bytes at most, not %zu", MAR_QUERY_MAX,
			parser->query.len);
	if (check_characters(parser) < 0)
		return -1;
	next(parser);
	if (take_projections(parser, query) < 0)
		return -1;
	return take_comparisons(parser, query);
}

int
mar_query_parse(struct mar_query *query, struct span text,
	struct mar_query_slip *slip, struct fault *fault)
{
	struct parser parser = { .fault = fault };

	*query = (struct mar_query){ .text = memory_copy(text.bytes,
					     text.len) };
	parser.query = (struct span){ query->text, text.len };
	int rc = parse(&parser, query);
	if (rc < 0)
		mar_query_free(query);
	if (slip != NULL)
		*slip = parser.slip;
	return rc;
}

int
mar_query_of_hash(struct mar_query *query, struct span hash,
	struct fault *fault)
{
	enum { MD5_DIGITS = 32, SHA1_DIGITS = 40 };
	struct text text = { 0 };
	bool good = hash.len == MD5_DIGITS || hash.len == SHA1_DIGITS;

	for (size_t i = 0; good && i < hash.len; i++)
		good = isxdigit((unsigned char)hash.bytes[i]);
	if (!good)
		return fault_set(fault, FAULT_USAGE,
			"\"%.*s\" is neither an MD5 (32 hex digits) nor a "
			"SHA-1 (40)",
			(int)(hash.len < 80 ? hash.len : 80), hash.bytes);
	/* As the original asks (protocol.md, 6.5). */
	text_append_string(&text,
		"HostInfo hostname, ip_address and Files full_name "
		"where Files md5 equals \"");
	text_append(&text, hash.bytes, hash.len);
	text_append_string(&text, "\" or Files sha1 equals \"");
	text_append(&text, hash.bytes, hash.len);
	text_append_char(&text, '"');
	int rc = mar_query_parse(query, (struct span){ text.bytes, text.len },
		NULL, fault);
	text_free(&text);
	return rc;
}

void
mar_query_free(struct mar_query *query)
{
	free(query->projections);
	free(query->comparisons);
	free(query->text);
	*query = (struct mar_query){ 0 };
}
