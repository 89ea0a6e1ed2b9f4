/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and seconds, also those that a time_t of 32 bits does not reach. */
#include "calendar.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>

static void
both_ways(int64_t seconds, const char *want)
{
	struct tm utc = calendar_utc(seconds);
	char got[64];

	snprintf(got, sizeof(got), "%04d-%02d-%02dT%02d:%02d:%02dZ",
		utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
		utc.tm_min, utc.tm_sec);
	is(got, want, want);
	ok(calendar_seconds(&utc) == seconds, "and back: %" PRId64, seconds);
}

static void
test_known(void)
{
	both_ways(0, "1970-01-01T00:00:00Z");
	both_ways(-1, "1969-12-31T23:59:59Z");
	both_ways(INT64_C(951782400), "2000-02-29T00:00:00Z");
	both_ways(INT64_C(2147483647), "2038-01-19T03:14:07Z");
	both_ways(INT64_C(2147483648), "2038-01-19T03:14:08Z");
	both_ways(INT64_C(4107542400), "2100-03-01T00:00:00Z");
	both_ways(INT64_C(253402300799), "9999-12-31T23:59:59Z");
	both_ways(INT64_C(-62167219200), "0000-01-01T00:00:00Z");
	both_ways(INT64_C(-62167219201), "-001-12-31T23:59:59Z");
	both_ways(INT64_C(67767976233532799), "2147483647-12-31T23:59:59Z");
	both_ways(INT64_MAX / 1000, "292278994-08-17T07:12:55Z");
	both_ways(INT64_MIN / 1000, "-292275055-05-16T16:47:05Z");
}

/* Each day of 800 years follows the one before. */
static void
test_each_day(void)
{
	const int64_t day = INT64_C(24) * 60 * 60;
	struct tm last = calendar_utc(INT64_C(-12622780800)); /* 1570-01-01 */
	size_t odd = 0;

	for (int64_t i = 1; i < INT64_C(2) * 146097; i++) {
		struct tm utc = calendar_utc(INT64_C(-12622780800) + i * day);
		bool next = utc.tm_mday == last.tm_mday + 1 &&
			utc.tm_mon == last.tm_mon &&
			utc.tm_year == last.tm_year;
		bool month = utc.tm_mday == 1 && last.tm_mday >= 28 &&
			utc.tm_mon == last.tm_mon + 1 &&
			utc.tm_year == last.tm_year;
		bool year = utc.tm_mday == 1 && last.tm_mday == 31 &&
			utc.tm_mon == 0 && last.tm_mon == 11 &&
			utc.tm_year == last.tm_year + 1;

		odd += next + month + year != 1 ||
			calendar_seconds(&utc) !=
				INT64_C(-12622780800) + i * day;
		last = utc;
	}
	ok(odd == 0, "800 years of days: %zu odd", odd);
	ok(last.tm_year == 2369 - 1900 && last.tm_mon == 11 &&
			last.tm_mday == 31,
		"the last is 2369-12-31");
}

static void
test_out_of_range(void)
{
	struct tm utc = { .tm_year = 2026 - 1900,
		.tm_mon = 1,
		.tm_mday = 31,
		.tm_hour = 23,
		.tm_min = 59,
		.tm_sec = 60 };

	both_ways(calendar_seconds(&utc), "2026-03-04T00:00:00Z");
	utc = (struct tm){ .tm_year = 70, .tm_hour = -24 };
	both_ways(calendar_seconds(&utc), "1969-12-30T00:00:00Z");
}

static void
local_is(int64_t seconds, const char *want)
{
	struct tm local = calendar_local(seconds);
	char got[64];
	int64_t back;

	strftime(got, sizeof(got), "%Y-%m-%d %H:%M", &local);
	is(got, want, want);
	ok(calendar_local_seconds(&local, &back) && back == seconds,
		"and back: %" PRId64, seconds);
}

/* A time_t may not reach 2100; then it is told in UTC, as what it is. */
static void
test_far_away(void)
{
	const int64_t seconds = INT64_C(4102444800);
	struct tm local = calendar_local(seconds);
	bool reaches = (time_t)seconds == seconds;
	int64_t back = 0;

	ok(local.tm_year == 200 && local.tm_mon == 0 && local.tm_mday == 1,
		"2100-01-01");
	ok(local.tm_hour == (reaches ? 5 : 0) &&
			local.tm_gmtoff == (reaches ? 330L * 60 : 0),
		"in %s", reaches ? "local time" : "UTC");
	local.tm_isdst = -1;
	ok(calendar_local_seconds(&local, &back) == reaches &&
			(!reaches || back == seconds),
		"the way back is %s", reaches ? "open" : "closed");
}

int
main(void)
{
	test_known();
	test_each_day();
	test_out_of_range();
	setenv("TZ", "XST-5:30", 1);
	tzset();
	local_is(0, "1970-01-01 05:30");
	local_is(-1, "1970-01-01 05:29");
	local_is(-(5 * 3600 + 1800), "1970-01-01 00:00");
	local_is(INT64_C(1795408513) / 60 * 60, "2026-11-23 10:05");
	test_far_away();
	return done();
}
