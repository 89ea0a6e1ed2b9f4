/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of cells, for people and for programs. */
#include "columns.h"

#include "tap.h"

#include <locale.h>

static void
fill(struct columns *columns)
{
	columns_add(columns, span_of("NAME"));
	columns_add(columns, span_of("VALUE"));
	columns_add(columns, span_of("MORE"));
	columns_end_row(columns);
	columns_add(columns, span_of("a\tb"));
	columns_addf(columns, "%d", 7);
	columns_add(columns, span_of("c:\\d\n\033[2J"));
	columns_end_row(columns);
	columns_add(columns, span_of("\xc3\xbc\xe6\xbc\xa2"));
	columns_add(columns, span_of(""));
	columns_add(columns, span_of("end"));
	columns_end_row(columns);
}

int
main(void)
{
	struct columns people = { .aligned = true };
	struct columns programs = { .aligned = false };
	struct text out = { 0 };

	setlocale(LC_CTYPE, "C.UTF-8");
	columns_format(&people, &out);
	ok(out.len == 0, "no rows, no text");
	fill(&people);
	columns_format(&people, &out);
	is(out.bytes,
		"NAME  VALUE  MORE\n"
		"a\\tb  7      c:\\d\\n\\x1b[2J\n"
		"\xc3\xbc\xe6\xbc\xa2   -      end\n",
		"aligned, and harmless");
	text_clear(&out);
	fill(&programs);
	columns_format(&programs, &out);
	is(out.bytes,
		"NAME\tVALUE\tMORE\n"
		"a\\tb\t7\tc:\\\\d\\n\\x1b[2J\n"
		"\xc3\xbc\xe6\xbc\xa2\t-\tend\n",
		"with tabs, and nothing is ambiguous");
	text_clear(&out);
	columns_add(&programs, span_of("again"));
	columns_format(&programs, &out);
	is(out.bytes, "again\n", "what was written is forgotten");
	columns_free(&people);
	columns_free(&programs);
	text_free(&out);
	return done();
}
