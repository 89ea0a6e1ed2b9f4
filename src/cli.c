/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "memory.h"
#include "passphrase.h"
#include "translate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LETTER_CONFIG = 1000, /* common options that have no short form */
	LETTER_DXL_CONFIG,
	OPTIONS_MAX = 64,
};

static const struct cli_option common_options[] = {
	{ "room", 'r', "ROOM", "the room" },
	{ "user", 'u', "NAME", "the name to appear under" },
	{ "timeout", 'W', "SECONDS", "how long at most" },
	{ "config", LETTER_CONFIG, "FILE", "read this qchat.conf" },
	{ "dxl-config", LETTER_DXL_CONFIG, "FILE",
		"read this dxlclient.config" },
	{ "quiet", 'q', NULL, "say less" },
	{ "verbose", 'v', NULL, "say more" },
	{ "help", 'h', NULL, "print this and end" },
	{ "version", 'V', NULL, "print the version and end" },
	{ NULL, 0, NULL, NULL },
};

static bool
is_taken(const struct cli_tool *tool, const struct cli_option *option)
{
	switch (option->letter) {
	case 'r':
		return (tool->common & CLI_ROOM) != 0;
	case 'u':
		return (tool->common & CLI_USER) != 0;
	case 'W':
		return (tool->common & CLI_TIMEOUT) != 0;
	case LETTER_CONFIG:
	case LETTER_DXL_CONFIG:
		return (tool->common & CLI_FABRIC) != 0;
	default:
		return true;
	}
}

static bool
is_own(const struct cli_tool *tool, const struct cli_option *common)
{
	const struct cli_option *own = tool->options;

	for (; own != NULL && own->name != NULL; own++)
		if (strcmp(own->name, common->name) == 0)
			return true;
	return false;
}

/* The i-th option of the tool: its own first, a common one that it redefines
 * left out.  NULL behind the last. */
static const struct cli_option *
option_at(const struct cli_tool *tool, size_t i)
{
	const struct cli_option *own = tool->options;

	for (; own != NULL && own->name != NULL; own++)
		if (i-- == 0)
			return own;
	for (const struct cli_option *o = common_options; o->name != NULL; o++)
		if (is_taken(tool, o) && !is_own(tool, o) && i-- == 0)
			return o;
	return NULL;
}

/* A descriptor of 0 to 2 that is closed would be that of the next file or
 * socket.  One that cannot be used takes its place: what uses it fails. */
static void
fill_standard(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* Of the locale only characters and messages: numbers and times stay as
 * programs read them.  All that is written is UTF-8, so that a locale of
 * another character set has messages in English, which any terminal shows. */
static void
set_language(void)
{
	setlocale(LC_CTYPE, "");
#ifdef ENABLE_NLS
	const char *folder = secure_getenv("TEXTDOMAINDIR");

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return;
	setlocale(LC_MESSAGES, "");
	bindtextdomain(PACKAGE, folder != NULL ? folder : LOCALEDIR);
	bind_textdomain_codeset(PACKAGE, "UTF-8");
	textdomain(PACKAGE);
#endif
}

void
cli_init(struct cli *cli, const struct cli_tool *tool)
{
	struct text letters = { 0 };
	const struct cli_option *option;

	*cli = (struct cli){ .tool = tool, .timeout_ms = -1 };
	fill_standard();
	set_language();
	signal(SIGPIPE, SIG_IGN);

	cli->rooms = memory_alloc(tool->rooms_max, sizeof(*cli->rooms));
	cli->long_options = memory_alloc(OPTIONS_MAX,
		sizeof(*cli->long_options));
	text_append_string(&letters, tool->operands_last ? "+:" : ":");
	for (size_t i = 0; (option = option_at(tool, i)) != NULL; i++) {
		assert(i < OPTIONS_MAX - 1);
		cli->long_options[i] = (struct option){ option->name,
			option->argument != NULL ? required_argument
						 : no_argument,
			NULL, option->letter };
		if (option->letter > 255)
			continue;
		text_append_char(&letters, (char)option->letter);
		if (option->argument != NULL)
			text_append_char(&letters, ':');
	}
	cli->letters = letters.bytes;
	opterr = 0;
}

void
cli_free(struct cli *cli)
{
	free(cli->rooms);
	free(cli->long_options);
	free(cli->letters);
}

static void
print_option(const struct cli_tool *tool, const struct cli_option *option)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", option->name,
		option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	if (option->letter > 255)
		printf("      %-22s ", left);
	else
		printf("  -%c, %-22s ", option->letter, left);
	if (option->letter == 'r' && tool->rooms_max > 1)
		printf(_("a room; may be given up to %zu times\n"),
			tool->rooms_max);
	else
		printf("%s\n", translate(option->help));
}

static void
print_help(const struct cli_tool *tool)
{
	const struct cli_option *option;

	printf(_("usage: %s %s\n%s.\n\n"), tool->name, tool->synopsis,
		translate(tool->purpose));
	for (size_t i = 0; (option = option_at(tool, i)) != NULL; i++)
		print_option(tool, option);
	printf(_("\nman %s tells more.\n"), tool->name);
}

static void
print_and_end(const struct cli *cli)
{
	struct fault fault = { 0 };

	exit(cli_output_close(&fault) < 0 ? cli_fail(cli, &fault) : 0);
}

/* Handles a common option.  Returns 0, '?' after a fault, or the letter if
 * it is none of these. */
static int
take_common(struct cli *cli, int letter)
{
	switch (letter) {
	case 'r':
		if (cli->room_count == cli->tool->rooms_max) {
			cli_usage_fault(cli,
				"--room is given too often (at most %zu)",
				cli->tool->rooms_max);
			return '?';
		}
		cli->rooms[cli->room_count++] = optarg;
		return 0;
	case 'u':
		cli->user = optarg;
		return 0;
	case 'W':
		if (cli_seconds(optarg, &cli->timeout_ms) == 0)
			return 0;
		cli_usage_fault(cli, "--timeout: %s is not a number of seconds",
			optarg);
		return '?';
	case LETTER_CONFIG:
		cli->source.config = optarg;
		return 0;
	case LETTER_DXL_CONFIG:
		cli->source.dxl_config = optarg;
		return 0;
	case 'q':
		cli->quiet = true;
		return 0;
	case 'v':
		cli->verbose++;
		return 0;
	case 'h':
		print_help(cli->tool);
		print_and_end(cli);
		return 0;
	case 'V':
		printf("%s %s\n", cli->tool->name, PACKAGE_VERSION);
		print_and_end(cli);
		return 0;
	default:
		return letter;
	}
}

static bool
is_own_letter(const struct cli_tool *tool, int letter)
{
	const struct cli_option *own = tool->options;

	for (; own != NULL && own->name != NULL; own++)
		if (own->letter == letter)
			return true;
	return false;
}

int
cli_next(struct cli *cli, int argc, char **argv)
{
	for (;;) {
		int letter = getopt_long(argc, argv, cli->letters,
			cli->long_options, NULL);
		const char *word = optind > 1 ? argv[optind - 1] : "";

		if (letter == -1)
			return -1;
		if (letter == '?') {
			if (optopt > 0 && optopt < 256 && word[1] != '-')
				cli_usage_fault(cli, "unknown option -%c",
					optopt);
			else
				cli_usage_fault(cli,
					"unknown, unclear, or "
					"wrongly used option %s",
					word);
			return '?';
		}
		if (letter == ':') {
			cli_usage_fault(cli, "%s needs an argument", word);
			return '?';
		}
		if (!is_own_letter(cli->tool, letter))
			letter = take_common(cli, letter);
		if (letter != 0)
			return letter;
	}
}

__attribute__((format(printf, 2, 0))) static void
print_line(const struct cli *cli, const char *format, va_list arguments)
{
	struct text line = { 0 };
	char *raw = NULL;

	if (vasprintf(&raw, gettext(format), arguments) < 0)
		return;
	text_appendf(&line, "%s: ", cli->tool->name);
	text_harmless(&line, span_of(raw), TEXT_MESSAGE);
	text_append_char(&line, '\n');
	/* One write, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, line.bytes, line.len) < 0) {
		/* There is nobody left to tell. */
	}
	free(raw);
	text_free(&line);
}

int
cli_usage_fault(const struct cli *cli, const char *format, ...)
{
	char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&what, gettext(format), arguments) >= 0)
		cli_warn(cli, "%s (%s --help lists what there is)", what,
			cli->tool->name);
	va_end(arguments);
	free(what);
	return FAULT_USAGE;
}

void
cli_say(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	if (cli->quiet)
		return;
	va_start(arguments, format);
	print_line(cli, format, arguments);
	va_end(arguments);
}

void
cli_trace(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	if (cli->verbose == 0)
		return;
	va_start(arguments, format);
	print_line(cli, format, arguments);
	va_end(arguments);
}

void
cli_warn(const struct cli *cli, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(cli, format, arguments);
	va_end(arguments);
}

int
cli_clock_fault(int64_t off, struct fault *fault)
{
	long long minutes = (long long)(off < 0 ? -off : off) / 60000;

	return fault_set(fault, FAULT_CONFIG,
		"the clock of this machine seems to be %lld minutes %s, so "
		"that what others say looks %s and has the mark ! (set it, "
		"best by NTP)",
		minutes, off < 0 ? _("fast") : _("slow"),
		off < 0 ? _("old") : _("to come"));
}

void
cli_warn_clock(const struct cli *cli, int64_t off)
{
	struct fault fault = { 0 };

	cli_clock_fault(off, &fault);
	cli_warn(cli, "%s", fault.text);
}

void
cli_warn_foreign(const struct cli *cli, struct span room)
{
	struct text name = { 0 };

	text_harmless(&name, room, TEXT_NAME);
	cli_warn(cli,
		"%s: what is said here is sealed with a secret that this user "
		"does not have (somebody who has it invites with qchat-invite "
		"-r %s YOUR-CERTIFICATE)",
		name.bytes, name.bytes);
	text_free(&name);
}

void
cli_warn_changed(const struct cli *cli, struct span user, const char *seen,
	const char *fingerprint)
{
	struct text name = { 0 };

	text_harmless(&name, user, TEXT_NAME);
	cli_warn(cli,
		"%s: signed with certificate %s, but this name was first seen "
		"with %s (if that is right: qchat-who -r ROOM --pin %s, "
		"while it is in the room)",
		name.bytes, fingerprint, seen, name.bytes);
	text_free(&name);
}

int
cli_fail(const struct cli *cli, const struct fault *fault)
{
	assert(fault->kind != FAULT_NONE);
	cli_warn(cli, "%s", fault->text);
	return fault->kind;
}

int
cli_seconds(const char *argument, int64_t *ms)
{
	const double year = 366.0 * 86400;
	char *end;

	/* Not hexadecimal, nan or inf, which strtod() would take. */
	if (argument[0] == '\0' ||
		argument[strspn(argument, "0123456789.")] != '\0')
		return -1;
	double seconds = strtod(argument, &end);
	if (*end != '\0' || seconds < 0 || seconds > year)
		return -1;
	*ms = (int64_t)(seconds * 1000 + 0.5);
	return 0;
}

int
cli_number(const char *argument, int64_t least, int64_t most, int64_t *number)
{
	char *end;

	errno = 0;
	long long value = strtoll(argument, &end, 10);
	if (errno != 0 || end == argument || *end != '\0' || value < least ||
		value > most)
		return -1;
	*number = value;
	return 0;
}

int
cli_conf(struct cli *cli, struct conf *conf, struct fault *fault)
{
	if (conf_find(conf, &cli->source, fault) < 0)
		return -1;
	for (size_t i = 0; i < conf->warning_count; i++)
		cli_trace(cli, "%s", conf->warnings[i]);
	cli_trace(cli, "settings from %s", conf->file);
	passphrase_use(conf);
	if (cli->user != NULL) {
		free(conf->user);
		conf->user = memory_string(cli->user);
	}
	return 0;
}

int
cli_conf_dxl(struct cli *cli, struct conf *conf, const char *service,
	struct fault *fault)
{
	if (cli_conf(cli, conf, fault) < 0)
		return -1;
	if (conf->fabric == CONF_DXL)
		return 0;
	return fault_set(fault, FAULT_CONFIG,
		"%s: this is a plain MQTT fabric, and %s is a service of DXL "
		"fabrics (the setting `fabric`, or --dxl-config)",
		conf->file, service);
}

const char *
cli_room(const struct cli *cli, const struct conf *conf, struct fault *fault)
{
	if (cli->room_count > 0)
		return cli->rooms[0];
	if (conf->room != NULL)
		return conf->room;
	fault_set(fault, FAULT_USAGE,
		"no room is given (say -r ROOM, or set QCHAT_ROOM)");
	return NULL;
}

int
cli_output(struct span bytes, struct fault *fault)
{
	while (bytes.len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes.bytes, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Whoever shares it may have made it non-blocking. */
			struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };

			poll(&out, 1, -1);
			continue;
		}
		if (n < 0 && errno == EPIPE)
			return 1;
		if (n < 0)
			return fault_set(fault, FAULT_IO, "standard output: %s",
				strerror(errno));
		bytes.bytes += n;
		bytes.len -= (size_t)n;
	}
	return 0;
}

int
cli_output_check(struct fault *fault)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return 0;
	return fault_set(fault, FAULT_IO, "standard output is closed");
}

int
cli_output_close(struct fault *fault)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return 0;
	if (errno == EPIPE)
		return 0;
	return fault_set(fault, FAULT_IO, "standard output: %s",
		strerror(errno != 0 ? errno : EIO));
}

volatile sig_atomic_t cli_ended;

static void
on_signal(int signal)
{
	cli_ended = signal;
}

void
cli_catch_signals(sigset_t *during)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction before;

		/* What nohup(1) ignores stays ignored. */
		sigaction(signals[i], NULL, &before);
		if (before.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&blocked, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, during);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigdelset(during, signals[i]);
}
