/*
 * error_rates.c: how often bench is wrong, and how often it finds what is there:
 * verdicts on simulated blocks, by the very code that decides about real ones.
 *
 *	error_rates [--trials N] [--seed N] [--check] [wrong|quick|looks|found]
 *
 * wrong  two equal sides, many kinds of noise, every way to ask: how many verdicts
 *        say that there is a difference, or that a gate failed
 * quick  the same, up to 20 pairs and three kinds of noise
 * looks  the same, only where looks are planned
 * found  a slowdown of 1, 2 and 5 %: how many verdicts find it, over the number of
 *        pairs and the noise of a pair's difference
 *
 * --check ends with status 1 when a rate of "wrong" is above 5.5 %. Rates are of
 * N verdicts (10,000), so they are known to about ±0.4 points.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "stats/random.h"

enum { MOST_PAIRS = 64, METRICS = 6 };

static const enum pf_metric measured[METRICS] = {PF_METRIC_CPU, PF_METRIC_WALL, PF_METRIC_RSS_PEAK,
    PF_METRIC_FAULTS, PF_METRIC_SWITCHES, PF_METRIC_PREEMPTIONS};

/* How a machine disturbs: the logarithm of a block's value, one after the other. */
enum noise {
	NORMAL,
	HEAVY,    /* Student's t with 3 degrees of freedom */
	SKEWED,   /* disturbances only make slower: exponential */
	SPIKES,   /* one block in ten is half as slow again */
	DRIFTING, /* a random walk that both sides of a pair ride, and normal noise */
	TICKS,    /* normal, rounded to a clock of 4 % of the value */
	BUSY,     /* the machine is slow for runs of some blocks, by a factor of three */
	NOISES,
};
static const char *const noise_names[NOISES] = {
    "normal", "heavy tails", "one-sided", "spikes", "drifting", "clock ticks", "busy spells"};

struct world {
	struct pf_random rng;
	enum noise noise;
	double sigma; /* of a block's logarithm */
	double walk;
	bool busy;
};

static double
block_value(struct world *w, double base)
{
	struct pf_random *r = &w->rng;
	double n = pf_random_normal(r), s = w->sigma, value;

	switch (w->noise) {
	case HEAVY:
		n /= sqrt((pf_random_exponential(r) * 2 + pow(pf_random_normal(r), 2)) / 3);
		break;
	case SKEWED:
		n = pf_random_exponential(r);
		break;
	case SPIKES:
		n += pf_random_unit(r) < 0.1 ? 0.5 / s * pf_random_unit(r) : 0;
		break;
	case DRIFTING:
		w->walk += 2 * s * pf_random_normal(r);
		break;
	case BUSY:
		w->busy = pf_random_unit(r) < 0.2 ? !w->busy : w->busy;
		n += w->busy ? log(3) / s * pf_random_unit(r) : 0;
		break;
	default:
		break;
	}
	value = base * exp(s * n + w->walk);
	return w->noise == TICKS ? fmax(0.04, round(value / 0.04) * 0.04) : value;
}

/* A bench that holds made-up blocks: what pf_bench_run() leaves behind. */
struct fake {
	struct pf_bench b;
	struct pf_block blocks[MOST_PAIRS * 2];
	struct pf_round rounds[MOST_PAIRS];
	struct pf_gate gates[8];
	int metrics; /* the first so many of `measured` */
};

static struct fake *
fake_new(const char *const *gates, size_t gate_count, int metrics)
{
	struct fake *f = calloc(1, sizeof *f);
	struct pf_bench_options o = PF_BENCH_OPTIONS_INIT;
	static char before[] = "before", after[] = "after";

	if (!f)
		exit(1);
	f->b.options = o;
	f->b.variant_count = 2;
	f->b.variants[0].name = before;
	f->b.variants[1].name = after;
	f->b.blocks = f->blocks;
	f->b.rounds = f->rounds;
	f->b.gates = f->gates;
	f->b.gate_count = gate_count;
	f->b.primary = PF_METRIC_CPU;
	for (int i = 0; i < metrics; i++)
		f->b.measured[measured[i]] = true;
	f->metrics = metrics;
	for (size_t i = 0; i < gate_count; i++) {
		if (pf_gate_parse(&f->gates[i], gates[i], NULL))
			exit(1);
	}
	if (pf_bench_make_room(&f->b, NULL))
		exit(1);
	return f;
}

static void
fake_free(struct fake *f)
{
	free(f->b.results);
	free(f->b.medians);
	free(f->b.judgements);
	free(f);
}

/* Fills pairs [from, to), with after `change` slower in everything. */
static void
fill(struct fake *f, struct world *w, size_t from, size_t to, double change)
{
	for (size_t i = from; i < to; i++) {
		int first = (int)pf_random_below(&w->rng, 2);
		for (int j = 0; j < 2; j++) {
			int side = first ? 1 - j : j;
			struct pf_block *k = &f->blocks[2 * i + (size_t)side];
			for (int m = 0; m < f->metrics; m++)
				k->value[measured[m]] = block_value(w, side ? 1 + change : 1);
		}
	}
	f->b.complete = to;
}

/* A way to ask. Each says whether it would claim a difference, or a failed gate. */
struct question {
	const char *name;
	size_t pairs, looks;
	const char *gates[4];
	size_t gate_count;
	enum { PRIMARY, ANY_OTHER, GATE, EVERY_PAIR } claim;
};

static const struct question questions[] = {
    {.name = "primary metric, 6 pairs", .pairs = 6, .looks = 1, .claim = PRIMARY},
    {.name = "primary metric, 10 pairs", .pairs = 10, .looks = 1, .claim = PRIMARY},
    {.name = "primary metric, 20 pairs", .pairs = 20, .looks = 1, .claim = PRIMARY},
    {.name = "any of 5 other metrics, 20 pairs", .pairs = 20, .looks = 1, .claim = ANY_OTHER},
    {.name = "one gate at the truth, 20 pairs",
	.pairs = 20,
	.looks = 1,
	.claim = GATE,
	.gates = {"cpu<=+0%"},
	.gate_count = 1},
    {.name = "four gates at the truth, 20 pairs",
	.pairs = 20,
	.looks = 1,
	.claim = GATE,
	.gates = {"cpu<=+0%", "wall<=+0%", "rss_peak<=+0%", "cpu>=+0%"},
	.gate_count = 4},
    {.name = "primary metric, 4 looks, 64 pairs", .pairs = 64, .looks = 4, .claim = PRIMARY},
    {.name = "four gates, 4 looks, 64 pairs",
	.pairs = 64,
	.looks = 4,
	.claim = GATE,
	.gates = {"cpu<=+0%", "wall<=+0%", "rss_peak<=+0%", "cpu>=+0%"},
	.gate_count = 4},
};

static const struct question naive = {
    .name = "(no planned looks: stop at the first of 6 … 64 pairs)",
    .pairs = 64,
    .looks = 1,
    .claim = EVERY_PAIR};

static bool
shows(const struct pf_bench *b, enum pf_metric m)
{
	enum pf_finding finding = pf_bench_finding(b, 1, m);

	return finding == PF_FINDING_BETTER || finding == PF_FINDING_WORSE;
}

static bool
claims(const struct question *q, const struct pf_bench *b)
{
	bool any = false;

	if (q->claim == PRIMARY || q->claim == EVERY_PAIR)
		return shows(b, PF_METRIC_CPU);
	if (q->claim == GATE)
		return pf_bench_verdict(b, NULL) == PF_ENO;
	for (int i = 1; i < METRICS; i++)
		any = any || shows(b, measured[i]);
	return any;
}

/* One verdict, as rounds.c comes to it: a look at the data wherever one is planned. */
static bool
ask(const struct question *q, struct fake *f, struct world *w, double change)
{
	struct pf_bench *b = &f->b;
	bool claimed = false;

	w->walk = 0;
	w->busy = false;
	b->options.pairs = q->pairs;
	b->options.looks = q->looks;
	b->look = 0;
	if (q->claim == EVERY_PAIR) {
		for (size_t n = 1; n <= q->pairs && !claimed; n++) {
			fill(f, w, n - 1, n, change);
			claimed = n >= 6 && pf_bench_decide(b, NULL) == 0 && claims(q, b);
		}
		return claimed;
	}
	for (size_t k = 1, done = 0; k <= q->looks; k++) {
		size_t n = (q->pairs * k + q->looks - 1) / q->looks;
		fill(f, w, done, n, change);
		done = n;
		b->look = q->looks > 1 ? k : 0;
		if (pf_bench_decide(b, NULL))
			exit(1);
		claimed = claims(q, b);
		if (q->looks > 1 && pf_bench_is_decided(b))
			break;
	}
	return claimed;
}

static double
rate_of(const struct question *q, enum noise noise, double sigma, double change, unsigned trials,
    uint64_t seed)
{
	struct fake *f = fake_new(q->gates, q->gate_count,
	    q->claim == ANY_OTHER ? METRICS
	    : q->claim == GATE    ? 3
				  : 1);
	struct world w = {.noise = noise, .sigma = sigma};
	unsigned claimed = 0;

	pf_random_init(&w.rng, seed + (uint64_t)noise * 1000003);
	for (unsigned i = 0; i < trials; i++)
		claimed += ask(q, f, &w, change);
	fake_free(f);
	return (double)claimed / trials;
}

static bool
wrong(unsigned trials, uint64_t seed, const char *which)
{
	bool quick = strcmp(which, "quick") == 0, looks = strcmp(which, "looks") == 0;
	size_t count = sizeof questions / sizeof *questions;
	bool good = true;
	double worst = 0;

	printf("Wrong verdicts between two equal sides, %% of %u each\n\n%-52s", trials, "");
	for (int n = 0; n < (quick ? HEAVY + 2 : NOISES); n++)
		printf("%13s", noise_names[n]);
	printf("\n");
	for (size_t i = 0; i <= count; i++) {
		const struct question *q = i < count ? &questions[i] : &naive;
		if ((quick && q->pairs > 20) || (looks && q->pairs <= 20))
			continue;
		printf("%-52s", q->name);
		for (int n = 0; n < NOISES; n++) {
			double rate;
			if ((i == count && n != NORMAL) || (quick && n > SKEWED))
				continue;
			rate = rate_of(q, (enum noise)n, 0.03, 0, i == count ? trials / 10 : trials,
			    seed + i * 7919);
			printf("%13.2f", rate * 100);
			fflush(stdout);
			if (i < count) {
				good = good && rate <= 0.055;
				worst = fmax(worst, rate);
			}
		}
		printf("\n");
	}
	printf(
	    "\nThe highest rate is %.2f %%: %s 5.5 %%.\n", worst * 100, good ? "within" : "above");
	return good;
}

static void
found(unsigned trials, uint64_t seed)
{
	static const double changes[] = {0.01, 0.02, 0.05}, spreads[] = {0.01, 0.02, 0.03, 0.05};
	static const size_t pairs[] = {6, 10, 20, 40, 64};

	printf("Slowdowns that were found, %% of %u verdicts (normal noise)\n\n", trials);
	printf("slowdown  a pair's noise");
	for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
		printf("%7zu pairs", pairs[p]);
	printf("\n");
	for (size_t c = 0; c < sizeof changes / sizeof *changes; c++) {
		for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++) {
			printf("%7.0f %%%15.0f %%", changes[c] * 100, spreads[s] * 100);
			for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
				struct question q = {
				    .pairs = pairs[p], .looks = 1, .claim = PRIMARY};
				printf("%13.1f", 100 * rate_of(&q, NORMAL, spreads[s] / sqrt(2),
							   changes[c], trials, seed + p));
				fflush(stdout);
			}
			printf("\n");
		}
	}
}

int
main(int argc, char **argv)
{
	unsigned trials = 10000;
	uint64_t seed = 20250101;
	const char *what = "wrong";
	bool check = false, good = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0)
			check = true;
		else if (strcmp(argv[i], "--trials") == 0 && i + 1 < argc)
			trials = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else
			what = argv[i];
	}
	if (trials < 10) {
		fputs("usage: error_rates [--trials N] [--seed N] [--check] "
		      "[wrong|quick|looks|found]\n",
		    stderr);
		return 2;
	}
	if (strcmp(what, "found") == 0)
		found(trials, seed);
	else
		good = wrong(trials, seed, what);
	return check && !good;
}
