/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_JOIN_ENQUIRY_H
#define QCHAT_JOIN_ENQUIRY_H

#include "fault.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What is asked of the fabric's services in a room, and what becomes of the
 * results: they are shown, and go to the room if that is wanted.  Without a
 * word on that it is asked (question.h).
 */
struct enquiry;
struct window;

struct enquiry *enquiry_new(struct window *window);

/* Before the window's session is freed. */
void enquiry_free(struct enquiry *enquiry);

/* The argument of \t, and of \m.  0, or -1 with a fault of lookup.h. */
int enquiry_hash(struct enquiry *enquiry, struct span argument,
	struct fault *fault);
int enquiry_search(struct enquiry *enquiry, struct span argument,
	struct fault *fault);

/*
 * The argument of \stop: ends what runs under that number, or the only one, and
 * appends what is to be told of it, or, without a number, the list of several.
 * 0, or -1 with FAULT_USAGE.
 */
int enquiry_stop(struct enquiry *enquiry, struct span argument,
	struct text *text, struct fault *fault);

/* Is there a fabric, and a connection to it, that counts who hears the room? */
bool enquiry_can_count(const struct enquiry *enquiry);

/* Asks it; one line tells what it says.  0, or -1 with a fault of
 * session_request(). */
int enquiry_count(struct enquiry *enquiry, struct fault *fault);

/* Appends what runs, for the status line. */
void enquiry_progress(const struct enquiry *enquiry, bool brief,
	struct text *text);

/* How many searches run. */
size_t enquiry_running(const struct enquiry *enquiry);

/* When enquiry_tick() is due (mono ms). */
int64_t enquiry_deadline(const struct enquiry *enquiry);
void enquiry_tick(struct enquiry *enquiry, int64_t mono);

#endif
