/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"
#include "conf.h"
#include "conf_edit.h"
#include "enroll.h"
#include "identity.h"
#include "memory.h"
#include "peer.h"
#include "provision_answer.h"
#include "provision_files.h"
#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything happens in this folder, which is also the current one. */
static char folder[256];

/* The process ends before this many renames: 0 for never.  --wrap=rename has
 * the linker send all calls here. */
static int renames_left;
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

/* How many blocks that begin so are given back with that in them; --wrap=free
 * likewise.  NULL: nobody counts. */
static const char *secret;
static size_t secrets_left;
void __real_free(void *block);
void __wrap_free(void *block);

void
__wrap_free(void *block)
{
	if (secret != NULL && block != NULL &&
		malloc_usable_size(block) >= strlen(secret) &&
		memcmp(block, secret, strlen(secret)) == 0)
		secrets_left++;
	__real_free(block);
}

/* Who runs this is somebody else than whose the files are; --wrap=getuid. */
static bool is_somebody_else;
uid_t __real_getuid(void);
uid_t __wrap_getuid(void);

uid_t
__wrap_getuid(void)
{
	return __real_getuid() + (is_somebody_else ? 1 : 0);
}

/* Folders are as far from each other as file systems are. */
static bool is_folder_apart;

static int
folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (int)(slash - path) : 0;
}

int
__wrap_rename(const char *from, const char *to)
{
	char *from_folder = memory_copy(from, (size_t)folder_len(from));
	char *to_folder = memory_copy(to, (size_t)folder_len(to));
	char *a = realpath(from_folder, NULL), *b = realpath(to_folder, NULL);
	bool same = a != NULL && b != NULL && strcmp(a, b) == 0;

	free(from_folder);
	free(to_folder);
	free(a);
	free(b);
	if (is_folder_apart && !same) {
		errno = EXDEV;
		return -1;
	}
	if (renames_left > 0 && --renames_left == 0)
		_exit(42);
	return __real_rename(from, to);
}

static int
remove_one(const char *path, const struct stat *info, int type,
	struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(99);
	}
}

static char *
get(const char *path)
{
	struct fault fault = { 0 };
	char *text = conf_load(path, &fault);

	return text != NULL ? text : memory_string("");
}

/* The answer fails so. */
static void
fails(int rc, const struct fault *fault, enum fault_kind kind, const char *want)
{
	ok(rc < 0 && fault->kind == kind && strstr(fault->text, want) != NULL,
		"refused: %s", want);
	if (rc < 0 && strstr(fault->text, want) == NULL)
		printf("# got: %s\n", fault->text);
}

static void
open_fails(const char *body, enum fault_kind kind, const char *want)
{
	struct text out = { 0 };
	struct fault fault = { 0 };

	fails(answer_open(&out, span_of(body), "s", &fault), &fault, kind,
		want);
	ok(out.len == 0, "and nothing comes of it");
	text_free(&out);
}

static void
test_open(void)
{
	struct text out = { 0 };
	struct fault fault = { 0 };

	ok(answer_open(&out, span_of("OK:\r\n\"a\\nb \\u00fc\"\r\n"), "s",
		   &fault) == 0,
		"an answer");
	is(out.bytes, "a\nb \xc3\xbc", "is its string");
	text_free(&out);
	open_fails("", FAULT_PROTOCOL, "no management service");
	open_fails("OK", FAULT_PROTOCOL, "no management service");
	open_fails(":\"x\"", FAULT_PROTOCOL, "no management service");
	open_fails("<html>a: b", FAULT_PROTOCOL, "\"<html>a: b\"");
	open_fails("Error 1 :\r\nnot you\r\n", FAULT_UNAVAILABLE,
		"s: the service says Error 1: not you");
	open_fails("OK:", FAULT_PROTOCOL, "no JSON string");
	open_fails("OK:\"x", FAULT_PROTOCOL, "no JSON string");
	open_fails("OK:\"x\" y", FAULT_PROTOCOL, "no JSON string");
	open_fails("OK:[\"x\"]", FAULT_PROTOCOL, "no JSON string");
	open_fails("OK:\"a\\u0000b\"", FAULT_PROTOCOL, "no JSON string");
	open_fails("OK:\"\xff\"", FAULT_PROTOCOL, "no JSON string");
	open_fails("ok:\"x\"", FAULT_UNAVAILABLE, "says ok");
}

static void
is_list(const struct conf_entries *entries, const char *want, const char *name)
{
	struct text all = { 0 };

	text_append_string(&all, "");
	for (size_t i = 0; i < entries->count; i++)
		text_appendf(&all, "%s=%s\n", entries->all[i].key,
			entries->all[i].value);
	is(all.bytes != NULL ? all.bytes : "", want, name);
	text_free(&all);
}

static void
package_fails(const char *text, const char *want)
{
	struct answer_package package;
	struct fault fault = { 0 };

	fails(answer_package(&package, span_of(text), "s", &fault), &fault,
		FAULT_PROTOCOL, want);
}

static void
test_package(void)
{
	struct answer_package package;
	struct fault fault = { 0 };
	struct text text = { 0 };

	ok(answer_package(&package,
		   span_of("CA,CERT,a=a;8883;h;10.0.0.1\n\r\n b = b ; 1 ; [::1]"
			   "\r\n,a=a;443;h\n,more,and more"),
		   "s", &fault) == 0,
		"a package");
	ok(span_equal(package.authorities, span_of("CA")) &&
			span_equal(package.certificate, span_of("CERT")),
		"has its first two parts");
	is_list(&package.brokers.plain, "a=a;8883;h;10.0.0.1\nb=b;1;[::1]\n",
		"its brokers");
	is_list(&package.brokers.web, "a=a;443;h\n",
		"and those for WebSockets");
	answer_brokers_free(&package.brokers);
	ok(answer_package(&package, span_of("CA,CERT,a=a;1;h;"), "s", &fault) ==
			0,
		"three parts will do");
	ok(package.brokers.has_web && package.brokers.web.count == 0,
		"there are none for WebSockets then");
	is_list(&package.brokers.plain, "a=a;1;h\n",
		"an empty address is none");
	answer_brokers_free(&package.brokers);

	package_fails("", "less than three parts");
	package_fails("CA,CERT", "less than three parts");
	package_fails("CA,CERT,", "names no broker");
	package_fails("CA,CERT,a", "id=id;port;host;address");
	package_fails("CA,CERT,a=a", "id=id;port;host;address");
	package_fails("CA,CERT,a=a;1", "id=id;port;host;address");
	package_fails("CA,CERT,a=1;h", "id=id;port;host;address");
	package_fails("CA,CERT,a=b;1;h", "another than");
	package_fails("CA,CERT,=;1;h", "its id is none");
	package_fails("CA,CERT,#a=#a;1;h", "its id is none");
	package_fails("CA,CERT,[a]=[a];1;h", "its id is none");
	package_fails("CA,CERT,a=a;0;h", "its port");
	package_fails("CA,CERT,a=a;65536;h", "its port");
	package_fails("CA,CERT,a=a;+1;h", "its port");
	package_fails("CA,CERT,a=a;000001;h", "its port");
	package_fails("CA,CERT,a=a;1;", "its host");
	package_fails("CA,CERT,a=a;1;h i", "its host");
	package_fails("CA,CERT,8883=8883;1;h", "its id is none");
	package_fails("CA,CERT,a=a;1;h:1", "its host");
	package_fails("CA,CERT,a=a;1;[]", "its host");
	package_fails("CA,CERT,a=a;1;[h", "its host");
	package_fails("CA,CERT,a=a;1;h[x]", "its host");
	package_fails("CA,CERT,a=a;1;h#i", "its host");
	package_fails("CA,CERT,a=a;1;h\033", "its host");
	package_fails("CA,CERT,a=a;1;h\xc3\xbc", "its host");
	package_fails("CA,CERT,a=a;1;h;na me", "its address");
	package_fails("CA,CERT,a=a;1;h\na=a;2;h", "that of another one");
	text_append_string(&text, "CA,CERT,a=a;1;");
	for (int i = 0; i < ANSWER_BROKER_MAX; i++)
		text_append_char(&text, 'h');
	package_fails(text.bytes, "too long");
	text_clear(&text);
	text_append_string(&text, "CA,CERT,");
	for (int i = 0; i <= ANSWER_BROKERS_MAX; i++)
		text_appendf(&text, "b%d=b%d;1;h\n", i, i);
	package_fails(text.bytes, "too many");
	text_free(&text);
}

static void
list_fails(const char *text, const char *want)
{
	struct answer_brokers brokers;
	struct fault fault = { 0 };

	fails(answer_list(&brokers, span_of(text), "s", &fault), &fault,
		FAULT_PROTOCOL, want);
}

#define BROKER "{\"guid\": \"a\", \"hostName\": \"h\", \"port\": 1}"

static void
test_list(void)
{
	static const char *const names[] = { "brokersWebSockets",
		"webSocketBrokers" };
	struct answer_brokers brokers;
	struct fault fault = { 0 };

	for (size_t i = 0; i < 2; i++) {
		char *json = memory_format(
			"{\"brokers\": [{\"guid\": \"{1}\", \"hostName\": "
			"\"h\", \"ipAddress\": \"::1\", \"port\": \"8883\"}, "
			"{\"guid\": \"b\", \"hostName\": \"i\", "
			"\"ipAddress\": null, \"port\": 8883}], "
			"\"%s\": [" BROKER "], \"certVersion\": 0}",
			names[i]);

		ok(answer_list(&brokers, span_of(json), "s", &fault) == 0,
			"a list with %s", names[i]);
		is_list(&brokers.plain, "{1}={1};8883;h;::1\nb=b;8883;i\n",
			"has its brokers");
		is_list(&brokers.web, "a=a;1;h\n", "and the others");
		ok(brokers.has_web, "of which it speaks");
		answer_brokers_free(&brokers);
		free(json);
	}
	ok(answer_list(&brokers, span_of("{\"brokers\": [" BROKER "]}"), "s",
		   &fault) == 0 &&
			!brokers.has_web,
		"a list that does not");
	answer_brokers_free(&brokers);
	list_fails("", "no list of brokers");
	list_fails("[]", "no list of brokers");
	list_fails("{}", "no list of brokers");
	list_fails("{\"brokers\": {}}", "no list of brokers");
	list_fails("{\"brokers\": []}", "names no broker");
	list_fails("{\"brokers\": [" BROKER "], \"brokersWebSockets\": 1}",
		"no list of brokers");
	list_fails("{\"brokers\": [1]}", "broker 1 of the list: its id");
	list_fails("{\"brokers\": [" BROKER ", {\"guid\": \"b\", "
		   "\"hostName\": \"h\", \"port\": 65537}]}",
		"broker 2 of the list: its port");
	list_fails("{\"brokers\": [{\"guid\": \"b\", \"port\": 1}]}",
		"its host");
}

static void
test_file(void)
{
	struct answer_brokers brokers;
	struct fault fault = { 0 };

	ok(answer_file(&brokers,
		   span_of("\xef\xbb\xbf#Wed\r\n! more\r\n\r\n"
			   "{1}={1};8883;\\:\\:1;10.0.0.1\r\n"),
		   "f", &fault) == 0,
		"a property file");
	is_list(&brokers.plain, "{1}={1};8883;::1;10.0.0.1\n",
		"has its brokers");
	ok(!brokers.has_web, "and says nothing of WebSockets");
	answer_brokers_free(&brokers);
	ok(answer_file(&brokers, span_of(" { \"brokers\": [" BROKER "]}"), "f",
		   &fault) == 0,
		"JSON");
	answer_brokers_free(&brokers);
	fails(answer_file(&brokers, span_of("{\"brokers\": 1}"), "f", &fault),
		&fault, FAULT_DATA, "f: the answer is no list");
	fails(answer_file(&brokers, span_of("{1}={2};1;h"), "f", &fault),
		&fault, FAULT_DATA, "f: broker \"{1}={2};1;h\"");
	fails(answer_file(&brokers, span_of("a=a;1;h\\"), "f", &fault), &fault,
		FAULT_DATA, "its host");
}

/* What comes of a configuration with these brokers. */
static void
edits(const char *old, const char *brokers, const char *want, const char *name)
{
	struct answer_brokers list = { 0 };
	struct fault fault = { 0 };
	struct text out = { 0 };

	if (answer_file(&list, span_of(brokers), "f", &fault) < 0)
		ok(false, "%s", fault.text);
	const struct conf_change change = { .brokers = &list.plain };
	conf_edit(&out, old, &change);
	is(out.bytes, want, name);
	struct text again = { 0 };
	conf_edit(&again, out.bytes, &change);
	is(again.bytes, out.bytes, "and nothing more comes of it");
	text_free(&again);
	text_free(&out);
	answer_brokers_free(&list);
}

static void
test_edit(void)
{
	edits("[Brokers]\n", "a=a;1;h", "[Brokers]\na = a;1;h\n", "a new one");
	edits("[Brokers]", "a=a;1;h", "[Brokers]\na = a;1;h\n",
		"behind a line without an end");
	edits("x", "a=a;1;h", "x\n\n[Brokers]\na = a;1;h\n", "a new section");
	edits("[Brokers]\na=\"a;1;h\" # ours\n", "a=a;1;h",
		"[Brokers]\na=\"a;1;h\" # ours\n", "one that is the same");
	edits("[Brokers]\nz = 1\n\n[X]\ny=1\n", "a=a;1;h",
		"[Brokers]\na = a;1;h\n\n[X]\ny=1\n", "one for another");
	edits("[Brokers]\n# top\n\n; z\n# zz\nz = 1\nb=2;h\n", "b=b;2;h",
		"[Brokers]\n# top\n\nb = b;2;h\n", "comments go along");
	edits("[Brokers]\n# top\n\n[X]\n", "b=b;2;h",
		"[Brokers]\n# top\nb = b;2;h\n\n[X]\n", "below a comment");
	edits("[Brokers]\r\nc = 1;h\r\n", "b=b;2;h\nc=c;1;h",
		"[Brokers]\r\nc = c;1;h\r\nb = b;2;h\r\n", "other line ends");
	edits("[brokers]\nz = 1\n", "a=a;1;h", "[brokers]\na = a;1;h\n",
		"another case");
	edits("[brokers]\nz = 1\n[Brokers]\n", "a=a;1;h",
		"[brokers]\nz = 1\n[Brokers]\na = a;1;h\n", "the right case");
	edits("[Brokers]\na=1;h\n[X]\n[Brokers]\na=1;i\nb=1;h\n", "a=a;1;h",
		"[Brokers]\na = a;1;h\n[X]\n[Brokers]\n", "a section twice");
	edits("[Brokers] # c\na:1\n", "a=a;1;h", "[Brokers] # c\na = a;1;h\n",
		"the other delimiter");

	struct text out = { 0 };
	struct conf_change change = { .ca = "/a", .certificate = "/c" };
	struct conf_entries list = { 0 };
	conf_entries_add(&list, "a", "a;1;h");
	change.brokers = change.web = &list;
	conf_edit(&out, "[Brokers]\nb=1;h", &change);
	is(out.bytes,
		"[Brokers]\na = a;1;h\n\n[Certs]\nBrokerCertChain = /a\n"
		"CertFile = /c\n\n[BrokersWebSockets]\na = a;1;h\n",
		"new sections behind the last");
	conf_entries_free(&list);
	text_clear(&out);
	change = (struct conf_change){ .ca = "a b, c",
		.certificate = "c",
		.key = "k" };
	conf_edit(&out, "[Certs]\nCertFile = c\nprivatekey=x\n[X]\n", &change);
	is(out.bytes,
		"[Certs]\nCertFile = c\nprivatekey = k\n"
		"BrokerCertChain = \"a b, c\"\n[X]\n",
		"certificates");
	char *value = conf_edit_value(out.bytes, "Certs", "BrokerCertChain");
	is(value, "a b, c", "are read as they were written");
	free(value);
	value = conf_edit_value(out.bytes, "certs", "PRIVATEKEY");
	is(value, "k", "in any case");
	free(value);
	ok(conf_edit_value(out.bytes, "X", "CertFile") == NULL,
		"and not from elsewhere");
	text_free(&out);
}

static void
test_pin(void)
{
	char pin[PEER_FINGERPRINT_MAX];
	char *hex = memory_format("%032d%032d", 7, 8);

	ok(peer_parse_pin(pin, hex) == 0 && strcmp(pin, hex) == 0, "a pin");
	hex[0] = 'F';
	ok(peer_parse_pin(pin, hex) == 0 && pin[0] == 'f', "in capitals");
	char *colon = memory_format("%.2s:%s", hex, hex + 2);
	ok(peer_parse_pin(pin, colon) == 0, "with a colon");
	free(colon);
	colon = memory_format("%.1s:%s", hex, hex + 1);
	ok(peer_parse_pin(pin, colon) < 0, "not inside a byte");
	free(colon);
	colon = memory_format("%s0", hex);
	ok(peer_parse_pin(pin, colon) < 0, "not one too long");
	free(colon);
	hex[63] = '\0';
	ok(peer_parse_pin(pin, hex) < 0, "nor too short");
	ok(peer_parse_pin(pin, "") < 0, "nor empty");
	free(hex);
}

/* Two fabrics, 1 and 2: what belongs to each is found by its port. */
struct fabric {
	char *ca, *certificate, *key;
	struct conf_entries brokers;
};

static void
make_fabric(struct fabric *fabric, const char *name)
{
	struct fault fault = { 0 };

	mkdir(name, 0700);
	char *user = memory_format("%s/user", name);
	mkdir(user, 0700);
	if (authority_make(name, name, &fault) < 0 ||
		authority_issue_client(name, user, name, 0, &fault) < 0) {
		printf("Bail out! %s\n", fault.text);
		exit(99);
	}
	char *path = memory_format("%s/ca.pem", user);
	fabric->ca = get(path);
	free(path);
	path = memory_format("%s/certificate.pem", user);
	fabric->certificate = get(path);
	free(path);
	path = memory_format("%s/key.pem", user);
	fabric->key = get(path);
	free(path);
	char *value = memory_format("b;%s;h", name);
	fabric->brokers = (struct conf_entries){ 0 };
	conf_entries_add(&fabric->brokers, "b", value);
	free(value);
	free(user);
}

static void
fabric_free(struct fabric *fabric)
{
	free(fabric->ca);
	free(fabric->certificate);
	free(fabric->key);
	conf_entries_free(&fabric->brokers);
}

static int
commit(const struct fabric *fabric, struct fault *fault)
{
	struct provision_set set = { .folder = "dxl",
		.files = { { "BrokerCertChain", "ca-bundle.crt",
				   span_of(fabric->ca), 0644, false },
			{ "CertFile", "client.crt",
				span_of(fabric->certificate), 0644, false },
			{ "PrivateKey", "client.key", span_of(fabric->key),
				0600, false } },
		.count = 3,
		.brokers = &fabric->brokers,
		.check_key = true };

	return provision_commit(&set, fault);
}

/* Which fabric the folder is of, by all that its configuration names: its
 * port, or 0 if it is of none or of both. */
static int
look(const struct fabric *fabrics)
{
	struct fault fault = { 0 };
	struct conf conf;
	int port = 0;

	if (conf_read_dxl(&conf, "dxl/dxlclient.config", &fault) < 0) {
		printf("# %s\n", fault.text);
		return 0;
	}
	struct identity *identity = identity_open(&conf, &fault);
	if (identity == NULL)
		printf("# %s\n", fault.text);
	for (int i = 1; i <= 2 && identity != NULL; i++) {
		char *ca = get(conf.ca);

		if (conf.brokers[0].port == i &&
			atoi(identity_name(identity)) == i &&
			strcmp(ca, fabrics[i - 1].ca) == 0)
			port = i;
		free(ca);
	}
	identity_free(identity);
	conf_free(&conf);
	return port;
}

static int
count_in(const char *path)
{
	char *command = memory_format("ls -A %s | wc -l", path);
	FILE *list = popen(command, "r");
	int count = -1;

	free(command);
	if (list == NULL || fscanf(list, "%d", &count) != 1)
		count = -1;
	if (list != NULL)
		pclose(list);
	return count;
}

static int
count_files(void)
{
	return count_in("dxl");
}

/* It ends before the n-th rename(), as if it were killed there.  false if there
 * are less. */
static bool
interrupt(const struct fabric *fabric, int n)
{
	struct fault fault = { 0 };
	int status = 0;

	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		renames_left = n;
		_exit(commit(fabric, &fault) < 0);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) == 42;
}

static void
test_interrupted(void)
{
	struct fabric fabrics[2];
	struct fault fault = { 0 };
	int n = 1;

	make_fabric(&fabrics[0], "1");
	make_fabric(&fabrics[1], "2");
	for (;; n++) {
		ok(commit(&fabrics[0], &fault) == 0 && look(fabrics) == 1 &&
				count_files() == 4,
			"one fabric, whatever was before");
		if (!interrupt(&fabrics[1], n))
			break;
		int now = look(fabrics);
		ok(now == (n == 1 ? 1 : 2), "ended before rename %d: %s", n,
			now == 1           ? "all is old"
				: now == 2 ? "all is new"
					   : "a mixture");
		/* Brokers alone: what was begun is finished first. */
		struct provision_set set = { .folder = "dxl",
			.brokers = &fabrics[now == 2].brokers };
		secrets_left = 0;
		secret = "-----BEGIN PRIVATE KEY-----";
		ok(provision_commit(&set, &fault) == 0 &&
				look(fabrics) == now && count_files() == 4,
			"which the next one brings to its end");
		secret = NULL;
		ok(secrets_left == 0, "and leaves no key in memory");
		char *text = get("dxl/dxlclient.config");
		ok(strstr(text, "qchat-") == NULL, "under the usual names");
		free(text);
	}
	ok(n == 6, "three files, and the configuration twice");
	ok(look(fabrics) == 2, "without an interruption all is new");

	/* A key that does not fit. */
	char *key = fabrics[0].key;
	fabrics[0].key = memory_string(fabrics[1].key);
	ok(commit(&fabrics[0], &fault) < 0 && look(fabrics) == 2 &&
			count_files() == 4,
		"what does not fit changes nothing");
	is(fault.text,
		"dxl/client.key: belongs to another certificate than that in "
		"dxl/client.crt (are both of the same request?)",
		"and the files are named as they would be called");
	free(fabrics[0].key);
	fabrics[0].key = key;
	for (int i = 0; i < 2; i++)
		fabric_free(&fabrics[i]);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What is taken away is ours. */
static void
test_sweep(void)
{
	static const char *const mine[] = { "dxl/client.key.qchat-backup",
		"dxl/a.qchat-new-1", "dxl/a.qchat-new-12345",
		"dxl/b.qchat-new-", "dxl/a.qchat-new-1234567",
		"dxl/a.qchat-new-1234.6", "dxl/.qchat-new-123456",
		"dxl/a.qchat-new-123456~" };
	struct fabric fabric;
	struct fault fault = { 0 };

	make_fabric(&fabric, "3");
	mkdir("dxl/folder.qchat-new-123456", 0700);
	put("dxl/old.key.qchat-new-aB3456", "left");
	for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++)
		put(mine[i], "mine");
	put("dxl/dxlclient.config", "[Certs]\nCertFile = c.qchat-backup\n");
	put("dxl/c.qchat-backup", "mine");
	ok(commit(&fabric, &fault) == 0, "a commit");
	is(fault.text, "", "is no fault");
	ok(!is_there("dxl/old.key.qchat-new-aB3456"),
		"takes away what another left");
	ok(is_there("dxl/folder.qchat-new-123456"), "and no folder");
	ok(is_there("dxl/c.qchat-backup"),
		"nor what the configuration called so");
	for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++) {
		ok(is_there(mine[i]), "nor %s", mine[i]);
		unlink(mine[i]);
	}
	fabric_free(&fabric);
}

/* Where the files are links, and what is closed. */
static void
test_links(void)
{
	struct conf_entries brokers = { 0 };
	struct fault fault = { 0 };
	struct stat info;

	mkdir("linked", 0755);
	mkdir("linked/real", 0755);
	put("linked/real/config",
		"[Certs]\nBrokerCertChain = ca\n"
		"CertFile = c\nPrivateKey = k\n");
	chmod("linked/real/config", 0640);
	if (symlink("real/config", "linked/dxlclient.config") < 0)
		ok(false, "symlink");
	conf_entries_add(&brokers, "a", "a;1;h");
	struct provision_set set = { .folder = "linked",
		.files = { { "BrokerCertChain", NULL, span_of("CA\n"), 0644,
			false } },
		.count = 1,
		.brokers = &brokers };
	is_folder_apart = true;
	ok(provision_commit(&set, &fault) == 0,
		"a configuration in another file system");
	is(fault.text, "", "is no fault");
	is_folder_apart = false;
	ok(lstat("linked/dxlclient.config", &info) == 0 &&
			S_ISLNK(info.st_mode),
		"is still there");
	ok(stat("linked/real/config", &info) == 0 &&
			(info.st_mode & 0777) == 0640,
		"and as closed as it was");
	char *text = get("linked/ca");
	is(text, "CA\n", "what it names is beside the link");
	free(text);
	text = get("linked/real/config");
	ok(strstr(text, "\na = a;1;h\n") != NULL, "it has the broker");
	free(text);
	ok(set.files[0].changed && set.config_changed, "both are told of");
	ok(provision_commit(&set, &fault) == 0 && !set.files[0].changed &&
			!set.config_changed,
		"the second time there is nothing to do");
	conf_entries_free(&brokers);
	ok(stat("linked", &info) == 0 && (info.st_mode & 0777) == 0755,
		"the folder stays as open as it was");
}

/* What would be something else than a file afterwards. */
static void
test_no_files(void)
{
	struct fault fault = { 0 };
	struct stat info;

	mkdir("odd", 0700);
	put("odd/dxlclient.config",
		"[Certs]\nBrokerCertChain = ca\nCertFile = c\n"
		"PrivateKey = k\n");
	struct provision_set set = { .folder = "odd",
		.files = { { "BrokerCertChain", NULL, span_of("CA\n"), 0644,
				   false },
			{ "CertFile", "c", span_of("C\n"), 0644, false } },
		.count = 2 };
	ok(mkfifo("pipe", 0600) == 0 && symlink("../pipe", "odd/ca") == 0,
		"what is no plain file");
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"odd/ca: is no plain file");
	ok(stat("pipe", &info) == 0 && S_ISFIFO(info.st_mode),
		"is not replaced");
	unlink("odd/ca");
	mkdir("odd/ca", 0700);
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"odd/ca: is no plain file");
	rmdir("odd/ca");
	if (symlink("nowhere/ca", "odd/ca") < 0)
		ok(false, "symlink");
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"odd/ca: is a link to what is not there");
	ok(lstat("odd/ca", &info) == 0 && S_ISLNK(info.st_mode) &&
			!is_there("odd/c"),
		"nor is a link, and nothing else is made");
	unlink("odd/ca");
	if (symlink("ca", "odd/ca") < 0)
		ok(false, "symlink");
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"odd/ca: Too many levels of symbolic links");
	unlink("odd/ca");
	if (symlink("dxlclient.config", "odd/ca") < 0)
		ok(false, "symlink");
	fails(provision_commit(&set, &fault), &fault, FAULT_CONFIG,
		"odd/dxlclient.config: would hold two things");
	char *text = get("odd/dxlclient.config");
	ok(strncmp(text, "[Certs]", 7) == 0, "and is as it was");
	free(text);
	unlink("odd/ca");
	unlink("odd/dxlclient.config");
	if (symlink("nowhere", "odd/dxlclient.config") < 0)
		ok(false, "symlink");
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"odd/dxlclient.config: is a link to what is not there");
	ok(lstat("odd/dxlclient.config", &info) == 0 && S_ISLNK(info.st_mode),
		"also of the configuration");
}

enum { NOBODY = 65534 };

/* From now on it is another user's. */
static void
give(const char *path)
{
	if (__real_getuid() == 0 && lchown(path, NOBODY, NOBODY) < 0)
		ok(false, "lchown");
	is_somebody_else = __real_getuid() != 0;
}

/* It is ours again, and who runs this he who he is. */
static void
take(const char *path)
{
	if (__real_getuid() == 0 && lchown(path, 0, 0) < 0)
		ok(false, "lchown");
	is_somebody_else = false;
}

static void
put_theirs(const char *path, const char *text)
{
	unlink(path);
	put(path, text);
	give(path);
}

static void
link_to(const char *to, const char *path)
{
	unlink(path);
	if (symlink(to, path) < 0)
		ok(false, "symlink");
}

static void
is_text(const char *path, const char *want, const char *name)
{
	char *text = get(path);

	is(text, want, name);
	free(text);
}

/* What another user may lead to, in a folder of his. */
static void
test_others(void)
{
	struct fault fault = { 0 };
	struct stat info;
	struct provision_set set = { .folder = "theirs",
		.files = { { "BrokerCertChain", NULL, span_of("CA\n"), 0644,
			false } },
		.count = 1 };
	char *config = memory_format("[Certs]\nBrokerCertChain = %s/victim\n",
		folder);

	chmod(folder, 0711);
	mkdir("theirs", 0755);
	give("theirs");
	put("victim", "ours");
	chmod("victim", 0600);
	put_theirs("theirs/dxlclient.config",
		"[Certs]\nBrokerCertChain = ca\n");
	link_to("../victim", "theirs/ca");
	fails(provision_commit(&set, &fault), &fault, FAULT_NOPERM,
		"/victim: is outside of theirs");
	fails(provision_check(&set, &fault), &fault, FAULT_NOPERM,
		"/victim: is outside of theirs");
	is_text("victim", "ours", "what a link of theirs leads to is kept");
	unlink("theirs/ca");
	put_theirs("theirs/dxlclient.config", config);
	fails(provision_commit(&set, &fault), &fault, FAULT_NOPERM,
		"/victim: is outside of theirs");
	is_text("victim", "ours", "and what a path of theirs does");
	put_theirs("theirs/dxlclient.config",
		"[Certs]\nBrokerCertChain = ca.qchat-new-aB3456\n");
	link_to("../victim", "theirs/ca.qchat-new-aB3456");
	fails(provision_commit(&set, &fault), &fault, FAULT_CONFIG,
		"ca.qchat-new-aB3456: is no plain file");
	ok(!is_there("theirs/ca"), "which is not copied for them either");
	unlink("theirs/ca.qchat-new-aB3456");
	put_theirs("theirs/dxlclient.config",
		"[Certs]\nBrokerCertChain = ca\n");
	ok(provision_commit(&set, &fault) == 0, "a folder of another user");
	ok(stat("theirs", &info) == 0 && info.st_mode & S_IWUSR,
		"which is written");
	uid_t owner = info.st_uid;
	ok(stat("theirs/ca", &info) == 0 && info.st_uid == owner,
		"a file that is new in it is that user's");
	ok(getegid() == getgid() && geteuid() == __real_getuid(),
		"and we are who we were");

	mkdir("theirs/sub", 0555);
	put_theirs("theirs/dxlclient.config",
		"[Certs]\nBrokerCertChain = sub/ca\n");
	fails(provision_check(&set, &fault), &fault, FAULT_CANTCREAT,
		"theirs/sub: Permission denied");
	fails(provision_commit(&set, &fault), &fault, FAULT_CANTCREAT,
		"theirs/sub: Permission denied");
	if (__real_getuid() == 0) {
		put_theirs("theirs/dxlclient.config",
			"[Certs]\nBrokerCertChain = ours\n");
		put("theirs/ours", "ours");
		fails(provision_commit(&set, &fault), &fault, FAULT_NOPERM,
			"theirs/ours: belongs to another user (uid 0)");
	}
	take("theirs");

	/* A folder of ours, but a configuration that is not. */
	put("theirs/dxlclient.config", config);
	chmod("theirs/dxlclient.config", 0666);
	fails(provision_commit(&set, &fault), &fault, FAULT_NOPERM,
		"/victim: is outside of theirs");
	is_text("victim", "ours", "is kept");
	free(config);
}

/* What is known before there is anything to write. */
static void
test_check(void)
{
	struct fault fault = { 0 };
	struct provision_set set = { .folder = "mine",
		.files = { { "PrivateKey", "client.key", { NULL, 0 }, 0600,
			false } },
		.count = 1 };

	mkdir("closed", 0555);
	if (__real_getuid() == 0 && seteuid(NOBODY) < 0)
		ok(false, "seteuid");
	set.folder = "closed/a/b";
	fails(provision_check(&set, &fault), &fault, FAULT_CANTCREAT,
		"closed: Permission denied");
	if (__real_getuid() == 0 && seteuid(0) < 0)
		ok(false, "seteuid");
	link_to("nowhere", "dangling");
	set.folder = "dangling";
	fails(provision_check(&set, &fault), &fault, FAULT_CANTCREAT,
		"dangling: is a link to what is not there");
	set.folder = "a/b/c";
	ok(provision_check(&set, &fault) == 0 && !is_there("a"),
		"a folder that can be made, and is not yet");
	set.folder = "mine";
	mkdir("mine", 0700);
	mkdir("elsewhere", 0700);
	put("elsewhere/key", "old");
	link_to("../elsewhere/key", "mine/client.key");
	ok(provision_check(&set, &fault) == 0, "a key elsewhere");
	chmod("elsewhere", 0777);
	fails(provision_check(&set, &fault), &fault, FAULT_NOPERM,
		"elsewhere: everybody can write into this folder");
	set.files[0].bytes = span_of("new");
	fails(provision_commit(&set, &fault), &fault, FAULT_NOPERM,
		"elsewhere: everybody can write into this folder");
	is_text("elsewhere/key", "old", "and nothing has changed");
}

/* What was left beside what a link leads to. */
static void
test_sweep_far(void)
{
	struct fabric fabrics[2];
	struct fault fault = { 0 };

	mkdir("far", 0700);
	for (int i = 0; i < 2; i++)
		make_fabric(&fabrics[i], i == 0 ? "4" : "5");
	put("far/key", "");
	put("far/config", "");
	link_to("../far/key", "dxl/client.key");
	link_to("../far/config", "dxl/dxlclient.config");
	ok(commit(&fabrics[0], &fault) == 0, "links");
	is(fault.text, "", "are no fault");
	ok(interrupt(&fabrics[1], 1), "ended before the first rename");
	ok(count_in("far") > 2, "something is left");
	put("far/other.qchat-new-aB3456", "");
	put("far/key.old.qchat-new-aB3456", "");
	ok(commit(&fabrics[1], &fault) == 0, "the next one");
	ok(count_in("far") == 4, "takes it away");
	ok(is_there("far/other.qchat-new-aB3456") &&
			is_there("far/key.old.qchat-new-aB3456"),
		"and not what is another file's");
	for (int i = 0; i < 2; i++)
		fabric_free(&fabrics[i]);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/qchat-unit.XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	umask(022);
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		return 99;
	}
	test_open();
	test_package();
	test_list();
	test_file();
	test_edit();
	test_pin();
	test_interrupted();
	test_sweep();
	test_links();
	test_no_files();
	test_others();
	test_check();
	test_sweep_far();
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
