/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "../unit/tap.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * Members in small worlds, each made of a seed: what they promise must hold
 * whatever the fabric does.  Without arguments it is a test, in TAP.
 */

enum { SEEDS = 3000 };

struct config {
	uint64_t first, count;
	bool trace, test;
};

struct sum {
	uint64_t seeds;
	struct totals totals;
	uint64_t seen[SEEN_KINDS];
	bool broken;
	enum promise promise;
};

static void
usage(void)
{
	fputs("usage: sim [-n seeds] [-s first-seed] [-v]\n", stderr);
	exit(64);
}

static uint64_t
parse_number(const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		usage();
	return number;
}

static void
parse_args(int argc, char **argv, struct config *config)
{
	const char *seeds = getenv("QCHAT_SIM_SEEDS");
	int c;

	config->test = argc == 1;
	config->first = 1;
	config->count = config->test && seeds != NULL ? parse_number(seeds)
						      : SEEDS;
	while ((c = getopt(argc, argv, "n:s:v")) != -1) {
		if (c == 'n')
			config->count = parse_number(optarg);
		else if (c == 's')
			config->first = parse_number(optarg);
		else if (c == 'v')
			config->trace = true;
		else
			usage();
	}
	if (optind < argc)
		usage();
}

static void
add_up(struct sum *sum, const struct totals *totals)
{
	sum->seeds++;
	sum->totals.said += totals->said;
	sum->totals.delivered += totals->delivered;
	sum->totals.replayed += totals->replayed;
	sum->totals.repaired += totals->repaired;
	sum->totals.gaps += totals->gaps;
	sum->totals.events += totals->events;
	sum->totals.published += totals->published;
	sum->totals.bytes += totals->bytes;
	if (sum->totals.bytes_share < totals->bytes_share)
		sum->totals.bytes_share = totals->bytes_share;
	if (sum->totals.published_share < totals->published_share)
		sum->totals.published_share = totals->published_share;
	for (int i = 0; i < SEEN_KINDS; i++)
		sum->seen[i] += totals->seen >> i & 1;
}

/* True if all promises were kept. */
static bool
run_seed(uint64_t seed, const struct config *config, struct sum *sum)
{
	static struct world world;

	world_run(&world, seed, config->trace);
	add_up(sum, &world.totals);
	if (world.broken) {
		printf("# seed %" PRIu64 " breaks \"%s\":\n# %s\n"
		       "# replay: tests/sim/sim -s %" PRIu64 " -n 1 -v\n",
			seed, world_promise_name(world.promise), world.failure,
			seed);
		sum->broken = true;
		sum->promise = world.promise;
	}
	world_free(&world);
	return !sum->broken;
}

static void
print_sum(const struct sum *sum)
{
	const struct totals *totals = &sum->totals;

	printf("# %" PRIu64 " seeds, %" PRIu64 " records said, %" PRIu64
	       " delivered, %" PRIu64 " of them replayed,\n"
	       "# %" PRIu64 " messages repaired, %" PRIu64
	       " numbers told to be missing,\n"
	       "# %" PRIu64 " messages published, %" PRIu64 " bytes, %" PRIu64
	       " events,\n# at most %" PRIu64 " %% of the messages and %" PRIu64
	       " %% of the bytes that are allowed;\n# seeds with:\n",
		sum->seeds, totals->said, totals->delivered, totals->replayed,
		totals->repaired, totals->gaps, totals->published,
		totals->bytes, totals->events, totals->published_share,
		totals->bytes_share);
	for (int i = 0; i < SEEN_KINDS; i++)
		printf("# %8" PRIu64 "  %s\n", sum->seen[i],
			world_seen_name((enum seen)i));
}

/* The same as TAP; a run that exercised nothing proves nothing. */
static void
print_tap(const struct sum *sum)
{
	for (int i = 0; i < PROMISES; i++)
		ok(!sum->broken || sum->promise != (enum promise)i,
			"%" PRIu64 " seeds: %s", sum->seeds,
			world_promise_name((enum promise)i));
	if (sum->seeds < SEEDS || sum->broken)
		return;
	int missing = 0;
	for (int i = 0; i < SEEN_KINDS; i++)
		missing += sum->seen[i] == 0;
	ok(missing == 0, "all kinds of events have happened");
}

int
main(int argc, char **argv)
{
	struct config config = { 0 };
	struct sum sum = { 0 };

	parse_args(argc, argv, &config);
	for (uint64_t i = 0; i < config.count; i++)
		if (!run_seed(config.first + i, &config, &sum))
			break;
	print_sum(&sum);
	if (!config.test)
		return sum.broken;
	print_tap(&sum);
	return done();
}
