/* SPDX-License-Identifier: Apache-2.0 */
#include "provision.h"

#include "identity.h"
#include "memory.h"
#include "passphrase.h"
#include "provision_answer.h"
#include "provision_files.h"
#include "provision_http.h"
#include "session.h"
#include "translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CSR_MAX = 64 * 1024 }; /* bytes of a file with a request */

static struct span
span_of_text(const struct text *text)
{
	return (struct span){ text->bytes != NULL ? text->bytes : "",
		text->len };
}

static void
wipe(struct text *text)
{
	if (text->bytes != NULL)
		explicit_bzero(text->bytes, text->size);
	text_free(text);
}

char *
provision_path(const struct provision *p, const char *suffix)
{
	return memory_format("%s/%s%s", p->operands[0], p->prefix, suffix);
}

/* The names of a key and of what belongs to it, in the folder. */
struct names {
	char *key, *csr, *crt;
};

static void
names_make(struct names *names, const struct provision *p)
{
	names->key = memory_format("%s.key", p->prefix);
	names->csr = memory_format("%s.csr", p->prefix);
	names->crt = memory_format("%s.crt", p->prefix);
}

static void
names_free(struct names *names)
{
	free(names->key);
	free(names->csr);
	free(names->crt);
}

/* A new key and its request, which may both be empty yet. */
static void
add_key(struct provision_set *set, const struct names *names,
	const struct text *key, const struct text *csr)
{
	set->files[set->count++] = (struct provision_file){ "PrivateKey",
		names->key, { key->bytes, key->len }, 0600, false };
	set->files[set->count++] = (struct provision_file){ NULL, names->csr,
		{ csr->bytes, csr->len }, 0644, false };
}

/* Makes and stores a key and its request. */
static int
make_key(struct provision *p, const struct names *names, struct text *key,
	struct text *csr)
{
	char passphrase[CONF_PASSPHRASE_MAX + 1] = "";
	struct provision_set set = { .folder = p->operands[0],
		.no_config = true };
	int rc = -1;

	add_key(&set, names, key, csr);
	if (provision_check(&set, &p->fault) < 0)
		return -1;
	int has_passphrase = provision_passphrase(p, passphrase);
	if (has_passphrase >= 0)
		rc = enroll_make(p->kind, &p->subject,
			has_passphrase > 0 ? passphrase : NULL, key, csr,
			&p->fault);
	explicit_bzero(passphrase, sizeof(passphrase));
	if (rc < 0)
		return -1;
	set.count = 0;
	add_key(&set, names, key, csr);
	return provision_commit(&set, &p->fault);
}

int
provision_generate(struct provision *p)
{
	char *key_path = provision_path(p, ".key");
	struct text key = { 0 }, csr = { 0 };
	struct names names;
	int rc = -1;

	names_make(&names, p);
	p->subject.common_name = p->operands[1];
	if (access(key_path, F_OK) == 0 && !p->is_forced)
		fault_set(&p->fault, FAULT_CANTCREAT,
			"%s: is there already (--force puts a new key into its "
			"place; a certificate for the old one is then of no "
			"use)",
			key_path);
	else if (enroll_check_subject(&p->subject, &p->fault) == 0)
		rc = make_key(p, &names, &key, &csr);
	if (rc == 0)
		text_appendf(&p->out, "%s/%s\n", p->operands[0], names.csr);
	wipe(&key);
	text_free(&csr);
	names_free(&names);
	free(key_path);
	return rc;
}

static void
on_trace(void *context, const char *what)
{
	const struct provision *p = context;

	cli_trace(&p->cli, "%s", what);
}

/* Who a service is asked as, and all that is asked of it. */
struct talk {
	char user[CONF_PASSPHRASE_MAX + 1];
	char password[CONF_PASSPHRASE_MAX + 1];
	struct http *http;
};

static int
talk_ask(struct talk *talk, struct provision *p)
{
	talk->http = NULL;
	return provision_credentials(p, p->operands[1], talk->user,
		talk->password);
}

/* Its time begins here, when nothing is asked of people any more. */
static int
talk_open(struct talk *talk, struct provision *p)
{
	const char *host = p->operands[1];
	int64_t wait = p->cli.timeout_ms >= 0 ? p->cli.timeout_ms
					      : PROVISION_TIMEOUT_MS;

	const struct http_server server = { .host = host,
		.port = p->port != 0 ? p->port : HTTP_PORT,
		.user = talk->user,
		.password = talk->password,
		.ca = p->ca,
		.pin = *p->pin != '\0' ? p->pin : NULL,
		.until = session_now().mono + wait,
		.trace = on_trace,
		.context = p };
	talk->http = http_open(&server, &p->fault);
	return talk->http != NULL ? 0 : -1;
}

static void
talk_close(struct talk *talk)
{
	http_close(talk->http);
	explicit_bzero(talk, sizeof(*talk));
}

/* Appends the string that a command gives. */
static int
ask(struct talk *talk, const char *command, const char *parameter,
	struct span value, struct text *result, struct fault *fault)
{
	struct text body = { 0 };
	int rc = http_get(talk->http, command, parameter, value, ANSWER_MAX,
		&body, fault);

	if (rc == 0)
		rc = answer_open(result, span_of_text(&body),
			http_name(talk->http), fault);
	text_free(&body);
	return rc;
}

/* What `request` makes and gets. */
struct order {
	char passphrase[CONF_PASSPHRASE_MAX + 1];
	struct text key; /* empty: it is there already */
	struct text csr;
	struct text result; /* what package points into */
	struct answer_package package;
	struct text authorities, certificate;
	struct names names;
};

static int
give_passphrase(void *context, const char *file, char *passphrase,
	struct fault *fault)
{
	const struct order *order = context;

	(void)file;
	(void)fault;
	strcpy(passphrase, order->passphrase);
	return 0;
}

/* Whom to ask for the passphrase of the key: the file that was given, or as
 * all tools do. */
static void
use_passphrase(struct order *order, struct conf *conf)
{
	passphrase_use(conf);
	if (*order->passphrase == '\0')
		return;
	conf->ask_passphrase = give_passphrase;
	conf->ask_context = order;
}

/* The request of --csr, whose key has to be there. */
static int
take_csr(struct provision *p, struct order *order)
{
	const struct enroll_source source = { p->csr, FAULT_DATA };
	char *key_path = provision_path(p, ".key");
	struct conf conf = { .key = key_path };
	struct text pem = { 0 };
	int rc = -1;

	if (access(key_path, F_OK) < 0)
		fault_set(&p->fault, FAULT_NOINPUT,
			"%s: %s (the key of the request has to be there)",
			key_path, strerror(errno));
	else if (provision_passphrase(p, order->passphrase) >= 0 &&
		provision_read(p->csr, CSR_MAX, &pem, &p->fault) == 0)
		rc = enroll_take_csr(&order->csr, span_of_text(&pem), &source,
			&p->fault);
	if (rc == 0) {
		use_passphrase(order, &conf);
		rc = identity_check_csr(&conf, span_of_text(&order->csr),
			p->csr, &p->fault);
	}
	text_free(&pem);
	free(key_path);
	return rc;
}

/* What is to be stored, as far as it is known. */
static void
order_set(struct provision *p, struct order *order, struct provision_set *set)
{
	struct names *names = &order->names;

	*set = (struct provision_set){
		.folder = p->operands[0],
		.files = {
			{ "BrokerCertChain", PROVISION_CA,
				{ order->authorities.bytes,
					order->authorities.len }, 0644, false },
			{ "CertFile", names->crt,
				{ order->certificate.bytes,
					order->certificate.len }, 0644, false },
		},
		.count = 2,
		.key = names->key,
		.brokers = &order->package.brokers.plain,
		.web = &order->package.brokers.web,
		.check_key = true,
	};
	if (p->csr == NULL)
		add_key(set, names, &order->key, &order->csr);
}

/* What can be found out before anybody is asked. */
static int
prepare(struct provision *p, struct order *order)
{
	struct provision_set set;

	names_make(&order->names, p);
	p->subject.common_name = p->operands[2];
	if (p->csr == NULL && enroll_check_subject(&p->subject, &p->fault) < 0)
		return -1;
	order_set(p, order, &set);
	if (provision_check(&set, &p->fault) < 0)
		return -1;
	return p->csr != NULL ? take_csr(p, order) : 0;
}

static int
make_csr(struct provision *p, struct order *order)
{
	if (p->csr != NULL)
		return 0;
	int has_passphrase = provision_passphrase(p, order->passphrase);
	if (has_passphrase < 0)
		return -1;
	return enroll_make(p->kind, &p->subject,
		has_passphrase > 0 ? order->passphrase : NULL, &order->key,
		&order->csr, &p->fault);
}

static int
fetch_package(struct provision *p, struct talk *talk, struct order *order)
{
	const char *name = http_name(talk->http);
	const struct enroll_source source = { name, FAULT_PROTOCOL };
	struct answer_package *package = &order->package;

	if (ask(talk,
		    "DxlBrokerMgmt.generateOpenDXLClientProvisioningPackageCmd",
		    "csrString", span_of_text(&order->csr), &order->result,
		    &p->fault) < 0 ||
		answer_package(package, span_of_text(&order->result), name,
			&p->fault) < 0)
		return -1;
	if (enroll_take_authorities(&order->authorities, package->authorities,
		    &source, &p->fault) < 0)
		return -1;
	return enroll_take_certificate(&order->certificate,
		       package->certificate, span_of_text(&order->csr),
		       span_of_text(&order->authorities), &source,
		       &p->fault) < 0
		? -1
		: 0;
}

static void
say_brokers(const struct provision *p, const struct answer_brokers *brokers)
{
	if (brokers->plain.count > 0)
		cli_say(&p->cli,
			ngettext("%s/%s: names %zu broker",
				"%s/%s: names %zu brokers",
				brokers->plain.count),
			p->operands[0], PROVISION_CONFIG, brokers->plain.count);
	else
		cli_warn(&p->cli,
			"%s/%s: names brokers for WebSockets only, which QChat "
			"cannot use",
			p->operands[0], PROVISION_CONFIG);
}

/* A service whose clock is ahead makes one that is not good yet. */
static void
say_certificate(const struct provision *p, const struct order *order)
{
	struct enroll_facts facts;
	char *path = provision_path(p, ".crt");
	struct text until = { 0 };

	if (enroll_look(&facts, span_of_text(&order->certificate), 0)) {
		text_append_time(&until, facts.until);
		cli_say(&p->cli, "%s: %s, until %.10s, fingerprint %s", path,
			facts.subject, until.bytes, facts.fingerprint);
		if (facts.from > session_now().wall)
			cli_warn(&p->cli,
				"%s: is not valid yet (is the clock of this "
				"machine right?)",
				path);
	}
	text_free(&until);
	free(path);
}

static int
store_order(struct provision *p, struct order *order)
{
	struct conf conf = { 0 };
	struct provision_set set;

	order_set(p, order, &set);
	use_passphrase(order, &conf);
	set.ask_passphrase = conf.ask_passphrase;
	set.ask_context = conf.ask_context;
	return provision_commit(&set, &p->fault);
}

static void
order_free(struct order *order)
{
	wipe(&order->key);
	text_free(&order->csr);
	text_free(&order->result);
	answer_brokers_free(&order->package.brokers);
	text_free(&order->authorities);
	text_free(&order->certificate);
	names_free(&order->names);
	explicit_bzero(order, sizeof(*order));
}

int
provision_request(struct provision *p)
{
	struct order order = { 0 };
	struct talk talk = { 0 };
	int rc = -1;

	if (prepare(p, &order) == 0 && talk_ask(&talk, p) == 0 &&
		make_csr(p, &order) == 0 && talk_open(&talk, p) == 0 &&
		fetch_package(p, &talk, &order) == 0 &&
		store_order(p, &order) == 0) {
		say_certificate(p, &order);
		say_brokers(p, &order.package.brokers);
		text_appendf(&p->out, "%s/" PROVISION_CONFIG "\n",
			p->operands[0]);
		rc = 0;
	}
	talk_close(&talk);
	order_free(&order);
	return rc;
}

/* Of a file in the folder that [Certs] names.  Empty if it cannot be read. */
static void
read_named(const struct provision *p, const char *key, struct text *pem)
{
	struct fault ignored = { 0 };
	char *config = memory_format("%s/" PROVISION_CONFIG, p->operands[0]);
	char *text = provision_config(p->operands[0], &ignored);
	char *value = text != NULL ? conf_edit_value(text, "Certs", key) : NULL;
	char *path = value != NULL ? conf_beside(config, value) : NULL;

	if (path != NULL)
		provision_read(path, CONF_FILE_MAX, pem, &ignored);
	free(path);
	free(value);
	free(text);
	free(config);
}

/* Others' authorities may have issued it: that is for the brokers to say. */
static void
say_issued(const struct provision *p, struct span authorities)
{
	struct text certificate = { 0 };

	read_named(p, "CertFile", &certificate);
	if (certificate.len > 0 &&
		!enroll_is_issued(span_of_text(&certificate), authorities))
		cli_say(&p->cli,
			"%s: none of the authorities has issued the "
			"certificate that is there (the brokers may not take "
			"it; qchat-provision show tries them)",
			p->operands[0]);
	text_free(&certificate);
}

static int
store_fabric(struct provision *p, const struct text *authorities,
	const struct answer_brokers *brokers)
{
	struct provision_set set = {
		.folder = p->operands[0],
		.files = { { "BrokerCertChain", NULL, span_of_text(authorities),
			0644, false } },
		.count = 1,
		.brokers = &brokers->plain,
		.web = brokers->has_web ? &brokers->web : NULL,
	};

	if (provision_commit(&set, &p->fault) < 0)
		return -1;
	if (!set.files[0].changed && !set.config_changed)
		cli_say(&p->cli, "%s: all is as it was", p->operands[0]);
	return 0;
}

int
provision_update(struct provision *p)
{
	static const struct span none = { "", 0 };
	struct text pem = { 0 }, json = { 0 }, authorities = { 0 };
	struct answer_brokers brokers = { 0 };
	struct talk talk = { .http = NULL };
	char *config = memory_format("%s/" PROVISION_CONFIG, p->operands[0]);
	int rc = -1;

	if (access(config, R_OK) < 0) {
		fault_set(&p->fault, FAULT_NOINPUT,
			"%s: %s (qchat-provision request makes it)", config,
			strerror(errno));
		goto out;
	}
	if (talk_ask(&talk, p) < 0 || talk_open(&talk, p) < 0 ||
		ask(&talk, "DxlClientMgmt.createClientCaBundle", NULL, none,
			&pem, &p->fault) < 0 ||
		ask(&talk, "DxlClientMgmt.getBrokerList", NULL, none, &json,
			&p->fault) < 0)
		goto out;
	const char *name = http_name(talk.http);
	const struct enroll_source source = { name, FAULT_PROTOCOL };
	if (enroll_take_authorities(&authorities, span_of_text(&pem), &source,
		    &p->fault) < 0 ||
		answer_list(&brokers, span_of_text(&json), name, &p->fault) < 0)
		goto out;
	if (store_fabric(p, &authorities, &brokers) < 0)
		goto out;
	say_issued(p, span_of_text(&authorities));
	say_brokers(p, &brokers);
	rc = 0;
out:
	talk_close(&talk);
	answer_brokers_free(&brokers);
	text_free(&authorities);
	text_free(&json);
	text_free(&pem);
	free(config);
	return rc;
}

int
provision_import_ca(struct provision *p)
{
	const char *file = p->operands[1];
	const struct enroll_source source = { file, FAULT_DATA };
	struct text pem = { 0 }, authorities = { 0 };
	int rc = -1;

	if (provision_read(file, ANSWER_MAX, &pem, &p->fault) < 0)
		goto out;
	int count = enroll_take_authorities(&authorities, span_of_text(&pem),
		&source, &p->fault);
	if (count < 0)
		goto out;
	struct provision_set set = {
		.folder = p->operands[0],
		.files = { { "BrokerCertChain", NULL,
			span_of_text(&authorities), 0644, false } },
		.count = 1,
		.only_old = true,
	};
	rc = provision_commit(&set, &p->fault);
	if (rc < 0)
		goto out;
	cli_say(&p->cli,
		ngettext("%s: %d certificate, %s", "%s: %d certificates, %s",
			(unsigned long)count),
		p->operands[0], count,
		set.files[0].changed ? _("written")
				     : _("all of them there already"));
	say_issued(p, span_of_text(&authorities));
out:
	text_free(&authorities);
	text_free(&pem);
	return rc;
}

int
provision_import_brokers(struct provision *p)
{
	const char *file = p->operands[1];
	struct answer_brokers brokers = { 0 };
	struct text text = { 0 };
	int rc = -1;

	if (provision_read(file, ANSWER_MAX, &text, &p->fault) < 0 ||
		answer_file(&brokers, span_of_text(&text), file, &p->fault) < 0)
		goto out;
	struct provision_set set = {
		.folder = p->operands[0],
		.brokers = &brokers.plain,
		.web = brokers.has_web ? &brokers.web : NULL,
	};
	rc = provision_commit(&set, &p->fault);
	if (rc == 0)
		say_brokers(p, &brokers);
out:
	answer_brokers_free(&brokers);
	text_free(&text);
	return rc;
}
