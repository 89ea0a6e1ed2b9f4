/* SPDX-License-Identifier: Apache-2.0 */
#include "invite_list.h"

#include "secrets.h"

struct listing {
	const struct cli *cli;
	struct fault *fault;
	struct text out;
	size_t count;
};

static void
on_room(void *context, const char *room, const struct room_secrets *secrets,
	const struct fault *why)
{
	struct listing *listing = context;
	char id[SECRETS_ID_MAX];

	listing->count++;
	if (secrets == NULL) {
		/* The last one's kind is the status. */
		if (listing->fault->kind != FAULT_NONE)
			cli_fail(listing->cli, listing->fault);
		*listing->fault = *why;
		return;
	}
	secrets_id(&secrets->secrets[0], id);
	text_harmless(&listing->out, span_of(room), TEXT_NAME);
	text_appendf(&listing->out, " %s ", id);
	text_append_time(&listing->out, secrets->since);
	text_appendf(&listing->out, " %zu\n", secrets->count - 1);
}

int
invite_list(const struct cli *cli, int64_t now, struct fault *fault)
{
	struct listing listing = { .cli = cli, .fault = fault };
	struct fault wrong = { 0 };

	text_append_string(&listing.out, "ROOM SECRET SINCE OLD\n");
	if (secrets_list(now, on_room, &listing, fault) == 0 &&
		cli_output((struct span){ listing.out.bytes, listing.out.len },
			&wrong) == 0)
		cli_output_close(&wrong);
	if (wrong.kind != FAULT_NONE)
		*fault = wrong;
	text_free(&listing.out);
	/* There is none: the question's answer is no. */
	return listing.count > 0 ? 0 : 1;
}
