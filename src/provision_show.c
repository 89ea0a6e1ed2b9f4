/* SPDX-License-Identifier: Apache-2.0 */
#include "provision.h"

#include "identity.h"
#include "memory.h"
#include "passphrase.h"
#include "probe.h"
#include "provision_files.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct show {
	struct provision *p;
	struct conf conf;
	int64_t now;
	bool all_good;
};

/* Not all is good, and why. */
static void
complain(struct show *show, const struct fault *why)
{
	show->all_good = false;
	if (why != NULL && !show->p->cli.quiet)
		cli_warn(&show->p->cli, "%s", why->text);
}

/* "word value", the value made harmless. */
static void
line(struct show *show, const char *word, const char *value)
{
	struct text *out = &show->p->out;

	text_appendf(out, "%s ", word);
	text_harmless(out, span_of(value), TEXT_MESSAGE);
	text_append_char(out, '\n');
}

/* The same for what is so or not; why not goes to standard error. */
static void
answer(struct show *show, const char *word, bool good, const struct fault *why)
{
	line(show, word, good ? "yes" : "no");
	if (!good)
		complain(show, why);
}

static void
line_until(struct show *show, const char *word,
	const struct enroll_facts *facts)
{
	struct text value = { 0 };

	if (facts->until < 0)
		text_append_string(&value, "unknown");
	else
		text_append_time(&value, facts->until);
	if (value.len > 10)
		value.bytes[value.len = 10] = '\0';
	if (facts->until <= show->now) {
		text_append_string(&value, " expired");
		show->all_good = false;
	} else if (facts->from > show->now) {
		text_append_string(&value, " not valid yet");
		show->all_good = false;
	}
	line(show, word, value.bytes);
	text_free(&value);
}

/* Reads a file and says where it is.  False if it cannot be read. */
static bool
take_file(struct show *show, const char *word, const char *path,
	struct text *pem)
{
	struct fault why = { 0 };

	line(show, word, path);
	if (provision_read(path, CONF_FILE_MAX, pem, &why) == 0 && pem->len > 0)
		return true;
	if (why.kind == FAULT_NONE)
		fault_set(&why, FAULT_DATA, "%s: is empty", path);
	show->all_good = false;
	if (!show->p->cli.quiet)
		cli_warn(&show->p->cli, "%s", why.text);
	return false;
}

static void
show_authorities(struct show *show, struct text *pem)
{
	struct enroll_facts facts;

	if (!take_file(show, "ca", show->conf.ca, pem))
		return;
	const struct span span = { pem->bytes, pem->len };
	for (size_t i = 0; i < ENROLL_CERTIFICATES_MAX; i++) {
		if (!enroll_look(&facts, span, i)) {
			if (i == 0)
				answer(show, "authorities", false, NULL);
			return;
		}
		line(show, "authority", facts.subject);
		line_until(show, "authority-until", &facts);
	}
}

static void
show_certificate(struct show *show, const struct text *authorities)
{
	struct text pem = { 0 };
	struct enroll_facts facts;

	if (take_file(show, "certificate", show->conf.certificate, &pem)) {
		const struct span span = { pem.bytes, pem.len };

		if (enroll_look(&facts, span, 0)) {
			line(show, "subject", facts.subject);
			line(show, "issuer", facts.issuer);
			line(show, "fingerprint", facts.fingerprint);
			line(show, "algorithm", facts.key);
			line_until(show, "until", &facts);
			answer(show, "issued",
				authorities->len > 0 &&
					enroll_is_issued(span,
						(struct span){
							authorities->bytes,
							authorities->len }),
				NULL);
		} else {
			answer(show, "readable", false, NULL);
		}
	}
	text_free(&pem);
}

static void
show_key(struct show *show)
{
	struct fault why = { 0 };

	line(show, "key", show->conf.key);
	int rc = identity_check_key(&show->conf, &why);
	if (rc >= 0) {
		answer(show, "fits", rc == 0, &why);
		return;
	}
	line(show, "fits", "untried");
	complain(show, &why);
}

/* Without certificate and key they cannot be tried. */
static void
show_brokers(struct show *show)
{
	const struct conf *conf = &show->conf;
	const struct provision *p = show->p;
	struct fault why = { 0 };
	struct identity *identity = identity_open(conf, &why);
	struct fault *answers = memory_alloc(conf->broker_count,
		sizeof(*answers));
	int64_t wait = p->cli.timeout_ms >= 0 ? p->cli.timeout_ms
					      : PROVISION_PROBE_MS;

	if (identity != NULL)
		probe_brokers(conf, identity, session_now().mono + wait,
			answers);
	else
		show->all_good = false;
	for (size_t i = 0; i < conf->broker_count; i++) {
		struct text value = { 0 };

		text_appendf(&value, "%s:%u %s", conf->brokers[i].host,
			conf->brokers[i].port,
			identity == NULL                        ? "untried"
				: answers[i].kind == FAULT_NONE ? "yes"
								: "no");
		line(show, "broker", value.bytes);
		text_free(&value);
		if (answers[i].kind == FAULT_NONE)
			continue;
		show->all_good = false;
		if (!p->cli.quiet)
			cli_warn(&p->cli, "%s", answers[i].text);
	}
	free(answers);
	identity_free(identity);
}

/* A folder in which something was begun has no configuration yet. */
static int
find_folder(struct show *show, const char *folder)
{
	struct provision *p = show->p;
	struct conf *conf = &show->conf;
	char *path = memory_format("%s/" PROVISION_CONFIG, folder);
	int rc = 0;

	if (access(folder, F_OK) < 0) {
		rc = fault_set(&p->fault, FAULT_NOINPUT, "%s: %s", folder,
			strerror(errno));
	} else if (access(path, F_OK) == 0) {
		rc = conf_read_dxl(conf, path, &p->fault);
	} else {
		*conf = (struct conf){ .file = memory_string("nothing"),
			.ca = conf_beside(path, PROVISION_CA),
			.certificate = provision_path(p, ".crt"),
			.key = provision_path(p, ".key") };
	}
	if (rc == 0) {
		passphrase_use(conf);
		for (size_t i = 0; i < conf->warning_count; i++)
			cli_trace(&p->cli, "%s", conf->warnings[i]);
	}
	free(path);
	return rc;
}

int
provision_show(struct provision *p)
{
	struct show show = { .p = p,
		.now = session_now().wall,
		.all_good = true };
	struct text authorities = { 0 };
	int rc;

	if (p->operands[0] != NULL) {
		rc = find_folder(&show, p->operands[0]);
	} else {
		p->cli.source.stopped_too = true;
		rc = cli_conf(&p->cli, &show.conf, &p->fault);
	}
	if (rc < 0)
		return -1;
	line(&show, "config", show.conf.file);
	show_authorities(&show, &authorities);
	show_certificate(&show, &authorities);
	show_key(&show);
	if (show.conf.broker_count > 0)
		show_brokers(&show);
	else
		answer(&show, "brokers", false, NULL);
	if (p->cli.quiet)
		text_clear(&p->out);
	text_free(&authorities);
	conf_free(&show.conf);
	return show.all_good ? 0 : 1;
}
