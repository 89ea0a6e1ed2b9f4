/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TEXT_H
#define QCHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes, not ended by NUL; NULs may be inside. */
struct span {
	const char *bytes;
	size_t len;
};

/* A span of a string; NULL gives an empty span. */
struct span span_of(const char *string);

bool span_equal(struct span a, struct span b);

/* A growing buffer.  Starts as { 0 }; always has a NUL behind its bytes. */
struct text {
	char *bytes;
	size_t len;
	size_t size;
};

void text_free(struct text *text);

/* Empties it and keeps its memory. */
void text_clear(struct text *text);

void text_append(struct text *text, const void *bytes, size_t len);
/* Appends len bytes that the caller fills in. */
char *text_extend(struct text *text, size_t len);

void text_append_string(struct text *text, const char *string);
void text_append_char(struct text *text, char c);
void text_appendf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Is it UTF-8 as RFC 3629 has it: shortest form, no surrogates, at most
 * U+10FFFF?  Returns the number of good bytes from the start: len if all is.
 */
size_t text_utf8_check(struct span bytes);

/*
 * Reads the character at the start of bytes.  Returns its length, 1 to 4, and
 * sets *c; 0 if bytes is empty or does not start with a well-formed one.
 */
size_t text_utf8_next(struct span bytes, uint32_t *c);

enum text_style {
	/* One line, all kept apart: line feed \n, tab \t, backslash \\ */
	TEXT_LINE,
	/* As TEXT_LINE, and white space is _, joiners are visible */
	TEXT_NAME,
	/* For error messages: as TEXT_LINE, but the backslash stays single */
	TEXT_MESSAGE,
};

/*
 * Appends foreign bytes so that they cannot drive a terminal, break the line
 * or reorder it.  C0, DEL and bytes that are not UTF-8 become \xNN; C1, bidi
 * controls, separators, interlinear and tag characters, noncharacters, and
 * what has no width but joiners become \u{NNNN}.  An empty name becomes "_".
 */
void text_harmless(struct text *text, struct span bytes, enum text_style style);

/* Appends wall-clock milliseconds since the epoch, as RFC 3339 in UTC:
 * 2026-11-23T04:25:13.935Z.  Years beyond 9999 and before 0 are clamped. */
void text_append_time(struct text *text, int64_t ms);

/* Appends how long something takes, for people: 119s, then 2m to 119m, then
 * hours; - if it is negative. */
void text_append_duration(struct text *text, int64_t ms);

#endif
