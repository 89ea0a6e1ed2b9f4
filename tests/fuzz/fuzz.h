/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TESTS_FUZZ_H
#define QCHAT_TESTS_FUZZ_H

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the fuzz targets share.  A target is a file fuzz-NAME.c with the entry
 * below; it ends the process where a property does not hold.  With files.c it
 * is a test that tries the files of tests/data/fuzz/NAME; tests/fuzz/run makes
 * new inputs.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(good) \
	((good) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #good))

/* Says what does not hold, and ends with SIGABRT. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* A copy on the heap with nothing behind it, so that a read beyond it is seen;
 * free() its bytes. */
struct span fuzz_copy(const void *bytes, size_t len);

/* Takes the line at the start of *left, without its end.  False at the end. */
bool fuzz_line(struct span *left, struct span *line);

/* Takes what stands before the next "|~|", or all. */
struct span fuzz_field(struct span *left);

/* A file with these bytes that has no name; its path, valid until the next
 * call. */
const char *fuzz_file(struct span bytes);

/* A folder of this process under TMPDIR, which goes when it ends. */
const char *fuzz_folder(void);

/* Writes the file. */
void fuzz_write(const char *path, struct span bytes);

enum fuzz_shown {
	FUZZ_TEXT, /* joiners and variation selectors are allowed */
	FUZZ_NAME, /* neither they nor white space are */
};

/*
 * Is it UTF-8 that drives nothing, hides nothing and is one line: without
 * control characters (a tab too), bidi controls, separators, noncharacters
 * and what Unicode calls ignorable?
 */
void fuzz_check_harmless(struct span shown, enum fuzz_shown kind);

/* Is it one line of printable ASCII? */
void fuzz_check_ascii(struct span shown);

#endif
