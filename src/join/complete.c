/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include "command.h"
#include "indicator.h"
#include "memory.h"
#include "room.h"
#include "word.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = COMPLETE_INDICATOR + 1 };

/* The hash spares comparing; whoever makes many with the same gains nothing,
 * as all are gone through anyway. */
struct word {
	uint32_t hash;
	uint32_t len;
	char *bytes;
};

/* The most recent one is the last. */
struct list {
	size_t count;
	struct word words[COMPLETE_WORDS_MAX];
};

struct complete {
	struct list lists[KINDS];
	struct text shown; /* the word at hand */
};

struct complete *
complete_new(void)
{
	return memory_alloc(1, sizeof(struct complete));
}

static void
take_out(struct list *list, size_t at)
{
	list->count--;
	memmove(&list->words[at], &list->words[at + 1],
		(list->count - at) * sizeof(list->words[0]));
}

void
complete_free(struct complete *complete)
{
	if (complete == NULL)
		return;
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < complete->lists[kind].count; i++)
			free(complete->lists[kind].words[i].bytes);
	text_free(&complete->shown);
	free(complete);
}

static struct span
span_of_word(const struct word *word)
{
	return (struct span){ word->bytes, word->len };
}

/* FNV-1a */
static uint32_t
hash_of(struct span bytes)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.bytes[i]) * 16777619U;
	return hash;
}

/* Where it is in the list, or count. */
static size_t
find(const struct list *list, struct span word)
{
	uint32_t hash = hash_of(word);

	for (size_t i = list->count; i > 0; i--)
		if (list->words[i - 1].hash == hash &&
			span_equal(span_of_word(&list->words[i - 1]), word))
			return i - 1;
	return list->count;
}

/* As it is shown; empty if it is not to be kept. */
static struct span
shown(struct complete *complete, enum complete_kind kind, struct span word)
{
	struct text *text = &complete->shown;

	text_clear(text);
	if (word.len > COMPLETE_WORD_MAX)
		return span_of("");
	text_harmless(text, word,
		kind == COMPLETE_NAME ? TEXT_NAME : TEXT_MESSAGE);
	struct span span = { text->bytes, text->len };
	if (span.len > COMPLETE_WORD_MAX ||
		(kind != COMPLETE_NAME && !span_equal(span, word)))
		return span_of("");
	return span;
}

void
complete_note(struct complete *complete, enum complete_kind kind,
	struct span word)
{
	struct list *list = &complete->lists[kind];
	struct span span = shown(complete, kind, word);
	struct word new;

	if (span.len == 0)
		return;
	size_t at = find(list, span);
	if (at < list->count) {
		new = list->words[at];
		take_out(list, at);
	} else {
		new.hash = hash_of(span);
		new.len = (uint32_t)span.len;
		new.bytes = memory_copy(span.bytes, span.len);
	}
	if (list->count == COMPLETE_WORDS_MAX) {
		free(list->words[0].bytes);
		take_out(list, 0);
	}
	list->words[list->count++] = new;
}

void
complete_forget(struct complete *complete, enum complete_kind kind,
	struct span word)
{
	struct list *list = &complete->lists[kind];
	size_t at = find(list, shown(complete, kind, word));

	if (at == list->count)
		return;
	free(list->words[at].bytes);
	take_out(list, at);
}

void
complete_read(struct complete *complete, struct span text)
{
	struct span found;

	if (text.len > COMPLETE_READ_MAX) {
		text.len = COMPLETE_READ_MAX;
		/* Half an address is another one. */
		while (text.len > 0 &&
			strchr(" \t\n", text.bytes[text.len - 1]) == NULL)
			text.len--;
	}
	for (int i = 0;
		i < COMPLETE_READ_WORDS && indicator_next(&text, &found); i++)
		complete_note(complete, COMPLETE_INDICATOR, found);
}

/* What is looked for, on its way. */
struct search {
	const struct complete *complete;
	struct span line;
	size_t cursor;
	size_t from;
	size_t n; /* so many are still to be passed over */
	struct text *candidate;
};

/* Is it the one? */
static bool
offer(struct search *search, struct span word, const char *behind)
{
	const struct span typed = { search->line.bytes + search->from,
		search->cursor - search->from };

	if (!word_begins(word, typed) || search->n-- > 0)
		return false;
	size_t len = strlen(behind);
	/* A blank that is there already is not put twice. */
	if (len > 0 && search->cursor < search->line.len &&
		search->line.bytes[search->cursor] == behind[len - 1])
		len--;
	text_clear(search->candidate);
	text_append(search->candidate, word.bytes, word.len);
	text_append(search->candidate, behind, len);
	return true;
}

static bool
offer_list(struct search *search, enum complete_kind kind, const char *behind)
{
	const struct list *list = &search->complete->lists[kind];

	for (size_t i = list->count; i > 0; i--)
		if (offer(search, span_of_word(&list->words[i - 1]), behind))
			return true;
	return false;
}

static bool
offer_commands(struct search *search, bool arguments)
{
	for (size_t i = 0; i < command_count; i++) {
		bool takes = arguments &&
			commands[i].takes[0] != COMMAND_NOTHING;

		if (offer(search, span_of(commands[i].name), takes ? " " : ""))
			return true;
	}
	return false;
}

static bool
offer_levels(struct search *search)
{
	for (int level = ROOM_SEVERITY_INFO; level <= ROOM_SEVERITY_CRITICAL;
		level++)
		if (offer(search,
			    span_of(room_severity_name(
				    (enum room_severity)level)),
			    " "))
			return true;
	return false;
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool
in_text(struct search *search)
{
	search->from = search->cursor;
	while (search->from > 0 &&
		!is_white(search->line.bytes[search->from - 1]))
		search->from--;
	if (search->cursor == 0)
		return offer_list(search, COMPLETE_NAME, ": ");
	if (search->from == search->cursor)
		return false;
	return offer_list(search, COMPLETE_NAME,
		       search->from == 0 ? ": " : " ") ||
		offer_list(search, COMPLETE_INDICATOR, "");
}

/* The argument begins at from. */
static bool
in_argument(struct search *search, const struct command *command)
{
	enum command_argument kind = command->takes[0];

	for (size_t i = search->from; i < search->cursor; i++)
		if (is_white(search->line.bytes[i]) && kind != COMMAND_TEXT &&
			kind != COMMAND_QUERY)
			kind = command->takes[1];
	switch (kind) {
	case COMMAND_NAME:
		return offer_list(search, COMPLETE_NAME,
			command->takes[1] == COMMAND_TEXT ? " " : "");
	case COMMAND_LEVEL:
		return offer_levels(search);
	case COMMAND_COMMAND:
		if (search->from < search->cursor &&
			strchr("\\/", search->line.bytes[search->from]) != NULL)
			search->from++;
		return offer_commands(search, false);
	case COMMAND_TEXT:
	case COMMAND_WORD:
	case COMMAND_HASH:
	case COMMAND_QUERY:
		return in_text(search);
	default:
		return false;
	}
}

static bool
in_command(struct search *search)
{
	size_t end = 1, argument;

	while (end < search->cursor && !is_white(search->line.bytes[end]))
		end++;
	if (end == search->cursor) {
		search->from = 1;
		return offer_commands(search, true);
	}
	const struct command *command = command_find(
		(struct span){ search->line.bytes + 1, end - 1 });
	if (command == NULL)
		return false;
	argument = end;
	while (argument < search->cursor &&
		is_white(search->line.bytes[argument]))
		argument++;
	search->from = argument;
	/* There may be blanks in a room's name. */
	if (command->takes[0] == COMMAND_ROOM)
		return offer_list(search, COMPLETE_ROOM, "");
	return in_argument(search, command);
}

bool
complete_at(const struct complete *complete, struct span line, size_t cursor,
	size_t n, size_t *from, struct text *candidate)
{
	struct search search = { complete, line, cursor, 0, n, candidate };
	bool found;

	assert(cursor <= line.len);
	if (command_parse(line).id != COMMAND_SAY)
		found = cursor > 0 && in_command(&search);
	else
		found = in_text(&search);
	*from = search.from;
	return found;
}
