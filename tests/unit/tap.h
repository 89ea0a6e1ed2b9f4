/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TESTS_TAP_H
#define QCHAT_TESTS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* TAP for the unit tests: ok(), is(), and `return done();` at the end.  What
 * would break the line in a name is shown as a blank. */

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool
ok(bool good, const char *format, ...)
{
	char name[512];

	__builtin_va_list arguments;
	__builtin_va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	__builtin_va_end(arguments);
	for (char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, name);
	if (!good)
		tap_failed++;
	return good;
}

/* Two strings are the same; NULL is a string of its own. */
static inline bool
is(const char *got, const char *want, const char *name)
{
	bool same = got == want ||
		(got != NULL && want != NULL && strcmp(got, want) == 0);

	ok(same, "%s", name);
	if (!same)
		printf("#   got: %s\n#  want: %s\n",
			got != NULL ? got : "(null)",
			want != NULL ? want : "(null)");
	return same;
}

/* Root may read everything: for a look at what is closed to it, it becomes
 * nobody for a moment. */
static inline void
be_nobody(bool nobody)
{
	static uid_t self = (uid_t)-1;

	if (self == (uid_t)-1)
		self = geteuid();
	if (self == 0 && seteuid(nobody ? 65534 : 0) != 0)
		printf("Bail out! seteuid\n");
}

static inline int
done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0;
}

#endif
