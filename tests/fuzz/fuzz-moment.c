/* SPDX-License-Identifier: Apache-2.0 */
/* A moment as people type it: it lies in the past, and what we print of it is
 * read as the same.  The first byte chooses the time zone. */
#include "fuzz.h"
#include "moment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t now = INT64_C(1795408513935);

static void
check_again(int64_t ms)
{
	struct text shown = { 0 };
	int64_t again = -1;

	text_append_time(&shown, ms);
	FUZZ_CHECK(moment_parse(shown.bytes, now, &again) == 0 && again == ms);
	text_free(&shown);
}

static void
set_zone(char c)
{
	static const char *const zones[] = { "UTC",
		"CET-1CEST,M3.5.0,M10.5.0/3", "XXX24", "YYY-24:59:59" };
	static int set = -1;
	int zone = (unsigned char)c % 4;

	if (zone != set) {
		setenv("TZ", zones[zone], 1);
		tzset();
		set = zone;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t ms = -1;

	if (size == 0)
		return 0;
	set_zone((char)data[0]);
	char *text = strndup((const char *)data + 1, size - 1);
	if (moment_parse(text, now, &ms) == 0) {
		FUZZ_CHECK(ms >= 0 && ms <= now);
		check_again(ms);
	}
	free(text);
	return 0;
}
