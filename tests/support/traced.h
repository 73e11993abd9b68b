/* traced.h: a tune of a Go service's heap, as its gctrace or /debug/pprof/heap?debug=1 tells it, and what it advises. */
#ifndef PF_TESTS_TRACED_H
#define PF_TESTS_TRACED_H

#include "support/tuned.h"
#include "tuner/detect.h"

static inline struct pf_go_heap
heap_of(const struct pf_tune *tune)
{
	struct pf_go_heap h;
	struct pf_error err = {0};

	assert_int_equal(pf_go_heap(&tune->evidence, &h, &err), 0);
	return h;
}

/* One line of gctrace: cycles that cost 0.2 s of CPU. */
static inline void
add_cycle(struct pf_buffer *b, int number, double at, const char *heap, const char *end)
{
	pf_buffer_printf(b,
	    "gc %d @%.3fs 14%%: 0.1+90+0.1 ms clock, 0.2+40/160/0+0.2 ms cpu, %s MB goal, 0 MB "
	    "stacks, 0 MB globals, 2 P%s\n",
	    number, at, heap, end);
}

static inline struct pf_tune *
tune_of_trace(const char *const *heaps, double limit, const char *metrics)
{
	struct pf_tune_options o = PF_TUNE_OPTIONS_INIT;
	struct pf_buffer trace = {.maximum = 1 << 16};
	struct pf_error err = {0};
	struct pf_tune *tune;
	int n = 0;

	o.memory_limit = limit;
	assert_int_equal(pf_tune_new(&tune, &o, &err), 0);
	for (; heaps[n]; n++)
		add_cycle(&trace, n + 1, (n + 1) * 0.2, heaps[n], "");
	add_written(tune, "trace", &trace);
	if (metrics)
		add_text(tune, "metrics", metrics, false);
	run_tune(tune);
	return tune;
}

/* As /debug/pprof/heap?debug=1 writes it: functions are in comments, without the runtime's at both ends. */
static inline void
add_heap_text(struct pf_tune *tune, const char *name, int objects, int size, bool base)
{
	char text[2048];

	snprintf(text, sizeof text,
	    "heap profile: %d: %d [%d: %d] @ heap/2\n"
	    "%d: %d [%d: %d] @ 0x488aac 0x606268 0x604d4e 0x4929e1\n"
	    "#\t0x606267\tmain.remember+0x47\t\t\t/src/a.go:277\n"
	    "#\t0x604d4d\tmain.(*T[go.shape.int]).serve+0x12d\t/src/b:c.go:12\n\n"
	    "# runtime.MemStats\n# Alloc = 5\n# HeapAlloc = 5\n# NextGC = 10\n# NumGC = 3\n",
	    objects, objects * size, objects, objects * size, objects, objects * size, objects,
	    objects * size);
	add_text(tune, name, text, base);
}

static inline bool
advises(const struct pf_tune *tune, const char *setting)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < f->advice_count; i++) {
		if (strncmp(pf_said(f, f->advices[i].setting), setting, strlen(setting)) == 0)
			return true;
	}
	return false;
}

#endif
