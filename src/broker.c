/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include "conf.h"
#include "file.h"
#include "memory.h"
#include "text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PORT_TRIES = 16,
	/* Twice what an envelope may have, so that what is too large is found
	 * out by us and not by a lost connection. */
	PACKET_MAX = 2 * 1024 * 1024,
	/* For each slow reader; past either, mosquitto drops without a word. */
	QUEUED_MESSAGES_MAX = 10000,
	QUEUED_BYTES_MAX = 256 * 1024 * 1024,
};

bool
broker_is_loopback(const char *address)
{
	return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
}

bool
broker_is_any(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool
is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

socklen_t
broker_sockaddr(struct sockaddr_storage *into, const char *address,
	uint16_t port)
{
	*into = (struct sockaddr_storage){ 0 };
	if (is_ipv6(address)) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)into;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		inet_pton(AF_INET6, address, &v6->sin6_addr);
		return sizeof(*v6);
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)into;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	inet_pton(AF_INET, address, &v4->sin_addr);
	return sizeof(*v4);
}

/* A socket that is bound to it and listens, as mosquitto's will; -1. */
static int
open_listener(const char *address, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t len = broker_sockaddr(&to, address, port);
	int on = 1;
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (to.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* What is left of connections before is no hindrance.  It takes
	 * listen() to see that another socket listens already. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, len) == 0 && listen(fd, 1) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static bool
can_listen(const char *address)
{
	int fd = open_listener(address, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
add_address(struct broker *broker, const char *address)
{
	assert(broker->count < BROKER_ADDRESSES_MAX);
	snprintf(broker->addresses[broker->count++], INET6_ADDRSTRLEN, "%s",
		address);
}

int
broker_listen(struct broker *broker, const char *listen, struct fault *fault)
{
	char address[INET6_ADDRSTRLEN] = "";
	unsigned char binary[sizeof(struct in6_addr)];

	if (listen != NULL) {
		int family = is_ipv6(listen) ? AF_INET6 : AF_INET;

		if (inet_pton(family, listen, binary) != 1)
			return fault_set(fault, FAULT_USAGE,
				"--listen: %s is "
				"no IPv4 or IPv6 address (0.0.0.0 is all IPv4 "
				"ones)",
				listen);
		inet_ntop(family, binary, address, sizeof(address));
	}
	broker->count = 0;
	if (strcmp(address, "0.0.0.0") != 0)
		add_address(broker, "127.0.0.1");
	if (strcmp(address, "::") != 0 && can_listen("::1"))
		add_address(broker, "::1");
	if (*address != '\0' && !broker_is_loopback(address))
		add_address(broker, address);
	return 0;
}

int
broker_try_port(const struct broker *broker, uint16_t port)
{
	for (size_t i = 0; i < broker->count; i++) {
		int fd = open_listener(broker->addresses[i], port);

		if (fd < 0)
			return errno;
		close(fd);
	}
	return 0;
}

/* Any port that is free just now on the first address; 0 if there is none. */
static uint16_t
free_port(const struct broker *broker)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = { 0 };
	socklen_t len = sizeof(bound);
	int fd = open_listener(broker->addresses[0], 0);
	uint16_t port = 0;

	if (fd < 0)
		return 0;
	if (getsockname(fd, &bound.any, &len) == 0)
		port = bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port
						       : bound.v4.sin_port;
	close(fd);
	return ntohs(port);
}

int
broker_choose_port(struct broker *broker, uint16_t preferred,
	struct fault *fault)
{
	uint16_t port = preferred != 0 ? preferred : CONF_PORT;
	int why = broker_try_port(broker, port);

	if (why != 0 && port != CONF_PORT) {
		port = CONF_PORT;
		why = broker_try_port(broker, port);
	}
	for (int i = 0; i < PORT_TRIES && why != 0; i++) {
		port = free_port(broker);
		why = port != 0 ? broker_try_port(broker, port) : errno;
	}
	if (why != 0)
		return fault_set(fault, FAULT_UNAVAILABLE,
			"%s: no port can be "
			"listened on: %s",
			broker->addresses[broker->count - 1], strerror(why));
	broker->port = port;
	return 0;
}

static int
write_acl(const char *path, struct fault *fault)
{
	/* "topic" would be for clients without a name only; everyone has one
	 * here, from the certificate. */
	return file_replace(path,
		span_of("# Made by qchat-fabric: rooms; each inbox to write, "
			"one's\n"
			"# own to read.\n"
			"pattern readwrite /mcafee/event/qchat/#\n"
			"pattern write /mcafee/client/+\n"
			"pattern read /mcafee/client/%c\n"),
		0600, fault);
}

static void
append_listener(struct text *text, const struct broker *broker,
	const char *address, const char *folder)
{
	text_appendf(text, "\nlistener %u %s\n", broker->port, address);
	text_appendf(text, "cafile %s/ca.pem\n", folder);
	text_appendf(text, "certfile %s/broker.pem\n", folder);
	text_appendf(text, "keyfile %s/broker.key\n", folder);
	text_append_string(text,
		"tls_version tlsv1.2\n" /* or newer */
		"require_certificate true\n"
		"use_identity_as_username true\n");
}

static void
append_general(struct text *text, const char *folder)
{
	const struct passwd *user = getpwuid(geteuid());

	text_append_string(text,
		"# Made by qchat-fabric up, which writes it anew.\n"
		"per_listener_settings false\n"
		"allow_anonymous false\n");
	/* As root it would become another user, who cannot read the keys. */
	text_appendf(text, "user %s\n", user != NULL ? user->pw_name : "root");
	text_appendf(text, "acl_file %s/acl\n", folder);
	text_append_string(text,
		"persistence false\n"
		"set_tcp_nodelay true\n"
		"sys_interval 0\n");
	text_appendf(text, "max_packet_size %d\n", PACKET_MAX);
	text_appendf(text, "max_queued_messages %d\n", QUEUED_MESSAGES_MAX);
	text_appendf(text, "max_queued_bytes %d\n", QUEUED_BYTES_MAX);
	/* Its standard error is mosquitto.log.  A cron job that posts every
	 * minute would fill it with connections. */
	text_append_string(text,
		"log_dest stderr\n"
		"log_timestamp_format %Y-%m-%dT%H:%M:%S\n"
		"log_type error\n"
		"log_type warning\n"
		"log_type notice\n"
		"log_type information\n"
		"connection_messages false\n");
}

int
broker_configure(const struct broker *broker, const char *folder,
	struct fault *fault)
{
	for (const char *c = folder; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			return fault_set(fault, FAULT_CONFIG,
				"%s: has a "
				"control character, which mosquitto.conf "
				"cannot (set XDG_STATE_HOME)",
				folder);
	char *path = memory_format("%s/mosquitto.conf", folder);
	char *acl = memory_format("%s/acl", folder);
	struct text text = { 0 };

	append_general(&text, folder);
	for (size_t i = 0; i < broker->count; i++)
		append_listener(&text, broker, broker->addresses[i], folder);
	struct span bytes = { text.bytes, text.len };
	int rc = write_acl(acl, fault);
	if (rc == 0)
		rc = file_replace(path, bytes, 0600, fault);
	text_free(&text);
	free(acl);
	free(path);
	return rc;
}

bool
broker_recall(struct broker *broker, const char *folder)
{
	char *path = memory_format("%s/mosquitto.conf", folder);
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	free(path);
	*broker = (struct broker){ 0 };
	if (file == NULL)
		return false;
	while (getline(&line, &size, file) > 0 &&
		broker->count < BROKER_ADDRESSES_MAX) {
		char *address = broker->addresses[broker->count], port[6];

		if (sscanf(line, "listener %5[0-9] %45s", port, address) != 2)
			continue;
		broker->port = (uint16_t)strtoul(port, NULL, 10);
		broker->count++;
	}
	free(line);
	fclose(file);
	return broker->port != 0 && broker->count > 0;
}
