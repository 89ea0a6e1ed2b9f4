/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"
#include "broker.h"
#include "calendar.h"
#include "cli.h"
#include "conf.h"
#include "fabric.h"
#include "fault.h"
#include "memory.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LETTER_PORT = 256, /* typed too seldom for a letter */
	LETTER_LISTEN,
	START_TRIES = 3,
	DATE_MAX = sizeof("2026-11-23"),
};

struct config {
	struct cli cli;
	const struct command *command;
	const char *name; /* of `add` */
	uint16_t port;    /* --port, or 0 */
	const char *listen;
};

/* Does it and appends what is to be printed.  An exit status, or -1 with a
 * fault. */
typedef int command_fn(const struct config *, struct fabric *, struct text *,
	struct fault *);

struct command {
	const char *name;
	int arguments;
	bool takes_options; /* --port, --listen */
	command_fn *run;
};

static const struct cli_option options[] = {
	{ "port", LETTER_PORT, "PORT",
		"up: use this port (else 8883, or a free one)" },
	{ "listen", LETTER_LISTEN, "ADDRESS",
		"up: listen on this address too" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-fabric",
	.synopsis = "[OPTION...] up|down|status|add NAME",
	.purpose = "A private message fabric on this machine",
	.options = options,
};

/* Where to listen: as asked for, else the port as before if that is free. */
static int
choose(const struct config *config, struct broker *broker, struct fault *fault)
{
	uint16_t before = broker->port;

	if (broker_listen(broker, config->listen, fault) < 0)
		return -1;
	if (config->port == 0) {
		if (broker_choose_port(broker, before, fault) < 0)
			return -1;
		if (before != 0 && broker->port != before)
			cli_say(&config->cli, "port %u is taken, it is %u now",
				before, broker->port);
		return 0;
	}
	broker->port = config->port;
	int why = broker_try_port(broker, config->port);
	if (why == 0)
		return 0;
	return fault_set(fault, FAULT_UNAVAILABLE,
		"port %u: %s (without "
		"--port a free one is found)",
		config->port, strerror(why));
}

static int
start(const struct config *config, struct fabric *fabric, struct fault *fault)
{
	struct broker *broker = &fabric->broker;
	char *program = broker_find_program(fault);
	long pid = -1;

	for (int i = 0; program != NULL && i < START_TRIES; i++) {
		if (choose(config, broker, fault) < 0 ||
			fabric_prepare(fabric, fault) < 0)
			break;
		pid = broker_start(broker, fabric->folder, program, fault);
		/* Another may have taken the port since it was chosen. */
		if (pid > 0 || broker_try_port(broker, broker->port) == 0)
			break;
	}
	if (pid > 0)
		cli_trace(&config->cli, "started %s, process %ld", program,
			pid);
	free(program);
	return pid > 0 ? 0 : -1;
}

/* Does a running one listen where it is asked to? */
static int
check_place(const struct config *config, const struct broker *broker,
	struct fault *fault)
{
	struct broker asked = { 0 };
	bool there = false;

	if (config->port != 0 && config->port != broker->port)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"the fabric runs "
			"already, on port %u (end it first: qchat-fabric down)",
			broker->port);
	if (config->listen == NULL)
		return 0;
	if (broker_listen(&asked, config->listen, fault) < 0)
		return -1;
	const char *address = asked.addresses[asked.count - 1];
	for (size_t i = 0; i < broker->count; i++)
		if (strcmp(broker->addresses[i], address) == 0)
			there = true;
	return there ? 0
		     : fault_set(fault, FAULT_UNAVAILABLE,
			       "the fabric "
			       "runs already, and not on %s (end it first: "
			       "qchat-fabric down)",
			       config->listen);
}

/* What runs already is looked after, so that a cron job may do that. */
static int
keep(const struct config *config, const struct fabric *fabric, long pid,
	struct fault *fault)
{
	if (check_place(config, &fabric->broker, fault) < 0)
		return -1;
	int renewed = fabric_prepare(fabric, fault);
	if (renewed < 0)
		return -1;
	if (renewed > 0)
		broker_reload(fabric->folder);
	cli_say(&config->cli, "the fabric runs already (process %ld)", pid);
	return 0;
}

static int
run_up(const struct config *config, struct fabric *fabric, struct text *out,
	struct fault *fault)
{
	int lock = fabric_enter(fabric, fault);
	if (lock < 0)
		return -1;
	/* Another may have changed it while we waited. */
	broker_recall(&fabric->broker, fabric->folder);
	long pid = conf_fabric_pid(fabric->folder);
	int rc = pid > 0 ? keep(config, fabric, pid, fault)
			 : start(config, fabric, fault);
	close(lock);
	if (rc == 0)
		text_appendf(out, "fabric on localhost:%u (user %s)\n",
			fabric->broker.port, fabric->user);
	return rc;
}

static int
run_down(const struct config *config, struct fabric *fabric, struct text *out,
	struct fault *fault)
{
	(void)out;
	long pid = 0;

	if (access(fabric->folder, F_OK) == 0) {
		int lock = fabric_enter(fabric, fault);
		if (lock < 0)
			return -1;
		pid = broker_stop(fabric->folder, fault);
		close(lock);
	}
	if (pid == 0)
		cli_say(&config->cli, "the fabric does not run");
	else if (pid > 0)
		cli_trace(&config->cli, "process %ld has ended", pid);
	return pid < 0 ? -1 : 0;
}

static void
append_expiry(struct text *out, int64_t expiry)
{
	char date[DATE_MAX + 8] = "";
	struct tm when = calendar_utc(expiry);

	if (expiry < 0)
		text_append_string(out, "none");
	else if (strftime(date, sizeof(date), "%Y-%m-%d", &when) > 0)
		text_append_string(out, date);
	if (expiry >= 0 && expiry <= time(NULL))
		text_append_string(out, " expired");
}

static void
append_certificates(struct text *out, const struct fabric *fabric)
{
	static const char *const files[] = { "ca", "broker" };
	struct dirent **users;
	int count = fabric_users(fabric, &users);

	for (size_t i = 0; i < 2; i++) {
		char *path = memory_format("%s/%s.pem", fabric->folder,
			files[i]);

		text_appendf(out, "%s until ", files[i]);
		append_expiry(out, authority_expiry(path));
		text_append_char(out, '\n');
		free(path);
	}
	for (int i = 0; i < count; i++) {
		const char *name = users[i]->d_name;

		text_append_string(out, "user until ");
		append_expiry(out, fabric_user_expiry(fabric, name));
		text_appendf(out, " %s\n", name);
	}
	fabric_users_free(users, count);
}

static int
run_status(const struct config *config, struct fabric *fabric, struct text *out,
	struct fault *fault)
{
	const struct broker *broker = &fabric->broker;
	long pid = conf_fabric_pid(fabric->folder);

	(void)fault;
	if (config->cli.quiet)
		return pid > 0 ? 0 : 1;
	text_appendf(out, "running %s\n", pid > 0 ? "yes" : "no");
	if (pid > 0)
		text_appendf(out, "process %ld\n", pid);
	if (broker->port != 0)
		text_appendf(out, "port %u\n", broker->port);
	for (size_t i = 0; i < broker->count; i++)
		text_appendf(out, "address %s\n", broker->addresses[i]);
	if (broker->port != 0)
		append_certificates(out, fabric);
	text_append_string(out, "folder ");
	text_harmless(out, span_of(fabric->folder), TEXT_MESSAGE);
	text_append_char(out, '\n');
	return pid > 0 ? 0 : 1;
}

/* The place has to be known for the user's settings; nothing starts. */
static int
settle(struct fabric *fabric, struct fault *fault)
{
	struct broker *broker = &fabric->broker;

	if (broker_recall(broker, fabric->folder))
		return 0;
	if (broker_listen(broker, NULL, fault) < 0 ||
		broker_choose_port(broker, 0, fault) < 0)
		return -1;
	return fabric_prepare(fabric, fault) < 0 ? -1 : 0;
}

static int
run_add(const struct config *config, struct fabric *fabric, struct text *out,
	struct fault *fault)
{
	char *path = NULL;

	if (fabric_check_name(config->name, fault) < 0)
		return -1;
	int lock = fabric_enter(fabric, fault);
	if (lock < 0)
		return -1;
	if (settle(fabric, fault) == 0)
		path = fabric_add(fabric, config->name, fault);
	close(lock);
	if (path == NULL)
		return -1;
	text_appendf(out, "%s\n", path);
	free(path);
	return 0;
}

static const struct command commands[] = {
	{ "up", 0, true, run_up },
	{ "down", 0, false, run_down },
	{ "status", 0, false, run_status },
	{ "add", 1, false, run_add },
	{ NULL, 0, false, NULL },
};

static int
take_command(struct config *config, int argc, char **argv)
{
	const struct command *command = commands;

	if (argc == 0)
		return cli_usage_fault(&config->cli,
			"say what to do: up, down, status, or add NAME");
	while (command->name != NULL && strcmp(command->name, argv[0]) != 0)
		command++;
	if (command->name == NULL)
		return cli_usage_fault(&config->cli,
			"%s is none of up, down, "
			"status, add",
			argv[0]);
	if (argc - 1 < command->arguments)
		return cli_usage_fault(&config->cli, "add whom?");
	if (argc - 1 > command->arguments)
		return cli_usage_fault(&config->cli, "%s is too much",
			argv[command->arguments + 1]);
	if (!command->takes_options &&
		(config->port != 0 || config->listen != NULL))
		return cli_usage_fault(&config->cli,
			"--port and --listen are for up");
	config->command = command;
	config->name = argv[1];
	return 0;
}

static int
parse_args(struct config *config, int argc, char **argv)
{
	struct cli *cli = &config->cli;
	int64_t port;
	int letter;

	while ((letter = cli_next(cli, argc, argv)) != -1) {
		switch (letter) {
		case LETTER_PORT:
			if (cli_number(optarg, 1, UINT16_MAX, &port) < 0)
				return cli_usage_fault(cli,
					"--port: %s is not "
					"from 1 to 65535",
					optarg);
			config->port = (uint16_t)port;
			break;
		case LETTER_LISTEN:
			config->listen = optarg;
			break;
		default:
			return FAULT_USAGE;
		}
	}
	return take_command(config, argc - optind, argv + optind);
}

/* Prints what a command had to say.  Its status, or that of what failed. */
static int
finish(const struct config *config, const struct text *out, int status,
	struct fault *fault)
{
	struct span bytes = { out->bytes, out->len };

	if (status < 0 || cli_output(bytes, fault) < 0 ||
		cli_output_close(fault) < 0)
		return cli_fail(&config->cli, fault);
	return status;
}

int
main(int argc, char **argv)
{
	struct config config = { 0 };
	struct fabric fabric;
	struct text out = { 0 };
	struct fault fault = { 0 };

	cli_init(&config.cli, &tool);
	int status = parse_args(&config, argc, argv);
	if (status == 0) {
		fabric_open(&fabric);
		status = fabric_check_folder(&fabric, &fault);
		if (status == 0)
			status = config.command->run(&config, &fabric, &out,
				&fault);
		status = finish(&config, &out, status, &fault);
		fabric_close(&fabric);
	}
	text_free(&out);
	cli_free(&config.cli);
	return status;
}
