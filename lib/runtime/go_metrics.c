/* go_metrics.c: Go's figures among a scrape's metrics, under the names of client_golang; see go_stats.h. */
#include "runtime/go_stats.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "core/error.h"

struct row {
	const char *name;
	size_t offset;
};
#define AT(MEMBER) offsetof(struct pf_go_stats, MEMBER)

/* Of two names for one figure the later row wins: it is the more exact. */
static const struct row rows[] = {
    {"go_memstats_alloc_bytes", AT(heap_alloc)},
    {"go_memstats_heap_alloc_bytes", AT(heap_alloc)},
    {"go_memstats_alloc_bytes_total", AT(total_alloc)},
    {"go_gc_heap_allocs_bytes_total", AT(total_alloc)},
    {"go_memstats_mallocs_total", AT(mallocs)},
    {"go_gc_heap_allocs_objects_total", AT(mallocs)},
    {"go_memstats_frees_total", AT(frees)},
    {"go_gc_heap_frees_objects_total", AT(frees)},
    {"go_memstats_heap_sys_bytes", AT(heap_sys)},
    {"go_memstats_heap_idle_bytes", AT(heap_idle)},
    {"go_memstats_heap_inuse_bytes", AT(heap_inuse)},
    {"go_memstats_heap_released_bytes", AT(heap_released)},
    {"go_memory_classes_heap_released_bytes", AT(heap_released)},
    {"go_memstats_heap_objects", AT(heap_objects)},
    {"go_gc_heap_objects_objects", AT(heap_objects)},
    {"go_memstats_stack_inuse_bytes", AT(stack)},
    {"go_memory_classes_heap_stacks_bytes", AT(stack)},
    {"go_memstats_sys_bytes", AT(sys)},
    {"go_memory_classes_total_bytes", AT(sys)},
    {"go_memstats_next_gc_bytes", AT(next_gc)},
    {"go_gc_heap_goal_bytes", AT(next_gc)},
    {"go_gc_heap_live_bytes", AT(live)},
    {"go_gc_scan_heap_bytes", AT(scan_heap)},
    {"go_gc_scan_stack_bytes", AT(scan_stack)},
    {"go_gc_scan_globals_bytes", AT(scan_globals)},
    {"go_gc_gomemlimit_bytes", AT(gomemlimit)},
    {"go_gc_gogc_percent", AT(gogc)},
    {"go_gc_duration_seconds_count", AT(cycles)},
    {"go_gc_cycles_total_gc_cycles_total", AT(cycles)},
    {"go_gc_cycles_forced_gc_cycles_total", AT(forced_cycles)},
    {"go_memstats_last_gc_time_seconds", AT(last_gc)},
    {"go_memstats_gc_cpu_fraction", AT(gc_cpu_fraction)},
    {"go_cpu_classes_gc_total_cpu_seconds_total", AT(gc_cpu)},
    {"go_cpu_classes_gc_mark_assist_cpu_seconds_total", AT(assist_cpu)},
    {"go_cpu_classes_gc_mark_idle_cpu_seconds_total", AT(idle_gc_cpu)},
    {"go_cpu_classes_user_cpu_seconds_total", AT(user_cpu)},
    {"go_cpu_classes_total_cpu_seconds_total", AT(total_cpu)},
    {"go_cpu_classes_idle_cpu_seconds_total", AT(idle_cpu)},
    {"go_gc_duration_seconds_sum", AT(pause_total)},
    {"go_goroutines", AT(goroutines)},
    {"go_sched_goroutines_goroutines", AT(goroutines)},
    {"go_threads", AT(threads)},
    {"go_sched_gomaxprocs_threads", AT(gomaxprocs)},
    {"go_sync_mutex_wait_total_seconds_total", AT(mutex_wait)},
    {"process_cpu_seconds_total", AT(process_cpu)},
    {"process_resident_memory_bytes", AT(process_rss)},
    {"process_start_time_seconds", AT(start_time)},
};

static double
quantile_of_summary(const struct pf_exposition *e, const char *quantile)
{
	const char *const matchers[] = {"quantile", quantile, NULL};
	const struct pf_exposition_sample *s =
	    pf_exposition_find(e, "go_gc_duration_seconds", matchers, NULL);

	return s ? s->value : NAN;
}

/* The histogram's quantile, or the value that is there already. */
static int
quantile_of(
    const struct pf_exposition *e, const char *name, double q, double *value, struct pf_error *err)
{
	struct pf_exposition_histogram h;
	int rc = pf_exposition_histogram(e, name, NULL, &h, err);

	if (!rc) {
		double quantile = pf_exposition_histogram_quantile(&h, q);
		*value = isnan(quantile) ? *value : quantile;
	}
	pf_exposition_histogram_release(&h);
	return rc == PF_ENOMEM ? rc : 0;
}

int
pf_go_metrics_read(
    struct pf_go_stats *s, const char *name, const struct pf_exposition *e, struct pf_error *err)
{
	const struct pf_exposition_sample *info = pf_exposition_find(e, "go_info", NULL, NULL);
	size_t found = 0;
	int rc;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct pf_exposition_sample *sample =
		    pf_exposition_find(e, rows[i].name, NULL, NULL);
		if (!sample)
			continue;
		*(double *)(void *)((char *)s + rows[i].offset) = sample->value;
		found += rows[i].name[0] == 'g';
	}
	if (!found)
		return pf_error_set(err, PF_EINPUT, "%s: no metrics of Go's runtime in it", name);
	if (s->gogc < 0 || s->gogc >= 0x1p31) /* -1, which some print without its sign */
		s->gogc = INFINITY;
	if (info)
		snprintf(
		    s->version, sizeof s->version, "%s", pf_exposition_label(e, info, "version"));
	s->pause_p50 = quantile_of_summary(e, "0.5");
	s->pause_max = quantile_of_summary(e, "1");
	rc = quantile_of(e, "go_sched_pauses_total_gc_seconds", 0.5, &s->pause_p50, err);
	if (!rc)
		rc = quantile_of(e, "go_sched_pauses_total_gc_seconds", 0.99, &s->pause_p99, err);
	if (!rc)
		rc = quantile_of(e, "go_sched_latencies_seconds", 0.99, &s->sched_latency_p99, err);
	return rc;
}
