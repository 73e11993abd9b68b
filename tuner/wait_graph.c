/* wait_graph.c: see wait_graph.h. */
#include "tuner/wait_graph.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"

enum { MOST_WAITERS = 2000 };

const char *
pf_wait_name(const struct pf_goroutines *d, uint32_t id)
{
	return pf_strings_get(&d->strings, id);
}

static struct pf_standing
standing_of(const struct pf_goroutines *d, const struct pf_goroutine *g)
{
	const struct pf_goroutine_frame *frames = d->frames + g->first_frame;
	struct pf_standing s = {0};

	for (size_t i = 0; !s.own && i < g->frame_count; i++) {
		const char *name = pf_wait_name(d, frames[i].function);
		uint32_t traits = pf_code_traits(name, "");

		/* The address is what the slow path of a lock was called with. */
		if ((traits & PF_CODE_LOCK_WAIT) && strstr(name, "utex)") && frames[i].words[0])
			s.lock = frames[i].words[0];
		if (traits & PF_CODE_LOCK_WAIT)
			s.kind = name;
		if (!traits)
			s.own = &frames[i];
	}
	return s;
}

static size_t
position_of(struct pf_wait_graph *w, uint64_t address)
{
	size_t i = 0;

	while (i < w->lock_count && w->locks[i] != address)
		i++;
	if (i == w->lock_count && i < PF_MOST_LOCKS)
		w->locks[w->lock_count++] = address;
	return i;
}

/* Who else waits in its function. */
static void
look_around(const struct pf_wait_graph *w, struct pf_waiter *x)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct pf_waiter *y = &w->waiters[i];

		if (y->own->function != x->own->function)
			continue;
		x->later |= y->own->line > x->own->line;
		if (y->own->line >= x->own->line)
			continue;
		x->earlier = true;
		if (y->lock != x->lock)
			x->passed[y->lock / 64] |= UINT64_C(1) << y->lock % 64;
	}
}

int
pf_wait_graph_build(struct pf_wait_graph *w, const struct pf_goroutines *dump, struct pf_error *err)
{
	int rc;

	*w = (struct pf_wait_graph){.dump = dump};
	rc = PF_CALLOC(w->standing, dump->count, err);
	if (!rc)
		rc = PF_CALLOC(w->waiters, MOST_WAITERS, err);
	for (size_t i = 0; !rc && i < dump->count; i++) {
		struct pf_standing s = w->standing[i] = standing_of(dump, &dump->items[i]);
		struct pf_waiter new = {.g = &dump->items[i], .own = s.own};

		if (!s.lock || !s.own || w->count == MOST_WAITERS)
			continue;
		new.lock = position_of(w, s.lock);
		if (new.lock < PF_MOST_LOCKS)
			w->waiters[w->count++] = new;
	}
	for (size_t i = 0; i < w->count; i++)
		look_around(w, &w->waiters[i]);
	return rc;
}

void
pf_wait_graph_release(struct pf_wait_graph *w)
{
	free(w->waiters);
	free(w->standing);
}

bool
pf_is_dismissed(const struct pf_dismissed *d, const struct pf_question *q)
{
	for (size_t i = 0; i < d->count; i++) {
		if (memcmp(&d->items[i], q, sizeof *q) == 0)
			return true;
	}
	return false;
}

bool
pf_dismiss(struct pf_dismissed *d, const struct pf_question *q)
{
	if (d->count == PF_MOST_DISMISSED)
		return false;
	d->items[d->count++] = *q;
	return true;
}

void
pf_show_waiter(
    struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x, double value)
{
	const struct pf_goroutine_frame *frames = w->dump->frames + x->g->first_frame;

	pf_add_stack(f, value, value / fmax((double)w->count, 1), "goroutines");
	for (size_t i = 0; i < x->g->frame_count && i < 32; i++)
		pf_add_frame(f, pf_wait_name(w->dump, frames[i].function));
}

void
pf_say_waits(struct pf_findings *f, const struct pf_wait_graph *w, const struct pf_waiter *x,
    const char *holds)
{
	struct pf_finding *finding = pf_findings_last(f);

	pf_add_dead_wait(f, w->locks[x->lock], pf_wait_name(w->dump, x->own->function));
	finding->summary = pf_say(f,
	    "%s%sGoroutine %" PRId64 " in %s (%s:%" PRId64 ") waits for the lock at 0x%" PRIx64
	    "%s.",
	    pf_said(f, finding->summary), finding->summary ? " " : "", x->g->number,
	    pf_wait_name(w->dump, x->own->function),
	    pf_base_name(pf_wait_name(w->dump, x->own->file)), x->own->line, w->locks[x->lock],
	    holds);
}

uint32_t
pf_say_order_locks(struct pf_findings *f)
{
	return pf_say(f, "Take the locks in the same order everywhere, or never hold one while "
			 "taking the other (copy what is needed, unlock, go on).");
}

void
pf_begin_deadlock(struct pf_findings *f, const struct pf_wait_graph *w,
    enum pf_confidence confidence, uint32_t title, uint32_t action)
{
	int64_t longest = 0;

	for (size_t i = 0; i < w->count; i++)
		longest = w->waiters[i].g->minutes > longest ? w->waiters[i].g->minutes : longest;
	pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH, confidence, title);
	pf_add_number(f, "goroutines_waiting_for_locks", (double)w->count, "count");
	pf_add_number(f, "locks", (double)w->lock_count, "count");
	if (longest > 0) /* Go tells it from a minute on */
		pf_add_number(f, "longest_wait", (double)longest * 60, "seconds");
	pf_add_advice(
	    f, (struct pf_advice){.action = action,
		   .how = pf_say(f, "the lines above say where each is taken; go test -race with a "
				    "test that does both ways")});
}
