/*
 * detect_threads_locked.c: threads that wait for each other's locks, or for the
 * end of each other, from the agent's `threads` profile, whose labels say of each
 * waiting thread who held the lock when the wait began, or who is joined. Each
 * thread waits for one other at most, so a deadlock is a walk from holder to
 * holder that comes back; a lock that its own holder takes again is a walk of one
 * step.
 *
 * A label may be out of date: the lock may have changed hands during the wait.
 * Threads that have all stood there for seconds make it sure; for longer, where one
 * of them joins another, for it may have let the lock go before that.
 *
 * Who holds a lock for reading nobody knows. Where a thread has waited for seconds for a lock of one
 * that has waited as long to write, the first may be the reader; and where everybody who is not idle has
 * stood at a lock for seconds, of no known holder: these are suspicions, unless readers are seen
 * to let such a lock go meanwhile. A holder that
 * is known and is none of these threads is another process's: servers that fork
 * take turns so, and wait for hours.
 */
#include "tuner/detect.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/sites.h"

enum { HANDFUL = 4096 };

#define LONG_WAIT 1.0 /* seconds */

struct locked_thread {
	int64_t thread, holder; /* kernel's ids */
	double waited;          /* seconds */
	size_t sample;
	uint32_t owner; /* the function that answers for the wait */
	bool joins;
	bool gives_up; /* it waits with a time limit */
	size_t walk;   /* the walk that came by, from 1; 0: none yet */
};

struct locked_threads {
	const struct pf_evidence_profile *ep;
	struct locked_thread *items; /* owned; whose holders are known, by thread */
	size_t count;
	struct locked_thread *
	    writers; /* owned; that have long waited for a readers-writer lock of no known holder, by thread */
	size_t writer_count;
};

static int
by_thread(const void *a, const void *b)
{
	const struct locked_thread *x = a, *y = b;

	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

/* pthread_mutex_timedlock, pthread_rwlock_clockrdlock, mtx_timedlock … */
static bool
has_limit(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_stack_locks(s, ep, "_timed") || pf_stack_locks(s, ep, "_clock");
}

static int
read_waiters(struct locked_threads *w, struct pf_error *err)
{
	const struct pf_profile *p = w->ep->p;
	struct pf_stack stack = {0};
	int rc = PF_CALLOC(w->items, p->sample_count + 1, err);

	if (!rc)
		rc = PF_CALLOC(w->writers, p->sample_count + 1, err);
	for (size_t i = 0; !rc && i < p->sample_count; i++) {
		const char *wait = pf_sample_text(p, i, "wait");
		struct locked_thread t = {.thread = pf_sample_number(p, i, "tid"),
		    .holder = pf_sample_number(p, i, "holder"),
		    .waited = pf_sample_waited(p, i),
		    .sample = i,
		    .joins = strcmp(wait, "join") == 0};
		bool writes =
		    t.holder <= 0 && strcmp(wait, "rwlock") == 0 && t.waited >= PF_STUCK_FOR;

		if (t.thread <= 0 || (t.holder <= 0 && !writes))
			continue;
		rc = pf_stack_read(&stack, w->ep, i, err);
		t.owner = rc ? PF_NONE : pf_stack_owner(&stack, w->ep);
		t.gives_up = !rc && has_limit(&stack, w->ep);
		if (writes)
			w->writers[w->writer_count++] = t;
		else
			w->items[w->count++] = t;
	}
	pf_stack_release(&stack);
	if (!rc) {
		qsort(w->items, w->count, sizeof *w->items, by_thread);
		qsort(w->writers, w->writer_count, sizeof *w->writers, by_thread);
	}
	return rc;
}

static struct locked_thread *
find(struct locked_thread *list, size_t count, int64_t thread)
{
	const struct locked_thread key = {.thread = thread};

	return bsearch(&key, list, count, sizeof key, by_thread);
}

static struct locked_thread *
waiter(const struct locked_threads *w, int64_t thread)
{
	return find(w->items, w->count, thread);
}

/* The first thread of the circle that this one is in, and how many they are. */
static const struct locked_thread *
go_around(const struct locked_threads *w, const struct locked_thread *from, size_t *steps)
{
	const struct locked_thread *first = from;

	*steps = 1;
	for (const struct locked_thread *t = waiter(w, from->holder); t != from;
	    t = waiter(w, t->holder)) {
		first = t < first ? t : first;
		++*steps;
	}
	return first;
}

/* NULL: there is none. A walk ends where an earlier one came by: each thread is gone to once. */
static const struct locked_thread *
find_circle(const struct locked_threads *w, size_t *steps)
{
	for (size_t i = 0; i < w->count; i++) {
		struct locked_thread *t = &w->items[i];

		for (; t && !t->walk; t = waiter(w, t->holder))
			t->walk = i + 1;
		if (t && t->walk == i + 1)
			return go_around(w, t, steps);
	}
	return NULL;
}

/* The circle's, `steps` of them. */
static size_t
count_joiners(const struct locked_threads *w, const struct locked_thread *t, size_t steps)
{
	size_t count = 0;

	for (; steps; steps--, t = waiter(w, t->holder))
		count += t->joins;
	return count;
}

/* One in the circle that joins another which waits for a lock, or NULL. */
static const struct locked_thread *
joiner(const struct locked_threads *w, const struct locked_thread *t, size_t steps)
{
	for (; steps; steps--, t = waiter(w, t->holder)) {
		if (t->joins && !waiter(w, t->holder)->joins)
			return t;
	}
	return NULL;
}

static const struct locked_thread *
who_gives_up(const struct locked_threads *w, const struct locked_thread *t, size_t steps)
{
	for (; steps && !t->gives_up; steps--)
		t = waiter(w, t->holder);
	return steps ? t : NULL;
}

static uint32_t
title_of(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *t,
    size_t steps)
{
	const struct locked_thread *joins = joiner(w, t, steps), *next = waiter(w, t->holder);
	const char *name = pf_site_name(w->ep, t->owner), *other = pf_site_name(w->ep, next->owner);
	const char *what = t->joins ? "end" : "locks";
	const char *kind = who_gives_up(w, t, steps) ? "Deadlock until a time limit" : "Deadlock";

	if (steps == 1)
		return pf_say(f, "%s: %s takes again a lock that it holds", kind, name);
	if (joins)
		return pf_say(f,
		    "%s: %s waits for the end of a thread, which waits in %s for a lock that can't "
		    "be let go meanwhile",
		    kind, pf_site_name(w->ep, joins->owner),
		    pf_site_name(w->ep, waiter(w, joins->holder)->owner));
	if (steps == 2)
		return pf_say(f, "%s: %s and %s wait for each other's %s", kind, name, other, what);
	return pf_say(f, "%s: %zu threads wait in a circle for each other's %s, one in %s", kind,
	    steps, what, name);
}

static uint32_t
action_of(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *first,
    size_t steps)
{
	if (steps == 1)
		return pf_say(f,
		    "Take the lock once: let the inner function be called with it held and say "
		    "so, or drop the outer one where the inner protects all that is touched.");
	if (joiner(w, first, steps))
		return pf_say(f, "Let go of the lock before waiting for a thread that takes it: "
				 "under the lock only tell it to end, then unlock, then join.");
	if (first->joins)
		return pf_say(f, "Let one thread, which none of them joins, join them all: the one "
				 "that started them.");
	return pf_say(f, "Take the locks in the same order everywhere, or never hold one while "
			 "taking the other.");
}

/* What makes it less sure that they stand there for ever. */
static void
doubt(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *first,
    size_t steps, double shortest)
{
	const struct locked_thread *limited = who_gives_up(w, first, steps);
	double sure = count_joiners(w, first, steps) ? PF_STUCK_FOR : LONG_WAIT;

	if (limited)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"Thread %" PRId64 " in %s waits with a time limit: they stand there until "
			"that is over, and again whenever they meet so.",
			limited->thread, pf_site_name(w->ep, limited->owner)));
	if (shortest < sure)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"One of them has waited for %.2g s only, and a lock may have changed hands "
			"since: if the same threads stand there a little later, it is one.",
			shortest));
}

static int
report(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *first,
    size_t steps, struct pf_error *err)
{
	const struct locked_thread *t = first;
	double shortest = INFINITY, longest = 0, joining = 0;
	uint32_t summary = 0;
	struct pf_finding *finding;
	int rc = 0;

	finding = pf_findings_add(
	    f, "deadlock", PF_SEVERITY_HIGH, PF_CONFIDENCE_HIGH, title_of(f, w, first, steps));
	for (size_t i = 0; i < steps; i++, t = waiter(w, t->holder)) {
		shortest = fmin(shortest, t->waited);
		longest = fmax(longest, t->waited);
		if (i < 4)
			summary = pf_say(f,
			    t->joins ? "%s%sThread %" PRId64
				       " in %s waits for the end of thread %" PRId64 "."
				     : "%s%sThread %" PRId64
				       " in %s waits for a lock that thread %" PRId64
				       " held when the wait began.",
			    pf_said(f, summary), i ? " " : "", t->thread,
			    pf_site_name(w->ep, t->owner), t->holder);
	}
	finding->summary = summary;
	for (size_t i = 0; i < w->count; i++)
		joining += w->items[i].joins;
	if (joining < (double)w->count)
		pf_add_number(f, "threads_waiting_for_locks", (double)w->count - joining, "count");
	if (joining > 0)
		pf_add_number(f, "threads_joining_others", joining, "count");
	pf_add_number(f, "threads_in_the_circle", (double)steps, "count");
	pf_add_number(f, "longest_wait", longest, "seconds");
	doubt(f, w, first, steps, shortest);
	pf_add_advice(
	    f, (struct pf_advice){.action = action_of(f, w, first, steps),
		   .how = pf_say(f, "GET /debug/pprof/threads?debug=2 shows who holds what")});
	t = first;
	for (size_t i = 0; !rc && i < steps && i < 4; i++, t = waiter(w, t->holder))
		rc = pf_show_stack(f, w->ep, t->sample, 1, 1 / (double)w->count, "threads", err);
	return rc;
}

/* Whether readers-writer locks for which others waited were let go, as a mutex profile shows: no wait is for ever then. */
static bool
readers_take_turns(const struct pf_evidence *e)
{
	static const char *const delays[] = {"delay", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_LOCKS);
	uint32_t column = ep ? pf_evidence_column(ep, delays) : PF_NONE;
	double all = 0;

	for (size_t i = 0; column != PF_NONE && i < ep->p->sample_count; i++) {
		if (strcmp(pf_sample_text(ep->p, i, "object"), "rwlock") == 0)
			all += pf_value(ep, i, column) * pf_delay_unit(ep, column);
	}
	return all >= LONG_WAIT;
}

static int
report_behind(struct pf_findings *f, const struct locked_threads *w, const struct locked_thread *t,
    const struct locked_thread *writer, struct pf_error *err)
{
	const char *waits = pf_site_name(w->ep, t->owner),
		   *holds = pf_site_name(w->ep, writer->owner);
	int rc;

	pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Suspected deadlock: %s waits for a lock of %s, which waits for a readers-writer "
		"lock that %s may hold for reading",
		waits, holds, waits));
	pf_add_number(f, "threads_waiting_for_locks", (double)w->count + 1, "count");
	pf_add_number(f, "shortest_wait", fmin(t->waited, writer->waited), "seconds");
	pf_add_caveat(f, PF_CONFIDENCE_LOW,
	    pf_say(f,
		"Who holds a lock for reading nobody knows: it is a deadlock if %s does. If others "
		"do, who take turns so that it is never free, or hold it for long, it looks the "
		"same.",
		waits));
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Take the locks in the same order everywhere, or never hold one while "
		       "taking the other; that one is held for reading only makes no difference."),
		   .how = pf_say(f, "GET /debug/pprof/threads?debug=2 shows what each waits for")});
	rc = pf_show_stack(f, w->ep, t->sample, 1, NAN, "threads", err);
	return rc ? rc : pf_show_stack(f, w->ep, writer->sample, 1, NAN, "threads", err);
}

/* Somebody who waits for one that waits to write, where the first may be the reader that is in the way. */
static int
judge_behind(
    const struct locked_threads *w, struct pf_findings *f, bool *found, struct pf_error *err)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct locked_thread *writer;

		if (w->items[i].joins || w->items[i].waited < PF_STUCK_FOR)
			continue;
		writer = find(w->writers, w->writer_count, w->items[i].holder);
		if (!writer)
			continue;
		*found = true;
		return report_behind(f, w, &w->items[i], writer, err);
	}
	return 0;
}

/* Threads that stand at locks, beside others that are idle. */
struct stuck {
	struct pf_sites sites;
	double shortest; /* of their waits, seconds */
	bool going_on;   /* somebody does something */
	bool shared;     /* a readers-writer lock */
	/* Of the same lock's: who has waited longest. */
	struct turn {
		size_t count, sample;
		double waited;
		int64_t lock;
	} reader, writer;
};

/* One more that waits to read, or to write. */
static void
take_turn(struct turn *t, const struct pf_profile *p, size_t sample)
{
	double waited = pf_sample_waited(p, sample);

	t->count++;
	if (waited <= t->waited)
		return;
	t->waited = waited;
	t->sample = sample;
	t->lock = pf_sample_number(p, sample, "object");
}

static void
note_turn(struct stuck *s, const struct pf_stack *stack, const struct pf_evidence_profile *ep,
    size_t sample)
{
	if (strcmp(pf_sample_text(ep->p, sample, "wait"), "rwlock") != 0)
		return;
	s->shared = true;
	if (pf_stack_locks(stack, ep, "rdlock"))
		take_turn(&s->reader, ep->p, sample);
	else if (pf_stack_locks(stack, ep, "wrlock"))
		take_turn(&s->writer, ep->p, sample);
}

/* Those who want to read stand behind one who wants to write, which only another reader can keep waiting. */
static bool
reads_again(const struct stuck *s)
{
	return s->reader.count && s->writer.count && s->reader.lock == s->writer.lock;
}

static int
read_stuck(struct stuck *s, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	const struct pf_profile *p = ep->p;
	struct pf_stack stack = {0};
	int rc = 0;

	for (size_t i = 0; !rc && !s->going_on && i < p->sample_count; i++) {
		const char *wait = pf_sample_text(p, i, "wait");
		double waited = pf_sample_waited(p, i);

		rc = pf_stack_read(&stack, ep, i, err);
		if (rc)
			break;
		if (!(stack.traits & PF_CODE_LOCK_WAIT)) {
			s->going_on = !*wait || strcmp(wait, "running") == 0 ||
				      strcmp(wait, "waiting") == 0 ||
				      (stack.traits & PF_CODE_OUTSIDE);
			continue;
		}
		/* Where the holder is known it is up to that one, be it another process's. */
		s->going_on = waited < PF_STUCK_FOR || pf_stack_in_allocator(&stack, ep) ||
			      pf_sample_number(p, i, "tid") <= 0 ||
			      pf_sample_number(p, i, "holder") > 0;
		s->shortest = fmin(s->shortest, waited);
		note_turn(s, &stack, ep, i);
		rc = pf_sites_add(&s->sites, pf_stack_owner(&stack, ep), 1, 1, i, err);
	}
	pf_stack_release(&stack);
	pf_sites_sort(&s->sites);
	return rc;
}

static uint32_t
action_of_stuck(struct pf_findings *f, const struct stuck *s, const char *owner)
{
	if (reads_again(s))
		return pf_say(f,
		    "Look which of those who wait to read holds the lock for reading already, "
		    "taken further up its stack: it waits behind the writer, and the writer for "
		    "it. Take the lock once (let the inner function be called with it held, and "
		    "say so), or let readers pass waiting writers "
		    "(PTHREAD_RWLOCK_PREFER_READER_NP, the default).");
	if (s->shared)
		return pf_say(f,
		    "Look whether %s asks to write while it still reads: let go of the lock "
		    "before, and look again at what was read.",
		    owner);
	return pf_say(f,
	    "Look for who took the lock that %s waits for and did not let go: an early return, or "
	    "a thread that has ended.",
	    owner);
}

static uint32_t
summary_of_stuck(struct pf_findings *f, const struct stuck *s)
{
	return reads_again(s)
		   ? pf_say(f,
			 "%zu thread%s to read and %zu to write the same lock, which is held for "
			 "reading by somebody: by one of them, if everybody else is idle.",
			 s->reader.count, s->reader.count == 1 ? " waits" : "s wait",
			 s->writer.count)
		   : 0;
}

static int
report_stuck(struct pf_findings *f, const struct pf_evidence_profile *ep, const struct stuck *s,
    struct pf_error *err)
{
	const char *owner = pf_site_name(ep, s->sites.items[0].name);
	double n = s->sites.total;
	struct pf_finding *finding;
	int rc;

	finding = pf_findings_add(f, "deadlock", PF_SEVERITY_HIGH, PF_UNSURE,
	    pf_say(f,
		"Suspected deadlock: %.0f thread%s waited for a lock in %s for %.0f s, and nothing "
		"else runs",
		n, n > 1 ? "s have" : " has", owner, s->shortest));
	finding->summary = summary_of_stuck(f, s);
	pf_add_number(f, "threads_waiting_for_locks", n, "count");
	pf_add_number(f, "shortest_wait", s->shortest, "seconds");
	pf_add_caveat(f, PF_UNSURE,
	    pf_say(f, "Who holds the lock is not known (of a readers-writer lock that is held for "
		      "reading nobody knows), and a thread that is idle may hold it, or another "
		      "process."));
	pf_add_advice(
	    f, (struct pf_advice){.action = action_of_stuck(f, s, owner),
		   .how = pf_say(f, "GET /debug/pprof/threads?debug=2 shows what each waits for")});
	if (!reads_again(s))
		return pf_show_sites(f, ep, &s->sites, 3, "threads", err);
	rc = pf_show_stack(f, ep, s->reader.sample, 1, NAN, "threads", err);
	return rc ? rc : pf_show_stack(f, ep, s->writer.sample, 1, NAN, "threads", err);
}

static int
judge_stuck(
    const struct pf_evidence_profile *ep, bool turns, struct pf_findings *f, struct pf_error *err)
{
	/* So many are no handful that stands still. */
	struct stuck s = {.shortest = INFINITY, .going_on = ep->p->sample_count > HANDFUL};
	int rc = read_stuck(&s, ep, err);

	if (!rc && s.sites.count && !s.going_on && !(s.shared && turns))
		rc = report_stuck(f, ep, &s, err);
	pf_sites_release(&s.sites);
	return rc;
}

int
pf_detect_threads_locked(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct locked_threads w = {.ep = pf_evidence_last(e, PF_PROFILE_THREADS)};
	const struct locked_thread *first = NULL;
	bool found, turns;
	size_t steps;
	int rc;

	if (!w.ep)
		return 0;
	rc = read_waiters(&w, err);
	if (!rc)
		first = find_circle(&w, &steps);
	found = first != NULL;
	if (found)
		rc = report(f, &w, first, steps, err);
	turns = readers_take_turns(e);
	if (!rc && !found && !turns)
		rc = judge_behind(&w, f, &found, err);
	free(w.items);
	free(w.writers);
	if (!rc && !found)
		rc = judge_stuck(w.ep, turns, f, err);
	return rc ? rc : pf_findings_check(f, err);
}
