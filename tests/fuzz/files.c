/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main of a fuzz target without libFuzzer: tries the files that it is
 * given, and those in the folders, else those of its own corpus.
 */
#include "fuzz.h"

#include "../unit/tap.h"
#include "memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

/* tests/fuzz/run brings libFuzzer's own. */
#ifndef QCHAT_LIBFUZZER

static void
try_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct text bytes = { 0 };
	char part[4096];
	size_t len;

	printf("# %s\n", path);
	fflush(stdout);
	while (file != NULL && (len = fread(part, 1, sizeof(part), file)) > 0)
		text_append(&bytes, part, len);
	/* A copy, so that a read beyond it is seen. */
	struct span copy = fuzz_copy(bytes.bytes, bytes.len);
	text_free(&bytes);
	if (file != NULL && fclose(file) == 0)
		ok(LLVMFuzzerTestOneInput((const uint8_t *)copy.bytes,
			   copy.len) == 0,
			"%s", strrchr(path, '/') + 1);
	else
		ok(false, "%s can be read", path);
	free((void *)(uintptr_t)copy.bytes);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
try_path(const char *path)
{
	struct dirent **entries;
	struct stat status;

	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
		try_file(path);
		return;
	}
	int count = scandir(path, &entries, is_visible, alphasort);
	ok(count > 0, "%s has files", path);
	for (int i = 0; i < count; i++) {
		char *name = memory_format("%s/%s", path, entries[i]->d_name);

		try_file(name);
		free(name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* fuzz-NAME: tests/data/fuzz/NAME of the sources. */
static char *
own_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strstr(program, "fuzz-");

	for (const char *at = name; at != NULL; at = strstr(at + 1, "fuzz-"))
		name = at;
	FUZZ_CHECK(name != NULL);
	return memory_format("%s/tests/data/fuzz/%s",
		srcdir != NULL ? srcdir : ".", name + strlen("fuzz-"));
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		char *corpus = own_corpus(argv[0]);

		try_path(corpus);
		free(corpus);
	}
	for (int i = 1; i < argc; i++)
		try_path(argv[i]);
	return done();
}

#endif
