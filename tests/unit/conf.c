/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include "memory.h"
#include "repair.h"
#include "room.h"
#include "tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything happens in this folder, which is also the current one. */
static char folder[256];

#define CERTS  "ca = \"ca.pem\"; certificate = \"c.pem\"; key = \"/k.pem\";\n"
#define BROKER "brokers = ( { host = \"b1\"; } );\n"
#define DXL_CERTS \
	"[Certs]\nBrokerCertChain=ca.crt\nCertFile=c.crt\nPrivateKey=/c.key\n"

static void
put_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(bytes, 1, len, file) != len ||
		fclose(file) != 0) {
		perror(path);
		exit(99);
	}
}

static void
put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

/* Reading it fails with that text; the file is a qchat.conf, or else has
 * "dxl" in its name. */
static void
fails_at(const char *path, const char *want)
{
	struct fault fault = { 0 };
	struct conf conf;
	bool dxl = strstr(path, "dxl") != NULL;
	int rc = dxl ? conf_read_dxl(&conf, path, &fault)
		     : conf_read(&conf, path, &fault);

	if (rc == 0)
		conf_free(&conf);
	ok(rc == -1 && fault.kind == FAULT_CONFIG, "refused: %s", want);
	ok(strstr(fault.text, want) == fault.text, "says so: %s", want);
	if (strstr(fault.text, want) != fault.text)
		printf("# got: %s\n", fault.text);
}

static void
fails(const char *text, const char *want)
{
	put("q.conf", text);
	fails_at("q.conf", want);
}

static void
dxl_fails(const char *text, const char *want)
{
	put("dxl.config", text);
	fails_at("dxl.config", want);
}

static void
reads(struct conf *conf, const char *path, const char *text)
{
	struct fault fault = { 0 };

	put(path, text);
	int rc = strstr(path, "dxl") != NULL ? conf_read_dxl(conf, path, &fault)
					     : conf_read(conf, path, &fault);
	if (!ok(rc == 0, "reads: %.40s", text))
		printf("# %s\n", fault.text);
	if (rc < 0)
		*conf = (struct conf){ 0 };
}

static void
is_broker(const struct conf *conf, size_t i, const char *host,
	const char *address, int port)
{
	if (!ok(i < conf->broker_count, "broker %zu is there", i))
		return;
	is(conf->brokers[i].host, host, "its host");
	is(conf->brokers[i].address, address, "its address");
	ok(conf->brokers[i].port == port, "its port is %d", port);
}

static bool
warned(const struct conf *conf, const char *what)
{
	for (size_t i = 0; i < conf->warning_count; i++)
		if (strstr(conf->warnings[i], what) != NULL)
			return true;
	return false;
}

static void
test_read(void)
{
	struct conf conf;

	reads(&conf, "sub/q.conf",
		"\xef\xbb\xbf# gr\xc3\xbc\xc3\x9f\n" CERTS
		"fabric = \"mqtt\"; room = \"r\"; user = \"u\";\r\n"
		"ciphers = \"DEFAULT\"; sign_ca = \"p.pem\"; crl = "
		"\"/l.pem\";\n"
		"passphrase_command = \"pass qchat\";\n"
		"brokers = ( { host = \"b1\"; port = 1; },\n"
		" { host = \"[2001:db8::1]\"; port = 65535; },\n"
		" { host = \"192.0.2.1\"; } );\n");
	ok(conf.broker_count == 3, "three brokers");
	is_broker(&conf, 0, "b1", NULL, 1);
	is_broker(&conf, 1, "2001:db8::1", NULL, 65535);
	is_broker(&conf, 2, "192.0.2.1", NULL, CONF_PORT);
	is(conf.file, "sub/q.conf", "file");
	is(conf.ca, "sub/ca.pem", "a relative path means the file's folder");
	is(conf.key, "/k.pem", "an absolute path stays");
	is(conf.room, "r", "room");
	is(conf.user, "u", "user");
	is(conf.ciphers, "DEFAULT", "ciphers");
	is(conf.sign_ca, "sub/p.pem", "sign_ca is a path");
	is(conf.crl, "/l.pem", "crl too");
	is(conf.passphrase_command, "pass qchat", "passphrase_command is not");
	ok(conf.fabric == CONF_MQTT && conf.verify_host, "mqtt: name checked");
	conf_free(&conf);
	conf_free(&conf);

	reads(&conf, "q.conf", "");
	ok(conf.broker_count == 0 && conf.ca == NULL, "empty: nothing set");
	conf_free(&conf);
	reads(&conf, "q.conf", "brokers = ();\n");
	ok(conf.broker_count == 0, "an empty list names no broker");
	conf_free(&conf);
	reads(&conf, "q.conf", "fabric = \"dxl\";" CERTS BROKER);
	ok(conf.fabric == CONF_DXL && !conf.verify_host, "dxl: not checked");
	is(conf.ca, "ca.pem", "a file without folder");
	conf_free(&conf);
	reads(&conf, "q.conf", "verify_host = true; fabric = \"dxl\";");
	ok(conf.verify_host, "verify_host = true for dxl");
	conf_free(&conf);
	reads(&conf, "q.conf", "verify_host = false;");
	ok(!conf.verify_host, "verify_host = false for mqtt");
	conf_free(&conf);
}

static void
test_faults(void)
{
	fails("\n" CERTS "brokr = 1;",
		"q.conf:3: unknown key brokr (known are "
		"brokers, ca, certificate, ciphers, crl, dxl_config, fabric, "
		"join, key, limits, passphrase_command, room, seal_old_hours, "
		"sign_ca, "
		"spool_bytes, spool_hours, spool_messages, store_bytes, "
		"store_messages, "
		"user, verify_host)");
	fails("sign_ca = 1;", "q.conf:1: sign_ca is a text");
	fails("crl = \"\";", "q.conf:1: crl is empty");
	fails("passphrase_command = true;",
		"q.conf:1: passphrase_command is a text");
	fails("store_bytes = 0;",
		"q.conf:1: store_bytes is a number from 1 to 1000000000000");
	fails("seal_old_hours = \"1\";",
		"q.conf:1: seal_old_hours is a number from 1 to 1000000000000");
	fails("spool_hours = 1000000000001L;",
		"q.conf:1: spool_hours is a number from 1 to 1000000000000");
	fails("ca = 1;", "q.conf:1: ca is a text");
	fails("\n\nroom = \"\";", "q.conf:3: room is empty");
	fails("\nroom = \"a\\xffb\";", "q.conf:2: room is not UTF-8");
	fails("fabric = \"kafka\";", "q.conf:1: fabric is \"mqtt\" or \"dxl\"");
	fails("fabric = 3;", "q.conf:1: fabric is");
	fails("verify_host = \"yes\";", "q.conf:1: verify_host is true or");
	fails("verify_host = 1;", "q.conf:1: verify_host is true or");
	fails("brokers = \"b1\";", "q.conf:1: brokers is a list");
	fails("brokers = { host = \"b1\"; };", "q.conf:1: brokers is a list");
	fails("brokers = ( \"b1\" );", "q.conf:1: a broker is { host");
	fails("brokers = (\n{ port = 1; } );", "q.conf:2: this broker has no");
	fails("brokers = ( { host = 1; } );", "q.conf:1: host is a text");
	fails("brokers = ( { host = \"\"; } );", "q.conf:1: the host is empty");
	fails("brokers = ( { host = \"[]\"; } );",
		"q.conf:1: the host is empty");
	fails("brokers = ( { host = \"b:1\"; } );", "q.conf:1: a host is a");
	fails("brokers = ( { host = \"b 1\"; } );", "q.conf:1: a host is a");
	fails("brokers = ( { host = \"mqtts://b\"; } );",
		"q.conf:1: a host is a name or an address alone");
	fails("brokers = ( { host = \"b\"; port = 0; } );",
		"q.conf:1: port is a number from 1 to 65535 (");
	fails("brokers = ( { host = \"b\"; port = 65536; } );",
		"q.conf:1: port is a number from");
	fails("brokers = ( { host = \"b\"; port = -1; } );",
		"q.conf:1: port is a number from");
	fails("brokers = ( { host = \"b\"; port = \"1\"; } );",
		"q.conf:1: port is a number from");
	fails("brokers = ( { host = \"b\"; prt = 1; } );",
		"q.conf:1: unknown key prt (a broker has host and port)");
	fails(BROKER "certificate = \"c\"; key = \"k\";",
		"q.conf:1: ca is missing");
	fails(BROKER "ca = \"c\"; key = \"k\";",
		"q.conf:1: certificate is missing");
	fails("\n" BROKER "ca = \"c\"; certificate = \"c\";",
		"q.conf:2: key is missing");
	fails("ca = \"a\";\nca = \"b\";", "q.conf:2: duplicate setting name");
	fails("ca = \"a\";\nroom = r1;", "q.conf:2: syntax error");
	fails("\n \t@include \"x\"\n", "q.conf:2: @include is not supported");
	fails("@include \".\"\n", "q.conf:1: @include is not supported");
}

/* Whatever libconfig makes of a number: we read what is written there. */
static void
test_numbers(void)
{
	struct conf conf;

	reads(&conf, "q.conf",
		"# 5 \"\n// 5 \"\n/* 5 \"\n */ spool_bytes = 4294968296;"
		"spool_hours\n=\n4294967297L\nstore_messages: 0x10000000a,"
		"store_bytes = 0010 seal_old_hours=+5LL;"
		"room = \"5 \\\" # 4294967297 \\\\\"; user = \"0x5\";" CERTS
		"brokers = ( { host = \"10.0.0.5\"; port = 0x1F; } ); /* 5");
	ok(conf.limits.spool_bytes == 4294968296, "more than 32 bits");
	ok(conf.limits.spool_hours == 4294967297, "with an L, on other lines");
	ok(conf.limits.store_messages == 4294967306, "to base 16");
	ok(conf.limits.store_bytes == 10, "a leading zero is none of base 8");
	ok(conf.limits.seal_old_hours == 5, "with a sign");
	is(conf.room, "5 \" # 4294967297 \\", "those in a text stay");
	is(conf.user, "0x5", "such as these");
	is_broker(&conf, 0, "10.0.0.5", NULL, 31);
	conf_free(&conf);
	fails("\nspool_bytes = 1000000000001;",
		"q.conf:2: spool_bytes is a number from 1 to 1000000000000 (");
	fails("spool_bytes = -4294967295;",
		"q.conf:1: spool_bytes is a number from 1 to");
	fails("spool_bytes = 18446744073709551617;",
		"q.conf:1: spool_bytes is a number from 1 to");
	fails("spool_bytes = 18446744073709551617L;",
		"q.conf:1: spool_bytes is a number from 1 to");
	fails("spool_bytes = 0x10000000000000001;",
		"q.conf:1: spool_bytes is a number from 1 to");
	fails("spool_bytes = 0x10000000000000001L;",
		"q.conf:1: spool_bytes is a number from 1 to");
	fails("spool_bytes = 5.5;", "q.conf:1: spool_bytes is a number from");
	fails("spool_bytes = .5;", "q.conf:1: spool_bytes is a number from");
	fails("spool_bytes = 5e5;", "q.conf:1: spool_bytes is a number from");
	fails("spool_bytes = 5.e+5;", "q.conf:1: spool_bytes is a number from");
	fails("spool_bytes = 0b11;", "q.conf:1: syntax error");
	fails("spool_bytes = 5-5;", "q.conf:1: syntax error");
	fails("a-5_5 = 5;", "q.conf:1: unknown key a-5_5 (");
	fails("room = \"5", "q.conf:1: ");
	fails("brokers = ( { host = \"b\"; port = 4294967297; } );",
		"q.conf:1: port is a number from 1 to 65535 (");
	fails("join = { bell = 5; };", "q.conf:1: bell is true or false");
}

static void
test_files(void)
{
	static char large[CONF_FILE_MAX + 1];
	struct fault fault = { 0 };
	struct conf conf;

	fails_at("none.conf", "none.conf: cannot be read: No such file");
	fails_at("sub", "sub: cannot be read: Is a directory");
	fails_at("none.dxl", "none.dxl: cannot be read: No such file");
	put_bytes("q.conf", "room\n=\0;", 8);
	fails_at("q.conf", "q.conf:2: a NUL byte");
	put_bytes("dxl.config", "[Certs]\n\0", 9);
	fails_at("dxl.config", "dxl.config:2: a NUL byte");
	fails("\n\nroom = \"gr\xfc\xdf\";", "q.conf:3: is not UTF-8");
	dxl_fails("[Brokers]\na=1;gr\xfc\xdf\n", "dxl.config:2: is not UTF-8");
	memset(large, '\n', sizeof(large));
	put_bytes("q.conf", large, sizeof(large));
	fails_at("q.conf", "q.conf: is larger than 1048576 bytes");
	put_bytes("q.conf", large, sizeof(large) - 1);
	ok(conf_read(&conf, "q.conf", &fault) == 0, "as large as may be");
	conf_free(&conf);
	for (size_t i = 0; i < sizeof(large) - 2; i += 2)
		memcpy(large + i, "a(", 2);
	put_bytes("q.conf", large, sizeof(large) - 1);
	fails_at("q.conf", "q.conf:1: ");
	memset(large, '{', sizeof(large));
	memcpy(large, "a=", 2);
	put_bytes("q.conf", large, sizeof(large) - 1);
	fails_at("q.conf", "q.conf:1: ");

	put("q.conf", "");
	chmod("q.conf", 0);
	be_nobody(true);
	fails_at("q.conf", "q.conf: cannot be read: Permission denied");
	be_nobody(false);
	unlink("q.conf");
}

static void
test_limits(void)
{
	struct conf conf;
	char text[8192] = "brokers = (";

	for (int i = 0; i <= CONF_BROKERS_MAX; i++)
		strcat(text, i > 0 ? ",{host=\"b\";}" : "{host=\"b\";}");
	strcat(text, ");");
	fails(text, "q.conf:1: too many brokers");

	strcpy(text, DXL_CERTS "[Brokers]\n");
	for (int i = 0; i <= CONF_BROKERS_MAX; i++)
		sprintf(text + strlen(text), "b%d=8883;b%d\n", i, i);
	reads(&conf, "dxl.config", text);
	ok(conf.broker_count == CONF_BROKERS_MAX && warned(&conf, "first 64"),
		"a DXL fabric's further brokers are left out with a warning");
	conf_free(&conf);

	size_t size = 5000 * 12;
	char *many = memory_alloc(size, 1);
	for (int i = 0; i < 5000; i++)
		sprintf(many + strlen(many), "k%d=1\n", i);
	dxl_fails(many, "dxl.config:4097: more than 4096 settings");
	free(many);
}

/* A limit at its bounds, and beyond them. */
static void
try_quota(const struct quota_key *key)
{
	char text[256], want[256];
	struct conf conf;

	snprintf(text, sizeof(text), "limits = { %s = %lld; };", key->name,
		(long long)key->least);
	reads(&conf, "q.conf", text);
	ok(*quota_value(&conf.quotas, key) == key->least, "%s: the least",
		key->name);
	conf_free(&conf);
	snprintf(text, sizeof(text), "limits = { %s = %lld; };", key->name,
		(long long)key->most);
	reads(&conf, "q.conf", text);
	ok(*quota_value(&conf.quotas, key) == key->most, "%s: the most",
		key->name);
	conf_free(&conf);
	snprintf(want, sizeof(want),
		"q.conf:2: %s is a number from %lld to %lld (", key->name,
		(long long)key->least, (long long)key->most);
	snprintf(text, sizeof(text), "limits = {\n%s = %lld; };", key->name,
		(long long)key->least - 1);
	fails(text, want);
	snprintf(text, sizeof(text), "limits = {\n%s = %lld; };", key->name,
		(long long)key->most + 1);
	fails(text, want);
	snprintf(text, sizeof(text), "limits = {\n%s = %lld; };", key->name,
		(long long)key->least + (INT64_C(1) << 32));
	fails(text, want);
}

static void
test_quotas(void)
{
	const struct quota_key *key;
	const struct quotas none = { 0 };
	struct quotas usual = quota_complete(&none);
	struct conf conf;
	size_t count = 0;

	for (; (key = quota_key(count)) != NULL; count++) {
		try_quota(key);
		ok(key->least >= 1 && key->least <= key->usual &&
				key->usual <= key->most &&
				*quota_value(&usual, key) == key->usual,
			"%s: its usual value is within", key->name);
	}
	ok(count * sizeof(int64_t) == sizeof(none), "the table has all");
	ok(quota_find("repairs_waiting")->most == REPAIRS_MAX,
		"no more repairs than there is room for");
	reads(&conf, "q.conf",
		"limits = { bad_signatures_all = 7; bad_signatures = 5; };");
	ok(conf.quotas.bad_signatures == 5 &&
			conf.quotas.bad_signatures_all == 7 &&
			conf.quotas.senders == 0,
		"what is set is set, and nothing else");
	conf_free(&conf);
	reads(&conf, "q.conf", "limits = { };");
	ok(memcmp(&conf.quotas, &none, sizeof(none)) == 0, "an empty group");
	conf_free(&conf);
	fails("\nlimits = 5;", "q.conf:2: limits is a group: {");
	fails("limits = {\nparticipant = 5; };",
		"q.conf:2: unknown limit participant (known are "
		"bad_signatures, bad_signatures_all, catch_up_bytes, "
		"keys_strangers, keys_trusted, names, participants, "
		"repair_bytes, repairs_waiting, senders, waiting_bytes, "
		"waiting_messages)");
	fails("limits = { names = \"5\"; };",
		"q.conf:1: names is a number from 1 to 4096 (");
}

static void
test_join(void)
{
	struct conf conf;

	reads(&conf, "q.conf", "join = { };");
	ok(conf.join.highlight == NULL && conf.join.notify == NULL &&
			conf.join.notify_severity == NULL &&
			conf.join.bell == CONF_BELL_USUAL,
		"nothing is set");
	conf_free(&conf);
	reads(&conf, "q.conf",
		"join = { highlight = [ \"db7\", \"gr\xc3\xbc\xc3\x9f\" ];\n"
		"notify = ( \"notify-send\", \"\", \"--\" );\n"
		"notify_severity = \"none\"; bell = false; };");
	is(conf.join.highlight[0], "db7", "a word");
	is(conf.join.highlight[1], "gr\xc3\xbc\xc3\x9f", "another");
	is(conf.join.highlight[2], NULL, "no third");
	is(conf.join.notify[0], "notify-send", "a command");
	is(conf.join.notify[1], "", "an argument may be empty");
	is(conf.join.notify[2], "--", "the last");
	is(conf.join.notify[3], NULL, "it ends");
	is(conf.join.notify_severity, "none", "its severity");
	ok(conf.join.bell == CONF_BELL_OFF, "no bell");
	conf_free(&conf);
	reads(&conf, "q.conf", "join = { highlight = []; bell = true; };");
	ok(conf.join.highlight != NULL && conf.join.highlight[0] == NULL,
		"no words are set");
	ok(conf.join.bell == CONF_BELL_ON, "a bell");
	conf_free(&conf);
}

/* A severity is what a room has. */
static void
test_severities(void)
{
	char text[64];
	struct conf conf;

	for (int i = ROOM_SEVERITY_INFO; i <= ROOM_SEVERITY_CRITICAL; i++) {
		const char *name = room_severity_name((enum room_severity)i);

		snprintf(text, sizeof(text),
			"join = { notify_severity = \"%s\"; };", name);
		reads(&conf, "q.conf", text);
		is(conf.join.notify_severity, name, name);
		conf_free(&conf);
	}
	ok(room_severity_of(span_of(CONF_NOTIFY_SEVERITY)) !=
			ROOM_SEVERITY_NONE,
		"the usual one is one");
}

static void
test_join_faults(void)
{
	fails("\njoin = 5;", "q.conf:2: join is a group: {");
	fails("join = {\nbel = true; };",
		"q.conf:2: unknown key bel in join (known are bell, "
		"highlight, notify, notify_severity)");
	fails("join = { bell = 1; };", "q.conf:1: bell is true or false");
	fails("join = { notify_severity = \"worst\"; };",
		"q.conf:1: notify_severity is \"none\", \"info\",");
	fails("join = { notify_severity = 4; };",
		"q.conf:1: notify_severity is");
	fails("join = { highlight = \"db7\"; };",
		"q.conf:1: highlight is a list of texts: [");
	fails("join = { highlight = [ 1 ]; };",
		"q.conf:1: highlight is a list of texts: [");
	fails("join = { highlight = ( \"a\",\n( \"b\" ) ); };",
		"q.conf:2: highlight is a list of texts: [");
	fails("join = { highlight = [ \"a\", \"\" ]; };",
		"q.conf:1: an empty text in highlight");
	fails("join = { highlight = [ \"\\xff\" ]; };",
		"q.conf:1: a text in highlight is not UTF-8");
	fails("join = { notify = \"notify-send\"; };",
		"q.conf:1: notify is a list of texts: [");
	fails("join = {\nnotify = []; };", "q.conf:2: notify names no program");
	fails("join = { notify = [ \"\" ]; };",
		"q.conf:1: an empty text in notify");
}

/* A list of so many texts, the first of them of so many bytes. */
static void
put_texts(struct text *file, const char *name, int count, int bytes)
{
	text_clear(file);
	text_appendf(file, "join = { %s = [ \"%0*d\"", name, bytes, 0);
	for (int i = 1; i < count; i++)
		text_append_string(file, ", \"a\"");
	text_append_string(file, " ]; };");
}

static void
try_texts(const char *name, int count, int bytes)
{
	struct text file = { 0 }, want = { 0 };
	struct conf conf;

	put_texts(&file, name, count, bytes);
	reads(&conf, "q.conf", file.bytes);
	conf_free(&conf);
	put_texts(&file, name, count + 1, 1);
	text_appendf(&want, "q.conf:1: %s has more than %d texts", name, count);
	fails(file.bytes, want.bytes);
	put_texts(&file, name, 1, bytes + 1);
	text_clear(&want);
	text_appendf(&want, "q.conf:1: a text in %s has more than %d bytes",
		name, bytes);
	fails(file.bytes, want.bytes);
	text_free(&file);
	text_free(&want);
}

static void
test_join_limits(void)
{
	try_texts("highlight", CONF_WORDS_MAX, CONF_WORD_MAX);
	try_texts("notify", CONF_ARGUMENTS_MAX, CONF_ARGUMENT_MAX);
}

/* qchat.conf that points to a dxlclient.config */
static void
test_dxl_config(void)
{
	struct conf conf;

	put("sub/d.config", DXL_CERTS "[Brokers]\nx=8883;b1\n");
	reads(&conf, "sub/q.conf",
		"dxl_config = \"d.config\"; room = \"r\"; "
		"limits = { senders = 99; }; join = { bell = false; };"
		"ciphers = \"DEFAULT@SECLEVEL=0\"; sign_ca = \"/p\";"
		"crl = \"/l\"; passphrase_command = \"c\";");
	is_broker(&conf, 0, "b1", NULL, 8883);
	ok(conf.fabric == CONF_DXL && !conf.verify_host, "a DXL fabric");
	is(conf.file, "sub/q.conf", "file stays qchat.conf");
	is(conf.room, "r", "room stays");
	is(conf.ciphers, "DEFAULT@SECLEVEL=0", "ciphers stay");
	is(conf.sign_ca, "/p", "sign_ca too");
	is(conf.crl, "/l", "and crl");
	is(conf.passphrase_command, "c", "and passphrase_command");
	ok(conf.quotas.senders == 99, "and limits");
	ok(conf.join.bell == CONF_BELL_OFF, "and join");
	is(conf.ca, "sub/ca.crt", "ca from there");
	is(conf.key, "/c.key", "key from there");
	conf_free(&conf);
	reads(&conf, "sub/q.conf",
		"dxl_config = \"d.config\"; "
		"fabric = \"mqtt\";");
	ok(conf.fabric == CONF_MQTT && conf.verify_host, "fabric overrides");
	conf_free(&conf);
	reads(&conf, "sub/q.conf",
		"dxl_config = \"d.config\"; "
		"verify_host = true;");
	ok(conf.fabric == CONF_DXL && conf.verify_host, "verify_host too");
	conf_free(&conf);
	fails("dxl_config = \"sub/d.config\";\n" BROKER,
		"q.conf:2: brokers and dxl_config exclude each other");
	fails("dxl_config = \"sub/d.config\";\nkey = \"k\";",
		"q.conf:2: key and dxl_config exclude each other");
	fails("dxl_config = \"none\";", "none: cannot be read: No such file");
	mkfifo("pipe", 0600);
	fails("dxl_config = \"pipe\";",
		"q.conf: dxl_config is pipe, which is no plain file");
	unlink("pipe");
}

static const struct {
	const char *line, *host, *address;
	int port;
} forms[] = {
	{ "{b1}={b1};8883;host;10.0.0.5", "host", "10.0.0.5", 8883 },
	{ "x = id ; 8883 ; host", "host", NULL, 8883 },
	{ "x=8884;host", "host", NULL, 8884 },
	{ "x=1;host;10.0.0.5", "host", "10.0.0.5", 1 },
	{ "x=id;65535;host;", "host", NULL, 65535 },
	{ "x=65536;8883;host", "host", NULL, 8883 },
	{ "x=0;8883;host", "host", NULL, 8883 },
	{ "x=8883;[::1];[2001:db8::1]", "::1", "2001:db8::1", 8883 },
	{ "x=id;8883;10.0.0.5", "10.0.0.5", NULL, 8883 },
	{ "x=\"8883;host\"", "host", NULL, 8883 },
	{ "x='8883;host' # why", "host", NULL, 8883 },
	{ "x=8883;host # why", "host", NULL, 8883 },
	{ "x=8883;host\t#why", "host", NULL, 8883 },
	{ "x=8883;host#1", "host#1", NULL, 8883 },
	{ "x : 8883;host", "host", NULL, 8883 },
	{ "  x  =  8883;host  ", "host", NULL, 8883 },
	{ "\"x\"=8883;host\r", "host", NULL, 8883 },
};

static const char *const bad[][2] = {
	{ "x=host", "a broker is id;port;host;address" },
	{ "x=id;8883", "a broker is id;port;host;address" },
	{ "x=8883", "a broker is id;port;host;address" },
	{ "x=", "a broker is id;port;host;address" },
	{ "x=8883;", "the host is empty" },
	{ "x=8883; ;10.0.0.5", "the host is empty" },
	{ "x=id;0;host", "a port is a number" },
	{ "x=id;65536;host", "a port is a number" },
	{ "x=id;8883x;host", "a port is a number" },
	{ "x=id;;host", "a port is a number" },
	{ "x=id;host;8883", "a port is a number" },
	{ "x=8883;ssl://host", "a host is" },
	{ "x=8883;host;ho st", "a host is" },
	{ "x", "neither [section] nor name = value" },
	{ "=8883;host", "neither [section] nor name = value" },
	{ "[Brokers", "a section is [Name]" },
	{ "[", "a section is [Name]" },
};

static void
test_dxl_brokers(void)
{
	struct conf conf;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *text = memory_format("[Brokers]\n%s\n%s", forms[i].line,
			DXL_CERTS);

		reads(&conf, "dxl.config", text);
		printf("# %s\n", forms[i].line);
		is_broker(&conf, 0, forms[i].host, forms[i].address,
			forms[i].port);
		ok(conf.warning_count == 0, "no warning");
		conf_free(&conf);
		free(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = memory_format("[Brokers]\n%s\n", bad[i][0]);
		char *want = memory_format("dxl.config:2: %s", bad[i][1]);

		dxl_fails(text, want);
		free(text);
		free(want);
	}
	reads(&conf, "dxl.config",
		DXL_CERTS "[Brokers]\nx=i;1;h;a;h2;h3\ny=2;h;a;\n");
	ok(conf.broker_count == 2 && conf.warning_count == 1 &&
			warned(&conf, "dxl.config:6: what follows"),
		"further hosts are ignored with a warning");
	conf_free(&conf);
}

static void
test_dxl_syntax(void)
{
	struct conf conf;

	reads(&conf, "dxl.config",
		"\xef\xbb\xbf; comment\r\n[General] # x\r\n"
		"#UseWebSockets=True\r\nClientId={1}\r\n[[nested]]\r\n"
		"[ Certs ]\r\nBrokerCertChain = 'a b.crt'\r\n"
		"CertFile = \"c#d.crt\" # x\r\nPrivateKey = it's # x\r\n"
		"\r\n[Brokers]\r\nx=8883;b1\r\ny=8883;b2\r\n");
	is(conf.ca, "a b.crt", "single quotes are taken off");
	is(conf.certificate, "c#d.crt", "double quotes are taken off");
	is(conf.key, "it's", "a lone quote stays");
	ok(conf.broker_count == 2, "two brokers");
	ok(conf.fabric == CONF_DXL && !conf.verify_host, "a DXL fabric");
	ok(conf.warning_count == 0, "no warning");
	conf_free(&conf);

	reads(&conf, "dxl.config",
		"[CERTS]\nbrokercertchain=a\ncertfile=b\n"
		"certfile=c\ncertfile=e\nprivatekey='d'e\n"
		"[brokers]\nx=8883;b1\n");
	is(conf.ca, "a", "case does not matter where none is right");
	is(conf.certificate, "e", "the last one counts");
	is(conf.key, "'d'e", "quotes around a part stay");
	ok(warned(&conf, "dxl.config:4: certfile was set in line 3"),
		"with a warning");
	ok(warned(&conf, "dxl.config:5: certfile was set in line 4"),
		"with one each time");
	conf_free(&conf);

	reads(&conf, "dxl.config",
		DXL_CERTS
		"certfile=other\n"
		"[Brokers]\nx=1;b1\nX=2;b2\nx=3;b3\n[brokers]\ny=4;b4\n"
		"[Brokers]\nz=5;b5\n");
	is(conf.certificate, "c.crt", "the right case goes before");
	ok(conf.broker_count == 3, "[brokers] is none beside [Brokers]");
	is_broker(&conf, 0, "b3", NULL, 3);
	is_broker(&conf, 1, "b2", NULL, 2);
	is_broker(&conf, 2, "b5", NULL, 5);
	ok(warned(&conf, ":9: x was set in line 7"), "a broker set twice");
	ok(warned(&conf, ":12: [Brokers] begins again"), "a section as well");
	conf_free(&conf);
}

static void
test_dxl_rest(void)
{
	static const char *const words[][2] = {
		{ "True", "is ignored" },
		{ "yes", "is ignored" },
		{ "ON", "is ignored" },
		{ "1", "is ignored" },
		{ "False", NULL },
		{ "no", NULL },
		{ "off", NULL },
		{ "0", NULL },
		{ "maybe", "neither true nor false" },
	};
	struct conf conf;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *text = memory_format("[General]\nUseWebSockets=%s\n"
					   "[Brokers]\nx=8883;b\n" DXL_CERTS,
			words[i][0]);

		reads(&conf, "dxl.config", text);
		ok(words[i][1] == NULL ? conf.warning_count == 0
				       : warned(&conf, words[i][1]),
			"warns if it must");
		conf_free(&conf);
		free(text);
	}
	reads(&conf, "dxl.config",
		DXL_CERTS
		"[Brokers]\nx=8883;b\n"
		"[BrokersWebSockets]\nx=nonsense\n[Proxy]\nAddress=p\n");
	ok(conf.broker_count == 1 && warned(&conf, "[Proxy] is ignored"),
		"a proxy is ignored with a warning");
	conf_free(&conf);
	dxl_fails(DXL_CERTS "[BrokersWebSockets]\nx=443;b\n",
		"dxl.config: names WebSocket brokers only, and");
	dxl_fails(DXL_CERTS "[Brokers]\n", "dxl.config: names no broker");
	dxl_fails("", "dxl.config: names no broker");
	dxl_fails("[Brokers]\nx=1;b\n[Certs]\nCertFile=a\nPrivateKey=b\n",
		"dxl.config: BrokerCertChain is missing in [Certs]");
	dxl_fails("[Brokers]\nx=1;b\n[Certs]\nBrokerCertChain=a\nPrivateKey=b",
		"dxl.config: CertFile is missing in [Certs]");
	dxl_fails("[Brokers]\nx=1;b\n[Certs]\nBrokerCertChain=a\nCertFile=b\n"
		  "PrivateKey= # none\n",
		"dxl.config: PrivateKey is missing in [Certs]");
}

static void
test_dxl_paths(void)
{
	struct conf conf;

	put("sub/c.crt", "");
	reads(&conf, "sub/dxl", DXL_CERTS "[Brokers]\nx=1;b\n");
	is(conf.certificate, "sub/c.crt", "the file's folder");
	is(conf.ca, "sub/ca.crt", "where it should be, if it is nowhere");
	is(conf.key, "/c.key", "an absolute path stays");
	conf_free(&conf);
	put("c.crt", "");
	put("ca.crt", "");
	reads(&conf, "sub/dxl", DXL_CERTS "[Brokers]\nx=1;b\n");
	is(conf.certificate, "c.crt", "the current folder comes first");
	is(conf.ca, "ca.crt", "also if the other has none");
	ok(conf.warning_count == 1 && warned(&conf, "CertFile is c.crt of"),
		"a warning where there are two");
	conf_free(&conf);
}

static void
finds(const struct conf_source *source, const char *file, const char *room)
{
	struct fault fault = { 0 };
	struct conf conf;

	if (!ok(conf_find(&conf, source, &fault) == 0, "finds %s", file)) {
		printf("# %s\n", fault.text);
		return;
	}
	is(conf.file, file, "it is that file");
	is(conf.room, room, "its room");
	conf_free(&conf);
}

static void
finds_none(const struct conf_source *source, enum fault_kind kind,
	const char *want)
{
	struct fault fault = { 0 };
	struct conf conf;

	ok(conf_find(&conf, source, &fault) == -1, "not found");
	ok(fault.kind == kind, "fault %d is %d", (int)fault.kind, (int)kind);
	if (!ok(strstr(fault.text, want) != NULL, "says: %s", want))
		printf("# got: %s\n", fault.text);
}

static void
test_find_named(void)
{
	const struct conf_source none = { 0 };

	put("flag.conf", "room = \"f\";" CERTS BROKER);
	put("env.conf", "room = \"e\";" CERTS BROKER);
	put("empty.conf", "room = \"x\";");
	put("d.config", DXL_CERTS "[Brokers]\nx=1;b\n");
	const struct conf_source flag = { .config = "flag.conf" };
	const struct conf_source dxl = { .dxl_config = "d.config" };
	finds(&flag, "flag.conf", "f");
	finds(&dxl, "d.config", NULL);
	finds_none(&(struct conf_source){ .config = "flag.conf",
			   .dxl_config = "d.config" },
		FAULT_USAGE, "--config and --dxl-config exclude each other");
	finds_none(&(struct conf_source){ .config = "empty.conf" },
		FAULT_CONFIG, "empty.conf: names no broker (set");
	finds_none(&(struct conf_source){ .config = "none.conf" }, FAULT_CONFIG,
		"none.conf: cannot be read: No such file");
	setenv("QCHAT_CONFIG", "env.conf", 1);
	finds(&none, "env.conf", "e");
	finds(&flag, "flag.conf", "f");
	finds(&dxl, "d.config", NULL);
	setenv("QCHAT_DXL_CONFIG", "d.config", 1);
	finds(&flag, "flag.conf", "f");
	finds_none(&none, FAULT_CONFIG, "QCHAT_CONFIG and QCHAT_DXL_CONFIG");
	setenv("QCHAT_CONFIG", "", 1);
	finds(&none, "d.config", NULL);
	setenv("QCHAT_DXL_CONFIG", "", 1);
	setenv("QCHAT_CONFIG", "empty.conf", 1);
	finds_none(&none, FAULT_CONFIG, "empty.conf: names no broker (set");
	unsetenv("QCHAT_CONFIG");
	setenv("QCHAT_ROOM", "v", 1);
	finds(&flag, "flag.conf", "v");
	finds(&dxl, "d.config", "v");
	setenv("QCHAT_ROOM", "", 1);
	finds(&flag, "flag.conf", "f");
	setenv("QCHAT_USER", "bob", 1);
	struct fault fault = { 0 };
	struct conf conf = { 0 };
	conf_find(&conf, &flag, &fault);
	is(conf.user, "bob", "QCHAT_USER");
	conf_free(&conf);
	unsetenv("QCHAT_USER");
}

static void
test_dirs(void)
{
	char *dir = conf_config_dir();
	char *want = memory_format("%s/home/.config/qchat", folder);

	is(dir, want, "the default config folder");
	free(dir);
	free(want);
	dir = conf_fabric_dir();
	want = memory_format("%s/home/.local/state/qchat/fabric", folder);
	is(dir, want, "the default fabric folder");
	free(dir);
	free(want);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("XDG_STATE_HOME", "/state", 1);
	dir = conf_config_dir();
	ok(dir[0] == '/', "a relative base folder is ignored");
	free(dir);
	dir = conf_state_dir();
	is(dir, "/state/qchat", "an absolute one is not");
	free(dir);
	char *home = memory_string(getenv("HOME"));
	unsetenv("HOME");
	dir = conf_config_dir();
	ok(dir[0] == '/', "without HOME: the password database");
	free(dir);
	setenv("HOME", home, 1);
	free(home);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
}

/* A process that holds the lock until it is told to end; its id goes into
 * mosquitto.pid, with that behind it. */
static pid_t
start_fabric(const char *dir, const char *behind)
{
	char *lock = memory_format("%s/mosquitto.lock", dir);
	char *file = memory_format("%s/mosquitto.pid", dir);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		exit(99);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	char *line = memory_format("%ld%s", (long)pid, behind);
	put(file, line);
	free(line);
	free(file);
	free(lock);
	return pid;
}

static void
stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_fabric(void)
{
	const struct conf_source none = { 0 };
	char *dir = conf_fabric_dir();
	char *path = memory_format("%s/qchat.conf", dir);

	finds_none(&none, FAULT_CONFIG, "/home/.config/qchat/qchat.conf (man");
	finds_none(&none, FAULT_CONFIG,
		"no fabric is configured: "
		"`qchat-fabric up` starts one on this machine, or");
	put(path, CERTS BROKER "room = \"private\";");
	finds_none(&none, FAULT_UNAVAILABLE,
		"the private fabric does not run "
		"(qchat-fabric up starts it)");
	const struct conf_source stopped = { .stopped_too = true };
	struct conf found;
	struct fault fault = { 0 };
	ok(conf_find(&found, &stopped, &fault) == 0 && found.stopped &&
			found.private_fabric && found.broker_count == 1,
		"who wants to know finds one that does not run");
	conf_free(&found);

	pid_t pid = start_fabric(dir, "\n");
	finds(&none, path, "private");
	put("home/.config/qchat/qchat.conf", "room = \"mine\";");
	finds(&none, path, "mine");
	put("home/.config/qchat/qchat.conf", "rom = \"mine\";");
	finds_none(&none, FAULT_CONFIG, "qchat.conf:1: unknown key rom");
	put("home/.config/qchat/qchat.conf", "room = \"m\";" CERTS BROKER);
	char *personal = memory_format("%s/home/.config/qchat/qchat.conf",
		folder);
	finds(&none, personal, "m");
	unlink(personal);
	free(personal);
	put(path, "");
	finds_none(&none, FAULT_CONFIG, "names no broker (qchat-fabric");
	stop(pid);
	free(path);
	free(dir);
}

/* What a file without brokers says of qchat-join goes before what the next
 * says, setting by setting. */
static void
test_keep(void)
{
	const struct conf_source none = { 0 };
	struct fault fault = { 0 };
	struct conf conf = { 0 };
	char *dir = conf_fabric_dir();
	char *path = memory_format("%s/qchat.conf", dir);
	pid_t pid = start_fabric(dir, "\n");

	put(path,
		CERTS BROKER "join = { highlight = [ \"theirs\" ]; bell = true;"
			     "notify = [ \"true\" ]; };");
	put("home/.config/qchat/qchat.conf",
		"join = { highlight = []; bell = false; "
		"notify_severity = \"low\"; };");
	ok(conf_find(&conf, &none, &fault) == 0 && conf.private_fabric,
		"a private fabric, and what is said before");
	ok(conf.join.highlight != NULL && conf.join.highlight[0] == NULL,
		"no words, as was said");
	ok(conf.join.bell == CONF_BELL_OFF, "nor a bell");
	is(conf.join.notify_severity, "low", "the severity");
	is(conf.join.notify != NULL ? conf.join.notify[0] : NULL, "true",
		"what was not said comes from the other");
	conf_free(&conf);
	unlink("home/.config/qchat/qchat.conf");
	stop(pid);
	free(path);
	free(dir);
}

static void
test_fabric_pid(void)
{
	char *dir = conf_fabric_dir();
	char *pid_file = memory_format("%s/mosquitto.pid", dir);
	char *lock = memory_format("%s/mosquitto.lock", dir);

	pid_t pid = start_fabric(dir, "\n");
	ok(conf_fabric_pid(dir) == pid, "it runs");
	put(pid_file, "");
	ok(conf_fabric_pid(dir) == 0, "the pid file is not written yet");
	put(pid_file, "12 34\n");
	ok(conf_fabric_pid(dir) == 0, "the pid file holds nonsense");
	put(pid_file, "99999999999999999999\n");
	ok(conf_fabric_pid(dir) == 0, "the pid file holds a huge number");
	put(pid_file, "-1\n");
	ok(conf_fabric_pid(dir) == 0, "the pid file holds a negative number");
	stop(pid);

	pid = start_fabric(dir, "");
	ok(conf_fabric_pid(dir) == pid, "no line feed is needed");
	int other = open(lock, O_RDWR | O_CLOEXEC);
	stop(pid);
	ok(conf_fabric_pid(dir) == 0, "it has ended");
	char *line = memory_format("%ld\n", (long)getpid());
	put(pid_file, line);
	ok(conf_fabric_pid(dir) == 0, "its number went to another process");
	flock(other, LOCK_SH);
	ok(conf_fabric_pid(dir) == 0, "another that looks is not taken for it");
	close(other);
	unlink(lock);
	ok(conf_fabric_pid(dir) == 0, "without a lock nothing runs");
	free(line);
	free(lock);
	free(pid_file);
	free(dir);
}

static int delete (const char *path, const struct stat *info, int type,
	struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

static void
set_up(void)
{
	static const char *const unset[] = { "QCHAT_CONFIG", "QCHAT_DXL_CONFIG",
		"QCHAT_ROOM", "QCHAT_USER", "XDG_CONFIG_HOME",
		"XDG_STATE_HOME" };
	static const char *const dirs[] = { "sub", "home", "home/.config",
		"home/.config/qchat", "home/.local", "home/.local/state",
		"home/.local/state/qchat", "home/.local/state/qchat/fabric" };
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/qchat-conf-XXXXXX",
		base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
		perror(folder);
		exit(99);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(dirs[i], 0700);
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		unsetenv(unset[i]);
	char *home = memory_format("%s/home", folder);
	setenv("HOME", home, 1);
	free(home);
}

int
main(void)
{
	set_up();
	test_read();
	test_faults();
	test_numbers();
	test_files();
	test_limits();
	test_quotas();
	test_join();
	test_severities();
	test_join_faults();
	test_join_limits();
	test_dxl_config();
	test_dxl_brokers();
	test_dxl_syntax();
	test_dxl_rest();
	test_dxl_paths();
	test_find_named();
	test_dirs();
	test_fabric();
	test_keep();
	test_fabric_pid();
	if (chdir("/") == 0)
		nftw(folder, delete, 16, FTW_DEPTH | FTW_PHYS);
	return done();
}
