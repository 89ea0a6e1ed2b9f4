/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QCHAT_SIM_DICE_H
#define QCHAT_SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

/* Chance, the same for the same seed: splitmix64 (Steele, Lea, Flood 2014). */
struct dice {
	uint64_t state;
};

static inline uint64_t
dice_next(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From least to most, both included. */
static inline int64_t
dice_roll(struct dice *dice, int64_t least, int64_t most)
{
	return least +
		(int64_t)(dice_next(dice) % (uint64_t)(most - least + 1));
}

/* True in so many of 1000 cases. */
static inline bool
dice_chance(struct dice *dice, int permille)
{
	return dice_roll(dice, 0, 999) < permille;
}

#endif
