/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "certificate.h"
#include "memory.h"
#include "table.h"
#include "translate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	TRUSTED_KEYS = 4096,
	FOREIGN_KEYS = 1024,
	BAD_KEYS = 4096,
	LAST_MS = 999, /* of the second with which a certificate ends */
};

struct span
sign_id(const unsigned char *id)
{
	return (struct span){ (const char *)id, SIGN_KEY_ID_BYTES };
}

/* What the tables have forgotten since they were made. */
static void
count_forgotten(const struct verifier *verifier, struct verifier_counts *counts)
{
	for (int i = 0; i < KINDS; i++) {
		uint64_t displaced = table_displaced(verifier->keys[i]) +
			table_displaced(verifier->certificates[i]);

		if (i == TRUSTED)
			counts->over_trusted += (unsigned long)displaced;
		else
			counts->over_foreign += (unsigned long)displaced;
	}
	counts->over_bad += (unsigned long)table_displaced(verifier->bad);
}

static void
forget(struct verifier *verifier)
{
	count_forgotten(verifier, &verifier->counts);
	for (int i = 0; i < KINDS; i++) {
		table_free(verifier->keys[i]);
		table_free(verifier->certificates[i]);
	}
	table_free(verifier->bad);
}

static void
make_tables(struct verifier *verifier)
{
	const struct verifier_limits *limits = &verifier->limits;

	for (int i = 0; i < KINDS; i++) {
		size_t most = i == TRUSTED ? limits->trusted : limits->foreign;

		verifier->keys[i] = table_new(sizeof(struct key), most);
		verifier->certificates[i] =
			table_new(sizeof(struct known_certificate), most);
	}
	verifier->bad = table_new(sizeof(struct bad_key), limits->bad);
}

struct verifier *
verifier_new(const struct verifier_config *config, struct fault *fault)
{
	struct authorities *trust = authorities_new(config, fault);

	if (trust == NULL)
		return NULL;
	struct verifier *verifier = memory_alloc(1, sizeof(*verifier));
	struct verifier_limits *limits = &verifier->limits;
	verifier->trust = trust;
	*limits = config->limits;
	if (limits->trusted == 0)
		limits->trusted = TRUSTED_KEYS;
	if (limits->foreign == 0)
		limits->foreign = FOREIGN_KEYS;
	if (limits->bad == 0)
		limits->bad = BAD_KEYS;
	verifier->budget = budget_new(limits);
	make_tables(verifier);
	return verifier;
}

void
verifier_free(struct verifier *verifier)
{
	if (verifier == NULL)
		return;
	forget(verifier);
	authorities_free(verifier->trust);
	budget_free(verifier->budget);
	text_free(&verifier->bytes);
	free(verifier);
}

int
verifier_trust(struct verifier *verifier, const struct verifier_config *config,
	struct fault *fault)
{
	struct authorities *trust = authorities_new(config, fault);

	if (trust == NULL)
		return -1;
	authorities_free(verifier->trust);
	verifier->trust = trust;
	forget(verifier);
	make_tables(verifier);
	return 0;
}

struct verifier_counts
verifier_counts(const struct verifier *verifier)
{
	struct verifier_counts counts = verifier->counts;
	struct budget_counts budget = budget_counts(verifier->budget);

	count_forgotten(verifier, &counts);
	counts.over_sources = budget.sources;
	counts.over_source_failures = budget.source_refused;
	counts.over_failures = budget.refused;
	return counts;
}

void
verifier_charge(struct verifier *verifier, enum budget_payer payer,
	struct span source, int64_t now)
{
	verifier->counts.failures++;
	budget_charge(verifier->budget, payer, source, now);
}

void *
verifier_find(struct table *const tables[static KINDS], const unsigned char *id)
{
	bool made;

	for (int i = 0; i < KINDS; i++)
		if (table_find(tables[i], sign_id(id)) != NULL)
			return table_touch(tables[i], sign_id(id), &made);
	return NULL;
}

bool
verifier_knows(const struct verifier *verifier,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES])
{
	struct span id = sign_id(key_id);

	for (int i = 0; i < KINDS; i++) {
		const struct key *key = table_find(verifier->keys[i], id);

		for (int j = 0; key != NULL && j < KINDS; j++)
			if (table_find(verifier->certificates[j],
				    sign_id(key->certificate)) != NULL)
				return true;
	}
	return table_find(verifier->bad, id) != NULL;
}

bool
verifier_trusts(const struct verifier *verifier,
	const unsigned char key_id[static SIGN_KEY_ID_BYTES])
{
	for (int i = 0; i < KINDS; i++) {
		const struct key *key = table_find(verifier->keys[i],
			sign_id(key_id));

		if (key != NULL &&
			table_find(verifier->certificates[TRUSTED],
				sign_id(key->certificate)) != NULL)
			return true;
	}
	return false;
}

bool
sign_is_over(int64_t end, int64_t at)
{
	return at > end && at - end > LAST_MS;
}

static bool
is_home(const struct key *key, struct span source)
{
	for (size_t i = 0; i < SIGN_HOMES_MAX; i++)
		if (key->homes[i].len > 0 &&
			span_equal(source,
				(struct span){ key->homes[i].bytes,
					key->homes[i].len }))
			return true;
	return false;
}

void
verifier_note_home(struct key *key, struct span source)
{
	struct home *first = &key->homes[0];

	if (source.len == 0 || source.len > sizeof(first->bytes) ||
		span_equal(source, (struct span){ first->bytes, first->len }))
		return;
	memmove(first + 1, first, (SIGN_HOMES_MAX - 1) * sizeof(*first));
	first->len = source.len;
	memcpy(first->bytes, source.bytes, source.len);
}

/* NULL, or why key and certificate are not for this message. */
static const char *
misfit(const struct key *key, const struct known_certificate *known,
	struct span topic, int64_t sent)
{
	unsigned char digest[SIGN_KEY_ID_BYTES];

	if (known->verdict.state == SIGN_BAD)
		return known->verdict.why;
	if (sent < key->begin)
		return N_("its key was not valid yet");
	if (sent > key->end)
		return N_("its key was not valid any more");
	if (sent < known->verdict.begin)
		return N_("the certificate was not valid yet");
	if (sign_is_over(known->verdict.end, sent))
		return N_("the certificate had expired");
	if (!key->is_scoped)
		return NULL;
	sign_digest(topic, digest);
	return memcmp(digest, key->scope, sizeof(digest)) == 0
		? NULL
		: N_("its key is for another room");
}

/* NULL, or why a message that is good is not to be trusted. */
static const char *
doubt(const struct chain_verdict *verdict, int64_t sent, int64_t now)
{
	if (verdict->state != SIGN_GOOD)
		return verdict->why;
	if (sent < verdict->chain_begin ||
		sign_is_over(verdict->chain_end, sent))
		return N_("an authority's certificate was not valid");
	if (sign_is_over(verdict->crl_end, now))
		return N_(
			"the revocation list of the certificate's authority is "
			"out of date");
	return NULL;
}

static bool
is_signed(struct verifier *verifier, const struct key *key, struct span topic,
	struct span payload, const struct sign_sig *sig)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		key->key, sizeof(key->key));
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	sign_message(&verifier->bytes, topic, payload, sig);
	verifier->counts.operations++;
	bool good = public != NULL && context != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		EVP_DigestVerify(context, sig->signature,
			sizeof(sig->signature),
			(const unsigned char *)verifier->bytes.bytes,
			verifier->bytes.len) == 1;
	if (!good)
		ERR_clear_error();
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	return good;
}

static enum sign_state
say(struct verdict *verdict, enum sign_state state, const char *why)
{
	verdict->state = state;
	verdict->why = why;
	return state;
}

static void
describe(struct verdict *verdict, const struct key *key,
	const struct known_certificate *known)
{
	certificate_hex(verdict->fingerprint, key->certificate,
		sizeof(key->certificate));
	strcpy(verdict->name, known->name);
	memcpy(verdict->x25519, key->x25519, sizeof(verdict->x25519));
	verdict->not_after = key->end;
}

/* The key of a message, and its certificate; NULL with a verdict. */
static struct key *
find_key(struct verifier *verifier, struct verdict *verdict,
	const struct known_certificate **known)
{
	const unsigned char *id = verdict->key_id;
	struct key *key = verifier_find(verifier->keys, id);
	const struct bad_key *bad = table_find(verifier->bad, sign_id(id));

	*known = NULL;
	if (key != NULL)
		*known = verifier_find(verifier->certificates,
			key->certificate);
	if (*known != NULL)
		return key;
	if (bad == NULL) {
		say(verdict, SIGN_UNKNOWN, "its key is not known");
		return NULL;
	}
	if (bad->has_certificate)
		certificate_hex(verdict->fingerprint, bad->certificate,
			sizeof(bad->certificate));
	say(verdict, SIGN_BAD, bad->why);
	return NULL;
}

static enum sign_state
check(struct verifier *verifier, struct span source, struct span topic,
	struct span payload, struct span text, int64_t now,
	struct verdict *verdict)
{
	const struct known_certificate *known;
	struct sign_sig sig;

	if (sign_sig_parse(&sig, text) < 0)
		return say(verdict, SIGN_BAD, N_("the signature is malformed"));
	memcpy(verdict->key_id, sig.key_id, sizeof(sig.key_id));
	verdict->sent = sig.sent;
	struct key *key = find_key(verifier, verdict, &known);
	if (key == NULL)
		return verdict->state;
	describe(verdict, key, known);
	const char *why = misfit(key, known, topic, sig.sent);
	if (why != NULL)
		return say(verdict, SIGN_BAD, why);
	/* Where nobody is named, a key's failures are its own: who forges one
	 * hurts that one alone. */
	struct span whose = source.len > 0 ? source : sign_id(sig.key_id);
	/* What comes from home is always looked at, so that it must not use up
	 * what others have. */
	bool is_at_home = is_home(key, source);
	if (!is_at_home && !budget_allows(verifier->budget, whose, now))
		return say(verdict, SIGN_BUSY,
			"too many signatures failed lately");
	if (!is_signed(verifier, key, topic, payload, &sig)) {
		verifier_charge(verifier,
			is_at_home ? BUDGET_SOURCE : BUDGET_ALL, whose, now);
		return say(verdict, SIGN_BAD, "the signature does not fit");
	}
	verifier_note_home(key, source);
	why = doubt(&known->verdict, sig.sent, now);
	return say(verdict, why == NULL ? SIGN_GOOD : SIGN_UNTRUSTED, why);
}

enum sign_state
verifier_check(struct verifier *verifier, struct span source, struct span topic,
	struct span payload, struct span sig, int64_t now,
	struct verdict *verdict)
{
	struct verifier_counts *counts = &verifier->counts;

	*verdict = (struct verdict){ 0 };
	switch (check(verifier, source, topic, payload, sig, now, verdict)) {
	case SIGN_GOOD:
		counts->good++;
		break;
	case SIGN_UNTRUSTED:
		counts->untrusted++;
		break;
	case SIGN_UNKNOWN:
		counts->unknown++;
		break;
	case SIGN_BUSY:
		counts->busy++;
		break;
	default:
		counts->bad++;
	}
	return verdict->state;
}
