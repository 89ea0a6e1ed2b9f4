/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets_file.h"

#include "file.h"
#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BASE64_LEN = (SECRET_BYTES + 2) / 3 * 4,
	NUMBER_DIGITS = 19, /* of an int64_t */
};

static const char first_line[] = "qchat-secrets 1";

/* False if there is no whole line: a part of a number is one, too. */
static bool
next_line(struct span *left, struct span *line)
{
	const char *end = left->len > 0 ? memchr(left->bytes, '\n', left->len)
					: NULL;

	if (end == NULL)
		return false;
	*line = (struct span){ left->bytes, (size_t)(end - left->bytes) };
	left->bytes = end + 1;
	left->len -= line->len + 1;
	return true;
}

/* Takes a word and the blank behind it, or the end of the line. */
static struct span
next_word(struct span *line)
{
	const char *end = line->len > 0 ? memchr(line->bytes, ' ', line->len)
					: NULL;
	size_t len = end != NULL ? (size_t)(end - line->bytes) : line->len;
	struct span word = { line->bytes, len };

	line->bytes += len + (end != NULL);
	line->len -= len + (end != NULL);
	return word;
}

/* -1 if it is no number. */
static int64_t
number_of(struct span word)
{
	int64_t number = 0;

	if (word.len == 0 || word.len > NUMBER_DIGITS)
		return -1;
	for (size_t i = 0; i < word.len; i++) {
		int digit = word.bytes[i] - '0';

		if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10)
			return -1;
		number = number * 10 + digit;
	}
	return number;
}

/* Only the one text of these bytes. */
static bool
decode(struct span word, unsigned char bytes[static SECRET_BYTES])
{
	unsigned char decoded[BASE64_LEN];
	char again[BASE64_LEN + 1];
	bool good = false;

	if (word.len == BASE64_LEN &&
		EVP_DecodeBlock(decoded, (const unsigned char *)word.bytes,
			BASE64_LEN) > SECRET_BYTES) {
		EVP_EncodeBlock((unsigned char *)again, decoded, SECRET_BYTES);
		good = memcmp(again, word.bytes, BASE64_LEN) == 0;
		memcpy(bytes, decoded, SECRET_BYTES);
	}
	OPENSSL_cleanse(decoded, sizeof(decoded));
	OPENSSL_cleanse(again, sizeof(again));
	return good;
}

/* ID BASE64 NUMBER: the id is there for people, and shows damage. */
static bool
parse_secret(struct span line, struct secret *secret, int64_t *number)
{
	struct span said = next_word(&line);
	char id[SECRETS_ID_MAX];

	if (!decode(next_word(&line), secret->bytes))
		return false;
	*number = number_of(line);
	secrets_id(secret, id);
	return *number >= 0 && span_equal(said, span_of(id));
}

static bool
parse_old(struct room_secrets *secrets, struct span line)
{
	if (secrets->count == SECRET_MAX ||
		!span_equal(next_word(&line), span_of("old")))
		return false;
	struct secret *secret = &secrets->secrets[secrets->count++];
	return parse_secret(line, secret, &secret->until);
}

static bool
parse(struct room_secrets *secrets, struct span *room, struct span left)
{
	struct span line;

	if (!next_line(&left, &line) || !span_equal(line, span_of(first_line)))
		return false;
	if (!next_line(&left, room) ||
		!span_equal(next_word(room), span_of("room")) ||
		room->len == 0 || memchr(room->bytes, '\0', room->len) != NULL)
		return false;
	if (!next_line(&left, &line) ||
		!span_equal(next_word(&line), span_of("secret")) ||
		!parse_secret(line, &secrets->secrets[0], &secrets->since))
		return false;
	secrets->secrets[0].until = INT64_MAX;
	secrets->count = 1;
	while (left.len > 0)
		if (!next_line(&left, &line) || !parse_old(secrets, line))
			return false;
	return true;
}

bool
secrets_file_parse(struct room_secrets *secrets, struct span *room,
	struct span bytes)
{
	*secrets = (struct room_secrets){ 0 };
	if (bytes.len <= SECRETS_FILE_MAX && parse(secrets, room, bytes))
		return true;
	secrets_wipe(secrets);
	return false;
}

static void
append_secret(struct text *bytes, const char *kind, const struct secret *secret,
	int64_t number)
{
	char id[SECRETS_ID_MAX], text[BASE64_LEN + 1];

	secrets_id(secret, id);
	EVP_EncodeBlock((unsigned char *)text, secret->bytes, SECRET_BYTES);
	text_appendf(bytes, "%s %s %s %lld\n", kind, id, text,
		(long long)number);
	OPENSSL_cleanse(text, sizeof(text));
}

void
secrets_file_format(const struct room_secrets *secrets, const char *room,
	struct text *bytes)
{
	size_t before = bytes->len;

	assert(secrets->count > 0 && strchr(room, '\n') == NULL);
	/* Room for all of it: a buffer that grows leaves what it held. */
	text_extend(bytes, SECRETS_FILE_MAX);
	bytes->len = before;
	text_appendf(bytes, "%s\nroom %s\n", first_line, room);
	append_secret(bytes, "secret", &secrets->secrets[0], secrets->since);
	for (size_t i = 1; i < secrets->count; i++)
		append_secret(bytes, "old", &secrets->secrets[i],
			secrets->secrets[i].until);
}

int
secrets_file_write(const char *path, const char *room,
	const struct room_secrets *secrets, struct fault *fault)
{
	struct text bytes = { 0 };

	secrets_file_format(secrets, room, &bytes);
	int rc = file_replace(path, (struct span){ bytes.bytes, bytes.len },
		0600, fault);
	OPENSSL_cleanse(bytes.bytes, bytes.len);
	text_free(&bytes);
	return rc;
}

/* Opens it if it is closed to others.  -1 with a fault, or ENOENT in errno and
 * no fault. */
static int
open_file(const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;

	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0 || fstat(fd, &info) < 0)
		fault_set(fault, FAULT_IO, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(info.st_mode))
		fault_set(fault, FAULT_IO, "%s: is no plain file", path);
	else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		fault_set(fault, FAULT_NOPERM,
			"%s: others can read this secret of a room (chmod 600 "
			"%s; if they may have read it: qchat-invite --rotate)",
			path, path);
	else
		return fd;
	if (fd >= 0)
		close(fd);
	errno = EIO;
	return -1;
}

int
secrets_file_read(const char *path, struct room_secrets *secrets, char **room,
	struct fault *fault)
{
	char bytes[SECRETS_FILE_MAX + 1];
	struct span name;
	int rc = -1;

	*room = NULL;
	int fd = open_file(path, fault);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	ssize_t len = file_read(fd, bytes, sizeof(bytes));
	if (len < 0) {
		fault_set(fault, FAULT_IO, "%s: %s", path, strerror(errno));
	} else if (secrets_file_parse(secrets, &name,
			   (struct span){ bytes, (size_t)len })) {
		*room = memory_copy(name.bytes, name.len);
		rc = 1;
	} else {
		fault_set(fault, FAULT_CONFIG,
			"%s: is damaged (move it away, and accept an "
			"invitation again)",
			path);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	close(fd);
	return rc;
}
