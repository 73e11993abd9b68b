/* detect.c: the list of detectors, and what several of them need. */
#include "tuner/detect.h"
#include "core/file.h"

#include <math.h>
#include <string.h>

#include "tuner/sites.h"

/* Of a core, on the average over the profile's window. */
#define IDLE_CPU 0.05
#define LITTLE_CPU 0.1
#define SOME_CPU 0.3

const struct pf_detector pf_detectors[] = {
    {"leak", "heap profiles: one with --base, or four and more over time", pf_detect_leak},
    {"leak", "Go's MemStats, twice", pf_detect_outside_go},
    {"goroutine-leak", "goroutine profiles", pf_detect_goroutines},
    {"goroutine-leak", "goroutine profiles, four and more", pf_detect_finalizers},
    {"thread-leak", "thread profiles, /proc/PID/status", pf_detect_threads},
    {"deadlock", "a goroutine dump (debug=2)", pf_detect_deadlock},
    {"deadlock", "the agent's threads profile", pf_detect_threads_locked},
    {"deadlock", "the agent's threads profile", pf_detect_ended},
    {"lock-contention", "mutex, block and contention profiles, goroutines", pf_detect_locks},
    {"lock-contention", "a CPU profile", pf_detect_spinning},
    {"lock-contention", "the agent's wall-clock profile", pf_detect_inner_locks},
    {"lock-contention", "the agent's threads profiles, three and more", pf_detect_own_locks},
    {"external-wait", "goroutine or thread profiles, with a CPU profile", pf_detect_outside},
    {"external-wait", "the agent's threads profiles, three and more", pf_detect_turns},
    {"gc-pressure", "a CPU profile, gctrace, Go's metrics", pf_detect_gc_pressure},
    {"gc-settings", "Go's heap statistics, with the collector's cost", pf_detect_gc_settings},
    {"gc-settings", "Go's heap statistics, or its environment", pf_detect_gc_off},
    {"gc-scan", "a heap profile of Go, with the collector's cost", pf_detect_gc_scan},
    {"allocation-heavy", "a CPU profile", pf_detect_allocation},
    {"serialization", "a CPU profile", pf_detect_serialization},
    {"hot-recursion", "a CPU profile", pf_detect_recursion},
    {"unreturned-memory", "an allocator's statistics", pf_detect_unreturned},
    {"fragmentation", "an allocator's statistics", pf_detect_fragmentation},
    {"arena-contention", "the agent's threads over a window, a CPU profile, statistics",
	pf_detect_arenas},
    {"cross-thread-frees", "the agent's frees profile", pf_detect_cross_thread},
    {"malloc-thresholds", "a CPU or heap profile, glibc's statistics", pf_detect_thresholds},
    {NULL, NULL, NULL},
};

double
pf_cpu_samples(const struct pf_evidence_profile *ep)
{
	static const char *const counts[] = {"samples", NULL};
	uint32_t column = pf_evidence_column(ep, counts);

	return column == PF_NONE ? (double)ep->p->sample_count : pf_column_total(ep, column);
}

double
pf_delay_unit(const struct pf_evidence_profile *ep, uint32_t column)
{
	return strncmp(pf_profile_type_unit(ep->p, column), "mic", 3) == 0 ? 1e-6 : 1e-9;
}

const struct pf_evidence_profile *
pf_cpu_profile(const struct pf_evidence *e, uint32_t *column)
{
	static const char *const names[] = {"cpu", "samples", "instructions", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_CPU);

	if (!ep || pf_cpu_samples(ep) < PF_LEAST_SAMPLES)
		return NULL;
	*column = pf_evidence_column(ep, names);
	return *column == PF_NONE || pf_column_total(ep, *column) <= 0 ? NULL : ep;
}

double
pf_cores_used(const struct pf_evidence_profile *ep, uint32_t column)
{
	double window = (double)pf_profile_duration_nanos(ep->p);

	if (!(window > 0) || strcmp(pf_profile_type_unit(ep->p, column), "nanoseconds") != 0)
		return NAN;
	return pf_column_total(ep, column) / window;
}

enum pf_severity
pf_cpu_severity(const struct pf_evidence_profile *ep, uint32_t column, enum pf_severity by_share)
{
	double cores = pf_cores_used(ep, column);

	if (cores < LITTLE_CPU || pf_cpu_samples(ep) < PF_FEW_SAMPLES)
		return PF_SEVERITY_LOW;
	return by_share == PF_SEVERITY_HIGH && cores < SOME_CPU ? PF_SEVERITY_MEDIUM : by_share;
}

bool
pf_cpu_is_idle(const struct pf_evidence_profile *ep, uint32_t column)
{
	return pf_cores_used(ep, column) < IDLE_CPU && pf_cpu_samples(ep) < PF_FEW_SAMPLES;
}

/* By a process's life until now; NaN: it isn't known. */
static double
cores_ever_used(const struct pf_evidence *e)
{
	for (const struct pf_evidence_stats *s = pf_evidence_stats_last(e, PF_STATS_PROC, NULL); s;
	    s = pf_evidence_stats_last(e, PF_STATS_PROC, s)) {
		if (s->at > s->began)
			return (s->proc.user_seconds + s->proc.system_seconds) / (s->at - s->began);
	}
	return NAN;
}

bool
pf_uses_little_cpu(const struct pf_evidence *e)
{
	static const char *const names[] = {"cpu", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_CPU);
	uint32_t column = ep ? pf_evidence_column(ep, names) : PF_NONE;

	return column != PF_NONE ? pf_cores_used(ep, column) < IDLE_CPU
				 : cores_ever_used(e) < IDLE_CPU;
}

static bool
marks_in_idle_time(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	(void)ep;
	return (s->traits & PF_CODE_GC_IDLE) != 0;
}

int
pf_cpu_used(
    const struct pf_evidence_profile *ep, uint32_t column, double *used, struct pf_error *err)
{
	struct pf_sites idle;
	int rc = pf_sites_of(&idle, ep, column, marks_in_idle_time, err);

	*used = pf_column_total(ep, column) - idle.total;
	pf_sites_release(&idle);
	return rc;
}

void
pf_share_interval(double share, double n, double *low, double *high)
{
	const double z = 1.96;
	double centre, half;

	if (!(n > 0)) {
		*low = *high = NAN;
		return;
	}
	centre = (share + z * z / (2 * n)) / (1 + z * z / n);
	half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
	*low = fmax(0, centre - half);
	*high = fmin(1, centre + half);
}

void
pf_add_cpu_share(struct pf_findings *f, const char *name, double share, double samples)
{
	double low, high;

	pf_share_interval(share, samples, &low, &high);
	pf_add_estimate(f, name, share, low, high, "share");
	if (samples < PF_FEW_SAMPLES)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The CPU profile has %.0f sample%s; shares need a few hundred.",
			samples, samples == 1 ? "" : "s"));
}

void
pf_add_snapshot_caveats(
    const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f)
{
	const struct pf_snapshot_doubts *d = &e->doubts[kind];

	if (d->builds_differ)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The snapshots are of different builds or binaries: what grew may be "
			      "what was changed."));
	if (d->times_disordered)
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f, "The base is younger than what is compared with it: the clock went "
			      "backwards, or the "
			      "files are mixed up."));
	if (d->restarted[0])
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"What was ever allocated fell between two snapshots: they are of different "
			"processes, or the clock went backwards."));
	if (d->clock[0])
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"A clock went backwards: by its time %s comes before %s, though it was "
			"given "
			"after it and more had ever been allocated in it. The order given was "
			"taken.",
			pf_base_name(d->clock[1]->name), pf_base_name(d->clock[0]->name)));
	if (d->mixed[0])
		pf_add_caveat(f, PF_UNSURE,
		    pf_say(f,
			"The snapshots are of different processes: programs or libraries lie at "
			"other addresses in %s than in %s.",
			pf_base_name(d->mixed[1]->name), pf_base_name(d->mixed[0]->name)));
	if (d->times_missing)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "The snapshots carry no times that tell them apart; the order in "
			      "which they were given was taken."));
}
