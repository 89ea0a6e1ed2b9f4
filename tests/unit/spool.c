/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept while the network is away: on a real disk, with writers that
 * compete and are killed. */
#include "spool.h"

#include "file.h"
#include "memory.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW    INT64_C(1795408513935)
#define UID    "0123456789abcdef0123456789abcdef"
#define FIRST  "001795408513935-0000000000000007-" UID
#define EIGHTH "001795408513935-0000000000000008-" UID
#define NINTH  "001795408513935-0000000000000009-" UID

/* Everything happens in this folder, which is also the current one. */
static char folder[256];
static char path[] = "state/spool";
static const struct spool_limits defaults;

/* A disk that fails: the fsync that is so many calls away, with that errno. */
static int sync_fails, sync_errno;
static ino_t synced[16]; /* what was, in turns */
static size_t sync_count;

int
fsync(int fd)
{
	struct stat status;

	if (fstat(fd, &status) == 0)
		synced[sync_count++ % 16] = status.st_ino;
	if (sync_fails > 0 && --sync_fails == 0) {
		errno = sync_errno;
		return -1;
	}
	return fdatasync(fd);
}

static struct spool_message
sample(int64_t first)
{
	struct spool_message message = { .time_ms = NOW,
		.room = span_of("incident 42"),
		.user = span_of("al\x1b"
				"ice\\\n"),
		.brokers = span_of("b1:8883 b2:1"),
		.authorities = span_of("0a 0b"),
		.uid = span_of(UID),
		.unconfirmed = first % 2 == 0,
		.sealed = first % 3 == 0,
		.first = first,
		.last = first + 2,
		.envelope = { "a\0b\n\n\xff", 6 } };

	return message;
}

static int
add(struct spool *spool, int64_t first, struct fault *fault)
{
	struct spool_message message = sample(first);
	size_t added = 9;
	int rc = spool_add(spool, &message, 1, &added, fault);

	return (added == 1) == (rc == 0) ? rc : -2;
}

static char *
in_spool(const char *name)
{
	return memory_format("%s/%s", path, name);
}

/* Counts the files whose name has that in it, and removes them if asked. */
static int
files(const char *part, bool wipe)
{
	DIR *dir = opendir(path);
	struct dirent *item;
	int count = 0;

	while (dir != NULL && (item = readdir(dir)) != NULL) {
		if (item->d_name[0] == '.' && strlen(item->d_name) < 3)
			continue;
		if (strstr(item->d_name, part) == NULL)
			continue;
		count++;
		if (wipe)
			unlinkat(dirfd(dir), item->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static struct spool *
fresh(struct spool_limits limits)
{
	files("", true);
	return spool_open(path, limits);
}

static void
put(const char *name, const void *bytes, size_t len)
{
	char *file = in_spool(name);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || file_write(fd, (struct span){ bytes, len }) < 0) {
		printf("Bail out! %s\n", file);
		exit(99);
	}
	close(fd);
	free(file);
}

static size_t
get(const char *name, char *bytes, size_t size)
{
	char *file = in_spool(name);
	int fd = open(file, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : file_read(fd, bytes, size);

	if (len < 0) {
		printf("Bail out! %s\n", file);
		exit(99);
	}
	close(fd);
	free(file);
	return (size_t)len;
}

static bool
same_message(const struct spool_message *a, const struct spool_message *b)
{
	return a->time_ms == b->time_ms && span_equal(a->room, b->room) &&
		span_equal(a->user, b->user) && span_equal(a->uid, b->uid) &&
		span_equal(a->brokers, b->brokers) &&
		span_equal(a->authorities, b->authorities) &&
		a->unconfirmed == b->unconfirmed && a->sealed == b->sealed &&
		a->first == b->first && a->last == b->last;
}

static void
test_missing(void)
{
	struct spool *spool = spool_open(path, defaults);
	struct fault fault = { 0 };
	struct spool_list list;
	struct spool_entry entry;
	struct spool_counts counts;

	ok(spool_list(spool, NOW, &list, &fault) == 0 && list.count == 0,
		"a folder that is missing has an empty list");
	spool_list_free(&list);
	ok(spool_count(spool, &counts, &fault) == 0 && counts.waiting == 0,
		"and counts nothing");
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) < 0 &&
			fault.kind == FAULT_NOINPUT,
		"there is nothing to read");
	ok(spool_set_aside(spool, FIRST, SPOOL_EXPIRED, &fault) < 0 &&
			fault.kind == FAULT_NOINPUT,
		"and nothing to set aside");
	ok(spool_remove(spool, FIRST, &fault) == 0, "what is gone, is gone");
	ok(access("state", F_OK) < 0, "all this makes no folder");
	spool_free(spool);
	spool_free(NULL);
}

static void
test_round_trip(void)
{
	struct spool *spool = spool_open(path, defaults);
	struct spool_message message = sample(7);
	struct spool_list list;
	struct spool_entry entry = { 0 };
	struct fault fault = { 0 };
	struct stat status;
	size_t added;

	ok(spool_add(spool, &message, 1, &added, &fault) == 0 && added == 1,
		"a message is kept");
	is(message.name, FIRST, "its name: time, number, uid");
	ok(stat(path, &status) == 0 && (status.st_mode & 07777) == 0700,
		"the folder is closed to others");
	char *file = in_spool(FIRST);
	ok(stat(file, &status) == 0 && (status.st_mode & 07777) == 0600,
		"so is the file");
	free(file);
	ok(spool_list(spool, NOW, &list, &fault) == 0 && list.count == 1,
		"it is listed");
	ok(list.count == 1 && list.entries[0].state == SPOOL_WAITING &&
			list.entries[0].size == 6 &&
			list.entries[0].message.envelope.len == 0 &&
			same_message(&list.entries[0].message, &message),
		"with its headers, without its envelope");
	spool_list_free(&list);
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) == 0, "it is read");
	ok(same_message(&entry.message, &message) &&
			span_equal(entry.message.envelope, message.envelope),
		"it comes back to the byte");
	is(entry.message.name, FIRST, "under its name");
	spool_entry_free(&entry);
	snprintf(entry.message.name, SPOOL_NAME_MAX, "%s", FIRST);
	ok(spool_read(spool, entry.message.name, NOW, &entry, &fault) == 0,
		"the name may be the entry's own");
	spool_entry_free(&entry);
	ok(add(spool, 7, &fault) == -1 && fault.kind == FAULT_CANTCREAT,
		"no message takes another's place");
	ok(spool_remove(spool, FIRST, &fault) == 0 && files(FIRST, false) == 0,
		"it is removed");
	ok(spool_remove(spool, FIRST, &fault) == 0, "twice is no fault");
	ok(spool_set_aside(spool, FIRST, SPOOL_DAMAGED, &fault) < 0 &&
			fault.kind == FAULT_NOINPUT,
		"but it cannot be set aside");
	spool_free(spool);
}

static void
test_largest(void)
{
	struct spool *spool = fresh(defaults);
	struct spool_message message = sample(SPOOL_NUMBER_MAX - 2);
	char *bytes = memory_alloc(SPOOL_ENVELOPE_MAX + 1, 1);
	char room[SPOOL_ROOM_MAX], user[SPOOL_USER_MAX];
	char words[SPOOL_WORDS_MAX];
	struct spool_entry entry;
	struct spool_list list;
	struct fault fault = { 0 };
	size_t added;

	for (size_t i = 0; i < SPOOL_ENVELOPE_MAX; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	memset(room, '\\', sizeof(room));
	memset(user, '\n', sizeof(user));
	memset(words, 'w', sizeof(words));
	message.room = (struct span){ room, sizeof(room) };
	message.user = (struct span){ user, sizeof(user) };
	message.brokers = message.authorities = (struct span){ words,
		sizeof(words) };
	message.envelope = (struct span){ bytes, SPOOL_ENVELOPE_MAX };
	ok(spool_add(spool, &message, 1, &added, &fault) == 0,
		"the largest message is kept");
	bool good = spool_list(spool, NOW, &list, &fault) == 0;
	ok(good && list.count == 1 && list.entries[0].state == SPOOL_WAITING,
		"and listed");
	spool_list_free(&list);
	good = spool_read(spool, message.name, NOW, &entry, &fault) == 0;
	ok(good && same_message(&entry.message, &message) &&
			span_equal(entry.message.envelope, message.envelope),
		"and comes back");
	if (good)
		spool_entry_free(&entry);
	message.first--;
	message.envelope.len++;
	ok(spool_add(spool, &message, 1, &added, &fault) < 0 &&
			fault.kind == FAULT_DATA && added == 0,
		"one byte more is refused");
	free(bytes);
	spool_free(spool);
}

/* No message at all: refused, and nothing left of it. */
static void
refused(struct spool *spool, struct spool_message message, const char *want)
{
	struct fault fault = { 0 };
	size_t added;

	ok(spool_add(spool, &message, 1, &added, &fault) < 0 &&
			fault.kind == FAULT_DATA &&
			strstr(fault.text, want) != NULL &&
			files(UID, false) == 0,
		"refused: %s", want);
}

static void
test_no_message(void)
{
	struct spool *spool = fresh(defaults);
	struct spool_message message = sample(7);

	message.time_ms = -1;
	refused(spool, message, "time");
	message = sample(7);
	message.room.len = 0;
	refused(spool, message, "room");
	message = sample(7);
	message.room = span_of("\xff");
	refused(spool, message, "room");
	message = sample(7);
	message.user = (struct span){ "a\0b", 3 };
	refused(spool, message, "user");
	message = sample(7);
	message.brokers.len = 0;
	refused(spool, message, "brokers");
	message = sample(7);
	message.brokers = span_of("b\\x0a");
	refused(spool, message, "brokers");
	message = sample(7);
	message.authorities = span_of("a\nb");
	refused(spool, message, "authorities");
	message = sample(7);
	message.uid = span_of("../../../../../../../etc/passwd0");
	refused(spool, message, "uid");
	refused(spool, sample(0), "sequence");
	refused(spool, sample(SPOOL_NUMBER_MAX - 1), "sequence");
	message = sample(7);
	message.last = 6;
	refused(spool, message, "sequence");
	message = sample(7);
	message.envelope.len = 0;
	refused(spool, message, "empty");
	spool_free(spool);
}

static void
numbers_are(struct spool *spool, const char *want, const char *name)
{
	struct spool_list list = { 0 };
	struct fault fault = { 0 };
	struct text got = { 0 };

	text_append_string(&got, "");
	spool_list(spool, NOW, &list, &fault);
	for (size_t i = 0; i < list.count; i++)
		text_appendf(&got, "%" PRId64 " ",
			list.entries[i].message.first);
	is(got.bytes, want, name);
	text_free(&got);
	spool_list_free(&list);
}

static void
test_order(void)
{
	struct spool *spool = fresh(defaults);
	struct spool_message messages[5] = { sample(10), sample(9), sample(100),
		sample(101), sample(102) };
	struct fault fault = { 0 };
	size_t added;

	messages[0].time_ms--;
	ok(spool_add(spool, messages, 3, &added, &fault) == 0 && added == 3,
		"a stream is kept at once");
	numbers_are(spool, "10 9 100 ", "by time, then by number");
	messages[3].time_ms = NOW - 60000;
	messages[4].time_ms = NOW + 1;
	ok(spool_add(spool, messages + 3, 2, &added, &fault) == 0,
		"the clock steps back");
	numbers_are(spool, "10 9 100 101 102 ", "the order stays");
	spool_free(spool);
}

static void
test_limits(void)
{
	struct spool_limits few = { .count = 3 }, small = { .bytes = 750 };
	struct spool_message messages[4] = { sample(1), sample(4), sample(7),
		sample(10) };
	struct spool *spool = fresh(few);
	struct fault fault = { 0 };
	struct spool_counts counts;
	size_t added;

	ok(spool_add(spool, messages, 4, &added, &fault) < 0 && added == 3 &&
			fault.kind == FAULT_CANTCREAT,
		"a full folder takes what fits");
	is(fault.text,
		"state/spool: is full: 3 messages, its limit "
		"(qchat-say --flush sends what waits)",
		"and says so");
	spool_set_aside(spool, messages[0].name, SPOOL_EXPIRED, &fault);
	spool_set_aside(spool, messages[1].name, SPOOL_DAMAGED, &fault);
	ok(add(spool, 20, &fault) < 0 &&
			strstr(fault.text, "; 2 are set aside as *.expired") !=
				NULL,
		"what is set aside takes room, too");
	ok(spool_count(spool, &counts, &fault) == 0 && counts.waiting == 1 &&
			counts.expired == 1 && counts.bad == 1 &&
			counts.bytes > 3 * 150,
		"all is counted");
	spool_free(spool);
	spool = fresh(small);
	ok(spool_add(spool, messages, 4, &added, &fault) < 0 && added == 3 &&
			fault.kind == FAULT_CANTCREAT,
		"a limit of bytes");
	ok(strstr(fault.text, "of 750 bytes are taken") != NULL, "says so");
	ok(spool_count(spool, &counts, &fault) == 0 && counts.bytes <= 750,
		"and holds");
	spool_free(spool);
}

/* What others do between two of our messages is noticed. */
static void
test_others(void)
{
	struct spool_limits few = { .count = 3 };
	struct spool *spool = fresh(few), *other;
	struct fault fault = { 0 };

	other = spool_open(path, few);
	ok(add(spool, 1, &fault) == 0 && add(other, 2, &fault) == 0 &&
			add(other, 3, &fault) == 0 &&
			add(spool, 4, &fault) == -1 && files(UID, 0) == 3,
		"what others add, counts for us");
	files("0000002-", true);
	ok(add(spool, 4, &fault) == 0 && add(spool, 5, &fault) == -1,
		"what they remove, too");
	files("0000003-", true);
	ok(add(spool, 5, &fault) == 0, "at once");
	files("0000004-", true);
	ok(add(spool, 6, &fault) == 0 && add(spool, 7, &fault) == -1 &&
			files(UID, 0) == 3,
		"even if nobody was in our way");
	spool_free(other);
	spool_free(spool);
}

/* The file holds these bytes: damaged, and the one beside it is not. */
static bool
seen_damaged(struct spool *spool, const char *bytes, size_t len)
{
	struct fault fault = { 0 };
	struct spool_entry entry;
	struct spool_list list;

	put(FIRST, bytes, len);
	if (spool_read(spool, FIRST, NOW, &entry, &fault) == 0) {
		spool_entry_free(&entry);
		return false;
	}
	bool good = fault.kind == FAULT_DATA &&
		strstr(fault.text, FIRST) != NULL &&
		spool_list(spool, NOW, &list, &fault) == 0;
	if (!good)
		return false;
	good = list.count == 2 && list.entries[1].state == SPOOL_WAITING;
	spool_list_free(&list);
	return good;
}

static void
test_damaged(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_entry entry;
	char bytes[1024] = { 0 };
	struct spool_list list;
	size_t missed = 0;

	add(spool, 7, &fault);
	add(spool, 8, &fault);
	size_t len = get(FIRST, bytes, sizeof(bytes) - 1);
	for (size_t cut = 0; cut < len; cut++)
		missed += !seen_damaged(spool, bytes, cut);
	ok(missed == 0, "seen wherever the file is cut off");
	for (size_t i = 0; i < len * 8; i++) {
		bytes[i / 8] ^= (char)(1 << i % 8);
		missed += !seen_damaged(spool, bytes, len);
		bytes[i / 8] ^= (char)(1 << i % 8);
	}
	ok(missed == 0, "seen whichever bit is wrong");
	ok(seen_damaged(spool, bytes, len + 1), "seen if it is too long");
	put(FIRST, bytes, len - 1);
	ok(spool_list(spool, NOW, &list, &fault) == 0 && list.count == 2 &&
			list.entries[0].state == SPOOL_DAMAGED,
		"a list sees a wrong length");
	spool_list_free(&list);
	put(FIRST, bytes, len);
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) == 0,
		"nothing is wrong with the right bytes");
	spool_entry_free(&entry);
	char *other = memory_string(FIRST);
	other[31] = '6';
	put(other, bytes, len);
	ok(spool_read(spool, other, NOW, &entry, &fault) < 0 &&
			fault.kind == FAULT_DATA,
		"a copy under another name is none");
	free(other);
	spool_free(spool);
}

/* Headers that no writer of ours makes, with a checksum that is right. */
static void
test_forged(void)
{
	static const struct {
		const char *from, *to;
	} forgeries[] = {
		{ "length: 6", "length: 0" },
		{ "length: 6", "length: 5" },
		{ "length: 6", "length: 7" },
		{ "length: 6", "length: 9999999999999999" },
		{ "length: 6", "length: 99999999999999999999999" },
		{ "length: 6", "length: -6" },
		{ "length: 6", "length: 06" },
		{ "confirm: echo", "confirm: " },
		{ "confirm: echo", "confirm: echoes" },
		{ "confirm: echo\n", "" },
		{ "first: 7", "sealed: \nfirst: 7" },
		{ "first: 7", "sealed: no\nfirst: 7" },
		{ "first: 7", "sealed: yes\nsealed: yes\nfirst: 7" },
		{ "confirm: echo", "sealed: yes\nconfirm: echo" },
		{ "first: 7", "first: 0" },
		{ "first: 7", "first: 8" },
		{ "last: 9", "last: 3" },
		{ "time: 1795408513935", "time: 1795408513936" },
		{ "room: incident 42", "room: " },
		{ "room: incident 42", "room: \\x0" },
		{ "room: incident 42", "room: \\x00" },
		{ "room: incident 42", "room: \\xFF" },
		{ "room: incident 42", "room: \\xff" },
		{ "brokers: b1:8883 b2:1", "brokers: " },
		{ "authorities: 0a 0b", "authorities: 0a\x7f" },
		{ "brokers: b1:8883 b2:1\nauthorities: 0a 0b\n", "" },
		{ "qchat-spool 2", "qchat-spool 1" },
		{ "qchat-spool 2", "qchat-spool 3" },
	};
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	char bytes[1024];

	add(spool, 7, &fault);
	add(spool, 8, &fault);
	size_t len = get(FIRST, bytes, sizeof(bytes) - 1);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(*forgeries); i++) {
		const char *from = forgeries[i].from;
		char *at = memmem(bytes, len, from, strlen(from));
		char *sum = memmem(bytes, len, "checksum: ", 10);
		struct text text = { 0 };
		uint64_t hash = UINT64_C(0xcbf29ce484222325);

		text_append(&text, bytes, (size_t)(at - bytes));
		text_append_string(&text, forgeries[i].to);
		at += strlen(from);
		text_append(&text, at, (size_t)(sum - at));
		size_t head = text.len;
		text_append(&text, "a\0b\n\n\xff", 6);
		for (size_t j = 0; j < text.len; j++)
			hash = (hash ^ (unsigned char)text.bytes[j]) *
				UINT64_C(0x100000001b3);
		text.len = head;
		text_appendf(&text, "checksum: %016" PRIx64 "\n\n", hash);
		text_append(&text, "a\0b\n\n\xff", 6);
		ok(seen_damaged(spool, text.bytes, text.len), "forged: %s",
			forgeries[i].to);
		text_free(&text);
	}
	spool_free(spool);
}

/* As version 0.1.0 of 2026-11 wrote it, before there was a release. */
static void
test_old_version(void)
{
	static const char old[] = "qchat-spool 1\ntime: 1795408513935\n"
				  "room: ops\nuser: alice\nuid: " UID "\n"
				  "first: 7\nlast: 7\nlength: 1\n"
				  "checksum: 0123456789abcdef\n\nx";
	struct spool *spool = fresh(defaults);
	struct spool_entry entry;
	struct fault fault = { 0 };

	add(spool, 8, &fault);
	ok(seen_damaged(spool, old, sizeof(old) - 1),
		"a file of another version is none");
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) < 0 &&
			strstr(fault.text, "another version") != NULL,
		"which is said");
	ok(spool_set_aside(spool, FIRST, SPOOL_DAMAGED, &fault) == 0,
		"it is set aside");
	spool_free(spool);
}

/* As it was written before a file told whether its room was sealed. */
static void
test_sealed(void)
{
	static const char old[] = "qchat-spool 2\ntime: 1795408513935\n"
				  "room: ops\nuser: alice\n"
				  "brokers: b1:8883\nauthorities: 0a\n"
				  "uid: " UID "\nconfirm: echo\n"
				  "first: 7\nlast: 7\nlength: 1\n"
				  "checksum: 6a85868b574e073f\n\nx";
	struct spool *spool = fresh(defaults);
	struct spool_entry entry;
	struct fault fault = { 0 };
	char bytes[1024];

	put(FIRST, old, sizeof(old) - 1);
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) == 0 &&
			!entry.message.sealed && entry.message.first == 7,
		"a file without that header was not said in a sealed room");
	spool_entry_free(&entry);
	add(spool, 9, &fault);
	add(spool, 8, &fault);
	size_t len = get(NINTH, bytes, sizeof(bytes));
	ok(memmem(bytes, len, "\nsealed: yes\n", 13) != NULL,
		"a file tells that its room was sealed");
	len = get(EIGHTH, bytes, sizeof(bytes));
	ok(memmem(bytes, len, "sealed", 6) == NULL,
		"and has no word on it if it was not");
	ok(spool_read(spool, NINTH, NOW, &entry, &fault) == 0 &&
			entry.message.sealed,
		"it is read");
	spool_entry_free(&entry);
	struct spool_list list;
	ok(spool_list(spool, NOW, &list, &fault) == 0 && list.count == 3 &&
			!list.entries[0].message.sealed &&
			!list.entries[1].message.sealed &&
			list.entries[2].message.sealed,
		"and listed");
	spool_list_free(&list);
	spool_free(spool);
}

/* What stands under the name of a message is no file of ours. */
static void
no_file(struct spool *spool, const char *what)
{
	struct fault fault = { 0 };
	struct spool_entry entry;
	struct spool_list list;
	char *bad = in_spool(FIRST ".bad");
	struct stat status;

	bool good = spool_list(spool, NOW, &list, &fault) == 0 &&
		list.count == 2;
	ok(good && list.entries[0].state == SPOOL_DAMAGED &&
			list.entries[1].state == SPOOL_WAITING,
		"%s is listed as damaged, and blocks nothing", what);
	spool_list_free(&list);
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) < 0 &&
			fault.kind == FAULT_DATA,
		"%s is not read", what);
	ok(spool_set_aside(spool, FIRST, SPOOL_DAMAGED, &fault) == 0 &&
			lstat(bad, &status) == 0,
		"%s is set aside", what);
	remove(bad);
	free(bad);
}

static void
test_no_file(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_entry entry;
	char *file = in_spool(FIRST);
	char bytes[1024];

	add(spool, 7, &fault);
	add(spool, 8, &fault);
	size_t len = get(FIRST, bytes, sizeof(bytes));
	put("elsewhere", bytes, len);
	unlink(file);
	ok(symlink("elsewhere", file) == 0, "a link to a good message");
	no_file(spool, "a symbolic link");
	ok(mkfifo(file, 0600) == 0, "a pipe");
	no_file(spool, "a pipe");
	ok(mkdir(file, 0700) == 0, "a folder");
	no_file(spool, "a folder");
	put(FIRST, bytes, len);
	ok(truncate(file, (off_t)1 << 32) == 0, "a huge file");
	ok(spool_read(spool, FIRST, NOW, &entry, &fault) < 0 &&
			strstr(fault.text, "too large") != NULL,
		"nobody tries to read it");
	no_file(spool, "a huge file");
	put(FIRST, bytes, 0);
	no_file(spool, "an empty file");
	ok(symlink("nowhere", "state/spool/.tmp-" FIRST) == 0 &&
			add(spool, 7, &fault) == -1 &&
			fault.kind == FAULT_CANTCREAT &&
			files("nowhere", 0) == 0,
		"a link in a writer's way is not followed");
	ok(add(spool, 7, &fault) == 0 && files("nowhere", 0) == 0,
		"and goes with all that is half-written");
	free(file);
	spool_free(spool);
}

static void
test_foreign(void)
{
	static const char *const names[] = { "README", ".tmp-x", FIRST "x",
		FIRST ".old", ".tmp-" FIRST ".bad", "elsewhere" };
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_counts counts;
	struct spool_entry entry;
	const int count = sizeof(names) / sizeof(*names);

	add(spool, 8, &fault);
	for (int i = 0; i < count; i++)
		put(names[i], "x", 1);
	numbers_are(spool, "8 ", "what is not ours, is not listed");
	ok(spool_count(spool, &counts, &fault) == 0 && counts.waiting == 1 &&
			counts.expired == 0 && counts.bad == 0,
		"nor counted");
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN &&
			files("", false) == count + 3,
		"nor removed");
	for (int i = 0; i < count; i++)
		if (spool_remove(spool, names[i], &fault) == 0 ||
			spool_read(spool, names[i], NOW, &entry, &fault) == 0 ||
			spool_set_aside(spool, names[i], SPOOL_EXPIRED,
				&fault) == 0)
			ok(false, "%s is touched", names[i]);
	ok(spool_remove(spool, "../spool/README", &fault) < 0 &&
			files("", false) == count + 3,
		"not even if one asks for it");
	spool_free(spool);
}

static void
test_expired(void)
{
	struct spool_limits limits = { .age_ms = 1000 };
	struct spool *spool = fresh(limits);
	struct fault fault = { 0 };
	struct spool_entry entry;
	struct spool_list list;
	struct spool_counts counts;
	char name[SPOOL_NAME_MAX];

	add(spool, 7, &fault);
	ok(spool_list(spool, NOW + 1000, &list, &fault) == 0 &&
			list.count == 1 &&
			list.entries[0].state == SPOOL_WAITING,
		"as old as allowed");
	spool_list_free(&list);
	ok(spool_list(spool, NOW + 1001, &list, &fault) == 0 &&
			list.count == 1 &&
			list.entries[0].state == SPOOL_EXPIRED,
		"too old");
	spool_list_free(&list);
	ok(spool_read(spool, FIRST, NOW + 1001, &entry, &fault) == 0 &&
			entry.state == SPOOL_EXPIRED,
		"it can be read, and is marked");
	spool_entry_free(&entry);
	ok(spool_set_aside(spool, FIRST, SPOOL_EXPIRED, &fault) == 0,
		"it is set aside");
	numbers_are(spool, "", "it waits no longer");
	ok(spool_count(spool, &counts, &fault) == 0 && counts.waiting == 0 &&
			counts.expired == 1,
		"it is counted");
	snprintf(name, sizeof(name), "%s.expired", FIRST);
	ok(spool_read(spool, name, NOW, &entry, &fault) == 0 &&
			entry.message.first == 7,
		"it is not lost");
	spool_entry_free(&entry);
	ok(spool_set_aside(spool, name, SPOOL_DAMAGED, &fault) < 0,
		"once is enough");
	ok(spool_remove(spool, name, &fault) == 0 && files(UID, false) == 0,
		"the user can remove it");
	spool_free(spool);
}

static void
test_deferred(void)
{
	const char *deferred = FIRST ".deferred";
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_entry entry;
	struct spool_list list;
	struct spool_counts counts;

	add(spool, 8, &fault);
	add(spool, 7, &fault);
	ok(spool_defer(spool, FIRST, &fault) == 0 && files(FIRST, false) == 1 &&
			files(deferred, false) == 1,
		"what was sent in vain is marked");
	ok(spool_defer(spool, deferred, &fault) == 0 &&
			files(deferred, false) == 1,
		"once is enough");
	ok(spool_list(spool, NOW, &list, &fault) == 0 && list.count == 2 &&
			list.entries[0].deferred && !list.entries[1].deferred &&
			list.entries[0].state == SPOOL_WAITING &&
			strcmp(list.entries[0].message.name, deferred) == 0,
		"it waits on, in its place");
	spool_list_free(&list);
	ok(spool_count(spool, &counts, &fault) == 0 && counts.waiting == 2 &&
			counts.deferred == 1,
		"it is counted");
	ok(spool_read(spool, deferred, NOW, &entry, &fault) == 0 &&
			entry.deferred && entry.message.first == 7,
		"it can be read");
	spool_entry_free(&entry);
	ok(spool_set_aside(spool, deferred, SPOOL_EXPIRED, &fault) == 0 &&
			files(FIRST ".expired", false) == 1,
		"and set aside under its own name");
	ok(spool_defer(spool, FIRST ".expired", &fault) < 0 &&
			spool_defer(spool, FIRST, &fault) < 0 &&
			fault.kind == FAULT_NOINPUT,
		"then it waits no longer");
	spool_free(spool);
}

/* More than one list takes: empty files are enough for that. */
static void
test_many(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_list list;
	char name[SPOOL_NAME_MAX];

	for (int i = 0; i < SPOOL_LIST_MAX; i++) {
		snprintf(name, sizeof(name), "001795408513935-%016d-" UID, i);
		put(name, "", 0);
	}
	ok(spool_list(spool, NOW, &list, &fault) == 0 &&
			list.count == SPOOL_LIST_MAX && !list.more,
		"a list takes so many");
	spool_list_free(&list);
	put("001795408513935-0000000000999999-" UID, "", 0);
	ok(spool_list(spool, NOW, &list, &fault) == 0 &&
			list.count == SPOOL_LIST_MAX && list.more,
		"and says that there are more");
	spool_list_free(&list);
	spool_free(spool);
	files("", true);
}

static void
test_no_folder(void)
{
	struct spool *spool = spool_open("file/spool", defaults);
	struct fault fault = { 0 };
	struct spool_list list;

	close(open("file", O_WRONLY | O_CREAT, 0600));
	ok(add(spool, 7, &fault) == -1 && fault.kind == FAULT_CANTCREAT,
		"no folder can be made below a file");
	ok(strstr(fault.text, "file/spool: Not a directory (") == fault.text,
		"says where and why");
	printf("# %s\n", fault.text);
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_FAILED &&
			fault.kind == FAULT_CANTCREAT,
		"there is no flush either");
	ok(spool_list(spool, NOW, &list, &fault) < 0 && fault.kind == FAULT_IO,
		"nor a list");
	spool_free(spool);
}

static bool
is_synced(const char *name)
{
	struct stat status;

	if (stat(name, &status) < 0)
		return false;
	for (size_t i = 0; i < sync_count && i < 16; i++)
		if (synced[i] == status.st_ino)
			return true;
	return false;
}

/* A crash right after a message was kept must not take its folder away. */
static void
test_durable_folder(void)
{
	struct spool *spool = spool_open("new/and/spool", defaults);
	struct spool_message message = sample(7);
	struct fault fault = { 0 };
	size_t added;

	sync_count = 0;
	ok(spool_add(spool, &message, 1, &added, &fault) == 0,
		"kept in a folder that is made");
	ok(is_synced(".") && is_synced("new") && is_synced("new/and") &&
			is_synced("new/and/spool"),
		"each folder's name is durable");
	spool_free(spool);
	spool = spool_open("new/too", defaults);
	sync_fails = 1;
	sync_errno = EIO;
	ok(spool_add(spool, &message, 1, &added, &fault) < 0 && added == 0 &&
			fault.kind == FAULT_CANTCREAT,
		"if that fails, nothing is kept");
	spool_free(spool);
}

static void
on_signal(int signal)
{
	(void)signal;
}

static void
test_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	sigset_t blocked, during;
	int other = file_lock("state/spool/add.lock", 0, NULL, &fault);

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &during);
	spool_let_through(spool, &during);
	kill(getpid(), SIGUSR1);
	ok(add(spool, 7, &fault) < 0 && fault.kind == FAULT_UNAVAILABLE,
		"a signal ends the waiting for who adds");
	sigprocmask(SIG_SETMASK, &during, NULL);
	close(other);
	ok(add(spool, 7, &fault) == 0, "and no more than that");
	spool_free(spool);
}

static void
test_full_disk(void)
{
	struct spool *spool = fresh(defaults);
	struct spool_message message = sample(7);
	char *bytes = memory_alloc(100000, 1);
	struct fault fault = { 0 };
	struct rlimit old, low;
	size_t added;

	message.envelope = (struct span){ bytes, 100000 };
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	low = old;
	low.rlim_cur = 5000;
	fflush(stdout);
	setrlimit(RLIMIT_FSIZE, &low);
	int rc = spool_add(spool, &message, 1, &added, &fault);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	ok(rc < 0 && added == 0 && fault.kind == FAULT_IO,
		"a write that fails midway");
	ok(strstr(fault.text, FIRST ": File too large (") != NULL, "says so");
	printf("# %s\n", fault.text);
	ok(files(UID, false) == 0, "and leaves nothing");
	free(bytes);
	spool_free(spool);
}

static void
test_bad_disk(void)
{
	struct spool *spool = fresh(defaults);
	struct spool_message messages[3] = { sample(7), sample(8), sample(9) };
	struct fault fault = { 0 };
	size_t added;

	sync_errno = ENOSPC;
	sync_fails = 1;
	ok(add(spool, 7, &fault) == -1 && fault.kind == FAULT_IO &&
			strstr(fault.text, "make room") != NULL &&
			files(UID, false) == 0,
		"a message that does not reach the disk leaves nothing");
	sync_errno = EIO;
	sync_fails = 2;
	ok(add(spool, 7, &fault) == -1 && fault.kind == FAULT_IO &&
			files(UID, false) == 0,
		"nor does one whose name does not");
	sync_fails = 3;
	ok(spool_add(spool, messages, 3, &added, &fault) < 0 && added == 2 &&
			fault.kind == FAULT_IO && files(UID, false) == 2,
		"of a stream it is kept what came before");
	spool_remove(spool, messages[0].name, &fault);
	spool_remove(spool, messages[1].name, &fault);
	sync_fails = 4;
	ok(spool_add(spool, messages, 3, &added, &fault) < 0 && added == 0 &&
			fault.kind == FAULT_IO && files(UID, false) == 0,
		"or nothing if the folder does not reach the disk");
	sync_fails = 0;
	ok(add(spool, 7, &fault) == 0, "then it goes on");
	sync_fails = 1;
	ok(spool_remove(spool, FIRST, &fault) < 0 && fault.kind == FAULT_IO,
		"a removal that a crash may undo is told");
	spool_free(spool);
}

static void
adder(struct spool *spool, int child, int count)
{
	struct fault fault = { 0 };
	char uid[SPOOL_UID_LENGTH + 1];
	int rc = 0;

	snprintf(uid, sizeof(uid), "%032x", (unsigned)child);
	for (int i = 1; rc == 0 && (count == 0 || i <= count); i++) {
		struct spool_message message = sample(i);
		size_t added;

		message.uid = span_of(uid);
		rc = spool_add(spool, &message, 1, &added, &fault);
	}
	spool_free(spool);
	_exit(fault.kind);
}

enum { CHILDREN = 8, EACH = 50, ALL = CHILDREN * EACH };

/* Ends when all have added; true if none ended with other than 0 or that. */
static bool
race(struct spool_limits limits, int status)
{
	struct spool *spool = spool_open(path, limits);
	bool good = true;
	int got;

	fflush(stdout);
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0)
			adder(spool, i, EACH);
	while (wait(&got) > 0)
		good = good && WIFEXITED(got) &&
			(WEXITSTATUS(got) == 0 || WEXITSTATUS(got) == status);
	spool_free(spool);
	return good;
}

/* All that the race kept is there, in the order of each of its runners. */
static void
all_there(void)
{
	struct spool *spool = spool_open(path, defaults);
	struct spool_list list = { 0 };
	struct fault fault = { 0 };
	int64_t last[CHILDREN] = { 0 };
	bool good = true;

	spool_list(spool, NOW, &list, &fault);
	ok(list.count == ALL, "all is there");
	for (size_t i = 0; i < list.count; i++) {
		const struct spool_message *message = &list.entries[i].message;
		const char *digit = message->uid.bytes + SPOOL_UID_LENGTH - 1;

		good = good && list.entries[i].state == SPOOL_WAITING &&
			message->first == ++last[(*digit - '0') % CHILDREN];
	}
	ok(good, "in each one's order");
	spool_list_free(&list);
	spool_free(spool);
}

static void
test_race(void)
{
	struct spool_limits few = { .count = 100 }, small = { .bytes = 20000 };
	struct spool_counts counts = { 0 };
	struct fault fault = { 0 };

	files("", true);
	ok(race(defaults, 0), "%d processes add at once", CHILDREN);
	all_there();
	files("", true);
	ok(race(few, FAULT_CANTCREAT) && files("-", false) == 100,
		"together they keep to the limit of messages");
	files("", true);
	bool good = race(small, FAULT_CANTCREAT);
	struct spool *spool = spool_open(path, defaults);
	ok(good && spool_count(spool, &counts, &fault) == 0 &&
			counts.bytes <= 20000 && counts.bytes > 19700,
		"and to that of bytes");
	spool_free(spool);
}

static void
test_flush_lock(void)
{
	struct spool *spool = fresh(defaults), *other;
	struct fault fault = { 0 };

	other = spool_open(path, defaults);
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN, "a flush");
	ok(spool_flush_begin(other, &fault) == SPOOL_FLUSH_BUSY &&
			fault.kind == FAULT_NONE,
		"the second is told that it is busy");
	ok(add(other, 7, &fault) == 0, "one can add meanwhile");
	spool_flush_end(spool);
	ok(spool_flush_begin(other, &fault) == SPOOL_FLUSH_BEGUN,
		"then it is the other's turn");
	spool_free(other);
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN,
		"who goes, ends it");
	spool_free(spool);
}

/* Sends what waits, which is to write its name to fd, until nothing does. */
static void
flusher(struct spool *spool, int fd)
{
	struct fault fault = { 0 };
	struct spool_list list;

	for (size_t left = 1; left > 0;) {
		if (spool_flush_begin(spool, &fault) != SPOOL_FLUSH_BEGUN) {
			usleep(100);
			continue;
		}
		spool_list(spool, NOW, &list, &fault);
		left = list.count;
		for (size_t i = 0; i < left && i < 5; i++) {
			const char *name = list.entries[i].message.name;

			if (write(fd, name, SPOOL_NAME_MAX) < 0)
				_exit(1);
			spool_remove(spool, name, &fault);
		}
		spool_list_free(&list);
		spool_flush_end(spool);
	}
	spool_free(spool);
	_exit(0);
}

static void
test_flushers(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	char name[SPOOL_NAME_MAX];
	int ends[2], count = 0, total = 100;

	for (int i = 1; i <= total; i++)
		add(spool, i, &fault);
	fflush(stdout);
	if (pipe(ends) < 0)
		exit(99);
	for (int i = 0; i < 4; i++)
		if (fork() == 0)
			flusher(spool, ends[1]);
	close(ends[1]);
	while (file_read(ends[0], name, sizeof(name)) == sizeof(name))
		count++;
	close(ends[0]);
	while (wait(NULL) > 0)
		;
	ok(count == total && files(UID, false) == 0,
		"four who flush at once send each message once");
	spool_free(spool);
}

static void
test_sweep(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	struct spool_counts counts;

	put(".tmp-" FIRST, "half", 4);
	int writer = file_lock("state/spool/add.lock", 0, NULL, &fault);
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN &&
			files(".tmp-", false) == 1,
		"what is being written, is left alone");
	numbers_are(spool, "", "and not listed");
	ok(spool_count(spool, &counts, &fault) == 0 && counts.bytes == 0,
		"nor counted");
	close(writer);
	spool_flush_end(spool);
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN &&
			files(".tmp-", false) == 0,
		"what a dead process left, goes at the next flush");
	put(".tmp-" FIRST, "half", 4);
	ok(add(spool, 7, &fault) == 0 && files(".tmp-", false) == 0,
		"or when somebody adds");
	spool_free(spool);
}

/* The number of messages, all of them whole; -1 if one is not. */
static int
whole(struct spool *spool)
{
	struct fault fault = { 0 };
	struct spool_list list;
	struct spool_entry entry;
	int count = 0;

	if (spool_list(spool, NOW, &list, &fault) < 0)
		return -1;
	for (size_t i = 0; i < list.count && count >= 0; i++) {
		if (spool_read(spool, list.entries[i].message.name, NOW, &entry,
			    &fault) < 0) {
			printf("# %s\n", fault.text);
			count = -1;
		} else {
			count++;
			spool_entry_free(&entry);
		}
	}
	spool_list_free(&list);
	return count;
}

static void
test_kill(void)
{
	struct spool *spool = fresh(defaults);
	struct fault fault = { 0 };
	int bad = 0, total = 0, left = 0;

	srand(1);
	fflush(stdout);
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();

		if (child == 0)
			adder(spool, i, 0);
		for (int ms = 0; ms < 10000 && files("-0", false) == 0; ms++)
			usleep(1000);
		usleep((useconds_t)(rand() % 15000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		int count = whole(spool);
		bad += count < 0;
		total += count;
		left += files(".tmp-", false);
		files("-0", true);
	}
	printf("# %d messages, %d half-written ones\n", total, left);
	ok(bad == 0 && total > 0, "who is killed leaves whole messages only");
	ok(spool_flush_begin(spool, &fault) == SPOOL_FLUSH_BEGUN &&
			files(".tmp-", false) == 0,
		"and no lock");
	spool_free(spool);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/qchat-spool-XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		return 99;
	}
	test_missing();
	test_round_trip();
	test_largest();
	test_no_message();
	test_order();
	test_limits();
	test_others();
	test_damaged();
	test_forged();
	test_old_version();
	test_sealed();
	test_no_file();
	test_foreign();
	test_expired();
	test_deferred();
	test_many();
	test_no_folder();
	test_durable_folder();
	test_interrupted();
	test_full_disk();
	test_bad_disk();
	test_race();
	test_flush_lock();
	test_flushers();
	test_sweep();
	test_kill();
	files("", true);
	rmdir(path);
	rmdir("state");
	unlink("file");
	rmdir(folder);
	return done();
}
