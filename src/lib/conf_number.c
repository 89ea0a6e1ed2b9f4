/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_reader.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define HEXES  DIGITS "ABCDEFabcdef"
#define NAMES  DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*_-"

/* Each of these tells how long the token of its kind is that begins here, in
 * the grammar of libconfig; 0 if none does. */

static size_t
text_len(const char *at)
{
	size_t len = 1;

	if (*at != '"')
		return 0;
	while (at[len] != '\0' && at[len] != '"')
		len += at[len] == '\\' && at[len + 1] != '\0' ? 2 : 1;
	return len + (at[len] == '"');
}

static size_t
comment_len(const char *at)
{
	if (*at == '#' || strncmp(at, "//", 2) == 0)
		return strcspn(at, "\n");
	if (strncmp(at, "/*", 2) != 0)
		return 0;
	const char *end = strstr(at + 2, "*/");
	return end != NULL ? (size_t)(end + 2 - at) : strlen(at);
}

/* Those of settings, true and false. */
static size_t
name_len(const char *at)
{
	return strspn(at, DIGITS "_-") == 0 ? strspn(at, NAMES) : 0;
}

/* With a point, an exponent, or both. */
static size_t
fraction_len(const char *at)
{
	size_t len = strspn(at, DIGITS);
	bool point = at[len] == '.';

	if (point)
		len += 1 + strspn(at + len + 1, DIGITS);
	if (len > 0 && (at[len] == 'e' || at[len] == 'E')) {
		size_t power = len + 1;

		power += at[power] == '+' || at[power] == '-';
		size_t digits = strspn(at + power, DIGITS);
		if (digits > 0)
			return power + digits;
	}
	return point ? len : 0;
}

/* Its digits alone, without sign and L. */
static size_t
whole_len(const char *at, int *base)
{
	size_t hexes = *at == '0' && (at[1] == 'x' || at[1] == 'X')
		? strspn(at + 2, HEXES)
		: 0;

	*base = hexes > 0 ? 16 : 10;
	return hexes > 0 ? 2 + hexes : strspn(at, DIGITS);
}

/* Appends a whole number, if there is one, as every libconfig reads it. Returns
 * its length. */
static size_t
append_whole(struct text *text, const char *at)
{
	int base;
	size_t len = whole_len(at, &base);

	if (len == 0)
		return 0;
	/* What is too large becomes the largest. */
	text_appendf(text, "%lldL ", strtoll(at, NULL, base));
	for (int i = 0; i < 2 && at[len] == 'L'; i++)
		len++;
	return len;
}

char *
conf_plain_numbers(const char *file)
{
	struct text text = { 0 };

	text_append(&text, "", 0);
	while (*file != '\0') {
		size_t len = text_len(file);

		if (len == 0)
			len = comment_len(file);
		if (len == 0)
			len = name_len(file);
		if (len == 0)
			len = fraction_len(file);
		if (len > 0)
			text_append(&text, file, len);
		else if ((len = append_whole(&text, file)) == 0)
			text_append(&text, file, len = 1);
		file += len;
	}
	return text.bytes;
}
