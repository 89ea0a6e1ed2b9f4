/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MAR_TOKEN_H
#define QCHAT_MAR_TOKEN_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* The words of a search, for mar_query. */

enum mar_token_kind {
	MAR_TOKEN_END,
	MAR_TOKEN_WORD,  /* a name, a keyword, a number, or none of these */
	MAR_TOKEN_VALUE, /* what stood between two quotes */
	MAR_TOKEN_COMMA,
	MAR_TOKEN_OPEN,  /* a quote without its other one */
	MAR_TOKEN_QUOTE, /* one that is not the straight double one */
	MAR_TOKEN_PARENTHESIS,
	MAR_TOKEN_SYMBOL,
};

struct mar_token {
	enum mar_token_kind kind;
	struct span text;
	size_t at;  /* bytes of the query before it */
	size_t end; /* the same with it */
};

/* May it stand between two words? */
bool mar_token_is_blank(char c);

/* The one at this place of the query, or behind the blanks there. */
struct mar_token mar_token_next(struct span query, size_t at);

/* Is it this word, in capitals or not? */
bool mar_token_is_word(const struct mar_token *token, const char *word);

/* "and", "or", "where", "not" */
bool mar_token_is_keyword(const struct mar_token *token);

/* May a collector or an output be called so? */
bool mar_token_is_name(const struct mar_token *token);

/* -12, 12.5 */
bool mar_token_is_number(const struct mar_token *token);

#endif
