/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_MEMORY_H
#define QCHAT_MEMORY_H

#include <stddef.h>

/*
 * Allocation that does not fail: when memory is out, the process says so on
 * standard error and ends with FAULT_INTERNAL.  This is the one place where
 * the library prints and exits.  What is returned is freed with free().
 */

/* count times size zeroed bytes; count or size of 0 gives one byte. */
void *memory_alloc(size_t count, size_t size);

/* As realloc(): count times size bytes, what is new is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);

/* For a library that says that memory is out. */
_Noreturn void memory_out(void);

/* A copy of len bytes with a NUL behind them. */
char *memory_copy(const void *bytes, size_t len);

/* A copy of a string; NULL for NULL. */
char *memory_string(const char *string);

/* A string made as printf() does. */
char *memory_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
