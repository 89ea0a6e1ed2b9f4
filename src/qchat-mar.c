/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "counts.h"
#include "mar.h"
#include "mar_search.h"
#include "mar_show.h"
#include "session.h"
#include "translate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_HASH = 300,
	OPTION_JSON,
};

static const struct cli_option options[] = {
	{ "sort", 's', "COLUMN", "sort by it; -COLUMN: downwards (-count)" },
	{ "limit", 'n', "N", "so many rows at most" },
	{ "hash", OPTION_HASH, "HASH",
		"which hosts have a file of this hash?" },
	{ "table", 't', NULL, "align the columns in a pipe, too" },
	{ "json", OPTION_JSON, NULL, "print JSON lines" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-mar",
	.synopsis = "[OPTION...] QUERY | --hash HASH",
	.purpose = "Search the hosts of a fabric by McAfee Active Response",
	.common = CLI_FABRIC | CLI_TIMEOUT,
	.options = options,
};

struct search {
	struct cli cli;
	const char *hash, *sort;
	int64_t limit;
	bool table, json;
	struct text words; /* the query as it was given */

	struct conf conf;
	struct mar_query query;
	struct session *session;
	struct mar_search *running;
	bool has_ended;
	bool shows_progress, has_shown;
	bool reader_gone;
	struct fault output; /* what is wrong with standard output */
	struct fault fault;
};

static int
take_option(struct search *search, int letter)
{
	switch (letter) {
	case 's':
		search->sort = optarg;
		return 0;
	case 'n':
		if (cli_number(optarg, 1, MAR_ROWS_MAX, &search->limit) == 0)
			return 0;
		return cli_usage_fault(&search->cli,
			"--limit: \"%s\" is no number from 1 to %d", optarg,
			MAR_ROWS_MAX);
	case 't':
		search->table = true;
		return 0;
	case OPTION_HASH:
		search->hash = optarg;
		return 0;
	case OPTION_JSON:
		search->json = true;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
parse_args(struct search *search, int argc, char **argv)
{
	int letter;

	while ((letter = cli_next(&search->cli, argc, argv)) != -1)
		if (take_option(search, letter) != 0)
			return FAULT_USAGE;
	for (int i = optind; i < argc; i++) {
		if (i > optind)
			text_append_char(&search->words, ' ');
		text_append_string(&search->words, argv[i]);
	}
	if ((optind < argc) == (search->hash != NULL))
		return cli_usage_fault(&search->cli,
			search->hash != NULL
				? "--hash is a query of its own"
				: _("a query is needed, such as 'HostInfo "
				    "hostname, ip_address'"));
	if (search->json && search->table)
		return cli_usage_fault(&search->cli,
			"--json and --table exclude each other");
	if (search->cli.timeout_ms < 0)
		search->cli.timeout_ms = MAR_SEARCH_MS;
	search->shows_progress = !search->cli.quiet && isatty(STDERR_FILENO);
	return 0;
}

/* A query that has several words, and none of the quotes that it should
 * have. */
static bool
has_lost_quotes(const struct search *search, int argc,
	const struct mar_query_slip *slip)
{
	return argc - optind > 1 && strchr(search->words.bytes, '"') == NULL &&
		slip->unquoted;
}

static int
read_query(struct search *search, int argc)
{
	struct fault *fault = &search->fault;
	struct span words = { search->words.bytes, search->words.len };
	struct mar_query_slip slip = { 0 };
	int rc = search->hash != NULL
		? mar_query_of_hash(&search->query, span_of(search->hash),
			  fault)
		: mar_query_parse(&search->query, words, &slip, fault);

	if (rc < 0 && has_lost_quotes(search, argc, &slip)) {
		struct fault first = *fault;

		return fault_set(fault, FAULT_USAGE,
			"%.800s; the shell takes quotes away unless the whole "
			"query is in 'single quotes'",
			first.text);
	}
	if (rc < 0)
		return -1;
	return search->sort != NULL
		? mar_sort_check(&search->query, search->sort, fault)
		: 0;
}

static void
on_link(void *context, enum session_link link, const struct fault *why)
{
	struct search *search = context;

	/* What is lost later is made again, and the request sent again. */
	if (link == SESSION_CONNECTING && search->fault.kind == FAULT_NONE)
		search->fault = *why;
	else if (link == SESSION_LOST)
		cli_trace(&search->cli, "%s", why->text);
}

static void
on_ignored(void *context, const char *why)
{
	const struct search *search = context;

	cli_trace(&search->cli, "ignored %s", translate(why));
}

static void
on_trouble(void *context, const char *what)
{
	const struct search *search = context;

	cli_warn(&search->cli, "%s", what);
}

static void
hide_progress(struct search *search)
{
	if (search->has_shown)
		fputs("\r\033[K", stderr);
	search->has_shown = false;
}

static void
on_progress(void *context, const struct mar_progress *progress)
{
	struct search *search = context;
	struct text text = { 0 };

	mar_show_progress(progress, AUDIENCE_USER, &text);
	if (search->shows_progress) {
		/* What is wider than the terminal does not wrap. */
		fprintf(stderr, "\r\033[?7l%s: %s\033[K\033[?7h", tool.name,
			text.bytes);
		search->has_shown = true;
	} else {
		cli_trace(&search->cli, "%s", text.bytes);
	}
	text_free(&text);
}

static void
on_ended(void *context, const struct fault *fault)
{
	struct search *search = context;

	search->has_ended = true;
	if (search->fault.kind == FAULT_NONE)
		search->fault = *fault;
}

static int64_t
on_request(void *context, const struct request *request, struct fault *fault)
{
	const struct search *search = context;

	return session_request(search->session, request, fault);
}

static void
on_drop(void *context, int64_t number)
{
	const struct search *search = context;

	session_drop(search->session, number);
}

static int
set_up(struct search *search)
{
	const struct session_calls calls = {
		.context = search,
		.link = on_link,
		.ignored = on_ignored,
		.trouble = on_trouble,
	};
	const struct session_config config = {
		.app = tool.name,
		.no_room = true,
	};

	if (cli_output_check(&search->fault) < 0 ||
		cli_conf_dxl(&search->cli, &search->conf, _("the MAR service"),
			&search->fault) < 0)
		return -1;
	search->session = session_open(&search->conf, &config, &calls,
		&search->fault);
	return search->session != NULL ? 0 : -1;
}

/* It was told to end before it was done. */
static void
interrupt(struct search *search)
{
	struct mar_progress progress = mar_progress(
		mar_search_mar(search->running));
	struct text text = { 0 };

	mar_show_progress(&progress, AUDIENCE_USER, &text);
	fault_set(&search->fault, FAULT_UNAVAILABLE, "interrupted: %s",
		text.bytes);
	text_free(&text);
}

static void
ask(struct search *search)
{
	const struct mar_search_calls calls = { search, on_request, on_drop,
		on_progress, on_ended };
	const struct mar_config config = {
		.query = &search->query,
		.sort = search->sort,
		.limit = search->limit,
	};
	sigset_t during;

	cli_catch_signals(&during);
	search->running = mar_search_start(&config, search->cli.timeout_ms,
		session_now().mono, &calls);
	while (search->fault.kind == FAULT_NONE && !search->has_ended &&
		cli_ended == 0) {
		if (session_wait(&search->session, 1, NULL, 0,
			    mar_search_deadline(search->running), &during,
			    &search->fault) < 0)
			break;
		mar_search_tick(search->running, session_now().mono);
	}
	hide_progress(search);
	if (search->fault.kind == FAULT_NONE && !search->has_ended)
		interrupt(search);
	session_close(&search->session, 1);
	counts_trace(&search->cli, search->session);
}

/* Which hosts and which results are in it. */
static void
remark_on_rest(const struct search *search, const struct mar_progress *progress)
{
	struct text text = { 0 };

	mar_show_progress(progress, AUDIENCE_USER, &text);
	if (!mar_show_is_whole(progress))
		cli_warn(&search->cli, "not all hosts are in this: %s",
			text.bytes);
	else if (progress->rows == 0)
		cli_say(&search->cli, "no results: %s", text.bytes);
	else
		cli_trace(&search->cli, "%s", text.bytes);
	if (progress->has_no_room)
		cli_warn(&search->cli, "there are more rows than these %zu",
			progress->rows);
	else if (!mar_show_is_full(progress))
		cli_warn(&search->cli, "not all results are in these rows: %s",
			text.bytes);
	text_free(&text);
}

/* What is not as it seems.  A fault has its own words for what is missing. */
static void
remark(const struct search *search, const struct mar_rows *rows,
	const struct mar_progress *progress)
{
	if (mar_rows_cut(rows) > 0)
		cli_warn(&search->cli,
			"%zu of the rows have a value of more than %d bytes, "
			"which is cut",
			mar_rows_cut(rows), MAR_VALUE_MAX);
	if (search->fault.kind == FAULT_NONE)
		remark_on_rest(search, progress);
}

/* Are there rows to print?  There may be if it fell short of what it names. */
static bool
has_rows(const struct search *search)
{
	struct mar_progress progress = mar_progress(
		mar_search_mar(search->running));

	return search->fault.kind == FAULT_NONE ||
		(search->fault.kind == FAULT_PROTOCOL &&
			progress.state == MAR_DONE);
}

static void
write_out(void *context, struct span bytes)
{
	struct search *search = context;

	if (!search->reader_gone && search->output.kind == FAULT_NONE)
		search->reader_gone = cli_output(bytes, &search->output) == 1;
}

static void
print_json(struct search *search, const struct mar_rows *rows)
{
	struct text out = { 0 };

	for (size_t i = 0; i < mar_rows_count(rows); i++) {
		mar_rows_json(rows, i, &out);
		if (out.len < COLUMNS_PIECE && i + 1 < mar_rows_count(rows))
			continue;
		write_out(search, (struct span){ out.bytes, out.len });
		text_clear(&out);
	}
	text_free(&out);
}

static void
print_table(struct search *search, const struct mar_rows *rows)
{
	const struct mar_show show = { .header = !search->cli.quiet };
	struct columns columns = {
		.aligned = search->table || isatty(STDOUT_FILENO),
		.write = write_out,
		.context = search,
	};

	mar_show_rows(rows, &show, &columns);
	columns_flush(&columns);
	columns_free(&columns);
}

/* Returns the exit status without a fault. */
static int
print_all(struct search *search)
{
	const struct mar *mar = mar_search_mar(search->running);
	const struct mar_rows *rows = mar_rows(mar);
	struct mar_progress progress = mar_progress(mar);

	if (search->json)
		print_json(search, rows);
	else if (progress.rows > 0)
		print_table(search, rows);
	if (search->output.kind == FAULT_NONE)
		cli_output_close(&search->output);
	if (search->output.kind != FAULT_NONE)
		search->fault = search->output;
	else
		remark(search, rows, &progress);
	return progress.rows > 0 ? 0 : 1;
}

static int
run(struct search *search, int argc)
{
	if (read_query(search, argc) < 0 || set_up(search) < 0)
		return 1;
	ask(search);
	return has_rows(search) ? print_all(search) : 1;
}

int
main(int argc, char **argv)
{
	struct search search = { 0 };
	int status;

	cli_init(&search.cli, &tool);
	status = parse_args(&search, argc, argv);
	if (status == 0) {
		status = run(&search, argc);
		if (search.fault.kind != FAULT_NONE)
			status = cli_fail(&search.cli, &search.fault);
	}
	mar_search_free(search.running);
	session_free(search.session);
	mar_query_free(&search.query);
	text_free(&search.words);
	conf_free(&search.conf);
	cli_free(&search.cli);
	return status;
}
