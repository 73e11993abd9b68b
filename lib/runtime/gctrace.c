/*
 * gctrace.c: lines of GODEBUG=gctrace=1 (Go 1.19 and later; older ones lack the
 * stacks and globals):
 *
 *	gc 14 @0.523s 3%: 0.018+1.2+0.003 ms clock, 0.037+0.20/1.1/0.3+0.006 ms cpu,
 *	    7->8->4 MB, 8 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
 */
#include "runtime/go_stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"

enum { MEGABYTE = 1 << 20, SNIFFED = 1 << 16 };

static double
number_then(struct pf_text *t, const char *behind)
{
	double value = pf_text_double(t);

	if (!t->failure && !pf_text_skip(t, behind))
		pf_text_fail(t, "not as gctrace prints it");
	return value;
}

static bool
read_cycle(struct pf_text t, struct pf_gc_cycle *c)
{
	*c = (struct pf_gc_cycle){0};
	if (!pf_text_skip(&t, "gc "))
		return false;
	c->number = number_then(&t, " @");
	c->at = number_then(&t, "s ");
	c->share = number_then(&t, "%: ") / 100;
	c->stop_sweep = number_then(&t, "+") / 1e3;
	c->concurrent = number_then(&t, "+") / 1e3;
	c->stop_mark = number_then(&t, " ms clock, ") / 1e3;
	c->cpu_stop_sweep = number_then(&t, "+") / 1e3;
	c->cpu_assist = number_then(&t, "/") / 1e3;
	c->cpu_background = number_then(&t, "/") / 1e3;
	c->cpu_idle = number_then(&t, "+") / 1e3;
	c->cpu_stop_mark = number_then(&t, " ms cpu, ") / 1e3;
	c->heap_start = number_then(&t, "->") * MEGABYTE;
	c->heap_end = number_then(&t, "->") * MEGABYTE;
	c->live = number_then(&t, " MB, ") * MEGABYTE;
	c->goal = number_then(&t, " MB goal, ") * MEGABYTE;
	if (pf_text_find(&t, "stacks")) {
		c->stacks = number_then(&t, " MB stacks, ") * MEGABYTE;
		c->globals = number_then(&t, " MB globals, ") * MEGABYTE;
	}
	c->processors = number_then(&t, " P");
	c->forced = pf_text_find(&t, "(forced)") != NULL;
	return !t.failure && c->processors > 0;
}

/* Loggers put words before it; the line proper begins with "gc N @". */
static bool
find_line(struct pf_text *t)
{
	const char *at;

	while ((at = pf_text_find(t, "gc "))) {
		struct pf_text rest = {.at = at + 3, .end = t->end};
		(void)pf_text_int64(&rest);
		if (!rest.failure && pf_text_starts(&rest, " @")) {
			t->at = at;
			return true;
		}
		t->at = at + 3;
	}
	return false;
}

bool
pf_gctrace_recognise(const void *bytes, size_t size)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "", bytes, size < SNIFFED ? size : SNIFFED);
	while (pf_lines_next(&lines)) {
		struct pf_text t = lines.line;
		struct pf_gc_cycle c;
		if (find_line(&t) && read_cycle(t, &c))
			return true;
	}
	return false;
}

int
pf_gctrace_parse(
    struct pf_gctrace *t, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_lines lines;
	bool forced =
	    false; /* "GC forced" announces a cycle that the runtime forces, its line does not say so */
	int rc = 0;

	*t = (struct pf_gctrace){0};
	pf_lines_init(&lines, name, bytes, size);
	while (!rc && pf_lines_next(&lines)) {
		struct pf_text line = lines.line;
		struct pf_gc_cycle c;

		if (!find_line(&line)) {
			forced |= pf_text_find(&line, "GC forced") != NULL;
			continue;
		}
		if (!read_cycle(line, &c)) {
			t->malformed++;
			continue;
		}
		c.forced |= forced;
		forced = false;
		rc = PF_GROW(t->cycles, t->capacity, t->count + 1, err);
		if (!rc)
			t->cycles[t->count++] = c;
	}
	if (!rc && !t->count)
		rc = pf_error_set(err, PF_EINPUT,
		    "%s: no gctrace line in it: run the program with GODEBUG=gctrace=1", name);
	else if (!rc && t->malformed > t->count)
		rc = pf_error_set(err, PF_EINPUT, "%s: %zu of %zu gctrace lines are damaged", name,
		    t->malformed, t->malformed + t->count);
	return rc;
}

void
pf_gctrace_release(struct pf_gctrace *t)
{
	free(t->cycles);
	*t = (struct pf_gctrace){0};
}
