/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

void
counts_append(const struct session *session, const char *between,
	struct text *text)
{
	struct record_count counts[SESSION_COUNTS_MAX];
	size_t count = session_counts(session, counts);

	for (size_t i = 0; i < count; i++)
		text_appendf(text, "%s%s %llu", i > 0 ? between : "",
			counts[i].name, (unsigned long long)counts[i].value);
}

void
counts_json(const struct session *session, struct text *text)
{
	struct record_count counts[SESSION_COUNTS_MAX];
	size_t count = session_counts(session, counts);

	record_counts_json(counts, count, session_now().wall, text);
}

void
counts_trace(const struct cli *cli, const struct session *session)
{
	const char *room;
	struct text text = { 0 };

	if (session == NULL || cli->verbose == 0)
		return;
	room = member_room(session_member(session, 0));
	counts_append(session, ", ", &text);
	if (text.len > 0)
		cli_trace(cli, "%s%scounted %s", room,
			*room != '\0' ? ": " : "", text.bytes);
	text_free(&text);
}
