/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PIN_H
#define QCHAT_PIN_H

#include "fault.h"
#include "session.h"
#include "text.h"

/*
 * From now on a name is who is in the session's room under it, or under one
 * that is shown like it: one whose certificate is trusted, and no other.
 * Appends what was done to told, as "NAME: FINGERPRINT".  1; 0 if it was so; or
 * -1: FAULT_NOINPUT if there is no such, FAULT_DATA or FAULT_NOPERM if there
 * are two, or as session_pin().
 */
int pin_name(struct session *session, const char *name, struct text *told,
	struct fault *fault);

#endif
