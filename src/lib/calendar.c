/* SPDX-License-Identifier: Apache-2.0 */
#include "calendar.h"

#include <assert.h>

enum {
	DAY_S = 24 * 60 * 60,
	CYCLE_YEARS = 400, /* in which the calendar repeats */
	CYCLE_DAYS = 146097,
	CYCLES = 6 * 1000 * 1000, /* more than there are in an int of years */
	EPOCH_DAY = 719528,       /* 1970-01-01, since 0000-01-01 */
};

/* Days of a common year before its months. */
static const int before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273,
	304, 334 };

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* That on which a year begins, since 0000-01-01. */
static int64_t
first_day(int64_t year)
{
	/* So far ahead, no division is of less than 0. */
	int64_t past = year + (int64_t)CYCLES * CYCLE_YEARS - 1;

	return (past + 1) * 365 + past / 4 - past / 100 + past / 400 + 1 -
		(int64_t)CYCLES * CYCLE_DAYS;
}

/* Of that month's first day, since the year began. */
static int
month_day(int64_t year, int month)
{
	return before_month[month] + (month > 1 && is_leap(year));
}

int64_t
calendar_seconds(const struct tm *utc)
{
	int64_t year = utc->tm_year + INT64_C(1900);

	assert(utc->tm_mon >= 0 && utc->tm_mon < 12);
	int64_t days = first_day(year) + month_day(year, utc->tm_mon) +
		utc->tm_mday - 1 - EPOCH_DAY;
	return days * DAY_S + INT64_C(3600) * utc->tm_hour +
		INT64_C(60) * utc->tm_min + utc->tm_sec;
}

struct tm
calendar_utc(int64_t seconds)
{
	int second = (int)((seconds % DAY_S + DAY_S) % DAY_S);
	int64_t day = (seconds - second) / DAY_S + EPOCH_DAY;
	int64_t year = day * CYCLE_YEARS / CYCLE_DAYS;
	int month = 11;

	while (first_day(year) > day)
		year--;
	while (first_day(year + 1) <= day)
		year++;
	int rest = (int)(day - first_day(year));
	while (month_day(year, month) > rest)
		month--;
	return (struct tm){ .tm_year = (int)(year - 1900),
		.tm_mon = month,
		.tm_mday = rest - month_day(year, month) + 1,
		.tm_hour = second / 3600,
		.tm_min = second / 60 % 60,
		.tm_sec = second % 60 };
}

struct tm
calendar_local(int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm local;

	if (time != seconds || localtime_r(&time, &local) == NULL)
		return calendar_utc(seconds);
	return local;
}

bool
calendar_local_seconds(struct tm *local, int64_t *seconds)
{
	/* -1 may be a time; but then mktime() sets this. */
	local->tm_wday = -1;
	*seconds = mktime(local);
	return local->tm_wday >= 0;
}
