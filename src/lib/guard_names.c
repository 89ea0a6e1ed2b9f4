/* SPDX-License-Identifier: Apache-2.0 */
#include "guard_state.h"

#include <string.h>

enum {
	/* Names that one certificate can take: else one who has a certificate
	 * could fill the memory for names alone. */
	NAMES_EACH = 32,
};

/* It would not be one line of the file. */
static bool
has_control(struct span user)
{
	for (size_t i = 0; i < user.len; i++)
		if ((unsigned char)user.bytes[i] < 0x20)
			return true;
	return false;
}

static size_t
count_names(const struct guard *guard, const char *fingerprint)
{
	size_t count = 0;

	for (const struct guard_name *name = table_oldest(guard->names);
		name != NULL; name = table_newer(name))
		count += strcmp(name->fingerprint, fingerprint) == 0;
	return count;
}

static void
doubt(struct trust *trust, const char *why)
{
	trust->mark = TRUST_DOUBTFUL;
	trust->why = why;
}

static bool
remember(struct guard *guard, struct span user, const struct trust *trust)
{
	bool made;

	/* What is known is worth more than what is new. */
	if (table_count(guard->names) == (size_t)guard->quotas.names) {
		guard->counts.over_names++;
		return false;
	}
	if (count_names(guard, trust->fingerprint) >= NAMES_EACH) {
		guard->counts.over_names_each++;
		return false;
	}
	struct guard_name *name = table_touch(guard->names, user, &made);
	strcpy(name->fingerprint, trust->fingerprint);
	name->is_new = true;
	guard->names_changed = true;
	return true;
}

static void
tell_change(struct guard *guard, struct span user, struct guard_name *name,
	const struct trust *trust)
{
	if (strcmp(name->told, trust->fingerprint) == 0 ||
		guard->calls.changed == NULL)
		return;
	strcpy(name->told, trust->fingerprint);
	guard->calls.changed(guard->calls.context, user, name->fingerprint,
		trust->fingerprint);
}

void
guard_check_name(struct guard *guard, struct span user, struct trust *trust)
{
	bool is_signed = trust->fingerprint[0] != '\0';

	if (user.len == 0)
		return;
	if (user.len > TABLE_KEY_MAX || has_control(user)) {
		if (is_signed)
			doubt(trust, "its name is none that is remembered");
		return;
	}
	struct guard_name *name = table_find(guard->names, user);
	if (name == NULL) {
		if (trust->mark == TRUST_GOOD && guard->names_lost)
			doubt(trust, "the file of known names is damaged");
		else if (trust->mark == TRUST_GOOD &&
			!remember(guard, user, trust))
			doubt(trust, "its name cannot be remembered");
	} else if (!is_signed) {
		doubt(trust, "not signed, and its name has a certificate");
		strcpy(trust->pinned, name->fingerprint);
	} else if (strcmp(name->fingerprint, trust->fingerprint) != 0) {
		strcpy(trust->pinned, name->fingerprint);
		/* One that is not trusted cannot be pinned either. */
		if (trust->mark != TRUST_GOOD)
			return;
		doubt(trust, "its name was seen with another certificate");
		tell_change(guard, user, name, trust);
	}
}

/* The next line of *left; false at the end. */
static bool
next_line(struct span *left, struct span *line)
{
	if (left->len == 0)
		return false;
	const char *end = memchr(left->bytes, '\n', left->len);
	size_t len = end != NULL ? (size_t)(end - left->bytes) : left->len;

	*line = (struct span){ left->bytes, len };
	left->bytes += len + (end != NULL);
	left->len -= len + (end != NULL);
	return true;
}

static bool
is_fingerprint(const char *text)
{
	return strspn(text, "0123456789abcdef") >= TRUST_FINGERPRINT_MAX - 1;
}

void
guard_names_lose(struct guard *guard)
{
	guard->names_lost = true;
}

/* Puts the names of lines into the table; returns how many lines are none. */
static size_t
read_lines(struct guard *guard, struct span lines)
{
	const size_t hex = TRUST_FINGERPRINT_MAX - 1;
	struct span line;
	size_t bad = 0;
	bool made;

	while (next_line(&lines, &line)) {
		struct span user = { line.bytes + hex + 1,
			line.len > hex + 1 ? line.len - hex - 1 : 0 };

		if (line.len == 0)
			continue;
		if (user.len == 0 || user.len > TABLE_KEY_MAX ||
			line.bytes[hex] != ' ' || !is_fingerprint(line.bytes) ||
			has_control(user)) {
			bad++;
			continue;
		}
		if (table_count(guard->names) == (size_t)guard->quotas.names) {
			guard->counts.over_names++;
			continue;
		}
		struct guard_name *name = table_touch(guard->names, user,
			&made);
		memcpy(name->fingerprint, line.bytes, hex);
		name->fingerprint[hex] = '\0';
	}
	return bad;
}

/* Of the names that were there before, those are kept which are still to be
 * written; and what was told is not told again. */
static void
keep_old(struct guard *guard, const struct table *old)
{
	bool made;

	for (const struct guard_name *name = table_oldest(old); name != NULL;
		name = table_newer(name)) {
		struct span user = span_of(table_key(name));
		struct guard_name *now = table_find(guard->names, user);

		if (now == NULL && name->is_new &&
			table_count(guard->names) < (size_t)guard->quotas.names)
			*(struct guard_name *)table_touch(guard->names, user,
				&made) = *name;
		else if (now != NULL &&
			strcmp(now->fingerprint, name->fingerprint) == 0)
			strcpy(now->told, name->told);
	}
}

size_t
guard_names_restore(struct guard *guard, struct span lines)
{
	struct table *old = guard->names;

	guard->names = guard_names_table(&guard->quotas);
	size_t bad = read_lines(guard, lines);
	guard->names_lost = bad > 0;
	keep_old(guard, old);
	table_free(old);
	return bad;
}

struct table *
guard_names_table(const struct quotas *quotas)
{
	return table_new(sizeof(struct guard_name), (size_t)quotas->names);
}

/* What the mark was before the name was looked at (guard_vouch()).  False if
 * there was no such look. */
static bool
begin_again(struct trust *trust)
{
	bool is_signed = trust->fingerprint[0] != '\0';

	if (trust->mark == TRUST_BAD || trust->is_unchecked)
		return false;
	if (!is_signed && trust->mark != TRUST_NONE && trust->pinned[0] == '\0')
		return false;
	if (trust->is_trusted || !is_signed) {
		trust->mark = is_signed ? TRUST_GOOD : TRUST_NONE;
		trust->why = NULL;
	}
	trust->pinned[0] = '\0';
	return true;
}

void
guard_judge_name(struct guard *guard, struct span user, struct trust *trust)
{
	bool is_known = user.len <= TABLE_KEY_MAX &&
		table_find(guard->names, user) != NULL;

	/* A name becomes known by what is said, not by this. */
	if (!is_known && trust->pinned[0] == '\0')
		return;
	if (begin_again(trust) && is_known)
		guard_check_name(guard, user, trust);
}

bool
guard_names_changed(const struct guard *guard)
{
	return guard->names_changed;
}

void
guard_names_save(const struct guard *guard, struct text *lines)
{
	for (const struct guard_name *name = table_oldest(guard->names);
		name != NULL; name = table_newer(name))
		if (name->is_new)
			text_appendf(lines, "%s %s\n", name->fingerprint,
				table_key(name));
}

void
guard_names_saved(struct guard *guard)
{
	guard->names_changed = false;
	for (struct guard_name *name = table_oldest(guard->names); name != NULL;
		name = table_newer(name))
		name->is_new = false;
}
