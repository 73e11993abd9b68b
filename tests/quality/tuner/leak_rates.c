/*
 * leak_rates.c: how often the leak detector is wrong, and how often it finds a leak:
 * series of simulated heap profiles, judged by the very code that judges real ones.
 *
 *	leak_rates [--series N] [--seed N] [--only WORDS] [--through] [--check]
 *
 * A service of 16 functions holds some 200 MiB in objects of 64 B to 64 KiB. Its
 * heap profile is a sample, as Go's, jemalloc's and the agent's are: one point in
 * 512 KiB on average, so an object of s bytes is in it with probability
 * 1 - exp(-s / 512 KiB), and stays in it for as long as it lives: from snapshot to
 * snapshot only what was replaced meanwhile is drawn anew. One function then does
 * what its row says. Snapshots come at even times; with five, as `profuse tune
 * --service` takes them, the first is a good deal earlier than the rest. Two are a
 * base and what is compared with it: they can't tell growth from a leak, and say so.
 *
 * Rows without a leak: a false alarm is any finding at all. Rows with one: found is
 * a finding of the function that leaks. N series a row (1,000), so a rate of 5 % is
 * known to ±1.4 points. --through: all functions allocate through another one, as by
 * a malloc of their own that never fails, so that each is a part of what that one
 * holds. --check ends with status 1 where a row's false alarms are
 * beyond MOST_ALARMS by more than that.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "profile/builder.h"
#include "stats/random.h"
#include "tuner/detect.h"

enum { FUNCTIONS = 16, MOST_SNAPSHOTS = 60 };

#define MIB 1048576.0
#define RATE 524288.0
#define MOST_ALARMS 0.05
#define PI 3.14159265358979323846

/* How a function's memory goes over the time of the series, t from 0 to 1, in MiB. */
struct course {
	double level, noise; /* noise: share of it, from snapshot to snapshot */
	double keeps;        /* share of its objects that live on to the next snapshot */
	double at, pace, phase, size, drift;
};

struct world {
	struct pf_random rng;
	size_t snapshots;
};

static bool through; /* all allocate through one */

typedef double course_at(struct world *w, struct course *c, double t, size_t i);

static double
steady(struct world *w, struct course *c, double t, size_t i)
{
	(void)t;
	(void)i;
	return c->level * exp(c->noise * pf_random_normal(&w->rng));
}

/* A cache that fills and is full: at a third to two thirds of the series, or so early that little is seen of it. */
static double
fills(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) * fmin(1, 0.05 + t / c->at);
}

/* The same ever more slowly: what is put in is more and more often there. */
static double
saturates(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) * (1 - 0.95 * exp(-4 * t / c->at));
}

/* As the day goes: whole waves, one to four in the series. */
static double
waves(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) * (1 + 0.6 * sin(2 * PI * (c->pace * t + c->phase)));
}

/* Garbage that waits for its collection: up to as much again as is live. */
static double
saw_tooth(struct world *w, struct course *c, double t, size_t i)
{
	double turn = c->pace * 3 * t + c->phase;

	return steady(w, c, t, i) * (1 + (turn - floor(turn)));
}

/* A table that is loaded once, at some time. */
static double
loads(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) * (t < c->phase ? 0.2 : 1);
}

/* Batches: a burst now and then. */
static double
bursts(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) * (pf_random_unit(&w->rng) < 0.25 ? 3 : 1);
}

/* Load that goes up and down by chance, and comes back: what is a little more stays so for some snapshots. */
static double
wanders(struct world *w, struct course *c, double t, size_t i)
{
	(void)t;
	(void)i;
	c->drift = 0.7 * c->drift + 0.2 * pf_random_normal(&w->rng);
	return c->level * exp(c->drift);
}

/* An array that is enlarged by doubling when it is full, of which there are eight: their blocks grow. */
static double
array_of(struct course *c, double need)
{
	c->keeps = 1;
	c->size = exp2(ceil(log2(need))) * MIB / 8;
	return 8 * c->size / MIB;
}

/* The arrays of a table that fills until it is full, at a time at which that can be seen. */
static double
fills_arrays(struct world *w, struct course *c, double t, size_t i)
{
	(void)w;
	(void)i;
	return array_of(c, c->level * fmin(1, 0.05 + t / c->at));
}

/* Arrays that are appended to for ever, by a process that has run for a while. */
static double
doubles(struct world *w, struct course *c, double t, size_t i)
{
	(void)w;
	(void)i;
	return array_of(c, c->level * (0.02 + c->at / 4 + t));
}

static double leak_pace; /* of the whole service's memory, a snapshot */

static double
leaks(struct world *w, struct course *c, double t, size_t i)
{
	return steady(w, c, t, i) + leak_pace * 200 * (double)i;
}

/* A leak in a function whose load goes up and down, too. */
static double
leaks_in_waves(struct world *w, struct course *c, double t, size_t i)
{
	return waves(w, c, t, i) * 0.5 + leak_pace * 200 * (double)i;
}

/* A leak beside which a cache fills: the function allocates for both. */
static double
leaks_and_fills(struct world *w, struct course *c, double t, size_t i)
{
	return fills(w, c, t, i) + leak_pace * 200 * (double)i;
}

struct row {
	const char *name;
	course_at *course;
	double noise;
	double pace; /* of a leak; 0: none */
};

static const struct row rows[] = {
    {"steady", steady, 0, 0},
    {"steady, level changes by 10 %", steady, 0.1, 0},
    {"cache fills, then is full", fills, 0.01, 0},
    {"cache saturates", saturates, 0.01, 0},
    {"waves, one to four", waves, 0.05, 0},
    {"saw-tooth of a collector", saw_tooth, 0.02, 0},
    {"a table is loaded once", loads, 0.02, 0},
    {"bursts", bursts, 0.05, 0},
    {"load that wanders", wanders, 0, 0},
    {"leak of 0.5 % a snapshot", leaks, 0.02, 0.005},
    {"leak of 1 %", leaks, 0.02, 0.01},
    {"leak of 2 %", leaks, 0.02, 0.02},
    {"leak of 5 %", leaks, 0.02, 0.05},
    {"leak of 10 %", leaks, 0.02, 0.1},
    {"leak of 2 %, in waves", leaks_in_waves, 0.05, 0.02},
    {"leak of 2 %, beside a cache that fills", leaks_and_fills, 0.02, 0.02},
    {"arrays double until they are full", fills_arrays, 0, 0},
    {"arrays double for ever", doubles, 0, 1},
};

static void
require(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "leak_rates: %s\n", what);
		exit(2);
	}
}

/* ---- sampling ---- */

/* Poisson of any mean: by counting exponential gaps, beyond 200 by a rounded normal. */
static double
poisson(struct pf_random *r, double mean)
{
	double n = -1, sum = 0;

	if (mean > 200)
		return fmax(0, round(mean + sqrt(mean) * pf_random_normal(r)));
	for (; sum <= mean; n++)
		sum += pf_random_exponential(r);
	return n;
}

/* How many of n stay, each with probability p. */
static double
binomial(struct pf_random *r, double n, double p)
{
	double kept = 0;

	if (n > 400)
		return fmin(n, fmax(0, round(n * p + sqrt(n * p * (1 - p)) * pf_random_normal(r))));
	for (double i = 0; i < n; i++)
		kept += pf_random_unit(r) < p;
	return kept;
}

/* What the profile knows of a function: which of its objects were sampled, and of all that it ever allocated. */
struct held {
	double objects, sampled, allocated;
};

/* The next snapshot's objects: of those that were there some stay, the rest are new. */
static void
advance(struct pf_random *r, struct held *h, double objects, double keeps, double seen)
{
	double stay = fmin(h->objects * keeps, objects);
	double share = h->objects > 0 ? stay / h->objects : 0;
	double new = poisson(r, (objects - stay) * seen);

	h->sampled = binomial(r, h->sampled, share) + new;
	h->allocated += new;
	h->objects = objects;
}

static void
make_profile(struct pf_evidence *e, const struct held *held, const struct course *courses,
    double time, size_t snapshot, bool base)
{
	struct pf_text file = pf_text_of("service.c", 9);
	struct pf_profile *p;
	struct pf_builder b;
	struct pf_error err = {0};
	bool good = !pf_profile_new(&p, &err);
	char name[32];

	pf_builder_init(&b, p, PF_BUILD_ALL);
	good = good && !pf_builder_type(&b, "inuse_objects", "count", &err) &&
	       !pf_builder_type(&b, "inuse_space", "bytes", &err) &&
	       !pf_builder_type(&b, "alloc_objects", "count", &err) &&
	       !pf_builder_type(&b, "alloc_space", "bytes", &err) &&
	       !pf_builder_period(&b, "space", "bytes", (int64_t)RATE, &err);
	for (int i = 0; good && i < FUNCTIONS; i++) {
		double seen = -expm1(-courses[i].size / RATE), n = round(held[i].sampled / seen),
		       all = round(held[i].allocated / seen);
		const int64_t values[] = {(int64_t)n, (int64_t)(n * courses[i].size), (int64_t)all,
		    (int64_t)(all * courses[i].size)};
		struct pf_text text;

		snprintf(name, sizeof name, "function_%d", i);
		text = pf_text_of(name, strlen(name));
		good = (!through ||
			   !pf_builder_function(&b, pf_text_of("allocate", 8), file, 0, &err)) &&
		       !pf_builder_function(&b, text, file, 0, &err) &&
		       !pf_builder_sample(&b, values, &err);
	}
	good = good && !pf_builder_end(&b, &err);
	p->time_nanos = (int64_t)(time * 1e9);
	pf_builder_release(&b);
	snprintf(name, sizeof name, "heap-%zu", snapshot);
	require(good && !pf_evidence_add_profile(e, p, name, base, &err), err.message);
}

static void
draw_course(struct world *w, struct course *c, bool subject)
{
	struct pf_random *r = &w->rng;

	*c = (struct course){.level = subject ? 60 : 2 + 14 * pf_random_unit(r),
	    .noise = 0.02 * pf_random_unit(r),
	    .keeps = pf_random_unit(r),
	    .at = 0.1 + 0.5 * pf_random_unit(r),
	    .pace = 1 + 3 * pf_random_unit(r),
	    .phase = pf_random_unit(r),
	    .size = exp2(6 + 10 * pf_random_unit(r))};
}

/* One service, watched: whether anything was found, and whether the subject was. */
static void
watch(struct world *w, const struct row *row, bool *any, bool *subject)
{
	struct course courses[FUNCTIONS];
	struct held held[FUNCTIONS] = {{0}};
	struct pf_evidence e;
	struct pf_findings f;
	struct pf_error err = {0};
	double last = (double)w->snapshots - 1;

	require(!pf_evidence_init(&e, "service", &err) && !pf_findings_init(&f, &err), "no memory");
	for (int i = 0; i < FUNCTIONS; i++)
		draw_course(w, &courses[i], i == 0);
	courses[0].noise = row->noise;
	for (size_t s = 0; s < w->snapshots; s++) {
		/* Five: as --service takes them, the first before its CPU profile. */
		double t = w->snapshots == 5 ? (s ? 0.5 + 0.125 * (double)s : 0) : (double)s / last;

		for (int i = 0; i < FUNCTIONS; i++) {
			struct course *c = &courses[i];
			double mib =
			    i ? steady(w, c, t, s)
			      : row->course(w, c, t, w->snapshots == 5 ? (size_t)(8 * t) : s);
			advance(&w->rng, &held[i], mib * MIB / c->size, c->keeps,
			    -expm1(-c->size / RATE));
		}
		make_profile(
		    &e, held, courses, 1e9 + 600 * last * t, s, w->snapshots == 2 && s == 0);
	}
	pf_evidence_settle(&e);
	require(!pf_detect_leak(&e, &f, &err), err.message);
	*any = f.finding_count > 0;
	*subject = false;
	for (size_t i = 0; i < f.finding_count; i++)
		*subject |=
		    strstr(pf_said(&f, f.findings[i].title), " function_0 allocates") != NULL;
	pf_findings_release(&f);
	pf_evidence_release(&e);
}

int
main(int argc, char **argv)
{
	static const size_t lengths[] = {2, 5, 8, 16, 32, 60};
	enum { LENGTHS = sizeof lengths / sizeof *lengths };
	unsigned long series = 1000, seed = 1;
	const char *only = "";
	bool check = false, good = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--series") == 0 && i + 1 < argc)
			series = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "--through") == 0)
			through = true;
		else if (strcmp(argv[i], "--check") == 0)
			check = true;
		else
			require(false, "usage: leak_rates [--series N] [--seed N] [--only WORDS] "
				       "[--through] [--check]");
	}
	require(series > 0, "--series 0");
	printf("%-40s", "snapshots");
	for (int l = 0; l < LENGTHS; l++)
		printf(" %8zu", lengths[l]);
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		if (!strstr(rows[r].name, only))
			continue;
		printf("\n%-32s %-7s", rows[r].name, rows[r].pace > 0 ? "found" : "alarms");
		for (int l = 0; l < LENGTHS; l++) {
			struct world w = {.snapshots = lengths[l]};
			unsigned long hits = 0;
			double rate;

			leak_pace = rows[r].pace;
			pf_random_init(&w.rng, seed * 1000003 + r * 101 + (unsigned)l);
			for (unsigned long i = 0; i < series; i++) {
				bool any, subject;
				watch(&w, &rows[r], &any, &subject);
				hits += rows[r].pace > 0 ? subject : any;
			}
			rate = (double)hits / (double)series;
			printf(" %6.1f %%", 100 * rate);
			fflush(stdout);
			good &= rows[r].pace > 0 || lengths[l] == 2 ||
				rate <= MOST_ALARMS + 2 * sqrt(MOST_ALARMS / (double)series);
		}
	}
	printf("\n");
	return check && !good;
}
