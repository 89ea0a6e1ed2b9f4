/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_INPUT_H
#define QCHAT_JOIN_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* The keyboard: readline edits one line, and this drawing shows it.  There is
 * one input in a process, as there is one readline. */

struct input_calls {
	void *context;
	/* A line was entered; or NULL: end of input on an empty line. */
	void (*line)(void *context, const char *line);
	/* Page up (-1) or page down (1). */
	void (*scroll)(void *context, int pages);
};

void input_begin(const struct input_calls *calls);
void input_end(void);

/* Takes what standard input has.  False at its end. */
bool input_read(void);

/* The line as it is; valid until the next input_read(). */
const char *input_line(void);
size_t input_cursor(void);

/* Asks a question on the plain terminal, before there is a screen.  Returns
 * the answer, or the default for an empty one; NULL at the end of input.
 * The caller frees it. */
char *input_ask(const char *question, const char *default_answer);

#endif
