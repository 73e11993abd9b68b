/*
 * gc_heap.c: the heap that Go's collector is paced by.
 *
 * goal = live + (live + roots)·GOGC/100, and 4 MiB·GOGC/100 at least, so live follows
 * from goal and GOGC where nobody says it. gctrace's third number is what was
 * marked: floating garbage is in it, and that is what paces the collector.
 *
 * Under GOMEMLIMIT the goal is the lesser of that and of what the limit leaves. Then
 * goals say nothing of GOGC nor of what is live, and no other GOGC moves them.
 *
 * A trace begins with the program: its figures are those of the last cycles.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/quantile.h"
#include "tuner/holdings.h"
#include "tuner/sites.h"

enum { GOGC_DEFAULT = 100, MEGABYTE = 1 << 20, LEAST_GOAL = 4 << 20, SMALL_HEAP = 4 * LEAST_GOAL };

#define OFF 0x1p31       /* percent: more than any GOGC that is set */
#define NO_LIMIT 0x1p62  /* bytes: what the runtime says where there is none */
#define STEADY 1.25      /* apart at most, of what is live */
#define UNDER_RATIO 0.9  /* of the goal that GOGC would make: the limit does */
#define UNLIKE_RATIO 1.5 /* by so much goals are apart that no one GOGC made */
#define TOO_LOW 0.7      /* of the goal that Go's default makes of what the heap profile has */
#define OWN_GOAL 0.8     /* of the highest: a goal that the limit did not make */

/* The trace cuts sizes to whole megabytes: in the middle half of one is missing. */
static const double cut = 0x1p19;

/* The runtime reads "off" as no limit by ratio; else a whole percentage. */
static double
parse_gogc(const char *text)
{
	char *end;
	double value;

	if (!*text)
		return NAN;
	if (strcmp(text, "off") == 0)
		return INFINITY;
	value = strtod(text, &end);
	return end == text || *end ? NAN : value < 0 || value >= OFF ? INFINITY : value;
}

/* "4GiB", "512MiB", "1024", "off": as GOMEMLIMIT takes it. */
static double
parse_limit(const char *text)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {{"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
	char *end;
	double value = strtod(text, &end);

	if (strcmp(text, "off") == 0)
		return INFINITY;
	if (end == text)
		return NAN;
	for (size_t i = 0; *end && i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) == 0)
			return value * units[i].factor;
	}
	return *end ? NAN : value;
}

bool
pf_go_heap_is_forced(const struct pf_go_heap *h)
{
	return h->forced > 0.5;
}

double
pf_goal_at(const struct pf_go_heap *h, double gogc)
{
	return fmax(h->live * (1 + gogc / 100), LEAST_GOAL * gogc / 100);
}

double
pf_gogc_for(const struct pf_go_heap *h, double goal)
{
	return 100 * fmin(goal / h->live - 1, goal / LEAST_GOAL);
}

/* The last third, and three cycles at least. */
size_t
pf_gctrace_steady(const struct pf_gctrace *t)
{
	size_t wanted = t->count / 3 > PF_LEAST_CYCLES ? t->count / 3 : PF_LEAST_CYCLES;

	return t->count > wanted ? t->count - wanted : 1;
}

static double
cpu_of(const struct pf_gc_cycle *c)
{
	return c->cpu_stop_sweep + c->cpu_assist + c->cpu_background + c->cpu_stop_mark;
}

/*
 * GOGC, from how the goals of cycles follow from what was marked before: to the nearest 5 %. Of a
 * heap of a few megabytes whole ones tell it but roughly, on average over many cycles; and the goal
 * is never less than 4 MiB·GOGC/100. Goals above `most` were made by a limit.
 */
static int
gogc_of_trace(const struct pf_gctrace *t, double most, struct pf_go_heap *h, struct pf_error *err)
{
	double *ratio, goals = 0, grown = 0, bases = 0, all;
	size_t ratios = 0, n = 0;
	int rc = PF_CALLOC(ratio, t->count, err);

	if (rc)
		return rc;
	for (size_t i = 1; i < t->count; i++) {
		double goal = t->cycles[i].goal + cut, live = t->cycles[i - 1].live + cut;
		double base = live + t->cycles[i].stacks + t->cycles[i].globals;

		if (t->cycles[i].goal > most || (isfinite(most) && base < LEAST_GOAL))
			continue;
		if (base >= 2 * LEAST_GOAL)
			ratio[ratios++] = (goal - live) / base;
		goals +=
		    t->cycles[i].goal; /* the least one is whole where GOGC is a multiple of 25 */
		grown += goal - live;
		bases += base;
		n++;
	}
	if (n) {
		pf_sort(ratio, ratios);
		h->gogc_rough = ratios == 0;
		all = fmin(grown / bases, goals / (double)n / LEAST_GOAL);
		h->gogc = fmax(5, round((ratios ? pf_quantile(ratio, ratios, 0.5) : all) * 20) * 5);
	}
	free(ratio);
	return 0;
}

/*
 * Whether goals of the last cycles are too low to follow from what was marked by the GOGC of others: a limit
 * made them. Bounds of what a goal's ratio may have been: sizes are cut to whole megabytes, and sweeping may
 * raise a goal by another. Of a small heap one high goal says nothing: what a start allocates while it marks raises it.
 */
static bool
looks_limited(const struct pf_gctrace *t, size_t from)
{
	double highest = 0, second = 0, lowest = INFINITY;

	for (size_t i = 1; i < t->count; i++) {
		double goal = t->cycles[i].goal, live = t->cycles[i - 1].live;
		double base = live + t->cycles[i].stacks + t->cycles[i].globals;
		double least;

		if (live < LEAST_GOAL) /* the least goal may be higher than its ratio's */
			continue;
		least = (goal - live - 2 * MEGABYTE) / (base + 3 * MEGABYTE);
		second = fmax(second, live < SMALL_HEAP ? fmin(highest, least) : least);
		highest = fmax(highest, least);
		if (i >= from)
			lowest = fmin(lowest, (goal + MEGABYTE - live) / base);
	}
	return second > UNLIKE_RATIO * lowest;
}

/* Whether the last goals are lower than this GOGC makes them. */
static bool
is_under(const struct pf_gctrace *t, size_t from, double gogc)
{
	size_t under = 0;

	for (size_t i = from; i < t->count; i++) {
		double live = t->cycles[i - 1].live;
		double base = live + t->cycles[i].stacks + t->cycles[i].globals;

		under += live >= LEAST_GOAL &&
			 t->cycles[i].goal + MEGABYTE < UNDER_RATIO * (live + base * gogc / 100);
	}
	return 2 * under > t->count - from;
}

/* Cycles that were not forced, where there are any: forced ones have less garbage in what they mark. */
struct last_cycles {
	const struct pf_gctrace *t;
	size_t from;
	bool forced_too;
	double live; /* what the program lives with at the end */
};

static bool
counts(const struct last_cycles *l, size_t i)
{
	return i >= l->from && (l->forced_too || !l->t->cycles[i].forced);
}

static bool
is_steady(const struct last_cycles *l, size_t i)
{
	double live = l->t->cycles[i].live + cut;

	return live * STEADY >= l->live && live <= l->live * STEADY;
}

/* Medians of the last cycles that are alike. `room`: for the cycles' figures. */
static void
judge_last(const struct last_cycles *l, struct pf_go_heap *h, double *room)
{
	const struct pf_gctrace *t = l->t;
	double *live = room, *goal = room + t->count, *cpu = goal + t->count;
	size_t n = 0, goals = 0;

	for (size_t i = l->from; i < t->count; i++) {
		if (is_steady(l, i - 1))
			goal[goals++] = t->cycles[i].goal + cut;
		if (!counts(l, i) || !is_steady(l, i))
			continue;
		live[n] = t->cycles[i].live + cut;
		cpu[n++] = cpu_of(&t->cycles[i]);
	}
	pf_sort(live, n);
	pf_sort(cpu, n);
	pf_sort(goal, goals);
	h->live = n ? pf_quantile(live, n, 0.5) : l->live;
	h->cycle_cpu = n ? pf_quantile(cpu, n, 0.5) : NAN;
	h->goal = goals ? pf_quantile(goal, goals, 0.5) : t->cycles[t->count - 1].goal + cut;
	h->growing = t->cycles[t->count - 1].live > STEADY * t->cycles[l->from].live &&
		     t->cycles[t->count - 1].live >= 2 * LEAST_GOAL;
}

/* What is live at the end, or mostly was before a load ended. */
static void
find_last(struct last_cycles *l, double *room)
{
	const struct pf_gctrace *t = l->t;
	double last = NAN;
	size_t n = 0;

	l->from = pf_gctrace_steady(t);
	for (size_t i = l->from; i < t->count; i++)
		n += !t->cycles[i].forced;
	l->forced_too = n < PF_LEAST_CYCLES;
	n = 0;
	for (size_t i = l->from; i < t->count; i++) {
		if (counts(l, i))
			room[n++] = last = t->cycles[i].live + cut;
	}
	pf_sort(room, n);
	l->live = fmax(last, pf_quantile(room, n, 0.5));
}

static int
heap_of_trace(const struct pf_gctrace *t, struct pf_go_heap *h, struct pf_error *err)
{
	struct last_cycles l = {.t = t};
	double *room = NULL, most = 0;
	size_t n;
	int rc = 0;

	if (t->count < PF_LEAST_CYCLES)
		return 0;
	rc = PF_CALLOC(room, 3 * t->count, err);
	if (rc)
		return rc;
	find_last(&l, room);
	judge_last(&l, h, room);
	free(room);
	for (size_t i = l.from; i < t->count; i++) {
		h->forced = (isnan(h->forced) ? 0 : h->forced) + t->cycles[i].forced;
		most = fmax(most, t->cycles[i].goal);
	}
	n = t->count - l.from;
	h->forced /= (double)n;
	if (t->cycles[t->count - 1].at > t->cycles[l.from - 1].at)
		h->interval = (t->cycles[t->count - 1].at - t->cycles[l.from - 1].at) / (double)n;
	if (!isnan(h->gogc)) {
		h->limited = is_under(t, l.from, h->gogc);
		return 0;
	}
	h->limited = h->limit != INFINITY && looks_limited(t, l.from);
	return gogc_of_trace(t, h->limited ? OWN_GOAL * most : INFINITY, h, err);
}

/* What is set, as the runtime says it. */
static void
settings_of_stats(const struct pf_evidence *e, struct pf_go_heap *h)
{
	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, NULL); s;
	    s = pf_evidence_stats_last(e, PF_STATS_GO, s)) {
		if (isnan(h->gogc))
			h->gogc = s->go.gogc;
		if (isnan(h->limit) && s->go.gomemlimit > 0)
			h->limit = s->go.gomemlimit >= NO_LIMIT ? INFINITY : s->go.gomemlimit;
	}
}

/* Cycles between the first figures and the last ones, without those that were asked for to look at the heap. */
static void
cycles_of_stats(
    const struct pf_evidence *e, const struct pf_evidence_stats *now, struct pf_go_heap *h)
{
	const struct pf_evidence_stats *then = NULL;
	double cycles, forced, asked;

	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, now); s;
	    s = pf_evidence_stats_last(e, PF_STATS_GO, s)) {
		if (!isnan(s->go.cycles) && !isnan(s->go.last_gc))
			then = s;
	}
	if (!then)
		return;
	asked = now->asked - then->asked;
	cycles = now->go.cycles - then->go.cycles - asked;
	forced = now->go.forced_cycles - then->go.forced_cycles - asked;
	if (asked > 0 && forced >= 0) /* it did collect when it was asked to */
		h->cycle_wall = e->answered;
	if (cycles > 0 && now->go.last_gc > then->go.last_gc) {
		h->interval = (now->go.last_gc - then->go.last_gc) / cycles;
		h->forced = fmax(0, forced) / cycles;
	}
}

static void
heap_of_stats(const struct pf_evidence *e, struct pf_go_heap *h)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	const struct pf_go_stats *s;

	if (!now)
		return;
	s = &now->go;
	h->goal = isnan(h->goal) ? s->next_gc : h->goal;
	h->live = isnan(h->live) ? s->live : h->live;
	h->objects = s->heap_objects;
	if (!isnan(s->sys) && !isnan(s->heap_sys))
		h->overhead = s->sys - s->heap_sys;
	cycles_of_stats(e, now, h);
}

/* Processors that the collector's share of all CPU time is of; NaN: unknown. */
static double
processors_of(const struct pf_evidence *e)
{
	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, NULL); s;
	    s = pf_evidence_stats_last(e, PF_STATS_GO, s)) {
		if (!isnan(s->go.gomaxprocs))
			return s->go.gomaxprocs;
	}
	return e->cpus;
}

/* When the process began, in seconds since the epoch; NaN: unknown. */
static double
start_of(const struct pf_evidence *e)
{
	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, NULL); s;
	    s = pf_evidence_stats_last(e, PF_STATS_GO, s)) {
		if (s->go.start_time > 0)
			return s->go.start_time;
	}
	return NAN;
}

/* What a cycle costs on average, by the runtime's counters: the collector's share of all that the CPUs could do. */
static void
cycle_of_stats(const struct pf_evidence *e, struct pf_go_heap *h)
{
	double cpus = processors_of(e), start = start_of(e);

	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	    s && isnan(h->cycle_cpu); s = pf_evidence_stats_last(e, PF_STATS_GO, s)) {
		const struct pf_go_stats *g = &s->go;

		if (!(g->cycles > 0))
			continue;
		h->cycle_cpu = (g->gc_cpu - g->idle_gc_cpu) / g->cycles;
		if (isnan(h->cycle_cpu))
			h->cycle_cpu = g->gc_cpu_fraction * cpus * (g->last_gc - start) / g->cycles;
	}
	h->cycle_is_mean = !isnan(h->cycle_cpu);
}

/* Whether the runtime's figures have the goal where the limit leaves it: less all else that is mapped, and 3 %. */
static bool
is_at_limit(const struct pf_evidence *e, double limit)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	double left;

	if (!now || !isfinite(limit))
		return false;
	left = limit - (now->go.sys - now->go.heap_idle - now->go.heap_alloc) -
	       fmax(0.03 * limit, MEGABYTE);
	return now->go.next_gc >= 0.97 * left && now->go.next_gc < NO_LIMIT;
}

/* Under a limit no goal tells what is live: the heap profile does, which is of the last cycle. */
static double
live_of_profile(const struct pf_evidence *e, double goal)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL);
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t column = ep ? pf_evidence_column(ep, pf_in_use_columns) : PF_NONE;
	double live = column != PF_NONE ? pf_column_total(ep, column) : NAN;

	if (!(live > 0) && now)
		live = now->go.heap_alloc;
	return isnan(live) ? NAN : fmin(live, goal);
}

/* At the least goal there is, less may be live than its ratio says. */
static double
live_of_goal(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double live = h->goal / (1 + h->gogc / 100);

	return h->goal > 1.02 * LEAST_GOAL * h->gogc / 100
		   ? live
		   : fmin(live, live_of_profile(e, h->goal));
}

/* Where nothing tells GOGC nor a limit: whether so much is live that GOGC=100 would make a far higher goal. */
static bool
is_too_low(const struct pf_evidence *e, const struct pf_go_heap *h)
{
	double live;

	if (!isnan(h->gogc) || !isnan(h->limit) || e->has_trace ||
	    !pf_evidence_last(e, PF_PROFILE_HEAP))
		return false;
	live = live_of_profile(e, INFINITY);
	return live >= 2 * LEAST_GOAL && h->goal < TOO_LOW * (1 + GOGC_DEFAULT / 100.0) * live;
}

static void
judge_limit(const struct pf_evidence *e, struct pf_go_heap *h)
{
	h->limited = h->limited && h->limit != INFINITY && h->goal < NO_LIMIT;
	if (h->goal >= NO_LIMIT)
		h->goal = h->gogc = INFINITY; /* off, whoever turned it off */
	if (h->limit == INFINITY || !isfinite(h->goal))
		return;
	h->limited = h->limited || h->gogc == INFINITY || is_at_limit(e, h->limit) ||
		     (!e->has_trace && h->live >= LEAST_GOAL &&
			 h->goal < UNDER_RATIO * pf_goal_at(h, h->gogc)) ||
		     is_too_low(e, h);
	h->limited_assumed = h->limited && isnan(h->limit) && h->gogc != INFINITY;
}

int
pf_go_heap(const struct pf_evidence *e, struct pf_go_heap *h, struct pf_error *err)
{
	int rc = 0;

	*h = (struct pf_go_heap){
	    .live = NAN,
	    .goal = NAN,
	    .overhead = NAN,
	    .interval = NAN,
	    .forced = NAN,
	    .cycle_cpu = NAN,
	    .cycle_wall = NAN,
	    .objects = NAN,
	};
	h->gogc = parse_gogc(e->gogc);
	h->limit = *e->gomemlimit ? parse_limit(e->gomemlimit) : NAN;
	settings_of_stats(e, h);
	if (e->has_trace)
		rc = heap_of_trace(&e->trace, h, err);
	if (rc)
		return rc;
	heap_of_stats(e, h);
	if (isnan(h->cycle_cpu))
		cycle_of_stats(e, h);
	judge_limit(e, h);
	if (isnan(h->gogc) && !h->limited) {
		h->gogc = GOGC_DEFAULT;
		h->gogc_assumed = true;
		h->gogc_default = e->has_environment && !*e->gogc;
	}
	if (h->growing && !h->limited && isfinite(h->gogc))
		h->goal = fmax(h->goal, pf_goal_at(h, h->gogc));
	if (isnan(h->live) && h->limited) {
		h->live = live_of_profile(e, h->goal);
		h->live_guessed = !isnan(h->live) && !pf_evidence_last(e, PF_PROFILE_HEAP);
	} else if (isnan(h->live) && !isnan(h->goal) && isfinite(h->gogc))
		h->live = live_of_goal(e, h);
	if (isnan(h->overhead) && !isnan(h->goal)) {
		double rss = pf_evidence_rss(e);
		h->overhead_guessed = !(rss > h->goal);
		h->overhead = h->overhead_guessed ? 16 << 20 : rss - h->goal;
	}
	return 0;
}
