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

enum { TIE_LIST_MAX = 100000 };

void tie_list_free(struct tie_list *list);

/* One by a hash of it.  0, or -1 with FAULT_USAGE. */
int tie_list_add(struct tie_list *list, const char *hash, struct fault *fault);

/* A file, by all hashes of it; "-" is none.  0, or -1 with FAULT_NOINPUT or
 * FAULT_IO. */
int tie_list_add_file(struct tie_list *list, const char *path,
	struct fault *fault);

/*
 * Those of standard input: the first word of each line, and what stands behind
 * it is a name, as sha256sum(1) writes them; empty lines are none.  0, or -1
 * with FAULT_DATA, which names the line, or FAULT_IO.
 */
int tie_list_read(struct tie_list *list, struct fault *fault);

#endif
