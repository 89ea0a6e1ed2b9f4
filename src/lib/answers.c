/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include "memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	char inbox[ROOM_INBOX_MAX + 1]; /* "": never used */
	int64_t asked;
	int64_t due; /* INT64_MAX: answered */
};

/* A slot is taken for ANSWERS_PERIOD_MS from its question on. */
struct answers {
	int64_t rest_ms;
	struct slot slots[ANSWERS_MAX];
};

struct answers *
answers_new(int64_t rest_ms)
{
	struct answers *answers = memory_alloc(1, sizeof(*answers));

	answers->rest_ms = rest_ms;
	return answers;
}

void
answers_free(struct answers *answers)
{
	free(answers);
}

static bool
is_free(const struct slot *slot, int64_t mono)
{
	return slot->inbox[0] == '\0' ||
		(slot->due == INT64_MAX &&
			mono - slot->asked >= ANSWERS_PERIOD_MS);
}

bool
answers_add(struct answers *answers, struct span inbox, int64_t mono,
	int64_t due)
{
	struct slot *chosen = NULL;

	assert(inbox.len > 0 && inbox.len <= ROOM_INBOX_MAX);
	for (size_t i = 0; i < ANSWERS_MAX; i++) {
		struct slot *slot = &answers->slots[i];

		if (is_free(slot, mono)) {
			chosen = slot;
			continue;
		}
		if (span_equal(span_of(slot->inbox), inbox) &&
			mono - slot->asked < answers->rest_ms)
			return false;
	}
	if (chosen == NULL)
		return false;
	memcpy(chosen->inbox, inbox.bytes, inbox.len);
	chosen->inbox[inbox.len] = '\0';
	chosen->asked = mono;
	chosen->due = due;
	return true;
}

static const struct slot *
first_due(const struct answers *answers)
{
	const struct slot *first = NULL;

	for (size_t i = 0; i < ANSWERS_MAX; i++) {
		const struct slot *slot = &answers->slots[i];

		if (slot->inbox[0] == '\0' || slot->due == INT64_MAX)
			continue;
		if (first == NULL || slot->due < first->due)
			first = slot;
	}
	return first;
}

int64_t
answers_deadline(const struct answers *answers)
{
	const struct slot *slot = first_due(answers);

	return slot != NULL ? slot->due : INT64_MAX;
}

const char *
answers_take(struct answers *answers, int64_t mono)
{
	const struct slot *slot = first_due(answers);

	if (slot == NULL || slot->due > mono)
		return NULL;
	answers->slots[slot - answers->slots].due = INT64_MAX;
	return slot->inbox;
}
