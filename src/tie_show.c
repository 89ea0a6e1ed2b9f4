/* SPDX-License-Identifier: Apache-2.0 */
#include "tie_show.h"

static void
add_all(struct columns *columns, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		columns_add(columns, span_of(names[i]));
	columns_end_row(columns);
}

#define HEADER(columns, ...)                                   \
	add_all(columns, (const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / \
			sizeof(const char *))

static void
add_text(struct columns *columns, struct text *cell)
{
	columns_add(columns, (struct span){ cell->bytes, cell->len });
	text_free(cell);
}

static void
add_hash(struct columns *columns, const struct tie_subject *subject)
{
	struct text cell = { 0 };

	digest_append_hex(tie_subject_digest(subject), &cell);
	add_text(columns, &cell);
}

static void
add_provider(struct columns *columns, int64_t provider)
{
	struct text cell = { 0 };

	tie_append_provider(provider, &cell);
	add_text(columns, &cell);
}

static void
add_seconds(struct columns *columns, int64_t seconds)
{
	struct text cell = { 0 };

	if (seconds >= 0)
		text_append_time(&cell, seconds * 1000);
	add_text(columns, &cell);
}

static void
add_details(struct columns *columns, const struct tie_reputation *reputation)
{
	struct text cell = { 0 };

	tie_append_details(reputation, &cell);
	add_text(columns, &cell);
}

void
tie_show_reputation_header(struct columns *columns)
{
	HEADER(columns, "HASH", "PROVIDER", "TRUST", "REPUTATION", "SINCE",
		"DETAILS");
}

void
tie_show_reputations(const struct tie_subject *subject,
	const struct tie_reputations *reputations, struct columns *columns)
{
	if (reputations == NULL || reputations->count == 0) {
		add_hash(columns, subject);
		for (int i = 0; i < 5; i++)
			columns_add(columns, span_of(""));
		columns_end_row(columns);
		return;
	}
	for (size_t i = 0; i < reputations->count; i++) {
		const struct tie_reputation *one = &reputations->items[i];

		add_hash(columns, subject);
		add_provider(columns, one->provider);
		columns_addf(columns, "%d", (int)one->trust);
		columns_add(columns, span_of(tie_trust_word(one->trust)));
		add_seconds(columns, one->created);
		add_details(columns, one);
		columns_end_row(columns);
	}
}

void
tie_show_summary(const struct tie_subject *subject,
	const struct tie_reputations *reputations, enum audience audience,
	struct text *text)
{
	struct columns columns = { .aligned = true };

	digest_append_hex(tie_subject_digest(subject), text);
	if (reputations->count == 0) {
		text_append_string(text,
			translate_for(audience, ": no provider knows it"));
		return;
	}
	text_append_string(text, ":\n");
	for (size_t i = 0; i < reputations->count; i++) {
		const struct tie_reputation *one = &reputations->items[i];

		add_provider(&columns, one->provider);
		columns_addf(&columns, "%d", (int)one->trust);
		columns_add(&columns, span_of(tie_trust_word(one->trust)));
		add_seconds(&columns, one->created);
		columns_end_row(&columns);
	}
	columns_format(&columns, text);
	text->bytes[--text->len] = '\0';
	columns_free(&columns);
}

void
tie_show_agents_header(struct columns *columns)
{
	HEADER(columns, "HASH", "SYSTEM", "FIRST");
}

void
tie_show_agents(const struct tie_subject *subject,
	const struct tie_agents *agents, struct columns *columns)
{
	for (size_t i = 0; i < agents->count; i++) {
		add_hash(columns, subject);
		columns_add(columns, span_of(agents->items[i].guid));
		add_seconds(columns, agents->items[i].date);
		columns_end_row(columns);
	}
}

void
tie_show_change_header(struct columns *columns)
{
	HEADER(columns, "TIME", "HASH", "PROVIDER", "BEFORE", "AFTER",
		"REPUTATION");
}

/* A provider may come, but also go: then it has set nothing. */
static void
add_change(const struct tie_change *change, int64_t provider,
	struct columns *columns)
{
	const struct tie_reputation *before = tie_reputation_of(&change->before,
		provider);
	const struct tie_reputation *after = tie_reputation_of(&change->after,
		provider);
	int64_t old = before != NULL ? before->trust : 0;
	int64_t new = after != NULL ? after->trust : 0;

	if (old == new)
		return;
	add_seconds(columns, change->time);
	add_hash(columns, &change->subject);
	add_provider(columns, provider);
	columns_addf(columns, "%d", (int)old);
	columns_addf(columns, "%d", (int)new);
	columns_add(columns, span_of(tie_trust_word(new)));
	columns_end_row(columns);
}

void
tie_show_change(const struct tie_change *change, struct columns *columns)
{
	for (size_t i = 0; i < change->after.count; i++)
		add_change(change, change->after.items[i].provider, columns);
	for (size_t i = 0; i < change->before.count; i++) {
		int64_t provider = change->before.items[i].provider;

		if (tie_reputation_of(&change->after, provider) == NULL)
			add_change(change, provider, columns);
	}
}
