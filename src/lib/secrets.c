/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include "certificate.h"
#include "conf.h"
#include "file.h"
#include "memory.h"
#include "secrets_file.h"
#include "text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LOCK_WAIT_MS = 2000,
	ID_BYTES = (SECRETS_ID_MAX - 1) / 2,
	DIGEST_BYTES = 32,
	NAME_DIGITS = 2 * DIGEST_BYTES, /* of a file */
};

static const char id_context[] = "qchat-secret-id-v1";

static const int64_t hour_ms = 3600000;

void
secrets_wipe(struct room_secrets *secrets)
{
	OPENSSL_cleanse(secrets, sizeof(*secrets));
}

void
secrets_id(const struct secret *secret, char id[static SECRETS_ID_MAX])
{
	unsigned char bytes[sizeof(id_context) + SECRET_BYTES];
	unsigned char digest[DIGEST_BYTES];

	memcpy(bytes, id_context, sizeof(id_context));
	memcpy(bytes + sizeof(id_context), secret->bytes, SECRET_BYTES);
	if (EVP_Digest(bytes, sizeof(bytes), digest, NULL, EVP_sha256(),
		    NULL) != 1)
		memory_out();
	OPENSSL_cleanse(bytes, sizeof(bytes));
	certificate_hex(id, digest, ID_BYTES);
}

static char *
folder(void)
{
	char *state = conf_state_dir();
	char *path = memory_format("%s/secrets", state);

	free(state);
	return path;
}

/* Nothing of a room's name, which others may have chosen, is in the path. */
static void
file_name(const char *room, char name[static NAME_DIGITS + 1])
{
	unsigned char digest[DIGEST_BYTES];

	if (EVP_Digest(room, strlen(room), digest, NULL, EVP_sha256(), NULL) !=
		1)
		memory_out();
	certificate_hex(name, digest, sizeof(digest));
}

static char *
path_of(const char *room)
{
	char *in = folder();
	char name[NAME_DIGITS + 1];

	file_name(room, name);
	char *path = memory_format("%s/%s", in, name);
	free(in);
	return path;
}

/* Without those whose time is over. */
static void
drop_old(struct room_secrets *secrets, int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < secrets->count; i++)
		if (secrets->secrets[i].until >= now)
			secrets->secrets[count++] = secrets->secrets[i];
	OPENSSL_cleanse(secrets->secrets + count,
		(SECRET_MAX - count) * sizeof(*secrets->secrets));
	secrets->count = count;
}

/* Is this the file of the room that it says? */
static int
check_room(const char *path, const char *room, struct fault *fault)
{
	char name[NAME_DIGITS + 1];

	file_name(room, name);
	if (strcmp(strrchr(path, '/') + 1, name) == 0)
		return 0;
	return fault_set(fault, FAULT_CONFIG,
		"%s: belongs to another room (move it away, and accept an "
		"invitation again)",
		path);
}

static int
load(const char *path, int64_t now, struct room_secrets *secrets, char **room,
	struct fault *fault)
{
	int rc = secrets_file_read(path, secrets, room, fault);

	if (rc != 1)
		return rc;
	if (check_room(path, *room, fault) < 0) {
		free(*room);
		*room = NULL;
		secrets_wipe(secrets);
		return -1;
	}
	drop_old(secrets, now);
	return 1;
}

int
secrets_load(const char *room, int64_t now, struct room_secrets *secrets,
	struct fault *fault)
{
	char *path = path_of(room);
	char *said = NULL;
	int rc = load(path, now, secrets, &said, fault);

	free(said);
	free(path);
	return rc;
}

/* Makes the folder and takes its lock.  -1 with a fault. */
static int
lock(struct fault *fault)
{
	char *in = folder();
	char *beside = memory_format("%s/lock", in);
	int fd = -1;

	if (file_folder(in, fault) == 0)
		fd = file_lock(beside, LOCK_WAIT_MS, NULL, fault);
	free(beside);
	free(in);
	return fd;
}

static int
save(const char *room, const struct room_secrets *secrets, struct fault *fault)
{
	char *path = path_of(room);
	int rc = secrets_file_write(path, room, secrets, fault);

	free(path);
	return rc;
}

/* Puts a secret before the others; what was the current one can be read for so
 * many hours, and the oldest of too many goes. */
static void
push(struct room_secrets *secrets, const unsigned char *bytes, int64_t now,
	int64_t keep_hours)
{
	struct secret new = { .until = INT64_MAX };
	size_t kept = 0;

	memcpy(new.bytes, bytes, SECRET_BYTES);
	if (secrets->count > 0)
		secrets->secrets[0].until = now + keep_hours * hour_ms;
	/* One that comes again is no old one any more. */
	for (size_t i = 0; i < secrets->count; i++)
		if (memcmp(secrets->secrets[i].bytes, bytes, SECRET_BYTES) != 0)
			secrets->secrets[kept++] = secrets->secrets[i];
	if (kept > SECRET_OLD_MAX)
		kept = SECRET_OLD_MAX;
	memmove(secrets->secrets + 1, secrets->secrets,
		kept * sizeof(*secrets->secrets));
	secrets->secrets[0] = new;
	secrets->count = kept + 1;
	secrets->since = now;
	OPENSSL_cleanse(&new, sizeof(new));
}

static int
push_new(const char *room, struct room_secrets *secrets, int64_t now,
	int64_t keep_hours, struct fault *fault)
{
	unsigned char bytes[SECRET_BYTES];

	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
		return fault_set(fault, FAULT_INTERNAL,
			"no random numbers from OpenSSL");
	push(secrets, bytes, now, keep_hours);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return save(room, secrets, fault);
}

int
secrets_create(const char *room, int64_t now, struct fault *fault)
{
	struct room_secrets secrets = { 0 };
	int fd = lock(fault);

	if (fd < 0)
		return -1;
	int rc = secrets_load(room, now, &secrets, fault);
	if (rc == 1)
		rc = fault_set(fault, FAULT_CANTCREAT,
			"%s: has a secret already (qchat-invite --rotate makes "
			"another)",
			room);
	else if (rc == 0)
		rc = push_new(room, &secrets, now, 0, fault);
	close(fd);
	secrets_wipe(&secrets);
	return rc;
}

int
secrets_rotate(const char *room, int64_t now, int64_t keep_hours,
	struct fault *fault)
{
	struct room_secrets secrets = { 0 };
	int fd = lock(fault);

	if (fd < 0)
		return -1;
	int rc = secrets_load(room, now, &secrets, fault);
	if (rc == 0)
		rc = fault_set(fault, FAULT_NOINPUT,
			"%s: has no secret yet (qchat-invite --new makes one)",
			room);
	else if (rc == 1)
		rc = push_new(room, &secrets, now, keep_hours, fault);
	close(fd);
	secrets_wipe(&secrets);
	return rc;
}

/* Is it one that another has taken the place of? */
static bool
is_old(const struct room_secrets *secrets,
	const unsigned char bytes[static SECRET_BYTES])
{
	for (size_t i = 1; i < secrets->count; i++)
		if (memcmp(secrets->secrets[i].bytes, bytes, SECRET_BYTES) == 0)
			return true;
	return false;
}

static int
refuse(const char *room, const struct room_secrets *secrets,
	const unsigned char bytes[static SECRET_BYTES], struct fault *fault)
{
	char id[SECRETS_ID_MAX];

	secrets_id(&secrets->secrets[0], id);
	if (is_old(secrets, bytes))
		return fault_set(fault, FAULT_CANTCREAT,
			"%s: the invitation is old: its secret was replaced "
			"here, by %s (--replace brings it back)",
			room, id);
	return fault_set(fault, FAULT_CANTCREAT,
		"%s: has another secret already, %s (--replace takes this one "
		"in its place)",
		room, id);
}

int
secrets_accept(const char *room, const unsigned char bytes[static SECRET_BYTES],
	bool is_replaced, int64_t now, int64_t keep_hours, struct fault *fault)
{
	struct room_secrets secrets = { 0 };
	int fd = lock(fault);

	if (fd < 0)
		return -1;
	int rc = secrets_load(room, now, &secrets, fault);
	if (rc < 0)
		goto out;
	if (rc == 1 &&
		memcmp(secrets.secrets[0].bytes, bytes, SECRET_BYTES) == 0) {
		rc = 0;
		goto out;
	}
	if (rc == 1 && !is_replaced) {
		rc = refuse(room, &secrets, bytes, fault);
		goto out;
	}
	push(&secrets, bytes, now, keep_hours);
	rc = save(room, &secrets, fault) < 0 ? -1 : 1;
out:
	close(fd);
	secrets_wipe(&secrets);
	return rc;
}

/* What one file says, or what is wrong with it. */
struct entry {
	char *room;
	struct room_secrets secrets;
	struct fault fault;
};

static int
by_room(const void *a, const void *b)
{
	const struct entry *const *left = a, *const *right = b;

	return strcmp((*left)->room, (*right)->room);
}

static bool
is_file_name(const char *name)
{
	return strlen(name) == NAME_DIGITS &&
		strspn(name, "0123456789abcdef") == NAME_DIGITS;
}

static struct entry *
make_entry(const char *in, const char *name, int64_t now)
{
	struct entry *entry = memory_alloc(1, sizeof(*entry));
	char *path = memory_format("%s/%s", in, name);

	int rc = load(path, now, &entry->secrets, &entry->room, &entry->fault);
	if (rc == 0)
		fault_set(&entry->fault, FAULT_IO, "%s: has gone", path);
	if (entry->room == NULL)
		entry->room = memory_string("");
	free(path);
	return entry;
}

static void
free_entry(struct entry *entry)
{
	free(entry->room);
	secrets_wipe(&entry->secrets);
	free(entry);
}

/* All entries of the folder, sorted. */
static struct entry **
read_entries(DIR *stream, const char *in, int64_t now, size_t *count)
{
	struct entry **entries = NULL;
	const struct dirent *found;

	*count = 0;
	while (*count < SECRETS_ROOMS_MAX &&
		(found = readdir(stream)) != NULL) {
		if (!is_file_name(found->d_name))
			continue;
		entries = memory_resize(entries, *count + 1, sizeof(*entries));
		entries[(*count)++] = make_entry(in, found->d_name, now);
	}
	if (*count > 0)
		qsort(entries, *count, sizeof(*entries), by_room);
	return entries;
}

int
secrets_list(int64_t now, secrets_fn *on_room, void *context,
	struct fault *fault)
{
	char *in = folder();
	DIR *stream = opendir(in);
	size_t count = 0;
	int rc = 0;

	if (stream != NULL) {
		struct entry **entries = read_entries(stream, in, now, &count);

		closedir(stream);
		for (size_t i = 0; i < count; i++) {
			struct entry *entry = entries[i];
			bool good = entry->fault.kind == FAULT_NONE;

			on_room(context, entry->room,
				good ? &entry->secrets : NULL, &entry->fault);
			free_entry(entry);
		}
		free(entries);
	} else if (errno != ENOENT) {
		rc = fault_set(fault, FAULT_IO, "%s: %s", in, strerror(errno));
	}
	free(in);
	return rc;
}
