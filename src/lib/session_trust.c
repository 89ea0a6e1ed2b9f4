/* SPDX-License-Identifier: Apache-2.0 */
#include "session_trust.h"

#include "memory.h"
#include "names.h"
#include "session.h"
#include "sign.h"

#include <stdlib.h>

enum {
	SAVE_MS = 2000, /* after a name that is new, for more of them */
	AGAIN_MS = 60 * 1000,
};

struct session_trust {
	struct signer *signer;
	struct verifier *verifier;
	struct guard *guard;
	char *names; /* path of the file; NULL: none is kept */
	int64_t save_mono;
	struct fault fault; /* of the file */
	bool is_told;       /* by session_trust_fault() */
};

static int
open_verifier(struct session_trust *trust, const struct conf *conf,
	struct fault *fault)
{
	struct text ca = { 0 }, crl = { 0 };
	int rc = -1;

	if (identity_trust(conf, &ca, &crl, fault) == 0) {
		const struct verifier_config config = {
			.ca = { ca.bytes, ca.len },
			.ca_file = conf->sign_ca != NULL ? conf->sign_ca
							 : conf->ca,
			.crl = { crl.bytes, crl.len },
			.crl_file = conf->crl,
		};

		trust->verifier = verifier_new(&config, fault);
		rc = trust->verifier != NULL ? 0 : -1;
	}
	text_free(&ca);
	text_free(&crl);
	return rc;
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
read_names(struct session_trust *trust, const struct conf *conf)
{
	struct text lines = { 0 };

	trust->names = names_path(conf, &trust->fault);
	if (trust->names == NULL)
		return;
	if (names_read(trust->names, &lines, &trust->fault) == 0)
		guard_names_restore(trust->guard,
			(struct span){ lines.bytes, lines.len });
	text_free(&lines);
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
	};
	struct instant now = session_now();

	trust->save_mono = INT64_MAX;
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
		read_names(trust, conf);
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
		    &trust->fault) == 0) {
		guard_names_saved(trust->guard);
		trust->save_mono = INT64_MAX;
	}
	text_free(&lines);
}

void
session_trust_free(struct session_trust *trust)
{
	if (trust == NULL)
		return;
	if (trust->names != NULL && guard_names_changed(trust->guard))
		save(trust, 0);
	guard_free(trust->guard);
	verifier_free(trust->verifier);
	signer_free(trust->signer);
	free(trust->names);
	free(trust);
}

struct signer *
session_trust_signer(const struct session_trust *trust)
{
	return trust->signer;
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

	if (trust->names != NULL && guard_names_changed(trust->guard) &&
		trust->save_mono == INT64_MAX)
		return 0;
	return deadline < trust->save_mono ? deadline : trust->save_mono;
}

void
session_trust_tick(struct session_trust *trust, struct instant now)
{
	struct fault fault;

	guard_tick(trust->guard, now.mono);
	/* If it fails, the old binding is good for some time. */
	if (signer_renew_due(trust->signer, now.wall) &&
		signer_renew(trust->signer, now.wall, &fault) == 1) {
		guard_connected(trust->guard);
		learn_own(trust, now.wall);
	}
	if (trust->names == NULL)
		return;
	if (now.mono >= trust->save_mono)
		save(trust, now.mono);
	else if (trust->save_mono == INT64_MAX &&
		guard_names_changed(trust->guard))
		trust->save_mono = now.mono + SAVE_MS;
}

bool
session_trust_fault(struct session_trust *trust, struct fault *fault)
{
	bool is_new = trust->fault.kind != FAULT_NONE && !trust->is_told;

	*fault = trust->fault;
	trust->is_told |= is_new;
	return is_new;
}
