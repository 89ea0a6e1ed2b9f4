/* SPDX-License-Identifier: Apache-2.0 */
#include "attention.h"

#include "memory.h"
#include "translate.h"
#include "word.h"

#include <string.h>

static bool
is_at(struct span text, size_t at, struct span word)
{
	struct span rest = { text.bytes + at, text.len - at };

	return word.len > 0 && word_begins(rest, word) &&
		word_boundary(text, at) && word_boundary(text, at + word.len);
}

bool
attention_mentions(struct span text, const struct span *words, size_t count)
{
	bool first[256] = { false };

	for (size_t i = 0; i < count; i++)
		if (words[i].len > 0)
			first[(unsigned char)word_lower(
				words[i].bytes[0])] = true;
	for (size_t at = 0; at < text.len; at++) {
		if (!first[(unsigned char)word_lower(text.bytes[at])])
			continue;
		for (size_t i = 0; i < count; i++)
			if (is_at(text, at, words[i]))
				return true;
	}
	return false;
}

enum attention
attention_level(const struct attention_message *message,
	enum room_severity from)
{
	if (message->own || message->replayed)
		return ATTENTION_NONE;
	if (message->forged)
		return ATTENTION_UNREAD;
	if (message->direct || message->mentions)
		return ATTENTION_MINE;
	if (from != ROOM_SEVERITY_NONE && message->severity >= from)
		return ATTENTION_SEVERE;
	return ATTENTION_UNREAD;
}

bool
attention_allow(struct attention_rate *rate, int64_t mono)
{
	int64_t busy = rate->busy_until > mono ? rate->busy_until : mono;

	if (busy - mono > (rate->burst - 1) * rate->every_ms) {
		rate->withheld++;
		return false;
	}
	rate->busy_until = busy + rate->every_ms;
	return true;
}

uint64_t
attention_withheld(struct attention_rate *rate)
{
	uint64_t withheld = rate->withheld;

	rate->withheld = 0;
	return withheld;
}

static struct span
cut(struct span bytes, size_t max)
{
	if (bytes.len <= max)
		return bytes;
	while (max > 0 && ((unsigned char)bytes.bytes[max] & 0xc0) == 0x80)
		max--;
	return (struct span){ bytes.bytes, max };
}

static void
append_without_markup(struct text *text, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.bytes[i] == '<')
			text_append_string(text, "\xe2\x80\xb9"); /* U+2039 */
		else if (bytes.bytes[i] == '&')
			text_append_string(text, "\xef\xbc\x86"); /* U+FF06 */
		else
			text_append_char(text, bytes.bytes[i]);
}

/* Appends foreign bytes, at most max. */
static void
append_cut(struct text *text, struct span bytes, enum text_style style,
	size_t max)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	struct text harmless = { 0 }, plain = { 0 };
	struct span head = cut(bytes, max);

	text_harmless(&harmless, head, style);
	append_without_markup(&plain,
		(struct span){ harmless.bytes, harmless.len });
	struct span whole = { plain.bytes, plain.len };
	bool long_one = whole.len > max || head.len < bytes.len;
	if (long_one)
		whole = cut(whole, max - strlen(ellipsis));
	text_append(text, whole.bytes, whole.len);
	if (long_one)
		text_append_string(text, ellipsis);
	text_free(&harmless);
	text_free(&plain);
}

/* The argument that begins there cannot be taken for more than a text. */
static void
begin_argument(struct text *text, char next)
{
	bool plain = (unsigned char)next >= 0x80 ||
		(next != '_' && word_joins((unsigned char)next));

	if (!plain)
		text_append_char(text, ' ');
}

static void
append_argument(struct text *arguments, const struct text *argument)
{
	begin_argument(arguments, argument->len > 0 ? argument->bytes[0] : ' ');
	text_append(arguments, argument->bytes, argument->len);
	text_append_char(arguments, '\0');
}

/* The two arguments, each with its NUL. */
static void
append_arguments(struct text *arguments, struct span room, struct span user,
	struct span text, uint64_t withheld)
{
	struct text one = { 0 };

	append_cut(&one, room, TEXT_NAME, ATTENTION_NAME_MAX);
	text_append_string(&one, ": ");
	append_cut(&one, user, TEXT_NAME, ATTENTION_NAME_MAX);
	if (withheld > 0)
		text_appendf(&one, _(" (and %llu more)"),
			(unsigned long long)withheld);
	append_argument(arguments, &one);
	text_clear(&one);
	append_cut(&one, text, TEXT_MESSAGE, ATTENTION_TEXT_MAX);
	append_argument(arguments, &one);
	text_free(&one);
}

char **
attention_argv(char *const *command, struct span room, struct span user,
	struct span text, uint64_t withheld)
{
	struct text arguments = { 0 };
	size_t count = 0;

	while (command[count] != NULL)
		count++;
	append_arguments(&arguments, room, user, text, withheld);
	size_t head = (count + 3) * sizeof(char *);
	char **argv = memory_alloc(head + arguments.len, 1);
	char *bytes = (char *)argv + head;
	memcpy(bytes, arguments.bytes, arguments.len);
	memcpy(argv, command, count * sizeof(*argv));
	argv[count] = bytes;
	argv[count + 1] = bytes + strlen(bytes) + 1;
	text_free(&arguments);
	return argv;
}
