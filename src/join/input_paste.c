/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

/* A number with a comma at each thousand. */
static void
append_number(struct text *text, size_t number)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%zu", number);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text_append_char(text, ',');
		text_append_char(text, digits[i]);
	}
}

static size_t
count_feeds(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.bytes[i] == '\n';
	return count;
}

/* The last line may have a line feed, or none. */
static size_t
count_lines(struct span text)
{
	bool open = text.len > 0 && text.bytes[text.len - 1] != '\n';

	return count_feeds(text) + open;
}

static void
refuse_long(size_t len)
{
	struct text why = { 0 };

	text_append_string(&why, "a paste of ");
	append_number(&why, len);
	text_append_string(&why, " bytes was dropped: a message has ");
	append_number(&why, INPUT_LINE_MAX);
	text_append_string(&why, " at most");
	input_notice("%s", why.bytes);
	text_free(&why);
}

static void
refuse_bad(const struct pasted *pasted)
{
	struct span good = { pasted->text.bytes, pasted->good };

	input_notice("a paste was dropped: its line %zu %s",
		count_feeds(good) + 1,
		pasted->text.bytes[pasted->good] == '\0'
			? "has a NUL, and a message has none"
			: "is not UTF-8");
}

static bool
fits(size_t more)
{
	return (size_t)rl_end + more <= INPUT_LINE_MAX;
}

/* What the library would not say is not taken: it says why, but only when the
 * rest of the text is gone. */
static bool
is_refused(const struct pasted *pasted)
{
	size_t len = pasted->text.len + pasted->dropped;

	if (!fits(input.waiting.len + len))
		refuse_long(len);
	else if (pasted->good < len)
		refuse_bad(pasted);
	else
		return false;
	return true;
}

/* What waits goes into the draft. */
static void
take(void)
{
	size_t len = input.waiting.len;

	input_enter();
	input_settle();
	if (fits(len)) {
		rl_insert_text(input.waiting.bytes);
		origin_paste(&input.origin, input_line(), input_cursor(), len);
	} else {
		refuse_long(len);
	}
	input_leave();
	text_free(&input.waiting);
}

static void
ask(void)
{
	struct span waiting = { input.waiting.bytes, input.waiting.len };
	size_t lines = count_lines(waiting);

	text_clear(&input.question);
	text_append_string(&input.question, "y takes ");
	append_number(&input.question, lines);
	text_append_string(&input.question,
		lines == 1 ? " line, " : " lines, ");
	append_number(&input.question, waiting.len);
	text_append_string(&input.question,
		" bytes into the draft, n drops what was pasted");
}

void
input_pasted(const struct pasted *pasted)
{
	bool asked = input.waiting.len > 0;

	input.completing = false;
	if (pasted->text.len == 0 || is_refused(pasted))
		return;
	text_append(&input.waiting, pasted->text.bytes, pasted->text.len);
	if (asked || input.waiting.len > INPUT_ASK_BYTES ||
		count_lines(pasted->text) > INPUT_ASK_LINES)
		ask();
	else
		take();
}

void
input_answer(struct span key)
{
	char answer = key.len == 1 ? key.bytes[0] : '\0';

	if (answer == '\0' || strchr("yYnN\33\3\a", answer) == NULL)
		return;
	if (answer == 'y' || answer == 'Y')
		take();
	text_free(&input.waiting);
	text_free(&input.question);
}
