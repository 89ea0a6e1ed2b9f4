/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include "memory.h"
#include "names.h"
#include "rooms.h"
#include "secrets.h"

#include <stdlib.h>
#include <string.h>

struct known {
	char **names;
	size_t count;
};

/* Is it shown as it is? */
static bool
is_harmless(struct span name)
{
	struct text shown = { 0 };

	text_harmless(&shown, name, TEXT_MESSAGE);
	bool same = span_equal(name, (struct span){ shown.bytes, shown.len });
	text_free(&shown);
	return same;
}

static void
add(struct known *known, struct span name)
{
	if (name.len == 0 || !is_harmless(name))
		return;
	known->names = memory_resize(known->names, known->count + 1,
		sizeof(*known->names));
	known->names[known->count++] = memory_copy(name.bytes, name.len);
}

/* Of each line what is behind so many bytes. */
static void
add_lines(struct known *known, const struct text *lines, size_t skip)
{
	struct span left = { lines->bytes, lines->len };

	while (left.len > 0) {
		const char *end = memchr(left.bytes, '\n', left.len);
		size_t len = end != NULL ? (size_t)(end - left.bytes)
					 : left.len;

		if (len > skip)
			add(known,
				(struct span){ left.bytes + skip, len - skip });
		len += end != NULL;
		left = (struct span){ left.bytes + len, left.len - len };
	}
}

static int
compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static void
put_out(struct known *known, struct text *out)
{
	if (known->count > 0)
		qsort(known->names, known->count, sizeof(*known->names),
			compare);
	for (size_t i = 0; i < known->count; i++)
		if (i == 0 || strcmp(known->names[i - 1], known->names[i]) != 0)
			text_appendf(out, "%s\n", known->names[i]);
	for (size_t i = 0; i < known->count; i++)
		free(known->names[i]);
	free(known->names);
}

/* A damaged file is qchat-invite's to tell of. */
static void
on_secret(void *context, const char *room, const struct room_secrets *secrets,
	const struct fault *fault)
{
	(void)fault;
	if (secrets != NULL)
		add(context, span_of(room));
}

int
known_rooms(const struct conf *conf, struct text *out, struct fault *fault)
{
	struct known known = { 0 };
	struct text lines = { 0 };
	int rc = rooms_read(&lines, fault);

	if (rc == 0) {
		add(&known, span_of(conf->room));
		add_lines(&known, &lines, 0);
		/* How old a secret is does not matter here. */
		rc = secrets_list(0, on_secret, &known, fault);
	}
	put_out(&known, out);
	text_free(&lines);
	return rc;
}

int
known_names(const struct conf *conf, struct text *out, struct fault *fault)
{
	struct known known = { 0 };
	struct text lines = { 0 };
	char *path = names_path(conf, fault);
	int rc = path != NULL ? names_read(path, &lines, fault) : -1;

	/* Behind the fingerprint and a blank. */
	if (rc == 0)
		add_lines(&known, &lines, NAMES_FINGERPRINT_MAX);
	put_out(&known, out);
	text_free(&lines);
	free(path);
	return rc;
}
