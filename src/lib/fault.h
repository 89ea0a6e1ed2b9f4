/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_FAULT_H
#define QCHAT_FAULT_H

/*
 * What went wrong: a kind and one line of text.  The library fills it, the
 * tools show it.  The value of a kind is the exit status of a tool that ends
 * because of it (sysexits.h, and 124 as timeout(1) has it).
 */
enum fault_kind {
	FAULT_NONE = 0,
	FAULT_USAGE = 64,       /* the command line is wrong */
	FAULT_DATA = 65,        /* the data to send is wrong */
	FAULT_NOINPUT = 66,     /* there is nothing to send */
	FAULT_UNAVAILABLE = 69, /* the fabric is unreachable or lost */
	FAULT_INTERNAL = 70,    /* a bug of ours */
	FAULT_CANTCREAT = 73,   /* a file cannot be made */
	FAULT_IO = 74,          /* a read or write failed */
	FAULT_TEMPFAIL = 75,    /* not delivered, kept for later */
	FAULT_PROTOCOL = 76,    /* the fabric answered nonsense */
	FAULT_NOPERM = 77,      /* not permitted */
	FAULT_CONFIG = 78,      /* configuration or certificate */
	FAULT_TIMEOUT = 124,    /* time ran out */
};

/* Does waiting help? */
enum fault_term {
	FAULT_PASSING,  /* it may */
	FAULT_HASTY,    /* it may, and an attempt that waits can tell more */
	FAULT_DOUBTFUL, /* not if it happens again at once */
	FAULT_LASTING,  /* it does not: nothing is kept for another time */
};

enum { FAULT_TEXT_MAX = 1024 };

/* Fixed size, owned by the caller.  Starts as { 0 }. */
struct fault {
	enum fault_kind kind;
	enum fault_term term;
	char text[FAULT_TEXT_MAX];
};

/*
 * Sets kind, a term that passes, and text: "subject: fault (remedy)", without
 * the program's name, full stop and line feed.  The text may hold foreign
 * bytes: who shows it makes it harmless (text_harmless).  What does not fit is
 * cut. Returns -1, so that a function can end with `return fault_set(…)`.
 */
int fault_set(struct fault *fault, enum fault_kind kind, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif
