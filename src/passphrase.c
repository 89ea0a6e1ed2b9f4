/* SPDX-License-Identifier: Apache-2.0 */
#include "passphrase.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* What was answered for which file. */
static struct {
	char *file;
	char passphrase[CONF_PASSPHRASE_MAX + 1];
} kept;

static void
wipe(void)
{
	explicit_bzero(kept.passphrase, sizeof(kept.passphrase));
	free(kept.file);
	kept.file = NULL;
}

static int
ask(void *context, const char *file, char *passphrase, struct fault *fault)
{
	const char *command = context;

	if (kept.file == NULL || strcmp(kept.file, file) != 0) {
		int rc = command != NULL
			? passphrase_of_command(command, kept.passphrase, fault)
			: passphrase_of_terminal(file, kept.passphrase, fault);

		free(kept.file);
		kept.file = rc == 0 ? memory_string(file) : NULL;
		if (rc < 0) {
			wipe();
			return -1;
		}
	}
	strcpy(passphrase, kept.passphrase);
	return 0;
}

void
passphrase_use(struct conf *conf)
{
	static bool is_registered;

	if (!is_registered)
		atexit(wipe);
	is_registered = true;
	conf->ask_passphrase = ask;
	conf->ask_context = conf->passphrase_command;
}
