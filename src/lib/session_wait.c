/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct instant
session_now(void)
{
	struct timespec mono, wall;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct instant){
		(int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
		(int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
	};
}

static int
wait_ms(int64_t until)
{
	int64_t left = until - session_now().mono;

	if (until == INT64_MAX)
		return -1;
	return left <= 0 ? 0 : left < INT32_MAX ? (int)left : INT32_MAX;
}

int
session_wait(struct session *const *sessions, size_t count, struct pollfd *own,
	size_t own_count, int64_t until, const sigset_t *during,
	struct fault *fault)
{
	struct pollfd *fds = memory_alloc(own_count + count * SESSION_FDS_MAX,
		sizeof(*fds));
	size_t *at = memory_alloc(count + 1, sizeof(*at));
	int rc = -1;

	at[0] = own_count;
	if (own_count > 0)
		memcpy(fds, own, own_count * sizeof(*fds));
	for (size_t i = 0; i < count; i++) {
		at[i + 1] = at[i] + session_fds(sessions[i], fds + at[i]);
		int64_t deadline = session_deadline(sessions[i]);
		if (deadline < until)
			until = deadline;
	}
	int ms = wait_ms(until);
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
	if (ppoll(fds, at[count], ms < 0 ? NULL : &wait, during) < 0) {
		if (errno != EINTR) {
			fault_set(fault, FAULT_INTERNAL, "ppoll: %s",
				strerror(errno));
			goto out;
		}
		for (size_t i = 0; i < at[count]; i++)
			fds[i].revents = 0;
	}
	if (own_count > 0)
		memcpy(own, fds, own_count * sizeof(*fds));
	for (size_t i = 0; i < count; i++)
		session_step(sessions[i], fds + at[i], at[i + 1] - at[i]);
	rc = 0;
out:
	free(fds);
	free(at);
	return rc;
}
