/*
 * gc_model.c: what Go's collector costs, and the heap that it costs it for.
 *
 * CPU: a CPU profile's share of samples in gcBgMarkWorker, gcAssistAlloc and
 * bgsweep, without marking in idle time (it takes nothing from anybody); else
 * the runtime's own counters, which are of the same kind; else gctrace, whose
 * times per cycle add up, as a share of what the CPUs could do.
 *
 * The heap: goal = live + (live + roots)·GOGC/100, so live follows from goal
 * and GOGC where nobody says it. gctrace's third number is what was marked:
 * floating garbage is in it, and that is what paces the collector.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "stats/quantile.h"
#include "tuner/sites.h"

enum { GOGC_DEFAULT = 100 };

/* The trace cuts sizes to whole megabytes: in the middle half of one is missing. */
static const double cut = 0x1p19;

static const struct pf_gc_cost unknown_cost = {NAN, NAN, NAN, NAN, NAN, NAN, NULL, false};

static int
cost_of_profile(const struct pf_evidence *e, struct pf_gc_cost *c, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	double total = 0, gc = 0, assist = 0, idle = 0;
	struct pf_stack stack = {0};
	int rc = 0;

	if (!ep)
		return 0;
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		rc = pf_stack_read(&stack, ep, i, err);
		if (rc)
			break;
		if (stack.traits & PF_CODE_GC_IDLE) {
			idle += value;
			continue;
		}
		total += value;
		if (stack.traits & PF_CODE_GC)
			gc += value;
		if (stack.traits & PF_CODE_GC_ASSIST)
			assist += value;
	}
	pf_stack_release(&stack);
	if (!rc && total > 0) {
		*c = (struct pf_gc_cost){.share = gc / total,
		    .assist = assist / total,
		    .with_idle = (gc + idle) / (total + idle),
		    .samples = pf_cpu_samples(ep),
		    .source = "CPU profile",
		    .of_used = true};
		pf_share_interval(c->share, c->samples, &c->low, &c->high);
	}
	return rc;
}

/* Counters between two scrapes, or since the start. */
static void
cost_of_counters(const struct pf_evidence *e, struct pf_gc_cost *c)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL), *then;
	double gc, used, assist, idle;

	while (now && isnan(now->go.gc_cpu))
		now = pf_evidence_stats_last(e, PF_STATS_GO, now);
	if (!now)
		return;
	gc = now->go.gc_cpu - now->go.idle_gc_cpu;
	used = now->go.total_cpu - now->go.idle_cpu - now->go.idle_gc_cpu;
	assist = now->go.assist_cpu;
	idle = now->go.idle_gc_cpu;
	then = pf_evidence_stats_last(e, PF_STATS_GO, now);
	if (then && then->go.gc_cpu <= now->go.gc_cpu && then->go.total_cpu < now->go.total_cpu) {
		gc -= then->go.gc_cpu - then->go.idle_gc_cpu;
		used -= then->go.total_cpu - then->go.idle_cpu - then->go.idle_gc_cpu;
		assist -= then->go.assist_cpu;
		idle -= then->go.idle_gc_cpu;
	}
	if (!(used > 0) || !(gc >= 0))
		return;
	*c = (struct pf_gc_cost){.share = gc / used,
	    .low = gc / used,
	    .high = gc / used,
	    .assist = assist / used,
	    .with_idle = (gc + idle) / (used + idle),
	    .samples = NAN,
	    .source = "the runtime's CPU counters",
	    .of_used = true};
}

static void
cost_of_trace(const struct pf_evidence *e, struct pf_gc_cost *c)
{
	const struct pf_gctrace *t = &e->trace;
	double gc = 0, assist = 0, seconds, cpus;

	if (!e->has_trace || t->count < 3)
		return;
	seconds = t->cycles[t->count - 1].at - t->cycles[0].at;
	cpus = t->cycles[t->count - 1].processors;
	for (size_t i = 1; i < t->count; i++) {
		const struct pf_gc_cycle *cycle = &t->cycles[i];
		gc += cycle->cpu_stop_sweep + cycle->cpu_assist + cycle->cpu_background +
		      cycle->cpu_stop_mark;
		assist += cycle->cpu_assist;
	}
	if (!(seconds > 0))
		return;
	*c = (struct pf_gc_cost){.share = fmin(1, gc / (seconds * cpus)),
	    .assist = assist / (seconds * cpus),
	    .with_idle = NAN,
	    .samples = NAN,
	    .source = "gctrace, as a share of the CPUs that there are"};
	c->low = c->high = c->share;
}

int
pf_gc_cost(const struct pf_evidence *e, struct pf_gc_cost *cost, struct pf_error *err)
{
	int rc;

	*cost = unknown_cost;
	if (!pf_evidence_is_go(e))
		return 0;
	rc = cost_of_profile(e, cost, err);
	if (!rc && !cost->source)
		cost_of_counters(e, cost);
	if (!rc && !cost->source)
		cost_of_trace(e, cost);
	return rc;
}

/* The runtime reads "off" as no limit by ratio; else a whole percentage. */
static double
parse_gogc(const char *text)
{
	char *end;
	double value;

	if (!*text)
		return NAN;
	if (text[0] == 'o' && text[1] == 'f' && text[2] == 'f' && !text[3])
		return INFINITY;
	value = strtod(text, &end);
	return end == text || *end ? NAN : value < 0 ? INFINITY : value;
}

/* "4GiB", "512MiB", "1024": as GOMEMLIMIT takes it. */
static double
parse_limit(const char *text)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = {{"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
	char *end;
	double value = strtod(text, &end);

	if (end == text)
		return NAN;
	for (size_t i = 0; *end && i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) == 0)
			return value * units[i].factor;
	}
	return *end ? NAN : value;
}

/*
 * GOGC, from how the goals of cycles follow from what was marked before: to the nearest 5 %. Of a
 * heap of a few megabytes whole ones tell it but roughly, on average over many cycles; and the goal
 * is never less than 4 MiB·GOGC/100.
 */
static int
gogc_of_trace(const struct pf_gctrace *t, struct pf_go_heap *h, struct pf_error *err)
{
	double *ratio, goals = 0, grown = 0, bases = 0, all;
	size_t ratios = 0, n = t->count - 1;
	int rc = PF_CALLOC(ratio, t->count, err);

	if (rc)
		return rc;
	for (size_t i = 1; i < t->count; i++) {
		double goal = t->cycles[i].goal + cut, live = t->cycles[i - 1].live + cut;
		double base = live + t->cycles[i].stacks + t->cycles[i].globals;

		if (base >= 8 << 20)
			ratio[ratios++] = (goal - live) / base;
		goals +=
		    t->cycles[i].goal; /* the least one is whole where GOGC is a multiple of 25 */
		grown += goal - live;
		bases += base;
	}
	pf_sort(ratio, ratios);
	h->gogc_rough = ratios == 0;
	all = fmin(grown / bases, goals / (double)n / (4 << 20));
	h->gogc = fmax(5, round((ratios ? pf_quantile(ratio, ratios, 0.5) : all) * 20) * 5);
	free(ratio);
	return 0;
}

/* Medians over the cycles that were not forced, from the second on. */
static int
heap_of_trace(const struct pf_gctrace *t, struct pf_go_heap *h, struct pf_error *err)
{
	double *live = NULL, *goal, *cpu, forced = 0;
	size_t n = 0, grown = 0;
	int rc;

	if (t->count < 3)
		return 0;
	rc = PF_CALLOC(live, 3 * t->count, err);
	if (!rc && isnan(h->gogc))
		rc = gogc_of_trace(t, h, err);
	if (rc) {
		free(live);
		return rc;
	}
	goal = live + t->count;
	cpu = goal + t->count;
	for (size_t i = 1; i < t->count; i++) {
		forced += t->cycles[i].forced;
		live[n] = t->cycles[i].live + cut;
		goal[n++] = t->cycles[i].goal + cut;
	}
	pf_sort(live, n);
	pf_sort(goal, n);
	/* A service grows into its load: the upper half is what it lives with. */
	h->live = pf_quantile(live, n, 0.75);
	h->goal = pf_quantile(goal, n, 0.75);
	/* And what a cycle costs is what it costs at that height. */
	for (size_t i = 1; i < t->count; i++) {
		const struct pf_gc_cycle *c = &t->cycles[i];
		if (c->live + cut >= 0.8 * h->live)
			cpu[grown++] = c->cpu_stop_sweep + c->cpu_assist + c->cpu_background +
				       c->cpu_stop_mark;
	}
	pf_sort(cpu, grown);
	h->cycle_cpu = pf_quantile(cpu, grown, 0.5);
	h->forced = forced / (double)n;
	h->interval = (t->cycles[t->count - 1].at - t->cycles[0].at) / (double)n;
	free(live);
	return 0;
}

static void
heap_of_stats(const struct pf_evidence *e, struct pf_go_heap *h)
{
	const struct pf_evidence_stats *now = pf_evidence_stats_last(e, PF_STATS_GO, NULL), *then;
	const struct pf_go_stats *s;
	double cycles, forced;

	if (!now)
		return;
	s = &now->go;
	h->goal = isnan(h->goal) ? s->next_gc : h->goal;
	h->live = isnan(h->live) ? s->live : h->live;
	if ((isnan(h->gogc) || h->gogc_rough) && !isnan(s->gogc)) {
		h->gogc = s->gogc;
		h->gogc_rough = false;
	}
	h->limit = isnan(h->limit) && s->gomemlimit > 0
		       ? s->gomemlimit >= 0x1p62 ? INFINITY : s->gomemlimit
		       : h->limit;
	h->objects = s->heap_objects;
	if (!isnan(s->sys) && !isnan(s->heap_sys))
		h->overhead = s->sys - s->heap_sys;
	then = pf_evidence_stats_last(e, PF_STATS_GO, now);
	if (!then)
		return;
	cycles = s->cycles - then->go.cycles;
	forced = s->forced_cycles - then->go.forced_cycles;
	if (cycles > 0 && s->last_gc > then->go.last_gc) {
		h->interval = (s->last_gc - then->go.last_gc) / cycles;
		h->forced = forced / cycles;
	}
}

int
pf_go_heap(const struct pf_evidence *e, struct pf_go_heap *h, struct pf_error *err)
{
	int rc = 0;

	*h = (struct pf_go_heap){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, false, false, false};
	h->gogc = parse_gogc(e->gogc);
	h->limit = *e->gomemlimit ? parse_limit(e->gomemlimit) : NAN;
	if (e->has_trace)
		rc = heap_of_trace(&e->trace, h, err);
	if (rc)
		return rc;
	heap_of_stats(e, h);
	if (isnan(h->gogc)) {
		h->gogc = GOGC_DEFAULT;
		h->gogc_assumed = true;
	}
	if (isnan(h->live) && !isnan(h->goal) && isfinite(h->gogc))
		h->live = h->goal / (1 + h->gogc / 100);
	if (isnan(h->overhead) && !isnan(h->goal)) {
		double rss = pf_evidence_rss(e);
		h->overhead_guessed = !(rss > h->goal);
		h->overhead = h->overhead_guessed ? 16 << 20 : rss - h->goal;
	}
	return 0;
}
