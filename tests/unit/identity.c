/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include "destination.h"
#include "memory.h"
#include "tap.h"

#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

static char folder[256];
static EVP_PKEY *key, *other_key;

/* A certificate to be made. */
struct wish {
	EVP_PKEY *key;
	const char *names[3]; /* common names in UTF-8 */
	long from, until;     /* seconds from now; 0: a day each */
	const char *usage;    /* extended key usage, or NULL */
	const EVP_MD *digest; /* NULL: SHA-256 */
	bool issued;          /* by another than itself, in name */
};

static X509 *
make(const struct wish *wish)
{
	X509 *made = X509_new();
	X509_NAME *subject = X509_get_subject_name(made);

	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_gmtime_adj(X509_getm_notBefore(made),
		wish->from != 0 ? wish->from : -DAY);
	X509_gmtime_adj(X509_getm_notAfter(made),
		wish->until != 0 ? wish->until : DAY);
	for (size_t i = 0; i < 3 && wish->names[i] != NULL; i++)
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
			(const unsigned char *)wish->names[i], -1, -1, 0);
	X509_set_issuer_name(made, subject);
	if (wish->issued)
		X509_NAME_add_entry_by_txt(X509_get_issuer_name(made), "O",
			MBSTRING_UTF8, (const unsigned char *)"CA", -1, -1, 0);
	X509_set_pubkey(made, wish->key);
	if (wish->usage != NULL) {
		X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL,
			NID_ext_key_usage, wish->usage);

		X509_add_ext(made, usage, -1);
		X509_EXTENSION_free(usage);
	}
	X509_sign(made, wish->key,
		wish->digest != NULL ? wish->digest : EVP_sha256());
	return made;
}

static FILE *
open_new(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL) {
		perror(path);
		exit(99);
	}
	return file;
}

static void
put(const char *path, const char *text)
{
	FILE *file = open_new(path);

	fputs(text, file);
	fclose(file);
}

/* Writes certificates one after the other. */
static void
put_certificates(const char *path, const struct wish *wishes, size_t count)
{
	FILE *file = open_new(path);

	for (size_t i = 0; i < count; i++) {
		X509 *one = make(&wishes[i]);

		PEM_write_X509(file, one);
		X509_free(one);
	}
	fclose(file);
}

static void
put_key(const char *path, EVP_PKEY *what, const EVP_CIPHER *cipher)
{
	const unsigned char passphrase[] = "secret";
	FILE *file = open_new(path);

	PEM_write_PrivateKey(file, what, cipher,
		cipher != NULL ? passphrase : NULL, cipher != NULL ? 6 : 0,
		NULL, NULL);
	fclose(file);
	chmod(path, 0600);
}

static char ca[] = "ca.pem", certificate[] = "c.pem", key_file[] = "k.pem",
	    conf_file[] = "q.conf";
static const struct conf conf = { .file = conf_file,
	.ca = ca,
	.certificate = certificate,
	.key = key_file };

/* Puts good files where a test may have left bad ones. */
static void
put_good(void)
{
	const struct wish good[] = { { .key = key, .names = { "alice" } },
		{ .key = other_key, .names = { "ca" } } };

	unlink(key_file);
	put_key(key_file, key, NULL);
	put_certificates(certificate, good, 1);
	put_certificates(ca, good + 1, 1);
}

static void
fails(enum fault_kind kind, const char *want)
{
	struct fault fault = { 0 };
	struct identity *identity = identity_open(&conf, &fault);

	ok(identity == NULL && fault.kind == kind, "refused: %s", want);
	if (!ok(strncmp(fault.text, want, strlen(want)) == 0, "says so"))
		printf("# got: %s\n", fault.text);
	identity_free(identity);
	put_good();
}

static struct identity *
opens(const char *what)
{
	struct fault fault = { 0 };
	struct identity *identity = identity_open(&conf, &fault);

	if (!ok(identity != NULL, "opens: %s", what))
		printf("# got: %s\n", fault.text);
	return identity;
}

static void
finds_name(const char *want)
{
	struct fault fault = { 0 };
	char *name = NULL;

	ok(identity_find_name(&conf, &name, &fault) == 0,
		"the certificate alone");
	is(name, want, "has the same name");
	free(name);
}

static void
test_good(void)
{
	unsigned char digest[32];
	char hex[IDENTITY_FINGERPRINT_MAX];

	put_good();
	struct identity *identity = opens("good files");
	is(identity_name(identity), "alice", "name");
	FILE *file = fopen(certificate, "r");
	X509 *leaf = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	X509_digest(leaf, EVP_sha256(), digest, NULL);
	X509_free(leaf);
	for (size_t i = 0; i < sizeof(digest); i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	is(identity_fingerprint(identity), hex, "fingerprint");
	identity_free(identity);
	identity_free(NULL);

	struct wish wish = { .key = key,
		.usage = "clientAuth",
		.names = { "a", "b", "j\xc3\xb6rg" } };
	put_certificates(certificate, &wish, 1);
	identity = opens("one for clients");
	is(identity_name(identity), "j\xc3\xb6rg", "the last of the names");
	identity_free(identity);
	unlink(key_file);
	finds_name("j\xc3\xb6rg");
	put_key(key_file, key, NULL);
	put_certificates(certificate, &(struct wish){ .key = key }, 1);
	identity = opens("one without a name");
	is(identity_name(identity), NULL, "no name");
	identity_free(identity);
	finds_name(NULL);
	unlink(certificate);
	struct fault fault = { 0 };
	char *name;
	ok(identity_find_name(&conf, &name, &fault) < 0 &&
			fault.kind == FAULT_CONFIG,
		"no certificate");
	put_good();
}

/* An answer to the question for a passphrase. */
struct answer {
	const char *passphrase; /* NULL: none */
	int asked;
	const char *file;
};

static int
on_ask(void *context, const char *file, char *passphrase, struct fault *fault)
{
	struct answer *answer = context;

	answer->asked++;
	answer->file = file;
	if (answer->passphrase == NULL)
		return fault_set(fault, FAULT_TIMEOUT, "no answer");
	strcpy(passphrase, answer->passphrase);
	return 0;
}

static struct identity *
open_asking(struct answer *answer, struct fault *fault)
{
	struct conf asking = conf;

	asking.ask_passphrase = on_ask;
	asking.ask_context = answer;
	return identity_open(&asking, fault);
}

static void
test_passphrase(void)
{
	struct answer answer = { .passphrase = "secret" };
	struct fault fault = { 0 };
	char longest[CONF_PASSPHRASE_MAX + 1];

	struct identity *identity = open_asking(&answer, &fault);
	ok(identity != NULL && answer.asked == 0, "a plain key: not asked");
	identity_free(identity);
	unlink(key_file);
	put_key(key_file, key, EVP_aes_128_cbc());
	identity = open_asking(&answer, &fault);
	ok(identity != NULL && answer.asked == 1, "an encrypted key opens");
	is(answer.file, key_file, "and which one is told");
	identity_free(identity);
	answer = (struct answer){ .passphrase = "wrong" };
	ok(open_asking(&answer, &fault) == NULL && fault.kind == FAULT_CONFIG,
		"not with another passphrase");
	is(fault.text,
		"k.pem: the passphrase does not open this private key "
		"(type it again, or correct passphrase_command)",
		"as is said");
	memset(longest, 'x', CONF_PASSPHRASE_MAX);
	longest[CONF_PASSPHRASE_MAX] = '\0';
	answer = (struct answer){ .passphrase = longest };
	ok(open_asking(&answer, &fault) == NULL && fault.kind == FAULT_CONFIG,
		"nor with the longest");
	answer = (struct answer){ 0 };
	ok(open_asking(&answer, &fault) == NULL && answer.asked == 1 &&
			fault.kind == FAULT_TIMEOUT,
		"nor without an answer: asked once");
	is(fault.text, "no answer", "whose fault stays");
	put_good();
}

static void
test_trust(void)
{
	struct fault fault = { 0 };
	struct text authorities = { 0 }, lists = { 0 };
	static char sign_ca[] = "sign.pem", crl[] = "crl.pem";
	struct conf other = conf;

	put(ca, "one\n");
	ok(identity_trust(&other, &authorities, &lists, &fault) == 0,
		"what participants are verified with");
	is(authorities.bytes, "one\n", "is ca");
	ok(lists.len == 0, "without revocation lists");
	put(sign_ca, "two\n");
	put(crl, "lists\n");
	other.sign_ca = sign_ca;
	other.crl = crl;
	text_clear(&authorities);
	ok(identity_trust(&other, &authorities, &lists, &fault) == 0,
		"or sign_ca and crl");
	is(authorities.bytes, "two\n", "is the one");
	is(lists.bytes, "lists\n", "and the other");
	unlink(crl);
	ok(identity_trust(&other, &authorities, &lists, &fault) == -1 &&
			fault.kind == FAULT_CONFIG,
		"which has to be there");
	is(fault.text,
		"crl.pem: No such file or directory (q.conf names it as crl: "
		"correct that, or the file)",
		"as is said");
	unlink(sign_ca);
	text_free(&authorities);
	text_free(&lists);
	put_good();
}

static void
test_key(void)
{
	put_key(key_file, key, EVP_aes_128_cbc());
	fails(FAULT_CONFIG,
		"k.pem: is encrypted, and there is nobody to ask for the "
		"passphrase");
	BIO *file = BIO_new_file(key_file, "w");
	PEM_write_bio_PrivateKey_traditional(file, key, EVP_aes_128_cbc(),
		(const unsigned char *)"secret", 6, NULL, NULL);
	BIO_free(file);
	fails(FAULT_CONFIG, "k.pem: is encrypted");
	put(key_file, "nonsense\n");
	fails(FAULT_CONFIG, "k.pem: holds no usable private key in PEM form");
	put(key_file, "");
	fails(FAULT_CONFIG, "k.pem: holds no usable private key in PEM form");
	unlink(key_file);
	fails(FAULT_CONFIG,
		"k.pem: No such file or directory (q.conf names "
		"it as key: ");
	unlink(key_file);
	mkdir(key_file, 0700);
	struct fault fault = { 0 };
	ok(identity_open(&conf, &fault) == NULL, "a folder is refused");
	is(fault.text,
		"k.pem: is a folder (q.conf names it as key: correct that, "
		"or the file)",
		"as one");
	struct conf dxl = conf;
	dxl.dxl_keys = true;
	ok(identity_open(&dxl, &fault) == NULL, "so it is on a DXL fabric");
	is(fault.text,
		"k.pem: is a folder (q.conf names it as PrivateKey: correct "
		"that, or the file)",
		"where its setting has another name");
	rmdir(key_file);
	mkfifo(key_file, 0600);
	fails(FAULT_CONFIG, "k.pem: is no plain file");
	put_key(key_file, other_key, NULL);
	fails(FAULT_CONFIG,
		"k.pem: belongs to another certificate than that "
		"in c.pem");
}

static void
test_mode(void)
{
	chmod(key_file, 0604);
	fails(FAULT_NOPERM,
		"k.pem: everybody can read this private key "
		"(chmod 600 k.pem)");
	if (geteuid() == 0) {
		chmod(key_file, 0640);
		identity_free(opens("group-readable, of root"));
		if (chown(key_file, 65534, 65534) < 0)
			perror("chown");
	}
	chmod(key_file, 0640);
	fails(FAULT_NOPERM, "k.pem: its group can read this private key");
	chmod(key_file, 0400);
	identity_free(opens("read-only for its owner"));
	chmod(key_file, 0000);
	chmod(".", 0755);
	be_nobody(true);
	struct fault fault = { 0 };
	ok(identity_open(&conf, &fault) == NULL,
		"an unreadable key is refused");
	is(fault.text,
		"k.pem: Permission denied (q.conf names it as key: correct "
		"that, or the file)",
		"as such");
	be_nobody(false);
	chmod(".", 0700);
	put_good();
}

/* That day in UTC. */
static char *
date_in(long seconds)
{
	time_t when = time(NULL) + seconds;
	char date[32];
	struct tm parts;

	strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&when, &parts));
	return memory_string(date);
}

static void
test_certificate(void)
{
	struct wish wish = { .key = key, .from = -3 * DAY, .until = -2 * DAY };
	char *date = date_in(wish.until);
	char *want = memory_format("c.pem: the certificate expired %s (get a "
				   "new one",
		date);

	put_certificates(certificate, &wish, 1);
	fails(FAULT_CONFIG, want);
	free(date);
	free(want);
	wish = (struct wish){ .key = key, .from = 2 * DAY, .until = 3 * DAY };
	date = date_in(wish.from);
	want = memory_format("c.pem: the certificate is not valid before %s "
			     "(is this machine's clock right?)",
		date);
	put_certificates(certificate, &wish, 1);
	fails(FAULT_CONFIG, want);
	free(date);
	free(want);
	wish = (struct wish){ .key = key, .usage = "serverAuth" };
	put_certificates(certificate, &wish, 1);
	fails(FAULT_CONFIG,
		"c.pem: the certificate is not one for TLS "
		"clients");
	const struct wish turned[] = { { .key = other_key }, { .key = key } };
	put_certificates(certificate, turned, 2);
	fails(FAULT_CONFIG,
		"c.pem: the key's certificate is number 2 in it "
		"(put it first)");
	put(certificate, "");
	fails(FAULT_CONFIG, "c.pem: holds no certificate in PEM form");
	put_key(certificate, key, NULL);
	fails(FAULT_CONFIG, "c.pem: holds no certificate in PEM form");
	unlink(certificate);
	fails(FAULT_CONFIG,
		"c.pem: No such file or directory (q.conf names "
		"it as certificate: ");
	put(certificate,
		"-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n");
	fails(FAULT_CONFIG, "c.pem: certificate 1 in it is damaged");
}

static void
test_ca(void)
{
	struct fault fault = { 0 };
	struct conf bare = conf;

	put(ca, "# none\n");
	fails(FAULT_CONFIG, "ca.pem: holds no certificate in PEM form");
	unlink(ca);
	fails(FAULT_CONFIG,
		"ca.pem: No such file or directory (q.conf names "
		"it as ca: ");
	FILE *file = fopen(ca, "a");
	fputs("-----BEGIN CERTIFICATE-----\nMIIB\n", file);
	fclose(file);
	fails(FAULT_CONFIG, "ca.pem: certificate 2 in it is damaged");
	if (truncate(ca, 4 * 1024 * 1024 + 1) < 0)
		perror(ca);
	fails(FAULT_CONFIG, "ca.pem: is too large");
	bare.ca = NULL;
	ok(identity_open(&bare, &fault) == NULL, "no CA is set");
	is(fault.text, "q.conf: ca is missing (man qchat.conf)",
		"and it says so");
}

static void
test_apply(void)
{
	const struct wish chain[] = { { .key = key, .names = { "alice" } },
		{ .key = other_key, .names = { "middle" } } };
	struct fault fault = { 0 };
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	STACK_OF(X509) *extra = NULL;

	put_certificates(certificate, chain, 2);
	put_certificates(ca,
		(struct wish[]){ { .key = other_key, .names = { "ca" } },
			{ .key = key, .names = { "old" } } },
		2);
	struct identity *identity = opens("a chain");
	ok(identity_apply(identity, context, &fault) == 0, "applies");
	ok(SSL_CTX_check_private_key(context) == 1, "key and certificate");
	SSL_CTX_get0_chain_certs(context, &extra);
	ok(sk_X509_num(extra) == 1, "the chain without the leaf");
	ok(sk_X509_OBJECT_num(X509_STORE_get0_objects(
		   SSL_CTX_get_cert_store(context))) == 2,
		"two trusted CAs");
	identity_free(identity);
	SSL_CTX_free(context);
	put_good();
}

/* What OpenSSL's security level refuses, and what is said of it. */
static void
test_weak(const struct wish *chain, size_t count, const char *want)
{
	struct fault fault = { 0 };
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	put_certificates(certificate, chain, count);
	put_key(key_file, chain[0].key, NULL);
	SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=2");
	struct identity *identity = opens(want);
	ok(identity_apply(identity, context, &fault) == -1, "not applied");
	if (!ok(strncmp(fault.text, want, strlen(want)) == 0, "says so"))
		printf("# got: %s\n", fault.text);
	ok(strstr(fault.text, "ciphers = \"DEFAULT@SECLEVEL=0\"") != NULL,
		"and what helps");
	SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
	ok(identity_apply(identity, context, &fault) == 0, "which does help");
	identity_free(identity);
	SSL_CTX_free(context);
	put_good();
}

static void
test_random(void)
{
	char uid[IDENTITY_UID_MAX], id[IDENTITY_ID_MAX], again[IDENTITY_ID_MAX];
	const char *hex = "0123456789abcdef";
	bool good = true;

	identity_uid(uid);
	ok(strlen(uid) == 32 && strspn(uid, hex) == 32, "a participant's id");
	for (int i = 0; i < 100; i++) {
		identity_id(id);
		good = good && strlen(id) == 38 && id[0] == '{' &&
			id[9] == '-' && id[14] == '-' && id[15] == '4' &&
			id[19] == '-' && strchr("89ab", id[20]) != NULL &&
			id[24] == '-' && id[37] == '}';
	}
	ok(good, "a message's id: %s", id);
	identity_id(again);
	ok(strcmp(id, again) != 0, "another each time");
}

static int delete (const char *path, const struct stat *info, int type,
	struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

/* Settings for those brokers, "HOST" or "HOST ADDRESS", of those authorities:
 * do they lead where what was kept is for? */
static enum destination_fit
compare(const struct destination *kept, const char *hosts[],
	const struct wish *authorities, size_t count, bool private_fabric)
{
	struct conf other = { .file = conf_file, .ca = ca };
	struct fault fault = { 0 };

	put_certificates(ca, authorities, count);
	other.private_fabric = private_fabric;
	for (; *hosts != NULL; hosts++)
		conf_add_broker(&other, *hosts, NULL, 8883);
	struct destination *own = destination_open(&other, &fault);
	enum destination_fit fit = destination_compare(own,
		destination_brokers(kept), destination_authorities(kept));
	destination_free(own);
	for (size_t i = 0; i < other.broker_count; i++)
		free(other.brokers[i].host);
	free(other.brokers);
	return fit;
}

static void
test_destination(void)
{
	const struct wish wishes[] = { { .key = key, .names = { "new" } },
		{ .key = other_key, .names = { "ca" } },
		{ .key = other_key, .names = { "ca, renewed" } } };
	struct conf own = { .file = conf_file, .ca = ca };
	struct fault fault = { 0 };

	put_certificates(ca, wishes + 1, 1);
	conf_add_broker(&own, "B1.example", NULL, 8883);
	conf_add_broker(&own, "b2.example", "10.0.0.2", 8883);
	conf_add_broker(&own, "fe80::1", NULL, 1);
	struct destination *kept = destination_open(&own, &fault);
	struct span words = destination_brokers(kept);
	char *brokers = memory_copy(words.bytes, words.len);
	is(brokers, "b1.example:8883 b2.example:8883 10.0.0.2:8883 [fe80::1]:1",
		"the brokers of settings");
	free(brokers);
	ok(destination_authorities(kept).len == 64, "and their authority");
	ok(compare(kept, (const char *[]){ "b3", "b1.EXAMPLE", NULL },
		   wishes + 1, 1, false) == DESTINATION_SAME,
		"the same fabric with one broker more, one less");
	ok(compare(kept, (const char *[]){ "10.0.0.2", NULL }, wishes + 1, 1,
		   false) == DESTINATION_SAME,
		"and under the broker's address");
	ok(compare(kept, (const char *[]){ "b1.example", NULL }, wishes + 2, 1,
		   false) == DESTINATION_SAME,
		"and when its authority's certificate is renewed");
	ok(compare(kept, (const char *[]){ "b1.example", NULL }, wishes, 2,
		   false) == DESTINATION_SAME,
		"and while that is replaced");
	ok(compare(kept, (const char *[]){ "b1.example", NULL }, wishes, 1,
		   false) == DESTINATION_OTHER_AUTHORITIES,
		"the same address under another authority is another");
	ok(compare(kept, (const char *[]){ "b1", "b1.example.org", NULL },
		   wishes + 1, 1, false) == DESTINATION_OTHER_BROKERS,
		"and so are other brokers of the same authority");
	destination_free(kept);
	own.private_fabric = true;
	put_certificates(ca, wishes + 1, 1);
	kept = destination_open(&own, &fault);
	ok(compare(kept, (const char *[]){ "elsewhere", NULL }, wishes + 1, 1,
		   true) == DESTINATION_SAME,
		"the private fabric may have another port");
	ok(compare(kept, (const char *[]){ "elsewhere", NULL }, wishes, 1,
		   true) == DESTINATION_OTHER_AUTHORITIES,
		"but not be made anew");
	destination_free(kept);
	put_certificates(ca, wishes + 1, 1);
	for (int i = 0; i < 60; i++) {
		char host[32];

		snprintf(host, sizeof(host), "broker%02d.example.com", i);
		conf_add_broker(&own, host, NULL, 8883);
	}
	kept = destination_open(&own, &fault);
	words = destination_brokers(kept);
	ok(words.len <= DESTINATION_WORDS_MAX &&
			words.len > DESTINATION_WORDS_MAX - 30 &&
			words.bytes[words.len] == ' ',
		"of many, whole words are kept");
	ok(compare(kept, (const char *[]){ "broker00.example.com", NULL },
		   wishes + 1, 1, false) == DESTINATION_SAME,
		"that are compared");
	destination_free(kept);
	unlink(ca);
	ok(destination_open(&own, &fault) == NULL && fault.kind == FAULT_CONFIG,
		"without the CA file there is none");
	for (size_t i = 0; i < own.broker_count; i++) {
		free(own.brokers[i].host);
		free(own.brokers[i].address);
	}
	free(own.brokers);
	put_good();
}

int
main(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/qchat-identity-XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		return 99;
	}
	setenv("HOME", folder, 1);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	other_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	test_good();
	test_destination();
	test_key();
	test_passphrase();
	test_trust();
	test_mode();
	test_certificate();
	test_ca();
	test_apply();
	test_weak(&(struct wish){ .key = weak }, 1,
		"c.pem: the certificate's "
		"key is too short for this machine's OpenSSL");
	test_weak(&(struct wish){ .key = key,
			  .digest = EVP_sha1(),
			  .issued = true },
		1,
		"c.pem: the certificate's signature is "
		"too weak for this machine's OpenSSL");
	test_weak((struct wish[]){ { .key = key },
			  { .key = other_key,
				  .digest = EVP_sha1(),
				  .issued = true } },
		2, "c.pem: the certificate's signature is too weak for");
	test_weak((struct wish[]){ { .key = key }, { .key = weak } }, 2,
		"c.pem: the certificate's issuer's key is too short for");
	test_random();
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(weak);
	if (chdir("/") == 0)
		nftw(folder, delete, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
