/*
 * go_stats.h: what Go's runtime says about its memory, its collector and its
 * scheduler, in one form for all sources:
 *
 *	- the runtime.MemStats comments at the end of /debug/pprof/heap?debug=1;
 *	- Prometheus metrics of client_golang: go_memstats_…, go_gc_duration_seconds,
 *	  and the runtime/metrics set (go_gc_heap_live_bytes, go_cpu_classes_…,
 *	  go_sched_pauses_total_gc_seconds, …);
 *	- GODEBUG=gctrace=1 lines, among other output of a program.
 *
 * Sizes are bytes, times seconds, shares fractions of 1; unknown is NaN.
 */
#ifndef PF_RUNTIME_GO_STATS_H
#define PF_RUNTIME_GO_STATS_H

#include <stdbool.h>

#include "runtime/exposition.h"

struct pf_go_stats {
	/* memory */
	double heap_alloc;     /* reachable and not yet swept */
	double total_alloc;    /* ever */
	double mallocs, frees; /* objects, ever */
	double heap_sys, heap_idle, heap_inuse, heap_released, heap_objects;
	double stack, sys;
	double next_gc; /* the heap's size at which the next cycle starts */
	double live;    /* marked by the last cycle */
	double scan_heap, scan_stack, scan_globals; /* what a cycle has to look through */
	double gomemlimit, gogc;                    /* gogc in percent; infinity: off */
	double max_rss;
	/* the collector */
	double cycles, forced_cycles;
	double last_gc;         /* seconds since the epoch */
	double gc_cpu_fraction; /* MemStats': of GOMAXPROCS times the wall time since the start */
	double gc_cpu, assist_cpu, idle_gc_cpu, user_cpu, total_cpu,
	    idle_cpu; /* seconds since the start */
	double pause_total, pause_max, pause_p50, pause_p99;
	/* the scheduler */
	double goroutines, threads, gomaxprocs, sched_latency_p99, mutex_wait;
	double process_cpu, process_rss, start_time, max_memory; /* process_… of the same scrape */
	char version[32];
};

void pf_go_stats_init(struct pf_go_stats *s);

/* Whether a text has MemStats comments ("# runtime.MemStats"). */
bool pf_go_memstats_recognise(const void *bytes, size_t size);
/* PF_EINPUT where they are missing, cut off or malformed. */
int pf_go_memstats_parse(
    struct pf_go_stats *s, const char *name, const void *bytes, size_t size, struct pf_error *err);

/* PF_EINPUT where the scrape has no metrics of Go. PF_ENOMEM. */
int pf_go_metrics_read(
    struct pf_go_stats *s, const char *name, const struct pf_exposition *e, struct pf_error *err);

/* One line of gctrace. CPU times of a cycle are seconds over all CPUs. */
struct pf_gc_cycle {
	double number, at; /* at: seconds since the program's start */
	double share;      /* of the CPUs' time since the start, as printed: whole percents */
	double stop_sweep, concurrent, stop_mark; /* wall seconds */
	double cpu_stop_sweep, cpu_assist, cpu_background, cpu_idle, cpu_stop_mark;
	double heap_start, heap_end, live, goal; /* bytes; live is what was marked */
	double stacks, globals, processors;
	bool forced;
};

struct pf_gctrace {
	struct pf_gc_cycle *cycles; /* owned */
	size_t count, capacity;
	size_t malformed; /* lines that begin like one and are none (cut off, interleaved) */
};

bool pf_gctrace_recognise(const void *bytes, size_t size);
/*
 * Takes the trace's lines out of whatever a program printed. PF_EINPUT where
 * there is none, or where more are malformed than not; PF_ENOMEM. Release it
 * after a failure too.
 */
int pf_gctrace_parse(
    struct pf_gctrace *t, const char *name, const void *bytes, size_t size, struct pf_error *err);
void pf_gctrace_release(struct pf_gctrace *t);

#endif
