/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of a room's secrets: what is read is written to the same bytes, and
 * so is the text inside an invitation.  The input is the text of either.
 */
#include "fuzz.h"
#include "invite_state.h"
#include "memory.h"
#include "secrets_file.h"

#include <stdlib.h>
#include <string.h>

static void
check_file(struct span bytes)
{
	struct room_secrets secrets;
	struct text again = { 0 };
	struct span room;

	if (!secrets_file_parse(&secrets, &room, bytes)) {
		FUZZ_CHECK(secrets.count == 0);
		return;
	}
	FUZZ_CHECK(secrets.count >= 1 && secrets.count <= SECRET_MAX);
	FUZZ_CHECK(secrets.since >= 0 && secrets.secrets[0].until == INT64_MAX);
	FUZZ_CHECK(memchr(room.bytes, '\n', room.len) == NULL);
	char *name = memory_copy(room.bytes, room.len);
	secrets_file_format(&secrets, name, &again);
	/* But for zeros before a number. */
	FUZZ_CHECK(again.len <= bytes.len);
	FUZZ_CHECK(again.len < bytes.len ||
		memcmp(again.bytes, bytes.bytes, bytes.len) == 0);
	free(name);
	text_free(&again);
}

static void
check_invitation(struct span bytes)
{
	struct invite_text inside;
	struct text again = { 0 };

	if (!invite_text_parse(&inside, bytes))
		return;
	FUZZ_CHECK(inside.made >= 0);
	invite_text_format(&inside, &again);
	FUZZ_CHECK(again.len <= bytes.len);
	FUZZ_CHECK(again.len < bytes.len ||
		memcmp(again.bytes, bytes.bytes, bytes.len) == 0);
	text_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span bytes = { (const char *)data, size };

	check_file(bytes);
	check_invitation(bytes);
	return 0;
}
