/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_BROKER_H
#define QCHAT_BROKER_H

#include "fault.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * The mosquitto of a private fabric: where it listens, its configuration, its
 * process.  What is here works on the fabric's folder, in which are
 * mosquitto.conf, acl, mosquitto.log, mosquitto.pid, and mosquitto.lock, which
 * the process holds for as long as it lives (conf_fabric_pid() asks for both).
 * Callers that start or stop it hold a lock of their own.
 */

enum { BROKER_ADDRESSES_MAX = 3 };

/* Where it listens. */
struct broker {
	uint16_t port; /* 0: not chosen yet */
	size_t count;
	char addresses[BROKER_ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

/*
 * The addresses: both loopback ones (::1 only where there is IPv6), and listen
 * if that is not NULL: an IPv4 or IPv6 address, "0.0.0.0" or "::" for all of
 * their kind.  The port stays.  0, or -1 with FAULT_USAGE.
 */
int broker_listen(struct broker *broker, const char *listen,
	struct fault *fault);

/* Is it 127.0.0.1 or ::1?  Is it 0.0.0.0 or ::? */
bool broker_is_loopback(const char *address);
bool broker_is_any(const char *address);

/* The address, which was checked, for bind() and connect(); its length. */
socklen_t broker_sockaddr(struct sockaddr_storage *into, const char *address,
	uint16_t port);

/* Can this port be listened on, on each of the addresses?  0, or an errno. */
int broker_try_port(const struct broker *broker, uint16_t port);

/* Chooses broker->port: the preferred one if it is not 0 and free, else
 * CONF_PORT if free, else any free one.  0, or -1 with FAULT_UNAVAILABLE. */
int broker_choose_port(struct broker *broker, uint16_t preferred,
	struct fault *fault);

/* Writes mosquitto.conf and acl.  0, or -1 as file_replace() and with
 * FAULT_CONFIG (a folder name that mosquitto cannot read). */
int broker_configure(const struct broker *broker, const char *folder,
	struct fault *fault);

/* Where the written mosquitto.conf listens; false if there is none. */
bool broker_recall(struct broker *broker, const char *folder);

/* The program.  The caller frees it; NULL with FAULT_UNAVAILABLE. */
char *broker_find_program(struct fault *fault);

/*
 * Starts it as configured and returns when it accepts connections on all its
 * addresses.  It does not end with its caller.  Its process id, or -1 with
 * FAULT_UNAVAILABLE (it ended, with its own words), FAULT_TIMEOUT (10 s) or
 * FAULT_CANTCREAT; nothing runs then.
 */
long broker_start(const struct broker *broker, const char *folder,
	const char *program, struct fault *fault);

/* Makes the running one read its certificate again. */
void broker_reload(const char *folder);

/*
 * Ends the one that broker_start() started and nothing else: SIGTERM, after
 * 10 s SIGKILL; returns when it has ended.  The process id that it had, 0 if
 * none ran, or -1 with FAULT_TIMEOUT or FAULT_NOPERM.
 */
long broker_stop(const char *folder, struct fault *fault);

#endif
