/* SPDX-License-Identifier: Apache-2.0 */
#include "session_trust.h"

#include "memory.h"
#include "names.h"
#include "session.h"
#include "sign.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
	LOOK_MS = 5000, /* at the files of authorities and revocations */
	SAVE_MS = 200,  /* after a name that is new, for more of them */
	AGAIN_MS = 60 * 1000,
};

/* A file as it was read. */
struct seen {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct session_trust {
	struct signer *signer;
	struct verifier *verifier;
	struct guard *guard;
	struct conf files; /* what the verifier has it from */
	struct seen ca, crl;
	bool is_stale; /* they have changed, and could not be taken */
	int64_t look_mono;
	char *names; /* path of the file; NULL: none is kept */
	struct seen names_seen;
	bool is_renamed; /* for session_trust_renamed() */
	int64_t save_mono;
	struct fault names_fault;
	bool is_forgetful; /* the names that are new are not written */
	bool is_told;      /* of the names, by session_trust_fault() */
	struct fault news; /* of the verifier's files */
};

/* Of a file that is not there, or is none, zeros. */
static struct seen
look_at(const char *path)
{
	struct stat stats;

	if (path == NULL || stat(path, &stats) < 0)
		return (struct seen){ 0 };
	return (struct seen){ stats.st_dev, stats.st_ino, stats.st_size,
		stats.st_ctim };
}

static bool
is_same(const struct seen *a, const struct seen *b)
{
	return a->device == b->device && a->inode == b->inode &&
		a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
		a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Has one of the files changed since the last time? */
static bool
look(struct session_trust *trust)
{
	struct seen ca = look_at(trust->files.sign_ca != NULL
			? trust->files.sign_ca
			: trust->files.ca);
	struct seen crl = look_at(trust->files.crl);
	bool is_changed = !is_same(&ca, &trust->ca) ||
		!is_same(&crl, &trust->crl);

	trust->ca = ca;
	trust->crl = crl;
	return is_changed;
}

/* Makes the verifier, or has it take the files anew. */
static int
read_verifier(struct session_trust *trust, struct fault *fault)
{
	const struct conf *files = &trust->files;
	struct text ca = { 0 }, crl = { 0 };
	const struct quotas quotas = quota_complete(&files->quotas);
	int rc = identity_trust(files, &ca, &crl, fault);

	const struct verifier_config config = {
		.ca = { ca.bytes, ca.len },
		.ca_file = files->sign_ca != NULL ? files->sign_ca : files->ca,
		.crl = { crl.bytes, crl.len },
		.crl_file = files->crl,
		.limits = { .trusted = (size_t)quotas.keys_trusted,
			.foreign = (size_t)quotas.keys_strangers,
			.failures = quotas.bad_signatures_all,
			.source_failures = quotas.bad_signatures },
	};
	if (rc == 0 && trust->verifier != NULL) {
		rc = verifier_trust(trust->verifier, &config, fault);
	} else if (rc == 0) {
		trust->verifier = verifier_new(&config, fault);
		rc = trust->verifier != NULL ? 0 : -1;
	}
	text_free(&ca);
	text_free(&crl);
	return rc;
}

static char *
copy(const char *path)
{
	return path != NULL ? memory_string(path) : NULL;
}

static int
open_verifier(struct session_trust *trust, const struct conf *conf,
	struct fault *fault)
{
	trust->files.file = copy(conf->file);
	trust->files.ca = copy(conf->ca);
	trust->files.sign_ca = copy(conf->sign_ca);
	trust->files.crl = copy(conf->crl);
	trust->files.quotas = conf->quotas;
	look(trust);
	return read_verifier(trust, fault);
}

/* What comes back from us needs no introduction. */
static void
learn_own(struct session_trust *trust, int64_t wall)
{
	if (trust->verifier != NULL)
		verifier_learn(trust->verifier, span_of(""),
			span_of(signer_bind(trust->signer)),
			span_of(signer_cert(trust->signer)), wall, NULL);
}

static void
read_names(struct session_trust *trust)
{
	struct text lines = { 0 };

	trust->names_fault = (struct fault){ 0 };
	trust->is_told = false;
	trust->is_renamed = true;
	/* Before it is read: what comes in between is seen the next time. */
	trust->names_seen = look_at(trust->names);
	if (names_read(trust->names, &lines, &trust->names_fault) < 0)
		guard_names_lose(trust->guard);
	else if (guard_names_restore(trust->guard,
			 (struct span){ lines.bytes, lines.len }) > 0)
		fault_set(&trust->names_fault, FAULT_DATA,
			"%s: it is damaged, and names that are not in it are "
			"trusted no more (take out the lines that are no "
			"fingerprint and name)",
			trust->names);
	text_free(&lines);
}

static void
open_names(struct session_trust *trust, const struct conf *conf)
{
	trust->names = names_path(conf, &trust->names_fault);
	if (trust->names != NULL)
		read_names(trust);
}

struct session_trust *
session_trust_new(const struct conf *conf, const struct identity *identity,
	const char *inbox, enum session_sight sight,
	const struct guard_calls *calls, struct fault *fault)
{
	struct session_trust *trust = memory_alloc(1, sizeof(*trust));
	struct guard_config config = {
		.inbox = inbox,
		.waits = sight == SESSION_ALL,
		.quotas = conf->quotas,
	};
	struct instant now = session_now();

	trust->save_mono = INT64_MAX;
	trust->look_mono = sight == SESSION_ALL ? now.mono + LOOK_MS
						: INT64_MAX;
	trust->signer = signer_new(identity, now.wall, fault);
	if (trust->signer == NULL ||
		(sight != SESSION_BLIND &&
			open_verifier(trust, conf, fault) < 0)) {
		session_trust_free(trust);
		return NULL;
	}
	config.signer = trust->signer;
	config.verifier = trust->verifier;
	identity_random(&config.seed, sizeof(config.seed));
	trust->guard = guard_new(&config, calls);
	if (sight == SESSION_ALL)
		open_names(trust, conf);
	learn_own(trust, now.wall);
	return trust;
}

/* What cannot be written now is tried again, seldom: it waits for a lock. */
static void
save(struct session_trust *trust, int64_t mono)
{
	struct text lines = { 0 };

	trust->save_mono = mono + AGAIN_MS;
	guard_names_save(trust->guard, &lines);
	if (names_merge(trust->names, (struct span){ lines.bytes, lines.len },
		    &trust->names_fault) == 0) {
		guard_names_saved(trust->guard);
		trust->save_mono = INT64_MAX;
	}
	text_free(&lines);
}

static bool
is_to_be_saved(const struct session_trust *trust)
{
	return trust->names != NULL && !trust->is_forgetful &&
		guard_names_changed(trust->guard);
}

void
session_trust_forget(struct session_trust *trust)
{
	trust->is_forgetful = true;
}

void
session_trust_free(struct session_trust *trust)
{
	if (trust == NULL)
		return;
	if (is_to_be_saved(trust))
		save(trust, 0);
	guard_free(trust->guard);
	verifier_free(trust->verifier);
	signer_free(trust->signer);
	conf_free(&trust->files);
	free(trust->names);
	free(trust);
}

struct signer *
session_trust_signer(const struct session_trust *trust)
{
	return trust->signer;
}

struct verifier_counts
session_trust_counts(const struct session_trust *trust)
{
	return trust->verifier != NULL ? verifier_counts(trust->verifier)
				       : (struct verifier_counts){ 0 };
}

struct guard *
session_trust_guard(const struct session_trust *trust)
{
	return trust->guard;
}

int64_t
session_trust_deadline(const struct session_trust *trust)
{
	int64_t deadline = guard_deadline(trust->guard);

	if (is_to_be_saved(trust) && trust->save_mono == INT64_MAX)
		return 0;
	if (trust->look_mono < deadline)
		deadline = trust->look_mono;
	return deadline < trust->save_mono ? deadline : trust->save_mono;
}

/* Certificates are revoked while we are here.  Where the new files are no good,
 * the old ones hold, and that is told once. */
static void
look_again(struct session_trust *trust, struct instant now)
{
	struct fault fault = { 0 };
	bool is_changed = look(trust);

	trust->look_mono = now.mono + LOOK_MS;
	if (!is_changed && !trust->is_stale)
		return;
	trust->is_stale = read_verifier(trust, &fault) < 0;
	if (!trust->is_stale) {
		learn_own(trust, now.wall);
		guard_learn_again(trust->guard, now.wall);
	} else if (is_changed) {
		trust->news = fault;
	}
}

/* Somebody says whose a name is, or what is new was written. */
static void
look_at_names(struct session_trust *trust)
{
	struct seen seen = look_at(trust->names);

	if (trust->names != NULL && !is_same(&seen, &trust->names_seen))
		read_names(trust);
}

int
session_trust_pin(struct session_trust *trust, const char *name,
	const char *fingerprint, struct fault *fault)
{
	if (trust->names == NULL) {
		*fault = trust->names_fault;
		return -1;
	}
	int rc = names_set(trust->names, name, fingerprint, fault);
	if (rc >= 0)
		read_names(trust);
	return rc;
}

bool
session_trust_renamed(struct session_trust *trust)
{
	bool is_renamed = trust->is_renamed;

	trust->is_renamed = false;
	return is_renamed;
}

void
session_trust_tick(struct session_trust *trust, struct instant now)
{
	struct fault fault;

	guard_tick(trust->guard, now.mono);
	if (now.mono >= trust->look_mono) {
		look_again(trust, now);
		look_at_names(trust);
	}
	/* If it fails, the old binding is good for some time. */
	if (signer_renew_due(trust->signer, now.wall) &&
		signer_renew(trust->signer, now.wall, &fault) == 1) {
		guard_connected(trust->guard);
		learn_own(trust, now.wall);
	}
	if (now.mono >= trust->save_mono)
		save(trust, now.mono);
	else if (trust->save_mono == INT64_MAX && is_to_be_saved(trust))
		trust->save_mono = now.mono + SAVE_MS;
}

bool
session_trust_fault(struct session_trust *trust, struct fault *fault)
{
	if (trust->news.kind != FAULT_NONE) {
		*fault = trust->news;
		trust->news = (struct fault){ 0 };
		return true;
	}
	if (trust->names_fault.kind == FAULT_NONE || trust->is_told)
		return false;
	*fault = trust->names_fault;
	trust->is_told = true;
	return true;
}
