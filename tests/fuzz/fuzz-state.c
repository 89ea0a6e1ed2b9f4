/* SPDX-License-Identifier: Apache-2.0 */
/* The file of qchat-listen --state: a member that went on from it saves what
 * another goes on from, and saves as the same. */
#include "fuzz.h"
#include "member.h"
#include "memory.h"
#include "resume.h"

#include <stdlib.h>

static const struct instant now = { 1000000, INT64_C(1795408513935) };

/* In the place of a session with its fabric: what resume.c needs of it. */
struct session {
	struct member *member;
};

struct member *
session_member(const struct session *session, size_t i)
{
	(void)i;
	return session->member;
}

struct instant
session_now(void)
{
	return now;
}

static void
on_publish(void *context, const char *topic, struct span bytes)
{
	(void)context;
	(void)topic;
	(void)bytes;
	FUZZ_CHECK(false);
}

static void
on_deliver(void *context, const struct record *record)
{
	(void)context;
	(void)record;
	FUZZ_CHECK(false);
}

static struct member *
make_member(void)
{
	const struct member_config config = { .room = "ops",
		.user = "alice",
		.uid = "0123456789abcdef0123456789abcdef",
		.inbox = "/mcafee/client/{alice}",
		.app = "fuzz/1",
		.participant = true,
		.proof_ms = 5000,
		.seed = 1 };
	const struct member_calls calls = { .publish = on_publish,
		.deliver = on_deliver };

	return member_new(&config, &calls);
}

static void
check_again(const struct member *member)
{
	struct text state = { 0 }, again = { 0 };
	struct member *other = make_member();
	struct fault fault = { 0 };

	member_save(member, now, NULL, 0, &state);
	FUZZ_CHECK(
		member_restore(other, (struct span){ state.bytes, state.len },
			&fault) == 0);
	member_save(other, now, NULL, 0, &again);
	FUZZ_CHECK(span_equal((struct span){ state.bytes, state.len },
		(struct span){ again.bytes, again.len }));
	member_free(other);
	text_free(&state);
	text_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = memory_format("%s/state", fuzz_folder());
	struct session session = { make_member() };
	struct fault fault = { 0 };

	fuzz_write(path, (struct span){ (const char *)data, size });
	struct resume *resume = resume_open(path, &fault);
	FUZZ_CHECK(resume != NULL);
	if (resume_restore(resume, &session, &fault) == 0)
		check_again(session.member);
	else
		FUZZ_CHECK(fault.kind == FAULT_DATA && fault.text[0] == '/');
	resume_free(resume);
	member_free(session.member);
	free(path);
	return 0;
}
