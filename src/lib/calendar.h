/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_CALENDAR_H
#define QCHAT_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * Dates of the Gregorian calendar, and seconds since 1970-01-01.  They do not
 * pass through time_t, which ends in 2038 where it has 32 bits.
 */

/* Of a date and time in UTC.  tm_mday, tm_hour, tm_min and tm_sec may be
 * anything; the month is 0 to 11.  Other fields are not looked at. */
int64_t calendar_seconds(const struct tm *utc);

/* The date and time in UTC, for a year that fits into an int.  What is said of
 * the day of the week, of that of the year, and of the zone, is 0. */
struct tm calendar_utc(int64_t seconds);

/* Those of this machine's zone, with all fields; in UTC where time_t does not
 * reach. */
struct tm calendar_local(int64_t seconds);

/* The reverse, as mktime() has it: fields may be out of range, and become what
 * they stand for.  false if time_t does not reach. */
bool calendar_local_seconds(struct tm *local, int64_t *seconds);

#endif
