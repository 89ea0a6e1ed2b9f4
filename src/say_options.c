/* SPDX-License-Identifier: Apache-2.0 */
#include "say.h"

#include <string.h>
#include <unistd.h>

enum {
	OPTION_TITLE = 300,
	OPTION_TAG,
	OPTION_CONFIRM,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_SKIP_EMPTY,
	OPTION_SPOOL,
	OPTION_NO_SPOOL,
	OPTION_FLUSH,
	OPTION_QUEUE,

	TIMEOUT_MS = 5000, /* without -W */
};

static const struct cli_option options[] = {
	{ "to", 't', "NAME", "to one participant alone, sealed" },
	{ "lines", 'l', NULL, "each line of standard input is a message" },
	{ "severity", 's', "LEVEL", "info, low, medium, high or critical" },
	{ "title", OPTION_TITLE, "TEXT", "a title before the text" },
	{ "tag", OPTION_TAG, "WORD", "a tag; may be repeated" },
	{ "skip-empty", OPTION_SKIP_EMPTY, NULL, "nothing to say is no error" },
	{ "confirm", OPTION_CONFIRM, "echo|none",
		"await our own echo (default), or not" },
	{ "spool", OPTION_SPOOL, NULL,
		"keep what cannot be delivered now (default)" },
	{ "no-spool", OPTION_NO_SPOOL, NULL, "give it up" },
	{ "flush", OPTION_FLUSH, NULL, "send what was kept, and end" },
	{ "queue", OPTION_QUEUE, NULL, "list what was kept, and end" },
	{ "dry-run", OPTION_DRY_RUN, NULL, "check everything, send nothing" },
	{ "json", OPTION_JSON, NULL, "print what was sent as JSON lines" },
	{ "quiet", 'q', NULL, "no word on what went wrong, only the status" },
	{ NULL, 0, NULL, NULL },
};

const struct cli_tool say_tool = {
	.name = "qchat-say",
	.synopsis = "[OPTION...] [TEXT...]",
	.purpose = "Post a message, from the arguments or standard input, "
		   "into a room",
	.common = CLI_FABRIC | CLI_ROOM | CLI_USER | CLI_TIMEOUT,
	.rooms_max = 1,
	.options = options,
};

static int
set_severity(struct say *say, const char *argument)
{
	say->severity = room_severity_of(span_of(argument));
	if (say->severity != ROOM_SEVERITY_NONE)
		return 0;
	return cli_usage_fault(&say->cli,
		"--severity: \"%s\" is none of info, "
		"low, medium, high, critical",
		argument);
}

static int
add_tag(struct say *say, const char *argument)
{
	if (say->tag_count == ROOM_TAGS_MAX)
		return cli_usage_fault(&say->cli, "--tag: more than %d",
			ROOM_TAGS_MAX);
	say->tags[say->tag_count++] = span_of(argument);
	return 0;
}

static int
set_confirm(struct say *say, const char *argument)
{
	say->unconfirmed = strcmp(argument, "none") == 0;
	if (say->unconfirmed || strcmp(argument, "echo") == 0)
		return 0;
	return cli_usage_fault(&say->cli,
		"--confirm: \"%s\" is neither echo nor none", argument);
}

static int
set_recipient(struct say *say, const char *argument)
{
	if (say->to != NULL)
		return cli_usage_fault(&say->cli,
			"--to: \"%s\" and \"%s\" are two (a direct message is "
			"for one; qchat-say can be run once for each)",
			say->to, argument);
	if (*argument == '\0' || strlen(argument) > ROOM_USER_MAX ||
		text_utf8_check(span_of(argument)) < strlen(argument))
		return cli_usage_fault(&say->cli,
			"--to: \"%s\" is no name (they are UTF-8, of 1 to %d "
			"bytes)",
			argument, ROOM_USER_MAX);
	say->to = argument;
	return 0;
}

static int
take_option(struct say *say, int letter)
{
	switch (letter) {
	case 't':
		return set_recipient(say, optarg);
	case 'l':
		say->source.by_lines = true;
		return 0;
	case 's':
		return set_severity(say, optarg);
	case OPTION_TITLE:
		say->title = span_of(optarg);
		return 0;
	case OPTION_TAG:
		return add_tag(say, optarg);
	case OPTION_SKIP_EMPTY:
		say->source.skip_empty = true;
		return 0;
	case OPTION_CONFIRM:
		return set_confirm(say, optarg);
	case OPTION_DRY_RUN:
		say->dry_run = true;
		return 0;
	case OPTION_SPOOL:
		say->no_spool = false;
		return 0;
	case OPTION_NO_SPOOL:
		say->no_spool = true;
		return 0;
	case OPTION_FLUSH:
		say->flush = true;
		return 0;
	case OPTION_QUEUE:
		say->queue = true;
		return 0;
	case OPTION_JSON:
		say->json = true;
		return 0;
	case 'q':
		say->cli.quiet = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

int
say_parse_args(struct say *say, int argc, char **argv)
{
	int letter;

	while ((letter = cli_next(&say->cli, argc, argv)) != -1) {
		int rc = take_option(say, letter);
		if (rc != 0)
			return rc;
	}
	if (say->cli.timeout_ms == 0)
		return cli_usage_fault(&say->cli,
			"--timeout: 0 leaves no time for a proof");
	if (say->cli.timeout_ms < 0)
		say->cli.timeout_ms = TIMEOUT_MS;
	if (say->to != NULL &&
		(say->source.by_lines || say->unconfirmed || say->flush ||
			say->queue || say->json))
		return cli_usage_fault(&say->cli,
			"--to says one message: --lines, --confirm none, "
			"--json, --flush and --queue have no place beside it");
	if ((say->flush || say->queue) && say->dry_run)
		return cli_usage_fault(&say->cli,
			"--dry-run is for what is said: it has no place beside "
			"--flush and --queue");
	if (say->flush || say->queue) {
		if (optind < argc || say->source.by_lines)
			return cli_usage_fault(&say->cli,
				"--flush and --queue say nothing of their own "
				"(no TEXT, no --lines)");
		return 0;
	}
	if (say->source.by_lines && optind < argc)
		return cli_usage_fault(&say->cli,
			"--lines reads standard "
			"input; there may be no TEXT");
	if (optind == argc && !say->source.by_lines && isatty(STDIN_FILENO))
		return cli_usage_fault(&say->cli,
			"nothing to say: give TEXT, "
			"or pipe it in");
	for (int i = optind; i < argc; i++)
		source_add(&say->source, argv[i]);
	return 0;
}
