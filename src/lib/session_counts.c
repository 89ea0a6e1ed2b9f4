/* SPDX-License-Identifier: Apache-2.0 */
#include "session_state.h"

#include <assert.h>

/* The names are those of qchat(7), COUNTERS.  What a limit of qchat.conf(5) has
 * dropped, refused or forgotten is `over_` and its name. */

/* A counter of a struct, and the uint64_t that it is. */
struct entry {
	const char *name;
	size_t offset;
};

#define COUNT(type, name, field) name, offsetof(struct type, field)

static const struct entry of_member[] = {
	{ COUNT(member_counts, "malformed", malformed) },
	{ COUNT(member_counts, "unknown", unknown) },
	{ COUNT(member_counts, "forged", forged) },
	{ COUNT(member_counts, "doubles", doubles) },
	{ COUNT(member_counts, "missing", missing) },
	{ COUNT(member_counts, "repairs_asked", asked) },
	{ COUNT(member_counts, "repaired", repaired) },
	{ COUNT(member_counts, "repairs_sent", served) },
	{ COUNT(member_counts, "unanswered", unanswered) },
};

static const struct entry over_member[] = {
	{ COUNT(member_over, "over_catch_up_bytes", catch_up_bytes) },
	{ COUNT(member_over, "over_directs", directs) },
	{ COUNT(member_over, "over_forged_shown", shown) },
	{ COUNT(member_over, "over_given_up", given_up) },
	{ COUNT(member_over, "over_held", held) },
	{ COUNT(member_over, "over_participants", participants) },
	{ COUNT(member_over, "over_repair_bytes", repair_bytes) },
	{ COUNT(member_over, "over_repairs_waiting", repairs_waiting) },
	{ COUNT(member_over, "over_senders", senders) },
	{ COUNT(member_over, "over_store_bytes", store_bytes) },
	{ COUNT(member_over, "over_store_messages", store_messages) },
};

static const struct entry of_guard[] = {
	{ COUNT(guard_counts, "keys_asked", asked) },
	{ COUNT(guard_counts, "keys_unasked", unasked) },
	{ COUNT(guard_counts, "keys_sent", answered) },
	{ COUNT(guard_counts, "keys_unanswered", unanswered) },
	{ COUNT(guard_counts, "waited", waited) },
	{ COUNT(guard_counts, "keyless", keyless) },
	{ COUNT(guard_counts, "over_keys_kept", over_keys_kept) },
	{ COUNT(guard_counts, "over_names", over_names) },
	{ COUNT(guard_counts, "over_names_each", over_names_each) },
	{ COUNT(guard_counts, "over_waiting_bytes", over_waiting_bytes) },
	{ COUNT(guard_counts, "over_waiting_keys", over_waiting_keys) },
	{ COUNT(guard_counts, "over_waiting_messages", over_waiting_messages) },
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct list {
	struct record_count *counts;
	size_t count;
};

/* A name that is there already gets the sum; 0 is left out. */
static void
add(struct list *list, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (list->counts[i].name == name) {
			list->counts[i].value += value;
			return;
		}
	assert(list->count < SESSION_COUNTS_MAX);
	list->counts[list->count++] = (struct record_count){ name, value };
}

static void
add_all(struct list *list, const struct entry *entries, size_t count,
	const void *from)
{
	for (size_t i = 0; i < count; i++)
		add(list, entries[i].name,
			*(const uint64_t *)(const void *)((const char *)from +
				entries[i].offset));
}

static void
add_verifier(struct list *list, struct verifier_counts counts)
{
	add(list, "bad_signatures", counts.failures);
	add(list, "over_bad_keys", counts.over_bad);
	add(list, "over_bad_signatures", counts.over_source_failures);
	add(list, "over_bad_signatures_all", counts.over_failures);
	add(list, "over_keys_strangers", counts.over_foreign);
	add(list, "over_keys_trusted", counts.over_trusted);
	add(list, "over_sources", counts.over_sources);
}

size_t
session_counts(const struct session *session,
	struct record_count counts[static SESSION_COUNTS_MAX])
{
	struct list list = { counts, 0 };
	struct guard_counts guard = guard_counts(session->guard);

	for (size_t i = 0; i < session->member_count; i++)
		add_all(&list, of_member, LENGTH(of_member),
			member_counts(session->members[i]));
	struct requests_counts requests = requests_counts(session->requests);
	add(&list, "answers_late", requests.late);
	add(&list, "answers_doubled", requests.doubles);
	add(&list, "answers_foreign", requests.foreign);
	add(&list, "sealed_foreign", session->sealed_foreign);
	add(&list, "sealed_bad", session->sealed_bad);
	add_all(&list, of_guard, LENGTH(of_guard), &guard);
	add_verifier(&list, session_trust_counts(session->trust));
	for (size_t i = 0; i < session->member_count; i++) {
		struct member_over over = member_over(session->members[i]);

		add_all(&list, over_member, LENGTH(over_member), &over);
	}
	add(&list, "over_rooms", session->over_rooms);
	add(&list, "over_sealed", session_cover_untried(session->cover));
	return list.count;
}
