/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_state.h"

#include "certificate.h"
#include "memory.h"
#include "table.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	BINDINGS = 4096,
	BAD_BINDINGS = 4096,
	CERTIFICATES = 4096,
	/* What strangers can make as much of as they like has so small a part
	 * of that beside it. */
	FOREIGN_PART = 4,
	/* When the table is full, one certificate has at most so small a part:
	 * its owner pushes out none but his own. */
	CERTIFICATE_PART = 8,
	TRIED_MAX = 4,
	HOMES_MAX = 2,
	/* Between two looks at a chain that has ended. */
	RETRY_MS = 60 * 1000,
	LAST_MS = 999, /* of the second with which a certificate ends */
};

enum { FOREIGN, TRUSTED, KINDS };

struct home {
	size_t len; /* 0: none; one without a name is never at home */
	char bytes[TABLE_KEY_MAX];
};

/* A key whose binding is good. */
struct key {
	unsigned char key[SIGN_KEY_BYTES];
	unsigned char x25519[SIGN_KEY_BYTES];
	unsigned char certificate[SIGN_KEY_ID_BYTES];
	int64_t begin, end;
	bool is_scoped;
	unsigned char scope[SIGN_KEY_ID_BYTES]; /* digest of the topic */
	struct home homes[HOMES_MAX]; /* sources of good ones, newest first */
};

struct bad_key {
	const char *why;
	bool has_certificate;
	unsigned char certificate[SIGN_KEY_ID_BYTES];
};

struct known_certificate {
	struct chain_verdict verdict;
	char name[SIGN_NAME_MAX];
	/* Chains that did not lead to a trusted authority. */
	unsigned char tried[TRIED_MAX][SIGN_KEY_ID_BYTES];
	size_t tried_count;
	int64_t judged; /* when, in ms */
};

struct verifier {
	struct trust *trust;
	struct budget *budget;
	struct verifier_limits limits;
	struct table *keys[KINDS];         /* struct key, by key id */
	struct table *certificates[KINDS]; /* by SHA-256 of the DER */
	struct table *bad;                 /* struct bad_key, by key id */
	struct verifier_counts counts;
	struct text bytes; /* what was signed; kept for its memory */
};

static struct span
span_id(const unsigned char *id)
{
	return (struct span){ (const char *)id, SIGN_KEY_ID_BYTES };
}

static size_t
part(size_t whole, size_t parts)
{
	return whole > parts ? whole / parts : 1;
}

static void
forget(struct verifier *verifier)
{
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
		size_t parts = i == TRUSTED ? 1 : FOREIGN_PART;

		verifier->keys[i] = table_new(sizeof(struct key),
			part(limits->bindings, parts));
		verifier->certificates[i] =
			table_new(sizeof(struct known_certificate),
				part(limits->certificates, parts));
	}
	verifier->bad = table_new(sizeof(struct bad_key), limits->bad);
}

struct verifier *
verifier_new(const struct verifier_config *config, struct fault *fault)
{
	struct trust *trust = trust_new(config, fault);

	if (trust == NULL)
		return NULL;
	struct verifier *verifier = memory_alloc(1, sizeof(*verifier));
	struct verifier_limits *limits = &verifier->limits;
	verifier->trust = trust;
	*limits = config->limits;
	if (limits->bindings == 0)
		limits->bindings = BINDINGS;
	if (limits->bad == 0)
		limits->bad = BAD_BINDINGS;
	if (limits->certificates == 0)
		limits->certificates = CERTIFICATES;
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
	trust_free(verifier->trust);
	budget_free(verifier->budget);
	text_free(&verifier->bytes);
	free(verifier);
}

int
verifier_trust(struct verifier *verifier, const struct verifier_config *config,
	struct fault *fault)
{
	struct trust *trust = trust_new(config, fault);

	if (trust == NULL)
		return -1;
	trust_free(verifier->trust);
	verifier->trust = trust;
	forget(verifier);
	make_tables(verifier);
	return 0;
}

struct verifier_counts
verifier_counts(const struct verifier *verifier)
{
	return verifier->counts;
}

static void
charge(struct verifier *verifier, struct span source, int64_t now)
{
	verifier->counts.failures++;
	budget_charge(verifier->budget, source, now);
}

/* In one of two tables; it is then the one used last. */
static void *
find(struct table *const tables[static KINDS], const unsigned char *id)
{
	bool made;

	for (int i = 0; i < KINDS; i++)
		if (table_find(tables[i], span_id(id)) != NULL)
			return table_touch(tables[i], span_id(id), &made);
	return NULL;
}

static void
remove_from(struct table *const tables[static KINDS], const unsigned char *id)
{
	for (int i = 0; i < KINDS; i++) {
		void *entry = table_find(tables[i], span_id(id));

		if (entry != NULL)
			table_remove(tables[i], entry);
	}
}

static bool
is_home(const struct key *key, struct span source)
{
	for (size_t i = 0; i < HOMES_MAX; i++)
		if (key->homes[i].len > 0 &&
			span_equal(source,
				(struct span){ key->homes[i].bytes,
					key->homes[i].len }))
			return true;
	return false;
}

static void
note_home(struct key *key, struct span source)
{
	struct home *first = &key->homes[0];

	if (source.len == 0 || source.len > sizeof(first->bytes) ||
		span_equal(source, (struct span){ first->bytes, first->len }))
		return;
	memmove(first + 1, first, (HOMES_MAX - 1) * sizeof(*first));
	first->len = source.len;
	memcpy(first->bytes, source.bytes, source.len);
}

/* Makes room in a full table where one certificate has too much of it. */
static void
make_room(struct table *keys, size_t most, const unsigned char *certificate)
{
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
	if (own_oldest != NULL && own >= part(most, CERTIFICATE_PART))
		table_remove(keys, own_oldest);
}

static void
add_key(struct verifier *verifier, const unsigned char *id,
	const struct binding *binding, bool is_trusted, struct span source)
{
	struct table *keys = verifier->keys[is_trusted ? TRUSTED : FOREIGN];
	size_t most = verifier->limits.bindings;
	bool made;

	make_room(keys, is_trusted ? most : part(most, FOREIGN_PART),
		binding->certificate);
	struct key *key = table_touch(keys, span_id(id), &made);
	memcpy(key->key, binding->key, sizeof(key->key));
	memcpy(key->x25519, binding->x25519, sizeof(key->x25519));
	memcpy(key->certificate, binding->certificate,
		sizeof(key->certificate));
	key->begin = binding->begin;
	key->end = binding->end;
	key->is_scoped = binding->scope.len > 0;
	if (key->is_scoped)
		sign_digest(binding->scope, key->scope);
	note_home(key, source);
}

/* Remembers that this key is bad, which nothing can change. */
static const char *
add_bad(struct verifier *verifier, const unsigned char *id,
	const struct chain *chain, const char *why)
{
	bool made;
	struct bad_key *bad = table_touch(verifier->bad, span_id(id), &made);

	bad->why = why;
	bad->has_certificate = chain != NULL;
	if (chain != NULL)
		memcpy(bad->certificate, chain->certificate,
			sizeof(bad->certificate));
	return why;
}

/* Is a time that is given in seconds over?  It may be INT64_MAX. */
static bool
is_over(int64_t end, int64_t at)
{
	return at > end && at - end > LAST_MS;
}

static bool
was_tried(const struct known_certificate *known, const struct chain *chain)
{
	for (size_t i = 0; i < known->tried_count && i < TRIED_MAX; i++)
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
		return is_over(known->verdict.chain_end, now) &&
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
	struct known_certificate *known = find(verifier->certificates,
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
		span_id(chain->certificate), &made);
	*known = before;
	known->verdict = *verdict;
	known->judged = now;
	if (verdict->state != SIGN_GOOD)
		memcpy(known->tried[known->tried_count++ % TRIED_MAX],
			chain->digest, sizeof(chain->digest));
	return known;
}

/* What is known of the chain's leaf; the chain is looked at if it can tell
 * more. */
static const struct known_certificate *
certify(struct verifier *verifier, struct span source,
	const struct chain *chain, int64_t now)
{
	struct known_certificate *known = find(verifier->certificates,
		chain->certificate);
	struct chain_verdict verdict;

	if (known != NULL && !wants_judging(known, chain, now))
		return known;
	chain_judge(&verdict, chain, verifier->trust, now);
	verifier->counts.operations++;
	/* Anybody can make as many of these as he likes. */
	if (verdict.state != SIGN_GOOD)
		charge(verifier, source, now);
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
		*why = "too many signatures failed lately";
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
		charge(verifier, source, now);
		*why = add_bad(verifier, id, chain,
			"the binding's signature does not fit");
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
			    : "the certificate is missing";
	if (*why != NULL)
		return VERIFIER_BAD;
	if (memcmp(chain.certificate, binding.certificate,
		    sizeof(binding.certificate)) != 0)
		*why = "the binding is of another certificate";
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
	struct known_certificate *known = find(verifier->certificates,
		key->certificate);
	struct chain chain;

	if (known == NULL)
		return false;
	if (cert.len == 0 ||
		(known->verdict.state == SIGN_GOOD &&
			!is_over(known->verdict.chain_end, now)) ||
		chain_parse(&chain, cert) != NULL)
		return true;
	if (memcmp(chain.certificate, key->certificate,
		    sizeof(key->certificate)) == 0 &&
		budget_allows(verifier->budget, source, now))
		certify(verifier, source, &chain, now);
	chain_free(&chain);
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
		*why = "the binding is malformed";
		return VERIFIER_BAD;
	}
	struct span binding = { (const char *)bytes, (size_t)len };
	sign_digest(binding, id);
	const struct key *key = find(verifier->keys, id);
	if (key != NULL && look_again(verifier, source, key, cert, now))
		return VERIFIER_KNOWN;
	const struct bad_key *bad = table_find(verifier->bad, span_id(id));
	if (bad != NULL) {
		*why = bad->why;
		return VERIFIER_BAD;
	}
	return learn(verifier, source, id, binding, cert, now, why);
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
		return "its key was not valid yet";
	if (sent > key->end)
		return "its key was not valid any more";
	if (sent < known->verdict.begin)
		return "the certificate was not valid yet";
	if (is_over(known->verdict.end, sent))
		return "the certificate had expired";
	if (!key->is_scoped)
		return NULL;
	sign_digest(topic, digest);
	return memcmp(digest, key->scope, sizeof(digest)) == 0
		? NULL
		: "its key is for another room";
}

/* NULL, or why a message that is good is not to be trusted. */
static const char *
doubt(const struct chain_verdict *verdict, int64_t sent, int64_t now)
{
	if (verdict->state != SIGN_GOOD)
		return verdict->why;
	if (sent < verdict->chain_begin || is_over(verdict->chain_end, sent))
		return "an authority's certificate was not valid";
	if (is_over(verdict->crl_end, now))
		return "the revocation list of the certificate's authority is "
		       "out of date";
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
	struct key *key = find(verifier->keys, id);
	const struct bad_key *bad = table_find(verifier->bad, span_id(id));

	*known = NULL;
	if (key != NULL)
		*known = find(verifier->certificates, key->certificate);
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
		return say(verdict, SIGN_BAD, "the signature is malformed");
	memcpy(verdict->key_id, sig.key_id, sizeof(sig.key_id));
	verdict->sent = sig.sent;
	struct key *key = find_key(verifier, verdict, &known);
	if (key == NULL)
		return verdict->state;
	describe(verdict, key, known);
	const char *why = misfit(key, known, topic, sig.sent);
	if (why != NULL)
		return say(verdict, SIGN_BAD, why);
	if (!is_home(key, source) &&
		!budget_allows(verifier->budget, source, now))
		return say(verdict, SIGN_BUSY,
			"too many signatures failed lately");
	if (!is_signed(verifier, key, topic, payload, &sig)) {
		charge(verifier, source, now);
		return say(verdict, SIGN_BAD, "the signature does not fit");
	}
	note_home(key, source);
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
