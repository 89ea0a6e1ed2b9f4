/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "translate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct fault *fault, enum fault_kind kind, const char *format, ...)
{
	assert(fault != NULL && kind != FAULT_NONE);

	va_list arguments;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), gettext(format), arguments);
	va_end(arguments);
	fault->kind = kind;
	fault->term = FAULT_PASSING;
	return -1;
}
