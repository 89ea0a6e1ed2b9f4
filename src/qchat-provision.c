/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"
#include "provision.h"
#include "provision_files.h"
#include "provision_http.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPTION_KEY_TYPE = 300,
	OPTION_PASSPHRASE,
	OPTION_PASSPHRASE_FILE,
	OPTION_SAN,
	OPTION_COUNTRY,
	OPTION_STATE,
	OPTION_LOCALITY,
	OPTION_ORGANIZATION,
	OPTION_UNIT,
	OPTION_EMAIL,
	OPTION_PREFIX,
	OPTION_FORCE,
	OPTION_CSR,
	OPTION_PASSWORD_FILE,
	OPTION_PORT,
	OPTION_CA,
	OPTION_PIN,
	OPTION_COUNT = 32,

	PREFIX_MAX = 64,
	CA_MAX = 4 * 1024 * 1024, /* bytes of the file of --ca */
};

/* What an option goes with. */
enum {
	GENERATE = 1,
	REQUEST = 2,
	UPDATE = 4,
	IMPORT = 8,
	SHOW = 16,
	WITH_KEY = GENERATE | REQUEST,
	WITH_SERVICE = REQUEST | UPDATE,
};

static const struct cli_option options[] = {
	{ "key-type", OPTION_KEY_TYPE, "rsa|ec",
		"make an rsa key (2048 bits; this is usual) or an ec key" },
	{ "passphrase", OPTION_PASSPHRASE, NULL,
		"encrypt the key; ask for the passphrase" },
	{ "passphrase-file", OPTION_PASSPHRASE_FILE, "FILE",
		"encrypt the key; read the passphrase" },
	{ "san", OPTION_SAN, "NAME",
		"ask for this subjectAltName (may be repeated)" },
	{ "country", OPTION_COUNTRY, "CC", "C of the subject" },
	{ "state-or-province", OPTION_STATE, "NAME", "ST of the subject" },
	{ "locality", OPTION_LOCALITY, "NAME", "L of the subject" },
	{ "organization", OPTION_ORGANIZATION, "NAME", "O of the subject" },
	{ "organizational-unit", OPTION_UNIT, "NAME", "OU of the subject" },
	{ "email-address", OPTION_EMAIL, "ADDRESS",
		"emailAddress of the subject" },
	{ "file-prefix", OPTION_PREFIX, "PREFIX",
		"name files PREFIX.key and so on (client)" },
	{ "force", OPTION_FORCE, NULL, "generate: replace a key" },
	{ "csr", OPTION_CSR, "FILE", "request: with this CSR, and its key" },
	{ "user", 'u', "NAME", "who asks the service" },
	{ "password-file", OPTION_PASSWORD_FILE, "FILE",
		"read the password (-: standard input)" },
	{ "port", OPTION_PORT, "PORT", "the service's port (8443)" },
	{ "ca", OPTION_CA, "FILE", "trust these CAs for the service" },
	{ "pin", OPTION_PIN, "SHA256",
		"trust the service's certificate of this fingerprint" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-provision",
	.synopsis = "[OPTION...] generate|request|update|import-ca|"
		    "import-brokers|show ...",
	.purpose = "Certificates for a fabric",
	.common = CLI_FABRIC | CLI_TIMEOUT,
	.options = options,
};

struct provision_verb {
	const char *name;
	const char *operands; /* for messages */
	int least, most;      /* of them */
	unsigned bit;
	int (*run)(struct provision *p);
};

static const struct provision_verb verbs[] = {
	{ "generate", "FOLDER NAME", 2, 2, GENERATE, provision_generate },
	{ "request", "FOLDER HOST NAME", 3, 3, REQUEST, provision_request },
	{ "update", "FOLDER HOST", 2, 2, UPDATE, provision_update },
	{ "import-ca", "FOLDER FILE", 2, 2, IMPORT, provision_import_ca },
	{ "import-brokers", "FOLDER FILE", 2, 2, IMPORT,
		provision_import_brokers },
	{ "show", "[FOLDER]", 0, 1, SHOW, provision_show },
	{ NULL, NULL, 0, 0, 0, NULL },
};

static unsigned
goes_with(int letter)
{
	switch (letter) {
	case OPTION_FORCE:
		return GENERATE;
	case OPTION_CSR:
		return REQUEST;
	case 'u':
	case OPTION_PASSWORD_FILE:
	case OPTION_PORT:
	case OPTION_CA:
	case OPTION_PIN:
		return WITH_SERVICE;
	case OPTION_PREFIX:
		return WITH_KEY | SHOW;
	default:
		return WITH_KEY;
	}
}

int
provision_read(const char *path, size_t most, struct text *bytes,
	struct fault *fault)
{
	bool is_standard = strcmp(path, "-") == 0;
	int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t before = bytes->len;
	int rc = -1;

	if (fd < 0)
		return fault_set(fault, FAULT_NOINPUT, "%s: %s", path,
			strerror(errno));
	ssize_t len = file_read(fd, text_extend(bytes, most + 1), most + 1);
	bytes->len = before + (len > 0 ? (size_t)len : 0);
	bytes->bytes[bytes->len] = '\0';
	if (len < 0)
		fault_set(fault, FAULT_IO, "%s: %s", path, strerror(errno));
	else if ((size_t)len > most)
		fault_set(fault, FAULT_DATA, "%s: is larger than %zu bytes",
			path, most);
	else
		rc = 0;
	if (!is_standard)
		close(fd);
	return rc;
}

static int
set_key_type(struct provision *p, const char *type)
{
	if (strcmp(type, "rsa") == 0)
		p->kind = ENROLL_RSA;
	else if (strcmp(type, "ec") == 0)
		p->kind = ENROLL_EC;
	else
		return cli_usage_fault(&p->cli,
			"--key-type: %s is neither rsa nor ec", type);
	return 0;
}

static int
add_name(struct provision *p, const char *name)
{
	if (p->subject.name_count == ENROLL_NAMES_MAX)
		return cli_usage_fault(&p->cli,
			"--san is given too often (at most %d)",
			ENROLL_NAMES_MAX);
	p->names[p->subject.name_count++] = name;
	return 0;
}

/* It becomes part of a path, and of the configuration. */
static int
set_prefix(struct provision *p, const char *prefix)
{
	size_t good = strspn(prefix,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789._-");

	if (good == 0 || prefix[good] != '\0' || good > PREFIX_MAX ||
		*prefix == '.' || *prefix == '-')
		return cli_usage_fault(&p->cli,
			"--file-prefix: \"%s\" is not made of letters, digits, "
			"and . _ - behind the first",
			prefix);
	p->prefix = prefix;
	return 0;
}

static int
set_port(struct provision *p, const char *text)
{
	int64_t port;

	if (cli_number(text, 1, UINT16_MAX, &port) < 0)
		return cli_usage_fault(&p->cli,
			"--port: %s is not from 1 to 65535", text);
	p->port = (uint16_t)port;
	return 0;
}

static int
set_pin(struct provision *p, const char *text)
{
	if (peer_parse_pin(p->pin, text) == 0)
		return 0;
	return cli_usage_fault(&p->cli,
		"--pin: %s is no SHA-256 fingerprint of 64 hex digits", text);
}

static int
take_key_option(struct provision *p, int letter)
{
	switch (letter) {
	case OPTION_KEY_TYPE:
		return set_key_type(p, optarg);
	case OPTION_PASSPHRASE:
		p->asks_passphrase = true;
		return 0;
	case OPTION_PASSPHRASE_FILE:
		p->passphrase_file = optarg;
		return 0;
	case OPTION_SAN:
		return add_name(p, optarg);
	case OPTION_COUNTRY:
		p->subject.country = optarg;
		return 0;
	case OPTION_STATE:
		p->subject.state = optarg;
		return 0;
	case OPTION_LOCALITY:
		p->subject.locality = optarg;
		return 0;
	case OPTION_ORGANIZATION:
		p->subject.organization = optarg;
		return 0;
	case OPTION_UNIT:
		p->subject.unit = optarg;
		return 0;
	case OPTION_EMAIL:
		p->subject.email = optarg;
		return 0;
	default:
		return FAULT_USAGE;
	}
}

static int
take_option(struct provision *p, int letter)
{
	switch (letter) {
	case OPTION_PREFIX:
		return set_prefix(p, optarg);
	case OPTION_FORCE:
		p->is_forced = true;
		return 0;
	case OPTION_CSR:
		p->csr = optarg;
		return 0;
	case 'u':
		p->user = optarg;
		return 0;
	case OPTION_PASSWORD_FILE:
		p->password_file = optarg;
		return 0;
	case OPTION_PORT:
		return set_port(p, optarg);
	case OPTION_CA:
		p->ca = optarg;
		return 0;
	case OPTION_PIN:
		return set_pin(p, optarg);
	default:
		return take_key_option(p, letter);
	}
}

static int
take_verb(struct provision *p, int argc, char **argv)
{
	const struct provision_verb *verb = verbs;
	const struct cli *cli = &p->cli;

	if (argc == 0)
		return cli_usage_fault(cli,
			"say what to do: generate, request, update, "
			"import-ca, import-brokers, or show");
	while (verb->name != NULL && strcmp(verb->name, argv[0]) != 0)
		verb++;
	if (verb->name == NULL)
		return cli_usage_fault(cli, "%s is nothing that could be done",
			argv[0]);
	/* The request has the name already. */
	int less = verb->bit == REQUEST && p->csr != NULL;
	if (argc - 1 < verb->least - less)
		return cli_usage_fault(cli, "%s %s: say all of these",
			verb->name, less ? "FOLDER HOST" : verb->operands);
	if (argc - 1 > verb->most - less)
		return cli_usage_fault(cli, "%s: %s is too much", verb->name,
			argv[verb->most - less + 1]);
	for (int i = 1; i < argc; i++)
		if (*argv[i] == '\0')
			return cli_usage_fault(cli, "%s: an operand is empty",
				verb->name);
	p->verb = verb;
	p->operands = argv + 1;
	return 0;
}

/* Does what was said go together? */
static int
check_args(struct provision *p, const int *said, size_t count)
{
	const struct cli *cli = &p->cli;
	unsigned bit = p->verb->bit;

	for (size_t i = 0; i < count; i++) {
		const struct cli_option *option = options;

		while (option->letter != said[i])
			option++;
		if ((goes_with(said[i]) & bit) == 0)
			return cli_usage_fault(cli, "--%s is not for %s",
				option->name, p->verb->name);
		if (p->csr != NULL && (goes_with(said[i]) & GENERATE) != 0 &&
			said[i] != OPTION_PREFIX &&
			said[i] != OPTION_PASSPHRASE_FILE)
			return cli_usage_fault(cli,
				"--%s and --csr exclude each other",
				option->name);
	}
	if (bit != SHOW &&
		(cli->source.config != NULL || cli->source.dxl_config != NULL))
		return cli_usage_fault(cli,
			"--config and --dxl-config are for show");
	if (bit == SHOW && p->operands[0] != NULL &&
		(cli->source.config != NULL || cli->source.dxl_config != NULL))
		return cli_usage_fault(cli,
			"show: a folder and --config or --dxl-config exclude "
			"each other");
	if ((bit & (WITH_SERVICE | SHOW)) == 0 && cli->timeout_ms >= 0)
		return cli_usage_fault(cli, "--timeout is not for %s",
			p->verb->name);
	if (p->ca != NULL && *p->pin != '\0')
		return cli_usage_fault(cli,
			"--ca and --pin exclude each other");
	if (p->asks_passphrase && p->passphrase_file != NULL)
		return cli_usage_fault(cli,
			"--passphrase and --passphrase-file exclude each "
			"other");
	return 0;
}

static int
parse_args(struct provision *p, int argc, char **argv)
{
	int said[OPTION_COUNT];
	size_t count = 0;
	int letter;

	p->prefix = PROVISION_PREFIX;
	p->subject.names = p->names;
	while ((letter = cli_next(&p->cli, argc, argv)) != -1) {
		int status = take_option(p, letter);

		if (status != 0)
			return status;
		bool again = false;
		for (size_t i = 0; i < count; i++)
			again = again || said[i] == letter;
		if (!again)
			said[count++] = letter;
	}
	int status = take_verb(p, argc - optind, argv + optind);
	return status != 0 ? status : check_args(p, said, count);
}

/* Prints what a verb had to say.  Its status, or that of what failed. */
static int
finish(struct provision *p, int status)
{
	struct span bytes = { p->out.bytes, p->out.len };

	if (status < 0 || cli_output(bytes, &p->fault) < 0 ||
		cli_output_close(&p->fault) < 0)
		return cli_fail(&p->cli, &p->fault);
	return status;
}

/* Holds the file of --ca a certificate?  A pipe, which can be read once, is
 * left to libcurl. */
static int
check_ca(struct provision *p)
{
	struct enroll_facts facts;
	struct text pem = { 0 };
	struct stat info;
	int rc = 0;

	if (stat(p->ca, &info) < 0)
		return fault_set(&p->fault, FAULT_CONFIG, "%s: %s", p->ca,
			strerror(errno));
	if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
		return 0;
	if (provision_read(p->ca, CA_MAX, &pem, &p->fault) < 0) {
		p->fault.kind = FAULT_CONFIG;
		rc = -1;
	} else if (!enroll_look(&facts, (struct span){ pem.bytes, pem.len },
			   0)) {
		rc = fault_set(&p->fault, FAULT_CONFIG,
			"%s: holds no certificates in PEM form (--ca FILE "
			"names others, --pin the service's)",
			p->ca);
	}
	text_free(&pem);
	return rc;
}

/* What cannot be done is said before anything is asked. */
static int
run(struct provision *p)
{
	if (p->verb->bit != SHOW &&
		provision_check_folder(p->operands[0], &p->fault) < 0)
		return -1;
	if ((p->verb->bit & WITH_SERVICE) != 0 &&
		http_check_host(p->operands[1], &p->fault) < 0)
		return -1;
	if (p->ca != NULL && check_ca(p) < 0)
		return -1;
	return p->verb->run(p);
}

int
main(int argc, char **argv)
{
	struct provision p = { 0 };

	cli_init(&p.cli, &tool);
	int status = parse_args(&p, argc, argv);
	if (status == 0)
		status = finish(&p, run(&p));
	text_free(&p.out);
	cli_free(&p.cli);
	return status;
}
