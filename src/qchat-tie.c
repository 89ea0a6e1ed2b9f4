/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_tool.h"

#include "counts.h"
#include "memory.h"
#include "translate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	OPTION_AGENTS = 300,
	OPTION_CERTIFICATE,
	OPTION_COMMENT,
	OPTION_EXTERNAL,
	OPTION_FILE,
	OPTION_FOLLOW,
	OPTION_JSON,
	OPTION_LIMIT,
	OPTION_PUBLIC_KEY,
	OPTION_SET,
	OPTION_YES,
};

static const struct cli_option options[] = {
	{ "agents", OPTION_AGENTS, NULL, "print which systems have it" },
	{ "limit", OPTION_LIMIT, "N", "at most so many systems (500)" },
	{ "set", OPTION_SET, "LEVEL", "set the enterprise's reputation" },
	{ "external", OPTION_EXTERNAL, NULL,
		"as what another product has found" },
	{ "comment", OPTION_COMMENT, "TEXT", "why it is set" },
	{ "yes", OPTION_YES, NULL, "set it without asking" },
	{ "follow", OPTION_FOLLOW, NULL, "print changes as they happen" },
	{ "count", 'C', "N", "end after so many changes" },
	{ "file", OPTION_FILE, "PATH", "the hashes of this file" },
	{ "certificate", OPTION_CERTIFICATE, NULL,
		"the hashes are of certificates" },
	{ "public-key", OPTION_PUBLIC_KEY, "SHA1",
		"that of the certificate's public key" },
	{ "json", OPTION_JSON, NULL, "print JSON lines" },
	{ "quiet", 'q', NULL, "print no header" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-tie",
	.synopsis = "[OPTION...] [HASH...]",
	.purpose = "Ask a TIE server what is known of files",
	.common = CLI_FABRIC | CLI_TIMEOUT,
	.rooms_max = 0,
	.options = options,
};

/* Takes one option.  0, or FAULT_USAGE after saying why. */
static int
take_option(struct tie *tie, int letter)
{
	switch (letter) {
	case OPTION_AGENTS:
		tie->agents = true;
		return 0;
	case OPTION_CERTIFICATE:
		tie->certificates = true;
		return 0;
	case OPTION_COMMENT:
		tie->comment = optarg;
		if (text_utf8_check(span_of(optarg)) == strlen(optarg))
			return 0;
		return cli_usage_fault(&tie->cli, "--comment: no UTF-8");
	case OPTION_EXTERNAL:
		tie->external = true;
		return 0;
	case OPTION_FILE:
		tie->files = memory_resize(tie->files, tie->file_count + 1,
			sizeof(*tie->files));
		tie->files[tie->file_count++] = optarg;
		return 0;
	case OPTION_FOLLOW:
		tie->follow = true;
		return 0;
	case OPTION_JSON:
		tie->json = true;
		return 0;
	case OPTION_LIMIT:
		if (cli_number(optarg, 1, TIE_AGENTS_MAX, &tie->limit) == 0)
			return 0;
		return cli_usage_fault(&tie->cli,
			"--limit: \"%s\" is no number from 1 to %d", optarg,
			TIE_AGENTS_MAX);
	case OPTION_PUBLIC_KEY:
		tie->public_key = optarg;
		return 0;
	case OPTION_SET:
		tie->sets = true;
		if (tie_trust_parse(optarg, &tie->trust) == 0)
			return 0;
		return cli_usage_fault(&tie->cli,
			"--set: \"%s\" is no level (known-trusted, 99, "
			"known-malicious, 1, ...: man qchat-tie)",
			optarg);
	case OPTION_YES:
		tie->yes = true;
		return 0;
	case 'C':
		if (cli_number(optarg, 1, INT64_MAX, &tie->most) == 0)
			return 0;
		return cli_usage_fault(&tie->cli,
			"--count: \"%s\" is no number above 0", optarg);
	case 'q':
		tie->cli.quiet = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
check_options(const struct tie *tie)
{
	if (tie->agents + tie->sets + tie->follow > 1)
		return cli_usage_fault(&tie->cli,
			"--agents, --set and --follow exclude each other");
	if (!tie->sets && (tie->comment != NULL || tie->yes || tie->external))
		return cli_usage_fault(&tie->cli,
			"--comment, --external and --yes are for --set");
	if (tie->external && (tie->certificates || tie->trust == 0))
		return cli_usage_fault(&tie->cli,
			"--external is for files, and not for \"Not Set\"");
	if (!tie->follow && tie->most > 0)
		return cli_usage_fault(&tie->cli, "--count is for --follow");
	if (!tie->agents && tie->limit > 0)
		return cli_usage_fault(&tie->cli, "--limit is for --agents");
	if (tie->public_key != NULL && !tie->certificates)
		return cli_usage_fault(&tie->cli,
			"--public-key is for --certificate");
	if (tie->certificates && tie->file_count > 0)
		return cli_usage_fault(&tie->cli,
			"--file is not for --certificate");
	return 0;
}

/* How long an answer may take; what is followed has no end. */
static int
check_time(struct tie *tie)
{
	if (tie->cli.timeout_ms < 0 && !tie->follow)
		tie->cli.timeout_ms = REQUEST_TIMEOUT_MS;
	if (tie->follow ||
		(tie->cli.timeout_ms > 0 &&
			tie->cli.timeout_ms <= REQUEST_TIMEOUT_MAX_MS))
		return 0;
	return cli_usage_fault(&tie->cli,
		"--timeout: above 0 and up to %d seconds do",
		REQUEST_TIMEOUT_MAX_MS / 1000);
}

/* The others are asked for all the same. */
static void
on_wrong(void *context, const char *sentence)
{
	struct tie *tie = context;

	cli_warn(&tie->cli, "%s", sentence);
	tie->status = FAULT_DATA;
}

static void
read_hashes(struct tie *tie)
{
	const struct tie_list_calls calls = { tie, on_wrong };

	if (tie_list_read(&tie->list, &calls, &tie->fault) == 0 &&
		tie->list.count == 0)
		fault_set(&tie->fault,
			tie->status != 0 ? FAULT_DATA : FAULT_NOINPUT,
			"standard input has no hash");
}

/* From the command line; standard input if nothing is there, or for `-`. */
static int
take_hashes(struct tie *tie, int argc, char **argv)
{
	bool reads = optind == argc && tie->file_count == 0 && !tie->follow;
	struct fault fault = { 0 };

	tie->list.certificates = tie->certificates;
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], "-") == 0)
			reads = true;
		else if (tie_list_add(&tie->list, argv[i], &fault) < 0)
			return cli_usage_fault(&tie->cli, "%s", fault.text);
	for (size_t i = 0; i < tie->file_count; i++)
		if (tie_list_add_file(&tie->list, tie->files[i], &tie->fault) <
			0)
			return 0;
	if (reads && optind == argc && isatty(STDIN_FILENO) && !tie->cli.quiet)
		cli_warn(&tie->cli,
			"hashes are read from the terminal, a line each, until "
			"control-D (--help lists what else there is)");
	if (reads)
		read_hashes(tie);
	return 0;
}

static int
take_public_key(struct tie *tie)
{
	struct digest key;

	if (tie->public_key == NULL)
		return 0;
	if (digest_from_hex(&key, span_of(tie->public_key)) < 0 ||
		key.kind != DIGEST_SHA1)
		return cli_usage_fault(&tie->cli,
			"--public-key: \"%s\" is no SHA-1 (40 hex digits)",
			tie->public_key);
	if (tie->list.count != 1)
		return cli_usage_fault(&tie->cli,
			"--public-key is for one certificate");
	tie->list.items[0].has_public_key = true;
	tie->list.items[0].public_key = key;
	return 0;
}

static int
parse_args(struct tie *tie, int argc, char **argv)
{
	int letter, status = 0;

	while (status == 0 && (letter = cli_next(&tie->cli, argc, argv)) != -1)
		status = take_option(tie, letter);
	if (status == 0)
		status = check_options(tie);
	if (status == 0)
		status = check_time(tie);
	if (status == 0)
		status = take_hashes(tie, argc, argv);
	if (status == 0 && tie->fault.kind == FAULT_NONE)
		status = take_public_key(tie);
	if (tie->limit == 0)
		tie->limit = TIE_AGENTS_USUAL;
	return status;
}

static void
show_hashes(const struct tie *tie)
{
	for (size_t i = 0; i < tie->list.count; i++) {
		const struct tie_subject *subject = &tie->list.items[i];
		struct text hash = { 0 };

		digest_append_hex(tie_subject_digest(subject), &hash);
		if (subject->name != NULL)
			cli_warn(&tie->cli, "%s %s", hash.bytes, subject->name);
		else
			cli_warn(&tie->cli, "%s", hash.bytes);
		text_free(&hash);
	}
}

static bool
is_answered_yes(const struct tie *tie)
{
	char answer[16];

	fprintf(stderr,
		tie->external ? _("Set the external reputation of ")
			      : _("Set the enterprise's reputation of "));
	fprintf(stderr,
		tie->certificates
			? ngettext("this certificate", "these %zu certificates",
				  tie->list.count)
			: ngettext("this file", "these %zu files",
				  tie->list.count),
		tie->list.count);
	fprintf(stderr, _(" to %s (%d)? [y/N] "), tie_trust_word(tie->trust),
		(int)tie->trust);
	clearerr(stdin); /* the hashes may have ended on this terminal */
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* What is set acts on a whole enterprise: somebody has to want it.  0: yes. */
static int
confirm(struct tie *tie)
{
	if (!tie->sets || tie->yes)
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return fault_set(&tie->fault, FAULT_USAGE,
			"--set asks before it acts, and there is no terminal "
			"(--yes for scripts)");
	show_hashes(tie);
	if (is_answered_yes(tie))
		return 0;
	cli_warn(&tie->cli, "nothing was set");
	tie->status = 1;
	return -1;
}

const char *
tie_base_name(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path;
}

void
tie_tell(const struct tie *tie, const struct tie_subject *subject,
	const char *what)
{
	struct text hash = { 0 };

	digest_append_hex(tie_subject_digest(subject), &hash);
	cli_warn(&tie->cli, "%s: %s", hash.bytes, what);
	text_free(&hash);
}

static void
write_out(void *context, struct span bytes)
{
	struct tie *tie = context;

	if (tie->reader_gone || tie->fault.kind == FAULT_IO || bytes.len == 0)
		return;
	tie->reader_gone = cli_output(bytes, &tie->fault) == 1;
}

void
tie_print(struct tie *tie, struct text *text)
{
	write_out(tie, (struct span){ text->bytes, text->len });
}

void
tie_print_rows(struct tie *tie)
{
	columns_flush(&tie->columns);
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct tie *tie = context;

	switch (link) {
	case SESSION_UP:
		tie->is_up = tie->was_up = true;
		cli_trace(&tie->cli, "connected to %s",
			session_peer(tie->session));
		break;
	case SESSION_CONNECTING:
		if (tie->fault.kind == FAULT_NONE)
			tie->fault = *why;
		break;
	case SESSION_LOST:
		if (tie->is_up && tie->follow)
			cli_warn(&tie->cli,
				"%s (trying again; what changes meanwhile is "
				"not told)",
				why->text);
		tie->is_up = false;
		/* Requests are made again, but not what nobody confirms. */
		if (tie->external && tie->fault.kind == FAULT_NONE)
			tie->fault = *why;
		break;
	}
}

static void
on_event(void *context, struct span topic, struct span payload,
	struct span source)
{
	(void)source;
	tie_hear(context, topic, payload);
}

static void
on_ignored(void *context, const char *why)
{
	const struct tie *tie = context;

	cli_trace(&tie->cli, "ignored %s", translate(why));
}

static int
set_up(struct tie *tie)
{
	const struct session_calls calls = {
		.context = tie,
		.link = on_link,
		.ignored = on_ignored,
		.event = on_event,
	};
	const struct session_config config = {
		.app = tool.name,
		.no_room = true,
	};

	if (cli_output_check(&tie->fault) < 0 ||
		cli_conf_dxl(&tie->cli, &tie->conf, _("the TIE server"),
			&tie->fault) < 0)
		return -1;
	tie->is_terminal = isatty(STDOUT_FILENO);
	tie->columns = (struct columns){ .aligned = tie->is_terminal,
		.write = write_out,
		.context = tie };
	tie->session = session_open(&tie->conf, &config, &calls, &tie->fault);
	return tie->session != NULL ? 0 : -1;
}

static void
run(struct tie *tie)
{
	sigset_t during;

	if (confirm(tie) < 0 || set_up(tie) < 0)
		return;
	cli_catch_signals(&during);
	if (tie->follow)
		tie_follow(tie, &during);
	else if (tie->external)
		tie_report_all(tie, &during);
	else
		tie_inquire(tie, &during);
	session_close(&tie->session, 1);
	counts_trace(&tie->cli, tie->session);
}

static void
tie_free(struct tie *tie)
{
	session_free(tie->session);
	columns_free(&tie->columns);
	tie_list_free(&tie->list);
	free(tie->files);
	conf_free(&tie->conf);
	cli_free(&tie->cli);
}

int
main(int argc, char **argv)
{
	struct tie tie = { 0 };
	int status;

	cli_init(&tie.cli, &tool);
	status = parse_args(&tie, argc, argv);
	if (status == 0) {
		if (tie.fault.kind == FAULT_NONE)
			run(&tie);
		if (tie.fault.kind == FAULT_NONE)
			cli_output_close(&tie.fault);
		status = tie.status != 0 ? tie.status : tie.is_missing;
		if (tie.fault.kind != FAULT_NONE)
			status = cli_fail(&tie.cli, &tie.fault);
	}
	tie_free(&tie);
	return status;
}
