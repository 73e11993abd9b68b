/*
 * gc_model.c: what Go's collector costs.
 *
 * A CPU profile's share of samples in gcBgMarkWorker, gcAssistAlloc and
 * bgsweep, without marking in idle time (it takes nothing from anybody); else
 * the runtime's own counters, which are of the same kind; else gctrace, whose
 * times per cycle add up, as a share of what the CPUs could do. What the heap is
 * like that it costs it for: gc_heap.c.
 */
#include "tuner/detect.h"

#include <math.h>

#include "tuner/sites.h"

#define LITTLE 0.05 /* of a core: who collects with less has little to gain */

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
	size_t from;

	if (!e->has_trace || t->count < PF_LEAST_CYCLES)
		return;
	from = pf_gctrace_steady(t);
	seconds = t->cycles[t->count - 1].at - t->cycles[from - 1].at;
	cpus = t->cycles[t->count - 1].processors;
	for (size_t i = from; i < t->count; i++) {
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

/* Processors that collect while the CPU profile is taken; NaN: there is none. */
static double
collecting(const struct pf_evidence *e, const struct pf_gc_cost *c)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);

	return ep ? c->share * pf_cores_used(ep, column) : NAN;
}

/* Seconds of the CPU profile; NaN: there is none. */
static double
window_of(const struct pf_evidence *e)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);

	return ep ? (double)pf_profile_duration_nanos(ep->p) / 1e9 : NAN;
}

/* A profile that is shorter than cycles are apart may have one too many, and no more. */
double
pf_gc_processors(
    const struct pf_evidence *e, const struct pf_gc_cost *c, const struct pf_go_heap *h)
{
	double window = window_of(e);

	if (!isnan(h->cycle_cpu))
		return h->cycle_cpu / h->interval;
	return collecting(e, c) * window / fmax(window, h->interval);
}

double
pf_gc_cycle_of_profile(
    const struct pf_evidence *e, const struct pf_gc_cost *c, const struct pf_go_heap *h)
{
	return e->asked && window_of(e) >= h->interval ? collecting(e, c) * h->interval : NAN;
}

void
pf_gc_weigh(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_finding *finding = pf_findings_last(f);
	double used = collecting(e, c);

	if (ep)
		finding->severity = pf_cpu_severity(ep, column, finding->severity);
	if (!(used < LITTLE))
		return;
	finding->severity = PF_SEVERITY_LOW;
	pf_add_number(f, "processors_that_collect", used, "count");
}
