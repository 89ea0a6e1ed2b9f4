/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include "memory.h"
#include "secrets_file.h"
#include "tap.h"

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW  INT64_C(1795408513935)
#define HOUR INT64_C(3600000)

static char folder[256];

/* The fault of the last call. */
static struct fault fault;

static int
load_at(const char *room, int64_t now, struct room_secrets *secrets)
{
	fault = (struct fault){ 0 };
	return secrets_load(room, now, secrets, &fault);
}

static int
load(const char *room, struct room_secrets *secrets)
{
	return load_at(room, NOW, secrets);
}

/* The one file of a room's secrets. */
static char *
only_file(void)
{
	char *in = memory_format("%s/qchat/secrets", folder);
	DIR *stream = opendir(in);
	const struct dirent *found;
	char *path = NULL;

	while (stream != NULL && (found = readdir(stream)) != NULL)
		if (strlen(found->d_name) == 64) {
			free(path);
			path = memory_format("%s/%s", in, found->d_name);
		}
	if (stream != NULL)
		closedir(stream);
	free(in);
	return path != NULL ? path : memory_string("/nonexistent");
}

static unsigned
mode_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_mode & 07777 : 0;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
clear(void)
{
	char *state = memory_format("%s/qchat", folder);

	nftw(state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(state);
}

static void
test_create(void)
{
	struct room_secrets secrets, again;
	static const char room[] = "../../ops /x\"$(date)";

	ok(load(room, &secrets) == 0, "a room has no secret");
	ok(secrets_rotate(room, NOW, 24, &fault) < 0 &&
			fault.kind == FAULT_NOINPUT,
		"none is rotated");
	ok(secrets_create(room, NOW, &fault) == 0, "one is made");
	ok(load(room, &secrets) == 1 && secrets.count == 1 &&
			secrets.since == NOW &&
			secrets.secrets[0].until == INT64_MAX,
		"and is there");
	char *path = only_file(), *in = memory_copy(path, strlen(path) - 65);
	ok(mode_of(path) == 0600 && mode_of(in) == 0700,
		"file and folder are closed to others");
	ok(strstr(path, "ops") == NULL && strstr(path, "..") == NULL,
		"nothing of the room's name is in the path");
	ok(secrets_create(room, NOW, &fault) < 0 &&
			fault.kind == FAULT_CANTCREAT,
		"a second is not made");
	ok(load(room, &again) == 1 &&
			memcmp(&secrets, &again, sizeof(secrets)) == 0,
		"and the first stays");
	ok(load("ops", &again) == 0, "another room has none");
	free(path);
	free(in);
	clear();
}

static void
test_rotate(void)
{
	struct room_secrets first, second, last;
	char id[2][SECRETS_ID_MAX];

	secrets_create("ops", NOW, &fault);
	load("ops", &first);
	ok(secrets_rotate("ops", NOW + 1, 24, &fault) == 0, "a new one");
	ok(load("ops", &second) == 1 && second.count == 2 &&
			second.since == NOW + 1,
		"stands before the old one");
	ok(memcmp(second.secrets[0].bytes, first.secrets[0].bytes,
		   SECRET_BYTES) != 0 &&
			memcmp(second.secrets[1].bytes, first.secrets[0].bytes,
				SECRET_BYTES) == 0,
		"which is what it was");
	ok(second.secrets[0].until == INT64_MAX &&
			second.secrets[1].until == NOW + 1 + 24 * HOUR,
		"and can be read for a day");
	ok(load_at("ops", NOW + 1 + 24 * HOUR, &last) == 1 && last.count == 2,
		"up to its last millisecond");
	ok(load_at("ops", NOW + 2 + 24 * HOUR, &last) == 1 && last.count == 1,
		"and then no more");
	secrets_id(&second.secrets[0], id[0]);
	secrets_id(&second.secrets[1], id[1]);
	ok(strlen(id[0]) == SECRETS_ID_MAX - 1 && strcmp(id[0], id[1]) != 0,
		"their ids tell them apart");
	for (int i = 0; i < 10; i++)
		secrets_rotate("ops", NOW + 2 + i, 24, &fault);
	ok(load("ops", &last) == 1 && last.count == SECRET_MAX &&
			last.secrets[1].until == NOW + 11 + 24 * HOUR &&
			last.secrets[4].until == NOW + 8 + 24 * HOUR,
		"of many old ones the newest are kept");
	clear();
}

static void
test_accept(void)
{
	unsigned char bytes[SECRET_BYTES] = { 7 }, other[SECRET_BYTES] = { 8 };
	struct room_secrets secrets;

	ok(secrets_accept("ops", bytes, false, NOW, 24, &fault) == 1,
		"a secret of somebody else is taken");
	ok(load("ops", &secrets) == 1 && secrets.count == 1 &&
			memcmp(secrets.secrets[0].bytes, bytes, SECRET_BYTES) ==
				0,
		"as it is");
	ok(secrets_accept("ops", bytes, false, NOW + 1, 24, &fault) == 0,
		"once");
	ok(secrets_accept("ops", other, false, NOW, 24, &fault) < 0 &&
			fault.kind == FAULT_CANTCREAT &&
			strstr(fault.text, "--replace") != NULL,
		"another is refused");
	ok(load("ops", &secrets) == 1 && secrets.count == 1 &&
			secrets.secrets[0].bytes[0] == 7,
		"and the first stays");
	ok(secrets_accept("ops", other, true, NOW, 24, &fault) == 1 &&
			load("ops", &secrets) == 1 && secrets.count == 2 &&
			secrets.secrets[0].bytes[0] == 8,
		"unless it is asked for");
	ok(secrets_accept("ops", bytes, false, NOW, 24, &fault) < 0 &&
			strstr(fault.text, "invitation is old") != NULL,
		"one that was replaced is told to be");
	ok(secrets_accept("ops", bytes, true, NOW, 24, &fault) == 1 &&
			load("ops", &secrets) == 1 && secrets.count == 2 &&
			secrets.secrets[0].bytes[0] == 7 &&
			secrets.secrets[1].bytes[0] == 8,
		"one that comes back is not an old one too");
	clear();
}

static void
rewrite(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void
test_faults(void)
{
	struct room_secrets secrets;

	secrets_create("ops", NOW, &fault);
	char *path = only_file();
	static const mode_t open_modes[] = { 0640, 0604, 0660, 0620 };
	for (size_t i = 0; i < 4; i++) {
		chmod(path, open_modes[i]);
		ok(load("ops", &secrets) < 0 && fault.kind == FAULT_NOPERM &&
				strstr(fault.text, "chmod 600") != NULL,
			"mode %o is refused", (unsigned)open_modes[i]);
	}
	chmod(path, 0600);
	ok(load("ops", &secrets) == 1, "0600 is not");
	char *copy = memory_copy(path, strlen(path));
	copy[strlen(copy) - 1] = copy[strlen(copy) - 1] == '0' ? '1' : '0';
	rename(path, copy);
	ok(symlink(copy, path) == 0 && load("ops", &secrets) < 0 &&
			fault.kind == FAULT_IO,
		"a symbolic link is refused");
	unlink(path);
	ok(link(copy, path) == 0 && load("ops", &secrets) == 1,
		"the file is good again");
	unlink(copy);
	rewrite(path, "qchat-secrets 1\nroom ops\n");
	ok(load("ops", &secrets) < 0 && fault.kind == FAULT_CONFIG,
		"one that is cut is damaged");
	ok(secrets_rotate("ops", NOW, 24, &fault) < 0 &&
			fault.kind == FAULT_CONFIG,
		"and is not written over");
	unlink(path);
	secrets_create("other", NOW, &fault);
	char *other = only_file();
	rename(other, path);
	ok(load("ops", &secrets) < 0 && strstr(fault.text, "another room"),
		"that of another room is refused");
	free(path);
	free(copy);
	free(other);
	clear();
}

/* Each byte of a file changed in turn, and each part of it. */
static void
test_damaged(void)
{
	struct room_secrets secrets = { .count = 2, .since = NOW }, read;
	struct text text = { 0 }, copy = { 0 };
	struct span room;
	int same = 0, shorter = 0;

	memset(secrets.secrets[0].bytes, 1, SECRET_BYTES);
	memset(secrets.secrets[1].bytes, 2, SECRET_BYTES);
	secrets.secrets[0].until = INT64_MAX;
	secrets.secrets[1].until = NOW;
	secrets_file_format(&secrets, "ops", &text);
	ok(secrets_file_parse(&read, &room,
		   (struct span){ text.bytes, text.len }) &&
			memcmp(&read, &secrets, sizeof(read)) == 0 &&
			span_equal(room, span_of("ops")),
		"a file is read as it was written");
	for (size_t i = 0; i < text.len; i++) {
		text_clear(&copy);
		text_append(&copy, text.bytes, text.len);
		copy.bytes[i] ^= 0x80;
		if (secrets_file_parse(&read, &room,
			    (struct span){ copy.bytes, copy.len }) &&
			span_equal(room, span_of("ops")))
			same++;
		shorter += secrets_file_parse(&read, &room,
			(struct span){ text.bytes, i });
	}
	ok(same == 0, "no altered one is");
	ok(shorter == 1,
		"nor one that is cut, but for a whole line of an old one");
	text_free(&text);
	text_free(&copy);
}

struct listed {
	struct text rooms;
	int good;
};

static void
on_room(void *context, const char *room, const struct room_secrets *secrets,
	const struct fault *why)
{
	struct listed *listed = context;

	text_appendf(&listed->rooms, "%s;", room);
	if (secrets != NULL)
		listed->good++;
	else
		text_appendf(&listed->rooms, "%d;", (int)why->kind);
}

static void
test_list(void)
{
	struct listed listed = { 0 };

	ok(secrets_list(NOW, on_room, &listed, &fault) == 0 &&
			listed.rooms.len == 0,
		"there are no rooms");
	secrets_create("b", NOW, &fault);
	char *path = only_file();
	secrets_create("a", NOW, &fault);
	secrets_create("c", NOW, &fault);
	ok(secrets_list(NOW, on_room, &listed, &fault) == 0 && listed.good == 3,
		"three");
	is(listed.rooms.bytes, "a;b;c;", "by their names");
	text_clear(&listed.rooms);
	chmod(path, 0644);
	secrets_list(NOW, on_room, &listed, &fault);
	is(listed.rooms.bytes, ";77;a;c;",
		"one that is open to others is told");
	text_free(&listed.rooms);
	free(path);
	clear();
}

int
main(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/qchat-secrets.XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL ||
		setenv("XDG_STATE_HOME", folder, 1) != 0) {
		puts("Bail out! no folder");
		return 99;
	}
	test_create();
	test_rotate();
	test_accept();
	test_faults();
	test_damaged();
	test_list();
	rmdir(folder);
	return done();
}
