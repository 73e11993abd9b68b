/*
 * detect_deadlock_stuck.c: goroutines that have waited for minutes for two locks, while no order tells who holds them.
 *
 * A dump prints a mutex's address, and not that of a readers-writer lock which is waited for to read. Two of which one is
 * a mutex and the other isn't are two locks all the same.
 */
#include <inttypes.h>
#include <string.h>

#include "core/file.h"
#include "tuner/detect.h"
#include "tuner/wait_graph.h"

/* One of the dump that has waited for a lock for a minute and longer; g is NULL where there is none. */
struct stuck {
	const struct pf_goroutine *g;
	const struct pf_standing *at;
};

static bool
is_mutex(const struct pf_standing *s)
{
	return strstr(s->kind, "RWMutex") == NULL;
}

/* Two that wait for different locks for sure. */
static bool
find_two(const struct pf_wait_graph *w, struct stuck two[2])
{
	struct stuck known[2] = {{0}}, mutex = {0}, other = {0};

	for (size_t i = 0; i < w->dump->count; i++) {
		struct stuck x = {&w->dump->items[i], &w->standing[i]};

		if (x.g->minutes < 1 || !x.at->kind || !x.at->own)
			continue;
		if (x.at->lock && !known[0].g)
			known[0] = x;
		else if (x.at->lock && !known[1].g && x.at->lock != known[0].at->lock)
			known[1] = x;
		if (is_mutex(x.at) && !mutex.g)
			mutex = x;
		else if (!is_mutex(x.at) && !other.g)
			other = x;
	}
	two[0] = known[1].g ? known[0] : mutex;
	two[1] = known[1].g ? known[1] : other;
	return two[0].g && two[1].g;
}

static void
count_stuck(struct pf_findings *f, const struct pf_wait_graph *w)
{
	size_t count = 0;
	int64_t longest = 0;

	for (size_t i = 0; i < w->dump->count; i++) {
		if (!w->standing[i].kind)
			continue;
		count++;
		if (w->dump->items[i].minutes > longest)
			longest = w->dump->items[i].minutes;
	}
	pf_add_number(f, "goroutines_waiting_for_locks", (double)count, "count");
	pf_add_number(f, "longest_wait", (double)longest * 60, "seconds");
}

static void
tell(struct pf_findings *f, const struct pf_wait_graph *w, const struct stuck *x)
{
	struct pf_finding *finding = pf_findings_last(f);
	const struct pf_goroutine_frame *own = x->at->own;
	const char *function = pf_wait_name(w->dump, own->function);
	uint32_t address = x->at->lock ? pf_say(f, " at 0x%" PRIx64, x->at->lock) : 0;

	pf_add_dead_wait(f, x->at->lock, function);
	finding->summary = pf_say(f,
	    "%s%sGoroutine %" PRId64 " in %s (%s:%" PRId64 ") has waited for a %s%s for %" PRId64
	    " minute%s.",
	    pf_said(f, finding->summary), finding->summary ? " " : "", x->g->number, function,
	    pf_base_name(pf_wait_name(w->dump, own->file)), own->line,
	    is_mutex(x->at) ? "sync.Mutex" : "sync.RWMutex", address ? pf_said(f, address) : "",
	    x->g->minutes, x->g->minutes == 1 ? "" : "s");
}

static void
show(struct pf_findings *f, const struct pf_wait_graph *w, const struct stuck *x)
{
	const struct pf_waiter waiter = {.g = x->g, .own = x->at->own};

	pf_show_waiter(f, w, &waiter, 1);
}

void
pf_find_stuck(struct pf_findings *f, const struct pf_wait_graph *w)
{
	struct stuck two[2];

	if (!find_two(w, two))
		return;
	pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Suspected deadlock: goroutines in %s and %s have waited for locks for %" PRId64
		" minute%s",
		pf_wait_name(w->dump, two[0].at->own->function),
		pf_wait_name(w->dump, two[1].at->own->function), two[0].g->minutes,
		two[0].g->minutes == 1 ? "" : "s"));
	count_stuck(f, w);
	tell(f, w, &two[0]);
	tell(f, w, &two[1]);
	pf_add_advice(f, (struct pf_advice){.action = pf_say_order_locks(f),
			     .how = pf_say(f, "the lines above say where each waits")});
	show(f, w, &two[0]);
	show(f, w, &two[1]);
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f, "A dump does not say who holds a lock: one very long critical section looks "
		      "the same."));
}
