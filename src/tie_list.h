/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_TIE_LIST_H
#define QCHAT_TIE_LIST_H

#include "fault.h"
#include "tie.h"

#include <stdbool.h>
#include <stddef.h>

/* The files or certificates that somebody asks for.  Starts as { 0 }. */
struct tie_list {
	bool certificates;
	struct tie_subject *items;
	size_t count;
	char **names; /* what items borrow; NULL where there is none */
};

enum {
	TIE_LIST_MAX = 100000,
	TIE_LIST_TOLD_MAX = 100,  /* lines that are wrong */
	TIE_LINE_MAX = 64 * 1024, /* bytes; a longer one is wrong */
};

void tie_list_free(struct tie_list *list);

/* One by a hash of it.  0, or -1 with FAULT_USAGE. */
int tie_list_add(struct tie_list *list, const char *hash, struct fault *fault);

/* A file, by all hashes of it; "-" is none.  0, or -1 with FAULT_NOINPUT, also
 * for what is no regular file, or FAULT_IO. */
int tie_list_add_file(struct tie_list *list, const char *path,
	struct fault *fault);

struct tie_list_calls {
	void *context;
	/* A line has no hash: says which, or, behind TIE_LIST_TOLD_MAX of them,
	 * once how many more. */
	void (*wrong)(void *context, const char *sentence);
};

/*
 * Those of standard input: the first word of each line, and what stands behind
 * it is a name, as sha256sum(1) writes them, also with a backslash in front;
 * or the first column of CSV.  Lines that are empty or begin with # are none,
 * and a byte order mark is passed over.  0, or -1 with FAULT_DATA: there are
 * too many, or FAULT_IO.
 */
int tie_list_read(struct tie_list *list, const struct tie_list_calls *calls,
	struct fault *fault);

#endif
