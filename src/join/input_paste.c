/* SPDX-License-Identifier: Apache-2.0 */
#include "input_state.h"

#include "translate.h"

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
	struct text size = { 0 }, most = { 0 };

	append_number(&size, len);
	append_number(&most, INPUT_LINE_MAX);
	input_notice(
		"a paste of %s bytes was dropped: a message has %s at most",
		size.bytes, most.bytes);
	text_free(&most);
	text_free(&size);
}

static void
refuse_bad(const struct pasted *pasted)
{
	struct span good = { pasted->text.bytes, pasted->good };

	input_notice("a paste was dropped: its line %zu %s",
		count_feeds(good) + 1,
		pasted->text.bytes[pasted->good] == '\0'
			? _("has a NUL, and a message has none")
			: _("is not UTF-8"));
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
	struct text count = { 0 }, size = { 0 };

	text_clear(&input.question);
	append_number(&count, lines);
	append_number(&size, waiting.len);
	text_appendf(&input.question,
		ngettext("y takes %s line, %s bytes into the draft, n drops "
			 "what was pasted",
			"y takes %s lines, %s bytes into the draft, n drops "
			"what was pasted",
			lines),
		count.bytes, size.bytes);
	text_free(&size);
	text_free(&count);
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
