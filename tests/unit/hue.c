/* SPDX-License-Identifier: Apache-2.0 */
/* The colours of names: can they be read, and told apart? */
#include "join/hue.h"
#include "tap.h"

#include <math.h>

struct colour {
	int red, green, blue;
};

/* As xterm has those from 16 to 231. */
static struct colour
of_cube(int number)
{
	static const int levels[] = { 0, 95, 135, 175, 215, 255 };
	int n = number - 16;

	return (struct colour){ levels[n / 36], levels[n / 6 % 6],
		levels[n % 6] };
}

/* The relative luminance of sRGB, as the guidelines for contrast (WCAG 2)
 * have it. */
static double
linear(int level)
{
	double c = level / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double
luminance(struct colour c)
{
	return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) +
		0.0722 * linear(c.blue);
}

/* The worse of the contrasts to black and to white. */
static double
contrast(struct colour c)
{
	double black = (luminance(c) + 0.05) / 0.05;
	double white = 1.05 / (luminance(c) + 0.05);

	return black < white ? black : white;
}

static double
distance(struct colour a, struct colour b)
{
	return sqrt(pow(a.red - b.red, 2) + pow(a.green - b.green, 2) +
		pow(a.blue - b.blue, 2));
}

static void
test_many(void)
{
	int number, other;

	for (size_t i = 0; (number = hue_palette(256, i)) != HUE_NONE; i++) {
		if (!ok(number >= 16 && number <= 231, "%d is of the cube",
			    number))
			continue;
		struct colour colour = of_cube(number);
		ok(contrast(colour) >= 3, "%d can be read: %.2f", number,
			contrast(colour));
		double nearest = 1000;
		for (size_t j = 0; j < i; j++) {
			other = hue_palette(256, j);
			nearest = fmin(nearest,
				distance(colour, of_cube(other)));
		}
		ok(nearest > 50, "it is like none before it");
	}
}

static void
test_few(void)
{
	/* As xterm and the Linux console have the first eight. */
	static const struct colour xterm[] = { { 0, 0, 0 }, { 205, 0, 0 },
		{ 0, 205, 0 }, { 205, 205, 0 }, { 0, 0, 238 }, { 205, 0, 205 },
		{ 0, 205, 205 }, { 229, 229, 229 } };
	static const struct colour console[] = { { 0, 0, 0 }, { 170, 0, 0 },
		{ 0, 170, 0 }, { 170, 85, 0 }, { 0, 0, 170 }, { 170, 0, 170 },
		{ 0, 170, 170 }, { 170, 170, 170 } };
	int number;

	for (size_t i = 0; (number = hue_palette(8, i)) != HUE_NONE; i++)
		ok(number < 8 && contrast(xterm[number]) > 1.9 &&
				contrast(console[number]) > 1.9,
			"%d can be read: %.2f, %.2f", number,
			contrast(xterm[number]), contrast(console[number]));
	ok(hue_palette(88, 0) == hue_palette(8, 0) &&
			hue_palette(255, 0) == hue_palette(8, 0),
		"between eight and 256 they are the same");
	ok(hue_palette(7, 0) == HUE_NONE && hue_palette(0, 0) == HUE_NONE &&
			hue_palette(-1, 0) == HUE_NONE,
		"with fewer there are none");
}

static void
test_names(void)
{
	int counts[256] = { 0 }, least = 1000, most = 0;
	char print[65];

	for (unsigned i = 0; i < 16000; i++) {
		snprintf(print, sizeof(print), "%08x%056u", i * 2654435761U, 0);
		counts[hue_of(span_of(print), 256)]++;
	}
	for (size_t i = 0; hue_palette(256, i) != HUE_NONE; i++) {
		int count = counts[hue_palette(256, i)];

		least = count < least ? count : least;
		most = count > most ? count : most;
	}
	ok(least > 800 && most < 1200, "each is of as many (%d to %d)", least,
		most);
	ok(hue_of(span_of(print), 256) == hue_of(span_of(print), 257) &&
			hue_of(span_of(print), 8) < 8,
		"a terminal has what it can");
	ok(hue_of(span_of(print), 2) == HUE_NONE, "or none");
	ok(hue_of(span_of(""), 256) == HUE_NONE,
		"without a fingerprint there is none");
}

int
main(void)
{
	test_many();
	test_few();
	test_names();
	return done();
}
