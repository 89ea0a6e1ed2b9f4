/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_PROBE_H
#define QCHAT_PROBE_H

#include "conf.h"
#include "fault.h"
#include "identity.h"

/*
 * Which brokers of the settings answer: a TLS connection to each, all at the
 * same time, and MQTT's CONNECT over it, until mono ms at most.  answers has
 * conf->broker_count of them; the kind of one is FAULT_NONE where the broker
 * has accepted the connection, else it says why not (FAULT_TIMEOUT: no answer
 * so far).  Names are looked up one after the other, which may take longer.
 * Returns how many accept.
 */
size_t probe_brokers(const struct conf *conf, const struct identity *identity,
	int64_t until, struct fault *answers);

#endif
