/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include "calendar.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

/* A number of digits and what stands behind it; -1 if there are none, or it
 * is absurd. */
static int64_t
number(const char *text, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	long long value = strtoll(text, &end, 10);
	*rest = end;
	return value < INT64_C(1) << 40 ? value : -1;
}

static bool
parse_ago(const char *text, int64_t now, int64_t *ms)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", DAY_S } };
	const char *rest;
	int64_t count = number(text, &rest);

	for (size_t i = 0; count >= 0 && i < 4; i++)
		if (strcmp(rest, units[i].unit) == 0) {
			int64_t unit_ms = units[i].seconds * 1000;

			*ms = count <= now / unit_ms ? now - count * unit_ms
						     : -1;
			return true;
		}
	return false;
}

static bool
parse_epoch(const char *text, int64_t *ms)
{
	const char *rest;
	int64_t seconds = *text == '@' ? number(text + 1, &rest) : -1;

	*ms = seconds * 1000;
	return seconds >= 0 && *rest == '\0';
}

/* What may stand behind a time: nothing (local), Z, or +HH:MM. */
static bool
zone_of(const char *text, bool *local, int64_t *offset)
{
	struct tm tm = { 0 };

	*local = *text == '\0';
	*offset = 0;
	if (*local || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	const char *end = strptime(text + 1, "%H:%M", &tm);
	if ((*text != '+' && *text != '-') || end == NULL || *end != '\0')
		return false;
	*offset = (INT64_C(60) * tm.tm_hour + tm.tm_min) * 60;
	if (*text == '-')
		*offset = -*offset;
	return true;
}

/* Milliseconds of ".935"; *text is moved behind it. */
static int64_t
fraction(const char **text)
{
	int64_t ms = 0, unit = 100;

	if (**text != '.')
		return 0;
	for (++*text; isdigit((unsigned char)**text); ++*text, unit /= 10)
		ms += (**text - '0') * unit;
	return ms;
}

static bool
parse_date(const char *text, int64_t *ms)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
		"%Y-%m-%d" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *rest = strptime(text, forms[i], &tm);
		bool local;
		int64_t offset;

		if (rest == NULL)
			continue;
		int64_t part = fraction(&rest);
		if (!zone_of(rest, &local, &offset))
			continue;
		int64_t seconds = calendar_seconds(&tm) - offset;
		if (local && !calendar_local_seconds(&tm, &seconds))
			return false;
		*ms = seconds * 1000 + part;
		return true;
	}
	return false;
}

static bool
parse_clock(const char *text, int64_t now, int64_t *ms)
{
	struct tm tm = calendar_local(now / 1000);
	int64_t seconds;

	tm.tm_sec = 0;
	const char *rest = strptime(text, "%H:%M:%S", &tm);
	if (rest == NULL || *rest != '\0')
		rest = strptime(text, "%H:%M", &tm);
	if (rest == NULL || *rest != '\0')
		return false;
	tm.tm_isdst = -1;
	if (!calendar_local_seconds(&tm, &seconds))
		return false;
	if (seconds * 1000 > now) {
		tm.tm_mday--;
		tm.tm_isdst = -1;
		if (!calendar_local_seconds(&tm, &seconds))
			return false;
	}
	*ms = seconds * 1000;
	return true;
}

int
moment_parse(const char *text, int64_t now, int64_t *ms)
{
	if (!parse_ago(text, now, ms) && !parse_epoch(text, ms) &&
		!parse_date(text, ms) && !parse_clock(text, now, ms))
		return -1;
	return *ms >= 0 && *ms <= now ? 0 : -1;
}
