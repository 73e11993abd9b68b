/*
 * detect_turns.c: threads that wait for their turn at a semaphore or a condition: for one of few connections, for a
 * place among so many at once, for a lock that the program has made itself.
 *
 * A pool of workers waits for work in the same way, and nobody loses anything. But work is brought by others, while a
 * turn is passed on by whoever had waited for it: the agent counts both, and says whose turn it is (labels `turns`,
 * `passed`, `turn`). Tasks that bring forth the next one look like turns, too: there it is seldom that somebody
 * waits at every look and somebody is always at it. Where those whose turn it is wait for clients themselves, as a
 * leader with its followers, nobody waits in vain; where the processors are busy, more at once would be no faster.
 *
 * Of a condition in the function that a thread was started with nobody can tell whether workers wait there, whose tasks bring
 * forth the next ones: that is said, and not judged.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/number.h"
#include "tuner/locks.h"
#include "tuner/sites.h"

enum { LEAST_LOOKS = 3, LEAST_TURNS = 20 };

#define BUSY 0.6        /* of the CPUs */
#define PASSED 0.9      /* of the turns that were taken */
#define NEARLY_ALL 0.8  /* of the looks */
#define LEAST_WAITING 1 /* threads on average */

struct turns {
	int64_t object;
	double taken, passed;                 /* ever */
	const char *kind;                     /* "semaphore", "condition" */
	const struct pf_evidence_profile *ep; /* the look that shows who waits */
	struct pf_sites waiters, owners;      /* of that look, of the last one with an owner */
	const struct pf_evidence_profile *owners_ep;
	size_t looks, waited,
	    held; /* looks: all; in which some wait; in which some have a turn then */
	size_t waiting, having, asking, resting; /* threads, over all looks */
	size_t
	    called; /* of those that wait: by a function of the service's that has called another one */
};

static bool
is_passed_on(const struct pf_profile *p, size_t sample)
{
	double taken = (double)pf_sample_number(p, sample, "turns");

	return taken >= LEAST_TURNS &&
	       (double)pf_sample_number(p, sample, "passed") >= PASSED * taken;
}

/* The object with the most waits among these, which are sorted by it; 0: there are none. */
static int64_t
most_frequent(const int64_t *list, size_t count)
{
	size_t most = 0;
	int64_t object = 0;

	for (size_t from = 0, to; from < count; from = to) {
		for (to = from; to < count && list[to] == list[from]; to++)
			;
		if (to - from <= most)
			continue;
		most = to - from;
		object = list[from];
	}
	return object;
}

/* For what most wait over all looks that is passed on; 0: for nothing. */
static int
find_object(int64_t *object, const struct pf_evidence *e, struct pf_error *err)
{
	int64_t *list = NULL;
	size_t count = 0, capacity = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		const struct pf_profile *p = pf_is_look(&e->profiles[i]) ? e->profiles[i].p : NULL;

		for (size_t k = 0; !rc && p && k < p->sample_count; k++) {
			if (!is_passed_on(p, k))
				continue;
			rc = PF_GROW(list, capacity, count + 1, err);
			if (!rc)
				list[count++] = pf_sample_number(p, k, "object");
		}
	}
	if (count)
		qsort(list, count, sizeof *list, pf_number_order);
	*object = rc ? 0 : most_frequent(list, count);
	free(list);
	return rc;
}

/* One that waits, or one whose turn it is, in the look that is being gone through. */
static int
count_thread(struct turns *t, const struct pf_evidence_profile *ep, size_t sample, bool waits,
    struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, sample, err);
	uint32_t owner = rc ? PF_NONE : pf_stack_owner(&s, ep);

	if (waits) {
		t->waiting++;
		t->called += pf_stack_is_called(&s, ep);
		t->taken = (double)pf_sample_number(ep->p, sample, "turns");
		t->passed = (double)pf_sample_number(ep->p, sample, "passed");
		t->kind = pf_sample_text(ep->p, sample, "wait");
	} else {
		t->having++;
		t->asking += (s.traits & PF_CODE_ASKS) != 0;
		t->resting += (s.traits & PF_CODE_SERVER) && !(s.traits & PF_CODE_RUNS);
	}
	pf_stack_release(&s);
	return rc || owner == PF_NONE
		   ? rc
		   : pf_sites_add(waits ? &t->waiters : &t->owners, owner, 1, 1, sample, err);
}

/* The sites are of the last look that has some. */
static int
count_look(struct turns *t, const struct pf_evidence_profile *ep, struct pf_error *err)
{
	size_t waiting = t->waiting, having = t->having;
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		bool waits = pf_sample_number(ep->p, i, "turns") > 0 &&
			     pf_sample_number(ep->p, i, "object") == t->object,
		     has = pf_sample_number(ep->p, i, "turn") == t->object;

		if (!waits && !has)
			continue;
		if (waits && t->ep != ep) {
			pf_sites_release(&t->waiters);
			t->ep = ep;
		} else if (!waits && t->owners_ep != ep) {
			pf_sites_release(&t->owners);
			t->owners_ep = ep;
		}
		rc = count_thread(t, ep, i, waits, err);
	}
	t->looks++;
	t->waited += t->waiting > waiting;
	t->held += t->waiting > waiting && t->having > having;
	return rc;
}

static int
look_through(struct turns *t, const struct pf_evidence *e, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < e->profile_count; i++) {
		if (pf_is_look(&e->profiles[i]))
			rc = count_look(t, &e->profiles[i], err);
	}
	pf_sites_sort(&t->waiters);
	pf_sites_sort(&t->owners);
	return rc;
}

static double
mean(const struct turns *t, size_t threads)
{
	return (double)threads / (double)t->looks;
}

static bool
is_exhausted(const struct turns *t)
{
	return t->looks >= LEAST_LOOKS && t->waiters.count && t->owners.count &&
	       (double)t->waited >= NEARLY_ALL * (double)t->looks &&
	       (double)t->held >= NEARLY_ALL * (double)t->waited &&
	       mean(t, t->waiting) >= LEAST_WAITING && 2 * t->resting < t->having;
}

static bool
may_be_workers(const struct turns *t)
{
	return strcmp(t->kind, "condition") == 0 && 2 * t->called < t->waiting;
}

/* Whether it is for the most part another server's word that those wait for whose turn it is. */
static bool
is_pool(const struct turns *t)
{
	return 2 * t->asking >= t->having;
}

static void
add_numbers(struct pf_findings *f, const struct turns *t, double busy)
{
	pf_add_number(f, "waiting_for_a_turn", mean(t, t->waiting), "threads");
	pf_add_number(f, "having_a_turn", mean(t, t->having), "threads");
	pf_add_number(f, "waiting_outside_meanwhile", mean(t, t->asking), "threads");
	pf_add_number(f, "turns_taken", t->taken, "count");
	pf_add_number(f, "passed_on_by_who_took_them", t->passed, "count");
	pf_add_number(f, "looks", (double)t->looks, "count");
	pf_add_number(f, "cpu_busy", busy, "share");
}

static void
advise(struct pf_findings *f, const struct turns *t, const char *waiter, const char *owner)
{
	pf_add_advice(f,
	    is_pool(t)
		? (struct pf_advice){.action = pf_say(f,
					 "Let more have a turn at once in %s (a larger pool) if "
					 "the other side has room for more, or give it back "
					 "sooner: ask for less in %s, and do what needs no "
					 "connection without one.",
					 waiter, owner),
		      .how = pf_say(f, "compare the other side's latency with this service's p50")}
		: (struct pf_advice){.action = pf_say(f,
					 "Have a turn for less: what is done in %s and needs none "
					 "belongs outside of it. If it is a limit and no lock, "
					 "let more have one at once in %s: the processors have "
					 "room for it.",
					 owner, waiter)});
	pf_add_measurement(f, "p99", "seconds",
	    is_pool(t) ? pf_say(f, "tuning allocators or the collector will not change it; measure "
				   "the wait itself")
		       : pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N, at "
				   "the rate of production"));
}

static int
report(struct pf_findings *f, const struct turns *t, double busy, struct pf_error *err)
{
	const char *waiter = pf_site_name(t->ep, t->waiters.items[0].name),
		   *owner = pf_site_name(t->owners_ep, t->owners.items[0].name);
	struct pf_finding *finding;
	int rc;

	finding = pf_findings_add(f, is_pool(t) ? "external-wait" : "lock-contention",
	    PF_SEVERITY_MEDIUM, PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		is_pool(t) ? "%.1f threads wait for their turn in %s on average, while those whose "
			     "turn it is wait for something outside (network or disk)"
			   : "%.1f threads wait for their turn in %s on average",
		mean(t, t->waiting), waiter));
	finding->summary = pf_say(f,
	    "Who waits at this %s is who lets others go on there: %.0f of %.0f turns were passed "
	    "on by the thread that had taken them. Whose turn it is (%.1f on average, as far as "
	    "they had to wait for it) was in %s%s.",
	    t->kind, t->passed, t->taken, mean(t, t->having), owner,
	    is_pool(t) ? ", waiting for something outside" : "");
	add_numbers(f, t, busy);
	if (strcmp(t->kind, "condition") == 0)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"Workers whose tasks bring forth the next ones wait and wake each other "
			"likewise: "
			"if these are such, they wait for work, and nobody for them."));
	if (isnan(busy))
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "There is no CPU profile with a duration: that the processors are "
			      "idle is not shown."));
	advise(f, t, waiter, owner);
	rc = pf_show_sites(f, t->ep, &t->waiters, 1, "threads", err);
	return rc ? rc : pf_show_sites(f, t->owners_ep, &t->owners, 1, "threads", err);
}

/* To be released in any case; nothing is found where the object is 0. */
static int
find_turns(struct turns *t, const struct pf_evidence *e, struct pf_error *err)
{
	int rc = find_object(&t->object, e, err);

	if (!rc && t->object)
		rc = look_through(t, e, err);
	if (!rc && !is_exhausted(t))
		t->object = 0;
	return rc;
}

static void
release(struct turns *t)
{
	pf_sites_release(&t->waiters);
	pf_sites_release(&t->owners);
}

int
pf_detect_turns(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	double busy = pf_busy_share(e);
	struct turns t = {0};
	int rc = 0;

	if (!(busy > BUSY))
		rc = find_turns(&t, e, err);
	if (!rc && t.object && !may_be_workers(&t))
		rc = report(f, &t, busy, err);
	release(&t);
	return rc;
}

int
pf_write_turns(const struct pf_evidence *e, struct pf_buffer *out, struct pf_error *err)
{
	struct turns t = {0};
	int rc = 0;

	if (!(pf_busy_share(e) > BUSY))
		rc = find_turns(&t, e, err);
	if (!rc && t.object && may_be_workers(&t))
		pf_buffer_printf(out,
		    "In %zu looks %.1f threads on average waited at a condition in %s, where each "
		    "lets "
		    "the next one go on: whether they wait for their turn (at a limit, or a lock "
		    "of the "
		    "program's own), or as workers for what others' tasks bring forth, was not "
		    "judged.",
		    t.looks, mean(&t, t.waiting), pf_site_name(t.ep, t.waiters.items[0].name));
	release(&t);
	return rc;
}
