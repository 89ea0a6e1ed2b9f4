/* SPDX-License-Identifier: Apache-2.0 */
#include "paste.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum {
	ESC = 0x1b,
	KEY_MAX = 32,    /* bytes of an escape sequence */
	MARKER_LEN = 6,  /* of both */
	SLACK = 4 * 1024 /* beyond PASTE_MAX, before that is dropped */
};

static const char start_marker[] = "\33[200~";
static const char end_marker[] = "\33[201~";

enum state {
	KEYS,
	PASTE, /* behind a start marker */
	TAIL,  /* behind an end marker */
	AGAIN, /* behind what followed an end marker */
};

struct paste {
	struct paste_calls calls;
	enum state state;
	int64_t deadline;
	/* The key so far; the first `given` bytes of it were passed on. */
	char key[KEY_MAX];
	size_t key_len, given;
	struct text text;
	size_t dropped;
	bool cr; /* the last byte was one */
};

struct paste *
paste_new(const struct paste_calls *calls)
{
	struct paste *paste = memory_alloc(1, sizeof(*paste));

	paste->calls = *calls;
	paste->deadline = INT64_MAX;
	return paste;
}

void
paste_free(struct paste *paste)
{
	if (paste == NULL)
		return;
	text_free(&paste->text);
	free(paste);
}

static void
pass_key(struct paste *paste, const char *bytes, size_t len)
{
	if (len > 0)
		paste->calls.key(paste->calls.context,
			(struct span){ bytes, len });
}

static void
end_key(struct paste *paste)
{
	paste->key_len = 0;
	paste->given = 0;
}

/* Bytes of the character that begins with this one; 0 if none does. */
static size_t
utf8_len(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The key is as long as it gets: passes on what is not yet, with U+FFFD for a
 * character that is none. */
static void
give_key(struct paste *paste)
{
	size_t at = paste->key[0] == ESC ? 1 : 0;
	struct span last = { paste->key + at, paste->key_len - at };
	uint32_t c;

	if (last.len > 0 && (unsigned char)last.bytes[0] >= 0x80 &&
		text_utf8_next(last, &c) != last.len) {
		pass_key(paste, paste->key + paste->given,
			at > paste->given ? at - paste->given : 0);
		pass_key(paste, "\xef\xbf\xbd", 3);
	} else {
		pass_key(paste, paste->key + paste->given,
			paste->key_len - paste->given);
	}
	end_key(paste);
}

enum fit {
	FIT_NOT,  /* the byte is of the next key */
	FIT_MORE, /* more belongs to this one */
	FIT_LAST,
};

static enum fit
fit_character(const char *bytes, size_t len, unsigned char byte)
{
	size_t whole;

	if (len == 0)
		return utf8_len(byte) > 1 ? FIT_MORE : FIT_LAST;
	if ((byte & 0xc0) != 0x80)
		return FIT_NOT;
	whole = utf8_len((unsigned char)bytes[0]);
	return len + 1 < whole ? FIT_MORE : FIT_LAST;
}

/* ECMA-48 5.4: parameters, intermediates, and a final byte.  The console of
 * Linux sends ESC[[A for F1. */
static enum fit
fit_csi(size_t len, const char *bytes, unsigned char byte)
{
	if (byte < 0x20 || byte > 0x7e)
		return FIT_NOT;
	if (len == 3 && bytes[2] == '[')
		return FIT_LAST;
	if (byte < 0x40 || (len == 2 && byte == '['))
		return FIT_MORE;
	return FIT_LAST;
}

static enum fit
fit_ss3(unsigned char byte)
{
	if (byte < 0x20 || byte > 0x7e)
		return FIT_NOT;
	return byte >= '0' && byte <= '9' ? FIT_MORE : FIT_LAST;
}

static enum fit
fit_escape(const char *bytes, size_t len, unsigned char byte)
{
	if (len > 1 && bytes[1] == '[')
		return fit_csi(len, bytes, byte);
	if (len > 1 && bytes[1] == 'O')
		return fit_ss3(byte);
	if (len == 1 && byte == ESC)
		return FIT_NOT;
	if (len == 1 && (byte == '[' || byte == 'O'))
		return FIT_MORE;
	return fit_character(bytes + 1, len - 1, byte);
}

static enum fit
fit_key(const struct paste *paste, unsigned char byte)
{
	if (paste->key_len > 0 && paste->key[0] == ESC)
		return fit_escape(paste->key, paste->key_len, byte);
	if (paste->key_len == 0 && byte == ESC)
		return FIT_MORE;
	return fit_character(paste->key, paste->key_len, byte);
}

static void
begin_paste(struct paste *paste)
{
	end_key(paste);
	paste->state = PASTE;
	paste->dropped = 0;
	paste->cr = false;
	text_append(&paste->text, "", 0);
}

static bool
is_key(const struct paste *paste, const char *marker)
{
	return paste->key_len == MARKER_LEN &&
		memcmp(paste->key, marker, MARKER_LEN) == 0;
}

static void
take_key_byte(struct paste *paste, char byte)
{
	enum fit fit = fit_key(paste, (unsigned char)byte);

	if (fit == FIT_NOT || paste->key_len == KEY_MAX) {
		give_key(paste);
		fit = fit_key(paste, (unsigned char)byte);
	}
	paste->key[paste->key_len++] = byte;
	if (fit != FIT_LAST)
		return;
	if (is_key(paste, start_marker))
		begin_paste(paste);
	else if (is_key(paste, end_marker)) /* of a paste that was given up */
		end_key(paste);
	else
		give_key(paste);
}

static bool
take_marker(struct text *text, const char *marker)
{
	if (text->len < MARKER_LEN ||
		memcmp(text->bytes + text->len - MARKER_LEN, marker,
			MARKER_LEN) != 0)
		return false;
	text->len -= MARKER_LEN;
	return true;
}

/* What is beyond the limit goes, but for what may begin a marker. */
static void
drop(struct paste *paste, size_t keep)
{
	struct text *text = &paste->text;

	if (text->len <= PASTE_MAX + keep)
		return;
	size_t gone = text->len - PASTE_MAX - keep;
	memmove(text->bytes + PASTE_MAX, text->bytes + text->len - keep, keep);
	text->len -= gone;
	paste->dropped += gone;
}

/* The markers are looked for in the text, so that what is left of it has none
 * either. */
static void
take_paste_byte(struct paste *paste, char byte)
{
	struct text *text = &paste->text;
	bool lf_of_cr = byte == '\n' && paste->cr;

	paste->cr = byte == '\r';
	if (paste->state == TAIL)
		paste->state = AGAIN;
	if (lf_of_cr)
		return;
	text_append_char(text, byte == '\r' ? '\n' : byte);
	if (byte != '~')
		return;
	if (take_marker(text, start_marker))
		paste->state = PASTE;
	else if (take_marker(text, end_marker))
		paste->state = TAIL;
}

static int64_t
patience(const struct paste *paste)
{
	switch (paste->state) {
	case PASTE:
		return PASTE_LOST_MS;
	case TAIL:
		return PASTE_TAIL_MS;
	case AGAIN:
		return PASTE_AGAIN_MS;
	case KEYS:
		break;
	}
	return paste->key_len == 1 && paste->key[0] == ESC ? PASTE_KEY_MS
							   : PASTE_PART_MS;
}

/* What was given already waits for no one. */
static bool
is_waiting(const struct paste *paste)
{
	return paste->state != KEYS || paste->key_len > paste->given;
}

static void
set_deadline(struct paste *paste, int64_t now)
{
	paste->deadline = is_waiting(paste) ? now + patience(paste) : INT64_MAX;
}

void
paste_feed(struct paste *paste, struct span bytes, int64_t now)
{
	if (bytes.len == 0)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		if (paste->state == KEYS)
			take_key_byte(paste, bytes.bytes[i]);
		else
			take_paste_byte(paste, bytes.bytes[i]);
		if (paste->text.len > PASTE_MAX + SLACK)
			drop(paste, MARKER_LEN);
	}
	set_deadline(paste, now);
}

int64_t
paste_deadline(const struct paste *paste)
{
	return paste->deadline;
}

bool
paste_is_open(const struct paste *paste)
{
	return paste->state != KEYS;
}

static void
end_paste(struct paste *paste)
{
	struct pasted pasted;

	drop(paste, 0);
	pasted.text = (struct span){ paste->text.bytes, paste->text.len };
	pasted.dropped = paste->dropped;
	pasted.good = text_utf8_check(pasted.text);
	const char *nul = pasted.good > 0
		? memchr(pasted.text.bytes, '\0', pasted.good)
		: NULL;
	if (nul != NULL)
		pasted.good = (size_t)(nul - pasted.text.bytes);
	paste->state = KEYS;
	paste->calls.pasted(paste->calls.context, &pasted);
	text_free(&paste->text);
}

/* No more comes.  What was given still counts if it is a marker after all: a
 * slow line must not turn a paste into keys. */
static void
end_partial_key(struct paste *paste)
{
	if ((unsigned char)paste->key[paste->key_len - 1] >= 0x80) {
		give_key(paste);
		return;
	}
	pass_key(paste, paste->key + paste->given,
		paste->key_len - paste->given);
	paste->given = paste->key_len;
}

void
paste_tick(struct paste *paste, int64_t now)
{
	if (now < paste->deadline)
		return;
	paste->deadline = INT64_MAX;
	if (paste->state != KEYS)
		end_paste(paste);
	else
		end_partial_key(paste);
}
