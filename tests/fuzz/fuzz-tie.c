/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a TIE server says: what is taken is within its bounds, and
 * is one line of ASCII as JSON. */
#include "fuzz.h"
#include "tie.h"

#include <string.h>
#include <strings.h>

static void
check_line(struct text *line)
{
	FUZZ_CHECK(line->len > 0 && line->bytes[line->len - 1] == '\n');
	fuzz_check_ascii((struct span){ line->bytes, line->len - 1 });
	text_clear(line);
}

static void
check_reputations(const struct tie_reputations *reputations)
{
	struct text details = { 0 };

	FUZZ_CHECK(reputations->count <= TIE_REPUTATIONS_MAX);
	for (size_t i = 0; i < reputations->count; i++) {
		const struct tie_reputation *one = &reputations->items[i];

		FUZZ_CHECK(i == 0 || one->provider > one[-1].provider);
		FUZZ_CHECK(one->provider >= 0 && one->created >= -1);
		FUZZ_CHECK(one->trust >= 0 && one->trust <= TIE_TRUST_MAX);
		FUZZ_CHECK(one->count <= TIE_ATTRIBUTES_MAX);
		for (size_t j = 1; j < one->count; j++)
			FUZZ_CHECK(one->attributes[j].id >
				one->attributes[j - 1].id);
		FUZZ_CHECK(
			tie_reputation_of(reputations, one->provider) == one);
		tie_append_details(one, &details);
	}
	FUZZ_CHECK(!tie_is_known(reputations) || reputations->count > 0);
	text_free(&details);
}

static void
try_reputations(struct span bytes, struct text *line)
{
	struct tie_subject subject = { .count = 1 };
	struct tie_reputations reputations;
	struct fault fault = { 0 };

	if (tie_parse_reputations(&reputations, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
		return;
	}
	check_reputations(&reputations);
	tie_json_reputations(&subject, &reputations, 0, line);
	check_line(line);
	tie_reputations_free(&reputations);
}

static void
try_agents(struct span bytes, struct text *line)
{
	struct tie_subject subject = { .count = 1 };
	struct tie_agents agents;
	struct fault fault = { 0 };

	if (tie_parse_agents(&agents, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
		return;
	}
	FUZZ_CHECK(agents.count <= TIE_AGENTS_MAX);
	FUZZ_CHECK(agents.total >= (int64_t)agents.count);
	tie_json_agents(&subject, &agents, 0, line);
	check_line(line);
	tie_agents_free(&agents);
}

static void
try_change(struct span bytes, struct text *line)
{
	struct tie_change change;
	struct fault fault = { 0 };

	if (tie_parse_change(&change, false, bytes, &fault) < 0) {
		FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
		return;
	}
	FUZZ_CHECK(change.subject.count > 0 &&
		change.subject.count <= TIE_DIGESTS_MAX);
	FUZZ_CHECK(tie_subject_is(&change.subject, &change.subject));
	check_reputations(&change.before);
	check_reputations(&change.after);
	tie_json_change(&change, 0, line);
	check_line(line);
	tie_change_free(&change);
}

/* Whatever confirms that something is set has no word. */
static void
try_set(struct span bytes)
{
	struct fault fault = { 0 };

	if (tie_parse_set(bytes, &fault) < 0)
		FUZZ_CHECK(fault.kind == FAULT_PROTOCOL);
	else
		for (size_t i = 0; i < bytes.len; i++)
			FUZZ_CHECK(
				memchr(" \t\r\n{}", bytes.bytes[i], 7) != NULL);
}

/* Hex that is taken is written as the same, but for its case. */
static void
try_hex(struct span bytes)
{
	struct digest digest;
	struct text hex = { 0 };

	if (digest_from_hex(&digest, bytes) < 0)
		return;
	digest_append_hex(&digest, &hex);
	FUZZ_CHECK(hex.len == bytes.len &&
		strncasecmp(hex.bytes, bytes.bytes, hex.len) == 0);
	text_free(&hex);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { (const char *)data, size };
	struct text line = { 0 };

	try_reputations(bytes, &line);
	try_agents(bytes, &line);
	try_change(bytes, &line);
	try_set(bytes);
	try_hex(bytes);
	text_free(&line);
	return 0;
}
