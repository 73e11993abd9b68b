/* go_memstats.c: the comments that end a heap profile's debug=1 text; see go_stats.h. */
#include "runtime/go_stats.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/lines.h"

static const char title[] = "# runtime.MemStats";

enum { RING = 256 }; /* PauseNs keeps that many pauses */

struct row {
	const char *key;
	size_t offset;
};
#define AT(MEMBER) offsetof(struct pf_go_stats, MEMBER)

static const struct row rows[] = {
    {"HeapAlloc", AT(heap_alloc)},
    {"TotalAlloc", AT(total_alloc)},
    {"Sys", AT(sys)},
    {"Mallocs", AT(mallocs)},
    {"Frees", AT(frees)},
    {"HeapSys", AT(heap_sys)},
    {"HeapIdle", AT(heap_idle)},
    {"HeapInuse", AT(heap_inuse)},
    {"HeapReleased", AT(heap_released)},
    {"HeapObjects", AT(heap_objects)},
    {"Stack", AT(stack)},
    {"NextGC", AT(next_gc)},
    {"LastGC", AT(last_gc)},
    {"NumGC", AT(cycles)},
    {"NumForcedGC", AT(forced_cycles)},
    {"GCCPUFraction", AT(gc_cpu_fraction)},
    {"MaxRSS", AT(max_rss)},
};

void
pf_go_stats_init(struct pf_go_stats *s)
{
	double *first = &s->heap_alloc, *last = &s->max_memory;

	*s = (struct pf_go_stats){0};
	for (double *at = first; at <= last; at++)
		*at = NAN;
}

bool
pf_go_memstats_recognise(const void *bytes, size_t size)
{
	struct pf_text t = pf_text_of(bytes, size);

	return pf_text_find(&t, title) != NULL;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* "[294883 1606652 290435 0 0 …]" nanoseconds: the latest pauses, zeros where there was none yet. */
static void
read_pauses(struct pf_go_stats *s, struct pf_text *t)
{
	double pauses[RING], sum = 0;
	size_t n = 0;

	if (!pf_text_skip(t, "["))
		return;
	for (int i = 0; i < RING; i++) {
		double pause = pf_text_double(t) / 1e9;
		if (t->failure)
			return;
		if (pause > 0)
			pauses[n++] = pause;
		sum += pause;
	}
	if (!n)
		return;
	qsort(pauses, n, sizeof *pauses, ascending);
	s->pause_max = pauses[n - 1];
	s->pause_p50 = pauses[n / 2];
	if (n >= 100)
		s->pause_p99 = pauses[n - 1 - n / 100];
	if (n < RING)
		s->pause_total = sum;
}

int
pf_go_memstats_parse(
    struct pf_go_stats *s, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_lines lines;
	bool inside = false;

	s->heap_alloc = s->next_gc = s->cycles = NAN; /* what must be there, from here */
	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = lines.line;

		if (pf_text_starts(&t, title)) {
			inside = true;
			continue;
		}
		if (!inside || !pf_text_skip(&t, "# "))
			continue;
		if (pf_text_skip(&t, "PauseNs = "))
			read_pauses(s, &t);
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct pf_text rest = t;
			if (!pf_text_skip(&rest, rows[i].key) || !pf_text_skip(&rest, " = "))
				continue;
			*(double *)(void *)((char *)s + rows[i].offset) = pf_text_double(&rest);
			if (rest.failure)
				return pf_lines_check(&lines, &rest, err);
		}
		if (t.failure)
			return pf_lines_check(&lines, &t, err);
	}
	s->last_gc /= 1e9;
	if (isnan(s->heap_alloc) || isnan(s->next_gc) || isnan(s->cycles))
		return pf_error_set(err, PF_EINPUT,
		    inside ? "%s: the MemStats comments are cut off: HeapAlloc, NextGC or NumGC is "
			     "missing"
			   : "%s: no MemStats comments in it: fetch /debug/pprof/heap?debug=1",
		    name);
	return 0;
}
