/* SPDX-License-Identifier: Apache-2.0 */
#include "json_line.h"

#include <string.h>

json_t *
json_line_time(int64_t ms)
{
	struct text time = { 0 };

	text_append_time(&time, ms);
	json_t *json = json_stringn(time.bytes, time.len);
	text_free(&time);
	return json;
}

/* So that what was 1.751 does not become 1.7509999999999999. */
enum { REAL_DIGITS = 15 };

/* jansson escapes all but ASCII, and lets DEL through as it is. */
static int
append_ascii(const char *bytes, size_t len, void *text)
{
	const char *del;

	while (len > 0 && (del = memchr(bytes, 0x7f, len)) != NULL) {
		text_append(text, bytes, (size_t)(del - bytes));
		text_append(text, "\\u007f", 6);
		len -= (size_t)(del - bytes) + 1;
		bytes = del + 1;
	}
	text_append(text, bytes, len);
	return 0;
}

void
json_line_append(json_t *object, struct text *line)
{
	json_dump_callback(object, append_ascii, line,
		JSON_COMPACT | JSON_ENSURE_ASCII |
			JSON_REAL_PRECISION(REAL_DIGITS));
	json_decref(object);
}
