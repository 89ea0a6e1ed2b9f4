/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "fault.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
memory_out(void)
{
	fputs("qchat: out of memory\n", stderr);
	exit(FAULT_INTERNAL);
}

static void *
checked(void *memory)
{
	if (memory == NULL)
		memory_out();
	return memory;
}

void *
memory_alloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return checked(calloc(count, size));
}

void *
memory_resize(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return checked(NULL);
	size_t total = count * size;
	return checked(realloc(old, total > 0 ? total : 1));
}

char *
memory_copy(const void *bytes, size_t len)
{
	char *copy = checked(malloc(len + 1));

	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *
memory_string(const char *string)
{
	return string != NULL ? memory_copy(string, strlen(string)) : NULL;
}

char *
memory_format(const char *format, ...)
{
	char *string = NULL;

	va_list arguments;
	va_start(arguments, format);
	int len = vasprintf(&string, format, arguments);
	va_end(arguments);
	return checked(len < 0 ? NULL : string);
}
