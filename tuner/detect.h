/*
 * detect.h: the detectors: each looks at the evidence for one thing and adds
 * what it finds. A detector without the evidence it needs finds nothing; it
 * fails only for want of memory.
 */
#ifndef PF_TUNER_DETECT_H
#define PF_TUNER_DETECT_H

#include "tuner/evidence.h"
#include "tuner/findings.h"

struct pf_detector {
	const char *kind;  /* of its findings */
	const char *needs; /* for help: what evidence it looks at */
	int (*detect)(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err);
};

/* All of them; ends with a NULL kind. */
extern const struct pf_detector pf_detectors[];

typedef int pf_detect(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err);
pf_detect pf_detect_leak, pf_detect_allocation, pf_detect_unreturned, pf_detect_fragmentation,
    pf_detect_arenas, pf_detect_cross_thread, pf_detect_thresholds, pf_detect_gc_pressure,
    pf_detect_gc_settings, pf_detect_gc_scan, pf_detect_goroutines, pf_detect_threads,
    pf_detect_locks, pf_detect_deadlock, pf_detect_recursion, pf_detect_serialization,
    pf_detect_outside, pf_detect_threads_locked, pf_detect_spinning, pf_detect_turns,
    pf_detect_own_locks, pf_detect_ended, pf_detect_gc_off, pf_detect_outside_go,
    pf_detect_inner_locks, pf_detect_finalizers;

/* What several of them use. */

/* By how many bytes memory must grow to be looked at, of all that is held. */
double pf_least_leak(double held);

/* Goroutines or threads ("threads") of a kind of profile that pile up. PF_ENOMEM. */
enum { PF_PILE_OF_THREADS = 200 };
int pf_detect_piles(const struct pf_evidence *e, struct pf_findings *f, enum pf_profile_kind kind,
    const char *what, struct pf_error *err);

/* The CPU profile and its column of time (or samples); NULL where there is none with enough samples to judge. */
const struct pf_evidence_profile *pf_cpu_profile(const struct pf_evidence *e, uint32_t *column);
/*
 * The CPU time in which the service wanted something: without what Go marks in idle time. All findings'
 * shares of CPU time are of this. PF_ENOMEM.
 */
int pf_cpu_used(
    const struct pf_evidence_profile *ep, uint32_t column, double *used, struct pf_error *err);
/* Whether a sample is allocation (pf_sample_wanted), and not the collector's work for it. */
struct pf_stack;
bool pf_allocates(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* How many samples stand behind a CPU profile; shares of fewer than PF_FEW_SAMPLES are unsure. */
double pf_cpu_samples(const struct pf_evidence_profile *ep);
enum { PF_FEW_SAMPLES = 100, PF_LEAST_SAMPLES = 20 };
/* How many cores were busy on the average; NaN where the profile doesn't tell. */
double pf_cores_used(const struct pf_evidence_profile *ep, uint32_t column);
/*
 * How severe what a share of CPU says is by the CPU that is used at all, where the profile tells: a tenth of a core
 * is worth little whatever takes it, and few samples carry no more.
 */
enum pf_severity pf_cpu_severity(
    const struct pf_evidence_profile *ep, uint32_t column, enum pf_severity by_share);
/* Whether a profile is of a service that does next to nothing, by few samples: no share of it is worth a finding. */
bool pf_cpu_is_idle(const struct pf_evidence_profile *ep, uint32_t column);

/* Whether a CPU profile, of however few samples, shows that the service does next to nothing. */
bool pf_uses_little_cpu(const struct pf_evidence *e);

/*
 * The share of CPU time in the allocator, of which findings about it can save a part: NaN where no CPU
 * profile tells. Below PF_ALLOCATION_MATTERS there is nothing to find. PF_ENOMEM.
 */
int pf_allocation_share(const struct pf_evidence *e, double *share, struct pf_error *err);
#define PF_ALLOCATION_MATTERS 0.05

/* Of what was freed, the share of objects that another thread freed than allocated them; NaN: nothing tells. */
double pf_crossed_share(const struct pf_evidence *e);

/* What the allocator says of itself, with what else is known of the service in it; false: it says nothing. */
bool pf_allocator_known(const struct pf_evidence *e, struct pf_allocator_stats *a);

/* CPUs' worth of time that the CPU profile saw, as a share of those that there are; NaN: unknown. */
double pf_busy_share(const struct pf_evidence *e);

/* Seconds of one of a column of delays: they count nanoseconds, or microseconds. */
double pf_delay_unit(const struct pf_evidence_profile *ep, uint32_t column);

/* Seconds at a lock: longer than anybody holds one who gets on. */
#define PF_STUCK_FOR 5.0

/* The 95 % interval of a share that rests on n samples (Wilson's). */
void pf_share_interval(double share, double n, double *low, double *high);

/* Adds a share of CPU with its interval, and the caveat that few samples deserve. */
void pf_add_cpu_share(struct pf_findings *f, const char *name, double share, double samples);

/*
 * The command that shows who calls a function in a profile, by an expression of its name; 0 where it would not do as
 * it stands: there is no such file, or its names are not in it.
 */
uint32_t pf_say_peek(
    struct pf_findings *f, const struct pf_evidence_profile *ep, const char *pattern);

/* Says what weakens a comparison of the snapshots of this kind. */
void pf_add_snapshot_caveats(
    const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f);

/* How the collector's CPU time compares with all CPU time used, from the best source there is. */
struct pf_gc_cost {
	double share, low, high; /* of the CPU time that the service used */
	double assist;           /* share; NaN: unknown */
	double
	    with_idle; /* and marking in idle time, which is CPU time too, of all CPU time; NaN: unknown */
	double samples;     /* behind them; NaN: counters, exact */
	const char *source; /* NULL: unknown, then all else is NaN */
	bool of_used;       /* false: of the CPUs that there are, which is less */
};
int pf_gc_cost(const struct pf_evidence *e, struct pf_gc_cost *cost, struct pf_error *err);

struct pf_go_heap;
/* Processors that collect, on average; NaN: unknown. */
double pf_gc_processors(
    const struct pf_evidence *e, const struct pf_gc_cost *c, const struct pf_go_heap *h);
/* CPU seconds of a cycle by the CPU profile of a live service; NaN: it is shorter than cycles are apart, or there is none. */
double pf_gc_cycle_of_profile(
    const struct pf_evidence *e, const struct pf_gc_cost *c, const struct pf_go_heap *h);
/*
 * Lowers the severity of the finding being built where the collector, or the service, uses little CPU: a great share
 * of next to nothing is next to nothing.
 */
void pf_gc_weigh(const struct pf_evidence *e, struct pf_findings *f, const struct pf_gc_cost *c);

/* Go's heap as its collector sees it (gc_heap.c); NaN where unknown. */
struct pf_go_heap {
	double live;       /* bytes marked by a cycle */
	double goal;       /* the heap's size that starts the next one; infinity: none does */
	double gogc;       /* percent; infinity: off; NaN: nothing tells, and a limit decides */
	double overhead;   /* all that is not heap: stacks, metadata, the binary's share */
	double limit;      /* GOMEMLIMIT; infinity: none */
	double interval;   /* seconds between cycles */
	double forced;     /* share of cycles that were forced */
	double cycle_cpu;  /* CPU seconds of one cycle */
	double cycle_wall; /* seconds that one takes at most, by one that was asked for */
	double objects;
	bool gogc_assumed; /* nothing tells GOGC: Go's default */
	bool gogc_default; /* that, where the environment is known and has none */
	bool gogc_rough;   /* read off a heap of a few megabytes */
	bool overhead_guessed;
	bool
	    limited; /* the memory limit decides when a cycle starts: another GOGC changes nothing */
	bool limited_assumed; /* as the goals look; nothing tells the limit */
	bool
	    cycle_is_mean; /* cycle_cpu is of counters since the start, without marking in idle time */
	bool growing;      /* what is live still grew when the trace ended */
	bool live_guessed; /* under a limit, from what is allocated: it may be far less */
};
int pf_go_heap(const struct pf_evidence *e, struct pf_go_heap *heap, struct pf_error *err);
/* Whether most cycles come because they are asked for, or by the clock: no setting makes those rarer. */
bool pf_go_heap_is_forced(const struct pf_go_heap *h);

/* The heap's goal under another GOGC, where that decides it. */
double pf_goal_at(const struct pf_go_heap *h, double gogc);
/* The GOGC that makes no higher goal than this; negative: none does, for more is live. */
double pf_gogc_for(const struct pf_go_heap *h, double goal);

/* Where the memory comes from that the collector has to clear away: the stacks that allocate most. PF_ENOMEM. */
int pf_show_gc_allocators(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err);
/* The collector's own heaviest stack. PF_ENOMEM. */
int pf_show_gc_collector(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err);

/* The first of the last cycles of a trace (of PF_LEAST_CYCLES and more), which it is judged by: its beginning is warm-up. */
enum { PF_LEAST_CYCLES = 3 };
size_t pf_gctrace_steady(const struct pf_gctrace *t);

#endif
