/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include "memory.h"

#include <assert.h>
#include <stdbool.h>

static bool
is_sooner(const struct event *a, const struct event *b)
{
	return a->mono != b->mono ? a->mono < b->mono : a->serial < b->serial;
}

void
queue_push(struct queue *queue, struct event event)
{
	size_t i = queue->count++;

	event.serial = ++queue->serial;
	if (i == queue->size) {
		queue->size = queue->size > 0 ? queue->size * 2 : 256;
		queue->events = memory_resize(queue->events, queue->size,
			sizeof(event));
	}
	while (i > 0 && is_sooner(&event, &queue->events[(i - 1) / 2])) {
		queue->events[i] = queue->events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	queue->events[i] = event;
}

int64_t
queue_next(const struct queue *queue)
{
	return queue->count > 0 ? queue->events[0].mono : INT64_MAX;
}

struct event
queue_pop(struct queue *queue)
{
	assert(queue->count > 0);
	struct event first = queue->events[0];
	struct event last = queue->events[--queue->count];
	size_t i = 0;

	for (size_t child = 1; child < queue->count; child = 2 * i + 1) {
		if (child + 1 < queue->count &&
			is_sooner(&queue->events[child + 1],
				&queue->events[child]))
			child++;
		if (!is_sooner(&queue->events[child], &last))
			break;
		queue->events[i] = queue->events[child];
		i = child;
	}
	queue->events[i] = last;
	return first;
}
