/* SPDX-License-Identifier: Apache-2.0 */
#include "resume.h"

#include "file.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SAVE_MS = 1000,
	STATE_MAX = 64 * 1024 * 1024, /* bytes that are read */
	REWINDS_MAX = 65536,
};

struct resume {
	char *path;
	int lock;
	struct text state; /* as it was read */
	bool touched;
	int64_t saved_mono;
	struct member_rewind *rewinds;
	size_t rewind_count;
};

static int
read_all(int fd, const char *path, struct text *state, struct fault *fault)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0 &&
		state->len <= STATE_MAX)
		text_append(state, bytes, (size_t)n);
	if (n < 0)
		return fault_set(fault, FAULT_IO, "%s: %s", path,
			strerror(errno));
	if (state->len > STATE_MAX)
		return fault_set(fault, FAULT_DATA,
			"%s: is larger than %d bytes: no state of qchat-listen",
			path, STATE_MAX);
	return 0;
}

static int
load(struct resume *resume, struct fault *fault)
{
	int fd = open(resume->path,
		O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fault_set(fault, FAULT_IO, "%s: %s", resume->path,
			strerror(errno));
	/* Writing it puts another file in its place. */
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		return fault_set(fault, FAULT_CANTCREAT,
			"%s: is no plain file, so no state is kept there "
			"(name another)",
			resume->path);
	}
	int rc = read_all(fd, resume->path, &resume->state, fault);
	close(fd);
	return rc;
}

/* The lock file is the first that would be made beside it. */
static void
tell_where(struct fault *fault)
{
	const struct fault why = *fault;

	fault_set(fault, FAULT_CANTCREAT,
		"%.900s (the folder of --state has to be there, and yours to "
		"write to)",
		why.text);
}

struct resume *
resume_open(const char *path, struct fault *fault)
{
	struct resume *resume = memory_alloc(1, sizeof(*resume));
	char *lock = memory_format("%s.lock", path);

	resume->path = memory_string(path);
	resume->lock = file_lock(lock, 0, NULL, fault);
	if (resume->lock < 0 && fault->kind == FAULT_TIMEOUT)
		fault_set(fault, FAULT_CANTCREAT,
			"%s: another qchat-listen uses it (one state for each)",
			path);
	else if (resume->lock < 0 && fault->kind == FAULT_CANTCREAT)
		tell_where(fault);
	free(lock);
	if (resume->lock < 0 || load(resume, fault) < 0) {
		resume_free(resume);
		return NULL;
	}
	return resume;
}

void
resume_free(struct resume *resume)
{
	if (resume == NULL)
		return;
	if (resume->lock >= 0)
		close(resume->lock);
	text_free(&resume->state);
	free(resume->rewinds);
	free(resume->path);
	free(resume);
}

int
resume_restore(const struct resume *resume, struct session *session,
	struct fault *fault)
{
	struct fault why = { 0 };

	if (member_restore(session_member(session, 0),
		    (struct span){ resume->state.bytes, resume->state.len },
		    &why) == 0)
		return 0;
	return fault_set(fault, FAULT_DATA,
		"%s: is no state of qchat-listen: %s (without it, what is new "
		"from now on is printed)",
		resume->path, why.text);
}

void
resume_rewind(struct resume *resume, const struct record *record)
{
	int64_t seq = record->type == RECORD_GAP ? record->gap_first
						 : record->seq;

	if (seq < 0 || record->uid.len > ROOM_UID_MAX)
		return;
	for (size_t i = 0; i < resume->rewind_count && !record->late; i++)
		if (!resume->rewinds[i].is_late &&
			span_equal(span_of(resume->rewinds[i].uid),
				record->uid))
			return;
	if (resume->rewind_count == REWINDS_MAX)
		return;
	resume->rewinds = memory_resize(resume->rewinds,
		resume->rewind_count + 1, sizeof(*resume->rewinds));
	struct member_rewind *rewind = &resume->rewinds[resume->rewind_count++];
	*rewind = (struct member_rewind){ .seq = seq, .is_late = record->late };
	memcpy(rewind->uid, record->uid.bytes, record->uid.len);
}

void
resume_touch(struct resume *resume)
{
	resume->touched = true;
}

int64_t
resume_deadline(const struct resume *resume)
{
	return resume->touched ? resume->saved_mono + SAVE_MS : INT64_MAX;
}

int
resume_save(struct resume *resume, struct session *const *sessions,
	size_t count, bool always, struct fault *fault)
{
	struct instant now = session_now();
	struct text state = { 0 };

	if (!always && now.mono < resume_deadline(resume))
		return 0;
	for (size_t i = 0; i < count; i++)
		member_save(session_member(sessions[i], 0), now,
			resume->rewinds, resume->rewind_count, &state);
	int rc = file_replace(resume->path,
		(struct span){ state.bytes, state.len }, 0600, fault);
	text_free(&state);
	resume->touched = false;
	resume->saved_mono = now.mono;
	return rc;
}
