/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include "bus.h"
#include "memory.h"
#include "translate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct way {
	struct route route;
	struct sockaddr_storage address;
	socklen_t address_len;
	int fd;           /* of the measuring, or -1 */
	int64_t answered; /* mono ms, INT64_MAX: not (yet) */
	bool tried;
};

struct routes {
	const struct conf *conf;
	struct way ways[ROUTES_MAX];
	size_t count;
	int64_t until; /* of the measuring */
};

struct routes *
routes_new(const struct conf *conf)
{
	struct routes *routes = memory_alloc(1, sizeof(*routes));

	routes->conf = conf;
	return routes;
}

static void
stop(struct way *way)
{
	if (way->fd >= 0)
		close(way->fd);
	way->fd = -1;
}

void
routes_end(struct routes *routes)
{
	for (size_t i = 0; i < routes->count; i++)
		stop(&routes->ways[i]);
}

void
routes_free(struct routes *routes)
{
	if (routes == NULL)
		return;
	routes_end(routes);
	free(routes);
}

static void
add(struct routes *routes, const char *host, uint16_t port,
	const struct addrinfo *info)
{
	if (routes->count == ROUTES_MAX ||
		info->ai_addrlen > sizeof(struct sockaddr_storage))
		return;

	struct way *way = &routes->ways[routes->count];
	*way = (struct way){ .fd = -1, .answered = INT64_MAX };
	if (getnameinfo(info->ai_addr, info->ai_addrlen, way->route.address,
		    sizeof(way->route.address), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	way->route.host = host;
	way->route.port = port;
	memcpy(&way->address, info->ai_addr, info->ai_addrlen);
	way->address_len = info->ai_addrlen;
	routes->count++;
}

/* Adds all addresses of a name.  Returns getaddrinfo()'s error. */
static int
look_up(struct routes *routes, const char *name, const char *host,
	uint16_t port)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *infos;
	char service[8];

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	int rc = getaddrinfo(name, service, &hints, &infos);
	if (rc != 0)
		return rc;
	for (const struct addrinfo *info = infos; info != NULL;
		info = info->ai_next)
		add(routes, host, port, info);
	freeaddrinfo(infos);
	return 0;
}

static bool
is_loopback(const struct way *way)
{
	if (way->address.ss_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, &way->address, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	struct sockaddr_in in;
	memcpy(&in, &way->address, sizeof(in));
	return ntohl(in.sin_addr.s_addr) >> 24 == 127;
}

/* A choice among brokers, or among addresses that may be silent.  One broker
 * on loopback answers at once or refuses. */
static bool
is_worth_measuring(const struct routes *routes)
{
	if (routes->conf->broker_count > 1)
		return routes->count > 1;
	for (size_t i = 0; i < routes->count; i++)
		if (!is_loopback(&routes->ways[i]))
			return routes->count > 1;
	return false;
}

static void
measure(struct way *way, int64_t mono)
{
	way->fd = socket(way->address.ss_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (way->fd < 0)
		return;
	if (connect(way->fd, (const struct sockaddr *)&way->address,
		    way->address_len) == 0)
		way->answered = mono;
	if (way->answered != INT64_MAX || errno != EINPROGRESS)
		stop(way);
}

int
routes_begin(struct routes *routes, int64_t mono, struct fault *fault)
{
	const struct conf *conf = routes->conf;
	const char *reason = _("no broker is configured");
	const char *name = conf->file;

	routes_end(routes);
	routes->count = 0;
	for (size_t i = 0; i < conf->broker_count; i++) {
		const struct conf_broker *broker = &conf->brokers[i];
		int rc = look_up(routes, broker->host, broker->host,
			broker->port);

		if (rc != 0) {
			reason = gai_strerror(rc);
			name = broker->host;
		}
		if (broker->address != NULL)
			look_up(routes, broker->address, broker->host,
				broker->port);
	}
	if (routes->count == 0)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: %s (is its name right, and the network up?)", name,
			reason);
	routes->until = mono;
	if (!is_worth_measuring(routes))
		return 0;
	routes->until = mono + BUS_PROBE_MS;
	for (size_t i = 0; i < routes->count; i++)
		measure(&routes->ways[i], mono);
	return 0;
}

static bool
is_measuring(const struct routes *routes)
{
	for (size_t i = 0; i < routes->count; i++)
		if (routes->ways[i].fd >= 0)
			return true;
	return false;
}

enum routes_state
routes_next(struct routes *routes, int64_t mono, const struct route **route)
{
	struct way *best = NULL;

	for (size_t i = 0; i < routes->count; i++) {
		struct way *way = &routes->ways[i];

		if (way->tried)
			continue;
		if (best == NULL || way->answered < best->answered)
			best = way;
	}
	if (best == NULL)
		return ROUTES_NONE;
	if (best->answered == INT64_MAX && is_measuring(routes) &&
		mono < routes->until)
		return ROUTES_WAIT;
	best->tried = true;
	*route = &best->route;
	return ROUTES_READY;
}

size_t
routes_fds(const struct routes *routes, struct pollfd *fds)
{
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++)
		if (routes->ways[i].fd >= 0)
			fds[count++] = (struct pollfd){
				.fd = routes->ways[i].fd,
				.events = POLLOUT
			};
	return count;
}

int64_t
routes_deadline(const struct routes *routes)
{
	return is_measuring(routes) ? routes->until : INT64_MAX;
}

static void
finish(struct way *way, int64_t mono)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(way->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
		error == 0)
		way->answered = mono;
	stop(way);
}

void
routes_step(struct routes *routes, const struct pollfd *fds, size_t count,
	int64_t mono)
{
	for (size_t i = 0; i < routes->count; i++) {
		struct way *way = &routes->ways[i];

		for (size_t k = 0; way->fd >= 0 && k < count; k++)
			if (fds[k].fd == way->fd && fds[k].revents != 0)
				finish(way, mono);
	}
	if (mono >= routes->until)
		routes_end(routes);
}
