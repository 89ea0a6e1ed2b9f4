/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_RECALL_H
#define QCHAT_JOIN_RECALL_H

/* The name and the room of the last time: what the next question offers.
 * A file of two lines in the state folder; without it nothing is offered. */

struct recall {
	char *user; /* or NULL */
	char *room; /* or NULL */
};

void recall_read(struct recall *recall);

/* Remembers a room and a name; NULL leaves the name that was remembered.
 * Silent if it cannot be written: it is a convenience. */
void recall_write(const char *user, const char *room);

void recall_free(struct recall *recall);

#endif
