/*
 * detect_locks.c: time lost at locks.
 *
 * A mutex profile charges waiting to the critical section that caused it, a
 * block profile to whoever waited. Both sum since the start, or over a window,
 * and a sum alone says little: what counts is the waiting per contention, and how
 * it compares with the window, where that is known, or how many wait right
 * now. A lock is contended where waiting adds up to a tenth of the window and
 * more, or where, without one, waits are many and long (a thousandth of a second
 * each and a second in all). Below half a thread on average it is told with low
 * confidence: a holder that loses its processor to other programs looks the same.
 *
 * A function that unlocks last is gone from the stack by then where the compiler made
 * a jump of that call: the lock is charged to its caller. That is told by who waits:
 * where this caller never waits itself, but a function that it calls does.
 *
 * Who spins waits on the processor, so locks that spin show in a CPU profile: where
 * taking one and waiting for it are functions of their own, the latter alone counts.
 */
#include "tuner/detect.h"

#include <math.h>
#include <string.h>

#include "tuner/sites.h"

#define FEW_WAIT 0.5 /* threads on average */
#define SPINS 0.2    /* of CPU time */

static const char *const delays[] = {"delay", NULL};
static const char *const contentions[] = {"contentions", NULL};

enum { LEAST_CONTENTIONS = 100, WAITING_NOW = 8 };

/* At a lock of the service's; the allocator's own are detect_arenas.c's. */
static bool
waits_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_LOCK_WAIT) && !pf_stack_in_allocator(s, ep);
}

static bool
at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	/* Neither a name nor a label: a wait for who knows what. */
	if (s->count && (ep->traits[s->names[0]] & PF_CODE_WRAPPER) &&
	    !(s->traits & (PF_CODE_LOCK | PF_CODE_CHANNEL)))
		return false;
	/* In a mutex profile everything is a lock; unlocking of the runtime's own is not the service's. */
	if (ep->kind == PF_PROFILE_LOCKS)
		return !pf_stack_in_allocator(s, ep) &&
		       ((s->traits & PF_CODE_LOCK) || pf_stack_own(s, ep) < s->count);
	return waits_at_lock(s, ep);
}

struct lock {
	const struct pf_evidence_profile *ep;
	const char *owner;
	double delay, count, share,
	    window; /* seconds; contentions; of all waiting at locks; seconds or NaN */
	bool go;
	const char
	    *caller; /* whom the unlocking stack shows instead of the owner; NULL: the owner */
};

/* Whether a sample's lock is one that readers share already. */
static int
is_shared(const struct pf_evidence_profile *ep, size_t sample, bool *shared, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, sample, err);

	*shared = !rc && strcmp(pf_sample_text(ep->p, sample, "object"), "rwlock") == 0;
	for (size_t i = 0; i < s.count && (ep->traits[s.names[i]] & PF_CODE_LIBRARY); i++) {
		const char *name = pf_site_name(ep, s.names[i]);
		*shared |= (ep->traits[s.names[i]] & PF_CODE_LOCK) &&
			   (strstr(name, "rwlock") || strstr(name, "RWMutex"));
	}
	pf_stack_release(&s);
	return rc;
}

static void
advise(struct pf_findings *f, const char *owner, bool shared, bool go)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action = pf_say(f,
		       "Hold the lock in %s for less: do what needs no protection (input, output, "
		       "formatting, hashing) outside of it; split it by key (shards); %s; or count "
		       "in atomics.",
		       owner,
		       shared ? "let readers go without it (copy on write)"
		       : go   ? "let readers share it (RWMutex, copy on write)"
			      : "let readers share it (a readers-writer lock, copy on write)"),
		   .risk = shared ? 0
				  : pf_say(f, "A readers-writer lock pays only where sections are "
					      "long and writes rare.")});
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N, at the rate of "
		      "production"));
}

static int
report(
    struct pf_findings *f, const struct lock *l, const struct pf_sites *sites, struct pf_error *err)
{
	char all[PF_AMOUNT_ROOM];
	double per_second = l->delay / l->window;
	bool shared;
	int rc = is_shared(l->ep, sites->items[0].sample, &shared, err);

	if (rc)
		return rc;
	pf_amount(all, l->delay, "seconds");
	pf_findings_add(f, "lock-contention",
	    per_second >= 1 || (isnan(per_second) && l->delay >= 10) ? PF_SEVERITY_HIGH
	    : per_second < FEW_WAIT                                  ? PF_SEVERITY_LOW
								     : PF_SEVERITY_MEDIUM,
	    isnan(l->window) ? PF_CONFIDENCE_MEDIUM : PF_CONFIDENCE_HIGH,
	    l->ep->kind == PF_PROFILE_LOCKS
		? pf_say(f, "Others waited %s for locks that %s held", all, l->owner)
		: pf_say(f, "%s waited %s for locks", l->owner, all));
	pf_add_number(f, "waited", l->delay, "seconds");
	pf_add_number(f, "waits", l->count, "count");
	pf_add_number(f, "mean_wait", l->delay / l->count, "seconds");
	pf_add_number(f, "share_of_waiting", l->share, "share");
	pf_add_number(f, "waiting_on_average", per_second, "threads");
	if (isnan(l->window))
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "The profile sums since the service began, which it does not say: "
			      "fetch it over a window "
			      "(--seconds 30) to see today's rate."));
	if (l->caller)
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"The stacks that let the lock go begin in %s, which never waits for one: "
			"that it is %s follows from who waits. The compiler made its last call, "
			"the unlock, a jump.",
			l->caller, l->owner));
	if (per_second < FEW_WAIT)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"On average %.2g threads wait. Where the machine is busy with other "
			"programs, a lock that is held for microseconds makes others wait as "
			"long when its holder loses the processor.",
			per_second));
	advise(f, l->owner, shared, l->go);
	return pf_show_sites(f, l->ep, sites, 3, "nanoseconds", err);
}

/* Of waits in a block profile: those of one function, and the greatest below a call that it makes. */
struct waiters {
	double all, of_function;
	struct pf_sites called; /* by who waits */
};

static int
read_waiters(struct waiters *w, const struct pf_evidence_profile *ep, uint32_t column,
    const char *function, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		size_t own, next;

		rc = pf_stack_read(&s, ep, i, err);
		if (rc || !at_lock(&s, ep))
			continue;
		w->all += pf_value(ep, i, column);
		own = pf_stack_own(&s, ep);
		for (next = own + 1; next < s.count && ep->traits[s.names[next]];)
			next++;
		if (own < s.count && strcmp(pf_site_name(ep, s.names[own]), function) == 0)
			w->of_function += pf_value(ep, i, column);
		else if (next < s.count && strcmp(pf_site_name(ep, s.names[next]), function) == 0)
			rc = pf_sites_add(
			    &w->called, s.names[own], pf_value(ep, i, column), 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(&w->called);
	return rc;
}

/* Takes the function that the owner calls for the owner, where that one waits most and the owner never. */
static int
look_below(struct lock *l, const struct pf_evidence *e, struct pf_error *err)
{
	const struct pf_evidence_profile *block = pf_evidence_last(e, PF_PROFILE_BLOCK);
	uint32_t column = block ? pf_evidence_column(block, delays) : PF_NONE;
	struct waiters w = {0};
	int rc = 0;

	if (l->ep->kind != PF_PROFILE_LOCKS || l->go || column == PF_NONE)
		return 0;
	rc = read_waiters(&w, block, column, l->owner, err);
	if (!rc && w.called.count && w.of_function == 0 && w.called.items[0].value >= 0.5 * w.all) {
		l->caller = l->owner;
		l->owner = pf_site_name(block, w.called.items[0].name);
	}
	pf_sites_release(&w.called);
	return rc;
}

static int
judge_profile(const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f,
    bool *found, struct pf_error *err)
{
	const struct pf_evidence_profile *ep = pf_evidence_last(e, kind);
	uint32_t column, count;
	struct pf_sites sites, waits;
	struct lock l = {.ep = ep, .window = NAN, .go = pf_evidence_is_go(e)};
	int rc;

	*found = false;
	if (!ep)
		return 0;
	column = pf_evidence_column(ep, delays);
	count = pf_evidence_column(ep, contentions);
	if (column == PF_NONE || count == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, column, at_lock, err);
	if (!rc)
		rc = pf_sites_of(&waits, ep, count, at_lock, err);
	else
		waits = (struct pf_sites){0};
	if (!rc && sites.count && waits.total > 0) {
		l.owner = pf_site_name(ep, sites.items[0].name);
		l.delay = sites.total * pf_delay_unit(ep, column);
		l.share = sites.items[0].value / sites.total;
		l.count = waits.total;
		if (pf_profile_duration_nanos(ep->p) > 0)
			l.window = (double)pf_profile_duration_nanos(ep->p) / 1e9;
		*found =
		    isnan(l.window)
			? l.count >= LEAST_CONTENTIONS && l.delay >= 1 && l.delay / l.count >= 1e-3
			: l.count >= LEAST_CONTENTIONS / 4 && l.delay >= 0.1 * l.window;
		if (*found)
			rc = look_below(&l, e, err);
		if (!rc && *found)
			rc = report(f, &l, &sites, err);
	}
	pf_sites_release(&sites);
	pf_sites_release(&waits);
	return rc;
}

/* How many stand at locks at this moment, from goroutines or threads. */
static int
judge_now(const struct pf_evidence *e, enum pf_profile_kind kind, struct pf_findings *f,
    struct pf_error *err)
{
	static const char *const counts[] = {"goroutine", "goroutines", "thread", "threads", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, kind);
	const char *what = kind == PF_PROFILE_THREADS ? "threads" : "goroutines";
	uint32_t column = ep ? pf_evidence_column(ep, counts) : PF_NONE;
	struct pf_sites sites;
	bool shared = false;
	int rc;

	if (column == PF_NONE)
		return 0;
	rc = pf_sites_of(&sites, ep, column, waits_at_lock, err);
	if (!rc && sites.count)
		rc = is_shared(ep, sites.items[0].sample, &shared, err);
	if (!rc && sites.count && sites.items[0].value >= WAITING_NOW) {
		const char *owner = pf_site_name(ep, sites.items[0].name);

		pf_findings_add(f, "lock-contention", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_LOW,
		    pf_say(f, "%.0f %s stand at a lock in %s at one moment", sites.items[0].value,
			what, owner));
		pf_add_number(f, what, sites.items[0].value, "count");
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f, "One moment is no rate: a mutex profile over a window says how long "
			      "the waiting is."));
		advise(f, owner, shared, pf_evidence_is_go(e));
		rc = pf_show_sites(f, ep, &sites, 3, what, err);
	}
	pf_sites_release(&sites);
	return rc;
}

/* On the processor, for a lock of the service's. */
static bool
spins(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return s->count && (ep->traits[s->names[0]] & PF_CODE_SPIN) &&
	       pf_stack_with(s, ep, PF_CODE_LOCK) < pf_stack_own(s, ep) &&
	       !pf_stack_in_allocator(s, ep);
}

static int
report_spinning(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_sites *sites, double used, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	double share = sites->total / used;
	char text[PF_AMOUNT_ROOM];

	pf_findings_add(f, "lock-contention",
	    pf_cpu_severity(ep, column, share >= 0.5 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f, "%s of the CPU time is spent spinning for locks, most of it in %s",
		pf_amount(text, share, "share"), owner));
	pf_add_cpu_share(f, "cpu_share", share, pf_cpu_samples(ep));
	pf_add_number(f, "first_owner_share", sites->items[0].value / sites->total, "share");
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
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N"));
	return pf_show_sites(f, ep, sites, 3, "share_of_spinning", err);
}

static int
judge_spinning(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	double used, low, high;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc || !(used > 0))
		return rc;
	rc = pf_sites_of(&sites, ep, column, spins, err);
	pf_share_interval(sites.total / used, pf_cpu_samples(ep), &low, &high);
	if (!rc && sites.count && sites.total >= SPINS * used && low > SPINS * 0.7)
		rc = report_spinning(f, ep, column, &sites, used, err);
	pf_sites_release(&sites);
	return rc;
}

int
pf_detect_locks(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	bool found = false;
	int rc = judge_profile(e, PF_PROFILE_LOCKS, f, &found, err);

	if (!rc && !found)
		rc = judge_profile(e, PF_PROFILE_BLOCK, f, &found, err);
	if (!rc && !found)
		rc = judge_now(e, PF_PROFILE_GOROUTINE, f, err);
	if (!rc && !found)
		rc = judge_now(e, PF_PROFILE_THREADS, f, err);
	return rc ? rc : judge_spinning(e, f, err);
}
