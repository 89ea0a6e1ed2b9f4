/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_file.h"

#include "translate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM  "qchat-spool "
#define MAGIC    PROGRAM "2\n"
#define TIME_MAX INT64_C(999999999999999)
#define FNV_BASE UINT64_C(0xcbf29ce484222325)

enum {
	TIME_DIGITS = 15,
	FIRST_DIGITS = 16,
	UID_AT = TIME_DIGITS + 1 + FIRST_DIGITS + 1,
	NAME_LENGTH = UID_AT + SPOOL_UID_LENGTH,
	CHECKSUM_DIGITS = 16,
};

enum field {
	TIME,
	ROOM,
	USER,
	BROKERS,
	AUTHORITIES,
	UID,
	CONFIRM,
	SEALED, /* may be missing */
	FIRST,
	LAST,
	LENGTH,
	CHECKSUM,
	FIELDS
};

static const char *const keys[FIELDS] = { "time: ", "room: ", "user: ",
	"brokers: ", "authorities: ", "uid: ", "confirm: ", "sealed: ",
	"first: ", "last: ", "length: ", "checksum: " };

/* Does it start like the name of a message? */
static bool
is_name(const char *name)
{
	for (size_t i = 0; i < NAME_LENGTH; i++) {
		const char *want = i >= UID_AT ? "0123456789abcdef"
			: i == TIME_DIGITS || i == UID_AT - 1 ? "-"
							      : "0123456789";

		if (name[i] == '\0' || strchr(want, name[i]) == NULL)
			return false;
	}
	return true;
}

enum spool_kind
spool_file_kind(const char *name)
{
	const size_t prefix = strlen(SPOOL_TMP_PREFIX);

	if (strncmp(name, SPOOL_TMP_PREFIX, prefix) == 0)
		return spool_file_kind(name + prefix) == SPOOL_KIND_WAITING
			? SPOOL_KIND_TMP
			: SPOOL_KIND_OTHER;
	if (!is_name(name))
		return SPOOL_KIND_OTHER;
	name += NAME_LENGTH;
	if (*name == '\0')
		return SPOOL_KIND_WAITING;
	if (strcmp(name, SPOOL_DEFERRED_SUFFIX) == 0)
		return SPOOL_KIND_DEFERRED;
	if (strcmp(name, SPOOL_EXPIRED_SUFFIX) == 0)
		return SPOOL_KIND_EXPIRED;
	if (strcmp(name, SPOOL_BAD_SUFFIX) == 0)
		return SPOOL_KIND_BAD;
	return SPOOL_KIND_OTHER;
}

size_t
spool_file_id(const char *name)
{
	return is_name(name) ? NAME_LENGTH : 0;
}

static bool
is_hex(struct span value, size_t len)
{
	if (value.len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (value.bytes[i] == '\0' ||
			strchr("0123456789abcdef", value.bytes[i]) == NULL)
			return false;
	return true;
}

static bool
is_label(struct span value, size_t min, size_t max)
{
	return value.len >= min && value.len <= max &&
		text_utf8_check(value) == value.len &&
		(value.len == 0 || memchr(value.bytes, 0, value.len) == NULL);
}

/* Words that need no escapes. */
static bool
is_words(struct span value)
{
	if (!is_label(value, 1, SPOOL_WORDS_MAX))
		return false;
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.bytes[i];

		if (c < ' ' || c == 0x7f || c == '\\')
			return false;
	}
	return true;
}

const char *
spool_file_check(const struct spool_message *message)
{
	if (message->time_ms < 0 || message->time_ms > TIME_MAX)
		return _("time is out of bounds");
	if (!is_label(message->room, 1, SPOOL_ROOM_MAX))
		return _("room is no name");
	if (!is_label(message->user, 0, SPOOL_USER_MAX))
		return _("user is no name");
	if (!is_words(message->brokers))
		return _("brokers are no words");
	if (!is_words(message->authorities))
		return _("authorities are no words");
	if (!is_hex(message->uid, SPOOL_UID_LENGTH))
		return _("uid is not 32 hex digits");
	if (message->first < 1 || message->last < message->first ||
		message->last > SPOOL_NUMBER_MAX)
		return _("sequence numbers are out of bounds");
	return NULL;
}

void
spool_file_name(struct spool_message *message, int64_t time_ms)
{
	snprintf(message->name, sizeof(message->name),
		"%0*" PRId64 "-%0*" PRId64 "-%.*s", TIME_DIGITS, time_ms,
		FIRST_DIGITS, message->first, SPOOL_UID_LENGTH,
		message->uid.bytes);
}

/* FNV-1a, as its authors publish it (isthe.com/chongo/tech/comp/fnv). */
static uint64_t
checksum(uint64_t hash, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.bytes[i]) *
			UINT64_C(0x100000001b3);
	return hash;
}

static void
append_escaped(struct text *file, const char *key, struct span value)
{
	text_append_string(file, key);
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.bytes[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			text_appendf(file, "\\x%02x", c);
		else
			text_append_char(file, (char)c);
	}
	text_append_char(file, '\n');
}

static void
append_number(struct text *file, const char *key, int64_t number)
{
	text_appendf(file, "%s%" PRId64 "\n", key, number);
}

void
spool_file_format(const struct spool_message *message, struct text *file)
{
	uint64_t sum;

	text_clear(file);
	text_append_string(file, MAGIC);
	append_number(file, keys[TIME], message->time_ms);
	append_escaped(file, keys[ROOM], message->room);
	append_escaped(file, keys[USER], message->user);
	append_escaped(file, keys[BROKERS], message->brokers);
	append_escaped(file, keys[AUTHORITIES], message->authorities);
	append_escaped(file, keys[UID], message->uid);
	append_escaped(file, keys[CONFIRM],
		span_of(message->unconfirmed ? "none" : "echo"));
	if (message->sealed)
		append_escaped(file, keys[SEALED], span_of("yes"));
	append_number(file, keys[FIRST], message->first);
	append_number(file, keys[LAST], message->last);
	append_number(file, keys[LENGTH], (int64_t)message->envelope.len);
	sum = checksum(FNV_BASE, (struct span){ file->bytes, file->len });
	text_appendf(file, "%s%016" PRIx64 "\n\n", keys[CHECKSUM],
		checksum(sum, message->envelope));
	text_append(file, message->envelope.bytes, message->envelope.len);
}

static bool
take(struct span *rest, const char *want)
{
	size_t len = strlen(want);

	if (rest->len < len || memcmp(rest->bytes, want, len) != 0)
		return false;
	rest->bytes += len;
	rest->len -= len;
	return true;
}

static bool
take_field(struct span *rest, const char *key, struct span *value)
{
	const char *end;

	if (!take(rest, key) ||
		(end = memchr(rest->bytes, '\n', rest->len)) == NULL)
		return false;
	*value = (struct span){ rest->bytes, (size_t)(end - rest->bytes) };
	rest->len -= value->len + 1;
	rest->bytes = end + 1;
	return true;
}

static bool
read_number(struct span value, int64_t *number)
{
	*number = 0;
	if (value.len < 1 || value.len > FIRST_DIGITS ||
		(value.len > 1 && value.bytes[0] == '0'))
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return false;
		*number = *number * 10 + (value.bytes[i] - '0');
	}
	return true;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
				       : -1;
}

/* Reads \xNN; to is where the value begins. */
static bool
unescape(struct span value, char *to, struct span *result)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.bytes[i];

		if (c == '\\') {
			if (value.len - i < 4 || value.bytes[i + 1] != 'x')
				return false;
			int high = hex_digit(value.bytes[i + 2]);
			int low = hex_digit(value.bytes[i + 3]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 3;
		}
		to[len++] = c;
	}
	*result = (struct span){ to, len };
	return true;
}

static bool
is_sum(struct span value, uint64_t sum)
{
	char want[CHECKSUM_DIGITS + 1];

	snprintf(want, sizeof(want), "%016" PRIx64, sum);
	return span_equal(value, span_of(want));
}

/* A renamed file would come at the wrong time, or twice. */
static bool
fits_name(const struct spool_message *message)
{
	struct spool_message own = *message;

	spool_file_name(&own, message->time_ms);
	return strncmp(own.name, message->name, TIME_DIGITS) <= 0 &&
		strncmp(own.name + TIME_DIGITS, message->name + TIME_DIGITS,
			NAME_LENGTH - TIME_DIGITS) == 0;
}

static const char *
read_fields(struct spool_entry *entry, const struct span values[FIELDS])
{
	struct spool_message *message = &entry->message;
	char *bytes = entry->bytes;
	const char *wrong;

	message->uid = values[UID];
	message->brokers = values[BROKERS];
	message->authorities = values[AUTHORITIES];
	message->unconfirmed = span_equal(values[CONFIRM], span_of("none"));
	message->sealed = values[SEALED].bytes != NULL;
	if ((!message->unconfirmed &&
		    !span_equal(values[CONFIRM], span_of("echo"))) ||
		(message->sealed &&
			!span_equal(values[SEALED], span_of("yes"))) ||
		!read_number(values[TIME], &message->time_ms) ||
		!read_number(values[FIRST], &message->first) ||
		!read_number(values[LAST], &message->last) ||
		!read_number(values[LENGTH], &entry->size) ||
		!is_hex(values[CHECKSUM], CHECKSUM_DIGITS) ||
		!unescape(values[ROOM], bytes + (values[ROOM].bytes - bytes),
			&message->room) ||
		!unescape(values[USER], bytes + (values[USER].bytes - bytes),
			&message->user))
		return _("a header has no good value");
	wrong = spool_file_check(message);
	if (wrong == NULL && !fits_name(message))
		wrong = _("its name is another message's");
	return wrong;
}

const char *
spool_file_parse(struct spool_entry *entry, size_t len, int64_t file_size)
{
	struct span values[FIELDS] = { 0 }, rest = { entry->bytes, len };
	uint64_t sum = FNV_BASE;
	const char *wrong;

	if (!take(&rest, MAGIC))
		return take(&rest, PROGRAM)
			? _("another version of QChat has written it")
			: _("it does not start as a message does");
	for (int i = 0; i < FIELDS; i++) {
		if (i == CHECKSUM)
			sum = checksum(sum,
				(struct span){ entry->bytes, len - rest.len });
		if (!take_field(&rest, keys[i], &values[i]) && i != SEALED)
			return _("a header is missing");
	}
	if (!take(&rest, "\n"))
		return _("the headers have no end");
	if ((int64_t)len == file_size &&
		!is_sum(values[CHECKSUM], checksum(sum, rest)))
		return _("the checksum is wrong");
	wrong = read_fields(entry, values);
	if (wrong != NULL)
		return wrong;
	if (entry->size < 1 || entry->size > SPOOL_ENVELOPE_MAX ||
		file_size - (int64_t)(len - rest.len) != entry->size)
		return _("it is longer or shorter than it says");
	entry->message.envelope = rest;
	return NULL;
}

size_t
spool_file_head(struct span bytes)
{
	const char *end = memmem(bytes.bytes, bytes.len, "\n\n", 2);

	return end != NULL ? (size_t)(end - bytes.bytes) + 2 : 0;
}
