/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "certificate.h"
#include "translate.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* When the table is full, one certificate has at most so small a part:
	 * its owner pushes out none but his own. */
	CERTIFICATE_PART = 8,
	/* Between two looks at a chain that has ended. */
	RETRY_MS = 60 * 1000,
};

/* Makes room in a full table where one certificate has too much of it. */
static void
make_room(struct verifier *verifier, int kind, const unsigned char *certificate)
{
	struct table *keys = verifier->keys[kind];
	size_t most = kind == TRUSTED ? verifier->limits.trusted
				      : verifier->limits.foreign;
	struct key *own_oldest = NULL;
	size_t own = 0;

	if (table_count(keys) < most)
		return;
	for (struct key *key = table_oldest(keys); key != NULL;
		key = table_newer(key)) {
		if (memcmp(key->certificate, certificate,
			    sizeof(key->certificate)) != 0)
			continue;
		if (own++ == 0)
			own_oldest = key;
	}
	size_t part = most > CERTIFICATE_PART ? most / CERTIFICATE_PART : 1;
	if (own_oldest == NULL || own < part)
		return;
	table_remove(keys, own_oldest);
	if (kind == TRUSTED)
		verifier->counts.over_trusted++;
	else
		verifier->counts.over_foreign++;
}

static void
remove_from(struct table *const tables[static KINDS], const unsigned char *id)
{
	for (int i = 0; i < KINDS; i++) {
		void *entry = table_find(tables[i], sign_id(id));

		if (entry != NULL)
			table_remove(tables[i], entry);
	}
}

static void
add_key(struct verifier *verifier, const unsigned char *id,
	const struct binding *binding, bool is_trusted, struct span source)
{
	int kind = is_trusted ? TRUSTED : FOREIGN;
	bool made;

	make_room(verifier, kind, binding->certificate);
	remove_from(verifier->keys, id);
	struct key *key = table_touch(verifier->keys[kind], sign_id(id), &made);
	memcpy(key->key, binding->key, sizeof(key->key));
	memcpy(key->x25519, binding->x25519, sizeof(key->x25519));
	memcpy(key->certificate, binding->certificate,
		sizeof(key->certificate));
	key->begin = binding->begin;
	key->end = binding->end;
	key->is_scoped = binding->scope.len > 0;
	if (key->is_scoped)
		sign_digest(binding->scope, key->scope);
	verifier_note_home(key, source);
}

/* Remembers that this key is bad, which nothing can change. */
static const char *
add_bad(struct verifier *verifier, const unsigned char *id,
	const struct chain *chain, const char *why)
{
	bool made;
	struct bad_key *bad = table_touch(verifier->bad, sign_id(id), &made);

	bad->why = why;
	bad->has_certificate = chain != NULL;
	if (chain != NULL)
		memcpy(bad->certificate, chain->certificate,
			sizeof(bad->certificate));
	return why;
}

static bool
was_tried(const struct known_certificate *known, const struct chain *chain)
{
	for (size_t i = 0; i < known->tried_count && i < SIGN_TRIED_MAX; i++)
		if (memcmp(known->tried[i], chain->digest,
			    sizeof(chain->digest)) == 0)
			return true;
	return false;
}

/* Might this chain lead further than what is known? */
static bool
wants_judging(const struct known_certificate *known, const struct chain *chain,
	int64_t now)
{
	switch (known->verdict.state) {
	case SIGN_UNTRUSTED:
		return !was_tried(known, chain);
	case SIGN_GOOD:
		return sign_is_over(known->verdict.chain_end, now) &&
			now - known->judged > RETRY_MS;
	default:
		return false;
	}
}

static void
set_name(struct known_certificate *known, const X509 *leaf)
{
	char *name = certificate_name(leaf);

	/* One that is cut would be another's. */
	if (name != NULL && strlen(name) < sizeof(known->name))
		strcpy(known->name, name);
	free(name);
}

/* Puts the better of two verdicts, or a bad one, where it belongs. */
static struct known_certificate *
keep_verdict(struct verifier *verifier, const struct chain *chain,
	const struct chain_verdict *verdict, int64_t now)
{
	struct known_certificate *known = verifier_find(verifier->certificates,
		chain->certificate);
	struct known_certificate before = { 0 };
	bool made;

	if (known != NULL && known->verdict.state == SIGN_GOOD &&
		verdict->state == SIGN_UNTRUSTED) {
		known->judged = now;
		return known;
	}
	if (known != NULL)
		before = *known;
	else
		set_name(&before, chain->leaf);
	remove_from(verifier->certificates, chain->certificate);
	known = table_touch(verifier->certificates[verdict->state == SIGN_GOOD
					    ? TRUSTED
					    : FOREIGN],
		sign_id(chain->certificate), &made);
	*known = before;
	known->verdict = *verdict;
	known->judged = now;
	if (verdict->state != SIGN_GOOD)
		memcpy(known->tried[known->tried_count++ % SIGN_TRIED_MAX],
			chain->digest, sizeof(chain->digest));
	return known;
}

/* What is known of the chain's leaf; the chain is looked at if it can tell
 * more. */
static const struct known_certificate *
certify(struct verifier *verifier, struct span source,
	const struct chain *chain, int64_t now)
{
	struct known_certificate *known = verifier_find(verifier->certificates,
		chain->certificate);
	struct chain_verdict verdict;

	if (known != NULL && !wants_judging(known, chain, now))
		return known;
	chain_judge(&verdict, chain, verifier->trust, now);
	verifier->counts.operations++;
	/* Anybody can make as many of these as he likes. */
	if (verdict.state != SIGN_GOOD)
		verifier_charge(verifier, BUDGET_ALL, source, now);
	return keep_verdict(verifier, chain, &verdict, now);
}

/* Learns a key whose binding and chain are of the right form and belong
 * together. */
static enum verifier_learned
learn_key(struct verifier *verifier, struct span source,
	const unsigned char *id, const struct binding *binding,
	const struct chain *chain, int64_t now, const char **why)
{
	if (!budget_allows(verifier->budget, source, now)) {
		*why = N_("too many signatures failed lately");
		return VERIFIER_BUSY;
	}
	const struct known_certificate *known = certify(verifier, source, chain,
		now);
	if (known->verdict.state == SIGN_BAD) {
		*why = add_bad(verifier, id, chain, known->verdict.why);
		return VERIFIER_BAD;
	}
	verifier->counts.operations++;
	if (!binding_verify(binding, X509_get0_pubkey(chain->leaf))) {
		verifier_charge(verifier, BUDGET_ALL, source, now);
		*why = add_bad(verifier, id, chain,
			N_("the binding's signature does not fit"));
		return VERIFIER_BAD;
	}
	add_key(verifier, id, binding, known->verdict.state == SIGN_GOOD,
		source);
	return VERIFIER_NEW;
}

/* A chain that is incomplete, damaged, or not this binding's says nothing
 * about the key: anybody may have put it there. */
static enum verifier_learned
learn(struct verifier *verifier, struct span source, const unsigned char *id,
	struct span bytes, struct span cert, int64_t now, const char **why)
{
	enum verifier_learned learned = VERIFIER_BAD;
	struct binding binding;
	struct chain chain;

	*why = binding_parse(&binding, bytes);
	if (*why != NULL) {
		add_bad(verifier, id, NULL, *why);
		return VERIFIER_BAD;
	}
	*why = cert.len > 0 ? chain_parse(&chain, cert)
			    : N_("the certificate is missing");
	if (*why != NULL)
		return VERIFIER_BAD;
	if (memcmp(chain.certificate, binding.certificate,
		    sizeof(binding.certificate)) != 0)
		*why = N_("the binding is of another certificate");
	else
		learned = learn_key(verifier, source, id, &binding, &chain, now,
			why);
	chain_free(&chain);
	return learned;
}

/* A known key's certificate may come with a better chain.  False if nothing
 * is known of that certificate any more. */
static bool
look_again(struct verifier *verifier, struct span source, const struct key *key,
	struct span cert, int64_t now)
{
	struct known_certificate *known = verifier_find(verifier->certificates,
		key->certificate);
	struct chain chain;

	if (known == NULL)
		return false;
	if (cert.len == 0 ||
		(known->verdict.state == SIGN_GOOD &&
			!sign_is_over(known->verdict.chain_end, now)) ||
		chain_parse(&chain, cert) != NULL)
		return true;
	if (memcmp(chain.certificate, key->certificate,
		    sizeof(key->certificate)) == 0 &&
		budget_allows(verifier->budget, source, now))
		certify(verifier, source, &chain, now);
	chain_free(&chain);
	return true;
}

bool
sign_key_of_bind(struct span bind,
	unsigned char key_id[static SIGN_KEY_ID_BYTES])
{
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	long len = sign_decode(bytes, bind, SIGN_BIND_BYTES_MAX);

	if (len < 0)
		return false;
	sign_digest((struct span){ (const char *)bytes, (size_t)len }, key_id);
	return true;
}

enum verifier_learned
verifier_learn(struct verifier *verifier, struct span source, struct span bind,
	struct span cert, int64_t now, const char **why)
{
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	unsigned char id[SIGN_KEY_ID_BYTES];
	const char *ignored;

	if (why == NULL)
		why = &ignored;
	*why = NULL;
	long len = sign_decode(bytes, bind, SIGN_BIND_BYTES_MAX);
	if (len < 0) {
		*why = N_("the binding is malformed");
		return VERIFIER_BAD;
	}
	struct span binding = { (const char *)bytes, (size_t)len };
	sign_digest(binding, id);
	const struct key *key = verifier_find(verifier->keys, id);
	if (key != NULL && look_again(verifier, source, key, cert, now))
		return VERIFIER_KNOWN;
	const struct bad_key *bad = table_find(verifier->bad, sign_id(id));
	if (bad != NULL) {
		*why = bad->why;
		return VERIFIER_BAD;
	}
	return learn(verifier, source, id, binding, cert, now, why);
}
