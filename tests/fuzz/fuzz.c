/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *folder;

_Noreturn void
fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

struct span
fuzz_copy(const void *bytes, size_t len)
{
	char *copy = malloc(len);

	FUZZ_CHECK(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	return (struct span){ copy, len };
}

bool
fuzz_line(struct span *left, struct span *line)
{
	if (left->len == 0)
		return false;
	const char *end = memchr(left->bytes, '\n', left->len);
	size_t len = end != NULL ? (size_t)(end - left->bytes) : left->len;

	*line = (struct span){ left->bytes, len };
	len += end != NULL;
	left->bytes += len;
	left->len -= len;
	return true;
}

struct span
fuzz_field(struct span *left)
{
	const char *end = left->len > 0
		? memmem(left->bytes, left->len, "|~|", 3)
		: NULL;
	size_t len = end != NULL ? (size_t)(end - left->bytes) : left->len;
	struct span field = { left->bytes, len };

	len += end != NULL ? 3 : 0;
	left->bytes += len;
	left->len -= len;
	return field;
}

static void
write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t len = write(fd, bytes.bytes, bytes.len);

		FUZZ_CHECK(len > 0);
		bytes.bytes += len;
		bytes.len -= (size_t)len;
	}
}

const char *
fuzz_file(struct span bytes)
{
	static int fd = -1;
	static char path[64];

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0);
	write_all(fd, bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* What is in it is plain files. */
static void
remove_folder(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
	free(folder);
}

const char *
fuzz_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	if (folder != NULL)
		return folder;
	folder = memory_format("%s/qchat-fuzz.XXXXXX",
		tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
	FUZZ_CHECK(mkdtemp(folder) != NULL);
	atexit(remove_folder);
	return folder;
}

void
fuzz_write(const char *path, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0);
	write_all(fd, bytes);
	close(fd);
}

struct range {
	uint32_t first, last;
};

static bool
in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Taken from the Unicode Character Database, 15.0: Cc, Zl, Zp, Bidi_Control,
 * Noncharacter_Code_Point, Default_Ignorable_Code_Point but for what joins,
 * and interlinear annotation. */
static bool
is_forbidden(uint32_t c)
{
	static const struct range ranges[] = { { 0, 0x1f }, { 0x7f, 0x9f },
		{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
		{ 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe00ff }, { 0xe01f0, 0xe0fff } };

	return (c & 0xfffe) == 0xfffe || c > 0x10ffff ||
		(c >= 0xd800 && c <= 0xdfff) ||
		in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

/* Joiners, variation selectors, and White_Space. */
static bool
is_disguise(uint32_t c)
{
	static const struct range ranges[] = { { 0x20, 0x20 }, { 0xa0, 0xa0 },
		{ 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x200c, 0x200d },
		{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
		{ 0xfe00, 0xfe0f }, { 0xe0100, 0xe01ef } };

	return in_ranges(c, ranges, sizeof(ranges) / sizeof(*ranges));
}

/* Not text_utf8_next(), which is under test.  0 if it is no UTF-8. */
static size_t
character(const unsigned char *at, size_t left, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = at[0] < 0x80 ? 1
		: at[0] < 0xc0    ? 0
		: at[0] < 0xe0    ? 2
		: at[0] < 0xf0    ? 3
		: at[0] < 0xf8    ? 4
				  : 0;

	if (len == 0 || len > left)
		return 0;
	*c = len == 1 ? at[0] : at[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
		*c = *c * 64 + (at[i] - 0x80U);
	}
	return *c < least[len] ? 0 : len;
}

void
fuzz_check_harmless(struct span shown, enum fuzz_shown kind)
{
	const unsigned char *at = (const unsigned char *)shown.bytes;

	for (size_t i = 0, len; i < shown.len; i += len) {
		uint32_t c = 0;

		len = character(at + i, shown.len - i, &c);
		FUZZ_CHECK(len > 0);
		FUZZ_CHECK(!is_forbidden(c));
		FUZZ_CHECK(kind == FUZZ_TEXT || !is_disguise(c));
	}
}

void
fuzz_check_ascii(struct span shown)
{
	for (size_t i = 0; i < shown.len; i++)
		FUZZ_CHECK(shown.bytes[i] >= ' ' && shown.bytes[i] < 0x7f);
}
