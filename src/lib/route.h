/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_ROUTE_H
#define QCHAT_ROUTE_H

#include "conf.h"
#include "fault.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of `bus`: the ways to the brokers, and which to try next. */
struct routes;

enum {
	ROUTES_MAX = 32,
	ROUTE_ADDRESS_MAX = 64, /* with a scope, and NUL */
};

struct route {
	const char *host; /* as configured; whom the certificate must name */
	uint16_t port;
	char address[ROUTE_ADDRESS_MAX]; /* numeric */
};

/* conf is borrowed. */
struct routes *routes_new(const struct conf *conf);
void routes_free(struct routes *routes);

/*
 * Begins a round: looks the names up (this may block as long as the
 * resolver does; numeric addresses do not) and, if there is a choice, starts
 * to measure.  0, or -1 with FAULT_UNAVAILABLE if nothing has an address.
 */
int routes_begin(struct routes *routes, int64_t mono, struct fault *fault);

enum routes_state {
	ROUTES_READY, /* *route is the next to try */
	ROUTES_WAIT,  /* the measuring has not found one yet */
	ROUTES_NONE,  /* all were tried */
};

/* The next way: those that answered, quickest first, then the others in the
 * order of the settings.  Borrowed until routes_begin(). */
enum routes_state routes_next(struct routes *routes, int64_t mono,
	const struct route **route);

size_t routes_fds(const struct routes *routes, struct pollfd *fds);
int64_t routes_deadline(const struct routes *routes);
void routes_step(struct routes *routes, const struct pollfd *fds, size_t count,
	int64_t mono);

/* Ends the measuring. */
void routes_end(struct routes *routes);

#endif
