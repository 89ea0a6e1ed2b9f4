/* SPDX-License-Identifier: Apache-2.0 */
#include "hue.h"

struct palette {
	const unsigned char *colours;
	size_t count;
};

/* Chosen so that each has a contrast of 3 to 1 at least to black and to white,
 * and no two are close.  What xterm has below 16 depends on the user. */
static const unsigned char many[] = { 27, 28, 30, 32, 63, 65, 67, 98, 100, 128,
	130, 132, 137, 162, 165, 170 };

/* Green, magenta, cyan: blue is dark on black, and yellow pale on white. */
static const unsigned char few[] = { 2, 5, 6 };

static struct palette
palette_of(int colours)
{
	if (colours >= 256)
		return (struct palette){ many, sizeof(many) };
	if (colours >= 8)
		return (struct palette){ few, sizeof(few) };
	return (struct palette){ few, 0 };
}

/* FNV-1a, folded as its last bits depend on too little. */
static uint32_t
hash_of(struct span bytes)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.bytes[i]) * 16777619U;
	return hash ^ hash >> 16;
}

int
hue_palette(int colours, size_t i)
{
	struct palette palette = palette_of(colours);

	return i < palette.count ? palette.colours[i] : HUE_NONE;
}

int
hue_of(struct span fingerprint, int colours)
{
	struct palette palette = palette_of(colours);

	if (palette.count == 0 || fingerprint.len == 0)
		return HUE_NONE;
	return palette.colours[hash_of(fingerprint) % palette.count];
}
