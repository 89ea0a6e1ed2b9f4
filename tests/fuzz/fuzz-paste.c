/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and pastes: keys are whole, pastes have no markers, and how the bytes
 * are cut into reads makes no difference. */
#include "fuzz.h"
#include "join/paste.h"

#include <stdlib.h>
#include <string.h>

static void
on_key(void *context, struct span key)
{
	struct text *out = context;

	FUZZ_CHECK(key.len > 0);
	FUZZ_CHECK(text_utf8_check(key) == key.len);
	text_append_char(out, 'k');
	text_append(out, key.bytes, key.len);
	text_append_char(out, '\n');
}

static bool
has(struct span text, const char *marker)
{
	return memmem(text.bytes, text.len, marker, strlen(marker)) != NULL;
}

static void
on_pasted(void *context, const struct pasted *pasted)
{
	struct text *out = context;

	FUZZ_CHECK(pasted->text.len <= PASTE_MAX);
	FUZZ_CHECK(pasted->good <= pasted->text.len);
	FUZZ_CHECK(memchr(pasted->text.bytes, '\r', pasted->text.len) == NULL);
	FUZZ_CHECK(!has(pasted->text, "\33[200~"));
	FUZZ_CHECK(!has(pasted->text, "\33[201~"));
	text_appendf(out, "p%zu,%zu,", pasted->good, pasted->dropped);
	text_append(out, pasted->text.bytes, pasted->text.len);
	text_append_char(out, '\n');
}

/* 0xfe lets time pass until the next deadline.  At most `step` bytes come in
 * one read. */
static void
run(struct span input, size_t step, struct text *out)
{
	const struct paste_calls calls = { out, on_key, on_pasted };
	struct paste *paste = paste_new(&calls);
	int64_t now = 0;

	for (size_t i = 0; i < input.len;) {
		const char *at = input.bytes + i;
		const char *wait = memchr(at, 0xfe, input.len - i);
		size_t len = wait != NULL ? (size_t)(wait - at) : input.len - i;

		len = len > step ? step : len;
		paste_feed(paste, (struct span){ at, len }, now);
		i += len;
		if (at + len == wait) {
			i++;
			if (paste_deadline(paste) != INT64_MAX)
				now = paste_deadline(paste);
			paste_tick(paste, now);
		}
	}
	now = paste_deadline(paste);
	if (now != INT64_MAX)
		paste_tick(paste, now);
	FUZZ_CHECK(paste_deadline(paste) == INT64_MAX);
	paste_free(paste);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size };
	struct text whole = { 0 }, bytewise = { 0 };

	run(input, SIZE_MAX, &whole);
	run(input, 1, &bytewise);
	FUZZ_CHECK(span_equal((struct span){ whole.bytes, whole.len },
		(struct span){ bytewise.bytes, bytewise.len }));
	text_free(&whole);
	text_free(&bytewise);
	return 0;
}
