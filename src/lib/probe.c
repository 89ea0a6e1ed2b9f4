/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include "bus.h"
#include "memory.h"

#include <stdlib.h>
#include <time.h>

/* One broker of them. */
struct probe {
	struct conf conf; /* the settings with this broker alone */
	struct bus *bus;
	struct fault *answer;
	bool done;
	size_t first, count; /* its descriptors */
};

static int64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool
on_will(void *context, struct text *topic, struct text *bytes)
{
	(void)context;
	(void)topic;
	(void)bytes;
	return false;
}

static void
on_opened(void *context)
{
	(void)context;
}

static void
on_up(void *context)
{
	struct probe *probe = context;

	*probe->answer = (struct fault){ 0 };
	probe->done = true;
}

static void
on_failed(void *context, const struct fault *why)
{
	struct probe *probe = context;

	if (!probe->done)
		*probe->answer = *why;
	probe->done = true;
}

static void
on_message(void *context, struct span topic, struct span bytes)
{
	(void)context;
	(void)topic;
	(void)bytes;
}

static void
begin(struct probe *probe, const struct conf *conf, size_t i,
	const struct identity *identity, struct fault *answer)
{
	const struct bus_calls calls = { probe, on_will, on_opened, on_up,
		on_failed, on_failed, on_message };
	const struct conf_broker *broker = &conf->brokers[i];
	char id[IDENTITY_ID_MAX];

	*probe = (struct probe){ .conf = *conf, .answer = answer };
	probe->conf.brokers = conf->brokers + i;
	probe->conf.broker_count = 1;
	fault_set(answer, FAULT_TIMEOUT, "%s:%u: no answer so far",
		broker->host, broker->port);
	identity_id(id);
	probe->bus = bus_new(&probe->conf, identity, id, false, &calls);
}

/* Waits for any of them, and goes on with each.  How many are not done. */
static size_t
step(struct probe *probes, size_t count, struct pollfd *fds, int64_t until)
{
	size_t left = 0, filled = 0;

	for (size_t i = 0; i < count; i++) {
		struct probe *probe = &probes[i];

		if (probe->done)
			continue;
		probe->first = filled;
		probe->count = bus_fds(probe->bus, fds + filled);
		filled += probe->count;
		int64_t deadline = bus_deadline(probe->bus);
		until = deadline < until ? deadline : until;
	}
	until -= now();
	poll(fds, filled, until > 0 ? (int)until : 0);
	for (size_t i = 0; i < count; i++) {
		struct probe *probe = &probes[i];

		if (!probe->done)
			bus_step(probe->bus, fds + probe->first, probe->count,
				now());
		left += !probe->done;
	}
	return left;
}

size_t
probe_brokers(const struct conf *conf, const struct identity *identity,
	int64_t until, struct fault *answers)
{
	size_t count = conf->broker_count, accepted = 0;
	struct probe *probes = memory_alloc(count, sizeof(*probes));
	struct pollfd *fds = memory_alloc(count * BUS_FDS_MAX, sizeof(*fds));

	for (size_t i = 0; i < count; i++)
		begin(&probes[i], conf, i, identity, &answers[i]);
	while (step(probes, count, fds, until) > 0 && now() < until)
		;
	for (size_t i = 0; i < count; i++) {
		accepted += answers[i].kind == FAULT_NONE;
		if (answers[i].kind == FAULT_NONE)
			bus_leave(probes[i].bus, now() + BUS_CLOSE_MS);
		bus_free(probes[i].bus);
	}
	free(fds);
	free(probes);
	return accepted;
}
