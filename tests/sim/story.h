/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_STORY_H
#define QCHAT_SIM_STORY_H

#include "node.h"

enum act {
	ACT_START,
	ACT_SAY,      /* argument: lines; 0: a single post of two */
	ACT_STREAM,   /* says the next lines */
	ACT_AGAIN,    /* says again what was given up */
	ACT_PATIENCE, /* gives up if there is no link */
	ACT_LEAVE,
	ACT_RESTART, /* argument: enum restart */
	ACT_CUT,     /* no network for so many ms */
	ACT_LOSE,
	ACT_DIE,
	ACT_FREEZE, /* argument: ms */
	ACT_CRASH,  /* argument: ms; node: which broker */
	ACT_PART,   /* argument: ms */
	ACT_HEAL,
	ACT_FLUSH,
	ACT_KILL, /* a flush; argument: 1: at once, so that the spool is as it
		   * was */
	ACT_CALM, /* the storm is over */
};

enum restart {
	RESTART_RESTORED, /* with what it saved at its end */
	RESTART_STALE,    /* … some time before it was killed */
	RESTART_FORGETFUL,
};

/* Draws all from the seed. */
void story_plan(struct world *world);

/* Something happens in so many ms. */
void story_in(struct world *world, int64_t ms, int node, enum act act,
	int64_t argument);

/* It happens now. */
void story_act(struct world *world, const struct event *event);

#endif
