/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_FABRIC_H
#define QCHAT_FABRIC_H

#include "broker.h"
#include "fault.h"

#include <dirent.h>
#include <stdint.h>

/* The private fabric's folder: its CA, its users, everyone's settings. */

enum { FABRIC_HOST_MAX = 256 };

struct fabric {
	char *folder;               /* conf_fabric_dir() */
	char *user;                 /* the login name of who runs this */
	char host[FABRIC_HOST_MAX]; /* this host's name, or "" */
	struct broker broker;       /* as last configured; port 0: never */
};

/* What is known of it; makes nothing. */
void fabric_open(struct fabric *fabric);
void fabric_close(struct fabric *fabric);

/* Can it be a user's name?  0, or -1 with FAULT_USAGE. */
int fabric_check_name(const char *name, struct fault *fault);

/* Is it not out of reach, as another user's?  What cannot be entered looks as
 * if nothing was there.  0, or -1 with FAULT_NOPERM. */
int fabric_check_folder(const struct fabric *fabric, struct fault *fault);

/*
 * Makes the folder and locks it against other processes that change it.
 * Returns the lock's descriptor, whose closing ends that, or -1 as
 * file_folder() and file_lock().
 */
int fabric_enter(const struct fabric *fabric, struct fault *fault);

/*
 * Makes or renews what mosquitto and this user need for fabric->broker: CA,
 * certificates, configurations, those of all users included.
 * 1 if the broker's certificate is new, 0 if not, or -1 with a fault.
 */
int fabric_prepare(const struct fabric *fabric, struct fault *fault);

/* Makes a user, whose name was checked, or finds the one that is there.
 * Returns the path of the user's qchat.conf, freed by the caller; or NULL. */
char *fabric_add(const struct fabric *fabric, const char *name,
	struct fault *fault);

/* The users in the order of their names; how many.  Freed in any case. */
int fabric_users(const struct fabric *fabric, struct dirent ***users);
void fabric_users_free(struct dirent **users, int count);

/* Until when a user's certificate is valid, in seconds since the epoch; -1 if
 * it cannot be read. */
int64_t fabric_user_expiry(const struct fabric *fabric, const char *name);

#endif
