/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "calendar.h"
#include "memory.h"
#include "translate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gives the line copies of these, in one block. */
static void
keep(struct line *line, struct span user, struct span to, struct span title,
	struct span text, struct span plain)
{
	char *old = line->bytes;
	struct span *const kept[] = { &line->user, &line->to, &line->title,
		&line->text, &line->plain };
	const struct span from[] = { user, to, title, text, plain };
	size_t size = user.len + to.len + title.len + text.len + plain.len;
	char *at = memory_alloc(size > 0 ? size : 1, 1);

	line->bytes = at;
	for (size_t i = 0; i < 5; i++) {
		if (from[i].len > 0)
			memcpy(at, from[i].bytes, from[i].len);
		*kept[i] = (struct span){ at, from[i].len };
		at += from[i].len;
	}
	free(old);
}

static bool
is_action(const struct record *record)
{
	return record->tag_count == 1 &&
		span_equal(record->tags[0], span_of(LINE_ACTION_TAG));
}

/* What was said by nobody. */
static void
append_happening(struct text *text, const struct record *record,
	enum audience audience)
{
	text_harmless(text, record->user, TEXT_NAME);
	if (record->type == RECORD_JOIN)
		text_append_string(text, translate_for(audience, " joined"));
	else if (record->type == RECORD_HERE)
		text_append_string(text, translate_for(audience, " is here"));
	else if (record->type == RECORD_GAP)
		text_appendf(text,
			translate_for(audience,
				": MISSING messages %lld to %lld"),
			(long long)record->gap_first,
			(long long)record->gap_last);
	else
		text_appendf(text, translate_for(audience, " left (%s)"),
			record->reason);
}

static enum line_kind
kind_of(const struct record *record)
{
	switch (record->type) {
	case RECORD_MESSAGE:
		return LINE_MESSAGE;
	case RECORD_DIRECT:
		return LINE_DIRECT;
	case RECORD_GAP:
		return LINE_GAP;
	default:
		return LINE_COMING;
	}
}

struct line
line_from_record(const struct record *record)
{
	const struct span none = { "", 0 };
	struct line line = {
		.kind = kind_of(record),
		.mark = record->trust.mark,
		.severity = record->severity,
		.own = record->own,
		.replayed = record->replayed || record->late,
		.time = record->time,
		.seq = record->own ? record->seq : -1,
		.why = record->trust.why,
	};
	struct text text = { 0 }, plain = { 0 };

	line_set_signer(&line, record->trust.fingerprint);
	switch (line.kind) {
	case LINE_MESSAGE:
	case LINE_DIRECT:
		line.action = is_action(record);
		keep(&line, record->user, none, record->title, record->text,
			none);
		break;
	default:
		line.folded = line.kind == LINE_COMING;
		append_happening(&text, record, AUDIENCE_USER);
		append_happening(&plain, record, AUDIENCE_OTHERS);
		keep(&line, none, none, none,
			(struct span){ text.bytes, text.len },
			(struct span){ plain.bytes, plain.len });
	}
	text_free(&text);
	text_free(&plain);
	return line;
}

struct line
line_notice(int64_t time, struct span text)
{
	const struct span none = { "", 0 };
	struct line line = { .kind = LINE_NOTICE, .time = time, .seq = -1 };

	keep(&line, none, none, none, text, none);
	return line;
}

struct line
line_rule(enum line_kind kind, int64_t time)
{
	const struct span none = { "", 0 };
	struct line line = { .kind = kind, .time = time, .seq = -1 };

	keep(&line, none, none, none, none, none);
	return line;
}

void
line_free(struct line *line)
{
	free(line->bytes);
	line->bytes = NULL;
}

void
line_set_signer(struct line *line, const char *fingerprint)
{
	snprintf(line->signer, sizeof(line->signer), "%.*s",
		LINE_SIGNER_MAX - 1, fingerprint);
}

void
line_set_to(struct line *line, struct span to)
{
	keep(line, line->user, to, line->title, line->text, line->plain);
}

struct line
line_copy(const struct line *line)
{
	struct line copy = *line;

	copy.bytes = NULL;
	keep(&copy, line->user, line->to, line->title, line->text, line->plain);
	return copy;
}

bool
line_takes(const struct line *line, const struct line *next)
{
	int64_t later = next->time - line->time;

	return line->kind == LINE_COMING && next->kind == LINE_COMING &&
		later <= LINE_FOLD_MS && later >= -LINE_FOLD_MS;
}

/* Takes the first of a list off; names have no blanks, so that no name has
 * what stands between two. */
static void
drop_first(struct span *list)
{
	const char *end = memmem(list->bytes, list->len, ", ", 2);
	size_t len = end != NULL ? (size_t)(end - list->bytes) + 2 : 0;

	list->bytes += len;
	list->len -= len;
}

/* So many are folded into what is named, and the next one joins them. */
static void
append_folded(struct text *text, size_t folded, struct span named,
	struct span next, enum audience audience)
{
	if (folded > LINE_FOLD_MAX) /* the count of those before */
		drop_first(&named);
	if (folded >= LINE_FOLD_MAX) {
		drop_first(&named);
		text_appendf(text,
			translate_for(audience,
				"%zu earlier comings and goings, "),
			folded - LINE_FOLD_MAX + 1);
	}
	text_append(text, named.bytes, named.len);
	text_append_string(text, ", ");
	text_append(text, next.bytes, next.len);
}

void
line_fold(struct line *line, const struct line *next)
{
	struct text text = { 0 }, plain = { 0 };

	assert(line->kind == LINE_COMING && next->kind == LINE_COMING);
	append_folded(&text, line->folded, line->text, next->text,
		AUDIENCE_USER);
	append_folded(&plain, line->folded, line->plain, next->plain,
		AUDIENCE_OTHERS);
	line->folded++;
	keep(line, line->user, line->to, line->title,
		(struct span){ text.bytes, text.len },
		(struct span){ plain.bytes, plain.len });
	text_free(&text);
	text_free(&plain);
}

void
line_append_offset(struct text *text, int64_t wall)
{
	struct tm tm = calendar_local(wall / 1000);
	long minutes = tm.tm_gmtoff / 60;
	long size = minutes < 0 ? -minutes : minutes;
	text_appendf(text, "%c%02ld", minutes < 0 ? '-' : '+', size / 60);
	if (size % 60 != 0)
		text_appendf(text, "%02ld", size % 60);
}

void
line_append_time(struct text *text, int64_t wall, struct line_clock clock)
{
	struct text time = { 0 };

	if (clock.local) {
		struct tm tm = calendar_local(wall / 1000);

		text_appendf(text, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min,
			tm.tm_sec);
		line_append_offset(text, wall);
		return;
	}
	text_append_time(&time, wall);
	text_append(text, time.bytes + sizeof("2026-11-23T") - 1,
		sizeof("04:25:13") - 1);
	text_free(&time);
}

/* What is being formatted. */
struct format {
	struct text *text;
	size_t start; /* of the line, in text */
	struct line_part *parts;
	size_t count;
};

/* What was appended since the last part has this style. */
static void
end_part(struct format *format, enum line_style style)
{
	size_t end = format->text->len - format->start;

	assert(format->count < LINE_PARTS_MAX);
	if (end ==
		(format->count > 0 ? format->parts[format->count - 1].end : 0))
		return;
	format->parts[format->count++] = (struct line_part){ end, style };
}

/* A text of several lines keeps them. */
static void
append_lines(struct text *text, struct span from)
{
	size_t left = from.len;
	const char *end;

	if (from.len > LINE_SHOWN_MAX) {
		/* Not in the middle of a character. */
		from.len = LINE_SHOWN_MAX;
		for (int i = 0; i < 3 && from.len > 0 &&
			((unsigned char)from.bytes[from.len] & 0xc0) == 0x80;
			i++)
			from.len--;
	}
	left -= from.len;
	while ((end = memchr(from.bytes, '\n', from.len)) != NULL) {
		struct span line = { from.bytes, (size_t)(end - from.bytes) };

		text_harmless(text, line, TEXT_MESSAGE);
		text_append_char(text, '\n');
		from.bytes = end + 1;
		from.len -= line.len + 1;
	}
	text_harmless(text, from, TEXT_MESSAGE);
	if (left > 0)
		text_appendf(text,
			_("\n[%zu bytes more: \\w FILE writes them all]"),
			left);
}

/* Letter of the mark; while that is not known, a dot. */
static void
append_mark(struct format *format, const struct line *line)
{
	bool known = line->state != LINE_PENDING;
	bool good = line->mark == TRUST_GOOD || line->mark == TRUST_NONE;

	text_append_char(format->text, line->mentions ? '>' : ' ');
	end_part(format, line->mentions ? LINE_STYLE_WARNING : LINE_STYLE_TEXT);
	text_append_char(format->text, known ? trust_letter(line->mark) : '.');
	end_part(format,
		known && !good ? LINE_STYLE_DOUBTFUL : LINE_STYLE_MARK);
	text_append_string(format->text,
		line->kind == LINE_DIRECT ? "@ "
			: line->replayed  ? "~ "
					  : " ");
}

static void
append_names(struct format *format, const struct line *line)
{
	struct text *text = format->text;

	if (line->action)
		text_append_string(text, "* ");
	end_part(format, LINE_STYLE_MARK);
	text_harmless(text, line->user, TEXT_NAME);
	end_part(format, LINE_STYLE_NAME);
	if (line->to.len > 0) {
		text_append_string(text, _(" to "));
		text_harmless(text, line->to, TEXT_NAME);
	}
	text_append_string(text, line->action ? " " : ": ");
	end_part(format, LINE_STYLE_TEXT);
}

static void
append_message(struct format *format, const struct line *line)
{
	struct text *text = format->text;

	append_mark(format, line);
	append_names(format, line);
	if (line->state == LINE_FAILED)
		text_append_string(text,
			line->kind == LINE_DIRECT
				? _("[NOT DELIVERED] ")
				: _("[NOT DELIVERED; \\r says it again] "));
	if (line->mark == TRUST_BAD && line->why != NULL)
		text_appendf(text, _("[NOT BELIEVED: %s] "), _(line->why));
	end_part(format, LINE_STYLE_WARNING);
	if (line->severity != ROOM_SEVERITY_NONE)
		text_appendf(text, "[%s] ", room_severity_name(line->severity));
	end_part(format, LINE_STYLE_SEVERITY);
	if (line->title.len > 0) {
		text_harmless(text, line->title, TEXT_LINE);
		text_append_string(text, ": ");
	}
	append_lines(text, line->text);
	end_part(format, LINE_STYLE_TEXT);
}

/* It may be another day here. */
static void
append_local_date(struct text *text, int64_t wall)
{
	struct tm tm = calendar_local(wall / 1000);

	text_appendf(text, _(", %04d-%02d-%02d in local time"),
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void
append_rule(struct format *format, const struct line *line,
	struct line_clock clock)
{
	struct text time = { 0 };

	if (line->kind == LINE_UNREAD) {
		text_append_string(format->text,
			_("-- unread from here on --"));
	} else {
		text_append_time(&time, line->time);
		text_appendf(format->text, "-- %.10s UTC", time.bytes);
		if (clock.local)
			append_local_date(format->text, line->time);
		text_append_string(format->text, " --");
		text_free(&time);
	}
	end_part(format, LINE_STYLE_RULE);
}

size_t
line_format(const struct line *line, struct line_clock clock, struct text *text,
	struct line_part parts[static LINE_PARTS_MAX])
{
	struct format format = { text, text->len, parts, 0 };

	if (line->kind == LINE_DATE || line->kind == LINE_UNREAD) {
		append_rule(&format, line, clock);
		return format.count;
	}
	line_append_time(text, line->time, clock);
	end_part(&format, LINE_STYLE_TIME);
	if (line->kind == LINE_MESSAGE || line->kind == LINE_DIRECT) {
		append_message(&format, line);
		return format.count;
	}
	text_append_string(text, " * ");
	append_lines(text, line->text);
	end_part(&format,
		line->kind == LINE_GAP              ? LINE_STYLE_WARNING
			: line->kind == LINE_COMING ? LINE_STYLE_QUIET
						    : LINE_STYLE_TEXT);
	return format.count;
}

/* What qchat-listen has no place for: what became of a message of ours, and to
 * whom it went. */
static void
append_fate(struct text *text, const struct line *line)
{
	if (line->state == LINE_FAILED)
		text_append_string(text, "[NOT DELIVERED] ");
	else if (line->state == LINE_PENDING)
		text_append_string(text, "[UNCONFIRMED] ");
	if (line->to.len > 0) {
		text_append_string(text, "to ");
		text_append(text, line->to.bytes, line->to.len);
		text_append_string(text, ": ");
	}
}

/* The record of a message, again. */
static void
message_plain(const struct line *line, struct span room, struct text *text)
{
	struct text said = { 0 };

	append_fate(&said, line);
	text_append(&said, line->text.bytes, line->text.len);
	struct record record = {
		.type = line->kind == LINE_DIRECT ? RECORD_DIRECT
						  : RECORD_MESSAGE,
		.replayed = line->replayed,
		.time = line->time,
		.room = room,
		.user = line->user,
		.text = { said.bytes, said.len },
		.severity = line->severity,
		.title = line->title,
		.seq = -1,
	};

	record.trust.mark = line->mark;
	record_plain(&record, text);
	text_free(&said);
}

void
line_plain(const struct line *line, struct span room, struct text *text)
{
	if (line->kind == LINE_DATE || line->kind == LINE_UNREAD ||
		line->kind == LINE_GONE)
		return;
	if (line->kind == LINE_MESSAGE || line->kind == LINE_DIRECT) {
		message_plain(line, room, text);
		return;
	}
	text_append_time(text, line->time);
	text_append_char(text, ' ');
	text_harmless(text, room, TEXT_NAME);
	text_append_string(text, " * ");
	text_harmless(text, line->plain.len > 0 ? line->plain : line->text,
		TEXT_LINE);
	text_append_char(text, '\n');
}

void
line_append_start(struct text *text, struct span said, size_t max)
{
	const char *feed = memchr(said.bytes, '\n', said.len);
	size_t len = feed != NULL ? (size_t)(feed - said.bytes) : said.len;

	if (len > max)
		len = text_utf8_check((struct span){ said.bytes, max });
	text_append_char(text, '"');
	text_append(text, said.bytes, len);
	text_append_string(text, len < said.len ? "...\"" : "\"");
}
