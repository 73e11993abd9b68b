/*
 * detect_spinning.c: time lost at locks that don't sleep.
 *
 * Who spins waits on the processor, so locks that spin show in a CPU profile: where
 * taking one and waiting for it are functions of their own, the latter alone counts.
 * Each channel of Go's has such a lock: who shares one among many spins there.
 *
 * So does waiting that sleeps, where it sleeps for next to nothing: who gives up the processor to get it
 * back at once, until there is something to do; and a herd, of which all are woken at a condition for what one
 * takes. The latter is told where the looks at threads show many at one condition, nearly all of whom were
 * awake a moment ago: in a pool whose threads are woken one by one most have waited for long.
 */
#include "tuner/detect.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "tuner/sites.h"

#define SPINS 0.2 /* of CPU time */
#define HERDS 0.5 /* the same; a pool's threads that pass on small things may take a part of it */
#define A_MOMENT 0.1 /* seconds */
#define NEARLY_ALL 0.8

enum { A_HERD = 16 };

/* On the processor, for a lock of the service's. */
static bool
spins(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return s->count && (ep->traits[s->names[0]] & PF_CODE_SPIN) &&
	       pf_stack_with(s, ep, PF_CODE_LOCK) < pf_stack_own(s, ep) &&
	       !pf_stack_in_allocator(s, ep);
}

/* On the processor, for the lock of a channel that the service uses. */
static bool
spins_at_channel(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t channel = pf_stack_with(s, ep, PF_CODE_CHANNEL);

	return channel < pf_stack_own(s, ep) && pf_stack_own(s, ep) < s->count &&
	       pf_stack_with(s, ep, PF_CODE_INNER_LOCK) < channel;
}

static void
advise_channels(struct pf_findings *f, const char *owner)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Let fewer goroutines share the channel of %s, and use it less often: send "
		       "batches (slices) in place of single values, give each worker or shard a "
		       "channel of its own, or count in atomics.",
		       owner)});
}

static void
advise_spinning(struct pf_findings *f, const char *owner)
{
	pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "Who spins is known, and for how much CPU time: how often, and who held the "
		      "lock meanwhile, no profile says."));
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Hold the lock in %s for less, split it by key (shards) or count in atomics; "
		    "and where it is held for more than a few hundred instructions, or there are "
		    "more threads than processors, take one that sleeps (a mutex).",
		    owner),
		.risk = pf_say(f, "A holder that loses its processor makes all others spin until "
				  "it is back.")});
}

static void
advise_yielding(struct pf_findings *f, const char *owner)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Let %s sleep until there is something to do: at a condition, a semaphore or "
		    "an eventfd that whoever brings work signals; a lock that is waited for with "
		    "sched_yield should be a mutex.",
		    owner)});
}

static void
advise_herd(struct pf_findings *f, const char *owner)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Wake one thread for each item (pthread_cond_signal, notify_one) in place of "
		    "all (pthread_cond_broadcast, notify_all), hand over several items at once, "
		    "and let fewer threads wait in %s.",
		    owner),
		.risk = pf_say(f, "Signal one only where any of those who wait can do what there "
				  "is to do: else one condition for each kind.")});
}

/* On its way back to the end of the processors' queue. */
static bool
yields(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_stack_with(s, ep, PF_CODE_YIELD) < pf_stack_own(s, ep) &&
	       pf_stack_own(s, ep) < s->count && !pf_stack_in_allocator(s, ep);
}

/* On the processor to go to sleep at a condition, to wake up there, or to wake others. */
static bool
wakes(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return pf_stack_with(s, ep, PF_CODE_CHANNEL | PF_CODE_WAKE) < pf_stack_own(s, ep) &&
	       pf_stack_own(s, ep) < s->count;
}

/* A thread that waits at a condition. */
struct sleeper {
	int64_t object;
	double waited;
};

static int
by_object(const void *a, const void *b)
{
	const struct sleeper *x = a, *y = b;

	return x->object < y->object ? -1 : x->object > y->object;
}

/* The most at one condition of whom nearly all have slept for a moment only; 0: not so many. */
static size_t
herd_of(struct sleeper *all, size_t count)
{
	size_t herd = 0;

	qsort(all, count, sizeof *all, by_object);
	for (size_t first = 0, i; first < count; first = i) {
		size_t fresh = 0;

		for (i = first; i < count && all[i].object == all[first].object; i++)
			fresh += all[i].waited < A_MOMENT;
		if (i - first >= A_HERD && i - first > herd &&
		    (double)fresh >= NEARLY_ALL * (double)(i - first))
			herd = i - first;
	}
	return herd;
}

static int
find_herd(const struct pf_evidence *e, size_t *herd, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_THREADS);
	struct sleeper *all = NULL;
	size_t count = 0;
	int rc = 0;

	*herd = 0;
	if (ep && ep->p)
		rc = PF_CALLOC(all, ep->p->sample_count + 1, err);
	for (size_t i = 0; all && i < ep->p->sample_count; i++) {
		if (strcmp(pf_sample_text(ep->p, i, "wait"), "condition") == 0)
			all[count++] =
			    (struct sleeper){.object = pf_sample_number(ep->p, i, "object"),
				.waited = pf_sample_waited(ep->p, i)};
	}
	if (count)
		*herd = herd_of(all, count);
	free(all);
	return rc;
}

/* What CPU time is lost to. */
struct loss {
	pf_sample_wanted *wanted;
	double least; /* of CPU time */
	const char *title;
	void (*advise)(struct pf_findings *f, const char *owner);
	size_t threads; /* at one condition; 0: nothing to do with it */
};

static int
report(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_sites *sites, double used, const struct loss *l, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	double share = sites->total / used;
	char text[PF_AMOUNT_ROOM];

	pf_findings_add(f, "lock-contention",
	    pf_cpu_severity(ep, column, share >= 0.5 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "%s of the CPU time %s, most of it in %s", pf_amount(text, share, "share"),
		l->title, owner));
	pf_add_cpu_share(f, "cpu_share", share, pf_cpu_samples(ep));
	pf_add_number(f, "first_owner_share", sites->items[0].value / sites->total, "share");
	if (l->threads)
		pf_add_number(f, "threads_at_one_condition", (double)l->threads, "count");
	l->advise(f, owner);
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N"));
	return pf_show_sites(f, ep, sites, 3, "share_of_spinning", err);
}

static int
judge(const struct pf_evidence_profile *ep, uint32_t column, double used, const struct loss *l,
    struct pf_findings *f, struct pf_error *err)
{
	struct pf_sites sites;
	double low, high;
	int rc = pf_sites_of(&sites, ep, column, l->wanted, err);

	pf_share_interval(sites.total / used, pf_cpu_samples(ep), &low, &high);
	if (!rc && sites.count && sites.total >= l->least * used && low > l->least * 0.7)
		rc = report(f, ep, column, &sites, used, l, err);
	pf_sites_release(&sites);
	return rc;
}

int
pf_detect_spinning(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct loss losses[] = {{spins, SPINS, "is spent spinning for locks", advise_spinning, 0},
	    {spins_at_channel, SPINS, "is spent at the locks of channels", advise_channels, 0},
	    {yields, SPINS, "is spent giving up the processor (sched_yield), to be back at once",
		advise_yielding, 0},
	    {wakes, HERDS, "goes into waking threads at a condition that then sleep again",
		advise_herd, 0}};
	enum { LOSSES = sizeof losses / sizeof *losses };
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	double used;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (!rc)
		rc = find_herd(e, &losses[LOSSES - 1].threads, err);
	for (size_t i = 0; !rc && used > 0 && i < LOSSES; i++) {
		if (losses[i].wanted != wakes || losses[i].threads)
			rc = judge(ep, column, used, &losses[i], f, err);
	}
	return rc;
}
