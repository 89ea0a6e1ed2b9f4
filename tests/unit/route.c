/* SPDX-License-Identifier: Apache-2.0 */
/* Which broker is tried first: real sockets on loopback, one that listens and
 * one that does not. */
#include "route.h"

#include "tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A bound socket; listening, or not.  Sets its port. */
static int
bound(bool listening, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
		(listening && listen(fd, 1) != 0)) {
		printf("Bail out! no socket on loopback\n");
		exit(99);
	}
	*port = ntohs(address.sin_port);
	return fd;
}

/* Polls until there is something to try. */
static enum routes_state
next(struct routes *routes, const struct route **route)
{
	struct pollfd fds[ROUTES_MAX];
	enum routes_state state;
	int64_t mono = 0;

	while ((state = routes_next(routes, mono, route)) == ROUTES_WAIT) {
		size_t count = routes_fds(routes, fds);
		int ms = (int)(routes_deadline(routes) - mono);

		if (poll(fds, count, ms) == 0)
			mono = routes_deadline(routes);
		routes_step(routes, fds, count, mono);
	}
	return state;
}

static char host[] = "127.0.0.1", nowhere[] = "host.invalid";
static char conf_file[] = "q.conf";

static void
test_choice(void)
{
	struct conf_broker brokers[2] = { { host, NULL, 0 },
		{ host, NULL, 0 } };
	struct conf conf = { .file = conf_file,
		.brokers = brokers,
		.broker_count = 2 };
	struct routes *routes = routes_new(&conf);
	const struct route *route;
	struct fault fault = { 0 };
	int dead = bound(false, &brokers[0].port);
	int live = bound(true, &brokers[1].port);

	for (int round = 0; round < 2; round++) {
		ok(routes_begin(routes, 0, &fault) == 0, "a round begins");
		ok(next(routes, &route) == ROUTES_READY &&
				route->port == brokers[1].port,
			"the broker that answers is tried first");
		ok(next(routes, &route) == ROUTES_READY &&
				route->port == brokers[0].port,
			"then the other");
		ok(next(routes, &route) == ROUTES_NONE, "then none");
	}
	is(route->host, host, "whom the certificate must name");
	routes_free(routes);
	close(dead);
	close(live);
}

static void
test_one(void)
{
	struct conf_broker broker = { host, NULL, 8883 };
	struct conf conf = { .file = conf_file,
		.brokers = &broker,
		.broker_count = 1 };
	struct routes *routes = routes_new(&conf);
	struct pollfd fds[ROUTES_MAX];
	const struct route *route;
	struct fault fault = { 0 };

	routes_begin(routes, 0, &fault);
	ok(routes_fds(routes, fds) == 0,
		"where there is no choice, nothing "
		"is measured");
	ok(routes_next(routes, 0, &route) == ROUTES_READY, "and it is tried");
	broker.host = nowhere;
	ok(routes_begin(routes, 0, &fault) < 0 &&
			fault.kind == FAULT_UNAVAILABLE &&
			strstr(fault.text, nowhere) == fault.text,
		"a name that does not resolve is named");
	broker.address = host;
	ok(routes_begin(routes, 0, &fault) == 0, "its address helps out");
	routes_free(routes);
	routes_free(NULL);
}

int
main(void)
{
	test_choice();
	test_one();
	return done();
}
