/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "file.h"
#include "identity.h"
#include "invite.h"
#include "invite_list.h"
#include "memory.h"
#include "names.h"
#include "room.h"
#include "secrets.h"
#include "session.h"
#include "translate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_NEW = 300,
	OPTION_ACCEPT,
	OPTION_REPLACE,
	OPTION_ROTATE,
	OPTION_LIST,
};

static const struct cli_option options[] = {
	{ "new", OPTION_NEW, NULL, "make the room's first secret" },
	{ "accept", OPTION_ACCEPT, "FILE",
		"take the secret of an invitation (-: standard input)" },
	{ "replace", OPTION_REPLACE, NULL,
		"when accepting: in the place of another secret" },
	{ "rotate", OPTION_ROTATE, NULL,
		"make a new secret; the old one is read for a while" },
	{ "list", OPTION_LIST, NULL, "list the rooms with a secret" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_tool tool = {
	.name = "qchat-invite",
	.synopsis = "[OPTION...] [CERT.pem...]",
	.purpose = "Say who may read a sealed room",
	.common = CLI_FABRIC | CLI_ROOM,
	.rooms_max = 1,
	.options = options,
};

struct inviter;
typedef int mode_fn(struct inviter *inviter);

struct inviter {
	struct cli cli;
	mode_fn *mode;
	const char *mode_name;
	const char *file; /* of --accept */
	bool is_replaced;
	char **certificates; /* files; from argv */
	size_t certificate_count;

	struct conf conf;
	const char *room;
	int64_t now;
	struct fault fault;
};

static mode_fn invite, make_new, accept_file, rotate, list;

/* Two of them exclude each other. */
static int
set_mode(struct inviter *inviter, mode_fn *mode, const char *name)
{
	if (inviter->mode != NULL && inviter->mode != mode)
		return cli_usage_fault(&inviter->cli,
			"%s and %s exclude each other", inviter->mode_name,
			name);
	inviter->mode = mode;
	inviter->mode_name = name;
	return 0;
}

static int
take_option(struct inviter *inviter, int letter)
{
	switch (letter) {
	case OPTION_NEW:
		return set_mode(inviter, make_new, "--new");
	case OPTION_ACCEPT:
		inviter->file = optarg;
		return set_mode(inviter, accept_file, "--accept");
	case OPTION_REPLACE:
		inviter->is_replaced = true;
		return 0;
	case OPTION_ROTATE:
		return set_mode(inviter, rotate, "--rotate");
	case OPTION_LIST:
		return set_mode(inviter, list, "--list");
	default:
		return FAULT_USAGE;
	}
}

static int
check_args(struct inviter *inviter)
{
	const struct cli *cli = &inviter->cli;

	if (inviter->mode == NULL && inviter->certificate_count == 0)
		return cli_usage_fault(cli,
			"whom to invite? (name a file with a certificate, or "
			"--new, --accept, --rotate or --list)");
	if (inviter->mode == NULL)
		inviter->mode = invite;
	else if (inviter->certificate_count > 0)
		return cli_usage_fault(cli, "%s: %s takes no certificate",
			inviter->certificates[0], inviter->mode_name);
	if (inviter->is_replaced && inviter->mode != accept_file)
		return cli_usage_fault(cli, "--replace goes with --accept");
	if (cli->room_count > 0 &&
		(inviter->mode == accept_file || inviter->mode == list))
		return cli_usage_fault(cli, "%s takes no room",
			inviter->mode_name);
	return 0;
}

static int
parse_args(struct inviter *inviter, int argc, char **argv)
{
	int letter, status;

	while ((letter = cli_next(&inviter->cli, argc, argv)) != -1) {
		status = take_option(inviter, letter);
		if (status != 0)
			return status;
	}
	inviter->certificates = argv + optind;
	inviter->certificate_count = (size_t)(argc - optind);
	return check_args(inviter);
}

/* Settings; the fabric need not run. */
static int
find_settings(struct inviter *inviter)
{
	inviter->cli.source.stopped_too = true;
	return cli_conf(&inviter->cli, &inviter->conf, &inviter->fault);
}

/* Settings, and the room that it is about. */
static int
find_room(struct inviter *inviter)
{
	if (find_settings(inviter) < 0)
		return -1;
	inviter->room = cli_room(&inviter->cli, &inviter->conf,
		&inviter->fault);
	if (inviter->room == NULL)
		return -1;
	return room_name_check(span_of(inviter->room), &inviter->fault);
}

static int64_t
old_hours(const struct inviter *inviter)
{
	int64_t hours = inviter->conf.limits.seal_old_hours;

	return hours > 0 ? hours : SECRETS_OLD_HOURS;
}

/* Appends a file of at most so many bytes; "-" is standard input. */
static int
read_input(struct inviter *inviter, const char *path, size_t most,
	struct text *bytes)
{
	bool is_standard = strcmp(path, "-") == 0;
	int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t before = bytes->len;
	int rc = -1;

	if (fd < 0)
		return fault_set(&inviter->fault, FAULT_NOINPUT, "%s: %s", path,
			strerror(errno));
	ssize_t len = file_read(fd, text_extend(bytes, most + 1), most + 1);
	bytes->len = before + (len > 0 ? (size_t)len : 0);
	if (len < 0)
		fault_set(&inviter->fault, FAULT_IO, "%s: %s", path,
			strerror(errno));
	else if ((size_t)len > most)
		fault_set(&inviter->fault, FAULT_DATA,
			"%s: is larger than %zu bytes", path, most);
	else
		rc = 0;
	if (!is_standard)
		close(fd);
	return rc;
}

/* Who is trusted; the texts are what *trust points into. */
struct trusted {
	struct text ca, crl;
	struct verifier_config config;
};

static int
find_trusted(struct inviter *inviter, struct trusted *trusted)
{
	const struct conf *conf = &inviter->conf;

	if (identity_trust(conf, &trusted->ca, &trusted->crl, &inviter->fault) <
		0)
		return -1;
	trusted->config = (struct verifier_config){
		.ca = { trusted->ca.bytes, trusted->ca.len },
		.ca_file = conf->sign_ca != NULL ? conf->sign_ca : conf->ca,
		.crl = { trusted->crl.bytes, trusted->crl.len },
		.crl_file = conf->crl,
	};
	return 0;
}

static void
trusted_free(struct trusted *trusted)
{
	text_free(&trusted->ca);
	text_free(&trusted->crl);
}

/* Adds all operands, and says who they are. */
static int
add_guests(struct inviter *inviter, struct invite *made)
{
	struct text pem = { 0 };
	struct guest guest;
	int rc = 0;

	for (size_t i = 0; i < inviter->certificate_count && rc == 0; i++) {
		const char *file = inviter->certificates[i];

		text_clear(&pem);
		rc = read_input(inviter, file, INVITE_CERT_MAX, &pem);
		if (rc == 0)
			rc = invite_add(made,
				(struct span){ pem.bytes, pem.len }, file,
				inviter->now, &guest, &inviter->fault);
		if (rc < 0)
			break;
		cli_say(&inviter->cli, "%s: for %s, certificate %s", file,
			guest.name, guest.fingerprint);
		if (guest.why != NULL)
			cli_warn(&inviter->cli, "%s: is not trusted: %s", file,
				_(guest.why));
	}
	text_free(&pem);
	return rc;
}

/* Makes the invitation and prints it. */
static int
print_invitation(struct inviter *inviter, const struct invite *made,
	const struct room_secrets *secrets)
{
	struct identity *identity = identity_open(&inviter->conf,
		&inviter->fault);
	struct text pem = { 0 };
	int rc = -1;

	if (identity != NULL)
		rc = invite_format(made, identity, inviter->room,
			secrets->secrets[0].bytes, inviter->now, &pem,
			&inviter->fault);
	if (rc == 0)
		rc = cli_output((struct span){ pem.bytes, pem.len },
			&inviter->fault);
	if (rc == 0)
		rc = cli_output_close(&inviter->fault);
	text_free(&pem);
	identity_free(identity);
	return rc;
}

static int
invite(struct inviter *inviter)
{
	struct room_secrets secrets = { 0 };
	struct trusted trusted = { 0 };
	struct invite *made = NULL;
	int rc = -1;

	if (find_room(inviter) < 0)
		return -1;
	int found = secrets_load(inviter->room, inviter->now, &secrets,
		&inviter->fault);
	if (found == 0)
		fault_set(&inviter->fault, FAULT_NOINPUT,
			"%s: has no secret (--new makes one)", inviter->room);
	if (found != 1 || find_trusted(inviter, &trusted) < 0)
		goto out;
	made = invite_new(&trusted.config, &inviter->fault);
	if (made == NULL || add_guests(inviter, made) < 0)
		goto out;
	rc = print_invitation(inviter, made, &secrets);
out:
	invite_free(made);
	trusted_free(&trusted);
	secrets_wipe(&secrets);
	return rc;
}

/* Says which secret a room has now. */
static int
say_secret(struct inviter *inviter, const char *hint)
{
	struct room_secrets secrets;
	char id[SECRETS_ID_MAX];
	int rc = secrets_load(inviter->room, inviter->now, &secrets,
		&inviter->fault);

	if (rc != 1)
		return -1;
	secrets_id(&secrets.secrets[0], id);
	secrets_wipe(&secrets);
	cli_say(&inviter->cli, "%s: is sealed with the secret %s%s",
		inviter->room, id, hint);
	return 0;
}

static const char others[] = N_(
	" (others need an invitation: name their certificates' files)");

static int
make_new(struct inviter *inviter)
{
	if (find_room(inviter) < 0 ||
		secrets_create(inviter->room, inviter->now, &inviter->fault) <
			0)
		return -1;
	return say_secret(inviter, _(others));
}

static int
rotate(struct inviter *inviter)
{
	if (find_room(inviter) < 0 ||
		secrets_rotate(inviter->room, inviter->now, old_hours(inviter),
			&inviter->fault) < 0)
		return -1;
	return say_secret(inviter, _(others));
}

/* A name that is known under another certificate invites nobody. */
static int
check_name(struct inviter *inviter, const struct guest *from)
{
	char pinned[NAMES_FINGERPRINT_MAX];
	char *path = names_path(&inviter->conf, &inviter->fault);
	int rc = -1;

	if (path == NULL)
		return -1;
	int found = names_find(path, from->name, pinned, &inviter->fault);
	if (found == 1 && strcmp(pinned, from->fingerprint) != 0)
		fault_set(&inviter->fault, FAULT_NOPERM,
			"%s: is from %s under the certificate %s, who was "
			"known under %s (ask by another way, then qchat-who "
			"--unpin %s)",
			inviter->file, from->name, from->fingerprint, pinned,
			from->name);
	else if (found >= 0)
		rc = 0;
	free(path);
	return rc;
}

static int
take_secret(struct inviter *inviter, const struct invitation *invitation)
{
	if (check_name(inviter, &invitation->from) < 0)
		return -1;
	int rc = secrets_accept(invitation->room, invitation->secret,
		inviter->is_replaced, inviter->now, old_hours(inviter),
		&inviter->fault);
	if (rc < 0)
		return -1;
	cli_say(&inviter->cli, "%s: %s by %s, certificate %s", invitation->room,
		rc == 1 ? _("invited")
			: _("was accepted before; invited again"),
		invitation->from.name, invitation->from.fingerprint);
	inviter->room = invitation->room;
	return say_secret(inviter, "");
}

static int
accept_file(struct inviter *inviter)
{
	struct identity *identity = NULL;
	struct trusted trusted = { 0 };
	struct invitation invitation;
	struct text pem = { 0 };
	int rc = -1;

	if (find_settings(inviter) < 0 ||
		read_input(inviter, inviter->file, INVITE_FILE_MAX, &pem) < 0 ||
		find_trusted(inviter, &trusted) < 0)
		goto out;
	identity = identity_open(&inviter->conf, &inviter->fault);
	if (identity == NULL ||
		invite_open(identity, &trusted.config,
			(struct span){ pem.bytes, pem.len }, inviter->file,
			inviter->now, &invitation, &inviter->fault) < 0)
		goto out;
	rc = take_secret(inviter, &invitation);
	invitation_free(&invitation);
out:
	identity_free(identity);
	trusted_free(&trusted);
	text_free(&pem);
	return rc;
}

static int
list(struct inviter *inviter)
{
	return invite_list(&inviter->cli, inviter->now, &inviter->fault);
}

int
main(int argc, char **argv)
{
	struct inviter inviter = { 0 };
	int status;

	cli_init(&inviter.cli, &tool);
	status = parse_args(&inviter, argc, argv);
	if (status == 0) {
		inviter.now = session_now().wall;
		status = inviter.mode(&inviter);
		if (inviter.fault.kind != FAULT_NONE)
			status = cli_fail(&inviter.cli, &inviter.fault);
	}
	conf_free(&inviter.conf);
	cli_free(&inviter.cli);
	return status;
}
