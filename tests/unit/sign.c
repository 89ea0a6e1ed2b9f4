/* SPDX-License-Identifier: Apache-2.0 */
#include "sign.h"

#include "identity.h"
#include "memory.h"
#include "sign_state.h"
#include "tap.h"

#include <ftw.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

static char folder[256];
static int64_t now; /* ms; fixed when the test starts */
static const char topic_text[] = "/mcafee/event/qchat/ops";

/* A certificate and its key. */
struct pair {
	EVP_PKEY *key;
	X509 *certificate;
};

/* How a certificate is to be made; 0 or NULL for the usual. */
struct wish {
	EVP_PKEY *key; /* NULL: a new one, P-256 */
	const char *name;
	bool is_ca;
	long from, until; /* seconds from now; 0: ten days each */
	const char *usage;
	long serial;
};

static struct pair root, middle, other_root, alice, bob;

static void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static long
ten_days(long given, long sign)
{
	return given != 0 ? given : sign * 10 * DAY;
}

static void
sign_certificate(X509 *certificate, EVP_PKEY *key)
{
	int type = EVP_PKEY_get_base_id(key);
	bool own = type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448;

	X509_sign(certificate, key, own ? NULL : EVP_sha256());
}

/* issuer NULL: signed by itself. */
static struct pair
make(const struct pair *issuer, struct wish wish)
{
	static long serial = 1000;
	struct pair made = { wish.key, X509_new() };

	if (made.key == NULL)
		made.key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else
		EVP_PKEY_up_ref(made.key);
	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate),
		wish.serial != 0 ? wish.serial : serial++);
	time_t at = (time_t)(now / 1000);
	X509_time_adj_ex(X509_getm_notBefore(made.certificate), 0,
		ten_days(wish.from, -1), &at);
	X509_time_adj_ex(X509_getm_notAfter(made.certificate), 0,
		ten_days(wish.until, 1), &at);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate),
		"CN", MBSTRING_UTF8, (const unsigned char *)wish.name, -1, -1,
		0);
	X509_set_issuer_name(made.certificate,
		X509_get_subject_name(
			issuer ? issuer->certificate : made.certificate));
	X509_set_pubkey(made.certificate, made.key);
	add_extension(made.certificate, NID_basic_constraints,
		wish.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (wish.usage != NULL)
		add_extension(made.certificate, NID_ext_key_usage, wish.usage);
	sign_certificate(made.certificate, issuer ? issuer->key : made.key);
	return made;
}

static void
pair_free(struct pair *pair)
{
	EVP_PKEY_free(pair->key);
	X509_free(pair->certificate);
}

static struct pair
leaf(const struct pair *issuer, const char *name)
{
	return make(issuer,
		(struct wish){ .name = name, .usage = "clientAuth" });
}

static FILE *
open_new(const char *path)
{
	unlink(path);
	FILE *file = fopen(path, "w");

	if (file == NULL) {
		perror(path);
		exit(99);
	}
	return file;
}

/* An identity of those files; chain ends with NULL. */
static struct identity *
identity_of(const struct pair *own, X509 *const *chain)
{
	static char ca[] = "ca.pem", certificate[] = "c.pem", key[] = "k.pem",
		    name[] = "q.conf";
	struct conf conf = { .file = name,
		.ca = ca,
		.certificate = certificate,
		.key = key };
	struct fault fault = { 0 };
	FILE *file = open_new(ca);

	PEM_write_X509(file, root.certificate);
	fclose(file);
	file = open_new(certificate);
	PEM_write_X509(file, own->certificate);
	for (; chain != NULL && *chain != NULL; chain++)
		PEM_write_X509(file, *chain);
	fclose(file);
	file = open_new(key);
	chmod(key, 0600);
	PEM_write_PrivateKey(file, own->key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	struct identity *identity = identity_open(&conf, &fault);
	if (identity == NULL)
		printf("# %s\n", fault.text);
	return identity;
}

/* A signer with the identity that it borrows. */
struct voice {
	struct identity *identity;
	struct signer *signer;
};

static struct voice
voice_at(const struct pair *own, X509 *const *chain, int64_t at)
{
	struct fault fault = { 0 };
	struct voice voice = { .identity = identity_of(own, chain) };

	voice.signer = signer_new(voice.identity, at, &fault);
	if (voice.signer == NULL)
		printf("# %s\n", fault.text);
	return voice;
}

static struct voice
voice_of(const struct pair *own)
{
	return voice_at(own, NULL, now);
}

static void
voice_free(struct voice *voice)
{
	signer_free(voice->signer);
	identity_free(voice->identity);
}

static void
append_pem(struct text *pem, X509 *certificate, X509_CRL *list)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;

	if (certificate != NULL)
		PEM_write_bio_X509(bio, certificate);
	if (list != NULL)
		PEM_write_bio_X509_CRL(bio, list);
	long len = BIO_get_mem_data(bio, &bytes);
	text_append(pem, bytes, (size_t)len);
	BIO_free(bio);
}

static struct span
all_of(const struct text *text)
{
	return (struct span){ text->bytes, text->len };
}

static struct verifier *
verifier_of(X509 *authority, X509_CRL *list,
	const struct verifier_limits *limits)
{
	struct verifier_config config = { .ca_file = "ca.pem",
		.crl_file = list != NULL ? "crl.pem" : NULL };
	struct fault fault = { 0 };
	struct text ca = { 0 }, crl = { 0 };

	append_pem(&ca, authority, NULL);
	if (list != NULL)
		append_pem(&crl, NULL, list);
	config.ca = all_of(&ca);
	config.crl = all_of(&crl);
	if (limits != NULL)
		config.limits = *limits;
	struct verifier *verifier = verifier_new(&config, &fault);
	if (verifier == NULL)
		printf("# %s\n", fault.text);
	text_free(&ca);
	text_free(&crl);
	return verifier;
}

static const struct span peer = { "peer", 4 };

/* What is wrong with introducing the key; NULL if nothing. */
static const char *
learn(struct verifier *verifier, const struct voice *voice)
{
	const char *why = "no reason";

	verifier_learn(verifier, peer, span_of(signer_bind(voice->signer)),
		span_of(signer_cert(voice->signer)), now, &why);
	return why;
}

static enum sign_state
check_from(struct verifier *verifier, struct span source, const char *payload,
	const char *sig, struct verdict *verdict)
{
	return verifier_check(verifier, source, span_of(topic_text),
		span_of(payload), span_of(sig), now, verdict);
}

/* Signs at a time, and checks. */
static struct verdict
hear(struct verifier *verifier, const struct voice *voice, int64_t sent)
{
	struct verdict verdict;
	char sig[SIGN_SIG_MAX];

	signer_sign(voice->signer, span_of(topic_text), span_of("{}"), sent,
		sig);
	check_from(verifier, peer, "{}", sig, &verdict);
	return verdict;
}

/* Makes it known to a new verifier, signs, and checks. */
static void
expect(X509 *authority, X509_CRL *list, const struct voice *voice, int64_t sent,
	enum sign_state state, const char *why, const char *name)
{
	struct verifier *verifier = verifier_of(authority, list, NULL);

	learn(verifier, voice);
	struct verdict verdict = hear(verifier, voice, sent);
	if (!ok(verdict.state == state, "%s", name))
		printf("# state %d, not %d\n", verdict.state, state);
	is(verdict.why, why, "for that reason");
	verifier_free(verifier);
}

static void
test_round_trip(const char *name, EVP_PKEY *key)
{
	struct pair own = make(&root,
		(struct wish){ .name = "alice",
			.key = key,
			.usage = "clientAuth" });
	struct voice voice = voice_of(&own);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	struct verdict verdict;
	char sig[SIGN_SIG_MAX];

	ok(voice.signer != NULL, "%s: signs a binding", name);
	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now, sig);
	ok(strlen(sig) == SIGN_SIG_MAX - 1, "the signature's text");
	ok(check_from(verifier, peer, "{}", sig, &verdict) == SIGN_UNKNOWN,
		"whose key is not known");
	ok(memcmp(verdict.key_id, signer_key_id(voice.signer),
		   SIGN_KEY_ID_BYTES) == 0 &&
			verdict.sent == now && verdict.fingerprint[0] == '\0',
		"of which the key id is told");
	is(learn(verifier, &voice), NULL, "it is learnt");
	ok(check_from(verifier, peer, "{}", sig, &verdict) == SIGN_GOOD,
		"and good");
	is(verdict.why, NULL, "without any doubt");
	is(verdict.name, "alice", "whose name is told");
	is(verdict.fingerprint, identity_fingerprint(voice.identity),
		"and the certificate");
	is(signer_fingerprint(voice.signer), verdict.fingerprint,
		"which the signer knows too");
	ok(memcmp(verdict.x25519, signer_x25519(voice.signer),
		   SIGN_KEY_BYTES) == 0,
		"and the X25519 key");
	ok(verdict.not_after == signer_not_after(voice.signer) &&
			verdict.not_after == now + SIGN_LIFE,
		"and until when");
	is(learn(verifier, &voice), NULL, "learnt again");
	ok(verifier_counts(verifier).operations == 3,
		"which costs nothing: chain, binding, message");
	verifier_free(verifier);
	voice_free(&voice);
	pair_free(&own);
}

/* Another character of the alphabet at that place. */
static void
spoil(char *text, size_t at)
{
	text[at] = text[at] == 'A' ? 'B' : 'A';
}

static void
test_altered(void)
{
	struct voice voice = voice_of(&alice);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	struct verdict verdict;
	char sig[SIGN_SIG_MAX], altered[SIGN_SIG_MAX + 8];
	struct sign_sig parts;

	learn(verifier, &voice);
	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now, sig);
	check_from(verifier, peer, "{ }", sig, &verdict);
	ok(verdict.state == SIGN_BAD, "another payload");
	is(verdict.why, "the signature does not fit", "does not fit");
	ok(verifier_check(verifier, peer, span_of("/mcafee/event/qchat/op"),
		   span_of("s{}"), span_of(sig), now, &verdict) == SIGN_BAD,
		"another topic, with the same bytes");
	sign_sig_parse(&parts, span_of(sig));
	parts.sent++;
	sign_sig_format(&parts, altered);
	check_from(verifier, peer, "{}", altered, &verdict);
	ok(verdict.state == SIGN_BAD && verdict.sent == now + 1,
		"another time of sending");
	parts.sent--;
	parts.key_id[31] ^= 1;
	sign_sig_format(&parts, altered);
	ok(check_from(verifier, peer, "{}", altered, &verdict) == SIGN_UNKNOWN,
		"another key id");
	parts.key_id[31] ^= 1;
	parts.signature[63] ^= 0x10;
	sign_sig_format(&parts, altered);
	ok(check_from(verifier, peer, "{}", altered, &verdict) == SIGN_BAD,
		"another signature");
	int unfit = 0;
	for (size_t i = 0; i < SIGN_SIG_MAX - 1; i++) {
		strcpy(altered, sig);
		spoil(altered, i);
		check_from(verifier, (struct span){ (char *)&i, sizeof(i) },
			"{}", altered, &verdict);
		unfit += verdict.state == SIGN_BAD ||
			verdict.state == SIGN_UNKNOWN;
	}
	ok(unfit == SIGN_SIG_MAX - 1, "any other character");
	ok(check_from(verifier, peer, "{}", sig, &verdict) == SIGN_GOOD,
		"and the original is good");
	verifier_free(verifier);
	voice_free(&voice);
}

static void
test_form(void)
{
	struct voice voice = voice_of(&alice);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	struct verdict verdict;
	char sig[SIGN_SIG_MAX], altered[SIGN_SIG_MAX + 8];
	struct text huge = { 0 };
	const char *why;

	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now, sig);
	int bad = 0;
	for (size_t len = 0; len < SIGN_SIG_MAX - 1; len++)
		bad += verifier_check(verifier, peer, span_of(topic_text),
			       span_of("{}"), (struct span){ sig, len }, now,
			       &verdict) == SIGN_BAD;
	ok(bad == SIGN_SIG_MAX - 1, "a truncated signature");
	is(verdict.why, "the signature is malformed", "is malformed");
	snprintf(altered, sizeof(altered), "%sAAAA", sig);
	ok(check_from(verifier, peer, "{}", altered, &verdict) == SIGN_BAD,
		"and so is a longer one");
	snprintf(altered, sizeof(altered), " %.*s", SIGN_SIG_MAX - 2, sig + 1);
	ok(check_from(verifier, peer, "{}", altered, &verdict) == SIGN_BAD,
		"and white space");
	strcpy(altered, sig);
	altered[0] = 'B';
	ok(check_from(verifier, peer, "{}", altered, &verdict) == SIGN_BAD,
		"and an unknown version");

	struct span bind = span_of(signer_bind(voice.signer));
	struct span cert = span_of(signer_cert(voice.signer));
	const struct span sources[] = { span_of("bind"), span_of("cert") };
	bad = 0;
	for (size_t len = 0; len < bind.len; len++)
		bad += verifier_learn(verifier, sources[0],
			       (struct span){ bind.bytes, len }, cert, now,
			       &why) != VERIFIER_NEW;
	ok(bad == (int)bind.len, "a truncated binding");
	bad = 0;
	for (size_t len = 0; len < cert.len; len++)
		bad += verifier_learn(verifier, sources[1], bind,
			       (struct span){ cert.bytes, len }, now,
			       &why) == VERIFIER_BAD;
	ok(bad == (int)cert.len, "a truncated certificate");
	is(why, "the certificate is malformed", "is malformed");
	verifier_learn(verifier, peer, bind, span_of(""), now, &why);
	is(why, "the certificate is missing", "a missing one is missing");
	memset(text_extend(&huge, 1 << 20), 'A', 1 << 20);
	ok(verifier_learn(verifier, peer, all_of(&huge), cert, now, &why) ==
			VERIFIER_BAD,
		"a huge binding");
	ok(verifier_learn(verifier, peer, bind, all_of(&huge), now, &why) ==
			VERIFIER_BAD,
		"a huge certificate");
	ok(check_from(verifier, peer, "{}", huge.bytes, &verdict) == SIGN_BAD,
		"a huge signature");
	text_clear(&huge);
	for (int i = 0; i < SIGN_CHAIN_MAX + 1; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(alice.certificate, &der);

		text_append(&huge, der, (size_t)len);
		OPENSSL_free(der);
	}
	char *many = memory_alloc(huge.len * 2, 1);
	sign_encode(many, all_of(&huge));
	verifier_learn(verifier, peer, bind, span_of(many), now, &why);
	is(why, "the certificate is malformed", "too many certificates");
	free(many);
	ok(verifier_learn(verifier, peer, bind, cert, now, &why) ==
			VERIFIER_NEW,
		"none of which spoils the key");
	text_free(&huge);
	verifier_free(verifier);
	voice_free(&voice);
}

static void
test_decode(void)
{
	unsigned char bytes[10];
	static const char *const bad[] = { "", "A", "AA==A",
		"====", "A===", "AB==", "AAB=", "AA=A", "=AAA", "AAAA\n",
		"AA A", "AA-_", "AAAAAAAAAAAA" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(sign_decode(bytes, span_of(bad[i]), 8) == -1,
			"not base64: %s", bad[i]);
	ok(sign_decode(bytes, span_of("/+8="), 8) == 2 && bytes[0] == 0xff &&
			bytes[1] == 0xef,
		"base64");
	ok(sign_decode(bytes, span_of("AAAAAAAAAAA="), 8) == 8, "as much");
}

/* The text of a binding as one wishes it, signed by that key. */
static char *
forge(const struct binding *binding, EVP_PKEY *key)
{
	struct text bytes = { 0 };
	char *text = memory_alloc(SIGN_BIND_MAX, 1);

	binding_format(binding, &bytes);
	binding_sign(&bytes, key);
	sign_encode(text, all_of(&bytes));
	text_free(&bytes);
	return text;
}

/* A binding of that session key and of that certificate. */
static struct binding
binding_of(const struct voice *voice, const struct pair *own)
{
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	struct binding binding;
	unsigned len;

	long all = sign_decode(bytes, span_of(signer_bind(voice->signer)),
		SIGN_BIND_BYTES_MAX);
	binding_parse(&binding, (struct span){ (char *)bytes, (size_t)all });
	X509_digest(own->certificate, EVP_sha256(), binding.certificate, &len);
	binding.scope = (struct span){ "", 0 };
	return binding;
}

static const char *
learn_forged(struct verifier *verifier, const struct binding *binding,
	EVP_PKEY *key, struct span cert)
{
	char *text = forge(binding, key);
	const char *why;

	verifier_learn(verifier, peer, span_of(text), cert, now, &why);
	free(text);
	return why;
}

static void
test_bindings(void)
{
	struct voice voice = voice_of(&alice), thief = voice_of(&bob);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	struct span alices = span_of(signer_cert(voice.signer));
	struct span bobs = span_of(signer_cert(thief.signer));
	struct binding binding = binding_of(&thief, &alice);
	struct verdict verdict;
	const char *why;

	verifier_learn(verifier, peer, span_of(signer_bind(voice.signer)), bobs,
		now, &why);
	is(why, "the binding is of another certificate",
		"a stolen binding with one's own certificate");
	is(learn_forged(verifier, &binding, bob.key, bobs),
		"the binding is of another certificate",
		"a binding to another's certificate with one's own");
	is(learn_forged(verifier, &binding, bob.key, alices),
		"the binding's signature does not fit",
		"a binding to another's certificate, signed by oneself");
	unsigned long before = verifier_counts(verifier).operations;
	binding = binding_of(&thief, &bob);
	memcpy(binding.certificate, binding_of(&voice, &alice).certificate,
		sizeof(binding.certificate));
	char *forged = forge(&binding, alice.key);
	forged[20] = forged[20] == 'A' ? 'B' : 'A';
	verifier_learn(verifier, peer, span_of(forged), alices, now, &why);
	is(why, "the binding's signature does not fit",
		"a binding with another session key");
	ok(verifier_counts(verifier).operations == before + 1,
		"costs one operation");
	verifier_learn(verifier, peer, span_of(forged), alices, now, &why);
	ok(verifier_counts(verifier).operations == before + 1, "and no second");
	is(why, "the binding's signature does not fit",
		"the reason is remembered");
	free(forged);

	binding = binding_of(&voice, &alice);
	binding.end = binding.begin + SIGN_LIFE_MAX + 1;
	is(learn_forged(verifier, &binding, alice.key, alices),
		"the binding is valid for too long", "one for ever");
	binding.end = binding.begin - 1;
	is(learn_forged(verifier, &binding, alice.key, alices),
		"the binding's dates are impossible", "one that ends first");
	binding = binding_of(&voice, &alice);
	binding.scope = span_of("/mcafee/event/qchat/other");
	is(learn_forged(verifier, &binding, alice.key, alices), NULL,
		"one for another room");
	forged = forge(&binding, alice.key);
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	/* ECDSA is not deterministic: the key id is of this text. */
	verifier_learn(verifier, peer, span_of(forged), alices, now, &why);
	struct sign_sig sig = { .sent = now };
	long len = sign_decode(bytes, span_of(forged), SIGN_BIND_BYTES_MAX);
	sign_digest((struct span){ (char *)bytes, (size_t)len }, sig.key_id);
	char text[SIGN_SIG_MAX];
	sign_sig_format(&sig, text);
	check_from(verifier, peer, "{}", text, &verdict);
	is(verdict.why, "its key is for another room", "is not for this one");
	free(forged);
	is(learn(verifier, &voice), NULL, "and the good one is good");
	verifier_free(verifier);
	voice_free(&voice);
	voice_free(&thief);
}

static void
test_dates(void)
{
	int64_t day = SIGN_DAY;
	struct pair old = make(&root,
		(struct wish){ .name = "old", .until = 2 * DAY });
	struct pair new = make(&root,
		(struct wish){ .name = "new", .from = -60 });
	struct voice voice = voice_of(&alice), short_lived = voice_of(&old),
		     young = voice_of(&new);
	X509 *ca = root.certificate;

	expect(ca, NULL, &voice, now - SIGN_EARLY, SIGN_GOOD, NULL,
		"from a clock that is behind");
	expect(ca, NULL, &voice, now - SIGN_EARLY - 1, SIGN_BAD,
		"its key was not valid yet", "before the binding begins");
	expect(ca, NULL, &voice, now + SIGN_LIFE, SIGN_GOOD, NULL,
		"as long as the binding is valid");
	expect(ca, NULL, &voice, now + SIGN_LIFE + 1, SIGN_BAD,
		"its key was not valid any more", "after its end");
	ok(signer_not_after(short_lived.signer) == now / 1000 * 1000 + 2 * day,
		"no binding is valid for longer than its certificate");
	expect(ca, NULL, &young, now - 2 * SIGN_MINUTE, SIGN_BAD,
		"the certificate was not valid yet",
		"before the certificate begins");

	/* What a signer would not make. */
	struct verifier *verifier = verifier_of(ca, NULL, NULL);
	struct binding binding = binding_of(&short_lived, &old);
	struct sign_sig sig = { .sent = now + 3 * day };
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	char text[SIGN_SIG_MAX];
	struct verdict verdict;
	binding.end = now + 4 * day;
	char *forged = forge(&binding, old.key);
	verifier_learn(verifier, peer, span_of(forged),
		span_of(signer_cert(short_lived.signer)), now, NULL);
	long len = sign_decode(bytes, span_of(forged), SIGN_BIND_BYTES_MAX);
	sign_digest((struct span){ (char *)bytes, (size_t)len }, sig.key_id);
	sign_sig_format(&sig, text);
	check_from(verifier, peer, "{}", text, &verdict);
	ok(verdict.state == SIGN_BAD, "after the certificate's end");
	is(verdict.why, "the certificate had expired", "is said so");
	free(forged);
	verifier_free(verifier);

	struct pair short_root = make(NULL,
		(struct wish){ .name = "root", .is_ca = true, .until = DAY });
	struct pair own = leaf(&short_root, "carol");
	struct voice carol = voice_of(&own);
	expect(short_root.certificate, NULL, &carol, now + 2 * day,
		SIGN_UNTRUSTED, "an authority's certificate was not valid",
		"after the authority's end");
	voice_free(&carol);
	voice_free(&voice);
	voice_free(&short_lived);
	voice_free(&young);
	pair_free(&own);
	pair_free(&short_root);
	pair_free(&old);
	pair_free(&new);
}

static void
test_chains(void)
{
	struct pair self = leaf(NULL, "alice");
	struct pair foreign = leaf(&other_root, "alice");
	struct pair below = leaf(&middle, "dave");
	struct voice voices[] = { voice_of(&self), voice_of(&foreign),
		voice_at(&below, (X509 *[]){ middle.certificate, NULL }, now),
		voice_of(&below),
		voice_at(&below,
			(X509 *[]){ middle.certificate, root.certificate,
				NULL },
			now) };
	X509 *ca = root.certificate;

	expect(ca, NULL, &voices[0], now, SIGN_UNTRUSTED,
		"the certificate is self-signed", "a self-signed certificate");
	expect(ca, NULL, &voices[1], now, SIGN_UNTRUSTED,
		"the certificate leads to no trusted authority",
		"one of a foreign authority of the same name");
	expect(ca, NULL, &voices[2], now, SIGN_GOOD, NULL,
		"one with an intermediate authority");
	expect(ca, NULL, &voices[3], now, SIGN_UNTRUSTED,
		"the certificate leads to no trusted authority",
		"one whose intermediate authority is missing");
	ok(strlen(signer_cert(voices[4].signer)) ==
			strlen(signer_cert(voices[2].signer)),
		"a root is not sent");
	expect(middle.certificate, NULL, &voices[3], now, SIGN_GOOD, NULL,
		"an intermediate authority may be the trusted one");

	/* A chain that was spoilt on the way is mended by a good one. */
	struct verifier *verifier = verifier_of(ca, NULL, NULL);
	const char *why;
	verifier_learn(verifier, peer, span_of(signer_bind(voices[2].signer)),
		span_of(signer_cert(voices[3].signer)), now, &why);
	ok(hear(verifier, &voices[2], now).state == SIGN_UNTRUSTED,
		"without the chain it is not trusted");
	unsigned long before = verifier_counts(verifier).operations;
	verifier_learn(verifier, peer, span_of(signer_bind(voices[2].signer)),
		span_of(signer_cert(voices[3].signer)), now, &why);
	ok(verifier_counts(verifier).operations == before,
		"the same again is not looked at");
	ok(verifier_learn(verifier, peer,
		   span_of(signer_bind(voices[2].signer)),
		   span_of(signer_cert(voices[2].signer)), now,
		   &why) == VERIFIER_KNOWN,
		"the key is known");
	ok(hear(verifier, &voices[2], now).state == SIGN_GOOD,
		"with the chain it is trusted");
	verifier_learn(verifier, peer, span_of(signer_bind(voices[2].signer)),
		span_of(signer_cert(voices[3].signer)), now, &why);
	ok(hear(verifier, &voices[2], now).state == SIGN_GOOD,
		"and stays that");
	verifier_free(verifier);
	for (size_t i = 0; i < sizeof(voices) / sizeof(*voices); i++)
		voice_free(&voices[i]);
	pair_free(&self);
	pair_free(&foreign);
	pair_free(&below);
}

/* identity_open() does not take a certificate for servers: a signer of
 * another's identity has its place. */
static void
test_usage(void)
{
	struct pair server = make(&root,
		(struct wish){ .name = "broker",
			.key = alice.key,
			.usage = "serverAuth" });
	struct voice voice = voice_of(&alice);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	struct binding binding = binding_of(&voice, &server);
	struct verdict verdict;
	unsigned char *der = NULL, bytes[SIGN_BIND_BYTES_MAX + 2];
	char *cert = memory_alloc(SIGN_CERT_MAX, 1), text[SIGN_SIG_MAX];

	int len = i2d_X509(server.certificate, &der);
	sign_encode(cert, (struct span){ (char *)der, (size_t)len });
	char *forged = forge(&binding, alice.key);
	const char *why;
	verifier_learn(verifier, peer, span_of(forged), span_of(cert), now,
		&why);
	is(why, "the certificate is not one for clients",
		"a broker's certificate");
	struct sign_sig sig = { .sent = now };
	long all = sign_decode(bytes, span_of(forged), SIGN_BIND_BYTES_MAX);
	sign_digest((struct span){ (char *)bytes, (size_t)all }, sig.key_id);
	sign_sig_format(&sig, text);
	ok(check_from(verifier, peer, "{}", text, &verdict) == SIGN_BAD,
		"its messages are bad");
	ok(strlen(verdict.fingerprint) == 64, "and it is told whose");
	free(forged);
	free(cert);
	OPENSSL_free(der);
	verifier_free(verifier);
	voice_free(&voice);
	pair_free(&server);
}

/* A list of an authority, with one serial number or none (0). */
static X509_CRL *
make_list(const struct pair *issuer, long serial, long until)
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_new();
	time_t at = (time_t)(now / 1000);

	X509_CRL_set_version(list, 1);
	X509_CRL_set_issuer_name(list,
		X509_get_subject_name(issuer->certificate));
	X509_time_adj_ex(time, 0, -DAY, &at);
	X509_CRL_set1_lastUpdate(list, time);
	if (serial != 0) {
		X509_REVOKED *revoked = X509_REVOKED_new();
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		ASN1_INTEGER_set(number, serial);
		X509_REVOKED_set_serialNumber(revoked, number);
		X509_REVOKED_set_revocationDate(revoked, time);
		X509_CRL_add0_revoked(list, revoked);
		ASN1_INTEGER_free(number);
	}
	X509_time_adj_ex(time, 0, until, &at);
	X509_CRL_set1_nextUpdate(list, time);
	ASN1_TIME_free(time);
	X509_CRL_sort(list);
	X509_CRL_sign(list, issuer->key, EVP_sha256());
	return list;
}

static void
test_revoked(void)
{
	struct pair own = make(&root,
		(struct wish){ .name = "eve", .serial = 66 });
	struct pair below = make(&middle,
		(struct wish){ .name = "frank", .serial = 67 });
	struct voice eve = voice_of(&own), good = voice_of(&alice);
	struct voice frank = voice_at(&below,
		(X509 *[]){ middle.certificate, NULL }, now);
	X509 *ca = root.certificate;
	long middle_serial = ASN1_INTEGER_get(
		X509_get_serialNumber(middle.certificate));
	X509_CRL *lists[] = { make_list(&root, 66, DAY),
		make_list(&other_root, 66, DAY), make_list(&root, 0, -60),
		make_list(&root, middle_serial, DAY),
		make_list(&middle, 67, DAY), make_list(&middle, 0, DAY) };

	expect(ca, lists[0], &eve, now, SIGN_BAD, "the certificate is revoked",
		"a revoked certificate");
	expect(ca, lists[0], &good, now, SIGN_GOOD, NULL, "another is not");
	expect(ca, NULL, &eve, now, SIGN_GOOD, NULL,
		"without a list nobody knows");
	expect(ca, lists[1], &eve, now, SIGN_UNTRUSTED,
		"the revocation list of the certificate's authority cannot be "
		"used",
		"a list that another has signed");
	expect(ca, lists[2], &good, now, SIGN_UNTRUSTED,
		"the revocation list of the certificate's authority is out of "
		"date",
		"a list that is out of date");
	expect(ca, lists[4], &good, now, SIGN_UNTRUSTED,
		"there is no revocation list of the certificate's authority",
		"a list of another authority");
	expect(ca, lists[4], &frank, now, SIGN_BAD,
		"the certificate is revoked",
		"revoked by an intermediate authority");
	expect(ca, lists[5], &frank, now, SIGN_GOOD, NULL,
		"or not, though there is no list above that");

	struct verifier_config config = { .ca_file = "ca.pem",
		.crl_file = "crl.pem" };
	struct text pem = { 0 }, crl = { 0 };
	struct fault fault = { 0 };
	append_pem(&pem, ca, NULL);
	append_pem(&crl, NULL, lists[3]);
	append_pem(&crl, NULL, lists[5]);
	config.ca = all_of(&pem);
	config.crl = all_of(&crl);
	struct verifier *verifier = verifier_new(&config, &fault);
	learn(verifier, &frank);
	struct verdict verdict = hear(verifier, &frank, now);
	ok(verdict.state == SIGN_UNTRUSTED, "a revoked authority");
	is(verdict.why, "an authority's certificate is revoked", "is told");

	text_clear(&crl);
	append_pem(&crl, NULL, lists[0]);
	config.crl = all_of(&crl);
	ok(verifier_trust(verifier, &config, &fault) == 0,
		"another list is taken");
	ok(hear(verifier, &frank, now).state == SIGN_UNKNOWN,
		"what was known has to be learnt again");
	config.crl = span_of("-----BEGIN X509 CRL-----\nAAAA\n");
	ok(verifier_trust(verifier, &config, &fault) == -1 &&
			fault.kind == FAULT_CONFIG,
		"one that is damaged is not");
	is(fault.text,
		"crl.pem: a revocation list in it is damaged (get the file "
		"anew)",
		"as is said");
	config.crl = span_of("nothing");
	ok(verifier_new(&config, &fault) == NULL, "nor one without a list");
	is(fault.text, "crl.pem: holds no revocation list in PEM form",
		"as is said");
	config.ca = span_of("");
	ok(verifier_new(&config, &fault) == NULL, "nor no authority");
	is(fault.text, "ca.pem: holds no certificate in PEM form",
		"as is said");
	verifier_free(verifier);
	text_free(&pem);
	text_free(&crl);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		X509_CRL_free(lists[i]);
	voice_free(&eve);
	voice_free(&good);
	voice_free(&frank);
	pair_free(&own);
	pair_free(&below);
}

static void
test_signer(EVP_PKEY *rsa)
{
	EVP_PKEY *keys[] = { rsa, alice.key };
	struct fault fault = { 0 };
	struct verdict verdict;
	char sig[SIGN_SIG_MAX];

	for (size_t k = 0; k < 2; k++) {
		struct pair own = make(&root,
			(struct wish){ .name = "cron", .key = keys[k] });
		struct voice voice = voice_of(&own);
		struct verifier *verifier = verifier_of(root.certificate, NULL,
			NULL);
		int good = 0;

		learn(verifier, &voice);
		for (int i = 0; i < 300; i++)
			good += hear(verifier, &voice, now + i).state ==
				SIGN_GOOD;
		ok(good == 300, "300 messages are good");
		ok(signer_key_operations(voice.signer) == 1,
			"with one operation of the certificate's key");
		verifier_free(verifier);
		voice_free(&voice);
		pair_free(&own);
	}
	struct pair own = make(&root,
		(struct wish){ .name = "long", .until = 40 * DAY });
	struct voice voice = voice_of(&own);
	struct verifier *verifier = verifier_of(root.certificate, NULL, NULL);
	char *first = memory_string(signer_bind(voice.signer));
	unsigned char id[SIGN_KEY_ID_BYTES];
	int64_t later = now + SIGN_LIFE - SIGN_RENEW + 1;
	ok(signer_renew(voice.signer, later - 1, &fault) == 0 &&
			signer_key_operations(voice.signer) == 1,
		"most of a binding's life over: not yet due");
	learn(verifier, &voice);
	memcpy(id, signer_key_id(voice.signer), sizeof(id));
	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now, sig);
	ok(signer_renew(voice.signer, later, &fault) == 1 &&
			signer_key_operations(voice.signer) == 2,
		"then it is renewed");
	ok(memcmp(id, signer_key_id(voice.signer), sizeof(id)) != 0 &&
			signer_not_after(voice.signer) == later + SIGN_LIFE,
		"under another id");
	is(signer_bind_of(voice.signer, id), first, "the old one is kept");
	is(signer_bind_of(voice.signer, signer_key_id(voice.signer)),
		signer_bind(voice.signer), "beside the new one");
	id[0] ^= 1;
	ok(signer_bind_of(voice.signer, id) == NULL, "and no other");
	ok(check_from(verifier, peer, "{}", sig, &verdict) == SIGN_GOOD,
		"what it signed before stays good");
	ok(signer_renew_due(voice.signer, now),
		"due, too: the clock went back");
	free(first);
	verifier_free(verifier);
	voice_free(&voice);
	pair_free(&own);
	own = make(&root, (struct wish){ .name = "end", .until = DAY / 2 });
	voice = voice_of(&own);
	ok(!signer_renew_due(voice.signer, now + 1000),
		"not due where it would not help");
	voice_free(&voice);
	pair_free(&own);

	signer_free(NULL);
	verifier_free(NULL);
}

static void
test_unfit(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	struct text bytes = { 0 };
	struct fault fault = { 0 };

	text_append_string(&bytes, "body");
	ok(!binding_key_fits(key) && !binding_key_fits(NULL) &&
			binding_sign(&bytes, key) == -1 && bytes.len == 4,
		"a key that cannot sign");
	EVP_PKEY_free(key);
	text_free(&bytes);

	struct pair own = leaf(&root, "alice");
	char *comment = memory_alloc(SIGN_CERT_BYTES_MAX + 1, 1);
	memset(comment, 'x', SIGN_CERT_BYTES_MAX);
	add_extension(own.certificate, NID_netscape_comment, comment);
	free(comment);
	sign_certificate(own.certificate, root.key);
	struct identity *identity = identity_of(&own, NULL);
	ok(signer_new(identity, now, &fault) == NULL &&
			fault.kind == FAULT_CONFIG,
		"a certificate that does not fit");
	is(fault.text,
		"the certificate is larger than 16384 bytes, which is too much "
		"to send it along with messages",
		"is told");
	identity_free(identity);
	pair_free(&own);
}

/* SHA-1, which OpenSSL takes for nothing but on demand. */
static void
test_weak(void)
{
	struct pair own = leaf(&root, "alice");
	struct verifier_config config = { .ca_file = "ca.pem",
		.security_level = -1 };
	struct text ca = { 0 };
	struct fault fault = { 0 };

	X509_sign(own.certificate, root.key, EVP_sha1());
	struct voice voice = voice_of(&own);
	expect(root.certificate, NULL, &voice, now, SIGN_UNTRUSTED,
		"the certificate, or one in its chain, is too weak",
		"a certificate that is signed with SHA-1");
	append_pem(&ca, root.certificate, NULL);
	config.ca = all_of(&ca);
	struct verifier *verifier = verifier_new(&config, &fault);
	learn(verifier, &voice);
	ok(hear(verifier, &voice, now).state == SIGN_GOOD,
		"is good if any is wanted");
	verifier_free(verifier);
	text_free(&ca);
	voice_free(&voice);
	pair_free(&own);
}

static void
test_bounds(void)
{
	const struct verifier_limits limits = { .trusted = 16,
		.foreign = 4,
		.source_failures = 1000 };
	struct voice voice = voice_of(&alice), mine = voice_of(&bob);
	struct verifier *verifier = verifier_of(root.certificate, NULL,
		&limits);
	struct span alices = span_of(signer_cert(voice.signer));
	struct binding binding = binding_of(&voice, &alice);

	learn(verifier, &mine);
	for (int i = 0; i < 100; i++) {
		binding.end--;
		learn_forged(verifier, &binding, alice.key, alices);
	}
	ok(hear(verifier, &mine, now).state == SIGN_GOOD,
		"who has many keys pushes out his own");
	learn(verifier, &voice);
	ok(hear(verifier, &voice, now).state == SIGN_GOOD, "but the last");
	for (int i = 0; i < 40; i++) {
		struct pair self = leaf(NULL, "stranger");
		struct voice stranger = voice_of(&self);

		learn(verifier, &stranger);
		voice_free(&stranger);
		pair_free(&self);
	}
	ok(hear(verifier, &mine, now).state == SIGN_GOOD &&
			hear(verifier, &voice, now).state == SIGN_GOOD,
		"strangers push out none that is trusted");
	struct voice others[17];
	struct pair pairs[17];
	for (int i = 0; i < 17; i++) {
		pairs[i] = leaf(&root, "other");
		others[i] = voice_of(&pairs[i]);
		learn(verifier, &others[i]);
	}
	ok(hear(verifier, &others[16], now).state == SIGN_GOOD,
		"the newest is known");
	ok(hear(verifier, &others[0], now).state == SIGN_UNKNOWN,
		"the one used longest ago is not");
	ok(verifier_counts(verifier).over_trusted > 0 &&
			verifier_counts(verifier).over_foreign > 0,
		"as is counted");
	is(learn(verifier, &others[0]), NULL, "until it is learnt again");
	ok(hear(verifier, &others[0], now).state == SIGN_GOOD, "as it can be");
	for (int i = 0; i < 17; i++) {
		voice_free(&others[i]);
		pair_free(&pairs[i]);
	}
	verifier_free(verifier);
	voice_free(&voice);
	voice_free(&mine);
}

static void
test_budget(void)
{
	const struct verifier_limits limits = { .failures = 20,
		.source_failures = 10 };
	struct voice voice = voice_of(&alice), mine = voice_of(&bob),
		     late = voice_of(&alice);
	struct verifier *verifier = verifier_of(root.certificate, NULL,
		&limits);
	struct span flooder = span_of("flooder"), guest = span_of("guest");
	struct verdict verdict;
	char good[SIGN_SIG_MAX], bad[SIGN_SIG_MAX];
	const char *why;
	int64_t start = now;

	learn(verifier, &voice);
	verifier_learn(verifier, span_of("bob"),
		span_of(signer_bind(mine.signer)),
		span_of(signer_cert(mine.signer)), now, &why);
	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now,
		good);
	strcpy(bad, good);
	spoil(bad, 100);
	int busy = 0;
	for (int i = 0; i < 100; i++)
		busy += check_from(verifier, flooder, "{}", bad, &verdict) ==
			SIGN_BUSY;
	ok(busy == 90, "one source fails so often, then it is not looked at");
	is(verdict.why, "too many signatures failed lately", "as is said");
	ok(check_from(verifier, flooder, "{}", good, &verdict) == SIGN_BUSY,
		"nothing of it");
	ok(check_from(verifier, guest, "{}", good, &verdict) == SIGN_GOOD,
		"others are");
	now += 1000;
	check_from(verifier, flooder, "{}", bad, &verdict);
	ok(verdict.state == SIGN_BAD, "a tenth is given back in a second");
	check_from(verifier, flooder, "{}", bad, &verdict);
	ok(verdict.state == SIGN_BUSY, "not more");
	now += 10000;
	busy = 0;
	for (int i = 0; i < 100; i++) {
		char source[16];

		snprintf(source, sizeof(source), "s%d", i);
		busy += check_from(verifier, span_of(source), "{}", bad,
				&verdict) == SIGN_BUSY;
	}
	ok(busy == 80, "nor do all together fail more often than that");
	ok(verifier_learn(verifier, guest, span_of(signer_bind(late.signer)),
		   span_of(signer_cert(late.signer)), now,
		   &why) == VERIFIER_BUSY,
		"then no new key can be learnt");
	int fine = 0;
	char sig[SIGN_SIG_MAX];
	for (int i = 0; i < 100; i++) {
		signer_sign(mine.signer, span_of(topic_text), span_of("{}"),
			now + i, sig);
		fine += check_from(verifier, span_of("bob"), "{}", sig,
				&verdict) == SIGN_GOOD;
	}
	ok(fine == 100, "but a known key from where it belongs is never busy");
	now += 1000;
	ok(verifier_learn(verifier, guest, span_of(signer_bind(late.signer)),
		   span_of(signer_cert(late.signer)), now,
		   &why) == VERIFIER_NEW,
		"a second later one can");
	struct verifier_counts counts = verifier_counts(verifier);
	ok(counts.bad == counts.failures && counts.busy == 90 + 1 + 1 + 80 &&
			counts.good == 101 &&
			counts.over_source_failures == 92 &&
			counts.over_failures == 81,
		"all is counted");
	now = start;
	verifier_free(verifier);
	voice_free(&voice);
	voice_free(&mine);
	voice_free(&late);
}

/* What comes under a known key from where that belongs is always looked at. */
static void
test_home(void)
{
	enum { FLOOD = 500 };
	const struct verifier_limits limits = { .failures = 20,
		.source_failures = 10 };
	struct voice voice = voice_of(&alice), mine = voice_of(&bob),
		     late = voice_of(&alice);
	struct verifier *verifier = verifier_of(root.certificate, NULL,
		&limits);
	struct span home = span_of("mallory"), guest = span_of("guest");
	struct verdict verdict;
	char bad[SIGN_SIG_MAX], other[SIGN_SIG_MAX];
	const char *why;
	int64_t start = now;

	learn(verifier, &voice);
	verifier_learn(verifier, home, span_of(signer_bind(mine.signer)),
		span_of(signer_cert(mine.signer)), now, &why);
	signer_sign(mine.signer, span_of(topic_text), span_of("{}"), now, bad);
	spoil(bad, 100);
	signer_sign(voice.signer, span_of(topic_text), span_of("{}"), now,
		other);
	unsigned long before = verifier_counts(verifier).operations;
	int looked_at = 0;
	for (int i = 0; i < FLOOD; i++)
		looked_at += check_from(verifier, home, "{}", bad, &verdict) ==
			SIGN_BAD;
	ok(looked_at == FLOOD, "a flood from home is looked at");
	ok(verifier_counts(verifier).operations - before == FLOOD &&
			verifier_counts(verifier).failures == FLOOD,
		"by one operation each");
	ok(check_from(verifier, home, "{}", other, &verdict) == SIGN_BUSY,
		"but its source is at its limit with all other keys");
	ok(verifier_learn(verifier, home, span_of(signer_bind(late.signer)),
		   span_of(signer_cert(late.signer)), now,
		   &why) == VERIFIER_BUSY,
		"and with new ones");
	ok(check_from(verifier, guest, "{}", other, &verdict) == SIGN_GOOD &&
			verifier_learn(verifier, guest,
				span_of(signer_bind(late.signer)),
				span_of(signer_cert(late.signer)), now,
				&why) == VERIFIER_NEW,
		"nobody else is");
	now += 1000;
	ok(check_from(verifier, home, "{}", other, &verdict) == SIGN_GOOD,
		"and it has no debt");
	now = start;
	verifier_free(verifier);
	voice_free(&voice);
	voice_free(&mine);
	voice_free(&late);
}

/* Hexadecimal digits of these bytes? */
static void
is_hex(struct span got, const json_t *vector, const char *key)
{
	struct text hex = { 0 };

	for (size_t i = 0; i < got.len; i++)
		text_appendf(&hex, "%02x", (unsigned char)got.bytes[i]);
	is(hex.bytes, json_string_value(json_object_get(vector, key)), key);
	text_free(&hex);
}

static const char *
value(const json_t *vector, const char *key)
{
	return json_string_value(json_object_get(vector, key));
}

static int64_t
number(const json_t *vector, const char *key)
{
	return json_integer_value(json_object_get(vector, key));
}

static struct text
read_file(const char *path)
{
	struct text text = { 0 };
	FILE *file = fopen(path, "r");
	int c;

	while (file != NULL && (c = getc(file)) != EOF)
		text_append_char(&text, (char)c);
	if (file != NULL)
		fclose(file);
	return text;
}

/* A signer of the vector's keys. */
static struct voice
voice_again(const char *data, const json_t *vector)
{
	unsigned char keys[2][SIGN_KEY_BYTES];
	static const char *const names[] = { "ed25519_private",
		"x25519_private" };
	static char key[] = "vector.key";
	char *ca = memory_format("%s/ca.pem", data);
	char *certificate = memory_format("%s/%s", data,
		value(vector, "certificate"));
	char *path = memory_format("%s/%s", data, value(vector, "key"));
	struct conf conf = { .file = key,
		.ca = ca,
		.certificate = certificate,
		.key = key };
	struct fault fault = { 0 };
	struct voice voice;

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < SIGN_KEY_BYTES; i++)
			sscanf(value(vector, names[k]) + 2 * i, "%2hhx",
				&keys[k][i]);
	/* That of the sources may be readable to all. */
	struct text pem = read_file(path);
	FILE *file = open_new(key);
	chmod(key, 0600);
	fwrite(pem.bytes, 1, pem.len, file);
	fclose(file);
	voice.identity = identity_open(&conf, &fault);
	if (voice.identity == NULL)
		printf("# %s\n", fault.text);
	voice.signer = signer_new_from(voice.identity, number(vector, "now"),
		keys[0], keys[1], &fault);
	text_free(&pem);
	free(ca);
	free(certificate);
	free(path);
	return voice;
}

static void
test_made_again(const char *data, const json_t *vector)
{
	struct voice voice = voice_again(data, vector);
	char sig[SIGN_SIG_MAX];

	is(signer_cert(voice.signer), value(vector, "qchat.cert"),
		"the certificate of the vector");
	if (strcmp(value(vector, "key"), "p256.key") != 0) {
		is(signer_bind(voice.signer), value(vector, "qchat.bind"),
			"its binding, made again");
		signer_sign(voice.signer, span_of(value(vector, "topic")),
			span_of(value(vector, "payload")),
			number(vector, "sent"), sig);
		is(sig, value(vector, "qchat.sig"), "and its signature");
	}
	voice_free(&voice);
}

static void
test_vector(const char *data, struct verifier *verifier, const json_t *vector)
{
	unsigned char bytes[SIGN_BIND_BYTES_MAX + 2];
	int64_t sent = number(vector, "sent");
	struct span topic = span_of(value(vector, "topic"));
	struct span payload = span_of(value(vector, "payload"));
	struct text message = { 0 };
	struct binding binding;
	struct verdict verdict;
	struct sign_sig sig;

	long len = sign_decode(bytes, span_of(value(vector, "qchat.bind")),
		SIGN_BIND_BYTES_MAX);
	is(binding_parse(&binding,
		   (struct span){ (const char *)bytes, (size_t)len }),
		NULL, value(vector, "certificate"));
	is_hex(binding.body, vector, "binding");
	sign_sig_parse(&sig, span_of(value(vector, "qchat.sig")));
	is_hex(sign_id(sig.key_id), vector, "key_id");
	sign_message(&message, topic, payload, &sig);
	is_hex(all_of(&message), vector, "signed");
	text_free(&message);
	ok(verifier_learn(verifier, peer, span_of(value(vector, "qchat.bind")),
		   span_of(value(vector, "qchat.cert")), sent,
		   NULL) == VERIFIER_NEW,
		"its key is learnt");
	ok(verifier_check(verifier, peer, topic, payload,
		   span_of(value(vector, "qchat.sig")), sent,
		   &verdict) == SIGN_GOOD &&
			verdict.sent == sent,
		"and its message good");
	test_made_again(data, vector);
}

static void
test_vectors(const char *data)
{
	char *path = memory_format("%s/vectors.json", data);
	char *ca_path = memory_format("%s/ca.pem", data);
	struct text ca = read_file(ca_path);
	struct verifier_config config = { .ca = all_of(&ca),
		.ca_file = ca_path };
	struct fault fault = { 0 };
	struct verifier *verifier = verifier_new(&config, &fault);
	json_t *vectors = json_load_file(path, 0, NULL), *vector;
	size_t i;

	ok(verifier != NULL && json_array_size(vectors) == 3, "the vectors");
	json_array_foreach(vectors, i, vector)
	{
		test_vector(data, verifier, vector);
	}
	json_decref(vectors);
	verifier_free(verifier);
	text_free(&ca);
	free(path);
	free(ca_path);
}

static int delete (const char *path, const struct stat *info, int type,
	struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

static EVP_PKEY *
make_pss(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS",
		NULL);
	EVP_PKEY *key = NULL;

	EVP_PKEY_keygen_init(context);
	EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048);
	EVP_PKEY_CTX_set_rsa_pss_keygen_md(context, EVP_sha384());
	EVP_PKEY_keygen(context, &key);
	EVP_PKEY_CTX_free(context);
	return key;
}

int
main(void)
{
	const char *base = getenv("TMPDIR"), *srcdir = getenv("srcdir");
	char *sources = realpath(srcdir != NULL ? srcdir : ".", NULL);
	char *data = memory_format("%s/tests/data/sign", sources);

	snprintf(folder, sizeof(folder), "%s/qchat-sign-XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		return 99;
	}
	now = (int64_t)time(NULL) * 1000 + 500;
	struct wish ca = { .name = "root", .is_ca = true };
	root = make(NULL, ca);
	other_root = make(NULL, ca);
	ca.name = "middle";
	middle = make(&root, ca);
	alice = leaf(&root, "alice");
	bob = leaf(&root, "bob");
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048),
		EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), make_pss() };
	static const char *const names[] = { "RSA", "P-256", "Ed25519", "Ed448",
		"RSA-PSS with SHA-384" };
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		test_round_trip(names[i], keys[i]);
	test_decode();
	test_altered();
	test_form();
	test_bindings();
	test_dates();
	test_chains();
	test_usage();
	test_revoked();
	test_signer(keys[0]);
	test_unfit();
	test_weak();
	test_bounds();
	test_budget();
	test_home();
	test_vectors(data);
	free(data);
	free(sources);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		EVP_PKEY_free(keys[i]);
	pair_free(&root);
	pair_free(&other_root);
	pair_free(&middle);
	pair_free(&alice);
	pair_free(&bob);
	if (chdir("/") == 0)
		nftw(folder, delete, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
